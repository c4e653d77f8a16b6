package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// query asks about a number that names no account.
func (s *script) query(c *client, sec float64, number uint64, known bool, truth string) {
	s.send(c, sec, "progress", truth, func(ev *scripted) {
		ev.obs.ParamShape = c.shape
		ev.obs.Params = []observe.Param{{Name: "plateNo", Token: number, In: observe.InQuery, Sensitive: taxonomy.SensPlateNumber}}
		if !known {
			ev.Outcome, ev.ResponseClass = catalog.OutcomeNotFound, 9
			return
		}
		ev.obs.Exposures = []observe.Exposure{{Path: "data.ownerPhone", Type: taxonomy.SensCNMobile, Response: true, Count: 1, Distinct: 1, Subjects: []uint64{number}}}
	})
}

// TestLookups: who asks about one car after the other where the answers give
// people's data looks for them; a driver asks about his own.
func TestLookups(t *testing.T) {
	waged(t, 160, func(s *script, i int, c *client, at float64) {
		if s.apis["progress"] == nil {
			s.apis["progress"] = &catalog.API{ID: "progress", Handle: catalog.Handle(len(s.apis) + 1), Site: "shop", Method: "GET", Template: "/fee/query", Role: taxonomy.RoleQueryProgress}
			for k := range 80 {
				b := s.browser(s.home(6000 + k))
				for range 1 + s.rng.IntN(3) {
					s.query(b, s.rng.Float64()*600, 9_000_000+uint64(k), k%10 != 0, "")
				}
			}
		}
		s.query(c, at, 7_000_000+uint64(i)*31, i%3 == 0, "plates")
	}, func(t *testing.T, r *result) {
		if f := r.exact(t, "plates", taxonomy.AttackTargetedLookup); f.SubjectsExposed < 50 {
			t.Errorf("%d people\n%s", f.SubjectsExposed, r)
		}
	})
}

// TestCountingThrough: a catalogue read in order with the gaps left out.
func TestCountingThrough(t *testing.T) {
	s := newScript(3)
	s.crowd(50, 0, 3000)
	c := s.browser(ip4(45, 9, 1, 7))
	id := uint64(5000)
	for i := range 300 {
		id += 1 + uint64(s.rng.IntN(3))
		s.read(c, 60+float64(i)*9+s.rng.Float64()*8, "news", id, 0, "parts")
	}
	r := s.run(t)
	r.exact(t, "parts", taxonomy.AttackScraping)
	r.innocent(t)
}

// TestOwnerUnderAttack: the owner of an account under guessing mistypes his
// password while others guess it.
func TestOwnerUnderAttack(t *testing.T) {
	for seed := range uint64(3) {
		s := newScript(seed)
		s.crowd(40, 0, 400)
		owner := s.browser(s.home(3000))
		for k := range 3 {
			s.login(owner, 100+float64(k)*9, 1_500_000, 40+uint64(k), "wrong", "")
		}
		tool := s.tool(ip4(1, 1, 1, 1))
		for i := range 80 {
			c := *tool
			c.ip = ip4(60+i%100, i, 3, 9)
			s.login(&c, 50+float64(i)*3, 1_500_000, 70_000+uint64(i), "wrong", "brute")
		}
		r := s.run(t)
		r.exact(t, "brute", taxonomy.AttackBruteForce)
		r.innocent(t)
	}
}

// TestAccountsInTurn: a few machines take one account after the other, each
// from all machines, and all of it is attributed.
func TestAccountsInTurn(t *testing.T) {
	for seed := range uint64(3) {
		s := newScript(seed)
		s.crowd(40, 0, 900)
		tool := s.tool(ip4(1, 1, 1, 1))
		for i := range 240 {
			c := *tool
			c.ip = ip4(60+i%4*20, i%4, 3, 9)
			s.login(&c, 50+float64(i)*3, 1_500_000+uint64(i/40), 70_000+uint64(i), "wrong", "brute")
		}
		owner := s.browser(s.home(3000))
		for k := range 3 {
			s.login(owner, 100+float64(k)*9, 1_500_000, 40+uint64(k), "wrong", "")
		}
		r := s.run(t)
		r.found(t, "brute", 0.95, taxonomy.AttackBruteForce)
		r.innocent(t)
	}
}

// TestLastRequests: an attack that ends hours before the recording does is
// counted to its last request, from however few clients.
func TestLastRequests(t *testing.T) {
	for _, n := range []int{120, 137, 163, 199} {
		s := newScript(uint64(n))
		s.telephony()
		s.crowd(30, 0, 900)
		s.callers(80, 0, 900, 0.85)
		c := s.from("distributed")
		for i := range n {
			s.ask(c(i), 60+float64(i)*5, "send", s.number(), "pump")
		}
		s.crowd(30, 10_000, 20_000)
		s.callers(80, 10_000, 20_000, 0.85)
		r := s.run(t)
		r.exact(t, "pump", taxonomy.AttackSMSAbuse)
		r.innocent(t)
	}
}
