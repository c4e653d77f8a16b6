package visit

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/lab/agenda"
)

// Actor is one running script.
type Actor struct {
	*Client
	agenda.Turn

	world *World
	role  string
}

// Request is one request. Method is GET when empty; a Target that begins with
// http goes there, else to the scheme that the client has come to know.
type Request struct {
	Method, Target string
	Type           string // of the body
	Body           []byte
	Header         []string // names and values in turn
	Kind           string   // document, script, style, image or empty for an API call
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// OK reports whether the status is a success.
func (a *Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Text gives a text of a JSON answer by its path, "data.token"; numbers as they
// are written, "" when there is none.
func (a *Answer) Text(path string) string {
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return ""
	}
	for _, k := range strings.Split(path, ".") {
		switch t := v.(type) {
		case map[string]any:
			v = t[k]
		case []any:
			i, err := strconv.Atoi(k)
			if err != nil || i >= len(t) {
				return ""
			}
			v = t[i]
		default:
			return ""
		}
	}
	switch t := v.(type) {
	case string:
		return t
	case nil:
		return ""
	default:
		return fmt.Sprint(t)
	}
}

// Get asks for something.
func (a *Actor) Get(target string, header ...string) *Answer {
	return a.Do(Request{Target: target, Header: header})
}

// Send sends a JSON body.
func (a *Actor) Send(method, target string, body any, header ...string) *Answer {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // a script's mistake
	}
	return a.Do(Request{Method: method, Target: target, Type: "application/json", Body: b, Header: header})
}

// Post sends a JSON body by POST.
func (a *Actor) Post(target string, body any, header ...string) *Answer {
	return a.Send("POST", target, body, header...)
}

// Form sends a form by POST.
func (a *Actor) Form(target string, fields url.Values, header ...string) *Answer {
	return a.Do(Request{Method: "POST", Target: target, Type: "application/x-www-form-urlencoded", Body: []byte(fields.Encode()), Header: header})
}

// Open loads a page as a browser does, with its scripts and styles unless they
// are in the cache; what follows is asked from this page.
func (a *Actor) Open(target string) *Answer {
	ans := a.Do(Request{Target: target, Kind: "document"})
	a.page = a.base() + strings.TrimPrefix(target, a.base())
	if !ans.OK() || !strings.HasPrefix(ans.Header.Get("Content-Type"), "text/html") {
		return ans
	}
	for _, asset := range assets(ans.Body) {
		if a.cache[asset.target] {
			continue
		}
		if a.cache == nil {
			a.cache = map[string]bool{}
		}
		a.cache[asset.target] = true
		a.Do(Request{Target: asset.target, Kind: asset.kind})
	}
	return ans
}

type asset struct{ target, kind string }

// assets lists what a page loads from its own host.
func assets(page []byte) (out []asset) {
	for _, mark := range []struct{ before, kind string }{{`<link rel="stylesheet" href="`, "style"}, {`<script src="`, "script"}} {
		for rest := string(page); ; {
			_, after, ok := strings.Cut(rest, mark.before)
			if !ok {
				break
			}
			target, tail, _ := strings.Cut(after, `"`)
			if strings.HasPrefix(target, "/") {
				out = append(out, asset{target, mark.kind})
			}
			rest = tail
		}
	}
	return out
}

// Do asks and waits for the answer. Browsers follow where they are sent.
func (a *Actor) Do(r Request) *Answer {
	if r.Method == "" {
		r.Method = "GET"
	}
	for hop := 0; ; hop++ {
		ans := a.once(&r)
		to := ans.Header.Get("Location")
		if ans.Status/100 != 3 || to == "" || hop == 4 || !a.Follows {
			return ans
		}
		if r.Method != "GET" && ans.Status != 307 && ans.Status != 308 {
			r.Method, r.Body, r.Type = "GET", nil, ""
		}
		r.Target = to
		a.Wait(time.Duration(20+a.Rand.IntN(60)) * time.Millisecond)
	}
}

func (a *Actor) base() string {
	scheme := "https://"
	if a.Plain {
		scheme = "http://"
	}
	return scheme + a.world.cfg.Host
}

// once makes one exchange.
func (a *Actor) once(r *Request) *Answer {
	w := a.world
	for _, scheme := range []string{"http://", "https://"} {
		if rest, ok := strings.CutPrefix(r.Target, scheme+w.cfg.Host); ok {
			a.Plain, r.Target = scheme == "http://", rest
		}
	}
	if r.Target == "" {
		r.Target = "/"
	}
	a.connect()
	req, err := http.NewRequest(r.Method, a.base()+r.Target, bytes.NewReader(r.Body)) //nolint:noctx // in process
	if err != nil {
		panic(err) // a script's mistake, never input
	}
	req.RequestURI = r.Target
	lines := a.lines(a, r)
	for _, l := range lines {
		if !strings.EqualFold(l.Name, "Host") {
			req.Header.Add(l.Name, l.Value)
		}
	}
	req.RemoteAddr = netip.AddrPortFrom(a.Addr, a.port).String()
	if !a.Plain {
		req.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: w.cfg.Host}
	}
	rec := &recorder{header: http.Header{}}
	w.cfg.Clock.now, w.cfg.Clock.spent = a.Now(), 0
	w.cfg.Handler.ServeHTTP(rec, req)
	_ = req.Body.Close()
	took := time.Duration(12+a.Rand.ExpFloat64()*25)*time.Millisecond + w.cfg.Clock.spent
	ans := &Answer{Status: rec.status, Header: rec.header, Body: rec.body.Bytes()}
	if ans.Status == 0 {
		ans.Status = http.StatusOK
	}
	w.emit(a, r, lines, ans, took)
	a.keep(ans)
	a.Wait(took)
	return ans
}

// recorder is a response in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

var _ io.Writer = (*recorder)(nil)

// emit hands the exchange on.
func (w *World) emit(a *Actor, r *Request, lines []Head, ans *Answer, took time.Duration) {
	w.calls++
	x := &w.x
	x.Reset()
	x.ID = fmt.Appendf(nil, "%s-%06d", w.cfg.Prefix, w.calls)
	x.Start, x.End = a.Now().UnixNano(), a.Now().Add(took).UnixNano()
	x.Caps = exchange.CapWire
	x.Client = netip.AddrPortFrom(a.Addr, a.port)
	port, proto := uint16(80), uint8(11)
	if !a.Plain {
		port, proto = 443, a.Proto
		x.Secure, x.Caps = true, x.Caps|exchange.CapTLS
		x.JA4, x.SNI, x.TLSVersion, x.H2 = []byte(a.JA4), []byte(w.cfg.Host), []byte("1.3"), []byte(a.H2)
	}
	x.Server, x.Proto, x.Host = netip.AddrPortFrom(w.cfg.Address, port), proto, []byte(w.cfg.Host)
	x.Method, x.Target = []byte(r.Method), []byte(r.Target)
	x.Request.Body, x.Request.BodySize, x.Request.Decoded = r.Body, int64(len(r.Body)), true
	field := func(to *[]exchange.Field, name, value string) {
		if proto == 20 {
			name = strings.ToLower(name)
		}
		*to = append(*to, exchange.Field{Name: []byte(name), Value: []byte(value)})
	}
	for _, l := range lines {
		if proto != 20 || !strings.EqualFold(l.Name, "Host") && !strings.EqualFold(l.Name, "Connection") {
			field(&x.Request.Header, l.Name, l.Value)
		}
	}
	x.Status = ans.Status
	x.Response.Body, x.Response.BodySize, x.Response.Decoded = ans.Body, int64(len(ans.Body)), true
	field(&x.Response.Header, "Date", a.Now().UTC().Format(http.TimeFormat))
	names := make([]string, 0, len(ans.Header))
	for n := range ans.Header {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		for _, v := range ans.Header[n] {
			field(&x.Response.Header, n, v)
		}
	}
	if w.cfg.Dialect != nil {
		w.cfg.Dialect.translate(x)
		for i := range x.Request.Header {
			if exchange.EqualFold(x.Request.Header[i].Name, "content-length") {
				x.Request.Header[i].Value = strconv.AppendInt(nil, x.Request.BodySize, 10)
			}
		}
	}
	field(&x.Response.Header, "Content-Length", strconv.FormatInt(x.Response.BodySize, 10))
	if w.err == nil && w.cfg.Sink != nil {
		w.err = w.cfg.Sink(&Event{Exchange: x, Actor: a.role})
	}
}
