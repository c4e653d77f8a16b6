package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/store"
)

var (
	made  = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	files = map[string]string{"records.db": strings.Repeat("records ", 5000), "rows/2026-03-01.duckdb": "rows", "state/ab.state": "", "key": "k"}
)

// part gives files, those named only.
func part(names ...string) Part {
	return func(_ context.Context, put Put) error {
		for _, n := range names {
			if err := put(n, int64(len(files[n])), strings.NewReader(files[n])); err != nil {
				return err
			}
		}
		return nil
	}
}

func all() []Part {
	return []Part{part("state/ab.state", "key"), part("records.db"), part("rows/2026-03-01.duckdb")}
}

// held gives what is in a folder.
func held(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(b)
		if info, _ := e.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s is open to others: %v", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func same(t testing.TB, dir string) {
	t.Helper()
	if got := held(t, dir); fmt.Sprint(got) != fmt.Sprint(files) {
		t.Errorf("restored were %d files: %.200v", len(got), got)
	}
}

// nothing looks that no part of anything was left in a folder.
func nothing(t testing.TB, dir string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil || len(list) > 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

func TestThereAndBack(t *testing.T) {
	dir := t.TempDir()
	copied := filepath.Join(dir, "copy")
	if err := ToFolder(t.Context(), copied, made, all()...); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := ToTar(t.Context(), "copy.tar", &b, made, all()...); err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(dir, "back")
	m, err := FromFolder(t.Context(), copied, back)
	if err != nil || len(m.Files) != len(files) || !m.Made.Equal(made) {
		t.Fatalf("%+v, %v", m, err)
	}
	same(t, back)
	empty := t.TempDir() // an empty one that is there already
	if m, err = FromTar(t.Context(), "copy.tar", &b, empty); err != nil || len(m.Files) != len(files) {
		t.Fatalf("%+v, %v", m, err)
	}
	same(t, empty)
	for what, err := range map[string]error{
		"backup":          ToFolder(t.Context(), copied, made, all()...),
		"restored folder": func() error { _, err := FromFolder(t.Context(), copied, back); return err }(),
		"restored of tar": func() error { _, err := FromTar(t.Context(), "copy.tar", &b, empty); return err }(),
		"no folder at all": func() error {
			_, err := FromFolder(t.Context(), filepath.Join(dir, "none"), filepath.Join(dir, "new"))
			return err
		}(),
	} {
		var f *store.Fault
		if !errors.As(err, &f) || !errors.Is(err, ErrOccupied) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
		t.Errorf("beside copy and back there is more: %v, %v", list, err)
	}
}

// TestFailedBackupLeavesNothing: a part that breaks, a name that leads out, a
// file that is shorter than it was said to be.
func TestFailedBackupLeavesNothing(t *testing.T) {
	broken := errors.New("broken")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	put := func(name string, size int64, text string) Part {
		return func(_ context.Context, put Put) error { return put(name, size, strings.NewReader(text)) }
	}
	for what, parts := range map[string][]Part{
		"broken":   append(all(), func(context.Context, Put) error { return broken }),
		"twice":    append(all(), part("key")),
		"up":       {put("../key", 1, "k")},
		"absolute": {put("/key", 1, "k")},
		"ours":     {put(manifestName, 1, "k")},
		"short":    {put("key", 5, "k")},
		"long":     {put("key", 1, "kkkk")},
	} {
		dir := t.TempDir()
		if err := ToFolder(t.Context(), filepath.Join(dir, "copy"), made, parts...); err == nil {
			t.Errorf("%s passed", what)
		}
		nothing(t, dir)
		if err := ToTar(t.Context(), "copy.tar", io.Discard, made, parts...); err == nil {
			t.Errorf("%s passed into a tar", what)
		}
	}
	dir := t.TempDir()
	if err := ToFolder(gone, filepath.Join(dir, "copy"), made, all()...); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	nothing(t, dir)
}

// TestChangedBackupIsRefused changes a backup in a folder in every way that
// shows.
func TestChangedBackupIsRefused(t *testing.T) {
	manifest := func(change func(*Manifest)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, manifestName)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			m, err := parse(f)
			if err := errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
			change(m)
			b, err := json.Marshal(m)
			if err == nil {
				err = os.WriteFile(path, b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	write := func(name, text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for what, c := range map[string]struct {
		change func(t *testing.T, dir string)
		want   error
	}{
		"a byte":  {write("key", "x"), ErrDiffers},
		"cut":     {write("key", ""), ErrDiffers},
		"longer":  {write("key", "kk"), ErrDiffers},
		"missing": {func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "key")) }, ErrDiffers},
		"a link": {func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, "key"))
			_ = os.Symlink("records.db", filepath.Join(dir, "key"))
		}, ErrDiffers},
		"text":      {write(manifestName, "hello"), ErrDiffers},
		"other":     {write(manifestName, `{"format":"other","version":1}`), ErrDiffers},
		"newer":     {manifest(func(m *Manifest) { m.Version = 99 }), store.ErrNewer},
		"leads out": {manifest(func(m *Manifest) { m.Files[0].Name = "../../key" }), ErrDiffers},
		"twice":     {manifest(func(m *Manifest) { m.Files[1] = m.Files[0] }), ErrDiffers},
		"size":      {manifest(func(m *Manifest) { m.Files[0].Size = -1 }), ErrDiffers},
	} {
		dir := t.TempDir()
		copied := filepath.Join(dir, "copy")
		if err := ToFolder(t.Context(), copied, made, all()...); err != nil {
			t.Fatal(err)
		}
		c.change(t, copied)
		to := t.TempDir()
		_, err := FromFolder(t.Context(), copied, filepath.Join(to, "back"))
		var f *store.Fault
		if !errors.Is(err, c.want) || !errors.As(err, &f) {
			t.Errorf("%s: %v", what, err)
		}
		nothing(t, to)
	}
}

func tarOf(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := ToTar(context.Background(), "copy.tar", &b, made, all()...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTornTarIsRefused cuts a tar at every block and changes a byte of each.
func TestTornTarIsRefused(t *testing.T) {
	whole := tarOf(t)
	for at := 0; at < len(whole)-1024; at += 512 * 3 {
		changed := bytes.Clone(whole)
		changed[at] ^= 0x40
		for what, b := range map[string][]byte{"cut": whole[:at], "changed": changed} {
			to := t.TempDir()
			_, err := FromTar(t.Context(), "copy.tar", bytes.NewReader(b), filepath.Join(to, "back"))
			if err == nil {
				// What the manifest does not tell apart, as spaces in it, may pass.
				same(t, filepath.Join(to, "back"))
				continue
			}
			if !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrNewer) {
				t.Errorf("%s at %d: %v", what, at, err)
			}
			nothing(t, to)
		}
	}
}

func TestHostileTarIsRefused(t *testing.T) {
	for what, h := range map[string]tar.Header{
		"leads out": {Name: "../key", Typeflag: tar.TypeReg}, "absolute": {Name: "/key", Typeflag: tar.TypeReg}, "link": {Name: "key", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink},
		"hard link": {Name: "key", Linkname: "../x", Typeflag: tar.TypeLink}, "device": {Name: "key", Typeflag: tar.TypeBlock}, "folder": {Name: "key/", Typeflag: tar.TypeDir},
		"not named": {Name: "more", Typeflag: tar.TypeReg},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		b.Write(tarOf(t))
		to := t.TempDir()
		if _, err := FromTar(t.Context(), "copy.tar", &b, filepath.Join(to, "back")); !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", what, err)
		}
		nothing(t, to)
	}
}

// TestFiles gives what is in a folder, but for links and what is not there.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range files {
		if err := place(dir, name, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "state", "link")); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	one := One("records.db", dir, func(_ context.Context, path string) error {
		return os.WriteFile(path, []byte(files["records.db"]), 0o600)
	})
	if err := ToFolder(t.Context(), copied, made, Files(dir, "state", "key", "rows", "none"), one); err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(t.TempDir(), "back")
	if _, err := FromFolder(t.Context(), copied, back); err != nil {
		t.Fatal(err)
	}
	same(t, back)
	if left, err := filepath.Glob(filepath.Join(dir, ".backup-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// FuzzManifest: whatever stands in a manifest gives files within the folder, or
// an error.
func FuzzManifest(f *testing.F) {
	m := Manifest{Format: format, Version: version, Made: made, Files: []File{{Name: "rows/2026-03-01.duckdb", Size: 4, SHA256: strings.Repeat("a", 64)}}}
	b, err := m.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"format":"xiezhi-backup","version":2}`))
	f.Add([]byte(`{"format":"xiezhi-backup","version":1,"files":[{"name":"a/../../b"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrNewer) {
				t.Fatal(err)
			}
			return
		}
		for _, f := range m.Files {
			if in := filepath.Join("/data", filepath.FromSlash(f.Name)); !strings.HasPrefix(in, "/data/") {
				t.Fatalf("%q leads out", f.Name)
			}
		}
	})
}

// FuzzTar: whatever comes as a tar gives files within the folder, those that
// its manifest names, or an error that says what is wrong.
func FuzzTar(f *testing.F) {
	f.Add(tarOf(f))
	f.Add(tarOf(f)[:2048])
	f.Add([]byte("hello"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := map[string]bool{}
		m, err := unpack(t.Context(), tar.NewReader(bytes.NewReader(b)), func(name string, r io.Reader) (File, error) {
			if in := filepath.Join("/data", filepath.FromSlash(name)); got[name] || !strings.HasPrefix(in, "/data/") {
				t.Fatalf("%q leads out, or is twice there", name)
			}
			got[name] = true
			h := sha256.New()
			n, err := io.Copy(h, r)
			return File{Name: name, Size: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
		})
		if err == nil && len(m.Files) != len(got) {
			t.Fatalf("%d files of %d", len(got), len(m.Files))
		}
	})
}
