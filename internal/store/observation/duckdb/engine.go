//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	_ "github.com/duckdb/duckdb-go/v2" // the driver

	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
)

// DB is the store.
type DB struct {
	dir   string
	cfg   Config
	steps []string

	life  sync.RWMutex // held for writing while the database is started anew
	sql   *sql.DB
	admin *sql.Conn // attaches and detaches; under files
	turn  int       // how often it was started

	files   sync.Mutex
	days    map[int]*file
	floor   int // days before were dropped
	clock   int // of uses
	leftOut uint64

	write sync.Mutex
	slots chan struct{}
}

var _ observation.Store = (*DB)(nil)

// Open opens the days of a data folder. The newest is looked at, the others
// when they are asked for.
func Open(ctx context.Context, f *store.Folder, cfg Config) (*DB, error) {
	list, err := migrations()
	if err != nil {
		return nil, err
	}
	return open(ctx, Folder(f.Path()), cfg, list)
}

func open(ctx context.Context, dir string, cfg Config, list []string) (*DB, error) {
	const what = "open the observations in"
	cfg = cfg.filled()
	d := &DB{dir: dir, cfg: cfg, steps: list, slots: make(chan struct{}, cfg.Parallel)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, store.Explain(what, dir, err)
	}
	temp := filepath.Join(dir, tempName)
	if err := errors.Join(os.RemoveAll(temp), os.Mkdir(temp, 0o700)); err != nil {
		return nil, store.Explain(what, dir, err)
	}
	if err := d.find(); err != nil {
		return nil, store.Explain(what, dir, err)
	}
	if err := d.start(ctx); err != nil {
		return nil, explain(what, dir, err)
	}
	newest := -1
	for day := range d.days {
		newest = max(newest, day)
	}
	if newest >= 0 {
		f, err := d.acquire(ctx, newest, false)
		if err != nil {
			_ = d.stop()
			return nil, explain(what, d.path(newest), err)
		}
		d.release(f)
	}
	return d, nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// start starts the database: in memory, with days attached as they are needed.
func (d *DB) start(ctx context.Context) error {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(d.cfg.Parallel + 2)
	db.SetMaxIdleConns(d.cfg.Parallel + 2)
	for _, q := range []string{
		fmt.Sprintf("SET memory_limit = '%dB'", d.cfg.Memory),
		fmt.Sprintf("SET threads = %d", d.cfg.Threads),
		"SET temp_directory = " + quote(filepath.Join(d.dir, tempName)),
		fmt.Sprintf("SET max_temp_directory_size = '%dB'", d.cfg.Temp),
		"SET late_materialization_max_rows = 1001", // pages are found by their time before the rest is read
		fmt.Sprintf("SET checkpoint_threshold = '%dB'", d.cfg.log),
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET allowed_directories = [" + quote(d.dir+string(filepath.Separator)) + "]",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	} {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", q, err), db.Close())
		}
	}
	admin, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	d.sql, d.admin = db, admin
	d.turn++
	return nil
}

func (d *DB) stop() error { return errors.Join(d.admin.Close(), d.sql.Close()) }

// restart starts the database anew, which an error that it calls fatal needs.
// turn is the one that failed.
func (d *DB) restart(turn int) error {
	d.life.Lock()
	defer d.life.Unlock()
	if d.turn != turn {
		return nil
	}
	_ = d.stop() // it says only that it is out of order
	d.files.Lock()
	defer d.files.Unlock()
	for _, f := range d.days {
		f.attached, f.pen = false, nil
	}
	return d.start(context.Background())
}

// Close ends the store. The folder stays taken.
func (d *DB) Close() error {
	d.write.Lock()
	defer d.write.Unlock()
	d.life.Lock()
	defer d.life.Unlock()
	d.files.Lock()
	defer d.files.Unlock()
	var errs []error
	for _, f := range d.days {
		errs = append(errs, d.detach(f))
	}
	errs = append(errs, d.stop())
	return explain("close the observations in", d.dir, errors.Join(errs...))
}

// attempts is how often something is tried whose days turn out to be damaged.
const attempts = 8

// try does something with the database, again when it had to be started anew or
// a damaged day was set aside.
func (d *DB) try(ctx context.Context, what string, do func() error) error {
	for n := 1; ; n++ {
		d.life.RLock()
		turn := d.turn
		err := do()
		d.life.RUnlock()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var of *dayError
		aside := errors.As(err, &of) && damaged(err) && n < attempts
		anew := fatal(err) && n < attempts
		if aside {
			if err := d.setAside(of.day, of.err); err != nil {
				return err
			}
		}
		if fatal(err) {
			if err := d.restart(turn); err != nil {
				return explain(what, d.dir, err)
			}
		}
		if !aside && (!anew || full(err)) {
			where := d.dir
			if of != nil {
				where = d.path(of.day)
			}
			return explain(what, where, err)
		}
	}
}

// ask answers a question on a connection of its own.
func (d *DB) ask(ctx context.Context, what string, do func(*sql.Conn) error) error {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return d.try(ctx, what, func() error {
		c, err := d.sql.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		return do(c)
	})
}
