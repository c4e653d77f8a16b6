package observe

import (
	"math/bits"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/jsonleaf"
)

// The hashes of this file are not keyed: they name client software, hold no
// values, and two sites that compare notes must get the same number.

const (
	shapeSeed = 0x786965_7a68692d70 // "xiezhi-p"
	orderSeed = 0x786965_7a68692d6f // "xiezhi-o"
)

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// shapeHash builds the parameter-structure hash: names in their order, types,
// coarse lengths and alphabets, the writer's habits, the content type's exact
// text. Values rotate, programs do not.
type shapeHash struct {
	h, body uint64
	n       int
}

func (s *shapeHash) begin() { *s = shapeHash{h: shapeSeed} }

func (s *shapeHash) leaf(f *fieldEntry, in Location, t ValueType, v []byte) {
	s.n++
	bucket := lengthBucket(len(v))
	alphabet := uint64(0)
	if f.traits&traitPassword == 0 {
		alphabet = alphabetOf(v)
	} else if bucket > 1 { // a password's length and alphabet vary with the person
		bucket = 2 + uint64(len(v)/129)
	}
	name := jsonleaf.Hash(shapeSeed, []byte(f.name))
	s.h = mix(s.h^name, 0x9E3779B97F4A7C15^uint64(in)<<32^uint64(t)<<24^bucket<<8^alphabet)
}

func lengthBucket(n int) uint64 {
	switch {
	case n == 0:
		return 0
	case n <= 16:
		return 1
	case n <= 64:
		return 2
	case n <= 256:
		return 3
	}
	return 4
}

// alphabetOf is 0 empty, 1 digits, 2 ASCII, 3 beyond.
func alphabetOf(v []byte) uint64 {
	a := uint64(0)
	for _, c := range v {
		switch {
		case c >= 0x80:
			return 3
		case c-'0' > 9:
			a = 2
		case a == 0:
			a = 1
		}
	}
	return a
}

func (s *shapeHash) contentType(ct []byte) {
	// a multipart boundary is drawn per request; its form is the program's
	if b := attribute(ct, "boundary"); len(b) > 0 {
		s.body = jsonleaf.Hash(shapeSeed, ct[:min(len(ct), 24)])
		for i, c := range b {
			if charKinds[c]&(hasJoin|hasOther) != 0 || i < 4 {
				s.body = mix(s.body^uint64(c), shapeSeed)
			}
		}
		s.body = mix(s.body^uint64(len(b)), shapeSeed)
		return
	}
	s.body = jsonleaf.Hash(shapeSeed, ct)
}

func (s *shapeHash) style(v uint64) { s.body = mix(s.body^v, orderSeed) }

func (s *shapeHash) sum() uint64 {
	if s.n == 0 {
		return 0
	}
	return max(mix(s.h^s.body, shapeSeed), 1)
}

// orderHash builds the header-order hash: names in wire order with their
// casing style, the exact negotiation headers, the HTTP version.
type orderHash struct{ h uint64 }

func (s *orderHash) begin(proto uint8) { s.h = orderSeed ^ uint64(proto) }

// mix takes the hash of a name and its casing.
func (s *orderHash) mix(name, casing uint64) {
	s.h = mix(s.h^name, 0x9E3779B97F4A7C15^casing)
}

func nameHash(lowered []byte) uint64 { return jsonleaf.Hash(orderSeed, lowered) }

func (s *orderHash) value(v []byte) {
	s.h = mix(s.h^jsonleaf.Hash(orderSeed, v), 0xC2B2AE3D27D4EB4F)
}

func (s *orderHash) sum() uint64 { return max(s.h, 1) }

// casing is 0 lower, 1 Each-Word, 2 UPPER, 3 mixed.
func casing(name []byte) uint64 {
	upper, lowers, words := 0, 0, true
	start := true
	for _, c := range name {
		switch {
		case c-'A' < 26:
			upper++
			words = words && start
		case c-'a' < 26:
			lowers++
			words = words && !start
		}
		start = c == '-' || c == '_'
	}
	switch {
	case upper == 0:
		return 0
	case words:
		return 1
	case lowers == 0:
		return 2
	}
	return 3
}

// languageForm is what Accept-Language tells about the program and not about
// the person: how many ranges, with weights, with blanks.
func languageForm(v []byte) (f [4]byte) {
	for i, c := range v {
		switch c {
		case ',':
			f[0]++
			if i+1 < len(v) && v[i+1] == ' ' {
				f[1] = 1
			}
		case ';':
			f[2] = 1
		case '*':
			f[3] = 1
		}
	}
	return f
}

// orderAvailable reports whether the source saw header lines in wire order.
func orderAvailable(x *exchange.Exchange) bool {
	return x.Caps&exchange.CapHeaderOrder != 0 && len(x.Request.Header) > 0
}
