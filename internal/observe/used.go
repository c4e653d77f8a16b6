package observe

import (
	"bytes"
	"hash/maphash"
	"slices"

	"xiezhi/internal/sketch"
)

// What a front end uses of an answer it names: row.realName, row["phone"],
// {{it.prize}}. The names that stand in scripts and in the script parts of pages
// are kept as hashes, all of them, whether they are properties, variables or
// words of a text: a name that is nowhere is used by nobody.

// MaxUsed is how many different names of one script are kept.
const MaxUsed = 8192

// UsedKey is the key of a name, in any spelling: libraries turn real_name into
// realName before a script sees it.
func UsedKey(name string) uint32 {
	var buf [maxUsedName]byte
	n := 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '_' || c == '-' {
			continue
		}
		if n == len(buf) {
			return 0
		}
		if c-'A' < 26 {
			c |= 0x20
		}
		buf[n] = c
		n++
	}
	return usedKey(buf[:n])
}

func usedKey(folded []byte) uint32 {
	if len(folded) < 2 {
		return 0
	}
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range folded {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return uint32(sketch.Mix(h)) | 1
}

const maxUsedName = 48

// usedTable collects the names of one script. Recent scripts are remembered by a
// keyed hash of their bytes: every visitor fetches the same ones.
type usedTable struct {
	slots []uint32
	list  []uint32
	full  bool
	memo  [usedMemo]struct {
		hash uint64
		len  int
		list []uint32
		full bool
	}
}

const (
	usedMemo  = 32
	usedSlots = 4 * MaxUsed
)

// identifier marks the bytes of names in scripts.
var identifier = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x80 || c == '_' || c == '$' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	return t
}()

// useScript keeps the names of a script; whole says that all of it was seen.
func (o *Observer) useScript(text []byte, whole bool) {
	u := &o.used
	h := maphash.Bytes(o.seed, text)
	e := &u.memo[h%usedMemo]
	if e.hash != h || e.len != len(text) || len(text) == 0 {
		u.begin()
		u.scan(text)
		e.hash, e.len, e.full = h, len(text), u.full
		e.list = append(e.list[:0], u.list...)
		slices.Sort(e.list)
	}
	o.keepUsed(e.list, whole && !e.full)
}

func (o *Observer) keepUsed(list []uint32, whole bool) {
	o.out.used.buf = append(o.out.used.buf, list...)
	o.o.Used, o.o.UsedCut = o.out.used.take(), !whole
}

// usePage keeps the names in the scripts and bindings of a page.
func (o *Observer) usePage(text []byte, whole bool) {
	u := &o.used
	some := false
	scan := func(b []byte) {
		if !some { // most pages have none, and the table is large
			u.begin()
			some = true
		}
		u.scan(b)
	}
	for rest := text; ; {
		i := bytes.IndexByte(rest, '<')
		if i < 0 {
			break
		}
		rest = rest[i:]
		if !hasFold(rest, "<script") {
			rest = rest[1:]
			continue
		}
		open := bytes.IndexByte(rest, '>')
		if open < 0 {
			break
		}
		body := rest[open+1:]
		end := indexFold(body, "</script")
		if end < 0 {
			end, whole = len(body), false
		}
		if end > 0 && !data(rest[:open]) {
			scan(body[:end])
		}
		rest = body[end:]
	}
	for rest := text; ; { // templates that run in the browser
		i := bytes.Index(rest, []byte("{{"))
		if i < 0 {
			break
		}
		rest = rest[i+2:]
		if end := bytes.Index(rest[:min(len(rest), 512)], []byte("}}")); end > 0 {
			scan(rest[:end])
		}
	}
	for rest := text; ; { // and attributes that bind
		i := bytes.Index(rest, []byte("=\""))
		if i < 0 {
			break
		}
		name := rest[:i]
		if j := bytes.LastIndexAny(name, " \t\r\n\"'"); j >= 0 {
			name = name[j+1:]
		}
		rest = rest[i+2:]
		if !binds(name) {
			continue
		}
		if end := bytes.IndexByte(rest[:min(len(rest), 2048)], '"'); end > 0 {
			scan(rest[:end])
		}
	}
	if some {
		slices.Sort(u.list)
		o.keepUsed(u.list, whole && !u.full)
	}
}

// data reports whether a script element holds data: what it names, no script
// has used yet.
func data(tag []byte) bool { return indexFold(tag, "json") >= 0 }

// binds reports whether an attribute's value is a script's expression.
func binds(name []byte) bool {
	if len(name) == 0 {
		return false
	}
	switch name[0] {
	case ':', '@', '#', '[', '(', '*':
		return true
	}
	return bytes.HasPrefix(name, []byte("v-")) || bytes.HasPrefix(name, []byte("ng-")) || bytes.HasPrefix(name, []byte("x-")) || bytes.HasPrefix(name, []byte("data-bind")) ||
		len(name) > 3 && name[0]|0x20 == 'o' && name[1]|0x20 == 'n'
}

func hasFold(b []byte, s string) bool {
	return len(b) >= len(s) && bytes.EqualFold(b[:len(s)], []byte(s))
}

// indexFold is bytes.Index for a lower-case s, whatever the case of b.
func indexFold(b []byte, s string) int {
	letter := 'a' <= s[0] && s[0] <= 'z'
	for at := 0; at+len(s) <= len(b); at++ {
		switch {
		case !letter:
			i := bytes.IndexByte(b[at:], s[0])
			if i < 0 {
				return -1
			}
			at += i
		case b[at]|0x20 != s[0]:
			continue
		}
		if hasFold(b[at:], s) {
			return at
		}
	}
	return -1
}

func (u *usedTable) begin() {
	if u.slots == nil {
		u.slots = make([]uint32, usedSlots)
	}
	clear(u.slots)
	u.list, u.full = u.list[:0], false
}

// scan adds the names of a text.
func (u *usedTable) scan(text []byte) {
	var buf [maxUsedName]byte
	for i := 0; i < len(text); {
		if !identifier[text[i]] {
			i++
			continue
		}
		n, digits, long := 0, true, false
		for ; i < len(text) && identifier[text[i]]; i++ {
			c := text[i]
			if c == '_' || c == '-' || c == '$' {
				continue
			}
			if n == len(buf) {
				long = true
				continue
			}
			if c-'A' < 26 {
				c |= 0x20
			}
			if c-'0' > 9 {
				digits = false
			}
			buf[n] = c
			n++
		}
		if n >= 2 && !digits && !long {
			u.add(usedKey(buf[:n]))
		}
	}
}

func (u *usedTable) add(k uint32) {
	for i := k * 0x9e3779b1 >> 8; ; i++ {
		s := &u.slots[i%usedSlots]
		if *s == k {
			return
		}
		if *s != 0 {
			continue
		}
		if len(u.list) == MaxUsed {
			u.full = true
			return
		}
		*s = k
		u.list = append(u.list, k)
		return
	}
}
