package product

import "cmp"

// maxNumbers is how many numbers of a version are compared; further ones are
// ignored.
const maxNumbers = 8

// maxVersion is the longest text that is taken for a version.
const maxVersion = 48

// Version is a version number as products write them: numbers between dots or
// dashes, perhaps a letter after the last one (OpenSSL's 1.0.2k), perhaps the
// mark of something before a release (9.0.0.M1, 2.0.0-rc1), perhaps what a
// distribution adds (1.14.2-2+deb10u1), which says that holes may have been
// mended without a new number.
type Version struct {
	numbers [maxNumbers]uint32
	n       uint8
	letter  byte   // of 1.0.2k; 0 none
	stage   uint8  // before a release: what; 0 a release
	step    uint32 // of a stage: rc2
	Vendor  bool
}

// Stages before a release, in their order; 0 is the release, which is later.
const (
	stageDev = iota + 1
	stageAlpha
	stageBeta
	stageMilestone
	stageCandidate
	stageRelease // for comparing
)

// stages are the words of what comes before a release.
var stages = [...]struct {
	word  string
	stage uint8
}{{"snapshot", stageDev}, {"nightly", stageDev}, {"dev", stageDev}, {"pre", stageDev}, {"alpha", stageAlpha}, {"beta", stageBeta},
	{"milestone", stageMilestone}, {"cr", stageCandidate}, {"rc", stageCandidate}, {"a", stageAlpha}, {"b", stageBeta}, {"m", stageMilestone}}

// ParseVersion reads a version; ok is false for what is none. Zeros at the end
// do not count: 1.2 is 1.2.0.
func ParseVersion(s string) (v Version, ok bool) {
	if len(s) > 0 && (s[0] == 'v' || s[0] == 'V') {
		s = s[1:]
	}
	if len(s) == 0 || len(s) > maxVersion || !digit(s[0]) {
		return v, false
	}
	for {
		n, rest := number(s)
		if len(rest) == len(s) || n > 1<<30 {
			return Version{}, false
		}
		if v.n < maxNumbers {
			v.numbers[v.n] = uint32(n)
			v.n++
		}
		s = rest
		if len(s) > 1 && s[0] == '.' && digit(s[1]) {
			s = s[1:]
			continue
		}
		break
	}
	return v, v.suffix(s)
}

// suffix reads what stands behind the numbers.
func (v *Version) suffix(s string) bool {
	if len(s) > 0 && s[0] >= 'a' && s[0] <= 'z' && (len(s) == 1 || !letter(s[1]) && !digit(s[1])) {
		v.letter, s = s[0], s[1:]
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !letter(c) && !digit(c) && c != '.' && c != '-' && c != '+' && c != '~' && c != '_' && c != ':' {
			return false
		}
	}
	if s == "" {
		return true
	}
	word := s
	for len(word) > 0 && !letter(word[0]) && !digit(word[0]) {
		word = word[1:]
	}
	for _, st := range stages {
		if rest, ok := cutFold(word, st.word); ok && (rest == "" || !letter(rest[0])) {
			for len(rest) > 0 && (rest[0] == '.' || rest[0] == '-') {
				rest = rest[1:]
			}
			n, _ := number(rest)
			v.stage, v.step = st.stage, uint32(min(n, 1<<30))
			return true
		}
	}
	for _, w := range [...]string{"final", "ga", "release", "slim", "min", "lts", "oss", "stable", "ce", "ee"} { // say nothing
		if rest, ok := cutFold(word, w); ok && (rest == "" || !letter(rest[0])) {
			return true
		}
	}
	v.Vendor = !build(s, word)
	return true
}

// build reports whether a suffix is a build number or a commit, which its maker
// adds: -04, .v20200723, -f3bb7a4a.
func build(s, word string) bool {
	if word == "" {
		return true
	}
	if len(word) > 1 && word[0]|0x20 == 'v' {
		word = word[1:]
	}
	_, rest := number(word)
	if rest == "" {
		return true
	}
	if s[0] != '-' || len(word) < 7 || len(word) > 10 {
		return false
	}
	for i := range len(word) {
		if c := word[i]; !digit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

// Compare orders versions.
func (v *Version) Compare(o *Version) int {
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], o.numbers[i]); c != 0 {
			return c
		}
	}
	rank := func(s uint8) uint8 {
		if s == 0 {
			return stageRelease
		}
		return s
	}
	return cmp.Or(cmp.Compare(v.letter, o.letter), cmp.Compare(rank(v.stage), rank(o.stage)), cmp.Compare(v.step, o.step))
}

// under reports whether v belongs to a branch: 1.20.4 to 1.20, and to 1.
func (v *Version) under(branch *Version) bool {
	for i := range branch.n {
		if v.numbers[i] != branch.numbers[i] {
			return false
		}
	}
	return true
}

// branch is the version without its last number: 1.20 of 1.20.1.
func (v *Version) branch() Version {
	b := *v
	b.letter, b.stage, b.step = 0, 0, 0
	if v.letter != 0 {
		return b // 1.0.1g belongs to 1.0.1
	}
	if b.n > 1 {
		b.n--
		b.numbers[b.n] = 0
	}
	return b
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// number reads the digits that s begins with.
func number(s string) (n uint64, rest string) {
	i := 0
	for ; i < len(s) && digit(s[i]); i++ {
		n = min(n*10+uint64(s[i]-'0'), 1<<40)
	}
	return n, s[i:]
}

// cutFold cuts a lower-case word off the front, whatever its case.
func cutFold(s, word string) (rest string, ok bool) {
	if len(s) < len(word) {
		return s, false
	}
	for i := range len(word) {
		c := s[i]
		if letter(c) {
			c |= 0x20
		}
		if c != word[i] {
			return s, false
		}
	}
	return s[len(word):], true
}
