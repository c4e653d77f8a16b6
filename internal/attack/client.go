package attack

// Whether a client is one that the site's people have. Browsers send the same
// to the byte from a million machines, so that many accounts with one client
// say nothing as long as it is a common one.

const (
	clientPeers = 20   // people at work to compare with
	clientRare  = 0.02 // of them with a client that is nobody's
)

// clients counts the site's people at work by their client's handshake and
// headers, leaving out those whom skip names and those accused.
func (s *scene) clients(skip func(a *cell) bool) (by map[uint64]int, all int) {
	by = make(map[uint64]int)
	for r := s.e.apis[0].cells.head; r != 0 && !s.e.cells.past(r, s.now-horizon); r = s.e.cells.after(r) {
		if a := s.e.cells.at(r); a.business > 0 && !a.accused && !skip(a) {
			by[a.cohort]++
			all++
		}
	}
	return by, all
}

// strange is the share of a scope's members whose client hardly anybody else
// has; known is false where there is nobody to compare with.
func (s *scene) strange(sc *scope, skip func(a *cell) bool) (rate float64, known bool) {
	if len(sc.members) == 0 {
		return 0, false
	}
	by, all := s.clients(skip)
	rare := func(c *cell) bool { return float64(by[c.cohort]) <= clientRare*float64(all) }
	if all < clientPeers { // a quiet day: those who were at work before
		if rare = func(c *cell) bool { return s.e.fleet.rare(c.cohort) && by[c.cohort] == 0 }; s.e.fleet.all < clientPeers {
			return 0, false
		}
	}
	n := 0
	for _, i := range sc.members {
		if rare(s.cell(i)) {
			n++
		}
	}
	return float64(n) / float64(len(sc.members)), true
}
