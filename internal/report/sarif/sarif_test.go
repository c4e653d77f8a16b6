package sarif_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/reporttest"
	"xiezhi/internal/report/sarif"
	"xiezhi/rules"
)

var keep = flag.String("keep", "", "write the logs of the tests into this folder, to be validated")

var catalogue = sync.OnceValues(func() (*message.Catalog, error) { return message.Load(rules.FS, "messages") })

func messages(t testing.TB) *message.Catalog {
	t.Helper()
	m, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The part of SARIF that the tests read.
type sarifLog struct {
	Version string
	Runs    []struct {
		Language          string
		Tool              struct{ Driver component }
		Taxonomies        []component
		Translations      []component
		AutomationDetails struct{ ID string }
		Invocations       []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct{ Message struct{ Text string } }
		}
		Results []struct {
			RuleID    string
			RuleIndex int
			Level     string
			Message   struct {
				Text, ID  string
				Arguments []string
			}
			Locations []struct {
				PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				LogicalLocations []struct{ Name, FullyQualifiedName string }
			}
			PartialFingerprints map[string]string
			Taxa                []struct {
				ID            string
				ToolComponent struct{ Index int }
			}
			Properties   map[string]any
			Suppressions []struct{ Kind string }
		}
	}
}

type component struct {
	Name, Language string
	Rules          []struct {
		ID, Name, HelpURI string
		ShortDescription  struct{ Text string }
		Help              struct{ Text string }
		MessageStrings    map[string]struct{ Text string }
		Properties        map[string]any
	}
	Taxa []struct{ ID string }
}

func write(t *testing.T, r *report.Report, lang string) ([]byte, *sarifLog) {
	t.Helper()
	var b bytes.Buffer
	if err := sarif.Write(&b, r, sarif.Config{Lang: lang, Messages: messages(t)}); err != nil {
		t.Fatal(err)
	}
	var l sarifLog
	if err := json.Unmarshal(b.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	if l.Version != "2.1.0" || len(l.Runs) != 1 {
		t.Fatalf("version %s, %d runs", l.Version, len(l.Runs))
	}
	return b.Bytes(), &l
}

func save(t *testing.T, name string, b []byte) {
	t.Helper()
	if *keep == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*keep, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestYear(t *testing.T) {
	for lang, other := range map[string]string{"en": "zh-CN", "zh": "en-US"} {
		r := reporttest.Year(1, messages(t))
		r.Defects[2].Status = "accepted_risk"
		b, l := write(t, r, lang)
		save(t, "year-"+lang+".sarif", b)
		again, _ := write(t, r, lang)
		if !bytes.Equal(b, again) {
			t.Errorf("%s: two logs of one report differ", lang)
		}
		run := l.Runs[0]
		rules := run.Tool.Driver.Rules
		counted := 0
		for _, a := range r.Attacks {
			if a.Verdict != "suspicious" {
				counted++
			}
		}
		if len(run.Results) != len(r.Defects)+counted {
			t.Fatalf("%s: %d results, want %d", lang, len(run.Results), len(r.Defects)+counted)
		}
		if len(run.Translations) != 1 || run.Translations[0].Language != other || len(run.Translations[0].Rules) != len(rules) {
			t.Errorf("%s: the other language is missing", lang)
		}
		seen := map[string]bool{}
		for i, rule := range rules {
			if seen[rule.ID] {
				t.Errorf("%s: rule %s is there twice", lang, rule.ID)
			}
			seen[rule.ID] = true
			if tr := run.Translations[0].Rules[i]; tr.ID != rule.ID || tr.ShortDescription.Text == rule.ShortDescription.Text || tr.ShortDescription.Text == "" {
				t.Errorf("%s: rule %s is not translated: %+v", lang, rule.ID, tr)
			}
			if !strings.HasPrefix(rule.HelpURI, "https://owasp.org/") || rule.Help.Text == "" || rule.Properties["security-severity"] == "" || rule.MessageStrings["default"].Text != "{0}" {
				t.Errorf("%s: rule %s: %+v", lang, rule.ID, rule)
			}
		}
		for i, res := range run.Results {
			if rules[res.RuleIndex].ID != res.RuleID {
				t.Errorf("%s: result %d: index %d is not rule %s", lang, i, res.RuleIndex, res.RuleID)
			}
			for _, x := range res.Taxa {
				if !slices.ContainsFunc(run.Taxonomies[x.ToolComponent.Index].Taxa, func(y struct{ ID string }) bool { return y.ID == x.ID }) {
					t.Errorf("%s: result %d: %s is in no taxonomy", lang, i, x.ID)
				}
			}
			if len(res.PartialFingerprints) != 1 || len(res.Locations) == 0 || res.Message.Text == "" || len(res.Message.Arguments) != 1 {
				t.Errorf("%s: result %d lacks something: %+v", lang, i, res)
			}
		}
		first := run.Results[0]
		want := map[string]string{"critical": "error", "high": "error", "elevated": "warning", "moderate": "note"}[r.Defects[0].Severity]
		if first.Level != want || first.PartialFingerprints["xiezhi/defect/v1"] != r.Defects[0].ID || first.Message.Arguments[0] != r.Defects[0].Reason.In(lang) {
			t.Errorf("%s: first result %+v", lang, first)
		}
		if len(run.Results[2].Suppressions) != 1 {
			t.Errorf("%s: an accepted risk is not suppressed", lang)
		}
		if run.AutomationDetails.ID != "xiezhi/2024-12-31/2025-12-31" {
			t.Errorf("automation id %s", run.AutomationDetails.ID)
		}
	}
}

// TestHostileStrings: a path that climbs, a template that looks like a
// placeholder, a link in a reason, hidden characters.
func TestHostileStrings(t *testing.T) {
	for _, evil := range []string{"/../../etc/passwd", "//evil.example/x", "javascript:alert(1)", "[click](https://evil.example) {0} {1}", "a\u202eb\x00\xff", "%2e%2e/%00 ?#", "C:\\x", ""} {
		r := reporttest.Year(1, messages(t))
		reporttest.Rewrite(r, func(path, s string) string {
			if reporttest.Enumerations[path] && path != "APIs.Site" {
				return s
			}
			return evil
		})
		b, l := write(t, r, "en")
		if strings.ContainsAny(string(b), "\u202e\x00") || bytes.Contains(b, []byte("](https://evil.example) {0}\",\n            \"id")) {
			t.Errorf("%q: hidden characters or a link in the log", evil)
		}
		for _, res := range l.Runs[0].Results {
			for _, loc := range res.Locations {
				u, err := url.Parse(loc.PhysicalLocation.ArtifactLocation.URI)
				if err != nil || u.Scheme != "" || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || !strings.HasPrefix(u.Path, "apis/") || slices.Contains(strings.Split(u.Path, "/"), "..") {
					t.Fatalf("%q: the location %q leaves its place (%v)", evil, loc.PhysicalLocation.ArtifactLocation.URI, err)
				}
			}
			if s := res.Message.Text; strings.Contains(s, " {0}") || strings.HasPrefix(s, "[click](") {
				t.Fatalf("%q: the message is a template or a link: %q", evil, s)
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	b, l := write(t, report.Build(report.Config{Version: "test", Messages: messages(t)}, report.NewInput(), nil), "en")
	save(t, "empty.sarif", b)
	if len(l.Runs[0].Results) != 0 || l.Runs[0].Invocations[0].ExecutionSuccessful || len(l.Runs[0].Invocations[0].ToolExecutionNotifications) != 1 {
		t.Error("a run that saw nothing reads as a clean result")
	}
}
