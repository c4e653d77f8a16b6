package markup

import (
	"bytes"

	"xiezhi/internal/observe/jsonleaf"
)

// HTML reads pages one after the other. The zero value is ready. What it gives
// is valid until the next page is read.
type HTML struct {
	Known func(name []byte) bool // whether columns have this name; nil takes any

	Messages [][]byte // what the page says to its reader, decoded, most telling first
	Rest     [][]byte // what is not reported as a value
	Scripts  [][]byte // data of <script type="application/json">
	Over     int      // cells, fields and messages beyond the caps

	b      []byte
	tables []table
	cells  []cell
	fields []formField
	notes  []note
	text   []byte
	kept   []byte
	labels []byte
	names  []note // columns of a table, in labels
	tries  int    // texts looked at as messages
	from   int    // first byte that is not in Rest yet
	w      *jsonleaf.Walker
}

// table is a run of cells that have names.
type table struct {
	first, end int32
	header     int32 // of first: where the row of names begins
	sideways   bool  // each name stands before its value
}

type cell struct {
	from, to int32
	row      int32
	head     bool
}

type formField struct{ name, value []byte }

type note struct {
	from, to int32 // in kept
	rank     uint8 // 0 alert, 1 error element
}

// Read parses the page b and reports tables and form fields to v, under
// "table[]" and "input".
func (h *HTML) Read(b []byte, w *jsonleaf.Walker, v jsonleaf.Visitor) {
	h.Messages, h.Rest, h.Scripts, h.Over = h.Messages[:0], h.Rest[:0], h.Scripts[:0], 0
	h.b, h.w, h.from, h.tries = b, w, 0, 0
	h.tables, h.cells, h.fields, h.notes, h.kept = h.tables[:0], h.cells[:0], h.fields[:0], h.notes[:0], h.kept[:0]
	h.parse()
	w.Begin(v)
	if len(h.tables)+len(h.fields) > 0 {
		w.Object()
	}
	for _, t := range h.tables {
		h.tellTable(t)
	}
	if len(h.fields) > 0 {
		w.Key([]byte("input"))
		w.Object()
		for _, f := range h.fields {
			h.text = appendText(h.text[:0], f.name)
			w.Key(h.text)
			h.text = appendText(h.text[:0], f.value)
			w.Value(jsonleaf.String, h.text)
		}
		w.Close()
	}
	w.End()
	for rank := range uint8(2) {
		for _, n := range h.notes {
			if n.rank == rank {
				h.Messages = append(h.Messages, h.kept[n.from:n.to])
			}
		}
	}
	h.rest(len(b), len(b))
	clear(h.fields)
	h.b, h.w = nil, nil
	if cap(h.cells) > 1<<12 {
		h.cells = nil
	}
}

// rest says that what lies between from and to is reported as values.
func (h *HTML) rest(from, to int) {
	if from > h.from {
		h.Rest = append(h.Rest, h.b[h.from:from])
	}
	h.from = max(h.from, to)
}

func (h *HTML) parse() {
	b := h.b
	open := cell{from: -1} // the cell being read
	start, first, row := -1, 0, int32(0)
	thead := false
	endCell := func(at int) {
		if open.from >= 0 {
			open.to = int32(at)
			h.addCell(open)
			open.from = -1
		}
	}
	for i := 0; i < len(b); {
		lt := bytes.IndexByte(b[i:], '<')
		if lt < 0 {
			break
		}
		i += lt
		if bytes.HasPrefix(b[i:], comment) {
			end := bytes.Index(b[i:], commentEnd)
			if end < 0 {
				break
			}
			i += end + len(commentEnd)
			continue
		}
		t, n := readTag(b[i:])
		if n == 0 {
			i++
			continue
		}
		at := i
		i += n
		switch kind := tagOf(t.name); kind {
		case scriptTag, styleTag:
			if t.end || t.alone {
				continue
			}
			end := rawEnd(b[i:], kind)
			if kind == scriptTag {
				h.script(t.attrs, b[i:i+end])
			}
			i += end
		case tableTag:
			if !t.end { // of nested tables the inner one has the data
				endCell(at)
				start, first, row, thead = at, len(h.cells), 0, false
				continue
			}
			endCell(at)
			if start >= 0 && h.named(first) {
				h.rest(start, i)
			}
			start, first = -1, len(h.cells)
		case theadTag:
			thead = !t.end
		case rowTag:
			if start >= 0 {
				endCell(at)
				if !t.end {
					row++
				}
			}
		case cellTag, headTag:
			if start < 0 {
				continue
			}
			endCell(at)
			if !t.end {
				open = cell{from: int32(i), row: row, head: kind == headTag || thead}
			}
		case inputTag:
			if open.from < 0 {
				h.input(t.attrs, at, i)
			}
		case otherTag:
			if !t.end && len(t.attrs) > 0 && noteworthy(t.attrs) {
				h.note(b[i:], t.name)
			}
		}
	}
	endCell(len(b))
	if start >= 0 && h.named(first) { // the page was cut
		h.rest(start, len(b))
	}
}

type tagKind uint8

const (
	otherTag tagKind = iota
	scriptTag
	styleTag
	tableTag
	theadTag
	rowTag
	cellTag
	headTag
	inputTag
)

func tagOf(name []byte) tagKind {
	switch name[0] | 0x20 {
	case 't':
		switch {
		case equalFold(name, "td"):
			return cellTag
		case equalFold(name, "th"):
			return headTag
		case equalFold(name, "tr"):
			return rowTag
		case equalFold(name, "table"):
			return tableTag
		case equalFold(name, "thead"):
			return theadTag
		}
	case 's':
		if equalFold(name, "script") {
			return scriptTag
		}
		if equalFold(name, "style") {
			return styleTag
		}
	case 'i':
		if equalFold(name, "input") {
			return inputTag
		}
	}
	return otherTag
}

// rawEnd gives the length of the text of a script or style.
func rawEnd(b []byte, kind tagKind) int {
	name := "</script"
	if kind == styleTag {
		name = "</style"
	}
	for i := 0; i < len(b); {
		lt := bytes.IndexByte(b[i:], '<')
		if lt < 0 {
			break
		}
		i += lt
		if i+len(name) <= len(b) && equalFold(b[i:i+len(name)], name) {
			return i
		}
		i++
	}
	return len(b)
}

func (h *HTML) addCell(c cell) {
	if len(h.cells) >= MaxCells {
		h.Over++
		return
	}
	h.cells = append(h.cells, c)
}

func (h *HTML) input(attrs []byte, from, to int) {
	name, ok := attribute(attrs, "name")
	value, has := attribute(attrs, "value")
	if !ok || !has || len(name) == 0 || len(name) > maxName || len(value) == 0 || len(value) > MaxCell {
		return
	}
	if kind, ok := attribute(attrs, "type"); ok {
		for _, s := range [...]string{"submit", "button", "reset", "image", "checkbox", "radio", "hidden", "file"} {
			if equalFold(kind, s) {
				return
			}
		}
	}
	if len(h.fields) == MaxFields {
		h.Over++
		return
	}
	h.fields = append(h.fields, formField{name, value})
	h.rest(from, to)
}

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
