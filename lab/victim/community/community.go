// Package community is a social platform: accounts, posts, friends' cards, and
// other sites that show its content.
//
// It takes a victim.Env and gives the service and its public. Its defects are
// those of accounts: what answers tell of them, which passwords open them, what
// sessions are made of. Invariant: with every flaw off the service gives nobody
// more than is theirs. Limits: 200 accounts at the start, 2 000 in all.
package community

import (
	"crypto/md5"
	"encoding/base64"
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

// The switches.
const (
	ToldAccounts  = "told_accounts"   // a failed login says whether the account exists
	CodeInAnswer  = "code_in_answer"  // the code that goes out by text message stands in the answer, too
	WeakAccepted  = "weak_accepted"   // registration takes any password of six characters
	WeakKept      = "weak_kept"       // accounts with old, weak passwords go on with them
	NoLock        = "no_lock"         // failures are never counted
	HashInProfile = "hash_in_profile" // the profile holds the stored hash of the password
	InnerFields   = "inner_fields"    // posts carry what moderators know
	OpenCards     = "open_cards"      // a member's card comes without a session, too
	AnyOrigin     = "any_origin"      // every origin may read with the visitor's session
	UnsignedToken = "unsigned_token"  // sessions without a signature are taken
	DeadSessions  = "dead_sessions"   // signing out ends nothing
	LongSessions  = "long_sessions"   // sessions live for a month
	ShortCodes    = "short_codes"     // codes have four digits
	SlowCheck     = "slow_check"      // only for accounts that exist is the password hashed
	WeakKey       = "weak_key"        // sessions are signed with a word of every tutorial
)

const (
	host     = "m.community.example.com"
	accounts = 200
	most     = 2000
)

type account struct {
	uid      int
	person   people.Person
	password string
	weak     bool
}

type service struct {
	env victim.Env
	mux *http.ServeMux
	key []byte

	mu      sync.Mutex
	all     []*account
	byPhone map[string]*account
	codes   map[string]string
	failed  map[string]int
	sent    map[string]int
	ended   map[string]bool // sessions that were signed out
}

func newService(env victim.Env) *service {
	s := &service{env: env, mux: http.NewServeMux(), byPhone: map[string]*account{}, codes: map[string]string{}, failed: map[string]int{}, sent: map[string]int{}, ended: map[string]bool{}}
	s.key = fmt.Appendf(nil, "%016x%016x", env.Rand.Uint64(), env.Rand.Uint64())
	for i := range accounts {
		p := env.Town.Person(4000 + i)
		s.open(p, p.Password)
	}
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>小城社区</title></head><body><div id=\"app\"></div></body></html>\n"))
	})
	s.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { write(w, 200, obj{"status": "UP"}) })
	s.mux.HandleFunc("POST /api/user/register", s.register)
	s.mux.HandleFunc("POST /api/user/login", s.login)
	s.mux.HandleFunc("POST /api/sms/send", s.send)
	s.mux.HandleFunc("POST /api/user/logout", s.logout)
	s.mux.HandleFunc("POST /api/user/login/sms", s.codeLogin)
	s.mux.HandleFunc("GET /api/user/profile", s.profile)
	s.mux.HandleFunc("GET /api/members/{uid}/card", s.card)
	s.mux.HandleFunc("GET /api/posts", s.posts)
	s.mux.HandleFunc("GET /api/posts/{id}", s.post)
	s.mux.HandleFunc("GET /api/feed/mine", s.feed)
	return s
}

// open makes an account. A password is weak when it lacks length or a class.
func (s *service) open(p people.Person, password string) *account {
	a := &account{uid: 70000 + len(s.all)*3, person: p, password: password, weak: weak(password)}
	s.all = append(s.all, a)
	s.byPhone[p.Phone] = a
	return a
}

func weak(password string) bool {
	return len(password) < 8 || !strings.ContainsAny(password, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") || !strings.ContainsAny(password, "!@#$%&*.")
}

// ServeHTTP answers one request at a time.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Server", "nginx")
	if o := r.Header.Get("Origin"); o != "" && o != "https://"+host {
		w.Header().Add("Vary", "Origin")
		if o == partners[0] || s.env.On(AnyOrigin) {
			w.Header().Set("Access-Control-Allow-Origin", o)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
		}
	}
	s.mux.ServeHTTP(w, r)
}

// partners are sites that show the community's content; the first by contract.
var partners = []string{"https://www.citynews.example.net", "https://fanli.example.org", "https://tools.example.cn", "https://reader.example.io"}

type obj = victim.Obj

func write(w http.ResponseWriter, status int, v any) {
	victim.WriteJSON(w, status, "application/json;charset=UTF-8", v)
}

func good(w http.ResponseWriter, data any) { write(w, 200, obj{"code": 0, "msg": "ok", "data": data}) }

func bad(w http.ResponseWriter, status, code int, text string) {
	write(w, status, obj{"code": code, "msg": text, "data": nil})
}

func limited(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "600")
	bad(w, 429, 42900, "操作过于频繁，请稍后再试")
}

func (s *service) day(number string) string { return number + s.env.Now().Format("0102") }

func (s *service) register(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	phone := in["phone"]
	if c := s.codes[phone]; c == "" || c != in["verifyCode"] {
		bad(w, 200, 40003, "验证码错误或已过期")
		return
	}
	if len(in["password"]) < 6 || weak(in["password"]) && !s.env.On(WeakAccepted) {
		bad(w, 200, 40011, "密码至少8位，须含大小写字母、数字和符号")
		return
	}
	if s.byPhone[phone] != nil || len(s.all) >= most { // whoever holds the number may know
		bad(w, 200, 40012, "注册未成功，请直接登录")
		return
	}
	delete(s.codes, phone)
	a := s.open(people.Person{Phone: phone, Nick: "新居民" + phone[7:], City: "杭州"}, in["password"])
	good(w, obj{"uid": a.uid, "token": s.token(a)})
}

func (s *service) login(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	phone := in["phone"]
	a := s.byPhone[phone]
	if s.failed[s.day(phone)] >= 5 && !s.env.On(NoLock) {
		limited(w)
		return
	}
	if a != nil || !s.env.On(SlowCheck) { // what bcrypt takes
		s.env.Spend(time.Duration(70+s.env.Rand.IntN(12)) * time.Millisecond)
	}
	if a == nil || a.password != in["password"] {
		s.failed[s.day(phone)]++
		switch {
		case !s.env.On(ToldAccounts):
			bad(w, 200, 40002, "账号或密码错误")
		case a == nil:
			bad(w, 200, 40021, "该手机号未注册")
		default:
			bad(w, 200, 40022, "密码错误")
		}
		return
	}
	delete(s.failed, s.day(phone))
	if a.weak && !s.env.On(WeakKept) {
		bad(w, 200, 40010, "密码强度不足，请用短信验证码登录后重设")
		return
	}
	good(w, obj{"uid": a.uid, "token": s.token(a)})
}

// send answers alike whether the number has an account.
func (s *service) send(w http.ResponseWriter, r *http.Request) {
	phone := victim.Posted(r)["phone"]
	if len(phone) != 11 {
		bad(w, 400, 40000, "手机号格式不正确")
		return
	}
	if s.sent[s.day(phone)]++; s.sent[s.day(phone)] > 5 {
		limited(w)
		return
	}
	s.codes[phone] = fmt.Sprintf("%06d", s.env.Rand.IntN(1_000_000))
	if s.env.On(ShortCodes) {
		s.codes[phone] = s.codes[phone][:4]
	}
	if s.env.On(CodeInAnswer) {
		good(w, obj{"smsCode": s.codes[phone], "expire": 300})
		return
	}
	good(w, obj{"expire": 300})
}

// Code is what the text message to a number said: a person reads it there.
func (s *service) Code(phone string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.codes[phone]
}

func (s *service) codeLogin(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	a := s.byPhone[in["phone"]]
	if c := s.codes[in["phone"]]; c == "" || c != in["verifyCode"] || a == nil {
		bad(w, 200, 40003, "验证码错误或已过期")
		return
	}
	delete(s.codes, in["phone"])
	good(w, obj{"uid": a.uid, "token": s.token(a)})
}

func (s *service) secret() []byte {
	if s.env.On(WeakKey) {
		return []byte("secret")
	}
	return s.key
}

func claims(head string, a *account, now time.Time, life time.Duration) string {
	return victim.Unsigned(head, fmt.Appendf(nil, `{"uid":%d,"iat":%d,"exp":%d}`, a.uid, now.Unix(), now.Add(life).Unix()))
}

// life is how long a session lasts.
func (s *service) life() time.Duration {
	if s.env.On(LongSessions) {
		return 30 * 24 * time.Hour
	}
	return 2 * time.Hour
}

func (s *service) token(a *account) string {
	return victim.Signed(claims(victim.Head, a, s.env.Now(), s.life()), s.secret())
}

// who gives the account whose session the request shows.
func (s *service) who(r *http.Request) *account {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil
	}
	var key []byte // none is needed for what says that it is not signed
	head, _, _ := strings.Cut(token, ".")
	if h, _ := base64.RawURLEncoding.DecodeString(head); !strings.Contains(string(h), `"none"`) {
		key = s.secret()
	} else if !strings.HasSuffix(token, ".") || !s.env.On(UnsignedToken) {
		return nil
	}
	var c struct{ UID int }
	if !victim.Claims(token, key, s.env.Now(), &c) || s.ended[token] && !s.env.On(DeadSessions) {
		return nil
	}
	return s.byID(c.UID)
}

func (s *service) byID(uid int) *account {
	if i := (uid - 70000) / 3; i >= 0 && i < len(s.all) && (uid-70000)%3 == 0 {
		return s.all[i]
	}
	return nil
}

// logout ends the session that the request shows.
func (s *service) logout(w http.ResponseWriter, r *http.Request) {
	if s.who(r) == nil {
		bad(w, 401, 40101, "请先登录")
		return
	}
	if len(s.ended) >= 10_000 {
		clear(s.ended)
	}
	s.ended[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] = true
	good(w, nil)
}

func (s *service) profile(w http.ResponseWriter, r *http.Request) {
	a := s.who(r)
	if a == nil {
		bad(w, 401, 40101, "请先登录")
		return
	}
	d := obj{"uid": a.uid, "nickname": a.person.Nick, "city": a.person.City, "phone": people.MaskPhone(a.person.Phone)}
	if s.env.On(HashInProfile) {
		sum := md5.Sum([]byte(a.password))
		d["password"] = hex.EncodeToString(sum[:])
	}
	good(w, d)
}

// card shows members to one another.
func (s *service) card(w http.ResponseWriter, r *http.Request) {
	if s.who(r) == nil && !s.env.On(OpenCards) {
		bad(w, 401, 40101, "请先登录")
		return
	}
	uid, _ := strconv.Atoi(r.PathValue("uid"))
	a := s.byID(uid)
	if a == nil {
		bad(w, 404, 40400, "成员不存在")
		return
	}
	good(w, obj{"uid": a.uid, "nickname": a.person.Nick, "city": a.person.City, "realName": a.person.Name, "mobile": a.person.Phone})
}

func (s *service) summary(i int) obj {
	return obj{"id": 9000 + i, "title": topics[i%len(topics)], "likes": i * 7 % 90, "authorId": s.all[i%accounts].uid}
}

func (s *service) posts(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	list := []obj{}
	for i := range 10 {
		list = append(list, s.summary((max(n-1, 0)*10+i)%120))
	}
	good(w, obj{"total": 120, "list": list})
}

func (s *service) post(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	if id < 9000 || id >= 9120 {
		bad(w, 404, 40400, "内容不存在")
		return
	}
	d := s.summary(id - 9000)
	d["content"] = topics[id%len(topics)] + "，欢迎讨论。"
	if s.env.On(InnerFields) {
		d["riskScore"], d["auditRemark"], d["isDeleted"], d["isAdmin"] = id*13%100, "人工复核通过", false, id%40 == 0
	}
	good(w, d)
}

func (s *service) feed(w http.ResponseWriter, r *http.Request) {
	a := s.who(r)
	if a == nil {
		bad(w, 401, 40101, "请先登录")
		return
	}
	good(w, obj{"list": []obj{s.summary(a.uid % 120), s.summary((a.uid + 7) % 120)}})
}

var topics = []string{"周末徒步约伴", "二手书交换", "小区团购水果", "新开的面馆怎么样", "遛狗路线分享", "老城区夜景"}
