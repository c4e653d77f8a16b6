package password

import (
	"cmp"
	"math"
	"slices"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
	"xiezhi/internal/taxonomy"
)

const (
	maxAccounts = 2048 // accounts with failures, per site
	maxSources  = 4096 // sources with failures, per site
	ring        = 64   // attempts remembered per account
	maxOnce     = 8192 // accounts, and sources, with one failure so far, per site

	minFailures = 20 // on one account
	window      = int64(10 * time.Minute)
	minGuesses  = 5 // distinct passwords among them: a saved password repeats itself

	// Slower, but no lock of five in a quarter of an hour would let it through.
	minSlowFailures = 30
	minSlowGuesses  = 15
	slowWindow      = int64(time.Hour)

	// The weaker form: one source, many accounts.
	minSourceFailures = 100
	minSourceAccounts = 50
	minPerMinute      = 5
)

// Throttle finds logins that check any number of passwords: twenty failures on
// one account within ten minutes or thirty within an hour (on a back end:
// however slow), from wherever they come, all of them answered by the check itself and
// none by a limit, a lock or a captcha; or, weaker, one source that tries many
// accounts without ever being slowed down.
type Throttle struct {
	accounts *defect.Table[pair, account]
	sources  *defect.Table[pair, source]
	apis     *defect.States[throttle]

	// Most accounts and sources fail once and never again. They wait here, so
	// that they do not crowd out the ones that are being guessed.
	once     *sketch.Recent[attempt]
	onceFrom *sketch.Recent[visit]

	forgotten uint64 // attempts beyond the ring
}

type pair struct {
	api catalog.Handle
	key uint64
}

// visit is the only failure of a source so far.
type visit struct {
	at      int64
	subject uint64
	public  bool
}

type attempt struct {
	at    int64
	class uint64
	tag   uint32
	size  uint32 // of a page, whose words nobody read
	kind  attemptKind
}

// pageSize is the size of an answer that shows neither a message of its own nor
// a structure: a login page, which says "wrong" and "locked" in its text.
func pageSize(ev *defect.Event) uint32 {
	if ev.RespKind != observe.BodyHTML || ev.MessageSays != 0 || ev.Status >= 300 {
		return 0
	}
	return uint32(min(ev.RespBytes, 1<<31))
}

// alike reports whether two pages are of one size, but for a number or so.
func alike(a, b uint32) bool { return max(a, b)-min(a, b) <= 4+max(a, b)/512 }

type attemptKind uint8

const (
	failed attemptKind = iota + 1
	slowed             // a limit, a lock, a captcha
	passed
)

type account struct{ last []attempt } // the newest ring, in order of time

type source struct {
	span     defect.Span // failures
	slowed   uint64
	passed   uint64
	public   bool
	accounts defect.Set
}

// throttle is kept per API: what sums up accounts.
type throttle struct {
	failures defect.Span
	slowed   defect.Refusals // attempts
	trials   defect.Trials   // attempts where a limit had to act, or did
	limited  int64           // when a limit was first seen to act
	public   bool
	backend  bool // an administrators' login: failures in a row count, however slow
	samples  defect.Samples
	// fired are accounts with an unthrottled run, and the longest run of all.
	fired   defect.Set
	longest run
	lucky   uint64 // runs that ended with the right password: no hidden lock
}

type run struct {
	n        int
	from, to int64
	guesses  int
	lucky    bool
}

func (r run) better(o run) bool {
	return cmp.Or(cmp.Compare(r.n, o.n), cmp.Compare(o.to-o.from, r.to-r.from), cmp.Compare(o.from, r.from)) > 0
}

// NewThrottle returns the detector.
func NewThrottle() *Throttle {
	return &Throttle{
		accounts: defect.NewTable[pair, account](maxAccounts), sources: defect.NewTable[pair, source](maxSources),
		apis: defect.NewStates[throttle](maxAPIs),
		once: sketch.NewRecent[attempt](maxOnce), onceFrom: sketch.NewRecent[visit](maxOnce),
	}
}

// classify says what an answer to a password means; 0 when it is no evidence.
func classify(ev *defect.Event) attemptKind {
	const limits = observe.SaysThrottled | observe.SaysLocked | observe.SaysCaptcha
	switch {
	case ev.Outcome == catalog.OutcomeThrottled || ev.MessageSays&limits != 0:
		return slowed
	case ev.OK:
		return passed
	case ev.Outcome != catalog.OutcomeRejected && ev.Outcome != catalog.OutcomeDenied:
		return 0
	case ev.MessageSays&(observe.SaysNotRegistered|observe.SaysNotFound) != 0 && ev.MessageSays&(observe.SaysWrongSecret|observe.SaysBadPair) == 0:
		return 0 // no password was checked
	}
	return failed
}

// Observe takes one event.
func (d *Throttle) Observe(ev *defect.Event) {
	if ev.Handle == 0 || len(ev.Passwords) == 0 || ev.API.Role != taxonomy.RoleLogin {
		return
	}
	subject := ev.Who.Subject
	if subject == 0 && len(ev.Accounts) > 0 {
		subject = ev.Accounts[0].Token
	}
	kind := classify(ev)
	if kind == 0 || subject == 0 {
		return
	}
	key := pair{ev.Handle, subject}
	a := d.accounts.Get(key)
	if kind == failed {
		t := d.apis.Ensure(ev.Handle)
		t.failures.Add(ev.End)
		t.public = t.public || !ev.Who.Private
		t.backend = t.backend || ev.Administrative()
		if e := t.samples.Show(ev, 0); e != nil {
			e.What, e.Status, e.Text = "defect.evidence.password_check", ev.Status, ev.Message
		}
	} else if kind == slowed {
		t := d.apis.Ensure(ev.Handle)
		t.slowed.Refuse(ev.End)
		if t.limited == 0 || ev.End < t.limited {
			t.limited = ev.End
		}
		t.trials.Count(ev.End, false)
	}
	at := attempt{at: ev.End, class: ev.Class(), size: pageSize(ev), kind: kind, tag: ev.Passwords[0].Tag}
	if a == nil {
		a = d.again(key, at)
	}
	if a != nil {
		if len(a.last) == ring {
			d.forgotten++
			copy(a.last, a.last[1:])
			a.last[ring-1] = at
		} else {
			a.last = append(a.last, at)
		}
		if r, ok := a.unlocked(len(a.last), d.backend(ev.Handle)); ok {
			t := d.note(ev.Handle, subject, r)
			t.slowed.Fire(ev.End)
			t.trials.Count(ev.End, true)
		}
	}
	d.source(ev, subject, kind)
}

// again gives the place of an account that fails for the second time, nil the
// first time.
func (d *Throttle) again(key pair, at attempt) *account {
	once := defect.Pair(uint64(key.api), key.key)
	first, seen := d.once.Get(once)
	switch {
	case at.kind != failed:
		if seen {
			d.once.Put(once, attempt{}) // whatever it was, it ends the run
		}
		return nil
	case first.kind != failed:
		d.once.Put(once, at)
		return nil
	}
	a := d.accounts.Ensure(key)
	a.last = append(a.last, first)
	return a
}

// backend reports a login of administrators, where failures in a row count
// whatever the time between them.
func (d *Throttle) backend(h catalog.Handle) bool {
	t := d.apis.Get(h)
	return t != nil && t.backend
}

// unlocked gives the run that ends at attempt end and reports whether a lock
// would have ended it.
func (a *account) unlocked(end int, backend bool) (run, bool) {
	if backend {
		r := a.run(end, math.MaxInt64)
		return r, r.n >= minFailures && r.guesses >= minGuesses
	}
	if r := a.run(end, window); r.n >= minFailures && r.guesses >= minGuesses {
		return r, true
	}
	r := a.run(end, slowWindow)
	return r, r.n >= minSlowFailures && r.guesses >= minSlowGuesses
}

func (d *Throttle) note(h catalog.Handle, subject uint64, r run) *throttle {
	t := d.apis.Ensure(h)
	t.fired.Add(subject)
	if r.better(t.longest) {
		t.longest = r
	}
	if r.lucky {
		t.lucky++
	}
	return t
}

// run gives the run of failures, all in one class and within the window, that
// ends at attempt end; a right password at its end does not break it.
func (a *account) run(end int, window int64) (r run) {
	i := end - 1
	if i >= 0 && a.last[i].kind == passed {
		r.lucky = true
		i--
	}
	if i < 0 || a.last[i].kind != failed {
		return run{}
	}
	if r.lucky && a.last[end-1].at-a.last[i].at > min(window, slowWindow) {
		return run{} // who comes back next week was not let through today
	}
	class, size := a.last[i].class, a.last[i].size
	r.to = a.last[i].at
	var tags [ring]uint32
	for ; i >= 0; i-- {
		x := &a.last[i]
		if x.kind != failed || x.class != class || r.to-x.at > window {
			break
		}
		if !alike(x.size, size) {
			// The page changed after some failures: it may well ask for a captcha
			// now, and then no password was checked.
			return run{}
		}
		r.n++
		r.from = x.at
	}
	if r.n < minFailures {
		return r
	}
	for _, x := range a.last[i+1 : i+1+r.n] {
		if r.guesses < len(tags) && !slices.Contains(tags[:r.guesses], x.tag) {
			tags[r.guesses] = x.tag
			r.guesses++
		}
	}
	return r
}

func (d *Throttle) source(ev *defect.Event, subject uint64, kind attemptKind) {
	key := pair{ev.Handle, ev.Source}
	s := d.sources.Get(key)
	if s == nil {
		if kind != failed {
			return
		}
		once := defect.Pair(uint64(key.api), key.key)
		first, seen := d.onceFrom.Get(once)
		if !seen {
			d.onceFrom.Put(once, visit{ev.End, subject, !ev.Who.Private})
			return
		}
		s = d.sources.Ensure(key)
		s.span.Add(first.at)
		s.accounts.Add(first.subject)
		s.public = first.public
	}
	switch kind {
	case failed:
		s.span.Add(ev.End)
		s.accounts.Add(subject)
		s.public = s.public || !ev.Who.Private
	case slowed:
		if ev.End-s.span.Last <= window { // one that acts later came later
			s.slowed++
		}
	case passed:
		s.passed++
	}
}

// unslowed reports the weaker form. People behind one address mostly log in
// with success, so failures must be nearly all there is.
func (s *source) unslowed() bool {
	return s.slowed == 0 && s.span.Count >= minSourceFailures && s.accounts.Count() >= minSourceAccounts &&
		s.passed*10 <= s.span.Count && s.perMinute() >= minPerMinute
}

func (s *source) perMinute() float64 {
	return float64(s.span.Count) / max(float64(s.span.Last-s.span.First)/float64(time.Minute), 1)
}

// Merge folds the state of one API into another.
func (d *Throttle) Merge(from, into catalog.Handle) {
	d.apis.Move(from, into, func(dst, src *throttle) {
		dst.failures.Fold(src.failures)
		dst.slowed.Fold(&src.slowed)
		dst.trials.Fold(&src.trials)
		if dst.limited == 0 || src.limited != 0 && src.limited < dst.limited {
			dst.limited = src.limited
		}
		dst.public = dst.public || src.public
		dst.backend = dst.backend || src.backend
		dst.samples.Fold(&src.samples)
		dst.fired.Union(&src.fired)
		if src.longest.better(dst.longest) {
			dst.longest = src.longest
		}
		dst.lucky += src.lucky
	})
	for _, k := range keysOf(d.accounts, from) {
		d.accounts.Move(k, pair{into, k.key}, func(dst, src *account) {
			joined := append(slices.Clone(dst.last), src.last...)
			slices.SortStableFunc(joined, func(a, b attempt) int { return cmp.Compare(a.at, b.at) })
			whole := account{joined}
			for end := 1; end <= len(joined); end++ {
				if r, ok := whole.unlocked(end, d.backend(into)); ok {
					d.note(into, k.key, r)
				}
			}
			dst.last = append(dst.last[:0], joined[max(0, len(joined)-ring):]...)
		})
	}
	for _, k := range keysOf(d.sources, from) {
		d.sources.Move(k, pair{into, k.key}, func(dst, src *source) {
			dst.span.Fold(src.span)
			dst.slowed += src.slowed
			dst.passed += src.passed
			dst.public = dst.public || src.public
			dst.accounts.Union(&src.accounts)
		})
	}
}

func keysOf[V any](t *defect.Table[pair, V], api catalog.Handle) (keys []pair) {
	t.Each(func(k pair, _ *V) {
		if k.api == api {
			keys = append(keys, k)
		}
	})
	return keys
}

// Findings reports what is known.
func (d *Throttle) Findings(r *defect.Report) {
	worst := map[catalog.Handle]*source{}
	d.sources.Each(func(k pair, s *source) {
		if !s.unslowed() {
			return
		}
		if w := worst[k.api]; w == nil || s.span.Count > w.span.Count || s.span.Count == w.span.Count && s.span.First < w.span.First {
			worst[k.api] = s
		}
	})
	d.apis.Each(func(h catalog.Handle, s *throttle) {
		if r.API(h) == nil {
			return
		}
		args := message.Args{"api": r.Name(h)}
		draft := defect.Draft{
			Kind: taxonomy.DefectNoThrottling, API: h, Samples: s.samples, Harm: taxonomy.High, HarmWhy: "defect.rating.h.guessing",
			Reach: defect.Reach{Public: s.public, Anonymous: true, Guessable: true}, Span: s.failures,
		}
		id := "defect.no_throttling.account"
		switch w := worst[h]; {
		case s.fired.Count() > 0:
			l := s.longest
			args["n"], args["accounts"], args["guesses"] = atLeast(l.n), s.fired.Number(), atLeast(l.guesses)
			args["minutes"] = int((l.to-l.from)/int64(time.Minute)) + 1
			draft.Trials = &s.trials
			draft.Confidence = defect.Confidence(0.7, defect.If(s.lucky > 0, 0.5), defect.If(s.fired.Count() >= 3, 0.4),
				defect.If(l.n >= 50, 0.35), defect.If(s.slowed.Before() == 0, 0.2))
			if s.slowed.Before() > 0 { // some limit exists; it did not act here
				draft.Confidence = min(draft.Confidence, 0.75)
			}
		case w != nil && (s.limited == 0 || s.limited > w.span.Last+window): // a limit that came later refutes nothing
			id = "defect.no_throttling.source"
			args["n"], args["accounts"], args["minutes"] = w.span.Count, w.accounts.Number(), int((w.span.Last-w.span.First)/int64(time.Minute))+1
			draft.Confidence = defect.Confidence(0.6, defect.If(w.span.Count >= 300, 0.2))
		default:
			return
		}
		draft.Reason = r.Text(id+".reason", args)
		draft.Advice = r.Text(id+".advice", args)
		if s.backend && s.fired.Count() > 0 {
			draft.Kind, draft.SubKey = taxonomy.DefectAdminWeakOrDefault, "no_lock"
			draft.Harm, draft.HarmWhy = taxonomy.Critical, "defect.rating.h.admin"
			draft.Reason = r.Text("defect.admin_weak_or_default.reason", message.Args{"api": r.Name(h), "reasons": r.Text("defect.admin_weak_or_default.reason.guessing", args)})
			draft.Advice = r.Text("defect.admin_weak_or_default.advice.guessing", args)
		}
		r.Add(draft)
	})
}

// atLeast words a count that ends where memory does.
func atLeast(n int) message.Text {
	t := defect.Number(uint64(n), true)
	if n >= ring {
		t.Zh, t.En = "至少 "+t.Zh, "at least "+t.En
	}
	return t
}

// Counters says what was dropped.
func (d *Throttle) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.throttle.apis", Count: d.apis.Evicted}, {What: "defect.throttle.accounts", Count: d.accounts.Evicted},
		{What: "defect.throttle.sources", Count: d.sources.Evicted}, {What: "defect.throttle.attempts", Count: d.forgotten},
		{What: "defect.throttle.once", Count: d.once.Evicted() + d.onceFrom.Evicted()}}
}

var _ defect.Detector = (*Throttle)(nil)
