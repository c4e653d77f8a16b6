package envoy

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"

	"xiezhi/internal/source/sensor"
)

// BenchmarkProcessor puts one exchange with two bodies together.
func BenchmarkProcessor(b *testing.B) {
	var list [][]byte
	size := 0
	for _, m := range []*request2{
		modes(ask(false, "user-agent: Mozilla/5.0", "accept: application/json", "cookie: sid=xk29vq", "x-request-id: 7d3f"), streamed, streamed), askBody(true, strings.Repeat("a", 300)),
		answer(false, "content-length: 2000", "server: envoy"), answerBody(false, strings.Repeat("b", 1000)), answerBody(true, strings.Repeat("b", 1000)),
	} {
		m.ObservabilityMode = true
		raw, err := proto.Marshal(m)
		if err != nil {
			b.Fatal(err)
		}
		list, size = append(list, raw), size+len(raw)
	}
	s := New(Config{Clock: func() time.Time { return time.Unix(1700000000, 0) }})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		p := s.newProcessor(sensor.Sensor{Name: "t"})
		for _, raw := range list {
			if _, ok := p.take(raw, 0); !ok {
				b.Fatal("refused")
			}
		}
		r := <-s.queue
		r.hash()
		s.release(r)
	}
}

// BenchmarkStreams sends exchanges over gRPC, one stream for each, 64 at a
// time; the client's share of the work is in it.
func BenchmarkStreams(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s := New(Config{Listener: l})
	go func() {
		ended <- s.Run(ctx, source.SinkFunc(func(*exchange.Exchange) error { return nil }), &source.Ledger{})
	}()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	client := extproc.NewExternalProcessorClient(conn)
	list := []*request2{modes(ask(false), streamed, streamed), askBody(true, strings.Repeat("a", 300)), answer(false), answerBody(true, strings.Repeat("b", 2000))}
	for _, m := range list {
		m.ObservabilityMode = true
	}
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c, err := client.Process(ctx)
			if err != nil {
				b.Error(err)
				return
			}
			for _, m := range list {
				_ = c.Send(m)
			}
			_ = c.CloseSend()
			_, _ = c.Recv()
		}
	})
	b.StopTimer()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		b.Error(err)
	}
	_ = conn.Close()
	if st := s.Stats(); st.Streams != uint64(b.N) || st.Overload > 0 {
		b.Errorf("%+v of %d", st, b.N)
	}
}
