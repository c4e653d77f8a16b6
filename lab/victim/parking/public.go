package parking

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
	"xiezhi/lab/victim/visit"
)

// App is the application.
var App = &victim.App{
	Name: "parking", Host: host, Industry: "parking", Days: 42,
	Dialects: []*visit.Dialect{
		nil,
		{Prefix: "/parking-app", Under: "/api/", Snake: true, Words: map[string]string{"code": "errcode", "message": "errmsg", "data": "result"}},
		{Words: map[string]string{"plateNo": "cphm", "parkName": "tccmc", "spaceNo": "cwh", "ownerPhone": "czsjh", "ownerName": "czxm", "enterTime": "rcsj", "leaveTime": "ccsj", "message": "msg", "fee": "yfje"}},
	},
	Flaws: []victim.Flaw{
		{Name: HiddenFields, Signs: []victim.Sign{
			{Kinds: []string{"unused_by_frontend"}, Method: "GET", Template: "/api/v1/parking/fee"},
			{Kinds: []string{"unauthenticated_sensitive"}, Method: "GET", Template: "/api/v1/parking/fee"},
			{Kinds: []string{"unneeded_sensitive"}, Method: "GET", Template: "/api/v1/parking/fee", Extra: true},
		}},
		{Name: OpenRecords, Signs: []victim.Sign{
			{Kinds: []string{"unauthenticated_sensitive", "optional_authentication"}, Method: "GET", Template: "/api/v1/member/records"},
			{Kinds: []string{"optional_authentication", "unauthenticated_sensitive", "unneeded_sensitive"}, Method: "GET", Template: "/api/v1/member/records", Extra: true},
		}},
		{Name: PlainHTTP, Signs: []victim.Sign{{Kinds: []string{"cleartext"}}}},
		{Name: TokenInURL, Signs: []victim.Sign{
			{Kinds: []string{"secret_in_url"}, Method: "GET", Template: "/api/v1/member/info"},
			{Kinds: []string{"secret_in_url"}, Method: "GET", Template: "/api/v1/member/records"},
			{Kinds: []string{"secret_in_url"}, Method: "POST", Template: "/api/v1/member/plates", Extra: true}, // cars are bound rarely
		}},
	},
	Policy: victim.Batch("parking", "/openapi/v1/entries", "the city's traffic platform fetches entries by contract", 7),
	New: func(env victim.Env) victim.Service {
		s := newService(env)
		return victim.Service{Handler: s, Day: s.day}
	},
}

// at draws a time of the day: few at night, most in the evening.
func at(midnight time.Time, r *rand.Rand) time.Time {
	h := 7 + r.IntN(15)
	if r.IntN(12) == 0 {
		h = r.IntN(24)
	}
	return midnight.Add(time.Duration(h)*time.Hour + time.Duration(r.IntN(3_600_000))*time.Millisecond)
}

// day lets the day's visitors come.
func (s *service) day(w *visit.World, midnight time.Time, r *rand.Rand) {
	for range 9 + r.IntN(5) { // leave a lot and pay: the code on the wall leads to the page
		i := r.IntN(cars)
		c := visit.Browser(i)
		c.Plain = r.IntN(3) > 0 // older walls show a link without TLS
		w.Enter(at(midnight, r), "driver", c, func(a *visit.Actor) { s.leave(a, s.town[i].Plate) })
	}
	for range 3 { // members look up where they stood, in the mini program
		i := r.IntN(members)
		c := visit.NewClient(visit.MiniProgram, visit.Home(i), i)
		c.Plain = i%2 == 0 // its first version knows no TLS
		w.Enter(at(midnight, r), "member", c, func(a *visit.Actor) { s.lookUp(a, s.town[i]) })
	}
	for range 1 + r.IntN(3) { // an old version shows the history without signing in
		i := r.IntN(members)
		c := visit.NewClient(visit.MiniProgram, visit.Home(i), i+1)
		w.Enter(at(midnight, r), "old app", c, func(a *visit.Actor) {
			for n := range 1 + a.Rand.IntN(2) {
				if !a.Get(fmt.Sprintf("/api/v1/member/records?plateNo=%s&page=%d", url.QueryEscape(s.town[i].Plate), n+1)).OK() {
					return
				}
				a.Think(6 * time.Second)
			}
		})
	}
	w.Enter(at(midnight, r), "newcomer", visit.NewClient(visit.MiniProgram, visit.Home(members+r.IntN(90)), 3), func(a *visit.Actor) { s.join(a, s.town[members+a.Rand.IntN(90)]) })
	if r.IntN(2) == 0 { // looks for a place to stand
		c := visit.Browser(5000 + r.IntN(300))
		w.Enter(at(midnight, r), "passer-by", c, func(a *visit.Actor) {
			a.Open("/")
			for n := range 1 + a.Rand.IntN(3) {
				ans := a.Get(fmt.Sprintf("/api/v1/lots?page=%d", n+1))
				a.Think(5 * time.Second)
				if id := ans.Text("data.list.3.id"); id != "" {
					a.Get("/api/v1/lots/" + id)
					a.Think(8 * time.Second)
				}
			}
		})
	}
	w.Enter(midnight.Add(3*time.Hour), "monitor", visit.NewClient(visit.Monitor, visit.Line(3), 0), func(a *visit.Actor) {
		for range 4 {
			a.Get("/health")
			a.Wait(5 * time.Hour)
		}
	})
	w.Enter(midnight.Add(2*time.Hour), "partner", visit.NewClient(visit.Partner, visit.Line(7), 0), func(a *visit.Actor) {
		a.Get("/openapi/v1/entries?since="+fmt.Sprint(a.Now().Unix()-86400), "X-App-Key", partner, "X-App-Secret", secret)
	})
	if r.IntN(3) == 0 {
		w.Enter(at(midnight, r), "search engine", visit.NewClient(visit.Spider, visit.Line(40), 0), func(a *visit.Actor) {
			a.Get("/robots.txt")
			a.Think(4 * time.Second)
			a.Get("/")
		})
	}
}

// leave pays for a stay.
func (s *service) leave(a *visit.Actor, plate string) {
	a.Open("/?plate=" + url.QueryEscape(plate))
	ask := plate
	if a.Rand.IntN(9) == 0 { // the wrong plate first
		ask = people.AnyPlate(a.Rand)
	}
	ans := a.Get("/api/v1/parking/fee?plateNo=" + url.QueryEscape(ask))
	a.Think(7 * time.Second)
	if ask != plate {
		ans = a.Get("/api/v1/parking/fee?plateNo=" + url.QueryEscape(plate))
		a.Think(6 * time.Second)
	}
	if order := ans.Text("data.orderNo"); order != "" && a.Rand.IntN(10) > 0 {
		a.Post("/api/v1/parking/orders/"+order+"/pay", map[string]string{"channel": []string{"wxpay", "alipay"}[a.Rand.IntN(2)]})
	}
}

// mine asks for something of the member's: the front end decides where the
// session travels.
func (s *service) mine(a *visit.Actor, token, method, target string, body any) *visit.Answer {
	a.Bearer = token
	if s.env.On(TokenInURL) {
		a.Bearer = ""
		mark := "?"
		if u, err := url.Parse(target); err == nil && u.RawQuery != "" {
			mark = "&"
		}
		target += mark + "token=" + token
	}
	if body != nil {
		return a.Send(method, target, body)
	}
	return a.Get(target)
}

func (s *service) lookUp(a *visit.Actor, p people.Person) {
	password := strong(p)
	if a.Plain && !s.env.On(PlainHTTP) { // the program was mended together with the service
		a.Plain = false
	}
	if a.Rand.IntN(6) == 0 { // mistypes
		a.Post("/api/v1/login", map[string]string{"phone": p.Phone, "password": password[:len(password)-1]})
		a.Think(9 * time.Second)
	}
	token := a.Post("/api/v1/login", map[string]string{"phone": p.Phone, "password": password}).Text("data.token")
	if token == "" {
		return
	}
	a.Think(2 * time.Second)
	s.mine(a, token, "GET", "/api/v1/member/info", nil)
	for n := range 1 + a.Rand.IntN(2) {
		a.Think(6 * time.Second)
		s.mine(a, token, "GET", fmt.Sprintf("/api/v1/member/records?plateNo=%s&page=%d", url.QueryEscape(p.Plate), n+1), nil)
	}
	if a.Rand.IntN(8) == 0 {
		a.Think(20 * time.Second)
		s.mine(a, token, "POST", "/api/v1/member/plates", map[string]string{"plateNo": p.Plate})
	}
}

// join signs in by a code for the first time and binds the car.
func (s *service) join(a *visit.Actor, p people.Person) {
	if !a.Post("/api/v1/sms/send", map[string]string{"phone": p.Phone}).OK() {
		return
	}
	a.Think(15 * time.Second)
	code := s.Code(p.Phone)
	if code == "" {
		return
	}
	if a.Rand.IntN(7) == 0 {
		a.Post("/api/v1/login/sms", map[string]string{"phone": p.Phone, "code": code[1:] + code[:1]})
		a.Think(8 * time.Second)
	}
	token := a.Post("/api/v1/login/sms", map[string]string{"phone": p.Phone, "code": code}).Text("data.token")
	if token == "" {
		return
	}
	a.Think(4 * time.Second)
	s.mine(a, token, "GET", "/api/v1/member/info", nil)
	a.Think(15 * time.Second)
	s.mine(a, token, "POST", "/api/v1/member/plates", map[string]string{"plateNo": p.Plate})
	a.Think(5 * time.Second)
	s.mine(a, token, "GET", "/api/v1/member/records?plateNo="+url.QueryEscape(p.Plate)+"&page=1", nil)
}
