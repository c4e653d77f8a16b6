package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/stream/uplink"
)

// behindFor is how far judging may be behind the bus before the service says
// so.
const behindFor = time.Minute

// Status says how the service is, for those who look after it.
func (s *Service) Status(ctx context.Context) v1.Status {
	stats, streamErr := s.cfg.Bus.Stats(ctx)
	totals := s.ledger.Totals()
	s.mu.Lock()
	defer s.mu.Unlock()
	p, counts := s.part, s.part.order.Counts()
	late := counts.Late + p.bench.late
	out := v1.Status{Status: v1.StatusStatusOk, Started: s.status.started.UTC(), Analysed: int64(counts.Given - p.bench.late)}
	say := func(id string, args message.Args) message.Text { return s.tools.Messages.Text(id, args) }

	dropped := int64(0)
	for reason, n := range p.dropped() {
		out.Dropped = append(out.Dropped, v1.Loss{Reason: string(reason), Count: int64(n)})
		dropped += int64(n)
	}
	slices.SortFunc(out.Dropped, func(a, b v1.Loss) int { return cmp.Compare(a.Reason, b.Reason) })
	out.Exchanges = out.Analysed + dropped

	out.Sources = []v1.Part{{Name: "sources", State: v1.PartStateOk, Figures: map[string]float64{
		"sources": float64(len(s.cfg.Sources)), "bytes": float64(totals.Bytes), "accepted": float64(totals.Accepted)}}}
	if len(s.cfg.Sources) == 0 && s.cfg.Heard == nil {
		out.Sources[0].State, out.Sources[0].Text = v1.PartStateOff, say("service.no_sources", nil)
	}

	sensors := make(map[string]sensed, len(p.sensors))
	for name, k := range p.sensors {
		sensors[name] = *k
	}
	out.Sources = append(out.Sources, sensorParts(s.cfg, sensors, say)...)

	out.Stream = v1.Part{Name: "stream", State: v1.PartStateOk, Figures: map[string]float64{"judged": float64(p.seq), "lost": float64(p.gaps + p.damaged)}}
	if streamErr != nil {
		out.Stream.State, out.Stream.Text = v1.PartStateFailing, say("service.stream_failing", message.Args{"why": streamErr.Error()})
	} else {
		out.Stream.Figures["last"] = float64(stats[0].Last)
		out.Stream.Figures["kept"] = float64(stats[0].Messages)
		out.Stream.Figures["bytes"] = float64(stats[0].Bytes)
		out.Stream.Figures["behind"] = float64(stats[0].Last - min(stats[0].Last, p.seq))
	}
	if why := s.ingest.full.Load(); why != nil {
		out.Stream.State, out.Stream.Text = v1.PartStateFailing, say("service.stream_full", message.Args{"why": (*why).Error()})
	}
	if p.gaps+p.damaged > 0 && out.Stream.State == v1.PartStateOk {
		out.Stream.State, out.Stream.Text = v1.PartStateDegraded, say("service.stream_lost", message.Args{"n": p.gaps + p.damaged})
	}

	for _, name := range p.bench.sites() {
		j := p.bench.judges[name]
		part := v1.Part{Name: name, State: v1.PartStateOk, Figures: map[string]float64{"exchanges": float64(j.Judged())}}
		full, brief := uint64(0), uint64(0)
		for _, l := range j.Limits() {
			part.Figures[l.What] = float64(l.Count)
			switch {
			case !l.Modest():
				full += l.Count
			case l.What != "catalog.refused":
				brief += l.Count
			}
		}
		switch { // only what may be missed keeps a judge from being well
		case full > 0:
			part.State, part.Text = v1.PartStateDegraded, say("service.judge_full", message.Args{"n": full})
		case brief > 0:
			part.Text = say("service.judge_brief", message.Args{"n": brief})
		}
		out.Judges = append(out.Judges, part)
	}
	order := v1.Part{Name: "order", State: v1.PartStateOk, Figures: map[string]float64{
		"late": float64(late), "laned": float64(p.order.Laned()), "lanes": float64(p.order.Lanes()), "clock_ahead": float64(counts.Ahead), "duplicates": float64(counts.Duplicate),
		"waiting_bytes": float64(p.order.Waiting()), "forced": float64(counts.Forced), "held_bytes": float64(p.admit.size)}}
	switch behind := s.cfg.Now().Sub(p.at); {
	case !s.status.open:
		order.State, order.Text = v1.PartStateWarming, say("service.catching_up", nil)
	case streamErr == nil && stats[0].Last > p.seq && behind > behindFor:
		order.State, order.Text = v1.PartStateDegraded, say("service.behind", message.Args{"seconds": uint64(behind.Seconds())})
	case (late+counts.Ahead)*100 > counts.Given+counts.Late+counts.Ahead:
		order.State, order.Text = v1.PartStateDegraded, say("service.late", message.Args{"late": late, "ahead": counts.Ahead})
	case s.status.cold:
		order.State, order.Text = v1.PartStateWarming, say("service.cold", nil)
	}
	out.Judges = append([]v1.Part{order}, out.Judges...)

	records := v1.Part{Name: "records", State: v1.PartStateOk, Since: s.delivered.UTC()}
	if s.deliver != nil && s.deliver.bad.Load() > 0 {
		records.State, records.Text = v1.PartStateDegraded, say("service.records_bad", message.Args{"n": s.deliver.bad.Load()})
	}
	rows := v1.Part{Name: "rows", State: v1.PartStateOk}
	if s.rows == nil {
		rows.State, rows.Text = v1.PartStateOff, say("service.no_rows", nil)
	}
	states := v1.Part{Name: "states", State: v1.PartStateOk, Since: s.saved.UTC()}
	if s.status.saveFailed > 0 {
		states.State, states.Text = v1.PartStateDegraded, say("service.save_failed", message.Args{"n": s.status.saveFailed})
	}
	out.Stores = []v1.Part{records, rows, states}
	out.Status = worst(out)
	return out
}

// sensorParts tells of the sensors: what they say of themselves, and what was
// judged of theirs.
func sensorParts(cfg ServiceConfig, judged map[string]sensed, say func(string, message.Args) message.Text) (out []v1.Part) {
	heard := map[string]uplink.Heard{}
	if cfg.Heard != nil {
		for _, h := range cfg.Heard() {
			heard[h.Name] = h
		}
	}
	names := slices.Collect(maps.Keys(heard))
	for name := range judged {
		if _, ok := heard[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	now := cfg.Now()
	for _, name := range names {
		part := v1.Part{Name: "sensor " + name, State: v1.PartStateOk, Figures: map[string]float64{}}
		at := time.Time{}
		if k, ok := judged[name]; ok {
			at = time.Unix(0, k.At)
			part.Figures["exchanges"], part.Figures["again"] = float64(k.Exchanges), float64(k.Again)
		}
		h, ok := heard[name]
		lag := now.Sub(at)
		if ok {
			at, lag = h.At, h.State.Oldest
			part.Figures["buffered_bytes"], part.Figures["shed"] = float64(h.State.Buffered), float64(h.State.Shed)
			if away := now.Sub(h.At); away > silentFor {
				lag = max(lag, away)
			}
		}
		part.Since, part.Figures["lag_seconds"] = at.UTC(), max(lag.Seconds(), 0)
		switch {
		case now.Sub(at) > silentFor:
			part.State, part.Text = v1.PartStateDegraded, say("service.sensor_silent", message.Args{"seconds": uint64(max(now.Sub(at).Seconds(), 0))})
		case lag > behindFor:
			part.State, part.Text = v1.PartStateDegraded, say("service.sensor_behind", message.Args{"seconds": uint64(lag.Seconds())})
		case h.State.Shed > 0:
			part.State, part.Text = v1.PartStateDegraded, say("service.sensor_shed", message.Args{"n": h.State.Shed})
		}
		out = append(out, part)
	}
	return out
}

// silentFor is how long a sensor may send nothing, not even a sign of life.
const silentFor = 30 * time.Second

func worst(s v1.Status) v1.StatusStatus {
	out := v1.StatusStatusOk
	for _, list := range [][]v1.Part{s.Sources, {s.Stream}, s.Judges, s.Stores} {
		for i := range list {
			switch list[i].State {
			case v1.PartStateFailing:
				return v1.StatusStatusFailing
			case v1.PartStateDegraded:
				out = v1.StatusStatusDegraded
			}
		}
	}
	return out
}
