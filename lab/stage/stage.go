// Package stage plays the scripts of the lab's actors against its applications
// in the order of simulated time and turns every call into an HTTP exchange.
//
// A script is plain sequential code: call, wait, call. It takes actors with a
// start time and gives exchanges with their labels to a sink. Invariant: the
// exchanges come in order of their start; the same seed gives the same bytes.
// Limits: at most MaxActors scripts run at a time; a script that finds no room
// is refused and counted.
package stage

import (
	"fmt"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/lab/agenda"
	"xiezhi/lab/scene"
)

// MaxActors bounds the scripts that run at the same time.
const MaxActors = 50_000

// Label is the truth about one exchange. The zero Label is honest.
type Label struct {
	Attack   string // id of the attack it belongs to
	Kind     string // attack kind of the taxonomy
	Campaign string // gang; without an attack: what a gang does beside, signing in, say
	Event    string // the honest event it belongs to, "" none
	Actor    string // who plays
}

// Event is one exchange with its truth.
type Event struct {
	Exchange *exchange.Exchange // valid until the sink returns
	App      *scene.App
	API      *scene.API // nil when the path is none of the application's
	Label    Label
	Blocked  bool // refused by a control
	Gained   int  // subjects, accounts or goods that the answer gave
	OK       bool // the application did what was asked, or told it
}

// Sink takes events in order of start. An error ends the play.
type Sink func(*Event) error

// Script is what an actor does.
type Script func(*Actor)

// Stage is the running play. It serves one goroutine.
type Stage struct {
	Apps []*scene.App

	seed   uint64
	sink   Sink
	agenda agenda.Agenda
	calls  uint64
	err    error
	buf    buffers
}

// New opens a stage.
func New(seed uint64, apps []*scene.App, sink Sink) *Stage {
	return &Stage{Apps: apps, seed: seed, sink: sink, agenda: agenda.Agenda{Seed: seed ^ 0x6163746f72, Cap: MaxActors}}
}

// App gives an application by name.
func (s *Stage) App(name string) *scene.App {
	for _, a := range s.Apps {
		if a.Name == name {
			return a
		}
	}
	panic("stage: no application " + name) // a script's mistake, never input
}

// Enter lets an actor start its script at a time.
func (s *Stage) Enter(at time.Time, app *scene.App, client *Client, label Label, script Script) {
	a := &Actor{Stage: s, App: app, Client: client, Label: label}
	s.agenda.Enter(&a.Turn, at, func() { script(a) })
}

// Play runs every script up to a time.
func (s *Stage) Play(until time.Time) error {
	s.agenda.Play(until, func() bool { return s.err == nil })
	return s.err
}

// Refused is how many scripts found no room.
func (s *Stage) Refused() uint64 { return s.agenda.Refused }

// Close ends the scripts that still run.
func (s *Stage) Close() { s.agenda.Close() }

// Actor is one running script.
type Actor struct {
	*Stage
	agenda.Turn
	App     *scene.App
	Client  *Client
	Label   Label
	Session *scene.Session
	Referer string
	Spoils  int // what any success gives whoever plays: the data of a stolen account
}

// F makes fields of words and values in turn.
func F(pairs ...string) scene.Fields {
	out := make(scene.Fields, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, scene.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

// Call asks an API of the application and waits for the answer. An application
// without such an API answers nothing: scripts ask Has before.
func (a *Actor) Call(name string, fields scene.Fields) scene.Answer {
	api := a.App.Find(name)
	if api == nil {
		return scene.Answer{}
	}
	call := &scene.Call{API: api, Now: a.Now(), From: a.Client.Addr, Fields: fields, Session: a.Session, Origin: a.Client.Origin}
	at := a.Now()
	if a.Client.Change != nil {
		a.Client.Change(at, a.Rand, a.Client)
		call.From = a.Client.Addr
	}
	ans := a.App.Serve(call)
	a.send(api, call, &ans, "", "")
	if ans.Token != "" { // shown from the next request on
		a.Session = &scene.Session{Account: ans.Account, Token: ans.Token, Until: at.Add(11 * time.Hour)}
	}
	return ans
}

// Visit asks for a path that need not be an API: what a scanner or a robot
// does. What the application does not know gives 404.
func (a *Actor) Visit(method, target string) int {
	if a.Client.Change != nil {
		a.Client.Change(a.Now(), a.Rand, a.Client)
	}
	if api := a.App.Route(method, target); api != nil {
		call := &scene.Call{API: api, Now: a.Now(), From: a.Client.Addr}
		ans := a.App.Serve(call)
		a.send(api, call, &ans, method, target)
		return ans.Status
	}
	ans := a.App.Missing(target)
	a.send(nil, &scene.Call{Now: a.Now(), From: a.Client.Addr}, &ans, method, target)
	return ans.Status
}

// send makes the exchange, hands it on and waits for the answer's time.
func (a *Actor) send(api *scene.API, call *scene.Call, ans *scene.Answer, method, target string) {
	s := a.Stage
	s.calls++
	took := time.Duration(18+a.Rand.ExpFloat64()*45) * time.Millisecond
	x := s.buf.exchange(a, api, call, ans, method, target)
	x.ID = fmt.Appendf(nil, "lab%d-%07d", s.seed, s.calls)
	x.Start = a.Now().UnixNano()
	x.End = a.Now().Add(took).UnixNano()
	gained := ans.Gained
	if ans.OK {
		gained = max(gained, a.Spoils)
	} else if a.Label.Kind != "account_scanning" { // others do not want to know who is registered
		gained = 0
	}
	if s.err == nil {
		s.err = s.sink(&Event{Exchange: x, App: a.App, API: api, Label: a.Label, Blocked: ans.Blocked, Gained: gained, OK: ans.OK})
	}
	a.Client.seen(a.Rand)
	a.Wait(took)
}
