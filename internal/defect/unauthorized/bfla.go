package unauthorized

import (
	"cmp"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/identity"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

const (
	maxFunctions   = 4096
	maxRoleUses    = 8   // roles per API
	maxSiteRoles   = 256 // roles of the site
	learnDays      = 14  // or learnCalls
	learnCalls     = 200
	learnMin       = 10 // calls of those who may, at least
	learnOthers    = 50 // calls of the others elsewhere meanwhile, at least
	holdDays       = 3  // before what is new can be told from a roll-out
	rolloutDays    = 7
	minLowEvents   = 3
	minLowPeople   = 2
	crowd          = 8 // ordinary principals from which on a few are the exception
	ranksLow       = 3 // ranks below administrators
	ranksAll       = 4
	openCalls      = 100 // calls after which a function that is open to a rank is only counted
	minUnknownRole = 3   // principals of a role whose name says nothing
)

// BFLA finds functions that roles call with success though they are another
// role's: administrators alone used them while they were learned, or ordinary
// accounts are mostly refused.
//
// Roles are those that tokens, logins and profiles name, ordered by rank (see
// identity.Role). A function that many ordinary principals begin to use within
// a week was rolled out to them; what is refused never counts, nor do one's own
// objects, but for changes to one's own rights. Without fourteen days or two
// hundred calls to learn from, only functions whose name speaks of
// administration can be told, as probable.
type BFLA struct {
	states *defect.States[function]
	site   timeline // all principals with a role, whatever they call
	roles  *defect.Table[uint64, roleUse]
	now    int64
	// calls of principals below elevated rank, and those to APIs of a back end:
	// where ordinary staff live under /admin, the path says nothing.
	lowCalls, lowAdmin uint64
	dropped            uint64
}

// roleUse is a role and who has it.
type roleUse struct {
	role       *identity.Role
	principals defect.Set
}

// function is one API as roles use it.
type function struct {
	time  timeline
	first [ranksAll]int64 // success; 0 none
	low   [ranksLow]*lowUse
	by    []roleCalls
}

type roleCalls struct {
	role  *identity.Role
	calls uint64
}

// lowUse is what principals of one rank did.
type lowUse struct {
	span       defect.Span
	principals defect.Set
	days       defect.Set
	trials     defect.Trials
	writes     uint64
	public     bool
	types      defect.Types
	samples    defect.Samples
}

// NewBFLA returns the detector.
func NewBFLA() *BFLA {
	return &BFLA{states: defect.NewStates[function](maxFunctions), roles: defect.NewTable[uint64, roleUse](maxSiteRoles), site: timeline{cap: 64}}
}

// Observe takes one event.
func (d *BFLA) Observe(ev *defect.Event) {
	d.now = max(d.now, ev.End)
	role := ev.Who.Role
	if role == nil || ev.Handle == 0 || ev.Who.Credential == 0 {
		return
	}
	switch ev.API.Role {
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode, taxonomy.RoleLogout, taxonomy.RoleTokenRefresh, taxonomy.RoleStatic, taxonomy.RolePage, taxonomy.RoleHealth, taxonomy.RoleDocs,
		taxonomy.RoleProfile, taxonomy.RolePasswordChange:
		return
	}
	p := ev.Who.Principal
	if p == 0 {
		p = ev.Who.Credential
	}
	denied := ev.Outcome == catalog.OutcomeDenied && ev.Status != 401
	if !ev.OK && !denied {
		return
	}
	if ev.Ownership == catalog.OwnershipOwn && !(changes(ev) && spoken(ev.API.Template, rightsWord)) {
		return // but nobody gives a role to himself
	}
	rank := role.Rank
	s := d.states.Ensure(ev.Handle)
	if denied {
		if rank < ranksLow {
			s.time.at(ev.End).denied[rank]++
			d.lowUse(s, rank).trials.Count(ev.End, false)
		}
		return
	}
	u := d.roles.Ensure(role.ID)
	u.role = role
	u.principals.Add(p)
	for _, t := range [...]*timeline{&d.site, &s.time} {
		b := t.at(ev.End)
		b.calls[rank]++
		b.people[rank].Cap = t.limit()
		b.people[rank].Add(p)
	}
	if s.first[rank] == 0 || ev.End < s.first[rank] {
		s.first[rank] = ev.End
	}
	d.use(s, role, 1)
	if rank >= ranksLow {
		return
	}
	if rank <= identity.RankOrdinary {
		d.lowCalls++
		if ev.Administrative() {
			d.lowAdmin++
		}
	}
	l := d.lowUse(s, rank)
	if l.span.Count >= openCalls && s.openTo(rank) {
		l.span.Add(ev.End)
		return
	}
	d.fire(ev, l, p)
}

// openTo reports whether a rank used the function before any higher one did:
// then it is theirs, and what they do with it need not be remembered.
func (s *function) openTo(rank identity.Rank) bool {
	for _, at := range s.first[rank+1:] {
		if at != 0 && at < s.first[rank] {
			return false
		}
	}
	return true
}

func (d *BFLA) fire(ev *defect.Event, l *lowUse, p uint64) {
	l.span.Add(ev.End)
	l.trials.Count(ev.End, true)
	l.principals.Add(p)
	l.days.Add(uint64(ev.End/86400e9) + 1)
	l.public = l.public || !ev.Who.Private
	rank := uint32(0)
	if changes(ev) {
		l.writes++
		rank = 1
	}
	for i := range ev.Exposures {
		if x := &ev.Exposures[i]; ev.Plain(x) {
			l.types |= defect.TypesOf(x.Type)
		}
	}
	if e := l.samples.Show(ev, rank); e != nil {
		e.What, e.Status, e.Text = "defect.evidence.bfla", ev.Status, ev.Who.Role.String()
	}
}

func (d *BFLA) lowUse(s *function, rank identity.Rank) *lowUse {
	if s.low[rank] == nil {
		s.low[rank] = &lowUse{}
	}
	return s.low[rank]
}

func (d *BFLA) use(s *function, role *identity.Role, n uint64) {
	for i := range s.by {
		if s.by[i].role == role {
			s.by[i].calls += n
			return
		}
	}
	if len(s.by) == maxRoleUses {
		d.dropped++
		return
	}
	s.by = append(s.by, roleCalls{role, n})
}

// Merge folds the state of one API into another.
func (d *BFLA) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *function) {
		dst.time.fold(&src.time)
		for i, at := range src.first {
			if at != 0 && (dst.first[i] == 0 || at < dst.first[i]) {
				dst.first[i] = at
			}
		}
		for i, l := range src.low {
			switch {
			case l == nil:
			case dst.low[i] == nil:
				dst.low[i] = l
			default:
				dst.low[i].fold(l)
			}
		}
		for _, b := range src.by {
			d.use(dst, b.role, b.calls)
		}
	})
}

func (l *lowUse) fold(o *lowUse) {
	l.span.Fold(o.span)
	l.principals.Union(&o.principals)
	l.days.Union(&o.days)
	l.trials.Fold(&o.trials)
	l.writes += o.writes
	l.public = l.public || o.public
	l.types |= o.types
	l.samples.Fold(&o.samples)
}

// Findings reports what is known.
func (d *BFLA) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *function) {
		api := r.API(h)
		if api == nil {
			return
		}
		for level := identity.RankAdmin; level >= identity.RankElevated; level-- {
			if c := d.judge(api, s, level); c != nil {
				d.report(r, h, s, c)
				return
			}
		}
	})
}

// verdict is what makes a function one of higher roles only.
type verdict struct {
	level      identity.Rank
	low        lowUse // all ranks below together
	learned    bool
	high       uint64 // calls of those who may, before the first of the others
	refused    uint64 // refusals of the lower roles while others of them got through
	confidence float64
}

// judge says whether the function is one of roles from a rank on, and lower
// ones call it; nil when not.
func (d *BFLA) judge(api *catalog.API, s *function, level identity.Rank) *verdict {
	v := &verdict{level: level}
	first, firstHigh := int64(0), int64(0)
	unknown := d.unknownAreLow(level)
	counts := func(rank identity.Rank) bool { return rank < level && (rank != identity.RankUnknown || unknown) }
	for rank := range identity.Rank(ranksAll) {
		at := s.first[rank]
		switch {
		case at == 0:
		case rank >= level:
			if firstHigh == 0 || at < firstHigh {
				firstHigh = at
			}
		case counts(rank):
			if first == 0 || at < first {
				first = at
			}
		default:
			return nil // a role of which we cannot say whether it is lower uses it, too
		}
	}
	for rank, l := range s.low {
		if l != nil && counts(identity.Rank(rank)) {
			v.low.fold(l)
		}
	}
	people := v.low.principals.Count()
	if first == 0 || v.low.span.Count < minLowEvents && people < minLowPeople {
		return nil
	}
	higher := func(rank identity.Rank) bool { return rank >= level }
	if s.time.rolledOut(&d.site, counts, higher) {
		return nil
	}
	v.high = s.time.before(first, higher)
	v.refused = s.time.refusals(v.low.span, counts)
	others, _ := d.site.window(firstHigh, first, counts)
	v.learned = firstHigh != 0 && firstHigh < first && others >= learnOthers &&
		(v.high >= learnCalls || v.high >= learnMin && first-firstHigh >= learnDays*day)
	named := d.administrative(api)
	if v.learned {
		if d.now-first < holdDays*day {
			return nil
		}
		v.confidence = defect.Confidence(0.7, defect.If(named, 0.4), defect.If(people >= minLowPeople, 0.35), defect.If(v.refused > 0, 0.4))
		if people == 1 && v.low.days.Count() >= 5 && v.refused == 0 {
			v.confidence = min(v.confidence, 0.65) // somebody who has another job now
		}
		return v
	}
	if level == identity.RankAdmin && s.first[identity.RankElevated] != 0 {
		return nil // theirs, too, as far as is known
	}
	_, everybody := d.site.window(0, d.now+1, counts)
	all := s.time.before(d.now+1, higher)
	exception := all >= minLowEvents && everybody >= crowd && people*4 <= everybody && v.low.span.Count <= all
	mostly := v.refused >= 2 && v.refused >= v.low.span.Count
	switch {
	case !named:
		return nil
	case mostly && exception:
		v.confidence = 0.75
	case mostly, exception:
		v.confidence = 0.65
	default:
		return nil
	}
	v.high = all
	return v
}

// unknownAreLow reports whether roles whose names say nothing are lower ones:
// many have them, and more than have the higher ones.
func (d *BFLA) unknownAreLow(level identity.Rank) bool {
	var unknown, high uint64
	d.roles.Each(func(_ uint64, u *roleUse) {
		switch {
		case u.role.Rank == identity.RankUnknown:
			unknown += u.principals.Count()
		case u.role.Rank >= level:
			high += u.principals.Count()
		}
	})
	return unknown >= minUnknownRole && unknown > high
}

// administrative reports whether the API's name speaks of administration: by a
// word of its path, or because it belongs to a back end that ordinary roles
// have no business in.
func (d *BFLA) administrative(api *catalog.API) bool {
	return spoken(api.Template, privilegedWord) || defect.Administrative(api) && d.lowAdmin*20 <= d.lowCalls
}

func (d *BFLA) report(r *defect.Report, h catalog.Handle, s *function, v *verdict) {
	var may, others []string
	by := slices.Clone(s.by)
	slices.SortFunc(by, func(a, b roleCalls) int {
		return cmp.Or(cmp.Compare(b.calls, a.calls), strings.Compare(a.role.String(), b.role.String()))
	})
	for i := range by {
		if by[i].role.Rank >= v.level {
			may = append(may, by[i].role.String())
		} else {
			others = append(others, by[i].role.String())
		}
	}
	if len(may) == 0 {
		may = []string{"admin"}
	}
	args := message.Args{"api": r.Name(h), "n": v.low.span.Count, "principals": v.low.principals.Number(), "may": defect.JoinWords(may, 3), "others": defect.JoinWords(others, 3),
		"high": v.high, "refused": v.refused, "days": learnDays}
	id := "defect.bfla.reason.cold"
	switch {
	case v.learned && v.refused > 0:
		id = "defect.bfla.reason.refused"
	case v.learned:
		id = "defect.bfla.reason"
	}
	harm, why := taxonomy.Elevated, "defect.rating.h.function"
	if v.low.types.Personal() {
		harm, why = max(harm, v.low.types.HarmOf(0)), v.low.types.HarmWhy(0)
	}
	if v.low.writes > 0 {
		harm, why = taxonomy.High, "defect.rating.h.function_write"
		if d.administrative(r.API(h)) {
			harm, why = taxonomy.Critical, "defect.rating.h.privilege"
		}
	}
	r.Add(defect.Draft{
		Kind: taxonomy.DefectBFLA, API: h, Span: v.low.span, Samples: v.low.samples, Trials: &v.low.trials, Confidence: v.confidence, Harm: harm, HarmWhy: why,
		Reach: defect.Reach{Public: v.low.public, Guessable: true}, Reason: r.Text(id, args), Advice: r.Text("defect.bfla.advice", args),
	})
}

// Counters says what was forgotten.
func (d *BFLA) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.bfla.apis", Count: d.states.Evicted}, {What: "defect.bfla.roles", Count: d.roles.Evicted + d.dropped}}
}

var _ defect.Detector = (*BFLA)(nil)
