package accesslog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

func sample(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	t := time.Date(2022, 4, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		fmt.Fprintf(&b, "%d.%d.%d.%d - - [%s] \"GET /api/v1/users/%d/orders?page=%d HTTP/1.1\" 200 %d \"https://shop.example/list\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/100.0.0.0 Safari/537.36\"\n",
			1+rng.IntN(200), rng.IntN(256), rng.IntN(256), rng.IntN(256), t.Add(time.Duration(i/50)*time.Second).Format("02/Jan/2006:15:04:05 -0700"), rng.IntN(1e6), rng.IntN(99), rng.IntN(1e5))
	}
	return b.Bytes()
}

func sampleJSON(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for range n {
		fmt.Fprintf(&b, `{"time_iso8601":"2022-04-01T00:00:00+08:00","remote_addr":"10.%d.%d.9","request":"GET /api/v1/users/%d/orders HTTP/1.1","status":"200","body_bytes_sent":"%d","request_time":"0.00%d","http_referer":"https://shop.example/list","http_user_agent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)","http_x_forwarded_for":"-","http_host":"shop.example"}`+"\n",
			rng.IntN(256), rng.IntN(256), rng.IntN(1e6), rng.IntN(1e5), rng.IntN(10))
	}
	return b.Bytes()
}

func benchRun(b *testing.B, text []byte, cfg Config) {
	sink := source.SinkFunc(func(*exchange.Exchange) error { return nil })
	s, err := New([]source.Input{input("x", func() io.Reader { return bytes.NewReader(text) })}, cfg)
	if err != nil {
		b.Fatal(err)
	}
	lines := bytes.Count(text, []byte("\n"))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var ledger source.Ledger
		if err := s.Run(context.Background(), sink, &ledger); err != nil || ledger.Accepted != uint64(lines) {
			b.Fatal(err, ledger.Accepted)
		}
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mlines/s")
}

func BenchmarkRunCombined(b *testing.B) { benchRun(b, sample(200_000), Config{}) }
func BenchmarkRunJSON(b *testing.B)     { benchRun(b, sampleJSON(100_000), Config{}) }
func BenchmarkRunLogFormat(b *testing.B) {
	benchRun(b, sample(100_000), Config{Format: `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`})
}

func BenchmarkParseCombined(b *testing.B) {
	line := bytes.TrimSpace(sample(1))
	p := newParser(nil, nil)
	var x exchange.Exchange
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if p.parse(line, &x) != "" {
			b.Fatal("refused")
		}
	}
}

func BenchmarkRegexp(b *testing.B) {
	line := bytes.TrimSpace(sample(1))
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if slowCombined.FindSubmatchIndex(line) == nil {
			b.Fatal("refused")
		}
	}
}

func TestNoAllocsPerLine(t *testing.T) {
	f, err := compile(`$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text []byte
		f    *format
	}{"combined": {sample(200), nil}, "json": {sampleJSON(200), nil}, "log_format": {sample(200), f},
		"escapes": {[]byte(strings.Repeat(`::1 - - [10/Oct/2022:13:55:36 +0800] "GET /\x22 HTTP/1.1" 200 12 "-" "\x22"`+"\n", 200)), nil}} {
		p := newParser(nil, c.f)
		lines := bytes.Split(bytes.TrimSpace(c.text), []byte("\n"))
		var x exchange.Exchange
		n := testing.AllocsPerRun(10, func() {
			for _, line := range lines {
				if why := p.parse(line, &x); why != "" {
					t.Fatal(why)
				}
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations in 200 lines", name, n)
		}
	}
}

// slowCombined is the plain version: common and combined without escapes.
var slowCombined = regexp.MustCompile(`^([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}) [^" ]+ [^" ]+ \[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4})\] "([A-Z]{1,32}) (/[^" \\]*) HTTP/(1\.[01]|2\.0)" ([0-9]{3}) ([0-9]{1,15})(?: "([^"\\]*)" "([^"\\]*)")?$`)

func FuzzLine(f *testing.F) {
	for _, s := range []string{good, `1.2.3.4 - - [10/Oct/2022:13:55:36 +0800] "\x16\x03\x01" 400 1`, `{"time":1665381336,"request":"GET /b HTTP/1.1","deep":{"a":[1]}}`,
		`{"log":"1.2.3.4 - - [10/Oct/2022:13:55:36 +0800] \"GET /a HTTP/1.1\" 200 12\n"}`, `v:80 ::1 - - [10/Oct/2022:13:55:36.1 +0800] "GET http://a/ HTTP/1.1" 200 - "-" "\"" "1.2.3.4" 0.001`} {
		f.Add([]byte(s), "[$time_local] $host \"$request\" $status $http_cookie")
		f.Add([]byte(s), `%h %l %u %t "%r" %>s %b %{X}i`)
		f.Add([]byte(s), `%ci:%cp [%tr] %ST %[req.hdr(host)] %{+Q}r`)
		f.Add([]byte(s), `[%START_TIME%] %REQ(:METHOD)% %REQ(X?:PATH)% %RESPONSE_CODE%`)
	}
	f.Fuzz(func(t *testing.T, line []byte, formatText string) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		p := newParser(nil, nil)
		var x exchange.Exchange
		why := p.parse(line, &x)
		if why == "" && (len(x.Method) == 0 || len(x.Target) == 0 || x.End <= 0 || x.Start > x.End || x.Start <= 0 || x.Status < 0 || x.Status > 999 || x.Caps != exchange.CapResponse) {
			t.Fatalf("%+v", x)
		}
		first := show(&x)
		if p.parse(line, &x); why == "" && show(&x) != first {
			t.Fatal("a line read twice differs")
		}
		if m := slowCombined.FindSubmatch(line); m != nil {
			at, err := time.Parse("02/Jan/2006:15:04:05 -0700", string(m[2]))
			zone, _ := strconv.Atoi(string(m[2][22:24]))
			if err != nil || at.Year() < 1971 || at.Year() > 2261 || zone > 18 || !address(m[1]).IsValid() {
				if err != nil && why == "" && !strings.Contains(string(m[2]), ":60 ") {
					t.Fatalf("an impossible time was accepted: %v", err)
				}
			} else {
				size, _ := strconv.ParseInt(string(m[7]), 10, 64)
				status, _ := strconv.Atoi(string(m[6]))
				if why != "" || x.End != at.UnixNano() || string(x.Method) != string(m[3]) || string(x.Target) != string(m[4]) || x.Status != status || x.Response.BodySize != size ||
					x.Client != address(m[1]) || string(x.Request.Get("user-agent")) != strings.TrimPrefix(string(m[9]), "-") && len(m[9]) < 2 {
					t.Fatalf("%q differs from the regexp: %s %s", line, why, first)
				}
			}
		}
		if f, err := compile(formatText); err == nil {
			q := newParser(nil, f)
			if q.parse(line, &x) == "" && (len(x.Method) == 0 || x.End <= 0) {
				t.Fatalf("%+v", x)
			}
		}
		Detect(line, formatText)
	})
}
