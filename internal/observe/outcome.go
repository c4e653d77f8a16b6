package observe

import (
	"xiezhi/internal/sensitive"
)

// codeCandidate takes a value that may be the business code; the most telling
// field wins, among equals the first.
func (o *Observer) codeCandidate(f *fieldEntry, t ValueType, v []byte) {
	r := &o.response
	v = faultCode(f.normal, v)
	if len(v) == 0 || len(v) > maxCode || r.codeRank != 0 && f.code >= r.codeRank {
		return
	}
	if t == TypeString {
		switch classify(v) {
		case ClassWord, ClassInt, ClassMixed, ClassFloat, ClassVer, ClassHex:
		default:
			return
		}
		if o.recognise(sensitive.HintNone, v); len(o.hits) > 0 {
			return
		}
	}
	r.codeRank, r.codeType, r.codeField, r.codeName = f.code, t, f.name, f.normal
	r.codeLen = copy(r.code[:], v)
}

// takeCode reports the business code and what it says.
func (o *Observer) takeCode() {
	r := &o.response
	if r.codeRank == 0 {
		return
	}
	v := r.code[:r.codeLen]
	if r.codeType == TypeString && len(r.msg) == 0 && len(v) >= 4 && len(v) <= 8 && classify(v) == ClassInt &&
		o.cfg.Names.verdict(r.codeName, v, TypeString) <= 0 {
		// digits alone, without a message beside them, may be a verification
		// code that was sent back: a secret, not an outcome
		return
	}
	o.o.Code, o.o.CodeField = o.word(v), r.codeField
	o.o.CodeSays = o.cfg.Names.verdict(r.codeName, v, r.codeType)
}

// verdict tells what a business code says: +1 success, -1 failure, 0 unknown.
func (n *Names) verdict(name string, v []byte, t ValueType) int8 {
	var buf [maxCode]byte
	w := lower(buf[:0], v)
	sign := int8(1)
	if n.negated.has(name) {
		sign = -1
	}
	if t == TypeBool {
		if string(w) == "true" {
			return sign
		}
		return -sign
	}
	if m := n.successOf[name]; m[string(w)] {
		return 1
	}
	if m := n.failureOf[name]; m[string(w)] {
		return -1
	}
	if classify(w) == ClassInt || len(w) > 1 && w[0] == '-' && classify(w[1:]) == ClassInt {
		switch {
		case n.success[string(w)]:
			return 1
		case codeLike(name):
			return -1
		case len(w) == 3 && (w[0] == '4' || w[0] == '5'):
			return -1
		}
		return 0
	}
	if n.success[string(w)] {
		return sign
	}
	if n.failure[string(w)] {
		return -1
	}
	if sign < 0 {
		return -1 // error: "invalid_grant"
	}
	return 0
}

// codeLike reports whether numbers other than the known successes are failures
// under this name: an errno is, a status or a result need not be.
func codeLike(name string) bool {
	for i := 0; i+2 <= len(name); i++ {
		for _, s := range [...]string{"code", "err", "ret"} {
			if i+len(s) <= len(name) && name[i:i+len(s)] == s {
				return true
			}
		}
	}
	return name == "rc" || name == "rtn"
}

// messageCandidate takes a text that may be the message.
func (o *Observer) messageCandidate(f *fieldEntry, v []byte) {
	r := &o.response
	if len(v) > 4*maxMessage || r.msgRank != 0 && f.message >= r.msgRank || !worded(v) {
		return
	}
	r.msgRank = f.message
	r.msg = append(r.msg[:0], v[:min(len(v), maxMessage)]...)
}

// worded reports whether v has a letter.
func worded(v []byte) bool {
	for _, c := range v {
		if c >= 0x80 || (c|0x20)-'a' < 26 {
			return true
		}
	}
	return false
}

// takeMessage reports the message's template and what it says.
func (o *Observer) takeMessage() {
	r, ob := &o.response, o.o
	if len(r.msg) == 0 || r.msgRank&weakMessage != 0 && ob.Records > 0 {
		return
	}
	o.tmpl = o.template(o.tmpl[:0], r.msg, false)
	if len(o.tmpl) == 0 {
		return
	}
	o.norm = normalMessage(o.norm[:0], o.tmpl)
	ob.Message = o.word(o.tmpl)
	ob.MessageHash = o.cfg.Redactor.Token(o.norm)
	ob.MessageSays = o.says(ob.MessageHash)
}

// says is Phrases.says of o.norm with a memo.
func (o *Observer) says(hash uint64) MessageClass {
	if c, ok := o.saysMemo[hash]; ok {
		return c
	}
	c := o.cfg.Phrases.says(o.norm)
	if len(o.saysMemo) >= maxSaysMemo {
		clear(o.saysMemo)
	}
	o.saysMemo[hash] = c
	return c
}

const maxSaysMemo = 8192

// template appends a message with its values removed: what a recogniser knows,
// what the request said, what is quoted, digits, hashes and times become "{}".
// An excerpt keeps quotes and short numbers, since it is shown as evidence.
func (o *Observer) template(dst, msg []byte, excerpt bool) []byte {
	o.hits = sensitive.ScanText(msg, o.hits[:0])
	hits := o.hits
	gap := func() {
		if n := len(dst); n < 2 || dst[n-1] != '}' || dst[n-2] != '{' {
			dst = append(dst, '{', '}')
		}
	}
	for i := 0; i < len(msg); {
		for len(hits) > 0 && hits[0].End <= i {
			hits = hits[1:]
		}
		if len(hits) > 0 && i >= hits[0].Start {
			gap()
			i = hits[0].End
			continue
		}
		c := msg[i]
		// between ideographs there is no boundary to ask for
		start := i == 0 || c >= 0xC0 || c < 0x80 && !alphanumeric(msg[i-1]) && msg[i-1] != '_'
		if start {
			if n := o.echoed(msg[i:]); n > 0 {
				gap()
				i += n
				continue
			}
			if !excerpt {
				if n := quoted(msg[i:]); n > 0 && (i == 0 || !alphanumeric(msg[i-1])) {
					inner := msg[i+openLen(c) : i+n-openLen(c)]
					if !o.vocabulary(inner) {
						dst = append(dst, msg[i:i+openLen(c)]...)
						gap()
						dst = append(dst, msg[i+n-openLen(c):i+n]...)
						i += n
						continue
					}
				}
			}
		}
		if c < 0x80 && alphanumeric(c) && (i == 0 || !alphanumeric(msg[i-1]) || msg[i-1] >= 0x80) {
			n, digits := wordRun(msg[i:])
			if value(msg[i:i+n], digits, excerpt) {
				gap()
				i += n
				continue
			}
			dst = append(dst, msg[i:i+n]...)
			i += n
			continue
		}
		dst = append(dst, c)
		i++
	}
	return dst
}

// wordRun is the length of the run of value characters at b, and its digits.
func wordRun(b []byte) (n, digits int) {
	for n < len(b) {
		c := b[n]
		if c-'0' < 10 {
			digits++
		} else if (c|0x20)-'a' > 25 {
			// joints belong to the run between letters or digits
			if c != '_' && c != '-' && c != ':' && c != '.' && c != '@' && c != '/' && c != '+' && c != '=' ||
				n+1 >= len(b) || !alphanumeric(b[n+1]) || c == '/' && digits == 0 {
				break
			}
		}
		n++
	}
	return n, digits
}

// value reports whether a run of a message is a value: numbers, times,
// identifiers, hashes, addresses of mail.
func value(b []byte, digits int, excerpt bool) bool {
	if digits == 0 {
		for _, c := range b {
			if c == '@' {
				return true
			}
		}
		return len(b) > 40
	}
	if excerpt {
		return digits >= 6 || len(b) >= 32
	}
	switch classify(b) {
	case ClassVer, ClassFile:
		return false
	}
	return true
}

// openLen is the length of the quote that begins or ends with c.
func openLen(c byte) int {
	if c >= 0x80 {
		return 3
	}
	return 1
}

// quoted gives the length of the quoted text at b, quotes included, 0 when
// none begins there.
func quoted(b []byte) int {
	c := b[0]
	switch c {
	case '"', '\'', '`':
		for i := 1; i < len(b) && i <= 200; i++ {
			if b[i] == c && (c != '\'' || i+1 == len(b) || !alphanumeric(b[i+1])) {
				if i == 1 {
					return 0
				}
				return i + 1
			}
		}
	case 0xE2, 0xE3:
		if len(b) < 6 {
			return 0
		}
		for _, q := range [...][2]string{{"“", "”"}, {"‘", "’"}, {"「", "」"}, {"『", "』"}, {"【", "】"}, {"《", "》"}} {
			if string(b[:3]) != q[0] {
				continue
			}
			for i := 3; i+3 <= len(b) && i <= 200; i++ {
				if string(b[i:i+3]) == q[1] {
					return i + 3
				}
			}
		}
	}
	return 0
}

// echoed gives the length of the request's value that stands at b, 0 for none.
// A value that is a word of the phrases themselves is no echo.
func (o *Observer) echoed(b []byte) int {
	r := &o.request
	best := 0
	for i := range r.echoes[:r.nechoes] {
		e := r.get(r.echoes[i])
		if len(e) <= best || len(e) > len(b) || !equalFold(b[:len(e)], e) {
			continue
		}
		if e[0] >= 0x80 && len(e) < 6 {
			continue // one ideograph is a word of any message
		}
		if len(e) < len(b) && alphanumeric(e[len(e)-1]) && alphanumeric(b[len(e)]) || o.vocabulary(e) {
			continue
		}
		best = len(e)
	}
	return best
}

func equalFold(a, b []byte) bool {
	for i := range a {
		x, y := a[i], b[i]
		if x != y && (x|0x20 != y|0x20 || (x|0x20)-'a' > 25) {
			return false
		}
	}
	return true
}

// vocabulary reports whether v is a word that messages use anyway, or a field
// name of the request.
func (o *Observer) vocabulary(v []byte) bool {
	if len(v) > 40 {
		return false
	}
	o.lowered = normalMessage(o.lowered[:0], v)
	if o.cfg.Phrases.words[string(o.lowered)] {
		return true
	}
	params := o.out.params.open()
	for i := range params {
		if params[i].Name == string(v) {
			return true
		}
	}
	return false
}
