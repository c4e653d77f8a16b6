package rival

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"xiezhi/internal/exchange"
)

// play is an hour: 40 visitors with five requests each, and one address with
// fifty, of attack number a.
func play(a int) Table {
	w := NewWindows()
	put := func(from string, i, attack int) {
		x := &exchange.Exchange{Method: []byte("GET"), Host: []byte("shop"), Target: fmt.Appendf(nil, "/goods/%d", i), Status: 200,
			Start: int64(100*time.Hour + time.Duration(i)*time.Second), Client: netip.AddrPortFrom(netip.MustParseAddr(from), 1)}
		w.Observe(x, attack, false)
	}
	for i := range 200 {
		put(fmt.Sprintf("198.51.100.%d", i%40), i, 0)
		if i < 50 {
			put("192.0.2.1", i, a)
		}
		put("192.0.2.2", i, -1) // neither: not counted anywhere
	}
	return w.Table()
}

func TestStumpFindsTheThreshold(t *testing.T) {
	all := func(int, int) bool { return true }
	s := Fit([]Table{play(1)}, all)
	if s.F1 != 1 || s.Entity != ByAddress {
		t.Fatalf("%+v %s", s, s)
	}
	// Five requests a visitor, fifty the attacker: any step between will do.
	for f, v := range map[int]float64{Requests: 50, Questions: 50, Paths: 50} {
		if s.Feature == f && (s.Below || !s.Flags(bin(f, v)) || s.Flags(bin(f, 5))) {
			t.Errorf("%s does not part 5 from 50", s)
		}
	}
	if none := Fit([]Table{play(1)}, func(_, a int) bool { return a != 1 }); none.F1 != 0 {
		t.Errorf("learned %s from an attack that is held out", none)
	}
	// Held out in one table, it is learned from another.
	if s := Fit([]Table{play(1), play(2)}, func(t, a int) bool { return a == 2 }); s.F1 != 1 {
		t.Errorf("F1 %v", s.F1)
	}
}

func TestTableCountsByHand(t *testing.T) {
	table := play(3)
	at := Place{ByAddress, 1, Requests} // an hour
	got := map[int]Cell{}
	for step, c := range table[at] {
		got[step] = *c
	}
	want := map[int]Cell{bin(Requests, 5): {Honest: 200, False: 40}, bin(Requests, 50): {Attack: map[int]int{3: 50}, True: 1}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// All of them look alike, so a cohort has 250, a fifth of it attack.
	got = map[int]Cell{}
	for step, c := range table[Place{ByCohort, 1, Requests}] {
		got[step] = *c
	}
	if want := map[int]Cell{bin(Requests, 250): {Honest: 200, Attack: map[int]int{3: 50}, False: 1}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	b, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	var again Table
	if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(again, table) {
		t.Errorf("a table does not survive its JSON: %v", err)
	}
}

func TestBinsAreOrdered(t *testing.T) {
	for f := range features {
		last := -1
		for _, v := range []float64{0, 0.01, 0.2, 0.5, 0.99, 1} {
			b := bin(f, v)
			if b < last || b >= Bins {
				t.Errorf("%s: %v lies in %d after %d", FeatureIDs[f], v, b, last)
			}
			if Value(f, b) > v+1e-9 {
				t.Errorf("%s: step %d of %v is worded %v", FeatureIDs[f], b, v, Value(f, b))
			}
			last = b
		}
	}
	if b := bin(Requests, 1e9); b != Bins-1 {
		t.Errorf("more than anything lies in %d", b)
	}
}
