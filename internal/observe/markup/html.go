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
