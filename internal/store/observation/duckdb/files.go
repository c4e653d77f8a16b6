//go:build cgo

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
)

// file is one day's.
type file struct {
	day      int
	name     string // of its catalogue
	attached bool
	gone     bool // dropped, once nobody reads it any more
	refs     int
	used     int // when, by the clock of uses
	rows     int64
	counted  bool // rows is known
	pen      *pen // nil while nobody writes

	hold sync.Mutex // while it is written to, or given away as it is
}

func start(day int) time.Time {
	return time.Unix(0, int64(day)*observation.DayLength).UTC()
}

func (d *DB) path(day int) string {
	return filepath.Join(d.dir, start(day).Format(dayFormat)+extension)
}

// logName is where the database writes ahead what is not in the file yet.
func logName(path string) string { return path + ".wal" }

// dayOf reads the name of a day's file.
func dayOf(name string) (day int, rest string, ok bool) {
	if len(name) < len(dayFormat) {
		return 0, "", false
	}
	t, err := time.Parse(dayFormat, name[:len(dayFormat)])
	if err != nil || t.Unix() < 0 {
		return 0, "", false
	}
	return int(t.UnixNano() / observation.DayLength), name[len(dayFormat):], true
}

// find lists the days that are there, and ends the dropping of those that a
// crash left.
func (d *DB) find() error {
	d.days = map[int]*file{}
	b, err := os.ReadFile(filepath.Join(d.dir, floorName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if day, _, ok := dayOf(strings.TrimSpace(string(b))); ok {
		d.floor = day
	}
	list, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		day, rest, ok := dayOf(e.Name())
		if !ok {
			continue
		}
		if day < d.floor {
			if err := os.Remove(filepath.Join(d.dir, e.Name())); err != nil {
				return err
			}
		} else if rest == extension || rest == extension+".wal" {
			d.days[day] = newFile(day)
		}
	}
	return nil
}

func newFile(day int) *file { return &file{day: day, name: fmt.Sprintf("day%d", day)} }

// list gives the days within a filter, ascending.
func (d *DB) list(f *observation.Filter) []int {
	d.files.Lock()
	defer d.files.Unlock()
	var out []int
	for day := range d.days {
		if (f.From.IsZero() || start(day+1).After(f.From)) && (f.To.IsZero() || start(day).Before(f.To)) {
			out = append(out, day)
		}
	}
	slices.Sort(out)
	return out
}

// acquire gives a day's file for use until release: nil when there is none, or
// what was there is damaged; with make a new one then.
func (d *DB) acquire(ctx context.Context, day int, make bool) (*file, error) {
	d.files.Lock()
	defer d.files.Unlock()
	f := d.days[day]
	if f == nil && !make {
		return nil, nil
	}
	if f != nil && !f.attached {
		err := d.attach(ctx, f)
		if err != nil && !damaged(err) {
			return nil, &dayError{day, err}
		}
		if err != nil {
			if err := d.moveAside(f, err); err != nil {
				return nil, err
			}
			f = nil
			if !make {
				return nil, nil
			}
		}
	}
	if f == nil {
		f = newFile(day)
		if err := d.attach(ctx, f); err != nil {
			return nil, &dayError{day, err}
		}
		d.days[day] = f
	}
	f.refs++
	d.clock++
	f.used = d.clock
	return f, d.closeIdle()
}

func (d *DB) release(f *file) {
	if f == nil {
		return
	}
	d.files.Lock()
	defer d.files.Unlock()
	f.refs--
	if f.gone && f.refs == 0 {
		// What cannot be removed now is removed when the store is opened again.
		_ = d.remove(f)
	}
}

// closeIdle closes the days that nobody used for longest.
func (d *DB) closeIdle() error {
	var idle []*file
	open := 0
	for _, f := range d.days {
		if f.attached {
			open++
			if f.refs == 0 {
				idle = append(idle, f)
			}
		}
	}
	slices.SortFunc(idle, func(a, b *file) int { return a.used - b.used })
	for _, f := range idle[:min(len(idle), max(open-d.cfg.Open, 0))] {
		if err := d.detach(f); err != nil {
			return &dayError{f.day, err}
		}
	}
	return nil
}

func (d *DB) attach(ctx context.Context, f *file) error {
	ctx = context.WithoutCancel(ctx) // half attached is worse than late
	if _, err := d.admin.ExecContext(ctx, fmt.Sprintf("ATTACH %s AS %s (STORAGE_VERSION 'v1.5.0')", quote(d.path(f.day)), f.name)); err != nil {
		return err
	}
	f.attached = true
	v, err := version(ctx, d.admin, f.name)
	if err == nil && v > len(d.steps) {
		err = &store.Fault{What: "open the observations of", Where: d.path(f.day), Do: "start the newer version, or move the file away: the other days are served",
			Err: fmt.Errorf("%w: it has schema %d, this version knows %d", store.ErrNewer, v, len(d.steps))}
	}
	if err == nil {
		err = migrate(ctx, d.admin, f.name, v, d.steps)
	}
	if err != nil {
		return errors.Join(err, d.detach(f))
	}
	return nil
}

func (d *DB) detach(f *file) error {
	if !f.attached {
		return nil
	}
	f.attached, f.pen = false, nil
	_, err := d.admin.ExecContext(context.Background(), "DETACH "+f.name)
	return err
}

// setAside takes a day out of use whose file turned out to be damaged.
func (d *DB) setAside(day int, why error) error {
	d.life.Lock() // nobody reads
	defer d.life.Unlock()
	d.files.Lock()
	defer d.files.Unlock()
	f := d.days[day]
	if f == nil {
		return nil
	}
	return d.moveAside(f, why)
}

const asideName = ".damaged"

// moveAside gives the file of a day a name under which nobody looks for it.
func (d *DB) moveAside(f *file, why error) error {
	_ = d.detach(f) // a damaged file may well refuse
	delete(d.days, f.day)
	path := d.path(f.day)
	to := path + asideName
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = fmt.Sprintf("%s%s.%d", path, asideName, n)
	}
	for _, move := range [][2]string{{path, to}, {logName(path), logName(to)}} {
		if err := os.Rename(move[0], move[1]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return store.Explain("set aside a damaged day,", path, errors.Join(err, why))
		}
	}
	return nil
}

// remove deletes a day that was dropped.
func (d *DB) remove(f *file) error {
	err := d.detach(f)
	path := d.path(f.day)
	for _, name := range []string{logName(path), path} {
		if e := os.Remove(name); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}
