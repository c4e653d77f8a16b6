//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"xiezhi/internal/store/observation"
)

// pen is what writing to a day needs to know of it. It is made anew after
// anything failed.
type pen struct {
	marks                 map[uint32]observation.Position
	rows, rolled, chunked int64

	site, api, attack              words[string]
	client                         words[netip.Addr]
	account, session, agent, types words[uint64]
}

func newPen(ctx context.Context, c *sql.Conn, day string, most int) (*pen, error) {
	p := &pen{
		marks: map[uint32]observation.Position{},
		site:  plain[string]("word_site", most), api: plain[string]("word_api", most), attack: plain[string]("word_attack", most), client: addresses("word_client", most),
		account: plain[uint64]("word_account", most), session: plain[uint64]("word_session", most), agent: plain[uint64]("word_agent", most), types: plain[uint64]("word_types", most),
	}
	for _, load := range []func(context.Context, *sql.Conn, string) error{p.site.load, p.api.load, p.attack.load, p.client.load, p.account.load, p.session.load, p.agent.load, p.types.load} {
		if err := load(ctx, c, day); err != nil {
			return nil, err
		}
	}
	err := c.QueryRowContext(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM %s.observed), rolled, chunked FROM %[1]s.about", day)).Scan(&p.rows, &p.rolled, &p.chunked)
	if err != nil {
		return nil, err
	}
	return p, each(ctx, c, "SELECT partition, seq, idx FROM "+day+".mark", func(r *sql.Rows) error {
		var m observation.Position
		err := r.Scan(&m.Partition, &m.Seq, &m.Index)
		p.marks[m.Partition] = m
		return err
	})
}

func each(ctx context.Context, c *sql.Conn, text string, do func(*sql.Rows) error, args ...any) error {
	rows, err := c.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Append writes rows, each day's in one transaction.
func (d *DB) Append(ctx context.Context, rows []observation.Row) error {
	if err := observation.Check(rows); err != nil {
		return err
	}
	byDay := map[int][]*observation.Row{}
	for i := range rows {
		r := &rows[i]
		byDay[r.Day()] = append(byDay[r.Day()], r)
	}
	var days []int
	for day := range byDay {
		days = append(days, day)
	}
	slices.Sort(days)
	const what = "write the observations to"
	d.write.Lock()
	defer d.write.Unlock()
	for _, day := range days {
		kept, first := d.admit(day, len(byDay[day]))
		if !kept {
			continue
		}
		err := d.try(ctx, what, func() error { return d.appendDay(ctx, day, byDay[day]) })
		if err == nil && first {
			err = d.try(ctx, what, func() error { return d.finish(ctx, day) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish sums up what is left of the day before a new one.
func (d *DB) finish(ctx context.Context, day int) error {
	d.files.Lock()
	last := -1
	for n, f := range d.days {
		if n < day && f.pen != nil {
			last = max(last, n)
		}
	}
	d.files.Unlock()
	if last < 0 {
		return nil
	}
	return d.in(ctx, last, func(f *file) error {
		f.hold.Lock()
		defer f.hold.Unlock()
		if f.pen == nil { // closed in the meantime
			return nil
		}
		c, err := d.sql.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		return sumUp(ctx, c, f, 1, 1)
	})
}

// admit reports whether rows of a day are kept, which are counted when not, and
// whether they are its first.
func (d *DB) admit(day, rows int) (kept, first bool) {
	d.files.Lock()
	defer d.files.Unlock()
	first = d.days[day] == nil
	if day < d.floor || first && len(d.days) >= d.cfg.MaxDays {
		d.leftOut += uint64(rows)
		return false, false
	}
	return true, first
}

func (d *DB) appendDay(ctx context.Context, day int, rows []*observation.Row) error {
	f, err := d.acquire(ctx, day, true)
	defer d.release(f)
	if err != nil {
		return err
	}
	f.hold.Lock()
	defer f.hold.Unlock()
	c, err := d.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if f.pen == nil {
		if f.pen, err = newPen(ctx, c, f.name, d.cfg.words); err != nil {
			f.pen = nil
			return &dayError{day, err}
		}
	}
	p := f.pen
	rows = slices.DeleteFunc(slices.Clone(rows), func(r *observation.Row) bool {
		m, ok := p.marks[r.Partition]
		return ok && r.Position.Compare(m) <= 0
	})
	if len(rows) == 0 {
		return nil
	}
	if err := transaction(ctx, c, func() error { return p.append(ctx, c, f.name, rows) }); err != nil {
		f.pen = nil
		return &dayError{day, err}
	}
	p.rows += int64(len(rows))
	d.files.Lock()
	f.rows, f.counted = p.rows, true
	d.files.Unlock()
	return sumUp(ctx, c, f, d.cfg.rollAt, d.cfg.chunkAt)
}

// sumUp makes the sums that are due, from so many rows on. The rows are written: sums that cannot be
// made are made at a later time, and counted from the rows until then.
func sumUp(ctx context.Context, c *sql.Conn, f *file, rollAt, chunkAt int64) error {
	p := f.pen
	var err error
	if p.rows-p.rolled >= rollAt {
		if err = transaction(ctx, c, func() error { return roll(ctx, c, f.name, p.rolled, p.rows) }); err == nil {
			p.rolled = p.rows
		}
	}
	if err == nil && p.rows-p.chunked >= chunkAt {
		if err = transaction(ctx, c, func() error { return chunk(ctx, c, f.name, p.chunked, p.rows) }); err == nil {
			p.chunked = p.rows
		}
	}
	if err != nil {
		f.pen = nil
		if fatal(err) {
			return &dayError{f.day, err} // and the repetition finds nothing to write
		}
	}
	return nil
}

// append does the work of one transaction. Of a position the file has what it is
// beyond the time, since writers number by time: that is nothing most often.
func (p *pen) append(ctx context.Context, c *sql.Conn, day string, rows []*observation.Row) error {
	known := map[uint32]bool{}
	for part := range p.marks {
		known[part] = true
	}
	touched := map[uint32]observation.Position{}
	err := c.Raw(func(raw any) error {
		conn := raw.(driver.Conn)
		err := appendTo(conn, day, "observed", func(a *duckdb.Appender) error {
			for _, r := range rows {
				if err := a.AppendRow(r.Time, int32(r.Partition), int64(r.Seq)-r.Time, int32(r.Index),
					p.site.id(r.Site), p.api.id(r.API), p.attack.id(r.Attack), p.client.id(r.Client),
					p.account.id(r.Actor), p.account.id(r.Account), p.session.id(r.Session), p.agent.id(r.Agent), p.types.id(uint64(r.Types)),
					r.Exchange, uint8(r.Network), uint16(r.Country), r.Status, uint8(r.Outcome),
					uint8(r.Verdict), r.Subjects, r.BytesIn, r.BytesOut, r.Latency); err != nil {
					return err
				}
				touched[r.Partition] = r.Position
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, flush := range []func(driver.Conn, string) error{p.site.flush, p.api.flush, p.attack.flush, p.client.flush, p.account.flush, p.session.flush, p.agent.flush, p.types.flush} {
			if err := flush(conn, day); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	forgot := 0
	for _, n := range []*int{&p.site.forgot, &p.api.forgot, &p.attack.forgot, &p.client.forgot, &p.account.forgot, &p.session.forgot, &p.agent.forgot, &p.types.forgot} {
		forgot += *n
		*n = 0
	}
	if forgot > 0 {
		if _, err := c.ExecContext(ctx, fmt.Sprintf("UPDATE %s.about SET forgot = forgot + %d", day, forgot)); err != nil {
			return err
		}
	}
	for part, m := range touched {
		text := "UPDATE %s.mark SET seq = ?, idx = ? WHERE partition = ?"
		if !known[part] {
			text = "INSERT INTO %s.mark (seq, idx, partition) VALUES (?, ?, ?)"
		}
		if _, err := c.ExecContext(ctx, fmt.Sprintf(text, day), int64(m.Seq), int32(m.Index), int32(part)); err != nil {
			return err
		}
		p.marks[part] = m
	}
	return nil
}

// summed are the tables of sums by the minute, and what each tells apart.
var summed = []struct {
	table   string
	columns []string
}{
	{"minute", []string{"site", "api", "status", "outcome", "verdict"}},
	{"kind", []string{"site", "verdict", "country", "network", "attack", "types"}},
}

// roll sums up rows that have not been.
func roll(ctx context.Context, c *sql.Conn, day string, from, to int64) error {
	for _, t := range summed {
		_, err := c.ExecContext(ctx, fmt.Sprintf(`INSERT INTO %s.%s
			SELECT time // 60000000000, %s, count(*), sum(bytes_in), sum(bytes_out), sum(subjects), sum(latency), max(latency)
			FROM %[1]s.observed WHERE rowid >= %[4]d AND rowid < %d GROUP BY ALL ORDER BY ALL`, day, t.table, strings.Join(t.columns, ", "), from, to))
		if err != nil {
			return err
		}
	}
	_, err := c.ExecContext(ctx, fmt.Sprintf("UPDATE %s.about SET rolled = %d", day, to))
	return err
}
