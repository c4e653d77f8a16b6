// Package visit lets people and programs use an HTTP service in virtual time
// and turns every request and answer into an exchange.
//
// It takes an http.Handler and scripts with a start time; it gives exchanges to
// a sink, in order of their start. Scripts are plain sequential code: ask, wait,
// ask. The handler is called in process, one request at a time, and sees the
// virtual clock. Invariant: the same seed and scripts, the same bytes. Limits:
// MaxActors scripts at a time; what finds no room is refused and counted.
package visit

import (
	"container/heap"
	"errors"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"time"

	"xiezhi/internal/exchange"
)

// MaxActors bounds the scripts that run at the same time.
const MaxActors = 10_000

// Event is one exchange and who made it.
type Event struct {
	Exchange *exchange.Exchange // valid until the sink returns
	Actor    string             // the role its script has: "driver", "monitor"
}

// Sink takes events in order of start. An error ends the play.
type Sink func(*Event) error

// Config is one service with its surroundings.
type Config struct {
	Host    string
	Address netip.Addr // of the service
	Handler http.Handler
	Seed    uint64
	Clock   *Clock   // shared with the service
	Prefix  string   // of the ids of exchanges
	Dialect *Dialect // nil: as the service speaks
	Sink    Sink
}

// Clock is the virtual time. A service reads it, and spends what it works.
type Clock struct {
	now   time.Time
	spent time.Duration
}

// Now is the virtual time.
func (c *Clock) Now() time.Time { return c.now }

// Spend makes the answer to the running request come later.
func (c *Clock) Spend(d time.Duration) { c.spent += d }

// Set moves the time, before the play begins.
func (c *Clock) Set(t time.Time) { c.now = t }

// World is the running play. It serves one goroutine.
type World struct {
	Refused uint64 // scripts that found no room

	cfg    Config
	agenda agenda
	actors uint64
	calls  uint64
	err    error
	x      exchange.Exchange
}

// New opens a world.
func New(cfg Config) *World { return &World{cfg: cfg} }

// errStopped unwinds a script when the play ends early.
var errStopped = errors.New("visit: stopped")

// Enter lets somebody start a script at a time. Its randomness is its own: it
// depends on the seed and on how many came before.
func (w *World) Enter(at time.Time, role string, c *Client, script func(*Actor)) {
	if len(w.agenda) >= MaxActors {
		w.Refused++
		return
	}
	w.actors++
	a := &Actor{Client: c, Rand: rand.New(rand.NewPCG(w.cfg.Seed^0x766973697472, w.actors)), world: w, role: role, at: at, order: w.actors}
	a.next, a.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil && r != errStopped { //nolint:errorlint // our own sentinel
				panic(r)
			}
		}()
		a.yield = yield
		script(a)
	})
	heap.Push(&w.agenda, a)
}

// Play runs every script up to a time.
func (w *World) Play(until time.Time) error {
	for len(w.agenda) > 0 && w.err == nil {
		a := w.agenda[0]
		if !a.at.Before(until) {
			break
		}
		if _, more := a.next(); more {
			heap.Fix(&w.agenda, 0)
		} else {
			heap.Pop(&w.agenda)
		}
	}
	return w.err
}

// Close ends the scripts that still run.
func (w *World) Close() {
	for _, a := range w.agenda {
		a.stop()
	}
	w.agenda = nil
}

// agenda is a heap of actors by time, then by order of entry.
type agenda []*Actor

func (g agenda) Len() int { return len(g) }
func (g agenda) Less(i, j int) bool {
	if !g[i].at.Equal(g[j].at) {
		return g[i].at.Before(g[j].at)
	}
	return g[i].order < g[j].order
}
func (g agenda) Swap(i, j int) { g[i], g[j] = g[j], g[i] }
func (g *agenda) Push(x any)   { *g = append(*g, x.(*Actor)) }
func (g *agenda) Pop() any {
	old := *g
	a := old[len(old)-1]
	*g = old[:len(old)-1]
	return a
}
