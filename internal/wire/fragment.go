package wire

import "time"

const (
	maxFragments = 512 // datagrams being joined; the oldest is given up
	maxPieces    = 64  // ranges received of one datagram
	fragTimeout  = int64(30 * time.Second)
)

type fragKey struct {
	a  addrs
	id uint32
}

type span struct{ from, to int }

type datagram struct {
	key   fragKey
	since int64
	buf   []byte
	have  []span // sorted, disjoint, merged
	size  int    // -1 until the last fragment is seen
}

// fragTable joins fragments. It is small and searched linearly: fragments are
// rare, and the bound keeps a flood of them from costing more than its share.
type fragTable struct {
	live  []*datagram
	spare []*datagram
}

// fragment takes one fragment's payload and returns the whole datagram's once
// complete; the bytes are valid until the next call. Where fragments overlap,
// the first to arrive wins.
func (d *Decoder) fragment(a addrs, id uint32, off int, more bool, b []byte, missing int) []byte {
	d.stats.Fragments++
	end := off + len(b)
	if missing > 0 || len(b) == 0 || end > 65535 || (more && len(b)%8 != 0) {
		d.stats.FragLost++
		return nil
	}
	t := &d.frags
	key := fragKey{a, id}
	var g *datagram
	for i := 0; i < len(t.live); i++ {
		if d.clock-t.live[i].since > fragTimeout {
			d.stats.FragLost++
			t.drop(i)
			i--
			continue
		}
		if t.live[i].key == key {
			g = t.live[i]
			break
		}
	}
	if g == nil {
		if len(t.live) >= maxFragments {
			d.stats.FragLost++
			t.drop(0)
		}
		if n := len(t.spare); n > 0 {
			g, t.spare = t.spare[n-1], t.spare[:n-1]
		} else {
			g = &datagram{}
		}
		*g = datagram{key: key, since: d.clock, buf: g.buf[:0], have: g.have[:0], size: -1}
		t.live = append(t.live, g)
	}
	if !more {
		if g.size >= 0 && g.size != end {
			d.stats.FragLost++
			return nil
		}
		g.size = end
	}
	if !g.add(off, b) {
		d.stats.FragLost++
		return nil
	}
	if g.size < 0 || len(g.have) != 1 || g.have[0] != (span{0, g.size}) {
		return nil
	}
	for i := range t.live {
		if t.live[i] == g {
			t.drop(i)
			break
		}
	}
	return g.buf[:g.size]
}

// add stores what is new of b and merges the ranges.
func (g *datagram) add(off int, b []byte) bool {
	end := off + len(b)
	for len(g.buf) < end {
		g.buf = append(g.buf, make([]byte, end-len(g.buf))...)
	}
	at := off
	merged := span{off, end}
	out := g.have[:0]
	var keep [maxPieces + 1]span
	n := 0
	for _, s := range g.have {
		if at < min(s.from, end) {
			copy(g.buf[at:min(s.from, end)], b[at-off:])
		}
		at = max(at, s.to)
		if s.to < merged.from || s.from > merged.to {
			keep[n] = s
			n++
			continue
		}
		merged = span{min(s.from, merged.from), max(s.to, merged.to)}
	}
	if at < end {
		copy(g.buf[at:end], b[at-off:])
	}
	if n >= maxPieces {
		return false
	}
	i := 0
	for i < n && keep[i].from < merged.from {
		out = append(out, keep[i])
		i++
	}
	out = append(out, merged)
	out = append(out, keep[i:n]...)
	g.have = out
	return true
}

// drop forgets a datagram, keeping the order of age.
func (t *fragTable) drop(i int) {
	g := t.live[i]
	t.live = append(t.live[:i], t.live[i+1:]...)
	if len(t.spare) < 8 {
		t.spare = append(t.spare, g)
	}
}

func (t *fragTable) flush(d *Decoder) {
	d.stats.FragLost += uint64(len(t.live))
	t.live = t.live[:0]
}
