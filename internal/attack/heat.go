package attack

// heat notices early that one key stands out among the requests of a unit that
// look like abuse, so that the unit is judged then and not when half of it has
// come anew: a gang's fiftieth request must not wait for a crowd's thousandth.
//
// Counted by key of the wide scopes, in slots that keys may share, are all
// requests and those that look like abuse. An epoch is an hour of at least
// heatLeast requests; what share of the requests a slot had in the epochs
// before is its usual one, halved in weight every third epoch. A slot is hot
// when its share of what looks like abuse is heatLift times that; in the first
// epoch none is. Slots that are shared only cost judgements and accuse nobody.
type heat struct {
	all, marks [heatSlots]uint16
	level      [heatSlots]uint8
	usual      [heatSlots]float32
	n, m       uint32
	since      int64
	epochs     uint32
}

const (
	heatSlots = 1024
	heatLeast = 256
	heatEpoch = int64(3600e9)
	heatLift  = 3
	heatDecay = 0.2
	heatUnits = 1024 // units that may have one
	heatFirst = 16   // requests of a slot that are worth the first look
)

// milestones are the counts at which a hot slot is looked at.
// All are within what a slot counts to.
var milestones = func() (m [24]uint16) {
	x := float64(heatFirst)
	for i := range m {
		m[i] = uint16(x)
		x *= 1.4
	}
	return m
}()

// see counts a request of a cell and reports whether that is reason to judge.
func (h *heat) see(c *cell, marked bool, now int64) bool {
	if c.accused {
		return false // no news
	}
	if now-h.since > heatEpoch && h.n >= heatLeast {
		h.turn(now)
	}
	h.n++
	if marked {
		h.m++
	}
	hot := false
	hot = h.slot(c.net, 1, marked) || hot
	hot = h.slot(c.agent, 2, marked) || hot
	hot = h.slot(c.cohort, 3, marked) || hot
	hot = h.slot(c.shape, 4, marked) || hot
	if c.cohort != 0 && c.shape != 0 {
		hot = h.slot(c.cohort^c.shape*0x9e3779b97f4a7c15, 5, marked) || hot
	}
	return hot
}

func (h *heat) slot(key, kind uint64, marked bool) bool {
	if key == 0 {
		return false
	}
	i := (key + kind) * 0x9e3779b97f4a7c15 >> 54
	if h.all[i] < 65535 {
		h.all[i]++
	}
	if !marked {
		return false
	}
	if h.marks[i] < 65535 {
		h.marks[i]++
	}
	if h.epochs == 0 {
		return false // nothing is usual yet
	}
	if int(h.level[i]) == len(milestones) || h.marks[i] < milestones[h.level[i]] || float32(h.marks[i]) < heatLift*h.usual[i]*float32(h.m) {
		return false
	}
	h.level[i]++
	return true
}

// turn begins the next epoch.
func (h *heat) turn(now int64) {
	weight := float32(heatDecay)
	if h.epochs == 0 {
		weight = 1
	}
	for i := range h.all {
		h.usual[i] += weight * (float32(h.all[i])/float32(h.n) - h.usual[i])
	}
	h.all, h.marks, h.level = [heatSlots]uint16{}, [heatSlots]uint16{}, [heatSlots]uint8{}
	h.n, h.m, h.since = 0, 0, now
	h.epochs++
}

// heated counts a request in the heat of a unit and judges the unit when that
// is due. A look passes over all cells of a window, so only windows are looked
// at that the events since the last look pay for.
func (e *Engine) heated(u *unit, c *cell, marked bool) {
	if u.heat == nil {
		if !marked || e.hot >= heatUnits {
			return
		}
		e.hot++
		u.heat = &heat{since: e.now}
	}
	u.events++
	if u.heat.see(c, marked, e.now) {
		u.wanted = true
	}
	// The shortest window is the cheapest. Where few ask, half of a window comes
	// anew soon enough, and who began an attack is told better with more of it.
	if u.wanted && u.watch && u.busy() && u.affords(0) {
		e.judge(e.book, u, lookHot)
	}
}

// heatPay is how many cells of a look one event pays for.
const heatPay = 8

// busy reports whether many ask within a window.
func (u *unit) busy() bool {
	for w := range u.schedule {
		if u.schedule[w].size >= manyAskers {
			return true
		}
	}
	return false
}

// affords reports whether there have been events enough since the last look to
// pay for one at a window.
func (u *unit) affords(window int) bool {
	return int(u.events)*heatPay >= u.schedule[window].size
}

// warm reports whether the heat knows what is usual.
func (h *heat) warm() bool { return h != nil && h.epochs > 0 }
