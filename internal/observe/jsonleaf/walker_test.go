package jsonleaf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

type leaf struct {
	path   string
	kind   Kind
	value  string
	record uint32
}

type collector struct {
	w      *Walker
	leaves []leaf
	hashes map[string]uint64
	clash  string
}

func (c *collector) Leaf(path uint64, k Kind, v []byte) {
	p := string(c.w.AppendPath(nil))
	if h, ok := c.hashes[p]; ok && h != path {
		c.clash = fmt.Sprintf("path %q has two hashes", p)
	}
	c.hashes[p] = path
	c.leaves = append(c.leaves, leaf{p, k, string(v), c.w.Record()})
}

func walk(b []byte) (*collector, *Walker, int, bool) {
	w := &Walker{Seed: 0x1234567}
	c := &collector{w: w, hashes: map[string]uint64{}}
	n, ok := w.Walk(b, c)
	return c, w, n, ok
}

func TestWalk(t *testing.T) {
	deep := strings.Repeat("[", 70) + "1" + strings.Repeat("]", 70)
	for _, c := range []struct {
		name, in string
		want     []leaf
		records  uint32
		complete bool
	}{
		{"object", `{"a":1,"b":"x","c":null,"d":true,"e":-1.5e3}`, []leaf{{"a", Int, "1", 0}, {"b", String, "x", 0}, {"c", Null, "null", 0}, {"d", Bool, "true", 0}, {"e", Float, "-1.5e3", 0}}, 0, true},
		{"records", `{"books":[{"t":"a","u":1},{"t":"b","u":2}],"n":2}`, []leaf{{"books[].t", String, "a", 0}, {"books[].u", Int, "1", 0}, {"books[].t", String, "b", 1}, {"books[].u", Int, "2", 1}, {"n", Int, "2", 0}}, 2, true},
		{"root array", `[{"id":1},{"id":2},{"id":3}]`, []leaf{{"[].id", Int, "1", 0}, {"[].id", Int, "2", 1}, {"[].id", Int, "3", 2}}, 3, true},
		{"nested arrays keep the outermost record", `{"a":[{"b":[{"c":1},{"c":2},{"c":3}]},{"b":[]}]}`, []leaf{{"a[].b[].c", Int, "1", 0}, {"a[].b[].c", Int, "2", 0}, {"a[].b[].c", Int, "3", 0}, {"a[].b", EmptyArray, "", 1}}, 3, true},
		{"scalars", `[1,"2",[3]]`, []leaf{{"[]", Int, "1", 0}, {"[]", String, "2", 0}, {"[][]", Int, "3", 0}}, 0, true},
		{"escapes", `{"n\u0061me":"\u5f20\u4e09 \ud83d\ude00 \/ \"q\" \ud83d \x"}`, []leaf{{"name", String, "张三 😀 / \"q\" \uFFFD \\x", 0}}, 0, true},
		{"variable keys", `{"13800138000":{"n":1},"u@x.com":2,"550e8400-e29b-41d4-a716-446655440000":3,"line1":4}`, []leaf{{"{}.n", Int, "1", 0}, {"{}", Int, "2", 0}, {"{}", Int, "3", 0}, {"line1", Int, "4", 0}}, 0, true},
		{"ndjson", "{\"a\":1}\n{\"a\":2}\n", []leaf{{"a", Int, "1", 0}, {"a", Int, "2", 1}}, 2, true},
		{"bom", "\xef\xbb\xbf{\"a\":1}", []leaf{{"a", Int, "1", 0}}, 0, true},
		{"jsonp", `cb_1({"a":1});`, []leaf{{"a", Int, "1", 0}}, 0, true},
		{"anti-hijacking", ")]}',\n[1]", []leaf{{"[]", Int, "1", 0}}, 0, true},
		{"cut in a string", `{"a":1,"b":"xy`, []leaf{{"a", Int, "1", 0}}, 0, false},
		{"cut in a number", `{"a":1,"b":12`, []leaf{{"a", Int, "1", 0}}, 0, false},
		{"cut after a value", `{"a":1,"b":[{"c":"d"},`, []leaf{{"a", Int, "1", 0}, {"b[].c", String, "d", 0}}, 0, false},
		{"not JSON", `<html>`, nil, 0, false},
		{"empty", ``, nil, 0, true},
		{"bare word", `hello`, nil, 0, false},
		{"empty containers", `{"a":{},"b":[],"c":[{}]}`, []leaf{{"a", EmptyObject, "", 0}, {"b", EmptyArray, "", 0}, {"c[]", EmptyObject, "", 0}}, 1, true},
		{"too deep is stepped over", `{"x":` + deep + `,"password":"p"}`, []leaf{{"password", String, "p", 0}}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, w, _, ok := walk([]byte(c.in))
			if !reflect.DeepEqual(got.leaves, c.want) {
				t.Errorf("leaves\n got %v\nwant %v", got.leaves, c.want)
			}
			if ok != c.complete {
				t.Errorf("complete = %v", ok)
			}
			if w.Records != c.records {
				t.Errorf("records = %d, want %d", w.Records, c.records)
			}
			if got.clash != "" {
				t.Error(got.clash)
			}
		})
	}
}

func TestStyle(t *testing.T) {
	for in, want := range map[string]Style{
		`{"a":1,"b":2}`:                 0,
		`{"a": 1, "b": 2}`:              SpaceAfterColon | SpaceAfterComma,
		"{\n  \"a\" : 1\n}":             Newlines | SpaceInside | SpaceBeforeColon | SpaceAfterColon,
		`{"a":"\/","b":"\u4e2d"}`:       EscapedSlash | EscapedUnicode,
		"{\n\t\"a\": 1,\n\t\"b\": 2\n}": Newlines | Tabs | SpaceAfterColon,
	} {
		if _, w, _, _ := walk([]byte(in)); w.Style != want {
			t.Errorf("%q: style %b, want %b", in, w.Style, want)
		}
	}
}

func TestVariableKey(t *testing.T) {
	for _, k := range []string{"13800138000", "2024-01-02", "a@b.c", "deadbeef01", "0", "110101199003070011", "京A12345", strings.Repeat("x", 65)} {
		if !VariableKey([]byte(k)) {
			t.Errorf("%q is variable", k)
		}
	}
	for _, k := range []string{"", "name", "line1", "oauth2", "user_id", "手机号", "created_at", "md5", "x509", "addressLine12"} {
		if VariableKey([]byte(k)) {
			t.Errorf("%q is a name", k)
		}
	}
}

// reference lists the leaves of valid JSON by the standard library's tokens.
func reference(b []byte) (out []leaf, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var value func(path string, depth int) bool
	value = func(path string, depth int) bool {
		t, err := d.Token()
		if err != nil || depth > MaxDepth-1 {
			return false
		}
		switch t := t.(type) {
		case json.Delim:
			if t == '[' {
				if !d.More() {
					out = append(out, leaf{path: path, kind: EmptyArray})
				}
				for d.More() {
					if !value(path+"[]", depth+1) {
						return false
					}
				}
			} else {
				if !d.More() {
					out = append(out, leaf{path: path, kind: EmptyObject})
				}
				for d.More() {
					k, err := d.Token()
					if err != nil {
						return false
					}
					key := k.(string)
					if VariableKey([]byte(key)) {
						key = "{}"
					}
					if path != "" {
						key = path + "." + key
					}
					if !value(key, depth+1) {
						return false
					}
				}
			}
			_, err := d.Token()
			return err == nil
		case string:
			out = append(out, leaf{path: path, kind: String, value: t})
		case json.Number:
			k := Int
			if strings.ContainsAny(t.String(), ".eE") {
				k = Float
			}
			out = append(out, leaf{path: path, kind: k, value: t.String()})
		case bool:
			out = append(out, leaf{path: path, kind: Bool, value: fmt.Sprint(t)})
		case nil:
			out = append(out, leaf{path: path, kind: Null, value: "null"})
		}
		return true
	}
	if !value("", 0) {
		return nil, false
	}
	_, err := d.Token()
	return out, err == io.EOF
}

func FuzzWalk(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":"\u00e9\n"}],"c":{"d":null}}`, `[[],{},[{}]]`, `"x"`, `1.5`, `{"":{"":1}}`, `{"a":"\ud800\u0041"}`, "{\"a\":1}\n{\"a\":2}", `cb({"a":1})`, `{"a":"`, `{"a":1,"a":"2"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, w, n, complete := walk(b)
		if n > len(b) {
			t.Fatalf("read %d of %d bytes", n, len(b))
		}
		if got.clash != "" && !bytes.ContainsAny(b, ".[{") {
			t.Fatal(got.clash)
		}
		if int(w.Leaves) != len(got.leaves) {
			t.Fatal("leaf count differs")
		}
		if !json.Valid(b) || !utf8.Valid(b) {
			return
		}
		want, ok := reference(b)
		if !ok {
			return
		}
		if !complete {
			t.Fatalf("valid JSON not read to its end: %q", b)
		}
		if len(want) != len(got.leaves) {
			t.Fatalf("%q: %d leaves, want %d", b, len(got.leaves), len(want))
		}
		for i, g := range got.leaves {
			g.record = 0
			if g != want[i] {
				t.Fatalf("%q: leaf %d is %+v, want %+v", b, i, g, want[i])
			}
		}
	})
}

type counter struct{ n, bytes int }

func (c *counter) Leaf(_ uint64, _ Kind, v []byte) { c.n++; c.bytes += len(v) }

func BenchmarkWalk(b *testing.B) {
	var sb strings.Builder
	sb.WriteString(`{"code":0,"msg":"success","data":{"total":12,"list":[`)
	for i := range 12 {
		if i > 0 {
			sb.WriteByte(',')
		}
		fmt.Fprintf(&sb, `{"id":%d,"orderNo":"2024010%d83746","name":"王小明","status":"PAID","amount":%d.50,"address":"浙江省杭州市西湖区文三路 %d 号","createdAt":"2024-01-02 10:11:12","remark":null,"vip":false}`, 10000+i, i, i*7, i)
	}
	sb.WriteString(`]}}`)
	in := []byte(sb.String())
	w, c := &Walker{Seed: 99}, &counter{}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		w.Walk(in, c)
	}
}

func TestKeyHashIsOneFunction(t *testing.T) {
	for n := range 40 {
		key := strings.Repeat("k", n)
		want := Hash(0x1234567, []byte(key))
		for _, tail := range []string{"", "               "} {
			got, _, _, _ := walk([]byte(`{"` + key + `":1}` + tail))
			if got.hashes[key] != want {
				t.Errorf("key of %d bytes with %d bytes behind it hashes differently", n, len(tail))
			}
		}
	}
}
