package report_test

import (
	"testing"
	"time"

	"xiezhi/internal/report"
)

func TestZoneOfSites(t *testing.T) {
	site := func(zones ...string) *report.Report {
		r := &report.Report{}
		for _, z := range zones {
			r.Sites = append(r.Sites, report.Site{TimeZone: z})
		}
		return r
	}
	for _, c := range []struct {
		r    *report.Report
		want string
	}{
		{site(), "UTC"}, {site("Asia/Shanghai"), "Asia/Shanghai"}, {site("Asia/Shanghai", "Asia/Shanghai"), "Asia/Shanghai"},
		{site("Asia/Shanghai", "Europe/Paris"), "UTC"}, {site("Asia/Shanghai", "Europe/Paris", "Asia/Shanghai"), "Asia/Shanghai"}, {site("Nowhere/City"), "UTC"}, {site(""), "UTC"},
	} {
		if got := c.r.Zone(time.UTC).String(); got != c.want {
			t.Errorf("%v: %s, want %s", c.r.Sites, got, c.want)
		}
	}
}
