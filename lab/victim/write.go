package victim

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"xiezhi/internal/exchange"
)

// Schema names the form of the truth of victims.
const Schema = "xiezhi.lab.victims/v1"

// Truth is the content of truth.json.
type Truth struct {
	Schema string     `json:"schema"`
	Seed   uint64     `json:"seed"`
	Apps   []TruthApp `json:"apps"`
}

// TruthApp is one application.
type TruthApp struct {
	Name      string      `json:"name"`
	Host      string      `json:"host"`
	Industry  string      `json:"industry"`
	From      time.Time   `json:"from"`
	To        time.Time   `json:"to"`
	Exchanges uint64      `json:"exchanges"`
	Flaws     []TruthFlaw `json:"flaws"`
}

// TruthFlaw is one switch: whether it was on, in how many exchanges it showed,
// in how many it would have, and what an analysis should say of it.
type TruthFlaw struct {
	Name    string      `json:"name"`
	On      bool        `json:"on"`
	Shown   uint64      `json:"shown"`
	Refused uint64      `json:"refused"`
	Signs   []TruthSign `json:"signs"`
}

// TruthSign is a finding that a flaw gives.
type TruthSign struct {
	Kinds     []string `json:"kinds"`
	Component string   `json:"component,omitempty"`
	Method    string   `json:"method,omitempty"`
	Template  string   `json:"template,omitempty"`
	Optional  bool     `json:"optional,omitempty"` // right when found, not missed when not
}

// app gives the application's flaws back, and which were on.
func (t *TruthApp) app() (*App, func(flaw string) bool) {
	a := &App{Name: t.Name, Host: t.Host}
	on := map[string]bool{}
	for _, f := range t.Flaws {
		on[f.Name] = f.On
		fl := Flaw{Name: f.Name}
		for _, s := range f.Signs {
			fl.Signs = append(fl.Signs, Sign{Kinds: s.Kinds, Component: s.Component, Method: s.Method, Template: s.Template, Extra: s.Optional})
		}
		a.Flaws = append(a.Flaws, fl)
	}
	return a, func(flaw string) bool { return on[flaw] }
}

// Label is the truth about one exchange.
type Label struct {
	ID      string   `json:"id"`
	Actor   string   `json:"actor"`
	Shown   []string `json:"shown"`   // flaws that showed in it
	Refused []string `json:"refused"` // flaws that were off and would have shown
}

// Names of what Write leaves in the folder.
const (
	TrafficDir = "traffic"
	ConfigFile = "config.yaml"
	PolicyFile = "policy.yaml"
	TruthFile  = "truth.json"
	LabelsFile = "labels.jsonl.zst"
)

// Write plays the applications into a folder: traffic/NAME.harl.zst,
// config.yaml and policy.yaml for analyze, truth.json, labels.jsonl.zst. The
// folder must not hold a play already.
func Write(ctx context.Context, apps []*App, seed uint64, on func(flaw string) bool, dir string) (*Truth, error) {
	if _, err := os.Stat(filepath.Join(dir, TruthFile)); err == nil {
		return nil, fmt.Errorf("%s: holds a play already; name an empty folder", dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, TrafficDir), 0o755); err != nil {
		return nil, err
	}
	t := &Truth{Schema: Schema, Seed: seed}
	labels, err := create(filepath.Join(dir, LabelsFile))
	if err != nil {
		return nil, err
	}
	defer labels.abandon()
	apps = slices.Clone(apps)
	for i, app := range apps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		app = app.Speak(seed)
		apps[i] = app
		one, err := writeApp(app, seed, on, filepath.Join(dir, TrafficDir, app.Name+".harl.zst"), labels)
		if err != nil {
			return nil, err
		}
		t.Apps = append(t.Apps, *one)
	}
	if err := labels.finish(); err != nil {
		return nil, err
	}
	out, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return nil, err
	}
	return t, errors.Join(os.WriteFile(filepath.Join(dir, ConfigFile), configYAML(apps), 0o644), os.WriteFile(filepath.Join(dir, PolicyFile), policyYAML(apps), 0o644),
		os.WriteFile(filepath.Join(dir, TruthFile), append(out, '\n'), 0o644))
}

func writeApp(app *App, seed uint64, on func(flaw string) bool, name string, labels *packed) (*TruthApp, error) {
	t := &TruthApp{Name: app.Name, Host: app.Host, Industry: app.Industry, From: Start, To: app.End()}
	at := map[string]int{}
	for i := range app.Flaws {
		f := &app.Flaws[i]
		at[f.Name] = i
		tf := TruthFlaw{Name: f.Name, On: on(f.Name)}
		for _, s := range f.Signs {
			tf.Signs = append(tf.Signs, TruthSign{s.Kinds, s.Component, s.Method, s.Template, s.Extra})
		}
		t.Flaws = append(t.Flaws, tf)
	}
	file, err := create(name)
	if err != nil {
		return nil, err
	}
	defer file.abandon()
	lines := json.NewEncoder(labels)
	var enc exchange.HAREncoder
	var buf []byte
	err = Run(Config{App: app, Seed: seed, On: func(flaw string, _ time.Time) bool { return on(flaw) }}, func(e *Event) error {
		t.Exchanges++
		for _, n := range e.Shown {
			t.Flaws[at[n]].Shown++
		}
		for _, n := range e.Refused {
			t.Flaws[at[n]].Refused++
		}
		l := Label{ID: string(e.Exchange.ID), Actor: e.Actor, Shown: append([]string{}, e.Shown...), Refused: append([]string{}, e.Refused...)}
		if err := lines.Encode(l); err != nil {
			return err
		}
		buf = append(enc.Append(buf[:0], e.Exchange), '\n')
		_, err := file.Write(buf)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, file.finish()
}

// configYAML tells analyze which hosts are which site.
func configYAML(apps []*App) []byte {
	var b strings.Builder
	b.WriteString("# Sites of the lab's victims, for xiezhi analyze --config.\ntime_zone: Asia/Shanghai\nsites:\n")
	for _, a := range apps {
		fmt.Fprintf(&b, "  - name: %s\n    hosts: [%s]\n    industry: %s\n", a.Name, a.Host, a.Industry)
	}
	return []byte(b.String())
}

// policyYAML is what the operators of the applications approved.
func policyYAML(apps []*App) []byte {
	var b strings.Builder
	b.WriteString("# What the operators of the lab's victims approved, for xiezhi analyze --policy.\nversion: 1\napprovals:\n")
	n := 0
	for _, a := range apps {
		if a.Policy == nil {
			continue
		}
		for _, p := range a.Policy.Approvals {
			n++
			fmt.Fprintf(&b, "  - site: %s\n    method: %s\n    template: %s\n    kind: %s\n    reason: %q\n    clients:", p.Site, p.Method, p.Template, p.Kind, p.Reason)
			for i, c := range p.Clients {
				fmt.Fprintf(&b, "%s%s", [2]string{" [", ", "}[min(i, 1)], c)
			}
			b.WriteString("]\n")
		}
	}
	if n == 0 {
		return []byte("version: 1\n")
	}
	return []byte(b.String())
}

// packed is a compressed file.
type packed struct {
	*bufio.Writer
	z *zstd.Encoder
	f *os.File
}

func create(name string) (*packed, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	// One goroutine: the bytes must not depend on the machine.
	z, err := zstd.NewWriter(f, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &packed{bufio.NewWriterSize(z, 1<<16), z, f}, nil
}

// finish completes the file.
func (p *packed) finish() error {
	f := p.f
	p.f = nil
	return errors.Join(p.Flush(), p.z.Close(), f.Close())
}

// abandon lets go of a file that is not complete.
func (p *packed) abandon() {
	if p.f != nil {
		_ = p.z.Close()
		_ = p.f.Close()
		p.f = nil
	}
}
