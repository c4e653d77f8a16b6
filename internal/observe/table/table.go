// Package table reads files of rows and columns: CSV, TSV and spreadsheets.
//
// It takes body bytes (CSV in UTF-8, XLSX as the archive) and reports each row
// as a record by the events of a jsonleaf.Walker, with the header's cells as
// names: "csv[].手机号", "sheet[].phone". Invariants: rows beyond the cap on
// leaves are counted but not reported, memory is bounded by the caps whatever
// an archive claims about itself, and equal input gives equal events. Limits:
// the Max constants; a spreadsheet whose directory is missing (it was cut) is
// known by its kind only; formulas are not computed, their stored results are
// read; the old binary .xls is not read.
package table

import (
	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/observe/markup"
)

const (
	MaxColumns = 512  // columns of a row that are reported
	MaxCell    = 4096 // bytes of a cell

	headerRows = 10 // rows in which a header is looked for
)

// Known says whether a text is a name that columns have. Nothing marks the
// header of a table in these formats, and the first row of a table without one
// may be people's names: a row is a header if all its cells read like names and
// one of them is known. nil takes any.
type Known func(name []byte) bool

func (k Known) any(name []byte) bool { return k == nil || k(name) }

// header holds the names of the columns.
type header struct {
	text  []byte
	ends  []int32
	named int // columns that have a name
}

func (h *header) reset() { h.text, h.ends, h.named = h.text[:0], h.ends[:0], 0 }

func (h *header) add(name []byte) {
	name = trim(name)
	if len(name) > 128 {
		name = nil
	}
	if len(name) > 0 {
		h.named++
	} else {
		h.text = markup.AppendColumn(h.text, len(h.ends))
	}
	h.text = append(h.text, name...)
	h.ends = append(h.ends, int32(len(h.text)))
}

// name gives the name of column k, which is made up for a column without one.
func (h *header) name(k int) []byte {
	for len(h.ends) <= k {
		h.add(nil)
	}
	from := int32(0)
	if k > 0 {
		from = h.ends[k-1]
	}
	return h.text[from:h.ends[k]]
}

func trim(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// Kind of a leaf of a table: cells have no types of their own.
const cellKind = jsonleaf.String
