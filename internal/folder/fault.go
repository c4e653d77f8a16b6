// Package folder is what services know of a folder on a disk: who holds it, how
// much room there is, and what is wrong with it.
//
// It takes open files, paths and errors of the file system, and gives faults
// that say what failed, where, and what to do. Invariant: a lock ends with the
// process that holds it, however that ends. Limits: the lock is the operating
// system's (flock), so that the folder has to be on a disk of this machine; on
// systems without one it is refused, and room that is not known is endless.
package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// What can be wrong with a folder, a file in it, or a server that keeps them. A
// Fault wraps one of them or the reason itself.
var (
	ErrInUse    = errors.New("another process holds it")
	ErrFull     = errors.New("there is no room left")
	ErrReadOnly = errors.New("it cannot be written")
	ErrDamaged  = errors.New("it is damaged")
	ErrNewer    = errors.New("a newer version wrote it")
	ErrAway     = errors.New("it does not answer")
)

// Fault is an error that says what failed, where, and what to do about it.
type Fault struct {
	What  string // that was being done
	Where string // file, folder or server
	Do    string // what helps
	Err   error  // why
}

func (f *Fault) Error() string {
	return fmt.Sprintf("%s %s: %v; %s", f.What, f.Where, f.Err, f.Do)
}

func (f *Fault) Unwrap() error { return f.Err }

// Explain makes a Fault of an error of the file system, so that full and
// read-only places are told as such; nil stays nil.
func Explain(what, where string, err error) error {
	var known *Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return &Fault{what, where, "make room on that disk; nothing that was acknowledged is lost", fmt.Errorf("%w (%w)", ErrFull, err)}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &Fault{what, where, "give this user the right to write there, or name another folder", fmt.Errorf("%w (%w)", ErrReadOnly, err)}
	}
	return &Fault{what, where, "look at the disk and the folder's owner", err}
}
