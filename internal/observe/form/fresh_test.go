package form

import (
	"encoding/json"
	"reflect"
	"testing"
)

// TestTakeHoldsTheSame: a table that takes what another was offered, in any
// pieces, holds what that one holds.
func TestTakeHoldsTheSame(t *testing.T) {
	from, to := NewTable(0).Relay(), NewTable(0)
	for i := range uint64(200) {
		key := i%17 + 1
		s := &Sample{Rank: i * 7919 % 1000, Client: i % 5}
		s.Say(0, "word")
		from.Offer(key, func() *Form { return made(key) }, s)
		if i%13 == 0 {
			text, err := json.Marshal(from.Fresh())
			if err != nil {
				t.Fatal(err)
			}
			var list []Offer
			if err := json.Unmarshal(text, &list); err != nil {
				t.Fatal(err)
			}
			to.Take(list)
		}
	}
	to.Take(from.Fresh())
	to.Take([]Offer{{Key: 99, Sample: &Sample{}}}) // its form was lost
	if from.Len() != 17 || to.Len() != from.Len() || to.Get(99) != nil {
		t.Fatalf("%d and %d forms", from.Len(), to.Len())
	}
	for key := range uint64(18) {
		if a, b := from.Get(key), to.Get(key); !reflect.DeepEqual(a, b) {
			t.Errorf("%d: %+v, there %+v", key, a, b)
		}
	}
	if list := from.Fresh(); list != nil {
		t.Errorf("told again: %v", list)
	}
}
