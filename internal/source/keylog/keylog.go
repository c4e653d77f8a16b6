// Package keylog reads TLS key logs: the files that browsers, curl, OpenSSL and
// others write when SSLKEYLOGFILE names one.
//
// It takes names of files and fills a table of secrets, once for finished
// captures, or again and again while traffic is live and the files grow.
// Invariant: nothing of a secret is ever in an error, a problem or any other
// output; what is wrong with a line is told by its number. Limits: a line has
// at most 4 KiB; 16 bad lines of a file are named, the rest is counted; how
// many secrets are held is the table's bound.
package keylog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

const (
	maxLine     = 4 << 10
	maxProblems = 16 // named per file
	maxFiles    = 64
	chunk       = 64 << 10
	lookAgain   = 20 * time.Millisecond // between two looks at files that grow
)

// ErrTooMany says that more key logs were named than can be followed.
var ErrTooMany = fmt.Errorf("more than %d key logs; join some of them", maxFiles)

// Detect reports whether a file that starts with head is a key log.
func Detect(head []byte) bool {
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		head = rest
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if added, _ := wire.NewKeys().Add(line); added {
			return true
		}
		if label, _, _ := bytes.Cut(line, []byte{' '}); !bytes.HasSuffix(label, []byte("EXPORTER_SECRET")) {
			return false
		}
	}
	return false
}

// Config tells how to read.
type Config struct {
	// Live: the files grow, and those that do not exist yet may come.
	Live bool
	Now  func() time.Time // for the rate of looking again; needed when Live
}

// Log is a set of key logs and the secrets in them.
type Log struct {
	cfg  Config
	keys *wire.Keys

	mu    sync.Mutex
	files []*file
	next  time.Time // of the next look
}

// file is one key log.
type file struct {
	name     string
	f        *os.File
	at       int64 // bytes read
	rest     []byte
	long     bool // the line in rest is over its limit; its end is waited for
	line     int64
	added    int
	bad      uint64
	lastBad  int64
	problems []source.Problem
}

// Open reads key logs. Unless they are live, one that cannot be read or holds
// no secret is an error: it is not what was meant.
func Open(names []string, cfg Config) (*Log, error) {
	if len(names) > maxFiles {
		return nil, ErrTooMany
	}
	l := &Log{cfg: cfg, keys: wire.NewKeys()}
	for _, name := range names {
		f := &file{name: name}
		l.files = append(l.files, f)
		err := l.read(f)
		switch {
		case err == nil:
		case cfg.Live && errors.Is(err, fs.ErrNotExist):
			continue
		default:
			l.Close()
			return nil, fmt.Errorf("%s: %w", name, cause(err))
		}
		if cfg.Live {
			continue
		}
		if len(f.rest) > 0 || f.long {
			f.end(l.keys) // the last line has no end
		}
		_ = f.f.Close()
		f.f = nil
		if f.added == 0 {
			return nil, f.nothing()
		}
	}
	if cfg.Live && len(names) > 0 {
		l.keys.Grow(l.look)
	}
	return l, nil
}

// cause takes the name out of an error that will be named by its caller.
func cause(err error) error {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("not permitted to read; check the file's owner and mode")
	case errors.As(err, &pe):
		return pe.Err
	}
	return err
}

// nothing words what is wrong with a file without a usable line.
func (f *file) nothing() error {
	switch {
	case f.line == 0:
		return fmt.Errorf("%s: the file is empty; set SSLKEYLOGFILE before the client or server starts, and record its handshakes", f.name)
	case len(f.problems) > 0:
		p := f.problems[0]
		return fmt.Errorf("%s: no usable line in %d; line %d: %s", f.name, f.line, p.Line, p.Text)
	}
	return fmt.Errorf("%s: no secret in its %d line(s): comments or labels of no use", f.name, f.line)
}

// Keys is the table of secrets.
func (l *Log) Keys() *wire.Keys { return l.keys }

// Problems tells what was wrong with lines so far, and how many more there
// were in each file than are told.
func (l *Log) Problems() []source.Problem {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []source.Problem
	for _, f := range l.files {
		out = append(out, f.problems...)
		if f.bad > uint64(len(f.problems)) {
			out = append(out, source.Problem{File: f.name, Line: f.lastBad, Offset: -1, Reason: taxonomy.DropCorrupt, Text: "the last of further bad lines that are not listed"})
		}
	}
	return out
}

// Waiting names the files that do not exist yet.
func (l *Log) Waiting() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, f := range l.files {
		if f.f == nil && l.cfg.Live {
			out = append(out, f.name)
		}
	}
	return out
}

// Close closes the files. There may be no log at all.
func (l *Log) Close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.files {
		if f.f != nil {
			_ = f.f.Close()
			f.f = nil
		}
	}
}

// look reads what has been added since, but not more often than it may.
func (l *Log) look(must bool) {
	if must {
		l.mu.Lock()
	} else if !l.mu.TryLock() {
		return // somebody is at it
	}
	defer l.mu.Unlock()
	now := l.cfg.Now()
	if !must && now.Before(l.next) {
		return
	}
	for _, f := range l.files {
		_ = l.read(f) // one that cannot be read now may be later
	}
	l.next = l.cfg.Now().Add(lookAgain)
}

// read takes what a file has beyond what was read. A file that was replaced or
// emptied is read from its start. It stays open: the right to open it may be
// gone by then.
func (l *Log) read(f *file) error {
	if f.f != nil {
		if err := f.catchUp(l.keys); err != nil {
			return err
		}
		if !f.replaced() {
			return nil
		}
		_ = f.f.Close()
		f.f, f.at, f.line, f.rest, f.long = nil, 0, 0, nil, false
	}
	h, err := os.Open(f.name)
	if err != nil {
		return err
	}
	st, err := h.Stat()
	switch {
	case err != nil:
	case st.IsDir():
		err = errors.New("is a folder; name the file in it")
	case l.cfg.Live && !st.Mode().IsRegular():
		err = errors.New("is a pipe or a device; a live run follows regular files")
	}
	if err != nil {
		_ = h.Close()
		return err
	}
	f.f = h
	return f.catchUp(l.keys)
}

// replaced reports whether the name stands for another file by now, or the
// file was cut.
func (f *file) replaced() bool {
	mine, err := f.f.Stat()
	if err != nil || !mine.Mode().IsRegular() {
		return false
	}
	if mine.Size() < f.at {
		return true
	}
	now, err := os.Stat(f.name)
	return err == nil && !os.SameFile(mine, now)
}

// catchUp reads to the end of what there is.
func (f *file) catchUp(keys *wire.Keys) error {
	buf := make([]byte, chunk)
	for {
		n, err := f.f.Read(buf)
		f.at += int64(n)
		f.take(keys, buf[:n])
		if errors.Is(err, io.EOF) || n == 0 && err == nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take splits bytes into lines.
func (f *file) take(keys *wire.Keys, b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		part := b
		if i >= 0 {
			part = b[:i]
		}
		if len(f.rest)+len(part) > maxLine {
			f.rest, f.long = f.rest[:0], true
		} else if !f.long {
			f.rest = append(f.rest, part...)
		}
		if i < 0 {
			return
		}
		b = b[i+1:]
		f.end(keys)
	}
}

// end takes the line in hand.
func (f *file) end(keys *wire.Keys) {
	line, long := f.rest, f.long
	f.rest, f.long = f.rest[:0], false
	f.line++
	added, err := false, error(nil)
	if long {
		err = errLong
	} else {
		added, err = keys.Add(line)
	}
	clear(line)
	switch {
	case added:
		f.added++
	case err != nil:
		f.bad++
		f.lastBad = f.line
		if len(f.problems) < maxProblems {
			f.problems = append(f.problems, source.Problem{File: f.name, Line: f.line, Offset: -1, Reason: taxonomy.DropCorrupt, Text: err.Error()})
		}
	}
}

var errLong = errors.New("the line is larger than the limit")
