package victim

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"xiezhi/internal/policy"
	"xiezhi/lab/victim/visit"
)

// Obj is an object of an answer.
type Obj = map[string]any

// maxBody bounds what a service reads of a request.
const maxBody = 1 << 16

// WriteJSON answers with a plain value as JSON of a content type.
func WriteJSON(w http.ResponseWriter, status int, contentType string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only plain values are written
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// Text answers everybody with the same text.
func Text(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

// Behind answers with a text while a flaw is on, and else as the server does
// about what it does not have.
func Behind(on func(flaw string) bool, flaw, contentType, body string, missing http.HandlerFunc) http.HandlerFunc {
	text := Text(contentType, body)
	return func(w http.ResponseWriter, r *http.Request) {
		if !on(flaw) {
			missing(w, r)
			return
		}
		text(w, r)
	}
}

// Read reads a JSON body into v, and reports whether it is one.
func Read(r *http.Request, v any) bool {
	return json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody)).Decode(v) == nil
}

// Posted reads a form, or a JSON body of strings.
func Posted(r *http.Request) map[string]string {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
		if r.ParseForm() != nil {
			return nil
		}
		m := make(map[string]string, len(r.PostForm))
		for k := range r.PostForm {
			m[k] = r.PostForm.Get(k)
		}
		return m
	}
	var m map[string]string
	if !Read(r, &m) {
		return nil
	}
	return m
}

// Fields makes a form of names and values in turn.
func Fields(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// One is a flaw that gives one finding.
func One(flaw, method, template string, kinds ...string) Flaw {
	return Flaw{Name: flaw, Signs: []Sign{{Kinds: kinds, Method: method, Template: template}}}
}

// Exposed is a flaw that serves what should not be there.
func Exposed(flaw, kind, component, path string) Flaw {
	return Flaw{Name: flaw, Signs: []Sign{{Kinds: []string{kind}, Component: component, Method: "GET", Template: path}}}
}

// Batch approves the batches that a partner on line n fetches.
func Batch(site, template, reason string, n int) *policy.File {
	return &policy.File{Version: policy.Version, Approvals: []policy.Approval{{Kind: "partner", Target: policy.Target{Site: site, Method: "GET", Template: template},
		Decision: policy.Decision{Reason: reason}, Clients: []netip.Prefix{netip.PrefixFrom(visit.Line(n), 32)}}}}
}
