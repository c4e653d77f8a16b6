package lab_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"xiezhi/internal/engine"
	"xiezhi/internal/exchange"
	"xiezhi/lab"
	"xiezhi/lab/stage"
	"xiezhi/lab/truth"
	"xiezhi/schema"
)

// hash is the digest of a folder's files in order of name.
func hash(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		fmt.Fprintf(h, "%s %d\n", rel, len(b))
		h.Write(b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func unpack(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSameSeedSameBytes(t *testing.T) {
	var sums [3]string
	for i, seed := range []uint64{5, 5, 6} {
		dir := t.TempDir()
		if _, err := lab.Write(context.Background(), lab.Config{Seed: seed, Months: 2}, dir); err != nil {
			t.Fatal(err)
		}
		sums[i] = hash(t, dir)
	}
	if sums[0] != sums[1] {
		t.Error("the same seed gave different bytes")
	}
	if sums[0] == sums[2] {
		t.Error("another seed gave the same bytes")
	}
}

// TestFilesAreWhatTheyClaim checks a month's files against the schema, the
// order of time, the labels and the configuration reader.
func TestFilesAreWhatTheyClaim(t *testing.T) {
	dir := t.TempDir()
	want, err := lab.Write(context.Background(), lab.Config{Seed: 9, Months: 1, Start: time.Date(2023, 4, 1, 0, 0, 0, 0, lab.Zone())}, dir)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := schema.FS.ReadFile("harl.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("harl.v1.json", doc); err != nil {
		t.Fatal(err)
	}
	sch, err := c.Compile("harl.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	labels := bufio.NewScanner(bytes.NewReader(unpack(t, filepath.Join(dir, lab.LabelsFile))))
	lines := bytes.Split(bytes.TrimSuffix(unpack(t, filepath.Join(dir, lab.TrafficDir, "2023-04.harl.zst")), []byte("\n")), []byte("\n"))
	if uint64(len(lines)) != want.Exchanges {
		t.Fatalf("%d lines, truth counts %d exchanges", len(lines), want.Exchanges)
	}
	last, attacked := "", uint64(0)
	for i, b := range lines {
		var head struct {
			ID    string `json:"_id"`
			Start string `json:"startedDateTime"`
		}
		if err := json.Unmarshal(b, &head); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if at, err := time.Parse(time.RFC3339Nano, head.Start); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		} else if key := at.UTC().Format("2006-01-02T15:04:05.000000000"); key < last {
			t.Fatalf("line %d starts before the one above", i+1)
		} else {
			last = key
		}
		if !labels.Scan() {
			t.Fatalf("line %d has no label", i+1)
		}
		var l truth.Label
		if err := json.Unmarshal(labels.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.ID != head.ID {
			t.Fatalf("line %d is %s, its label is of %s", i+1, head.ID, l.ID)
		}
		if l.Attack != "" {
			attacked++
		}
		if i%37 == 0 {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if err := sch.Validate(v); err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
		}
	}
	if attacked != want.Exchanges-want.Honest {
		t.Errorf("labels name %d attacked exchanges, the truth %d", attacked, want.Exchanges-want.Honest)
	}
	conf, err := os.ReadFile(filepath.Join(dir, lab.ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	if cfg, err := engine.ParseConfig(lab.ConfigFile, conf); err != nil || len(cfg.Sites) != len(want.Sites) {
		t.Errorf("configuration: %v, %+v", err, cfg)
	}
	if _, err := lab.Write(context.Background(), lab.Config{Seed: 9, Months: 1}, dir); err == nil {
		t.Error("a folder with a play in it was written over")
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for _, c := range []struct {
		cfg  lab.Config
		want string
	}{
		{lab.Config{Months: -1}, "months: -1"},
		{lab.Config{Months: 500}, "between 1 and 120"},
		{lab.Config{Scale: "giant"}, `scale: "giant" is none of`},
	} {
		_, err := lab.Play(context.Background(), c.cfg, func(*stage.Event) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.cfg, err, c.want)
		}
	}
	// A sink that fails ends the play, and so does a cancelled context.
	full := errors.New("disk full")
	if _, err := lab.Play(context.Background(), lab.Config{Months: 1}, func(*stage.Event) error { return full }); !errors.Is(err, full) {
		t.Errorf("failing sink: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := lab.Play(ctx, lab.Config{Months: 1}, func(*stage.Event) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestPublicAndGangsAreRealistic looks at what the lab promises of its year.
func TestPublicAndGangsAreRealistic(t *testing.T) {
	night, evening, order := 0, 0, true
	var last int64
	sale, before := 0, 0
	tr, err := lab.Play(context.Background(), lab.Config{Seed: 3}, func(e *stage.Event) error {
		order = order && e.Exchange.Start >= last
		last = e.Exchange.Start
		at := time.Unix(0, e.Exchange.Start).In(lab.Zone())
		if e.Label.Attack == "" {
			switch at.Hour() {
			case 3, 4:
				night++
			case 20, 21:
				evening++
			}
			if e.App.Industry == "ecommerce" {
				switch at.Format("01-02") {
				case "06-18", "11-11":
					sale++
				case "03-16", "08-17":
					before++
				}
			}
		}
		if !e.Exchange.Client.IsValid() || e.Exchange.Client.Addr().As4()[0] < 240 {
			t.Fatalf("client %v is outside the reserved block", e.Exchange.Client)
		}
		for _, h := range e.Exchange.Request.Header {
			if v := bytes.TrimPrefix(h.Value, []byte("Bearer ")); len(v) > 24 && bytes.Contains(e.Exchange.Response.Body, v) {
				t.Fatalf("%s shows a credential that its own answer gives out", e.Exchange.Target)
			}
		}
		if e.Exchange.Caps&exchange.CapHeaderOrder == 0 {
			t.Fatal("an exchange without header order")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !order {
		t.Error("exchanges do not come in order of start")
	}
	if night*4 > evening {
		t.Errorf("%d honest exchanges at night, %d in the evening", night, evening)
	}
	if sale < 4*before {
		t.Errorf("%d honest exchanges on the days of sale, %d on usual days", sale, before)
	}
	total, spring := 0, 0
	for m, n := range tr.AttackedAPIsByMonth {
		total += n
		if m >= "2022-04" && m <= "2022-06" {
			spring += n
		}
	}
	if len(tr.AttackedAPIsByMonth) != 12 || spring*12 < total*3*12/10 {
		t.Errorf("no peak in spring: %v", tr.AttackedAPIsByMonth)
	}
	four := uint64(0)
	for _, s := range []string{"marketing_fraud", "account_risk", "data_theft", "traffic_fraud"} {
		if tr.ScenarioShare[s].Requests == 0 {
			t.Errorf("nothing in %s", s)
		}
		four += tr.ScenarioShare[s].Requests
	}
	if m := float64(tr.ScenarioShare["marketing_fraud"].Requests) / float64(four); m < .38 || m > .6 {
		t.Errorf("marketing fraud is %.2f of the four, want about half", m)
	}
	if a := float64(tr.ScenarioShare["account_risk"].Requests) / float64(four); a < .15 || a > .33 {
		t.Errorf("account risk is %.2f of the four, want about a fifth", a)
	}
	if len(tr.IndustryByScenario) < 8 {
		t.Errorf("attacks on %d industries", len(tr.IndustryByScenario))
	}
	classes := map[string]bool{}
	for _, d := range tr.Defects {
		classes[d.Class] = true
	}
	if len(classes) != 5 {
		t.Errorf("defects of %d classes, want five: %v", len(classes), classes)
	}
	blocked := uint64(0)
	for _, a := range tr.Attacks {
		blocked += a.Blocked
	}
	if blocked == 0 {
		t.Error("no attack was blocked by a control")
	}
	if tr.Exchanges < 100_000 || tr.Exchanges > 260_000 {
		t.Errorf("%d exchanges in a small year", tr.Exchanges)
	}
}
