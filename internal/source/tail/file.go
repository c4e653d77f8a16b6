package tail

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source/accesslog"
	"xiezhi/internal/source/har"
	"xiezhi/internal/taxonomy"
)

// identity is device and inode.
type identity struct{ device, inode uint64 }

// kind is what the lines of a file are.
type kind uint8

const (
	undecided kind = iota
	logLines
	harLines
	foreign // nothing that is followed
)

// file is one file that is followed. Nothing of it is held in memory between
// two looks: a line without its end is read again.
type file struct {
	identity
	name   string // where it was seen last
	f      *os.File
	old    bool      // no path leads to it any more
	until  time.Time // when an old one is given up
	offset int64     // what comes before was delivered
	safe   int64     // where a new start has to begin: offset, or before a line in pieces
	head   head
	size   int64
	mtime  time.Time
	kind   kind
	lines  *accesslog.Lines
	within bool  // a line that is too long
	more   bool  // the last turn was over before the file was
	failed bool  // it could not be read
	twin   *file // a copy of this one, which is left alone until that is cut
}

// head is a hash of a file's first bytes.
type head struct {
	n   int
	sum [32]byte
}

// headOf hashes at most n bytes.
func headOf(f *os.File, n int) head {
	b := make([]byte, n)
	k, _ := f.ReadAt(b, 0)
	return head{k, sha256.Sum256(b[:k])}
}

// read delivers the lines that have come since. left says that the turn was
// over before the file was.
func (s *Source) read(f *file) (grown, left bool, err error) {
	if f.kind == foreign {
		return false, false, nil
	}
	info, err := f.f.Stat()
	if err != nil || info.Size() == f.size && info.ModTime().Equal(f.mtime) && !f.more {
		return false, false, nil // what cannot be seen now may be later
	}
	if f.twin != nil {
		if f.size, f.mtime = info.Size(), info.ModTime(); copyOf(f, f.twin) {
			return false, false, nil
		}
		f.twin = nil // it only began alike
	}
	if cut, err := s.cut(f, info.Size()); err != nil || cut {
		return cut, cut, err
	}
	f.size, f.mtime, f.more = info.Size(), info.ModTime(), false
	if f.offset >= f.size || f.kind == undecided && !s.decide(f, false) {
		return false, false, nil
	}
	begun := f.offset
	for f.offset < f.size {
		if f.more = f.offset-begun >= turn; f.more {
			break
		}
		took, err := s.readLines(f)
		if err != nil {
			s.count(f.offset - begun)
			return true, false, err
		}
		if took == 0 {
			break
		}
	}
	s.count(f.offset - begun)
	if f.head.n < headSize {
		f.head = headOf(f.f, int(min(f.offset, headSize)))
	}
	return f.offset > begun, f.more, nil
}

// limit is the longest line that is taken.
func (f *file) limit() int {
	if f.kind == harLines {
		return maxEntry
	}
	return accesslog.MaxLine
}

// readLines delivers the whole lines of one read. took is 0 when there is none.
func (s *Source) readLines(f *file) (took int64, err error) {
	n, err := f.f.ReadAt(s.buf, f.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		if !f.failed {
			f.failed = true
			s.note(f.name, taxonomy.DropTruncated, "the file cannot be read; it will be tried again")
		}
		return 0, nil
	}
	rest := s.buf[:n]
	for {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		line, at := rest[:i], f.offset
		rest = rest[i+1:]
		f.offset += int64(i) + 1
		took += int64(i) + 1
		if err := s.line(f, at, line); err != nil {
			return took, err
		}
	}
	if took > 0 || n == 0 {
		return took, nil
	}
	// Nothing ends here.
	switch {
	case f.within || n > f.limit():
		if !f.within {
			f.within = true
			s.drop(f, f.offset, taxonomy.DropOversize, "the line is larger than the limit")
		}
		f.offset += int64(n)
		f.safe = f.offset
		return int64(n), nil
	case n == len(s.buf):
		s.buf = make([]byte, min(2*len(s.buf), maxEntry+chunk))
		return s.readLines(f)
	}
	return 0, nil
}

// line delivers one line that lies at a place.
func (s *Source) line(f *file, at int64, line []byte) error {
	defer f.advance()
	if f.within {
		f.within = false
		return nil
	}
	if at == 0 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	if len(line) > f.limit() {
		s.drop(f, at, taxonomy.DropOversize, "the line is larger than the limit")
		return nil
	}
	h, reason, why := s.parse(f, line)
	if why != "" {
		if reason != "" {
			s.drop(f, at, reason, why)
		}
		return nil
	}
	return s.deliver(h)
}

// advance moves the place of a new start, unless a line in pieces waits.
func (f *file) advance() {
	if f.kind == logLines && f.lines.Pending() && f.offset-f.safe < maxHeld {
		return
	}
	f.safe = f.offset
}

// parse fills x from a line. why is "" for an exchange.
func (s *Source) parse(f *file, line []byte) (h exchange.ContentHash, reason taxonomy.DropReason, why string) {
	if f.kind == logLines {
		line = bytes.TrimSuffix(line, []byte("\r"))
		reason, why = f.lines.Parse(line, &s.x)
		if why == "" {
			h = exchange.HashLine(line)
		}
		return h, reason, why
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return h, "", "blank"
	}
	if err := s.dec.Decode(line, &s.x); err != nil {
		if errors.Is(err, exchange.ErrNotHTTP) {
			return h, taxonomy.DropUnsupported, "request.url is no HTTP URL"
		}
		return h, taxonomy.DropCorrupt, err.Error()
	}
	if len(s.x.ID) == 0 {
		var err error
		if h, err = s.dec.Hash(line); err != nil {
			h = exchange.HashLine(line)
		}
	}
	return h, "", ""
}

// lastLine delivers a line that will not be ended any more.
func (s *Source) lastLine(f *file) error {
	if f.twin != nil || f.kind == undecided && !s.decide(f, true) || f.kind == foreign {
		return nil
	}
	n, err := f.f.ReadAt(s.buf, f.offset)
	for err == nil && n == len(s.buf) && n <= f.limit() {
		s.buf = make([]byte, min(2*len(s.buf), maxEntry+chunk))
		n, err = f.f.ReadAt(s.buf, f.offset)
	}
	if n == 0 || f.within {
		return nil
	}
	at, line := f.offset, s.buf[:n]
	f.offset += int64(n)
	f.safe = f.offset
	defer func() { s.count(int64(n)) }()
	h, reason, why := s.parse(f, line)
	switch {
	case why == "":
		return s.deliver(h)
	case reason != "":
		s.drop(f, at, taxonomy.DropTruncated, "the file ends within the line")
	}
	return nil
}

// decide tells what a file is from its first bytes, once its first line is
// whole or the file has ended.
func (s *Source) decide(f *file, ended bool) bool {
	b := make([]byte, 64<<10)
	n, _ := f.f.ReadAt(b, 0)
	b = b[:n]
	if n == 0 || !ended && n < cap(b) && bytes.IndexByte(b, '\n') < 0 && !compressed(b) {
		return false
	}
	switch {
	case compressed(b):
		f.kind = foreign
		s.note(f.name, taxonomy.DropUnsupported, "a compressed file is not followed")
	case har.Detect(b) == har.Lines:
		f.kind = harLines
	case har.Detect(b) == har.Document, bytes.IndexByte(b[:min(n, 4096)], 0) >= 0:
		f.kind = foreign
		s.note(f.name, taxonomy.DropUnsupported, "only access logs and HAR lines are followed; this file is something else")
	default:
		f.kind = logLines
	}
	if f.lines == nil {
		f.lines, _ = accesslog.NewLines(s.cfg.Log) // New tried it
	}
	f.lines.NewFile()
	return f.kind != foreign
}

// compressed knows gzip, zstd, bzip2 and xz.
func compressed(b []byte) bool {
	for _, magic := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ\x00"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return true
		}
	}
	return false
}
