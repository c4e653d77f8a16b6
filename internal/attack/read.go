package attack

import "xiezhi/internal/taxonomy"

// Reading what is not one's own: enumeration of objects (scraping) and the use
// of missing object checks (BOLA exploitation).

const (
	objectsCold  = 100 // objects before an asker without peers stands out
	objectsWide  = 50
	objectsTimes = 5 // … times what peers read
)

// likeRead: reads objects, mostly not its own.
func likeRead(s *scene, c *cell, strict bool) bool {
	if c.obj == 0 || c.own*2 > c.obj {
		return false
	}
	if strict {
		// Somebody who does many other things here is a user.
		a := s.actorOf(c)
		return a != nil && (a.n <= 2*c.n || c.foreign >= 5)
	}
	return true
}

func weighRead(s *scene, sc *scope) *fusion {
	t := &sc.sum
	read := t.count(setObjects)
	if read < 5 {
		return nil
	}
	if !sc.kind.wide() && s.ordinary(read, float64(t.foreign)) {
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
	switch {
	case known && (p.foreignShare > 0.3 || foreign < max(5, 3*p.foreign)):
		return nil // others read it too: it is public
	case !known && (foreign < 20 || owners < 3):
		return nil
	}
	f := &fusion{kind: taxonomy.AttackBOLAExploitation}
	if sc.kind.wide() && !s.weighReaders(f, sc) {
		return nil
	}
	if known {
		f.say(taxonomy.FamilyOutcome, ramp(foreign, 5, 4, 20, 6), "foreign", int(foreign), round2(p.foreign))
	} else {
		f.say(taxonomy.FamilyOutcome, ramp(foreign, 20, 3, 100, 5), "foreign", int(foreign), nil)
	}
	f.say(taxonomy.FamilySet, ramp(owners, 3, 1.5, 30, 3), "owners", int(owners), 1)
	f.say(taxonomy.FamilySet, ramp(read, 5, 1, 60, 3), "objects", int(read), round2(p.objects))
	s.walk(f, sc, read)
	s.timing(f, sc)
	s.protocol(f, sc)
	return f
}

// weighScrape weighs the volume and order of reading against peers, or on its
// own when there are none.
func (s *scene) weighScrape(sc *scope, read float64, p *peers) *fusion {
	t := &sc.sum
	if t.own*3 > t.obj || t.succ*10 < t.n {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackScraping}
	fresh := 1 - min(read/float64(max(t.obj-t.miss, 1)), 1) // revisits
	density := 0.0
	if b := t.count(setBlocks); b > 0 {
		density = read / (b * 64)
	}
	ordered := density >= 0.5 && read >= 64 || float64(t.steps) >= read/2
	switch {
	case sc.kind.wide():
		if read < objectsWide || fresh > 0.1 || !(density >= 0.4 && read >= 64 || t.foreign*2 > t.obj || t.miss*5 > t.obj) {
			return nil
		}
		if !s.weighReaders(f, sc) {
			return nil
		}
	case p.count >= 3:
		if read < max(30, objectsTimes*max(p.objects, 3)) {
			return nil
		}
	default:
		rate := float64(t.n) / max(t.seconds(), 1)
		if read < objectsCold || !(ordered || rate >= 1) {
			return nil
		}
	}
	if p.count >= 3 {
		times := read / max(p.objects, 1)
		f.say(taxonomy.FamilySet, ramp(times, objectsTimes, 3, 25, 5), "objects", int(read), round2(p.objects))
	} else {
		f.say(taxonomy.FamilySet, ramp(read, objectsWide, 2.5, 500, 4.5), "objects", int(read), nil)
	}
	if density >= 0.5 && read >= 64 {
		f.say(taxonomy.FamilySet, 2, "density", min(round2(density), 1), 0.05)
	}
	people := t.count(setExposed)
	if people >= 20 {
		f.say(taxonomy.FamilyOutcome, ramp(people, 20, 2, 300, 4.5), "people", int(people), nil)
	} else if t.level == 0 && t.miss == 0 && t.foreign == 0 && t.unissued*10 < t.obj && t.sets[setCreds] != nil {
		// A signed-in asker follows links to harmless things.
		f.say(taxonomy.FamilySequence, -3, "follows", nil, nil)
	}
	if t.foreign*2 > t.obj {
		f.say(taxonomy.FamilyOutcome, 2, "foreign", int(t.foreign), nil)
	}
	if fresh <= 0.05 {
		f.say(taxonomy.FamilySet, 1, "once", 1-round2(fresh), nil)
	}
	s.walk(f, sc, read)
	s.timing(f, sc)
	s.protocol(f, sc)
	s.idle(f, sc)
	return f
}

// walk weighs how the objects were chosen.
func (s *scene) walk(f *fusion, sc *scope, read float64) {
	t := &sc.sum
	if t.steps > 10 && float64(t.steps) >= read/2 {
		f.say(taxonomy.FamilySequence, 3, "steps", int(t.steps), 0)
	}
	if t.unissued*2 > t.obj && read >= 10 {
		f.say(taxonomy.FamilySequence, 1.5, "unissued", share(t.unissued, max(t.obj, 1)), 0.1)
	}
	if t.miss >= 5 && t.miss*20 >= t.obj {
		f.say(taxonomy.FamilyOutcome, 2, "misses", share(t.miss, max(t.obj, 1)), 0.01)
	}
}

// weighReaders weighs a wide scope of readers.
func (s *scene) weighReaders(f *fusion, sc *scope) bool {
	if len(sc.members) < 10 {
		return false
	}
	z, purity := s.herd(sc, s.looksGuilty)
	if purity < 0.9 || z < 5 {
		return false
	}
	f.say(taxonomy.FamilyHerd, ramp(z, 5, 2, 20, 5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	return true
}

func gateRead(t *tally, wide bool) bool {
	return t.foreign >= 5 || t.obj >= 30 && (!wide || t.obj >= objectsWide)
}
