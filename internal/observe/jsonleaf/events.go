package jsonleaf

// Other formats report their leaves by events: a reader of XML, MessagePack or
// tables calls Begin, then Object, Key, Array, Value and Close in the order of
// its document, and the visitor sees what it would see of the same data as
// JSON, with the same paths and path hashes. Events that do not fit together
// are ignored, so that a reader of damaged input need not keep its own stack.

// eventState is what events need beyond the frames of a walk.
type eventState struct {
	v    Visitor
	h    uint64               // path of the next value
	at   [MaxDepth + 1]uint64 // path of the container open at a depth
	keys []byte               // keys of the open objects, one behind the other
	deep int                  // containers open below MaxDepth
}

// Begin starts a document that is reported by events.
func (w *Walker) Begin(v Visitor) {
	w.depth, w.record, w.recDeep = 0, 0, 0
	w.Records, w.Documents, w.Leaves, w.Skipped, w.Style = 0, 0, 0, 0, 0
	w.stack[0] = frame{path: w.Seed}
	e := &w.events
	e.v, e.h, e.keys, e.deep = v, w.Seed, e.keys[:0], 0
	w.b = nil
}

// End closes what is open.
func (w *Walker) End() {
	w.events.deep = 0
	for w.depth > 0 {
		w.Close()
	}
	if f := &w.stack[0]; f.objects > 1 && f.objects > w.Records {
		w.Records = f.objects
	}
	w.b, w.events.v = nil, nil
	if cap(w.events.keys) > 1<<16 {
		w.events.keys = nil
	}
}

// Key names the next value of the open object.
func (w *Walker) Key(k []byte) { w.key2(k, false, VariableKey(k)) }

// Name is Key for a name that a schema gives, such as a field number: it is no
// value, whatever it looks like.
func (w *Walker) Name(k []byte) { w.key2(k, false, false) }

// Attribute is Key for an attribute of a markup element: its name is written
// with an "@" before it.
func (w *Walker) Attribute(k []byte) { w.key2(k, true, VariableKey(k)) }

func (w *Walker) key2(k []byte, attribute, variable bool) {
	e, f := &w.events, &w.stack[w.depth]
	if e.deep > 0 || f.kind != '{' {
		return
	}
	f.count++
	e.keys = e.keys[:f.keyBase]
	base := f.path
	if attribute {
		e.keys = append(e.keys, '@')
		base = mix(base^attributeMark, mixKey)
	}
	e.keys = append(e.keys, k...)
	w.b = e.keys
	f.keyStart, f.keyEnd, f.escaped, f.variable = f.keyBase, int32(len(e.keys)), false, variable
	if variable {
		e.h = mix(base^varMark, mixKey)
	} else {
		e.h = Hash(base, k)
	}
}

const attributeMark = 0x4040404040404040

// Object opens an object.
func (w *Walker) Object() { w.open('{') }

// Array opens an array.
func (w *Walker) Array() { w.open('[') }

func (w *Walker) open(kind byte) {
	e := &w.events
	if e.deep > 0 {
		e.deep++
		return
	}
	w.element()
	w.enter(kind)
	if w.depth == MaxDepth {
		w.Skipped++
		e.deep = 1
		return
	}
	w.depth++
	e.at[w.depth] = e.h
	w.stack[w.depth] = frame{kind: kind, path: e.h, keyBase: int32(len(e.keys))}
	if kind == '[' {
		e.h = mix(e.h^elemMark, mixKey)
		w.stack[w.depth].path = e.h
	}
}

// element begins a value: in an array it is the next element.
func (w *Walker) element() {
	if f := &w.stack[w.depth]; f.kind == '[' {
		f.count++
		w.events.h = f.path
	}
}

// Value reports a leaf.
func (w *Walker) Value(k Kind, value []byte) {
	if w.events.deep > 0 {
		return
	}
	w.element()
	w.leaf(k, value)
}

func (w *Walker) leaf(k Kind, value []byte) {
	w.Leaves++
	w.events.v.Leaf(w.events.h, k, value)
	if w.depth == 0 {
		w.document()
	}
}

func (w *Walker) document() {
	w.Documents++
	w.record = w.Documents
	w.events.h = w.Seed
}

// Close ends the innermost container.
func (w *Walker) Close() {
	e := &w.events
	if e.deep > 0 {
		e.deep--
		return
	}
	if w.depth == 0 {
		return
	}
	f := &w.stack[w.depth]
	if f.kind == '[' {
		w.Records = max(w.Records, f.objects)
		if w.recDeep == w.depth {
			w.recDeep = 0
			w.record = w.Documents
		}
	}
	empty, kind := f.count == 0, f.kind
	e.keys = e.keys[:f.keyBase]
	w.b = e.keys
	e.h = e.at[w.depth]
	w.depth--
	if empty {
		k := EmptyObject
		if kind == '[' {
			k = EmptyArray
		}
		w.leaf(k, nil)
	} else if w.depth == 0 {
		w.document()
	}
}

// Lines walks JSON lines: documents of which each stands on lines of its own.
// What breaks off is given up to the end of its line, and the next line begins
// anew. It returns the number of broken documents.
func (w *Walker) Lines(b []byte, v Visitor) (broken int) {
	if len(b) > 1<<31-1 {
		b = b[:1<<31-1]
	}
	w.b, w.depth, w.record, w.recDeep = b, 0, 0, 0
	w.Records, w.Documents, w.Leaves, w.Skipped, w.Style = 0, 0, 0, 0, 0
	w.stack[0] = frame{path: w.Seed}
	for i, _ := prefix(b); i < len(b); {
		for i < len(b) && (blank[b[i]] || b[i] == 0x1e || b[i] == ',') {
			i++
		}
		if i >= len(b) {
			break
		}
		n, complete := w.walk(i, v)
		if complete {
			break
		}
		if w.depth == 0 && n > i && n < len(b) && b[n] == ',' {
			i = n
			continue
		}
		broken++
		w.depth, w.recDeep = 0, 0
		w.Documents++
		w.record = w.Documents
		for i = n; i < len(b) && b[i] != '\n' && b[i] != 0x1e; i++ {
		}
	}
	w.b = nil
	return broken
}
