package sensitive

import (
	"encoding/binary"
	"math/bits"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// next finds what deserves a look from i on: a run of token bytes that has a
// digit or dash among three bytes or more, or sixteen bytes or more, as
// [start,end) with its classes; or an anchor, as start == end. At the end of
// the text start is len(b). A run never reaches back before i.
//
// Most text holds neither digits nor anchors, so eight bytes are asked at once
// and a run is completed backwards from the byte that answers. Words of eight
// letters answer too: sixteen letters cannot hide between such questions.
func next(b []byte, i int, class *classTable) (start, end int, or uint8) {
	floor := i
	text := class == &textClass
	top := uint64(0x80-'9'-1) * ones
	if text {
		top = (0x80 - '=' - 1) * ones
	}
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			m := marks(w, top)
			if text {
				m |= wide(w)
			}
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			if letters(w) {
				break
			}
			i += 8
		}
		if i >= len(b) {
			i = len(b)
		}
		for i > floor && class[b[i-1]]&cToken != 0 { // complete the run
			i--
		}
		for { // byte by byte up to the end of the next run
			if i >= len(b) {
				return len(b), len(b), 0
			}
			c := class[b[i]]
			if c&cToken == 0 {
				if c&(cAnchor|cAssign) != 0 {
					return i, i, 0
				}
				i++
				if i+8 <= len(b) {
					break
				}
				continue
			}
			start, or = i, c
			for i++; i < len(b); i++ {
				c = class[b[i]]
				if c&cToken == 0 {
					break
				}
				or |= c
			}
			if or&(cDigit|cDash) != 0 && i-start >= 3 || i-start >= 16 {
				return start, i, or
			}
			if i+8 <= len(b) {
				break
			}
		}
		floor = i
	}
}

// marks sets the high bit of the bytes at which next has to look: - to top
// (9, or = for text), @ and *. Borrows may set bits above a true one; they are
// looked at for nothing.
func marks(w, top uint64) uint64 {
	low := w &^ highs
	at := w ^ '@'*ones
	star := w ^ '*'*ones
	return ((low+(0x80-'-')*ones)&^(low+top)&^w | (at-ones)&^at | (star-ones)&^star) & highs
}

// wide sets the high bit of the lead byte of ：.
func wide(w uint64) uint64 {
	x := w ^ 0xEF*ones
	return (x - ones) &^ x & highs
}

// letters reports eight letters or underscores (and a few signs).
func letters(w uint64) bool {
	return ((w&^highs)+(0x80-'A')*ones)&^w&highs == highs
}
