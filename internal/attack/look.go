package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// What people look up, and what they do then: who asks after a car pays for its
// parking or has tied it to his account, who searches for a person writes to
// him. Who asks about one stranger after the other and makes use of no answer
// sells the answers.

const (
	LookGrace  = int64(900e9) // ns within which an answer is made use of
	lookTokens = 8            // values of a request that may name what was looked up
	fewNumbers = 2            // personal numbers of one question: a name goes with an id
)

// A question by the kind of number it asks about.
const (
	aboutCar uint8 = 1 << iota
	aboutPerson
	aboutPhone
)

// about gives the kind of a personal number, 0 for what names nobody.
func about(t taxonomy.Sensitive) uint8 {
	switch t {
	case taxonomy.SensPlateNumber:
		return aboutCar
	case taxonomy.SensCNResidentID, taxonomy.SensPassport, taxonomy.SensHKMacauPermit, taxonomy.SensSocialSecurityNo, taxonomy.SensMilitaryID:
		return aboutPerson
	case taxonomy.SensCNMobile, taxonomy.SensPhone, taxonomy.SensEmail:
		return aboutPhone
	}
	return 0
}

// asksAbout gives the one personal number that a request asks about. A request
// that brings many, as an app that compares a contact book does, asks about
// none.
func asksAbout(ev *catalog.Event) (token uint64, kind uint8, set observe.SetFeature) {
	var seen [fewNumbers]uint64
	n := 0
	take := func(t uint64, s taxonomy.Sensitive, f observe.SetFeature) bool {
		k := about(s)
		if k == 0 || t == 0 {
			return true
		}
		for _, x := range seen[:n] {
			if x == t {
				return true
			}
		}
		if n == fewNumbers {
			return false
		}
		seen[n] = t
		n++
		if kind == 0 || k < kind {
			token, kind, set = t, k, f
		}
		return true
	}
	for i := range ev.Params {
		if p := &ev.Params[i]; p.Sensitive != 0 && p.In != observe.InHeader && p.In != observe.InCookie && !take(p.Token, p.Sensitive, p.Set) {
			return 0, 0, set
		}
	}
	for i := range ev.Segments {
		if s := &ev.Segments[i]; s.Sensitive != 0 && !take(s.Token, s.Sensitive, s.Set) {
			return 0, 0, set
		}
	}
	return token, kind, set
}

// looking reports whether requests of that role may ask about somebody. What
// is written may carry anybody's number.
func looking(ev *catalog.Event, r taxonomy.Role) bool {
	if ev.Method == "OPTIONS" || ev.Method == "HEAD" || len(ev.Passwords) > 0 || ev.API == nil {
		return false
	}
	switch r {
	case taxonomy.RoleQueryProgress, taxonomy.RoleSearch, taxonomy.RoleDetail, taxonomy.RoleList, taxonomy.RoleOrderQuery:
		return true
	case taxonomy.RoleProfile, taxonomy.RolePage, taxonomy.RoleOther, "":
		return ev.API.Reads()
	}
	return false
}

// usesAnswer reports whether success at an API of that role is what people look
// something up for.
func usesAnswer(r taxonomy.Role) bool {
	switch r {
	case taxonomy.RolePayment, taxonomy.RoleOrderCreate, taxonomy.RoleClaim, taxonomy.RoleFollow, taxonomy.RoleInvite, taxonomy.RoleRefund:
		return true
	}
	return false
}

// looks are the questions whose grace has not passed, in order of time, by
// (asker, number). At the cap the oldest is judged before its time.
type looks struct {
	ring  []look
	head  uint64 // number of the oldest
	tail  uint64 // number of the next
	index map[uint64]uint64
	limit int
	lost  uint64
	ready []Lookup
}

type look struct {
	keys    [4]uint64 // in index: (asker, number), (asker), both again for the asker without credential
	subject uint64
	client  uint64
	at      int64
	cell    ref
	gen     uint32
	used    bool
	signed  bool
}

func (l *looks) init(limit int) {
	l.index = make(map[uint64]uint64)
	l.limit = limit
}

func (l *looks) slot(n uint64) *look { return &l.ring[n%uint64(len(l.ring))] }

// add notes a question; one about the same number within the grace is the same.
func (l *looks) add(k look) bool {
	if n, ok := l.index[k.keys[0]]; ok {
		l.index[k.keys[1]], l.index[k.keys[3]] = n, n
		return false
	}
	if int(l.tail-l.head) == len(l.ring) {
		if len(l.ring) >= l.limit {
			l.lost++
			l.pop()
		} else {
			grown := make([]look, min(max(2*len(l.ring), 64), l.limit))
			for n := l.head; n < l.tail; n++ {
				grown[n%uint64(len(grown))] = *l.slot(n)
			}
			l.ring = grown
		}
	}
	*l.slot(l.tail) = k
	for _, key := range k.keys {
		l.index[key] = l.tail
	}
	l.tail++
	return true
}

// pop ends the oldest question.
func (l *looks) pop() {
	k := l.slot(l.head)
	for _, key := range k.keys {
		if l.index[key] == l.head {
			delete(l.index, key)
		}
	}
	if !k.signed {
		if len(l.ready) >= l.limit {
			l.lost++
		} else {
			l.ready = append(l.ready, Lookup{Subject: k.subject, Client: k.client, Time: k.at, Used: k.used, cell: k.cell, gen: k.gen})
		}
	}
	l.head++
}

// ripen ends the questions whose grace has passed.
func (l *looks) ripen(now int64) {
	for l.head < l.tail && l.slot(l.head).at+LookGrace <= now {
		l.pop()
	}
}

// use gives the question of that key when its answer is first made use of.
func (l *looks) use(key uint64) *look {
	n, ok := l.index[key]
	if !ok {
		return nil
	}
	k := l.slot(n)
	if k.used {
		return nil
	}
	k.used = true
	return k
}

// countLook counts a question about somebody.
func (e *Engine) countLook(ev *catalog.Event, c *cell, s *apiState, asker uint64) {
	if !looking(ev, s.role) {
		return
	}
	token, kind, set := asksAbout(ev)
	if token == 0 {
		return
	}
	if own := ev.Who.Principal; own != 0 && token == own || ev.Ownership == catalog.OwnershipOwn {
		return
	}
	signed := e.party
	anon := clientOf(ev)
	// What the asker wrote or was given before is no stranger's.
	if e.made.has(join(asker, token)) || e.given.has(join(asker, token)) {
		return
	}
	c.asks++
	c.numbers |= kind
	if signed {
		c.lookSigned++
	}
	e.pool.add(&c.sets[setAsked], token)
	if u := &e.units[s.unit]; u.role == "" {
		if token != ev.Object {
			e.walkTo(c, set) // else countObjects or countIdentity did
		}
		if ev.Outcome == catalog.OutcomeNotFound || ev.Outcome == catalog.OutcomeRejected {
			c.absent++
		} else if ev.Outcome == catalog.OutcomeSuccess {
			c.told++
		}
	}
	e.hint(c, markAccount, token)
	e.mark(c, ev.End)
	e.units[s.unit].watch = true
	if r := e.cells.index.get(c.key); r != 0 {
		e.looks.ripen(ev.End)
		e.looks.add(look{
			keys:    [4]uint64{join(join(asker, token), 4), join(asker, 5), join(join(anon, token), 4), join(anon, 5)},
			subject: token, client: printOf(c), at: ev.End, cell: r, gen: c.gen, signed: signed,
		})
	}
}

// clientOf is an asker by what he shows without credential: the page that
// looks up and the one that pays may be signed in differently.
func clientOf(ev *catalog.Event) uint64 { return join(hashAddr(ev.Who.Client), ev.Agent) }

// countUse notes that an asker makes use of what he looked up: by paying or
// ordering, or by writing anything that names it.
func (e *Engine) countUse(ev *catalog.Event, s *apiState, asker uint64) {
	if e.looks.head == e.looks.tail || ev.Outcome != catalog.OutcomeSuccess || ev.API == nil || looking(ev, s.role) || identityRole(s.role) {
		return
	}
	acts := usesAnswer(s.role)
	if !acts && (ev.Method == "GET" || ev.Method == "HEAD" || ev.Method == "OPTIONS" || ev.API.Reads()) {
		return
	}
	anon := clientOf(ev)
	for i := range min(len(ev.Params), lookTokens) {
		if t := ev.Params[i].Token; t != 0 {
			e.used(join(join(asker, t), 4))
			e.used(join(join(anon, t), 4))
		}
	}
	for i := range ev.Segments {
		if t := ev.Segments[i].Token; t != 0 {
			e.used(join(join(asker, t), 4))
			e.used(join(join(anon, t), 4))
		}
	}
	if acts {
		e.used(join(asker, 5))
		e.used(join(anon, 5))
	}
}

func (e *Engine) used(key uint64) {
	if k := e.looks.use(key); k != nil {
		if c := e.cells.at(k.cell); c.gen == k.gen {
			c.heeded++
		}
	}
}
