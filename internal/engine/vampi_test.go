package engine_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"xiezhi/internal/engine"
	"xiezhi/internal/exchange"
	"xiezhi/internal/judge"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/source/pcap"
	"xiezhi/rules"
	"xiezhi/schema"
)

const capture = "../../testdata/vampi/vampi.pcap.zst"

// fitting says which attack kinds count as right for a label of the recording
// (testdata/vampi/NOTE.md).
var fitting = map[string][]string{
	"user_enumeration":                {"account_scanning"},
	"bruteforce":                      {"brute_force", "credential_stuffing", "password_spraying"},
	"credential_stuffing_distributed": {"credential_stuffing", "password_spraying"},
	"bola_object_enumeration":         {"bola_exploitation", "scraping"},
	"unauthorised_access_data_scrape": {"scraping", "bot", "bola_exploitation"},
	"batch_registration":              {"mass_registration"},
	"sql_injection":                   {"vulnerability_scan"},
	"endpoint_scan":                   {"vulnerability_scan"},
	"param_discovery":                 {"vulnerability_scan"},
}

// labelled is one request of the recording's truth.
type labelled struct {
	TS     float64 `json:"ts"`
	Src    string  `json:"src"`
	Sport  uint16  `json:"sport"`
	Method string  `json:"method"`
	URI    string  `json:"uri"`
	Status int     `json:"status"`
	Label  string  `json:"label"`
	Attack string  `json:"attack"`
}

func truth(t *testing.T) []labelled {
	t.Helper()
	f, err := os.Open("../../testdata/vampi/requests.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []labelled
	s := bufio.NewScanner(z)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var r labelled
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// loaded are the rules under a fixed key, decoded once for all tests.
var loaded = sync.OnceValues(func() (*engine.Tools, error) { return engine.LoadTools(rules.FS, [32]byte{1, 2, 3}) })

func tools(tb testing.TB) *engine.Tools {
	tb.Helper()
	t, err := loaded()
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// run analyses files with a fixed key and gives the report and the attributed
// exchanges.
func run(t *testing.T, cfg engine.AnalyzeConfig, files ...string) (*report.Report, []byte) {
	t.Helper()
	for _, f := range files {
		in, err := source.Expand([]string{f}, nil)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Inputs = append(cfg.Inputs, in...)
	}
	var attributed bytes.Buffer
	cfg.Version, cfg.Tools, cfg.Random, cfg.Attributed = "test", tools(t), rand.Reader, &attributed
	dir := t.TempDir()
	cfg.Temp = func() (judge.SpillFile, error) { return os.CreateTemp(dir, "spill-*") }
	res, err := engine.Analyze(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Refused) > 0 {
		t.Fatalf("refused: %v", res.Refused)
	}
	return res.Report, attributed.Bytes()
}

// bundled is the analysis of the bundled capture, made once for all tests.
var bundled struct {
	once       sync.Once
	report     *report.Report
	attributed []byte
}

func vampiReport(t *testing.T) (*report.Report, []byte) {
	t.Helper()
	bundled.once.Do(func() {
		bundled.report, bundled.attributed = run(t, engine.AnalyzeConfig{Workers: 2}, capture)
	})
	if bundled.report == nil {
		t.Fatal("the bundled capture could not be analysed")
	}
	return bundled.report, bundled.attributed
}

// actors maps exchange ids to their truth by time and address.
func actors(t *testing.T) map[string]labelled {
	t.Helper()
	// The truth's time is that of the packet that completes the request, ours
	// of its first byte: the nearest request of the same port is meant.
	want := map[netip.AddrPort][]labelled{}
	for _, r := range truth(t) {
		k := netip.AddrPortFrom(netip.MustParseAddr(r.Src), r.Sport)
		want[k] = append(want[k], r)
	}
	in, err := source.Expand([]string{capture}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]labelled{}
	src := pcap.New([]pcap.Input{{Name: in[0].Name, Open: in[0].Open}}, pcap.Config{})
	missed := 0
	sink := source.SinkFunc(func(x *exchange.Exchange) error {
		best, distance := labelled{}, 1.0
		for _, r := range want[x.Client] {
			if d := math.Abs(r.TS - float64(x.Start)/1e9); d < distance && r.Method == string(x.Method) && r.URI == string(x.Target) && (r.Status == x.Status || r.Status == 0) {
				best, distance = r, d
			}
		}
		if distance == 1 {
			missed++
			return nil
		}
		out[string(x.ID)] = best
		return nil
	})
	if err := src.Run(context.Background(), sink, &source.Ledger{}); err != nil {
		t.Fatal(err)
	}
	if missed > 0 {
		t.Errorf("%d exchanges have no counterpart in the truth", missed)
	}
	return out
}

func TestVampiExchangesAndOperations(t *testing.T) {
	rep, _ := vampiReport(t)
	if rep.Input.Exchanges != 7680 {
		t.Errorf("exchanges = %d, want 7680", rep.Input.Exchanges)
	}
	// The operations of the application that the recording calls with success
	// or with a business answer.
	want := map[string]bool{
		"GET /": false, "GET /createdb": false, "GET /me": false, "GET /users/v1": false, "GET /users/v1/_debug": false,
		"POST /users/v1/register": false, "POST /users/v1/login": false, "GET /users/v1/{}": false, "PUT /users/v1/{}/password": false, "PUT /users/v1/{}/email": false,
		"GET /books/v1": false, "POST /books/v1": false, "GET /books/v1/{}": false,
	}
	junk := []string{}
	for _, a := range rep.APIs {
		k := a.Method + " " + anonymous(a.Template)
		if _, ok := want[k]; ok {
			want[k] = true
		} else {
			junk = append(junk, k)
		}
	}
	found := 0
	for k, ok := range want {
		if ok {
			found++
		} else {
			t.Errorf("operation not found: %s", k)
		}
	}
	if len(junk) > 2*found {
		t.Errorf("%d junk templates for %d operations: %v", len(junk), found, junk)
	}
	t.Logf("%d operations, %d junk templates: %v", found, len(junk), junk)
}

// anonymous replaces parameter names, which are guesses, by {}.
func anonymous(template string) string {
	segs := strings.Split(template, "/")
	for i, s := range segs {
		if strings.HasPrefix(s, "{") {
			segs[i] = "{}"
		}
	}
	return strings.Join(segs, "/")
}

func TestVampiAttackers(t *testing.T) {
	_, attributed := vampiReport(t)
	who := actors(t)
	type actor struct{ src, attack string }
	name := func(r labelled) actor {
		if r.Attack == "credential_stuffing_distributed" {
			return actor{"10.77.8.0/24", r.Attack}
		}
		return actor{r.Src, r.Attack}
	}
	total, hit, benign := map[actor]int{}, map[actor]int{}, map[string]int{}
	for _, r := range who {
		if r.Label == "attack" {
			total[name(r)]++
		}
	}
	seen := map[string]bool{}
	kinds := map[actor]map[string]int{}
	s := bufio.NewScanner(bytes.NewReader(attributed))
	for s.Scan() {
		var l struct{ ID, Attack, Kind string }
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		r, ok := who[l.ID]
		if !ok {
			t.Fatalf("attributed id %s is no exchange of the capture", l.ID)
		}
		if r.Label != "attack" {
			benign[r.Src+" "+l.Kind]++
			continue
		}
		a := name(r)
		if kinds[a] == nil {
			kinds[a] = map[string]int{}
		}
		kinds[a][l.Kind]++
		if slices.Contains(fitting[r.Attack], l.Kind) && !seen[l.ID] {
			seen[l.ID] = true
			hit[a]++
		}
	}
	var lines []string
	for a, n := range total {
		lines = append(lines, fmt.Sprintf("%-36s %-14s %4d of %4d with a fitting kind; all kinds %v", a.attack, a.src, hit[a], n, kinds[a]))
		if n >= 20 && a.attack != "flood" && 2*hit[a] < n {
			t.Errorf("%s by %s: %d of %d requests attributed with a fitting kind, want at least half", a.attack, a.src, hit[a], n)
		}
	}
	sort.Strings(lines)
	t.Log("\n" + strings.Join(lines, "\n"))
	for b, n := range benign {
		t.Errorf("benign actor attributed: %s, %d exchanges", b, n)
	}
}

func TestVampiDefects(t *testing.T) {
	rep, _ := vampiReport(t)
	template := map[string]string{}
	for _, a := range rep.APIs {
		template[a.ID] = a.Method + " " + anonymous(a.Template)
	}
	want := []string{
		"bola GET /books/v1/{}",
		"identity_oracle POST /users/v1/login",
		"unauthenticated_sensitive GET /users/v1/_debug",
		"secret_in_response GET /users/v1/_debug",
		"weak_accepted POST /users/v1/register",
		"no_throttling POST /users/v1/login",
		"injection_suspected GET /users/v1/{}",
		"bola PUT /users/v1/{}/password",
	}
	got := map[string]*report.Defect{}
	for i := range rep.Defects {
		d := &rep.Defects[i]
		got[d.Kind+" "+template[d.API]] = d
		if len(d.Evidence) == 0 {
			t.Errorf("%s on %s has no evidence", d.Kind, template[d.API])
		}
		if d.Reason.Zh == "" || d.Reason.En == "" || d.Advice.Zh == "" || d.Advice.En == "" {
			t.Errorf("%s on %s lacks reason or advice", d.Kind, template[d.API])
		}
		t.Logf("%-9s %-26s %s: %s", d.Severity, d.Kind, template[d.API], d.Reason.En)
	}
	for _, w := range want {
		if got[w] == nil {
			t.Errorf("defect not found: %s", w)
		}
	}
	if !slices.ContainsFunc(rep.Defects, func(d report.Defect) bool { return d.Kind == "jwt_weak_secret" }) {
		t.Error("defect not found: jwt_weak_secret")
	}
}

// The recording's honest users alone show what answers say of the server, and
// nothing that only an attacker would show.
func TestVampiHonestTraffic(t *testing.T) {
	who := actors(t)
	in, err := source.Expand([]string{capture}, nil)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "honest.harl")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	enc, n := exchange.HAREncoder{}, 0
	var line []byte
	err = pcap.New([]pcap.Input{{Name: in[0].Name, Open: in[0].Open}}, pcap.Config{}).Run(context.Background(), source.SinkFunc(func(x *exchange.Exchange) error {
		if who[string(x.ID)].Label != "benign" {
			return nil
		}
		n++
		line = append(enc.Append(line[:0], x), '\n')
		_, err := f.Write(line)
		return err
	}), &source.Ledger{})
	if err != nil || n < 4000 {
		t.Fatalf("%d honest exchanges, %v", n, err)
	}
	rep, _ := run(t, engine.AnalyzeConfig{Workers: 2}, name)
	for _, d := range rep.Defects {
		if d.Severity != "moderate" && d.Kind != "jwt_weak_secret" && d.Kind != "outdated_component" {
			t.Errorf("%s %s: %s", d.Severity, d.Kind, d.Reason.En)
		}
	}
	if len(rep.Attacks) > 0 {
		t.Errorf("%d attacks in honest traffic", len(rep.Attacks))
	}
}

func TestVampiReportMatchesSchema(t *testing.T) {
	rep, _ := vampiReport(t)
	b, err := schema.FS.ReadFile("report.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("report.v1.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	inst, err := jsonschema.UnmarshalJSON(bytes.NewReader(marshal(t, rep)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(inst); err != nil {
		t.Error(err)
	}
}

// TestAddressesCanBeHidden looks for every client address of the capture in a
// report that was asked to hold none.
func TestAddressesCanBeHidden(t *testing.T) {
	rep, _ := run(t, engine.AnalyzeConfig{Workers: 2, File: &engine.FileConfig{Privacy: engine.Privacy{Addresses: "token"}}}, capture)
	if rep.Input.Addresses != "token" || len(rep.Attacks) == 0 {
		t.Fatalf("addresses %q, %d attacks", rep.Input.Addresses, len(rep.Attacks))
	}
	b := marshal(t, rep)
	for _, r := range truth(t) {
		if bytes.Contains(b, []byte(r.Src)) {
			t.Fatalf("the report holds the client address %s", r.Src)
		}
	}
	if bytes.Contains(b, []byte("10.77.8.0/24")) {
		t.Error("the report holds a client network")
	}
}

func TestSameReportAtAnyWorkerCount(t *testing.T) {
	var first []byte
	for _, workers := range []int{1, 2, 8} {
		rep, attributed := run(t, engine.AnalyzeConfig{Workers: workers}, capture)
		b := append(marshal(t, rep), attributed...)
		if first == nil {
			first = b
		} else if !bytes.Equal(first, b) {
			t.Errorf("%d workers give another report than 1: %s", workers, firstDifference(first, b))
		}
	}
}

func TestSameReportWhenSpilled(t *testing.T) {
	a, x := run(t, engine.AnalyzeConfig{Workers: 2}, capture)
	b, y := run(t, engine.AnalyzeConfig{Workers: 2, Memory: 256 << 10}, capture)
	ab, bb := append(marshal(t, a), x...), append(marshal(t, b), y...)
	if !bytes.Equal(ab, bb) {
		t.Errorf("spilling changes the report: %s", firstDifference(ab, bb))
	}
}

func TestSameReportWhenSplit(t *testing.T) {
	whole, x := run(t, engine.AnalyzeConfig{Workers: 2}, capture)
	dir := t.TempDir()
	splitCapture(t, capture, dir)
	split, y := run(t, engine.AnalyzeConfig{Workers: 2}, filepath.Join(dir, "*.pcap"))
	// The bytes read differ by the second file's header.
	split.Input.Bytes = whole.Input.Bytes
	a, b := append(marshal(t, whole), x...), append(marshal(t, split), y...)
	if !bytes.Equal(a, b) {
		t.Errorf("splitting the capture changes the report: %s", firstDifference(a, b))
	}
}

func marshal(t *testing.T, rep *report.Report) []byte {
	t.Helper()
	b, err := json.MarshalIndent(rep, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func firstDifference(a, b []byte) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	lo := max(0, n-80)
	return fmt.Sprintf("…%s  |  …%s", a[lo:min(len(a), n+80)], b[lo:min(len(b), n+80)])
}
