package catalog

import (
	"fmt"
	"testing"

	"xiezhi/internal/identity"
)

func warm(b *testing.B) (*site, []*build) {
	s := newSite(b)
	l := userSite()
	for i := range 400 { // a site with routes beside these
		l = append(l, request("GET", fmt.Sprintf("/api/v2/area%c%c/list", 'a'+i/20, 'a'+i%20)).json(200, fmt.Sprint(i)).leaf("data[].id", fmt.Sprint(i)))
	}
	for range 3 {
		for _, x := range l {
			s.do(x)
		}
	}
	return s, l
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	s, l := warm(b)
	i := 0
	for b.Loop() {
		if s.Lookup(&l[i%len(l)].Observation) == nil {
			b.Fatal("not found")
		}
		i++
	}
}

func BenchmarkAssign(b *testing.B) {
	b.ReportAllocs()
	s, l := warm(b)
	var ev Event
	who := identity.Who{Client: l[0].Client.Addr(), Credential: 1, Principal: 2}
	i := 0
	for b.Loop() {
		s.Assign(&l[i%len(l)].Observation, &who, &ev)
		i++
	}
}

func BenchmarkAssignJunk(b *testing.B) {
	b.ReportAllocs()
	s, _ := warm(b)
	var ev Event
	who := identity.Who{Client: request("GET", "/").Client.Addr()}
	x := request("GET", "/wp-content/plugins/shell").small(404, "e")
	i := uint64(0)
	for b.Loop() {
		x.Segments[2].Token = i
		s.Assign(&x.Observation, &who, &ev)
		i++
	}
}

func TestAssignDoesNotAllocate(t *testing.T) {
	s := newSite(t)
	l := userSite()
	for range 55 { // past 512 exchanges each: roles are judged again at doublings
		for _, x := range l {
			s.do(x)
		}
	}
	var ev Event
	who := identity.Who{Client: l[0].Client.Addr(), Credential: 1, Principal: 2}
	n := testing.AllocsPerRun(20, func() {
		for _, x := range l {
			s.Assign(&x.Observation, &who, &ev)
		}
	})
	if n > 0 {
		t.Errorf("%.1f allocations in %d assignments", n, len(l))
	}
}
