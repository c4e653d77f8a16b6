package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func size(n uint64) option { return func(ev *catalog.Event) { ev.RespBytes = n } }

// A password that only one person's answer holds has a tag and no token.
func TestSecretOneAtATime(t *testing.T) {
	one := func(tag func(i int) uint32) func(*site) {
		return func(s *site) {
			times(8, func(i int) {
				s.do("GET /users/{id}", as(fmt.Sprint("u", i)), source(i), gives("passwordHash", taxonomy.SensPassword, "x"), func(ev *catalog.Event) {
					ev.Exposures[0].Subjects = nil
					ev.Exposures[0].Tags = []uint32{tag(i)}
				})
			})
		}
	}
	check(t, []scenario{
		{"each answer another hash", one(func(i int) uint32 { return uint32(i + 1) }), "secret_in_response:confirmed", []string{"8 个不同的值"}},
		{"the same word in all", one(func(int) uint32 { return 7 }), "", nil},
	})
}

func TestPasswordInURL(t *testing.T) {
	run := func(in observe.Location) func(*site) {
		return func(s *site) {
			times(12, func(i int) {
				s.do("GET /sso", source(i), about(fmt.Sprint("u", i), true, false), password(observe.PasswordCurrent, 12, 3, 0, uint32(i+1)), func(ev *catalog.Event) {
					ev.Query = true
					ev.Params = append(ev.Params, observe.Param{Name: "password", In: in, Len: 12, Sensitive: taxonomy.SensPassword})
				})
			})
		}
	}
	check(t, []scenario{
		{"in the query", run(observe.InQuery), "secret_in_url:confirmed", []string{"password", "12 个不同的值"}},
		{"in the body", run(observe.InForm), "", nil},
	})
}

// A code read off a picture proves nobody; one sent by SMS proves the owner.
func TestOracleBehindACaptcha(t *testing.T) {
	run := func(code string) func(*site) {
		return func(s *site) {
			s.api("POST /register", taxonomy.RoleRegister)
			times(16, func(i int) {
				o := []option{source(i), about(fmt.Sprint("u", i), i%2 == 0, i%2 == 1), param(observe.InJSON, code, fmt.Sprint("c", i), taxonomy.SensVerificationCode)}
				if i%2 == 0 {
					o = append(o, answer(200, catalog.OutcomeRejected), says("该手机号已注册", observe.SaysRegistered))
				}
				s.do("POST /register", o...)
			})
		}
	}
	check(t, []scenario{
		{"captcha", run("captcha"), "identity_oracle:confirmed", nil},
		{"picture code", run("imgCode"), "identity_oracle:confirmed", nil},
		{"code by SMS", run("smsCode"), "", nil},
		{"code by SMS called captcha", run("smsCaptcha"), "", nil},
	})
}

// An API that is called a check and answers yes or no with a business code.
func TestCheckThatSaysYesOrNo(t *testing.T) {
	const api = "POST /user/checkPhone"
	run := func(answers func(who, time int) (uint64, string)) func(*site) {
		return func(s *site) {
			s.api(api, taxonomy.RoleIdentityCheck)
			times(3, func(round int) {
				times(20, func(i int) {
					n, code := answers(i, round)
					s.do(api, source(i+round), about(fmt.Sprint("u", i), false, round == 0), size(n), func(ev *catalog.Event) { ev.Code = code })
				})
			})
		}
	}
	check(t, []scenario{
		{"true or false", run(func(i, _ int) (uint64, string) { return uint64(22 + i%2), "0" }), "identity_oracle:probable", []string{"是", "10 个账号"}},
		{"always the same", run(func(int, int) (uint64, string) { return 22, "0" }), "", nil},
		{"another answer every time", run(func(i, round int) (uint64, string) { return uint64(22 + (i+round)%2), "0" }), "", nil},
		{"refused now and then", run(func(i, _ int) (uint64, string) { return uint64(22 + i%2), fmt.Sprint(i % 2) }), "", nil},
	})
}

// An API that answers {"registered":true}: the field says it, or the identity
// decides it; a flag that the identity does not decide says nothing.
func TestOracleByVerdict(t *testing.T) {
	verdict := func(field string, yes bool, says observe.MessageClass) option {
		return func(ev *catalog.Event) {
			ev.RespBytes, ev.Schema, ev.Code = 120, 99, "0"
			ev.Message, ev.MessageHash, ev.MessageSays = "ok", tok("ok"), observe.SaysSuccess
			ev.Verdict = observe.Verdict{Hash: tok(fmt.Sprint(field, yes)), Field: field, Yes: yes, Says: says}
		}
	}
	run := func(api string, role taxonomy.Role, rounds, people int, field string, yes func(i, round int) bool, more ...option) func(*site) {
		return func(s *site) {
			s.api(api, role)
			times(rounds, func(round int) {
				times(people, func(i int) {
					y, means := yes(i, round), observe.MessageClass(0)
					if field == "data.registered" {
						means = observe.SaysNotRegistered
						if y {
							means = observe.SaysRegistered
						}
					}
					s.do(api, append([]option{source(i + round), about(fmt.Sprint("u", i), false, round == 0), verdict(field, y, means)}, more...)...)
				})
			})
		}
	}
	person := func(i, _ int) bool { return i%3 == 0 }
	moment := func(i, round int) bool { return (i+round)%2 == 0 }
	user := func(ev *catalog.Event) { ev.Who.Credential, ev.Who.Principal = tok("cred"), tok("me") }
	const check1, reset = "POST /apply/checkMobile", "POST /findBack/check"
	check(t, []scenario{
		{"the field says it", run(check1, taxonomy.RoleIdentityCheck, 1, 12, "data.registered", person), "identity_oracle:probable", []string{"data.registered: true", "data.registered: false"}},
		{"of a reset", run(reset, taxonomy.RolePasswordReset, 1, 12, "data.registered", person), "identity_oracle:probable", []string{"data.registered: true"}},
		{"two each are not enough", run(check1, taxonomy.RoleIdentityCheck, 1, 3, "data.registered", person), "", nil},
		{"a feature for those who are signed in", run(check1, taxonomy.RoleIdentityCheck, 1, 60, "data.registered", person, user), "", nil},
		{"the identity decides", run(reset, taxonomy.RolePasswordReset, 2, 90, "data.zt", person), "identity_oracle:confirmed", nil},
		{"a flag of the moment", run(reset, taxonomy.RolePasswordReset, 2, 90, "data.smsEnabled", moment), "", nil},
		{"a switch for all", run(reset, taxonomy.RolePasswordReset, 2, 90, "data.open", func(int, int) bool { return true }), "", nil},
		{"too few for a field without meaning", run(reset, taxonomy.RolePasswordReset, 2, 12, "data.zt", person), "", nil},
		{"progress differs from person to person", run("GET /order/progress", taxonomy.RoleQueryProgress, 2, 90, "data.done", person), "", nil},
	})
}

// A login page says "wrong" and "locked" in words that nobody reads; its size
// tells them apart.
func TestThrottleOfALoginPage(t *testing.T) {
	run := func(bytes func(i int) uint64) func(*site) {
		return func(s *site) {
			s.api("POST /admin/login", taxonomy.RoleLogin)
			times(45, func(i int) {
				s.do("POST /admin/login", about("root", true, false), password(observe.PasswordCurrent, 9, 3, 0, uint32(i+1)), answer(200, catalog.OutcomeRejected),
					kind(observe.BodyHTML), size(bytes(i)))
			})
		}
	}
	check(t, []scenario{
		{"the same page for ever", run(func(int) uint64 { return 2000 }), "admin_weak_or_default:probable", []string{"连续 45 次", "没有锁定"}},
		{"a counter in the page", run(func(i int) uint64 { return 2000 + uint64(i/10) }), "admin_weak_or_default:probable", nil},
		{"another page after five", run(func(i int) uint64 { return 2000 + uint64(min(i/5, 1)*60) }), "", nil},
	})
}

func TestOneTraceFindingPerAPI(t *testing.T) {
	check(t, []scenario{
		{"several traces of one answer", func(s *site) {
			times(4, func(i int) {
				s.do("GET /report", answer(500, catalog.OutcomeError), marker("trace/java", "trace", "at x"), marker("trace/sql_mysql", "trace", "You have an error"))
			})
		}, "verbose_trace:confirmed", []string{"4 次", "trace/java", "trace/sql_mysql"}},
		{"PHP prints into a page", func(s *site) {
			times(3, func(i int) {
				s.do("GET /user.php", kind(observe.BodyHTML), marker("trace/php", "body", "<b>Warning</b>"))
			})
		}, "verbose_trace:confirmed", nil},
		{"a page about Java", func(s *site) {
			times(3, func(i int) { s.do("GET /blog", kind(observe.BodyHTML), marker("trace/java", "body", "at x")) })
		}, "", nil},
	})
}

// One policy in front of many APIs is one finding.
func TestCORSOncePerHost(t *testing.T) {
	const both = observe.CORSReflected | observe.CORSCredentials
	s := newSite()
	times(6, func(i int) {
		s.do("GET /a", as("a"), origin(fmt.Sprintf("https://evil%d.com", i), both))
		s.do("GET /b", as("a"), origin(fmt.Sprintf("https://evil%d.com", i), both))
		s.do("GET /keeps-a-list", as("a"), origin(fmt.Sprintf("https://evil%d.com", i), 0))
	})
	got := s.audited(t)
	if kinds(got) != "cors:confirmed" || !strings.Contains(got[0].Reason.Zh, "涉及 2 个 API") {
		t.Errorf("got %q", kinds(got))
	}
}

func TestRecordingWithoutCredentials(t *testing.T) {
	run := func(unseen bool) func(*site) {
		return func(s *site) {
			s.api("GET /orders", taxonomy.RoleList).Unseen = unseen
			times(30, func(i int) {
				s.do("GET /orders", source(i), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
			})
		}
	}
	check(t, []scenario{
		{"open to all", run(false), "unauthenticated_sensitive:confirmed", nil},
		{"credentials left out", run(true), "", nil},
	})
}

// Reading by POST is reading.
func TestBOLAByPost(t *testing.T) {
	run := func(api string, role taxonomy.Role, more ...option) func(*site) {
		return func(s *site) {
			s.api(api, role)
			times(6, func(i int) {
				u := fmt.Sprint("user", i)
				s.do("POST /register", about(u, false, true))
				s.do(api, as(u), owns("o"+u, u, catalog.OwnershipOwn))
				o := append([]option{as("user0"), owns("o"+u, u, catalog.OwnershipForeign), param(observe.InJSON, "orderId", "o"+u, taxonomy.NotSensitive)}, more...)
				if i > 0 {
					s.do(api, o...)
				}
			})
		}
	}
	check(t, []scenario{
		{"a detail", run("POST /order/detail", taxonomy.RoleDetail), "bola:confirmed", []string{"读取"}},
		{"an object, whatever it is called", run("POST /rpc/x1", taxonomy.RoleOther, lists("a", "b")), "bola:confirmed", []string{"读取"}},
		{"a cancellation", run("POST /order/cancel", taxonomy.RoleOrderCancel), "bola:confirmed", []string{"修改或删除"}},
	})
}

// Staff open what their lists give them; an account that people open
// themselves has no business there.
func TestBOLAOutOfAList(t *testing.T) {
	run := func(selfMade bool) func(*site) {
		return func(s *site) {
			if selfMade {
				s.api("POST /register", taxonomy.RoleRegister)
				s.do("POST /register", about("clerk", false, true))
			}
			times(9, func(i int) {
				u := fmt.Sprint("user", i)
				s.do("GET /orders/{id}", as(u), owns("o"+u, u, catalog.OwnershipOwn))
				s.do("GET /orders/{id}", as("clerk"), owns("o"+u, u, catalog.OwnershipEntrusted), gives("idCard", taxonomy.SensCNResidentID, "i"+u))
			})
		}
	}
	check(t, []scenario{
		{"a clerk", run(false), "", nil},
		{"a customer", run(true), "bola:confirmed", nil},
	})
}
