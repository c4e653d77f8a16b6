package engine

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/stream"
)

// fullBus is a bus whose disk is full for a while.
type fullBus struct {
	stream.Bus
	after atomic.Int64 // events until it is full; negative: it is
	tried atomic.Int64 // events refused
}

func (b *fullBus) Publish(ctx context.Context, x stream.Batch) error {
	if b.after.Add(-1) < 0 {
		b.tried.Add(1)
		return &stream.Fault{What: "write to", Where: "the stream", Do: "make room", Err: fmt.Errorf("%w (by a test)", stream.ErrFull)}
	}
	return b.Bus.Publish(ctx, x)
}

// TestServiceWithoutRoom: while the disk is full a service takes nothing, says
// so, and loses nothing; when there is room it goes on by itself. One that is
// ended meanwhile says why it could not take what it was given.
func TestServiceWithoutRoom(t *testing.T) {
	h := newHall(t)
	bus := &fullBus{Bus: h.bus}
	bus.after.Store(5)
	cfg := h.config(newFileSource(vampiCapture))
	cfg.Bus = bus
	s, end := h.run(cfg)
	for bus.tried.Load() == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	if st := s.Status(t.Context()); st.Status != v1.StatusStatusFailing || st.Stream.State != v1.PartStateFailing || st.Stream.Text.Zh == "" {
		t.Errorf("it says %s of itself, %+v of the stream", st.Status, st.Stream)
	}
	bus.after.Store(1 << 40)
	<-cfg.Sources[0].(*fileSource).ended
	h.idle(s)
	if st := s.Status(t.Context()); st.Stream.State != v1.PartStateOk {
		t.Errorf("with room again it says %+v of the stream", st.Stream)
	}
	end()
	sameFindings(t, found(s.Report()), found(h.analysed(vampiCapture)))

	bus.after.Store(0)
	again := h.config(newFileSource(vampiCapture))
	again.Bus = bus
	s, err := NewService(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.Run(ctx); err == nil {
		t.Error("it ended as if it had taken what it was given")
	}
}
