package audit_test

import (
	"fmt"
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// answers puts short numbers into an answer.
func answers(where string, numbers ...string) option {
	return func(ev *catalog.Event) {
		for _, n := range numbers {
			ev.Codes = append(ev.Codes, observe.Code{Where: where, Token: tok(n)})
		}
	}
}

// submits puts a number into a request.
func submits(name, number string) option {
	return func(ev *catalog.Event) {
		ev.Params = append(ev.Params, observe.Param{Name: name, In: observe.InJSON, Token: tok(number), Class: observe.ClassInt, Len: uint32(len(number))})
	}
}

func phone(p string) option {
	return func(ev *catalog.Event) {
		ev.Accounts = append(ev.Accounts, observe.Account{Name: "phone", In: observe.InJSON, Kind: observe.AccountPhone, Token: tok(p), Shape: "13*******00"})
	}
}

func TestCodeInResponse(t *testing.T) {
	const send, login = "POST /sms/send", "POST /login/sms"
	number := func(i int) string { return fmt.Sprint("1380000000", i) }
	code := func(i int) string { return fmt.Sprint(481203 + 7919*i) }
	exchange := func(s *site, i int, given, typed string, where string) {
		s.do(send, phone(number(i)), answers(where, given))
		s.do(login, phone(number(i)), submits("code", typed))
	}
	check(t, []scenario{
		{"two phones", func(s *site) { times(2, func(i int) { exchange(s, i, code(i), code(i), "data.code") }) }, "code_in_response:confirmed",
			[]string{"字段 data.code", "2 个账号、2 个不同的验证码", "参数 code"}},
		{"in a header", func(s *site) { times(3, func(i int) { exchange(s, i, code(i), code(i), "header:x-code") }) }, "code_in_response:confirmed", []string{"响应头 x-code"}},
		{"four digits, two phones", func(s *site) {
			times(2, func(i int) { exchange(s, i, fmt.Sprint(1234+i), fmt.Sprint(1234+i), "msg") })
		}, "code_in_response:probable", nil},
		{"among other numbers", func(s *site) {
			times(3, func(i int) {
				s.do(send, phone(number(i)), answers("data.wait", "1800"), answers("data.code", code(i)), answers("data.batch", fmt.Sprint(90000+i)))
				s.do(login, phone(number(i)), submits("smsCode", code(i)))
			})
		}, "code_in_response:confirmed", []string{"data.code"}},
		{"typed wrong first", func(s *site) {
			times(2, func(i int) {
				s.do(send, phone(number(i)), answers("data", code(i)))
				s.do(login, phone(number(i)), submits("code", "111111"), answer(200, catalog.OutcomeRejected))
				s.do(login, phone(number(i)), submits("code", code(i)))
			})
		}, "code_in_response:confirmed", nil},
		{"sent twice, the first one arrives", func(s *site) {
			times(2, func(i int) {
				s.do(send, phone(number(i)), answers("data", code(i)))
				s.do(send, phone(number(i)), answers("data", code(i+50)))
				s.do(login, phone(number(i)), submits("code", code(i)))
			})
		}, "code_in_response:confirmed", nil},
		{"one phone", func(s *site) { times(5, func(i int) { exchange(s, 0, code(i), code(i), "data.code") }) }, "", nil},
		{"one constant for all", func(s *site) { times(9, func(i int) { exchange(s, i, "888888", "888888", "data.code") }) }, "", nil},
		{"a request id that is sent back", func(s *site) {
			times(9, func(i int) {
				s.do(send, phone(number(i)), answers("data.requestId", code(i)))
				s.do(login, phone(number(i)), submits("requestId", code(i)), submits("code", "123456"))
			})
		}, "", nil},
		{"a countdown that meets a code once", func(s *site) {
			exchange(s, 0, "1800", "1800", "data.expire")
			times(20, func(i int) { exchange(s, i+1, "1800", code(i), "data.expire") })
		}, "", nil},
		{"another phone's code", func(s *site) {
			times(9, func(i int) {
				s.do(send, phone(number(i)), answers("data.code", code(i)))
				s.do(login, phone(number(i+20)), submits("code", code(i)))
			})
		}, "", nil},
		{"a number that the request brought along", func(s *site) {
			times(9, func(i int) {
				s.do(send, phone(number(i)), submits("code", code(i)), answers("data.code", code(i)))
				s.do(login, phone(number(i)), submits("code", code(i)))
			})
		}, "", nil},
		{"after ten minutes", func(s *site) {
			times(9, func(i int) {
				s.do(send, phone(number(i)), answers("data.code", code(i)))
				s.now += int64(11 * time.Minute)
				s.do(login, phone(number(i)), submits("code", code(i)))
			})
		}, "", nil},
	})
	s := newSite()
	times(2, func(i int) { exchange(s, i, code(i), code(i), "data.code") })
	if f := s.audited(t); f[0].Evidence[0].Exchange != "x00001" && f[0].Evidence[0].Exchange != "x00003" {
		t.Errorf("the evidence is %s, want the answer that held the code", f[0].Evidence[0].Exchange)
	}
}

func pattern(p, length, classes uint8) option {
	return func(ev *catalog.Event) {
		pw := &ev.Passwords[len(ev.Passwords)-1]
		pw.Pattern, pw.Len, pw.Classes = p, length, classes
	}
}

func privileged(factory string) option {
	return func(ev *catalog.Event) {
		pw := &ev.Passwords[len(ev.Passwords)-1]
		pw.Privileged, pw.Default = factory == "" || factory == "generic", factory
	}
}

func TestWeakInUse(t *testing.T) {
	const api = "POST /login"
	weak := password(observe.PasswordCurrent, 6, 0, 1, 11)
	strong := func(ev *catalog.Event) { // everybody's own
		password(observe.PasswordCurrent, 14, 4, 0, uint32(ev.Who.Subject)|1)(ev)
	}
	login := func(s *site, n int, name string, opts ...option) {
		s.api(api, taxonomy.RoleLogin)
		times(n, func(i int) {
			s.do(api, append([]option{source(i), about(fmt.Sprint(name, i), true, false)}, opts...)...)
		})
	}
	check(t, []scenario{
		{"ten accounts, mostly digits", func(s *site) {
			login(s, 7, "u", weak, pattern(4, 6, 4))
			login(s, 4, "v", weak, pattern(7, 8, 5))
			login(s, 9, "w", strong)
		}, "weak_in_use:confirmed", []string{"11 个账号用弱密码登录成功", "20 个的 55%", "6 位纯数字（64%）", "字母加数字（36%）"}},
		{"three of many", func(s *site) { login(s, 3, "u", weak); login(s, 200, "w", strong) }, "weak_in_use:probable", []string{"3 个账号"}},
		{"one account again and again is one", func(s *site) {
			times(40, func(i int) { login(s, 1, "u", weak) })
		}, "", nil},
		{"fewer than one in a hundred", func(s *site) { login(s, 3, "u", weak); login(s, 400, "w", strong) }, "", nil},
		{"an account named admin", func(s *site) {
			login(s, 1, "admin", weak, privileged(""))
			login(s, 90, "w", strong)
		}, "weak_in_use:confirmed", []string{"管理员名称"}},
		{"wrong passwords", func(s *site) {
			login(s, 40, "u", weak, answer(200, catalog.OutcomeRejected), says("账号或密码错误", observe.SaysBadPair))
		}, "", nil},
		{"hashed by the client, cannot be assessed", func(s *site) {
			login(s, 40, "u", func(ev *catalog.Event) {
				ev.Passwords = []observe.Password{{Name: "p", Use: observe.PasswordCurrent, Form: observe.PasswordHashed, Len: 32}}
			})
		}, "", nil},
		{"older than the rule", func(s *site) {
			s.api("POST /register", taxonomy.RoleRegister)
			times(5, func(i int) {
				s.do("POST /register", about(fmt.Sprint("n", i), false, true), password(observe.PasswordNew, 6, 0, 1, 4), answer(400, catalog.OutcomeInvalid))
			})
			login(s, 12, "u", weak)
		}, "weak_in_use:confirmed", []string{"规则生效前"}},
	})
}

func TestAdminWeakOrDefault(t *testing.T) {
	weak, strong := password(observe.PasswordCurrent, 6, 0, 1, 11), password(observe.PasswordCurrent, 14, 4, 0, 12)
	login := func(s *site, api string, opts ...option) {
		s.api(api, taxonomy.RoleLogin)
		s.do(api, append([]option{about("admin", true, false)}, opts...)...)
	}
	basic := func(product string) option {
		return func(ev *catalog.Event) {
			ev.Passwords = append(ev.Passwords, observe.Password{Name: "authorization", Use: observe.PasswordCurrent, Form: observe.PasswordPlain, Len: 6, Default: product, Rank: 1})
			ev.Credentials = append(ev.Credentials, observe.Credential{Kind: observe.CredBasic, In: observe.InHeader, Name: "authorization", Token: 7, Account: 8})
			ev.Who.Principal, ev.Who.Credential = 8, 7
		}
	}
	check(t, []scenario{
		{"a default pair on a back end, once", func(s *site) { login(s, "POST /admin/login", weak, privileged("generic")) }, "admin_weak_or_default:confirmed",
			[]string{"通用的默认口令", "1 次"}},
		{"a weak password on a back end, once", func(s *site) { login(s, "POST /admin/login", weak) }, "admin_weak_or_default:probable", []string{"弱密码登录成功 1 次"}},
		{"the factory setting of a component", func(s *site) { login(s, "POST /nacos/v1/auth/login", weak, privileged("nacos")) }, "default_credential:confirmed", []string{"nacos 的出厂口令"}},
		{"Basic authentication", func(s *site) { s.do("GET /manager/html", basic("tomcat")) }, "default_credential:confirmed", []string{"tomcat 的出厂口令"}},
		{"a host titled as a back end", func(s *site) {
			s.api("GET /login", taxonomy.RolePage)
			s.do("GET /login", kind(observe.BodyHTML), says("某某商城后台管理", 0))
			login(s, "POST /api/login", weak)
		}, "admin_weak_or_default:probable", nil},
		{"guest/guest at a shop", func(s *site) { login(s, "POST /login", weak, privileged("rabbitmq")) }, "", nil},
		{"a title of the public", func(s *site) {
			s.api("GET /login", taxonomy.RolePage)
			s.do("GET /login", kind(observe.BodyHTML), says("学生成绩管理系统", 0))
			login(s, "POST /api/login", weak)
		}, "", nil},
		{"a strong password", func(s *site) { login(s, "POST /admin/login", strong) }, "", nil},
		{"a default pair that is refused", func(s *site) {
			login(s, "POST /admin/login", weak, privileged("generic"), answer(200, catalog.OutcomeRejected))
		}, "", nil},
		{"guessing that nothing stops", func(s *site) {
			times(22, func(i int) {
				login(s, "POST /admin/login", password(observe.PasswordCurrent, 9, 3, 0, uint32(i+1)), answer(200, catalog.OutcomeRejected), says("密码错误", observe.SaysWrongSecret))
				s.now += int64(time.Hour)
			})
		}, "admin_weak_or_default:probable", []string{"连续 22 次", "22 个不同密码"}},
		{"guessing that a lock stops", func(s *site) {
			times(40, func(i int) {
				m, out := says("密码错误", observe.SaysWrongSecret), catalog.OutcomeRejected
				if i%8 > 4 {
					m, out = says("账号已锁定", observe.SaysLocked), catalog.OutcomeThrottled
				}
				login(s, "POST /admin/login", password(observe.PasswordCurrent, 9, 3, 0, uint32(i+1)), answer(200, out), m)
			})
		}, "", nil},
	})
}
