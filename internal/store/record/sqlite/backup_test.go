package sqlite

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
)

func TestBackupAndRestoreWhileRunning(t *testing.T) {
	path := filled(t, 20)
	h := take(t, path, Config{})
	defer h.Close()
	// People go on writing while both are done.
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		n := 100
		defer func() { done <- n }()
		for ; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			r := recordtest.Record(record.Verdict, n)
			if _, err := h.Write(t.Context(), record.Batch{Put: []record.Record{r}, Audit: []record.Entry{recordtest.Entry(n)}}); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := h.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is open to others: %v, %v", info.Mode(), err)
	}
	if err := h.Backup(t.Context(), copied); !errors.Is(err, ErrExists) {
		t.Errorf("a backup over another: %v", err)
	}
	r := recordtest.Record(record.Attack, 5)
	r.Rev, r.State = 2, "fixed"
	if _, err := h.Write(t.Context(), record.Batch{Put: []record.Record{r}, Delete: []record.Key{{Kind: record.Attack, ID: "attack-6", Rev: 1}}}); err != nil {
		t.Fatal(err)
	}
	if err := h.Restore(t.Context(), copied, recordtest.Entry(99)); err != nil {
		t.Fatal(err)
	}
	close(stop)
	last := <-done
	if r, err := h.Get(t.Context(), record.Attack, "attack-5"); err != nil || r.State != "new" {
		t.Errorf("what was changed after the backup is %+v, %v", r, err)
	}
	if _, err := h.Get(t.Context(), record.Attack, "attack-6"); err != nil {
		t.Errorf("what was deleted after the backup: %v", err)
	}
	head, err := h.Verify(t.Context(), record.Head{})
	if want := uint64(20 + 1 + last - 100); err != nil || head.Seq != want {
		t.Errorf("the log ends at %d, %v; expected %d: no entry lost, and the restoring told", head.Seq, err, want)
	}

	// A machine that was lost: everything comes from the backup, the log too.
	empty := take(t, t.TempDir(), Config{})
	defer empty.Close()
	if err := empty.Restore(t.Context(), copied, recordtest.Entry(99)); err != nil {
		t.Fatal(err)
	}
	if p, err := empty.List(t.Context(), record.Query{Kind: record.Attack}); err != nil || len(p.Records) != 20 {
		t.Errorf("%d findings, %v", len(p.Records), err)
	}
	if head, err := empty.Verify(t.Context(), record.Head{}); err != nil || head.Seq < 21 {
		t.Errorf("the log ends at %d, %v", head.Seq, err)
	}
	left, err := filepath.Glob(filepath.Join(path, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	h := take(t, filled(t, 3), Config{})
	defer h.Close()
	other := take(t, t.TempDir(), Config{})
	defer other.Close()
	e := recordtest.Entry(1000)
	if _, err := other.Write(t.Context(), record.Batch{Audit: []record.Entry{e}}); err != nil {
		t.Fatal(err)
	}
	strange := filepath.Join(t.TempDir(), "strange.db")
	if err := other.Backup(t.Context(), strange); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("text ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	nothing := filepath.Join(t.TempDir(), "nothing")
	if err := os.WriteFile(nothing, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	forged := filepath.Join(t.TempDir(), "forged.db")
	if err := h.Backup(t.Context(), forged); err != nil {
		t.Fatal(err)
	}
	script(t, forged, "DROP TRIGGER audit_stands; UPDATE audit SET by = 'u2' WHERE seq = 2")
	for name, want := range map[string]error{strange: ErrStrange, text: store.ErrDamaged, nothing: store.ErrDamaged, forged: record.ErrTampered,
		filepath.Join(t.TempDir(), "none"): os.ErrNotExist} {
		if err := h.Restore(t.Context(), name, recordtest.Entry(99)); !errors.Is(err, want) {
			t.Errorf("%s: %v, expected %v", filepath.Base(name), err, want)
		}
	}
	p, err := h.List(t.Context(), record.Query{Kind: record.Attack})
	if err != nil || len(p.Records) != 3 {
		t.Errorf("%d records after refused backups, %v", len(p.Records), err)
	}
	if head, err := h.Verify(t.Context(), record.Head{}); err != nil || head.Seq != 3 {
		t.Errorf("the log ends at %d, %v", head.Seq, err)
	}
	if _, err := h.Write(t.Context(), record.Batch{Put: []record.Record{recordtest.Record(record.Attack, 9)}}); err != nil {
		t.Errorf("writing after refused backups: %v", err)
	}
}

func TestAuditLogOnlyGrows(t *testing.T) {
	path := filled(t, 5)
	name := filepath.Join(path, fileName)
	h := take(t, path, Config{})
	defer h.Close()
	known, err := h.Verify(t.Context(), record.Head{})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"DELETE FROM audit", "UPDATE audit SET by = 'u2'", "DELETE FROM audit WHERE seq = 5"} {
		if _, err := h.write.ExecContext(t.Context(), q); err == nil {
			t.Errorf("%s passed", q)
		}
	}
	for _, c := range []struct{ text, undo string }{
		{"UPDATE audit SET detail = x'7b7d' WHERE seq = 3", "UPDATE audit SET detail = (SELECT detail FROM audit WHERE seq = 2) WHERE seq = 3"},
		{"UPDATE audit SET seq = 9 WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = 9"},
		{"UPDATE audit SET seal = x'00' WHERE seq = 5", ""},
		{"DELETE FROM audit WHERE seq = 5", ""},
	} {
		script(t, name, "DROP TRIGGER IF EXISTS audit_stands; DROP TRIGGER IF EXISTS audit_stays; "+c.text)
		if _, err := h.Verify(t.Context(), known); !errors.Is(err, record.ErrTampered) {
			t.Errorf("%s is not seen: %v", c.text, err)
		}
		if c.undo == "" {
			continue
		}
		script(t, name, c.undo)
		if _, err := h.Verify(t.Context(), known); err != nil {
			t.Fatalf("with %s undone: %v", c.text, err)
		}
	}
}

const feedEnv = "XIEZHI_TEST_FEED"

// TestMain plays the process that is killed: it writes and says what was
// acknowledged.
func TestMain(m *testing.M) {
	path := os.Getenv(feedEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	from, _ := strconv.Atoi(os.Getenv(feedEnv + "_FROM"))
	err := feed(path, from)
	fmt.Println(err)
	os.Exit(3)
}

func TestNothingAcknowledgedIsLostWhenKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	next := 0
	for round := range 4 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), feedEnv+"="+path, fmt.Sprintf("%s_FROM=%d", feedEnv, next))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acknowledged := next
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Errorf("the other process: %s", lines.Text())
				break
			}
			if acknowledged = n + 1; acknowledged == next+20+7*round {
				_ = cmd.Process.Kill() // what it said in the meantime is read to the end
			}
		}
		_ = cmd.Wait()
		h := take(t, path, Config{})
		p, err := h.List(t.Context(), record.Query{Kind: record.Attack, Limit: record.MaxPage})
		head, err2 := h.Verify(t.Context(), record.Head{})
		if err := errors.Join(err, err2, h.Close()); err != nil {
			t.Fatal(err)
		}
		if n := len(p.Records); n != int(head.Seq) || n < acknowledged || n > acknowledged+1 {
			t.Fatalf("round %d: %d records and %d entries, %d were acknowledged", round, n, head.Seq, acknowledged)
		}
		// The next one writes the last acknowledged again, as a replay does.
		next = acknowledged - 1
	}
}
