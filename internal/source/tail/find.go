package tail

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/taxonomy"
)

// maxSiblings bounds the files of a folder among which a renamed or copied one
// is looked for.
const maxSiblings = 10_000

// minHead is how many first bytes tell a copy from another file that begins
// alike.
const minHead = 64

// find takes up new files and notices which are no longer where they were.
func (s *Source) find() {
	here := map[identity]bool{}
	for _, p := range s.cfg.Paths {
		names := []string{p}
		if strings.ContainsAny(p, `*?[`) {
			names, _ = filepath.Glob(p) // New checked the pattern
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			id, err := identify(info)
			if err != nil {
				continue
			}
			here[id] = true
			if f := s.files[id]; f != nil {
				f.name, f.old = name, false
				continue
			}
			s.take(name, id)
		}
	}
	for _, f := range s.inOrder() {
		if !here[f.identity] && !f.old {
			f.old, f.until = true, time.Now().Add(s.cfg.Linger)
			if s.listed(f) {
				s.between(f.name, f.mtime)
			}
		}
	}
}

// between takes up files that came and were renamed while nobody looked: those
// that a rotation of name left, written to after a time.
func (s *Source) between(name string, after time.Time) {
	dir := filepath.Dir(name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries[:min(len(entries), maxSiblings)] {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.ModTime().Before(after) || !rotated(filepath.Base(name), e.Name()) {
			continue
		}
		id, err := identify(info)
		if err != nil || s.files[id] != nil {
			continue
		}
		s.take(filepath.Join(dir, e.Name()), id)
		if f := s.files[id]; f != nil {
			f.old, f.until = true, time.Now().Add(s.cfg.Linger)
		}
	}
}

// rotated reports whether a name is base with a number or date added, behind
// it or before its extension.
func rotated(base, name string) bool {
	rest, ok := strings.CutPrefix(name, base)
	if !ok {
		ext := filepath.Ext(base)
		if rest, ok = strings.CutPrefix(name, strings.TrimSuffix(base, ext)); !ok {
			return false
		}
		if rest, ok = strings.CutSuffix(rest, ext); !ok {
			return false
		}
	}
	return len(rest) > 1 && strings.Trim(rest, "0123456789-._T") == ""
}

// take opens a file that is new here. A copy of one that is followed, as
// copytruncate makes it, is left alone as long as that one is whole.
func (s *Source) take(name string, id identity) {
	if len(s.files) >= maxFiles {
		if !s.over {
			s.over = true
			s.note(name, taxonomy.DropLimit, "more files than can be followed at once; this and further ones are left out")
		}
		return
	}
	f, err := os.Open(name)
	if err != nil { // the next look tries again
		if !s.denied[name] && len(s.denied) < maxFiles {
			s.denied[name] = true
			s.note(name, taxonomy.DropTruncated, "the file cannot be opened; it will be tried again")
		}
		return
	}
	n := &file{identity: id, name: name, f: f}
	for _, o := range s.inOrder() {
		if o.twin == nil && copyOf(n, o) {
			n.twin = o
			break
		}
	}
	s.files[id] = n
}

// copyOf reports whether c holds the beginning of o, as copytruncate and
// backups make it: the name begins alike, and so do the first and the last
// bytes of c.
func copyOf(c, o *file) bool {
	ci, err := c.f.Stat()
	if err != nil {
		return false
	}
	oi, err := o.f.Stat()
	if err != nil || filepath.Dir(c.name) != filepath.Dir(o.name) || stem(c.name) != stem(o.name) || ci.Size() < minHead {
		return false
	}
	if headOf(o.f, o.head.n) != o.head { // o was cut already; the copy holds what it was
		return o.head.n >= minHead && headOf(c.f, o.head.n) == o.head && ci.Size() >= o.safe
	}
	if ci.Size() > oi.Size() {
		return false
	}
	n := min(ci.Size(), headSize)
	for _, at := range [2]int64{0, ci.Size() - n} {
		var b [2][headSize]byte
		x, _ := c.f.ReadAt(b[0][:n], at)
		y, _ := o.f.ReadAt(b[1][:n], at)
		if x != y || b[0] != b[1] {
			return false
		}
	}
	return true
}

// stem is what rotated files keep of their name: access.log.1,
// access-20261126.log.
func stem(name string) string {
	s, _, _ := strings.Cut(filepath.Base(name), ".")
	s, _, _ = strings.Cut(s, "-")
	return s
}

// cut notices that a file became another one: it was truncated, and may have
// grown again since. What had not been read may stand in a copy beside it.
func (s *Source) cut(f *file, size int64) (bool, error) {
	if f.offset == 0 {
		return false, nil
	}
	if size >= f.offset && headOf(f.f, f.head.n) == f.head {
		return false, nil
	}
	c := s.twinOf(f)
	if c == nil {
		c = s.sibling(mark{Name: f.name, Device: f.device, Inode: f.inode, Offset: f.safe, head: f.head}, true, false)
	}
	if c != nil {
		if !s.listed(c) {
			c.old, c.until = true, time.Now().Add(s.cfg.Linger)
		}
		for more := true; more; {
			var err error
			if _, more, err = s.read(c); err != nil {
				return true, err
			}
		}
	} else {
		s.note(f.name, taxonomy.DropTruncated, "the file was cut and no copy of it is there; lines may be lost")
	}
	s.between(f.name, f.mtime)
	*f = file{identity: f.identity, name: f.name, f: f.f, old: f.old, until: f.until, lines: f.lines}
	return true, nil
}

// twinOf wakes up the copy of a file.
func (s *Source) twinOf(f *file) *file {
	for _, c := range s.files {
		if c.twin == f {
			c.twin = nil
			s.begin(c, f.safe, false)
			return c
		}
	}
	return nil
}

// listed reports whether a path leads to a file.
func (s *Source) listed(f *file) bool {
	for _, p := range s.cfg.Paths {
		if ok, _ := filepath.Match(p, f.name); ok || p == f.name {
			return true
		}
	}
	return false
}

// sibling finds the file that a mark is about, under another name in the same
// folder: the same inode, or a copy with the same first bytes.
func (s *Source) sibling(m mark, copied, fresh bool) *file {
	dir := filepath.Dir(m.Name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries[:min(len(entries), maxSiblings)] {
		name := filepath.Join(dir, e.Name())
		if stem(name) != stem(m.Name) {
			continue
		}
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() || info.Size() < m.Offset {
			continue
		}
		id, err := identify(info)
		if err != nil {
			continue
		}
		same := id.inode == m.Inode && id.device == m.Device
		if same == copied || copied && m.head.n < minHead || s.files[id] != nil {
			continue
		}
		if f := s.matching(name, id, m, fresh); f != nil {
			return f
		}
	}
	return nil
}

// matching opens a file and goes on where a mark says, if its first bytes are
// those of the mark.
func (s *Source) matching(name string, id identity, m mark, fresh bool) *file {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	n := &file{identity: id, name: name, f: f}
	if headOf(f, m.head.n) != m.head || len(s.files) >= maxFiles {
		f.Close()
		return nil
	}
	s.files[id] = n
	s.begin(n, m.Offset, fresh)
	return n
}

// resume opens the files of the checkpoint where they are now.
func (s *Source) resume() error {
	away := map[string]time.Time{} // names whose files were rotated meanwhile, and since when
	for _, m := range s.start {
		if info, err := os.Stat(m.Name); err == nil && info.Mode().IsRegular() && info.Size() >= m.Offset {
			id, err := identify(info)
			if err != nil {
				return err
			}
			// The same name and first bytes are enough when there are some of
			// them: device numbers change, and folders move.
			if s.files[id] == nil && (id.inode == m.Inode || m.head.n >= minHead) && s.matching(m.Name, id, m, true) != nil {
				continue
			}
		}
		f := s.sibling(m, false, true)
		if f == nil {
			f = s.sibling(m, true, true)
		}
		if f == nil {
			away[m.Name] = s.saved
			s.note(m.Name, taxonomy.DropTruncated, "the file of the checkpoint is gone; what was written to it afterwards may be lost")
			continue
		}
		f.old, f.until = true, time.Now().Add(s.cfg.Linger)
		if info, err := f.f.Stat(); err == nil && away[m.Name].Before(info.ModTime()) {
			away[m.Name] = info.ModTime()
		}
	}
	for name, after := range away { // once all that is known has been found
		s.between(name, after)
	}
	s.start = nil
	return nil
}

// begin sets a file to a place within it. What lies before is read once more,
// not to deliver it but to know what later lines may rely on: the columns of a
// W3C log, the year, and, at a fresh start, how often equal lines came before.
func (s *Source) begin(f *file, offset int64, fresh bool) {
	f.offset, f.safe = offset, offset
	f.head = headOf(f.f, int(min(offset, headSize)))
	if offset == 0 || !s.decide(f, false) {
		return
	}
	if from := offset - primeSize; from > 0 && f.kind == logLines { // directives stand at the beginning
		s.prime(f, 0, min(from, chunk), fresh)
	}
	s.prime(f, max(0, offset-primeSize), offset, fresh)
}

func (s *Source) prime(f *file, from, to int64, fresh bool) {
	b := make([]byte, to-from)
	n, _ := f.f.ReadAt(b, from)
	b = b[:n]
	if from > 0 { // the first line is a part of one
		_, b, _ = bytes.Cut(b, newline)
	}
	for len(b) > 0 {
		line, rest, whole := bytes.Cut(b, newline)
		if !whole {
			return
		}
		b = rest
		if h, _, why := s.parse(f, line); why == "" && len(s.x.ID) == 0 && fresh {
			s.seen.Next(h)
		}
	}
}

var newline = []byte("\n")

// inOrder gives the files in an order that does not change: old ones first, so
// that lines come roughly as they were written, then by name.
func (s *Source) inOrder() []*file {
	out := make([]*file, 0, len(s.files))
	for _, f := range s.files {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *file) int {
		if a.old != b.old {
			if a.old {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.inode, b.inode))
	})
	return out
}

// retire gives up an old file to which nothing was written for a while.
func (s *Source) retire(f *file, grown bool) error {
	switch {
	case !f.old:
		return nil
	case grown:
		f.until = time.Now().Add(s.cfg.Linger)
		return nil
	case time.Now().Before(f.until):
		return nil
	}
	err := s.lastLine(f)
	for _, c := range s.files { // a copy may have become more than one
		if c.twin == f {
			c.twin = nil
			s.begin(c, f.safe, false)
		}
	}
	f.f.Close()
	delete(s.files, f.identity)
	return err
}

func (s *Source) closeFiles() {
	for id, f := range s.files {
		f.f.Close()
		delete(s.files, id)
	}
}
