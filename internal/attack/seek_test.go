package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// parking opens a car park: drivers look up their cars, most of them pay.
func (s *script) parking(n int, to, pays float64) {
	for i, a := range []catalog.API{
		{ID: "fee", Method: "GET", Template: "/parking/fee/query", Role: taxonomy.RoleQueryProgress},
		{ID: "pay", Method: "POST", Template: "/parking/pay", Role: taxonomy.RolePayment},
		{ID: "fleet", Method: "GET", Template: "/partner/fees", Role: taxonomy.RoleQueryProgress},
		{ID: "friends", Method: "GET", Template: "/users/search", Role: taxonomy.RoleSearch},
		{ID: "contacts", Method: "POST", Template: "/contacts/match", Role: taxonomy.RoleSearch},
		{ID: "add", Method: "POST", Template: "/users/follow", Role: taxonomy.RoleFollow},
	} {
		a.Handle, a.Site = catalog.Handle(100+i), "shop"
		s.apis[a.ID] = &a
	}
	for i := range n {
		c := s.browser(s.home(2000 + i))
		at := s.rng.Float64() * to
		for range 1 + s.rng.IntN(2) {
			s.fee(c, at, 9_000_000+uint64(i), true, "")
			at += 20
		}
		if s.rng.Float64() < pays {
			s.payFor(c, at+20, 9_000_000+uint64(i), "")
		}
	}
}

func (s *script) fee(c *client, sec float64, plate uint64, parked bool, truth string) {
	s.ask1(c, sec, "fee", taxonomy.SensPlateNumber, plate, parked, truth)
}

// ask1 asks about one number.
func (s *script) ask1(c *client, sec float64, api string, of taxonomy.Sensitive, number uint64, known bool, truth string) *scripted {
	return s.send(c, sec, api, truth, func(ev *scripted) {
		ev.obs.ParamShape = c.shape
		ev.obs.Params = []observe.Param{{Name: "no", Token: number, In: observe.InQuery, Sensitive: of}}
		if !known {
			ev.Outcome, ev.ResponseClass = catalog.OutcomeNotFound, 9
			return
		}
		ev.obs.Exposures = []observe.Exposure{{Path: "data.since", Type: taxonomy.SensWhereabouts, Response: true, Count: 1, Distinct: 1, Subjects: []uint64{number}}}
	})
}

func (s *script) payFor(c *client, sec float64, plate uint64, truth string) {
	s.send(c, sec, "pay", truth, func(ev *scripted) {
		ev.obs.Params = []observe.Param{{Name: "plate", Token: plate, In: observe.InJSON, Sensitive: taxonomy.SensPlateNumber}}
	})
}

// TestTargetedLookup: a dozen cars and more, looked up for whoever pays for it.
func TestTargetedLookup(t *testing.T) {
	for _, how := range []string{"one source", "slow", "signed in", "mixed addresses"} {
		t.Run(how, func(t *testing.T) {
			for seed := range uint64(seeds) {
				s := newScript(seed)
				gap, n := 40.0, 12+s.rng.IntN(30)
				if how == "slow" {
					gap = 2400
				}
				s.crowd(30, 0, float64(n)*gap)
				s.parking(80, float64(n)*gap+200, 0.6)
				c := s.browser(ip4(45, 9, 1, 7))
				if how == "signed in" {
					c.credential, c.principal = 7777, 7778
				}
				for i := range n {
					if how == "mixed addresses" {
						c.credential, c.principal = 7777, 7778
						c.ip = ip4(60+i, i, 3, 9)
					}
					s.fee(c, 60+(float64(i)+s.rng.Float64()*0.8)*gap, 7_000_000+s.rng.Uint64()%100_000, i%3 != 0, "seek")
				}
				r := s.run(t)
				r.innocent(t)
				if f := r.exact(t, "seek", taxonomy.AttackTargetedLookup); f.Accounts < 12 || f.SubjectsExposed == 0 {
					t.Errorf("%d numbers, %d people\n%s", f.Accounts, f.SubjectsExposed, r)
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// TestHerdOfLookups: each car from an address of its own.
func TestHerdOfLookups(t *testing.T) {
	for seed := range uint64(seeds) {
		s := newScript(seed)
		s.crowd(30, 0, 3000)
		s.parking(150, 3000, 0.7)
		tool := s.tool(ip4(1, 1, 1, 1))
		tool.tool = false
		for i := range 60 {
			c := *tool
			c.ip = ip4(60+i, i, 3, 9)
			s.fee(&c, 60+float64(i)*40, 7_000_000+s.rng.Uint64()%100_000, i%3 != 0, "seek")
		}
		r := s.run(t)
		r.innocent(t)
		r.found(t, "seek", 0.95, taxonomy.AttackTargetedLookup)
	}
}

// TestFriendFinder: the search for people told to find out who is a member.
func TestFriendFinder(t *testing.T) {
	for seed := range uint64(seeds) {
		s := newScript(seed)
		s.crowd(30, 0, 2000)
		s.parking(0, 0, 0)
		for i := range 40 {
			c := s.browser(s.home(5000 + i))
			c.credential, c.principal = 600_000+uint64(i), 610_000+uint64(i)
			at := s.rng.Float64() * 2000
			for k := range 1 + s.rng.IntN(3) {
				s.ask1(c, at, "friends", taxonomy.SensCNMobile, 13_000_000+uint64(i*10+k), true, "")
				if s.rng.IntN(3) > 0 {
					s.send(c, at+9, "add", "", nil)
				}
				at += 30
			}
		}
		c := s.browser(ip4(45, 9, 1, 7))
		c.credential, c.principal = 7777, 7778
		for i := range 120 {
			s.ask1(c, 60+float64(i)*12, "friends", taxonomy.SensCNMobile, 7_000_000+s.rng.Uint64()%100_000, i%4 == 0, "scan")
		}
		r := s.run(t)
		r.innocent(t)
		if f := r.exact(t, "scan", taxonomy.AttackAccountScanning); f.Succeeded != 30 {
			t.Errorf("%d found to exist, not 30\n%s", f.Succeeded, r)
		}
	}
}

// TestLookupsOfPeople: who looks up many for a reason, or few.
func TestLookupsOfPeople(t *testing.T) {
	quiet := func(name string, f func(s *script)) {
		t.Run(name, func(t *testing.T) {
			calm(t, func(s *script) {
				s.parking(60, 400, 0.6)
				f(s)
			})
		})
	}
	quiet("nobody pays here", func(s *script) { s.parking(200, 400, 0) })
	quiet("fleet by contract", func(s *script) {
		c := s.tool(ip4(33, 1, 1, 1))
		for i := range 80 {
			s.ask1(c, 10+float64(i)*4, "fleet", taxonomy.SensPlateNumber, 8_000_000+uint64(i)*7, true, "").obs.Credentials = []observe.Credential{{Kind: observe.CredAPIKey, Token: 5}}
		}
	})
	quiet("fleet that pays where its cars stand", func(s *script) {
		c := s.tool(ip4(33, 1, 1, 1))
		for i := range 80 {
			there := i%8 == 3
			s.fee(c, 10+float64(i)*4, 8_000_000+uint64(i)*7, there, "")
			if there {
				s.payFor(c, 12+float64(i)*4, 8_000_000+uint64(i)*7, "")
			}
		}
	})
	quiet("cashier", func(s *script) {
		c := s.browser(ip4(33, 1, 1, 1))
		c.credential, c.principal = 900, 901
		for i := range 60 {
			s.fee(c, 10+float64(i)*6, 8_000_000+uint64(i)*7, true, "")
			s.payFor(c, 12+float64(i)*6, 8_000_000+uint64(i)*7, "")
		}
	})
	quiet("attendants", func(s *script) {
		for k := range 8 {
			c := s.browser(ip4(33, 1, 1, k+1))
			c.credential, c.principal = 900+uint64(k), 950+uint64(k)
			for i := range 25 {
				s.fee(c, 10+float64(i)*15, 8_000_000+uint64(k*1000+i*7), true, "")
			}
		}
	})
	quiet("contact book", func(s *script) {
		for k := range 20 {
			c := s.browser(s.home(7000 + k))
			c.credential, c.principal = 900+uint64(k), 950+uint64(k)
			for b := range 4 {
				s.send(c, 20+float64(k)*9+float64(b), "contacts", "", func(ev *scripted) {
					for range 50 {
						ev.obs.Params = append(ev.obs.Params, observe.Param{Name: "phones[]", Token: s.rng.Uint64(), In: observe.InJSON, Sensitive: taxonomy.SensCNMobile})
					}
				})
			}
		}
	})
	quiet("campus", func(s *script) {
		for i := range 60 {
			c := s.browser(ip4(33, 1, 1, 1))
			s.fee(c, 10+float64(i)*6, 8_000_000+uint64(i)*7, true, "")
			if i%2 == 0 {
				s.payFor(c, 30+float64(i)*6, 8_000_000+uint64(i)*7, "")
			}
		}
	})
}
