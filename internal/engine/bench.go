package engine

import (
	"slices"
	"strings"

	"xiezhi/internal/attack"
	"xiezhi/internal/campaign"
	"xiezhi/internal/catalog"
	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/lure"
	"xiezhi/internal/judge"
	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/taxonomy"
)

// bench is the row of judges, one per site, in the order of first appearance.
type bench struct {
	cfg    AnalyzeConfig
	tools  *Tools
	namer  *siteNamer
	judges map[string]*judge.Judge
	births map[string]int // how many sites were admitted when a judge was made
	order  []string
	first  int64
	last   int64
	count  uint64
	folded uint64 // observations whose site had no room

	overflow uint64 // items that observations had no room for

	clocks map[string]*siteClock // of sites, while a service runs
	late   uint64                // exchanges that came behind what was judged of their site

	known     *indicator.Snapshot // of askers, as an event told it
	informed  bool                // some event did: what the configuration says no longer counts
	lures     *lure.Plan          // decoys; nil: none
	crossings *campaign.Crossings
	nextCross int64

	files     []*policy.File                               // that came while judging
	decisions []*decision                                  // the same, those that hold
	judged    func(j *judge.Judge, o *observe.Observation) // sees what was judged; may be nil
}

// maxJudges bounds the judges of one run: admitted sites, and servers with
// unlisted hosts. Beyond it, unlisted traffic shares one judge.
const maxJudges = maxSites + 64

func newBench(cfg AnalyzeConfig, t *Tools, n *siteNamer) *bench {
	lures, _ := lure.New(cfg.File.Decoys, t.redactor) // checked with the configuration
	return &bench{lures: lures, cfg: cfg, tools: t, namer: n, judges: map[string]*judge.Judge{}, births: map[string]int{}, clocks: map[string]*siteClock{}, crossings: campaign.NewCrossings()}
}

func (b *bench) observe(o *observe.Observation) error {
	b.observeBy(b.judge(o), o)
	return nil
}

func (b *bench) observeBy(j *judge.Judge, o *observe.Observation) {
	if o.Aside != exchange.AsideNone { // seen by rules alone
		j.Observe(o)
		return
	}
	if b.count == 0 || o.Start < b.first {
		b.first = o.Start
	}
	b.last = max(b.last, o.End)
	b.count++
	b.overflow += uint64(o.Overflow)
	b.crossAt(o.End)
	j.Observe(o)
	b.cfg.Probe.observe(j, o)
	if b.judged != nil {
		b.judged(j, o)
	}
	if b.cfg.relieve != nil {
		if next := b.cfg.relieve(j); next != j {
			b.judges[j.Config().Site.Name] = next
		}
	}
}

func (b *bench) judge(o *observe.Observation) *judge.Judge {
	name := b.namer.site(o)
	j := b.judges[name]
	if j != nil {
		return j
	}
	if len(b.judges) >= maxJudges {
		name = unlistedPrefix + b.namer.beside
		b.folded++
		if j = b.judges[name]; j != nil {
			return j
		}
	}
	name = strings.Clone(name)
	b.births[name] = len(b.namer.admitted)
	j = judge.New(b.config(name, b.births[name]))
	for _, f := range b.files {
		j.Decide(f.Entries(name), o.End)
	}
	for _, d := range b.decisions {
		if d.Site == "" || d.Site == name {
			j.Decide([]policy.Entry{d.Entry}, o.End)
		}
	}
	b.judges[name] = j
	b.order = append(b.order, name)
	return j
}

// concerned gives the judges of a site, or all for none.
func (b *bench) concerned(site string) (out []*judge.Judge) {
	for _, name := range b.order {
		if site == "" || site == name {
			out = append(out, b.judges[name])
		}
	}
	return out
}

// forget takes back what judges that are made later would be told.
func (b *bench) forget(id string) {
	b.decisions = slices.DeleteFunc(b.decisions, func(d *decision) bool { return d.ID == id })
}

// config is that of a site's judge, made when so many sites were admitted.
func (b *bench) config(name string, sites int) judge.Config {
	site := judge.Site{Name: name, Location: b.cfg.Zone}
	who := b.identityConfig(sites)
	for _, s := range b.cfg.File.Sites {
		if s.Name == name {
			site.Industry, site.PasswordDays = taxonomy.Industry(s.Industry), s.PasswordDays
			who.Sessions = s.Identity.keys()
			if l, err := location(s.TimeZone); err == nil && l != nil {
				site.Location = l
			}
		}
	}
	return judge.Config{
		Site:     site,
		Identity: who,
		Catalog:  catalog.Config{Roles: b.tools.roles},
		Messages: b.tools.Messages,
		Rules:    b.tools.rules,
		Products: b.tools.products,
		Custom:   b.tools.custom,
		Attack:   b.attackBudget(sites),
		Policy:   b.cfg.Policy,
		Networks: networksOf(b.cfg.File, b.tools),

		Indicators: b.indicators(),
		Lures:      b.lures,

		Scenarios: b.tools.scenarios,
	}
}

// indicators are what judges that are made now know of askers.
func (b *bench) indicators() *indicator.Snapshot {
	if b.informed {
		return b.known
	}
	return b.cfg.File.known
}

// share divides a run's budget among its sites; a site never gets less than
// the floor.
func share(total, sites, floor int) int { return max(total/max(1, sites), floor) }

// Budgets of one run over all its sites. A single site has them to itself.
const (
	runAccounts = 1 << 20
	runClients  = 1 << 18
	runCells    = 1 << 17
	runSetBytes = 64 << 20
)

func (b *bench) identityConfig(sites int) identity.Config {
	var headers []string
	for _, h := range b.cfg.File.AddressHeaders {
		headers = append(headers, strings.ToLower(h))
	}
	return identity.Config{TrustedProxies: b.cfg.Trusted, AddressHeaders: headers, MaxAccounts: share(runAccounts, sites, 1<<14), MaxCredentials: share(runAccounts, sites, 1<<14), MaxClients: share(runClients, sites, 1<<12)}
}

func (b *bench) attackBudget(sites int) attack.Budget {
	return attack.Budget{Cells: min(1<<16, share(runCells, sites, 1<<12)), SetBytes: int64(min(32<<20, share(runSetBytes, sites, 1<<20)))}
}

// sites gives the names of the sites, sorted.
func (b *bench) sites() []string { return slices.Sorted(slices.Values(b.order)) }

func (b *bench) results() []judge.Result {
	b.cross(b.last, true)
	names := b.sites()
	out := make([]judge.Result, 0, len(names))
	for _, n := range names {
		b.judges[n].Finish()
		out = append(out, b.judges[n].Result())
	}
	return out
}
