package msgpack

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"xiezhi/internal/observe/jsonleaf"
)

type collector struct {
	w   *jsonleaf.Walker
	out []string
}

func (c *collector) Leaf(_ uint64, k jsonleaf.Kind, v []byte) {
	c.out = append(c.out, fmt.Sprintf("%s=%d:%s", c.w.AppendPath(nil), k, v))
}

func read(b string, max uint32) (out []string, complete, over bool) {
	w := &jsonleaf.Walker{Seed: 1}
	c := &collector{w: w}
	complete, over = new(Reader).Read([]byte(b), w, c, max)
	return c.out, complete, over
}

func TestRead(t *testing.T) {
	const s, i, f, b, n = jsonleaf.String, jsonleaf.Int, jsonleaf.Float, jsonleaf.Bool, jsonleaf.Null
	leaf := func(path string, k jsonleaf.Kind, v string) string { return fmt.Sprintf("%s=%d:%s", path, k, v) }
	for name, c := range map[string]struct {
		in       string
		want     []string
		complete bool
	}{
		"integers": {"\x9a\x00\x7f\xff\xe0\xcc\xff\xcd\xff\xff\xce\xff\xff\xff\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xd0\x80\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
			[]string{leaf("[]", i, "0"), leaf("[]", i, "127"), leaf("[]", i, "-1"), leaf("[]", i, "-32"), leaf("[]", i, "255"), leaf("[]", i, "65535"), leaf("[]", i, "4294967295"), leaf("[]", i, "18446744073709551615"), leaf("[]", i, "-128"), leaf("[]", i, "-9223372036854775808")}, true},
		"others":   {"\x95\xc0\xc2\xc3\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", []string{leaf("[]", n, "null"), leaf("[]", b, "false"), leaf("[]", b, "true"), leaf("[]", f, "1.5"), leaf("[]", n, "null")}, true},
		"strings":  {"\x94\xa1a\xd9\x01b\xda\x00\x01c\xc4\x02\xff\xfe", []string{leaf("[]", s, "a"), leaf("[]", s, "b"), leaf("[]", s, "c"), leaf("[]", s, "")}, true},
		"map":      {"\x82\xa1a\x81\xa1b\x01\x05\xa1x", []string{leaf("a.b", i, "1"), leaf("{}", s, "x")}, true},
		"empty":    {"\x92\x80\x90", []string{leaf("[]", jsonleaf.EmptyObject, ""), leaf("[]", jsonleaf.EmptyArray, "")}, true},
		"ext":      {"\x92\xd6\xff\x65\x00\x00\x00\xd4\x01\xab", []string{leaf("[]", i, "1694498816"), leaf("[]", s, "ab")}, true},
		"stream":   {"\x81\xa1a\x01\x81\xa1a\x02", []string{leaf("a", i, "1"), leaf("a", i, "2")}, true},
		"cut":      {"\x82\xa1a\x01\xa1b", []string{leaf("a", i, "1")}, false},
		"claims":   {"\xdd\xff\xff\xff\xff\x01", []string{leaf("[]", i, "1")}, false},
		"long str": {"\xdb\xff\xff\xff\xffabc", nil, false},
		"never":    {"\xc1", nil, false},
	} {
		if got, complete, _ := read(c.in, 1000); !reflect.DeepEqual(got, c.want) || complete != c.complete {
			t.Errorf("%s: %q (want %q), complete %v", name, got, c.want, complete)
		}
	}
	if got, _, over := read("\x93\x01\x02\x03", 2); len(got) != 2 || !over {
		t.Errorf("%q, over %v", got, over)
	}
	deep := strings.Repeat("\x91", 100000)
	if _, complete, _ := read(deep, 1000); complete {
		t.Error("depth has no cap")
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"\x82\xa1a\x01\xa1b\x92\xc0\xc3", "\xde\x00\x01\xa1a\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "\xc7\x04\xff\x00\x00\x00\x00", "\x91\x91\x91\x80"} {
		f.Add([]byte(s))
	}
	w, r := &jsonleaf.Walker{Seed: 1}, &Reader{}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &collector{w: w}
		complete, _ := r.Read(b, w, c, 1<<16)
		if len(c.out) > 2*len(b)+2 {
			t.Fatalf("%d leaves of %d bytes", len(c.out), len(b))
		}
		again, complete2, _ := read(string(b), 1<<16)
		if complete != complete2 || !reflect.DeepEqual(again, c.out) {
			t.Fatal("a used reader gives another result")
		}
	})
}

type sink struct{ n int }

func (s *sink) Leaf(_ uint64, _ jsonleaf.Kind, v []byte) { s.n += len(v) }

func BenchmarkRead(b *testing.B) {
	body := []byte("\xdc\x00\xc8" + strings.Repeat("\x83\xa4name\xa7someone\xa5phone\xab13800138000\xa2id\xcd\x12\x34", 200))
	w, r := &jsonleaf.Walker{Seed: 1}, &Reader{}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r.Read(body, w, &sink{}, 1<<16)
	}
}
