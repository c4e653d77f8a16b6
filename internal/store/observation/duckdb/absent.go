//go:build !cgo

package duckdb

import (
	"context"
	"errors"

	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
)

// ErrAbsent: this program was built without DuckDB.
var ErrAbsent = errors.New("this program was built without DuckDB, which is C++")

// DB is the store.
type DB struct{ observation.Store }

// Open says what is missing.
func Open(_ context.Context, f *store.Folder, _ Config) (*DB, error) {
	return nil, &store.Fault{What: "open the observations in", Where: Folder(f.Path()), Do: "build it with CGO_ENABLED=1 and a C++ compiler", Err: ErrAbsent}
}
