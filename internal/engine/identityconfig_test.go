package engine_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/rules"
)

// What the configuration says of sessions, accounts and proxies decides who
// asked: the same traffic, read with and without.
func TestIdentityConfiguration(t *testing.T) {
	var b strings.Builder
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for i := range 60 {
		fmt.Fprintf(&b, `{"startedDateTime":%q,"time":5,"_client":{"ip":"10.0.0.1","port":4000},"request":{"method":"GET","url":"http://desk.example/orders/%d","httpVersion":"HTTP/1.1","headers":[`+
			`{"name":"Host","value":"desk.example"},{"name":"X-Forwarded-For","value":"172.64.0.1"},{"name":"CF-Connecting-IP","value":"198.51.100.%d"},{"name":"X-Staff","value":"w%03d"}]},`+
			`"response":{"status":200,"httpVersion":"HTTP/1.1","headers":[{"name":"Content-Type","value":"application/json"}],"content":{"mimeType":"application/json","text":"{\"id\":%d,\"state\":\"paid\"}"}}}`+"\n",
			at.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), 9000+i, 1+i%20, i%20, 9000+i)
	}
	name := filepath.Join(t.TempDir(), "desk.harl")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(config string) *report.API {
		t.Helper()
		file, err := engine.ParseConfig("x.yaml", []byte(config))
		if err != nil {
			t.Fatal(err)
		}
		tools, err := engine.LoadTools(rules.FS, [32]byte{7})
		if err != nil {
			t.Fatal(err)
		}
		inputs, err := source.Expand([]string{name}, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := engine.Analyze(context.Background(), engine.AnalyzeConfig{Version: "test", Tools: tools, Inputs: inputs, File: file, Random: rand.Reader, Workers: 2,
			Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range res.Report.APIs {
			if strings.HasPrefix(res.Report.APIs[i].Template, "/orders/") {
				return &res.Report.APIs[i]
			}
		}
		t.Fatalf("no API: %+v", res.Report.APIs)
		return nil
	}
	const site = "sites:\n  - {name: desk, hosts: [desk.example]"
	plain := run(site + "}\n")
	if plain.Auth != "none" || plain.Actors != 1 {
		t.Errorf("without: auth %s, %d actors", plain.Auth, plain.Actors)
	}
	if a := run(site + ", identity: {account: [\"header:X-Staff\"]}}\n"); a.Auth == "none" || a.Actors != 20 {
		t.Errorf("with the gateway's header: auth %s, %d actors", a.Auth, a.Actors)
	}
	if a := run("client_address_headers: [CF-Connecting-IP]\n" + site + "}\n"); a.Auth != "none" || a.Actors != 20 {
		t.Errorf("with the CDN's header: auth %s, %d actors", a.Auth, a.Actors)
	}
}
