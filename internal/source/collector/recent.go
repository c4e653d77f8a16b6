package collector

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/dchest/siphash"
)

const (
	recentWays    = 8
	recentBuckets = 1 << 17 // a power of two; about a million ids in 8 MiB
)

// recent remembers the ids that were taken lately, each under its sensor, so
// that one sensor cannot make another's exchanges look like duplicates. The
// hash is keyed: nobody outside can aim at a bucket. A full bucket forgets its
// oldest.
type recent struct {
	k0, k1  uint64
	buckets [][recentWays]uint64 // tags, newest first; 0 is free
	mask    uint64
	text    []byte
}

func newRecent(random io.Reader, buckets int) (*recent, error) {
	var key [16]byte
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return nil, fmt.Errorf("read a random key: %w", err)
	}
	return &recent{mask: uint64(buckets) - 1, k0: binary.LittleEndian.Uint64(key[:]), k1: binary.LittleEndian.Uint64(key[8:])}, nil
}

// add reports whether the id is new, and remembers it.
func (r *recent) add(sensor string, id []byte) bool {
	if r.buckets == nil {
		r.buckets = make([][recentWays]uint64, r.mask+1)
	}
	r.text = append(append(append(r.text[:0], sensor...), 0), id...)
	lo, tag := siphash.Hash128(r.k0, r.k1, r.text)
	if tag == 0 {
		tag = 1
	}
	b := &r.buckets[lo&r.mask]
	for _, t := range b {
		if t == tag {
			return false
		}
	}
	copy(b[1:], b[:recentWays-1])
	b[0] = tag
	return true
}
