package lure

import (
	"strings"
	"testing"

	"xiezhi/internal/observe"
	"xiezhi/internal/redact"
	"xiezhi/internal/taxonomy"
)

var consent = Consent{By: "security", On: "2026-11-01"}

func TestCheck(t *testing.T) {
	for want, c := range map[string]Config{
		"":                {Consent: consent, Paths: []string{"/actuator/*", "/.env"}, IDs: []string{"90417755"}},
		"consent":         {Paths: []string{"/x"}},
		"paths[0]":        {Consent: consent, Paths: []string{"x"}},
		"paths[1]":        {Consent: consent, Paths: []string{"/a", "/*"}},
		"ids[0]":          {Consent: consent, IDs: []string{"1"}},
		"257 paths":       {Consent: consent, Paths: make([]string, 257)},
		"tokens[0]":       {Consent: consent, Tokens: []string{strings.Repeat("x", 300)}},
		"/a/../b\" is no": {Consent: consent, Paths: []string{"/a/../b"}},
	} {
		err := c.Check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if p, err := New(Config{}, redact.New([32]byte{1})); p != nil || err != nil || p.Touched("s", &observe.Observation{}, 1, 1) != "" || p.Path("/.env") {
		t.Errorf("no decoys: %v, %v", p, err)
	}
}

func TestTouched(t *testing.T) {
	r := redact.New([32]byte{1})
	p, err := New(Config{Consent: consent, Sites: []string{"shop"}, Paths: []string{"/Actuator/*", "/api/v0/export"}, Accounts: []string{"Svc_Backup"}, IDs: []string{"90417755"}, Tokens: []string{"sk_live_decoy"}}, r)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"/actuator": true, "/actuator/env?x=1": true, "/ACTUATOR/heapdump/": true, "/api/v0/export": true, "/api/v0/export/x": false, "/api/v0": false, "/actuators": false, "/": false, "": false} {
		if got := p.Path(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
	for name, c := range map[string]struct {
		o               observe.Observation
		subject, object uint64
		want            taxonomy.AttackKind
	}{
		"path":    {observe.Observation{Segments: []observe.Segment{{Text: "actuator"}, {Token: 5}}}, 0, 0, taxonomy.AttackVulnerabilityScan},
		"account": {observe.Observation{Accounts: []observe.Account{{Token: r.TokenFoldString("svc_backup")}}}, 0, 0, taxonomy.AttackCredentialStuffing},
		"subject": {observe.Observation{}, r.TokenString("Svc_Backup"), 0, taxonomy.AttackCredentialStuffing},
		"id":      {observe.Observation{}, 0, r.TokenString("90417755"), taxonomy.AttackBOLAExploitation},
		"token":   {observe.Observation{Credentials: []observe.Credential{{Token: r.TokenString("sk_live_decoy")}}}, 0, 0, taxonomy.AttackVulnerabilityScan},
		"nothing": {observe.Observation{Segments: []observe.Segment{{Text: "orders"}}, Accounts: []observe.Account{{Token: 7}}}, 8, 9, ""},
	} {
		if got := p.Touched("shop", &c.o, c.subject, c.object); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if got := p.Touched("other", &c.o, c.subject, c.object); got != "" {
			t.Errorf("%s at another site: %q", name, got)
		}
	}
}
