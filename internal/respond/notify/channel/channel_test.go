package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/respond/outbox"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// TestSignatures: DingTalk's and Feishu's values were computed with openssl
// (dgst -sha256, the key as -hmac and as -macopt hexkey): no published vectors
// of these robots were found. That of Standard Webhooks is the published one.
func TestSignatures(t *testing.T) {
	if got := DingTalkSign("1577262236757", "SEC0123456789abcdef"); got != "Pgr6tpIpjVrMPPJUPkaI9sivFPPTYOy5zIOMF2GPFMA=" {
		t.Errorf("DingTalk: %s", got)
	}
	if got := FeishuSign("1599360473", "demo-secret"); got != "3/MaVZ8JLIy4TUG+7KSFJqvUkTKd+HWY8g+56DZWq8s=" {
		t.Errorf("Feishu: %s", got)
	}
	if DingTalkSign("1", "s") == FeishuSign("1", "s") {
		t.Error("the one is the inverse of the other, and not the same")
	}
	key, err := keyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1614265330, 0)
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	body := []byte(`{"test": 2432232314}`)
	if got := Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body, key); got != want {
		t.Errorf("Standard Webhooks: %s", got)
	}
	if got := Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body, []byte("another secret 16"), key); !strings.HasSuffix(got, " "+want) {
		t.Errorf("two secrets give %s", got)
	}
}

// place records what it is sent and answers as it is told.
type place struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []*http.Request
	bodies []string
	answer func(w http.ResponseWriter, r *http.Request)
}

func newPlace(t *testing.T) *place {
	p := &place{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.asked, p.bodies = append(p.asked, r), append(p.bodies, string(b))
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *place) host() string { return p.Listener.Addr().String() }

// good is what each type answers when it took something.
var good = map[string]string{Webhook: "thanks", DingTalk: `{"errcode":0,"errmsg":"ok"}`, Feishu: `{"code":0,"msg":"success","data":{}}`, WeCom: `{"errcode":0,"errmsg":"ok"}`, Slack: "ok", Teams: ""}

func says(status int, body string, head ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(head); i += 2 {
			w.Header().Set(head[i], head[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func tools(t testing.TB, allow ...string) Tools {
	t.Helper()
	g, err := outbound.New(outbound.Config{Allow: allow, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return Tools{Guard: g, Now: func() time.Time { return noon }, Getenv: func(k string) string { return map[string]string{"SECRET": "a secret of 20 bytes"}[k] }, Read: os.ReadFile}
}

func open(t testing.TB, p *place, c Config) Channel {
	t.Helper()
	if c.URL == "" {
		c.URL = p.URL + "/hook?key=URL-KEY"
	}
	ch, err := c.Open(tools(t, p.host()))
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func sample() *Message {
	return &Message{ID: "msg_1", At: noon, Kind: "campaign.new", Severity: "critical", Lang: "en", Brand: "Xiezhi", Title: "Gang attack found: G-3F2A", Reason: "One gang attacked shop.",
		Facts: []Fact{{"When", "now"}}, Link: "https://xiezhi.example.com/attacks/campaigns/c1", LinkText: "Open in the console"}
}

// TestFaults holds every channel against a receiver with faults.
func TestFaults(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inner server was asked") }))
	t.Cleanup(inside.Close)
	for _, typ := range Types {
		if typ == Email {
			continue // TestEmail
		}
		t.Run(typ, func(t *testing.T) {
			p := newPlace(t)
			ch := open(t, p, Config{Type: typ})
			send := func(answer func(http.ResponseWriter, *http.Request)) *outbox.Failure {
				p.mu.Lock()
				p.answer = answer
				p.mu.Unlock()
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				err := ch.Send(ctx, sample())
				var f *outbox.Failure
				if err == nil {
					return nil
				}
				if !errors.As(err, &f) {
					t.Fatalf("%T: %v", err, err)
				}
				if strings.Contains(f.Why, "URL-KEY") || strings.Contains(f.Why, "/hook") {
					t.Errorf("the URL is in %q", f.Why)
				}
				return f
			}
			if f := send(says(200, good[typ])); f != nil {
				t.Fatalf("what was taken gives %v", f)
			}
			if f := send(says(500, "")); f == nil || f.Final {
				t.Errorf("500 gives %+v", f)
			}
			if f := send(says(429, "", "Retry-After", "17")); f == nil || f.Final || f.After != 17*time.Second {
				t.Errorf("429 gives %+v", f)
			}
			if f := send(says(503, "", "Retry-After", noon.Add(time.Minute).Format(http.TimeFormat))); f == nil || f.After != time.Minute {
				t.Errorf("503 with a date gives %+v", f)
			}
			if f := send(says(400, "")); f == nil || !f.Final {
				t.Errorf("400 gives %+v", f)
			}
			for _, status := range []int{301, 302, 307, 308} {
				if f := send(says(status, "", "Location", inside.URL)); f == nil || !f.Final || !strings.Contains(f.Why, "redirects") {
					t.Errorf("%d to an inner address gives %+v", status, f)
				}
			}
			if f := send(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }); f == nil || f.Final || !strings.Contains(f.Why, "no answer in time") {
				t.Errorf("a time-out gives %+v", f)
			}
			if f := send(func(w http.ResponseWriter, _ *http.Request) {
				c, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_ = c.(*net.TCPConn).SetLinger(0)
					_ = c.Close()
				}
			}); f == nil || f.Final {
				t.Errorf("a reset connection gives %+v", f)
			}
			if typ == Webhook || typ == Teams {
				return // which answer what they like
			}
			if f := send(says(200, "<html>sign in to the wireless network</html>")); f == nil || f.Final {
				t.Errorf("a page of something in between gives %+v", f)
			}
		})
	}
}

// TestRobotsThatRefuse: robots say in a body of status 200 that they did not take it.
func TestRobotsThatRefuse(t *testing.T) {
	for _, c := range []struct {
		typ, body string
		final     bool
	}{
		{DingTalk, `{"errcode":310000,"errmsg":"sign not match"}`, true}, {DingTalk, `{"errcode":130101,"errmsg":"send too fast"}`, false},
		{Feishu, `{"code":19021,"msg":"sign match fail"}`, true}, {Feishu, `{"code":11232,"msg":"frequency limited"}`, false},
		{WeCom, `{"errcode":93000,"errmsg":"invalid webhook url"}`, true}, {WeCom, `{"errcode":45009,"errmsg":"api freq out of limit"}`, false},
		{Slack, "no_service", false},
	} {
		p := newPlace(t)
		p.answer = says(200, c.body)
		var f *outbox.Failure
		if err := open(t, p, Config{Type: c.typ}).Send(t.Context(), sample()); !errors.As(err, &f) || f.Final != c.final {
			t.Errorf("%s: %s gives %+v", c.typ, c.body, err)
		} else if !c.final && c.typ != Slack && f.After != time.Minute {
			t.Errorf("%s waits %v", c.typ, f.After)
		}
	}
}

func TestWhereSignaturesAre(t *testing.T) {
	p := newPlace(t)
	p.answer = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/f":
			_, _ = io.WriteString(w, good[Feishu])
		default:
			_, _ = io.WriteString(w, good[DingTalk])
		}
	}
	for typ, path := range map[string]string{DingTalk: "/d?access_token=x", Feishu: "/f", Webhook: "/w"} {
		if err := open(t, p, Config{Type: typ, URL: p.URL + path, SecretEnv: "SECRET"}).Send(t.Context(), sample()); err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
	}
	for i, r := range p.asked {
		switch r.URL.Path {
		case "/d":
			ms := fmt.Sprint(noon.UnixMilli())
			if q := r.URL.Query(); q.Get("timestamp") != ms || q.Get("sign") != DingTalkSign(ms, "a secret of 20 bytes") || q.Get("access_token") != "x" {
				t.Errorf("DingTalk: %s", r.URL.RawQuery)
			}
		case "/f":
			var x struct{ Timestamp, Sign string }
			if err := json.Unmarshal([]byte(p.bodies[i]), &x); err != nil || x.Timestamp != fmt.Sprint(noon.Unix()) || x.Sign != FeishuSign(x.Timestamp, "a secret of 20 bytes") {
				t.Errorf("Feishu: %s", p.bodies[i])
			}
		case "/w":
			if h := r.Header; h.Get("Webhook-Id") != "msg_1" || h.Get("Idempotency-Key") != "msg_1" || h.Get("Webhook-Timestamp") != fmt.Sprint(noon.Unix()) ||
				h.Get("Webhook-Signature") != Sign("msg_1", noon, []byte(p.bodies[i]), []byte("a secret of 20 bytes")) {
				t.Errorf("webhook: %v", h)
			}
		}
	}
	if len(p.asked) != 3 {
		t.Errorf("%d were sent", len(p.asked))
	}
}

// hostile are strings that an attacker would like somebody to read.
var hostile = []string{"@all", "<!channel>", "<at user_id=\"all\">everyone</at>", "<@everyone>", "[click](http://evil.example)", "**bold** _x_ `code`", "\r\nBcc: victim@example.com", "\u202egnp.exe", "\x1b[31m",
	"{{.Title}}", "\"},\"msgtype\":\"x\",{\"", "</script><script>alert(1)</script>", "# heading\n> quote", strings.Repeat("长", 9000), "a\xff\xfeb", "http://evil.example/login", "| a | b |"}

// markup is what would mean something in the fields that a channel renders. The
// others are plain text there (TestNobodyIsCalled).
var markup = map[string][]string{Teams: {"[click](", "<at ", "**bold**", "<script"}, WeCom + "+": {"[click](", "<@everyone>", "**bold**", "`code`"}}

// TestHostile: whatever strangers wrote is text in every channel.
func TestHostile(t *testing.T) {
	for _, typ := range Types {
		if typ == Email {
			continue
		}
		for _, markdown := range []bool{false, true} {
			if markdown && typ != WeCom {
				continue
			}
			p := newPlace(t)
			p.answer = says(200, good[typ])
			ch := open(t, p, Config{Type: typ, Markdown: markdown})
			for _, s := range hostile {
				m := sample()
				in := Inert(s)
				m.Title, m.Reason, m.Facts, m.Lines = in, in, []Fact{{"API", in}}, []Line{{in, ""}}
				if err := ch.Send(t.Context(), m); err != nil {
					t.Fatalf("%s: %.40q: %v", typ, s, err)
				}
				body := p.bodies[len(p.bodies)-1]
				if !utf8.ValidString(body) || !json.Valid([]byte(body)) {
					t.Errorf("%s: %.40q gives no JSON", typ, s)
				}
				var texts []string
				gather(t, body, &texts)
				whole := strings.Join(texts, "\n")
				if typ == Webhook {
					if strings.Contains(whole, "http://evil") {
						t.Errorf("webhook: a link is left")
					}
					continue // a program reads it
				}
				for _, bad := range append([]string{"@all", "http://evil", "\u202e", "\x1b", "\r"}, markup[typ+map[bool]string{true: "+"}[markdown]]...) {
					if strings.Contains(whole, bad) {
						t.Errorf("%s: %q is left in %.200q", typ, bad, whole)
					}
				}
				if limit := map[string]int{WeCom: MaxWeComText}[typ]; limit > 0 && !markdown {
					var x struct{ Text struct{ Content string } }
					if err := json.Unmarshal([]byte(body), &x); err != nil || len(x.Text.Content) > limit || !strings.HasSuffix(x.Text.Content, sample().Link) {
						t.Errorf("%s: %d bytes, or the link is cut", typ, len(x.Text.Content))
					}
				}
				if markdown {
					var x struct{ Markdown struct{ Content string } }
					if err := json.Unmarshal([]byte(body), &x); err != nil || len(x.Markdown.Content) > MaxWeComMarkdown || !strings.HasSuffix(x.Markdown.Content, ")") {
						t.Errorf("%s: %d bytes, or the link is cut", typ, len(x.Markdown.Content))
					}
				}
			}
		}
	}
}

// gather finds all strings of a JSON document.
func gather(t *testing.T, body string, out *[]string) {
	var x any
	if err := json.Unmarshal([]byte(body), &x); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(x any) {
		switch x := x.(type) {
		case string:
			*out = append(*out, x)
		case []any:
			for _, y := range x {
				walk(y)
			}
		case map[string]any:
			for _, y := range x {
				walk(y)
			}
		}
	}
	walk(x)
}

// TestNobodyIsCalled: texts that look like calls are in the fields that hold
// plain text, and the fields that call people are empty.
func TestNobodyIsCalled(t *testing.T) {
	for typ, want := range map[string][]string{
		DingTalk: {`"msgtype":"text"`, `"isAtAll":false`, `"atMobiles":[]`}, Feishu: {`"tag":"plain_text"`}, WeCom: {`"msgtype":"text"`}, Slack: {`"type":"plain_text"`, `"mrkdwn":false`, `"link_names":false`, `"parse":"none"`},
	} {
		p := newPlace(t)
		p.answer = says(200, good[typ])
		m := sample()
		m.Title = "<!channel> @all"
		if err := open(t, p, Config{Type: typ}).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(p.bodies[0], w) {
				t.Errorf("%s: %s is not in %s", typ, w, p.bodies[0])
			}
		}
		for _, bad := range []string{"lark_md", `"mrkdwn":true`, `"mrkdwn"}`, "mentioned_list", "<!channel>\"}],\"text\""} {
			if strings.Contains(p.bodies[0], bad) {
				t.Errorf("%s: %s is in %s", typ, bad, p.bodies[0])
			}
		}
		if typ == Slack && !strings.Contains(p.bodies[0], `"text":"[Xiezhi] \u0026lt;!channel\u0026gt;`) {
			t.Errorf("Slack's notification calls: %s", p.bodies[0])
		}
	}
}

// TestInnerAddresses: no URL of a setting leads inside unless it is allowed.
func TestInnerAddresses(t *testing.T) {
	for _, typ := range Types {
		if typ == Email {
			continue
		}
		for _, u := range []string{"http://127.0.0.1/x", "https://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest/meta-data", "http://2130706433/", "http://0x7f.1/", "http://[::ffff:10.0.0.1]/", "file:///etc/passwd", "ftp://example.com/", "http://a:b@example.com/"} {
			c := Config{Type: typ, URL: u}
			if _, err := c.Open(tools(t)); !errors.Is(err, outbound.ErrInner) && !errors.Is(err, outbound.ErrURL) {
				t.Errorf("%s: %s gives %v", typ, u, err)
			}
		}
	}
	g, err := outbound.New(outbound.Config{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("10.9.8.7")}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{Type: Webhook, URL: "https://rebind.example/x?key=URL-KEY"}, {Type: Email, Server: "rebind.example:25", TLS: NoTLS, From: "a@example.com", To: []string{"b@example.com"}}} {
		ch, err := c.Open(Tools{Guard: g, Now: func() time.Time { return noon }, Read: os.ReadFile})
		if err != nil {
			t.Fatal(err)
		}
		var f *outbox.Failure
		if err := ch.Send(t.Context(), sample()); !errors.As(err, &f) || !f.Final || !strings.Contains(f.Why, "inner address") || strings.Contains(f.Why, "URL-KEY") {
			t.Errorf("%s: a name that leads inside gives %v", c.Type, err)
		}
	}
	if _, err := (&Config{Type: Email, Server: "127.0.0.1:25", TLS: NoTLS, From: "a@example.com", To: []string{"b@example.com"}}).Open(tools(t)); !errors.Is(err, outbound.ErrInner) {
		t.Errorf("a mail server inside gives %v", err)
	}
}

func TestCheck(t *testing.T) {
	for want, c := range map[string]Config{
		"is none of webhook":      {Type: "pager"},
		"neither zh nor en":       {Type: Slack, Lang: "fr"},
		"url: is missing":         {Type: Slack},
		"in one way only":         {Type: Slack, URL: "https://x.example", URLEnv: "X"},
		"secret: not for":         {Type: Slack, URL: "https://x.example", SecretEnv: "X"},
		"markdown: not for":       {Type: Slack, URL: "https://x.example", Markdown: true},
		"template: not for":       {Type: Slack, URL: "https://x.example", Template: "x"},
		"is not yours to set":     {Type: Webhook, URL: "https://x.example", Headers: []Header{{Name: "webhook-id", Value: "x"}}},
		"no header has this":      {Type: Webhook, URL: "https://x.example", Headers: []Header{{Name: "X\r\nY", Value: "x"}}},
		"gives no JSON":           {Type: Webhook, URL: "https://x.example", Template: `{"t": "{{.Title}}"}`},
		"only .Facts and .Lines":  {Type: Webhook, URL: "https://x.example", Template: `{{range 1000000000}}{{end}}1`},
		"at most 2 deep":          {Type: Webhook, URL: "https://x.example", Template: `{{range .Facts}}{{range $.Facts}}{{range $.Lines}}{{end}}{{end}}{{end}}1`},
		"define and block":        {Type: Webhook, URL: "https://x.example", Template: `{{define "a"}}{{template "a"}}{{end}}1`},
		"template is not for":     {Type: Webhook, URL: "https://x.example", Template: `{{template "body"}}1`},
		"can't evaluate field No": {Type: Webhook, URL: "https://x.example", Template: `{{.No}}`},
		"a password is not sent":  {Type: Email, Server: "m.example:25", TLS: NoTLS, User: "u", SecretEnv: "X", From: "a@x.example", To: []string{"b@x.example"}},
		"no HOST:PORT":            {Type: Email, Server: "m.example", From: "a@x.example", To: []string{"b@x.example"}},
		"to[0]":                   {Type: Email, Server: "m.example:25", From: "a@x.example", To: []string{"b@x.example\r\nBcc: c@x.example"}},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v, want %q", c, err, want)
		}
	}
	for _, s := range []string{"short", "whsec_%%%"} {
		tl := tools(t)
		tl.Getenv = func(string) string { return s }
		if _, err := (&Config{Type: Webhook, URL: "https://x.example", SecretEnv: "X"}).Open(tl); err == nil || strings.Contains(err.Error(), s) {
			t.Errorf("the secret %q gives %v", s, err)
		}
	}
}

func TestTemplateAndHeaders(t *testing.T) {
	p := newPlace(t)
	p.answer = says(204, "")
	ch := open(t, p, Config{Type: Webhook, Template: `{"text":{{json .Title}},"facts":[{{range $i, $f := .Facts}}{{if $i}},{{end}}{{json $f.Value}}{{end}}]}`, Headers: []Header{{Name: "X-Team", Value: "soc"}, {Name: "Authorization", ValueEnv: "SECRET"}}})
	m := sample()
	m.Title = `"},"x":"`
	if err := ch.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got, want := p.bodies[0], `{"text":"\"},\"x\":\"","facts":["now"]}`; got != want {
		t.Errorf("got %s", got)
	}
	if h := p.asked[0].Header; h.Get("X-Team") != "soc" || h.Get("Authorization") != "a secret of 20 bytes" || h.Get("Webhook-Signature") != "" {
		t.Errorf("%v", h)
	}
}

func FuzzInert(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Inert(s)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x00\x1b\u202e\u200b") || strings.Contains(got, "://") {
			t.Errorf("%q gives %q", s, got)
		}
		m := &Message{ID: "m", Lang: "zh", Brand: "x", Title: got, Reason: got, Link: "https://x.example/a", LinkText: "l"}
		for _, most := range []int{MaxWeComText, 64} {
			if text := m.fit(most, mute); len(text) > most || !utf8.ValidString(text) {
				t.Errorf("%q does not fit %d", s, most)
			}
		}
		if text := m.weComMarkdown(); len(text) > MaxWeComMarkdown || !utf8.ValidString(text) {
			t.Errorf("%q does not fit", s)
		}
	})
}

// FuzzTemplate: whatever an owner writes ends, and is bounded.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{`{{json .Title}}`, `{{range .Facts}}{{.Name}}{{end}}`, `{{with .Link}}{{.}}{{end}}`, `{{printf "%1000000d" 1}}`, `{{define "x"}}{{end}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tm, err := parseTemplate(s)
		if err != nil {
			return
		}
		w := &webhook{body: tm, content: "text/plain"}
		if b, err := w.render(sample()); err == nil && len(b) > MaxRendered {
			t.Errorf("%d bytes", len(b))
		}
	})
}
