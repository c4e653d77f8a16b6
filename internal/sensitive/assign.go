package sensitive

import (
	"bytes"
	"unsafe"
)

const (
	maxAssignKey   = 64
	maxAssignValue = 1024
)

// assignment judges key = value in text, at its = : or ：. Secrets count with
// any key that promises one; other data only when the value is quoted or the
// key is Chinese, because code is full of name = address.
func (s *scanner) assignment(i int) int {
	b := s.b
	next := i + 1
	if b[i] == 0xEF {
		if i+2 >= len(b) || b[i+1] != 0xBC || b[i+2] != 0x9A {
			return next
		}
		next = i + 3
	}
	from, to, quotedKey := keyBefore(b, i)
	if from == to {
		return next
	}
	h := HintOf(unsafe.String(&b[from], to-from))
	if h == HintNone || h == HintAnyName {
		return next
	}
	start, end, quote := valueAfter(b, next)
	if start == end || end-start > maxAssignValue {
		return next
	}
	secret := h.Type().Level() == 4
	han := b[to-1] >= 0x80
	if !secret && quote == 0 && !han {
		return next
	}
	if secret && !han && !s.assigned(i, start, end, quote, quotedKey) {
		return next
	}
	if !s.leaf(h, MaskOf(b[start:end]), start, end) {
		return next
	}
	return max(end, next)
}

// keyBefore gives the name that ends before i, with blanks and quotes skipped.
func keyBefore(b []byte, i int) (from, to int, quoted bool) {
	to = i
	for to > 0 && i-to < 4 && (b[to-1] == ' ' || b[to-1] == '\t') {
		to--
	}
	for to > 0 && (b[to-1] == '"' || b[to-1] == '\'' || b[to-1] == ']' || b[to-1] == '`' || b[to-1] == '\\') {
		to--
		quoted = true
	}
	from = to
	for from > 0 && to-from < maxAssignKey && (isToken(b[from-1]) || b[from-1] == '.' || b[from-1] >= 0x80) {
		from--
	}
	if from == to || isDigit(b[to-1]) && isDigit(b[from]) {
		return to, to, false
	}
	for from < to && b[from]&0xC0 == 0x80 { // do not begin inside a character
		from++
	}
	return from, to, quoted
}

// valueAfter gives the value from p on: within quotes, or to the next blank or
// delimiter.
func valueAfter(b []byte, p int) (start, end int, quote byte) {
	for p < len(b) && (b[p] == ' ' || b[p] == '\t') {
		p++
	}
	if p < len(b) && (b[p] == '=' || b[p] == '>') { // := => but not ==
		if b[p-1] == '=' && b[p] == '=' {
			return p, p, 0
		}
		for p++; p < len(b) && (b[p] == ' ' || b[p] == '\t'); {
			p++
		}
	}
	escaped := p < len(b) && b[p] == '\\'
	if escaped {
		p++
	}
	if p < len(b) && (b[p] == '"' || b[p] == '\'' || b[p] == '`') {
		quote = b[p]
		limit := min(len(b), p+2+maxAssignValue)
		for q := p + 1; q < limit; q++ {
			switch b[q] {
			case '\n':
				return p, p, 0
			case '\\':
				if escaped && q+1 < limit && b[q+1] == quote {
					return p + 1, q, quote
				}
				q++
			case quote:
				return p + 1, q, quote
			}
		}
		return p, p, 0
	}
	start = p
	for _, scheme := range schemes { // Authorization: Bearer …
		if bytes.HasPrefix(b[p:], []byte(scheme)) {
			p += len(scheme)
			break
		}
	}
	for end = p; end < len(b) && end-start <= maxAssignValue && !delimiter(b, end); {
		end++
	}
	return start, end, 0
}

func delimiter(b []byte, i int) bool {
	switch c := b[i]; c {
	case ',', ';', '&', '"', '\'', '<', '>', ')', '}', ']', '`':
		return true
	case 0xEF, 0xE3: // ，；。 and the like
		return i+2 < len(b) && (c == 0xEF && b[i+1] == 0xBC || c == 0xE3 && b[i+1] == 0x80)
	default:
		return c <= ' '
	}
}

// assigned tells a secret from code and labels: password: e.value,
// token = getToken(), password: "Password".
func (s *scanner) assigned(i, start, end int, quote byte, quotedKey bool) bool {
	v := s.b[start:end]
	or := classOf(v)
	if quote != 0 {
		return !label(v)
	}
	if bytes.IndexByte(v, '(') >= 0 || bytes.IndexByte(v, '{') >= 0 || bytes.IndexByte(v, '[') >= 0 {
		return false
	}
	if or&cDigit != 0 && (or&cLetter != 0 || !quotedKey) || quotedKey && s.b[i] == ':' && or&cDigit != 0 {
		return !path(v)
	}
	if path(v) && bytes.IndexByte(v, '.') >= 0 {
		return false
	}
	closed := end == len(s.b) || s.b[end] == '&' || s.b[end] <= ' '
	return s.b[i] == '=' && start == i+1 && i > 0 && isToken(s.b[i-1]) && closed
}

// label reports a word or words of letters that begin with a capital.
func label(v []byte) bool {
	if plainClass[v[0]]&cUpper == 0 {
		return false
	}
	for _, c := range v[1:] {
		if plainClass[c]&cLower == 0 && c != ' ' {
			return false
		}
	}
	return true
}

// path reports names joined by dots, as code writes them: this.form.value1.
func path(v []byte) bool {
	dots := false
	begin := true
	for _, c := range v {
		switch {
		case c == '.':
			if begin {
				return false
			}
			begin, dots = true, true
			continue
		case begin && plainClass[c]&(cLetter|cUnder) == 0, plainClass[c]&(alnum|cUnder) == 0:
			return false
		}
		begin = false
	}
	return dots && !begin
}
