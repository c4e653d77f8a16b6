package misconfig

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxInjections = 4096
	minCracks     = 2  // answers with a database's error
	minPlainOK    = 5  // successes that show the API works
	minBroken     = 3  // statements that broke the API
	minWhole      = 3  // statements that it took
	minSane       = 20 // requests without a statement
)

// Injection finds APIs where a part of the request becomes a part of a database
// statement or a program: the database complains about the syntax although the
// API works for others; or what looks like statements breaks the API when its
// quotes do not match and is answered as usual when they do, while nothing else
// breaks it.
type Injection struct{ states *defect.States[injection] }

type injection struct {
	cracked defect.Span // a database's error about the request
	broken  defect.Span // statements that made the server fail
	whole   uint64      // statements that were answered with success
	other   uint64      // statements that were answered otherwise
	how     string      // rule that was met first
	name    string      // the parameter
	marker  string
	public  bool
	anon    uint64
	values  defect.Set // statements that broke, by parameters
	samples defect.Samples
	trials  defect.Trials // requests that would show it
}

// NewInjection returns the detector.
func NewInjection() *Injection { return &Injection{states: defect.NewStates[injection](maxInjections)} }

// syntax reports whether a marker is a database's complaint about how a
// statement is written. Others tell of a table or a connection.
func syntax(m *observe.Marker) bool {
	if !strings.HasPrefix(m.Rule, "sql/") {
		return false
	}
	what := strings.ToLower(m.What)
	for _, w := range [...]string{"syntax", "unterminated", "unclosed", "not properly", "unrecognized token", "ora-009", "ora-01756"} {
		if strings.Contains(what, w) {
			return true
		}
	}
	return false
}

// statement gives the first attack pattern of a request that aims at an
// interpreter.
func statement(ev *defect.Event) *observe.Signature {
	for i := range ev.Signatures {
		s := &ev.Signatures[i]
		if s.In == observe.InHeader || s.In == observe.InCookie {
			continue
		}
		for _, f := range [...]string{"sqli.", "nosqli.", "ldapi.", "cmdi."} {
			if strings.HasPrefix(s.Rule, f) {
				return s
			}
		}
	}
	return nil
}

// asked reports whether the request brings a value that could have got into the
// statement.
func asked(ev *defect.Event) bool {
	return ev.Query || len(ev.Params) > 0 || ev.API != nil && strings.Contains(ev.API.Template, "{")
}

// Observe takes one event.
func (d *Injection) Observe(ev *defect.Event) {
	if ev.Handle == 0 && ev.Beside != 0 {
		ev.Handle = ev.Beside
		defer func() { ev.Handle = 0 }()
	}
	if ev.Handle == 0 || ev.Status == 0 {
		return
	}
	cracked := (*observe.Marker)(nil)
	for i := range ev.Markers {
		if m := &ev.Markers[i]; syntax(m) && defect.Genuine(ev, m) && asked(ev) {
			cracked = m
			break
		}
	}
	st := statement(ev)
	s := d.states.Get(ev.Handle)
	if s == nil {
		if cracked == nil && st == nil {
			return
		}
		s = d.states.Ensure(ev.Handle)
	}
	switch {
	case cracked != nil:
		s.cracked.Add(ev.End)
		s.note(ev, st, cracked)
		if s.marker == "" {
			s.marker = strings.Clone(cracked.Rule)
		}
		s.trials.Count(ev.End, true)
	case st == nil:
		if s.cracked.Count > 0 && ev.Texts() {
			s.trials.Count(ev.End, false)
		}
	case ev.Status >= 500:
		s.broken.Add(ev.End)
		s.values.Add(paramsOf(ev))
		s.note(ev, st, nil)
		s.trials.Count(ev.End, true)
	default:
		if ev.OK {
			s.whole++
		} else {
			s.other++
		}
		s.trials.Count(ev.End, false)
	}
}

func paramsOf(ev *defect.Event) uint64 {
	h := uint64(1)
	for i := range ev.Params {
		h = defect.Pair(h, ev.Params[i].Token)
	}
	for i := range ev.Segments {
		h = defect.Pair(h, ev.Segments[i].Token)
	}
	return h
}

func (s *injection) note(ev *defect.Event, st *observe.Signature, m *observe.Marker) {
	s.public = s.public || !ev.Who.Private
	if ev.Anonymous {
		s.anon++
	}
	if st != nil && s.how == "" {
		s.how, s.name = strings.Clone(st.Rule), strings.Clone(st.Name)
	}
	rank := uint32(0)
	if m != nil {
		rank = 1
	}
	if e := s.samples.Show(ev, rank); e != nil {
		e.What, e.Status = "defect.evidence.injection", ev.Status
		if m != nil {
			e.Path, e.Value = strings.Clone(m.Where), strings.Clone(m.What)
		} else if st != nil {
			e.Path, e.Text = strings.Clone(st.Name), strings.Clone(st.Rule)
		}
	}
}

// Merge folds the state of one API into another.
func (d *Injection) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *injection) {
		dst.cracked.Fold(src.cracked)
		dst.broken.Fold(src.broken)
		dst.whole += src.whole
		dst.other += src.other
		if dst.how == "" {
			dst.how, dst.name = src.how, src.name
		}
		if dst.marker == "" {
			dst.marker = src.marker
		}
		dst.public = dst.public || src.public
		dst.anon += src.anon
		dst.values.Union(&src.values)
		dst.samples.Fold(&src.samples)
		dst.trials.Fold(&src.trials)
	})
}

// Findings reports what is known.
func (d *Injection) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *injection) {
		api := r.API(h)
		if api == nil {
			return
		}
		// what the API did without statements
		plain := less(api.Outcomes[catalog.OutcomeSuccess], s.whole)
		failed := less(api.Outcomes[catalog.OutcomeError], s.broken.Count+s.cracked.Count)
		sane := less(api.Exchanges, s.broken.Count+s.cracked.Count+s.whole+s.other)
		told := s.cracked.Count >= minCracks && plain >= minPlainOK
		differ := s.broken.Count >= minBroken && s.values.Count() >= minBroken && s.whole >= minWhole && sane >= minSane && failed*50 <= sane
		if !told && !differ {
			return
		}
		span := s.cracked
		span.Fold(s.broken)
		args := message.Args{"api": r.Name(h), "n": s.cracked.Count, "broken": s.broken.Count, "whole": s.whole, "sane": sane, "failed": failed, "ok": plain}
		reason := "defect.injection_suspected.reason"
		if !told {
			reason += ".differ"
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectInjectionSuspected, API: h, Span: span, Samples: s.samples, Trials: &s.trials,
			Harm: taxonomy.Critical, HarmWhy: "defect.rating.h.injection", Reach: defect.Reach{Public: s.public, Anonymous: s.anon > 0, Guessable: true, Register: true},
			Confidence: defect.Confidence(0.65, defect.If(told && s.cracked.Count >= 5, 0.3), defect.If(told && differ, 0.4), defect.If(differ && s.broken.Count >= 10, 0.3)),
			Reason:     r.Text(reason, args), Advice: r.Text("defect.injection_suspected.advice", args),
		})
	})
}

func less(a, b uint64) uint64 { return a - min(a, b) }

// Counters says what was dropped.
func (d *Injection) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.injection.apis", Count: d.states.Evicted}}
}

var _ defect.Detector = (*Injection)(nil)
