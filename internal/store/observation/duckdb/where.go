//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"xiezhi/internal/store/observation"
)

// column is what the rows of a dimension are told apart by.
type column struct {
	name  string // in observed and in the tables of sums
	expr  string // of the dimension's value; empty for the column itself
	word  string // table of its values; empty when the column holds the value
	token bool   // the values are tokens, else texts
}

// of is what gives the value.
func (c column) of() string {
	if c.expr != "" {
		return c.expr
	}
	return c.name
}

var columns = map[observation.Dimension]column{
	observation.BySite:    {name: "site", word: "word_site"},
	observation.ByAPI:     {name: "api", word: "word_api"},
	observation.ByAttack:  {name: "attack", word: "word_attack"},
	observation.ByVerdict: {name: "verdict"},
	observation.ByOutcome: {name: "outcome"},
	observation.ByClass:   {name: "status", expr: "status // 100"},
	observation.ByStatus:  {name: "status"},
	observation.ByCountry: {name: "country"},
	observation.ByNetwork: {name: "network"},
	observation.ByType:    {name: "types", word: "word_types", token: true},
	observation.ByClient:  {name: "client", word: "word_client"},
	observation.ByActor:   {name: "actor", word: "word_account", token: true},
	observation.ByAccount: {name: "account", word: "word_account", token: true},
	observation.BySession: {name: "session", word: "word_session", token: true},
	observation.ByAgent:   {name: "agent", word: "word_agent", token: true},
}

// where is a filter as conditions on the rows of one day. They hold numbers
// only: texts were looked up before.
type where struct {
	times   []string // on time
	minutes []string // on minute; both ends are whole minutes, or sums are not asked for
	rest    []string // on columns
	columns []string // that rest is about
	none    bool     // no row can match
}

// and adds a condition on a column, which it begins with.
func (w *where) and(column, format string, args ...any) {
	w.columns = append(w.columns, column)
	w.rest = append(w.rest, column+fmt.Sprintf(format, args...))
}

// both adds a condition on several columns.
func (w *where) both(condition string, columns ...string) {
	w.columns = append(w.columns, columns...)
	w.rest = append(w.rest, condition)
}

func joined(lists ...[]string) string {
	out := "true"
	for _, l := range lists {
		for _, c := range l {
			out += " AND " + c
		}
	}
	return out
}

func (w *where) rows() string { return joined(w.times, w.rest) }

const minute = int64(60e9)

// narrow makes the conditions of a filter for a day.
func narrow(ctx context.Context, c *sql.Conn, day string, f *observation.Filter) (*where, error) {
	w := &where{}
	if !f.From.IsZero() {
		w.times = append(w.times, fmt.Sprintf("time >= %d", f.From.UnixNano()))
		w.minutes = append(w.minutes, fmt.Sprintf("minute >= %d", f.From.UnixNano()/minute))
	}
	if !f.To.IsZero() {
		w.times = append(w.times, fmt.Sprintf("time < %d", f.To.UnixNano()))
		w.minutes = append(w.minutes, fmt.Sprintf("minute < %d", f.To.UnixNano()/minute))
	}
	for _, s := range []struct {
		d     observation.Dimension
		value string
	}{{observation.BySite, f.Site}, {observation.ByAPI, f.API}, {observation.ByAttack, f.Attack}} {
		if s.value != "" {
			if err := w.word(ctx, c, day, columns[s.d], "value = ?", s.value); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range []struct {
		d     observation.Dimension
		value uint64
	}{{observation.ByActor, f.Actor}, {observation.ByAccount, f.Account}, {observation.BySession, f.Session}, {observation.ByAgent, f.Agent}} {
		if s.value != 0 {
			if err := w.word(ctx, c, day, columns[s.d], fmt.Sprintf("value = %d", s.value)); err != nil {
				return nil, err
			}
		}
	}
	if f.Types != 0 {
		if err := w.word(ctx, c, day, columns[observation.ByType], fmt.Sprintf("value & %d::UBIGINT <> 0", uint64(f.Types))); err != nil {
			return nil, err
		}
	}
	if f.Client.IsValid() {
		if err := w.client(ctx, c, day, f.Client); err != nil {
			return nil, err
		}
	}
	for _, s := range []struct {
		column string
		value  uint64
	}{{"exchange", f.Exchange}, {"network", uint64(f.Network)}, {"country", uint64(f.Country)}} {
		if s.value != 0 {
			w.and(s.column, " = %d", s.value)
		}
	}
	if f.Status != 0 {
		w.and("status", " = %d", f.Status)
	}
	for _, s := range []struct {
		column, expr string
		set          observation.Set
	}{{"status", " // 100", f.Classes}, {"outcome", "", f.Outcomes}, {"verdict", "", f.Verdicts}} {
		if s.set != 0 {
			var list []string
			s.set.Each(func(n int) { list = append(list, strconv.Itoa(n)) })
			w.and(s.column, "%s IN (%s)", s.expr, strings.Join(list, ", "))
		}
	}
	for i := range f.Not {
		not, err := narrow(ctx, c, day, &f.Not[i])
		if err != nil {
			return nil, err
		}
		if !not.none {
			w.both("NOT ("+joined(not.rest)+")", not.columns...)
		}
	}
	return w, w.within(ctx, c, day, f.Within)
}

// word holds a column to the numbers of some of its values.
func (w *where) word(ctx context.Context, c *sql.Conn, day string, col column, condition string, args ...any) error {
	ids, err := numbers(ctx, c, "SELECT id FROM "+day+"."+col.word+" WHERE "+condition, args...)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		w.none = true
		return nil
	}
	w.and(col.name, " IN (%s)", strings.Join(ids, ", "))
	return nil
}

func numbers(ctx context.Context, c *sql.Conn, text string, args ...any) ([]string, error) {
	var out []string
	err := each(ctx, c, text, func(r *sql.Rows) error {
		var id uint32
		err := r.Scan(&id)
		out = append(out, strconv.FormatUint(uint64(id), 10))
		return err
	}, args...)
	return out, err
}

// client holds the rows to addresses.
func (w *where) client(ctx context.Context, c *sql.Conn, day string, p netip.Prefix) error {
	col := columns[observation.ByClient]
	if p.IsSingleIP() {
		return w.word(ctx, c, day, col, "value = ?", p.Addr().String())
	}
	first, last := p.Masked().Addr().AsSlice(), p.Addr().AsSlice()
	for i := range last {
		for b := range 8 {
			if i*8+b >= p.Bits() {
				last[i] |= 0x80 >> b
			} else if i*8+b < p.Bits() {
				last[i] = last[i]&^(0x80>>b) | first[i]&(0x80>>b)
			}
		}
	}
	// There may be many: they are not written out.
	w.and(col.name, " IN (SELECT id FROM %s.%s WHERE octet_length(bytes) = %d AND bytes BETWEEN %s AND %s)", day, col.word, len(first), blob(first), blob(last))
	return nil
}

func blob(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, `\x%02X`, c)
	}
	return "'" + s.String() + "'::BLOB"
}

// source gives what is summed: columns minute, the dimension's as d, n,
// bytes_in, bytes_out, subjects, latency and max_latency. It comes from sums by
// the minute and the rows that are not in them yet, where a table of sums tells
// apart what is asked, else from the rows. expr gives d of the column named, if
// any is.
func source(ctx context.Context, c *sql.Conn, day string, w *where, name, expr string) (string, error) {
	const rows = "SELECT (time // 60000000000)::INTEGER AS minute, %s AS d, 1::UBIGINT AS n, bytes_in, bytes_out, subjects, latency, latency AS max_latency FROM %s.observed WHERE %s"
	for _, t := range summed {
		has := name == "" || slices.Contains(t.columns, name)
		for _, col := range w.columns {
			has = has && slices.Contains(t.columns, col)
		}
		if !has {
			continue
		}
		var rolled int64
		if err := c.QueryRowContext(ctx, "SELECT rolled FROM "+day+".about").Scan(&rolled); err != nil {
			return "", err
		}
		tail := fmt.Sprintf(rows, expr, day, joined([]string{fmt.Sprintf("rowid >= %d", rolled)}, w.times, w.rest))
		return fmt.Sprintf("(SELECT minute, %s AS d, n, bytes_in, bytes_out, subjects, latency, max_latency FROM %s.%s WHERE %s UNION ALL %s)",
			expr, day, t.table, joined(w.minutes, w.rest), tail), nil
	}
	return "(" + fmt.Sprintf(rows, expr, day, w.rows()) + ")", nil
}

// sums gives the columns that a measure is taken from, in the order of
// observation.Sums, and 0 for the others.
func sums(m observation.Measure) string {
	out := []string{"sum(n)::UBIGINT", "0::UBIGINT", "0::UBIGINT", "0::UBIGINT", "0::UBIGINT", "0::UBIGINT"}
	switch m {
	case observation.BytesIn:
		out[1] = "sum(bytes_in)::UBIGINT"
	case observation.BytesOut:
		out[2] = "sum(bytes_out)::UBIGINT"
	case observation.Subjects:
		out[3] = "sum(subjects)::UBIGINT"
	case observation.MeanLatency:
		out[4] = "sum(latency)::UBIGINT"
	case observation.MaxLatency:
		out[5] = "max(max_latency)::UBIGINT"
	}
	for i, name := range sumNames {
		out[i] += " AS " + name
	}
	return strings.Join(out, ", ")
}

var sumNames = [...]string{"n", "bytes_in", "bytes_out", "subjects", "latency", "max_latency"}

func scanSums(s *observation.Sums) []any {
	return []any{&s.Rows, &s.BytesIn, &s.BytesOut, &s.Subjects, &s.Latency, &s.MaxLatency}
}

// key gives the key of a column's value.
func key(d observation.Dimension, code uint64) (out string) {
	var r observation.Row
	switch d {
	case observation.ByVerdict:
		r.Verdict = observation.Verdict(code)
	case observation.ByOutcome:
		setNumber(&r.Outcome, code)
	case observation.ByClass:
		r.Status = uint16(code) * 100
	case observation.ByStatus:
		r.Status = uint16(code)
	case observation.ByCountry:
		setNumber(&r.Country, code)
	case observation.ByNetwork:
		setNumber(&r.Network, code)
	case observation.ByActor, observation.ByAccount, observation.BySession, observation.ByAgent:
		return observation.Token(code)
	}
	d.Keys(&r, func(k string) { out = k })
	return out
}

func setNumber[N ~uint8 | ~uint16](n *N, code uint64) { *n = N(code) }

// over does something with each day of a filter in a transaction of its own, so
// that all it reads is of one moment, with the conditions of that day.
func (d *DB) over(ctx context.Context, c *sql.Conn, f *observation.Filter, do func(day string, w *where) error) error {
	for _, day := range d.list(f) {
		if err := d.overDay(ctx, c, day, f, do); err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) overDay(ctx context.Context, c *sql.Conn, day int, f *observation.Filter, do func(day string, w *where) error) error {
	return d.in(ctx, day, func(of *file) error {
		return transaction(ctx, c, func() error {
			w, err := narrow(ctx, c, of.name, f)
			if err != nil || w.none {
				return err
			}
			return do(of.name, w)
		})
	})
}
