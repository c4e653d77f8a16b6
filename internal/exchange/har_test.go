package exchange

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plain makes an exchange comparable: own copies, nil for empty, no Decoded.
func plain(x *Exchange) Exchange {
	var b Batch
	b.Append(x)
	y := *b.At(0)
	y.Request.Decoded, y.Response.Decoded = false, false
	return y
}

func diff(a, b *Exchange) string {
	return cmp.Diff(plain(a), plain(b), cmp.Comparer(func(p, q netip.AddrPort) bool { return p == q }))
}

const minimal = `{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"http://a.example/x"}%s}`

func mustDecode(t *testing.T, raw string) *Exchange {
	t.Helper()
	var d HARDecoder
	x := new(Exchange)
	if err := d.Decode([]byte(raw), x); err != nil {
		t.Fatalf("%v in %.200s", err, raw)
	}
	return x
}

func TestDecodeFull(t *testing.T) {
	x := mustDecode(t, `{"_id":"id1","_site":"shop","_source":"edge-1","_other":{"a":[1,2,{"b":null}]},"pageref":"p",
	"startedDateTime":"2022-04-01T08:00:00.123456789+08:00","time":12.5,"serverIPAddress":"[2001:db8::1]",
	"_client":{"ip":"203.0.113.7","port":4711,"tls":{"ja4":"t13d","sni":"shop.example","version":"TLSv1.3","alpn":["h2"]},"h2":"1:65536"},
	"request":{"method":"POST","url":"https://shop.example:8443/a?b=\u4e2d%20#frag","httpVersion":"h2","headers":[{"name":":authority","value":"shop.example"},
	{"name":"X-B","value":"2"},{"value":"1","name":"X-A"},{"name":"x-n","value":null}],"queryString":[],"cookies":[],"headersSize":-1,"bodySize":9,
	"postData":{"mimeType":"application/json","text":"{\"a\":1}"}},
	"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/2.0","headers":[{"name":"Content-Encoding","value":"br"}],
	"content":{"size":3,"mimeType":"x","text":"AAEC","encoding":"base64"},"headersSize":-1,"bodySize":70,"redirectURL":""},
	"_truncated":{"request":2,"response":0},"cache":{},"timings":{}}`)
	want := &Exchange{ID: []byte("id1"), Site: []byte("shop"), Sensor: []byte("edge-1"), Start: 1648771200123456789, End: 1648771200123456789 + 12500000,
		Client: netip.MustParseAddrPort("203.0.113.7:4711"), Server: netip.MustParseAddrPort("[2001:db8::1]:8443"), Secure: true,
		JA4: []byte("t13d"), SNI: []byte("shop.example"), TLSVersion: []byte("TLSv1.3"), H2: []byte("1:65536"), Proto: 20,
		Caps: CapWire | CapTLS, Method: []byte("POST"), Target: []byte("/a?b=中%20"), Host: []byte("shop.example"), Status: 200, Reason: []byte("OK"),
		Request: Message{Header: []Field{{[]byte(":authority"), []byte("shop.example")}, {[]byte("X-B"), []byte("2")}, {[]byte("X-A"), []byte("1")}, {[]byte("x-n"), nil}},
			Body: []byte(`{"a":1}`), BodySize: 9, Truncated: 2},
		Response: Message{Header: []Field{{[]byte("Content-Encoding"), []byte("br")}}, Body: []byte{0, 1, 2}, BodySize: 70}}
	if d := diff(want, x); d != "" {
		t.Error(d)
	}
	if !x.Request.Decoded || !x.Response.Decoded {
		t.Error("bodies of a HAR are decoded")
	}
}

// TestDecodeFromGateways: a sensor in a gateway may see bodies before they are
// decoded and headers in no order; what is written again says so, too.
func TestDecodeFromGateways(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	coded := `"encoding":"base64","_coded":true,"text":"` + base64.StdEncoding.EncodeToString(z.Bytes()) + `"`
	x := mustDecode(t, `{"startedDateTime":"2022-04-01T08:00:00Z","request":{"method":"POST","url":"http://a/","_unordered":true,
	"headers":[{"name":"Host","value":"a"},{"name":"Content-Encoding","value":"gzip"}],"postData":{`+coded+`}},
	"response":{"status":200,"headers":[{"name":"Content-Encoding","value":"gzip"}],"content":{`+coded+`}}}`)
	if x.Caps&(CapRequestHeaders|CapHeaderOrder) != CapRequestHeaders || x.Request.Decoded || x.Response.Decoded {
		t.Errorf("caps %b, decoded %v %v", x.Caps, x.Request.Decoded, x.Response.Decoded)
	}
	var e HAREncoder
	y := mustDecode(t, string(e.Append(nil, x)))
	if string(y.Request.Body) != `{"a":1}` || string(y.Response.Body) != `{"a":1}` || y.Caps != x.Caps {
		t.Errorf("%q %q %b", y.Request.Body, y.Response.Body, y.Caps)
	}
}

func TestDecodeOddities(t *testing.T) {
	for name, c := range map[string]struct {
		raw   string
		check func(x *Exchange) bool
	}{
		"no response":   {fmt.Sprintf(minimal, ``), func(x *Exchange) bool { return x.Status == 0 && x.Host != nil && x.Start == x.End }},
		"null response": {fmt.Sprintf(minimal, `,"response":null`), func(x *Exchange) bool { return x.Status == 0 }},
		"aborted":       {fmt.Sprintf(minimal, `,"time":null,"response":{"status":0,"statusText":"x","content":{"size":0,"text":"filler"},"bodySize":-1}`), func(x *Exchange) bool { return x.Status == 0 && x.Response.Body == nil && x.Reason == nil }},
		"negative": {fmt.Sprintf(minimal, `,"time":-1,"response":{"status":204,"bodySize":-1,"headersSize":-1,"content":{"size":-1}}`), func(x *Exchange) bool {
			return x.Response.BodySize == -1 && x.Caps&CapResponseBody == 0 && x.End == x.Start
		}},
		"left out body":   {fmt.Sprintf(minimal, `,"response":{"status":200,"content":{"size":7,"comment":"not kept"}}`), func(x *Exchange) bool { return x.Response.BodySize == 7 && x.Caps&CapResponseBody == 0 }},
		"h3":              {`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"wss://a/x","httpVersion":"h3-29"}}`, func(x *Exchange) bool { return x.Proto == 30 && x.Secure }},
		"proto of answer": {fmt.Sprintf(minimal, `,"response":{"status":101,"httpVersion":"http/1.1"},"_webSocketMessages":[{"data":"x"}]`), func(x *Exchange) bool { return x.Proto == 11 }},
		"no path":         {`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"https://u:p@[2001:db8::1]:444?a=1"}}`, func(x *Exchange) bool { return string(x.Target) == "/?a=1" && string(x.Host) == "[2001:db8::1]:444" }},
		"connect":         {`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"CONNECT","url":"https://a:443/"}}`, func(x *Exchange) bool { return string(x.Target) == "a:443" }},
		"options":         {`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"OPTIONS","url":"https://a"}}`, func(x *Exchange) bool { return string(x.Target) == "*" }},
		"odd numbers":     {fmt.Sprintf(minimal, `,"time":1e3,"response":{"status":2.0e2,"bodySize":3.7}`), func(x *Exchange) bool { return x.Status == 200 && x.Response.BodySize == 3 && x.End-x.Start == 1e9 }},
		"raw bytes":       {fmt.Sprintf(minimal, `,"_site":"\udce4\udCFFz\ud800\ud83d\ude00"`), func(x *Exchange) bool { return string(x.Site) == "\xe4\xffz\ufffd😀" }},
		"escaped names":   {fmt.Sprintf(minimal, `,"\u005fsite":"s"`), func(x *Exchange) bool { return string(x.Site) == "s" }},
		"host header":     {`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"https://a/","headers":[{"name":"hOst","value":"b"}]}}`, func(x *Exchange) bool { return string(x.Host) == "b" && x.Caps&CapRequestHeaders != 0 }},
		"partial headers": {`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"https://a/","headers":[{"name":"User-Agent","value":"b"}],"headersSize":-1,"bodySize":-1}}`, func(x *Exchange) bool { return x.Caps == CapResponse|CapResponseHeaders|CapResponseBody }},
		"form":            {`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"https://a/","postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a b","value":"中&="},{"name":"c"}]}}}`, func(x *Exchange) bool { return string(x.Request.Body) == "a+b=%E4%B8%AD%26%3D&c=" }},
		"multipart": {`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"https://a/","postData":{"mimeType":"multipart/form-data; boundary=XX","params":[{"name":"a\"","value":"1"}]}}}`, func(x *Exchange) bool {
			return string(x.Request.Body) == "--XX\r\nContent-Disposition: form-data; name=\"a%22\"\r\n\r\n1\r\n--XX--\r\n"
		}},
		"text wins": {`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"https://a/","postData":{"text":"t","params":[{"name":"a","value":"1"}]}}}`, func(x *Exchange) bool { return string(x.Request.Body) == "t" }},
	} {
		if x := mustDecode(t, c.raw); !c.check(x) {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for raw, path := range map[string]string{
		``:   "",
		`[]`: "",
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET"}}`:     "request.url",
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"url":"http://a/"}}`:  "request.method",
		`{"request":{"method":"GET","url":"http://a/"}}`:                            "startedDateTime",
		`{"startedDateTime":"2022-02-30T00:00:00Z"}`:                                "startedDateTime",
		`{"startedDateTime":"2300-02-03T00:00:00Z"}`:                                "startedDateTime",
		`{"startedDateTime":17}`:                                                    "startedDateTime",
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":null}`:                 "request",
		`{"request":{"method":7}}`:                                                  "request.method",
		`{"request":{"method":""}}`:                                                 "request.method",
		`{"request":{"method":"A","method":"B"}}`:                                   "request.method",
		`{"request":{"headers":[{"name":"a","value":"b"},{"name":"a","value":3}]}}`: "request.headers[1].value",
		`{"request":{"headers":[{"value":"b"}]}}`:                                   "request.headers[0].name",
		`{"request":{"headers":{}}}`:                                                "request.headers",
		`{"response":{"_trailers":[{"name":"a","value":3}]}}`:                       "response._trailers[0].value",
		`{"request":{"postData":{"text":"*","encoding":"base64"}}}`:                 "request.postData.text",
		`{"response":{"content":{"text":"AAA","encoding":"base64"}}}`:               "response.content.text",
		`{"response":{"content":{"text":"AAA","encoding":"rot13"}}}`:                "response.content.encoding",
		`{"response":{"status":"200"}}`:                                             "response.status",
		`{"response":{"status":1000}}`:                                              "response.status",
		`{"response":{"status":1e400}}`:                                             "response.status",
		`{"response":{"bodySize":1e300}}`:                                           "response.bodySize",
		`{"time":1e99}`:                                                             "time",
		`{"time":"1"}`:                                                              "time",
		`{"_id":"` + strings.Repeat("x", 257) + `"}`:                                "_id",
		`{"_client":{"ip":"1.2.3"}}`:                                                "_client.ip",
		`{"_client":{"port":65536}}`:                                                "_client.port",
		`{"_truncated":{"request":-1}}`:                                             "_truncated.request",
		`{"request":{"_unordered":1}}`:                                              "request._unordered",
		`{"response":{"content":{"_coded":"yes"}}}`:                                 "response.content._coded",
		`{"x":` + strings.Repeat("[", 600):                                          "…",
		`{"x":"` + "\x01" + `"}`:                                                    "…",
		`{"x":"\q"}`:                                                                "…",
		`{"x":01}`:                                                                  "",
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"http://a/"}} x`:                                          "",
		`{"startedDateTime":"2262-04-11T00:00:00Z","time":1}`:                                                                                "startedDateTime",
		`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"http://a/"},"response":{"content":{"size":1,"size":2}}}`: "response.content.size",
	} {
		var d HARDecoder
		err := d.Decode([]byte(raw), new(Exchange))
		var h *HARError
		if !errors.As(err, &h) || h.Path != path && !strings.HasPrefix(h.Path, path+"[") || h.Offset > len(raw) {
			t.Errorf("%.60s: %v, want an error at %q", raw, err, path)
		}
	}
	var d HARDecoder
	for _, u := range []string{"data:image/png;base64,AA==", "blob:https://x/1", "chrome-extension://x/y", "about:blank", "x"} {
		if err := d.Decode([]byte(`{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"`+u+`"}}`), new(Exchange)); !errors.Is(err, ErrNotHTTP) {
			t.Errorf("%s: %v", u, err)
		}
	}
}

// genExchange draws exchanges that HAR can carry.
func genExchange(t *rapid.T) *Exchange {
	token := rapid.StringMatching(`[A-Za-z][A-Za-z0-9-]{0,12}`)
	anyBytes := rapid.SliceOfN(rapid.Byte(), 0, 60)
	text := rapid.OneOf(anyBytes, rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }))
	body := func(name string) []byte { return text.Draw(t, name) }
	fields := func(name string, first ...Field) []Field {
		for i := range rapid.IntRange(0, 4).Draw(t, name) {
			first = append(first, Field{[]byte(token.Draw(t, fmt.Sprint(name, i))), text.Draw(t, "value")})
		}
		return first
	}
	addr := func(name string) netip.AddrPort {
		if rapid.Bool().Draw(t, name) {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, name))), rapid.Uint16().Draw(t, name))
		}
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name))).Unmap(), rapid.Uint16().Draw(t, name))
	}
	x := &Exchange{Start: rapid.Int64Range(0, 9e18).Draw(t, "start"), Secure: rapid.Bool().Draw(t, "secure"),
		Proto: rapid.SampledFrom([]uint8{0, 9, 10, 11, 20, 30}).Draw(t, "proto"), Method: []byte(token.Draw(t, "method"))}
	x.End = x.Start + rapid.Int64Range(0, 1e14).Draw(t, "duration")
	if rapid.Bool().Draw(t, "extensions") {
		x.ID, x.Site, x.Sensor = body("id"), body("site"), body("sensor")
		x.Client, x.Server = addr("client"), addr("server")
		if x.Secure {
			x.JA4, x.SNI, x.TLSVersion = body("ja4"), body("sni"), body("version")
		}
		x.H2 = body("h2")
	}
	path := rapid.SliceOfN(rapid.Byte().Filter(func(b byte) bool { return b != '#' }), 0, 40).Draw(t, "path")
	x.Target = append([]byte("/"), path...)
	x.Host = []byte(rapid.StringMatching(`[a-z]{1,8}(:[0-9]{1,4})?`).Draw(t, "host"))
	x.Request.Header = fields("headers", Field{[]byte("Host"), x.Host})
	x.Request.Trailer = fields("trailers")
	x.Request.Body = body("body")
	x.Request.BodySize = int64(len(x.Request.Body))
	x.Caps = CapRequestHeaders | CapHeaderOrder | CapRequestBody | CapResponseHeaders | CapResponseBody | CapResponse
	if x.Client.IsValid() {
		x.Caps |= CapClientAddr
	}
	if len(x.JA4) > 0 {
		x.Caps |= CapTLS
	}
	if rapid.Bool().Draw(t, "truncated") {
		x.Request.Truncated = rapid.Int64Range(1, 1e6).Draw(t, "missing")
		x.Request.BodySize += x.Request.Truncated
	}
	if rapid.Bool().Draw(t, "answered") {
		x.Status = rapid.IntRange(100, 999).Draw(t, "status")
		x.Reason = body("reason")
		x.Response.Header = fields("answer headers")
		x.Response.Trailer = fields("answer trailers")
		x.Response.Body = body("answer")
		x.Response.BodySize = int64(len(x.Response.Body))
	}
	// A server that ignores a false Content-Encoding is another test.
	for _, m := range []*Message{&x.Request, &x.Response} {
		for i := range m.Header {
			if EqualFold(m.Header[i].Name, "content-encoding") {
				m.Header[i].Name = []byte("x")
			}
		}
	}
	for i := range x.Request.Header[1:] {
		if f := &x.Request.Header[i+1]; EqualFold(f.Name, "host") {
			f.Name = []byte("x")
		}
	}
	return x
}

func TestRoundTrip(t *testing.T) {
	var enc HAREncoder
	var dec HARDecoder
	y := new(Exchange)
	rapid.Check(t, func(t *rapid.T) {
		x := genExchange(t)
		raw := enc.Append(nil, x)
		if !json.Valid(raw) || bytes.IndexByte(raw, '\n') >= 0 || !utf8.Valid(raw) {
			t.Fatalf("not one line of JSON: %s", raw)
		}
		if err := dec.Decode(raw, y); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		if d := diff(x, y); d != "" {
			t.Fatalf("%s\n%s", d, raw)
		}
		if again := enc.Append(nil, y); !bytes.Equal(raw, again) {
			t.Fatalf("not stable:\n%s\n%s", raw, again)
		}
	})
}

func TestEncodeWhatHARCannotCarry(t *testing.T) {
	var enc HAREncoder
	base := func() *Exchange {
		return &Exchange{Method: []byte("GET"), Target: []byte("/"), Host: []byte("h"), Caps: CapWire, Status: 200}
	}
	for name, c := range map[string]struct {
		change func(x *Exchange)
		check  func(y *Exchange) bool
	}{
		"fragment":  {func(x *Exchange) { x.Target = []byte("/a#b") }, func(y *Exchange) bool { return string(y.Target) == "/a%23b" }},
		"absolute":  {func(x *Exchange) { x.Target = []byte("http://h/a?b") }, func(y *Exchange) bool { return string(y.Target) == "/a?b" && string(y.Host) == "h" }},
		"ftp":       {func(x *Exchange) { x.Target = []byte("ftp://h/a") }, func(y *Exchange) bool { return string(y.Target) == "/ftp://h/a" }},
		"asterisk":  {func(x *Exchange) { x.Method, x.Target = []byte("OPTIONS"), []byte("*") }, func(y *Exchange) bool { return string(y.Target) == "*" }},
		"connect":   {func(x *Exchange) { x.Method, x.Target = []byte("CONNECT"), []byte("h:443") }, func(y *Exchange) bool { return string(y.Target) == "h:443" }},
		"no host":   {func(x *Exchange) { x.Host, x.Secure = nil, true }, func(y *Exchange) bool { return y.Host == nil && y.Secure && string(y.Target) == "/" }},
		"evil host": {func(x *Exchange) { x.Host = []byte("a/b?c@d#e") }, func(y *Exchange) bool { return string(y.Target) == "/" }},
		"empty":     {func(x *Exchange) { x.Target = nil }, func(y *Exchange) bool { return string(y.Target) == "/" }},
		"log line": {func(x *Exchange) {
			x.Caps = CapResponse
			x.Response.BodySize, x.Request.BodySize = 512, -1
			x.Request.Header = []Field{{[]byte("User-Agent"), []byte("x")}}
		}, func(y *Exchange) bool {
			return y.Caps == CapResponse && y.Response.BodySize == 512 && y.Request.BodySize == -1
		}},
		"gzip": {func(x *Exchange) {
			x.Response.Header = []Field{{[]byte("Content-Encoding"), []byte("gzip")}}
			x.Response.Body = gz([]byte("hello"))
			x.Response.BodySize = int64(len(x.Response.Body))
		}, func(y *Exchange) bool {
			return string(y.Response.Body) == "hello" && y.Response.BodySize == int64(len(gz([]byte("hello"))))
		}},
		"brotli": {func(x *Exchange) {
			x.Response.Header = []Field{{[]byte("Content-Encoding"), []byte("br")}}
			x.Response.Body = br([]byte("hello"))
			x.Response.BodySize = int64(len(x.Response.Body))
		}, func(y *Exchange) bool { return string(y.Response.Body) == "hello" }},
		"unknown coding": {func(x *Exchange) {
			x.Response.Header = []Field{{[]byte("Content-Encoding"), []byte("compress")}}
			x.Response.Body = []byte{0x8b, 0xff, 0x80}
			x.Response.BodySize = 3
		}, func(y *Exchange) bool { return y.Response.Body == nil && y.Response.Truncated == 3 }},
	} {
		x := base()
		c.change(x)
		raw := enc.Append(nil, x)
		y := mustDecode(t, string(raw))
		if !c.check(y) {
			t.Errorf("%s: %s\n%+v", name, raw, y)
		}
	}
}

func TestHARWriter(t *testing.T) {
	var out bytes.Buffer
	w := NewHARWriter(&out, "xiezhi", "1", 0)
	for range 3 {
		if err := w.Write(&Exchange{Method: []byte("GET"), Target: []byte("/"), Host: []byte("h")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Log struct {
			Version string
			Entries []json.RawMessage
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil || len(doc.Log.Entries) != 3 || doc.Log.Version != "1.2" {
		t.Fatalf("%v %+v", err, doc)
	}
	w = NewHARWriter(failing{}, "xiezhi", "1", 0)
	if w.Write(new(Exchange)) == nil || w.Close() == nil {
		t.Error("a failing writer went unnoticed")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestBatch(t *testing.T) {
	var b Batch
	rapid.Check(t, func(t *rapid.T) {
		var xs []*Exchange
		b.Reset()
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			x := genExchange(t)
			xs = append(xs, x)
			b.Append(x)
		}
		if b.Len() != len(xs) {
			t.Fatal(b.Len())
		}
		total := int64(0)
		for i, x := range xs {
			total += int64(x.bytes())
			want := plain(x)
			// Overwrite the original: the copy must not notice.
			for _, s := range x.slices() {
				for j := range *s {
					(*s)[j] ^= 0xff
				}
			}
			if got := plain(b.At(i)); !reflect.DeepEqual(got, want) {
				t.Fatal(cmp.Diff(got, want))
			}
		}
		if b.Bytes() != total {
			t.Fatalf("%d bytes, want %d", b.Bytes(), total)
		}
	})
}
