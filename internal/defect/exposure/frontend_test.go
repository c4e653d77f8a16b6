package exposure

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/observe"
)

// Names merged in place are the union that a set gives.
func TestNamesAreTheUnion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, want := NewFrontend(), map[uint32]bool{}
		for range rapid.IntRange(1, 6).Draw(rt, "scripts") {
			list := rapid.SliceOfNDistinct(rapid.Uint32Range(1, 40), 0, 20, rapid.ID[uint32]).Draw(rt, "names")
			slices.Sort(list)
			for _, k := range list {
				want[k] = true
			}
			d.learn(&defect.Event{Event: &catalog.Event{Observation: &observe.Observation{Used: list}}})
		}
		if !slices.IsSorted(d.used) || len(d.used) != len(want) {
			rt.Fatalf("%v, want %d names in order", d.used, len(want))
		}
		for k := range want {
			if !d.uses(k) {
				rt.Fatalf("%d is missing in %v", k, d.used)
			}
		}
	})
}

func TestNamesAreCapped(t *testing.T) {
	d := NewFrontend()
	for i := range maxNames/observe.MaxUsed + 1 {
		list := make([]uint32, observe.MaxUsed)
		for k := range list {
			list[k] = uint32(i*observe.MaxUsed + k + 1)
		}
		d.learn(&defect.Event{Event: &catalog.Event{Observation: &observe.Observation{Used: list}}})
	}
	if len(d.used) != maxNames || d.cut != 1 {
		t.Errorf("%d names, %d scripts cut", len(d.used), d.cut)
	}
}
