package source

import (
	"context"
	"errors"
	"io"

	"xiezhi/internal/taxonomy"
)

// Each opens one input after another and hands it to read. An input that
// cannot be opened does not keep the others from being read: its error is
// returned at the end, unless its compression is damaged from the start, which
// is a counted drop. An error of read is final.
func Each(ctx context.Context, inputs []Input, ledger *Ledger, read func(name string, r io.Reader) error) error {
	var failed []error
	for _, in := range inputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		rc, err := in.Open()
		switch {
		case errors.Is(err, ErrCompression) || errors.Is(err, io.ErrUnexpectedEOF):
			ledger.DropAt(Problem{File: in.Name, Reason: taxonomy.DropCorrupt, Text: "compressed data is damaged from the start"})
			continue
		case err != nil:
			failed = append(failed, err)
			continue
		}
		err = read(in.Name, rc)
		rc.Close()
		if err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// ReadSome reads at least one byte unless there is an error; a reader that
// gives neither a hundred times is broken.
func ReadSome(r io.Reader, b []byte) (int, error) {
	for range 100 {
		if n, err := r.Read(b); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}
