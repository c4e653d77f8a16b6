//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"xiezhi/internal/store/observation"
)

// counted are the dimensions of which rows are counted by chunks.
var counted = []observation.Dimension{observation.ByClient, observation.ByActor, observation.ByAccount, observation.BySession, observation.ByAgent}

// often is what the counts by chunks tell apart beside the dimension.
var often = []string{"site", "verdict"}

// chunk counts the rows of entities that have not been, so that the largest of
// days need no look at the rows.
func chunk(ctx context.Context, c *sql.Conn, day string, from, to int64) error {
	rows := fmt.Sprintf("FROM %s.observed WHERE rowid >= %d AND rowid < %d", day, from, to)
	var no int
	if err := c.QueryRowContext(ctx, "SELECT count(*) FROM "+day+".chunk").Scan(&no); err != nil {
		return err
	}
	for _, d := range counted {
		if _, err := c.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s.often SELECT %d, %d, site, verdict, %s, count(*) %s GROUP BY ALL ORDER BY ALL", day, no, d, columns[d].name, rows)); err != nil {
			return err
		}
	}
	if _, err := c.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s.chunk SELECT %d, %d, %d, min(time), max(time) %s", day, no, from, to, rows)); err != nil {
		return err
	}
	_, err := c.ExecContext(ctx, fmt.Sprintf("UPDATE %s.about SET chunked = %d", day, to))
	return err
}

// counts gives the numbers of a column and how many rows they have, as id and n:
// of chunks that lie within the filter from their counts, of the others from the
// rows.
func counts(ctx context.Context, c *sql.Conn, day string, w *where, q *observation.TopQuery) (string, error) {
	col := columns[q.Of]
	rows := func(from string) string {
		return fmt.Sprintf("SELECT %s AS id, count(*) AS n FROM %s.observed WHERE %s GROUP BY id", col.name, day, joined([]string{from}, w.times, w.rest))
	}
	fit := slices.Contains(counted, q.Of)
	for _, name := range w.columns {
		fit = fit && slices.Contains(often, name)
	}
	if !fit {
		return rows("true"), nil
	}
	var parts, whole []string
	end := int64(0) // of what is counted so far
	err := each(ctx, c, "SELECT no, from_row, to_row, first, last FROM "+day+".chunk ORDER BY from_row", func(r *sql.Rows) error {
		var no int
		var from, to, first, last int64
		if err := r.Scan(&no, &from, &to, &first, &last); err != nil {
			return err
		}
		if !q.From.IsZero() && first < q.From.UnixNano() || !q.To.IsZero() && last >= q.To.UnixNano() {
			return nil
		}
		if from > end {
			parts = append(parts, rows(fmt.Sprintf("rowid >= %d AND rowid < %d", end, from)))
		}
		whole, end = append(whole, fmt.Sprint(no)), to
		return nil
	})
	if err != nil {
		return "", err
	}
	parts = append(parts, rows(fmt.Sprintf("rowid >= %d", end)))
	if len(whole) > 0 {
		parts = append(parts, fmt.Sprintf("SELECT id, n FROM %s.often WHERE %s", day,
			joined([]string{fmt.Sprintf("dim = %d AND chunk IN (%s)", q.Of, strings.Join(whole, ", "))}, w.rest)))
	}
	return strings.Join(parts, " UNION ALL "), nil
}

// topByRows finds the values with most rows. The numbers are counted day by day;
// only those that may be among the largest of all days become values, which is
// most of the work. A value that is not among the best of any day has at most
// what the last of the best have, of all days together: where the list ends
// above that, it is right. Where it does not, all become values.
func (d *DB) topByRows(ctx context.Context, c *sql.Conn, q *observation.TopQuery) (observation.Top, error) {
	var out observation.Top
	col := columns[q.Of]
	best := max(d.cfg.best, q.Limit+1)
	within := func(name, columns string, do func() error) error { return withTable(ctx, c, name, columns, do) }
	err := within("ranked", "day INTEGER, id UINTEGER, n UBIGINT", func() error {
		return within("best", "value "+col.sqlType(), func() error {
			return within("part", "value "+col.sqlType()+", n UBIGINT", func() error {
				days := d.list(&q.Filter)
				unseen, sure := uint64(0), true // what a value may have that is not among the best
				for _, day := range days {
					err := d.overDay(ctx, c, day, &q.Filter, func(name string, w *where) error {
						last, unique, err := rank(ctx, c, day, name, w, q, best)
						unseen, sure = unseen+last, sure && unique
						return err
					})
					if err != nil {
						return err
					}
				}
				if err := c.QueryRowContext(ctx, "SELECT coalesce(sum(n), 0)::UBIGINT FROM ranked").Scan(&out.Total); err != nil {
					return err
				}
				if sure {
					var err error
					if out.List, err = d.valued(ctx, c, days, q, "v.value IN (SELECT value FROM best)"); err != nil {
						return err
					}
					if unseen == 0 || len(out.List) == q.Limit && out.List[q.Limit-1].Value > unseen {
						return nil
					}
					if _, err := c.ExecContext(ctx, "DELETE FROM part"); err != nil {
						return err
					}
				}
				var err error
				out.List, err = d.valued(ctx, c, days, q, "true")
				return err
			})
		})
	})
	return out, err
}

// rank counts the rows of one day's numbers and keeps the values of the best.
// It gives how many the last of these have, 0 when there are no others, and
// whether each value has one number.
func rank(ctx context.Context, c *sql.Conn, day int, name string, w *where, q *observation.TopQuery, best int) (last uint64, unique bool, err error) {
	text, err := counts(ctx, c, name, w, q)
	if err != nil {
		return 0, false, err
	}
	if _, err := c.ExecContext(ctx, fmt.Sprintf("INSERT INTO ranked SELECT %d, id, sum(n)::UBIGINT FROM (%s) GROUP BY id", day, text)); err != nil {
		return 0, false, err
	}
	var forgot int
	if err := c.QueryRowContext(ctx, "SELECT forgot FROM "+name+".about").Scan(&forgot); err != nil {
		return 0, false, err
	}
	ids := fmt.Sprintf("SELECT id, n FROM ranked WHERE day = %d AND id <> 0 ORDER BY n DESC, id LIMIT %d", day, best)
	var n int
	if err := c.QueryRowContext(ctx, "SELECT count(*), coalesce(min(n), 0)::UBIGINT FROM ("+ids+")").Scan(&n, &last); err != nil {
		return 0, false, err
	}
	if n < best {
		last = 0
	}
	_, err = c.ExecContext(ctx, fmt.Sprintf("INSERT INTO best SELECT v.value FROM (%s) r JOIN %s.%s v ON v.id = r.id", ids, name, columns[q.Of].word))
	return last, forgot == 0, err
}

// valued turns the ranked numbers of all days into values and gives the largest.
func (d *DB) valued(ctx context.Context, c *sql.Conn, days []int, q *observation.TopQuery, which string) ([]observation.Tally, error) {
	col := columns[q.Of]
	for _, day := range days {
		err := d.in(ctx, day, func(f *file) error {
			_, err := c.ExecContext(ctx, fmt.Sprintf("INSERT INTO part SELECT v.value, r.n FROM ranked r JOIN %s.%s v ON v.id = r.id WHERE r.day = %d AND %s", f.name, col.word, day, which))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var out []observation.Tally
	text := fmt.Sprintf("SELECT * FROM (SELECT value, sum(n)::UBIGINT AS n FROM part GROUP BY value) ORDER BY n DESC, value LIMIT %d", q.Limit)
	err := each(ctx, c, text, func(r *sql.Rows) error {
		k := keyScanner{d: q.Of, token: col.token}
		var n uint64
		err := r.Scan(k.into(), &n)
		out = append(out, observation.Tally{Key: k.key(), Value: n})
		return err
	})
	return out, err
}
