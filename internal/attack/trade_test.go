package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// TestRolesThatChange: an API belongs to the unit of what it trades for as long
// as that is its role, and what is merged into another goes with it.
func TestRolesThatChange(t *testing.T) {
	s := newScript(1)
	s.promotion()
	e := New(Config{Site: "shop"})
	see := func(api string) {
		ev := s.claim(s.browser(s.home(1)), float64(s.n), api, "", true)
		e.Observe(&ev.Event)
	}
	also := func() int {
		if i, ok := e.byUnit["trade:claim"]; ok {
			return len(e.units[i].also)
		}
		return 0
	}
	see("claim")
	see("bind")
	if n := also(); n != 2 {
		t.Fatalf("%d APIs trade, not 2", n)
	}
	e.Observe(&catalog.Event{Merges: []catalog.Merge{{From: s.apis["bind"].Handle, Into: s.apis["claim"].Handle}}})
	if n := also(); n != 1 {
		t.Errorf("%d APIs trade after a merge, not 1", n)
	}
	s.apis["claim"].Role = taxonomy.RoleList
	see("claim")
	if n := also(); n != 0 {
		t.Errorf("%d APIs trade that only list", n)
	}
	s.apis["claim"].Role = taxonomy.RoleClaim
	see("claim")
	if n := also(); n != 1 {
		t.Errorf("%d APIs trade again, not 1", n)
	}
	e.Findings(nil)
}

// TestMarketIsBounded: at the caps what came first is forgotten and counted.
func TestMarketIsBounded(t *testing.T) {
	s := newScript(1)
	s.shop()
	e := New(Config{Site: "shop"})
	c := s.browser(s.home(1))
	const n = maxTraders + 500
	for i := range n {
		c.credential, c.principal = uint64(i+1)<<8, uint64(i+1)<<9
		ev := s.send(c, float64(i), "order", "", func(ev *scripted) {
			ev.obs.Deals = []observe.Deal{offer(uint64(i)), deviceOf(uint64(i))}
			ev.obs.Leaves = []observe.Leaf{{Path: "id", Token: mix64(uint64(i)), Class: observe.ClassInt}}
		})
		e.Observe(&ev.Event)
	}
	m := &e.market
	if len(m.people) != maxTraders || len(m.index) != maxTraders || len(m.openings.slots) != maxOpenings || len(m.openings.index) != maxOpenings || len(m.orders.ring) > 1<<15 {
		t.Errorf("%d people, %d openings, %d orders", len(m.people), len(m.openings.slots), len(m.orders.ring))
	}
	if m.lost < 500+n-maxOpenings || m.orders.lost == 0 || e.Losses().Targets < m.lost {
		t.Errorf("lost %d and %d", m.lost, m.orders.lost)
	}
}

// TestOpening: those who are there at the moment are credited, if five are, and
// the clock is fine enough to tell.
func TestOpening(t *testing.T) {
	for name, c := range map[string]struct {
		offs  []int64 // ms after the first success
		grain int64
		want  int
	}{
		"five":          {[]int64{0, 20, 40, 60, 80}, 1, 5},
		"a late one":    {[]int64{0, 20, 40, 60, 80, 700}, 1, 5},
		"one after all": {[]int64{0, 300, 400, 500, 600, 700}, 1, 1},
		"too few":       {[]int64{0, 20, 40, 60}, 1, 0},
		"whole seconds": {[]int64{0, 20, 40, 60, 80, 90}, 1000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(1)
			s.shop()
			e := New(Config{Site: "shop"})
			for i, off := range c.offs {
				at := 100_007 + off
				if c.grain > 1 {
					at -= at % c.grain
				}
				p := s.browser(s.home(i))
				p.principal, p.credential = uint64(i+1), uint64(i+1)
				ev := s.send(p, float64(at)/1000, "order", "", func(ev *scripted) { ev.obs.Deals = []observe.Deal{offer(3)} })
				e.Observe(&ev.Event)
			}
			got := 0
			for r := ref(1); int(r) < e.cells.size; r++ {
				got += int(e.cells.at(r).quick)
			}
			if got != c.want {
				t.Errorf("%d are there at the opening, not %d", got, c.want)
			}
		})
	}
}

// TestOrdersAreSettled: by their number, else by who placed them; what is given
// up at once was a slip.
func TestOrdersAreSettled(t *testing.T) {
	for name, c := range map[string]struct {
		api           string
		after         float64
		byNumber      bool
		other         bool // another account settles it
		dropped, paid uint32
	}{
		"cancelled by number":    {"cancel", 60, true, true, 1, 0},
		"cancelled by who":       {"cancel", 60, false, false, 1, 0},
		"a slip":                 {"cancel", 3, true, false, 0, 0},
		"paid":                   {"pay", 60, true, false, 0, 1},
		"another's is no matter": {"cancel", 60, false, true, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(1)
			s.shop()
			e := New(Config{Site: "shop"})
			p := s.browser(s.home(1))
			p.principal, p.credential = 11, 12
			ev := s.send(p, 10, "order", "", func(ev *scripted) {
				ev.obs.Leaves = []observe.Leaf{{Path: "data.orderId", Token: 4711, Class: observe.ClassInt}}
			})
			e.Observe(&ev.Event)
			if c.other {
				p = s.browser(s.home(2))
				p.principal, p.credential = 21, 22
			}
			ev = s.send(p, 10+c.after, c.api, "", func(ev *scripted) {
				if c.byNumber {
					ev.obs.Params = []observe.Param{{Name: "orderId", Token: 4711}}
				}
			})
			e.Observe(&ev.Event)
			var dropped, paid uint32
			for r := ref(1); int(r) < e.cells.size; r++ {
				dropped += e.cells.at(r).dropped
				paid += e.cells.at(r).paid
			}
			if dropped != c.dropped || paid != c.paid {
				t.Errorf("%d given up and %d paid, not %d and %d", dropped, paid, c.dropped, c.paid)
			}
		})
	}
}
