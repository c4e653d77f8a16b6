package attack

import (
	"math"
	"strconv"

	"xiezhi/internal/intel"
	"xiezhi/internal/taxonomy"
)

// What the networks of addresses tell: machines stand in data centres and
// people sit at home, and who rents homes by the minute uses each for one
// request. All of it is weighed against the other askers; a share that is
// usual at this API says nothing. Without a map nothing is said.

const (
	originKnown  = 0.5 // share of members whose network must be known
	originPeers  = 20  // other askers to compare with
	poolMembers  = 20  // askers of a rotating pool
	poolSystems  = 4
	poolPerOne   = 1.5 // requests an address makes on the whole site
	poolTimes    = 3.0 // … times as many by those of other people
	networkBound = 3.0 // log-odds of all that networks tell
)

// anonymous reports whether nobody lives behind networks of that type and much
// is sent from them.
func anonymous(t taxonomy.NetworkType) bool {
	return t == taxonomy.DataCentre || t == taxonomy.VPN || t == taxonomy.Tor
}

// nets is what is known of the networks of some askers.
type nets struct {
	askers, known, machines, homes int
	whole                          float64 // requests of their actors on the whole site
	addrs                          map[uint64]struct{}
	systems                        map[uint32]struct{}
	lands                          lands
}

func (s *scene) addNet(n *nets, c *cell) {
	n.askers++
	whole := max(c.whole, c.n)
	if a := s.actorOf(c); a != nil {
		whole = max(whole, a.n) // the cell knows what it had by its own last request
	}
	n.whole += float64(whole)
	if c.addr != 0 {
		n.addrs[c.addr] = struct{}{}
	}
	if c.where.Type != taxonomy.UnknownNetwork && c.where.Type != taxonomy.Reserved {
		n.known++
		if anonymous(c.where.Type) {
			n.machines++
		}
		if c.where.Type.Home() {
			n.homes++
		}
	}
	if c.where.ASN != 0 && len(n.systems) < 1024 {
		n.systems[c.where.ASN] = struct{}{}
	}
	if land := placed(c.where); land != 0 {
		n.lands.add(land)
	}
}

func (n *nets) machineShare() float64 { return share(uint32(n.machines), uint32(n.known)) }

// origins sums up the networks of a scope's members and of the others.
func (s *scene) origins(sc *scope) (mine, others nets) {
	for _, n := range [2]*nets{&mine, &others} {
		n.addrs, n.systems = map[uint64]struct{}{}, map[uint32]struct{}{}
	}
	some := false
	for _, i := range sc.members {
		s.addNet(&mine, s.cell(i))
		some = some || s.cell(i).where.Known()
	}
	if !some {
		return mine, others
	}
	in := sc.inside()
	for i := range s.refs {
		if c := s.cell(int32(i)); !in[int32(i)] && !s.taken[i] && !s.e.book.accused(s.refs[i], c) {
			s.addNet(&others, c)
		}
	}
	return mine, others
}

// origin weighs the networks of a scope's addresses.
func (s *scene) origin(f *fusion, sc *scope) {
	mine, others := s.origins(sc)
	if float64(mine.known) < originKnown*float64(mine.askers) || others.known < originPeers {
		return
	}
	left := networkBound
	say := func(weight float64, id string, n, m any) {
		if weight = min(weight, left); weight > 0 {
			left -= weight
			f.say(taxonomy.FamilyNetwork, weight, id, n, m)
		}
	}
	if a, b := mine.machineShare(), others.machineShare(); a >= 0.5 && b <= 0.2 {
		say(2*(a-b), "data_centre", round2(a), round2(b))
	}
	s.rotating(&mine, &others, sc, say)
	if land, part := mine.lands.top(); land != 0 && part >= 0.8 && others.lands.total >= originPeers {
		if b := others.lands.share(land); b <= 0.05 {
			say(1, "land", land.String(), round2(b))
		}
	}
}

// rotating weighs homes that change with every request: the addresses of one
// client, in many systems, that each ask once or twice on the whole site where
// those of other people ask many times.
func (s *scene) rotating(mine, others *nets, sc *scope, say func(float64, string, any, any)) {
	if !sc.kind.wide() || sc.kind == scopePrefix || mine.askers < poolMembers || len(mine.systems) < poolSystems || mine.homes*5 < mine.known*4 || len(others.addrs) == 0 {
		return
	}
	each, usual := mine.whole/math.Max(float64(len(mine.addrs)), 1), others.whole/float64(len(others.addrs))
	if each <= poolPerOne && usual >= poolTimes*each {
		say(ramp(usual/each, poolTimes, 1, 10, 2), "rotating", len(mine.addrs), strconv.FormatFloat(round2(each), 'g', -1, 64))
	}
}

// top is the country of most, with its share.
func (l *lands) top() (land intel.Country, part float64) {
	most := uint32(0)
	for i := range l.used {
		if x := &l.list[i]; x.n > most || x.n == most && x.land < land {
			land, most = x.land, x.n
		}
	}
	return land, share(most, l.total)
}

// relayed reports whether most members ask through exits that many people
// share: then their addresses weigh nothing.
func (s *scene) relayed(sc *scope) bool {
	n := 0
	for _, i := range sc.members {
		if s.cell(i).where.Type.Relays() {
			n++
		}
	}
	return n*2 > len(sc.members)
}
