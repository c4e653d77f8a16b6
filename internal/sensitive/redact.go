package sensitive

import (
	"unicode"
	"unicode/utf8"

	"xiezhi/internal/redact"
)

const (
	redactDigits = 7  // shortest run of digits that Redact hides
	redactRandom = 20 // shortest random-looking token that Redact hides
)

// Redact appends free text in which every recognised value stands as its
// shape, and so does every number of seven or more digits and every random
// token of twenty or more bytes. Control and direction characters become
// blanks; line breaks and tabs stay.
func Redact(dst []byte, b []byte) []byte {
	var buf [32]Hit
	p := 0
	for _, h := range ScanText(b, buf[:0]) {
		dst = redact.Shape(redactRest(dst, b[p:h.Start]), b[h.Start:h.End])
		p = h.End
	}
	return redactRest(dst, b[p:])
}

// redactRest hides long numbers and random tokens of text without hits.
func redactRest(dst, b []byte) []byte {
	p := 0
	for i := 0; i < len(b); {
		if !isToken(b[i]) {
			i++
			continue
		}
		start, or := i, uint8(0)
		for i < len(b) && (isToken(b[i]) || (b[i] == '+' || b[i] == '/' || b[i] == '=') && i-start >= 12 && or&alnum == alnum) {
			or |= plainClass[b[i]] & alnum // + / = go on with a token that is long and mixed already: paths stay readable
			i++
		}
		if r := b[start:i]; randomLooking(r) {
			dst = redact.Shape(appendVisible(dst, b[p:start]), r)
			p = i
			continue
		}
		for q := start; q < i; {
			if !isDigit(b[q]) {
				q++
				continue
			}
			d := q
			for q < i && isDigit(b[q]) {
				q++
			}
			if q-d >= redactDigits {
				dst = redact.Shape(appendVisible(dst, b[p:d]), b[d:q])
				p = q
			}
		}
	}
	return appendVisible(dst, b[p:])
}

// randomLooking tells a token from words joined by dashes: long, and letters
// mixed with digits inside one part.
func randomLooking(r []byte) bool {
	if len(r) < redactRandom {
		return false
	}
	or := classOf(r)
	if or&cDigit == 0 {
		return or&cUpper != 0 && or&cLower != 0 && or&(cDash|cUnder) == 0 && caseChanges(r) > len(r)/4
	}
	changes, digits := 0, 0
	for i := 1; i < len(r); i++ {
		a, c := isDigit(r[i-1]), isDigit(r[i])
		if a != c && plainClass[r[i]]&alnum != 0 && plainClass[r[i-1]]&alnum != 0 {
			changes++
		}
		if c {
			digits++
		}
	}
	return changes >= 3 || digits >= len(r)/3
}

func caseChanges(r []byte) (n int) {
	for i := 1; i < len(r); i++ {
		if (r[i-1] >= 'a') != (r[i] >= 'a') {
			n++
		}
	}
	return n
}

// appendVisible copies text without control and direction characters.
func appendVisible(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\t' || c == 0x7F {
				c = ' '
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			dst = append(dst, '?')
		case !unicode.IsPrint(r):
			dst = append(dst, ' ')
		default:
			dst = append(dst, b[i:i+n]...)
		}
		i += n
	}
	return dst
}
