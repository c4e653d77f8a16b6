package attack

import (
	"strings"
	"testing"

	"xiezhi/internal/taxonomy"
)

// herdOfReaders adds addresses that read two orders each and nothing else.
func (s *script) herdOfReaders(n int, from float64, truth string) {
	tool := s.browser(ip4(61, 7, 10, 1))
	tool.cohort, tool.header, tool.agent = 9_000, 9_000, 9_100
	for i := range n {
		c := *tool
		c.ip = ip4(61, 7+i%50, 10+i, 1+i%200)
		for k := range 2 {
			s.read(&c, from+float64(i)*7+float64(k), "detail", uint64(9_000_000+i*131+k*977), 77, truth)
		}
	}
}

func said(r *result, truth taxonomy.AttackKind, words string) bool {
	for _, f := range r.findings {
		for _, w := range f.Reasons {
			if f.Kind == truth && w.Family == taxonomy.FamilySequence && strings.Contains(w.Text.En, words) {
				return true
			}
		}
	}
	return false
}

// TestSkippedStepIsEvidence: people sign in before they read an order, a
// scraper with a stolen link does not.
func TestSkippedStepIsEvidence(t *testing.T) {
	s := newScript(1)
	s.crowd(250, 0, 1500)
	s.herdOfReaders(60, 1000, "herd")
	r := s.run(t)
	r.innocent(t)
	r.found(t, "herd", 0.9, taxonomy.AttackScraping, taxonomy.AttackBOLAExploitation)
	if !said(r, taxonomy.AttackScraping, "skip the step") && !said(r, taxonomy.AttackBOLAExploitation, "skip the step") {
		t.Errorf("no finding says that the login was skipped:\n%s", r)
	}
}

// TestLinksInMessagesAreNoSkippedStep: where half of the people come by a link
// that they were sent, to come so is no evidence.
func TestLinksInMessagesAreNoSkippedStep(t *testing.T) {
	s := newScript(1)
	s.crowd(250, 0, 1500)
	for i := range 250 {
		c := s.browser(s.home(1000 + i))
		s.read(c, float64(i)*5, "detail", uint64(i)*1000+3, 0, "")
	}
	s.herdOfReaders(60, 1000, "herd")
	r := s.run(t)
	if said(r, taxonomy.AttackScraping, "skip the step") || said(r, taxonomy.AttackBOLAExploitation, "skip the step") {
		t.Errorf("a step that half of the people skip was held against a herd:\n%s", r)
	}
}

// TestFlow: what is learned, session by session.
func TestFlow(t *testing.T) {
	x := newFlow()
	now := int64(1e18)
	visit := func(s *session, apis ...int32) (last came) {
		for _, i := range apis {
			now += 5e9
			last = x.step(s, i, now, true)
		}
		return last
	}
	for i := range 128 {
		path := []int32{1, 2, 3}
		if i%4 == 0 {
			path = []int32{2, 3}
		}
		visit(&session{}, path...)
	}
	if got := x.before[3]; got != 2 {
		t.Fatalf("API 3 comes after API %d, want 2", got)
	}
	if got := visit(&session{}, 3); got != cameDirect {
		t.Errorf("a session that begins with API 3 came %d, want direct", got)
	}
	if got := visit(&session{}, 2, 5, 3); got != cameUsual {
		t.Errorf("a session that had been at API 2 came %d, want as usual", got)
	}
	var s session
	visit(&s, 2, 3)
	if got := visit(&s, 3); got != cameUnknown {
		t.Errorf("a second visit came %d, want unknown", got)
	}
	now += burstGap + 1
	if got := visit(&s, 3); got != cameDirect {
		t.Errorf("after half an hour of silence a new session begins; got %d, want direct", got)
	}
	if got := visit(&session{}, flowAPIs, flowAPIs+5, 0, -1); got != cameUnknown {
		t.Errorf("APIs beyond the cap came %d, want unknown", got)
	}
	// People go round 1-2-3; going back and forth between 3 and 1 is strange.
	for range flowUsual + 50 {
		var p session
		visit(&p, 1, 2, 3, 1, 2, 3, 1, 2, 3)
		x.learn(&p)
	}
	var odd, usual session
	for range 5 {
		x.step(&odd, 3, now, false)
		x.step(&odd, 2, now, false)
	}
	visit(&usual, 1, 2, 3, 1, 2, 3, 1, 2, 3)
	if limit := x.odd(); binOf(&odd) < limit || binOf(&usual) >= limit {
		t.Errorf("surprise from bin %d on; the odd session has %d, the usual one %d", limit, binOf(&odd), binOf(&usual))
	}
}
