package unauthorized

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

const (
	maxEnded      = 1 << 15 // credentials that were signed out
	maxChanged    = 1 << 14 // principals who changed their password
	maxIssuedAt   = 1 << 15 // credentials whose beginning is known
	minDead       = 3       // events
	minDeadPeople = 2
	skew          = int64(300) // seconds that clocks may differ
	inFlight      = int64(10e9)
	graceChange   = int64(300e9)
)

// The ways in which a credential dies.
const (
	deadLogout   = iota // it was signed out
	deadExpired         // its exp claim is past
	deadPassword        // the account's password was changed by another session
	deaths
)

var deathNames = [deaths]string{"logout", "expired", "password"}

// Dead finds credentials that go on to work after they should not: signed out,
// past the end they name themselves, or older than the account's password.
//
// An answer that everybody gets says nothing. So a success counts where the API
// refuses other requests that lack a valid credential, or where the answer is
// the principal's own. The session that changed the password may live on; it is
// the others that must end.
type Dead struct {
	states  *defect.States[dead]
	ended   *defect.Table[uint64, ending]
	changed *defect.Table[uint64, ending]
	began   *defect.Table[uint64, int64]
	lag     int64 // seconds that the site's clock is behind, at least
	lagged  bool
	cause   [deaths]catalog.Handle // the API that should end credentials
}

// ending is when a credential was signed out, or a password changed and by
// which credential.
type ending struct {
	at         int64
	credential uint64
}

// dead is what happened on one API.
type dead struct {
	refused uint64 // requests without a valid credential
	uses    [deaths]deadUse
}

type deadUse struct {
	span       defect.Span
	trials     defect.Trials
	own        uint64
	public     bool
	principals defect.Set
	samples    defect.Samples
}

// NewDead returns the detector.
func NewDead() *Dead {
	return &Dead{states: defect.NewStates[dead](maxAPIs), ended: defect.NewTable[uint64, ending](maxEnded),
		changed: defect.NewTable[uint64, ending](maxChanged), began: defect.NewTable[uint64, int64](maxIssuedAt)}
}

// Observe takes one event.
func (d *Dead) Observe(ev *defect.Event) {
	if ev.Handle == 0 {
		return
	}
	if ev.Outcome == catalog.OutcomeDenied && (ev.Status == 401 || ev.Status < 400) {
		d.states.Ensure(ev.Handle).refused++
	}
	if len(ev.Issued) > 0 {
		d.issued(ev)
	}
	switch ev.API.Role {
	case taxonomy.RoleLogout:
		if c := ev.Who.Credential; ev.OK && c != 0 {
			d.cause[deadLogout] = ev.Handle
			if d.ended.Get(c) == nil {
				d.ended.Ensure(c).at = ev.End
			}
		}
		return
	case taxonomy.RolePasswordChange, taxonomy.RolePasswordReset:
		d.change(ev)
		return
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode, taxonomy.RoleTokenRefresh:
		if ev.OK { // the same session, opened again
			for i := range ev.Credentials {
				d.ended.Delete(ev.Credentials[i].Token)
			}
		}
		return
	}
	if ev.Who.Credential == 0 || !ev.OK && ev.Outcome != catalog.OutcomeDenied || ev.Status == 304 || !ev.OK && ev.Status == 403 || ev.OK && !ev.Data() {
		return
	}
	why, principal := d.death(ev)
	if why == deaths {
		return
	}
	u := &d.states.Ensure(ev.Handle).uses[why]
	u.trials.Count(ev.End, ev.OK)
	if !ev.OK {
		return
	}
	u.span.Add(ev.End)
	u.principals.Add(principal)
	u.public = u.public || !ev.Who.Private
	rank := uint32(0)
	if ev.Ownership == catalog.OwnershipOwn {
		u.own++
		rank = 1
	}
	if e := u.samples.Show(ev, rank); e != nil {
		e.What, e.Status = "defect.evidence.dead_credential."+deathNames[why], ev.Status
	}
}

// issued notes when credentials begin, and what the clock of who signs them
// says at that moment.
func (d *Dead) issued(ev *defect.Event) {
	for i := range ev.Issued {
		c := &ev.Issued[i]
		if c.Token == 0 || !ev.OK {
			continue
		}
		d.ended.Delete(c.Token)
		if c.JWT != nil && c.JWT.IssuedAt != 0 {
			if lag := ev.End/1e9 - c.JWT.IssuedAt; !d.lagged || lag < d.lag {
				d.lag, d.lagged = lag, true
			}
			continue // it tells its beginning itself
		}
		if d.began.Get(c.Token) == nil {
			*d.began.Ensure(c.Token) = ev.End
		}
	}
}

func (d *Dead) change(ev *defect.Event) {
	if !ev.OK || len(ev.Submitted()) == 0 {
		return
	}
	who := ev.Who.Principal
	if who == 0 {
		who = ev.Who.Subject
	}
	if who != 0 {
		d.cause[deadPassword] = ev.Handle
		*d.changed.Ensure(who) = ending{ev.End, ev.Who.Credential}
	}
}

// death says whether the credential of the request is dead, and of what; deaths
// if it is not. Who shows several is let in by any of them.
func (d *Dead) death(ev *defect.Event) (why int, principal uint64) {
	w := &ev.Who
	principal = w.Principal
	if principal == 0 {
		principal = w.Credential
	}
	for i := range ev.Credentials {
		if ev.Credentials[i].Token != w.Credential {
			return deaths, 0
		}
	}
	if e := d.ended.Get(w.Credential); e != nil {
		if ev.Start > e.at+inFlight {
			return deadLogout, principal
		}
		return deaths, 0
	}
	began := int64(0)
	if at := d.began.Get(w.Credential); at != nil {
		began = *at
	}
	for i := range ev.Credentials {
		j := ev.Credentials[i].JWT
		if j == nil {
			continue
		}
		late := ev.Start/1e9 - j.Expires - skew
		if d.lagged && d.lag > 0 {
			late -= d.lag
		}
		if j.Expires != 0 && j.Expires > j.IssuedAt && late > 0 {
			return deadExpired, principal
		}
		if j.IssuedAt != 0 {
			began = (j.IssuedAt + max(d.lag, 0)) * 1e9
		}
	}
	if c := d.changed.Get(w.Principal); c != nil && began != 0 && w.Principal != 0 &&
		c.credential != w.Credential && began+skew*1e9 < c.at && ev.Start > c.at+graceChange {
		return deadPassword, principal
	}
	return deaths, 0
}

// Merge folds the state of one API into another.
func (d *Dead) Merge(from, into catalog.Handle) {
	for i := range d.cause {
		if d.cause[i] == from {
			d.cause[i] = into
		}
	}
	d.states.Move(from, into, func(dst, src *dead) {
		dst.refused += src.refused
		for i := range src.uses {
			dst.uses[i].fold(&src.uses[i])
		}
	})
}

func (u *deadUse) fold(o *deadUse) {
	u.span.Fold(o.span)
	u.trials.Fold(&o.trials)
	u.own += o.own
	u.public = u.public || o.public
	u.principals.Union(&o.principals)
	u.samples.Fold(&o.samples)
}

// Findings reports what is known, once for each way to die: what ends
// credentials is the same for all APIs.
func (d *Dead) Findings(r *defect.Report) {
	for why := range deaths {
		var all deadUse
		apis := 0
		first := catalog.Handle(0)
		d.states.Each(func(h catalog.Handle, s *dead) {
			u := &s.uses[why]
			api := r.API(h)
			if u.span.Count == 0 || api == nil || api.NoCred > 0 && api.NoCred*10 >= api.WithCred || s.refused == 0 && u.own*2 < u.span.Count {
				return
			}
			if apis++; first == 0 || r.Name(h) < r.Name(first) {
				first = h
			}
			all.fold(u)
		})
		people := all.principals.Count()
		if all.span.Count < minDead || people < minDeadPeople {
			continue
		}
		cause := d.cause[why]
		if r.API(cause) == nil {
			cause = 0
		}
		name := r.Name(cause)
		args := message.Args{"api": name, "n": all.span.Count, "principals": all.principals.Number(), "example": r.Name(first), "apis": apis}
		id := "defect.dead_credential."
		exploit, exploitWhy := taxonomy.Moderate, "defect.rating.e.internal"
		if all.public {
			exploit, exploitWhy = taxonomy.Elevated, "defect.rating.e.stolen"
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectDeadCredential, API: cause, SubKey: deathNames[why], Span: all.span, Samples: all.samples, Trials: &all.trials, Affected: apis,
			Harm: taxonomy.High, HarmWhy: "defect.rating.h.session", Exploit: exploit, ExploitWhy: exploitWhy,
			Confidence: defect.Confidence(0.7, defect.If(all.span.Count >= 6, 0.3), defect.If(people >= 4, 0.3), defect.If(apis >= 2, 0.2)),
			Reason:     r.Text(id+"reason."+deathNames[why], args), Advice: r.Text(id+"advice."+deathNames[why], args),
		})
	}
}

// Counters says what was forgotten.
func (d *Dead) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.dead.apis", Count: d.states.Evicted}, {What: "defect.dead.ended", Count: d.ended.Evicted},
		{What: "defect.dead.changed", Count: d.changed.Evicted}, {What: "defect.dead.began", Count: d.began.Evicted}}
}

var _ defect.Detector = (*Dead)(nil)
