package sensitive

import "xiezhi/internal/taxonomy"

// Byte classes. A token byte belongs to the run that decides; an anchor starts
// a look around.
const (
	cDigit uint8 = 1 << iota
	cUpper
	cLower
	cUnder
	cDash
	cMail   // stands in the local part of an address besides token bytes
	cAnchor // @ and *
	cAssign // = : and the lead byte of ：, anchors in text

	cLetter = cUpper | cLower
	cToken  = cDigit | cLetter | cUnder | cDash
)

type classTable [256]uint8

// plainClass is the table of Scan, textClass that of ScanText.
var (
	plainClass = classes(false)
	textClass  = classes(true)
)

func classes(text bool) (t classTable) {
	for c := range t {
		switch b := byte(c); {
		case isDigit(b):
			t[c] = cDigit
		case b >= 'A' && b <= 'Z':
			t[c] = cUpper
		case b >= 'a' && b <= 'z':
			t[c] = cLower
		case b == '_':
			t[c] = cUnder
		case b == '-':
			t[c] = cDash
		case b == '.' || b == '+' || b == '%':
			t[c] = cMail
		case b == '@' || b == '*':
			t[c] = cAnchor
		case text && (b == '=' || b == ':' || b == 0xEF):
			t[c] = cAssign
		}
	}
	return t
}

func isToken(c byte) bool { return plainClass[c]&cToken != 0 }

// tokenBefore reports whether a token byte stands before i.
func tokenBefore(b []byte, i int) bool { return i > 0 && isToken(b[i-1]) }

// tokenAt reports whether a token byte stands at i.
func tokenAt(b []byte, i int) bool { return i < len(b) && isToken(b[i]) }

// Scan appends what free text holds, recognised by content alone. It is one
// pass over b and allocates nothing but the growth of hits.
func Scan(b []byte, hits []Hit) []Hit {
	s := scanner{b: b, hits: hits, floor: len(hits)}
	s.scan(0)
	return s.hits
}

// ScanText is Scan plus what keys in the text promise: password = "…",
// token: …, 密码：…. It serves bodies of text, configuration, scripts and logs.
func ScanText(b []byte, hits []Hit) []Hit {
	s := scanner{b: b, hits: hits, floor: len(hits)}
	s.scanText(0)
	return s.hits
}

type scanner struct {
	b     []byte
	hits  []Hit
	floor int // hits before this index belong to the caller
}

// scan is the loop of Scan, from i on. It is kept apart from that of ScanText,
// which may come back to it for one value.
func (s *scanner) scan(i int) {
	for {
		start, end, or := next(s.b, i, &plainClass)
		switch {
		case start == len(s.b):
			return
		case end > start:
			i = s.run(start, end, or)
		case s.b[start] == '@':
			i = s.at(start)
		default:
			i = s.stars(start)
		}
	}
}

// scanText is scan with the anchors of assignments.
func (s *scanner) scanText(i int) {
	for {
		start, end, or := next(s.b, i, &textClass)
		switch {
		case start == len(s.b):
			return
		case end > start:
			i = s.run(start, end, or)
		case s.b[start] == '@':
			i = s.at(start)
		case s.b[start] == '*':
			i = s.stars(start)
		default:
			i = s.assignment(start)
		}
	}
}

// add appends a hit and drops hits that it overlaps: what is recognised later
// around an earlier hit (an address around its digits) knows more.
func (s *scanner) add(t taxonomy.Sensitive, start, end int, confidence uint8) {
	s.put(Hit{Type: t, Start: start, End: end, Confidence: confidence})
}

func (s *scanner) put(h Hit) {
	for len(s.hits) > s.floor && s.hits[len(s.hits)-1].End > h.Start {
		s.hits = s.hits[:len(s.hits)-1]
	}
	s.hits = append(s.hits, h)
}

// run judges the maximal token run [start,end) and returns where to go on.
func (s *scanner) run(start, end int, or uint8) int {
	b := s.b
	if start > 0 && (b[start-1] == '%' || b[start-1] == '\\') {
		if from := afterEscape(b, start, end); from > start {
			if end-from < 3 {
				return end
			}
			start, or = from, classOf(b[from:end])
		}
	}
	n := end - start
	switch {
	case or == cDigit:
		return s.number(start, end)
	case or == cDigit|cDash && isDigit(b[start]):
		return s.grouped(start, end)
	case b[start] == '-' && n >= 10 && string(b[start:start+10]) == "-----BEGIN":
		return s.pem(start, end)
	}
	if or&^(cDigit|cUpper|cDash) == 0 && n <= 8 {
		if s.plate(start, end) {
			return end
		}
	}
	if n >= 8 && n <= 11 && or&(cUnder|cDash) == 0 {
		if s.document(start, end) {
			return end
		}
	}
	if n == 18 && s.eighteen(start, end, or) {
		return end
	}
	if n >= 13 {
		if p := s.credential(start, end, or); p > 0 {
			return p
		}
	}
	if or&cUnder != 0 && n >= 12 {
		s.segments(start, end)
	}
	return end
}

func classOf(b []byte) (or uint8) {
	for _, c := range b {
		or |= plainClass[c]
	}
	return or
}

// afterEscape skips the end of a percent or backslash escape that the run
// swallowed: %2B86138…, \n138…, \u4e2d138….
func afterEscape(b []byte, start, end int) int {
	if b[start-1] == '%' {
		if end-start > 2 && isHex(b[start]) && isHex(b[start+1]) {
			return start + 2
		}
		return start
	}
	switch b[start] {
	case 'n', 'r', 't', 'b', 'f':
		return start + 1
	case 'u':
		if end-start > 5 && isHex(b[start+1]) && isHex(b[start+2]) && isHex(b[start+3]) && isHex(b[start+4]) {
			return start + 5
		}
	}
	return start
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// eighteen judges 18 token bytes that are not all digits: a resident ID that
// ends in X, or a USCC with letters.
func (s *scanner) eighteen(start, end int, or uint8) bool {
	r := s.b[start:end]
	if r[17]&^0x20 == 'X' && allDigits(r[:17]) && validResident(r) {
		s.add(taxonomy.SensCNResidentID, start, end, 96)
		return true
	}
	if or == cDigit|cUpper && validUSCC(r) {
		s.add(taxonomy.SensCNUSCC, start, end, 92)
		return true
	}
	return false
}

// segments looks for numbers between underscores: photo_110101…_front.
func (s *scanner) segments(start, end int) {
	b := s.b
	for p := start; p < end; {
		q := p
		for q < end && b[q] != '_' {
			q++
		}
		switch n := q - p; {
		case n == 18 && allDigits(b[p:p+17]) && (isDigit(b[p+17]) || b[p+17]&^0x20 == 'X') && validResident(b[p:q]):
			s.add(taxonomy.SensCNResidentID, p, q, 92)
		case n == 11 && allDigits(b[p:q]):
			if isMobile(b[p:q]) {
				s.add(taxonomy.SensCNMobile, p, q, 65)
			}
		}
		p = q + 1
	}
}
