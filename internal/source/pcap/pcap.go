// Package pcap reads packet captures: classic pcap and pcapng.
//
// It takes inputs that can be opened and gives the HTTP exchanges in them. All
// inputs of one run form one packet stream in the order of time, so a capture
// split into files, even in the middle of a connection, gives the same
// exchanges with the same ids as the whole. Invariant: damage is a counted drop
// that names the place; reading goes on where records make sense again. Limits:
// a packet holds at most 1 MiB; at most 256 files may overlap in time; link types that
// package wire does not know are counted.
package pcap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

// Input is one capture file.
type Input struct {
	Name   string
	Open   func() (io.ReadCloser, error) // may be called again, unless Stream
	Stream bool                          // can be opened only once, as standard input
}

// Config tells a Source how to decode.
type Config struct {
	Wire    wire.Config // Emit is set by the Source
	Sensor  string      // written into each exchange
	Site    string      // likewise
	Ordinal uint32      // of the source within the run
}

// Source delivers the exchanges of a set of captures.
type Source struct {
	inputs []Input
	cfg    Config
	stats  wire.Stats
	blind  []wire.BlindServer
	failed int
}

var _ source.Source = (*Source)(nil)

// New makes a Source over inputs.
func New(inputs []Input, cfg Config) *Source { return &Source{inputs: inputs, cfg: cfg} }

// ErrNothingOpened says that none of the inputs could be opened or recognised.
var ErrNothingOpened = errors.New("none of the captures could be read")

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	cfg := s.cfg.Wire
	site, sensor := []byte(s.cfg.Site), []byte(s.cfg.Sensor)
	cfg.Emit = func(x *exchange.Exchange) error {
		x.Site, x.Sensor, x.Ordinal = site, sensor, s.cfg.Ordinal
		return sink.Accept(x)
	}
	if cfg.Keys == nil {
		cfg.Keys = wire.NewKeys() // for those in the captures
	}
	m := newMerge(s.inputs, cfg.Keys, ledger, ledger.AddBytes)
	defer m.close()
	cfg.AwaitKeys = m.secretsMayFollow()
	d := wire.New(cfg)
	foreign := map[uint32]uint64{}
	err := s.pump(ctx, d, m, foreign)
	if err == nil {
		err = d.Flush()
	}
	s.stats, s.blind, s.failed = d.Stats(), d.Blind(), m.failed
	s.report(ledger, foreign)
	if err == nil && len(s.inputs) > 0 && m.failed == len(s.inputs) {
		err = ErrNothingOpened
	}
	return err
}

func (s *Source) pump(ctx context.Context, d *wire.Decoder, m *merge, foreign map[uint32]uint64) error {
	for n := 0; ; n++ {
		if n&0xfff == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		p, err := m.next()
		if err != nil || p == nil {
			return err
		}
		if !wire.LinkSupported(p.link) {
			foreign[p.link]++
		}
		if err := d.Packet(p.ts, p.link, p.data, p.wire); err != nil {
			return err
		}
	}
}

// report writes the counts of the run into the ledger.
func (s *Source) report(l *source.Ledger, foreign map[uint32]uint64) {
	l.AddAccepted(s.stats.Emitted)
	for _, link := range slices.Sorted(maps.Keys(foreign)) {
		// What these frames hold is unknown; each counts as one.
		l.Drop(taxonomy.DropUnsupported, foreign[link])
		l.Note(source.Problem{Reason: taxonomy.DropUnsupported, Text: fmt.Sprintf("frames of link type %d are not decoded", link)})
	}
	source.ReportPackets(l, &s.stats)
	source.ReportBlind(l, s.blind)
}

// Blind lists, after Run, the servers whose traffic could not be read.
func (s *Source) Blind() []wire.BlindServer { return s.blind }

// Stats gives, after Run, the decoder's counts.
func (s *Source) Stats() wire.Stats { return s.stats }

// Unopened is, after Run, the number of inputs that could not be opened or
// recognised.
func (s *Source) Unopened() int { return s.failed }
