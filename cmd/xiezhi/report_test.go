package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/report/pdf"
	"xiezhi/internal/report/reporttest"
	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/rules"
)

// command runs xiezhi in this process.
func command(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, strings.NewReader(""), &out, &err, os.Getenv)
	return code, out.String(), err.String()
}

// livedFolder is the data folder of a service that keeps a lived year; the service
// goes on holding it.
func livedFolder(t *testing.T) (data string, year *report.Report) {
	t.Helper()
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	data, year = t.TempDir(), reporttest.Lived(1, msgs)
	folder, err := store.Take(data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Release() })
	db, err := sqlite.Open(t.Context(), folder, sqlite.Config{Chain: record.NewChain([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	list, err := kept.All(year, 1)
	if err != nil {
		t.Fatal(err)
	}
	for len(list) > 0 {
		n := min(len(list), record.MaxBatch)
		if _, err := db.Write(context.Background(), record.Batch{Put: list[:n]}); err != nil {
			t.Fatal(err)
		}
		list = list[n:]
	}
	return data, year
}

// TestReportOfAService: a month's report is made beside the service that holds
// the folder, and says what its records say.
func TestReportOfAService(t *testing.T) {
	data, year := livedFolder(t)
	code, stdout, stderr := command("report", "--data", data, "--month", "2025-06", "--json", "-")
	if code != exitFindings {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var r report.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Period == nil || r.Period.Now.AttackedAPIs != year.Statistics.AttackedAPIsByMonth["2025-06"] || len(r.Period.Course) != 6 || r.Period.Now.Fixed != 1 {
		t.Errorf("the month is %+v", r.Period)
	}
	if _, err := report.Read(strings.NewReader(stdout)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(data, "key")); err == nil {
		t.Error("a report made a key in the folder of a service")
	}
}

// TestPDFWithoutABrowser says what to install and what else to do, before
// anything is read.
func TestPDFWithoutABrowser(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := pdf.Find(""); err == nil {
		t.Skip("a browser is installed where no PATH names it")
	}
	out := filepath.Join(t.TempDir(), "x.pdf")
	code, _, stderr := command("report", "--pdf", out, "no-such-run.json")
	if code != exitUsage || !strings.Contains(stderr, "apt install chromium") || !strings.Contains(stderr, "print that from any browser") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if list, _ := filepath.Glob(out + "*"); len(list) > 0 {
		t.Errorf("left behind: %v", list)
	}
}
