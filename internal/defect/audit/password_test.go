package audit_test

import (
	"fmt"
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func TestSecretInResponse(t *testing.T) {
	const api = "GET /members"
	check(t, []scenario{
		{"password hashes in a list", func(s *site) {
			times(4, func(i int) {
				s.do(api, as("a"), source(i), gives("data[].password", taxonomy.SensPassword, people("h", 9)...))
			})
		}, "secret_in_response:confirmed", []string{"data[].password", "密码", "9 个不同的值"}},
		{"equals a submitted password", func(s *site) {
			s.api("POST /register", taxonomy.RoleRegister)
			s.do("POST /register", about("u", false, true), password(observe.PasswordNew, 14, 4, 0, 77))
			s.do(api, as("a"), gives("data[].password", taxonomy.SensPassword, people("h", 3)...), tags(5, 77))
		}, "secret_in_response:confirmed", []string{"原样返回"}},
		{"tokens of many people", func(s *site) {
			times(4, func(i int) {
				s.do(api, as("a"), gives("[].token", taxonomy.SensAccessToken, people("t", 9)...), lists(people("r", 9)...))
			})
		}, "secret_in_response:probable", nil},
		{"the token just issued", func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			times(30, func(i int) {
				s.do("POST /login", about(fmt.Sprint("u", i), true, false), gives("token", taxonomy.SensAccessToken, fmt.Sprint("t", i)))
			})
		}, "", nil},
		{"masked", func(s *site) {
			times(9, func(i int) {
				s.do(api, as("a"), gives("data[].password", taxonomy.SensPassword, people("h", 9)...), masked())
			})
		}, "", nil},
		{"passwordStatus", func(s *site) {
			times(9, func(i int) {
				s.do(api, as("a"), gives("data[].passwordStatus", taxonomy.SensPassword, people("h", 9)...), gives("secret_expires_at", taxonomy.SensSecretKey, people("d", 9)...))
			})
		}, "", nil},
		{"a label, the same for all", func(s *site) {
			times(30, func(i int) {
				s.do(api, as("a"), source(i), gives("labels.password", taxonomy.SensPassword, "Password"))
			})
		}, "", nil},
		{"twice is not three times", func(s *site) {
			times(2, func(i int) { s.do(api, as("a"), gives("data[].password", taxonomy.SensPassword, people("h", 9)...)) })
		}, "", nil},
		{"the asker's own key, made just now", func(s *site) {
			times(9, func(i int) {
				s.do("POST /keys", as(fmt.Sprint("u", i)), gives("secret", taxonomy.SensSecretKey, fmt.Sprint("k", i)))
			})
		}, "", nil},
		{"echo of the password in the request", func(s *site) {
			times(9, func(i int) {
				s.do("POST /members", as("a"), password(observe.PasswordNew, 14, 4, 0, uint32(50+i)), gives("password", taxonomy.SensPassword, fmt.Sprint("k", i)), tags(uint32(50+i)))
			})
		}, "", nil},
	})
}

func TestWeakAccepted(t *testing.T) {
	const api = "POST /register"
	reg := func(s *site, n int, opts ...option) {
		s.api(api, taxonomy.RoleRegister)
		times(n, func(i int) {
			s.do(api, append([]option{source(i), about(fmt.Sprint("u", i), false, true)}, opts...)...)
		})
	}
	weak := password(observe.PasswordNew, 6, 0, 1, 11)
	check(t, []scenario{
		{"123456 for three", func(s *site) { reg(s, 3, weak) }, "weak_accepted:confirmed", []string{"3 个账号", "不足 8 位 3 次", "属常见密码 3 次", "100%"}},
		{"one administrator", func(s *site) {
			s.api("POST /admin/password", taxonomy.RolePasswordChange)
			s.do("POST /admin/password", as("root"), weak)
		}, "weak_accepted:confirmed", nil},
		{"two accounts", func(s *site) { reg(s, 2, weak) }, "", nil},
		{"strong passwords", func(s *site) { reg(s, 50, password(observe.PasswordNew, 14, 4, 0, 3)) }, "", nil},
		{"weak ones are refused", func(s *site) {
			reg(s, 50, weak, answer(400, catalog.OutcomeInvalid), says("password too weak", observe.SaysInvalid))
		}, "", nil},
		{"hashed by the client, cannot be assessed", func(s *site) {
			reg(s, 50, func(ev *catalog.Event) {
				ev.Passwords = []observe.Password{{Name: "p", Use: observe.PasswordNew, Form: observe.PasswordHashed, Len: 32}}
			})
		}, "", nil},
		{"a tool tries names of parameters", func(s *site) {
			times(9, func(i int) {
				s.do("GET /books", source(i), about(fmt.Sprint("u", i), false, true), password(observe.PasswordNew, 6, 0, 1, uint32(i+1)))
			})
		}, "", nil},
		{"staff hand out one initial password", func(s *site) { reg(s, 20, as("hr"), weak) }, "", nil},
		{"logging in with a weak one is another matter", func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			times(9, func(i int) {
				s.do("POST /login", source(i), about(fmt.Sprint("u", i), true, false), password(observe.PasswordCurrent, 6, 0, 1, 11))
			})
		}, "weak_in_use:probable", []string{"9 个账号用弱密码登录成功"}},
	})
}

func TestNoThrottling(t *testing.T) {
	const api = "POST /login"
	wrong := says("wrong password", observe.SaysBadPair)
	guess := func(s *site, n int, account func(i int) string, tag func(i int) uint32, opts ...option) {
		s.api(api, taxonomy.RoleLogin)
		times(n, func(i int) {
			s.do(api, append([]option{about(account(i), true, false), password(observe.PasswordCurrent, 9, 2, 0, tag(i)), answer(200, catalog.OutcomeRejected), wrong}, opts...)...)
		})
	}
	one := func(int) string { return "victim" }
	each := func(i int) uint32 { return uint32(i + 1) }
	check(t, []scenario{
		{"25 wrong passwords on one account", func(s *site) { guess(s, 25, one, each) }, "no_throttling:probable", []string{"连续 25 次", "25 个不同密码"}},
		{"and then the right one: no hidden lock", func(s *site) {
			guess(s, 25, one, each)
			s.do(api, about("victim", true, false), password(observe.PasswordCurrent, 9, 2, 0, 99))
		}, "no_throttling:confirmed", nil},
		{"many accounts from one source", func(s *site) { guess(s, 150, func(i int) string { return fmt.Sprint("u", i%75) }, each) }, "no_throttling:probable",
			[]string{"不限制来源", "约 7", "150 次"}},
		{"a lock later, and the right one weeks later", func(s *site) {
			guess(s, 25, one, each)
			s.now += 20 * 24 * int64(time.Hour)
			s.do(api, about("victim", true, false), password(observe.PasswordCurrent, 9, 2, 0, 99))
		}, "no_throttling:probable", nil}, // as without it: nobody was let through
		{"nineteen", func(s *site) { guess(s, 19, one, each) }, "", nil},
		{"a captcha comes up", func(s *site) {
			times(6, func(i int) {
				guess(s, 5, one, each)
				s.do(api, about("victim", true, false), password(observe.PasswordCurrent, 9, 2, 0, 3), answer(200, catalog.OutcomeRejected), says("captcha", observe.SaysCaptcha))
			})
		}, "", nil},
		{"locked: another answer after five", func(s *site) {
			guess(s, 5, one, each)
			times(30, func(i int) {
				s.do(api, about("victim", true, false), password(observe.PasswordCurrent, 9, 2, 0, uint32(i)), answer(200, catalog.OutcomeThrottled))
			})
		}, "", nil},
		{"a device with an old saved password", func(s *site) { guess(s, 60, one, func(int) uint32 { return 9 }) }, "", nil},
		{"slowly, over hours", func(s *site) {
			times(60, func(i int) { guess(s, 1, one, func(int) uint32 { return uint32(i + 1) }); s.now += 150e9 })
		}, "", nil},
		{"from rotating addresses, once a minute", func(s *site) {
			times(40, func(i int) {
				guess(s, 1, one, func(int) uint32 { return uint32(i + 1) }, from(fmt.Sprintf("203.0.%d.%d", i, 9+i)))
				s.now += 55e9
			})
		}, "no_throttling:probable", []string{"同一账号", "40 个不同密码"}},
		{"beside thousands who fail once", func(s *site) {
			times(24, func(i int) {
				guess(s, 1, one, func(int) uint32 { return uint32(i + 1) }, from(fmt.Sprintf("203.0.%d.%d", i, 9+i)))
				guess(s, 2500, func(k int) string { return fmt.Sprint("u", i, "-", k) }, each, from(fmt.Sprintf("198.51.%d.7", i)))
				s.now -= 2490e9
			})
		}, "no_throttling:probable", []string{"同一账号", "24 个不同密码"}},
		{"a phone with a saved password beside honest typing", func(s *site) {
			times(40, func(i int) {
				guess(s, 1, one, func(int) uint32 { return uint32(i%14 + 1) }, from(fmt.Sprintf("203.0.%d.%d", i, 9+i)))
				s.now += 55e9
			})
		}, "", nil},
		{"an office behind one address", func(s *site) {
			guess(s, 120, func(i int) string { return fmt.Sprint("u", i) }, each)
			times(120, func(i int) {
				s.do(api, about(fmt.Sprint("u", i), true, false), password(observe.PasswordCurrent, 9, 2, 0, uint32(i)))
			})
		}, "", nil},
	})
}
