package signature

import (
	"reflect"
	"testing"

	"xiezhi/rules"
)

// Without examples the rules are the same.
func TestBareRulesAreTheSame(t *testing.T) {
	whole, err := Load(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	lean, err := LoadBare(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	if len(lean.rules) != len(whole.rules) || len(lean.rules) < 400 {
		t.Fatalf("%d rules, want %d", len(lean.rules), len(whole.rules))
	}
	cases := 0
	for i, r := range whole.rules {
		x := lean.rules[i]
		cases += len(r.Cases.Match) + len(r.Cases.Pass)
		if len(x.Cases.Match)+len(x.Cases.Pass) != 0 {
			t.Errorf("%s has examples", x.ID)
		}
		if (r.match.pattern == nil) != (x.match.pattern == nil) || r.match.pattern != nil && r.match.pattern.String() != x.match.pattern.String() {
			t.Errorf("%s: the patterns differ", r.ID)
		}
		for _, status := range []int{200, 302, 404, 500} {
			if r.where.status(status) != x.where.status(status) {
				t.Errorf("%s: the status %d differs", r.ID, status)
			}
		}
		a, b := *r, *x
		a.Cases, b.Cases = Cases{}, Cases{}
		a.match.pattern, b.match.pattern, a.where.status, b.where.status = nil, nil, nil, nil
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %+v, want %+v", r.ID, b, a)
		}
	}
	if cases < 1000 {
		t.Errorf("%d examples", cases)
	}
	for i, g := range []*gate{&lean.value, &lean.path, &lean.response, &lean.narrow} {
		if w := []*gate{&whole.value, &whole.path, &whole.response, &whole.narrow}[i]; !reflect.DeepEqual(g.wakers, w.wakers) || !reflect.DeepEqual(g.auto(), w.auto()) {
			t.Errorf("gate %d differs", i)
		}
	}
}
