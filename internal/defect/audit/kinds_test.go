package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// scenario is traffic and what the auditor must say about it: the kinds and
// states, most severe first; empty means silence.
type scenario struct {
	name string
	run  func(s *site)
	want string
	// says must stand in the Chinese reason of the first finding.
	says []string
}

func check(t *testing.T, cases []scenario) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSite()
			c.run(s)
			got := s.audited(t)
			if kinds(got) != c.want {
				t.Fatalf("got  %q\nwant %q", kinds(got), c.want)
			}
			for _, f := range got {
				wellFormed(t, f.Reason.Zh, f.Reason.En, f.Advice.Zh, f.Advice.En, f.Rating.Zh, f.Rating.En)
				if len(f.Evidence) == 0 || len(f.Evidence) > 3 || len(f.OWASP) == 0 || len(f.CWE) == 0 || f.Count == 0 || f.First == 0 || f.Last < f.First || len(f.ID) != 16 {
					t.Errorf("incomplete finding %+v", f)
				}
				for _, e := range f.Evidence {
					wellFormed(t, e.What.Zh, e.What.En)
					if e.Exchange == "" {
						t.Errorf("evidence without exchange: %+v", e)
					}
				}
			}
			for _, w := range c.says {
				if !strings.Contains(got[0].Reason.Zh, w) {
					t.Errorf("reason %q lacks %q", got[0].Reason.Zh, w)
				}
			}
		})
	}
}

// templates takes the braces off path templates: others are unfilled parameters.
var templates = strings.NewReplacer("{id}", "id", "{username}", "username", "{name}", "name")

func wellFormed(t *testing.T, texts ...string) {
	t.Helper()
	for _, x := range texts {
		x = templates.Replace(x)
		if x == "" || strings.ContainsAny(x, "{}") || strings.HasPrefix(x, "defect.") {
			t.Errorf("text %q is not filled in", x)
		}
	}
}

func TestUnauthenticatedSensitive(t *testing.T) {
	const debug = "GET /users/v1/_debug"
	leak := func(s *site, n int, opts ...option) {
		times(n, func(i int) {
			s.do(debug, append([]option{source(i % 3), gives("users[].email", taxonomy.SensEmail, people("mail", 38)...)}, opts...)...)
		})
	}
	check(t, []scenario{
		{"everyone reads e-mail addresses", func(s *site) { leak(s, 26) }, "unauthenticated_sensitive:confirmed",
			[]string{debug, "无需登录", "38 名用户", "邮箱", "26 次", "3 个来源"}},
		{"one source, many people", func(s *site) {
			times(6, func(i int) {
				s.do(debug, gives("[].phone", taxonomy.SensCNMobile, people(fmt.Sprint("p", i), 5)...))
			})
		}, "unauthenticated_sensitive:confirmed", nil},
		{"inside the house it stays, less exploitable", func(s *site) {
			times(8, func(i int) {
				s.do(debug, from(fmt.Sprintf("10.0.0.%d", 1+i%4)), gives("[].id_no", taxonomy.SensCNResidentID, fmt.Sprint("id", i)))
			})
		}, "unauthenticated_sensitive:confirmed", nil},
		{"too few", func(s *site) { leak(s, 4) }, "", nil},
		{"one odd exchange", func(s *site) { leak(s, 1) }, "", nil},
		{"masked", func(s *site) { leak(s, 30, masked()) }, "", nil},
		{"with a credential", func(s *site) { leak(s, 30, as("alice")) }, "", nil},
		{"a page, not data", func(s *site) { leak(s, 30, kind(observe.BodyHTML)) }, "", nil},
		{"echo of what was asked with", func(s *site) {
			times(30, func(i int) {
				s.do("POST /feedback", source(i), param(observe.InJSON, "email", fmt.Sprint("m", i), taxonomy.SensEmail), gives("email", taxonomy.SensEmail, fmt.Sprint("m", i)))
			})
		}, "", nil},
		{"login answers about the one who logs in", func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			times(30, func(i int) {
				s.do("POST /login", source(i), about(fmt.Sprint("u", i), true, false), password(observe.PasswordCurrent, 12, 4, 0, uint32(i+1)), gives("email", taxonomy.SensEmail, fmt.Sprint("m", i)))
			})
		}, "", nil},
		{"proven by a code", func(s *site) {
			times(30, func(i int) {
				s.do("POST /progress", source(i), param(observe.InJSON, "code", "c", taxonomy.SensVerificationCode),
					func(ev *catalog.Event) {
						ev.Exposures = append(ev.Exposures, observe.Exposure{Path: "code", Type: taxonomy.SensVerificationCode, Confidence: 90, Count: 1, Distinct: 1})
					}, gives("idNo", taxonomy.SensCNResidentID, fmt.Sprint("i", i)))
			})
		}, "", nil},
		{"names of authors", func(s *site) {
			times(40, func(i int) {
				s.do("GET /articles", source(i), gives("[].author", taxonomy.SensPersonName, people("author", 20)...), gives("[].account", taxonomy.SensAccountName, people("acc", 20)...))
			})
		}, "", nil},
		{"contacts of shops", func(s *site) {
			times(40, func(i int) {
				s.do("GET /shops", source(i), gives("[].tel", taxonomy.SensPhone, people("tel", 20)...), gives("[].address", taxonomy.SensAddress, people("addr", 20)...))
			})
		}, "", nil},
		{"a guest's session", func(s *site) {
			times(40, func(i int) {
				s.do("GET /guest", source(i), gives("token", taxonomy.SensAccessToken, fmt.Sprint("t", i)))
			})
		}, "", nil},
		{"one contact for all", func(s *site) {
			times(40, func(i int) { s.do("GET /about", source(i), gives("contact", taxonomy.SensEmail, "info")) })
		}, "", nil},
		{"mostly refused: the credential is one nobody knows", func(s *site) {
			times(20, func(i int) {
				leak(s, 1)
				s.do(debug, source(i), answer(401, catalog.OutcomeDenied))
			})
		}, "", nil},
	})
}

func TestOptionalAuthentication(t *testing.T) {
	const api = "GET /orders/{id}"
	with := func(s *site, n int) {
		times(n, func(i int) {
			s.do(api, as(fmt.Sprint("u", i)), source(i), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
		})
	}
	check(t, []scenario{
		{"leaving the token out changes nothing", func(s *site) {
			with(s, 20)
			times(6, func(i int) {
				s.do(api, source(i%2), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
			})
		}, "optional_authentication:confirmed", []string{"带凭证 20 次", "不带凭证 6 次", "手机号"}},
		{"guests get it masked", func(s *site) {
			with(s, 20)
			times(9, func(i int) {
				s.do(api, source(i), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)), masked())
			})
		}, "", nil},
		{"guests get fewer fields", func(s *site) {
			with(s, 20)
			times(9, func(i int) { s.do(api, source(i), gives("title", taxonomy.SensAccountName, fmt.Sprint("t", i))) })
		}, "", nil},
		{"guests are refused", func(s *site) {
			with(s, 20)
			times(9, func(i int) { s.do(api, source(i), answer(401, catalog.OutcomeDenied)) })
		}, "", nil},
		{"too few without", func(s *site) {
			with(s, 20)
			times(4, func(i int) {
				s.do(api, source(i), gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)))
			})
		}, "", nil},
	})
}

func TestBOLA(t *testing.T) {
	const api = "GET /orders/{id}"
	own := func(s *site, users int) {
		times(users, func(i int) {
			u := fmt.Sprint("user", i)
			s.do(api, as(u), source(i), owns(fmt.Sprint("o", i), u, catalog.OwnershipOwn), gives("mobile", taxonomy.SensCNMobile, "m"+u))
		})
	}
	foreign := func(s *site, u string, objects int, opts ...option) {
		times(objects, func(i int) {
			s.do(api, append([]option{as(u), owns(fmt.Sprint("o", i), fmt.Sprint("user", i), catalog.OwnershipForeign)}, opts...)...)
		})
	}
	phone := gives("mobile", taxonomy.SensCNMobile, "13800")
	check(t, []scenario{
		{"walks through other people's orders", func(s *site) { own(s, 30); foreign(s, "mallory", 12, phone) }, "bola:confirmed",
			[]string{"1 个账号", "：12 个；", "手机号", "从未下发给该账号的：12 个"}},
		{"one look at somebody's ID number", func(s *site) {
			own(s, 30)
			foreign(s, "mallory", 1, gives("id", taxonomy.SensCNResidentID, "i"))
		}, "bola:probable", nil},
		{"own objects only", func(s *site) { own(s, 60) }, "", nil},
		{"one odd exchange", func(s *site) { own(s, 30); foreign(s, "mallory", 1, phone) }, "", nil},
		{"support staff work from their list", func(s *site) {
			own(s, 30)
			s.do("GET /orders", as("support"), lists(people("o", 0)...), lists("o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7"))
			foreign(s, "support", 8, phone)
		}, "", nil},
		{"staff use administrative functions, too", func(s *site) {
			s.api("GET /admin/orders", taxonomy.RoleAdmin)
			own(s, 30)
			s.do("GET /admin/orders", as("boss"))
			foreign(s, "boss", 12, phone)
		}, "", nil},
		{"members read each other's harmless posts", func(s *site) {
			times(10, func(i int) {
				u := fmt.Sprint("user", i)
				times(10, func(j int) {
					own := catalog.OwnershipForeign
					if i == j {
						own = catalog.OwnershipOwn
					}
					s.do("GET /posts/{id}", as(u), source(i), owns(fmt.Sprint("post", j), fmt.Sprint("user", j), own))
				})
			})
		}, "", nil},
		{"public content", func(s *site) {
			own(s, 30)
			times(30, func(i int) { s.do(api, source(i)) })
			foreign(s, "reader", 12)
		}, "", nil},
		{"refused", func(s *site) {
			own(s, 30)
			foreign(s, "mallory", 12, answer(403, catalog.OutcomeDenied))
		}, "", nil},
	})
}

func TestBOLAOnAccounts(t *testing.T) {
	const change, mail = "PUT /users/{username}/password", "PUT /users/{username}/email"
	world := func(s *site) {
		s.api("POST /register", taxonomy.RoleRegister)
		s.api(change, taxonomy.RolePasswordChange)
		s.api(mail, taxonomy.RoleProfileUpdate)
		s.api("PUT /users/{username}/follow", taxonomy.RoleOther)
		times(10, func(i int) {
			u := fmt.Sprint("user", i)
			s.do("POST /register", source(i), about(u, false, true), password(observe.PasswordNew, 14, 4, 0, uint32(100+i)))
			s.do(mail, as(u), source(i), segments("users", u, "email"))
		})
	}
	set := password(observe.PasswordNew, 14, 4, 0, 7)
	check(t, []scenario{
		{"an ordinary account takes over another", func(s *site) {
			world(s)
			s.do(change, as("user1"), segments("users", "user2", "password"), set, answer(204, catalog.OutcomeSuccess))
		}, "bola:probable", []string{"1 个账号设置密码", "接管"}},
		{"several e-mail addresses of others", func(s *site) {
			world(s)
			times(4, func(i int) { s.do(mail, as("user9"), segments("users", fmt.Sprint("user", i), "email")) })
		}, "bola:confirmed", []string{"修改或删除"}},
		{"the same, with the owner that the catalogue learned from the path", func(s *site) {
			world(s)
			s.do(change, as("user1"), segments("users", "user2", "password"), set, owns("user2", "user2", catalog.OwnershipForeign))
		}, "bola:probable", []string{"设置密码"}},
		{"following, with the owner learned from the path", func(s *site) {
			world(s)
			times(8, func(i int) {
				u := fmt.Sprint("user", i)
				s.do("PUT /users/{username}/follow", as("user9"), segments("users", u, "follow"), owns(u, u, catalog.OwnershipForeign))
			})
		}, "", nil},
		{"one reset by the help desk among own changes", func(s *site) {
			world(s)
			s.do(change, as("user1"), segments("users", "user1", "password"), set)
			s.do(change, as("desk"), segments("users", "user2", "password"), set)
		}, "", nil},
		{"everyone changes the own password", func(s *site) {
			world(s)
			times(10, func(i int) {
				u := fmt.Sprint("user", i)
				s.do(change, as(u), segments("users", u, "password"), set)
			})
		}, "", nil},
		{"the help desk resets passwords", func(s *site) {
			world(s)
			times(5, func(i int) { s.do(change, as("desk"), segments("users", fmt.Sprint("user", i), "password"), set) })
		}, "", nil},
		{"Basic authentication carries a password, too", func(s *site) {
			world(s)
			times(2, func(i int) {
				s.do("PUT /carts/{username}", as("user1"), segments("carts", fmt.Sprint("user", 2+i)), func(ev *catalog.Event) {
					ev.Passwords = []observe.Password{{Name: "authorization", Use: observe.PasswordCurrent, Form: observe.PasswordPlain, Len: 12, Score: 4}}
				})
			})
		}, "", nil},
		{"following somebody", func(s *site) {
			world(s)
			times(8, func(i int) {
				s.do("PUT /users/{username}/follow", as("user9"), segments("users", fmt.Sprint("user", i), "follow"))
			})
		}, "", nil},
		{"refused", func(s *site) {
			world(s)
			times(5, func(i int) {
				s.do(change, as("user1"), segments("users", fmt.Sprint("user", 2+i), "password"), set, answer(403, catalog.OutcomeDenied))
			})
		}, "", nil},
	})
}
