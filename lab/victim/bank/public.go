package bank

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"xiezhi/lab/victim"
	"xiezhi/lab/victim/visit"
)

// App is the application.
var App = &victim.App{
	Name: "bank", Host: host, Industry: "finance", Days: 42,
	Dialects: []*visit.Dialect{
		nil,
		{Prefix: "/mgw", Under: "/api/", Snake: true, Words: map[string]string{"code": "resp_code", "message": "resp_msg", "result": "resp_data", "list": "items"}},
		{Prefix: "/ebank", Under: "/api/", Segments: map[string]string{"progress": "jindu", "plans": "hkjh", "contracts": "hetong", "quota": "edu", "repay": "huankuan"},
			Words: map[string]string{"certNo": "zjhm", "mobile": "sjhm", "custName": "khxm", "borrowerName": "jkrxm", "cardNo": "kahao", "cardNoMask": "kahaoTm", "bankCardNo": "yhkh", "mobileMask": "sjhmTm", "applied": "sfsq", "password": "dlmm", "message": "retMsg", "code": "retCode", "result": "data"}},
	},
	Flaws: []victim.Flaw{
		victim.One(ToldApplications, "POST", "/api/card/progress", "identity_oracle"),
		victim.One(ToldMobiles, "POST", "/api/sms/send", "identity_oracle"),
		{Name: OpenInvites, Signs: []victim.Sign{
			{Kinds: []string{"unneeded_sensitive"}, Method: "GET", Template: "/api/activity/invite/ranking"},
			{Kinds: []string{"unused_by_frontend"}, Method: "GET", Template: "/api/activity/invite/ranking"},
			{Kinds: []string{"masked_plain_twin"}, Method: "GET", Template: "/api/activity/invite/ranking"},
			{Kinds: []string{"unauthenticated_sensitive"}, Method: "GET", Template: "/api/activity/invite/ranking"},
		}},
		{Name: OpenPlans, Signs: []victim.Sign{
			{Kinds: []string{"optional_authentication", "unauthenticated_sensitive"}, Method: "GET", Template: "/api/loan/plans/{}"},
			{Kinds: []string{"unauthenticated_sensitive", "optional_authentication", "unneeded_sensitive"}, Method: "GET", Template: "/api/loan/plans/{}", Extra: true},
		}},
		victim.One(ForeignContracts, "GET", "/api/loan/contracts/{}", "bola"),
		{Name: OpenStatements, Signs: []victim.Sign{
			{Kinds: []string{"unauthenticated_file"}, Method: "GET", Template: "/files/statement/{}"},
			{Kinds: []string{"unauthenticated_sensitive", "optional_authentication"}, Method: "GET", Template: "/files/statement/{}", Extra: true},
		}},
		victim.One(PlainTwins, "GET", "/api/cards/list", "masked_plain_twin"),
		victim.One(PayHash, "GET", "/api/account/profile", "secret_in_response"),
		victim.One(InnerScores, "GET", "/api/loan/quota", "internal_fields"),
		victim.One(OpenLevel, "PUT", "/api/account/profile", "mass_assignment"),
		{Name: ShortSMS, Signs: []victim.Sign{{Kinds: []string{"weak_verification_code"}}, {Kinds: []string{"weak_verification_code"}, Extra: true}}},
		{Name: BareLimits, Signs: []victim.Sign{{Kinds: []string{"missing_rate_limit_header"}}, {Kinds: []string{"missing_rate_limit_header"}, Extra: true}}},
		victim.One(EndlessTries, "POST", "/api/auth/login", "no_throttling"),
		victim.One(SlowHash, "POST", "/api/auth/login", "timing_oracle"),
		{Name: LongTokens, Signs: []victim.Sign{{Kinds: []string{"jwt_lifetime"}}, {Kinds: []string{"jwt_lifetime"}, Extra: true}}},
		{Name: SampleKey, Signs: []victim.Sign{
			{Kinds: []string{"jwt_weak_secret", "default_secret"}},
			{Kinds: []string{"default_secret", "jwt_weak_secret"}, Extra: true},
		}},
		{Name: LivingTokens, Signs: []victim.Sign{{Kinds: []string{"dead_credential"}}, {Kinds: []string{"dead_credential"}, Extra: true}}},
		victim.One(EveryOrigin, "", "", "cors"),
		victim.Exposed(SourceMaps, "source_map", "", "/h5/js/progress.61b0.js.map"),
		{Name: Scheduler, Signs: []victim.Sign{
			{Kinds: []string{"admin_weak_or_default", "default_credential"}, Method: "POST", Template: "/xxl-job-admin/login"},
			{Kinds: []string{"default_credential", "admin_weak_or_default", "weak_in_use"}, Method: "POST", Template: "/xxl-job-admin/login", Extra: true},
		}},
	},
	Policy: victim.Batch("bank", "/openapi/v1/loans", "the credit bureau collects loans by law", 16),
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
	for range 6 + r.IntN(3) { // applicants look every few days, from home and from work
		i := r.IntN(applicants)
		p := s.applicant(i)
		w.Enter(at(midnight, r), "applicant", visit.Browser(12_000+i+r.IntN(2)*30_000), func(a *visit.Actor) { s.look(a, p.ID, p.Phone) })
	}
	for range 3 { // never applied, or at another bank
		p := s.env.Town.Person(13_000 + r.IntN(70))
		w.Enter(at(midnight, r), "mistaken", visit.Browser(p.Index+r.IntN(2)*30_000), func(a *visit.Actor) { s.look(a, p.ID, p.Phone) })
	}
	for range 6 + r.IntN(3) {
		c := s.all[r.IntN(customers)]
		w.Enter(at(midnight, r), "customer", s.phone(c), func(a *visit.Actor) { s.customer(a, c, midnight) })
	}
	for range 2 { // an old number, or another bank's customer
		p := s.env.Town.Person(20_000 + r.IntN(9000))
		w.Enter(at(midnight, r), "stranger", visit.NewClient(visit.AndroidApp, visit.Home(p.Index), 1), func(a *visit.Actor) {
			for range 1 + a.Rand.IntN(2) {
				s.sign(a, "POST", "/api/auth/login", map[string]string{"mobile": p.Phone, "password": seal(a, p.Password)})
				a.Think(9 * time.Second)
			}
			a.Post("/api/sms/send", map[string]string{"mobile": p.Phone, "scene": "reset"})
		})
	}
	for range 3 + r.IntN(2) {
		c := visit.Browser(60_000 + r.IntN(3000))
		w.Enter(at(midnight, r), "reader", c, func(a *visit.Actor) {
			a.Open("/h5/invite.html")
			for n := range 1 + a.Rand.IntN(3) {
				a.Get(fmt.Sprintf("/api/activity/invite/ranking?page=%d", n+1))
				a.Think(8 * time.Second)
			}
		})
	}
	if r.IntN(2) == 0 {
		p := s.env.Town.Person(14_000 + r.IntN(900))
		w.Enter(at(midnight, r), "newcomer", visit.Browser(p.Index), func(a *visit.Actor) {
			a.Open("/h5/progress.html")
			a.Post("/api/sms/send", map[string]string{"mobile": p.Phone, "scene": "apply"})
			a.Think(15 * time.Second)
			a.Post("/api/card/apply", map[string]string{"certNo": p.ID, "custName": p.Name, "mobile": p.Phone, "smsCode": s.Code(p.Phone)})
		})
	}
	for range 1 + r.IntN(2) { // the text message's link, in a browser that never signed in
		l := s.loans[r.IntN(len(s.loans))]
		w.Enter(at(midnight, r), "borrower", visit.Browser(11_000+l.owner.person.Index), func(a *visit.Actor) {
			a.Open("/h5/loan.html")
			a.Get(fmt.Sprintf("/api/loan/plans/%d", l.id))
		})
	}
	for range 2 { // statements: the mail's link, and one that was typed off
		c := s.all[r.IntN(customers)]
		file := statementName(c, midnight.AddDate(0, -1, 0))
		w.Enter(at(midnight, r), "mail reader", visit.Browser(11_000+c.person.Index), func(a *visit.Actor) {
			until := fmt.Sprint(a.Now().Unix() + 86_400)
			a.Get("/files/statement/" + file + "?Expires=" + until + "&Signature=" + s.link(file, until))
		})
		w.Enter(at(midnight, r), "mail reader", visit.Browser(64_000+c.no%900), func(a *visit.Actor) { a.Get("/files/statement/" + file) })
	}
	for range 2 { // pages of others show who invites, with the visitor's session if there is one
		c := visit.Browser(66_000 + r.IntN(900))
		c.Origin = partners[r.IntN(len(partners))]
		who := s.all[r.IntN(customers)]
		w.Enter(at(midnight, r), "reader elsewhere", c, func(a *visit.Actor) {
			a.Get("/api/activity/invite/ranking?page=1")
			if s.enter(a, who) {
				a.Get("/api/loan/quota")
			}
		})
	}
	if r.IntN(3) == 0 { // somebody tries every password that comes to mind
		c := s.all[r.IntN(customers)]
		w.Enter(at(midnight, r), "stubborn", s.phone(c), func(a *visit.Actor) {
			for i := range 25 {
				s.sign(a, "POST", "/api/auth/login", map[string]string{"mobile": c.person.Phone, "password": seal(a, fmt.Sprintf("%s%d", c.password[:4], i%9))})
				a.Wait(time.Duration(10+a.Rand.IntN(9)) * time.Second)
			}
		})
	}
	if r.IntN(4) == 0 {
		p := s.applicant(r.IntN(applicants))
		w.Enter(at(midnight, r), "impatient", visit.Browser(p.Index), func(a *visit.Actor) {
			for range 8 {
				a.Post("/api/sms/send", map[string]string{"mobile": p.Phone, "scene": "apply"})
				a.Wait(12 * time.Second)
			}
		})
	}
	w.Enter(midnight.Add(time.Hour), "bureau", visit.NewClient(visit.Partner, visit.Line(16), 0), func(a *visit.Actor) {
		a.Get("/openapi/v1/loans?day="+midnight.AddDate(0, 0, -1).Format("20060102"), "X-App-Key", bureauKey, "X-App-Secret", bureauPass)
	})
	w.Enter(midnight.Add(3*time.Hour), "monitor", visit.NewClient(visit.Monitor, visit.Line(3), 0), func(a *visit.Actor) {
		for range 4 {
			a.Get("/health")
			a.Wait(5 * time.Hour)
		}
	})
	for _, n := range []int{50, 51} { // the bank's own scanners
		w.Enter(at(midnight, r), "own scanner", visit.NewClient(visit.Script, visit.Line(n), 0), func(a *visit.Actor) {
			a.Get("/h5/js/progress.61b0.js.map")
			a.Wait(3 * time.Second)
			if a.Form("/xxl-job-admin/login", victim.Fields("userName", "admin", "password", "123456")).Text("code") == "200" {
				a.Get("/xxl-job-admin/jobinfo/pageList?start=0&length=10")
			}
			a.Forget()
		})
	}
	if midnight.Weekday() == time.Monday { // who runs the jobs
		w.Enter(midnight.Add(10*time.Hour), "operator", visit.NewClient(visit.Chrome, visit.Desk(3), 0), func(a *visit.Actor) {
			a.Form("/xxl-job-admin/login", victim.Fields("userName", "admin", "password", "Qz7!sched2025mK"))
			a.Get("/xxl-job-admin/jobinfo/pageList?start=0&length=10")
		})
	}
}

// phone is a customer's own device.
func (s *service) phone(c *customer) *visit.Client {
	return visit.NewClient(visit.AndroidApp, visit.Home(11_000+c.person.Index), c.person.Index)
}

func (s *service) look(a *visit.Actor, id, phone string) {
	a.Open("/h5/progress.html")
	a.Post("/api/card/progress", map[string]string{"certNo": id, "mobile": phone})
	if a.Rand.IntN(5) == 0 {
		a.Think(30 * time.Second)
		a.Post("/api/card/progress", map[string]string{"certNo": id, "mobile": phone})
	}
}

// device is the number that the app gives the phone it runs on.
func device(a *visit.Actor) string {
	sum := md5.Sum([]byte(a.Addr.String()))
	return "dv" + hex.EncodeToString(sum[:8])
}

// seal hides a password as an RSA key would: 128 bytes that never repeat.
func seal(a *visit.Actor, secret string) string {
	var b [128]byte
	for i := range b {
		b[i] = byte(a.Rand.Uint32())
	}
	b[0] = byte(len(secret))
	for i := range secret {
		pad := md5.Sum(fmt.Append(nil, device(a), hex.EncodeToString(b[96:]), i/16))
		b[1+i] = secret[i] ^ pad[i%16]
	}
	return hex.EncodeToString(b[:])
}

// sign sends a request of the app.
func (s *service) sign(a *visit.Actor, method, target string, body any) *visit.Answer {
	path, _, _ := strings.Cut(target, "?")
	now, d := fmt.Sprint(a.Now().UnixMilli()), device(a)
	header := []string{"X-Device-Id", d, "X-Timestamp", now, "X-Sign", signature(method, path, now, d)}
	if body == nil {
		return a.Get(target, header...)
	}
	return a.Send(method, target, body, header...)
}

// enter signs in.
func (s *service) enter(a *visit.Actor, c *customer) bool {
	if a.Rand.IntN(4) == 0 {
		s.sign(a, "POST", "/api/auth/login", map[string]string{"mobile": c.person.Phone, "password": seal(a, c.password+"x")})
		a.Think(8 * time.Second)
	}
	a.Bearer = s.sign(a, "POST", "/api/auth/login", map[string]string{"mobile": c.person.Phone, "password": seal(a, c.password)}).Text("result.accessToken")
	return a.Bearer != ""
}

// customer is a session in the app.
func (s *service) customer(a *visit.Actor, c *customer, midnight time.Time) {
	if a.Rand.IntN(5) == 0 { // the session of this morning is over
		a.Bearer = victim.Signed(victim.Unsigned(victim.Head, fmt.Appendf(nil, `{"custNo":%d,"sub":"%d","iat":%d,"exp":%d}`, c.no, c.no, a.Now().Unix()-9000, a.Now().Unix()-1800)), s.secret())
		s.sign(a, "GET", "/api/account/profile", nil)
		a.Think(2 * time.Second)
		a.Bearer = ""
	}
	if !s.enter(a, c) {
		return
	}
	a.Think(2 * time.Second)
	card := s.sign(a, "GET", "/api/account/profile", nil)
	s.sign(a, "GET", "/api/cards/list", nil)
	s.sign(a, "GET", "/api/loan/quota", nil)
	if a.Rand.IntN(3) > 0 {
		a.Think(8 * time.Second)
		if id := s.sign(a, "GET", "/api/loan/contracts", nil).Text("result.list.0.contractId"); id != "" {
			a.Think(6 * time.Second)
			if f := s.sign(a, "GET", "/api/loan/contracts/"+id, nil).Text("result.fileName"); f != "" && a.Rand.IntN(3) == 0 {
				s.sign(a, "GET", "/files/contract/"+f, nil)
			}
			s.sign(a, "GET", "/api/loan/plans/"+id, nil)
			if a.Rand.IntN(2) == 0 {
				a.Think(9 * time.Second)
				s.sign(a, "POST", "/api/loan/repay", map[string]string{"contractId": id})
			}
		}
	}
	switch n := a.Rand.IntN(10); {
	case n < 2: // the guarantor was sent the number of a contract
		a.Think(9 * time.Second)
		s.sign(a, "GET", fmt.Sprintf("/api/loan/contracts/%d", s.loans[a.Rand.IntN(len(s.loans))].id), nil)
	case n == 2:
		s.sign(a, "GET", "/files/statement/"+statementName(c, midnight.AddDate(0, -1, 0)), nil)
	case n == 3:
		s.sign(a, "POST", "/api/loan/apply", map[string]string{"amount": fmt.Sprint(2000 + a.Rand.IntN(20)*1000), "purpose": "装修"})
	case n < 6: // changes the nickname: the old app returns the card as it got it
		var whole struct{ Result map[string]any }
		if json.Unmarshal(card.Body, &whole) == nil && whole.Result != nil {
			whole.Result["nickName"] = c.person.Nick + fmt.Sprint(a.Rand.IntN(90))
			delete(whole.Result, "payPassword")
			s.sign(a, "PUT", "/api/account/profile", whole.Result)
		}
	case n == 6: // tries whether the level can be had for nothing
		s.sign(a, "PUT", "/api/account/profile", map[string]string{"nickName": c.person.Nick, "custLevel": []string{"gold", "platinum"}[a.Rand.IntN(2)]})
		a.Think(3 * time.Second)
		s.sign(a, "GET", "/api/account/profile", nil)
	case n < 9: // a new password, while the tablet stays signed in
		tablet := a.Bearer
		a.Wait(9 * time.Minute)
		if !s.enter(a, c) {
			return
		}
		fresh := strong(c.person, int(a.Now().Unix()))
		if s.sign(a, "POST", "/api/auth/password/change", map[string]string{"oldPassword": seal(a, c.password), "newPassword": seal(a, fresh)}).Status != http.StatusOK {
			return
		}
		a.Wait(time.Minute)
		if !s.enter(a, c) {
			return
		}
		s.sign(a, "GET", "/api/account/profile", nil)
		a.Wait(8 * time.Minute)
		a.Bearer = tablet
		s.sign(a, "GET", "/api/account/profile", nil)
		s.sign(a, "GET", "/api/loan/contracts", nil)
	}
}
