//go:build !cgo

package duckdb

import (
	"context"
	"io"

	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
)

// DB is the store.
type DB struct{ observation.Store }

// Open says what is missing.
func Open(_ context.Context, f *store.Folder, _ Config) (*DB, error) {
	return nil, &store.Fault{What: "open the observations in", Where: Folder(f.Path()), Do: "build it with CGO_ENABLED=1 and a C++ compiler", Err: ErrAbsent}
}

// Backup says the same; there is no store that it could be called on.
func (*DB) Backup(context.Context, func(name string, size int64, r io.Reader) error) error {
	return ErrAbsent
}
