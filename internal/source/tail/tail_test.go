package tail

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/accesslog"
	"xiezhi/internal/source/har"
	"xiezhi/internal/taxonomy"
)

// logLine is one combined line.
func logLine(path string) string {
	return `203.0.113.7 - - [10/Oct/2022:13:55:36 +0800] "GET ` + path + ` HTTP/1.1" 200 12 "-" "curl/8"` + "\n"
}

func harLine(path string) string {
	return `{"startedDateTime":"2026-03-01T08:00:00Z","request":{"method":"GET","url":"http://a.example` + path + `"}}` + "\n"
}

// world is a folder with files, and a follower that is looked at step by step.
type world struct {
	t      *testing.T
	dir    string
	cfg    Config
	s      *Source
	ledger *source.Ledger
	got    []string // "id target" of what was delivered
}

func newWorld(t *testing.T, paths ...string) *world {
	w := &world{t: t, dir: t.TempDir()}
	for _, p := range paths {
		w.cfg.Paths = append(w.cfg.Paths, filepath.Join(w.dir, p))
	}
	w.cfg.Checkpoint = filepath.Join(w.dir, "state", "checkpoint")
	if err := os.Mkdir(filepath.Dir(w.cfg.Checkpoint), 0o700); err != nil {
		t.Fatal(err)
	}
	w.cfg.Linger = time.Hour
	return w
}

// Accept and Flush make a world a durable sink.
func (w *world) Accept(x *exchange.Exchange) error {
	w.got = append(w.got, string(x.ID)+" "+string(x.Target))
	return nil
}

func (w *world) Flush() error { return nil }

// start begins a run.
func (w *world) start() {
	w.t.Helper()
	var err error
	if w.s, err = New(w.cfg); err != nil {
		w.t.Fatal(err)
	}
	w.ledger = &source.Ledger{}
	w.s.sink, w.s.ledger = w, w.ledger
	if err := w.s.resume(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.s.closeFiles)
}

func (w *world) look() {
	w.t.Helper()
	if w.s == nil {
		w.start()
	}
	if _, err := w.s.look(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// save writes the checkpoint as the running source does.
func (w *world) save() {
	w.t.Helper()
	if err := w.s.acknowledged(); err != nil {
		w.t.Fatal(err)
	}
}

// crash forgets everything that is not on disk.
func (w *world) crash() { w.s.closeFiles(); w.s = nil }

func (w *world) write(name, text string) {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(filepath.Join(w.dir, from), filepath.Join(w.dir, to)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) copyTruncate(from, to string) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, from))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, to), b, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(w.dir, from), 0); err != nil {
		w.t.Fatal(err)
	}
}

// want checks the targets delivered so far.
func (w *world) want(targets ...string) {
	w.t.Helper()
	var got []string
	for _, g := range w.got {
		_, target, _ := strings.Cut(g, " ")
		got = append(got, target)
	}
	if !slices.Equal(got, targets) {
		w.t.Errorf("delivered %q, want %q", got, targets)
	}
}

func (w *world) problems() string {
	var out []string
	for _, p := range w.ledger.Totals().Problems {
		out = append(out, fmt.Sprintf("%s@%d %s %s", filepath.Base(p.File), p.Offset, p.Reason, p.Text))
	}
	return strings.Join(out, "\n")
}

func TestGrows(t *testing.T) {
	for name, line := range map[string]func(string) string{"log": logLine, "har": harLine} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "a")
			w.look() // the file is not there yet
			w.write("a", line("/1")+line("/2")[:30])
			w.look()
			w.want("/1")
			w.write("a", line("/2")[30:])
			w.look()
			w.want("/1", "/2")
			w.write("a", "\n"+strings.ReplaceAll(line("/3"), "\n", "\r\n")+"broken\n"+line("/4"))
			w.look()
			w.want("/1", "/2", "/3", "/4")
			if n := w.ledger.Totals(); n.Accepted != 4 || n.Dropped[taxonomy.DropCorrupt] != 1 || !strings.Contains(w.problems(), fmt.Sprintf("a@%d ", len(line("/1")+line("/2")+"\n\r"+line("/3")))) {
				t.Errorf("%+v", n)
			}
		})
	}
}

// TestSameIDsAsTheWholeFile: following gives what reading the file gives.
func TestSameIDsAsTheWholeFile(t *testing.T) {
	var text strings.Builder
	for i := range 3000 {
		text.WriteString(logLine(fmt.Sprintf("/%d", i%50))) // many equal ones
	}
	all := text.String()
	whole := reference(t, all)
	w := newWorld(t, "a")
	r := rand.New(rand.NewPCG(1, 2))
	for rest := all; rest != ""; {
		n := min(len(rest), r.IntN(9000))
		w.write("a", rest[:n])
		rest = rest[n:]
		w.look()
		if r.IntN(3) == 0 { // a new start, as planned
			w.save()
			w.crash()
		}
	}
	w.look()
	if !slices.Equal(w.got, whole) {
		t.Errorf("%d delivered, %d in the file", len(w.got), len(whole))
	}
}

// reference reads lines as a file.
func reference(t *testing.T, text string) []string {
	t.Helper()
	in := []source.Input{{Name: "x", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}}
	var s source.Source = har.New(in, har.Config{})
	if text[0] != '{' {
		var err error
		if s, err = accesslog.New(in, accesslog.Config{}); err != nil {
			t.Fatal(err)
		}
	}
	var out []string
	err := s.Run(t.Context(), source.SinkFunc(func(x *exchange.Exchange) error {
		out = append(out, string(x.ID)+" "+string(x.Target))
		return nil
	}), &source.Ledger{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRenamed(t *testing.T) {
	w := newWorld(t, "a.log")
	w.write("a.log", logLine("/1"))
	w.look()
	w.rename("a.log", "a.log.1")
	w.write("a.log.1", logLine("/2")) // the server still writes to the old one
	w.look()
	w.write("a.log", logLine("/3"))
	w.look()
	w.write("a.log.1", logLine("/4"))
	w.look()
	w.want("/1", "/2", "/3", "/4")
	// Renamed while nobody looked.
	w.save()
	w.crash()
	w.write("a.log", logLine("/5"))
	w.rename("a.log.1", "a.log.2")
	w.rename("a.log", "a.log.1")
	w.write("a.log", logLine("/6"))
	w.look()
	w.want("/1", "/2", "/3", "/4", "/5", "/6")
	if p := w.problems(); p != "" {
		t.Error(p)
	}
}

// TestRotatedWhileAway: files that came and went while nobody looked are read,
// those from before are not.
func TestRotatedWhileAway(t *testing.T) {
	for name, rotate := range map[string]func(w *world, to string){
		"renamed": func(w *world, to string) { w.rename("a.log", to) },
		"copied":  func(w *world, to string) { w.copyTruncate("a.log", to) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "a.log")
			w.write("a.log.9", logLine("/before"))
			w.write("a.error.log", logLine("/other"))
			time.Sleep(20 * time.Millisecond)
			w.write("a.log", logLine("/1"))
			w.look()
			w.save()
			w.crash()
			for i := range 3 {
				time.Sleep(20 * time.Millisecond)
				w.write("a.log", logLine(fmt.Sprintf("/%d", i+2)))
				rotate(w, fmt.Sprintf("a.log.%d", i+1))
			}
			w.write("a.log", logLine("/5"))
			w.look()
			slices.SortFunc(w.got, func(a, b string) int { return strings.Compare(a[33:], b[33:]) })
			w.want("/1", "/2", "/3", "/4", "/5")
			if p := w.problems(); p != "" {
				t.Error(p)
			}
		})
	}
	for name, want := range map[string]bool{"a.log.1": true, "a.log-20261126": true, "a-2026-11-26.log": true, "a.log.1.gz": false, "a.error.log": false, "a.log": false, "ab.log": false} {
		if rotated("a.log", name) != want {
			t.Errorf("%s: want %v", name, want)
		}
	}
}

// TestRetires: a renamed file is given up after a while, its last line being
// delivered as it is.
func TestRetires(t *testing.T) {
	w := newWorld(t, "a.log")
	w.write("a.log", logLine("/1")+strings.TrimSuffix(logLine("/2"), "\n"))
	w.look()
	w.want("/1")
	w.rename("a.log", "a.log.1")
	w.look()
	for _, f := range w.s.files {
		f.until = time.Time{}
	}
	w.look()
	w.want("/1", "/2")
	if len(w.s.files) != 0 {
		t.Errorf("%d files are open", len(w.s.files))
	}
}

func TestCopiedAndCut(t *testing.T) {
	for name, pattern := range map[string]string{"name": "a.log", "pattern": "a.log*"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, pattern)
			w.write("a.log", logLine("/1"))
			w.look()
			w.write("a.log", logLine("/2"))
			w.copyTruncate("a.log", "a.log.1")
			w.write("a.log", logLine("/3"))
			w.look()
			w.want("/1", "/2", "/3")
			// Cut and grown beyond where it was.
			w.write("a.log", logLine("/4"))
			w.copyTruncate("a.log", "a.log.2")
			w.write("a.log", strings.Repeat(logLine("/5"), 3))
			w.look()
			w.want("/1", "/2", "/3", "/4", "/5", "/5", "/5")
			// The same while nobody looked.
			w.save()
			w.crash()
			w.write("a.log", logLine("/6"))
			w.copyTruncate("a.log", "a.log.3")
			w.write("a.log", strings.Repeat(logLine("/7"), 5))
			w.look()
			_, last, _ := strings.Cut(w.got[len(w.got)-1], " ")
			if last == "/6" { // the copy has a path of its own and comes after by its name
				w.got = slices.Insert(w.got[:len(w.got)-1], 7, w.got[len(w.got)-1])
			}
			w.want("/1", "/2", "/3", "/4", "/5", "/5", "/5", "/6", "/7", "/7", "/7", "/7", "/7")
			if p := w.problems(); p != "" {
				t.Error(p)
			}
		})
	}
}

// TestCopyBesideItself: a copy is no new file as long as the original is
// whole.
func TestCopyBesideItself(t *testing.T) {
	w := newWorld(t, "a.log*")
	w.write("a.log", logLine("/1"))
	w.look()
	w.write("a.log.copy", logLine("/1"))
	w.write("a.log", logLine("/2"))
	w.look()
	w.save()
	w.crash()
	w.look()
	w.want("/1", "/2")
}

func TestCutWithoutCopy(t *testing.T) {
	w := newWorld(t, "a.log")
	w.write("a.log", logLine("/1"))
	w.look()
	if err := os.Truncate(filepath.Join(w.dir, "a.log"), 0); err != nil {
		t.Fatal(err)
	}
	w.write("a.log", logLine("/2"))
	w.look()
	w.want("/1", "/2")
	if p := w.problems(); !strings.Contains(p, "the file was cut and no copy of it is there") {
		t.Error(p)
	}
	w.save()
	w.crash()
	if err := os.Remove(filepath.Join(w.dir, "a.log")); err != nil {
		t.Fatal(err)
	}
	w.look()
	if p := w.problems(); !strings.Contains(p, "the file of the checkpoint is gone") {
		t.Error(p)
	}
}

func TestPatternTakesNewFiles(t *testing.T) {
	w := newWorld(t, "*.log")
	w.write("a.log", logLine("/1"))
	w.look()
	w.write("b.log", harLine("/2"))
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	if _, err := g.Write([]byte(logLine("/no"))); err != nil {
		t.Fatal(err)
	}
	_ = g.Close()
	w.write("old.log", z.String())
	w.write("binary.log", "\x00\x01\x02\n")
	w.write("document.log", `{"log":{"version":"1.2","entries":[]}}`+"\n")
	if err := os.Mkdir(filepath.Join(w.dir, "folder.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.look()
	w.write("a.log", logLine("/3"))
	w.look()
	w.want("/1", "/2", "/3")
	if p := w.problems(); strings.Count(p, "something else") != 2 || strings.Count(p, "compressed") != 1 {
		t.Error(p)
	}
}

func TestLongLines(t *testing.T) {
	w := newWorld(t, "a.log")
	w.write("a.log", logLine("/1")+strings.Repeat("x", 3<<20))
	w.look()
	w.write("a.log", strings.Repeat("x", 3<<20)+"\n"+logLine("/2"))
	w.look()
	w.want("/1", "/2")
	if n := w.ledger.Totals().Dropped[taxonomy.DropOversize]; n != 1 {
		t.Errorf("%d dropped: %s", n, w.problems())
	}
	if len(w.s.buf) > maxEntry+chunk {
		t.Errorf("the buffer has %d bytes", len(w.s.buf))
	}
}

// TestMemoryOfLines: what later lines rely on survives a new start.
func TestMemoryOfLines(t *testing.T) {
	w := newWorld(t, "w3c.log", "cri.log")
	w.write("w3c.log", "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n2022-10-10 05:55:38 203.0.113.7 GET /1 404\n")
	cri := "2022-10-10T05:55:36.5Z stdout P " + logLine("/2")[:40] + "\n"
	w.write("cri.log", cri)
	w.look()
	w.want("/1")
	w.save()
	w.crash()
	w.write("w3c.log", "2022-10-10 05:55:39 203.0.113.7 GET /3 404\n")
	w.write("cri.log", "2022-10-10T05:55:36.6Z stdout F "+logLine("/2")[40:])
	w.look()
	w.want("/1", "/2", "/3")
	if p := w.problems(); p != "" {
		t.Error(p)
	}
}

// TestAnyHistory plays random histories of writing, rotating, looking, saving
// and crashing: every line is delivered at least once, and exactly once if
// nothing crashed after a save.
func TestAnyHistory(t *testing.T) {
	for seed := range uint64(20) {
		for _, pattern := range []string{"a.log", "a.log*"} {
			r := rand.New(rand.NewPCG(seed, 7))
			w := newWorld(t, pattern)
			var written strings.Builder
			pending, n, rotated, crashed := "", 0, 0, false
			for range 80 {
				switch k := r.IntN(20); {
				case k < 8:
					text := pending
					for range 1 + r.IntN(5) {
						if r.IntN(4) > 0 {
							n++
						}
						text += logLine(fmt.Sprintf("/%d", n))
					}
					cut := len(text)
					if r.IntN(3) == 0 {
						cut -= r.IntN(30)
					}
					w.write("a.log", text[:cut])
					written.WriteString(text[:cut])
					pending = text[cut:]
				case k < 14:
					w.look()
				case k < 16:
					if w.s != nil {
						w.save()
					}
				case k == 16:
					if w.s != nil {
						w.crash()
						crashed = true
					}
				case k == 17:
					if w.s != nil {
						w.save()
						w.crash()
					}
				case n > 0 && pending == "":
					// As logrotate does: a look in between, and no writer.
					w.look()
					w.save()
					rotated++
					n++ // a file that begins with all that was in it before cannot be told from it
					if k == 18 {
						w.rename("a.log", fmt.Sprintf("a.log.%d", rotated))
					} else {
						w.copyTruncate("a.log", fmt.Sprintf("a.log.%d", rotated))
					}
					w.write("a.log", "")
				}
			}
			w.write("a.log", pending)
			written.WriteString(pending)
			w.look()
			want := map[string]bool{}
			for _, id := range reference(t, written.String()+"\n") {
				want[id] = true
			}
			got := map[string]bool{}
			for _, g := range w.got {
				if !want[g] {
					t.Errorf("seed %d %s: %s is no line's", seed, pattern, g)
				}
				got[g] = true
			}
			if len(got) != len(want) || !crashed && len(w.got) != len(want) {
				t.Errorf("seed %d %s: %d lines written, %d delivered %d times: %s", seed, pattern, len(want), len(got), len(w.got), w.problems())
			}
		}
	}
}

func TestCheckpointMistakes(t *testing.T) {
	good := `{"xiezhi_checkpoint":1,"files":[{"name":"/a","device":1,"inode":2,"offset":3,"head":3,"sha256":"` + strings.Repeat("0", 64) + `"}]}`
	if m, err := parseCheckpoint([]byte(good)); err != nil || len(m) != 1 || m[0].head.n != 3 {
		t.Errorf("%+v %v", m, err)
	}
	for text, want := range map[string]string{
		"":              "no JSON",
		"secret":        "no JSON",
		good + "secret": "text behind",
		strings.Replace(good, `:1,"files"`, `:2,"files"`, 1):        "version is 2",
		strings.Replace(good, `"head":3`, `"head":4`, 1):            "file 1 makes no sense",
		strings.Replace(good, `"offset":3`, `"offset":-3`, 1):       "file 1 makes no sense",
		strings.Replace(good, `"name":"/a"`, `"name":"a"`, 1):       "file 1 makes no sense",
		strings.Replace(good, `000"`, `00"`, 1):                     "file 1 makes no sense",
		strings.Replace(good, `000"`, `0000"`, 1):                   "file 1 makes no sense",
		strings.Replace(good, `"name"`, `"secret":1,"name"`, 1):     "no JSON",
		strings.Replace(good, `"device":1`, `"device":"secret"`, 1): "no JSON",
	} {
		_, err := parseCheckpoint([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	w := newWorld(t, "a")
	if err := os.WriteFile(w.cfg.Checkpoint, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(w.cfg); err == nil || !strings.Contains(err.Error(), "delete it to read everything again") {
		t.Error(err)
	}
}

func FuzzCheckpoint(f *testing.F) {
	f.Add([]byte(`{"xiezhi_checkpoint":1,"files":[{"name":"/a","device":1,"inode":2,"offset":3,"head":3,"sha256":"` + strings.Repeat("0", 64) + `"}]}`))
	f.Add([]byte(`{"xiezhi_checkpoint":1,"files":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		marks, err := parseCheckpoint(data)
		if err != nil {
			return
		}
		for _, m := range marks {
			if m.Offset < int64(m.head.n) || m.head.n < 0 || m.head.n > headSize || !filepath.IsAbs(m.Name) {
				t.Fatalf("%+v", m)
			}
		}
	})
}

// memorySink cannot make safe what it takes.
type memorySink struct{ n int }

func (m *memorySink) Accept(*exchange.Exchange) error { m.n++; return nil }

// TestRun follows in real time. Without a durable sink the checkpoint is
// written by Save alone.
func TestRun(t *testing.T) {
	w := newWorld(t, "a.log")
	w.cfg.Every = time.Millisecond
	w.write("a.log", logLine("/1"))
	s, err := New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sink, ledger, done := &memorySink{}, &source.Ledger{}, make(chan error)
	go func() { done <- s.Run(ctx, sink, ledger) }()
	w.write("a.log", logLine("/2")+"half")
	for range 2000 {
		if ledger.Totals().Accepted == 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if sink.n != 2 {
		t.Errorf("%d delivered", sink.n)
	}
	if _, err := os.Stat(w.cfg.Checkpoint); err == nil {
		t.Error("there is a checkpoint of what is not safe")
	}
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(w.cfg.Checkpoint)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st, err)
	}
	b, err := os.ReadFile(w.cfg.Checkpoint)
	if err != nil || bytes.Contains(b, []byte("203.0.113.7")) || !bytes.Contains(b, fmt.Appendf(nil, `"offset": %d,`, 2*len(logLine("/1")))) {
		t.Errorf("%s %v", b, err)
	}
}

// TestEndWithoutCheckpoint: nobody will come back for the last line.
func TestEndWithoutCheckpoint(t *testing.T) {
	w := newWorld(t, "a.log", "b.log")
	w.cfg.Checkpoint = ""
	w.write("a.log", strings.TrimSuffix(logLine("/1"), "\n"))
	w.write("b.log", logLine("/2")+logLine("/3")[:40])
	s, err := New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.ledger = &source.Ledger{}
	if err := s.Run(ctx, w, w.ledger); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.want("/1", "/2")
	if n := w.ledger.Totals().Dropped[taxonomy.DropTruncated]; n != 1 {
		t.Errorf("%d dropped: %s", n, w.problems())
	}
}
