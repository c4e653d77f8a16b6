package sensitive

import "xiezhi/internal/taxonomy"

const plateProvinces = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

// plateSuffixes follow four characters: learner, police, Hong Kong, Macao,
// consulate, trailer, overlength.
const plateSuffixes = "学警港澳领挂超"

// hanIn reports whether the three-byte character c stands in list.
func hanIn(list string, c []byte) bool {
	for i := 0; i+3 <= len(list); i += 3 {
		if list[i] == c[0] && list[i+1] == c[1] && list[i+2] == c[2] {
			return true
		}
	}
	return false
}

// plate judges a run [start,end) as all but the province of a plate, or as the
// serial behind a dot.
func (s *scanner) plate(start, end int) bool {
	from, to := plateSpan(s.b, start, end)
	if to == 0 {
		return false
	}
	s.add(taxonomy.SensPlateNumber, from, to, 85)
	return true
}

// plateSpan reads the plate of a run of up to eight upper-case letters, digits
// and a dash: 京A12345, 京A-12345, or only the serial of 京A·12345.
func plateSpan(b []byte, start, end int) (from, to int) {
	city := start
	if r := b[start:end]; start > 2 && b[start-1] >= 0x80 && r[0] >= 'A' && hanIn(plateProvinces, b[start-3:start]) {
		start++
		if len(r) > 2 && r[1] == '-' {
			start++
		}
	} else if p := plateDot(b, start); p >= 4 && b[p-1] >= 'A' && b[p-1] <= 'Z' && hanIn(plateProvinces, b[p-4:p-1]) {
		city = p - 1
	} else {
		return 0, 0
	}
	if b[city] < 'A' || b[city] == 'I' || end <= start {
		return 0, 0
	}
	serial := b[start:end]
	suffix := end+3 <= len(b) && hanIn(plateSuffixes, b[end:end+3])
	switch {
	case len(serial) == 4 && suffix && serialOK(serial, 2):
		end += 3
	case len(serial) == 5 && serialOK(serial, 3):
	case len(serial) == 6 && newEnergy(serial):
	default:
		return 0, 0
	}
	return city - 3, end
}

// plateDot steps back over a separator between city and serial.
func plateDot(b []byte, i int) int {
	switch {
	case i >= 2 && b[i-2] == 0xC2 && b[i-1] == 0xB7: // ·
		return i - 2
	case i >= 3 && b[i-3] == 0xE2 && b[i-2] == 0x80 && (b[i-1] == 0xA2 || b[i-1] == 0xA7): // • ‧
		return i - 3
	case i >= 1 && (b[i-1] == ' ' || b[i-1] == '.'):
		return i - 1
	}
	return 0
}

// serialOK wants letters and digits without I and O, and enough digits.
func serialOK(r []byte, digits int) bool {
	for _, c := range r {
		switch {
		case isDigit(c):
			digits--
		case c < 'A' || c > 'Z' || c == 'I' || c == 'O':
			return false
		}
	}
	return digits <= 0
}

// newEnergy wants a small car's letter, character and four digits, or a large
// one's five digits and letter (GA 36).
func newEnergy(r []byte) bool {
	energy := func(c byte) bool { return c >= 'A' && c <= 'K' && c != 'I' }
	if energy(r[0]) {
		return serialOK(r[1:2], 0) && allDigits(r[2:])
	}
	return energy(r[5]) && allDigits(r[:5])
}

// isPlate judges a whole canonical plate, the special ones included: embassy
// 使123456, armed police WJ京12345.
func isPlate(b []byte) bool {
	if len(b) == 9 && string(b[:3]) == "使" && allDigits(b[3:]) {
		return true
	}
	if len(b) >= 9 && len(b) <= 11 && b[0] == 'W' && b[1] == 'J' {
		return hanIn(plateProvinces, b[2:5]) && serialOK(b[5:], 4)
	}
	if len(b) < 8 || !hanIn(plateProvinces, b) {
		return false
	}
	end := 4
	for end < len(b) && b[end] < 0x80 {
		end++
	}
	from, to := plateSpan(b, 3, end)
	return from == 0 && to == len(b)
}
