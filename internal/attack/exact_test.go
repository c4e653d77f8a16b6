package attack

import (
	"fmt"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// An attack whose clients are told apart from everybody else's is counted to
// the request: the first one, before anything was odd about it, and the last.

// exact asserts that one finding of that kind has all of an attack's requests
// and no others, by its own count and by its selector.
func (r *result) exact(tb testing.TB, truth string, kind taxonomy.AttackKind) *Finding {
	tb.Helper()
	var of *Finding
	n := 0
	for i := range r.findings {
		if f := &r.findings[i]; f.Kind == kind && f.Verdict >= taxonomy.Likely {
			of = f
			n++
		}
	}
	if n != 1 {
		tb.Errorf("%d findings of kind %s, want 1\n%s", n, kind, r)
		return &Finding{}
	}
	if want := r.total[truth]; of.Requests != uint64(want) || r.hits[truth][kind] != want {
		tb.Errorf("%s: %d requests counted, %d attributed, %d sent\n%s", kind, of.Requests, r.hits[truth][kind], want, r)
	}
	return of
}

func TestExactCounts(t *testing.T) {
	type attacker func(s *script, at func(i int) (c *client, sec float64), n int)
	attacks := []struct {
		kind taxonomy.AttackKind
		n    int
		send attacker
	}{
		{taxonomy.AttackAccountScanning, 120, func(s *script, at func(int) (*client, float64), n int) {
			s.oracle = true
			for i := range n {
				c, sec := at(i)
				s.login(c, sec, 5_000_000+uint64(i), 99, []string{"wrong", "absent", "absent"}[i%3], "x")
			}
		}},
		{taxonomy.AttackCredentialStuffing, 160, func(s *script, at func(int) (*client, float64), n int) {
			for i := range n {
				c, sec := at(i)
				if i == 0 || i == n-1 || i == 70 {
					s.login(c, sec, 5_000_000+uint64(i), 90_000+uint64(i), "ok", "x")
					c.credential, c.principal = 0, 0
				} else {
					s.login(c, sec, 5_000_000+uint64(i), 90_000+uint64(i), "wrong", "x")
				}
			}
		}},
		{taxonomy.AttackBruteForce, 100, func(s *script, at func(int) (*client, float64), n int) {
			for i := range n {
				c, sec := at(i)
				if i == n-1 {
					s.login(c, sec, 1_000_003, 5, "ok", "x")
				} else {
					s.login(c, sec, 1_000_003, 70_000+uint64(i), "wrong", "x")
				}
			}
		}},
		{taxonomy.AttackPasswordSpraying, 120, func(s *script, at func(int) (*client, float64), n int) {
			s.oracle = false
			for i := range n {
				c, sec := at(i)
				if i == 0 || i == n-1 {
					s.login(c, sec, 5_000_000+uint64(i), 4242, "ok", "x")
					c.credential, c.principal = 0, 0
				} else {
					s.login(c, sec, 5_000_000+uint64(i), 4242, "wrong", "x")
				}
			}
		}},
		{taxonomy.AttackMassRegistration, 80, func(s *script, at func(int) (*client, float64), n int) {
			for i := range n {
				c, sec := at(i)
				c.password = 1234
				s.register(c, sec, 8_000_000+uint64(i)*676, "x")
				if i == 0 || i == n-1 {
					ev := s.events[len(s.events)-1]
					ev.Outcome, ev.obs.MessageSays = catalog.OutcomeRejected, observe.SaysRegistered
				}
			}
		}},
		{taxonomy.AttackScraping, 400, func(s *script, at func(int) (*client, float64), n int) {
			for i, id := range s.rng.Perm(n) {
				c, sec := at(i)
				ev := s.read(c, sec, "news", 1024+uint64(id), 0, "x")
				if i == 0 || i == n-1 {
					ev.Outcome, ev.obs.Status = catalog.OutcomeThrottled, 429
				}
			}
		}},
		{taxonomy.AttackBOLAExploitation, 200, func(s *script, at func(int) (*client, float64), n int) {
			for i := range n {
				c, sec := at(i)
				c.credential, c.principal = 77, 78
				ev := s.read(c, sec, "detail", uint64(i)*50, 1_000_000+uint64(i%50), "x")
				if i == 0 || i == n-1 {
					ev.Owner, ev.Ownership = 78, catalog.OwnershipOwn // its own, to learn the form of an id
				}
			}
		}},
		{taxonomy.AttackVulnerabilityScan, 150, func(s *script, at func(int) (*client, float64), n int) {
			for i := range n {
				c, sec := at(i)
				if i == 0 || i == n-1 {
					s.send(c, sec, "news", "x", nil)
					continue
				}
				s.send(c, sec, "", "x", func(ev *scripted) {
					ev.obs.Status, ev.Outcome = 404, catalog.OutcomeNotFound
					ev.obs.Segments = []observe.Segment{{Text: fmt.Sprint("p", i)}}
				})
			}
		}},
	}
	for _, a := range attacks {
		t.Run(string(a.kind), func(t *testing.T) {
			t.Run("one source", func(t *testing.T) {
				s := newScript(1)
				s.crowd(50, 0, 600)
				c := s.tool(ip4(45, 9, 1, 7))
				a.send(s, func(i int) (*client, float64) { return c, 50 + float64(i)*2 }, a.n)
				r := s.run(t)
				r.exact(t, "x", a.kind)
				r.innocent(t)
			})
			// Public pages at a reader's pace are no attack.
			slow := a.kind != taxonomy.AttackScraping
			t.Run("slow", func(t *testing.T) {
				s := newScript(2)
				s.crowd(120, 0, float64(a.n)*60)
				c := s.tool(ip4(45, 9, 1, 7))
				a.send(s, func(i int) (*client, float64) { return c, 50 + float64(i)*60 + s.rng.Float64()*10 }, a.n)
				r := s.run(t)
				if r.innocent(t); slow {
					r.exact(t, "x", a.kind)
				}
			})
			if a.kind == taxonomy.AttackBOLAExploitation {
				return // one principal
			}
			t.Run("distributed", func(t *testing.T) {
				s := newScript(3)
				s.crowd(50, 0, 600)
				tool := s.tool(ip4(45, 9, 1, 7))
				a.send(s, func(i int) (*client, float64) {
					c := *tool
					c.ip = ip4(60+i%100, i/2, 7, i%250)
					return &c, 50 + float64(i)*3
				}, a.n)
				r := s.run(t)
				r.exact(t, "x", a.kind)
				r.innocent(t)
			})
		})
	}
}
