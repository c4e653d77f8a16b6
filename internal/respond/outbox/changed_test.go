package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"xiezhi/internal/respond/outbox"
	"xiezhi/internal/store/record"
)

// shelf lists records; the rest of a Store is not asked.
type shelf struct {
	record.Store
	list []record.Record
	fail error
}

func (s *shelf) List(_ context.Context, q record.Query) (record.Page, error) {
	var p record.Page
	for _, r := range s.list {
		if r.Kind == q.Kind {
			p.Records = append(p.Records, r)
		}
	}
	return p, s.fail
}

func TestChanged(t *testing.T) {
	at := func(sec int) time.Time { return time.Unix(int64(sec), 0) }
	attack := func(i int) record.Record { return record.Record{Kind: record.Attack, ID: fmt.Sprint("a", i)} }
	s := &shelf{list: []record.Record{attack(0), {Kind: record.Campaign, ID: "c"}}, fail: errors.New("away")}
	c := outbox.NewChanged(3, 10*time.Second, record.Campaign, record.Attack)
	due := func(sec int, want ...string) {
		t.Helper()
		var got []string
		for _, k := range c.Due(at(sec)) {
			got = append(got, k.ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("due after %d s: %v, want %v", sec, got, want)
		}
	}
	scan := func(sec int) (seen []string, err error) {
		err = c.Scan(t.Context(), s, at(sec), func(r *record.Record) { seen = append(seen, r.ID) })
		return seen, err
	}
	if _, err := scan(0); err == nil {
		t.Error("a store that is away was scanned")
	}
	s.fail = nil
	if seen, err := scan(0); err != nil || fmt.Sprint(seen) != "[c a0]" {
		t.Errorf("scanned %v, %v, want what is there, kind after kind", seen, err)
	}
	if seen, err := scan(0); err != nil || seen != nil {
		t.Errorf("scanned again: %v, %v", seen, err)
	}
	due(9)
	due(10, "a0", "c")

	// What changes while it is looked at is looked at again; what fails is due at once.
	a0 := record.Key{Kind: record.Attack, ID: "a0"}
	if err := c.Look(a0, at(10), func(record.Key) error {
		c.Consider([]record.Record{attack(0), {Kind: record.Defect, ID: "d"}}, at(10))
		return nil
	}); err != nil {
		t.Error(err)
	}
	due(10, "c")
	due(20, "c", "a0")
	down := errors.New("down")
	if err := c.Look(a0, at(20), func(record.Key) error { return down }); !errors.Is(err, down) {
		t.Error(err)
	}
	due(20, "c", "a0")

	// Beyond the cap all is looked at again.
	s.list = nil
	for i := range 5 {
		s.list = append(s.list, attack(i))
	}
	c.Consider(s.list, at(30))
	due(40, "c", "a0", "a1")
	if seen, err := scan(40); err != nil || len(seen) != 5 {
		t.Errorf("scanned %v, %v", seen, err)
	}
	c.Mark(record.Key{Kind: record.Attack, ID: "a1"}, at(45)) // is marked
	due(50, "c", "a0", "a1", "a2", "a3", "a4")
}
