package shop

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"xiezhi/lab/victim"
	"xiezhi/lab/victim/visit"
)

// App is the application.
var App = &victim.App{
	Name: "shop", Host: host, Industry: "ecommerce", Days: 42,
	Dialects: []*visit.Dialect{
		nil,
		{Prefix: "/gateway", Under: "/api/", Snake: true, Words: map[string]string{"message": "error_msg", "data": "payload", "rows": "records"}},
		{Prefix: "/prod-api", Under: "/api/", Words: map[string]string{"phoneMask": "maskedTel", "phone": "tel", "mobile": "mobileNo", "address": "addr", "legalIdCard": "legalCertNo", "vipLevel": "memberGrade", "rows": "list", "receiver": "consignee"}},
	},
	Flaws: []victim.Flaw{
		{Name: PlainWinners, Signs: []victim.Sign{
			{Kinds: []string{"unneeded_sensitive"}, Method: "GET", Template: "/api/activity/{}/winners"},
			{Kinds: []string{"masked_plain_twin"}, Method: "GET", Template: "/api/activity/{}/winners"},
			{Kinds: []string{"unused_by_frontend"}, Method: "GET", Template: "/api/activity/{}/winners"},
			{Kinds: []string{"unauthenticated_sensitive"}, Method: "GET", Template: "/api/activity/{}/winners"},
		}},
		{Name: PlainSuppliers, Signs: []victim.Sign{
			{Kinds: []string{"unneeded_sensitive"}, Method: "GET", Template: "/api/notice/suppliers"},
			{Kinds: []string{"unused_by_frontend"}, Method: "GET", Template: "/api/notice/suppliers"},
			{Kinds: []string{"unauthenticated_sensitive"}, Method: "GET", Template: "/api/notice/suppliers"},
		}},
		{Name: ForeignOrders, Signs: []victim.Sign{{Kinds: []string{"bola"}, Method: "GET", Template: "/api/orders/{}"}}},
		{Name: OpenFields, Signs: []victim.Sign{{Kinds: []string{"mass_assignment"}, Method: "PATCH", Template: "/api/user/profile"}}},
		{Name: RawSearch, Signs: []victim.Sign{
			{Kinds: []string{"injection_suspected"}, Method: "GET", Template: "/api/products/search"},
			{Kinds: []string{"verbose_trace"}, Method: "GET", Template: "/api/products/search"}, // the answer is the database's own
		}},
		{Name: StackTraces, Signs: []victim.Sign{{Kinds: []string{"verbose_trace"}, Method: "GET", Template: "/api/products/{}"}}},
		{Name: LargePages, Signs: []victim.Sign{{Kinds: []string{"bulk_response"}, Method: "GET", Template: "/api/merchant/orders"}}},
		{Name: BareCookie, Signs: []victim.Sign{{Kinds: []string{"insecure_cookie"}}}},
		{Name: OpenExports, Signs: []victim.Sign{
			{Kinds: []string{"unauthenticated_file"}, Method: "GET", Template: "/files/export/{}"},
			{Kinds: []string{"unauthenticated_sensitive", "optional_authentication"}, Method: "GET", Template: "/files/export/{}", Extra: true},
		}},
	},
	Policy: victim.Batch("shop", "/openapi/v2/orders", "the warehouse's ERP fetches the day's orders by contract", 9),
	New: func(env victim.Env) victim.Service {
		s := newService(env)
		return victim.Service{Handler: s, Day: s.day}
	},
}

// at draws a time of the day.
func at(midnight time.Time, r *rand.Rand) time.Time {
	h := 8 + r.IntN(15)
	if r.IntN(12) == 0 {
		h = r.IntN(24)
	}
	return midnight.Add(time.Duration(h)*time.Hour + time.Duration(r.IntN(3_600_000))*time.Millisecond)
}

// day lets the day's visitors come.
func (s *service) day(w *visit.World, midnight time.Time, r *rand.Rand) {
	for range 3 + r.IntN(3) { // read the notices, most from the carrier's link
		c := visit.Browser(7000 + r.IntN(4000))
		w.Enter(at(midnight, r), "reader", c, func(a *visit.Actor) {
			id := 3001 + a.Rand.IntN(activities)
			a.Open(fmt.Sprintf("/activity/winners.html?id=%d", id))
			for n := range 1 + a.Rand.IntN(3) {
				a.Get(fmt.Sprintf("/api/activity/%d/winners?page=%d", id, n+1))
				a.Think(9 * time.Second)
			}
		})
	}
	for range 1 + r.IntN(3) {
		c := visit.Browser(7000 + r.IntN(4000))
		w.Enter(at(midnight, r), "reader", c, func(a *visit.Actor) {
			a.Open("/notice/suppliers.html")
			for n := range 1 + a.Rand.IntN(2) {
				a.Get(fmt.Sprintf("/api/notice/suppliers?page=%d", n+1))
				a.Think(12 * time.Second)
			}
		})
	}
	for range 4 + r.IntN(3) { // look around
		c := visit.Browser(12_000 + r.IntN(3000))
		w.Enter(at(midnight, r), "visitor", c, func(a *visit.Actor) { s.browse(a) })
	}
	for range 4 + r.IntN(3) {
		i := r.IntN(customers)
		c := visit.Browser(i)
		if i%3 == 0 {
			c = visit.NewClient(visit.AndroidApp, visit.Home(i), i)
		}
		w.Enter(at(midnight, r), "customer", c, func(a *visit.Actor) { s.buy(a, s.all[i]) })
	}
	if midnight.Weekday() != time.Sunday {
		i := customers + r.IntN(merchants)
		c := visit.NewClient(visit.Chrome, visit.Home(9000+i), i)
		work := midnight.Add(9*time.Hour + time.Duration(r.IntN(8*3600))*time.Second)
		w.Enter(work, "merchant", c, func(a *visit.Actor) { s.desk(a, s.all[i], midnight) })
		if r.IntN(2) == 0 { // the warehouse gets a link that opens the table for a day
			w.Enter(work.Add(2*time.Hour), "warehouse", visit.NewClient(visit.Chrome, visit.Home(9200+r.IntN(4)), i), func(a *visit.Actor) {
				a.Get(s.link(strings.TrimPrefix(table(midnight, a.Rand), "/files/export/")))
			})
		}
		if r.IntN(2) == 0 { // who packs got the link of the table in a chat, and has no account
			clerk := visit.NewClient(visit.Chrome, visit.Home(9100+r.IntN(6)), i)
			w.Enter(work.Add(time.Hour), "packer", clerk, func(a *visit.Actor) { a.Get(table(midnight, a.Rand)) })
		}
	}
	w.Enter(midnight.Add(time.Duration(r.IntN(3600))*time.Second), "monitor", visit.NewClient(visit.Monitor, visit.Line(3), 0), func(a *visit.Actor) {
		for range 4 {
			a.Get("/health")
			a.Wait(5 * time.Hour)
		}
	})
	w.Enter(midnight.Add(time.Hour), "partner", visit.NewClient(visit.Partner, visit.Line(9), 0), func(a *visit.Actor) {
		a.Get("/openapi/v2/orders?day="+midnight.AddDate(0, 0, -1).Format("20060102"), "X-Api-Key", erpKey, "X-Api-Secret", erpSecret)
	})
	if r.IntN(3) == 0 {
		w.Enter(at(midnight, r), "search engine", visit.NewClient(visit.Spider, visit.Line(40), 0), func(a *visit.Actor) {
			a.Get("/")
			for range 2 {
				a.Think(5 * time.Second)
				a.Get(fmt.Sprintf("/api/products/%d", s.stock[a.Rand.IntN(len(s.stock))].id))
			}
		})
	}
}

// browse looks at goods, searches and mistypes.
func (s *service) browse(a *visit.Actor) {
	a.Open("/")
	a.Get("/api/products?page=1")
	for range 1 + a.Rand.IntN(3) {
		a.Think(6 * time.Second)
		switch n := a.Rand.IntN(12); {
		case n < 4:
			a.Get("/api/products/search?q=" + url.QueryEscape([]string{"杯", "包", "小熊", "台灯", "毛巾", "L'Oréal", "Levi's", "McDonald's"}[a.Rand.IntN(8)]))
		case n == 4: // a link that a chat program cut, or put a full stop behind
			a.Get(fmt.Sprintf("/api/products/%d%s", s.stock[a.Rand.IntN(len(s.stock))].id, []string{"。", "…", "undefined", ")"}[a.Rand.IntN(4)]))
		default:
			a.Get(fmt.Sprintf("/api/products/%d", s.stock[a.Rand.IntN(len(s.stock))].id))
		}
	}
}

// enter signs in; some mistype.
func (s *service) enter(a *visit.Actor, acc *account) bool {
	password := strong(acc.person)
	if a.Rand.IntN(7) == 0 {
		a.Post("/api/auth/login", map[string]string{"mobile": acc.person.Phone, "password": password[1:]})
		a.Think(8 * time.Second)
	}
	ans := a.Post("/api/auth/login", map[string]string{"mobile": acc.person.Phone, "password": password})
	return ans.Text("success") == "true"
}

// buy is what a customer does.
func (s *service) buy(a *visit.Actor, acc *account) {
	if a.Browser {
		a.Open("/")
	}
	a.Get("/api/products?page=1")
	if !s.enter(a, acc) {
		return
	}
	a.Think(3 * time.Second)
	card := a.Get("/api/user/profile")
	if a.Rand.IntN(2) == 0 {
		a.Think(10 * time.Second)
		it := s.stock[a.Rand.IntN(len(s.stock))]
		a.Get(fmt.Sprintf("/api/products/%d", it.id))
		a.Think(20 * time.Second)
		id := a.Post("/api/orders", map[string]int64{"itemId": it.id}).Text("data.orderId")
		if id != "" && a.Rand.IntN(5) > 0 {
			a.Think(10 * time.Second)
			a.Post("/api/orders/"+id+"/pay", map[string]string{"channel": "alipay"})
		}
	}
	a.Think(5 * time.Second)
	if id := a.Get("/api/orders?page=1&pageSize=10").Text("data.rows.0.orderId"); id != "" {
		a.Think(4 * time.Second)
		a.Get("/api/orders/" + id)
	}
	if a.Rand.IntN(4) == 0 {
		a.Think(6 * time.Second)
		a.Post("/api/coupons/2026spring/claim", map[string]string{"from": "home"})
	}
	switch n := a.Rand.IntN(10); {
	case n == 0: // a relative sent the link of an order
		other := s.list[a.Rand.IntN(len(s.list))]
		a.Think(8 * time.Second)
		a.Get(fmt.Sprintf("/api/orders/%d", other.id))
	case n < 3: // changes the nickname
		a.Think(8 * time.Second)
		nick := acc.person.Nick + fmt.Sprint(a.Rand.IntN(90))
		if a.Browser {
			a.Send("PATCH", "/api/user/profile", map[string]string{"nickname": nick})
			break
		}
		var whole struct{ Data map[string]any } // the app returns the card as it got it
		if json.Unmarshal(card.Body, &whole) == nil && whole.Data != nil {
			whole.Data["nickname"] = nick
			a.Send("PATCH", "/api/user/profile", whole.Data)
		}
	case n == 3: // tries whether the level can be had for nothing
		a.Think(8 * time.Second)
		a.Send("PATCH", "/api/user/profile", map[string]any{"nickname": acc.person.Nick, "vipLevel": []string{"gold", "platinum"}[a.Rand.IntN(2)]})
		a.Think(3 * time.Second)
		a.Get("/api/user/profile")
	}
}

// desk is a merchant at work: looks at orders, exports a month.
func (s *service) desk(a *visit.Actor, acc *account, midnight time.Time) {
	if !s.enter(a, acc) {
		return
	}
	for n := range 1 + a.Rand.IntN(3) {
		a.Think(15 * time.Second)
		a.Get(fmt.Sprintf("/api/merchant/orders?page=%d&pageSize=20", n+1))
	}
	if a.Rand.IntN(2) == 0 { // the accountant's table wants all at once
		a.Think(20 * time.Second)
		a.Get("/api/merchant/orders?page=1&pageSize=1000")
	}
	a.Think(10 * time.Second)
	a.Get(table(midnight, a.Rand))
}

// table is the file of one of the last months.
func table(day time.Time, r *rand.Rand) string {
	return "/files/export/orders-" + day.AddDate(0, -1-r.IntN(2), 0).Format("200601") + ".csv"
}
