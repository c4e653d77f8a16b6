package attack

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// Mark is one trait of an attack that another attack may share: a hash, a
// token or, where Text is set, a name. Of Of askers whom no attack has claimed,
// Others show it, too; where nobody can be compared Of is 0.
type Mark struct {
	Key    string
	Value  uint64
	Text   string       // ja4, tool
	Net    netip.Prefix // ip, prefix
	Share  float64      // of the attack's requests; of a sample, the value's own
	Others uint64
	Of     uint64
}

const (
	maxTraits = 32  // values of a key kept in an episode
	topTraits = 4   // values of a key shown, where they are no sample
	markShare = 0.1 // of the requests, that such a value needs
)

// A signature is what an episode's members show: the commonest values of a
// key, or a sample of them.
type signature struct {
	list [markKeys][]traitCount
}

type traitCount struct {
	value uint64
	n     uint64
	net   netip.Prefix
}

func (s *signature) add(key markKey, t traitCount) {
	list := s.list[key]
	at := 0
	sample := samples[key] > 0
	for i := range list {
		if list[i].value == t.value {
			list[i].n += t.n
			return
		}
		// The one to give up: of a sample the largest hash, else the rarest.
		if x, y := &list[i], &list[at]; sample && mix64(x.value) > mix64(y.value) ||
			!sample && (x.n < y.n || x.n == y.n && x.value > y.value) {
			at = i
		}
	}
	switch {
	case !sample && len(list) >= maxTraits:
		// Space-Saving: the newcomer inherits the count, which is then too
		// high by at most 1/32 of all.
		t.n += list[at].n
		list[at] = t
	case sample && len(list) >= samples[key]:
		if mix64(t.value) < mix64(list[at].value) {
			list[at] = t
		}
	default:
		s.list[key] = append(list, t)
	}
}

func (s *signature) fold(o *signature) {
	for key := range o.list {
		for _, t := range o.list[key] {
			s.add(markKey(key), t)
		}
	}
}

func (s *signature) clone() signature {
	var o signature
	for key := range s.list {
		o.list[key] = slices.Clone(s.list[key])
	}
	return o
}

// cell adds a member: its own traits and, of an API's cell, its asker's.
func (s *signature) cell(e *Engine, c *cell) {
	put := func(key markKey, value uint64, n uint32) { s.add(key, traitCount{value: value, n: uint64(n)}) }
	e.traits(c, func(key markKey, value uint64, n uint32) {
		if key != markIP && key != markPrefix {
			put(key, value, n)
		}
	})
	if c.ip.IsValid() {
		p := prefixOf(c.ip)
		s.add(markIP, traitCount{c.addr, uint64(c.n), netip.PrefixFrom(c.ip, c.ip.BitLen())})
		s.add(markPrefix, traitCount{c.net, uint64(c.n), p})
	}
	if c.tool*2 > c.n && c.family != 0 {
		put(markTool, uint64(c.family), c.n)
	}
	if c.api == 0 {
		return
	}
	for _, t := range [...]struct {
		key   markKey
		value uint64
	}{{markJA4, uint64(c.ja4)}, {markH2, uint64(c.h2)}, {markHeader, c.header}, {markAgent, c.agent}} {
		if t.value != 0 {
			put(t.key, t.value, c.n)
		}
	}
	if c.actor != 0 {
		if a := e.cells.at(c.actor); a.gen == c.actGen {
			if h := e.walk(a); h != 0 {
				put(markWalk, h, c.n)
			}
		}
	}
}

// marks renders the signature of an episode, rarest first.
func (e *Engine) marks(ep *episode, n uint32) []Mark {
	s := ep.shown.clone()
	for _, m := range ep.live {
		if c := e.cells.at(m.at); c.gen == m.gen && c.n > 0 && e.guilty(ep, c) {
			s.cell(e, c)
		}
	}
	if e.around == nil {
		w := e.everybody()
		e.around = &w
	}
	var out []Mark
	for k := range s.list {
		key := markKey(k)
		list := s.list[k]
		slices.SortFunc(list, func(a, b traitCount) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.value, b.value)) })
		for i, t := range list {
			m := Mark{Key: markNames[k], Value: t.value, Net: t.net, Share: min(float64(t.n)/float64(n), 1)}
			if samples[k] == 0 && (i >= topTraits || m.Share < markShare) {
				continue
			}
			m.Others, m.Of = e.around.others(key, t.value)
			switch key {
			case markJA4, markTool:
				m.Text = e.labels.text[t.value]
			case markH2:
				m.Value = hashText(e.labels.text[t.value]) // a label's number is no name
			}
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b Mark) int {
		return cmp.Or(cmp.Compare(b.rarity(), a.rarity()), cmp.Compare(a.Key, b.Key), cmp.Compare(b.Share, a.Share), cmp.Compare(a.Value, b.Value))
	})
	return out
}

// rarity is how rare the mark is, in bits.
func (m *Mark) rarity() float64 {
	return math.Round(-math.Log2((float64(m.Others)+0.5)/(float64(m.Of)+1))*100) / 100
}
