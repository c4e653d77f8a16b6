package attack

import (
	"fmt"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// probe adds a request for a sensitive place.
func (s *script) probe(c *client, sec float64, place, rule int, truth string) {
	s.send(c, sec, "", truth, func(ev *scripted) {
		ev.obs.Status, ev.Outcome = 404, catalog.OutcomeNotFound
		ev.obs.Segments = []observe.Segment{{Text: fmt.Sprint("backup", place, ".sql")}}
		if rule >= 0 {
			ev.obs.Signatures = []observe.Signature{{Rule: fmt.Sprint("probe_files.r", rule), In: observe.InPath}}
		}
	})
}

// TestScatteredScan: every request of a scan has an address and a program of its
// own.
func TestScatteredScan(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		for i := range 60 {
			c := s.browser(s.home(3000 + i))
			c.header, c.cohort, c.agent = s.rng.Uint64(), s.rng.Uint64(), s.rng.Uint64()
			if s.rng.IntN(3) == 0 {
				s.read(c, 40+float64(i)*9, "news", uint64(s.rng.IntN(40)+1), 0, "cover")
			}
			s.probe(c, 41+float64(i)*9, i, i%9, "vuln")
		}
		r := s.run(t)
		r.found(t, "vuln", 0.95, taxonomy.AttackVulnerabilityScan)
		r.innocent(t)
	})
}

// Honest programs ask for what is not there, too.
func TestScatteredHonestMisses(t *testing.T) {
	t.Run("one place that everybody's client asks for", func(t *testing.T) {
		calm(t, func(s *script) {
			for i := range 80 {
				s.probe(s.browser(s.home(3000+i)), 40+float64(i)*9, 1, 1, "")
			}
		})
	})
	t.Run("links that went stale", func(t *testing.T) {
		calm(t, func(s *script) {
			for i := range 80 {
				s.probe(s.browser(s.home(3000+i)), 40+float64(i)*9, i, -1, "")
			}
		})
	})
	t.Run("texts that look like attacks and are taken", func(t *testing.T) {
		calm(t, func(s *script) {
			for i := range 60 {
				ev := s.read(s.browser(s.home(3000+i)), 40+float64(i)*9, "news", uint64(i), 0, "")
				ev.obs.Signatures = []observe.Signature{{Rule: fmt.Sprint("sqli.r", i%8), In: observe.InQuery}}
			}
		})
	})
}
