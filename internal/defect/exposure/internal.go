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
	maxInternalFields = 16 // per API
	minInternal       = 3  // responses
	maxStaff          = 1024
	shownFields       = 6 // named in the reason
)

// Internal finds responses with fields that are for the inside only: whether
// an account is an administrator's, what staff noted about a customer, where
// the servers stand. A back end may show them to its staff, and anybody may
// learn the own role.
type Internal struct {
	states  *defect.States[internal]
	staff   *defect.Recent // principals who use administrative functions
	dropped uint64
}

type internal struct {
	fields    []internalField
	span      defect.Span // responses with any of the fields
	anonymous uint64
	opaque    uint64
	public    bool
	sources   defect.Set
	samples   defect.Samples
	trials    defect.Trials // successes
}

type internalField struct {
	path      string
	kind      observe.InternalKind
	responses uint64
	values    uint64
}

// NewInternal returns the detector.
func NewInternal() *Internal {
	return &Internal{states: defect.NewStates[internal](maxAPIs), staff: defect.NewRecent(maxStaff)}
}

// Observe takes one event.
func (d *Internal) Observe(ev *defect.Event) {
	if ev.Handle == 0 || !ev.OK {
		return
	}
	if ev.Who.Principal != 0 && ev.Administrative() {
		d.staff.Add(ev.Who.Principal)
	}
	fired := d.look(ev)
	if s := d.states.Get(ev.Handle); s != nil {
		s.trials.Count(ev.End, fired)
	}
}

// look counts the fields of an answer.
func (d *Internal) look(ev *defect.Event) bool {
	if len(ev.Internals) == 0 || !ev.Data() || !ev.Anonymous && (ev.Administrative() || d.staff.Has(ev.Who.Principal)) {
		return false
	}
	switch ev.API.Role {
	case taxonomy.RoleMetrics, taxonomy.RoleConfig, taxonomy.RoleGraphql:
		return false
	}
	var s *internal
	for i := range ev.Internals {
		x := &ev.Internals[i]
		if !tells(ev, x) {
			continue
		}
		if s == nil {
			s = d.states.Ensure(ev.Handle)
		}
		f := d.field(s, x.Path, x.Kind)
		if f == nil {
			d.dropped++
			continue
		}
		f.responses++
		f.values += uint64(x.Count)
		if e := s.samples.Show(ev, uint32(harmOf(x.Kind))<<24|min(x.Count, 1<<16)); e != nil {
			e.What, e.Path, e.Text, e.N, e.Status = "defect.evidence.internal", f.path, "", uint64(x.Count), ev.Status
		}
	}
	if s == nil {
		return false
	}
	s.span.Add(ev.End)
	s.sources.Add(ev.Source)
	s.public = s.public || !ev.Who.Private
	if ev.Anonymous {
		s.anonymous++
	}
	if ev.OpaqueKey() {
		s.opaque++
	}
	return true
}

// tells reports whether the field tells the asker something that is none of
// the asker's business.
func tells(ev *defect.Event, x *observe.Internal) bool {
	switch x.Kind {
	case observe.InternalPrivilege, observe.InternalScore:
		// The role of an account, not of an actor in a film; the risk of a
		// customer, not of a fund. And not the asker's own.
		return !ownAnswer(ev) && beside(ev, x.Path)
	case observe.InternalDeletion:
		return ev.Method == "GET" || ev.Method == "POST" && ev.Records > 0 // not the result of deleting
	case observe.InternalSQL:
		return !sent(ev, x.Path)
	}
	return true
}

// ownAnswer reports whether the answer is about the asker alone: login, /me,
// one's own record.
func ownAnswer(ev *defect.Event) bool {
	switch ev.API.Role {
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode, taxonomy.RoleRegister, taxonomy.RoleTokenRefresh, taxonomy.RoleProfile, taxonomy.RoleProfileUpdate,
		taxonomy.RolePasswordChange, taxonomy.RoleCodeVerify, taxonomy.RoleLogout:
		return true
	}
	if ev.Records > 1 {
		return false
	}
	if ev.Ownership == catalog.OwnershipOwn || len(ev.Issued) > 0 {
		return true
	}
	for i := range ev.Leaves {
		if ev.Who.Is(ev.Leaves[i].Token) {
			return true
		}
	}
	for i := range ev.Exposures {
		for _, t := range ev.Exposures[i].Subjects {
			if ev.Exposures[i].Response && ev.Who.Is(t) {
				return true
			}
		}
	}
	return false
}

// beside reports whether the object that holds the field is a person's: it
// holds personal data, too.
func beside(ev *defect.Event, path string) bool {
	parent := path[:strings.LastIndexByte(path, '.')+1]
	for i := range ev.Exposures {
		x := &ev.Exposures[i]
		if !x.Response || x.Type.Level() < 2 || !strings.HasPrefix(x.Path, parent) || strings.IndexByte(x.Path[len(parent):], '.') >= 0 {
			continue
		}
		switch x.Type {
		case taxonomy.SensCNMobile, taxonomy.SensPhone, taxonomy.SensEmail, taxonomy.SensAccountName, taxonomy.SensPersonName,
			taxonomy.SensCNResidentID, taxonomy.SensBankCard, taxonomy.SensPassport, taxonomy.SensPassword, taxonomy.SensBirthDate:
			return true
		}
	}
	return false
}

// sent reports whether the request has a parameter of that name: who sends SQL
// gets SQL.
func sent(ev *defect.Event, path string) bool {
	last := path[strings.LastIndexByte(path, '.')+1:]
	for i := range ev.Params {
		n := ev.Params[i].Name
		if strings.EqualFold(n[strings.LastIndexByte(n, '.')+1:], last) {
			return true
		}
	}
	return false
}

func (d *Internal) field(s *internal, path string, k observe.InternalKind) *internalField {
	for i := range s.fields {
		if f := &s.fields[i]; f.kind == k && f.path == path {
			return f
		}
	}
	if len(s.fields) == maxInternalFields {
		return nil
	}
	s.fields = append(s.fields, internalField{path: strings.Clone(path), kind: k})
	return &s.fields[len(s.fields)-1]
}

// Merge folds the state of one API into another.
func (d *Internal) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *internal) {
		for i := range src.fields {
			g := &src.fields[i]
			if f := d.field(dst, g.path, g.kind); f != nil {
				f.responses += g.responses
				f.values += g.values
			} else {
				d.dropped++
			}
		}
		dst.span.Fold(src.span)
		dst.trials.Fold(&src.trials)
		dst.anonymous += src.anonymous
		dst.opaque += src.opaque
		dst.public = dst.public || src.public
		dst.sources.Union(&src.sources)
		dst.samples.Fold(&src.samples)
	})
}

func harmOf(k observe.InternalKind) taxonomy.Severity {
	switch k {
	case observe.InternalSQL, observe.InternalRemark, observe.InternalScore:
		return taxonomy.High
	case observe.InternalDeletion, observe.InternalAudit:
		return taxonomy.Moderate
	}
	return taxonomy.Elevated
}

// slight reports whether a field of the kind alone is no finding: many public
// answers say who made a record.
func slight(k observe.InternalKind) bool {
	return k == observe.InternalDeletion || k == observe.InternalAudit
}

// shared reports whether members of one team rightly see the field of one
// another: a role, not the flag of an administrator.
func shared(f *internalField) bool {
	last := strings.ToLower(f.path[strings.LastIndexByte(f.path, '.')+1:])
	return f.kind == observe.InternalPrivilege && (strings.HasPrefix(last, "role") || strings.Contains(last, "角色") || strings.HasSuffix(strings.TrimSuffix(last, "[]"), "role"))
}

// Findings reports one finding per API.
func (d *Internal) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *internal) {
		if r.API(h) == nil {
			return
		}
		fields := slices.DeleteFunc(slices.Clone(s.fields), func(f internalField) bool { return f.responses < minInternal })
		slices.SortFunc(fields, func(a, b internalField) int {
			return cmp.Or(cmp.Compare(harmOf(b.kind), harmOf(a.kind)), cmp.Compare(a.kind, b.kind), strings.Compare(a.path, b.path))
		})
		grave, roles, deleted := 0, 0, 0
		for i := range fields {
			switch f := &fields[i]; {
			case shared(f):
				roles++
			case f.kind == observe.InternalDeletion:
				deleted++
			case !slight(f.kind):
				grave++
			}
		}
		if grave+roles == 0 && (deleted == 0 || len(fields) < 2) {
			return
		}
		var kinds, all []message.Text
		for i := range fields {
			k := r.Text("defect.internal."+fields[i].kind.String(), nil)
			if !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
			if len(all) < shownFields {
				all = append(all, word(fields[i].path))
			}
		}
		worst := fields[0].kind
		args := message.Args{"api": r.Name(h), "kinds": defect.Join(kinds), "fields": defect.Join(all), "count": len(fields), "n": s.span.Count, "sources": s.sources.Number()}
		confidence := defect.Confidence(0.65, defect.If(s.span.Count >= 10, 0.3), defect.If(s.sources.Count() >= 3, 0.2), defect.If(grave >= 2, 0.3), defect.If(s.anonymous > 0, 0.3))
		if grave == 0 && (roles == 0 || s.anonymous == 0) {
			confidence = min(confidence, 0.75) // in a team, or in a list kept in step, it may be meant
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectInternalFields, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials, Harm: harmOf(worst), HarmWhy: "defect.rating.h.internal." + worst.String(),
			Confidence: confidence,
			Reach:      defect.Reach{Public: s.public, Anonymous: s.anonymous > 0, Guessable: s.opaque*2 <= s.span.Count, Register: true},
			Reason:     r.Text("defect.internal_fields.reason", args),
			Advice:     r.Text("defect.internal_fields.advice", args),
		})
	})
}

// Counters says what was dropped.
func (d *Internal) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.internal.apis", Count: d.states.Evicted}, {What: "defect.internal.fields", Count: d.dropped}, {What: "defect.internal.staff", Count: d.staff.Turns}}
}

var _ defect.Detector = (*Internal)(nil)
