//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package jetstream

import (
	"errors"
	"os"
)

// flock refuses: without a lock that ends with its process two services would
// write into one folder.
func flock(*os.File) error { return errors.ErrUnsupported }
