package sqlite

import (
	"context"
	"database/sql"
	"errors"
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
	if err := row.Scan(&r.Kind, &r.ID, &rev, &r.Site, &r.Type, &r.State, &first, &last, &r.Body); err != nil {
		return record.Record{}, err
	}
	r.Rev, r.First, r.Last = uint64(rev), time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
	return r, nil
}

// List gives a page, found by index from where the page before ended.
func (d *DB) List(ctx context.Context, q record.Query) (record.Page, error) {
	limit, after, err := q.Check()
	if err != nil {
		return record.Page{}, err
	}
	text, args := "SELECT "+columns+" FROM record WHERE kind = ?", []any{string(q.Kind)}
	with := func(condition string, values ...any) {
		text += " AND " + condition
		args = append(args, values...)
	}
	for _, f := range []struct{ column, value string }{{"site", q.Site}, {"type", q.Type}, {"state", q.State}} {
		if f.value != "" {
			with(f.column+" = ?", f.value)
		}
	}
	if !q.From.IsZero() {
		with("last >= ?", q.From.UnixNano())
	}
	if !q.To.IsZero() {
		with("last < ?", q.To.UnixNano())
	}
	if after != nil {
		at := after.Last.UnixNano()
		with("last <= ? AND (last < ? OR id > ?)", at, at, after.ID)
	}
	rows, err := d.read.QueryContext(ctx, text+" ORDER BY last DESC, id LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return record.Page{}, d.fault("list the records", err)
	}
	defer rows.Close()
	var p record.Page
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return record.Page{}, d.fault("list the records", err)
		}
		p.Records = append(p.Records, r)
	}
	if err := rows.Err(); err != nil {
		return record.Page{}, d.fault("list the records", err)
	}
	if len(p.Records) > limit {
		p.Records = p.Records[:limit]
		end := &p.Records[limit-1]
		p.Next = record.Place{Last: end.Last, ID: end.ID}.String()
	}
	return p, nil
}
