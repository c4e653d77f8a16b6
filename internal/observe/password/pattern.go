package password

// Pattern is the habit after which a password was made: enough to tell a site
// which passwords its users choose, too little to restore one.
type Pattern uint8

const (
	PatternNone     Pattern = iota // not assessable
	PatternRepeat                  // one character, or one group of up to four, over and over: 888888, 123123
	PatternSequence                // counting or the alphabet: 123456, abcdef, 87654321
	PatternDate                    // a date in digits: 19900101, 900101
	PatternDigits                  // digits only, of another kind
	PatternKeyboard                // a walk on the keyboard: qwerty, 1qaz2wsx
	PatternLetters                 // letters only
	PatternWord                    // letters with digits before or behind: a123456, zhang1990
	PatternMixed                   // anything else
	patterns
)

var patternNames = [patterns]string{"", "repeat", "sequence", "date", "digits", "keyboard", "letters", "word", "mixed"}

func (p Pattern) String() string {
	if p >= patterns {
		return ""
	}
	return patternNames[p]
}

func (a *Assessor) pattern(pw, low []byte, bits uint8) Pattern {
	switch {
	case len(pw) == 0:
		return PatternNone
	case repeats(low):
		return PatternRepeat
	case sequence(low):
		return PatternSequence
	case bits == ClassDigit && dateDigits(low):
		return PatternDate
	case bits == ClassDigit:
		return PatternDigits
	case a.keyboards.walked(low):
		return PatternKeyboard
	case bits&^(ClassLower|ClassUpper) == 0:
		return PatternLetters
	case bits&ClassOther == 0 && oneChange(low):
		return PatternWord
	}
	return PatternMixed
}

// repeats reports whether the password is a group of up to four characters,
// twice or more often.
func repeats(pw []byte) bool {
	for n := 1; n <= 4 && 2*n <= len(pw); n++ {
		same := len(pw)%n == 0
		for i := n; i < len(pw) && same; i++ {
			same = pw[i] == pw[i-n]
		}
		if same && (n == 1 && len(pw) >= 3 || len(pw) >= 4) {
			return true
		}
	}
	return false
}

// sequence reports whether every character follows the one before, up or down;
// a 0 follows a 9.
func sequence(pw []byte) bool {
	if len(pw) < 3 {
		return false
	}
	up, down := true, true
	for i := 1; i < len(pw); i++ {
		before, c := pw[i-1], pw[i]
		if !alnum(before) || !alnum(c) {
			return false
		}
		up = up && (c == before+1 || before == '9' && c == '0')
		down = down && (c+1 == before || before == '0' && c == '9')
	}
	return up || down
}

func alnum(c byte) bool { return c-'0' <= 9 || c-'a' < 26 }

// dateDigits reports whether digits are a date: yyyymmdd, ddmmyyyy, yymmdd.
func dateDigits(pw []byte) bool {
	two := func(i int) int { return int(pw[i]-'0')*10 + int(pw[i+1]-'0') }
	date := func(century, month, day int) bool {
		return (century == 19 || century == 20) && month >= 1 && month <= 12 && day >= 1 && day <= 31
	}
	switch len(pw) {
	case 8:
		return date(two(0), two(4), two(6)) || date(two(4), two(2), two(0)) || date(two(4), two(0), two(2))
	case 6:
		return date(19, two(2), two(4))
	}
	return false
}

// oneChange reports whether letters and digits stand in two groups.
func oneChange(pw []byte) bool {
	changes := 0
	for i := 1; i < len(pw); i++ {
		if (pw[i]-'0' <= 9) != (pw[i-1]-'0' <= 9) {
			changes++
		}
	}
	return changes == 1
}

// walked reports whether the whole password is one or two walks of three keys
// and more on a keyboard.
func (k keyboards) walked(pw []byte) bool {
	for n := range k {
		board, walks := &k[n], 0
		if board.name == "dvorak" {
			continue
		}
		for i := 0; i < len(pw); {
			j := i + 1
			for j < len(pw) && pw[j-1] < 128 && pw[j] < 128 && board.step[pw[j-1]][pw[j]] != 0 {
				j++
			}
			if j-i < 3 {
				walks = 0
				break
			}
			walks++
			i = j
		}
		if walks > 0 && walks <= 3 {
			return true
		}
	}
	return false
}
