package government

import (
	"fmt"
	"net/http"
	"strconv"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
)

// The switches of the departments' back end.
const (
	VendorAccount  = "vendor_account"  // the account that the vendor tested with still opens the back end
	EndlessGuesses = "endless_guesses" // failures at the back end's login are never counted
	FirstPassword  = "first_password"  // new staff at the windows all begin with one password
	AnyWindow      = "any_window"      // whoever sits at a window approves
	WholeAfter     = "whole_after"     // an application is whole for every role, though the list masks it
)

// Roles.
const (
	window   = "window"
	approver = "approver"
	chief    = "admin"
)

const mostStaff = 60

// desk is the back end's state.
type desk struct {
	staff    []*officer
	byName   map[string]*officer
	sessions map[string]*officer
	failed   map[string]int
}

type officer struct {
	id       int
	name     string
	role     string
	person   people.Person
	password string
	fresh    bool
}

func (s *service) departments() {
	s.desk = desk{byName: map[string]*officer{}, sessions: map[string]*officer{}, failed: map[string]int{}}
	for i, name := range officers {
		role := window
		switch {
		case i < 2:
			role = chief
		case i < 5:
			role = approver
		}
		s.hire(name, role, 8000+i)
	}
	s.mux.HandleFunc("GET /admin/login.html", victim.Text("text/html; charset=utf-8", deskPage))
	s.mux.HandleFunc("GET /static/js/desk.77f0.js", victim.Text("application/javascript;charset=UTF-8", deskScript))
	s.mux.HandleFunc("POST /admin/api/login", s.deskLogin)
	s.mux.HandleFunc("GET /admin/api/user/info", s.officer(s.deskInfo))
	s.mux.HandleFunc("POST /admin/api/user/password", s.officer(s.deskPassword))
	s.mux.HandleFunc("POST /admin/api/user/add", s.officer(s.deskAdd))
	s.mux.HandleFunc("GET /admin/api/cases/list", s.officer(s.queue))
	s.mux.HandleFunc("GET /admin/api/cases/detail", s.officer(s.caseDetail))
	s.mux.HandleFunc("POST /admin/api/cases/approve", s.officer(s.approve))
}

func (s *service) hire(name, role string, person int) *officer {
	p := s.env.Town.Person(person)
	o := &officer{id: 201 + len(s.desk.staff), name: name, role: role, person: p, password: strong(p)}
	s.desk.staff = append(s.desk.staff, o)
	s.desk.byName[name] = o
	return o
}

func (s *service) deskLogin(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	name := in["account"]
	hour := name + s.env.Now().Format("010215")
	if s.desk.failed[hour] >= 5 && !s.env.On(EndlessGuesses) {
		s.limited(w)
		return
	}
	o := s.desk.byName[name]
	if name == "test" && in["password"] == "123456" && s.env.On(VendorAccount) {
		o = &officer{id: 1, name: "test", role: window, person: s.env.Town.Person(8099), password: "123456"}
	}
	if o == nil || in["password"] != s.current(o) {
		s.desk.failed[hour]++
		write(w, 200, obj{"code": "401", "msg": "账号或密码错误", "data": nil})
		return
	}
	delete(s.desk.failed, hour)
	token := fmt.Sprintf("%016x%016x", s.env.Rand.Uint64(), s.env.Rand.Uint64())
	if len(s.desk.sessions) >= 10_000 {
		clear(s.desk.sessions)
	}
	s.desk.sessions[token] = o
	good(w, obj{"token": token, "mustChange": o.fresh, "userInfo": obj{"account": o.name, "roleName": o.role}})
}

// current is the password that opens an account.
func (s *service) current(o *officer) string {
	if o.fresh && s.env.On(FirstPassword) {
		return "Zwdt#8866win"
	}
	return o.password
}

func (s *service) officer(h func(w http.ResponseWriter, r *http.Request, o *officer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o := s.desk.sessions[r.Header.Get("X-Access-Token")]
		if o == nil {
			write(w, 401, obj{"code": "401", "msg": "登录已失效，请重新登录", "data": nil})
			return
		}
		h(w, r, o)
	}
}

func (s *service) deskInfo(w http.ResponseWriter, _ *http.Request, o *officer) {
	good(w, obj{"userId": o.id, "account": o.name, "roleName": o.role, "dept": departmentsOf[o.id%len(departmentsOf)]})
}

func (s *service) deskPassword(w http.ResponseWriter, r *http.Request, o *officer) {
	in := victim.Posted(r)
	if in["oldPassword"] != s.current(o) || weak(in["newPassword"]) {
		bad(w, "400", "旧密码错误或新密码不符合要求")
		return
	}
	o.password, o.fresh = in["newPassword"], false
	good(w, nil)
}

// deskAdd opens an account. The first password goes out by text message,
// unless the hall has one for everybody.
func (s *service) deskAdd(w http.ResponseWriter, r *http.Request, o *officer) {
	name := victim.Posted(r)["account"]
	if o.role != chief || name == "" || s.desk.byName[name] != nil || len(s.desk.staff) >= mostStaff {
		bad(w, "403", "无操作权限或账号已存在")
		return
	}
	n := s.hire(name, window, 8000+len(s.desk.staff))
	n.fresh = true
	good(w, obj{"userId": n.id})
}

// First is the first password of somebody new: the text message says it.
func (s *service) First(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.desk.byName[name]; o != nil && o.fresh {
		return s.current(o)
	}
	return ""
}

// queue lists what came in, masked for everybody.
func (s *service) queue(w http.ResponseWriter, r *http.Request, _ *officer) {
	from, to := part(r, len(s.cases), 10)
	rows := []obj{}
	for i := from; i < to; i++ {
		c := s.cases[len(s.cases)-1-i]
		rows = append(rows, obj{"caseId": len(s.cases) - 1 - i + 90001, "caseNo": c.no, "itemName": c.item, "applicantName": people.MaskName(c.owner.Name), "applicantPhone": people.MaskPhone(c.owner.Phone)})
	}
	good(w, obj{"total": len(s.cases), "rows": rows})
}

func (s *service) caseOf(n int) *application {
	if n -= 90001; n >= 0 && n < len(s.cases) {
		return s.cases[n]
	}
	return nil
}

// caseDetail is whole for those who decide, and masked at the windows.
func (s *service) caseDetail(w http.ResponseWriter, r *http.Request, o *officer) {
	c := s.caseOf(number(r, "caseId"))
	if c == nil {
		bad(w, "404", "办件不存在")
		return
	}
	p := c.owner
	d := obj{"caseId": number(r, "caseId"), "caseNo": c.no, "itemName": c.item, "applicantName": people.MaskName(p.Name), "applicantPhone": people.MaskPhone(p.Phone), "applicantIdNo": people.MaskID(p.ID), "stage": stages[c.steps%len(stages)]}
	if o.role != window || s.env.On(WholeAfter) {
		d["applicantName"], d["applicantPhone"], d["applicantIdNo"] = p.Name, p.Phone, p.ID
	}
	good(w, d)
}

func (s *service) approve(w http.ResponseWriter, r *http.Request, o *officer) {
	if o.role == window && !s.env.On(AnyWindow) {
		write(w, 403, obj{"code": "403", "msg": "没有审批权限", "data": nil})
		return
	}
	in := victim.Posted(r)
	n, _ := strconv.Atoi(in["caseId"])
	c := s.caseOf(n)
	if c == nil {
		bad(w, "404", "办件不存在")
		return
	}
	c.steps++
	c.opinion = in["opinion"]
	good(w, nil)
}
