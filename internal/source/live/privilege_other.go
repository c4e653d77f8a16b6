//go:build !linux

package live

import "errors"

// Account is whom the process becomes when it gives up its privileges.
type Account struct {
	UID, GID int
	Groups   []int
}

// DropPrivileges is for Linux, where interfaces can be opened.
func DropPrivileges(*Account) error {
	return errors.New("privileges are given up on Linux only")
}
