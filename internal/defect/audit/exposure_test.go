package audit_test

import (
	"fmt"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// twinned puts a masked value into the response and the plain one beside it.
func twinned(masked, plain string, t taxonomy.Sensitive, records uint32) option {
	return func(ev *catalog.Event) {
		ev.Exposures = append(ev.Exposures,
			observe.Exposure{Path: masked, Type: t, Response: true, Masked: true, Confidence: 85, Shape: "13*******00", Count: records, Distinct: records, Twin: plain, Twins: records},
			observe.Exposure{Path: plain, Type: t, Response: true, Confidence: 95, Shape: "13*******00", Count: records, Distinct: records})
	}
}

func inside(path string, k observe.InternalKind, n uint32) option {
	return func(ev *catalog.Event) {
		ev.Internals = append(ev.Internals, observe.Internal{Path: path, Kind: k, Count: n})
	}
}

func TestMaskedPlainTwin(t *testing.T) {
	const api = "GET /orders/{id}"
	phone := func(n uint32) option { return twinned("data.phoneMask", "data.mobile", taxonomy.SensCNMobile, n) }
	check(t, []scenario{
		{"three orders", func(s *site) { times(3, func(i int) { s.do(api, as("a"), source(i), phone(1)) }) }, "masked_plain_twin:confirmed",
			[]string{"data.phoneMask 旁有明文 data.mobile（手机号）", "3 条记录"}},
		{"a list of three", func(s *site) { s.do(api, as("a"), phone(3)) }, "masked_plain_twin:confirmed", nil},
		{"a name and a resident ID", func(s *site) {
			times(4, func(i int) {
				s.do(api, as("a"), twinned("nameMask", "realName", taxonomy.SensPersonName, 1), twinned("idMask", "idCard", taxonomy.SensCNResidentID, 1))
			})
		}, "masked_plain_twin:confirmed", []string{"idMask", "nameMask"}},
		{"names only may agree by chance", func(s *site) {
			times(3, func(i int) { s.do(api, as("a"), twinned("nameMask", "realName", taxonomy.SensPersonName, 1)) })
		}, "masked_plain_twin:probable", nil},
		{"confirming a payee", func(s *site) {
			times(3, func(i int) {
				s.do("GET /transfer/payee", as("a"), twinned("tip", "payeeMobile", taxonomy.SensCNMobile, 1))
			})
		}, "masked_plain_twin:confirmed", []string{"用于确认收款人"}},
		{"an emergency contact of the same surname", func(s *site) {
			times(30, func(i int) {
				s.do(api, as("a"), source(i), twinned("rows[].emergencyContact", "rows[].legalPerson", taxonomy.SensPersonName, 9))
			})
		}, "", nil},
		{"the receiver twice", func(s *site) {
			times(9, func(i int) {
				s.do(api, as("a"), source(i), twinned("receiverNameMask", "receiverName", taxonomy.SensPersonName, 1))
			})
		}, "masked_plain_twin:probable", nil},
		{"two records", func(s *site) { times(2, func(i int) { s.do(api, as("a"), phone(1)) }) }, "", nil},
		{"refused", func(s *site) {
			times(9, func(i int) { s.do(api, as("a"), phone(1), answer(403, catalog.OutcomeDenied)) })
		}, "", nil},
		{"masked and plain of different people", func(s *site) {
			times(9, func(i int) { s.do(api, as("a"), twinned("a", "", taxonomy.SensCNMobile, 0)) })
		}, "", nil},
	})
	// Confirming a payee is a lesser harm.
	harm := func(api string) taxonomy.Severity {
		s := newSite()
		times(3, func(i int) { s.do(api, as("a"), twinned("tip", "mobile", taxonomy.SensCNMobile, 1)) })
		return s.audited(t)[0].Harm
	}
	if a, b := harm("GET /customers/{id}"), harm("POST /transfer/payee"); b != a-1 {
		t.Errorf("harm %v, for a payee %v", a, b)
	}
}

func TestInternalFields(t *testing.T) {
	const api = "GET /users"
	user := gives("users[].email", taxonomy.SensEmail, people("m", 4)...)
	flag := inside("users[].isAdmin", observe.InternalPrivilege, 4)
	rows := lists(people("r", 4)...)
	check(t, []scenario{
		{"administrator flags in a list", func(s *site) {
			times(12, func(i int) { s.do(api, as("a"), source(i), user, flag, rows) })
		}, "internal_fields:confirmed", []string{"users[].isAdmin", "角色与管理员标识", "12 次响应"}},
		{"three answers", func(s *site) { times(3, func(i int) { s.do(api, as("a"), user, flag, rows) }) }, "internal_fields:probable", nil},
		{"twice", func(s *site) { times(2, func(i int) { s.do(api, as("a"), user, flag, rows) }) }, "", nil},
		{"addresses, remarks and costs", func(s *site) {
			times(12, func(i int) {
				s.do("GET /goods/{id}", as("a"), inside("costPrice", observe.InternalCost, 1), inside("serverIp", observe.InternalAddress, 1), inside("internalRemark", observe.InternalRemark, 1))
			})
		}, "internal_fields:confirmed", []string{"internalRemark、serverIp、costPrice", "内部备注"}},
		{"roles of team members", func(s *site) {
			times(30, func(i int) {
				s.do("GET /team/members", as("a"), source(i), gives("list[].email", taxonomy.SensEmail, people("m", 4)...), inside("list[].role", observe.InternalPrivilege, 4), rows)
			})
		}, "internal_fields:probable", nil},
		{"soft deletion and who made it", func(s *site) {
			times(9, func(i int) {
				s.do("GET /goods/{id}", as("a"), inside("delFlag", observe.InternalDeletion, 1), inside("createBy", observe.InternalAudit, 1))
			})
		}, "internal_fields:probable", nil},
		{"who made it, alone", func(s *site) {
			times(99, func(i int) { s.do("GET /goods/{id}", as("a"), inside("createBy", observe.InternalAudit, 1)) })
		}, "", nil},
		{"the own role at login", func(s *site) {
			s.api("POST /login", taxonomy.RoleLogin)
			times(30, func(i int) {
				s.do("POST /login", about(fmt.Sprint("u", i), true, false), gives("user.email", taxonomy.SensEmail, "m"), inside("user.role", observe.InternalPrivilege, 1))
			})
		}, "", nil},
		{"the own role at /me", func(s *site) {
			s.api("GET /me", taxonomy.RoleProfile)
			times(30, func(i int) {
				s.do("GET /me", as("a"), gives("email", taxonomy.SensEmail, "m"), inside("isAdmin", observe.InternalPrivilege, 1))
			})
		}, "", nil},
		{"the own record elsewhere", func(s *site) {
			times(30, func(i int) {
				s.do("GET /accounts/{id}", as("a"), gives("email", taxonomy.SensEmail, "m"), inside("isAdmin", observe.InternalPrivilege, 1), owns("o", "a", catalog.OwnershipOwn))
			})
		}, "", nil},
		{"an administrators' page", func(s *site) {
			times(30, func(i int) { s.do("GET /admin/users", as("root"), user, flag, rows) })
		}, "", nil},
		{"staff elsewhere", func(s *site) {
			s.do("GET /admin/users", as("root"))
			times(30, func(i int) { s.do(api, as("root"), user, flag, rows) })
		}, "", nil},
		{"the administrators' page without a login", func(s *site) {
			times(12, func(i int) { s.do("GET /admin/users", user, flag, rows) })
		}, "internal_fields:confirmed", nil},
		{"roles of actors in films", func(s *site) {
			times(30, func(i int) {
				s.do("GET /films/{id}", as("a"), inside("cast[].role", observe.InternalPrivilege, 4), rows)
			})
		}, "", nil},
		{"risk levels of funds", func(s *site) {
			times(30, func(i int) { s.do("GET /funds", as("a"), inside("list[].riskLevel", observe.InternalScore, 4), rows) })
		}, "", nil},
		{"who sends SQL gets SQL", func(s *site) {
			times(30, func(i int) {
				s.do("POST /queries", as("a"), param(observe.InJSON, "sql", "select", taxonomy.NotSensitive), inside("data.sql", observe.InternalSQL, 1))
			})
		}, "", nil},
		{"the result of deleting", func(s *site) {
			times(30, func(i int) {
				s.do("DELETE /goods/{id}", as("a"), inside("deleted", observe.InternalDeletion, 1), inside("updateBy", observe.InternalAudit, 1))
			})
		}, "", nil},
		{"feature flags", func(s *site) {
			s.api("GET /config", taxonomy.RoleConfig)
			times(30, func(i int) { s.do("GET /config", inside("debugInfo", observe.InternalDebug, 1)) })
		}, "", nil},
	})
}
