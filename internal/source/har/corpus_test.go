package har

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// flow is what the corpus expects of an entry.
type flow struct {
	Request struct {
		Method, Scheme, Host, Path string
		HTTPVersion                string `json:"http_version"`
		Headers                    [][2]string
		ContentHash                *string
	}
	Response *struct {
		StatusCode  int `json:"status_code"`
		Reason      string
		Headers     [][2]string
		ContentHash *string
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

func TestCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t, "har-mitmproxy"), "har_files", "*.har"))
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		inputs, err := source.Expand([]string{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := readAll(Config{}, inputs...)
		raw, err := os.ReadFile(strings.TrimSuffix(file, ".har") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var flows []flow
		if err := json.Unmarshal(raw, &flows); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if r.err != nil || r.exchanges.Len() != len(flows) || r.drops() != "" {
			t.Errorf("%s: %v, %d exchanges of %d, %s %+v", name, r.err, r.exchanges.Len(), len(flows), r.drops(), r.totals.Problems)
			continue
		}
		bodies, same, sent, sentSame := 0, 0, 0, 0
		for i, f := range flows {
			x := r.exchanges.At(i)
			if string(x.Method) != f.Request.Method || string(x.Target) != f.Request.Path || x.Secure != (f.Request.Scheme == "https") {
				t.Errorf("%s %d: %s %s %v, want %+v", name, i, x.Method, x.Target, x.Secure, f.Request)
			}
			if host, _, _ := strings.Cut(string(x.Host), ":"); host != f.Request.Host {
				t.Errorf("%s %d: host %s, want %s", name, i, x.Host, f.Request.Host)
			}
			if f.Request.ContentHash != nil {
				sent++
				if sum := sha256.Sum256(x.Request.Body); hex.EncodeToString(sum[:]) == *f.Request.ContentHash {
					sentSame++
				}
			}
			if !sameHeaders(x.Request.Header, f.Request.Headers) {
				t.Errorf("%s %d: request headers %s, want %s", name, i, x.Request.Header, f.Request.Headers)
			}
			if f.Response != nil && x.Status != 0 {
				if x.Status != f.Response.StatusCode || !sameHeaders(x.Response.Header, f.Response.Headers) {
					t.Errorf("%s %d: response %d %s, want %d %s", name, i, x.Status, x.Response.Header, f.Response.StatusCode, f.Response.Headers)
				}
				if f.Response.ContentHash != nil && len(x.Response.Body) > 0 {
					sum := sha256.Sum256(x.Response.Body)
					bodies++
					if hex.EncodeToString(sum[:]) == *f.Response.ContentHash {
						same++
					}
				}
			}
		}
		if same != bodies || sentSame != sent {
			t.Errorf("%s: %d of %d bodies, %d of %d request bodies equal", name, same, bodies, sentSame, sent)
		}
		t.Logf("%s: %d exchanges, %d of %d bodies and %d of %d request bodies equal byte by byte", name, len(flows), same, bodies, sentSame, sent)
	}
}

// sameHeaders ignores the lengths and codings that the corpus's tool rewrites
// when it makes a flow of an entry.
func sameHeaders(got []exchange.Field, want [][2]string) bool {
	var g, w []string
	for _, f := range got {
		if n := strings.ToLower(string(f.Name)); n != "content-length" && n != "content-encoding" {
			g = append(g, string(f.Name)+": "+string(f.Value))
		}
	}
	for _, f := range want {
		if n := strings.ToLower(f[0]); n != "content-length" && n != "content-encoding" {
			w = append(w, f[0]+": "+f[1])
		}
	}
	return slices.Equal(g, w)
}

// netString reads one value of the tool's own recordings: length, colon, the
// bytes and a letter for the type.
func netString(t *testing.T, b []byte) (v any, rest []byte) {
	t.Helper()
	digits, after, ok := bytes.Cut(b, []byte(":"))
	n, err := strconv.Atoi(string(digits))
	if !ok || err != nil || len(after) <= n {
		t.Fatalf("no value at %.20q", b)
	}
	in, kind, rest := after[:n], after[n], after[n+1:]
	switch kind {
	case '#', '^':
		f, _ := strconv.ParseFloat(string(in), 64)
		return f, rest
	case '!':
		return string(in) == "true", rest
	case '~':
		return nil, rest
	case ']':
		var list []any
		for len(in) > 0 {
			v, in = netString(t, in)
			list = append(list, v)
		}
		return list, rest
	case '}':
		m := map[string]any{}
		for len(in) > 0 {
			var k any
			k, in = netString(t, in)
			m[k.(string)], in = netString(t, in)
		}
		return m, rest
	}
	return string(in), rest
}

func pairs(v any) (out [][2]string) {
	list, _ := v.([]any)
	for _, e := range list {
		h := e.([]any)
		out = append(out, [2]string{h[0].(string), h[1].(string)})
	}
	return out
}

func latin1(b []byte) (out []byte) {
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// The other recordings have the tool's own file beside them, from which the
// HAR was made: handshakes of WebSockets, event streams, requests without
// response, a body whose gzip is broken.
func TestCorpusFlows(t *testing.T) {
	dir := corpus(t, "har-mitmproxy")
	files, _ := filepath.Glob(filepath.Join(dir, "flows", "*.har"))
	if len(files) < 7 {
		t.Fatal(files)
	}
	for _, file := range files {
		name := filepath.Base(file)
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := readAll(Config{}, input(file, raw))
		rest, err := os.ReadFile(strings.TrimSuffix(file, ".har") + ".mitm")
		if err != nil {
			t.Fatal(err)
		}
		n, bodies := 0, 0
		for len(rest) > 0 {
			var v any
			v, rest = netString(t, rest)
			f := v.(map[string]any)
			if f["type"] != "http" {
				continue
			}
			if n >= r.exchanges.Len() {
				t.Errorf("%s: %d exchanges only", name, n)
				break
			}
			x := r.exchanges.At(n)
			n++
			q := f["request"].(map[string]any)
			host, _, _ := strings.Cut(string(x.Host), ":")
			want := q["host"].(string)
			if a, _ := q["authority"].(string); a != "" {
				want = a
			}
			for _, h := range pairs(q["headers"]) {
				if strings.EqualFold(h[0], "host") {
					want = h[1]
				}
			}
			want, _, _ = strings.Cut(want, ":")
			if string(x.Method) != q["method"] || string(x.Target) != q["path"] || x.Secure != (q["scheme"] == "https") || host != want {
				t.Errorf("%s %d: %s %s %s, want %s %s %s", name, n, x.Method, x.Host, x.Target, q["method"], want, q["path"])
			}
			if !sameHeaders(x.Request.Header, pairs(q["headers"])) {
				t.Errorf("%s %d: request headers %s, want %s", name, n, x.Request.Header, pairs(q["headers"]))
			}
			if body, _ := q["content"].(string); body != "" && body != string(x.Request.Body) && x.Request.Get("content-encoding") == nil {
				t.Errorf("%s %d: request body %.80q, want %.80q", name, n, x.Request.Body, body)
			}
			s, ok := f["response"].(map[string]any)
			if !ok {
				if x.Status != 0 {
					t.Errorf("%s %d: status %d of no response", name, n, x.Status)
				}
				continue
			}
			if x.Status != int(s["status_code"].(float64)) || !sameHeaders(x.Response.Header, pairs(s["headers"])) {
				t.Errorf("%s %d: response %d %s, want %v %s", name, n, x.Status, x.Response.Header, s["status_code"], pairs(s["headers"]))
			}
			if body, _ := s["content"].(string); body != "" {
				m := exchange.Message{Header: x.Response.Header, Body: []byte(body), BodySize: int64(len(body))}
				plain, _, err := exchange.DecodeBody(nil, &m, 0)
				if errors.Is(err, exchange.ErrCodingUnsupported) {
					continue // brotli: nothing here can undo it
				} else if err != nil {
					plain = []byte(body) // as the tool does
				}
				if !utf8.Valid(plain) && string(x.Response.Body) != string(plain) {
					// Without charset and base64 the tool writes each byte as
					// the character of that number; the file no longer says so.
					plain = latin1(plain)
				}
				if string(x.Response.Body) != string(plain) {
					t.Errorf("%s %d: body of %d bytes, want %d", name, n, len(x.Response.Body), len(plain))
				}
				bodies++
			}
		}
		if r.err != nil || n != r.exchanges.Len() || r.drops() != "" {
			t.Errorf("%s: %v, %d of %d, %s %+v", name, r.err, r.exchanges.Len(), n, r.drops(), r.totals.Problems)
		}
		t.Logf("%s: %d exchanges, %d response bodies equal byte by byte", name, n, bodies)
	}
}

// A HAR compressed by zlib, one within another document, and what is none.
func TestCorpusOthers(t *testing.T) {
	dir := corpus(t, "har-mitmproxy")
	for file, want := range map[string]int{filepath.Join("flows", "compressed.zhar"): 2, "har_extractor.har": 1} {
		inputs, err := source.Expand([]string{filepath.Join(dir, file)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		head, err := source.Sniff(inputs[0])
		if err != nil || Detect(head) != Document {
			t.Errorf("%s is not recognised: %v", file, err)
		}
		if r := readAll(Config{}, inputs...); r.err != nil || r.exchanges.Len() != want || r.drops() != "" {
			t.Errorf("%s: %v %d %q", file, r.err, r.exchanges.Len(), r.drops())
		}
	}
	for file, want := range map[string]string{"brokenfile.har": "a HAR document whose log is no object", "broken_headers.json": "a JSON document without log.entries, so no HAR"} {
		raw, err := os.ReadFile(filepath.Join(dir, "corrupted_har", file))
		if err != nil {
			t.Fatal(err)
		}
		if got := Why(raw); Detect(raw) != None || got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
		if r := readAll(Config{}, input(file, raw)); r.err != nil || r.exchanges.Len() != 0 || r.drops() == "" {
			t.Errorf("%s: %v %d %q", file, r.err, r.exchanges.Len(), r.drops())
		}
	}
}
