package record

import (
	"errors"
	"testing"
	"time"
)

func entries(n int) []Entry {
	var out []Entry
	for i := range n {
		out = append(out, Entry{ID: string(rune('a' + i)), At: time.Unix(int64(i), 5), By: "u", Action: "verdict", Target: "t", Detail: []byte(`{}`)})
	}
	return out
}

func sealed(c Chain, list []Entry) []Sealed {
	var out []Sealed
	var h Head
	for _, e := range list {
		out = append(out, c.Next(h, e))
		h = out[len(out)-1].Head()
	}
	return out
}

func walk(c Chain, log []Sealed, known Head) error {
	w := c.Walk(known)
	for _, s := range log {
		if err := w.Step(s); err != nil {
			return err
		}
	}
	_, err := w.End()
	return err
}

func TestChain(t *testing.T) {
	c := NewChain([32]byte{1})
	log := sealed(c, entries(4))
	if err := walk(c, log, log[1].Head()); err != nil {
		t.Fatal(err)
	}
	without := func(i int) []Sealed { return append(append([]Sealed{}, log[:i]...), log[i+1:]...) }
	changed := func(change func(*Sealed)) []Sealed {
		l := append([]Sealed{}, log...)
		change(&l[2])
		return l
	}
	again := func(e []Entry) []Sealed { return sealed(c, e) }
	for what, c2 := range map[string]struct {
		log   []Sealed
		known Head
	}{
		"id":                         {changed(func(s *Sealed) { s.ID = "x" }), Head{}},
		"time":                       {changed(func(s *Sealed) { s.At = s.At.Add(1) }), Head{}},
		"who":                        {changed(func(s *Sealed) { s.By = "x" }), Head{}},
		"action":                     {changed(func(s *Sealed) { s.Action = "x" }), Head{}},
		"target":                     {changed(func(s *Sealed) { s.Target = "x" }), Head{}},
		"detail":                     {changed(func(s *Sealed) { s.Detail = nil }), Head{}},
		"a byte over the border":     {changed(func(s *Sealed) { s.By, s.Action = "uv", "erdict" }), Head{}},
		"seal":                       {changed(func(s *Sealed) { s.Seal[0]++ }), Head{}},
		"number":                     {changed(func(s *Sealed) { s.Seq++ }), Head{}},
		"first missing":              {without(0), Head{}},
		"middle missing":             {without(1), Head{}},
		"end cut off":                {log[:2], log[3].Head()},
		"all cut off":                {nil, log[0].Head()},
		"sealed anew without one":    {again(entries(4)[1:]), log[1].Head()},
		"sealed with another's keys": {sealed(NewChain([32]byte{2}), entries(4)), Head{}},
	} {
		if err := walk(c, c2.log, c2.known); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestArgon2id(t *testing.T) {
	for s, want := range map[string]bool{
		"$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA": true,
		"$argon2i$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA":  false,
		"$argon2id$v=19$m=65536,t=3,p=2$$aGFzaGhhc2hoYXNoaGFzaA":                 false,
		"$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$hunter2":                false,
		"$argon2id$": false,
		"hunter2":    false,
	} {
		if argon2id(s) != want {
			t.Errorf("%s: %v", s, !want)
		}
	}
}

// FuzzPlace: whatever stands behind After gives a place or ErrInvalid, and a
// place comes back as it was written.
func FuzzPlace(f *testing.F) {
	f.Add((&Query{}).Cursor(Place{Number: 1, ID: "attack-1"}))
	f.Add("AAAAAAAAAAAA")
	f.Add("?")
	f.Fuzz(func(t *testing.T, s string) {
		for sort := range sorts {
			for _, upwards := range []bool{false, true} {
				place(t, Query{Kind: Attack, After: s, Sort: sort, Upwards: upwards})
			}
		}
	})
}

func place(t *testing.T, q Query) {
	_, p, err := q.Check()
	if err != nil {
		if !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
		return
	}
	if p == nil {
		return
	}
	q.After = q.Cursor(*p)
	if _, p2, err := q.Check(); err != nil || *p2 != *p {
		t.Fatalf("%v comes back as %v, %v", p, p2, err)
	}
}
