package defect

import "testing"

func TestRefusals(t *testing.T) {
	const minute = int64(60e9)
	var r Refusals
	at := int64(0)
	refuse := func(n int, every int64) {
		for range n {
			at += every
			r.Refuse(at)
		}
	}
	want := func(what string, before, turns uint64) {
		t.Helper()
		if r.Before() != before || r.Turns() != turns {
			t.Errorf("%s: %d refusals, %d turns; want %d, %d", what, r.Before(), r.Turns(), before, turns)
		}
	}
	r.Fire(at)
	refuse(5, minute)
	want("after the last firing", 0, 0)
	r.Fire(at)
	want("between two firings", 5, 1)
	r.Fire(at)
	want("none between", 5, 1)
	refuse(100, 10*minute)
	r.Fire(at)
	want("a repair that was taken back", 6, 2)

	var a, b Refusals
	a.Refuse(2)
	b.Refuse(1)
	b.Fire(1)
	b.Refuse(3)
	a.Fold(&b)
	a.Fire(4)
	if a.Before() != 3 || a.Turns() != 2 {
		t.Errorf("folded: %d refusals, %d turns", a.Before(), a.Turns())
	}
}
