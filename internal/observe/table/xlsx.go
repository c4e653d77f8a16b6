package table

import (
	"archive/zip"
	"bytes"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"

	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/observe/markup"
)

const (
	// MaxSheets is how many sheets of a spreadsheet are read, MaxPart how many
	// bytes of one of its parts are unpacked, MaxRatio how many times the size
	// of the archive all of them together.
	MaxSheets = 4
	MaxPart   = 4 << 20
	MaxRatio  = 100
	// MaxStrings is how many shared strings are kept.
	MaxStrings = 1 << 16

	maxArchiveFiles = 4096
)

// Facts are what is known of a spreadsheet.
type Facts struct {
	Rows   uint32 // below the headers, of all sheets read
	Unread uint32 // rows that were not reported
	Over   int    // sheets, strings and bytes beyond the caps
}

// XLSX reads spreadsheets one after the other. The zero value is ready.
type XLSX struct {
	Known Known

	head    header
	part    []byte
	shared  []byte
	ends    []int32 // of shared strings
	cells   []sheetCell
	values  []byte
	inflate io.ReadCloser
	budget  int
	narrow  bool // the sheet says that it has one column
}

// sheetCell is a cell of the row being read.
type sheetCell struct {
	column   int
	from, to int32 // in values
}

// Read reports the rows of the spreadsheet b to v under "sheet[]". ok is false
// when b is no spreadsheet that can be opened.
func (x *XLSX) Read(b []byte, w *jsonleaf.Walker, v jsonleaf.Visitor, max uint32) (f Facts, ok bool) {
	if files(b) > maxArchiveFiles {
		return f, false
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(z.File) > maxArchiveFiles {
		return f, false
	}
	var sheets []*zip.File
	var shared *zip.File
	for _, e := range z.File {
		switch {
		case strings.HasPrefix(e.Name, "xl/worksheets/") && strings.HasSuffix(e.Name, ".xml"):
			sheets = append(sheets, e)
		case e.Name == "xl/sharedStrings.xml":
			shared = e
		}
	}
	if len(sheets) == 0 {
		return f, false
	}
	slices.SortFunc(sheets, func(a, b *zip.File) int { // sheet2 before sheet10
		if d := len(a.Name) - len(b.Name); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	if len(sheets) > MaxSheets {
		f.Over += len(sheets) - MaxSheets
		sheets = sheets[:MaxSheets]
	}
	x.budget = len(b) * MaxRatio
	x.shared, x.ends = x.shared[:0], x.ends[:0]
	if shared != nil {
		if !x.unpack(shared) {
			f.Over++
		}
		f.Over += x.readShared()
	}
	w.Begin(v)
	w.Object()
	w.Key([]byte("sheet"))
	w.Array()
	for _, s := range sheets {
		if !x.unpack(s) {
			f.Over++
		}
		x.readSheet(w, max, &f)
	}
	w.Close()
	w.End()
	for _, buf := range []*[]byte{&x.part, &x.shared, &x.values} {
		if cap(*buf) > 1<<20 {
			*buf = nil
		}
	}
	return f, true
}

// files is the number of files that an archive claims, before any is listed.
func files(b []byte) int {
	i := bytes.LastIndex(b, []byte("PK\x05\x06"))
	if i < 0 || i+12 > len(b) {
		return 0
	}
	return int(b[i+10]) | int(b[i+11])<<8
}

// unpack reads a part of the archive into x.part; whole says that it fits.
func (x *XLSX) unpack(e *zip.File) (whole bool) {
	x.part = x.part[:0]
	raw, err := e.OpenRaw()
	if err != nil {
		return false
	}
	r := raw
	switch e.Method {
	case zip.Store:
	case zip.Deflate:
		if x.inflate == nil {
			x.inflate = flate.NewReader(raw)
		} else if err := x.inflate.(flate.Resetter).Reset(raw, nil); err != nil {
			return false
		}
		r = x.inflate
	default:
		return false
	}
	limit := min(MaxPart, x.budget)
	for len(x.part) < limit {
		if len(x.part) == cap(x.part) {
			x.part = slices.Grow(x.part, max(32<<10, len(x.part)))
		}
		n, err := r.Read(x.part[len(x.part):min(cap(x.part), limit)])
		x.part = x.part[:len(x.part)+n]
		if err != nil {
			x.budget -= len(x.part)
			return err == io.EOF
		}
	}
	x.budget -= len(x.part)
	return false
}

// readShared splits the shared strings; it gives how many were left out.
func (x *XLSX) readShared() (over int) {
	open := false
	markup.Tokens(x.part, func(name []byte, _ []byte, end bool, text []byte) bool {
		switch string(name) {
		case "si":
			switch {
			case !end:
				open = true
			case open && len(x.ends) < MaxStrings:
				x.ends = append(x.ends, int32(len(x.shared)))
				open = false
			default:
				over++
			}
		case "t":
			if open && !end && len(x.ends) < MaxStrings {
				x.shared = markup.AppendText(x.shared, text[:min(len(text), MaxCell)])
			}
		}
		return true
	})
	return over
}

func (x *XLSX) sharedString(n int) []byte {
	if n < 0 || n >= len(x.ends) {
		return nil
	}
	from := int32(0)
	if n > 0 {
		from = x.ends[n-1]
	}
	return x.shared[from:x.ends[n]]
}

// readSheet reports the rows of the sheet in x.part.
func (x *XLSX) readSheet(w *jsonleaf.Walker, max uint32, f *Facts) {
	x.head.reset()
	x.narrow = false
	claimed, rows, tried := 0, uint32(0), 0
	headed := false
	column := 0
	var kind cellType
	endRow := func() {
		if len(x.cells) == 0 {
			return
		}
		if !headed {
			if headed = x.header(); headed {
				x.cells = x.cells[:0]
				return
			}
			tried++
			headed = tried == headerRows // a table without names
			if len(x.cells) == 1 && !x.narrow {
				x.cells = x.cells[:0] // a title above the table
				return
			}
		}
		rows++
		if w.Leaves >= max {
			f.Unread++
		} else {
			w.Object()
			for _, c := range x.cells {
				w.Key(x.head.name(c.column))
				w.Value(cellKind, x.values[c.from:c.to])
			}
			w.Close()
		}
		x.cells = x.cells[:0]
	}
	x.cells = x.cells[:0]
	markup.Tokens(x.part, func(name, attrs []byte, end bool, text []byte) bool {
		switch string(name) {
		case "dimension":
			if ref, ok := markup.Attribute(attrs, "ref"); ok {
				claimed = lastRow(ref)
				from, to, _ := bytes.Cut(ref, []byte{':'})
				x.narrow = columnOf(from) == columnOf(to)
			}
		case "row":
			if end {
				endRow()
				x.values = x.values[:0]
			} else {
				column = 0
			}
		case "c":
			if end {
				break
			}
			kind = cellNumber
			if t, ok := markup.Attribute(attrs, "t"); ok {
				kind = cellTypeOf(t)
			}
			if ref, ok := markup.Attribute(attrs, "r"); ok {
				if n := columnOf(ref); n >= 0 {
					column = n
				}
			}
			column++
		case "v", "t":
			if !end && len(text) > 0 && column > 0 {
				x.cell(kind, column-1, text)
			}
		}
		return true
	})
	endRow()
	x.values = x.values[:0]
	// of a sheet that was cut the rest is known by its dimension
	if left := claimed - 1 - int(rows); left > 0 && x.budget <= 0 || len(x.part) >= MaxPart && left > 0 {
		rows += uint32(left)
		f.Unread += uint32(left)
	}
	f.Rows += rows
}

type cellType uint8

const (
	cellNumber cellType = iota
	cellShared
	cellText
	cellBool
)

func cellTypeOf(t []byte) cellType {
	switch string(t) {
	case "s":
		return cellShared
	case "str", "inlineStr", "d":
		return cellText
	case "b":
		return cellBool
	}
	return cellNumber
}

// cell keeps a cell of the row; several runs of rich text make one.
func (x *XLSX) cell(kind cellType, column int, text []byte) {
	if column >= MaxColumns {
		return
	}
	from := int32(len(x.values))
	text = text[:min(len(text), MaxCell)]
	switch kind {
	case cellShared:
		n, err := strconv.Atoi(string(trim(text)))
		if err != nil {
			return
		}
		s := x.sharedString(n)
		x.values = append(x.values, s[:min(len(s), MaxCell)]...)
	case cellNumber:
		x.values = appendNumber(x.values, trim(text))
	default:
		x.values = markup.AppendText(x.values, text)
	}
	to := int32(len(x.values))
	if n := len(x.cells); n > 0 && x.cells[n-1].column == column {
		x.cells[n-1].to = to
		return
	}
	if to > from && len(x.cells) < MaxColumns {
		x.cells = append(x.cells, sheetCell{column, from, to})
	}
}

// appendNumber writes a number as its cell shows it: 1.3800138E10 is a phone.
func appendNumber(dst, b []byte) []byte {
	if bytes.IndexByte(b, 'E') > 0 || bytes.IndexByte(b, 'e') > 0 {
		if f, err := strconv.ParseFloat(string(b), 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1e18 {
			return strconv.AppendInt(dst, int64(f), 10)
		}
	}
	return append(dst, b...)
}

// header takes the row as names if it has several and all read like names.
func (x *XLSX) header() bool {
	if len(x.cells) < 2 && !x.narrow {
		return false
	}
	known := false
	for _, c := range x.cells {
		v := trim(x.values[c.from:c.to])
		if !markup.Label(v) {
			return false
		}
		known = known || x.Known.any(v)
	}
	if !known {
		return false
	}
	x.head.reset()
	for _, c := range x.cells {
		for len(x.head.ends) < c.column {
			x.head.add(nil)
		}
		if len(x.head.ends) == c.column {
			x.head.add(x.values[c.from:c.to])
		}
	}
	return true
}

// columnOf gives the column of a cell's reference: A1 → 0, AB7 → 27.
func columnOf(ref []byte) int {
	n := 0
	for _, c := range ref {
		if c-'A' > 25 {
			break
		}
		if n = n*26 + int(c-'A') + 1; n > 1<<16 {
			return -1
		}
	}
	return n - 1
}

// lastRow gives the last row of a range: A1:H801 → 801.
func lastRow(ref []byte) int {
	i := len(ref)
	for i > 0 && ref[i-1]-'0' < 10 {
		i--
	}
	n, err := strconv.Atoi(string(ref[i:]))
	if err != nil || n > 1<<20 {
		return 0
	}
	return n
}
