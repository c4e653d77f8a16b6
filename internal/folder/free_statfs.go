//go:build darwin || linux

package folder

import "golang.org/x/sys/unix"

// Free is what this user may still write to the disk of a folder.
func Free(path string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}
