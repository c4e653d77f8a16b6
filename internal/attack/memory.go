package attack

import "math/bits"

// The bounded memories that link one request with a later one.

// A rotor answers "was this seen lately" for hashes: two Bloom generations of
// one block each; the older is cleared when the newer is full, so a value is
// remembered for between one and two capacities. It may err towards "seen".
type rotor struct {
	gens  [2][]uint64
	mask  uint64
	cur   int
	count int
	limit int
}

func newRotor(limit int) *rotor {
	words := uint64(1) << bits.Len64(uint64(max(limit, 1024))/8) // at least 8 bits a value
	r := &rotor{mask: words - 1, limit: limit}
	r.gens[0], r.gens[1] = make([]uint64, words), make([]uint64, words)
	return r
}

// bitsOf gives three bits of one word: one cache line a query.
func bitsOf(h uint64) uint64 {
	return 1<<(h>>58) | 1<<(h>>52&63) | 1<<(h>>46&63)
}

// add has no branch on what the word holds: a guess at it would be wrong half
// the time and make the next value wait for this one's memory.
func (r *rotor) add(h uint64) {
	h = mix64(h)
	w := &r.gens[r.cur][h&r.mask]
	old := *w
	now := old | bitsOf(h)
	*w = now
	fresh := 0
	if now != old {
		fresh = 1
	}
	if r.count += fresh; r.count >= r.limit {
		r.cur ^= 1
		clear(r.gens[r.cur])
		r.count = 0
	}
}

func (r *rotor) has(h uint64) bool {
	h = mix64(h)
	b := bitsOf(h)
	return r.gens[0][h&r.mask]&b == b || r.gens[1][h&r.mask]&b == b
}

// pending remembers which cell obtained a token or created an account, until
// it is used for the first time. At the cap the oldest is forgotten.
type pending struct {
	index map[uint64]int32
	ring  []wait
	limit int
	next  int
	lost  uint64
}

type wait struct {
	key  uint64
	time int64
	at   ref
	gen  uint32
}

func (p *pending) init(limit int) {
	p.index = make(map[uint64]int32)
	p.limit = limit
}

func (p *pending) put(key uint64, at ref, gen uint32, now int64) {
	if key == 0 {
		return
	}
	if i, ok := p.index[key]; ok {
		p.ring[i] = wait{key, now, at, gen}
		return
	}
	if len(p.ring) < p.limit {
		p.index[key] = int32(len(p.ring))
		p.ring = append(p.ring, wait{key, now, at, gen})
		return
	}
	w := &p.ring[p.next]
	if i, ok := p.index[w.key]; ok && int(i) == p.next {
		delete(p.index, w.key)
		p.lost++
	}
	*w = wait{key, now, at, gen}
	p.index[key] = int32(p.next)
	p.next = (p.next + 1) % len(p.ring)
}

// take gives and forgets what waits for key.
func (p *pending) take(key uint64) (wait, bool) {
	i, ok := p.index[key]
	if !ok {
		return wait{}, false
	}
	delete(p.index, key)
	return p.ring[i], true
}

// names knows the parameter names of APIs: who used a name first and whether
// anybody else did. At the cap new names stay unknown, which only matters to
// APIs that never had two askers use the same name.
type names struct {
	index map[uint64]nameInfo
	limit int
	lost  uint64
}

type nameInfo struct {
	first uint64
	multi bool
}

func (n *names) init(limit int) {
	n.index = make(map[uint64]nameInfo)
	n.limit = limit
}

// use reports whether the name is foreign to the API: no other asker used it.
// room is false when the API has learned its fill.
func (n *names) use(key, asker uint64, room bool) (foreign, learned bool) {
	info, ok := n.index[key]
	switch {
	case !ok && (!room || len(n.index) >= n.limit):
		n.lost++
		return true, false
	case !ok:
		n.index[key] = nameInfo{first: asker}
		return true, true
	case info.multi:
		return false, false
	case info.first != asker:
		info.multi = true
		n.index[key] = info
	}
	return true, false
}

// links counts how many askers came to each missing path from a page, to tell
// a broken link from a guess; whose page is not asked, as logs name no host. At the cap paths are not counted.
type links struct {
	index map[uint64]uint8
	limit int
	lost  uint64
}

func (l *links) init(limit int) {
	l.index = make(map[uint64]uint8)
	l.limit = limit
}

// followed counts one more asker whom a page sent to a path.
func (l *links) followed(path uint64) {
	n, ok := l.index[path]
	if !ok && len(l.index) >= l.limit {
		l.lost++
		return
	}
	if n < 255 {
		l.index[path] = n + 1
	}
}

// broken counts the paths of a set that so many askers were sent to that the
// site must be at fault; what a set no longer tells apart is not counted.
func (l *links) broken(paths *distinct) int {
	if paths == nil || len(l.index) == 0 {
		return 0
	}
	n := 0
	for _, p := range paths.small {
		if l.index[p] >= pathDistinct {
			n++
		}
	}
	return n
}

// mostly reports whether most of a set's paths are broken links.
func (l *links) mostly(paths *distinct) bool {
	return paths != nil && l.broken(paths)*2 > len(paths.small)
}

// labels give short numbers to the few names a cell keeps.
type labels struct {
	index map[string]uint16
	text  []string
	lost  uint64
}

const maxLabels = 8192

func (l *labels) init() {
	l.index = map[string]uint16{"": 0}
	l.text = []string{""}
}

func (l *labels) of(s string) uint16 {
	if s == "" {
		return 0
	}
	if i, ok := l.index[s]; ok {
		return i
	}
	if len(l.text) >= maxLabels {
		l.lost++
		return 0
	}
	// The event's strings need not outlive it.
	s = string(append([]byte(nil), s...))
	i := uint16(len(l.text))
	l.index[s] = i
	l.text = append(l.text, s)
	return i
}
