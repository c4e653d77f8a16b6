package victim_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/defect/audit"
	"xiezhi/internal/engine"
	"xiezhi/internal/exchange"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/lab/victim"
	"xiezhi/lab/victim/roster"
	"xiezhi/rules"
)

var tools = sync.OnceValues(func() (*engine.Tools, error) { return engine.LoadTools(rules.FS, [32]byte{4, 5, 6}) })

// seeds is how many the acceptance plays: XIEZHI_SEEDS, else 1.
func seeds() int {
	if n, err := strconv.Atoi(os.Getenv("XIEZHI_SEEDS")); err == nil && n > 0 {
		return n
	}
	return 1
}

// play plays an application and analyses what came of it.
func play(t *testing.T, cfg victim.Config, p *policy.File) *report.Report {
	t.Helper()
	name := filepath.Join(t.TempDir(), "play.harl")
	if dir := os.Getenv("XIEZHI_KEEP"); dir != "" {
		name = filepath.Join(dir, fmt.Sprintf("%s-%d-%s.harl", cfg.App.Name, cfg.Seed, strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())))
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriterSize(f, 1<<16)
	var enc exchange.HAREncoder
	var line []byte
	n := uint64(0)
	err = victim.Run(cfg, func(e *victim.Event) error {
		n++
		line = append(enc.Append(line[:0], e.Exchange), '\n')
		_, err := out.Write(line)
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	tl, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := source.Expand([]string{name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := engine.Analyze(context.Background(), engine.AnalyzeConfig{Version: "test", Tools: tl, Inputs: inputs, Zone: victim.Start.Location(), Random: rand.Reader, Policy: p, Workers: 1,
		File: &engine.FileConfig{Sites: []engine.SiteConfig{{Name: cfg.App.Name, Hosts: []string{cfg.App.Host}, Industry: cfg.App.Industry}}}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Report.Input.Analysed != n {
		t.Fatalf("%d of %d exchanges analysed", res.Report.Input.Analysed, n)
	}
	return res.Report
}

// half gives about half of the flaws, by seed.
func half(app *victim.App, seed uint64) func(flaw string) bool {
	r := mathrand.New(mathrand.NewPCG(seed, 0x68616c66))
	on := map[string]bool{}
	for _, f := range app.Flaws {
		on[f.Name] = r.IntN(2) == 0
	}
	return func(flaw string) bool { return on[flaw] }
}

func none(string) bool { return false }
func all(string) bool  { return true }

// TestDefectsAreFound plays every application with all flaws on, with half of
// them and with none: what is on is found as what it is where it is, and nothing else is.
func TestDefectsAreFound(t *testing.T) {
	on, off := victim.NewBoard(), victim.NewBoard()
	on.Judged = judged()
	began, exchanges := time.Now(), uint64(0)
	for seed := range seeds() {
		for _, app := range roster.Apps() {
			app = app.Speak(uint64(seed + 1))
			r := play(t, victim.Config{App: app, Seed: uint64(seed + 1), On: victim.Always}, app.Policy)
			exchanges += r.Input.Exchanges
			on.Add("on", app, all, r)
			r = play(t, victim.Config{App: app, Seed: uint64(seed + 1), On: victim.Never}, app.Policy)
			exchanges += r.Input.Exchanges
			off.Add("off", app, none, r)
			some := half(app, uint64(seed+1))
			r = play(t, victim.Config{App: app, Seed: uint64(seed + 1), On: func(flaw string, _ time.Time) bool { return some(flaw) }}, app.Policy)
			exchanges += r.Input.Exchanges
			on.Add("some on", app, some, r)
		}
	}
	t.Logf("%d exchanges, %v", exchanges, time.Since(began).Round(time.Millisecond))
	show(t, on, off)
	if p := on.Precision(); p < 0.95 {
		t.Errorf("precision %.3f with all flaws on, want 0.95", p)
	}
	if r := on.Recall(); r < 0.9 {
		t.Errorf("recall %.3f, want 0.9", r)
	}
	if n := off.False(); n > 0 {
		t.Errorf("%d findings with all flaws off", n)
	}
}

// TestFlawsAlone switches on one flaw at a time: what else is on must not be
// needed to see it, and nothing else may be found because of it.
func TestFlawsAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every application once a flaw")
	}
	board := victim.NewBoard()
	board.Judged = judged()
	for _, app := range roster.Apps() {
		app = app.Speak(1)
		for i := range app.Flaws {
			name := app.Flaws[i].Name
			only := func(flaw string) bool { return flaw == name }
			r := play(t, victim.Config{App: app, Seed: 1, On: func(flaw string, _ time.Time) bool { return only(flaw) }}, app.Policy)
			board.Add(name, app, only, r)
		}
	}
	show(t, board)
	if p := board.Precision(); p < 0.95 {
		t.Errorf("precision %.3f, want 0.95", p)
	}
	if r := board.Recall(); r < 0.9 {
		t.Errorf("recall %.3f, want 0.9", r)
	}
}

// judged are the kinds that are looked for.
func judged() map[string]bool {
	out := map[string]bool{}
	for _, k := range audit.Kinds() {
		out[string(k)] = true
	}
	return out
}

func show(t *testing.T, boards ...*victim.Board) {
	t.Helper()
	var b strings.Builder
	for _, board := range boards {
		if err := board.Print(&b); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}
	t.Log("\n" + b.String())
}
