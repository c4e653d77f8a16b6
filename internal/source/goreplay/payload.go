package goreplay

import (
	"bytes"
	"io"
	"math"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

type kind byte

const (
	request  kind = '1'
	response kind = '2' // the recorded server's
	replayed kind = '3' // of the server that the request was played to
)

// meta is the line before a payload.
type meta struct {
	kind          kind
	id            []byte
	time, latency int64 // ns
}

// maxID is longer than the ids of any version: 24 or 40 hexadecimal digits.
const maxID = 64

// maxLatency is the longest exchange believed, a day.
const maxLatency = 24 * 3600 * int64(1e9)

// readMeta reads "type id time [latency]\n" and gives what follows.
func readMeta(b []byte) (m meta, body []byte, ok bool) {
	line, _, ok := bytes.Cut(b[:min(len(b), 256)], []byte("\n"))
	if !ok {
		return m, nil, false
	}
	body = b[len(line)+1:]
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) < 4 || line[1] != ' ' || line[0] < byte(request) || line[0] > byte(replayed) {
		return m, nil, false
	}
	m.kind = kind(line[0])
	id, rest, ok := bytes.Cut(line[2:], []byte(" "))
	if !ok || len(id) == 0 || len(id) > maxID {
		return m, nil, false
	}
	for _, c := range id {
		if c-'0' > 9 && (c|0x20)-'a' > 25 && c != '-' && c != '_' {
			return m, nil, false
		}
	}
	m.id = id
	at, late, _ := bytes.Cut(rest, []byte(" "))
	n, ok := number(at)
	// The year 2262 at most, with room for the latency.
	if !ok || n <= 0 || n > math.MaxInt64-2*maxLatency {
		return m, nil, false
	}
	m.time = n
	if n, ok := number(late); ok && n <= maxLatency {
		m.latency = n
	}
	return m, body, true
}

func number(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	n := int64(0)
	for _, c := range b {
		if c-'0' > 9 || n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// pending is what is known of one id so far.
type pending struct {
	id                                  string
	at                                  int64 // offset of the payload that came first, then of the request
	start, requestEnd, end, replayedEnd int64
	hash                                exchange.ContentHash
	request, response, replayed         []byte
	bytes                               int64
	previous, next                      *pending
}

// table holds the pending ones in the order of the file.
type table struct {
	byID        map[string]*pending
	first, last *pending
	kept        int64
}

func (t *table) reset() { *t = table{byID: map[string]*pending{}} }

func (t *table) len() int { return len(t.byID) }

func (t *table) find(id []byte) *pending { return t.byID[string(id)] }

func (t *table) oldest() *pending { return t.first }

func (t *table) add(id []byte, at int64) *pending {
	p := &pending{id: string(id), at: at, previous: t.last}
	if t.last != nil {
		t.last.next = p
	} else {
		t.first = p
	}
	t.last = p
	t.byID[p.id] = p
	return p
}

// keep copies a payload; empty ones are not nil.
func (t *table) keep(p *pending, b []byte) []byte {
	p.bytes += int64(len(b))
	t.kept += int64(len(b))
	return append(make([]byte, 0, len(b)+1), b...)
}

func (t *table) remove(p *pending) {
	delete(t.byID, p.id)
	t.kept -= p.bytes
	if p.previous != nil {
		p.previous.next = p.next
	} else {
		t.first = p.next
	}
	if p.next != nil {
		p.next.previous = p.previous
	} else {
		t.last = p.previous
	}
}

// separator stands between payloads; bodies that hold it do not occur, which
// is why GoReplay's authors chose it.
var separator = []byte("\n🐵🙈🙉\n")

const (
	chunk = 256 << 10
	// roomKept is the buffer that survives from one payload to the next.
	roomKept = 8 << 20
)

// scanner splits a file at the separators.
type scanner struct {
	r     io.Reader
	buf   []byte
	pos   int // start of the payload in hand
	scan  int // first byte not searched for a separator
	n     int
	base  int64 // offset of buf[0] in the input
	limit int
	err   error
	taken int64
}

func (s *scanner) reset(r io.Reader, limit int) {
	buf := s.buf
	if buf == nil || cap(buf) > roomKept {
		buf = make([]byte, chunk)
	}
	*s = scanner{r: r, buf: buf, limit: limit}
}

// next gives the next payload and its offset; nil for one beyond the limit. At
// the end of the file a payload needs no separator.
func (s *scanner) next() (payload []byte, at int64, ok bool) {
	at = s.base + int64(s.pos)
	over := false
	for {
		if i := bytes.Index(s.buf[s.scan:s.n], separator); i >= 0 {
			end := s.scan + i
			start := s.pos
			s.pos = end + len(separator)
			s.scan = s.pos
			if over || end-start > s.limit {
				return nil, at, true
			}
			return s.buf[start:end:end], at, true
		}
		s.scan = max(s.scan, s.n-len(separator)+1)
		if s.scan-s.pos > s.limit {
			over, s.pos = true, s.scan // its bytes are not needed
		}
		if !s.more() {
			start := s.pos
			s.pos, s.scan = s.n, s.n
			switch {
			case over || s.n-start > s.limit:
				return nil, at, true
			case s.n == start:
				return nil, at, false
			}
			return s.buf[start:s.n:s.n], at, true
		}
	}
}

// more reads on, keeping what is behind pos.
func (s *scanner) more() bool {
	if s.err != nil {
		return false
	}
	copy(s.buf, s.buf[s.pos:s.n])
	s.base += int64(s.pos)
	s.scan -= s.pos
	s.n -= s.pos
	s.pos = 0
	if s.n == len(s.buf) {
		grown := make([]byte, min(2*len(s.buf), s.limit+2*chunk))
		copy(grown, s.buf[:s.n])
		s.buf = grown
	}
	k, err := source.ReadSome(s.r, s.buf[s.n:])
	s.n += k
	s.taken += int64(k)
	s.err = err
	return k > 0
}
