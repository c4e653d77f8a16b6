package indicator

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"sort"

	"github.com/gaissmai/bart"
)

// prefixes finds the networks that an address lies in. IPv4 is cut into
// stretches of one innermost network each, sorted, with an index over the
// leading bits: a look-up is a few steps within one line or two of memory,
// however many networks there are. IPv6, of which lists hold few, is a tree.
type prefixes struct {
	spans []uint64 // first address << 32 | node+1, 0 for none
	top   []uint32 // the last span that begins at or below i << shift
	shift uint8    // so that there are about as many places as stretches
	v6    bart.Table[uint32]
	nodes []node
	rows  []uint32 // of nodes, one behind the other
}

// node is one network: the next wider one, and its rows.
type node struct {
	parent uint32 // node+1
	from   uint32 // of rows; they end where the next node's begin
}

const (
	leastTop = 10 // bits
	mostTop  = 24
)

// entry is a row that speaks of a network.
type entry struct {
	prefix netip.Prefix
	row    uint32
}

func newPrefixes(list []entry) *prefixes {
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()), cmp.Compare(a.row, b.row))
	})
	p := &prefixes{spans: []uint64{0}}
	var around []open // networks that are open, the innermost last
	add := func(at, of uint32) {
		if last := len(p.spans) - 1; uint32(p.spans[last]>>32) == at {
			p.spans[last] = uint64(at)<<32 | uint64(of)
			return
		}
		p.spans = append(p.spans, uint64(at)<<32|uint64(of))
	}
	shut := func(until uint32, all bool) {
		for len(around) > 0 {
			o := around[len(around)-1]
			if !all && o.last >= until {
				return
			}
			around = around[:len(around)-1]
			of := uint32(0)
			if len(around) > 0 {
				of = around[len(around)-1].of
			}
			if o.last != 1<<32-1 {
				add(o.last+1, of)
			}
		}
	}
	for i := 0; i < len(list); {
		x := list[i].prefix
		p.nodes = append(p.nodes, node{from: uint32(len(p.rows))})
		of := uint32(len(p.nodes))
		for ; i < len(list) && list[i].prefix == x; i++ {
			p.rows = append(p.rows, list[i].row)
		}
		if !x.Addr().Is4() {
			if up, ok := p.v6.LookupPrefix(x); ok { // wider ones come first
				p.nodes[of-1].parent = up
			}
			p.v6.Insert(x, of)
			continue
		}
		b := x.Addr().As4()
		first := binary.BigEndian.Uint32(b[:])
		shut(first, false)
		if len(around) > 0 {
			p.nodes[of-1].parent = around[len(around)-1].of
		}
		add(first, of)
		around = append(around, open{last: first | uint32(uint64(1)<<(32-x.Bits())-1), of: of})
	}
	shut(0, true)
	p.nodes = append(p.nodes, node{from: uint32(len(p.rows))})
	p.index()
	return p
}

// open is a network whose stretch is not over.
type open struct{ last, of uint32 }

func (p *prefixes) index() {
	size := min(max(bits.Len(uint(len(p.spans))), leastTop), mostTop)
	p.shift = uint8(32 - size)
	p.top = make([]uint32, 1<<size+1)
	at := 0
	for i := range p.top {
		for first := uint64(i) << p.shift; at+1 < len(p.spans) && p.spans[at+1]>>32 <= first; {
			at++
		}
		p.top[i] = uint32(at)
	}
}

// lookup gives the innermost network of an address as node+1, 0 for none.
func (p *prefixes) lookup(a netip.Addr) uint32 {
	if !a.Is4() {
		of, _ := p.v6.Lookup(a)
		return of
	}
	b := a.As4()
	n := binary.BigEndian.Uint32(b[:])
	lo, hi := p.top[n>>p.shift], p.top[n>>p.shift+1]
	want := uint64(n)<<32 | math.MaxUint32
	for lo < hi {
		if mid := (lo + hi + 1) / 2; p.spans[mid] <= want {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return uint32(p.spans[lo])
}

// each calls f with the rows of a network and of those around it.
func (p *prefixes) each(of uint32, f func(row uint32)) {
	for of != 0 {
		n := p.nodes[of-1]
		for _, r := range p.rows[n.from:p.nodes[of].from] {
			f(r)
		}
		of = n.parent
	}
}

// find gives the place of a value in sorted rows.
func find(rows []Indicator, t Type, value string) (int, bool) {
	i := sort.Search(len(rows), func(i int) bool {
		return rows[i].Type > t || rows[i].Type == t && rows[i].Value >= value
	})
	return i, i < len(rows) && rows[i].Type == t && rows[i].Value == value
}
