//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"xiezhi/internal/store/observation"
)

// Pivot gives what an entity was seen with.
func (d *DB) Pivot(ctx context.Context, q observation.PivotQuery) (observation.Pivot, error) {
	q, err := q.Check()
	if err != nil {
		return observation.Pivot{}, err
	}
	var out observation.Pivot
	err = d.ask(ctx, "look through the observations in", func(c *sql.Conn) error {
		out = observation.Pivot{}
		const sighting = ", n UBIGINT, lo BIGINT, hi BIGINT"
		return withTable(ctx, c, "texts", "facet INTEGER, value VARCHAR"+sighting, func() error {
			return withTable(ctx, c, "tokens", "facet INTEGER, value UBIGINT"+sighting, func() error {
				return errors.Join(d.pivot(ctx, c, &q, &out), drop(ctx, c, "hits"))
			})
		})
	})
	return out, err
}

func (col column) sightings() string {
	if col.token {
		return "tokens"
	}
	return "texts"
}

// fewHits is how many rows of a day are put aside for the facets of a pivot.
const fewHits = 1 << 20

func (d *DB) pivot(ctx context.Context, c *sql.Conn, q *observation.PivotQuery, out *observation.Pivot) error {
	err := d.over(ctx, c, &q.Filter, func(day string, w *where) error {
		var n uint64
		var lo, hi sql.NullInt64
		if err := c.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*), min(time), max(time) FROM %s.observed WHERE %s", day, w.rows())).Scan(&n, &lo, &hi); err != nil || n == 0 {
			return err
		}
		if out.Rows == 0 || lo.Int64 < out.First {
			out.First = lo.Int64
		}
		out.Rows, out.Last = out.Rows+n, max(out.Last, hi.Int64)
		from := day + ".observed WHERE " + w.rows()
		if n <= fewHits {
			// They are looked for once, not for each facet.
			if _, err := c.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE hits AS SELECT time, client, actor, account, session, agent, api, attack FROM "+from); err != nil {
				return err
			}
			from = "hits"
		}
		for _, dim := range q.Facets() {
			col := columns[dim]
			text := fmt.Sprintf(`INSERT INTO %s SELECT %d, v.value, p.n, p.lo, p.hi
				FROM (SELECT %s AS d, count(*) AS n, min(time) AS lo, max(time) AS hi FROM %s GROUP BY d) p JOIN %s.%s v ON v.id = p.d`,
				col.sightings(), dim, col.name, from, day, col.word)
			if _, err := c.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, dim := range q.Facets() {
		col := columns[dim]
		f := observation.Facet{Dimension: dim}
		text := fmt.Sprintf(`WITH s AS (SELECT value, sum(n)::UBIGINT AS n, min(lo) AS lo, max(hi) AS hi FROM %s WHERE facet = %d GROUP BY value)
			SELECT (SELECT count(*) FROM s)::UBIGINT, * FROM s ORDER BY n DESC, value LIMIT %d`, col.sightings(), dim, q.Limit)
		err := each(ctx, c, text, func(r *sql.Rows) error {
			k := keyScanner{d: dim, token: col.token}
			var s observation.Sighting
			err := r.Scan(&f.Distinct, k.into(), &s.Rows, &s.First, &s.Last)
			s.Key = k.key()
			f.Top = append(f.Top, s)
			return err
		})
		if err != nil {
			return err
		}
		out.Facets = append(out.Facets, f)
	}
	return nil
}
