package sensitive

import (
	"bytes"
	"unicode/utf8"

	"xiezhi/internal/taxonomy"
)

// Canonical appends the form of a value on which tokens are taken, so that one
// value written in two ways is one token: phones without +86, blanks and
// dashes, identifiers in upper case, e-mail in lower case, plates without
// dots. It is idempotent.
func Canonical(dst []byte, t taxonomy.Sensitive, b []byte) []byte {
	b = trimSpace(b)
	from := len(dst)
	switch t {
	case taxonomy.SensCNMobile, taxonomy.SensPhone:
		dst = appendDigits(dst, b)
		d := dst[from:]
		plus := len(b) > 0 && b[0] == '+'
		skip := 0
		switch {
		case len(d) > 4 && string(d[:4]) == "0086":
			skip = 4
		case len(d) > 2 && string(d[:2]) == "86" && (plus || len(d) == 13 && d[2] == '1'):
			skip = 2
		case plus && len(d) > 0: // abroad: the country code stays, marked
			dst = append(dst, 0)
			copy(dst[from+1:], dst[from:])
			dst[from] = '+'
			return dst
		}
		if skip > 0 && len(d) > skip {
			rest := d[skip:]
			if rest[0] != '1' && rest[0] != '0' || len(rest) < 11 && rest[0] == '1' { // a landline's area code loses its 0 abroad
				d[0] = '0'
				return append(dst[:from+1], rest...)
			}
			return append(dst[:from], rest...)
		}
		return dst
	case taxonomy.SensBankCard, taxonomy.SensIMEI:
		return appendDigits(dst, b)
	case taxonomy.SensCNResidentID, taxonomy.SensCNUSCC, taxonomy.SensPassport, taxonomy.SensHKMacauPermit,
		taxonomy.SensSocialSecurityNo, taxonomy.SensMilitaryID, taxonomy.SensPlateNumber:
		for i := 0; i < len(b); {
			c := b[i]
			switch {
			case c >= 'a' && c <= 'z':
				dst = append(dst, c-'a'+'A')
				i++
			case c >= 'A' && c <= 'Z' || isDigit(c):
				dst = append(dst, c)
				i++
			case c < utf8.RuneSelf:
				i++
			default:
				r, n := utf8.DecodeRune(b[i:])
				if r >= 0x3400 && r <= 0x9FFF {
					dst = append(dst, b[i:i+n]...)
				}
				i += n
			}
		}
		return dst
	case taxonomy.SensMACAddress:
		for _, c := range b {
			if isHex(c) {
				dst = append(dst, lower(c))
			}
		}
		return dst
	case taxonomy.SensEmail:
		for _, c := range b {
			dst = append(dst, lower(c))
		}
		return dst
	case taxonomy.SensAddress, taxonomy.SensPersonName:
		return appendSpaced(dst, b)
	}
	return append(dst, b...)
}

// Settled reports, by its mask, whether a value is its own canonical form. It
// may say no to one that is.
func Settled(t taxonomy.Sensitive, m Mask, b []byte) bool {
	switch t {
	case taxonomy.SensCNMobile, taxonomy.SensPhone:
		return m == HasDigit && len(b) > 4 && len(b) != 13 && (b[0] != '0' || b[1] != '0')
	case taxonomy.SensBankCard, taxonomy.SensIMEI:
		return m == HasDigit
	case taxonomy.SensCNResidentID, taxonomy.SensCNUSCC, taxonomy.SensPassport, taxonomy.SensHKMacauPermit,
		taxonomy.SensSocialSecurityNo, taxonomy.SensMilitaryID, taxonomy.SensPlateNumber:
		return m&^(HasDigit|HasUpper|HasHexLetter|HasLetter) == 0
	case taxonomy.SensMACAddress:
		return false
	case taxonomy.SensEmail:
		return m&(HasUpper|HasBlank|HasControl|HasLead|HasHigh) == 0
	}
	return m&(HasBlank|HasControl|HasLead|HasHigh) == 0
}

// trimSpace is bytes.TrimSpace, which calls a function per character at the
// ends of a text in another script.
func trimSpace(b []byte) []byte {
	if n := len(b); n > 2 && b[0] > ' ' && (b[0] < utf8.RuneSelf || ideograph(b, 0)) &&
		b[n-1] > ' ' && (b[n-1] < utf8.RuneSelf || ideograph(b, n-3)) {
		return b
	}
	return bytes.TrimSpace(b)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func appendDigits(dst, b []byte) []byte {
	for _, c := range b {
		if isDigit(c) {
			dst = append(dst, c)
		}
	}
	return dst
}

// appendSpaced drops white space, but keeps one blank between Latin words.
func appendSpaced(dst, b []byte) []byte {
	n := len(dst)
	dst = append(dst, b...)
	gap := false
	var last byte
	if i := bytes.IndexByte(b, ' '); i > 0 { // nothing changes before the first blank
		head := b[:i]
		if bytes.IndexByte(head, '\t') < 0 && bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') < 0 {
			last = head[i-1]
			n, b = n+i, b[i:]
		}
	}
	for _, c := range b {
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			gap = last != 0
			continue
		}
		if gap && last < utf8.RuneSelf && c < utf8.RuneSelf {
			dst[n] = ' '
			n++
		}
		gap, last = false, c
		dst[n] = c
		n++
	}
	return dst[:n]
}

// Set places a canonical enumerable identifier in its space: the bytes of the
// prefix that a scan holds still, the position within it, and whether the
// value is in no known allocation (segment, date, checksum). What is stored of
// it (a token of the prefix, the position and the shape) leaves at least ten
// thousand candidates; a test counts them.
func Set(t taxonomy.Sensitive, b []byte) (prefix []byte, position uint16, unallocated bool, ok bool) {
	n := len(b)
	switch t {
	case taxonomy.SensCNMobile, taxonomy.SensPhone:
		if n == 11 && b[0] == '1' && allDigits(b) {
			return b[:7], number16(b[7:]), !isMobile(b), true
		}
	case taxonomy.SensCNResidentID:
		if n == 18 && allDigits(b[:17]) && (isDigit(b[17]) || b[17] == 'X') {
			return b[:14], number16(b[14:17]), !validResident(b), true
		}
	case taxonomy.SensBankCard:
		if n >= 13 && n <= 19 && allDigits(b) { // the check digit belongs to neither
			return b[:n-5], number16(b[n-5 : n-1]), cardRange(b) == cardNo || !luhn(b), true
		}
	case taxonomy.SensPlateNumber:
		if n >= 8 && n <= 11 && b[n-1] < utf8.RuneSelf && b[n-2] < utf8.RuneSelf {
			return b[:n-2], base36(b[n-2])*36 + base36(b[n-1]), !isPlate(b), true
		}
	case taxonomy.SensPassport, taxonomy.SensHKMacauPermit:
		if n >= 8 && n <= 11 && allDigits(b[n-3:]) {
			return b[:n-3], number16(b[n-3:]), false, true
		}
	}
	return nil, 0, false, false
}

// number16 is the value of up to four digits.
func number16(b []byte) (v uint16) {
	for _, c := range b {
		v = v*10 + uint16(c-'0')
	}
	return v
}

func base36(c byte) uint16 {
	if isDigit(c) {
		return uint16(c - '0')
	}
	return uint16(c-'A')%26 + 10
}
