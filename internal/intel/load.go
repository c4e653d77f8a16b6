package intel

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"

	"xiezhi/internal/intel/basemap"
	"xiezhi/internal/taxonomy"
)

// Caps of what an operator may give.
const (
	MaxFiles     = 64
	MaxDatabase  = 512 << 20 // bytes of an MMDB file
	MaxListBytes = 256 << 20
	MaxListed    = 1 << 21 // networks of all lists together
	MaxSystems   = 1 << 17 // systems that lists say something of
	MaxLine      = 4096
)

// Config says what a map is made of.
type Config struct {
	NoBase    bool // leave out the map that is part of the program
	Databases []string
	Lists     []ListConfig
}

// ListConfig is one list of networks or systems.
type ListConfig struct {
	File string
	// Type, Country and ASN hold for every line that does not say otherwise.
	Type    string
	Country string
	ASN     uint32
	// Columns name the columns of a CSV file without a header.
	Columns []string
}

// Check tells what is wrong with a configuration, without opening a file.
func (c *Config) Check() error {
	if n := len(c.Databases) + len(c.Lists); n > MaxFiles {
		return fmt.Errorf("%d files, at most %d", n, MaxFiles)
	}
	for i, name := range c.Databases {
		if name == "" {
			return fmt.Errorf("databases[%d]: name a file", i)
		}
	}
	for i := range c.Lists {
		l := &c.Lists[i]
		if l.File == "" {
			return fmt.Errorf("lists[%d]: name a file", i)
		}
		if _, err := l.net(); err != nil {
			return fmt.Errorf("lists[%d]: %w", i, err)
		}
		if len(l.Columns) > 0 {
			if _, err := columnsOf(l.Columns); err != nil {
				return fmt.Errorf("lists[%d]: columns: %w", i, err)
			}
		}
	}
	return nil
}

// net is what holds for every line of a list.
func (l *ListConfig) net() (n Net, err error) {
	if l.Type != "" {
		var ok bool
		if n.Type, ok = taxonomy.ParseNetworkType(l.Type); !ok {
			return n, fmt.Errorf("type %q is unknown; one of %v", l.Type, taxonomy.NetworkTypes())
		}
	}
	c, ok := ParseCountry(l.Country)
	if !ok {
		return n, fmt.Errorf("country %q is no code of two letters", l.Country)
	}
	n.Country, n.ASN = c, l.ASN
	return n, nil
}

// Open opens one of the files that a configuration names.
type Open func(name string) (io.ReadCloser, error)

// Load makes a map. An error names the file and, where there is one, the line.
func Load(c Config, open Open) (*Map, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	m := &Map{}
	all := sha256.New()
	note := func(s Source, rest ...any) {
		m.sources = append(m.sources, s)
		fmt.Fprintln(all, append([]any{s.Kind, s.Digest}, rest...)...)
	}
	l := &listing{m: m, at: map[netip.Prefix]uint32{}}
	for i := range c.Lists {
		lc := &c.Lists[i]
		data, err := slurp(open, lc.File, MaxListBytes)
		if err != nil {
			return nil, err
		}
		def, _ := lc.net() // checked
		kind, n, err := l.read(lc.File, data, def, lc.Columns)
		if err != nil {
			return nil, err
		}
		note(Source{Name: filepath.Base(lc.File), Kind: kind, Digest: digest(data), Entries: n}, def, lc.Columns)
	}
	l.settle()
	for _, name := range c.Databases {
		data, err := slurp(open, name, MaxDatabase)
		if err != nil {
			return nil, err
		}
		s, info, err := m.database(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if m.own == nil {
			m.own = s
		} else {
			m.own = overlay(m.own, s)
		}
		info.Name, info.Kind, info.Digest = filepath.Base(name), Database, digest(data)
		note(info)
	}
	if !c.NoBase {
		m.base = basemap.Bytes()
		note(Source{Name: "xiezhi base map", Kind: Base, Digest: digest(m.base), Built: basemap.Date, Notice: basemap.Notice})
	}
	if len(m.sources) > 0 {
		m.id = hex.EncodeToString(all.Sum(nil)[:8])
	}
	return m, nil
}

// slurp reads a file of at most so many bytes.
func slurp(open Open, name string, most int64) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s: more than %d MiB; split the file or leave out what is not needed", name, most>>20)
	}
	return data, nil
}

// listing gathers the networks of all lists. Of two lines about one network
// the first counts, in the order of the configuration; what it does not say is
// taken from later ones, then from the networks around it.
type listing struct {
	m    *Map
	at   map[netip.Prefix]uint32
	nets []listed
}

type listed struct {
	prefix netip.Prefix
	net    Net
}

func (l *listing) add(p netip.Prefix, n Net) error {
	if i, ok := l.at[p]; ok {
		l.nets[i].net = l.nets[i].net.over(n)
		return nil
	}
	if len(l.nets) >= MaxListed {
		return fmt.Errorf("more than %d networks in all lists; leave out what is not needed", MaxListed)
	}
	l.at[p] = uint32(len(l.nets))
	l.nets = append(l.nets, listed{p, n})
	return nil
}

func (l *listing) system(asn uint32, n Net) error {
	if l.m.systems == nil {
		l.m.systems = map[uint32]Net{}
	}
	have, ok := l.m.systems[asn]
	if !ok && len(l.m.systems) >= MaxSystems {
		return fmt.Errorf("more than %d autonomous systems in all lists", MaxSystems)
	}
	n.ASN = 0
	l.m.systems[asn] = have.over(n)
	return nil
}

// settle builds the table, wide networks first so that narrow ones can take
// from them what they do not say.
func (l *listing) settle() {
	slices.SortStableFunc(l.nets, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.prefix.Bits(), b.prefix.Bits()), a.prefix.Addr().Compare(b.prefix.Addr()))
	})
	known := map[Net]uint32{}
	for _, x := range l.nets {
		n := x.net
		if n.ASN != 0 {
			n = n.over(l.m.systems[n.ASN])
		}
		if i, ok := l.m.lists.LookupPrefix(x.prefix); ok {
			n = n.over(l.m.listed[i])
		}
		i, ok := known[n]
		if !ok {
			i = uint32(len(l.m.listed))
			l.m.listed = append(l.m.listed, n)
			known[n] = i
		}
		l.m.lists.Insert(x.prefix, i)
	}
	l.m.any = len(l.nets) > 0
	l.at, l.nets = nil, nil
}
