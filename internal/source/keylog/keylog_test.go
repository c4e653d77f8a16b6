package keylog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/wire"
)

const secret = "5ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec75ec7e75ec7e75ec7e75ec7e75ec7e7aa"

func line(i int) string { return fmt.Sprintf("CLIENT_RANDOM %064x %s\n", i, secret) }

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	a := write(t, filepath.Join(dir, "a"), "# comment\n"+line(1)+"\r\n"+line(2)+strings.TrimSpace(line(3)))
	b := write(t, filepath.Join(dir, "b"), line(4)+line(5)[:100]+"\nEXPORTER_SECRET 00 00\n"+strings.Repeat("x", 5000)+"\n"+line(6))
	l, err := Open([]string{a, b}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if l.Keys().Len() != 5 {
		t.Errorf("%d connections, want 5", l.Keys().Len())
	}
	p := l.Problems()
	if len(p) != 2 || p[0].File != b || p[0].Line != 2 || p[0].Text != wire.ErrKeySecret.Error() || p[1].Line != 4 {
		t.Errorf("%+v", p)
	}
	for _, x := range p {
		if strings.Contains(x.Text, "5ec7") {
			t.Errorf("a problem shows the line: %q", x.Text)
		}
	}
}

func TestManyBadLines(t *testing.T) {
	a := write(t, filepath.Join(t.TempDir(), "a"), line(1)+strings.Repeat("nonsense\n", 100))
	l, err := Open([]string{a}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if p := l.Problems(); len(p) != maxProblems+1 || p[maxProblems].Line != 101 {
		t.Errorf("%+v", p)
	}
}

func TestNothingUsable(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"empty":    {"", "the file is empty"},
		"comments": {"# SSL/TLS secrets log file\n", "no secret in its 1 line"},
		"other":    {"\n\nGET / HTTP/1.1\nsecond\n", "no usable line in 4; line 3: the line is not a label"},
		"cut":      {line(1)[:90], "no usable line in 1; line 1: the secret is not hexadecimal or has a length"},
	} {
		_, err := Open([]string{write(t, filepath.Join(dir, name), c.text)}, Config{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "5ec7") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open([]string{filepath.Join(dir, "absent")}, Config{}); err == nil || !strings.HasSuffix(err.Error(), "absent: no such file") {
		t.Errorf("%v", err)
	}
	if _, err := Open([]string{dir}, Config{}); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("%v", err)
	}
}

// clock is a time that tests move.
type clock struct{ now time.Time }

func (c *clock) tick() time.Time { return c.now }

func TestGrowing(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "keys.log")
	c := &clock{time.Unix(1_700_000_000, 0)}
	l, err := Open([]string{name}, Config{Live: true, Now: c.tick})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if w := l.Waiting(); len(w) != 1 || w[0] != name {
		t.Fatalf("%v", w)
	}
	want := func(n int, must bool) {
		t.Helper()
		l.look(must)
		if l.Keys().Len() != n {
			t.Fatalf("%d connections, want %d", l.Keys().Len(), n)
		}
	}
	want(0, false)
	write(t, name, line(1)+line(2)[:50])
	want(0, false) // looked a moment ago
	c.now = c.now.Add(lookAgain)
	want(1, false)
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(line(2)[50:] + line(3)); err != nil {
		t.Fatal(err)
	}
	want(3, true)
	// Renamed and made anew: the rest of the old one and all of the new.
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(line(4)); err != nil {
		t.Fatal(err)
	}
	write(t, name, line(5))
	want(5, true)
	// Emptied in place.
	write(t, name, line(6)[:10])
	want(5, true)
	write(t, name, line(6))
	want(6, true)
	if p := l.Problems(); len(p) != 0 {
		t.Errorf("%+v", p)
	}
}

// TestStaysOpen: a file stays readable when the right to open it is
// given up.
func TestStaysOpen(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "keys.log"), line(1))
	l, err := Open([]string{name}, Config{Live: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil { // so that it cannot be opened again
		t.Fatal(err)
	}
	if _, err := f.WriteString(line(2)); err != nil {
		t.Fatal(err)
	}
	if l.look(true); l.Keys().Len() != 2 {
		t.Errorf("%d connections", l.Keys().Len())
	}
}

func TestDetect(t *testing.T) {
	for text, want := range map[string]bool{
		"# comment\n\n" + line(1): true, "EXPORTER_SECRET 00 00\n" + line(1): true, line(1)[:90]: false,
		"GET / HTTP/1.1\n": false, "": false, "# only a comment\n": false, "PNG file\n" + line(1): false,
	} {
		if Detect([]byte(text)) != want {
			t.Errorf("%.30q: %v", text, !want)
		}
	}
}
