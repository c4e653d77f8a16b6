package attack

import (
	"testing"

	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// pageOf reads a page of a list, by a parameter that a sensor may not see.
func (s *script) pageOf(c *client, sec float64, page uint64, seen bool, truth string) {
	s.send(c, sec, "list", truth, func(ev *scripted) {
		ev.obs.RespBytes = 2000 + mix64(page)%3000
		if seen {
			ev.obs.Params = []observe.Param{{Name: "page", Token: page, In: observe.InQuery}}
		}
	})
}

// browse is what visitors of a catalogue do.
func (s *script) browse(n int) {
	for i := range n {
		c := s.browser(s.home(600 + i))
		at := s.rng.Float64() * 900
		for range 1 + s.rng.IntN(8) {
			s.pageOf(c, at, 1+uint64(s.rng.IntN(4)), true, "")
			at += 3 + s.rng.ExpFloat64()*15
		}
	}
}

func TestVolume(t *testing.T) {
	for name, seen := range map[string]bool{"pages": true, "bodies not recorded": false} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *script) {
				s.browse(40)
				c := s.browser(ip4(45, 9, 1, 7))
				gap := 0.3 + s.rng.Float64()
				for i := range 400 {
					s.pageOf(c, 60+float64(i)*gap, uint64(i+1), seen, "scrape")
				}
				r := s.run(t)
				r.found(t, "scrape", 0.9, taxonomy.AttackScraping)
				r.innocent(t)
			})
		})
	}
}

func TestHonestVolume(t *testing.T) {
	t.Run("a screen that polls", func(t *testing.T) {
		calm(t, func(s *script) {
			s.browse(40)
			c := s.browser(ip4(101, 77, 1, 1))
			for i := range 500 {
				s.pageOf(c, 60+float64(i)*2, uint64(1+i/50), i%2 == 0, "")
			}
		})
	})
	t.Run("a person who reads on and on", func(t *testing.T) {
		calm(t, func(s *script) {
			s.browse(40)
			c := s.browser(ip4(101, 77, 1, 1))
			at := 60.0
			for i := range 150 {
				s.pageOf(c, at, uint64(i+1), true, "")
				at += 4 + s.rng.ExpFloat64()*14
			}
		})
	})
	t.Run("a school behind one address", func(t *testing.T) {
		calm(t, func(s *script) {
			s.browse(40)
			s.nat(ip4(101, 77, 1, 1), 60, 700, 60, 600)
		})
	})
	t.Run("a declared search engine", func(t *testing.T) {
		calm(t, func(s *script) {
			s.browse(40)
			bot := s.tool(ip4(66, 249, 70, 1))
			bot.family = "search-bot"
			for i := range 400 {
				s.pageOf(bot, 60+float64(i)*1.5, uint64(i+1), true, "")
			}
		})
	})
	t.Run("an API that few ask", func(t *testing.T) {
		calm(t, func(s *script) {
			c := s.tool(ip4(47, 7, 1, 1))
			s.api("stock", "GET", "/stock/list", taxonomy.RoleList)
			for i := range 400 {
				s.send(c, 60+float64(i)*0.8, "stock", "", func(ev *scripted) { ev.obs.RespBytes = 2000 + mix64(uint64(i))%3000 })
			}
		})
	})
}
