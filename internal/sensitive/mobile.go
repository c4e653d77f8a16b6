package sensitive

import "xiezhi/internal/taxonomy"

// mobileSegments holds the allocated segments of mainland mobile numbers by
// the second and third digit: 13x and 18x to 19x of the carriers, 14x data and
// IoT cards, 16x and 17x including resellers and satellites.
var mobileSegments = func() (t [100]bool) {
	for _, s := range []int{
		30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
		40, 41, 44, 45, 46, 47, 48, 49,
		50, 51, 52, 53, 55, 56, 57, 58, 59,
		62, 65, 66, 67,
		70, 71, 72, 73, 74, 75, 76, 77, 78,
		80, 81, 82, 83, 84, 85, 86, 87, 88, 89,
		90, 91, 92, 93, 95, 96, 97, 98, 99,
	} {
		t[s] = true
	}
	return t
}()

// isMobile checks 11 digits.
func isMobile(d []byte) bool { return d[0] == '1' && mobileSegments[pair(d[1:])] }

// countryCode gives where a mobile number begins that starts at start, with
// +86, 0086 or 86 and one blank or dash in front of it.
func countryCode(b []byte, start int) int {
	p := start
	if p > 0 && (b[p-1] == ' ' || b[p-1] == '-' || b[p-1] == ')') {
		p--
	}
	if p < 2 || b[p-1] != '6' || b[p-2] != '8' {
		return start
	}
	p -= 2
	switch {
	case p > 0 && b[p-1] == '+':
		p--
	case p > 1 && b[p-1] == '0' && b[p-2] == '0' && !tokenBefore(b, p-2):
		p -= 2
	case tokenBefore(b, p) || p > 0 && b[p-1] == '.':
		return start
	}
	if p > 0 && b[p-1] == '(' && b[start-1] == ')' {
		p--
	}
	return p
}

// mobile adds the 11 digits at [start,end) when they are a mobile number.
func (s *scanner) mobile(digits []byte, start, end int) bool {
	if !isMobile(digits) {
		return false
	}
	confidence := uint8(80)
	if from := countryCode(s.b, start); from < start {
		start, confidence = from, 92
	}
	s.add(taxonomy.SensCNMobile, start, end, confidence)
	return true
}

// isLandline checks the digits of a number with its area code: 010 and 02x
// with eight digits, 03xx to 09xx with seven or eight; no subscriber number
// begins with 0 or 1.
func isLandline(area, subscriber []byte) bool {
	if area[0] != '0' || subscriber[0] < '2' {
		return false
	}
	switch len(area) {
	case 3:
		return len(subscriber) == 8 && (area[1] == '2' || area[1] == '1' && area[2] == '0')
	case 4:
		return (len(subscriber) == 7 || len(subscriber) == 8) && area[1] >= '3'
	}
	return false
}

// bracketed recognises (010)12345678 for the digit run after the bracket.
func (s *scanner) bracketed(start, end int) bool {
	b := s.b
	p := start - 2 // the bracket is at start-1
	for p > 0 && start-2-p < 4 && isDigit(b[p]) {
		p--
	}
	area := b[p+1 : start-1]
	if p < 0 || b[p] != '(' || len(area) < 3 || !isLandline(area, b[start:end]) {
		return false
	}
	s.add(taxonomy.SensPhone, p, end, 75)
	return true
}
