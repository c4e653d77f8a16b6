//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/store/observation"
)

// line is one of a series while it is summed.
type line struct {
	all observation.Sums
	by  []observation.Sums
}

func (l *line) add(step int, s observation.Sums) {
	l.all.Join(s)
	l.by[step].Join(s)
}

// Series gives a measure over time.
func (d *DB) Series(ctx context.Context, q observation.SeriesQuery) (observation.Series, error) {
	q, err := q.Check()
	if err != nil {
		return observation.Series{}, err
	}
	var out observation.Series
	err = d.ask(ctx, "count the observations in", func(c *sql.Conn) error {
		chosen, err := d.choose(ctx, c, &q)
		if err != nil {
			return err
		}
		lines, rest, err := d.lines(ctx, c, &q, chosen)
		if err != nil {
			return err
		}
		out = draw(&q, lines, rest)
		return nil
	})
	return out, err
}

// choose gives the values that get lines of their own where there may be too
// many to sum them all by step; nil when there are not.
func (d *DB) choose(ctx context.Context, c *sql.Conn, q *observation.SeriesQuery) (map[string]bool, error) {
	col := columns[q.By]
	if col.word == "" {
		return nil, nil
	}
	all := map[string]observation.Sums{}
	err := d.over(ctx, c, &q.Filter, func(day string, w *where) error {
		src, err := source(ctx, c, day, w, col.name, col.of())
		if err != nil {
			return err
		}
		text := fmt.Sprintf("SELECT coalesce(v.value, ''), p.* EXCLUDE (d) FROM (SELECT d, %s FROM %s GROUP BY d) p LEFT JOIN %s.%s v ON v.id = p.d", sums(q.Measure), src, day, col.word)
		return each(ctx, c, text, func(r *sql.Rows) error {
			var k string
			var s observation.Sums
			err := r.Scan(append([]any{&k}, scanSums(&s)...)...)
			had := all[k]
			had.Join(s)
			all[k] = had
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	keys := largest(all, q.Measure)
	out := map[string]bool{}
	for _, k := range keys[:min(len(keys), q.Lines)] {
		out[k] = true
	}
	return out, nil
}

// largest gives the keys in the order of lists.
func largest(all map[string]observation.Sums, m observation.Measure) []string {
	var keys []string
	for k := range all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(all[b].Of(m), all[a].Of(m)), cmp.Compare(a, b))
	})
	return keys
}

// lines sums up by step: those chosen, and the rest together.
func (d *DB) lines(ctx context.Context, c *sql.Conn, q *observation.SeriesQuery, chosen map[string]bool) (map[string]*line, *line, error) {
	lines, rest := map[string]*line{}, &line{by: make([]observation.Sums, q.Steps())}
	col := columns[q.By]
	step := q.Step.Length().Nanoseconds() / minute
	from := q.From.UnixNano() / minute
	err := d.over(ctx, c, &q.Filter, func(day string, w *where) error {
		expr, names, err := lineOf(ctx, c, day, q.By, chosen)
		if err != nil {
			return err
		}
		src, err := source(ctx, c, day, w, col.name, expr)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("SELECT ((minute - %d) // %d)::INTEGER AS step, d, %s FROM %s GROUP BY ALL", from, step, sums(q.Measure), src)
		return each(ctx, c, text, func(r *sql.Rows) error {
			var at int
			var code int64
			var s observation.Sums
			if err := r.Scan(append([]any{&at, &code}, scanSums(&s)...)...); err != nil {
				return err
			}
			l := rest
			if code >= 0 {
				k := key(q.By, uint64(code))
				if names != nil {
					k = names[code]
				}
				if l = lines[k]; l == nil {
					l = &line{by: make([]observation.Sums, q.Steps())}
					lines[k] = l
				}
			}
			l.add(at, s)
			return nil
		})
	})
	return lines, rest, err
}

// lineOf gives what tells the lines apart on a day: the value's own number, or
// the place in names, or -1 for the rest.
func lineOf(ctx context.Context, c *sql.Conn, day string, by observation.Dimension, chosen map[string]bool) (string, []string, error) {
	col := columns[by]
	switch {
	case by == observation.NoDimension:
		return "0", nil, nil
	case col.word == "":
		return col.of(), nil, nil
	}
	var names []string
	expr := "CASE " + col.name
	put := func(id uint32, name string) {
		expr += fmt.Sprintf(" WHEN %d THEN %d", id, len(names))
		names = append(names, name)
	}
	var args []any
	for k := range chosen {
		if k == "" {
			put(0, "")
		} else {
			args = append(args, k)
		}
	}
	if len(args) > 0 {
		text := "SELECT id, value FROM " + day + "." + col.word + " WHERE value IN (" + strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ") + ")"
		err := each(ctx, c, text, func(r *sql.Rows) error {
			var id uint32
			var name string
			err := r.Scan(&id, &name)
			put(id, name)
			return err
		}, args...)
		if err != nil {
			return "", nil, err
		}
	}
	if len(names) == 0 {
		return "-1", []string{}, nil
	}
	return expr + " ELSE -1 END", names, nil
}

// draw makes the series of what was summed.
func draw(q *observation.SeriesQuery, lines map[string]*line, rest *line) observation.Series {
	var out observation.Series
	for i := range q.Steps() {
		out.Starts = append(out.Starts, q.From.Add(time.Duration(i)*q.Step.Length()).UnixNano())
	}
	all := map[string]observation.Sums{}
	for k, l := range lines {
		all[k] = l.all
	}
	keys := largest(all, q.Measure)
	give := func(key string, isRest bool, l *line) {
		o := observation.Line{Key: key, Rest: isRest, Total: l.all.Of(q.Measure)}
		for _, s := range l.by {
			o.Values = append(o.Values, s.Of(q.Measure))
		}
		out.Lines = append(out.Lines, o)
	}
	for i, k := range keys {
		if i < q.Lines {
			give(k, false, lines[k])
			continue
		}
		rest.all.Join(lines[k].all)
		for j, s := range lines[k].by {
			rest.by[j].Join(s)
		}
	}
	if rest.all.Rows > 0 {
		give("", true, rest)
	}
	return out
}
