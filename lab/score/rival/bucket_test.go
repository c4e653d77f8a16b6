package rival

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"xiezhi/internal/exchange"
)

type hit struct {
	from   string
	at     time.Duration
	path   string
	status int
	denied bool
}

func pour(hits ...hit) []Alert {
	b := NewBuckets()
	for i, h := range hits {
		x := &exchange.Exchange{Method: []byte("GET"), Target: []byte(h.path), Host: []byte("shop"), Status: h.status, End: int64(time.Hour + h.at)}
		if h.from != "" {
			x.Client = netip.AddrPortFrom(netip.MustParseAddr(h.from), 1000)
		}
		b.Observe(int32(i), x, h.denied)
	}
	return b.Alerts()
}

// rows makes n hits, one every step.
func rows(n int, step time.Duration, of func(i int) hit) []hit {
	out := make([]hit, n)
	for i := range out {
		out[i] = of(i)
		out[i].at = time.Duration(i) * step
	}
	return out
}

func TestBuckets(t *testing.T) {
	missing := func(i int) hit { return hit{from: "192.0.2.1", path: fmt.Sprintf("/a%d", i), status: 404} }
	for _, c := range []struct {
		name string
		hits []hit
		rule string // of the only alert, "" none
		held int
	}{
		// Ten fit, the eleventh overflows: nothing leaks at once.
		{"eleven missing paths at once", rows(11, 0, missing), "http-probing", 11},
		{"ten do not", rows(10, 0, missing), "", 0},
		// At one in ten seconds the bucket leaks as fast as it fills.
		{"one every ten seconds never", rows(60, 10*time.Second, missing), "", 0},
		// At one in nine seconds 1/10 stays of each: level n - 0.9(n-1) > 10 from n = 92.
		{"one every nine seconds at last", rows(92, 9*time.Second, missing), "http-probing", 92},
		{"one less does not", rows(91, 9*time.Second, missing), "", 0},
		{"the same path again is poured once", rows(40, 0, func(int) hit { return hit{from: "192.0.2.1", path: "/a", status: 404} }), "", 0},
		{"41 pages at once are a crawl", rows(41, 0, func(i int) hit { return hit{from: "192.0.2.1", path: "/a", status: 200} }), "http-crawl-non_statics", 41},
		{"pictures are not", rows(90, 0, func(i int) hit { return hit{from: "192.0.2.1", path: "/a.png?v=2", status: 200} }), "", 0},
		{"two pages a second leak away", rows(400, 500*time.Millisecond, func(i int) hit { return hit{from: "192.0.2.1", path: "/a", status: 200} }), "", 0},
		{"six failed sign-ins", rows(6, time.Second, func(int) hit { return hit{from: "192.0.2.1", path: "/login", status: 200, denied: true} }), "http-generic-bf", 6},
		{"one an address is nothing", rows(200, time.Second, func(i int) hit {
			return hit{from: fmt.Sprintf("192.0.2.%d", i), path: "/login", status: 200, denied: true}
		}), "", 0},
		{"six answers of 401", rows(6, time.Second, func(int) hit { return hit{from: "192.0.2.1", path: "/x", status: 401} }), "http-generic-401-bf", 6},
		{"five secret files", rows(5, time.Second, func(i int) hit {
			return hit{from: "192.0.2.1", path: fmt.Sprintf("/%d/.env", i), status: 200}
		}), "http-sensitive-files", 5},
		{"without an address there is no bucket", rows(50, 0, func(i int) hit { return hit{path: fmt.Sprintf("/%d", i), status: 404} }), "", 0},
	} {
		got := pour(c.hits...)
		if c.rule == "" {
			if len(got) > 0 {
				t.Errorf("%s: %+v", c.name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Rule != c.rule || len(got[0].Over) != c.held {
			t.Errorf("%s: %+v, want %s with %d", c.name, got, c.rule, c.held)
		}
	}
}

func TestBanHoldsWhatFollows(t *testing.T) {
	hits := rows(6, time.Second, func(int) hit { return hit{from: "192.0.2.1", path: "/login", status: 200, denied: true} })
	hits = append(hits, hit{from: "192.0.2.1", at: 4 * time.Hour, path: "/shop", status: 200}, hit{from: "192.0.2.9", at: 4 * time.Hour, path: "/shop", status: 200},
		hit{from: "192.0.2.1", at: 4*time.Hour + 6*time.Second, path: "/shop", status: 200})
	got := pour(hits...)
	if len(got) != 1 || !slices.Equal(got[0].Over, []int32{0, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("%+v, want the six and the one within four hours", got)
	}
}
