package store

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const holdEnv = "XIEZHI_TEST_HOLD"

// TestMain plays the other process: it holds a folder until it is killed.
func TestMain(m *testing.M) {
	if path := os.Getenv(holdEnv); path != "" {
		if _, err := Take(path); err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		fmt.Println("held")
		select {}
	}
	os.Exit(m.Run())
}

func TestOneProcessHoldsAFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), holdEnv+"="+path)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill := func() {
		if !killed {
			killed = true
			_ = other.Process.Kill()
			_ = other.Wait()
		}
	}
	defer kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process: %q, %v", line, err)
	}
	_, err = Take(path)
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("a folder that another process holds: %v", err)
	}
	if pid := fmt.Sprint(other.Process.Pid); !strings.Contains(err.Error(), pid) || !strings.Contains(err.Error(), path) {
		t.Errorf("the error names neither process %s nor %s: %v", pid, path, err)
	}
	kill()
	f, err := Take(path)
	if err != nil {
		t.Fatalf("a folder whose holder was killed: %v", err)
	}
	if _, err := Take(path); !errors.Is(err, ErrInUse) {
		t.Errorf("a folder that this process holds: %v", err)
	}
	if err := f.Release(); err != nil {
		t.Fatal(err)
	}
	if f, err = Take(path); err != nil {
		t.Fatalf("a folder that was released: %v", err)
	}
	if err := f.Release(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is open to others: %v, %v", info.Mode(), err)
	}
}

func TestFolderThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var f *Fault
	if _, err := Take(path); !errors.As(err, &f) || f.Where != path {
		t.Errorf("a file for a folder: %v", err)
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		err  error
		want error
	}{
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, ErrFull},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, ErrFull},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}, ErrReadOnly},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, ErrReadOnly},
		{&fs.PathError{Op: "read", Path: "x", Err: syscall.EIO}, syscall.EIO},
	} {
		err := Explain("write", "here", c.err)
		var f *Fault
		if !errors.Is(err, c.want) || !errors.Is(err, c.err) || !errors.As(err, &f) || f.What != "write" || f.Where != "here" || f.Do == "" {
			t.Errorf("%v is told as %v", c.err, err)
		}
		if again := Explain("do", "there", err); again != err {
			t.Errorf("a fault is told twice: %v", again)
		}
	}
	if err := Explain("write", "here", nil); err != nil {
		t.Error(err)
	}
}
