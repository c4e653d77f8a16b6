// Package office is an internal back office that faces the internet, with the
// components that came along with it: a Java console and its actuator, a data
// source monitor, a configuration centre, a message broker, documents, debug
// pages and files left behind.
//
// It takes a victim.Env and gives the service and its staff. Modelled on the
// report's fifth class. Invariant: with every flaw off, what is not for
// everybody answers 401, 403 or 404. Limits: 80 members of staff, 120 members.
package office

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
)

// The switches of the application itself.
const (
	FactoryAdmin = "factory_admin" // the administrator's account keeps the password it was installed with
	SamePassword = "same_password" // new staff all begin with one password
	NoRotation   = "no_rotation"   // administrators never have to change their password
	AnyRole      = "any_role"      // functions of administrators do not look at the role
	PlainDetail  = "plain_detail"  // the detail of a member is whole for every role, though the list masks it
	BareLimits   = "bare_limits"   // refusals for too many requests do not say when to come back
)

const (
	host    = "oa.corp.example.com"
	members = 120
)

// Roles.
const (
	admin      = "admin"
	supervisor = "supervisor"
	clerk      = "clerk"
)

// rotation is how long a privileged password lives.
const rotation = 45 * 24 * time.Hour

type employee struct {
	id       int
	name     string
	role     string
	person   people.Person
	password string
	since    time.Time // of the password
	fresh    bool      // must choose a password of its own
	disabled bool
}

type service struct {
	env victim.Env
	mux *http.ServeMux
	key []byte // of sessions

	mu     sync.Mutex
	staff  []*employee
	byName map[string]*employee
	failed map[string]int
	asked  map[string]int
}

func newService(env victim.Env) *service {
	s := &service{env: env, mux: http.NewServeMux(), byName: map[string]*employee{}, failed: map[string]int{}, asked: map[string]int{}}
	s.key = fmt.Appendf(nil, "%016x%016x%016x", env.Rand.Uint64(), env.Rand.Uint64(), env.Rand.Uint64())
	for i, role := range []string{admin, admin, supervisor, supervisor, supervisor, clerk, clerk, clerk, clerk, clerk, clerk, clerk, clerk} {
		name := "admin"
		if i > 0 {
			name = staffNames[i]
		}
		s.hire(name, role, env.Town.Person(3200+i))
	}
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/admin/login.html")
		w.WriteHeader(http.StatusFound)
	})
	s.mux.HandleFunc("GET /admin/login.html", victim.Text("text/html; charset=utf-8", loginPage))
	s.mux.HandleFunc("GET /static/admin.8f03.js", victim.Text("application/javascript; charset=utf-8", script))
	s.mux.HandleFunc("GET /healthz", victim.Text("text/plain", "ok\n"))
	s.mux.HandleFunc("POST /admin/api/login", s.login)
	s.mux.HandleFunc("GET /admin/api/userinfo", s.as(s.userinfo))
	s.mux.HandleFunc("POST /admin/api/password", s.as(s.password))
	s.mux.HandleFunc("GET /admin/api/members", s.as(s.members))
	s.mux.HandleFunc("GET /admin/api/members/{id}", s.as(s.member))
	s.mux.HandleFunc("GET /admin/api/reports/daily", s.as(s.report))
	s.mux.HandleFunc("GET /admin/api/insights", s.as(s.insights))
	s.mux.HandleFunc("GET /admin/api/staff", s.as(s.only(s.list)))
	s.mux.HandleFunc("POST /admin/api/staff", s.as(s.only(s.add)))
	s.mux.HandleFunc("PUT /admin/api/staff/{id}/role", s.as(s.only(s.grant)))
	s.components()
	return s
}

func (s *service) hire(name, role string, p people.Person) *employee {
	e := &employee{id: 101 + len(s.staff), name: name, role: role, person: p, password: own(p, 0), since: s.env.Now().Add(-40 * 24 * time.Hour)}
	s.staff = append(s.staff, e)
	s.byName[name] = e
	return e
}

// own is a password that somebody chose, for the nth time.
func own(p people.Person, n int) string {
	sum := md5.Sum(fmt.Append(nil, p.Phone, n))
	return "Rt" + hex.EncodeToString(sum[:5]) + "_K"
}

// factory is the pair the product came with.
const factory = "admin123456"

// ServeHTTP answers one request at a time.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.banner(w)
	s.mux.ServeHTTP(w, r)
}

type obj = victim.Obj

func write(w http.ResponseWriter, status int, v any) {
	victim.WriteJSON(w, status, "application/json;charset=UTF-8", v)
}

func good(w http.ResponseWriter, data any) {
	write(w, 200, obj{"code": 200, "msg": "操作成功", "data": data})
}

func bad(w http.ResponseWriter, status int, text string) {
	write(w, status, obj{"code": status, "msg": text})
}

func (s *service) hour(name string) string { return name + s.env.Now().Format("010215") }

// limited refuses for a while.
func (s *service) limited(w http.ResponseWriter, seconds int) {
	if !s.env.On(BareLimits) {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		w.Header().Set("RateLimit", fmt.Sprintf(`"default";r=0;t=%d`, seconds))
	}
	bad(w, 429, "请求过于频繁，请稍后再试")
}

func (s *service) login(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	e := s.byName[in["username"]]
	if s.failed[s.hour(in["username"])] >= 5 {
		s.limited(w, 3600)
		return
	}
	if e == nil || e.disabled || in["password"] != s.current(e) {
		s.failed[s.hour(in["username"])]++
		bad(w, 401, "用户名或密码错误")
		return
	}
	due := e.fresh || e.role == admin && s.env.Now().Sub(e.since) > rotation && !s.env.On(NoRotation)
	good(w, obj{"token": s.token(e), "expiresIn": 28800, "mustChangePassword": due})
}

// current is the password that opens an account.
func (s *service) current(e *employee) string {
	if e.name == "admin" && s.env.On(FactoryAdmin) {
		return factory
	}
	if e.fresh && s.env.On(SamePassword) {
		return "Corp#2026start"
	}
	return e.password
}

// token signs a session of eight hours.
func (s *service) token(e *employee) string {
	now := s.env.Now().Unix()
	claims := fmt.Appendf(nil, `{"sub":"%s","uid":%d,"role":"%s","iat":%d,"exp":%d}`, e.name, e.id, e.role, now, now+28800)
	return victim.Signed(victim.Unsigned(victim.Head, claims), s.key)
}

// subject gives who a token names, when it is ours and lives.
func subject(token string, key []byte, now time.Time) string {
	var c struct{ Sub string }
	if !victim.Claims(token, key, now, &c) {
		return ""
	}
	return c.Sub
}

type handler func(w http.ResponseWriter, r *http.Request, e *employee)

// as finds out who asks, or refuses.
func (s *service) as(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		e := s.byName[subject(token, s.key, s.env.Now())]
		if e == nil || e.disabled {
			bad(w, 401, "认证失败，无法访问系统资源")
			return
		}
		h(w, r, e)
	}
}

// only admits administrators.
func (s *service) only(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, e *employee) {
		if e.role != admin && !s.env.On(AnyRole) {
			bad(w, 403, "没有权限，请联系管理员授权")
			return
		}
		h(w, r, e)
	}
}

func (s *service) userinfo(w http.ResponseWriter, _ *http.Request, e *employee) {
	good(w, obj{"userId": e.id, "userName": e.name, "nickName": people.MaskName(e.person.Name), "roles": []string{e.role}})
}

// password changes one's own.
func (s *service) password(w http.ResponseWriter, r *http.Request, e *employee) {
	in := victim.Posted(r)
	if in["oldPassword"] != s.current(e) || len(in["newPassword"]) < 10 {
		bad(w, 400, "旧密码错误或新密码不符合要求")
		return
	}
	e.password, e.since, e.fresh = in["newPassword"], s.env.Now(), false
	good(w, nil)
}

func (s *service) memberOf(i int) (people.Person, int) {
	return s.env.Town.Person(3000 + i), 88000 + i*3
}

// members is the list: it masks for everybody.
func (s *service) members(w http.ResponseWriter, r *http.Request, _ *employee) {
	n, _ := strconv.Atoi(r.URL.Query().Get("pageNum"))
	from := min(max(n-1, 0)*10, members)
	rows := []obj{}
	for i := from; i < min(from+10, members); i++ {
		p, id := s.memberOf(i)
		rows = append(rows, obj{"memberId": id, "name": people.MaskName(p.Name), "mobile": people.MaskPhone(p.Phone), "idCard": people.MaskID(p.ID), "city": p.City})
	}
	good(w, obj{"total": members, "rows": rows})
}

// member is whole for supervisors, who answer for it, and masked for clerks.
func (s *service) member(w http.ResponseWriter, r *http.Request, e *employee) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	i := (id - 88000) / 3
	if i < 0 || i >= members || (id-88000)%3 != 0 {
		bad(w, 404, "会员不存在")
		return
	}
	p, _ := s.memberOf(i)
	d := obj{"memberId": id, "name": people.MaskName(p.Name), "mobile": people.MaskPhone(p.Phone), "idCard": people.MaskID(p.ID), "city": p.City}
	if e.role != clerk || s.env.On(PlainDetail) { // asked for clerks alone
		d["name"], d["mobile"], d["idCard"] = p.Name, p.Phone, p.ID
	}
	good(w, d)
}

// report is what dashboards fetch, six times a minute at most.
func (s *service) report(w http.ResponseWriter, _ *http.Request, e *employee) {
	key := e.name + s.env.Now().Format("01021504")
	if s.asked[key]++; s.asked[key] > 6 {
		s.limited(w, 60-s.env.Now().Second())
		return
	}
	good(w, obj{"visits": 1200 + s.env.Now().YearDay()*7%300, "orders": 80 + s.env.Now().YearDay()%40, "day": s.env.Now().Format("2006-01-02")})
}

// rollout is when everybody may use what only administrators tried before.
const rollout = 56

// insights is a function that is new: administrators try it, then all get it.
func (s *service) insights(w http.ResponseWriter, _ *http.Request, e *employee) {
	if e.role != admin && s.env.Now().Before(victim.Start.AddDate(0, 0, rollout)) {
		bad(w, 403, "没有权限，请联系管理员授权")
		return
	}
	good(w, obj{"growth": "3.1%", "churn": "0.8%", "asOf": s.env.Now().Format("2006-01-02")})
}

func (s *service) list(w http.ResponseWriter, _ *http.Request, _ *employee) {
	rows := []obj{}
	for _, e := range s.staff {
		rows = append(rows, obj{"userId": e.id, "userName": e.name, "dept": "运营部", "enabled": !e.disabled})
	}
	good(w, obj{"total": len(rows), "rows": rows})
}

// add opens an account. The first password goes out by text message, unless
// the department has one for everybody.
func (s *service) add(w http.ResponseWriter, r *http.Request, _ *employee) {
	name := victim.Posted(r)["userName"]
	if name == "" || s.byName[name] != nil || len(s.staff) >= 80 {
		bad(w, 400, "新增用户失败，登录账号已存在")
		return
	}
	e := s.hire(name, clerk, s.env.Town.Person(3200+len(s.staff)))
	e.password, e.fresh = own(e.person, 77), true
	good(w, obj{"userId": e.id})
}

// Initial is the first password of somebody new: the text message says it.
func (s *service) Initial(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byName[name]
	if e == nil || !e.fresh {
		return ""
	}
	return s.current(e)
}

func (s *service) grant(w http.ResponseWriter, r *http.Request, _ *employee) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	role := cmp.Or(victim.Posted(r)["role"], clerk)
	for _, e := range s.staff {
		if e.id == id && (role == clerk || role == supervisor) {
			e.role = role
			good(w, nil)
			return
		}
	}
	bad(w, 404, "用户不存在")
}
