package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
)

// View is the records of one moment, read beside the process that holds the
// folder or where none does. It writes nothing but what SQLite itself keeps
// beside the file for its readers.
type View struct {
	path string
	db   *sql.DB
	conn *sql.Conn
}

// Beside opens a view of the records in a folder that need not be held. A file
// of an older version is refused: only a service brings it up.
func Beside(ctx context.Context, folder string) (*View, error) {
	path, err := filepath.Abs(filepath.Join(folder, fileName)) // SQLite takes the head of a relative one for a machine
	if err != nil {
		return nil, store.Explain("find the data folder", folder, err)
	}
	v := &View{path: path}
	if err := v.open(ctx); err != nil {
		_ = v.Close()
		return nil, v.fault("read the records", err)
	}
	return v, nil
}

func (v *View) open(ctx context.Context) error {
	if _, err := os.Stat(v.path); errors.Is(err, fs.ErrNotExist) {
		return &store.Fault{What: "read the records", Where: v.path, Do: "name the data folder of a service", Err: fs.ErrNotExist}
	} else if err != nil {
		return err
	}
	list, err := migrations()
	if err != nil {
		return err
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "trusted_schema(0)", "temp_store(2)", "query_only(1)"}}
	if v.db, err = sql.Open("sqlite", (&url.URL{Scheme: "file", Path: v.path, RawQuery: q.Encode()}).String()); err != nil {
		return err
	}
	if v.conn, err = v.db.Conn(ctx); err != nil {
		return err
	}
	app, version, _, err := stamp(ctx, v.conn)
	switch {
	case err != nil:
		return err
	case app != magic:
		return &store.Fault{What: "read the records", Where: v.path, Do: "name the data folder of a service", Err: fmt.Errorf("%w: not a file of records", store.ErrDamaged)}
	case version > len(list):
		return &store.Fault{What: "read the records", Where: v.path, Do: "use the version that serves it", Err: fmt.Errorf("%w: it has schema %d, this version knows %d", store.ErrNewer, version, len(list))}
	case version < len(list):
		return &store.Fault{What: "read the records", Where: v.path, Do: "start xiezhi serve of this version on it once", Err: fmt.Errorf("it has schema %d of an older version, this one reads %d", version, len(list))}
	}
	// One transaction is one moment, whatever is written meanwhile.
	_, err = v.conn.ExecContext(ctx, "BEGIN")
	return err
}

// List gives a page.
func (v *View) List(ctx context.Context, q record.Query) (record.Page, error) {
	p, err := list(ctx, v.conn, q)
	return p, v.fault("list the records", err)
}

// Close ends the view.
func (v *View) Close() error {
	var err error
	if v.conn != nil {
		_, _ = v.conn.ExecContext(context.Background(), "ROLLBACK") // there may be none
		err = v.conn.Close()
	}
	if v.db != nil {
		err = errors.Join(err, v.db.Close())
	}
	return err
}

func (v *View) fault(what string, err error) error { return explain(what, v.path, err) }
