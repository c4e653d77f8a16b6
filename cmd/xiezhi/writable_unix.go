//go:build unix

package main

import "golang.org/x/sys/unix"

// writable reports whether files can be made and renamed in dir.
func writable(dir string) bool {
	return unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS) == nil
}
