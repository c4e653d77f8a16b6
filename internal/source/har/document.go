package har

import (
	"bytes"

	"xiezhi/internal/taxonomy"
)

// documents walks {"log": {…, "entries": […]}}, one or several in a row, or in
// an object of a tool's own, {"…": {"log": …}}.
func (r *run) documents() error {
	found := false
	for {
		c, ok := r.in.peek()
		if !ok {
			if !found {
				r.drop(taxonomy.DropCorrupt, r.in.offset(), 0, "no log.entries found")
			}
			return nil
		}
		if c != '{' {
			r.drop(taxonomy.DropCorrupt, r.in.offset(), 0, "a HAR document is an object")
			return nil
		}
		log := func() (bool, error) {
			if c, _ := r.in.peek(); c != '{' {
				_, whole := r.in.value(false)
				return whole, nil
			}
			return r.object("entries", func() (bool, error) {
				if c, _ := r.in.peek(); c != '[' {
					_, whole := r.in.value(false)
					return whole, nil
				}
				found = true
				return r.entries()
			}, nil)
		}
		whole, err := r.object("log", log, func() (bool, error) { return r.object("log", log, nil) })
		if err != nil || !whole {
			return err
		}
	}
}

// object walks an object and calls member at the value of the member called
// name, and other, if any, at other objects. It returns false when the walk cannot go on, having said why.
func (r *run) object(name string, member, other func() (bool, error)) (bool, error) {
	r.in.pos++ // the brace
	for {
		c, ok := r.in.peek()
		switch {
		case !ok:
			r.cut()
			return false, nil
		case c == '}':
			r.in.pos++
			return true, nil
		case c == ',':
			r.in.pos++
			continue
		case c != '"':
			return r.broken()
		}
		key, whole := r.in.value(true)
		if !whole {
			r.cut()
			return false, nil
		}
		// The key's bytes are gone as soon as the stream moves on.
		wanted := len(key) == len(name)+2 && string(key[1:len(key)-1]) == name
		if c, ok = r.in.peek(); !ok {
			r.cut()
			return false, nil
		}
		if c != ':' {
			return r.broken()
		}
		r.in.pos++
		if _, ok = r.in.peek(); !ok {
			r.cut()
			return false, nil
		}
		visit := other
		if wanted {
			visit = member
		} else if c, _ = r.in.peek(); c != '{' {
			visit = nil
		}
		if visit != nil {
			if whole, err := visit(); err != nil || !whole {
				return false, err
			}
		} else if _, whole := r.in.value(false); !whole {
			r.cut()
			return false, nil
		}
	}
}

func (r *run) broken() (bool, error) {
	r.drop(taxonomy.DropCorrupt, r.in.offset(), 0, "the document's structure is broken")
	return false, nil
}

// cut notes an end between entries: nothing that began was lost.
func (r *run) cut() {
	r.note(taxonomy.DropTruncated, r.in.offset(), 0, "the document ends early")
}

// entries walks the array. Between entries it forgives anything: it counts
// the damage once and goes on at the next brace.
func (r *run) entries() (bool, error) {
	r.in.pos++ // the bracket
	comma, damaged := false, false
	for {
		c, ok := r.in.peek()
		if !ok {
			if comma {
				r.drop(taxonomy.DropTruncated, r.in.offset(), 0, "the document ends where an entry should begin")
			} else {
				r.cut()
			}
			return false, nil
		}
		switch c {
		case ',':
			comma = true
			r.in.pos++
			continue
		case ']':
			r.in.pos++
			return true, nil
		case '{':
			damaged = false
		default:
			if !damaged {
				damaged = true
				r.drop(taxonomy.DropCorrupt, r.in.offset(), 0, "an entry is an object")
			}
			r.in.skipTo("{]")
			continue
		}
		comma = false
		at := r.in.offset()
		raw, whole := r.in.value(true)
		switch {
		case !whole:
			r.drop(taxonomy.DropTruncated, at, 0, "the document ends within the entry")
			return false, nil
		case raw == nil:
			r.drop(taxonomy.DropOversize, at, 0, "the entry is larger than the limit")
		default:
			if err := r.entry(raw, at, 0, true); err != nil {
				return false, err
			}
		}
	}
}

// skipTo moves on to the first of the given bytes.
func (s *stream) skipTo(any string) {
	for {
		if i := bytes.IndexAny(s.buf[s.pos:s.n], any); i >= 0 {
			s.pos += i
			return
		}
		s.pos = s.n
		if !s.more() {
			return
		}
	}
}

// lines reads one entry per line.
func (r *run) lines() error {
	for n := int64(1); ; n++ {
		at := r.in.offset()
		raw, ended, ok := r.in.line()
		if !ok {
			return nil
		}
		if n == 1 {
			raw = bytes.TrimPrefix(raw, bom)
		}
		switch {
		case raw == nil:
			r.drop(taxonomy.DropOversize, at, n, "the line is larger than the limit")
		case len(bytes.TrimSpace(raw)) == 0:
		default:
			if err := r.entry(raw, at, n, ended); err != nil {
				return err
			}
		}
	}
}
