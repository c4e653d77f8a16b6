//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
)

// Retain drops whole days.
func (d *DB) Retain(ctx context.Context, before time.Time) (int, error) {
	const what = "drop old observations in"
	if before.Unix() < 0 || before.UnixNano() > observation.MaxTime {
		return 0, nil
	}
	d.life.RLock()
	defer d.life.RUnlock()
	d.files.Lock()
	defer d.files.Unlock()
	floor := int(before.UnixNano() / observation.DayLength)
	if floor <= d.floor {
		return 0, nil
	}
	// First what says that they are dropped: rows that come once more must not
	// bring a day back.
	if err := writeWhole(filepath.Join(d.dir, floorName), start(floor).Format(dayFormat)+"\n"); err != nil {
		return 0, store.Explain(what, d.dir, err)
	}
	d.floor = floor
	days := 0
	var errs []error
	for day, f := range d.days {
		if day >= floor {
			continue
		}
		days++
		delete(d.days, day)
		if f.refs > 0 {
			f.gone = true
		} else {
			errs = append(errs, d.remove(f))
		}
	}
	aside, err := d.aside()
	errs = append(errs, err)
	for _, a := range aside {
		if a.Day.Before(start(floor)) {
			errs = append(errs, os.Remove(filepath.Join(d.dir, a.Name)))
		}
	}
	return days, explain(what, d.dir, errors.Join(errs...))
}

// writeWhole writes a small file that appears whole or not at all.
func writeWhole(path, text string) error {
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// aside lists what was set aside.
func (d *DB) aside() ([]observation.Aside, error) {
	list, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, err
	}
	var out []observation.Aside
	for _, e := range list {
		day, rest, ok := dayOf(e.Name())
		if !ok || !strings.HasPrefix(rest, extension+asideName) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, observation.Aside{Day: start(day), Name: e.Name(), Bytes: info.Size()})
	}
	return out, nil
}

// Range says what is there. Days whose rows were not counted since the store
// was opened are opened for it.
func (d *DB) Range(ctx context.Context) (observation.Range, error) {
	var out observation.Range
	err := d.ask(ctx, "look at the observations in", func(c *sql.Conn) error {
		out = observation.Range{}
		for _, day := range d.list(&observation.Filter{}) {
			n, err := d.count(ctx, c, day)
			if err != nil {
				return err
			}
			if n > 0 {
				out.Days = append(out.Days, observation.Day{Start: start(day), Rows: uint64(n), Bytes: d.size(day)})
			}
		}
		slices.SortFunc(out.Days, func(a, b observation.Day) int { return a.Start.Compare(b.Start) })
		d.files.Lock()
		defer d.files.Unlock()
		out.LeftOut = d.leftOut
		var err error
		out.Aside, err = d.aside()
		return err
	})
	return out, err
}

func (d *DB) count(ctx context.Context, c *sql.Conn, day int) (int64, error) {
	d.files.Lock()
	if f := d.days[day]; f != nil && f.counted {
		defer d.files.Unlock()
		return f.rows, nil
	}
	d.files.Unlock()
	var n int64
	err := d.in(ctx, day, func(f *file) error {
		if err := c.QueryRowContext(ctx, "SELECT count(*) FROM "+f.name+".observed").Scan(&n); err != nil {
			return err
		}
		d.files.Lock()
		defer d.files.Unlock()
		if !f.counted { // else a writer knows better
			f.rows, f.counted = n, true
		}
		return nil
	})
	return n, err
}

func (d *DB) size(day int) (n int64) {
	path := d.path(day)
	for _, name := range []string{path, logName(path)} {
		if info, err := os.Stat(name); err == nil {
			n += info.Size()
		}
	}
	return n
}

// in does something with a day, if it is there.
func (d *DB) in(ctx context.Context, day int, do func(*file) error) error {
	f, err := d.acquire(ctx, day, false)
	if f == nil || err != nil {
		d.release(f)
		return err
	}
	defer d.release(f)
	var of *dayError
	if err := do(f); err != nil && !errors.As(err, &of) {
		return &dayError{day, err}
	} else {
		return err
	}
}
