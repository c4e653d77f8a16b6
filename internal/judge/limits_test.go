package judge

import (
	"slices"
	"testing"
)

// TestModestCapsAreCaps: a cap that costs no finding is one that a judge counts,
// so that a name that changed does not hide a loss or make one up.
func TestModestCapsAreCaps(t *testing.T) {
	j := New(benchConfig(t, 0))
	known := []string{"catalog.refused", "attack.activity", "attack.hints", "attack.labels", "attack.sets", "campaign.pairs", "observe.forms"} // that others tell by name
	for _, c := range j.auditor.Counters() {
		known = append(known, c.What)
	}
	for what := range modest {
		if !slices.Contains(known, what) {
			t.Errorf("%s is no cap", what)
		}
	}
	for _, what := range []string{"defect.throttle.accounts", "attack.cells", "identity.accounts", "no.such"} {
		if (Limit{What: what}).Modest() {
			t.Errorf("%s costs findings", what)
		}
	}
	if !(Limit{What: "defect.throttle.attempts", Count: 9}).Modest() {
		t.Error("attempts of an account cost no finding")
	}
}
