package live

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Account is whom the process becomes when it gives up its privileges.
type Account struct {
	UID, GID int
	Groups   []int
}

// DropPrivileges gives up, in every thread and for good, what opening sources
// needed: all capabilities, and with an account the user that one is. After it
// neither this process nor one that it starts gains a privilege. A program
// that was linked with cgo can only change the user.
func DropPrivileges(to *Account) error {
	if err := prctl(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil && !errors.Is(err, unix.ENOTSUP) {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	// What may never be gained again; needs CAP_SETPCAP, which root has.
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if err := prctl(unix.PR_CAPBSET_DROP, c); err != nil {
			break
		}
	}
	if to != nil {
		if err := syscall.Setgroups(to.Groups); err != nil {
			return fmt.Errorf("set the groups: %w", err)
		}
		if err := syscall.Setgid(to.GID); err != nil {
			return fmt.Errorf("become group %d: %w", to.GID, err)
		}
		if err := syscall.Setuid(to.UID); err != nil {
			return fmt.Errorf("become user %d: %w", to.UID, err)
		}
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	_, _, e := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&none[0])), 0)
	switch {
	case e == 0, e == unix.ENOTSUP && to != nil && to.UID != 0: // no longer root: the kernel has cleared them
		return nil
	case e == unix.ENOTSUP:
		return errors.New("give up capabilities: this program was linked with cgo; build it with CGO_ENABLED=0, or name a user to become")
	}
	return fmt.Errorf("give up capabilities: %w", e)
}

func prctl(option int, arg uintptr) error {
	_, _, e := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, uintptr(option), arg, 0, 0, 0, 0)
	if e != 0 {
		return e
	}
	return nil
}
