// Package public plays the honest visitors of the arena and the honest events
// that look like attacks.
//
// It takes a day and puts its visits on the stage: people in browsers, apps and
// mini programs at home, on the road, behind campuses and offices; their typing
// mistakes, forgotten passwords, double clicks and retries; old versions,
// polling, partners, monitors and crawlers. Invariant: nothing here is an
// attack; who comes, with what and when depends on the seed alone. Limits: one
// device a person and application.
package public

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/arena/line"
	"xiezhi/lab/arena/program"
	"xiezhi/lab/arena/walk"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// Public is the honest side of a match.
type Public struct {
	st     *stage.Stage
	town   *people.Town
	rng    *rand.Rand
	visits float64

	mixes    map[*scene.App]*program.Mix
	visitors map[*scene.App][]visitor
	lines    []netip.Addr
	mobile   []netip.Addr // carriers' gateways, shared by many
	campuses []netip.Addr
	offices  []netip.Addr
	next     int // newcomers so far
	acts     map[*scene.App][]string
	partner  map[*scene.App]*stage.Client
	fresh    map[*scene.App]time.Time // when a release came
}

// visitor is one person at one application.
type visitor struct {
	who    int
	acc    *scene.Account // nil: no account
	client *stage.Client
	home   netip.Addr
	away   netip.Addr
}

// passers is how many people without an account know an application.
const passers = 500

// New gathers the public of a match.
func New(seed uint64, st *stage.Stage, town *people.Town, visits float64) *Public {
	p := &Public{st: st, town: town, rng: rand.New(rand.NewPCG(seed, 0x7075626c6963)), visits: visits, mixes: map[*scene.App]*program.Mix{}, visitors: map[*scene.App][]visitor{},
		acts: map[*scene.App][]string{}, partner: map[*scene.App]*stage.Client{}, fresh: map[*scene.App]time.Time{}}
	r := p.rng
	for range 220 {
		p.mobile = append(p.mobile, line.Any(r, knob.Mobile))
	}
	for range 3 {
		p.campuses = append(p.campuses, line.Campus(r))
	}
	for range 14 {
		p.offices = append(p.offices, line.Any(r, knob.Residential))
	}
	for _, app := range st.Apps {
		mix := program.NewMix(r, app)
		p.mixes[app] = mix
		for _, acc := range app.Accounts() {
			p.visitors[app] = append(p.visitors[app], p.visitor(mix, acc.Person.Index, acc))
		}
		for n := range passers {
			p.visitors[app] = append(p.visitors[app], p.visitor(mix, 1_000_000+n, nil))
		}
		for k := range 4 {
			p.acts[app] = append(p.acts[app], fmt.Sprint(2024_000+r.IntN(900)+k))
		}
	}
	return p
}

// Mix gives how an application's public divides into programs.
func (p *Public) Mix(app *scene.App) *program.Mix { return p.mixes[app] }

// Lines are addresses that honest visitors use.
func (p *Public) Lines() []netip.Addr { return p.lines }

// Sale lets the public wait for an item that goes on sale, as at a flash sale,
// and tells which and when.
func (p *Public) Sale(app *scene.App, at time.Time) (scene.Item, time.Time) {
	return p.flashSale(app, at)
}

// Activities are the promotions of an application.
func (p *Public) Activities(app *scene.App) []string { return p.acts[app] }

func (p *Public) visitor(mix *program.Mix, who int, acc *scene.Account) visitor {
	r := p.rng
	v := visitor{who: who, acc: acc, client: mix.Person(r), home: p.home(), away: p.mobile[r.IntN(len(p.mobile))]}
	p.lines = append(p.lines, v.home)
	if r.IntN(3) == 0 {
		p.lines = append(p.lines, v.away)
	}
	return v
}

// home gives the line somebody comes from: mostly a line of their own, which a
// family shares, often the carrier's gateway, a campus, an office, and for a
// few a line abroad.
func (p *Public) home() netip.Addr {
	r := p.rng
	switch n := r.IntN(1000); {
	case n < 560:
		if len(p.lines) > 40 && r.IntN(9) == 0 {
			return p.lines[r.IntN(len(p.lines))]
		}
		return line.Any(r, knob.Residential)
	case n < 830:
		return p.mobile[r.IntN(len(p.mobile))]
	case n < 915:
		return p.campuses[r.IntN(len(p.campuses))]
	case n < 988:
		return p.offices[r.IntN(len(p.offices))]
	}
	return line.Any(r, knob.AbroadHome)
}

// hours is how a day's visits spread over its hours.
var hours = [24]float64{2, 1, .6, .4, .3, .5, 1.2, 2.6, 4.4, 5.6, 6, 5.6, 6.2, 5.6, 5.2, 5, 5, 5.2, 5.6, 6.6, 8, 8.2, 6.4, 4}

// Hour is how much goes on in an hour, the mean being 1.
func Hour(h int) float64 { return hours[h%24] * 24 / 102.2 }

// Day puts one day's visits on the stage.
func (p *Public) Day(midnight time.Time) {
	for _, app := range p.st.Apps {
		f := 1.0
		if wd := midnight.Weekday(); wd == time.Saturday || wd == time.Sunday {
			if f = 1.3; app.Industry == "finance" || app.Industry == "government" {
				f = .5
			}
		}
		n := max(0, int(p.visits*f+math.Sqrt(p.visits*f)*p.rng.NormFloat64()))
		for range n {
			p.visit(app, p.moment(midnight))
		}
		p.machines(app, midnight)
		p.desk(app, midnight)
	}
}

// moment draws a time of the day.
func (p *Public) moment(midnight time.Time) time.Time {
	total := 0.0
	for _, h := range hours {
		total += h
	}
	x := p.rng.Float64() * total
	for h, w := range hours {
		if x -= w; x < 0 {
			return midnight.Add(time.Duration(h)*time.Hour + time.Duration(p.rng.IntN(3_600_000))*time.Millisecond)
		}
	}
	return midnight
}

func (p *Public) visit(app *scene.App, at time.Time) {
	vs := p.visitors[app]
	members := len(vs) - passers
	switch n := p.rng.IntN(100); {
	case n < 26:
		p.send(app, at, &vs[members+p.rng.IntN(passers)], "visitor", "", func(w *walk.Walker) { p.browse(w, 2+w.Rand.IntN(5)) })
	case n < 33:
		v, person := p.newcomer(app)
		p.send(app, at, v, "newcomer", "", func(w *walk.Walker) { p.join(w, person) })
	default:
		v := &vs[p.rng.IntN(members)]
		if p.rng.IntN(3) > 0 { // regulars come more often
			v = &vs[p.rng.IntN(max(1, members/4))]
		}
		p.send(app, at, v, "member", "", func(w *walk.Walker) { p.member(w, v.acc) })
	}
}

// newcomer is somebody who registers.
func (p *Public) newcomer(app *scene.App) (*visitor, people.Person) {
	p.next++
	person := p.town.Person(20_000 + p.next)
	v := p.visitor(p.mixes[app], person.Index, nil)
	return &v, person
}

// send lets somebody in.
func (p *Public) send(app *scene.App, at time.Time, v *visitor, role, event string, script func(*walk.Walker)) {
	c := *v.client
	c.Addr = v.home
	if p.rng.IntN(6) == 0 { // on the road
		c.Addr = v.away
	}
	p.st.Enter(at, app, c.Start(p.rng), stage.Label{Actor: fmt.Sprintf("%s-%d", role, v.who), Event: event}, func(a *stage.Actor) { script(walk.Human(a)) })
}
