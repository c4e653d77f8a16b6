package audit_test

import (
	"fmt"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func TestIdentityOracle(t *testing.T) {
	const login = "POST /login"
	wrongPassword := says("密码错误", observe.SaysWrongSecret)
	noAccount := says("用户不存在", observe.SaysNotRegistered)
	bad := says("账号或密码错误", observe.SaysBadPair)
	fail := func(s *site, n int, prefix string, registered bool, m option) {
		s.api(login, taxonomy.RoleLogin)
		times(n, func(i int) {
			s.do(login, source(i), about(fmt.Sprint(prefix, i), registered, !registered), password(observe.PasswordCurrent, 9, 2, 0, uint32(i+1)), answer(200, catalog.OutcomeRejected), m)
		})
	}
	const exists = "GET /account/exists"
	bool2 := func(yes bool) option {
		return func(ev *catalog.Event) {
			ev.RespBytes, ev.Schema = 5, 99
			if yes {
				ev.RespBytes = 4
			}
		}
	}
	check(t, []scenario{
		{"login says which", func(s *site) { fail(s, 4, "real", false, wrongPassword); fail(s, 5, "ghost", false, noAccount) }, "identity_oracle:probable",
			[]string{"「密码错误」（200）（4 个账号）", "「用户不存在」（200）（5 个账号）"}},
		{"checked against the truth", func(s *site) { fail(s, 8, "real", true, wrongPassword); fail(s, 8, "ghost", false, noAccount) }, "identity_oracle:confirmed",
			[]string{"8 个已确认注册"}},
		{"register says taken", func(s *site) {
			s.api("POST /register", taxonomy.RoleRegister)
			times(4, func(i int) {
				s.do("POST /register", about(fmt.Sprint("new", i), false, true))
				s.do("POST /register", about(fmt.Sprint("old", i), true, false), answer(200, catalog.OutcomeRejected), says("手机号已注册", observe.SaysRegistered))
			})
		}, "identity_oracle:probable", []string{"手机号已注册"}},
		{"true and false", func(s *site) {
			s.api(exists, taxonomy.RoleIdentityCheck)
			times(25, func(i int) {
				s.do(exists, source(i), about(fmt.Sprint("real", i), true, false), bool2(true))
				s.do(exists, source(i), about(fmt.Sprint("ghost", i), false, true), bool2(false))
			})
		}, "identity_oracle:confirmed", []string{"虽无文字说明", "25 个已注册账号"}},
		{"a progress query says yes or no about anybody", func(s *site) {
			s.api("POST /card/progress", taxonomy.RoleQueryProgress)
			times(80, func(i int) {
				s.do("POST /card/progress", source(i), about(fmt.Sprint("p", i%40), false, false), bool2(i%40 < 20))
			})
		}, "identity_oracle:confirmed", []string{"POST /card/progress"}},
		{"or to those who are signed in, about their own", func(s *site) {
			s.api("POST /card/progress", taxonomy.RoleQueryProgress)
			times(80, func(i int) {
				s.do("POST /card/progress", as(fmt.Sprint("u", i)), source(i), about(fmt.Sprint("p", i%40), false, false), bool2(i%40 < 20))
			})
		}, "", nil},
		{"one answer for all", func(s *site) { fail(s, 40, "real", true, bad); fail(s, 40, "ghost", false, bad) }, "", nil},
		{"two each are not enough", func(s *site) { fail(s, 2, "real", false, wrongPassword); fail(s, 2, "ghost", false, noAccount) }, "", nil},
		{"success against failure is no oracle", func(s *site) {
			fail(s, 30, "real", true, bad)
			times(30, func(i int) {
				s.do(login, source(i), about(fmt.Sprint("real", i), true, false), says("welcome", observe.SaysSuccess))
			})
		}, "", nil},
		{"locked accounts answer differently", func(s *site) {
			fail(s, 30, "real", true, says("账号已锁定", observe.SaysLocked))
			fail(s, 30, "ghost", false, bad)
		}, "", nil},
		{"two answers that do not depend on the account", func(s *site) {
			s.api(exists, taxonomy.RoleIdentityCheck)
			times(60, func(i int) {
				s.do(exists, source(i), about(fmt.Sprint("real", i), true, false), bool2(i%2 == 0))
				s.do(exists, source(i), about(fmt.Sprint("ghost", i), false, true), bool2(i%2 == 0))
			})
		}, "", nil},
		{"answers as long as the name", func(s *site) {
			s.api(exists, taxonomy.RoleIdentityCheck)
			times(80, func(i int) {
				s.do(exists, source(i), about(fmt.Sprint("u", i), i%2 == 0, i%2 == 1), func(ev *catalog.Event) { ev.RespBytes = uint64(20 + i/2%3) })
			})
		}, "", nil},
		{"the owner proved by a code", func(s *site) {
			s.api("POST /register", taxonomy.RoleRegister)
			times(9, func(i int) {
				code := param(observe.InJSON, "code", "1", taxonomy.SensVerificationCode)
				s.do("POST /register", about(fmt.Sprint("new", i), false, true), code)
				s.do("POST /register", about(fmt.Sprint("old", i), true, false), code, answer(200, catalog.OutcomeRejected), says("已注册", observe.SaysRegistered))
			})
		}, "", nil},
	})
}

func TestBulkResponse(t *testing.T) {
	const api = "GET /customers"
	bulk := func(s *site, n, size int, opts ...option) {
		times(n, func(i int) {
			s.do(api, append([]option{as("a"), gives("data[].mobile", taxonomy.SensCNMobile, people("m", size)...), lists(people("r", size)...)}, opts...)...)
		})
	}
	check(t, []scenario{
		{"a hundred and twenty", func(s *site) { bulk(s, 2, 120) }, "bulk_response:probable", []string{"120 人", "手机号"}},
		{"twelve hundred", func(s *site) {
			bulk(s, 3, 1200, param(observe.InQuery, "pageSize", "5000", taxonomy.NotSensitive))
		}, "bulk_response:confirmed", []string{"1200 人"}},
		{"ninety-nine", func(s *site) { bulk(s, 9, 99) }, "", nil},
		{"once", func(s *site) { bulk(s, 1, 400) }, "", nil},
		{"masked", func(s *site) { bulk(s, 9, 400, masked()) }, "", nil},
		{"public names", func(s *site) {
			times(9, func(i int) { s.do("GET /ranking", gives("[].nick", taxonomy.SensAccountName, people("n", 400)...)) })
		}, "", nil},
		{"a signed-in export", func(s *site) { s.api(api, taxonomy.RoleExport); bulk(s, 9, 400) }, "", nil},
	})
}

func TestVerboseTrace(t *testing.T) {
	const api = "GET /users/{name}"
	trace := marker("trace/python", "body", "Traceback (most recent call last): File ***")
	check(t, []scenario{
		{"a traceback in an error", func(s *site) { s.do(api, answer(500, catalog.OutcomeError), trace) }, "verbose_trace:probable", []string{api, "1 次"}},
		{"twice", func(s *site) { times(2, func(int) { s.do(api, answer(500, catalog.OutcomeError), trace) }) }, "verbose_trace:confirmed", nil},
		{"a failure that says 200", func(s *site) { times(3, func(int) { s.do(api, answer(200, catalog.OutcomeError), trace) }) }, "verbose_trace:confirmed", nil},
		{"for a mistyped id", func(s *site) {
			s.api(api, taxonomy.RoleDetail)
			times(2, func(int) {
				s.do("GET /users/79a", answer(500, catalog.OutcomeError), trace, func(ev *catalog.Event) { ev.API, ev.Beside = nil, s.api(api, taxonomy.RoleDetail).Handle })
			})
		}, "verbose_trace:confirmed", []string{api}},
		{"of no API", func(s *site) {
			times(2, func(int) {
				s.do("GET /users/79a", answer(500, catalog.OutcomeError), trace, func(ev *catalog.Event) { ev.API = nil })
			})
		}, "", nil},
		{"an article about tracebacks", func(s *site) {
			times(9, func(int) { s.do(api, marker("trace/python", "data.content", "Traceback ***")) })
		}, "", nil},
		{"documentation", func(s *site) {
			s.api("GET /docs/errors", taxonomy.RoleDocs)
			times(9, func(int) { s.do("GET /docs/errors", kind(observe.BodyHTML), trace) })
		}, "", nil},
		{"a paste site answers well", func(s *site) { times(9, func(int) { s.do("GET /paste/{id}", kind(observe.BodyText), trace) }) }, "", nil},
		{"a plain error", func(s *site) { times(9, func(int) { s.do(api, answer(500, catalog.OutcomeError)) }) }, "", nil},
	})
}

func TestMarkers(t *testing.T) {
	env := marker("component/actuator.env", "body", `"activeProfiles":[***]`)
	check(t, []scenario{
		{"actuator in the open", func(s *site) { times(2, func(int) { s.do("GET /actuator/env", env) }) }, "exposed_component:confirmed", []string{"actuator", "2 次"}},
		{"once", func(s *site) { s.do("GET /actuator/env", env) }, "exposed_component:probable", nil},
		{"by a request that is no API", func(s *site) {
			s.do("GET /actuator/env", env, func(ev *catalog.Event) { ev.API = nil })
		}, "exposed_component:probable", []string{"/actuator/env"}},
		{"documents", func(s *site) {
			times(2, func(int) { s.do("GET /v3/api-docs", marker("docs/openapi", "body", "openapi")) })
		}, "api_docs:confirmed", nil},
		{"a debugger on an error", func(s *site) {
			times(2, func(int) {
				s.do("GET /boom", answer(500, catalog.OutcomeError), marker("debug/werkzeug", "body", "Werkzeug"))
			})
		}, "debug_page:confirmed", nil},
		{"a file", func(s *site) {
			s.do("GET /.git/HEAD", kind(observe.BodyText), marker("file/git", "body", "ref: refs/***"))
		}, "exposed_file:probable", nil},
		{"a probe that found nothing", func(s *site) {
			times(9, func(int) { s.do("GET /actuator/env", answer(404, catalog.OutcomeNotFound), env) })
		}, "", nil},
		{"the path alone", func(s *site) { times(9, func(int) { s.do("GET /actuator/env") }) }, "", nil},
		{"signed in, inside", func(s *site) { times(9, func(int) { s.do("GET /actuator/env", as("ops"), from("10.0.0.9"), env) }) }, "", nil},
		{"the house's own monitoring", func(s *site) {
			s.api("GET /metrics", taxonomy.RoleMetrics)
			times(9, func(int) { s.do("GET /metrics", from("10.0.0.9"), marker("component/prometheus", "body", "# HELP")) })
		}, "", nil},
		{"an article that shows one", func(s *site) {
			times(9, func(int) { s.do("GET /posts/{id}", marker("component/actuator.env", "post.content", "activeProfiles")) })
		}, "", nil},
	})
}

func jwt(weak, list, alg string, none bool) *observe.JWT {
	return &observe.JWT{Alg: alg, WeakSecret: weak, WeakList: list, None: none}
}

func TestJWT(t *testing.T) {
	const login, me = "POST /login", "GET /me"
	issue := func(j *observe.JWT) option {
		return func(ev *catalog.Event) {
			ev.Issued = []observe.Credential{{Kind: observe.CredBearer, In: observe.InJSON, Name: "auth_token", Token: 5, JWT: j, Shape: "ey****9A"}}
		}
	}
	show := func(j *observe.JWT) option {
		return func(ev *catalog.Event) { as("alice")(ev); ev.Credentials[0].JWT = j }
	}
	world := func(s *site, refuses bool) {
		s.api(login, taxonomy.RoleLogin)
		if refuses {
			s.do(me, answer(401, catalog.OutcomeDenied))
		}
	}
	weak, none, good := jwt("ra****om", "jwt-secrets", "hs256", false), jwt("", "", "none", true), jwt("", "", "hs256", false)
	check(t, []scenario{
		{"issued with a listed secret", func(s *site) { world(s, true); s.do(login, issue(weak)); s.do(me, show(weak)) }, "jwt_weak_secret:confirmed",
			[]string{"POST /login", "HS256", "ra****om", "2 个 API"}},
		{"shown and accepted", func(s *site) { world(s, true); times(3, func(int) { s.do(me, show(weak)) }) }, "jwt_weak_secret:confirmed", []string{"GET /me"}},
		{"unsigned and accepted", func(s *site) { world(s, true); s.do(me, show(none)) }, "jwt_none:probable", []string{"alg=none"}},
		{"unsigned twice", func(s *site) { world(s, true); times(2, func(int) { s.do(me, show(none)) }) }, "jwt_none:confirmed", nil},
		{"unsigned and refused", func(s *site) {
			world(s, true)
			times(9, func(int) { s.do(me, show(none), answer(401, catalog.OutcomeDenied)) })
		}, "", nil},
		{"a good secret", func(s *site) { world(s, true); s.do(login, issue(good)); times(9, func(int) { s.do(me, show(good)) }) }, "", nil},
		{"an open API looks at no token", func(s *site) {
			world(s, false)
			times(9, func(int) { s.do("GET /news"); s.do("GET /news", show(none)); s.do("GET /news", show(weak)) })
		}, "", nil},
		{"forged and refused", func(s *site) {
			world(s, true)
			times(9, func(int) { s.do(me, show(weak), answer(401, catalog.OutcomeDenied)) })
		}, "", nil},
	})
}

func TestSecretInURL(t *testing.T) {
	const api = "GET /profile"
	check(t, []scenario{
		{"password in the query", func(s *site) {
			times(4, func(i int) {
				s.do(api, source(i), param(observe.InQuery, "pwd", fmt.Sprint("p", i), taxonomy.SensPassword))
			})
		}, "secret_in_url:confirmed", []string{"pwd", "密码", "4 次"}},
		{"a session token, used again and again", func(s *site) {
			times(12, func(i int) {
				s.do(api, source(i%4), param(observe.InQuery, "token", fmt.Sprint("t", i%4), taxonomy.SensAccessToken))
			})
		}, "secret_in_url:confirmed", nil},
		{"a session in the path", func(s *site) {
			times(12, func(i int) {
				s.do(api, source(i%4), func(ev *catalog.Event) {
					ev.Credentials = append(ev.Credentials, observe.Credential{Kind: observe.CredAPIKey, In: observe.InPath, Name: "jsessionid", Token: uint64(7 + i%4)})
				})
			})
		}, "secret_in_url:confirmed", []string{"jsessionid"}},
		{"in the body", func(s *site) {
			times(9, func(i int) {
				s.do("POST /login", source(i), param(observe.InJSON, "password", fmt.Sprint("p", i), taxonomy.SensPassword))
			})
		}, "", nil},
		{"tickets, each used once", func(s *site) {
			times(9, func(i int) {
				s.do("GET /file", source(i), param(observe.InQuery, "token", fmt.Sprint("t", i), taxonomy.SensAccessToken))
			})
		}, "", nil},
		{"a reset link", func(s *site) {
			s.api("GET /reset", taxonomy.RolePasswordReset)
			times(9, func(i int) {
				s.do("GET /reset", source(i), param(observe.InQuery, "token", fmt.Sprint("t", i%3), taxonomy.SensAccessToken))
			})
		}, "", nil},
		{"a scanner's guess, refused", func(s *site) {
			times(9, func(i int) {
				s.do(api, source(i), answer(404, catalog.OutcomeNotFound), param(observe.InQuery, "password", fmt.Sprint("p", i), taxonomy.SensPassword))
			})
		}, "", nil},
		{"signed links", func(s *site) {
			times(9, func(i int) {
				s.do("GET /file", source(i), func(ev *catalog.Event) {
					ev.Query = true
					ev.Credentials = append(ev.Credentials, observe.Credential{Kind: observe.CredSigned, In: observe.InQuery, Name: "sign", Token: 7})
				})
			})
		}, "", nil},
	})
}

func plain(ev *catalog.Event) { ev.Secure = false }

func TestCleartext(t *testing.T) {
	const api = "POST /login"
	login := func(s *site, opts ...option) {
		s.api(api, taxonomy.RoleLogin)
		times(8, func(i int) {
			s.do(api, append([]option{source(i), plain, about(fmt.Sprint("u", i), true, false), password(observe.PasswordCurrent, 12, 4, 0, uint32(i+1))}, opts...)...)
		})
	}
	check(t, []scenario{
		{"passwords over http", func(s *site) { login(s) }, "cleartext:confirmed", []string{"shop.example", "8 次密码"}},
		{"over https", func(s *site) { login(s, func(ev *catalog.Event) { ev.Secure = true }) }, "", nil},
		{"behind a proxy", func(s *site) {
			login(s, func(ev *catalog.Event) { ev.Forwarded = append(ev.Forwarded, ev.Who.Client) })
		}, "", nil},
		{"inside the house", func(s *site) {
			s.api(api, taxonomy.RoleLogin)
			times(8, func(i int) {
				s.do(api, plain, from(fmt.Sprintf("10.1.1.%d", i+1)), password(observe.PasswordCurrent, 12, 4, 0, 1))
			})
		}, "", nil},
		{"nothing secret", func(s *site) { times(30, func(i int) { s.do("GET /news", source(i), plain) }) }, "", nil},
		{"one source", func(s *site) { login(s, from("203.0.113.7")) }, "", nil},
	})
}

func origin(o string, bits uint8) option {
	return func(ev *catalog.Event) { ev.Origin, ev.CORS = o, bits }
}

func referer(host string) option { return func(ev *catalog.Event) { ev.Referer = host } }

func TestCORS(t *testing.T) {
	const api = "GET /me"
	both := observe.CORSReflected | observe.CORSCredentials
	check(t, []scenario{
		{"any origin", func(s *site) {
			times(5, func(i int) { s.do(api, as("a"), origin(fmt.Sprintf("https://site%d.example%d.org", i, i), both)) })
		}, "cors:confirmed", []string{"5 个互不相关"}},
		{"null", func(s *site) {
			times(2, func(i int) { s.do(api, as("a"), origin("null", observe.CORSNull|observe.CORSCredentials)) })
		}, "cors:probable", []string{"null"}},
		{"two partners", func(s *site) {
			times(20, func(i int) {
				s.do(api, as("a"), origin(fmt.Sprintf("https://www.partner%d.com", i%2), both), referer(fmt.Sprintf("www.partner%d.com", i%2)))
			})
		}, "", nil},
		{"two origins that no page sent", func(s *site) {
			times(2, func(i int) { s.do(api, as("a"), origin(fmt.Sprintf("https://evil%d.com", i), both)) })
		}, "cors:probable", []string{"2 个互不相关"}},
		{"one origin, and no more", func(s *site) {
			times(20, func(i int) { s.do(api, as("a"), origin("https://evil.com", both)) })
		}, "", nil},
		{"reflected without credentials", func(s *site) {
			times(20, func(i int) { s.do(api, origin(fmt.Sprintf("https://p%d.org", i), observe.CORSReflected)) })
		}, "", nil},
		{"own sub-domains", func(s *site) {
			times(20, func(i int) { s.do(api, as("a"), origin(fmt.Sprintf("https://a%d.shop.example", i), both)) })
		}, "", nil},
		{"a list: others are left out", func(s *site) {
			times(5, func(i int) { s.do(api, as("a"), origin(fmt.Sprintf("https://p%d.org", i), both)) })
			s.do(api, as("a"), origin("https://evil.test", 0))
		}, "", nil},
		{"open to all, without cookies", func(s *site) {
			times(20, func(i int) { s.do(api, origin(fmt.Sprintf("https://p%d.org", i), observe.CORSAny)) })
		}, "", nil},
	})
}
