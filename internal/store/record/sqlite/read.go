package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"xiezhi/internal/store/record"
)

// querier is a transaction or a pool.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Get gives one record.
func (d *DB) Get(ctx context.Context, kind record.Kind, id string) (record.Record, error) {
	r, err := get(ctx, d.read, kind, id)
	return r, d.fault("read the records", err)
}

func get(ctx context.Context, q querier, kind record.Kind, id string) (record.Record, error) {
	r, err := scan(q.QueryRowContext(ctx, "SELECT "+columns+" FROM record WHERE kind = ? AND id = ?", string(kind), id))
	if errors.Is(err, sql.ErrNoRows) {
		err = record.ErrNotFound
	}
	return r, err
}

func scan(row interface{ Scan(...any) error }) (record.Record, error) {
	var r record.Record
	var rev, first, last int64
	if err := row.Scan(&r.Kind, &r.ID, &rev, &r.Site, &r.Type, &r.State, &r.Severity, &r.Words, &r.Name, &r.Ranks[0], &r.Ranks[1], &r.Ranks[2], &first, &last, &r.Body); err != nil {
		return record.Record{}, err
	}
	r.Rev, r.First, r.Last = uint64(rev), time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
	return r, nil
}

// where gives the condition of a query.
func where(q *record.Query) (text string, args []any) {
	text, args = "WHERE kind = ?", []any{string(q.Kind)}
	with := func(condition string, values ...any) {
		text += " AND " + condition
		args = append(args, values...)
	}
	if q.Site != "" {
		with("site = ?", q.Site)
	}
	for _, f := range []struct {
		column string
		values []string
	}{{"type", q.Type}, {"state", q.State}, {"severity", q.Severity}} {
		if len(f.values) == 0 {
			continue
		}
		var any []any
		for _, v := range f.values {
			any = append(any, v)
		}
		with(f.column+" IN (?"+strings.Repeat(", ?", len(any)-1)+")", any...)
	}
	for _, w := range q.Words {
		with("instr(words, ?) > 0", w)
	}
	for _, m := range q.Mentions {
		with("instr(body, ?) > 0", []byte(`"`+m+`"`)) // both are bytes
	}
	if !q.From.IsZero() {
		with("last >= ?", q.From.UnixNano())
	}
	if !q.To.IsZero() {
		with("last < ?", q.To.UnixNano())
	}
	if !q.Born.From.IsZero() {
		with("first >= ?", q.Born.From.UnixNano())
	}
	if !q.Born.To.IsZero() {
		with("first < ?", q.Born.To.UnixNano())
	}
	return text, args
}

// Tally counts what a query asks for.
func (d *DB) Tally(ctx context.Context, q record.Query) ([]record.Group, error) {
	if _, _, err := q.Check(); err != nil {
		return nil, err
	}
	const what = "count the records"
	condition, args := where(&q)
	rows, err := d.read.QueryContext(ctx, "SELECT site, type, state, severity, count(*) FROM record "+condition+" GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT ?", append(args, record.MaxTally+1)...)
	if err != nil {
		return nil, d.fault(what, err)
	}
	defer rows.Close()
	var out []record.Group
	for rows.Next() {
		var g record.Group
		if err := rows.Scan(&g.Site, &g.Type, &g.State, &g.Severity, &g.Count); err != nil {
			return nil, d.fault(what, err)
		}
		out = append(out, g)
	}
	if err := rows.Err(); err != nil {
		return nil, d.fault(what, err)
	}
	if len(out) > record.MaxTally {
		return nil, fmt.Errorf("%w: more than %d groups are counted; ask for one site", record.ErrInvalid, record.MaxTally)
	}
	return out, nil
}

// Count says how many records a query asks for.
func (d *DB) Count(ctx context.Context, q record.Query) (n uint64, err error) {
	if _, _, err := q.Check(); err != nil {
		return 0, err
	}
	condition, args := where(&q)
	err = d.read.QueryRowContext(ctx, "SELECT count(*) FROM record "+condition, args...).Scan(&n)
	return n, d.fault("count the records", err)
}

// Holding counts the records that hold words, all in one pass.
func (d *DB) Holding(ctx context.Context, q record.Query, words []string) ([]uint64, error) {
	if _, _, err := q.Check(); err != nil {
		return nil, err
	}
	if err := record.CheckHeld(words); err != nil || len(words) == 0 {
		return []uint64{}, err
	}
	var asked []any
	out := make([]uint64, len(words))
	into := make([]any, len(words))
	for i, w := range words {
		asked, into[i] = append(asked, w), &out[i]
	}
	condition, args := where(&q)
	const one = "coalesce(sum(instr(words, ?) > 0), 0)"
	err := d.read.QueryRowContext(ctx, "SELECT "+one+strings.Repeat(", "+one, len(words)-1)+" FROM record "+condition, append(asked, args...)...).Scan(into...)
	return out, d.fault("count the records", err)
}

// sortColumns are what lists are in order of.
var sortColumns = [...]string{record.ByLast: "last", record.ByFirst: "first", record.ByName: "name", record.ByRank0: "rank0", record.ByRank1: "rank1", record.ByRank2: "rank2"}

// List gives a page. Which records are on it is found without their bodies, by
// index from where the page before ended or by sorting ids.
func (d *DB) List(ctx context.Context, q record.Query) (record.Page, error) {
	p, err := list(ctx, d.read, q)
	return p, d.fault("list the records", err)
}

func list(ctx context.Context, from querier, q record.Query) (record.Page, error) {
	limit, after, err := q.Check()
	if err != nil {
		return record.Page{}, err
	}
	condition, args := where(&q)
	by, down, before, behind := sortColumns[q.Sort], " DESC, id", "<", ">"
	if q.Upwards {
		down, before, behind = ", id DESC", ">", "<"
	}
	if after != nil {
		var at any = after.Number
		if q.Sort == record.ByName {
			at = after.Text
		}
		condition += " AND " + by + " " + before + "= ? AND (" + by + " " + before + " ? OR id " + behind + " ?)"
		args = append(args, at, at, after.ID)
	}
	text := "SELECT " + columns + " FROM record WHERE (kind, id) IN (SELECT kind, id FROM record " + condition + " ORDER BY " + by + down + " LIMIT ?) ORDER BY " + by + down
	rows, err := from.QueryContext(ctx, text, append(args, limit+1)...)
	if err != nil {
		return record.Page{}, err
	}
	defer rows.Close()
	var p record.Page
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return record.Page{}, err
		}
		p.Records = append(p.Records, r)
	}
	if err := rows.Err(); err != nil {
		return record.Page{}, err
	}
	if len(p.Records) > limit {
		p.Records = p.Records[:limit]
		p.Next = q.Cursor(q.PlaceOf(&p.Records[limit-1]))
	}
	return p, nil
}
