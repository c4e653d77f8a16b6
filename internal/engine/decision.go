package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"xiezhi/internal/policy"
)

// policyText is a policy file as it stood when a service began with it.
type policyText struct {
	Name string
	Text []byte
}

// decision is what a person decided while the service ran.
type decision struct {
	ID    string
	By    string
	Site  string // empty: every site
	Entry policy.Entry
	Ends  bool // the decision of this ID holds no longer
}

// Caps of what a state keeps of decisions. Beyond them a decision is refused
// where it is made.
const (
	maxDecisions   = policy.MaxEntries
	maxPolicyTexts = 64
)

// Why a decision is refused.
var (
	errFull = errors.New("there is no room for more decisions; end some that are no longer needed")
	errEdit = errors.New("a split or a merge does not end; make the opposite edit")
)

// policy applies a policy file from here on.
func (p *partition) policy(t policyText) error {
	f, err := policy.Parse(t.Name, t.Text)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(p.files, func(x policyText) bool { return bytes.Equal(x.Text, t.Text) }) {
		return nil // read again
	}
	if len(p.files) >= maxPolicyTexts {
		return errFull
	}
	p.files = append(p.files, t)
	p.bench.files = append(p.bench.files, f)
	for _, name := range p.bench.order {
		p.bench.judges[name].Decide(f.Entries(name), p.order.Mark().UnixNano())
	}
	return nil
}

// decide applies a decision from here on. What was decided "now" by the clock of
// the bus holds at once, although traffic of now is still waited for.
func (p *partition) decide(d *decision) {
	now := p.order.Mark()
	old := p.decisions[d.ID]
	switch {
	case d.Ends && old == nil, !d.Ends && old != nil: // done before
	case d.Ends:
		with := old.Entry.Ended(now)
		for _, j := range p.bench.concerned(d.Site) {
			j.End(&old.Entry, &with, now.UnixNano())
		}
		delete(p.decisions, d.ID)
		p.bench.forget(d.ID)
	case len(p.decisions) >= maxDecisions:
		p.damaged++
	default:
		if at := time.Unix(0, d.Entry.At); at.After(now) && at.Before(p.at.Add(time.Minute)) {
			d.Entry = d.Entry.AsOf(now)
		}
		p.decisions[d.ID] = d
		p.bench.decisions = append(p.bench.decisions, d)
		for _, j := range p.bench.concerned(d.Site) {
			j.Decide([]policy.Entry{d.Entry}, now.UnixNano())
		}
	}
}

// announce puts the policy file on the bus unless the state knows it.
func (s *Service) announce() error {
	if len(s.cfg.Policy) == 0 {
		return nil
	}
	sum := sha256.Sum256(s.cfg.Policy)
	s.mu.Lock()
	known := false
	for _, t := range s.part.files {
		known = known || sha256.Sum256(t.Text) == sum
	}
	full := len(s.part.files) >= maxPolicyTexts
	s.mu.Unlock()
	switch {
	case known:
		return nil
	case full:
		return fmt.Errorf("%s: the state has seen %d policy files; begin with a new data folder, or go back to one of them", s.cfg.PolicyName, maxPolicyTexts)
	}
	return s.publish(eventPolicy, policyText{s.cfg.PolicyName, s.cfg.Policy})
}

func (s *Service) publish(kind byte, x any) error { return publishTo(s.ingest, 0, kind, x) }

func publishTo(g *ingest, partition int, kind byte, x any) error {
	data, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return g.publish(partition, append([]byte{kind}, data...), 0)
}

// ErrRefused: a decision cannot be followed, now or later.
var ErrRefused = errors.New("the decision cannot be followed")

// Decide makes a decision that holds from here on in the order of events; ends
// takes the one of that id back. The same id is the same decision.
func (s *Service) Decide(_ context.Context, id, by, site string, e policy.Entry, ends bool) error {
	if ends && e.Template != nil && e.Template.Lasting() {
		return fmt.Errorf("%w: %w", ErrRefused, errEdit)
	}
	s.mu.Lock()
	full := !ends && len(s.part.decisions) >= maxDecisions
	s.mu.Unlock()
	if full {
		return fmt.Errorf("%w: %w", ErrRefused, errFull)
	}
	return s.publish(eventDecided, decision{id, by, site, e, ends})
}
