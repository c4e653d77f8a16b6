package password

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/identity"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

const (
	maxStaleAPIs   = 256
	maxStaleWatch  = 4096 // accounts watched
	maxStaleAdmins = 4096
	// DefaultRotation is how many days a privileged password may live.
	DefaultRotation = 90
	dayNanos        = int64(86400e9)
	// unseen is a silence of the whole site within which a change may have
	// happened that was not recorded.
	unseen = 10 * dayNanos
)

// Stale finds privileged accounts that keep logging in and have not changed
// their password for longer than the policy allows. It can only say how long it
// has not seen a change: the clock of an account starts at its first login with
// a password here, at a change or reset, and after every long silence of the
// site. Who signs in elsewhere shows no password here and is not watched; where
// nobody changes a password here, that may happen elsewhere, and the finding
// stays probable.
type Stale struct {
	states  *defect.States[stale]
	watched *defect.Table[uint64, tenure]
	admins  *defect.Recent
	// staff are principals without a role who use a back end.
	staff    *defect.Recent
	rotation int64
	last     int64 // latest event
	resumed  int64 // end of the last long silence
	changers defect.Set
}

// tenure is how long an account has been seen, and its password.
type tenure struct{ first, since int64 }

type stale struct {
	span     defect.Span
	trials   defect.Trials // privileged logins of accounts watched for longer than the policy
	public   bool
	accounts defect.Set
	oldest   int64 // ns
	samples  defect.Samples
}

// NewStale returns the detector; days is the policy, 0 the default.
func NewStale(days int) *Stale {
	if days <= 0 {
		days = DefaultRotation
	}
	return &Stale{states: defect.NewStates[stale](maxStaleAPIs), watched: defect.NewTable[uint64, tenure](maxStaleWatch),
		admins: defect.NewRecent(maxStaleAdmins), staff: defect.NewRecent(maxStaleAdmins), rotation: int64(days) * dayNanos}
}

// Observe takes one event.
func (d *Stale) Observe(ev *defect.Event) {
	if d.last != 0 && ev.End-d.last > unseen {
		d.resumed = ev.End
	}
	d.last = max(d.last, ev.End)
	if ev.Handle == 0 || !ev.OK {
		return
	}
	d.learn(ev)
	if len(ev.Passwords) == 0 {
		return
	}
	account := accountOf(ev)
	switch ev.API.Role {
	case taxonomy.RolePasswordChange, taxonomy.RolePasswordReset:
		who := ev.Who.Principal
		if who == 0 || len(ev.Accounts) > 0 { // somebody else's, or after proving it by a code
			who = account
		}
		d.changers.Add(who)
		if t := d.watched.Get(who); t != nil {
			t.since = ev.End
		}
	case taxonomy.RoleLogin:
		if account != 0 && len(ev.Submitted()) > 0 && !ev.AgentTool {
			d.login(ev, account)
		}
	}
}

// learn notes who is privileged: by role, or, where no role is known, by using a
// back end.
func (d *Stale) learn(ev *defect.Event) {
	p := ev.Who.Principal
	if p == 0 {
		return
	}
	switch role := ev.Who.Role; {
	case role != nil && role.Rank == identity.RankAdmin:
		d.admins.Add(p)
	case role == nil && ev.API.Role != taxonomy.RoleLogin && ev.Administrative():
		d.staff.Add(p)
	}
}

func (d *Stale) login(ev *defect.Event, account uint64) {
	t := d.watched.Get(account)
	if t == nil {
		*d.watched.Ensure(account) = tenure{ev.End, ev.End}
		return
	}
	privileged := d.admins.Has(account) || d.staff.Has(account) || ev.Submitted()[0].Privileged
	if !privileged || ev.End-max(t.first, d.resumed) < d.rotation {
		return
	}
	age := ev.End - max(t.since, d.resumed)
	fired := age > d.rotation
	s := d.states.Ensure(ev.Handle)
	s.trials.Count(ev.End, fired)
	if !fired {
		return
	}
	s.span.Add(ev.End)
	s.public = s.public || !ev.Who.Private
	s.accounts.Add(account)
	s.oldest = max(s.oldest, age)
	if e := s.samples.Show(ev, uint32(age/dayNanos)); e != nil {
		e.What, e.N = "defect.evidence.stale_privileged", uint64(age/dayNanos)
	}
}

// Merge folds the state of one API into another.
func (d *Stale) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *stale) {
		dst.span.Fold(src.span)
		dst.trials.Fold(&src.trials)
		dst.public = dst.public || src.public
		dst.accounts.Union(&src.accounts)
		dst.oldest = max(dst.oldest, src.oldest)
		dst.samples.Fold(&src.samples)
	})
}

// Findings reports what is known.
func (d *Stale) Findings(r *defect.Report) {
	changes := d.changers.Count() > 0
	d.states.Each(func(h catalog.Handle, s *stale) {
		if r.API(h) == nil || s.span.Count == 0 {
			return
		}
		args := message.Args{"api": r.Name(h), "accounts": s.accounts.Number(), "days": s.oldest / dayNanos, "policy": d.rotation / dayNanos, "n": s.span.Count}
		id := "defect.stale_privileged.reason"
		if !changes {
			id += ".elsewhere"
		}
		exploit, why := taxonomy.Moderate, "defect.rating.e.internal"
		if s.public {
			exploit, why = taxonomy.Elevated, "defect.rating.e.password"
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectStalePrivileged, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
			Harm: taxonomy.Elevated, HarmWhy: "defect.rating.h.stale", Exploit: exploit, ExploitWhy: why,
			Confidence: defect.Confidence(0.65, defect.If(changes, 0.5)),
			Reason:     r.Text(id, args), Advice: r.Text("defect.stale_privileged.advice", args),
		})
	})
}

// Counters says what was forgotten.
func (d *Stale) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.stale.apis", Count: d.states.Evicted}, {What: "defect.stale.accounts", Count: d.watched.Evicted},
		{What: "defect.stale.privileged", Count: d.admins.Turns + d.staff.Turns}}
}

var _ defect.Detector = (*Stale)(nil)
