package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/rule/scenario"
)

// maxRuleFiles bounds the files of a folder of rules.
const maxRuleFiles = 4096

// ruleFiles are rules that people bring along: packs of ours, and scenarios of
// CrowdSec.
type ruleFiles struct {
	packs []*policy.File
	hub   *scenario.Set // nil: no scenarios
}

// loadRules reads files and folders of rules; what a file is, its content tells.
// Data files of scenarios are looked for in the named folders, beside the
// scenario, and in data beside it.
func loadRules(names, data []string) (r ruleFiles, err error) {
	var list []string
	for _, n := range names {
		st, err := os.Stat(n)
		if err != nil || !st.IsDir() {
			list = append(list, n)
			continue
		}
		found, err := yamlFiles(n)
		if err != nil {
			return r, err
		}
		list = append(list, found...)
	}
	var files []scenario.File
	for _, n := range list {
		raw, err := readRules(n)
		if err != nil {
			return r, usagef("read the rules: %w", err)
		}
		if scenario.Is(raw) {
			files = append(files, scenario.File{Name: n, Data: raw})
			continue
		}
		p, err := policy.Parse(n, raw)
		if err != nil {
			return r, usageError{err}
		}
		r.packs = append(r.packs, p)
	}
	if len(files) > 0 {
		r.hub = scenario.Load(files, func(file, name string) ([]byte, error) { return openData(file, name, data) })
	}
	return r, nil
}

// readRules reads a file of rules, or enough of it to be refused for its size.
func readRules(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, max(policy.MaxBytes, scenario.MaxBytes)+1))
}

// yamlFiles lists the YAML files of a folder, in the order of their names.
func yamlFiles(folder string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return usagef("read the rules: %w", err)
		}
		if ext := filepath.Ext(path); d.Type().IsRegular() && (ext == ".yaml" || ext == ".yml") {
			if len(out) == maxRuleFiles {
				return usagef("%s: more than %d files; name the ones that are meant", folder, maxRuleFiles)
			}
			out = append(out, path)
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = usagef("%s: no rules in it: no file ends in .yaml or .yml", folder)
	}
	slices.Sort(out)
	return out, err
}

// openData opens a data file of a scenario.
func openData(file, name string, folders []string) ([]byte, error) {
	beside := filepath.Dir(file)
	for _, dir := range append(slices.Clone(folders), beside, filepath.Join(beside, "data")) {
		f, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, scenario.MaxDataBytes+1))
	}
	return nil, errors.New("not beside the scenario, not in data beside it; name its folder with --rules-data")
}

// tellScenarios says on stderr how many scenarios run, and what keeps others
// from running: at most most lines.
func (a *app) tellScenarios(msgs *message.Catalog, s *scenario.Set, most int) {
	if s == nil {
		return
	}
	n := 0
	for _, p := range s.Problems() {
		if p.Note {
			continue
		}
		if n++; n <= most {
			fmt.Fprintln(a.stderr, report.Inert(p.In(msgs, a.lang)))
		}
	}
	fmt.Fprintln(a.stderr, msgs.Text("cli.scenarios", message.Args{"n": len(s.Rules()), "m": s.Read(), "k": n}).In(a.lang))
}

// checkedScenarios is what rules check tells of scenarios.
type checkedScenarios struct {
	Read       int               `json:"read"`
	Translated []checkedScenario `json:"translated"`
	Problems   []checkedProblem  `json:"problems"`
}

type checkedScenario struct {
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
	Type string `json:"type"`
	Kind string `json:"kind"` // of attack
}

type checkedProblem struct {
	scenario.Problem
	Why message.Text `json:"why"`
}

// checkScenarios lists what was translated and what was not, and reports
// whether everything was.
func (a *app) checkScenarios(msgs *message.Catalog, format string, s *scenario.Set) (bool, error) {
	out := checkedScenarios{Read: s.Read(), Translated: []checkedScenario{}, Problems: []checkedProblem{}}
	for _, p := range s.Problems() {
		out.Problems = append(out.Problems, checkedProblem{p, p.Text(msgs)})
	}
	for _, r := range s.Rules() {
		out.Translated = append(out.Translated, checkedScenario{r.Name, r.File, r.Line, r.Kind.String(), string(r.Attack)})
	}
	whole := true
	for i := range out.Problems {
		whole = whole && out.Problems[i].Note
	}
	return whole, a.list(format, out, func(w io.Writer) {
		for _, r := range out.Translated {
			fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, r.Type, r.Kind)
		}
		for i := range out.Problems {
			mark := "-"
			if out.Problems[i].Note {
				mark = "~"
			}
			fmt.Fprintf(w, "%s %s\n", mark, report.Inert(out.Problems[i].In(msgs, a.lang)))
		}
	})
}

// alertLines writes the alerts of scenarios, and which of them told nothing.
func alertLines(w io.Writer, s *scenario.Set, list []engine.Alert) {
	for _, r := range s.Rules() {
		var of []engine.Alert
		for _, a := range list {
			if a.Scenario == r.Name {
				of = append(of, a)
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", r.Name, len(of), report.Inert(r.Title.En))
		for _, a := range of[:min(len(of), 20)] {
			fmt.Fprintf(w, "  %s\t%d\t%s %s\n", a.At.Format(time.RFC3339), a.Events, report.Inert(a.Site), strings.Join(a.Sources, " "))
		}
	}
}
