package victim

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"xiezhi/internal/report"
)

// Board adds up how the findings of many plays compare with the truth.
type Board struct {
	Judged map[string]bool // kinds that are looked for; nil: all. Signs of others are shown and not held against the analysis

	kinds map[string]*Row
	notes map[string]int // what was missed or wrongly found, and in how many plays
}

// Row is one kind of defect.
type Row struct {
	Found  int // signs that were reported
	Missed int // signs that were not
	Right  int // findings that a sign explains
	False  int // findings that none explains
}

// NewBoard makes an empty board.
func NewBoard() *Board { return &Board{kinds: map[string]*Row{}, notes: map[string]int{}} }

func (b *Board) row(kind string) *Row {
	r := b.kinds[kind]
	if r == nil {
		r = &Row{}
		b.kinds[kind] = r
	}
	return r
}

// Finding is a finding of a report with the place it is at.
type Finding struct {
	Site             string // empty: of no API
	Kind, Component  string
	Method, Template string // empty: of no API
	Status           string
	Reason           string
	Progress         *report.Progress // of the proof of a fix; nil: none runs
}

// Findings lists what a report says.
func Findings(r *report.Report) []Finding {
	apis := make(map[string]*report.API, len(r.APIs))
	for i := range r.APIs {
		apis[r.APIs[i].ID] = &r.APIs[i]
	}
	out := make([]Finding, 0, len(r.Defects))
	for i := range r.Defects {
		d := &r.Defects[i]
		f := Finding{Kind: d.Kind, Component: d.Component, Status: d.Status, Reason: d.Reason.En}
		if d.Life != nil {
			f.Progress = d.Life.Progress
		}
		if a := apis[d.API]; a != nil {
			f.Site, f.Method, f.Template = a.Site, a.Method, a.Template
		}
		out = append(out, f)
	}
	return out
}

func (f *Finding) String() string {
	s := f.Kind
	if f.Component != "" {
		s += "/" + f.Component
	}
	return s + " at " + cmp.Or(strings.TrimSpace(f.Method+" "+f.Template), "no API: "+f.Reason)
}

func (s *Sign) String() string {
	out := strings.Join(s.Kinds, "|")
	if s.Component != "" {
		out += "/" + s.Component
	}
	return out + " at " + cmp.Or(strings.TrimSpace(s.Method+" "+s.Template), "the site")
}

// Explains reports whether the finding is this sign.
func (s *Sign) Explains(f *Finding) bool {
	if !slices.Contains(s.Kinds, f.Kind) || s.Component != "" && f.Component != "" && f.Component != s.Component {
		return false
	}
	if f.Template == "" { // of no API: its text names the path
		return strings.Contains(f.Reason, s.Template)
	}
	return (s.Method == "" || s.Method == f.Method) && (s.Template == "" || sameTemplate(s.Template, f.Template))
}

// sameTemplate compares templates, whatever their parameters are called. Behind
// a # stands which of an address's operations it is.
func sameTemplate(a, b string) bool {
	b, _, _ = strings.Cut(b, "#")
	x, y := strings.Split(strings.TrimSuffix(a, "/"), "/"), strings.Split(strings.TrimSuffix(b, "/"), "/")
	return slices.EqualFunc(x, y, func(p, q string) bool { return p == q || isParameter(p) && isParameter(q) })
}

func isParameter(s string) bool { return strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") }

// Add compares one report with the flaws that were on, and notes differences
// under a name.
func (b *Board) Add(name string, app *App, on func(flaw string) bool, r *report.Report) {
	findings := Findings(r)
	explained := make([]bool, len(findings))
	b.signs(app, on, findings, explained)
	b.rest(app.Name+" "+name, findings, explained)
}

// AddTruth compares a report about several applications with their truth.
func (b *Board) AddTruth(t *Truth, r *report.Report) {
	findings := Findings(r)
	explained := make([]bool, len(findings))
	for i := range t.Apps {
		app, on := t.Apps[i].app()
		b.signs(app, on, findings, explained)
	}
	b.rest("report", findings, explained)
}

// signs looks for what the flaws of an application should give.
func (b *Board) signs(app *App, on func(flaw string) bool, findings []Finding, explained []bool) {
	for i := range app.Flaws {
		fl := &app.Flaws[i]
		if !on(fl.Name) {
			continue
		}
		for j := range fl.Signs {
			s := &fl.Signs[j]
			found := false
			for k := range findings {
				if f := &findings[k]; (f.Site == "" || f.Site == app.Name) && s.Explains(f) {
					found, explained[k] = true, true
				}
			}
			switch {
			case found && !s.Extra:
				b.row(s.Kinds[0]).Found++
			case !found && !s.Extra:
				b.row(s.Kinds[0]).Missed++
				b.notes[fmt.Sprintf("%s missed %s (%s)", app.Name, s, fl.Name)]++
			}
		}
	}
}

// rest counts the findings.
func (b *Board) rest(name string, findings []Finding, explained []bool) {
	for k := range findings {
		if explained[k] {
			b.row(findings[k].Kind).Right++
			continue
		}
		b.row(findings[k].Kind).False++
		b.notes[fmt.Sprintf("%s false %s: %s", name, &findings[k], findings[k].Reason)]++
	}
}

// Precision is the share of findings that a switched-on flaw explains.
func (b *Board) Precision() float64 {
	right, wrong := 0, 0
	for _, r := range b.kinds {
		right, wrong = right+r.Right, wrong+r.False
	}
	return share(right, right+wrong)
}

// Recall is the share of signs that were found.
func (b *Board) Recall() float64 {
	found, missed := 0, 0
	for k, r := range b.kinds {
		if b.Judged != nil && !b.Judged[k] {
			continue
		}
		found, missed = found+r.Found, missed+r.Missed
	}
	return share(found, found+missed)
}

func share(n, of int) float64 {
	if of == 0 {
		return 1
	}
	return float64(n) / float64(of)
}

// False is how many findings nothing explains.
func (b *Board) False() (n int) {
	for _, r := range b.kinds {
		n += r.False
	}
	return n
}

// Kinds gives the rows by kind.
func (b *Board) Kinds() map[string]Row {
	out := make(map[string]Row, len(b.kinds))
	for k, r := range b.kinds {
		out[k] = *r
	}
	return out
}

// Print writes the board for people: a row per kind, then what differs.
func (b *Board) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KIND\tFOUND\tMISSED\tRIGHT\tFALSE\tRECALL\tPRECISION")
	for _, k := range slices.Sorted(maps.Keys(b.kinds)) {
		r := b.kinds[k]
		name := k
		if b.Judged != nil && !b.Judged[k] {
			name += " (not looked for)"
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%.3f\t%.3f\n", name, r.Found, r.Missed, r.Right, r.False, share(r.Found, r.Found+r.Missed), share(r.Right, r.Right+r.False))
	}
	fmt.Fprintf(w, "all\t\t\t\t\t%.3f\t%.3f\n", b.Recall(), b.Precision())
	for _, n := range slices.Sorted(maps.Keys(b.notes)) {
		fmt.Fprintf(w, "%d times\t%s\n", b.notes[n], n)
	}
	return w.Flush()
}
