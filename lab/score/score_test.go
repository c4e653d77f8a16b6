package score

import (
	"strings"
	"testing"

	"xiezhi/internal/report"
	"xiezhi/lab/scene"
	"xiezhi/lab/truth"
)

func sample() (*truth.Truth, *report.Report, *Labels, *Attributed) {
	t := &truth.Truth{
		AttackedAPIsByMonth: map[string]int{"2022-01": 2}, ScenarioShare: map[string]truth.Count{"account_risk": {Requests: 4, APIs: 2}},
		IndustryByScenario: map[string]map[string]uint64{"gaming": {"account_risk": 4}},
		Defects:            []scene.Seeded{{Site: "g", Method: "GET", Path: "/o/{}", Kinds: []string{"bola"}}, {Site: "g", Method: "POST", Path: "/login", Kinds: []string{"no_throttling"}}},
	}
	r := &report.Report{
		APIs:      []report.API{{ID: "a1", Site: "g", Method: "GET", Template: "/o/{order_id}"}},
		Defects:   []report.Defect{{Kind: "bola", API: "a1"}, {Kind: "cors", API: "a1"}},
		Campaigns: []report.Campaign{{ID: "c", Attacks: []string{"x", "y"}}},
		Statistics: report.Statistics{AttackedAPIsByMonth: map[string]int{"2022-01": 2}, ScenarioShare: map[string]report.ScenarioCount{"account_risk": {Requests: 4, APIs: 2}},
			IndustryByScenario: map[string]map[string]uint64{"gaming": {"account_risk": 4}}},
	}
	labels, _ := ReadLabels(strings.NewReader(`{"id":"1","attack":"A","kind":"brute_force","campaign":"G"}
{"id":"2","attack":"A","kind":"brute_force","campaign":"G"}
{"id":"3","attack":"B","kind":"scraping","campaign":"H"}
{"id":"4","attack":"B","kind":"scraping","campaign":"H"}
{"id":"5"}
{"id":"6","campaign":"H"}
`))
	attributed, _ := ReadAttributed(strings.NewReader(`{"id":"1","attack":"x","kind":"brute_force"}
{"id":"2","attack":"x","kind":"brute_force"}
{"id":"3","attack":"y","kind":"bot"}
{"id":"5","attack":"y","kind":"bot"}
{"id":"6","attack":"y","kind":"bot"}
`))
	return t, r, labels, attributed
}

func TestCompare(t *testing.T) {
	res := Compare(sample())
	if !res.FiguresEqual() {
		t.Errorf("equal figures differ: %+v", res.Figures)
	}
	if d := res.Defects; d.Found != 1 || len(d.Missed) != 1 || len(d.Others) != 1 || d.Recall() != 0.5 {
		t.Errorf("defects %+v", d)
	}
	e := res.Exchanges
	if e.Attacked != 4 || e.HonestAttributed != 1 || e.Found != 1 || e.Of != 2 {
		t.Errorf("exchanges %+v", e)
	}
	want := map[string]Kind{"brute_force": {"brute_force", 2, 2, 0, 1, 1}, "scraping": {"scraping", 2, 0, 0, 1, 0}, "bot": {"bot", 0, 0, 2, 0, 1}}
	for _, k := range e.Kinds {
		if k != want[k.Kind] {
			t.Errorf("got %+v, want %+v", k, want[k.Kind])
		}
	}
	// Three attributed attack requests, two of G and one of H in one campaign.
	if c := e.ByRequests; c.Completeness != 1 || c.Purity < 5.0/9-1e-9 || c.Purity > 5.0/9+1e-9 {
		t.Errorf("campaigns %+v", c)
	}
	below := res.Below(Bars{Figures: true, Precision: .9, Recall: .9, Purity: .9, Completeness: .9, Defects: .9})
	for _, w := range []string{"precision of bot", "recall of scraping", "purity", "defects found"} {
		if !strings.Contains(strings.Join(below, "\n"), w) {
			t.Errorf("%q is not said to be below its bar: %v", w, below)
		}
	}
	if s := strings.Join(below, "\n"); strings.Contains(s, "completeness") || strings.Contains(s, "brute_force") {
		t.Errorf("said to be below: %v", below)
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	tr, r, _, _ := sample()
	r.Statistics.AttackedAPIsByMonth["2022-02"] = 1
	delete(r.Statistics.ScenarioShare, "account_risk")
	res := Compare(tr, r, nil, nil)
	if res.FiguresEqual() || res.Exchanges != nil {
		t.Fatalf("%+v", res)
	}
	var b strings.Builder
	if err := res.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"2022-02 0 1", "account_risk 4 0", "account_risk 2 0", "not compared"} {
		if !strings.Contains(b.String(), w) {
			t.Errorf("the table does not say %q:\n%s", w, b.String())
		}
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	if _, err := ReadLabels(strings.NewReader("{}\n{bad\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v", err)
	}
	if _, err := ReadAttributed(strings.NewReader("[]\n")); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("got %v", err)
	}
}
