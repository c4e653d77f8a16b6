package defect

import (
	"math"
	"slices"

	"xiezhi/internal/message"
)

// Mix spreads a token over 64 bits, so that sets keep an even sample of it.
func Mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Pair joins two tokens to one.
func Pair(a, b uint64) uint64 { return Mix(a*0x9e3779b97f4a7c15 ^ Mix(b)) }

// DefaultSet is the capacity of a Set whose Cap is 0.
const DefaultSet = 64

// Set counts distinct tokens: exact up to its capacity, an estimate from the
// smallest hashes beyond. Its content does not depend on the order of Adds and
// the union of two sets is the set of both streams, which is what makes API
// merges lossless. The zero value is empty.
type Set struct {
	Cap uint16
	h   []uint64 // ascending
}

func (s *Set) limit() int {
	if s.Cap == 0 {
		return DefaultSet
	}
	return int(s.Cap)
}

// Add puts a token into the set; 0 is no token.
func (s *Set) Add(token uint64) {
	if token != 0 {
		s.insert(Mix(token))
	}
}

func (s *Set) insert(v uint64) {
	n := len(s.h)
	if n == s.limit() && v >= s.h[n-1] {
		return
	}
	i, found := slices.BinarySearch(s.h, v)
	if found {
		return
	}
	if n == s.limit() {
		copy(s.h[i+1:], s.h[i:n-1])
		s.h[i] = v
		return
	}
	s.h = slices.Insert(s.h, i, v)
}

// Has reports whether the token is among those that the set keeps: all when it
// is exact, an even sample of them otherwise.
func (s *Set) Has(token uint64) bool {
	if token == 0 || len(s.h) == 0 {
		return false
	}
	_, found := slices.BinarySearch(s.h, Mix(token))
	return found
}

// Union adds everything in o.
func (s *Set) Union(o *Set) {
	for _, v := range o.h {
		s.insert(v)
	}
}

// Exact reports whether Count is exact.
func (s *Set) Exact() bool { return len(s.h) < s.limit() }

// Count is the number of distinct tokens.
func (s *Set) Count() uint64 {
	n := len(s.h)
	if n < s.limit() {
		return uint64(n)
	}
	// The k-th smallest of D even hashes stands at about k/D of the range.
	return max(uint64(n), uint64(float64(n-1)/float64(s.h[n-1])*math.MaxUint64))
}

// Number is Count for reading: "about" when it is an estimate.
func (s *Set) Number() message.Text { return Number(s.Count(), s.Exact()) }

// Number words a count.
func Number(n uint64, exact bool) message.Text {
	t := message.Text{Zh: message.Count(int64(min(n, math.MaxInt64)), "zh"), En: message.Count(int64(min(n, math.MaxInt64)), "en")}
	if !exact {
		t.Zh, t.En = "约 "+t.Zh, "about "+t.En
	}
	return t
}

// Common estimates how many tokens are in both sets.
func Common(a, b *Set) uint64 {
	var both, seen uint64
	bound := uint64(math.MaxUint64)
	if !a.Exact() {
		bound = a.h[len(a.h)-1]
	}
	if !b.Exact() {
		bound = min(bound, b.h[len(b.h)-1])
	}
	i, j := 0, 0
	for i < len(a.h) && a.h[i] <= bound {
		seen++
		for j < len(b.h) && b.h[j] < a.h[i] {
			j++
		}
		if j < len(b.h) && b.h[j] == a.h[i] {
			both++
		}
		i++
	}
	if both == 0 || a.Exact() {
		return both
	}
	return uint64(float64(both) / float64(seen) * float64(a.Count()))
}

// Recent remembers at least the last Size distinct tokens and at most twice as
// many, in two generations. It answers "seen lately?" in fixed memory.
type Recent struct {
	Turns     uint64 // generations forgotten
	cur, prev []uint64
	used      int
	mask      uint64
}

// NewRecent returns a memory for size tokens, rounded up to a power of two.
func NewRecent(size int) *Recent {
	n := 2
	for n < 2*size {
		n *= 2
	}
	return &Recent{cur: make([]uint64, n), prev: make([]uint64, n), mask: uint64(n - 1)}
}

// Add remembers a token; 0 is no token.
func (r *Recent) Add(token uint64) {
	if token == 0 {
		return
	}
	i := Mix(token) & r.mask
	for r.cur[i] != 0 {
		if r.cur[i] == token {
			return
		}
		i = (i + 1) & r.mask
	}
	r.cur[i] = token
	if r.used++; r.used >= len(r.cur)/2 {
		r.cur, r.prev = r.prev, r.cur
		clear(r.cur)
		r.used = 0
		r.Turns++
	}
}

// Has reports whether the token was added lately.
func (r *Recent) Has(token uint64) bool {
	return token != 0 && (in(r.cur, token, r.mask) || in(r.prev, token, r.mask))
}

func in(t []uint64, token, mask uint64) bool {
	for i := Mix(token) & mask; t[i] != 0; i = (i + 1) & mask {
		if t[i] == token {
			return true
		}
	}
	return false
}

// Lossless reports whether nothing was forgotten yet: only then does absence
// mean "never".
func (r *Recent) Lossless() bool { return r.Turns < 2 }
