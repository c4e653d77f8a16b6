package collector

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/sensor"
	"xiezhi/internal/taxonomy"
)

// zeros is randomness that is the same in every test.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// taken is a sink that remembers.
type taken struct {
	mu    sync.Mutex
	lines []string
	hold  chan struct{} // if any, Accept waits until it is closed
	fail  error
}

func (k *taken) Accept(x *exchange.Exchange) error {
	if k.hold != nil {
		<-k.hold
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return k.fail
	}
	k.lines = append(k.lines, fmt.Sprintf("%s %s/%s %s %s%s %d %s|%s", x.ID, x.Sensor, x.Site, x.Method, x.Host, x.Target, x.Status, x.Request.Body, x.Response.Body))
	return nil
}

func (k *taken) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.lines...)
}

// stage is a running collector.
type stage struct {
	t      *testing.T
	s      *Source
	sink   *taken
	ledger source.Ledger
	addr   string
	end    context.CancelFunc
	ended  chan error
	client http.Client
}

func start(t *testing.T, sink *taken, change func(c *Config)) *stage {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Listener: l, Limits: DefaultLimits(), Random: zeros{}, Now: time.Now}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	st := &stage{t: t, s: s, sink: sink, addr: l.Addr().String(), end: cancel, ended: make(chan error, 1)}
	st.client.Transport = &http.Transport{}
	go func() { st.ended <- s.Run(ctx, sink, &st.ledger) }()
	t.Cleanup(func() {
		st.client.CloseIdleConnections()
		cancel()
		if sink.hold != nil {
			select {
			case <-sink.hold:
			default:
				close(sink.hold)
			}
		}
		select {
		case err := <-st.ended:
			t.Logf("Run ended: %v", err)
		case <-time.After(20 * time.Second):
			t.Error("Run does not end")
		}
	})
	return st
}

// stop ends the collector and gives Run's error.
func (s *stage) stop() error {
	s.end()
	err := <-s.ended
	s.ended <- err
	return err
}

// post sends a body; header pairs follow.
func (s *stage) post(path string, body []byte, header ...string) (int, string, http.Header) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+s.addr+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text)), resp.Header
}

// line is one HAR line.
func line(id, path string) string {
	if id != "" {
		id = `"_id":"` + id + `",`
	}
	return `{` + id + `"startedDateTime":"2026-03-01T08:00:00Z","time":5,"request":{"method":"POST","url":"http://a.example` + path +
		`","headers":[{"name":"Host","value":"a.example"}],"bodySize":2,"postData":{"mimeType":"application/json","text":"{}"}},"response":{"status":200,"headers":[],"content":{"size":3,"text":"[1]"}}}` + "\n"
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	return z.EncodeAll(b, nil)
}

func tokens(t testing.TB) *sensor.Tokens {
	t.Helper()
	k, err := sensor.ParseTokens("tokens", []byte("one secret-token-000001\ntwo secret-token-000002 site=shop\nslow secret-token-000003 rate=10\n"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestHARLines(t *testing.T) {
	s := start(t, &taken{}, func(c *Config) { c.Tokens = tokens(t) })
	one, two := []string{"Authorization", "Bearer secret-token-000001"}, []string{"Authorization", "Bearer secret-token-000002"}
	check := func(status int, text string, wantStatus int, want string) {
		t.Helper()
		if status != wantStatus || text != want {
			t.Errorf("%d %s, want %d %s", status, text, wantStatus, want)
		}
	}
	body := []byte(line("a", "/1") + "\r\n\n" + line("b", "/2") + "{\"secret\":1}\n" + strings.TrimSuffix(line("c", "/3"), "\n"))
	const rejected = `[{"line":5,"error":"startedDateTime: missing at byte 0"}]`
	status, text, _ := s.post("/v1/harl", body, one...)
	check(status, text, 200, `{"accepted":3,"duplicates":0,"rejected":`+rejected+`}`)
	status, text, _ = s.post("/v1/harl", gzipped(t, body), append(one, "Content-Encoding", "gzip")...)
	check(status, text, 200, `{"accepted":0,"duplicates":3,"rejected":`+rejected+`}`)
	status, text, _ = s.post("/v1/harl", zstandard(t, []byte(line("a", "/1")+line("a", "/1")+line("d", "/4"))), append(two, "Content-Encoding", "zstd")...)
	check(status, text, 200, `{"accepted":2,"duplicates":1,"rejected":[]}`)
	status, text, _ = s.post("/v1/harl", nil, one...)
	check(status, text, 200, `{"accepted":0,"duplicates":0,"rejected":[]}`)
	// Without an id, equal lines are different exchanges.
	status, text, _ = s.post("/v1/harl", []byte(line("", "/5")+line("", "/5")), one...)
	check(status, text, 200, `{"accepted":2,"duplicates":0,"rejected":[]}`)
	status, text, _ = s.post("/v1/harl", []byte("nonsense\n"), one...)
	check(status, text, 400, `{"accepted":0,"duplicates":0,"rejected":[{"line":1,"error":"entry: object expected at byte 0"}]}`)

	entry := []byte(strings.TrimSpace(line("", "/5")))
	want := []string{
		"a one/ POST a.example/1 200 {}|[1]", "b one/ POST a.example/2 200 {}|[1]", "c one/ POST a.example/3 200 {}|[1]",
		"a two/shop POST a.example/1 200 {}|[1]", "d two/shop POST a.example/4 200 {}|[1]",
		exchange.HAREntryID(entry, 0).String() + " one/ POST a.example/5 200 {}|[1]", exchange.HAREntryID(entry, 1).String() + " one/ POST a.example/5 200 {}|[1]",
	}
	if got := s.sink.all(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if err := s.stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	totals := s.ledger.Totals()
	if totals.Accepted != 7 || totals.Dropped[taxonomy.DropCorrupt] != 3 {
		t.Errorf("%+v", totals)
	}
	if p := totals.Problems[0]; p.File != "collector:one" || p.Line != 5 {
		t.Errorf("%+v", p)
	}
	if st := s.s.Stats(); st.Accepted != 7 || st.Duplicates != 4 || st.Rejected != 3 || st.Requests != 6 {
		t.Errorf("%+v", st)
	}
}

// TestStatusCodes: everything that is wrong has its own answer, and none holds
// a byte of what was sent.
func TestStatusCodes(t *testing.T) {
	s := start(t, &taken{}, func(c *Config) {
		c.Tokens = tokens(t)
		c.Limits.Wire, c.Limits.Body, c.Limits.Entry, c.Limits.Entries = 4096, 16384, 1024, 8
	})
	const auth = "Bearer secret-token-000001"
	canary := strings.Repeat("CANARY", 400)
	for name, c := range map[string]struct {
		method, path string
		body         []byte
		header       []string
		status       int
		text         string
	}{
		"no token":           {"POST", "/v1/harl", nil, nil, 401, "Bearer"},
		"wrong token":        {"POST", "/v1/harl", nil, []string{"Authorization", "Bearer secret-CANARY-0001"}, 401, "Bearer"},
		"get":                {"GET", "/v1/harl", nil, []string{"Authorization", auth}, 405, "POST"},
		"put":                {"PUT", "/v1/apisix", nil, []string{"Authorization", auth}, 405, "POST"},
		"elsewhere":          {"POST", "/CANARY", nil, []string{"Authorization", auth}, 404, "/v1/harl"},
		"health by post":     {"POST", "/healthz", nil, nil, 405, "GET"},
		"health":             {"GET", "/healthz", nil, nil, 200, "ok"},
		"coding":             {"POST", "/v1/harl", nil, []string{"Authorization", auth, "Content-Encoding", "CANARY"}, 415, "gzip or zstd"},
		"multipart":          {"POST", "/v1/harl", nil, []string{"Authorization", auth, "Content-Type", "multipart/form-data; boundary=CANARY"}, 415, "multipart"},
		"browser":            {"POST", "/v1/harl", nil, []string{"Authorization", auth, "Origin", "https://CANARY.example"}, 403, "browser"},
		"damaged gzip":       {"POST", "/v1/harl", []byte("\x1f\x8bCANARY"), []string{"Authorization", auth, "Content-Encoding", "gzip"}, 400, "compressed"},
		"gzip cut":           {"POST", "/v1/harl", gzipped(t, []byte(line("x", "/")))[:60], []string{"Authorization", auth, "Content-Encoding", "gzip"}, 400, "compressed"},
		"gzip and more":      {"POST", "/v1/harl", append(gzipped(t, []byte(line("x", "/"))), "CANARY"...), []string{"Authorization", auth, "Content-Encoding", "gzip"}, 400, "compressed"},
		"damaged zstd":       {"POST", "/v1/harl", []byte("CANARY"), []string{"Authorization", auth, "Content-Encoding", "zstd"}, 400, "compressed"},
		"large":              {"POST", "/v1/harl", bytes.Repeat([]byte("CANARY"), 1000), []string{"Authorization", auth}, 413, "larger"},
		"large when open":    {"POST", "/v1/harl", gzipped(t, make([]byte, 20000)), []string{"Authorization", auth, "Content-Encoding", "gzip"}, 413, "larger"},
		"too many":           {"POST", "/v1/harl", gzipped(t, []byte(strings.Repeat(line("", "/"), 9))), []string{"Authorization", auth, "Content-Encoding", "gzip"}, 413, "more entries"},
		"an entry too large": {"POST", "/v1/harl", []byte(canary), []string{"Authorization", auth}, 400, `{"line":1,"error":"the entry is larger than the limit"}`},
		"nonsense":           {"POST", "/v1/harl", []byte(`{"startedDateTime":"CANARY","CANARY":"CANARY"}`), []string{"Authorization", auth}, 400, `{"line":1,"error":"startedDateTime`},
		"apisix nonsense":    {"POST", "/v1/apisix", []byte(`[{"CANARY":"CANARY"},CANARY]`), []string{"Authorization", auth}, 400, `{"line":2,"error":"the array is broken`},
	} {
		r, err := http.NewRequest(c.method, "http://"+s.addr+c.path, bytes.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(c.header); i += 2 {
			r.Header.Set(c.header[i], c.header[i+1])
		}
		resp, err := s.client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.status || !strings.Contains(string(text), c.text) || strings.Contains(string(text), "CANARY") {
			t.Errorf("%s: %d %s %v, want %d …%s…", name, resp.StatusCode, text, err, c.status, c.text)
		}
	}
	if got := s.sink.all(); len(got) > 0 {
		t.Errorf("taken: %q", got)
	}
	for _, p := range s.ledger.Totals().Problems {
		if strings.Contains(fmt.Sprint(p), "CANARY") {
			t.Errorf("the problem holds input: %+v", p)
		}
	}
}

func TestRejectedLinesAreBounded(t *testing.T) {
	s := start(t, &taken{}, nil)
	status, text, _ := s.post("/v1/harl", []byte(strings.Repeat("x\n", 5000)+line("a", "/")))
	var a Answer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	if status != 200 || a.Accepted != 1 || len(a.Rejected) != maxRejects || a.More != 5000-maxRejects {
		t.Errorf("%d: %d accepted, %d and %d rejected", status, a.Accepted, len(a.Rejected), a.More)
	}
	if err := s.stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := s.ledger.Totals().Dropped[taxonomy.DropCorrupt]; n != 5000 {
		t.Errorf("%d dropped", n)
	}
}

// TestAnswersAfterTheSink: no answer before the sink took everything; when the
// queue is full others are told to come again, and nothing they sent is taken.
func TestAnswersAfterTheSink(t *testing.T) {
	sink := &taken{hold: make(chan struct{})}
	s := start(t, sink, func(c *Config) { c.Limits.Queue = 2 })
	type reply struct {
		status int
		text   string
	}
	replies := make(chan reply, 3)
	for i := range 3 { // one in the sink's hands, two in the queue
		go func() {
			status, text, _ := s.post("/v1/harl", []byte(line(fmt.Sprint(i), "/")))
			replies <- reply{status, text}
		}()
		for range 500 {
			if len(s.s.queue) == max(i, 0) {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
	status, _, header := s.post("/v1/harl", []byte(line("late", "/")))
	if status != 429 || header.Get("Retry-After") != "1" {
		t.Errorf("full: %d, Retry-After %q", status, header.Get("Retry-After"))
	}
	select {
	case r := <-replies:
		t.Errorf("answered before the sink took it: %+v", r)
	default:
	}
	close(sink.hold)
	for range 3 {
		if r := <-replies; r.status != 200 || !strings.Contains(r.text, `"accepted":1`) {
			t.Errorf("%+v", r)
		}
	}
	if got := s.sink.all(); len(got) != 3 {
		t.Errorf("taken: %q", got)
	}
}

// TestSensorsHaveShares: one sensor's requests do not keep another out.
func TestSensorsHaveShares(t *testing.T) {
	sink := &taken{hold: make(chan struct{})}
	s := start(t, sink, func(c *Config) { c.Tokens, c.Limits.Sensor = tokens(t), 2 })
	done := make(chan int, 3)
	send := func(token string, id string) {
		status, _, _ := s.post("/v1/harl", []byte(line(id, "/")), "Authorization", "Bearer "+token)
		done <- status
	}
	go send("secret-token-000001", "a")
	go send("secret-token-000001", "b")
	for range 500 {
		s.s.shares.mu.Lock()
		own := s.s.shares.of["one"]
		full := own != nil && own.requests == 2
		s.s.shares.mu.Unlock()
		if full {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	if status, _, h := s.post("/v1/harl", []byte(line("c", "/")), "Authorization", "Bearer secret-token-000001"); status != 429 || h.Get("Retry-After") == "" {
		t.Errorf("the third of one sensor: %d", status)
	}
	go send("secret-token-000002", "d")
	close(sink.hold)
	for range 3 {
		if status := <-done; status != 200 {
			t.Error(status)
		}
	}
}

func TestRate(t *testing.T) {
	now := time.Unix(1700000000, 0)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s := start(t, &taken{}, func(c *Config) { c.Tokens, c.Now = tokens(t), clock })
	send := func(n int) (int, string) {
		status, _, h := s.post("/v1/harl", []byte(strings.Repeat(line("", "/"), n)), "Authorization", "Bearer secret-token-000003")
		return status, h.Get("Retry-After")
	}
	if status, _ := send(35); status != 200 { // a second's worth is there, the rest is a debt
		t.Error(status)
	}
	if status, wait := send(1); status != 429 || wait != "4" {
		t.Errorf("%d, Retry-After %s", status, wait)
	}
	mu.Lock()
	now = now.Add(3 * time.Second)
	mu.Unlock()
	if status, _ := send(1); status != 200 {
		t.Errorf("after the wait: %d", status)
	}
}

func TestSinkErrorIsFinal(t *testing.T) {
	broken := errors.New("broken")
	s := start(t, &taken{fail: broken}, nil)
	status, text, h := s.post("/v1/harl", []byte(line("a", "/")))
	if status != 503 || h.Get("Retry-After") == "" || strings.Contains(text, "broken") {
		t.Errorf("%d %s", status, text)
	}
	if err := <-s.ended; !errors.Is(err, broken) {
		t.Error(err)
	}
	s.ended <- nil
}

// flushing counts how often the sink was asked to make safe what it holds.
type flushing struct {
	taken
	flushed int
}

func (f *flushing) Flush() error { f.flushed++; return nil }

func TestFlushesBeforeItAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Listener: l, Random: zeros{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended, sink := make(chan error, 1), &flushing{}
	var ledger source.Ledger
	go func() { ended <- s.Run(ctx, sink, &ledger) }()
	resp, err := http.Post("http://"+l.Addr().String()+"/v1/harl", "", strings.NewReader(line("a", "/")))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if resp.StatusCode != 200 || sink.flushed != 1 {
		t.Errorf("%d, flushed %d times", resp.StatusCode, sink.flushed)
	}
}

// TestDrain: at the end, requests that have begun are finished.
func TestDrain(t *testing.T) {
	s := start(t, &taken{}, nil)
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	body := line("a", "/")
	fmt.Fprintf(conn, "POST /v1/harl HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:50])
	for range 500 { // until the handler reads the body
		s.s.shares.mu.Lock()
		own := s.s.shares.of["local"]
		in := own != nil && own.requests == 1
		s.s.shares.mu.Unlock()
		if in {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	s.end()
	time.Sleep(20 * time.Millisecond)
	if _, err := io.WriteString(conn, body[50:]); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") || !strings.Contains(string(answer), `"accepted":1`) {
		t.Errorf("%s %v", answer, err)
	}
	if err := <-s.ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.ended <- nil
	if len(s.sink.all()) != 1 {
		t.Error(s.sink.all())
	}
	if c, err := net.Dial("tcp", s.addr); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
}

// TestLostByTheSensor: what a sensor threw away is counted once, however often
// it says so.
func TestLostByTheSensor(t *testing.T) {
	s := start(t, &taken{}, nil)
	for _, h := range [][2]string{{"w1", "3"}, {"w1", "3"}, {"w2", "1"}, {"w1", "10"}, {"w1", "4"}, {"w1", "-1"}, {"", "7"}, {strings.Repeat("w", 65), "7"}} {
		if status, text, _ := s.post("/v1/harl", nil, "Xiezhi-Instance", h[0], "Xiezhi-Dropped", h[1]); status != 200 {
			t.Errorf("%d %s", status, text)
		}
	}
	if err := s.stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := s.ledger.Totals().Dropped[taxonomy.DropOverload]; n != 11 {
		t.Errorf("%d dropped, want 11", n)
	}
	var c lostCounts
	for i := range 3 * maxInstances {
		c.since("s", lost{fmt.Sprint(i), 1})
	}
	if n := len(c.young) + len(c.old); n > maxInstances {
		t.Errorf("%d instances are remembered", n)
	}
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r, err := newRecent(zeros{}, 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	id := func(i int) []byte { return fmt.Appendf(nil, "id-%d", i) }
	const n = 5 << 11
	for i := range n {
		if !r.add("s", id(i)) {
			t.Fatalf("id %d is no duplicate", i)
		}
	}
	recent := 0
	for i := n - 1; i >= n-1000; i-- {
		if !r.add("s", id(i)) {
			recent++
		}
	}
	if recent < 990 {
		t.Errorf("%d of the last 1 000 ids are remembered", recent)
	}
	if !r.add("t", id(n-1)) {
		t.Error("another sensor's id counts as a duplicate")
	}
}
