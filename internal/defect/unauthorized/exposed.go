// Package unauthorized finds data and actions given to those who may not have
// them: sensitive data and files without a credential, credentials that are
// optional or dead, other people's objects (BOLA), other roles' functions (BFLA),
// secrets and verification codes in responses.
//
// It takes events and gives drafts. Invariant: only answers count that carry
// what the asker did not bring along; own tokens, masked values, echoes, pages
// and objects of the asker are no evidence. Limits: per API at most 16 fields,
// sets of 64 (sources, principals, objects) and 128 (values); what was issued
// to whom is remembered for the last 131 072 pairs, and once older ones are
// forgotten "never issued" is no longer claimed.
package unauthorized

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

// Caps.
const (
	maxAPIs   = 8192
	maxFields = 16
	setValues = 128
)

// Minimum evidence for sensitive data without a credential.
const (
	minSuccesses = 5
	minSources   = 3
	manySubjects = 20 // from here on one source is enough
	minSubjects  = 2

	minFiles   = 2   // or one with
	manyInFile = 100 // people
)

// Minimum evidence that a credential is optional.
const (
	minWith    = 10
	minWithout = 5
)

// Exposed finds APIs that give sensitive data to anyone, or to anyone who
// leaves the credential out.
type Exposed struct {
	states  *defect.States[exposed]
	dropped uint64
}

type exposed struct {
	span    defect.Span     // anonymous successes with data
	denied  defect.Refusals // anonymous requests
	trials  defect.Trials   // anonymous requests
	with    uint64          // successes with a credential, with data
	opaque  uint64          // of span, named by something that cannot be guessed
	public  bool
	sources defect.Set
	types   defect.Types
	fields  []field
	samples defect.Samples

	downloads uint64     // of span, files
	files     defect.Set // which ones
}

type field struct {
	path          string
	typ           taxonomy.Sensitive
	without, with uint64
	values        defect.Set
	most          uint32
}

// NewExposed returns the detector.
func NewExposed() *Exposed {
	return &Exposed{states: defect.NewStates[exposed](maxAPIs)}
}

// ownData are the roles whose answer is about the asker by nature.
func ownData(r taxonomy.Role) bool {
	switch r {
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode, taxonomy.RoleRegister, taxonomy.RolePasswordReset, taxonomy.RolePasswordChange,
		taxonomy.RoleTokenRefresh, taxonomy.RoleLogout, taxonomy.RoleCodeSend, taxonomy.RoleCodeVerify:
		return true
	}
	return false
}

// proven reports whether the request proves by password or code whose data it
// asks for, though it shows no credential.
func proven(ev *defect.Event) bool {
	if len(ev.Passwords) > 0 {
		return true
	}
	for i := range ev.Exposures {
		x := &ev.Exposures[i]
		if !x.Response && (x.Type == taxonomy.SensVerificationCode || x.Type == taxonomy.SensPassword) {
			return true
		}
	}
	return false
}

// Observe takes one event.
func (d *Exposed) Observe(ev *defect.Event) {
	if ev.Handle == 0 {
		return
	}
	if ev.Outcome == catalog.OutcomeDenied {
		if ev.Anonymous {
			s := d.states.Ensure(ev.Handle)
			s.denied.Refuse(ev.End)
			s.trials.Count(ev.End, false)
		}
		return
	}
	if !ev.OK {
		return
	}
	if len(ev.Exposures) == 0 || ev.Status >= 300 || !ev.Data() || ownData(ev.API.Role) {
		d.harmless(ev)
		return
	}
	if ev.Anonymous && ev.Policy.Open(ev.API.Host, ev.API.Method, ev.API.Template, ev.End) {
		return
	}
	types := exposedTypes(ev)
	if !types.Personal() {
		d.harmless(ev)
		return
	}
	if ev.Anonymous && proven(ev) {
		return
	}
	s := d.states.Ensure(ev.Handle)
	s.types |= types
	if ev.Anonymous {
		s.span.Add(ev.End)
		s.denied.Fire(ev.End)
		s.trials.Count(ev.End, true)
		s.sources.Add(ev.Source)
		if file(ev) {
			s.downloads++
			s.files.Add(fileName(ev))
		}
		s.public = s.public || !ev.Who.Private
		if ev.OpaqueKey() {
			s.opaque++
		}
	} else {
		s.with++
	}
	for i := range ev.Exposures {
		x := &ev.Exposures[i]
		if !ev.Plain(x) || !counted(x.Type) {
			continue
		}
		f := d.field(s, x.Path, x.Type)
		if f == nil {
			d.dropped++
			continue
		}
		if !ev.Anonymous {
			f.with++
			continue
		}
		f.without++
		f.most = max(f.most, x.Distinct)
		for _, t := range x.Subjects {
			f.values.Add(t)
		}
		rank := uint32(x.Type.Level())<<16 | min(x.Distinct, 0xffff)
		if defect.TypesOf(x.Type).Personal() {
			rank |= 1 << 20 // a name beside it shows less
		}
		if p := s.samples.Show(ev, rank); p != nil {
			p.What, p.Path, p.Type, p.N, p.Value = "defect.evidence.plain", strings.Clone(x.Path), x.Type, uint64(x.Count), strings.Clone(x.Shape)
		}
	}
}

// harmless notes that somebody without a credential was answered without
// sensitive data, where such data was given before: left out or masked by now.
func (d *Exposed) harmless(ev *defect.Event) {
	if !ev.Anonymous || d.states.Len() == 0 {
		return
	}
	if s := d.states.Get(ev.Handle); s != nil {
		s.trials.Count(ev.End, false)
	}
}

// counted leaves out what an answer may hold for the asker alone: a guest's
// session and one-time codes have detectors of their own.
func counted(t taxonomy.Sensitive) bool {
	return t != taxonomy.SensAccessToken && t != taxonomy.SensSessionID && t != taxonomy.SensVerificationCode
}

func exposedTypes(ev *defect.Event) (types defect.Types) {
	for i := range ev.Exposures {
		if x := &ev.Exposures[i]; counted(x.Type) && ev.Plain(x) {
			types |= defect.TypesOf(x.Type)
		}
	}
	return types
}

func (d *Exposed) field(s *exposed, path string, t taxonomy.Sensitive) *field {
	for i := range s.fields {
		if s.fields[i].typ == t && s.fields[i].path == path {
			return &s.fields[i]
		}
	}
	if len(s.fields) == maxFields {
		return nil
	}
	s.fields = append(s.fields, field{path: strings.Clone(path), typ: t, values: defect.Set{Cap: setValues}})
	return &s.fields[len(s.fields)-1]
}

// Merge folds the state of one API into another.
func (d *Exposed) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *exposed) {
		dst.span.Fold(src.span)
		dst.denied.Fold(&src.denied)
		dst.trials.Fold(&src.trials)
		dst.with += src.with
		dst.opaque += src.opaque
		dst.downloads += src.downloads
		dst.files.Union(&src.files)
		dst.public = dst.public || src.public
		dst.types |= src.types
		dst.sources.Union(&src.sources)
		dst.samples.Fold(&src.samples)
		for i := range src.fields {
			g := &src.fields[i]
			f := d.field(dst, g.path, g.typ)
			if f == nil {
				d.dropped++
				continue
			}
			f.with += g.with
			f.without += g.without
			f.most = max(f.most, g.most)
			f.values.Union(&g.values)
		}
	})
}

// subjects is how many people the field showed, and whether that is exact.
func (f *field) subjects() (n uint64, exact bool) {
	return max(f.values.Count(), uint64(f.most)), f.values.Exact()
}

// open gives the fields seen without a credential, gravest first.
func (s *exposed) open() (fields []*field, types defect.Types, subjects uint64, exact bool) {
	exact = true
	for i := range s.fields {
		f := &s.fields[i]
		if f.without > 0 {
			fields = append(fields, f)
			types |= defect.TypesOf(f.typ)
			if n, e := f.subjects(); n > subjects && (f.typ.Level() >= 3 || defect.TypesOf(f.typ).Personal()) {
				subjects, exact = n, e
			}
		}
	}
	if subjects == 0 {
		for _, f := range fields {
			if n, e := f.subjects(); n > subjects {
				subjects, exact = n, e
			}
		}
	}
	slices.SortFunc(fields, func(a, b *field) int {
		return cmp.Or(b.typ.Level()-a.typ.Level(), cmp.Compare(a.path, b.path), int(a.typ)-int(b.typ))
	})
	return fields, types, subjects, exact
}

// Findings reports what is known.
func (d *Exposed) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *exposed) {
		api := r.API(h)
		if api == nil || api.Unseen || ownData(api.Role) {
			return
		}
		// Where anonymous requests are mostly refused, the successes more likely
		// show a credential that nobody recognised than a hole.
		if s.denied.Before()*4 > s.span.Count {
			return
		}
		d.unauthenticated(r, h, s)
		d.optional(r, h, s)
	})
}

func (d *Exposed) unauthenticated(r *defect.Report, h catalog.Handle, s *exposed) {
	if s.downloads*2 > s.span.Count {
		d.download(r, h, s)
		return
	}
	fields, types, subjects, exact := s.open()
	if s.span.Count < minSuccesses || subjects < minSubjects || !types.Personal() ||
		s.sources.Count() < minSources && subjects < manySubjects {
		return
	}
	args := message.Args{
		"api": r.Name(h), "subjects": defect.Number(subjects, exact), "types": types.Names(r.Texts), "fields": paths(fields),
		"n": s.span.Count, "sources": s.sources.Number()}
	r.Add(defect.Draft{
		Kind: taxonomy.DefectUnauthenticatedSensitive, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
		Confidence: defect.Confidence(0.6, defect.If(s.sources.Count() >= minSources, 0.3), defect.If(s.sources.Count() >= 10, 0.3),
			defect.If(subjects >= 10, 0.3), defect.If(types.Grave(), 0.35), defect.If(s.denied.Before() == 0, 0.3)),
		Harm: types.HarmOf(subjects), HarmWhy: types.HarmWhy(subjects),
		Reach:  defect.Reach{Public: s.public, Anonymous: true, Guessable: s.opaque*2 <= s.span.Count},
		Reason: r.Text("defect.unauthenticated_sensitive.reason", args),
		Advice: r.Text("defect.unauthenticated_sensitive.advice", args),
	})
}

// file reports whether the answer is a file with data in it.
func file(ev *defect.Event) bool {
	switch ev.Download.Kind {
	case observe.FileNone, observe.FileImage, observe.FileMedia, observe.FileProgram:
		return false
	}
	return true
}

// fileName tells files apart by the object, or the path, that names them.
func fileName(ev *defect.Event) uint64 {
	if ev.Object != 0 {
		return ev.Object
	}
	h := defect.HashText(ev.Host)
	for i := range ev.Segments {
		h = defect.Pair(h, ev.Segments[i].Token+defect.HashText(ev.Segments[i].Text))
	}
	return h | 1
}

// download reports files with personal data that anyone may fetch.
func (d *Exposed) download(r *defect.Report, h catalog.Handle, s *exposed) {
	fields, types, subjects, exact := s.open()
	if !types.Personal() || subjects < minSubjects || s.files.Count() < minFiles && subjects < manyInFile {
		return
	}
	args := message.Args{
		"api": r.Name(h), "subjects": defect.Number(subjects, exact), "types": types.Names(r.Texts), "fields": paths(fields),
		"n": s.span.Count, "files": s.files.Number(), "sources": s.sources.Number()}
	guessable := s.opaque*2 <= s.span.Count
	r.Add(defect.Draft{
		Kind: taxonomy.DefectUnauthenticatedFile, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
		Confidence: defect.Confidence(0.65, defect.If(s.files.Count() >= minFiles, 0.3), defect.If(s.sources.Count() >= minSources, 0.3),
			defect.If(subjects >= manyInFile, 0.3), defect.If(guessable, 0.2), defect.If(s.denied.Before() == 0, 0.2)),
		Harm: types.HarmOf(subjects), HarmWhy: types.HarmWhy(subjects),
		Reach:  defect.Reach{Public: s.public, Anonymous: true, Guessable: guessable},
		Reason: r.Text("defect.unauthenticated_file.reason", args),
		Advice: r.Text("defect.unauthenticated_file.advice", args),
	})
}

func (d *Exposed) optional(r *defect.Report, h catalog.Handle, s *exposed) {
	// Of interest is an API that is meant to be called with a credential: an
	// open one that signed-in users call as well is the other finding.
	if s.with < minWith || s.span.Count < minWithout || s.with < s.span.Count || s.downloads*2 > s.span.Count {
		return
	}
	var both []*field
	var types defect.Types
	var subjects uint64
	for i := range s.fields {
		// A guest mode that leaves a field out or masks it does not count.
		if f := &s.fields[i]; f.with >= minWith && f.without >= minWithout {
			both = append(both, f)
			types |= defect.TypesOf(f.typ)
			n, _ := f.subjects()
			subjects = max(subjects, n)
		}
	}
	if !types.Personal() || subjects < minSubjects {
		return
	}
	slices.SortFunc(both, func(a, b *field) int {
		return cmp.Or(b.typ.Level()-a.typ.Level(), cmp.Compare(a.path, b.path), int(a.typ)-int(b.typ))
	})
	args := message.Args{
		"api": r.Name(h), "with": s.with, "without": s.span.Count, "types": types.Names(r.Texts), "fields": paths(both),
		"sources": s.sources.Number()}
	r.Add(defect.Draft{
		Kind: taxonomy.DefectOptionalAuthentication, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
		Confidence: defect.Confidence(0.75, defect.If(s.sources.Count() >= minSources, 0.3), defect.If(s.span.Count >= 20, 0.3),
			defect.If(types.Grave(), 0.2), defect.If(s.denied.Before() == 0, 0.2)),
		Harm: types.HarmOf(subjects), HarmWhy: types.HarmWhy(subjects),
		Reach:  defect.Reach{Public: s.public, Anonymous: true, Guessable: s.opaque*2 <= s.span.Count},
		Reason: r.Text("defect.optional_authentication.reason", args),
		Advice: r.Text("defect.optional_authentication.advice", args),
	})
}

func paths(fields []*field) message.Text {
	var l []string
	for _, f := range fields {
		if !slices.Contains(l, f.path) {
			l = append(l, f.path)
		}
	}
	return defect.JoinWords(l, 6)
}

// Counters says what was dropped.
func (d *Exposed) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.exposed.apis", Count: d.states.Evicted}, {What: "defect.exposed.fields", Count: d.dropped}}
}

var _ defect.Detector = (*Exposed)(nil)

// methodWrites reports whether the method changes something.
func methodWrites(m string) bool {
	switch m {
	case "PUT", "PATCH", "DELETE", "POST":
		return true
	}
	return false
}

// writes reports whether a request changes something, by its method, or by what
// its operation is called.
func writes(ev *defect.Event) bool {
	if ev.API != nil && ev.API.Operation != "" {
		return !ev.API.Reads()
	}
	return methodWrites(ev.Method)
}

// changes reports whether a request changes something. Many applications read
// by POST, too: what is called a detail or a list, or names no more than an
// object and is answered with it, is a read.
func changes(ev *defect.Event) bool {
	if ev.API.Operation != "" || ev.Method != "POST" {
		return writes(ev)
	}
	switch ev.API.Role {
	case taxonomy.RoleDetail, taxonomy.RoleList, taxonomy.RoleSearch, taxonomy.RoleProfile, taxonomy.RoleOrderQuery, taxonomy.RoleQueryProgress,
		taxonomy.RoleExport, taxonomy.RoleDownload, taxonomy.RoleIdentityCheck:
		return false
	case taxonomy.RoleOther, taxonomy.RoleGraphql:
		return len(ev.Submitted()) > 0 || len(ev.Params) > 3 || len(ev.Leaves) < 2
	}
	return true
}

// newPassword reports whether the request sets a password.
func newPassword(ev *defect.Event) bool {
	for _, p := range ev.Submitted() {
		if p.Use == observe.PasswordNew {
			return true
		}
	}
	return false
}
