package wire

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"pgregory.net/rapid"
)

// h2Model is what one stream of a made-up connection says.
type h2Model struct {
	id                uint32
	method, path      string
	req, resp         string
	status            int
	reqEnd, respEnd   bool // with trailers
	reset             bool
	reqSent, respSent int
	asked, answered   bool
}

func genFieldLines(t *rapid.T, n int) (lines []string) {
	for range rapid.IntRange(0, n).Draw(t, "fields") {
		lines = append(lines, rapid.SampledFrom([]string{"x-a", "cookie", "accept", "x-long-name-of-a-header"}).Draw(t, "name")+": "+
			rapid.OneOf(rapid.SampledFrom([]string{"", "v", "same", "a=b; c=d"}), rapid.StringMatching(`[ -~]{0,200}`)).Draw(t, "value"))
	}
	return lines
}

// writeHeaders splits the block at random.
func writeHeaders(t *rapid.T, s *h2Side, id uint32, end bool, lines []string) {
	b := s.fields(lines...)
	p := http2.HeadersFrameParam{StreamID: id, EndStream: end, EndHeaders: true, BlockFragment: b, PadLength: uint8(rapid.SampledFrom([]int{0, 0, 0, 9}).Draw(t, "pad"))}
	if rapid.IntRange(0, 3).Draw(t, "priority") == 0 {
		p.Priority = http2.PriorityParam{StreamDep: 1, Weight: 7}
	}
	var parts [][]byte
	for rapid.IntRange(0, 2).Draw(t, "more") == 0 && len(b) > 0 {
		n := rapid.IntRange(0, len(b)).Draw(t, "at")
		parts = append(parts, b[:n])
		b = b[n:]
	}
	parts = append(parts, b)
	p.BlockFragment, p.EndHeaders = parts[0], len(parts) == 1
	must(s.fr.WriteHeaders(p))
	for i, q := range parts[1:] {
		must(s.fr.WriteContinuation(id, i == len(parts)-2, q))
	}
}

func (m *h2Model) line() string {
	req, resp, status := m.req, m.resp, m.status
	if m.reset {
		req, resp = m.req[:m.reqSent], m.resp[:m.respSent]
		if !m.answered {
			status = 0
		}
	}
	return fmt.Sprintf("%s %s h%d.example %d %q %q", m.method, m.path, m.id, status, req, resp)
}

// TestSameStreams: streams interleaved in any way, in any segments, repeated
// and reordered, are the streams that were sent.
func TestSameStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, c, s := h2Talk()
		var all, open []*h2Model
		next := uint32(1)
		body := func() string {
			n := rapid.SampledFrom([]int{0, 1, 100, 3000}).Draw(t, "size")
			return strings.Repeat("0123456789", n/10+1)[:n]
		}
		step := func(m *h2Model) (done bool) {
			if m.asked && !m.reset && rapid.IntRange(0, 30).Draw(t, "reset") == 0 {
				m.reset = true
				side, from := c, 0
				if rapid.Bool().Draw(t, "by the server") {
					side, from = s, 1
				}
				must(side.fr.WriteRSTStream(m.id, http2.ErrCodeCancel))
				k.send(from, side.take(), 1448)
				return true
			}
			if rapid.Bool().Draw(t, "answer") && m.asked && m.respSent <= len(m.resp) {
				switch {
				case !m.answered:
					if rapid.IntRange(0, 4).Draw(t, "interim") == 0 {
						s.headers(m.id, false, ":status: 103", "link: x")
					}
					m.answered = true
					writeHeaders(t, s, m.id, false, append([]string{fmt.Sprintf(":status: %d", m.status)}, genFieldLines(t, 4)...))
				case m.respSent < len(m.resp):
					n := rapid.IntRange(1, len(m.resp)-m.respSent).Draw(t, "n")
					must(s.fr.WriteDataPadded(m.id, false, []byte(m.resp[m.respSent:m.respSent+n]), make([]byte, rapid.SampledFrom([]int{0, 3}).Draw(t, "pad"))))
					m.respSent += n
				default:
					m.respSent++
					if m.respEnd {
						writeHeaders(t, s, m.id, true, []string{"grpc-status: 0"})
					} else {
						s.data(m.id, true, "")
					}
				}
				k.send(1, s.take(), 1448)
			} else if m.reqSent <= len(m.req) {
				switch {
				case !m.asked:
					m.asked = true
					writeHeaders(t, c, m.id, false, append([]string{":method: " + m.method, ":path: " + m.path, ":scheme: http", fmt.Sprintf(":authority: h%d.example", m.id)}, genFieldLines(t, 6)...))
				case m.reqSent < len(m.req):
					n := rapid.IntRange(1, len(m.req)-m.reqSent).Draw(t, "n")
					c.data(m.id, false, m.req[m.reqSent:m.reqSent+n])
					m.reqSent += n
				default:
					m.reqSent++
					if m.reqEnd {
						writeHeaders(t, c, m.id, true, []string{"x-end: 1"})
					} else {
						c.data(m.id, true, "")
					}
				}
				k.send(0, c.take(), 1448)
			}
			return m.reqSent > len(m.req) && m.respSent > len(m.resp)
		}
		for range rapid.IntRange(1, 8).Draw(t, "streams") {
			m := &h2Model{id: next, method: rapid.SampledFrom([]string{"GET", "POST", "PATCH"}).Draw(t, "method"), path: rapid.StringMatching(`/[a-z]{0,9}(\?q=[a-z]{1,4})?`).Draw(t, "path"),
				req: body(), resp: body(), status: rapid.SampledFrom([]int{200, 201, 404, 503}).Draw(t, "status"),
				reqEnd: rapid.Bool().Draw(t, "trailers"), respEnd: rapid.Bool().Draw(t, "trailers")}
			next += 2
			all, open = append(all, m), append(open, m)
			step(m) // in order: a client's stream numbers only grow
			for !m.asked {
				step(m)
			}
			for len(open) > 0 && rapid.IntRange(0, 3).Draw(t, "go on") > 0 {
				i := rapid.IntRange(0, len(open)-1).Draw(t, "stream")
				if step(open[i]) {
					open = slices.Delete(open, i, i+1)
				}
			}
		}
		for len(open) > 0 {
			if step(open[0]) {
				open = open[1:]
			}
		}
		k.close()
		var want []string
		for _, m := range all {
			m.reqSent, m.respSent = min(m.reqSent, len(m.req)), min(m.respSent, len(m.resp))
			want = append(want, m.line())
		}
		slices.Sort(want)
		frames := resegment(k, rapid.SampledFrom([]int{9000, 1448, 200, 9}).Draw(t, "mss"))
		base, d := decode(t, Config{}, LinkRaw, frames)
		have := h2Lines(base)
		slices.Sort(have)
		if st := d.Stats(); !slices.Equal(want, have) || st.H2Errors+st.H2Lost+st.H2Unknown+st.Dropped() != 0 {
			t.Fatalf("%+v\nwant %.3000q\nhave %.3000q", st, want, have)
		}
		again, _ := decode(t, Config{}, LinkRaw, bend(t, frames))
		if !slices.Equal(sorted(base), sorted(again)) {
			t.Fatalf("repeated and reordered packets changed the exchanges\nwant %+v\nhave %+v", base, again)
		}
	})
}

// noting is a connection that notes what is written to it.
type noting struct {
	net.Conn
	side int
	log  *recording
}

type recording struct {
	mu    sync.Mutex
	turns []turn
}

func (r noting) Write(b []byte) (int, error) {
	r.log.mu.Lock()
	r.log.turns = append(r.log.turns, turn{r.side, string(b)})
	r.log.mu.Unlock()
	return r.Conn.Write(b)
}

// TestLikeTheLibrary: what x/net's client and server tell each other is what
// comes out, field by field.
func TestLikeTheLibrary(t *testing.T) {
	type call struct {
		method, path, body, answer string
		status                     int
		header                     http.Header
		trailer                    bool
	}
	rapid.Check(t, func(rt *rapid.T) {
		var calls []call
		for range rapid.IntRange(1, 6).Draw(rt, "calls") {
			c := call{method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE"}).Draw(rt, "method"),
				path:   "/" + rapid.StringMatching(`[a-z]{1,12}`).Draw(rt, "path"),
				answer: strings.Repeat("answer ", rapid.SampledFrom([]int{0, 1, 300, 4000}).Draw(rt, "answer")),
				status: rapid.SampledFrom([]int{200, 404, 500}).Draw(rt, "status"), header: http.Header{}, trailer: rapid.Bool().Draw(rt, "trailer")}
			if c.method == "POST" || c.method == "PUT" {
				c.body = strings.Repeat("body ", rapid.SampledFrom([]int{1, 300, 6000}).Draw(rt, "body"))
			}
			for range rapid.IntRange(0, 4).Draw(rt, "headers") {
				c.header.Add(rapid.SampledFrom([]string{"X-A", "X-B", "Cookie"}).Draw(rt, "name"), rapid.StringMatching(`[!-~]{1,40}`).Draw(rt, "value"))
			}
			calls = append(calls, c)
		}
		log := &recording{}
		a, b := net.Pipe()
		var mu sync.Mutex
		var want []string
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				rt.Errorf("server: %v", err)
			}
			var i int
			if _, err := fmt.Sscan(r.Header.Get("X-Call"), &i); err != nil {
				rt.Errorf("server: %v", err)
			}
			c := calls[i]
			if c.trailer {
				w.Header().Set("Trailer", "X-Sum")
			}
			w.Header().Set("X-Answer", fmt.Sprint(i))
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.answer)
			if c.trailer {
				w.Header().Set("X-Sum", fmt.Sprint(len(c.answer)))
			}
			mu.Lock()
			defer mu.Unlock()
			want = append(want, fmt.Sprintf("%s %s %s %d %q %q | %s", r.Method, r.RequestURI, r.Host, c.status, body, c.answer, headerText(r.Header)))
		})
		served := make(chan struct{})
		go func() {
			defer close(served)
			(&http2.Server{}).ServeConn(noting{b, 1, log}, &http2.ServeConnOpts{Handler: handler}) //nolint:staticcheck // x/net itself is the oracle here
		}()
		tr := &http2.Transport{AllowHTTP: true, DialTLSContext: func(context.Context, string, string, *tls.Config) (net.Conn, error) { //nolint:staticcheck // as above
			return noting{a, 0, log}, nil
		}}
		var wg sync.WaitGroup
		for i, c := range calls {
			wg.Go(func() {
				req, err := http.NewRequest(c.method, "http://library.example"+c.path, bytes.NewReader([]byte(c.body)))
				if err != nil {
					rt.Errorf("client: %v", err)
					return
				}
				for k, v := range c.header {
					req.Header[k] = v
				}
				req.Header.Set("X-Call", fmt.Sprint(i))
				resp, err := tr.RoundTrip(req) //nolint:staticcheck // as above
				if err != nil {
					rt.Errorf("client: %v", err)
					return
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					rt.Errorf("client: %v", err)
				}
				_ = resp.Body.Close()
			})
			if i%2 == 0 {
				wg.Wait()
			}
		}
		wg.Wait()
		_ = a.Close()
		<-served
		k := plainTalk().open()
		for _, turn := range log.turns {
			k.send(turn.from, turn.text, 1448)
		}
		g, d := decode(rt, Config{}, LinkRaw, k.close().out)
		var have []string
		for _, x := range g {
			h := http.Header{}
			for _, line := range strings.Split(strings.TrimSuffix(x.ReqHead, "\n"), "\n") {
				name, value, _ := strings.Cut(line, ": ")
				h.Add(name, value)
			}
			have = append(have, fmt.Sprintf("%s %s %s %d %q %q | %s", x.Method, x.Target, x.Host, x.Status, x.Req, x.Resp, headerText(h)))
			if sum := fmt.Sprintf("x-sum: %d\n", len(x.Resp)); x.RespTrail != "" && x.RespTrail != sum || (x.RespTrail == "") != !strings.Contains(x.RespHead, "trailer: ") {
				rt.Fatalf("trailer %q of %q", x.RespTrail, x.RespHead)
			}
		}
		slices.Sort(want)
		slices.Sort(have)
		if st := d.Stats(); !slices.Equal(want, have) || st.H2Errors+st.H2Lost+st.H2Unknown+st.Dropped() != 0 {
			rt.Fatalf("%+v\nwant %.2000q\nhave %.2000q", st, want, have)
		}
	})
}

// headerText renders fields as a server sees them: cookies joined again.
func headerText(h http.Header) string {
	var lines []string
	for k, v := range h {
		if http.CanonicalHeaderKey(k) == "Cookie" {
			v = []string{strings.Join(v, "; ")}
		}
		lines = append(lines, fmt.Sprintf("%s=%q", http.CanonicalHeaderKey(k), v))
	}
	slices.SortFunc(lines, cmp.Compare[string])
	return strings.Join(lines, " ")
}
