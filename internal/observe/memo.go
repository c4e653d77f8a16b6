package observe

import "hash/maphash"

// What the User-Agent, the Referer and the words of paths say, remembered by
// their bytes: in a log they are most of the work. Header values are told apart
// by length and a keyed hash of 64 bits with a key of the process, so that they
// are not kept in the clear and nobody can aim at a collision; words are
// compared byte by byte. The tables only save work.

type valueMemo [valueSlots]valueEntry

type valueEntry struct {
	hash  uint64
	len   int32
	kind  headKind // 0: empty slot
	tool  bool
	clear bool   // holds no attack pattern as the value of this header
	agent uint64 // User-Agent: its token
	text  string // User-Agent: family; Referer: host
}

const valueSlots = 2048

// memorable gives the slot of a header's value, nil for headers whose values
// are not remembered, and whether it holds this value.
func (o *Observer) memorable(kind headKind, v []byte) (e *valueEntry, known bool) {
	if kind != headReferer && (kind != headAgent || len(trimSpace(v)) == 0) || len(v) > maxAgent {
		return nil, false
	}
	h := maphash.Bytes(o.seed, v)
	e = &o.values[h%valueSlots]
	if e.kind == kind && e.hash == h && int(e.len) == len(v) {
		return e, true
	}
	*e = valueEntry{hash: h, len: int32(len(v)), kind: kind}
	return e, false
}

// recallValue takes over what a value said before.
func (o *Observer) recallValue(e *valueEntry) {
	switch e.kind {
	case headAgent:
		o.o.Agent, o.o.AgentFamily, o.o.AgentTool = e.agent, e.text, e.tool
	case headReferer:
		o.o.Referer = e.text
	}
}

// keepValue keeps what a value said.
func (o *Observer) keepValue(e *valueEntry) {
	switch e.kind {
	case headAgent:
		e.agent, e.text, e.tool = o.o.Agent, o.o.AgentFamily, o.o.AgentTool
	case headReferer:
		e.text = o.o.Referer
	}
}

// wordMemo remembers the segments that are words.
type wordMemo [wordSlots]Segment

const (
	wordSlots = 1024
	maxWord   = 64
)

// wordSlot gives the slot of a text, nil if it is too long to be remembered.
func (o *Observer) wordSlot(b []byte) *Segment {
	if len(b) == 0 || len(b) > maxWord {
		return nil
	}
	return &o.words[maphash.Bytes(o.seed, b)%wordSlots]
}
