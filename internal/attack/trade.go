package attack

import (
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Trade: what is claimed, ordered and paid for. One request of a bonus hunter,
// a scalper or a tester of stolen cards is like anybody's; what gives them away
// is what many of their requests share and honest people's do not: the device,
// the payee, the range of the cards, the pace from step to step, the moment.
//
// APIs that trade are judged in units of their own besides the one that they
// belong to: all claims of a site together, all orders, all payments.

// A deal is what the requests of a cell trade with, as keys of scopes, and how
// the asker came to the first of them.
type deal struct {
	device uint64
	payee  uint64
	issuer uint64
	secret uint64 // of the day, that the account was opened with
	from   int32  // API of the step before, 0 unknown
	gap    int64  // time since
	at     int64  // when
}

func (d *deal) inherit(o *deal) {
	for _, k := range [...]struct{ to, from *uint64 }{{&d.device, &o.device}, {&d.payee, &o.payee}, {&d.issuer, &o.issuer}, {&d.secret, &o.secret}} {
		if *k.to == 0 {
			*k.to = *k.from
		}
	}
	if d.at == 0 {
		d.from, d.gap, d.at = o.from, o.gap, o.at
	}
}

// tradeRole is the role of the unit that also looks at an API of that role, ""
// for none.
func tradeRole(r taxonomy.Role) taxonomy.Role {
	switch r {
	case taxonomy.RoleClaim, taxonomy.RoleInvite:
		return taxonomy.RoleClaim
	case taxonomy.RoleOrderCreate, taxonomy.RolePayment:
		return r
	}
	return ""
}

// tradeAxis reports whether an axis is one of trade.
func tradeAxis(name string) bool {
	return name == "promo" || name == "hoard" || name == "rush" || name == "card"
}

// traded reports whether a scene has cells that a unit of trade looks at, too.
func (s *scene) traded() bool {
	if s.u.role != "" {
		return false
	}
	for _, i := range s.u.apis {
		if s.e.apis[i].trade != 0 {
			return true
		}
	}
	return false
}

// trades puts an API into the unit of what it trades.
func (e *Engine) trades(i int32) {
	s := &e.apis[i]
	role := tradeRole(s.role)
	u := int32(0)
	if role != "" {
		u = e.unit("trade:"+string(role), role)
		e.market.open = true
	}
	if s.trade == u {
		return
	}
	e.leave(i)
	if s = &e.apis[i]; u != 0 {
		e.units[u].also = append(e.units[u].also, i)
	}
	s.trade = u
}

// leave takes an API out of the unit of what it trades.
func (e *Engine) leave(i int32) {
	s := &e.apis[i]
	if s.trade != 0 {
		u := &e.units[s.trade]
		u.also = slices.DeleteFunc(u.also, func(x int32) bool { return x == i })
		s.trade = 0
	}
}

// market is what trade is followed by across cells.
type market struct {
	open     bool // the site trades
	paid     bool // an order was ever seen to be paid for
	orders   pending
	index    map[uint64]int32 // of people
	people   []trader
	next     int
	lost     uint64
	openings openings
}

// A trader is one account, else one client, at a site that trades.
type trader struct {
	key    uint64
	last   int64
	born   int64 // when the account was made, 0 unknown
	secret uint64
	api    int32 // of the last request
	n      uint32
	spent  uint32 // orders and payments
}

const (
	maxTraders = 1 << 15
	youth      = int64(3600e9) // an account is new for so long
)

func (m *market) init(b Budget) {
	m.orders.init(min(b.Pending, 1<<15))
	m.index = make(map[uint64]int32)
	m.openings.init()
}

// trader gives the state of an asker, made when make is set.
func (m *market) trader(key uint64, make bool) *trader {
	if i, ok := m.index[key]; ok {
		return &m.people[i]
	}
	if !make || key == 0 {
		return nil
	}
	i := int32(len(m.people))
	if len(m.people) < maxTraders {
		m.people = append(m.people, trader{})
	} else {
		i = int32(m.next)
		m.next = (m.next + 1) % maxTraders
		delete(m.index, m.people[i].key)
		m.lost++
	}
	m.people[i] = trader{key: key}
	m.index[key] = i
	return &m.people[i]
}

// trade counts what a request trades. ev may be of any API: the steps before
// count as well.
func (e *Engine) trade(ev *catalog.Event, i int32, r ref, c *cell) {
	m := &e.market
	if !m.open || patterns(ev) == sigPayload || ev.Method == "OPTIONS" || ev.Method == "HEAD" {
		return
	}
	s := &e.apis[i]
	ok := ev.Outcome == catalog.OutcomeSuccess
	key := principal(ev)
	if ok && (s.role == taxonomy.RoleRegister || s.role == taxonomy.RoleLogin || s.role == taxonomy.RoleLoginCode) {
		if account := subjectOf(ev); account != 0 {
			key = account
		}
	}
	if key == 0 {
		key = c.who
	}
	t := m.trader(key, true)
	if c.n > 1 && e.party && c.signed == 0 {
		c.signed++ // identity APIs count it themselves
	}
	if s.role == taxonomy.RoleRegister && ok {
		t.born = ev.End
	}
	if tag := secretOf(ev); ok && tag != 0 && (s.role == taxonomy.RoleRegister || s.role == taxonomy.RoleLogin) {
		t.secret = tag
	}
	from, last := t.api, t.last
	t.n++
	t.api, t.last = i, ev.End
	switch {
	case s.role == taxonomy.RoleOrderCancel || s.role == taxonomy.RoleRefund:
		if ok {
			e.settleOrder(ev, key, false)
		}
		return
	case s.trade == 0:
		return
	}
	if tradeRole(s.role) == taxonomy.RoleClaim && (!claims(ev) || c.signed > 0) {
		return
	}
	if c.at == 0 {
		c.at = ev.Start
		if last != 0 {
			c.from, c.gap = from, ev.Start-last
		}
	}
	e.countDeals(ev, c, s.role)
	if c.secret == 0 {
		c.secret = m.secretOf(ev, t)
	}
	if c.trades == 0 && s.role == taxonomy.RolePayment {
		if ok {
			t.spent++
			e.settleOrder(ev, key, true)
		}
		return // nothing that is judged here: paid from a wallet
	}
	switch s.role {
	case taxonomy.RolePayment:
		if ok {
			t.spent++
			e.settleOrder(ev, key, true)
		}
	case taxonomy.RoleOrderCreate:
		c.trades++
		e.buyer(ev, c, key)
		if ok {
			t.spent++
			e.placed(ev, key, r, c)
		}
		m.openings.see(e, join(uint64(s.handle), offerOf(ev)), ev.Start, ok, r, c)
	default:
		c.trades++
		who := key
		if other := subjectOf(ev); other != 0 && !ev.Who.Is(other) {
			who = other
		}
		e.buyer(ev, c, who)
		if b := m.bornAt(ev, who); b != 0 && ev.End-b <= youth {
			c.newborn++
		}
		m.openings.see(e, join(uint64(s.handle), offerOf(ev)), ev.Start, ok, r, c)
	}
	marked := e.marked
	e.mark(c, ev.End)
	e.hintAPI(ev, c, s)
	e.marked = marked
	u := &e.units[s.trade]
	u.watch = true
	e.news(u)
}

// claims reports whether a request to an API for claiming claims something: one
// that lists what there is to claim does not.
func claims(ev *catalog.Event) bool {
	return ev.Method != "GET" || ev.Records == 0 && (ev.Object != 0 || offerOf(ev) != 0 || len(ev.Accounts) > 0)
}

func (e *Engine) buyer(ev *catalog.Event, c *cell, who uint64) {
	c.subj++
	e.pool.add(&c.sets[setSubjects], who)
}

// bornAt is when the account, under whatever name, was made.
func (m *market) bornAt(ev *catalog.Event, who uint64) int64 {
	if t := m.trader(who, false); t != nil && t.born != 0 {
		return t.born
	}
	for _, a := range ev.Who.Aliases {
		if a == 0 {
			break
		}
		if t := m.trader(a, false); t != nil && t.born != 0 {
			return t.born
		}
	}
	return 0
}

// countDeals counts the values that a request trades with.
func (e *Engine) countDeals(ev *catalog.Event, c *cell, role taxonomy.Role) {
	var card, proof uint64
	for k := range ev.Deals {
		d := &ev.Deals[k]
		switch d.Kind {
		case observe.DealDevice:
			e.pool.add(&c.sets[setDevices], d.Token)
			if c.device == 0 {
				c.device = d.Token
			}
		case observe.DealPayee, observe.DealAddress:
			if role == taxonomy.RolePayment {
				break
			}
			e.pool.add(&c.sets[setPayees], d.Token)
			if c.payee == 0 {
				c.payee = d.Token
			}
		case observe.DealInviter:
			if tradeRole(role) != taxonomy.RoleClaim {
				break
			}
			c.invited++
			if c.payee == 0 {
				e.pool.add(&c.sets[setPayees], d.Token)
				c.payee = d.Token
			}
		case observe.DealCard:
			if card != 0 || role != taxonomy.RolePayment {
				break
			}
			card = d.Token
			if d.Flaw {
				c.flawed++
			}
			if d.Range != 0 {
				e.pool.add(&c.sets[setIssuers], d.Range)
				if c.issuer == 0 {
					c.issuer = d.Range
				}
			}
			if d.Set.Prefix != 0 {
				e.pool.add(&c.sets[setRows], d.Set.Prefix)
			}
		case observe.DealCVV, observe.DealExpiry:
			proof = join(proof, d.Token)
		case observe.DealAmount:
			c.amounts++
			if d.Size <= smallAmount {
				c.small++
			}
		}
	}
	if card != 0 {
		e.countCard(ev, c, card, proof)
	}
}

// offerOf names what is wanted.
func offerOf(ev *catalog.Event) uint64 {
	for k := range ev.Deals {
		if ev.Deals[k].Kind == observe.DealOffer {
			return ev.Deals[k].Token
		}
	}
	return ev.Object
}

// placed remembers an order until it is paid for or given up, under the
// identifiers that the answer gives and under who placed it.
func (e *Engine) placed(ev *catalog.Event, key uint64, r ref, c *cell) {
	e.market.orders.put(join(key, 4), r, c.gen, ev.End)
	n := 0
	for k := range ev.Leaves {
		l := &ev.Leaves[k]
		if l.Record != 0 || l.Token == 0 || n >= maxOrderIDs || l.Class == observe.ClassWord || ev.Who.Is(l.Token) || l.Token == key {
			continue
		}
		e.market.orders.put(join(l.Token, 5), r, c.gen, ev.End)
		n++
	}
}

// maxOrderIDs is how many identifiers of an answer may be the order's.
const maxOrderIDs = 4

// held is how long an order is kept from others, for giving it up to count: who
// notices a mistake is faster, and so is a monitor.
const held = int64(15e9)

// settleOrder credits the cell that placed an order with what became of it.
func (e *Engine) settleOrder(ev *catalog.Event, key uint64, paid bool) {
	m := &e.market
	w, ok := m.orders.take(join(ev.Object, 5))
	for k := 0; !ok && k < min(len(ev.Params), observe.MaxAccounts); k++ {
		if t := ev.Params[k].Token; t != 0 {
			w, ok = m.orders.take(join(t, 5))
		}
	}
	if !ok {
		if w, ok = m.orders.take(join(key, 4)); !ok {
			return
		}
	}
	c := e.cells.at(w.at)
	switch {
	case c.gen != w.gen:
	case paid:
		c.paid++
		m.paid = true
	case ev.End-w.time >= held:
		c.dropped++
		if u := e.apis[c.api].trade; u != 0 {
			e.news(&e.units[u])
		}
	}
}
