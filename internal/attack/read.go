package attack

import "xiezhi/internal/taxonomy"

// Reading what is not one's own: enumeration of objects (scraping) and the use
// of missing object checks (BOLA exploitation).

const (
	objectsCold  = 100 // objects before an asker without peers stands out
	objectsWide  = 50
	objectsTimes = 5 // … times what peers read

	readCrowd  = 10  // cells of a wide scope
	readPurity = 0.9 // share of them that must look guilty
)

// likeRead: reads objects, mostly not its own.
func likeRead(s *scene, c *cell, strict bool) bool {
	if c.obj == 0 || c.own*2 > c.obj {
		return false
	}
	if strict {
		// Somebody who does many other things here is a user.
		if c.whole > 2*c.n && c.foreign < 5 {
			return false // what the actor did by then is enough to know
		}
		a := s.actorOf(c)
		return a != nil && (a.n <= 2*c.n || c.foreign >= 5)
	}
	return true
}

func weighRead(s *scene, sc *scope) *fusion {
	t := &sc.sum
	read := t.count(setObjects)
	asked := read + float64(t.miss)
	if asked < 5 {
		return nil
	}
	if !sc.kind.wide() && s.ordinary(asked, float64(t.foreign)) {
		return nil
	}
	p := s.peersOf(sc)
	if f := s.weighForeign(sc, read, &p); f != nil {
		return f
	}
	return s.weighScrape(sc, read, &p)
}

// weighForeign weighs the reading of other people's objects where others read
// their own.
func (s *scene) weighForeign(sc *scope, read float64, p *peers) *fusion {
	t := &sc.sum
	foreign := float64(t.foreign)
	if foreign < 5 || t.own > t.foreign || read < 5 {
		return nil
	}
	owners := max(t.count(setOwners), 1)
	known := p.known >= 3
	if known {
		s.sumShares(p)
	}
	switch {
	case known && (p.foreignShare > 0.3 || foreign < max(5, 3*p.foreign)):
		return nil // others read it too: it is public
	case !known && (foreign < 20 || owners < 3):
		return nil
	}
	f := &fusion{kind: taxonomy.AttackBOLAExploitation}
	if sc.kind.wide() && !s.weighReaders(f, sc, s.looksGuilty) {
		return nil
	}
	if known {
		f.say(taxonomy.FamilyOutcome, ramp(foreign, 5, 4, 20, 6), "foreign", int(foreign), round2(p.foreign))
	} else {
		f.say(taxonomy.FamilyOutcome, ramp(foreign, 20, 3, 100, 5), "foreign", int(foreign), nil)
	}
	f.say(taxonomy.FamilySet, ramp(owners, 3, 1.5, 30, 3), "owners", int(owners), 1)
	f.say(taxonomy.FamilySet, ramp(read, 5, 1, 60, 3), "objects", int(read), round2(p.objects))
	s.walk(f, sc, read, p)
	s.skips(f, sc)
	s.timing(f, sc)
	s.protocol(f, sc)
	return f
}

// weighScrape weighs the volume and order of reading against peers, or on its
// own when there are none.
func (s *scene) weighScrape(sc *scope, read float64, p *peers) *fusion {
	t := &sc.sum
	if t.own*3 > t.obj || t.succ*10 < t.n && t.enum*2 < t.obj {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackScraping}
	asked := min(read+float64(t.miss), float64(t.obj))
	fresh := 1 - min(read/float64(max(t.obj-min(t.miss, t.obj), 1)), 1) // revisits
	density := 0.0
	if b := t.count(setBlocks); b > 0 {
		density = asked / (b * 64)
	}
	dense := density >= 0.5 && asked >= 64
	ordered := dense || float64(t.steps) >= asked/2 || t.climbs(asked)
	guessing := t.miss >= 5 && t.miss*20 >= t.obj
	rate := float64(t.n) / max(t.seconds(), 1)
	people := t.count(setExposed)
	switch {
	case s.crawler(sc) && t.level == 0 && t.miss*3 < t.obj:
		return nil // a declared crawler on public pages, some of them gone
	case guessing || t.foreign*2 > t.obj:
	case t.signed*2 > t.n:
		return nil // an integration reads what it was given
	case sc.kind == scopeAddress && sc.agents >= 4 && !ordered:
		return nil // many clients behind one address: a proxy or a cache
	}
	switch {
	case sc.kind.wide():
		if asked < objectsWide || fresh > 0.1 || !(density >= 0.4 && asked >= 64 || t.foreign*2 > t.obj || t.miss*5 > t.obj || s.drones(sc, asked)) {
			return nil
		}
		guilty := s.looksGuilty
		if s.drones(sc, asked) {
			guilty = func(i int32) bool { return s.hard[i] && s.cell(i).tool > 0 }
		}
		if !s.weighReaders(f, sc, guilty) {
			return nil
		}
	case p.count >= 3:
		if asked < max(30, objectsTimes*max(p.objects, 3)) {
			return nil
		}
	default:
		if asked < objectsCold || !(float64(t.steps) >= asked/2 || t.climbs(asked) || guessing || rate >= 1 && people >= 20 && t.unissued*2 > t.obj) {
			return nil
		}
	}
	times, known := s.exceeds(sc, asked, p)
	switch {
	case known && asked >= objectsCold && !sc.kind.wide():
		// How many, and how many more than anybody else, are two things: the
		// first is the attack's doing, the second says that nobody else does it.
		f.say(taxonomy.FamilySet, ramp(asked, objectsWide, 2.5, 500, 4.5), "objects", int(asked), round2(asked/max(times, 1)))
		f.say(taxonomy.FamilyHerd, ramp(times, objectsTimes, 2, 30, 4), "peers", round2(times), 1)
	case p.count >= 3:
		f.say(taxonomy.FamilySet, ramp(asked/max(p.objects, 1), objectsTimes, 3, 25, 5), "objects", int(asked), round2(p.objects))
	default:
		f.say(taxonomy.FamilySet, ramp(asked, objectsWide, 2.5, 500, 4.5), "objects", int(asked), nil)
	}
	if dense {
		f.say(taxonomy.FamilySet, 2, "density", min(round2(density), 1), 0.05)
	}
	harmless := t.level == 0 && t.foreign == 0 && !guessing
	switch {
	case people >= 20:
		f.say(taxonomy.FamilyOutcome, ramp(people, 20, 2, 300, 4.5), "people", int(people), nil)
	case harmless && t.unissued*10 < t.obj && t.sets[setCreds] != nil:
		// A signed-in asker follows links to harmless things.
		f.say(taxonomy.FamilySequence, -3, "follows", nil, nil)
	case harmless && !ordered && !sc.kind.wide() && rate < 0.3:
		f.say(taxonomy.FamilySequence, -3, "leisure", round2(rate), nil)
	}
	if t.foreign*2 > t.obj {
		f.say(taxonomy.FamilyOutcome, 2, "foreign", int(t.foreign), nil)
	}
	if fresh <= 0.05 && read > 0 {
		f.say(taxonomy.FamilySet, 1, "once", 1-round2(fresh), nil)
	}
	s.walk(f, sc, asked, p)
	s.timing(f, sc)
	s.protocol(f, sc)
	s.idle(f, sc)
	return f
}

// crawler reports whether all members say they are search engines.
func (s *scene) crawler(sc *scope) bool {
	for _, i := range sc.members {
		if s.e.labels.text[s.cell(i).family] != "search-bot" {
			return false
		}
	}
	return true
}

// drones reports whether the members are machines that do nothing but fetch
// one object after the other, spread over addresses.
func (s *scene) drones(sc *scope, asked float64) bool {
	if sc.tools*10 < len(sc.members)*9 || asked < 4*objectsWide || sc.sum.signed > 0 || s.crawler(sc) {
		return false
	}
	var all, here uint32
	for _, i := range sc.members {
		c := s.cell(i)
		if a := s.actorOf(c); a != nil {
			all += a.n
			here += min(c.n, a.n)
		}
	}
	return all > 0 && here*10 >= all*9
}

// climbs reports whether nearly every number is a little above the one before:
// a list counted through with the gaps left out.
func (t *tally) climbs(asked float64) bool {
	return t.rises >= 30 && float64(t.rises) >= 0.75*asked
}

// walk weighs how the objects were chosen.
func (s *scene) walk(f *fusion, sc *scope, asked float64, p *peers) {
	t := &sc.sum
	if t.steps > 10 && float64(t.steps) >= asked/2 {
		f.say(taxonomy.FamilySequence, 3, "steps", int(t.steps), 0)
	} else if t.climbs(asked) {
		f.say(taxonomy.FamilySequence, 3, "rises", int(t.rises), 0)
	}
	if got := t.obj - min(t.miss, t.obj); t.unissued*2 > got && asked >= 10 {
		s.sumShares(p)
		switch {
		case p.count >= 3 && p.unissued <= 0.1 && t.unissued*5 >= got*4:
			f.say(taxonomy.FamilySequence, 4, "unissued", share(t.unissued, max(got, 1)), round2(p.unissued))
		case p.count < 3 || p.unissued <= 0.5:
			f.say(taxonomy.FamilySequence, 1.5, "unissued", share(t.unissued, max(got, 1)), 0.1)
		}
	}
	if t.miss >= 5 && t.miss*20 >= t.obj {
		f.say(taxonomy.FamilyOutcome, ramp(share(t.miss, t.obj), 0.05, 2, 0.5, 4), "misses", share(t.miss, max(t.obj, 1)), 0.01)
	}
}

// weighReaders weighs a wide scope of readers.
func (s *scene) weighReaders(f *fusion, sc *scope, guilty func(int32) bool) bool {
	if len(sc.members) < readCrowd {
		return false
	}
	z, purity := s.herd(sc, guilty)
	if purity < readPurity || z < 5 {
		return false
	}
	f.say(taxonomy.FamilyHerd, ramp(z, 5, 2, 20, 5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	return true
}

// floorRead makes gateRead's five foreign or thirty of any sort one sum.
func floorRead(t *tally) uint32 { return max(t.obj, min(t.foreign, 5)*(floorSum/5)) }

func gateRead(t *tally, wide bool) bool {
	return t.foreign >= 5 || t.obj >= 30 && (!wide || t.obj >= objectsWide)
}
