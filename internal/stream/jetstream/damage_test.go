package jetstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"xiezhi/internal/stream"
	"xiezhi/internal/stream/streamtest"
)

// TestNothingReadable: what is on the disk tells ids, and nothing of the data.
func TestNothingReadable(t *testing.T) {
	path := t.TempDir()
	s := opened(t, Folder{Path: path}, nil)
	publish(t, s, 0, "edge-1/1", bytes.Repeat([]byte("canary-7f3a "), 100))
	publish(t, s, 0, "edge-1/2", append([]byte("canary-7f3a"), noise(1, 500)...))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(path, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(name)
		if bytes.Contains(b, []byte("canary")) {
			t.Errorf("%s holds data in the clear", name)
		}
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("looked at %d files, %v", files, err)
	}
	info, err := os.Stat(filepath.Join(path, folderName))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is open to others: %v, %v", info.Mode(), err)
	}
}

// TestForeignBatchesAreLeftOut: what others put on the stream, or sealed with a
// key that is not known, is told and counted, and what follows is read.
func TestForeignBatchesAreLeftOut(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := t.TempDir()
	s, err := Open(t.Context(), config(), Folder{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s, 0, "a", []byte("with the old key"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var told []stream.Damage
	c := config()
	c.Key = [32]byte{2}
	c.Damaged = func(d stream.Damage) { told = append(told, d) }
	if s, err = Open(t.Context(), c, Folder{Path: path}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.link.write.js.Publish(t.Context(), s.parts[0].subject, []byte("of somebody else")); err != nil {
		t.Fatal(err)
	}
	x := stream.Batch{Partition: 1, ID: "c", Data: []byte("of another partition")}
	sealed, err := s.sealer.Seal(nil, &x)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.link.write.js.Publish(t.Context(), s.parts[0].subject, sealed, jetstream.WithMsgID("c")); err != nil {
		t.Fatal(err)
	}
	publish(t, s, 0, "d", []byte("good"))
	list, err := streamtest.Collect(t.Context(), s, 0, 0, 1)
	if err != nil || list[0].Seq != 4 || string(list[0].Data) != "good" {
		t.Fatalf("read %v, %v", list, err)
	}
	if len(told) != 3 || told[0].Seq != 1 || told[0].ID != "a" || told[1].ID != "" || told[2].Seq != 3 || !errors.Is(told[2].Err, stream.ErrDamaged) {
		t.Errorf("told of %v", told)
	}
	if stats, err := s.Stats(t.Context()); err != nil || stats[0].Damaged != 3 {
		t.Errorf("counted %+v, %v", stats[0], err)
	}
	// With the former key the first opens as well.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	c.Former = [][32]byte{config().Key}
	if s, err = Open(t.Context(), c, Folder{Path: path}); err != nil {
		t.Fatal(err)
	}
	if list, err := streamtest.Collect(t.Context(), s, 0, 0, 2); err != nil || list[0].Seq != 1 || list[1].Seq != 4 {
		t.Errorf("with the former key: %v, %v", list, err)
	}
}

// TestDamagedFiles changes or cuts what is on the disk. Whatever is read then is
// what was written, and for every batch that is not there is an error that says so.
func TestDamagedFiles(t *testing.T) {
	const count = 40
	source := t.TempDir()
	s := opened(t, Folder{Path: source}, func(c *Config) { c.Partitions = 1 })
	for i := range count {
		publish(t, s, 0, fmt.Sprint(i), noise(uint64(i), 1+i*97))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(t.TempDir(), "data")
		if err := os.CopyFS(path, os.DirFS(source)); err != nil {
			rt.Fatal(err)
		}
		msgs := filepath.Join(path, folderName, "jetstream", "$G", "streams", "XIEZHI_000", "msgs")
		name := filepath.Join(msgs, "1.blk")
		b, err := os.ReadFile(name)
		if err != nil {
			rt.Fatal(err)
		}
		if rapid.Bool().Draw(rt, "killed") { // then what a proper end writes is not there
			if err := os.Remove(filepath.Join(msgs, "index.db")); err != nil && !errors.Is(err, os.ErrNotExist) {
				rt.Fatal(err)
			}
		}
		if rapid.Bool().Draw(rt, "cut") {
			b = b[:rapid.IntRange(0, len(b)-1).Draw(rt, "length")]
		} else {
			b[rapid.IntRange(0, len(b)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			rt.Fatal(err)
		}
		damaged := 0
		c := config()
		c.Damaged = func(stream.Damage) { damaged++ }
		s, err := Open(context.Background(), c, Folder{Path: path})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		stats, err := s.Stats(context.Background())
		if err != nil {
			rt.Fatal(err)
		}
		last := stats[0].Last
		if last < count { // who was further is told
			var behind *stream.Behind
			if _, err := streamtest.Collect(context.Background(), s, 0, count, 1); !errors.As(err, &behind) || behind.Last != last {
				rt.Fatalf("it ends with %d of %d, which is told as %v", last, count, err)
			}
		}
		if err := s.Publish(context.Background(), stream.Batch{ID: "end", Data: []byte{1}}); err != nil {
			rt.Fatal(err)
		}
		read, missing, after := 0, 0, uint64(0)
		for done := false; !done; {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			err := s.Read(ctx, 0, after, func(m stream.Message) error {
				if after = m.Seq; m.ID == "end" {
					done = true
					return errEnough
				}
				if i := int(m.Seq) - 1; m.ID != fmt.Sprint(i) || !bytes.Equal(m.Data, noise(uint64(i), 1+i*97)) {
					return fmt.Errorf("number %d is %s with %d bytes", m.Seq, m.ID, len(m.Data))
				}
				read++
				return nil
			})
			cancel()
			var gap *stream.Gap
			switch {
			case errors.As(err, &gap):
				missing += int(gap.Missing())
				after = gap.Next - 1
			case !errors.Is(err, errEnough):
				rt.Fatalf("after %d of %d: %v", after, last, err)
			}
		}
		if after != last+1 || read+missing+damaged != int(last) {
			rt.Fatalf("of %d batches %d were read, %d are told as missing, %d as damaged", last, read, missing, damaged)
		}
	})
}

// TestReadThrough: what is large is read through after processes that did not
// end properly, what is small always.
func TestReadThrough(t *testing.T) {
	path := t.TempDir()
	msgs := filepath.Join(path, "jetstream", "$G", "streams", "XIEZHI_000", "msgs")
	if err := os.MkdirAll(msgs, 0o700); err != nil {
		t.Fatal(err)
	}
	index, block := filepath.Join(msgs, "index.db"), filepath.Join(msgs, "1.blk")
	lock, err := os.Create(filepath.Join(path, lockName))
	if err != nil {
		t.Fatal(err)
	}
	h := &held{path, lock}
	for i, step := range []struct {
		size   int64
		ends   bool // properly
		thrown bool
	}{{100, true, true}, {scanAlways + 1, false, false}, {scanAlways + 1, false, false}, {scanAlways + 1, true, true}, {scanAlways + 1, true, false}} {
		f, err := os.Create(block)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(step.size), f.Close(), os.WriteFile(index, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := prepare(path); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(index); errors.Is(err, os.ErrNotExist) != step.thrown {
			t.Errorf("start %d: the index: %v", i, err)
		}
		if step.ends {
			if err := h.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
		}
	}
}

// TestNewerFormIsRefused: a stream that a later version wrote is left alone.
func TestNewerFormIsRefused(t *testing.T) {
	path := t.TempDir()
	s := opened(t, Folder{Path: path}, nil)
	for meta, want := range map[string]error{"2": stream.ErrNewer, "x": stream.ErrDamaged} {
		st, err := s.link.write.js.Stream(t.Context(), s.parts[0].name)
		if err != nil {
			t.Fatal(err)
		}
		c := st.CachedInfo().Config
		c.Metadata[formKey] = meta
		if _, err := s.link.write.js.UpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		var f *stream.Fault
		if _, err := s.kept(t.Context()); !errors.Is(err, want) || !errors.As(err, &f) || !strings.Contains(f.Where, path) {
			t.Errorf("form %s: %v", meta, err)
		}
	}
}
