package misconfig

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxCORSAPIs = 4096
	minOrigins  = 3 // unrelated foreign domains; two may well be partners
	minForged   = 2 // of which no page asked: then two suffice
)

// CORS finds APIs that let any web site read their answers with the visitor's
// cookies: a foreign Origin, or null, comes back as allowed with credentials.
// An API that was seen to leave some foreign origin out keeps a list, and is
// none; an asterisk lets nobody bring cookies along, and is none either.
type CORS struct{ states *defect.States[cors] }

type cors struct {
	reflected defect.Span
	null      defect.Span
	refused   uint64 // foreign origins that were not allowed, since one was
	public    bool
	origins   defect.Set
	forged    defect.Set // origins of requests without the Referer that a page sends along
	samples   defect.Samples

	listed uint64        // refused beside others that are allowed: somebody keeps a list
	mended bool          // an origin that was allowed is refused now
	out    defect.Set    // origins refused since then
	last   int64         // when one was allowed last
	trials defect.Trials // requests with a foreign Origin
}

// NewCORS returns the detector.
func NewCORS() *CORS { return &CORS{states: defect.NewStates[cors](maxCORSAPIs)} }

// Observe takes one event.
func (d *CORS) Observe(ev *defect.Event) {
	if ev.Origin == "" || ev.Handle == 0 || ev.Status == 0 {
		return
	}
	domain := registrable(ev.Origin)
	if domain == "" && ev.Origin != "null" || domain != "" && domain == registrable(ev.Host) {
		return
	}
	const with = observe.CORSCredentials
	what := ""
	var s *cors
	switch {
	case ev.CORS&with != 0 && ev.CORS&observe.CORSNull != 0 && ev.Origin == "null":
		s, what = d.states.Ensure(ev.Handle), "defect.evidence.cors_null"
		s.null.Add(ev.End)
	case ev.CORS&with != 0 && ev.CORS&observe.CORSReflected != 0 && domain != "":
		s, what = d.states.Ensure(ev.Handle), "defect.evidence.cors"
		s.reflected.Add(ev.End)
		s.origins.Add(defect.HashText(domain))
		if registrable(ev.Referer) != domain {
			s.forged.Add(defect.HashText(domain))
		}
	case ev.CORS&(observe.CORSAny|observe.CORSNull|observe.CORSReflected) == 0:
		s := d.states.Ensure(ev.Handle)
		s.refuse(ev.End, defect.HashText(domain))
		return
	default:
		return
	}
	if s.mended && domain != "" && !s.out.Has(defect.HashText(domain)) {
		return // since some were left out, this one may well stand on a list
	}
	s.trials.Count(ev.End, true)
	s.out = defect.Set{}
	if !s.mended {
		s.listed += s.refused
	}
	s.refused, s.mended, s.last = 0, false, ev.End
	s.public = s.public || !ev.Who.Private
	if e := s.samples.Show(ev, 0); e != nil {
		e.What, e.Text = what, strings.Clone(ev.Origin)
	}
}

// sameTime is how long after an allowed origin another's refusal shows that
// there is a list; later, that the API was mended.
const sameTime = int64(6 * 3600e9)

// refuse takes a foreign origin that was not allowed.
func (s *cors) refuse(at int64, origin uint64) {
	s.trials.Count(at, false)
	switch {
	case s.origins.Has(origin):
		s.mended = true
		s.out.Add(origin)
	case s.last == 0:
		s.refused++
	case !s.mended && at-s.last < sameTime:
		s.listed++
	default:
		s.refused++
	}
}

// registrable gives the last two labels of a host or origin, three below the
// common second-level registries; empty for addresses and local names.
func registrable(origin string) string {
	host := origin
	if _, after, ok := strings.Cut(origin, "://"); ok {
		host = after
	}
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || host == "null" {
		return ""
	}
	last := strings.LastIndexByte(host, '.')
	if last < 0 {
		return ""
	}
	second := strings.LastIndexByte(host[:last], '.')
	if second >= 0 {
		switch host[second+1 : last] {
		case "com", "net", "org", "gov", "edu", "co", "ac":
			if third := strings.LastIndexByte(host[:second], '.'); third >= 0 {
				return host[third+1:]
			}
			return host
		}
		return host[second+1:]
	}
	return host
}

// Merge folds the state of one API into another.
func (d *CORS) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *cors) { dst.fold(src) })
}

func (s *cors) fold(o *cors) {
	s.reflected.Fold(o.reflected)
	s.null.Fold(o.null)
	s.refused += o.refused
	s.listed += o.listed
	s.mended = s.mended && o.mended
	s.out.Union(&o.out)
	s.last = max(s.last, o.last)
	s.trials.Fold(&o.trials)
	s.public = s.public || o.public
	s.origins.Union(&o.origins)
	s.forged.Union(&o.forged)
	s.samples.Fold(&o.samples)
}

// Findings reports one finding per host, at the API that shows most: the policy
// is one handler's in front of all. APIs that leave foreign origins out are
// none of it.
func (d *CORS) Findings(r *defect.Report) {
	type where struct {
		api *catalog.API
		s   *cors
	}
	hosts := map[string][]where{}
	d.states.Each(func(h catalog.Handle, s *cors) {
		if api := r.API(h); api != nil && s.listed == 0 && s.reflected.Count+s.null.Count > 0 {
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
			return cmp.Or(cmp.Compare(b.s.reflected.Count+b.s.null.Count, a.s.reflected.Count+a.s.null.Count), cmp.Compare(a.api.ID, b.api.ID))
		})
		var sum cors
		for _, w := range g {
			sum.fold(w.s)
		}
		origins := sum.origins.Count()
		few := origins < minOrigins && sum.forged.Count() < minForged
		if few && sum.null.Count < 2 {
			continue
		}
		span := sum.reflected
		span.Fold(sum.null)
		args := message.Args{"api": r.Name(g[0].api.Handle), "host": host, "apis": len(g), "origins": sum.origins.Number(), "n": span.Count, "null": sum.null.Count}
		id := "defect.cors.reason"
		if few {
			id += ".null"
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectCORS, API: g[0].api.Handle, SubKey: host, Span: span, Samples: sum.samples, Trials: &sum.trials, Affected: len(g), Harm: taxonomy.High, HarmWhy: "defect.rating.h.cors",
			Confidence: defect.Confidence(0.65, defect.If(origins >= minOrigins, 0.2), defect.If(origins >= 5, 0.5), defect.If(origins >= minOrigins && sum.forged.Count() >= minForged, 0.3), defect.If(sum.null.Count >= 2, 0.2)),
			Reach:      defect.Reach{Public: sum.public},
			Reason:     r.Text(id, args), Advice: r.Text("defect.cors.advice", args),
		})
	}
}

// Counters says what was dropped.
func (d *CORS) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.cors.apis", Count: d.states.Evicted}}
}

var _ defect.Detector = (*CORS)(nil)
