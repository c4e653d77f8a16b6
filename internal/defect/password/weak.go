// Package password finds APIs that accept weak passwords or let them be guessed
// without limit: weak, shared, old and factory-set ones, and verification codes
// that protect little.
//
// It takes events and gives drafts. Invariant: a password counts only where it
// was accepted, and only if it could be assessed (not when the client hashed
// or sealed it); a guess counts only where the password check itself answered.
// Limits: sets of 256 accounts per API, 2 048 accounts and 4 096 sources with
// failures at a time per site.
package password

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/password"
	"xiezhi/internal/taxonomy"
)

const (
	maxAPIs     = 4096
	setAccounts = 256
	minAccounts = 3
)

// The ways in which a password is weak, in the order in which texts name them.
const (
	tooShort  = iota // fewer than 8 characters
	listed           // among the 10 000 most used
	related          // made of the account, e-mail, phone, birthday or host
	guessable        // few guesses by zxcvbn
	simple           // refused by the rule profile for another reason
	weaknesses
)

var weaknessNames = [weaknesses]string{"short", "listed", "related", "guessable", "simple"}

// Weak finds APIs that let people set weak passwords.
type Weak struct{ states *defect.States[weak] }

type weak struct {
	span     defect.Span     // weak passwords accepted
	set      uint64          // assessable passwords accepted
	refused  defect.Refusals // weak passwords
	trials   defect.Trials   // weak passwords offered
	public   bool
	why      [weaknesses]uint64
	shortest uint8
	accounts defect.Set
	setters  defect.Set // principals that set them; empty when people registered themselves
	selfSet  uint64
	tags     defect.Set
	samples  defect.Samples
}

// NewWeak returns the detector.
func NewWeak() *Weak { return &Weak{states: defect.NewStates[weak](maxAPIs)} }

// setting gives the password that the request sets, nil when it sets none that
// can be assessed.
func setting(ev *defect.Event) *observe.Password {
	// Nobody sets a password by reading; who puts one there tries names of
	// parameters.
	if ev.Method == "GET" || ev.Method == "HEAD" || ev.Method == "OPTIONS" {
		return nil
	}
	role := false
	switch ev.API.Role {
	case taxonomy.RoleRegister, taxonomy.RolePasswordReset, taxonomy.RolePasswordChange:
		role = true
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode:
		return nil
	}
	var found *observe.Password
	passwords := ev.Submitted()
	for i := range passwords {
		p := &passwords[i]
		if p.Form != observe.PasswordPlain && p.Form != observe.PasswordGuessed {
			continue
		}
		switch {
		case p.Use == observe.PasswordNew:
			return p
		case role && found == nil && len(passwords) == 1:
			found = p
		}
	}
	return found
}

// assess says in which ways a password is weak, as bits.
func assess(p *observe.Password) (why uint8) {
	if p.Len < 8 && p.Form == observe.PasswordPlain {
		why |= 1 << tooShort
	}
	if p.Rank > 0 && p.Rank <= 10_000 {
		why |= 1 << listed
	}
	if p.Related != 0 {
		why |= 1 << related
	}
	if p.Score <= 1 {
		why |= 1 << guessable
	}
	if why == 0 {
		if bad, _ := password.Weak(password.Assessment{Form: password.Form(p.Form), Len: p.Len, Classes: p.Classes,
			Score: p.Score, Rank: p.Rank, Related: p.Related}); bad {
			why |= 1 << simple
		}
	}
	return why
}

// Observe takes one event.
func (d *Weak) Observe(ev *defect.Event) {
	if ev.Handle == 0 || len(ev.Passwords) == 0 {
		return
	}
	p := setting(ev)
	if p == nil {
		return
	}
	why := assess(p)
	switch ev.Outcome {
	case catalog.OutcomeSuccess:
	case catalog.OutcomeRejected, catalog.OutcomeInvalid:
		// A refusal for another reason (name taken) says nothing about the rule.
		if why != 0 && ev.MessageSays&(observe.SaysRegistered|observe.SaysNotRegistered|observe.SaysWrongSecret|observe.SaysBadPair|observe.SaysCaptcha) == 0 {
			s := d.states.Ensure(ev.Handle)
			s.refused.Refuse(ev.End)
			s.trials.Count(ev.End, false)
		}
		return
	default:
		return
	}
	s := d.states.Ensure(ev.Handle)
	s.set++
	if why == 0 {
		return
	}
	s.span.Add(ev.End)
	s.refused.Fire(ev.End)
	s.trials.Count(ev.End, true)
	s.public = s.public || !ev.Who.Private
	for i := range weaknesses {
		if why>>i&1 != 0 {
			s.why[i]++
		}
	}
	if s.shortest == 0 || p.Len < s.shortest {
		s.shortest = p.Len
	}
	account := ev.Who.Subject
	if account == 0 {
		account = ev.Who.Principal
	}
	if account == 0 && len(ev.Accounts) > 0 {
		account = ev.Accounts[0].Token
	}
	s.accounts.Cap = setAccounts
	s.accounts.Add(account)
	if pr := ev.Who.Principal; pr != 0 && pr != account {
		s.setters.Add(pr)
	} else {
		s.selfSet++
	}
	s.tags.Add(uint64(p.Tag))
	rank := uint32(0)
	for i := range weaknesses {
		rank += uint32(why >> i & 1)
	}
	if e := s.samples.Show(ev, rank); e != nil {
		e.What, e.Path, e.N, e.Value = "defect.evidence.weak", strings.Clone(p.Name), uint64(p.Len), strings.Clone(p.Shape)
	}
}

// Merge folds the state of one API into another.
func (d *Weak) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *weak) {
		dst.span.Fold(src.span)
		dst.set += src.set
		dst.refused.Fold(&src.refused)
		dst.trials.Fold(&src.trials)
		dst.public = dst.public || src.public
		for i := range weaknesses {
			dst.why[i] += src.why[i]
		}
		if dst.shortest == 0 || src.shortest != 0 && src.shortest < dst.shortest {
			dst.shortest = src.shortest
		}
		dst.accounts.Union(&src.accounts)
		dst.setters.Union(&src.setters)
		dst.selfSet += src.selfSet
		dst.tags.Union(&src.tags)
		dst.samples.Fold(&src.samples)
	})
}

// Findings reports what is known.
func (d *Weak) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *weak) {
		api := r.API(h)
		if api == nil || s.span.Count == 0 {
			return
		}
		admin := defect.Administrative(api)
		accounts := s.accounts.Count()
		if accounts < minAccounts && !(admin && accounts >= 1) {
			return
		}
		// One value that staff give to many new accounts is an initial password,
		// to be changed at the first login: another matter.
		if s.selfSet == 0 && s.tags.Count() <= 1 {
			return
		}
		// An API that refuses most weak passwords has a rule; what slips through
		// are disagreements about it.
		if s.refused.Before() > s.span.Count || s.refused.Turns()*2 > s.span.Count {
			return
		}
		var ways []message.Text
		for i := range weaknesses {
			if s.why[i] > 0 {
				ways = append(ways, r.Text("defect.weakness."+weaknessNames[i], message.Args{"n": s.why[i]}))
			}
		}
		args := message.Args{"api": r.Name(h), "accounts": defect.Number(min(accounts, s.span.Count), s.accounts.Exact()), "n": s.span.Count, "set": s.set,
			"share": float64(s.span.Count) / float64(max(s.set, 1)), "ways": defect.Join(ways), "shortest": int(s.shortest)}
		harm, why := taxonomy.High, "defect.rating.h.weak"
		if admin {
			harm, why = taxonomy.Critical, "defect.rating.h.admin"
		}
		clear := s.why[tooShort] + s.why[listed]
		r.Add(defect.Draft{
			Kind: taxonomy.DefectWeakAccepted, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials, Harm: harm, HarmWhy: why,
			Confidence: defect.Confidence(0.65, defect.If(clear > 0, 0.3), defect.If(accounts >= 10, 0.4), defect.If(s.refused.Before() == 0, 0.2),
				defect.If(s.tags.Count() >= 3, 0.2)),
			Reach:  defect.Reach{Public: s.public, Anonymous: true, Guessable: true},
			Reason: r.Text("defect.weak_accepted.reason", args),
			Advice: r.Text("defect.weak_accepted.advice", args),
		})
	})
}

// Counters says what was dropped.
func (d *Weak) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.weak.apis", Count: d.states.Evicted}}
}

var _ defect.Detector = (*Weak)(nil)
