package exchange

const (
	occurrenceWays    = 8
	occurrenceBuckets = 1 << 17 // 1 Mi contents in 8 MiB
	countBits         = 28
	countMask         = 1<<countBits - 1
)

// Occurrences counts how often a content was seen, so that equal lines get
// different ids. It holds about a million contents in buckets of one cache
// line; a full bucket forgets its oldest. Equal log lines share their time
// stamp and so lie close together: what is forgotten hardly ever comes back,
// and if it does it counts from 0 again. Buckets bound the work per look-up
// whatever hashes an attacker picks, and two contents that share 53 bits of
// hash only share a counter: their ids still differ.
type Occurrences struct {
	buckets [][occurrenceWays]uint64 // tag and count, newest first; 0 is free
	// Forgotten counts contents that made room for others.
	Forgotten uint64
}

// Next gives 0 for the first occurrence of h, 1 for the second, and so on up
// to 268 million.
func (o *Occurrences) Next(h ContentHash) int {
	if o.buckets == nil {
		o.buckets = make([][occurrenceWays]uint64, occurrenceBuckets)
	}
	b := &o.buckets[h.Hi&(occurrenceBuckets-1)]
	tag := h.Lo >> countBits
	for i, e := range b {
		if e>>countBits == tag && e != 0 {
			n := e & countMask
			if n < countMask {
				b[i]++
			}
			return int(n)
		}
	}
	if b[occurrenceWays-1] != 0 {
		o.Forgotten++
	}
	copy(b[1:], b[:occurrenceWays-1])
	b[0] = tag<<countBits | 1
	return 0
}
