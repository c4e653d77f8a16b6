package defect

import (
	"math"
	"strings"

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

// Types is a set of sensitive types.
type Types uint64

// TypesOf makes a set.
func TypesOf(ts ...taxonomy.Sensitive) (s Types) {
	for _, t := range ts {
		s |= 1 << t
	}
	return s
}

// Has reports whether the set holds any of ts.
func (s Types) Has(ts Types) bool { return s&ts != 0 }

var (
	secrets  = TypesOf(taxonomy.SensPassword, taxonomy.SensSecretKey, taxonomy.SensPrivateKey)
	identity = levelTypes(3)
	// named are the ordinary personal data that by themselves point to one
	// private person. A public page rightly shows names of authors, addresses
	// and telephone numbers of shops, so those count only together.
	named = TypesOf(taxonomy.SensCNMobile, taxonomy.SensEmail, taxonomy.SensPlateNumber, taxonomy.SensPassport,
		taxonomy.SensHKMacauPermit, taxonomy.SensSocialSecurityNo, taxonomy.SensMilitaryID)
	contact = TypesOf(taxonomy.SensPhone, taxonomy.SensAddress, taxonomy.SensBirthDate)
)

func levelTypes(level int) (s Types) {
	for t := taxonomy.Sensitive(1); int(t) < taxonomy.SensitiveCount; t++ {
		if t.Level() == level {
			s |= TypesOf(t)
		}
	}
	return s
}

// Personal reports whether the types together are personal data or a secret
// that must not be given to just anyone.
func (s Types) Personal() bool {
	return s.Has(secrets|identity|named) || s.Has(TypesOf(taxonomy.SensPersonName)) && s.Has(contact)
}

// Secret reports whether passwords or keys are among the types.
func (s Types) Secret() bool { return s.Has(secrets) }

// Grave reports whether secrets or S3 data are among the types.
func (s Types) Grave() bool { return s.Has(secrets | identity) }

// HarmOf rates the types: 4 a secret, or S3 of a thousand people; 3 S3, or S2 in
// combination; 2 one kind of S2; 1 none.
func (s Types) HarmOf(subjects uint64) taxonomy.Severity {
	name := s.Has(TypesOf(taxonomy.SensPersonName))
	switch {
	case s.Secret(), s.Has(identity) && subjects >= 1000:
		return taxonomy.Critical
	case s.Has(identity),
		name && s.Has(TypesOf(taxonomy.SensCNMobile, taxonomy.SensPhone)) && s.Has(TypesOf(taxonomy.SensAddress)),
		s.Has(TypesOf(taxonomy.SensPlateNumber)) && s.Has(TypesOf(taxonomy.SensLocation)):
		return taxonomy.High
	case s.Has(levelTypes(2)):
		return taxonomy.Elevated
	}
	return taxonomy.Moderate
}

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

// TypeName names a type of sensitive data.
func TypeName(m *message.Catalog, t taxonomy.Sensitive) message.Text {
	if t == taxonomy.NotSensitive {
		return message.Text{}
	}
	return m.Text("defect.type."+t.String(), nil)
}

// Names lists the types in the order of their gravity.
func (s Types) Names(m *message.Catalog) message.Text {
	var l []message.Text
	for t := taxonomy.Sensitive(1); int(t) < taxonomy.SensitiveCount; t++ {
		if s.Has(TypesOf(t)) {
			l = append(l, TypeName(m, t))
		}
	}
	out := Join(l)
	if i := strings.LastIndex(out.Zh, "、"); i >= 0 {
		out.Zh = out.Zh[:i] + "和" + out.Zh[i+len("、"):]
	}
	return out
}

// Join lists texts: "、" in Chinese, commas and "and" in English.
func Join(l []message.Text) (out message.Text) {
	for i, t := range l {
		switch {
		case i == 0:
			out = t
			continue
		case i == len(l)-1:
			out.En += " and " + t.En
		default:
			out.En += ", " + t.En
		}
		out.Zh += "、" + t.Zh
	}
	return out
}

// JoinWords lists words that are the same in both languages, at most n of them.
func JoinWords(words []string, n int) message.Text {
	l := make([]message.Text, 0, n)
	for i, w := range words {
		if i == n && len(words) > n {
			break
		}
		l = append(l, message.Text{Zh: w, En: w})
	}
	return Join(l)
}
