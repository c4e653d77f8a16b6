package wire

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/net/http2/hpack"
	"pgregory.net/rapid"
)

// readAll decodes a block with our table.
func readAll(t *hpackTable, b []byte) (fields []string, unknown int, err error) {
	var buf []byte
	for len(b) > 0 {
		at := len(buf)
		var f hpackField
		if b, buf, f, err = t.next(b, buf); err != nil {
			return fields, unknown, err
		}
		switch {
		case f.none:
		case f.unknown:
			unknown++
			fields = append(fields, "?")
		default:
			fields = append(fields, fmt.Sprintf("%s: %s", buf[at:at+f.nameLen], buf[at+f.nameLen:]))
		}
	}
	return fields, unknown, nil
}

func TestHpackTables(t *testing.T) {
	if s := hpackStatic[0]; string(s.text) != ":authority" || string(hpackStatic[7].text) != ":status200" || string(hpackStatic[60].text) != "www-authenticate" {
		t.Fatalf("static table: %q", s.text)
	}
	for c := range 256 {
		in := bytes.Repeat([]byte{byte(c)}, 3)
		out, ok := huffmanDecode(nil, hpack.AppendHuffmanString(nil, string(in)))
		if !ok || !bytes.Equal(in, out) {
			t.Fatalf("character %d: %q %v", c, out, ok)
		}
	}
}

// TestHpackLikeTheLibrary: on what x/net's encoder writes, both decoders agree;
// one that joins later agrees or says unknown.
func TestHpackLikeTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var block bytes.Buffer
		enc := hpack.NewEncoder(&block)
		var want []string
		dec := hpack.NewDecoder(4096, func(f hpack.HeaderField) { want = append(want, f.Name+": "+f.Value) })
		dec.SetAllowedMaxDynamicTableSize(1 << 20)
		enc.SetMaxDynamicTableSizeLimit(1 << 20)
		var ours, late hpackTable
		ours.reset()
		ours.whole = true
		late.reset()
		join := rapid.IntRange(0, 6).Draw(t, "join")
		names := []string{":path", ":status", "cookie", "x-a", "x-b", "content-type", "authorization"}
		for i := range rapid.IntRange(1, 12).Draw(t, "blocks") {
			block.Reset()
			want = want[:0]
			if rapid.IntRange(0, 3).Draw(t, "resize") == 0 {
				enc.SetMaxDynamicTableSize(rapid.SampledFrom([]uint32{0, 40, 200, 4096, 50000}).Draw(t, "size"))
			}
			// At least one: x/net's decoder does not take two size updates.
			for range rapid.IntRange(1, 10).Draw(t, "fields") {
				f := hpack.HeaderField{Name: rapid.SampledFrom(names).Draw(t, "name"), Sensitive: rapid.IntRange(0, 9).Draw(t, "sensitive") == 0,
					Value: rapid.OneOf(rapid.SampledFrom([]string{"", "200", "/", "a", "same", "application/json"}), rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("ab中~")), 100, 300, -1)).Draw(t, "value")}
				must(enc.WriteField(f))
			}
			if _, err := dec.Write(block.Bytes()); err != nil {
				t.Fatal(err)
			}
			must(dec.Close())
			have, unknown, err := readAll(&ours, block.Bytes())
			if err != nil || unknown > 0 || !slices.Equal(want, have) {
				t.Fatalf("block %d: %v\nwant %q\nhave %q", i, err, want, have)
			}
			if i < join {
				continue
			}
			have, _, err = readAll(&late, block.Bytes())
			if err != nil || len(have) != len(want) {
				t.Fatalf("joined at %d, block %d: %v\nwant %q\nhave %q", join, i, err, want, have)
			}
			for j := range have {
				if have[j] != want[j] && have[j] != "?" {
					t.Fatalf("joined at %d: want %q, have %q", join, want[j], have[j])
				}
			}
		}
	})
}

// TestHpackLoses: after a block that was missed nothing older is used.
func TestHpackLoses(t *testing.T) {
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	send := func(lines ...string) []byte {
		block.Reset()
		for _, l := range lines {
			must(enc.WriteField(hpack.HeaderField{Name: l, Value: "1"}))
		}
		return bytes.Clone(block.Bytes())
	}
	var t1 hpackTable
	t1.reset()
	t1.whole = true
	if f, _, err := readAll(&t1, send("a", "b")); err != nil || len(f) != 2 {
		t.Fatal(f, err)
	}
	send("c") // missed
	t1.lose()
	f, unknown, err := readAll(&t1, send("d", "a", "c", "d"))
	if err != nil || fmt.Sprint(f) != "[d: 1 ? ? d: 1]" || unknown != 2 {
		t.Fatal(f, unknown, err)
	}
}

func FuzzHpack(f *testing.F) {
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, l := range []string{":method", "cookie", "x-a", "x-a"} {
		must(enc.WriteField(hpack.HeaderField{Name: l, Value: "some value"}))
	}
	f.Add(block.Bytes(), []byte{0xbe, 0xbf})
	f.Add([]byte{0x3f, 0xe1, 0x1f, 0x82, 0x40, 1, 'a', 1, 'b'}, []byte{0xbe, 0x20, 0xbe})
	f.Add([]byte{0x00, 0x83, 0xff, 0xff, 0xff, 0x00}, []byte{0x0f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var want []string
		dec := hpack.NewDecoder(4096, func(f hpack.HeaderField) { want = append(want, f.Name+": "+f.Value) })
		dec.SetAllowedMaxDynamicTableSize(maxHpackTable)
		var ours, late hpackTable
		ours.reset()
		late.reset()
		ours.whole = true
		for _, b := range [][]byte{first, second} {
			want = want[:0]
			_, err := dec.Write(b)
			if e := dec.Close(); err == nil {
				err = e
			}
			have, unknown, e := readAll(&ours, b)
			if unknown > 0 && ours.whole {
				t.Fatal("unknown in a table that is whole")
			}
			if err == nil {
				if e != nil || !slices.Equal(want, have) {
					t.Fatalf("%x: %v\nwant %q\nhave %q", b, e, want, have)
				}
				if !hpackCheck(b) {
					t.Fatalf("%x decodes, yet has not the form", b)
				}
			}
			if err != nil || e != nil {
				return // what follows means nothing
			}
			if size := ours.size; size > ours.limit || cap(ours.text) > 4*maxHpackTable {
				t.Fatalf("table of %d bytes, limit %d, room %d", size, ours.limit, cap(ours.text))
			}
		}
		some, _, err := readAll(&late, second)
		if err != nil || len(some) != len(want) {
			t.Fatalf("joined: %v %q, want %q", err, some, want)
		}
		for i := range some {
			if some[i] != "?" && some[i] != want[i] {
				t.Fatalf("joined: want %q, have %q", want[i], some[i])
			}
		}
	})
}

func FuzzHuffman(f *testing.F) {
	for _, s := range []string{"www.example.com", "\x00\xff", "~}|{", ""} {
		f.Add(hpack.AppendHuffmanString(nil, s))
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := hpack.HuffmanDecodeToString(b)
		have, ok := huffmanDecode(nil, b)
		if ok != (err == nil) || ok && want != string(have) {
			t.Fatalf("%x: want %q %v, have %q %v", b, want, err, have, ok)
		}
	})
}
