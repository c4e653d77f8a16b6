package attack

import (
	"fmt"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Every kind is planted among a crowd with varied size, pace and spread.

const seeds = 6

func each(t *testing.T, f func(t *testing.T, s *script)) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newScript(seed)
			s.crowd(50, 0, 400)
			f(t, s)
		})
	}
}

// pace gives a time between requests, 0.1 to 50 a second.
func (s *script) pace() float64 {
	return []float64{10, 2, 0.5, 0.1, 0.02}[s.rng.IntN(5)] * (0.5 + s.rng.Float64())
}

func TestAccountScanning(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		s.oracle = true
		c := s.tool(ip4(45, 9, 1, 7))
		c.tool = s.rng.IntN(2) == 0
		at, gap := 50.0, s.pace()
		for i := range 25 + s.rng.IntN(300) {
			res := "absent"
			if s.rng.IntN(5) == 0 {
				res = "wrong"
			}
			s.login(c, at, 5_000_000+uint64(i), 99, res, "scan")
			at += gap * (0.5 + s.rng.Float64())
		}
		r := s.run(t)
		r.found(t, "scan", 0.9, taxonomy.AttackAccountScanning)
		r.innocent(t)
	})
}

// A check that answers {"registered":true|false} gives the scanner his list.
func TestAccountScanningByVerdict(t *testing.T) {
	for name, means := range map[string]bool{"named": true, "nameless": false} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *script) {
				c := s.tool(ip4(45, 9, 1, 7))
				at, hits, n := 50.0, uint64(0), 120+s.rng.IntN(200)
				for i := range n {
					there := s.rng.IntN(4) == 0
					if there {
						hits++
					}
					s.send(c, at, "check", "scan", func(ev *scripted) {
						s.account(ev, 5_000_000+uint64(i), 0, c)
						ev.Outcome = catalog.OutcomeSuccess
						verdict(ev, there, means)
					})
					at += 2 + 4*s.rng.Float64()
				}
				r := s.run(t)
				r.found(t, "scan", 0.95, taxonomy.AttackAccountScanning)
				r.innocent(t)
				for _, f := range r.findings {
					if f.Kind != taxonomy.AttackAccountScanning {
						continue
					}
					if f.Verdict != taxonomy.Confirmed {
						t.Errorf("verdict %v, not confirmed", f.Verdict)
					}
					if means && f.Succeeded != hits {
						t.Errorf("%d accounts confirmed to exist, not %d", f.Succeeded, hits)
					}
				}
			})
		})
	}
}

// verdict answers yes or no.
func verdict(ev *scripted, yes, means bool) {
	ev.obs.Verdict = observe.Verdict{Hash: 77, Field: "data.registered", Yes: yes}
	ev.ResponseClass = 41
	if yes {
		ev.obs.Verdict.Hash, ev.ResponseClass = 78, 42
	}
	if means {
		ev.obs.Verdict.Says = observe.SaysNotRegistered
		if yes {
			ev.obs.Verdict.Says = observe.SaysRegistered
		}
	}
}

func TestAccountScanningByRegister(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.browser(ip4(45, 9, 1, 7))
		at, gap := 50.0, s.pace()
		for i := range 40 + s.rng.IntN(200) {
			s.send(c, at, "register", "scan", func(ev *scripted) {
				s.account(ev, 5_000_000+uint64(i), 0, c)
				ev.Outcome = catalog.OutcomeRejected
				if i%3 == 0 {
					ev.obs.MessageSays, ev.ResponseClass = observe.SaysRegistered, 5
				} else {
					ev.Outcome, ev.obs.MessageSays, ev.ResponseClass = catalog.OutcomeInvalid, observe.SaysInvalid, 6
				}
			})
			at += gap
		}
		r := s.run(t)
		r.found(t, "scan", 0.9, taxonomy.AttackAccountScanning)
		r.innocent(t)
	})
}

func TestBruteForce(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.tool(ip4(45, 9, 1, 7))
		at, gap := 50.0, s.pace()
		victims := 1 + s.rng.IntN(3)
		for i := range 30 + s.rng.IntN(200) {
			s.login(c, at, 1_000_000+uint64(i%victims), 70_000+uint64(i), "wrong", "brute")
			at += gap
		}
		s.login(c, at, 1_000_000, 5, "ok", "brute")
		r := s.run(t)
		r.found(t, "brute", 0.9, taxonomy.AttackBruteForce)
		r.innocent(t)
	})
}

func TestDistributedBruteForce(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		at := 50.0
		for i := range 60 {
			c := s.browser(ip4(60+s.rng.IntN(100), s.rng.IntN(250), s.rng.IntN(250), 9))
			s.login(c, at, 1_000_003, 70_000+uint64(i), "wrong", "brute")
			at += 2
		}
		r := s.run(t)
		r.found(t, "brute", 0.9, taxonomy.AttackBruteForce)
		r.innocent(t)
	})
}

// stuff adds a stuffing from pool addresses, each used per times.
func (s *script) stuff(pool, per int, addr func(i int) *client, password func(i int) uint64) {
	gap := 200 / float64(pool*per)
	at := 60.0
	for k := range per {
		for i := range pool {
			c := addr(i)
			n := k*pool + i
			res := "absent"
			if n%4 == 0 {
				res = "wrong"
			}
			s.login(c, at, 7_000_000+uint64(n), password(n), res, "stuff")
			at += gap * (0.5 + s.rng.Float64())
		}
	}
}

func TestCredentialStuffing(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.tool(ip4(45, 9, 1, 7))
		s.stuff(1, 30+s.rng.IntN(300), func(int) *client { return c }, func(i int) uint64 { return 90_000 + uint64(i) })
		r := s.run(t)
		r.found(t, "stuff", 0.9, taxonomy.AttackCredentialStuffing)
		r.innocent(t)
	})
}

func TestDistributedStuffing(t *testing.T) {
	pw := func(i int) uint64 { return 90_000 + uint64(i) }
	kinds := []taxonomy.AttackKind{taxonomy.AttackCredentialStuffing, taxonomy.AttackPasswordSpraying}
	t.Run("one network", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			cs := map[int]*client{}
			s.stuff(20+s.rng.IntN(180), 3, func(i int) *client {
				if cs[i] == nil {
					cs[i] = s.browser(ip4(88, 1, 2, 1+i))
				}
				return cs[i]
			}, pw)
			r := s.run(t)
			r.found(t, "stuff", 0.9, kinds...)
			r.innocent(t)
		})
	})
	t.Run("one fingerprint", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			tool := *s.tool(ip4(1, 1, 1, 1))
			tool.tool = false
			s.stuff(40+s.rng.IntN(160), 1+s.rng.IntN(3), func(i int) *client {
				c := tool
				c.ip = ip4(60+i%100, i, 7, 9)
				return &c
			}, pw)
			r := s.run(t)
			r.found(t, "stuff", 0.9, kinds...)
			r.innocent(t)
		})
	})
	t.Run("only a structure", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			s.stuff(40+s.rng.IntN(160), 1+s.rng.IntN(3), func(i int) *client {
				c := s.browser(ip4(60+i%100, i, 7, 9))
				c.shape = 31337
				return c
			}, pw)
			r := s.run(t)
			r.found(t, "stuff", 0.9, kinds...)
			r.innocent(t)
		})
	})
	t.Run("spraying", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			s.oracle = false
			s.stuff(60, 2, func(i int) *client {
				c := s.browser(ip4(60+i%100, i, 7, 9))
				c.shape = 31337
				return c
			}, func(int) uint64 { return 4242 })
			r := s.run(t)
			r.found(t, "stuff", 0.9, taxonomy.AttackPasswordSpraying)
			r.innocent(t)
		})
	})
}

// TestNarrowFirst: one loud address inside a network does not hide the rest.
func TestNarrowFirst(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		loud := s.tool(ip4(88, 1, 2, 250))
		for i := range 200 {
			s.login(loud, 60+float64(i)*0.2, 9_000_000, 60_000+uint64(i), "wrong", "loud")
		}
		s.stuff(60, 3, func(i int) *client { return s.browser(ip4(88, 1, 2, 1+i)) }, func(i int) uint64 { return 90_000 + uint64(i) })
		r := s.run(t)
		r.found(t, "loud", 0.9, taxonomy.AttackBruteForce)
		r.found(t, "stuff", 0.9, taxonomy.AttackCredentialStuffing)
		r.innocent(t)
	})
}

func TestMassRegistration(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.browser(ip4(45, 9, 1, 7))
		c.password = 1234
		at, gap := 50.0, min(s.pace(), 4)
		for i := range 20 + s.rng.IntN(80) {
			s.register(c, at, 8_000_000+uint64(i)*676, "reg")
			at += gap
		}
		r := s.run(t)
		r.found(t, "reg", 0.9, taxonomy.AttackMassRegistration)
		r.innocent(t)
	})
}

func TestDistributedRegistration(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		for i := range 60 {
			c := s.browser(ip4(60+i, i, 7, 9))
			c.shape, c.password = 31337, 1234
			s.register(c, 20+float64(i)*2, 8_000_000+uint64(i)*676, "reg")
		}
		r := s.run(t)
		r.found(t, "reg", 0.9, taxonomy.AttackMassRegistration)
		r.innocent(t)
	})
}

func TestBOLAExploitation(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.browser(ip4(45, 9, 1, 7))
		c.credential, c.principal = 77, 78
		at, gap := 50.0, min(s.pace(), 3)
		for i := range 40 + s.rng.IntN(400) {
			ev := s.read(c, at, "detail", uint64(i)*50, 1_000_000+uint64(i%50), "bola")
			if i%7 == 0 {
				ev.Outcome, ev.obs.Status, ev.Ownership = catalog.OutcomeNotFound, 404, catalog.OwnershipUnknown
			}
			at += gap
		}
		r := s.run(t)
		r.found(t, "bola", 0.9, taxonomy.AttackBOLAExploitation, taxonomy.AttackScraping)
		r.innocent(t)
	})
}

func TestScraping(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.tool(ip4(45, 9, 1, 7))
		at, gap := 50.0, min(s.pace(), 1)
		for i := range 250 + s.rng.IntN(300) {
			s.read(c, at, "news", 100+uint64(i), 0, "scrape")
			at += gap
		}
		r := s.run(t)
		r.found(t, "scrape", 0.9, taxonomy.AttackScraping)
		r.innocent(t)
	})
}

func TestDistributedScraping(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		ids := s.rng.Perm(400)
		for i, id := range ids {
			c := s.browser(ip4(60+i%80, i%80, 7, 9))
			c.cohort, c.header = 31337, 31338
			s.read(c, 20+float64(i)*0.8, "news", 1024+uint64(id), 0, "scrape")
		}
		r := s.run(t)
		r.found(t, "scrape", 0.9, taxonomy.AttackScraping)
		r.innocent(t)
	})
}

func TestBulkRead(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.tool(ip4(45, 9, 1, 7))
		for i := range 15 + s.rng.IntN(20) {
			s.send(c, 50+float64(i)*0.7, "dump", "bulk", func(ev *scripted) {
				ev.obs.Exposures = []observe.Exposure{{Path: "users[].password", Type: taxonomy.SensPassword, Response: true, Count: 60, Distinct: 60, Subjects: []uint64{1, 2, 3}}}
			})
		}
		r := s.run(t)
		r.found(t, "bulk", 0.9, taxonomy.AttackScraping, taxonomy.AttackBOLAExploitation, taxonomy.AttackBot)
		r.innocent(t)
	})
}

func TestVulnerabilityScan(t *testing.T) {
	t.Run("paths", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			c := s.tool(ip4(45, 9, 1, 7))
			c.tool = s.rng.IntN(2) == 0
			at, gap := 50.0, min(s.pace(), 2)
			for i := range 20 + s.rng.IntN(500) {
				s.send(c, at, "", "vuln", func(ev *scripted) {
					ev.obs.Status, ev.Outcome = 404, catalog.OutcomeNotFound
					ev.obs.Segments = []observe.Segment{{Text: fmt.Sprint("p", i)}}
				})
				at += gap
			}
			r := s.run(t)
			r.found(t, "vuln", 0.9, taxonomy.AttackVulnerabilityScan)
			r.innocent(t)
		})
	})
	t.Run("signatures", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			c := s.browser(ip4(45, 9, 1, 7))
			rules := []string{"sqli.union", "sqli.boolean", "sqli.comment", "xss.tag"}
			for i := range 30 {
				s.send(c, 50+float64(i)*0.1, "detail", "vuln", func(ev *scripted) {
					if i%4 != 0 {
						ev.obs.Signatures = []observe.Signature{{Rule: rules[i%4], In: observe.InPath}}
					}
					if i%5 == 1 {
						ev.Outcome, ev.obs.Status = catalog.OutcomeError, 500
					}
				})
			}
			r := s.run(t)
			r.found(t, "vuln", 0.9, taxonomy.AttackVulnerabilityScan)
			r.innocent(t)
		})
	})
	t.Run("parameters", func(t *testing.T) {
		each(t, func(t *testing.T, s *script) {
			c := s.browser(ip4(45, 9, 1, 7))
			for i := range 30 {
				s.send(c, 50+float64(i)*0.1, "list", "vuln", func(ev *scripted) {
					ev.obs.ParamShape = s.rng.Uint64()
					for k := range 40 {
						ev.obs.Params = append(ev.obs.Params, observe.Param{Name: fmt.Sprint("n", i*40+k), In: observe.InQuery})
					}
				})
			}
			r := s.run(t)
			r.found(t, "vuln", 0.9, taxonomy.AttackVulnerabilityScan)
			r.innocent(t)
		})
	})
}

func TestFlood(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.tool(ip4(45, 9, 1, 7))
		c.tool = false
		rate := 25 + s.rng.Float64()*100
		for i := range int(rate * 5) {
			s.send(c, 50+float64(i)/rate, "list", "flood", nil)
		}
		r := s.run(t)
		r.found(t, "flood", 0.8, taxonomy.AttackFlood)
		r.innocent(t)
	})
}

// TestFloodPastCaches: what is searched for differs each time.
func TestFloodPastCaches(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		s.apis["list"].Role = taxonomy.RoleSearch
		c := s.tool(ip4(45, 9, 1, 7))
		c.tool = false
		for i := range 600 {
			s.read(c, 50+float64(i)/20, "list", uint64(1+s.rng.IntN(1e9)), 0, "flood")
		}
		r := s.run(t)
		r.found(t, "flood", 0.8, taxonomy.AttackFlood)
		r.innocent(t)
	})
}

// TestScannerAgent: a tool that names itself is judged by what it does.
func TestScannerAgent(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.tool(ip4(45, 9, 1, 7))
		for i := range 100 {
			s.login(c, 50+float64(i)*0.1, 1_000_001, 70_000+uint64(i), "wrong", "brute")
			ev := s.events[len(s.events)-1]
			ev.obs.Signatures = []observe.Signature{{Rule: "scanner.agent", In: observe.InHeader, Name: "user-agent"}}
		}
		r := s.run(t)
		r.found(t, "brute", 0.9, taxonomy.AttackBruteForce)
		if len(r.findings) != 1 {
			t.Errorf("one attack, %d findings:\n%s", len(r.findings), r)
		}
		r.innocent(t)
	})
}

// TestScanIsOneFinding: what a scanner happens to read is part of its scan.
func TestScanIsOneFinding(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.browser(ip4(45, 9, 1, 7))
		for i := range 60 {
			s.send(c, 50+float64(i)*0.1, "list", "vuln", func(ev *scripted) {
				ev.obs.ParamShape, ev.Object = s.rng.Uint64(), s.rng.Uint64()
				for k := range 40 {
					ev.obs.Params = append(ev.obs.Params, observe.Param{Name: fmt.Sprint("n", i*40+k), In: observe.InQuery})
				}
				ev.obs.Exposures = []observe.Exposure{{Path: "orders[].user", Type: taxonomy.SensAccountName, Response: true, Count: 90, Distinct: 60, Subjects: []uint64{1, 2, 3}}}
			})
		}
		r := s.run(t)
		r.found(t, "vuln", 0.9, taxonomy.AttackVulnerabilityScan)
		if len(r.findings) != 1 {
			t.Errorf("one attack, %d findings:\n%s", len(r.findings), r)
		}
		r.innocent(t)
	})
}
