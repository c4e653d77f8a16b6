package wire

import "time"

// arrive takes the next bytes of a direction from the transport: to TLS where
// there is any, else to HTTP.
func (d *Decoder) arrive(f *flow, dir int, b []byte) {
	f.h[dir].bytes += int64(len(b))
	if f.tls != nil {
		d.tlsData(f, f.tls, dir, b)
		return
	}
	d.data(f, dir, b)
}

// arriveHole tells that the next n bytes of a direction are missing.
func (d *Decoder) arriveHole(f *flow, dir int, n int64) {
	f.h[dir].bytes += n
	if f.tls != nil {
		d.tlsHole(f, f.tls, dir, n)
		return
	}
	d.hole(f, dir, n)
}

// arriveEnd tells that the sender has finished; cut, that it may not have.
func (d *Decoder) arriveEnd(f *flow, dir int, cut bool) {
	if f.tls != nil {
		d.tlsEnd(f, f.tls, dir, cut)
		return
	}
	if cut {
		d.cutOff(f, dir)
	} else {
		d.end(f, dir)
	}
}

// startTLS puts a TLS connection on what a flow carries, in whose direction
// dir a ClientHello begins with old and goes on with b.
func (d *Decoder) startTLS(f *flow, dir int, old, b []byte) {
	t := &tlsConn{client: dir, weighs: true}
	d.kept += tlsWeight
	at := &f.tls
	for *at != nil {
		t.depth++
		at = &(*at).inner
	}
	*at = t
	for i := range f.h {
		h := &f.h[i]
		h.state, h.syn = sStart, true
		if i != dir && h.cur != nil {
			d.freeMessage(h.cur)
			h.cur = nil
		}
	}
	if t.depth >= maxTLSDepth {
		d.goBlind(f, t, blindNested)
		return
	}
	d.tlsData(f, t, dir, old)
	d.tlsData(f, t, dir, b)
}

// goBlind stops reading a connection of which nothing could be read.
func (d *Decoder) goBlind(f *flow, t *tlsConn, why blindness) {
	if t.blind {
		return
	}
	t.blind = true
	f.protocol, f.why = "tls", why
	for i := range f.h {
		f.h[i].state = sOpaque
	}
	d.dropTLS(t)
	if f.tls == t {
		f.tls = nil // nothing of it is needed any more
	}
}

// dropTLS lets go of what a connection holds.
func (d *Decoder) dropTLS(t *tlsConn) {
	for ; t != nil; t = t.inner {
		if t.weighs {
			t.weighs = false
			d.kept -= tlsWeight
		}
		for i := range t.dir {
			d.unbuffer(&t.dir[i])
		}
		d.parked -= int64(len(t.parked.data))
		t.parked, t.held, t.parks = events{}, events{}, false
	}
}

func (d *Decoder) innerData(f *flow, t *tlsConn, dir int, b []byte) {
	t.carried += int64(len(b))
	if t.inner != nil {
		d.tlsData(f, t.inner, dir, b)
		return
	}
	d.data(f, dir, b)
}

func (d *Decoder) innerHole(f *flow, t *tlsConn, dir int, n int64) {
	if t.inner != nil {
		d.tlsHole(f, t.inner, dir, n)
		return
	}
	d.hole(f, dir, n)
}

func (d *Decoder) innerEnd(f *flow, t *tlsConn, dir int) {
	if t.inner != nil {
		d.tlsEnd(f, t.inner, dir, false)
		return
	}
	d.end(f, dir)
}

// tlsEnd tells one direction of a TLS connection that nothing more comes.
func (d *Decoder) tlsEnd(f *flow, t *tlsConn, dir int, cut bool) {
	h := &t.dir[dir]
	if t.parks && !t.blind {
		kind := eventEnd
		if cut {
			kind = eventCut
		}
		if d.park(f, t, event{dir: dir, kind: kind, ts: d.ts}, nil) {
			return
		}
	}
	if h.lost && !h.dead && t.opened {
		d.giveUp(f, t, dir) // what came behind the hole was never found again
	}
	d.unbuffer(h)
	switch {
	case t.inner != nil:
		d.tlsEnd(f, t.inner, dir, cut)
	case cut:
		d.cutOff(f, dir)
	default:
		d.end(f, dir)
	}
}

// innermost is the TLS connection that carries the plaintext in hand.
func (f *flow) innermost() *tlsConn {
	t := f.tls
	for t != nil && t.inner != nil && !t.inner.blind {
		t = t.inner
	}
	return t
}

// settleTLS ends the TLS of a finished flow; it says true when the flow's fate
// must wait for secrets that may still come.
func (d *Decoder) settleTLS(f *flow) (waits bool) {
	t := f.tls
	if t == nil {
		return false
	}
	for t.inner != nil {
		t = t.inner
	}
	if t.parks {
		return true
	}
	if !t.opened && !t.blind {
		f.protocol, f.why = "tls", t.why()
	}
	return false
}

// quiet reports a TLS connection that was read and carried nothing.
func (f *flow) quiet() bool {
	t := f.innermost()
	return t != nil && t.opened && t.carried == 0
}

const (
	tlsWeight    = 3 << 10          // what a connection and its keys take, about
	maxEarly     = 64 << 10         // bytes of 0-RTT data held per connection
	maxPark      = 256 << 10        // bytes held per connection whose secrets may still come
	maxParkTotal = 64 << 20         // the same over all connections
	maxEvents    = 4096             // pieces of it per connection
	parkTime     = 30 * time.Second // for which they are waited for
)

// events are bytes, holes and ends in the order in which they came.
type events struct {
	list []event
	data []byte
}

type event struct {
	dir  int
	kind eventKind
	ts   int64
	n    int64 // bytes in data, or missing
}

type eventKind uint8

const (
	eventData eventKind = iota
	eventHole
	eventEnd
	eventCut
)

func (e *events) add(x event, b []byte) {
	if x.kind == eventData {
		x.n = int64(len(b))
	}
	e.list = append(e.list, x)
	e.data = append(e.data, b...)
}

// keep adds bytes up to a bound, and what is beyond it as a hole.
func (e *events) keep(x event, b []byte, bound int) {
	if len(e.data)+len(b) <= bound {
		e.add(x, b)
		return
	}
	if n := len(e.list); n == 0 || e.list[n-1].kind != eventHole {
		x.kind, x.n = eventHole, holeUnknown
		e.list = append(e.list, x)
	}
}

func (e *events) each(f func(x event, b []byte)) {
	at := int64(0)
	for _, x := range e.list {
		var b []byte
		if x.kind == eventData {
			b = e.data[at : at+x.n : at+x.n]
			at += x.n
		}
		f(x, b)
	}
}

// mayWait reports whether secrets may come after the packets that need them.
func (d *Decoder) mayWait() bool {
	return d.cfg.Keys.growing() || d.cfg.Keys != nil && d.cfg.AwaitKeys
}

// lookUp fetches the secrets of a connection; true when they are all there.
func (d *Decoder) lookUp(t *tlsConn) bool {
	k := d.cfg.Keys
	if k == nil {
		return false
	}
	if s, ok := k.find(&t.random); ok && s.complete() {
		t.secrets, t.keyed = s, true
		return true
	}
	if k.more != nil {
		k.more(false)
	}
	t.looked = k.version.Load()
	s, ok := k.find(&t.random)
	if ok {
		t.secrets, t.keyed = s, true
	}
	return ok && s.complete()
}

// park holds what cannot be read yet, unless its secrets have come, or it has
// waited too long: then it says false, and the connection does not wait any
// more.
func (d *Decoder) park(f *flow, t *tlsConn, e event, b []byte) bool {
	switch k := d.cfg.Keys; {
	case k.more == nil && k.version.Load() == t.looked:
	case d.lookUp(t):
		d.unpark(f, t)
		return t.parks
	}
	if len(t.parked.data)+len(b) > maxPark || d.parked+int64(len(b)) > maxParkTotal ||
		len(t.parked.list) >= maxEvents || d.ts-t.since > int64(parkTime) {
		d.stats.KeysLate++
		d.unpark(f, t)
		return false
	}
	t.parked.add(e, b)
	d.parked += int64(len(b))
	return true
}

// unpark goes on with what was held, with whatever secrets there are.
func (d *Decoder) unpark(f *flow, t *tlsConn) {
	held := t.parked
	t.parked, t.parks = events{}, false
	d.parked -= int64(len(held.data))
	if !t.keyed {
		d.goBlind(f, t, blindNoKey)
		return
	}
	now := d.ts
	held.each(func(e event, b []byte) {
		d.ts = e.ts
		switch e.kind {
		case eventData:
			d.tlsData(f, t, e.dir, b)
		case eventHole:
			d.tlsHole(f, t, e.dir, e.n)
		default:
			d.tlsEnd(f, t, e.dir, e.kind == eventCut)
		}
	})
	d.ts = now
}

// conclude gives out what a finished flow still holds and books it.
func (d *Decoder) conclude(f *flow) {
	d.settleTLS(f)
	d.settle(f)
	d.account(f)
	d.dropTLS(f.tls)
	f.tls = nil
}

// postpone keeps a finished flow whose secrets may still come.
func (d *Decoder) postpone(f *flow) {
	f.waits = len(d.waiting) + 1
	d.waiting = append(d.waiting, f)
}

// resolve decides about a postponed flow. Unless it must be decided now, it
// goes on waiting when its secrets are not there.
func (d *Decoder) resolve(f *flow, now bool) {
	t := f.tls
	for t != nil && t.inner != nil {
		t = t.inner
	}
	if t != nil {
		if !d.lookUp(t) && !now {
			return
		}
		d.unpark(f, t)
	}
	last := d.waiting[len(d.waiting)-1]
	d.waiting[f.waits-1], last.waits = last, f.waits
	d.waiting = d.waiting[:len(d.waiting)-1]
	f.waits = 0
	d.conclude(f)
}

// recheck looks for the secrets of finished flows.
func (d *Decoder) recheck() {
	for i := len(d.waiting) - 1; i >= 0; i-- {
		d.resolve(d.waiting[i], false)
	}
}
