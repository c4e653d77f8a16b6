package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Attempts without anything in common but the API, after a day of visitors.

const turnoutStart = 36_000.0

// visitors come over ten hours, each for a minute, and go on coming.
func (s *script) visitors(n int) {
	for i := range n {
		at := s.rng.Float64() * (turnoutStart + 2000)
		s.user(s.browser(s.home(i)), i, at, at+60)
	}
	for i := range n / 4 { // and some ask before they register
		at := s.rng.Float64() * (turnoutStart + 2000)
		c := s.browser(s.home(2000 + i))
		s.question(c, at, 3_000_000+uint64(i), i%4 != 0, "")
		if i%4 != 0 {
			s.register(c, at+20, 3_000_000+uint64(i), "")
			c.credential, c.principal = s.rng.Uint64(), 3_000_000+uint64(i)
			s.send(c, at+30, "me", "", nil)
		}
	}
}

// question asks whether an account is there.
func (s *script) question(c *client, at float64, subject uint64, absent bool, truth string) {
	s.send(c, at, "check", truth, func(ev *scripted) {
		s.account(ev, subject, 0, c)
		ev.obs.MessageSays, ev.ResponseClass = observe.SaysRegistered, 5
		if absent {
			ev.obs.MessageSays, ev.ResponseClass = observe.SaysNotRegistered, 6
		}
	})
}

// stranger is a client that nobody has met and that nobody is like.
func (s *script) stranger() *client {
	c := s.browser(ip4(60+s.rng.IntN(100), s.rng.IntN(250), s.rng.IntN(250), 1+s.rng.IntN(250)))
	v := s.rng.Uint64() >> 8
	c.header, c.cohort, c.agent, c.shape = v, v+1, v+2, v+3
	return c
}

func TestTurnout(t *testing.T) {
	for name, c := range map[string]struct {
		kind    taxonomy.AttackKind
		attempt func(s *script, c *client, at float64, i int)
	}{
		"lists": {taxonomy.AttackCredentialStuffing, func(s *script, c *client, at float64, i int) {
			how := "absent"
			if i%4 == 0 {
				how = "wrong"
			}
			s.login(c, at, 5_000_000+uint64(i)*77_773, 90_000+uint64(i), how, "attack")
			s.events[len(s.events)-1].ResponseClass = 4
		}},
		"spraying, told nothing": {taxonomy.AttackPasswordSpraying, func(s *script, c *client, at float64, i int) {
			s.oracle = false
			s.login(c, at, 5_000_000+uint64(i)*77_773, 4242+uint64(i%2), "wrong", "attack")
		}},
		"questions": {taxonomy.AttackAccountScanning, func(s *script, c *client, at float64, i int) {
			s.question(c, at, 5_000_000+uint64(i)*77_773, true, "attack")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				s := newScript(seed)
				s.oracle = true
				s.visitors(400)
				for i := range 200 {
					c.attempt(s, s.stranger(), turnoutStart+float64(i)*8, i)
				}
				r := s.run(t)
				r.found(t, "attack", 0.8, c.kind)
				r.innocent(t)
			}
		})
	}
}

func TestTurnoutHonest(t *testing.T) {
	for name, crowd := range map[string]func(s *script){
		// Nobody gets in, each at an account and with a password of his own.
		"a release that lets nobody in": func(s *script) {
			for i := range 250 {
				c := s.stranger()
				for k := range 1 + s.rng.IntN(3) {
					s.login(c, turnoutStart+float64(i)*6+float64(k)*5, 1_000_000+uint64(i), c.password, "wrong", "")
				}
			}
		},
		// The accounts of a part of the people are gone, and the site says so.
		"accounts lost": func(s *script) {
			for i := range 250 {
				how := "ok"
				if i%3 == 0 {
					how = "absent"
				}
				c := s.stranger()
				s.login(c, turnoutStart+float64(i)*6, 1_000_000+uint64(i), c.password, how, "")
				if how == "ok" {
					s.send(c, turnoutStart+float64(i)*6+4, "me", "", nil)
				}
			}
		},
		// An advertisement: everybody is new, asks first and registers.
		"an advertisement": func(s *script) {
			for i := range 250 {
				c, at := s.stranger(), turnoutStart+float64(i)*6
				s.question(c, at, 8_000_000+uint64(i)*31, true, "")
				if i%3 > 0 {
					s.register(c, at+20, 8_000_000+uint64(i)*31, "")
					c.credential, c.principal = s.rng.Uint64(), 8_000_000+uint64(i)*31
					s.send(c, at+30, "me", "", nil)
				}
			}
		},
		// The login answers nothing of use.
		"an outage": func(s *script) {
			for i := range 250 {
				c := s.stranger()
				s.login(c, turnoutStart+float64(i)*6, 1_000_000+uint64(i), c.password, "wrong", "")
				ev := s.events[len(s.events)-1]
				ev.Outcome, ev.obs.MessageSays = catalog.OutcomeError, observe.SaysBroken
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				s := newScript(seed)
				s.oracle = true
				s.visitors(400)
				crowd(s)
				r := s.run(t)
				r.innocent(t)
			}
		})
	}
}
