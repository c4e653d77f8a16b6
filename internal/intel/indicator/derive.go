package indicator

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strings"

	"xiezhi/internal/intel"
	"xiezhi/internal/taxonomy"
)

// Attack is what own intelligence is made of: an attack that was confirmed, or
// is likely and part of a campaign.
type Attack struct {
	ID, Kind, Campaign string
	Site               string // empty: not told
	Decoy              bool   // it touched one
	First, Last        int64
	Requests           uint64
	IPs                []netip.Addr
	Traits             []Trait
}

// Trait is one thing that an attack's requests have in common, and how rare it
// is: Others of Of askers whom no attack claims show it, too.
type Trait struct {
	Key, Value string // as the report's marks have them
	Share      float64
	Others, Of uint64
}

// World is what a derivation may ask about addresses.
type World struct {
	Networks *intel.Map
	// Honest says how many requests of nobody's attack an address sent within
	// the hour around a time, and whether that is known at all.
	Honest func(a netip.Addr, at int64) (uint64, bool)
	// Active says how many addresses of a network asked within a day before a
	// time, and whether that is known at all.
	Active func(p netip.Prefix, at int64) (int, bool)
}

// Thresholds of derivation.
const (
	poolShare   = 0.36        // of a home network's active addresses in attacks: it is a pool
	poolLeast   = 4           // addresses of it in attacks
	poolStay    = 10 * minute // median time that an address of a pool is used
	rareBits    = 4.0         // a trait of fewer than one honest asker in 16 is a tool's
	rareLeast   = 16          // honest askers without whom nothing is rare
	traitShare  = 0.5         // of an attack's requests
	maxDerived  = 1 << 16     // of one derivation
	ownTrust    = 90          // confidence in what was seen, per cent
	honestLeast = uint64(1)   // requests of others that make an address a shared one
	hostRange   = 3           // data-centre addresses of one /24 that make it a sender
)

// Derive makes indicators of attacks: their addresses, as what they are; rented
// pools; ranges of data centres that send; and what their tools look like.
func Derive(attacks []Attack, w World) []Indicator {
	d := deriver{w: w, by: map[Key]*Indicator{}, nets: map[netip.Prefix]*pool{}}
	list := slices.Clone(attacks)
	slices.SortFunc(list, func(a, b Attack) int { return cmp.Or(cmp.Compare(a.First, b.First), strings.Compare(a.ID, b.ID)) })
	for i := range list {
		d.attack(&list[i])
	}
	d.pools()
	out := make([]Indicator, 0, len(d.by))
	for _, x := range d.by {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b Indicator) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.Type, b.Type), strings.Compare(a.Value, b.Value))
	})
	return out[:min(len(out), maxDerived)]
}

type deriver struct {
	w    World
	by   map[Key]*Indicator
	nets map[netip.Prefix]*pool
}

// pool is what is known of a network whose addresses attacked.
type pool struct {
	ips         map[netip.Addr]bool
	kind        taxonomy.NetworkType
	first, last int64
	stays       []int64 // of attacks, per address
	note        string
	site        string // the only one
	several     bool   // sites
}

func (d *deriver) put(t Type, value string, a *Attack, tags Tag, confidence uint8) {
	v, err := Canonical(t, value, nil)
	if err != nil {
		return
	}
	k := Key{t, v}
	x := d.by[k]
	if x == nil {
		x = &Indicator{Type: t, Value: v, First: a.First, Last: a.Last, Note: a.Kind, Site: a.Site}
		d.by[k] = x
	}
	x.First, x.Last = min(x.First, a.First), max(x.Last, a.Last)
	x.Tags |= tags
	x.share(a)
	x.Confidence = max(x.Confidence, confidence)
	x.Sightings++
}

// share marks what may go to other owners, where these agreed to that: what two
// sites saw, or a decoy, so that nobody on one site can make the word of all.
func (x *Indicator) share(a *Attack) {
	if a.Decoy {
		x.TLP = Green
		x.Tags |= Decoyed
	}
	if a.Site != "" && x.Site != a.Site { // a pool of several sites has none, and is marked as such
		x.TLP, x.Site = Green, ""
	}
}

func (d *deriver) attack(a *Attack) {
	for _, ip := range a.IPs {
		ip = ip.Unmap()
		n := d.w.Networks.Lookup(ip)
		tags, trust := Gang|tagOf(n.Type), uint8(ownTrust)
		if n.Type.Relays() {
			continue // many people's: whatever it sent says nothing of the next
		}
		if d.w.Honest != nil {
			if others, ok := d.w.Honest(ip, a.Last); ok && others >= honestLeast {
				tags |= Hijacked | Proxy
			}
		}
		d.put(Address, ip.String(), a, tags, trust)
		bits := 64
		if ip.Is4() {
			bits = 24
		}
		p, _ := ip.Prefix(bits)
		x := d.nets[p]
		if x == nil {
			x = &pool{ips: map[netip.Addr]bool{}, kind: n.Type, first: a.First, note: a.Kind, site: a.Site}
			d.nets[p] = x
		}
		if x.site != a.Site {
			x.several = true
		}
		x.ips[ip] = true
		x.first, x.last = min(x.first, a.First), max(x.last, a.Last)
		x.stays = append(x.stays, (a.Last-a.First)/int64(max(len(a.IPs), 1)))
	}
	for _, t := range a.Traits {
		d.trait(a, &t)
	}
}

// trait keeps what hardly anybody else shows. What many have would accuse them.
func (d *deriver) trait(a *Attack, t *Trait) {
	if t.Share < traitShare || t.Of < rareLeast || -math.Log2((float64(t.Others)+0.5)/(float64(t.Of)+1)) < rareBits {
		return
	}
	switch t.Key {
	case "ja4":
		d.put(Fingerprint, "ja4:"+t.Value, a, Gang, ownTrust)
	case "header_order":
		d.put(Fingerprint, "headers:"+t.Value, a, Gang, ownTrust)
	case "tool":
		d.put(Tool, "name:"+t.Value, a, Gang, 60) // anybody may use it, or say so
	case "param_shape":
		d.put(Structure, t.Value, a, Gang, ownTrust)
	}
}

// pools finds networks that are rented out, and those that send together.
func (d *deriver) pools() {
	for p, x := range d.nets {
		a := Attack{First: x.first, Last: x.last, Kind: x.note, Site: x.site}
		if x.several {
			a.Site = ""
		}
		switch {
		case x.kind.Home() && len(x.ips) >= poolLeast && d.part(p, x) >= poolShare && median(x.stays) <= poolStay:
			d.put(Network, p.String(), &a, Gang|Rotating|Proxy, 70)
			d.mark(p, x)
			for ip := range x.ips {
				d.put(Address, ip.String(), &a, Rotating|Proxy, ownTrust)
			}
		case x.kind == taxonomy.DataCentre && len(x.ips) >= hostRange:
			d.put(Network, p.String(), &a, Gang|DataHouse, 70)
			d.mark(p, x)
		}
	}
}

// mark lets a network that several sites saw be passed on.
func (d *deriver) mark(p netip.Prefix, x *pool) {
	if row := d.by[Key{Network, p.String()}]; row != nil && x.several {
		row.TLP = Green
	}
}

// part is how much of a network's active addresses took part; unknown, how
// much of the whole network did.
func (d *deriver) part(p netip.Prefix, x *pool) float64 {
	if d.w.Active != nil {
		if n, ok := d.w.Active(p, x.last); ok && n > 0 {
			return float64(len(x.ips)) / float64(max(n, len(x.ips)))
		}
	}
	return float64(len(x.ips)) / 256
}

func median(v []int64) int64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// tagOf is the market's word for a type of network.
func tagOf(t taxonomy.NetworkType) Tag {
	switch t {
	case taxonomy.DataCentre:
		return DataHouse
	case taxonomy.VPN:
		return VPN | Proxy
	case taxonomy.Tor:
		return Tor | Proxy
	case taxonomy.SearchBot:
		return Crawler
	}
	return 0
}
