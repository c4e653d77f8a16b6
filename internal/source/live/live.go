// Package live reads packets from network interfaces as they come, on Linux.
//
// It takes an interface, a capture filter and bounds and gives the HTTP
// exchanges on it. Packets come through a memory ring shared with the kernel
// (AF_PACKET, TPACKET_V3), on request through several rings, each with a
// decoder of its own, among which the kernel divides the connections. Between
// the decoders and the sink lies a bounded queue, so that a burst is read at
// the speed of decoding and analysed later.
//
// Invariant: every packet that passed the filter was either seen or is counted
// as dropped by the kernel, and every exchange that was decoded is either
// accepted by the sink or dropped as overload. Opening needs CAP_NET_RAW and
// nothing after it does (see DropPrivileges). Limits: interfaces that are
// there at the start; with several rings one that is removed and made again is
// not taken up again. Other systems: an error that says so.
package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/live/filter"
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

// Config is one interface and how to read it.
type Config struct {
	Interface string
	Filter    string           // tcpdump's language; empty: everything
	Snap      int              // bytes kept of a packet; 0: all
	Rings     int              // decoders that work at the same time; default 1, at most 64
	Buffer    int64            // bytes of ring and of waiting exchanges together; default 128 MiB
	Wire      wire.Config      // Emit is set by the Source
	Sensor    string           // written into each exchange
	Now       func() time.Time // lets connections end while the interface is silent
	Warn      func(text string)
}

const (
	maxRings      = 64
	maxClients    = 8 // fingerprints listed of a server that could not be read
	defaultBuffer = 128 << 20
	minBuffer     = 8 << 20 // per ring
	pollTime      = 100 * time.Millisecond
)

// ErrPrivilege says that the process may not capture packets.
var ErrPrivilege = errors.New("not permitted to capture packets: this needs the capability CAP_NET_RAW")

// packet is one packet in a ring, valid during the call.
type packet struct {
	ts   int64
	link uint32
	data []byte
	wire int
}

// ring is the way from the kernel to one decoder.
type ring interface {
	// start lets packets in that the filter passes.
	start() error
	// read gives what has come, waiting up to wait for something to come.
	// n is the number of packets, 0 when nothing came.
	read(wait time.Duration, take func(p *packet) error) (n int, err error)
	// stop lets no more packets in; those that came remain to be read.
	stop() error
	// counts gives the packets dropped since the start for want of room, and
	// how often the interface went down.
	counts() (dropped, down uint64, err error)
	close()
}

// Source reads one interface.
type Source struct {
	cfg   Config
	rings []ring
	begun chan struct{} // closed when every ring lets packets in

	mu      sync.Mutex
	stats   Stats
	blind   []wire.BlindServer
	decoder []wire.Stats
}

// Stats counts what came.
type Stats struct {
	Seen    uint64 // packets read
	Bytes   int64
	Dropped uint64 // packets that the kernel had no room for
	Shed    uint64 // exchanges that the queue had no room for
	Down    uint64 // times the interface went down
}

var _ source.Source = (*Source)(nil)

// Open opens the interface; packets are let in when Run starts.
func Open(cfg Config) (*Source, error) {
	if cfg.Rings <= 0 {
		cfg.Rings = 1
	}
	if cfg.Rings > maxRings {
		return nil, fmt.Errorf("%d rings: at most %d", cfg.Rings, maxRings)
	}
	if cfg.Buffer <= 0 {
		cfg.Buffer = defaultBuffer
	}
	cfg.Buffer = max(cfg.Buffer, int64(cfg.Rings)*minBuffer)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Warn == nil {
		cfg.Warn = func(string) {}
	}
	s := &Source{cfg: cfg, begun: make(chan struct{}), decoder: make([]wire.Stats, cfg.Rings)}
	var err error
	if s.rings, err = openRings(&s.cfg); err != nil {
		return nil, err
	}
	return s, nil
}

// CheckFilter says what is wrong with a filter.
func CheckFilter(expression string) error {
	_, err := filter.Compile(expression, filter.Options{})
	return err
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	defer s.Close()
	run, stop := context.WithCancel(ctx)
	defer stop()
	var once sync.Once
	var failure error
	fail := func(err error) { once.Do(func() { failure = err; stop() }) }
	q := newQueue(s.cfg.Buffer / 2)
	var readers sync.WaitGroup
	for _, r := range s.rings {
		if err := r.start(); err != nil {
			return fmt.Errorf("%s: %w", s.cfg.Interface, err)
		}
	}
	close(s.begun)
	for i, r := range s.rings {
		readers.Go(func() {
			if err := s.pump(run, i, r, q, ledger); err != nil {
				fail(err)
			}
		})
	}
	go func() {
		readers.Wait()
		q.close()
	}()
	seq, sensor := uint64(0), []byte(s.cfg.Sensor)
	refused := false
	for b := q.pop(); b != nil; b = q.pop() {
		for i := range b.Len() {
			if refused {
				break
			}
			x := b.At(i)
			seq++
			x.Seq, x.Sensor = seq, sensor
			if err := sink.Accept(x); err != nil {
				refused = true
				fail(err)
			}
		}
		q.done(b)
	}
	s.stats.Shed = q.shed
	s.blind = merge(s.blind)
	s.report(ledger, seq)
	if failure != nil {
		return failure
	}
	return ctx.Err()
}

// pump carries the packets of one ring through its decoder until ctx is done,
// and then what is still in the ring.
func (s *Source) pump(ctx context.Context, index int, r ring, q *queue, ledger *source.Ledger) (err error) {
	out := q.writer()
	cfg := s.cfg.Wire
	cfg.Emit = func(x *exchange.Exchange) error { return out.put(x) }
	d := wire.New(cfg)
	var seen uint64
	var bytes int64
	take := func(p *packet) error {
		seen++
		bytes += int64(len(p.data))
		return d.Packet(p.ts, p.link, p.data, p.wire)
	}
	defer func() {
		dropped, down, e := r.counts()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stats.Seen += seen
		s.stats.Bytes += bytes
		s.stats.Dropped += dropped
		s.stats.Down = max(s.stats.Down, down)
		s.decoder[index] = d.Stats()
		s.blind = append(s.blind, d.Blind()...)
		ledger.AddBytes(bytes)
		if err == nil && e != nil {
			err = fmt.Errorf("%s: %w", s.cfg.Interface, e)
		}
	}()
	for ctx.Err() == nil {
		n, err := r.read(pollTime, take)
		if err != nil {
			return fmt.Errorf("%s: %w", s.cfg.Interface, err)
		}
		if n == 0 {
			// Nothing comes; time goes on all the same.
			if err := d.Tick(s.cfg.Now().UnixNano()); err != nil {
				return err
			}
		}
		out.flush()
	}
	if err := r.stop(); err != nil {
		return fmt.Errorf("%s: %w", s.cfg.Interface, err)
	}
	for {
		n, err := r.read(pollTime/2, take)
		if err != nil {
			return fmt.Errorf("%s: %w", s.cfg.Interface, err)
		}
		if n == 0 {
			break
		}
	}
	out.patient = true // the end waits for its turn, nothing comes behind it
	if err := d.Flush(); err != nil {
		return err
	}
	out.flush()
	return nil
}

// report writes the counts of the run into the ledger.
func (s *Source) report(l *source.Ledger, accepted uint64) {
	l.AddAccepted(accepted)
	for i := range s.decoder {
		source.ReportPackets(l, &s.decoder[i])
	}
	source.ReportBlind(l, s.blind)
	l.Drop(taxonomy.DropOverload, s.stats.Shed)
	l.Quality(taxonomy.QualityPacketsDropped, s.cfg.Interface, s.stats.Dropped)
	if s.stats.Down > 0 {
		l.Note(source.Problem{File: s.cfg.Interface, Text: "the interface was down for a time"})
	}
}

// merge adds up what several decoders could not read of one server.
func merge(list []wire.BlindServer) []wire.BlindServer {
	type key struct {
		server                netip.AddrPort
		sni, protocol, reason string
	}
	at := map[key]int{}
	var out []wire.BlindServer
	for _, b := range list {
		k := key{b.Server, b.SNI, b.Protocol, b.Reason}
		i, ok := at[k]
		if !ok {
			at[k] = len(out)
			out = append(out, b)
			continue
		}
		out[i].Connections += b.Connections
		out[i].Bytes += b.Bytes
		out[i].Version = max(out[i].Version, b.Version)
		out[i].OtherClient += b.OtherClient
		for _, c := range b.Clients {
			j := slices.IndexFunc(out[i].Clients, func(d wire.ClientCount) bool { return d.JA4 == c.JA4 })
			switch {
			case j >= 0:
				out[i].Clients[j].Connections += c.Connections
			case len(out[i].Clients) < maxClients:
				out[i].Clients = append(out[i].Clients, c)
			default:
				out[i].OtherClient += c.Connections
			}
		}
	}
	for i := range out {
		slices.SortStableFunc(out[i].Clients, func(a, b wire.ClientCount) int { return cmp.Compare(b.Connections, a.Connections) })
	}
	return out
}

// Close gives the rings back; Run does so at its end.
func (s *Source) Close() {
	for _, r := range s.rings {
		r.close()
	}
	s.rings = nil
}

// Stats gives, after Run, what came.
func (s *Source) Stats() Stats { return s.stats }

// Blind lists, after Run, the servers whose traffic could not be read.
func (s *Source) Blind() []wire.BlindServer { return s.blind }
