package jetstream

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"xiezhi/internal/stream"
)

// A server that was ended properly trusts its indexes and looks at batches only
// when they are read. A changed number in the head of one then makes it fill the
// memory with places for the numbers between, until the system ends the process,
// and the next. So what is small is read through at every start, and what is
// large after two processes that did not end properly: without the indexes the
// server checks all of it, and leaves out what is damaged.
const (
	scanAlways  = 256 << 20 // bytes; some tenths of a second
	improperly  = 2
	runningName = "running"
)

// prepare says that a process runs, and has the server read all if need be.
func prepare(path string) error {
	name := filepath.Join(path, runningName)
	b, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return stream.Explain("read how the stream was ended last from", name, err)
	}
	times, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	if err := os.WriteFile(name, strconv.AppendInt(nil, int64(times+1), 10), 0o600); err != nil {
		return stream.Explain("say that the stream is in use in", name, err)
	}
	blocks, _ := filepath.Glob(filepath.Join(path, "jetstream", "*", "streams", "*", "msgs", "*.blk"))
	size := int64(0)
	for _, b := range blocks {
		if info, err := os.Stat(b); err == nil {
			size += info.Size()
		}
	}
	if size > scanAlways && times < improperly {
		return nil
	}
	indexes, _ := filepath.Glob(filepath.Join(path, "jetstream", "*", "streams", "*", "msgs", "index.db"))
	for _, index := range indexes {
		if err := os.Remove(index); err != nil {
			return stream.Explain("have the stream read through in", index, err)
		}
	}
	return nil
}

// held is a folder that this process holds.
type held struct {
	path string
	lock *os.File
}

// Close says that the process ended properly, and lets the folder go.
func (h *held) Close() error {
	err := os.Remove(filepath.Join(h.path, runningName))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, h.lock.Close())
}
