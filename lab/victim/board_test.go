package victim_test

import (
	"encoding/json"
	"strings"
	"testing"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/lab/victim"
)

var scored = &victim.App{Name: "shop", Flaws: []victim.Flaw{
	{Name: "a", Signs: []victim.Sign{
		{Kinds: []string{"bola"}, Method: "GET", Template: "/api/orders/{}"},
		{Kinds: []string{"bulk_response"}, Method: "GET", Template: "/api/orders", Extra: true},
	}},
	{Name: "b", Signs: []victim.Sign{{Kinds: []string{"exposed_file"}, Component: "git", Method: "GET", Template: "/.git/HEAD"}}},
	{Name: "c", Signs: []victim.Sign{{Kinds: []string{"cors"}}}},
}}

func scoredReport(defects ...report.Defect) *report.Report {
	return &report.Report{Defects: defects, APIs: []report.API{
		{ID: "1", Site: "shop", Method: "GET", Template: "/api/orders/{orderId}"}, {ID: "2", Site: "shop", Method: "GET", Template: "/api/orders"},
		{ID: "3", Site: "other", Method: "GET", Template: "/api/orders/{id}"}, {ID: "4", Site: "shop", Method: "DELETE", Template: "/api/orders/{id}"}}}
}

// TestBoard gives the board what is right, wrong, elsewhere and missing.
func TestBoard(t *testing.T) {
	for name, c := range map[string]struct {
		on                string // flaws, one letter each
		defects           []report.Defect
		precision, recall float64
		notes             string
	}{
		"all right":         {"ab", []report.Defect{{Kind: "bola", API: "1"}, {Kind: "bulk_response", API: "2"}, {Kind: "exposed_file", Component: "git", Reason: message.Text{En: "/.git/HEAD is served"}}}, 1, 1, ""},
		"optional is none":  {"a", []report.Defect{{Kind: "bola", API: "1"}}, 1, 1, ""},
		"missed":            {"ac", []report.Defect{{Kind: "bola", API: "1"}}, 1, 0.5, "missed cors"},
		"off, and found":    {"c", []report.Defect{{Kind: "bola", API: "1"}, {Kind: "cors", API: "2"}}, 0.5, 1, "false bola"},
		"another method":    {"a", []report.Defect{{Kind: "bola", API: "4"}}, 0, 0, "false bola at DELETE"},
		"another API":       {"a", []report.Defect{{Kind: "bola", API: "2"}}, 0, 0, "false bola"},
		"another site":      {"a", []report.Defect{{Kind: "bola", API: "3"}}, 0, 0, "false bola"},
		"another kind":      {"a", []report.Defect{{Kind: "bfla", API: "1"}}, 0, 0, "false bfla"},
		"another component": {"b", []report.Defect{{Kind: "exposed_file", Component: "svn", Reason: message.Text{En: "/.git/HEAD is served"}}}, 0, 0, "missed exposed_file/git"},
		"another path":      {"b", []report.Defect{{Kind: "exposed_file", Component: "git", Reason: message.Text{En: "/x is served"}}}, 0, 0, "no API: /x"},
		"nothing":           {"", nil, 1, 1, ""},
	} {
		on := func(flaw string) bool { return strings.Contains(c.on, flaw) }
		b := victim.NewBoard()
		b.Add("x", scored, on, scoredReport(c.defects...))
		var out strings.Builder
		if err := b.Print(&out); err != nil {
			t.Fatal(err)
		}
		if b.Precision() != c.precision || b.Recall() != c.recall || !strings.Contains(out.String(), c.notes) {
			t.Errorf("%s: precision %v, recall %v, want %v, %v and %q\n%s", name, b.Precision(), b.Recall(), c.precision, c.recall, c.notes, out.String())
		}
		// The truth that is written scores alike.
		truth := &victim.Truth{Apps: []victim.TruthApp{{Name: "shop"}}}
		for _, f := range scored.Flaws {
			tf := victim.TruthFlaw{Name: f.Name, On: on(f.Name)}
			for _, s := range f.Signs {
				tf.Signs = append(tf.Signs, victim.TruthSign{Kinds: s.Kinds, Component: s.Component, Method: s.Method, Template: s.Template, Optional: s.Extra})
			}
			truth.Apps[0].Flaws = append(truth.Apps[0].Flaws, tf)
		}
		raw, err := json.Marshal(truth)
		if err != nil {
			t.Fatal(err)
		}
		var read victim.Truth
		if err := json.Unmarshal(raw, &read); err != nil {
			t.Fatal(err)
		}
		again := victim.NewBoard()
		again.AddTruth(&read, scoredReport(c.defects...))
		if again.Precision() != b.Precision() || again.Recall() != b.Recall() {
			t.Errorf("%s: from the truth precision %v, recall %v", name, again.Precision(), again.Recall())
		}
	}
}

// TestUnjudgedKindsAreNotHeld leaves signs out that no detector looks for, and
// findings never.
func TestUnjudgedKindsAreNotHeld(t *testing.T) {
	b := victim.NewBoard()
	b.Judged = map[string]bool{"bola": true}
	b.Add("x", scored, func(string) bool { return true }, scoredReport(report.Defect{Kind: "bola", API: "1"}, report.Defect{Kind: "jwt_none", API: "1"}))
	if b.Recall() != 1 || b.Precision() != 0.5 || b.False() != 1 {
		t.Errorf("recall %v, precision %v, false %d", b.Recall(), b.Precision(), b.False())
	}
}
