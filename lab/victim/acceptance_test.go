package victim_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
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

// apps are the applications that are played: all, or those that XIEZHI_APPS
// names.
func apps() []*victim.App {
	only := os.Getenv("XIEZHI_APPS")
	return slices.DeleteFunc(roster.Apps(), func(a *victim.App) bool {
		return only != "" && !slices.Contains(strings.Split(only, ","), a.Name)
	})
}

// round is one play of an application with its operator's policy.
type round struct {
	victim.Config
	policy *policy.File
}

// playAll plays rounds side by side and gives their reports in order.
func playAll(t *testing.T, rounds []round) []*report.Report {
	t.Helper()
	out := make([]*report.Report, len(rounds))
	errs := make([]error, len(rounds))
	dir := t.TempDir()
	var running sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, r := range rounds {
		name := filepath.Join(dir, fmt.Sprintf("%d.harl", i))
		if keep := os.Getenv("XIEZHI_KEEP"); keep != "" {
			name = filepath.Join(keep, fmt.Sprintf("%s-%s-%d-%d.harl", t.Name(), r.App.Name, r.Seed, i))
		}
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			if out[i], errs[i] = play(r.Config, r.policy, name); errs[i] != nil {
				errs[i] = fmt.Errorf("%s, seed %d: %w", r.App.Name, r.Seed, errs[i])
			}
			if os.Getenv("XIEZHI_KEEP") == "" {
				errs[i] = errors.Join(errs[i], os.Remove(name))
			}
		})
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return out
}

// play plays an application into a file and analyses it.
func play(cfg victim.Config, p *policy.File, name string) (*report.Report, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
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
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	tl, err := tools()
	if err != nil {
		return nil, err
	}
	inputs, err := source.Expand([]string{name}, nil)
	if err != nil {
		return nil, err
	}
	res, err := engine.Analyze(context.Background(), engine.AnalyzeConfig{Version: "test", Tools: tl, Inputs: inputs, Zone: victim.Start.Location(), Random: rand.Reader, Policy: p, Workers: 1,
		File: &engine.FileConfig{Sites: []engine.SiteConfig{{Name: cfg.App.Name, Hosts: []string{cfg.App.Host}, Industry: cfg.App.Industry}}}})
	if err != nil {
		return nil, err
	}
	if res.Report.Input.Analysed != n {
		return nil, fmt.Errorf("%d of %d exchanges analysed", res.Report.Input.Analysed, n)
	}
	return res.Report, nil
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
	var rounds []round
	var add []func(r *report.Report)
	for seed := range uint64(seeds()) {
		for _, app := range apps() {
			app = app.Speak(seed + 1)
			some := half(app, seed+1)
			for _, c := range []struct {
				name  string
				on    func(flaw string) bool
				board *victim.Board
			}{{"on", all, on}, {"off", none, off}, {"some on", some, on}} {
				rounds = append(rounds, round{victim.Config{App: app, Seed: seed + 1, On: func(flaw string, _ time.Time) bool { return c.on(flaw) }}, app.Policy})
				add = append(add, func(r *report.Report) {
					exchanges += r.Input.Exchanges
					c.board.Add(c.name, app, c.on, r)
				})
			}
		}
	}
	for i, r := range playAll(t, rounds) {
		add[i](r)
	}
	t.Logf("%d exchanges, %v", exchanges, time.Since(began).Round(time.Millisecond))
	show(t, on, off)
	if p := on.Precision(); p < 0.95 {
		t.Errorf("precision %.3f with all flaws on, want 0.95", p)
	}
	if r := on.Recall(); r < 0.9 {
		t.Errorf("recall %.3f, want 0.9", r)
	}
	for kind, r := range on.Kinds() {
		if r.False*20 > r.Right+r.False || r.Missed*10 > r.Found+r.Missed {
			t.Errorf("%s: found %d, missed %d; right %d, false %d: want precision 0.95 and recall 0.9 for each kind", kind, r.Found, r.Missed, r.Right, r.False)
		}
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
	var rounds []round
	var add []func(r *report.Report)
	for _, app := range apps() {
		app = app.Speak(1)
		for i := range app.Flaws {
			name := app.Flaws[i].Name
			only := func(flaw string) bool { return flaw == name }
			rounds = append(rounds, round{victim.Config{App: app, Seed: 1, On: func(flaw string, _ time.Time) bool { return only(flaw) }}, app.Policy})
			add = append(add, func(r *report.Report) { board.Add(name, app, only, r) })
		}
	}
	for i, r := range playAll(t, rounds) {
		add[i](r)
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
