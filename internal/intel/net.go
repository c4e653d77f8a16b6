package intel

import "xiezhi/internal/taxonomy"

// Country is an ISO 3166-1 code of two letters, packed. The zero value means
// that the country is not known.
type Country uint16

// ParseCountry reads two letters; ZZ and XX, which stand for no country, and
// the empty text give the zero value.
func ParseCountry(s string) (Country, bool) {
	if s == "" || s == "ZZ" || s == "XX" {
		return 0, true
	}
	if len(s) != 2 {
		return 0, false
	}
	a, b := s[0]&^0x20, s[1]&^0x20
	if a < 'A' || a > 'Z' || b < 'A' || b > 'Z' {
		return 0, false
	}
	return Country(a)<<8 | Country(b), true
}

func (c Country) String() string {
	if c == 0 {
		return ""
	}
	return string([]byte{byte(c >> 8), byte(c)})
}

// Region is an ISO 3166-2 code without its country: up to three letters or
// digits.
type Region [3]byte

func parseRegion(s string) (r Region, ok bool) {
	if len(s) > 3 {
		return r, false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
		default:
			return Region{}, false
		}
		r[i] = c
	}
	return r, true
}

func (r Region) String() string {
	n := 0
	for n < len(r) && r[n] != 0 {
		n++
	}
	return string(r[:n])
}

// Net is what a map knows of the network that an address belongs to. Fields
// are zero where nothing is known.
type Net struct {
	ASN     uint32
	Country Country
	Region  Region
	Type    taxonomy.NetworkType
}

// Known reports whether anything is known.
func (n Net) Known() bool { return n != Net{} }

// over gives n, with what it does not know from below.
func (n Net) over(below Net) Net {
	if n.ASN == 0 {
		n.ASN = below.ASN
	}
	if n.Type == taxonomy.UnknownNetwork {
		n.Type = below.Type
	}
	if n.Country == 0 {
		n.Country = below.Country
	}
	if n.Region == (Region{}) && n.Country == below.Country {
		n.Region = below.Region
	}
	return n
}
