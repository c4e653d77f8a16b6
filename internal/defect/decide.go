package defect

import (
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/policy"
	"xiezhi/internal/taxonomy"
)

// Decisions are what people said of findings, and the time of the last event.
// The zero value holds nothing.
type Decisions struct {
	Fixes    []policy.Fix
	Verdicts []policy.Verdict
	Now      int64 // ns since the epoch
}

// Ruling is the verdict of a person that holds for a finding.
type Ruling struct {
	By, Reason string
	Expires    int64 // ns since the epoch; 0 never
}

// decide fills in what became of a finding.
func (r *Report) decide(f *Finding) {
	api := r.apis[f.API]
	var claims []int64
	for i := range r.Decided.Fixes {
		x := &r.Decided.Fixes[i]
		if x.At.IsZero() || !r.covers(&x.Target, api) || !matches(&x.Match, f) {
			continue
		}
		claims = append(claims, x.At.UnixNano())
	}
	slices.Sort(claims)
	f.Life = Follow(f.Trials, f.Status, claims, r.Decided.Now)
	for i := range f.Life.History {
		c := &f.Life.History[i]
		c.Text = r.Text(c.Why, nil)
	}
	f.Status = f.Life.Status
	if f.Life.Returned && f.Status != taxonomy.Fixed {
		f.Severity = min(f.Severity+1, taxonomy.Critical)
	}
	if api != nil && f.Status != taxonomy.Fixed && api.Last > 0 && api.Lifecycle(r.Decided.Now) == taxonomy.LifeRetired {
		f.Status = taxonomy.DefectRetired
	}
	for i := range r.Decided.Verdicts {
		v := &r.Decided.Verdicts[i]
		if !v.Live(max(r.Decided.Now, v.Since())) || !r.covers(&v.Target, api) || !matches(&v.Match, f) {
			continue
		}
		// Nobody's word makes a proven repair undone; the last word counts.
		if v.Verdict == taxonomy.Established && f.Status != taxonomy.Probable && f.Status != taxonomy.Candidate {
			continue
		}
		f.Status = v.Verdict
		f.Ruling = &Ruling{By: v.By, Reason: v.Reason}
		if !v.Expires.IsZero() {
			f.Ruling.Expires = v.Expires.UnixNano()
		}
	}
}

// covers reports whether a target names the API of a finding. One of no API is
// the site's: only a target that names neither host, method nor path covers it.
func (r *Report) covers(t *policy.Target, api *catalog.API) bool {
	if api == nil {
		return *t == (policy.Target{Site: t.Site}) && (t.Site == "" || t.Site == r.Site)
	}
	return t.Covers(api.Site, api.Host, api.Method, api.Template)
}

func matches(m *policy.Match, f *Finding) bool {
	return (m.Defect == "" || m.Defect == f.ID) && (m.Kind == "" || m.Kind == f.Kind) &&
		(m.Component == "" || m.Component == f.Component) && (m.SubKey == "" || m.SubKey == f.SubKey)
}

// Closed reports whether nothing is to be done about findings of that status.
func Closed(s taxonomy.DefectStatus) bool {
	switch s {
	case taxonomy.Fixed, taxonomy.AcceptedRisk, taxonomy.FalsePositive, taxonomy.DefectRetired:
		return true
	}
	return false
}
