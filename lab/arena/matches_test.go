package arena_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"xiezhi/internal/taxonomy"
	"xiezhi/lab/arena"
	"xiezhi/lab/arena/knob"
)

// TestBoardCoversEverything asks for every kind at every difficulty, and for
// every family and event.
func TestBoardCoversEverything(t *testing.T) {
	ms := arena.Matches(arena.Seeds(30))
	cells, families, events, campaigns, wide, chains := map[string]int{}, map[string]int{}, map[string]int{}, 0, 0, 0
	for i := range ms {
		m := &ms[i]
		if err := m.Check(); err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		if n := len(m.Sites); n < 2 {
			t.Errorf("%s has %d sites", m.Name, n)
		}
		for _, c := range m.Campaigns {
			campaigns++
			families[c.Family]++
			cells[string(c.Moves[0].Kind)+" "+string(c.Difficulty)]++
			for _, v := range c.Moves[1:] {
				if v.Site != c.Moves[0].Site {
					wide++
				}
				if v.Kind != c.Moves[0].Kind {
					chains++
				}
			}
		}
		for _, e := range m.Spec.Events {
			events[e.Name]++
		}
	}
	if campaigns < 150 {
		t.Errorf("%d campaigns", campaigns)
	}
	for k := range taxonomy.ScenarioOf {
		for _, d := range knob.Difficulties {
			if n := cells[string(k)+" "+string(d)]; n < 2 {
				t.Errorf("%s %s: %d campaigns", k, d, n)
			}
		}
	}
	for _, f := range arena.Families() {
		if families[f] < 4 {
			t.Errorf("family %s: %d campaigns", f, families[f])
		}
	}
	for _, e := range arena.EventNames {
		if events[e] < 2 {
			t.Errorf("event %s: %d times", e, events[e])
		}
	}
	if wide < 15 || chains < 5 {
		t.Errorf("%d moves at other sites, %d of another kind", wide, chains)
	}
	if len(arena.Kinds()) != len(taxonomy.ScenarioOf) {
		t.Errorf("%d kinds, the taxonomy has %d", len(arena.Kinds()), len(taxonomy.ScenarioOf))
	}
}

func TestSameSeedsSameMatches(t *testing.T) {
	a, b := arena.Matches(arena.Seeds(12)), arena.Matches(arena.Seeds(12))
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seeds gave different matches")
	}
	raw, err := json.Marshal(a[3])
	if err != nil {
		t.Fatal(err)
	}
	var m arena.Match
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(m); string(again) != string(raw) {
		t.Errorf("a match does not survive its JSON:\n%s\n%s", raw, again)
	}
}

func TestMistakesOfMatchesAreNamed(t *testing.T) {
	for want, spoil := range map[string]func(*arena.Match){
		"sites: 0 is not between 1 and 16":              func(m *arena.Match) { m.Sites = nil },
		"days: 99 is not between 1 and 14":              func(m *arena.Match) { m.Days = 99 },
		"warm_h: 400 leaves nothing of 4 days":          func(m *arena.Match) { m.Warm = 400 },
		`sensor: "" is unknown`:                         func(m *arena.Match) { m.Sensor = "" },
		"campaign x: overlap: 2 is not between 0 and 1": func(m *arena.Match) { m.Campaigns[0].ID = "x"; m.Campaigns[0].Knobs.Overlap = 2 },
		"campaign x: no site 40":                        func(m *arena.Match) { m.Campaigns[0].ID = "x"; m.Campaigns[0].Moves[0].Site = 40 },
		`campaigns[1]: id "x" is empty or taken`:        func(m *arena.Match) { m.Campaigns[0].ID, m.Campaigns[1].ID = "x", "x" },
		"events[0]: hour 99 is not in the match":        func(m *arena.Match) { m.Spec.Events = []arena.Event{{Name: "outage", At: 99}} },
	} {
		m := arena.Matches([]uint64{1})[0]
		spoil(&m)
		if err := m.Check(); err == nil || err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
