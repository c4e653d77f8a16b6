package protobuf

import (
	"math"
	"strconv"
	"unicode/utf8"

	"xiezhi/internal/observe/jsonleaf"
)

// What a field is cannot be read from its bytes, only guessed. The guesses are
// made so that a wrong one does little harm: text stays text whenever it can
// be read, since attacks and personal data stand in text, and bytes that
// nothing explains are told to be there and no more.

type guess uint8

const (
	guessText guess = iota
	guessMessage
	guessPacked
	guessBytes
)

// guessSample is how many occurrences of a field are looked at; they are all
// of one type.
const guessSample = 8

// guessField guesses what the occurrences of a field are.
func (r *Reader) guessField(b []byte, i, depth int) guess {
	if w := r.fields[i].wire; w != wireLen && w != wireGroup {
		return guessText // a number
	}
	all, found := guessText, false
	at := int32(i)
	for range guessSample {
		e := r.fields[at]
		if e.from < e.to {
			g := r.guess(b[e.from:e.to], &e, depth)
			if found && g != all {
				// text that looks like a message now and then, or the like
				if g == guessText || all == guessText {
					return guessText
				}
				return guessBytes
			}
			all, found = g, true
		}
		if at = e.next; at <= 0 {
			break
		}
	}
	return all
}

// guess guesses what one length-delimited value is.
func (r *Reader) guess(v []byte, e *entry, depth int) guess {
	if len(v) == 0 {
		return guessText
	}
	if e.wire == wireGroup {
		if depth >= maxDepth {
			return guessBytes
		}
		return guessMessage
	}
	text := printable(v)
	if text && !opensLikeMessage(v) {
		return guessText
	}
	if depth < maxDepth && r.looksLikeMessage(v, e.cut, text) {
		return guessMessage
	}
	switch {
	case text, mostlyText(v):
		return guessText
	case packed(v):
		return guessPacked
	case utf8.Valid(v):
		return guessText // padded with zeros, or the like
	}
	return guessBytes
}

// opensLikeMessage reports whether a text begins with the tag of a first
// string that is no letter or digit: field 1, 4, 5 or 7. Letters are tags too,
// but there the text is likelier.
func opensLikeMessage(v []byte) bool {
	switch v[0] {
	case '\n', '"', '*', ':':
		return true
	}
	return false
}

// looksLikeMessage reports whether v is made of fields from its first to its
// last byte; if it is also a text, of nothing but strings.
func (r *Reader) looksLikeMessage(v []byte, cut, text bool) bool {
	from := len(r.fields)
	to, _ := r.index(v, from, cut)
	ok := to > from
	for _, e := range r.fields[from:to] {
		// numbers beyond this are rare enough to be chance
		if e.num > 1<<16 || e.num >= 19000 && e.num < 20000 || text && e.wire != wireLen {
			ok = false
			break
		}
	}
	r.fields = r.fields[:from]
	return ok
}

// printable reports whether v is UTF-8 without control characters.
func printable(v []byte) bool {
	for _, c := range v {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(v)
}

// mostlyText reports whether v is UTF-8 with few control characters, such as
// an attack that ends a string early.
func mostlyText(v []byte) bool {
	odd := 0
	for _, c := range v {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			odd++
		}
	}
	return len(v) >= 4 && odd*4 <= len(v) && utf8.Valid(v)
}

// packed reports whether v is several numbers of one size, one behind the
// other: identifiers of one kind mostly are. Zeros are padding.
func packed(v []byte) bool {
	size, n, zeros := 0, 0, 0
	for len(v) > 0 {
		x, k := varint(v)
		if k <= 0 || k > 1 && x < 1<<(7*uint(k-1)) || size != 0 && k != size || k > 9 {
			return false
		}
		if x == 0 {
			zeros++
		}
		size = k
		n++
		v = v[k:]
	}
	return n > 1 && 2*zeros <= n
}

// varint reports a number; a huge one is a negative one.
func (r *Reader) varint(v uint64) {
	r.integer(int64(v))
}

// fixed64 reports eight bytes: a double if they make a reasonable one.
func (r *Reader) fixed64(v uint64) {
	if f := math.Float64frombits(v); f != 0 && math.Abs(f) >= 1e-9 && math.Abs(f) < 1e15 {
		r.float(f, 64)
		return
	}
	r.integer(int64(v))
}

// fixed32 likewise.
func (r *Reader) fixed32(v uint32) {
	if f := math.Float32frombits(v); f != 0 && math.Abs(float64(f)) >= 1e-6 && math.Abs(float64(f)) < 1e9 {
		r.float(float64(f), 32)
		return
	}
	r.num = strconv.AppendUint(r.num[:0], uint64(v), 10)
	r.leaf(jsonleaf.Int, r.num)
}
