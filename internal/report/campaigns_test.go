package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/message"
	"xiezhi/rules"
)

// gangReport holds two attacks of one gang on two sites, one by somebody else,
// and a suspicion.
func gangReport(site string) *Report {
	r := &Report{Schema: SchemaID, Version: "test", Input: NewInput(), APIs: []API{}, Campaigns: []Campaign{},
		Sites:   []Site{{Name: site, Industry: "finance", TimeZone: "Asia/Shanghai"}, {Name: "b.example", Industry: "gaming", TimeZone: "UTC"}},
		Defects: []Defect{{ID: strings.Repeat("d", 24), Kind: "identity_oracle", Class: "revealing_errors"}}}
	marks := func(tool, list string) []Mark {
		return []Mark{{Key: "header_order", Value: tool, Share: 1, Of: 900}, {Key: "account", Value: list + "1", Of: 90}, {Key: "account", Value: list + "2", Of: 90}, {Key: "account", Value: list + "3", Of: 90}}
	}
	for i, a := range []Attack{
		{Site: site, Verdict: "confirmed", Signature: marks("t1", "l1"), Through: []string{strings.Repeat("d", 24)}, SubjectsExposed: 7},
		{Site: "b.example", Verdict: "likely", Signature: marks("t1", "l1")},
		{Site: "b.example", Verdict: "confirmed", Signature: marks("t2", "l2")},
		{Site: "b.example", Verdict: "suspicious", Signature: marks("t1", "l1")},
	} {
		a.ID, a.Kind, a.Scenario = fmt.Sprintf("%024x", i+1), "account_scanning", "account_risk"
		a.FirstSeen = time.Date(2022, 3, 1+i, 20, 0, 0, 0, time.UTC)
		a.LastSeen, a.Requests = a.FirstSeen.Add(time.Hour), 300
		a.Activity = []Activity{{Day: a.FirstSeen.Format(time.DateOnly), Requests: 300}}
		r.Attacks = append(r.Attacks, a)
	}
	return r
}

func TestReduceFromTheReportAlone(t *testing.T) {
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	r := gangReport("a.example")
	reduce(r, msgs)
	if len(r.Campaigns) != 1 {
		t.Fatalf("%d campaigns, want 1: %+v", len(r.Campaigns), r.Campaigns)
	}
	c := r.Campaigns[0]
	if d := cmp.Diff([]string{r.Attacks[0].ID, r.Attacks[1].ID}, c.Attacks); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{strings.Repeat("d", 24)}, c.Through); d != "" || c.SubjectsExposed != 7 || c.Requests != 600 {
		t.Errorf("%+v", c)
	}
	for _, want := range []string{"2022-03-02", "error message tells whether an account exists", "7 people", "a.example and b.example"} {
		if !strings.Contains(c.Reason.En, want) {
			t.Errorf("the sentence lacks %q: %s", want, c.Reason.En)
		}
	}
	// Out to a file and back, and once more: the same.
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	back.Campaigns = nil
	reduce(&back, msgs)
	reduce(&back, msgs)
	if d := cmp.Diff(r.Campaigns, back.Campaigns); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(r.Input.Limits, back.Input.Limits); d != "" {
		t.Error(d)
	}
}

func TestCampaignsInTheSummary(t *testing.T) {
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	r := gangReport("a\x1b[2J\u202e.example")
	reduce(r, msgs)
	for lang, want := range map[string]string{"zh": "团伙（1）", "en": "Campaigns (1)"} {
		var b strings.Builder
		if err := Terminal(&b, r, TerminalConfig{Lang: lang, Messages: msgs}); err != nil {
			t.Fatal(err)
		}
		s := b.String()
		if !strings.Contains(s, want) || !strings.Contains(s, r.Campaigns[0].Name) {
			t.Errorf("%s: no campaign in the summary:\n%s", lang, s)
		}
		if strings.ContainsAny(s, "\x1b\u202e") {
			t.Errorf("%s: the summary carries hostile characters", lang)
		}
	}
}
