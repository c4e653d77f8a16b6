package signature

import "bytes"

// MatchRequest calls emit once per rule that the value matches, in the order
// of their places in the value. The value is decoded once by the caller; what is
// still URL-encoded in it is decoded again here, because attackers encode
// twice to get past one decoder.
func (s *Set) MatchRequest(in RequestPart, value []byte, emit func(r *Rule)) {
	value = value[:min(len(value), maxValue)]
	g := &s.value
	if in == PartPath {
		g = &s.path
	}
	met := g.mayHit(value)
	encoded := false
	if i := bytes.IndexByte(value, '%'); i >= 0 {
		encoded = escaped(value[i:])
	}
	if !met && !encoded {
		return
	}
	w := s.borrow()
	if met {
		s.matchValue(w, g, in, value, emit)
	}
	for i := 0; i < maxDecode && encoded; i++ {
		w.decoded[i], encoded = unescape(w.decoded[i][:0], value)
		if value = w.decoded[i]; encoded && g.mayHit(value) {
			w.forget()
			s.matchValue(w, g, in, value, emit)
		}
	}
	s.giveBack(w)
}

func (s *Set) matchValue(w *scratch, g *gate, in RequestPart, value []byte, emit func(r *Rule)) {
	g.collect(w, in, value)
	for _, win := range w.windows {
		r := win.rule
		if !w.fired[r.index] && r.match.accepts(w, value, win) {
			w.fired[r.index] = true
			w.touched = append(w.touched, r)
			emit(r)
		}
	}
}

// escaped reports whether b, which starts at a '%', holds an escape.
func escaped(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '%')
		if i < 0 || i+2 >= len(b) {
			return false
		}
		if unhex(b[i+1]) >= 0 && unhex(b[i+2]) >= 0 || b[i+1]|0x20 == 'u' {
			return true
		}
		b = b[i+1:]
	}
}

// unescape appends b with its %XX and %uXXXX escapes replaced.
func unescape(dst, b []byte) (out []byte, changed bool) {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' && i+2 < len(b) {
			if hi, lo := unhex(b[i+1]), unhex(b[i+2]); hi >= 0 && lo >= 0 {
				dst = append(dst, byte(hi<<4|lo))
				i += 2
				changed = true
				continue
			}
			if b[i+1]|0x20 == 'u' && i+5 < len(b) {
				v := 0
				for _, c := range b[i+2 : i+6] {
					if d := unhex(c); d >= 0 && v >= 0 {
						v = v<<4 | d
					} else {
						v = -1
					}
				}
				if v >= 0 && v < 0x100 { // wider characters carry no syntax
					dst = append(dst, byte(v))
					i += 5
					changed = true
					continue
				}
			}
		}
		dst = append(dst, c)
	}
	return dst, changed
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
