package sqlite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
)

// held is a store with its folder.
type held struct {
	*DB
	folder *store.Folder
}

func (h held) Close() error {
	if err := h.DB.Close(); err != nil {
		return err
	}
	return h.folder.Release()
}

func take(t testing.TB, path string, cfg Config) held {
	t.Helper()
	f, err := store.Take(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Chain = record.NewChain([32]byte{1})
	d, err := Open(t.Context(), f, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return held{d, f}
}

func TestContract(t *testing.T) {
	recordtest.Contract(t, func(path string, c record.Chain) (record.Store, error) {
		f, err := store.Take(path)
		if err != nil {
			return nil, err
		}
		d, err := Open(t.Context(), f, Config{Chain: c})
		if err != nil {
			return nil, err
		}
		return held{d, f}, nil
	})
}

// feed writes findings from a number on and says which were acknowledged.
func feed(path string, from int) error {
	f, err := store.Take(path)
	if err != nil {
		return err
	}
	d, err := Open(context.Background(), f, Config{Chain: record.NewChain([32]byte{1})})
	if err != nil {
		return err
	}
	for i := from; ; i++ {
		b := record.Batch{Put: []record.Record{recordtest.Record(record.Attack, i)}, Audit: []record.Entry{recordtest.Entry(i)}}
		if _, err := d.Write(context.Background(), b); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

func BenchmarkWrite(b *testing.B) {
	h := take(b, b.TempDir(), Config{})
	defer h.Close()
	n := 0
	for b.Loop() {
		var batch record.Batch
		for range 100 {
			n++
			batch.Put = append(batch.Put, recordtest.Record(record.Attack, n))
		}
		if _, err := h.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
}

// BenchmarkListOf100k turns to a page in the middle of a hundred thousand.
func BenchmarkListOf100k(b *testing.B) {
	h := take(b, b.TempDir(), Config{})
	defer h.Close()
	for i := range 100 {
		var batch record.Batch
		for j := range 1000 {
			batch.Put = append(batch.Put, recordtest.Record(record.Attack, i*1000+j))
		}
		if _, err := h.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	middle := recordtest.Record(record.Attack, 50_000)
	q := record.Query{Kind: record.Attack, Site: middle.Site, Limit: 50}
	q.After = q.Cursor(q.PlaceOf(&middle))
	for b.Loop() {
		if p, err := h.List(b.Context(), q); err != nil || len(p.Records) != 50 {
			b.Fatal(len(p.Records), err)
		}
	}
}

// BenchmarkSortOf100k gives pages of a hundred thousand in each order, and
// counts them.
func BenchmarkSortOf100k(b *testing.B) {
	h := take(b, b.TempDir(), Config{})
	defer h.Close()
	for i := range 100 {
		var batch record.Batch
		for j := range 1000 {
			n := i*1000 + j
			r := recordtest.Record(record.API, n)
			r.Site, r.Name, r.Words = fmt.Sprintf("s%d.example", n%20), fmt.Sprintf("/a/%d GET", n*7919%100_000), "\nauth=none\nget /a/b"
			r.Type, r.State = []string{"read", "write"}[n%2], []string{"active", "new", "gone"}[n%3]
			r.Body = fmt.Appendf(nil, `{"n":%d,"x":"%s"}`, n, strings.Repeat("x", 2000))
			for k := range r.Ranks {
				r.Ranks[k] = int64(n * (7919 + k) % 100_000)
			}
			batch.Put = append(batch.Put, r)
		}
		if _, err := h.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		q    record.Query
	}{
		{"last", record.Query{}}, {"rank", record.Query{Sort: record.ByRank1}}, {"rank of site", record.Query{Sort: record.ByRank1, Site: "s3.example"}},
		{"name up", record.Query{Sort: record.ByName, Upwards: true}}, {"rank, state", record.Query{Sort: record.ByRank2, State: []string{"gone"}}},
		{"rank, words", record.Query{Sort: record.ByRank2, Words: []string{"auth=none"}}}, {"rank, none", record.Query{Sort: record.ByRank2, Words: []string{"nothing"}}},
	} {
		q := c.q
		q.Kind, q.Limit = record.API, 50
		b.Run("list "+c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := h.List(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("count "+c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := h.Count(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("tally", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Tally(b.Context(), record.Query{Kind: record.API}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("holding", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Holding(b.Context(), record.Query{Kind: record.API}, []string{"auth=none", "auth=optional", "method=get", "method=post", "data=email"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
