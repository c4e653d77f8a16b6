package judge

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/observe"
)

// memoryFile is a temporary file in memory that may fail.
type memoryFile struct {
	bytes.Buffer
	fail   error
	closed bool
}

func (f *memoryFile) Write(p []byte) (int, error) {
	if f.fail != nil {
		return 0, f.fail
	}
	return f.Buffer.Write(p)
}

func (f *memoryFile) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(f.Bytes()).ReadAt(p, off)
}

func (f *memoryFile) Close() error { f.closed = true; return nil }

// batch makes a batch of observations that carry a key and a text.
func batch(t interface{ Fatal(...any) }, keys []orderKey) *observe.Batch {
	var w observe.Writer
	for _, k := range keys {
		w.Append(&observe.Observation{ID: fmt.Sprint(k.end, "/", k.ordinal, "/", k.seq), End: k.end, Ordinal: k.ordinal, Seq: k.seq, Part: k.part, Host: "a.example", Method: "GET"})
	}
	b := &observe.Batch{}
	if err := b.Decode(w.Finish(nil)); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSorterOrders compares the sorter with slices.Sort over any split into
// batches, any memory cap and any number of goroutines that add.
func TestSorterOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.Custom(func(t *rapid.T) orderKey {
			return orderKey{rapid.Int64Range(0, 50).Draw(t, "end"), uint32(rapid.IntRange(0, 2).Draw(t, "ordinal")), uint64(rapid.IntRange(0, 1<<20).Draw(t, "seq")), 0}
		})
		keys := rapid.SliceOfNDistinct(key, 0, 300, func(k orderKey) orderKey { return k }).Draw(t, "keys")
		var files []*memoryFile
		var mu sync.Mutex
		s := NewSorter(SorterConfig{Memory: rapid.SampledFrom([]int{1, 2000, 1 << 20}).Draw(t, "memory"), Random: rand.Reader,
			Create: func() (SpillFile, error) {
				mu.Lock()
				defer mu.Unlock()
				files = append(files, &memoryFile{})
				return files[len(files)-1], nil
			}})
		var wg sync.WaitGroup
		for part := range slices.Chunk(keys, rapid.IntRange(1, 60).Draw(t, "chunk")) {
			b := batch(t, part)
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := s.Add(b); err != nil {
					t.Error(err)
				}
			}()
		}
		wg.Wait()
		slices.SortFunc(keys, orderKey.compare)
		for pass := range 2 {
			var got []orderKey
			if err := s.Each(func(o *observe.Observation) error { got = append(got, keyOf(o)); return nil }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, keys) {
				t.Fatalf("pass %d: %d observations out of order or lost, want %d", pass, len(got), len(keys))
			}
		}
		if s.Count() != uint64(len(keys)) {
			t.Fatalf("count %d, want %d", s.Count(), len(keys))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !f.closed {
				t.Fatal("a temporary file is left open")
			}
			if bytes.Contains(f.Bytes(), []byte("a.example")) {
				t.Fatal("a temporary file holds plaintext")
			}
		}
	})
}

func TestSorterErrors(t *testing.T) {
	full := errors.New("no space left on device")
	keys := []orderKey{{1, 0, 1, 0}, {2, 0, 2, 0}}
	for name, cfg := range map[string]SorterConfig{
		"no folder":     {Memory: 1},
		"no randomness": {Memory: 1, Create: func() (SpillFile, error) { return &memoryFile{}, nil }},
		"cannot open":   {Memory: 1, Random: rand.Reader, Create: func() (SpillFile, error) { return nil, full }},
		"disk full":     {Memory: 1, Random: rand.Reader, Create: func() (SpillFile, error) { return &memoryFile{fail: full}, nil }},
	} {
		if err := NewSorter(cfg).Add(batch(t, keys)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSorterNoticesChangedFiles(t *testing.T) {
	f := &memoryFile{}
	s := NewSorter(SorterConfig{Memory: 1, Random: rand.Reader, Create: func() (SpillFile, error) { return f, nil }})
	if err := s.Add(batch(t, []orderKey{{1, 0, 1, 0}})); err != nil {
		t.Fatal(err)
	}
	f.Bytes()[len(f.Bytes())/2] ^= 1
	if err := s.Each(func(*observe.Observation) error { return nil }); err == nil {
		t.Error("a changed temporary file is read as if nothing had happened")
	}
}

func BenchmarkSorter(b *testing.B) {
	keys := make([]orderKey, 256)
	for i := range keys {
		keys[i] = orderKey{int64(i ^ 5), 0, uint64(i), 0}
	}
	in := batch(b, keys)
	b.ReportAllocs()
	for range b.N {
		s := NewSorter(SorterConfig{})
		if err := s.Add(in); err != nil {
			b.Fatal(err)
		}
		if err := s.Each(func(*observe.Observation) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(keys)), "ns/observation")
}
