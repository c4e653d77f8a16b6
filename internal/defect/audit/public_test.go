package audit_test

import (
	"fmt"
	"slices"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func records(n uint32) option { return func(ev *catalog.Event) { ev.Records = n } }

func TestUnneededSensitive(t *testing.T) {
	people := func(page int) (out []string) {
		for i := range 15 {
			out = append(out, fmt.Sprint("phone", page*15+i))
		}
		return out
	}
	run := func(api string, n, sources, pages int, more ...option) func(*site) {
		return func(s *site) {
			times(n, func(i int) {
				s.do("GET "+api, append([]option{source(i % sources), records(15), gives("rows[].phone", taxonomy.SensCNMobile, people(i/sources%pages)...)}, more...)...)
			})
		}
	}
	const also = "unauthenticated_sensitive:confirmed"
	check(t, []scenario{
		{"winners with their numbers", run("/activity/winners", 40, 10, 2), also + " unneeded_sensitive:confirmed", nil},
		{"a list without such a name", run("/rows", 40, 10, 2), "unneeded_sensitive:probable " + also, []string{"rows[].phone", "手机号", "30 人"}},
		{"few readers of such a list", run("/rows", 40, 4, 2), also, nil},
		{"too few answers", run("/activity/winners", 19, 10, 2), also, nil},
		{"masked", run("/activity/winners", 40, 10, 2, masked()), "", nil},
		{"everyone gets people of his own", func(s *site) {
			times(40, func(i int) {
				s.do("GET /notice/mine", source(i), records(15), gives("rows[].phone", taxonomy.SensCNMobile, people(i)...))
			})
		}, also, nil},
		{"names alone", func(s *site) {
			times(40, func(i int) {
				s.do("GET /notice/list", source(i%10), records(15), gives("rows[].name", taxonomy.SensPersonName, people(0)...))
			})
		}, "", nil},
		{"after signing in", run("/activity/winners", 40, 10, 2, as("anna")), "", nil},
	})
}

// script serves a script that uses these names.
func script(s *site, names ...string) {
	s.api("GET /app.js", taxonomy.RoleStatic)
	s.do("GET /app.js", kind(observe.BodyScript), func(ev *catalog.Event) {
		for _, n := range names {
			ev.Used = append(ev.Used, observe.UsedKey(n))
		}
		slices.Sort(ev.Used)
	})
}

func TestUnusedByFrontend(t *testing.T) {
	fetch := func(n int, more ...option) func(s *site) {
		return func(s *site) {
			times(n, func(i int) {
				s.do("GET /api/fee", append([]option{source(i), as(fmt.Sprint("u", i)), func(ev *catalog.Event) { ev.Referer = ev.Host }, gives("data.ownerPhone", taxonomy.SensCNMobile, fmt.Sprint("p", i), fmt.Sprint("q", i))}, more...)...)
			})
		}
	}
	both := func(a, b func(*site)) func(*site) { return func(s *site) { a(s); b(s) } }
	serve := func(names ...string) func(*site) { return func(s *site) { script(s, names...) } }
	cut := func(s *site) {
		s.api("GET /big.js", taxonomy.RoleStatic)
		s.do("GET /big.js", kind(observe.BodyScript), func(ev *catalog.Event) { ev.UsedCut = true })
	}
	check(t, []scenario{
		{"a number that no script names", both(serve("api", "fee", "amount"), fetch(25)), "unused_by_frontend:probable", []string{"data.ownerPhone", "GET /api/fee"}},
		{"often", both(serve("api", "fee", "amount"), fetch(60)), "unused_by_frontend:probable", nil},
		{"a script names it", both(serve("api", "fee", "owner_phone"), fetch(60)), "", nil},
		{"a later script names it", both(both(serve("api", "fee"), fetch(60)), serve("api", "fee", "ownerPhone")), "", nil},
		{"scripts that do not name the API", both(serve("other", "amount"), fetch(60)), "", nil},
		{"no script was seen", fetch(60), "", nil},
		{"a script was not seen whole", both(both(serve("api", "fee"), cut), fetch(60)), "", nil},
		{"asked for by programs", both(serve("api", "fee"), fetch(60, tool)), "", nil},
		{"asked for by an app", both(serve("api", "fee"), fetch(60, func(ev *catalog.Event) { ev.Referer = "" })), "", nil},
		{"masked", both(serve("api", "fee"), fetch(60, masked())), "", nil},
		{"nineteen times", both(serve("api", "fee"), fetch(19)), "", nil},
	})
}

func TestMissingRateLimitHeader(t *testing.T) {
	run := func(n, sources int, limits uint8, more ...option) func(*site) {
		return func(s *site) {
			times(n, func(i int) {
				s.do("GET /report", append([]option{source(i % sources), answer(429, catalog.OutcomeThrottled), func(ev *catalog.Event) { ev.Limits = limits }}, more...)...)
			})
		}
	}
	check(t, []scenario{
		{"not a word", run(4, 2, 0), "missing_rate_limit_header:probable", []string{"Retry-After", "4 次"}},
		{"often", run(12, 3, 0), "missing_rate_limit_header:confirmed", nil},
		{"Retry-After", run(12, 3, observe.LimitsRetry), "", nil},
		{"RateLimit", run(12, 3, observe.LimitsRate), "", nil},
		{"one source", run(12, 1, 0), "", nil},
		{"headers are not seen", run(12, 3, 0, func(ev *catalog.Event) { ev.Caps = 0 }), "", nil},
		{"another refusal", run(12, 3, 0, answer(403, catalog.OutcomeDenied)), "", nil},
	})
}

func TestWeakVerificationCode(t *testing.T) {
	code := func(value string, length int) option {
		return func(ev *catalog.Event) {
			ev.Params = append(ev.Params, observe.Param{Name: "verifyCode", In: observe.InJSON, Token: tok(value), Sensitive: taxonomy.SensVerificationCode, Class: observe.ClassInt, Len: uint32(length)})
		}
	}
	run := func(send bool, f func(s *site, who string, i int)) func(*site) {
		return func(s *site) {
			s.api("POST /sms/send", taxonomy.RoleCodeSend)
			s.api("POST /login/sms", taxonomy.RoleLoginCode)
			times(4, func(i int) {
				who := fmt.Sprint("p", i)
				if send {
					s.do("POST /sms/send", source(i), about(who, true, false))
				}
				f(s, who, i)
			})
		}
	}
	show := func(value string, length int, more ...option) func(*site, string, int) {
		return func(s *site, who string, i int) {
			s.do("POST /login/sms", append([]option{source(i), about(who, true, false), code(value+who, length)}, more...)...)
		}
	}
	twice := func(again int64) func(*site, string, int) {
		return func(s *site, who string, i int) {
			show("c", 6)(s, who, i)
			s.now += again
			show("c", 6)(s, who, i)
		}
	}
	check(t, []scenario{
		{"four digits", run(true, show("c", 4)), "weak_verification_code:probable", []string{"4 位", "POST /login/sms"}},
		{"six digits", run(true, show("c", 6)), "", nil},
		{"four digits that nobody sent", run(false, show("c", 4)), "", nil},
		{"refused", run(true, show("c", 4, answer(200, catalog.OutcomeRejected))), "", nil},
		{"taken twice", run(true, twice(60e9)), "weak_verification_code:probable", []string{"重复使用"}},
		{"sent twice by a hasty client", run(true, twice(2e9)), "", nil},
		{"off a picture", run(true, func(s *site, who string, i int) {
			s.do("POST /login/sms", source(i), about(who, true, false), func(ev *catalog.Event) {
				ev.Params = append(ev.Params, observe.Param{Name: "imageCode", In: observe.InJSON, Token: tok(who), Sensitive: taxonomy.SensVerificationCode, Class: observe.ClassInt, Len: 4})
			})
		}), "", nil},
	})
}

func TestTimingOracle(t *testing.T) {
	run := func(known, others int64, n int, more ...option) func(*site) {
		return func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			times(n, func(i int) {
				for k, took := range []int64{known, others} {
					s.do("POST /login", append([]option{source(i), about(fmt.Sprint("p", k, "-", i%30), k == 0, k == 1), answer(200, catalog.OutcomeRejected), says("账号或密码错误", observe.SaysBadPair),
						func(ev *catalog.Event) { ev.Start = ev.End - took*1e6 - int64(i%9)*1e6 }}, more...)...)
				}
			})
		}
	}
	check(t, []scenario{
		{"a hash for some", run(90, 15, 60), "timing_oracle:probable", []string{"94 毫秒", "POST /login"}},
		{"alike", run(90, 88, 60), "", nil},
		{"codes are sent to anybody", func(s *site) {
			s.api("POST /sms", taxonomy.RoleCodeSend)
			run(90, 15, 60)(s)
			times(30, func(i int) { s.do("POST /sms", source(i), about(fmt.Sprint("p1-", i), false, false)) })
		}, "timing_oracle:probable", nil},
		{"all turn out to exist", func(s *site) {
			run(90, 15, 40)(s)
			times(30, func(i int) { s.do("POST /login", source(i), about(fmt.Sprint("p1-", i), false, false)) })
			run(90, 15, 10)(s)
		}, "", nil},
		{"twenty milliseconds", run(40, 20, 60), "", nil},
		{"too few", run(90, 15, 40), "", nil},
		{"no time is told", run(90, 15, 60, func(ev *catalog.Event) { ev.Start = ev.End }), "", nil},
		{"limits answer fast", run(90, 15, 60, func(ev *catalog.Event) {
			if !ev.Who.Registered {
				ev.MessageSays = observe.SaysThrottled
			}
		}), "", nil},
	})
}

func TestInjectionSuspected(t *testing.T) {
	word := func(i int) option { return param(observe.InQuery, "q", fmt.Sprint("w", i), 0) }
	crack := marker("sql/mysql", "message", "You have an error in your SQL syntax; check the manual")
	statement := func(ev *catalog.Event) {
		ev.Signatures = append(ev.Signatures, observe.Signature{Rule: "sqli.boolean", In: observe.InQuery, Name: "q"})
	}
	broken := func(s *site, status int, out catalog.Outcome) {
		times(5, func(i int) { s.do("GET /search", source(1), word(i+100), statement, answer(status, out)) })
	}
	sane := func(s *site, failures int) {
		times(40, func(i int) {
			o := answer(200, catalog.OutcomeSuccess)
			if i < failures {
				o = answer(500, catalog.OutcomeError)
			}
			s.do("GET /search", source(i), word(i), o)
		})
	}
	check(t, []scenario{
		{"the database complains", func(s *site) {
			sane(s, 0)
			times(3, func(i int) { s.do("GET /search", source(i), word(i), crack, answer(500, catalog.OutcomeError)) })
		}, "injection_suspected:probable", []string{"语法错误", "GET /search"}},
		{"it complains of a missing table", func(s *site) {
			sane(s, 0)
			times(3, func(i int) {
				s.do("GET /search", source(i), word(i), marker("sql/mysql", "message", "Table 'x.y' doesn't exist"), answer(500, catalog.OutcomeError))
			})
		}, "", nil},
		{"it always complains", func(s *site) {
			times(9, func(i int) { s.do("GET /search", source(i), word(i), crack, answer(500, catalog.OutcomeError)) })
		}, "", nil},
		{"statements break it, matching ones do not", func(s *site) {
			sane(s, 0)
			broken(s, 500, catalog.OutcomeError)
			broken(s, 200, catalog.OutcomeSuccess)
		}, "injection_suspected:probable", []string{"引号配对"}},
		{"everything breaks it", func(s *site) {
			sane(s, 20)
			broken(s, 500, catalog.OutcomeError)
			broken(s, 200, catalog.OutcomeSuccess)
		}, "", nil},
		{"statements are refused", func(s *site) {
			sane(s, 0)
			broken(s, 403, catalog.OutcomeDenied)
			broken(s, 200, catalog.OutcomeSuccess)
		}, "", nil},
		{"statements are words like others", func(s *site) { sane(s, 0); broken(s, 200, catalog.OutcomeSuccess) }, "", nil},
	})
}

func TestMassAssignment(t *testing.T) {
	right := func(name, value string, response bool) option {
		return func(ev *catalog.Event) {
			ev.Rights = append(ev.Rights, observe.Right{Path: name, Key: tok(name), Token: tok(value), Shape: "g**d", Response: response})
		}
	}
	const me = "GET /me"
	const change = "PATCH /me"
	run := func(n int, sent, shown string, others int) func(*site) {
		return func(s *site) {
			s.api(me, taxonomy.RoleProfile)
			s.api(change, taxonomy.RoleProfileUpdate)
			times(n, func(i int) {
				who := as(fmt.Sprint("u", i))
				s.do(me, source(i), who, right("level", "normal", true))
				s.do(change, source(i), who, right("level", sent, false), right("level", shown, true))
				times(others, func(int) { s.do(change, source(i), who) })
			})
		}
	}
	register := func(shown string) func(*site) {
		return func(s *site) {
			s.api("POST /register", taxonomy.RoleRegister)
			list := func(name, admin string) {
				s.do("GET /accounts", from("10.0.0.4"), as("clerk"), lists(name), func(ev *catalog.Event) {
					ev.Rights = append(ev.Rights, observe.Right{Path: "items[].admin", Key: tok("admin"), Token: tok(admin), Response: true})
				})
			}
			times(5, func(i int) {
				name := fmt.Sprint("n", i)
				s.do("POST /register", source(i), about(name, false, true))
				list(name, "false")
			})
			s.do("POST /register", source(9), about("eve", false, true), right("admin", "true", false))
			list("eve", shown)
		}
	}
	check(t, []scenario{
		{"levels set by their owners", run(4, "gold", "gold", 2), "mass_assignment:confirmed", []string{"level", "PATCH /me", "4 个账号"}},
		{"refused in silence", run(4, "gold", "normal", 2), "", nil},
		{"sent back as it was", run(4, "normal", "normal", 2), "", nil},
		{"it is what the API is for", run(4, "gold", "gold", 0), "", nil},
		{"registered as an administrator", register("true"), "mass_assignment:probable", []string{"admin"}},
		{"registered as everybody", register("false"), "", nil},
	})
}

func TestDefaultSecret(t *testing.T) {
	const run = "POST /api/registry"
	shown := func(n int, product string, in observe.Location, more ...option) func(*site) {
		return func(s *site) {
			times(n, func(i int) {
				s.do(run, append([]option{source(i), as("executor"), func(ev *catalog.Event) {
					ev.Credentials = append(ev.Credentials, observe.Credential{Kind: observe.CredAPIKey, In: in, Name: "xxl-job-access-token", Token: 7, Product: product, Shape: "de****en"})
				}}, more...)...)
			})
		}
	}
	check(t, []scenario{
		{"the default token of a product", shown(4, "XXL-JOB", observe.InHeader), "default_secret:confirmed", []string{"XXL-JOB"}},
		{"a token of one's own", shown(4, "", observe.InHeader), "", nil},
		{"refused", shown(4, "XXL-JOB", observe.InHeader, answer(401, catalog.OutcomeDenied)), "", nil},
		{"a scanner's cookie", shown(4, "Apache Shiro", observe.InCookie), "", nil},
		{"twice", shown(2, "XXL-JOB", observe.InHeader), "", nil},
	})
}

func TestReusedCaptcha(t *testing.T) {
	form := func(key, text string) option {
		return func(ev *catalog.Event) {
			ev.Params = append(ev.Params, observe.Param{Name: "captchaKey", In: observe.InForm, Token: tok(key), Class: observe.ClassHex, Len: 16},
				observe.Param{Name: "captcha", In: observe.InForm, Token: tok(text), Class: observe.ClassMixed, Len: 4})
		}
	}
	wrong := func(ev *catalog.Event) {
		answer(200, catalog.OutcomeRejected)(ev)
		says("账号或密码错误", observe.SaysBadPair)(ev)
	}
	old := func(ev *catalog.Event) {
		answer(200, catalog.OutcomeRejected)(ev)
		says("验证码已失效", observe.SaysCaptcha)(ev)
	}
	run := func(key func(i, k int) string, second ...option) func(*site) {
		return func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			times(4, func(i int) {
				for k, more := range [][]option{{wrong}, second} {
					s.do("POST /login", append([]option{source(i), about(fmt.Sprint("p", i), true, false), password(observe.PasswordCurrent, 14, 3, 0, 9), form(key(i, k), "7xk2")}, more...)...)
				}
			})
		}
	}
	same, fresh := func(i, _ int) string { return fmt.Sprint(i) }, func(i, k int) string { return fmt.Sprint(i, k) }
	check(t, []scenario{
		{"taken again", run(same, wrong), "weak_verification_code:probable", []string{"图形验证码", "4 次"}},
		{"refused the second time", run(same, old), "", nil},
		{"a new one each time", run(fresh, wrong), "", nil},
		{"one exchange seen twice", run(same, wrong, func(ev *catalog.Event) { ev.Start -= 2e9 }), "", nil},
	})
}
