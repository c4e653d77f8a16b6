package indicator

import (
	"net/netip"
	"slices"
	"strconv"

	"xiezhi/internal/intel"
)

// Assessment is what follows from all that is said of one thing at one time.
type Assessment struct {
	Score    int // 0 to 100
	Tags     Tag
	Voices   int    // groups of sources that speak
	Wide     bool   // only wide networks speak of it
	Negative string // why it must not be blocked; empty: nothing against it
	Pin      Pin
	Says     []Saying // the heaviest first
}

// Saying is one row and what it weighs.
type Saying struct {
	Source string
	Row    Indicator
	Weight float64 // reliability × confidence × what is left of it
}

// Blockable reports whether it may be acted upon without anything else.
func (a *Assessment) Blockable() bool { return a.Score >= Blocks && a.Negative == "" }

// nobody reports whether an address is nobody's.
func nobody(a netip.Addr) bool { return intel.Reserved(a) }

func last(p netip.Prefix) netip.Addr { return intel.LastOf(p) }

// prefixes builds the look-up of addresses at the first look.
func (s *Set) prefixes() *prefixes {
	s.once.Do(func() {
		var list []entry
		base := uint32(0)
		for i := range s.rows {
			for k := range s.rows[i] {
				x := &s.rows[i][k]
				if x.Type != Address && x.Type != Network {
					continue
				}
				if p, err := PrefixOf(x.Value); err == nil {
					list = append(list, entry{p, base + uint32(k)})
				}
			}
			base += uint32(len(s.rows[i]))
		}
		s.nets = newPrefixes(list)
	})
	return s.nets
}

// row gives a row by its number over all sources.
func (s *Set) row(n uint32) (source int, x *Indicator) {
	for i := range s.rows {
		if n < uint32(len(s.rows[i])) {
			return i, &s.rows[i][n]
		}
		n -= uint32(len(s.rows[i]))
	}
	return -1, nil
}

// Address tells what is known of an address at a time: of itself, of the
// networks that it lies in, and of its system, 0 for none.
func (s *Set) Address(a netip.Addr, asn uint32, at int64) Assessment {
	return s.address(a, asn, at, "")
}

// address leaves out what only one site saw, if it is named.
func (s *Set) address(a netip.Addr, asn uint32, at int64, without string) Assessment {
	if s == nil || !a.IsValid() {
		return Assessment{}
	}
	a = a.Unmap().WithZone("")
	j := jury{set: s, at: at, without: without}
	p := s.prefixes()
	p.each(p.lookup(a), func(n uint32) {
		i, x := s.row(n)
		wide := false
		if x.Type == Network {
			net, _ := PrefixOf(x.Value)
			wide = Wide(net.Bits(), net.Addr().Is4())
		}
		j.hear(i, x, wide)
	})
	if asn != 0 {
		if v, err := Canonical(System, strconv.FormatUint(uint64(asn), 10), nil); err == nil {
			j.all(Key{System, v}, true)
		}
	}
	j.pin(Key{Address, a.String()})
	return j.verdict()
}

// Value tells what is known of anything else. A value has to be as Canonical
// writes it.
func (s *Set) Value(t Type, value string, at int64) Assessment {
	return s.value(t, value, at, "")
}

func (s *Set) value(t Type, value string, at int64, without string) Assessment {
	if s == nil {
		return Assessment{}
	}
	j := jury{set: s, at: at, without: without}
	wide := t == System
	if t == Network {
		if p, err := PrefixOf(value); err == nil {
			wide = Wide(p.Bits(), p.Addr().Is4())
		}
	}
	j.all(Key{t, value}, wide)
	j.pin(Key{t, value})
	return j.verdict()
}

// jury adds up what is said of one thing.
type jury struct {
	set     *Set
	at      int64
	without string // a site whose own words are left out
	out     Assessment
	narrow  map[string]float64 // chance that nobody of a group is right, by group
	wide    map[string]float64
	ours    bool // the owner's own eyes saw the wide thing
}

func (j *jury) all(k Key, wide bool) {
	for i := range j.set.rows {
		if n, ok := find(j.set.rows[i], k.Type, k.Value); ok {
			j.hear(i, &j.set.rows[i][n], wide)
		}
	}
}

func (j *jury) hear(source int, x *Indicator, wide bool) {
	src := &j.set.sources[source]
	if src.Role == Negative {
		if x.Until == 0 || j.at < x.Until {
			j.out.Negative = x.Note
			if x.Note == "" {
				j.out.Negative = src.Name
			}
		}
		return
	}
	if j.without != "" && x.Site == j.without {
		return
	}
	w := src.Weight() * float64(x.Confidence) / 100 * x.Decay(j.at)
	if w <= 0 {
		return
	}
	j.out.Says = append(j.out.Says, Saying{src.Name, *x, w})
	j.out.Tags |= x.Tags
	into := &j.narrow
	if wide {
		into, j.ours = &j.wide, j.ours || src.Role.Ours()
	}
	if *into == nil {
		*into = map[string]float64{}
	}
	// Sources of one group are one voice: the loudest counts.
	if left, ok := (*into)[src.group()]; !ok || 1-w < left {
		(*into)[src.group()] = 1 - w
	}
}

func (j *jury) pin(k Key) { j.out.Pin = j.set.verdicts[k] }

func (j *jury) verdict() Assessment {
	a := &j.out
	slices.SortStableFunc(a.Says, func(x, y Saying) int {
		switch {
		case x.Weight > y.Weight:
			return -1
		case x.Weight < y.Weight:
			return 1
		}
		return 0
	})
	narrow, wide := sum(j.narrow), sum(j.wide)
	if len(j.wide) < 2 && !j.ours {
		wide = min(wide, oneWide)
	}
	for g := range j.wide {
		if _, ok := j.narrow[g]; !ok {
			a.Voices++
		}
	}
	a.Voices += len(j.narrow)
	a.Wide = len(j.narrow) == 0 && len(j.wide) > 0
	a.Score = 100 - (100-narrow)*(100-wide)/100
	if a.Tags&Hijacked != 0 { // real people sit beside it: told, never acted upon
		a.Score = min(a.Score, Blocks-1)
	}
	switch {
	case a.Pin == Harmless:
		a.Score, a.Negative = 0, "analyst"
	case a.Negative != "":
		a.Score = 0
	case a.Pin == Hostile:
		a.Score = 100
	}
	return *a
}

// sum is the chance in per cent that at least one group is right. Groups are
// multiplied in order, so that it does not depend on the map's.
func sum(groups map[string]float64) int {
	list := make([]float64, 0, len(groups))
	for _, left := range groups {
		list = append(list, left)
	}
	slices.Sort(list)
	none := 1.0
	for _, left := range list {
		none *= left
	}
	return int((1-none)*100 + 0.5)
}
