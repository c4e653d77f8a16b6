package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"xiezhi/internal/store/record"
)

// Write does a batch in one transaction.
func (d *DB) Write(ctx context.Context, b record.Batch) (int, error) {
	if err := b.Check(); err != nil {
		return 0, err
	}
	changed := 0
	err := d.transaction(ctx, func(tx *sql.Tx) error {
		done, err := repeated(ctx, tx, b.Audit)
		if done || err != nil {
			return err
		}
		for i := range b.Delete {
			n, err := remove(ctx, tx, &b.Delete[i])
			if err != nil {
				return err
			}
			changed += n
		}
		for i := range b.Put {
			n, err := put(ctx, tx, &b.Put[i])
			if err != nil {
				return err
			}
			changed += n
		}
		changed += len(b.Audit)
		return d.seal(ctx, tx, b.Audit)
	})
	if err != nil {
		return 0, d.fault("write the records", err)
	}
	return changed, nil
}

func (d *DB) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback()
		return err
	}
	return nil
}

// remove deletes a record in the revision that is meant.
func remove(ctx context.Context, tx *sql.Tx, k *record.Key) (int, error) {
	n, err := affected(tx.ExecContext(ctx, "DELETE FROM record WHERE kind = ? AND id = ? AND rev = ?", string(k.Kind), k.ID, int64(k.Rev)))
	if n > 0 || err != nil {
		return n, err
	}
	if _, err = get(ctx, tx, k.Kind, k.ID); err == nil {
		return 0, record.ErrConflict
	}
	if errors.Is(err, record.ErrNotFound) {
		return 0, nil
	}
	return 0, err
}

const columns = "kind, id, rev, site, type, state, severity, words, name, rank0, rank1, rank2, first, last, body"

// put writes a record if it is newer than what is there (derived) or follows
// it (kept).
func put(ctx context.Context, tx *sql.Tx, r *record.Record) (int, error) {
	const (
		insert = "INSERT INTO record (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		set    = " DO UPDATE SET rev = excluded.rev, site = excluded.site, type = excluded.type, state = excluded.state, severity = excluded.severity, words = excluded.words, name = excluded.name, rank0 = excluded.rank0, rank1 = excluded.rank1, rank2 = excluded.rank2, first = excluded.first, last = excluded.last, body = excluded.body"
		clash  = " ON CONFLICT (kind, id)"
	)
	args := []any{string(r.Kind), r.ID, int64(r.Rev), r.Site, r.Type, r.State, r.Severity, r.Words, r.Name, r.Ranks[0], r.Ranks[1], r.Ranks[2], r.First.UnixNano(), r.Last.UnixNano(), r.Body}
	if r.Kind.Derived() {
		return affected(tx.ExecContext(ctx, insert+clash+set+" WHERE excluded.rev > record.rev", args...))
	}
	old, err := get(ctx, tx, r.Kind, r.ID)
	switch {
	case errors.Is(err, record.ErrNotFound):
	case err != nil:
		return 0, err
	case old.Equal(r):
		return 0, nil
	}
	if r.Rev != old.Rev+1 { // old.Rev is 0 when there is none
		return 0, record.ErrConflict
	}
	return affected(tx.ExecContext(ctx, insert+clash+set, args...))
}

func affected(r sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}
