package pcap

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/pcap/pcaptest"
	"xiezhi/internal/taxonomy"
)

// order is both of encoding/binary's views of a byte order.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// one is a capture's frames with a single exchange.
func one() []pcaptest.Frame {
	k := pcaptest.NewTalk("10.0.0.7:41000", "10.0.0.1:80", pcaptest.Epoch)
	k.Open()
	k.Send(0, []byte("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"), 1448)
	k.Send(1, []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 1448)
	k.Close()
	return k.Out
}

// classicFile writes frames in a variant of the classic format.
func classicFile(frames []pcaptest.Frame, o order, nano bool, link uint32) []byte {
	u32 := func(b []byte, v uint32) []byte { return o.AppendUint32(b, v) }
	magic, unit := uint32(magicMicro), int64(1000)
	if nano {
		magic, unit = magicNano, 1
	}
	b := u32(nil, magic)
	b = o.AppendUint16(o.AppendUint16(b, 2), 4)
	b = u32(u32(u32(u32(b, 0), 0), 65535), link)
	for _, f := range frames {
		b = u32(u32(b, uint32(f.TS/1e9)), uint32(f.TS%1e9/unit))
		b = append(u32(u32(b, uint32(len(f.Data))), uint32(len(f.Data))), f.Data...)
	}
	return b
}

func block(o order, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	n := uint32(12 + len(body))
	return o.AppendUint32(append(o.AppendUint32(o.AppendUint32(nil, kind), n), body...), n)
}

func section(o order) []byte {
	b := o.AppendUint32(nil, 0x1a2b3c4d)
	b = o.AppendUint16(o.AppendUint16(b, 1), 0)
	return block(o, magicNG, o.AppendUint64(b, math.MaxUint64))
}

func description(o order, link uint16, options ...[]byte) []byte {
	b := o.AppendUint32(o.AppendUint16(o.AppendUint16(nil, link), 0), 0)
	for _, opt := range options {
		b = append(b, opt...)
	}
	return block(o, blockInterface, b)
}

func option(o order, code uint16, v []byte) []byte {
	b := append(o.AppendUint16(o.AppendUint16(nil, code), uint16(len(v))), v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func enhanced(o order, id uint32, ts uint64, data []byte) []byte {
	b := o.AppendUint32(o.AppendUint32(o.AppendUint32(nil, id), uint32(ts>>32)), uint32(ts))
	b = o.AppendUint32(o.AppendUint32(b, uint32(len(data))), uint32(len(data)))
	return block(o, blockEnhanced, append(b, data...))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestFormats(t *testing.T) {
	frames := one()
	files := map[string][]byte{}
	for name, o := range map[string]order{"little": binary.LittleEndian, "big": binary.BigEndian} {
		files["classic µs "+name] = classicFile(frames, o, false, 1)
		files["classic ns "+name] = classicFile(frames, o, true, 1|4<<28)
		body := func(id uint32, kind string, units func(int64) uint64) (b []byte) {
			for _, f := range frames {
				switch kind {
				case "old":
					ts := units(f.TS)
					h := o.AppendUint32(o.AppendUint16(o.AppendUint16(nil, uint16(id)), 0), uint32(ts>>32))
					h = o.AppendUint32(o.AppendUint32(o.AppendUint32(h, uint32(ts)), uint32(len(f.Data))), uint32(len(f.Data)))
					b = append(b, block(o, blockOldPacket, append(h, f.Data...))...)
				case "simple":
					b = append(b, block(o, blockSimple, append(o.AppendUint32(nil, uint32(len(f.Data))), f.Data...))...)
				default:
					b = append(b, enhanced(o, id, units(f.TS), f.Data)...)
				}
			}
			return b
		}
		micro := func(ns int64) uint64 { return uint64(ns / 1000) }
		nano := func(ns int64) uint64 { return uint64(ns) }
		files["ng default "+name] = join(section(o), description(o, 1), body(0, "", micro))
		files["ng ns "+name] = join(section(o), description(o, 1, option(o, 9, []byte{9})), body(0, "", nano))
		files["ng old "+name] = join(section(o), description(o, 1), body(0, "old", micro))
		files["ng simple "+name] = join(section(o), description(o, 1), body(0, "simple", micro))
		files["ng binary "+name] = join(section(o), description(o, 1, option(o, 9, []byte{0x80 | 20})),
			body(0, "", func(ns int64) uint64 { return uint64(ns/1e9)<<20 | (uint64(ns%1e9)<<20+1e9-1)/1e9 }))
		files["ng pico with offset "+name] = join(section(o), description(o, 1, option(o, 9, []byte{12}), option(o, 14, o.AppendUint64(nil, uint64(pcaptest.Epoch/1e9-5)))),
			body(0, "", func(ns int64) uint64 { return uint64(ns-pcaptest.Epoch+5e9) * 1000 }))
		files["ng second interface and other blocks "+name] = join(section(o), description(o, 105), block(o, 0x0bad, make([]byte, 99)), description(o, 1), body(1, "", micro), block(o, 5, make([]byte, 8)))
		other := order(binary.BigEndian)
		if o == other {
			other = binary.LittleEndian
		}
		files["ng two sections "+name] = join(section(other), description(other, 101), section(o), description(o, 1), body(0, "", micro))
	}
	for name, b := range files {
		t.Run(name, func(t *testing.T) {
			if !Detect(b[:16]) {
				t.Fatal("not detected")
			}
			for _, slow := range []bool{false, true} {
				in := bytesInput(name, b)
				if slow {
					in.Open = func() (io.ReadCloser, error) { return io.NopCloser(iotest.OneByteReader(bytes.NewReader(b))), nil }
				}
				got, _, totals := run(t, Config{}, in)
				want := pcaptest.Epoch + 3000
				if strings.Contains(name, "simple") {
					want = 0
				}
				if len(got) == 1 && strings.Contains(name, "binary") && got[0].Start-want < 1000 {
					want = got[0].Start // a unit is 954 ns there
				}
				if len(got) != 1 || got[0].RespBody != "ok" || got[0].Start != want || len(totals.Problems) != 0 || totals.Bytes != int64(len(b)) {
					t.Fatalf("%+v %+v", got, totals)
				}
			}
		})
	}
}

func TestDetect(t *testing.T) {
	for _, b := range []string{"", "GET", "GET / HTTP", "\xd4\xc3\xb2", "{\"log\":", "\x1f\x8b\x08\x08"} {
		if Detect([]byte(b)) {
			t.Errorf("%q taken for a capture", b)
		}
	}
}

func TestTimestamps(t *testing.T) {
	for _, c := range []struct {
		res    byte
		offset int64
		ts     uint64
		want   int64
	}{
		{6, 0, 1_700_000_000_123_456, 1_700_000_000_123_456_000},
		{9, 0, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789},
		{0, 0, 1_700_000_000, 1_700_000_000_000_000_000},
		{12, 0, 1_000_000_001_500, 1_000_000_001},
		{0x80 | 10, 0, 1024 + 512, 1_500_000_000},
		{0x80, 3, 1, 4_000_000_000},
		{6, -1, 1_500_000, 500_000_000},
		{6, 0, math.MaxUint64, math.MaxInt64},
		{19, 0, math.MaxUint64, 1_844_674_407},
		{0x80 | 127, 0, math.MaxUint64, 1_999_999_999},
		{6, math.MinInt64, 1, 1000},
		{9, math.MaxInt64 / int64(1e9), math.MaxInt64, math.MaxInt64},
	} {
		f := iface{offset: c.offset}
		f.resolution(c.res)
		if got := f.nanos(c.ts); got != c.want {
			t.Errorf("resolution %#x offset %d: %d is %d, want %d", c.res, c.offset, c.ts, got, c.want)
		}
	}
}

// TestDamage: a damaged file costs what is behind the damage, and nothing of
// the other files.
func TestDamage(t *testing.T) {
	whole := classicFile(one(), binary.LittleEndian, true, 1)
	k := pcaptest.NewTalk("10.0.0.8:41000", "10.0.0.1:80", pcaptest.Epoch)
	k.Open()
	k.Send(0, []byte("GET /2 HTTP/1.1\r\n\r\n"), 1448)
	other := bytesInput("other", pcaptest.Encode(k.Out))
	absurd := bytes.Clone(whole)
	n := len(absurd)
	absurd = append(absurd, make([]byte, 16)...)
	binary.LittleEndian.PutUint32(absurd[n+8:], 0x7fffffff)
	le := binary.LittleEndian
	ng := join(section(le), description(le, 1))
	for _, c := range []struct {
		name     string
		file     []byte
		found    int
		reason   taxonomy.DropReason
		offset   int64
		problems int
	}{
		{"empty", nil, 0, "", 0, 1},
		{"header only", whole[:24], 0, "", 0, 1},
		{"half a header", whole[:20], 0, taxonomy.DropTruncated, 0, 1},
		{"cut in a record", whole[:len(whole)-3], 1, taxonomy.DropTruncated, int64(len(whole) - 16 - 54), 1},
		{"cut in a record header", append(bytes.Clone(whole), 1, 2, 3), 1, taxonomy.DropTruncated, int64(len(whole)), 1},
		{"absurd length", absurd, 1, taxonomy.DropCorrupt, int64(n), 1},
		{"not a capture", []byte("GET / HTTP/1.1\r\n\r\n and so on"), 0, taxonomy.DropCorrupt, 0, 1},
		{"ng nothing", ng, 0, "", 0, 1},
		{"ng bad length", append(bytes.Clone(ng), 6, 0, 0, 0, 3, 0, 0, 0), 0, taxonomy.DropCorrupt, int64(len(ng)), 1},
		{"ng huge packet block", append(bytes.Clone(ng), 6, 0, 0, 0, 0, 0, 0, 0x7f), 0, taxonomy.DropCorrupt, int64(len(ng)), 1},
		{"ng huge other block", append(bytes.Clone(ng), 9, 0, 0, 0, 0, 0, 0, 0x7f), 0, taxonomy.DropTruncated, int64(len(ng)), 1},
		{"ng unknown interface", append(bytes.Clone(ng), enhanced(le, 7, 1, []byte("x"))...), 0, taxonomy.DropCorrupt, int64(len(ng)), 1},
		{"ng bad byte order", append(append(bytes.Clone(ng), section(le)[:8]...), 1, 2, 3, 4), 0, taxonomy.DropCorrupt, int64(len(ng)), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, totals := run(t, Config{}, bytesInput("damaged", c.file), other)
			if len(got) != c.found+1 {
				t.Fatalf("%d exchanges, want %d", len(got), c.found+1)
			}
			if len(totals.Problems) != c.problems {
				t.Fatalf("%+v", totals.Problems)
			}
			p := totals.Problems[0]
			if p.File != "damaged" || p.Reason != c.reason || p.Offset != c.offset {
				t.Fatalf("%+v", p)
			}
			if c.reason != "" && totals.Dropped[c.reason] != 1 {
				t.Fatalf("%+v", totals.Dropped)
			}
		})
	}
}

func TestForeignLinkType(t *testing.T) {
	_, _, totals := run(t, Config{}, bytesInput("wifi", classicFile(one(), binary.LittleEndian, true, 105)))
	if totals.Dropped[taxonomy.DropUnsupported] != uint64(len(one())) || len(totals.Problems) != 1 {
		t.Fatalf("%+v", totals)
	}
}

func TestUnopenable(t *testing.T) {
	bad := Input{Name: "gone", Open: func() (io.ReadCloser, error) { return nil, errors.New("gone") }}
	l := &source.Ledger{}
	s := New([]Input{bad}, Config{})
	err := s.Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return nil }), l)
	if !errors.Is(err, ErrNothingOpened) || s.Unopened() != 1 {
		t.Fatalf("%v", err)
	}
	got, s, totals := run(t, Config{}, bad, bytesInput("good", pcaptest.Encode(one())))
	if len(got) != 1 || s.Unopened() != 1 || len(totals.Problems) != 1 {
		t.Fatalf("%+v %+v", got, totals)
	}
}

func TestSinkAndContext(t *testing.T) {
	stop := errors.New("stop")
	l := &source.Ledger{}
	err := New([]Input{bytesInput("a", pcaptest.Encode(one()))}, Config{}).Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return stop }), l)
	if !errors.Is(err, stop) || l.Totals().Accepted != 0 {
		t.Fatalf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := New([]Input{bytesInput("a", pcaptest.Encode(one()))}, Config{}).Run(ctx, source.SinkFunc(func(*exchange.Exchange) error { return nil }), l); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
}

// TestSplit: a capture cut into files anywhere, given in any order, is the
// same capture.
func TestSplit(t *testing.T) {
	img := pcaptest.Crowd(8, 6)
	want, _, _ := run(t, Config{}, bytesInput("whole", img))
	var records [][]byte
	for p := 24; p < len(img); {
		n := 16 + int(binary.LittleEndian.Uint32(img[p+8:]))
		records = append(records, img[p:p+n])
		p += n
	}
	rapid.Check(t, func(t *rapid.T) {
		files := rapid.IntRange(2, 12).Draw(t, "files")
		round := rapid.Bool().Draw(t, "interleaved")
		parts := make([][]byte, files)
		for i := range parts {
			parts[i] = bytes.Clone(img[:24])
		}
		at := 0
		for i, r := range records {
			if round {
				at = rapid.IntRange(0, files-1).Draw(t, "file")
			} else if rapid.IntRange(0, len(records)/files).Draw(t, "next") == 0 {
				at = min(at+1, files-1)
			}
			_ = i
			parts[at] = append(parts[at], r...)
		}
		var inputs []Input
		for i, p := range parts {
			inputs = append(inputs, bytesInput(fmt.Sprintf("part%02d", i), p))
		}
		var got []taken
		s := New(rapid.Permutation(inputs).Draw(t, "order"), Config{})
		if err := s.Run(context.Background(), source.SinkFunc(func(x *exchange.Exchange) error { got = append(got, take(x)); return nil }), &source.Ledger{}); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("%d exchanges, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("exchange %d: want %+v, have %+v", i, want[i], got[i])
			}
		}
	})
}

// TestManyFiles: files open only when their time comes, and too many at once
// is an error that says so.
func TestManyFiles(t *testing.T) {
	open, peak := 0, 0
	input := func(i int, ts int64, long bool) Input {
		k := pcaptest.NewTalk(fmt.Sprintf("10.0.%d.%d:41000", i/250, i%250+1), "10.0.0.1:80", ts)
		k.Open()
		k.Send(0, []byte("GET / HTTP/1.1\r\n\r\n"), 1448)
		if long {
			k.TS = pcaptest.Epoch + 1e12
		}
		k.Close()
		b := pcaptest.Encode(k.Out)
		return Input{Name: fmt.Sprintf("f%03d", i), Open: func() (io.ReadCloser, error) {
			open++
			peak = max(peak, open)
			return struct {
				io.Reader
				io.Closer
			}{bytes.NewReader(b), closer(func() { open-- })}, nil
		}}
	}
	var inputs []Input
	for i := range 400 {
		inputs = append(inputs, input(i, pcaptest.Epoch+int64(i)*1e9, false))
	}
	got, _, _ := run(t, Config{}, inputs...)
	if len(got) != 400 || peak > 2 || open != 0 {
		t.Fatalf("%d exchanges, %d open at once, %d left open", len(got), peak, open)
	}
	inputs = nil
	for i := range 300 {
		inputs = append(inputs, input(i, pcaptest.Epoch+int64(i)*1e6, true))
	}
	err := New(inputs, Config{}).Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return nil }), &source.Ledger{})
	if !errors.Is(err, ErrTooManyOpen) || open != 0 {
		t.Fatalf("%v, %d left open", err, open)
	}
}

type closer func()

func (c closer) Close() error { c(); return nil }
