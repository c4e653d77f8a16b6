//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"xiezhi/internal/store/observation"
	"xiezhi/internal/taxonomy"
)

// Top gives the largest.
func (d *DB) Top(ctx context.Context, q observation.TopQuery) (observation.Top, error) {
	q, err := q.Check()
	if err != nil {
		return observation.Top{}, err
	}
	var out observation.Top
	err = d.ask(ctx, "count the observations in", func(c *sql.Conn) error {
		var err error
		switch {
		case columns[q.Of].word == "" || q.Of == observation.ByType:
			out, err = d.topOfFew(ctx, c, &q)
		case q.Measure == observation.Rows && slices.Contains(counted, q.Of):
			out, err = d.topByRows(ctx, c, &q)
		default:
			out, err = d.topOfMany(ctx, c, &q)
		}
		return err
	})
	return out, err
}

// topOfFew sums up here what has some hundred values at most.
func (d *DB) topOfFew(ctx context.Context, c *sql.Conn, q *observation.TopQuery) (observation.Top, error) {
	col := columns[q.Of]
	var total observation.Sums
	all := map[string]observation.Sums{}
	err := d.over(ctx, c, &q.Filter, func(day string, w *where) error {
		src, err := source(ctx, c, day, w, col.name, col.of())
		if err != nil {
			return err
		}
		text := fmt.Sprintf("SELECT d::UBIGINT, %s FROM %s GROUP BY d", sums(q.Measure), src)
		if col.word != "" {
			text = fmt.Sprintf("SELECT coalesce(v.value, 0::UBIGINT), p.* EXCLUDE (d) FROM (SELECT d, %s FROM %s GROUP BY d) p LEFT JOIN %s.%s v ON v.id = p.d", sums(q.Measure), src, day, col.word)
		}
		return each(ctx, c, text, func(r *sql.Rows) error {
			var code uint64
			var s observation.Sums
			if err := r.Scan(append([]any{&code}, scanSums(&s)...)...); err != nil {
				return err
			}
			total.Join(s)
			add := func(k string) {
				if k != "" {
					had := all[k]
					had.Join(s)
					all[k] = had
				}
			}
			if q.Of == observation.ByType {
				observation.Set(code).Each(func(n int) { add(taxonomy.Sensitive(n).String()) })
			} else {
				add(key(q.Of, code))
			}
			return nil
		})
	})
	if err != nil {
		return observation.Top{}, err
	}
	out := observation.Top{Total: total.Of(q.Measure)}
	keys := largest(all, q.Measure)
	for _, k := range keys[:min(len(keys), q.Limit)] {
		out.List = append(out.List, observation.Tally{Key: k, Value: all[k].Of(q.Measure)})
	}
	return out, nil
}

// orders is what lists are in order of.
var orders = map[observation.Measure]string{
	observation.Rows: "n", observation.BytesIn: "bytes_in", observation.BytesOut: "bytes_out", observation.Subjects: "subjects",
	observation.MeanLatency: "latency // n", observation.MaxLatency: "max_latency",
}

// joinedSums sums up what sums gave.
var joinedSums = "sum(n)::UBIGINT AS n, sum(bytes_in)::UBIGINT AS bytes_in, sum(bytes_out)::UBIGINT AS bytes_out, sum(subjects)::UBIGINT AS subjects, sum(latency)::UBIGINT AS latency, max(max_latency)::UBIGINT AS max_latency"

// topOfMany sums up in the database what may have millions of values: each day's
// numbers become values in a table of this question, which is then summed.
func (d *DB) topOfMany(ctx context.Context, c *sql.Conn, q *observation.TopQuery) (observation.Top, error) {
	var out observation.Top
	col := columns[q.Of]
	err := withTable(ctx, c, "part", "value "+col.sqlType()+", "+strings.Join(sumNames[:], " UBIGINT, ")+" UBIGINT", func() error {
		err := d.over(ctx, c, &q.Filter, func(day string, w *where) error {
			src, err := source(ctx, c, day, w, col.name, col.of())
			if err != nil {
				return err
			}
			_, err = c.ExecContext(ctx, fmt.Sprintf("INSERT INTO part SELECT v.value, p.* EXCLUDE (d) FROM (SELECT d, %s FROM %s GROUP BY d) p LEFT JOIN %s.%s v ON v.id = p.d",
				sums(q.Measure), src, day, col.word))
			return err
		})
		if err != nil {
			return err
		}
		var total observation.Sums
		zeros := strings.ReplaceAll(joinedSums, ")::UBIGINT", "), 0)::UBIGINT")
		zeros = strings.NewReplacer("sum(", "coalesce(sum(", "max(", "coalesce(max(").Replace(zeros)
		if err := c.QueryRowContext(ctx, "SELECT "+zeros+" FROM part").Scan(scanSums(&total)...); err != nil {
			return err
		}
		out.Total = total.Of(q.Measure)
		text := fmt.Sprintf("SELECT * FROM (SELECT value, %s FROM part WHERE value IS NOT NULL GROUP BY value) ORDER BY %s DESC, value LIMIT %d", joinedSums, orders[q.Measure], q.Limit)
		return each(ctx, c, text, func(r *sql.Rows) error {
			k := keyScanner{d: q.Of, token: col.token}
			var s observation.Sums
			err := r.Scan(append([]any{k.into()}, scanSums(&s)...)...)
			out.List = append(out.List, observation.Tally{Key: k.key(), Value: s.Of(q.Measure)})
			return err
		})
	})
	return out, err
}

func (c column) sqlType() string {
	if c.token {
		return "UBIGINT"
	}
	return "VARCHAR"
}

// keyScanner reads a value as its key.
type keyScanner struct {
	d     observation.Dimension
	token bool
	code  uint64
	text  string
}

func (k *keyScanner) into() any {
	if k.token {
		return &k.code
	}
	return &k.text
}

func (k *keyScanner) key() string {
	if k.token {
		return key(k.d, k.code)
	}
	return k.text
}

// withTable makes a table of this connection for a question.
func withTable(ctx context.Context, c *sql.Conn, name, columns string, do func() error) error {
	if _, err := c.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE "+name+" ("+columns+")"); err != nil {
		return err
	}
	return errors.Join(do(), drop(ctx, c, name))
}

func drop(ctx context.Context, c *sql.Conn, name string) error {
	_, err := c.ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+name)
	return err
}
