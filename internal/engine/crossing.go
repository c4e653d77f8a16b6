package engine

import "xiezhi/internal/attack"

// crossEvery is how often, in event time, the sites' judges are asked what was
// looked up at them, and told what crosses sites.
const crossEvery = int64(300e9)

// cross joins the lookups of all sites as of a moment of event time; all ends
// what is left.
func (b *bench) cross(now int64, all bool) {
	told := make(map[string][]attack.Lookup)
	for _, name := range b.order {
		if l := b.judges[name].Lookups(now, all); len(l) > 0 {
			told[name] = l
		}
	}
	b.crossings.Put(told)
	// Sites tell what is older than their grace.
	for name, list := range b.crossings.Ripe(now-attack.LookGrace, all) {
		b.judges[name].Cross(list)
	}
}

// crossAt asks the judges when event time has come to the next round.
func (b *bench) crossAt(now int64) {
	if len(b.order) < 2 || now < b.nextCross {
		return
	}
	b.nextCross = now - now%crossEvery + crossEvery
	b.cross(now-now%crossEvery, false)
}
