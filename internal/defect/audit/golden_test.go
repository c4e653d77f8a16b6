package audit_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestTexts holds what a person reads, in both languages.
func TestTexts(t *testing.T) {
	s := newSite()
	s.api("POST /login", taxonomy.RoleLogin)
	s.api("POST /register", taxonomy.RoleRegister)
	times(26, func(i int) {
		s.do("GET /users/v1/_debug", source(i%3), gives("users[].email", taxonomy.SensEmail, people("mail", 38)...), gives("users[].password", taxonomy.SensPassword, people("pw", 38)...))
	})
	times(5, func(i int) {
		u := fmt.Sprint("user", i)
		s.do("POST /register", source(i), about(u, false, true), password(observe.PasswordNew, 6, 0, 1, uint32(i+1)))
		s.do("GET /orders/{id}", as(u), source(i), owns("o"+u, u, catalog.OwnershipOwn))
		s.do("POST /login", source(i), about(u, true, false), password(observe.PasswordCurrent, 9, 2, 0, 9), answer(200, catalog.OutcomeRejected), says("密码错误", observe.SaysWrongSecret))
		s.do("POST /login", source(i), about("ghost"+u, false, true), password(observe.PasswordCurrent, 9, 2, 0, 9), answer(200, catalog.OutcomeRejected), says("用户不存在", observe.SaysNotRegistered))
		s.do("GET /orders/{id}", as("mallory"), source(9), owns("o"+u, u, catalog.OwnershipForeign), gives("address", taxonomy.SensCNResidentID, "a"+u))
		s.do("GET /customers", as("clerk"), gives("rows[].mobile", taxonomy.SensCNMobile, people("m", 640)...), lists(people("r", 640)...), param(observe.InQuery, "pageSize", "1000", taxonomy.NotSensitive))
	})
	times(24, func(i int) {
		s.do("POST /login", about("user0", true, false), password(observe.PasswordCurrent, 9, 2, 0, uint32(i+20)), answer(200, catalog.OutcomeRejected), says("密码错误", observe.SaysWrongSecret))
	})
	times(12, func(i int) {
		number, code := fmt.Sprint("1380000000", i), fmt.Sprint(481203+7919*i)
		s.do("POST /sms/send", source(i), phone(number), answers("data.smsCode", code))
		s.do("POST /login/sms", source(i), phone(number), submits("code", code))
		s.do("POST /login", source(i), about(fmt.Sprint("old", i), true, false), password(observe.PasswordCurrent, 6, 0, 1, uint32(i+1)), pattern(uint8(4+i%2), 6, 4))
		s.do("GET /parcels/{id}", source(i), as(fmt.Sprint("r", i)), twinned("data.phoneMask", "data.receiver.mobile", taxonomy.SensCNMobile, 1), twinned("data.nameMask", "data.realName", taxonomy.SensPersonName, 1))
		s.do("GET /goods", source(i), inside("list[].costPrice", observe.InternalCost, 9), inside("list[].serverIp", observe.InternalAddress, 9), inside("list[].createBy", observe.InternalAudit, 9))
	})
	s.api("POST /admin/login", taxonomy.RoleLogin)
	s.do("POST /admin/login", about("admin", true, false), password(observe.PasswordCurrent, 5, 0, 30, 901), privileged("generic"))
	s.do("POST /admin/login", about("ops", true, false), password(observe.PasswordCurrent, 8, 1, 90, 902))
	times(25, func(i int) {
		s.do("POST /admin/login", about("boss", true, false), password(observe.PasswordCurrent, 9, 3, 0, uint32(i+1)), answer(200, catalog.OutcomeRejected), says("密码错误", observe.SaysWrongSecret))
	})
	s.do("GET /boom", answer(500, catalog.OutcomeError), marker("trace/python", "body", "Traceback ***"))
	s.do("GET /actuator/env", marker("component/actuator.env", "body", "activeProfiles ***"))

	var b bytes.Buffer
	for _, f := range s.audited(t) {
		fmt.Fprintf(&b, "%s %s %s score=%d h=%d e=%d p=%d confidence=%.2f n=%d\n", f.Severity, f.Kind, f.Status, f.Score, f.Harm, f.Exploitability, f.Prevalence, f.Confidence, f.Count)
		fmt.Fprintf(&b, "  %v %v component=%q key=%q\n", f.OWASP, f.CWE, f.Component, f.SubKey)
		fmt.Fprintf(&b, "  理由 %s\n  reason %s\n  建议 %s\n  advice %s\n  评级 %s\n  rating %s\n", f.Reason.Zh, f.Reason.En, f.Advice.Zh, f.Advice.En, f.Rating.Zh, f.Rating.En)
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "  - %s %s | %s | %s\n", e.Exchange, e.What.Zh, e.What.En, e.Value)
		}
	}
	const file = "testdata/findings.golden"
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("texts changed; run with -update after reading them:\n%s", b.Bytes())
	}
}
