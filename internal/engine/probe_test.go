package engine_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"xiezhi/internal/engine"
)

// TestProbeChangesNothing looks into a run now and then: the report stays what
// it is, some looks meet an attack and some do not, and the last attributed
// exchange is seen as what the report attributes it to.
func TestProbeChangesNothing(t *testing.T) {
	plain, _ := vampiReport(t)
	want := marshal(t, plain)
	var order []string
	seen := map[string][]string{}
	probe := &engine.Probe{
		Due: func(id string) bool {
			order = append(order, id)
			return len(order)%400 == 0
		},
		Look: func(id string, hits []engine.Hit) {
			list := []string{}
			for _, h := range hits {
				list = append(list, h.Attack+" "+h.Kind)
			}
			slices.Sort(list)
			seen[id] = list
		},
	}
	rep, _ := run(t, engine.AnalyzeConfig{Probe: probe, Workers: 1}, capture)
	if got := marshal(t, rep); !bytes.Equal(got, want) {
		t.Errorf("the probe changed the report: %s", firstDifference(want, got))
	}
	if uint64(len(order)) != rep.Input.Observations || len(seen) != len(order)/400 {
		t.Fatalf("asked %d times of %d, looked %d times", len(order), rep.Input.Observations, len(seen))
	}
	hit := 0
	for _, list := range seen {
		if len(list) > 0 {
			hit++
		}
	}
	if hit == 0 || hit == len(seen) {
		t.Errorf("%d of %d looks met an attack", hit, len(seen))
	}

	// After the last attributed exchanges of all, nothing comes that the probe
	// did not know when it looked at the last exchange.
	_, lines := vampiReport(t)
	final := map[string][]string{}
	for line := range bytes.Lines(lines) {
		var hit struct{ ID, Attack, Kind string }
		if err := json.Unmarshal(line, &hit); err != nil {
			t.Fatal(err)
		}
		final[hit.ID] = append(final[hit.ID], hit.Attack+" "+hit.Kind)
	}
	var last string
	for _, id := range order {
		if len(final[id]) > 0 {
			last = id
		}
	}
	var got []string
	probe.Due = func(id string) bool { return id == last }
	probe.Look = func(_ string, hits []engine.Hit) {
		for _, h := range hits {
			got = append(got, h.Attack+" "+h.Kind)
		}
	}
	run(t, engine.AnalyzeConfig{Probe: probe, Workers: 1}, capture)
	slices.Sort(got)
	slices.Sort(final[last])
	if !slices.Equal(got, final[last]) {
		t.Errorf("the last attributed exchange %s was seen as %q, the report says %q", last, got, final[last])
	}
}
