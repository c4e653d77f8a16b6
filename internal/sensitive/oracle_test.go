package sensitive

import (
	"regexp"
	"slices"
	"testing"

	"xiezhi/internal/taxonomy"
)

// plainScan is Scan with one look at every byte: the plain version that next
// makes fast.
func plainScan(b []byte, text bool) []Hit {
	s := scanner{b: b}
	class := &plainClass
	if text {
		class = &textClass
	}
	for i := 0; i < len(b); {
		c := class[b[i]]
		if c&cToken == 0 {
			switch {
			case c&(cAnchor|cAssign) == 0:
				i++
			case c&cAssign != 0:
				i = s.assignment(i)
			case b[i] == '@':
				i = s.at(i)
			default:
				i = s.stars(i)
			}
			continue
		}
		start, or := i, c
		for i++; i < len(b) && class[b[i]]&cToken != 0; i++ {
			or |= class[b[i]]
		}
		if or&(cDigit|cDash) != 0 && i-start >= 3 || i-start >= 16 {
			i = s.run(start, i, or)
		}
	}
	return s.hits
}

// The second oracle knows nothing of runs: regular expressions and checksums
// written from the standards, for the kinds that a pattern can state.
var oraclePatterns = []struct {
	kind  taxonomy.Sensitive
	re    *regexp.Regexp
	valid func(string) bool
}{
	{taxonomy.SensCNResidentID, regexp.MustCompile(`[1-8]\d{16}[\dXx]`), oracleResident},
	{taxonomy.SensCNMobile, regexp.MustCompile(`1(?:3\d|4[014-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])\d{8}`), nil},
	{taxonomy.SensBankCard, regexp.MustCompile(`62\d{14}(?:\d{3})?|4\d{15}|5[1-5]\d{14}|3[47]\d{13}`), oracleLuhn},
	{taxonomy.SensCNUSCC, regexp.MustCompile(`[1-9ANY][1-9]\d{6}[0-9A-HJ-NPQRTUWXY]{10}`), oracleUSCC},
}

func oracleResident(s string) bool {
	regions := regexp.MustCompile(`^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[123])(\d{4})(19\d\d|20[0-4]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])`)
	m := regions.FindStringSubmatch(s)
	if m == nil || m[2][:2] == "00" && s[0] < '7' {
		return false
	}
	var y, mo, d int
	for _, c := range m[3] {
		y = y*10 + int(c-'0')
	}
	for _, c := range m[4] {
		mo = mo*10 + int(c-'0')
	}
	for _, c := range m[5] {
		d = d*10 + int(c-'0')
	}
	last := 31
	switch {
	case mo == 2 && (y%400 == 0 || y%4 == 0 && y%100 != 0):
		last = 29
	case mo == 2:
		last = 28
	case mo == 4 || mo == 6 || mo == 9 || mo == 11:
		last = 30
	}
	if d > last {
		return false
	}
	// ISO 7064 mod 11-2, computed as the standard's recurrence
	p := 0
	for i := range 17 {
		p = (p + int(s[i]-'0')) * 2 % 11
	}
	c := (12 - p) % 11
	want := byte('0' + c)
	if c == 10 {
		want = 'X'
	}
	return want == s[17] || want == 'X' && s[17] == 'x'
}

func oracleLuhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return sum%10 == 0
}

func oracleUSCC(s string) bool {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	if !regexp.MustCompile(`[A-Z]`).MatchString(s) { // digits only ask for words
		return false
	}
	if !regexp.MustCompile(`^..(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[123])`).MatchString(s) {
		return false
	}
	value := func(c byte) int { return slices.Index([]byte(alphabet), c) }
	sum, w := 0, 1
	for i := range 17 {
		sum += value(s[i]) * w
		w = w * 3 % 31
	}
	if alphabet[(31-sum%31)%31] != s[17] {
		return false
	}
	org := 0
	for i, w := range []int{3, 7, 9, 10, 5, 8, 4, 2} {
		v := int(s[8+i] - '0')
		if s[8+i] >= 'A' {
			v = int(s[8+i]-'A') + 10
		}
		org += v * w
	}
	c := 11 - org%11
	want := byte('0' + c)
	if c == 10 {
		want = 'X'
	} else if c == 11 {
		want = '0'
	}
	return s[16] == want
}

// oracleScan finds values that stand alone between characters that belong to
// no token, number, address or escape.
func oracleScan(b []byte) (hits []Hit) {
	neighbour := regexp.MustCompile(`[A-Za-z0-9_\-.@%\\+*(): ]`)
	for _, p := range oraclePatterns {
		for from := 0; from < len(b); {
			loc := p.re.FindIndex(b[from:])
			if loc == nil {
				break
			}
			start, end := from+loc[0], from+loc[1]
			from = start + 1
			if start > 0 && neighbour.Match(b[start-1:start]) || end < len(b) && neighbour.Match(b[end:end+1]) {
				continue
			}
			if p.valid != nil && !p.valid(string(b[start:end])) {
				continue
			}
			hits = append(hits, Hit{Type: p.kind, Start: start, End: end})
		}
	}
	return hits
}

func checkHits(t *testing.T, b []byte, hits []Hit) {
	t.Helper()
	at := 0
	for _, h := range hits {
		if h.Start < at || h.End <= h.Start || h.End > len(b) {
			t.Fatalf("hit %+v after %d in %d bytes %q", h, at, len(b), b)
		}
		if h.Type == taxonomy.NotSensitive || h.Confidence == 0 || h.Confidence > 100 {
			t.Fatalf("hit %+v without type or confidence", h)
		}
		at = h.End
	}
}

// checkOracles compares Scan with both.
func checkOracles(t *testing.T, b []byte) {
	t.Helper()
	got := Scan(b, nil)
	checkHits(t, b, got)
	if want := plainScan(b, false); !slices.Equal(got, want) {
		t.Fatalf("Scan(%q) = %v, byte by byte %v", b, got, want)
	}
	text := ScanText(b, nil)
	checkHits(t, b, text)
	if want := plainScan(b, true); !slices.Equal(text, want) {
		t.Fatalf("ScanText(%q) = %v, byte by byte %v", b, text, want)
	}
	for _, w := range oracleScan(b) {
		if !slices.ContainsFunc(got, func(h Hit) bool {
			return h.Type == w.Type && h.Start == w.Start && h.End == w.End || h.Start <= w.Start && h.End >= w.End
		}) {
			t.Fatalf("Scan(%q) = %v lacks %v", b, got, w)
		}
	}
}
