package public

import (
	"fmt"
	"net/netip"
	"time"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/arena/line"
	"xiezhi/lab/arena/walk"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

func plain(name, ja4 string, lines ...stage.Head) *stage.Profile {
	return &stage.Profile{Name: name, Proto: 11, JA4: ja4, Headers: lines}
}

func h(n, v string) stage.Head { return stage.Head{Name: n, Value: v} }

var (
	spider  = plain("spider", "t12d1209h1_d34a8e72043a_eb7c9aabf852", h("Host", "{host}"), h("Connection", "close"), h("User-Agent", "{agent}"), h("Accept-Encoding", "gzip"), h("Accept-Language", "zh-cn,zh-tw"), h("Accept", "*/*"))
	probe   = plain("monitor", "t13d190900_9dc949149365_97f8aa674fd9", h("Host", "{host}"), h("User-Agent", "{agent}"), h("Accept", "*/*"), h("Connection", "close"))
	partner = plain("partner", "t13d4907h1_0d8feac7bc37_7395dae3b2f3", h("Content-Type", "{type}"), h("X-Timestamp", "{stamp}"), h("X-Signature", "{sign}"), h("User-Agent", "{agent}"), h("Host", "{host}"), h("Connection", "Keep-Alive"), h("Accept-Encoding", "gzip,deflate"), h("Content-Length", "{length}"))
)

const spiderAgent = "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"

// machines are the monitor, the search engine and the partner of a day.
func (p *Public) machines(app *scene.App, midnight time.Time) {
	mon := &stage.Client{Profile: probe, Agent: "Blackbox-Exporter/0.24.0", Addr: p.offices[0]}
	p.st.Enter(midnight.Add(time.Duration(p.rng.IntN(600))*time.Second), app, mon.Start(p.rng), stage.Label{Actor: "monitor"}, func(a *stage.Actor) {
		for range 95 {
			a.Call("config", nil)
			a.Wait(15 * time.Minute)
		}
	})
	if p.rng.IntN(2) == 0 {
		p.crawl(app, p.moment(midnight), 2+p.rng.IntN(6), "")
	}
	p.sync(app, midnight.Add(2*time.Hour+time.Duration(p.rng.IntN(1200))*time.Second), 3, "")
}

// crawl is a search engine's visit.
func (p *Public) crawl(app *scene.App, at time.Time, pages int, event string) {
	c := &stage.Client{Profile: spider, Agent: spiderAgent, Addr: netip.AddrFrom4([4]byte{220, 181, 108, byte(75 + p.rng.IntN(110))})} // where Baidu's spiders come from
	p.st.Enter(at, app, c.Start(p.rng), stage.Label{Actor: "spider", Event: event}, func(a *stage.Actor) {
		a.Visit("GET", "/robots.txt")
		from := a.Rand.IntN(len(a.App.Stock))
		for i := range pages {
			a.Think(2 * time.Second)
			if i%20 == 0 {
				a.Call("list", stage.F("page", fmt.Sprint(1+i/20), "size", "20"))
			}
			a.Call("detail", stage.F("id", fmt.Sprint(a.App.Stock[(from+i*7)%len(a.App.Stock)].ID)))
		}
	})
}

// sync is the partner's job under contract: it reads in bulk from its own
// machine with its own key.
func (p *Public) sync(app *scene.App, at time.Time, most int, event string) {
	c := p.partner[app]
	if c == nil {
		c = &stage.Client{Profile: partner, Agent: "Apache-HttpClient/4.5.13 (Java/1.8.0_292)", Addr: line.Any(p.rng, knob.DataCentre)}
		p.partner[app] = c
	}
	own := *c
	p.st.Enter(at, app, own.Start(p.rng), stage.Label{Actor: "partner", Event: event}, func(a *stage.Actor) {
		for i := range most {
			ans := a.Call("bulk", stage.F("key", a.App.PartnerKey(), "page", fmt.Sprint(i+1)))
			if len(ans.IDs) == 0 {
				return
			}
			a.Wait(time.Duration(500+a.Rand.IntN(700)) * time.Millisecond)
		}
	})
}

// desk is the call centre's usual day: a few look-ups of people who call.
func (p *Public) desk(app *scene.App, midnight time.Time) {
	if wd := midnight.Weekday(); wd == time.Saturday || wd == time.Sunday {
		return
	}
	p.clerks(app, midnight.Add(9*time.Hour), 2, 8*time.Hour, 10, "")
}

// clerks lets so many clerks work, each looking up so many callers.
func (p *Public) clerks(app *scene.App, from time.Time, clerks int, span time.Duration, each int, event string) {
	desk := app.Desk()
	for k := range min(clerks, len(desk)) {
		login := desk[k]
		staff := app.Registered(login)
		c := p.mixes[app].Desk(p.rng)
		c.Addr = p.offices[1+k/3%3]
		p.st.Enter(from.Add(time.Duration(p.rng.IntN(1800))*time.Second), app, c.Start(p.rng), stage.Label{Actor: "clerk-" + login, Event: event}, func(a *stage.Actor) {
			w := walk.Human(a)
			a.Call("staff_login", stage.F("account", login, "password", staff.Password))
			accs := a.App.Accounts()
			for range each {
				w.Pause(span / time.Duration(each+1))
				phone := accs[a.Rand.IntN(len(accs))].Person.Phone
				if a.Rand.IntN(12) == 0 {
					phone = slipDigit(w, phone)
				}
				a.Call("customer", stage.F("phone", phone))
			}
		})
	}
}
