package streamtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/stream"
)

// many: several write into the same partitions at once, some of it twice, while
// others read from the start.
func many(t *testing.T, s Streams) {
	const writers, each, parts = 4, 60, 2
	b := fresh(t, s, parts)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				for p := range parts {
					x := stream.Batch{Partition: p, ID: fmt.Sprintf("writer-%d/%d", w, i), Data: bytes.Repeat([]byte{byte(w), byte(i)}, 1+i*50)}
					for range 1 + i%2 {
						if err := b.Publish(t.Context(), x); err != nil {
							t.Error(err)
						}
					}
				}
			}
		})
	}
	read := make([][]stream.Message, 2*parts)
	for r := range read {
		wg.Go(func() {
			var err error
			if read[r], err = Collect(t.Context(), b, r%parts, 0, writers*each); err != nil {
				t.Errorf("reader %d: %v", r, err)
			}
		})
	}
	wg.Wait()
	for r, list := range read {
		next := [writers]int{}
		for i, m := range list {
			var w, n int
			if _, err := fmt.Sscanf(m.ID, "writer-%d/%d", &w, &n); err != nil || w >= writers {
				t.Fatalf("reader %d: id %q", r, m.ID)
			}
			if m.Seq != uint64(i+1) || m.Partition != r%parts || n != next[w] {
				t.Fatalf("reader %d: message %d is number %d of partition %d, %s, expected %d of that writer", r, i, m.Seq, m.Partition, m.ID, next[w])
			}
			if want := bytes.Repeat([]byte{byte(w), byte(n)}, 1+n*50); !bytes.Equal(m.Data, want) {
				t.Fatalf("reader %d: %s holds %d bytes that differ from the %d sent", r, m.ID, len(m.Data), len(want))
			}
			next[w]++
		}
		for i, m := range read[r%parts] {
			if list[i].ID != m.ID {
				t.Fatalf("two readers see %s and %s in one place", list[i].ID, m.ID)
			}
		}
	}
}

// follows: who reads at the end gets what comes, one by one.
func follows(t *testing.T, s Streams) {
	b := fresh(t, s, 2)
	got := make(chan string)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- b.Read(ctx, 1, 0, func(m stream.Message) error {
			got <- m.ID
			return nil
		})
	}()
	for i := range 20 {
		id := fmt.Sprint("s/", i)
		for p := range 2 {
			if err := b.Publish(ctx, stream.Batch{Partition: p, ID: id, Data: []byte{1}}); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case g := <-got:
			if g != id {
				t.Fatalf("%s came, %s was sent", g, id)
			}
		case <-time.After(patience):
			t.Fatalf("%s did not come", id)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, reading ends with %v", err)
	}
}

func ends(t *testing.T, s Streams) {
	b := fresh(t, s, 1)
	for i := range 3 {
		if err := b.Publish(t.Context(), stream.Batch{ID: fmt.Sprint(i), Data: []byte{1}}); err != nil {
			t.Fatal(err)
		}
	}
	own := errors.New("own")
	n := 0
	err := b.Read(t.Context(), 0, 1, func(stream.Message) error { n++; return own })
	if !errors.Is(err, own) || n != 1 {
		t.Errorf("after %d calls reading ends with %v", n, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Read(over, 0, 3, func(stream.Message) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over, reading ends with %v", err)
	}
	if err := b.Publish(over, stream.Batch{ID: "x", Data: []byte{1}}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over, publishing ends with %v", err)
	}
	// Cancelled while fn runs, no further call is made.
	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	err = b.Read(ctx, 0, 0, func(stream.Message) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("cancelled in the first call, there were %d, %v", n, err)
	}
}

func refusals(t *testing.T, s Streams) {
	b := fresh(t, s, 2)
	for what, x := range map[string]stream.Batch{
		"partition":    {Partition: 2, ID: "a", Data: []byte{1}},
		"no id":        {Data: []byte{1}},
		"id with line": {ID: "a\nb", Data: []byte{1}},
		"no data":      {ID: "a"},
		"large":        {ID: "a", Data: make([]byte, stream.MaxData+1)},
	} {
		if err := b.Publish(t.Context(), x); !errors.Is(err, stream.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := b.Read(t.Context(), -1, 0, func(stream.Message) error { return nil }); !errors.Is(err, stream.ErrRefused) {
		t.Errorf("reading partition -1: %v", err)
	}
	// The largest there may be, of what does not get smaller.
	big := stream.Batch{Partition: 1, ID: strings.Repeat("i", stream.MaxID), Data: make([]byte, stream.MaxData)}
	x := uint64(1)
	for i := range big.Data {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		big.Data[i] = byte(x)
	}
	if err := b.Publish(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	list, err := Collect(t.Context(), b, 1, 0, 1)
	if err != nil || list[0].ID != big.ID || !bytes.Equal(list[0].Data, big.Data) {
		t.Errorf("the largest batch came back as %d messages, %v", len(list), err)
	}
}

// gone: a reader is told how many it missed, before it began and while it read.
func gone(t *testing.T, s Streams) {
	b := fresh(t, s, 1)
	for i := range 10 {
		if err := b.Publish(t.Context(), stream.Batch{ID: fmt.Sprint(i), Data: []byte{1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Drop(b, 0, 4); err != nil {
		t.Fatal(err)
	}
	var g *stream.Gap
	_, err := Collect(t.Context(), b, 0, 1, 1)
	if !errors.As(err, &g) || g.Missing() != 3 || g.Next != 5 || g.After != 1 {
		t.Fatalf("three of those asked for were dropped: %v", err)
	}
	list, err := Collect(t.Context(), b, 0, g.Next-1, 6)
	if err != nil || list[0].Seq != 5 || list[5].Seq != 10 {
		t.Fatalf("behind the gap: %v, %v", list, err)
	}
	if err := b.Same(t.Context(), 0, 7, "6"); err != nil {
		t.Errorf("the batch that is there: %v", err)
	}
	if err := b.Same(t.Context(), 0, 4, "x"); err != nil {
		t.Errorf("a batch that is no longer kept: %v", err)
	}
	var other *stream.Behind
	if err := b.Same(t.Context(), 0, 7, "7"); !errors.As(err, &other) || other.Found != "6" {
		t.Errorf("another batch has the number: %v", err)
	}
	if err := s.Drop(b, 0, 10); err != nil {
		t.Fatal(err)
	}
	if _, err = Collect(t.Context(), b, 0, 8, 1); !errors.As(err, &g) || g.Missing() != 2 || g.Next != 11 {
		t.Errorf("all were dropped: %v", err)
	}
	var behind *stream.Behind
	if _, err = Collect(t.Context(), b, 0, 11, 1); !errors.As(err, &behind) || behind.Last != 10 {
		t.Errorf("one further than there ever was: %v", err)
	}
	st, err := b.Stats(t.Context())
	if err != nil || st[0].First != 11 || st[0].Last != 10 || st[0].Messages != 0 {
		t.Errorf("stats of an empty partition: %+v, %v", st, err)
	}
}

func partitions(t *testing.T, s Streams) {
	folder := t.TempDir()
	for i, asked := range []int{5, 5, 2, 0, 9} {
		b, err := s.Open(folder, asked)
		if err != nil {
			t.Fatal(err)
		}
		if b.Partitions() != 5 || b.Partition("shop.example.com") != stream.Partition("shop.example.com", 5) {
			t.Errorf("opened with %d there are %d partitions", asked, b.Partitions())
		}
		x := stream.Batch{Partition: 4, ID: fmt.Sprint(i), Data: []byte{1}}
		if err := b.Publish(t.Context(), x); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

func closes(t *testing.T, s Streams) {
	b := fresh(t, s, 1)
	reading := make(chan error, 1)
	go func() { reading <- b.Read(t.Context(), 0, 0, func(stream.Message) error { return nil }) }()
	if err := b.Publish(t.Context(), stream.Batch{ID: "a", Data: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-reading:
		if !errors.Is(err, stream.ErrClosed) {
			t.Errorf("closed, reading ends with %v", err)
		}
	case <-time.After(patience):
		t.Error("closed, reading goes on")
	}
	if err := b.Publish(t.Context(), stream.Batch{ID: "b", Data: []byte{1}}); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("closed, publishing ends with %v", err)
	}
	if err := b.Read(t.Context(), 0, 0, func(stream.Message) error { return nil }); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("closed, reading begins with %v", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}
