package sensitive

import (
	"bytes"
	"unicode/utf8"

	"xiezhi/internal/taxonomy"
)

// name judges a value whose key promises a person's name. 王先生 and 李女士 are
// names already masked.
func (s *scanner) name(m Mask, start, end int) bool {
	v := s.b[start:end]
	switch {
	case hanName(v, m):
		s.add(taxonomy.SensPersonName, start, end, 92)
	case courtesy(v):
		s.put(Hit{Type: taxonomy.SensPersonName, Start: start, End: end, Confidence: 70, Masked: true})
	case latinName(v):
		s.add(taxonomy.SensPersonName, start, end, 80)
	default:
		return false
	}
	return true
}

// hanText gives the number of Han characters of a text of nothing else, with
// the points inside names of other peoples; 0 for any other text.
func hanText(v []byte) (n int, point bool, first, last rune) {
	for i := 0; i < len(v); {
		if ideograph(v, i) {
			last = rune(v[i]&0xF)<<12 | rune(v[i+1]&0x3F)<<6 | rune(v[i+2]&0x3F)
			if n == 0 {
				first = last
			}
			n++
			i += 3
			continue
		}
		r, size := utf8.DecodeRune(v[i:])
		switch {
		case r == '·' || r == '•' || r == '‧':
			if n == 0 || i+size == len(v) {
				return 0, false, 0, 0
			}
			point = true
		case r >= 0x3400 && r <= 0x9FFF || r >= 0x20000 && r <= 0x323AF:
			if n == 0 {
				first = r
			}
			last = r
			n++
		default:
			return 0, false, 0, 0
		}
		i += size
	}
	return n, point, first, last
}

// notHan reports whether the mask shows what hanText refuses.
func notHan(m Mask) bool { return m&^HasBeyond != 0 || m&(HasHan|HasHigh) == 0 }

// surname and notNameEnd ask the lexicon for one character.
func (l *lexicon) surname(r rune) bool {
	if r >= 0x4000 && r < 0xA000 {
		return l.surnameSet[(r-0x4000)>>6]>>(r&63)&1 != 0
	}
	return l.surnames[r]
}

func (l *lexicon) notNameEnd(r rune) bool {
	if r >= 0x4000 && r < 0xA000 {
		return l.notEndSet[(r-0x4000)>>6]>>(r&63)&1 != 0
	}
	return l.notNameEnds[r]
}

// notName reports whether a Han text is listed as no name.
func (l *lexicon) notName(v []byte, first rune) bool {
	if first >= 0x4000 && first < 0xA000 && l.notNameFirst[(first-0x4000)>>6]>>(first&63)&1 == 0 {
		return false
	}
	return l.notNames[string(v)]
}

// hasSurname reports whether a Han text of n characters begins like a name.
func (l *lexicon) hasSurname(v []byte, first rune, n int) bool {
	if n <= 3 && l.surname(first) || n == 4 && l.surname(first) && l.surname(secondRune(v)) {
		return true
	}
	return n >= 3 && n <= 4 && len(v) > 6 && l.surnames2[string(v[:6])]
}

func secondRune(v []byte) rune {
	_, n := utf8.DecodeRune(v)
	r, _ := utf8.DecodeRune(v[n:])
	return r
}

func hanName(v []byte, m Mask) bool {
	if len(v) > 60 || notHan(m) {
		return false
	}
	n, point, first, last := hanText(v)
	switch {
	case n < 2, point && n > 15, !point && n > 4:
		return false
	}
	l := words()
	if l.notName(v, first) {
		return false
	}
	if point {
		return true
	}
	return !courtesy(v) && (!l.notNameEnd(last) || l.hasSurname(v, first, n))
}

// strictName is for fields that may name anything: a common surname, two or
// three characters (four with a double surname), nothing that a place or a
// product ends with.
func strictName(v []byte, m Mask) bool {
	if len(v) < 2*3 || len(v) > 4*4 || notHan(m) {
		return false
	}
	n, point, first, last := hanText(v)
	if n < 2 || n > 4 || point {
		return false
	}
	l := words()
	return !l.notNameEnd(last) && l.hasSurname(v, first, n) && !courtesy(v) && !l.notName(v, first)
}

func courtesy(v []byte) bool {
	if len(v) < 9 || len(v) > 12 {
		return false
	}
	switch v[len(v)-1] { // the last bytes of those below
	case 0x9F, 0xAB, 0x90, 0x88, 0x85:
	default:
		return false
	}
	for _, t := range [...]string{"先生", "女士", "小姐", "老师", "师傅"} {
		if len(v) >= len(t)+3 && len(v) <= len(t)+6 && bytes.HasSuffix(v, []byte(t)) {
			return true
		}
	}
	return false
}

// latinName wants one to four words of letters, each with a capital (but for
// particles), or two or three words all small or all capital.
func latinName(v []byte) bool {
	if len(v) < 2 || len(v) > 48 || !utf8.Valid(v) || words().isNotName(v) {
		return false
	}
	count, capital, small := 0, 0, 0
	for rest := v; len(rest) > 0; {
		w := rest
		if i := bytes.IndexByte(rest, ' '); i >= 0 {
			w, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if len(w) == 0 {
			return false
		}
		for i, c := range w {
			inner := i > 0 && (c == '-' || c == '\'' || c == '.')
			if plainClass[c]&cLetter == 0 && !inner && c < utf8.RuneSelf || c >= 0xE3 {
				return false
			}
		}
		count++
		switch {
		case plainClass[w[0]]&cUpper != 0 || w[0] >= 0x80:
			capital++
		case particle(w) && count > 1:
		default:
			small++
		}
	}
	switch {
	case count == 0 || count > 4 || capital > 0 && small > 0:
		return false
	case capital == 0:
		return count == 2 || count == 3
	}
	return count > 1 || classOf(v)&cLower != 0
}

func particle(w []byte) bool {
	switch string(w) {
	case "de", "da", "di", "del", "van", "von", "der", "den", "la", "le", "el", "al", "bin", "ibn", "binti", "y", "e", "dos", "ter":
		return true
	}
	return false
}

func (l *lexicon) isNotName(v []byte) bool {
	var buf [32]byte
	t, ok := folded(&buf, v)
	return ok && l.notNames[string(t)]
}

// addressMarks end the parts of a Chinese address, from province to door.
const addressMarks = "省市区县旗州镇乡村路街道巷弄胡同里号楼栋幢座室单元层组院园苑城庄湾厦"

var addressMarkSet = newHanSet(addressMarks)

// plausibleAddress gives the confidence that a value is somebody's address and
// not just a town: two parts or more, or a house number.
func plausibleAddress(v []byte, m Mask) uint8 {
	if len(v) > 512 || m&HasColon != 0 && bytes.Contains(v, []byte("://")) {
		return 0
	}
	if m&HasHan != 0 && hasHan(v) {
		marks, digits, n := 0, 0, 0
		for i := 0; i < len(v); n++ {
			switch {
			case ideograph(v, i):
				if i > 0 && addressMarkSet.has(v[i], v[i+1], v[i+2]) {
					marks++
				}
				i += 3
			case v[i] < utf8.RuneSelf:
				if isDigit(v[i]) {
					digits++
				}
				i++
			default:
				_, size := utf8.DecodeRune(v[i:])
				i += size
			}
		}
		switch {
		case marks >= 3 && n >= 7 || marks >= 2 && digits > 0 && n >= 6:
			return 90
		case marks >= 1 && digits > 0 && n >= 5 || marks >= 2 && n >= 6:
			return 75
		}
		return 0
	}
	if m&HasDigit == 0 || m&maskLetter == 0 || m&HasAt != 0 || len(v) < 10 || m&HasBlank == 0 {
		return 0
	}
	if bytes.Count(v, []byte(" ")) >= 2 || bytes.Count(v, []byte(", ")) >= 1 {
		return 75
	}
	return 0
}
