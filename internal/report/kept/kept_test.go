package kept

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/reporttest"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
	"xiezhi/rules"
)

func year(t *testing.T) *report.Report {
	t.Helper()
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	return reporttest.Small(3, msgs)
}

func keep(t *testing.T, s record.Store, r *report.Report) {
	t.Helper()
	list, err := All(r, 1)
	if err != nil {
		t.Fatal(err)
	}
	for len(list) > 0 {
		n := min(len(list), record.MaxBatch)
		if _, err := s.Write(t.Context(), record.Batch{Put: list[:n]}); err != nil {
			t.Fatal(err)
		}
		list = list[n:]
	}
}

// TestReportComesBack keeps a made-up year and reads it again.
func TestReportComesBack(t *testing.T) {
	r := year(t)
	s := recordtest.NewModel(record.NewChain([32]byte{1}))
	keep(t, s, r)
	got, cut, bad, err := Report(t.Context(), s, r.Version, r.Rules)
	if err != nil || len(cut) > 0 || bad > 0 {
		t.Fatal(err, cut, bad)
	}
	want := *r
	for i := range want.Defects { // a report says it by the API
		j := slices.IndexFunc(want.APIs, func(a report.API) bool { return a.ID == want.Defects[i].API })
		want.Defects[i].Site = want.APIs[j].Site
	}
	report.Order(&want)
	want.Statistics = report.Count(&want)
	for what, d := range map[string]string{
		"apis": cmp.Diff(want.APIs, got.APIs), "defects": cmp.Diff(want.Defects, got.Defects), "attacks": cmp.Diff(want.Attacks, got.Attacks),
		"statistics": cmp.Diff(want.Statistics, got.Statistics), "sites": cmp.Diff(want.Sites, got.Sites),
	} {
		if d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	if len(got.Campaigns) != len(want.Campaigns) || len(got.APIs) == 0 || len(got.Attacks) == 0 {
		t.Errorf("%d campaigns, %d APIs, %d attacks", len(got.Campaigns), len(got.APIs), len(got.Attacks))
	}
	if got.Input.Exchanges != want.Input.Exchanges {
		t.Errorf("%d exchanges, want %d", got.Input.Exchanges, want.Input.Exchanges)
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := report.Read(strings.NewReader(string(b))); err != nil {
		t.Errorf("what comes back is no report: %v", err)
	}
}

// TestReportOfAMonth holds a report to a site and a month.
func TestReportOfAMonth(t *testing.T) {
	r := year(t)
	s := recordtest.NewModel(record.NewChain([32]byte{1}))
	keep(t, s, r)
	c := Scope{Site: r.Attacks[0].Site, From: r.Attacks[0].FirstSeen.Add(-time.Hour), To: r.Attacks[0].FirstSeen.Add(time.Hour)}
	want := 0
	for _, a := range r.Attacks {
		if a.Site == c.Site && !a.LastSeen.Before(c.From) && a.FirstSeen.Before(c.To) {
			want++
		}
	}
	got, _, _, err := ReportOf(t.Context(), s, "v", "r", c)
	if err != nil || len(got.Attacks) != want || want == 0 || want == len(r.Attacks) {
		t.Errorf("%d attacks, %v; want %d of %d", len(got.Attacks), err, want, len(r.Attacks))
	}
	for _, a := range got.APIs {
		if a.Site != c.Site {
			t.Errorf("an API of %s", a.Site)
		}
	}
	for _, x := range got.Campaigns {
		if !slices.Contains(x.Sites, c.Site) {
			t.Errorf("a campaign on %v", x.Sites)
		}
	}
}

// TestDefectsOfAWholeSite: a defect of no API is found under its site.
func TestDefectsOfAWholeSite(t *testing.T) {
	r := year(t)
	r.Defects = r.Defects[:2]
	r.Defects[0].API, r.Defects[0].Site = "", r.Sites[1].Name
	s := recordtest.NewModel(record.NewChain([32]byte{1}))
	keep(t, s, r)
	got, _, _, err := ReportOf(t.Context(), s, "v", "r", Scope{Site: r.Sites[1].Name})
	if err != nil || !slices.ContainsFunc(got.Defects, func(d report.Defect) bool { return d.ID == r.Defects[0].ID && d.Site == r.Sites[1].Name }) {
		t.Errorf("%d defects, %v", len(got.Defects), err)
	}
}

func TestWhatIsNoElementIsLeftOut(t *testing.T) {
	s := recordtest.NewModel(record.NewChain([32]byte{1}))
	x := recordtest.Record(record.API, 1)
	x.Body = []byte(`{"id":7}`)
	if _, err := s.Write(t.Context(), record.Batch{Put: []record.Record{x}}); err != nil {
		t.Fatal(err)
	}
	r, _, bad, err := Report(t.Context(), s, "v", "r")
	if err != nil || bad != 1 || len(r.APIs) != 0 {
		t.Errorf("%d APIs, %d bad, %v", len(r.APIs), bad, err)
	}
}

func TestListsFindByWhatTheBodySays(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	a := report.API{ID: "aa", Site: "s", Host: "API.example", Method: "GET", Template: "/用户/{id}", Role: "data_read", Lifecycle: "active", Auth: "none", Exposure: "internet",
		Sensitive: []report.SensitiveData{{Path: "phone", Type: "cn_mobile", In: "response"}, {Path: "x", Type: "email", In: "response", Masked: true}}, FirstSeen: at, LastSeen: at}
	r, err := API(&a, 7)
	if err != nil {
		t.Fatal(err)
	}
	s := recordtest.NewModel(record.NewChain([32]byte{1}))
	if _, err := s.Write(t.Context(), record.Batch{Put: []record.Record{r}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words []string
		found bool
	}{
		{[]string{TagAuth("none")}, true}, {[]string{TagAuth("no")}, false}, {[]string{TagData("email"), TagSensitive()}, true},
		{[]string{TagExposure("internal")}, false}, {[]string{TagMethod("get")}, true}, {[]string{Fold("get /用户")}, true},
		{[]string{Fold("API.EXAMPLE")}, true}, {[]string{TagGone()}, false},
	} {
		p, err := s.List(t.Context(), record.Query{Kind: record.API, Site: "s", Type: []string{"data_read"}, State: []string{"active"}, Words: c.words})
		if err != nil || len(p.Records) == 1 != c.found {
			t.Errorf("%q: %d, %v", c.words, len(p.Records), err)
		}
	}
}

// TestHostileElementsCanBeKept puts what a store refuses into every field.
func TestHostileElementsCanBeKept(t *testing.T) {
	s := recordtest.NewModel(record.NewChain([32]byte{1}))
	for i, bad := range []string{"\x00", "a\nauth=none\nb", "\xff\xfe", strings.Repeat("长", record.MaxWords), "\u2028<script>"} {
		a := report.Attack{ID: string(rune('a' + i)), Kind: "account_scanning", Site: "s", Verdict: "likely", Reason: message.Text{Zh: bad, En: bad},
			Actors: report.Actors{Fingerprints: []string{bad}}, FirstSeen: time.Time{}, LastSeen: time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)}
		r, err := Attack(&a, 1)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.Words, "\nauth=none\n") {
			t.Errorf("%q makes a tag", bad)
		}
		if _, err := s.Write(t.Context(), record.Batch{Put: []record.Record{r}}); err != nil {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
