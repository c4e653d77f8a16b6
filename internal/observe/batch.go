package observe

import "cmp"

// Batch owns a run of observations and everything they point to. It is reused:
// after Reset nothing is allocated until a batch is larger than any before it,
// except for strings, which outlive the batch: whoever keeps a Text or an ID
// need not copy it. Slices (Segments, Leaves …) are valid until Reset.
type Batch struct {
	obs         []Observation
	addrs       slab[addr]
	segments    slab[Segment]
	params      slab[Param]
	credentials slab[Credential]
	issued      slab[Credential]
	jwts        slab[JWT]
	claims      slab[Claim]
	accounts    slab[Account]
	passwords   slab[Password]
	signatures  slab[Signature]
	leaves      slab[Leaf]
	exposures   slab[Exposure]
	subjects    slab[uint64]
	tags        slab[uint32]
	markers     slab[Marker]
	uploads     slab[File]
	codes       slab[Code]
	internals   slab[Internal]
	roles       slab[RoleWord]
	rights      slab[Right]
	used        slab[uint32]
	claimed     slab[ClaimedAddr]
	dispatch    slab[Dispatch]
	deals       slab[Deal]
	met         slab[Hit]
	text        interner
	enc         dictionary
	dec         []string
	likes       []int32 // of the block being decoded
}

// Len is the number of observations.
func (b *Batch) Len() int { return len(b.obs) }

// At gives the i-th observation, valid until Reset.
func (b *Batch) At(i int) *Observation { return &b.obs[i] }

// Reset empties the batch for reuse.
func (b *Batch) Reset() {
	clear(b.obs)
	b.obs = b.obs[:0]
	if cap(b.obs) > keepItems {
		b.obs = nil
	}
	b.addrs.reset()
	b.segments.reset()
	b.params.reset()
	b.credentials.reset()
	b.issued.reset()
	b.jwts.reset()
	b.claims.reset()
	b.accounts.reset()
	b.passwords.reset()
	b.signatures.reset()
	b.leaves.reset()
	b.exposures.reset()
	b.subjects.reset()
	b.tags.reset()
	b.markers.reset()
	b.uploads.reset()
	b.codes.reset()
	b.internals.reset()
	b.roles.reset()
	b.rights.reset()
	b.used.reset()
	b.claimed.reset()
	b.dispatch.reset()
	b.deals.reset()
	b.met.reset()
}

// next appends an empty observation.
func (b *Batch) next() *Observation {
	b.obs = append(b.obs, Observation{})
	return &b.obs[len(b.obs)-1]
}

// undo takes back the observation being filled.
func (b *Batch) undo() {
	n := len(b.obs) - 1
	b.obs[n] = Observation{}
	b.obs = b.obs[:n]
	b.addrs.undo()
	b.segments.undo()
	b.params.undo()
	b.credentials.undo()
	b.issued.undo()
	b.accounts.undo()
	b.passwords.undo()
	b.signatures.undo()
	b.leaves.undo()
	b.exposures.undo()
	b.subjects.undo()
	b.tags.undo()
	b.markers.undo()
	b.uploads.undo()
	b.codes.undo()
	b.internals.undo()
	b.roles.undo()
	b.rights.undo()
	b.used.undo()
	b.claimed.undo()
	b.dispatch.undo()
	b.deals.undo()
	b.met.undo()
}

// Compare orders observations by the order key: end, source ordinal, sequence
// number, part.
func Compare(a, b *Observation) int {
	return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.Ordinal, b.Ordinal),
		cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Part, b.Part))
}

// keepItems is the room per slab that survives a Reset, so that one giant
// batch does not stay in memory for ever.
const keepItems = 1 << 17

// slab hands out slices of one growing array. A slice that was handed out
// stays valid when the array moves; only Reset ends it.
type slab[T any] struct {
	buf  []T
	mark int
}

func (s *slab[T]) add(v T) { s.buf = append(s.buf, v) }

// open is the slice being filled.
func (s *slab[T]) open() []T { return s.buf[s.mark:] }

func (s *slab[T]) len() int { return len(s.buf) - s.mark }

// take ends the slice being filled and returns it, nil when it is empty.
func (s *slab[T]) take() []T {
	if s.mark == len(s.buf) {
		return nil
	}
	r := s.buf[s.mark:len(s.buf):len(s.buf)]
	s.mark = len(s.buf)
	return r
}

// room appends n zero items and returns them.
func (s *slab[T]) room(n int) []T {
	if n == 0 {
		return nil
	}
	if cap(s.buf)-len(s.buf) < n {
		s.buf = append(s.buf, make([]T, n)...)
	} else {
		s.buf = s.buf[:len(s.buf)+n]
	}
	return s.take()
}

// undo empties the slice being filled.
func (s *slab[T]) undo() { clear(s.open()); s.buf = s.buf[:s.mark] }

func (s *slab[T]) reset() {
	clear(s.buf)
	s.buf, s.mark = s.buf[:0], 0
	if cap(s.buf) > keepItems {
		s.buf = nil
	}
}
