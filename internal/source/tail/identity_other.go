//go:build !unix

package tail

import "io/fs"

func identify(fs.FileInfo) (identity, error) { return identity{}, errUnsupported }
