package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/intel/basemap"
	"xiezhi/internal/taxonomy"
)

//go:embed networks.yaml
var networks []byte

// types says what type of network a system is, and what parts are another.
type types struct {
	systems  map[uint32]taxonomy.NetworkType
	names    []rule
	prefixes []part
}

type rule struct {
	typ   taxonomy.NetworkType
	words *regexp.Regexp
}

type part struct {
	first, end uint64
	v6         bool
	typ        taxonomy.NetworkType
}

func loadTypes() (*types, error) {
	var f struct {
		Systems map[string][]uint32 `yaml:"systems"`
		Names   []struct {
			Type  string `yaml:"type"`
			Words string `yaml:"words"`
		} `yaml:"names"`
		Prefixes map[string][]string `yaml:"prefixes"`
	}
	if err := yaml.UnmarshalWithOptions(networks, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("networks.yaml: %w", err)
	}
	t := &types{systems: map[uint32]taxonomy.NetworkType{}}
	for _, id := range taxonomy.NetworkTypes() { // the first type that names a system counts
		typ, _ := taxonomy.ParseNetworkType(id)
		for _, n := range f.Systems[id] {
			if _, dup := t.systems[n]; !dup {
				t.systems[n] = typ
			}
		}
		delete(f.Systems, id)
		for _, text := range f.Prefixes[id] {
			p, err := netip.ParsePrefix(text)
			if err != nil || p != p.Masked() {
				return nil, fmt.Errorf("networks.yaml: %s is no network", text)
			}
			if first, end, v6, ok := units(p); ok {
				t.prefixes = append(t.prefixes, part{first, end, v6, typ})
			}
		}
		delete(f.Prefixes, id)
	}
	if len(f.Systems)+len(f.Prefixes) > 0 {
		return nil, fmt.Errorf("networks.yaml: unknown types %v %v", f.Systems, f.Prefixes)
	}
	for _, n := range f.Names {
		typ, ok := taxonomy.ParseNetworkType(n.Type)
		words, err := regexp.Compile("(?i)" + n.Words)
		if !ok || err != nil {
			return nil, fmt.Errorf("networks.yaml: names: %s: %w", n.Type, err)
		}
		t.names = append(t.names, rule{typ, words})
	}
	slices.SortFunc(t.prefixes, func(a, b part) int { return cmp.Compare(a.first, b.first) })
	return t, nil
}

func (t *types) of(number uint32, name string) taxonomy.NetworkType {
	if typ, ok := t.systems[number]; ok {
		return typ
	}
	for _, r := range t.names {
		if r.words.MatchString(name) {
			return r.typ
		}
	}
	return taxonomy.UnknownNetwork
}

type sources struct{ systems4, systems6, countries4, countries6 []stretch }

// piece is a stretch of the joined map.
type piece struct {
	first   uint64
	system  uint32
	country string
	typ     taxonomy.NetworkType // of a part; unknown: the system's
}

// build joins the sources into the bytes of a map.
func build(in *sources, t *types, date string) ([]byte, error) {
	names := map[uint32]string{}
	for _, list := range [][]stretch{in.systems4, in.systems6} {
		for i := range list {
			n, err := strconv.ParseUint(list[i].value, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("AS %q: %w", list[i].value, err)
			}
			names[uint32(n)] = list[i].name
		}
	}
	v4, v6 := join(in.systems4, in.countries4, t.prefixes, false), join(in.systems6, in.countries6, t.prefixes, true)

	// What is met most often has the shortest numbers.
	count := map[piece]int{}
	codes := []string{""}
	for _, list := range [][]piece{v4, v6} {
		for _, p := range list {
			p.first = 0
			count[p]++
			codes = append(codes, p.country)
		}
	}
	slices.Sort(codes)
	m := &basemap.Map{Date: date, Countries: slices.Compact(codes), AS: []basemap.AS{{}}, Records: []basemap.Record{{}}}
	order := make([]piece, 0, len(count))
	for p := range count {
		if p != (piece{}) {
			order = append(order, p)
		}
	}
	slices.SortFunc(order, func(a, b piece) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.system, b.system), cmp.Compare(a.country, b.country), cmp.Compare(a.typ, b.typ))
	})
	systems, records := map[uint32]uint32{0: 0}, map[piece]uint32{{}: 0}
	for _, p := range order {
		at, ok := systems[p.system]
		if !ok {
			at = uint32(len(m.AS))
			systems[p.system] = at
			m.AS = append(m.AS, basemap.AS{Number: p.system, Name: strings.TrimSpace(names[p.system])})
		}
		typ := p.typ
		if typ == taxonomy.UnknownNetwork && p.system != 0 {
			typ = t.of(p.system, names[p.system])
		}
		records[p] = uint32(len(m.Records))
		m.Records = append(m.Records, basemap.Record{AS: at, Country: m.Country(p.country), Type: uint8(typ)})
	}
	space := func(list []piece) (s basemap.Space) {
		for _, p := range list {
			s.First = append(s.First, p.first)
			p.first = 0
			s.Of = append(s.Of, records[p])
		}
		return s
	}
	m.V4, m.V6 = space(v4), space(v6)
	return basemap.Encode(m)
}

// join cuts the space where either source or a part begins or ends.
func join(systems, countries []stretch, parts []part, v6 bool) []piece {
	var cuts []uint64
	for _, list := range [][]stretch{systems, countries} {
		for i := range list {
			cuts = append(cuts, list[i].first, list[i].end)
		}
	}
	for _, p := range parts {
		if p.v6 == v6 {
			cuts = append(cuts, p.first, p.end)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []piece
	s, c := 0, 0
	for _, at := range cuts {
		for s < len(systems) && systems[s].end <= at {
			s++
		}
		for c < len(countries) && countries[c].end <= at {
			c++
		}
		p := piece{first: at}
		if s < len(systems) && systems[s].first <= at {
			n, _ := strconv.ParseUint(systems[s].value, 10, 32) // checked in build
			p.system = uint32(n)
		}
		if c < len(countries) && countries[c].first <= at {
			p.country = countries[c].value
		}
		for _, x := range parts {
			if x.v6 == v6 && x.first <= at && at < x.end {
				p.typ = x.typ
			}
		}
		if n := len(out); n > 0 && out[n-1].system == p.system && out[n-1].country == p.country && out[n-1].typ == p.typ {
			continue
		}
		out = append(out, p)
	}
	return out
}
