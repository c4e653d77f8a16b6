package errors

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Trace finds answers that show how the program works inside: stack traces,
// database errors, absolute paths.
type Trace struct {
	rules defect.Rules
	marks *defect.Marks
}

// NewTrace returns the detector.
func NewTrace(rules defect.Rules) *Trace { return &Trace{rules: rules, marks: defect.NewMarks()} }

// Observe takes one event.
func (d *Trace) Observe(ev *defect.Event) {
	for i := range ev.Markers {
		m := &ev.Markers[i]
		if shows(ev, m) && defect.KindOf(d.rules, m.Rule) == taxonomy.DefectVerboseTrace {
			d.marks.Count(ev, m, "defect.evidence.trace")
		}
	}
}

// shows reports whether the trace is the program's own. Documentation, paste
// sites and bug trackers answer with traces as content, and answer well.
func shows(ev *defect.Event, m *observe.Marker) bool {
	if defect.UserContent(m.Where) {
		return false
	}
	if ev.API != nil && (ev.API.Role == taxonomy.RoleDocs || ev.API.Role == taxonomy.RoleStatic) {
		return false
	}
	if ev.Status >= 500 {
		return true
	}
	// A refusal with a trace; but not a page or a success.
	return ev.RespKind != observe.BodyHTML && (ev.Outcome == catalog.OutcomeError || ev.Outcome == catalog.OutcomeRejected || ev.Outcome == catalog.OutcomeInvalid)
}

// Merge folds the state of one API into another.
func (d *Trace) Merge(from, into catalog.Handle) { d.marks.Merge(from, into) }

// Findings reports what is known.
func (d *Trace) Findings(r *defect.Report) {
	d.marks.Each(func(h catalog.Handle, k *defect.Mark) {
		if h == 0 || r.API(h) == nil {
			return
		}
		harm := taxonomy.Elevated
		if strings.Contains(k.Rule, "sql") || strings.Contains(k.Rule, "database") {
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
		args := message.Args{"api": r.Name(h), "n": k.Span.Count, "title": title}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectVerboseTrace, API: h, SubKey: k.Rule, Span: k.Span, Samples: k.Samples, Harm: harm, HarmWhy: "defect.rating.h.inside",
			Confidence: defect.Confidence(0.7, defect.If(k.Span.Count >= 2, 0.5), defect.If(k.Errors >= 2, 0.3)),
			Reach:      defect.Reach{Public: k.Public, Anonymous: k.Anonymous > 0, Guessable: true, Register: true},
			Reason:     r.Text("defect.verbose_trace.reason", args),
			Advice:     r.Text("defect.verbose_trace.advice", args),
		})
	})
}

// Counters says what was dropped.
func (d *Trace) Counters() []defect.Counter { return d.marks.Counters("defect.trace") }

var _ defect.Detector = (*Trace)(nil)
