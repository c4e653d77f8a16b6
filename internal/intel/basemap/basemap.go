// Package basemap holds the map of the Internet that Xiezhi ships: for every
// network its autonomous system, the country that it is registered in and the
// type of network, in one compressed file of about two megabytes.
//
// It takes what mkbase writes (make basemap) and gives it column by column.
// Invariant: Encode and Decode are each other's inverse, and bytes that Encode
// did not write are an error, never a panic. Limits: IPv4 is known by /24 and
// IPv6 by /48; countries are those of registration, so an address of a cloud
// may serve elsewhere; a network announced since the map was made is not on it.
// NOTICE names whose data it is and under which licence.
package basemap

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

//go:embed base.map
var embedded []byte

// Bytes gives the map that is part of the program.
func Bytes() []byte { return embedded }

// Notice is what whoever shows results of the map has to say.
const Notice = "AS numbers and names: Route Views (routeviews.org) and DB-IP (IP Geolocation by DB-IP, https://db-ip.com), countries: NRO (nro.net), all CC BY 4.0, changed; compiled by ip-location-db"

// AS is an autonomous system.
type AS struct {
	Number uint32
	Name   string
}

// Record is what is known of a network.
type Record struct {
	AS      uint32 // index of Map.AS; 0: none
	Country uint8  // index of Map.Countries; 0: not known
	Type    uint8  // a taxonomy.NetworkType
}

// Map is a decoded map. Entry 0 of AS, of Countries and of Records stands for
// nothing.
type Map struct {
	Date      string // of the data, as 2026-06-17
	Countries []string
	AS        []AS
	Records   []Record
	V4, V6    Space
}

// Space is a family of addresses, cut where something changes.
type Space struct {
	First []uint64 // ascending; IPv4: the first 24 bits, IPv6: the first 48
	Of    []uint32 // index of Map.Records
}

const (
	magic    = "xiezhi base map 1\n"
	maxAS    = 1 << 20
	maxSpans = 1 << 22
	maxBytes = 64 << 20
)

// Encode writes a map.
func Encode(m *Map) ([]byte, error) {
	var b bytes.Buffer
	num := func(n uint64) { b.Write(binary.AppendUvarint(nil, n)) }
	text := func(s string) { num(uint64(len(s))); b.WriteString(s) }
	text(m.Date)
	text(strings.Join(m.Countries, ","))
	num(uint64(len(m.AS)))
	for _, a := range m.AS {
		num(uint64(a.Number))
	}
	names := make([]string, len(m.AS))
	for i, a := range m.AS {
		names[i] = strings.ReplaceAll(a.Name, "\n", " ")
	}
	text(strings.Join(names, "\n"))
	num(uint64(len(m.Records)))
	for _, r := range m.Records {
		num(uint64(r.AS))
	}
	for _, r := range m.Records {
		b.WriteByte(r.Country)
	}
	for _, r := range m.Records {
		b.WriteByte(r.Type)
	}
	for _, s := range [2]Space{m.V4, m.V6} {
		num(uint64(len(s.First)))
		at := uint64(0)
		for _, f := range s.First {
			num(f - at)
			at = f
		}
		for _, r := range s.Of {
			num(uint64(r))
		}
	}
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	if err != nil {
		return nil, err
	}
	return w.EncodeAll(b.Bytes(), []byte(magic)), w.Close()
}

var errDamaged = errors.New("the base map is damaged")

// Decode reads a map.
func Decode(data []byte) (*Map, error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin as one", errDamaged)
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBytes))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	plain, err := z.DecodeAll(rest, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	r := reader{b: plain}
	m := &Map{Date: r.text(64), Countries: strings.Split(r.text(1<<12), ",")}
	m.AS = make([]AS, r.count(maxAS))
	for i := range m.AS {
		m.AS[i].Number = uint32(r.num(1<<32 - 1))
	}
	names := r.text(maxBytes)
	for i := range m.AS {
		m.AS[i].Name, names, _ = strings.Cut(names, "\n")
	}
	m.Records = make([]Record, r.count(maxSpans))
	for i := range m.Records {
		m.Records[i].AS = r.index(len(m.AS))
	}
	for i := range m.Records {
		if m.Records[i].Country = r.byte(); int(m.Records[i].Country) >= len(m.Countries) {
			r.fail()
		}
	}
	for i := range m.Records {
		m.Records[i].Type = r.byte()
	}
	m.V4, m.V6 = r.space(len(m.Records), 1<<24), r.space(len(m.Records), 1<<48)
	if r.bad || len(r.b) > 0 {
		return nil, errDamaged
	}
	return m, nil
}

// reader reads numbers and texts; when one is not there it goes bad and gives
// nothing any more.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.b, r.bad = nil, true }

func (r *reader) num(most uint64) uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 && uint64(r.b[0]) <= most {
		n := uint64(r.b[0])
		r.b = r.b[1:]
		return n
	}
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > most {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// count reads how many things follow, each of at least a byte.
func (r *reader) count(most uint64) int {
	n := r.num(most)
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) text(most uint64) string {
	n := r.count(most)
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// index reads a place in a list of so many.
func (r *reader) index(of int) uint32 {
	if of == 0 {
		r.fail()
		return 0
	}
	return uint32(r.num(uint64(of - 1)))
}

func (r *reader) space(records int, end uint64) (s Space) {
	n := r.count(maxSpans)
	s.First, s.Of = make([]uint64, n), make([]uint32, n)
	at := uint64(0)
	for i := range s.First {
		d := r.num(end)
		if at += d; at >= end || i > 0 && d == 0 {
			r.fail()
			return Space{}
		}
		s.First[i] = at
	}
	for i := range s.Of {
		s.Of[i] = r.index(records)
	}
	return s
}

// Country gives the index of a country code, 0 when it is none of the map's.
func (m *Map) Country(code string) uint8 {
	i, ok := slices.BinarySearch(m.Countries, code)
	if !ok {
		return 0
	}
	return uint8(i)
}
