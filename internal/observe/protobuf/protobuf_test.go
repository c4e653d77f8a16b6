package protobuf

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"pgregory.net/rapid"

	"xiezhi/internal/observe/jsonleaf"
)

// shop is the schema of the tests.
const shop = `
file {
  name: "shop.proto" package: "shop" syntax: "proto3"
  dependency: ["google/protobuf/wrappers.proto", "google/protobuf/timestamp.proto", "google/protobuf/struct.proto", "google/protobuf/any.proto"]
  message_type { name: "Query"
    field { name: "user" number: 1 type: TYPE_MESSAGE type_name: ".shop.User" label: LABEL_OPTIONAL }
    field { name: "ids" number: 2 type: TYPE_INT64 label: LABEL_REPEATED }
    field { name: "page_size" number: 3 type: TYPE_SINT32 label: LABEL_OPTIONAL }
    field { name: "exact" number: 4 type: TYPE_BOOL label: LABEL_OPTIONAL }
    field { name: "sort" number: 5 type: TYPE_ENUM type_name: ".shop.Sort" label: LABEL_OPTIONAL }
    field { name: "price" number: 6 type: TYPE_DOUBLE label: LABEL_OPTIONAL }
    field { name: "ratio" number: 7 type: TYPE_FLOAT label: LABEL_REPEATED }
    field { name: "extra" number: 8 type: TYPE_MESSAGE type_name: ".google.protobuf.Struct" label: LABEL_OPTIONAL }
    field { name: "note" number: 9 type: TYPE_MESSAGE type_name: ".google.protobuf.StringValue" label: LABEL_OPTIONAL }
    field { name: "since" number: 10 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
    field { name: "detail" number: 11 type: TYPE_MESSAGE type_name: ".google.protobuf.Any" label: LABEL_OPTIONAL }
    field { name: "labels" number: 12 type: TYPE_MESSAGE type_name: ".shop.Query.LabelsEntry" label: LABEL_REPEATED }
    field { name: "friends" number: 13 type: TYPE_MESSAGE type_name: ".shop.User" label: LABEL_REPEATED }
    field { name: "raw" number: 14 type: TYPE_BYTES label: LABEL_OPTIONAL }
    field { name: "far" number: 500 type: TYPE_FIXED64 label: LABEL_OPTIONAL }
    field { name: "delta" number: 501 type: TYPE_SFIXED32 label: LABEL_OPTIONAL }
    nested_type { name: "LabelsEntry" options { map_entry: true }
      field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
      field { name: "value" number: 2 type: TYPE_UINT32 label: LABEL_OPTIONAL } }
  }
  message_type { name: "User"
    field { name: "full_name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "phone" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "boss" number: 3 type: TYPE_MESSAGE type_name: ".shop.User" label: LABEL_OPTIONAL }
  }
  enum_type { name: "Sort" value { name: "NONE" number: 0 } value { name: "BY_NAME" number: 2 } }
  service { name: "Users" method { name: "Find" input_type: ".shop.Query" output_type: ".shop.User" } }
}`

func descriptors(t testing.TB, text string) (*descriptorpb.FileDescriptorSet, []byte) {
	t.Helper()
	var set descriptorpb.FileDescriptorSet
	if err := prototext.Unmarshal([]byte(text), &set); err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(&set)
	if err != nil {
		t.Fatal(err)
	}
	return &set, b
}

// shopTypes gives the schema as ours and as the library's.
func shopTypes(t testing.TB) (*Schema, protoreflect.MessageDescriptor) {
	t.Helper()
	set, b := descriptors(t, shop)
	s := &Schema{}
	if err := s.Add(b); err != nil {
		t.Fatal(err)
	}
	fd, err := protodesc.NewFile(set.File[0], protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return s, fd.Messages().ByName("Query")
}

// collector lists leaves as "path=value" and, on demand, with their kinds.
type collector struct {
	w     *jsonleaf.Walker
	kinds bool
	out   []string
}

func (c *collector) Leaf(_ uint64, k jsonleaf.Kind, v []byte) {
	kind := ""
	if c.kinds {
		kind = [...]string{"", "s", "i", "f", "b", "n", "o", "a"}[k]
	}
	c.out = append(c.out, fmt.Sprintf("%s%s=%s", c.w.AppendPath(nil), kind, v))
}

func read(b []byte, m *Message, kinds bool) (out []string, complete bool) {
	w := &jsonleaf.Walker{Seed: 1}
	c := &collector{w: w, kinds: kinds}
	var r Reader
	r.Begin(w, c, 1<<16)
	complete = r.Message(b, m)
	r.End()
	return c.out, complete
}

// field writes fields for tests: num, then a value.
func field(pairs ...any) (b []byte) {
	for i := 0; i < len(pairs); i += 2 {
		num := protowire.Number(pairs[i].(int))
		switch v := pairs[i+1].(type) {
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(v))
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), v)
		case []byte:
			b = protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
		case float64:
			b = protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), math.Float64bits(v))
		case float32:
			b = protowire.AppendFixed32(protowire.AppendTag(b, num, protowire.Fixed32Type), math.Float32bits(v))
		case uint32:
			b = protowire.AppendFixed32(protowire.AppendTag(b, num, protowire.Fixed32Type), v)
		case uint64:
			b = protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), v)
		}
	}
	return b
}

func TestWithoutDescriptors(t *testing.T) {
	group := protowire.AppendTag(field(1, "in"), 4, protowire.EndGroupType)
	group = append(protowire.AppendTag(nil, 4, protowire.StartGroupType), group...)
	deep := field(1, "x")
	for range 200 {
		deep = field(1, deep)
	}
	for name, c := range map[string]struct {
		in   []byte
		want []string
		part bool
	}{
		"string":          {field(1, "alice"), []string{"1s=alice"}, false},
		"numbers":         {field(1, 150, 2, -2, 3, 1.5, 4, float32(2.5), 5, uint64(7), 6, uint32(0x0a000001)), []string{"1i=150", "2i=-2", "3f=1.5", "4f=2.5", "5i=7", "6i=167772161"}, false},
		"nested":          {field(3, field(1, "13800138000", 2, 7)), []string{"3.1s=13800138000", "3.2i=7"}, false},
		"list":            {field(1, field(3, field(2, "a", 5, 1), 3, field(2, "b"))), []string{"1.3[].2s=a", "1.3[].5i=1", "1.3[].2s=b"}, false},
		"interleaved":     {field(1, "a", 2, 5, 1, "b"), []string{"1[]s=a", "1[]s=b", "2i=5"}, false},
		"far":             {field(1000, "a", 1000, "b", 70000, "c"), []string{"1000[]s=a", "1000[]s=b", "70000s=c"}, false},
		"Chinese":         {field(1, "张三"), []string{"1s=张三"}, false},
		"empty":           {field(1, "", 2, 1), []string{"1s=", "2i=1"}, false},
		"nothing":         {nil, []string{"o="}, false},
		"group":           {append(group, field(5, 1)...), []string{"4.1s=in", "5i=1"}, false},
		"packed":          {field(1, []byte{1, 2, 3}), []string{"1[]i=1", "1[]i=2", "1[]i=3"}, false},
		"packed wide":     {field(1, []byte{0x96, 0x01, 0x97, 0x01}), []string{"1[]i=150", "1[]i=151"}, false},
		"bytes":           {field(1, []byte{0xff, 0xd8, 0x00, 0x10, 0xff}), []string{"1s="}, false},
		"word as message": {field(1, "alice1234", 2, "Hi"), []string{"1s=alice1234", "2s=Hi"}, false}, // both are messages to the letter
		"long first text": {field(1, field(1, strings.Repeat("k", 40))), []string{"1.1s=" + strings.Repeat("k", 40)}, false},
		"JSON in text":    {field(1, `{"a":1}`), []string{`1s={"a":1}`}, false},
		"control":         {field(1, "../../etc/passwd\x00.png"), []string{"1s=../../etc/passwd\x00.png"}, false},
		"padded":          {field(1, "gz\x00\x00\x00\x00\x00\x00"), []string{"1s=gz\x00\x00\x00\x00\x00\x00"}, false},
		"one odd of many": {field(1, "ab", 1, field(1, 5)), []string{"1[]s=ab", "1[]s=\x08\x05"}, false},
		"cut":             {field(1, "abc", 2, "defgh")[:9], []string{"1s=abc", "2s=de"}, true},
		"cut nested":      {field(1, field(1, "abc", 2, "defgh"))[:11], []string{"1.1s=abc", "1.2s=de"}, true},
		"junk at the end": {append(field(1, "abc"), 0xff), []string{"1s=abc"}, true},
		"field 0":         {[]byte{0x00, 0x01}, nil, true},
		"end alone":       {[]byte{0x0c}, nil, true},
		"long varint":     {[]byte{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, nil, true},
		"huge length":     {[]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, nil, true},
	} {
		got, complete := read(c.in, nil, true)
		if !slices.Equal(got, c.want) || complete == c.part {
			t.Errorf("%s: %q, complete %v; want %q", name, got, complete, c.want)
		}
	}
	if got, complete := read(deep, nil, false); len(got) != 1 || !complete {
		t.Errorf("deep nesting gave %d leaves, complete %v", len(got), complete)
	}
}

func TestWithDescriptors(t *testing.T) {
	s, d := shopTypes(t)
	find, ok := s.Method([]byte("/api/shop.Users/Find"))
	if !ok || s.Methods() != 1 || find.Response == nil {
		t.Fatal("the method is unknown")
	}
	if _, ok := s.Method([]byte("/shop.Users/Lose")); ok {
		t.Error("a method that does not exist is known")
	}
	extra, _ := structpb.NewStruct(map[string]any{"city": "Beijing", "tags": []any{"a", 2.0, nil}, "in": map[string]any{"x": true}})
	user := func(m *dynamicpb.Message, name, phone string) {
		m.Set(m.Descriptor().Fields().ByName("full_name"), protoreflect.ValueOfString(name))
		m.Set(m.Descriptor().Fields().ByName("phone"), protoreflect.ValueOfString(phone))
	}
	any1, _ := anypb.New(wrapperspb.String("inner"))
	m := dynamicpb.NewMessage(d)
	f := d.Fields()
	user(m.Mutable(f.ByName("user")).Message().Interface().(*dynamicpb.Message), "张三", "13800138000")
	for _, id := range []int64{7, -8} {
		m.Mutable(f.ByName("ids")).List().Append(protoreflect.ValueOfInt64(id))
	}
	m.Set(f.ByName("page_size"), protoreflect.ValueOfInt32(-3))
	m.Set(f.ByName("exact"), protoreflect.ValueOfBool(true))
	m.Set(f.ByName("sort"), protoreflect.ValueOfEnum(2))
	m.Set(f.ByName("price"), protoreflect.ValueOfFloat64(9.75))
	m.Mutable(f.ByName("ratio")).List().Append(protoreflect.ValueOfFloat32(0.5))
	for name, v := range map[string]proto.Message{"extra": extra, "note": wrapperspb.String("hello"), "since": timestamppb.New(timestamppb.Now().AsTime().Truncate(1e9)), "detail": any1} {
		b, _ := proto.Marshal(v)
		if err := proto.Unmarshal(b, m.Mutable(f.ByName(protoreflect.Name(name))).Message().Interface()); err != nil {
			t.Fatal(err)
		}
	}
	m.Mutable(f.ByName("labels")).Map().Set(protoreflect.ValueOfString("red").MapKey(), protoreflect.ValueOfUint32(3))
	user(m.Mutable(f.ByName("friends")).List().AppendMutable().Message().Interface().(*dynamicpb.Message), "b", "1")
	m.Set(f.ByName("raw"), protoreflect.ValueOfBytes([]byte{0xff}))
	m.Set(f.ByName("far"), protoreflect.ValueOfUint64(1<<63))
	m.Set(f.ByName("delta"), protoreflect.ValueOfInt32(-1))
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	got, complete := read(b, find.Request, false)
	if !complete {
		t.Error("not read to the end")
	}
	want := jsonLeaves(t, m)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, p := range []string{"user.phone=13800138000", "friends[].fullName=b", "note=hello", "labels.red=3", "extra.city=Beijing", "detail.value=inner"} {
		if !slices.Contains(got, p) {
			t.Errorf("%s is missing", p)
		}
	}
	// an unknown field and one whose bytes do not fit its type
	got, _ = read(field(99, "x", 1, 5, 3, "y"), find.Request, false)
	if !slices.Equal(got, []string{"99=x", "user=5", "pageSize=y"}) {
		t.Errorf("got %q", got)
	}
}

// jsonLeaves are the leaves that the library's JSON of m has, sorted. What
// the two forms write differently is put into ours.
func jsonLeaves(t interface{ Fatal(...any) }, m proto.Message) []string {
	js, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	w := &jsonleaf.Walker{Seed: 1}
	c := &collector{w: w}
	if _, ok := w.Walk(js, c); !ok {
		t.Fatal("the library's JSON is none")
	}
	for i, s := range c.out {
		if p, ok := strings.CutPrefix(s, "raw="); ok && p == "/w==" {
			c.out[i] = "raw="
		}
	}
	slices.Sort(c.out)
	return c.out
}

// TestAsJSON compares random messages with what the library writes as JSON.
func TestAsJSON(t *testing.T) {
	s, d := shopTypes(t)
	find, _ := s.Method([]byte("/shop.Users/Find"))
	f := d.Fields()
	rapid.Check(t, func(t *rapid.T) {
		m := dynamicpb.NewMessage(d)
		text := rapid.StringMatching(`[a-z ]{1,20}`)
		user := func(u protoreflect.Message) {
			u.Set(u.Descriptor().Fields().ByName("full_name"), protoreflect.ValueOfString(text.Draw(t, "name")))
			if rapid.Bool().Draw(t, "boss") {
				u.Mutable(u.Descriptor().Fields().ByName("boss")).Message().Set(u.Descriptor().Fields().ByName("phone"), protoreflect.ValueOfString(text.Draw(t, "phone")))
			}
		}
		if rapid.Bool().Draw(t, "user") {
			user(m.Mutable(f.ByName("user")).Message())
		}
		for range rapid.IntRange(0, 4).Draw(t, "ids") {
			m.Mutable(f.ByName("ids")).List().Append(protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "id")))
		}
		for range rapid.IntRange(0, 3).Draw(t, "friends") {
			user(m.Mutable(f.ByName("friends")).List().AppendMutable().Message())
		}
		for range rapid.IntRange(0, 3).Draw(t, "labels") {
			m.Mutable(f.ByName("labels")).Map().Set(protoreflect.ValueOfString(text.Draw(t, "key")).MapKey(), protoreflect.ValueOfUint32(rapid.Uint32Range(1, math.MaxUint32).Draw(t, "value")))
		}
		if n := rapid.Int32().Draw(t, "size"); n != 0 {
			m.Set(f.ByName("page_size"), protoreflect.ValueOfInt32(n))
		}
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		got, complete := read(b, find.Request, false)
		slices.Sort(got)
		if want := jsonLeaves(t, m); !complete || !slices.Equal(got, want) {
			t.Fatalf("%q complete %v\nwant %q", got, complete, want)
		}
	})
}

func TestBadDescriptors(t *testing.T) {
	_, lacking := descriptors(t, `file { name: "a.proto" package: "a" dependency: "b.proto" syntax: "proto3"
		message_type { name: "M" field { name: "x" number: 1 type: TYPE_MESSAGE type_name: ".b.X" label: LABEL_OPTIONAL } } }`)
	_, odd := descriptors(t, `file { name: "a.proto" message_type { name: "M" field { name: "x" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL } field { name: "x" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL } } }`)
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"text":    {[]byte(`syntax = "proto3";`), "no FileDescriptorSet"},
		"nothing": {nil, "no FileDescriptorSet"},
		"lacking": {lacking, "lacks b.X"},
		"odd":     {odd, "do not fit together"},
	} {
		if err := new(Schema).Add(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestLimits holds the caps: leaves, fields, nothing allocated.
func TestLimits(t *testing.T) {
	w := &jsonleaf.Walker{Seed: 1}
	c := &collector{w: w}
	var r Reader
	r.Begin(w, c, 2)
	r.Message(field(1, "a", 2, "b", 3, "c"), nil)
	if over := r.End(); !over || len(c.out) != 2 {
		t.Errorf("%d leaves, over %v", len(c.out), over)
	}
	many := []byte(strings.Repeat("\x08\x01", maxFields+5))
	if got, complete := read(many, nil, false); len(got) != maxFields || complete {
		t.Errorf("%d leaves, complete %v", len(got), complete)
	}
	b := field(1, "alice", 3, field(1, "13800138000", 2, 7), 3, field(1, "x", 2, 9), 4, []byte{1, 2, 3}, 5, 2.5)
	n := &nobody{}
	if a := testing.AllocsPerRun(100, func() {
		r.Begin(w, n, 1<<16)
		r.Message(b, nil)
		r.End()
	}); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

type nobody struct{ n int }

func (n *nobody) Leaf(uint64, jsonleaf.Kind, []byte) { n.n++ }

func FuzzMessage(f *testing.F) {
	s, _ := shopTypes(f)
	find, _ := s.Method([]byte("/shop.Users/Find"))
	f.Add(field(1, field(1, "张三", 2, "13800138000"), 2, []byte{1, 2}, 3, 5), true)
	f.Add(field(8, field(1, field(1, "k", 2, field(3, "v"))), 11, field(1, "type.googleapis.com/shop.User", 2, field(1, "x")), 12, field(1, "red", 2, 3)), true)
	f.Add([]byte("\x0b\x12\x01a\x0c\x1b\x1c"), false)
	f.Add([]byte(strings.Repeat("\x0a\x7f", 60)), false)
	f.Add([]byte("2\x000"), true)
	f.Fuzz(func(t *testing.T, b []byte, known bool) {
		var m *Message
		if known {
			m = find.Request
		}
		a, complete := read(b, m, true)
		again, same := read(b, m, true)
		if !reflect.DeepEqual(a, again) || complete != same {
			t.Fatal("read twice, told twice differently")
		}
		if len(a) > len(b)+1 {
			t.Fatalf("%d leaves of %d bytes", len(a), len(b))
		}
		if valid := protowireValid(b); valid && !complete && len(b) < 1<<16 {
			t.Fatal("a message was not read to its end")
		}
	})
}

// protowireValid reports whether b is a message to the library.
func protowireValid(b []byte) bool {
	for len(b) > 0 {
		num, typ, k := protowire.ConsumeField(b)
		if k < 0 || num > protowire.MaxValidNumber || typ == protowire.EndGroupType || typ == protowire.StartGroupType {
			return false // groups nest less deep here
		}
		b = b[k:]
	}
	return true
}

func BenchmarkMessage(b *testing.B) {
	s, _ := shopTypes(b)
	find, _ := s.Method([]byte("/shop.Users/Find"))
	var in []byte
	for i := range 20 {
		in = append(in, field(13, field(1, "customer name", 2, fmt.Sprintf("1380013%04d", i)))...)
	}
	in = append(in, field(2, []byte{1, 2, 3, 4}, 3, 5, 6, 9.5)...)
	for name, m := range map[string]*Message{"numbers": nil, "names": find.Request} {
		b.Run(name, func(b *testing.B) {
			var r Reader
			w, n := &jsonleaf.Walker{Seed: 1}, &nobody{}
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				r.Begin(w, n, 1<<16)
				r.Message(in, m)
				r.End()
			}
		})
	}
}
