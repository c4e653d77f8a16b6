package engine

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/respond"
	"xiezhi/internal/respond/gate"
	"xiezhi/internal/source"
	"xiezhi/internal/source/proxy"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

// front is a shop behind Xiezhi's proxy, judged and defended.
type defended struct {
	t     *testing.T
	h     *hall
	desk  *respond.Desk
	gate  *gate.Gate
	addr  string
	conns map[string]net.Conn
	came  atomic.Uint64 // requests that the shop got from the tool of the gang
}

const gangTool = "python-requests/2.31.0"

// shop answers as an application does whose errors tell accounts apart and whose
// lists show too much.
func (d *defended) shop(w http.ResponseWriter, r *http.Request) {
	if r.UserAgent() == gangTool {
		d.came.Add(1)
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/login":
		var in struct{ User, Password string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		switch {
		case in.Password == "right-"+in.User:
			fmt.Fprintf(w, `{"code":0,"msg":"ok","data":{"token":"tok-%s-0123456789abcdef"}}`, in.User)
		case strings.HasPrefix(in.User, "member"):
			w.WriteHeader(401)
			fmt.Fprint(w, `{"code":1002,"msg":"wrong password"}`)
		default:
			w.Header().Set("X-Reason", "unknown")
			w.WriteHeader(404)
			fmt.Fprint(w, `{"code":1001,"msg":"no such user"}`)
		}
	case strings.HasPrefix(r.URL.Path, "/goods/"):
		fmt.Fprintf(w, `{"code":0,"data":{"id":%q,"title":"a thing","price":12.5}}`, r.URL.Path[7:])
	case r.URL.Path == "/members":
		fmt.Fprint(w, `{"code":0,"data":[ {"id":1,"phone":"13812345678"}, {"id":2,"phone":"13912345679"},{"id":3,"phone":"13712345670"} ]}`)
	default:
		w.WriteHeader(404)
		fmt.Fprint(w, `{"code":404}`)
	}
}

func defend(t *testing.T, text string) *defended {
	t.Helper()
	d := &defended{t: t, h: newHall(t), conns: map[string]net.Conn{}}
	upstream := httptest.NewServer(http.HandlerFunc(d.shop))
	t.Cleanup(upstream.Close)
	u, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = l.Addr().String()
	var late atomic.Pointer[gate.Gate]
	p := proxy.New(proxy.Config{Listener: l, Upstream: u, Gate: lateGate{&late}, Clock: d.h.now})
	cfg := d.h.config(p)
	cfg.File = &FileConfig{TrustedProxies: []string{"127.0.0.0/8"}}
	cfg.Site = "shop"
	cfg.DeliverEvery = 100 * time.Millisecond
	file, err := policy.Parse("p", []byte("version: 1\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	var desk atomic.Pointer[respond.Desk]
	cfg.Changed = func(list []record.Record) {
		if x := desk.Load(); x != nil {
			x.Consider(list)
		}
	}
	s, end := d.h.run(cfg)
	d.desk, err = respond.New(t.Context(), respond.Config{Store: d.h.records, Messages: d.h.tools.Messages, Policy: file, Shadow: s.Shadow, External: s.External, OneSite: "shop",
		Guard: respond.Guard{Never: respond.NeverOf(file)}, Now: d.h.now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	desk.Store(d.desk)
	if d.gate, err = gate.New(gate.Config{Table: d.desk.Table, Reader: s.Reader, Now: d.h.now}); err != nil {
		t.Fatal(err)
	}
	late.Store(d.gate)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.desk.Run(ctx) }()
	t.Cleanup(func() {
		for _, c := range d.conns {
			_ = c.Close()
		}
		cancel()
		<-done
		end()
	})
	return d
}

type lateGate struct{ gate *atomic.Pointer[gate.Gate] }

func (l lateGate) Request(r *http.Request) proxy.Verdict {
	if g := l.gate.Load(); g != nil {
		return g.Request(r)
	}
	return proxy.Verdict{}
}

func (l lateGate) RequestBody(r *http.Request, b []byte) proxy.Verdict {
	return l.gate.Load().RequestBody(r, b)
}

func (l lateGate) Response(r *http.Response) {
	if g := l.gate.Load(); g != nil {
		g.Response(r)
	}
}

var _ source.Source = (*proxy.Source)(nil)

// send sends one request with its fields in the order given, over a connection
// of the client's program, and gives status and answer.
func (d *defended) send(program, ip, method, path, body string, fields ...string) (int, http.Header, string) {
	d.t.Helper()
	d.h.clock.Add(int64(2 * time.Second))
	c := d.conns[program]
	if c == nil {
		var err error
		if c, err = net.Dial("tcp", d.addr); err != nil {
			d.t.Fatal(err)
		}
		d.conns[program] = c
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: shop.example\r\n", method, path)
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", fields[i], fields[i+1])
	}
	fmt.Fprintf(&b, "X-Forwarded-For: %s\r\n", ip)
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	if _, err := io.WriteString(c, b.String()); err != nil {
		d.t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode, r.Header, string(text)
}

// network n of twenty that the public and the gang share.
func address(n, host int) string { return fmt.Sprintf("203.%d.%d.%d", 10+n%20, n%7, 1+host%250) }

// public sends what people do, and counts answers that are errors of ours.
func (d *defended) public(n int) (asked, refused int) {
	for i := range n {
		person := i % 60
		ip := address(person, 100+person)
		browser := []string{"User-Agent", fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/12%d.0 Safari/537.36", person%4),
			"Accept", "application/json, text/plain, */*", "Accept-Language", "zh-CN,zh;q=0.9", "Accept-Encoding", "gzip, deflate", "Referer", "https://shop.example/"}
		var code int
		switch i / 60 % 6 {
		case 0:
			code, _, _ = d.send("browser", ip, "POST", "/login", fmt.Sprintf(`{"user":"member%d","password":"right-member%d"}`, person, person), browser...)
		default:
			token := append(browser[:len(browser):len(browser)], "Authorization", fmt.Sprintf("Bearer tok-member%d-0123456789abcdef", person))
			code, _, _ = d.send("browser", ip, "GET", fmt.Sprintf("/goods/%d", 100+(i*7)%40), "", token...)
		}
		asked++
		if code != 200 {
			refused++
		}
	}
	return asked, refused
}

// gang tries bought pairs, each from another address of the public's networks.
func (d *defended) gang(from, n int) (through int) {
	before := d.came.Load()
	for i := from; i < from+n; i++ {
		d.send("tool", address(i, i/20+i%50), "POST", "/login", fmt.Sprintf(`{"user":"%s%d","password":"Secret%d!"}`, map[bool]string{true: "member", false: "guest"}[i%3 == 0], i, i*37),
			"User-Agent", gangTool, "Accept-Encoding", "gzip, deflate", "Accept", "*/*", "Connection", "keep-alive")
	}
	return int(d.came.Load() - before)
}

// decided waits until the cohort is decided about: first it may be the addresses
// that were seen.
func (d *defended) decided() *respond.Decision {
	d.t.Helper()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		d.h.clock.Add(int64(time.Second))
		if _, live, _ := d.desk.Changes(0); len(live) > 0 && d.desk.Table().Len() == len(live) && len(live[len(live)-1].Selector.Keys.IP) == 0 {
			return live[len(live)-1]
		}
	}
	for _, k := range []record.Kind{record.Attack, record.Decision} {
		p, err := d.h.records.List(d.t.Context(), record.Query{Kind: k})
		if err != nil {
			d.t.Fatal(err)
		}
		for _, r := range p.Records {
			d.t.Logf("%s %.1500s", k, r.Body)
		}
	}
	d.t.Fatalf("nothing was decided: %+v", d.desk.Figures())
	return nil
}

// TestGangIsStoppedAsACohort: bought pairs tried once per address are stopped by
// what their tool shows, in the networks of honest people, who notice nothing.
func TestGangIsStoppedAsACohort(t *testing.T) {
	d := defend(t, "response: [{mode: enforce, verdict: likely, max_collateral: 0.001}]")
	d.public(420)
	if n := d.gang(0, 150); n != 150 {
		t.Fatalf("%d of 150 reach the shop before anything is known", n)
	}
	d.public(180)
	d.gang(150, 150) // some are refused already
	x := d.decided()
	if x.Attack == "" || len(x.Selector.APIs) == 0 || x.Reason.Zh == "" || x.Collateral.Share() > 0.001 || x.Collateral.Attack < 100 {
		t.Errorf("%.2000v", x)
	}
	if k := &x.Selector.Keys; len(k.IP)+len(k.Prefix) > 0 || len(k.HeaderOrder) == 0 {
		t.Errorf("addresses are named: %+v", x.Selector.Keys)
	}
	through := d.gang(1000, 300)
	asked, refused := d.public(1200)
	if through > 15 {
		t.Errorf("%d of 300 of the gang still reach the shop: %s %.300v", through, x.Action, x.Selector.Keys)
	}
	if 1000*refused > asked {
		t.Errorf("%d of %d honest requests fail", refused, asked)
	}
	t.Logf("%s on %d APIs: %d of 300 pass, %d of %d honest ones fail, collateral %.4f of %d", x.Action, len(x.Selector.APIs), through, refused, asked, x.Collateral.Share(), x.Collateral.Of)
}

// TestVirtualPatches: fields are hidden and lists cut, every other byte stays;
// answers that tell accounts apart become one.
func TestVirtualPatches(t *testing.T) {
	d := defend(t, "")
	browser := []string{"User-Agent", "Mozilla/5.0"}
	_, plain, before := d.send("b", "203.0.113.5", "GET", "/members", "", browser...)
	_, _, goods := d.send("b", "203.0.113.5", "GET", "/goods/7", "", browser...)
	var ids [2]respond.API
	for i, a := range []respond.API{{ID: "m", Host: "shop.example", Method: "GET", Template: "/members"}, {ID: "l", Host: "shop.example", Method: "POST", Template: "/login"}} {
		body, _ := json.Marshal(a)
		now := d.h.now()
		if _, err := d.h.records.Write(t.Context(), record.Batch{Put: []record.Record{{Kind: record.API, ID: a.ID, Rev: 1, Site: "shop", Body: body, First: now, Last: now}}}); err != nil {
			t.Fatal(err)
		}
		ids[i] = a
	}
	decide := func(a respond.API, p respond.Patch) {
		t.Helper()
		x := respond.Decision{Site: "shop", Action: taxonomy.ActMask, Selector: respond.Selector{APIs: []respond.API{a}}, Patch: &p, Expires: d.h.now().Add(24 * time.Hour), Reason: message.Text{Zh: "修补", En: "patch"}}
		if _, err := d.desk.Create(t.Context(), respond.Person{ID: "u"}, x, false); err != nil {
			t.Fatal(err)
		}
	}
	decide(ids[0], respond.Patch{Fields: []string{"data[].phone"}, Records: 2})
	decide(ids[1], respond.Patch{Uniform: &respond.Uniform{Status: 401, Body: `{"code":1000,"msg":"wrong name or password"}`}})
	if err := d.desk.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, head, after := d.send("b", "203.0.113.5", "GET", "/members", "", browser...)
	if want := `{"code":0,"data":[ {"id":1,"phone":"13*******78"}, {"id":2,"phone":"13*******79"}]}`; after != want || before == after {
		t.Errorf("%s, want %s", after, want)
	}
	plain.Del("Content-Length")
	head.Del("Content-Length")
	plain.Del("Date")
	head.Del("Date")
	if fmt.Sprint(plain) != fmt.Sprint(head) {
		t.Errorf("fields differ: %v and %v", plain, head)
	}
	if _, _, again := d.send("b", "203.0.113.5", "GET", "/goods/7", "", browser...); again != goods {
		t.Errorf("%s became %s", goods, again)
	}
	var seen []string
	for _, user := range []string{"member7", "nobody"} {
		code, h, body := d.send("b", "203.0.113.5", "POST", "/login", `{"user":"`+user+`","password":"x"}`, browser...)
		h.Del("Date")
		seen = append(seen, fmt.Sprint(code, h, body))
	}
	if seen[0] != seen[1] || !strings.Contains(seen[0], "wrong name or password") {
		t.Errorf("the oracle still tells:\n%s\n%s", seen[0], seen[1])
	}
	if code, _, body := d.send("b", "203.0.113.5", "POST", "/login", `{"user":"member7","password":"right-member7"}`, browser...); code != 200 || !strings.Contains(body, "tok-member7") {
		t.Errorf("signing in: %d %s", code, body)
	}
}

// BenchmarkGate times one decision: reading a request as observers do, and
// asking a table of 10 000 addresses and 100 cohorts that it is not of.
func BenchmarkGate(b *testing.B) {
	tools, err := LoadTools(rules.FS, [32]byte{1})
	if err != nil {
		b.Fatal(err)
	}
	store := recordtest.NewModel(record.NewChain([32]byte{1}))
	desk, err := respond.New(b.Context(), respond.Config{Store: store, Messages: tools.Messages, External: tools.redactor.External, OneSite: "shop"})
	if err != nil {
		b.Fatal(err)
	}
	add := func(k respond.Keys) {
		x := respond.Decision{Site: "shop", Action: taxonomy.ActBlock, Selector: respond.Selector{APIs: []respond.API{{ID: "a"}}, Keys: k}, Expires: time.Now().Add(time.Hour), Reason: message.Text{Zh: "甲", En: "A"}}
		if _, err := desk.Create(b.Context(), respond.Person{ID: "u"}, x, false); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 100 {
		add(respond.Keys{HeaderOrder: []string{fmt.Sprintf("%016x", i)}, Agent: []string{fmt.Sprintf("%016x", i)}})
		ips := make([]string, 100)
		for j := range ips {
			ips[j] = fmt.Sprintf("203.0.%d.%d", i, j+1)
		}
		add(respond.Keys{IP: ips})
	}
	if err := desk.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	g, err := gate.New(gate.Config{Table: desk.Table, Reader: func() (*observe.Observer, *identity.Resolver, error) {
		o, err := tools.observer(nil)
		return o, identity.New(identity.Config{MaxAccounts: 1, MaxCredentials: 1, MaxClients: 1, MaxAliases: 1}), err
	}})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	u := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	var took []time.Duration
	p := proxy.New(proxy.Config{Listener: l, Upstream: u, Gate: timed{g, &took}})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, nothing{}, &source.Ledger{}) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	in := bufio.NewReader(c)
	const head = "GET /goods/17?page=2&size=20 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0\r\nAccept: application/json, text/plain, */*\r\nAccept-Language: zh-CN,zh;q=0.9\r\nAuthorization: Bearer tok-member1-0123456789abcdef\r\nCookie: SESSION=aB3dE5fG7hI9jK1lM3\r\n\r\n"
	for b.Loop() {
		if _, err := io.WriteString(c, head); err != nil {
			b.Fatal(err)
		}
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}
	cancel()
	_ = c.Close()
	<-done
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "ns/decision-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "ns/decision-p99")
}

// timed measures a gate's decisions, and answers in the upstream's place.
type timed struct {
	*gate.Gate
	took *[]time.Duration
}

func (t timed) Request(r *http.Request) proxy.Verdict {
	begin := time.Now()
	v := t.Gate.Request(r)
	*t.took = append(*t.took, time.Since(begin))
	if v.NeedBody == 0 && v.Status == 0 {
		v.Status = http.StatusNoContent
	}
	return v
}

type nothing struct{}

func (nothing) Accept(*exchange.Exchange) error { return nil }
