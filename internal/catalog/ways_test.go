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

func TestHeadsAreCounted(t *testing.T) {
	s := newSite(t)
	head := func(i int, path string, form uint64, client string) {
		b := at(request("GET", path), i).json(200, "orders").leaf("list[].id", "1").from(client)
		b.HeadForm = form
		s.do(b)
	}
	for i := range 30 {
		head(i, "/orders/list", 0, "192.0.2.1")
	}
	if a := only(t, s, "GET", "/orders/list"); a.Heads != nil {
		t.Fatalf("heads of what never had any: %+v", a.Heads)
	}
	for i := range 20 {
		head(30+i, "/orders/list", 7, fmt.Sprint("192.0.2.", 1+i/10))
		head(50+i, "/orders/list", 8, "192.0.2.9")
	}
	for i := range 40 {
		head(70+i, "/orders/list", uint64(100+i), "192.0.2.9")
	}
	a := only(t, s, "GET", "/orders/list")
	if len(a.Heads) != MaxHeads || a.WaysOver == 0 {
		t.Errorf("%d heads, %d over", len(a.Heads), a.WaysOver)
	}
	if h := a.Heads[0]; h.Form != 0 || h.Count != 30 {
		t.Errorf("without: %+v", h)
	}
	if h := a.Heads[1]; h.Form != 7 || h.Count != 20 || !h.Several || h.At != 30 || h.Exchange != "x30" {
		t.Errorf("of two clients: %+v", h)
	}
	if h := a.Heads[2]; h.Form != 8 || h.Count != 20 || h.Several {
		t.Errorf("of one client: %+v", h)
	}
}

// Literals that become one parameter bring their heads along.
func TestHeadsSurviveMerges(t *testing.T) {
	s := newSite(t)
	names := []string{"alice", "bobby", "carol", "davey", "erica", "frank", "gwenn", "henry", "irene", "jacob"}
	for i := range 100 {
		n := names[i%len(names)]
		b := at(request("GET", "/users/"+n), i).json(200, "user").leaf("username", n)
		if i%2 == 0 {
			b.HeadForm = 7
		}
		s.do(b)
	}
	a := only(t, s, "GET", "/users/{username}")
	counts := map[uint64]uint64{}
	for _, h := range a.Heads {
		counts[h.Form] += h.Count
	}
	if len(a.Heads) != 2 || counts[0] != 50 || counts[7] != 50 {
		t.Errorf("heads %+v", a.Heads)
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
