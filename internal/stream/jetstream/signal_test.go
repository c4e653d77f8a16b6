package jetstream

import (
	"os/signal"
	"syscall"
)

// ignoreFileSizeSignal lets a write beyond the limit fail instead of ending the
// process.
func ignoreFileSizeSignal() { signal.Ignore(syscall.SIGXFSZ) }
