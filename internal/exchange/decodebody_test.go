package exchange

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

const goldenLine, goldenEntry = "e8b3f56183a4d21c18fa4326a84d0d13", "69dcc84fba01f48f225f8e71ee0c9f6a"

// must is for writers that cannot fail.
func must(_ int, err error) {
	if err != nil {
		panic(err)
	}
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	must(w.Write(b))
	must(0, w.Close())
	return out.Bytes()
}

func zl(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	must(w.Write(b))
	must(0, w.Close())
	return out.Bytes()
}

func rawDeflate(b []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 6)
	must(w.Write(b))
	must(0, w.Close())
	return out.Bytes()
}

func zs(b []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(b, nil)
}

func br(b []byte) []byte {
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, 5)
	must(w.Write(b))
	must(0, w.Close())
	return out.Bytes()
}

func coded(coding string, body []byte) *Message {
	return &Message{Header: []Field{{[]byte("Content-Encoding"), []byte(coding)}}, Body: body}
}

func TestDecodeBody(t *testing.T) {
	text := []byte(strings.Repeat("The quick brown fox. ", 300))
	for name, c := range map[string]struct {
		m     *Message
		limit int
		want  []byte
		cut   bool
		err   error
	}{
		"none":        {&Message{Body: text}, 0, text, false, nil},
		"identity":    {coded("identity, ", text), 0, text, false, nil},
		"cut":         {&Message{Body: text}, 10, text[:10], true, nil},
		"gzip":        {coded("gzip", gz(text)), 0, text, false, nil},
		"x-gzip":      {coded("X-GZIP", gz(text)), 0, text, false, nil},
		"two members": {coded("gzip", append(gz(text), gz(text)...)), 0, append(append([]byte(nil), text...), text...), false, nil},
		"gzip cut":    {coded("gzip", gz(text)), 100, text[:100], true, nil},
		"exact":       {coded("gzip", gz(text)), len(text), text, false, nil},
		"zlib":        {coded("deflate", zl(text)), 0, text, false, nil},
		"raw deflate": {coded("deflate", rawDeflate(text)), 0, text, false, nil},
		"zstd":        {coded("zstd", zs(text)), 0, text, false, nil},
		"stacked":     {coded("deflate, gzip,zstd", zs(gz(rawDeflate(text)))), 0, text, false, nil},
		"four":        {coded("gzip,gzip,gzip,gzip", gz(gz(gz(gz(text))))), 0, text, false, nil},
		"five":        {coded("gzip,gzip,gzip,gzip,gzip", text), 0, text, false, ErrCodings},
		"brotli":      {coded("br", br(text)), 0, text, false, nil},
		"brotli cut":  {coded("br", br(text)), 100, text[:100], true, nil},
		"brotli lie":  {coded("br", text), 0, text, false, ErrNotCoded},
		"br in gzip":  {coded("br, gzip", gz(br(text))), 0, text, false, nil},
		"gzip in br":  {coded("gzip, BR", br(gz(text))), 0, text, false, nil},
		"brotli bomb": {coded("br", br(make([]byte, 64<<20))), 1 << 20, make([]byte, 1<<20), true, ErrBomb},
		"brotli tail": {coded("br", append(br(text), "tail"...)), 0, text, false, ErrCodingCorrupt},
		"unknown":     {coded("compress", text), 0, text, false, ErrCodingUnsupported},
		"in gzip":     {coded("compress, gzip", gz(text)), 0, text, false, ErrCodingUnsupported},
		"misused":     {coded("utf-8", text), 0, text, false, ErrCodingUnsupported},
		"lie":         {coded("gzip", text), 0, text, false, ErrNotCoded},
		"deflate lie": {coded("deflate", text), 0, text, false, ErrNotCoded},
		"inner lie":   {coded("zstd, gzip", gz(text)), 0, text, false, ErrNotCoded},
		"empty":       {coded("gzip", nil), 0, nil, false, nil},
		"decoded":     {&Message{Body: text, Decoded: true, Header: coded("gzip", nil).Header}, 0, text, false, nil},
		"bomb":        {coded("gzip", gz(make([]byte, 10<<20))), 1 << 20, make([]byte, 1<<20), true, ErrBomb},
		"zstd bomb":   {coded("zstd", zs(make([]byte, 64<<20))), 1 << 20, make([]byte, 1<<20), true, ErrBomb},
		"trailer":     {coded("gzip", append(gz(text), "tail"...)), 0, text, false, ErrCodingCorrupt},
	} {
		for range 2 { // the second round uses pooled readers
			body, cut, err := DecodeBody(nil, c.m, c.limit)
			if !bytes.Equal(body, c.want) || (cut > 0) != c.cut || !errors.Is(err, c.err) {
				t.Errorf("%s: %d bytes (want %d), cut %d, %v (want %v)", name, len(body), len(c.want), cut, err, c.err)
			}
		}
	}
}

func TestDecodeBodyCutShort(t *testing.T) {
	var text []byte
	for i := range 9000 {
		text = fmt.Appendf(text, "line %d of %x\n", i, i*i*7919)
	}
	for coding, full := range map[string][]byte{"gzip": gz(text), "deflate": zl(text), "zstd": zs(text), "br": br(text)} {
		body, _, err := DecodeBody([]byte("kept"), coded(coding, full[:len(full)-6]), 0)
		if !errors.Is(err, ErrCodingCorrupt) || !bytes.HasPrefix(body, []byte("kept")) || !bytes.HasPrefix(text, body[4:]) {
			t.Errorf("%s: %d bytes, %v", coding, len(body), err)
		}
		if len(body) < 1000 {
			t.Errorf("%s: only %d bytes", coding, len(body))
		}
	}
}

// An inner coding may not run for ever while the outer gives nothing.
func TestDecodeBodyInnerBomb(t *testing.T) {
	empty := bytes.Repeat(gz(nil), 1<<17) // 3 MB of empty members
	body, _, err := DecodeBody(nil, coded("gzip, gzip", gz(empty)), 64<<10)
	if len(body) != 0 || !errors.Is(err, ErrBomb) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

func TestDecodeBodyAllocs(t *testing.T) {
	text := []byte(strings.Repeat("The quick brown fox. ", 300))
	dst := make([]byte, 0, 16<<10)
	for name, m := range map[string]*Message{"gzip": coded("gzip", gz(text)), "zlib": coded("deflate", zl(text)), "raw": coded("deflate", rawDeflate(text)),
		"zstd": coded("zstd", zs(text)), "brotli": coded("br", br(text)), "stacked": coded("gzip, zstd", zs(gz(text)))} {
		n := testing.AllocsPerRun(200, func() {
			if _, _, err := DecodeBody(dst, m, 0); err != nil {
				t.Fatal(err)
			}
		})
		limit := 1.0
		if name == "brotli" {
			limit = 8 // the library's code tables of one stream
		}
		if n >= limit {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func FuzzDecodeBody(f *testing.F) {
	text := []byte(strings.Repeat("seed ", 50))
	f.Add("gzip", gz(text))
	f.Add("deflate", zl(text))
	f.Add("deflate", rawDeflate(text))
	f.Add("zstd", zs(text))
	f.Add("gzip, zstd", zs(gz(text)))
	f.Add("br", text)
	f.Add("br", br(text))
	f.Add("gzip, br", br(gz(text)))
	f.Fuzz(func(t *testing.T, coding string, body []byte) {
		const limit = 1 << 16
		m := coded(coding, body)
		got, cut, err := DecodeBody(nil, m, limit)
		if len(got) > limit || cut < 0 {
			t.Fatalf("%d bytes, cut %d", len(got), cut)
		}
		// The standard library reads the same where it can.
		if coding == "gzip" && err == nil {
			r, e := gzip.NewReader(bytes.NewReader(body))
			if e != nil {
				if len(body) > 0 {
					t.Fatal(e)
				}
				return
			}
			want, e := io.ReadAll(io.LimitReader(r, limit))
			if e != nil || !bytes.Equal(want, got) {
				t.Fatalf("%v: %d bytes, want %d", e, len(got), len(want))
			}
		}
		again, cut2, err2 := DecodeBody(nil, m, limit)
		if !bytes.Equal(got, again) || cut != cut2 || (err == nil) != (err2 == nil) {
			t.Fatal("a used reader gives another result")
		}
	})
}

func BenchmarkDecodeBodyGzip(b *testing.B) {
	text := []byte(strings.Repeat(`{"id":12345,"name":"someone","city":"Hangzhou"},`, 50))
	m := coded("gzip", gz(text))
	dst := make([]byte, 0, 8<<10)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := DecodeBody(dst, m, 0); err != nil {
			b.Fatal(err)
		}
	}
}
