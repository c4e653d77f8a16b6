//go:build unix

package pdf

import (
	"os/exec"
	"syscall"
)

// alone puts a program into a group of processes of its own, all of which end
// when it is cancelled.
func alone(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}

// end ends what is left of the group.
func end(c *exec.Cmd) {
	if c.Process != nil {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // usually there is nothing left
	}
}
