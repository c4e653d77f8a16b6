package board

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/lab/score/rival"
)

// groupsOf counts exchanges by origin and by the reports that they are in.
func groupsOf(l *labels, in map[int32][]int) []Group {
	type key struct {
		attack, event int16
		in            string
	}
	groups := map[key]*Group{}
	for n := range l.attack {
		list := in[int32(n)]
		slices.Sort(list)
		list = slices.Compact(list) // an exchange of several observations
		k := key{attack: l.attack[n], event: l.event[n]}
		if len(list) > 0 {
			k.in = fmt.Sprint(list)
		}
		g := groups[k]
		if g == nil {
			g = &Group{Attack: int(l.attack[n]), Event: int(l.event[n]), In: list}
			groups[k] = g
		}
		g.N++
	}
	out := make([]Group, 0, len(groups))
	for _, g := range groups {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.Attack, b.Attack), cmp.Compare(a.Event, b.Event), slices.Compare(a.In, b.In))
	})
	return out
}

// clock notes when each attack is found: it asks the engine, at some of the
// attack's requests, whether this very request would be attributed if the
// traffic ended with it. It asks at the first ten and then each time that a
// tenth more have come, so what it notes is late by up to a tenth.
type clock struct {
	r     *Record
	l     *labels
	seen  []int // requests of an attack
	next  []int // look at this one
	got   []int // what the attack gained
	first []int64
	gang  []int // requests of a gang
	since []int64
	found []Found
}

func newClock(r *Record, l *labels) *clock {
	n := len(r.Attacks)
	c := &clock{r: r, l: l, seen: make([]int, n), next: make([]int, n), got: make([]int, n), first: make([]int64, n), gang: make([]int, len(r.Gangs)), since: make([]int64, len(r.Gangs)), found: make([]Found, n)}
	for i := range c.next {
		c.next[i] = 1
	}
	return c
}

// attackOf gives the number of an exchange's attack, 0 for none.
func (c *clock) attackOf(n int32) int {
	if n < 0 || int(n) >= len(c.l.attack) {
		return honest
	}
	return max(int(c.l.attack[n]), honest)
}

func (c *clock) due(id string) bool {
	n := number(id)
	a := c.attackOf(n)
	if a == honest {
		return false
	}
	g := c.r.Attacks[a].Gang
	if c.seen[a] == 0 {
		c.first[a] = c.l.end[n]
	}
	if c.gang[g] == 0 {
		c.since[g] = c.l.end[n]
	}
	c.seen[a]++
	c.gang[g]++
	c.got[a] += int(c.l.gained[n])
	if c.found[a].Probes > 0 || c.seen[a] < c.next[a] {
		return false
	}
	c.next[a] = max(c.seen[a]+1, c.seen[a]*11/10)
	return true
}

func (c *clock) look(id string, hits []engine.Hit) {
	if len(hits) == 0 {
		return
	}
	n := number(id)
	a := c.attackOf(n)
	g := c.r.Attacks[a].Gang
	c.found[a] = Found{Probes: c.seen[a], GangProbes: c.gang[g], After: time.Duration(c.l.end[n] - c.first[a]), GangAfter: time.Duration(c.l.end[n] - c.since[g]), Gained: c.got[a]}
}

// bucketView makes a view of overflows. Every one is a report by itself.
func bucketView(r *Record, l *labels, alerts []rival.Alert) View {
	v := View{Found: make([]Found, len(r.Attacks))}
	in := map[int32][]int{}
	at := map[int32]int64{}
	for i, a := range alerts {
		v.Reports = append(v.Reports, Reported{ID: fmt.Sprintf("%s-%d", a.Rule, i), Kind: a.Rule, Verdict: "likely", Score: 1, Campaign: i})
		for _, n := range a.Over {
			in[n] = append(in[n], i)
			if _, ok := at[n]; !ok {
				at[n] = max(a.At, l.end[n])
			}
		}
	}
	v.Groups = groupsOf(l, in)
	c := newClock(r, l)
	// The requests that filled a bucket are known when it overflows.
	when := make([]int64, len(r.Attacks))
	for n, t := range at {
		if a := c.attackOf(n); a != honest && (when[a] == 0 || t < when[a]) {
			when[a] = t
		}
	}
	for n := range l.attack {
		a := c.attackOf(int32(n))
		if a == honest {
			continue
		}
		g := r.Attacks[a].Gang
		if c.seen[a] == 0 {
			c.first[a] = l.end[n]
		}
		if c.gang[g] == 0 {
			c.since[g] = l.end[n]
		}
		c.seen[a]++
		c.gang[g]++
		c.got[a] += int(l.gained[n])
		if when[a] != 0 && l.end[n] >= when[a] && c.found[a].Probes == 0 {
			c.found[a] = Found{Probes: c.seen[a], GangProbes: c.gang[g], After: time.Duration(when[a] - c.first[a]), GangAfter: time.Duration(when[a] - c.since[g]), Gained: c.got[a]}
		}
	}
	v.Found = c.found
	return v
}
