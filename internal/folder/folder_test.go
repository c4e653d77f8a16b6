package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		err, want error
		do        string
	}{
		{syscall.ENOSPC, ErrFull, "make room"},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EROFS}, ErrReadOnly, "give this user the right"},
		{fs.ErrPermission, ErrReadOnly, "give this user the right"},
		{errors.New("odd"), nil, "look at the disk"},
	} {
		err := Explain("write to", "/data", c.err)
		if c.want != nil && !errors.Is(err, c.want) || !errors.Is(err, c.err) || !strings.HasPrefix(err.Error(), "write to /data: ") || !strings.Contains(err.Error(), c.do) {
			t.Errorf("%v is told as %v", c.err, err)
		}
		if again := Explain("do something else", "elsewhere", err); again != err { //nolint:errorlint // the same one
			t.Errorf("it is told twice: %v", again)
		}
	}
	if Explain("write to", "/data", nil) != nil {
		t.Error("nothing is a fault")
	}
}

func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	a, b := open(), open()
	defer b.Close()
	err := Lock(a)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("this system has no flock")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := Lock(b); !errors.Is(err, ErrInUse) {
		t.Errorf("locked twice: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Lock(b); err != nil {
		t.Errorf("after it was let go: %v", err)
	}
}

func TestFree(t *testing.T) {
	dir := t.TempDir()
	if n, err := Free(dir); err != nil || n == 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
}
