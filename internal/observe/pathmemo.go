package observe

import (
	"bytes"
	"hash/maphash"
	"strings"
)

// Paths of requests whose answer shows neither header nor body, as in a log,
// remembered by their bytes like header values: by length and a keyed hash. A
// path is kept the second time it comes, and only if nothing but its segments
// came of it: no recognised value, no attack pattern, no matrix parameter. The
// table only saves work.

type pathMemo [pathSlots]pathEntry

type pathEntry struct {
	hash     uint64
	len      int32
	kept     bool
	tokens   int32
	segments []Segment
}

const (
	pathSlots   = 4096
	maxPathMemo = 8 // segments
)

// recallPath reads the path p of the target, or takes over what it gave before.
func (o *Observer) recallPath(p []byte) {
	e, known := o.pathSlot()
	if known && e.kept {
		o.out.segments.buf = append(o.out.segments.buf, e.segments...)
		o.tokens += int(e.tokens)
		return
	}
	tokens, over := o.tokens, o.o.Overflow
	params, signatures, exposures := o.out.params.len(), o.out.signatures.len(), o.expo.n
	o.observePath(p)
	list := o.out.segments.open()
	if !known || o.o.Overflow != over || o.out.params.len() != params || o.out.signatures.len() != signatures || o.expo.n != exposures || len(list) > maxPathMemo {
		return
	}
	for i := range list {
		if list[i].Sensitive != 0 {
			return
		}
	}
	e.segments = append(e.segments[:0], list...)
	for i := range e.segments {
		e.segments[i].Text = strings.Clone(e.segments[i].Text)
	}
	e.tokens, e.kept = int32(o.tokens-tokens), true
}

// pathSlot gives the slot of the target's path, nil if it is not remembered, and
// whether the path came before.
func (o *Observer) pathSlot() (e *pathEntry, known bool) {
	x := o.x
	if len(x.Response.Header) > 0 || len(x.Response.Body) > 0 || len(x.Messages) > 0 || len(x.Target) == 0 || x.Target[0] != '/' {
		return nil, false
	}
	p := x.Target
	if i := bytes.IndexByte(p, '?'); i >= 0 {
		p = p[:i]
	}
	if len(p) > maxAgent || bytes.IndexByte(p, '#') >= 0 || bytes.IndexByte(p, ';') >= 0 {
		return nil, false
	}
	h := maphash.Bytes(o.seed, p)
	e = &o.paths[h%pathSlots]
	if e.hash == h && int(e.len) == len(p) {
		return e, true
	}
	*e = pathEntry{hash: h, len: int32(len(p)), segments: e.segments[:0]}
	return e, false
}
