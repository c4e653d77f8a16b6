//go:build cgo

package duckdb

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"xiezhi/internal/store"
)

func TestReadOnlyFolder(t *testing.T) {
	path := filled(t, 900)
	for what, name := range map[string]string{"data folder": path, "folder": Folder(path), "file": dayPath(path, secondDay)} {
		t.Run(what, func(t *testing.T) {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			mode := info.Mode().Perm() &^ 0o222
			if what == "data folder" { // in which the folder is to be made
				if err := os.Rename(Folder(path), Folder(path)+"x"); err != nil {
					t.Fatal(err)
				}
				defer func() { _ = os.Rename(Folder(path)+"x", Folder(path)) }()
			}
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = os.Chmod(name, info.Mode().Perm()) }()
			err = ordinary(t, path, func() error {
				d, err := open(t.Context(), Folder(path), Config{}, mustSteps(t))
				if err == nil {
					_ = d.Close()
				}
				return err
			})
			var fault *store.Fault
			if !errors.Is(err, store.ErrReadOnly) || !errors.As(err, &fault) || !strings.Contains(fault.Where, path) {
				t.Errorf("read-only %s: %v", what, err)
			}
			if list, err := filepath.Glob(filepath.Join(Folder(path), "*.damaged*")); err != nil || len(list) > 0 {
				t.Errorf("set aside: %v, %v", list, err)
			}
		})
	}
}

func mustSteps(t *testing.T) []string {
	t.Helper()
	list, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// ordinary does something as a user whom the rights of files bind: root's
// thread takes the rights of the owner of nothing but the folder.
func ordinary(t *testing.T, path string, do func() error) error {
	if os.Geteuid() != 0 {
		return do()
	}
	const nobody = 65534
	err := filepath.Walk(path, func(name string, _ os.FileInfo, err error) error {
		return errors.Join(err, os.Chown(name, nobody, nobody))
	})
	for dir := filepath.Dir(path); err == nil && strings.HasPrefix(dir, os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Setfsuid(nobody); err != nil {
			done <- err
			return
		}
		done <- do()
	}()
	return <-done
}
