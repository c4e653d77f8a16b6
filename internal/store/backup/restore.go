package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FromFolder puts a backup in a folder into a new or empty one.
func FromFolder(ctx context.Context, from, to string) (*Manifest, error) {
	var m *Manifest
	err := build(to, func(dir string) error {
		f, err := os.Open(filepath.Join(from, manifestName))
		if err != nil {
			return err
		}
		defer f.Close()
		if m, err = parse(f); err != nil {
			return err
		}
		for _, want := range m.Files {
			if err := ctx.Err(); err != nil {
				return err
			}
			got, err := take(filepath.Join(from, filepath.FromSlash(want.Name)), dir, want)
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%w: %s is missing", ErrDiffers, want.Name)
			} else if err != nil {
				return err
			}
			if got != want {
				return fmt.Errorf("%w: %s", ErrDiffers, want.Name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, explain("restore the backup", from, err)
	}
	return m, nil
}

func take(path, dir string, want File) (File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return File{}, err
	}
	if !info.Mode().IsRegular() || info.Size() != want.Size {
		return File{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	return keep(dir, want.Name, io.LimitReader(f, want.Size))
}

// keep writes a file and says what it was.
func keep(dir, name string, r io.Reader) (File, error) {
	h := sha256.New()
	c := &counter{r: io.TeeReader(r, h)}
	err := place(dir, name, c)
	return File{Name: name, Size: c.n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}

// FromTar puts a backup in a tar into a new or empty folder. name says in errors
// where it comes from.
func FromTar(ctx context.Context, name string, r io.Reader, to string) (*Manifest, error) {
	var m *Manifest
	err := build(to, func(dir string) error {
		var err error
		m, err = unpack(ctx, tar.NewReader(r), func(name string, r io.Reader) (File, error) { return keep(dir, name, r) })
		return err
	})
	if err != nil {
		return nil, explain("restore the backup", name, err)
	}
	return m, nil
}

// unpack gives the files of a tar to keep, and what they were to be.
func unpack(ctx context.Context, t *tar.Reader, keep func(string, io.Reader) (File, error)) (*Manifest, error) {
	got := map[string]File{}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := t.Next()
		if err != nil {
			return nil, torn(err)
		}
		if h.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("%w: %.80q is no plain file", ErrDiffers, h.Name)
		}
		if h.Name == manifestName {
			break
		}
		if _, twice := got[h.Name]; twice || !proper(h.Name) || len(got) >= MaxFiles {
			return nil, fmt.Errorf("%w: it holds %.80q", ErrDiffers, h.Name)
		}
		f, err := keep(h.Name, tornReader{t})
		if err != nil {
			return nil, err
		}
		got[h.Name] = f
	}
	m, err := parse(tornReader{t})
	if err != nil {
		return nil, err
	}
	for _, want := range m.Files {
		if got[want.Name] != want {
			return nil, fmt.Errorf("%w: %s", ErrDiffers, want.Name)
		}
	}
	if len(m.Files) != len(got) {
		return nil, fmt.Errorf("%w: it holds %d files, the manifest names %d", ErrDiffers, len(got), len(m.Files))
	}
	return m, nil
}

// torn tells an end before the end, and what is no tar, as damage.
func torn(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrHeader) || errors.Is(err, tar.ErrInsecurePath) || errors.Is(err, tar.ErrFieldTooLong) {
		return fmt.Errorf("%w: %w", ErrDiffers, err)
	}
	return err
}

// tornReader does so while a file is read.
type tornReader struct{ r io.Reader }

func (t tornReader) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	if err != nil && err != io.EOF {
		err = torn(err)
	}
	return n, err
}
