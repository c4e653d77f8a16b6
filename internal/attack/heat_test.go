package attack

import (
	"testing"

	"xiezhi/internal/taxonomy"
)

// TestFoundWhileUnderWay: beside the sign-ins of a busy public, one new tool
// that tries an account from each address is found within fifty attempts,
// and not when as much has come as the windows held.
func TestFoundWhileUnderWay(t *testing.T) {
	s := newScript(1)
	for i := range 24_000 {
		c, at := s.browser(s.home(i)), float64(i)*0.5
		if i%3 == 0 {
			s.login(c, at, uint64(1_000_000+i), c.password+1, "wrong", "")
		}
		s.login(c, at+4, uint64(1_000_000+i), c.password, "ok", "")
		s.send(c, at+6, "me", "", nil)
	}
	tool := s.browser(ip4(61, 7, 10, 1))
	tool.cohort, tool.header, tool.agent, tool.shape = 9_000, 9_000, 9_100, 9_200
	for i := range 200 {
		c := *tool
		c.ip = ip4(61, 7+i%50, 10+i, 1+i%200)
		s.login(&c, 9_000+float64(i)*10, 5_000_000+uint64(i*7919), 90_000+uint64(i), "wrong", "stuff")
	}
	s.sortEvents()
	e := New(Config{Messages: messages(t), Site: "shop"})
	tried, at := 0, 0
	for _, ev := range s.events {
		e.Observe(&ev.Event)
		if ev.truth == "" {
			continue
		}
		tried++
		for _, ep := range e.book.eps {
			if at == 0 && ep.score >= scoreLikely && ep.kind == taxonomy.AttackCredentialStuffing {
				at = tried
			}
		}
	}
	if at == 0 || at > 50 {
		t.Errorf("known after %d of %d attempts, want at most 50", at, tried)
	}
	r := s.score(e, e.Findings(nil))
	r.innocent(t)
	r.found(t, "stuff", 0.95, taxonomy.AttackCredentialStuffing)
}

// TestUsualKeysAreNotHot: what always makes up its share of what looks like
// abuse is nothing new, however much of it there is.
func TestUsualKeysAreNotHot(t *testing.T) {
	h := &heat{}
	now, hot := int64(0), 0
	common, rare := &cell{}, &cell{}
	common.cohort, rare.cohort = 1, 2
	for i := range 4000 {
		now += 10e9
		if h.see(common, i%3 == 0, now) {
			hot++
		}
	}
	if hot > 0 || !h.warm() {
		t.Fatalf("%d looks for the cohort that everybody has, warm %v", hot, h.warm())
	}
	first := 0
	for i := range 40 {
		now += 10e9
		h.see(common, i%3 == 0, now)
		if h.see(rare, true, now) && first == 0 {
			first = i + 1
		}
	}
	if first == 0 || first > heatFirst {
		t.Errorf("a new cohort was hot after %d requests, want at most %d", first, heatFirst)
	}
	for range 200_000 { // far more within an epoch than a slot counts to
		h.see(rare, true, now)
	}
	accused := &cell{accused: true}
	accused.cohort = 3
	for range 100 {
		if h.see(accused, true, now) {
			t.Fatal("what an attack owns already is no news")
		}
	}
}
