package api

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"

	v1 "xiezhi/internal/api/v1"
)

// TestDescriptionsAreKept: put, listed, compared with on reading, used as a
// filter, replaced and deleted, each with its entry in the log.
func TestDescriptionsAreKept(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	site := h.report.Sites[0].Name
	base := "/api/v1/sites/" + url.PathEscape(site)
	g.must(404, "GET", base+"/drift", nil)
	g.must(400, "GET", "/api/v1/apis?drift=shadow", nil)
	g.must(404, "GET", "/api/v1/apis?drift=shadow&site="+url.QueryEscape(site), nil)
	whole := string(g.must(200, "GET", base+"/openapi", nil).body)
	var put v1.DescriptionInfo
	g.holds("PUT", base+"/descriptions", map[string]any{"name": "own.json", "document": whole}).into(t, &put)
	if put.Rev != 1 || put.Operations == 0 || put.Bytes != int64(len(whole)) || put.By != "root" {
		t.Errorf("%+v", put)
	}
	of := func(mark string) (ids []string) {
		t.Helper()
		next := ""
		for {
			var p v1.APIPage
			g.must(200, "GET", "/api/v1/apis?limit=2&sort=template&site="+url.QueryEscape(site)+"&drift="+mark+"&cursor="+next, nil).into(t, &p)
			for _, a := range p.Items {
				ids = append(ids, a.ID)
			}
			if p.Total < int64(len(ids)) || p.Next == "" && p.Total != int64(len(ids)) {
				t.Errorf("%s: %d in all, %d came", mark, p.Total, len(ids))
			}
			if next = p.Next; next == "" {
				return ids
			}
		}
	}
	apis := 0
	for i := range h.report.APIs {
		if h.report.APIs[i].Site == site {
			apis++
		}
	}
	if n := len(of("documented")); n != apis || len(of("shadow")) != 0 {
		t.Errorf("%d of %d are documented, %d are not", n, apis, len(of("shadow")))
	}
	// One that has nothing makes them all shadows; the marks are of what is kept.
	g.must(204, "DELETE", base+"/descriptions/own.json", nil)
	g.holds("PUT", base+"/descriptions", map[string]any{"name": "none.yaml", "document": "openapi: 3.1.0\npaths: {}\n"})
	var d v1.Drift
	if g.holds("GET", base+"/drift", nil).into(t, &d); len(d.Items) != apis || len(of("shadow")) != apis || len(of("documented")) != 0 {
		t.Errorf("%d items, %d shadows of %d", len(d.Items), len(of("shadow")), apis)
	}
	g.must(200, "PUT", base+"/descriptions", map[string]any{"name": "none.yaml", "document": whole}).into(t, &put)
	var list v1.Descriptions
	if g.holds("GET", base+"/descriptions", nil).into(t, &list); len(list.Items) != 1 || list.Items[0].Rev != 2 || len(of("shadow")) != 0 {
		t.Errorf("%+v", list)
	}
	var log v1.AuditEntryPage
	if g.must(200, "GET", "/api/v1/audit?action=description", nil).into(t, &log); len(log.Items) != 4 {
		t.Errorf("%d entries", len(log.Items))
	}
	g.must(404, "DELETE", base+"/descriptions/own.json", nil)
	g.must(404, "PUT", "/api/v1/sites/nowhere/descriptions", map[string]any{"name": "a", "document": whole})
}

// TestHostileDescriptionsAreRefused or bounded.
func TestHostileDescriptionsAreRefused(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	base := "/api/v1/sites/" + url.PathEscape(h.report.Sites[0].Name)
	for name, c := range map[string]struct {
		document string
		code     int
	}{
		"damaged":  {"[1,2", 422},
		"no":       {"hello", 422},
		"deep":     {strings.Repeat("[", 100_000), 422},
		"\x1b[2Jx": {"[1,2", 422},
		"noise":    {"openapi: 3.0.0\npaths: {}\nx: " + noise(2_500_000), 413},
		"too long": {"openapi: 3.0.0\npaths: {}\n#" + strings.Repeat("x", 4_100_000), 400},
	} {
		a := g.must(c.code, "PUT", base+"/descriptions", map[string]any{"name": name, "document": c.document})
		if bytes.ContainsRune(a.body, 0x1b) {
			t.Errorf("%q: %s", name, a.body)
		}
	}
	for i := range maxDescriptions {
		g.must(200, "PUT", base+"/descriptions", map[string]any{"name": fmt.Sprint(i), "document": "openapi: 3.0.0\npaths: {}\n"})
	}
	if p := g.ask("PUT", base+"/descriptions", map[string]any{"name": "more", "document": "openapi: 3.0.0\npaths: {}\n"}).problem(t); p.Code != "full" {
		t.Errorf("%+v", p)
	}
	g.must(200, "PUT", base+"/descriptions", map[string]any{"name": "0", "document": "openapi: 3.1.0\npaths: {}\n"})
	bomb, err := pack(strings.Repeat("x", maxDescription+2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(bomb); err == nil {
		t.Error("what unpacks to too much is read")
	}
}

// noise is text that does not pack.
func noise(n int) string {
	var b strings.Builder
	x := uint64(88172645463325252)
	for b.Len() < n {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		fmt.Fprintf(&b, "%x", x)
	}
	return b.String()[:n]
}
