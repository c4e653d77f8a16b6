// Package store is the data folder of a service: one process at a time holds
// it, and what goes wrong with it is told as what, where and what to do.
//
// It takes the name of a folder and gives the right to write there until it is
// released; the rooms below (record and others) keep their files in it.
// Invariant: two processes never hold one folder, and a process that died holds
// none. Limits: the lock is the operating system's (flock), so that the folder
// has to be on a disk of this machine; on systems without one it is refused.
package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"xiezhi/internal/folder"
)

// What can be wrong with the data folder or a file in it. A Fault wraps one of
// them.
var (
	ErrInUse    = folder.ErrInUse
	ErrFull     = folder.ErrFull
	ErrReadOnly = folder.ErrReadOnly
	ErrDamaged  = folder.ErrDamaged
	ErrNewer    = folder.ErrNewer
)

// Fault is an error that says what failed, where, and what to do about it.
type Fault = folder.Fault

// Explain makes a Fault of an error of the file system; nil stays nil.
func Explain(what, where string, err error) error { return folder.Explain(what, where, err) }

const lockName = "lock"

// Folder is a data folder that this process holds.
type Folder struct {
	path string
	lock *os.File
}

// Take makes the folder if need be and holds it until Release.
func Take(path string) (*Folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, Explain("find the data folder", path, err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, Explain("make the data folder", path, err)
	}
	name := filepath.Join(path, lockName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Explain("open the lock of the data folder", name, err)
	}
	if err := folder.Lock(f); err != nil {
		defer f.Close()
		if errors.Is(err, ErrInUse) {
			who := "end that process"
			if b, _ := io.ReadAll(io.LimitReader(f, 20)); len(b) > 0 {
				who += " (its number is " + strings.TrimSpace(string(b)) + ")"
			}
			return nil, &Fault{What: "take the data folder", Where: path, Do: who + ", or name another folder", Err: err}
		}
		return nil, Explain("lock the data folder", name, err)
	}
	// The number only helps whoever finds the folder taken; a lock without it
	// holds as well, so that a full disk does not keep the service down.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	return &Folder{path: path, lock: f}, nil
}

// Path of the folder, absolute.
func (f *Folder) Path() string { return f.path }

// Release lets others take the folder.
func (f *Folder) Release() error { return f.lock.Close() }
