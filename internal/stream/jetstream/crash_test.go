package jetstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"xiezhi/internal/stream"
)

const (
	childEnv    = "XIEZHI_TEST_CHILD"
	crashWriter = 3 // writers of a child, each with a partition and a number of its own
)

// TestMain plays other processes: what to do, the folder, and numbers.
func TestMain(m *testing.M) {
	args := strings.Fields(os.Getenv(childEnv))
	if len(args) == 0 {
		os.Exit(m.Run())
	}
	var err error
	switch args[0] {
	case "publish":
		err = publishFrom(args[1], args[2:])
	case "hold":
		_, err = Open(context.Background(), config(), Folder{Path: args[1]})
		fmt.Println("held")
		if err == nil {
			select {}
		}
	case "nobody":
		if err = syscall.Setuid(65534); err == nil {
			_, err = Open(context.Background(), config(), Folder{Path: args[1]})
		}
	case "full":
		err = fillUp(args[1])
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(3)
	}
	os.Exit(0)
}

func child(t *testing.T, args ...any) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), childEnv+"="+strings.TrimSpace(fmt.Sprintln(args...)))
	c.Stderr = os.Stderr
	return c
}

func crashData(w, i int) []byte {
	return fmt.Appendf(nil, "%d/%d/%s", w, i, strings.Repeat("x", i*7919%60_000))
}

// publishFrom publishes without end; each writer begins with the number that
// was not acknowledged yet, and says what is.
func publishFrom(folder string, from []string) error {
	s, err := Open(context.Background(), config(), Folder{Path: folder})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	errs := make(chan error, crashWriter)
	for w := range crashWriter {
		var n int
		if _, err := fmt.Sscan(from[w], &n); err != nil {
			return err
		}
		go func() {
			for i := n; ; i++ {
				if err := s.Publish(context.Background(), stream.Batch{Partition: w, ID: fmt.Sprintf("w%d/%d", w, i), Data: crashData(w, i)}); err != nil {
					errs <- err
					return
				}
				mu.Lock()
				fmt.Println(w, i)
				mu.Unlock()
			}
		}()
	}
	return <-errs
}

// TestKilledLosesNothing kills a process that publishes, again and again, while
// it starts and while it writes. What it said was acknowledged is there, each
// batch once and in order, though every process sends what was not
// acknowledged again.
func TestKilledLosesNothing(t *testing.T) {
	const kills = 12
	folder := t.TempDir()
	next := [crashWriter]int{}
	for k := range kills {
		c := child(t, "publish", folder, next[0], next[1], next[2])
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		kill := func() { _ = c.Process.Kill() }
		after := time.Duration(rand.Int64N(int64(60 * time.Millisecond)))
		if k%4 == 3 { // before it is ready
			time.AfterFunc(after/2, kill)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var w, i int
			if _, err := fmt.Sscan(lines.Text(), &w, &i); err != nil {
				t.Fatalf("the process that publishes: %q", lines.Text())
			}
			if i != next[w] {
				t.Fatalf("writer %d: number %d is acknowledged, expected %d", w, i, next[w])
			}
			next[w]++
			if n == 0 && k%4 != 3 {
				time.AfterFunc(after, kill)
			}
		}
		_ = c.Wait()
	}
	s := opened(t, Folder{Path: folder}, nil)
	stats, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for w := range crashWriter {
		last := int(stats[w].Last)
		if last < next[w] || last > next[w]+1 {
			t.Errorf("writer %d: %d batches were acknowledged, the stream has %d", w, next[w], last)
		}
		total += last
		i := 0
		err := s.Read(t.Context(), w, 0, func(m stream.Message) error {
			if want := fmt.Sprintf("w%d/%d", w, i); m.ID != want || string(m.Data) != string(crashData(w, i)) || m.Seq != uint64(i+1) {
				t.Fatalf("message %d is %s with %d bytes, expected %s", m.Seq, m.ID, len(m.Data), want)
			}
			if i++; i == last {
				return errEnough
			}
			return nil
		})
		if last > 0 && !errors.Is(err, errEnough) {
			t.Error(err)
		}
	}
	if total < 50 {
		t.Errorf("only %d batches in %d processes: they were killed too early to tell", total, kills)
	}
	t.Logf("%d batches in %d processes that were killed", total, kills)
}

var errEnough = errors.New("enough")

func TestOneProcessHoldsAStream(t *testing.T) {
	folder := t.TempDir()
	c := child(t, "hold", folder)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill := func() {
		if !killed {
			killed = true
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	}
	defer kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process: %q, %v", line, err)
	}
	_, err = Open(t.Context(), config(), Folder{Path: folder})
	var f *stream.Fault
	if !errors.Is(err, stream.ErrInUse) || !errors.As(err, &f) || !strings.Contains(err.Error(), fmt.Sprint(c.Process.Pid)) {
		t.Fatalf("a folder that another process holds: %v", err)
	}
	kill()
	s := opened(t, Folder{Path: folder}, nil)
	if _, err := Open(t.Context(), config(), Folder{Path: folder}); !errors.Is(err, stream.ErrInUse) {
		t.Errorf("a folder that this process holds: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	opened(t, Folder{Path: folder}, nil)
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		_, err := Open(t.Context(), config(), Folder{Path: folder})
		var f *stream.Fault
		if !errors.Is(err, stream.ErrReadOnly) || !errors.As(err, &f) {
			t.Errorf("a folder of somebody else: %v", err)
		}
		return
	}
	// Who may write everywhere lets somebody try who may not; the folders above
	// have to let them in.
	for dir := folder; dir != os.TempDir() && len(dir) > 1; dir = dir[:strings.LastIndexByte(dir, '/')] {
		_ = os.Chmod(dir, 0o555)
	}
	out, err := child(t, "nobody", folder).Output()
	if err == nil || !strings.Contains(string(out), stream.ErrReadOnly.Error()) || !strings.Contains(string(out), "right to write") {
		t.Errorf("a folder of somebody else: %q, %v", out, err)
	}
}

// fillUp writes until the files of the stream may not grow, makes room, and
// goes on.
func fillUp(folder string) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	ignoreFileSizeSignal()
	small := limit
	small.Cur = 1 << 20
	s, err := Open(context.Background(), config(), Folder{Path: folder})
	if err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	data := make([]byte, 100<<10)
	r := rand.NewChaCha8([32]byte{7})
	n := 0
	// A reader that is there all along notices nothing.
	const most = 200
	seen := make(chan string, most)
	reading := make(chan error, 1)
	go func() {
		reading <- s.Read(context.Background(), 0, 0, func(m stream.Message) error { seen <- m.ID; return nil })
	}()
	send := func() error {
		_, _ = r.Read(data)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return s.Publish(ctx, stream.Batch{ID: fmt.Sprint("n", n), Data: data})
	}
	for ; ; n++ {
		if err = send(); err != nil {
			break
		}
		if n > 100 {
			return errors.New("it was never full")
		}
	}
	var f *stream.Fault
	if !errors.Is(err, stream.ErrFull) || !errors.As(err, &f) {
		return fmt.Errorf("full, it says %w", err)
	}
	full := n
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	for start := time.Now(); n < full+20; {
		if err = send(); err == nil {
			n++
		} else if time.Since(start) > 20*time.Second {
			return fmt.Errorf("with room again it says %w", err)
		} else {
			time.Sleep(100 * time.Millisecond)
		}
	}
	for got := range n {
		select {
		case id := <-seen:
			if id != fmt.Sprint("n", got) {
				return fmt.Errorf("%s stands where n%d was written", id, got)
			}
		case err := <-reading:
			return fmt.Errorf("reading ended with %w", err)
		case <-time.After(time.Minute):
			return fmt.Errorf("of %d batches that were acknowledged %d are read", n, got)
		}
	}
	fmt.Println("went on after", full)
	return s.Close()
}

func TestFullDisk(t *testing.T) {
	out, err := child(t, "full", t.TempDir()).Output()
	if err != nil || !strings.HasPrefix(string(out), "went on after") {
		t.Errorf("%s, %v", out, err)
	}
}

// TestLeavesRoom: before the disk is full the stream stops, and says so.
func TestLeavesRoom(t *testing.T) {
	var mu sync.Mutex
	now := time.Unix(1, 0)
	s := opened(t, Folder{Path: t.TempDir(), Free: 100}, func(c *Config) {
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	free := uint64(100)
	s.room.free = func(string) (uint64, error) { return free, nil }
	send := func(id string) error {
		return s.Publish(t.Context(), stream.Batch{ID: id, Data: []byte(id)})
	}
	if err := send("a"); err != nil {
		t.Fatal(err)
	}
	free = 99
	mu.Lock()
	now = now.Add(lookEvery)
	mu.Unlock()
	var f *stream.Fault
	if err := send("b"); !errors.Is(err, stream.ErrFull) || !errors.As(err, &f) || !strings.Contains(f.Do, "room") {
		t.Errorf("99 bytes are free, publishing says %v", err)
	}
	n := 0
	if err := s.Read(t.Context(), 0, 0, func(stream.Message) error { n++; return errEnough }); !errors.Is(err, errEnough) || n != 1 {
		t.Errorf("reading meanwhile: %d, %v", n, err)
	}
	free = 100
	if err := send("b"); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
