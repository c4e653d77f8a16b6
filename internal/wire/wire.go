// Package wire turns captured packets into HTTP exchanges.
//
// It takes link-layer frames with their capture time, in the order of the
// capture, and gives exchanges through Config.Emit in the order in which they
// were completed. On the way it undoes VLAN, MPLS, PPPoE and tunnels, joins IP
// fragments, reassembles TCP, opens TLS 1.2 and 1.3 whose secrets it is given,
// frames HTTP/0.9 to 1.1 and pairs responses with requests, takes the streams of
// HTTP/2 apart, and joins the messages of WebSockets. What is not HTTP, or
// cannot be opened, is counted per server (see Blind).
//
// HTTP/2 joined midway, or behind a hole, refers to headers that were not
// seen: those are counted as unknown, never guessed.
//
// Invariant: every exchange or opaque connection that begins is either emitted
// or counted under one drop reason: Stats.Begun = Stats.Emitted + the drops.
// The outcome is a function of the packets alone: duplicates, re-segmentation
// and reordering within the window do not change it.
//
// Limits: one Decoder is used by one goroutine. Flows, buffered segments,
// fragments, pending requests, streams, compression tables and kept bytes are
// bounded (see Config); what is given up at a bound is counted.
package wire

import (
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/taxonomy"
)

// Config sets the bounds of a Decoder. Zero values take the defaults.
type Config struct {
	Emit func(x *exchange.Exchange) error // takes each exchange; valid only during the call
	Seed uint64                           // keys the flow table against crafted collisions
	Keys *Keys                            // TLS secrets; nil for none

	// AwaitKeys: secrets may be added after the packets that need them, as
	// in a stream that carries both.
	AwaitKeys bool

	MaxFlows       int           // 256 Ki connections
	MaxBody        int           // 1 MiB kept per body
	MaxKept        int64         // 256 MiB of heads and bodies being assembled
	MaxAhead       int           // 1 MiB per direction waiting for a hole to fill
	MaxAheadTotal  int64         // 64 MiB of the same over all flows
	MaxPending     int           // 256 unanswered requests per connection
	ReorderPackets int           // packets of a flow after which an acknowledged hole is a loss: 64
	ReorderTime    time.Duration // the same in time: 1 s
	Idle           time.Duration // a silent connection is forgotten after 5 min
}

func (c *Config) defaults() {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&c.MaxFlows, 256<<10)
	def(&c.MaxBody, 1<<20)
	def(&c.MaxAhead, 1<<20)
	def(&c.MaxPending, 256)
	def(&c.ReorderPackets, 64)
	if c.MaxKept <= 0 {
		c.MaxKept = 256 << 20
	}
	if c.MaxAheadTotal <= 0 {
		c.MaxAheadTotal = 64 << 20
	}
	if c.ReorderTime <= 0 {
		c.ReorderTime = time.Second
	}
	if c.Idle <= 0 {
		c.Idle = 5 * time.Minute
	}
	if c.Emit == nil {
		c.Emit = func(*exchange.Exchange) error { return nil }
	}
}

// Stats counts what a Decoder saw and lost.
type Stats struct {
	Packets     uint64
	Snapped     uint64 // packets the capture had cut short
	HeadsCut    uint64 // heads of which only a part is in the capture
	NotIP       uint64 // frames that carry no IP (ARP, LLDP …)
	NotTCP      uint64 // IP packets of other protocols
	Unsupported uint64 // frames of a link type that is not decoded
	Malformed   uint64 // packets whose own headers do not fit
	Fragments   uint64
	FragLost    uint64 // fragmented packets given up
	Duplicates  uint64 // segments that brought nothing new
	OutOfOrder  uint64 // segments that came ahead of a hole
	ClockJumps  uint64 // capture time went backwards by more than a second

	Flows     uint64
	Evicted   uint64 // live flows given up at the flow or memory bound
	Idle      uint64 // flows forgotten after silence
	HalfOpen  uint64 // connection attempts given up at their own bound
	Gaps      uint64 // holes in a stream that were stepped over
	GapBytes  uint64
	Requests  uint64 // request heads
	Responses uint64 // final response heads
	Orphans   uint64 // responses without a request
	Silent    uint64 // requests emitted without a response
	OneSided  uint64 // of these, in flows whose other direction was never seen
	Ambiguous uint64 // messages whose length fields contradict each other
	BodiesCut uint64 // messages with body bytes missing or not kept
	Tunnels   uint64 // CONNECT and Upgrade

	Hellos     uint64 // TLS connections whose ClientHello was read
	Decrypted  uint64 // TLS connections of which records were opened
	BadRecords uint64 // records that did not open between others that did
	GivenUp    uint64 // directions of decrypted connections lost behind a hole
	KeysLate   uint64 // connections given up while their secrets were waited for

	HTTP2     uint64 // HTTP/2 connections
	H2Errors  uint64 // frames and header blocks that make no sense
	H2Lost    uint64 // times that a direction lost its framing
	H2Unknown uint64 // header fields that cannot be known
	H2Resets  uint64 // RST_STREAM
	H2Control uint64 // frames without content: SETTINGS, PING, WINDOW_UPDATE …
	H2Evicted uint64 // streams given up at the bound
	Pushed    uint64 // PUSH_PROMISE

	WebSockets uint64 // connections
	WSMessages uint64
	WSLost     uint64 // messages that are not whole, or lost their compression's context
	WSMasking  uint64 // directions masked against the rules, read all the same
	WSErrors   uint64 // directions given up because no endpoint would accept them

	Begun   uint64
	Emitted uint64
	dropped [dropCount]uint64
}

const (
	dropCorrupt = iota
	dropTruncated
	dropUnsupported
	dropEncrypted
	dropGap
	dropOversize
	dropCount
)

var dropReasons = [dropCount]taxonomy.DropReason{taxonomy.DropCorrupt, taxonomy.DropTruncated,
	taxonomy.DropUnsupported, taxonomy.DropEncrypted, taxonomy.DropGap, taxonomy.DropOversize}

// EachDrop calls f for every drop reason that occurred, in a fixed order.
func (s *Stats) EachDrop(f func(r taxonomy.DropReason, n uint64)) {
	for i, n := range s.dropped {
		if n > 0 {
			f(dropReasons[i], n)
		}
	}
}

// Dropped is the sum over all reasons.
func (s *Stats) Dropped() (n uint64) {
	for _, d := range s.dropped {
		n += d
	}
	return n
}

// Decoder holds the state of one packet stream.
type Decoder struct {
	cfg   Config
	stats Stats
	err   error // the first error of Emit; final

	clock   int64 // age of the stream: capture time without its jumps, never back
	prev    int64 // capture time of the previous packet
	skew    int64 // capture time less age
	leapt   bool  // the previous packet came from far ahead
	now     int64 // capture time of the packet in hand
	ts      int64 // capture time of the bytes in hand; earlier than now for buffered segments
	snapped int   // bytes of the frame in hand that the capture cut off
	cutting bool  // the hole in hand is what the capture cut off
	tick    int64 // next look at the expiry queues

	table   flowTable
	frags   fragTable
	blind   blindTable
	spare   messagePool
	segFree []*segment
	ahead   int64 // bytes in all segment buffers
	kept    int64 // bytes in all unfinished messages and TLS records

	hello   clientHello
	hexRoom []byte
	records [][]byte // spare buffers
	plain   [maxTLSDepth][]byte
	parked  int64   // bytes that wait for their secrets
	waiting []*flow // finished flows that do
	x       exchange.Exchange
	id      [32]byte
	seq     uint64

	h2Free     *h2Conn
	h2Spare    int
	streamFree []*h2Stream
	wsFree     []*wsConn
	wsOpen     wsQueue
	inflate    inflater
}

// New makes a Decoder.
func New(cfg Config) *Decoder {
	cfg.defaults()
	d := &Decoder{cfg: cfg}
	d.table.init(cfg.MaxFlows, cfg.Seed)
	return d
}

// Stats returns the counts so far.
func (d *Decoder) Stats() Stats { return d.stats }

// Packet takes one frame: its capture time in ns, the link type as numbered by
// tcpdump.org, the captured bytes and the length on the wire. The bytes are not
// kept. The error is that of Emit and final.
func (d *Decoder) Packet(ts int64, link uint32, data []byte, wireLen int) error {
	if d.err != nil {
		return d.err
	}
	d.stats.Packets++
	d.now, d.ts = ts, ts
	d.advance(ts)
	d.snapped = 0
	if wireLen > len(data) {
		d.snapped = wireLen - len(data)
		d.stats.Snapped++
	}
	d.frame(link, data)
	return d.err
}

// advance moves the stream's age. When the capturing clock jumps, back or far
// ahead, the age goes on from where it was: connections are as old as before.
// A far jump ahead may also be a silence, so it counts for a little, unless the
// next packet takes it back.
func (d *Decoder) advance(ts int64) {
	if d.prev != 0 {
		step := ts - d.prev
		back := step < -int64(time.Second)
		if d.leapt && !back {
			d.skew -= leapTime
		}
		d.leapt = step > int64(d.cfg.Idle)
		if back {
			d.stats.ClockJumps++
		}
		if back || d.leapt {
			d.skew += step
		}
	}
	d.prev = ts
	d.age(ts - d.skew)
}

// leapTime is what a jump ahead of more than Config.Idle counts for.
const leapTime = int64(5 * time.Second)

func (d *Decoder) age(now int64) {
	if now <= d.clock {
		return
	}
	d.clock = now
	if now >= d.tick {
		d.tick = now + int64(time.Second)
		d.expire()
	}
}

// maxTick is how far a Tick moves at most: more is a clock that was set.
const maxTick = int64(10 * time.Second)

// Tick lets time go on to ts while no packets come, so that what has been
// silent too long ends. It is to be called every few seconds.
func (d *Decoder) Tick(ts int64) error {
	if d.err == nil && d.prev != 0 {
		if ahead := ts - d.skew - d.clock; ahead > maxTick {
			d.skew += ahead - maxTick
		}
		if ts > d.prev {
			d.now, d.ts, d.prev = ts, ts, ts
		}
		d.age(ts - d.skew)
	}
	return d.err
}

// Flush ends every flow and emits what is complete enough. The Decoder can be
// used further afterwards, with no memory of earlier connections.
func (d *Decoder) Flush() error {
	if k := d.cfg.Keys; k.growing() {
		k.more(true)
	}
	for d.err == nil {
		f := d.table.oldest()
		if f == nil {
			break
		}
		d.finish(f)
		d.forget(f)
	}
	d.frags.flush(d)
	return d.err
}
