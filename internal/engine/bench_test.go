package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"xiezhi/internal/engine"
	"xiezhi/internal/judge"
	"xiezhi/internal/source"
	"xiezhi/internal/source/accesslog/logtest"
	"xiezhi/internal/source/pcap/pcaptest"
	"xiezhi/rules"
)

// The whole path, packets to findings, one operation being one exchange. Run
// it with GOMAXPROCS=1: figures are per core.
//
// Bundled is the bundled capture: one connection per request, lists of up to
// 19 KB, attacks. KeepAlive is a generated crowd as in the design's
// measurements: 64 connections, 2.3 KB of JSON per answer. Shop is what
// pcapgen writes, smaller: 4 000 visitors with tokens of their own, answers
// that differ. AccessLog and
// AccessLogHigh are generated combined logs of a site of medium size and of one
// with 60 000 visitors and hardly a URL twice.
func BenchmarkWholePath(b *testing.B) {
	b.Run("Bundled", func(b *testing.B) { wholePath(b, inflate(b, capture), 7680) })
	b.Run("KeepAlive", func(b *testing.B) { wholePath(b, pcaptest.Crowd(64, 1000), 64000) })
	b.Run("Shop", func(b *testing.B) {
		var image bytes.Buffer
		sum, err := pcaptest.Shop{Transactions: 40000}.Write(&image)
		if err != nil {
			b.Fatal(err)
		}
		wholePath(b, image.Bytes(), sum.Transactions)
	})
	b.Run("AccessLog", func(b *testing.B) { wholePath(b, accessLog(b, false), logLines) })
	b.Run("AccessLogHigh", func(b *testing.B) { wholePath(b, accessLog(b, true), logLines) })
}

const logLines = 200_000

func accessLog(tb testing.TB, high bool) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := logtest.Write(&b, logtest.Config{Lines: logLines, Seed: 1, High: high}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func wholePath(b *testing.B, image []byte, exchanges int) {
	b.ReportAllocs()
	b.SetBytes(int64(len(image) / exchanges))
	done := 0
	tools(b)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	cpu := cpuTime()
	b.ResetTimer()
	for done < b.N {
		in := source.Input{Name: "capture", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(image)), nil }}
		dir := b.TempDir()
		res, err := engine.Analyze(context.Background(), engine.AnalyzeConfig{Version: "bench", Tools: tools(b), Inputs: []source.Input{in}, Workers: 1, Random: rand.Reader,
			Temp: func() (judge.SpillFile, error) { return os.CreateTemp(dir, "spill-*") }})
		if err != nil {
			b.Fatal(err)
		}
		if res.Report.Input.Analysed != uint64(exchanges) {
			b.Fatalf("%d exchanges analysed, want %d", res.Report.Input.Analysed, exchanges)
		}
		done += exchanges
	}
	b.StopTimer()
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&after)
	// The processor's time, not the wall's: the machine may be shared.
	b.ReportMetric(float64(done)/cpu.Seconds(), "exchanges/cpu-s")
	b.ReportMetric(float64(len(image))*float64(done/exchanges)/cpu.Seconds()/1e6, "MB/cpu-s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(done), "mallocs/exchange")
}

// BenchmarkStart decodes the rules: what every run pays before its first byte.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if _, err := engine.LoadTools(rules.FS, [32]byte{1}); err != nil {
			b.Fatal(err)
		}
	}
}

func inflate(tb testing.TB, name string) []byte {
	tb.Helper()
	f, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	defer z.Close()
	data, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// cpuTime is the processor time this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
