package engine

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"xiezhi/internal/observe"
	"xiezhi/internal/stream"
)

// sensed is what a partition knows of a sensor: which of its events it has
// taken, so that one that comes again is dropped however late, and how far the
// sensor has told.
type sensed struct {
	Instance  string // of its folder; another begins to count anew
	Epoch     uint64 // how often a process began on it
	Number    uint64 // of the event taken last, within the epoch
	Through   int64  // event time up to which it has told everything, ns
	At        int64  // when the bus took that event, ns
	Exchanges uint64 // that its events brought
	Again     uint64 // events that came again
}

// maxSensed bounds the sensors that a partition knows; the one that was silent
// for longest is forgotten.
const maxSensed = 256

// sensorWait is how long, in event time, sites that a silent sensor alone feeds
// are not told that time passes.
const sensorWait = int64(24 * time.Hour)

// envelope is an event of a sensor as it numbered it: before it is put into the
// sensor's buffer, where its place is that number's, and on the bus.
type envelope struct {
	Sensor   string
	Instance string
	Epoch    uint64
	Number   uint64 // from 1 in each epoch, one more each time
	Before   uint64 // exchanges in all events of this epoch before this one
	Count    uint64 // exchanges in this one
	Event    []byte // what it holds: observations, forms or a tick
}

const (
	instanceSize = 16 // hexadecimal digits
	maxSensor    = 64
	maxEnvelope  = 2 + maxSensor + instanceSize + 4*binary.MaxVarintLen64
)

func (e *envelope) append(dst []byte) []byte {
	dst = append(dst, eventSensed, byte(len(e.Sensor)))
	dst = append(append(dst, e.Sensor...), e.Instance...)
	for _, n := range []uint64{e.Epoch, e.Number, e.Before, e.Count} {
		dst = binary.AppendUvarint(dst, n)
	}
	return append(dst, e.Event...)
}

// open reads an envelope; what it gives lies in data.
func (e *envelope) open(data []byte) error {
	if len(data) < 2 || data[0] != eventSensed {
		return errEvent
	}
	n, data := int(data[1]), data[2:]
	if n == 0 || n > maxSensor || len(data) < n+instanceSize {
		return errEvent
	}
	e.Sensor, e.Instance, data = string(data[:n]), string(data[n:n+instanceSize]), data[n+instanceSize:]
	for _, to := range []*uint64{&e.Epoch, &e.Number, &e.Before, &e.Count} {
		v, k := binary.Uvarint(data)
		if k <= 0 {
			return errEvent
		}
		*to, data = v, data[k:]
	}
	if e.Event = data; len(data) == 0 || e.Number == 0 {
		return errEvent
	}
	switch data[0] {
	case eventObserved, eventForms, eventTick:
		return nil
	}
	return errEvent
}

// sensed takes an event of a sensor, once.
func (p *partition) sensed(data []byte) error {
	var e envelope
	if err := e.open(data); err != nil {
		return err
	}
	s := p.sensors[e.Sensor]
	switch {
	case s == nil || s.Instance != e.Instance:
		if s == nil && len(p.sensors) >= maxSensed {
			p.forgetSensor()
		}
		s = &sensed{Instance: e.Instance}
		p.sensors[e.Sensor] = s
	case e.Epoch < s.Epoch, e.Epoch == s.Epoch && e.Number <= s.Number:
		s.Again++
		return nil
	}
	s.Epoch, s.Number, s.At = e.Epoch, e.Number, p.at.UnixNano()
	s.Exchanges += e.Count
	if e.Event[0] == eventTick {
		var t tick
		if err := json.Unmarshal(e.Event[1:], &t); err != nil {
			return errEvent
		}
		p.tally.add(&t.Tally)
		s.Through = max(s.Through, t.Now) // its time, not that of the others
		return nil
	}
	return p.event(e.Event)
}

// forgetSensor lets go of the sensor that was silent for longest.
func (p *partition) forgetSensor() {
	oldest := ""
	for name, s := range p.sensors {
		if o := p.sensors[oldest]; o == nil || s.At < o.At || s.At == o.At && name < oldest {
			oldest = name
		}
	}
	delete(p.sensors, oldest)
}

// through is the time that a silent site is told: of one that sensors alone
// feed, what they have told, so that nothing of it is late when their link comes
// back, unless that takes longer than sensorWait.
func (p *partition) through(site string, now int64) int64 {
	c := p.bench.clocks[site]
	if c == nil {
		return now
	}
	to := now
	for _, f := range c.Feeders {
		if f == "" {
			break
		}
		s := p.sensors[string(f)]
		if s == nil {
			to = now
			break
		}
		to = min(to, s.Through)
	}
	if c.More {
		to = now
	}
	to = max(to, now-sensorWait)
	return to
}

// numbers gives a sensor's events their numbers. That of an event is its place
// in the buffer, too: one is written after the other.
type numbers struct {
	mu   sync.Mutex // held while an event is written
	last envelope   // written last, without what it holds
	room []byte
}

// next writes an event under the next number.
func (n *numbers) next(data []byte, exchanges uint64, write func(stream.Batch) error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.last
	e.Number, e.Before, e.Count, e.Event = e.Number+1, e.Before+e.Count, exchanges, data
	n.room = e.append(n.room[:0])
	if len(n.room) > stream.MaxData {
		return fmt.Errorf("%w: an event of %d bytes", stream.ErrRefused, len(n.room))
	}
	if err := write(stream.Batch{ID: e.id(), Data: n.room}); err != nil {
		return err
	}
	e.Event = nil
	n.last = e
	return nil
}

// id is that of the batch which an event is.
func (e *envelope) id() string {
	return fmt.Sprintf("%s-%s/%d-%d", e.Sensor, e.Instance, e.Epoch, e.Number)
}

// exchangesIn counts the exchanges of a batch that order lists, nil for all.
func exchangesIn(b *observe.Batch, order []int32) (n uint64) {
	count := func(o *observe.Observation) {
		if o.Part == 0 && o.Aside == 0 {
			n++
		}
	}
	if order == nil {
		for i := range b.Len() {
			count(b.At(i))
		}
		return n
	}
	for _, i := range order {
		count(b.At(int(i)))
	}
	return n
}
