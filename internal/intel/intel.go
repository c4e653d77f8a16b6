// Package intel says where an address is and what kind of network it belongs
// to: country, region, autonomous system, organisation and network type.
//
// It takes what the operator has (MMDB files, lists of networks as text or
// CSV) and the map that Xiezhi ships, in that order of trust, and gives a Map:
// Lookup answers for one address, Org names a system, Sources and ID tell what
// it was made of. Invariant: a Map never changes; the same files give the same
// id and the same answers, whatever their place on disk. Damage in a file is
// an error with its line or place, never a panic. Limits: sizes and counts are
// capped (LIMITS.md); countries are where a network is registered or what the
// operator's files say; IPv6 is told apart by /64, in lists by any prefix.
package intel

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gaissmai/bart"

	"xiezhi/internal/intel/basemap"
	"xiezhi/internal/taxonomy"
)

// Kind is what a source is.
type Kind string

const (
	Base     Kind = "base"     // the map that is part of the program
	Database Kind = "database" // an MMDB file
	List     Kind = "list"     // networks
	Systems  Kind = "systems"  // autonomous systems
)

// Source is one thing that a map was made of.
type Source struct {
	Name    string // without folders
	Kind    Kind
	Digest  string // SHA-256 of the content
	Built   string // day of the data, as 2026-06-17, where it says so
	Entries int    // networks or systems; 0 for the base map, which is opened when asked
	Skipped int    // IPv6 networks of a database too small to be told apart
	Notice  string // what whoever shows results has to say
}

// Map answers for addresses. The zero value and nil know nothing. It is safe
// for concurrent use.
type Map struct {
	id      string
	sources []Source

	lists   bart.Table[uint32] // networks of lists
	listed  []Net              // by the table's values
	any     bool               // lists holds something
	systems map[uint32]Net     // what lists say of systems
	names   map[uint32]string  // of systems, as databases have them
	own     *spans             // of databases; nil: none
	base    []byte

	once  sync.Once
	spans atomic.Pointer[spans] // own over base, made at the first look
	as    []basemap.AS
	bad   error
}

// ID is the snapshot: a digest of all that the map was made of. It is empty
// for a map that knows nothing.
func (m *Map) ID() string {
	if m == nil {
		return ""
	}
	return m.id
}

// Sources tells what the map was made of, in order of trust.
func (m *Map) Sources() []Source {
	if m == nil {
		return nil
	}
	return m.sources
}

// Default gives the map that is part of the program, alone.
func Default() *Map {
	m, err := Load(Config{}, nil)
	if err != nil {
		panic("intel: the default configuration opens no file: " + err.Error())
	}
	return m
}

// Lookup tells what is known of an address.
func (m *Map) Lookup(a netip.Addr) Net {
	if m == nil || !a.IsValid() {
		return Net{}
	}
	a = a.Unmap()
	if a.Is6() && a.Zone() != "" {
		a = a.WithZone("")
	}
	var n Net
	if m.any {
		if i, ok := m.lists.Lookup(a); ok {
			n = m.listed[i]
			if n.ASN != 0 && n.Country != 0 && n.Type != taxonomy.UnknownNetwork {
				return n
			}
		}
	}
	if reserved(a) {
		return n.over(Net{Type: taxonomy.Reserved})
	}
	s := m.spans.Load()
	if s == nil {
		m.once.Do(m.open)
		if s = m.spans.Load(); s == nil {
			return n
		}
	}
	return n.over(s.lookup(a))
}

// Org gives the name of an autonomous system, empty when it is not known.
func (m *Map) Org(asn uint32) string {
	if m == nil || asn == 0 {
		return ""
	}
	if name, ok := m.names[asn]; ok {
		return name
	}
	m.once.Do(m.open)
	for i := range m.as {
		if m.as[i].Number == asn {
			return m.as[i].Name
		}
	}
	return ""
}

// Check opens the map at once and tells whether it is whole.
func (m *Map) Check() error {
	if m == nil {
		return nil
	}
	m.once.Do(m.open)
	return m.bad
}

// open decodes the base map and lays the databases over it.
func (m *Map) open() {
	s := m.own
	if m.base != nil {
		b, err := basemap.Decode(m.base)
		if err != nil {
			m.bad = err
		} else {
			m.as = b.AS
			lower := fromBase(b)
			if s == nil {
				s = lower
			} else {
				s = overlay(s, lower)
			}
		}
	}
	if s != nil && len(m.systems) > 0 {
		s = s.with(m.systems)
	}
	if s != nil {
		m.spans.Store(s)
	}
}

// with gives the spans with what lists say of their systems.
func (s *spans) with(systems map[uint32]Net) *spans {
	c := *s
	c.records = make([]Net, len(s.records))
	for i, n := range s.records {
		c.records[i] = systems[n.ASN].over(n)
	}
	return &c
}

// fromBase makes spans of the map that is shipped.
func fromBase(b *basemap.Map) *spans {
	countries := make([]Country, len(b.Countries))
	for i, c := range b.Countries {
		countries[i], _ = ParseCountry(c)
	}
	s := &spans{records: make([]Net, len(b.Records)), v4: []uint64{0}, v6: []uint64{global6}, of6: []uint32{0}}
	for i, r := range b.Records {
		s.records[i] = Net{ASN: b.AS[r.AS].Number, Country: countries[r.Country]}
		if t := taxonomy.NetworkType(r.Type); t <= taxonomy.Reserved {
			s.records[i].Type = t
		}
	}
	s.v4 = slices.Grow(s.v4, len(b.V4.First))
	for i, f := range b.V4.First {
		s.v4 = append(s.v4, f<<40|uint64(b.V4.Of[i]))
	}
	s.v6, s.of6 = slices.Grow(s.v6, len(b.V6.First)), slices.Grow(s.of6, len(b.V6.First))
	for i, f := range b.V6.First {
		if first := f << 16; first > global6 && first>>61 == global6>>61 {
			s.v6, s.of6 = append(s.v6, first), append(s.of6, b.V6.Of[i])
		}
	}
	s.index()
	return s
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
