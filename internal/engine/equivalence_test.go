package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/engine"
	"xiezhi/internal/exchange"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/source/collector"
	"xiezhi/internal/source/keylog"
	"xiezhi/internal/source/proxy"
	"xiezhi/internal/source/tail"
)

// told is what a report says, without ids, times and the words of sentences.
type told struct {
	Exchanges uint64
	APIs      []string
	Defects   []string
	Attacks   []string
}

func tell(r *report.Report) told {
	out := told{Exchanges: r.Input.Exchanges}
	names := map[string]string{}
	for _, a := range r.APIs {
		name := a.Method + " " + a.Site + a.Template
		names[a.ID] = name
		line := fmt.Sprintf("%s %s auth=%s exchanges=%d actors=%d", name, a.Role, a.Auth, a.Exchanges, a.Actors)
		for _, s := range a.Sensitive {
			line += fmt.Sprintf(" %s:%s:%s", s.In, s.Path, s.Type)
		}
		out.APIs = append(out.APIs, line)
	}
	for _, d := range r.Defects {
		out.Defects = append(out.Defects, fmt.Sprintf("%s/%s %s on %s", d.Class, d.Kind, d.Component, names[d.API]))
	}
	for _, a := range r.Attacks {
		line := fmt.Sprintf("%s %s requests=%d succeeded=%d from %s on", a.Kind, a.Verdict, a.Requests, a.Succeeded, strings.Join(a.Actors.IPs, ","))
		for _, id := range a.APIs {
			line += " " + names[id]
		}
		out.Attacks = append(out.Attacks, line)
	}
	slices.Sort(out.APIs)
	slices.Sort(out.Defects)
	slices.Sort(out.Attacks)
	return out
}

func input(name string, data []byte) source.Input {
	return source.Input{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

func analyse(t *testing.T, cfg engine.AnalyzeConfig) *report.Report {
	t.Helper()
	cfg.Version, cfg.Tools, cfg.Workers, cfg.Random = "test", tools(t), 2, rand.Reader
	res, err := engine.Analyze(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range res.Refused {
		t.Fatalf("%s was refused: %v", r.Name, r.Err)
	}
	return res.Report
}

func convert(t *testing.T, to engine.Format, in source.Input) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := engine.Convert(context.Background(), engine.ConvertConfig{Inputs: []source.Input{in}, Format: engine.Auto, To: to}, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// live analyses sources while something happens.
func live(t *testing.T, sources []source.Source, happen func()) *report.Report {
	t.Helper()
	until, end := context.WithCancel(context.Background())
	got := make(chan *report.Report)
	go func() {
		defer close(got)
		got <- analyse(t, engine.AnalyzeConfig{Live: engine.Live{Sources: sources, Until: until}})
	}()
	happen()
	end()
	return <-got
}

// TestSourcesAgree plays one session and has it told by every way in: each must
// give the APIs and findings of the capture, except for what it cannot see.
func TestSourcesAgree(t *testing.T) {
	if l, err := net.Listen("tcp", "127.0.9.2:0"); err != nil {
		t.Skipf("needs all of 127.0.0.0/8 on the loopback interface: %v", err)
	} else {
		_ = l.Close()
	}
	var log bytes.Buffer
	app := httptest.NewServer(logged(shop(), &log))
	defer app.Close()
	up, err := url.Parse(app.URL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	wire := newRelay(t, l.Addr().String())
	var requests int
	var packets []byte
	proxied := live(t, []source.Source{proxy.New(proxy.Config{Listener: l, Upstream: up})}, func() {
		requests = play(t, "http", wire.addr(), func(ip netip.Addr) http.RoundTripper { return from(ip) })
		packets = wire.capture()
		time.Sleep(50 * time.Millisecond)
	})

	capture := input("session.pcap", packets)
	reference := tell(analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{capture}}))
	if reference.Exchanges != uint64(requests) || len(reference.APIs) != 4 || len(reference.Defects) < 2 || len(reference.Attacks) != 2 {
		t.Fatalf("the capture of %d requests tells too little to compare: %+v", requests, reference)
	}
	t.Logf("%d requests\n%s\n%s\n%s", requests, strings.Join(reference.APIs, "\n"), strings.Join(reference.Defects, "\n"), strings.Join(reference.Attacks, "\n"))

	har, harl := convert(t, engine.HAR, capture), convert(t, engine.HARL, capture)
	for _, tt := range []struct {
		name   string
		report *report.Report
		blind  func(*told) // leaves out what this way cannot see
	}{
		{"HAR", analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{input("session.har", har)}}), nil},
		{"HAR lines", analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{input("session.harl", harl)}}), nil},
		{"collector", collect(t, "/v1/harl", harl), nil},
		// APISIX gives no order of headers; nothing here depends on it.
		{"APISIX's http-logger", collect(t, "/v1/apisix", apisix(t, harl)), nil},
		{"followed file of HAR lines", follow(t, harl), nil},
		{"reverse proxy", proxied, nil},
		{"packets of an interface", onLoopback(t), nil},
		// Neither keeps the client's address, so nobody can be told apart.
		{"GoReplay", analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{goreplayed(t, harl)}}), pathsOnly},
		{"Burp", analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{burped(t, harl)}}), pathsOnly},
		{"TLS with its key log", overTLS(t), nil},
		// Go's HTTP/2 client sends its fields in a new order each time, so one
		// client has several fingerprints, and not all are taken for the attack's.
		{"HTTP/2", overH2(t), uncounted},
		{"Envoy", shown(t, harl), nil},
		// A combined log has no host, no bodies and no cookies.
		{"access log", analyse(t, engine.AnalyzeConfig{Site: "shop.example.com", Inputs: []source.Input{input("access.log", log.Bytes())}}), pathsOnly},
	} {
		if tt.report == nil {
			continue // and the log says why
		}
		want, got := reference, tell(tt.report)
		want.APIs = slices.Clone(want.APIs)
		if tt.blind != nil {
			tt.blind(&want)
			tt.blind(&got)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s tells otherwise (-capture +it):\n%s", tt.name, d)
		}
	}
}

// apisix writes HAR lines as APISIX's http-logger sends them with both bodies:
// one array, headers as objects, times in fractions of milliseconds.
func apisix(t *testing.T, harl []byte) []byte {
	t.Helper()
	headers := func(list []exchange.Field) map[string]any {
		out := map[string]any{}
		for _, f := range list {
			name := strings.ToLower(string(f.Name))
			switch v := out[name].(type) {
			case nil:
				out[name] = string(f.Value)
			case string:
				out[name] = []string{v, string(f.Value)}
			case []string:
				out[name] = append(v, string(f.Value))
			}
		}
		return out
	}
	var d exchange.HARDecoder
	var x exchange.Exchange
	var entries []any
	for line := range bytes.Lines(harl) {
		if err := d.Decode(bytes.TrimSpace(line), &x); err != nil {
			t.Fatal(err)
		}
		request := map[string]any{"url": "http://" + string(x.Host) + ":9080" + string(x.Target), "uri": string(x.Target), "method": string(x.Method), "headers": headers(x.Request.Header), "querystring": map[string]any{}, "size": 200}
		if len(x.Request.Body) > 0 {
			request["body"] = string(x.Request.Body)
		}
		entries = append(entries, map[string]any{
			"request":    request,
			"response":   map[string]any{"status": x.Status, "headers": headers(x.Response.Header), "size": len(x.Response.Body) + 150, "body": string(x.Response.Body)},
			"server":     map[string]any{"hostname": "gw", "version": "3.9.1"},
			"upstream":   "127.0.0.1:1980",
			"service_id": "", "route_id": "1", "client_ip": x.Client.Addr().String(),
			"start_time": float64(x.Start) / 1e6, "latency": float64(x.End-x.Start) / 1e6, "upstream_latency": 1, "apisix_latency": 0.5,
		})
	}
	b, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// follow has a file followed while it is written and rotated.
func follow(t *testing.T, harl []byte) *report.Report {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "traffic.harl")
	s, err := tail.New(tail.Config{Paths: []string{name + "*"}, Every: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return live(t, []source.Source{s}, func() {
		parts := [][]byte{harl[:len(harl)/3], harl[len(harl)/3 : len(harl)/2], harl[len(harl)/2:]}
		for i, part := range parts {
			f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 { // the rest of a line, then rotation
				n := bytes.IndexByte(parts[2], '\n') + 1
				part, parts[2] = append(slices.Clone(part), parts[2][:n]...), parts[2][n:]
			}
			if _, err := f.Write(part); err != nil {
				t.Fatal(err)
			}
			f.Close()
			if i == 1 {
				if err := os.Rename(name, name+".1"); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// collect sends a body to a collector.
func collect(t *testing.T, path string, body []byte) *report.Report {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := collector.New(collector.Config{Listener: l, Random: rand.Reader, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return live(t, []source.Source{c}, func() {
		for range 2 { // what is sent again counts once
			resp, err := http.Post("http://"+l.Addr().String()+path, "application/json", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Fatal(resp.Status)
			}
		}
	})
}

// overTLS plays the session once more, encrypted, and reads the capture with
// the secrets that the clients wrote.
func overTLS(t *testing.T) *report.Report {
	t.Helper()
	app := httptest.NewTLSServer(shop())
	defer app.Close()
	keys := filepath.Join(t.TempDir(), "keys.log")
	f, err := os.Create(keys)
	if err != nil {
		t.Fatal(err)
	}
	r := newRelay(t, app.Listener.Addr().String())
	play(t, "https", r.addr(), func(ip netip.Addr) http.RoundTripper {
		tr := from(ip)
		tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, KeyLogWriter: f}
		return tr
	})
	packets := r.capture()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := keylog.Open([]string{keys}, keylog.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	return analyse(t, engine.AnalyzeConfig{Keys: log, Inputs: []source.Input{input("tls.pcap", packets)}})
}

// overH2 plays the session once more over HTTP/2 without TLS.
func overH2(t *testing.T) *report.Report {
	t.Helper()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	app := httptest.NewUnstartedServer(shop())
	app.Config.Protocols = &protocols
	app.Start()
	defer app.Close()
	r := newRelay(t, app.Listener.Addr().String())
	play(t, "http", r.addr(), func(ip netip.Addr) http.RoundTripper {
		tr := from(ip)
		tr.Protocols = &protocols
		return tr
	})
	return analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{input("h2.pcap", r.capture())}})
}

// uncounted leaves out how many requests an attack had, and that it may be told
// in parts: a client that shuffles its headers is now one tool and now another,
// and a small part need not show what the whole does. The largest speaks.
func uncounted(s *told) {
	largest, name := map[string]int{}, map[string]string{}
	for _, a := range s.Attacks {
		f := strings.Fields(a)
		where := strings.Join(f[4:], " ")
		n, _ := strconv.Atoi(strings.TrimPrefix(f[2], "requests="))
		if n > largest[where] {
			largest[where], name[where] = n, f[0]+" "+f[1]+" "+where
		}
	}
	s.Attacks = slices.Sorted(maps.Values(name))
}

// pathsOnly keeps which APIs there are and how often they were asked: without
// bodies and credentials nothing else can be told alike.
func pathsOnly(s *told) {
	for i, a := range s.APIs {
		f := strings.Fields(a)
		s.APIs[i] = strings.Join([]string{f[0], f[1], f[4]}, " ")
	}
	s.Defects, s.Attacks = nil, nil
}
