package office

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"xiezhi/lab/victim"
	"xiezhi/lab/victim/visit"
)

// App is the application. Its staff work for four months: privileged passwords
// grow old slowly.
var App = &victim.App{
	Name: "office", Host: host, Industry: "other", Days: 112,
	Flaws: []victim.Flaw{
		{Name: FactoryAdmin, Signs: []victim.Sign{
			{Kinds: []string{"admin_weak_or_default", "default_credential"}, Method: "POST", Template: "/admin/api/login"},
			{Kinds: []string{"default_credential", "admin_weak_or_default", "weak_in_use"}, Method: "POST", Template: "/admin/api/login", Extra: true},
		}},
		{Name: SamePassword, Signs: []victim.Sign{
			{Kinds: []string{"shared_default"}, Method: "POST", Template: "/admin/api/login"},
			{Kinds: []string{"admin_weak_or_default", "weak_in_use"}, Method: "POST", Template: "/admin/api/login", Extra: true}, // it holds the house's name and the year
		}},
		{Name: NoRotation, Signs: []victim.Sign{{Kinds: []string{"stale_privileged"}}}},
		{Name: AnyRole, Signs: []victim.Sign{
			{Kinds: []string{"bfla"}, Method: "PUT", Template: "/admin/api/staff/{}/role"},
			{Kinds: []string{"bfla"}, Method: "GET", Template: "/admin/api/staff"},
		}},
		{Name: PlainDetail, Signs: []victim.Sign{{Kinds: []string{"role_overbroad"}, Method: "GET", Template: "/admin/api/members/{}"}}},
		{Name: BareLimits, Signs: []victim.Sign{{Kinds: []string{"missing_rate_limit_header"}}}},
		victim.Exposed(Actuator, "exposed_component", "actuator", "/actuator/env"),
		victim.Exposed(DruidMonitor, "exposed_component", "druid_monitor", "/druid/index.html"),
		{Name: NacosUsers, Signs: []victim.Sign{
			{Kinds: []string{"exposed_component"}, Component: "nacos", Method: "GET", Template: "/nacos/v1/auth/users"},
			{Kinds: []string{"secret_in_response", "unauthenticated_sensitive"}, Method: "GET", Template: "/nacos/v1/auth/users", Extra: true},
		}},
		{Name: NacosKey, Signs: []victim.Sign{
			{Kinds: []string{"default_secret"}},
			{Kinds: []string{"jwt_weak_secret"}, Extra: true}, // the key is in public lists, too
		}},
		{Name: BrokerGuest, Signs: []victim.Sign{
			{Kinds: []string{"default_credential"}, Component: "rabbitmq", Method: "GET", Template: "/api/overview"},
			{Kinds: []string{"exposed_component", "admin_weak_or_default"}, Component: "rabbitmq", Method: "GET", Template: "/api/overview", Extra: true},
		}},
		victim.Exposed(APIDocs, "api_docs", "", "/v3/api-docs"),
		{Name: GitFolder, Signs: []victim.Sign{
			{Kinds: []string{"exposed_file"}, Component: "git", Method: "GET", Template: "/.git/HEAD"},
			{Kinds: []string{"exposed_file"}, Component: "git", Method: "GET", Template: "/.git/config"},
		}},
		{Name: EnvFile, Signs: []victim.Sign{
			{Kinds: []string{"exposed_file"}, Component: "env", Method: "GET", Template: "/.env"},
			{Kinds: []string{"secret_in_response"}, Method: "GET", Template: "/.env", Extra: true},
		}},
		victim.Exposed(Backup, "exposed_file", "backup", "/backup/oa.sql"),
		victim.Exposed(Listing, "directory_listing", "", "/uploads/"),
		{Name: DebugPage, Signs: []victim.Sign{
			{Kinds: []string{"debug_page"}, Method: "GET", Template: "/calc/rate"},
			{Kinds: []string{"verbose_trace"}, Method: "GET", Template: "/calc/rate", Extra: true},
		}},
		{Name: Introspection, Signs: []victim.Sign{{Kinds: []string{"graphql_introspection"}, Method: "POST", Template: "/graphql"}}},
		victim.Exposed(SourceMap, "source_map", "", "/static/admin.8f03.js.map"),
		{Name: OldVersions, Signs: []victim.Sign{
			{Kinds: []string{"outdated_component"}},
			{Kinds: []string{"outdated_component"}, Extra: true},
		}},
	},
	New: func(env victim.Env) victim.Service {
		s := newService(env)
		return victim.Service{Handler: s, Day: s.day}
	},
}

const (
	class   = 6  // new staff begin together
	curious = 20 // the day from which on clerks try an administrator's functions
)

// paths are what a scanner of the house's own asks for every week.
var paths = []string{"/actuator/env", "/druid/index.html", "/nacos/v1/auth/users?pageNo=1&pageSize=10", "/v3/api-docs", "/.git/HEAD", "/.git/config", "/.env", "/backup/oa.sql", "/uploads/", "/static/admin.8f03.js.map"}

// day lets the day's staff and programs work.
func (s *service) day(w *visit.World, midnight time.Time, r *rand.Rand) {
	days := int(midnight.Sub(victim.Start).Hours() / 24)
	work := func() time.Time {
		return midnight.Add(9*time.Hour + time.Duration(r.IntN(9*3600_000))*time.Millisecond)
	}
	if wd := midnight.Weekday(); wd != time.Saturday && wd != time.Sunday {
		for i, e := range s.staff {
			if i >= len(staffNames) || r.IntN(3) == 0 {
				continue
			}
			c := visit.NewClient(visit.Chrome, visit.Desk(i), i)
			if (i+days)%3 == 0 { // works from home
				c.Addr = visit.Home(600 + i)
			}
			w.Enter(work(), e.role, c, func(a *visit.Actor) { s.shift(a, e) })
		}
	}
	if days%28 == 2 { // a class of new staff begins; passwords of one day can be compared
		for i := range class {
			name := fmt.Sprintf("trainee%02d", days/28*class+i+1)
			at := midnight.Add(9*time.Hour + time.Duration(i*20)*time.Minute)
			w.Enter(at, admin, visit.NewClient(visit.Chrome, visit.Desk(1), 1), func(a *visit.Actor) {
				if s.signIn(a, s.staff[1]) {
					a.Post("/admin/api/staff", map[string]string{"userName": name})
				}
			})
			c := visit.NewClient(visit.Chrome, visit.Home(700+days+i), days)
			w.Enter(at.Add(15*time.Minute), clerk, c, func(a *visit.Actor) { s.begin(a, name) })
		}
	}
	if days >= curious && days%5 == 0 { // the menu hides what a clerk may not do; some have the link all the same
		e := s.staff[5+days/5%8]
		w.Enter(work(), clerk, visit.NewClient(visit.Chrome, visit.Home(600+e.id), e.id), func(a *visit.Actor) {
			if !s.signIn(a, e) {
				return
			}
			a.Think(30 * time.Second)
			a.Get("/admin/api/staff")
			a.Think(20 * time.Second)
			a.Send("PUT", fmt.Sprintf("/admin/api/staff/%d/role", e.id), map[string]string{"role": clerk})
		})
	}
	if days%7 == 4 { // the security team looks from outside what shows
		for _, n := range []int{50, 51} {
			w.Enter(work(), "own scanner", visit.NewClient(visit.Script, visit.Line(n), 0), func(a *visit.Actor) {
				for _, p := range paths {
					a.Get(p)
					a.Wait(3 * time.Second)
				}
				a.Get("/calc/rate?per=0")
				a.Wait(3 * time.Second)
				a.Post("/graphql", map[string]string{"query": "query IntrospectionQuery { __schema { queryType { name } types { kind name fields { name } } } }"})
			})
		}
	}
	w.Enter(midnight.Add(time.Hour), "monitor", visit.NewClient(visit.Monitor, visit.Line(3), 0), func(a *visit.Actor) {
		for range 2 {
			a.Get("/healthz")
			a.Get("/api/overview", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("guest:guest")))
			a.Wait(9 * time.Hour)
		}
	})
	w.Enter(midnight.Add(6*time.Hour), "agent", visit.NewClient(visit.Partner, visit.Line(12), 0), func(a *visit.Actor) {
		a.Bearer = a.Form("/nacos/v1/auth/login", url.Values{"username": {"ops-agent"}, "password": {"Ug7#mLw2Rk9_tB"}}).Text("accessToken")
		if a.Bearer == "" {
			return
		}
		for range 3 {
			a.Get("/nacos/v1/ns/instance/list?serviceName=oa-web")
			a.Wait(time.Hour)
		}
	})
}

// signIn opens a session and follows a demand for a new password.
func (s *service) signIn(a *visit.Actor, e *employee) bool {
	a.Open("/admin/login.html")
	password := s.current(e)
	if a.Rand.IntN(9) == 0 {
		a.Post("/admin/api/login", map[string]string{"username": e.name, "password": password + "1"})
		a.Think(8 * time.Second)
	}
	ans := a.Post("/admin/api/login", map[string]string{"username": e.name, "password": password})
	if a.Bearer = ans.Text("data.token"); a.Bearer == "" {
		return false
	}
	a.Think(2 * time.Second)
	a.Get("/admin/api/userinfo")
	if ans.Text("data.mustChangePassword") == "true" {
		a.Think(30 * time.Second)
		a.Post("/admin/api/password", map[string]string{"oldPassword": password, "newPassword": own(e.person, int(a.Now().Unix()/86400))})
	}
	return true
}

// shift is a session of work.
func (s *service) shift(a *visit.Actor, e *employee) {
	if !s.signIn(a, e) {
		return
	}
	if a.Rand.IntN(14) == 0 { // leaves a dashboard running that asks too often
		for range 9 {
			a.Get("/admin/api/reports/daily")
			a.Wait(2 * time.Second)
		}
	} else {
		a.Get("/admin/api/reports/daily")
	}
	for range 1 + a.Rand.IntN(2) {
		a.Think(15 * time.Second)
		id := a.Get(fmt.Sprintf("/admin/api/members?pageNum=%d", 1+a.Rand.IntN(12))).Text(fmt.Sprintf("data.rows.%d.memberId", a.Rand.IntN(10)))
		if id != "" {
			a.Think(10 * time.Second)
			a.Get("/admin/api/members/" + id)
		}
	}
	if e.role == admin && a.Rand.IntN(2) == 0 || a.Now().After(victim.Start.AddDate(0, 0, rollout)) && a.Rand.IntN(3) == 0 {
		a.Think(9 * time.Second)
		a.Get("/admin/api/insights")
	}
	if e.role == admin {
		for range 3 {
			a.Think(20 * time.Second)
			a.Get("/admin/api/staff")
			a.Think(20 * time.Second)
			a.Send("PUT", fmt.Sprintf("/admin/api/staff/%d/role", s.staff[5+a.Rand.IntN(8)].id), map[string]string{"role": clerk})
		}
	}
	if a.Rand.IntN(4) == 0 {
		a.Think(9 * time.Second)
		a.Post("/graphql", map[string]string{"query": "{ notices { id title } }"})
		a.Get(fmt.Sprintf("/calc/rate?per=%d", 30+a.Rand.IntN(300)))
	}
	if a.Rand.IntN(40) == 0 { // an empty field
		a.Get("/calc/rate?per=0")
	}
}

// begin is the first day of somebody new.
func (s *service) begin(a *visit.Actor, name string) {
	password := s.Initial(name)
	if password == "" {
		return
	}
	a.Open("/admin/login.html")
	ans := a.Post("/admin/api/login", map[string]string{"username": name, "password": password})
	if a.Bearer = ans.Text("data.token"); a.Bearer == "" {
		return
	}
	a.Think(5 * time.Second)
	a.Get("/admin/api/userinfo")
	a.Think(40 * time.Second)
	a.Post("/admin/api/password", map[string]string{"oldPassword": password, "newPassword": own(s.byName[name].person, 1)})
	a.Think(10 * time.Second)
	a.Get("/admin/api/members?pageNum=1")
}
