package catalog

import (
	"fmt"
	"testing"

	"xiezhi/internal/observe"
)

// way finds a way of an API.
func wayOf(a *API, status uint16, form uint64) *Way {
	for i := range a.Ways {
		if a.Ways[i].Status == status && a.Ways[i].Form == form {
			return &a.Ways[i]
		}
	}
	return nil
}

func only(t *testing.T, s *site, method, template string) *API {
	t.Helper()
	for _, a := range s.APIs() {
		if a.Method == method && a.Template == template {
			return a
		}
	}
	var have []string
	for _, a := range s.APIs() {
		have = append(have, a.Method+" "+a.Template)
	}
	t.Fatalf("no API %s %s: %q", method, template, have)
	return nil
}

func at(b *build, i int) *build {
	b.Start = 1_700_000_000e9 + int64(i)*1e9
	b.End, b.ID = b.Start, fmt.Sprint("x", i)
	return b
}

func TestWaysAreCountedInOrder(t *testing.T) {
	s := newSite(t)
	for i := range 60 {
		b := at(request("GET", "/orders/list"), i).json(200, "orders").leaf("list[].id", "1")
		b.ReqForm, b.RespForm = 1, 10
		if i >= 40 {
			b.RespForm = 11
		}
		if i == 50 {
			b.json(500, "")
			b.ReqForm, b.RespForm = 2, 12 // not granted: what was asked does not count
		}
		s.do(b)
	}
	a := only(t, s, "GET", "/orders/list")
	asked, first, second, failed := wayOf(a, 0, 1), wayOf(a, 200, 10), wayOf(a, 200, 11), wayOf(a, 500, 12)
	if asked == nil || asked.Count != 59 || wayOf(a, 0, 2) != nil {
		t.Errorf("asked: %+v", a.Ways)
	}
	if first == nil || first.Count != 40 || first.At != 0 || first.Exchange != "x0" {
		t.Errorf("first: %+v", first)
	}
	if second == nil || second.Count != 19 || second.At != 40 || second.Before != 40 || second.Exchange != "x40" || second.Last != 1_700_000_059e9 {
		t.Errorf("second: %+v", second)
	}
	if failed == nil || failed.At != 0 || failed.Before != 50 {
		t.Errorf("failed: %+v", failed)
	}
}

func TestWaysAreBounded(t *testing.T) {
	s := newSite(t)
	for i := range 300 {
		b := at(request("GET", "/orders/list"), i).json(200, "orders").leaf("list[].id", "1")
		b.ReqForm, b.RespForm = uint64(i+1), uint64(i+1)
		s.do(b)
	}
	a := only(t, s, "GET", "/orders/list")
	if n := len(a.Ways); n != MaxRequestWays+MaxResponseWays {
		t.Errorf("%d ways", n)
	}
	if want := uint64(300-MaxRequestWays) + uint64(300-MaxResponseWays); a.WaysOver != want {
		t.Errorf("%d had no room, want %d", a.WaysOver, want)
	}
}

// Literals that become one parameter bring their ways along.
func TestWaysSurviveMerges(t *testing.T) {
	s := newSite(t)
	names := []string{"alice", "bobby", "carol", "davey", "erica", "frank", "gwenn", "henry", "irene", "jacob"}
	for i := range 100 {
		n := names[i%len(names)]
		b := at(request("GET", "/users/"+n), i).json(200, "user").leaf("username", n)
		b.ReqForm, b.RespForm = 0, 10
		s.do(b)
	}
	a := only(t, s, "GET", "/users/{username}")
	if w := wayOf(a, 200, 10); w == nil || w.Count != 100 || w.First != 1_700_000_000e9 || w.Exchange != "x0" {
		t.Errorf("ways %+v", a.Ways)
	}
	if len(a.Path) != 1 || a.Path[0].Name != "username" || a.Path[0].Class != observe.ClassWord {
		t.Errorf("parameters %+v", a.Path)
	}
}

func TestShiftsOfAuthentication(t *testing.T) {
	s := newSite(t)
	for i := range 60 {
		b := at(request("GET", "/orders/list"), i).json(200, "orders").leaf("list[].id", "1")
		if i < 30 {
			b.bearer("token-of-alice")
		}
		s.do(b)
	}
	a := only(t, s, "GET", "/orders/list")
	if len(a.Shifts) != 1 || a.Shifts[0].Shown || a.Shifts[0].Exchange != "x30" || a.LastShown != 1_700_000_029e9 {
		t.Errorf("shifts %+v, last shown %d", a.Shifts, a.LastShown)
	}
	if len(a.Shown) != 1 || a.Shown[0].Name != "authorization" || a.Shown[0].Count != 30 {
		t.Errorf("shown %+v", a.Shown)
	}
}
