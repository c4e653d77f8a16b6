package sequence

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"xiezhi/internal/observe"
)

// sent is what a sender has seen end.
type sent struct {
	from string
	end  int64
	id   string
}

func encodeSent(list ...sent) []byte {
	var w observe.Writer
	for i, x := range list {
		w.Append(&observe.Observation{ID: x.id, End: x.end, Seq: uint64(i), Host: "a.example", Method: "GET", Sensor: x.from})
	}
	return w.Finish(nil)
}

// given is what came out, and by which run.
type given struct {
	sent
	run uint64
}

func TestLateLanes(t *testing.T) {
	cfg := Config{Hold: 100, Ahead: time.Hour}
	bus := func(n int64) time.Time { return time.Unix(0, n) }
	for _, c := range []struct {
		what  string
		feed  func(r *Order, give func(*observe.Observation, uint64))
		want  []given
		late  uint64
		laned uint64
		lanes int
	}{
		{"a sender that comes back finds its order", func(r *Order, give func(*observe.Observation, uint64)) {
			_ = r.Add(encodeSent(sent{"x", 1000, "x1"}), bus(1), give)
			_ = r.Add(encodeSent(sent{"e/y", 300, "e2"}, sent{"e/y", 200, "e1"}), bus(2), give)
			_ = r.Add(encodeSent(sent{"e/z", 600, "e4"}, sent{"e/y", 590, "e3"}), bus(3), give)
			_ = r.Add(encodeSent(sent{"e/y", 990, "e5"}), bus(4), give) // has caught up
			_ = r.Add(encodeSent(sent{"e/y", 1100, "e6"}), bus(5), give)
			r.Drain(give)
		}, []given{{sent{"e/y", 200, "e1"}, 1}, {sent{"e/y", 300, "e2"}, 1}, {sent{"e/y", 590, "e3"}, 1}, {sent{"e/z", 600, "e4"}, 1},
			{sent{"e/y", 990, "e5"}, 0}, {sent{"x", 1000, "x1"}, 0}, {sent{"e/y", 1100, "e6"}, 0}}, 0, 4, 0},
		{"what is late in a lane is late", func(r *Order, give func(*observe.Observation, uint64)) {
			_ = r.Add(encodeSent(sent{"x", 1000, "x1"}), bus(1), give)
			_ = r.Add(encodeSent(sent{"e", 300, "e1"}), bus(2), give)
			_ = r.Add(encodeSent(sent{"e", 400, "e2"}), bus(3), give)
			_ = r.Add(encodeSent(sent{"e", 350, "e3"}), bus(3), give)
		}, []given{{sent{"e", 300, "e1"}, 1}}, 1, 1, 1},
		{"a lane in which nothing comes ends", func(r *Order, give func(*observe.Observation, uint64)) {
			_ = r.Add(encodeSent(sent{"x", 1000, "x1"}), bus(1), give)
			_ = r.Add(encodeSent(sent{"e", 300, "e1"}), bus(2), give)
			r.Tick(bus(1000), bus(102), give)
			r.Tick(bus(1000), bus(103), give)
		}, []given{{sent{"e", 300, "e1"}, 1}}, 0, 1, 0},
		{"no lane is left", func(r *Order, give func(*observe.Observation, uint64)) {
			_ = r.Add(encodeSent(sent{"x", 1000, "x1"}), bus(1), give)
			for i := range MaxLanes + 1 {
				_ = r.Add(encodeSent(sent{fmt.Sprint("e", i), 300, fmt.Sprint(i)}), bus(2), give)
			}
		}, nil, 1, 0, MaxLanes},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := NewOrder(cfg)
			var got []given
			c.feed(r, func(o *observe.Observation, run uint64) { got = append(got, given{sent{o.Sensor, o.End, o.ID}, run}) })
			if !slices.Equal(got, c.want) {
				t.Errorf("gave %v\nwant %v", got, c.want)
			}
			if n := r.Counts().Late; n != c.late || r.Laned() != c.laned || r.Lanes() != c.lanes {
				t.Errorf("%d late, %d by lanes, %d lanes; want %d, %d, %d", n, r.Laned(), r.Lanes(), c.late, c.laned, c.lanes)
			}
		})
	}
}

// TestLanesLoseNothing: whatever is fed by several senders, one of which may lag
// by any time, each run is in order, nothing is given before it was passed by
// the others, nothing is lost uncounted; and all of that is the same when the
// state is saved and restored after any step.
func TestLanesLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{Hold: time.Duration(rapid.IntRange(1, 60).Draw(t, "hold")), Memory: rapid.SampledFrom([]int{1, 3000, 1 << 20}).Draw(t, "memory"), Ahead: time.Hour}
		type step struct {
			tick bool
			from int
			ends []int64
		}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{rapid.IntRange(0, 5).Draw(t, "tick") == 0, rapid.IntRange(0, 3).Draw(t, "from"), rapid.SliceOfN(rapid.Int64Range(0, 400), 1, 6).Draw(t, "ends")}
		}), 1, 40).Draw(t, "steps")
		run := func(relieve func(i int) bool) (out []given, c Counts, laned, in uint64) {
			r := NewOrder(cfg)
			last := map[uint64]int64{}
			give := func(o *observe.Observation, run uint64) {
				if o.End < last[run] {
					t.Fatalf("run %d gives %d after %d", run, o.End, last[run])
				}
				last[run] = o.End
				if o.End >= r.main.mark {
					t.Fatalf("run %d gives %d before the mark %d has passed it", run, o.End, r.main.mark)
				}
				out = append(out, given{sent{o.Sensor, o.End, o.ID}, run})
			}
			for i, st := range steps {
				took := time.Unix(0, int64(i)*20)
				if st.tick {
					r.Tick(time.Unix(0, int64(i)*10), took, give)
				} else {
					var list []sent
					for k, end := range st.ends {
						list = append(list, sent{fmt.Sprint("s", st.from), end, fmt.Sprint(i, "/", k)})
						in++
					}
					if err := r.Add(encodeSent(list...), took, give); err != nil {
						t.Fatal(err)
					}
				}
				if relieve(i) {
					var err error
					if r, err = RestoreOrder(cfg, r.State()); err != nil {
						t.Fatal(err)
					}
				}
			}
			r.Drain(give)
			if r.Waiting() != 0 || r.Lanes() != 0 {
				t.Fatalf("%d bytes wait after the end in %d lanes", r.Waiting(), r.Lanes())
			}
			return out, r.Counts(), r.Laned(), in
		}
		plain, counts, laned, in := run(func(int) bool { return false })
		if n := counts.Given + counts.Late + counts.Ahead + counts.Duplicate; n != in || counts.Given != uint64(len(plain)) {
			t.Fatalf("%d in, %d counted, %d given: %+v", in, n, len(plain), counts)
		}
		cuts := rapid.Uint64().Draw(t, "cuts")
		again, c, l, _ := run(func(i int) bool { return cuts>>(i%64)&1 == 1 })
		if !slices.Equal(plain, again) || c != counts || l != laned {
			t.Fatalf("with restores %v %+v, without %v %+v", again, c, plain, counts)
		}
	})
}
