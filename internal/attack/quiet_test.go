package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// Attacks on sites where hardly anybody is about: nobody to be compared with,
// and long silences.

// TestFewAddresses: bombing from four addresses of which each alone sends few
// codes to a number.
func TestFewAddresses(t *testing.T) {
	for seed := range uint64(3) {
		s := newScript(seed)
		s.telephony()
		s.crowd(20, 0, 3600)
		tool := s.tool(ip4(45, 9, 1, 7))
		for i := range 340 {
			c := *tool
			c.ip = ip4(45, 9, 1, 10+s.rng.IntN(4))
			s.ask(&c, 60+float64(i)*9+s.rng.Float64()*6, "send", 13_800_001_234+uint64(s.rng.IntN(24))*3_333_333, "bomb")
		}
		r := s.run(t)
		r.exact(t, "bomb", taxonomy.AttackSMSAbuse)
		r.innocent(t)
	}
}

// TestFewAsk: four people behind one network have the code sent a few times.
func TestFewAsk(t *testing.T) {
	for seed := range uint64(3) {
		s := newScript(seed)
		s.telephony()
		s.crowd(20, 0, 3600)
		one := s.browser(ip4(45, 9, 1, 7))
		for i := range 4 {
			c := *one
			c.ip = ip4(45, 9, 1, 10+i)
			for k := range 6 {
				s.ask(&c, 60+float64(i)*300+float64(k)*70, "send", 13_800_001_234+uint64(i)*3_333_333, "")
			}
		}
		s.run(t).innocent(t)
	}
}

// TestSilenceAfterAttack: what belongs to an attack does not depend on how long
// nobody comes afterwards.
func TestSilenceAfterAttack(t *testing.T) {
	for _, hours := range []float64{1, 12, 30} {
		s := newScript(2)
		s.telephony()
		s.crowd(20, 0, 1800)
		tool := s.tool(ip4(45, 9, 1, 7))
		for i := range 420 {
			c := *tool
			c.ip = ip4(45, 9, 1, 10+i%7)
			s.ask(&c, 200_000+float64(i)*9, "send", 13_800_001_234+uint64(i%12)*3_333_333, "bomb")
		}
		later := 200_000 + 420*9 + hours*3600
		s.crowd(20, later, later+1800)
		r := s.run(t)
		r.exact(t, "bomb", taxonomy.AttackSMSAbuse)
		r.innocent(t)
	}
}

// TestTwoStructures: one number in six is written in another way, which makes another
// structure, and nobody else asks.
func TestTwoStructures(t *testing.T) {
	for seed := range uint64(3) {
		s := newScript(seed)
		s.apis["progress"] = &catalog.API{ID: "progress", Handle: catalog.Handle(len(s.apis) + 1), Site: "shop", Method: "GET", Template: "/apply/query", Role: taxonomy.RoleQueryProgress}
		s.crowd(10, 0, 9000)
		tool := s.tool(ip4(45, 9, 1, 7))
		for i := range 500 {
			c := *tool
			c.tool = false // it says it is a browser
			c.ip = ip4(60+s.rng.IntN(100), i/2%250, i%7, i%250)
			if s.rng.IntN(6) == 0 {
				c.shape++
			}
			s.query(&c, 60+float64(i)*17+s.rng.Float64()*9, 7_000_000+uint64(i)*31, i%4 == 0, "lookups")
		}
		r := s.run(t)
		r.exact(t, "lookups", taxonomy.AttackTargetedLookup)
		r.innocent(t)
	}
}

// TestFloodOnQuietDay: the visitors of the day before say that the site has
// some.
func TestFloodOnQuietDay(t *testing.T) {
	flood := func(before int) *result {
		s := newScript(5)
		s.crowd(before, 0, 1800)
		c := s.tool(ip4(45, 9, 1, 7))
		for i := range 1200 {
			c.ip = ip4(45, 9, 1, i%10)
			s.send(c, 200_000+float64(i)*0.045, "list", "flood", nil)
		}
		return s.run(t)
	}
	flood(80).exact(t, "flood", taxonomy.AttackFlood)
	if r := flood(0); len(r.findings) > 0 {
		t.Errorf("a site that nobody else has ever visited may be under test\n%s", r)
	}
}

// TestReadingMoreThanAnybody: a catalogue read in order by one who reads many
// times more than others and does nothing else.
func TestReadingMoreThanAnybody(t *testing.T) {
	for seed := range uint64(3) {
		s := newScript(seed)
		s.crowd(50, 0, 1500)
		c := s.browser(ip4(45, 9, 1, 7))
		id := uint64(5000)
		for i := range 300 {
			id += 1 + uint64(s.rng.IntN(3))
			s.read(c, 60+float64(i)*4+s.rng.Float64()*3, "news", id, 0, "parts")
		}
		r := s.run(t)
		if f := r.exact(t, "parts", taxonomy.AttackScraping); f.Verdict != taxonomy.Confirmed {
			t.Errorf("%s\n%s", f.Verdict, r)
		}
		r.innocent(t)
	}
}

// TestSuccessAtNight: the guess that succeeded belongs to the attack though
// hardly anybody is about to be compared with.
func TestSuccessAtNight(t *testing.T) {
	for seed := range uint64(3) {
		s := newScript(seed)
		s.crowd(20, 0, 1800)
		tool := s.browser(ip4(45, 9, 1, 7))
		tool.header, tool.cohort, tool.agent, tool.shape = 10_001, 11_001, 12_001, 13_001
		for i := range 300 {
			c := *tool
			c.ip = ip4(60+s.rng.IntN(100), i/2%250, i%7, i%250)
			s.login(&c, 200_000+float64(i)*30, 5_000_000+uint64(i), 90_000+uint64(i), []string{"wrong", "ok"}[max(0, 1-i%60)], "x")
		}
		r := s.run(t)
		r.exact(t, "x", taxonomy.AttackCredentialStuffing)
		r.innocent(t)
	}
}

// TestReadingMoreThanBefore: nobody else reads that day, but it is known how
// much people do.
func TestReadingMoreThanBefore(t *testing.T) {
	read := func(before, each int) *result {
		s := newScript(3)
		for i := range before {
			c := s.browser(s.home(i))
			for k := range each {
				s.read(c, float64(i)*40+float64(k)*9+s.rng.Float64()*8, "news", uint64(s.rng.IntN(4000)), 0, "")
			}
		}
		for i := range 20 { // about, but not reading
			c := s.browser(s.home(500 + i))
			for k := range 4 {
				s.login(c, 200_000+float64(i)*60+float64(k)*4, 2_000_000+uint64(i), c.password, "ok", "")
				s.send(c, 200_002+float64(i)*60+float64(k)*4, "me", "", nil)
			}
		}
		c := s.browser(ip4(45, 9, 1, 7))
		id := uint64(5000)
		for i := range 300 {
			id += 1 + uint64(s.rng.IntN(3))
			s.read(c, 200_060+float64(i)*4+s.rng.Float64()*3.9, "news", id, 0, "parts")
		}
		return s.run(t)
	}
	verdict := func(r *result) taxonomy.Verdict {
		r.innocent(t)
		return r.exact(t, "parts", taxonomy.AttackScraping).Verdict
	}
	if r := read(60, 4); verdict(r) != taxonomy.Confirmed {
		t.Errorf("people read 4 objects, not confirmed\n%s", r)
	}
	if r := read(0, 0); verdict(r) == taxonomy.Confirmed {
		t.Errorf("nothing is known about others, confirmed\n%s", r)
	}
	if r := read(60, 90); verdict(r) == taxonomy.Confirmed {
		t.Errorf("people read 90 objects, confirmed\n%s", r)
	}
}

// TestTakingTurns: a handful of addresses that take turns at the same numbers
// are one bomber for certain, even where nobody else is about.
func TestTakingTurns(t *testing.T) {
	for seed := range uint64(3) {
		s := newScript(seed)
		s.telephony()
		s.crowd(4, 0, 3600)
		tool := s.tool(ip4(45, 9, 1, 7))
		for i := range 340 {
			c := *tool
			c.ip = ip4(45, 9, 1, 10+s.rng.IntN(4))
			s.ask(&c, 60+float64(i)*9+s.rng.Float64()*6, "send", 13_800_001_234+uint64((i/3)%24)*3_333_333, "bomb")
		}
		r := s.run(t)
		if f := r.exact(t, "bomb", taxonomy.AttackSMSAbuse); f.Verdict != taxonomy.Confirmed {
			t.Errorf("seed %d: %v\n%s", seed, f.Verdict, r)
		}
	}
}
