package respond

import (
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gaissmai/bart"

	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// MaxGeneral bounds the decisions of a site that name no address: each request
// is held against all of them.
const MaxGeneral = 500

// Asked is what a gateway knows of a request when it has to decide.
type Asked struct {
	Host, Method    string
	Segments        []observe.Segment
	Operation, Root string // where one path serves many functions
	Path            uint64 // attack.PathOf
	IP              netip.Addr
	JA4             string
	HeaderOrder     uint64
	ParamShape      uint64
	Agent           uint64
	Credentials     []uint64
	Account         uint64
}

// Live is a decision that gateways carry out.
type Live struct {
	*Decision
	Met *atomic.Uint64 // requests that it was about

	until                      int64
	apis, ja4                  map[string]struct{}
	order, shape, path         map[uint64]struct{}
	agent, credential, account map[string]struct{}
	ips                        map[netip.Addr]struct{}
	nets                       []netip.Prefix
}

// Table answers which decisions a request is subject to. It never changes and is
// safe for concurrent use.
type Table struct {
	Routes   *Routes
	Stopped  bool // the kill switch is set: nothing is carried out
	external func(domain string, token uint64) string
	one      string // the only site; empty: by host

	live    []*Live
	byIP    map[netip.Addr][]int32
	byNet   *bart.Table[[]int32]
	general map[string][]int32 // by site
	sites   map[string]bool    // that anything is decided about
	body    map[string]bool    // sites with a key that only the body shows
}

// Tables are made of these.
type tableParts struct {
	routes   *Routes
	external func(domain string, token uint64) string
	one      string
	stopped  bool
}

// NewTable makes a table of decisions that are to be carried out; one that is
// beyond MaxGeneral is left out, newest first, and counted.
func NewTable(list []*Live, p tableParts) (t *Table, left int) {
	if p.routes == nil {
		p.routes = NewRoutes()
	}
	t = &Table{Routes: p.routes, Stopped: p.stopped, external: p.external, one: p.one, byIP: map[netip.Addr][]int32{}, byNet: &bart.Table[[]int32]{},
		general: map[string][]int32{}, sites: map[string]bool{}, body: map[string]bool{}}
	nets := map[netip.Prefix][]int32{}
	for _, l := range list {
		i := int32(len(t.live))
		k := &l.Selector.Keys
		switch {
		case len(k.IP) > 0:
			for a := range l.ips {
				t.byIP[a] = append(t.byIP[a], i)
			}
		case len(k.Prefix) > 0:
			for _, n := range l.nets {
				nets[n] = append(nets[n], i)
			}
		case len(t.general[l.Site]) >= MaxGeneral:
			left++
			continue
		default:
			t.general[l.Site] = append(t.general[l.Site], i)
		}
		t.live = append(t.live, l)
		t.sites[l.Site] = true
		if len(k.ParamShape)+len(k.Account)+len(k.Credential) > 0 || slices.ContainsFunc(l.Selector.APIs, calls) {
			t.body[l.Site] = true
		}
	}
	for n, at := range nets {
		t.byNet.Insert(n, at)
	}
	// The narrowest network answers for those around it, too.
	for n := range nets {
		var all []int32
		for _, at := range t.byNet.Supernets(n) {
			for _, i := range at {
				if !slices.Contains(all, i) {
					all = append(all, i)
				}
			}
		}
		slices.Sort(all)
		nets[n] = all
	}
	for n, at := range nets {
		t.byNet.Insert(n, at)
	}
	return t, left
}

// calls reports whether only the body tells which function is called.
func calls(a API) bool {
	for i := range len(a.Template) {
		if a.Template[i] == '#' {
			return true
		}
	}
	return false
}

// compile prepares a decision to be asked.
func compile(d *Decision, met *atomic.Uint64) *Live {
	k := &d.Selector.Keys
	l := &Live{Decision: d, Met: met, until: d.Expires.UnixNano(), ja4: set(k.JA4), order: hexes(k.HeaderOrder), shape: hexes(k.ParamShape), path: hexes(k.Path),
		agent: set(k.Agent), credential: set(k.Credential), account: set(k.Account)}
	for _, a := range d.Selector.APIs {
		if l.apis == nil {
			l.apis = map[string]struct{}{}
		}
		l.apis[a.ID] = struct{}{}
	}
	for _, s := range k.IP {
		if a, err := netip.ParseAddr(s); err == nil {
			if l.ips == nil {
				l.ips = map[netip.Addr]struct{}{}
			}
			l.ips[a.Unmap()] = struct{}{}
		}
	}
	for _, s := range k.Prefix {
		if p, err := network(s); err == nil {
			l.nets = append(l.nets, p)
		}
	}
	return l
}

func set(list []string) map[string]struct{} {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]struct{}, len(list))
	for _, s := range list {
		m[s] = struct{}{}
	}
	return m
}

func hexes(list []string) map[uint64]struct{} {
	if len(list) == 0 {
		return nil
	}
	m := make(map[uint64]struct{}, len(list))
	for _, s := range list {
		if v, err := strconv.ParseUint(s, 16, 64); err == nil {
			m[v] = struct{}{}
		}
	}
	return m
}

// Len is how many decisions there are.
func (t *Table) Len() int { return len(t.live) }

// Idle reports whether nothing is decided about a host's site, so that requests
// need not be read.
func (t *Table) Idle(host string) bool {
	return t == nil || t.Stopped || len(t.live) == 0 || !t.any(t.sites, host)
}

func (t *Table) any(of map[string]bool, host string) bool {
	if t.one != "" {
		return of[t.one]
	}
	list, ok := t.Routes.sites[host]
	if !ok {
		return of[host]
	}
	return slices.ContainsFunc(list, func(s string) bool { return of[s] })
}

// of reports whether a host's requests are a site's.
func (t *Table) of(site, host string) bool {
	if t.one != "" {
		return site == t.one
	}
	if list, ok := t.Routes.sites[host]; ok {
		return slices.Contains(list, site)
	}
	return site == host
}

// Bodies reports whether a decision about the host's site looks at what only a
// request's body shows.
func (t *Table) Bodies(host string) bool { return t.any(t.body, host) }

// match holds one request against decisions; tokens are made when a decision
// asks for them.
type match struct {
	t          *Table
	a          *Asked
	now        int64
	apis       []string
	routed     string // site whose APIs apis are
	known      bool   // apis are given
	agent      string
	account    string
	credential []string
}

// Match calls use with every decision that a request is subject to at a time.
// While the kill switch is set there is none.
func (t *Table) Match(a *Asked, now time.Time, use func(*Live)) {
	if t == nil || t.Stopped || len(t.live) == 0 {
		return
	}
	m := match{t: t, a: a, now: now.UnixNano()}
	ip := a.IP.Unmap()
	for _, i := range t.byIP[ip] {
		m.try(i, use)
	}
	if ip.IsValid() {
		if list, ok := t.byNet.Lookup(ip); ok {
			for _, i := range list {
				m.try(i, use)
			}
		}
	}
	sites := []string{t.one}
	if t.one == "" {
		sites = t.Routes.Sites(a.Host)
	}
	for _, site := range sites {
		for _, i := range t.general[site] {
			m.try(i, use)
		}
	}
}

func (m *match) try(i int32, use func(*Live)) {
	if l := m.t.live[i]; m.now < l.until && m.t.of(l.Site, m.a.Host) && m.holds(l) {
		l.Met.Add(1)
		use(l)
	}
}

func (m *match) holds(l *Live) bool {
	a := m.a
	if !has(l.ja4, a.JA4) || !has(l.order, a.HeaderOrder) || !has(l.shape, a.ParamShape) {
		return false
	}
	if len(l.ips) > 0 {
		if _, ok := l.ips[a.IP.Unmap()]; !ok {
			return false
		}
	}
	if len(l.nets) > 0 && !slices.ContainsFunc(l.nets, func(n netip.Prefix) bool { return n.Contains(a.IP.Unmap()) }) {
		return false
	}
	if len(l.agent) > 0 {
		if m.agent == "" {
			m.agent = m.token("agent", a.Agent)
		}
		if !has(l.agent, m.agent) {
			return false
		}
	}
	if len(l.account) > 0 {
		if m.account == "" {
			m.account = m.token("account", a.Account)
		}
		if !has(l.account, m.account) {
			return false
		}
	}
	if len(l.credential) > 0 {
		if m.credential == nil {
			for _, c := range a.Credentials {
				m.credential = append(m.credential, m.token("credential", c))
			}
		}
		if !slices.ContainsFunc(m.credential, func(c string) bool { return has(l.credential, c) }) {
			return false
		}
	}
	return len(l.apis)+len(l.path) == 0 || len(l.path) > 0 && has(l.path, a.Path) || m.to(l)
}

// to reports whether the request is to one of the decision's APIs, and to
// nothing else that is called alike.
func (m *match) to(l *Live) bool {
	if len(l.apis) == 0 {
		return false
	}
	if !m.known && m.routed != l.Site {
		m.apis, m.routed = m.t.Routes.Of(l.Site, m.a), l.Site
	}
	if len(m.apis) == 0 {
		return false
	}
	for _, id := range m.apis {
		if _, ok := l.apis[id]; !ok {
			return false
		}
	}
	return true
}

func (m *match) token(domain string, v uint64) string {
	if v == 0 || m.t.external == nil {
		return "-"
	}
	return m.t.external(domain, v)
}

func has[T comparable](m map[T]struct{}, v T) bool {
	if len(m) == 0 {
		return true
	}
	_, ok := m[v]
	return ok
}

// Masks reports whether the decision changes answers.
func (l *Live) Masks() bool { return l.Action == taxonomy.ActMask && l.Patch != nil }
