package password

import (
	"strings"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxCodeAPIs  = 2048
	maxSentCodes = 8192 // accounts that a code was asked for, lately
	maxSpent     = 8192 // codes that were taken, lately
	shortCode    = 4    // digits: a thousand tries in ten find it
	minCodes     = 3    // events
	minCodeUsers = 2
	codeWindow   = int64(30 * time.Minute)
	retryWindow  = int64(10 * time.Second) // a client that sends twice
)

// Code finds verification codes that protect little: too short to resist
// guessing, or taken more than once. What counts is a code that was sent to the
// account which shows it. A code read off a picture keeps programs out, as long
// as it is taken once.
type Code struct {
	sent  *defect.Table[uint64, int64] // accounts, and when a code was asked for
	spent *defect.Table[uint64, int64] // account and code, and when it was taken
	apis  *defect.States[codes]
}

type codes struct{ short, reused, picture codeFlaw }

type codeFlaw struct {
	span     defect.Span
	trials   defect.Trials // codes taken
	accounts defect.Set
	public   bool
	digits   uint32
	samples  defect.Samples
}

// NewCode returns the detector.
func NewCode() *Code {
	return &Code{sent: defect.NewTable[uint64, int64](maxSentCodes), spent: defect.NewTable[uint64, int64](maxSpent), apis: defect.NewStates[codes](maxCodeAPIs)}
}

// Observe takes one event.
func (d *Code) Observe(ev *defect.Event) {
	if ev.Handle == 0 || len(ev.Accounts) == 0 && ev.Who.Subject == 0 {
		return
	}
	d.picture(ev)
	if !ev.OK {
		return
	}
	if ev.API.Role == taxonomy.RoleCodeSend {
		for i := range ev.Accounts {
			*d.sent.Ensure(ev.Accounts[i].Token) = ev.End
		}
		return
	}
	code := shownCode(ev)
	if code == nil {
		return
	}
	account := uint64(0)
	for i := range ev.Accounts {
		if at := d.sent.Get(ev.Accounts[i].Token); at != nil && ev.End-*at <= codeWindow {
			account = ev.Accounts[i].Token
			break
		}
	}
	if account == 0 {
		return
	}
	short := code.Len <= shortCode
	again := false
	if ev.API.Role != taxonomy.RoleCodeVerify { // which may ask and ask again before the code is used
		key := defect.Pair(defect.Pair(account, code.Token), uint64(ev.Handle))
		if at := d.spent.Get(key); at != nil && ev.End-*at > retryWindow && *at >= *d.sent.Get(account) {
			again = true
		} else if at == nil {
			*d.spent.Ensure(key) = ev.End
		} else if *at < *d.sent.Get(account) {
			*at = ev.End
		}
	}
	s := d.apis.Get(ev.Handle)
	if s == nil {
		if !short && !again {
			return
		}
		s = d.apis.Ensure(ev.Handle)
	}
	s.short.count(ev, code, account, short, "defect.evidence.short_code")
	s.reused.count(ev, code, account, again, "defect.evidence.reused_code")
}

// picture looks for pictures that were read once and are taken again.
func (d *Code) picture(ev *defect.Event) {
	const checked = observe.SaysBadPair | observe.SaysWrongSecret | observe.SaysNotRegistered
	if ev.MessageSays&observe.SaysCaptcha != 0 || !ev.OK && (ev.MessageSays&checked == 0 || len(ev.Passwords) == 0) {
		return
	}
	var text, key *observe.Param
	for i := range ev.Params {
		switch p := &ev.Params[i]; {
		case p.Token == 0:
		case p.Class == observe.ClassUUID || p.Class == observe.ClassToken || p.Class == observe.ClassHex:
			if key == nil && p.Sensitive.Level() < 4 {
				key = p
			}
		case defect.Pictured(p.Name) && p.Len >= 3 && p.Len <= 8:
			text = p
		}
	}
	if text == nil || key == nil {
		return
	}
	k := defect.Pair(defect.Pair(text.Token, key.Token), uint64(ev.Handle))
	again := false
	if at := d.spent.Get(k); at != nil {
		again = ev.Start >= *at // not the same one, seen twice
	} else {
		*d.spent.Ensure(k) = ev.End
	}
	s := d.apis.Get(ev.Handle)
	if s == nil {
		if !again {
			return
		}
		s = d.apis.Ensure(ev.Handle)
	}
	account := ev.Who.Subject
	if account == 0 {
		account = ev.Accounts[0].Token
	}
	s.picture.count(ev, text, account, again, "defect.evidence.reused_picture")
}

// shownCode gives the code that a request shows: digits under a name of codes,
// not one of a picture.
func shownCode(ev *defect.Event) *observe.Param {
	for i := range ev.Params {
		p := &ev.Params[i]
		if p.Sensitive == taxonomy.SensVerificationCode && p.Class == observe.ClassInt && p.Len >= 3 && p.Len <= 8 && !defect.Pictured(p.Name) {
			return p
		}
	}
	return nil
}

func (f *codeFlaw) count(ev *defect.Event, p *observe.Param, account uint64, fired bool, what string) {
	f.trials.Count(ev.End, fired)
	if !fired {
		return
	}
	f.span.Add(ev.End)
	f.accounts.Add(account)
	f.public = f.public || !ev.Who.Private
	f.digits = max(f.digits, p.Len)
	if e := f.samples.Show(ev, 0); e != nil {
		e.What, e.Path, e.N, e.Status = what, strings.Clone(p.Name), uint64(p.Len), ev.Status
	}
}

func (f *codeFlaw) fold(o *codeFlaw) {
	f.span.Fold(o.span)
	f.trials.Fold(&o.trials)
	f.accounts.Union(&o.accounts)
	f.public = f.public || o.public
	f.digits = max(f.digits, o.digits)
	f.samples.Fold(&o.samples)
}

// Merge folds the state of one API into another.
func (d *Code) Merge(from, into catalog.Handle) {
	d.apis.Move(from, into, func(dst, src *codes) {
		dst.short.fold(&src.short)
		dst.reused.fold(&src.reused)
		dst.picture.fold(&src.picture)
	})
}

// Findings reports what is known.
func (d *Code) Findings(r *defect.Report) {
	d.apis.Each(func(h catalog.Handle, s *codes) {
		if r.API(h) == nil {
			return
		}
		for _, x := range [...]struct {
			key string
			f   *codeFlaw
		}{{"short", &s.short}, {"reused", &s.reused}, {"picture", &s.picture}} {
			f := x.f
			if f.span.Count < minCodes || f.accounts.Count() < minCodeUsers {
				continue
			}
			args := message.Args{"api": r.Name(h), "n": f.span.Count, "accounts": f.accounts.Number(), "digits": f.digits}
			id := "defect.weak_verification_code." + x.key
			r.Add(defect.Draft{
				Kind: taxonomy.DefectWeakVerificationCode, SubKey: x.key, API: h, Span: f.span, Samples: f.samples, Trials: &f.trials,
				Harm: taxonomy.High, HarmWhy: "defect.rating.h.takeover", Reach: defect.Reach{Public: f.public, Anonymous: true, Guessable: true},
				Confidence: defect.Confidence(0.75, defect.If(f.span.Count >= 10, 0.4), defect.If(f.accounts.Count() >= 5, 0.2)),
				Reason:     r.Text(id+".reason", args), Advice: r.Text(id+".advice", args),
			})
		}
	})
}

// Counters says what was dropped.
func (d *Code) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.verification.apis", Count: d.apis.Evicted}, {What: "defect.verification.codes", Count: d.sent.Evicted + d.spent.Evicted}}
}

var _ defect.Detector = (*Code)(nil)
