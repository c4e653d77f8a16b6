// Package sketch holds small bounded data structures for counting and
// remembering: distinct counts and maps that forget what is old.
//
// It takes 64-bit hashes or tokens and gives estimates and look-ups. Invariant:
// results depend only on the calls made, never on time or on map order, and
// every structure has a fixed ceiling. Limits: Distinct is exact to 64 items
// and within about 3 % beyond; Recent keeps at least the last cap/2 distinct
// keys that were used.
package sketch

// Mix spreads the bits of h; a keyed token is already uniform, other hashes
// (FNV of short texts) are not, and the sketches need uniform bits.
func Mix(h uint64) uint64 {
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}

// fnv offset and prime of the 64-bit FNV-1a hash.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// HashString is a deterministic, unkeyed 64-bit hash of s. It is for joining
// and numbering, never for hiding a value.
func HashString(s string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return Mix(h)
}

// Join hashes an ordered pair, so that longer keys are built step by step.
func Join(a, b uint64) uint64 {
	return Mix(a*0x9e3779b97f4a7c15 + b + 0x632be59bd9b4e019)
}
