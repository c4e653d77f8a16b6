//go:build unix

package tail

import (
	"io/fs"
	"syscall"
)

// identify gives what a file stays itself by, whatever its name.
func identify(info fs.FileInfo) (identity, error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, errUnsupported
	}
	return identity{device: uint64(st.Dev), inode: uint64(st.Ino)}, nil //nolint:unconvert // their types differ between systems
}
