// Package government is a portal of public services: what is published,
// how an application stands, one's certificates, an older interface for
// terminals, and the back end of the departments.
//
// It takes a victim.Env and gives the service and its public. Modelled on the
// reported case: personal data taken through what local portals answer about
// identity numbers. Invariant: with every flaw off, names that the law makes
// public are public, and nothing else of anybody is. Limits: 240 citizens at
// the start, 1 200 in all, 60 members of staff, 10 000 sessions.
package government

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
)

// The switches of what citizens use.
const (
	WholeLists     = "whole_lists"     // lists of who is paid carry identity numbers, phones and accounts beside what the page shows
	WholeFiles     = "whole_files"     // the tables attached to notices hold whole identity numbers
	WholeSchool    = "whole_school"    // the list of a school's pupils comes at once, with the parents' names and phones
	ToldApplicants = "told_applicants" // asking how an application stands says whether the person ever applied
	ToldCitizens   = "told_citizens"   // asking for a code says whether the person has an account
	CodeInCookie   = "code_in_cookie"  // the code that is sent stands in a cookie, too
	FourDigits     = "four_digits"     // codes have four digits
	UsedCode       = "used_code"       // a code that was shown is taken once more
	BareRefusals   = "bare_refusals"   // refusals for too many requests do not say when to come back
	InitialSix     = "initial_six"     // the end of the identity number goes on opening accounts
	AnyPassword    = "any_password"    // whoever registers may take any password of six characters
	ForeignCerts   = "foreign_certs"   // every citizen reads every certificate
	InnerRemarks   = "inner_remarks"   // the list of one's applications carries what the departments noted
	StayingSession = "staying_session" // signing out ends nothing
	BarePortal     = "bare_portal"     // the session's cookie travels anywhere and is open to scripts
	SessionInPath  = "session_in_path" // who takes no cookies has the session in every address
	PlainPortal    = "plain_portal"    // port 80 answers as port 443 does
	OpenTerminal   = "open_terminal"   // the interface for terminals asks for no key
	TerminalTrace  = "terminal_trace"  // and shows the program's stack when a number is mistyped
	OracleSearch   = "oracle_search"   // search terms go into SQL as they are
	Registry       = "registry"        // the registry of services answers everybody
	WebInf         = "web_inf"         // so does the application's descriptor
	DocPage        = "doc_page"        // and the page of its interfaces
	UploadFolder   = "upload_folder"   // the folder of uploads shows what is in it
	AgedServer     = "aged_server"     // the server names a version with published holes
)

const (
	host     = "zwfw.linjiang.example.cn"
	citizens = 240
	most     = 1200
	notices  = 12
	listed   = 44 // persons on a notice
	schools  = 5
	pupils   = 160
	guides   = 60
	syncKey  = "prov-4fd2a81c"
	syncPass = "8b0fe1b24c6a4d3f9917"
	termKey  = "ZZZD-77A1C3D9E0"
)

type citizen struct {
	person   people.Person
	password string
	initial  bool // still the one it was given
	cases    []*application
	certs    []int
}

type application struct {
	no      string
	code    string // on the receipt
	owner   people.Person
	item    string
	at      time.Time
	steps   int
	opinion string
}

type service struct {
	env victim.Env
	mux *http.ServeMux

	mu       sync.Mutex
	all      []*citizen
	byID     map[string]*citizen
	cases    []*application
	byCase   map[string]*application // of an identity number, the latest
	sessions map[string]*citizen
	ended    map[string]*citizen
	codes    map[string]string // last sent, by identity number
	shown    map[string]string // last taken
	pictures map[string]string // what can be read on them, by number
	used     map[string]bool
	sent     map[string]int // a number and day
	failed   map[string]int
	desk     desk
}

func newService(env victim.Env) *service {
	s := &service{env: env, mux: http.NewServeMux(), byID: map[string]*citizen{}, byCase: map[string]*application{}, sessions: map[string]*citizen{}, ended: map[string]*citizen{},
		codes: map[string]string{}, shown: map[string]string{}, pictures: map[string]string{}, used: map[string]bool{}, sent: map[string]int{}, failed: map[string]int{}}
	for i := range citizens {
		p := env.Town.Person(6000 + i)
		c := s.open(p, strong(p))
		if i%3 == 0 {
			c.password, c.initial = p.ID[12:], true
		}
		for n := range 1 + i%3 {
			s.apply(p, i+n, env.Now().AddDate(0, 0, -env.Rand.IntN(60)))
		}
	}
	html, js := "text/html; charset=utf-8", "application/javascript;charset=UTF-8"
	s.mux.HandleFunc("GET /{$}", victim.Text(html, homePage))
	s.mux.HandleFunc("GET /notice.html", victim.Text(html, noticePage))
	s.mux.HandleFunc("GET /school.html", victim.Text(html, schoolPage))
	s.mux.HandleFunc("GET /progress.html", victim.Text(html, progressPage))
	s.mux.HandleFunc("GET /mine.html", victim.Text(html, minePage))
	s.mux.HandleFunc("GET /static/css/portal.css", victim.Text("text/css", "body{font:14px 'Microsoft YaHei'}.top{background:#c7000b;color:#fff}td{padding:6px}"))
	s.mux.HandleFunc("GET /static/js/portal.3f1b.js", victim.Text(js, portalScript))
	s.mux.HandleFunc("GET /static/js/notice.0c27.js", victim.Text(js, noticeScript))
	s.mux.HandleFunc("GET /static/js/school.5d0e.js", victim.Text(js, schoolScript))
	s.mux.HandleFunc("GET /static/js/progress.a914.js", victim.Text(js, progressScript))
	s.mux.HandleFunc("GET /static/js/mine.e8c2.js", victim.Text(js, mineScript))
	s.mux.HandleFunc("GET /robots.txt", victim.Text("text/plain", "User-agent: *\nDisallow: /admin/\n"))
	s.mux.HandleFunc("GET /health", victim.Text("text/plain", "UP"))
	s.mux.HandleFunc("GET /api/notices/list", s.notices)
	s.mux.HandleFunc("GET /api/notices/persons", s.persons)
	s.mux.HandleFunc("GET /files/notice/{file}", s.attachment)
	s.mux.HandleFunc("GET /api/school/pupils", s.pupils)
	s.mux.HandleFunc("GET /api/guides/list", s.guides)
	s.mux.HandleFunc("GET /api/guides/search", s.search)
	s.mux.HandleFunc("POST /api/progress/query", s.progress)
	s.mux.HandleFunc("GET /api/captcha/image", s.picture)
	s.mux.HandleFunc("POST /api/sms/send", s.send)
	s.mux.HandleFunc("POST /api/user/login", s.login)
	s.mux.HandleFunc("POST /api/user/smslogin", s.codeLogin)
	s.mux.HandleFunc("POST /api/user/register", s.register)
	s.mux.HandleFunc("POST /api/user/logout", s.logout)
	s.mux.HandleFunc("GET /api/mine/info", s.as(s.info))
	s.mux.HandleFunc("GET /api/mine/applications", s.as(s.ownCases))
	s.mux.HandleFunc("POST /api/mine/apply", s.as(s.newCase))
	s.mux.HandleFunc("GET /api/mine/certificates", s.as(s.certs))
	s.mux.HandleFunc("GET /api/certs/detail", s.as(s.cert))
	s.mux.HandleFunc("GET /files/cert/{file}", s.as(s.certFile))
	s.mux.HandleFunc("POST /ws/terminal/insured", s.terminal)
	s.mux.HandleFunc("GET /openapi/cases/sync", s.sync)
	s.leftovers()
	s.departments()
	return s
}

func (s *service) open(p people.Person, password string) *citizen {
	c := &citizen{person: p, password: password}
	for n := range 2 + len(s.all)%2 {
		c.certs = append(c.certs, 3_100_000+len(s.all)*40+n*7)
	}
	s.all = append(s.all, c)
	s.byID[p.ID] = c
	return c
}

// strong is a password that somebody chose with care.
func strong(p people.Person) string {
	return fmt.Sprintf("Lj%d!%sTq%d", p.Index*7919%9973, p.Email[:3], p.Index*104729%99991)
}

func weak(password string) bool {
	return len(password) < 8 || !strings.ContainsAny(password, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") || !strings.ContainsAny(password, "!@#$%&*.")
}

// apply files an application.
func (s *service) apply(p people.Person, item int, at time.Time) *application {
	c := &application{no: fmt.Sprintf("LJ%s%05d", at.Format("20060102"), 10000+len(s.cases)*7%90000), code: fmt.Sprintf("%06d", (p.Index*7841+len(s.cases)*613)%1_000_000),
		owner: p, item: items[item%len(items)], at: at, steps: 1 + item%4}
	s.cases = append(s.cases, c)
	s.byCase[p.ID] = c
	if o := s.byID[p.ID]; o != nil {
		o.cases = append(o.cases, c)
	}
	return c
}

// ServeHTTP sends port 80 to TLS, takes the session out of the address, and
// answers one request at a time.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Server", "Apache")
	if s.env.On(AgedServer) {
		w.Header().Set("Server", "Apache/2.4.49 (Unix) OpenSSL/1.0.2k")
	}
	if r.TLS == nil && !s.env.On(PlainPortal) {
		w.Header().Set("Location", "https://"+host+r.URL.RequestURI())
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	if path, id, ok := strings.Cut(r.URL.Path, ";jsessionid="); ok {
		r.URL.Path, r.URL.RawPath = path, ""
		r.Header.Set(pathSession, id)
	}
	s.mux.ServeHTTP(w, r)
}

// pathSession is where a session that stood in the address is put, so that
// routes do not see it.
const pathSession = "X-Path-Session"

type obj = victim.Obj

func write(w http.ResponseWriter, status int, v any) {
	victim.WriteJSON(w, status, "application/json;charset=UTF-8", v)
}

func good(w http.ResponseWriter, data any) {
	write(w, 200, obj{"code": "0", "msg": "操作成功", "data": data})
}

func bad(w http.ResponseWriter, code, text string) {
	write(w, 200, obj{"code": code, "msg": text, "data": nil})
}

func refuse(w http.ResponseWriter) { bad(w, "401", "登录已失效，请重新登录") }

func (s *service) day(number string) string { return number + s.env.Now().Format("0102") }

// limited refuses for a while.
func (s *service) limited(w http.ResponseWriter) {
	if !s.env.On(BareRefusals) {
		w.Header().Set("Retry-After", "600")
	}
	write(w, 429, obj{"code": "429", "msg": "操作过于频繁，请稍后再试", "data": nil})
}

const (
	clock = "2006-01-02 15:04:05"
	date  = "2006-01-02"
)
