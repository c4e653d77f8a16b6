//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"xiezhi/internal/store"
)

// steps are the schema's versions: step n makes version n of version n-1, with
// $day for the name of the file's catalogue. A step that was released is never
// changed.
//
//go:embed steps/*.sql
var steps embed.FS

// migrations gives the steps in order.
func migrations() ([]string, error) {
	var out []string
	for i := 1; ; i++ {
		b, err := steps.ReadFile(fmt.Sprintf("steps/%d.sql", i))
		if errors.Is(err, fs.ErrNotExist) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, string(b))
	}
}

var errForeign = errors.New("not a file of observations")

// version reads what an attached file says it is; 0 is a new, empty one.
func version(ctx context.Context, c *sql.Conn, name string) (int, error) {
	var tables, ours int
	err := c.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (table_name = 'about') FROM duckdb_tables() WHERE database_name = ?", name).Scan(&tables, &ours)
	if err != nil || tables == 0 {
		return 0, err
	}
	if ours == 0 {
		return 0, fmt.Errorf("%w: %w", store.ErrDamaged, errForeign)
	}
	var v int
	if err := c.QueryRowContext(ctx, "SELECT version FROM "+name+".about").Scan(&v); err != nil {
		return 0, err
	}
	if v < 1 {
		return 0, fmt.Errorf("%w: it has schema %d", store.ErrDamaged, v)
	}
	return v, nil
}

// migrate brings a file from one version to the last. Each step and its version
// are one transaction, so that a crash leaves the one or the other version.
func migrate(ctx context.Context, c *sql.Conn, name string, from int, list []string) error {
	for i := from; i < len(list); i++ {
		err := transaction(ctx, c, func() error {
			if _, err := c.ExecContext(ctx, strings.ReplaceAll(list[i], "$day", name)); err != nil {
				return err
			}
			_, err := c.ExecContext(ctx, fmt.Sprintf("UPDATE %s.about SET version = %d", name, i+1))
			return err
		})
		if err != nil {
			return fmt.Errorf("step to version %d: %w", i+1, err)
		}
	}
	return nil
}

// transaction does something in one. Whether a commit that failed was done is
// not known.
func transaction(ctx context.Context, c *sql.Conn, do func() error) error {
	if _, err := c.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		if _, err = c.ExecContext(ctx, "COMMIT"); err == nil {
			return nil
		}
	}
	// After a failed commit there is none to roll back, and that says nothing.
	_, _ = c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return err
}
