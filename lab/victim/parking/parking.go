// Package parking is a smart-parking service: drivers ask by plate what they
// owe and pay, members look up where their car stood, a city platform fetches
// entries.
//
// It takes a victim.Env and gives the service and its public. Modelled on the
// reported cases: a plate is enough to learn place, time and owner, though the
// page shows the fee alone. Invariant: with every flaw off the service gives
// nobody more than is theirs. Limits: 240 cars, 40 lots.
package parking

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
)

// The switches.
const (
	HiddenFields = "hidden_fields" // the fee query carries place, time and owner, which the page does not show
	OpenRecords  = "open_records"  // the history of a plate without a session
	PlainHTTP    = "plain_http"    // port 80 serves the application instead of sending to TLS
	TokenInURL   = "token_in_url"  // the front end sends its session in the query
)

const (
	host    = "pay.parking.example.com"
	cars    = 240
	members = 60 // of the cars' owners have an account
	lots    = 40
	records = 10 // of one plate a page
	partner = "city-traffic-01"
	secret  = "7d1f0c9ab54e4a2f8e61"
)

type member struct {
	person people.Person
	plates []string
}

type service struct {
	env  victim.Env
	mux  *http.ServeMux
	town []people.Person

	mu      sync.Mutex
	byPhone map[string]*member
	byPlate map[string]people.Person
	tokens  map[string]*member
	codes   map[string]string
	orders  map[string]string // number: plate
	sent    map[string]int    // codes of a number and day
	failed  map[string]int    // wrong passwords of a number and day
}

func newService(env victim.Env) *service {
	s := &service{env: env, mux: http.NewServeMux(), byPhone: map[string]*member{}, byPlate: map[string]people.Person{}, tokens: map[string]*member{},
		codes: map[string]string{}, orders: map[string]string{}, sent: map[string]int{}, failed: map[string]int{}}
	for i := range cars {
		p := env.Town.Person(i)
		s.town = append(s.town, p)
		s.byPlate[p.Plate] = p
		if i < members {
			s.byPhone[p.Phone] = &member{person: p, plates: []string{p.Plate}}
		}
	}
	s.mux.HandleFunc("GET /{$}", victim.Text("text/html; charset=utf-8", page))
	s.mux.HandleFunc("GET /static/js/pay.5c1e9b.js", victim.Text("application/javascript; charset=utf-8", script))
	s.mux.HandleFunc("GET /static/css/pay.5c1e9b.css", victim.Text("text/css", style))
	s.mux.HandleFunc("GET /robots.txt", victim.Text("text/plain", "User-agent: *\nDisallow: /api/\n"))
	s.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { write(w, 200, obj{"status": "UP"}) })
	s.mux.HandleFunc("GET /api/v1/lots", s.lots)
	s.mux.HandleFunc("GET /api/v1/lots/{id}", s.lot)
	s.mux.HandleFunc("GET /api/v1/parking/fee", s.fee)
	s.mux.HandleFunc("POST /api/v1/parking/orders/{order}/pay", s.pay)
	s.mux.HandleFunc("POST /api/v1/sms/send", s.send)
	s.mux.HandleFunc("POST /api/v1/login/sms", s.codeLogin)
	s.mux.HandleFunc("POST /api/v1/login", s.login)
	s.mux.HandleFunc("GET /api/v1/member/info", s.info)
	s.mux.HandleFunc("POST /api/v1/member/plates", s.bind)
	s.mux.HandleFunc("GET /api/v1/member/records", s.history)
	s.mux.HandleFunc("GET /openapi/v1/entries", s.entries)
	return s
}

// ServeHTTP sends port 80 to TLS, unless that is switched off.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Server", "nginx")
	if r.TLS == nil && !s.env.On(PlainHTTP) {
		w.Header().Set("Location", "https://"+host+r.URL.RequestURI())
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusMovedPermanently)
		_, _ = w.Write([]byte("<html>\r\n<head><title>301 Moved Permanently</title></head>\r\n<body>\r\n<center><h1>301 Moved Permanently</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"))
		return
	}
	if r.TLS != nil {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	s.mux.ServeHTTP(w, r)
}

type obj = victim.Obj

func write(w http.ResponseWriter, status int, v any) {
	victim.WriteJSON(w, status, "application/json;charset=UTF-8", v)
}

func good(w http.ResponseWriter, data any) {
	write(w, 200, obj{"code": 0, "message": "成功", "data": data})
}

func bad(w http.ResponseWriter, status, code int, text string) {
	write(w, status, obj{"code": code, "message": text, "data": nil})
}

const style = "body{margin:0;font:16px sans-serif}.fee{color:#e64340;font-size:32px}.plate{letter-spacing:2px}"

// lotOf gives a lot of the town; its hot line is a business number.
func (s *service) lotOf(i int) obj {
	p := s.town[i]
	return obj{"id": 1000 + i*7, "name": p.City + lotNames[i%len(lotNames)], "address": p.Address, "serviceTel": fmt.Sprintf("400-820-%04d", 1100+i), "free": (i*37 + s.env.Now().Hour()*11) % 180, "price": 5 + i%4*5, "unit": "元/小时"}
}

func (s *service) lots(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("page"))
	from = max(from-1, 0) * 10
	var list []obj
	for i := from; i < min(from+10, lots); i++ {
		list = append(list, s.lotOf(i))
	}
	good(w, obj{"total": lots, "list": list})
}

func (s *service) lot(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	i := (id - 1000) / 7
	if err != nil || i < 0 || i >= lots || (id-1000)%7 != 0 {
		bad(w, 404, 40400, "车场不存在")
		return
	}
	good(w, s.lotOf(i))
}

// stay gives where a car stands and since when; it moves every few hours.
func (s *service) stay(p people.Person) (lot int, space string, since time.Time) {
	now := s.env.Now()
	turn := int(now.Unix()/(3*3600)) + p.Index*17
	since = now.Add(-time.Duration(20+turn*13%140) * time.Minute)
	return turn * 11 % lots, fmt.Sprintf("B%d-%03d", 1+turn%3, 1+turn*29%400), since
}

const clock = "2006-01-02 15:04:05"

func (s *service) fee(w http.ResponseWriter, r *http.Request) {
	plate := r.URL.Query().Get("plateNo")
	p, ok := s.byPlate[plate]
	if !ok {
		bad(w, 200, 40404, "未查询到该车辆的在场记录")
		return
	}
	lot, space, since := s.stay(p)
	minutes := int(s.env.Now().Sub(since).Minutes())
	order := fmt.Sprintf("PK%s%06d", s.env.Now().Format("20060102"), s.env.Rand.IntN(1_000_000))
	if len(s.orders) < 10_000 {
		s.orders[order] = plate
	}
	data := obj{"plateNo": plate, "orderNo": order, "minutes": minutes, "freeMinutes": 30, "fee": 5 * max(minutes/60, 1)}
	if s.env.On(HiddenFields) {
		data["parkName"], data["spaceNo"], data["enterTime"] = s.lotOf(lot)["name"], space, since.Format(clock)
		data["ownerName"], data["ownerPhone"] = p.Name, p.Phone
	}
	good(w, data)
}

func (s *service) pay(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.orders[r.PathValue("order")]; !ok {
		bad(w, 200, 40405, "订单不存在或已过期")
		return
	}
	delete(s.orders, r.PathValue("order"))
	good(w, obj{"orderNo": r.PathValue("order"), "status": "PAID", "leaveBefore": s.env.Now().Add(15 * time.Minute).Format(clock)})
}

// tries counts something of a number on a day.
func (s *service) tries(m map[string]int, number string) int {
	key := number + s.env.Now().Format("0102")
	m[key]++
	return m[key]
}

func limited(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "600")
	bad(w, 429, 42900, "操作过于频繁，请稍后再试")
}

// send answers alike whether the number has an account: signing in by code
// opens one.
func (s *service) send(w http.ResponseWriter, r *http.Request) {
	phone := victim.Posted(r)["phone"]
	if len(phone) != 11 {
		bad(w, 400, 40000, "手机号格式不正确")
		return
	}
	if s.tries(s.sent, phone) > 5 {
		limited(w)
		return
	}
	s.codes[phone] = fmt.Sprintf("%06d", s.env.Rand.IntN(1_000_000))
	good(w, nil)
}

// Code is what the text message to a number said: a person reads it there.
func (s *service) Code(phone string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.codes[phone]
}

func (s *service) codeLogin(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	phone := in["phone"]
	if c := s.codes[phone]; c == "" || c != in["code"] {
		if s.tries(s.failed, phone) > 5 {
			limited(w)
			return
		}
		bad(w, 200, 40003, "验证码错误或已过期")
		return
	}
	delete(s.codes, phone)
	m := s.byPhone[phone]
	if m == nil {
		m = &member{person: people.Person{Phone: phone}}
		s.byPhone[phone] = m
	}
	s.enter(w, m)
}

func (s *service) login(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	m := s.byPhone[in["phone"]]
	if s.failed[in["phone"]+s.env.Now().Format("0102")] >= 5 {
		limited(w)
		return
	}
	if m == nil || strong(m.person) != in["password"] {
		s.tries(s.failed, in["phone"])
		bad(w, 200, 40002, "账号或密码错误")
		return
	}
	s.enter(w, m)
}

// strong is the password of a member: the service takes no weak ones.
func strong(p people.Person) string {
	return fmt.Sprintf("Vq%d!%sKx%d", p.Index*7919%9973, p.Email[:3], p.Index*104729%99991)
}

func (s *service) enter(w http.ResponseWriter, m *member) {
	token := fmt.Sprintf("%016x%016x", s.env.Rand.Uint64(), s.env.Rand.Uint64())
	if len(s.tokens) >= 10_000 {
		clear(s.tokens)
	}
	s.tokens[token] = m
	good(w, obj{"token": token, "expiresIn": 7200})
}

// who gives the member whose session the request shows.
func (s *service) who(r *http.Request) *member {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok && s.env.On(TokenInURL) {
		token = r.URL.Query().Get("token")
	}
	return s.tokens[token]
}

func (s *service) info(w http.ResponseWriter, r *http.Request) {
	m := s.who(r)
	if m == nil {
		bad(w, 401, 40101, "请先登录")
		return
	}
	good(w, obj{"phone": people.MaskPhone(m.person.Phone), "plates": m.plates, "points": len(m.plates) * 120})
}

func (s *service) bind(w http.ResponseWriter, r *http.Request) {
	m := s.who(r)
	if m == nil {
		bad(w, 401, 40101, "请先登录")
		return
	}
	plate := victim.Posted(r)["plateNo"]
	if p, ok := s.byPlate[plate]; !ok || p.Phone != m.person.Phone {
		bad(w, 200, 40006, "车牌信息核验未通过，请到服务中心办理")
		return
	}
	if !slices.Contains(m.plates, plate) {
		m.plates = append(m.plates, plate)
	}
	good(w, obj{"plateNo": plate})
}

// history shows where a car stood to whom it belongs.
func (s *service) history(w http.ResponseWriter, r *http.Request) {
	plate := r.URL.Query().Get("plateNo")
	m := s.who(r)
	switch {
	case m == nil && !s.env.On(OpenRecords):
		bad(w, 401, 40101, "请先登录")
		return
	case m != nil && !slices.Contains(m.plates, plate):
		bad(w, 403, 40301, "该车牌未绑定到您的账号")
		return
	}
	p, ok := s.byPlate[plate]
	if !ok {
		good(w, obj{"total": 0, "list": []obj{}})
		return
	}
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	var list []obj
	for i := range records {
		at := s.env.Now().Add(-time.Duration(24*(i+records*max(n-1, 0))+p.Index%20) * time.Hour).Truncate(time.Minute)
		list = append(list, obj{"plateNo": plate, "phone": p.Phone, "parkName": s.lotOf((p.Index + i*3) % lots)["name"], "spaceNo": fmt.Sprintf("B%d-%03d", 1+i%3, 1+(p.Index*29+i)%400),
			"enterTime": at.Format(clock), "leaveTime": at.Add(time.Duration(50+i*7) * time.Minute).Format(clock), "fee": 5 + i%4*5})
	}
	good(w, obj{"total": records * 3, "list": list})
}

// entries gives the city's platform what drove in: an approved batch.
func (s *service) entries(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-App-Key") != partner || r.Header.Get("X-App-Secret") != secret {
		bad(w, 401, 40102, "应用身份校验失败")
		return
	}
	var list []obj
	for i := range 200 {
		p := s.town[(i+s.env.Now().Hour())%cars]
		lot, space, since := s.stay(p)
		list = append(list, obj{"plateNo": p.Plate, "lotId": 1000 + lot*7, "spaceNo": space, "enterTime": since.Format(clock)})
	}
	good(w, obj{"list": list, "next": s.env.Now().Unix()})
}
