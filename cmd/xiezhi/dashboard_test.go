package main

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	v1 "xiezhi/internal/api/v1"
)

// TestDashboardAsksForWhatThereIs: every metric of the dashboard is one that a
// service gives.
func TestDashboardAsksForWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../../deploy/grafana/xiezhi.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	descs := make(chan *prometheus.Desc, 16)
	newStatusMetrics(func(context.Context) v1.Status { return v1.Status{} }).Describe(descs)
	close(descs)
	have := ""
	for desc := range descs {
		have += desc.String()
	}
	name, asked := regexp.MustCompile(`xiezhi_\w+`), 0
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			for _, m := range name.FindAllString(target.Expr, -1) {
				if asked++; !strings.Contains(have, `"`+m+`"`) {
					t.Errorf("%s is nothing that a service gives", m)
				}
			}
		}
	}
	if asked < 8 {
		t.Errorf("%d metrics are asked for: the search is broken", asked)
	}
}
