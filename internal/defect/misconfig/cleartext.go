package misconfig

import (
	"cmp"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/exchange"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

const (
	maxClearAPIs   = 8192
	minClearEvents = 3
	minClearSource = 2
)

// Cleartext finds passwords, credentials and personal data on the open
// internet without TLS. Behind a proxy nobody can tell how the client came, so
// such traffic says nothing.
type Cleartext struct{ states *defect.States[clearText] }

type clearText struct {
	span      defect.Span
	passwords uint64
	tokens    uint64
	data      uint64
	types     defect.Types
	sources   defect.Set
	samples   defect.Samples
	trials    defect.Trials // requests and answers that need TLS
}

// NewCleartext returns the detector.
func NewCleartext() *Cleartext { return &Cleartext{states: defect.NewStates[clearText](maxClearAPIs)} }

// Observe takes one event.
func (d *Cleartext) Observe(ev *defect.Event) {
	if ev.Secure {
		if s := d.states.Get(ev.Handle); s != nil && (len(ev.Passwords) > 0 || ev.OK && (len(ev.Credentials) > 0 || len(ev.Exposures) > 0)) {
			s.trials.Count(ev.End, false)
		}
		return
	}
	if ev.Handle == 0 || ev.Who.Private || ev.Caps&exchange.CapClientAddr == 0 || len(ev.Forwarded)+len(ev.Claimed) > 0 ||
		ev.Who.Client != ev.Client.Addr().Unmap() && ev.Who.Client != ev.Client.Addr() {
		return
	}
	rank, what := uint32(0), ""
	var types defect.Types
	switch {
	case len(ev.Passwords) > 0:
		rank, what = 3, "defect.evidence.clear_password"
	case len(ev.Credentials) > 0 && ev.OK:
		rank, what = 2, "defect.evidence.clear_token"
	}
	if ev.OK && ev.Data() {
		for i := range ev.Exposures {
			if x := &ev.Exposures[i]; ev.Plain(x) {
				types |= defect.TypesOf(x.Type)
			}
		}
		if types.Personal() && rank == 0 {
			rank, what = 1, "defect.evidence.clear_data"
		}
	}
	if rank == 0 {
		return
	}
	s := d.states.Ensure(ev.Handle)
	s.span.Add(ev.End)
	s.trials.Count(ev.End, true)
	s.sources.Add(ev.Source)
	s.types |= types
	switch rank {
	case 3:
		s.passwords++
	case 2:
		s.tokens++
	default:
		s.data++
	}
	if e := s.samples.Show(ev, rank); e != nil {
		e.What, e.Status = what, ev.Status
	}
}

// Merge folds the state of one API into another.
func (d *Cleartext) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *clearText) { dst.fold(src) })
}

func (s *clearText) fold(o *clearText) {
	s.span.Fold(o.span)
	s.trials.Fold(&o.trials)
	s.passwords += o.passwords
	s.tokens += o.tokens
	s.data += o.data
	s.types |= o.types
	s.sources.Union(&o.sources)
	s.samples.Fold(&o.samples)
}

// Findings reports one finding per host, at the API where most is at stake:
// TLS is switched on for a host, not for an API.
func (d *Cleartext) Findings(r *defect.Report) {
	type where struct {
		api *catalog.API
		s   *clearText
	}
	hosts := map[string][]where{}
	d.states.Each(func(h catalog.Handle, s *clearText) {
		if api := r.API(h); api != nil {
			hosts[api.Host] = append(hosts[api.Host], where{api, s})
		}
	})
	names := make([]string, 0, len(hosts))
	for n := range hosts {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, host := range names {
		g := hosts[host]
		slices.SortFunc(g, func(a, b where) int {
			return cmp.Or(cmp.Compare(b.s.passwords, a.s.passwords), cmp.Compare(b.s.tokens, a.s.tokens), cmp.Compare(b.s.data, a.s.data), cmp.Compare(a.api.ID, b.api.ID))
		})
		var sum clearText
		for _, w := range g {
			sum.fold(w.s)
		}
		if sum.span.Count < minClearEvents || sum.sources.Count() < minClearSource {
			continue
		}
		harm, why := sum.types.HarmOf(0), "defect.rating.h.personal"
		if sum.passwords+sum.tokens > 0 {
			harm, why = taxonomy.Critical, "defect.rating.h.secret"
		}
		args := message.Args{"api": r.Name(g[0].api.Handle), "host": host, "n": sum.span.Count, "sources": sum.sources.Number(), "apis": len(g),
			"passwords": sum.passwords, "tokens": sum.tokens, "data": sum.data}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectCleartext, API: g[0].api.Handle, SubKey: host, Span: sum.span, Samples: sum.samples, Trials: &sum.trials, Affected: len(g), Harm: harm, HarmWhy: why,
			Confidence: defect.Confidence(0.65, defect.If(sum.sources.Count() >= 5, 0.4), defect.If(sum.passwords >= 3, 0.3), defect.If(sum.span.Count >= 20, 0.2)),
			Exploit:    taxonomy.Moderate, ExploitWhy: "defect.rating.e.on_path",
			Reason: r.Text("defect.cleartext.reason", args),
			Advice: r.Text("defect.cleartext.advice", args),
		})
	}
}

// Counters says what was dropped.
func (d *Cleartext) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.cleartext.apis", Count: d.states.Evicted}}
}

var _ defect.Detector = (*Cleartext)(nil)
