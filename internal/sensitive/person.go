package sensitive

import (
	"bytes"
	"unicode/utf8"

	"xiezhi/internal/taxonomy"
)

// name judges a value whose key promises a person's name. 王先生 and 李女士 are
// names already masked.
func (s *scanner) name(start, end int) bool {
	v := s.b[start:end]
	switch {
	case hanName(v):
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

// hasSurname reports whether a Han text of n characters begins like a name.
func (l *lexicon) hasSurname(v []byte, first rune, n int) bool {
	if n >= 3 && n <= 4 && len(v) > 6 && l.surnames2[string(v[:6])] {
		return true
	}
	return n <= 3 && l.surnames[first] || n == 4 && l.surnames[first] && l.surnames[secondRune(v)]
}

func secondRune(v []byte) rune {
	_, n := utf8.DecodeRune(v)
	r, _ := utf8.DecodeRune(v[n:])
	return r
}

func hanName(v []byte) bool {
	if len(v) > 60 {
		return false
	}
	n, point, first, last := hanText(v)
	l := words()
	switch {
	case n < 2 || l.notNames[string(v)]:
		return false
	case point:
		return n <= 15
	case n > 4 || courtesy(v):
		return false
	}
	return l.hasSurname(v, first, n) || !l.notNameEnds[last] && n <= 4
}

// strictName is for fields that may name anything: a common surname, two or
// three characters (four with a double surname), nothing that a place or a
// product ends with.
func strictName(v []byte) bool {
	n, point, first, last := hanText(v)
	l := words()
	return n >= 2 && n <= 4 && !point && !l.notNames[string(v)] && !l.notNameEnds[last] && l.hasSurname(v, first, n) && !courtesy(v)
}

func courtesy(v []byte) bool {
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

// plausibleAddress gives the confidence that a value is somebody's address and
// not just a town: two parts or more, or a house number.
func plausibleAddress(v []byte) uint8 {
	if len(v) > 512 || bytes.Contains(v, []byte("://")) {
		return 0
	}
	if hasHan(v) {
		marks, digits := 0, 0
		for i := 0; i < len(v); {
			_, size := utf8.DecodeRune(v[i:])
			if size == 3 && hanIn(addressMarks, v[i:]) && i > 0 {
				marks++
			}
			if isDigit(v[i]) {
				digits++
			}
			i += size
		}
		switch n := runes(v); {
		case marks >= 3 && n >= 7 || marks >= 2 && digits > 0 && n >= 6:
			return 90
		case marks >= 1 && digits > 0 && n >= 5 || marks >= 2 && n >= 6:
			return 75
		}
		return 0
	}
	or := classOf(v)
	if or&cDigit == 0 || or&cLetter == 0 || len(v) < 10 || bytes.IndexByte(v, '@') >= 0 {
		return 0
	}
	if bytes.Count(v, []byte(" ")) >= 2 || bytes.Count(v, []byte(", ")) >= 1 {
		return 75
	}
	return 0
}
