// Package gang plays the adversaries of the arena: campaigns whose equipment is
// turned knob by knob and whose trade is any kind of attack of the taxonomy.
//
// It takes a campaign with its knobs and moves and puts it on the stage.
// Requests that are an attack carry its id and kind; what a gang does beside,
// loading pages, solving puzzles, signing its own accounts in, carries the
// campaign alone. Invariant: what a knob says is what the wire shows; nothing
// here knows how attacks are noticed. Limits: as many requests as the budget,
// fewer when the pace leaves no time for them.
package gang

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/arena/line"
	"xiezhi/lab/arena/program"
	"xiezhi/lab/arena/public"
	"xiezhi/lab/arena/walk"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// Campaign is one gang's order of battle.
type Campaign struct {
	ID    string
	Knobs knob.Knobs
	Moves []Move
	From  time.Time // nothing before
	Until time.Time // nothing after
}

// Move is one kind of attack at one application.
type Move struct {
	Kind string
	App  *scene.App
	Way  string // "": drawn
}

// Underworld is all gangs of a match.
type Underworld struct {
	st     *stage.Stage
	town   *people.Town
	public *public.Public
	seed   uint64
	farmed int // persons that farms have used up
}

// New calls the gangs of a match together.
func New(seed uint64, st *stage.Stage, town *people.Town, pub *public.Public) *Underworld {
	return &Underworld{st: st, town: town, public: pub, seed: seed}
}

// crew is a campaign's people and equipment.
type crew struct {
	*Underworld
	c    *Campaign
	rng  *rand.Rand
	pool *line.Pool
	gear *program.Gear
	held netip.Addr
	army map[*scene.App][]*scene.Account // accounts it made
	used int
}

// raid is one move under way.
type raid struct {
	*crew
	app        *scene.App
	all        []*scene.App // of every move of this kind
	kind, way  string
	attack     string
	size       int
	knobs      *knob.Knobs
	accs       []*scene.Account
	from, last time.Time
}

// Enter puts a campaign on the stage.
func (u *Underworld) Enter(i int, c *Campaign) {
	r := rand.New(rand.NewPCG(u.seed^0x67616e67, uint64(i)))
	cr := &crew{Underworld: u, c: c, rng: r, army: map[*scene.App][]*scene.Account{}}
	cr.pool = line.NewPool(rand.New(rand.NewPCG(u.seed^0x706f6f6c, uint64(i))), &c.Knobs, u.public.Lines())
	cr.gear = program.NewGear(rand.New(rand.NewPCG(u.seed^0x67656172, uint64(i))), &c.Knobs)
	done := map[string]bool{}
	for n, m := range c.Moves {
		if m.Kind == "targeted_lookup" && done[m.Kind] {
			continue // its moves are one: every target at every application
		}
		done[m.Kind] = true
		rd := &raid{crew: cr, app: m.App, kind: m.Kind, way: m.Way, attack: AttackID(c.ID, m.Kind, m.App.Name), size: max(1, c.Knobs.Budget/len(c.Moves)), knobs: &c.Knobs, accs: m.App.Accounts(), from: c.From, last: c.Until}
		for _, o := range c.Moves {
			if o.Kind == m.Kind {
				rd.all = append(rd.all, o.App)
			}
		}
		if m.Kind == "targeted_lookup" {
			rd.size = c.Knobs.Budget
		}
		if n > 0 && c.Moves[n-1].Kind != m.Kind { // what was got is used later
			rd.from = rd.from.Add(c.Until.Sub(c.From) / 3)
		}
		trades[m.Kind](rd)
	}
}

// AttackID is the id of a campaign's attack of a kind at an application.
func AttackID(campaign, kind, app string) string { return campaign + "-" + kind + "-" + app }

// times are the moments of n steps by the campaign's law, within its time.
func (r *raid) times(n int) []time.Time {
	k := r.knobs
	mean := time.Duration(float64(time.Minute) / k.PerMinute)
	window := r.last.Sub(r.from)
	need := min(time.Duration(float64(mean)*float64(n)), window)
	slack := window - need
	out := make([]time.Time, 0, n)
	at := r.from
	if slack > 0 {
		at = at.Add(time.Duration(r.rng.Int64N(int64(slack))))
	}
	heats := 2 + r.rng.IntN(3)
	for i := range n {
		out = append(out, at)
		switch k.Rate {
		case knob.Steady:
			at = at.Add(mean)
		case knob.Burst: // as fast as answers come, with pauses between heats
			at = at.Add(time.Duration(float64(mean) * (.5 + r.rng.Float64()) / 2))
			if (i+1)%max(1, n/heats) == 0 {
				at = at.Add(time.Duration(float64(need) * .5 / float64(heats)))
			}
		case knob.Drip:
			at = at.Add(time.Duration(float64(mean) * (.7 + .6*r.rng.Float64())))
		case knob.DayShaped:
			at = at.Add(time.Duration(float64(mean) * r.rng.ExpFloat64() / max(.06, public.Hour(at.Hour()))))
		default:
			at = at.Add(time.Duration(float64(mean) * r.rng.ExpFloat64()))
		}
		if !at.Before(r.last) {
			break
		}
	}
	return out
}

// client equips one actor at an application.
func (r *raid) client(app *scene.App, rng *rand.Rand) *stage.Client {
	c := r.gear.Client(rng, r.public.Mix(app))
	c.Addr = r.held
	c.Change = func(now time.Time, rng *rand.Rand, c *stage.Client) {
		if a := r.pool.Next(c.Addr, now); a != c.Addr {
			c.Addr, c.Port = a, uint16(20000+rng.IntN(40000))
			r.held = a
		}
		r.gear.Change(rng, c)
	}
	return c
}

// act is an actor of the gang on the way through an application.
type act struct {
	*walk.Walker
	r *raid
}

// enter lets one actor of the gang in.
func (r *raid) enter(app *scene.App, at time.Time, script func(*act)) {
	r.enterAs(app, at, r.client(app, r.rng), script)
}

// enterAs lets an actor in with equipment it has already.
func (r *raid) enterAs(app *scene.App, at time.Time, c *stage.Client, script func(*act)) {
	r.used++
	l := stage.Label{Campaign: r.c.ID, Actor: fmt.Sprintf("%s/%d", r.c.ID, r.used)}
	r.st.Enter(at, app, c.Start(r.rng), l, func(a *stage.Actor) {
		if a.Client.Addr != r.held && r.held.IsValid() && r.knobs.AddressesPerRequest < 1 {
			a.Client.Addr = r.held
		}
		script(&act{r.walker(a), r})
	})
}

func (r *raid) walker(a *stage.Actor) *walk.Walker {
	k := r.knobs
	w := &walk.Walker{Actor: a, Reports: k.Telemetry, Pages: a.Rand.Float64() < k.Flow, Pause: func(mean time.Duration) {
		if k.Flow >= .8 {
			a.Think(mean)
			return
		}
		a.Wait(time.Duration(120+a.Rand.IntN(900)) * time.Millisecond)
	}}
	switch k.Captcha {
	case knob.OCR:
		w.Solves, w.Reads = .66, 300*time.Millisecond
	case knob.Humans:
		w.Solves, w.Reads = .96, 9*time.Second
	}
	return w
}

// hit makes a request that is the attack itself.
func (a *act) hit(op string, form scene.Fields) scene.Answer {
	return a.as(a.r.attackAt(a.App), func() scene.Answer { return a.Call(op, form) })
}

// try is hit behind a puzzle where there is one.
func (a *act) try(op string, form scene.Fields) scene.Answer {
	return a.hit(op, a.Puzzle(op, form))
}

func (a *act) as(attack string, call func() scene.Answer) scene.Answer {
	beside := a.Label
	a.Label.Attack, a.Label.Kind = attack, a.r.kind
	ans := call()
	a.Label = beside
	return ans
}

func (r *raid) attackAt(app *scene.App) string { return AttackID(r.c.ID, r.kind, app.Name) }

// some reports whether a step that the flow has is taken.
func (a *act) some() bool { return a.Rand.Float64() < a.r.knobs.Flow }

// arrive walks the part of the flow that comes first, as much of it as the
// gang forges.
func (a *act) arrive() {
	k := a.r.knobs
	if k.Flow < .15 {
		return
	}
	if a.some() {
		a.Open()
		a.Pause(3 * time.Second)
	}
	var ids []string
	if a.some() {
		ids = a.Call("list", stage.F("page", "1", "size", "20")).IDs
		a.Pause(8 * time.Second)
	}
	if len(ids) > 0 && a.some() {
		a.look(ids[a.Rand.IntN(len(ids))])
		a.Pause(8 * time.Second)
	}
}

// look opens an object as the client does.
func (a *act) look(id string) {
	a.Call("detail", stage.F("id", id))
	if a.Has("view") {
		a.Wait(300 * time.Millisecond)
		a.Call("view", stage.F("target", id, "ts", "now"))
	}
	a.Report("detail")
}

// signIn signs an account in, as support of what is to come.
func (a *act) signIn(acc *scene.Account) bool {
	for range 3 {
		if a.Password(a.App.LoginName(acc.Person), acc.Password) {
			return true
		}
		if a.Solves == 0 {
			break
		}
		a.Pause(2 * time.Second)
	}
	return a.ByCode(acc.Person.Phone) // a farm holds its numbers
}

// soldiers gives n accounts the gang holds at an application: made before, in
// one go, with nothing personal about them unless it mimics.
func (r *raid) soldiers(app *scene.App, n int) []*scene.Account {
	key := fmt.Sprintf("Qw@%06dzX", r.rng.IntN(1_000_000))
	for len(r.army[app]) < n {
		p := r.person()
		pw := key
		if r.knobs.Parameters == knob.GenuineParams {
			pw = scene.Strong(p)
		}
		r.army[app] = append(r.army[app], app.Enrol(p, pw))
	}
	return r.army[app][:n]
}

// person is somebody nobody has used yet.
func (u *Underworld) person() people.Person {
	u.farmed++
	return u.town.Person(40_000 + u.farmed%50_000)
}

func draw[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }
