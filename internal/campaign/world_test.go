package campaign

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"xiezhi/internal/taxonomy"
)

// A world of made-up attacks with the truth of who stands behind each. It makes
// signatures as the detectors do: samples of the smallest hashes, shares,
// counts of honest askers.
type world struct {
	rng     *rand.Rand
	attacks []Attack
	truth   map[string]string // attack id → gang
	crowds  []site
	n       int
}

type site struct {
	name, industry string
	askers         uint64
	common         map[string]float64 // trait → share of honest askers
}

var start = time.Date(2022, 3, 1, 0, 0, 0, 0, time.UTC)

func newWorld(seed uint64, sites int) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 11)), truth: map[string]string{}}
	for i := range sites {
		s := site{name: fmt.Sprintf("site%02d.example", i), industry: []string{"finance", "gaming", "government", "ecommerce"}[i%4], askers: 30 + w.rng.Uint64N(20_000), common: map[string]float64{}}
		for b := range 8 { // browsers and their share
			s.common[fmt.Sprintf("browser%d", b)] = []float64{0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.02, 0.002}[b] * (0.5 + w.rng.Float64())
		}
		s.common["form"] = 0.8
		w.crowds = append(w.crowds, s)
	}
	return w
}

// gang is who attacks.
type gang struct {
	name          string
	header, agent string // a browser's, or its own
	declared      string // tool that it says it is
	style         string // how it writes parameters; "" as the site's own front end
	constant      string
	nets          []string // /24s of its pool
	box           string   // or its one address
	perAttack     int      // addresses an attack
	list          int      // seed of its account list; 0 none
	from, size    int      // part of the list an attack takes
}

func (w *world) pool(name string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s-net%d", name, i))
	}
	return out
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	x := h.Sum64()
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>32
}

// sample gives the n of the smallest hash.
func sample(all []string, n int) []string {
	slices.SortFunc(all, func(a, b string) int {
		if x, y := hashOf(a), hashOf(b); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return 0
	})
	all = slices.Compact(all)
	return all[:min(n, len(all))]
}

// attack adds one attack of a gang.
func (w *world) attack(g *gang, s int, day float64, kind string) {
	w.n++
	st := &w.crowds[s]
	a := Attack{ID: fmt.Sprintf("%024x", w.rng.Uint64()), Site: st.name, Industry: st.industry, Kind: kind, Scenario: "account_risk", Verdict: taxonomy.Confirmed,
		First: start.Add(time.Duration(day * 24 * float64(time.Hour))), Requests: 50 + w.rng.Uint64N(5000), APIs: []string{st.name + "/" + kind}}
	a.Last = a.First.Add(time.Duration(10+w.rng.IntN(300)) * time.Minute)
	a.Blocked = a.Requests * w.rng.Uint64N(11) / 10
	a.Activity = []Activity{{Day: a.First.Format(time.DateOnly), API: a.APIs[0], Requests: a.Requests, Blocked: a.Blocked}}
	put := func(key, value string, share float64) {
		of := st.askers
		others := uint64(float64(of)*st.common[value] + w.rng.Float64())
		switch key {
		case "account", "password", "path", "param_value", "param_name":
			of = st.askers / 20 // only those who fail
			others = min(others, of)
		case "prefix", "ip":
			if st.common[value] == 0 && w.rng.IntN(6) > 0 {
				others = 0
			}
		}
		a.Marks = append(a.Marks, Mark{Key: key, Value: value, Share: share, Others: others, Of: of})
	}
	verb := "r"
	if kind == "credential_stuffing" || kind == "account_scanning" {
		verb = "w"
	}
	if st.common[g.header] > 0 {
		put("header_order", g.header, 1)
	} else {
		put("header_order", g.header+verb, 1)
	}
	put("agent", g.agent, 1)
	if g.declared != "" {
		put("tool", g.declared, 1)
	}
	if verb == "w" {
		if g.style == "" {
			st.common[st.name+"form"] = 0.7
			put("param_shape", st.name+"form", 1)
		} else {
			// half of the sites have the same product behind them
			put("param_shape", g.style+fmt.Sprint("form", s%2*s), 1)
		}
		if g.constant != "" {
			put("param_value", g.constant, 0.9)
		}
		for i := range 3 {
			put("param_value", fmt.Sprint("nonce", w.rng.Uint64()), 0.001*float64(i))
		}
		if g.list != 0 {
			var all []string
			for i := range g.size {
				all = append(all, fmt.Sprintf("acc%d-%d", g.list, g.from+i))
			}
			for _, v := range sample(all, 16) {
				put("account", v, 1/float64(g.size))
			}
		}
	}
	if kind == "vulnerability_scan" {
		for i := range 16 { // a public list, half of it
			if w.rng.IntN(2) == 0 {
				put("path", fmt.Sprint("path", i), 0.01)
			}
		}
	}
	var ips, nets []string
	if g.box != "" {
		ips, nets = []string{g.box}, []string{g.box + "/24"}
	} else {
		for range g.perAttack {
			n := g.nets[w.rng.IntN(len(g.nets))]
			nets = append(nets, n)
			ips = append(ips, fmt.Sprintf("%s.%d", n, w.rng.IntN(250)))
		}
	}
	all := sample(ips, len(ips))
	a.IPCount = uint64(len(all))
	for _, v := range sample(all, 16) {
		put("ip", v, 1/float64(len(all)))
	}
	for _, v := range sample(nets, 16) {
		put("prefix", v, 1/float64(len(nets)))
	}
	w.truth[a.ID] = g.name
	w.attacks = append(w.attacks, a)
}

const (
	stuffing = "credential_stuffing"
	scanning = "account_scanning"
	probing  = "vulnerability_scan"
	scraping = "scraping"
)

func (w *world) sites(n int) []int { return w.rng.Perm(len(w.crowds))[:n] }

// sharedNetworks adds two gangs that buy from one proxy service.
func (w *world) sharedNetworks() {
	nets := w.pool(fmt.Sprint("shared", w.n), 40)
	for k := range 2 {
		id := fmt.Sprint("share", w.n, k)
		g := &gang{name: id, header: id + "h", agent: id + "a", style: id + "s", nets: nets, perAttack: 20 + w.rng.IntN(200), list: w.rng.IntN(1 << 30), size: 400}
		if w.rng.IntN(2) == 0 {
			g.agent = "browser0"
		}
		day := w.rng.Float64() * 60
		for _, s := range w.sites(2 + w.rng.IntN(3)) {
			for range 1 + w.rng.IntN(3) {
				w.attack(g, s, day, []string{stuffing, scanning}[w.rng.IntN(2)])
				day += w.rng.Float64() * 6
				g.from += w.rng.IntN(300)
			}
		}
	}
}

// changedTool adds a gang that changes what it says it is, or all of its
// program's fingerprint, halfway; how it builds parameters stays.
func (w *world) changedTool(whole bool) {
	id := fmt.Sprint("change", w.n)
	g := &gang{name: id, header: id + "h", agent: id + "a", style: id + "s", nets: w.pool(id, 30), perAttack: 60, list: w.rng.IntN(1 << 30), size: 500}
	day := w.rng.Float64() * 60
	where := w.sites(2)
	n := 6 + w.rng.IntN(4)
	for i := range n {
		if i == n/2 {
			g.agent += "2"
			if whole {
				g.header += "2"
			}
		}
		w.attack(g, where[w.rng.IntN(2)], day, []string{stuffing, scanning}[w.rng.IntN(2)])
		day += w.rng.Float64() * 5
		g.from += w.rng.IntN(200)
	}
}

// popular adds people who have nothing in common but a tool that everybody has.
func (w *world) popular() {
	for _, t := range []gang{{header: "requests", agent: "requests/2.31", declared: "python-requests", style: "json"}, {header: "curl", agent: "curl/8", declared: "curl", style: "form"},
		{header: "browser0", agent: "browser0"}, {header: "browser1", agent: "browser1"}} {
		for _, s := range w.sites(3) {
			g := t
			g.name = fmt.Sprint("popular", w.n)
			g.nets, g.perAttack = w.pool(g.name, 1+w.rng.IntN(10)), 1+w.rng.IntN(30)
			g.list, g.size = w.rng.IntN(1<<30), 200
			w.attack(&g, s, w.rng.Float64()*90, []string{stuffing, scanning, probing, scraping}[w.rng.IntN(4)])
		}
	}
}

// oneSite adds an attacker that scans, then guesses, from one box.
func (w *world) oneSite() {
	id := fmt.Sprint("single", w.n)
	g := &gang{name: id, header: id + "h", agent: id + "a", style: id + "s", box: id + ".7", list: w.rng.IntN(1 << 30), size: 300}
	if w.rng.IntN(3) == 0 {
		g.header, g.agent, g.declared, g.style = "requests", "requests/2.31", "python-requests", "json"
	}
	s, day := w.sites(1)[0], w.rng.Float64()*90
	for i, kind := range []string{probing, scanning, stuffing} {
		w.attack(g, s, day+float64(i)*0.3, kind)
	}
}

// manySites adds a gang that goes slowly over six sites.
func (w *world) manySites() {
	id := fmt.Sprint("many", w.n)
	g := &gang{name: id, header: id + "h", agent: []string{id + "a", "browser2"}[w.rng.IntN(2)], style: id + "s", nets: w.pool(id, 200), perAttack: 5 + w.rng.IntN(30), list: w.rng.IntN(1 << 30), size: 150}
	if w.rng.IntN(2) == 0 {
		g.constant = id + "device"
	}
	day := w.rng.Float64() * 30
	for _, s := range w.sites(6) {
		w.attack(g, s, day, scanning)
		day += w.rng.Float64() * 15
	}
}

// hub adds two gangs and an attack that has something of both: the tool of one,
// the list, the constants and the network of the other.
func (w *world) hub() {
	a, b := fmt.Sprint("hub", w.n, "a"), fmt.Sprint("hub", w.n, "b")
	g := &gang{name: a, header: a + "h", agent: a + "a", style: a + "s", nets: w.pool(a, 20), perAttack: 40, list: 1 + w.rng.IntN(1<<30), size: 300}
	h := &gang{name: b, header: b + "h", agent: b + "a", style: b + "s", constant: b + "c", nets: w.pool(b, 20), perAttack: 40, list: 1 + w.rng.IntN(1<<30), size: 300}
	where, day := w.sites(3), w.rng.Float64()*60
	for i := range 6 {
		w.attack(g, where[i%3], day+float64(i), stuffing)
		w.attack(h, where[i%3], day+float64(i), stuffing)
	}
	both := *g
	both.name = "both"
	both.constant, both.nets, both.list = h.constant, h.nets, h.list
	w.attack(&both, where[0], day+3, stuffing)
}

// lone adds attackers who have nothing to do with each other.
func (w *world) lone(n int) {
	for range n {
		id := fmt.Sprint("lone", w.n)
		g := &gang{name: id, header: id + "h", agent: id + "a", style: id + "s", nets: w.pool(id, 5), perAttack: 1 + w.rng.IntN(20), list: w.rng.IntN(1 << 30), size: 100}
		if w.rng.IntN(2) == 0 {
			g.header, g.agent = "browser3", "browser4"
		}
		w.attack(g, w.sites(1)[0], w.rng.Float64()*90, []string{stuffing, scanning, probing, scraping}[w.rng.IntN(4)])
	}
}

// mixed is everything at once.
func mixed(seed uint64) *world {
	w := newWorld(seed, 12)
	w.sharedNetworks()
	w.changedTool(false)
	w.changedTool(true)
	w.popular()
	w.oneSite()
	w.oneSite()
	w.manySites()
	w.hub()
	w.lone(12)
	w.rng.Shuffle(len(w.attacks), func(i, j int) { w.attacks[i], w.attacks[j] = w.attacks[j], w.attacks[i] })
	return w
}

// blind takes marks away, as sources do that do not see them: an access log
// has no order of headers and no bodies.
func (w *world) blind(logs int) {
	for i := range w.attacks {
		a := &w.attacks[i]
		if n := int(hashOf(a.Site) % 100); n < logs {
			a.Marks = slices.DeleteFunc(a.Marks, func(m Mark) bool {
				return m.Key != "agent" && m.Key != "tool" && m.Key != "ip" && m.Key != "prefix" && m.Key != "path"
			})
		}
	}
}

// bcubed gives purity and completeness of campaigns against the truth; an
// attack of no campaign stands alone.
func (w *world) bcubed(found []Campaign) (purity, completeness float64) {
	cluster := map[string]string{}
	for _, a := range w.attacks {
		cluster[a.ID] = a.ID
	}
	for _, c := range found {
		for _, id := range c.Attacks {
			cluster[id] = c.ID
		}
	}
	for _, a := range w.attacks {
		var both, same, gang float64
		for _, b := range w.attacks {
			x, y := cluster[a.ID] == cluster[b.ID], w.truth[a.ID] == w.truth[b.ID]
			if x {
				same++
			}
			if y {
				gang++
			}
			if x && y {
				both++
			}
		}
		purity += both / same
		completeness += both / gang
	}
	n := float64(len(w.attacks))
	return purity / n, completeness / n
}
