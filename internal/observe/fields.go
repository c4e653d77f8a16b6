package observe

import (
	"xiezhi/internal/observe/form"
	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/sensitive"
)

// fieldTable remembers what the lexicons say about field names, by path hash.
// It only saves work: the hash is keyed, so nobody can aim at a collision, and
// the table is emptied between exchanges when it is half full. Within one
// exchange at most maxFields paths are told apart.
type fieldTable struct {
	index []uint32 // slot → position in list, +1
	list  []fieldEntry
	epoch uint64
	seen  int    // paths of this exchange
	last  uint32 // position of the entry found last, +1
}

type fieldEntry struct {
	field
	hash  uint64
	epoch uint64    // exchange that met the path last
	types uint16    // leaf types or places met in it
	bits  form.Bits // what was met in it, for the form
	at    uint32    // own position in list
	plain bool      // the name promises nothing of an answer but what a value may be
	next  uint32    // position of the entry that was asked for after it, +1
	memo  trust
	words bool // words that the field holds may be of a small set, and nobody's
}

const (
	fieldSlots = 1 << 16
	fieldFull  = 1 << 15
	maxFields  = 1 << 11
)

// begin starts an exchange.
func (t *fieldTable) begin() {
	t.epoch++
	t.seen, t.last = 0, 0
	if len(t.list) > fieldFull-maxFields {
		clear(t.index)
		clear(t.list)
		t.list = t.list[:0]
	}
}

// find returns the entry of a path, nil when the table does not know it. full
// says that the exchange has too many paths already.
func (t *fieldTable) find(hash uint64) (e *fieldEntry, full bool) {
	// records follow one another, and so do their fields
	if t.last != 0 {
		if p := t.list[t.last-1].next; p != 0 {
			if e = &t.list[p-1]; e.hash == hash && e.epoch == t.epoch {
				t.last = p
				return e, false
			}
		}
	}
	if t.index == nil {
		t.index = make([]uint32, fieldSlots)
	}
	for i := hash >> 48; ; i = (i + 1) % fieldSlots {
		p := t.index[i]
		if p == 0 {
			return nil, t.seen >= maxFields
		}
		e = &t.list[p-1]
		if e.hash != hash {
			continue
		}
		if e.epoch != t.epoch {
			if t.seen >= maxFields {
				return nil, true
			}
			t.seen++
			e.epoch, e.types, e.bits = t.epoch, 0, 0
		}
		t.follow(p)
		return e, false
	}
}

// follow notes that an entry was asked for after the last one.
func (t *fieldTable) follow(p uint32) {
	if t.last != 0 {
		t.list[t.last-1].next = p
	}
	t.last = p
}

// add enters a path that find did not know.
func (t *fieldTable) add(hash uint64, f field) *fieldEntry {
	i := hash >> 48
	for t.index[i] != 0 {
		i = (i + 1) % fieldSlots
	}
	t.list = append(t.list, fieldEntry{field: f, hash: hash, epoch: t.epoch, plain: f.plain(), words: f.wordy(), at: uint32(len(t.list))})
	t.index[i] = uint32(len(t.list))
	t.follow(uint32(len(t.list)))
	t.seen++
	return &t.list[len(t.list)-1]
}

// plain reports whether a leaf of an answer says nothing but what its value is.
func (f *field) plain() bool {
	return f.internal == 0 && f.code == 0 && f.message == 0 && f.verdict == 0 && f.traits&(traitIssued|traitPassword|traitRight|traitRole) == 0
}

// jsonField gives the field of the JSON leaf being reported; nil when the
// exchange has too many paths.
func (o *Observer) jsonField(hash uint64) *fieldEntry {
	e, full := o.fields.find(hash)
	if e != nil || full {
		return e
	}
	w := &o.walker
	o.clean = o.clean[:0]
	if o.request.prefix != "" {
		o.clean = append(append(o.clean, o.request.prefix...), '.')
	}
	o.clean = w.AppendPath(o.clean)
	name := o.fieldName(o.clean)
	o.nameBuf = w.AppendKey(o.nameBuf[:0])
	n := len(o.nameBuf)
	o.nameBuf = w.AppendParent(o.nameBuf)
	key, parent := string(o.nameBuf[:n]), string(o.nameBuf[n:])
	return o.fields.add(hash, o.describeField(name, key, parent))
}

// formField gives the field of a query or form parameter. It is one with the
// top-level JSON key of that name.
func (o *Observer) formField(name []byte) *fieldEntry {
	variable := jsonleaf.VariableKey(name)
	hash := jsonleaf.Hash(o.walker.Seed, name)
	if variable {
		hash = jsonleaf.Hash(o.walker.Seed, []byte("{}"))
	}
	e, full := o.fields.find(hash)
	if e != nil || full {
		return e
	}
	if variable {
		name = []byte("{}")
	}
	// user[phone] and user.phone are the field phone of user
	key, parent := string(name), ""
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '[' || name[i] == '.' {
			if inner := normalName(string(name[i+1:])); inner != "" {
				key, parent = string(name[i+1:]), string(name[:i])
				if key[len(key)-1] == ']' {
					key = key[:len(key)-1]
				}
			} else {
				key = string(name[:i])
				continue
			}
			break
		}
	}
	return o.fields.add(hash, o.cfg.Names.describe(o.fieldName(name), key, parent, 1, false))
}

// fieldName makes the kept name of a field: values that somebody used as a key
// are masked.
func (o *Observer) fieldName(b []byte) string {
	o.nameBuf = appendClean(o.nameBuf[:0], b)
	if o.hits = sensitive.Scan(o.nameBuf, o.hits[:0]); len(o.hits) > 0 {
		o.nameBuf = sensitive.Redact(o.nameBuf[:0], append([]byte(nil), o.nameBuf...))
		if len(o.nameBuf) > MaxText {
			o.nameBuf = o.nameBuf[:MaxText]
		}
	}
	return o.text.word(o.nameBuf)
}
