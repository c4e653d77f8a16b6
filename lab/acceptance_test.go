package lab_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/engine"
	"xiezhi/internal/judge"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/lab"
	"xiezhi/lab/score"
	"xiezhi/lab/truth"
	"xiezhi/rules"
)

var tools = sync.OnceValues(func() (*engine.Tools, error) { return engine.LoadTools(rules.FS, [32]byte{4, 5, 6}) })

// analyse reads files of a play with its configuration.
func analyse(t *testing.T, dir string, files ...string) (*report.Report, *score.Attributed) {
	t.Helper()
	tl, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	conf, err := os.ReadFile(filepath.Join(dir, lab.ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	file, err := engine.ParseConfig(lab.ConfigFile, conf)
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := source.Expand(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	spill := t.TempDir()
	res, err := engine.Analyze(context.Background(), engine.AnalyzeConfig{Version: "test", Tools: tl, Inputs: inputs, File: file, Zone: lab.Zone(), Random: rand.Reader,
		Workers: 2, Attributed: &lines, Temp: func() (judge.SpillFile, error) { return os.CreateTemp(spill, "spill-*") }})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Refused) > 0 || len(res.Report.Input.Dropped) > 0 {
		t.Fatalf("refused %v, dropped %v", res.Refused, res.Report.Input.Dropped)
	}
	attributed, err := score.ReadAttributed(&lines)
	if err != nil {
		t.Fatal(err)
	}
	return res.Report, attributed
}

// year is the default year, generated and analysed once for all tests.
var year struct {
	once   sync.Once
	dir    string
	truth  *truth.Truth
	report *report.Report
	result *score.Result
}

func TestMain(m *testing.M) {
	code := m.Run()
	if year.dir != "" {
		_ = os.RemoveAll(year.dir)
	}
	os.Exit(code)
}

func theYear(t *testing.T) {
	t.Helper()
	year.once.Do(func() {
		// Not t.TempDir: tests after the one that comes first need the files, too.
		dir, err := os.MkdirTemp("", "xiezhi-lab-*")
		if err != nil {
			t.Fatal(err)
		}
		year.dir = dir
		tr, err := lab.Write(context.Background(), lab.Config{Seed: 1}, dir)
		if err != nil {
			t.Fatal(err)
		}
		rep, attributed := analyse(t, dir, filepath.Join(dir, lab.TrafficDir))
		labels, err := score.ReadLabels(bytes.NewReader(unpack(t, filepath.Join(dir, lab.LabelsFile))))
		if err != nil {
			t.Fatal(err)
		}
		year.truth, year.report, year.result = tr, rep, score.Compare(tr, rep, labels, attributed)
	})
	if year.result == nil {
		t.Fatal("the year could not be analysed")
	}
}

// table is the whole comparison, to read when a test fails.
func table(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	if err := year.result.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNoHonestExchangeIsAttributed(t *testing.T) {
	theYear(t)
	if n := year.result.Exchanges.HonestAttributed; n > 0 {
		t.Errorf("%d honest exchanges of %d are attributed\n%s", n, year.truth.Honest, table(t))
	}
}

// kinds are those that the year shows, all of them of which every single
// exchange is attributed, and as nothing else.
var kinds = []string{"account_scanning", "bola_exploitation", "bot", "brute_force", "code_cracking", "credential_stuffing", "flood", "mass_registration", "password_spraying", "scraping", "sms_abuse", "targeted_lookup", "vulnerability_scan"}

func TestKindsOfAttack(t *testing.T) {
	theYear(t)
	var seen []string
	for _, k := range year.result.Exchanges.Kinds {
		seen = append(seen, k.Kind)
		if k.Right != k.Truth || k.Wrong > 0 {
			t.Errorf("%+v: not exact", k)
		}
	}
	slices.Sort(seen)
	if !slices.Equal(seen, kinds) {
		t.Errorf("the year shows %v, want %v", seen, kinds)
	}
	if t.Failed() {
		t.Log(table(t))
	}
}

// TestFigures holds every figure of the report against the truth: they are
// equal, cell by cell.
func TestFigures(t *testing.T) {
	theYear(t)
	for _, f := range year.result.Figures {
		for _, d := range f.Differences {
			t.Errorf("%s %s: %d, truth %d", f.Name, d.Cell, d.Got, d.Want)
		}
	}
	for _, want := range []string{"attacked_apis_by_month", "scenario_share.requests", "scenario_share.apis", "industry_by_scenario"} {
		if !slices.ContainsFunc(year.result.Figures, func(f score.Figure) bool { return f.Name == want && f.Equal }) {
			t.Errorf("%s is not equal to the truth", want)
		}
	}
	if t.Failed() {
		t.Log(table(t))
	}
}

func TestCampaignsHoldOneGang(t *testing.T) {
	theYear(t)
	e := year.result.Exchanges
	for _, c := range []score.Clustering{e.ByRequests, e.ByAttacks} {
		if c.Purity < 1 || c.Completeness < 0.98 {
			t.Errorf("purity %.3f, completeness %.3f, want 1 and 0.98\n%s", c.Purity, c.Completeness, table(t))
		}
	}
}

// TestTwelveMonthsJoinedAreTheYear analyses every month by itself and joins
// the reports: history must not change the figures of kinds that are exact.
func TestTwelveMonthsJoinedAreTheYear(t *testing.T) {
	if testing.Short() {
		t.Skip("analyses twelve months")
	}
	theYear(t)
	files, err := filepath.Glob(filepath.Join(year.dir, lab.TrafficDir, "*.zst"))
	if err != nil || len(files) != 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var runs []*report.Report
	for _, f := range files {
		r, _ := analyse(t, year.dir, f)
		runs = append(runs, r)
	}
	tl, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	joined, _ := report.Merge(runs, tl.Messages)
	got, want := joined.Statistics, year.report.Statistics
	if diff := cmp.Diff(want.AttackedAPIsByMonth, got.AttackedAPIsByMonth); diff != "" {
		t.Errorf("attacked APIs by month, year - joined +:\n%s", diff)
	}
	// A month by itself begins without knowing the APIs: of one wave of lookups
	// that opens a month at an API nobody else has called yet, the first request
	// comes before it is known what the API is for.
	const unknown = 1
	less := func(what string, want, got uint64) {
		if got > want || want-got > unknown {
			t.Errorf("%s: joined %d, year %d", what, got, want)
		}
	}
	for s, n := range want.ScenarioShare {
		if got.ScenarioShare[s].APIs != n.APIs {
			t.Errorf("%s: APIs joined %d, year %d", s, got.ScenarioShare[s].APIs, n.APIs)
		}
		if s == "data_theft" {
			less(s, uint64(n.Requests), uint64(got.ScenarioShare[s].Requests))
		} else if got.ScenarioShare[s] != n {
			t.Errorf("%s: joined %+v, year %+v", s, got.ScenarioShare[s], n)
		}
	}
	for industry, row := range want.IndustryByScenario {
		for s, n := range row {
			if s == "data_theft" && industry == "parking" {
				less(industry+" "+s, n, got.IndustryByScenario[industry][s])
			} else if got.IndustryByScenario[industry][s] != n {
				t.Errorf("%s %s: joined %d, year %d", industry, s, got.IndustryByScenario[industry][s], n)
			}
		}
	}
	if joined.Input.Exchanges != year.truth.Exchanges || len(joined.Sites) != len(year.truth.Sites) {
		t.Errorf("joined holds %d exchanges of %d sites", joined.Input.Exchanges, len(joined.Sites))
	}
}

func TestSeededDefectsAreFound(t *testing.T) {
	theYear(t)
	if d := year.result.Defects; d.Recall() < 0.8 {
		t.Errorf("%d of %d, missed %v", d.Found, d.Seeded, d.Missed)
	}
	classes := map[string]int{}
	for _, d := range year.report.Defects {
		classes[d.Class]++
	}
	if len(classes) != 5 {
		t.Errorf("defects of the classes %v, want all five", classes)
	}
}
