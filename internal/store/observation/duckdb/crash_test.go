//go:build cgo && unix

package duckdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
)

// The roles that another process of this test plays, and its folder.
const (
	roleEnv = "XIEZHI_ROWS_ROLE"
	pathEnv = "XIEZHI_ROWS_PATH"
)

// TestMain plays the process that is killed, or whose disk is full.
func TestMain(m *testing.M) {
	path := os.Getenv(pathEnv)
	switch role := os.Getenv(roleEnv); role {
	case "":
		os.Exit(m.Run())
	case "full":
		fmt.Println(fillUp(path))
	default:
		from, _ := strconv.Atoi(role)
		fmt.Println(feed(path, from))
	}
	os.Exit(3)
}

func other(role, path string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role, pathEnv+"="+path)
	return cmd
}

const fed = 400 // rows of a batch

// batch gives rows that are spread over two days, now and then over one more.
func batch(n int) []observation.Row {
	rows := observationtest.Rows(n*fed, (n+1)*fed)
	for i := range rows {
		rows[i].Time = observationtest.Start.Add(time.Duration(i%2) * 2 * time.Hour).Add(time.Duration(n/8) * 24 * time.Hour).UnixNano()
	}
	return rows
}

// feed writes batches from a number on and says which were acknowledged.
func feed(path string, from int) error {
	h, err := take(path, Config{rollAt: 1500, chunkAt: 2500, words: 9, log: 100 << 10, Open: 2})
	if err != nil {
		return err
	}
	for n := from; ; n++ {
		if err := h.Append(context.Background(), batch(n)); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestNothingAcknowledgedIsLostWhenKilled kills a writer at one moment after
// another of its batch, its sums and its checkpoints. The next writer begins a
// few batches before, as one does that goes on from a snapshot.
func TestNothingAcknowledgedIsLostWhenKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	acknowledged := 0
	for round := range 10 {
		cmd := other(strconv.Itoa(max(acknowledged-2, 0)), path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until := acknowledged + 3 + round%3
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Errorf("the other process: %s", lines.Text())
				break
			}
			if acknowledged = max(acknowledged, n+1); n+1 == until {
				time.Sleep(time.Duration(round) * 700 * time.Microsecond) // into the next batch
				_ = cmd.Process.Kill()                                    // what it said in the meantime is read to the end
			}
		}
		_ = cmd.Wait()
		h := must(t, path, Config{})
		r, err := h.Range(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows := uint64(0)
		for _, d := range r.Days {
			rows += d.Rows
		}
		top, err := h.Top(t.Context(), observation.TopQuery{Of: observation.ByVerdict})
		if err != nil || top.Total != rows {
			t.Errorf("round %d: the sums count %d of %d rows, %v", round, top.Total, rows, err)
		}
		// The batch that was under way may be there, or the part of one day of it.
		if n := uint64(acknowledged * fed); rows < n || rows > n+fed || len(r.Aside) > 0 {
			t.Fatalf("round %d: %d rows, %d were acknowledged; %v aside", round, rows, n, r.Aside)
		}
		seen := map[uint64]bool{}
		for q := (observation.SearchQuery{Limit: observation.MaxPage}); ; {
			p, err := h.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range p.Rows {
				if seen[r.Seq] {
					t.Errorf("round %d: row %d is there twice", round, r.Seq)
				}
				seen[r.Seq] = true
			}
			if q.After = p.Next; q.After == "" {
				break
			}
		}
		for n := range uint64(acknowledged * fed) {
			if !seen[n] {
				t.Fatalf("round %d: row %d was acknowledged and is lost", round, n)
			}
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFullDisk lets the cap on the size of files stand for a disk.
func TestFullDisk(t *testing.T) {
	out, err := other("full", t.TempDir()).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || string(out) != "<nil>\n" {
		t.Errorf("%v: %s", err, out)
	}
}

func fillUp(path string) error {
	ctx := context.Background()
	h, err := take(path, Config{log: 300 << 10})
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	limit := was
	limit.Cur = 3 << 20
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	rows := func(n int) []observation.Row {
		list := observationtest.Rows(n*fed, (n+1)*fed)
		for i := range list {
			list[i].Time = observationtest.Start.UnixNano()
			list[i].Session = uint64(n*fed+i)*0x9e3779b97f4a7c15 | 1
		}
		return list
	}
	// Putting the log into the file may make room, so that a batch passes that was
	// refused once.
	n, refused := 0, 0
	for refused < 3 && n < 2000 {
		err := h.Append(ctx, rows(n))
		if err == nil {
			n, refused = n+1, 0
			continue
		}
		var f *store.Fault
		if !errors.Is(err, store.ErrFull) || !errors.As(err, &f) || n < 5 {
			return fmt.Errorf("after %d batches: %w", n, err)
		}
		refused++
		// What failed may be what comes behind the commit.
		if err, whole := holds(h, n*fed), holds(h, (n+1)*fed); err != nil && whole != nil {
			return fmt.Errorf("refused %d times: %w", refused, err)
		}
	}
	if refused == 0 {
		return errors.New("it never was full")
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	if err := h.Append(ctx, rows(n)); err != nil {
		return fmt.Errorf("with room made: %w", err)
	}
	if err := errors.Join(holds(h, (n+1)*fed), h.Close()); err != nil {
		return err
	}
	if h, err = take(path, Config{}); err != nil {
		return err
	}
	return errors.Join(holds(h, (n+1)*fed), h.Close())
}

func holds(h held, want int) error {
	top, err := h.Top(context.Background(), observation.TopQuery{Of: observation.BySession})
	if err != nil || top.Total != uint64(want) {
		return fmt.Errorf("%d rows of %d can be read, %v", top.Total, want, err)
	}
	r, err := h.Range(context.Background())
	if err != nil || len(r.Aside) > 0 {
		return fmt.Errorf("%v aside, %v", r.Aside, err)
	}
	return nil
}
