package signature

import "bytes"

// MatchRequest calls emit once per rule that the value matches, in the order
// of their ids' windows. The value is decoded once by the caller; what is
// still URL-encoded in it is decoded again here, because attackers encode
// twice to get past one decoder.
func (s *Set) MatchRequest(in RequestPart, value []byte, emit func(r *Rule)) {
	value = value[:min(len(value), maxValue)]
	start := s.request.auto.first(value)
	escape := bytes.IndexByte(value, '%')
	if start < 0 && (escape < 0 || !escaped(value[escape:])) {
		return
	}
	w := s.borrow(&s.request)
	if start >= 0 {
		s.matchValue(w, in, value, emit)
	}
	for i := 0; i < maxDecode && escape >= 0; i++ {
		out, changed := unescape(w.decoded[i][:0], value)
		w.decoded[i] = out
		if !changed {
			break
		}
		value = out
		if s.request.auto.first(value) >= 0 {
			w.forget()
			s.matchValue(w, in, value, emit)
		}
		escape = bytes.IndexByte(value, '%')
	}
	s.giveBack(w)
}

func (s *Set) matchValue(w *scratch, in RequestPart, value []byte, emit func(r *Rule)) {
	s.request.collect(w, value, 0)
	for _, win := range w.windows {
		r := win.rule
		if w.fired[r.index] || r.in&in == 0 {
			continue
		}
		if _, _, ok := r.match.accepts(w, value, win); ok {
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
