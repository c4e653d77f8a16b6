package markup

import "bytes"

// noteworthy reports whether an element's attributes say that it tells the
// reader of an error, and that it is visible.
func noteworthy(attrs []byte) bool {
	note := false
	for n := 0; n < maxAttributes; n++ {
		var name, value []byte
		if name, value, attrs = nextAttribute(attrs); name == nil {
			break
		}
		switch {
		case equalFold(name, "class"), equalFold(name, "id"):
			for len(value) > 0 {
				end := bytes.IndexByte(value, ' ')
				if end < 0 {
					end = len(value)
				}
				word := value[:end]
				value = value[min(end+1, len(value)):]
				switch {
				case hiddenWord(word):
					return false
				case errorWord(word):
					note = true
				}
			}
		case equalFold(name, "role"):
			note = note || equalFold(value, "alert")
		case equalFold(name, "hidden"):
			return false
		case equalFold(name, "style"):
			var buf [64]byte
			s := buf[:0]
			for _, c := range value {
				if !blankByte(c) && len(s) < cap(s) {
					s = append(s, c|0x20)
				}
			}
			if bytes.Contains(s, []byte("display:none")) || bytes.Contains(s, []byte("visibility:hidden")) {
				return false
			}
		}
	}
	return note
}

func errorWord(w []byte) bool {
	var buf [48]byte
	s := buf[:0]
	for _, c := range w[:min(len(w), len(buf))] {
		if c-'A' < 26 {
			c |= 0x20
		}
		s = append(s, c)
	}
	for _, p := range [...]string{"error", "alert", "danger", "warning", "errmsg", "err-", "err_", "invalid-feedback", "failure", "toast", "flash"} {
		if bytes.Contains(s, []byte(p)) {
			return true
		}
	}
	switch string(s) {
	case "err", "msg", "message", "messages", "fail", "failed", "prompt", "errorlist":
		return true
	}
	return bytes.HasSuffix(s, []byte("-msg")) || bytes.HasSuffix(s, []byte("_msg")) || bytes.HasSuffix(s, []byte("-message")) || bytes.HasSuffix(s, []byte("_message"))
}

func hiddenWord(w []byte) bool {
	for _, s := range [...]string{"hidden", "hide", "d-none", "layui-hide", "none", "is-hidden", "invisible", "template", "sr-only"} {
		if equalFold(w, s) {
			return true
		}
	}
	return false
}

// note keeps the text of the element whose start tag ends before b.
func (h *HTML) note(b []byte, name []byte) {
	if !h.try() {
		return
	}
	b = b[:min(len(b), 4*MaxCell)]
	end := 0
	for depth := 1; depth > 0; {
		lt := bytes.IndexByte(b[end:], '<')
		if lt < 0 {
			end = len(b)
			break
		}
		end += lt
		t, n := readTag(b[end:])
		switch {
		case n == 0:
			end++
		case tagOf(t.name) == scriptTag || tagOf(t.name) == styleTag:
			depth = 0
		case bytes.EqualFold(t.name, name) && t.end:
			if depth--; depth > 0 {
				end += n
			}
		case bytes.EqualFold(t.name, name) && !t.alone:
			depth++
			end += n
		default:
			end += n
		}
	}
	h.text = appendVisible(h.text[:0], b[:end])
	if bytes.Contains(h.text, []byte("{{")) || bytes.Contains(h.text, []byte("<%")) {
		return // a template that was not filled in
	}
	h.keep(h.text, 1)
}

// try bounds the work that a page of nothing but errors makes.
func (h *HTML) try() bool {
	if h.tries == 4*MaxMessages {
		h.Over++
		return false
	}
	h.tries++
	return true
}

func (h *HTML) keep(v []byte, rank uint8) {
	if len(v) < 2 || len(v) > MaxCell {
		return
	}
	if len(h.notes) == MaxMessages {
		h.Over++
		return
	}
	from := len(h.kept)
	h.kept = append(h.kept, v...)
	h.notes = append(h.notes, note{int32(from), int32(len(h.kept)), rank})
}

// appendVisible appends the text of a piece of HTML: without tags, with
// references resolved, runs of blanks as one.
func appendVisible(dst, b []byte) []byte {
	start := len(dst)
	blank := func() {
		if n := len(dst); n > start && dst[n-1] != ' ' {
			dst = append(dst, ' ')
		}
	}
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '<':
			if bytes.HasPrefix(b[i:], comment) {
				end := bytes.Index(b[i:], commentEnd)
				if end < 0 {
					end = len(b) - i - len(commentEnd)
				}
				i += end + len(commentEnd)
				continue
			}
			t, n := readTag(b[i:])
			if n == 0 {
				dst = append(dst, c)
				i++
				continue
			}
			i += n
			switch kind := tagOf(t.name); {
			case !t.end && !t.alone && (kind == scriptTag || kind == styleTag):
				i += rawEnd(b[i:], kind)
			case kind == inputTag:
				if v, ok := attribute(t.attrs, "value"); ok && !hiddenInput(t.attrs) {
					dst = appendText(dst, v)
				}
			case !inline(t.name):
				blank()
			}
		case c == '&':
			n, r := reference(b[i:])
			if n == 0 {
				dst = append(dst, c)
				i++
				continue
			}
			if i += n; r == ' ' || r == 0xA0 {
				blank()
			} else {
				dst = append(dst, string(r)...)
			}
		case c <= ' ':
			blank()
			i++
		default:
			dst = append(dst, c)
			i++
		}
	}
	for len(dst) > start && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func hiddenInput(attrs []byte) bool {
	kind, ok := attribute(attrs, "type")
	return ok && !equalFold(kind, "text") && !equalFold(kind, "tel") && !equalFold(kind, "email") && !equalFold(kind, "number")
}

// inline reports whether a tag does not part words.
func inline(name []byte) bool {
	for _, s := range [...]string{"b", "i", "em", "strong", "span", "font", "a", "u", "small", "mark"} {
		if equalFold(name, s) {
			return true
		}
	}
	return false
}
