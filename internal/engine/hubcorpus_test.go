package engine_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xiezhi/internal/engine"
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/source"
)

// hubFolders gives where scenarios and their data files are: beside the corpus,
// in a checkout of the hub (XIEZHI_CROWDSEC_HUB, XIEZHI_CROWDSEC_DATA), or where
// Debian's package puts them.
func hubFolders(corpus string) (scenarios, data string) {
	for _, c := range [][2]string{
		{os.Getenv("XIEZHI_CROWDSEC_HUB"), os.Getenv("XIEZHI_CROWDSEC_DATA")},
		{filepath.Join(corpus, "hub"), filepath.Join(corpus, "data")},
		{"/usr/share/crowdsec/hub", "/usr/share/crowdsec/data"},
	} {
		if c[0] == "" {
			continue
		}
		if st, err := os.Stat(filepath.Join(c[0], "scenarios")); err == nil && st.IsDir() {
			return filepath.Join(c[0], "scenarios"), c[1]
		}
	}
	return "", ""
}

// The scenarios that each set of the corpus names run on its log, and what they
// tell is what CrowdSec tells: the same scenario about the same addresses.
func TestHubCorpus(t *testing.T) {
	dir := "../../../shared/corpora/crowdsec-hub"
	index, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Skip("corpus crowdsec-hub is not there: ../shared/corpora/crowdsec-hub")
	}
	folder, data := hubFolders(dir)
	if folder == "" {
		t.Skip("the scenarios of corpus crowdsec-hub are not there: put them into ../shared/corpora/crowdsec-hub/hub, install Debian's crowdsec, or name a checkout in XIEZHI_CROWDSEC_HUB")
	}
	byName := scenarioFiles(t, folder)
	open := func(_, name string) ([]byte, error) {
		b, err := os.ReadFile(filepath.Join(data, name))
		if err != nil { // published without the prefix that it is installed with
			b, err = os.ReadFile(filepath.Join(data, strings.TrimPrefix(name, "http_")))
		}
		return b, err
	}
	type tally struct{ expected, matched, extra int }
	sums := map[string]*tally{}
	at := func(name string) *tally {
		if sums[name] == nil {
			sums[name] = &tally{}
		}
		return sums[name]
	}
	var total tally
	var told []string
	absent := 0
	for _, raw := range bytes.Split(bytes.TrimSpace(index), []byte("\n")) {
		var set struct {
			Test, Log string
			Scenarios []string
			Alerts    []struct {
				Scenario string
				Sources  []string
			}
		}
		if err := json.Unmarshal(raw, &set); err != nil {
			t.Fatal(err)
		}
		var files []scenario.File
		lacking := ""
		for _, name := range set.Scenarios {
			name = strings.TrimSuffix(strings.TrimPrefix(name, "./scenarios/"), ".yaml")
			switch f, ok := byName[name]; {
			case ok:
				files = append(files, f)
			case name != "":
				lacking = name
			}
		}
		if lacking != "" { // of a later hub than the one that is installed
			absent += len(set.Alerts)
			told = append(told, fmt.Sprintf("%s: scenario %s is not in %s; %d alerts not compared", set.Test, lacking, filepath.Base(filepath.Dir(folder)), len(set.Alerts)))
			continue
		}
		rules := scenario.Load(files, open)
		log, err := os.ReadFile(filepath.Join(dir, set.Log))
		if err != nil {
			t.Fatal(err)
		}
		got := alertsOf(t, rules, log)
		for _, a := range set.Alerts {
			name := a.Scenario
			if name == "" && len(set.Scenarios) == 1 {
				name = strings.TrimSuffix(strings.TrimPrefix(set.Scenarios[0], "./scenarios/"), ".yaml")
			}
			slices.Sort(a.Sources)
			at(name).expected++
			total.expected++
			i := slices.IndexFunc(got, func(g engine.Alert) bool { return g.Scenario == name && sameSources(g.Sources, a.Sources) })
			if i < 0 {
				why := ""
				for _, p := range rules.Problems() {
					if !p.Note {
						why = "; " + p.Error()
					}
				}
				told = append(told, fmt.Sprintf("%s: missed %s %v%s", set.Test, name, a.Sources, why))
				continue
			}
			at(name).matched++
			total.matched++
			got = slices.Delete(got, i, i+1)
		}
		for _, g := range got {
			at(g.Scenario).extra++
			total.extra++
			told = append(told, fmt.Sprintf("%s: extra %s %v, %d events", set.Test, g.Scenario, g.Sources, g.Events))
		}
	}
	for _, s := range told {
		t.Log(s)
	}
	var names []string
	for name := range sums {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		x := sums[name]
		t.Logf("%-45s expected %2d, matched %2d, missed %d, extra %d", name, x.expected, x.matched, x.expected-x.matched, x.extra)
	}
	t.Logf("%d of %d expected alerts matched (%.1f %%), %d extra; %d not compared", total.matched, total.expected, 100*float64(total.matched)/float64(max(total.expected, 1)), total.extra, absent)
	if total.matched*10 < total.expected*9 {
		t.Errorf("only %d of %d expected alerts are matched", total.matched, total.expected)
	}
	if total.extra > 2 {
		t.Errorf("%d alerts that CrowdSec does not tell", total.extra)
	}
	if absent == 0 && total.expected < 50 {
		t.Errorf("only %d alerts are expected: the corpus is not whole", total.expected)
	}
}

func sameSources(got, want []string) bool { return slices.Equal(got, want) }

// scenarioFiles lists the files of a hub, by the names that its tests use.
func scenarioFiles(t *testing.T, folder string) map[string]scenario.File {
	t.Helper()
	out := map[string]scenario.File{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		raw, err := os.ReadFile(path)
		name := filepath.ToSlash(strings.TrimSuffix(strings.TrimPrefix(path, folder+string(filepath.Separator)), ".yaml"))
		out[name] = scenario.File{Name: name + ".yaml", Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// alertsOf runs scenarios on a log.
func alertsOf(t *testing.T, rules *scenario.Set, log []byte) []engine.Alert {
	t.Helper()
	res, err := engine.Analyze(t.Context(), engine.AnalyzeConfig{Tools: tools(t), Hub: rules, Site: "hub", Format: engine.AccessLog, Inputs: []source.Input{input("hub.log", log)}, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return res.Alerts
}
