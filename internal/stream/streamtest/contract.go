package streamtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xiezhi/internal/stream"
)

// Streams is a way to have streams of one kind.
type Streams struct {
	// Open opens the stream of a folder; the same folder again after Close
	// gives what was written before, whatever partitions then says.
	Open func(folder string, partitions int) (stream.Bus, error)
	// Drop does what retention does: it drops messages up to a number.
	Drop func(b stream.Bus, partition int, to uint64) error
}

// patience is how long a test waits for what has to come; only a stream that
// fails takes so long.
const patience = time.Minute

// Contract holds a stream against the model.
func Contract(t *testing.T, s Streams) {
	t.Run("does what the model does", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			m := &machine{streams: s, folder: t.TempDir(), model: NewModel(3, time.Now)}
			m.open(rt, 3)
			defer func() { _ = m.bus.Close() }()
			rt.Repeat(map[string]func(*rapid.T){
				"publish": m.publish, "again": m.again, "drop": m.drop, "reopen": m.reopen, "read": m.read, "": func(*rapid.T) {},
			})
			for p := range 3 {
				m.compare(rt, p, 0)
			}
		})
	})
	for name, test := range map[string]func(*testing.T, Streams){
		"gives many readers what many write":  many,
		"gives what comes":                    follows,
		"ends as it is told":                  ends,
		"refuses what is not as it has to be": refusals,
		"tells what is gone":                  gone,
		"keeps how many partitions there are": partitions,
		"closes":                              closes,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func fresh(t *testing.T, s Streams, partitions int) stream.Bus {
	t.Helper()
	b, err := s.Open(t.TempDir(), partitions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

var errEnough = errors.New("enough")

// Collect reads n messages after a number, with what stood in them.
func Collect(ctx context.Context, b stream.Bus, partition int, after uint64, n int) ([]stream.Message, error) {
	if n == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var list []stream.Message
	err := b.Read(ctx, partition, after, func(m stream.Message) error {
		m.Data = append([]byte{}, m.Data...)
		if list = append(list, m); len(list) == n {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return list, err
}

// machine does the same to a stream and to the model.
type machine struct {
	streams Streams
	folder  string
	bus     stream.Bus
	model   *Model
	past    []stream.Batch
}

func (m *machine) open(t *rapid.T, partitions int) {
	b, err := m.streams.Open(m.folder, partitions)
	if err != nil {
		t.Fatal(err)
	}
	m.bus = b
}

func (m *machine) reopen(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "seldom") > 0 { // it takes longest
		return
	}
	if err := m.bus.Close(); err != nil {
		t.Fatal(err)
	}
	m.open(t, 3)
}

func (m *machine) publish(t *rapid.T) {
	m.send(t, stream.Batch{
		Partition: rapid.IntRange(0, 2).Draw(t, "partition"),
		ID:        fmt.Sprintf("sensor-1/%d", len(m.past)),
		Data:      rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "data"),
	})
}

// again sends what was sent; also to another partition, where it is new. An id
// whose batch was dropped may be remembered or not.
func (m *machine) again(t *rapid.T) {
	if len(m.past) == 0 {
		return
	}
	b := rapid.SampledFrom(m.past).Draw(t, "which")
	b.Partition = rapid.SampledFrom([]int{b.Partition, b.Partition, 0, 1}).Draw(t, "where")
	p := &m.model.parts[b.Partition]
	if p.ids[b.ID] && !slices.ContainsFunc(p.kept, func(k stream.Message) bool { return k.ID == b.ID }) {
		return
	}
	m.send(t, b)
}

func (m *machine) send(t *rapid.T, b stream.Batch) {
	m.past = append(m.past, b)
	err, want := m.bus.Publish(context.Background(), b), m.model.Publish(context.Background(), b)
	if err != nil || want != nil {
		t.Fatalf("published with %v, the model with %v", err, want)
	}
}

func (m *machine) drop(t *rapid.T) {
	p := rapid.IntRange(0, 2).Draw(t, "partition")
	last := m.stats(t)[p].Last
	to := rapid.Uint64Range(0, last).Draw(t, "to")
	if err := m.streams.Drop(m.bus, p, to); err != nil {
		t.Fatal(err)
	}
	m.model.Drop(p, to)
}

// stats are the model's, after the stream's were held against them.
func (m *machine) stats(t *rapid.T) []stream.Stats {
	got, err := m.bus.Stats(context.Background())
	want, _ := m.model.Stats(context.Background())
	if err != nil || len(got) != len(want) {
		t.Fatalf("stats %v, %v", got, err)
	}
	for i := range want {
		g := got[i]
		if (g.Bytes > 0) != (g.Messages > 0) {
			t.Fatalf("%d messages have %d bytes", g.Messages, g.Bytes)
		}
		if g.Bytes = want[i].Bytes; g != want[i] {
			t.Fatalf("stats %+v, the model's %+v", g, want[i])
		}
	}
	return want
}

func (m *machine) read(t *rapid.T) {
	p := rapid.IntRange(0, 2).Draw(t, "partition")
	m.compare(t, p, rapid.Uint64Range(0, m.stats(t)[p].Last+3).Draw(t, "after"))
}

// compare reads all that is there.
func (m *machine) compare(t *rapid.T, p int, after uint64) {
	s := m.stats(t)[p]
	for _, id := range []string{"other", fmt.Sprint("sensor-1/", after)} {
		got, want := m.bus.Same(context.Background(), p, after, id), m.model.Same(context.Background(), p, after, id)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("that number %d is %s is told as %v, by the model as %v", after, id, got, want)
		}
	}
	n := 1 // so that an error shows
	if after >= s.First-1 && after <= s.Last {
		n = int(s.Last - after)
	}
	got, err := Collect(context.Background(), m.bus, p, after, n)
	want, wantErr := Collect(context.Background(), m.model, p, after, n)
	if fmt.Sprintf("%T %v", err, err) != fmt.Sprintf("%T %v", wantErr, wantErr) {
		t.Fatalf("reading ended with %v, the model's with %v", err, wantErr)
	}
	for i := range got {
		if got[i].At.IsZero() {
			t.Fatalf("message %d has no time", got[i].Seq)
		}
		got[i].At = time.Time{}
	}
	for i := range want {
		want[i].At = time.Time{}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("partition %d after %d (-model +stream):\n%s", p, after, d)
	}
}
