package goreplay

import (
	"bytes"
	"context"
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

const sep = "\n🐵🙈🙉\n"

func payload(k kind, id string, at, latency int64, text string) string {
	return fmt.Sprintf("%c %s %d %d\n%s%s", k, id, at, latency, text, sep)
}

const (
	t0  = int64(1439818823587396305)
	get = "GET /a?b HTTP/1.1\r\nHost: shop.example\r\nX-Z: 1\r\nAccept: */*\r\n\r\n"
	ok  = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
)

func id(n int) string { return fmt.Sprintf("932079936fa4306fc308d67588178d17d82%05x", n) }

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

func show(x *exchange.Exchange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %d", x.Method, x.Host, x.Target, x.Proto)
	for _, f := range x.Request.Header {
		fmt.Fprintf(&b, " %s=%q", f.Name, f.Value)
	}
	fmt.Fprintf(&b, " %q | %d", x.Request.Body, x.Status)
	for _, f := range x.Response.Header {
		fmt.Fprintf(&b, " %s=%q", f.Name, f.Value)
	}
	fmt.Fprintf(&b, " %q +%s", x.Response.Body, time.Duration(x.End-x.Start))
	return b.String()
}

func TestPairs(t *testing.T) {
	const paired = `GET shop.example /a?b 11 Host="shop.example" X-Z="1" Accept="*/*" "" | 200 Content-Type="text/plain" Transfer-Encoding="chunked" "abc" +7ms`
	const silent = `GET shop.example /a?b 11 Host="shop.example" X-Z="1" Accept="*/*" "" | 0 "" +0s`
	q := func(n int, at int64) string { return payload(request, id(n), t0+at, 0, get) }
	a := func(n int, at int64) string { return payload(response, id(n), t0+at, 5e6, ok) }
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"in order":             {q(1, 0) + a(1, 2e6) + q(2, 10) + a(2, 2e6+10), []string{paired, paired}},
		"interleaved":          {q(1, 0) + q(2, 0) + a(2, 2e6) + a(1, 2e6), []string{paired, paired}},
		"response first":       {a(1, 2e6) + q(1, 0), []string{paired}},
		"no response":          {q(1, 0) + q(2, 0) + a(2, 2e6), []string{paired, silent}},
		"replayed alone":       {q(1, 0) + payload(replayed, id(1), t0+2e6, 5e6, ok), []string{paired}},
		"original goes before": {q(1, 0) + payload(replayed, id(1), t0, 1, "HTTP/1.1 500 no\r\n\r\n") + a(1, 2e6), []string{paired}},
		"looped":               {q(1, 0) + a(1, 2e6) + q(1, 0) + a(1, 2e6), []string{paired, paired}},
		"same id twice":        {q(1, 0) + q(1, 0) + a(1, 2e6), []string{silent, paired}},
		"no latency":           {strings.Replace(q(1, 0), " 0\n", "\n", 1) + a(1, 2e6), []string{paired}},
		"no last separator":    {q(1, 0) + strings.TrimSuffix(a(1, 2e6), sep), []string{paired}},
		"blank payloads":       {"\n" + sep + q(1, 0) + sep + a(1, 2e6), []string{paired}},
	} {
		for _, reader := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
			r := read(Config{}, func() io.Reader { return reader(strings.NewReader(c.text)) })
			var got []string
			for i := range r.b.Len() {
				got = append(got, show(r.b.At(i)))
			}
			if r.err != nil || strings.Join(got, "\n") != strings.Join(c.want, "\n") || len(r.totals.Dropped) != 0 || r.totals.Bytes != int64(len(c.text)) {
				t.Errorf("%s: %v %v\n got %s\nwant %s", name, r.err, r.totals.Dropped, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
		}
	}
	r := read(Config{Ordinal: 2}, func() io.Reader { return strings.NewReader(q(1, 0) + a(1, 1) + q(2, 0)) })
	x, y := r.b.At(0), r.b.At(1)
	if x.Start != t0 || x.Ordinal != 2 || x.Seq != 1 || len(x.ID) != 32 || bytes.Equal(x.ID, y.ID) || x.Caps&exchange.CapHeaderOrder == 0 || x.Client.IsValid() || y.Caps&exchange.CapResponse == 0 {
		t.Errorf("%+v", x)
	}
	if n := r.totals.Quality[source.QualityKey{Code: taxonomy.QualityNoResponses, Detail: "f"}]; n != 1 {
		t.Errorf("%v", r.totals.Quality)
	}
	// A file without any responses shows no status: that nothing answered is
	// not what it says.
	if r = read(Config{}, func() io.Reader { return strings.NewReader(q(1, 0)) }); r.b.At(0).Caps&exchange.CapResponse != 0 {
		t.Error("a response was visible")
	}
}

// The table is bounded: the oldest goes on alone, and its late response is
// counted.
func TestBounds(t *testing.T) {
	var text strings.Builder
	for n := range 20 {
		text.WriteString(payload(request, id(n), t0, 0, get))
	}
	for n := range 20 {
		text.WriteString(payload(response, id(n), t0, 0, ok))
	}
	r := read(Config{Pending: 8}, func() io.Reader { return strings.NewReader(text.String()) })
	if r.b.Len() != 20 || r.totals.Dropped[taxonomy.DropTruncated] == 0 || r.totals.Accepted != 20 {
		t.Errorf("%d %v", r.b.Len(), r.totals.Dropped)
	}
	with, without := 0, 0
	for i := range r.b.Len() {
		if r.b.At(i).Status == 200 {
			with++
		} else {
			without++
		}
	}
	if uint64(without) != r.totals.Dropped[taxonomy.DropTruncated] {
		t.Errorf("%d with, %d without, %v", with, without, r.totals.Dropped)
	}
}

func TestBrokenPayloads(t *testing.T) {
	good := payload(request, id(1), t0, 0, get) + payload(response, id(1), t0, 0, ok)
	for name, c := range map[string]struct {
		text   string
		reason taxonomy.DropReason
		n      uint64
	}{
		"no meta":         {"hello" + sep, taxonomy.DropCorrupt, 1},
		"unknown type":    {payload('4', id(2), t0, 0, get), taxonomy.DropCorrupt, 1},
		"bad id":          {payload(request, "a/b", t0, 0, get), taxonomy.DropCorrupt, 1},
		"bad time":        {"1 " + id(2) + " x 0\n" + get + sep, taxonomy.DropCorrupt, 1},
		"time too large":  {"1 " + id(2) + " 9223372036854775807 0\n" + get + sep, taxonomy.DropCorrupt, 1},
		"no HTTP":         {payload(request, id(2), t0, 0, "hello"), taxonomy.DropCorrupt, 1},
		"no HTTP answer":  {payload(request, id(2), t0, 0, get) + payload(response, id(2), t0, 0, "hello"), taxonomy.DropCorrupt, 1},
		"large head":      {payload(request, id(2), t0, 0, "GET / HTTP/1.1\r\nA: "+strings.Repeat("x", 70<<10)+"\r\n\r\n"), taxonomy.DropOversize, 1},
		"large payload":   {payload(request, id(2), t0, 0, get+strings.Repeat("x", 900<<10)), taxonomy.DropOversize, 1},
		"lonely response": {payload(response, id(2), t0, 0, ok), taxonomy.DropTruncated, 1},
	} {
		text := good + c.text + good
		r := read(Config{PayloadLimit: 128 << 10}, func() io.Reader { return strings.NewReader(text) })
		if r.err != nil || r.b.Len() != 2 || r.totals.Dropped[c.reason] != c.n || len(r.totals.Dropped) != 1 {
			t.Errorf("%s: %v %d %v", name, r.err, r.b.Len(), r.totals.Dropped)
		} else if p := r.totals.Problems[0]; p.Offset != int64(len(good)) {
			t.Errorf("%s: %+v, want offset %d", name, p, len(good))
		}
	}
	r := read(Config{}, func() io.Reader {
		return io.MultiReader(strings.NewReader(good), iotest.ErrReader(io.ErrUnexpectedEOF))
	})
	if r.b.Len() != 1 || len(r.totals.Problems) != 1 || r.totals.Problems[0].Reason != taxonomy.DropTruncated {
		t.Errorf("%+v", r.totals)
	}
}

func TestDetect(t *testing.T) {
	for text, want := range map[string]bool{
		payload(request, id(1), t0, 0, get): true, payload(response, id(1), t0, 5, ok): true, "\n" + payload(request, id(1), t0, 0, get): true,
		"1 " + id(1) + " 1439818823587396305\nGET / HTTP/1.0": true, "1 " + id(1) + " 1439818823587396305\nhello\n": false,
		"1 2 3\n4 5 6\n": false, "": false, "1.2.3.4 - - [x] \"GET / HTTP/1.1\" 200 1\n": false, get: false,
	} {
		if got := Detect([]byte(text)); got != want {
			t.Errorf("%.60q: %v", text, got)
		}
	}
}

func TestErrors(t *testing.T) {
	stop := errors.New("stop")
	in := source.Input{Name: "a", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(payload(request, id(1), t0, 0, get))), nil
	}}
	s := New([]source.Input{in}, Config{})
	if err := s.Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return stop }), new(source.Ledger)); !errors.Is(err, stop) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Run(ctx, source.SinkFunc(func(*exchange.Exchange) error { return nil }), new(source.Ledger)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzGoReplay(f *testing.F) {
	f.Add([]byte(payload(request, id(1), t0, 0, get) + payload(response, id(1), t0, 5, ok) + payload(replayed, id(1), t0, 5, ok)))
	f.Add([]byte(payload(response, "a", 1, 0, ok) + "\n" + payload(request, "a", 1, 86400000000000, "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc")))
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg := Config{PayloadLimit: 1 << 14, Pending: 3}
		r := read(cfg, func() io.Reader { return bytes.NewReader(text) })
		again := read(cfg, func() io.Reader { return iotest.OneByteReader(bytes.NewReader(text)) })
		if r.err != nil || again.b.Len() != r.b.Len() {
			t.Fatalf("%v, %d exchanges, byte by byte %d", r.err, r.b.Len(), again.b.Len())
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
	var text bytes.Buffer
	for n := range 1000 {
		text.WriteString(payload(request, id(n), t0, 0, get+strings.Repeat("x", 500)))
		text.WriteString(payload(response, id(n), t0, 5, ok+strings.Repeat("y", 4000)))
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		ledger := new(source.Ledger)
		in := source.Input{Name: "x", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text.Bytes())), nil }}
		if err := New([]source.Input{in}, Config{}).Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return nil }), ledger); err != nil || ledger.Accepted != 1000 {
			b.Fatal(err, ledger.Accepted)
		}
	}
}
