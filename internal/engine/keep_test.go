package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"testing"

	"xiezhi/internal/judge"
	"xiezhi/internal/source"
	"xiezhi/rules"
)

// TestRestoredJudgesGoOn replaces judges, in the middle of things, by what was
// restored from their snapshots: the report stays what it is, to the byte.
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
	want := report(nil)
	seen, saved, size := 0, 0, 0
	got := report(func(j *judge.Judge) *judge.Judge {
		if seen++; seen%677 != 0 {
			return j
		}
		var b bytes.Buffer
		if err := j.Save(&b); err != nil {
			t.Fatal(err)
		}
		saved++
		size = max(size, b.Len())
		next, err := judge.Restore(j.Config(), &b)
		if err != nil {
			t.Fatal(err)
		}
		return next
	})
	if saved < 10 {
		t.Fatalf("%d snapshots of %d observations", saved, seen)
	}
	t.Logf("%d snapshots, up to %d bytes", saved, size)
	if !bytes.Equal(got, want) {
		n := 0
		for n < min(len(got), len(want)) && got[n] == want[n] {
			n++
		}
		t.Errorf("restored judges give another report: …%s  |  …%s", want[max(0, n-200):min(len(want), n+80)], got[max(0, n-200):min(len(got), n+80)])
	}
}
