// Package sqlite keeps records in one SQLite file of the data folder, in pure
// Go.
//
// It takes a held folder and gives a record.Store that can be backed up and
// restored while it runs. Invariants: what Write acknowledged survives the end
// of the process, with Config.Sync also the loss of power; a file of an older
// version is brought up in whole steps, after a copy of it was made; one of a
// newer version, of another program or damaged is refused with what to do and
// left as it is. When there is no room, writes are refused whole and reading
// goes on. Limits: one process, one writer at a time; Config.MaxBytes bounds
// the file. The file is readable by its owner alone and not encrypted: it holds
// hashes, tokens and what went through redact.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver

	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
)

// Config of a store. The zero value of the numbers takes the defaults.
type Config struct {
	Chain    record.Chain // seals the audit log
	MaxBytes int64        // of the file; 0 for 8 GiB
	Sync     bool         // wait for the disk at every write
}

const (
	fileName     = "records.db"
	partName     = ".records-*" // of a copy that is being written
	restoreName  = ".restore-*" // of a folder to restore beside
	pageSize     = 4096
	readers      = 4
	defaultBytes = 8 << 30
	// checkedWhole is the size up to which a file is read through when opened;
	// larger ones would keep the service down for too long.
	checkedWhole = 64 << 20
)

// DB is the store.
type DB struct {
	path  string
	chain record.Chain
	write *sql.DB // one connection
	read  *sql.DB
}

var _ record.Store = (*DB)(nil)

// Open opens or makes the file in a folder.
func Open(ctx context.Context, f *store.Folder, cfg Config) (*DB, error) {
	list, err := migrations()
	if err != nil {
		return nil, err
	}
	return open(ctx, filepath.Join(f.Path(), fileName), cfg, list)
}

func open(ctx context.Context, path string, cfg Config, list []string) (*DB, error) {
	d := &DB{path: path, chain: cfg.Chain}
	if err := d.open(ctx, cfg, list); err != nil {
		if d.write != nil {
			_ = d.write.Close()
		}
		return nil, d.fault("open the records", err)
	}
	return d, nil
}

func (d *DB) open(ctx context.Context, cfg Config, list []string) error {
	// What a process that was killed left behind.
	for _, pattern := range []string{partName, restoreName} {
		left, err := filepath.Glob(filepath.Join(filepath.Dir(d.path), pattern))
		if err != nil {
			return err
		}
		for _, name := range left {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	// SQLite would make the file with the rights that everybody has.
	f, err := os.OpenFile(d.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	var was state
	err = inspect(ctx, d.path, func(c *sql.Conn) error {
		was, err = look(ctx, d.path, c, len(list))
		return err
	})
	if err != nil {
		return err
	}
	sync := "NORMAL"
	if cfg.Sync {
		sync = "FULL"
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = defaultBytes
	}
	d.write, err = connect(d.path, fmt.Sprintf("page_size(%d)", pageSize), "journal_mode(WAL)", "synchronous("+sync+")", "secure_delete(1)",
		"journal_size_limit(67108864)", fmt.Sprintf("max_page_count(%d)", max(cfg.MaxBytes/pageSize, 1)))
	if err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	c, err := d.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if was.version < len(list) {
		if err := d.bringUp(ctx, c, was, list); err != nil {
			return err
		}
	}
	if d.read, err = connect(d.path, "query_only(1)"); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)
	return nil
}

// connect opens a file whose settings hold for every connection.
func connect(path string, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "trusted_schema(0)", "temp_store(2)"}}
	q["_pragma"] = append(q["_pragma"], pragmas...)
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
}

// bringUp migrates what is there, after a copy was made of it: nothing goes back
// from a version to the one before, but the copy does.
func (d *DB) bringUp(ctx context.Context, c *sql.Conn, was state, list []string) error {
	if !was.fresh {
		if err := copyTo(ctx, c, copyName(d.path, was.version)); err != nil {
			return err
		}
	}
	return migrate(ctx, c, was.version, list)
}

// copyName is where the copy from before an upgrade is.
func copyName(path string, version int) string { return fmt.Sprintf("%s.v%d", path, version) }

// state is what a file was found as.
type state struct {
	version int
	fresh   bool // there is nothing in it
}

// look says whether a file is ours, of a version that is known, and sound. It
// changes nothing.
func look(ctx context.Context, path string, c *sql.Conn, known int) (state, error) {
	app, version, tables, err := stamp(ctx, c)
	if err != nil {
		return state{}, err
	}
	if app == 0 && version == 0 && tables == 0 {
		return state{fresh: true}, nil
	}
	if app != magic {
		return state{}, &store.Fault{What: "open the records", Where: path, Do: "move the file away: it is of another program",
			Err: fmt.Errorf("%w: not a file of records", store.ErrDamaged)}
	}
	if version > known {
		return state{}, &store.Fault{What: "open the records", Where: path,
			Do:  fmt.Sprintf("start the newer version, or put %s, the copy from before the upgrade, in its place", copyName(path, known)),
			Err: fmt.Errorf("%w: it has schema %d, this version knows %d", store.ErrNewer, version, known)}
	}
	if info, err := os.Stat(path); err != nil {
		return state{}, err
	} else if info.Size() <= checkedWhole {
		err = whole(ctx, c)
		return state{version: version}, err
	}
	return state{version: version}, nil
}

// whole reads a file through.
func whole(ctx context.Context, c *sql.Conn) error {
	var said string
	if err := c.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return err
	}
	if said != "ok" {
		return fmt.Errorf("%w: %s", store.ErrDamaged, said)
	}
	return nil
}

// Close ends the store. The folder stays taken.
func (d *DB) Close() error {
	return d.fault("close the records", errors.Join(d.read.Close(), d.write.Close()))
}
