package envoy

import (
	"encoding/binary"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"xiezhi/internal/source/sensor"
)

// FuzzProcessor: no sequence of messages crashes the assembly, makes it hold
// more than its cap or keep what it has given back, or leaves an exchange
// neither given nor counted.
func FuzzProcessor(f *testing.F) {
	pack := func(list ...*request2) (out []byte) {
		for _, m := range list {
			b, err := proto.Marshal(m)
			if err != nil {
				f.Fatal(err)
			}
			out = append(binary.BigEndian.AppendUint16(out, uint16(len(b))), b...)
		}
		return out
	}
	f.Add(pack(modes(ask(false), streamed, streamed), askBody(true, "a"), answer(false), answerBody(true, "b")))
	f.Add(pack(modes(ask(false), duplex, duplex), answer(true), askBody(false, "a"), answerTrailers("grpc-status: 5"), ask(true)))
	f.Add(pack(answer(false), answerBody(false, "x"), answer(true)))
	f.Add([]byte("\x00\x02\x12\x00\x00\x03\x12\x7fa"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New(Config{MaxBody: 64, MaxHeld: 1024, MaxQueue: 2, Clock: func() time.Time { return time.Unix(1700000000, 0) }})
		p := s.newProcessor(sensor.Sensor{Name: "t"})
		for len(b) >= 2 {
			n := int(binary.BigEndian.Uint16(b))
			b = b[2:]
			have := min(n, len(b))
			if _, ok := p.take(b[:have], int64(n-have)); !ok {
				break
			}
			b = b[have:]
			if held := s.held.Load(); held > 1024 {
				t.Fatalf("%d bytes held", held)
			}
		}
		p.finish()
		given := uint64(len(s.queue))
		for range given {
			r := <-s.queue
			if len(r.x.Request.Body) > 64 || len(r.x.Response.Body) > 64 || r.x.Request.Truncated < 0 || r.x.Response.Truncated < 0 || r.x.End < r.x.Start {
				t.Fatalf("%+v", r.x)
			}
			r.hash()
			s.release(r)
		}
		if total := given + s.broken.Load() + s.overload.Load(); total != 1 || s.held.Load() != 0 {
			t.Fatalf("%d exchanges accounted for, %d bytes held", total, s.held.Load())
		}
	})
}

// FuzzLogs: no bytes crash the reader of access logs.
func FuzzLogs(f *testing.F) {
	f.Add([]byte("\x12\x10\x0a\x0e\x0a\x04\x2a\x02\x08\x01\x1a\x06\x08\x01\x2a\x02/a"))
	f.Add([]byte("\x12\x04\x0a\x02\x1a\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New(Config{MaxQueue: 1})
		s.takeLogs(b, sensor.Sensor{Name: "t"})
		for range len(s.queue) {
			r := <-s.queue
			if r.x.End < r.x.Start || r.x.Status < 0 || r.x.Status > 999 {
				t.Fatalf("%+v", r.x)
			}
			s.release(r)
		}
	})
}
