package audit_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/defect/audit"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// random lets something happen on an API of the drawn role, inside the caps.
func random(t *rapid.T, s *site, name string, i int) {
	pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }
	opts := []option{source(pick(6))}
	user := fmt.Sprint("user", pick(8))
	if pick(2) == 0 {
		opts = append(opts, as(user))
	}
	switch pick(13) {
	case 0:
		opts = append(opts, gives("a.mail", taxonomy.SensEmail, people(fmt.Sprint("m", pick(5)), 1+pick(30))...))
	case 1:
		opts = append(opts, gives("a.password", taxonomy.SensPassword, people("pw", 1+pick(6))...), tags(uint32(1+pick(20))))
	case 2:
		opts = append(opts, owns(fmt.Sprint("o", pick(12)), fmt.Sprint("user", pick(8)), catalog.Ownership(1+pick(2))), gives("tel", taxonomy.SensCNMobile, fmt.Sprint("t", pick(9))))
	case 3:
		opts = append(opts, about(fmt.Sprint("user", pick(12)), pick(2) == 0, pick(2) == 0), password(observe.PasswordNew, uint8(4+pick(12)), uint8(pick(5)), uint32(pick(3)), uint32(1+pick(20))))
	case 4:
		opts = append(opts, about(fmt.Sprint("user", pick(3)), true, false), password(observe.PasswordCurrent, 9, 2, 0, uint32(1+pick(40))), answer(200, catalog.OutcomeRejected), says("wrong", observe.SaysWrongSecret))
	case 5:
		opts = append(opts, about(fmt.Sprint("ghost", pick(12)), false, true), password(observe.PasswordCurrent, 9, 2, 0, 3), answer(200, catalog.OutcomeRejected), says("no such user", observe.SaysNotRegistered))
	case 6:
		opts = append(opts, gives("rows[].mobile", taxonomy.SensCNMobile, people("m", 90+pick(600))...))
	case 7:
		opts = append(opts, answer(500, catalog.OutcomeError), marker("trace/go", "body", "goroutine 1"), marker("component/pprof", "body", "profile"))
	case 9:
		opts = append(opts, twinned("a.mask", "a.tel", taxonomy.SensCNMobile, uint32(1+pick(3))))
	case 10:
		opts = append(opts, gives("a.mail", taxonomy.SensEmail, "m"), inside("a.isAdmin", observe.InternalPrivilege, 1), inside("a.createBy", observe.InternalAudit, 1))
	case 11:
		n := fmt.Sprint(1000 + pick(4))
		if pick(2) == 0 {
			opts = append(opts, phone(user), answers("a.code", n))
		} else {
			opts = append(opts, phone(user), submits("code", n))
		}
	case 12:
		opts = append(opts, about(user, true, false), password(observe.PasswordCurrent, 6, 0, uint32(pick(3)), uint32(1+pick(20))), pattern(uint8(pick(4)), 6, 4))
		if pick(3) == 0 {
			opts = append(opts, privileged("generic"))
		}
	case 8:
		opts = append(opts, param(observe.InQuery, "token", fmt.Sprint("t", pick(4)), taxonomy.SensAccessToken), origin(fmt.Sprintf("https://s%d.org", pick(6)), observe.CORSReflected|observe.CORSCredentials), plain)
	}
	s.do(name, opts...)
	_ = i
}

// Whether events carry the merged handle from the start, or two handles that
// are merged along the way, the findings are the same. Not their histories:
// each counts from its own first firing on.
func TestMergesLoseNothing(t *testing.T) {
	m := texts(t)
	roles := []taxonomy.Role{taxonomy.RoleOther, taxonomy.RoleLogin, taxonomy.RoleRegister, taxonomy.RoleIdentityCheck, taxonomy.RoleList}
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		s := newSite()
		const name, rest = "POST /things/{id}", "GET /elsewhere"
		a := s.api(name, rapid.SampledFrom(roles).Draw(t, "role"))
		s.api(rest, taxonomy.RoleOther)
		n := rapid.IntRange(5, 120).Draw(t, "events")
		for i := range n {
			if rapid.IntRange(0, 9).Draw(t, "api") == 0 {
				random(t, s, rest, i)
			} else {
				random(t, s, name, i)
			}
		}
		whole := run(m, s, s.events, nil, -1)

		twin := *a
		twin.Handle = 99
		at := rapid.IntRange(0, len(s.events)).Draw(t, "merged at")
		split := make([]catalog.Event, len(s.events))
		copy(split, s.events)
		for i := range split[:at] {
			if split[i].API == a && rapid.Bool().Draw(t, "twin") {
				split[i].API = &twin
			}
		}
		merged := run(m, s, split, &catalog.Merge{From: twin.Handle, Into: a.Handle}, at)
		if d := cmp.Diff(whole, merged, cmpopts.IgnoreFields(defect.Finding{}, "Trials")); d != "" {
			t.Fatalf("merging changed the findings (-whole +merged):\n%s", d)
		}
		found += len(whole)
	})
	if found == 0 {
		t.Fatal("no finding in any run: the property was tested on nothing")
	}
}

func run(m *message.Catalog, s *site, events []catalog.Event, merge *catalog.Merge, at int) []defect.Finding {
	a := audit.New(audit.Config{Messages: m})
	for i := range events {
		if i == at && merge != nil {
			a.Merge(*merge)
		}
		a.Observe(&events[i])
	}
	if at == len(events) && merge != nil {
		a.Merge(*merge)
	}
	return a.Findings(s)
}

// Findings may be asked for at any time and as often as one likes.
func TestFindingsIsPure(t *testing.T) {
	m := texts(t)
	rapid.Check(t, func(t *rapid.T) {
		s := newSite()
		s.api("POST /login", taxonomy.RoleLogin)
		for i := range rapid.IntRange(20, 80).Draw(t, "events") {
			random(t, s, rapid.SampledFrom([]string{"POST /login", "GET /x", "PUT /y/{id}", "GET /z"}).Draw(t, "api"), i)
		}
		quiet, curious := audit.New(audit.Config{Messages: m}), audit.New(audit.Config{Messages: m})
		for i := range s.events {
			quiet.Observe(&s.events[i])
			curious.Observe(&s.events[i])
			if i%7 == 0 {
				curious.Findings(s)
			}
		}
		first := quiet.Findings(s)
		if d := cmp.Diff(first, quiet.Findings(s)); d != "" {
			t.Fatalf("asking twice differs:\n%s", d)
		}
		if d := cmp.Diff(first, curious.Findings(s)); d != "" {
			t.Fatalf("asking in between changed the answer:\n%s", d)
		}
	})
}
