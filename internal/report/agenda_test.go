package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/message"
	"xiezhi/rules"
)

// TestAgenda ranks one of each.
func TestAgenda(t *testing.T) {
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	say := message.Text{Zh: "甲。", En: "A."}
	defect := func(id, severity, status string, by ...string) Defect {
		return Defect{ID: id, Kind: "bola", Severity: severity, Status: status, ExploitedBy: by, Reason: say, Advice: say, FirstSeen: now.Add(-time.Hour)}
	}
	attack := func(id, verdict string, requests, blocked, succeeded, people uint64, from, to time.Duration) Attack {
		return Attack{ID: id, Kind: "scraping", Verdict: verdict, Requests: requests, Blocked: blocked, Succeeded: succeeded, SubjectsExposed: people, FirstSeen: now.Add(-from), LastSeen: now.Add(-to),
			APIs: []string{"api"}, Reason: say, Action: Action{Kind: "block", Collateral: 0.002}, Through: []string{"d-used"}}
	}
	back := defect("d-back", "high", "regressed")
	back.Life = &Life{History: []Step{{Time: now.Add(-time.Minute), Status: "regressed"}}}
	w := Work{Now: now,
		Defects: []Defect{defect("d-plain", "high", "confirmed"), defect("d-used", "high", "confirmed", "a-old"), defect("d-worst", "critical", "confirmed"), back,
			defect("d-read", "high", "confirmed", "a-taken"), defect("d-guess", "critical", "candidate"), defect("d-shut", "critical", "fixed")},
		Attacks: []Attack{
			attack("a-taken", "confirmed", 100, 9, 5, 70, time.Hour, time.Minute), attack("a-tries", "confirmed", 100, 0, 0, 0, time.Hour, 0),
			attack("a-stopped", "confirmed", 100, 10, 5, 70, time.Hour, time.Minute), attack("a-unsure", "likely", 100, 0, 5, 70, time.Hour, 0),
			attack("a-over", "confirmed", 100, 0, 5, 70, 3*time.Hour, 61*time.Minute), attack("a-slow", "confirmed", 100, 0, 5, 8, 100*time.Hour, 9*time.Hour),
		},
		People:   map[string]uint64{"a-old": 3},
		Quality:  []QualityCount{{"encrypted_not_inspected", 7, "10.0.0.1:443"}, {"tls_decrypted", 9, ""}},
		Troubles: []Trouble{{"stream", true, now, say}, {"order", false, now, say}},
	}
	list := w.Agenda(msgs, 20)
	var got []string
	for _, x := range list {
		got = append(got, x.Kind+" "+x.ID)
		if x.Reason.Zh == "" || x.Reason.En == "" || x.Do.Zh == "" || x.Do.En == "" || strings.Contains(x.Do.En, "agenda.") {
			t.Errorf("%s says nothing: %+v", x.ID, x)
		}
	}
	want := []string{"attack a-taken", "attack a-slow", "defect d-worst", "source stream", "attack a-tries", "regression d-back", "defect d-read", "defect d-used", "defect d-plain",
		"source encrypted_not_inspected", "source order"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if x := list[0]; x.API != "api" || x.People != 70 || !x.Exploited || !strings.Contains(x.Do.En, "0.2%") || !strings.Contains(x.Do.En, "1 defect") {
		t.Errorf("%+v", x)
	}
	if x := list[5]; !x.Since.Equal(now.Add(-time.Minute)) || !strings.Contains(x.Reason.Zh, "再次出现") {
		t.Errorf("%+v", x)
	}
	if n := len(w.Agenda(msgs, 3)); n != 3 {
		t.Errorf("%d of 3", n)
	}
	if list := (&Work{}).Agenda(msgs, 20); len(list) != 0 {
		t.Errorf("nothing is to be done, and %d are listed", len(list))
	}
	// A report lists its open defects in the same order.
	r := Report{Defects: slices.Clone(w.Defects), Attacks: w.Attacks}
	Order(&r)
	var open, due []string
	for _, d := range r.Open() {
		if d.Status == "confirmed" {
			open = append(open, d.ID)
		}
	}
	for _, x := range list {
		if x.Kind == TodoDefect {
			due = append(due, x.ID)
		}
	}
	if !slices.Equal(open, due) {
		t.Errorf("the report has %q, the agenda %q", open, due)
	}
}
