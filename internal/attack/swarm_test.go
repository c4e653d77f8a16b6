package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// leafOf reads one of the orders of which a site has many.
func (s *script) leafOf(c *client, at float64, object uint64, truth string) {
	s.send(c, at, "news", truth, func(ev *scripted) {
		ev.obs.ParamShape, ev.Object = c.shape, object
		ev.obs.Segments = []observe.Segment{{Text: "news"}, {Class: observe.ClassInt, Token: object}}
	})
}

// strollers come all day, look about and read a page or two.
func (s *script) strollers(n int) {
	for i := range n {
		c, at := s.browser(s.home(6000+i)), s.rng.Float64()*(turnoutStart+2000)
		c.shape = 4
		s.user(c, 6000+i, at, at+90)
		for k := range 2 {
			s.leafOf(c, at+95+float64(k)*10, uint64(700+s.rng.IntN(40)), "")
		}
	}
}

func TestSwarm(t *testing.T) {
	for name, c := range map[string]struct {
		kind taxonomy.AttackKind
		come func(s *script, at float64, i int)
	}{
		// Genuine browsers, an address each, and a request that no page builds.
		"one structure": {taxonomy.AttackMassRegistration, func(s *script, at float64, i int) {
			c := s.browser(ip4(60+s.rng.IntN(100), s.rng.IntN(250), s.rng.IntN(250), 1+s.rng.IntN(250)))
			c.shape = 9_999
			s.register(c, at, 5_000_000+uint64(i)*77_773, "attack")
			s.events[len(s.events)-1].Outcome = []catalog.Outcome{catalog.OutcomeSuccess, catalog.OutcomeRejected}[s.rng.IntN(2)]
		}},
		// Nothing in common but that each has a face that nobody has.
		"no face": {taxonomy.AttackScraping, func(s *script, at float64, i int) {
			c := s.stranger()
			s.leafOf(c, at, 5_000+uint64(i)*13, "attack")
		}},
		// The same at the login, where nobody gets in.
		"no face, refused": {taxonomy.AttackCredentialStuffing, func(s *script, at float64, i int) {
			c := s.stranger()
			s.login(c, at, 5_000_000+uint64(i)*77_773, s.rng.Uint64(), []string{"wrong", "wrong", "wrong", "ok"}[i%4], "attack")
		}},
		// The same with bodies that are encrypted.
		"no face, not seen": {taxonomy.AttackCredentialStuffing, func(s *script, at float64, i int) {
			c := s.stranger()
			s.send(c, at, "login", "attack", func(ev *scripted) { ev.obs.ReqKind = observe.BodyUnread })
		}},
		// Registration succeeds, of whoever it is; no form builds a request so.
		"no form": {taxonomy.AttackMassRegistration, func(s *script, at float64, i int) {
			c := s.stranger()
			s.register(c, at, 5_000_000+uint64(i)*77_773, "attack")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				s := newScript(seed)
				s.visitors(400)
				s.strollers(200)
				for i := range 200 {
					c.come(s, turnoutStart+float64(i)*8, i)
				}
				r := s.run(t)
				r.found(t, "attack", 0.8, c.kind)
				r.innocent(t)
			}
		})
	}
}

func TestNoSwarm(t *testing.T) {
	for name, crowd := range map[string]func(s *script){
		// A link that is shared: a structure that is new, and everybody comes for one page.
		"a shared link": func(s *script) {
			for i := range 300 {
				c := s.browser(s.home(20_000 + i))
				c.shape = 77
				s.leafOf(c, turnoutStart+float64(i)*4, 701, "")
			}
		},
		// Nobody had the version before, and everybody does with it what he did.
		"a new version": func(s *script) {
			for i := range 200 {
				c := s.browser(s.home(20_000 + i))
				c.cohort, c.header, c.agent, c.shape = 31, 32, 33, 34
				at := turnoutStart + float64(i)*8
				s.user(c, 20_000+i, at, at+60)
				s.leafOf(c, at+70, uint64(700+s.rng.IntN(40)), "")
			}
		},
		// Each has a client of his own, and a form that the site gave him.
		"strangers who register": func(s *script) {
			form := s.browser(s.home(1)).shape
			for i := range 200 {
				c := s.stranger()
				c.shape = form
				at, account := turnoutStart+float64(i)*8, 5_000_000+uint64(i)*77_773
				s.register(c, at, account, "")
				c.credential, c.principal = account+1, account
				s.send(c, at+20, "me", "", nil)
				s.leafOf(c, at+40, uint64(700+s.rng.IntN(40)), "")
			}
		},
		// Each has a client of his own, and signs in to his own account.
		"strangers": func(s *script) {
			for i := range 200 {
				c := s.stranger()
				s.login(c, turnoutStart+float64(i)*8, 1_000_000+uint64(i), c.password, "ok", "")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				s := newScript(seed)
				s.visitors(400)
				s.strollers(200)
				crowd(s)
				s.run(t).innocent(t)
			}
		})
	}
}

// TestFads: a key that has always been common is no fashion, one that comes up is.
func TestFads(t *testing.T) {
	x := &fads{since: 1}
	now, common, fresh := int64(1), &cell{shape: hashText("a"), cohort: hashText("b")}, &cell{shape: hashText("c"), cohort: hashText("b")}
	for range 3 * fadLeast {
		now += fadEpoch / 16
		if x.see(common, 0, now) {
			t.Fatal("what everybody has is hot")
		}
	}
	hot := 0
	for range 2 * fadHot {
		now += 1e9
		if x.see(fresh, 0, now) {
			hot++
		}
	}
	if hot == 0 || hot > fadHot+1 {
		t.Errorf("a new structure was hot %d times of %d", hot, 2*fadHot)
	}
}
