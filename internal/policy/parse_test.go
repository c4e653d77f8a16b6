package policy

import (
	"strings"
	"testing"
	"time"

	"xiezhi/internal/taxonomy"
)

const example = `version: 1
public:
  - {site: shop, method: GET, template: "/goods/{id}", reason: catalogue, by: li}
approvals:
  - {kind: partner, host: api.shop.example, template: /open/**, clients: [192.0.2.0/24], max_records: 5000, reason: contract 7, expires: 2027-01-01T00:00:00Z}
verdicts:
  - {kind: cors, site: shop, verdict: false_positive, reason: test host, by: wang, at: 2026-11-01T08:00:00+08:00}
  - {defect: 0123456789abcdef, verdict: accepted_risk, reason: leaves in March, expires: 2027-03-31T00:00:00Z}
fixes:
  - {kind: bola, method: GET, template: "/orders/{id}", at: 2026-11-20T00:00:00Z, by: dev}
`

func TestParse(t *testing.T) {
	f, err := Parse("p.yaml", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if f.Public[0].Template != "/goods/{id}" || !f.Approvals[0].Clients[0].IsValid() || f.Fixes[0].At.IsZero() || f.Fixes[0].Kind != taxonomy.DefectBOLA {
		t.Errorf("%+v", f)
	}
	if v := f.Verdicts[0]; !v.Expires.Equal(v.At.Add(180*24*time.Hour)) || v.Verdict != taxonomy.FalsePositive {
		t.Errorf("a false positive ends on %s", v.Expires)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "version",
		"version: 2":                          "version: 2 is not 1",
		"version: 1\nruels: []":               "unknown field",
		"version: 1\npublic: [{}]":            "public[0]: template",
		"version: 1\npublic: [{template: a}]": "does not begin with /",
		"version: 1\npublic: [{template: /a/*/b}]":                                                   "a star may stand",
		"version: 1\napprovals: [{kind: x}]":                                                         "approvals[0]: kind",
		"version: 1\napprovals: [{kind: export}]":                                                    "reason",
		"version: 1\napprovals: [{kind: export, reason: x, clients: [a]}]":                           "clients",
		"version: 1\nverdicts: [{reason: x, verdict: confirmed}]":                                    "name the finding",
		"version: 1\nverdicts: [{kind: nope, reason: x, verdict: confirmed}]":                        "no kind of defect",
		"version: 1\nverdicts: [{kind: bola, reason: x, verdict: accepted_risk}]":                    "expires",
		"version: 1\nverdicts: [{kind: bola, reason: x, verdict: fixed}]":                            "none of confirmed",
		"version: 1\nfixes: [{kind: bola}]":                                                          "say when",
		"version: 1\nfixes: [{kind: bola, at: 2026-01-02T00:00:00Z, expires: 2026-01-01T00:00:00Z}]": "is not after",
		"version: 1\nfixes:\n  - kind: bola\n    at: 2026-01-02T00:00:00Z\n    metod: GET\n":         "[5:",
	} {
		if _, err := Parse("p.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "p.yaml: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("version: 1\nfixes: [&a {kind: bola, at: 2026-01-02T00:00:00Z}, *a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("p", data)
		if (p == nil) == (err == nil) {
			t.Fatal(p, err)
		}
		if p != nil {
			for _, e := range p.Entries("shop") {
				if e.Fix != nil && (e.Fix.At.IsZero() || e.Fix.Kind == "" && e.Fix.Defect == "") {
					t.Fatalf("%+v", e.Fix)
				}
			}
		}
	})
}
