package policy

import (
	"cmp"
	"reflect"
	"slices"
	"time"
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

// AsOf gives the entry as if it had been decided at another time.
func (e Entry) AsOf(at time.Time) Entry {
	e = e.clone()
	e.At = at.UnixNano()
	if d := e.decision(); d != nil {
		d.At = at
	}
	return e
}

// Ended gives the entry as it is when it holds no longer from a time on.
func (e Entry) Ended(at time.Time) Entry {
	e = e.clone()
	if d := e.decision(); d != nil && (d.Expires.IsZero() || d.Expires.After(at)) {
		d.Expires = at
	}
	return e
}

func (e *Entry) decision() *Decision {
	switch {
	case e.Public != nil:
		return &e.Public.Decision
	case e.Approval != nil:
		return &e.Approval.Decision
	case e.Verdict != nil:
		return &e.Verdict.Decision
	case e.Fix != nil:
		return &e.Fix.Decision
	case e.Template != nil:
		return &e.Template.Decision
	}
	return nil
}

func (e Entry) clone() Entry {
	e.Public, e.Approval, e.Verdict, e.Fix, e.Template = copied(e.Public), copied(e.Approval), copied(e.Verdict), copied(e.Fix), copied(e.Template)
	return e
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	x := *p
	return &x
}

// Replace puts an element of a list in the place of the first that is equal to
// another.
func Replace[T any](list []T, old, with *T) {
	for i := range list {
		if reflect.DeepEqual(&list[i], old) {
			list[i] = *with
			return
		}
	}
}
