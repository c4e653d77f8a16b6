package sensitive

// The checksums and code tables that decide precision. Callers pass slices of
// the right length and alphabet.

// provinces holds the two-digit codes that begin a resident ID and the region
// part of a USCC (GB/T 2260), with the codes of Hong Kong, Macao and Taiwan
// residents.
var provinces = func() (t [100]bool) {
	for _, c := range []int{11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46,
		50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83} {
		t[c] = true
	}
	return t
}()

func isProvince(b []byte) bool { return provinces[pair(b)] }

// pair is the value of two digits.
func pair(b []byte) int { return int(b[0]-'0')*10 + int(b[1]-'0') }

func isDigit(c byte) bool { return c-'0' <= 9 }

func allDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// validDate checks yyyymmdd between 1900 and 2049; a fixed bound, because the
// result must not depend on a clock.
func validDate(b []byte) bool {
	y, m, d := pair(b)*100+pair(b[2:]), pair(b[4:]), pair(b[6:])
	if y < 1900 || y > 2049 || m < 1 || m > 12 || d < 1 {
		return false
	}
	days := [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m]
	if m == 2 && (y%4 == 0 && y%100 != 0 || y%400 == 0) {
		days = 29
	}
	return d <= days
}

var residentWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

// validResident checks an 18-character resident ID (GB 11643): 17 digits,
// region, date of birth, and the check character mod 11-2.
func validResident(b []byte) bool {
	if !isProvince(b) || b[2] == '0' && b[3] == '0' && b[0] < '7' || !validDate(b[6:14]) {
		return false
	}
	return residentCheck(b) == b[17]&^0x20 || residentCheck(b) == b[17]
}

// residentCheck is the check character of 17 digits.
func residentCheck(b []byte) byte {
	sum := 0
	for i, w := range residentWeights {
		sum += int(b[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// luhn checks a string of digits (ISO/IEC 7812).
func luhn(b []byte) bool {
	sum, double := 0, false
	for i := len(b) - 1; i >= 0; i-- {
		d := int(b[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return sum%10 == 0
}

const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// usccValue holds 1 + the value of a character, 0 for characters that a USCC
// does not use (I, O, S, V, Z).
var usccValue = func() (t [256]uint8) {
	for i := range len(usccAlphabet) {
		t[usccAlphabet[i]] = uint8(i + 1)
	}
	return t
}()

var usccWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}

// validUSCC checks an 18-character unified social credit code (GB 32100) in
// upper case: registration authority and kind, region, the organisation code's
// own check character (GB 11714), and the check character mod 31.
func validUSCC(b []byte) bool {
	switch b[0] {
	case '1', '5', '9', 'A', 'N', 'Y', '2', '3', '4', '6', '7', '8':
	default:
		return false
	}
	if !(b[1] >= '1' && b[1] <= '9') || !allDigits(b[2:8]) || !isProvince(b[2:]) {
		return false
	}
	c := usccCheck(b)
	return c != 0 && c == b[17] && organisationCheck(b[8:16]) == b[16]
}

// usccCheck is the check character of the first 17, 0 for a foreign character.
func usccCheck(b []byte) byte {
	sum := 0
	for i, w := range usccWeights {
		v := usccValue[b[i]]
		if v == 0 {
			return 0
		}
		sum += int(v-1) * w
	}
	return usccAlphabet[(31-sum%31)%31]
}

// organisationCheck is the check character of an eight-character organisation
// code, whose letters count from A = 10.
func organisationCheck(b []byte) byte {
	sum := 0
	for i, w := range [8]int{3, 7, 9, 10, 5, 8, 4, 2} {
		v := int(b[i] - '0')
		if b[i] >= 'A' {
			v = int(b[i]-'A') + 10
		}
		sum += v * w
	}
	return "0X987654321"[sum%11]
}
