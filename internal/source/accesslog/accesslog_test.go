package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// show writes the parts of an exchange that a log can give.
func show(x *exchange.Exchange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %d host=%s secure=%v status=%d size=%d end=%s", x.Client, x.Method, x.Target, x.Proto, x.Host, x.Secure, x.Status, x.Response.BodySize,
		time.Unix(0, x.End).UTC().Format(time.RFC3339Nano))
	if x.End != x.Start {
		fmt.Fprintf(&b, " took=%s", time.Duration(x.End-x.Start))
	}
	for _, f := range x.Request.Header {
		fmt.Fprintf(&b, " %s=%q", f.Name, f.Value)
	}
	for _, f := range x.Response.Header {
		fmt.Fprintf(&b, " <%s=%q", f.Name, f.Value)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	const ts = `[10/Oct/2022:13:55:36 +0800]`
	const tail = ` status=200 size=12 end=2022-10-10T05:55:36Z`
	for line, want := range map[string]string{
		// common, combined, trailing fields
		`1.2.3.4 - - ` + ts + ` "GET /a?b=c HTTP/1.1" 200 12`:                                           `1.2.3.4:0 GET /a?b=c 11 host= secure=false` + tail,
		`1.2.3.4 - bob [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/2.0" 304 -`:                            `1.2.3.4:0 GET /a 20 host= secure=false status=304 size=0 end=2022-10-10T05:55:36Z`,
		`2001:db8::1 - - ` + ts + ` "POST /a HTTP/1.0" 200 12 "http://r/" "Mozilla/5.0 (X; \x22Y\x22)"`: `[2001:db8::1]:0 POST /a 10 host= secure=false` + tail + ` Referer="http://r/" User-Agent="Mozilla/5.0 (X; \"Y\")"`,
		`1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12 "-" "curl" "10.0.0.1, 192.0.2.7"`:              `1.2.3.4:0 GET /a 11 host= secure=false` + tail + ` User-Agent="curl" X-Forwarded-For="10.0.0.1, 192.0.2.7"`,
		`1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12 "-" "curl" "a=10.0.0.1"`:                       `1.2.3.4:0 GET /a 11 host= secure=false` + tail + ` User-Agent="curl"`,
		`1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12 "-" "curl" "-" "h" 0.125`:                      `1.2.3.4:0 GET /a 11 host= secure=false` + tail + ` took=125ms User-Agent="curl"`,
		`1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12 "-" "-" rt=1.5 uct="0.1"`:                      `1.2.3.4:0 GET /a 11 host= secure=false` + tail + ` took=1.5s`,
		`1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12 99 "-" "-"`:                                    `1.2.3.4:0 GET /a 11 host= secure=false` + tail,
		`1.2.3.4 - - [10/Oct/2022:13:55:36.250 +0800] "GET /a HTTP/1.1" 200 12`:                         `1.2.3.4:0 GET /a 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36.25Z`,
		`localhost - - ` + ts + ` "GET /a HTTP/1.1" 200 12`:                                             `invalid AddrPort GET /a 11 host= secure=false` + tail,
		`1.2.3.4:5678 - - ` + ts + ` "GET /a HTTP/1.1" 200 12`:                                          `1.2.3.4:5678 GET /a 11 host= secure=false` + tail,
		// the user name is the client's to choose
		`1.2.3.4 - 9.9.9.9 - [x] ` + ts + ` "GET /a HTTP/1.1" 200 12`: `1.2.3.4:0 GET /a 11 host= secure=false` + tail,
		// virtual hosts, syslog
		`shop.example:443 1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12 "-" "x"`:                                           `1.2.3.4:0 GET /a 11 host=shop.example:443 secure=false` + tail + ` User-Agent="x"`,
		`shop.example 1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12`:                                                       `1.2.3.4:0 GET /a 11 host=shop.example secure=false` + tail,
		`10.0.0.1:80 1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12`:                                                        `1.2.3.4:0 GET /a 11 host=10.0.0.1:80 secure=false` + tail,
		`Oct 10 13:55:36 web1 nginx[77]: 1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12`:                                    `1.2.3.4:0 GET /a 11 host= secure=false` + tail,
		`<190>Oct 10 13:55:36 web1 nginx: v.example 1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12`:                         `1.2.3.4:0 GET /a 11 host=v.example secure=false` + tail,
		`2022-10-10T05:55:36.493035218+08:00 stdout F 1.2.3.4 - - ` + ts + ` "GET /a HTTP/1.1" 200 12`:                       `1.2.3.4:0 GET /a 11 host= secure=false` + tail,
		`2022-10-10T05:55:36.4Z stderr F {"time":"2022-10-10T05:55:36Z","request":"GET /a HTTP/1.1","status":200,"size":12}`: `invalid AddrPort GET /a 11 host= secure=false` + tail,
		// odd requests
		`1.2.3.4 - - ` + ts + ` "GET /a" 200 12`:                              `1.2.3.4:0 GET /a 9 host= secure=false` + tail,
		`1.2.3.4 - - ` + ts + ` "GET /a b c HTTP/1.1" 200 12`:                 `1.2.3.4:0 GET /a b c 11 host= secure=false` + tail,
		`1.2.3.4 - - ` + ts + ` "GET /\"x\\\xe4\x00 HTTP/1.1" 200 12`:         "1.2.3.4:0 GET /\"x\\\xe4\x00 11 host= secure=false" + tail,
		"1.2.3.4 - - " + ts + " \"GET /\x00\xff HTTP/1.1\" 200 12":            "1.2.3.4:0 GET /\x00\xff 11 host= secure=false" + tail,
		`1.2.3.4 - - ` + ts + ` "CONNECT a.example:25 HTTP/1.1" 200 12`:       `1.2.3.4:0 CONNECT a.example:25 11 host=a.example:25 secure=false` + tail,
		`1.2.3.4 - - ` + ts + ` "GET http://b.example/x?y HTTP/1.1" 200 12`:   `1.2.3.4:0 GET http://b.example/x?y 11 host=b.example secure=false` + tail,
		`1.2.3.4 - - ` + ts + ` "GET /r?u=http://b.example/ HTTP/1.1" 200 12`: `1.2.3.4:0 GET /r?u=http://b.example/ 11 host= secure=false` + tail,
		// JSON
		`{"time_iso8601":"2022-10-10T13:55:36+08:00","remote_addr":"1.2.3.4","request":"GET /a\"\\ HTTP/1.1","status":"200","body_bytes_sent":12,"http_user_agent":"x","http_cookie":"s=1","http_host":"h","request_time":"0.004","sent_http_content_type":"text/html","sent_http_x_a":"b"}`: `1.2.3.4:0 GET /a"\ 11 host=h secure=false` + tail + ` took=4ms User-Agent="x" Cookie="s=1" <x-a="b" <Content-Type="text/html"`,
		`{ "msec": 1665381336.000, "remote_addr":"1.2.3.4","remote_port":"99","request_method":"GET","uri":"/a","args":"b=\x22","status":200,"body_bytes_sent":"12","scheme":"https","server_name":"_","server_protocol":"HTTP/1.1"}`:                                                        `1.2.3.4:99 GET /a?b=" 11 host= secure=true` + tail,
		`{"@timestamp":"2022-10-10T05:55:36.000Z","client":"1.2.3.4","method":"GET","url":"/a?x=\u4e2d\ud83d\ude00","status":200,"size":12,"domain":"h","xff":"9.9.9.9","referer":"-"}`:                                                                                                      `1.2.3.4:0 GET /a?x=中😀 0 host=h secure=false` + tail + ` X-Forwarded-For="9.9.9.9"`,
		`{"level":"info","ts":1665381336,"request":{"remote_ip":"1.2.3.4","remote_port":"5","proto":"HTTP/2.0","method":"GET","host":"h","uri":"/a?b","headers":{"User-Agent":["c"],"X-Y":[]},"tls":{"resumed":false}},"size":12,"status":200,"resp_headers":{"Server":["Caddy"]}}`:          `1.2.3.4:5 GET /a?b 20 host=h secure=true` + tail + ` User-Agent="c" <Server="Caddy"`,
		`{"ClientHost":"1.2.3.4","DownstreamContentSize":12,"DownstreamStatus":200,"Duration":2000000,"RequestHost":"h","RequestMethod":"GET","RequestPath":"/a?b","RequestProtocol":"HTTP/1.1","StartUTC":"2022-10-10T05:55:36Z","request_User-Agent":"c"}`:                                 `1.2.3.4:0 GET /a?b 11 host=h secure=false status=200 size=12 end=2022-10-10T05:55:36.002Z took=2ms User-Agent="c"`,
		`{"log":"1.2.3.4 - - [10/Oct/2022:13:55:36 +0800] \"GET /a HTTP/1.1\" 200 12 \"-\" \"x\"\n","stream":"stdout","time":"2022-10-10T05:55:37Z"}`:                                                                                                                                        `1.2.3.4:0 GET /a 11 host= secure=false` + tail + ` User-Agent="x"`,
		`{"time":"10/Oct/2022:13:55:36 +0800","remote_addr":"1.2.3.4","request":"GET /a HTTP/1.1","status":200,"bytes":12,"deep":{"request":"x","l":[{"a":"]"}]}}`:                                                                                                                           `1.2.3.4:0 GET /a 11 host= secure=false` + tail,
	} {
		p := newParser(nil, nil)
		var x exchange.Exchange
		for range 2 {
			if why := p.parse([]byte(line), &x); why != "" || show(&x) != want {
				t.Errorf("%s\n got %s %s\nwant %s", line, why, show(&x), want)
			}
		}
		if x.Caps != exchange.CapResponse || x.Request.BodySize != -1 {
			t.Errorf("caps %b, request size %d", x.Caps, x.Request.BodySize)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const ts = `[10/Oct/2022:13:55:36 +0800]`
	for line, want := range map[string]string{
		`hello world`: whyFormat,
		``:            whyFormat,
		`2022/10/10 13:55:36 [error] 12#12: *1 user "x" was not found, client: 1.2.3.4, request: "GET / HTTP/1.1"`: whyMessage,
		`1.2.3.4 - - ` + ts + ` "GET / HTTP/1.1"`:                          whyFormat,
		`1.2.3.4 - - ` + ts + ` "GET / HTTP/1.1" abc 12`:                   whyFormat,
		`1.2.3.4 - - ` + ts + ` "GET / HTTP/1.1`:                           whyFormat,
		`1.2.3.4 - - [31/Feb/2022:13:55:36 +0800] "GET / HTTP/1.1" 200 12`: whyTime,
		`1.2.3.4 - - [10/Oct/2022:25:55:36 +0800] "GET / HTTP/1.1" 200 12`: whyTime,
		`1.2.3.4 - - [10/Oct/1922:13:55:36 +0800] "GET / HTTP/1.1" 200 12`: whyTime,
		`1.2.3.4 - - ` + ts + ` "-" 408 0 "-" "-"`:                         whyEmpty,
		`1.2.3.4 - - ` + ts + ` "" 400 0 "-" "-"`:                          whyEmpty,
		`1.2.3.4 - - ` + ts + ` "\x16\x03\x01\x02" 400 157 "-" "-"`:        whyHandshake,
		`1.2.3.4 - - ` + ts + ` "quit" 400 157 "-" "-"`:                    whyRequest,
		`1.2.3.4 - - ` + ts + ` "G\x00T / HTTP/1.1" 400 157 "-" "-"`:       whyRequest,
		`1.2.3.4 - - ` + ts + ` "GET HTTP/1.1" 400 157 "-" "-"`:            whyRequest,
		`{"a":1}`:                                whyFormat,
		`{"request":"GET / HTTP/1.1"`:            whyFormat,
		`{"request":"GET / HTTP/1.1"}`:           whyTime,
		`{"request":"-","time":"x"}`:             whyEmpty,
		`{"method":"GET","time":1665381336}`:     whyRequest,
		`{"log":{"version":"1.2","entries":[]}}`: whyFormat,
		`{"log":"{\"log\":\"{}\"}"}`:             whyMessage,
		strings.Repeat(`{"request":`, 500):       whyFormat,
	} {
		p := newParser(nil, nil)
		var x exchange.Exchange
		if why := p.parse([]byte(line), &x); why != want {
			t.Errorf("%.120s: %q, want %q", line, why, want)
		}
	}
}

func TestLocation(t *testing.T) {
	loc := time.FixedZone("x", 8*3600)
	p := newParser(loc, nil)
	var x exchange.Exchange
	for _, line := range []string{`1.2.3.4 - - [10/Oct/2022:13:55:36] "GET / HTTP/1.1" 200 12`, `{"time":"2022-10-10 13:55:36.0","request":"GET / HTTP/1.1"}`} {
		if why := p.parse([]byte(line), &x); why != "" || x.End != time.Date(2022, 10, 10, 13, 55, 36, 0, loc).UnixNano() {
			t.Errorf("%s: %q %s", line, why, time.Unix(0, x.End).UTC())
		}
	}
}

func TestLogFormat(t *testing.T) {
	const npm = `log_format proxy escape=default '[$time_local] $host $remote_addr ' "$request_time" ' "$request" $status $body_bytes_sent $bytes_sent $http_referer $http_user_agent';`
	for _, c := range []struct{ format, line, want string }{
		{npm, `[10/Feb/2024:21:23:40 +0100] wings.example 192.168.1.101 0.002 "GET /\x22 HTTP/1.1" 401 77 935 - Uptime-Kuma/1.23.11`,
			`192.168.1.101:0 GET /" 11 host=wings.example secure=false status=401 size=77 end=2024-02-10T20:23:40Z took=2ms User-Agent="Uptime-Kuma/1.23.11"`},
		{`$msec|${remote_addr}|$request_method|$request_uri|$status|$http_cookie|$sent_http_x_a`, `1665381336.125|1.2.3.4|GET|/a?b|200|s=1|-`,
			`1.2.3.4:0 GET /a?b 0 host= secure=false status=200 size=-1 end=2022-10-10T05:55:36.125Z Cookie="s=1"`},
		{`"$request" "$http_user_agent" $time_iso8601`, `"GET /\"\" HTTP/1.1" "a\" b" 2022-10-10T13:55:36+08:00`,
			`invalid AddrPort GET /"" 11 host= secure=false status=0 size=-1 end=2022-10-10T05:55:36Z User-Agent="a\" b"`},
		{npm, `1.2.3.4 - - [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/1.1" 200 12`, // the known formats still work
			`1.2.3.4:0 GET /a 11 host= secure=false status=200 size=12 end=2022-10-10T05:55:36Z`},
	} {
		f, err := compile(c.format)
		if err != nil {
			t.Fatal(err)
		}
		p := newParser(nil, f)
		var x exchange.Exchange
		if why := p.parse([]byte(c.line), &x); why != "" || show(&x) != c.want {
			t.Errorf("%s\n got %s %s\nwant %s", c.line, why, show(&x), c.want)
		}
	}
	for _, bad := range []string{"", "x", "$", "${request", "$request$time_local", "$request", "$time_local", "$request_method $time_local", "log_format x", `log_format x '$request`} {
		if _, err := New(nil, Config{Format: bad}); err == nil && bad != "" {
			t.Errorf("format %q was accepted", bad)
		}
	}
}

func input(name string, r func() io.Reader) source.Input {
	return source.Input{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(r()), nil }}
}

type result struct {
	b      exchange.Batch
	totals source.Totals
	err    error
}

func readAll(t testing.TB, cfg Config, inputs ...source.Input) *result {
	t.Helper()
	s, err := New(inputs, cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := new(result)
	var ledger source.Ledger
	r.err = s.Run(context.Background(), source.SinkFunc(func(x *exchange.Exchange) error { r.b.Append(x); return nil }), &ledger)
	r.totals = ledger.Totals()
	return r
}

func (r *result) ids() string {
	var s strings.Builder
	for i := range r.b.Len() {
		s.Write(r.b.At(i).ID)
		s.WriteByte('\n')
	}
	return s.String()
}

const good = `1.2.3.4 - - [10/Oct/2022:13:55:36 +0800] "GET /a HTTP/1.1" 200 12 "-" "x"`

func TestRun(t *testing.T) {
	text := "\xef\xbb\xbf" + good + "\r\n\n" + good + "\nrubbish\n" + strings.Repeat("y", MaxLine+10) + "\n" + `{"time":1665381336,"request":"GET /b HTTP/1.1"}` + "\n" + good
	for _, reader := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.HalfReader, iotest.DataErrReader} {
		r := readAll(t, Config{Ordinal: 2}, input("f", func() io.Reader { return reader(strings.NewReader(text)) }))
		if r.err != nil || r.totals.Accepted != 4 || r.totals.Dropped[taxonomy.DropCorrupt] != 1 || r.totals.Dropped[taxonomy.DropOversize] != 1 || r.totals.Bytes != int64(len(text)) {
			t.Fatalf("%v %+v", r.err, r.totals)
		}
		if p := r.totals.Problems; len(p) != 2 || p[0].Line != 4 || p[1].Line != 5 || p[0].Offset != -1 {
			t.Errorf("%+v", p)
		}
		if x := r.b.At(3); x.Seq != 4 || x.Ordinal != 2 || string(x.Target) != "/a" {
			t.Errorf("%+v", x)
		}
		if r.totals.Quality[source.QualityKey{Code: taxonomy.QualityNoBodies, Detail: "f"}] != 4 {
			t.Errorf("%v", r.totals.Quality)
		}
		ids := strings.Fields(r.ids())
		if ids[0] == ids[1] || ids[1] == ids[3] || ids[0] != exchange.LogLineID([]byte(good), 0).String() || ids[3] != exchange.LogLineID([]byte(good), 2).String() {
			t.Errorf("%v", ids)
		}
	}
	// A line beyond the limit at the very end.
	r := readAll(t, Config{}, input("f", func() io.Reader { return strings.NewReader(good + "\n" + strings.Repeat("y", 3*MaxLine)) }))
	if r.totals.Accepted != 1 || r.totals.Dropped[taxonomy.DropOversize] != 1 {
		t.Errorf("%+v", r.totals)
	}
}

// A line in pieces is one line: bounded, and counted when its end is missing.
func TestPieces(t *testing.T) {
	piece := func(kind, text string) string { return "2022-10-10T05:55:36.4Z stdout " + kind + " " + text + "\n" }
	half := strings.Repeat("y", MaxLine/2+1)
	text := piece("P", half) + piece("P", half) + piece("F", "z") + piece("P", good[:40]) + piece("F", good[40:]) + piece("P", good[:40])
	r := readAll(t, Config{}, input("f", func() io.Reader { return strings.NewReader(text) }), input("g", func() io.Reader { return strings.NewReader(good) }))
	if r.err != nil || r.totals.Accepted != 2 || r.totals.Dropped[taxonomy.DropOversize] != 1 || r.totals.Dropped[taxonomy.DropTruncated] != 1 || len(r.totals.Dropped) != 2 {
		t.Errorf("%v %+v", r.err, r.totals)
	}
}

// Splitting a file between lines changes no id.
func TestIDsSurviveSplitting(t *testing.T) {
	lines := []string{good, good, strings.Replace(good, "/a", "/b", 1), good, strings.Replace(good, "/a", "/b", 1)}
	whole := readAll(t, Config{}, input("w", func() io.Reader { return strings.NewReader(strings.Join(lines, "\n")) }))
	parts := readAll(t, Config{}, input("1", func() io.Reader { return strings.NewReader(strings.Join(lines[:2], "\n")) }),
		input("2", func() io.Reader { return strings.NewReader(strings.Join(lines[2:], "\r\n") + "\n") }))
	if whole.ids() != parts.ids() || whole.b.Len() != len(lines) {
		t.Errorf("%s\n%s", whole.ids(), parts.ids())
	}
}

func TestErrors(t *testing.T) {
	stop := errors.New("stop")
	s, _ := New([]source.Input{input("a", func() io.Reader { return strings.NewReader(good) })}, Config{})
	if err := s.Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return stop }), new(source.Ledger)); !errors.Is(err, stop) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Run(ctx, source.SinkFunc(func(*exchange.Exchange) error { return nil }), new(source.Ledger)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	gone := source.Input{Name: "gone", Open: func() (io.ReadCloser, error) { return nil, os.ErrPermission }}
	cut := input("cut", func() io.Reader {
		return io.MultiReader(strings.NewReader(good+"\n"), iotest.ErrReader(io.ErrUnexpectedEOF))
	})
	r := readAll(t, Config{}, gone, cut)
	if !errors.Is(r.err, os.ErrPermission) || r.totals.Accepted != 1 || len(r.totals.Problems) != 1 || r.totals.Problems[0].Reason != taxonomy.DropTruncated {
		t.Errorf("%v %+v", r.err, r.totals)
	}
}

func TestDetect(t *testing.T) {
	for head, want := range map[string]bool{
		good: true, good + "\n" + good[:30]: true, good + "\nrubbish\n" + good: true, "rubbish\nrubbish\n" + good + "\n": false,
		`{"log":{"version":"1.2","entries":[`:                                                     false,
		`{"time":1665381336,"request":"GET /b HTTP/1.1"}` + "\n":                                  true,
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"http://a/"}}`: false,
		"": false, "\xd4\xc3\xb2\xa1\x02\x00": false, "hello\n": false,
		`1.2.3.4 - - [10/Oct/2022:13:55:36 +0800] "\x16\x03\x01" 400 157 "-" "-"` + "\n": true,
	} {
		if got, _ := Detect([]byte(head), ""); got != want {
			t.Errorf("%.80q: %v", head, got)
		}
	}
}

func corpus(t *testing.T, folder string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "corpora", folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("corpus %s is absent", folder)
	}
	return dir
}
