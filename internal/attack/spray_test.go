package attack

import (
	"testing"

	"xiezhi/internal/taxonomy"
)

func TestPasswordSpraying(t *testing.T) {
	for _, tags := range []int{1, 3} {
		for _, oracle := range []bool{false, true} {
			waged(t, 120, func(s *script, i int, c *client, at float64) {
				s.oracle = oracle
				// Names of people, drawn from all over; a few have that password.
				sub := 5_000_000 + uint64(i/tags)*77_773
				if i%50 == 49 {
					s.login(c, at, sub, uint64(4242+i%tags), "ok", "spray")
					c.credential, c.principal = 0, 0
					return
				}
				s.login(c, at, sub, uint64(4242+i%tags), "wrong", "spray")
			}, func(t *testing.T, r *result) {
				if f := r.exact(t, "spray", taxonomy.AttackPasswordSpraying); f.Succeeded != 2 {
					t.Errorf("%d accounts opened\n%s", f.Succeeded, r)
				}
			})
		}
	}
}

// TestSprayInPart: three passwords over accounts in no order, so that hardly any
// account has met all of them when it is found; half of the accounts are gone.
func TestSprayInPart(t *testing.T) {
	waged(t, 150, func(s *script, i int, c *client, at float64) {
		s.oracle = true
		how := "wrong"
		if i%2 == 0 {
			how = "absent"
		}
		s.login(c, at, 5_000_000+uint64(i*37%110)*77_773, uint64(4242+s.rng.IntN(3)), how, "spray")
	}, func(t *testing.T, r *result) { r.found(t, "spray", 0.95, taxonomy.AttackPasswordSpraying) })
}

// TestSprayHonest: many accounts, one password, and nobody attacks.
func TestSprayHonest(t *testing.T) {
	employees := func(s *script, n int, each func(i int, c *client, at float64)) {
		kinds := []*client{s.browser(ip4(77, 1, 1, 1)), s.browser(ip4(77, 1, 1, 1)), s.browser(ip4(77, 1, 1, 1))}
		for i := range n {
			c := *kinds[i%3]
			if i%4 == 0 {
				c.ip = s.home(3000 + i)
			}
			c.password = s.rng.Uint64()
			each(i, &c, 20+float64(i)*6)
		}
	}
	t.Run("initial password day", func(t *testing.T) {
		honest(t, func(s *script) {
			employees(s, 120, func(i int, c *client, at float64) {
				s.login(c, at, 4_000_000+uint64(i), 888888, "ok", "")
				for k := range 4 {
					s.send(c, at+5+float64(k)*9, "me", "", nil)
				}
			})
		})
	})
	t.Run("initial password changed", func(t *testing.T) {
		// They try the initial password out of habit, then their own.
		honest(t, func(s *script) {
			employees(s, 120, func(i int, c *client, at float64) {
				s.login(c, at, 4_000_000+uint64(i), 888888, "wrong", "")
				if i%10 != 0 {
					s.login(c, at+7, 4_000_000+uint64(i), c.password, "ok", "")
					for k := range 4 {
						s.send(c, at+12+float64(k)*9, "me", "", nil)
					}
				}
			})
		})
	})
	t.Run("initial password half done", func(t *testing.T) {
		honest(t, func(s *script) {
			employees(s, 120, func(i int, c *client, at float64) {
				if i%3 == 0 {
					s.login(c, at, 4_000_000+uint64(i), 888888, "wrong", "")
					return
				}
				s.login(c, at, 4_000_000+uint64(i), 888888, "ok", "")
				s.send(c, at+12, "me", "", nil)
				s.send(c, at+22, "list", "", nil)
			})
		})
	})
}

// TestPopularPasswordsAreStuffing: a list of pairs in which the popular
// passwords come up again and again.
func TestPopularPasswordsAreStuffing(t *testing.T) {
	waged(t, 200, func(s *script, i int, c *client, at float64) {
		s.oracle = false
		pw := uint64(100 + s.rng.IntN(8))
		if s.rng.IntN(3) > 0 {
			pw = 90_000 + uint64(i)
		}
		s.login(c, at, 5_000_000+uint64(i)*77_773, pw, "wrong", "stuff")
	}, func(t *testing.T, r *result) { r.exact(t, "stuff", taxonomy.AttackCredentialStuffing) })
}
