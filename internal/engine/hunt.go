package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/stream"
)

// Hunt says what of the stream is judged anew, and with what.
type Hunt struct {
	From, To time.Time // of the traffic; zero: no bound
	Name     string    // of Text
	Text     []byte    // a policy file: rules, types of data and entries beside those in use; may be empty
	Most     uint64    // exchanges; 0 for 5 000 000
	Took     time.Duration
	// Told is called now and then with how far it is; may be nil.
	Told func(Hunted)
}

const (
	huntMost = 5_000_000
	huntTook = 30 * time.Minute
	huntTell = 256 // events
)

// Hunted is what a hunt gave.
type Hunted struct {
	Exchanges   uint64 // that were judged
	First, Last int64  // their time, ns; 0 without any
	Events, All uint64 // of the stream, read and at the start
	Stopped     string // why the newest were left out: number, time; empty: none were
	Report      *report.Report
}

// Hunt judges what the stream still holds anew: with the rules, decisions and
// networks of now, and what the hunt brings along, as judges that know nothing
// else. The judges of the service go on beside it and learn nothing of it.
func (s *Service) Hunt(ctx context.Context, h Hunt) (*Hunted, error) {
	if h.Most == 0 {
		h.Most = huntMost
	}
	if h.Took == 0 {
		h.Took = huntTook
	}
	x, err := s.hunter(&h)
	if err != nil {
		return nil, err
	}
	stats, err := s.cfg.Bus.Stats(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the stream: %w", err)
	}
	x.out.All = stats[0].Last - min(stats[0].Last, max(stats[0].First, 1)-1)
	until := s.cfg.Now().Add(h.Took)
	if first := max(stats[0].First, 1); x.out.All > 0 {
		err = read(ctx, s.cfg.Bus, 0, block{first, stats[0].Last}, func(m stream.Message) error {
			x.judging.part.take(m)
			x.out.Events++
			switch {
			case x.out.Exchanges >= h.Most:
				x.out.Stopped = "number"
			case s.cfg.Now().After(until):
				x.out.Stopped = "time"
			}
			if x.out.Stopped != "" {
				return errEnough
			}
			if h.Told != nil && x.out.Events%huntTell == 0 {
				h.Told(x.out)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	p := x.judging.part
	p.drain()
	for _, j := range p.bench.judges {
		j.Finish() // what was decided since the last exchange holds as well
	}
	x.out.Report, _ = x.judging.build()
	return &x.out, nil
}

// hunter judges for a hunt.
type hunter struct {
	judging *judging
	out     Hunted
}

func (s *Service) hunter(h *Hunt) (*hunter, error) {
	cfg := s.cfg
	if len(h.Text) > 0 {
		f, err := policy.Parse(h.Name, h.Text)
		if err != nil {
			return nil, err
		}
		cfg.Packs = append(cfg.Packs[:len(cfg.Packs):len(cfg.Packs)], f)
	}
	tools, err := cfg.tools()
	if err != nil {
		return nil, err
	}
	x := &hunter{judging: &judging{cfg: cfg, tools: tools}}
	p, err := x.judging.fresh()
	if err != nil {
		return nil, err
	}
	x.judging.part = p
	p.only = func(o *observe.Observation) bool {
		if !h.From.IsZero() && o.End < h.From.UnixNano() || !h.To.IsZero() && o.End >= h.To.UnixNano() {
			return false
		}
		if x.out.Exchanges++; x.out.First == 0 || o.End < x.out.First {
			x.out.First = o.End
		}
		x.out.Last = max(x.out.Last, o.End)
		return true
	}
	// What was decided holds from its own time on; what the stream tells of it
	// again changes nothing.
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(p.bench.namer.admitted, s.part.bench.namer.admitted)
	for _, t := range s.part.files {
		if err := p.policy(t); err != nil {
			return nil, err
		}
	}
	for _, d := range s.part.bench.decisions {
		again := *d
		p.decide(&again)
	}
	if len(h.Text) > 0 {
		if err := p.policy(policyText{h.Name, h.Text}); err != nil && !errors.Is(err, errFull) {
			return nil, err
		}
	}
	return x, nil
}
