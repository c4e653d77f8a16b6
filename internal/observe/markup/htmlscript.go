package markup

import "bytes"

// script looks for data, and for an alert that is shown as soon as the page
// is read: one inside a function or a condition may never be.
func (h *HTML) script(attrs, b []byte) {
	if kind, ok := attribute(attrs, "type"); ok && equalFold(kind, "application/json") {
		if v := trim(b); document(v) && len(h.Scripts) < MaxInner {
			h.Scripts = append(h.Scripts, v)
			from := cap(h.b) - cap(v)
			h.rest(from, from+len(v))
		}
		return
	}
	depth := 0
	statement := true // a statement may begin here
	for i := 0; i < len(b) && i < maxScript; {
		switch c := b[i]; {
		case blankByte(c):
			i++
			continue
		case c == '{' || c == '(' || c == '[':
			depth++
			i++
		case c == '}' || c == ')' || c == ']':
			depth--
			i++
			statement = c == '}' && depth == 0
			continue
		case c == ';':
			i++
			statement = depth == 0
			continue
		case c == '"' || c == '\'' || c == '`':
			i += quotedLen(b[i:])
		case bytes.HasPrefix(b[i:], []byte("//")), bytes.HasPrefix(b[i:], comment):
			end := bytes.IndexByte(b[i:], '\n')
			if end < 0 {
				return
			}
			i += end
			continue
		case bytes.HasPrefix(b[i:], []byte("/*")):
			end := bytes.Index(b[i:], []byte("*/"))
			if end < 0 {
				return
			}
			i += end + 2
			continue
		case nameByte[c] || c == '$':
			start := i
			for i < len(b) && (nameByte[b[i]] || b[i] == '$') {
				i++
			}
			if statement && depth == 0 && says(b[start:i]) {
				h.alert(b[i:])
			}
		default:
			i++
		}
		statement = false
	}
}

const maxScript = 16 << 10

// says reports whether a function shows its first argument to the reader.
func says(f []byte) bool {
	for _, p := range [...]string{"window.", "top.", "parent.", "self."} {
		f = bytes.TrimPrefix(f, []byte(p))
	}
	switch string(f) {
	case "alert", "layer.msg", "layer.alert", "layui.layer.msg", "swal", "Swal.fire", "toastr.error", "toastr.warning", "message.error", "$.messager.alert", "mui.toast", "weui.alert", "weui.topTips", "showError", "showMessage", "showMsg", "art.dialog.tips", "bootbox.alert":
		return true
	}
	return false
}

// alert keeps the string that is the first argument of the call at b.
func (h *HTML) alert(b []byte) {
	if !h.try() {
		return
	}
	b = trim(b[:min(len(b), 4*MaxCell)])
	if len(b) == 0 || b[0] != '(' {
		return
	}
	b = trim(b[1:])
	if len(b) == 0 || b[0] != '"' && b[0] != '\'' && b[0] != '`' {
		return
	}
	n := quotedLen(b)
	if n < 2 || b[n-1] != b[0] {
		return
	}
	after := trim(b[n:])
	if len(after) > 0 && after[0] != ')' && after[0] != ',' {
		return // put together at run time
	}
	h.text = h.text[:0]
	for s := b[1 : n-1]; len(s) > 0; s = s[1:] {
		if s[0] == '\\' && len(s) > 1 {
			if s[1] == 'u' && len(s) >= 6 {
				if k, r := reference(append(append(append(make([]byte, 0, 10), "&#x"...), s[2:6]...), ';')); k > 0 {
					h.text = append(h.text, string(r)...)
					s = s[5:]
					continue
				}
			}
			s = s[1:]
			if s[0] == 'n' || s[0] == 'r' || s[0] == 't' {
				h.text = append(h.text, ' ')
				continue
			}
		}
		h.text = append(h.text, s[0])
	}
	h.keep(trim(h.text), 0)
}

// quotedLen is the length of the string literal at b, quotes included.
func quotedLen(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case b[0]:
			return i + 1
		case '\n':
			if b[0] != '`' {
				return i
			}
		}
	}
	return len(b)
}
