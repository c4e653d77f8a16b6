package misconfig

import (
	"slices"
	"strings"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/product"
	"xiezhi/internal/taxonomy"
)

const (
	maxOutdatedHosts = 1024
	maxProducts      = 16 // per host
	maxBanners       = 512
	minNamed         = 3
	maxCVE           = 6 // that a text names
)

// Outdated finds products whose version has published holes or whose branch
// was given up: by banners, by what their own answers say, and for libraries in
// the browser by the file's head or name. A number proves no hole, since those
// who build from source or buy support mend under the same one: confidence is
// .7 at most, and where a distribution had its hands on the package .6, and no
// more than moderate.
type Outdated struct {
	products *product.Set `snapshot:"-"`
	rules    defect.Rules `snapshot:"-"`
	hosts    *defect.Table[uint64, outdatedHost]
	banners  map[string][]release
	last     string // banner, and what it names: nearly always the same again
	lastDay  int64
	lastSeen []release
	seen     []release `snapshot:"-"` // scratch: what this event names
	dropped  uint64
	refills  uint64
}

// release is a product with its version.
type release struct {
	p       *product.Product
	version string
	v       product.Version
	banner  bool
	old     bool // something is published against it
}

type outdatedHost struct {
	host string
	list []outdatedProduct
}

// outdatedProduct is a product that was outdated on a host once.
type outdatedProduct struct {
	release // the oldest version seen
	span    defect.Span
	public  bool
	vendor  bool // every firing
	samples defect.Samples
	trials  defect.Trials
}

// NewOutdated returns the detector; without products it finds nothing.
func NewOutdated(products *product.Set, rules defect.Rules) *Outdated {
	return &Outdated{products: products, rules: rules, hosts: defect.NewTable[uint64, outdatedHost](maxOutdatedHosts), banners: map[string][]release{}}
}

// Observe takes one event.
func (d *Outdated) Observe(ev *defect.Event) {
	if d.products == nil || ev.Status == 0 {
		return
	}
	d.seen = d.seen[:0]
	if ev.ServerBanner != "" {
		if today := ev.End / (86400 * 1e9); ev.ServerBanner != d.last || today != d.lastDay {
			d.last, d.lastDay, d.lastSeen = ev.ServerBanner, today, d.banner(ev.ServerBanner)
			for i := range d.lastSeen {
				d.lastSeen[i].old = outdated(&d.lastSeen[i], time.Unix(0, ev.End))
			}
		}
		d.seen = append(d.seen, d.lastSeen...)
	}
	for i := range ev.Markers {
		if m := &ev.Markers[i]; m.Version() {
			p := d.products.Product(defect.ComponentOf(d.rules, m.Rule))
			if v, ok := product.ParseVersion(m.What); ok && p != nil {
				d.see(release{p: p, version: m.What, v: v})
			}
		}
	}
	if ev.RespKind == observe.BodyScript && ev.OK {
		d.file(ev)
	}
	key := defect.HashText(ev.Host)
	s := d.hosts.Get(key)
	if len(d.seen) == 0 && s == nil {
		return
	}
	for i := range d.seen {
		n := &d.seen[i]
		if !n.banner {
			n.old = outdated(n, time.Unix(0, ev.End))
		}
		if s == nil && !n.old {
			continue
		}
		if s == nil {
			s = d.hosts.Ensure(key)
			s.host = strings.Clone(ev.Host)
		}
		d.count(ev, s, n)
	}
	d.hidden(ev, s)
}

// outdated reports whether anything is published against a version.
func outdated(n *release, at time.Time) bool { return n.p.Against(&n.v, at) }

// banner reads a banner once.
func (d *Outdated) banner(text string) []release {
	if list, ok := d.banners[text]; ok {
		return list
	}
	var list []release
	d.products.Banner(text, func(p *product.Product, version string, v product.Version) {
		list = append(list, release{p: p, version: strings.Clone(version), v: v, banner: true})
	})
	if len(d.banners) >= maxBanners {
		clear(d.banners)
		d.refills++
	}
	d.banners[strings.Clone(text)] = list
	return list
}

// see adds what an event names; a product is taken once.
func (d *Outdated) see(n release) {
	if !slices.ContainsFunc(d.seen, func(o release) bool { return o.p == n.p }) {
		d.seen = append(d.seen, n)
	}
}

// file tells a library by the name of its file.
func (d *Outdated) file(ev *defect.Event) {
	n := len(ev.Segments)
	if n == 0 {
		return
	}
	folder := ""
	if n > 1 {
		folder = ev.Segments[n-2].Text
	}
	if p, version, v := d.products.File(folder, ev.Segments[n-1].Text); p != nil {
		d.see(release{p: p, version: version, v: v})
	}
}

// count counts a product that the event names.
func (d *Outdated) count(ev *defect.Event, s *outdatedHost, n *release) {
	x := s.find(n.p)
	if x == nil {
		if !n.old {
			return
		}
		if len(s.list) == maxProducts {
			d.dropped++
			return
		}
		s.list = append(s.list, outdatedProduct{release: *n, vendor: true})
		x = &s.list[len(s.list)-1]
		x.version = strings.Clone(n.version)
	}
	x.trials.Count(ev.End, n.old)
	if !n.old {
		return
	}
	if n.v.Compare(&x.v) < 0 {
		x.v, x.version = n.v, strings.Clone(n.version)
	}
	x.banner = x.banner || n.banner
	x.span.Add(ev.End)
	x.vendor = x.vendor && n.v.Vendor
	x.public = x.public || !ev.Who.Private
	if e := x.samples.Show(ev, 0); e != nil {
		e.What, e.Status, e.Text, e.Path = "defect.evidence.version", ev.Status, n.p.Name+" "+strings.Clone(n.version), defect.PathOf(ev.Observation)
	}
}

// hidden counts an answer whose banner no longer names a version that others of
// the same host release.
func (d *Outdated) hidden(ev *defect.Event, s *outdatedHost) {
	if s == nil || ev.ServerBanner == "" {
		return
	}
	for i := range s.list {
		x := &s.list[i]
		if x.banner && !slices.ContainsFunc(d.seen, func(n release) bool { return n.p == x.p }) {
			x.trials.Count(ev.End, false)
		}
	}
}

func (s *outdatedHost) find(p *product.Product) *outdatedProduct {
	for i := range s.list {
		if s.list[i].p == p {
			return &s.list[i]
		}
	}
	return nil
}

// Merge has nothing to fold: versions belong to hosts.
func (d *Outdated) Merge(_, _ catalog.Handle) {}

// Findings reports one finding per host and product.
func (d *Outdated) Findings(r *defect.Report) {
	d.hosts.Each(func(_ uint64, s *outdatedHost) {
		for i := range s.list {
			if x := &s.list[i]; x.span.Count >= minNamed {
				d.add(r, s, x)
			}
		}
	})
}

func (d *Outdated) add(r *defect.Report, s *outdatedHost, x *outdatedProduct) {
	a := x.p.Assess(&x.v, time.Unix(0, x.span.Last))
	args := message.Args{"host": s.host, "name": x.p.Name, "version": x.version, "n": x.span.Count, "source": x.p.Source, "update": a.Update, "count": len(a.CVE)}
	reason, advice := "defect.outdated_component.reason", "defect.outdated_component.advice"
	switch {
	case a.Ended.IsZero():
	case len(a.CVE) == 0:
		reason += ".ended"
	default:
		reason += ".both"
	}
	if !a.Ended.IsZero() {
		args["ended"] = a.Ended.Format(time.DateOnly)
	}
	if len(a.CVE) > 0 {
		args["cve"] = strings.Join(a.CVE[:min(len(a.CVE), maxCVE)], ", ")
	}
	if a.Update == "" {
		advice += ".maintained"
	}
	text := r.Text(reason, args)
	harm, why := a.Harm, "defect.rating.h.holes"
	if len(a.CVE) == 0 {
		why = "defect.rating.h.ended"
	}
	exploit, exploitWhy := taxonomy.Moderate, "defect.rating.e.internal"
	switch {
	case x.vendor:
		harm, exploitWhy = taxonomy.Moderate, "defect.rating.e.vendor"
		note := r.Text("defect.outdated_component.vendor", nil)
		text.Zh, text.En = text.Zh+note.Zh, text.En+note.En
	case !x.public:
	case x.p.Library:
		exploitWhy = "defect.rating.e.library"
	case len(a.CVE) > 0:
		exploit, exploitWhy = taxonomy.High, "defect.rating.e.published"
	default:
		exploit, exploitWhy = taxonomy.Elevated, "defect.rating.e.ended"
	}
	r.Add(defect.Draft{
		Kind: taxonomy.DefectOutdatedComponent, Component: x.p.ID, SubKey: s.host, Span: x.span, Samples: x.samples, Trials: &x.trials,
		Harm: harm, HarmWhy: why, Exploit: exploit, ExploitWhy: exploitWhy,
		Confidence: confidence(x), Reason: text, Advice: r.Text(advice, args),
	})
}

// confidence is .7 at most: a number does not tell what was mended under it.
func confidence(x *outdatedProduct) float64 {
	if x.vendor {
		return 0.6
	}
	return defect.Confidence(0.6, defect.If(x.span.Count >= 10, 0.25))
}

// Counters says what was dropped.
func (d *Outdated) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.outdated.hosts", Count: d.hosts.Evicted}, {What: "defect.outdated.products", Count: d.dropped}, {What: "defect.outdated.banners", Count: d.refills}}
}

var _ defect.Detector = (*Outdated)(nil)
