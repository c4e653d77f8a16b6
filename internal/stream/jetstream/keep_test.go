package jetstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"xiezhi/internal/stream"
	"xiezhi/internal/stream/streamtest"
)

func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

func publish(t testing.TB, s *Bus, partition int, id string, data []byte) {
	t.Helper()
	if err := s.Publish(t.Context(), stream.Batch{Partition: partition, ID: id, Data: data}); err != nil {
		t.Fatal(err)
	}
}

// TestBytesAreSharedByPartitions: a busy partition may take the room that the
// others do not need, and what goes is the oldest.
func TestBytesAreSharedByPartitions(t *testing.T) {
	const limit, size, count = 4 << 20, 64 << 10, 160
	s := opened(t, Folder{Path: t.TempDir()}, func(c *Config) { c.Bytes = limit })
	publish(t, s, 1, "old", noise(1, size))
	for i := range count {
		publish(t, s, 0, fmt.Sprint(i), noise(uint64(i), size))
		if i == count/2 {
			publish(t, s, 2, "young", noise(2, size))
		}
	}
	s.going.Wait()
	if err := s.trimNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	stats, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := uint64(0)
	for _, p := range stats {
		sum += p.Bytes
	}
	if sum > limit || sum < limit*3/4 || stats[0].Bytes < limit*3/4 {
		t.Errorf("of %d bytes allowed %d are kept, %d of the busy partition", limit, sum, stats[0].Bytes)
	}
	if stats[1].Messages != 0 || stats[0].Last != count || stats[0].Last-stats[0].First+1 != stats[0].Messages {
		t.Errorf("kept are %+v", stats[:3])
	}
	var gap *stream.Gap
	_, err = streamtest.Collect(t.Context(), s, 0, 0, 1)
	if !errors.As(err, &gap) || gap.Missing() != stats[0].First-1 {
		t.Fatalf("from the start: %v, the first kept is %d", err, stats[0].First)
	}
	if list, err := streamtest.Collect(t.Context(), s, 0, gap.Next-1, int(stats[0].Messages)); err != nil || list[len(list)-1].Seq != count {
		t.Errorf("behind the gap: %d batches, %v", len(list), err)
	}
}

// TestReaderThatIsOvertaken: retention drops what a reader had not got to.
func TestReaderThatIsOvertaken(t *testing.T) {
	s := opened(t, Folder{Path: t.TempDir()}, nil)
	const count = 5 * MaxReadAhead
	for i := range count {
		publish(t, s, 0, fmt.Sprint(i), []byte{1})
	}
	last := uint64(0)
	err := s.Read(t.Context(), 0, 0, func(m stream.Message) error {
		if m.Seq == 1 {
			if err := s.drop(t.Context(), 0, count-3); err != nil {
				return err
			}
		}
		last = m.Seq
		return nil
	})
	var gap *stream.Gap
	if !errors.As(err, &gap) || gap.After != last || gap.Next != count-2 || last > 3*MaxReadAhead {
		t.Errorf("after number %d: %v", last, err)
	}
}

func TestOldBatchesGo(t *testing.T) {
	s := opened(t, Folder{Path: t.TempDir()}, func(c *Config) { c.Age = 300 * time.Millisecond })
	publish(t, s, 0, "a", []byte{1})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		stats, err := s.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if stats[0].Messages == 0 && stats[0].First == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("an old batch is still there: %+v", stats[0])
		}
	}
	var gap *stream.Gap
	if _, err := streamtest.Collect(t.Context(), s, 0, 0, 1); !errors.As(err, &gap) || gap.Missing() != 1 {
		t.Errorf("reading what was too old: %v", err)
	}
}

// TestPublishWaits: when the window is full Publish waits, as long as its
// context lets it.
func TestPublishWaits(t *testing.T) {
	defer goleak.VerifyNone(t)
	s, err := Open(t.Context(), config(), Folder{Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range Window {
		s.window <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Publish(ctx, stream.Batch{ID: "a", Data: []byte{1}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a full window: %v", err)
	}
	done := make(chan error)
	go func() { done <- s.Publish(t.Context(), stream.Batch{ID: "b", Data: []byte{1}}) }()
	select {
	case err := <-done:
		t.Fatalf("with a full window: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	<-s.window
	if err := <-done; err != nil {
		t.Errorf("with room again: %v", err)
	}
	s.window <- struct{}{}
	go func() { done <- s.Publish(t.Context(), stream.Batch{ID: "c", Data: []byte{1}}) }()
	time.Sleep(10 * time.Millisecond)
	go func() { _ = s.Close() }()
	if err := <-done; !errors.Is(err, stream.ErrClosed) {
		t.Errorf("closed while it waits: %v", err)
	}
}

// TestSlowReaderTakesNoMemory: what a reader did not get to stays on the disk.
func TestSlowReaderTakesNoMemory(t *testing.T) {
	const count, size = 160, 1<<20 - 8<<10
	s := opened(t, Folder{Path: t.TempDir()}, nil)
	data := noise(1, size)
	for i := range count {
		publish(t, s, 0, fmt.Sprint(i), data)
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, n := heap(), 0
	err := s.Read(t.Context(), 0, 0, func(stream.Message) error {
		if n++; n == 2 {
			time.Sleep(300 * time.Millisecond) // all that comes comes meanwhile
			if grown := heap() - before; grown > 48<<20 {
				t.Errorf("one slow reader takes %d MiB of the %d there are", grown>>20, count)
			}
		}
		if n == count {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Error(err)
	}
}

func TestRefusesConfigs(t *testing.T) {
	for what, change := range map[string]func(*Config){
		"too many partitions": func(c *Config) { c.Partitions = stream.MaxPartitions + 1 },
		"negative":            func(c *Config) { c.Partitions = -1 },
		"no randomness":       func(c *Config) { c.Random = nil },
	} {
		c := config()
		change(&c)
		if _, err := Open(t.Context(), c, Folder{Path: t.TempDir()}); !errors.Is(err, stream.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
