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
	"net/http"
	"net/netip"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/lab/agenda"
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
	cfg    Config
	agenda agenda.Agenda
	calls  uint64
	err    error
	x      exchange.Exchange
}

// New opens a world.
func New(cfg Config) *World {
	return &World{cfg: cfg, agenda: agenda.Agenda{Seed: cfg.Seed ^ 0x766973697472, Cap: MaxActors}}
}

// Enter lets somebody start a script at a time.
func (w *World) Enter(at time.Time, role string, c *Client, script func(*Actor)) {
	a := &Actor{Client: c, world: w, role: role}
	w.agenda.Enter(&a.Turn, at, func() { script(a) })
}

// Play runs every script up to a time.
func (w *World) Play(until time.Time) error {
	w.agenda.Play(until, func() bool { return w.err == nil })
	return w.err
}

// Refused is how many scripts found no room.
func (w *World) Refused() uint64 { return w.agenda.Refused }

// Close ends the scripts that still run.
func (w *World) Close() { w.agenda.Close() }
