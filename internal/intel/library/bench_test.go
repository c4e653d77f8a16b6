package library

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/outbound"
)

// BenchmarkMillionThroughAFeed reads a list of a million addresses, keeps it and
// gives judges a snapshot: what a service does when the largest list changed.
func BenchmarkMillionThroughAFeed(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 1_000_000 {
			fmt.Fprintf(w, "%d.%d.%d.%d\n", 40+i>>16%100, i>>8&255, i&255, 1+i%250)
		}
	}))
	defer s.Close()
	g, err := outbound.New(outbound.Config{Allow: []string{"127.0.0.1"}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		told := 0
		l, err := New(Config{Guard: g, Keep: nowhere{}, Now: time.Now, Feeds: []Feed{{Name: "million", URL: s.URL, Licence: "test", Confidence: 100}},
			Publish: func(_ context.Context, data []byte) error {
				k, err := indicator.ParseSnapshot(data)
				told = k.Len()
				return err
			}})
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		if err := l.Fetch(b.Context(), "million"); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s-to-read")
		begin = time.Now()
		if err := l.Tell(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s-to-tell")
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-held")
		if l.Set().Len() != 1_000_000 || told < 10_000 {
			b.Fatal(l.Set().Len(), told)
		}
		b.ReportMetric(float64(told), "told")
		runtime.KeepAlive(l)
	}
}

type nowhere struct{}

func (nowhere) Save(_ string, write func(io.Writer) error) error { return write(io.Discard) }

func (nowhere) Load(string, func(io.Reader) error) (error, error) { return nil, io.EOF }
