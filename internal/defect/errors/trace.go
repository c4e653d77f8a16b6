package errors

import (
	"cmp"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Trace finds answers that show how the program works inside: stack traces,
// database errors, absolute paths.
type Trace struct {
	rules defect.Rules `snapshot:"-"`
	marks *defect.Marks
}

// NewTrace returns the detector.
func NewTrace(rules defect.Rules) *Trace { return &Trace{rules: rules, marks: defect.NewMarks()} }

// Observe takes one event.
func (d *Trace) Observe(ev *defect.Event) {
	if ev.Handle == 0 && ev.Beside != 0 {
		// A mistyped id has reached the API's own program.
		ev.Handle = ev.Beside
		defer func() { ev.Handle = 0 }()
	}
	for i := range ev.Markers {
		m := &ev.Markers[i]
		if defect.Genuine(ev, m) && defect.KindOf(d.rules, m.Rule) == taxonomy.DefectVerboseTrace {
			d.marks.Count(ev, m, "defect.evidence.trace")
		}
	}
	failed := ev.Status >= 500 || ev.Outcome == catalog.OutcomeError || ev.Outcome == catalog.OutcomeRejected || ev.Outcome == catalog.OutcomeInvalid
	d.marks.Tried(ev, func(k *defect.Mark) bool {
		// A text that no longer gets into a statement is answered as any other.
		return failed || database(k.Rule) && ev.Texts()
	})
}

// database reports whether a rule tells answers of a database.
func database(rule string) bool {
	return strings.Contains(rule, "sql") || strings.Contains(rule, "database")
}

// Merge folds the state of one API into another.
func (d *Trace) Merge(from, into catalog.Handle) { d.marks.Merge(from, into) }

// Findings reports what is known: one finding per API, whatever its answers
// show; one handler is to blame and one repairs it.
func (d *Trace) Findings(r *defect.Report) {
	type shown struct {
		api   catalog.Handle
		mark  defect.Mark
		harm  taxonomy.Severity
		title message.Text
	}
	var all []shown
	d.marks.Each(func(h catalog.Handle, k *defect.Mark) {
		if h == 0 || r.API(h) == nil {
			return
		}
		harm := taxonomy.Elevated
		if database(k.Rule) {
			harm = taxonomy.High // tells an injector that the way is open
		}
		title := message.Text{Zh: k.Rule, En: k.Rule}
		if r.Rules != nil {
			if rule := r.Rules.Rule(k.Rule); rule != nil {
				harm = max(rule.Harm, taxonomy.Moderate)
				if rule.Title.Zh != "" {
					title = rule.Title
				}
			}
		}
		all = append(all, shown{h, *k, harm, title})
	})
	slices.SortFunc(all, func(a, b shown) int {
		return cmp.Or(cmp.Compare(a.api, b.api), cmp.Compare(b.harm, a.harm), cmp.Compare(a.mark.Rule, b.mark.Rule))
	})
	for i := 0; i < len(all); {
		s := all[i]
		titles := []message.Text{s.title}
		most := s.mark.Span.Count // one answer may show several things at once
		for i++; i < len(all) && all[i].api == s.api; i++ {
			most = max(most, all[i].mark.Span.Count)
			s.mark.Fold(&all[i].mark)
			titles = append(titles, all[i].title)
		}
		s.mark.Span.Count = most
		args := message.Args{"api": r.Name(s.api), "n": most, "title": defect.Join(titles)}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectVerboseTrace, API: s.api, Span: s.mark.Span, Samples: s.mark.Samples, Trials: &s.mark.Trials, Harm: s.harm, HarmWhy: "defect.rating.h.inside",
			Confidence: defect.Confidence(0.7, defect.If(most >= 2, 0.5), defect.If(s.mark.Errors >= 2, 0.3)),
			Reach:      defect.Reach{Public: s.mark.Public, Anonymous: s.mark.Anonymous > 0, Guessable: true, Register: true},
			Reason:     r.Text("defect.verbose_trace.reason", args),
			Advice:     r.Text("defect.verbose_trace.advice", args),
		})
	}
}

// Counters says what was dropped.
func (d *Trace) Counters() []defect.Counter { return d.marks.Counters("defect.trace") }

var _ defect.Detector = (*Trace)(nil)
