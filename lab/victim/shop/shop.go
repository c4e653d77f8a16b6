// Package shop is an online shop with a promotion: goods and orders, a page of
// the lottery's winners, a notice about suppliers, and a desk for merchants who
// export their orders.
//
// It takes a victim.Env and gives the service and its public. Modelled on the
// reported cases: the notices show masked names, while what feeds them carries
// the persons whole. Invariant: with every flaw off the service gives nobody
// more than is theirs. Limits: 160 customers, 6 merchants, 4 000 orders.
package shop

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

// The switches.
const (
	PlainWinners   = "plain_winners"   // the winners' list carries names, phones and addresses beside what the page shows
	PlainSuppliers = "plain_suppliers" // the notice about suppliers carries identity numbers and phones
	ForeignOrders  = "foreign_orders"  // any customer reads any order
	OpenFields     = "open_fields"     // a profile update takes whatever properties it is sent
	RawSearch      = "raw_search"      // search terms go into SQL as they are
	StackTraces    = "stack_traces"    // a mistyped product id shows the program's stack
	LargePages     = "large_pages"     // the export gives as many orders a page as asked for
	BareCookie     = "bare_cookie"     // the session's cookie travels anywhere and is open to scripts
	OpenExports    = "open_exports"    // exported files need no session
)

const (
	host       = "www.shop.example.com"
	customers  = 160
	merchants  = 6
	stockSize  = 120
	activities = 6
	maxOrders  = 4000
	erpKey     = "erp-ak-20250417"
	erpSecret  = "c94b7f2e51d04aa38c6be0d2"
)

type account struct {
	uid    int64
	person people.Person
	nick   string
	level  string
	points int
	orders []int64
	staff  int // merchant's number from 1, 0 a customer
}

type item struct {
	id    int64
	name  string
	price float64
}

type order struct {
	id      int64
	owner   *account
	item    item
	at      time.Time
	paid    bool
	address string
}

type service struct {
	env victim.Env
	mux *http.ServeMux

	mu      sync.Mutex
	byLogin map[string]*account
	all     []*account
	tokens  map[string]*account
	stock   []item
	orders  map[int64]*order
	list    []*order // in order of id
	failed  map[string]int
	taken   map[string]bool // coupon and customer
}

func newService(env victim.Env) *service {
	s := &service{env: env, mux: http.NewServeMux(), byLogin: map[string]*account{}, tokens: map[string]*account{}, orders: map[int64]*order{},
		failed: map[string]int{}, taken: map[string]bool{}}
	for i := range stockSize {
		s.stock = append(s.stock, item{id: 600100 + int64(i)*3, name: brands[i%len(brands)] + goods[i/len(brands)%len(goods)], price: 19.9 + float64(i%40)*10})
	}
	for i := range customers + merchants {
		p := env.Town.Person(2000 + i)
		a := &account{uid: 510000 + int64(i)*7, person: p, nick: p.Nick, level: "normal", points: i * 31 % 900}
		if i >= customers {
			a.staff = i - customers + 1
		}
		s.all = append(s.all, a)
		s.byLogin[p.Phone] = a
		for range 3 {
			s.place(a, s.stock[env.Rand.IntN(len(s.stock))], env.Now().Add(-time.Duration(env.Rand.IntN(90*24))*time.Hour))
		}
	}
	s.mux.HandleFunc("GET /{$}", html(home))
	s.mux.HandleFunc("GET /activity/winners.html", html(winnersPage))
	s.mux.HandleFunc("GET /notice/suppliers.html", html(suppliersPage))
	s.mux.HandleFunc("GET /static/home.77ad.js", js(homeScript))
	s.mux.HandleFunc("GET /static/winners.31c0.js", js(winnersScript))
	s.mux.HandleFunc("GET /static/suppliers.9be2.js", js(suppliersScript))
	s.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { write(w, 200, obj{"status": "UP"}) })
	s.mux.HandleFunc("GET /api/products", s.products)
	s.mux.HandleFunc("GET /api/products/search", s.search)
	s.mux.HandleFunc("GET /api/products/{id}", s.product)
	s.mux.HandleFunc("GET /api/activity/{activity}/winners", s.winners)
	s.mux.HandleFunc("GET /api/notice/suppliers", s.suppliers)
	s.mux.HandleFunc("POST /api/auth/login", s.login)
	s.mux.HandleFunc("GET /api/user/profile", s.profile)
	s.mux.HandleFunc("PATCH /api/user/profile", s.update)
	s.mux.HandleFunc("GET /api/orders", s.own)
	s.mux.HandleFunc("POST /api/orders", s.create)
	s.mux.HandleFunc("GET /api/orders/{id}", s.order)
	s.mux.HandleFunc("POST /api/orders/{id}/pay", s.pay)
	s.mux.HandleFunc("POST /api/coupons/{id}/claim", s.claim)
	s.mux.HandleFunc("GET /api/merchant/orders", s.merchant)
	s.mux.HandleFunc("GET /files/export/{file}", s.file)
	s.mux.HandleFunc("GET /openapi/v2/orders", s.erp)
	return s
}

// ServeHTTP answers one request at a time.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Server", "openresty")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	s.mux.ServeHTTP(w, r)
}

type obj = victim.Obj

func write(w http.ResponseWriter, status int, v any) {
	victim.WriteJSON(w, status, "application/json", v)
}

func good(w http.ResponseWriter, data any) {
	write(w, 200, obj{"success": true, "message": nil, "data": data})
}

func bad(w http.ResponseWriter, status int, text string) {
	write(w, status, obj{"success": false, "message": text, "data": nil})
}

func html(text string) http.HandlerFunc { return victim.Text("text/html; charset=utf-8", text) }

func js(text string) http.HandlerFunc { return victim.Text("text/javascript; charset=utf-8", text) }

const clock = "2006-01-02 15:04:05"

// page gives the part of a list that the query asks for, limit a page at most.
func page(r *http.Request, total, usual, limit int) (from, to int) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("pageSize"))
	if size <= 0 {
		size = usual
	}
	size = min(size, limit)
	from = min((max(n, 1)-1)*size, total)
	return from, min(from+size, total)
}

func goodsOf(it item) obj {
	return obj{"id": it.id, "title": it.name, "price": it.price, "sold": it.id * 13 % 800}
}

func (s *service) products(w http.ResponseWriter, r *http.Request) {
	from, to := page(r, len(s.stock), 20, 50)
	rows := []obj{}
	for _, it := range s.stock[from:to] {
		rows = append(rows, goodsOf(it))
	}
	good(w, obj{"total": len(s.stock), "rows": rows})
}

// search looks a name up. An apostrophe is a part of some brands' names.
func (s *service) search(w http.ResponseWriter, r *http.Request) {
	term := r.URL.Query().Get("q")
	if strings.Count(term, "'")%2 == 1 && s.env.On(RawSearch) {
		tail := term[strings.LastIndexByte(term, '\'')+1:]
		write(w, 500, obj{"success": false, "message": "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '" + tail + "%' LIMIT 0, 20' at line 1", "data": nil})
		return
	}
	rows := []obj{}
	for _, it := range s.stock {
		if term != "" && strings.Contains(it.name, term) && len(rows) < 20 {
			rows = append(rows, goodsOf(it))
		}
	}
	good(w, obj{"total": len(rows), "rows": rows})
}

func (s *service) product(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		if s.env.On(StackTraces) {
			write(w, 500, obj{"timestamp": s.env.Now().Format(time.RFC3339), "status": 500, "error": "Internal Server Error", "path": r.URL.Path,
				"trace": "java.lang.NumberFormatException: For input string: \"" + r.PathValue("id") + "\"\n\tat java.base/java.lang.NumberFormatException.forInputString(NumberFormatException.java:67)\n\tat java.base/java.lang.Long.parseLong(Long.java:709)\n\tat com.example.shop.web.ProductController.detail(ProductController.java:58)\n\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)\n"})
			return
		}
		bad(w, 400, "参数错误")
		return
	}
	for _, it := range s.stock {
		if it.id == id {
			d := goodsOf(it)
			d["desc"], d["tags"] = it.name+"，支持七天无理由退货。", []string{"包邮", "现货"}
			good(w, d)
			return
		}
	}
	bad(w, 404, "商品不存在或已下架")
}

// winners feeds the notice of the lottery: the page shows what is masked.
func (s *service) winners(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("activity"))
	if err != nil || n < 3001 || n >= 3001+activities {
		bad(w, 404, "活动不存在")
		return
	}
	from, to := page(r, 90, 15, 30)
	rows := []obj{}
	for i := from; i < to; i++ {
		a := s.all[(i+(n-3001)*11)%customers]
		p := a.person
		row := obj{"nickname": a.nick, "city": p.City, "phoneMask": people.MaskPhone(p.Phone), "prize": prizes[i%len(prizes)]}
		if s.env.On(PlainWinners) {
			row["realName"], row["phone"], row["address"] = p.Name, p.Phone, p.Address
		}
		rows = append(rows, row)
	}
	good(w, obj{"total": 90, "rows": rows})
}

func (s *service) suppliers(w http.ResponseWriter, r *http.Request) {
	from, to := page(r, 80, 20, 20)
	rows := []obj{}
	for i := from; i < to; i++ {
		p := s.env.Town.Person(2500 + i)
		row := obj{"company": p.City + trades[i%len(trades)] + "有限公司", "grade": string(rune('A' + i%3)), "hotline": fmt.Sprintf("400-660-%04d", 2000+i)}
		if s.env.On(PlainSuppliers) {
			row["legalPerson"], row["legalIdCard"], row["legalMobile"] = p.Name, p.ID, p.Phone
		}
		rows = append(rows, row)
	}
	good(w, obj{"total": 80, "rows": rows})
}

// strong is the password of an account: the shop takes no weak ones.
func strong(p people.Person) string {
	sum := md5.Sum([]byte(p.Email + p.Phone))
	return "Zx" + hex.EncodeToString(sum[:5]) + "#Q"
}

func (s *service) login(w http.ResponseWriter, r *http.Request) {
	var in struct{ Mobile, Password string }
	_ = victim.Read(r, &in)
	day := in.Mobile + s.env.Now().Format("0102")
	if s.failed[day] >= 5 {
		w.Header().Set("Retry-After", "900")
		bad(w, 429, "登录失败次数过多，请15分钟后再试")
		return
	}
	a := s.byLogin[in.Mobile]
	if a == nil || strong(a.person) != in.Password {
		s.failed[day]++
		bad(w, 200, "手机号或密码错误")
		return
	}
	token := fmt.Sprintf("%016x%016x", s.env.Rand.Uint64(), s.env.Rand.Uint64())
	if len(s.tokens) >= 10_000 {
		clear(s.tokens)
	}
	s.tokens[token] = a
	attributes := "; Path=/; Secure; HttpOnly; SameSite=Lax"
	if s.env.On(BareCookie) {
		attributes = "; Path=/"
	}
	w.Header().Add("Set-Cookie", "SHOPSESSID="+token+attributes)
	good(w, obj{"uid": a.uid, "nickname": a.nick})
}

// who gives the account of the session that the request shows.
func (s *service) who(r *http.Request) *account {
	c, err := r.Cookie("SHOPSESSID")
	if err != nil {
		return nil
	}
	return s.tokens[c.Value]
}

// user gives the account that asks, or refuses.
func (s *service) user(w http.ResponseWriter, r *http.Request) *account {
	a := s.who(r)
	if a == nil {
		bad(w, 401, "请先登录")
	}
	return a
}

func (a *account) card() obj {
	return obj{"uid": a.uid, "nickname": a.nick, "mobile": people.MaskPhone(a.person.Phone), "vipLevel": a.level, "points": a.points}
}

func (s *service) profile(w http.ResponseWriter, r *http.Request) {
	if a := s.user(w, r); a != nil {
		good(w, a.card())
	}
}

// update takes the nickname. What else is in the body came back from an older
// app that returns the whole card, or from somebody who tries.
func (s *service) update(w http.ResponseWriter, r *http.Request) {
	a := s.user(w, r)
	if a == nil {
		return
	}
	var in struct {
		Nickname string `json:"nickname"`
		VipLevel string `json:"vipLevel"`
		Points   *int   `json:"points"`
	}
	if !victim.Read(r, &in) {
		bad(w, 400, "参数错误")
		return
	}
	a.nick = cmp.Or(in.Nickname, a.nick)
	more := in.VipLevel != "" && in.VipLevel != a.level || in.Points != nil && *in.Points != a.points
	if more && s.env.On(OpenFields) {
		a.level = cmp.Or(in.VipLevel, a.level)
		if in.Points != nil {
			a.points = *in.Points
		}
	}
	good(w, a.card())
}
