package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/rules"
	"xiezhi/schema"
)

// compiled is the published schema.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := schema.FS.ReadFile("report.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.v1.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, v any) error {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func empty() *report.Report {
	return report.Build(report.Config{Version: "test"}, report.NewInput(), nil)
}

func TestEmptyReportMatchesSchema(t *testing.T) {
	if err := validate(t, compiled(t), empty()); err != nil {
		t.Error(err)
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := compiled(t)
	for name, spoil := range map[string]func(*report.Report){
		"another schema id":   func(r *report.Report) { r.Schema = "xiezhi.report/v2" },
		"unknown drop reason": func(r *report.Report) { r.Input.Dropped = []report.ReasonCount{{Reason: "bored", Count: 1}} },
		"month 13":            func(r *report.Report) { r.Statistics.AttackedAPIsByMonth["2026-13"] = 1 },
		"lists that are null": func(r *report.Report) { r.APIs = nil },
	} {
		r := empty()
		spoil(r)
		if validate(t, s, r) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestInertStrings(t *testing.T) {
	for in, want := range map[string]string{
		"/plain/路径":                 "/plain/路径",
		"/a\x1b[31mred":             `/a\x1b[31mred`,
		"/x\u202egpj.exe":           `/x\u{202e}gpj.exe`,
		"zero\u200bwidth":           `zero\u{200b}width`,
		"bad\xffutf8":               `bad\xffutf8`,
		"line\r\nbreak":             `line\x0d\x0abreak`,
		"tag\U000e0041":             `tag\u{e0041}`,
		"para\u2029graph\ufe0f end": `para\u{2029}graph\u{fe0f} end`,
	} {
		if got := report.Inert(in); got != want {
			t.Errorf("Inert(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTerminalIsInert puts hostile strings into every place that an attacker
// can reach and looks for control characters in the summary.
func TestTerminalIsInert(t *testing.T) {
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	const evil = "\x1b]0;owned\a\x1b[2J\u202eevil\u200b"
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	text := message.Text{Zh: "原因 " + evil, En: "reason " + evil}
	r := empty()
	r.Input.Exchanges, r.Input.Analysed, r.Input.First, r.Input.Last = 1, 1, &now, &now
	r.Input.Problems = []report.Problem{{File: evil, Line: 3, Reason: "corrupt", Text: message.Text{Zh: evil, En: evil}}}
	r.Input.Blind = []report.Blind{{Server: "192.0.2.1:443", Name: evil, Protocol: "tls", Connections: 1}}
	r.APIs = []report.API{{ID: "a", Site: evil, Host: evil, Method: evil, Template: "/" + evil, Role: "login", Auth: "none"}}
	r.Defects = []report.Defect{{ID: "d", Kind: "bola", Severity: "high", API: "a", Reason: text, Advice: text, ExploitedBy: []string{"t"}}}
	r.Attacks = []report.Attack{{ID: "t", Kind: "scraping", Verdict: "confirmed", APIs: []string{"a"}, Reason: text, Action: report.Action{Kind: "block"}}}
	for _, lang := range []string{"zh", "en"} {
		var b strings.Builder
		if err := report.Terminal(&b, r, report.TerminalConfig{Lang: lang, Messages: msgs, All: true}); err != nil {
			t.Fatal(err)
		}
		if s := b.String(); strings.ContainsAny(s, "\x1b\a\u202e\u200b") {
			t.Errorf("%s: the summary carries hostile characters: %q", lang, s)
		} else if !strings.Contains(s, `\u{202e}`) {
			t.Errorf("%s: hidden characters are not made visible", lang)
		}
	}
}
