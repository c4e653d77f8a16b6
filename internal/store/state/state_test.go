package state

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/store"
)

// counting is a source of salts that differ.
type counting struct{ n byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.n++
		p[i] = c.n
	}
	return len(p), nil
}

func files(t testing.TB) *Files {
	t.Helper()
	f, err := store.Take(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Release() })
	s, err := Open(f, [32]byte{1}, &counting{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func save(t testing.TB, s *Files, name string, b []byte) {
	t.Helper()
	if err := s.Save(name, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
		t.Fatal(err)
	}
}

// load gives what is read in the end.
func load(s *Files, name string) (b []byte, passed, err error) {
	passed, err = s.Load(name, func(r io.Reader) error { b, err = io.ReadAll(r); return err })
	return b, passed, err
}

func TestComesBackAsItWas(t *testing.T) {
	s := files(t)
	if _, _, err := load(s, "a"); !errors.Is(err, ErrNone) {
		t.Errorf("nothing saved: %v", err)
	}
	for _, n := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize, 3*chunkSize + 7} {
		want := bytes.Repeat([]byte{byte(n), 1, 2}, n/3+1)[:n]
		err := s.Save("a", func(w io.Writer) error {
			for p := want; len(p) > 0; p = p[min(len(p), 777):] {
				if _, err := w.Write(p[:min(len(p), 777)]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, passed, err := load(s, "a"); err != nil || passed != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back as %d, %v, %v", n, len(got), passed, err)
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files, %v; expected the newest and the one before", len(entries), err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is open to others: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

// TestAnyDamageFallsBack changes, cuts or lengthens the newest file anywhere.
func TestAnyDamageFallsBack(t *testing.T) {
	s := files(t)
	save(t, s, "a", []byte("the one before"))
	save(t, s, "a", bytes.Repeat([]byte("secret "), 20_000))
	name := s.path("a") + newest
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(whole, []byte("secret")) {
		t.Error("the file is plain")
	}
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(whole)
		sealed := chunkSize + 16
		start := len(head) + saltSize
		switch rapid.IntRange(0, 4).Draw(t, "how") {
		case 0:
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case 1:
			b = b[:rapid.IntRange(0, len(b)-1).Draw(t, "length")]
		case 2:
			b = append(b, rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "more")...)
		case 3: // a whole chunk cut off: the next to the last would be the end
			b = b[:start+sealed*rapid.IntRange(0, 2).Draw(t, "chunks")]
		case 4: // two chunks change places
			first := bytes.Clone(b[start : start+sealed])
			copy(b[start:], b[start+sealed:start+2*sealed])
			copy(b[start+sealed:], first)
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, passed, err := load(s, "a")
		var f *store.Fault
		if err != nil || string(got) != "the one before" || !errors.Is(passed, store.ErrDamaged) || !errors.As(passed, &f) {
			t.Fatalf("%d bytes, passed over for %v, %v", len(got), passed, err)
		}
	})
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the damaged one is still in its place: %v", err)
	}
	if err := os.Rename(s.path("a")+aside, s.path("a")+before); err != nil {
		t.Fatal(err)
	}
	if _, _, err := load(s, "a"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a damaged one alone: %v", err)
	}
}

func TestStateOfAnotherIsRefused(t *testing.T) {
	s := files(t)
	save(t, s, "a", []byte("of a"))
	if err := os.Rename(s.path("a")+newest, s.path("b")+newest); err != nil {
		t.Fatal(err)
	}
	if _, _, err := load(s, "b"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("the state of another name: %v", err)
	}
	save(t, s, "a", []byte("of a"))
	other := *s
	other.key = bytes.Repeat([]byte{9}, 32)
	if err := os.Rename(s.path("a")+newest, other.path("a")+newest); err != nil {
		t.Fatal(err)
	}
	if _, _, err := load(&other, "a"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a state under another key: %v", err)
	}
}

// TestReaderThatRefusesFallsBack: a state can be whole and yet of other code.
func TestReaderThatRefusesFallsBack(t *testing.T) {
	s := files(t)
	save(t, s, "a", []byte("old"))
	save(t, s, "a", []byte("new"))
	refusal := errors.New("of another version")
	got := ""
	passed, err := s.Load("a", func(r io.Reader) error {
		b, err := io.ReadAll(r)
		if got = string(b); got == "new" {
			return refusal
		}
		return err
	})
	if err != nil || !errors.Is(passed, refusal) || got != "old" {
		t.Errorf("read %q, passed over for %v, %v", got, passed, err)
	}
}

func TestFailedSaveLeavesWhatIsThere(t *testing.T) {
	s := files(t)
	save(t, s, "a", []byte("one"))
	save(t, s, "a", []byte("two"))
	err := s.Save("a", func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 2*chunkSize)); err != nil {
			return err
		}
		return &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	})
	if !errors.Is(err, store.ErrFull) {
		t.Errorf("no room: %v", err)
	}
	if got, passed, err := load(s, "a"); err != nil || passed != nil || string(got) != "two" {
		t.Errorf("it is %q, %v, %v", got, passed, err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	// Killed between the two renames.
	if err := os.Rename(s.path("a")+newest, filepath.Join(s.dir, "part-1")); err != nil {
		t.Fatal(err)
	}
	if got, passed, err := load(s, "a"); err != nil || passed == nil || string(got) != "one" {
		t.Errorf("with the newest missing it is %q, %v, %v", got, passed, err)
	}
}

func FuzzOpen(f *testing.F) {
	s := files(f)
	save(f, s, "a", []byte("state"))
	b, err := os.ReadFile(s.path("a") + newest)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(head))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []byte
		err := s.open(bytes.NewReader(b), "a", func(r io.Reader) error { got, err = io.ReadAll(r); return err })
		if err == nil && string(got) != "state" {
			t.Fatalf("%q was believed", got)
		}
	})
}

func BenchmarkSave(b *testing.B) {
	s := files(b)
	state := make([]byte, 64<<20)
	b.SetBytes(int64(len(state)))
	for b.Loop() {
		save(b, s, "a", state)
	}
}
