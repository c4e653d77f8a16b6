package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"xiezhi/internal/store/record"
)

const entry = "seq, id, at, by, action, target, detail, seal"

// repeated reports whether the entries of a batch are in the log, which means
// that the batch has been written.
func repeated(ctx context.Context, tx *sql.Tx, list []record.Entry) (bool, error) {
	known := 0
	for i := range list {
		s, err := scanEntry(tx.QueryRowContext(ctx, "SELECT "+entry+" FROM audit WHERE id = ?", list[i].ID))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return false, err
		}
		if !s.Equal(&list[i]) {
			return false, record.ErrConflict
		}
		known++
	}
	if known > 0 && known < len(list) {
		return false, record.ErrConflict
	}
	return known > 0, nil
}

// seal appends entries.
func (d *DB) seal(ctx context.Context, tx *sql.Tx, list []record.Entry) error {
	if len(list) == 0 {
		return nil
	}
	h, err := head(ctx, tx, "main")
	if err != nil {
		return err
	}
	for i := range list {
		s := d.chain.Next(h, list[i])
		if err := appendEntry(ctx, tx, &s); err != nil {
			return err
		}
		h = s.Head()
	}
	return nil
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func appendEntry(ctx context.Context, tx execer, s *record.Sealed) error {
	detail := s.Detail
	if detail == nil {
		detail = []byte{}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO audit ("+entry+") VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		int64(s.Seq), s.ID, s.At.UnixNano(), s.By, s.Action, s.Target, detail, s.Seal[:])
	return err
}

// head gives the end of the log of a schema, the zero value when it is empty.
func head(ctx context.Context, q querier, schema string) (record.Head, error) {
	s, err := scanEntry(q.QueryRowContext(ctx, "SELECT "+entry+" FROM "+schema+".audit ORDER BY seq DESC LIMIT 1"))
	if errors.Is(err, sql.ErrNoRows) {
		return record.Head{}, nil
	}
	return s.Head(), err
}

func scanEntry(row interface{ Scan(...any) error }) (record.Sealed, error) {
	var s record.Sealed
	var seq, at int64
	var seal []byte
	if err := row.Scan(&seq, &s.ID, &at, &s.By, &s.Action, &s.Target, &s.Detail, &seal); err != nil {
		return record.Sealed{}, err
	}
	if copy(s.Seal[:], seal) != len(s.Seal) || len(seal) != len(s.Seal) {
		return record.Sealed{}, fmt.Errorf("%w at entry %d", record.ErrTampered, seq)
	}
	s.Seq, s.At = uint64(seq), time.Unix(0, at).UTC()
	return s, nil
}

// Audit gives entries before a number, newest first.
func (d *DB) Audit(ctx context.Context, before uint64, limit int) ([]record.Sealed, error) {
	limit, err := record.CheckPage(limit)
	if err != nil {
		return nil, err
	}
	if before == 0 || before > 1<<62 {
		before = 1 << 62
	}
	var out []record.Sealed
	err = each(ctx, d.read, "SELECT "+entry+" FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?", func(s record.Sealed) error {
		out = append(out, s)
		return nil
	}, int64(before), limit)
	return out, d.fault("read the audit log", err)
}

func each(ctx context.Context, q querier, text string, do func(record.Sealed) error, args ...any) error {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		s, err := scanEntry(rows)
		if err != nil {
			return err
		}
		if err := do(s); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Verify goes through the audit log.
func (d *DB) Verify(ctx context.Context, known record.Head) (record.Head, error) {
	h, err := d.verify(ctx, d.read, "main", known)
	return h, d.fault("verify the audit log", err)
}

func (d *DB) verify(ctx context.Context, q querier, schema string, known record.Head) (record.Head, error) {
	w := d.chain.Walk(known)
	if err := each(ctx, q, "SELECT "+entry+" FROM "+schema+".audit ORDER BY seq", w.Step); err != nil {
		return record.Head{}, err
	}
	return w.End()
}
