// Package crowd plays the honest visitors of the lab: people in browsers, apps
// and mini programs with their typing mistakes and forgotten passwords, offices
// and campuses behind one address, partners, monitors and search engines.
//
// It takes a day and puts the day's visits on the stage. Invariant: nothing it
// does is an attack; who visits, with what and when depends on the seed alone.
// Limits: the addresses are of the reserved block 240.0.0.0/4 and belong to
// nobody.
package crowd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// Crowd is the public of all applications.
type Crowd struct {
	st    *stage.Stage
	rng   *rand.Rand
	scale float64
	seed  uint64
	next  map[string]int // newcomers so far, by application
	day   time.Time      // the day being filled, in the zone of the files
	town  *people.Town
}

// New gathers the public. Scale multiplies the number of visits.
func New(seed uint64, st *stage.Stage, town *people.Town, scale float64) *Crowd {
	return &Crowd{st: st, rng: rand.New(rand.NewPCG(seed, 0x63726f7764)), scale: scale, seed: seed, next: map[string]int{}, town: town}
}

// Grow multiplies the number of visits from the next day on.
func (c *Crowd) Grow(factor float64) { c.scale *= factor }

// hours is how a day's visits spread over its hours.
var hours = [24]float64{2, 1, .6, .4, .3, .5, 1.2, 2.6, 4.4, 5.6, 6, 5.6, 6.2, 5.6, 5.2, 5, 5, 5.2, 5.6, 6.6, 8, 8.2, 6.4, 4}

// busy is how much more than usual goes on: weekends, pay days, promotions.
func busy(app *scene.App, day time.Time) float64 {
	f := 1.0
	weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
	switch app.Industry {
	case "government", "manufacturing", "finance":
		if weekend {
			f = 0.45
		}
	case "gaming", "social", "travel", "parking", "ecommerce":
		if weekend {
			f = 1.45
		}
	}
	m, d := day.Month(), day.Day()
	switch app.Industry {
	case "ecommerce":
		switch {
		case m == time.June && d >= 16 && d <= 18, m == time.November && d >= 10 && d <= 11:
			f *= 7
		case m == time.June && d < 16, m == time.November && d < 10, m == time.December && d == 12:
			f *= 2
		}
	case "digital_collectibles":
		if m >= time.April && m <= time.June {
			f *= 1.8
		}
		if d == 8 || d == 18 || d == 28 { // the days of new collections
			f *= 2.2
		}
	case "travel":
		if m == time.October && d <= 7 || m == time.January && d >= 20 {
			f *= 2.5
		}
	}
	return f
}

// Day puts one day's visits on the stage.
func (c *Crowd) Day(day time.Time) {
	c.day = day
	for _, app := range c.st.Apps {
		zone := app.Location()
		midnight := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
		mean := 2.6 * app.Weight * c.scale * busy(app, day)
		n := c.poisson(mean)
		for range n {
			c.visit(app, c.moment(midnight))
		}
		c.staff(app, midnight)
		c.machines(app, midnight)
	}
}

func (c *Crowd) poisson(mean float64) int {
	n, p, limit := 0, 1.0, math.Exp(-mean)
	if mean > 60 {
		return max(0, int(mean+math.Sqrt(mean)*c.rng.NormFloat64()))
	}
	for {
		if p *= c.rng.Float64(); p <= limit {
			return n
		}
		n++
	}
}

// today moves a time that another zone puts before the day into it.
func (c *Crowd) today(at time.Time) time.Time {
	if at.Before(c.day) {
		return at.Add(24 * time.Hour)
	}
	return at
}

// moment draws a time of the day.
func (c *Crowd) moment(midnight time.Time) time.Time {
	total := 0.0
	for _, h := range hours {
		total += h
	}
	x := c.rng.Float64() * total
	for h, w := range hours {
		if x -= w; x < 0 {
			return c.today(midnight.Add(time.Duration(h)*time.Hour + time.Duration(c.rng.IntN(3_600_000))*time.Millisecond))
		}
	}
	return c.today(midnight)
}

// device is what a person always uses: it depends on the person.
func (c *Crowd) device(app *scene.App, who int) *stage.Client {
	r := rand.New(rand.NewPCG(c.seed^uint64(len(app.Name))<<32, uint64(who)))
	total := 0
	usable := func(g *genuine) bool {
		switch g.needs {
		case "app":
			return app.AppName != ""
		case "mini":
			return app.Program != ""
		}
		return true
	}
	for i := range programs {
		if usable(&programs[i]) {
			total += programs[i].share
		}
	}
	x := r.IntN(total)
	for i := range programs {
		g := &programs[i]
		if !usable(g) {
			continue
		}
		if x -= g.share; x >= 0 {
			continue
		}
		agent := g.agents[r.IntN(len(g.agents))]
		if strings.Contains(agent, "%s") {
			agent = fmt.Sprintf(agent, app.AppName)
		}
		cl := &stage.Client{Profile: &g.profile, Agent: agent, Lang: "zh-CN,zh;q=0.9", Addr: c.home(r)}
		if g.needs == "web" {
			cl.Cookie = fmt.Sprintf("_uid=%08x%08x", r.Uint32(), r.Uint32())
		}
		return cl
	}
	return nil
}

// home gives the address a person comes from: mostly the own line, often the
// carrier's gateway, sometimes a campus or an office.
func (c *Crowd) home(r *rand.Rand) netip.Addr {
	switch n := r.IntN(100); {
	case n < 62:
		return netip.AddrFrom4([4]byte{241, byte(r.IntN(200)), byte(r.IntN(256)), byte(1 + r.IntN(254))})
	case n < 86:
		return netip.AddrFrom4([4]byte{245, 136, byte(r.IntN(24)), byte(1 + r.IntN(60))})
	case n < 95:
		return netip.AddrFrom4([4]byte{246, 120, byte(r.IntN(3)), 17}) // campuses
	}
	return netip.AddrFrom4([4]byte{246, 200, byte(r.IntN(12)), 2}) // offices
}

// visit sends one visitor of the application in.
func (c *Crowd) visit(app *scene.App, at time.Time) {
	accounts := app.Accounts()
	switch n := c.rng.IntN(100); {
	case n < 28: // a passer-by without an account
		who := 1_000_000 + c.rng.IntN(40_000)
		c.enter(app, at, who, "visitor", func(a *stage.Actor) { browse(a, 2+a.Rand.IntN(5)) })
	case n < 33 && app.Has("register"):
		i := people.Max/2 + len(app.Name)*1500 + c.next[app.Name]
		c.next[app.Name]++
		person := c.town.Person(i)
		c.enter(app, at, i, "newcomer", func(a *stage.Actor) { join(a, person) })
	default:
		acc := accounts[c.rng.IntN(len(accounts))]
		if c.rng.IntN(3) > 0 { // regulars come more often
			acc = accounts[c.rng.IntN(max(1, len(accounts)/4))]
		}
		c.enter(app, at, acc.Person.Index, "member", func(a *stage.Actor) { member(a, acc) })
	}
}

func (c *Crowd) enter(app *scene.App, at time.Time, who int, role string, script stage.Script) {
	cl := c.device(app, who)
	if app.Flawed(scene.AnyOrigin) && cl.Cookie != "" && who%11 == 0 { // comes through a page of a partner
		cl.Origin = partners[who/11%len(partners)]
	}
	if c.rng.IntN(6) == 0 { // on the road
		cl.Addr = c.home(c.rng)
	}
	c.st.Enter(at, app, cl.Start(c.rng), stage.Label{Actor: fmt.Sprintf("%s-%d", role, who)}, script)
}

// partners are pages of others that embed an application.
var partners = []string{"https://fanli.example", "https://m.youhui-club.example", "https://union.daogou.example"}

// staff is the back office at work, on working days.
func (c *Crowd) staff(app *scene.App, midnight time.Time) {
	boss := app.Staff()
	if boss == nil || midnight.Weekday() == time.Saturday || midnight.Weekday() == time.Sunday || c.rng.IntN(3) > 0 {
		return
	}
	cl := &stage.Client{Profile: &programs[0].profile, Agent: programs[0].agents[0], Lang: "zh-CN,zh;q=0.9", Addr: netip.AddrFrom4([4]byte{246, 200, 1, 2})}
	c.st.Enter(midnight.Add(9*time.Hour+time.Duration(c.rng.IntN(7*3600))*time.Second), app, cl.Start(c.rng), stage.Label{Actor: "staff"}, func(a *stage.Actor) {
		a.Call("staff_login", stage.F("account", "admin", "password", boss.Password))
		a.Think(20 * time.Second)
		for i := range 1 + a.Rand.IntN(3) {
			size := "20"
			if a.Rand.IntN(4) == 0 {
				size = "500"
			}
			a.Call("members", stage.F("page", fmt.Sprint(i+1), "size", size))
			a.Think(40 * time.Second)
		}
	})
}

// machines are the monitor, the search engine and the partner of a day.
func (c *Crowd) machines(app *scene.App, midnight time.Time) {
	if app.Has("health") {
		cl := &stage.Client{Profile: &probe, Agent: "Prometheus/2.33.0", Addr: netip.AddrFrom4([4]byte{248, 10, 0, 9})}
		c.st.Enter(c.today(midnight.Add(5*time.Minute)), app, cl.Start(c.rng), stage.Label{Actor: "monitor"}, func(a *stage.Actor) {
			for range 4 {
				a.Call("health", nil)
				a.Wait(6 * time.Hour)
			}
		})
	}
	if app.Has("docs") && c.rng.IntN(9) == 0 { // an integrator reads the documentation
		cl := &stage.Client{Profile: &programs[0].profile, Agent: programs[0].agents[2], Lang: "zh-CN,zh;q=0.9", Addr: c.home(c.rng)}
		c.st.Enter(c.moment(midnight), app, cl.Start(c.rng), stage.Label{Actor: "integrator"}, func(a *stage.Actor) { a.Call("docs", nil) })
	}
	if c.rng.IntN(5) == 0 {
		cl := &stage.Client{Profile: &spider, Agent: spiderAgent, Addr: netip.AddrFrom4([4]byte{253, 76, 15, byte(10 + c.rng.IntN(30))})}
		c.st.Enter(c.moment(midnight), app, cl.Start(c.rng), stage.Label{Actor: "spider"}, func(a *stage.Actor) {
			a.Visit("GET", "/robots.txt")
			for range 1 + a.Rand.IntN(3) {
				a.Think(30 * time.Second)
				it := a.App.Stock[a.Rand.IntN(len(a.App.Stock))]
				a.Call("detail", stage.F("id", fmt.Sprint(it.ID)))
			}
		})
	}
	if app.Name == "lvxing" || app.Name == "chebao" { // a partner's nightly job
		acc := app.Accounts()[len(app.Accounts())-1]
		cl := &stage.Client{Profile: &partner, Agent: "Apache-HttpClient/4.5.13 (Java/1.8.0_292)", Addr: netip.AddrFrom4([4]byte{248, 77, 3, 21})}
		c.st.Enter(midnight.Add(2*time.Hour+time.Duration(c.rng.IntN(600))*time.Second), app, cl.Start(c.rng), stage.Label{Actor: "partner"}, func(a *stage.Actor) {
			if !a.Call("login", stage.F("account", a.App.LoginName(acc.Person), "password", acc.Password)).OK {
				return
			}
			a.Wait(time.Second)
			ans := a.Call("orders", stage.F("page", "1", "size", "50"))
			for _, id := range ans.IDs[:min(2, len(ans.IDs))] {
				a.Wait(700 * time.Millisecond)
				a.Call("order", stage.F("id", id))
			}
		})
	}
}
