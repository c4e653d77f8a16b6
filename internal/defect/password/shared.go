package password

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxSharedAPIs  = 256
	maxSharedTags  = 1024 // passwords of first logins told apart per API
	maxSharedKnown = 1 << 16
	minShared      = 5 // accounts
	firingShared   = 3 // accounts from which on one more is a firing
	ordinaryRank   = 10_000
	sharedWarmUp   = 7 * dayNanos
)

// Shared finds logins where new accounts begin with one password for all:
// whoever knows it opens every account that nobody has used yet. Passwords are
// compared by their tag, which holds for a day; so a password counts when five
// accounts show it at their first login within the life of the key.
//
// Passwords of public lists are left out, since people choose them themselves
// (weak_in_use tells of those), and so are accounts that opened themselves, and
// programs, whose accounts often share a password by design.
type Shared struct {
	states *defect.States[shared]
	known  *defect.Recent // accounts that logged in or registered
}

type shared struct {
	tags    *defect.Table[uint32, sharedTag]
	span    defect.Span             // first logins with a password of firingShared accounts or more
	trials  defect.Trials           // first logins on days with firingShared of them or more
	start   int64                   // of what was seen of the API
	day     int64                   // of the last first login
	today   [firingShared - 1]int64 // the first of that day
	begun   uint64                  // first logins of that day
	public  bool
	firsts  uint64
	samples defect.Samples
}

// sharedTag is one password and who began with it.
type sharedTag struct {
	accounts defect.Set
	sources  defect.Set
}

// NewShared returns the detector.
func NewShared() *Shared {
	return &Shared{states: defect.NewStates[shared](maxSharedAPIs), known: defect.NewRecent(maxSharedKnown)}
}

// Observe takes one event.
func (d *Shared) Observe(ev *defect.Event) {
	if len(ev.Passwords) == 0 || ev.Handle == 0 || !ev.OK {
		return
	}
	account := accountOf(ev)
	if account == 0 {
		return
	}
	if ev.API.Role != taxonomy.RoleLogin {
		if ev.API.Role == taxonomy.RoleRegister && (ev.Anonymous || ev.Who.Principal == 0) {
			d.known.Add(account)
		}
		return
	}
	if d.known.Has(account) {
		return
	}
	d.known.Add(account)
	p := compared(ev.Submitted())
	if p == nil || ev.AgentTool {
		return
	}
	s := d.states.Ensure(ev.Handle)
	if s.tags == nil {
		s.tags = defect.NewTable[uint32, sharedTag](maxSharedTags)
	}
	s.firsts++
	s.begin(ev.End)
	if p.Rank != 0 && p.Rank <= ordinaryRank {
		s.try(ev.End, false)
		return
	}
	t := s.tags.Ensure(p.Tag)
	t.accounts.Add(account)
	t.sources.Add(ev.Source)
	n := t.accounts.Count()
	fired := n >= firingShared
	s.try(ev.End, fired)
	if !fired {
		return
	}
	s.span.Add(ev.End)
	s.public = s.public || !ev.Who.Private
	if e := s.samples.Show(ev, 0); e != nil {
		e.What, e.Path, e.N, e.Value = "defect.evidence.shared_default", strings.Clone(p.Name), uint64(p.Len), strings.Clone(p.Shape)
	}
}

// begin counts a first login. A common password shows at the third of a day at
// the earliest, so days with fewer are no trial of it.
func (s *shared) begin(at int64) {
	if s.start == 0 {
		s.start = at
	}
	if d := at / dayNanos; d != s.day {
		s.day, s.begun = d, 0
	}
	if s.begun < uint64(len(s.today)) {
		s.today[s.begun] = at
	}
	s.begun++
}

// try takes a first login into the history, and with the third of a day the
// two before it.
func (s *shared) try(at int64, fired bool) {
	switch {
	case s.begun < firingShared:
		return
	case !fired && len(s.trials.Buckets()) == 0 && at < s.start+sharedWarmUp:
		return // everybody seems to be new
	case s.begun == firingShared:
		for _, t := range s.today {
			s.trials.Count(t, fired)
		}
	}
	s.trials.Count(at, fired)
}

// compared gives the password of a login that can be compared with others;
// one that the client encrypted is different every time.
func compared(list []observe.Password) *observe.Password {
	for i := range list {
		if p := &list[i]; p.Tag != 0 && p.Form != observe.PasswordSealed && p.Use != observe.PasswordConfirm {
			return p
		}
	}
	return nil
}

// Merge folds the state of one API into another.
func (d *Shared) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *shared) {
		if dst.tags == nil {
			dst.tags = src.tags
		} else if src.tags != nil {
			src.tags.Each(func(tag uint32, t *sharedTag) {
				x := dst.tags.Ensure(tag)
				x.accounts.Union(&t.accounts)
				x.sources.Union(&t.sources)
			})
			dst.tags.Evicted += src.tags.Evicted
		}
		dst.span.Fold(src.span)
		dst.trials.Fold(&src.trials)
		dst.public = dst.public || src.public
		dst.firsts += src.firsts
		if dst.start == 0 || src.start != 0 && src.start < dst.start {
			dst.start = src.start
		}
		if src.day > dst.day {
			dst.day, dst.begun, dst.today = src.day, src.begun, src.today
		}
		dst.samples.Fold(&src.samples)
	})
}

// Findings reports what is known.
func (d *Shared) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *shared) {
		api := r.API(h)
		if api == nil || s.tags == nil {
			return
		}
		var accounts, groups, sources uint64
		s.tags.Each(func(_ uint32, t *sharedTag) {
			if n := t.accounts.Count(); n >= minShared {
				accounts += n
				groups++
				sources = max(sources, t.sources.Count())
			}
		})
		if groups == 0 {
			return
		}
		args := message.Args{"api": r.Name(h), "accounts": accounts, "groups": groups, "firsts": s.firsts}
		harm, why := taxonomy.High, "defect.rating.h.weak"
		if defect.Administrative(api) {
			harm, why = taxonomy.Critical, "defect.rating.h.admin"
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectSharedDefault, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials, Harm: harm, HarmWhy: why,
			// All from one place may be somebody who tests.
			Confidence: defect.Confidence(0.65, defect.If(sources >= 3, 0.5), defect.If(accounts >= 10, 0.3), defect.If(groups >= 2, 0.3)),
			Reach:      defect.Reach{Public: s.public, Anonymous: true, Guessable: true},
			Reason:     r.Text("defect.shared_default.reason", args), Advice: r.Text("defect.shared_default.advice", args),
		})
	})
}

// Counters says what was forgotten.
func (d *Shared) Counters() []defect.Counter {
	tags := uint64(0)
	d.states.Each(func(_ catalog.Handle, s *shared) {
		if s.tags != nil {
			tags += s.tags.Evicted
		}
	})
	return []defect.Counter{{What: "defect.shared.apis", Count: d.states.Evicted}, {What: "defect.shared.tags", Count: tags}, {What: "defect.shared.known", Count: d.known.Turns}}
}

var _ defect.Detector = (*Shared)(nil)
