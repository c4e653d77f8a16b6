package xlsx_test

import (
	"archive/zip"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"xiezhi/internal/catalog/drift"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/reporttest"
	"xiezhi/internal/report/xlsx"
	"xiezhi/rules"
)

var keep = flag.String("keep", "", "write the workbooks of the tests into this folder, to be looked at")

var catalogue = sync.OnceValues(func() (*message.Catalog, error) { return message.Load(rules.FS, "messages") })

func messages(t testing.TB) *message.Catalog {
	t.Helper()
	m, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func write(t testing.TB, r *report.Report, lang string) []byte {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := xlsx.Write(&b, r, xlsx.Config{Lang: lang, Zone: zone, Messages: messages(t)}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t *testing.T, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestYear(t *testing.T) {
	for lang, sheets := range map[string][]string{
		"en": {"Overview", "Monthly", "Scenarios", "Industries", "Ratings", "Defects", "Attacks", "Campaigns", "APIs", "Exposure", "Data quality"},
		"zh": {"概览", "每月受攻击 API", "攻击场景", "行业与场景", "缺陷评级", "缺陷", "攻击", "团伙", "API 清单", "数据暴露", "数据质量"},
	} {
		r := reporttest.Year(1, messages(t))
		b := write(t, r, lang)
		if *keep != "" {
			if err := os.WriteFile(filepath.Join(*keep, "year-"+lang+".xlsx"), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f := open(t, b)
		if got := f.GetSheetList(); strings.Join(got, "|") != strings.Join(sheets, "|") {
			t.Errorf("%s: sheets %v", lang, got)
		}
		// Numbers are numbers and dates dates, in the zone of the report.
		attacks := sheets[6]
		if typ, err := f.GetCellType(attacks, "G2"); err != nil || typ != excelize.CellTypeNumber && typ != excelize.CellTypeUnset {
			t.Errorf("%s: requests are no number: %v, %v", lang, typ, err)
		}
		if got, _ := f.GetCellValue(attacks, "G2", excelize.Options{RawCellValue: true}); got != fmt.Sprint(r.Attacks[0].Requests) {
			t.Errorf("%s: requests %s, want %d", lang, got, r.Attacks[0].Requests)
		}
		zone, _ := time.LoadLocation("Asia/Shanghai")
		if got, _ := f.GetCellValue(attacks, "R2"); got != r.Attacks[0].FirstSeen.In(zone).Format(time.DateTime) {
			t.Errorf("%s: first seen %q, want %s", lang, got, r.Attacks[0].FirstSeen.In(zone).Format(time.DateTime))
		}
		for i, want := range map[int]int{5: len(r.Defects), 6: len(r.Attacks), 8: len(r.APIs)} {
			rows, err := f.GetRows(sheets[i])
			if err != nil || len(rows) != want+1 {
				t.Errorf("%s: %s has %d rows, want %d: %v", lang, sheets[i], len(rows), want+1, err)
			}
			if p, err := f.GetPanes(sheets[i]); err != nil || !p.Freeze || p.YSplit != 1 {
				t.Errorf("%s: %s: the headings are not frozen: %+v %v", lang, sheets[i], p, err)
			}
			if s := part(t, b, fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1)); !strings.Contains(s, "<autoFilter ref=\"$A$1:") {
				t.Errorf("%s: %s has no filter", lang, sheets[i])
			}
		}
		if part(t, b, "xl/charts/chart1.xml") == "" || !strings.Contains(part(t, b, "xl/worksheets/sheet2.xml"), "<drawing") {
			t.Errorf("%s: no chart", lang)
		}
	}
}

// part reads a part of the package.
func part(t *testing.T, b []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	s, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(s)
}

// TestSameBytes: the same report gives the same workbook.
func TestSameBytes(t *testing.T) {
	a, b := write(t, reporttest.Year(1, messages(t)), "zh"), write(t, reporttest.Year(1, messages(t)), "zh")
	if !bytes.Equal(a, b) {
		t.Error("two workbooks of one report differ")
	}
}

// TestFormulasAreInert puts strings that a spreadsheet computes into every
// field and looks for formulas, and for cells that would become one when the
// sheet goes through CSV.
func TestFormulasAreInert(t *testing.T) {
	for _, evil := range []string{`=HYPERLINK("http://evil.example","x")`, `+cmd|' /C calc'!A0`, `-2+3`, `@SUM(1)`, "\t=1+1", "\r=1+1", "\n=1", " =1+1", "\u00a0=1", "＝1+1", "|x", "\u202e=1+1", "\x00=1", "\xff=1", `{=1}`, strings.Repeat("=", 5000)} {
		r := month(t)
		reporttest.Rewrite(r, func(path, s string) string {
			if reporttest.Enumerations[path] && path != "Attacks.Site" && path != "Sites.Name" && path != "APIs.Site" {
				return s
			}
			return evil
		})
		f := open(t, write(t, r, "en"))
		for _, sheet := range f.GetSheetList() {
			rows, err := f.GetRows(sheet)
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range rows {
				for j, v := range row {
					at, _ := excelize.CoordinatesToCellName(j+1, i+1)
					if formula, _ := f.GetCellFormula(sheet, at); formula != "" {
						t.Fatalf("%q: %s!%s is the formula %q", evil, sheet, at, formula)
					}
					if typ, err := f.GetCellType(sheet, at); err == nil && typ == excelize.CellTypeUnset {
						continue // a number, which may be less than nothing
					}
					if v != "" && strings.ContainsAny(v[:1], "=+-@\t\r\n|") {
						t.Fatalf("%q: %s!%s starts like a formula: %q", evil, sheet, at, v)
					}
					if strings.ContainsAny(v, "\u202e\x00\u200b") {
						t.Fatalf("%q: %s!%s holds hidden characters", evil, sheet, at)
					}
				}
			}
		}
	}
}

// month is June of a lived year.
func month(t testing.TB) *report.Report {
	t.Helper()
	june, err := report.ParseSpan("2025-06")
	if err != nil {
		t.Fatal(err)
	}
	return report.Cut(reporttest.Lived(1, messages(t)), june, messages(t))
}

// TestMonth: a report about a stretch of time has its figures beside those of
// the time before, what became of defects, and the months up to it.
func TestMonth(t *testing.T) {
	r := month(t)
	for lang, sheets := range map[string][3]string{"en": {"Comparison", "Changes", "Monthly"}, "zh": {"与上一时段对比", "缺陷变化", "每月受攻击 API"}} {
		f := open(t, write(t, r, lang))
		rows, err := f.GetRows(sheets[0], excelize.Options{RawCellValue: true})
		if err != nil || len(rows) != 22 {
			t.Fatalf("%s: %d rows: %v", lang, len(rows), err)
		}
		p := r.Period
		if row := rows[2]; row[1] != fmt.Sprint(p.Previous.Figures.AttackedAPIs) || row[2] != fmt.Sprint(p.Now.AttackedAPIs) || row[3] != fmt.Sprint(p.Now.AttackedAPIs-p.Previous.Figures.AttackedAPIs) {
			t.Errorf("%s: APIs under attack: %v", lang, row)
		}
		if rows, err = f.GetRows(sheets[1]); err != nil || len(rows) != len(p.Changes)+1 {
			t.Errorf("%s: %d rows of changes, want %d: %v", lang, len(rows), len(p.Changes)+1, err)
		}
		if rows, err = f.GetRows(sheets[2], excelize.Options{RawCellValue: true}); err != nil || len(rows) != 7 || rows[6][0] != "2025-06" || rows[6][2] != rows[4][2] || rows[1][3] != rows[6][3] {
			t.Errorf("%s: months %v, %v", lang, rows, err)
		}
		for _, sheet := range f.GetSheetList() {
			if pane, err := f.GetPanes(sheet); err != nil || !pane.Freeze {
				t.Errorf("%s: the headings of %s are not frozen: %v", lang, sheet, err)
			}
		}
	}
}

// TestExposure: what goes out in the clear comes first, a row for each type and
// direction of an API.
func TestExposure(t *testing.T) {
	r := reporttest.Small(1, messages(t))
	r.APIs[0].Sensitive = []report.SensitiveData{{Path: "a", Type: "cn_mobile", In: "response", Masked: true, Exchanges: 9, MaxPerResponse: 90}, {Path: "b", Type: "cn_mobile", In: "response", Masked: true, Exchanges: 4, MaxPerResponse: 100}}
	rows, err := open(t, write(t, r, "en")).GetRows("Exposure", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	last, levels := rows[len(rows)-1], []string{}
	if last[7] != "2" || last[8] != "100" || last[9] != "9" || last[6] != "masked" {
		t.Errorf("what is masked is %v", last)
	}
	for _, row := range rows[1 : len(rows)-1] {
		if row[6] != "in the clear" {
			t.Errorf("%v stands among what goes out in the clear", row)
		}
		levels = append(levels, row[4])
	}
	if !slices.IsSortedFunc(levels, func(a, b string) int { return strings.Compare(b, a) }) || len(levels) < 4 {
		t.Errorf("levels %v", levels)
	}
}

func TestEmpty(t *testing.T) {
	f := open(t, write(t, report.Build(report.Config{Version: "test"}, report.NewInput(), nil), "en"))
	if n := len(f.GetSheetList()); n != 11 {
		t.Errorf("%d sheets", n)
	}
}

func BenchmarkXLSX10000(b *testing.B) {
	r := reporttest.Large(10_000, messages(b))
	for b.Loop() {
		if err := xlsx.Write(io.Discard, r, xlsx.Config{Lang: "zh", Messages: messages(b)}); err != nil {
			b.Fatal(err)
		}
	}
}

// What differs from descriptions has a sheet of its own where one was compared.
func TestDrift(t *testing.T) {
	r := reporttest.Year(1, messages(t))
	r.Drift = &drift.Result{Files: []drift.File{{Name: "shop.yaml"}}, Compared: 3, Matched: 1, Items: []drift.Item{
		{Kind: "shadow", Host: "shop.example", Method: "GET", Template: "/old/{id}", Exchanges: 12},
		{Kind: "orphan", Method: "POST", Template: "=cmd()", File: "shop.yaml", Line: 7},
	}}
	f := open(t, write(t, r, "en"))
	rows, err := f.GetRows("Drift")
	if err != nil || len(rows) != 3 || rows[1][2] != "GET /old/{id}" || rows[1][4] != "12" || rows[2][5] != "shop.yaml:7" {
		t.Fatalf("%v, %v", rows, err)
	}
}
