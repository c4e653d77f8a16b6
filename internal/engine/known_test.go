package engine

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/stream"
)

func snapshotOf(t *testing.T, at int64, ips ...string) []byte {
	t.Helper()
	var rows []indicator.Indicator
	for _, ip := range ips {
		rows = append(rows, indicator.Indicator{Type: indicator.Address, Value: netip.MustParseAddr(ip).String(), Confidence: 90, Sightings: 1, First: at, Last: at})
	}
	set, err := (*indicator.Set)(nil).With(indicator.Source{Name: "test", Role: indicator.Own, Reliability: 1}, rows, at)
	if err != nil {
		t.Fatal(err)
	}
	data, err := set.Snapshot(at)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSnapshotsAreEvents: what judges know of askers changes where the stream
// says so, for judges that there are and for those to come, and is there after a
// restart from the state, or from nothing but the stream.
func TestSnapshotsAreEvents(t *testing.T) {
	h := newHall(t)
	s := h.served(h.config(newFileSource(vampiCapture)))
	if id, n := s.Known(); id != "" || n != 0 {
		t.Errorf("before any snapshot: %q, %d", id, n)
	}
	at := h.now().UnixNano()
	one, two := snapshotOf(t, at, "45.9.1.7"), snapshotOf(t, at, "45.9.1.7", "45.9.1.8")
	cfg := h.config(newFileSource(laterTraffic(t)))
	s, end := h.run(cfg)
	for _, data := range [][]byte{one, one, two} { // the second is no news
		if err := s.Inform(t.Context(), data); err != nil {
			t.Fatal(err)
		}
		h.reach(s)
	}
	<-cfg.Sources[0].(*fileSource).ended
	h.idle(s)
	end()
	want, err := indicator.ParseSnapshot(two)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := h.bus.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	replayed, err := s.fresh()
	if err != nil {
		t.Fatal(err)
	}
	over := errors.New("over")
	if err := h.bus.Read(t.Context(), 0, 0, func(m stream.Message) error {
		replayed.take(m)
		if m.Data[0] == eventKnown {
			told++
			var b bytes.Buffer // taken over right behind the event
			if err := replayed.save(&b); err != nil {
				t.Fatal(err)
			}
			next, err := s.fresh()
			if err != nil {
				t.Fatal(err)
			}
			if err := next.restore(&b, sequence.Config{}); err != nil {
				t.Fatal(err)
			}
			replayed = next
		}
		if m.Seq == stats[0].Last {
			return over
		}
		return nil
	}); !errors.Is(err, over) {
		t.Fatal(err)
	}
	if told != 2 {
		t.Errorf("%d snapshots are on the bus, want 2", told)
	}
	if id, n := s.Known(); id != want.ID() || n != 2 {
		t.Errorf("judges know %q with %d things, want %q", id, n, want.ID())
	}
	for _, j := range replayed.bench.judges {
		if got := j.Config().Indicators.ID(); got != want.ID() {
			t.Errorf("after a replay a judge knows %q, want %q", got, want.ID())
		}
	}
	r, _ := (&judging{cfg: s.cfg, tools: s.tools, part: replayed}).build()
	sameFindings(t, found(r), found(s.Report()))

	s, end = h.run(h.config())
	<-s.Ready()
	if id, _ := s.Known(); id != want.ID() {
		t.Errorf("after a restart judges know %q, want %q", id, want.ID())
	}
	end()
	// What is no snapshot is counted, and changes nothing.
	p := s.part
	p.take(stream.Message{Seq: p.seq + 1, ID: "x", At: h.now(), Data: []byte("Ino snapshot")})
	if p.damaged != 1 || p.bench.known.ID() != want.ID() {
		t.Errorf("%d damaged, known %q", p.damaged, p.bench.known.ID())
	}
}
