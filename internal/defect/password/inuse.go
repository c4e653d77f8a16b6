package password

import (
	"cmp"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/password"
	"xiezhi/internal/taxonomy"
)

const (
	manyWeak     = 10 // accounts
	minWeakShare = 0.01
	maxHabits    = 16 // habits told apart per API
	shownHabits  = 3
)

// InUse finds logins where people get in with weak passwords: what stuffing and
// guessing live on. It counts accounts, not logins, and says after which habits
// the passwords are made, never which they are.
type InUse struct {
	states *defect.States[inUse]
	// refused and accepted count weak passwords that the site's registration,
	// change and reset turned down or took: where they are turned down now, the
	// weak ones are older than the rule.
	refused, accepted uint64
	dropped           uint64
}

type inUse struct {
	span       defect.Span   // logins with a weak password
	logins     uint64        // that could be assessed
	trials     defect.Trials // logins of accounts once seen with a weak password, and refusals of one for being weak
	accounts   defect.Set    // of these
	weak       defect.Set    // accounts with a weak password
	named      defect.Set    // the same, as their owners name them when they log in
	privileged defect.Set    // of these, named as administrators are
	public     bool
	why        [weaknesses]uint64
	habits     []habit
	tags       defect.Set
	samples    defect.Samples
}

// habit is a pattern with a length: six digits, a word with digits.
type habit struct {
	pattern  password.Pattern
	length   uint8
	accounts defect.Set
}

// NewInUse returns the detector.
func NewInUse() *InUse { return &InUse{states: defect.NewStates[inUse](maxAPIs)} }

// Observe takes one event.
func (d *InUse) Observe(ev *defect.Event) {
	if len(ev.Passwords) == 0 || ev.Handle == 0 {
		return
	}
	if ev.API.Role != taxonomy.RoleLogin {
		d.set(ev)
		return
	}
	if ev.Administrative() { // a back end has a finding of its own
		return
	}
	if !ev.OK {
		if s := d.states.Get(ev.Handle); s != nil && turnedAway(ev, &s.named) {
			s.trials.Count(ev.End, false)
		}
		return
	}
	p := shown(ev.Submitted())
	if p == nil {
		return
	}
	account := accountOf(ev)
	if account == 0 {
		return
	}
	s := d.states.Ensure(ev.Handle)
	s.accounts.Cap, s.weak.Cap = setAccounts, setAccounts
	s.logins++
	s.accounts.Add(account)
	why := assess(p)
	if why == 0 {
		if s.weak.Has(account) {
			s.trials.Count(ev.End, false)
		}
		return
	}
	s.span.Add(ev.End)
	s.trials.Count(ev.End, true)
	s.public = s.public || !ev.Who.Private
	s.weak.Add(account)
	if len(ev.Accounts) > 0 {
		s.named.Cap = setAccounts
		s.named.Add(ev.Accounts[0].Token)
	}
	s.tags.Add(uint64(p.Tag))
	if p.Privileged {
		s.privileged.Add(account)
	}
	rank := uint32(0)
	for i := range weaknesses {
		if why>>i&1 != 0 {
			s.why[i]++
			rank++
		}
	}
	if p.Privileged {
		rank |= 1 << 8
	}
	if h := d.habit(s, password.Pattern(p.Pattern), p.Len); h != nil {
		h.accounts.Add(account)
	}
	if e := s.samples.Show(ev, rank); e != nil {
		e.What, e.Path, e.N, e.Value = "defect.evidence.weak_login", strings.Clone(p.Name), uint64(p.Len), strings.Clone(p.Shape)
	}
}

// turnedAway reports whether an account that once got in with a weak password
// shows a weak one again and is refused for another reason than that it is the
// wrong one: guesses are wrong passwords, and prove nothing about the right one.
// The pair that a product is shipped with is the same to everybody.
func turnedAway(ev *defect.Event, named *defect.Set) bool {
	if len(ev.Accounts) > 0 && named.Has(ev.Accounts[0].Token) {
	}
	const guess = observe.SaysWrongSecret | observe.SaysBadPair | observe.SaysNotRegistered | observe.SaysCaptcha | observe.SaysThrottled | observe.SaysLocked | observe.SaysFailure | observe.SaysBroken
	if ev.Outcome != catalog.OutcomeRejected && ev.Outcome != catalog.OutcomeInvalid && ev.Outcome != catalog.OutcomeDenied ||
		len(ev.Accounts) == 0 || !named.Has(ev.Accounts[0].Token) {
		return false
	}
	p := shown(ev.Submitted())
	return p != nil && assess(p) != 0 && (p.Default != "" || ev.Message != "" && ev.MessageSays&guess == 0)
}

// set notes whether weak passwords are still taken where passwords are set.
func (d *InUse) set(ev *defect.Event) {
	p := setting(ev)
	if p == nil || assess(p) == 0 {
		return
	}
	switch {
	case ev.OK:
		d.accepted++
	case ev.Outcome == catalog.OutcomeInvalid || ev.Outcome == catalog.OutcomeRejected && ev.MessageSays&(observe.SaysRegistered|observe.SaysNotRegistered) == 0:
		d.refused++
	}
}

// shown gives the password that a login shows, nil when none can be assessed.
func shown(list []observe.Password) *observe.Password {
	for i := range list {
		if p := &list[i]; (p.Form == observe.PasswordPlain || p.Form == observe.PasswordGuessed) && p.Use != observe.PasswordConfirm {
			return p
		}
	}
	return nil
}

// accountOf gives the account that a login is about.
func accountOf(ev *defect.Event) uint64 {
	switch {
	case ev.Who.Subject != 0:
		return ev.Who.Subject
	case len(ev.Accounts) > 0:
		return ev.Accounts[0].Token
	}
	return ev.Who.Principal
}

func (d *InUse) habit(s *inUse, p password.Pattern, length uint8) *habit {
	switch p {
	case password.PatternNone:
		return nil
	case password.PatternLetters, password.PatternWord, password.PatternMixed, password.PatternKeyboard:
		length = 0 // many lengths, one habit
	}
	for i := range s.habits {
		if h := &s.habits[i]; h.pattern == p && h.length == length {
			return h
		}
	}
	if len(s.habits) == maxHabits {
		d.dropped++
		return nil
	}
	s.habits = append(s.habits, habit{pattern: p, length: length, accounts: defect.Set{Cap: setAccounts}})
	return &s.habits[len(s.habits)-1]
}

// Merge folds the state of one API into another.
func (d *InUse) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *inUse) {
		dst.span.Fold(src.span)
		dst.logins += src.logins
		dst.trials.Fold(&src.trials)
		dst.accounts.Union(&src.accounts)
		dst.weak.Union(&src.weak)
		dst.named.Union(&src.named)
		dst.privileged.Union(&src.privileged)
		dst.public = dst.public || src.public
		for i := range src.why {
			dst.why[i] += src.why[i]
		}
		for i := range src.habits {
			if h := d.habit(dst, src.habits[i].pattern, src.habits[i].length); h != nil {
				h.accounts.Union(&src.habits[i].accounts)
			}
		}
		dst.tags.Union(&src.tags)
		dst.samples.Fold(&src.samples)
	})
}

// Findings reports what is known.
func (d *InUse) Findings(r *defect.Report) {
	legacy := d.refused > 2*d.accepted && d.refused >= minAccounts
	d.states.Each(func(h catalog.Handle, s *inUse) {
		if r.API(h) == nil || s.span.Count == 0 {
			return
		}
		accounts, weak, privileged := s.accounts.Count(), s.weak.Count(), s.privileged.Count()
		share := float64(weak) / float64(max(accounts, 1))
		if privileged == 0 && weak < manyWeak && (weak < minAccounts || share < minWeakShare) {
			return
		}
		var ways []message.Text
		for i := range weaknesses {
			if s.why[i] > 0 {
				ways = append(ways, r.Text("defect.weakness."+weaknessNames[i], message.Args{"n": s.why[i]}))
			}
		}
		args := message.Args{"api": r.Name(h), "weak": s.weak.Number(), "accounts": s.accounts.Number(), "share": min(share, 1), "n": s.span.Count, "logins": s.logins,
			"habits": s.habitTexts(r, weak), "ways": defect.Join(ways), "privileged": s.privileged.Number()}
		harm, why, id := taxonomy.High, "defect.rating.h.weak", "defect.weak_in_use.reason"
		switch {
		case privileged > 0:
			harm, why, id = taxonomy.Critical, "defect.rating.h.admin", id+".admin"
		case legacy:
			harm, why, id = taxonomy.Elevated, "defect.rating.h.weak_legacy", id+".legacy"
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectWeakInUse, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials, Harm: harm, HarmWhy: why,
			Confidence: defect.Confidence(0.65, defect.If(s.why[listed]+s.why[tooShort] > 0, 0.3), defect.If(weak >= manyWeak, 0.4), defect.If(privileged > 0, 0.2), defect.If(s.tags.Count() >= 3, 0.2)),
			Reach:      defect.Reach{Public: s.public, Anonymous: true, Guessable: true},
			Reason:     r.Text(id, args),
			Advice:     r.Text("defect.weak_in_use.advice", args),
		})
	})
}

// habitTexts names the habits that most accounts with weak passwords follow.
func (s *inUse) habitTexts(r *defect.Report, weak uint64) message.Text {
	list := slices.Clone(s.habits)
	slices.SortFunc(list, func(a, b habit) int {
		return cmp.Or(cmp.Compare(b.accounts.Count(), a.accounts.Count()), cmp.Compare(a.pattern, b.pattern), cmp.Compare(a.length, b.length))
	})
	var out []message.Text
	for i := range list[:min(len(list), shownHabits)] {
		h := &list[i]
		share := min(float64(h.accounts.Count())/float64(max(weak, 1)), 1)
		out = append(out, r.Text("defect.habit."+h.pattern.String(), message.Args{"length": int(h.length), "share": share}))
	}
	return defect.Join(out)
}

// Counters says what was dropped.
func (d *InUse) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.in_use.apis", Count: d.states.Evicted}, {What: "defect.in_use.habits", Count: d.dropped}}
}

var _ defect.Detector = (*InUse)(nil)
