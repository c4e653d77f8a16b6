package intel

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// read reads a list: CSV by its name or its columns, else plain text. It gives
// how many lines said something.
func (l *listing) read(name string, data []byte, def Net, columns []string) (Kind, int, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(columns) > 0 || strings.EqualFold(filepath.Ext(name), ".csv") {
		return l.readCSV(name, data, def, columns)
	}
	n, err := l.readText(name, data, def)
	return List, n, err
}

// readText reads one network, address or range a line; what follows # or ; is
// a remark.
func (l *listing) readText(name string, data []byte, def Net) (n int, err error) {
	if def == (Net{}) {
		return 0, fmt.Errorf("%s: a plain list says nothing of its networks; give it a type, a country or an asn", name)
	}
	for line := 1; len(data) > 0; line++ {
		var text []byte
		text, data, _ = bytes.Cut(data, []byte("\n"))
		if len(text) > MaxLine {
			return n, fmt.Errorf("%s:%d: the line has more than %d characters", name, line, MaxLine)
		}
		if i := bytes.IndexAny(text, "#;"); i >= 0 {
			text = text[:i]
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		if err := networksOf(string(text), func(p netip.Prefix) error { return l.add(p, def) }); err != nil {
			return n, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		n++
	}
	return n, nil
}

// The columns that a CSV file may have.
const (
	colNetwork = iota
	colFirst
	colLast
	colCountry
	colRegion
	colASN
	colOrg
	colType
	colSkip
	colCount = colSkip
)

var columnNames = map[string]int{
	"network": colNetwork, "prefix": colNetwork, "cidr": colNetwork, "first": colFirst, "start": colFirst, "last": colLast, "end": colLast,
	"country": colCountry, "country_code": colCountry, "region": colRegion, "asn": colASN, "as_number": colASN,
	"organisation": colOrg, "organization": colOrg, "type": colType, "-": colSkip,
}

// columnsOf gives the place of every column, -1 for one that is not there.
func columnsOf(names []string) (at [colCount]int, err error) {
	for i := range at {
		at[i] = -1
	}
	for i, name := range names {
		c, ok := columnNames[strings.ToLower(strings.TrimSpace(name))]
		if !ok {
			return at, fmt.Errorf("column %q is unknown; the columns are network (or first and last), country, region, asn, organisation, type, and - for one to skip", name)
		}
		if c == colSkip {
			continue
		}
		if at[c] >= 0 {
			return at, fmt.Errorf("two columns for %q", name)
		}
		at[c] = i
	}
	switch {
	case at[colFirst] >= 0 != (at[colLast] >= 0) || at[colFirst] >= 0 && at[colNetwork] >= 0:
		return at, errors.New("networks stand in a column network, or in two, first and last")
	case at[colNetwork] < 0 && at[colFirst] < 0 && at[colASN] < 0:
		return at, errors.New("there is no column network, first and last, or asn")
	}
	return at, nil
}

// readCSV reads a list with columns. Without one for networks it says things
// of autonomous systems.
func (l *listing) readCSV(name string, data []byte, def Net, columns []string) (kind Kind, n int, err error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.ReuseRecord, r.FieldsPerRecord, r.Comment, r.TrimLeadingSpace = true, -1, '#', true
	fail := func(line int, err error) (Kind, int, error) { return kind, n, fmt.Errorf("%s:%d: %w", name, line, err) }
	next := func() ([]string, int, error) {
		row, err := r.Read()
		var pe *csv.ParseError
		switch {
		case errors.As(err, &pe):
			return nil, pe.Line, pe.Err
		case err != nil:
			return nil, 0, err
		}
		line, _ := r.FieldPos(0)
		return row, line, nil
	}
	if len(columns) == 0 {
		head, line, err := next()
		if errors.Is(err, io.EOF) {
			return fail(1, errors.New("the file is empty; its first line names the columns"))
		}
		if err != nil {
			return fail(line, err)
		}
		columns = slices.Clone(head)
		if _, err := columnsOf(columns); err != nil {
			return fail(line, err)
		}
	}
	at, err := columnsOf(columns)
	if err != nil {
		return fail(1, err)
	}
	kind = List
	if at[colNetwork] < 0 && at[colFirst] < 0 {
		kind = Systems
	}
	for {
		row, line, err := next()
		if errors.Is(err, io.EOF) {
			return kind, n, nil
		}
		if err != nil {
			return fail(line, err)
		}
		if err := l.row(row, &at, def); err != nil {
			return fail(line, err)
		}
		n++
	}
}

// row takes one line of a CSV file.
func (l *listing) row(row []string, at *[colCount]int, def Net) error {
	field := func(c int) string {
		if i := at[c]; i >= 0 && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	net, err := netOf(field)
	if err != nil {
		return err
	}
	net = net.over(def)
	if org := field(colOrg); org != "" && net.ASN != 0 {
		l.m.name(net.ASN, org)
	}
	add := func(p netip.Prefix) error { return l.add(p, net) }
	switch {
	case at[colNetwork] >= 0:
		return networksOf(field(colNetwork), add)
	case at[colFirst] >= 0:
		return rangeOf(field(colFirst), field(colLast), add)
	case net.ASN == 0:
		return errors.New("no number of an autonomous system")
	}
	return l.system(net.ASN, net)
}

func netOf(field func(int) string) (n Net, err error) {
	var ok bool
	if n.Country, ok = ParseCountry(field(colCountry)); !ok {
		return n, fmt.Errorf("country %.20q is no code of two letters", field(colCountry))
	}
	if n.Region, ok = parseRegion(field(colRegion)); !ok {
		return n, fmt.Errorf("region %.20q is no code of up to three letters or digits", field(colRegion))
	}
	if text := field(colASN); text != "" {
		if len(text) > 2 && strings.EqualFold(text[:2], "as") {
			text = text[2:]
		}
		asn, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return n, fmt.Errorf("asn %.20q is no number of an autonomous system", field(colASN))
		}
		n.ASN = uint32(asn)
	}
	if text := field(colType); text != "" {
		if err := typeOf(&n, text); err != nil {
			return n, err
		}
	}
	return n, nil
}

// networksOf reads a network, an address or a range.
func networksOf(text string, add func(netip.Prefix) error) error {
	if first, last, ok := strings.Cut(text, "-"); ok {
		return rangeOf(strings.TrimSpace(first), strings.TrimSpace(last), add)
	}
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return fmt.Errorf("%.60q is neither an address nor a network like 10.0.0.0/8", text)
		}
		a = a.Unmap()
		return add(netip.PrefixFrom(a, a.BitLen()))
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return fmt.Errorf("%.60q is neither an address nor a network like 10.0.0.0/8", text)
	}
	if p != p.Masked() {
		return fmt.Errorf("%s has bits behind its length; write %s", p, p.Masked())
	}
	return add(p)
}

// rangeOf cuts a range into networks.
func rangeOf(first, last string, add func(netip.Prefix) error) error {
	a, err1 := netip.ParseAddr(first)
	z, err2 := netip.ParseAddr(last)
	if err1 != nil || err2 != nil || a.Is4() != z.Is4() || a.Is4In6() || z.Is4In6() || a.Zone() != "" || z.Zone() != "" || z.Less(a) {
		return fmt.Errorf("%.60q to %.60q is no range of addresses", first, last)
	}
	for {
		bits := a.BitLen()
		for bits > 0 {
			wider, err := a.Prefix(bits - 1)
			if err != nil || wider.Addr() != a || z.Less(lastOf(wider)) {
				break
			}
			bits--
		}
		p := netip.PrefixFrom(a, bits)
		if err := add(p); err != nil {
			return err
		}
		end := lastOf(p)
		if !end.Less(z) {
			return nil
		}
		a = end.Next()
	}
}

// lastOf is the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := range b {
		if k := p.Bits() - 8*i; k <= 0 {
			b[i] = 0xff
		} else if k < 8 {
			b[i] |= 0xff >> k
		}
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
