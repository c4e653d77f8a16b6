package audit_test

import (
	"fmt"
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/defect/audit"
	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// month after month, somebody logs in every few days and works.
func tenure(s *site, days int, who string, role *identity.Role, also func(day int)) {
	s.api("POST /login", taxonomy.RoleLogin)
	for d := 0; d < days; d += 3 {
		s.do("POST /login", about(who, true, false), password(observe.PasswordCurrent, 16, 4, 0, uint32(d+1)))
		s.do("GET /orders", as(who), having(role))
		if also != nil {
			also(d)
		}
		s.now += int64(3 * 24 * time.Hour)
	}
}

func changes(s *site, who string, opts ...option) {
	s.api("POST /password", taxonomy.RolePasswordChange)
	s.do("POST /password", append([]option{as(who), password(observe.PasswordNew, 16, 4, 0, 9)}, opts...)...)
}

func TestStalePrivileged(t *testing.T) {
	others := func(s *site) func(int) { return func(d int) { changes(s, fmt.Sprint("clerk", d)) } }
	check(t, []scenario{
		{"an administrator for four months", func(s *site) { tenure(s, 120, "root", adminRole, others(s)) }, "stale_privileged:confirmed", []string{"117 天", "90 天"}},
		{"nobody changes it here", func(s *site) { tenure(s, 120, "root", adminRole, nil) }, "stale_privileged:probable", []string{"身份平台"}},
		{"by the name of the account", func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			for range 40 {
				s.do("POST /login", about("admin", true, false), password(observe.PasswordCurrent, 16, 4, 0, 9), privileged(""))
				s.now += int64(3 * 24 * time.Hour)
			}
		}, "stale_privileged:probable", nil},
		{"by using a back end, where no role is known", func(s *site) {
			tenure(s, 120, "root", nil, func(int) { s.do("GET /admin/users", as("root")) })
		}, "stale_privileged:probable", nil},
		{"a clerk", func(s *site) { tenure(s, 120, "kim", clerkRole, others(s)) }, "", nil},
		{"a clerk in a back end", func(s *site) {
			tenure(s, 120, "kim", clerkRole, func(int) { s.do("GET /admin/orders", as("kim"), having(clerkRole)) })
		}, "", nil},
		{"not long enough", func(s *site) { tenure(s, 88, "root", adminRole, others(s)) }, "", nil},
		{"changed in between", func(s *site) {
			tenure(s, 120, "root", adminRole, func(d int) {
				if d == 60 {
					changes(s, "root")
				}
			})
		}, "", nil},
		{"reset by somebody else", func(s *site) {
			tenure(s, 120, "root", adminRole, func(d int) {
				if d == 60 {
					s.api("POST /reset", taxonomy.RolePasswordReset)
					s.do("POST /reset", as("chief"), about("root", true, false), password(observe.PasswordNew, 16, 4, 0, 9))
				}
			})
		}, "", nil},
		{"a change that was refused", func(s *site) {
			tenure(s, 120, "root", adminRole, func(d int) {
				others(s)(d)
				if d == 60 {
					changes(s, "root", answer(400, catalog.OutcomeInvalid))
				}
			})
		}, "stale_privileged:confirmed", nil},
		{"nothing was recorded for a while", func(s *site) {
			tenure(s, 60, "root", adminRole, others(s))
			s.now += int64(20 * 24 * time.Hour)
			tenure(s, 60, "root", adminRole, others(s))
		}, "", nil},
		{"a program", func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			for range 40 {
				s.do("POST /login", about("svc", true, false), password(observe.PasswordCurrent, 16, 4, 0, 9), tool)
				s.do("GET /orders", as("svc"), having(adminRole))
				s.now += int64(3 * 24 * time.Hour)
			}
		}, "", nil},
		{"signs in elsewhere", func(s *site) {
			for range 40 {
				s.do("GET /orders", as("root"), having(adminRole))
				s.now += int64(3 * 24 * time.Hour)
			}
		}, "", nil},
	})
}

// The policy is the owner's.
func TestPasswordDays(t *testing.T) {
	s := newSite()
	tenure(s, 120, "root", adminRole, func(d int) { changes(s, fmt.Sprint("clerk", d)) })
	for days, want := range map[int]string{0: "stale_privileged:confirmed", 30: "stale_privileged:confirmed", 118: "", 36500: ""} {
		a := audit.New(audit.Config{Messages: texts(t), PasswordDays: days})
		for i := range s.events {
			a.Observe(&s.events[i])
		}
		if got := kinds(a.Findings(s)); got != want {
			t.Errorf("%d days: %q, want %q", days, got, want)
		}
	}
}

func TestRoleOverbroad(t *testing.T) {
	const list, detail = "GET /members", "GET /members/{id}"
	rows := gives("rows[].mobile", taxonomy.SensCNMobile, people("m", 10)...)
	one := func(i int) option { return gives("mobile", taxonomy.SensCNMobile, fmt.Sprint("m", i)) }
	lead := []option{as("lead"), having(leadRole)}
	clerk := func(i int) []option { return []option{as(fmt.Sprint("clerk", i%3)), having(clerkRole), source(i % 3)} }
	with := func(a []option, more ...option) []option { return append(append([]option{}, a...), more...) }
	// A desk: the list masks for all; what the detail gives to clerks is drawn.
	desk := func(n int, api string, forClerks ...option) func(*site) {
		return func(s *site) {
			s.do(list, with(lead, rows, masked())...)
			times(n, func(i int) {
				s.do(list, with(clerk(i), rows, masked())...)
				s.do(api, with(clerk(i), with([]option{one(i)}, forClerks...)...)...)
				s.do(api, with(lead, one(i))...)
			})
		}
	}
	check(t, []scenario{
		{"the detail is whole for clerks", desk(20, detail), "role_overbroad:confirmed", []string{"GET /members 对角色 clerk", "手机号", "GET /members/{id}"}},
		{"the detail looks at the role", desk(20, detail, masked()), "", nil},
		{"too few", desk(9, detail), "", nil},
		{"a call to reveal", desk(20, "GET /members/{id}/reveal"), "", nil},
		{"one's own", desk(20, detail, owns("o", "x", catalog.OwnershipOwn)), "", nil},
		{"the list is whole, too", func(s *site) {
			times(20, func(i int) {
				s.do(list, with(clerk(i), rows)...)
				s.do(detail, with(clerk(i), one(i))...)
				s.do(detail, with(lead, one(i))...)
			})
		}, "", nil},
		{"only one rank of people", func(s *site) {
			times(20, func(i int) {
				s.do(list, with(clerk(i), rows, masked())...)
				s.do(detail, with(clerk(i), one(i))...)
			})
		}, "", nil},
		{"another thing's list", func(s *site) {
			times(20, func(i int) {
				s.do("GET /orders", with(clerk(i), rows, masked())...)
				s.do(detail, with(clerk(i), one(i))...)
				s.do(detail, with(lead, one(i))...)
			})
		}, "", nil},
		{"few people", func(s *site) {
			s.do(list, with(lead, rows, masked())...)
			times(20, func(i int) {
				s.do(list, with(clerk(i), rows, masked())...)
				s.do(detail, with(clerk(i), one(i%3))...)
			})
		}, "", nil},
		{"the supervisors' reveal", func(s *site) {
			times(20, func(i int) {
				s.do(list, with(lead, rows, masked())...)
				s.do(detail, with(lead, one(i))...)
			})
		}, "", nil},
		{"a list and a detail by name", func(s *site) {
			times(20, func(i int) {
				s.do("GET /member/list", with(clerk(i), rows, masked())...)
				s.do("GET /member/detail", with(clerk(i), one(i))...)
				s.do("GET /member/detail", with(lead, one(i))...)
			})
		}, "role_overbroad:confirmed", nil},
	})
}

// Whether a finding's history says when the hole was closed.
func TestStaleAndOverbroadRepairs(t *testing.T) {
	s := newSite()
	tenure(s, 120, "root", adminRole, nil)
	changes(s, "root")
	tenure(s, 60, "root", adminRole, nil)
	var f *defect.Finding
	for _, x := range s.audited(t) {
		if x.Kind == taxonomy.DefectStalePrivileged {
			f = &x
		}
	}
	if f == nil {
		t.Fatal("not found")
	}
	var eligible, fired uint32
	for _, b := range f.Trials.Buckets() {
		eligible, fired = eligible+b.Eligible, fired+b.Fired
	}
	if fired != 10 || eligible != 30 {
		t.Errorf("%d of %d logins fired", fired, eligible)
	}
}
