package report_test

import (
	"strings"
	"testing"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/rules"
)

// TestLivesInTheReport: what is closed is listed apart, with who said so; what
// is being proven says how far; both fit the schema.
func TestLivesInTheReport(t *testing.T) {
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	text := message.Text{Zh: "原因", En: "reason"}
	r := empty()
	r.Input.Exchanges, r.Input.Analysed, r.Input.First, r.Input.Last = 1, 1, &now, &now
	made := func(kind, class, status, severity string, l *report.Life) report.Defect {
		return report.Defect{ID: "0123456789abcde" + severity[:1], Kind: kind, Class: class, Severity: severity, Harm: severity, Exploitability: severity, Prevalence: severity,
			Status: status, FirstSeen: now, LastSeen: now, Evidence: []report.Evidence{}, Reason: text, Advice: text, Rating: text, OWASP: []string{}, CWE: []string{}, ExploitedBy: []string{}, Life: l}
	}
	step := []report.Step{{Time: now, Status: "confirmed", Text: text}}
	r.Defects = []report.Defect{
		made("bola", "unauthorized_access", "verifying", "elevated", &report.Life{History: step, Progress: &report.Progress{Since: now, Claimed: true, Requests: 12, Needed: 41, Hours: 3, HoursNeeded: 9, Days: 2.5, DaysNeeded: 7}}),
		made("cors", "misconfiguration", "accepted_risk", "critical", &report.Life{History: step, Decision: &report.Decision{By: "wang", Reason: "old\x1b[2J devices", Expires: &now}}),
	}
	report.Order(r)
	if r.Defects[0].Kind != "bola" || len(r.Open()) != 1 {
		t.Errorf("%s stands first, %d are open", r.Defects[0].Kind, len(r.Open()))
	}
	r.Statistics = report.Count(r)
	if n := r.Statistics.DefectsByClass["misconfiguration"]; n != 0 {
		t.Errorf("an accepted risk is counted %d times", n)
	}
	if err := validate(t, compiled(t), r); err != nil {
		t.Error(err)
	}
	for lang, want := range map[string][]string{"zh": {"发现 1 个缺陷", "12/41", "2/7 天", "已了结的缺陷（1）", "接受风险", "wang"}, "en": {"1 defects", "12 of 41", "2 of 7 days", "Closed defects (1)", "accepted risk", "wang"}} {
		var b strings.Builder
		if err := report.Terminal(&b, r, report.TerminalConfig{Lang: lang, Messages: msgs}); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s: no %q in\n%s", lang, w, b.String())
			}
		}
		if strings.Contains(b.String(), "\x1b") {
			t.Errorf("%s: a reason is not inert", lang)
		}
	}
}
