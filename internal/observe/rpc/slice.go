package rpc

import (
	"bytes"

	"xiezhi/internal/observe/jsonleaf"
)

// Pieces of JSON are cut out of a body as they stand; nothing is decoded that
// is not asked for. What is no JSON ends the cutting.

func trim(b []byte) []byte {
	b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// valueEnd gives the index behind the value at i, -1 when it is cut off or none.
func valueEnd(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return stringEnd(b, i)
	case '{', '[':
		open := 0
		for i < len(b) {
			switch b[i] {
			case '{', '[':
				open++
			case '}', ']':
				if open--; open == 0 {
					return i + 1
				}
			case '"':
				end := stringEnd(b, i)
				if end < 0 {
					return -1
				}
				i = end
				continue
			}
			i++
		}
		return -1
	case ',', ':', '}', ']':
		return -1
	}
	start := i
	for i < len(b) && b[i] > ' ' && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] != ':' && b[i] != '"' {
		i++
	}
	if i-start > 64 {
		return -1
	}
	return i
}

func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		slashes := 0
		for k := i - 1; b[k] == '\\'; k-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
	return -1
}

// list gives the values of an array one after the other; i stands behind its
// bracket.
type list struct {
	b []byte
	i int
}

func (l *list) blank() {
	for l.i < len(l.b) && (l.b[l.i] <= ' ' || l.b[l.i] == ',') {
		l.i++
	}
}

func (l *list) next() (v []byte, ok bool) {
	l.blank()
	end := valueEnd(l.b, l.i)
	if end < 0 {
		return nil, false
	}
	v, l.i = l.b[l.i:end:end], end
	return v, true
}

// object gives the members of an object.
type object struct{ list }

func (o *object) next() (key, v []byte, ok bool) {
	o.blank()
	if o.i >= len(o.b) || o.b[o.i] != '"' {
		return nil, nil, false
	}
	end := stringEnd(o.b, o.i)
	if end < 0 {
		return nil, nil, false
	}
	key = o.b[o.i+1 : end-1]
	if bytes.IndexByte(key, '\\') >= 0 {
		key = jsonleaf.Unescape(nil, key)
	}
	o.i = end
	for o.i < len(o.b) && (o.b[o.i] <= ' ' || o.b[o.i] == ':') {
		o.i++
	}
	v, ok = o.list.next()
	return key, v, ok
}

// member gives the value of a member of an object, nil when there is none.
func member(b []byte, name string) []byte {
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	o := object{list{b: b, i: 1}}
	for {
		key, v, ok := o.next()
		if !ok {
			return nil
		}
		if string(key) == name {
			return v
		}
	}
}

func isString(v []byte) bool { return len(v) >= 2 && v[0] == '"' }

// text gives what a string says; escapes are decoded into the buffer.
func (r *Reader) text(v []byte) []byte {
	if !isString(v) {
		return nil
	}
	v = v[1 : len(v)-1]
	if bytes.IndexByte(v, '\\') < 0 {
		return v
	}
	from := len(r.buf)
	r.buf = jsonleaf.Unescape(r.buf, v)
	return r.made(from)
}

// bare gives a scalar without quotes.
func (r *Reader) bare(v []byte) []byte {
	if isString(v) {
		return r.text(v)
	}
	if len(v) > 0 && (v[0] == '{' || v[0] == '[') {
		return nil
	}
	return v
}

func null(v []byte) bool { return len(v) == 0 || string(v) == "null" }
