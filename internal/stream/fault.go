package stream

import "xiezhi/internal/folder"

// What can be wrong with the place where a stream is kept. A Fault wraps one
// of them or the reason itself.
var (
	ErrInUse    = folder.ErrInUse
	ErrFull     = folder.ErrFull
	ErrReadOnly = folder.ErrReadOnly
	ErrDamaged  = folder.ErrDamaged
	ErrNewer    = folder.ErrNewer
	ErrAway     = folder.ErrAway
)

// Fault is an error that says what failed, where, and what to do about it.
type Fault = folder.Fault

// Explain makes a Fault of an error of the file system; nil stays nil.
func Explain(what, where string, err error) error { return folder.Explain(what, where, err) }
