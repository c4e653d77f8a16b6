//go:build cgo

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
)

// dayError is an error met in one day's file.
type dayError struct {
	day int
	err error
}

func (e *dayError) Error() string { return e.err.Error() }
func (e *dayError) Unwrap() error { return e.err }

// says reports whether an error holds one of some words. The database gives no
// numbers for what the system said to it.
func says(err error, words ...string) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

func full(err error) bool {
	return errors.Is(err, store.ErrFull) || says(err, "No space left on device", "File too large", "Disk quota exceeded", "max_temp_directory_size")
}

// damaged reports whether an error says that what is in a file is not what was
// written.
func damaged(err error) bool {
	if full(err) || says(err, "version number") {
		return false
	}
	var e *duckdb.Error
	return errors.Is(err, store.ErrDamaged) ||
		errors.As(err, &e) && e.Type == duckdb.ErrorTypeSerialization ||
		says(err, "checksum", "not a valid DuckDB database file", "orrupt", "Could not read enough bytes", "Could not read all bytes", "Failed to deserialize", "Failed to load metadata", "Failure while replaying WAL file", "wal version")
}

// fatal reports whether the database works no more.
func fatal(err error) bool {
	var e *duckdb.Error
	return errors.As(err, &e) && (e.Type == duckdb.ErrorTypeFatal || e.Type == duckdb.ErrorTypeInternal) ||
		says(err, "database has been invalidated")
}

// explain tells an error of the database as what, where and what to do.
func explain(what, path string, err error) error {
	for _, known := range []error{observation.ErrInvalid, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return err
		}
	}
	var f *store.Fault
	if err == nil || errors.As(err, &f) {
		return err
	}
	say := func(class error, do string) error {
		if !errors.Is(err, class) {
			err = fmt.Errorf("%w (%w)", class, err)
		}
		return &store.Fault{What: what, Where: path, Do: do, Err: err}
	}
	var e *duckdb.Error
	switch {
	case says(err, "max_temp_directory_size"):
		return say(store.ErrFull, "ask for fewer days, or give the database more room for large questions")
	case full(err):
		return say(store.ErrFull, "make room on that disk or keep fewer days; reading goes on, and what was acknowledged is there")
	case says(err, "Permission denied", "Read-only file system"):
		return say(store.ErrReadOnly, "give this user the right to write the file and its folder")
	case says(err, "Conflicting lock", "Could not set lock"):
		return say(store.ErrInUse, "end the program that has the file open")
	case says(err, "version number"):
		return say(store.ErrNewer, "start the newer version, or move the file away")
	case damaged(err):
		return say(store.ErrDamaged, "keep the file aside and put the last backup in its place")
	case errors.As(err, &e) && e.Type == duckdb.ErrorTypeOutOfMemory:
		return &store.Fault{What: what, Where: path, Do: "ask for fewer days, or give the database more memory", Err: err}
	}
	return store.Explain(what, path, err)
}
