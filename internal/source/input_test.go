package source

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func gz(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zs(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

func zl(t testing.TB, b []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func write(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, b := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func names(dir string, inputs []Input) string {
	var s []string
	for _, in := range inputs {
		s = append(s, strings.TrimPrefix(in.Name, dir+"/"))
	}
	return strings.Join(s, " ")
}

func read(t *testing.T, in Input) ([]byte, error) {
	t.Helper()
	r, err := in.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string][]byte{"b.log": []byte("b"), "a.har": []byte("a"), "sub/deep/c.pcap": []byte("c"), "sub/.hidden": []byte("h"), ".git/x": nil, "odd[1].log": []byte("o")})
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	// A loop and a link to a file.
	if err := os.Symlink(dir, filepath.Join(dir, "sub", "loop")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(filepath.Join(dir, "b.log"), filepath.Join(dir, "sub", "link.log")); err != nil {
		t.Fatal(err)
	}
	join := func(n string) string { return filepath.Join(dir, n) }
	for _, c := range []struct {
		paths []string
		want  string
		err   error
	}{
		{[]string{dir}, "a.har b.log odd[1].log sub/deep/c.pcap sub/link.log", nil},
		{[]string{join("b.log"), join("a.har"), join("./b.log")}, "a.har b.log", nil},
		{[]string{join("*.log")}, "b.log odd[1].log", nil},
		{[]string{join("odd[1].log")}, "odd[1].log", nil},
		{[]string{join("s*")}, "sub/deep/c.pcap sub/link.log sub/loop/a.har sub/loop/b.log sub/loop/odd[1].log", nil},
		{[]string{join("nope"), "-", join("a.har")}, "- a.har", fs.ErrNotExist},
		{[]string{join("nope*")}, "", ErrNoFiles},
		{[]string{join("empty")}, "", ErrNoFiles},
		{[]string{join("[")}, "", filepath.ErrBadPattern},
	} {
		inputs, err := Expand(c.paths, strings.NewReader(""))
		if got := names(dir, inputs); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%v: %q, %v; want %q, %v", c.paths, got, err, c.want, c.err)
		}
	}
	if os.Getuid() != 0 {
		if err := os.Chmod(join("a.har"), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := Expand([]string{join("a.har")}, nil); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("unreadable file: %v", err)
		}
	}
}

func TestOpenCompressed(t *testing.T) {
	dir := t.TempDir()
	text := []byte(strings.Repeat("some log line\n", 10000))
	g, z := gz(t, text), zs(t, text)
	files := map[string][]byte{"plain.gz": text, "g": g, "z": z, "two": append(append([]byte(nil), g...), g...), "zz": append(append([]byte(nil), z...), z...),
		"empty": nil, "one": {0x1f}, "l1": zl(t, text, 1), "l5": zl(t, text, 5), "l9": zl(t, text, 9), "x^ text": []byte("x^2 + y^2 = z^2 is no zlib stream, whatever its first two bytes say, is it"),
		"cut l": zl(t, text, 6)[:40], "cut g": g[:len(g)/2], "cut z": z[:len(z)-10], "bad": append(append([]byte(nil), g[:100]...), bytes.Repeat([]byte{0xff}, 50)...)}
	write(t, dir, files)
	both := append(append([]byte(nil), text...), text...)
	for name, c := range map[string]struct {
		want []byte
		err  error
	}{
		"plain.gz": {text, nil}, "g": {text, nil}, "z": {text, nil}, "two": {both, nil}, "zz": {both, nil}, "empty": {nil, nil}, "one": {[]byte{0x1f}, nil},
		"l1": {text, nil}, "l5": {text, nil}, "l9": {text, nil}, "x^ text": {files["x^ text"], nil},
		"cut l": {nil, io.ErrUnexpectedEOF}, "cut g": {nil, io.ErrUnexpectedEOF}, "cut z": {nil, io.ErrUnexpectedEOF}, "bad": {nil, ErrCompression},
	} {
		inputs, err := Expand([]string{filepath.Join(dir, name)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := read(t, inputs[0])
			if !errors.Is(err, c.err) || c.err == nil && (err != nil || !bytes.Equal(got, c.want)) || c.err != nil && !bytes.HasPrefix(both, got) {
				t.Errorf("%s: %d bytes, %v; want %d, %v", name, len(got), err, len(c.want), c.err)
			}
			head, err := Sniff(inputs[0])
			if want := text[:SniffSize]; c.err == nil && len(c.want) > 100 && (err != nil || !bytes.Equal(head, want)) {
				t.Errorf("%s: sniffed %d bytes, %v", name, len(head), err)
			}
		}
	}
}

func TestStdin(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef"), 20000)
	for _, raw := range [][]byte{text, gz(t, text), text[:100]} {
		inputs, err := Expand([]string{"-"}, bytes.NewReader(raw))
		if err != nil || len(inputs) != 1 {
			t.Fatal(err)
		}
		want := text
		if len(raw) == 100 {
			want = raw
		}
		for range 3 {
			if head, err := Sniff(inputs[0]); err != nil || !bytes.Equal(head, want[:min(len(want), SniffSize)]) {
				t.Fatalf("sniffed %d bytes, %v", len(head), err)
			}
		}
		if got, err := read(t, inputs[0]); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if got, err := read(t, inputs[0]); len(want) > SniffSize && (err == nil || len(got) != SniffSize) {
			t.Fatalf("standard input was read twice: %d bytes, %v", len(got), err)
		}
	}
}

func FuzzDecompress(f *testing.F) {
	f.Add(gz(f, []byte("hello")))
	f.Add(zs(f, []byte("hello")))
	f.Add(zl(f, []byte("hello"), 6))
	f.Add([]byte("plain"))
	f.Add([]byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := Input{Name: "x", Open: func() (io.ReadCloser, error) { return Decompress(io.NopCloser(bytes.NewReader(raw))) }}
		head, err := Sniff(in)
		if len(head) > SniffSize || err != nil && len(head) > 0 {
			t.Fatalf("%d bytes, %v", len(head), err)
		}
		if len(raw) < 2 && !bytes.Equal(head, raw) {
			t.Fatal("a plain input was changed")
		}
	})
}
