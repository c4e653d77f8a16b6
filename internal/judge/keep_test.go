package judge

import (
	"bytes"
	"cmp"
	"errors"
	"testing"
	"time"

	"xiezhi/internal/judge/snapshot"
)

// TestSnapshotOfAJudge: what was saved is what goes on, and a part of it is
// refused.
func TestSnapshotOfAJudge(t *testing.T) {
	cfg := benchConfig(t, 0)
	j, w := New(cfg), newTown(200)
	for range 5000 {
		j.Observe(w.next())
	}
	var b bytes.Buffer
	if err := j.Save(&b); err != nil {
		t.Fatal(err)
	}
	whole := bytes.Clone(b.Bytes())
	k, err := Restore(cfg, &b)
	if err != nil {
		t.Fatal(err)
	}
	if k.count != 5000 || k.attacks.Live() != j.attacks.Live() || len(k.catalog.APIs()) != len(j.catalog.APIs()) || len(k.catalog.APIs()) == 0 {
		t.Errorf("%d observations, %d keys, %d APIs; want 5000, %d, %d", k.count, k.attacks.Live(), len(k.catalog.APIs()), j.attacks.Live(), len(j.catalog.APIs()))
	}
	for cut := 1; cut < len(whole); cut += len(whole)/7 + 1 {
		if _, err := Restore(cfg, bytes.NewReader(whole[:cut])); !errors.Is(err, snapshot.ErrDamaged) {
			t.Errorf("the first %d of %d bytes: %v", cut, len(whole), err)
		}
	}
}

// TestSnapshotGoesOnInAnotherZone: what was learned outlives that a site is given
// a time zone, another one, or none.
func TestSnapshotGoesOnInAnotherZone(t *testing.T) {
	cfg := benchConfig(t, 0)
	zones := []*time.Location{nil, time.FixedZone("CST", 8*3600), time.UTC}
	for _, was := range zones {
		cfg.Site.Location = was
		j, w := New(cfg), newTown(50)
		for range 500 {
			j.Observe(w.next())
		}
		var b bytes.Buffer
		if err := j.Save(&b); err != nil {
			t.Fatal(err)
		}
		for _, now := range zones {
			cfg.Site.Location = now
			k, err := Restore(cfg, bytes.NewReader(b.Bytes()))
			if err != nil {
				t.Errorf("from %v to %v: %v", was, now, err)
				continue
			}
			if k.cfg.Site.Location.String() != cmp.Or(now, time.UTC).String() {
				t.Errorf("from %v to %v: in %v", was, now, k.cfg.Site.Location)
			}
			k.Observe(w.next())
			if k.count != 501 {
				t.Errorf("from %v to %v: %d observations", was, now, k.count)
			}
		}
	}
}

// BenchmarkSnapshot saves and restores a site of some thousand visitors, and
// one with a million live keys, as BenchmarkObserve does.
func BenchmarkSnapshot(b *testing.B) {
	b.Run("Small", func(b *testing.B) { snapshotTown(b, 3000, 0, 60_000) })
	b.Run("Million", func(b *testing.B) { snapshotTown(b, 235_000, 5<<18, 2_000_000) })
}

func snapshotTown(b *testing.B, people, cells, before int) {
	cfg := benchConfig(b, cells)
	j, w := New(cfg), newTown(people)
	for range before {
		j.Observe(w.next())
	}
	var kept bytes.Buffer
	if err := j.Save(&kept); err != nil {
		b.Fatal(err)
	}
	b.Run("Save", func(b *testing.B) {
		for range b.N {
			kept.Reset() // its memory stays
			if err := j.Save(&kept); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(kept.Len()))
		b.ReportMetric(float64(kept.Len())/1e6, "MB")
	})
	b.Run("Restore", func(b *testing.B) {
		b.SetBytes(int64(kept.Len()))
		for range b.N {
			if _, err := Restore(cfg, bytes.NewReader(kept.Bytes())); err != nil {
				b.Fatal(err)
			}
		}
	})
}
