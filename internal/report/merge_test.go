package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/reporttest"
	"xiezhi/rules"
)

var catalogue = sync.OnceValues(func() (*message.Catalog, error) { return message.Load(rules.FS, "messages") })

func messages(t testing.TB) *message.Catalog {
	t.Helper()
	m, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func encode(t rapid.TB, r *report.Report) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// months cuts a report of 2025 into twelve.
func months(t *testing.T, r *report.Report) []*report.Report {
	t.Helper()
	var out []*report.Report
	for m := time.January; m <= time.December; m++ {
		first := time.Date(2025, m, 1, 0, 0, 0, 0, time.UTC)
		out = append(out, report.Days(r, first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly), messages(t)))
	}
	return out
}

// TestTwelveMonthsAreAYear: a year in twelve runs gives the figures of one.
func TestTwelveMonthsAreAYear(t *testing.T) {
	year := reporttest.Year(3, messages(t))
	parts := months(t, year)
	sum := 0
	for i, p := range parts {
		key := fmt.Sprintf("2025-%02d", i+1)
		for m, n := range p.Statistics.AttackedAPIsByMonth {
			if m != key {
				t.Errorf("the run of %s counts %d APIs in %s", key, n, m)
			}
		}
		sum += p.Statistics.AttackedAPIsByMonth[key]
		p.Input.Exchanges, p.Input.Analysed, p.Input.Dropped = 100, 90, []report.ReasonCount{{Reason: "gap", Count: 10}}
		for j := range p.APIs {
			p.APIs[j].Exchanges = 7
		}
	}
	if sum == 0 {
		t.Fatal("the months are empty")
	}
	got, notes := report.Merge(parts, messages(t))
	if d := cmp.Diff(year.Statistics, got.Statistics); d != "" {
		t.Errorf("the figures differ (-year +months):\n%s", d)
	}
	if len(notes) != 0 {
		t.Errorf("runs that follow each other give the notes %v", notes)
	}
	if len(got.Attacks) != len(year.Attacks) || len(got.Defects) != len(year.Defects) || len(got.APIs) != len(year.APIs) {
		t.Errorf("%d attacks, %d defects, %d APIs; want %d, %d, %d", len(got.Attacks), len(got.Defects), len(got.APIs), len(year.Attacks), len(year.Defects), len(year.APIs))
	}
	if got.Input.Exchanges != 1200 || got.Input.Analysed != 1080 || got.Input.Dropped[0].Count != 120 {
		t.Errorf("input %+v", got.Input)
	}
	if !got.Input.First.Equal(*year.Input.First) || !got.Input.Last.Equal(*year.Input.Last) {
		t.Errorf("from %v to %v", got.Input.First, got.Input.Last)
	}
	for _, a := range got.Attacks {
		for _, b := range year.Attacks {
			if a.ID == b.ID && (a.Requests != b.Requests || a.Blocked != b.Blocked || a.Succeeded != b.Succeeded || len(a.Activity) != len(b.Activity)) {
				t.Errorf("attack %s: %d requests, want %d", a.ID, a.Requests, b.Requests)
			}
		}
	}
}

func TestOverlappingRunsCountOnce(t *testing.T) {
	whole := reporttest.Year(3, messages(t))
	half := report.Days(whole, "2025-01-01", "2025-06-30", messages(t))
	half.Input.Exchanges = 5
	got, notes := report.Merge([]*report.Report{half, whole}, messages(t))
	if d := cmp.Diff(whole.Statistics, got.Statistics); d != "" {
		t.Errorf("an overlapping run changes the figures (-one +two):\n%s", d)
	}
	if got.Input.Exchanges != whole.Input.Exchanges || got.Sites[0].Exchanges != whole.Sites[0].Exchanges || got.APIs[0].Exchanges != whole.APIs[0].Exchanges || got.Defects[0].Count != whole.Defects[0].Count {
		t.Error("an overlapping run is added")
	}
	if len(notes) != 1 || !strings.Contains(notes[0].En, "overlap") {
		t.Errorf("notes %v", notes)
	}
	// Overlapping in time on other sites is other traffic.
	other := report.Days(whole, "2025-01-01", "2025-06-30", messages(t))
	reporttest.Rewrite(other, func(path, s string) string {
		if path == "Sites.Name" || path == "APIs.Site" || path == "Attacks.Site" {
			return "other-" + s
		}
		return s
	})
	if got, notes = report.Merge([]*report.Report{other, whole}, messages(t)); got.Input.Exchanges != 2*whole.Input.Exchanges || len(notes) != 0 {
		t.Errorf("other traffic: %d exchanges, notes %v", got.Input.Exchanges, notes)
	}
}

func TestKeysAreCompared(t *testing.T) {
	a, b := reporttest.Year(3, messages(t)), reporttest.Year(4, messages(t))
	a.Input.Key, b.Input.Key = "1111", "2222"
	_, notes := report.Merge([]*report.Report{report.Days(a, "2025-01-01", "2025-03-31", messages(t)), report.Days(b, "2025-05-01", "", messages(t))}, messages(t))
	if len(notes) != 1 || !strings.Contains(notes[0].Zh, "2 个不同的密钥") {
		t.Errorf("notes %v", notes)
	}
}

// TestMergeProperties: any runs, in any order, any of them twice, give the
// same report, and that report merged with itself is itself.
func TestMergeProperties(t *testing.T) {
	years := []*report.Report{reporttest.Year(3, messages(t)), reporttest.Year(4, messages(t))}
	years[1].Defects = append(years[1].Defects, years[0].Defects[:4]...)
	years[1].APIs = append(years[1].APIs, years[0].APIs[:9]...)
	rapid.Check(t, func(rt *rapid.T) {
		var runs []*report.Report
		for range rapid.IntRange(1, 4).Draw(rt, "runs") {
			base := years[rapid.IntRange(0, 1).Draw(rt, "year")]
			first := rapid.IntRange(1, 12).Draw(rt, "first")
			last := rapid.IntRange(first, 12).Draw(rt, "last")
			r := report.Days(base, fmt.Sprintf("2025-%02d-%02d", first, rapid.IntRange(1, 28).Draw(rt, "day")), fmt.Sprintf("2025-%02d-28", last), messages(t))
			r.Input.Exchanges = rapid.Uint64Range(0, 1000).Draw(rt, "exchanges")
			for i := range r.Defects { // runs see a finding differently
				r.Defects[i].Severity = rapid.SampledFrom([]string{"critical", "high"}).Draw(rt, "severity")
				r.Defects[i].Count = rapid.Uint64Range(1, 9).Draw(rt, "count")
				if i > 2 {
					break
				}
			}
			runs = append(runs, r)
		}
		one, _ := report.Merge(runs, messages(t))
		want := encode(rt, one)
		shuffled := rapid.Permutation(append(runs, runs[0])).Draw(rt, "order")
		if two, _ := report.Merge(shuffled, messages(t)); encode(rt, two) != want {
			rt.Fatalf("another order, or a run given twice, gives another report:\n%s", cmp.Diff(one, two))
		}
		if again, _ := report.Merge([]*report.Report{one, one}, messages(t)); encode(rt, again) != want {
			rt.Fatalf("a report merged with itself is another:\n%s", cmp.Diff(one, again))
		}
	})
}

func TestReadIsStrict(t *testing.T) {
	year := reporttest.Year(1, messages(t))
	whole := encode(t, year)
	got, err := report.Read(strings.NewReader(whole))
	if err != nil || encode(t, got) != whole {
		t.Fatalf("a report does not come back: %v", err)
	}
	if err := validate(t, compiled(t), got); err != nil {
		t.Error(err)
	}
	replace := func(old, new string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("the report has no %s", old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing":          {"", "byte 0"},
		"no JSON":          {"<html>", "byte 1"},
		"another file":     {`{"log":{}}`, "no report"},
		"another schema":   {replace("xiezhi.report/v1", "xiezhi.report/v2"), `"xiezhi.report/v2" is not`},
		"cut":              {whole[:len(whole)/2], "byte "},
		"more":             {whole + "{}", "byte "},
		"unknown field":    {replace(`"sites":`, `"sights":[],"sites":`), "sights"},
		"wrong type":       {replace(`"requests":`, `"requests":"x","requests":`), "requests"},
		"negative":         {replace(`"requests":`, `"requests":-1,"was":`), "byte "},
		"unknown kind":     {replace(`"kind":"account_scanning"`, `"kind":"witchcraft"`), "no kind of attack"},
		"unknown level":    {replace(`"severity":"critical"`, `"severity":"<b>"`), "defects[0].severity"},
		"id":               {replace(`"id":"`+year.APIs[0].ID, `"id":"../../x`), ".id"},
		"day":              {replace(`"day":"2025`, `"day":"2525`), "is no day"},
		"confidence":       {replace(`"confidence":0.985`, `"confidence":7`), "confidence"},
		"time zone":        {replace(`"time_zone":"Asia/Shanghai"`, `"time_zone":"../../etc/passwd"`), "time_zone"},
		"hidden character": {replace(`"verdict":"confirmed"`, "\"verdict\":\"\u202econfirmed\""), `\\u{202e}`},
		"backward span":    {replace(`"first_seen":"2025`, `"first_seen":"2125`), "no span"},
	} {
		_, err := report.Read(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// FuzzRead: no bytes crash the reader, and what it accepts can be merged.
func FuzzRead(f *testing.F) {
	msgs, err := catalogue()
	if err != nil {
		f.Fatal(err)
	}
	small := report.Days(reporttest.Year(1, msgs), "2025-06-01", "2025-06-05", msgs)
	small.Attacks = small.Attacks[:min(2, len(small.Attacks))]
	b, err := json.Marshal(small)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"schema":"xiezhi.report/v1"}`))
	f.Add([]byte(`{"schema":"xiezhi.report/v1","input":{"addresses":"plain"},"attacks":[{"id":"0000000000000000"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := report.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		one, _ := report.Merge([]*report.Report{r, r}, msgs)
		report.Days(one, "2025-06-02", "2025-06-03", msgs)
	})
}

func BenchmarkMergeYear(b *testing.B) {
	year := reporttest.Year(3, messages(b))
	var runs []*report.Report
	for m := time.January; m <= time.December; m++ {
		first := time.Date(2025, m, 1, 0, 0, 0, 0, time.UTC)
		runs = append(runs, report.Days(year, first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly), messages(b)))
	}
	for b.Loop() {
		report.Merge(runs, messages(b))
	}
}
