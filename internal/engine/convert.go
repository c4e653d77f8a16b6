package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/keylog"
)

// ConvertConfig is one run of convert.
type ConvertConfig struct {
	Inputs  []source.Input
	Format  Format
	Log     LogConfig
	Live    Live // read after the inputs
	Keys    *keylog.Log
	To      Format // HAR or HARL
	Version string
	Meter   func(bytes int64, exchanges uint64)
}

// ConvertResult counts what convert did.
type ConvertResult struct {
	Written uint64
	Totals  source.Totals
	Refused []Refusal
}

// Convert writes every exchange of the inputs to w as HAR or HAR lines, in
// plaintext: that is its purpose.
func Convert(ctx context.Context, cfg ConvertConfig, w io.Writer) (*ConvertResult, error) {
	plan, err := recognise(cfg.Inputs, cfg.Format, cfg.Log, cfg.Keys)
	if err != nil {
		return nil, err
	}
	ledger := &source.Ledger{}
	out := bufio.NewWriterSize(w, 1<<18)
	res := &ConvertResult{Refused: plan.refused}
	var enc entryWriter = &lineWriter{w: out}
	if cfg.To == HAR {
		enc = exchange.NewHARWriter(out, "xiezhi", cfg.Version, 0)
	}
	sink := &entrySink{enc: enc, out: out}
	for _, s := range plan.sources {
		if err := s.Run(ctx, sink, ledger); err != nil {
			return nil, err
		}
	}
	err = cfg.Live.run(ctx, func(ctx context.Context, _ int, s source.Source) error { return s.Run(ctx, sink, ledger) })
	if err != nil {
		return nil, err
	}
	res.Written = sink.written
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("write the result: %w", err)
	}
	if err := out.Flush(); err != nil {
		return nil, fmt.Errorf("write the result: %w", err)
	}
	noteKeys(cfg.Keys, ledger)
	res.Totals = ledger.Totals()
	return res, nil
}

// entrySink writes to one stream what sources deliver, which may run at the
// same time.
type entrySink struct {
	mu      sync.Mutex
	enc     entryWriter
	out     *bufio.Writer
	written uint64
}

// Accept implements source.Sink.
func (s *entrySink) Accept(x *exchange.Exchange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written++
	return s.enc.Write(x)
}

// Flush implements source.Flusher: what is written stays, whatever becomes of
// this process.
func (s *entrySink) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Flush()
}

// noteKeys writes down what was wrong with lines of key logs.
func noteKeys(keys *keylog.Log, ledger *source.Ledger) {
	if keys == nil {
		return
	}
	for _, p := range keys.Problems() {
		ledger.Note(p)
	}
}

// entryWriter writes one exchange after the other.
type entryWriter interface {
	Write(x *exchange.Exchange) error
	Close() error
}

// lineWriter writes HAR lines.
type lineWriter struct {
	w   io.Writer
	enc exchange.HAREncoder
	buf []byte
}

func (l *lineWriter) Write(x *exchange.Exchange) error {
	l.buf = append(l.enc.Append(l.buf[:0], x), '\n')
	_, err := l.w.Write(l.buf)
	return err
}

func (l *lineWriter) Close() error { return nil }
