package xlsx

import (
	"time"

	"github.com/xuri/excelize/v2"
)

// column of a list: its heading (a message id) and width.
type column struct {
	head  string
	width float64
}

// A level is text that is coloured by its rank.
type level struct{ text, id string }

// A prose is text that wraps.
type prose string

// A share is a number shown in percent.
type share float64

// An average is a number with one decimal.
type average float64

// sheet is a list in the making. Rows stream to the file; an error is kept
// until the end.
type sheet struct {
	b       *book
	name    string
	w       *excelize.StreamWriter
	columns int
	row     int
	first   int // row of the headings
	rows    int
	cut     int
	err     error
}

// list opens a sheet with headings; lines stand above them.
func (b *book) list(id string, columns []column, lines ...string) *sheet {
	s := &sheet{b: b, name: b.t("xlsx.sheet." + id), columns: len(columns), row: 1}
	if b.sheets++; b.sheets == 1 {
		s.err = b.f.SetSheetName("Sheet1", s.name)
	} else {
		_, s.err = b.f.NewSheet(s.name)
	}
	if s.err != nil {
		return s
	}
	if s.w, s.err = b.f.NewStreamWriter(s.name); s.err != nil {
		return s
	}
	for i, c := range columns {
		s.keep(s.w.SetColWidth(i+1, i+1, c.width))
	}
	s.first = len(lines) + 1
	s.keep(s.w.SetPanes(&excelize.Panes{Freeze: true, YSplit: s.first, TopLeftCell: cell(1, s.first+1), ActivePane: "bottomLeft"}))
	for _, l := range lines {
		s.keep(s.w.SetRow(cell(1, s.row), []any{excelize.Cell{StyleID: b.title, Value: text(l)}}))
		s.row++
	}
	heads := make([]any, len(columns))
	for i, c := range columns {
		heads[i] = excelize.Cell{StyleID: b.head, Value: text(b.t(c.head))}
	}
	s.keep(s.w.SetRow(cell(1, s.row), heads, excelize.RowOpts{Height: 22}))
	s.row++
	return s
}

func cell(col, row int) string {
	name, err := excelize.CoordinatesToCellName(col, row)
	if err != nil {
		return "A1" // columns and rows of this package are always valid
	}
	return name
}

func (s *sheet) keep(err error) {
	if s.err == nil {
		s.err = err
	}
}

// add writes a row. Cells are strings, numbers, times and the types above.
func (s *sheet) add(values ...any) {
	if s.err != nil {
		return
	}
	if s.rows == maxRows {
		s.cut++
		return
	}
	s.rows++
	row := make([]any, len(values))
	for i, v := range values {
		row[i] = s.b.cell(v)
	}
	s.keep(s.w.SetRow(cell(1, s.row), row))
	s.row++
}

func (b *book) cell(v any) excelize.Cell {
	switch v := v.(type) {
	case prose:
		return excelize.Cell{StyleID: b.wrap, Value: text(string(v))}
	case string:
		return excelize.Cell{StyleID: b.plain, Value: text(v)}
	case average:
		return excelize.Cell{StyleID: b.mean, Value: float64(v)}
	case share:
		return excelize.Cell{StyleID: b.share, Value: float64(v)}
	case time.Time:
		if v.IsZero() {
			return excelize.Cell{StyleID: b.plain, Value: ""}
		}
		// A date cell has no zone: it shows the clock of the report's zone.
		l := v.In(b.cfg.Zone)
		return excelize.Cell{StyleID: b.date, Value: time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC)}
	case level:
		style := b.plain
		switch v.id {
		case "critical", "high", "undetected":
			style = b.bad
		case "elevated", "partly":
			style = b.good
		}
		return excelize.Cell{StyleID: style, Value: text(v.text)}
	}
	return excelize.Cell{StyleID: b.number, Value: v}
}

// close ends the sheet with a filter over the list. Filter and charts belong
// to the sheet's tail, which Flush writes.
func (s *sheet) close() error {
	if s.err == nil && s.cut > 0 {
		s.keep(s.w.SetRow(cell(1, s.row), []any{excelize.Cell{StyleID: s.b.plain, Value: s.b.t("xlsx.cut", "n", s.cut)}}))
	}
	if s.err != nil {
		return s.err
	}
	if err := s.b.f.AutoFilter(s.name, cell(1, s.first)+":"+cell(s.columns, max(s.first+s.rows, s.first)), nil); err != nil {
		return err
	}
	return s.w.Flush()
}
