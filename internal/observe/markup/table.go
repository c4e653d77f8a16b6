package markup

import (
	"unicode/utf8"

	"xiezhi/internal/observe/jsonleaf"
)

// rowOf is the length of the row that begins at cells[0].
func rowOf(cells []cell) int {
	n := 1
	for n < len(cells) && cells[n].row == cells[0].row {
		n++
	}
	return n
}

// named keeps the cells from first on as a table if they have names: a row of
// header cells; or else a first row whose cells all read like names and which
// nearly all rows below match; or one name before each value. A table without
// names is layout, or says nothing that its text does not.
func (h *HTML) named(first int) bool {
	cells := h.cells[first:]
	t := table{first: int32(first), end: int32(len(h.cells))}
	ok := len(cells) >= 2
	if ok {
		if t.sideways = h.sideways(cells); !t.sideways {
			t.header, ok = h.header(cells)
		}
	}
	if !ok {
		h.cells = h.cells[:first]
		return false
	}
	h.tables = append(h.tables, t)
	return true
}

// tellTable reports the records of a table, or the one record that it is.
func (h *HTML) tellTable(t table) {
	w := h.w
	cells := h.cells[t.first:t.end]
	w.Key([]byte("table"))
	if t.sideways {
		w.Object()
		for ; len(cells) > 0; cells = cells[rowOf(cells):] {
			n := rowOf(cells)
			h.label(cells[:n])
			for k := 0; k+1 < n; k += 2 {
				h.columnKey(k)
				h.text = h.cellText(cells[k+1])
				w.Value(jsonleaf.String, h.text)
			}
		}
		w.Close()
		return
	}
	cells = cells[t.header:]
	n := rowOf(cells)
	h.label(cells[:n])
	w.Array()
	for cells = cells[n:]; len(cells) > 0; cells = cells[n:] {
		n = rowOf(cells)
		if allHead(cells[:n]) {
			continue // a second header
		}
		w.Object()
		for k, c := range cells[:n] {
			h.columnKey(k)
			h.text = h.cellText(c)
			w.Value(jsonleaf.String, h.text)
		}
		w.Close()
	}
	w.Close()
}

// label keeps the names of the columns.
func (h *HTML) label(header []cell) {
	h.labels, h.names = h.labels[:0], h.names[:0]
	for _, c := range header {
		h.text = h.cellText(c)
		from := len(h.labels)
		h.labels = append(h.labels, trimLabel(h.text)...)
		h.names = append(h.names, note{from: int32(from), to: int32(len(h.labels))})
	}
}

// columnKey sets the key of the k-th column.
func (h *HTML) columnKey(k int) {
	if k < len(h.names) {
		if n := h.names[k]; n.to > n.from && n.to-n.from <= maxName {
			h.w.Key(h.labels[n.from:n.to])
			return
		}
	}
	h.text = AppendColumn(h.text[:0], k)
	h.w.Key(h.text)
}

// AppendColumn names a column that has no name.
func AppendColumn(dst []byte, k int) []byte {
	dst = append(dst, 'c', 'o', 'l', 'u', 'm', 'n')
	for ; ; k = k/26 - 1 { // a number would make the name a value
		dst = append(dst, '_', 'a'+byte(k%26))
		if k < 26 {
			return dst
		}
	}
}

func (h *HTML) cellText(c cell) []byte {
	b := h.b[c.from:c.to]
	v := appendVisible(h.text[:0], b[:min(len(b), 16*MaxCell)])
	if len(v) > MaxCell {
		v = v[:MaxCell]
	}
	return v
}

func allHead(row []cell) bool {
	for _, c := range row {
		if !c.head {
			return false
		}
	}
	return true
}

// header finds the row of names.
func (h *HTML) header(cells []cell) (at int32, ok bool) {
	for i := 0; i < len(cells); {
		n := rowOf(cells[i:])
		if n > 1 && allHead(cells[i:i+n]) {
			return int32(i), i+n < len(cells)
		}
		i += n
	}
	first := cells[:rowOf(cells)]
	if len(first) < 2 {
		return 0, false
	}
	known := h.Known == nil
	for _, c := range first { // it may be people's names, hence one must be known
		if h.text = h.cellText(c); !Label(h.text) {
			return 0, false
		}
		known = known || h.Known(trimLabel(h.text))
	}
	if !known {
		return 0, false
	}
	rows, alike := 0, 0
	for rest := cells[len(first):]; len(rest) > 0; rest = rest[rowOf(rest):] {
		rows++
		if rowOf(rest) == len(first) {
			alike++
		}
	}
	return 0, rows > 0 && alike*5 >= rows*4
}

// sideways reports whether the rows of a table are names and values in turn.
func (h *HTML) sideways(cells []cell) bool {
	labels, rows := 0, 0
	for rest := cells; len(rest) > 0; {
		n := rowOf(rest)
		row := rest[:n]
		rest = rest[n:]
		if n%2 != 0 {
			return false
		}
		rows++
		named := true
		for k := 0; k < n && named; k += 2 {
			if row[k+1].head {
				return false
			}
			if !row[k].head {
				h.text = h.cellText(row[k])
				named = len(trimLabel(h.text)) < len(h.text)
			}
		}
		if named {
			labels++
		}
	}
	return labels*2 > rows
}

// trimLabel drops the colon behind a name.
func trimLabel(b []byte) []byte {
	b = trim(b)
	for {
		switch {
		case len(b) > 0 && (b[len(b)-1] == ':' || b[len(b)-1] == '*'):
			b = trim(b[:len(b)-1])
		case len(b) > 2 && string(b[len(b)-3:]) == "：":
			b = trim(b[:len(b)-3])
		default:
			return b
		}
	}
}

// Label reports whether a text reads like the name of a column: short, and no
// value itself.
func Label(b []byte) bool {
	if len(b) == 0 || len(b) > 64 || !utf8.Valid(b) {
		return false
	}
	digits, letters := 0, 0
	for _, c := range b {
		switch {
		case c-'0' < 10:
			digits++
		case c == '@' || c == '=':
			return false
		case c >= 0x80 || (c|0x20)-'a' < 26:
			letters++
		}
	}
	return letters > 0 && digits < 5
}
