package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
)

// Parties are systems of other houses that work with the site by agreement,
// known by the key they show or sign with. Anybody can write a key or a
// signature into a request, and an app carries the same one to everybody who
// has it, so showing a key excuses nobody. A party's key is known for a day or
// more, accepted, shown by programs from few addresses that are not new to it,
// at APIs that do not answer strangers, and is nobody's session.

const (
	partyHosts = 8            // addresses of one party
	partyNets  = 4            // networks of one party
	partyAge   = 20 * 3600e9  // a daily job comes again after this
	partyUsed  = 5            // accepted requests before a key is known
	partyKeys  = 2            // keys that one network shows while keys are new
	partyShut  = 3            // strangers turned away before an API counts as guarded
	strangers  = 5            // strangers answered before an API counts as open
	keysKept   = 1 << 15      // keys, sessions given out and networks followed
	netKey     = uint64(0x11) // tells networks from keys
)

// party is what is known of a key; of a network, with the keys it showed as
// hosts.
type party struct {
	first      int64
	hosts      [partyHosts]uint64
	nets       [partyNets]uint64
	since      [partyNets]int64 // first accepted from there
	nHosts     uint8
	nNets      uint8
	shared     bool // by more than one house has
	session    bool // given out by an answer
	n, ok, bad uint32
	people     uint32 // shown by a browser or an app
}

// host notes an address, or of a network a key, and reports whether it fits.
func (p *party) host(h uint64, most uint8) {
	for _, x := range p.hosts[:p.nHosts] {
		if x == h {
			return
		}
	}
	if p.nHosts >= most {
		p.shared = true
		return
	}
	p.hosts[p.nHosts] = h
	p.nHosts++
}

// net gives when the key was first accepted from a network, 0 if never.
func (p *party) net(h uint64) int64 {
	for i, x := range p.nets[:p.nNets] {
		if x == h {
			return p.since[i]
		}
	}
	return 0
}

// parties is what an engine knows of keys.
type parties struct {
	by    *sketch.Recent[*party]
	began int64 // of the site
}

func newParties() parties { return parties{by: sketch.NewRecent[*party](keysKept)} }

func (p *parties) get(key uint64) *party {
	x, ok := p.by.Get(key)
	if !ok {
		x = &party{}
		p.by.Put(key, x)
	}
	return x
}

// keyOf is the key that a request shows: that of a signature goes before one
// that is only shown.
func keyOf(ev *catalog.Event) (key uint64, shown bool) {
	for k := range ev.Credentials {
		switch c := &ev.Credentials[k]; c.Kind {
		case observe.CredSigned:
			return c.Token, true
		case observe.CredAPIKey:
			if !shown {
				key, shown = c.Token, true
			}
		}
	}
	return key, shown
}

// agreed learns from the keys of a request to an API and reports whether it is
// a party's.
func (e *Engine) agreed(ev *catalog.Event, s *apiState) bool {
	if e.parties.began == 0 {
		e.parties.began = ev.End
	}
	for k := range ev.Issued {
		e.parties.get(ev.Issued[k].Token).session = true
	}
	key, shown := keyOf(ev)
	ok := ev.Outcome == catalog.OutcomeSuccess
	addr := hashAddr(ev.Who.Client)
	if !shown {
		s.stranger(ev, addr, ok)
		return false
	}
	net := hashAddr(prefixOf(ev.Who.Client).Addr())
	p := e.parties.get(key)
	n := e.parties.get(join(net, netKey))
	if p.first == 0 {
		p.first = ev.End
	}
	p.n++
	p.host(addr, partyHosts)
	n.host(key, partyKeys)
	if ev.AgentFamily != "" && !ev.AgentTool {
		p.people++
	}
	is := e.isParty(ev.End, p, n, net, s)
	open := s.open()
	switch {
	case ev.Outcome == catalog.OutcomeDenied:
		p.bad++
		if p.ok == 0 {
			s.shut++
		}
	case ok && !open:
		p.ok++
		if p.net(net) == 0 {
			if p.nNets == partyNets {
				p.shared = true
			} else {
				p.nets[p.nNets], p.since[p.nNets] = net, ev.End
				p.nNets++
			}
		}
	}
	return is
}

func (e *Engine) isParty(now int64, p, n *party, net uint64, s *apiState) bool {
	if p.shared || p.session || p.people*20 > p.n || p.bad*5 > p.ok+4 {
		return false
	}
	since := p.net(net)
	switch {
	case p.ok >= partyUsed && since != 0 && now-since >= partyAge:
		return true
	case s.open() || n.shared:
		return false
	case s.shut >= partyShut:
		// Strangers are turned away here and the key is not.
		return p.ok >= partyUsed && p.bad*20 <= p.ok
	}
	// In the first day no key can be old.
	return now-e.parties.began < partyAge
}

// stranger counts what an API answered to somebody who shows nothing.
func (s *apiState) stranger(ev *catalog.Event, addr uint64, ok bool) {
	if !ev.Who.Guest && (ev.Who.Credential != 0 || len(ev.Credentials) > 0) {
		return
	}
	switch {
	case ev.Outcome == catalog.OutcomeDenied:
		s.shut++
	case ok:
		s.free++
		if s.lastFree != addr {
			s.lastFree = addr
			s.strangers++
		}
	}
}

// open reports whether an API answers strangers: what is shown there beside is
// no proof of anything. One who found a way in does not open it.
func (s *apiState) open() bool { return s.strangers >= strangers && s.free*10 >= s.n }
