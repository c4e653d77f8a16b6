package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/source"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/streamtest"
	"xiezhi/internal/stream/uplink"
	"xiezhi/internal/taxonomy"
)

// memoryBuffer is a sensor's buffer in memory.
type memoryBuffer struct{ *streamtest.Model }

func (b memoryBuffer) Forget(ctx context.Context, partition int, to uint64) error {
	b.Drop(partition, to)
	return nil
}

// testLink leads to a service, may be cut, and sends what it likes again.
type testLink struct {
	mu      sync.Mutex
	to      *Service // nil: cut
	list    []stream.Batch
	sent    []stream.Batch // of all time
	deliver func() error   // before a request is taken; may be nil
}

func (l *testLink) Add(b stream.Batch) (bool, error) {
	if len(l.list) == 3 {
		return false, nil
	}
	l.list = append(l.list, stream.Batch{ID: b.ID, Data: append([]byte(nil), b.Data...)})
	return true, nil
}

func (l *testLink) Reset() { l.list = l.list[:0] }

func (l *testLink) lead(to *Service) { l.mu.Lock(); l.to = to; l.mu.Unlock() }

var errCut = errors.New("the line is cut")

func (l *testLink) Send(ctx context.Context, _ uplink.State) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to == nil {
		return 0, errCut
	}
	for i, b := range l.list {
		if err := l.to.TakeSensed(ctx, "edge", b); err != nil {
			return i, err
		}
		l.sent = append(l.sent, b)
	}
	return len(l.list), nil
}

// sensor starts one and gives what ends it.
func (h *hall) sensor(buffer SensorBuffer, epoch uint64, link *testLink, sources ...source.Source) (s *Sensor, end func()) {
	h.t.Helper()
	s, err := NewSensor(h.t.Context(), SensorConfig{Name: "edge", Tools: h.tools, Workers: 2, Sources: sources, Buffer: buffer, Instance: "0123456789abcdef", Epoch: epoch, Link: link, Now: h.now})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, func() {
		h.t.Helper()
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	}
}

// TestSensorFindsWhatAnalyzeFinds: what a sensor sends is judged as what a
// service takes itself, also when it comes after the line was cut, by two
// processes of the sensor, and every event again at the end.
func TestSensorFindsWhatAnalyzeFinds(t *testing.T) {
	h := newHall(t)
	want := h.analysed(vampiCapture)
	s, endService := h.run(h.config())
	buffer, link := memoryBuffer{streamtest.NewModel(1, h.now)}, &testLink{}
	src := newFileSource(vampiCapture)
	_, end := h.sensor(buffer, 1, link, src)
	<-src.ended // the line is cut all the while
	end()
	stats, _ := buffer.Stats(t.Context())
	if stats[0].Messages == 0 {
		t.Fatal("nothing was kept")
	}
	link.lead(s)
	_, end = h.sensor(buffer, 2, link)
	for stats[0].Messages > 0 {
		time.Sleep(time.Millisecond)
		stats, _ = buffer.Stats(t.Context())
	}
	end()
	for i, b := range link.sent { // as those do who had no answer, hours later
		b.ID += fmt.Sprint("/", i) // which the bus would know
		if err := s.TakeSensed(t.Context(), "edge", b); !errors.Is(err, stream.ErrRefused) {
			t.Fatalf("an event under another id: %v", err)
		}
		if err := h.bus.Publish(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.TakeSensed(t.Context(), "other", link.sent[0]); !errors.Is(err, stream.ErrRefused) {
		t.Errorf("an event of another sensor: %v", err)
	}
	h.idle(s)
	endService()
	sameFindings(t, found(s.Report()), found(want))
	k := s.part.sensors["edge"]
	if k == nil || k.Again != uint64(len(link.sent)) || k.Exchanges != want.Input.Exchanges {
		t.Errorf("of %d events that came again it knows %+v", len(link.sent), k)
	}
}

// harl writes exchanges of a site, one a second from a time on.
func harlOf(t *testing.T, host string, from time.Time, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"_id":"%s-%d","_client":{"ip":"10.77.1.%d","port":40000},"_server":{"ip":"10.77.0.1","port":80},"startedDateTime":"%s","time":20,`+
			`"request":{"method":"GET","url":"http://%s/books/v1","httpVersion":"HTTP/1.1","headers":[{"name":"Host","value":"%s"}]},`+
			`"response":{"status":200,"httpVersion":"HTTP/1.1","headers":[{"name":"Content-Type","value":"application/json"}],"content":{"size":2,"mimeType":"application/json","text":"{}"}}}`+"\n",
			host, from.UnixNano()+int64(i), i%5+1, from.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano), host, host)
	}
	name := filepath.Join(t.TempDir(), "x.harl")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestSensorThatWasCutOffLosesNothing: hours of other traffic have gone on while
// the line was cut, and nothing of the site that the sensor alone sees is late.
func TestSensorThatWasCutOffLosesNothing(t *testing.T) {
	h := newHall(t)
	begin := h.now().Add(-6 * time.Hour)
	here := newFileSource(harlOf(t, "here.example", begin, 6*3600))
	buffer, link := memoryBuffer{streamtest.NewModel(1, h.now)}, &testLink{}

	s, endService := h.run(h.config(here))
	link.lead(s)
	first := newFileSource(harlOf(t, "edge.example", begin, 600))
	_, end := h.sensor(buffer, 1, link, first)
	<-first.ended
	<-here.ended
	end()
	h.idle(s)
	link.lead(nil)
	rest := newFileSource(harlOf(t, "edge.example", begin.Add(600*time.Second), 5*3600))
	_, end = h.sensor(buffer, 2, link, rest)
	<-rest.ended
	end()
	link.lead(s)
	_, end = h.sensor(buffer, 3, link)
	for {
		stats, _ := buffer.Stats(t.Context())
		if stats[0].Messages == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	end()
	h.idle(s)
	endService()
	p := s.part
	if n := p.dropped()[taxonomy.DropLate]; n != 0 {
		t.Errorf("%d exchanges are late: %+v, %d behind their site", n, p.order.Counts(), p.bench.late)
	}
	if n := s.Report().Input.Analysed; n != 6*3600+600+5*3600 {
		t.Errorf("%d exchanges were judged", n)
	}
	if p.order.Laned() == 0 {
		t.Error("nothing came by a late lane: the test tells nothing")
	}
}

// TestFullBufferShedsTheOldest and tells the centre how many exchanges.
func TestFullBufferShedsTheOldest(t *testing.T) {
	h := newHall(t)
	s, endService := h.run(h.config())
	buffer, link := memoryBuffer{streamtest.NewModel(1, h.now)}, &testLink{}
	src := newFileSource(vampiCapture)
	sensor, end := h.sensor(buffer, 1, link, src)
	<-src.ended
	stats, _ := buffer.Stats(t.Context())
	buffer.Drop(0, stats[0].Last/2)
	link.lead(s)
	for {
		if stats, _ = buffer.Stats(t.Context()); stats[0].Messages == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := sensor.oneTick(true); err != nil {
		t.Fatal(err)
	}
	end()
	h.idle(s)
	endService()
	in := s.Report().Input
	shed := uint64(0)
	for _, d := range in.Dropped {
		if d.Reason == string(taxonomy.DropOverload) {
			shed = d.Count
		}
	}
	if shed == 0 || shed != sensor.shed.Load() || in.Exchanges != h.analysed(vampiCapture).Input.Exchanges {
		t.Errorf("%d exchanges in, %d told as shed, %d shed", in.Exchanges, shed, sensor.shed.Load())
	}
}

func FuzzEnvelope(f *testing.F) {
	e := envelope{Sensor: "edge", Instance: "0123456789abcdef", Epoch: 3, Number: 9, Before: 7, Count: 2, Event: []byte("F[]")}
	f.Add(e.append(nil))
	f.Add([]byte{eventSensed, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		var e envelope
		if e.open(data) != nil {
			return
		}
		var again envelope
		if err := again.open(e.append(nil)); err != nil || again.id() != e.id() || string(again.Event) != string(e.Event) {
			t.Fatalf("%+v came back as %+v, %v", e, again, err)
		}
	})
}
