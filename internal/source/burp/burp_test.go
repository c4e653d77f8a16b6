package burp

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// top is what Burp writes before the items.
const top = `<?xml version="1.1"?>
<!DOCTYPE items [
<!ELEMENT items (item*)>
<!ATTLIST items burpVersion CDATA "">
<!ATTLIST items exportTime CDATA "">
<!ELEMENT item (time, url, host, port, protocol, method, path, extension, request, status, responselength, mimetype, response, comment)>
<!ATTLIST request base64 (true|false) "false">
<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">
]>
<items burpVersion="2023.10.3" exportTime="Wed Nov 08 10:30:00 UTC 2023">
`

func entry(when, request, response, attribute string) string {
	return fmt.Sprintf(`  <item>
    <time>%s</time>
    <url><![CDATA[https://shop.example/a?b=1]]></url>
    <host ip="203.0.113.9">shop.example</host>
    <port>8443</port>
    <protocol>https</protocol>
    <method><![CDATA[GET]]></method>
    <path><![CDATA[/a?b=1]]></path>
    <extension>null</extension>
    <request base64="%s"><![CDATA[%s]]></request>
    <status>200</status>
    <responselength>99</responselength>
    <mimetype>HTML</mimetype>
    <response base64="%[2]s"><![CDATA[%[4]s]]></response>
    <comment></comment>
  </item>
`, when, attribute, request, response)
}

func coded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

type result struct {
	b      exchange.Batch
	totals source.Totals
	err    error
}

func read(cfg Config, r func() io.Reader) *result {
	out := new(result)
	var ledger source.Ledger
	in := source.Input{Name: "f", Open: func() (io.ReadCloser, error) { return io.NopCloser(r()), nil }}
	out.err = New([]source.Input{in}, cfg).Run(context.Background(), source.SinkFunc(func(x *exchange.Exchange) error { out.b.Append(x); return nil }), &ledger)
	out.totals = ledger.Totals()
	return out
}

func readText(cfg Config, text string) *result {
	return read(cfg, func() io.Reader { return strings.NewReader(text) })
}

func show(x *exchange.Exchange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %s %d %v %s", x.Server, x.Method, x.Host, x.Target, x.Proto, x.Secure, time.Unix(0, x.Start).UTC().Format(time.RFC3339))
	for _, f := range x.Request.Header {
		fmt.Fprintf(&b, " %s=%q", f.Name, f.Value)
	}
	fmt.Fprintf(&b, " %q | %d %s", x.Request.Body, x.Status, x.Reason)
	for _, f := range x.Response.Header {
		fmt.Fprintf(&b, " %s=%q", f.Name, f.Value)
	}
	fmt.Fprintf(&b, " %q", x.Response.Body)
	return b.String()
}

const (
	request  = "POST /a?b=1 HTTP/2\r\nHost: shop.example\r\nX-Z: 1\r\nAccept: */*\r\n\r\nq=\x00\xff]]"
	response = "HTTP/2 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n<rss><item></item><item>x</item></rss>"
	want     = `203.0.113.9:8443 POST shop.example /a?b=1 20 true 2021-07-08T09:07:08Z Host="shop.example" X-Z="1" Accept="*/*" "q=\x00\xff]]" | 200 OK Content-Type="application/rss+xml" "<rss><item></item><item>x</item></rss>"`
	when     = "Thu Jul 08 11:07:08 CEST 2021"
)

func TestItems(t *testing.T) {
	raw := entry(when, strings.ReplaceAll(request, "]]", "]]"), response, "false")
	text := top + entry(when, coded(request), coded(response), "true") + raw + entry(when, coded("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "", "true") + "</items>\n"
	for name, reader := range map[string]func(io.Reader) io.Reader{"": func(r io.Reader) io.Reader { return r }, "one byte": iotest.OneByteReader, "half": iotest.HalfReader, "data and error": iotest.DataErrReader} {
		r := read(Config{Ordinal: 3}, func() io.Reader { return reader(strings.NewReader(text)) })
		if r.err != nil || r.b.Len() != 3 || len(r.totals.Dropped) != 0 || r.totals.Bytes != int64(len(text)) {
			t.Fatalf("%s: %v %d %+v", name, r.err, r.b.Len(), r.totals)
		}
		for i := range 2 {
			if got := show(r.b.At(i)); got != want {
				t.Errorf("%s %d\n got %s\nwant %s", name, i, got, want)
			}
		}
		x := r.b.At(2)
		if x.Status != 0 || len(x.Response.Header) != 0 || x.Seq != 3 || x.Ordinal != 3 || x.Caps&exchange.CapHeaderOrder == 0 || x.Client.IsValid() {
			t.Errorf("%+v", x)
		}
		if q := r.totals.Quality[source.QualityKey{Code: taxonomy.QualityNoResponses, Detail: "f"}]; q != 1 {
			t.Errorf("%v", r.totals.Quality)
		}
		if a, b := string(r.b.At(0).ID), string(r.b.At(1).ID); a == b || len(a) != 32 {
			t.Errorf("ids %s %s", a, b)
		}
	}
}

// Broken items are counted at their place and the others read.
func TestBrokenItems(t *testing.T) {
	good := entry(when, coded(request), coded(response), "true")
	for name, c := range map[string]struct {
		item   string
		reason taxonomy.DropReason
	}{
		"no XML":          {"<item><time>x</item>", taxonomy.DropCorrupt},
		"no name":         {"<item>< >x</ ></item>", taxonomy.DropCorrupt},
		"text":            {"<item>hello</item>", taxonomy.DropCorrupt},
		"open tag":        {"<item><time</item>", taxonomy.DropCorrupt},
		"no request":      {"<item><time>" + when + "</time></item>", taxonomy.DropCorrupt},
		"bad base64":      {entry(when, "@@@@", "", "true"), taxonomy.DropCorrupt},
		"no HTTP":         {entry(when, coded("hello"), "", "true"), taxonomy.DropCorrupt},
		"no HTTP answer":  {entry(when, coded(request), coded("hello"), "true"), taxonomy.DropCorrupt},
		"head too large":  {entry(when, coded("GET / HTTP/1.1\r\nA: "+strings.Repeat("x", 70<<10)+"\r\n\r\n"), "", "true"), taxonomy.DropOversize},
		"item too large":  {entry(when, coded(request+strings.Repeat("x", 300<<10)), "", "true"), taxonomy.DropOversize},
		"entities":        {"<item><request>&lol2;&#x110000;&#;</request></item>", taxonomy.DropCorrupt},
		"nested elements": {"<item><a><b>x</b></a></item>", taxonomy.DropCorrupt},
	} {
		text := top + good + c.item + good + "</items>"
		r := readText(Config{ItemLimit: 256 << 10}, text)
		if r.err != nil || r.b.Len() != 2 || r.totals.Dropped[c.reason] != 1 || len(r.totals.Dropped) != 1 {
			t.Errorf("%s: %v %d %v %+v", name, r.err, r.b.Len(), r.totals.Dropped, r.totals.Problems)
			continue
		}
		start := strings.Index(c.item, "<item>") + len("<item>")
		if p := r.totals.Problems[0]; p.Offset != int64(len(top)+len(good)+start) || p.Line != 0 || p.File != "f" {
			t.Errorf("%s: %+v, want offset %d", name, p, len(top)+len(good)+start)
		}
	}
	// Cut anywhere: what is whole comes through, what is not is counted.
	text := top + good + good
	for _, n := range []int{0, 10, len(top) - 1, len(top) + 9, len(top) + len(good) - 20, len(text) - 3} {
		r := readText(Config{}, text[:n])
		want := strings.Count(text[:n], "</item>")
		begun := strings.Count(text[:n], "<item>")
		if r.err != nil || r.b.Len() != want || int(r.totals.Dropped[taxonomy.DropTruncated]) != begun-want {
			t.Errorf("%d: %v, %d of %d, %v", n, r.err, r.b.Len(), want, r.totals.Dropped)
		}
	}
	r := read(Config{}, func() io.Reader {
		return io.MultiReader(strings.NewReader(top+good), iotest.ErrReader(io.ErrUnexpectedEOF))
	})
	if r.b.Len() != 1 || len(r.totals.Problems) != 1 || r.totals.Problems[0].Reason != taxonomy.DropTruncated {
		t.Errorf("%+v", r.totals)
	}
}

func TestClock(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Skip(err)
	}
	for text, want := range map[string]string{
		when: "2021-07-08T09:07:08Z", "Thu Mar 11 09:54:20 EST 2021": "2021-03-11T14:54:20Z", "Thu Mar 11 09:54:20 CST 2021": "2021-03-11T01:54:20Z",
		"Thu Mar 11 09:54:20 GMT+08:00 2021": "2021-03-11T01:54:20Z", "Thu Mar 11 09:54:20 UTC 2021": "2021-03-11T09:54:20Z", "2021-03-11T09:54:20": "2021-03-11T01:54:20Z", "Thu Mar 11 09:54:20 XYZ 2021": "2021-03-11T01:54:20Z",
	} {
		if ns, ok := clock(text, shanghai); !ok || time.Unix(0, ns).UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %v %s, want %s", text, ok, time.Unix(0, ns).UTC(), want)
		}
	}
	for _, bad := range []string{"", "yesterday", "Thu Mar 41 09:54:20 UTC 2021", "Thu Mar 11 09:54:20 UTC 1921"} {
		if _, ok := clock(bad, time.UTC); ok {
			t.Errorf("%q was accepted", bad)
		}
	}
	// Without a time of its own an item has its response's, else the file's.
	dated := entry("", coded(request), coded("HTTP/1.1 200 OK\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\n\r\n"), "true")
	r := readText(Config{}, top+dated+entry("", coded(request), "", "true")+"</items>")
	if r.b.Len() != 2 || r.b.At(0).Start != time.Date(1994, 11, 15, 8, 12, 31, 0, time.UTC).UnixNano() || r.b.At(1).Start != time.Date(2023, 11, 8, 10, 30, 0, 0, time.UTC).UnixNano() {
		t.Errorf("%d %+v", r.b.Len(), r.totals.Problems)
	}
}

func TestDetect(t *testing.T) {
	for text, want := range map[string]bool{
		top: true, "\xef\xbb\xbf" + top: true, `<items burpVersion="1.7">`: true, top[:100]: false, "": false, "<rss><item>": false, "<items>": false,
		`<html><items class="x">`: false, `{"a":"<items burpVersion="}`: false,
	} {
		if got := Detect([]byte(text)); got != want {
			t.Errorf("%.40q: %v", text, got)
		}
	}
}

func TestErrors(t *testing.T) {
	stop := errors.New("stop")
	open := func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(top + entry(when, coded(request), "", "true"))), nil
	}
	s := New([]source.Input{{Name: "a", Open: open}}, Config{})
	if err := s.Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return stop }), new(source.Ledger)); !errors.Is(err, stop) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Run(ctx, source.SinkFunc(func(*exchange.Exchange) error { return nil }), new(source.Ledger)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzBurp(f *testing.F) {
	f.Add([]byte(top + entry(when, coded(request), coded(response), "true") + "</items>"))
	f.Add([]byte(top + entry("2021-03-11T09:54:20Z", request, response, "false") + "</items>"))
	f.Add([]byte("<items burpVersion=\"1\"><item ><!-- x --><request base64='true'> <![CDATA[R0VU]]><![CDATA[IC8=]]> </request></item><item/>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := read(Config{ItemLimit: 1 << 16}, func() io.Reader { return bytes.NewReader(text) })
		if r.err != nil {
			t.Fatal(r.err)
		}
		again := read(Config{ItemLimit: 1 << 16}, func() io.Reader { return iotest.OneByteReader(bytes.NewReader(text)) })
		if again.b.Len() != r.b.Len() {
			t.Fatalf("%d exchanges, byte by byte %d", r.b.Len(), again.b.Len())
		}
		for i := range r.b.Len() {
			x := r.b.At(i)
			if len(x.Method) == 0 || len(x.Target) == 0 || x.Start <= 0 || x.End < x.Start || show(x) != show(again.b.At(i)) {
				t.Fatal(show(x))
			}
		}
		Detect(text)
	})
}

func BenchmarkRun(b *testing.B) {
	text := top + strings.Repeat(entry(when, coded(request+strings.Repeat("x", 2000)), coded(response+strings.Repeat("y", 8000)), "true"), 1000) + "</items>"
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if r := new(source.Ledger); New([]source.Input{{Name: "x", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}}, Config{}).
			Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return nil }), r) != nil || r.Accepted != 1000 {
			b.Fatal(r.Accepted)
		}
	}
}
