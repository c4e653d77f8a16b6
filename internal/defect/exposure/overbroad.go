package exposure

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/identity"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	minOverbroad      = 10 // whole answers to the lower roles
	minOverbroadMask  = 5  // masked answers to them beside it
	minOverbroadOther = 5  // people in these answers
	ranks             = 4
	lowRanks          = 2 // unknown and ordinary
)

// Overbroad finds APIs that give a role the whole of what the API beside it
// masks for the same role: the list shows 138****8000 to a clerk, the detail
// behind it the number.
//
// Where the detail masks for one role and not for another it does look at the
// role, and who sees the whole is meant to. So it counts only if the role does not
// also get it masked there, if the site has higher roles, which the whole may be
// for, and if the answers are about other people. What is called a reveal is asked for,
// one by one, and leaves a trail.
type Overbroad struct {
	states *defect.States[roleView]
	seen   [ranks]bool // ranks of roles on this site
}

// roleView is what roles see of one API.
type roleView struct {
	plain, masked [ranks]typeCounts // answers, by type
	low           [lowRanks]*view   // of plain ones
}

type typeCounts [taxonomy.SensitiveCount]uint16

type view struct {
	span       defect.Span
	trials     defect.Trials
	masked     defect.Refusals // masked answers that stand between whole ones
	types      defect.Types
	principals defect.Set
	subjects   defect.Set
	public     bool
	role       *identity.Role
	samples    defect.Samples
}

// NewOverbroad returns the detector.
func NewOverbroad() *Overbroad { return &Overbroad{states: defect.NewStates[roleView](maxAPIs)} }

// Observe takes one event.
func (d *Overbroad) Observe(ev *defect.Event) {
	role := ev.Who.Role
	if role == nil || ev.Handle == 0 || !ev.OK || !ev.API.Reads() {
		return
	}
	rank := role.Rank
	d.seen[rank] = true
	if ev.Ownership == catalog.OwnershipOwn || ev.API.Role == taxonomy.RoleProfile || len(ev.Exposures) == 0 {
		return
	}
	var plain, masked defect.Types
	best := -1
	for i := range ev.Exposures {
		x := &ev.Exposures[i]
		switch {
		case !x.Response || x.Type.Level() < 2 || x.Confidence < defect.MinExposure:
		case x.Masked:
			masked |= defect.TypesOf(x.Type)
		case ev.Plain(x) && !d.own(ev, x):
			plain |= defect.TypesOf(x.Type)
			if best < 0 || x.Type.Level() > ev.Exposures[best].Type.Level() {
				best = i
			}
		}
	}
	if plain|masked == 0 {
		return
	}
	s := d.states.Ensure(ev.Handle)
	s.plain[rank].add(plain &^ masked)
	s.masked[rank].add(masked &^ plain)
	if rank >= lowRanks {
		return
	}
	v := s.low[rank]
	if v == nil {
		v = &view{}
		s.low[rank] = v
	}
	v.trials.Count(ev.End, plain&^masked != 0)
	if best < 0 {
		v.masked.Refuse(ev.End)
		return
	}
	v.masked.Fire(ev.End)
	x := &ev.Exposures[best]
	v.span.Add(ev.End)
	v.types |= plain
	v.role = role
	v.principals.Add(ev.Who.Principal)
	for _, t := range x.Subjects {
		v.subjects.Add(t)
	}
	v.public = v.public || !ev.Who.Private
	if e := v.samples.Show(ev, uint32(x.Type.Level())); e != nil {
		e.What, e.Path, e.Type, e.Value, e.Text = "defect.evidence.role_overbroad", strings.Clone(x.Path), x.Type, strings.Clone(x.Shape), role.String()
	}
}

// own reports whether the values are the asker's names.
func (d *Overbroad) own(ev *defect.Event, x *observe.Exposure) bool {
	for _, t := range x.Subjects {
		if !ev.Who.Is(t) {
			return false
		}
	}
	return len(x.Subjects) > 0
}

func (c *typeCounts) add(ts defect.Types) {
	for t := range taxonomy.Sensitive(taxonomy.SensitiveCount) {
		if ts.Has(defect.TypesOf(t)) && c[t] < 1<<16-1 {
			c[t]++
		}
	}
}

// Merge folds the state of one API into another.
func (d *Overbroad) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *roleView) {
		for r := range ranks {
			for t := range src.plain[r] {
				dst.plain[r][t] = uint16(min(uint32(dst.plain[r][t])+uint32(src.plain[r][t]), 1<<16-1))
				dst.masked[r][t] = uint16(min(uint32(dst.masked[r][t])+uint32(src.masked[r][t]), 1<<16-1))
			}
		}
		for r, b := range src.low {
			a := dst.low[r]
			if b == nil {
				continue
			}
			if a == nil {
				dst.low[r] = b
				continue
			}
			a.span.Fold(b.span)
			a.trials.Fold(&b.trials)
			a.masked.Fold(&b.masked)
			a.types |= b.types
			a.principals.Union(&b.principals)
			a.subjects.Union(&b.subjects)
			a.public = a.public || b.public
			if a.role == nil {
				a.role = b.role
			}
			a.samples.Fold(&b.samples)
		}
	})
}

// Findings reports what is known.
func (d *Overbroad) Findings(r *defect.Report) {
	if !d.seen[identity.RankAdmin] && !d.seen[identity.RankElevated] {
		return
	}
	masks := map[string][]catalog.Handle{} // APIs that mask, by what they are about
	d.states.Each(func(h catalog.Handle, s *roleView) {
		if api := r.API(h); api != nil {
			for rank := range ranks {
				if s.masked[rank] != (typeCounts{}) {
					k := thing(api)
					masks[k] = append(masks[k], h)
					break
				}
			}
		}
	})
	d.states.Each(func(h catalog.Handle, s *roleView) {
		api := r.API(h)
		if api == nil || reveals(api) {
			return
		}
		for rank, v := range s.low {
			if v == nil || v.span.Count < minOverbroad || v.masked.Before()*20 > v.span.Count {
				continue
			}
			var types defect.Types
			var beside catalog.Handle
			for _, m := range masks[thing(api)] {
				if m == h {
					continue
				}
				if ts := d.whole(s, d.states.Get(m), rank); ts != 0 && (beside == 0 || r.Name(m) < r.Name(beside)) {
					types |= ts
					beside = m
				}
			}
			people := v.subjects.Count()
			if types == 0 || people < minOverbroadOther || people <= 2*v.principals.Count() {
				continue
			}
			args := message.Args{"api": r.Name(h), "role": v.role.String(), "beside": r.Name(beside), "types": types.Names(r.Texts), "n": v.span.Count,
				"principals": v.principals.Number(), "people": v.subjects.Number()}
			r.Add(defect.Draft{
				Kind: taxonomy.DefectRoleOverbroad, API: h, SubKey: "", Span: v.span, Samples: v.samples, Trials: &v.trials,
				Harm: types.HarmOf(people), HarmWhy: overbroadWhy(types, people),
				Confidence: defect.Confidence(0.75, defect.If(v.span.Count >= 30, 0.3), defect.If(v.principals.Count() >= 2, 0.2), defect.If(types.Grave(), 0.2)),
				Reach:      defect.Reach{Public: v.public}, Reason: r.Text("defect.role_overbroad.reason", args), Advice: r.Text("defect.role_overbroad.advice", args),
			})
			return
		}
	})
}

// whole gives the types that the API beside masks for a rank, and this one
// gives whole to it.
func (d *Overbroad) whole(s, beside *roleView, rank int) (ts defect.Types) {
	for t := range taxonomy.Sensitive(taxonomy.SensitiveCount) {
		if beside.masked[rank][t] < minOverbroadMask || beside.plain[rank][t] > 0 || s.plain[rank][t] < minOverbroad {
			continue
		}
		ts |= defect.TypesOf(t)
	}
	return ts
}

func overbroadWhy(ts defect.Types, people uint64) string {
	switch {
	case ts.Secret():
		return "defect.rating.h.secret"
	case ts.Grave() && people >= 1000:
		return "defect.rating.h.thousand"
	case ts.HarmOf(people) >= taxonomy.High:
		return "defect.rating.h.special"
	}
	return "defect.rating.h.personal"
}

// thing is what an API is about: its path without what tells a list from a
// detail. /members, /members/{id}, /members/list and /members/detail are one.
func thing(api *catalog.API) string {
	parts := strings.Split(strings.Trim(api.Template, "/"), "/")
	for len(parts) > 1 {
		last, _, _ := strings.Cut(strings.ToLower(parts[len(parts)-1]), ".") // detail.do
		if !strings.HasPrefix(last, "{") && !shown(last) {
			break
		}
		parts = parts[:len(parts)-1]
	}
	return api.Host + " " + strings.Join(parts, "/")
}

// shown reports whether a word only says how a thing is shown.
func shown(s string) bool {
	switch s {
	case "liebiao", "xiangqing", "chaxun", "fenye", "mingxi", "chakan", "list", "page", "query", "search", "all", "detail", "details", "info", "get", "view", "show", "findbyid", "getbyid", "getinfo", "pagelist", "listpage":
		return true
	}
	return false
}

// reveals reports whether the API is there to show what is masked elsewhere.
func reveals(api *catalog.API) bool {
	t := strings.ToLower(api.Template)
	for _, w := range [...]string{"reveal", "plain", "unmask", "decrypt", "desensit", "full", "origin", "mingwen", "明文", "showphone", "realphone", "viewphone"} {
		if strings.Contains(t, w) {
			return true
		}
	}
	return false
}

// Counters says what was forgotten.
func (d *Overbroad) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.overbroad.apis", Count: d.states.Evicted}}
}

var _ defect.Detector = (*Overbroad)(nil)
