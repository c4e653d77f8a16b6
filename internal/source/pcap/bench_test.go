package pcap

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/pcap/pcaptest"
	"xiezhi/internal/wire"
)

// BenchmarkKeepAlive measures capture to exchanges: read, decode, reassemble,
// frame, pair. One operation is one exchange.
func BenchmarkKeepAlive(b *testing.B) {
	const conns, rounds = 64, 300
	img := pcaptest.Crowd(conns, rounds)
	l := &source.Ledger{}
	n, body := 0, int64(0)
	sink := source.SinkFunc(func(x *exchange.Exchange) error {
		n++
		body += x.Response.BodySize
		return nil
	})
	b.ReportAllocs()
	b.SetBytes(int64(len(img)) / (conns * rounds))
	runtime.GC()
	b.ResetTimer()
	cpu := cpuTime()
	for n < b.N {
		s := New([]Input{bytesInput("crowd", img)}, Config{})
		if err := s.Run(context.Background(), sink, l); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	cpu = cpuTime() - cpu
	if n%(conns*rounds) != 0 {
		b.Fatalf("%d exchanges lost", conns*rounds-n%(conns*rounds))
	}
	// The processor's time, not the wall's: the machine may be shared.
	per := cpu.Seconds() / float64(n)
	b.ReportMetric(1/per, "exchanges/cpu-s")
	b.ReportMetric(per*1e9, "cpu-ns/exchange")
	b.ReportMetric(float64(len(img))/float64(conns*rounds)/per/1e6, "MB/cpu-s")
}

// cpuTime is the processor time this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestSteadyAllocations checks that exchanges cost no allocation once the
// pools are warm.
func TestSteadyAllocations(t *testing.T) {
	w := newWindow(bytes.NewReader(pcaptest.Crowd(64, 60)), windowSize, nil)
	r, err := newReader(w)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	d := wire.New(wire.Config{Emit: func(*exchange.Exchange) error { n++; return nil }})
	var before, after runtime.MemStats
	warm := 0
	var p packet
	for {
		if err := r.read(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if err := d.Packet(p.ts, p.link, p.data, p.wire); err != nil {
			t.Fatal(err)
		}
		if n == 64*30 && warm == 0 {
			warm = n
			runtime.ReadMemStats(&before)
		}
	}
	runtime.ReadMemStats(&after)
	if n != 64*60 {
		t.Fatalf("%d exchanges, want %d", n, 64*60)
	}
	if a := after.Mallocs - before.Mallocs; a > 20 {
		t.Errorf("%d allocations for %d exchanges", a, n-warm)
	}
}

// BenchmarkSample measures the sample capture, one short connection per
// exchange, when it is unpacked beside the tests.
func BenchmarkSample(b *testing.B) {
	img, err := os.ReadFile(os.Getenv("XIEZHI_SAMPLE"))
	if err != nil {
		b.Skip("XIEZHI_SAMPLE names no capture")
	}
	l := &source.Ledger{}
	b.ReportAllocs()
	b.SetBytes(int64(len(img)))
	n := 0
	for b.Loop() {
		s := New([]Input{bytesInput("sample", img)}, Config{})
		if err := s.Run(context.Background(), source.SinkFunc(func(*exchange.Exchange) error { n++; return nil }), l); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(n), "ns/exchange")
}
