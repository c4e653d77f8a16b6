package attack

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// The event-script builder: a small site, its honest users and its attackers,
// with the truth of every request.

type scripted struct {
	catalog.Event
	obs   observe.Observation
	truth string // "" honest
}

type script struct {
	rng    *rand.Rand
	events []*scripted
	n      int
	oracle bool // login tells which accounts exist
	apis   map[string]*catalog.API
}

const t0 = int64(1_700_000_000e9)

func newScript(seed uint64) *script {
	s := &script{rng: rand.New(rand.NewPCG(seed, 7)), apis: map[string]*catalog.API{}}
	s.oracle = s.rng.IntN(2) == 0
	for i, a := range []catalog.API{
		{ID: "login", Method: "POST", Template: "/login", Role: taxonomy.RoleLogin},
		{ID: "register", Method: "POST", Template: "/register", Role: taxonomy.RoleRegister},
		{ID: "check", Method: "GET", Template: "/check", Role: taxonomy.RoleIdentityCheck},
		{ID: "me", Method: "GET", Template: "/me", Role: taxonomy.RoleProfile},
		{ID: "list", Method: "GET", Template: "/orders", Role: taxonomy.RoleList},
		{ID: "detail", Method: "GET", Template: "/orders/{id}", Role: taxonomy.RoleDetail},
		{ID: "create", Method: "POST", Template: "/orders", Role: taxonomy.RoleOrderCreate},
		{ID: "news", Method: "GET", Template: "/news/{id}", Role: taxonomy.RoleDetail},
		{ID: "dump", Method: "GET", Template: "/internal/users", Role: taxonomy.RoleAdmin},
		{ID: "health", Method: "GET", Template: "/health", Role: taxonomy.RoleHealth},
	} {
		a.Handle = catalog.Handle(i + 1)
		a.Site = "shop"
		s.apis[a.ID] = &a
	}
	return s
}

type client struct {
	ip            netip.Addr
	agent, header uint64
	cohort        uint64
	family        string
	tool          bool
	credential    uint64
	principal     uint64
	referer       string
	shape         uint64 // of bodies
	password      uint64
}

var families = []string{"chrome", "firefox", "safari", "okhttp", "edge"}

// browser gives an honest client; there are a handful of kinds of them.
func (s *script) browser(ip netip.Addr) *client {
	f := s.rng.IntN(len(families))
	return &client{ip: ip, family: families[f], header: 100 + uint64(f), cohort: 200 + uint64(f), agent: 300 + uint64(f*3+s.rng.IntN(3)), shape: 400 + uint64(s.rng.IntN(4)), password: s.rng.Uint64()}
}

func (s *script) tool(ip netip.Addr) *client {
	v := uint64(s.rng.IntN(1000))
	return &client{ip: ip, family: "go-http", tool: true, header: 10_000 + v, cohort: 11_000 + v, agent: 12_000 + v, shape: 13_000 + v}
}

func ip4(a, b, c, d int) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(a), byte(b), byte(c), byte(d)})
}

func (s *script) home(i int) netip.Addr { return ip4(101, i/250, s.rng.IntN(250), i%250+1) }

// send adds a request at sec seconds.
func (s *script) send(c *client, sec float64, api string, truth string, set func(*scripted)) *scripted {
	s.n++
	ev := &scripted{truth: truth}
	o := &ev.obs
	ev.Observation = o
	o.ID = fmt.Sprintf("x%06d", s.n)
	o.Start = t0 + int64(sec*1e9)
	o.End = o.Start + 20e6
	o.Host, o.Referer = "shop.test", c.referer
	o.Caps = exchange.CapWire
	o.Status = 200
	o.HeaderOrder, o.Agent, o.AgentFamily, o.AgentTool = c.header, c.agent, c.family, c.tool
	o.Method = "GET"
	ev.Outcome = catalog.OutcomeSuccess
	if a := s.apis[api]; a != nil {
		ev.API, o.Method = a, a.Method
	}
	ev.Who = identity.Who{Client: c.ip, Cohort: c.cohort, Credential: c.credential, Principal: c.principal}
	if set != nil {
		set(ev)
	}
	s.events = append(s.events, ev)
	return ev
}

func (s *script) account(ev *scripted, subject, password uint64, c *client) {
	ev.Who.Subject = subject
	ev.obs.ParamShape = c.shape
	ev.obs.Accounts = []observe.Account{{Name: "user", Kind: observe.AccountName, Token: subject, Shape: fmt.Sprintf("%c%c***", 'a'+subject%26, 'a'+subject/26%26)}}
	if password != 0 {
		ev.obs.Passwords = []observe.Password{{Name: "password", Use: observe.PasswordCurrent, Tag: uint32(password) & 0xffffff}}
	}
	ev.obs.Params = []observe.Param{{Name: "user", Token: subject, In: observe.InJSON}, {Name: "password", In: observe.InJSON}}
}

// login adds an attempt; result is "ok", "wrong" or "absent".
func (s *script) login(c *client, sec float64, subject, password uint64, result, truth string) {
	s.send(c, sec, "login", truth, func(ev *scripted) {
		s.account(ev, subject, password, c)
		switch {
		case result == "ok":
			c.credential, c.principal = s.rng.Uint64(), subject
			ev.obs.Issued = []observe.Credential{{Token: c.credential}}
			ev.Who.Credential, ev.Who.Principal = 0, 0
			return
		case result == "absent" && s.oracle:
			ev.obs.MessageSays, ev.ResponseClass = observe.SaysNotRegistered, 2
		case s.oracle:
			ev.obs.MessageSays, ev.ResponseClass = observe.SaysWrongSecret, 3
		default:
			ev.obs.MessageSays, ev.ResponseClass = observe.SaysBadPair, 4
		}
		ev.Outcome = catalog.OutcomeRejected
	})
}

func (s *script) register(c *client, sec float64, subject uint64, truth string) {
	s.send(c, sec, "register", truth, func(ev *scripted) { s.account(ev, subject, c.password, c) })
}

// read adds a read of an object.
func (s *script) read(c *client, sec float64, api string, object, owner uint64, truth string) *scripted {
	return s.send(c, sec, api, truth, func(ev *scripted) {
		ev.Object, ev.Owner = object, owner
		ev.obs.Segments = []observe.Segment{{Text: "orders"}, {Token: object, Set: observe.SetFeature{Prefix: mix64(object/64) | 1, Position: uint16(object % 64)}}}
		if owner != 0 {
			ev.Ownership = catalog.OwnershipForeign
			if owner == c.principal {
				ev.Ownership = catalog.OwnershipOwn
			}
		}
	})
}

// user adds an honest session.
func (s *script) user(c *client, id int, from, to float64) {
	subject := uint64(1_000_000 + id)
	at := from + s.rng.Float64()*3
	if s.rng.IntN(3) == 0 {
		s.register(c, at, subject, "")
		at += 1 + s.rng.Float64()*3
	}
	for range s.rng.IntN(3) * s.rng.IntN(2) { // a typo or two
		s.login(c, at, subject, c.password+1+uint64(s.rng.IntN(3)), "wrong", "")
		at += 3 + s.rng.Float64()*5
	}
	s.login(c, at, subject, c.password, "ok", "")
	own := uint64(id) * 1000
	for at < to {
		at += 1 + s.rng.ExpFloat64()*8
		switch s.rng.IntN(6) {
		case 0, 1:
			s.send(c, at, "list", "", nil)
		case 2:
			s.send(c, at, "me", "", nil)
		case 3:
			s.read(c, at, "news", uint64(s.rng.IntN(40)+1), 0, "")
		case 4:
			s.read(c, at, "detail", own+uint64(s.rng.IntN(5)), subject, "")
		case 5:
			s.send(c, at, "create", "", func(ev *scripted) {
				ev.obs.ParamShape = c.shape
				ev.obs.Params = []observe.Param{{Name: "sku", Token: s.rng.Uint64()}, {Name: "count"}}
			})
		}
	}
}

// crowd adds n honest users.
func (s *script) crowd(n int, from, to float64) {
	for i := range n {
		s.user(s.browser(s.home(i)), i, from+s.rng.Float64()*(to-from)*0.7, to)
	}
}

// nat adds n honest users behind one address.
func (s *script) nat(addr netip.Addr, n, first int, from, to float64) {
	for i := range n {
		s.user(s.browser(addr), first+i, from+s.rng.Float64()*(to-from)*0.5, to)
	}
}

type result struct {
	engine   *Engine
	findings []Finding
	hits     map[string]map[taxonomy.AttackKind]int // truth -> kind -> requests attributed at likely or better
	total    map[string]int
	falsely  map[taxonomy.AttackKind]int
}

// sortEvents puts the script in order and fills in what identity would know.
func (s *script) sortEvents() {
	slices.SortStableFunc(s.events, func(a, b *scripted) int { return int(min(max(a.obs.End-b.obs.End, -1), 1)) })
	named, exists := map[uint64]bool{}, map[uint64]bool{}
	for _, ev := range s.events {
		ev.obs.Seq = uint64(len(named))
		if sub := ev.Who.Subject; sub != 0 {
			ev.Who.NewSubject = !named[sub]
			ev.Who.Registered = exists[sub]
			named[sub] = true
			if ev.Outcome == catalog.OutcomeSuccess {
				exists[sub] = true
			}
		}
	}
}

func (s *script) run(tb testing.TB) *result {
	tb.Helper()
	s.sortEvents()
	e := New(Config{Messages: messages(tb), Site: "shop"})
	for _, ev := range s.events {
		e.Observe(&ev.Event)
	}
	return s.score(e, e.Findings(nil))
}

func (s *script) score(e *Engine, found []Finding) *result {
	r := &result{engine: e, findings: found, hits: map[string]map[taxonomy.AttackKind]int{}, total: map[string]int{}, falsely: map[taxonomy.AttackKind]int{}}
	for _, ev := range s.events {
		r.total[ev.truth]++
		for i := range found {
			f := &found[i]
			if f.Verdict < taxonomy.Likely || !f.Selector.Match(&ev.Event) {
				continue
			}
			if ev.truth == "" {
				r.falsely[f.Kind]++
				continue
			}
			if r.hits[ev.truth] == nil {
				r.hits[ev.truth] = map[taxonomy.AttackKind]int{}
			}
			r.hits[ev.truth][f.Kind]++
		}
	}
	return r
}

// innocent asserts that no honest request is attributed.
func (r *result) innocent(tb testing.TB) {
	tb.Helper()
	if len(r.falsely) > 0 {
		tb.Errorf("honest requests attributed: %v\n%s", r.falsely, r)
	}
}

// found asserts that at least share of an actor's requests are attributed as
// one of the kinds.
func (r *result) found(tb testing.TB, truth string, share float64, kinds ...taxonomy.AttackKind) {
	tb.Helper()
	n := 0
	for _, k := range kinds {
		n = max(n, r.hits[truth][k])
	}
	if float64(n) < share*float64(r.total[truth]) {
		tb.Errorf("%s: %d of %d requests attributed as %v, want %.0f %%; got %v\n%s", truth, n, r.total[truth], kinds, share*100, r.hits[truth], r)
	}
}

func (r *result) String() string {
	out := ""
	for _, f := range r.findings {
		out += fmt.Sprintf("  %s %s %.2f n=%d ips=%d sel{api %d ip %d pre %d hdr %d shape %d cred %d acc %d} %s\n", f.Kind, f.Verdict, f.Confidence, f.Requests, f.IPCount,
			len(f.Selector.APIs), len(f.Selector.IP), len(f.Selector.Prefix), len(f.Selector.HeaderOrder), len(f.Selector.ParamShape), len(f.Selector.Credential), len(f.Selector.Account), f.Reason.En)
		for _, w := range f.Reasons {
			out += fmt.Sprintf("      %+.1f %s: %s\n", w.Weight, w.Family, w.Text.En)
		}
	}
	return out
}

// messages loads the real texts.
func messages(tb testing.TB) *message.Catalog {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			tb.Fatal("no module root")
		}
		dir = filepath.Dir(dir)
	}
	sub, err := fs.Sub(os.DirFS(dir), "rules")
	if err != nil {
		tb.Fatal(err)
	}
	m, err := message.Load(sub, "messages")
	if err != nil {
		tb.Fatal(err)
	}
	return m
}
