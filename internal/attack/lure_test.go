package attack

import (
	"fmt"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// sweepOf lets a client ask for paths that are not there, and for a decoy at
// the given place in its order.
func (s *script) sweepOf(c *client, at float64, n, decoy int) {
	for i := range n {
		s.send(c, at+float64(i)*2, "", "sweep", func(ev *scripted) {
			ev.Outcome, ev.obs.Status = catalog.OutcomeNotFound, 404
			ev.obs.Segments = []observe.Segment{{Text: fmt.Sprintf("old%d", i)}}
			if i == decoy {
				ev.Outcome, ev.obs.Status, ev.Lure = catalog.OutcomeSuccess, 200, taxonomy.AttackVulnerabilityScan
			}
		})
	}
}

// TestFirstTouchLabelsTheSweep: one touch is enough, for what came before it, for
// what comes after it, and from whatever address; nobody else is touched.
func TestFirstTouchLabelsTheSweep(t *testing.T) {
	for seed := range uint64(10) {
		s := newScript(seed)
		s.crowd(40, 0, 900)
		s.nat(ip4(77, 1, 1, 1), 12, 500, 0, 900)
		tool := s.tool(ip4(45, 9, 1, 7))
		s.sweepOf(tool, 100, 4, 3)
		other := *tool
		other.ip = ip4(45, 9, 2, 8)
		s.sweepOf(&other, 130, 3, -1)
		r := s.run(t)
		r.found(t, "sweep", 1, taxonomy.AttackVulnerabilityScan)
		r.innocent(t)
		if len(r.findings) != 1 || r.findings[0].Requests != 7 || r.findings[0].IPCount != 2 {
			t.Fatalf("seed %d\n%s", seed, r)
		}
	}
}

// TestTouchByAClientThatPeopleHave: the address alone is labelled.
func TestTouchByAClientThatPeopleHave(t *testing.T) {
	for seed := range uint64(10) {
		s := newScript(seed)
		s.crowd(60, 0, 600)
		c := s.browser(ip4(45, 9, 1, 7))
		s.sweepOf(c, 700, 5, 2)
		r := s.run(t)
		r.found(t, "sweep", 1, taxonomy.AttackVulnerabilityScan)
		r.innocent(t)
	}
}

func TestMoreTouchesConfirm(t *testing.T) {
	s := newScript(3)
	s.crowd(40, 0, 900)
	c := s.tool(ip4(45, 9, 1, 7))
	for i := range 12 {
		s.sweepOf(c, 100+float64(i)*20, 3, 1+i%2)
	}
	r := s.run(t)
	r.innocent(t)
	for _, f := range r.findings {
		if f.Verdict != taxonomy.Confirmed || f.Reason.Zh == "" || f.Reason.En == "" {
			t.Errorf("%s", r)
		}
	}
	if len(r.findings) != 1 {
		t.Errorf("%d findings\n%s", len(r.findings), r)
	}
}

// gangOn lets a gang stuff credentials at a site from one address each, as
// rotating pools do, until the engine is sure, and gives how many probes that
// took.
func gangOn(t *testing.T, seed uint64, known *indicator.Snapshot, whole bool) (probes int, f *Finding) {
	t.Helper()
	s := newScript(seed)
	s.oracle = true
	s.crowd(60, 0, 2000)
	for i := range 400 {
		c := s.tool(ip4(45, 9, 1, 7))
		c.ip, c.header, c.cohort, c.agent, c.shape = s.home(5000+i), 31337, 31338, 31339, 31340
		s.login(c, 60+float64(i)*4, 7_000_000+uint64(i)*31, s.rng.Uint64(), "wrong", "gang")
	}
	s.sortEvents()
	e := New(Config{Messages: messages(t), Site: "shop"})
	for _, ev := range s.events {
		if known != nil {
			ev.Known = known.Look(&indicator.Asker{Client: ev.Who.Client, Headers: ev.obs.HeaderOrder, Structure: ev.obs.ParamShape}, ev.obs.End)
			if ev.truth == "" && ev.Known != (indicator.Known{}) {
				t.Fatalf("an honest request is known: %+v", ev.Known)
			}
		}
		e.Observe(&ev.Event)
		if ev.truth == "" || whole {
			continue
		}
		probes++
		for _, f := range e.Findings(nil) {
			if f.Verdict >= taxonomy.Likely && f.Selector.Match(&ev.Event) {
				return probes, &f
			}
		}
	}
	for _, f := range e.Findings(nil) {
		if whole && f.Verdict == taxonomy.Confirmed {
			return probes, &f
		}
	}
	return probes, nil
}

// TestGangIsKnownOnTheNextSite: what site A found of a tool lets site B be sure
// of it earlier, with none of A's addresses.
func TestGangIsKnownOnTheNextSite(t *testing.T) {
	_, first := gangOn(t, 1, nil, true)
	if first == nil {
		t.Fatal("site A never finds the gang")
	}
	a := indicator.Attack{ID: first.ID, Kind: string(first.Kind), First: first.First, Last: first.Last, Requests: first.Requests}
	for _, m := range first.Marks {
		v := m.Text
		if v == "" {
			v = fmt.Sprintf("%016x", m.Value)
		}
		a.Traits = append(a.Traits, indicator.Trait{Key: m.Key, Value: v, Share: m.Share, Others: m.Others, Of: m.Of})
	}
	rows := indicator.Derive([]indicator.Attack{a}, indicator.World{})
	set, err := (*indicator.Set)(nil).With(indicator.Source{Name: "own", Role: indicator.Own, Reliability: 0.95}, rows, first.Last)
	if err != nil {
		t.Fatal(err)
	}
	data, err := set.Snapshot(first.Last)
	if err != nil {
		t.Fatal(err)
	}
	known, err := indicator.ParseSnapshot(data)
	if err != nil || known.Len() == 0 {
		t.Fatalf("%v, %d hits of %d", err, known.Len(), len(rows))
	}
	saved, cold := 0, 0
	for seed := uint64(20); seed < 26; seed++ {
		without, f := gangOn(t, seed, nil, false)
		if f == nil {
			t.Fatalf("seed %d: never found", seed)
		}
		with, f := gangOn(t, seed, known, false)
		if f == nil || with > without {
			t.Fatalf("seed %d: %d probes with intelligence, %d without", seed, with, without)
		}
		saved, cold = saved+without-with, cold+without
	}
	t.Logf("site B needs %d probes over six plays instead of %d: %d saved", cold-saved, cold, saved)
	if saved*10 < cold {
		t.Errorf("%d of %d probes saved: that is no use", saved, cold)
	}
}

// TestIntelligenceAloneAccusesNobody: honest people whose addresses and clients
// are on a list, as after a poisoned feed, stay honest.
func TestIntelligenceAloneAccusesNobody(t *testing.T) {
	for seed := range uint64(5) {
		s := newScript(seed)
		s.crowd(60, 0, 1500)
		for _, ev := range s.events {
			ev.Known = indicator.Known{Source: 1, Means: 1}
		}
		r := s.run(t)
		r.innocent(t)
	}
}
