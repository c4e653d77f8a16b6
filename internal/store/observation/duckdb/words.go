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
// all at its cap, which the file counts. Questions ask for the numbers of a
// value, and join numbers to values before they sum.
type words[V comparable] struct {
	table string
	args  func(id uint32, v V) []driver.Value
	scan  func(*sql.Rows, *uint32) (V, error)
	ids   map[V]uint32
	last  uint32
	fresh []V // not written yet; they have the highest numbers

	most   int // that are remembered
	forgot int // how often all were forgotten, not written yet
}

func (w *words[V]) id(v V) uint32 {
	var none V
	if v == none {
		return 0
	}
	if id, ok := w.ids[v]; ok {
		return id
	}
	if len(w.ids) >= w.most {
		clear(w.ids)
		w.forgot++
	}
	w.last++
	w.ids[v] = w.last
	w.fresh = append(w.fresh, v)
	return w.last
}

// load remembers the values that a day has, if there are not too many.
func (w *words[V]) load(ctx context.Context, c *sql.Conn, day string) error {
	w.ids = map[V]uint32{}
	var n int
	if err := c.QueryRowContext(ctx, "SELECT count(*), coalesce(max(id), 0) FROM "+day+"."+w.table).Scan(&n, &w.last); err != nil {
		return err
	}
	if n >= w.most {
		w.forgot++
		return nil
	}
	return each(ctx, c, "SELECT id, value FROM "+day+"."+w.table, func(r *sql.Rows) error {
		var id uint32
		v, err := w.scan(r, &id)
		w.ids[v] = id
		return err
	})
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

func plain[V comparable](table string, most int) words[V] {
	return words[V]{table: table, most: most,
		args: func(id uint32, v V) []driver.Value { return []driver.Value{id, v} },
		scan: func(r *sql.Rows, id *uint32) (v V, err error) { err = r.Scan(id, &v); return v, err },
	}
}

func addresses(table string, most int) words[netip.Addr] {
	return words[netip.Addr]{table: table, most: most,
		args: func(id uint32, v netip.Addr) []driver.Value { return []driver.Value{id, v.String(), v.AsSlice()} },
		scan: func(r *sql.Rows, id *uint32) (netip.Addr, error) {
			var s string
			if err := r.Scan(id, &s); err != nil {
				return netip.Addr{}, err
			}
			return netip.ParseAddr(s)
		},
	}
}
