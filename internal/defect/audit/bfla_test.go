package audit_test

import (
	"fmt"
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/identity"
	"xiezhi/internal/taxonomy"
)

var (
	adminRole   = &identity.Role{ID: 1, Words: []string{"admin"}, Rank: identity.RankAdmin}
	leadRole    = &identity.Role{ID: 2, Words: []string{"supervisor"}, Rank: identity.RankElevated}
	clerkRole   = &identity.Role{ID: 3, Words: []string{"clerk"}, Rank: identity.RankOrdinary}
	unknownRole = &identity.Role{ID: 4, Words: []string{"x7"}}
)

func having(r *identity.Role) option { return func(ev *catalog.Event) { ev.Who.Role = r } }

// office is a place where clerks read members and administrators also do
// something else.
type office struct {
	*site
	clerks int
}

func (o office) clerk(i int) []option {
	return []option{as(fmt.Sprint("clerk", i)), having(clerkRole), source(i)}
}

// days lets the clerks work and administrators call a function.
func (o office) days(n int, api string, more func(day int)) {
	for d := range n {
		times(o.clerks, func(i int) { o.do("GET /members", o.clerk(i)...) })
		times(2, func(i int) { o.do(api, as("root"), having(adminRole), source(60)) })
		if more != nil {
			more(d)
		}
		o.now += int64(24*time.Hour) - o.now%int64(time.Hour)
	}
}

func TestBFLA(t *testing.T) {
	const grant, news = "PUT /staff/{id}/role", "GET /insights"
	run := func(f func(o office)) func(*site) {
		return func(s *site) { f(office{s, 8}) }
	}
	some := func(api string, every int, opts ...option) func(o office) {
		return func(o office) {
			o.days(20, api, nil)
			o.days(30, api, func(d int) {
				if d%every == 0 {
					o.do(api, append(o.clerk(d/every%o.clerks), opts...)...)
				}
			})
		}
	}
	check(t, []scenario{
		{"a clerk now and then", run(some(grant, 5)), "bfla:confirmed", []string{"clerk", "只有角色 admin 使用", "6 次"}},
		{"without a telling name", run(some(news, 5)), "bfla:confirmed", []string{"GET /insights"}},
		{"one clerk, twice", run(func(o office) {
			o.days(20, news, nil)
			o.do(news, o.clerk(1)...)
			o.do(news, o.clerk(1)...)
			o.days(5, news, nil)
		}), "", nil},
		{"one clerk, three times in a day", run(func(o office) {
			o.days(20, news, nil)
			times(3, func(int) { o.do(news, o.clerk(1)...) })
			o.days(5, news, nil)
		}), "bfla:probable", nil},
		{"others are refused meanwhile", run(func(o office) {
			o.days(20, news, nil)
			times(3, func(int) { o.do(news, o.clerk(1)...) })
			o.do(news, append(o.clerk(2), answer(403, catalog.OutcomeDenied))...)
			o.days(5, news, nil)
		}), "bfla:confirmed", []string{"1 次被拒绝"}},
		{"always refused", run(some(grant, 5, answer(403, catalog.OutcomeDenied))), "", nil},
		{"one's own record", run(some("PUT /staff/{id}/phone", 5, owns("o", "me", catalog.OwnershipOwn))), "", nil},
		{"one's own rights", run(some(grant, 5, owns("o", "me", catalog.OwnershipOwn))), "bfla:confirmed", nil},
		{"rolled out to all", run(func(o office) {
			o.days(30, news, nil)
			o.days(30, news, func(d int) {
				times(o.clerks, func(i int) {
					if (i+d)%2 == 0 {
						o.do(news, o.clerk(i)...)
					}
				})
			})
		}), "", nil},
		{"half of them try it now and then", run(func(o office) {
			o.days(20, news, func(int) { times(3, func(int) { o.do(news, as("root"), having(adminRole)) }) })
			o.days(30, news, func(d int) {
				times(3, func(int) { o.do(news, as("root"), having(adminRole)) })
				if d%2 == 0 {
					o.do(news, o.clerk(d/2%o.clerks)...)
				}
			})
		}), "bfla:confirmed", nil},
		{"the first day of a roll-out", run(func(o office) {
			o.days(30, news, nil)
			times(2, func(i int) { o.do(news, o.clerk(i)...) })
		}), "", nil},
		{"refused until it was rolled out", run(func(o office) {
			o.days(30, grant, func(d int) { o.do(grant, append(o.clerk(d%8), answer(403, catalog.OutcomeDenied))...) })
			o.days(10, grant, func(d int) { times(5, func(i int) { o.do(grant, o.clerk((d+i)%8)...) }) })
		}), "", nil},
		{"a clerk who became an administrator", run(func(o office) {
			o.days(20, grant, nil)
			o.days(20, grant, func(int) { o.do(grant, as("clerk1"), having(adminRole)) })
		}), "", nil},
		{"a clerk who has another job now, under the old name", run(func(o office) {
			o.days(20, grant, nil)
			o.days(20, grant, func(int) { o.do(grant, o.clerk(1)...) })
		}), "bfla:probable", nil},
		{"everybody from the start", run(func(o office) {
			o.days(40, grant, func(d int) { o.do(grant, o.clerk(d%3)...) })
		}), "", nil},
		{"supervisors from the start", run(func(o office) {
			o.days(40, "POST /approve", func(d int) { o.do("POST /approve", as(fmt.Sprint("lead", d%2)), having(leadRole)) })
		}), "", nil},
		{"a clerk does what supervisors do", run(func(o office) {
			o.days(40, news, func(d int) {
				o.do(news, as(fmt.Sprint("lead", d%2)), having(leadRole))
				if d > 20 && d%5 == 0 {
					o.do(news, o.clerk(d/5)...)
				}
			})
		}), "bfla:confirmed", []string{"supervisor"}},
		{"one of whom the role says nothing", run(func(o office) {
			o.days(20, grant, nil)
			o.days(20, grant, func(d int) {
				if d%5 == 0 {
					o.do(grant, as("sales"), having(unknownRole))
				}
			})
		}), "", nil},
		{"no role is known", run(func(o office) {
			o.days(20, grant, nil)
			o.days(20, grant, func(d int) { o.do(grant, as("stranger")) })
		}), "", nil},
		{"too little was learned", run(func(o office) {
			o.days(9, news, nil)
			o.days(20, news, func(d int) {
				if d%5 == 0 {
					o.do(news, o.clerk(d/5)...)
				}
			})
		}), "", nil},

		// Cold: an hour of traffic.
		{"cold, an exception", run(func(o office) {
			o.days(1, grant, nil)
			times(2, func(int) { o.do(grant, as("root"), having(adminRole)) })
			times(3, func(int) { o.do(grant, o.clerk(1)...) })
		}), "bfla:probable", []string{"看来是管理功能"}},
		{"cold, mostly refused", run(func(o office) {
			o.do(grant, o.clerk(1)...)
			times(4, func(i int) { o.do(grant, append(o.clerk(i+2), answer(403, catalog.OutcomeDenied))...) })
			times(2, func(int) { o.do(grant, o.clerk(1)...) })
		}), "bfla:probable", []string{"4 次"}},
		{"cold, without a telling name", run(func(o office) {
			o.days(1, news, nil)
			times(2, func(int) { o.do(news, as("root"), having(adminRole)) })
			times(3, func(int) { o.do(news, o.clerk(1)...) })
		}), "", nil},
		{"cold, the back end is everybody's", run(func(o office) {
			times(8, func(i int) { o.do("GET /admin/members", o.clerk(i)...) })
			times(4, func(int) { o.do("GET /admin/reports", as("root"), having(adminRole)) })
			times(3, func(int) { o.do("GET /admin/reports", o.clerk(1)...) })
		}), "", nil},
		{"cold, a back end of its own", run(func(o office) {
			times(100, func(i int) { o.do("GET /members", o.clerk(i%9)...) })
			times(4, func(int) { o.do("GET /admin/reports", as("root"), having(adminRole)) })
			times(3, func(int) { o.do("GET /admin/reports", o.clerk(1)...) })
		}), "bfla:probable", nil},
	})
}

// What two handles saw before they were merged is what one would have seen.
func TestBFLAMerges(t *testing.T) {
	s := newSite()
	o := office{s, 8}
	const api = "PUT /staff/{id}/role"
	o.days(20, api, nil)
	o.days(30, api, func(d int) {
		if d%5 == 0 {
			o.do(api, o.clerk(d/5)...)
		}
	})
	whole := run(texts(t), s, s.events, nil, -1)
	twin := *s.byName[api]
	twin.Handle = 99
	for i := range s.events {
		if s.events[i].API == s.byName[api] && i%2 == 0 {
			s.events[i].API = &twin
		}
	}
	merged := run(texts(t), s, s.events, &catalog.Merge{From: 99, Into: s.byName[api].Handle}, len(s.events))
	if len(whole) != 1 || len(merged) != 1 || whole[0].Kind != taxonomy.DefectBFLA || whole[0].Reason != merged[0].Reason || whole[0].Confidence != merged[0].Confidence || whole[0].Count != merged[0].Count {
		t.Errorf("%+v\nmerged %+v", whole, merged)
	}
}
