package bouncer

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/respond"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

type counting struct{ n byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.n++
		p[i] = c.n
	}
	return len(p), nil
}

// post is a desk with a server of bouncers and one key.
type post struct {
	t      *testing.T
	desk   *respond.Desk
	server *Server
	key    string
	mu     sync.Mutex
	now    time.Time
	client string
}

func (p *post) time() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func newPost(t *testing.T, live bool) *post {
	t.Helper()
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{t: t, now: start, key: KeyPrefix + "secret", client: "198.51.100.1"}
	now := p.time
	if live {
		now = time.Now
	}
	store := recordtest.NewModel(record.NewChain([32]byte{1}))
	if _, err := store.Write(t.Context(), record.Batch{Put: []record.Record{{Kind: record.Bouncer, ID: IDOf(p.key), Rev: 1, First: start, Last: start, Body: []byte(`{"name":"edge","by":"u"}`)},
		{Kind: record.Bouncer, ID: IDOf("bank"), Rev: 1, First: start, Last: start, Body: []byte(`{"name":"edge of the bank","by":"u","site":"bank"}`)}}}); err != nil {
		t.Fatal(err)
	}
	if p.desk, err = respond.New(t.Context(), respond.Config{Store: store, Messages: msgs, Now: now, Random: &counting{}}); err != nil {
		t.Fatal(err)
	}
	if p.server, err = New(t.Context(), Config{Store: store, Desk: p.desk, Now: now, Client: func(*http.Request) netip.Addr { return netip.MustParseAddr(p.client) }}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *post) add(site string, a taxonomy.Action, ttl time.Duration, k respond.Keys) *respond.Decision {
	p.t.Helper()
	x, err := p.desk.Create(p.t.Context(), respond.Person{ID: "u-ann"}, respond.Decision{Site: site, Action: a, Rate: map[bool]int{true: 9}[a == taxonomy.ActRateLimit], Selector: respond.Selector{Keys: k},
		Expires: p.server.cfg.Now().Add(ttl), Reason: message.Text{Zh: "攻击", En: "attack"}}, false)
	if err != nil {
		p.t.Fatal(err)
	}
	return x
}

func (p *post) ask(method, path, key string) (int, string, http.Header) {
	p.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	if key != "" {
		r.Header.Set("X-Api-Key", key)
	}
	r.Header.Set("User-Agent", "crowdsec-custom-bouncer/v0.0.15")
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

func (p *post) stream(query string) string {
	p.t.Helper()
	code, body, h := p.ask("GET", "/v1/decisions/stream"+query, p.key)
	if code != 200 || h.Get("Content-Type") != "application/json" || h.Get("Content-Encoding") != "" {
		p.t.Fatalf("%d %v", code, h)
	}
	return body
}

func (p *post) is(what, got, want string) {
	p.t.Helper()
	if got != want {
		p.t.Errorf("%s:\n %s, want\n %s", what, got, want)
	}
}

// TestContractToTheByte holds answers against what CrowdSec's local API (1.7.8)
// gave for the same decisions, ids, origins and texts apart.
func TestContractToTheByte(t *testing.T) {
	p := newPost(t, false)
	p.is("nothing", p.stream("?startup=true"), `{"new": [], "deleted": []}`)
	one := p.add("shop", taxonomy.ActBlock, 4*time.Hour, respond.Keys{IP: []string{"192.0.2.7"}})
	p.add("shop", taxonomy.ActChallenge, time.Hour, respond.Keys{Prefix: []string{"198.51.100.0/24"}})
	p.now = start.Add(time.Second)
	uuid := uuidOf(one.ID)
	first := `{"duration":"3h59m59s","id":4096,"origin":"xiezhi","scenario":"xiezhi/manual","scope":"Ip","type":"ban","uuid":"` + uuid + `","value":"192.0.2.7"}`
	p.is("at the start", cutUUID(p.stream("?startup=true")), cutUUID(`{"new": [`+first+
		`,{"duration":"59m59s","id":8192,"origin":"xiezhi","scenario":"xiezhi/manual","scope":"Range","type":"captcha","uuid":"00000000-0000-0000-0000-000000000000","value":"198.51.100.0/24"}], "deleted": []}`))
	p.is("nothing new", p.stream(""), `{"new": [], "deleted": []}`)
	p.is("another address with the key", func() string { p.client = "198.51.100.2"; return p.stream("?scopes=ip") }(), `{"new": [`+first+`], "deleted": []}`)
	p.client = "198.51.100.1"

	code, body, h := p.ask("GET", "/v1/decisions?ip=192.0.2.7", p.key)
	p.is("live", fmt.Sprint(code, body, h.Get("Content-Type")), `200[`+first+`]application/json; charset=utf-8`)
	_, body, _ = p.ask("GET", "/v1/decisions?ip=192.0.2.8", p.key)
	p.is("live, of another", body, "null")
	if _, body, _ = p.ask("GET", "/v1/decisions?ip=198.51.100.9&type=captcha", p.key); !strings.Contains(body, `"198.51.100.0/24"`) {
		t.Errorf("in a network: %s", body)
	}
	if code, body, _ = p.ask("GET", "/v1/decisions?ip=nonsense", p.key); code != 400 || !strings.Contains(body, `"message"`) {
		t.Errorf("%d %s", code, body)
	}
	for _, key := range []string{"", "wrong", strings.Repeat("x", 9999)} {
		for _, path := range []string{"/v1/decisions", "/v1/decisions/stream?startup=true", "/v1/blocklist.txt", "/v1/usage-metrics"} {
			method := "GET"
			if path == "/v1/usage-metrics" {
				method = "POST"
			}
			code, body, _ = p.ask(method, path, key)
			p.is("with the key "+key[:min(len(key), 9)], fmt.Sprint(code, body), `403{"message":"access forbidden"}`)
		}
	}

	// A check of the key does not move on what was told.
	p.add("shop", taxonomy.ActBlock, time.Hour, respond.Keys{IP: []string{"192.0.2.9"}})
	if code, body, _ = p.ask("HEAD", "/v1/decisions/stream", p.key); code != 200 || body != "" {
		t.Errorf("%d %s", code, body)
	}
	if got := p.stream(""); strings.Count(got, `"id"`) != 1 || !strings.Contains(got, `"192.0.2.9"`) {
		t.Error(got)
	}
	if _, err := p.desk.Undo(t.Context(), respond.Person{ID: "u-bob"}, one.ID, "wrong"); err != nil {
		t.Fatal(err)
	}
	p.is("undone", p.stream(""), `{"new": [], "deleted": [`+strings.Replace(first, "3h59m59s", "0s", 1)+`]}`)
	p.now = start.Add(2 * time.Hour)
	if err := p.desk.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.stream(""); strings.Count(got, `"id"`) != 2 || !strings.Contains(got, `"duration":"-1h0m0s"`) || !strings.HasPrefix(got, `{"new": [], "deleted": [{`) {
		t.Error(got)
	}
	if s := p.server.Seen(IDOf(p.key)); s.Agent != "crowdsec-custom-bouncer/v0.0.15" || s.Pulls < 6 || !s.At.Equal(p.now) {
		t.Errorf("%+v", s)
	}
}

// cutUUID takes out what differs by nature.
func cutUUID(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, `"uuid":"`)
		if i < 0 {
			return b.String() + s
		}
		b.WriteString(s[:i])
		s = s[i+len(`"uuid":"`)+36:]
	}
}

// TestOnlyWhatAddressesSay: what a bouncer cannot evaluate as a whole it is not
// given, and of another site neither.
func TestOnlyWhatAddressesSay(t *testing.T) {
	p := newPost(t, false)
	p.add("shop", taxonomy.ActBlock, time.Hour, respond.Keys{IP: []string{"192.0.2.1"}, JA4: []string{"t13d"}})
	p.add("shop", taxonomy.ActRateLimit, time.Hour, respond.Keys{IP: []string{"192.0.2.2"}})
	p.add("shop", taxonomy.ActTag, time.Hour, respond.Keys{IP: []string{"192.0.2.3"}})
	p.add("shop", taxonomy.ActBlock, time.Hour, respond.Keys{Account: []string{"0123"}})
	p.is("nothing for them", p.stream("?startup=true&scopes=ip,range,username"), `{"new": [], "deleted": []}`)
	// Twice the same address is told once, and not taken back while one holds.
	short := p.add("shop", taxonomy.ActBlock, time.Hour, respond.Keys{IP: []string{"192.0.2.4"}})
	p.add("bank", taxonomy.ActBlock, 2*time.Hour, respond.Keys{IP: []string{"192.0.2.4"}})
	if got := p.stream(""); strings.Count(got, `"id"`) != 1 || !strings.Contains(got, `"2h0m0s"`) {
		t.Error(got)
	}
	if _, err := p.desk.Undo(t.Context(), respond.Person{ID: "u-bob"}, short.ID, "wrong"); err != nil {
		t.Fatal(err)
	}
	p.is("the other still holds", p.stream(""), `{"new": [], "deleted": []}`)
	if _, body, _ := p.ask("GET", "/v1/decisions/stream?startup=true", "bank"); strings.Count(body, `"id"`) != 1 {
		t.Errorf("a key of one site: %s", body)
	}
	_, body, h := p.ask("GET", "/v1/blocklist.txt", p.key)
	p.is("as a list", body+h.Get("Content-Type"), "192.0.2.4\ntext/plain; charset=utf-8")
	// The kill switch takes all back, and gives it again.
	if _, err := p.desk.Stop(t.Context(), respond.Person{ID: "u-bob"}, true, "drill"); err != nil {
		t.Fatal(err)
	}
	if got := p.stream(""); !strings.HasPrefix(got, `{"new": [], "deleted": [{"duration":"0s"`) || !strings.Contains(got, `"192.0.2.4"`) {
		t.Errorf("stopped: %s", got)
	}
	if _, body, _ = p.ask("GET", "/v1/blocklist.txt", p.key); body != "" {
		t.Errorf("stopped: %s", body)
	}
	if _, err := p.desk.Stop(t.Context(), respond.Person{ID: "u-bob"}, false, ""); err != nil {
		t.Fatal(err)
	}
	if got := p.stream(""); !strings.HasPrefix(got, `{"new": [{"duration":"2h0m0s"`) {
		t.Errorf("resumed: %s", got)
	}
}

// TestUnmodifiedBouncer lets Debian's crowdsec-custom-bouncer obey: its hook is
// called for what is added and undone.
func TestUnmodifiedBouncer(t *testing.T) {
	program, err := exec.LookPath("crowdsec-custom-bouncer")
	if err != nil {
		t.Skip("crowdsec-custom-bouncer (Debian) is not installed")
	}
	p := newPost(t, true)
	one := p.add("shop", taxonomy.ActBlock, time.Hour, respond.Keys{IP: []string{"192.0.2.99"}})
	server := httptest.NewServer(p.server)
	defer server.Close()
	dir := t.TempDir()
	told := filepath.Join(dir, "told")
	hook := filepath.Join(dir, "hook")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\necho \"$1 $2 $3\" >> "+told+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "bin_path: %s\npiddir: %s\nupdate_frequency: 1s\ncache_retention_duration: 1s\ndaemonize: false\nlog_mode: stdout\nlog_dir: %s\nlog_level: info\napi_url: %s/\napi_key: %s\n", hook, dir, dir, server.URL, p.key), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-c", config)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	wait := func(line string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			b, _ := os.ReadFile(told)
			if slices.ContainsFunc(strings.Split(string(b), "\n"), func(s string) bool { return strings.HasPrefix(s, line) }) {
				return
			}
		}
		b, _ := os.ReadFile(told)
		t.Fatalf("the hook was not called for %q: %s", line, b)
	}
	wait("add 192.0.2.99 3")
	p.add("shop", taxonomy.ActBlock, time.Hour, respond.Keys{Prefix: []string{"203.0.113.0/24"}})
	wait("add 203.0.113.0/24 3")
	if _, err := p.desk.Undo(t.Context(), respond.Person{ID: "u-bob"}, one.ID, "wrong"); err != nil {
		t.Fatal(err)
	}
	wait("del 192.0.2.99")
}

func BenchmarkStream100k(b *testing.B) {
	var list []*respond.Decision
	for i := range 100_000 {
		ip := netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)})
		list = append(list, &respond.Decision{ID: fmt.Sprint("d-", i), Number: uint64(i + 1), Site: "shop", Action: taxonomy.ActBlock, Selector: respond.Selector{Keys: respond.Keys{IP: []string{ip.String()}}}, Expires: start.Add(time.Hour)})
	}
	s := &Server{cfg: Config{Desk: fixed(list), Now: func() time.Time { return start }, Client: func(*http.Request) netip.Addr { return netip.Addr{} }}, cursors: map[string]uint64{}}
	r := httptest.NewRequest("GET", "/v1/decisions/stream?startup=true", nil)
	for b.Loop() {
		w := discard{http.Header{}}
		s.stream(w, r, Key{ID: "k"})
	}
}

type fixed []*respond.Decision

func (f fixed) Changes(uint64) (uint64, []*respond.Decision, []*respond.Decision) { return 1, f, nil }

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return io.Discard.Write(b) }
func (d discard) WriteHeader(int)             {}
