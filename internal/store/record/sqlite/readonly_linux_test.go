package sqlite

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
	path := filled(t, 1)
	name := filepath.Join(path, fileName)
	for what, mode := range map[string]struct{ folder, file, lock os.FileMode }{
		"folder": {0o500, 0o600, 0o600}, // SQLite makes files beside its own
		"file":   {0o700, 0o400, 0o600},
		"lock":   {0o700, 0o600, 0o400},
	} {
		t.Run(what, func(t *testing.T) {
			chmod := func(folder, file, lock os.FileMode) {
				for n, m := range map[string]os.FileMode{path: folder, name: file, filepath.Join(path, "lock"): lock} {
					if err := os.Chmod(n, m); err != nil {
						t.Fatal(err)
					}
				}
			}
			chmod(mode.folder, mode.file, mode.lock)
			defer chmod(0o700, 0o600, 0o600)
			err := ordinary(t, path, func() error {
				f, err := store.Take(path)
				if err != nil {
					return err
				}
				defer func() { _ = f.Release() }()
				d, err := Open(t.Context(), f, Config{})
				if err == nil {
					_ = d.Close()
				}
				return err
			})
			var fault *store.Fault
			if !errors.Is(err, store.ErrReadOnly) || !errors.As(err, &fault) || !strings.Contains(fault.Where, path) {
				t.Errorf("read-only %s: %v", what, err)
			}
		})
	}
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
