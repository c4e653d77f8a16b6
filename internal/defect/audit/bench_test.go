package audit_test

import (
	"fmt"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect/audit"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/product"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

func bench(b *testing.B, fill func(s *site)) {
	s := newSite()
	fill(s)
	products, err := product.Load(rules.FS)
	if err != nil {
		b.Fatal(err)
	}
	a := audit.New(audit.Config{Messages: texts(b), Products: products})
	for range 3 { // fill sets and tables: the steady state
		for i := range s.events {
			a.Observe(&s.events[i])
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		a.Observe(&s.events[i])
		if i++; i == len(s.events) {
			i = 0
		}
	}
}

// An ordinary event: a signed-in user reads an own object that carries an
// e-mail address.
func BenchmarkObserveOrdinary(b *testing.B) {
	bench(b, func(s *site) {
		times(1000, func(i int) {
			u := fmt.Sprint("u", i%300)
			s.do(fmt.Sprintf("GET /things%d/{id}", i%40), as(u), source(i%300), owns("o"+u, u, catalog.OwnershipOwn), lists("o"+u), gives("email", taxonomy.SensEmail, "m"+u))
		})
	})
}

// Nothing of interest at all.
func BenchmarkObservePlain(b *testing.B) {
	bench(b, func(s *site) {
		times(1000, func(i int) { s.do(fmt.Sprintf("GET /news%d", i%40), source(i%300)) })
	})
}

// Every event is evidence: a failed login under a guessing attack.
func BenchmarkObserveGuessing(b *testing.B) {
	bench(b, func(s *site) {
		s.api("POST /login", taxonomy.RoleLogin)
		times(1000, func(i int) {
			s.do("POST /login", source(i%50), about(fmt.Sprint("u", i%20), true, false), password(observe.PasswordCurrent, 9, 2, 0, uint32(i+1)), answer(200, catalog.OutcomeRejected), says("wrong", observe.SaysWrongSecret))
		})
	})
}

// Every event is evidence: a list of people without a credential.
func BenchmarkObserveExposed(b *testing.B) {
	bench(b, func(s *site) {
		times(1000, func(i int) {
			s.do("GET /users", source(i%50), gives("[].email", taxonomy.SensEmail, people("m", 20)...), gives("[].mobile", taxonomy.SensCNMobile, people("p", 20)...))
		})
	})
}

// People with roles at work: every event counts for the groups of principals.
func BenchmarkObserveRoles(b *testing.B) {
	bench(b, func(s *site) {
		times(1000, func(i int) {
			role := clerkRole
			if i%50 == 0 {
				role = adminRole
			}
			s.do(fmt.Sprintf("GET /things%d/{id}", i%40), as(fmt.Sprint("u", i%300)), having(role), source(i%300), gives("email", taxonomy.SensEmail, fmt.Sprint("m", i%300)), masked())
		})
	})
}
