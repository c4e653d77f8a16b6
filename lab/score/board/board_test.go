package board_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/judge"
	"xiezhi/lab"
	"xiezhi/lab/arena"
	"xiezhi/lab/arena/knob"
	"xiezhi/lab/score/board"
	"xiezhi/lab/score/measure"
	"xiezhi/lab/stage"
	"xiezhi/lab/truth"
	"xiezhi/rules"
)

var tools = sync.OnceValues(func() (*engine.Tools, error) { return engine.LoadTools(rules.FS, [32]byte{7}) })

func world(t *testing.T) board.World {
	t.Helper()
	tl, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return board.World{Tools: tl, Random: rand.Reader, Temp: func() (judge.SpillFile, error) { return os.CreateTemp(dir, "spill-*") }}
}

// month is a month of the lab's year as a game: what it holds is known to be
// found whole.
func month(t *testing.T) board.Game {
	t.Helper()
	play := func(ctx context.Context, sink stage.Sink) (*truth.Truth, error) {
		return lab.Play(ctx, lab.Config{Seed: 1, Months: 1}, sink)
	}
	tr, err := play(context.Background(), func(*stage.Event) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	g := board.Game{Name: "month", Seed: 1, Sensor: "all", Sites: len(tr.Sites), Days: 31, Play: play}
	kinds := map[string]string{}
	for _, a := range tr.Attacks {
		if kinds[a.Campaign] == "" {
			kinds[a.Campaign] = a.Kind
		}
	}
	for _, c := range tr.Campaigns {
		g.Gangs = append(g.Gangs, board.Gang{ID: c.ID, Family: c.ID, Difficulty: knob.Easy, Kind: kinds[c.ID], Knobs: knob.Knobs{Order: knob.Sequential}})
	}
	return g
}

// TestMonth plays a month that the product is known to find whole, and the
// same again from what was kept.
func TestMonth(t *testing.T) {
	if testing.Short() {
		t.Skip("analyses a month twice")
	}
	dir := t.TempDir()
	plays := 0
	g := month(t)
	play := g.Play
	g.Key = []byte("month 1")
	g.Play = func(ctx context.Context, sink stage.Sink) (*truth.Truth, error) {
		plays++
		return play(ctx, sink)
	}
	meter := [2]int{}
	s := board.Season{Games: []board.Game{g}, World: world(t), Workers: 2, Keep: dir, Stamp: "a", Meter: func(done, kept int) { meter = [2]int{done, kept} }}
	records, err := s.Play(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if plays != 3 || meter != [2]int{1, 0} {
		t.Errorf("%d plays, meter %v; want one for the labels and two for the product", plays, meter)
	}
	r := records[0]
	if r.Benign == 0 || r.Exchanges <= r.Benign || len(r.Attacks) < 10 {
		t.Fatalf("%d exchanges, %d benign, %d attacks", r.Exchanges, r.Benign, len(r.Attacks)-1)
	}
	b := board.Make(records)
	f := b.Open.Plain
	for what, s := range map[string]measure.Share{"campaign recall": f.Campaign.Recall, "campaign precision": f.Campaign.Precision, "request recall": f.Request.Recall, "named recall": f.Named.Recall} {
		if s.Value() != 1 {
			t.Errorf("%s: %v of %v", what, s.Hit, s.Of)
		}
	}
	if f.FalseRequests.Hit > 0 || f.NeverFound > 0 || len(f.Probes) != len(r.Attacks)-1 {
		t.Errorf("%v false, %d never found, %d found of %d", f.FalseRequests.Hit, f.NeverFound, len(f.Probes), len(r.Attacks)-1)
	}
	for a, x := range r.Plain.Found[1:] {
		if x.Probes < 1 || x.Probes > r.Attacks[a+1].Requests || x.GangProbes < x.Probes || x.After < 0 {
			t.Errorf("%s: %+v of %d requests", r.Attacks[a+1].ID, x, r.Attacks[a+1].Requests)
		}
	}
	if n := b.Open.Buckets.Campaign.Recall; n.Of != f.Campaign.Recall.Of {
		t.Errorf("the buckets are held against %v campaigns", n.Of)
	}
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}

	again, err := s.Play(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if plays != 3 || meter != [2]int{1, 1} {
		t.Errorf("%d plays, meter %v: what was kept was played again", plays, meter)
	}
	if got, err := json.Marshal(board.Make(again)); err != nil || string(got) != string(raw) {
		t.Errorf("what was kept gives another board: %v", err)
	}
}

// TestMatch plays a small match of the arena: one loud gang at one application.
func TestMatch(t *testing.T) {
	m := arena.Match{Seed: 4, Spec: arena.Spec{Name: "small", Start: time.Date(2024, 4, 1, 0, 0, 0, 0, arena.Zone()), Warm: 30, Days: 2, Sites: []string{"government", "mall"}, Visits: 60, Sensor: arena.SeesAll,
		Campaigns: []arena.Campaign{{ID: "g1", Family: "rented_script", Difficulty: knob.Easy, Moves: []arena.Move{{Kind: "vulnerability_scan"}},
			Knobs: knob.Knobs{Networks: []knob.Network{knob.DataCentre}, Fingerprint: knob.FixedTool, Parameters: knob.OwnParams, Rate: knob.Steady, PerMinute: 60, Order: knob.Sequential, HitRate: .1, Captcha: knob.NoCaptcha, Budget: 200}}}}}
	games, err := board.Games([]arena.Match{m}, arena.Play)
	if err != nil {
		t.Fatal(err)
	}
	r, err := board.Run(context.Background(), world(t), &games[0])
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range r.Plain.Groups {
		n += g.N
	}
	if len(r.Attacks) != 2 || r.Attacks[1].Requests < 100 || n != r.Exchanges || r.Benign+r.Support+r.Attacks[1].Requests != r.Exchanges {
		t.Fatalf("%+v: %d exchanges, %d in groups, %d benign, %d beside", r.Attacks[1:], r.Exchanges, n, r.Benign, r.Support)
	}
	b := board.Make([]*board.Record{r})
	f := b.Open.Plain
	if f.Campaign.Recall != (measure.Share{Hit: 1, Of: 1}) || b.Open.Buckets.Campaign.Recall.Of != 1 || len(f.Probes) != 1 || f.Probes[0] > 60 {
		t.Errorf("campaigns %+v, buckets %+v, found after %v", f.Campaign, b.Open.Buckets.Campaign, f.Probes)
	}
}

func TestBrokenRecordsAreNamed(t *testing.T) {
	dir := t.TempDir()
	s := board.Season{Games: []board.Game{{Name: "x", Play: func(context.Context, stage.Sink) (*truth.Truth, error) { return nil, errors.New("no play") }}}, Workers: 1, Keep: dir}
	if _, err := s.Play(context.Background()); err == nil || err.Error() != "no play" {
		t.Errorf("got %v", err)
	}
	sum := sha256.Sum256([]byte("\x00"))
	name := filepath.Join(dir, "x-"+hex.EncodeToString(sum[:8])+".json")
	if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Play(context.Background()); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("got %v", err)
	}
}
