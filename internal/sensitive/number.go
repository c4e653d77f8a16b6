package sensitive

import "xiezhi/internal/taxonomy"

// number judges a maximal run of digits.
func (s *scanner) number(start, end int) int {
	b := s.b
	n := end - start
	if end+1 < len(b) && b[end] == ' ' && n <= 6 && (isDigit(b[end+1]) || b[end+1] == ' ') {
		return s.grouped(start, end)
	}
	if n < 11 {
		switch {
		case n <= 6:
			if n >= 4 && start > 0 {
				s.plate(start, end)
			}
		case n <= 8 && start > 4 && b[start-1] == ')':
			s.bracketed(start, end)
		case n >= 8 && end < len(b) && b[end] == ':':
			return s.telegram(start, end)
		}
		return end
	}
	if decimal(b, start, end) || end < len(b) && b[end] == '@' && emailAround(b, end).ok {
		return end
	}
	d := b[start:end]
	switch n {
	case 11:
		s.mobile(d, start, end)
	case 13:
		if d[0] == '8' && d[1] == '6' && isMobile(d[2:]) {
			from := start
			if start > 0 && b[start-1] == '+' {
				from--
			}
			s.add(taxonomy.SensCNMobile, from, end, 90)
		}
	case 15:
		if string(d[:4]) == "0086" && isMobile(d[4:]) {
			s.add(taxonomy.SensCNMobile, start, end, 90)
		} else {
			s.card(d, start, end)
		}
	case 18:
		switch {
		case validResident(d):
			s.add(taxonomy.SensCNResidentID, start, end, 95)
		case validUSCC(d) && promised(b, start, usccWords):
			// 18 digits are also the form of generated ids: ask for the words.
			s.add(taxonomy.SensCNUSCC, start, end, 92)
		}
	case 16, 19:
		s.card(d, start, end)
	}
	return end
}

func (s *scanner) card(d []byte, start, end int) bool {
	if cardRange(d) != cardBare || !luhn(d) {
		return false
	}
	s.add(taxonomy.SensBankCard, start, end, 75)
	return true
}

// decimal reports whether the run is part of a decimal or dotted number.
func decimal(b []byte, start, end int) bool {
	return start > 1 && b[start-1] == '.' && isDigit(b[start-2]) ||
		end+1 < len(b) && b[end] == '.' && isDigit(b[end+1])
}

// A pattern is the sizes of digit groups.
type pattern struct {
	sizes string // one digit per group, b is eleven
	kind  taxonomy.Sensitive
}

// patterns holds the ways people group numbers, longest first.
var patterns = []pattern{
	{"44442", taxonomy.SensCNResidentID},
	{"44443", taxonomy.SensBankCard},
	{"684", taxonomy.SensCNResidentID},
	{"3384", taxonomy.SensCNResidentID},
	{"6444", taxonomy.SensCNResidentID},
	{"4444", taxonomy.SensBankCard},
	{"465", taxonomy.SensBankCard},
	{"2344", taxonomy.SensCNMobile},
	{"344", taxonomy.SensCNMobile},
	{"2b", taxonomy.SensCNMobile}, // 86-13812345678
	{"38", taxonomy.SensPhone},
	{"48", taxonomy.SensPhone},
	{"47", taxonomy.SensPhone},
}

const maxGroups, maxGrouped = 6, 19

// grouped judges digits in groups: separated by one or two blanks, where
// [start,end) is the first group, or by dashes, where [start,end) is all.
func (s *scanner) grouped(start, end int) int {
	b := s.b
	var digits [maxGrouped]byte
	var sizes [maxGroups]byte
	var ends [maxGroups]int
	var lens [maxGroups]int
	n, count := 0, 0
	sep := byte(' ')
	if end-start > 0 && !allDigits(b[start:end]) {
		sep = '-'
	}
	p := start
	for count < maxGroups {
		q := p
		for q < len(b) && isDigit(b[q]) && n+q-p < maxGrouped {
			digits[n+q-p] = b[q]
			q++
		}
		size := q - p
		if n+size == 17 && q < len(b) && b[q]&^0x20 == 'X' && size < 9 {
			digits[n+size] = 'X'
			q++
			size++
		}
		if size == 0 || size > 11 || tokenAt(b, q) && (b[q] != '-' || sep == ' ') {
			break
		}
		n += size
		sizes[count], ends[count], lens[count] = "0123456789ab"[size], q, n
		count++
		p = q
		if p+1 >= len(b) || b[p] != sep {
			break
		}
		p++
		if sep == ' ' && b[p] == ' ' {
			p++
		}
	}
	if count < 2 || decimal(b, start, ends[count-1]) {
		return end
	}
	for _, pt := range patterns {
		k := len(pt.sizes)
		if k > count || string(sizes[:k]) != pt.sizes {
			continue
		}
		if sep == '-' && ends[k-1] != end || k < count && lens[k-1] < 15 && sizes[k] >= '3' {
			continue // goes on: not a number of this form
		}
		if s.group(pt.kind, digits[:lens[k-1]], start, ends[k-1], int(sizes[0]-'0')) {
			return ends[k-1]
		}
	}
	return end
}

func (s *scanner) group(kind taxonomy.Sensitive, d []byte, start, end, first int) bool {
	switch kind {
	case taxonomy.SensCNResidentID:
		if len(d) == 18 && allDigits(d[:17]) && validResident(d) {
			s.add(kind, start, end, 90)
			return true
		}
	case taxonomy.SensBankCard:
		if allDigits(d) {
			return s.card(d, start, end)
		}
	case taxonomy.SensCNMobile:
		if len(d) == 13 && string(d[:2]) == "86" {
			if start > 0 && s.b[start-1] == '+' {
				start--
			}
			d = d[2:]
		}
		return len(d) == 11 && s.mobile(d, start, end)
	case taxonomy.SensPhone:
		if isLandline(d[:first], d[first:]) {
			s.add(kind, start, end, 70)
			return true
		}
	}
	return false
}
