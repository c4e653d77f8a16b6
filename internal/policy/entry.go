package policy

import (
	"cmp"
	"slices"
)

// Entry is one decision as an event of a site: exactly one pointer is set.
type Entry struct {
	At       int64 // ns since the epoch; the earliest time there is when it always holds
	Public   *Public
	Approval *Approval
	Verdict  *Verdict
	Fix      *Fix
	Template *Template
}

// Entries gives what concerns a site, in order of time and, at the same time,
// of the file.
func (f *File) Entries(site string) []Entry {
	if f == nil {
		return nil
	}
	var out []Entry
	of := func(t *Target) bool { return t.Site == "" || t.Site == site }
	for i := range f.Public {
		if p := &f.Public[i]; of(&p.Target) {
			out = append(out, Entry{At: p.Since(), Public: p})
		}
	}
	for i := range f.Approvals {
		if p := &f.Approvals[i]; of(&p.Target) {
			out = append(out, Entry{At: p.Since(), Approval: p})
		}
	}
	for i := range f.Verdicts {
		if p := &f.Verdicts[i]; of(&p.Target) {
			out = append(out, Entry{At: p.Since(), Verdict: p})
		}
	}
	for i := range f.Fixes {
		if p := &f.Fixes[i]; of(&p.Target) {
			out = append(out, Entry{At: p.Since(), Fix: p})
		}
	}
	for i := range f.Templates {
		if p := &f.Templates[i]; of(&p.Target) {
			out = append(out, Entry{At: p.Since(), Template: p})
		}
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return cmp.Compare(a.At, b.At) })
	return out
}
