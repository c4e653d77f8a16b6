package exposure

import (
	"cmp"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxNames      = 1 << 16 // names that the site's scripts use
	maxScripts    = 4096    // scripts told apart
	maxShownPaths = 12      // sensitive paths per API
	maxSiblings   = 16      // other names per API
	minShown      = 20      // answers with the path
	minSurfers    = 2
)

// Frontend finds personal data that the site's own pages fetch and never use:
// the names of its fields stand in none of the scripts that the site serves.
// Only answers to its own pages count, of APIs that the scripts name; where a
// script was not seen whole, or not at all, nothing is judged, since it may
// use anything.
type Frontend struct {
	used    []uint32       // ascending
	scripts *defect.Recent // lists of names taken already
	cut     uint64         // scripts of which names are missing
	apis    *defect.States[fetched]
	dropped uint64
}

type fetched struct {
	span     defect.Span // answers with plain personal data
	trials   defect.Trials
	anon     uint64
	public   bool
	surfers  defect.Set
	paths    []shownPath
	siblings []uint32
	samples  defect.Samples
}

type shownPath struct {
	path   string
	key    uint32
	typ    taxonomy.Sensitive
	n      uint64
	people defect.Set
}

// NewFrontend returns the detector.
func NewFrontend() *Frontend {
	return &Frontend{scripts: defect.NewRecent(maxScripts), apis: defect.NewStates[fetched](maxAPIs)}
}

// Observe takes one event.
func (d *Frontend) Observe(ev *defect.Event) {
	if len(ev.Used) > 0 || ev.UsedCut {
		if ev.Status >= 200 && ev.Status < 300 {
			d.learn(ev)
		}
		return
	}
	if ev.Handle == 0 || !ev.OK || ev.AgentTool || ev.Referer == "" || ev.Referer != ev.Host || !ev.Data() {
		return
	}
	s := d.apis.Get(ev.Handle)
	seen, fired := false, false
	for i := range ev.Exposures {
		x := &ev.Exposures[i]
		if !ev.Plain(x) || x.Type.Level() > 3 {
			continue
		}
		key := observe.UsedKey(lastName(x.Path))
		if key == 0 {
			continue
		}
		if s == nil {
			s = d.apis.Ensure(ev.Handle)
		}
		f := d.path(s, x.Path, key, x.Type)
		if f == nil {
			continue
		}
		seen = true
		f.n++
		for _, t := range x.Subjects {
			f.people.Add(t)
		}
		if !d.uses(key) {
			fired = true
			if e := s.samples.Show(ev, min(x.Distinct, 1<<16)); e != nil {
				e.What, e.Path, e.N, e.Status, e.Value, e.Type = "defect.evidence.unused", f.path, uint64(x.Distinct), ev.Status, strings.Clone(x.Shape), x.Type
			}
		}
	}
	if s == nil {
		return
	}
	s.trials.Count(ev.End, fired)
	if !seen {
		return
	}
	s.span.Add(ev.End)
	s.surfers.Add(ev.Source)
	s.public = s.public || !ev.Who.Private
	if ev.Anonymous {
		s.anon++
	}
	s.besides(ev)
}

// learn takes the names of a script.
func (d *Frontend) learn(ev *defect.Event) {
	h := uint64(len(ev.Used))
	for _, k := range ev.Used {
		h = defect.Mix(h*0x9e3779b97f4a7c15 + uint64(k))
	}
	if d.scripts.Has(h | 1) {
		return
	}
	d.scripts.Add(h | 1)
	if ev.UsedCut {
		d.cut++
	}
	// Pages repeat the names of scripts: mostly nothing is new.
	fresh := 0
	for _, k := range ev.Used {
		if !d.uses(k) {
			fresh++
		}
	}
	switch {
	case fresh == 0:
		return
	case len(d.used)+fresh > maxNames:
		d.cut++
		return
	}
	// Merged from the end, in place.
	i, k := len(d.used)-1, len(ev.Used)-1
	d.used = slices.Grow(d.used, fresh)[:len(d.used)+fresh]
	for at := len(d.used) - 1; k >= 0; at-- {
		switch {
		case i >= 0 && d.used[i] > ev.Used[k]:
			d.used[at] = d.used[i]
			i--
		case i >= 0 && d.used[i] == ev.Used[k]:
			d.used[at] = d.used[i]
			i--
			k--
		default:
			d.used[at] = ev.Used[k]
			k--
		}
	}
}

func (d *Frontend) uses(key uint32) bool {
	_, ok := slices.BinarySearch(d.used, key)
	return ok
}

// lastName gives the name of the field at the end of a path.
func lastName(path string) string {
	path = strings.TrimRight(path, "[]")
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		path = path[i+1:]
	}
	return strings.TrimRight(path, "[]{}")
}

func (d *Frontend) path(s *fetched, path string, key uint32, typ taxonomy.Sensitive) *shownPath {
	for i := range s.paths {
		if s.paths[i].path == path && s.paths[i].typ == typ {
			return &s.paths[i]
		}
	}
	if len(s.paths) == maxShownPaths {
		d.dropped++
		return nil
	}
	s.paths = append(s.paths, shownPath{path: strings.Clone(path), key: key, typ: typ})
	return &s.paths[len(s.paths)-1]
}

// besides keeps the names of other fields of the answer: scripts that use them
// show that they read it.
func (s *fetched) besides(ev *defect.Event) {
	add := func(path string) {
		if k := observe.UsedKey(lastName(path)); k != 0 && len(s.siblings) < maxSiblings && !slices.Contains(s.siblings, k) {
			s.siblings = append(s.siblings, k)
		}
	}
	if len(s.siblings) == maxSiblings || s.span.Count > minShown {
		return
	}
	for i := range ev.Leaves {
		add(ev.Leaves[i].Path)
	}
	for i := range ev.Exposures {
		if ev.Exposures[i].Response {
			add(ev.Exposures[i].Path)
		}
	}
}

// Merge folds the state of one API into another.
func (d *Frontend) Merge(from, into catalog.Handle) {
	d.apis.Move(from, into, func(dst, src *fetched) {
		dst.span.Fold(src.span)
		dst.trials.Fold(&src.trials)
		dst.anon += src.anon
		dst.public = dst.public || src.public
		dst.surfers.Union(&src.surfers)
		for i := range src.paths {
			g := &src.paths[i]
			if f := d.path(dst, g.path, g.key, g.typ); f != nil {
				f.n += g.n
				f.people.Union(&g.people)
			}
		}
		for _, k := range src.siblings {
			if len(dst.siblings) < maxSiblings && !slices.Contains(dst.siblings, k) {
				dst.siblings = append(dst.siblings, k)
			}
		}
		dst.samples.Fold(&src.samples)
	})
}

// named reports whether scripts name the API: the last two fixed segments of
// its path stand in them.
func (d *Frontend) named(template string) bool {
	words := strings.Split(strings.Trim(template, "/"), "/")
	n := 0
	for i := len(words) - 1; i >= 0 && n < 2; i-- {
		w := words[i]
		if strings.HasPrefix(w, "{") {
			continue
		}
		for _, piece := range strings.FieldsFunc(w, func(r rune) bool { return r == '.' || r == ';' || r == ':' || r == '=' || r == '~' }) {
			if k := observe.UsedKey(piece); k != 0 && !d.uses(k) {
				return false
			}
		}
		n++
	}
	return n > 0
}

// Findings reports what is known.
func (d *Frontend) Findings(r *defect.Report) {
	if d.cut > 0 || len(d.used) == 0 {
		return
	}
	d.apis.Each(func(h catalog.Handle, s *fetched) {
		api := r.API(h)
		if api == nil || s.surfers.Count() < minSurfers || !d.named(api.Template) {
			return
		}
		var types defect.Types
		var people defect.Set
		var unused []shownPath
		most := uint64(0)
		for _, f := range s.paths {
			if f.n >= minShown && !d.uses(f.key) {
				unused = append(unused, f)
				types |= defect.TypesOf(f.typ)
				people.Union(&f.people)
				most = max(most, f.n)
			}
		}
		if len(unused) == 0 {
			return
		}
		slices.SortFunc(unused, func(a, b shownPath) int {
			return cmp.Or(cmp.Compare(b.typ.Level(), a.typ.Level()), cmp.Compare(b.n, a.n), strings.Compare(a.path, b.path))
		})
		var names []string
		for i := range unused {
			if !slices.Contains(names, unused[i].path) {
				names = append(names, unused[i].path)
			}
		}
		read := slices.ContainsFunc(s.siblings, d.uses)
		args := message.Args{"api": r.Name(h), "n": most, "people": people.Number(), "types": types.Names(r.Texts), "fields": defect.JoinWords(names, shownFields), "names": len(d.used)}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectUnusedByFrontend, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
			Harm: types.HarmOf(people.Count()), HarmWhy: types.HarmWhy(people.Count()),
			Reach:      defect.Reach{Public: s.public, Anonymous: s.anon*2 > s.span.Count, Guessable: true, Register: true},
			Confidence: defect.Confidence(0.65, defect.If(read, 0.4), defect.If(most >= 50, 0.2)),
			Reason:     r.Text("defect.unused_by_frontend.reason", args), Advice: r.Text("defect.unused_by_frontend.advice", args),
		})
	})
}

// Counters says what was dropped.
func (d *Frontend) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.frontend.apis", Count: d.apis.Evicted}, {What: "defect.frontend.paths", Count: d.dropped}, {What: "defect.frontend.names", Count: d.cut}}
}

var _ defect.Detector = (*Frontend)(nil)
