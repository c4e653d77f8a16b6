package table

import (
	"bytes"

	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/observe/markup"
)

// CSV reads files of separated values one after the other. The zero value is
// ready.
type CSV struct {
	Known Known

	head header
	row  []field
	text []byte // cells that had quotes inside
}

type field struct {
	from, to int32
	own      bool // in text, not in the body
}

// Read reports the records of b, which is UTF-8, to v under "csv[]". It gives
// the number of rows below the header and how many of them were not reported
// because more than max leaves had been.
func (c *CSV) Read(b []byte, w *jsonleaf.Walker, v jsonleaf.Visitor, max uint32) (rows, unread uint32) {
	sep := separator(b)
	w.Begin(v)
	w.Object()
	w.Key([]byte("csv"))
	w.Array()
	c.head.reset()
	named, tried := false, 0
	for len(b) > 0 {
		n := c.next(b, sep)
		line := b
		b = b[n:]
		if len(c.row) == 1 && c.row[0].from == c.row[0].to {
			continue // an empty line
		}
		if !named && tried < headerRows {
			tried++
			if named = c.header(line); named {
				continue
			}
		}
		rows++
		if w.Leaves >= max {
			unread++
			continue
		}
		w.Object()
		for k, f := range c.row[:min(len(c.row), MaxColumns)] {
			w.Key(c.head.name(k))
			w.Value(cellKind, guarded(c.bytes(f, line)))
		}
		w.Close()
	}
	w.Close()
	w.End()
	return rows, unread
}

func (c *CSV) bytes(f field, line []byte) []byte {
	if f.own {
		return c.text[f.from:f.to]
	}
	return line[f.from:f.to]
}

// header takes the row as names if it is one of them.
func (c *CSV) header(line []byte) bool {
	known := false
	for _, f := range c.row {
		v := trim(guarded(c.bytes(f, line)))
		if len(v) > 0 && !markup.Label(v) {
			return false
		}
		known = known || len(v) > 0 && c.Known.any(v)
	}
	if !known {
		return false
	}
	c.head.reset()
	for _, f := range c.row[:min(len(c.row), MaxColumns)] {
		c.head.add(guarded(c.bytes(f, line)))
	}
	return c.head.named > 0
}

// next reads one row; n is its length with the line's end.
func (c *CSV) next(b []byte, sep byte) (n int) {
	c.row, c.text = c.row[:0], c.text[:0]
	i := 0
	for {
		f := field{from: int32(i)}
		if i < len(b) && b[i] == '"' {
			i = c.quoted(b, i+1, &f)
			for i < len(b) && b[i] != sep && b[i] != '\n' { // what follows a closing quote
				i++
			}
		} else {
			for i < len(b) && b[i] != sep && b[i] != '\n' {
				i++
			}
			f.to = int32(i)
			if f.to > f.from && b[f.to-1] == '\r' {
				f.to--
			}
		}
		f.to = min(f.to, f.from+MaxCell)
		if len(c.row) <= MaxColumns {
			c.row = append(c.row, f)
		}
		if i >= len(b) {
			return len(b)
		}
		i++
		if b[i-1] == '\n' {
			return i
		}
		if i == len(b) { // the last cell is empty
			c.row = append(c.row, field{from: int32(i), to: int32(i)})
			return i
		}
	}
}

// maxQuoted bounds a quoted cell: a quote that never closes would otherwise
// swallow the file.
const maxQuoted = 64 << 10

// quoted reads the rest of a quoted cell.
func (c *CSV) quoted(b []byte, i int, f *field) int {
	start := i
	limit := min(len(b), i+maxQuoted)
	for i < limit {
		q := bytes.IndexByte(b[i:limit], '"')
		if q < 0 {
			break
		}
		i += q
		if i+1 >= len(b) || b[i+1] != '"' {
			if f.own {
				c.text = append(c.text, b[start:i]...)
				f.to = int32(len(c.text))
			} else {
				f.from, f.to = int32(start), int32(i)
			}
			return i + 1
		}
		if !f.own {
			f.own, f.from = true, int32(len(c.text))
		}
		c.text = append(c.text, b[start:i+1]...)
		i += 2
		start = i
	}
	// no closing quote: the cell ends with its line
	end := bytes.IndexByte(b[start:], '\n')
	if end < 0 {
		end = len(b) - start
	}
	f.own, f.from, f.to = false, int32(start), int32(start+end)
	return start + end
}

// guarded removes what keeps spreadsheets from reading a text as a number or
// formula: ="138…", '138…, a leading tab.
func guarded(v []byte) []byte {
	v = trim(v)
	if n := len(v); n > 3 && v[0] == '=' && v[1] == '"' && v[n-1] == '"' {
		return v[2 : n-1]
	}
	if len(v) > 1 && (v[0] == '\'' || v[0] == '`') {
		return trim(v[1:])
	}
	return v
}

// separator tells what separates the values: the sign of which the first line
// has most.
func separator(b []byte) byte {
	if end := bytes.IndexByte(b, '\n'); end >= 0 {
		b = b[:end]
	}
	best, most := byte(','), 0
	for _, s := range []byte{',', '\t', ';', '|'} {
		if n := bytes.Count(b, []byte{s}); n > most {
			best, most = s, n
		}
	}
	return best
}
