// Package state keeps what judges know in files of the data folder: encrypted,
// the newest and the one before.
//
// It takes a name and a function that writes a state, and later gives what was
// written to a function that reads it. Invariants: a file appears whole or not
// at all; one that was changed, cut, renamed to another name's or sealed with
// another key is refused, and the one before it is read instead; no byte is
// given on that was not authenticated. Limits: MaxBytes a file. What reads has
// to start anew when it is called a second time.
package state

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"xiezhi/internal/store"
)

const (
	folderName = "state"
	partName   = "part-*"
	newest     = ".state"
	before     = ".before"
	aside      = ".damaged"
)

// MaxBytes is how large a state may be; saving a larger one fails and leaves
// those that are there.
const MaxBytes = 16 << 30

// ErrNone: nothing was saved under that name.
var ErrNone = errors.New("nothing was saved")

// Files keeps states. Different names may be saved and loaded at once.
type Files struct {
	dir    string
	key    []byte
	random io.Reader
}

// Open gives the states of a folder, sealed under the installation's key.
func Open(f *store.Folder, installation [32]byte, random io.Reader) (*Files, error) {
	key, err := hkdf.Key(sha256.New, installation[:], nil, "xiezhi state v1", sha256.Size)
	if err != nil {
		return nil, err
	}
	s := &Files{dir: filepath.Join(f.Path(), folderName), key: key, random: random}
	if err := os.Mkdir(s.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, store.Explain("make the folder of states", s.dir, err)
	}
	// What a process that was killed left behind.
	left, err := filepath.Glob(filepath.Join(s.dir, partName))
	if err != nil {
		return nil, err
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			return nil, store.Explain("remove an unfinished state", name, err)
		}
	}
	return s, nil
}

// path hides the name, which may be of any form, behind a keyed hash.
func (s *Files) path(name string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(name))
	return filepath.Join(s.dir, hex.EncodeToString(m.Sum(nil)[:16]))
}

// Save puts a state in the place of the newest, which becomes the one before.
// After an error both are as they were.
func (s *Files) Save(name string, write func(io.Writer) error) (err error) {
	const what = "save a state to"
	path := s.path(name)
	f, err := os.CreateTemp(s.dir, partName) // readable by its owner alone
	if err != nil {
		return store.Explain(what, s.dir, err)
	}
	part := f.Name()
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	if err := s.seal(f, name, write); err != nil {
		_ = f.Close()
		return store.Explain(what, path+newest, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return store.Explain(what, path+newest, err)
	}
	// Killed between the two, the one before is there.
	if err := os.Rename(path+newest, path+before); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return store.Explain(what, path+newest, err)
	}
	if err := os.Rename(part, path+newest); err != nil {
		return errors.Join(store.Explain(what, path+newest, err), os.Rename(path+before, path+newest))
	}
	return store.Explain(what, s.dir, flush(s.dir))
}

func flush(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Load reads the newest state, or the one before when read or the file fails; a
// damaged one is set aside.
// passed tells why the newest was passed over, nil when it was not. ErrNone
// means that there is nothing, any other error that nothing could be read: in
// both cases one starts anew.
func (s *Files) Load(name string, read func(io.Reader) error) (passed, err error) {
	path := s.path(name)
	first := s.load(path+newest, name, read)
	if first == nil {
		return nil, nil
	}
	second := s.load(path+before, name, read)
	switch {
	case second == nil:
		// The next Save would put it in the place of the one that is sound.
		if errors.Is(first, store.ErrDamaged) {
			return first, store.Explain("set a damaged state aside from", path+newest, os.Rename(path+newest, path+aside))
		}
		return first, nil
	case errors.Is(first, fs.ErrNotExist) && errors.Is(second, fs.ErrNotExist):
		return nil, ErrNone
	case errors.Is(second, fs.ErrNotExist):
		return nil, first
	}
	return nil, second
}

func (s *Files) load(path, name string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if err == nil {
		err = errors.Join(s.open(f, name, read), f.Close())
	}
	if errors.Is(err, store.ErrDamaged) {
		return &store.Fault{What: "read the state", Where: path, Do: "it is learned anew from the stream", Err: err}
	}
	if err != nil {
		return fmt.Errorf("read the state %s: %w", path, err)
	}
	return nil
}

// Sealed gives the newest state as it is kept, to be brought to another folder
// of the same installation.
func (s *Files) Sealed(name string) (io.ReadCloser, error) {
	f, err := os.Open(s.path(name) + newest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	return f, store.Explain("read the state", s.path(name)+newest, err)
}

// Bring puts a sealed state of another folder in the place of the newest. What
// it is worth Load says.
func (s *Files) Bring(name string, sealed io.Reader) error {
	const what = "bring a state to"
	f, err := os.CreateTemp(s.dir, partName)
	if err != nil {
		return store.Explain(what, s.dir, err)
	}
	n, err := io.Copy(f, io.LimitReader(sealed, MaxBytes+1))
	if err == nil && n > MaxBytes {
		err = fmt.Errorf("%w: a state has at most %d bytes", store.ErrFull, int64(MaxBytes))
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path(name)+newest)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return store.Explain(what, s.path(name)+newest, err)
}

// Forget drops the states of a name, so that what another folder has is not
// mixed with what is older here.
func (s *Files) Forget(name string) error {
	for _, end := range []string{newest, before} {
		if err := os.Remove(s.path(name) + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return store.Explain("forget a state", s.path(name)+end, err)
		}
	}
	return nil
}
