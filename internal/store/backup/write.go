package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"time"
)

// ToFolder makes a backup in a new or empty folder.
func ToFolder(ctx context.Context, path string, at time.Time, parts ...Part) error {
	return explain("back up to", path, build(path, func(dir string) error {
		m, err := collect(ctx, at, parts, func(name string, _ int64, r io.Reader) error { return place(dir, name, r) })
		if err != nil {
			return err
		}
		b, err := m.encode()
		if err != nil {
			return err
		}
		return place(dir, manifestName, bytes.NewReader(b))
	}))
}

// ToTar writes a backup as a tar, whose manifest comes last. name says in errors
// where it goes.
func ToTar(ctx context.Context, name string, w io.Writer, at time.Time, parts ...Part) error {
	t := tar.NewWriter(w)
	entry := func(name string, size int64, r io.Reader) error {
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err := io.Copy(t, r)
		return err
	}
	m, err := collect(ctx, at, parts, entry)
	if err == nil {
		var b []byte
		if b, err = m.encode(); err == nil {
			if err = entry(manifestName, int64(len(b)), bytes.NewReader(b)); err == nil {
				err = t.Close()
			}
		}
	}
	return explain("back up to", name, err)
}

// One makes a part of a store that copies itself to a file. The copy is made in
// a folder for what passes, and gone behind it.
func One(name, temp string, copyTo func(ctx context.Context, path string) error) Part {
	return func(ctx context.Context, put Put) error {
		dir, err := os.MkdirTemp(temp, ".backup-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, filepath.Base(filepath.FromSlash(name)))
		if err := copyTo(ctx, path); err != nil {
			return err
		}
		return file(path, name, put)
	}
}

// Files makes a part of files that are only ever replaced whole: those named in
// the data folder, and all in the folders named. What is not there is left out.
func Files(folder string, names ...string) Part {
	return func(ctx context.Context, put Put) error {
		for _, name := range names {
			err := filepath.WalkDir(filepath.Join(folder, filepath.FromSlash(name)), func(path string, e os.DirEntry, err error) error {
				if os.IsNotExist(err) {
					return nil // replaced or dropped in the meantime
				}
				if err != nil || !e.Type().IsRegular() {
					return err
				}
				in, err := filepath.Rel(folder, path)
				if err != nil {
					return err
				}
				if err = file(path, filepath.ToSlash(in), put); os.IsNotExist(err) {
					return nil
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func file(path, name string, put Put) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return put(name, info.Size(), f)
}
