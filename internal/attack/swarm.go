package attack

import (
	"cmp"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Swarms: many askers who come to one API at once, each for a request or two and
// nothing else on the site, and have something in common that those who came
// before did not: how they build the request, the client, or that every one of
// them has a client of his own that nobody else ever had. Where a program takes a
// new address, a new face or a genuine browser each time, that is what is left of
// it. People who come at once, to a sale, out of an advertisement or with a new
// version, have the clients and structures that people have, or look about; who
// changes his face with every request does neither.
//
// It is asked after the detectors that know what an API is for.

const (
	swarmLeast   = 40   // requests
	swarmCells   = 20   // askers
	swarmPeers   = 10   // askers before it, to compare with …
	swarmFewer   = 6    // … where each has a client that nobody else has
	swarmLift    = 6    // z-score of so many with one key
	swarmHollow  = 0.9  // share of them who do nothing else
	swarmUsual   = 0.6  // … of those before it, at most
	swarmStray   = 0.02 // share of a swarm that may be people with the key
	swarmFaces   = 0.5  // clients for each asker of a swarm without a face
	swarmFlood   = 2.0  // requests a second of a flood
	swarmMany    = 300  // … in all
	swarmRefused = 0.5  // share of requests at identity APIs that are refused, of no people
	swarmLet     = 3    // others who get in meanwhile
	swarmBuilt   = 0.3  // structures for each asker of a swarm whose program has none
	swarmGap     = int64(900e9)
)

func swarmAxis() axis {
	return axis{name: "swarm", wide: []scopeKind{scopeShape, scopePrint, scopeFace, scopeCohort}, least: swarmLeast,
		like: likeSwarm, gate: gateSwarm, weigh: weighSwarm, crowd: swarmCells, purity: swarmHollow}
}

// likeSwarm: came for this and, in a wide scope, did nothing else.
func likeSwarm(s *scene, c *cell, strict bool) bool {
	if c.api == 0 || c.signed*2 > c.n || c.shared {
		return false
	}
	return !strict || s.hollow(c)
}

// hollow reports whether an asker did next to nothing but this.
func (s *scene) hollow(c *cell) bool {
	if c.addr == 0 {
		return false // who he is is not known
	}
	a := s.actorOf(c)
	return a != nil && a.n <= c.n+1
}

func gateSwarm(t *tally, _ bool) bool { return t.n >= swarmLeast }

// reopen gives a swarm the cells that others merely suspect.
func (s *scene) reopen() {
	for i, taken := range s.taken {
		if taken {
			ep := s.e.book.ownerOf(s.refs[i], s.cell(int32(i)))
			s.taken[i] = ep == nil || ep.score >= scoreLikely
		}
	}
}

// eve is who came to the API of a swarm in the day before it began.
type eve struct {
	all, with, hollow float64
	seconds           float64
	n                 float64 // requests
}

// eveOf sums up the askers of a scope's APIs before it began.
func (s *scene) eveOf(sc *scope, start int64) (e eve) {
	apis := make(map[int32]bool, 2)
	for _, i := range sc.members {
		apis[s.cell(i).api] = true
	}
	first := start
	for i := range apis {
		for r := s.e.apis[i].cells.head; r != 0 && !s.e.cells.past(r, start-horizon); r = s.e.cells.after(r) {
			c := s.e.cells.at(r)
			if c.first >= start || c.accused || c.signed*2 > c.n {
				continue
			}
			e.all++
			e.n += float64(c.n)
			first = min(first, c.first)
			if sc.kind.key(c) == sc.key {
				e.with++
			}
			if s.hollow(c) {
				e.hollow++
			}
		}
	}
	e.seconds = float64(start-first) / 1e9
	return e
}

// burst leaves out the members that came long before the others, or after: some
// of those who have the key by chance.
func (s *scene) burst(sc *scope) {
	n := len(sc.members)
	if n < 3 {
		return
	}
	slices.SortStableFunc(sc.members, func(a, b int32) int { return cmp.Compare(s.cell(a).first, s.cell(b).first) })
	gaps := make([]int64, 0, n)
	for k := 1; k < n; k++ {
		gaps = append(gaps, s.cell(sc.members[k]).first-s.cell(sc.members[k-1]).first)
	}
	sorted := slices.Clone(gaps)
	slices.Sort(sorted)
	limit := max(swarmGap, 12*sorted[len(sorted)/2])
	best, from, at := 0, 0, 0
	for k := 1; k <= n; k++ {
		if k == n || gaps[k-1] > limit {
			if k-from > best {
				best, at = k-from, from
			}
			from = k
		}
	}
	if best == n {
		return
	}
	sc.members = sc.members[at : at+best]
	lo, hi := s.cell(sc.members[0]).first, s.cell(sc.members[best-1]).first
	sc.all = slices.DeleteFunc(slices.Clone(sc.all), func(i int32) bool { c := s.cell(i); return c.first < lo || c.first > hi })
	s.resum(sc)
}

// outset is when a scope's members began to come, but for a few before.
func (s *scene) outset(sc *scope) int64 {
	first := make([]int64, 0, len(sc.members))
	for _, i := range sc.members {
		first = append(first, s.cell(i).first)
	}
	slices.Sort(first)
	return first[len(first)/50]
}

func weighSwarm(s *scene, sc *scope) *fusion {
	if s.crawler(sc) {
		return nil
	}
	s.burst(sc)
	if len(sc.members) < swarmCells || int(sc.sum.n) < swarmLeast || sc.addrs*2 < len(sc.members) {
		return nil
	}
	start := s.outset(sc)
	was := s.eveOf(sc, start)
	peers := float64(swarmPeers)
	if sc.kind == scopeFace {
		peers = swarmFewer
	}
	if was.all < peers || was.hollow > swarmUsual*was.all {
		return nil // nobody to compare with, or all who come do only this
	}
	// How many came with the key, of all who came since, against how many did before.
	all := float64(len(sc.all))
	others := 0.0
	for i := range s.refs {
		if c := s.cell(int32(i)); sc.kind.key(c) != sc.key && c.last >= start && !s.taken[i] {
			others++
		}
	}
	before := (was.with + 0.5) / (was.all + 10)
	z := lift(all, all+others, was.with, was.all, 0.5, 10)
	if z < swarmLift || before/(1-before)*others > swarmStray*all+0.5 {
		return nil // people have the key, too
	}
	hz := lift(float64(len(sc.members)), all, was.hollow, was.all, 1.5, 10)
	if hz < 4 {
		return nil
	}
	t := &sc.sum
	f := &fusion{kind: s.swarmKind(sc, &was)}
	if !s.aims(f, sc) {
		return nil
	}
	f.say(taxonomy.FamilyHerd, ramp(z, swarmLift, 3, 20, 5.5), "swarm", len(sc.members), max(1, int(before*(all+others))))
	f.say(taxonomy.FamilySequence, ramp(hz, 4, 1.5, 20, 3), "swarm_hollow", round2(float64(len(sc.members))/all), round2(was.hollow/was.all))
	switch sc.kind {
	case scopeFace:
		faces := s.spread(sc, scopeCohort)
		if float64(faces) < swarmFaces*float64(len(sc.members)) {
			return nil // the few clients of a minority
		}
		f.say(taxonomy.FamilyProtocol, ramp(float64(faces), swarmCells, 2.5, 100, 4), "swarm_faces", faces, len(sc.members))
	case scopeShape, scopePrint:
		f.say(taxonomy.FamilyParameter, ramp(all, swarmCells, 2, 100, 3), "swarm_structure", int(all), int(was.with))
	}
	if f.kind == taxonomy.AttackFlood {
		rate := float64(t.n) / max(t.seconds(), 1)
		f.say(taxonomy.FamilyTiming, ramp(rate, swarmFlood, 2, 50, 4), "burst", round2(rate), round2(was.n/max(was.seconds, 1)))
	}
	s.protocol(f, sc)
	s.network(f, sc)
	s.idle(f, sc)
	return f
}

// aims weighs what a swarm's requests are about: each of something else, as where
// one goes after the other. What is read by everybody who comes, as behind a link
// that is shared, is no reason; what is done may be.
func (s *scene) aims(f *fusion, sc *scope) bool {
	t := &sc.sum
	n := float64(t.n)
	// A crowd of people with a client each signs in and registers, too, each to an
	// account of his own: without a face, what is asked for tells only where it is read.
	faceless := sc.kind == scopeFace
	if f.kind == taxonomy.AttackFlood && !faceless {
		return true
	}
	sets := [...]int{setObjects, setAsked, setTargets, setSubjects, setCodePairs}
	most := float64(t.miss)
	for k, set := range sets {
		if !faceless || k < 2 {
			most = max(most, float64(t.miss)+t.count(set))
		}
	}
	if faceless && identityRole(s.u.role) {
		return s.unwelcome(f, sc)
	}
	if most >= 0.5*n {
		f.say(taxonomy.FamilySet, ramp(min(most, n), swarmLeast/2, 1.5, 300, 3), "swarm_aims", int(min(most, n)), int(n))
		return true
	}
	a := &s.e.apis[s.cell(sc.members[0]).api]
	return a.method != "GET" && !faceless
}

// unwelcome weighs what a swarm without a face gets at the APIs where people with a
// client each sign in and register, too.
func (s *scene) unwelcome(f *fusion, sc *scope) bool {
	t := &sc.sum
	switch {
	case s.u.role != taxonomy.RoleRegister && !s.opens(sc):
		return false // out of order, or of a release that lets nobody in
	case t.blind*2 > t.n: // what came of it is not seen
		f.say(taxonomy.FamilySequence, 1.5, "only_login", nil, nil)
	case float64(t.fail) >= swarmRefused*float64(t.n) && t.registered*2 <= t.subj: // nobody is blamed for failing at an account of his own
		f.say(taxonomy.FamilyOutcome, ramp(float64(len(sc.members)), swarmCells, 2, 200, 3.5), "swarm_unwelcome", share(t.succ, t.n), int(t.n))
	case s.u.role == taxonomy.RoleRegister && float64(sc.shapes) >= swarmBuilt*float64(len(sc.members)):
		// Anybody may register; but the forms of a site build a request in a few ways.
		f.say(taxonomy.FamilyParameter, ramp(float64(sc.shapes), swarmCells/2, 2, 100, 4), "swarm_built", sc.shapes, len(sc.members))
	default:
		return false
	}
	return true
}

// opens reports whether others get in where a swarm does not, and go on from there.
func (s *scene) opens(sc *scope) bool {
	in := sc.inside()
	others, let := 0, 0
	for i := range s.refs {
		c := s.cell(int32(i))
		if in[int32(i)] || s.taken[i] || c.first < sc.sum.first || c.first > sc.sum.last {
			continue
		}
		others++
		if c.succ > 0 && !s.hollow(c) {
			let++
		}
	}
	return let >= swarmLet && let*2 >= others
}

// swarmKind names what a swarm does with an API.
func (s *scene) swarmKind(sc *scope, was *eve) taxonomy.AttackKind {
	t := &sc.sum
	rate := float64(t.n) / max(t.seconds(), 1)
	role := s.e.apis[s.cell(sc.members[0]).api].role
	if t.n >= swarmMany && rate >= swarmFlood && rate >= 20*was.n/max(was.seconds, 1) && !identityRole(s.u.role) {
		return taxonomy.AttackFlood
	}
	if identityRole(s.u.role) {
		if s.u.role == taxonomy.RoleRegister {
			return taxonomy.AttackMassRegistration
		}
		if s.u.role == taxonomy.RoleCodeSend {
			return taxonomy.AttackSMSAbuse
		}
		if dist := t.count(setSubjects); dist > 0 {
			if k := s.guessKind(sc, dist); k != "" {
				return k
			}
		}
		if s.u.role == taxonomy.RoleLogin || s.u.role == taxonomy.RoleLoginCode {
			return taxonomy.AttackCredentialStuffing
		}
		return taxonomy.AttackAccountScanning
	}
	abroad := 0
	for _, i := range sc.members {
		if s.e.abroad(s.cell(i)) != 0 {
			abroad++
		}
	}
	switch trade := tradeRole(role); {
	case trade == taxonomy.RoleClaim:
		return taxonomy.AttackPromotionAbuse
	case trade == taxonomy.RoleOrderCreate:
		return taxonomy.AttackScalping
	case trade == taxonomy.RolePayment:
		return taxonomy.AttackCarding
	case engages(role):
		return taxonomy.AttackFakeEngagement
	case abroad*10 >= len(sc.members)*9 && t.level >= abroadLevel:
		return taxonomy.AttackCrossBorderAccess
	case t.foreign*2 > t.obj && t.foreign > 0 || t.obj > 0 && t.sets[setCreds] != nil && t.level >= 2:
		return taxonomy.AttackBOLAExploitation
	case reads(role):
		return taxonomy.AttackScraping
	}
	return taxonomy.AttackBot
}

// fads are the keys that come to one API more often than they did: structures,
// clients, and clients that nobody else has.
type fads struct {
	slots  [fadSlots]fad
	n      uint32 // askers of this epoch
	epochs uint32
	since  int64
}

type fad struct {
	n     uint16
	usual float32 // share of the askers of an epoch
}

const (
	fadSlots = 64
	fadLeast = 32            // askers of an epoch
	fadEpoch = int64(3600e9) // at least
	fadHot   = 16            // askers with a key …
	fadLift  = 3             // … times what is usual
	fadDecay = 0.2
)

// see counts a new asker and reports whether a key of his is in fashion.
func (x *fads) see(c *cell, face uint64, now int64) bool {
	if now-x.since > fadEpoch && x.n >= fadLeast {
		x.turn(now)
	}
	x.n++
	hot := false
	for k, key := range [...]uint64{c.shape, c.cohort, face} {
		if key == 0 {
			continue
		}
		s := &x.slots[(key+uint64(k))*0x9e3779b97f4a7c15>>58]
		if s.n < 65535 {
			s.n++
		}
		hot = hot || x.epochs > 0 && s.n >= fadHot && float32(s.n) >= fadLift*s.usual*float32(x.n)
	}
	return hot
}

// turn begins the next epoch.
func (x *fads) turn(now int64) {
	weight := float32(fadDecay)
	if x.epochs == 0 {
		weight = 1
	}
	for i := range x.slots {
		s := &x.slots[i]
		s.usual += weight * (float32(s.n)/float32(x.n) - s.usual)
		s.n = 0
	}
	x.n, x.since = 0, now
	x.epochs++
}

// alone reports whether hardly anybody has a cell's client.
func (e *Engine) alone(c *cell) bool {
	return c.cohort != 0 && e.faces.all >= clientPeers && e.faces.by[c.cohort] <= faceMost
}

const faceMost = 2 // askers with a client that is nobody's

// swarmed makes a unit worth a look when a key comes into fashion at its API.
func (e *Engine) swarmed(ev *catalog.Event, c *cell, s *apiState, u *unit) {
	if c.n > 1 {
		return
	}
	c.alone = e.alone(c)
	if e.party || ev.Method == "OPTIONS" || ev.Stream != observe.StreamNone {
		return
	}
	if s.fads == nil {
		s.fads = &fads{since: e.now}
	}
	if s.fads.see(c, scopeFace.key(c), e.now) {
		u.watch = true
		e.news(u)
	}
}
