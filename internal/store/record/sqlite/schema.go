package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
)

// magic is SQLite's application id: "XZrc". A file of another program is never
// taken for ours.
const magic = 0x585a7263

// steps are the schema's versions: step n makes version n of version n-1. A
// step that was released is never changed.
//
//go:embed steps/*.sql
var steps embed.FS

// migrations gives the steps in order.
func migrations() ([]string, error) {
	names, err := fs.Glob(steps, "steps/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []string
	for _, n := range names {
		b, err := steps.ReadFile(n)
		if err != nil {
			return nil, err
		}
		out = append(out, string(b))
	}
	return out, nil
}

// stamp reads what a file says it is: version 0 with an application id of 0 is
// a new, empty one.
func stamp(ctx context.Context, c *sql.Conn) (app, version, tables int, err error) {
	for _, q := range []struct {
		text string
		into *int
	}{
		{"PRAGMA application_id", &app},
		{"PRAGMA user_version", &version},
		{"SELECT count(*) FROM sqlite_schema", &tables},
	} {
		if err := c.QueryRowContext(ctx, q.text).Scan(q.into); err != nil {
			return 0, 0, 0, err
		}
	}
	return app, version, tables, nil
}

// migrate brings a file from one version to the last. Each step and its version
// are one transaction, so that a crash leaves the one or the other version.
func migrate(ctx context.Context, c *sql.Conn, from int, list []string) error {
	for i := from; i < len(list); i++ {
		tx, err := c.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for _, q := range []string{list[i], fmt.Sprintf("PRAGMA application_id = %d", magic), fmt.Sprintf("PRAGMA user_version = %d", i+1)} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				_ = tx.Rollback()
				return fmt.Errorf("step to version %d: %w", i+1, err)
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}
