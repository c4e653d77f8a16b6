package engine

import (
	"testing"

	"xiezhi/internal/observe"
)

func TestSitesOfHosts(t *testing.T) {
	n := newSiteNamer(AnalyzeConfig{File: &FileConfig{Sites: []SiteConfig{
		{Name: "shop", Hosts: []string{"*.shop.example", "shop.example"}},
		{Name: "admin", Hosts: []string{"admin.shop.example", "*.ops.shop.example"}},
	}}}, map[string]bool{"other.example": true})
	for host, want := range map[string]string{
		"shop.example":             "shop",
		"a.shop.example":           "shop",
		"a.b.shop.example":         "shop",
		"admin.shop.example":       "admin",
		"x.admin.shop.example":     "shop",
		"x.ops.shop.example":       "admin",
		"ops.shop.example":         "shop",
		"myshop.example":           unlistedPrefix,
		"shop.example.evil.test":   unlistedPrefix,
		"other.example":            "other.example",
		"":                         unlistedPrefix,
		".":                        unlistedPrefix,
		"..shop.example":           "shop",
		"xn--fiq228c.shop.example": "shop",
	} {
		if got := n.site(&observe.Observation{Host: host}); got != want {
			t.Errorf("%q is of site %q, want %q", host, got, want)
		}
	}
}
