package wire

import "bytes"

// head is a start line and its header lines, read as they come in. Positions
// are relative to the first byte of the head.
type head struct {
	scan, line int // first byte not searched for a line end; start of that line
	lines      int
	folded     bool

	proto             uint8
	methodAt, method  int32 // the method lies between them
	target, targetEnd int32 // and the target between these
	status            int
	reason, reasonEnd int32
	fields            []fieldRef
}

type verdict uint8

const (
	more    verdict = iota // not complete yet
	good                   // complete
	bad                    // not HTTP
	tooLong                // beyond the limits
)

// parse reads on in b, which holds the head from its first byte. On good, n is
// the length of the head, the blank line included.
func (h *head) parse(b []byte, request bool) (n int, v verdict) {
	for {
		i := bytes.IndexByte(b[h.scan:], '\n')
		if i < 0 {
			h.scan = len(b)
			if len(b) > maxHead {
				return 0, tooLong
			}
			return 0, more
		}
		end := h.scan + i
		start := h.line
		h.line, h.scan = end+1, end+1
		if end > maxHead {
			return 0, tooLong
		}
		if end > start && b[end-1] == '\r' {
			end--
		}
		if h.lines == 0 {
			h.lines = 1
			ok := false
			if request {
				ok = h.requestLine(b[start:end], int32(start))
			} else {
				ok = h.statusLine(b[start:end], int32(start))
			}
			if !ok {
				return 0, bad
			}
			if h.proto == 9 {
				return h.line, good // a simple request has no header
			}
			continue
		}
		if end == start {
			return h.line, good
		}
		h.lines++
		if h.lines > maxLines+1 {
			return 0, tooLong
		}
		if c := b[start]; (c == ' ' || c == '\t') && len(h.fields) > 0 {
			f := &h.fields[len(h.fields)-1]
			for end > start && (b[end-1] == ' ' || b[end-1] == '\t') {
				end--
			}
			if end > start {
				f.valueEnd = int32(end)
				h.folded = true
			}
			continue
		}
		h.field(b, start, end)
	}
}

// field records one header line. A line without a colon is kept as a name
// without value: servers that ignore such lines exist, and so do their clients.
func (h *head) field(b []byte, start, end int) {
	line := b[start:end]
	colon := len(line)
	for i, c := range line {
		if c == ':' {
			colon = i
			break
		}
	}
	n, nameEnd := 0, colon
	for nameEnd > 0 && (line[nameEnd-1] == ' ' || line[nameEnd-1] == '\t') {
		nameEnd--
	}
	for n < nameEnd && (line[n] == ' ' || line[n] == '\t') {
		n++
	}
	v, vEnd := min(colon+1, len(line)), len(line)
	for v < vEnd && (line[v] == ' ' || line[v] == '\t') {
		v++
	}
	for v < vEnd && (line[vEnd-1] == ' ' || line[vEnd-1] == '\t') {
		vEnd--
	}
	h.fields = append(h.fields, fieldRef{int32(start + n), int32(start + nameEnd), int32(start + v), int32(start + vEnd)})
}

// unfold replaces the line breaks inside folded values by spaces. b is ours.
func (h *head) unfold(b []byte) {
	for i := range h.fields {
		r := &h.fields[i]
		for j := r.value; j < r.valueEnd; j++ {
			if b[j] == '\r' || b[j] == '\n' {
				b[j] = ' '
			}
		}
		for r.value < r.valueEnd && (b[r.value] == ' ' || b[r.value] == '\t') {
			r.value++
		}
	}
}

const maxMethod = 64

func (h *head) requestLine(line []byte, base int32) bool {
	sp := tokenLen(line)
	if sp == 0 || sp > maxMethod || sp >= len(line) || line[sp] != ' ' {
		return false
	}
	h.method = base + int32(sp)
	n := len(line)
	for n > 0 && (line[n-1] == ' ' || line[n-1] == '\t') {
		n--
	}
	t := sp
	for t < n && line[t] == ' ' {
		t++
	}
	h.target, h.targetEnd = base+int32(t), base+int32(max(t, n))
	rest := line[t:max(t, n)]
	last := bytes.LastIndexByte(rest, ' ')
	if p, ok := version(rest[last+1:]); ok {
		h.proto = p
		e := max(last, 0)
		for e > 0 && rest[e-1] == ' ' {
			e--
		}
		h.targetEnd = h.target + int32(e)
		return true
	}
	// HTTP/0.9 knows no version. Accept it for a method and a target that
	// leave no doubt; any text with two words would do otherwise.
	if knownMethod(line[:sp]) && len(rest) > 0 && (rest[0] == '/' || bytes.HasPrefix(rest, []byte("http://"))) {
		h.proto = 9
		return true
	}
	return false
}

func (h *head) statusLine(line []byte, base int32) bool {
	i := 8
	if len(line) > 6 && line[6] == ' ' {
		i = 6 // "HTTP/2 200": proxies write HTTP/2 down as if it had such a line
	}
	if len(line) < i+4 || line[i] != ' ' || !digit(line[5]) || i == 8 && (line[6] != '.' || !digit(line[7])) {
		return false
	}
	p, ok := version(line[:i])
	if !ok {
		return false
	}
	for i < len(line) && line[i] == ' ' {
		i++
	}
	if len(line)-i < 3 || !digit(line[i]) || !digit(line[i+1]) || !digit(line[i+2]) || (len(line) > i+3 && line[i+3] != ' ') {
		return false
	}
	h.proto = p
	h.status = int(line[i]-'0')*100 + int(line[i+1]-'0')*10 + int(line[i+2]-'0')
	h.reason = base + int32(min(i+4, len(line)))
	h.reasonEnd = base + int32(len(line))
	return h.status >= 100
}

// version reads "HTTP/d.d" in any case. HTTP/2 and later have no such line;
// where somebody writes one, or a version that is none, the message is framed
// as HTTP/1.1, as servers do that answer it.
func version(b []byte) (uint8, bool) {
	if len(b) < 5 || len(b) > 12 || b[4] != '/' ||
		b[0]|0x20 != 'h' || b[1]|0x20 != 't' || b[2]|0x20 != 't' || b[3]|0x20 != 'p' {
		return 0, false
	}
	switch string(b[5:]) {
	case "1.1":
		return 11, true
	case "1.0":
		return 10, true
	}
	return 0, true
}

func digit(c byte) bool { return c-'0' <= 9 }

// tokenLen is the length of the token (RFC 9110, 5.6.2) at the start of b.
func tokenLen(b []byte) int {
	for i, c := range b {
		if !tokenByte[c] {
			return i
		}
	}
	return len(b)
}

var tokenByte = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-32] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

func knownMethod(b []byte) bool {
	switch string(b) {
	case "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT",
		"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "QUERY":
		return true
	}
	return false
}
