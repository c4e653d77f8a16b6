package campaign

import (
	"cmp"
	"slices"

	"xiezhi/internal/attack"
)

// Crossings joins what sites tell of the people looked up at them: one number
// asked about at several sites within minutes, by who makes no use of any
// answer, is somebody being looked for. Sites tell tokens, and learn no more
// than which of their own questions were part of it. It is fed in order of
// time and not safe for concurrent use; the same lookups give the same
// crossings however they are cut into lists.
type Crossings struct {
	queue  []sought // in order of time
	byWhom map[uint64][]int64
	base   int64 // number of queue[0]
	groups map[uint64]*seekers
	paid   map[uint64]int64 // when an answer about a subject was last made use of
	lost   uint64
}

type sought struct {
	site   string
	l      attack.Lookup
	sites  int // at which the subject was found to be sought, 0 none
	group  uint64
	silent bool // told already
}

// seekers are a client, or all that have none in common, with the subjects
// that they look for across sites.
type seekers struct {
	subjects map[uint64]int64 // last time
}

const (
	crossWindow   = int64(600e9)
	crossSites    = 3
	crossPopular  = 64 // lookups of one subject in a window, of which no one is looked for
	maxSought     = 1 << 16
	maxSeekers    = 1024
	maxSubjects   = 4096
	subjectMemory = int64(86400e9)
)

// NewCrossings gives a joiner that has seen nothing.
func NewCrossings() *Crossings {
	return &Crossings{byWhom: make(map[uint64][]int64), groups: make(map[uint64]*seekers), paid: make(map[uint64]int64)}
}

// Lost counts the lookups that found no room.
func (c *Crossings) Lost() uint64 { return c.lost }

// Put takes what sites tell; told holds one list for each site.
func (c *Crossings) Put(told map[string][]attack.Lookup) {
	var list []sought
	for site, ls := range told {
		for _, l := range ls {
			list = append(list, sought{site: site, l: l})
		}
	}
	slices.SortFunc(list, func(a, b sought) int {
		return cmp.Or(cmp.Compare(a.l.Time, b.l.Time), cmp.Compare(a.site, b.site), cmp.Compare(a.l.Subject, b.l.Subject), cmp.Compare(a.l.Client, b.l.Client))
	})
	for _, s := range list {
		if len(c.queue) >= maxSought {
			c.lost++
			continue
		}
		n := c.base + int64(len(c.queue))
		// What a site judged before its time may be older than what is there.
		c.queue = append(c.queue, s)
		c.byWhom[s.l.Subject] = append(c.byWhom[s.l.Subject], n)
	}
}

// Ripe gives, by site, the lookups known by then to cross sites: those whose
// whole window has been told. All ends what is left.
func (c *Crossings) Ripe(now int64, all bool) map[string][]attack.Crossing {
	var out map[string][]attack.Crossing
	for len(c.queue) > 0 && (all || c.queue[0].l.Time+crossWindow <= now) {
		c.look()
		s := &c.queue[0]
		if s.sites > 0 {
			if out == nil {
				out = make(map[string][]attack.Crossing)
			}
			out[s.site] = append(out[s.site], attack.Crossing{Lookup: s.l, Group: s.group, Sites: s.sites, Subjects: len(c.groups[s.group].subjects)})
		}
		of := c.byWhom[s.l.Subject]
		if of = slices.DeleteFunc(of, func(n int64) bool { return n == c.base }); len(of) == 0 {
			delete(c.byWhom, s.l.Subject)
		} else {
			c.byWhom[s.l.Subject] = of
		}
		*s = sought{}
		c.queue = c.queue[1:]
		c.base++
	}
	return out
}

// look judges the window that the oldest lookup opens.
func (c *Crossings) look() {
	first := c.queue[0].l
	if first.Used {
		c.pay(first)
		return
	}
	if at, ok := c.paid[first.Subject]; ok && first.Time <= at+crossWindow {
		return
	}
	of := c.byWhom[first.Subject]
	if len(of) < crossSites || len(of) > crossPopular {
		return
	}
	var in []*sought
	sites := make(map[string]bool, 8)
	client := first.Client
	for _, n := range of {
		s := &c.queue[n-c.base]
		if s.l.Time > first.Time+crossWindow {
			continue
		}
		if s.l.Used {
			return // who pays at one of the lots has looked for his own car
		}
		in = append(in, s)
		sites[s.site] = true
		if s.l.Client != client {
			client = 0
		}
	}
	if len(sites) < crossSites {
		return
	}
	g := c.groups[client]
	if g == nil {
		if len(c.groups) >= maxSeekers {
			c.evict()
		}
		g = &seekers{subjects: make(map[uint64]int64)}
		c.groups[client] = g
	}
	for subject, last := range g.subjects {
		if last+subjectMemory < first.Time {
			delete(g.subjects, subject)
		}
	}
	if _, known := g.subjects[first.Subject]; known || len(g.subjects) < maxSubjects {
		g.subjects[first.Subject] = first.Time
	}
	for _, s := range in {
		if len(sites) > s.sites {
			s.sites, s.group = len(sites), client
		}
	}
}

// pay remembers who paid at one of the lots: he has looked for his own car,
// whichever lot he asked first.
func (c *Crossings) pay(l attack.Lookup) {
	if len(c.paid) >= maxSought {
		for subject, at := range c.paid { // what is deleted does not depend on the order
			if at+crossWindow < l.Time {
				delete(c.paid, subject)
			}
		}
	}
	if len(c.paid) < maxSought {
		c.paid[l.Subject] = l.Time
	} else {
		c.lost++
	}
}

// evict forgets the seekers who were silent for longest.
func (c *Crossings) evict() {
	var who uint64
	oldest := int64(1<<63 - 1)
	for client, g := range c.groups {
		last := int64(0)
		for _, t := range g.subjects {
			last = max(last, t)
		}
		if last < oldest || last == oldest && client < who {
			who, oldest = client, last
		}
	}
	delete(c.groups, who)
	c.lost++
}
