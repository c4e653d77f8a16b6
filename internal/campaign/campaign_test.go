package campaign

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

func messages(tb testing.TB) *message.Catalog {
	tb.Helper()
	m, err := message.Load(rules.FS, "messages")
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// measured gives median and worst decile of purity and completeness.
func measured(t *testing.T, seeds int, build func(seed uint64) *world) {
	t.Helper()
	var pure, complete []float64
	for seed := range uint64(seeds) {
		w := build(seed)
		found, _ := Reduce(w.attacks, nil)
		p, c := w.bcubed(found)
		pure, complete = append(pure, p), append(complete, c)
	}
	slices.Sort(pure)
	slices.Sort(complete)
	t.Logf("%d seeds: purity median %.3f worst decile %.3f worst %.3f; completeness median %.3f worst decile %.3f worst %.3f", seeds,
		pure[seeds/2], pure[seeds/10], pure[0], complete[seeds/2], complete[seeds/10], complete[0])
	if pure[seeds/2] < 0.9 || complete[seeds/2] < 0.9 || pure[seeds/10] < 0.85 || complete[seeds/10] < 0.8 {
		t.Errorf("too low: median 0.9, worst decile 0.85 and 0.8 are promised")
	}
}

func TestGangs(t *testing.T) {
	for name, build := range map[string]func(w *world){
		"two gangs that share networks": func(w *world) { w.sharedNetworks() },
		"one trait of the tool changes": func(w *world) { w.changedTool(false) },
		"the whole tool changes":        func(w *world) { w.changedTool(true) },
		"popular tools":                 func(w *world) { w.popular() },
		"one site, several kinds":       func(w *world) { w.oneSite() },
		"six sites, slowly":             func(w *world) { w.manySites() },
		"attackers who are strangers":   func(w *world) { w.lone(30) },
	} {
		t.Run(name, func(t *testing.T) {
			measured(t, 40, func(seed uint64) *world {
				w := newWorld(seed, 8)
				build(w)
				return w
			})
		})
	}
	t.Run("all at once", func(t *testing.T) { measured(t, 60, mixed) })
}

// TestStrangersAreNotJoined: one false join is one too many here.
func TestStrangersAreNotJoined(t *testing.T) {
	joined := 0
	for seed := range uint64(100) {
		w := newWorld(seed, 8)
		w.popular()
		w.lone(20)
		found, _ := Reduce(w.attacks, nil)
		for _, c := range found {
			joined += len(c.Attacks)
			t.Logf("seed %d: %v joined by %+v", seed, c.Attacks, c.Links)
		}
	}
	if joined > 0 {
		t.Errorf("%d attacks of strangers were joined in 100 worlds", joined)
	}
}

// TestHub: an attack that is like both of two gangs does not make one of them.
func TestHub(t *testing.T) {
	for seed := range uint64(60) {
		w := newWorld(seed, 8)
		w.hub()
		found, _ := Reduce(w.attacks, nil)
		whose := map[string]string{}
		for _, c := range found {
			for _, id := range c.Attacks {
				if g := w.truth[id]; g == "both" {
					continue
				} else if other, ok := whose[c.ID]; ok && other != g {
					t.Fatalf("seed %d: two gangs became one", seed)
				}
				whose[c.ID] = w.truth[id]
			}
		}
		if len(whose) < 2 {
			t.Errorf("seed %d: a gang was not found", seed)
		}
	}
}

// TestHalfBlind: where half of the sites are known from access logs, gangs
// come apart, but strangers are not joined.
func TestHalfBlind(t *testing.T) {
	var pure, complete []float64
	for seed := range uint64(40) {
		w := mixed(seed)
		w.blind(50)
		found, _ := Reduce(w.attacks, nil)
		p, c := w.bcubed(found)
		pure, complete = append(pure, p), append(complete, c)
	}
	slices.Sort(pure)
	slices.Sort(complete)
	t.Logf("purity median %.3f worst decile %.3f; completeness median %.3f worst decile %.3f", pure[20], pure[4], complete[20], complete[4])
	if pure[4] < 0.95 || complete[20] < 0.5 {
		t.Error("too low")
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	msgs := messages(t)
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.Uint64().Draw(t, "seed"), 5)
		w.sharedNetworks()
		w.oneSite()
		w.hub()
		want, _ := Reduce(w.attacks, msgs)
		got, _ := Reduce(rapid.Permutation(w.attacks).Draw(t, "order"), msgs)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		// Marks come in any order, too.
		for i := range w.attacks {
			slices.Reverse(w.attacks[i].Marks)
		}
		if got, _ = Reduce(w.attacks, msgs); cmp.Diff(want, got) != "" {
			t.Fatal("the order of marks matters")
		}
	})
}

// TestCampaignKeepsItsID when attacks join it later.
func TestCampaignKeepsItsID(t *testing.T) {
	w := newWorld(3, 8)
	w.manySites()
	slices.SortFunc(w.attacks, func(a, b Attack) int { return a.First.Compare(b.First) })
	r := NewReducer(time.Hour, nil)
	var id string
	for _, a := range w.attacks {
		r.Put(a)
		now := a.Last.Add(time.Hour)
		found, fresh := r.Tick(now)
		if !fresh {
			t.Fatal("an hour went by and nobody looked")
		}
		if _, fresh = r.Tick(now); fresh {
			t.Error("looked twice at one time")
		}
		if len(found) == 0 {
			continue
		}
		if id == "" {
			id = found[0].ID
		}
		if found[0].ID != id {
			t.Errorf("the id changed from %s to %s", id, found[0].ID)
		}
	}
	if id == "" {
		t.Error("no campaign was found")
	}
	all, _ := Reduce(w.attacks, nil)
	last, _ := r.Tick(w.attacks[len(w.attacks)-1].Last.Add(48 * time.Hour))
	if d := cmp.Diff(all, last); d != "" {
		t.Errorf("step by step gives another result than all at once:\n%s", d)
	}
	if len(all) != 1 || all[0].Name != "G-"+fmt.Sprintf("%.4s", upper(all[0].ID)) {
		t.Errorf("name and id do not fit: %+v", all)
	}
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 32
		}
	}
	return string(b)
}

func TestSuspicionJoinsNothing(t *testing.T) {
	w := newWorld(5, 8)
	w.manySites()
	for i := range w.attacks {
		w.attacks[i].Verdict = taxonomy.Suspicious
	}
	if found, _ := Reduce(w.attacks, nil); len(found) != 0 {
		t.Errorf("suspicions were joined: %+v", found)
	}
	if found, _ := Reduce(w.attacks[:1], nil); len(found) != 0 {
		t.Errorf("one attack is no campaign: %+v", found)
	}
}

// TestBounded: a thousand attacks that all share everything are no square.
func TestBounded(t *testing.T) {
	w := newWorld(7, 4)
	id := "crowd"
	g := &gang{name: id, header: "h", agent: "a", style: "s", nets: w.pool(id, 3), perAttack: 40, list: 9, size: 100}
	for i := range 1500 {
		w.attack(g, i%4, float64(i)/20, stuffing)
	}
	found, lost := Reduce(w.attacks, nil)
	if len(found) != 1 || len(found[0].Attacks) != 1500 || lost.Pairs == 0 {
		t.Errorf("%d campaigns, %d pairs not compared", len(found), lost.Pairs)
	}
	ps := profiles(func() (out []*Attack) {
		for i := range w.attacks {
			out = append(out, &w.attacks[i])
		}
		return
	}())
	if list, _ := edges(ps); len(list) > 1500*neighbours*40 {
		t.Errorf("%d pairs were compared", len(list))
	}
	for i := len(w.attacks); i < maxAttacks+10; i++ {
		w.attacks = append(w.attacks, Attack{ID: fmt.Sprint(i), Verdict: taxonomy.Likely, First: start, Last: start})
	}
	if _, lost := Reduce(w.attacks, nil); lost.Attacks != 10 {
		t.Errorf("%d attacks left out, 10 are too many", lost.Attacks)
	}
}

func BenchmarkReduce(b *testing.B) {
	w := newWorld(1, 40)
	for len(w.attacks) < 2000 {
		w.sharedNetworks()
		w.changedTool(false)
		w.popular()
		w.oneSite()
		w.manySites()
		w.lone(12)
	}
	w.attacks = w.attacks[:2000]
	msgs := messages(b)
	b.ReportAllocs()
	for b.Loop() {
		Reduce(w.attacks, msgs)
	}
}
