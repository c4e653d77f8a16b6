//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package folder

import (
	"errors"
	"os"
)

// Lock refuses: without a lock that ends with its process two services would
// write into one folder.
func Lock(*os.File) error { return errors.ErrUnsupported }
