package engine

import (
	"context"
	"errors"
	"fmt"

	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/source"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/uplink"
	"xiezhi/internal/taxonomy"
)

// SensorConfig is what a sensor is made of. The zero value of every optional
// field means its default.
type SensorConfig struct {
	Name    string // by which the centre knows it
	Tools   *Tools // with the key of the installation
	File    *FileConfig
	Packs   []*policy.File
	Hub     *scenario.Set
	Site    string // everything is of this site; empty: by host
	Workers int
	Sources []source.Source

	Buffer   SensorBuffer
	Instance string // of the buffer
	Epoch    uint64 // of the process
	Link     SensorLink

	Now func() time.Time
	Log *slog.Logger // nil: nothing is told
}

// SensorBuffer keeps events until the centre has them (stream/buffer).
type SensorBuffer interface {
	stream.Bus
	Forget(ctx context.Context, partition int, to uint64) error
}

// SensorLink is the way to the centre (stream/uplink).
type SensorLink interface {
	Add(b stream.Batch) (bool, error)
	Send(ctx context.Context, st uplink.State) (taken int, err error)
	Reset()
}

// Sensor takes traffic at the edge for as long as it runs: it observes, keeps
// what was observed in its buffer, and sends that to the centre whenever the
// centre can be reached.
type Sensor struct {
	cfg SensorConfig
	*front

	mu     sync.Mutex // guards the next
	newest int64      // end of an exchange
	came   time.Time  // when, by the clock
	ticked time.Time
	names  map[string]string // sender to what the centre is told

	last *envelope // read last, for counting what is missing before the next
	shed atomic.Uint64
	away bool // the last attempt to send failed
}

// NewSensor makes a sensor. Nothing is read yet.
func NewSensor(ctx context.Context, cfg SensorConfig) (*Sensor, error) {
	if cfg.Tools == nil || cfg.Buffer == nil || cfg.Link == nil || cfg.Now == nil || cfg.Name == "" || len(cfg.Name) > maxSensor || len(cfg.Instance) != instanceSize {
		return nil, errors.New("a sensor needs a name, tools, a buffer, a link and a clock")
	}
	if cfg.File == nil {
		cfg.File = &FileConfig{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	tools, err := cfg.Tools.with(cfg.File).withRules(cfg.Packs)
	if err != nil {
		return nil, err
	}
	s := &Sensor{cfg: cfg, front: newFront(cfg.Sources, max(cfg.Workers, 1), tools.withScenarios(cfg.Hub)), names: map[string]string{}}
	// Its numbers make the ids; no name of the process is drawn.
	if s.ingest, err = newIngest(context.WithoutCancel(ctx), cfg.Buffer, s.forms, s.ledger, strings.NewReader(cfg.Instance), cfg.Log); err != nil {
		return nil, err
	}
	s.keep = s
	s.ingest.numbers = &numbers{last: envelope{Sensor: cfg.Name, Instance: cfg.Instance, Epoch: cfg.Epoch}}
	return s, s.resume(ctx)
}

// resume goes on counting exchanges where the process before ended, as long as
// something of it waits.
func (s *Sensor) resume(ctx context.Context) error {
	stats, err := s.cfg.Buffer.Stats(ctx)
	if err != nil || stats[0].Messages == 0 {
		return err
	}
	var last envelope
	err = s.cfg.Buffer.Read(ctx, 0, stats[0].Last-1, func(m stream.Message) error {
		if err := last.open(m.Data); err != nil {
			return fmt.Errorf("the buffer holds what no sensor wrote: %w", err)
		}
		return errReached
	})
	if !errors.Is(err, errReached) {
		return err
	}
	s.ingest.numbers.last.Before = last.Before + last.Count
	return nil
}

// maxNames bounds the senders whose names are remembered.
const maxNames = 1024

// Add implements keeper: what was observed is told to be of this sensor.
func (s *Sensor) Add(b *observe.Batch) error {
	s.mu.Lock()
	for i := range b.Len() {
		o := b.At(i)
		s.newest = max(s.newest, o.End)
		o.Sensor = s.named(o.Sensor)
		if s.cfg.Site != "" {
			o.Site = s.cfg.Site
		}
	}
	s.came = s.cfg.Now()
	s.mu.Unlock()
	return s.ingest.Add(b)
}

func (s *Sensor) named(sender string) string {
	if sender == "" {
		return s.cfg.Name
	}
	name, ok := s.names[sender]
	if !ok {
		if len(s.names) >= maxNames {
			clear(s.names)
		}
		name = s.cfg.Name + "/" + sender
		s.names[strings.Clone(sender)] = name
	}
	return name
}

// sensorTickEvery is how often a sensor without traffic tells how late it is.
const sensorTickEvery = 10 * time.Second

func (s *Sensor) tick(ctx context.Context) error {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := s.oneTick(false); err != nil {
				return err
			}
		}
	}
}

// oneTick tells what was counted, and up to which event time everything was
// told.
func (s *Sensor) oneTick(last bool) error {
	news, clock := s.news(), s.cfg.Now()
	s.mu.Lock()
	through := time.Time{}
	if s.newest != 0 {
		through = time.Unix(0, s.newest)
		if idle := clock.Sub(s.came); idle > tickEvery && !last {
			through = through.Add(idle)
		}
	}
	due := !news.empty() || !through.IsZero() && clock.Sub(s.ticked) >= sensorTickEvery
	if due {
		s.ticked = clock
	}
	s.mu.Unlock()
	if !due {
		return nil
	}
	return s.ingest.tick(0, through, news)
}

// Times of the link.
const (
	aliveEvery = 5 * time.Second // a sign of life when there is nothing to send
	retryFirst = 200 * time.Millisecond
	retryMost  = 5 * time.Second
	lastSend   = 5 * time.Second // for what is in the buffer when the sensor ends
	readAhead  = 16              // events in memory on their way to the link
)

// Run takes traffic until ctx is done. What the sources took is in the buffer
// then, and what the centre took of it is gone from there; the rest waits for
// the next start.
func (s *Sensor) Run(ctx context.Context) error {
	work := context.WithoutCancel(ctx)
	defer context.AfterFunc(ctx, func() { close(s.ingest.ending) })()
	sending, stopSending := context.WithCancel(work)
	defer stopSending()
	sent := make(chan error, 1)
	go func() { sent <- s.send(sending) }()

	sources, stopSources := context.WithCancel(ctx)
	defer stopSources()
	taken := make(chan error, 1)
	go func() { taken <- s.take(sources, s.tick, func() error { return s.oneTick(true) }) }()

	var err error
	select {
	case err = <-taken:
	case err = <-sent:
		stopSources()
		return errors.Join(err, <-taken)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	within, cancel := context.WithTimeout(work, lastSend)
	defer cancel()
	if left := s.emptied(within); left > 0 {
		s.cfg.Log.Warn("something waits in the buffer for the next start", "events", left)
	}
	stopSending()
	if e := <-sent; !errors.Is(e, context.Canceled) {
		err = errors.Join(err, e)
	}
	return err
}

// emptied waits until nothing is in the buffer any more, and gives what is.
func (s *Sensor) emptied(ctx context.Context) (left uint64) {
	for {
		stats, err := s.cfg.Buffer.Stats(ctx)
		if err != nil {
			return left
		}
		if left = stats[0].Messages; left == 0 {
			return 0
		}
		select {
		case <-ctx.Done():
			return left
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// waiting is an event on its way to the link.
type waiting struct {
	seq  uint64
	id   string
	data []byte
	at   time.Time
}

// send sends what is in the buffer, in order, until ctx is done.
func (s *Sensor) send(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	events := make(chan waiting, readAhead)
	read := make(chan error, 1)
	go func() { read <- s.read(ctx, events) }()
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	var list []waiting
	for {
		select {
		case err := <-read:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-alive.C:
			_, err := s.cfg.Link.Send(ctx, s.state(ctx, nil))
			s.heard(err)
			continue
		case e := <-events:
			list = append(list, e)
		}
		for more := true; more && len(list) < maxRequest; {
			select {
			case e := <-events:
				list = append(list, e)
			default:
				more = false
			}
		}
		for len(list) > 0 {
			n, err := s.deliver(ctx, list)
			if err != nil {
				return err
			}
			list = append(list[:0], list[n:]...)
		}
	}
}

// maxRequest is how many events a request holds at most.
const maxRequest = 64

// deliver sends the first of the events, again and again until the centre has
// taken some, and gives how many.
func (s *Sensor) deliver(ctx context.Context, list []waiting) (n int, err error) {
	s.cfg.Link.Reset()
	for _, e := range list {
		ok, err := s.cfg.Link.Add(stream.Batch{ID: e.id, Data: e.data})
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
	}
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		n, err = s.cfg.Link.Send(ctx, s.state(ctx, list))
		s.heard(err)
		if n = min(n, len(list)); n > 0 {
			break
		}
		if err == nil {
			err = errors.New("it took nothing")
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(wait):
		}
	}
	s.cfg.Link.Reset()
	if err := s.cfg.Buffer.Forget(ctx, 0, list[n-1].seq); err != nil {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		s.cfg.Log.Warn("what the centre has taken could not be forgotten; it is sent again after the next start", "why", err)
	}
	return n, nil
}

// heard tells when the link is lost and when it is back.
func (s *Sensor) heard(err error) {
	switch {
	case err != nil && !errors.Is(err, context.Canceled) && !s.away:
		s.away = true
		s.cfg.Log.Error("the centre takes nothing; what is taken here is kept until it does", "why", err)
	case err == nil && s.away:
		s.away = false
		s.cfg.Log.Info("the centre takes again")
	}
}

// state is what the centre is told beside the events.
func (s *Sensor) state(ctx context.Context, list []waiting) (st uplink.State) {
	st.Shed = s.shed.Load()
	if stats, err := s.cfg.Buffer.Stats(ctx); err == nil && stats[0].Messages > 0 {
		st.Buffered = stats[0].Bytes
	}
	if len(list) > 0 {
		st.Oldest = max(s.cfg.Now().Sub(list[0].at), 0)
	}
	return st
}

// read reads the buffer and counts what is missing in it.
func (s *Sensor) read(ctx context.Context, to chan<- waiting) error {
	stats, err := s.cfg.Buffer.Stats(ctx)
	if err != nil {
		return err
	}
	after := stats[0].First - 1
	for {
		err := s.cfg.Buffer.Read(ctx, 0, after, func(m stream.Message) error {
			after = m.Seq
			var e envelope
			if err := e.open(m.Data); err != nil {
				return fmt.Errorf("the buffer holds what no sensor wrote: %w", err)
			}
			e.Event = nil
			s.missing(&e)
			select {
			case to <- waiting{m.Seq, m.ID, append([]byte(nil), m.Data...), m.At}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		var gap *stream.Gap
		if !errors.As(err, &gap) {
			return err
		}
		after = gap.Next - 1
	}
}

// missing counts the exchanges between the event before and this one that are
// no longer there.
func (s *Sensor) missing(e *envelope) {
	if l := s.last; l != nil && e.Before > l.Before+l.Count {
		n := e.Before - l.Before - l.Count
		s.ledger.Drop(taxonomy.DropOverload, n)
		s.shed.Add(n)
		s.cfg.Log.Error("the buffer was full; what was taken first is lost", "exchanges", n)
	}
	s.last = e
}
