//go:build cgo && unix

package duckdb

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
)

// TestLargestOfDays: the largest by rows are right where few make most of the
// traffic, where all make the same, and where only the sum of the days makes one
// large; of whole chunks, of parts, and beside rows not yet counted.
func TestLargestOfDays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	zipf := rand.NewZipf(r, 1.3, 3, 500)
	for what, who := range map[string]func(day int) uint64{
		"few":  func(int) uint64 { return zipf.Uint64() },
		"even": func(int) uint64 { return r.Uint64N(300) },
		"sum": func(day int) uint64 { // one is second to others everywhere, others on one day each
			if r.IntN(12) == 0 {
				return 999
			}
			return uint64(day)*100 + r.Uint64N(8)
		},
	} {
		t.Run(what, func(t *testing.T) {
			h := must(t, t.TempDir(), Config{rollAt: 300, chunkAt: 700, best: 4})
			defer h.Close()
			m := observationtest.NewModel()
			for n := 0; n < 9000; n += 450 {
				rows := observationtest.Rows(n, n+450)
				for i := range rows {
					u := who((n + i) / 3000)
					rows[i].Time = firstDay.Add(time.Duration(n+i) * 28 * time.Second).UnixNano() // three days
					rows[i].Session, rows[i].Actor, rows[i].Agent = spread(u), spread(u%97), spread(u%5)
					rows[i].Client = netip.AddrFrom4([4]byte{10, 0, byte(u >> 8), byte(u)})
				}
				if err := m.Append(t.Context(), rows); err != nil {
					t.Fatal(err)
				}
				if err := h.Append(t.Context(), rows); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range []observation.Filter{{}, {Site: "a.example"}, {Verdicts: observation.SetOf(observation.Attack)}, {API: "api-1"},
				{From: firstDay.Add(5 * time.Hour), To: firstDay.Add(60 * time.Hour)}, {From: secondDay}, {To: secondDay, Site: "b.example"}} {
				for _, d := range counted {
					for _, limit := range []int{1, 3, 40} {
						q := observation.TopQuery{Filter: f, Of: d, Limit: limit}
						got, err := h.Top(t.Context(), q)
						want, _ := m.Top(t.Context(), q)
						if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
							t.Errorf("Top(%+v) = %v, %v; the model says %v", q, got, err, want)
						}
					}
				}
			}
		})
	}
}
