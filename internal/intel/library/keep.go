package library

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"xiezhi/internal/intel/indicator"
)

func (f *feedState) name() string { return "feed/" + f.cfg.Name }

// digest tells whether what was kept was read from the same place in the same
// way.
func (f *feedState) digest() string {
	c := &f.cfg
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q %q %d", c.URL, c.File, c.Format, c.Role, c.Type, c.Tags, c.Columns, c.Confidence))
	return hex.EncodeToString(sum[:8])
}

// save writes what a feed says: a line on it, and one for each row.
func (l *Library) save(f *feedState) error {
	f.mu.Lock()
	head, rows := f.kept, f.rows // rows of a set never change
	f.mu.Unlock()
	return l.cfg.Keep.Save(f.name(), func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 1<<16)
		e := json.NewEncoder(b)
		if err := e.Encode(&head); err != nil {
			return err
		}
		for i := range rows {
			if err := e.Encode(&rows[i]); err != nil {
				return err
			}
		}
		return b.Flush()
	})
}

var errKept = errors.New("it is not what was written")

// load brings it back. Nothing kept, or of another place, is no error.
func (l *Library) load(f *feedState) error {
	found := false
	passed, err := l.cfg.Keep.Load(f.name(), func(r io.Reader) error {
		found = true
		f.forget()
		d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
		if err := d.Decode(&f.kept); err != nil {
			return err
		}
		if f.kept.Rows < 0 || f.kept.Rows > indicator.MaxRows {
			return errKept
		}
		if f.kept.Source != f.digest() {
			f.forget()
			_, err := io.Copy(io.Discard, r)
			return err
		}
		for range f.kept.Rows {
			var x indicator.Indicator
			if err := d.Decode(&x); err != nil {
				return err
			}
			v, err := indicator.Canonical(x.Type, x.Value, nil)
			if err != nil || v != x.Value {
				return errKept
			}
			f.rows = append(f.rows, x)
		}
		if d.More() {
			return errKept
		}
		return nil
	})
	if passed != nil {
		l.cfg.Log.Warn("the newest list of a feed could not be read; the one before it is used", "feed", f.cfg.Name, "why", passed)
	}
	if err != nil && !found { // there is none
		return nil
	}
	return err
}
