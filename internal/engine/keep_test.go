package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"testing"

	"xiezhi/internal/judge"
	"xiezhi/internal/source"
	"xiezhi/internal/store"
	"xiezhi/internal/store/state"
	"xiezhi/rules"
)

// TestRestoredJudgesGoOn replaces judges, in the middle of things, by what was
// restored from their snapshots in the data folder: the report stays what it is, to the byte.
func TestRestoredJudgesGoOn(t *testing.T) {
	tools, err := LoadTools(rules.FS, [32]byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	report := func(relieve func(*judge.Judge) *judge.Judge) []byte {
		in, err := source.Expand([]string{"../../testdata/vampi/vampi.pcap.zst"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		var attributed bytes.Buffer
		res, err := Analyze(context.Background(), AnalyzeConfig{Inputs: in, Version: "test", Tools: tools, Random: rand.Reader, Attributed: &attributed,
			Temp: func() (judge.SpillFile, error) { return os.CreateTemp(dir, "spill-*") }, relieve: relieve})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.MarshalIndent(res.Report, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return append(b, attributed.Bytes()...)
	}
	folder, err := store.Take(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Release() }()
	files, err := state.Open(folder, [32]byte{1, 2, 3}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want := report(nil)
	seen, saved := 0, 0
	got := report(func(j *judge.Judge) *judge.Judge {
		if seen++; seen%677 != 0 {
			return j
		}
		name := j.Config().Site.Name
		if err := files.Save(name, j.Save); err != nil {
			t.Fatal(err)
		}
		saved++
		var next *judge.Judge
		passed, err := files.Load(name, func(r io.Reader) (err error) {
			next, err = judge.Restore(j.Config(), r)
			return err
		})
		if err != nil || passed != nil {
			t.Fatal(err, passed)
		}
		return next
	})
	if saved < 10 {
		t.Fatalf("%d snapshots of %d observations", saved, seen)
	}
	if !bytes.Equal(got, want) {
		n := 0
		for n < min(len(got), len(want)) && got[n] == want[n] {
			n++
		}
		t.Errorf("restored judges give another report: …%s  |  …%s", want[max(0, n-200):min(len(want), n+80)], got[max(0, n-200):min(len(got), n+80)])
	}
}
