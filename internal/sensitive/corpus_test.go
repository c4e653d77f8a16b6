package sensitive

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xiezhi/internal/taxonomy"
)

// corpusFile opens ../shared/corpora/<name> beside the module, or skips.
func corpusFile(t *testing.T, name string) *os.File {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
	path := filepath.Join(filepath.Dir(dir), "shared", "corpora", name)
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("corpus %s is absent", filepath.Dir(path))
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// corpusRow is the union of the rows' forms.
type corpusRow struct {
	Src     string  `json:"src"`
	Test    string  `json:"test"`
	Text    *string `json:"text"`
	Count   int     `json:"expected_count"`
	Value   *string `json:"value"`
	Valid   bool    `json:"valid"`
	Payload *string `json:"payload"`
	Line    *string `json:"line"`
	File    *string `json:"file_content"`
	Flag    *bool   `json:"should_flag"`
}

func corpusRows(t *testing.T, name string) (rows []corpusRow) {
	t.Helper()
	sc := bufio.NewScanner(corpusFile(t, name))
	for sc.Scan() {
		var r corpusRow
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestCorpusOfChineseIdentifiers(t *testing.T) {
	kinds := map[string][]taxonomy.Sensitive{
		"phone":    {taxonomy.SensCNMobile},
		"id_card":  {taxonomy.SensCNResidentID},
		"card":     {taxonomy.SensBankCard},
		"passport": {taxonomy.SensPassport, taxonomy.SensHKMacauPermit},
		"email":    {taxonomy.SensEmail},
	}
	hints := map[string]Hint{"phone": HintMobile, "id_card": HintResidentID, "card": HintBankCard, "passport": HintPassport, "email": HintEmail}
	right, total := 0, 0
	for _, r := range corpusRows(t, "pii-cn/cases.jsonl") {
		kind := ""
		for _, k := range []string{"_id_card", "phone", "passport", "email", "card"} {
			if strings.Contains(r.Test, k) {
				kind = strings.TrimPrefix(k, "_")
				break
			}
		}
		var text string
		var hits []Hit
		if r.Text != nil {
			text = *r.Text
			hits = Scan([]byte(text), nil)
		} else {
			text = *r.Value
			hits = Leaf(hints[kind], []byte(text), nil)
			if r.Valid {
				r.Count = 1
			}
		}
		got := 0
		for _, h := range hits {
			for _, k := range kinds[kind] {
				if h.Type == k {
					got++
				}
			}
		}
		total++
		if got == r.Count {
			right++
		} else {
			t.Logf("%s %q: %d of %d found", r.Test, text, got, r.Count)
		}
	}
	t.Logf("%d of %d rows right", right, total)
	if float64(right) < 0.97*float64(total) {
		t.Errorf("%d of %d rows right, want 97 %%", right, total)
	}
}

func TestCorpusOfSecrets(t *testing.T) {
	right, total := 0, 0
	for _, r := range corpusRows(t, "secrets-detect-secrets/cases.jsonl") {
		text := r.Payload
		if text == nil {
			text = r.Line
		}
		if text == nil {
			text = r.File
		}
		if text == nil || strings.Contains(*text, "xxxx") { // templates without a value, dummies
			continue
		}
		want := r.Flag == nil || *r.Flag
		b := []byte(*text)
		var got bool
		if strings.Contains(r.Src, "ip_public") { // the file says that these are addresses, as a key would
			got = has(Leaf(HintIP, b, nil), func(h Hit) bool { return h.Type == taxonomy.SensIPAddress })
		} else {
			got = has(ScanText(b, nil), func(h Hit) bool { return h.Type.Level() == 4 })
			if strings.Contains(r.Src, "gitlab") { // foreign tokens are no GitLab tokens there
				got = got && strings.Contains(*text, "gl") || got && strings.Contains(*text, "GR")
			}
		}
		total++
		if got == want {
			right++
		} else {
			t.Logf("%s %q: flagged %v", filepath.Base(r.Src), *text, got)
		}
	}
	t.Logf("%d of %d rows right", right, total)
	if float64(right) < 0.9*float64(total) {
		t.Errorf("%d of %d rows right, want 90 %%", right, total)
	}
}

func has(hits []Hit, ok func(Hit) bool) bool {
	for _, h := range hits {
		if ok(h) {
			return true
		}
	}
	return false
}
