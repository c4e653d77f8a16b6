package observation

import (
	"hash/fnv"
	"math"
	"strings"

	"xiezhi/internal/catalog"
)

// Of makes the row of an event that a judge has gone through: of the site that
// it judges, at a place in what it writes, with what it knows of attacks. What
// a row has no room for becomes the nearest that it has, so that nothing in
// traffic makes a row that a store refuses.
func Of(ev *catalog.Event, site string, at Position, v Verdict, attack string) Row {
	o := ev.Observation
	r := Row{
		Position: at,
		Time:     min(max(o.End, 1), MaxTime-1),
		Site:     fitting(site),
		Exchange: Exchange(o.ID),
		Client:   ev.Who.Client.Unmap().WithZone(""),
		Actor:    ev.Who.Principal,
		Account:  ev.Who.Subject,
		Session:  ev.Who.Session,
		Agent:    ev.Who.Cohort,
		Network:  ev.Net.Type,
		Country:  ev.Net.Country,
		Outcome:  ev.Outcome,
		BytesIn:  min(o.ReqBytes, MaxAmount),
		BytesOut: min(o.RespBytes, MaxAmount),
		Latency:  uint32(min(max(o.End-o.Start, 0)/1000, math.MaxUint32)),
		Verdict:  v,
		Attack:   fitting(attack),
	}
	if ev.API != nil {
		r.API = fitting(ev.API.ID)
	}
	if o.Status < 1000 {
		r.Status = o.Status
	}
	for i := range o.Exposures {
		e := &o.Exposures[i]
		if e.Response && !e.Masked && e.Type != 0 {
			r.Types |= SetOf(e.Type)
			r.Subjects = max(r.Subjects, e.Distinct)
		}
	}
	return r
}

// Exchange is the hash of an exchange's id that rows hold.
func Exchange(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return h.Sum64()
}

// fitting cuts a text to what a row takes.
func fitting(s string) string {
	if text(s) {
		return s
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
	for len(s) > MaxText {
		cut := MaxText
		for cut > 0 && s[cut]&0xc0 == 0x80 {
			cut--
		}
		s = s[:cut]
	}
	return s
}
