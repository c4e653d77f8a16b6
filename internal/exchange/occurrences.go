package exchange

const (
	occurrenceWays    = 8
	occurrenceBuckets = 1 << 17 // 1 Mi hashes, 13 MB when all are touched
)

// Occurrences counts how often a content was seen, so that equal lines get
// different ids. It holds about a million hashes in buckets of eight; a full
// bucket forgets its oldest. Equal log lines share their time stamp and so lie
// close together: what is forgotten hardly ever comes back, and if it does it
// counts from 0 again. Buckets bound the work per look-up whatever hashes an
// attacker picks.
type Occurrences struct {
	buckets []occurrenceBucket
	// Forgotten counts hashes that made room for others.
	Forgotten uint64
}

type occurrenceBucket struct {
	hash [occurrenceWays]uint64
	seen [occurrenceWays]uint32
	next uint8
}

// Next gives 0 for the first occurrence of h, 1 for the second, and so on.
func (o *Occurrences) Next(h ContentHash) int {
	if o.buckets == nil {
		o.buckets = make([]occurrenceBucket, occurrenceBuckets)
	}
	b := &o.buckets[h.Hi&(occurrenceBuckets-1)]
	key := h.Lo
	if key == 0 {
		key = 1 // 0 marks a free place
	}
	for i := range b.hash {
		if b.hash[i] == key {
			n := b.seen[i]
			if n < 1<<31 {
				b.seen[i]++
			}
			return int(n)
		}
	}
	i := b.next % occurrenceWays
	if b.hash[i] != 0 {
		o.Forgotten++
	}
	b.hash[i], b.seen[i], b.next = key, 1, i+1
	return 0
}
