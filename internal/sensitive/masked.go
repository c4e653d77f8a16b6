package sensitive

import (
	"unicode/utf8"

	"xiezhi/internal/taxonomy"
)

// Masked reports whether b looks like a value of which a part is hidden:
// 138****1234, 张*, ****, 3301***********12, •••• 1234, 138xxxx1234.
func Masked(b []byte) bool {
	b = trimSpace(b)
	if len(b) == 0 || len(b) > 512 {
		return false
	}
	marks, longest, run, runes, other := 0, 0, 0, 0, 0
	for i := 0; i < len(b); {
		n := markAt(b, i)
		if n == 0 {
			size := 1
			switch {
			case b[i] <= ' ':
				other++
			case b[i] < utf8.RuneSelf:
			case ideograph(b, i):
				size = 3
			default:
				_, size = utf8.DecodeRune(b[i:])
			}
			i += size
			run = 0
		} else {
			i += n
			marks++
			run++
			longest = max(longest, run)
		}
		runes++
	}
	switch {
	case marks == 0:
		return xMasked(b)
	case other > 3: // prose with a footnote or Markdown
		return false
	case marks == runes:
		return marks >= 2
	case longest >= 2:
		return true
	}
	// one star: a name of two or three Han characters
	return runes <= 4 && markAt(b, 0)+markAt(b, len(b)-lastMark(b)) > 0 && hasHan(b) || runes == 3 && hasHan(b)
}

// markAt gives the length of a masking character at i, 0 for any other.
func markAt(b []byte, i int) int {
	switch {
	case i >= len(b):
		return 0
	case b[i] == '*':
		return 1
	case b[i] == 0xE2 && i+2 < len(b) && (b[i+1] == 0x80 && b[i+2] == 0xA2 || b[i+1] == 0x97 && b[i+2] == 0x8F): // • ●
		return 3
	case b[i] == 0xEF && i+2 < len(b) && b[i+1] == 0xBC && b[i+2] == 0x8A: // ＊
		return 3
	}
	return 0
}

func lastMark(b []byte) int {
	if b[len(b)-1] == '*' {
		return 1
	}
	return min(3, len(b))
}

// xMasked reports digits with three or more x in the middle: 138xxxx1234.
func xMasked(b []byte) bool {
	x, before, after := 0, 0, 0
	for _, c := range b {
		switch {
		case c|0x20 == 'x' && after == 0:
			x++
		case isDigit(c) && x == 0:
			before++
		case isDigit(c):
			after++
		default:
			return false
		}
	}
	return x >= 3 && before >= 2 && after >= 2
}

func hasHan(b []byte) bool {
	for i := 0; i+2 < len(b); i++ {
		if b[i] >= 0xE4 && b[i] <= 0xE9 {
			return true
		}
	}
	return false
}

// stars judges the run of stars at i in free text: digits on both sides in the
// proportions of a phone, an ID or a card.
func (s *scanner) stars(i int) int {
	b := s.b
	e := i
	for e < len(b) && b[e] == '*' {
		e++
	}
	from, to := i, e
	for from > 0 && isDigit(b[from-1]) && i-from < 11 {
		from--
	}
	for to < len(b) && isDigit(b[to]) && to-e < 9 {
		to++
	}
	lead, hidden, trail := i-from, e-i, to-e
	if to < len(b) && b[to]&^0x20 == 'X' && lead+hidden+trail == 17 {
		to++
		trail++
	}
	if hidden < 3 || lead < 3 || tokenBefore(b, from) || tokenAt(b, to) {
		return e
	}
	head := b[from:i]
	var kind taxonomy.Sensitive
	switch total := lead + hidden + trail; {
	case total == 11 && head[0] == '1' && head[1] >= '3' && lead <= 4:
		kind = taxonomy.SensCNMobile
	case trail == 4 && lead >= 4 && (total == 16 || total == 19) || trail == 4 && lead == 6 && hidden >= 6 && total != 18:
		kind = taxonomy.SensBankCard
	case total >= 15 && total <= 18 && hidden >= 4 && isProvince(head) && trail <= 4:
		kind = taxonomy.SensCNResidentID
	default:
		return e
	}
	s.put(Hit{Type: kind, Start: from, End: to, Confidence: 80, Masked: true})
	return to
}
