package scenario

import (
	"hash/maphash"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
	"xiezhi/internal/redact"
)

// look is what a filter sees of one exchange. It belongs to one observer. The
// texts it gives lie in the exchange or in the arena, and are gone with the
// next exchange.
type look struct {
	x      *exchange.Exchange
	have   uint32 // bits of fields that are known
	f      [nFields]string
	arena  []byte
	item   string // what a loop is at
	steps  int
	failed bool // the expression has no value
	spent  bool // … because it cost too much
	seeds  [2]maphash.Seed
	memos  []memo
}

// maxRead is how much of a target, an agent or a referrer is looked at.
const maxRead = 8 << 10

// memo remembers what the patterns of a file say of texts that recur, such as
// user agents. It knows the texts by 128 bits of hashes whose seeds nobody has,
// so that none is kept.
type memo struct {
	slots []remembered
}

type remembered struct {
	text       [2]uint64
	known, yes bool
}

const memoSlots = 512

// memo gives the number of a memo of its own to a use of a pattern file.
func (l *loader) memo() int {
	l.set.memos++
	return l.set.memos - 1
}

// recall matches s with the patterns, or remembers what they said of it.
func (k *look) recall(id int, p *patterns, s string) bool {
	if s == "" || len(s) > 1024 || id >= len(k.memos) {
		return p.match(s)
	}
	m := &k.memos[id]
	if m.slots == nil {
		m.slots = make([]remembered, memoSlots)
	}
	h := [2]uint64{maphash.String(k.seeds[0], s), maphash.String(k.seeds[1], s)}
	e := &m.slots[h[0]%memoSlots]
	if !e.known || e.text != h {
		*e = remembered{h, true, p.match(s)}
	}
	return e.yes
}

func (k *look) begin(x *exchange.Exchange) {
	clear(k.f[:])
	if k.x, k.have, k.steps, k.failed, k.item = x, 0, 0, false, ""; cap(k.arena) > maxArena {
		k.arena = nil
	}
	k.arena = k.arena[:0]
}

func view(b []byte) string {
	b = b[:min(len(b), maxRead)]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (k *look) field(f field) string {
	if k.have&(1<<f) == 0 {
		k.fill(f)
	}
	return k.f[f]
}

func (k *look) set(f field, s string) { k.f[f] = s; k.have |= 1 << f }

func (k *look) fill(f field) {
	x := k.x
	switch f {
	case fService:
		k.set(f, "http")
	case fLogType:
		k.set(f, accessLog)
		if x.Aside > exchange.AsideMalformed {
			k.set(f, errorLog)
		}
	case fSubType:
		k.set(f, subTypes[x.Aside])
	case fAddress:
		from := len(k.arena)
		if a := x.Client.Addr(); a.IsValid() {
			k.arena = a.AppendTo(k.arena)
		}
		k.set(f, k.since(from))
	case fStatus:
		k.set(f, "")
		if x.Status > 0 {
			k.set(f, k.number(int64(x.Status)))
		}
	case fVerb:
		k.set(f, view(x.Method))
	case fTarget, fRequest, fArgs, fArgsLen, fDir, fFrag, fExt, fName, fStatic:
		k.path()
	case fDone:
		k.set(f, "true")
		if x.Status == 404 || x.Status == 403 || x.Status == 502 {
			k.set(f, "false")
		}
	case fAgent:
		k.set(f, header(x.Request.Get("user-agent")))
	case fReferer:
		k.set(f, header(x.Request.Get("referer")))
	case fHost:
		k.set(f, hostOf(view(x.Host)))
	case fVersion:
		k.set(f, versions[x.Proto])
	case fBytes:
		k.set(f, k.number(max(x.Response.BodySize, 0)))
	}
}

// subTypes are CrowdSec's words for what a message of a server tells.
var subTypes = [...]string{exchange.AsideNone: "", exchange.AsideMalformed: "", exchange.AsideAuthFail: "auth_fail", exchange.AsideLimited: "req_limit_exceeded", exchange.AsideAdminFail: "litespeed_admin_auth_fail"}

var versions = map[uint8]string{9: "0.9", 10: "1.0", 11: "1.1", 20: "2.0", 30: "3.0"}

// header gives a header as logs write it: one that is missing is a dash.
func header(b []byte) string {
	if len(b) == 0 {
		return "-"
	}
	return view(b)
}

func hostOf(s string) string {
	if i := strings.LastIndexByte(s, ':'); i > 0 && strings.IndexByte(s, ':') == i {
		return s[:i]
	}
	return s
}

// path takes the target apart as CrowdSec's http-logs parser does.
func (k *look) path() {
	target := view(k.x.Target)
	k.set(fTarget, target)
	request, args := target, ""
	if i := strings.LastIndexByte(target, '?'); i >= 0 {
		request, args = target[:i], target[i+1:]
	}
	k.set(fRequest, request)
	k.set(fArgs, args)
	k.set(fArgsLen, k.number(int64(len(args))))
	dir, frag, ext := "", "", ""
	if i := strings.LastIndexByte(request, '/'); i >= 0 {
		dir, frag = request[:i+1], request[i+1:]
		// a name begins with one byte at least, which may be the dot itself
		if j := strings.LastIndexByte(frag, '.'); j > 0 {
			frag, ext = frag[:j], frag[j:]
		}
	}
	k.set(fDir, dir)
	k.set(fFrag, frag)
	k.set(fExt, ext)
	k.set(fName, frag+"")
	if ext != "" {
		k.set(fName, request[len(dir):])
	}
	k.set(fStatic, "false")
	if ext != "" && len(ext) <= 8 && statics[k.upper(ext)] {
		k.set(fStatic, "true")
	}
}

// since gives what was put into the arena from a place on.
func (k *look) since(from int) string {
	b := k.arena[from:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// room reports whether n more bytes may be made.
func (k *look) room(n int) bool {
	if len(k.arena)+n > maxArena {
		k.failed, k.spent = true, true
		return false
	}
	return true
}

func (k *look) number(n int64) string {
	from := len(k.arena)
	k.arena = strconv.AppendInt(k.arena, n, 10)
	return k.since(from)
}

func (k *look) join(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	case !k.room(len(a) + len(b)):
		return ""
	}
	from := len(k.arena)
	k.arena = append(append(k.arena, a...), b...)
	return k.since(from)
}

func (k *look) upper(s string) string { return k.fold(s, 'a', 'z', strings.ToUpper) }
func (k *look) lower(s string) string { return k.fold(s, 'A', 'Z', strings.ToLower) }

func (k *look) fold(s string, first, last byte, other func(string) string) string {
	at := -1
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return other(s)
		}
		if at < 0 && first <= s[i] && s[i] <= last {
			at = i
		}
	}
	if at < 0 || !k.room(len(s)) {
		return s
	}
	from := len(k.arena)
	k.arena = append(k.arena, s...)
	for i := from + at; i < len(k.arena); i++ {
		if c := k.arena[i]; first <= c && c <= last {
			k.arena[i] = c ^ 0x20
		}
	}
	return k.since(from)
}

// unescape undoes percent escapes; a text with one that is none stays as it is.
func (k *look) unescape(s string, plus bool) string {
	if strings.IndexByte(s, '%') < 0 && (!plus || strings.IndexByte(s, '+') < 0) || !k.room(len(s)) {
		return s
	}
	from := len(k.arena)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+' && plus:
			c = ' '
		case c == '%':
			if i+2 >= len(s) {
				k.arena = k.arena[:from]
				return s
			}
			v, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				k.arena = k.arena[:from]
				return s
			}
			c = byte(v)
			i += 2
		}
		k.arena = append(k.arena, c)
	}
	return k.since(from)
}

// screen makes the eyes of observers.
type screen struct {
	set *Set
	r   *redact.Redactor
}

// Screen gives what observers look through; nil when there are no scenarios.
func (s *Set) Screen(r *redact.Redactor) observe.Screen {
	if s == nil || len(s.rules) == 0 {
		return nil
	}
	return &screen{s, r}
}

// Eye implements observe.Screen.
func (s *screen) Eye() observe.Eye {
	return &eye{screen: s, look: look{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, memos: make([]memo, s.set.memos)}}
}

// eye evaluates the filters for one observer.
type eye struct {
	*screen
	look look
}

// See implements observe.Eye.
func (e *eye) See(x *exchange.Exchange, dst []observe.Hit) (hits []observe.Hit, over int) {
	k := &e.look
	k.begin(x)
	for _, r := range e.set.rules {
		k.failed, k.spent = false, false
		if !r.filter(k) || k.failed {
			if k.spent {
				over++
			}
			continue
		}
		h := observe.Hit{Rule: r.Name}
		if r.group != nil {
			h.Key = e.r.TokenString(r.group(k))
		}
		if r.distinct != nil {
			h.Distinct = e.r.TokenString(r.distinct(k))
		}
		for i, f := range r.inner {
			if f(k) {
				h.Marks |= 1 << i
			}
		}
		h.Cancel = r.cancel != nil && r.cancel(k)
		if k.failed || len(dst) == observe.MaxHits {
			over++
			continue
		}
		dst = append(dst, h)
	}
	k.x = nil
	return dst, over
}
