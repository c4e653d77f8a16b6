package live

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"pgregory.net/rapid"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/pcap/pcaptest"
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

// tape is a ring that plays frames.
type tape struct {
	frames  []pcaptest.Frame
	dropped uint64
	fail    error
	ended   chan struct{} // closed when all was read
	stopped bool
}

func (r *tape) start() error { return nil }
func (r *tape) stop() error  { r.stopped = true; return nil }
func (r *tape) close()       {}

func (r *tape) counts() (uint64, uint64, error) { return r.dropped, 0, nil }

func (r *tape) read(wait time.Duration, take func(p *packet) error) (int, error) {
	if len(r.frames) == 0 {
		if r.fail != nil {
			return 0, r.fail
		}
		if r.ended != nil {
			close(r.ended)
			r.ended = nil
		}
		time.Sleep(min(wait, 5*time.Millisecond))
		return 0, nil
	}
	n := min(len(r.frames), 100)
	for _, f := range r.frames[:n] {
		if err := take(&packet{ts: f.TS, link: wire.LinkEthernet, data: f.Data, wire: len(f.Data)}); err != nil {
			return 0, err
		}
	}
	r.frames = r.frames[n:]
	return n, nil
}

func taped(cfg Config, rings ...ring) *Source {
	cfg.Now, cfg.Warn = func() time.Time { return time.Unix(1_700_000_000, 0) }, func(string) {}
	return &Source{cfg: cfg, rings: rings, begun: make(chan struct{}), decoder: make([]wire.Stats, len(rings))}
}

// play runs s until every ring has been read.
func play(s *Source, sink source.SinkFunc, l *source.Ledger) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var ends []chan struct{}
	for _, r := range s.rings {
		ends = append(ends, make(chan struct{}))
		r.(*tape).ended = ends[len(ends)-1]
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, sink, l) }()
	for _, end := range ends {
		<-end
	}
	cancel()
	return <-done
}

// TestRunDelivers: every exchange arrives, with numbers of its own, through
// one or several decoders, and the drops of the kernel are told.
func TestRunDelivers(t *testing.T) {
	frames := pcaptest.CrowdFrames(8, 20)
	seen := map[uint64]bool{}
	ids := map[string]bool{}
	s := taped(Config{Interface: "eth7", Buffer: 64 << 20}, &tape{frames: frames, dropped: 5}, &tape{frames: shift(frames), dropped: 2})
	var l source.Ledger
	err := play(s, func(x *exchange.Exchange) error {
		seen[x.Seq] = true
		ids[string(x.ID)] = true
		return nil
	}, &l)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	total := l.Totals()
	if len(seen) != 320 || len(ids) != 320 || total.Accepted != 320 || len(total.Dropped) != 0 {
		t.Errorf("%d numbers, %d ids, %+v", len(seen), len(ids), total)
	}
	if n := total.Quality[source.QualityKey{Code: taxonomy.QualityPacketsDropped, Detail: "eth7"}]; n != 7 {
		t.Errorf("%d packets told as dropped, want 7", n)
	}
	if st := s.Stats(); st.Seen != uint64(2*len(frames)) || st.Dropped != 7 {
		t.Errorf("%+v", st)
	}
}

// shift is the same talk from other clients.
func shift(frames []pcaptest.Frame) []pcaptest.Frame {
	var out []pcaptest.Frame
	for _, f := range frames {
		b := bytes.Clone(f.Data)
		for _, at := range []int{26, 30} {
			if b[at+1] == 0 {
				b[at+1] = 77
			}
		}
		out = append(out, pcaptest.Frame{TS: f.TS, Data: b})
	}
	return out
}

// TestOverload: a sink that is too slow costs exchanges, which are counted,
// and neither memory nor the connections' place.
func TestOverload(t *testing.T) {
	frames := pcaptest.CrowdFrames(16, 200) // 3 200 exchanges of 3.4 KB
	tp := &tape{frames: frames, ended: make(chan struct{})}
	s := taped(Config{Interface: "eth7", Buffer: 4 << 20}, tp)
	var l source.Ledger
	ctx, cancel := context.WithCancel(context.Background())
	release := make(chan struct{})
	got := uint64(0)
	done := make(chan error, 1)
	ended := tp.ended
	go func() {
		done <- s.Run(ctx, source.SinkFunc(func(*exchange.Exchange) error {
			<-release
			got++
			return nil
		}), &l)
	}()
	<-ended // everything was decoded while the sink stood still
	close(release)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	total := l.Totals()
	if shed := total.Dropped[taxonomy.DropOverload]; shed == 0 || got+shed != 3200 || total.Accepted != got {
		t.Errorf("%d accepted, %d shed, %+v", got, shed, total)
	}
	if d := s.decoder[0]; d.Emitted != 3200 || d.Gaps != 0 {
		t.Errorf("%+v", d)
	}
}

func TestRunFails(t *testing.T) {
	boom := errors.New("boom")
	frames := pcaptest.CrowdFrames(4, 10)
	for name, tt := range map[string]struct {
		ring *tape
		sink error
		text string
	}{
		"sink": {&tape{frames: frames}, boom, "boom"},
		"ring": {&tape{frames: frames, fail: boom}, nil, "eth7: boom"},
	} {
		var l source.Ledger
		s := taped(Config{Interface: "eth7", Buffer: 4 << 20}, tt.ring)
		err := s.Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { return tt.sink }), &l)
		if !errors.Is(err, boom) || err.Error() != tt.text {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := Open(Config{Interface: "lo", Rings: 65}); err == nil {
		t.Error("65 rings are accepted")
	}
	if _, err := Open(Config{Interface: "nosuch0"}); err == nil || !strings.Contains(err.Error(), "nosuch0") && !strings.Contains(err.Error(), "Linux") {
		t.Errorf("an interface that is not there: %v", err)
	}
	if err := CheckFilter("tcp prt 80"); err == nil {
		t.Error("a wrong filter is accepted")
	}
}

// TestFanout: both directions of a connection go to one ring, whatever they
// are in, and connections spread.
func TestFanout(t *testing.T) {
	prog := fanout(14, bpf.LoadAbsolute{Off: 12, Size: 2})
	if _, err := bpf.Assemble(fanout(fromNetwork, bpf.LoadExtension{Num: bpf.ExtProto})); err != nil {
		t.Fatal(err)
	}
	vm, err := bpf.NewVM(prog)
	if err != nil {
		t.Fatal(err)
	}
	ringOf := func(b []byte) uint32 {
		n, err := vm.Run(b)
		if err != nil {
			t.Fatal(err)
		}
		return uint32(n) % 4
	}
	rapid.Check(t, func(rt *rapid.T) {
		v6 := rapid.Bool().Draw(rt, "v6")
		proto := rapid.SampledFrom([]byte{6, 6, 17, 47, 4}).Draw(rt, "proto")
		options := rapid.IntRange(0, 10).Draw(rt, "options")
		addr := func(name string) []byte {
			n := 4
			if v6 {
				n = 16
			}
			return rapid.SliceOfN(rapid.Byte(), n, n).Draw(rt, name)
		}
		src, dst := addr("src"), addr("dst")
		sp, dp := rapid.Uint16().Draw(rt, "sp"), rapid.Uint16().Draw(rt, "dp")
		there, back := segment(src, dst, sp, dp, proto, options), segment(dst, src, dp, sp, proto, options)
		if a, b := ringOf(there), ringOf(back); a != b {
			rt.Fatalf("rings %d and %d", a, b)
		}
	})
	var spread [4]int
	for i := range 4000 {
		a := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).AsSlice()
		spread[ringOf(segment(a, []byte{10, 9, 0, 1}, uint16(40000+i%64), 80, 6, 0))]++
	}
	for i, n := range spread {
		if n < 700 {
			t.Errorf("ring %d has %d of 4 000 connections: %v", i, n, spread)
		}
	}
}

func segment(src, dst []byte, sp, dp uint16, proto byte, options int) []byte {
	b := make([]byte, 12)
	if len(src) == 4 {
		b = append(b, 8, 0)
		ip := make([]byte, 20+4*options)
		ip[0], ip[9] = byte(0x45+options), proto
		copy(ip[12:], src)
		copy(ip[16:], dst)
		b = append(b, ip...)
	} else {
		b = append(b, 0x86, 0xdd)
		ip := make([]byte, 40)
		ip[0], ip[6] = 0x60, proto
		copy(ip[8:], src)
		copy(ip[24:], dst)
		b = append(b, ip...)
	}
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, sp), dp)
	return append(b, make([]byte, 40)...)
}

// BenchmarkQueue is the way of an exchange from a decoder to the sink.
func BenchmarkQueue(b *testing.B) {
	x := exchange.Exchange{ID: []byte("0123456789abcdef"), Method: []byte("GET"), Target: []byte("/api/v1/items/1")}
	for i := range 10 {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: fmt.Appendf(nil, "X-Header-%d", i), Value: []byte("some value of a usual length")})
	}
	x.Response.Body = bytes.Repeat([]byte("x"), 2300)
	q := newQueue(64 << 20)
	w := q.writer()
	w.patient = true
	done := make(chan int)
	go func() {
		n := 0
		for t := q.pop(); t != nil; t = q.pop() {
			n += t.Len()
			q.done(t)
		}
		done <- n
	}()
	b.ReportAllocs()
	for b.Loop() {
		if err := w.put(&x); err != nil {
			b.Fatal(err)
		}
	}
	w.flush()
	q.close()
	<-done
}
