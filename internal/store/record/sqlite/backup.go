package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
)

// ErrExists: a backup never takes another file's place.
var ErrExists = errors.New("the file is there already")

// ErrStrange: the audit log of a backup and the one here part ways.
var ErrStrange = errors.New("the backup is of another installation")

// Backup writes the state of one moment to a new file, while others write and
// read, and reads it through.
func (d *DB) Backup(ctx context.Context, path string) error {
	const what = "back up the records to"
	if _, err := os.Lstat(path); err == nil {
		return &store.Fault{What: what, Where: path, Do: "name a new file", Err: ErrExists}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return store.Explain(what, path, err)
	}
	// The store's own reading connections are held to reading.
	return explain(what, path, inspect(ctx, d.path, func(c *sql.Conn) error { return copyTo(ctx, c, path) }))
}

// copyTo writes what a connection sees to a file that appears whole or not at
// all.
func copyTo(ctx context.Context, c *sql.Conn, path string) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, partName) // readable by its owner alone
	if err != nil {
		return err
	}
	part := f.Name()
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return err
	}
	if err := inspect(ctx, part, func(c *sql.Conn) error { return whole(ctx, c) }); err != nil {
		return err
	}
	if err := flush(part); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return flush(dir)
}

func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// inspect opens a file beside the store's for a moment.
func inspect(ctx context.Context, path string, do func(*sql.Conn) error) error {
	db, err := connect(path)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer db.Close()
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// Restore puts the records of a backup in the place of those that are here, in
// one transaction, while others read; writers wait. The audit log never gets
// shorter: entries that the backup has beyond those here are added, those that
// it lacks stay, and the given entry tells of the restoring.
func (d *DB) Restore(ctx context.Context, path string, note record.Entry) error {
	const what = "restore the records from"
	if err := (&record.Batch{Audit: []record.Entry{note}}).Check(); err != nil {
		return err
	}
	// A copy is made: it may have to be brought up, and a backup stays as it is.
	dir, err := os.MkdirTemp(filepath.Dir(d.path), restoreName)
	if err != nil {
		return d.fault("make room to restore beside", err)
	}
	defer os.RemoveAll(dir)
	part := filepath.Join(dir, fileName)
	if err := copyFile(path, part); err != nil {
		return explain(what, path, err)
	}
	list, err := migrations()
	if err != nil {
		return err
	}
	err = inspect(ctx, part, func(c *sql.Conn) error {
		was, err := look(ctx, path, c, len(list))
		if err != nil {
			return err
		}
		if was.fresh {
			return fmt.Errorf("%w: there is nothing in it", store.ErrDamaged)
		}
		return migrate(ctx, c, was.version, list)
	})
	if err != nil {
		return explain(what, path, err)
	}
	return explain(what, path, d.replace(ctx, part, note))
}

func (d *DB) replace(ctx context.Context, part string, note record.Entry) (err error) {
	c, err := d.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "ATTACH ? AS backup", part); err != nil {
		return err
	}
	defer func() {
		if _, e := c.ExecContext(context.WithoutCancel(ctx), "DETACH backup"); err == nil {
			err = e
		}
	}()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	if err := d.joinLogs(ctx, tx); err != nil {
		return err
	}
	for _, q := range []string{
		"DELETE FROM main.record",
		"INSERT INTO main.record (" + columns + ") SELECT " + columns + " FROM backup.record",
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	if err := d.seal(ctx, tx, []record.Entry{note}); err != nil {
		return err
	}
	return tx.Commit()
}

// joinLogs verifies the backup's audit log and brings the one here to the
// longer of the two, of which the other has to be the beginning.
func (d *DB) joinLogs(ctx context.Context, tx *sql.Tx) error {
	here, err := head(ctx, tx, "main")
	if err != nil {
		return err
	}
	there, err := d.verify(ctx, tx, "backup", record.Head{})
	if err != nil {
		return err
	}
	longer, known := "backup", here
	if here.Seq > there.Seq {
		longer, known = "main", there
	}
	if _, err := d.verify(ctx, tx, longer, known); errors.Is(err, record.ErrTampered) {
		return fmt.Errorf("%w, or one of the audit logs was changed: restore into an empty folder (%w)", ErrStrange, err)
	} else if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO main.audit ("+entry+") SELECT "+entry+" FROM backup.audit WHERE seq > ?", int64(here.Seq))
	return err
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
