package accesslog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// dialects gives n lines of each main format, as busy servers write them.
func dialects(n int) map[string][]byte {
	rng := rand.New(rand.NewPCG(3, 4))
	at := time.Date(2022, 4, 1, 0, 0, 0, 0, time.UTC)
	const agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
	out := map[string]*bytes.Buffer{}
	add := func(name, format string, args ...any) {
		if out[name] == nil {
			out[name] = new(bytes.Buffer)
		}
		fmt.Fprintf(out[name], format+"\n", args...)
	}
	add("IIS", "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken")
	for i := range n {
		t := at.Add(time.Duration(i) * 20 * time.Millisecond)
		ip := fmt.Sprintf("%d.%d.%d.%d", 1+rng.IntN(200), rng.IntN(256), rng.IntN(256), rng.IntN(256))
		id, size, ms := rng.IntN(1e6), rng.IntN(1e5), 1+rng.IntN(900)
		clf := t.Format("02/Jan/2006:15:04:05 -0700")
		add("Syslog", `%s web1 nginx[77]: %s - - [%s] "GET /api/v1/users/%d?page=2 HTTP/1.1" 200 %d "-" "%s"`, t.Format(time.Stamp), ip, clf, id, size, agent)
		add("CRI", `%s stdout F %s - - [%s] "GET /api/v1/users/%d?page=2 HTTP/1.1" 200 %d "-" "%s"`, t.Format(time.RFC3339Nano), ip, clf, id, size, agent)
		add("Docker", `{"log":"%s - - [%s] \"GET /api/v1/users/%d HTTP/1.1\" 200 %d \"-\" \"%s\"\n","stream":"stdout","time":"%s"}`, ip, clf, id, size, agent, t.Format(time.RFC3339Nano))
		add("Caddy", `{"level":"info","ts":%d.25,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"%s","remote_port":"44790","client_ip":"%s","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/api/v1/users/%d","headers":{"User-Agent":["%s"],"Accept":["*/*"]},"tls":{"resumed":false}},"bytes_read":0,"user_id":"","duration":0.00%d,"size":%d,"status":200,"resp_headers":{"Content-Type":["application/json"]}}`, t.Unix(), ip, ip, id, agent, ms, size)
		add("Traefik", `{"ClientAddr":"%s:4100","ClientHost":"%s","ClientPort":"4100","DownstreamContentSize":%d,"DownstreamStatus":200,"Duration":%d000000,"RequestHost":"shop.example","RequestMethod":"GET","RequestPath":"/api/v1/users/%d","RequestProtocol":"HTTP/1.1","RequestScheme":"https","StartUTC":"%s","level":"info","request_User-Agent":"%s","time":"%s"}`, ip, ip, size, ms, id, t.Format(time.RFC3339Nano), agent, t.Format(time.RFC3339))
		add("Envoy", `[%s] "GET /api/v1/users/%d HTTP/2" 200 - 0 %d %d %d "%s" "%s" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "shop.example" "10.0.2.1:80"`, t.Format("2006-01-02T15:04:05.000Z"), id, size, ms, ms, ip, agent)
		add("HAProxy", `%s:%d [%s] https-in~ api/s1 10/0/1/%d/%d 200 %d - - ---- 19/19/3/4/0 0/0 {shop.example|%s} {} "GET /api/v1/users/%d HTTP/1.1"`, ip, 1024+id%6e4, t.Format("02/Jan/2006:15:04:05.000"), ms, ms+11, size, agent, id)
		add("IIS", `%s 10.0.0.5 GET /api/v1/users/%d page=2 443 - %s %s - 200 0 0 %d`, t.Format(time.DateTime), id, ip, strings.ReplaceAll(agent, " ", "+"), ms)
		add("ALB", `https %s app/lb/50dc6c495c0c9188 %s:2817 10.0.0.1:80 0.000 0.%03d 0.000 200 200 34 %d "GET https://shop.example:443/api/v1/users/%d HTTP/2.0" "%s" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:x "Root=1-58337262" "shop.example" "-" 1 %s "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`, t.Format("2006-01-02T15:04:05.000000Z"), ip, ms, size, id, agent, t.Format("2006-01-02T15:04:05.000000Z"))
		add("CloudFront", strings.ReplaceAll("%s %s LAX1 %d %s GET d1.cloudfront.net /api/v1/users/%d 200 - Mozilla/5.0%%20(X11) page=2 - Hit SOX4xwn4XV6Q4rgb7 shop.example https 23 0.%03d - TLSv1.2 ECDHE Hit HTTP/2.0 - - 11040 0.001 Hit text/html 78 - -", " ", "\t"), t.Format(time.DateOnly), t.Format(time.TimeOnly), size, ip, id, ms)
		add("NPM", `[%s] - 200 200 - GET https shop.example "/api/v1/users/%d" [Client %s] [Length %d] [Gzip -] [Sent-to 10.0.0.4] "%s" "-"`, clf, id, ip, size, agent)
		add("Loose", `%s | %s | shop.example | "GET /api/v1/users/%d HTTP/1.1" 200 %d "-" "%s"`, t.Format(time.RFC3339), ip, id, size, agent)
	}
	text := map[string][]byte{}
	for name, b := range out {
		text[name] = b.Bytes()
	}
	return text
}

func BenchmarkRunDialects(b *testing.B) {
	texts := dialects(20_000)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		b.Run(name, func(b *testing.B) {
			text := texts[name]
			s, err := New([]source.Input{input("x", func() io.Reader { return bytes.NewReader(text) })}, Config{})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var ledger source.Ledger
				if err := s.Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return nil }), &ledger); err != nil || ledger.Accepted != 20_000 {
					b.Fatal(err, ledger.Accepted)
				}
			}
			b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mlines/s")
		})
	}
}

func TestNoAllocsPerDialect(t *testing.T) {
	for name, text := range dialects(100) {
		if ok, why := Detect(text, ""); !ok {
			t.Errorf("%s is not recognised: %q", name, why)
		}
		p := newParser(nil, nil)
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		if lines[0][0] == '#' {
			p.parse(lines[0], new(exchange.Exchange))
			lines = lines[1:]
		}
		var x exchange.Exchange
		n := testing.AllocsPerRun(10, func() {
			for _, line := range lines {
				if why := p.parse(line, &x); why != "" {
					t.Fatal(name, why)
				}
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations in %d lines", name, n, len(lines))
		}
	}
}

// A file of any bytes: every line is accepted, counted or a directive, and
// reading it again gives the same.
func FuzzFile(f *testing.F) {
	for _, text := range dialects(2) {
		f.Add(text)
	}
	f.Add([]byte("[GIN] 2022/10/10 - 13:55:36 | 404 | 1.2µs | 203.0.113.7 | GET \"/p\"\n127.0.0.1 a.example - [10/Oct/2022 13:55:36] \"GET / HTTP/1.1\" 200 -\n"))
	f.Add([]byte("[2024-10-10 13:55:36.250000] [router:x] [origin:a] [client: 1.2.3.4] [useragent: x] GET / 200\nat=info method=GET path=/ status=200 time=2022-10-10T05:55:36Z\n"))
	f.Add([]byte("#Date: 2022-10-10 00:00:00\n#Fields: time cs-method cs-uri\n05:55:38 GET /b\n\n#Fields:\nx\n"))
	f.Add([]byte(`Oct 10 13:55:36 h a: {"request":"GET /y HTTP/1.1"}` + "\n" + good + "\n" + `Feb 29 13:55:36 h a: {"request":"GET /y HTTP/1.1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p := newParser(nil, nil)
		read := func() string {
			var out strings.Builder
			var x exchange.Exchange
			p.newFile()
			for line := range bytes.SplitSeq(text, []byte("\n")) {
				why := p.parse(line, &x)
				out.WriteString(why)
				if why != "" {
					continue
				}
				out.WriteString(show(&x))
				if len(x.Method) == 0 || len(x.Target) == 0 || x.End <= 0 || x.Start > x.End || x.Start <= 0 || x.Status < 0 || x.Status > 999 || x.Response.BodySize < -1 {
					t.Fatalf("%s", show(&x))
				}
			}
			return out.String()
		}
		if first := read(); read() != first {
			t.Fatal("reading twice differs")
		}
		Detect(text, "")
	})
}
