package audit_test

import (
	"fmt"
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/defect/audit"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// repair is a hole that is open, closed and open again.
type repair struct {
	name         string
	kind         taxonomy.DefectKind
	start        func(s *site)
	open, closed func(s *site, i int) // what happens at one attempt
	again        func(s *site)        // what precedes the hole's return
}

var repairs = []repair{
	{"anyone reads, then a credential is asked for", taxonomy.DefectUnauthenticatedSensitive, nil,
		func(s *site, i int) {
			s.do("GET /people", source(i), gives("[].email", taxonomy.SensEmail, people(fmt.Sprint("m", i), 5)...))
		},
		func(s *site, i int) { s.do("GET /people", source(i), answer(401, catalog.OutcomeDenied)) }, nil},
	{"anyone reads, then it is masked", taxonomy.DefectUnauthenticatedSensitive, nil,
		func(s *site, i int) {
			s.do("GET /people", source(i), gives("[].email", taxonomy.SensEmail, people(fmt.Sprint("m", i), 5)...))
		},
		func(s *site, i int) {
			s.do("GET /people", source(i), gives("[].email", taxonomy.SensEmail, people(fmt.Sprint("m", i), 5)...), masked())
		}, nil},
	{"the token is optional, then it is not", taxonomy.DefectOptionalAuthentication, func(s *site) {
		times(200, func(i int) {
			s.do("GET /orders/{id}", as(fmt.Sprint("u", i)), source(i), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
		})
	},
		func(s *site, i int) {
			s.do("GET /orders/{id}", source(i%2), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
		},
		func(s *site, i int) { s.do("GET /orders/{id}", source(i%2), answer(403, catalog.OutcomeDenied)) }, nil},
	{"other people's orders, then only one's own", taxonomy.DefectBOLA, func(s *site) {
		times(30, func(i int) {
			u := fmt.Sprint("user", i)
			s.do("GET /orders/{id}", as(u), owns(fmt.Sprint("own", i), u, catalog.OwnershipOwn), gives("mobile", taxonomy.SensCNMobile, "m"+u))
		})
	},
		func(s *site, i int) {
			s.do("GET /orders/{id}", as("mallory"), owns(fmt.Sprint("o", i), fmt.Sprint("user", i), catalog.OwnershipForeign), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
		},
		func(s *site, i int) {
			s.do("GET /orders/{id}", as("mallory"), func(ev *catalog.Event) {
				ev.Segments[1] = observe.Segment{Class: observe.ClassInt, Token: tok(fmt.Sprint("z", i, s.n))}
			}, answer(403, catalog.OutcomeDenied))
		}, nil},
	{"other people's orders, then they do not exist", taxonomy.DefectBOLA, func(s *site) {
		times(90, func(i int) {
			u := fmt.Sprint("user", i%30)
			s.do("GET /orders/{id}", as(u), owns(fmt.Sprint("own", i), u, catalog.OwnershipOwn), gives("mobile", taxonomy.SensCNMobile, "m"+u))
		})
	},
		func(s *site, i int) {
			s.do("GET /orders/{id}", as("mallory"), owns(fmt.Sprint("o", i), fmt.Sprint("user", i), catalog.OwnershipForeign), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
		},
		func(s *site, i int) {
			missing := func(id string) option {
				return func(ev *catalog.Event) {
					ev.Segments[1] = observe.Segment{Class: observe.ClassInt, Token: tok(id)}
				}
			}
			s.do("GET /orders/{id}", as("mallory"), missing(fmt.Sprint("own", i)), answer(404, catalog.OutcomeNotFound))
			s.do("GET /orders/{id}", as("mallory"), missing(fmt.Sprint("never", i)), answer(404, catalog.OutcomeNotFound)) // proves nothing
		}, nil},
	{"passwords for everybody, then for nobody", taxonomy.DefectSecretInResponse, nil,
		func(s *site, i int) {
			s.do("GET /users", source(i), gives("[].password", taxonomy.SensPassword, fmt.Sprint("p", i)), tags(uint32(i+1)))
		},
		func(s *site, i int) {
			s.do("GET /users", source(i), answer(404, catalog.OutcomeNotFound))
			s.do("GET /users", as("u"), answer(404, catalog.OutcomeNotFound))  // another trigger
			s.do("GET /users", source(i), answer(502, catalog.OutcomeUnknown)) // the proxy cannot reach it
		}, nil},
	{"passwords in the answer, then without", taxonomy.DefectSecretInResponse, nil,
		func(s *site, i int) {
			s.do("GET /config/{id}", as("u"), gives("db.password", taxonomy.SensPassword, fmt.Sprint("p", i)), func(ev *catalog.Event) { ev.Exposures[0].Tags = []uint32{uint32(i + 1)} })
		},
		func(s *site, i int) { s.do("GET /config/{id}", as("u")) }, nil},
	{"weak passwords are taken, then refused", taxonomy.DefectWeakAccepted, func(s *site) { s.api("POST /register", taxonomy.RoleRegister) },
		func(s *site, i int) {
			s.do("POST /register", source(i), about(fmt.Sprint("u", i), false, true), password(observe.PasswordNew, 6, 0, 1, uint32(i+1)))
		},
		func(s *site, i int) {
			s.do("POST /register", source(i), about(fmt.Sprint("v", i), false, false), password(observe.PasswordNew, 6, 0, 1, uint32(i+1)),
				answer(400, catalog.OutcomeInvalid), says("password too weak", observe.SaysInvalid))
		}, nil},
	{"people log in with weak passwords, then change them", taxonomy.DefectWeakInUse, func(s *site) { s.api("POST /login", taxonomy.RoleLogin) },
		func(s *site, i int) {
			s.do("POST /login", source(i), about(fmt.Sprint("u", i), true, false), password(observe.PasswordCurrent, 6, 0, 1, uint32(i+1)))
		},
		func(s *site, i int) {
			s.do("POST /login", source(i), about(fmt.Sprint("u", i%20), true, false), password(observe.PasswordCurrent, 14, 4, 0, uint32(i+1)))
		}, nil},
	{"people log in with weak passwords, then they are turned away", taxonomy.DefectWeakInUse, func(s *site) { s.api("POST /login", taxonomy.RoleLogin) },
		func(s *site, i int) {
			s.do("POST /login", source(i), about(fmt.Sprint("u", i), true, false), password(observe.PasswordCurrent, 6, 0, 1, uint32(i+1)))
		},
		func(s *site, i int) {
			weak := func(who, text string, class observe.MessageClass) {
				s.do("POST /login", source(i), about(who, false, false), password(observe.PasswordCurrent, 6, 0, 1, uint32(i+1)), answer(200, catalog.OutcomeRejected), says(text, class))
			}
			weak(fmt.Sprint("u", i%20), "choose a stronger password", observe.SaysInvalid)
			weak(fmt.Sprint("u", i%20), "wrong password", observe.SaysWrongSecret) // a guess
			weak("stranger", "choose a stronger password", observe.SaysInvalid)
		}, nil},
	{"codes in the answer, then without", taxonomy.DefectCodeInResponse, nil,
		func(s *site, i int) {
			n, p := fmt.Sprint(481203+7919*i), fmt.Sprint("138", i)
			s.do("POST /sms/send", phone(p), answers("data.code", n))
			s.do("POST /login/sms", phone(p), submits("code", n))
		},
		func(s *site, i int) { s.do("POST /sms/send", phone(fmt.Sprint("139", i))) }, nil},
	{"a back end's password is weak, then it is changed", taxonomy.DefectAdminWeakOrDefault, func(s *site) { s.api("POST /admin/login", taxonomy.RoleLogin) },
		func(s *site, i int) {
			s.do("POST /admin/login", about("admin", true, false), password(observe.PasswordCurrent, 6, 0, 1, 3))
		},
		func(s *site, i int) {
			s.do("POST /admin/login", about("admin", true, false), password(observe.PasswordCurrent, 16, 4, 0, 4))
		}, nil},
	{"a product's own password opens it, then no more", taxonomy.DefectDefaultCredential, func(s *site) { s.api("POST /nacos/v1/auth/login", taxonomy.RoleLogin) },
		func(s *site, i int) {
			s.do("POST /nacos/v1/auth/login", about("nacos", true, false), password(observe.PasswordCurrent, 5, 0, 1, 3), privileged("nacos"))
		},
		func(s *site, i int) {
			refused := func(opts ...option) {
				s.do("POST /nacos/v1/auth/login", append(opts, answer(403, catalog.OutcomeDenied), says("unknown user!", observe.SaysBadPair))...)
			}
			refused(about("nacos", false, false), password(observe.PasswordCurrent, 5, 0, 1, 3), privileged("nacos"))
			refused(about("nacos", false, false), password(observe.PasswordCurrent, 12, 4, 0, 9)) // a guess
		}, nil},
	{"sessions outlive signing out, then they end", taxonomy.DefectDeadCredential, func(s *site) {
		s.api("POST /logout", taxonomy.RoleLogout)
		s.do("GET /feed", answer(401, catalog.OutcomeDenied))
		times(10, func(i int) { s.do("POST /logout", as(fmt.Sprint("u", i))) })
		s.now += int64(time.Minute)
	},
		func(s *site, i int) { s.do("GET /feed", as(fmt.Sprint("u", i%10))) },
		func(s *site, i int) {
			s.do("GET /feed", as(fmt.Sprint("u", i%10)), answer(401, catalog.OutcomeDenied))
		}, nil},
	{"one password for all who begin, then each its own", taxonomy.DefectSharedDefault, func(s *site) {
		s.api("POST /login", taxonomy.RoleLogin)
		times(2, func(i int) { begin(s, fmt.Sprint("first", i), 7) })
		s.now += 24 * int64(time.Hour) // two a day are no trial
	},
		func(s *site, i int) { begin(s, fmt.Sprint("u", s.n), 7) },
		func(s *site, i int) { begin(s, fmt.Sprint("v", s.n), uint32(100+s.n)) }, nil},
	{"clerks do what administrators do, then they are refused", taxonomy.DefectBFLA, func(s *site) {
		office{s, 8}.days(20, "PUT /roles/{id}", nil)
	},
		func(s *site, i int) {
			s.now += int64(10 * time.Hour)
			times(8, func(k int) { s.do("GET /members", office{s, 8}.clerk(k)...) })
			s.do("PUT /roles/{id}", office{s, 8}.clerk(i/8%8)...)
		},
		func(s *site, i int) {
			s.do("PUT /roles/{id}", append(office{s, 8}.clerk(i%8), answer(403, catalog.OutcomeDenied))...)
		}, nil},
	{"the detail is whole, then masked for clerks", taxonomy.DefectRoleOverbroad, func(s *site) {
		times(6, func(i int) {
			s.do("GET /members", as("clerk"), having(clerkRole), gives("rows[].mobile", taxonomy.SensCNMobile, people("m", 5)...), masked())
		})
		times(40, func(i int) {
			s.do("GET /members/{id}", as("lead"), having(leadRole), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
		})
	},
		func(s *site, i int) {
			s.do("GET /members/{id}", as("clerk"), having(clerkRole), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
		},
		func(s *site, i int) {
			s.do("GET /members/{id}", as("clerk"), having(clerkRole), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)), masked())
		}, nil},
	{"every origin may read, then one on a list", taxonomy.DefectCORS, func(s *site) {},
		func(s *site, i int) {
			s.do("GET /me", origin(fmt.Sprintf("https://p%d.org", i%4), observe.CORSReflected|observe.CORSCredentials))
		},
		func(s *site, i int) {
			if i > 0 && i%3 == 0 {
				s.do("GET /me", origin("https://partner.org", observe.CORSReflected|observe.CORSCredentials))
			}
			s.do("GET /me", origin(fmt.Sprintf("https://p%d.org", i%4), 0))
		}, nil},
	{"any number of guesses, then a lock", taxonomy.DefectNoThrottling, func(s *site) {
		s.api("POST /login", taxonomy.RoleLogin)
		times(19, func(i int) { wrongGuess(s, i) })
	}, wrongGuess,
		func(s *site, i int) {
			s.do("POST /login", about("victim", true, false), password(observe.PasswordCurrent, 9, 2, 0, uint32(i+1)),
				answer(200, catalog.OutcomeRejected), says("account locked", observe.SaysLocked))
		}, func(s *site) { times(19, func(i int) { wrongGuess(s, i) }) }},
}

func begin(s *site, who string, tag uint32) {
	s.do("POST /login", source(s.n), about(who, true, false), password(observe.PasswordCurrent, 14, 4, 0, tag))
}

func wrongGuess(s *site, i int) {
	s.do("POST /login", about("victim", true, false), password(observe.PasswordCurrent, 9, 2, 0, uint32(i+1)),
		answer(200, catalog.OutcomeRejected), says("wrong password", observe.SaysBadPair))
}

// TestRepairs holds every history against what happened: a finding stays when
// its hole is closed, the attempts since count without firing, and it fires
// again when the hole is back.
func TestRepairs(t *testing.T) {
	const opened, closed = 20, 60
	for _, c := range repairs {
		t.Run(c.name, func(t *testing.T) {
			s := newSite()
			if c.start != nil {
				c.start(s)
			}
			a := audit.New(audit.Config{Messages: texts(t)})
			fed := 0
			history := func() (eligible, fired uint32, last int64) {
				t.Helper()
				for ; fed < len(s.events); fed++ {
					a.Observe(&s.events[fed])
				}
				var found *defect.Finding
				for _, f := range a.Findings(s) {
					if f.Kind == c.kind {
						found = &f
					}
				}
				if found == nil || found.Trials == nil {
					t.Fatalf("no finding with a history: %v", found)
				}
				for _, b := range found.Trials.Buckets() {
					eligible, fired, last = eligible+b.Eligible, fired+b.Fired, b.Start
				}
				return eligible, fired, last
			}
			times(opened, func(i int) { c.open(s, i) })
			e1, f1, _ := history()
			if f1 != opened || e1 != f1 {
				t.Fatalf("open: %d of %d fired", f1, e1)
			}
			times(closed, func(i int) {
				s.now += int64(time.Hour)
				c.closed(s, i)
				if i == 0 || i == closed/2 {
					history()
				}
			})
			e2, f2, _ := history()
			if f2 != f1 || e2 != e1+closed {
				t.Fatalf("closed: %d of %d fired, want %d of %d", f2, e2, f1, e1+closed)
			}
			s.now += int64(time.Hour)
			if c.again != nil {
				c.again(s)
			}
			times(6, func(i int) { c.open(s, 100+i) })
			e3, f3, _ := history()
			if f3 != f2+6 || e3 != e2+6 {
				t.Fatalf("open again: %d of %d fired, want %d of %d", f3, e3, f2+6, e2+6)
			}
		})
	}
}
