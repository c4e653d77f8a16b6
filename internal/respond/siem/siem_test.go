package siem

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"crypto/tls"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/message"
	"xiezhi/internal/respond/finding"
	"xiezhi/internal/respond/notify/channel"
	"xiezhi/internal/respond/outbox"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
	"xiezhi/rules"
)

var rewrite = flag.Bool("rewrite", false, "write golden files")

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func texts(t testing.TB) *message.Catalog {
	t.Helper()
	c, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func makerFor(t testing.TB, lang string) *maker {
	apis := map[string]finding.API{"api1": {ID: "api1", Site: "shop", Host: "shop.example.com", Method: "POST", Template: "/login"}}
	return &maker{texts(t), lang, "https://xiezhi.example.com", func(id string) (finding.API, bool) { a, ok := apis[id]; return a, ok }}
}

func theAttack() *finding.Attack {
	return &finding.Attack{ID: "a1", Kind: "credential_stuffing", Scenario: "account_risk", Site: "shop", APIs: []string{"api1"}, Verdict: "confirmed", Confidence: 0.97, FirstSeen: noon.Add(-time.Hour), LastSeen: noon,
		Requests: 1200, Blocked: 3, Succeeded: 7, SubjectsExposed: 7, Actors: finding.Actors{IPs: []string{"203.0.113.9", "2001:db8::1"}, IPCount: 2},
		Reasons: []finding.Reason{{Family: "network", Observed: "98% fail", Expected: "4%", Weight: 5, Zh: "失败率 98%", En: "98% of sign-ins fail"}},
		Reason:  message.Text{Zh: "两个地址对 /login 撞库。", En: "Two addresses tried stolen passwords on /login."}}
}

func theCampaign() *finding.Campaign {
	return &finding.Campaign{ID: "c1", Name: "G-3F2A", Attacks: []string{"a1", "a2"}, Sites: []string{"bank", "shop"}, Kinds: []string{"credential_stuffing"}, Scenarios: []string{"account_risk"}, Links: []finding.Link{{Key: "ja4", Rarity: 12}},
		FirstSeen: noon.Add(-time.Hour), LastSeen: noon, Requests: 2400, Succeeded: 7, SubjectsExposed: 7, IPCount: 4, Reason: message.Text{Zh: "同一团伙攻击了两个站点。", En: "One gang attacked two sites."}}
}

func theDefect() *finding.Defect {
	return &finding.Defect{ID: "d1", Class: "unauthorized_access", Kind: "unauthenticated_sensitive", API: "api1", Severity: "critical", Confidence: 0.9, Status: "confirmed", FirstSeen: noon.Add(-time.Hour), LastSeen: noon, Count: 12,
		Evidence: []finding.Evidence{{Exchange: "x1", What: message.Text{Zh: "未带凭证", En: "no credentials"}, Value: "138****1234"}}, Reason: message.Text{Zh: "无需登录即可读取手机号。", En: "Phone numbers are read without signing in."},
		Advice: message.Text{Zh: "加鉴权。", En: "Ask who it is."}, OWASP: []string{"API2:2023"}, CWE: []string{"CWE-306"}}
}

func events(t testing.TB, lang string) map[string]*Event {
	m := makerFor(t, lang)
	return map[string]*Event{Attack: m.attack(theAttack(), "c1", Created), Campaign: m.campaign(theCampaign(), Updated), Defect: m.defect(theDefect(), "shop", Closed)}
}

// TestGolden: the formats are contracts.
func TestGolden(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		for of, e := range events(t, lang) {
			for _, format := range []string{OCSF, ECS, CEF} {
				x := Target{Name: "soc", Format: format, Transport: File}
				if format == CEF {
					x.Transport, x.Host = TCP, "sensor-1"
				}
				text, err := x.format(e, "1.2.3")
				if err != nil {
					t.Fatal(err)
				}
				if format != CEF {
					var b bytes.Buffer
					if err := json.Indent(&b, []byte(text), "", " "); err != nil {
						t.Fatal(err)
					}
					text = b.String()
				}
				name := filepath.Join("testdata", fmt.Sprintf("%s.%s.%s.golden", of, format, lang))
				if *rewrite {
					if err := os.WriteFile(name, []byte(text+"\n"), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(name)
				if err != nil || string(want) != text+"\n" {
					t.Errorf("%s: %v, it gives\n%s", name, err, text)
				}
			}
		}
	}
}

// TestRequired: what OCSF and ECS require is there, and every event says what a
// person needs.
func TestRequired(t *testing.T) {
	for of, e := range events(t, "en") {
		o := ocsf(e, "v")
		class, change := o["class_uid"].(int), o["activity_id"].(int)
		if o["type_uid"] != class*100+change || o["category_uid"] != class/1000 || o["metadata"].(object)["version"] != "1.8.0" {
			t.Errorf("%s: class %d, type %v", of, class, o["type_uid"])
		}
		need := map[string][]string{Attack: {"finding_info", "is_alert", "evidences", "confidence_id", "risk_level_id"}, Campaign: {"finding_info_list", "status_id", "assignee_group"}, Defect: {"finding_info", "vulnerabilities", "resources"}}[of]
		for _, k := range append(need, "severity_id", "time", "message", "metadata", "status_id") {
			if o[k] == nil {
				t.Errorf("%s lacks %s", of, k)
			}
		}
		x := ecs(e, "v")
		for _, k := range []string{"@timestamp", "ecs", "event", "message", "rule", "related"} {
			if x[k] == nil {
				t.Errorf("ECS of %s lacks %s", of, k)
			}
		}
		for _, format := range []string{OCSF, ECS, CEF} {
			text, err := (&Target{Format: format, Transport: File}).format(e, "v")
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{e.Kind, e.Reason, strings.ReplaceAll(e.Link, "=", map[bool]string{true: `\=`, false: "="}[format == CEF]), e.Evidence[0].Text, e.Campaign} {
				if want == "" && of == Defect {
					continue
				}
				if want == "" || !strings.Contains(text, want) {
					t.Errorf("%s of %s lacks %q: %s", format, of, want, text)
				}
			}
		}
	}
}

var hostile = []string{"a|b=c\\d", "x\r\nCEF:0|forged|", "\u2028<1>1 forged", "\"},{\"index\":{}}\n{\"", "a\x00b\xff", "cs1=forged src=1.2.3.4", strings.Repeat("长", 5000), "</script>", "=cmd|' /C calc'!A0"}

// readCEF reads what cef wrote.
func readCEF(line string) (head []string, ext map[string]string) {
	var cur strings.Builder
	i := 0
	for ; i < len(line) && len(head) < 7; i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line):
			i++
			cur.WriteByte(line[i])
		case line[i] == '|':
			head = append(head, cur.String())
			cur.Reset()
		default:
			cur.WriteByte(line[i])
		}
	}
	ext = map[string]string{}
	rest := line[i:]
	type mark struct{ at, eq int }
	var marks []mark
	for j := 0; j < len(rest); j++ {
		if rest[j] == '\\' {
			j++
			continue
		}
		if rest[j] == '=' {
			k := strings.LastIndexByte(rest[:j], ' ') + 1
			marks = append(marks, mark{k, j})
		}
	}
	for n, m := range marks {
		end := len(rest)
		if n+1 < len(marks) {
			end = marks[n+1].at - 1
		}
		ext[rest[m.at:m.eq]] = strings.NewReplacer(`\\`, `\`, `\=`, "=", `\n`, "\n").Replace(rest[m.eq+1 : end])
	}
	return head, ext
}

// TestHostile: strings of strangers forge no field, record or frame.
func TestHostile(t *testing.T) {
	for _, s := range hostile {
		a := theAttack()
		a.Reason = message.Text{Zh: s, En: s}
		a.Site, a.Actors.IPs = s, []string{s}
		a.Reasons[0].Observed, a.Reasons[0].En = s, s
		m := makerFor(t, "en")
		m.apis = func(string) (finding.API, bool) { return finding.API{Host: s, Method: s, Template: s}, true }
		e := m.attack(a, "c1", Created)
		e.Name, e.Kind = s, s
		line := cef(e, "v")
		if strings.ContainsAny(line, "\r\n\x00\u2028") || !utf8.ValidString(line) {
			t.Errorf("%.30q: CEF of several lines: %.200q", s, line)
		}
		head, ext := readCEF(line)
		if len(head) != 7 || head[0] != "CEF:0" || head[6] != "10" || ext["externalId"] != "a1" || ext["cs1"] != "c1" || ext["cs1Label"] != "campaign" {
			t.Errorf("%.30q: head %q, extension %q", s, head, ext)
		}
		msg := syslog(e, "host "+s, line)
		header, _, ok := strings.Cut(msg, "\ufeff")
		if !ok || strings.Contains(msg, "\n") || !strings.HasPrefix(header, "<130>1 2026-11-27T12:00:00.000Z host_") || strings.Count(header, " ") != 7 {
			t.Errorf("%.30q: syslog %.120q", s, msg)
		}
		for _, format := range []string{OCSF, ECS} {
			text, err := (&Target{Format: format, Transport: File}).format(e, "v")
			if err != nil || strings.Contains(text, "\n") || !json.Valid([]byte(text)) {
				t.Errorf("%.30q: %s gives %.200q, %v", s, format, text, err)
			}
		}
	}
}

func FuzzCEF(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := &Event{Of: Attack, UID: "a1", Change: Created, At: noon, First: noon, Kind: s, Name: s, Severity: 5, Status: "confirmed", Reason: s, Campaign: "c1", Link: s, Sites: []string{s}, IPs: []string{s}}
		line := cef(e, s)
		head, ext := readCEF(line)
		if strings.ContainsAny(line, "\r\n") || !utf8.ValidString(line) || len(head) != 7 || ext["externalId"] != "a1" || ext["cs1"] != "c1" {
			t.Errorf("%q gives %q", s, line)
		}
	})
}

func testTools(t testing.TB, allow ...string) channel.Tools {
	g, err := outbound.New(outbound.Config{Allow: allow, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return channel.Tools{Guard: g, Now: func() time.Time { return noon }, Getenv: func(string) string { return "TOKEN-OF-SOC" }, Read: os.ReadFile}
}

func opened(t testing.TB, x Target, allow ...string) *Opened {
	t.Helper()
	c := FileConfig{Targets: []Target{x}}
	list, err := c.Open(testTools(t, allow...), "en")
	if err != nil {
		t.Fatal(err)
	}
	return &list[0]
}

func lines(n int) (out []line) {
	for i := range n {
		out = append(out, line{UID: fmt.Sprint("u", i), ID: fmt.Sprint("id", i), Text: fmt.Sprintf(`{"n":%d}`, i), Unix: noon.UnixMilli()})
	}
	return out
}

// TestFile: it goes on in a new file when somebody moved the old one away, and
// mends a line that a crash cut off.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	o := opened(t, Target{Name: "f", Format: OCSF, Transport: File, Path: path})
	for range 2 {
		if err := o.way.send(t.Context(), lines(2)); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
	}
	if b, _ := os.ReadFile(path + ".1"); string(b) != "{\"n\":0}\n{\"n\":1}\n" {
		t.Errorf("%q", b)
	}
	if err := os.WriteFile(path, []byte("{\"to"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.way.send(t.Context(), lines(1)); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "{\"to\n{\"n\":0}\n" {
		t.Errorf("%q", b)
	}
	gone := opened(t, Target{Name: "f", Format: OCSF, Transport: File, Path: filepath.Join(path, "no", "folder")})
	var f *outbox.Failure
	if err := gone.way.send(t.Context(), lines(1)); !errors.As(err, &f) || f.Final {
		t.Errorf("no folder gives %v", err)
	}
}

// frames reads messages behind their length.
func frames(c net.Conn, out chan<- string) {
	r := bufio.NewReader(c)
	for {
		n, err := r.ReadString(' ')
		if err != nil {
			return
		}
		size, err := strconv.Atoi(strings.TrimSpace(n))
		if err != nil {
			out <- "no length: " + n
			return
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return
		}
		out <- string(b)
	}
}

func TestStreams(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{TCP, TLS} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if kind == TLS {
			l = tls.NewListener(l, &tls.Config{Certificates: s.TLS.Certificates})
		}
		defer l.Close()
		got, conns := make(chan string, 20), make(chan net.Conn, 5)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				conns <- c
				go frames(c, got)
			}
		}()
		x := Target{Name: "soc", Format: CEF, Transport: kind, Address: l.Addr().String()}
		if kind == TLS {
			x.CAFile = ca
		}
		o := opened(t, x, l.Addr().String())
		if err := o.Test(t.Context(), texts(t), "v", "1", noon); err != nil {
			t.Fatal(err)
		}
		if m := <-got; !strings.Contains(m, "CEF:0|Xiezhi|Xiezhi|v|attack:test|") || !strings.HasPrefix(m, "<134>1 ") {
			t.Errorf("%s: %q", kind, m)
		}
		_ = (<-conns).Close() // the receiver starts again
		time.Sleep(20 * time.Millisecond)
		if err := o.way.send(t.Context(), lines(2)); err != nil {
			t.Fatalf("%s: after its receiver went away: %v", kind, err)
		}
		if a, b := <-got, <-got; a != `{"n":0}` || b != `{"n":1}` {
			t.Errorf("%s: %q %q", kind, a, b)
		}
		if kind == TLS {
			x.CAFile = ""
			var f *outbox.Failure
			if err := opened(t, x, l.Addr().String()).way.send(t.Context(), lines(1)); !errors.As(err, &f) || f.Final {
				t.Errorf("a certificate of nobody known gives %v", err)
			}
		}
	}
}

func TestUDP(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o := opened(t, Target{Name: "soc", Format: CEF, Transport: UDP, Address: c.LocalAddr().String()}, c.LocalAddr().String())
	if err := o.way.send(t.Context(), []line{{Text: strings.Repeat("长", 5000)}}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1<<16)
	n, _, err := c.ReadFrom(b)
	if err != nil || n > MaxDatagram || !utf8.Valid(b[:n]) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestHTTP(t *testing.T) {
	var body, auth, path string
	status, reply := 200, ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body, auth, path = string(b), r.Header.Get("Authorization"), r.URL.Path
		w.WriteHeader(status)
		_, _ = io.WriteString(w, reply)
	}))
	defer s.Close()
	host := s.Listener.Addr().String()
	for _, c := range []struct {
		x                Target
		reply, auth, out string
		path             string
	}{
		{Target{Transport: HTTP}, "", "Bearer TOKEN-OF-SOC", "{\"n\":0}\n{\"n\":1}\n", "/"},
		{Target{Transport: Splunk, Index: "sec"}, `{"text":"Success","code":0}`, "Splunk TOKEN-OF-SOC", `{"event":{"n":0},"index":"sec","source":"xiezhi","sourcetype":"_json","time":1795780800}` + "\n" + `{"event":{"n":1},"index":"sec","source":"xiezhi","sourcetype":"_json","time":1795780800}` + "\n", "/services/collector/event"},
		{Target{Transport: Elasticsearch, Index: "xiezhi"}, `{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}}]}`, "ApiKey TOKEN-OF-SOC", "{\"create\":{\"_id\":\"id0\"}}\n{\"n\":0}\n{\"create\":{\"_id\":\"id1\"}}\n{\"n\":1}\n", "/xiezhi/_bulk"},
	} {
		c.x.Name, c.x.Format, c.x.URL, c.x.SecretEnv = "soc", OCSF, s.URL, "X"
		o := opened(t, c.x, host)
		status, reply = 200, c.reply
		if err := o.way.send(t.Context(), lines(2)); err != nil || body != c.out || auth != c.auth || strings.TrimSuffix(path, "/") != strings.TrimSuffix(c.path, "/") {
			t.Errorf("%s: %v, %s, %s, %q", c.x.Transport, err, path, auth, body)
		}
		for _, bad := range []struct {
			status int
			reply  string
			final  bool
			only   string
		}{{500, "", false, ""}, {429, "", false, ""}, {401, "", true, ""}, {307, "", true, ""}, {200, "<html>", false, "splunk elasticsearch"},
			{200, `{"errors":true,"items":[{"create":{"status":429}}]}`, false, "elasticsearch"}, {200, `{"errors":true,"items":[{"create":{"status":400,"error":{"type":"mapper"}}}]}`, true, "elasticsearch"}} {
			if bad.only != "" && !strings.Contains(bad.only, c.x.Transport) {
				continue
			}
			status, reply = bad.status, bad.reply
			var f *outbox.Failure
			if err := o.way.send(t.Context(), lines(1)); !errors.As(err, &f) || f.Final != bad.final || strings.Contains(f.Why, "TOKEN") {
				t.Errorf("%s: %d %s gives %+v", c.x.Transport, bad.status, bad.reply, err)
			}
		}
	}
}

func TestKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "xiezhi"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	o := opened(t, Target{Name: "k", Format: OCSF, Transport: Kafka, Brokers: cluster.ListenAddrs(), Topic: "xiezhi"}, "127.0.0.1")
	if err := o.way.send(t.Context(), lines(3)); err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("xiezhi"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	n := 0
	for n < 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		got := cl.PollFetches(ctx)
		cancel()
		if err := got.Err(); err != nil {
			t.Fatal(err)
		}
		got.EachRecord(func(r *kgo.Record) {
			n++
			if !strings.HasPrefix(string(r.Key), "u") || !strings.HasPrefix(string(r.Headers[0].Value), "id") {
				t.Errorf("%s %v", r.Key, r.Headers)
			}
		})
	}
}

// TestInner: no address of a setting leads inside unless it is allowed.
func TestInner(t *testing.T) {
	for _, x := range []Target{{Transport: TCP, Address: "10.0.0.1:514"}, {Transport: UDP, Address: "127.0.0.1:514"}, {Transport: TLS, Address: "[::1]:6514"}, {Transport: HTTP, URL: "http://169.254.169.254/"},
		{Transport: Kafka, Brokers: []string{"192.168.0.1:9092"}, Topic: "t"}, {Transport: Elasticsearch, URL: "http://2130706433/", Index: "i"}} {
		x.Name, x.Format = "soc", OCSF
		c := FileConfig{Targets: []Target{x}}
		if _, err := c.Open(testTools(t), "en"); !errors.Is(err, outbound.ErrInner) {
			t.Errorf("%+v gives %v", x, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for want, x := range map[string]Target{
		"transport":          {Transport: "pigeon", Format: CEF},
		"format":             {Transport: File, Format: "leef"},
		"cef is no JSON":     {Transport: Splunk, Format: CEF},
		"path: is missing":   {Transport: File, Format: CEF},
		"no HOST:PORT":       {Transport: TCP, Format: CEF, Address: "siem"},
		"url: not for":       {Transport: TCP, Format: CEF, Address: "s:1", URL: "https://x"},
		"index":              {Transport: Elasticsearch, Format: ECS, URL: "https://x", Index: "a/b"},
		"the token of":       {Transport: Splunk, Format: ECS, URL: "https://x"},
		"without TLS":        {Transport: Kafka, Format: ECS, Brokers: []string{"k:1"}, Topic: "t", User: "u", SecretEnv: "X"},
		"send: \"exchange\"": {Transport: File, Format: CEF, Path: "x", Send: []string{"exchange"}},
	} {
		x.Name = "soc"
		c := FileConfig{Targets: []Target{x}}
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v, want %q", x, err, want)
		}
	}
}

// TestExport follows findings through a file, over a restart.
func TestExport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	store := recordtest.NewModel(record.NewChain([32]byte{1}))
	now, rev := noon, uint64(0)
	random := &counting{}
	var x *Export
	var box *outbox.Box
	start := func() {
		t.Helper()
		o := opened(t, Target{Name: "f", Format: ECS, Transport: File, Path: path})
		var err error
		if box, err = outbox.Open(t.Context(), outbox.Config{Store: store, Now: func() time.Time { return now }, Random: random, Lanes: Lanes([]Opened{*o})}); err != nil {
			t.Fatal(err)
		}
		if x, err = New(t.Context(), Config{Store: store, Box: box, Messages: texts(t), Targets: []Opened{*o}, Version: "v", Now: func() time.Time { return now }}); err != nil {
			t.Fatal(err)
		}
	}
	put := func(kind record.Kind, id string, body any) {
		t.Helper()
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		rev++
		r := record.Record{Kind: kind, ID: id, Rev: rev, Site: "shop", First: now, Last: now, Body: b}
		if _, err := store.Write(t.Context(), record.Batch{Put: []record.Record{r}}); err != nil {
			t.Fatal(err)
		}
		x.Consider([]record.Record{r})
	}
	actions := func() string {
		t.Helper()
		for range 4 {
			now = now.Add(11 * time.Second)
			if err := x.Turn(t.Context()); err != nil {
				t.Fatal(err)
			}
			box.Step(t.Context())
		}
		b, _ := os.ReadFile(path)
		_ = os.Remove(path)
		var out []string
		for l := range strings.Lines(string(b)) {
			var e struct {
				Event  struct{ Action, ID string }
				Xiezhi struct{ Campaign string }
			}
			if err := json.Unmarshal([]byte(l), &e); err != nil {
				t.Fatal(err)
			}
			out = append(out, strings.TrimSuffix(e.Event.Action+":"+e.Event.ID+"@"+e.Xiezhi.Campaign, "@"))
		}
		return strings.Join(out, " ")
	}
	want := func(what, want string) {
		t.Helper()
		if got := actions(); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	start()
	a := theAttack()
	put(record.Attack, a.ID, a)
	want("an attack", "attack-create:a1")
	a.Requests++
	put(record.Attack, a.ID, a)
	want("a little more of it", "")
	c := theCampaign()
	put(record.Campaign, c.ID, c)
	want("it is of a gang", "campaign-create:c1@c1 attack-update:a1@c1")
	d := theDefect()
	put(record.Defect, d.ID, d)
	start() // killed before it was looked at
	want("a defect", "defect-create:d1")
	d.Status = "fixed"
	put(record.Defect, d.ID, d)
	want("it is fixed", "defect-close:d1")
	d.Status = "regressed"
	put(record.Defect, d.ID, d)
	want("it is back", "defect-update:d1")
	a.ID, a.Verdict = "a9", "suspicious"
	put(record.Attack, a.ID, a)
	want("a suspicion", "")
	start()
	want("after a restart", "")
}

type counting struct{ n byte }

func (c *counting) Read(p []byte) (int, error) {
	c.n++
	clear(p)
	p[0] = c.n
	return len(p), nil
}
