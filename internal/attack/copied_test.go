package attack

import (
	"testing"

	"xiezhi/internal/taxonomy"
)

// scriptedVisit plays one account through the business: sign in, list, read,
// order. pause gives the seconds before each step.
func (s *script) scriptedVisit(c *client, account uint64, at float64, truth string, pause func(step int) float64) {
	s.login(c, at, account, account+7, "ok", truth) // and shows then what it was given
	at += pause(0)
	s.send(c, at, "list", truth, nil)
	at += pause(1)
	s.read(c, at, "news", uint64(s.rng.IntN(4)+1), 0, truth)
	at += pause(2)
	s.send(c, at, "create", truth, nil)
}

func TestCopiedScript(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		accounts := 20 + s.rng.IntN(60)
		addresses := 1 + s.rng.IntN(accounts)
		bot := s.tool(s.home(9000))
		bot.tool = false
		jitter := s.rng.Float64() * 0.25
		tempo := []float64{0.6 + s.rng.Float64()*4, 0.6 + s.rng.Float64()*8, 0.6 + s.rng.Float64()*3}
		every := 2 + s.rng.Float64()*60
		for i := range accounts {
			c := *bot
			c.ip = ip4(45, 9, 1+i%addresses/200, 1+i%addresses%200)
			s.scriptedVisit(&c, 7_000_000+uint64(i), 20+every*float64(i)*(0.7+0.6*s.rng.Float64()), "bot", func(k int) float64 {
				return tempo[k] * (1 + jitter*(2*s.rng.Float64()-1))
			})
		}
		r := s.run(t)
		r.found(t, "bot", 0.9, taxonomy.AttackBot)
		r.innocent(t)
	})
}

// TestCopiedScriptAtOnce: one machine plays many accounts at a time, so that what
// follows one another at its address are steps of several.
func TestCopiedScriptAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		bot := s.tool(ip4(45, 9, 1, 7))
		tempo := []float64{0.8 + s.rng.Float64()*4, 0.8 + s.rng.Float64()*8, 0.8 + s.rng.Float64()*3}
		for i := range 40 + s.rng.IntN(40) {
			c := *bot
			s.scriptedVisit(&c, 7_000_000+uint64(i), 20+0.7*float64(i), "bot", func(k int) float64 { return tempo[k] })
		}
		r := s.run(t)
		r.found(t, "bot", 0.9, taxonomy.AttackBot)
		r.innocent(t)
	})
}

// Everybody who uses the same app from a campus signs in and goes the same way,
// but each at his own pace.
func TestSameWayAtOnesOwnPaceIsHonest(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		app := s.browser(ip4(202, 1, 1, 1))
		for i := range 80 {
			c := *app
			s.scriptedVisit(&c, 7_000_000+uint64(i), 20+30*float64(i), "", func(int) float64 { return 0.4 + s.rng.ExpFloat64()*6 })
		}
		s.run(t).innocent(t)
	})
}

// A page or an app goes on by itself after a fixed time, in every program.
func TestTimersOfTheSiteAreHonest(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		apps := []*client{s.browser(s.home(1)), s.browser(s.home(2))}
		apps[0].agent, apps[1].agent = 501, 502
		for i := range 120 {
			c := *apps[i%2]
			c.ip = s.home(100 + i)
			s.scriptedVisit(&c, 7_000_000+uint64(i), 20+20*float64(i), "", func(k int) float64 { return []float64{1, 3, 5}[k] })
		}
		s.run(t).innocent(t)
	})
}

// What a page loads at once tells nothing of who looks at it.
func TestLoadingAtOnceIsHonest(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		app := s.browser(s.home(1))
		for i := range 80 {
			c := *app
			c.ip = s.home(100 + i)
			s.scriptedVisit(&c, 7_000_000+uint64(i), 20+20*float64(i), "", func(k int) float64 {
				if k < 2 {
					return 0.05
				}
				return 1 + s.rng.ExpFloat64()*9
			})
		}
		s.run(t).innocent(t)
	})
}

// One account that a program plays every few minutes is somebody's automation.
func TestAutomationOfOneAccountIsHonest(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		c := s.tool(s.home(1))
		for i := range 100 {
			s.scriptedVisit(c, 7_000_000, 20+120*float64(i), "", func(k int) float64 { return 1.5 })
		}
		s.run(t).innocent(t)
	})
}
