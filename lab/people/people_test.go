package people

import (
	"math/rand/v2"
	"testing"
)

// right checks the check digits by their definitions: the weighted sum with
// the check character is 1 modulo 11, the doubled sum is 0 modulo 10.
func right(t *testing.T, id, card string) {
	t.Helper()
	sum, weight := 0, 1
	for i := 17; i >= 0; i-- {
		d := int(id[i] - '0')
		if id[i] == 'X' {
			d = 10
		}
		sum += d * weight
		weight = weight * 2 % 11
	}
	if len(id) != 18 || sum%11 != 1 {
		t.Errorf("identity number %s has a wrong check character", id)
	}
	if card == "" {
		return
	}
	sum = 0
	for i := range len(card) {
		d := int(card[len(card)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	if len(card) != 16 || sum%10 != 0 {
		t.Errorf("card %s has a wrong check digit", card)
	}
}

func TestPersonsAreDistinctAndWellFormed(t *testing.T) {
	town := New(4)
	phones, cards, ids, plates := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for i := range 3000 {
		p := town.Person(i)
		right(t, p.ID, p.Card)
		if len(p.Phone) != 11 || p.Phone[0] != '1' {
			t.Fatalf("phone %q", p.Phone)
		}
		if o, dup := phones[p.Phone]; dup {
			t.Fatalf("%d and %d share the phone %s", o, i, p.Phone)
		}
		if o, dup := cards[p.Card]; dup {
			t.Fatalf("%d and %d share the card %s", o, i, p.Card)
		}
		phones[p.Phone], cards[p.Card] = i, i
		ids[p.ID]++
		plates[p.Plate]++
	}
	if len(ids) < 2990 || len(plates) < 2900 {
		t.Errorf("%d identity numbers and %d plates of 3000 persons", len(ids), len(plates))
	}
	if town.Person(77) != New(4).Person(77) {
		t.Error("the same person differs between two looks")
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		right(t, AnyID(r), "")
	}
}

func TestSlipIsNeverRight(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		if got := Slip(r, "aa11"); got == "aa11" || len(got) < 3 || len(got) > 5 {
			t.Fatalf("a slip of aa11 is %q", got)
		}
	}
}
