//go:build unix

package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// cable is the line between sensor and service: it can be cut, and leads to
// wherever the service listens now.
type cable struct {
	l net.Listener

	mu    sync.Mutex // guards the next
	to    string     // empty: nowhere
	cuts  int        // that are not over
	conns []net.Conn
}

func newCable(t *testing.T) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &cable{l: l}
	t.Cleanup(func() { _ = l.Close(); w.lead("") })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

func (w *cable) carry(c net.Conn) {
	defer c.Close()
	w.mu.Lock()
	to := w.to
	if w.cuts > 0 {
		to = ""
	}
	w.mu.Unlock()
	if to == "" {
		return
	}
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	w.mu.Lock()
	if w.to != to || w.cuts > 0 {
		w.mu.Unlock()
		return
	}
	w.conns = append(w.conns, c, far)
	w.mu.Unlock()
	go func() { _, _ = io.Copy(far, c); _ = far.Close() }()
	_, _ = io.Copy(c, far)
}

// lead lets the cable end at an address, and cuts what goes over it now.
func (w *cable) lead(to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = to
	w.drop()
}

// drop ends what goes over the cable. It needs the lock.
func (w *cable) drop() {
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// cut lets nothing through for a while, wherever the cable leads meanwhile.
func (w *cable) cut(span time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts++
	w.drop()
	time.AfterFunc(span, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cuts--
	})
}

// begin starts a subcommand and waits until it has said all of what is wanted;
// it gives what followed each.
func begin(t *testing.T, args []string, wanted ...string) (s *served, said []string) {
	t.Helper()
	self, err := exec.LookPath("xiezhi") // put there by TestMain
	if err != nil {
		t.Fatal(err)
	}
	s = &served{t: t, log: &watched{}}
	s.cmd = exec.Command(self, args...)
	s.cmd.Env = append(os.Environ(), "LANG=C")
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _, _ = s.cmd.Process.Wait() })
	for range 1200 {
		said = said[:0]
		text := s.log.String()
		for _, want := range wanted {
			_, rest, ok := strings.Cut(text, want)
			line, _, whole := strings.Cut(rest, "\n")
			if !ok || !whole {
				break
			}
			said = append(said, strings.TrimSpace(line))
		}
		if len(said) == len(wanted) {
			return s, said
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%v does not begin: %s", args, s.log)
	return nil, nil
}

// edge is a service and a sensor that sends to it over a cable.
type edge struct {
	t               *testing.T
	data, buffer    string
	cable           *cable
	service, sensor *served
}

func (e *edge) startService() {
	e.t.Helper()
	s, said := begin(e.t, []string{"serve", "--data", e.data, "--http", "127.0.0.1:0", "--sensors", "127.0.0.1:0", "--hold", "1s"}, "sensors may send to http://", "ready")
	e.service = s
	e.cable.lead(said[0])
}

func (e *edge) startSensor() {
	e.t.Helper()
	s, said := begin(e.t, []string{"sensor", "--data", e.buffer, "--key", filepath.Join(e.data, "key"), "--name", "edge", "--to", "http://" + e.cable.l.Addr().String(),
		"--listen", "127.0.0.1:0"}, "listening on ", "sensor edge sends")
	s.collector = said[0]
	e.sensor = s
}

func newEdge(t *testing.T, key []byte) *edge {
	t.Helper()
	dir := t.TempDir()
	e := &edge{t: t, data: filepath.Join(dir, "data"), buffer: filepath.Join(dir, "buffer"), cable: newCable(t)}
	if key != nil {
		if err := os.MkdirAll(e.data, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(e.data, "key"), key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e.startService()
	e.startSensor()
	return e
}

// end lets the sensor send the rest and the service judge it.
func (e *edge) end() {
	e.t.Helper()
	for range 200 { // ending, it sends for some seconds
		e.sensor.end()
		if !bytes.Contains([]byte(e.sensor.log.String()), []byte("waits in the buffer")) {
			break
		}
		e.startSensor()
	}
	time.Sleep(4 * time.Second)
	e.service.end()
}

// killLines are the exchanges that are fed.
func killLines(t *testing.T) [][]byte {
	t.Helper()
	var text []byte
	if input := os.Getenv("XIEZHI_KILL_INPUT"); input != "" {
		var err error
		if text, err = os.ReadFile(input); err != nil {
			t.Fatal(err)
		}
	} else {
		var out, said bytes.Buffer
		if code := run([]string{"convert", "--to", "harl", "../../testdata/vampi/vampi.pcap.zst"}, nil, &out, &said, os.Getenv); code != 0 {
			t.Fatal(code, said.String())
		}
		text = out.Bytes()
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	lines[len(lines)-1] = append(lines[len(lines)-1], '\n')
	return lines
}

// TestSensorKilled kills the sensor, the service and the line between them again
// and again while the sensor is fed: every exchange that the sensor acknowledged
// is judged once, and what is found is what is found when nobody kills anything.
// XIEZHI_KILLS and XIEZHI_KILL_INPUT (HAR lines) make it longer.
func TestSensorKilled(t *testing.T) {
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("XIEZHI_KILLS")); err == nil {
		kills = n
	}
	lines := killLines(t)

	calm := newEdge(t, nil)
	for at := 0; at < len(lines); at += 200 {
		if err := calm.sensor.feed(lines[at:min(at+200, len(lines))]); err != nil {
			t.Fatal(err, calm.sensor.log)
		}
	}
	calm.end()
	key, err := os.ReadFile(filepath.Join(calm.data, "key"))
	if err != nil {
		t.Fatal(err)
	}

	r := rand.New(rand.NewPCG(7, 8))
	wild := newEdge(t, key)
	each := len(lines)/(kills+1) + 1
	died := map[string]int{}
	for at, done := 0, 0; at < len(lines); {
		if done < kills && at >= (done+1)*each {
			done++
			after := time.Duration(r.IntN(300)) * time.Millisecond
			switch done % 3 {
			case 0: // the line, for a while in which the sensor goes on
				died["line"]++
				wild.cable.cut(time.Second)
			case 1:
				died["service"]++
				victim := wild.service
				killed := make(chan struct{})
				time.AfterFunc(after, func() { _ = victim.cmd.Process.Kill(); _, _ = victim.cmd.Process.Wait(); close(killed) })
				for dead := false; !dead && at < len(lines); { // the sensor goes on meanwhile
					n := min(at+50, len(lines))
					if err := wild.sensor.feed(lines[at:n]); err != nil {
						t.Fatal(err, wild.sensor.log)
					}
					at = n
					select {
					case <-killed:
						dead = true
					default:
					}
				}
				<-killed
				wild.startService()
			case 2:
				died["sensor"]++
				victim := wild.sensor
				time.AfterFunc(after, func() { _ = victim.cmd.Process.Kill() })
				for at < len(lines) && wild.sensor.feed(lines[at:min(at+50, len(lines))]) == nil {
					at = min(at+50, len(lines))
				}
				_ = victim.cmd.Process.Kill()
				_, _ = victim.cmd.Process.Wait()
				wild.startSensor()
			}
			continue
		}
		n := min(at+1+r.IntN(300), len(lines))
		if err := wild.sensor.feed(lines[at:n]); err != nil {
			t.Fatal(err, wild.sensor.log)
		}
		at = n
	}
	wild.end()

	count, want, rows := wasFound(t, calm.data)
	if count != uint64(len(lines)) || rows != count {
		t.Errorf("undisturbed, %d of %d exchanges were judged, %d rows", count, len(lines), rows)
	}
	count, got, rows := wasFound(t, wild.data)
	if count != uint64(len(lines)) || rows != count {
		t.Errorf("after kills of %v, %d of %d exchanges were judged, %d rows", died, count, len(lines), rows)
	}
	if !bytes.Equal(got, want) {
		n := 0
		for n < min(len(got), len(want)) && got[n] == want[n] {
			n++
		}
		t.Errorf("after kills of %v the findings differ at byte %d: %s\n---\n%s", died, n, got[max(0, n-200):min(len(got), n+200)], want[max(0, n-200):min(len(want), n+200)])
	}
	t.Logf("%d exchanges, killed: %v", len(lines), died)
}
