package engine

import (
	"maps"
	"strings"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
)

// admit decides, while a service runs, which hosts become sites: what is seen
// of a host that is none yet is held until its answers show that it exists, and
// is then judged first. What is not shown in time is judged as unlisted. It is
// fed in order, so that the same observations always give the same sites.
type admit struct {
	bench   *bench
	hosts   map[string]*hostCount // not admitted
	held    []heldBlock           // of those, in order
	open    observe.Writer        // the end of held
	from    int64                 // From of open
	size    int                   // bytes in held
	now     int64                 // to which what is held has expired
	refused uint64                // exchanges of hosts for which there was no room
	scratch observe.Batch
}

// heldBlock is an encoded batch of observations.
type heldBlock struct {
	Data []byte
	From int64 // end of the first, or when it was held if that is later
}

const (
	heldBytes     = 16 << 20
	heldBlockSize = 64 << 10
	heldTime      = int64(300e9) // of event time
)

func newAdmit(b *bench) *admit { return &admit{bench: b, hosts: map[string]*hostCount{}} }

// observe judges an observation of a run, or holds it.
func (a *admit) observe(o *observe.Observation, run uint64) {
	a.expire(o.End)
	n := a.bench.namer
	if a.named(o) || n.admitted[o.Host] {
		a.bench.inRun(o, run)
		return
	}
	if a.counts(o) {
		host := strings.Clone(o.Host)
		n.admitted[host] = true
		delete(a.hosts, host)
		a.release(host)
		a.bench.inRun(o, run)
		return
	}
	if a.open.Len() == 0 {
		a.from = max(o.End, a.now)
	}
	a.open.Append(o)
	if a.open.Size() >= heldBlockSize {
		a.cut()
	}
	for a.size > heldBytes {
		a.giveFirst()
	}
}

// named reports whether the site of an observation does not depend on what is
// admitted. No host, as in most logs, is never one.
func (a *admit) named(o *observe.Observation) bool {
	n := a.bench.namer
	if n.only != "" || o.Site != "" || o.Host == "" {
		return true
	}
	_, ok := n.configured(o.Host)
	return ok
}

// counts counts an observation of a host, and reports whether it makes the host
// a site. A host whose clients are not visible needs the answers alone.
func (a *admit) counts(o *observe.Observation) bool {
	if o.Part > 0 || o.Aside != exchange.AsideNone {
		return false
	}
	h := a.hosts[o.Host]
	if h == nil {
		if len(a.hosts) >= maxHosts && !a.forget() {
			a.refused++
			return false
		}
		h = &hostCount{}
		a.hosts[strings.Clone(o.Host)] = h
	}
	h.total++
	if o.Status < 200 || o.Status >= 400 {
		return false
	}
	h.good++
	h.client(o.Client.Addr())
	if h.good < admitResponses || h.known < admitClients && (!h.blind || h.known > 0) {
		return false
	}
	if len(a.bench.namer.admitted) >= maxSites {
		a.refused++
		return false
	}
	return true
}

func (a *admit) cut() {
	if a.open.Len() > 0 {
		b := heldBlock{a.open.Finish(nil), a.from}
		a.held = append(a.held, b)
		a.size += len(b.Data)
	}
}

// expire judges what was held for long enough.
func (a *admit) expire(now int64) {
	a.now = max(a.now, now)
	if a.open.Len() > 0 && a.from < now-heldTime {
		a.cut()
	}
	for len(a.held) > 0 && a.held[0].From < now-heldTime {
		a.giveFirst()
	}
}

// forget lets go of the hosts that have shown nothing, and reports whether that
// made room: names are the client's word and cost nothing.
func (a *admit) forget() bool {
	maps.DeleteFunc(a.hosts, func(_ string, h *hostCount) bool { return h.good == 0 })
	return len(a.hosts) < maxHosts
}

// giveFirst judges the oldest block as what it is: unlisted.
func (a *admit) giveFirst() {
	block := a.held[0]
	a.held = a.held[1:]
	a.size -= len(block.Data)
	a.each(block.Data, func(o *observe.Observation) { a.bench.inRun(o, heldRun) })
}

// release judges what was held of a host that became a site.
func (a *admit) release(host string) {
	a.cut()
	keep := a.held[:0]
	a.size = 0
	for _, block := range a.held {
		var rest observe.Writer
		a.each(block.Data, func(o *observe.Observation) {
			if o.Host == host && !a.named(o) {
				_ = a.bench.observe(o)
				return
			}
			rest.Append(o)
		})
		if rest.Len() == 0 {
			continue
		}
		block.Data = rest.Finish(nil)
		keep = append(keep, block)
		a.size += len(block.Data)
	}
	clear(a.held[len(keep):])
	a.held = keep
}

// settle judges all that is held.
func (a *admit) settle() {
	a.cut()
	for len(a.held) > 0 {
		a.giveFirst()
	}
}

func (a *admit) each(data []byte, fn func(o *observe.Observation)) {
	a.scratch.Reset()
	if err := a.scratch.Decode(data); err != nil {
		panic("engine: a block that was encoded here is none: " + err.Error())
	}
	for i := range a.scratch.Len() {
		fn(a.scratch.At(i))
	}
}
