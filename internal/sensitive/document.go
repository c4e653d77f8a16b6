package sensitive

import "xiezhi/internal/taxonomy"

// Travel documents have short forms without a checksum, so free text must name
// them shortly before.

// lookBehind is how many bytes before a value are searched for such words.
const lookBehind = 40

var (
	passportWords = []string{"护照", "passport", "Passport", "PASSPORT"}
	permitWords   = []string{"通行证", "回乡证", "港澳", "permit", "Permit"}
	usccWords     = []string{"信用代码", "税号", "纳税人识别号", "uscc", "USCC", "creditCode", "credit code", "credit_code", "CreditCode"}
)

// promised reports whether one of the words stands shortly before start.
func promised(b []byte, start int, words []string) bool {
	window := b[max(0, start-lookBehind):start]
	for _, w := range words {
		for i := 0; i+len(w) <= len(window); i++ {
			if window[i] == w[0] && string(window[i:i+len(w)]) == w {
				return true
			}
		}
	}
	return false
}

// isPassport judges the forms of Chinese passports: E and G ordinary, also
// with a letter in second place; D, S and P with a letter (diplomatic,
// service, public affairs); K and M of Hong Kong and Macao; 14 and 15.
func isPassport(r []byte) bool {
	switch len(r) {
	case 9:
		switch r[0] {
		case 'E', 'e':
			return (isDigit(r[1]) || plainClass[r[1]]&cUpper != 0 && r[1] != 'I' && r[1] != 'O') && allDigits(r[2:])
		case 'G', 'g', 'D', 'S', 'P', 'H', 'K', 'd', 's', 'p', 'h', 'k':
			return isDigit(r[1]) && allDigits(r[2:]) || (r[1] == 'E' || r[0] == 'K' && r[1] == 'J') && allDigits(r[2:])
		case 'M':
			return (r[1] == 'A' || r[1] == 'B') && allDigits(r[2:])
		case '1':
			return (r[1] == '4' || r[1] == '5') && allDigits(r[2:])
		}
	case 8:
		return (r[0] == 'G' || r[0] == 'P' || r[0] == 'D' || r[0] == 'S') && allDigits(r[1:])
	}
	return false
}

// isForeignPassport judges what other states issue: one or two letters and six
// to eight digits. Only a key makes it a passport.
func isForeignPassport(r []byte) bool {
	k := 0
	for k < len(r) && k < 2 && plainClass[r[k]]&cLetter != 0 {
		k++
	}
	return k > 0 && len(r)-k >= 6 && len(r)-k <= 8 && allDigits(r[k:])
}

// isPermit judges the permits between the mainland and Hong Kong, Macao and
// Taiwan: H and M with 8 or 10 digits, C and W with 8, or with a letter and 7.
func isPermit(r []byte) bool {
	switch r[0] &^ 0x20 {
	case 'H', 'M':
		return (len(r) == 9 || len(r) == 11) && allDigits(r[1:])
	case 'C', 'W':
		return len(r) == 9 && (isDigit(r[1]) || plainClass[r[1]]&cLetter != 0) && allDigits(r[2:])
	}
	return false
}

// document judges a run of 8 to 11 letters and digits as a travel document
// that the text names.
func (s *scanner) document(start, end int) bool {
	r := s.b[start:end]
	if !isDigit(r[len(r)-1]) || isDigit(r[0]) {
		return false
	}
	switch {
	case isPermit(r) && promised(s.b, start, permitWords):
		s.add(taxonomy.SensHKMacauPermit, start, end, 85)
	case isPassport(r) && promised(s.b, start, passportWords):
		s.add(taxonomy.SensPassport, start, end, 85)
	default:
		return false
	}
	return true
}
