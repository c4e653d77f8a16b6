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

// Search gives a page of rows, from the newest day back.
func (d *DB) Search(ctx context.Context, q observation.SearchQuery) (observation.Page, error) {
	q, after, err := q.Check()
	if err != nil {
		return observation.Page{}, err
	}
	var out observation.Page
	err = d.ask(ctx, "search the observations in", func(c *sql.Conn) error {
		out = observation.Page{}
		for _, day := range slices.Backward(d.list(&q.Filter)) {
			if after != nil && day > int(after.Time/observation.DayLength) {
				continue
			}
			err := d.overDay(ctx, c, day, &q.Filter, func(name string, w *where) error {
				rows, err := page(ctx, c, name, w, after, q.Limit+1-len(out.Rows))
				out.Rows = append(out.Rows, rows...)
				return err
			})
			if err != nil {
				return err
			}
			if len(out.Rows) > q.Limit {
				out.Rows = out.Rows[:q.Limit]
				out.Next = out.Rows[q.Limit-1].Place().String()
				return nil
			}
		}
		return nil
	})
	return out, err
}

// numbered is a row as it stands in a file.
type numbered struct {
	observation.Row
	site, api, attack, client, actor, account, session, agent, types uint32
}

func page(ctx context.Context, c *sql.Conn, day string, w *where, after *observation.Place, limit int) ([]observation.Row, error) {
	if after != nil {
		// The first condition is the one that whole groups of rows are passed over by.
		w.times = append(w.times, fmt.Sprintf("time <= %d", after.Time),
			fmt.Sprintf("(time < %d OR partition < %d OR partition = %[2]d AND (lag < %d OR lag = %[3]d AND idx < %d))", after.Time, after.Partition, int64(after.Seq)-after.Time, after.Index))
	}
	text := fmt.Sprintf(`SELECT time, partition, time + lag, idx, site, api, attack, client, actor, account, session, agent, types,
		exchange, network, country, status, outcome, verdict, subjects, bytes_in, bytes_out, latency
		FROM %s.observed WHERE %s ORDER BY time DESC, partition DESC, lag DESC, idx DESC LIMIT %d`, day, w.rows(), limit)
	var list []numbered
	err := each(ctx, c, text, func(rows *sql.Rows) error {
		var r numbered
		err := rows.Scan(&r.Time, &r.Partition, &r.Seq, &r.Index, &r.site, &r.api, &r.attack, &r.client, &r.actor, &r.account, &r.session, &r.agent, &r.types,
			&r.Exchange, &r.Network, &r.Country, &r.Status, &r.Outcome, &r.Verdict, &r.Subjects, &r.BytesIn, &r.BytesOut, &r.Latency)
		list = append(list, r)
		return err
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return named(ctx, c, day, list)
}

// named puts values in the place of numbers.
func named(ctx context.Context, c *sql.Conn, day string, list []numbered) ([]observation.Row, error) {
	look := func(word string, of ...func(*numbered) uint32) string {
		seen := map[uint32]bool{}
		var ids []string
		for i := range list {
			for _, f := range of {
				if id := f(&list[i]); id != 0 && !seen[id] {
					seen[id] = true
					ids = append(ids, strconv.FormatUint(uint64(id), 10))
				}
			}
		}
		if len(ids) == 0 {
			ids = []string{"0"}
		}
		return fmt.Sprintf("SELECT id, value FROM %s.%s WHERE id IN (%s)", day, word, strings.Join(ids, ", "))
	}
	texts := func(word string, of func(*numbered) uint32) (map[uint32]string, error) {
		return values[string](ctx, c, look(word, of))
	}
	tokens := func(word string, of ...func(*numbered) uint32) (map[uint32]uint64, error) {
		return values[uint64](ctx, c, look(word, of...))
	}
	site, err1 := texts("word_site", func(r *numbered) uint32 { return r.site })
	api, err2 := texts("word_api", func(r *numbered) uint32 { return r.api })
	attack, err3 := texts("word_attack", func(r *numbered) uint32 { return r.attack })
	client, err4 := texts("word_client", func(r *numbered) uint32 { return r.client })
	account, err5 := tokens("word_account", func(r *numbered) uint32 { return r.actor }, func(r *numbered) uint32 { return r.account })
	session, err6 := tokens("word_session", func(r *numbered) uint32 { return r.session })
	agent, err7 := tokens("word_agent", func(r *numbered) uint32 { return r.agent })
	types, err8 := tokens("word_types", func(r *numbered) uint32 { return r.types })
	for _, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8} {
		if err != nil {
			return nil, err
		}
	}
	out := make([]observation.Row, len(list))
	for i := range list {
		n := &list[i]
		r := n.Row
		r.Site, r.API, r.Attack = site[n.site], api[n.api], attack[n.attack]
		r.Actor, r.Account, r.Session, r.Agent, r.Types = account[n.actor], account[n.account], session[n.session], agent[n.agent], observation.Set(types[n.types])
		if s := client[n.client]; s != "" {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, err
			}
			r.Client = a
		}
		out[i] = r
	}
	return out, nil
}

func values[V any](ctx context.Context, c *sql.Conn, text string) (map[uint32]V, error) {
	out := map[uint32]V{}
	return out, each(ctx, c, text, func(r *sql.Rows) error {
		var id uint32
		var v V
		err := r.Scan(&id, &v)
		out[id] = v
		return err
	})
}
