package audit_test

import (
	"fmt"
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func tool(ev *catalog.Event) { ev.AgentTool = true }

func TestSharedDefault(t *testing.T) {
	const api = "POST /login"
	const initial = 7001
	first := func(s *site, name string, i int, tag uint32, rank uint32, more ...option) {
		s.api(api, taxonomy.RoleLogin)
		s.do(api, append([]option{source(i), about(fmt.Sprint(name, i), true, false), password(observe.PasswordCurrent, 14, 3, rank, tag)}, more...)...)
	}
	same := func(n int, more ...option) func(*site) {
		return func(s *site) { times(n, func(i int) { first(s, "new", i, initial, 0, more...) }) }
	}
	check(t, []scenario{
		{"six of a class", same(6), "shared_default:confirmed", []string{"6 个账号", "1 组"}},
		{"hashed by the client", func(s *site) {
			times(6, func(i int) {
				first(s, "new", i, initial, 0, func(ev *catalog.Event) { ev.Passwords[0].Form = observe.PasswordHashed })
			})
		}, "shared_default:confirmed", nil},
		{"all from one desk", same(6, from("198.51.100.9")), "shared_default:probable", nil},
		{"a back end", func(s *site) {
			s.api("POST /admin/login", taxonomy.RoleLogin)
			times(6, func(i int) {
				s.do("POST /admin/login", source(i), about(fmt.Sprint("n", i), true, false), password(observe.PasswordCurrent, 14, 3, 0, initial))
			})
		}, "shared_default:confirmed", nil},
		{"four are too few", same(4), "", nil},
		{"each its own", func(s *site) { times(60, func(i int) { first(s, "new", i, uint32(100+i), 0) }) }, "", nil},
		{"what many people choose", func(s *site) { times(40, func(i int) { first(s, "n", i, 5, 20_000) }) }, "shared_default:confirmed", nil},
		{"of a public list", func(s *site) {
			times(9, func(i int) {
				first(s, "n", i, 5, 300, func(ev *catalog.Event) { ev.Passwords[0].Len, ev.Passwords[0].Score = 12, 3 })
			})
		}, "weak_in_use:probable", nil},
		{"service accounts", same(12, tool), "", nil},
		{"Basic authentication of programs", func(s *site) {
			times(12, func(i int) {
				first(s, "svc", i, initial, 0, func(ev *catalog.Event) { ev.Passwords[0].Name = "authorization" })
			})
		}, "", nil},
		{"one account every day", func(s *site) {
			times(30, func(i int) { first(s, "boss", 1, initial, 0); s.now += int64(24 * time.Hour) })
		}, "", nil},
		{"refused", same(12, answer(401, catalog.OutcomeRejected)), "", nil},
		{"encrypted by the client", same(12, func(ev *catalog.Event) { ev.Passwords[0].Form = observe.PasswordSealed }), "", nil},
		{"accounts that somebody opened by the dozen", func(s *site) {
			s.api("POST /register", taxonomy.RoleRegister)
			times(12, func(i int) {
				s.do("POST /register", source(i), about(fmt.Sprint("bot", i), false, true), password(observe.PasswordNew, 14, 3, 0, initial))
				first(s, "bot", i, initial, 0)
			})
		}, "", nil},
		{"old accounts that log in again", func(s *site) {
			times(12, func(i int) { first(s, "u", i, uint32(100+i), 0) })
			times(12, func(i int) { first(s, "u", i, initial, 0) })
		}, "", nil},
	})
}

func TestDeadCredential(t *testing.T) {
	const feed, out = "GET /feed/mine", "POST /logout"
	// A session signs out, and is used again after a while.
	leave := func(s *site, who string, after time.Duration, more ...option) {
		s.api(out, taxonomy.RoleLogout)
		s.do(feed, as(who))
		s.do(out, as(who))
		s.now += int64(after)
		s.do(feed, append([]option{as(who)}, more...)...)
	}
	guarded := func(s *site) { s.do(feed, source(9), answer(401, catalog.OutcomeDenied)) }
	run := func(n int, after time.Duration, more ...option) func(*site) {
		return func(s *site) {
			guarded(s)
			times(n, func(i int) { leave(s, fmt.Sprint("u", i), after, more...) })
		}
	}
	token := func(issued, expires time.Duration) option {
		return func(ev *catalog.Event) {
			at := ev.Start / 1e9
			ev.Credentials[0].JWT = &observe.JWT{Alg: "hs256", IssuedAt: at + int64(issued/time.Second), Expires: at + int64(expires/time.Second)}
		}
	}
	expired := func(n int, issued, expires time.Duration, more ...option) func(*site) {
		return func(s *site) {
			guarded(s)
			times(n, func(i int) {
				s.do(feed, append([]option{as(fmt.Sprint("u", i)), source(i), token(issued, expires)}, more...)...)
			})
		}
	}
	check(t, []scenario{
		{"after signing out", run(3, time.Minute), "dead_credential:probable", []string{"POST /logout", "3 个账号", "GET /feed/mine"}},
		{"after signing out, many", run(9, time.Minute), "dead_credential:confirmed", nil},
		{"the answer is one's own", func(s *site) {
			times(9, func(i int) {
				u := fmt.Sprint("u", i)
				leave(s, u, time.Minute, owns("o"+u, u, catalog.OwnershipOwn))
			})
		}, "dead_credential:confirmed", nil},
		{"twice only", run(2, time.Minute), "", nil},
		{"one account", func(s *site) { guarded(s); times(9, func(int) { leave(s, "u", time.Minute) }) }, "", nil},
		{"what was under way", run(9, 2*time.Second), "", nil},
		{"refused", run(9, time.Minute, answer(401, catalog.OutcomeDenied)), "", nil},
		{"not modified", run(9, time.Minute, answer(304, catalog.OutcomeSuccess)), "", nil},
		{"what everybody gets", func(s *site) {
			times(9, func(i int) { s.do(feed, source(i)); leave(s, fmt.Sprint("u", i), time.Minute) })
		}, "", nil},
		{"nobody is refused", func(s *site) { times(9, func(i int) { leave(s, fmt.Sprint("u", i), time.Minute) }) }, "", nil},
		{"signing out failed", func(s *site) {
			guarded(s)
			s.api(out, taxonomy.RoleLogout)
			times(9, func(i int) {
				s.do(out, as(fmt.Sprint("u", i)), answer(500, catalog.OutcomeError))
				s.now += int64(time.Minute)
				s.do(feed, as(fmt.Sprint("u", i)))
			})
		}, "", nil},
		{"the same session, opened again", func(s *site) {
			guarded(s)
			s.api(out, taxonomy.RoleLogout)
			s.api("POST /login", taxonomy.RoleLogin)
			times(9, func(i int) {
				u := fmt.Sprint("u", i)
				s.do(out, as(u))
				s.do("POST /login", as(u), about(u, true, false), password(observe.PasswordCurrent, 14, 4, 0, uint32(i+1)))
				s.now += int64(time.Minute)
				s.do(feed, as(u))
			})
		}, "", nil},
		{"another credential beside it", run(9, time.Minute, func(ev *catalog.Event) {
			ev.Credentials = append(ev.Credentials, observe.Credential{Kind: observe.CredCookie, Name: "sid", Token: 77})
		}), "", nil},

		{"after its end", expired(4, -3*time.Hour, -time.Hour), "dead_credential:probable", []string{"exp"}},
		{"clocks differ", expired(9, -time.Hour, -4*time.Minute), "", nil},
		{"before its end", expired(9, -time.Hour, time.Hour), "", nil},
		{"an end before its beginning", expired(9, -time.Hour, -1000000*time.Hour), "", nil},
		{"expired and refused", expired(9, -3*time.Hour, -time.Hour, answer(401, catalog.OutcomeDenied)), "", nil},
		{"renewing it is allowed", func(s *site) {
			guarded(s)
			s.api("POST /token/refresh", taxonomy.RoleTokenRefresh)
			times(9, func(i int) { s.do("POST /token/refresh", as(fmt.Sprint("u", i)), token(-3*time.Hour, -time.Minute*10)) })
		}, "", nil},
		{"the site's clock is slow", func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			times(3, func(i int) {
				s.do("POST /login", source(i), func(ev *catalog.Event) {
					ev.Issued = []observe.Credential{{Kind: observe.CredBearer, Token: uint64(900 + i), JWT: &observe.JWT{IssuedAt: ev.End/1e9 - 4*3600, Expires: ev.End/1e9 - 2*3600}}}
				})
			})
			expired(9, -5*time.Hour, -3*time.Hour)(s)
		}, "", nil},

		{"older than the password", func(s *site) {
			guarded(s)
			s.api("POST /password", taxonomy.RolePasswordChange)
			times(4, func(i int) {
				u := fmt.Sprint("u", i)
				other := func(ev *catalog.Event) {
					as(u)(ev)
					ev.Who.Credential = tok("phone of " + u)
					ev.Credentials[0].Token = ev.Who.Credential
				}
				old := func(ev *catalog.Event) {
					ev.Credentials[0].JWT = &observe.JWT{Alg: "hs256", IssuedAt: ev.Start/1e9 - 4*3600, Expires: ev.Start/1e9 + 7200}
				}
				s.do(feed, other, old)
				s.do("POST /password", as(u), password(observe.PasswordNew, 14, 4, 0, uint32(i+1)))
				s.now += int64(time.Hour)
				s.do(feed, as(u), old) // the session that changed it
				s.do(feed, other, old)
			})
		}, "dead_credential:probable", []string{"POST /password", "4 次"}},
		{"the session that changed the password lives on", func(s *site) {
			guarded(s)
			s.api("POST /password", taxonomy.RolePasswordChange)
			times(9, func(i int) {
				u := fmt.Sprint("u", i)
				s.do("POST /password", as(u), password(observe.PasswordNew, 14, 4, 0, uint32(i+1)))
				s.now += int64(time.Hour)
				s.do(feed, as(u), token(-4*time.Hour, time.Hour))
			})
		}, "", nil},
	})
}
