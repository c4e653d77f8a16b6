package attack

import (
	"fmt"
	"net/netip"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Honest traffic that looks like an attack to a rule on one key.

func calm(t *testing.T, f func(s *script)) {
	t.Helper()
	calmOver(t, each, f)
}

// calmOver plays f on each of the scripts that a runner makes, and asserts that
// nobody is accused.
func calmOver(t *testing.T, each func(*testing.T, func(*testing.T, *script)), f func(s *script)) {
	t.Helper()
	each(t, func(t *testing.T, s *script) {
		f(s)
		r := s.run(t)
		r.innocent(t)
		for _, x := range r.findings {
			if x.Verdict >= taxonomy.Likely {
				t.Errorf("finding in honest traffic: %s", r)
				break
			}
		}
	})
}

func TestCrowdIsInnocent(t *testing.T) { calm(t, func(s *script) {}) }

func TestNATIsInnocent(t *testing.T) {
	calm(t, func(s *script) { s.nat(ip4(77, 1, 1, 1), 8+s.rng.IntN(60), 500, 0, 400) })
}

// TestNATRegistering: many newcomers behind one address, of one browser, who
// then use what they registered.
func TestNATRegistering(t *testing.T) {
	calm(t, func(s *script) {
		proto := s.browser(ip4(77, 1, 1, 1))
		for i := range 40 {
			c := *proto
			c.password = s.rng.Uint64()
			at := 10 + float64(i)*2
			subject := 3_000_000 + uint64(i)*77
			s.register(&c, at, subject, "")
			s.login(&c, at+2, subject, c.password, "ok", "")
			for k := range 10 {
				s.send(&c, at+4+float64(k)*5, "me", "", nil)
			}
		}
	})
}

func TestHealthProbe(t *testing.T) {
	calm(t, func(s *script) {
		c := s.tool(ip4(10, 0, 0, 9))
		for i := range 400 {
			s.send(c, float64(i), "health", "", nil)
		}
	})
}

// TestPartnerBatch: fast, sequential, a program, and all its own.
func TestPartnerBatch(t *testing.T) {
	t.Run("owner known", func(t *testing.T) {
		calm(t, func(s *script) {
			c := s.tool(ip4(33, 1, 1, 1))
			c.credential, c.principal = 900, 901
			for i := range 600 {
				s.read(c, 10+float64(i)*0.1, "detail", 50_000+uint64(i), 901, "")
			}
		})
	})
	t.Run("made before", func(t *testing.T) {
		calm(t, func(s *script) {
			c := s.tool(ip4(33, 1, 1, 1))
			c.credential, c.principal = 900, 901
			for i := range 300 {
				s.send(c, 5+float64(i)*0.1, "create", "", func(ev *scripted) {
					ev.obs.Params = []observe.Param{{Name: "id", Token: 50_000 + uint64(i)}}
				})
			}
			for i := range 300 {
				s.read(c, 40+float64(i)*0.1, "detail", 50_000+uint64(i), 0, "")
			}
		})
	})
}

func TestForgottenPassword(t *testing.T) {
	calm(t, func(s *script) {
		for u := range 10 {
			c := s.browser(s.home(500 + u))
			for k := range 5 + s.rng.IntN(3) {
				s.login(c, 30+float64(k)*7, 2_000_000+uint64(u), 10+uint64(k), "wrong", "")
			}
			s.login(c, 90, 2_000_000+uint64(u), 99, "ok", "")
			s.send(c, 95, "me", "", nil)
		}
	})
}

func TestStaleApp(t *testing.T) {
	calm(t, func(s *script) {
		c := s.browser(s.home(600))
		for k := range 200 {
			s.login(c, float64(k)*2, 2_500_000, 7, "wrong", "")
		}
	})
}

// TestPasswordManagerMigration: many people sign in at once, each first with
// the old password and then with the new one.
func TestPasswordManagerMigration(t *testing.T) {
	calm(t, func(s *script) {
		proto := s.browser(ip4(1, 1, 1, 1))
		for i := range 120 {
			c := *proto
			c.ip = s.home(300 + i)
			if i%3 == 0 {
				c.ip = ip4(77, 1, 1, 1) // the office
			}
			at := 20 + float64(i)
			sub := 4_000_000 + uint64(i)
			s.login(&c, at, sub, s.rng.Uint64(), "wrong", "")
			s.login(&c, at+3, sub, s.rng.Uint64(), "ok", "")
			for k := range 6 {
				s.send(&c, at+5+float64(k)*4, "me", "", nil)
			}
		}
	})
}

// TestBrokenRelease: a release whose pages point at files that are not there.
func TestBrokenRelease(t *testing.T) {
	calm(t, func(s *script) {
		for i := range 60 {
			c := s.browser(s.home(i))
			c.referer = "shop.test"
			for k := range 12 {
				s.send(c, 30+float64(i)+float64(k)*0.05, "", "", func(ev *scripted) {
					ev.Outcome, ev.obs.Status = catalog.OutcomeNotFound, 404
					ev.obs.Segments = []observe.Segment{{Text: "static"}, {Text: fmt.Sprint("chunk", k%2)}}
				})
			}
		}
	})
}

// TestOutage: the identity provider refuses everybody.
func TestOutage(t *testing.T) {
	for _, outcome := range []catalog.Outcome{catalog.OutcomeRejected, catalog.OutcomeError} {
		t.Run(outcome.String(), func(t *testing.T) {
			calm(t, func(s *script) {
				for i := range 300 {
					c := s.browser(s.home(i))
					if i%4 == 0 {
						c.ip = ip4(77, 1, 1, 1)
					}
					for k := range 1 + s.rng.IntN(3) {
						s.login(c, 100+float64(i)*0.5+float64(k)*4, 1_000_000+uint64(i), c.password, "wrong", "")
						ev := s.events[len(s.events)-1]
						ev.Outcome, ev.obs.MessageSays = outcome, 0
					}
				}
			})
		})
	}
}

// TestFlashSale: everybody hurries.
func TestFlashSale(t *testing.T) {
	calm(t, func(s *script) {
		for i := range 80 {
			c := s.browser(s.home(700 + i))
			c.credential, c.principal = 50_000+uint64(i), 60_000+uint64(i)
			rate := 3 + s.rng.Float64()*6
			for k := range 60 {
				s.send(c, 100+s.rng.Float64()+float64(k)/rate, []string{"create", "list"}[k%2], "", nil)
			}
		}
	})
}

// TestOutsiderBesideAttacker: honest users share the attacker's address and
// others its browser, in the same minutes.
func TestBystanders(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		addr := ip4(77, 1, 1, 1)
		s.nat(addr, 10, 500, 0, 400)
		c := s.browser(addr)
		c.header, c.cohort, c.agent = 5150, 5151, 5152
		for i := range 120 {
			s.login(c, 50+float64(i)*2, 5_000_000+uint64(i), 90_000+uint64(i), "wrong", "stuff")
		}
		r := s.run(t)
		r.found(t, "stuff", 0.9, taxonomy.AttackCredentialStuffing)
		r.innocent(t)
	})
}

// TestPublicFeed: reading what others wrote is what a feed is for.
func TestPublicFeed(t *testing.T) {
	calm(t, func(s *script) {
		for i := range 40 {
			c := s.browser(s.home(800 + i))
			c.credential, c.principal = 50_000+uint64(i), 60_000+uint64(i)
			for k := range 30 + s.rng.IntN(60) {
				s.read(c, 20+float64(k)*4+s.rng.Float64()*3, "detail", uint64(s.rng.IntN(500)), 70_000+uint64(s.rng.IntN(100)), "")
			}
		}
	})
}

// TestPublicList: a list with people's names that everybody polls.
func TestPublicList(t *testing.T) {
	calm(t, func(s *script) {
		for i := range 40 {
			c := s.browser(s.home(800 + i))
			if i < 10 {
				c.ip = ip4(77, 1, 1, 1)
			}
			for k := range 40 {
				s.send(c, 20+float64(k)*9, "list", "", func(ev *scripted) {
					ev.obs.Exposures = []observe.Exposure{{Path: "orders[].user", Type: taxonomy.SensAccountName, Response: true, Count: 90, Distinct: 60, Subjects: []uint64{1, 2, 3}}}
				})
			}
		}
	})
}

// TestNameCheck: a form that asks at each keystroke whether a name is free.
func TestNameCheck(t *testing.T) {
	calm(t, func(s *script) {
		for i := range 40 {
			c := s.browser(s.home(800 + i))
			for k := range 6 + s.rng.IntN(8) {
				s.send(c, 20+float64(i)*3+float64(k)*0.3, "check", "", func(ev *scripted) {
					s.account(ev, 9_000_000+uint64(i*100+k), 0, c)
					if k%2 == 0 {
						ev.Outcome, ev.obs.MessageSays, ev.ResponseClass = catalog.OutcomeNotFound, observe.SaysNotRegistered, 2
					}
				})
			}
		}
	})
}

// TestFreeFormKeys: an API that takes any key.
func TestFreeFormKeys(t *testing.T) {
	calm(t, func(s *script) {
		for i := range 40 {
			c := s.browser(s.home(800 + i))
			for k := range 20 {
				s.send(c, 20+float64(k)*9, "create", "", func(ev *scripted) {
					ev.obs.ParamShape = s.rng.Uint64()
					for range 3 {
						ev.obs.Params = append(ev.obs.Params, observe.Param{Name: fmt.Sprint("k", s.rng.Uint32()), In: observe.InJSON})
					}
				})
			}
		}
	})
}

// TestMonitoredPath: a monitor polls a path that scanners also like, and it is
// there; another polls one that is not.
func TestMonitoredPath(t *testing.T) {
	calm(t, func(s *script) {
		ok, broken := s.tool(ip4(10, 0, 0, 9)), s.tool(ip4(10, 0, 0, 10))
		for i := range 200 {
			s.send(ok, float64(i)*2, "health", "", func(ev *scripted) {
				ev.obs.Signatures = []observe.Signature{{Rule: "probe_admin.console", In: observe.InPath}}
				ev.obs.Segments = []observe.Segment{{Text: "actuator"}, {Text: "health"}}
			})
			s.send(broken, float64(i)*2, "", "", func(ev *scripted) {
				ev.obs.Signatures = []observe.Signature{{Rule: "probe_admin.console", In: observe.InPath}}
				ev.obs.Segments = []observe.Segment{{Text: "metrics"}}
				ev.Outcome, ev.obs.Status = catalog.OutcomeNotFound, 404
			})
		}
	})
}

// TestRichText: an editor whose texts look like markup injection.
func TestRichText(t *testing.T) {
	calm(t, func(s *script) {
		c := s.browser(s.home(900))
		c.credential, c.principal = 900, 901
		for i := range 60 {
			s.send(c, 10+float64(i)*5, "create", "", func(ev *scripted) {
				ev.obs.Signatures = []observe.Signature{{Rule: "xss.markup", In: observe.InJSON, Name: "body"}}
			})
		}
	})
}

// A form that asks about the number being typed: everybody asks about his own.
func TestFormThatChecksOneNumber(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		for i := range 300 {
			c := s.browser(ip4(36+s.rng.IntN(90), s.rng.IntN(250), s.rng.IntN(250), 1+s.rng.IntN(250)))
			asks := 1
			if s.rng.IntN(8) == 0 {
				asks = 2 // a typo
			}
			for k := range asks {
				s.send(c, 20+float64(i)*9+float64(k)*4, "check", "", func(ev *scripted) {
					s.account(ev, 8_000_000+uint64(i*7919+k), 0, c)
					ev.Outcome = catalog.OutcomeSuccess
					verdict(ev, i%9 == 0, true)
				})
			}
		}
		r := s.run(t)
		r.innocent(t)
	})
}

// A carrier or a campus puts many people behind a few networks, and the app
// that they use looks the same on every telephone: each asks about his own
// number and mistypes it, or about his wife's as well.
func TestPeopleOfOneAppWhoCheck(t *testing.T) {
	for name, others := range map[string]int{"one network": 0, "everywhere": 100} {
		for _, app := range []string{"browsers", "one app", "versions of one app"} {
			t.Run(name+", "+app, func(t *testing.T) {
				each(t, func(t *testing.T, s *script) {
					one := s.browser(ip4(1, 2, 3, 4))
					ask := func(i int, ip netip.Addr, at float64, asks int) {
						c := s.browser(ip)
						switch app {
						case "one app":
							c.agent = one.agent
							fallthrough
						case "versions of one app":
							c.cohort, c.header, c.family, c.shape = one.cohort, one.header, one.family, one.shape
						}
						for k := range asks {
							s.send(c, at+float64(k)*4, "check", "", func(ev *scripted) {
								s.account(ev, 8_000_000+uint64(i*7919+k*131), 0, c)
								verdict(ev, s.rng.IntN(3) == 0, i%2 == 0)
							})
						}
					}
					for i := range 200 {
						ask(i, ip4(61, 7, 10+i%4, 1+i/4), 20+float64(i)*9, 2)
					}
					for i := range others {
						ask(1000+i, ip4(70+i%50, 7, i, 9), 25+float64(i)*18, 1+s.rng.IntN(2))
					}
					s.run(t).innocent(t)
				})
			})
		}
	}
}

// The same by a client that nobody else has, and by one that names another
// browser each time, is a herd.
func TestHerdOfAskersOfTheirOwnKind(t *testing.T) {
	for _, rotates := range []bool{false, true} {
		each(t, func(t *testing.T, s *script) {
			tool := s.browser(ip4(61, 7, 10, 1))
			tool.cohort, tool.header = 9_000, 9_000
			for i := range 200 {
				c := *tool
				c.ip = ip4(61, 7, 10+i%4, 1+i/4)
				for k := range 2 {
					if rotates {
						c.agent, c.family = 900+uint64(s.rng.IntN(60)), families[s.rng.IntN(len(families))]
					}
					s.send(&c, 20+float64(i)*9+float64(k)*4, "check", "scan", func(ev *scripted) {
						s.account(ev, 8_000_000+uint64(i*7919+k*131), 0, &c)
						verdict(ev, s.rng.IntN(3) == 0, true)
					})
				}
			}
			s.run(t).found(t, "scan", 0.9, taxonomy.AttackAccountScanning)
		})
	}
}
