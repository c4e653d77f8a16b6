package redact

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// MaxShape is the longest shape in bytes.
const MaxShape = 32

// Shape appends what may be shown of a value: at most two leading and two
// trailing characters, the middle as stars, or as a length when it is long:
// "ca****05", "13*******12", "ey*(212)*9a". Up to 4 characters are all stars,
// 5 to 7 show one at each end at most. Numbers of 15 digits and more keep
// their end to themselves: the check digit would let a resident ID be
// enumerated. Characters that do not print are stars.
func Shape(dst []byte, b []byte) []byte {
	if k := len(b); k == 0 || b[0] <= ' ' || b[0] >= utf8.RuneSelf && !ideograph(b, 0) || b[k-1] <= ' ' || b[k-1] >= utf8.RuneSelf && (k < 3 || !ideograph(b, k-3)) {
		b = bytes.TrimSpace(b) // slow for what is no ASCII
	}
	n := runes(b)
	lead, trail := 2, 2
	switch {
	case n <= 4:
		lead, trail = 0, 0
	case n == 5:
		lead, trail = 1, 0
	case n <= 7:
		lead, trail = 1, 1
	case longNumber(b):
		trail = 0
	}
	start := len(dst)
	head, tail := 0, len(b)
	for range lead {
		r, size := utf8.DecodeRune(b[head:])
		head += size
		dst = appendShown(dst, r, size)
	}
	for range trail {
		_, size := utf8.DecodeLastRune(b[:tail])
		tail -= size
	}
	hidden := n - lead - trail
	if room := MaxShape - (len(dst) - start) - 4*trail; hidden <= room {
		for range hidden {
			dst = append(dst, '*')
		}
	} else {
		dst = append(dst, "*("...)
		dst = strconv.AppendInt(dst, int64(hidden), 10)
		dst = append(dst, ")*"...)
	}
	for tail < len(b) {
		r, size := utf8.DecodeRune(b[tail:])
		tail += size
		dst = appendShown(dst, r, size)
	}
	return dst
}

// appendShown lets through what prints and stands on its own.
func appendShown(dst []byte, r rune, size int) []byte {
	if r >= 0x4E00 && r < 0x9FF0 { // ideographs print
		return utf8.AppendRune(dst, r)
	}
	if r == utf8.RuneError && size <= 1 || r == ' ' || !unicode.IsPrint(r) || unicode.Is(unicode.M, r) {
		return append(dst, '*')
	}
	return utf8.AppendRune(dst, r)
}

// longNumber reports whether b is 15 or more digits with nothing but blanks,
// dashes and a final X between.
func longNumber(b []byte) bool {
	digits := 0
	for i, c := range b {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == ' ' || c == '-':
		case (c == 'X' || c == 'x') && i == len(b)-1:
		default:
			return false
		}
	}
	return digits >= 15
}

// runes counts characters; utf8.RuneCount copies the text first.
func runes(b []byte) (n int) {
	for i := 0; i < len(b); n++ {
		switch {
		case b[i] < utf8.RuneSelf:
			i++
		case ideograph(b, i):
			i += 3
		default:
			_, size := utf8.DecodeRune(b[i:])
			i += size
		}
	}
	return n
}

// ideograph reports whether a character of U+4000 to U+9FFF begins at i.
func ideograph(b []byte, i int) bool {
	return i+2 < len(b) && b[i]-0xE4 < 6 && b[i+1]&0xC0 == 0x80 && b[i+2]&0xC0 == 0x80
}
