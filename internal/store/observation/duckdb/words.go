//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net/netip"

	"github.com/duckdb/duckdb-go/v2"
)

// words numbers the values of a column, from 1; 0 stands for none. A value may
// have several numbers: what is remembered of those given is bounded and forgets
// all at its cap. Questions ask for the numbers of a value, and join numbers to
// values before they sum.
type words[V comparable] struct {
	table string
	args  func(id uint32, v V) []driver.Value
	ids   map[V]uint32
	last  uint32
	fresh []V // not written yet; they have the highest numbers
}

// maxWords is how many values of a column are remembered of a day.
const maxWords = 1 << 20

func (w *words[V]) id(v V) uint32 {
	var none V
	if v == none {
		return 0
	}
	if id, ok := w.ids[v]; ok {
		return id
	}
	if len(w.ids) >= maxWords {
		clear(w.ids)
	}
	w.last++
	w.ids[v] = w.last
	w.fresh = append(w.fresh, v)
	return w.last
}

func (w *words[V]) load(ctx context.Context, c *sql.Conn, day string) error {
	w.ids = map[V]uint32{}
	return c.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM "+day+"."+w.table).Scan(&w.last)
}

// flush writes the new values in the transaction that is open.
func (w *words[V]) flush(c driver.Conn, day string) error {
	if len(w.fresh) == 0 {
		return nil
	}
	first := w.last - uint32(len(w.fresh)) + 1
	err := appendTo(c, day, w.table, func(a *duckdb.Appender) error {
		for i, v := range w.fresh {
			if err := a.AppendRow(w.args(first+uint32(i), v)...); err != nil {
				return err
			}
		}
		return nil
	})
	w.fresh = w.fresh[:0]
	return err
}

func appendTo(c driver.Conn, day, table string, do func(*duckdb.Appender) error) error {
	a, err := duckdb.NewAppender(c, day, "main", table)
	if err != nil {
		return err
	}
	if err := do(a); err != nil {
		_ = a.Close()
		return err
	}
	return a.Close()
}

func plain[V comparable](table string) words[V] {
	return words[V]{table: table, args: func(id uint32, v V) []driver.Value { return []driver.Value{id, v} }}
}

func addresses(table string) words[netip.Addr] {
	return words[netip.Addr]{table: table, args: func(id uint32, v netip.Addr) []driver.Value {
		return []driver.Value{id, v.String(), v.AsSlice()}
	}}
}
