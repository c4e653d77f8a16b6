package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Messages and the codes in them: a site where people sign in by telephone.

// telephony adds the APIs.
func (s *script) telephony() {
	for _, a := range []catalog.API{
		{ID: "send", Method: "POST", Template: "/sms/send", Role: taxonomy.RoleCodeSend},
		{ID: "send2", Method: "POST", Template: "/v2/sendCode", Role: taxonomy.RoleCodeSend},
		{ID: "smslogin", Method: "POST", Template: "/sms/login", Role: taxonomy.RoleLoginCode},
		{ID: "verify", Method: "POST", Template: "/code/verify", Role: taxonomy.RoleCodeVerify},
		{ID: "reset", Method: "POST", Template: "/password/reset", Role: taxonomy.RolePasswordReset},
	} {
		a.Handle = catalog.Handle(len(s.apis) + 1)
		a.Site = "shop"
		s.apis[a.ID] = &a
	}
}

// phone names a number in the request.
func (s *script) phone(ev *scripted, number uint64, c *client) {
	ev.Who.Subject = number
	ev.obs.ParamShape = c.shape + 1
	ev.obs.Accounts = []observe.Account{{Name: "mobile", Kind: observe.AccountPhone, Token: number, Shape: "13*******",
		Set: observe.SetFeature{Prefix: mix64(number/10000) | 1, Position: uint16(number % 10000)}}}
	ev.obs.Params = []observe.Param{{Name: "mobile", Token: number, In: observe.InJSON, Sensitive: taxonomy.SensCNMobile}}
}

// ask has a code sent.
func (s *script) ask(c *client, sec float64, api string, number uint64, truth string) *scripted {
	return s.send(c, sec, api, truth, func(ev *scripted) { s.phone(ev, number, c) })
}

// enter submits a code.
func (s *script) enter(c *client, sec float64, api string, number, code uint64, ok bool, truth string) *scripted {
	return s.send(c, sec, api, truth, func(ev *scripted) {
		s.phone(ev, number, c)
		ev.obs.ParamShape++
		ev.obs.Params = append(ev.obs.Params, observe.Param{Name: "smsCode", Token: mix64(code), In: observe.InJSON, Len: 6, Class: observe.ClassInt, Sensitive: taxonomy.SensVerificationCode})
		if !ok {
			ev.Outcome, ev.obs.MessageSays, ev.ResponseClass = catalog.OutcomeRejected, observe.SaysWrongSecret, 7
			return
		}
		if api == "smslogin" {
			c.credential, c.principal = s.rng.Uint64(), number
			ev.obs.Issued = []observe.Credential{{Token: c.credential}}
		}
	})
}

// number draws somebody's number.
func (s *script) number() uint64 {
	return 13_000_000_000 + uint64(s.rng.IntN(400))*2_310_000 + uint64(s.rng.IntN(10000))
}

// caller signs in by code: most enter it, some mistype it, some wait in vain
// and ask again, some give up.
func (s *script) caller(c *client, at float64, channel float64) {
	n := s.number()
	for range 1 + s.rng.IntN(2)*s.rng.IntN(4) {
		s.ask(c, at, "send", n, "")
		at += 30 + s.rng.Float64()*60
	}
	if s.rng.Float64() > channel {
		return
	}
	for range s.rng.IntN(2) * s.rng.IntN(4) {
		s.enter(c, at, "smslogin", n, s.rng.Uint64(), false, "")
		at += 5
	}
	s.enter(c, at, "smslogin", n, s.rng.Uint64(), true, "")
	for k := range 4 {
		s.send(c, at+3+float64(k)*s.rng.Float64()*20, []string{"me", "list"}[k%2], "", nil)
	}
}

func (s *script) callers(n int, from, to, channel float64) {
	for i := range n {
		s.caller(s.browser(s.home(2000+i)), from+s.rng.Float64()*(to-from), channel)
	}
}

// from gives the clients of an attack: one tool at one address, or at a new one
// for each request.
func (s *script) from(how string) func(i int) *client {
	tool := s.tool(ip4(45, 9, 1, 7))
	return func(i int) *client {
		if how == "distributed" {
			c := *tool
			c.ip = ip4(60+i%100, i/2%250, i%7, i%250)
			return &c
		}
		return tool
	}
}

// waged runs an attack from one source, distributed and slowly, among people
// who go about their business.
func waged(t *testing.T, n int, f func(s *script, i int, c *client, at float64), check func(t *testing.T, r *result)) {
	for _, how := range []string{"one source", "distributed", "slow"} {
		t.Run(how, func(t *testing.T) {
			for seed := range uint64(3) {
				s := newScript(seed)
				s.telephony()
				gap := 3.0
				if how == "slow" {
					gap = 60
				}
				s.crowd(30, 0, float64(n)*gap)
				s.callers(80, 0, float64(n)*gap+200, 0.85)
				c := s.from(how)
				for i := range n {
					f(s, i, c(i), 60+(float64(i)+s.rng.Float64()*0.8)*gap)
				}
				r := s.run(t)
				r.innocent(t)
				check(t, r)
				if t.Failed() {
					return
				}
			}
		})
	}
}

func TestSMSBombing(t *testing.T) {
	t.Run("one victim", func(t *testing.T) {
		waged(t, 40, func(s *script, i int, c *client, at float64) {
			ev := s.ask(c, at, []string{"send", "send2"}[i%2], 13_800_001_234, "bomb")
			if i%3 == 2 {
				ev.Outcome, ev.obs.MessageSays = catalog.OutcomeThrottled, observe.SaysThrottled
			}
		}, func(t *testing.T, r *result) {
			f := r.exact(t, "bomb", taxonomy.AttackSMSAbuse)
			if f.Accounts != 1 || f.Blocked != 13 || f.Succeeded != 27 {
				t.Errorf("%d numbers, %d blocked, %d sent\n%s", f.Accounts, f.Blocked, f.Succeeded, r)
			}
		})
	})
	t.Run("many victims are one attack", func(t *testing.T) {
		waged(t, 150, func(s *script, i int, c *client, at float64) {
			s.ask(c, at, "send", 13_800_001_234+uint64(i%10)*3_333_333, "bomb")
		}, func(t *testing.T, r *result) {
			if f := r.exact(t, "bomb", taxonomy.AttackSMSAbuse); f.Accounts != 10 {
				t.Errorf("%d numbers\n%s", f.Accounts, r)
			}
		})
	})
	t.Run("nothing in common but the victim", func(t *testing.T) {
		for seed := range uint64(3) {
			s := newScript(seed)
			s.telephony()
			s.crowd(30, 0, 600)
			s.callers(80, 0, 900, 0.85)
			for i := range 40 {
				s.ask(s.browser(ip4(60+s.rng.IntN(100), i, 3, 9)), 60+float64(i)*12, "send", 13_800_001_234, "bomb")
			}
			r := s.run(t)
			r.exact(t, "bomb", taxonomy.AttackSMSAbuse)
			r.innocent(t)
		}
	})
	t.Run("at whatever sends", func(t *testing.T) {
		waged(t, 60, func(s *script, i int, c *client, at float64) {
			s.ask(c, at, []string{"send", "reset", "smslogin"}[i%3], 13_800_001_234, "bomb")
		}, func(t *testing.T, r *result) {
			if f := r.exact(t, "bomb", taxonomy.AttackSMSAbuse); len(f.Selector.APIs) != 3 {
				t.Errorf("%d APIs\n%s", len(f.Selector.APIs), r)
			}
		})
	})
}

func TestSMSPumpingWithoutEntry(t *testing.T) {
	t.Run("sequential", func(t *testing.T) {
		waged(t, 200, func(s *script, i int, c *client, at float64) {
			s.ask(c, at, "send", 13_811_110_000+uint64(i), "pump")
		}, func(t *testing.T, r *result) { r.exact(t, "pump", taxonomy.AttackSMSAbuse) })
	})
	t.Run("bought numbers", func(t *testing.T) {
		waged(t, 160, func(s *script, i int, c *client, at float64) {
			ev := s.ask(c, at, "send", s.number(), "pump")
			if i < 5 {
				ev.Outcome, ev.obs.MessageSays = catalog.OutcomeThrottled, observe.SaysThrottled
			}
		}, func(t *testing.T, r *result) {
			if f := r.exact(t, "pump", taxonomy.AttackSMSAbuse); f.Blocked != 5 || f.Succeeded != 155 {
				t.Errorf("%d blocked, %d sent", f.Blocked, f.Succeeded)
			}
		})
	})
}

// honest runs a day of telephone users and asserts that nobody is accused.
func honest(t *testing.T, f func(s *script)) {
	t.Helper()
	for seed := range uint64(4) {
		s := newScript(seed)
		s.telephony()
		s.crowd(30, 0, 600)
		f(s)
		r := s.run(t)
		r.innocent(t)
		for _, x := range r.findings {
			if x.Verdict >= taxonomy.Likely {
				t.Fatalf("seed %d: finding in honest traffic\n%s", seed, r)
			}
		}
	}
}

func TestSMSHonest(t *testing.T) {
	t.Run("delayed messages", func(t *testing.T) {
		honest(t, func(s *script) {
			s.callers(60, 0, 1800, 0.85)
			for i := range 30 {
				c, n := s.browser(s.home(3000+i)), s.number()
				at := float64(i) * 40
				for range 3 + s.rng.IntN(2) {
					s.ask(c, at, "send", n, "")
					at += 61
				}
				s.enter(c, at+100, "smslogin", n, 1, true, "")
				s.send(c, at+110, "me", "", nil)
			}
			// One clicks again and again and gives up.
			c, n := s.browser(s.home(3500)), s.number()
			for k := range 8 {
				ev := s.ask(c, 500+float64(k)*20, "send", n, "")
				if k%2 == 1 {
					ev.Outcome, ev.obs.MessageSays = catalog.OutcomeThrottled, observe.SaysThrottled
				}
			}
		})
	})
	t.Run("shared test telephone", func(t *testing.T) {
		honest(t, func(s *script) {
			s.callers(60, 0, 7200, 0.85)
			for k := range 40 {
				c := s.browser(ip4(77, 1, 1, 1+k%3))
				at := float64(k) * 150
				s.ask(c, at, "send", 13_900_000_001, "")
				s.enter(c, at+20, "smslogin", 13_900_000_001, uint64(k), true, "")
				s.send(c, at+25, "me", "", nil)
			}
		})
	})
	t.Run("channel down", func(t *testing.T) {
		honest(t, func(s *script) { s.callers(400, 0, 3600, 0.03) })
	})
	t.Run("channel down for a while", func(t *testing.T) {
		// The people of one app wait in vain and ask again, each for his own number;
		// some get in when the channel is back.
		honest(t, func(s *script) {
			s.callers(60, 0, 3600, 0.85)
			s.callers(20, 4000, 5600, 0)
			s.callers(60, 5900, 9000, 0.85)
			proto := s.browser(ip4(1, 1, 1, 1))
			for i := range 60 {
				c, n := *proto, s.number()
				if i%3 > 0 {
					c = *s.browser(c.ip)
				}
				c.ip = s.home(4000 + i)
				at := 4000 + s.rng.Float64()*1800
				for range 2 + s.rng.IntN(8) {
					if at < 5800 {
						s.ask(&c, at, "send", n, "")
					}
					at += 30 + s.rng.Float64()*60
				}
				if i%4 == 0 {
					s.ask(&c, 7500+at-4000, "send", n, "")
					s.enter(&c, 7530+at-4000, "smslogin", n, 1, true, "")
				}
			}
		})
	})
	t.Run("invitations of a partner", func(t *testing.T) {
		honest(t, func(s *script) {
			s.callers(60, 0, 1800, 0.85)
			c := s.tool(ip4(33, 1, 1, 1))
			for i := range 500 {
				s.ask(c, 10+float64(i), "send", s.number(), "").obs.Credentials = []observe.Credential{{Kind: observe.CredSigned}}
			}
		})
	})
	t.Run("rush at a stand", func(t *testing.T) {
		honest(t, func(s *script) {
			s.callers(60, 0, 1800, 0.85)
			proto := s.browser(ip4(77, 1, 1, 1))
			for i := range 300 {
				c := *proto
				if i%2 == 0 {
					c.ip = s.home(4000 + i)
				}
				s.caller(&c, float64(i)*6, 0.85)
			}
		})
	})
	t.Run("codes that lead to a registration", func(t *testing.T) {
		// One device asks, another registers; the code's field is a captcha by name.
		honest(t, func(s *script) {
			s.callers(60, 0, 4000, 0.85)
			c := s.browser(s.home(5000))
			for i := range 80 {
				n := s.number()
				s.ask(c, float64(i)*50, "send", n, "")
				d := s.browser(s.home(5100 + i))
				s.send(d, float64(i)*50+20, "register", "", func(ev *scripted) {
					s.account(ev, n, s.rng.Uint64(), d)
					d.credential, d.principal = s.rng.Uint64(), n
					ev.obs.Issued = []observe.Credential{{Token: d.credential}}
					ev.obs.Params = append(ev.obs.Params, observe.Param{Name: "captcha_code", Token: s.rng.Uint64(), In: observe.InJSON, Len: 6, Class: observe.ClassInt, Sensitive: taxonomy.SensVerificationCode})
				})
				s.send(d, float64(i)*50+30, "me", "", nil)
			}
		})
	})
	t.Run("a clerk's device", func(t *testing.T) {
		honest(t, func(s *script) {
			s.callers(60, 0, 4000, 0.85)
			c := s.browser(s.home(5000))
			for i := range 80 {
				n := s.number()
				s.ask(c, float64(i)*50, "send", n, "")
				if i%5 != 0 {
					s.enter(c, float64(i)*50+20, "verify", n, uint64(i), true, "")
				}
			}
		})
	})
}

func TestCodeCracking(t *testing.T) {
	for _, api := range []string{"smslogin", "verify", "reset"} {
		t.Run(api, func(t *testing.T) {
			waged(t, 60, func(s *script, i int, c *client, at float64) {
				s.enter(c, at, api, 13_800_001_234, 7000+uint64(i), i == 59, "crack")
				c.credential, c.principal = 0, 0
			}, func(t *testing.T, r *result) {
				if f := r.exact(t, "crack", taxonomy.AttackCodeCracking); f.Succeeded != 1 || f.Accounts != 1 {
					t.Errorf("%d codes accepted, %d numbers\n%s", f.Succeeded, f.Accounts, r)
				}
			})
		})
	}
	t.Run("one code for many numbers", func(t *testing.T) {
		waged(t, 120, func(s *script, i int, c *client, at float64) {
			s.enter(c, at, "smslogin", 13_811_110_000+uint64(i)*7919, 123456, false, "crack")
		}, func(t *testing.T, r *result) { r.exact(t, "crack", taxonomy.AttackCodeCracking) })
	})
	t.Run("a few codes for each number", func(t *testing.T) {
		waged(t, 160, func(s *script, i int, c *client, at float64) {
			s.enter(c, at, "smslogin", 13_811_110_000+uint64(i/4)*7919, uint64(i), false, "crack")
		}, func(t *testing.T, r *result) { r.exact(t, "crack", taxonomy.AttackCodeCracking) })
	})
	t.Run("second step of a dialogue", func(t *testing.T) {
		s := newScript(4)
		s.telephony()
		s.crowd(30, 0, 600)
		s.callers(80, 0, 900, 0.85)
		c := s.tool(ip4(45, 9, 1, 7))
		for i := range 80 {
			ev := s.enter(c, 60+float64(i)*3, "verify", 0, uint64(i), false, "crack")
			ev.obs.Accounts, ev.obs.Params = nil, ev.obs.Params[1:]
		}
		r := s.run(t)
		r.exact(t, "crack", taxonomy.AttackCodeCracking)
		r.innocent(t)
	})
	t.Run("nothing in common but the victim", func(t *testing.T) {
		s := newScript(5)
		s.telephony()
		s.crowd(30, 0, 600)
		s.callers(80, 0, 900, 0.85)
		for i := range 60 {
			s.enter(s.browser(ip4(60+s.rng.IntN(100), i, 3, 9)), 60+float64(i)*9, "smslogin", 13_800_001_234, uint64(i), false, "crack")
		}
		r := s.run(t)
		r.exact(t, "crack", taxonomy.AttackCodeCracking)
		r.innocent(t)
	})
}

func TestCodesHonest(t *testing.T) {
	t.Run("typos", func(t *testing.T) {
		honest(t, func(s *script) {
			s.callers(60, 0, 1800, 0.85)
			for i := range 40 {
				c, n := s.browser(s.home(3000+i)), s.number()
				at := float64(i) * 30
				s.ask(c, at, "send", n, "")
				for k := range 2 + s.rng.IntN(4) {
					at += 6
					s.enter(c, at, "smslogin", n, uint64(k), false, "")
				}
				if i%4 != 0 {
					s.enter(c, at+9, "smslogin", n, 9, true, "")
					s.send(c, at+12, "me", "", nil)
				}
			}
		})
	})
	t.Run("the same code again", func(t *testing.T) {
		honest(t, func(s *script) {
			s.callers(60, 0, 1800, 0.85)
			c, n := s.browser(s.home(3000)), s.number()
			for k := range 60 {
				s.enter(c, 30+float64(k)*4, "smslogin", n, 5, false, "")
			}
		})
	})
	t.Run("codes out of order", func(t *testing.T) {
		honest(t, func(s *script) {
			for i := range 150 {
				c, n := s.browser(s.home(3000+i)), s.number()
				if i%3 == 0 {
					c.ip = ip4(77, 1, 1, 1)
				}
				for k := range 2 + s.rng.IntN(3) {
					s.enter(c, float64(i)*8+float64(k)*7, "smslogin", n, s.rng.Uint64(), false, "")
				}
			}
		})
	})
}
