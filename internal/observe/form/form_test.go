package form

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestOf(t *testing.T) {
	for in, want := range map[string]Bits{
		"": Empty, "paid": Word, "IN_TRANSIT": Word, "pre-paid": Word, "a.b": Text, "two words": Text, "张三": Text, strings.Repeat("a", 25): Text,
		"2024-01-02": Date, "2024-1-02": Text, "2024-01-02T03:04:05Z": DateTime, "2024-01-02T03:04:05.123+08:00": DateTime, "2024-01-02T03:04:05": Stamp,
		"2024-01-02 03:04:05": Stamp, "2024/01/02 03:04": Stamp, "2024.01.02": Stamp, "1.2.3.4": IPv4, "1.2.3": Text, "300.1.1.1": Text, "13800138000": Text,
		"550e8400-e29b-41d4-a716-446655440000": UUID, "e50e8400-e29b-41d4-a716-446655440000": UUID, "e50e8400-e29b-41d4-a716-44665544000g": Text,
		"https://a.b/c": URI, "http:/a.b/c/d": Text, "12": Text,
	} {
		if got := Of([]byte(in)); got != want {
			t.Errorf("Of(%q) = %b, want %b", in, got, want)
		}
	}
	for in, want := range map[string]Bits{"12": IntText, "-3": IntText, "007": Text, "0": IntText, "1.5": FloatText, "1.": Text, "13800138000": LongText, "1234567890123456789": Text, "true": BoolText, "True": Word, "-": Text, "1.2.3.4": IPv4} {
		want := want
		if in == "-" {
			want = Word
		}
		if got := OfText([]byte(in)); got != want {
			t.Errorf("OfText(%q) = %b, want %b", in, got, want)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add("2024-01-02T03:04:05Z")
	f.Add("1.2.3.4")
	f.Fuzz(func(t *testing.T, s string) {
		if Of([]byte(s)) == 0 || OfText([]byte(s)) == 0 {
			t.Fatal("a text is nothing")
		}
	})
}

// make gives the form of a key: a function of the key alone.
func made(key uint64) *Form {
	f := &Form{}
	for i := range key%7 + 1 {
		f.Fields = append(f.Fields, Field{Path: fmt.Sprintf("f%d", i), Bits: Word})
	}
	f.Sort()
	return f
}

// What a table holds depends on what it was offered, not on the order or on who
// did, also beyond its cap.
func TestTableDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type offer struct{ key, rank uint64 }
		offers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) offer {
			return offer{rapid.Uint64Range(1, 40).Draw(t, "key"), rapid.Uint64Range(0, 200).Draw(t, "rank")}
		}), 0, 300).Draw(t, "offers")
		limit := rapid.IntRange(3000, 60000).Draw(t, "limit")
		fill := func(list []offer, workers int) *Table {
			x := NewTable(limit)
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					for i := w; i < len(list); i += workers {
						o := list[i]
						s := Sample{Rank: o.rank, Client: o.rank % 5}
						s.Say(0, fmt.Sprint("w", o.rank))
						x.Offer(o.key, func() *Form { return made(o.key) }, &s)
					}
				})
			}
			wg.Wait()
			return x
		}
		a := fill(offers, 1)
		b := fill(rapid.Permutation(offers).Draw(t, "order"), 3)
		if !reflect.DeepEqual(a.forms, b.forms) || a.bytes != b.bytes || a.bytes > limit {
			t.Fatalf("two orders give %d and %d forms, %d and %d bytes of %d", len(a.forms), len(b.forms), a.bytes, b.bytes, limit)
		}
	})
}

func TestValuesAreOfManyAndFew(t *testing.T) {
	build := func(bits Bits, words []string, clients int) *Form {
		f := &Form{Fields: []Field{{Path: "state", Bits: bits}}}
		for i := range MaxSamples {
			s := Sample{Rank: uint64(i), Client: uint64(i % clients)}
			s.Say(0, words[i%len(words)])
			f.Samples = append(f.Samples, s)
		}
		return f
	}
	if got := Values([]*Form{build(Word|InQuery, []string{"paid", "open"}, 7)}, "state"); !reflect.DeepEqual(got, []string{"open", "paid"}) {
		t.Errorf("a field of two words that all use gives %v", got)
	}
	for name, f := range map[string]*Form{
		"few clients":      build(Word, []string{"paid", "open"}, 4),
		"one word":         build(Word, []string{"paid"}, 7),
		"many words":       build(Word, strings.Fields("a b c d e f g h i"), 7),
		"a text besides":   build(Word|Text, []string{"paid", "open"}, 7),
		"one client's own": build(Word, append(strings.Fields(strings.Repeat("paid open ", 19)), "paid", "zhangsan"), 7),
	} {
		if got := Values([]*Form{f}, "state"); got != nil {
			t.Errorf("%s: gives %v", name, got)
		}
	}
	if got := Values([]*Form{{Fields: []Field{{Path: "state", Bits: Word, Secret: true}}}}, "state"); got != nil {
		t.Error("a secret gives values")
	}
}

// What is packed comes out again.
func TestPackedFormsAreThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &Form{More: rapid.IntRange(0, 3).Draw(t, "more")}
		paths := rapid.SliceOfNDistinct(rapid.StringMatching(`(data\.)?(items\[\]\.)?[a-z]{1,6}|名.称|a{200}`), 0, 40, rapid.ID).Draw(t, "paths")
		for _, p := range paths {
			f.Fields = append(f.Fields, Field{Path: p, Bits: Bits(rapid.Uint32Range(1, 1<<25-1).Draw(t, "bits")), Secret: rapid.Bool().Draw(t, "secret")})
		}
		f.Sort()
		x := pack(f)
		for rank := range rapid.IntRange(0, 60).Draw(t, "samples") {
			s := Sample{Rank: spread(uint64(rank)), Client: uint64(rank % 7), Words: []Said{}}
			for i := range f.Fields {
				if f.Fields[i].Bits&Word != 0 {
					s.Say(i, rapid.SampledFrom([]string{"open", "paid", "a", "IN_TRANSIT"}).Draw(t, "word"))
				}
			}
			x.add(&s)
			i := 0
			for i < len(f.Samples) && f.Samples[i].Rank < s.Rank {
				i++
			}
			f.Samples = append(f.Samples[:i:i], append([]Sample{s}, f.Samples[i:]...)...)
			f.Samples = f.Samples[:min(len(f.Samples), MaxSamples)]
		}
		if got := x.unpack(); !reflect.DeepEqual(got, f) {
			t.Fatalf("got %+v, want %+v", got, f)
		}
	})
}

// spread spreads ranks without order.
func spread(v uint64) uint64 { return v * 0x9e3779b97f4a7c15 }
