package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
)

// fault tells an error of SQLite as what, where and what to do.
func (d *DB) fault(what string, err error) error { return explain(what, d.path, err) }

func explain(what, path string, err error) error {
	for _, known := range []error{record.ErrInvalid, record.ErrNotFound, record.ErrConflict, record.ErrTampered, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return err
		}
	}
	var f *store.Fault
	if err == nil || errors.As(err, &f) {
		return err
	}
	say := func(class error, do string) error {
		return &store.Fault{What: what, Where: path, Do: do, Err: fmt.Errorf("%w (%w)", class, err)}
	}
	if errors.Is(err, store.ErrDamaged) {
		return &store.Fault{What: what, Where: path, Do: mend, Err: err}
	}
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return store.Explain(what, path, err)
	}
	switch s.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return say(store.ErrFull, "make room on that disk or raise the cap of the file; reading goes on, and what was acknowledged is there")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return say(store.ErrReadOnly, "give this user the right to write the file and its folder")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return say(store.ErrDamaged, mend)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return say(store.ErrInUse, "end the program that has the file open")
	}
	return store.Explain(what, path, err)
}

const mend = "keep the file aside and put the last backup in its place"
