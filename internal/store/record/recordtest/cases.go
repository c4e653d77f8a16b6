package recordtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/store/record"
)

// replays writes states of a finding in the order in which a judge does that
// was killed and went on from an older snapshot.
func replays(t *testing.T, s record.Store) {
	ctx := t.Context()
	for i, rev := range []uint64{10, 20, 30, 20, 30, 30, 40} {
		r := Record(record.Attack, 1)
		r.Rev, r.Body = rev, fmt.Appendf(nil, `{"requests":%d}`, rev)
		n, err := s.Write(ctx, record.Batch{Put: []record.Record{r}})
		if want := map[int]int{0: 1, 1: 1, 2: 1, 6: 1}[i]; err != nil || n != want {
			t.Errorf("write %d of revision %d changed %d, %v; expected %d", i, rev, n, err, want)
		}
	}
	r, err := s.Get(ctx, record.Attack, "attack-1")
	if err != nil || string(r.Body) != `{"requests":40}` {
		t.Errorf("in the end it is %s, %v", r.Body, err)
	}
	// A deletion that is repeated after the record was made anew deletes nothing.
	b := record.Batch{Delete: []record.Key{{Kind: record.Setting, ID: "setting-1", Rev: 1}}, Audit: []record.Entry{Entry(1)}}
	for _, step := range []record.Batch{{Put: []record.Record{Record(record.Setting, 1)}}, b, {Put: []record.Record{Record(record.Setting, 1)}}, b} {
		if _, err := s.Write(ctx, step); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Get(ctx, record.Setting, "setting-1"); err != nil {
		t.Errorf("a repeated batch was done twice: %v", err)
	}
	if log, err := s.Audit(ctx, 0, 0); err != nil || len(log) != 1 {
		t.Errorf("a repeated batch is %d times in the log, %v", len(log), err)
	}
}

func refusals(t *testing.T, s record.Store) {
	ctx := t.Context()
	with := func(k record.Kind, change func(*record.Record)) record.Batch {
		r := Record(k, 1)
		change(&r)
		return record.Batch{Put: []record.Record{Record(record.Attack, 0), r}, Audit: []record.Entry{Entry(1)}}
	}
	entry := func(change func(*record.Entry)) record.Batch {
		e := Entry(1)
		change(&e)
		return record.Batch{Put: []record.Record{Record(record.Attack, 0)}, Audit: []record.Entry{e}}
	}
	const secret = "correct horse battery"
	long := strings.Repeat("x", record.MaxText+1)
	for what, b := range map[string]record.Batch{
		"kind":               with("thing", func(*record.Record) {}),
		"no id":              with(record.Setting, func(r *record.Record) { r.ID = "" }),
		"long id":            with(record.Setting, func(r *record.Record) { r.ID = long }),
		"id with NUL":        with(record.Setting, func(r *record.Record) { r.ID = "a\x00b" }),
		"site not UTF-8":     with(record.Setting, func(r *record.Record) { r.Site = "\xff" }),
		"no revision":        with(record.Setting, func(r *record.Record) { r.Rev = 0 }),
		"revision too high":  with(record.Attack, func(r *record.Record) { r.Rev = 1 << 63 }),
		"no time":            with(record.Setting, func(r *record.Record) { r.First = time.Time{} }),
		"ends before begins": with(record.Setting, func(r *record.Record) { r.Last = r.First.Add(-1) }),
		"no JSON":            with(record.Setting, func(r *record.Record) { r.Body = []byte("{") }),
		"long severity":      with(record.Defect, func(r *record.Record) { r.Severity = long }),
		"long words":         with(record.Defect, func(r *record.Record) { r.Words = strings.Repeat("x", record.MaxWords+1) }),
		"long name":          with(record.Defect, func(r *record.Record) { r.Name = long }),
		"words with NUL":     with(record.Defect, func(r *record.Record) { r.Words = "a\x00b" }),
		"no body":            with(record.Setting, func(r *record.Record) { r.Body = nil }),
		"large body": with(record.Setting, func(r *record.Record) {
			r.Body = []byte(`"` + strings.Repeat("x", record.MaxBody) + `"`)
		}),
		"twice":               with(record.Attack, func(r *record.Record) { r.ID = "attack-0" }),
		"plain password":      with(record.User, func(r *record.Record) { r.Body = []byte(`{"name":"u","role":"viewer","password":"` + secret + `"}`) }),
		"password in a field": with(record.User, func(r *record.Record) { r.Body = []byte(`{"name":"u","role":"viewer","secret":"` + secret + `"}`) }),
		"token itself":        with(record.Token, func(r *record.Record) { r.ID = secret }),
		"entry without id":    entry(func(e *record.Entry) { e.ID = "" }),
		"entry of nobody":     entry(func(e *record.Entry) { e.By = "" }),
		"entry without time":  entry(func(e *record.Entry) { e.At = time.Time{} }),
		"entry with no JSON":  entry(func(e *record.Entry) { e.Detail = []byte("it was so") }),
		"long entry":          entry(func(e *record.Entry) { e.Detail = []byte(`"` + strings.Repeat("x", record.MaxNote) + `"`) }),
		"too many":            {Audit: make([]record.Entry, record.MaxBatch+1)},
	} {
		n, err := s.Write(ctx, b)
		if n != 0 || !errors.Is(err, record.ErrInvalid) {
			t.Errorf("%s: changed %d, %v", what, n, err)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error holds the secret: %v", what, err)
		}
	}
	// One conflict keeps a whole batch out.
	late := Record(record.Policy, 1)
	late.Rev = 2
	if n, err := s.Write(ctx, record.Batch{Put: []record.Record{Record(record.Attack, 0), late}, Audit: []record.Entry{Entry(1)}}); n != 0 || !errors.Is(err, record.ErrConflict) {
		t.Errorf("a policy changed before it was made: %d, %v", n, err)
	}
	if _, err := s.Get(ctx, record.Attack, "attack-0"); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("half of a refused batch was written: %v", err)
	}
	if log, err := s.Audit(ctx, 0, 0); err != nil || len(log) != 0 {
		t.Errorf("%d entries of refused batches, %v", len(log), err)
	}
	for _, q := range []record.Query{{}, {Kind: "thing"}, {Kind: record.Attack, Limit: record.MaxPage + 1}, {Kind: record.Attack, Limit: -1},
		{Kind: record.Attack, After: "?"}, {Kind: record.Attack, After: "AAAA"}, {Kind: record.Attack, After: strings.Repeat("A", 1000)},
		{Kind: record.Attack, From: time.Unix(1<<40, 0)}, {Kind: record.Attack, Mentions: []string{`a"b`}}, {Kind: record.Attack, Words: []string{long}},
		{Kind: record.Attack, State: make([]string, record.MaxAny+1)}, {Kind: record.Attack, Type: []string{"\xff"}},
		{Kind: record.Attack, Born: record.Span{To: time.Unix(1<<40, 0)}}, {Kind: record.Attack, Sort: record.ByRank2 + 1}, {Kind: record.Attack, Sort: record.ByName, After: (&record.Query{}).Cursor(record.Place{ID: "attack-1"})},
		{Kind: record.Attack, Upwards: true, After: (&record.Query{}).Cursor(record.Place{ID: "attack-1"})}} {
		if _, err := s.List(ctx, q); !errors.Is(err, record.ErrInvalid) {
			t.Errorf("List(%+v): %v", q, err)
		}
		if _, err := s.Tally(ctx, q); !errors.Is(err, record.ErrInvalid) {
			t.Errorf("Tally(%+v): %v", q, err)
		}
		if _, err := s.Count(ctx, q); !errors.Is(err, record.ErrInvalid) {
			t.Errorf("Count(%+v): %v", q, err)
		}
		if _, err := s.Holding(ctx, q, nil); !errors.Is(err, record.ErrInvalid) {
			t.Errorf("Holding(%+v): %v", q, err)
		}
	}
	for _, words := range [][]string{{""}, {long}, make([]string, record.MaxHeld+1)} {
		if _, err := s.Holding(ctx, record.Query{Kind: record.Attack}, words); !errors.Is(err, record.ErrInvalid) {
			t.Errorf("Holding(%.20q): %v", words, err)
		}
	}
	if _, err := s.Audit(ctx, 0, record.MaxPage+1); !errors.Is(err, record.ErrInvalid) {
		t.Errorf("a page of the log that is too long: %v", err)
	}
	if _, err := s.Verify(ctx, record.Head{Seq: 3}); !errors.Is(err, record.ErrTampered) {
		t.Errorf("a log that had three entries and has none: %v", err)
	}
}

// pages turns pages while records are added in front.
func pages(t *testing.T, s record.Store) {
	ctx := t.Context()
	const n = 250
	var b record.Batch
	for i := range n {
		r := Record(record.Attack, i)
		r.Last = start.Add(time.Duration(i/7) * time.Second) // many at one time
		b.Put = append(b.Put, r)
	}
	if _, err := s.Write(ctx, b); err != nil {
		t.Fatal(err)
	}
	seen, q := map[string]int{}, record.Query{Kind: record.Attack, Limit: 9}
	for i := 0; ; i++ {
		p, err := s.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			seen[r.ID]++
		}
		if q.After = p.Next; q.After == "" {
			break
		}
		r := Record(record.Attack, n+i)
		r.Last = start.Add(time.Hour)
		if _, err := s.Write(ctx, record.Batch{Put: []record.Record{r}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		if id := Record(record.Attack, i).ID; seen[id] != 1 {
			t.Errorf("%s came %d times", id, seen[id])
		}
	}
	if len(seen) != n {
		t.Errorf("%d records seen, expected %d", len(seen), n)
	}
}

// many has people change one record at once while others read: every change
// that was acknowledged is there.
func many(t *testing.T, s record.Store) {
	ctx := t.Context()
	const people, changes = 4, 10
	var wg sync.WaitGroup
	for p := range people {
		wg.Go(func() {
			for c := 0; c < changes; {
				old, err := s.Get(ctx, record.Setting, "setting-1")
				if err != nil && !errors.Is(err, record.ErrNotFound) {
					t.Error(err)
					return
				}
				r := Record(record.Setting, 1)
				r.Rev, r.Body = old.Rev+1, fmt.Appendf(nil, `[%d,%d]`, p, c)
				_, err = s.Write(ctx, record.Batch{Put: []record.Record{r}, Audit: []record.Entry{Entry(p*changes + c)}})
				switch {
				case err == nil:
					c++
				case !errors.Is(err, record.ErrConflict):
					t.Error(err)
					return
				}
				if _, err := s.List(ctx, record.Query{Kind: record.Setting}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if r, err := s.Get(ctx, record.Setting, "setting-1"); err != nil || r.Rev != people*changes {
		t.Errorf("revision %d, %v; expected %d", r.Rev, err, people*changes)
	}
	if h, err := s.Verify(context.WithoutCancel(ctx), record.Head{}); err != nil || h.Seq != people*changes {
		t.Errorf("the log ends at %d, %v; expected %d", h.Seq, err, people*changes)
	}
}
