package indicator

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Caps of a set.
const (
	MaxSources = 64
	MaxRows    = 1 << 20 // of one source
	MaxAll     = 1 << 22 // of all sources
	MaxSpace   = 1 << 26 // IPv4 addresses that one source may cover: one in 64
	MaxFuture  = hour    // how far ahead a sighting may lie: clocks differ
	MaxAge     = 5 * 365 * day
)

// Set is what is known at some moment. It never changes; With gives another.
// The zero value and nil know nothing. It is safe for concurrent use.
type Set struct {
	sources  []Source
	rows     [][]Indicator // by source; sorted by type and value
	verdicts map[Key]Pin

	once sync.Once
	nets *prefixes
}

// Key names a thing.
type Key struct {
	Type  Type
	Value string
}

// Pin is what people of the owner said of a thing: it outweighs all sources.
type Pin uint8

// The pins.
const (
	Unpinned Pin = iota
	Harmless     // never block it
	Hostile      // as certain as anything
)

// Sources gives who says things, in the order in which they were added.
func (s *Set) Sources() []Source {
	if s == nil {
		return nil
	}
	return s.sources
}

// Of gives the rows of a source, sorted by type and value. They are not to be
// changed.
func (s *Set) Of(source string) []Indicator {
	if i := s.source(source); i >= 0 {
		return s.rows[i]
	}
	return nil
}

// Len is how many rows there are.
func (s *Set) Len() (n int) {
	if s == nil {
		return 0
	}
	for _, r := range s.rows {
		n += len(r)
	}
	return n
}

func (s *Set) source(name string) int {
	if s == nil {
		return -1
	}
	return slices.IndexFunc(s.sources, func(x Source) bool { return x.Name == name })
}

// With gives a set in which a source says these things and no others. It sorts
// and checks them; what is refused is counted in the source, by reason.
func (s *Set) With(src Source, rows []Indicator, now int64) (*Set, error) {
	if src.Name == "" || len(src.Name) > 64 || strings.ContainsFunc(src.Name, func(r rune) bool { return r < '!' || r == 0x7f || r == '#' }) {
		return nil, fmt.Errorf("source %.70q: a name has 1 to 64 characters without spaces or #", src.Name)
	}
	out := s.copy()
	at := out.source(src.Name)
	if at < 0 {
		if len(out.sources) >= MaxSources {
			return nil, fmt.Errorf("%d sources, and no more; remove one that is no longer needed", MaxSources)
		}
		at = len(out.sources)
		out.sources, out.rows = append(out.sources, Source{}), append(out.rows, nil)
	}
	refused := map[Reason]uint64{}
	for r, n := range src.Refused {
		refused[r] = n
	}
	src.Refused = refused
	room := MaxAll - (s.Len() - len(out.rows[at]))
	out.sources[at] = src
	out.rows[at] = out.admit(&src, rows, now, min(room, MaxRows))
	return out, nil
}

// Without gives a set in which a source says nothing and is not known.
func (s *Set) Without(name string) *Set {
	out := s.copy()
	if i := out.source(name); i >= 0 {
		out.sources = slices.Delete(out.sources, i, i+1)
		out.rows = slices.Delete(out.rows, i, i+1)
	}
	return out
}

// Pinned gives a set in which people's word on a thing is this.
func (s *Set) Pinned(k Key, p Pin) *Set {
	out := s.copy()
	if p == Unpinned {
		delete(out.verdicts, k)
	} else {
		out.verdicts[k] = p
	}
	return out
}

// Judged gives a set whose ledgers know that a thing turned out so: every
// source that speaks of it is credited or debited.
func (s *Set) Judged(k Key, right bool) *Set {
	out := s.copy()
	for i, rows := range out.rows {
		if _, ok := find(rows, k.Type, k.Value); !ok || out.sources[i].Role.Ours() || out.sources[i].Role == Negative {
			continue
		}
		if right {
			out.sources[i].Confirmed++
		} else {
			out.sources[i].False++
		}
	}
	return out
}

// Ledgers gives a set whose feeds and peers are credited with every thing that
// the owner's own source found to be hostile, and debited as told, by name.
func (s *Set) Ledgers(own string, bad map[string]uint64) *Set {
	out := s.copy()
	mine := s.Of(own)
	for i := range out.sources {
		src := &out.sources[i]
		if src.Role != Feed && src.Role != Peer {
			continue
		}
		src.Confirmed, src.False = 0, bad[src.Name]
		for k := range mine {
			if _, ok := find(out.rows[i], mine[k].Type, mine[k].Value); ok {
				src.Confirmed++
			}
		}
	}
	return out
}

func (s *Set) copy() *Set {
	out := &Set{verdicts: map[Key]Pin{}}
	if s != nil {
		out.sources, out.rows = slices.Clone(s.sources), slices.Clone(s.rows)
		for k, p := range s.verdicts {
			out.verdicts[k] = p
		}
	}
	return out
}

// admit holds what a source says against the guards.
func (s *Set) admit(src *Source, rows []Indicator, now int64, room int) []Indicator {
	kept := make([]Indicator, 0, min(len(rows), room))
	for i := range rows {
		x := rows[i]
		if err := guard(src, &x, now); err != nil {
			src.Refused[ReasonOf(err)]++
			continue
		}
		kept = append(kept, x)
	}
	slices.SortFunc(kept, func(a, b Indicator) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), strings.Compare(a.Value, b.Value), cmp.Compare(b.Last, a.Last), cmp.Compare(b.Confidence, a.Confidence),
			cmp.Compare(a.Tags, b.Tags), strings.Compare(a.Note, b.Note))
	})
	n := 0
	for i := range kept { // the newest word counts, with all tags and sightings
		if n > 0 && kept[n-1].Type == kept[i].Type && kept[n-1].Value == kept[i].Value {
			kept[n-1].join(&kept[i])
			src.Refused[Repeated]++
			continue
		}
		kept[n] = kept[i]
		n++
	}
	kept = kept[:n]
	if src.Role == Feed || src.Role == Peer {
		kept = bounded(src, kept)
	}
	if len(kept) > room {
		src.Refused[Full] += uint64(len(kept) - room)
		kept = kept[:room]
	}
	clear(kept[len(kept):cap(kept)])
	return slices.Clip(kept)
}

func (x *Indicator) join(o *Indicator) {
	x.Tags |= o.Tags
	x.Confidence = max(x.Confidence, o.Confidence)
	x.Sightings = uint32(min(uint64(x.Sightings)+uint64(o.Sightings), math.MaxUint32))
	x.First = min(x.First, o.First)
	if x.Site != o.Site {
		x.Site = ""
	}
	if x.Note == "" {
		x.Note = o.Note
	}
}

// guard looks at one row.
func guard(src *Source, x *Indicator, now int64) error {
	if x.Type == 0 || x.Type >= types {
		return refuse(Unknown, "")
	}
	if x.Value == "" || len(x.Value) > MaxValue || len(x.Note) > MaxNote || x.Confidence > 100 {
		return refuse(Malformed, "")
	}
	if x.Last > now+MaxFuture || x.First > x.Last {
		return refuse(Future, "")
	}
	if src.Role == Negative {
		x.Until, x.Tags = max(x.Until, 0), 0
	} else if x.Ends() <= now && src.Role != Analyst || x.Last < now-MaxAge {
		return refuse(Expired, "")
	}
	if x.Type != Address && x.Type != Network {
		return nil
	}
	p, err := PrefixOf(x.Value)
	if err != nil {
		return err
	}
	least := minBits6
	if p.Addr().Is4() {
		least = minBits4
	}
	switch {
	case p.Bits() < least:
		return refuse(TooWide, "")
	case src.Role != Negative && (nobody(p.Addr()) || nobody(last(p))):
		return refuse(Reserved, "")
	}
	return nil
}

// bounded drops the widest networks of a source that covers too much.
func bounded(src *Source, rows []Indicator) []Indicator {
	var space uint64
	var wide []int
	for i := range rows {
		if rows[i].Type == Address {
			space++
		}
		if rows[i].Type == Network {
			wide = append(wide, i)
		}
	}
	bits := func(i int) int {
		p := netip.MustParsePrefix(rows[i].Value) // admitted
		if p.Addr().Is4() {
			return p.Bits()
		}
		return min(p.Bits(), 48) - 16 // a /48, which one customer gets, counts as an address
	}
	slices.SortStableFunc(wide, func(a, b int) int { return cmp.Compare(bits(b), bits(a)) })
	drop := map[int]bool{}
	for _, i := range wide {
		n := uint64(1) << max(32-bits(i), 0)
		if space+n > MaxSpace {
			drop[i] = true
			continue
		}
		space += n
	}
	if len(drop) == 0 {
		return rows
	}
	src.Refused[TooMuch] += uint64(len(drop))
	out := rows[:0]
	for i := range rows {
		if !drop[i] {
			out = append(out, rows[i])
		}
	}
	return out
}

// ID is a digest of everything that a set says.
func (s *Set) ID() string {
	if s.Len() == 0 && (s == nil || len(s.verdicts) == 0) {
		return ""
	}
	h := sha256.New()
	for i := range s.sources {
		x := &s.sources[i]
		fmt.Fprintf(h, "%q %d %q %.6f\n", x.Name, x.Role, x.group(), x.Weight())
		for k := range s.rows[i] {
			r := &s.rows[i][k]
			fmt.Fprintf(h, "%d %q %d %d %d %d %d %d %q %q\n", r.Type, r.Value, r.Confidence, r.Tags, r.Sightings, r.First, r.Last, r.Until, r.Note, r.Site)
		}
	}
	for _, k := range s.pins() {
		fmt.Fprintf(h, "pin %d %q %d\n", k.Type, k.Value, s.verdicts[k])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func (s *Set) pins() []Key {
	out := make([]Key, 0, len(s.verdicts))
	for k := range s.verdicts {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), strings.Compare(a.Value, b.Value))
	})
	return out
}

// Pins gives what people said.
func (s *Set) Pins() map[Key]Pin {
	if s == nil {
		return nil
	}
	return s.verdicts
}
