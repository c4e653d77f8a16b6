package line

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"xiezhi/lab/arena/knob"
)

// Pool hands out a campaign's addresses as its knobs say.
type Pool struct {
	knobs  *knob.Knobs
	rng    *rand.Rand
	honest []netip.Addr // addresses that honest visitors use
	rented []netip.Addr // of data centres: a block at a time

	debt  float64 // addresses owed so far
	given map[netip.Addr]time.Time
	ring  []netip.Addr
}

// maxRing bounds the addresses a pool remembers as live.
const maxRing = 4096

// NewPool opens a pool. Honest are lines to share with the public.
func NewPool(r *rand.Rand, k *knob.Knobs, honest []netip.Addr) *Pool {
	return &Pool{knobs: k, rng: r, honest: honest, given: map[netip.Addr]time.Time{}}
}

// Next gives the address of a request: the one that is held, or another when
// the knobs ask for one.
func (p *Pool) Next(held netip.Addr, now time.Time) netip.Addr {
	k := p.knobs
	if !held.IsValid() && k.AddressesPerRequest == 0 && len(p.ring) > 0 {
		held = p.ring[0]
	}
	since, live := p.given[held]
	old := live && k.PoolLife > 0 && now.Sub(since) > k.PoolLife
	if p.debt += k.AddressesPerRequest; p.debt < 1 && held.IsValid() && !old {
		return held
	}
	p.debt = max(p.debt-1, 0)
	return p.fresh(now)
}

func (p *Pool) fresh(now time.Time) netip.Addr {
	a := p.draw()
	for range 8 { // rarely one that was used before
		if _, used := p.given[a]; !used {
			break
		}
		a = p.draw()
	}
	if len(p.ring) >= maxRing {
		delete(p.given, p.ring[0])
		p.ring = p.ring[1:]
	}
	p.ring = append(p.ring, a)
	p.given[a] = now
	return a
}

func (p *Pool) draw() netip.Addr {
	if len(p.honest) > 0 && p.rng.Float64() < p.knobs.Overlap {
		return p.honest[p.rng.IntN(len(p.honest))]
	}
	n := p.knobs.Networks[p.rng.IntN(len(p.knobs.Networks))]
	if n != knob.DataCentre && n != knob.AbroadCloud {
		return Any(p.rng, n)
	}
	if len(p.rented) == 0 {
		p.rented = Neighbours(p.rng, n, 8+p.rng.IntN(24))
	}
	a := p.rented[0]
	p.rented = p.rented[1:]
	return a
}
