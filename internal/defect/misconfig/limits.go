package misconfig

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/exchange"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

const (
	maxLimitedAPIs = 4096
	minBare        = 3
	minLimited     = 2 // sources
)

// Limits finds refusals for too many requests that do not say when to come
// back: well-meant clients try again at once, and make it worse. Where headers
// cannot be seen nothing is judged.
type Limits struct{ states *defect.States[limits] }

type limits struct {
	span    defect.Span // refusals without a word
	told    uint64      // refusals with one
	public  bool
	sources defect.Set
	samples defect.Samples
	trials  defect.Trials // refusals
}

// NewLimits returns the detector.
func NewLimits() *Limits { return &Limits{states: defect.NewStates[limits](maxLimitedAPIs)} }

// Observe takes one event.
func (d *Limits) Observe(ev *defect.Event) {
	if ev.Handle == 0 || ev.Status != 429 || ev.Caps&exchange.CapResponseHeaders == 0 {
		return
	}
	s := d.states.Ensure(ev.Handle)
	fired := ev.Observation.Limits == 0
	s.trials.Count(ev.End, fired)
	if !fired {
		s.told++
		return
	}
	s.span.Add(ev.End)
	s.public = s.public || !ev.Who.Private
	s.sources.Add(ev.Source)
	if e := s.samples.Show(ev, 0); e != nil {
		e.What, e.Status, e.Text = "defect.evidence.bare_limit", ev.Status, ev.Message
	}
}

// Merge folds the state of one API into another.
func (d *Limits) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *limits) {
		dst.span.Fold(src.span)
		dst.told += src.told
		dst.public = dst.public || src.public
		dst.sources.Union(&src.sources)
		dst.samples.Fold(&src.samples)
		dst.trials.Fold(&src.trials)
	})
}

// Findings reports what is known.
func (d *Limits) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *limits) {
		if r.API(h) == nil || s.span.Count < minBare || s.sources.Count() < minLimited {
			return
		}
		args := message.Args{"api": r.Name(h), "n": s.span.Count, "sources": s.sources.Number()}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectMissingRateLimitHeader, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
			Harm: taxonomy.Moderate, HarmWhy: "defect.rating.h.retry", Exploit: taxonomy.Moderate, ExploitWhy: "defect.rating.e.retry",
			Confidence: defect.Confidence(0.75, defect.If(s.span.Count >= 10, 0.4)),
			Reason:     r.Text("defect.missing_rate_limit_header.reason", args), Advice: r.Text("defect.missing_rate_limit_header.advice", args),
		})
	})
}

// Counters says what was dropped.
func (d *Limits) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.limits.apis", Count: d.states.Evicted}}
}

var _ defect.Detector = (*Limits)(nil)
