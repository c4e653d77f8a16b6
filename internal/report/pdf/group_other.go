//go:build !unix

package pdf

import "os/exec"

// alone leaves a program as it is: there are no groups of processes here, and
// cancelling ends the program itself.
func alone(*exec.Cmd) {}

func end(*exec.Cmd) {}
