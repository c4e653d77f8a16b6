package unauthorized

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxIssued     = 1 << 17 // (principal, object) pairs remembered
	maxObjects    = 1 << 16 // objects known to exist
	maxKnown      = 1 << 14 // accounts known to exist
	maxStaff      = 1 << 10 // principals who used administrative functions
	maxRegistered = 1 << 14 // accounts that people opened themselves
)

// BOLA finds APIs that give or change other people's objects: the owner field
// of the answer names somebody else, or the path names another account.
//
// Staff rightly handle other people's objects, and get there through lists. So
// a foreign object is evidence when the asker is an ordinary account (one that
// opened itself, or has objects of its own here) or asks for what was never
// given to it; listed objects count only when many do it.
type BOLA struct {
	states     *defect.States[bola]
	issued     *defect.Recent
	objects    *defect.Recent // that some answer named
	known      *defect.Recent
	staff      *defect.Recent
	registered *defect.Recent
}

type bola struct {
	trials      defect.Trials
	span        defect.Span // foreign successes of principals that are not staff
	own         uint64
	writes      uint64 // of span, changes
	opaque      uint64
	public      bool
	types       defect.Types // in foreign answers
	credential  bool         // a foreign account's password was set
	askers      defect.Set   // principals with any success
	among       uint64       // askers by the last foreign success
	owners      defect.Set   // principals with success on own objects
	foreign     defect.Set   // principals with foreign success
	ordinary    defect.Set   // of them, accounts opened by themselves
	unissued    defect.Set   // of them, with an object never given to them
	objects     defect.Set   // foreign objects
	objectsNew  defect.Set   // of them, never given to whoever asked
	ownersNamed defect.Set   // distinct foreign owners
	samples     defect.Samples
}

// NewBOLA returns the detector.
func NewBOLA() *BOLA {
	return &BOLA{
		states: defect.NewStates[bola](maxAPIs), issued: defect.NewRecent(maxIssued), objects: defect.NewRecent(maxObjects), known: defect.NewRecent(maxKnown),
		staff: defect.NewRecent(maxStaff), registered: defect.NewRecent(maxRegistered),
	}
}

// Observe takes one event.
func (d *BOLA) Observe(ev *defect.Event) {
	if ev.Handle == 0 {
		return
	}
	w := &ev.Who
	if w.Registered {
		d.known.Add(w.Subject)
	}
	if !ev.OK {
		d.refused(ev)
		return
	}
	if ev.API.Role == taxonomy.RoleRegister && w.Subject != 0 {
		d.known.Add(w.Subject)
		if ev.Anonymous || w.Principal == 0 {
			d.registered.Add(w.Subject)
		}
	}
	p := w.Principal
	if p == 0 {
		return
	}
	d.known.Add(p)
	switch ev.API.Role {
	case taxonomy.RoleAdmin, taxonomy.RoleConfig:
		d.staff.Add(p)
		return
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode, taxonomy.RoleLogout, taxonomy.RoleTokenRefresh, taxonomy.RoleStatic, taxonomy.RolePage:
		return
	}
	own, object, credential := d.judge(ev)
	switch {
	case own:
		s := d.states.Ensure(ev.Handle)
		s.own++
		s.askers.Add(p)
		s.owners.Add(p)
	case object != 0 && !d.staff.Has(p):
		d.fire(ev, d.states.Ensure(ev.Handle), object, credential)
	}
	d.remember(ev)
}

// judge says whether the answer is about the asker's own object, or gives the
// foreign object; neither when nothing can be said.
func (d *BOLA) judge(ev *defect.Event) (own bool, object uint64, credential bool) {
	var account uint64
	var noun, sets bool
	if writes(ev) {
		if socialRole(ev.API.Role) {
			return false, 0, false // acts on what others made are what these are for
		}
		var social bool
		account, noun, social = d.account(ev)
		if account != 0 && !ev.Who.Is(account) {
			if social {
				return false, 0, false // acts between people name the other one rightly
			}
			sets = ev.API.Role == taxonomy.RolePasswordChange || ev.API.Role == taxonomy.RolePasswordReset ||
				len(ev.Submitted()) > 0 && ev.Method != "POST" || newPassword(ev)
		}
	}
	switch {
	case ev.Ownership == catalog.OwnershipOwn:
		return true, 0, false
	case sets:
		return false, account, true
	case ev.Ownership == catalog.OwnershipEntrusted && !d.registered.Has(ev.Who.Principal):
		return false, 0, false // out of a list that the asker was given: staff at work
	case ev.Ownership >= catalog.OwnershipForeign:
		object = ev.Object
		if object == 0 {
			object = ev.Owner
		}
		return false, object, false
	case account == 0:
		return false, 0, false
	case ev.Who.Is(account):
		return true, 0, false
	case ev.API.Role == taxonomy.RoleProfileUpdate, noun && ev.Method != "POST":
		// Changing /users/bob or /users/bob/email is an act on bob's account.
		return false, account, false
	}
	return false, 0, false
}

func socialRole(r taxonomy.Role) bool {
	switch r {
	case taxonomy.RoleFollow, taxonomy.RoleLike, taxonomy.RoleInvite, taxonomy.RoleVote, taxonomy.RoleComment, taxonomy.RoleView:
		return true
	}
	return false
}

// account finds the account that the path names: its token, whether the word
// before it is one for accounts, and whether what follows is a social act.
func (d *BOLA) account(ev *defect.Event) (token uint64, noun, social bool) {
	for i := 1; i < len(ev.Segments); i++ {
		t := ev.Segments[i].Token
		named := ev.Ownership >= catalog.OwnershipForeign && t == ev.Owner // the catalogue learned that it is one
		if t == 0 || !ev.Who.Is(t) && !named && !(t == ev.Who.Subject && ev.Who.Registered) && !d.known.Has(t) {
			continue
		}
		for back := i - 1; back >= 0 && back >= i-2 && !noun; back-- {
			noun = accountNoun(ev.Segments[back].Text)
		}
		for _, s := range ev.Segments[i+1:] {
			social = social || socialAct(s.Text)
		}
		return t, noun, social
	}
	return 0, false, false
}

func accountNoun(s string) bool {
	switch strings.ToLower(s) {
	case "user", "users", "account", "accounts", "customer", "customers", "profile", "profiles", "passport", "uid":
		return true
	}
	return false
}

func socialAct(s string) bool {
	switch strings.ToLower(s) {
	case "follow", "following", "followers", "follower", "like", "likes", "friend", "friends", "block", "mute", "subscribe", "subscription",
		"star", "starred", "invite", "invitation", "message", "messages", "report", "poke", "gift", "comments", "comment", "vote", "visit":
		return true
	}
	return false
}

func (d *BOLA) fire(ev *defect.Event, s *bola, object uint64, credential bool) {
	p := ev.Who.Principal
	s.span.Add(ev.End)
	s.trials.Count(ev.End, true)
	s.askers.Add(p)
	s.among = s.askers.Count()
	s.foreign.Add(p)
	s.objects.Cap, s.objectsNew.Cap = setValues, setValues
	s.objects.Add(object)
	s.ownersNamed.Add(ev.Owner)
	s.public = s.public || !ev.Who.Private
	s.credential = s.credential || credential
	if ev.OpaqueKey() {
		s.opaque++
	}
	if d.registered.Has(p) {
		s.ordinary.Add(p)
	}
	if d.issued.Lossless() && !d.issued.Has(defect.Pair(p, object)) {
		s.unissued.Add(p)
		s.objectsNew.Add(object)
	}
	what, rank := "defect.evidence.foreign", uint32(0)
	var path, shape string
	var typ taxonomy.Sensitive
	for i := range ev.Exposures {
		x := &ev.Exposures[i]
		if ev.Plain(x) && counted(x.Type) {
			s.types |= defect.TypesOf(x.Type)
			if r := uint32(x.Type.Level()); r > rank {
				rank, path, shape, typ = r, x.Path, x.Shape, x.Type
				what = "defect.evidence.foreign_data"
			}
		}
	}
	if changes(ev) {
		s.writes++
		what, rank = "defect.evidence.foreign_write", rank+4
		if credential {
			what, rank = "defect.evidence.foreign_password", rank+4
		}
	}
	if e := s.samples.Show(ev, rank); e != nil {
		e.What, e.Path, e.Value, e.Type, e.Status = what, strings.Clone(path), strings.Clone(shape), typ, ev.Status
	}
}

// refused counts a refusal of what was never given to the asker, where such
// objects were given before. Not so when the credential itself was refused. "Not
// found" is a refusal where the object is known to exist; where it is not, that
// happens with the hole open, too.
func (d *BOLA) refused(ev *defect.Event) {
	p := ev.Who.Principal
	if ev.Outcome != catalog.OutcomeDenied && ev.Outcome != catalog.OutcomeNotFound || ev.Status == 401 || p == 0 || d.states.Len() == 0 || d.staff.Has(p) {
		return
	}
	s := d.states.Get(ev.Handle)
	if s == nil || s.span.Count == 0 {
		return
	}
	object := objectAsked(ev)
	if object == 0 || ev.Who.Is(object) || d.issued.Has(defect.Pair(p, object)) || ev.Outcome == catalog.OutcomeNotFound && !d.objects.Has(object) {
		return
	}
	s.trials.Count(ev.End, false)
}

// objectAsked gives the object that was asked for: the last value of the path.
func objectAsked(ev *defect.Event) uint64 {
	if ev.Object != 0 {
		return ev.Object
	}
	for i := len(ev.Segments) - 1; i >= 0; i-- {
		if s := &ev.Segments[i]; s.Class != observe.ClassWord && s.Class != observe.ClassVer && s.Class != observe.ClassEmpty && s.Token != 0 {
			return s.Token
		}
	}
	return 0
}

// remember notes which objects were given to the asker.
func (d *BOLA) remember(ev *defect.Event) {
	p := ev.Who.Principal
	for i := range ev.Leaves {
		d.issued.Add(defect.Pair(p, ev.Leaves[i].Token))
		d.objects.Add(ev.Leaves[i].Token)
	}
	if (ev.Method == "POST" || ev.Method == "PUT") && writes(ev) { // created by the asker
		for i := range ev.Params {
			d.issued.Add(defect.Pair(p, ev.Params[i].Token))
		}
	}
	// What was reached once is not "never given" the next time, but the first
	// time is on record by then.
	d.issued.Add(defect.Pair(p, ev.Object))
	d.objects.Add(ev.Object)
}

// Merge folds the state of one API into another.
func (d *BOLA) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *bola) {
		dst.span.Fold(src.span)
		dst.trials.Fold(&src.trials)
		dst.own += src.own
		dst.writes += src.writes
		dst.opaque += src.opaque
		dst.public = dst.public || src.public
		dst.types |= src.types
		dst.credential = dst.credential || src.credential
		dst.askers.Union(&src.askers)
		dst.among = min(dst.among+src.among, dst.askers.Count())
		dst.owners.Union(&src.owners)
		dst.foreign.Union(&src.foreign)
		dst.ordinary.Union(&src.ordinary)
		dst.unissued.Union(&src.unissued)
		dst.objects.Union(&src.objects)
		dst.objectsNew.Union(&src.objectsNew)
		dst.ownersNamed.Union(&src.ownersNamed)
		dst.samples.Fold(&src.samples)
	})
}

// Findings reports what is known.
func (d *BOLA) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *bola) {
		api := r.API(h)
		if api == nil || s.span.Count == 0 {
			return
		}
		c := s.confidence(api)
		if c < 0.6 {
			return
		}
		args := message.Args{
			"api": r.Name(h), "principals": s.foreign.Number(), "objects": defect.Number(min(s.objects.Count(), s.span.Count), s.objects.Exact()), "n": s.span.Count,
			"fresh": s.objectsNew.Number(), "types": s.types.Names(r.Texts), "own": s.own}
		kind := ".read"
		switch {
		case s.credential:
			kind = ".password"
		case s.writes > 0:
			kind = ".write"
		case s.types.Personal():
			kind = ".data"
		}
		id := "defect.bola.reason" + kind
		harm, why := s.types.HarmOf(s.objects.Count()), s.types.HarmWhy(s.objects.Count())
		switch {
		case s.credential:
			harm, why = taxonomy.Critical, "defect.rating.h.takeover"
		case s.writes > 0 && harm < taxonomy.High:
			harm, why = taxonomy.High, "defect.rating.h.change"
		case harm < taxonomy.Elevated:
			harm, why = taxonomy.Elevated, "defect.rating.h.foreign"
		}
		advice := "defect.bola.advice"
		if s.writes > 0 {
			advice += ".write"
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectBOLA, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials, Confidence: c, Harm: harm, HarmWhy: why,
			Reach:  defect.Reach{Public: s.public, Guessable: s.opaque*2 <= s.span.Count, Register: true},
			Reason: r.Text(id, args), Advice: r.Text(advice, args),
		})
	})
}

func (s *bola) confidence(api *catalog.API) float64 {
	objects, principals := s.objects.Count(), s.foreign.Count()
	// Principals of whom we know that they are no staff. Going straight to an
	// object says so only where others have objects of their own: a back office
	// is entered by links, too.
	proven := max(s.ordinary.Count(), defect.Common(&s.foreign, &s.owners))
	ordinary := proven
	if s.own > 0 {
		ordinary = max(ordinary, s.unissued.Count())
	}
	grave := s.types.Grave() || s.credential
	writes := s.writes > 0
	if !writes {
		if public := api.NoCred > 0 && api.NoCred*10 >= api.WithCred; public {
			return 0 // what everyone may read without a name is nobody's
		}
		everyone := principals >= 4 && principals*2 >= s.askers.Count()
		if !s.types.Personal() && (everyone || s.objectsNew.Count() == 0) {
			return 0 // harmless, and read by all or listed for all
		}
	}
	if ordinary == 0 {
		// Everything was listed for the askers and none has objects of its own:
		// staff, unless it is a good part of all who call the API.
		if principals >= 3 && principals*5 >= s.among && s.own > 0 && s.types.Personal() {
			return 0.7
		}
		return 0
	}
	fresh := s.objectsNew.Count()
	many := objects >= 3 || principals >= 2 && objects >= 2
	switch {
	case many && fresh > 0, many && writes:
		return defect.Confidence(0.8, defect.If(fresh >= 3, 0.4), defect.If(principals >= 2, 0.3), defect.If(grave, 0.3), defect.If(objects >= 10, 0.3))
	case many && grave:
		return defect.Confidence(0.7, defect.If(principals >= 3, 0.3), defect.If(objects >= 10, 0.2))
	case many && s.types.Personal() && principals >= 3 && objects >= 10:
		return 0.65
	case grave && (proven > 0 || !writes): // one reset may be the help desk's
		return 0.65
	}
	return 0
}

// Counters says what was forgotten.
func (d *BOLA) Counters() []defect.Counter {
	return []defect.Counter{
		{What: "defect.bola.apis", Count: d.states.Evicted}, {What: "defect.bola.issued", Count: d.issued.Turns},
		{What: "defect.bola.objects", Count: d.objects.Turns}, {What: "defect.bola.known", Count: d.known.Turns}, {What: "defect.bola.registered", Count: d.registered.Turns},
		{What: "defect.bola.staff", Count: d.staff.Turns},
	}
}

var _ defect.Detector = (*BOLA)(nil)
