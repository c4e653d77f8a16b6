package line_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/arena/line"
)

var noon = time.Date(2024, 4, 2, 12, 0, 0, 0, time.UTC)

func TestPoolKeepsOneAddressUntilItsTimeIsUp(t *testing.T) {
	k := &knob.Knobs{Networks: []knob.Network{knob.Residential}, PoolLife: 10 * time.Minute}
	p := line.NewPool(rand.New(rand.NewPCG(1, 2)), k, nil)
	first := p.Next(netip.Addr{}, noon)
	if other := p.Next(netip.Addr{}, noon.Add(time.Second)); other != first {
		t.Errorf("a second actor got %v, the first has %v", other, first)
	}
	if same := p.Next(first, noon.Add(9*time.Minute)); same != first {
		t.Errorf("%v after nine minutes, want %v", same, first)
	}
	if next := p.Next(first, noon.Add(11*time.Minute)); next == first {
		t.Error("the same address after its life")
	}
}

func TestPoolTakesHonestLines(t *testing.T) {
	honest := map[netip.Addr]bool{}
	var lines []netip.Addr
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		a := line.Any(r, knob.Residential)
		lines, honest[a] = append(lines, a), true
	}
	k := &knob.Knobs{AddressesPerRequest: 1, Overlap: .5, Networks: []knob.Network{knob.AbroadHome}}
	p := line.NewPool(r, k, lines)
	shared, a := 0, netip.Addr{}
	for i := range 2000 {
		a = p.Next(a, noon.Add(time.Duration(i)*time.Second))
		if honest[a] {
			shared++
		} else if line.Of(a) != knob.AbroadHome {
			t.Fatalf("%v is of %q", a, line.Of(a))
		}
	}
	if shared < 900 || shared > 1100 {
		t.Errorf("%d of 2000 addresses are the public's, want half", shared)
	}
}

func TestNeighboursAreOneBlock(t *testing.T) {
	of := line.Neighbours(rand.New(rand.NewPCG(5, 6)), knob.DataCentre, 40)
	block, seen := netip.PrefixFrom(of[0], 24), map[netip.Addr]bool{}
	for _, a := range of {
		if !block.Contains(a) || seen[a] || line.Of(a) != knob.DataCentre {
			t.Errorf("%v beside %v", a, of[0])
		}
		seen[a] = true
	}
	if len(of) != 40 {
		t.Errorf("%d addresses", len(of))
	}
}
