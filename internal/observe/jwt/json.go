package jwt

import (
	"unicode/utf16"
	"unicode/utf8"
)

// walker checks one JSON document and hands its scalars to the token. It
// unescapes strings in place: an escape is never shorter than what it means.
type walker struct {
	src    []byte
	pos    int
	token  *Token
	header bool
}

// document reads one JSON object and nothing after it.
func (w *walker) document() bool {
	w.space()
	if w.pos >= len(w.src) || w.src[w.pos] != '{' {
		return false
	}
	if !w.value(nil, 0) {
		return false
	}
	w.space()
	return w.pos == len(w.src)
}

func (w *walker) space() {
	for w.pos < len(w.src) {
		switch w.src[w.pos] {
		case ' ', '\t', '\n', '\r':
			w.pos++
		default:
			return
		}
	}
}

func (w *walker) value(name []byte, depth int) bool {
	if w.pos >= len(w.src) || depth > maxDepth {
		return false
	}
	start := w.pos
	switch c := w.src[w.pos]; {
	case c == '{':
		return w.object(name, depth)
	case c == '[':
		return w.array(name, depth)
	case c == '"':
		s, ok := w.text()
		if ok {
			w.scalar(name, s, true, depth)
		}
		return ok
	case c == 't':
		return w.word("true") && w.scalar(name, w.src[start:w.pos], false, depth)
	case c == 'f':
		return w.word("false") && w.scalar(name, w.src[start:w.pos], false, depth)
	case c == 'n':
		return w.word("null") && w.scalar(name, w.src[start:w.pos], false, depth)
	default:
		return w.number() && w.scalar(name, w.src[start:w.pos], false, depth)
	}
}

func (w *walker) scalar(name, value []byte, text bool, depth int) bool {
	switch {
	case !w.header:
		w.token.claim(name, value, text)
	case depth == 1:
		w.token.headerField(name, value, text)
	}
	return true
}

func (w *walker) word(s string) bool {
	if len(w.src)-w.pos < len(s) || string(w.src[w.pos:w.pos+len(s)]) != s {
		return false
	}
	w.pos += len(s)
	return true
}

func (w *walker) digits() bool {
	start := w.pos
	for w.pos < len(w.src) && w.src[w.pos]-'0' <= 9 {
		w.pos++
	}
	return w.pos > start
}

func (w *walker) peek(c byte) bool { return w.pos < len(w.src) && w.src[w.pos] == c }

func (w *walker) number() bool {
	if w.peek('-') {
		w.pos++
	}
	if w.peek('0') {
		w.pos++
	} else if !w.digits() {
		return false
	}
	if w.peek('.') {
		w.pos++
		if !w.digits() {
			return false
		}
	}
	if w.peek('e') || w.peek('E') {
		w.pos++
		if w.peek('+') || w.peek('-') {
			w.pos++
		}
		return w.digits()
	}
	return true
}

func (w *walker) object(name []byte, depth int) bool {
	w.pos++
	w.space()
	if w.peek('}') {
		w.pos++
		return true
	}
	for {
		w.space()
		if !w.peek('"') {
			return false
		}
		key, ok := w.text()
		if !ok {
			return false
		}
		w.space()
		if !w.peek(':') {
			return false
		}
		w.pos++
		w.space()
		if !w.value(w.join(name, key, depth), depth+1) {
			return false
		}
		w.space()
		switch {
		case w.peek(','):
			w.pos++
		case w.peek('}'):
			w.pos++
			return true
		default:
			return false
		}
	}
}

func (w *walker) array(name []byte, depth int) bool {
	w.pos++
	w.space()
	if w.peek(']') {
		w.pos++
		return true
	}
	name = w.suffix(name)
	for {
		w.space()
		if !w.value(name, depth+1) {
			return false
		}
		w.space()
		switch {
		case w.peek(','):
			w.pos++
		case w.peek(']'):
			w.pos++
			return true
		default:
			return false
		}
	}
}

// join gives the dotted name; at the top it is the key itself. Deep names stop
// growing, so that nesting cannot make the name buffer quadratic.
func (w *walker) join(name, key []byte, depth int) []byte {
	if depth == 0 {
		return key
	}
	t := w.token
	if w.header || len(t.Claims) >= maxClaims || len(name)+len(key) > maxName {
		return name
	}
	start := len(t.names)
	t.names = append(t.names, name...)
	t.names = append(t.names, '.')
	t.names = append(t.names, key...)
	return t.names[start:len(t.names):len(t.names)]
}

const maxName = 128

func (w *walker) suffix(name []byte) []byte {
	t := w.token
	if w.header || len(t.Claims) >= maxClaims || len(name) > maxName {
		return name
	}
	start := len(t.names)
	t.names = append(t.names, name...)
	t.names = append(t.names, "[]"...)
	return t.names[start:len(t.names):len(t.names)]
}

// text reads a string that starts at pos and gives it unescaped.
func (w *walker) text() ([]byte, bool) {
	w.pos++
	start := w.pos
	for w.pos < len(w.src) {
		switch c := w.src[w.pos]; {
		case c == '"':
			s := w.src[start:w.pos]
			w.pos++
			return s, true
		case c == '\\':
			return w.escaped(start)
		case c < 0x20:
			return nil, false
		default:
			w.pos++
		}
	}
	return nil, false
}

// escaped reads the rest of a string from its first backslash on.
func (w *walker) escaped(start int) ([]byte, bool) {
	out := w.pos
	for w.pos < len(w.src) {
		c := w.src[w.pos]
		switch {
		case c == '"':
			w.pos++
			return w.src[start:out], true
		case c < 0x20:
			return nil, false
		case c != '\\':
			w.src[out] = c
			out++
			w.pos++
			continue
		}
		if w.pos+1 >= len(w.src) {
			return nil, false
		}
		c = w.src[w.pos+1]
		w.pos += 2
		switch c {
		case '"', '\\', '/':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, ok := w.hex4()
			if !ok {
				return nil, false
			}
			if utf16.IsSurrogate(r) {
				r = w.surrogate(r)
			}
			out += utf8.EncodeRune(w.src[out:w.pos], r)
			continue
		default:
			return nil, false
		}
		w.src[out] = c
		out++
	}
	return nil, false
}

// surrogate joins r with the escape that follows; a lone half becomes U+FFFD
// and leaves what follows to be read on its own.
func (w *walker) surrogate(r rune) rune {
	save := w.pos
	if w.pos+1 < len(w.src) && w.src[w.pos] == '\\' && w.src[w.pos+1] == 'u' {
		w.pos += 2
		if low, ok := w.hex4(); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				return full
			}
		}
	}
	w.pos = save
	return utf8.RuneError
}

func (w *walker) hex4() (rune, bool) {
	if w.pos+4 > len(w.src) {
		return 0, false
	}
	var r rune
	for _, c := range w.src[w.pos : w.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	w.pos += 4
	return r, true
}
