package gate

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"xiezhi/internal/exchange"
	"xiezhi/internal/respond"
	"xiezhi/internal/source/proxy"
)

// Response implements proxy.Gate: it patches answers to requests that masking
// decisions are about.
func (g *Gate) Response(r *http.Response) {
	d, _ := proxy.NoteOf(r).(*decided)
	if d == nil || r.StatusCode < 200 || r.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	if stopped := g.cfg.Table(); stopped != nil && stopped.Stopped {
		return
	}
	body, whole := g.read(r)
	for _, l := range d.patches {
		if u := l.Patch.Uniform; u != nil && applies(u, r.StatusCode, body, whole) {
			g.Counts.Patched.Add(1)
			uniform(r, u)
			return
		}
	}
	if !whole {
		g.Counts.Unpatched.Add(1)
		return
	}
	if !isJSON(r.Header.Get("Content-Type"), body) {
		return
	}
	var m masker
	for _, l := range d.patches {
		m.fields = append(m.fields, l.Patch.Fields...)
		if n := l.Patch.Records; n > 0 && (m.records == 0 || n < m.records) {
			m.records = n
		}
	}
	if len(m.fields) == 0 && m.records == 0 {
		return
	}
	out, ok := m.mask(body)
	if !ok {
		g.Counts.Unpatched.Add(1)
		return
	}
	if bytes.Equal(out, body) {
		return
	}
	g.Counts.Patched.Add(1)
	replace(r, out)
	for _, name := range []string{"Etag", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest"} {
		r.Header.Del(name) // of the other body
	}
}

// read takes the answer's body, decoded, and puts back what was read. It is not
// whole when it is too large, broken, or coded in an unknown way.
func (g *Gate) read(r *http.Response) (body []byte, whole bool) {
	if r.Body == nil || r.Body == http.NoBody || r.Request != nil && r.Request.Method == http.MethodHead {
		return nil, true
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream") {
		return nil, false // does not end
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, MaxAnswer+1))
	rest := io.Reader(r.Body)
	if err != nil {
		rest = failing{err}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(raw), rest), r.Body}
	if err != nil || len(raw) > MaxAnswer {
		return nil, false
	}
	m := exchange.Message{Body: raw, BodySize: int64(len(raw))}
	for _, v := range r.Header["Content-Encoding"] {
		m.Header = append(m.Header, exchange.Field{Name: []byte("Content-Encoding"), Value: []byte(v)})
	}
	body, cut, err := exchange.DecodeBody(nil, &m, MaxAnswer)
	return body, err == nil && cut == 0
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// replace gives the answer another body.
func replace(r *http.Response, body []byte) {
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.TransferEncoding = nil
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	r.Header.Del("Content-Encoding")
}

func isJSON(contentType string, body []byte) bool {
	m, _, _ := mime.ParseMediaType(contentType)
	if m == "application/json" || strings.HasSuffix(m, "+json") {
		return true
	}
	body = bytes.TrimLeft(body, " \t\r\n")
	return (m == "" || m == "text/plain" || m == "text/html" || m == "text/json") && len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

// applies reports whether an answer is one of those that become one.
func applies(u *respond.Uniform, status int, body []byte, whole bool) bool {
	switch {
	case len(u.Statuses) > 0:
		if slices.Contains(u.Statuses, status) {
			return true
		}
	case u.Field == "":
		return status >= 400 && status < 500 && status != http.StatusTooManyRequests
	}
	if u.Field == "" || !whole {
		return false
	}
	v, ok := valueOf(body, u.Field)
	return ok && slices.Contains(u.Values, v)
}

// uniform makes the answer the one, with nothing left that could tell it from
// another: no field of the upstream's but those that the client's browser needs
// to be let see any answer.
func uniform(r *http.Response, u *respond.Uniform) {
	replace(r, []byte(u.Body))
	for name := range r.Header {
		if name != "Content-Length" && name != "Date" && name != "Vary" && !strings.HasPrefix(name, "Access-Control-") {
			r.Header.Del(name)
		}
	}
	r.Header.Set("Content-Type", u.Type)
	r.Header.Set("Cache-Control", "no-store")
	r.StatusCode, r.Status = u.Status, strconv.Itoa(u.Status)+" "+http.StatusText(u.Status)
	r.Trailer = nil
}
