package api

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// throttle slows down who tries to sign in in vain. It looks at three things,
// so that neither an account can be tried from many addresses nor many accounts
// from one, and so that nobody is locked out of an account for long by somebody
// else: the account from this network, the network, the account.
type throttle struct {
	mu    sync.Mutex
	byKey map[throttleKey]*list.Element
	order *list.List // of *tries, the latest failure in front
}

type throttleKey struct {
	account string
	net     netip.Prefix
}

type tries struct {
	key   throttleKey
	count int
	last  time.Time
	until time.Time
}

// Rules of throttling.
const (
	maxThrottled = 10_000           // keys; the one that failed the longest time ago is forgotten
	forgetAfter  = 15 * time.Minute // without a failure, a key is as new
	freePair     = 5                // failures of one account from one network before waiting begins
	freeNet      = 30               // of one network
	freeAccount  = 30               // of one account from anywhere
	longestWait  = 15 * time.Minute // of an account from one network, and of a network; doubling from one second
	longestLock  = time.Minute      // of an account from anywhere: others must not lock its owner out
)

func newThrottle() *throttle {
	return &throttle{byKey: map[throttleKey]*list.Element{}, order: list.New()}
}

type limit struct {
	key  throttleKey
	free int
	most time.Duration
}

func limits(account string, from netip.Addr) []limit {
	bits := 32
	if from.Is6() {
		bits = 64 // one subscriber has at least this much
	}
	p, _ := from.Prefix(bits) // of no address: none
	return []limit{
		{throttleKey{account, p}, freePair, longestWait},
		{throttleKey{net: p}, freeNet, longestWait},
		{throttleKey{account: account}, freeAccount, longestLock},
	}
}

// wait says how long somebody has to wait before the next try, and counts it
// as a failure unless it is to wait: success takes it back. So tries at the
// same time do not get around it. begins says that whoever tries this account
// from this network has to wait from now on.
func (t *throttle) wait(account string, from netip.Addr, now time.Time) (wait time.Duration, begins bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var longest time.Duration
	for _, l := range limits(account, from) {
		if e := t.byKey[l.key]; e != nil {
			longest = max(longest, e.Value.(*tries).until.Sub(now))
		}
	}
	if longest > 0 {
		return longest, false
	}
	for i, l := range limits(account, from) {
		if n := t.failed(l, now); i == 0 {
			begins = n == l.free
		}
	}
	return 0, begins
}

// failed counts a failure and gives how many there are.
func (t *throttle) failed(l limit, now time.Time) int {
	e := t.byKey[l.key]
	if e == nil {
		if t.order.Len() >= maxThrottled {
			old := t.order.Back()
			delete(t.byKey, old.Value.(*tries).key)
			t.order.Remove(old)
		}
		e = t.order.PushFront(&tries{key: l.key})
		t.byKey[l.key] = e
	}
	x := e.Value.(*tries)
	if now.Sub(x.last) > forgetAfter {
		x.count = 0
	}
	x.count++
	x.last = now
	if n := x.count - l.free; n >= 0 {
		x.until = now.Add(min(l.most, time.Second<<min(n, 20)))
	}
	t.order.MoveToFront(e)
	return x.count
}

// passed takes back what wait counted, and forgets the account's failures from
// this network.
func (t *throttle) passed(account string, from netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, l := range limits(account, from) {
		e := t.byKey[l.key]
		if e == nil {
			continue
		}
		x := e.Value.(*tries)
		if x.count--; i == 0 || x.count <= 0 {
			delete(t.byKey, l.key)
			t.order.Remove(e)
		} else if x.count < l.free {
			x.until = time.Time{}
		}
	}
}
