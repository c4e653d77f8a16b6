//go:build cgo && unix

package duckdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"xiezhi/internal/catalog"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/taxonomy"
)

// town is traffic of a site with 200 000 people, of whom 5 000 make a third of
// it, 300 APIs by Zipf's law, 400 agents and ten attacks; two thirds are signed
// in. It spreads an even number of rows over a day.
type town struct {
	r      *rand.Rand
	zipf   *rand.Zipf
	apis   []string
	n      uint64
	at     int64
	stride int64
}

func spread(n uint64) uint64 {
	n *= 0x9e3779b97f4a7c15
	n ^= n >> 29
	return n*0xbf58476d1ce4e5b9 | 1
}

var townStart = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func newTown(perDay int) *town {
	w := &town{r: rand.New(rand.NewPCG(1, 2)), at: townStart.UnixNano(), stride: observation.DayLength / int64(perDay)}
	w.zipf = rand.NewZipf(w.r, 1.2, 20, 299)
	for i := range 300 {
		w.apis = append(w.apis, fmt.Sprintf("%016x", spread(uint64(i)+9)))
	}
	return w
}

func (w *town) client(u uint64) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(spread(u+7)))
	return netip.AddrFrom4(b)
}

func (w *town) next() observation.Row {
	w.n++
	w.at += w.r.Int64N(2*w.stride-1) + 1
	u := w.r.Uint64N(200_000)
	if w.r.IntN(3) == 0 {
		u = w.r.Uint64N(5000)
	}
	api := w.zipf.Uint64()
	r := observation.Row{
		Position: observation.Position{Partition: uint32(u % 4), Seq: uint64(w.at)},
		Time:     w.at, Site: "shop.example.com", API: w.apis[api], Exchange: spread(w.n << 20),
		Client: w.client(u), Session: spread(u + 2e6), Agent: spread(u%400 + 3e6),
		Network: taxonomy.NetworkType(1 + u%4), Country: 'C'<<8 | 'N', Status: 200, Outcome: catalog.OutcomeSuccess,
		BytesIn: w.r.Uint64N(300), BytesOut: 500 + w.r.Uint64N(4000) + api*100, Latency: uint32(2000 + w.r.ExpFloat64()*20000), Verdict: observation.Normal,
	}
	if u%3 != 0 {
		r.Actor = spread(u + 1e6)
	}
	if api < 3 {
		r.Account = spread(u + 1e6)
	}
	switch w.r.IntN(20) {
	case 0:
		r.Status, r.Outcome = 404, catalog.OutcomeNotFound
	case 1:
		r.Status, r.Outcome = 401, catalog.OutcomeDenied
	}
	if u < 50 {
		r.Verdict, r.Attack = observation.Attack, fmt.Sprintf("at-%016x", spread(u/5))
	}
	if api%4 == 0 {
		r.Types, r.Subjects = observation.SetOf(taxonomy.SensCNMobile, taxonomy.SensEmail), uint32(1+w.r.IntN(3))
	}
	return r
}

func (w *town) batch(n int) []observation.Row {
	out := make([]observation.Row, n)
	for i := range out {
		out[i] = w.next()
	}
	return out
}

// BenchmarkAppend writes batches of 5 000 rows.
func BenchmarkAppend(b *testing.B) {
	h := must(b, b.TempDir(), Config{})
	defer h.Close()
	w := newTown(10_000_000)
	rows := 0
	for b.Loop() {
		b.StopTimer()
		batch := w.batch(5000)
		b.StartTimer()
		if err := h.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		rows += len(batch)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkQuestions asks what a console asks. XIEZHI_ROWS_MILLIONS says of how
// many rows, 10 million to a day; XIEZHI_ROWS_KEEP names a folder in which they
// are kept for the next time. It gives bytes a row, and the 95th percentile of
// each question and what it cost the processors.
func BenchmarkQuestions(b *testing.B) {
	millions, _ := strconv.Atoi(os.Getenv("XIEZHI_ROWS_MILLIONS"))
	millions = max(millions, 1)
	path := os.Getenv("XIEZHI_ROWS_KEEP")
	if path == "" {
		path = b.TempDir()
	}
	const perDay = 10_000_000
	h := must(b, path, Config{})
	defer func() { _ = h.Close() }()
	w := newTown(min(perDay, millions*1_000_000))
	if total := func() (n uint64) {
		r, err := h.Range(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for _, d := range r.Days {
			n += d.Rows
		}
		return n
	}(); total == 0 {
		var all time.Duration
		for range millions * 200 {
			batch := w.batch(5000)
			t := time.Now()
			if err := h.Append(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			all += time.Since(t)
		}
		fmt.Printf("%d million rows written, %.0f rows/s\n", millions, float64(millions)*1e6/all.Seconds())
	} else if total != uint64(millions)*1_000_000 {
		b.Fatalf("%s holds %d rows", path, total)
	}
	if err := h.Close(); err != nil { // what is written ahead goes into the files
		b.Fatal(err)
	}
	h = must(b, path, Config{})
	r, err := h.Range(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var bytes int64
	for _, d := range r.Days {
		bytes += d.Bytes
	}
	days := (millions*1_000_000 + perDay - 1) / perDay
	end := townStart.AddDate(0, 0, days)
	if days == 1 {
		end = r.Days[len(r.Days)-1].Start.AddDate(0, 0, 1)
	}
	all := observation.Filter{From: townStart, To: end}
	lastDay := observation.Filter{From: end.Add(-30 * time.Hour), To: end.Add(-6 * time.Hour)}
	hot, rare := observation.Token(spread(77+2e6)), observation.Token(spread(150_001+2e6))
	series := func(f observation.Filter, s observation.Step, by observation.Dimension, m observation.Measure) func() error {
		return func() error {
			o, err := h.Series(b.Context(), observation.SeriesQuery{Filter: f, Step: s, By: by, Measure: m})
			return some(len(o.Lines), err)
		}
	}
	top := func(f observation.Filter, of observation.Dimension) func() error {
		return func() error {
			o, err := h.Top(b.Context(), observation.TopQuery{Filter: f, Of: of})
			return some(len(o.List), err)
		}
	}
	search := func(f observation.Filter) func() error {
		return func() error {
			o, err := h.Search(b.Context(), observation.SearchQuery{Filter: f, Limit: 50})
			return some(len(o.Rows), err)
		}
	}
	pivot := func(of observation.Dimension, key string) func() error {
		return func() error {
			o, err := h.Pivot(b.Context(), observation.PivotQuery{Filter: all, Of: of, Key: key})
			return some(int(o.Rows), err)
		}
	}
	with := func(d observation.Dimension, key string) observation.Filter {
		f, err := all.With(d, key)
		if err != nil {
			b.Fatal(err)
		}
		return f
	}
	for _, q := range []struct {
		name string
		ask  func() error
	}{
		{"SeriesHours", series(all, observation.Hour, observation.ByVerdict, observation.Rows)},
		{"SeriesMinutesOfADay", series(lastDay, observation.Minute, observation.ByOutcome, observation.Rows)},
		{"SeriesByAPI", series(all, observation.Hour, observation.ByAPI, observation.BytesOut)},
		{"SeriesOfAnAPI", series(with(observation.ByAPI, w.apis[5]), observation.Hour, observation.ByClass, observation.MeanLatency)},
		{"TopAPI", top(all, observation.ByAPI)},
		{"TopStatus", top(all, observation.ByStatus)},
		{"TopCountry", top(all, observation.ByCountry)},
		{"TopType", top(all, observation.ByType)},
		{"TopAttack", top(all, observation.ByAttack)},
		{"TopClient", top(all, observation.ByClient)},
		{"TopClientOfADay", top(lastDay, observation.ByClient)},
		{"TopAccountOfADay", top(lastDay, observation.ByActor)},
		{"TopClientOfAttacks", top(with(observation.ByVerdict, "attack"), observation.ByClient)},
		{"Search", search(all)},
		{"SearchSession", search(with(observation.BySession, hot))},
		{"SearchRareSession", search(with(observation.BySession, rare))},
		{"SearchNobody", func() error {
			o, err := h.Search(b.Context(), observation.SearchQuery{Filter: with(observation.ByActor, "0000000000000001")})
			if len(o.Rows) > 0 {
				return errors.New("somebody was found")
			}
			return err
		}},
		{"SearchNetwork", search(func() observation.Filter { f := all; f.Client = netip.MustParsePrefix("10.0.0.0/12"); return f }())},
		{"PivotSession", pivot(observation.BySession, hot)},
		{"PivotAttack", pivot(observation.ByAttack, fmt.Sprintf("at-%016x", spread(3)))},
		{"PivotAPI", pivot(observation.ByAPI, w.apis[5])},
	} {
		b.Run(q.name, func(b *testing.B) {
			var took []time.Duration
			cpu := spent()
			for b.Loop() {
				t := time.Now()
				if err := q.ask(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(t))
			}
			cpu = spent() - cpu
			slices.Sort(took)
			b.ReportMetric(float64(cpu.Microseconds())/1000/float64(len(took)), "cpu-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			b.ReportMetric(float64(bytes)/float64(millions)/1e6, "B/row")
		})
	}
}

// spent is the time that processors worked for this process, which says more
// than the clock where others work too.
func spent() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func some(n int, err error) error {
	if err == nil && n == 0 {
		return errors.New("nothing was found")
	}
	return err
}
