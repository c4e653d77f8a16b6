// Mkbase makes the base map that Xiezhi ships.
//
// It takes two packages of the npm registry, unpacked: ip-location-db's asn and
// geo-whois-asn-country, and networks.yaml, which says what type of network an
// autonomous system is; it writes the map. make basemap fetches and runs it.
// Invariant: the same files give the same bytes. Limits: see package basemap.
package main

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	asn := flag.String("asn", "", "folder of the package asn")
	country := flag.String("country", "", "folder of the package geo-whois-asn-country")
	date := flag.String("date", "", "day of the data, as 2026-06-17")
	out := flag.String("o", "", "file to write")
	flag.Parse()
	if err := run(*asn, *country, *date, *out); err != nil {
		fmt.Fprintf(os.Stderr, "error: make the base map: %v\n", err)
		os.Exit(3)
	}
}

func run(asn, country, date, out string) error {
	types, err := loadTypes()
	if err != nil {
		return err
	}
	var in sources
	for _, f := range []struct {
		to   *[]stretch
		dir  string
		name string
		bits uint
	}{
		{&in.systems4, asn, "asn-ipv4-num.csv", 8}, {&in.systems6, asn, "asn-ipv6-num.csv", 80},
		{&in.countries4, country, "geo-whois-asn-country-ipv4-num.csv", 8}, {&in.countries6, country, "geo-whois-asn-country-ipv6-num.csv", 80},
	} {
		if *f.to, err = readFile(filepath.Join(f.dir, f.name), f.bits); err != nil {
			return err
		}
	}
	data, err := build(&in, types, date)
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

func readFile(name string, bits uint) ([]stretch, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := read(f, bits)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return list, nil
}

// A stretch is addresses [first, end), in units of 2^bits, with what a line
// says of them.
type stretch struct {
	first, end uint64
	value      string // AS number or country
	name       string // of the AS
}

// read reads lines of first,last,value[,name], the addresses as numbers. What
// is smaller than a unit is left out.
func read(r io.Reader, bits uint) ([]stretch, error) {
	c := csv.NewReader(bufio.NewReaderSize(r, 1<<20))
	c.ReuseRecord, c.FieldsPerRecord = true, -1
	var out []stretch
	unit := new(big.Int).Lsh(big.NewInt(1), bits)
	round := new(big.Int).Sub(unit, big.NewInt(1))
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return flatten(out), nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := c.FieldPos(0)
		var first, end big.Int
		if len(row) < 3 {
			return nil, fmt.Errorf("line %d: %d fields", line, len(row))
		}
		_, ok1 := first.SetString(row[0], 10)
		_, ok2 := end.SetString(row[1], 10)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("line %d: no numbers", line)
		}
		end.Add(&end, big.NewInt(1))
		first.Add(&first, round).Rsh(&first, bits)
		end.Rsh(&end, bits)
		s := stretch{first: first.Uint64(), end: end.Uint64(), value: row[2]}
		if len(row) > 3 {
			s.name = row[3]
		}
		if s.end <= s.first {
			continue
		}
		out = append(out, s)
	}
}

// flatten makes stretches that do not overlap: where one lies within another,
// the inner one counts.
func flatten(list []stretch) []stretch {
	slices.SortStableFunc(list, func(a, b stretch) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(b.end, a.end)) })
	var out, open []stretch
	at := uint64(0)
	upTo := func(end uint64) {
		for len(open) > 0 && at < end {
			top := open[len(open)-1]
			if top.end <= at {
				open = open[:len(open)-1]
				continue
			}
			top.first, top.end = at, min(top.end, end)
			out = append(out, top)
			at = top.end
		}
		at = end
	}
	for _, s := range list {
		upTo(s.first)
		open = append(open, s)
	}
	upTo(1<<64 - 1)
	return out
}

// units gives a prefix as a stretch of the map's units, false when it is
// smaller than one.
func units(p netip.Prefix) (first, end uint64, v6, ok bool) {
	if p.Addr().Is4() {
		b := p.Addr().As4()
		first = uint64(binary.BigEndian.Uint32(b[:]) >> 8)
		return first, first + 1<<max(24-p.Bits(), 0), false, p.Bits() <= 24
	}
	b := p.Addr().As16()
	first = binary.BigEndian.Uint64(b[:8]) >> 16
	return first, first + 1<<max(48-p.Bits(), 0), true, p.Bits() <= 48
}
