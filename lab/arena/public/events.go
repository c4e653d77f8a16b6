package public

import (
	"fmt"
	"time"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/arena/line"
	"xiezhi/lab/arena/walk"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// Event puts an honest event that looks like an attack on the stage. It must be
// called before the day of at is played.
func (p *Public) Event(name string, app *scene.App, at time.Time) {
	switch name {
	case "flash_sale":
		p.flashSale(app, at)
	case "outage":
		p.outage(app, at)
	case "release":
		p.fresh[app] = at
		p.crowd(app, at, 40, 90*time.Minute, name, func(w *walk.Walker, _ *visitor) { p.browse(w, 2) })
	case "partner_sync":
		for k := range 6 { // a full reconciliation, one status after the other
			p.sync(app, at.Add(time.Duration(k)*4*time.Minute), 60, name)
		}
	case "campus_nat":
		p.campus(app, at)
	case "password_manager":
		p.crowd(app, at, 110+p.rng.IntN(90), 3*time.Hour, name, p.migrate)
	case "sms_failure":
		app.Mute(at, at.Add(40*time.Minute))
		p.crowd(app, at, 60+p.rng.IntN(40), 38*time.Minute, name, func(w *walk.Walker, v *visitor) {
			w.Open()
			for range 1 + w.Rand.IntN(3) {
				if w.ByCode(v.acc.Person.Phone) {
					return
				}
				w.Pause(70 * time.Second)
			}
		})
	case "viral_post":
		p.viral(app, at)
	case "call_centre":
		p.clerks(app, at, 6, 3*time.Hour, 45, name)
	case "search_crawler":
		p.crawl(app, at, 450, name)
	case "monitoring":
		p.watch(app, at)
	case "marketing_import":
		p.marketing(app, at)
	default:
		panic("public: no event " + name) // checked by the match
	}
}

// crowd sends n members of the application in, most of them early.
func (p *Public) crowd(app *scene.App, at time.Time, n int, span time.Duration, event string, script func(*walk.Walker, *visitor)) {
	vs := p.visitors[app]
	members := len(vs) - passers
	for _, i := range p.rng.Perm(members)[:min(n, members)] {
		v := &vs[i]
		f := p.rng.Float64()
		p.send(app, at.Add(time.Duration(f*f*float64(span))), v, "member", event, func(w *walk.Walker) { script(w, v) })
	}
}

// flashSale: hundreds wait for one moment, press again and again, and most go
// away empty-handed.
func (p *Public) flashSale(app *scene.App, at time.Time) (scene.Item, time.Time) {
	it := app.Stock[p.rng.IntN(len(app.Stock))]
	opens := at.Add(20 * time.Minute).Truncate(5 * time.Minute)
	app.Offer(it, opens, 50+p.rng.IntN(60))
	id := fmt.Sprint(it.ID)
	p.crowd(app, at, 120+p.rng.IntN(70), opens.Sub(at)-2*time.Minute, "flash_sale", func(w *walk.Walker, v *visitor) {
		w.Open()
		w.Pause(3 * time.Second)
		if !p.signIn(w, v.acc) {
			return
		}
		w.Call("drop", stage.F("item", id))
		for w.Now().Before(opens.Add(-50 * time.Second)) { // looks again until it is time
			w.Wait(time.Duration(60+w.Rand.IntN(200)) * time.Second)
			w.Call("drop", stage.F("item", id))
		}
		if early := opens.Sub(w.Now()); early > 0 { // hands are early or late
			w.Wait(max(time.Millisecond, early+time.Duration(w.Rand.NormFloat64()*1200-100)*time.Millisecond))
		}
		for range 1 + w.Rand.IntN(6) {
			made := w.Call("grab", stage.F("item", id, "count", "1", "ts", "now"))
			if len(made.IDs) > 0 {
				w.Pause(15 * time.Second)
				if w.Has("pay") && w.Rand.IntN(10) > 0 {
					w.Call("pay", stage.F("order", made.IDs[0], "channel", "wxpay"))
				}
				return
			}
			w.Wait(time.Duration(250+w.Rand.IntN(1600)) * time.Millisecond)
		}
	})
	return it, opens
}

// outage: sign-in is down, everybody's attempts fail, and people try again.
func (p *Public) outage(app *scene.App, at time.Time) {
	app.Break(at, at.Add(25*time.Minute))
	p.crowd(app, at, 70+p.rng.IntN(60), 24*time.Minute, "outage", func(w *walk.Walker, v *visitor) {
		w.Open()
		name := w.App.LoginName(v.acc.Person)
		for range 2 + w.Rand.IntN(4) {
			if w.Password(name, v.acc.Password) {
				return
			}
			w.Pause(25 * time.Second)
		}
	})
}

// campus: a course sends everybody behind one address to one application, some
// of them for the first time, with numbers a shop sold in a row.
func (p *Public) campus(app *scene.App, at time.Time) {
	exit := p.campuses[0]
	vs := p.visitors[app]
	for _, i := range p.rng.Perm(len(vs) - passers)[:70] {
		v := vs[i]
		v.home, v.away = exit, exit
		p.send(app, at.Add(time.Duration(p.rng.IntN(3600))*time.Second), &v, "student", "campus_nat", func(w *walk.Walker) { p.member(w, v.acc) })
	}
	if !app.Has("register") {
		return
	}
	head := people.Stranger(p.rng)[:8]
	for k := range 16 {
		v, person := p.newcomer(app)
		v.home, v.away = exit, exit
		person.Phone = fmt.Sprintf("%s%03d", head, (k*37+p.rng.IntN(20))%1000)
		p.send(app, at.Add(time.Duration(p.rng.IntN(3600))*time.Second), v, "student", "campus_nat", func(w *walk.Walker) { p.join(w, person) })
	}
}

// migrate: a password manager tries what it had kept, an old password, before
// its owner puts in the new one.
func (p *Public) migrate(w *walk.Walker, v *visitor) {
	w.Open()
	name := w.App.LoginName(v.acc.Person)
	old := p.town.Person(v.acc.Person.Index + 7).Password
	w.Password(name, old)
	if w.Rand.IntN(3) == 0 {
		w.Wait(900 * time.Millisecond)
		w.Password(name, old)
	}
	w.Pause(20 * time.Second)
	if w.Password(name, v.acc.Password) {
		w.Pause(2 * time.Second)
		w.Call("profile", nil)
	}
}

// viral: a post goes round; everybody opens it, many like it, some follow.
func (p *Public) viral(app *scene.App, at time.Time) {
	post := fmt.Sprint(app.Stock[p.rng.IntN(len(app.Stock))].ID)
	author := fmt.Sprint(app.Accounts()[p.rng.IntN(len(app.Accounts()))].UID)
	p.crowd(app, at, 330+p.rng.IntN(150), 4*time.Hour, "viral_post", func(w *walk.Walker, v *visitor) {
		w.Referer = one(w, "https://m.weibo.example/", "https://mp.weixin.example/", "", w.App.Origin+"/")
		w.Open()
		w.Call("detail", stage.F("id", post))
		w.Wait(300 * time.Millisecond)
		w.Call("view", stage.F("target", post, "ts", "now"))
		w.Pause(25 * time.Second)
		if w.Rand.IntN(3) > 0 || !p.signIn(w, v.acc) {
			return
		}
		w.Call("like", stage.F("target", post))
		if w.Rand.IntN(4) == 0 {
			w.Pause(20 * time.Second)
			w.Call("comment", stage.F("target", post, "text", one(w, "转发了", "哈哈哈哈", "太真实了", "火钳刘明")))
		}
		if w.Rand.IntN(4) == 0 {
			w.Pause(9 * time.Second)
			w.Call("follow", stage.F("target", author, "channel", "post"))
		}
	})
}

// watch: synthetic monitoring asks for everything open, every minute, from
// three places, and signs a test account in.
func (p *Public) watch(app *scene.App, at time.Time) {
	acc := app.Accounts()[len(app.Accounts())-1]
	for k := range 3 {
		c := &stage.Client{Profile: probe, Agent: "UptimeCheck/2.3", Addr: line.Any(p.rng, knob.DataCentre)}
		p.st.Enter(at.Add(time.Duration(k)*17*time.Second), app, c.Start(p.rng), stage.Label{Actor: "monitor", Event: "monitoring"}, func(a *stage.Actor) {
			id := fmt.Sprint(a.App.Stock[0].ID)
			for i := range 60 {
				a.Call("config", nil)
				a.Call("list", stage.F("page", "1", "size", "1"))
				a.Call("detail", stage.F("id", id))
				if i%10 == 0 && !a.App.Guarded("login") {
					a.Call("login", stage.F("account", a.App.LoginName(acc.Person), "password", acc.Password))
				}
				a.Wait(time.Minute)
			}
		})
	}
}

// marketing: a clerk works through a bought-in list of contacts, then some of
// those who were written to come and register.
func (p *Public) marketing(app *scene.App, at time.Time) {
	login := app.Desk()[0]
	staff := app.Registered(login)
	c := p.mixes[app].Desk(p.rng)
	c.Addr = p.offices[1]
	accs := app.Accounts()
	p.st.Enter(at, app, c.Start(p.rng), stage.Label{Actor: "clerk-" + login, Event: "marketing_import"}, func(a *stage.Actor) {
		a.Call("staff_login", stage.F("account", login, "password", staff.Password))
		for range 160 + a.Rand.IntN(100) {
			phone := people.Stranger(a.Rand)
			if a.Rand.IntN(4) == 0 {
				phone = accs[a.Rand.IntN(len(accs))].Person.Phone
			}
			a.Wait(time.Duration(2000+a.Rand.IntN(5000)) * time.Millisecond)
			a.Call("customer", stage.F("phone", phone))
		}
	})
	for range 25 {
		v, person := p.newcomer(app)
		p.send(app, at.Add(time.Hour+time.Duration(p.rng.ExpFloat64()*float64(time.Hour))), v, "newcomer", "marketing_import", func(w *walk.Walker) { p.join(w, person) })
	}
}
