package policy

import (
	"net/netip"
	"testing"
	"time"

	"xiezhi/internal/taxonomy"
)

func TestTargetCovers(t *testing.T) {
	for _, c := range []struct {
		t    Target
		want bool
	}{
		{Target{}, true},
		{Target{Site: "shop", Host: "a.shop.example", Method: "get", Template: "/v1/users/{id}/orders"}, true},
		{Target{Host: "*.shop.example", Template: "/v1/**"}, true},
		{Target{Template: "/v1/users/{name}/orders"}, true},
		{Target{Template: "/v1/users/**"}, true},
		{Target{Template: "/v1/user/**"}, false},
		{Target{Template: "/v1/users/{id}"}, false},
		{Target{Template: "/v1/users/7/orders"}, false},
		{Target{Template: "/v1/users/{id}/orders/{n}"}, false},
		{Target{Host: "*.other.example"}, false},
		{Target{Site: "other"}, false},
		{Target{Method: "POST"}, false},
	} {
		if got := c.t.Covers("shop", "a.shop.example", "GET", "/v1/users/{user_id}/orders"); got != c.want {
			t.Errorf("%+v: %v", c.t, got)
		}
	}
}

func TestApprovalPermits(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var v View
	v.AddApproval(Approval{Decision: Decision{At: at, Expires: at.Add(time.Hour)}, Target: Target{Template: "/export"},
		Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, MaxRecords: 500})
	in, out := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("192.0.2.1")
	for name, c := range map[string]struct {
		kind    taxonomy.DefectKind
		from    netip.Addr
		records uint32
		at      time.Time
		want    bool
	}{
		"as approved":  {taxonomy.DefectBulkResponse, in, 500, at, true},
		"too many":     {taxonomy.DefectBulkResponse, in, 501, at, false},
		"elsewhere":    {taxonomy.DefectBulkResponse, out, 5, at, false},
		"before":       {taxonomy.DefectBulkResponse, in, 5, at.Add(-1), false},
		"expired":      {taxonomy.DefectBulkResponse, in, 5, at.Add(time.Hour), false},
		"another kind": {taxonomy.DefectBOLA, in, 5, at, false},
	} {
		if got := v.Approved(c.kind, "h", "GET", "/export", c.from, c.records, c.at.UnixNano()); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEntriesComeInOrder(t *testing.T) {
	day := func(n int) Decision { return Decision{At: time.Unix(int64(n)*86400, 0)} }
	f := &File{Public: []Public{{Decision: day(3)}, {Target: Target{Site: "other"}}}, Fixes: []Fix{{Decision: day(2)}, {}}, Verdicts: []Verdict{{Decision: day(2)}}}
	got := f.Entries("shop")
	if len(got) != 4 || got[0].Fix == nil || got[1].Verdict == nil || got[2].Fix == nil || got[3].Public == nil {
		t.Fatalf("%+v", got)
	}
}
