package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// stages opens a place where posts are read and liked, with n people about.
func (s *script) stages(n int, to float64) {
	for i, a := range []catalog.API{
		{ID: "post", Method: "GET", Template: "/posts/{id}", Role: taxonomy.RoleDetail},
		{ID: "like", Method: "POST", Template: "/posts/{id}/like", Role: taxonomy.RoleLike},
		{ID: "views", Method: "POST", Template: "/posts/{id}/view", Role: taxonomy.RoleView},
		{ID: "vote", Method: "POST", Template: "/vote", Role: taxonomy.RoleVote},
	} {
		a.Handle, a.Site = catalog.Handle(200+i), "shop"
		s.apis[a.ID] = &a
	}
	for i := range n {
		c := s.browser(s.home(3000 + i))
		if s.rng.IntN(2) == 0 {
			c.credential, c.principal = 500_000+uint64(i), 510_000+uint64(i)
		}
		at := s.rng.Float64() * to
		for range 2 + s.rng.IntN(6) {
			s.fan(c, at, uint64(1+s.rng.IntN(60)), 0.25, "")
			at += 20 + 20*s.rng.Float64()
		}
	}
}

// fan opens a post and may like it.
func (s *script) fan(c *client, sec float64, post uint64, likes float64, truth string) {
	s.read(c, sec, "post", 800_000+post*97, 0, truth)
	s.act(c, sec+1, "views", post, truth)
	if s.rng.Float64() < likes {
		s.act(c, sec+5, "like", post, truth)
	}
}

func (s *script) act(c *client, sec float64, api string, post uint64, truth string) {
	s.send(c, sec, api, truth, func(ev *scripted) {
		ev.Object = 800_000 + post*97
		ev.obs.ParamShape = c.shape
	})
}

// TestFakeEngagement: likes and views on one post or a few, by one tool, by
// what looks like everybody's browser, and by accounts in a ring.
func TestFakeEngagement(t *testing.T) {
	for _, how := range []string{"one tool", "browsers", "views of browsers", "one network", "three posts", "opens first"} {
		t.Run(how, func(t *testing.T) {
			for seed := range uint64(seeds) {
				s := newScript(seed)
				s.crowd(20, 0, 3000)
				s.stages(150, 3000)
				tool := s.tool(ip4(1, 1, 1, 1))
				n, gap := 120, 15.0
				for i := range n {
					c := *tool
					switch how {
					case "browsers", "views of browsers":
						c = *s.browser(c.ip)
					case "one tool", "opens first":
						c.tool = how == "opens first"
					case "one network":
						c = *s.browser(c.ip)
					}
					c.ip = ip4(60+i%100, i, 3, 9)
					if how == "one network" {
						c.ip = ip4(60, 4, i%3, 1+i)
					}
					api, post := "like", uint64(7)
					switch how {
					case "views of browsers":
						api = "views"
					case "three posts":
						post += uint64(i % 3)
					}
					at := 100 + float64(i)*gap*(0.8+0.4*s.rng.Float64())
					if how == "opens first" {
						s.read(&c, at-8, "post", 800_000+post*97, 0, "fake")
					}
					c.credential, c.principal = 900_000+uint64(i), 910_000+uint64(i)
					s.act(&c, at, api, post, "fake")
				}
				r := s.run(t)
				r.innocent(t)
				if how == "opens first" {
					r.found(t, "fake", 0.45, taxonomy.AttackFakeEngagement) // the acts, not the reading
				} else {
					r.found(t, "fake", 0.95, taxonomy.AttackFakeEngagement)
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// TestRing: accounts that like the same posts of many clients, each post too
// few times to stand out.
func TestRing(t *testing.T) {
	for seed := range uint64(seeds) {
		s := newScript(seed)
		s.crowd(20, 0, 20_000)
		s.stages(150, 20_000)
		for i := range 14 {
			for k := range 12 {
				c := s.browser(ip4(60+i, k, 3, 9))
				c.credential, c.principal = 900_000+uint64(i), 910_000+uint64(i)
				if s.rng.IntN(10) > 0 {
					s.act(c, 100+float64(k)*1500+400*s.rng.Float64(), "like", uint64(100+k), "ring")
				}
			}
		}
		r := s.run(t)
		r.innocent(t)
		r.found(t, "ring", 0.95, taxonomy.AttackFakeEngagement)
	}
}

// TestOneFan: one who presses again and again, by program.
func TestOneFan(t *testing.T) {
	for seed := range uint64(seeds) {
		s := newScript(seed)
		s.stages(150, 3000)
		c := s.tool(ip4(45, 9, 1, 7))
		for i := range 400 {
			s.act(c, 100+float64(i)*6, "views", 7, "fake")
		}
		r := s.run(t)
		r.innocent(t)
		r.found(t, "fake", 0.95, taxonomy.AttackFakeEngagement)
	}
}

// TestVirality: real attention, of every kind.
func TestVirality(t *testing.T) {
	quiet := func(name string, f func(s *script)) {
		t.Run(name, func(t *testing.T) {
			calm(t, func(s *script) {
				s.stages(150, 3000)
				f(s)
			})
		})
	}
	quiet("everybody", func(s *script) {
		for i := range 300 {
			s.fan(s.browser(s.home(6000+i)), 100+float64(i)*6, 7, 0.4, "")
		}
	})
	quiet("shared within one app", func(s *script) {
		app := *s.browser(s.home(1))
		app.header, app.cohort, app.agent, app.shape, app.family = 7001, 7002, 7003, 7004, "messenger"
		for i := range 300 {
			c := app
			c.ip = s.home(6000 + i)
			s.fan(&c, 100+float64(i)*6, 7, 0.4, "")
		}
	})
	quiet("campus", func(s *script) {
		for i := range 120 {
			s.fan(s.browser(ip4(77, 1, 1, 1)), 100+float64(i)*6, 7, 0.6, "")
		}
	})
	quiet("fan club", func(s *script) {
		for i := range 30 {
			c := s.browser(s.home(6000 + i))
			c.credential, c.principal = 900_000+uint64(i), 910_000+uint64(i)
			for k := range 8 {
				if s.rng.IntN(8) > 0 {
					s.fan(c, 100+float64(k)*300+200*s.rng.Float64(), uint64(100+k), 0.95, "")
				}
			}
		}
	})
	quiet("nobody opens anything here", func(s *script) {
		for i := range 400 { // a wall of posts: one likes from the list
			s.act(s.browser(s.home(6000+i)), 100+float64(i)*6, "vote", uint64(s.rng.IntN(12)*s.rng.IntN(2)), "")
		}
	})
	quiet("offered by a list", func(s *script) {
		for i := range 200 {
			c := s.browser(s.home(6000 + i))
			s.send(c, 100+float64(i)*6, "list", "", func(ev *scripted) {
				ev.obs.Leaves = []observe.Leaf{{Path: "data[].id", Token: 800_000 + 7*97}}
			})
			s.act(c, 104+float64(i)*6, "like", 7, "")
		}
	})
	quiet("left running", func(s *script) {
		for i := range 8 {
			c := s.browser(s.home(6000 + i))
			s.fan(c, 50, 7, 0, "")
			for k := range 60 {
				s.act(c, 100+float64(k)*30, "views", 7, "")
			}
		}
	})
}
