package outbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts give into them")

// zeros is randomness without any: waits are whole, ids count up.
type zeros struct{ n uint16 }

func (z *zeros) Read(p []byte) (int, error) {
	clear(p)
	if len(p) == 16 {
		z.n++
		binary.BigEndian.PutUint16(p[14:], z.n)
	}
	return len(p), nil
}

// disk is a store that fails when it is told to.
type disk struct {
	*recordtest.Model
	fail error
}

func (d *disk) Write(ctx context.Context, b record.Batch) (int, error) {
	if d.fail != nil {
		return 0, d.fail
	}
	return d.Model.Write(ctx, b)
}

// world is a box with one lane, a clock and a receiver that does as it is told.
type world struct {
	t     *testing.T
	store *disk
	rand  zeros
	now   time.Time
	lane  Lane
	box   *Box
	fails []error // what the receiver answers next; then nil
	out   strings.Builder
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, store: &disk{Model: recordtest.NewModel(record.NewChain([32]byte{1}))}, now: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}
	w.lane = Lane{Name: "ops", Gather: 3, Send: w.receive, Join: func(list []Item) (Item, error) {
		names := []string{}
		for _, x := range list {
			names = append(names, x.Kind)
		}
		return Item{Lane: "ops", Kind: "digest(" + strings.Join(names, " ") + ")", At: list[0].At, Body: []byte(`{}`)}, nil
	}}
	return w
}

func (w *world) receive(_ context.Context, list []Item) error {
	err := error(nil)
	if len(w.fails) > 0 {
		err, w.fails = w.fails[0], w.fails[1:]
	}
	for _, x := range list {
		fmt.Fprintf(&w.out, "%s %s id=%s try=%d", w.now.Format("15:04:05"), x.Kind, strings.TrimLeft(strings.TrimPrefix(x.ID, "msg_"), "0"), x.Tries+1)
		if err != nil {
			fmt.Fprintf(&w.out, " refused: %v", err)
		}
		w.out.WriteString("\n")
	}
	return err
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.box, err = Open(w.t.Context(), Config{Store: w.store, Now: func() time.Time { return w.now }, Random: &w.rand, Lanes: []Lane{w.lane}}); err != nil {
		w.t.Fatal(err)
	}
}

// run lets time pass, doing whatever is due on the way.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		wait := w.box.turn(w.t.Context(), w.box.lanes["ops"])
		if wait <= 0 {
			continue
		}
		if w.now.Add(wait).After(end) {
			w.now = end
			return
		}
		w.now = w.now.Add(wait)
	}
}

func (w *world) do(line string) {
	f := strings.Fields(line)
	arg := func(i int) string {
		if i < len(f) {
			return f[i]
		}
		return ""
	}
	num := func(i int) int { n, _ := strconv.Atoi(arg(i)); return n }
	switch f[0] {
	case "lane": // per-minute burst gather batch
		w.lane.PerMinute, w.lane.Burst, w.lane.Gather, w.lane.Batch = float64(num(1)), num(2), num(3), num(4)
		if w.lane.Gather == 0 {
			w.lane.Join = nil
		}
		w.open()
	case "quiet":
		from, _ := time.ParseDuration(arg(1))
		to, _ := time.ParseDuration(arg(2))
		w.lane.Quiet = &Quiet{from, to, time.UTC}
		w.open()
	case "add":
		for _, kind := range f[1:] {
			urgent := strings.HasSuffix(kind, "!")
			if err := w.box.Add(w.t.Context(), []Item{{Lane: "ops", Kind: kind, Title: message.Text{Zh: "甲", En: "a"}, At: w.now, Urgent: urgent, Body: json.RawMessage(`{}`)}}); err != nil {
				w.t.Fatal(err)
			}
		}
	case "fail": // final|later [seconds] [times]
		for range max(num(3), 1) {
			w.fails = append(w.fails, &Failure{Why: "no", Final: arg(1) == "final", After: time.Duration(num(2)) * time.Second})
		}
	case "run":
		d, err := time.ParseDuration(arg(1))
		if err != nil {
			w.t.Fatal(err)
		}
		w.run(d)
	case "kill": // and start again: what was in memory is gone
		w.open()
	case "resend":
		if err := w.box.Resend(w.t.Context(), w.box.Dead()[0].Key); err != nil {
			w.t.Fatal(err)
		}
	case "forget":
		if err := w.box.Forget(w.t.Context(), w.box.Dead()[0].Key); err != nil {
			w.t.Fatal(err)
		}
	case "health":
		h, _ := w.box.Health("ops")
		n, err := w.store.Count(w.t.Context(), record.Query{Kind: record.Outgoing})
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(&w.out, "waiting=%d dead=%d kept=%d sent=%d failed=%d joined=%d why=%q\n", h.Waiting, h.Dead, n, h.Sent, h.Failed, h.Joined, h.Why)
	default:
		w.t.Fatalf("what is %q?", line)
	}
}

// TestScripts plays what the scripts say and compares what the receiver saw. A
// script is commands, a line of dashes and what came of them; an empty line
// begins a new stretch.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.script")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			var got bytes.Buffer
			for part := range strings.SplitSeq(strings.TrimSpace(string(b)), "\n\n") {
				w.out.Reset()
				commands, _, _ := strings.Cut(part, "\n----")
				for line := range strings.Lines(commands) {
					if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
						w.do(line)
					}
				}
				got.WriteString(commands + "\n----\n" + w.out.String() + "\n")
			}
			text := strings.TrimRight(got.String(), "\n") + "\n"
			if *rewrite {
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if text != string(b) {
				t.Errorf("it gives\n%s\nand not\n%s", text, b)
			}
		})
	}
}

// TestKilledWhileSending: whatever happened, what was not taken is sent again,
// and under the same id.
func TestKilledWhileSending(t *testing.T) {
	w := newWorld(t)
	var ids []string
	w.lane.Gather = 0
	w.lane.Join = nil
	down := errors.New("the process dies")
	w.lane.Send = func(_ context.Context, list []Item) error {
		ids = append(ids, list[0].ID)
		w.store.fail = down // what comes after is never written
		return nil
	}
	w.open()
	if err := w.box.Add(t.Context(), []Item{{Lane: "ops", Kind: "a", At: w.now, Body: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	w.box.turn(t.Context(), w.box.lanes["ops"])
	w.store.fail = nil
	w.open()
	w.box.turn(t.Context(), w.box.lanes["ops"])
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("sent as %v, want the same id twice", ids)
	}
}

// TestCaps: a receiver that is down for ever costs a bounded amount.
func TestCaps(t *testing.T) {
	w := newWorld(t)
	w.open()
	for i := range MaxWaiting + MaxDead + 50 {
		if err := w.box.Add(t.Context(), []Item{{Lane: "ops", Kind: fmt.Sprint(i), At: w.now.Add(time.Duration(i)), Body: []byte(`{}`)}, {Lane: "nobody", Body: []byte(`{}`)}}); err != nil {
			t.Fatal(err)
		}
	}
	h, _ := w.box.Health("ops")
	n, err := w.store.Count(t.Context(), record.Query{Kind: record.Outgoing})
	if err != nil || h.Waiting != MaxWaiting || h.Dead != MaxDead || h.Lost != 50 || n != MaxWaiting+MaxDead {
		t.Errorf("%+v, %d records, %v", h, n, err)
	}
	if got := w.box.Dead()[0].Kind; got != fmt.Sprint(MaxDead+49) {
		t.Errorf("the newest dead letter is %s", got)
	}
	if err := w.box.Add(t.Context(), []Item{{Lane: "ops", Body: bytes.Repeat([]byte{' '}, MaxBody+1)}}); err == nil {
		t.Error("a body beyond the cap was taken")
	}
	if err := w.box.Resend(t.Context(), "none"); !errors.Is(err, ErrNone) {
		t.Errorf("no letter gives %v", err)
	}
}

// TestReceiverGone: what waits for a receiver that the configuration no longer
// names goes at the start.
func TestReceiverGone(t *testing.T) {
	w := newWorld(t)
	w.open()
	if err := w.box.Add(t.Context(), []Item{{Lane: "ops", Kind: "a", At: w.now, Body: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	w.lane.Name = "others"
	w.open()
	if n, err := w.store.Count(t.Context(), record.Query{Kind: record.Outgoing}); err != nil || n != 0 {
		t.Errorf("%d are left, %v", n, err)
	}
}

func TestLedger(t *testing.T) {
	store := recordtest.NewModel(record.NewChain([32]byte{1}))
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	open := func() *Ledger {
		l, err := NewLedger(t.Context(), store, "people")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	if l.Began() {
		t.Error("telling began before it did")
	}
	for i := range 3 {
		r, err := l.Note("campaign:a", now, i)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Write(t.Context(), record.Batch{Put: []record.Record{r}}); err != nil {
			t.Fatal(err)
		}
		if err := l.Wrote(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Begin(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	l = open()
	var how int
	if known, err := l.Told("campaign:a", &how); !known || err != nil || how != 2 || !l.Began() {
		t.Errorf("told %d, %v, %v", how, known, err)
	}
	if known, _ := l.Told("campaign:b", &how); known {
		t.Error("what was never told is known")
	}
}
