package har

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

func input(name string, b []byte) source.Input {
	return source.Input{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

type result struct {
	exchanges exchange.Batch
	totals    source.Totals
	err       error
}

func (r *result) drops() string {
	var s []string
	for _, reason := range []taxonomy.DropReason{taxonomy.DropCorrupt, taxonomy.DropTruncated, taxonomy.DropOversize, taxonomy.DropUnsupported} {
		if n := r.totals.Dropped[reason]; n > 0 {
			s = append(s, fmt.Sprintf("%s=%d", reason, n))
		}
	}
	return strings.Join(s, " ")
}

func (r *result) ids() string {
	var s []string
	for i := range r.exchanges.Len() {
		s = append(s, string(r.exchanges.At(i).ID))
	}
	return strings.Join(s, " ")
}

func readAll(cfg Config, inputs ...source.Input) *result {
	res := new(result)
	var ledger source.Ledger
	res.err = New(inputs, cfg).Run(context.Background(), source.SinkFunc(func(x *exchange.Exchange) error {
		res.exchanges.Append(x)
		return nil
	}), &ledger)
	res.totals = ledger.Totals()
	return res
}

const entryA = `{"startedDateTime":"2022-04-01T00:00:00Z","request":{"method":"GET","url":"http://a/1"},"response":{"status":200}}`
const entryB = `{"startedDateTime":"2022-04-01T00:00:01Z","_id":"b","request":{"method":"GET","url":"http://a/2\"\\}]"},"response":{"status":200}}`

func document(entries ...string) string {
	return `{"pre":{"entries":[1,"}"]},"log":{"version":"1.2","pages":[{"id":"]}"}],"entries":[` + strings.Join(entries, ",") + `],"browser":{}},"post":1}`
}

func TestDocument(t *testing.T) {
	for name, c := range map[string]struct {
		doc   string
		n     uint64
		drops string
		notes int
	}{
		"two":            {document(entryA, entryB), 2, "", 0},
		"none":           {document(), 0, "", 0},
		"bom":            {"\xef\xbb\xbf" + document(entryA), 1, "", 0},
		"two documents":  {document(entryA) + "\n" + document(entryB), 2, "", 0},
		"bad entry":      {document(entryA, `{"request":{"method":1}}`, entryB), 2, "corrupt=1", 1},
		"no object":      {document(entryA, `17, "x"`, entryB), 2, "corrupt=1", 1},
		"data url":       {document(strings.Replace(entryA, "http://a/1", "data:,x", 1), entryB), 1, "unsupported_protocol=1", 1},
		"missing comma":  {document(entryA + entryB), 2, "", 0},
		"no log":         {`{"x":[]}`, 0, "corrupt=1", 1},
		"log is a list":  {`{"log":[2,1,3]` + "\n" + `"request:"}`, 0, "corrupt=1", 1},
		"nothing":        {``, 0, "corrupt=1", 1},
		"text":           {`hello`, 0, "corrupt=1", 1},
		"after comma":    {`{"log":{"entries":[` + entryA + `,`, 1, "truncated=1", 1},
		"between":        {`{"log":{"entries":[` + entryA, 1, "", 1},
		"without braces": {`{"log":{"entries":[` + entryA + `]`, 1, "", 1},
	} {
		for _, reader := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
			in := source.Input{Name: "x.har", Open: func() (io.ReadCloser, error) { return io.NopCloser(reader(strings.NewReader(c.doc))), nil }}
			r := readAll(Config{}, in)
			if r.err != nil || r.totals.Accepted != c.n || r.drops() != c.drops || len(r.totals.Problems) != c.notes {
				t.Errorf("%s: %v, %d exchanges, drops %q, %v", name, r.err, r.totals.Accepted, r.drops(), r.totals.Problems)
			}
			if r.totals.Bytes != int64(len(c.doc)) {
				t.Errorf("%s: %d of %d bytes counted", name, r.totals.Bytes, len(c.doc))
			}
		}
	}
}

// Cut anywhere, a document gives the entries before the cut.
func TestTruncatedAnywhere(t *testing.T) {
	doc := document(entryA, entryB, entryA)
	ends := []int{}
	for i := 0; ; {
		j := strings.Index(doc[i:], `"status":200}}`)
		if j < 0 {
			break
		}
		i += j + len(`"status":200}}`)
		ends = append(ends, i)
	}
	for cut := range len(doc) {
		r := readAll(Config{}, input("x", []byte(doc[:cut])))
		want := 0
		for _, e := range ends {
			if cut >= e {
				want++
			}
		}
		if r.err != nil || int(r.totals.Accepted) != want {
			t.Fatalf("cut at %d: %v, %d exchanges, want %d", cut, r.err, r.totals.Accepted, want)
		}
		if len(r.totals.Problems) != 1 && cut < len(doc)-1 && cut != len(doc) {
			t.Fatalf("cut at %d: %v", cut, r.totals.Problems)
		}
	}
	r := readAll(Config{}, input("x", []byte(doc[:ends[1]+10])))
	if p := r.totals.Problems[0]; p.Offset != int64(ends[1]+1) || r.drops() != "truncated=1" {
		t.Errorf("%+v", p)
	}
}

func TestOversizeEntry(t *testing.T) {
	giant := strings.Replace(entryA, `"GET"`, `"GET","x":"`+strings.Repeat("y\\\"", 300<<10)+`"`, 1)
	r := readAll(Config{EntryLimit: 100 << 10}, input("x", []byte(document(entryA, giant, entryB))))
	if r.totals.Accepted != 2 || r.drops() != "oversize=1" || r.totals.Problems[0].Offset != int64(strings.Index(document(entryA, giant), giant)) {
		t.Errorf("%d, %q, %+v", r.totals.Accepted, r.drops(), r.totals.Problems)
	}
	r = readAll(Config{EntryLimit: 100 << 10}, input("x", []byte(entryA+"\n"+giant+"\n"+entryB)))
	if r.totals.Accepted != 2 || r.drops() != "oversize=1" || r.totals.Problems[0].Line != 2 {
		t.Errorf("%d, %q, %+v", r.totals.Accepted, r.drops(), r.totals.Problems)
	}
}

func TestLines(t *testing.T) {
	text := "\xef\xbb\xbf" + entryA + "\r\n\n{broken}\n" + entryB + "\n" + entryA + "\n" + entryA[:60]
	for _, reader := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader} {
		in := source.Input{Name: "x.harl", Open: func() (io.ReadCloser, error) { return io.NopCloser(reader(strings.NewReader(text))), nil }}
		r := readAll(Config{Ordinal: 3}, in)
		if r.err != nil || r.totals.Accepted != 3 || r.drops() != "corrupt=1 truncated=1" {
			t.Fatalf("%v, %d, %s %+v", r.err, r.totals.Accepted, r.drops(), r.totals.Problems)
		}
		if p := r.totals.Problems[0]; p.Line != 3 || p.Offset != -1 {
			t.Errorf("%+v", p)
		}
		if x := r.exchanges.At(2); x.Ordinal != 3 || x.Seq != 3 {
			t.Errorf("order key %d %d", x.Ordinal, x.Seq)
		}
		if r.totals.Quality[source.QualityKey{Code: taxonomy.QualityNoTLS, Detail: "x.harl"}] != 3 {
			t.Errorf("%v", r.totals.Quality)
		}
	}
}

// Ids depend on content: document or lines, pretty or compact, whole or split.
func TestIDsSurviveReformatting(t *testing.T) {
	compact := readAll(Config{}, input("a", []byte(document(entryA, entryB, entryA))))
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(document(entryA, entryB, entryA)), "", "  "); err != nil {
		t.Fatal(err)
	}
	for name, inputs := range map[string][]source.Input{
		"pretty": {input("b", pretty.Bytes())},
		"lines":  {input("c", []byte(entryA+"\n"+entryB+"\n"+entryA+"\n"))},
		"split":  {input("d", []byte(entryA+"\n"+entryB)), input("e", []byte(document(entryA)))},
	} {
		if r := readAll(Config{}, inputs...); r.ids() != compact.ids() {
			t.Errorf("%s: %s, want %s", name, r.ids(), compact.ids())
		}
	}
	ids := strings.Fields(compact.ids())
	if len(ids) != 3 || ids[0] == ids[2] || ids[1] != "b" {
		t.Error(ids)
	}
}

func TestDetect(t *testing.T) {
	for head, want := range map[string]Format{
		document(entryA): Document, "  \n{ \"log\" : { \"version\"": Document, "\xef\xbb\xbf{\"log\":{": Document, entryA: Lines, "{bad\n\n" + entryB: Lines,
		`{"_id":"x","request":{"method":"GET","url":"http://a/` + strings.Repeat("x", 100):         Lines,
		`{"level":"info","request":{"remote_ip":"1.2.3.4","method":"GET","uri":"/"},"status":200}`: None,
		`{"time_local":"x","request":"GET / HTTP/1.1"}`:                                            None,
		`{"har":` + document(entryA) + `}`:                                                         Document, `{"record":{"log":"GET / HTTP/1.1"}}`: None,
		`{"request":{"uri":"/a","url":"http://h/a","method":"GET","headers":{"host":"h"}},"client_ip":"1.2.3.4","started_at":1614232668342}`: None,
		`{"request":{"url":"/a","method":"GET"},"status":200,"time":"2022-04-01T00:00:00Z"}`:                                                 None,
		`{"request":{"headers":{"a":"` + strings.Repeat("x", 100):                                                                            None,
		`{"log":"GET / HTTP/1.1","stream":"stdout","time":"2022-04-01T00:00:00Z"}`:                                                           None,
		``: None, `{`: None, `[]`: None, `1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1`: None, "\xd4\xc3\xb2\xa1": None,
	} {
		if got := Detect([]byte(head)); got != want {
			t.Errorf("%.60q: %v, want %v", head, got, want)
		}
	}
}

// A document within a tool's own object, and a WebSocket as browsers record it:
// the handshake is the exchange.
func TestWrappedAndWebSocket(t *testing.T) {
	const socket = `{"startedDateTime":"2022-04-01T00:00:00Z","time":-1,"_resourceType":"websocket","_webSocketMessages":[{"type":"send","time":1.5,"opcode":1,"data":"{}"}],` +
		`"request":{"method":"GET","url":"wss://h.example/chat?x","headers":[{"name":"Upgrade","value":"websocket"}],"bodySize":0},"response":{"status":101,"headers":[],"content":{"size":0},"bodySize":-1}}`
	r := readAll(Config{}, input("a", []byte(`{"status":"ok","empty":{},"data":`+document(entryA, socket)+`,"more":{"log":1}}`)))
	if r.err != nil || r.exchanges.Len() != 2 || r.drops() != "" {
		t.Fatalf("%v %d %s %+v", r.err, r.exchanges.Len(), r.drops(), r.totals.Problems)
	}
	if x := r.exchanges.At(1); string(x.Target) != "/chat?x" || !x.Secure || x.Status != 101 || string(x.Host) != "h.example" {
		t.Errorf("%s %s %v %d", x.Host, x.Target, x.Secure, x.Status)
	}
}

func TestErrors(t *testing.T) {
	stop := errors.New("stop")
	var ledger source.Ledger
	err := New([]source.Input{input("a", []byte(document(entryA, entryB)))}, Config{}).Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return stop }), &ledger)
	if !errors.Is(err, stop) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	lines := strings.Repeat(entryA+"\n", 1000)
	err = New([]source.Input{input("a", []byte(lines))}, Config{}).Run(ctx, source.SinkFunc(func(*exchange.Exchange) error { n++; cancel(); return nil }), &ledger)
	if !errors.Is(err, context.Canceled) || n > 256 {
		t.Error(err, n)
	}
	gone := source.Input{Name: "gone", Open: func() (io.ReadCloser, error) { return nil, os.ErrNotExist }}
	r := readAll(Config{}, gone, input("a", []byte(document(entryA))))
	if !errors.Is(r.err, os.ErrNotExist) || r.totals.Accepted != 1 {
		t.Error(r.err, r.totals)
	}
	broken := source.Input{Name: "cut", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(entryA+"\n"), iotest.ErrReader(io.ErrUnexpectedEOF))), nil
	}}
	r = readAll(Config{}, broken)
	if r.err != nil || r.totals.Accepted != 1 || len(r.totals.Problems) != 1 || r.totals.Problems[0].Reason != taxonomy.DropTruncated {
		t.Errorf("%v %+v", r.err, r.totals)
	}
}

func FuzzHAR(f *testing.F) {
	f.Add([]byte(document(entryA, entryB)), 7)
	f.Add([]byte(entryA+"\n"+entryB), 3)
	f.Add([]byte(`{"log":{"entries":[{"a":"\\`), 1)
	f.Fuzz(func(t *testing.T, raw []byte, step int) {
		whole := readAll(Config{EntryLimit: 4096}, input("x", raw))
		parts := source.Input{Name: "x", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(&slow{raw, 1 + step&15}), nil
		}}
		split := readAll(Config{EntryLimit: 4096}, parts)
		if whole.err != nil || whole.ids() != split.ids() || whole.drops() != split.drops() || fmt.Sprint(whole.totals) != fmt.Sprint(split.totals) {
			t.Fatalf("the size of reads matters: %q %+v, %q %+v", whole.ids(), whole.totals, split.ids(), split.totals)
		}
		// A sound document gives what encoding/json sees.
		var doc struct {
			Log *struct{ Entries []json.RawMessage }
		}
		if Detect(raw) == Document && json.Unmarshal(raw, &doc) == nil && doc.Log != nil && bytes.Count(bytes.ToLower(raw), []byte("entries")) == 1 && bytes.Count(bytes.ToLower(raw), []byte("log")) == 1 &&
			bytes.Contains(raw, []byte(`"entries"`)) && bytes.Contains(raw, []byte(`"log"`)) && !bytes.Contains(raw, []byte(`\u`)) {
			objects := 0
			for _, e := range doc.Log.Entries {
				if e[0] == '{' {
					objects++
				}
			}
			dropped := uint64(0)
			for _, n := range whole.totals.Dropped {
				dropped += n
			}
			if got := whole.totals.Accepted + dropped; got < uint64(objects) {
				t.Fatalf("%d of %d entries accounted for", got, objects)
			}
		}
	})
}

type slow struct {
	b    []byte
	step int
}

func (s *slow) Read(b []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), s.step)], s.b)
	s.b = s.b[n:]
	return n, nil
}

func BenchmarkLines(b *testing.B) {
	text := []byte(strings.Repeat(entryA+"\n"+entryB+"\n", 5000))
	sink := source.SinkFunc(func(*exchange.Exchange) error { return nil })
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var ledger source.Ledger
		if err := New([]source.Input{input("x", text)}, Config{}).Run(context.Background(), sink, &ledger); err != nil {
			b.Fatal(err)
		}
	}
}
