package buffer

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"xiezhi/internal/folder"
	"xiezhi/internal/stream"
)

func open(t *testing.T, dir string, bytes int64) *Buffer {
	t.Helper()
	b, err := Open(t.Context(), Config{Path: dir, Key: [32]byte{1}, Random: rand.Reader, Bytes: bytes})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNumbersNeverComeTwice: each process has an epoch of its own, also after one
// that was killed before it wrote anything; a folder made anew, or whose count
// is gone, another instance.
func TestNumbersNeverComeTwice(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	b := open(t, dir, 0)
	first := b.Instance
	if b.Epoch != 1 || len(first) != 16 {
		t.Errorf("it begins with epoch %d of %q", b.Epoch, first)
	}
	if err := b.Publish(t.Context(), stream.Batch{ID: "a", Data: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Path: dir, Key: [32]byte{1}, Random: rand.Reader}); !errors.Is(err, folder.ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, dir, 0)
	held, err := b.Held(t.Context())
	if b.Epoch != 2 || b.Instance != first || err != nil || held.Messages != 1 { // the one refused counted nothing
		t.Errorf("it goes on with epoch %d of %s, %+v, %v", b.Epoch, b.Instance, held, err)
	}
	if err := b.Forget(t.Context(), 0, held.Last); err != nil {
		t.Fatal(err)
	}
	if held, err = b.Held(t.Context()); err != nil || held.Messages != 0 || held.Last != 1 {
		t.Errorf("after it was forgotten: %+v, %v", held, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, fileName)
	if err := os.WriteFile(name, []byte(`{"epoch":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Path: dir, Key: [32]byte{1}, Random: rand.Reader}); !errors.Is(err, folder.ErrDamaged) {
		t.Errorf("with a damaged count: %v", err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	b = open(t, dir, 0)
	if b.Epoch != 1 || b.Instance == first {
		t.Errorf("without the count: epoch %d of %s", b.Epoch, b.Instance)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOldestGo: at its cap the buffer takes what comes and tells what went.
func TestOldestGo(t *testing.T) {
	defer goleak.VerifyNone(t)
	const most = 4 << 20
	b := open(t, t.TempDir(), most)
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	noise := make([]byte, 100<<10)
	for i := range 100 {
		_, _ = rand.Read(noise)
		if err := b.Publish(t.Context(), stream.Batch{ID: string(rune('A'+i/26)) + string(rune('a'+i%26)), Data: noise}); err != nil {
			t.Fatal(err)
		}
	}
	held, err := b.Held(t.Context())
	if err != nil || held.Last != 100 || held.First < 50 || held.Bytes > most {
		t.Errorf("it holds %+v, %v", held, err)
	}
	over := errors.New("over")
	err = b.Read(t.Context(), 0, 0, func(stream.Message) error { return over })
	var gap *stream.Gap
	if !errors.As(err, &gap) || gap.Next != held.First {
		t.Errorf("a reader is told %v", err)
	}
}
