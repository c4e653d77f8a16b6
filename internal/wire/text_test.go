package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
)

func textString(x *exchange.Exchange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %d host=%s", x.Method, x.Target, x.Proto, x.Host)
	for _, f := range x.Request.Header {
		fmt.Fprintf(&b, " %s=%q", f.Name, f.Value)
	}
	fmt.Fprintf(&b, " %q/%d-%d | %d %s", x.Request.Body, x.Request.BodySize, x.Request.Truncated, x.Status, x.Reason)
	for _, f := range x.Response.Header {
		fmt.Fprintf(&b, " %s=%q", f.Name, f.Value)
	}
	fmt.Fprintf(&b, " %q/%d-%d", x.Response.Body, x.Response.BodySize, x.Response.Truncated)
	return b.String()
}

func TestText(t *testing.T) {
	for _, c := range [][3]string{
		{"GET /a?b HTTP/1.1\r\nHost: h\r\nX-y:  z \r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
			`GET /a?b 11 host=h Host="h" X-y="z" ""/0-0 | 200 OK Content-Length="2" "hi"/2-0`},
		{"POST / HTTP/2\nHost: h\n\na=1\r\n", "HTTP/2 404 Not Found\nServer: x\n\nbody", `POST / 20 host=h Host="h" "a=1\r\n"/5-0 | 404 Not Found Server="x" "body"/4-0`},
		{"GET http://a.example/x HTTP/1.0", "HTTP/3 204", `GET http://a.example/x 10 host=a.example ""/0-0 | 204  ""/0-0`},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{\"unpacked\":1}",
			`POST / 11 host= Transfer-Encoding="chunked" "abcde"/5-0 | 200 OK Transfer-Encoding="chunked" "{\"unpacked\":1}"/14-0`},
		{"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
			`POST / 11 host= Content-Length="9" "abc"/9-6 | 200 OK Transfer-Encoding="chunked" "abc"/3-1`},
		{"HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", `HEAD / 11 host= ""/0-0 | 200 OK Content-Length="99" ""/0-0`},
		{"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", `GET / 11 host= ""/0-0 | 200 OK Content-Length="5" "abc"/5-2`},
		{"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\nraw", `GET / 11 host= A="b   c" ""/0-0 | 101 Switching Protocols "raw"/3-0`},
	} {
		var r Text
		var x exchange.Exchange
		for range 2 {
			x.Reset()
			if err := errors.Join(r.Request([]byte(c[0]), &x), r.Response([]byte(c[1]), &x)); err != nil || textString(&x) != c[2] {
				t.Errorf("%q %q: %v\n got %s\nwant %s", c[0], c[1], err, textString(&x), c[2])
			}
		}
	}
	var r Text
	var x exchange.Exchange
	for text, want := range map[string]error{"": ErrNotHTTP, "hello": ErrNotHTTP, "\x16\x03\x01": ErrNotHTTP, "GET / HTTP/1.1\r\nA: " + strings.Repeat("x", 70<<10): ErrHeadLimit,
		"GET / HTTP/1.1\r\n" + strings.Repeat("a:b\r\n", 600): ErrHeadLimit} {
		if err := r.Request([]byte(text), &x); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", text, err, want)
		}
	}
	if err := r.Response([]byte("HTTP/1.1 xx"), &x); !errors.Is(err, ErrNotHTTP) {
		t.Error(err)
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), []byte("HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
	f.Add([]byte("GET / HTTP/1.1\nA: b\n c"), []byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"))
	f.Fuzz(func(t *testing.T, request, response []byte) {
		var r Text
		var x exchange.Exchange
		sent := len(request)
		if r.Request(bytes.Clone(request), &x) == nil {
			if len(x.Method) == 0 || len(x.Request.Body) > sent || x.Request.Truncated < 0 {
				t.Fatal(textString(&x))
			}
		}
		got := len(response)
		if r.Response(bytes.Clone(response), &x) == nil && (x.Status < 100 || len(x.Response.Body) > got || x.Response.Truncated < 0) {
			t.Fatal(textString(&x))
		}
	})
}
