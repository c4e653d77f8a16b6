package community

import (
	"fmt"
	"math/rand/v2"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
	"xiezhi/lab/victim/visit"
)

// App is the application.
var App = &victim.App{
	Name: "community", Host: host, Industry: "social", Days: 42,
	Dialects: []*visit.Dialect{
		nil,
		{Prefix: "/svc", Under: "/api/", Snake: true, Words: map[string]string{"code": "errno", "msg": "errmsg"}},
	},
	Flaws: []victim.Flaw{
		victim.One(ToldAccounts, "POST", "/api/user/login", "identity_oracle"),
		victim.One(CodeInAnswer, "POST", "/api/sms/send", "code_in_response"),
		victim.One(WeakAccepted, "POST", "/api/user/register", "weak_accepted"),
		victim.One(WeakKept, "POST", "/api/user/login", "weak_in_use"),
		victim.One(NoLock, "POST", "/api/user/login", "no_throttling"),
		victim.One(HashInProfile, "GET", "/api/user/profile", "secret_in_response"),
		victim.One(InnerFields, "GET", "/api/posts/{}", "internal_fields"),
		{Name: OpenCards, Signs: []victim.Sign{
			{Kinds: []string{"optional_authentication", "unauthenticated_sensitive"}, Method: "GET", Template: "/api/members/{}/card"},
			{Kinds: []string{"optional_authentication", "unauthenticated_sensitive"}, Method: "GET", Template: "/api/members/{}/card", Extra: true},
		}},
		victim.One(AnyOrigin, "", "", "cors"),
		{Name: DeadSessions, Signs: []victim.Sign{{Kinds: []string{"dead_credential"}}, {Kinds: []string{"dead_credential"}, Extra: true}}},
		{Name: LongSessions, Signs: []victim.Sign{{Kinds: []string{"jwt_lifetime"}}, {Kinds: []string{"jwt_lifetime"}, Extra: true}}},
		{Name: ShortCodes, Signs: []victim.Sign{{Kinds: []string{"weak_verification_code"}}, {Kinds: []string{"weak_verification_code"}, Extra: true}}},
		victim.One(SlowCheck, "POST", "/api/user/login", "timing_oracle"),
		{Name: UnsignedToken, Signs: []victim.Sign{{Kinds: []string{"jwt_none"}}}},
		{Name: WeakKey, Signs: []victim.Sign{{Kinds: []string{"jwt_weak_secret"}}, {Kinds: []string{"default_secret"}, Extra: true}}},
	},
	New: func(env victim.Env) victim.Service {
		s := newService(env)
		return victim.Service{Handler: s, Day: s.visits}
	},
}

func at(midnight time.Time, r *rand.Rand) time.Time {
	return midnight.Add(time.Duration(7+r.IntN(16))*time.Hour + time.Duration(r.IntN(3_600_000))*time.Millisecond)
}

// visits lets the day's visitors come.
func (s *service) visits(w *visit.World, midnight time.Time, r *rand.Rand) {
	for range 7 + r.IntN(4) {
		a := s.all[r.IntN(accounts)]
		c := visit.Browser(4000 + a.uid)
		if a.uid%3 == 0 {
			c = visit.NewClient(visit.AndroidApp, visit.Home(4000+a.uid), a.uid)
		}
		w.Enter(at(midnight, r), "member", c, func(v *visit.Actor) { s.member(v, a) })
	}
	for range 2 { // newcomers
		p := s.env.Town.Person(50_000 + r.IntN(40_000))
		w.Enter(at(midnight, r), "newcomer", visit.Browser(p.Index), func(v *visit.Actor) { s.join(v, p) })
	}
	for range 2 { // types a number that has no account
		p := s.env.Town.Person(30_000 + r.IntN(9000))
		w.Enter(at(midnight, r), "forgetful", visit.Browser(p.Index), func(v *visit.Actor) {
			for range 1 + v.Rand.IntN(2) {
				v.Post("/api/user/login", map[string]string{"phone": p.Phone, "password": p.Password})
				v.Think(9 * time.Second)
			}
		})
	}
	if r.IntN(4) == 0 { // a set-top box goes on with a password that was changed
		a := s.all[r.IntN(accounts)]
		w.Enter(at(midnight, r), "old device", visit.NewClient(visit.AndroidApp, visit.Home(4000+a.uid), 1), func(v *visit.Actor) {
			for range 26 {
				v.Post("/api/user/login", map[string]string{"phone": a.person.Phone, "password": "Old#" + a.password})
				v.Wait(12 * time.Second)
			}
		})
	}
	if r.IntN(3) == 0 { // somebody tries every password that comes to mind, over and over
		a := s.all[r.IntN(accounts)]
		w.Enter(at(midnight, r), "stubborn", visit.Browser(4000+a.uid), func(v *visit.Actor) {
			v.Open("/")
			for i := range 24 {
				v.Post("/api/user/login", map[string]string{"phone": a.person.Phone, "password": fmt.Sprintf("%s%d", a.password[:4], i%9)})
				v.Wait(time.Duration(11+v.Rand.IntN(9)) * time.Second)
			}
			s.byCode(v, a.person.Phone, "/api/user/login/sms", nil)
		})
	}
	for range 3 { // pages of others show posts, with the visitor's session if there is one
		c := visit.Browser(20_000 + r.IntN(900))
		c.Origin = partners[r.IntN(len(partners))]
		who := s.all[r.IntN(accounts)]
		w.Enter(at(midnight, r), "reader elsewhere", c, func(v *visit.Actor) {
			if v.Rand.IntN(2) == 0 {
				v.Bearer = v.Post("/api/user/login", map[string]string{"phone": who.person.Phone, "password": who.password}).Text("data.token")
			}
			v.Get("/api/posts?page=1")
			v.Think(5 * time.Second)
			v.Get(fmt.Sprintf("/api/posts/%d", 9000+v.Rand.IntN(120)))
			if v.Bearer != "" {
				v.Get("/api/feed/mine")
			}
		})
	}
	for range 1 + r.IntN(2) { // cards are shared as links
		a := s.all[r.IntN(accounts)]
		w.Enter(at(midnight, r), "stranger", visit.Browser(21_000+r.IntN(900)), func(v *visit.Actor) { v.Get(fmt.Sprintf("/api/members/%d/card", a.uid)) })
	}
	w.Enter(at(midnight, r), "test app", visit.NewClient(visit.Script, visit.Line(60), 0), func(v *visit.Actor) { // the testers' library signs nothing
		v.Bearer = claims(`{"alg":"none","typ":"JWT"}`, s.all[v.Rand.IntN(5)], v.Now(), 2*time.Hour) + "."
		v.Get("/api/user/profile")
		v.Wait(2 * time.Second)
		v.Get("/api/feed/mine")
	})
	w.Enter(midnight.Add(2*time.Hour), "monitor", visit.NewClient(visit.Monitor, visit.Line(3), 0), func(v *visit.Actor) {
		for range 4 {
			v.Get("/health")
			v.Wait(5 * time.Hour)
		}
	})
}

// enter signs in: by password, and by a code when that is not taken.
func (s *service) enter(v *visit.Actor, a *account) bool {
	if v.Rand.IntN(6) == 0 {
		v.Post("/api/user/login", map[string]string{"phone": a.person.Phone, "password": a.password + "x"})
		v.Think(8 * time.Second)
	}
	ans := v.Post("/api/user/login", map[string]string{"phone": a.person.Phone, "password": a.password})
	if v.Bearer = ans.Text("data.token"); v.Bearer != "" {
		return true
	}
	return s.byCode(v, a.person.Phone, "/api/user/login/sms", nil)
}

// byCode asks for a code and shows it.
func (s *service) byCode(v *visit.Actor, phone, target string, more map[string]string) bool {
	v.Think(5 * time.Second)
	if !v.Post("/api/sms/send", map[string]string{"phone": phone}).OK() {
		return false
	}
	v.Think(12 * time.Second)
	in := map[string]string{"phone": phone, "verifyCode": s.Code(phone)}
	for k, x := range more {
		in[k] = x
	}
	v.Bearer = v.Post(target, in).Text("data.token")
	return v.Bearer != ""
}

func (s *service) member(v *visit.Actor, a *account) {
	if v.Browser {
		v.Open("/")
	}
	if v.Rand.IntN(4) == 0 { // the session of this morning is over
		v.Bearer = victim.Signed(claims(victim.Head, a, v.Now().Add(-5*time.Hour), 2*time.Hour), s.secret())
		v.Get("/api/user/profile")
		v.Get("/api/feed/mine")
		v.Think(3 * time.Second)
		v.Bearer = ""
	}
	if !s.enter(v, a) {
		return
	}
	v.Think(3 * time.Second)
	v.Get("/api/user/profile")
	v.Get("/api/feed/mine")
	for range 1 + v.Rand.IntN(3) {
		v.Think(9 * time.Second)
		v.Get(fmt.Sprintf("/api/posts/%d", 9000+v.Rand.IntN(120)))
	}
	for range v.Rand.IntN(3) {
		v.Think(7 * time.Second)
		v.Get(fmt.Sprintf("/api/members/%d/card", s.all[v.Rand.IntN(accounts)].uid))
	}
	if v.Rand.IntN(4) == 0 { // signs out, while another window still asks for news
		v.Think(9 * time.Second)
		if v.Post("/api/user/logout", map[string]string{"from": "menu"}).OK() {
			for range 2 {
				v.Wait(30 * time.Second)
				v.Get("/api/feed/mine")
			}
		}
	}
}

// join registers; who is refused a password takes a better one.
func (s *service) join(v *visit.Actor, p people.Person) {
	v.Open("/")
	v.Get("/api/posts?page=1")
	if s.byCode(v, p.Phone, "/api/user/register", map[string]string{"password": p.Password}) {
		v.Get("/api/user/profile")
		return
	}
	v.Think(20 * time.Second)
	if code := s.Code(p.Phone); code != "" {
		v.Bearer = v.Post("/api/user/register", map[string]string{"phone": p.Phone, "verifyCode": code, "password": fmt.Sprintf("Hz%s!%dqW", p.Email[:3], p.Index*7919%99_991)}).Text("data.token")
	}
}
