package live

import (
	"sync"

	"xiezhi/internal/exchange"
)

// queue holds exchanges on their way from the decoders to the sink, up to a
// number of bytes. Where there is no room a decoder goes on and the exchange
// is dropped: a packet left unread would cost every connection its place, an
// exchange costs only itself.
type queue struct {
	mu     sync.Mutex
	wake   sync.Cond // something was added or taken
	list   []*exchange.Batch
	free   []*exchange.Batch
	bytes  int64 // of the list and of what the sink is reading
	max    int64
	shed   uint64
	closed bool
}

const (
	batchExchanges = 128
	batchBytes     = 256 << 10
	maxSpare       = 64
	exchangeBytes  = 1536 // of an exchange beside its text, about
)

// cost is what a batch takes of memory.
func cost(b *exchange.Batch) int64 { return b.Bytes() + int64(b.Len())*exchangeBytes }

func newQueue(limit int64) *queue {
	q := &queue{max: limit}
	q.wake.L = &q.mu
	return q
}

// writer is one decoder's way in.
type writer struct {
	q       *queue
	b       *exchange.Batch
	patient bool // wait for room
}

func (q *queue) writer() *writer { return &writer{q: q} }

// put copies x.
func (w *writer) put(x *exchange.Exchange) error {
	if w.b == nil {
		w.b = w.q.spare()
	}
	w.b.Append(x)
	if w.b.Len() >= batchExchanges || w.b.Bytes() >= batchBytes {
		w.flush()
	}
	return nil
}

// flush hands over what was put.
func (w *writer) flush() {
	if w.b == nil || w.b.Len() == 0 {
		return
	}
	q, n := w.q, cost(w.b)
	q.mu.Lock()
	defer q.mu.Unlock()
	for w.patient && q.bytes > 0 && q.bytes+n > q.max {
		q.wake.Wait()
	}
	if q.bytes > 0 && q.bytes+n > q.max {
		q.shed += uint64(w.b.Len())
		w.b.Reset()
		return
	}
	q.bytes += n
	q.list = append(q.list, w.b)
	w.b = nil
	q.wake.Broadcast()
}

func (q *queue) spare() *exchange.Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.free); n > 0 {
		b := q.free[n-1]
		q.free = q.free[:n-1]
		return b
	}
	return &exchange.Batch{}
}

// pop waits for the next batch; nil when the queue is closed and empty.
func (q *queue) pop() *exchange.Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.list) == 0 {
		if q.closed {
			return nil
		}
		q.wake.Wait()
	}
	b := q.list[0]
	q.list = q.list[1:]
	return b
}

// done takes a batch back after it was read.
func (q *queue) done(b *exchange.Batch) {
	n := cost(b)
	b.Reset()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes -= n
	if len(q.free) < maxSpare && n <= 2*batchBytes {
		q.free = append(q.free, b)
	}
	q.wake.Broadcast()
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake.Broadcast()
}
