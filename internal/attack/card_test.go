package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// api adds an API to the script's site.
func (s *script) api(id, method, template string, role taxonomy.Role) {
	s.apis[id] = &catalog.API{ID: id, Method: method, Template: template, Role: role, Handle: catalog.Handle(len(s.apis) + 1), Site: "shop"}
}

// card gives a number of an issuer: n is its place among the issuer's numbers.
func card(issuer, n uint64) observe.Deal {
	return observe.Deal{Kind: observe.DealCard, Token: mix64(issuer<<40 + n + 1), Range: mix64(issuer) | 1,
		Set: observe.SetFeature{Prefix: mix64(issuer<<30+n/10_000) | 1, Position: uint16(n % 10_000)}}
}

func proof(n uint64) observe.Deal { return observe.Deal{Kind: observe.DealCVV, Token: 1<<32 | n} }

// pay adds a payment by card; it is signed in when the client is.
func (s *script) pay(c *client, sec float64, truth string, ok bool, deals ...observe.Deal) *scripted {
	return s.send(c, sec, "pay", truth, func(ev *scripted) {
		ev.obs.ParamShape = c.shape
		ev.obs.Deals = deals
		if !ok {
			ev.Outcome, ev.obs.Status = catalog.OutcomeRejected, 402
		}
	})
}

// payers adds n people who pay by card: one in ten is declined and tries again,
// some have mistyped the security code.
func (s *script) payers(n int, from, to float64, at func(i int) *client) {
	s.api("pay", "POST", "/order/pay", taxonomy.RolePayment)
	for i := range n {
		c := at(i)
		c.credential, c.principal = 50_000+uint64(i), 60_000+uint64(i)
		sec := from + s.rng.Float64()*(to-from)
		own := card(uint64(1+s.rng.IntN(25)), s.rng.Uint64N(1e9))
		for k := range 1 + s.rng.IntN(3) {
			s.send(c, sec-30+float64(k)*8, "list", "", nil)
		}
		for range s.rng.IntN(3) * s.rng.IntN(2) * s.rng.IntN(2) { // a security code mistyped, twice at most
			s.pay(c, sec, "", false, own, proof(s.rng.Uint64N(1000)))
			sec += 10 + s.rng.Float64()*20
		}
		if s.rng.IntN(10) == 0 {
			s.pay(c, sec, "", false, own, proof(uint64(i)))
			sec += 20
			own = card(uint64(1+s.rng.IntN(25)), s.rng.Uint64N(1e9))
		}
		s.pay(c, sec, "", true, own, proof(uint64(i)))
	}
}

// eachTrade is each with a site that sells.
func eachTrade(t *testing.T, f func(t *testing.T, s *script)) {
	each(t, func(t *testing.T, s *script) {
		s.payers(80, 40, 1500, func(i int) *client { return s.browser(s.home(2000 + i)) })
		f(t, s)
	})
}

func TestCarding(t *testing.T) {
	approved := func(s *script) bool { return s.rng.IntN(8) == 0 }
	check := func(t *testing.T, s *script) {
		t.Helper()
		r := s.run(t)
		r.found(t, "card", 0.85, taxonomy.AttackCarding)
		r.innocent(t)
	}
	far := func(s *script) *client { return s.browser(ip4(30+s.rng.IntN(60), s.rng.IntN(250), s.rng.IntN(250), 9)) }
	t.Run("one address", func(t *testing.T) {
		eachTrade(t, func(t *testing.T, s *script) {
			c, at, gap := s.tool(ip4(45, 9, 1, 7)), 100.0, s.pace()
			for range 15 + s.rng.IntN(100) {
				s.pay(c, at, "card", approved(s), card(s.rng.Uint64N(25), s.rng.Uint64N(1e9)), proof(s.rng.Uint64N(1000)))
				at += gap
			}
			check(t, s)
		})
	})
	t.Run("one account", func(t *testing.T) {
		eachTrade(t, func(t *testing.T, s *script) {
			at := 100.0
			for range 15 + s.rng.IntN(30) { // from address to address
				c := far(s)
				c.credential, c.principal = 777, 778
				s.pay(c, at, "card", approved(s), card(s.rng.Uint64N(25), s.rng.Uint64N(1e9)), proof(s.rng.Uint64N(1000)))
				at += 5 + s.rng.Float64()*20
			}
			check(t, s)
		})
	})
	t.Run("an address a card, by a library", func(t *testing.T) {
		eachTrade(t, func(t *testing.T, s *script) {
			tool, at := *s.tool(ip4(1, 1, 1, 1)), 100.0
			tool.tool = s.rng.IntN(2) == 0
			for range 25 + s.rng.IntN(60) {
				c := tool
				c.ip = far(s).ip
				s.pay(&c, at, "card", approved(s), card(s.rng.Uint64N(25), s.rng.Uint64N(1e9)), proof(s.rng.Uint64N(1000)))
				at += 4 + s.rng.Float64()*10
			}
			check(t, s)
		})
	})
	t.Run("an address a card, by browsers, of one structure", func(t *testing.T) {
		eachTrade(t, func(t *testing.T, s *script) {
			at := 100.0
			for range 25 + s.rng.IntN(60) {
				c := far(s)
				c.shape = 31337
				s.pay(c, at, "card", approved(s), card(s.rng.Uint64N(25), s.rng.Uint64N(1e9)), proof(s.rng.Uint64N(1000)))
				at += 4 + s.rng.Float64()*10
			}
			check(t, s)
		})
	})
	t.Run("an address a card, by the site's own pages, numbers made up", func(t *testing.T) {
		eachTrade(t, func(t *testing.T, s *script) {
			at, from := 100.0, s.rng.Uint64N(1e9)
			for range 30 + s.rng.IntN(60) {
				s.pay(far(s), at, "card", approved(s), card(99, from+s.rng.Uint64N(20_000)), proof(s.rng.Uint64N(1000)))
				at += 4 + s.rng.Float64()*10
			}
			check(t, s)
		})
	})
	t.Run("slowly", func(t *testing.T) {
		eachTrade(t, func(t *testing.T, s *script) {
			s.payers(60, 1500, 9000, func(i int) *client { return s.browser(s.home(3000 + i)) })
			at := 100.0
			for range 60 {
				c := far(s)
				c.shape = 31337
				s.pay(c, at, "card", approved(s), card(s.rng.Uint64N(25), s.rng.Uint64N(1e9)), proof(s.rng.Uint64N(1000)))
				at += 60 + s.rng.Float64()*120
			}
			check(t, s)
		})
	})
	t.Run("cold", func(t *testing.T) { // and nobody else pays
		each(t, func(t *testing.T, s *script) {
			s.api("pay", "POST", "/order/pay", taxonomy.RolePayment)
			c, at := s.tool(ip4(45, 9, 1, 7)), 100.0
			for range 25 {
				s.pay(c, at, "card", approved(s), card(s.rng.Uint64N(25), s.rng.Uint64N(1e9)), proof(s.rng.Uint64N(1000)))
				at += 1 + s.rng.Float64()*4
			}
			check(t, s)
		})
	})
}

// One stolen number, whose security code is not known.
func TestCardCracking(t *testing.T) {
	for name, everywhere := range map[string]bool{"one address": false, "everywhere": true} {
		t.Run(name, func(t *testing.T) {
			eachTrade(t, func(t *testing.T, s *script) {
				number, c := card(3, 4_711), s.browser(ip4(45, 9, 1, 7))
				n := 12 + s.rng.IntN(40)
				for i := range n {
					if everywhere {
						c = s.browser(ip4(30+s.rng.IntN(60), s.rng.IntN(250), s.rng.IntN(250), 9))
					}
					s.pay(c, 100+float64(i)*6, "card", i == n-1, number, proof(uint64(i+1)))
				}
				r := s.run(t)
				r.found(t, "card", 0.85, taxonomy.AttackCarding)
				r.innocent(t)
			})
		})
	}
}

func calmTrade(t *testing.T, f func(s *script)) {
	t.Helper()
	calmOver(t, eachTrade, f)
}

func TestPayersAreInnocent(t *testing.T) { calmTrade(t, func(s *script) {}) }

// The gateway is down: everybody is declined, tries again and another card.
func TestPaymentOutage(t *testing.T) {
	for name, of := range map[string]func(s *script, i int) *client{
		"browsers": func(s *script, i int) *client { return s.browser(s.home(4000 + i)) },
		"one app": func(s *script, i int) *client {
			c := *s.browser(s.home(4000 + i))
			c.cohort, c.agent, c.shape = 5, 6, 7
			return &c
		},
		"a campus": func(s *script, i int) *client { return s.browser(ip4(77, 1, 1, 1+i%3)) },
	} {
		t.Run(name, func(t *testing.T) {
			calmTrade(t, func(s *script) {
				for i := range 120 {
					c, at := of(s, i), 1600+s.rng.Float64()*500
					c.credential, c.principal = 150_000+uint64(i), 160_000+uint64(i)
					for k := range 1 + s.rng.IntN(4) {
						s.pay(c, at+float64(k)*20, "", false, card(uint64(s.rng.IntN(25)), s.rng.Uint64N(1e9)), proof(uint64(i)))
					}
				}
			})
		})
	}
}

// A bank is down: all of its cards are declined.
func TestIssuerOutage(t *testing.T) {
	calmTrade(t, func(s *script) {
		for i := range 60 {
			c, at := s.browser(s.home(4000+i)), 200+s.rng.Float64()*900
			c.credential, c.principal = 150_000+uint64(i), 160_000+uint64(i)
			own := card(88, s.rng.Uint64N(1e9))
			for k := range 1 + s.rng.IntN(2) {
				s.pay(c, at+float64(k)*20, "", false, own, proof(uint64(i)))
			}
			s.pay(c, at+70, "", true, card(uint64(s.rng.IntN(25)), s.rng.Uint64N(1e9)), proof(uint64(i)))
		}
	})
}

// Many pay behind one address, by one app.
func TestPayersBehindOneAddress(t *testing.T) {
	calmTrade(t, func(s *script) {
		app := s.browser(ip4(77, 1, 1, 1))
		s.payers(120, 100, 1400, func(int) *client { c := *app; return &c })
	})
}

// A call centre enters the cards of those who call; a tenth is declined.
func TestCallCentre(t *testing.T) {
	calmTrade(t, func(s *script) {
		c := s.browser(ip4(77, 1, 1, 1))
		c.credential, c.principal = 777, 778
		for i := range 80 {
			s.pay(c, 100+float64(i)*15, "", s.rng.IntN(8) > 0, card(uint64(s.rng.IntN(25)), s.rng.Uint64N(1e9)), proof(uint64(i)))
		}
	})
}

// Somebody whose cards are all refused tries those that he has.
func TestBrokePayer(t *testing.T) {
	calmTrade(t, func(s *script) {
		for i := range 4 {
			c := s.browser(s.home(4000 + i))
			c.credential, c.principal = 150_000+uint64(i), 160_000+uint64(i)
			for k := range 4 {
				s.pay(c, 200+float64(k)*40, "", false, card(uint64(k), s.rng.Uint64N(1e9)), proof(uint64(k)))
			}
		}
	})
}

func BenchmarkObserveTrade(b *testing.B) {
	s := newScript(1)
	s.promotion()
	s.payers(300, 40, 1500, func(i int) *client { return s.browser(s.home(2000 + i)) })
	s.claimers(0, 300, 20, 1500, func(i int) *client { return s.browser(s.home(4000 + i)) })
	s.sortEvents()
	e := New(Config{Messages: messages(b), Site: "shop"})
	span := s.events[len(s.events)-1].obs.End - t0 + 1e9
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		ev := s.events[i%len(s.events)]
		if i >= len(s.events) {
			ev.obs.End += span
			ev.obs.Start += span
		}
		e.Observe(&ev.Event)
	}
	b.ReportMetric(float64(e.Live()), "cells")
}
