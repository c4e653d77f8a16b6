// Package backup copies a data folder while it is in use, and puts a copy into
// an empty folder.
//
// It takes parts, each of which gives the files of one store as they are at one
// moment, and a folder or a tar to write to; restoring takes either. A manifest
// names every file with its size and SHA-256. Parts are taken in the order in
// which they are given: states of judges come first, so that what counts behind
// them holds at least what they count, and what is judged again is known there
// by its position. Invariants: a backup and a restored folder appear whole or
// not at all; nothing of a backup that differs from its manifest is restored,
// and no name in it leads out of the folder. Limits: see the Max constants. A
// backup is not encrypted and holds what the data folder holds; the SHA-256 tell
// damage, not a forger. What is not given as a part, such as the stream, is not
// in it.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/store"
)

// Caps. What is beyond them is refused.
const (
	MaxFiles    = 100_000  // of a backup
	MaxManifest = 32 << 20 // bytes
	MaxName     = 512      // bytes of a file's name
)

const (
	manifestName = "manifest.json"
	format       = "xiezhi-backup"
	version      = 1
)

// ErrDiffers: the backup is not what its manifest says.
var ErrDiffers = fmt.Errorf("%w: the backup is not what its manifest says", store.ErrDamaged)

// ErrOccupied: there is something where a backup or a folder is to be made.
var ErrOccupied = errors.New("there is something already")

// Put takes one file: its name in the data folder with slashes, its size and
// its bytes.
type Put = func(name string, size int64, r io.Reader) error

// Part gives the files of one store, each once.
type Part func(ctx context.Context, put Put) error

// Manifest says what a backup holds.
type Manifest struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Made    time.Time `json:"made"`
	Files   []File    `json:"files"` // in order of their names
}

// File is one of a backup.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// collect takes the files of all parts and gives what they are.
func collect(ctx context.Context, at time.Time, parts []Part, put Put) (*Manifest, error) {
	m := &Manifest{Format: format, Version: version, Made: at.UTC()}
	seen := map[string]bool{}
	for _, part := range parts {
		err := part(ctx, func(name string, size int64, r io.Reader) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !proper(name) || seen[name] || len(m.Files) >= MaxFiles {
				return fmt.Errorf("the file %.80q is twice in the backup, has a name that leads elsewhere, or is one too many", name)
			}
			seen[name] = true
			h := sha256.New()
			counted := &counter{r: io.TeeReader(r, h)}
			if err := put(name, size, counted); err != nil {
				return err
			}
			if counted.n != size {
				return fmt.Errorf("%s has %d bytes, and was to have %d", name, counted.n, size)
			}
			m.Files = append(m.Files, File{Name: name, Size: size, SHA256: hex.EncodeToString(h.Sum(nil))})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return m, nil
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// proper reports whether a name stays in the folder and is none of ours.
func proper(name string) bool {
	return fs.ValidPath(name) && name != "." && name != manifestName && len(name) <= MaxName && filepath.IsLocal(filepath.FromSlash(name)) && !strings.ContainsAny(name, "\\\x00:")
}

func (m *Manifest) encode() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", " ")
	return append(b, '\n'), err
}

// parse reads a manifest that anybody may have written.
func parse(r io.Reader) (*Manifest, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxManifest+1))
	if err != nil {
		return nil, err
	}
	var m Manifest
	if len(b) > MaxManifest || json.Unmarshal(b, &m) != nil || m.Format != format {
		return nil, fmt.Errorf("%w: there is no manifest that makes sense", ErrDiffers)
	}
	if m.Version > version {
		return nil, fmt.Errorf("%w: a backup of version %d, this version knows %d", store.ErrNewer, m.Version, version)
	}
	if m.Version < 1 || len(m.Files) > MaxFiles {
		return nil, fmt.Errorf("%w: version %d, %d files", ErrDiffers, m.Version, len(m.Files))
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !proper(f.Name) || seen[f.Name] || f.Size < 0 {
			return nil, fmt.Errorf("%w: the manifest names %.80q", ErrDiffers, f.Name)
		}
		seen[f.Name] = true
	}
	return &m, nil
}

// explain tells an error as what, where and what to do.
func explain(what, path string, err error) error {
	var f *store.Fault
	switch {
	case err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, ErrOccupied):
		return &store.Fault{What: what, Where: path, Do: "name a new or empty folder", Err: err}
	case errors.Is(err, store.ErrDamaged):
		return &store.Fault{What: what, Where: path, Do: "take another backup; nothing was restored", Err: err}
	case errors.Is(err, store.ErrNewer):
		return &store.Fault{What: what, Where: path, Do: "restore it with the version that made it, or a newer one", Err: err}
	}
	return store.Explain(what, path, err)
}

// build makes a folder that appears under its name only when it is whole.
func build(path string, fill func(part string) error) (err error) {
	if list, err := os.ReadDir(path); err == nil && len(list) > 0 {
		return ErrOccupied
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return err
	}
	part, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(part)
		}
	}()
	if err := fill(part); err != nil {
		return err
	}
	if err := flushTree(part); err != nil {
		return err
	}
	// An empty folder is in the way of a rename on some systems.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return flush(filepath.Dir(path))
}

// place writes a file into a folder that is being made.
func place(part, name string, r io.Reader) error {
	path := filepath.Join(part, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

func flushTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return flush(path)
	})
}

func flush(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
