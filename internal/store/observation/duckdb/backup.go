//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"xiezhi/internal/store/observation"
)

// patience with which a day waits for questions to it that are under way.
const (
	patience = 100 // times
	pause    = 50 * time.Millisecond
)

// Backup gives the files of all days, each as it is at one moment, under their
// names in the data folder, while others write and read. What is written to a
// day waits while that day is given away.
func (d *DB) Backup(ctx context.Context, put func(name string, size int64, r io.Reader) error) error {
	var failed error // what put said, which is not about the days
	giving := func(name string, size int64, r io.Reader) error {
		failed = put(path.Join(folderName, name), size, r)
		return failed
	}
	// The floor first: a day that is dropped meanwhile is then dropped again.
	err := give(filepath.Join(d.dir, floorName), floorName, giving)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(failed, explain("back up the observations in", d.dir, err))
	}
	for _, day := range d.list(&observation.Filter{}) {
		err := d.ask(ctx, "back up the observations of", func(c *sql.Conn) error {
			return d.in(ctx, day, func(f *file) error {
				f.hold.Lock()
				defer f.hold.Unlock()
				if err := checkpoint(ctx, c, f.name); err != nil {
					return err
				}
				if err := give(d.path(day), filepath.Base(d.path(day)), giving); failed == nil {
					return err
				}
				return nil
			})
		})
		if err = errors.Join(failed, err); err != nil {
			return err
		}
	}
	return nil
}

// checkpoint puts all that was written ahead into the file.
func checkpoint(ctx context.Context, c *sql.Conn, name string) error {
	for n := 1; ; n++ {
		_, err := c.ExecContext(ctx, "CHECKPOINT "+name)
		var e *duckdb.Error
		if err == nil || n == patience || !errors.As(err, &e) || e.Type != duckdb.ErrorTypeTransaction {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func give(path, name string, put func(string, int64, io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return put(name, info.Size(), f)
}
