package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipe is a connection that one reads lines of.
type pipe struct {
	head http.Header
	w    *io.PipeWriter
	code int
}

func (p *pipe) Header() http.Header         { return p.head }
func (p *pipe) WriteHeader(code int)        { p.code = code }
func (p *pipe) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p *pipe) Flush()                      {}

type listening struct {
	lines chan string
	stop  context.CancelFunc
	done  chan struct{}
}

func (g *guest) listen(path string) *listening {
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe()
	l := &listening{lines: make(chan string, 10_000), stop: stop, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		defer w.Close()
		g.h.api.ServeHTTP(&pipe{head: http.Header{}, w: w}, g.request("GET", path, nil).WithContext(ctx))
	}()
	go func() {
		defer close(l.lines)
		s := bufio.NewScanner(r)
		for s.Scan() {
			if s.Text() != "" {
				l.lines <- s.Text()
			}
		}
	}()
	return l
}

// next gives the lines up to one of data.
func (l *listening) next(t *testing.T) string {
	t.Helper()
	var all []string
	for {
		select {
		case line, ok := <-l.lines:
			if !ok {
				return "end " + strings.Join(all, "|")
			}
			all = append(all, line)
			if strings.HasPrefix(line, "data: ") || strings.HasPrefix(line, ":") {
				return strings.Join(all, "|")
			}
		case <-time.After(time.Minute):
			t.Fatalf("nothing comes; so far %v", all)
		}
	}
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, func(c *Config) { c.Now = time.Now })
		root := h.admin()
		(&guest{h: h}).must(401, "GET", "/api/v1/events", nil)
		if p := root.ask("GET", "/api/v1/events?topic=nonsense", nil).problem(t); p.Code != "invalid" {
			t.Errorf("%+v", p)
		}
		root.head = map[string]string{"Last-Event-ID": "nine"}
		if p := root.ask("GET", "/api/v1/events", nil).problem(t); p.Errors[0].Field != "Last-Event-ID" {
			t.Errorf("%+v", p)
		}
		root.head = nil
		all, some := root.listen("/api/v1/events"), root.listen("/api/v1/events?topic=attack&topic=policy")
		if got := all.next(t); got != "retry: 5000|id: 0|event: hello|data: {}" {
			t.Fatal(got)
		}
		some.next(t)
		h.api.Changed([]record.Record{{Kind: record.Defect, ID: "d1", Site: "s"}, {Kind: record.Attack, ID: "a1", Site: "<\n"}, {Kind: record.User, ID: "u"}})
		if got := all.next(t); got != `id: 1|event: defect|data: {"id":"d1","site":"s"}` {
			t.Error(got)
		}
		if got := all.next(t); got != `id: 2|event: attack|data: {"id":"a1","site":"\u003c\n"}` {
			t.Error(got)
		}
		if got := some.next(t); !strings.HasPrefix(got, "id: 2|event: attack|") {
			t.Error(got)
		}
		root.must(201, "POST", "/api/v1/policy/public", `{"template":"/a","reason":"r"}`)
		if got := some.next(t); !strings.HasPrefix(got, "id: 3|event: policy|") {
			t.Error(got)
		}
		if got := some.next(t); got != ": beat" { // 15 s of the fake clock
			t.Error(got)
		}
		// One who comes back hears what was missed.
		some.stop()
		<-some.done
		h.api.StatusChanged()
		h.api.Changed([]record.Record{{Kind: record.API, ID: "x"}})
		back := *root
		back.head = map[string]string{"Last-Event-ID": "3"}
		again := back.listen("/api/v1/events")
		if got := again.next(t); got != "retry: 5000|id: 3|event: hello|data: {}" {
			t.Error(got)
		}
		if got := again.next(t) + again.next(t); got != `id: 4|event: status|data: {}id: 5|event: api|data: {"id":"x"}` {
			t.Error(got)
		}
		again.stop()
		<-again.done
		for _, id := range []string{"99", "0"} {
			for range maxPast + 10 {
				h.api.StatusChanged()
			}
			back.head = map[string]string{"Last-Event-ID": id}
			gone := back.listen("/api/v1/events")
			if got := gone.next(t); !strings.Contains(got, "event: reset") {
				t.Errorf("from %s: %s", id, got)
			}
			gone.stop()
			<-gone.done
		}
		// The stream ends with the session.
		root.must(204, "DELETE", "/api/v1/session", nil)
		<-all.done
		if n := len(h.api.hub.listeners); n != 0 {
			t.Errorf("%d listeners are left", n)
		}
	})
}

func TestStreamsEndWithTheRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, func(c *Config) { c.Now = time.Now })
		root := h.admin()
		g := h.user(root, v1.RoleViewer)
		var made v1.TokenOnce
		g.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "a", "role": "viewer", "days": 1}).into(t, &made)
		bot := &guest{h: h, token: made.Token}
		idle, byToken := g.listen("/api/v1/events"), bot.listen("/api/v1/events")
		begun := time.Now()
		<-idle.done
		if d := time.Since(begun); d < time.Hour || d > time.Hour+2*heartbeat {
			t.Errorf("listening keeps a session for %v", d)
		}
		h.login("root").must(204, "DELETE", "/api/v1/tokens/"+made.Info.Id, nil)
		begun = time.Now()
		<-byToken.done
		if d := time.Since(begun); d > heartbeat {
			t.Errorf("a token that ended listens for %v", d)
		}
	})
}

// TestSlowListener reads nothing while much happens: memory is bounded, others
// are not kept up, and it is told how much it missed.
func TestSlowListener(t *testing.T) {
	h := newHub()
	slow, _, _, err := h.join(nil, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxWaiting + 44 {
		h.publish(Event{Topic: "api", ID: fmt.Sprint(i)})
	}
	if list, lost := h.take(slow); len(list) != maxWaiting || lost != 44 || list[0].ID != "0" || h.figures()["dropped"] != 44 {
		t.Errorf("%d events wait, %d are lost", len(list), lost)
	}
	h.publish(Event{Topic: "api"})
	if list, lost := h.take(slow); len(list) != 1 || lost != 0 {
		t.Errorf("%d, %d", len(list), lost)
	}
	for range maxListeners - 1 {
		if _, _, _, err := h.join(nil, 0, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, err := h.join(nil, 0, false); err == nil {
		t.Error("there are more listeners than the cap")
	}
	h.leave(slow)
	if _, _, _, err := h.join(nil, 0, false); err != nil {
		t.Error(err)
	}
}

// TestOverTheWire asks a server on loopback, where heads, flushing and ends of
// connections are real.
func TestOverTheWire(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Plain = true })
	s := httptest.NewUnstartedServer(nil)
	s.Config = Server(h.api, nil)
	s.Config.ReadTimeout = 200 * time.Millisecond
	s.Start()
	defer s.Close()
	client := s.Client()
	post := func(path, body string) *http.Response {
		t.Helper()
		res, err := client.Post(s.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	res := post("/api/v1/setup", `{"token":"`+h.api.SetupToken()+`","name":"root","password":"`+goodPassword+`"}`)
	res.Body.Close()
	if res.StatusCode != 201 || len(res.Cookies()) != 1 || res.Cookies()[0].Name != plainCookie {
		t.Fatalf("%d %v", res.StatusCode, res.Cookies())
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(res.Cookies()[0])
	stream, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewReader(stream.Body)
	read := func(want string) {
		t.Helper()
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatalf("before %q: %v", want, err)
			}
			if strings.HasPrefix(line, want) {
				return
			}
		}
	}
	read("event: hello")
	time.Sleep(2 * s.Config.ReadTimeout) // the time for reading the request is no end of the stream
	h.api.StatusChanged()
	read("event: status")
	if ct := stream.Header.Get("Content-Type"); stream.StatusCode != 200 || ct != "text/event-stream" {
		t.Errorf("%d %s", stream.StatusCode, ct)
	}
	big := post("/api/v1/session", `{"name":"`+strings.Repeat("x", maxBody)+`"}`)
	big.Body.Close()
	if big.StatusCode != 413 {
		t.Errorf("%d", big.StatusCode)
	}
}
