package engine_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/engine"
	"xiezhi/internal/report"
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/source"
)

// scenarioText are scenarios as people bring them along.
const scenarioText = `
type: leaky
name: test/lost-pages
description: many pages that are not there
filter: "evt.Meta.service == 'http' && evt.Meta.http_status == '404'"
groupby: evt.Meta.source_ip
distinct: evt.Meta.http_path
capacity: 5
leakspeed: 10s
blackhole: 1m
labels: {behavior: "http:scan", confidence: 3, label: Lost pages}
---
type: leaky
name: test/refused
filter: "evt.Parsed.verb == 'POST' && evt.Meta.http_status == '401'"
groupby: evt.Meta.source_ip
capacity: 3
leakspeed: 60s
labels: {behavior: "http:bruteforce", confidence: 1}
---
type: trigger
name: test/noise
filter: "evt.Meta.http_verb == '' && evt.Meta.http_path startsWith 'lv|'"
groupby: evt.Meta.source_ip
labels: {behavior: "http:exploit", confidence: 3}
`

// scenarioLog has forty visitors of a shop, one who looks for pages, one who
// tries passwords, and one who speaks another protocol.
func scenarioLog() []byte {
	var b strings.Builder
	line := func(sec int, ip, request string, status int, agent string) {
		fmt.Fprintf(&b, "%s - - [10/Oct/2022:13:%02d:%02d +0000] \"%s\" %d 512 \"-\" \"%s\"\n", ip, sec/60, sec%60, request, status, agent)
	}
	for i := range 400 {
		line(i, fmt.Sprintf("192.0.2.%d", 10+i%40), fmt.Sprintf("GET /goods/%d HTTP/1.1", 100+i*7%90), 200, "Mozilla/5.0 (Windows NT 10.0) Chrome/128.0.0.0")
		if i%100 == 50 {
			line(i, fmt.Sprintf("192.0.2.%d", 10+i%40), "GET /favicon.ico HTTP/1.1", 404, "Mozilla/5.0 (Windows NT 10.0) Chrome/128.0.0.0")
		}
	}
	for i := range 8 {
		line(30+i, "198.51.100.1", fmt.Sprintf("GET /old/page%d HTTP/1.1", i), 404, "curl/8.0")
		line(50+i*5, "198.51.100.2", "POST /session HTTP/1.1", 401, "python-requests/2.31")
	}
	line(90, "198.51.100.3", "lv|'|'|x", 400, "-")
	return []byte(b.String())
}

func hubRun(t *testing.T, hub *scenario.Set, workers int, attributed *strings.Builder, logs ...[]byte) (*engine.AnalyzeResult, string) {
	t.Helper()
	cfg := engine.AnalyzeConfig{Version: "test", Tools: tools(t), Hub: hub, Site: "shop", Workers: workers, Random: rand.Reader}
	for i, l := range logs {
		cfg.Inputs = append(cfg.Inputs, []source.Input{input(fmt.Sprint("log", i), l)}...)
	}
	if attributed != nil {
		cfg.Attributed = attributed
	}
	res, err := engine.Analyze(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range res.Refused {
		t.Fatalf("refused: %v", r.Err)
	}
	b, err := json.Marshal([]any{res.Report.Attacks, res.Alerts})
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func attackOf(r *report.Report, ip string) *report.Attack {
	for i := range r.Attacks {
		if a := &r.Attacks[i]; len(a.Actors.IPs) == 1 && a.Actors.IPs[0] == ip {
			return a
		}
	}
	return nil
}

func TestScenarios(t *testing.T) {
	hub := scenario.Load([]scenario.File{{Name: "s.yaml", Data: []byte(scenarioText)}}, nil)
	if len(hub.Rules()) != 3 {
		t.Fatal(hub.Problems())
	}
	log := scenarioLog()
	var attributed strings.Builder
	res, want := hubRun(t, hub, 1, &attributed, log)
	var got []string
	for _, a := range res.Alerts {
		got = append(got, fmt.Sprintf("%s %v %d", a.Scenario, a.Sources, a.Events))
	}
	if s := strings.Join(got, ";"); s != "test/lost-pages [198.51.100.1] 6;test/refused [198.51.100.2] 4;test/refused [198.51.100.2] 4;test/noise [198.51.100.3] 1" {
		t.Errorf("alerts: %s", s)
	}
	for ip, want := range map[string]string{"198.51.100.1": "vulnerability_scan likely", "198.51.100.2": "brute_force suspicious", "198.51.100.3": "vulnerability_scan likely"} {
		a := attackOf(res.Report, ip)
		if a == nil || a.Kind+" "+a.Verdict != want {
			t.Errorf("%s: %+v, want %s", ip, a, want)
			continue
		}
		if !strings.Contains(a.Reason.Zh, "导入的规则") && !strings.Contains(fmt.Sprint(a.Reasons), "test/") || a.Reason.En == "" {
			t.Errorf("%s: %v", ip, a.Reason)
		}
	}
	for _, a := range res.Report.Attacks {
		if strings.Contains(fmt.Sprint(a.Reasons), "test/") && strings.HasPrefix(a.Actors.IPs[0], "192.0.2.") {
			t.Errorf("a rule accuses a visitor: %s %v", a.Kind, a.Reason)
		}
	}
	if n := strings.Count(attributed.String(), "\n"); n < 6 || strings.Contains(attributed.String(), "brute_force") {
		t.Errorf("attributed:\n%s", attributed.String())
	}
	// the line that is no exchange is lost, and is no exchange of the report
	if in := res.Report.Input; in.Exchanges != in.Analysed+1 || in.Observations != in.Analysed {
		t.Errorf("%+v", in)
	}
	for _, workers := range []int{2, 5} {
		if _, got := hubRun(t, hub, workers, nil, log); got != want {
			t.Errorf("%d workers:\n%s\nwant\n%s", workers, got, want)
		}
	}
	half := len(log)/2 + strings.IndexByte(string(log[len(log)/2:]), '\n') + 1
	if _, got := hubRun(t, hub, 2, nil, log[:half], log[half:]); got != want {
		t.Errorf("in two files:\n%s\nwant\n%s", got, want)
	}
}

// Rules add to a report and take nothing away; an empty set is none.
func TestScenariosLeaveTheRestAlone(t *testing.T) {
	log := scenarioLog()
	plain, want := hubRun(t, nil, 2, nil, log)
	if _, got := hubRun(t, scenario.Load(nil, nil), 2, nil, log); got != want {
		t.Errorf("an empty set changes the report:\n%s\nwant\n%s", got, want)
	}
	hub := scenario.Load([]scenario.File{{Name: "s.yaml", Data: []byte(scenarioText)}}, nil)
	with, _ := hubRun(t, hub, 2, nil, log)
	if with.Report.Input.Analysed != plain.Report.Input.Analysed || len(with.Report.APIs) != len(plain.Report.APIs) || len(with.Report.Attacks) < len(plain.Report.Attacks) {
		t.Errorf("%+v and %+v", with.Report.Input, plain.Report.Input)
	}
	for _, a := range plain.Report.Attacks {
		found := false
		for _, b := range with.Report.Attacks {
			found = found || a.ID == b.ID
		}
		if !found {
			t.Errorf("%s is gone", a.ID)
		}
	}
}
