package jetstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"xiezhi/internal/stream"
)

// batch is like an encoded batch of observations: texts that recur, tokens that
// do not; zstd makes it about seven times smaller.
func batch(size int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := []byte{'X', 7}
	for len(b) < size {
		b = fmt.Appendf(b, "\x01\x05%016x\x00\x08/api/v1/orders\x03", r.Uint64())
		for range 3 {
			b = fmt.Appendf(b, "%c", rune(r.Uint32()%0x800))
		}
		b = append(b, "\x00\x00\x02\x01\x00\x00application/json\x00\x01\x00\x00\x00shop.example.com\x00\x00\x00\x00\x07\x01\x00\x00\x03\x00\x02\x00\x00Mozilla"...)
		b = append(b, make([]byte, 90)...)
	}
	return b[:size]
}

func opened(b testing.TB, f Folder, change func(*Config)) *Bus {
	b.Helper()
	c := config()
	if change != nil {
		change(&c)
	}
	s, err := Open(context.Background(), c, f)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func benchPublish(b *testing.B, size int, always bool) {
	s := opened(b, Folder{Path: b.TempDir(), Always: always}, func(c *Config) { c.Bytes = 512 << 20 })
	data := batch(size, 1)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	var n atomic.Int64
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			if err := s.Publish(b.Context(), stream.Batch{Partition: int(i) % s.Partitions(), ID: fmt.Sprint("bench/", i), Data: data}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkPublish64KiB(b *testing.B)        { benchPublish(b, 64<<10, false) }
func BenchmarkPublish256KiB(b *testing.B)       { benchPublish(b, 256<<10, false) }
func BenchmarkPublish64KiBAlways(b *testing.B)  { benchPublish(b, 64<<10, true) }
func BenchmarkPublish256KiBAlways(b *testing.B) { benchPublish(b, 256<<10, true) }

func benchRead(b *testing.B, size int) {
	s := opened(b, Folder{Path: b.TempDir()}, nil)
	each := 64 << 20 / size / s.Partitions() // a partition
	data := batch(size, 1)
	for p := range s.Partitions() {
		for i := range each {
			if err := s.Publish(b.Context(), stream.Batch{Partition: p, ID: fmt.Sprint("bench/", i), Data: data}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	enough := errors.New("enough")
	b.ResetTimer()
	for left := b.N; left > 0; {
		var wg sync.WaitGroup
		for p := range s.Partitions() {
			n := min(each, left)
			if left -= n; n == 0 {
				break
			}
			wg.Go(func() {
				err := s.Read(b.Context(), p, 0, func(stream.Message) error {
					if n--; n == 0 {
						return enough
					}
					return nil
				})
				if !errors.Is(err, enough) {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

func BenchmarkRead64KiB(b *testing.B)  { benchRead(b, 64<<10) }
func BenchmarkRead256KiB(b *testing.B) { benchRead(b, 256<<10) }

// BenchmarkOpen opens a folder with the given data, to the first read batch.
func BenchmarkOpen(b *testing.B) {
	for _, mib := range []int{0, 64} {
		b.Run(fmt.Sprint(mib, "MiB"), func(b *testing.B) {
			path := b.TempDir()
			s, err := Open(b.Context(), config(), Folder{Path: path})
			if err != nil {
				b.Fatal(err)
			}
			noise := make([]byte, 256<<10)
			r := rand.NewChaCha8([32]byte{1})
			for i := range mib * 4 {
				_, _ = r.Read(noise)
				if err := s.Publish(b.Context(), stream.Batch{Partition: i % s.Partitions(), ID: fmt.Sprint(i), Data: noise}); err != nil {
					b.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				s, err := Open(b.Context(), config(), Folder{Path: path})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
