// Package adversary plays the gangs of the lab: each has a tool with a
// signature, rented infrastructure, targets over several sites and months, and
// a trade.
//
// It takes a month and puts the month's operations on the stage, every request
// labelled with attack, kind and gang. Invariant: a gang's tool keeps its
// signature for the whole play; two gangs may share proxies, never tools.
// What an operation looks like is drawn from ranges of what such operations
// are known to look like; nothing here knows how detection works. Limits: the
// addresses are of the reserved block 240.0.0.0/4 and belong to nobody.
package adversary

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// gang is one group with one tool.
type gang struct {
	id    string
	tool  func(*rand.Rand) stage.Profile
	agent []string // what the tool says it is
	infra func(*rand.Rand) infra
	ops   []op
}

// op is one line of a gang's trade.
type op struct {
	kind   string
	apps   []string            // one of them a wave
	waves  func(month int) int // how many waves in a calendar month, 1..12
	size   [2]int              // requests of a wave
	span   [2]time.Duration    // how long a wave lasts
	script func(*raid)
}

// infra says where a wave comes from: the clients to use in turn.
type infra struct {
	clients int
	address func(i int, r *rand.Rand) netip.Addr
	rotate  func(*rand.Rand) netip.Addr // one address a request
}

// raid is one wave under way.
type raid struct {
	app   *scene.App
	rng   *rand.Rand
	town  *people.Town
	size  int
	span  time.Duration
	start time.Time
	label stage.Label
	fresh func(n int) int                             // first of n persons nobody registered yet
	enter func(at time.Duration, script stage.Script) // by the next client
}

// gap is a pause that lets n requests fill the wave's time.
func (w *raid) gap(a *stage.Actor, n int) time.Duration {
	mean := float64(w.span) / float64(max(n, 1))
	return time.Duration(mean * (0.4 + 1.2*a.Rand.Float64()))
}

// Underworld is all gangs.
type Underworld struct {
	st    *stage.Stage
	seed  uint64
	scale float64
	town  *people.Town
	gangs []gang
	tools []stage.Profile
	infra []infra
	count map[string]int
	fresh int // numbers that farms have used up
}

// New calls the gangs together. Scale multiplies the size of waves.
func New(seed uint64, st *stage.Stage, town *people.Town, scale float64) *Underworld {
	u := &Underworld{st: st, seed: seed, scale: scale, town: town, gangs: roster(), count: map[string]int{}}
	for i, g := range u.gangs {
		r := rand.New(rand.NewPCG(seed^0x746f6f6c, uint64(i)))
		u.tools = append(u.tools, g.tool(r))
		u.infra = append(u.infra, g.infra(r))
	}
	return u
}

// Month puts the operations of a month on the stage. First is its first moment.
func (u *Underworld) Month(first time.Time) {
	for gi := range u.gangs {
		for oi := range u.gangs[gi].ops {
			o := &u.gangs[gi].ops[oi]
			r := rand.New(rand.NewPCG(u.seed^uint64(gi*100+oi)<<16, uint64(first.Year()*12+int(first.Month()))))
			for n := range o.waves(int(first.Month())) {
				u.wave(gi, o, n, first, r)
			}
		}
	}
}

func (u *Underworld) wave(gi int, o *op, n int, first time.Time, r *rand.Rand) {
	app := u.st.App(o.apps[(int(first.Month())*len(o.apps)/2+n+r.IntN(2))%len(o.apps)])
	days := first.AddDate(0, 1, -1).Day()
	w := &raid{app: app, rng: r, town: u.town,
		size:  max(20, int(float64(o.size[0]+r.IntN(o.size[1]-o.size[0]+1))*u.scale)),
		span:  o.span[0] + time.Duration(r.Int64N(int64(o.span[1]-o.span[0])+1)),
		start: first.AddDate(0, 0, 1+r.IntN(days-3)).Add(time.Duration(r.IntN(20*3600)) * time.Second),
	}
	u.enter(gi, o, w)
}

// enter puts a raid on the stage.
func (u *Underworld) enter(gi int, o *op, w *raid) {
	g, app, r := &u.gangs[gi], w.app, w.rng
	id := g.id + "-" + o.kind + "-" + app.Name
	u.count[id]++
	w.label = stage.Label{Attack: fmt.Sprintf("%s-%02d", id, u.count[id]), Kind: o.kind, Campaign: g.id}
	w.fresh = func(n int) int {
		from := people.Max - 2_000 - (u.fresh+n)%30_000
		u.fresh += n
		return from
	}
	in, tool := u.infra[gi], &u.tools[gi]
	agent := g.agent[r.IntN(len(g.agent))]
	used := 0
	w.enter = func(at time.Duration, script stage.Script) {
		c := &stage.Client{Profile: tool, Agent: agent, Lang: "zh-CN,zh;q=0.9", Rotate: in.rotate}
		if in.rotate == nil {
			c.Addr = in.address(used%in.clients, r)
		}
		used++
		l := w.label
		l.Actor = fmt.Sprintf("%s/%d", l.Attack, used)
		u.st.Enter(w.start.Add(at), app, c.Start(r), l, script)
	}
	o.script(w)
}

// Strike puts one wave of the n-th line of trade on the stage, beside those of
// the months: at a time, so many requests, so long. The lines of all gangs are
// counted through, again and again. It gives kind and application.
func (u *Underworld) Strike(n int, at time.Time, size int, span time.Duration) (kind, app string) {
	lines := 0
	for gi := range u.gangs {
		lines += len(u.gangs[gi].ops)
	}
	r := rand.New(rand.NewPCG(u.seed^0x737472696b65, uint64(n)))
	line := n % lines
	for gi := range u.gangs {
		if line >= len(u.gangs[gi].ops) {
			line -= len(u.gangs[gi].ops)
			continue
		}
		o := &u.gangs[gi].ops[line]
		w := &raid{app: u.st.App(o.apps[(n/lines+r.IntN(len(o.apps)))%len(o.apps)]), rng: r, town: u.town, size: size, span: span, start: at}
		u.enter(gi, o, w)
		return o.kind, w.app.Name
	}
	return "", ""
}

func every(n int) func(int) int { return func(int) int { return n } }

// peak is the usual business with more of it from April to June.
func peak(usual, spring int) func(int) int {
	return func(m int) int {
		if m >= 4 && m <= 6 {
			return spring
		}
		return usual
	}
}

// in is n waves in the months named.
func in(n int, months ...int) func(int) int {
	return func(m int) int {
		for _, x := range months {
			if x == m {
				return n
			}
		}
		return 0
	}
}
