// Package bank is a bank's retail side: how an application for a credit card
// stands, cards and loans in an app that signs its requests and seals its
// passwords, pages of a promotion, files of statements and contracts, and a
// scheduler's console that came along.
//
// It takes a victim.Env and gives the service and its public. Modelled on the
// reported case: anyone's application for a card could be looked up. Invariant:
// with every flaw off nobody learns of another person whether it is a customer.
// Limits: 200 customers, 120 applicants, 600 loans, 10 000 sessions.
package bank

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
)

// The switches.
const (
	ToldApplications = "told_applications" // asking for an application's progress says yes or no about anybody
	ToldMobiles      = "told_mobiles"      // asking for a code says whether the number is a customer's
	OpenInvites      = "open_invites"      // the list of who invited most carries names and numbers beside what the page shows
	OpenPlans        = "open_plans"        // a loan's plan comes without a session, too
	ForeignContracts = "foreign_contracts" // every customer reads every contract
	OpenStatements   = "open_statements"   // statements need neither a session nor the link's signature
	PlainTwins       = "plain_twins"       // cards are masked, and stand beside their masks
	PayHash          = "pay_hash"          // the profile holds the hash of the payment password
	InnerScores      = "inner_scores"      // the quota carries how the bank scored the customer
	OpenLevel        = "open_level"        // an update of the profile takes whatever it is sent
	ShortSMS         = "short_sms"         // codes have four digits
	BareLimits       = "bare_limits"       // refusals for too many requests do not say when to come back
	EndlessTries     = "endless_tries"     // failures of the login are never counted
	SlowHash         = "slow_hash"         // only for customers is the password hashed
	LongTokens       = "long_tokens"       // sessions live for three weeks
	SampleKey        = "sample_key"        // sessions are signed with the key of the framework's sample
	LivingTokens     = "living_tokens"     // a new password ends no session
	EveryOrigin      = "every_origin"      // every origin may read with the visitor's session
	SourceMaps       = "source_maps"       // the bundle of the pages is deployed with its sources
	Scheduler        = "scheduler"         // the scheduler's console keeps the password it was installed with
)

const (
	host       = "mbank.jinhe.example.com"
	customers  = 200
	applicants = 120
	mostLoans  = 600
	bureauKey  = "zx-bureau-5521"
	bureauPass = "4b1e6fd09a7c42d8b35e"
	signKey    = "jh-app-7c21d5"
)

type customer struct {
	no       int
	person   people.Person
	nick     string
	level    string
	password string
	loans    []*loan
	since    time.Time // of the password
}

type loan struct {
	id     int
	owner  *customer
	amount int
	term   int
	at     time.Time
	paid   int
}

type service struct {
	env victim.Env
	mux *http.ServeMux
	key []byte

	mu      sync.Mutex
	all     []*customer
	byPhone map[string]*customer
	applied map[string]bool // identity numbers
	loans   []*loan
	codes   map[string]string
	sent    map[string]int
	failed  map[string]int
}

func newService(env victim.Env) *service {
	s := &service{env: env, mux: http.NewServeMux(), byPhone: map[string]*customer{}, applied: map[string]bool{}, codes: map[string]string{}, sent: map[string]int{}, failed: map[string]int{}}
	s.key = fmt.Appendf(nil, "%016x%016x", env.Rand.Uint64(), env.Rand.Uint64())
	for i := range customers {
		p := env.Town.Person(11_000 + i)
		c := &customer{no: 66_200_000 + i*13, person: p, nick: p.Nick, level: "silver", password: strong(p, 0)}
		s.all = append(s.all, c)
		s.byPhone[p.Phone] = c
		for range 1 + i%2 {
			s.lend(c, 5000+i*100%45_000, 6+i%3*6, env.Now().AddDate(0, 0, -env.Rand.IntN(200)))
		}
	}
	for i := range applicants {
		s.applied[s.applicant(i).ID] = true
	}
	html, js := "text/html; charset=utf-8", "application/javascript"
	s.mux.HandleFunc("GET /h5/progress.html", victim.Text(html, progressPage))
	s.mux.HandleFunc("GET /h5/invite.html", victim.Text(html, invitePage))
	s.mux.HandleFunc("GET /h5/loan.html", victim.Text(html, loanPage))
	s.mux.HandleFunc("GET /h5/js/progress.61b0.js", victim.Text(js, progressScript))
	s.mux.HandleFunc("GET /h5/js/invite.d7a2.js", victim.Text(js, inviteScript))
	s.mux.HandleFunc("GET /h5/js/loan.40fe.js", victim.Text(js, loanScript))
	s.mux.HandleFunc("GET /health", victim.Text("text/plain", "ok"))
	s.mux.HandleFunc("POST /api/card/progress", s.progress)
	s.mux.HandleFunc("POST /api/card/apply", s.apply)
	s.mux.HandleFunc("POST /api/sms/send", s.send)
	s.mux.HandleFunc("GET /api/activity/invite/ranking", s.ranking)
	s.mux.HandleFunc("POST /api/auth/login", s.login)
	s.mux.HandleFunc("POST /api/auth/password/change", s.as(s.change))
	s.mux.HandleFunc("GET /api/account/profile", s.as(s.profile))
	s.mux.HandleFunc("PUT /api/account/profile", s.as(s.update))
	s.mux.HandleFunc("GET /api/cards/list", s.as(s.cards))
	s.mux.HandleFunc("GET /api/loan/quota", s.as(s.quota))
	s.mux.HandleFunc("POST /api/loan/apply", s.as(s.borrow))
	s.mux.HandleFunc("GET /api/loan/contracts", s.as(s.contracts))
	s.mux.HandleFunc("GET /api/loan/contracts/{id}", s.as(s.contract))
	s.mux.HandleFunc("POST /api/loan/repay", s.as(s.repay))
	s.mux.HandleFunc("GET /api/loan/plans/{id}", s.plan)
	s.mux.HandleFunc("GET /files/contract/{file}", s.as(s.contractFile))
	s.mux.HandleFunc("GET /files/statement/{file}", s.statement)
	s.mux.HandleFunc("GET /openapi/v1/loans", s.bureau)
	s.console()
	return s
}

// applicant gives who applied for a card.
func (s *service) applicant(i int) people.Person { return s.env.Town.Person(12_000 + i) }

// strong is the nth password that somebody chose with care.
func strong(p people.Person, n int) string {
	sum := md5.Sum(fmt.Append(nil, p.Email, n))
	return "Jh" + hex.EncodeToString(sum[:5]) + "@W"
}

func (s *service) lend(c *customer, amount, term int, at time.Time) *loan {
	l := &loan{id: 880_100 + len(s.loans)*3, owner: c, amount: amount, term: term, at: at}
	if len(s.loans) < mostLoans {
		s.loans = append(s.loans, l)
		c.loans = append(c.loans, l)
	}
	return l
}

func (s *service) loanOf(id int) *loan {
	if i := (id - 880_100) / 3; id >= 880_100 && (id-880_100)%3 == 0 && i < len(s.loans) {
		return s.loans[i]
	}
	return nil
}

// partners are sites that show the bank's content; the first by contract.
var partners = []string{"https://www.estate-partner.example.net", "https://kuaidai.example.org", "https://bijia.example.cn", "https://news.example.io"}

// ServeHTTP answers one request at a time.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Server", "JHWS")
	w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	if o := r.Header.Get("Origin"); o != "" && o != "https://"+host {
		w.Header().Add("Vary", "Origin")
		if o == partners[0] || s.env.On(EveryOrigin) {
			w.Header().Set("Access-Control-Allow-Origin", o)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
		}
	}
	s.mux.ServeHTTP(w, r)
}

type obj = victim.Obj

func write(w http.ResponseWriter, status int, v any) {
	victim.WriteJSON(w, status, "application/json", v)
}

func good(w http.ResponseWriter, data any) { write(w, 200, obj{"code": "000000", "result": data}) }

func bad(w http.ResponseWriter, status int, code, text string) {
	write(w, status, obj{"code": code, "message": text})
}

func (s *service) day(number string) string { return number + s.env.Now().Format("0102") }

// limited refuses for a while.
func (s *service) limited(w http.ResponseWriter) {
	if !s.env.On(BareLimits) {
		w.Header().Set("Retry-After", "900")
	}
	bad(w, 429, "LIMIT01", "操作过于频繁，请稍后再试")
}

func (s *service) secret() []byte {
	if s.env.On(SampleKey) {
		return []byte("abcdefghijklmnopqrstuvwxyz")
	}
	return s.key
}

// token opens a session.
func (s *service) token(c *customer) string {
	life := 2 * time.Hour
	if s.env.On(LongTokens) {
		life = 21 * 24 * time.Hour
	}
	now := s.env.Now()
	return victim.Signed(victim.Unsigned(victim.Head, fmt.Appendf(nil, `{"custNo":%d,"sub":"%d","iat":%d,"exp":%d}`, c.no, c.no, now.Unix(), now.Add(life).Unix())), s.secret())
}

// who gives the customer whose session the request shows. The session of an
// older password is over.
func (s *service) who(r *http.Request) *customer {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	var c struct {
		CustNo int   `json:"custNo"`
		Iat    int64 `json:"iat"`
	}
	if token == "" || !victim.Claims(token, s.secret(), s.env.Now(), &c) {
		return nil
	}
	i := (c.CustNo - 66_200_000) / 13
	if i < 0 || i >= len(s.all) {
		return nil
	}
	if a := s.all[i]; c.Iat >= a.since.Unix() || s.env.On(LivingTokens) {
		return a
	}
	return nil
}

// signed reports whether the app signed the request.
func signed(r *http.Request) bool {
	h := r.Header
	return hmac.Equal([]byte(h.Get("X-Sign")), []byte(signature(r.Method, r.URL.Path, h.Get("X-Timestamp"), h.Get("X-Device-Id"))))
}

// signature is what the app makes of a request.
func signature(method, path, at, device string) string {
	m := hmac.New(sha256.New, []byte(signKey))
	m.Write([]byte(method + "\n" + path + "\n" + at + "\n" + device))
	return hex.EncodeToString(m.Sum(nil))
}

type handler func(w http.ResponseWriter, r *http.Request, c *customer)

// as finds out who asks, or refuses: the app's requests are signed.
func (s *service) as(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := s.who(r)
		switch {
		case c == nil:
			bad(w, 401, "AUTH01", "登录已失效，请重新登录")
		case r.Header.Get("X-Device-Id") != "" && !signed(r):
			bad(w, 403, "AUTH09", "请求签名校验失败")
		default:
			h(w, r, c)
		}
	}
}

const (
	clock = "2006-01-02 15:04:05"
	date  = "2006-01-02"
)
