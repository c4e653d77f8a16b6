package attack

import (
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/message"
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/taxonomy"
)

// Budget bounds the state of one site. Zero fields take the defaults.
type Budget struct {
	Cells    int   // askers × APIs with live state
	SetBytes int64 // storage of distinct sets
	Targets  int   // accounts watched for guessing
	Pending  int   // issued tokens and new accounts awaiting their first use
	Names    int   // parameter names known
	APIs     int
	Episodes int // findings kept
	Buckets  int // of rules that people brought along
}

func (b Budget) withDefaults() Budget {
	d := Budget{Cells: 1 << 16, SetBytes: 32 << 20, Targets: 1 << 14, Pending: 1 << 15, Names: 1 << 15, APIs: 1 << 14, Episodes: 2048}
	for _, f := range [...]struct{ have, def *int }{{&b.Cells, &d.Cells}, {&b.Targets, &d.Targets}, {&b.Pending, &d.Pending}, {&b.Names, &d.Names}, {&b.APIs, &d.APIs}, {&b.Episodes, &d.Episodes}} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	b.Cells = max(b.Cells, 64)
	if b.SetBytes <= 0 {
		b.SetBytes = d.SetBytes
	}
	return b
}

// Config is what an engine is made of.
type Config struct {
	Messages *message.Catalog
	Site     string
	Zone     *time.Location // of the site's days; nil: UTC
	Budget   Budget
	Rules    *scenario.Set // that people brought along; may be nil
}

// Losses counts the coverage given up at the caps.
type Losses struct {
	Cells    uint64 // askers forgotten before their time
	Sets     uint64 // values a distinct set had no room for
	Targets  uint64
	Pending  uint64
	Names    uint64
	APIs     uint64 // requests of APIs beyond the cap
	Episodes uint64
	Labels   uint64 // fingerprints or agent families without a name
	Activity uint64 // times that a day or an API had no row of its own
	Lookups  uint64 // questions judged before their time, or not told
	Lured    uint64 // cohorts that touched a decoy and found no room
	Hints    uint64 // traits of suspects that found no room
	Buckets  uint64 // of rules that people brought along
	Seen     uint64 // values that their buckets forgot
	Alerts   uint64 // of such rules that found no room
}

// Engine judges the attacks on one site. It is not safe for concurrent use.
type Engine struct {
	cfg     Config           `snapshot:"-"`
	msg     *message.Catalog `snapshot:"-"`
	now     int64
	cells   *table
	pool    pool              // storage of cells' and targets' sets
	scratch pool              `snapshot:"-"` // storage of sums while judging
	desk    desk              `snapshot:"-"` // storage of scenes
	axes    map[string][]axis `snapshot:"-"` // by role
	apis    []apiState
	byAPI   map[catalog.Handle]int32
	units   []unit
	byUnit  map[string]int32
	doors   map[uint64]int32
	labels  labels
	senders []int32 // APIs of other units that send codes as well
	numbers numbers // that codes are sent to
	usual   usual   // what people make of codes
	initial initial // passwords that were given to people
	targets targets
	pending pending
	looks   looks
	opened  *rotor // (asker, target) that was opened
	engaged bool   // there are acts on the site
	names   names
	links   links
	scripts scripts // of programs that accounts are played by
	market  market  // see trade.go
	made    *rotor  // (asker, token) that the asker itself wrote
	given   *rotor  // (asker, token) that a response handed to it
	book    *book
	losses  Losses
	event   catalog.Event `snapshot:"-"` // the event being observed, where its outcome is put right
	travels travels       // where people are
	worked  bool          // a cell has ever been in business
	marked  bool          // the event being observed looks like abuse
	refused bool          // … was refused by a control
	party   bool          // … is one of a party's, see party.go
	parties parties
	rows    slicePool[row]
	hints   slicePool[hint]
	crowd   crowd
	fleet   fleet  // of those at work, see machine.go
	faces   fleet  // of all askers, see swarm.go
	hot     int    // units that have a heat
	flow    *flow  // between APIs
	came    came   // how the event being observed came to its API
	around  *crowd // while findings are made: with those who have cells
	days    calendar

	imported *imported // nil: no rules
	lures    lures     // cohorts that touched a decoy
}

// apiState is what the engine keeps of one API. Index 0 stands for the site as
// a whole: its cells are the actors.
type apiState struct {
	handle    catalog.Handle
	into      int32 // the API that it turned out to be, 0 none
	id        string
	role      taxonomy.Role
	method    string
	template  string
	place     uint64 // hash of template
	unit      int32
	trade     int32  // unit that also looks at it, for what it trades; 0 none
	on        uint32 // askers whose unseen login was answered with a redirect
	tried     uint32 // askers of unseen logins
	door      uint64 // path of a login that is no API
	n, pw     uint32
	reads     uint32
	cells     list
	sender    bool                // in Engine.senders
	people    uint32              // answers that gave people's data
	shapes    *[shapeSlots]uint64 // parameter structures whose names are known
	named     uint32              // parameter names learned here
	habit     habit
	free      uint32 // strangers' requests answered, see party.go
	shut      uint32 // … turned away
	lastFree  uint64
	strangers uint32
	fads      *fads // see swarm.go
}

// unit is the APIs judged together: all of one identity role, or one API, or
// the site (unit 0).
type unit struct {
	id       string
	role     taxonomy.Role // "" for an API judged by its objects
	apis     []int32
	also     []int32 // APIs of other units that it looks at as well
	schedule [len(windows)]schedule
	watch    bool   // holds something worth a look
	wanted   bool   // something stands out, see heat.go
	events   uint32 // since the last look
	heat     *heat
}

// schedule makes the cost of judging proportional to the events: a window is
// looked at again when half of what it held has come anew.
type schedule struct {
	dirty, size int
	last        int64
}

// windows are the spans over which scopes are judged, in nanoseconds.
var windows = [...]int64{600e9, 3600e9, 86400e9}

const (
	manyAskers = 1024           // in one window
	horizon    = int64(86400e9) // cells older than this are forgotten
	burstGap   = int64(1800e9)  // silence that ends a burst
	burstSpan  = int64(3600e9)  // a busy cell starts anew after this
	shapeSlots = 64
)

// New gives an engine for one site.
func New(cfg Config) *Engine {
	cfg.Budget = cfg.Budget.withDefaults()
	b := cfg.Budget
	e := &Engine{
		cfg: cfg, msg: cfg.Messages,
		cells:  newTable(b.Cells),
		byAPI:  make(map[catalog.Handle]int32),
		byUnit: make(map[string]int32),
		doors:  make(map[uint64]int32),
		axes:   make(map[string][]axis),
		made:   newRotor(b.Cells * 4),
		given:  newRotor(b.Cells * 8),
		opened: newRotor(b.Cells * 4),
	}
	if e.msg == nil {
		e.msg = &message.Catalog{}
	}
	e.pool.budget = b.SetBytes
	e.travels = newTravels(b.Cells)
	e.crowd = newCrowd(b.Cells)
	e.hints = slicePool[hint]{sizes: hintSizes, bytes: hintBytes, budget: b.SetBytes / 4}
	e.rows = slicePool[row]{sizes: rowSizes, bytes: rowBytes, budget: b.SetBytes / 4}
	if e.days.zone = cfg.Zone; e.days.zone == nil {
		e.days.zone = time.UTC
	}
	e.labels.init()
	e.targets.init(b.Targets)
	e.numbers.init(b.Targets)
	e.initial.init()
	e.pending.init(b.Pending)
	e.looks.init(b.Pending)
	e.names.init(b.Names)
	e.links.init(b.Names)
	e.scripts.init(b.Targets)
	e.market.init(b)
	e.flow = newFlow()
	e.fleet.by = make(map[uint64]uint32)
	e.faces.by = make(map[uint64]uint32)
	e.parties = newParties()
	e.book = newBook(b.Episodes)
	e.addRules(cfg.Rules)
	e.units = append(e.units, unit{id: "site"})
	e.apis = append(e.apis, apiState{id: "", unit: 0})
	e.units[0].apis = []int32{0}
	return e
}

// Losses reports what the caps cost so far.
func (e *Engine) Losses() Losses {
	l := e.losses
	l.Cells, l.Sets = e.cells.Evicted, e.pool.Refused
	l.Targets, l.Pending, l.Names = e.targets.lost+e.numbers.lost+e.scripts.lost+e.market.lost+e.travels.stays.Evicted()+e.parties.by.Evicted(), e.pending.lost+e.market.orders.lost, e.names.lost+e.links.lost
	l.Lookups, l.Lured = e.looks.lost, e.lures.lost
	l.Episodes, l.Labels = e.book.lost, e.labels.lost
	l.Activity, l.Hints = e.rows.refused+e.book.folded, e.hints.refused
	if m := e.imported; m != nil {
		l.Buckets, l.Seen, l.Alerts = m.pool.Losses.Buckets, m.pool.Losses.Seen+m.pool.Losses.Unknown, m.lost
	}
	return l
}

// Live reports how many cells hold state.
func (e *Engine) Live() int { return e.cells.live }

// Tick moves event time on when the site is idle.
func (e *Engine) Tick(now int64) {
	if now <= e.now {
		return
	}
	e.now, e.cells.now = now, now
	if m := e.imported; m != nil {
		m.pool.Tick(now, func(a *scenario.Alert) { m.alert(e, a) })
	}
	e.expire(8)
	for i := range e.units {
		if e.due(&e.units[i], true) {
			e.judge(e.book, &e.units[i], lookDue)
		}
	}
	if e.now-e.book.checked > 10e9 {
		e.book.close(e, e.now)
	}
}

// expire forgets up to n cells beyond the horizon, oldest first.
func (e *Engine) expire(n int) {
	for l := range e.cells.lists {
		for range n {
			r := e.cells.lists[l].tail
			if r == 0 {
				break
			}
			if e.now-e.cells.links[r].last <= horizon {
				break
			}
			// After a long silence attacks end first: what their members did is
			// judged while everything is known of them.
			e.expireBook()
			if e.cells.lists[l].tail != r {
				continue
			}
			e.retire(r, e.cells.at(r))
		}
	}
}

// retire forgets a cell; what an episode owns of it is settled there first.
func (e *Engine) retire(r ref, c *cell) {
	if e.honest(r, c) {
		e.crowd.cell(e, c)
		e.apis[c.api].habit.learn(c)
		if c.api == 0 {
			e.flow.learn(&c.session)
		}
	}
	e.book.settle(e, r, c)
	e.usual.learn(c)
	c.tally.free(&e.pool)
	e.rows.release(c.rows)
	e.hints.release(c.hints)
	e.cells.unlinkAPI(&e.apis[c.api].cells, r)
	e.cells.remove(r, c)
}

// api gives the index of the event's API, 0 when it has none.
func (e *Engine) api(a *catalog.API) int32 {
	if a == nil {
		return 0
	}
	i, ok := e.byAPI[a.Handle]
	if !ok {
		if len(e.apis) > e.cfg.Budget.APIs {
			e.losses.APIs++
			return 0
		}
		i = int32(len(e.apis))
		e.apis = append(e.apis, apiState{handle: a.Handle, id: a.ID, role: a.Role, method: a.Method, template: a.Template, unit: -1})
		e.byAPI[a.Handle] = i
		e.assign(i)
	}
	s := &e.apis[i]
	// Evidence of what an API is for comes late: look again now and then.
	if s.template != a.Template || s.place == 0 { // may generalise
		s.template, s.place = a.Template, hashText(a.Template)
	}
	if s.role != a.Role || s.n&(s.n-1) == 0 {
		s.role = a.Role
		e.assign(i)
		e.trades(i)
	}
	return i
}

// identityRole reports whether requests of that role name an account to get in
// or to be told about.
func identityRole(r taxonomy.Role) bool {
	switch r {
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode, taxonomy.RoleRegister, taxonomy.RolePasswordReset,
		taxonomy.RoleIdentityCheck, taxonomy.RoleCodeSend, taxonomy.RoleCodeVerify, taxonomy.RoleQueryProgress:
		return true
	}
	return false
}

// assign puts an API into its unit.
func (e *Engine) assign(i int32) {
	s := &e.apis[i]
	role := s.role
	if !identityRole(role) {
		role = ""
		// A form that takes an account and a password is a login, whatever the
		// catalogue could make of its path, unless it is known to be another thing.
		if s.n >= 8 && s.pw*10 >= s.n*8 && (s.role == "" || s.role == taxonomy.RoleOther) {
			role = taxonomy.RoleLogin
		}
	}
	id := "api:" + s.id
	if role != "" {
		id = "role:" + string(role)
	}
	if s.unit >= 0 && e.units[s.unit].id == id {
		return
	}
	if s.unit >= 0 {
		old := &e.units[s.unit]
		for k, x := range old.apis {
			if x == i {
				old.apis = append(old.apis[:k], old.apis[k+1:]...)
				break
			}
		}
	}
	u := e.unit(id, role)
	e.units[u].apis = append(e.units[u].apis, i)
	s.unit = u
}

// unit gives the index of a unit, made on first use.
func (e *Engine) unit(id string, role taxonomy.Role) int32 {
	u, ok := e.byUnit[id]
	if !ok {
		u = int32(len(e.units))
		e.units = append(e.units, unit{id: id, role: role})
		e.byUnit[id] = u
	}
	return u
}

// due reports whether a unit has enough news to be judged. When idle is set
// the site has time on its hands, so less news suffices.
func (e *Engine) due(u *unit, idle bool) bool {
	if !u.watch {
		return false
	}
	for w := range u.schedule {
		if s := &u.schedule[w]; e.dueWindow(u, w, s, false) || idle && s.dirty > 0 && s.dirty*32 >= s.size && e.now-s.last >= 10e9 {
			return true
		}
	}
	return false
}

// dueWindow reports whether a window has enough news: half of what it held or,
// where that is many askers, as much as it held, or eight times as much where the
// heat would show what stands out. A window that can be looked at
// along with another one needs less; that of many askers waits a quarter of its
// length, as each look passes over all of them.
func (e *Engine) dueWindow(u *unit, w int, s *schedule, along bool) bool {
	least := s.size / 2
	if s.size >= manyAskers {
		least = s.size
		if u.heat.warm() {
			least *= 8
		}
	}
	if s.dirty >= max(48, least) || !along || s.dirty == 0 {
		return s.dirty >= max(48, least)
	}
	if s.size >= manyAskers {
		return e.now-s.last >= windows[w]/4
	}
	return s.dirty*32 >= s.size && e.now-s.last >= 10e9
}
