package arena

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"xiezhi/internal/taxonomy"
	"xiezhi/lab/arena/knob"
)

// Seats is how many campaigns a match of the board holds.
const Seats = 6

// Seeds are the first n seeds of a board.
func Seeds(n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = uint64(i + 1)
	}
	return out
}

// Matches makes the matches of a board, one a seed, with Seats campaigns each.
// Kinds and difficulties take turns, so that 72 campaigns, 12 seeds, hold every
// kind at every difficulty once. Which seeds are given decides nothing but the
// draw: the same list gives the same matches.
func Matches(seeds []uint64) []Match {
	out := make([]Match, 0, len(seeds))
	for i, seed := range seeds {
		out = append(out, match(seed, i))
	}
	return out
}

// turn gives the kind and difficulty of the n-th campaign of a board.
func turn(n int) (taxonomy.AttackKind, knob.Difficulty) {
	round := n / len(kinds)
	return kinds[n%len(kinds)], knob.Difficulties[(n+round)%len(knob.Difficulties)]
}

func match(seed uint64, i int) Match {
	r := rand.New(rand.NewPCG(seed, 0x6d61746368))
	m := Match{Seed: seed, Spec: Spec{Name: fmt.Sprintf("board-%03d", seed), Days: 4, Warm: 60, Sensor: SeesAll,
		Start: time.Date(2024, time.Month(3+r.IntN(3)), 1+r.IntN(25), 0, 0, 0, 0, Zone())}}
	switch i % 10 { // seven of ten sensors see everything
	case 3:
		m.Sensor = NoTLS
	case 6:
		m.Sensor = NoResponse
	case 9:
		m.Sensor = NoBodies
	}
	for k := range Seats {
		kind, hard := turn(i*Seats + k)
		c := Campaign{ID: fmt.Sprintf("m%d-gang-%d", seed, k+1), Difficulty: hard}
		c.Family, c.Knobs = Equip(r, hard, kind)
		c.Moves = []Move{{Kind: kind, Site: m.room(r, kind)}}
		m.Campaigns = append(m.Campaigns, c)
	}
	m.Visits = min(170, in(r, 400, 500)/float64(len(m.Sites)))
	for k := range m.Campaigns { // a plate is asked for wherever it may stand
		c := &m.Campaigns[k]
		if v := c.Moves[0]; v.Kind == taxonomy.AttackTargetedLookup && m.Sites[v.Site] == "parking" {
			for s, trade := range m.Sites {
				if trade == "parking" && s != v.Site {
					c.Moves = append(c.Moves, Move{Kind: v.Kind, Site: s})
				}
			}
		}
	}
	// One gang works over several applications where it can, and one that has
	// accounts or numbers goes on to use them.
	var single []int
	for k := range m.Campaigns {
		if len(m.Campaigns[k].Moves) == 1 {
			single = append(single, k)
		}
	}
	c := &m.Campaigns[one(r, single...)]
	for s, trade := range m.Sites {
		if v := c.Moves[0]; s != v.Site && fits(v.Kind, trade) && len(c.Moves) < 3 {
			c.Moves = append(c.Moves, Move{Kind: v.Kind, Site: s})
		}
	}
	c.Knobs.Budget = min(c.Knobs.Budget*len(c.Moves), 2000)
	for k := range m.Campaigns {
		c := &m.Campaigns[k]
		if next, ok := then[c.Moves[0].Kind]; ok && len(c.Moves) == 1 && fits(next, m.Sites[c.Moves[0].Site]) {
			c.Moves = append(c.Moves, Move{Kind: next, Site: c.Moves[0].Site})
			break
		}
	}
	m.events(r, i)
	return m
}

// then says what a gang does with what it got.
var then = map[taxonomy.AttackKind]taxonomy.AttackKind{
	taxonomy.AttackMassRegistration: taxonomy.AttackPromotionAbuse,
	taxonomy.AttackAccountScanning:  taxonomy.AttackCredentialStuffing,
}

// room finds the site for a kind: one that is there and has the fewest
// campaigns, or a new one.
func (m *Match) room(r *rand.Rand, kind taxonomy.AttackKind) int {
	load := make([]int, len(m.Sites))
	for _, c := range m.Campaigns {
		load[c.Moves[0].Site]++
	}
	if kind == taxonomy.AttackTargetedLookup && count(m.Sites, "parking") == 0 && r.IntN(3) > 0 {
		m.Sites = append(m.Sites, "parking")
		load = append(load, 0)
	}
	best := -1
	for s, trade := range m.Sites {
		if fits(kind, trade) && load[s] < 2 && (best < 0 || load[s] < load[best]) {
			best = s
		}
	}
	if best < 0 || len(m.Sites) < 3 && load[best] > 0 {
		free := slices.DeleteFunc(slices.Clone(fields[kind]), func(t string) bool { return slices.Contains(m.Sites, t) })
		if len(free) > 0 {
			m.Sites = append(m.Sites, one(r, free...))
			best = len(m.Sites) - 1
		}
	}
	if kind == taxonomy.AttackTargetedLookup { // one plate, many lots
		for len(m.Sites) < MaxSites-2 && count(m.Sites, "parking") < 4 && m.Sites[best] == "parking" {
			m.Sites = append(m.Sites, "parking")
		}
	}
	return best
}

func count(list []string, s string) (n int) {
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

// events draws three honest events: one in the warm-up, two while attacks run.
func (m *Match) events(r *rand.Rand, i int) {
	for k := range 3 {
		for try := range len(EventNames) {
			name := EventNames[(i*3+k+try*5)%len(EventNames)]
			var at []int
			for s, trade := range m.Sites {
				if happens(name, trade) {
					at = append(at, s)
				}
			}
			if len(at) == 0 || slices.ContainsFunc(m.Spec.Events, func(e Event) bool { return e.Name == name }) {
				continue
			}
			hour := 24 + 9 + r.IntN(11)
			if k > 0 {
				hour = 24*(2+k) + 9 + r.IntN(11)
			}
			m.Spec.Events = append(m.Spec.Events, Event{Name: name, Site: one(r, at...), At: min(hour, m.Days*24-3)})
			break
		}
	}
}

// Zone is the zone of matches: China's.
func Zone() *time.Location { return time.FixedZone("CST", 8*3600) }
