package pcap

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

// maxOpen bounds the files read at the same time: those whose time spans
// overlap.
const maxOpen = 256

// ErrTooManyOpen says that more files overlap in time than can be merged.
var ErrTooManyOpen = fmt.Errorf("more than %d captures overlap in time; merge some of them first", maxOpen)

// cursor is one open file and its packet in hand.
type cursor struct {
	name  string
	first int64 // time of the first packet
	rank  int
	in    Input
	rc    io.ReadCloser
	r     reader
	p     packet
}

// merge gives the packets of several files in the order of time. Files are
// opened when their time comes.
type merge struct {
	keys    *wire.Keys
	ledger  *source.Ledger
	count   func(int64)
	window  int
	waiting []*cursor // by first packet, latest first
	open    []*cursor // heap by packet in hand
	stale   bool      // the packet of open[0] has been given out
	failed  int
}

// newMerge looks at the first packet of each input, and at all of those that
// may hold secrets.
func newMerge(inputs []Input, keys *wire.Keys, ledger *source.Ledger, count func(int64)) *merge {
	m := &merge{keys: keys, ledger: ledger, count: count, window: windowSize}
	if len(inputs) > 8 {
		m.window = smallWindow
	}
	for _, in := range inputs {
		c := &cursor{name: in.Name, in: in}
		if !in.Stream {
			m.gather(in)
		}
		if len(inputs) > 1 && !in.Stream {
			// Look at the first packet only; reading proper comes later.
			quiet := &merge{keys: keys, ledger: ledger, window: smallWindow, count: func(int64) {}}
			if !quiet.start(c) {
				m.failed += quiet.failed
				continue
			}
			c.first = c.p.ts
			c.close()
		} else {
			if !m.start(c) {
				continue
			}
			c.first = c.p.ts
		}
		m.waiting = append(m.waiting, c)
	}
	slices.SortStableFunc(m.waiting, func(a, b *cursor) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.name, b.name))
	})
	for i, c := range m.waiting {
		c.rank = i
	}
	slices.Reverse(m.waiting)
	return m
}

// start opens a file and reads its first packet; false when there is none.
func (m *merge) start(c *cursor) bool {
	rc, err := c.in.Open()
	if err != nil {
		m.failed++
		m.ledger.Note(source.Problem{File: c.name, Reason: taxonomy.DropCorrupt, Text: "the file cannot be opened"})
		return false
	}
	c.rc = rc
	w := newWindow(rc, m.window, m.count)
	if c.r, err = newReader(w); err != nil {
		var d *damage
		if errors.As(err, &d) && d.reason == taxonomy.DropCorrupt {
			m.failed++
		}
		m.stopped(c, err, true)
		return false
	}
	if g, ok := c.r.(*nextGen); ok {
		g.keys = m.keys
	}
	if err := m.read(c); err != nil {
		m.stopped(c, err, true)
		return false
	}
	return true
}

// gather takes the secrets out of a file. What is wrong with it is told when
// its packets are read.
func (m *merge) gather(in Input) {
	rc, err := in.Open()
	if err != nil {
		return
	}
	defer rc.Close()
	r, err := newReader(newWindow(rc, m.window, nil))
	if g, ok := r.(*nextGen); ok && err == nil {
		g.keys = m.keys
		g.gather()
	}
}

// secretsMayFollow reports whether an input is read only once and may hold
// secrets behind the packets that need them.
func (m *merge) secretsMayFollow() bool {
	return slices.ContainsFunc(m.waiting, func(c *cursor) bool {
		_, ng := c.r.(*nextGen)
		return ng && c.in.Stream
	})
}

// read takes the next packet. A damaged record is a counted drop, after which
// reading goes on where records make sense again.
func (m *merge) read(c *cursor) error {
	err := c.r.read(&c.p)
	for err != nil {
		var d *damage
		if !errors.As(err, &d) || d.reason != taxonomy.DropCorrupt {
			return err
		}
		r, ok := c.r.(resumer)
		if !ok || !r.resume() {
			return err
		}
		m.drop(c, d)
		err = c.r.read(&c.p)
	}
	return nil
}

func (m *merge) drop(c *cursor, d *damage) {
	m.ledger.DropAt(source.Problem{File: c.name, Offset: d.offset, Reason: d.reason, Text: d.text})
}

// stopped closes a file at its end, and says so when that came too early.
func (m *merge) stopped(c *cursor, err error, empty bool) {
	c.close()
	var d *damage
	switch {
	case errors.As(err, &d):
		m.drop(c, d)
	case empty:
		m.ledger.Note(source.Problem{File: c.name, Text: "the capture holds no packets"})
	}
}

func (c *cursor) close() {
	if c.rc != nil {
		c.rc.Close()
		c.rc, c.r = nil, nil
	}
}

// next returns the earliest packet of all files, valid until the next call;
// nil at the end.
func (m *merge) next() (*packet, error) {
	if m.stale {
		m.stale = false
		c := m.open[0]
		if err := m.read(c); err != nil {
			m.stopped(c, err, false)
			last := len(m.open) - 1
			m.open[0] = m.open[last]
			m.open = m.open[:last]
		}
		if len(m.open) > 1 {
			m.down()
		}
	}
	for n := len(m.waiting); n > 0; n = len(m.waiting) {
		c := m.waiting[n-1]
		if len(m.open) > 0 && m.open[0].p.ts < c.first {
			break
		}
		m.waiting = m.waiting[:n-1]
		if len(m.open) >= maxOpen {
			return nil, ErrTooManyOpen
		}
		if c.rc == nil && !m.start(c) {
			continue
		}
		m.open = append(m.open, c)
		m.up()
	}
	if len(m.open) == 0 {
		return nil, nil
	}
	m.stale = true
	return &m.open[0].p, nil
}

func (m *merge) close() {
	for _, c := range m.open {
		c.close()
	}
	for _, c := range m.waiting {
		c.close()
	}
}

func (m *merge) less(i, j int) bool {
	a, b := m.open[i], m.open[j]
	return a.p.ts < b.p.ts || a.p.ts == b.p.ts && a.rank < b.rank
}

func (m *merge) up() {
	for i := len(m.open) - 1; i > 0; {
		up := (i - 1) / 2
		if !m.less(i, up) {
			return
		}
		m.open[i], m.open[up] = m.open[up], m.open[i]
		i = up
	}
}

func (m *merge) down() {
	for i := 0; ; {
		k := 2*i + 1
		if k >= len(m.open) {
			return
		}
		if k+1 < len(m.open) && m.less(k+1, k) {
			k++
		}
		if !m.less(k, i) {
			return
		}
		m.open[i], m.open[k] = m.open[k], m.open[i]
		i = k
	}
}
