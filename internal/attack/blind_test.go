package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// blind adds a login as an access log shows it.
func (s *script) blind(c *client, sec float64, status uint16, truth string) *scripted {
	return s.send(c, sec, "login", truth, func(ev *scripted) {
		ev.obs.Status, ev.obs.ParamShape, ev.obs.HeaderOrder = status, 0, 0
		switch status {
		case 401:
			ev.Outcome = catalog.OutcomeDenied
		case 302:
			ev.Outcome = catalog.OutcomeRedirect
		}
	})
}

// readers are the honest part of a log without bodies: they read, some sign in.
func (s *script) readers(n int, fail, ok uint16) {
	for i := range n {
		c := s.browser(s.home(i))
		at := s.rng.Float64() * 3000
		for k := range 4 + s.rng.IntN(6) {
			if k == 2 && i%3 == 0 {
				for range s.rng.IntN(3) {
					s.blind(c, at, fail, "")
					at += 4
				}
				s.blind(c, at, ok, "")
			}
			s.read(c, at, "news", uint64(s.rng.IntN(40)+1), 0, "")
			at += 2 + s.rng.ExpFloat64()*10
		}
	}
}

func TestBlindGuessing(t *testing.T) {
	guess := []taxonomy.AttackKind{taxonomy.AttackBruteForce, taxonomy.AttackCredentialStuffing}
	for _, style := range []struct {
		name     string
		fail, ok uint16
	}{{"401", 401, 200}, {"form again", 200, 302}} {
		t.Run(style.name+" from one address", func(t *testing.T) {
			s := newScript(3)
			s.readers(60, style.fail, style.ok)
			c := s.browser(ip4(45, 9, 1, 7))
			for i := range 60 {
				s.blind(c, 100+float64(i)*9+s.rng.Float64()*6, style.fail, "guess")
			}
			r := s.run(t)
			r.found(t, "guess", 0.9, guess...)
			r.innocent(t)
			for i := range r.findings {
				if r.findings[i].Blocked > 0 {
					t.Errorf("a wrong password is counted as blocked\n%s", r)
				}
			}
		})
		t.Run(style.name+" from many addresses", func(t *testing.T) {
			s := newScript(4)
			s.readers(60, style.fail, style.ok)
			for i := range 150 {
				c := s.browser(ip4(45, 9, i%50, 7))
				s.blind(c, 100+float64(i)*15+s.rng.Float64()*6, style.fail, "guess")
			}
			r := s.run(t)
			r.found(t, "guess", 0.8, guess...)
			r.innocent(t)
		})
	}
}

// TestBlindHonest: monitors, clients with an outdated password, a login that
// is out of order.
func TestBlindHonest(t *testing.T) {
	for seed := range uint64(4) {
		s := newScript(seed)
		s.readers(60, 401, 200)
		monitor := s.tool(ip4(9, 9, 9, 9))
		for i := range 100 {
			s.blind(monitor, float64(i)*10, 200, "")
		}
		stale := s.browser(ip4(9, 9, 9, 8))
		for i := range 90 {
			s.blind(stale, 5+float64(i)*30+s.rng.Float64(), 401, "")
		}
		// Everybody is turned away for ten minutes.
		for _, ev := range s.events {
			if at := (ev.obs.Start - t0) / 1e9; at >= 1500 && at < 2100 && ev.API != nil && ev.API.ID == "login" {
				ev.obs.Status, ev.Outcome = 401, catalog.OutcomeDenied
			}
		}
		for i := range 60 {
			c := s.browser(s.home(300 + i))
			for k := range 3 {
				s.blind(c, 1500+s.rng.Float64()*500+float64(k)*5, 401, "")
			}
			s.read(c, 2100, "news", 3, 0, "")
			s.read(c, 2110, "news", 4, 0, "")
		}
		r := s.run(t)
		if len(r.findings) > 0 {
			t.Errorf("seed %d: findings on an honest day\n%s", seed, r)
		}
	}
}

// TestDoors: a login at a path that the catalogue does not list, and one among
// other functions at a gateway's only path.
func TestDoors(t *testing.T) {
	t.Run("path", func(t *testing.T) {
		s := newScript(5)
		s.readers(40, 401, 200)
		c := s.browser(ip4(45, 9, 1, 7))
		for i := range 80 {
			s.send(c, 100+float64(i)*2+s.rng.Float64(), "", "guess", func(ev *scripted) {
				ev.obs.Method = "POST"
				ev.obs.Segments = []observe.Segment{{Text: "wp-login.php"}}
			})
		}
		s.send(c, 400, "news", "other", nil)
		r := s.run(t)
		r.found(t, "guess", 0.9, taxonomy.AttackBruteForce)
		r.innocent(t)
		if len(r.hits["other"]) > 0 {
			t.Errorf("a request to another path is attributed\n%s", r)
		}
	})
	t.Run("gateway", func(t *testing.T) {
		s := newScript(6)
		s.crowd(20, 0, 600)
		s.apis["login"].Role = taxonomy.RoleOther
		c := s.tool(ip4(45, 9, 1, 7))
		for i := range 80 {
			s.login(c, 100+float64(i)*2, 5_000_000+uint64(i), 90_000+uint64(i), "wrong", "stuff")
		}
		r := s.run(t)
		r.found(t, "stuff", 0.9, taxonomy.AttackCredentialStuffing)
		r.innocent(t)
	})
}

// TestAttackTaughtTheCode: refusals that the catalogue takes for successes
// because the attack is most of what it has seen.
func TestAttackTaughtTheCode(t *testing.T) {
	s := newScript(7)
	s.oracle = true
	s.crowd(20, 0, 600)
	c := s.tool(ip4(45, 9, 1, 7))
	for i := range 100 {
		s.login(c, 50+float64(i), 5_000_000+uint64(i), 77, "absent", "scan")
		s.events[len(s.events)-1].Outcome = catalog.OutcomeSuccess
	}
	r := s.run(t)
	r.found(t, "scan", 0.9, taxonomy.AttackAccountScanning)
	r.innocent(t)
	for _, f := range r.findings {
		if f.Succeeded > 0 {
			t.Errorf("%d successes claimed where every account was denied", f.Succeeded)
		}
	}
}
