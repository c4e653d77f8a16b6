package engine

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
)

// Admission of hosts as sites, architecture 3.1: a Host header is the
// client's word, so a host becomes a site only when its answers show that it
// exists.
const (
	admitResponses = 20  // non-error responses
	admitClients   = 3   // distinct clients
	maxSites       = 256 // admitted by traffic
	maxHosts       = 16384
)

// hostCount is what one host has shown.
type hostCount struct {
	good    uint64
	total   uint64
	clients [admitClients]netip.Addr
	known   int
	blind   bool // no client address is visible (HAR): clients cannot be counted
}

func (h *hostCount) client(a netip.Addr) {
	if !a.IsValid() {
		h.blind = true
		return
	}
	if h.known >= admitClients {
		return
	}
	for _, c := range h.clients[:h.known] {
		if c == a {
			return
		}
	}
	h.clients[h.known] = a
	h.known++
}

// hostCensus counts hosts over all workers. Its result does not depend on the
// order of counting: beyond maxHosts it keeps the hosts whose names hash
// lowest.
type hostCensus struct {
	mu      sync.Mutex
	hosts   map[string]*hostCount
	hash    func(string) uint64
	bound   uint64 // hosts hashing above are out
	skipped uint64
}

func newHostCensus(hash func(string) uint64) *hostCensus {
	return &hostCensus{hosts: map[string]*hostCount{}, hash: hash, bound: ^uint64(0)}
}

func (c *hostCensus) add(b *observe.Batch) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b.Len() {
		o := b.At(i)
		if o.Part > 0 || o.Aside != exchange.AsideNone {
			continue // exchanges are counted
		}
		h := c.hosts[o.Host]
		if h == nil {
			if c.bound != ^uint64(0) && c.hash(o.Host) > c.bound {
				c.skipped++
				continue
			}
			h = &hostCount{}
			c.hosts[strings.Clone(o.Host)] = h
			if len(c.hosts) > maxHosts {
				c.shrink()
			}
		}
		h.total++
		if o.Status >= 200 && o.Status < 400 {
			h.good++
			h.client(o.Client.Addr())
		}
	}
}

// shrink drops the upper half by hash.
func (c *hostCensus) shrink() {
	hashes := make([]uint64, 0, len(c.hosts))
	for name := range c.hosts {
		hashes = append(hashes, c.hash(name))
	}
	slices.Sort(hashes)
	c.bound = hashes[len(hashes)/2]
	for name, h := range c.hosts {
		if c.hash(name) > c.bound {
			c.skipped += h.total
			delete(c.hosts, name)
		}
	}
}

// admitted gives the hosts that become sites: the busiest when there are more
// than maxSites.
func (c *hostCensus) admitted() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	type entry struct {
		name string
		good uint64
	}
	var list []entry
	for name, h := range c.hosts {
		if name == "" || h.good == 0 {
			continue
		}
		if h.blind && h.known == 0 || h.good >= admitResponses && h.known >= admitClients {
			list = append(list, entry{name, h.good})
		}
	}
	slices.SortFunc(list, func(a, b entry) int {
		if a.good != b.good {
			if a.good > b.good {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	out := map[string]bool{}
	for _, e := range list[:min(len(list), maxSites)] {
		out[e.name] = true
	}
	return out
}

// siteNamer decides which site judges an observation.
type siteNamer struct {
	only     string            // --site: everything is this site
	hosts    map[string]string // configured hosts
	under    map[string]string // configured domains: "example.com" for *.example.com
	admitted map[string]bool
	beside   string // behind the names of what is unlisted: partitions do not share it
}

func newSiteNamer(cfg AnalyzeConfig, admitted map[string]bool) *siteNamer {
	n := &siteNamer{only: cfg.Site, hosts: map[string]string{}, under: map[string]string{}, admitted: admitted}
	for _, s := range cfg.File.Sites {
		for _, h := range s.Hosts {
			if domain, any := strings.CutPrefix(h, "*."); any {
				n.under[domain] = s.Name
			} else {
				n.hosts[h] = s.Name
			}
		}
	}
	return n
}

// configured gives the site that the configuration names for a host: by its
// name, else by the longest of the domains that it is under.
func (n *siteNamer) configured(host string) (string, bool) {
	if s, ok := n.hosts[host]; ok {
		return s, true
	}
	if len(n.under) == 0 {
		return "", false
	}
	for {
		_, domain, more := strings.Cut(host, ".")
		if !more {
			return "", false
		}
		if s, ok := n.under[domain]; ok {
			return s, true
		}
		host = domain
	}
}

// unlistedPrefix marks traffic to hosts that were not admitted.
const unlistedPrefix = "unlisted"

func (n *siteNamer) site(o *observe.Observation) string {
	switch {
	case n.only != "":
		return n.only
	case o.Site != "":
		return o.Site
	}
	if s, ok := n.configured(o.Host); ok {
		return s
	}
	if n.admitted[o.Host] {
		return o.Host
	}
	if o.Server.IsValid() {
		return unlistedPrefix + "@" + o.Server.String() + n.beside
	}
	return unlistedPrefix + n.beside
}
