//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package store

import (
	"errors"
	"os"
)

// lock refuses: without a lock that ends with its process two services would
// write into one folder.
func lock(*os.File) error { return errors.ErrUnsupported }
