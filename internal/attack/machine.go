package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// Machines: programs that nobody at work here has, that do one thing over and
// over, at a pace and in a number that no person reaches. What they are after may
// not be seen, for want of bodies or of answers; that they are no people is. It is
// asked last, of what no other detector explains.

const (
	machineLeast  = 60  // requests of a scope
	machineRate   = 0.3 // requests a second of one asker
	machineNews   = 16  // requests of an asker that make one look
	machineLong   = 60  // seconds; many people who hurry are over sooner
	machineRace   = 200 // requests that nobody sends in a hurry …
	machineFast   = 1.0 // … at so many a second
	machineOwn    = 3   // accounts of one person
	machineTimes  = 4.0 // … times what nearly all others ask for
	machineHere   = 0.3 // share of what its askers do on the site
	machineVaried = 0.3 // share of requests for something else than the one before: others are polls
	machineAPIs   = 3   // APIs that a member of a wide scope uses
	machineCrowd  = 10  // members of a wide scope
	machineFew    = 5   // … each of whom asks far more than others do
	machinePure   = 0.9 // share of its askers who do little else
	machineRare   = 0.8 // share of its askers whose client nobody at work has
)

var machineAxis = axis{name: "machine", narrow: narrowActors, wide: []scopeKind{scopePrint, scopePrefix, scopeCohort}, least: machineLeast,
	like: likeMachine, gate: gateMachine, weigh: weighMachine, crowd: machineFew, purity: machinePure}

// likeMachine: no integration and no poll; in a wide scope, somebody who uses
// hardly anything else, or this over and over.
func likeMachine(s *scene, c *cell, strict bool) bool {
	if c.api == 0 || c.signed*2 > c.n || float64(c.varied) < machineVaried*float64(c.n) && !c.races() {
		return false
	}
	if !strict {
		return true
	}
	a := s.actorOf(c)
	return a != nil && (a.apis() <= machineAPIs || c.n >= machineNews && c.n*2 >= a.n)
}

// races reports whether a cell asks faster for longer than anybody waits for
// news, or fills in forms: what tells a poll from reading is of no matter then.
func (c *cell) races() bool {
	return c.n >= machineRace && float64(c.n) >= machineFast*c.seconds()
}

func gateMachine(t *tally, _ bool) bool { return t.n >= machineLeast }

// apis counts the APIs that an actor used, of those that its rows name.
func (c *cell) apis() int {
	n := 0
	for i := range c.rows {
		fresh := c.rows[i].api != 0
		for k := range i {
			fresh = fresh && c.rows[k].api != c.rows[i].api
		}
		if fresh {
			n++
		}
	}
	return n
}

func weighMachine(s *scene, sc *scope) *fusion {
	if s.crawler(sc) {
		return nil // what it reads is another detector's matter
	}
	mine := make(map[uint64]bool, len(sc.members))
	for _, i := range sc.members {
		mine[s.cell(i).who] = true
	}
	rare, known := s.strange(sc, func(a *cell) bool { return mine[a.sub] })
	if !known || rare < machineRare {
		return nil // people have that client, or nobody is there to say
	}
	f := &fusion{kind: s.machineKind(sc)}
	if sc.kind.wide() {
		if !s.weighMachines(f, sc) {
			return nil
		}
	} else if !s.weighOne(f, sc) {
		return nil
	}
	f.say(taxonomy.FamilyProtocol, 2, "client_rare", round2(rare), clientRare)
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	s.idle(f, sc)
	return f
}

// weighOne weighs one asker or address.
func (s *scene) weighOne(f *fusion, sc *scope) bool {
	t := &sc.sum
	rate := float64(t.n) / max(t.seconds(), 1)
	if rate < machineRate || t.seconds() < machineLong && (t.n < machineRace || rate < machineFast || t.sets[setCreds] != nil) || sc.kind == scopeAddress && sc.agents > 3 {
		return false
	}
	whole, work, seen := uint32(0), uint32(0), make(map[uint64]bool)
	for _, i := range sc.members {
		if a := s.actorOf(s.cell(i)); a != nil && !seen[a.key] {
			seen[a.key] = true
			whole += a.n
			work += a.business
		}
	}
	if float64(t.n) < machineHere*float64(whole) {
		return false
	}
	if t.count(setCreds) == 1 && t.count(setSubjects) > machineOwn {
		return false // a system that acts for its customers
	}
	if t.count(setCreds) > machineOwn && work > t.succ+t.n/4 {
		return false // many people at work behind one address
	}
	times, known := s.loudness(sc, func(c *cell) float64 { return float64(c.n) })
	if !known || times < machineTimes {
		return false
	}
	f.peers(times)
	f.say(taxonomy.FamilySet, ramp(float64(t.n), machineLeast, 1.5, 600, 4), "machine_requests", int(t.n), nil)
	s.timing(f, sc)
	return true
}

// weighMachines weighs a herd. Its program must be told from people's by more than
// its being new, as a new version of an app is nobody's before it is everybody's:
// it says that it is a tool, or stands where nobody lives; and where its members
// are not neighbours, it builds its requests as nobody else does, each of them asks
// far more than nearly all others, or a tool does what people do.
func (s *scene) weighMachines(f *fusion, sc *scope) bool {
	t := &sc.sum
	mine, others := s.origins(sc)
	machines := float64(mine.known) >= originKnown*float64(mine.askers) && mine.machineShare() >= 0.5 && others.machineShare() <= 0.2
	own := &fusion{}
	s.structure(own, sc)
	tools := sc.tools*10 >= len(sc.members)*8
	times, known := s.loudness(sc, func(c *cell) float64 { return float64(c.n) })
	loud := known && times >= machineTimes
	byTool := tools && acts(&s.e.apis[s.cell(sc.members[0]).api])
	if !tools && !machines || sc.kind != scopePrefix && len(own.items) == 0 && !loud && !byTool || len(sc.members) < machineCrowd && !loud {
		return false
	}
	z, purity := s.herd(sc, s.looksGuilty)
	if z < 4 || purity < machinePure {
		return false
	}
	f.say(taxonomy.FamilyHerd, ramp(z, 4, 2, 20, 4.5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	f.say(taxonomy.FamilySet, ramp(float64(t.n), machineLeast, 1.5, 600, 4), "machine_requests", int(t.n), nil)
	if loud {
		f.peers(times)
	}
	return true
}

// acts reports whether an API does something for an account: signs it in,
// trades or applauds, which people do by hand.
func acts(a *apiState) bool {
	return a.method != "GET" && a.method != "HEAD" && (identityRole(a.role) || tradeRole(a.role) != "" || engages(a.role))
}

// machineKind names what one program does with an API where that leaves no doubt.
func (s *scene) machineKind(sc *scope) taxonomy.AttackKind {
	switch role := s.e.apis[s.cell(sc.members[0]).api].role; {
	case role == taxonomy.RoleRegister:
		return taxonomy.AttackMassRegistration
	case tradeRole(role) == taxonomy.RoleClaim:
		return taxonomy.AttackPromotionAbuse
	case engages(role):
		return taxonomy.AttackFakeEngagement
	case reads(role):
		return taxonomy.AttackScraping
	}
	return taxonomy.AttackBot
}

// A fleet is how many askers at work, one a burst, have each client.
type fleet struct {
	by  map[uint64]uint32
	all uint32
}

const (
	fleetClients = 4096
	fleetHalf    = 1 << 15 // askers after which the old ones weigh half
)

func (x *fleet) add(cohort uint64) {
	if _, ok := x.by[cohort]; !ok && len(x.by) >= fleetClients || x.all >= fleetHalf {
		if x.age(); len(x.by) >= fleetClients {
			return // each is rare
		}
	}
	x.by[cohort]++
	x.all++
}

// age halves what is known; clients of a single asker are forgotten.
func (x *fleet) age() {
	x.all = 0
	for k, n := range x.by {
		if n /= 2; n == 0 {
			delete(x.by, k)
		} else {
			x.by[k] = n
			x.all += n
		}
	}
}

// rare reports whether hardly anybody at work has a client, where enough are.
func (x *fleet) rare(cohort uint64) bool {
	return x.all >= clientPeers && float64(x.by[cohort]) <= clientRare*float64(x.all)
}

// machined makes a unit worth a look when clients ask that nobody at work has, and
// counts what of it is no poll.
func (e *Engine) machined(ev *catalog.Event, c, actor *cell, s *apiState, u *unit) {
	if e.party || !e.fleet.rare(actor.cohort) {
		return
	}
	if what := wanted(ev, s); what != c.wanted {
		c.wanted = what
		c.varied++
	}
	if actor.n%machineNews == 0 {
		u.watch = true
		e.mark(c, c.first)
		e.mark(c, ev.End)
	}
}

// wanted tells requests of one cell apart by what they are for. Who signs in,
// claims or votes does each time a thing of its own, whatever a sensor sees of it.
func wanted(ev *catalog.Event, s *apiState) uint64 {
	if acts(s) {
		return uint64(ev.End)
	}
	what := join(ev.Object, ev.ParamShape)
	for k := range ev.Params {
		what += mix64(ev.Params[k].Token)
	}
	return what
}
