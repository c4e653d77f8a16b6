package password

import (
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go/match"
	"github.com/ccojocar/zxcvbn-go/matching"
	"github.com/ccojocar/zxcvbn-go/scoring"
)

// zxcvbn looks up every substring in five dictionaries and repeats that for
// every leet reading, whose number is a product over the symbols used. Both
// are bounded here.
const (
	maxScored   = 32 // bytes; a random tail beyond them adds nothing to score 4
	maxReadings = 4
	maxLeetSize = 20
)

// score is zxcvbn's score of the beginning of the password.
func (a *Assessor) score(pw []byte) uint8 {
	var buf [maxScored]byte
	text := string(ascii(buf[:0], pw))
	filters := []func(match.Matcher) bool{matching.FilterSpatialMatcher}
	if len(text) > maxLeetSize || leetReadings(text) > maxReadings {
		filters = append(filters, matching.FilterL33tMatcher)
	}
	matches := append(matching.Omnimatch(text, nil, filters...), a.keyboards.matches(text)...)
	return uint8(scoring.MinimumEntropyMatchSequence(text, matches).Score)
}

// ascii maps every other character to one symbol by its code: zxcvbn counts
// bytes in one place and characters in another.
func ascii(dst, pw []byte) []byte {
	for i := 0; i < len(pw) && len(dst) < maxScored; {
		if c := pw[i]; c < utf8.RuneSelf {
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(pw[i:])
		dst = append(dst, "~^&*_=;?"[r&7])
		i += n
	}
	return dst
}

// leetReadings bounds the number of readings that zxcvbn tries: for each
// letter the number of its symbols that occur, times two for each symbol that
// stands for two letters.
func leetReadings(pw string) int {
	var seen [128]bool
	for _, c := range []byte(pw) {
		seen[c&0x7f] = true
	}
	n := 1
	for _, symbols := range [...]string{"4@", "8", "({[<", "3", "69", "1!|", "1|7", "0", "$5", "+7", "%", "2"} {
		k := 0
		for _, c := range []byte(symbols) {
			if seen[c] {
				k++
			}
		}
		n *= max(1, k)
	}
	for _, c := range []byte("1|7") {
		if seen[c] {
			n *= 2
		}
	}
	return n
}
