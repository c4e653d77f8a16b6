package attack

import (
	"math"
	"net/netip"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func deviceOf(n uint64) observe.Deal {
	return observe.Deal{Kind: observe.DealDevice, Token: mix64(n + 1)}
}
func payee(n uint64) observe.Deal { return observe.Deal{Kind: observe.DealPayee, Token: mix64(n + 2)} }
func inviter(n uint64) observe.Deal {
	return observe.Deal{Kind: observe.DealInviter, Token: mix64(n + 3)}
}
func offer(n uint64) observe.Deal { return observe.Deal{Kind: observe.DealOffer, Token: mix64(n + 4)} }

// think is how long a person takes for a step: seldom the same.
func (s *script) think(median float64) float64 { return median * math.Exp(0.9*s.rng.NormFloat64()) }

func (s *script) promotion() {
	s.api("page", "GET", "/activity/{id}", taxonomy.RoleDetail)
	s.api("claim", "POST", "/coupon/claim", taxonomy.RoleClaim)
	s.api("bind", "POST", "/invite/bind", taxonomy.RoleInvite)
}

// claim adds a claim of a signed-in client.
func (s *script) claim(c *client, sec float64, api, truth string, ok bool, deals ...observe.Deal) *scripted {
	return s.send(c, sec, api, truth, func(ev *scripted) {
		ev.obs.ParamShape = c.shape
		ev.obs.Deals = append(deals, offer(1))
		if !ok {
			ev.Outcome = catalog.OutcomeRejected
		}
	})
}

// claimers adds n people who come for a coupon, some to use it.
func (s *script) claimers(first, n int, from, to float64, at func(i int) *client) {
	for i := range n {
		c := at(i)
		id := uint64(20_000 + first + i)
		sec := from + s.rng.Float64()*(to-from)
		if s.rng.IntN(4) == 0 {
			s.register(c, sec, id, "")
			sec += s.think(8)
		}
		s.login(c, sec, id, c.password, "ok", "")
		for range s.rng.IntN(4) {
			sec += s.think(6)
			s.send(c, sec, "list", "", nil)
		}
		sec += s.think(5)
		s.read(c, sec, "page", 7, 0, "")
		sec += s.think(6)
		s.claim(c, sec, "claim", "", true, deviceOf(id))
		if s.rng.IntN(3) == 0 {
			sec += s.think(20)
			s.send(c, sec, "create", "", nil)
		}
	}
}

func eachPromo(t *testing.T, f func(t *testing.T, s *script)) {
	each(t, func(t *testing.T, s *script) {
		s.promotion()
		s.claimers(0, 70, 20, 1500, func(i int) *client { return s.browser(s.home(2000 + i)) })
		f(t, s)
	})
}

// hunt plays accounts by one hand.
type hunt struct {
	register bool
	browse   int
	wait     func() float64 // from step to step
	every    func() float64 // from account to account
	client   func(i int) *client
	deals    func(i int) []observe.Deal
	api      string
}

func (s *script) hunt(n int, h hunt) {
	at := 100.0
	for i := range n {
		c := h.client(i)
		id, sec := uint64(900_000+i), at
		if h.register {
			s.register(c, sec, id, "hunt")
			sec += h.wait()
		}
		s.login(c, sec, id, 5+uint64(i), "ok", "hunt")
		for range h.browse {
			sec += h.wait()
			s.send(c, sec, "list", "hunt", nil)
		}
		sec += h.wait()
		s.read(c, sec, "page", 7, 0, "hunt")
		sec += h.wait()
		api := h.api
		if api == "" {
			api = "claim"
		}
		s.claim(c, sec, api, "claims", true, h.deals(i)...)
		at += h.every()
	}
}

func TestPromotionAbuse(t *testing.T) {
	own := func(i int) []observe.Deal { return []observe.Deal{deviceOf(uint64(700_000 + i))} }
	for name, make := range map[string]func(s *script) hunt{
		"one device": func(s *script) hunt {
			return hunt{client: func(int) *client { return s.browser(s.far()) }, deals: func(int) []observe.Deal { return []observe.Deal{deviceOf(5)} },
				wait: s.machine(3), every: s.machine(40)}
		},
		"one payee": func(s *script) hunt {
			return hunt{client: func(int) *client { return s.browser(s.far()) }, deals: func(i int) []observe.Deal { return append(own(i), payee(5)) },
				wait: func() float64 { return 2 + 6*s.rng.Float64() }, every: func() float64 { return s.rng.ExpFloat64() * 30 }, browse: 2}
		},
		"a library, an address an account": func(s *script) hunt {
			tool := *s.tool(ip4(1, 1, 1, 1))
			tool.tool = false
			return hunt{client: func(int) *client { c := tool; c.ip = s.far(); return &c }, deals: own, wait: s.machine(2.5), every: func() float64 { return s.rng.ExpFloat64() * 30 }}
		},
		"the whole flow, by browsers, of one structure": func(s *script) hunt {
			return hunt{client: func(int) *client { c := s.browser(s.far()); c.shape = 31337; return c }, deals: own, wait: s.machine(4), every: func() float64 { return s.rng.ExpFloat64() * 30 }, browse: 3}
		},
		"new accounts, at random": func(s *script) hunt {
			tool := *s.tool(ip4(1, 1, 1, 1))
			tool.tool = false
			return hunt{register: true, client: func(int) *client { c := tool; c.ip = s.far(); return &c }, deals: own, wait: func() float64 { return s.think(4) }, every: func() float64 { return s.rng.ExpFloat64() * 30 }}
		},
		"slowly, like a clock": func(s *script) hunt {
			return hunt{client: func(int) *client { return s.browser(s.far()) }, deals: func(i int) []observe.Deal { return append(own(i), payee(5)) },
				wait: func() float64 { return s.think(4) }, every: s.machine(120)}
		},
		"friends of his own": func(s *script) hunt {
			tool := *s.tool(ip4(1, 1, 1, 1))
			tool.tool = false
			return hunt{register: true, api: "bind", client: func(int) *client { c := tool; c.ip = s.far(); return &c }, deals: func(i int) []observe.Deal { return append(own(i), inviter(5)) },
				wait: s.machine(3), every: func() float64 { return s.rng.ExpFloat64() * 30 }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachPromo(t, func(t *testing.T, s *script) {
				s.hunt(25+s.rng.IntN(20), make(s))
				r := s.run(t)
				r.found(t, "claims", 0.9, taxonomy.AttackPromotionAbuse)
				r.innocent(t)
				for _, f := range r.findings {
					if f.Kind == taxonomy.AttackPromotionAbuse && f.Verdict >= taxonomy.Likely && f.Succeeded < uint64(r.total["claims"])*8/10 {
						t.Errorf("%d coupons taken, not %d", f.Succeeded, r.total["claims"])
					}
				}
			})
		})
	}
}

func (s *script) far() netip.Addr {
	return ip4(30+s.rng.IntN(60), s.rng.IntN(250), s.rng.IntN(250), 9)
}

// machine waits as long as it was told, nearly.
func (s *script) machine(sec float64) func() float64 {
	return func() float64 { return sec * (0.9 + 0.2*s.rng.Float64()) }
}

func calmPromo(t *testing.T, f func(s *script)) {
	t.Helper()
	calmOver(t, eachPromo, f)
}

func TestClaimersAreInnocent(t *testing.T) { calmPromo(t, func(s *script) {}) }

// A family shares the tablet, the address and the payee.
func TestFamilyClaims(t *testing.T) {
	calmPromo(t, func(s *script) {
		for f := range 8 {
			proto := s.browser(s.home(4000 + f))
			at := 100 + s.rng.Float64()*1000
			for k := range 4 {
				c := *proto
				s.login(&c, at, uint64(300_000+f*10+k), 5, "ok", "")
				s.read(&c, at+s.think(5), "page", 7, 0, "")
				at += 8 + s.think(10)
				s.claim(&c, at, "claim", "", true, deviceOf(uint64(80_000+f)), payee(uint64(80_000+f)))
			}
		}
	})
}

// A dormitory: one address, one app, and a coupon that all have heard of.
func TestDormitoryClaims(t *testing.T) {
	calmPromo(t, func(s *script) {
		app := s.browser(ip4(77, 1, 1, 1))
		s.claimers(500, 90, 300, 900, func(int) *client { c := *app; return &c })
	})
}

// Somebody popular brings many friends.
func TestPopularInviter(t *testing.T) {
	calmPromo(t, func(s *script) {
		for i := range 100 {
			c, at, id := s.browser(s.home(4000+i)), 100+s.rng.ExpFloat64()*400, uint64(300_000+i)
			s.register(c, at, id, "")
			at += s.think(10)
			s.login(c, at, id, c.password, "ok", "")
			at += s.think(8)
			s.claim(c, at, "bind", "", true, deviceOf(id), inviter(9))
			for range s.rng.IntN(5) {
				at += s.think(10)
				s.send(c, at, "list", "", nil)
			}
		}
	})
}

// A department gives coupons to a list of customers, by key or from the desk.
func TestMarketingImport(t *testing.T) {
	for _, signed := range []bool{true, false} {
		calmPromo(t, func(s *script) {
			c := s.tool(ip4(33, 1, 1, 1))
			c.credential, c.principal = 900, 901
			for i := range 300 {
				ev := s.claim(c, 100+float64(i)*0.5, "claim", "", true)
				ev.obs.Accounts = []observe.Account{{Name: "phone", Kind: observe.AccountPhone, Token: uint64(6_000_000 + i)}}
				ev.Who.Subject = uint64(6_000_000 + i)
				if signed {
					ev.obs.Credentials = []observe.Credential{{Kind: observe.CredAPIKey, Token: 900}}
				}
			}
		})
	}
}

// A drop that everybody waits for with the shop's app.
func TestDropOfCoupons(t *testing.T) {
	calmPromo(t, func(s *script) {
		app := s.browser(ip4(1, 1, 1, 1))
		for i := range 200 {
			c, id := *app, uint64(300_000+i)
			c.ip = s.home(4000 + i)
			s.login(&c, 700+s.rng.Float64()*90, id, 5, "ok", "")
			s.read(&c, 795+s.rng.Float64()*5, "page", 7, 0, "")
			at := 800 + s.think(0.9)
			for range 1 + s.rng.IntN(4) {
				s.claim(&c, at, "claim", "", s.rng.IntN(2) == 0, deviceOf(id))
				at += 0.3 + s.rng.Float64()
			}
		}
	})
}

// Staff of a shop help new customers, one after the other, on the shop's tablet.
func TestStaffWhoHelp(t *testing.T) {
	calmPromo(t, func(s *script) {
		tablet, at := s.browser(s.home(4000)), 100.0
		for i := range 12 {
			c, id := *tablet, uint64(300_000+i)
			c.password = s.rng.Uint64()
			s.register(&c, at, id, "")
			at += s.think(15)
			s.login(&c, at, id, c.password, "ok", "")
			at += s.think(10)
			s.read(&c, at, "page", 7, 0, "")
			at += s.think(6)
			s.claim(&c, at, "claim", "", true, deviceOf(5))
			s.send(&c, at+s.think(9), "me", "", nil)
			at += 20 + s.think(60)
		}
	})
}

// An app that checks people in when it starts.
func TestAppThatClaimsByItself(t *testing.T) {
	calmPromo(t, func(s *script) {
		app := s.browser(ip4(1, 1, 1, 1))
		for i := range 120 {
			c, id, at := *app, uint64(300_000+i), 100+s.rng.Float64()*1200
			c.ip = s.home(4000 + i)
			s.login(&c, at, id, 5, "ok", "")
			s.send(&c, at+0.4, "list", "", nil)
			s.claim(&c, at+0.9, "claim", "", true, deviceOf(id))
			for range s.rng.IntN(6) {
				at += s.think(9)
				s.send(&c, at, "list", "", nil)
			}
		}
	})
}

// TestAliasesOfTheNew: an account is as new under its number as under its name.
func TestAliasesOfTheNew(t *testing.T) {
	var m market
	m.init(Budget{}.withDefaults())
	m.trader(11, true).born = 5
	ev := &catalog.Event{Who: identity.Who{Principal: 12, Aliases: [identity.MaxAliases]uint64{11}}}
	if got := m.bornAt(ev, 12); got != 5 {
		t.Errorf("made at %d", got)
	}
	if got := m.bornAt(ev, 13); got != 5 {
		t.Errorf("another account was made at %d", got)
	}
}
