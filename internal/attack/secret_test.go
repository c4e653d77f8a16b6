package attack

import (
	"testing"

	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// opened plays an account that signs in with that password of that strength,
// looks at a page or two at a person's pace and claims a coupon.
func (s *script) opened(c *client, at float64, id, password uint64, score uint8, truth string) {
	s.login(c, at, id, password, "ok", "")
	p := &s.events[len(s.events)-1].obs.Passwords[0]
	p.Score, p.Len, p.Classes = score, 12, 7
	at += s.think(6)
	s.read(c, at, "page", 7, 0, "")
	s.claim(c, at+s.think(9), "claim", truth, true, deviceOf(id))
}

// One password for all the accounts of a hunter, everything else like people's
// but for the structure of his parameters or his clients.
func TestOnePasswordManyCoupons(t *testing.T) {
	for name, client := range map[string]func(s *script, i int) *client{
		"a structure of his own": func(s *script, _ int) *client { c := s.browser(s.far()); c.shape = 31337; return c },
		"a new client an account": func(s *script, i int) *client {
			c := s.browser(s.far())
			c.cohort, c.header, c.agent = 5000+uint64(i), 6000+uint64(i), 7000+uint64(i)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachPromo(t, func(t *testing.T, s *script) {
				for i := range 20 {
					s.opened(client(s, i), 100+s.rng.Float64()*1500, uint64(900_000+i), 77, 4, "claims")
				}
				r := s.run(t)
				r.found(t, "claims", 0.9, taxonomy.AttackPromotionAbuse)
				r.innocent(t)
			})
		})
	}
}

// An employer gave its people one password to begin with, and all of them take
// the gift, as the others do, with the clients that people have.
func TestEmployeesTakeTheGift(t *testing.T) {
	calmPromo(t, func(s *script) {
		for i := range 30 {
			s.opened(s.browser(s.home(5000+i)), 100+s.rng.Float64()*1500, uint64(900_000+i), 77, 4, "")
		}
	})
}

// A password that many people hit upon is nobody's key.
func TestCommonPasswordIsNoKey(t *testing.T) {
	calmPromo(t, func(s *script) {
		for i := range 20 {
			c := s.browser(s.home(5000 + i))
			c.shape = 31337 // a new version of the page
			s.opened(c, 100+s.rng.Float64()*1500, uint64(900_000+i), 77, 1, "")
		}
	})
}

func TestSecretOf(t *testing.T) {
	for _, c := range []struct {
		p    observe.Password
		want bool
	}{
		{observe.Password{Use: observe.PasswordCurrent, Score: 4, Tag: 0}, true},
		{observe.Password{Use: observe.PasswordCurrent, Score: 2, Tag: 9}, false},
		{observe.Password{Use: observe.PasswordCurrent, Score: 3, Rank: 12, Tag: 9}, false},
		{observe.Password{Use: observe.PasswordConfirm, Score: 4, Tag: 9}, false},
	} {
		ev := &(&scripted{}).Event
		ev.Observation = &observe.Observation{Passwords: []observe.Password{c.p}}
		if got := secretOf(ev); (got != 0) != c.want {
			t.Errorf("%+v: %x", c.p, got)
		}
	}
}
