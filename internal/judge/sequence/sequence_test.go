package sequence

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"xiezhi/internal/observe"
)

type seen struct {
	end  int64
	id   string
	part uint8
}

func encode(list ...seen) []byte {
	var w observe.Writer
	for i, x := range list {
		w.Append(&observe.Observation{ID: x.id, End: x.end, Seq: uint64(i), Part: x.part, Host: "a.example", Method: "GET"})
	}
	return w.Finish(nil)
}

// at is a time of the bus that is ahead of everything in these tests.
var at = time.Unix(0, 1_000_000)

func small() Config { return Config{Hold: 100, Ahead: time.Microsecond} }

// script feeds steps and gives what came out.
func script(t *testing.T, cfg Config, steps ...any) (out []seen, s *Sequencer) {
	t.Helper()
	s = New(cfg)
	give := func(o *observe.Observation) { out = append(out, seen{o.End, o.ID, o.Part}) }
	for _, step := range steps {
		switch x := step.(type) {
		case []byte:
			if err := s.Add(x, at, give); err != nil {
				t.Fatal(err)
			}
		case int:
			s.Tick(time.Unix(0, int64(x)), give)
		case string:
			s.Drain(give)
		}
	}
	return out, s
}

func TestSequencer(t *testing.T) {
	for _, c := range []struct {
		what   string
		cfg    Config
		steps  []any
		want   []seen
		counts Counts
	}{
		{"waits", small(), []any{encode(seen{10, "a", 0}), encode(seen{5, "b", 0}), encode(seen{90, "c", 0})}, nil, Counts{}},
		{"orders", small(), []any{encode(seen{10, "a", 0}), encode(seen{5, "b", 0}), encode(seen{150, "c", 0})}, []seen{{5, "b", 0}, {10, "a", 0}}, Counts{Given: 2}},
		{"late", small(), []any{encode(seen{1000, "a", 0}), encode(seen{850, "b", 0}, seen{950, "c", 0}), "drain"}, []seen{{950, "c", 0}, {1000, "a", 0}}, Counts{Given: 2, Late: 1}},
		{"tick", small(), []any{encode(seen{10, "a", 0}), 111}, []seen{{10, "a", 0}}, Counts{Given: 1}},
		{"a long pause", small(), []any{encode(seen{10, "a", 0}), 5000, encode(seen{12, "b", 0}), "drain"}, []seen{{10, "a", 0}, {12, "b", 0}}, Counts{Given: 2}},
		{"a tick before anything", small(), []any{500, encode(seen{10, "a", 0}), "drain"}, []seen{{10, "a", 0}}, Counts{Given: 1}},
		{"twice", small(), []any{encode(seen{10, "a", 0}, seen{10, "a", 1}, seen{10, "b", 0}), encode(seen{10, "a", 0}, seen{10, "a", 1}), "drain"},
			[]seen{{10, "a", 0}, {10, "b", 0}, {10, "a", 1}}, Counts{Given: 2, Duplicate: 1}},
		{"a clock ahead", small(), []any{encode(seen{10, "a", 0}), encode(seen{2_000_000, "b", 0}), encode(seen{20, "c", 0}), "drain"},
			[]seen{{10, "a", 0}, {20, "c", 0}}, Counts{Given: 2, Ahead: 1}},
		{"no room", Config{Hold: time.Hour, Memory: 1}, []any{encode(seen{20, "a", 0}), encode(seen{10, "b", 0})},
			[]seen{{20, "a", 0}}, Counts{Given: 1, Late: 1, Forced: 1}},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, s := script(t, c.cfg, c.steps...)
			slices.SortStableFunc(c.want, func(a, b seen) int { return int(a.end - b.end) })
			if len(got) != len(c.want) {
				t.Fatalf("gave %v, want %v", got, c.want)
			}
			for _, w := range c.want {
				if !slices.Contains(got, w) {
					t.Errorf("gave %v, want %v", got, c.want)
				}
			}
			if !slices.IsSortedFunc(got, func(a, b seen) int { return int(a.end - b.end) }) {
				t.Errorf("out of order: %v", got)
			}
			if s.Counts() != c.counts {
				t.Errorf("counted %+v, want %+v", s.Counts(), c.counts)
			}
		})
	}
}

func TestAddRefusesWhatIsNoBatch(t *testing.T) {
	s := New(Config{})
	if err := s.Add([]byte("no batch"), at, nil); err == nil || s.Waiting() != 0 {
		t.Errorf("%v, %d bytes wait", err, s.Waiting())
	}
	if _, err := Restore(Config{}, State{Wait: []Waiting{{Data: []byte("no batch")}}}); err == nil {
		t.Error("a state that holds no batch was taken")
	}
}

// TestOrderIsTheSame: in order, each once, nothing lost uncounted, and the same
// when the state is saved and restored after any step.
func TestOrderIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{Hold: time.Duration(rapid.IntRange(1, 50).Draw(t, "hold")), Memory: rapid.SampledFrom([]int{1, 200, 1 << 20}).Draw(t, "memory")}
		steps := rapid.SliceOfN(rapid.SliceOfN(rapid.Int64Range(0, 300), 0, 6), 1, 30).Draw(t, "batches")
		var parts uint64
		run := func(relieve func(i int) bool) (out []seen, c Counts) {
			s := New(cfg)
			give := func(o *observe.Observation) { out = append(out, seen{o.End, o.ID, o.Part}) }
			parts = 0
			for i, ends := range steps {
				var list []seen
				for k, end := range ends {
					list = append(list, seen{end, fmt.Sprint(i, "/", k/2), uint8(k % 2)}) // parts of an exchange
					if k%2 == 0 {
						parts++
					}
				}
				if len(list) == 0 {
					s.Tick(time.Unix(0, int64(i)*10), give)
				} else if err := s.Add(encode(list...), at, give); err != nil {
					t.Fatal(err)
				}
				if relieve(i) {
					var err error
					if s, err = Restore(cfg, s.State()); err != nil {
						t.Fatal(err)
					}
				}
			}
			s.Drain(give)
			if s.Waiting() != 0 {
				t.Fatalf("%d bytes wait after the end", s.Waiting())
			}
			return out, s.Counts()
		}
		plain, counts := run(func(int) bool { return false })
		if n := counts.Given + counts.Late + counts.Ahead + counts.Duplicate; n != parts {
			t.Fatalf("%d exchanges in, %d counted: %+v", parts, n, counts)
		}
		if !slices.IsSortedFunc(plain, func(a, b seen) int { return int(a.end - b.end) }) {
			t.Fatalf("out of order: %v", plain)
		}
		cuts := rapid.Uint32().Draw(t, "cuts")
		again, c := run(func(i int) bool { return cuts>>(i%32)&1 == 1 })
		if !slices.Equal(plain, again) || c != counts {
			t.Fatalf("with restores %v %+v, without %v %+v", again, c, plain, counts)
		}
	})
}

// BenchmarkAdd puts batches of 256 observations in order that overlap.
func BenchmarkAdd(b *testing.B) {
	s := New(Config{Hold: time.Second})
	var batches [][]byte
	for i := range 64 {
		var list []seen
		for k := range 256 {
			list = append(list, seen{int64(i*256+k^3) * 1e6, fmt.Sprint(i, "/", k), 0})
		}
		batches = append(batches, encode(list...))
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if n%len(batches) == 0 {
			s = New(Config{Hold: time.Second})
		}
		if err := s.Add(batches[n%len(batches)], time.Unix(1<<30, 0), func(*observe.Observation) {}); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n*256)/b.Elapsed().Seconds(), "observations/s")
}
