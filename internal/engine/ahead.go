package engine

import (
	"slices"
	"strings"
	"sync/atomic"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
)

// ahead judges while the sources are being read. Finished files are nearly
// always in order already, so what an observer made goes to the judge as it
// is, and the merge of the sorter, which would read every observation again,
// is left out. It bets on three things: that no observation comes later than
// the window holds, that hosts become sites by what has been seen of them, and
// that one site at most does, since the budgets of judges depend on how many
// there are. The sorter keeps everything meanwhile: a bet that is lost costs
// what was judged, and the sorter's order is judged instead. Either way every
// judge sees the same observations in the same order.
type ahead struct {
	bench *bench
	in    chan numbered
	free  chan *observe.Batch
	done  chan struct{}
	off   atomic.Bool // given up

	next  uint64 // number of the batch whose turn it is
	early map[uint64]*observe.Batch
	open  []*reading
	last  observe.Observation // order key of what was judged last

	hosts  map[string]*hostCount // not admitted yet
	held   observe.Writer        // of those hosts, in order
	blocks [][]byte
	size   int // of the blocks
}

// numbered is what the observers made of the n-th batch of exchanges; no batch
// when it is lost.
type numbered struct {
	n     uint64
	batch *observe.Batch
}

// reading is a batch in the window, its observations in order.
type reading struct {
	batch *observe.Batch
	order []int32
}

func (r *reading) first() *observe.Observation { return r.batch.At(int(r.order[0])) }

const (
	aheadWindow = 3       // batches among which an observation may be late
	aheadHeld   = 4 << 20 // encoded bytes of hosts that are no sites yet
	aheadBlock  = 256 << 10
)

func newAhead(b *bench, workers int) *ahead {
	a := &ahead{
		bench: b, in: make(chan numbered, workers), free: make(chan *observe.Batch, 2*workers+aheadWindow+1), done: make(chan struct{}),
		early: map[uint64]*observe.Batch{}, hosts: map[string]*hostCount{},
	}
	for range cap(a.free) - workers { // each worker has one
		a.free <- &observe.Batch{}
	}
	go a.run()
	return a
}

// give takes a batch and gives an empty one for it. A nil ahead gives the batch
// back.
func (a *ahead) give(n uint64, b *observe.Batch) *observe.Batch {
	if a == nil || a.off.Load() {
		return b
	}
	a.in <- numbered{n, b}
	return <-a.free
}

// lose leaves the judging to the sorter's order, as the n-th batch will not be
// given whole. Others may be waiting for an empty batch while all are kept for
// after that one, so the judging must hear of it.
func (a *ahead) lose(n uint64) {
	if a != nil && !a.off.Swap(true) {
		a.in <- numbered{n: n}
	}
}

// giveUp leaves the judging to the sorter's order.
func (a *ahead) giveUp() { a.off.Store(true) }

func (a *ahead) run() {
	defer close(a.done)
	for x := range a.in {
		switch {
		case x.batch == nil: // lost
		case a.off.Load():
			a.release(x.batch)
		default:
			a.early[x.n] = x.batch
		}
		for b := a.early[a.next]; b != nil && !a.off.Load(); b = a.early[a.next] {
			delete(a.early, a.next)
			a.next++
			a.enter(b)
		}
		if a.off.Load() {
			a.drop()
		}
	}
}

// drop forgets what was judged.
func (a *ahead) drop() {
	for n, b := range a.early {
		delete(a.early, n)
		a.release(b)
	}
	for _, r := range a.open {
		a.release(r.batch)
	}
	a.bench, a.open, a.hosts, a.blocks, a.held = nil, nil, nil, nil, observe.Writer{}
}

func (a *ahead) release(b *observe.Batch) {
	b.Reset()
	a.free <- b
}

// enter takes the next batch into the window and judges what falls out of it.
func (a *ahead) enter(b *observe.Batch) {
	if b.Len() == 0 {
		a.release(b)
		return
	}
	r := &reading{batch: b, order: make([]int32, b.Len())}
	sorted := true
	for i := range r.order {
		r.order[i] = int32(i)
		sorted = sorted && (i == 0 || observe.Compare(b.At(i-1), b.At(i)) <= 0)
	}
	if !sorted {
		slices.SortFunc(r.order, func(x, y int32) int { return observe.Compare(b.At(int(x)), b.At(int(y))) })
	}
	a.open = append(a.open, r)
	a.shrink(aheadWindow)
}

// shrink judges the first observations of the window until it holds n batches.
func (a *ahead) shrink(n int) {
	for len(a.open) > n && !a.off.Load() {
		at := 0
		for i := 1; i < len(a.open); i++ {
			if observe.Compare(a.open[i].first(), a.open[at].first()) < 0 {
				at = i
			}
		}
		r := a.open[at]
		// up to where another batch is due
		limit := len(r.order)
		for i := range a.open {
			if i == at {
				continue
			}
			other := a.open[i].first()
			k, _ := slices.BinarySearchFunc(r.order[:limit], other, func(x int32, o *observe.Observation) int { return observe.Compare(r.batch.At(int(x)), o) })
			limit = k
		}
		limit = max(limit, 1)
		if observe.Compare(r.first(), &a.last) < 0 {
			a.giveUp() // it came too late
			return
		}
		for _, i := range r.order[:limit] {
			if a.observe(r.batch.At(int(i))); a.off.Load() {
				return
			}
		}
		l := r.batch.At(int(r.order[limit-1]))
		a.last.End, a.last.Ordinal, a.last.Seq, a.last.Part = l.End, l.Ordinal, l.Seq, l.Part
		if r.order = r.order[limit:]; len(r.order) == 0 {
			a.open = slices.Delete(a.open, at, at+1)
			a.release(r.batch)
		}
	}
}

// observe judges an observation, or holds it until its host is a site.
func (a *ahead) observe(o *observe.Observation) {
	b := a.bench
	if !b.namer.admitted[o.Host] && a.admit(o) {
		if len(b.namer.admitted) > 1 {
			a.giveUp()
			return
		}
		a.replay(o.Host)
	}
	if a.off.Load() {
		return
	}
	if a.known(o) {
		_ = b.observe(o) // never fails
		return
	}
	a.held.Append(o)
	if a.held.Size() >= aheadBlock {
		a.cut()
	}
	if a.size > aheadHeld {
		a.giveUp()
	}
}

// known reports whether what was seen so far says which site an observation
// belongs to. No host, as in most logs, is never one.
func (a *ahead) known(o *observe.Observation) bool {
	return o.Host == "" || a.configured(o) || a.bench.namer.admitted[o.Host]
}

// admit counts an observation of a host, and reports whether it makes the host
// a site for good. What the census decides at the end, such as whether clients
// are visible at all, is decided there.
func (a *ahead) admit(o *observe.Observation) bool {
	if o.Part > 0 || o.Aside != exchange.AsideNone || o.Status < 200 || o.Status >= 400 || o.Host == "" {
		return false
	}
	h := a.hosts[o.Host]
	if h == nil {
		if len(a.hosts) >= maxHosts {
			a.giveUp() // the census forgets hosts
			return false
		}
		h = &hostCount{}
		a.hosts[strings.Clone(o.Host)] = h
	}
	h.good++
	h.client(o.Client.Addr())
	if h.good < admitResponses || h.known < admitClients {
		return false
	}
	a.bench.namer.admitted[strings.Clone(o.Host)] = true
	return true
}

func (a *ahead) cut() {
	if a.held.Len() > 0 {
		a.blocks = append(a.blocks, a.held.Finish(nil))
		a.size += len(a.blocks[len(a.blocks)-1])
	}
}

// replay judges what was held of a host that became a site.
func (a *ahead) replay(host string) {
	if a.bench.judges[host] != nil {
		a.giveUp() // a configured site of that name has judged other hosts already
		return
	}
	a.each(func(o *observe.Observation) {
		if o.Host == host && !a.configured(o) {
			_ = a.bench.observe(o)
		}
	})
}

func (a *ahead) configured(o *observe.Observation) bool {
	n := a.bench.namer
	if n.only != "" || o.Site != "" {
		return true
	}
	_, ok := n.configured(o.Host)
	return ok
}

// each goes over what is held.
func (a *ahead) each(fn func(o *observe.Observation)) {
	a.cut()
	var b observe.Batch
	for _, block := range a.blocks {
		b.Reset()
		if err := b.Decode(block); err != nil {
			a.giveUp()
			return
		}
		for i := range b.Len() {
			fn(b.At(i))
		}
	}
}

// stop waits until everything given was judged or dropped. It may be called
// again.
func (a *ahead) stop() {
	if a == nil || a.in == nil {
		return
	}
	close(a.in)
	<-a.done
	a.in = nil
}

// finish judges the rest and gives the judges, nil when the sorter's order has
// to be judged. admitted is what the census says of the whole input.
func (a *ahead) finish(admitted map[string]bool) *bench {
	if a == nil {
		return nil
	}
	a.stop()
	if a.shrink(0); a.off.Load() || len(admitted) > 1 {
		return nil
	}
	b := a.bench
	for host := range b.namer.admitted {
		if !admitted[host] {
			return nil
		}
	}
	judged := b.namer.admitted
	b.namer.admitted = admitted
	before := map[string]bool{}
	for name := range b.judges {
		before[name] = true
	}
	a.each(func(o *observe.Observation) {
		switch {
		case judged[o.Host]:
		case before[b.namer.site(o)]:
			a.giveUp() // the site has judged later ones
		default:
			_ = b.observe(o)
		}
	})
	if a.off.Load() || len(b.judges) >= maxJudges {
		return nil
	}
	return b
}
