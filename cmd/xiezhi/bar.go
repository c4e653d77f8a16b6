package main

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// bar is a progress line on standard error. It shows only on a terminal.
type bar struct {
	mu    sync.Mutex
	out   *os.File
	total int64
	drawn bool
}

func (a *app) bar(quiet bool, total int64) *bar {
	f, ok := a.stderr.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		return &bar{}
	}
	return &bar{out: f, total: total}
}

const barWidth = 30

func (b *bar) update(bytes int64, exchanges uint64) {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drawn = true
	if b.total <= 0 {
		fmt.Fprintf(b.out, "\r\x1b[K%.1f MB, %d exchanges", float64(bytes)/1e6, exchanges)
		return
	}
	share := min(1, float64(bytes)/float64(b.total))
	full := int(share * barWidth)
	fmt.Fprintf(b.out, "\r\x1b[K[%s%s] %3.0f%%  %.1f MB, %d exchanges", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), share*100, float64(bytes)/1e6, exchanges)
}

// steps shows how many of the total are done, with a text.
func (b *bar) steps(done int64, text string) {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drawn = true
	full := int(min(1, float64(done)/float64(max(b.total, 1))) * barWidth)
	fmt.Fprintf(b.out, "\r\x1b[K[%s%s] %s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), text)
}

// clear removes the line.
func (b *bar) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.drawn {
		fmt.Fprint(b.out, "\r\x1b[K")
		b.drawn = false
	}
}
