package respond

import (
	"context"
	"testing"
	"time"
)

// TestPeopleDoNotWaitForTheMachine: while an attack is held against traffic,
// which takes seconds, people undo and stop; what was undone stays undone.
func TestPeopleDoNotWaitForTheMachine(t *testing.T) {
	r := newRoom(t, "response: [{mode: enforce}]")
	past := r.cfg.Shadow
	during := func() {}
	r.cfg.Shadow = func(ctx context.Context, site string, list []Selector, span time.Duration) ([]Collateral, error) {
		during()
		return past(ctx, site, list, span)
	}
	r.open()
	a := attackOf("k", "confirmed", Keys{IP: []string{"203.0.113.1"}}, "a1")
	if err := r.desk.answer(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	old, _ := r.desk.ofAttack("k")
	if old == nil || old.State != Active {
		t.Fatalf("%+v", old)
	}

	r.now = r.now.Add(2 * settle)
	during = func() {
		if _, err := r.desk.Stop(t.Context(), ann, true, "wrong"); err != nil {
			t.Error(err)
		}
		if !r.desk.Table().Idle("shop.example") {
			t.Error("gateways are not told to stop")
		}
		if _, err := r.desk.Undo(t.Context(), ann, old.ID, "wrong"); err != nil {
			t.Error(err)
		}
	}
	if err := r.desk.answer(t.Context(), attackOf("k", "confirmed", Keys{IP: []string{"203.0.113.1", "203.0.113.2"}}, "a1")); err != nil {
		t.Fatal(err)
	}
	during = func() {}
	if x, ended := r.desk.ofAttack("k"); x != nil || ended == "" {
		t.Errorf("what a person undid came back: %+v", x)
	}
	r.now = r.now.Add(2 * settle)
	if err := r.desk.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x, _ := r.desk.ofAttack("k"); x != nil {
		t.Errorf("what a person undid came back later: %+v", x)
	}
	if !r.desk.Stopped().Stopped {
		t.Error("the kill switch is not set")
	}
}
