package signature

import (
	"bytes"
	"strings"

	"xiezhi/internal/taxonomy"
)

// Response is what MatchResponse looks at.
type Response struct {
	Status      int
	Path        []byte // decoded path of the request
	ContentType []byte
	Header      func(lower string) []byte // value of a response header, nil when absent; may be nil itself
	Body        []byte
}

// conditions narrow a response rule.
type conditions struct {
	paths   []string // one of these stands at the path's end or before a '/'
	status  func(int) bool
	types   []string // one of these stands in the content type
	headers []headerMarker
	magic   string // the body begins with it
	genuine bool   // the marker must be the program's own words, not a user's
}

type headerMarker struct{ name, contains string }

// headerGate is a header that some rule looks at.
type headerGate struct {
	name  string
	rules []*Rule // those that need nothing of the body
}

// MatchResponse calls emit once per rule that the response matches. where is
// "body" or the header's name; excerpt is the marker as it stands in the
// response, of a trace with what is around it and of a header all of it: neither
// redacted nor safe to keep.
func (s *Set) MatchResponse(r *Response, emit func(rule *Rule, where string, excerpt []byte)) {
	if r.Header != nil {
		for i := range s.headers {
			h := &s.headers[i]
			v := r.Header(h.name)
			if v == nil {
				continue
			}
			for _, rule := range h.rules {
				if !rule.where.headersHold(r) || !rule.where.hold(r) {
					continue
				}
				if v = v[:min(len(v), maxExcerpt)]; !rule.version {
					emit(rule, h.name, v)
				} else if n := rule.match.group(v); n != nil {
					emit(rule, h.name, n)
				}
			}
		}
	}
	body := r.Body[:min(len(r.Body), maxBody)]
	if len(body) == 0 {
		return
	}
	for _, rule := range s.magic {
		if len(body) >= len(rule.where.magic) && string(body[:len(rule.where.magic)]) == rule.where.magic &&
			rule.where.headersHold(r) && rule.where.hold(r) {
			emit(rule, "body", body[:min(len(rule.where.magic), maxExcerpt)])
		}
	}
	if opaque(r.ContentType) {
		return
	}
	if s.response.mayHit(body) {
		s.matchBody(&s.response, r, body, emit)
	}
	if s.paths.first(r.Path) >= 0 && s.narrow.mayHit(body) {
		s.matchBody(&s.narrow, r, body, emit)
	}
}

func (s *Set) matchBody(g *gate, r *Response, body []byte, emit func(rule *Rule, where string, excerpt []byte)) {
	w := s.borrow()
	g.collect(w, everyPart, body)
	for _, win := range w.windows {
		rule := win.rule
		if w.fired[rule.index] || !rule.where.hold(r) || !rule.where.headersHold(r) {
			continue
		}
		if !rule.match.accepts(w, body, win) || rule.where.genuine && !genuine(r, body, win.from) {
			continue
		}
		w.fired[rule.index] = true
		w.touched = append(w.touched, rule)
		if rule.version {
			lo, hi := rule.match.window(body, win)
			if n := rule.match.group(body[lo:hi]); n != nil {
				emit(rule, "body", n)
			}
		} else if rule.Kind == string(taxonomy.DefectVerboseTrace) {
			emit(rule, "body", excerpt(body, win.from))
		} else {
			// What stands around the marker of a file, a debug page or a console are
			// the passwords that it gives away; the marker alone is ours to show.
			emit(rule, "body", body[win.from:min(win.to, win.from+maxExcerpt)])
		}
	}
	s.giveBack(w)
}

// opaque reports whether a content type holds no text.
func opaque(t []byte) bool {
	for _, p := range [...]string{"image/", "video/", "audio/", "font/"} {
		if len(t) >= len(p) && string(t[:len(p)]) == p && !bytes.Contains(t, []byte("svg")) {
			return true
		}
	}
	return false
}

func (c *conditions) headersHold(r *Response) bool {
	for _, h := range c.headers {
		if r.Header == nil {
			return false
		}
		v := r.Header(h.name)
		if v == nil || !containsFold(v, h.contains) {
			return false
		}
	}
	return true
}

func (c *conditions) hold(r *Response) bool {
	if !c.status(r.Status) {
		return false
	}
	if len(c.types) > 0 && !anyContainsFold(r.ContentType, c.types) {
		return false
	}
	return len(c.paths) == 0 || pathHolds(r.Path, c.paths)
}

func anyContainsFold(b []byte, subs []string) bool {
	for _, sub := range subs {
		if containsFold(b, sub) {
			return true
		}
	}
	return false
}

// containsFold is bytes.Contains without regard to ASCII case; sub is lower.
func containsFold(b []byte, sub string) bool {
	for i := 0; i+len(sub) <= len(b); i++ {
		if equalFold(b[i:i+len(sub)], sub) {
			return true
		}
	}
	return false
}

func equalFold(b []byte, lower string) bool {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// pathHolds reports whether one of the lower-case paths stands in path, up to
// its end or up to a '/' or ';'. A star stands for anything but a '/', one
// behind a '/' for anything.
func pathHolds(path []byte, paths []string) bool {
	for _, p := range paths {
		if star := strings.IndexByte(p, '*'); star >= 0 { // "*.zip": the end; "/backup*.zip": the last segment
			begin, end := p[:star], p[star+1:]
			if len(path) < len(end) || !equalFold(path[len(path)-len(end):], end) {
				continue
			}
			if begin == "" || standsBefore(path[:len(path)-len(end)], begin) {
				return true
			}
			continue
		}
		for i := 0; i+len(p) <= len(path); i++ {
			if path[i] != '/' || !equalFold(path[i:i+len(p)], p) {
				continue
			}
			if rest := path[i+len(p):]; len(rest) == 0 || rest[0] == '/' || rest[0] == ';' || p == "/" {
				return true
			}
		}
	}
	return false
}

// standsBefore reports whether begin stands in path: anywhere when it is a
// whole folder, else at the beginning of the last segment.
func standsBefore(path []byte, begin string) bool {
	if begin[len(begin)-1] == '/' {
		for i := 0; i+len(begin) <= len(path); i++ {
			if path[i] == '/' && equalFold(path[i:i+len(begin)], begin) {
				return true
			}
		}
		return false
	}
	last := path[max(bytes.LastIndexByte(path, '/'), 0):]
	return len(last) >= len(begin) && equalFold(last[:len(begin)], begin)
}
