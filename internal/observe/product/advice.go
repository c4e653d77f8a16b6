package product

import (
	"slices"
	"time"

	"xiezhi/internal/taxonomy"
)

// Assessment is what is published about one version.
type Assessment struct {
	CVE    []string // sorted, gravest advisories first
	Harm   taxonomy.Severity
	Ended  time.Time // zero: the branch is not given up, as far as is known
	Update string    // the smallest version without any of these holes; empty: none is known
}

// Outdated reports whether there is anything against the version.
func (a *Assessment) Outdated() bool { return len(a.CVE) > 0 || !a.Ended.IsZero() }

// Assess tells what was published about a version at a time.
func (p *Product) Assess(v *Version, at time.Time) (a Assessment) {
	var hit []*Advisory
	for i := range p.Advisories {
		if p.Advisories[i].hits(v) {
			hit = append(hit, &p.Advisories[i])
		}
	}
	slices.SortStableFunc(hit, func(x, y *Advisory) int { return int(y.Harm) - int(x.Harm) })
	for _, x := range hit {
		a.Harm = max(a.Harm, x.Harm)
		a.CVE = append(a.CVE, x.CVE...)
	}
	if end := p.end(v, at); end != nil {
		a.Ended = end.On
		a.Harm = max(a.Harm, taxonomy.Elevated)
	}
	if a.Outdated() {
		a.Update = p.update(v, at)
	}
	return a
}

// Against reports whether anything is published against a version at a time.
func (p *Product) Against(v *Version, at time.Time) bool {
	for i := range p.Advisories {
		if p.Advisories[i].hits(v) {
			return true
		}
	}
	return p.end(v, at) != nil
}

// hits reports whether a version has the hole.
func (x *Advisory) hits(v *Version) bool {
	if v.Compare(&x.from) < 0 {
		return false
	}
	for i := range x.fixed {
		f := &x.fixed[i]
		if v.Compare(&f.version) >= 0 && (i == len(x.fixed)-1 || v.under(&f.branch)) {
			return false
		}
	}
	return true
}

// end gives the end of a version's branch, the narrowest, when it has come.
func (p *Product) end(v *Version, at time.Time) (found *End) {
	for i := range p.Ends {
		e := &p.Ends[i]
		if v.under(&e.branch) && !at.Before(e.On) && (found == nil || e.branch.n > found.branch.n) {
			found = e
		}
	}
	return found
}

// update gives the smallest known version from v on that nothing is against.
func (p *Product) update(v *Version, at time.Time) string {
	for i := range p.fixed {
		c := &p.fixed[i]
		if c.Compare(v) > 0 && p.end(c, at) == nil && !slices.ContainsFunc(p.Advisories, func(x Advisory) bool { return x.hits(c) }) {
			return p.text(c)
		}
	}
	return ""
}

func (p *Product) text(v *Version) string {
	for i := range p.Advisories {
		for j := range p.Advisories[i].fixed {
			if f := &p.Advisories[i].fixed[j]; f.version == *v {
				return f.text
			}
		}
	}
	return ""
}
