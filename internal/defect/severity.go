package defect

import (
	"math"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Score is 25·H^0.5·E^0.3·P^0.2, from 25 to 100: harm weighs most, and a
// defect that is common but harmless stays low.
func Score(h, e, p taxonomy.Severity) int {
	return int(math.Round(25 * math.Sqrt(float64(h)) * math.Pow(float64(e), 0.3) * math.Pow(float64(p), 0.2)))
}

// Level is the severity of a score.
func Level(score int) taxonomy.Severity {
	switch {
	case score >= 85:
		return taxonomy.Critical
	case score >= 65:
		return taxonomy.High
	case score >= 45:
		return taxonomy.Elevated
	}
	return taxonomy.Moderate
}

// prior is how common a class of defect is in general (the report's rating).
var prior = map[taxonomy.DefectClass]taxonomy.Severity{
	taxonomy.ClassUnauthorizedAccess: 3,
	taxonomy.ClassWeakPassword:       4,
	taxonomy.ClassExcessiveExposure:  3,
	taxonomy.ClassRevealingError:     4,
	taxonomy.ClassMisconfiguration:   4,
}

// Local is how common a defect is on this site: with it affected of scope APIs.
func Local(affected, scope int) taxonomy.Severity {
	share := float64(affected) / float64(max(scope, affected, 1))
	switch {
	case affected <= 1 || share < 0.01:
		return taxonomy.Moderate
	case share >= 0.20:
		return taxonomy.Critical
	case share >= 0.05:
		return taxonomy.High
	}
	return taxonomy.Elevated
}

// Prevalence blends how common the kind is in general and on this site.
func Prevalence(k taxonomy.DefectKind, affected, scope int) taxonomy.Severity {
	p := prior[taxonomy.ClassOf[k]]
	if p == 0 {
		p = taxonomy.Elevated
	}
	return taxonomy.Severity(math.Round((float64(p) + float64(Local(affected, scope))) / 2))
}

// Axes says of each axis of a rating why it is what it is.
type Axes struct{ Harm, Exploitability, Prevalence message.Text }

// StatusOf gives the state of a finding that nobody has decided on.
func StatusOf(confidence float64) taxonomy.DefectStatus {
	switch {
	case confidence >= 0.8:
		return taxonomy.Established
	case confidence >= 0.6:
		return taxonomy.Probable
	}
	return taxonomy.Candidate
}

// Confidence joins independent signals: one minus the product of the doubts.
func Confidence(signals ...float64) float64 {
	doubt := 1.0
	for _, w := range signals {
		doubt *= 1 - min(max(w, 0), 1)
	}
	return math.Round((1-doubt)*1000) / 1000
}

// If is w when the signal is there, else 0: a signal that says nothing.
func If(signal bool, w float64) float64 {
	if signal {
		return w
	}
	return 0
}

// Escalate raises the severity one level: an attack already goes through the
// defect. To be called once on a fresh finding.
func (f *Finding) Escalate() { f.Severity = min(f.Severity+1, taxonomy.Critical) }

// Reach says how an attacker gets at the defect.
type Reach struct {
	Public    bool // some source is not a private address
	Anonymous bool // works without a credential
	Guessable bool // the key to name an object can be counted up, or none is needed
	Register  bool // any account that people open themselves will do
}

// Exploitability rates the reach; id is the message that says why.
func (r Reach) Exploitability() (e taxonomy.Severity, id string) {
	switch {
	case !r.Public:
		return taxonomy.Moderate, "defect.rating.e.internal"
	case r.Anonymous && r.Guessable:
		return taxonomy.Critical, "defect.rating.e.anonymous_guessable"
	case r.Anonymous:
		return taxonomy.High, "defect.rating.e.anonymous"
	case r.Register && r.Guessable:
		return taxonomy.High, "defect.rating.e.account_guessable"
	}
	return taxonomy.Elevated, "defect.rating.e.account"
}
