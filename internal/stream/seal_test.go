package stream

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func sealer(t testing.TB, key byte, former ...[32]byte) *Sealer {
	t.Helper()
	s, err := NewSealer(rand.Reader, [32]byte{key}, former...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func seal(t testing.TB, s *Sealer, b Batch) []byte {
	t.Helper()
	sealed, err := s.Seal(nil, &b)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func TestSealedComesBack(t *testing.T) {
	s := sealer(t, 1)
	for _, data := range [][]byte{{0}, []byte("abc"), noise(300), noise(MaxData), make([]byte, MaxData), bytes.Repeat([]byte("secret "), 9000)} {
		b := Batch{Partition: 3, ID: "edge-1/77", Data: data}
		sealed := seal(t, s, b)
		if len(sealed) > MaxSealed || bytes.Contains(sealed, []byte("secret")) || bytes.Contains(sealed, []byte(b.ID)) {
			t.Errorf("%d bytes are sealed as %d, in the clear %v", len(data), len(sealed), bytes.Contains(sealed, []byte("secret")))
		}
		got, err := s.Open([]byte("before"), 3, b.ID, sealed)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back as %d, %v", len(data), len(got), err)
		}
	}
	if n := len(seal(t, s, Batch{ID: "a", Data: bytes.Repeat([]byte("GET /orders 200 "), 4000)})); n > 1000 {
		t.Errorf("64000 bytes that repeat take %d", n)
	}
}

// TestOpensOnlyAsPublished changes, cuts, lengthens, moves and renames.
func TestOpensOnlyAsPublished(t *testing.T) {
	s := sealer(t, 1)
	b := Batch{Partition: 3, ID: "edge-1/77", Data: append(noise(50), make([]byte, 500)...)}
	whole := seal(t, s, b)
	rapid.Check(t, func(rt *rapid.T) {
		sealed, p, id := bytes.Clone(whole), b.Partition, b.ID
		switch rapid.IntRange(0, 4).Draw(rt, "how") {
		case 0:
			sealed[rapid.IntRange(0, len(sealed)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		case 1:
			sealed = sealed[:rapid.IntRange(0, len(sealed)-1).Draw(rt, "length")]
		case 2:
			sealed = append(sealed, rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(rt, "more")...)
		case 3:
			p = rapid.IntRange(4, 300).Draw(rt, "partition")
		case 4:
			id = rapid.StringN(0, 20, 40).Filter(func(s string) bool { return s != b.ID }).Draw(rt, "id")
		}
		if got, err := s.Open(nil, p, id, sealed); err == nil || got != nil {
			rt.Fatalf("it opens to %d bytes, %v", len(got), err)
		}
	})
}

func TestKeysChange(t *testing.T) {
	old := sealer(t, 1)
	b := Batch{ID: "a", Data: []byte("of the old key")}
	sealed := seal(t, old, b)
	both := sealer(t, 2, [32]byte{1})
	if got, err := both.Open(nil, 0, "a", sealed); err != nil || string(got) != "of the old key" {
		t.Errorf("with the former key: %q, %v", got, err)
	}
	if _, err := sealer(t, 2).Open(nil, 0, "a", sealed); !errors.Is(err, errUnknownKey) {
		t.Errorf("without the former key: %v", err)
	}
	if _, err := old.Open(nil, 0, "a", seal(t, both, b)); !errors.Is(err, errUnknownKey) {
		t.Errorf("sealed with the new key, the old opens it: %v", err)
	}
	// More epochs than are remembered: each opens, however often.
	var list [][]byte
	for range openedEpochs + 10 {
		list = append(list, seal(t, sealer(t, 1), b))
	}
	for range 2 {
		for i, sealed := range list {
			if _, err := both.Open(nil, 0, "a", sealed); err != nil {
				t.Fatalf("epoch %d: %v", i, err)
			}
		}
	}
	if len(both.opened) != openedEpochs || len(both.order) != openedEpochs {
		t.Errorf("%d epochs are remembered", len(both.opened))
	}
}

// TestNoNonceTwice: within an epoch numbers go up, at its end another begins.
func TestNoNonceTwice(t *testing.T) {
	s := sealer(t, 1)
	seal(t, s, Batch{ID: "a", Data: []byte{1}})
	s.number = maxEpoch - 50
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				sealed := seal(t, s, Batch{ID: "a", Data: []byte{1}})
				if n := binary.BigEndian.Uint64(sealed[sealHead-8:]); n >= maxEpoch {
					t.Errorf("number %d of an epoch", n)
				}
				mu.Lock()
				seen[string(sealed[:sealHead])] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	salts := map[string]bool{}
	for head := range seen {
		salts[head[:sealHead-8]] = true
	}
	if len(seen) != 100 || len(salts) != 2 {
		t.Errorf("100 batches have %d nonces in %d epochs", len(seen), len(salts))
	}
	broken, err := NewSealer(strings.NewReader("short"), [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	if _, err := broken.Seal(nil, &Batch{ID: "a", Data: []byte{1}}); err == nil {
		t.Error("sealed without randomness")
	}
}

func FuzzOpen(f *testing.F) {
	s := sealer(f, 1)
	f.Add(0, "edge-1/1", seal(f, s, Batch{ID: "edge-1/1", Data: []byte("data")}))
	f.Add(3, "a", seal(f, s, Batch{Partition: 3, ID: "a", Data: make([]byte, 5000)}))
	f.Add(0, "edge-1/1", seal(f, sealer(f, 2), Batch{ID: "edge-1/1", Data: []byte("data")}))
	f.Add(0, "", []byte(sealForm))
	f.Fuzz(func(t *testing.T, partition int, id string, sealed []byte) {
		got, err := s.Open(nil, partition, id, sealed)
		if err != nil && len(got) > 0 || err == nil && (len(got) == 0 || len(got) > MaxData) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	})
}

// FuzzUnpack opens what was sealed by someone who holds the key and means ill.
func FuzzUnpack(f *testing.F) {
	s := sealer(f, 1)
	for _, data := range [][]byte{{0}, noise(100), make([]byte, MaxData), bytes.Repeat([]byte("GET /orders"), 99)} {
		f.Add(s.enc.EncodeAll(data, []byte{compressed}))
		f.Add(append([]byte{asIs}, data[:1]...))
	}
	f.Add([]byte{compressed, 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, plain []byte) {
		if len(plain) == 0 || len(plain) > MaxData {
			return
		}
		e, number, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		head := binary.BigEndian.AppendUint64(bytes.Clone(e.head), number)
		sealed := e.aead.Seal(bytes.Clone(head), sealNonce(number), plain, sealedAlong(head, 0, "a"))
		if got, err := s.Open(nil, 0, "a", sealed); err == nil && len(got) > MaxData || err != nil && len(got) > 0 {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	})
}

// observations are like an encoded batch: texts that recur, tokens that do not.
func observations(n int) []byte {
	b := []byte{'X', 7}
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "\x01\x05%032x\x00\x08/api/v1/orders\x03", i)
		b = append(b, noise(24)...)
		b = append(b, "\x00\x00\x02\x01\x00\x00application/json\x00\x01\x00\x00\x00shop.example.com\x00\x00\x00\x00\x07\x01\x00\x00\x03\x00\x02\x00\x00Mozilla"...)
		b = append(b, make([]byte, 90)...)
	}
	return b[:n]
}

func BenchmarkSeal(b *testing.B) {
	s := sealer(b, 1)
	for _, n := range []int{64 << 10, 256 << 10} {
		x := Batch{ID: "edge-1/1", Data: observations(n)}
		sealed := seal(b, s, x)
		b.Run(fmt.Sprint(n>>10, "KiB"), func(b *testing.B) {
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				sealed, _ = s.Seal(sealed[:0], &x)
			}
			b.ReportMetric(float64(len(sealed))/float64(n), "ratio")
		})
		b.Run(fmt.Sprint(n>>10, "KiB-open"), func(b *testing.B) {
			b.SetBytes(int64(n))
			b.ReportAllocs()
			var data []byte
			for b.Loop() {
				data, _ = s.Open(data[:0], 0, x.ID, sealed)
			}
		})
	}
}
