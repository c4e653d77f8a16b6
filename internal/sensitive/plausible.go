package sensitive

import (
	"bytes"
	"unicode/utf8"

	"xiezhi/internal/taxonomy"
)

// What a value must look like before its key is believed.

// runes counts characters; utf8.RuneCount copies the text first.
func runes(v []byte) (n int) {
	for i := 0; i < len(v); n++ {
		switch {
		case v[i] < utf8.RuneSelf:
			i++
		case ideograph(v, i):
			i += 3
		default:
			_, size := utf8.DecodeRune(v[i:])
			i += size
		}
	}
	return n
}

func digitCount(v []byte) (n int) {
	for _, c := range v {
		if isDigit(c) {
			n++
		}
	}
	return n
}

// tokenText reports letters, digits and - _ . : only.
func tokenText(v []byte) bool {
	for _, c := range v {
		if !isToken(c) && c != '.' && c != ':' {
			return false
		}
	}
	return true
}

// numberText reports digits with the punctuation of numbers.
func numberText(v []byte) bool {
	for _, c := range v {
		if !isDigit(c) && c != ' ' && c != '-' && c != '+' && c != '(' && c != ')' {
			return false
		}
	}
	return true
}

// plausiblePassword excludes messages about passwords, template variables and
// prose; almost anything else can be one.
func plausiblePassword(v []byte) bool {
	if len(v) > 1024 || hasHan(v) || templated(v) || bytes.Count(v, []byte(" ")) > 4 {
		return false
	}
	if bytes.IndexByte(v, ' ') > 0 && (v[len(v)-1] == '.' || v[len(v)-1] == '!' || v[len(v)-1] == ':') {
		return false // "This field is required."
	}
	for _, c := range v[1:] {
		if c != v[0] {
			return true
		}
	}
	return isDigit(v[0]) || len(v) == 1 || plainClass[v[0]]&cLetter != 0
}

func plausibleCode(v []byte) bool {
	return len(v) >= 4 && len(v) <= 8 && classOf(v)&cDigit != 0 && plainText(v, alnum)
}

func plainText(v []byte, class uint8) bool {
	for _, c := range v {
		if plainClass[c]&class == 0 {
			return false
		}
	}
	return true
}

// schemes stand before a credential in one value.
var schemes = [...]string{"Bearer ", "bearer ", "Basic ", "basic ", "Token ", "token ", "JWT "}

// secret judges a token, key or session id.
func (s *scanner) secret(h Hint, m Mask, start, end int) bool {
	if m&HasBlank != 0 {
		for _, scheme := range schemes {
			if bytes.HasPrefix(s.b[start:end], []byte(scheme)) {
				start, end = trim(s.b, start+len(scheme), end)
				m = MaskOf(s.b[start:end])
				break
			}
		}
	}
	if start == end {
		return true
	}
	return s.content(h, m, start, end) || s.is(secretLike(s.b[start:end]), h, start, end, 85)
}

// secretLike wants a text without blanks that nobody would write as a word:
// digits among letters, or both cases, and enough different characters.
func secretLike(v []byte) bool {
	if len(v) < 8 || placeholder(v) || v[0] == '/' || bytes.Contains(v, []byte("://")) {
		return false
	}
	var seen [256]bool
	distinct := 0
	for _, c := range v {
		if c <= ' ' || c >= 0x7F {
			return false
		}
		if !seen[c] {
			seen[c] = true
			distinct++
		}
	}
	or := classOf(v)
	switch {
	case distinct < 5 || dateLike(v):
		return false
	case or&cDigit != 0 && or&cLetter != 0:
		return true
	case or&cLetter == cLetter && len(v) >= 12:
		return caseChanges(v) > len(v)/6
	case or&cLetter == 0:
		return len(v) >= 16
	}
	return len(v) >= 24 && distinct >= 10
}

// dateLike reports texts that begin with a date: 2024-01-02….
func dateLike(v []byte) bool {
	return len(v) >= 8 && allDigits(v[:4]) && (v[4] == '-' || v[4] == '/' || v[4] == '.') && isDigit(v[5]) && (v[0] == '1' || v[0] == '2')
}

func plausibleAccount(v []byte, m Mask) bool {
	if len(v) < 2 || len(v) > 64 || m&(HasControl|HasOpen|HasSlash) != 0 || m&(HasDigit|maskLetter|HasHan) == 0 {
		return false
	}
	if m&HasBlank != 0 {
		blanks := 0
		for _, c := range v {
			if c < ' ' {
				return false
			}
			if c == ' ' {
				blanks++
			}
		}
		if blanks > 2 {
			return false
		}
	}
	return v[len(v)-1] != '.' && v[len(v)-1] != '!' && (m&(HasDigit|maskLetter) != 0 || hasHan(v)) && !placeholder(v)
}

// plausibleDate wants a calendar date of a person's life, also with a time
// behind it: 1990-01-02, 19900102, 1990年1月2日, 02/01/1990.
func plausibleDate(v []byte) bool {
	var part [3]int
	n, digits := 0, 0
	for i := 0; i < len(v) && n < 3; i++ {
		switch c := v[i]; {
		case isDigit(c):
			if digits == 4 && n == 0 || digits == 2 && n > 0 {
				n, digits = n+1, 0
				if n == 3 {
					i = len(v)
					continue
				}
			}
			part[n] = part[n]*10 + int(c-'0')
			digits++
		case digits == 0 && c < utf8.RuneSelf:
			return false
		case digits > 0:
			n, digits = n+1, 0
		}
	}
	if n < 2 || n == 2 && digits == 0 || len(v) > 40 {
		return false
	}
	y, m, d := part[0], part[1], part[2]
	if y < 100 {
		y, m, d = part[2], part[1], part[0]
		if y < 100 && len(v) >= 10 { // dd/mm/yyyy: the year was cut after two digits
			y = y*100 + 1
		}
		if m > 12 {
			m, d = d, m
		}
	}
	return y >= 1900 && y <= 2049 && m >= 1 && m <= 12 && d >= 1 && d <= 31
}

// plausiblePosition wants a coordinate with three decimals or more, or two.
func plausiblePosition(v []byte) bool {
	points, decimals, inFraction := 0, 0, false
	whole := 0
	for i, c := range v {
		switch {
		case isDigit(c):
			if inFraction {
				decimals++
			} else if whole = whole*10 + int(c-'0'); whole > 180 {
				return false
			}
		case c == '.':
			if inFraction {
				return false
			}
			points++
			inFraction = true
		case c == ',' || c == ' ' || c == ';':
			inFraction, whole = false, 0
		case c == '-' && (i == 0 || !isDigit(v[i-1])), c == '[', c == ']', c == '(', c == ')':
		default:
			return false
		}
	}
	return points >= 1 && points <= 2 && decimals >= 3*points
}

func isMAC(v []byte) bool {
	n := 0
	for i, c := range v {
		switch {
		case isHex(c):
			n++
		case (c == ':' || c == '-') && n%2 == 0 && i > 0 || c == '.' && n%4 == 0 && i > 0:
		default:
			return false
		}
	}
	return n == 12 && len(v) <= 17 && !allZero(v)
}

func allZero(v []byte) bool {
	for _, c := range v {
		if isHex(c) && c != '0' {
			return false
		}
	}
	return true
}

// addresses finds the public IP addresses of a value whose key promises them:
// private ones say nothing about a person.
func (s *scanner) addresses(start, end int) bool {
	found := false
	v := s.b[:end]
	for i := start; i < end; {
		if !isHex(v[i]) && v[i] != ':' || i > start && (isToken(v[i-1]) || v[i-1] == '.' || v[i-1] == ':') {
			i++
			continue
		}
		n := ipv4(v[i:])
		if n == 0 {
			n = ipv6(v[i:])
		}
		if n > 0 {
			s.add(taxonomy.SensIPAddress, i, i+n, 90)
			found = true
		}
		i += max(n, 1)
	}
	return found
}

// ipv4 gives the length of a public IPv4 address at the beginning of v.
func ipv4(v []byte) int {
	var o [4]int
	p := 0
	for k := range o {
		q := p
		for q < len(v) && isDigit(v[q]) && q-p < 3 {
			o[k] = o[k]*10 + int(v[q]-'0')
			q++
		}
		if q == p || o[k] > 255 || q-p > 1 && v[p] == '0' {
			return 0
		}
		p = q
		if k < 3 {
			if p >= len(v) || v[p] != '.' {
				return 0
			}
			p++
		}
	}
	if tokenAt(v, p) || p+1 < len(v) && v[p] == '.' && isDigit(v[p+1]) {
		return 0
	}
	switch {
	case o[0] == 0 || o[0] == 10 || o[0] == 127 || o[0] >= 224,
		o[0] == 172 && o[1] >= 16 && o[1] < 32, o[0] == 192 && o[1] == 168,
		o[0] == 169 && o[1] == 254, o[0] == 100 && o[1] >= 64 && o[1] < 128:
		return 0
	}
	return p
}

// ipv6 gives the length of a global unicast address (2000::/3) at the
// beginning of v.
func ipv6(v []byte) int {
	colons, p := 0, 0
	for p < len(v) && (isHex(v[p]) || v[p] == ':') {
		if v[p] == ':' {
			colons++
		}
		p++
	}
	if colons < 2 || colons > 7 || tokenAt(v, p) || p < 6 || v[0] != '2' && v[0] != '3' || v[4] != ':' {
		return 0
	}
	if colons < 7 && !bytes.Contains(v[:p], []byte("::")) {
		return 0
	}
	return p
}
