package markup

import (
	"unicode/utf8"

	"xiezhi/internal/observe/jsonleaf"
)

// readable reports whether the cells of a table have names: a row of them
// above, or one before each value.
func readable(cells []cell) bool {
	return len(cells) >= 2 && cells[0].row != cells[len(cells)-1].row || len(cells) == 2 && cells[0].head && !cells[1].head
}

// rowOf is the length of the row that begins at cells[0].
func rowOf(cells []cell) int {
	n := 1
	for n < len(cells) && cells[n].row == cells[0].row {
		n++
	}
	return n
}

// tellTable reports the records of a table. The header is the first row of
// header cells, or, when there is none, the first row whose cells all read
// like names and which the rows below match. A table with its names at the
// left is one record.
func (h *HTML) tellTable(cells []cell) {
	if h.tellSideways(cells) {
		return
	}
	header, ok := h.header(cells)
	if !ok {
		header = nil
	}
	w := h.w
	h.label(header)
	w.Key([]byte("table"))
	w.Array()
	below := header == nil
	for len(cells) > 0 {
		n := rowOf(cells)
		row := cells[:n]
		cells = cells[n:]
		if !below {
			below = &row[0] == &header[0]
			continue
		}
		if allHead(row) {
			continue // a second header
		}
		w.Object()
		for k, c := range row {
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

func (h *HTML) header(cells []cell) ([]cell, bool) {
	for rest := cells; len(rest) > 0; {
		n := rowOf(rest)
		if n > 1 && allHead(rest[:n]) {
			return rest[:n], true
		}
		rest = rest[n:]
	}
	first := cells[:rowOf(cells)]
	if len(first) < 2 {
		return nil, false
	}
	for _, c := range first {
		if h.text = h.cellText(c); !Label(h.text) {
			return nil, false
		}
	}
	if rest := cells[len(first):]; len(rest) == 0 || rowOf(rest) != len(first) {
		return nil, false
	}
	return first, true
}

// tellSideways reports a table whose rows are names and values in turn.
func (h *HTML) tellSideways(cells []cell) bool {
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
	if labels*2 <= rows {
		return false
	}
	w := h.w
	w.Key([]byte("table"))
	w.Object()
	for rest := cells; len(rest) > 0; rest = rest[rowOf(rest):] {
		n := rowOf(rest)
		h.label(rest[:n])
		for k := 0; k+1 < n; k += 2 {
			h.columnKey(k)
			h.text = h.cellText(rest[k+1])
			w.Value(jsonleaf.String, h.text)
		}
	}
	w.Close()
	return true
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
