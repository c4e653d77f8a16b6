// Package jsonleaf walks JSON once and reports every leaf with its path.
//
// It takes body bytes and a visitor and gives, per leaf, a rolling hash of the
// path, the type and the decoded value; the path as text only when the visitor
// asks for it, so that a known path costs no allocation and no copy. It is
// made for captured traffic, not for validation: it accepts several documents
// in a row (NDJSON), a byte-order mark, the usual anti-hijacking prefixes and
// JSONP, and when the text breaks off or is no JSON any more, what was read
// until then has been reported. Invariant: equal paths have equal hashes for
// equal seeds, array elements share one path, and a key that looks like an
// identifier (a map keyed by phone or id) is one variable path element.
// Limits: below MaxDepth levels values are stepped over, counted in Skipped.
package jsonleaf

import (
	"encoding/binary"
	"math/bits"
)

// MaxDepth is the nesting up to which leaves are reported.
const MaxDepth = 64

// Kind is a leaf's type.
type Kind uint8

const (
	String Kind = iota + 1
	Int
	Float
	Bool
	Null
	EmptyObject
	EmptyArray
)

// Style is a set of habits of the program that wrote the text.
type Style uint16

const (
	SpaceAfterColon Style = 1 << iota
	SpaceBeforeColon
	SpaceAfterComma
	SpaceInside // after an opening or before a closing bracket
	Newlines
	Tabs
	EscapedSlash   // \/
	EscapedUnicode // \uXXXX
)

// Visitor takes leaves. value is the decoded text: valid during the call only.
type Visitor interface {
	Leaf(path uint64, kind Kind, value []byte)
}

// Walker walks bodies one after the other. The zero value is ready.
type Walker struct {
	Seed uint64 // start of every path hash; keyed, so that nobody can aim at a collision

	Records   uint32 // elements of the largest array of objects (or documents)
	Documents uint32
	Leaves    uint32
	Skipped   uint32 // values below MaxDepth
	Style     Style

	b       []byte
	depth   int // index of the open frame; 0 is the document level
	record  uint32
	recDeep int // depth of the array whose elements are the records; 0 none
	scratch []byte
	keybuf  []byte
	stack   [MaxDepth + 1]frame
	events  eventState
}

type frame struct {
	path     uint64 // hash of the container; for an array that of its elements
	count    uint32 // elements begun
	objects  uint32 // elements that are objects
	keyStart int32
	keyEnd   int32
	keyBase  int32 // events: where this object's keys begin
	kind     byte  // 0 document, '{' or '['
	escaped  bool  // the key holds escapes
	variable bool
}

const (
	mixKey    = 0x9E3779B97F4A7C15
	elemMark  = 0x5B5D5B5D5B5D5B5D
	varMark   = 0x7B7D7B7D7B7D7B7D
	lowBits   = 0x0101010101010101
	highBits  = 0x8080808080808080
	quotes    = 0x2222222222222222
	backslash = 0x5c5c5c5c5c5c5c5c
	ats       = 0x4040404040404040

	highNibbles  = 0xf0f0f0f0f0f0f0f0
	digitNibbles = 0x3030303030303030
)

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// Hash extends the hash of a path by one key.
func Hash(h uint64, key []byte) uint64 {
	n := uint64(len(key))
	for len(key) >= 8 {
		h = mix(h^binary.LittleEndian.Uint64(key), mixKey^h>>7)
		key = key[8:]
	}
	var v uint64
	for i, c := range key {
		v |= uint64(c) << (8 * uint(i))
	}
	return mix(h^v^n<<56, mixKey+n)
}

// Walk reports the leaves of b to v. It returns the number of bytes that were
// read as JSON and whether that is all of b.
func (w *Walker) Walk(b []byte, v Visitor) (n int, complete bool) {
	if len(b) > 1<<31-1 {
		b = b[:1<<31-1]
	}
	w.b, w.depth, w.record, w.recDeep = b, 0, 0, 0
	w.Records, w.Documents, w.Leaves, w.Skipped, w.Style = 0, 0, 0, 0, 0
	w.stack[0] = frame{path: w.Seed}
	i, jsonp := prefix(b)
	n, complete = w.walk(i, v)
	if jsonp && !complete {
		// the closing ")" or ");" of JSONP
		for n < len(b) && (b[n] == ')' || b[n] == ';' || blank[b[n]]) {
			n++
		}
		complete = n == len(b)
	}
	w.b = nil
	return n, complete
}

func (w *Walker) walk(i int, v Visitor) (int, bool) {
	b := w.b
	h := w.Seed
	for {
		if i < len(b) && b[i] <= ' ' {
			i = w.skip(i, SpaceAfterComma)
		}
		if i >= len(b) {
			return i, w.depth == 0
		}
		switch c := b[i]; c {
		case '"':
			val, end, ok := w.str(i + 1)
			if !ok {
				return i, false
			}
			i = end
			w.Leaves++
			v.Leaf(h, String, val)
		case '{', '[':
			w.enter(c)
			j := w.skip(i+1, SpaceInside)
			if j >= len(b) {
				return j, false
			}
			if b[j] == c+2 { // '}' and ']' follow their openers by two
				k := EmptyObject
				if c == '[' {
					k = EmptyArray
				}
				w.Leaves++
				v.Leaf(h, k, nil)
				i = j + 1
				break
			}
			if w.depth == MaxDepth {
				w.Skipped++
				end, ok := w.over(i)
				if !ok {
					return i, false
				}
				i = end
				break
			}
			w.depth++
			f := &w.stack[w.depth]
			*f = frame{kind: c, path: h}
			if c == '[' {
				f.path = mix(h^elemMark, mixKey)
				f.count = 1
				i, h = j, f.path
				continue
			}
			var ok bool
			if i, h, ok = w.key(j, f); !ok {
				return j, false
			}
			continue
		default:
			end := i + 1
			k := Int
			if c-'0' > 9 {
				k = 0
			}
			for end < len(b) && !delim[b[end]] {
				if b[end]-'0' > 9 {
					k = 0
				}
				end++
			}
			if k == 0 {
				k = literal(b[i:end])
			}
			// a literal at the very end of a cut body may be half a literal
			if k == 0 || end == len(b) && w.depth > 0 {
				return i, false
			}
			w.Leaves++
			v.Leaf(h, k, b[i:end])
			i = end
		}
		// after a value
		for {
			f := &w.stack[w.depth]
			if f.kind == 0 {
				w.Documents++
				if f.objects > 1 && f.objects > w.Records {
					w.Records = f.objects
				}
				for i < len(b) && (blank[b[i]] || b[i] == 0x1e) {
					i++
				}
				if i >= len(b) {
					return i, true
				}
				w.record = w.Documents
				h = w.Seed
				break
			}
			if i < len(b) && b[i] <= ' ' {
				i = w.skip(i, SpaceInside)
			}
			if i >= len(b) {
				return i, false
			}
			c := b[i]
			if c == ',' {
				if f.kind == '[' {
					f.count++
					h = f.path
					i++
					break
				}
				j := i + 1
				if j < len(b) && b[j] != '"' {
					j = w.skip(j, SpaceAfterComma)
				}
				var ok bool
				if i, h, ok = w.key(j, f); !ok {
					return j, false
				}
				break
			}
			if c != f.kind+2 {
				return i, false
			}
			i++
			if f.kind == '[' {
				if f.objects > w.Records {
					w.Records = f.objects
				}
				if w.recDeep == w.depth {
					w.recDeep = 0
					w.record = w.Documents
				}
			}
			w.depth--
		}
	}
}

// enter notes that the open container gets an object or array as its element.
func (w *Walker) enter(c byte) {
	f := &w.stack[w.depth]
	if c != '{' || f.kind == '{' {
		return
	}
	f.objects++
	if f.kind == '[' && (w.recDeep == 0 || w.recDeep == w.depth) {
		w.recDeep = w.depth
		w.record = f.count - 1
	}
}

// key reads a key and its colon at i and returns the start of the value and
// the path of it. Eight bytes are tested at once: for the closing quote, for an
// escape, and for what a variable key has and most names lack.
func (w *Walker) key(i int, f *frame) (next int, h uint64, ok bool) {
	b := w.b
	if i >= len(b) || b[i] != '"' {
		return i, 0, false
	}
	i++
	start := i
	escaped := false
	odd := uint64(0)
scan:
	for i+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[i:])
		q, e := x^quotes, x^backslash
		d, at := x&highNibbles^digitNibbles, x^ats
		t := ((q-lowBits)&^q | (e-lowBits)&^e) & highBits
		o := ((d-lowBits)&^d | (at-lowBits)&^at) & highBits
		if t == 0 {
			odd |= o
			i += 8
			continue
		}
		odd |= o & (t&-t - 1)
		i += bits.TrailingZeros64(t) >> 3
		if b[i] == '"' {
			goto found
		}
		break scan
	}
	odd = 1
	for i < len(b) && b[i] != '"' {
		if b[i] == '\\' {
			escaped = true
			i++
		}
		i++
	}
	if i >= len(b) {
		return i, 0, false
	}
found:
	f.keyStart, f.keyEnd, f.escaped, f.variable = int32(start), int32(i), escaped, false
	if k := b[start:i]; odd == 0 && len(k) <= 8 && start+8 <= len(b) {
		n := uint64(len(k))
		v := binary.LittleEndian.Uint64(b[start:]) & (1<<(8*n) - 1)
		if n == 8 {
			h = mix(mix(f.path^v, mixKey^f.path>>7)^8<<56, mixKey+8)
		} else {
			h = mix(f.path^v^n<<56, mixKey+n)
		}
	} else {
		if escaped {
			w.keybuf = unescape(w.keybuf[:0], k)
			k = w.keybuf
		}
		if (odd != 0 || len(k) > 40) && VariableKey(k) {
			f.variable = true
			h = mix(f.path^varMark, mixKey)
		} else {
			h = Hash(f.path, k)
		}
	}
	i++
	if i < len(b) && b[i] != ':' {
		i = w.skip(i, SpaceBeforeColon)
	}
	if i >= len(b) || b[i] != ':' {
		return i, 0, false
	}
	i++
	if i < len(b) && b[i] <= ' ' {
		i = w.skip(i, SpaceAfterColon)
	}
	return i, h, true
}

// skip steps over blanks and notes them as a habit.
func (w *Walker) skip(i int, s Style) int {
	b := w.b
	for i < len(b) && blank[b[i]] {
		switch b[i] {
		case '\n':
			w.Style |= Newlines
		case '\t':
			w.Style |= Tabs
		case ' ':
			w.Style |= s
		}
		i++
	}
	return i
}

// str reads the rest of a string that begins at i, after its quote. Eight
// bytes are tested at once for quote or backslash.
func (w *Walker) str(i int) (val []byte, next int, ok bool) {
	b := w.b
	start := i
	escaped := false
	for {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			q, e := x^quotes, x^backslash
			if t := ((q-lowBits)&^q | (e-lowBits)&^e) & highBits; t != 0 {
				i += bits.TrailingZeros64(t) >> 3
				goto hit
			}
			i += 8
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' {
			i++
		}
	hit:
		if i >= len(b) {
			return nil, i, false
		}
		if b[i] == '"' {
			break
		}
		escaped = true
		if i+1 < len(b) {
			switch b[i+1] {
			case '/':
				w.Style |= EscapedSlash
			case 'u':
				w.Style |= EscapedUnicode
			}
		}
		i += 2
	}
	val = b[start:i]
	if escaped {
		w.scratch = unescape(w.scratch[:0], val)
		val = w.scratch
	}
	return val, i + 1, true
}

// over steps over the container at i without reporting it.
func (w *Walker) over(i int) (next int, ok bool) {
	b, open := w.b, 0
	for i < len(b) {
		switch b[i] {
		case '{', '[':
			open++
		case '}', ']':
			if open--; open == 0 {
				return i + 1, true
			}
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		}
		i++
	}
	return len(b), false
}
