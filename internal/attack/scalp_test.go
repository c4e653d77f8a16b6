package attack

import (
	"slices"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func address(n uint64) observe.Deal {
	return observe.Deal{Kind: observe.DealAddress, Token: mix64(n + 9)}
}

// A try is one attempt to buy.
type try struct {
	at    float64
	c     *client
	truth string
	deals []observe.Deal
}

// sale plays attempts against a stock that can be bought from a moment on.
func (s *script) sale(opens float64, stock int, tries []try) {
	s.api("order", "POST", "/order/create", taxonomy.RoleOrderCreate)
	slices.SortStableFunc(tries, func(a, b try) int { return int(min(max((a.at-b.at)*1e6, -1), 1)) })
	for _, x := range tries {
		ok := x.at >= opens && stock > 0
		if ok {
			stock--
		}
		s.send(x.c, x.at, "order", x.truth, func(ev *scripted) {
			ev.obs.ParamShape = x.c.shape
			ev.obs.Deals = append(x.deals, offer(7))
			if !ok {
				ev.Outcome = catalog.OutcomeRejected
			}
		})
	}
}

// fans gives the attempts of n people who wait for a sale: they see it open,
// and some ask before and again.
func (s *script) fans(first, n int, opens, median float64, at func(i int) *client) (tries []try) {
	for i := range n {
		c := at(i)
		c.credential, c.principal = 70_000+uint64(first+i), 80_000+uint64(first+i)
		s.send(c, opens-60+s.rng.Float64()*50, "list", "", nil)
		deals := []observe.Deal{deviceOf(c.principal), address(c.principal)}
		if s.rng.IntN(6) == 0 { // cannot wait
			for k := range 3 {
				tries = append(tries, try{opens - 3 + float64(k)*0.7 + s.rng.Float64()*0.4, c, "", deals})
			}
		}
		sec := opens + 0.15 + s.think(median)
		for range 1 + s.rng.IntN(3) {
			tries = append(tries, try{sec, c, "", deals})
			sec += 0.4 + s.rng.Float64()*2
		}
	}
	return tries
}

// bots gives the attempts of n accounts of one hand, some of which fail.
func (s *script) bots(n int, opens float64, at func(i int) *client, deals func(i int) []observe.Deal) (tries []try) {
	for i := range n {
		c := at(i)
		c.credential, c.principal = 90_000+uint64(i), 95_000+uint64(i)
		s.send(c, opens-60+s.rng.Float64()*50, "list", "", nil)
		for k := range 2 {
			tries = append(tries, try{opens + 0.005 + float64(k)*0.12 + s.rng.Float64()*0.1, c, "scalp", deals(i)})
		}
	}
	return tries
}

func TestScalping(t *testing.T) {
	own := func(i int) []observe.Deal {
		return []observe.Deal{deviceOf(uint64(700_000 + i)), address(uint64(700_000 + i))}
	}
	for name, make := range map[string]func(s *script) (func(int) *client, func(int) []observe.Deal){
		"a library, an address an account": func(s *script) (func(int) *client, func(int) []observe.Deal) {
			tool := *s.tool(ip4(1, 1, 1, 1))
			tool.tool = false
			return func(int) *client { c := tool; c.ip = s.far(); return &c }, own
		},
		"browsers of one structure": func(s *script) (func(int) *client, func(int) []observe.Deal) {
			return func(int) *client { c := s.browser(s.far()); c.shape = 31337; return c }, own
		},
		"browsers, two receivers": func(s *script) (func(int) *client, func(int) []observe.Deal) {
			return func(int) *client { return s.browser(s.far()) }, func(i int) []observe.Deal { return []observe.Deal{own(i)[0], address(uint64(i % 2))} }
		},
		"browsers, one device": func(s *script) (func(int) *client, func(int) []observe.Deal) {
			return func(int) *client { return s.browser(s.far()) }, func(i int) []observe.Deal { return []observe.Deal{deviceOf(5), own(i)[1]} }
		},
		"one network": func(s *script) (func(int) *client, func(int) []observe.Deal) {
			return func(i int) *client { return s.browser(ip4(45, 9, 1, 10+i)) }, own
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *script) {
				at, deals := make(s)
				tries := s.fans(0, 120, 800, 1.2, func(i int) *client { return s.browser(s.home(2000 + i)) })
				s.sale(800, 70, append(tries, s.bots(14+s.rng.IntN(30), 800, at, deals)...))
				r := s.run(t)
				r.found(t, "scalp", 0.85, taxonomy.AttackScalping)
				r.innocent(t)
			})
		})
	}
}

// A sale with enthusiasts: some have good clocks, the app is faster than the
// page, and a dormitory comes by one address.
func TestSaleOfEnthusiasts(t *testing.T) {
	app := func(s *script) func(ip int) *client {
		one := s.browser(ip4(1, 1, 1, 1))
		one.cohort, one.header, one.agent, one.shape = 501, 502, 503, 504
		return func(i int) *client { c := *one; c.ip = s.home(3000 + i); return &c }
	}
	t.Run("browsers", func(t *testing.T) {
		calm(t, func(s *script) {
			s.sale(800, 70, s.fans(0, 150, 800, 1.2, func(i int) *client { return s.browser(s.home(2000 + i)) }))
		})
	})
	t.Run("an app beside pages", func(t *testing.T) {
		calm(t, func(s *script) {
			tries := s.fans(0, 60, 800, 2.5, func(i int) *client { return s.browser(s.home(2000 + i)) })
			s.sale(800, 70, append(tries, s.fans(500, 150, 800, 0.6, app(s))...))
		})
	})
	t.Run("beside a hand that has their browser", func(t *testing.T) {
		// The hand's requests are built in its own way; people of the same browser
		// buy as well, before, at the opening and after it.
		each(t, func(t *testing.T, s *script) {
			one := s.browser(ip4(1, 1, 1, 1))
			tries := s.fans(0, 100, 800, 1.2, func(i int) *client { return s.browser(s.home(2000 + i)) })
			tries = append(tries, s.fans(200, 40, 800, 0.5, func(i int) *client { c := *one; c.ip = s.home(4000 + i); return &c })...)
			s.sale(800, 70, append(tries, s.bots(25, 800, func(int) *client {
				c := *one
				c.ip, c.shape = ip4(45, 9, 1, 7), 31337
				return &c
			}, func(i int) []observe.Deal {
				return []observe.Deal{deviceOf(uint64(700_000 + i)), address(uint64(700_000 + i))}
			})...))
			r := s.run(t)
			r.found(t, "scalp", 0.85, taxonomy.AttackScalping)
			r.innocent(t)
		})
	})
	t.Run("good clocks", func(t *testing.T) {
		calm(t, func(s *script) {
			tries := s.fans(0, 120, 800, 1.2, func(i int) *client { return s.browser(s.home(2000 + i)) })
			for i := range 9 {
				c := s.browser(s.home(5000 + i))
				c.credential, c.principal = 170_000+uint64(i), 180_000+uint64(i)
				tries = append(tries, try{800.01 + s.rng.Float64()*0.15, c, "", []observe.Deal{deviceOf(c.principal), address(c.principal)}})
			}
			s.sale(800, 70, tries)
		})
	})
	t.Run("a dormitory", func(t *testing.T) {
		calm(t, func(s *script) {
			tries := s.fans(0, 120, 800, 1.2, func(i int) *client { return s.browser(s.home(2000 + i)) })
			one := app(s)
			s.sale(800, 70, append(tries, s.fans(500, 60, 800, 0.8, func(i int) *client { c := one(i); c.ip = ip4(77, 1, 1, 1); return c })...))
		})
	})
	t.Run("a log of whole seconds", func(t *testing.T) {
		calm(t, func(s *script) {
			tries := s.fans(0, 80, 800, 1.2, func(i int) *client { return s.browser(s.home(2000 + i)) })
			tries = append(tries, s.fans(500, 60, 800, 0.6, app(s))...)
			for i := range tries {
				tries[i].at = float64(int(tries[i].at))
			}
			s.sale(800, 70, tries)
		})
	})
}

// orders adds orders of one account, and what becomes of them.
func (s *script) orders(c *client, n int, from, every, hold float64, truth string, fate func(k int) string, deals ...observe.Deal) {
	for k := range n {
		at := from + float64(k)*every*(0.5+s.rng.Float64())
		id := s.rng.Uint64()
		s.send(c, at, "order", truth, func(ev *scripted) {
			ev.obs.ParamShape = c.shape
			ev.obs.Deals = append(deals, offer(s.rng.Uint64N(50)))
			ev.obs.Leaves = []observe.Leaf{{Path: "data.orderId", Token: id, Class: observe.ClassInt}}
		})
		switch f := fate(k); f {
		case "cancel", "pay":
			s.send(c, at+hold*(0.6+0.8*s.rng.Float64()), f, "", func(ev *scripted) {
				ev.obs.Params = []observe.Param{{Name: "orderId", Token: id, In: observe.InJSON}}
			})
		}
	}
}

func (s *script) shop() {
	s.api("order", "POST", "/order/create", taxonomy.RoleOrderCreate)
	s.api("cancel", "POST", "/order/cancel", taxonomy.RoleOrderCancel)
	s.api("pay", "POST", "/order/pay", taxonomy.RolePayment)
}

// buyers adds people who order and mostly pay.
func (s *script) buyers(n int, give float64) {
	for i := range n {
		c := s.browser(s.home(2000 + i))
		c.credential, c.principal = 70_000+uint64(i), 80_000+uint64(i)
		s.send(c, 90+s.rng.Float64()*100, "list", "", nil)
		s.orders(c, 1+s.rng.IntN(3), 200+s.rng.Float64()*1200, 60, 50, "", func(int) string {
			if s.rng.Float64() < give {
				return "cancel"
			}
			return "pay"
		}, deviceOf(c.principal), address(c.principal))
	}
}

func TestHoarding(t *testing.T) {
	drop := func(int) string { return "cancel" }
	t.Run("one account", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			s.shop()
			s.buyers(70, 0.15)
			c := s.browser(s.far())
			c.credential, c.principal = 777, 778
			s.orders(c, 25+s.rng.IntN(40), 200, 30, 300, "hoard", drop)
			r := s.run(t)
			r.found(t, "hoard", 0.9, taxonomy.AttackScalping)
			r.innocent(t)
		})
	})
	t.Run("many accounts, a library", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			s.shop()
			s.buyers(70, 0.15)
			tool := *s.tool(ip4(1, 1, 1, 1))
			tool.tool = false
			for i := range 30 {
				c := tool
				c.ip = s.far()
				c.credential, c.principal = 777+uint64(i), 9778+uint64(i)
				s.orders(&c, 1+s.rng.IntN(2), 200+s.rng.Float64()*900, 60, 300, "hoard", drop)
			}
			r := s.run(t)
			r.found(t, "hoard", 0.9, taxonomy.AttackScalping)
			r.innocent(t)
		})
	})
	t.Run("many accounts, by browsers, one receiver", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			s.shop()
			s.buyers(70, 0.15)
			for i := range 25 {
				c := s.browser(s.far())
				c.credential, c.principal = 777+uint64(i), 9778+uint64(i)
				s.orders(c, 2, 200+s.rng.Float64()*900, 60, 300, "hoard", drop, deviceOf(c.principal), address(4))
			}
			r := s.run(t)
			r.found(t, "hoard", 0.9, taxonomy.AttackScalping)
			r.innocent(t)
		})
	})
}

func TestHonestOrders(t *testing.T) {
	t.Run("people", func(t *testing.T) { calm(t, func(s *script) { s.shop(); s.buyers(90, 0.2) }) })
	// nobody can pay, so everybody gives up, those behind one address too
	t.Run("payment is down", func(t *testing.T) {
		calm(t, func(s *script) {
			s.shop()
			s.buyers(60, 0.95)
			for i := range 40 {
				c := s.browser(ip4(77, 1, 1, 1))
				c.credential, c.principal = 170_000+uint64(i), 180_000+uint64(i)
				s.orders(c, 1+s.rng.IntN(3), 300+s.rng.Float64()*900, 60, 100, "", func(int) string { return "cancel" })
			}
		})
	})
	t.Run("a monitor", func(t *testing.T) {
		calm(t, func(s *script) {
			s.shop()
			s.buyers(70, 0.15)
			c := s.tool(ip4(10, 0, 0, 9))
			c.credential, c.principal = 777, 778
			s.orders(c, 40, 100, 40, 2, "", func(int) string { return "cancel" })
		})
	})
	t.Run("the undecided", func(t *testing.T) {
		calm(t, func(s *script) {
			s.shop()
			s.buyers(70, 0.15)
			for i := range 6 {
				c := s.browser(s.home(5000 + i))
				c.credential, c.principal = 170_000+uint64(i), 180_000+uint64(i)
				s.orders(c, 9, 200, 90, 200, "", func(k int) string {
					if k%4 == 3 {
						return "pay"
					}
					return "cancel"
				})
			}
		})
	})
	t.Run("a partner", func(t *testing.T) {
		calm(t, func(s *script) {
			s.shop()
			s.buyers(70, 0.15)
			c := s.tool(ip4(33, 1, 1, 1))
			c.credential, c.principal = 777, 778
			from := len(s.events)
			s.orders(c, 60, 100, 20, 300, "", func(k int) string { return "cancel" })
			for _, ev := range s.events[from:] {
				ev.obs.Credentials = []observe.Credential{{Kind: observe.CredSigned, Token: 777}}
			}
		})
	})
}
