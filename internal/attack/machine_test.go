package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// leaf asks for one of many pages of a list.
func (s *script) leaf(c *client, at float64, truth string) {
	s.send(c, at, "list", truth, func(ev *scripted) {
		ev.obs.ParamShape = c.shape
		ev.obs.Params = []observe.Param{{Name: "page", Token: s.rng.Uint64(), In: observe.InQuery}, {Name: "size"}}
	})
}

func TestMachine(t *testing.T) {
	t.Run("one", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			c := s.tool(ip4(45, 9, 1, 7))
			c.tool = s.rng.IntN(2) == 0
			at := 200.0
			for range 150 + s.rng.IntN(300) {
				s.leaf(c, at, "bot")
				at += 0.2 + s.rng.Float64()
			}
			r := s.run(t)
			r.found(t, "bot", 0.9, taxonomy.AttackScraping)
			r.innocent(t)
		})
	})
	t.Run("a block of addresses", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			proto := s.tool(ip4(45, 9, 1, 7))
			at := 200.0
			for i := range 400 {
				c := *proto
				c.ip = ip4(45, 9, 1, 1+i%(15+s.rng.IntN(10)))
				s.leaf(&c, at, "bot")
				at += 0.2 + 0.8*s.rng.Float64()
			}
			r := s.run(t)
			r.found(t, "bot", 0.9, taxonomy.AttackScraping)
			r.innocent(t)
		})
	})
}

// TestMachineBlind: one tool at a login of which neither bodies nor answers are
// seen, from a few rented machines that are no neighbours.
func TestMachineBlind(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		proto := s.tool(ip4(45, 9, 1, 7))
		proto.shape = 0
		at := 200.0
		for i := range 400 {
			c := *proto
			n := 1 + i%(7+s.rng.IntN(8))
			c.ip = ip4(45+n, 9, n, n)
			s.send(&c, at, "login", "bot", func(ev *scripted) { ev.Outcome = catalog.OutcomeUnknown })
			at += 0.2 + 0.8*s.rng.Float64()
		}
		r := s.run(t)
		r.found(t, "bot", 0.9, taxonomy.AttackBruteForce, taxonomy.AttackBot)
		r.innocent(t)
	})
}

func TestNoMachine(t *testing.T) {
	t.Run("a few who have a tool", func(t *testing.T) {
		// Each signs in a few times, as anybody whose session ends does.
		calm(t, func(s *script) {
			proto := s.tool(ip4(45, 9, 1, 7))
			proto.shape = 0
			for i := range 70 {
				c := *proto
				c.ip = ip4(45+i%9, 9, i%9, 7)
				s.send(&c, 200+float64(i)*4, "login", "", func(ev *scripted) { ev.Outcome = catalog.OutcomeUnknown })
			}
		})
	})
	t.Run("a new version of an app", func(t *testing.T) {
		// Nobody has it yet, and it says that it is a library.
		calm(t, func(s *script) {
			app := s.tool(ip4(1, 1, 1, 1))
			app.family, app.password = "okhttp", 77
			for i := range 60 {
				c := *app
				c.ip, c.password = s.home(3000+i), s.rng.Uint64()
				s.user(&c, 3000+i, 200+s.rng.Float64()*100, 420)
			}
		})
	})
	t.Run("somebody in a hurry", func(t *testing.T) {
		calm(t, func(s *script) {
			c := s.tool(s.home(3000))
			c.tool, c.family, c.password = false, "opera", 5
			s.user(c, 3000, 150, 300)
			at := 300.0
			for range 45 { // one letter after the other
				s.leaf(c, at, "")
				at += 0.3 + s.rng.Float64()
			}
		})
	})
	t.Run("a browser that many have", func(t *testing.T) {
		calm(t, func(s *script) {
			c := s.browser(s.home(3000))
			for i := range 50 {
				s.leaf(c, 150+float64(i)*3, "")
			}
		})
	})
	t.Run("an integration", func(t *testing.T) {
		calm(t, func(s *script) {
			c := s.tool(ip4(33, 1, 1, 1))
			for i := range 500 {
				s.send(c, 150+float64(i)/2, "create", "", func(ev *scripted) {
					ev.obs.Credentials = []observe.Credential{{Kind: observe.CredSigned, Token: 4711}}
					ev.obs.ParamShape = c.shape
					ev.obs.Params = []observe.Param{{Name: "sku", Token: s.rng.Uint64()}}
				})
			}
		})
	})
}

// TestFleet: what is rare follows what people have now, in bounded room.
func TestFleet(t *testing.T) {
	x := fleet{by: map[uint64]uint32{}}
	for range clientPeers {
		if x.rare(2) {
			t.Fatal("rare where nobody is known")
		}
		x.add(1)
	}
	if x.rare(1) || !x.rare(2) {
		t.Errorf("of %d with client 1: rare %v, client 2 rare %v", x.all, x.rare(1), x.rare(2))
	}
	for i := range uint64(10 * fleetClients) {
		x.add(100 + i)
	}
	if len(x.by) > fleetClients {
		t.Errorf("%d clients", len(x.by))
	}
	for range 3 * fleetHalf {
		x.add(2)
	}
	sum := uint32(0)
	for _, n := range x.by {
		sum += n
	}
	if x.rare(2) || !x.rare(1) || sum != x.all || x.all >= fleetHalf {
		t.Errorf("after many with client 2: rare %v, client 1 rare %v, %d of %d", x.rare(2), x.rare(1), sum, x.all)
	}
}
