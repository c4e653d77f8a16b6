package intel

import (
	"encoding/binary"
	"net/netip"
)

// spans is a whole address space cut into stretches of one record each: sorted
// first addresses with an index over their leading bits. It is made once and
// then only read. Against a prefix tree of as many networks it takes a fifth
// of the memory and is there without building anything.
//
// IPv6 is cut at /64 and known within 2000::/3, which is all there is of it.
type spans struct {
	records []Net    // the first is of what is in no network
	v4      []uint64 // first address of each span, and behind it the record: one look into memory for both
	top4    []uint32 // last span that begins at or below x.y.0.0
	v6      []uint64
	of6     []uint32
	top6    []uint32 // the same by the 17 bits behind 001
}

const (
	top4Bits = 16
	top6Bits = 17
	global6  = uint64(0x2000) << 48 // 2000::/3
	spanMax  = 1 << 23              // of one family
)

func (s *spans) lookup(a netip.Addr) Net {
	if a.Is4() {
		b := a.As4()
		return s.lookup4(binary.BigEndian.Uint32(b[:]))
	}
	b := a.As16()
	return s.lookup6(binary.BigEndian.Uint64(b[:8]))
}

func (s *spans) lookup4(a uint32) Net {
	if len(s.v4) == 0 {
		return Net{}
	}
	k := a >> (32 - top4Bits)
	lo, hi := s.top4[k], s.top4[k+1]
	last := uint64(a)<<32 | 1<<32 - 1
	for lo < hi { // the last span that begins at or below a
		m := (lo + hi + 1) >> 1
		if s.v4[m] <= last {
			lo = m
		} else {
			hi = m - 1
		}
	}
	return s.records[uint32(s.v4[lo])]
}

func (s *spans) lookup6(a uint64) Net {
	if a>>61 != global6>>61 || len(s.v6) == 0 {
		return Net{}
	}
	k := (a - global6) >> (61 - top6Bits)
	lo, hi := s.top6[k], s.top6[k+1]
	for lo < hi {
		m := (lo + hi + 1) >> 1
		if s.v6[m] <= a {
			lo = m
		} else {
			hi = m - 1
		}
	}
	return s.records[s.of6[lo]]
}

// index makes the tables over the leading bits.
func (s *spans) index() {
	s.top4 = tops(s.v4, top4Bits, func(k int) uint64 { return uint64(k)<<(64-top4Bits) | 1<<32 - 1 })
	s.top6 = tops(s.v6, top6Bits, func(k int) uint64 { return global6 + uint64(k)<<(61-top6Bits) })
}

// tops gives for each of 2^bits places the last span that begins at or below
// it, and behind them the last of all.
func tops(first []uint64, bits int, place func(int) uint64) []uint32 {
	if len(first) == 0 {
		return nil
	}
	out := make([]uint32, 1<<bits+1)
	at := 0
	for k := range 1 << bits {
		for at+1 < len(first) && first[at+1] <= place(k) {
			at++
		}
		out[k] = uint32(at)
	}
	out[1<<bits] = uint32(len(first) - 1)
	return out
}

// spanMaker makes spans of networks that come in ascending order and do not
// overlap.
type spanMaker struct {
	spans
	of4    []uint32 // of the maker alone: v4 has no records before done
	known  map[Net]uint32
	narrow uint64 // IPv6 networks narrower than a span can be
	full   uint64 // networks beyond the cap
	end4   uint64
	end6   uint64
}

func newSpanMaker() *spanMaker {
	return &spanMaker{spans: spans{records: []Net{{}}, v4: []uint64{0}, v6: []uint64{global6}, of6: []uint32{0}}, of4: []uint32{0}, known: map[Net]uint32{{}: 0}, end6: global6}
}

func (m *spanMaker) record(n Net) uint32 {
	i, ok := m.known[n]
	if !ok {
		i = uint32(len(m.records))
		m.records = append(m.records, n)
		m.known[n] = i
	}
	return i
}

// add gives a network its record, and reports whether it came in order.
func (m *spanMaker) add(p netip.Prefix, record uint32) bool {
	a := p.Addr()
	if a.Is4() {
		b := a.As4()
		first := uint64(binary.BigEndian.Uint32(b[:]))
		return m.span4(first, first+1<<(32-p.Bits()), record)
	}
	if p.Bits() > 64 {
		m.narrow++
		return true
	}
	b := a.As16()
	first := binary.BigEndian.Uint64(b[:8])
	if p.Bits() < 3 || first>>61 != global6>>61 {
		return true // not of the Internet
	}
	return m.span6(first, first+1<<(64-p.Bits()), record)
}

// span4 gives [first, end) its record.
func (m *spanMaker) span4(first, end uint64, record uint32) bool {
	if first < m.end4 || end <= first || end > 1<<32 {
		return false
	}
	if len(m.v4) >= spanMax {
		m.full++
		return true
	}
	m.v4, m.of4 = cut(m.v4, m.of4, m.end4, first, record, m.end4 < first)
	m.end4 = end
	return true
}

// span6 is the same for the high halves of addresses; an end of 0 is that of
// all.
func (m *spanMaker) span6(first, end uint64, record uint32) bool {
	if first < m.end6 || end <= first {
		return false
	}
	if len(m.v6) >= spanMax {
		m.full++
		return true
	}
	m.v6, m.of6 = cut(m.v6, m.of6, m.end6, first, record, m.end6 < first)
	m.end6 = end
	return true
}

// cut begins a span at first, and before it one of nothing if there is a gap.
func cut(v []uint64, of []uint32, end, first uint64, record uint32, gap bool) ([]uint64, []uint32) {
	put := func(at uint64, r uint32) {
		last := len(v) - 1
		if v[last] == at {
			v, of = v[:last], of[:last] // nothing lies between
		}
		if len(of) > 0 && of[len(of)-1] == r {
			return
		}
		v, of = append(v, at), append(of, r)
	}
	if gap {
		put(end, 0)
	}
	put(first, record)
	return v, of
}

// done closes the last spans and gives what was made.
func (m *spanMaker) done() *spans {
	if m.end4 < 1<<32 {
		m.v4, m.of4 = cut(m.v4, m.of4, 0, m.end4, 0, false)
	}
	if m.end6 < global6+1<<61 {
		m.v6, m.of6 = cut(m.v6, m.of6, 0, m.end6, 0, false)
	}
	return m.finish()
}

// finish puts first addresses and records together.
func (m *spanMaker) finish() *spans {
	for i, r := range m.of4 {
		m.v4[i] = m.v4[i]<<32 | uint64(r)
	}
	s := m.spans
	s.index()
	return &s
}

// apart gives first addresses and records of IPv4.
func (s *spans) apart() (first []uint64, of []uint32) {
	first, of = make([]uint64, len(s.v4)), make([]uint32, len(s.v4))
	for i, v := range s.v4 {
		first[i], of[i] = v>>32, uint32(v)
	}
	return first, of
}

// overlay gives what upper knows, and below it what lower does.
func overlay(upper, lower *spans) *spans {
	m := newSpanMaker()
	joined := map[[2]uint32]uint32{}
	both := func(u, l uint32) uint32 {
		k := [2]uint32{u, l}
		r, ok := joined[k]
		if !ok {
			r = m.record(upper.records[u].over(lower.records[l]))
			joined[k] = r
		}
		return r
	}
	u, ofU := upper.apart()
	l, ofL := lower.apart()
	m.v4, m.of4 = zip(u, ofU, l, ofL, both)
	m.v6, m.of6 = zip(upper.v6, upper.of6, lower.v6, lower.of6, both)
	return m.finish()
}

// zip walks two cuts of one space at once; both begin at its first address.
func zip(a []uint64, ofA []uint32, b []uint64, ofB []uint32, both func(a, b uint32) uint32) (v []uint64, of []uint32) {
	i, k := 0, 0
	at := a[0]
	for {
		if r := both(ofA[i], ofB[k]); len(of) == 0 || of[len(of)-1] != r {
			v, of = append(v, at), append(of, r)
		}
		nextA, nextB := i+1 < len(a), k+1 < len(b)
		switch {
		case !nextA && !nextB:
			return v, of
		case nextA && (!nextB || a[i+1] < b[k+1]):
			i++
			at = a[i]
		case nextA && a[i+1] == b[k+1]:
			i, k = i+1, k+1
			at = a[i]
		default:
			k++
			at = b[k]
		}
	}
}
