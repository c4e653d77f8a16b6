package attack

import (
	"cmp"
	"slices"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// Activity is what an attack did to one API on one day of the site. The rows
// of a finding add up to its Requests, Blocked and Succeeded.
type Activity struct {
	Day       string         // 2006-01-02
	API       catalog.Handle // 0 for requests of no API
	Requests  uint64
	Blocked   uint64
	Succeeded uint64
}

// counts are the counters of a tally that activity is told in. They add up.
type counts struct{ n, blocked, succ, exists, told, obj, miss uint32 }

func (t *tally) counts() counts {
	return counts{t.n, t.blocked, t.succ, t.exists, t.told, t.obj, t.miss}
}

func (c *counts) add(o counts) {
	c.n += o.n
	c.blocked += o.blocked
	c.succ += o.succ
	c.exists += o.exists
	c.told += o.told
	c.obj += o.obj
	c.miss += o.miss
}

func (c *counts) sub(o counts) {
	c.n -= o.n
	c.blocked -= o.blocked
	c.succ -= o.succ
	c.exists -= o.exists
	c.told -= o.told
	c.obj -= o.obj
	c.miss -= o.miss
}

// succeeded counts what the attacker got, in the unit of the kind, in a part
// of an attack; the whole decides what an answer means.
func succeeded(kind taxonomy.AttackKind, whole *tally, part counts) uint64 {
	switch kind {
	case taxonomy.AttackAccountScanning:
		if whole.absent == 0 {
			return uint64(part.exists) // who never says no says nothing
		}
		return uint64(part.exists + part.told)
	case taxonomy.AttackScraping, taxonomy.AttackBOLAExploitation, taxonomy.AttackBot:
		if whole.obj == 0 {
			return uint64(part.succ)
		}
		return uint64(part.obj - min(part.miss, part.obj))
	}
	return uint64(part.succ)
}

// A calendar numbers the days of the site's time zone. Events come in order,
// so the day of the last one is nearly always the day of the next.
type calendar struct {
	zone     *time.Location
	from, to int64
	day      int32
}

// of gives the civil day of a moment as days since 1970-01-01.
func (c *calendar) of(now int64) int32 {
	if now >= c.from && now < c.to {
		return c.day
	}
	y, m, d := time.Unix(0, now).In(c.zone).Date()
	c.day = int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	c.from = time.Date(y, m, d, 0, 0, 0, 0, c.zone).UnixNano()
	c.to = time.Date(y, m, d+1, 0, 0, 0, 0, c.zone).UnixNano()
	if now < c.from || now >= c.to { // midnight does not exist that day
		c.from, c.to = now, now+1
	}
	return c.day
}

func civil(day int32) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }

// A row is the part of a cell's counts that fell on one day and, in an actor,
// on one API. What no row holds belongs to the cell's own API on its last day.
type row struct {
	day int32
	api int32 // index of the API; of actors only
	counts
}

const rowBytes = 36

// rowSizes are the sizes in which a cell's rows grow; the largest is the cap.
var rowSizes = []int{2, 8, 32, 128}

// enter adds counts to a cell's row. Without room they stay in what no row
// holds, and that is counted.
func (e *Engine) enter(c *cell, day, api int32, n counts) {
	for i := len(c.rows) - 1; i >= 0; i-- {
		if r := &c.rows[i]; r.day == day && r.api == api {
			r.add(n)
			return
		}
	}
	c.rows, _ = e.rows.push(c.rows, row{day, api, n})
}

// rest is what of a cell no row holds.
func (c *cell) rest() counts {
	n := c.counts()
	for i := range c.rows {
		n.sub(c.rows[i].counts)
	}
	return n
}

// turn moves a cell on to another day.
func (e *Engine) turn(c *cell, day int32) {
	if n := c.rest(); n.n > 0 {
		e.enter(c, c.day, 0, n)
	}
	c.day = day
}

// inherit takes over the rows of a cell that is folded into this one, counters
// and all.
func (e *Engine) inherit(into, from *cell) {
	for i := range from.rows {
		e.enter(into, from.rows[i].day, from.rows[i].api, from.rows[i].counts)
	}
	if n := from.rest(); n.n > 0 {
		e.enter(into, from.day, 0, n)
	}
}

// handle names an API by index, following merges.
func (e *Engine) handle(api int32) catalog.Handle {
	for e.apis[api].into != 0 {
		api = e.apis[api].into
	}
	return e.apis[api].handle
}

// A ledger holds the activity of an episode: at most maxRows rows. Beyond that
// what is new joins the first row of its month and API, else of its month.
type ledger struct {
	rows   map[entry]counts
	months map[entry]int32 // (month, API) → first day of it with a row
	oldest entry
}

type entry struct {
	day int32
	api catalog.Handle
}

const maxRows = 2048

func month(day int32) int32 {
	t := civil(day)
	return int32(t.Year()*12 + int(t.Month()))
}

// add adds counts and reports whether they have a row of their own.
func (l *ledger) add(at entry, n counts) bool {
	if l.rows == nil {
		l.rows, l.months, l.oldest = make(map[entry]counts), make(map[entry]int32), at
	}
	have, ok := l.rows[at]
	exact := ok || len(l.rows) < maxRows
	if !exact {
		m := month(at.day)
		if d, ok := l.months[entry{m, at.api}]; ok {
			at.day = d
		} else if d, ok := l.months[entry{m, 0}]; ok {
			at = entry{d, 0}
		} else if at.api = 0; len(l.rows) >= maxRows+maxRows/8 {
			at = l.oldest
		}
		have = l.rows[at]
	}
	have.add(n)
	l.rows[at] = have
	k := entry{month(at.day), at.api}
	if d, ok := l.months[k]; !ok || at.day < d {
		l.months[k] = at.day
	}
	return exact
}

func (l *ledger) fold(o *ledger) (lost uint64) {
	for _, k := range o.sorted() {
		if !l.add(k, o.rows[k]) {
			lost++
		}
	}
	return lost
}

// cell adds what a cell did.
func (l *ledger) cell(e *Engine, c *cell) (lost uint64) {
	add := func(day, api int32, n counts) {
		if c.api != 0 {
			api = c.api
		}
		if n.n > 0 && !l.add(entry{day, e.handle(api)}, n) {
			lost++
		}
	}
	for i := range c.rows {
		add(c.rows[i].day, c.rows[i].api, c.rows[i].counts)
	}
	add(c.day, 0, c.rest())
	return lost
}

// rename follows an API merge.
func (l *ledger) rename(from, into catalog.Handle) {
	moved := false
	for k := range l.rows {
		moved = moved || k.api == from
	}
	if !moved {
		return
	}
	old := *l
	*l = ledger{}
	for _, k := range old.sorted() {
		n := old.rows[k]
		if k.api == from {
			k.api = into
		}
		l.add(k, n)
	}
}

func (l *ledger) sorted() []entry {
	out := make([]entry, 0, len(l.rows))
	for k := range l.rows {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.api, b.api))
	})
	return out
}

// activity gives an episode's rows, by day and API.
func (e *Engine) activity(ep *episode, whole *tally) []Activity {
	var l ledger
	l.fold(&ep.done)
	for _, m := range ep.live {
		if c := e.cells.at(m.at); c.gen == m.gen && c.n > 0 && e.guilty(ep, c) {
			l.cell(e, c)
		}
	}
	var out []Activity
	for _, k := range l.sorted() {
		n := l.rows[k]
		out = append(out, Activity{Day: civil(k.day).Format(time.DateOnly), API: k.api,
			Requests: uint64(n.n), Blocked: uint64(n.blocked), Succeeded: succeeded(ep.kind, whole, n)})
	}
	return out
}
