//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"xiezhi/internal/store/observation"
)

// within holds the rows of a day to scopes, if there are any. Most are of other
// days and cost nothing but the number of their attack.
func (w *where) within(ctx context.Context, c *sql.Conn, day string, scopes []observation.Scope) error {
	if len(scopes) == 0 {
		return nil
	}
	var first, last int64
	if err := c.QueryRowContext(ctx, "SELECT coalesce(min(time), 0), coalesce(max(time), -1) FROM "+day+".observed").Scan(&first, &last); err != nil {
		return err
	}
	attacks := make([]any, 0, len(scopes))
	var any []string
	for i := range scopes {
		s := &scopes[i]
		if s.Attack != "" {
			attacks = append(attacks, s.Attack)
		}
		if len(s.Clients) == 0 || s.To.UnixNano() < first || s.From.UnixNano() > last {
			continue
		}
		one, err := scope(ctx, c, day, s)
		if err != nil {
			return err
		}
		if one != "" {
			any = append(any, one)
		}
	}
	if len(attacks) > 0 {
		ids, err := numbers(ctx, c, "SELECT id FROM "+day+".word_attack WHERE value IN ("+marks(len(attacks))+")", attacks...)
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			any = append(any, "attack IN ("+strings.Join(ids, ", ")+")")
		}
	}
	if len(any) == 0 {
		w.none = true
		return nil
	}
	// Sums do not tell single times and addresses apart.
	w.both("("+strings.Join(any, " OR ")+")", "time", "client", "attack")
	return nil
}

// scope gives the condition of one, empty where no row of the day can meet it.
func scope(ctx context.Context, c *sql.Conn, day string, s *observation.Scope) (string, error) {
	out := fmt.Sprintf("time BETWEEN %d AND %d", s.From.UnixNano(), s.To.UnixNano())
	clients := make([]string, len(s.Clients))
	for i, a := range s.Clients {
		clients[i] = a.String()
	}
	for _, k := range []struct {
		d      observation.Dimension
		values []string
	}{{observation.BySite, []string{s.Site}}, {observation.ByClient, clients}, {observation.ByAPI, s.APIs}} {
		if len(k.values) == 0 {
			continue
		}
		args := make([]any, len(k.values))
		for i, v := range k.values {
			args[i] = v
		}
		ids, err := numbers(ctx, c, "SELECT id FROM "+day+"."+columns[k.d].word+" WHERE value IN ("+marks(len(args))+")", args...)
		if err != nil || len(ids) == 0 {
			return "", err
		}
		out += " AND " + columns[k.d].name + " IN (" + strings.Join(ids, ", ") + ")"
	}
	return "(" + out + ")", nil
}

func marks(n int) string { return strings.Repeat("?, ", n-1) + "?" }
