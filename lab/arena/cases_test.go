package arena_test

import (
	"testing"
	"time"

	"xiezhi/lab/arena"
	"xiezhi/lab/stage"
)

// TestCasesAreTheReports looks at what makes each case what it is.
func TestCasesAreTheReports(t *testing.T) {
	for i, m := range arena.Cases(7) {
		if m.Name != arena.CaseNames[i] {
			t.Errorf("case %d is %s", i, m.Name)
		}
		if err := m.Check(); err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		sites, perSite, prints, n := map[string]map[string]bool{}, map[string]int{}, map[string]map[string]bool{}, 0
		plates := map[string]map[string]time.Time{}
		tr := play(t, m, func(e *stage.Event) {
			n++
			l := e.Label
			if l.Attack == "" {
				return
			}
			if sites[l.Campaign] == nil {
				sites[l.Campaign], prints[l.Campaign] = map[string]bool{}, map[string]bool{}
			}
			sites[l.Campaign][e.App.Name] = true
			perSite[e.App.Name]++
			prints[l.Campaign][string(e.Exchange.JA4)] = true
			if e.API.Name == "fee" {
				key := string(e.Exchange.Target) + string(e.Exchange.Request.Body)
				if plates[e.App.Name] == nil {
					plates[e.App.Name] = map[string]time.Time{}
				}
				plates[e.App.Name][key] = time.Unix(0, e.Exchange.Start)
			}
		})
		if n < 15_000 || n > 65_000 {
			t.Errorf("%s: %d exchanges", m.Name, n)
		}
		for _, c := range m.Campaigns {
			if len(sites[c.ID]) != len(c.Moves) {
				t.Errorf("%s: %s at %d of %d sites", m.Name, c.ID, len(sites[c.ID]), len(c.Moves))
			}
		}
		gained := uint64(0)
		for _, a := range tr.Attacks {
			gained += a.Gained
		}
		if gained == 0 {
			t.Errorf("%s: nobody gained anything", m.Name)
		}
		switch m.Name {
		case "case-government":
			if c := m.Campaigns[0]; len(sites[c.ID]) != 5 || len(prints[c.ID]) != 1 {
				t.Errorf("the gang works at %d sites with %d handshakes", len(sites[c.ID]), len(prints[c.ID]))
			}
		case "case-parking":
			if len(plates) != 10 {
				t.Errorf("plates are asked for at %d car parks", len(plates))
			}
			for s, n := range perSite {
				if n > 60 {
					t.Errorf("%d requests at %s: that is bulk", n, s)
				}
			}
		}
	}
	if _, err := arena.Find("case-parking", 3, 30); err != nil {
		t.Error(err)
	}
	if m, err := arena.Find("board-017", 1, 30); err != nil || m.Seed != 17 {
		t.Errorf("%v %v", m.Seed, err)
	}
	if _, err := arena.Find("board-999", 1, 30); err == nil {
		t.Error("a match that is none was found")
	}
}
