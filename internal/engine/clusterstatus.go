package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/stream"
)

// tellStatus tells how the judging of a partition is.
func (c *Cluster) tellStatus(ctx context.Context, s *judging, out *outbox) error {
	stats, err := c.cfg.Bus.Stats(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	p, counts := s.part, s.part.order.Counts()
	st := &partStatus{Member: c.cfg.Member, Sites: len(p.bench.order), Seq: p.seq, Judged: counts.Given - p.bench.late, Late: counts.Late + p.bench.late, Lost: p.gaps + p.damaged,
		Dropped: map[string]uint64{}, Sensors: map[string]sensed{}, Cold: s.status.cold, SaveFails: s.status.saveFailed}
	for reason, n := range p.dropped() {
		st.Dropped[string(reason)] = n
	}
	for name, k := range p.sensors {
		st.Sensors[name] = *k
	}
	if stats[s.number].Last > p.seq {
		st.Behind = max(c.cfg.Now().Sub(p.at), 0)
	}
	s.mu.Unlock()
	return out.tell(ctx, foundEvent{Status: st})
}

// partSilent is after how long nobody judges a partition of which nothing was
// heard.
const partSilent = 30 * time.Second

// Status says how the member is and, of a console, how all partitions are.
func (c *Cluster) Status(ctx context.Context) v1.Status {
	stats, streamErr := c.cfg.Bus.Stats(ctx)
	totals := c.front.ledger.Totals()
	say := func(id string, args message.Args) message.Text { return c.tools.Messages.Text(id, args) }
	out := v1.Status{Status: v1.StatusStatusOk, Started: c.began.UTC()}
	out.Sources = []v1.Part{{Name: "sources", State: v1.PartStateOk, Figures: map[string]float64{
		"sources": float64(len(c.cfg.Sources)), "bytes": float64(totals.Bytes), "accepted": float64(totals.Accepted)}}}
	if len(c.cfg.Sources) == 0 && c.cfg.Heard == nil {
		out.Sources[0].State, out.Sources[0].Text = v1.PartStateOff, say("service.no_sources", nil)
	}
	out.Stream = v1.Part{Name: "stream", State: v1.PartStateOk, Figures: map[string]float64{"partitions": float64(c.cfg.Bus.Partitions()), "members": float64(len(c.Members()))}}
	if streamErr != nil {
		out.Stream.State, out.Stream.Text = v1.PartStateFailing, say("service.stream_failing", message.Args{"why": streamErr.Error()})
	}
	heard := map[int]heardStatus{}
	records := v1.Part{Name: "records", State: v1.PartStateOff}
	if g := c.gather; g != nil {
		g.mu.Lock()
		maps.Copy(heard, g.status)
		records.State, records.Figures = v1.PartStateOk, map[string]float64{"taken": float64(g.last), "lost": float64(g.lost)}
		if g.lost > 0 {
			records.State, records.Text = v1.PartStateDegraded, say("service.found_lost", message.Args{"n": g.lost})
		}
		g.mu.Unlock()
	}
	dropped := map[string]uint64{}
	sensors := map[string]sensed{}
	for p := range c.cfg.Bus.Partitions() {
		if c.gather == nil {
			break
		}
		h, ok := heard[p]
		out.Judges = append(out.Judges, c.partPart(p, h, ok, stats, say))
		out.Analysed += int64(h.Judged)
		for reason, n := range h.Dropped {
			dropped[reason] += n
		}
		for name, k := range h.Sensors {
			sum := sensors[name]
			sum.At, sum.Exchanges, sum.Again = max(sum.At, k.At), sum.Exchanges+k.Exchanges, sum.Again+k.Again
			sensors[name] = sum
		}
	}
	out.Exchanges = out.Analysed
	for _, reason := range slices.Sorted(maps.Keys(dropped)) {
		out.Dropped = append(out.Dropped, v1.Loss{Reason: reason, Count: int64(dropped[reason])})
		out.Exchanges += int64(dropped[reason])
	}
	out.Sources = append(out.Sources, sensorParts(c.cfg.ServiceConfig, sensors, say)...)
	out.Stores = []v1.Part{records}
	out.Status = worst(out)
	return out
}

// partPart tells of a partition.
func (c *Cluster) partPart(p int, h heardStatus, ok bool, stats []stream.Stats, say func(string, message.Args) message.Text) v1.Part {
	part := v1.Part{Name: (&judging{number: p}).name(), State: v1.PartStateOk, Figures: map[string]float64{}}
	if !ok {
		part.State, part.Text = v1.PartStateWarming, say("service.part_unheard", nil)
		return part
	}
	part.Since = h.at.UTC()
	part.Figures = map[string]float64{"exchanges": float64(h.Judged), "sites": float64(h.Sites), "late": float64(h.Late), "lost": float64(h.Lost), "behind_seconds": h.Behind.Seconds()}
	if p < len(stats) {
		part.Figures["behind"] = float64(stats[p].Last - min(stats[p].Last, h.Seq))
	}
	silent := c.cfg.Now().Sub(h.at)
	switch {
	case silent > partSilent:
		part.State, part.Text = v1.PartStateDegraded, say("service.part_silent", message.Args{"member": h.Member, "seconds": uint64(silent.Seconds())})
	case h.Behind > behindFor:
		part.State, part.Text = v1.PartStateDegraded, say("service.behind", message.Args{"seconds": uint64(h.Behind.Seconds())})
	case h.Lost > 0:
		part.State, part.Text = v1.PartStateDegraded, say("service.stream_lost", message.Args{"n": h.Lost})
	case h.SaveFails > 0:
		part.State, part.Text = v1.PartStateDegraded, say("service.save_failed", message.Args{"n": h.SaveFails})
	case h.Cold:
		part.State, part.Text = v1.PartStateWarming, say("service.cold", nil)
	default:
		part.Text = say("service.part_held", message.Args{"member": h.Member})
	}
	return part
}
