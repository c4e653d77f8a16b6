package victim_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/taxonomy"
	"xiezhi/lab/victim"
	"xiezhi/lab/victim/roster"
)

// TestTriggersComeInBothStates: a fix can be proven only by requests that would
// have shown the defect.
func TestTriggersComeInBothStates(t *testing.T) {
	for _, app := range apps() {
		known := map[string]bool{}
		for _, f := range app.Flaws {
			known[f.Name] = true
		}
		shown, refused := map[string]int{}, map[string]int{}
		for _, c := range []struct {
			on   func(string, time.Time) bool
			into map[string]int
			of   func(e *victim.Event) []string
		}{{victim.Always, shown, func(e *victim.Event) []string { return e.Shown }}, {victim.Never, refused, func(e *victim.Event) []string { return e.Refused }}} {
			err := victim.Run(victim.Config{App: app, Seed: 3, On: c.on}, func(e *victim.Event) error {
				for _, n := range c.of(e) {
					c.into[n]++
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for n := range known {
			if shown[n] < 3 || refused[n] < 3 {
				t.Errorf("%s: %s shows in %d exchanges when on and would in %d when off", app.Name, n, shown[n], refused[n])
			}
		}
		for n := range shown {
			if !known[n] {
				t.Errorf("%s: %s is no flaw of its list", app.Name, n)
			}
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	for _, app := range apps() {
		var sums [3]string
		for i, seed := range []uint64{7, 7, 8} {
			h := sha256.New()
			var enc exchange.HAREncoder
			if err := victim.Run(victim.Config{App: app, Seed: seed, On: victim.Always}, func(e *victim.Event) error {
				_, err := h.Write(enc.Append(nil, e.Exchange))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			sums[i] = fmt.Sprintf("%x", h.Sum(nil))
		}
		if sums[0] != sums[1] || sums[0] == sums[2] {
			t.Errorf("%s: seeds 7, 7, 8 give %v", app.Name, sums)
		}
	}
}

// TestEveryKindCanBeSwitched holds the signs against the taxonomy. Custom
// defects are the operator's own.
func TestEveryKindCanBeSwitched(t *testing.T) {
	shown := map[taxonomy.DefectKind]bool{taxonomy.DefectCustom: true}
	for _, app := range roster.Apps() {
		for _, f := range app.Flaws {
			for _, s := range f.Signs {
				if !s.Extra {
					shown[taxonomy.DefectKind(s.Kinds[0])] = true
				}
			}
		}
	}
	for k := range taxonomy.ClassOf {
		if !shown[k] {
			t.Errorf("no flaw shows %s", k)
		}
	}
}

func TestSignsNameKinds(t *testing.T) {
	for _, app := range apps() {
		for _, f := range app.Flaws {
			for _, s := range f.Signs {
				for _, k := range s.Kinds {
					if _, ok := taxonomy.ClassOf[taxonomy.DefectKind(k)]; !ok {
						t.Errorf("%s %s: %q is no kind of defect", app.Name, f.Name, k)
					}
				}
			}
		}
	}
}
