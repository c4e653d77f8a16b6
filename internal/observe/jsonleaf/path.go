package jsonleaf

import "unicode/utf8"

// AppendPath appends the path of the leaf being reported: keys joined by dots,
// "[]" for array elements, "{}" for a variable key.
func (w *Walker) AppendPath(dst []byte) []byte {
	first := len(dst)
	for d := 1; d <= w.depth; d++ {
		f := &w.stack[d]
		if f.kind == '[' {
			dst = append(dst, '[', ']')
			continue
		}
		if len(dst) > first {
			dst = append(dst, '.')
		}
		dst = w.appendKey(dst, f)
	}
	return dst
}

// AppendKey appends the innermost key of the leaf being reported; nothing when
// it stands under no key.
func (w *Walker) AppendKey(dst []byte) []byte {
	for d := w.depth; d > 0; d-- {
		if f := &w.stack[d]; f.kind == '{' {
			return w.appendKey(dst, f)
		}
	}
	return dst
}

// AppendParent appends the second innermost key.
func (w *Walker) AppendParent(dst []byte) []byte {
	seen := false
	for d := w.depth; d > 0; d-- {
		f := &w.stack[d]
		if f.kind != '{' {
			continue
		}
		if seen {
			return w.appendKey(dst, f)
		}
		seen = true
	}
	return dst
}

func (w *Walker) appendKey(dst []byte, f *frame) []byte {
	k := w.b[f.keyStart:f.keyEnd]
	switch {
	case f.variable:
		return append(dst, '{', '}')
	case f.escaped:
		return unescape(dst, k)
	}
	return append(dst, k...)
}

// Depth is the number of containers around the leaf being reported.
func (w *Walker) Depth() int { return w.depth }

// InArray reports whether the leaf being reported stands inside an array.
func (w *Walker) InArray() bool {
	for d := w.depth; d > 0; d-- {
		if w.stack[d].kind == '[' {
			return true
		}
	}
	return false
}

// Record is the element of the outermost array of objects, or the document of
// several, around the leaf being reported, from 0.
func (w *Walker) Record() uint32 { return w.record }

// VariableKey reports whether an object key is an identifier rather than a
// name: a map keyed by user id, phone, date or hash has no schema in its keys.
func VariableKey(k []byte) bool {
	if len(k) > 40 {
		return len(k) > 64 || !wordy(k)
	}
	digits := 0
	for _, c := range k {
		if c-'0' < 10 {
			digits++
		} else if c == '@' {
			return true
		}
	}
	if digits == 0 {
		return false
	}
	if digits >= 5 || digits == len(k) || digits*2 > len(k) && len(k) > 4 {
		return true
	}
	return len(k) >= 8 && hexadecimal(k)
}

func wordy(k []byte) bool {
	run := 0
	for _, c := range k {
		if c == '_' || c == '-' || c == '.' || c == ' ' {
			run = 0
			continue
		}
		if run++; run > 24 {
			return false
		}
	}
	return true
}

func hexadecimal(k []byte) bool {
	for _, c := range k {
		if c-'0' > 9 && (c|0x20)-'a' > 5 && c != '-' && c != ':' {
			return false
		}
	}
	return true
}

var blank = [256]bool{' ': true, '\n': true, '\t': true, '\r': true}

var delim = [256]bool{' ': true, '\n': true, '\t': true, '\r': true, ',': true, '}': true, ']': true, '{': true, '[': true, '"': true, ':': true, ')': true, ';': true, 0x1e: true}

// literal tells the kind of a bare word, 0 when it is none of JSON's.
func literal(s []byte) Kind {
	switch s[0] {
	case 't':
		if string(s) == "true" {
			return Bool
		}
		return 0
	case 'f':
		if string(s) == "false" {
			return Bool
		}
		return 0
	case 'n':
		if string(s) == "null" {
			return Null
		}
		return 0
	}
	i := 0
	if s[0] == '-' {
		i++
	}
	if i == len(s) || s[i]-'0' > 9 {
		return 0
	}
	for i < len(s) && s[i]-'0' < 10 {
		i++
	}
	if i == len(s) {
		return Int
	}
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c-'0' < 10, c == '.', c == 'e', c == 'E', c == '+', c == '-':
		default:
			return 0
		}
	}
	return Float
}

// prefix steps over a byte-order mark, an anti-hijacking prefix or the opening
// of JSONP.
func prefix(b []byte) (i int, jsonp bool) {
	if len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF {
		i = 3
	}
	if i < len(b) && b[i] == 0x1e { // a JSON text sequence
		i++
	}
	for _, p := range [...]string{")]}',", ")]}'", "while(1);", "for(;;);"} {
		if len(b) >= i+len(p) && string(b[i:i+len(p)]) == p {
			return i + len(p), false
		}
	}
	// name( or /**/name(
	j := i
	if len(b) >= j+4 && string(b[j:j+4]) == "/**/" {
		j += 4
	}
	start := j
	for j < len(b) && j-start < 128 {
		c := b[j]
		if c == '(' && j > start {
			return j + 1, true
		}
		if c-'0' > 9 && (c|0x20)-'a' > 25 && c != '_' && c != '$' && c != '.' {
			break
		}
		j++
	}
	return i, false
}

// unescape appends s with its JSON escapes decoded. Escapes that are none are
// kept as they stand; a lone surrogate becomes U+FFFD.
func unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' || i+1 >= len(s) {
			dst = append(dst, c)
			i++
			continue
		}
		switch e := s[i+1]; e {
		case '"', '\\', '/':
			dst = append(dst, e)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(s, i+2)
			if !ok {
				dst = append(dst, '\\', 'u')
				break
			}
			i += 4
			if r >= 0xD800 && r < 0xDC00 && i+3 < len(s) && s[i+2] == '\\' && s[i+3] == 'u' {
				if lo, ok := hex4(s, i+4); ok && lo >= 0xDC00 && lo < 0xE000 {
					r = (r-0xD800)<<10 | (lo - 0xDC00) + 0x10000
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, '\\', e)
		}
		i += 2
	}
	return dst
}

func hex4(s []byte, i int) (r rune, ok bool) {
	if i+4 > len(s) {
		return 0, false
	}
	for _, c := range s[i : i+4] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case (c|0x20)-'a' < 6:
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// Keys is the number of object keys above the leaf being reported.
func (w *Walker) Keys() (n int) {
	for d := w.depth; d > 0; d-- {
		if w.stack[d].kind == '{' {
			n++
		}
	}
	return n
}

// Unescape appends the text of a JSON string with its escapes decoded.
func Unescape(dst, s []byte) []byte { return unescape(dst, s) }
