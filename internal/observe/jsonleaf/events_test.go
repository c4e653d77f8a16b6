package jsonleaf

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// replay reports a JSON document by events.
func replay(t *rapid.T, b []byte) (*collector, *Walker) {
	w := &Walker{Seed: 0x1234567}
	c := &collector{w: w, hashes: map[string]uint64{}}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	w.Begin(c)
	var kinds []byte
	key := false
	for d.More() || len(kinds) > 0 {
		tok, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := tok.(string); ok && key {
			w.Key([]byte(s))
			key = false
			continue
		}
		switch v := tok.(type) {
		case json.Delim:
			switch v {
			case '{':
				w.Object()
				kinds = append(kinds, '{')
			case '[':
				w.Array()
				kinds = append(kinds, '[')
			default:
				w.Close()
				kinds = kinds[:len(kinds)-1]
			}
		case string:
			w.Value(String, []byte(v))
		case json.Number:
			k := Int
			if strings.ContainsAny(v.String(), ".eE") {
				k = Float
			}
			w.Value(k, []byte(v.String()))
		case bool:
			w.Value(Bool, map[bool][]byte{true: []byte("true"), false: []byte("false")}[v])
		case nil:
			w.Value(Null, []byte("null"))
		}
		key = len(kinds) > 0 && kinds[len(kinds)-1] == '{'
	}
	w.End()
	return c, w
}

// Data that is no JSON must be seen as the same data in JSON is.
func TestEventsEqualWalk(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "name", "phone", "order_no", "13800138000", "a longer key of many bytes", "用户", ""})
	var gen func(depth int) *rapid.Generator[any]
	gen = func(depth int) *rapid.Generator[any] {
		return rapid.Custom(func(t *rapid.T) any {
			n := 6
			if depth == 0 {
				n = 4
			}
			switch rapid.IntRange(0, n-1).Draw(t, "kind") {
			case 0:
				return rapid.Int32().Draw(t, "int")
			case 1:
				return rapid.StringMatching("[a-z 张三]{0,9}").Draw(t, "string")
			case 2:
				return rapid.Bool().Draw(t, "bool")
			case 3:
				return nil
			case 4:
				m := map[string]any{}
				for range rapid.IntRange(0, 3).Draw(t, "keys") {
					m[names.Draw(t, "key")] = gen(depth-1).Draw(t, "value")
				}
				return m
			}
			list := []any{}
			for range rapid.IntRange(0, 3).Draw(t, "elements") {
				list = append(list, gen(depth-1).Draw(t, "element"))
			}
			return list
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		var text []byte
		for range rapid.IntRange(1, 3).Draw(t, "documents") {
			b, err := json.Marshal(gen(4).Draw(t, "document"))
			if err != nil {
				t.Fatal(err)
			}
			text = append(append(text, b...), '\n')
		}
		want, ww, _, _ := walk(text)
		got, gw := replay(t, text)
		if len(want.leaves)+len(got.leaves) > 0 && !reflect.DeepEqual(want.leaves, got.leaves) {
			t.Fatalf("%s\nwalk   %+v\nevents %+v", text, want.leaves, got.leaves)
		}
		if !reflect.DeepEqual(want.hashes, got.hashes) || ww.Records != gw.Records || ww.Documents != gw.Documents || ww.Leaves != gw.Leaves {
			t.Fatalf("%s: hashes or counts differ: records %d and %d, documents %d and %d", text, ww.Records, gw.Records, ww.Documents, gw.Documents)
		}
	})
}

func TestEventsBeyondDepth(t *testing.T) {
	w := &Walker{Seed: 1}
	c := &collector{w: w, hashes: map[string]uint64{}}
	w.Begin(c)
	for range MaxDepth + 10 {
		w.Array()
	}
	w.Value(Int, []byte("1"))
	for range MaxDepth + 10 {
		w.Close()
	}
	w.Close() // one too many
	w.Value(Int, []byte("2"))
	w.Key([]byte("nowhere"))
	w.Object()
	w.Key([]byte("open"))
	w.Value(Int, []byte("3"))
	w.End()
	if len(c.leaves) != 2 || c.leaves[0].value != "2" || c.leaves[1].path != "open" || w.Skipped != 1 {
		t.Errorf("%+v, skipped %d", c.leaves, w.Skipped)
	}
}

func TestAttributes(t *testing.T) {
	w := &Walker{Seed: 1}
	c := &collector{w: w, hashes: map[string]uint64{}}
	w.Begin(c)
	w.Object()
	w.Attribute([]byte("id"))
	w.Value(String, []byte("1"))
	w.Key([]byte("id"))
	w.Value(String, []byte("2"))
	w.End()
	if len(c.leaves) != 2 || c.leaves[0].path != "@id" || c.leaves[1].path != "id" || c.hashes["@id"] == c.hashes["id"] {
		t.Errorf("%+v", c.leaves)
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		in     string
		want   []string
		broken int
	}{
		{"{\"a\":1}\n{\"a\":2}\n", []string{"a=1", "a=2"}, 0},
		{"{\"a\":1}\n{\"a\":\n{\"a\":3}\n", []string{"a=1", "a.a=3"}, 1}, // an open object takes the next line
		{"{\"a\":1}\n{\"a\":x}\n{\"a\":3}", []string{"a=1", "a=3"}, 1},
		{"\x1e{\"a\":1}\n\x1e{\"a\":2\n\x1e{\"a\":3}\n", []string{"a=1", "a=2", "a=3"}, 1},
		{"{\"a\":1},\n{\"a\":2},\n", []string{"a=1", "a=2"}, 0},
		{"not json\nneither\n{\"a\":1}", []string{"a=1"}, 2},
		{"", nil, 0},
	} {
		w := &Walker{Seed: 1}
		col := &collector{w: w, hashes: map[string]uint64{}}
		broken := w.Lines([]byte(c.in), col)
		var got []string
		for _, l := range col.leaves {
			got = append(got, l.path+"="+l.value)
		}
		if !reflect.DeepEqual(got, c.want) || broken != c.broken {
			t.Errorf("%q: %q, %d broken", c.in, got, broken)
		}
	}
}
