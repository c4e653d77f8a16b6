package defect

import (
	"fmt"
	"strings"

	"xiezhi/internal/taxonomy"
)

const (
	maxExhibitLines = 10  // of a request, and of an answer
	maxExhibitLine  = 160 // bytes
)

// Exhibit is what a request and its answer looked like: names and shapes, no
// values. The path is left out: which of its words are values is known only
// when everything was seen.
type Exhibit struct{ Request, Response []string }

// ExhibitOf writes down what an event looked like, outside of what was found.
func ExhibitOf(ev *Event) *Exhibit { return exhibit(ev) }

// exhibit writes down what an event looked like.
func exhibit(ev *Event) *Exhibit {
	x := &Exhibit{}
	ask := func(format string, args ...any) { x.Request = line(x.Request, format, args...) }
	tell := func(format string, args ...any) { x.Response = line(x.Response, format, args...) }
	for i := range ev.Credentials {
		c := &ev.Credentials[i]
		ask("%s: %s %s", c.Name, c.Kind, c.Shape)
	}
	if len(ev.Credentials) == 0 {
		ask("authorization: –")
	}
	for i := range ev.Params {
		p := &ev.Params[i]
		ask("%s %s = %s%s", p.In, p.Name, shown(p.Shape, p.Token), typed(p.Sensitive))
	}
	for i := range ev.Signatures {
		ask("! %s %s", ev.Signatures[i].Rule, ev.Signatures[i].Name)
	}
	if ev.Status != 0 {
		tell("%d, %d B%s", ev.Status, ev.RespBytes, counted(ev.Records))
	}
	if ev.Code != "" {
		tell("%s = %s", ev.CodeField, ev.Code)
	}
	if ev.Message != "" {
		tell("“%s”", ev.Message)
	}
	for i := range ev.Issued {
		c := &ev.Issued[i]
		tell("+ %s: %s %s", c.Name, c.Kind, c.Shape)
	}
	for i := range ev.Exposures {
		if e := &ev.Exposures[i]; e.Response {
			tell("%s = %s%s%s", e.Path, e.Shape, typed(e.Type), counted(e.Distinct))
		}
	}
	for i := range ev.Internals {
		tell("%s (%s)", ev.Internals[i].Path, ev.Internals[i].Kind)
	}
	for i := range ev.Markers {
		tell("! %s: %s", ev.Markers[i].Rule, ev.Markers[i].What)
	}
	return x
}

// shown is a value's shape; values without one say nothing.
func shown(shape string, token uint64) string {
	if shape == "" && token != 0 {
		return "…"
	}
	return shape
}

func typed(t taxonomy.Sensitive) string {
	if t == taxonomy.NotSensitive {
		return ""
	}
	return " (" + t.String() + ")"
}

func counted(n uint32) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" ×%d", n)
}

func line(list []string, format string, args ...any) []string {
	switch {
	case len(list) > maxExhibitLines:
		return list
	case len(list) == maxExhibitLines:
		return append(list, "…")
	}
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	if len(text) > maxExhibitLine {
		cut := maxExhibitLine
		for cut > 0 && text[cut]&0xC0 == 0x80 {
			cut--
		}
		text = text[:cut] + "…"
	}
	return append(list, strings.Clone(text))
}
