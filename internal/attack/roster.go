package attack

import (
	"net/netip"
	"slices"

	"xiezhi/internal/catalog"
)

const (
	maxAddrs = 1000
	maxKeys  = 64
	maxPlace = 1024
)

// keyList is a small set of selector values, in order of arrival. Beyond its
// cap it says nothing, because half a list would select half an attack.
type keyList[T comparable] struct {
	list []T
	over bool
}

func (k *keyList[T]) add(v T, limit int) {
	if k.over || slices.Contains(k.list, v) {
		return
	}
	if len(k.list) >= limit {
		k.over, k.list = true, nil
		return
	}
	k.list = append(k.list, v)
}

// A roster is the sum over an episode's members with the keys that a selector
// or a reader needs.
type roster struct {
	tally
	apis      keyList[catalog.Handle]
	addrs     map[netip.Addr]struct{}
	spill     *distinct // addresses beyond maxAddrs
	prefixes  keyList[netip.Prefix]
	headers   keyList[uint64]
	ja4s      keyList[uint16]
	shapes    keyList[uint64]
	built     map[uint64]uint32 // requests by structure, of those in shapes
	families  keyList[uint16]
	cohorts   keyList[uint64]
	agents    keyList[uint64]
	doors     keyList[uint64]
	places    keyList[uint64] // that are not there or that only scanners ask for
	noAddr    bool
	anonymous bool // some showed no credential
	shared    bool
}

func (r *roster) add(p *pool, c *cell, a *apiState) {
	r.tally.add(p, &c.tally)
	from, to := c.reach()
	widen(&r.aFirst, &r.aLast, from, to)
	if a.handle != 0 {
		r.apis.add(a.handle, 256)
	}
	if a.door != 0 {
		r.doors.add(a.door, maxKeys)
	}
	if c.ip.IsValid() {
		r.addr(p, c.ip)
		r.prefixes.add(prefixOf(c.ip), maxAddrs)
	} else {
		r.noAddr = true
	}
	r.headers.add(c.header, maxKeys)
	r.ja4s.add(c.ja4, maxKeys)
	if c.api != 0 {
		r.shapes.add(c.shape, maxKeys)
		r.build(c.shape, c.n)
	}
	if c.api == 0 {
		r.place(c.sets[setPaths])
		r.place(c.sets[setProbes])
	}
	r.families.add(c.family, maxKeys)
	r.cohorts.add(c.cohort, maxKeys)
	r.agents.add(c.agent, maxKeys)
	r.shared = r.shared || c.shared
	r.anonymous = r.anonymous || c.cred == 0
}

// build counts requests of one structure, of as many as shapes can name.
func (r *roster) build(shape uint64, n uint32) {
	if r.built == nil {
		r.built = make(map[uint64]uint32)
	}
	if _, ok := r.built[shape]; ok || len(r.built) < maxKeys {
		r.built[shape] += n
	}
}

// place notes what an actor asked for; a set that is no longer exact names
// nothing.
func (r *roster) place(set *distinct) {
	switch {
	case set == nil:
	case set.dense != nil:
		r.places.over, r.places.list = true, nil
	default:
		for _, h := range set.small {
			r.places.add(h, maxPlace)
		}
	}
}

func (r *roster) addr(p *pool, a netip.Addr) {
	if r.addrs == nil {
		r.addrs = make(map[netip.Addr]struct{})
	}
	if _, ok := r.addrs[a]; ok {
		return
	}
	if len(r.addrs) >= maxAddrs {
		p.add(&r.spill, hashAddr(a))
		return
	}
	r.addrs[a] = struct{}{}
}

// fold adds another roster.
func (r *roster) fold(p *pool, o *roster) {
	r.tally.add(p, &o.tally)
	foldKeys(&r.apis, &o.apis, 256)
	foldKeys(&r.prefixes, &o.prefixes, maxAddrs)
	foldKeys(&r.headers, &o.headers, maxKeys)
	foldKeys(&r.ja4s, &o.ja4s, maxKeys)
	foldKeys(&r.shapes, &o.shapes, maxKeys)
	for v, n := range o.built {
		r.build(v, n)
	}
	foldKeys(&r.families, &o.families, maxKeys)
	foldKeys(&r.cohorts, &o.cohorts, maxKeys)
	foldKeys(&r.agents, &o.agents, maxKeys)
	foldKeys(&r.doors, &o.doors, maxKeys)
	foldKeys(&r.places, &o.places, maxPlace)
	for _, a := range o.sorted() {
		r.addr(p, a)
	}
	p.union(&r.spill, o.spill)
	r.noAddr = r.noAddr || o.noAddr
	r.anonymous = r.anonymous || o.anonymous
	r.shared = r.shared || o.shared
}

func foldKeys[T comparable](to, from *keyList[T], limit int) {
	for _, v := range from.list {
		to.add(v, limit)
	}
	if from.over {
		to.over, to.list = true, nil
	}
}

// sorted gives the addresses in order.
func (r *roster) sorted() []netip.Addr {
	out := make([]netip.Addr, 0, len(r.addrs))
	for a := range r.addrs {
		out = append(out, a)
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

func (r *roster) addrCount() uint64 { return uint64(len(r.addrs)) + uint64(r.spill.count()) }
