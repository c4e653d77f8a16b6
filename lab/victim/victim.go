// Package victim holds real HTTP services with defects that can be switched on
// and off, people and programs that use them, and the score of what an analysis
// finds there.
//
// An App gives a service and its public for an Env; Run plays some weeks of
// them in virtual time and gives exchanges; Judge compares a report with what
// was switched on. Invariant: same seed, same bytes; the triggers of every flaw
// occur whether it is on or off. Limits: what a play holds grows with a day's
// visits.
package victim

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"xiezhi/internal/policy"
	"xiezhi/lab/people"
	"xiezhi/lab/victim/visit"
)

// Env is what a service may know of the world.
type Env struct {
	Now   func() time.Time
	Spend func(time.Duration) // makes the running answer come later
	Rand  *rand.Rand
	Town  *people.Town
	// On is asked with every request that would show the flaw, and with no other:
	// a flaw may be mended while the service runs, and that it was asked is the
	// truth about the exchange.
	On func(flaw string) bool
}

// App is one application.
type App struct {
	Name     string // of the site
	Host     string
	Industry string
	Days     int // a play lasts
	Flaws    []Flaw
	Policy   *policy.File // what its operator decided; may be nil
	New      func(Env) Service

	// Dialects are ways in which teams name things; the seed chooses one. Empty:
	// as the service speaks.
	Dialects []*visit.Dialect
}

// Dialect is the way things are named in a play of a seed; nil: as the service
// speaks.
func (a *App) Dialect(seed uint64) *visit.Dialect {
	if len(a.Dialects) == 0 {
		return nil
	}
	return a.Dialects[seed%uint64(len(a.Dialects))]
}

// Speak gives the application with the templates of its signs and of its policy
// as they are in a play of a seed.
func (a *App) Speak(seed uint64) *App {
	d := a.Dialect(seed)
	if d == nil {
		return a
	}
	out := *a
	out.Flaws = nil
	for _, f := range a.Flaws {
		f.Signs = slices.Clone(f.Signs)
		for i := range f.Signs {
			f.Signs[i].Template = d.Path(f.Signs[i].Template)
		}
		out.Flaws = append(out.Flaws, f)
	}
	if a.Policy != nil {
		p := *a.Policy
		p.Approvals = slices.Clone(p.Approvals)
		for i := range p.Approvals {
			p.Approvals[i].Template = d.Path(p.Approvals[i].Template)
		}
		out.Policy = &p
	}
	return &out
}

// Service is a running application: what answers, and who comes on a day.
type Service struct {
	http.Handler
	Day func(w *visit.World, midnight time.Time, r *rand.Rand)
}

// Flaw is one switch and how it shows.
type Flaw struct {
	Name  string
	Signs []Sign
}

// Sign is one finding that a flaw gives. Empty fields match anything; a
// template's parameters match whatever they are called.
type Sign struct {
	Kinds     []string // any of them names it rightly
	Component string
	Method    string
	Template  string
	Extra     bool // right when it is reported, and not missed when it is not
}

// Config is one play of one application.
type Config struct {
	App  *App
	Seed uint64
	On   func(flaw string, at time.Time) bool
	// Until, when set, ends the play early.
	Until time.Time
}

// Start is when a play begins: a Monday.
var Start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.FixedZone("CST", 8*3600))

// End is when a play of the application is over.
func (a *App) End() time.Time { return Start.AddDate(0, 0, a.Days) }

// Half is the middle of a play.
func (a *App) Half() time.Time { return Start.AddDate(0, 0, a.Days/2) }

// Always switches every flaw on.
func Always(string, time.Time) bool { return true }

// Never switches every flaw off.
func Never(string, time.Time) bool { return false }

// Event is one exchange with its truth.
type Event struct {
	*visit.Event
	Shown   []string // flaws that showed in it
	Refused []string // flaws that would have shown, had they been on
}

// Run plays the application and hands every exchange to the sink.
func Run(cfg Config, sink func(*Event) error) error {
	clock := &visit.Clock{}
	clock.Set(Start)
	seed := cfg.Seed
	for _, c := range cfg.App.Name {
		seed = seed*1_000_003 + uint64(c)
	}
	var ev Event
	answering := false
	service := cfg.App.New(Env{Now: clock.Now, Spend: clock.Spend, Rand: rand.New(rand.NewPCG(seed, 0x73657276696365)), Town: people.New(cfg.Seed),
		On: func(flaw string) bool {
			on := cfg.On(flaw, clock.Now())
			list := &ev.Refused
			if on {
				list = &ev.Shown
			}
			if answering && !slices.Contains(*list, flaw) {
				*list = append(*list, flaw)
			}
			return on
		}})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ev.Shown, ev.Refused = ev.Shown[:0], ev.Refused[:0]
		answering = true
		service.ServeHTTP(w, r)
		answering = false
	})
	w := visit.New(visit.Config{Host: cfg.App.Host, Address: netip.AddrFrom4([4]byte{198, 51, 100, 10}), Handler: handler, Seed: seed, Clock: clock, Prefix: cfg.App.Name, Dialect: cfg.App.Dialect(cfg.Seed),
		Sink: func(e *visit.Event) error {
			ev.Event = e
			return sink(&ev)
		}})
	defer w.Close()
	days := rand.New(rand.NewPCG(seed, 0x64617973))
	for d := range cfg.App.Days {
		midnight := Start.AddDate(0, 0, d)
		if !cfg.Until.IsZero() && !midnight.Before(cfg.Until) {
			break
		}
		service.Day(w, midnight, days)
		if err := w.Play(midnight.AddDate(0, 0, 1)); err != nil {
			return err
		}
	}
	if w.Refused() > 0 {
		return fmt.Errorf("%s: %d visits found no room", cfg.App.Name, w.Refused())
	}
	return nil
}

// Live gives the application as a service of the real world: it runs by the
// real clock and takes every connection for one whose TLS ended before it.
func Live(app *App, seed uint64, on func(flaw string) bool) http.Handler {
	service := app.New(Env{Now: time.Now, Spend: time.Sleep, Rand: rand.New(rand.NewPCG(seed, 0x6c697665)), Town: people.New(seed), On: on})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			r.TLS = &tls.ConnectionState{}
		}
		service.ServeHTTP(w, r)
	})
}
