package pcap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// corpora finds the corpora beside the module.
func corpora(t testing.TB, elem ...string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	p := filepath.Join(append([]string{dir, "..", "shared", "corpora"}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("corpus folder %s is absent", p)
	}
	return p
}

// fileInput opens a capture, compressed or not.
func fileInput(path string) Input {
	return Input{Name: path, Open: func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		switch filepath.Ext(path) {
		case ".gz":
			z, err := gzip.NewReader(f)
			return struct {
				io.Reader
				io.Closer
			}{z, f}, err
		case ".zst":
			z, err := zstd.NewReader(f)
			return struct {
				io.Reader
				io.Closer
			}{z, f}, err
		}
		return f, nil
	}}
}

func bytesInput(name string, b []byte) Input {
	return Input{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// taken is a copy of what the tests compare.
type taken struct {
	ID, Client, Server   string
	Start, End           int64
	Proto                uint8
	Method, Target, Host string
	Status               int
	ReqBody, RespBody    string
	ReqSize, RespSize    int64
	ReqCut, RespCut      int64
	ReqHead, RespHead    string
	RespTrailer          string
	Messages             string
	Caps                 exchange.Caps
}

func take(x *exchange.Exchange) taken {
	head := func(fields []exchange.Field) string {
		var b strings.Builder
		for _, f := range fields {
			b.Write(f.Name)
			b.WriteString(": ")
			b.Write(f.Value)
			b.WriteByte('\n')
		}
		return b.String()
	}
	var messages strings.Builder
	for _, m := range x.Messages {
		fmt.Fprintf(&messages, "%v %v %d %s\n", m.Sent, m.Text, m.Size, m.Data)
	}
	return taken{ID: string(x.ID), Client: x.Client.String(), Server: x.Server.String(), Start: x.Start, End: x.End,
		Proto: x.Proto, Method: string(x.Method), Target: string(x.Target), Host: string(x.Host), Status: x.Status,
		ReqBody: string(x.Request.Body), RespBody: string(x.Response.Body),
		ReqSize: x.Request.BodySize, RespSize: x.Response.BodySize,
		ReqCut: x.Request.Truncated, RespCut: x.Response.Truncated,
		ReqHead: head(x.Request.Header), RespHead: head(x.Response.Header), RespTrailer: head(x.Response.Trailer), Messages: messages.String(), Caps: x.Caps}
}

// run decodes inputs and checks the books.
func run(t testing.TB, cfg Config, inputs ...Input) ([]taken, *Source, source.Totals) {
	t.Helper()
	s := New(inputs, cfg)
	var got []taken
	l := &source.Ledger{}
	if err := s.Run(context.Background(), source.SinkFunc(func(x *exchange.Exchange) error {
		got = append(got, take(x))
		return nil
	}), l); err != nil && !errors.Is(err, ErrNothingOpened) {
		t.Fatal(err)
	}
	st := s.Stats()
	if st.Begun != st.Emitted+st.Dropped() {
		t.Errorf("begun %d, emitted %d, dropped %d", st.Begun, st.Emitted, st.Dropped())
	}
	if st.Emitted != uint64(len(got)) {
		t.Errorf("emitted %d, sink got %d", st.Emitted, len(got))
	}
	return got, s, l.Totals()
}

func lines(t testing.TB, path string, each func([]byte)) {
	in := fileInput(path)
	r, err := in.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := bufio.NewScanner(r)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		each(s.Bytes())
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
}

// TestSampleCapture compares every request of the sample capture with what
// tshark found in it.
func TestSampleCapture(t *testing.T) {
	dir := corpora(t, "captures", "vampi")
	type row struct {
		TS     float64
		Src    string
		Sport  uint16
		Method string
		URI    string
		Status *int
	}
	type key struct {
		client, method, target string
		status                 int
	}
	want := map[key][]int64{}
	n := 0
	lines(t, filepath.Join(dir, "requests.jsonl.gz"), func(b []byte) {
		var r row
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		status := 0
		if r.Status != nil {
			status = *r.Status
		}
		n++
		k := key{fmt.Sprintf("%s:%d", r.Src, r.Sport), r.Method, r.URI, status}
		want[k] = append(want[k], int64(r.TS*1e6+0.5))
	})
	got, s, totals := run(t, Config{}, fileInput(filepath.Join(dir, "vampi.pcap.zst")))
	if len(got) != n {
		t.Errorf("%d exchanges, want %d", len(got), n)
	}
	misses, reset := 0, 0
	ids := map[string]bool{}
	for i := range got {
		g := &got[i]
		ids[g.ID] = true
		k := key{g.Client, g.Method, g.Target, g.Status}
		// The list has the time of the frame that completed the request.
		if len(want[k]) == 0 && g.RespCut > 0 {
			// tshark gives no status where the connection was reset inside
			// the response; the head was there, so we do.
			k.status = 0
			reset++
		}
		at := slices.IndexFunc(want[k], func(us int64) bool { return us >= g.Start/1000-1 && us <= g.End/1000+1 })
		if at < 0 {
			if misses++; misses < 10 {
				t.Logf("not in the list: %s %s %s %d at %d", g.Client, g.Method, g.Target, g.Status, g.Start)
			}
			continue
		}
		want[k] = slices.Delete(want[k], at, at+1)
	}
	if misses > 0 {
		t.Errorf("%d exchanges differ", misses)
	}
	if len(ids) != n {
		t.Errorf("%d different ids for %d exchanges", len(ids), n)
	}
	if reset != 8 {
		t.Errorf("%d responses were reset, the capture has 8", reset)
	}
	t.Logf("stats %+v", s.Stats())
	t.Logf("blind %v dropped %v problems %v", s.Blind(), totals.Dropped, totals.Problems)
}
