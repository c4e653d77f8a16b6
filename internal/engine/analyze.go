// Package engine assembles the parts into what the commands do: analyze,
// convert.
//
// It takes inputs, configuration and the outside world (clock, randomness,
// temporary files) and gives reports. Invariant: the report depends on the
// input, the version and the key alone, never on the number of workers, the
// order of files or how the input was split. Limits: see LIMITS.md; memory is
// bounded by the sorter's cap and the judges' budgets.
package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/attack"
	"xiezhi/internal/campaign"
	"xiezhi/internal/catalog"
	"xiezhi/internal/catalog/drift"
	"xiezhi/internal/catalog/openapi"
	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/judge"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/source"
	"xiezhi/internal/source/keylog"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

// AnalyzeConfig is one run of analyze. The zero value of every optional field
// means its default.
type AnalyzeConfig struct {
	Version string
	Tools   *Tools
	Inputs  []source.Input
	Format  Format // Auto: by content
	Log     LogConfig
	Live    Live        // read after the inputs
	Keys    *keylog.Log // of TLS connections in captures

	Workers int
	Site    string
	Zone    *time.Location
	Trusted []netip.Prefix
	File    *FileConfig
	Policy  *policy.File    // what people decided; may be nil
	Packs   []*policy.File  // rule packs; may be empty
	Hub     *scenario.Set   // CrowdSec scenarios to run as rules; may be nil
	Specs   []*openapi.Spec // what developers described, to compare with
	Since   time.Time
	Until   time.Time

	Attributed io.Writer // one line per exchange of a likely or confirmed attack
	APIs       io.Writer // one line per observation
	Weak       bool      // Attributed tells of suspected attacks as well
	Probe      *Probe    // may be nil

	Random io.Reader                           // for the key of temporary files
	Temp   func() (judge.SpillFile, error)     // opens a temporary file
	Memory int                                 // bytes of observations held before spilling
	Meter  func(bytes int64, exchanges uint64) // called now and then while reading

	sorted bool // of a test: judge in the sorter's order alone
	// of a test: gives the judge that takes over after an observation
	relieve func(*judge.Judge) *judge.Judge
	judged  func(ahead bool) // of a test
}

// AnalyzeResult is what one run gave.
type AnalyzeResult struct {
	Report *report.Report
	// Messages are the texts of the report, with the names that people gave.
	Messages *message.Catalog
	// Hits says what the rules that people wrote met, for trying them out.
	Hits []RuleHit
	// Alerts are what the CrowdSec scenarios told, by time.
	Alerts []Alert
	// Refused lists inputs that could not be opened or recognised.
	Refused []Refusal
}

// Refusal is an input that was not read.
type Refusal struct {
	Name string
	Err  error
}

// Findings reports whether there is anything to act on.
func (r *AnalyzeResult) Findings() bool {
	return len(r.Report.Open()) > 0 || len(r.Report.Attacks) > 0
}

// Inspected reports whether at least one exchange was analysed. A run that
// could inspect nothing never ends as clean.
func (r *AnalyzeResult) Inspected() bool { return r.Report.Input.Analysed > 0 }

// Analyze reads the inputs, judges them and makes the report. An error means
// that nothing could be reported; damaged or unreadable inputs are in the
// result.
func Analyze(ctx context.Context, cfg AnalyzeConfig) (*AnalyzeResult, error) {
	cfg.defaults()
	tools, err := cfg.Tools.with(cfg.File).withRules(append(cfg.Packs[:len(cfg.Packs):len(cfg.Packs)], cfg.Policy))
	if err != nil {
		return nil, err
	}
	tools = tools.withScenarios(cfg.Hub)
	sorter := judge.NewSorter(judge.SorterConfig{Memory: cfg.Memory, Create: cfg.Temp, Random: cfg.Random})
	defer func() { _ = sorter.Close() }()
	census := newHostCensus(tools.redactor.TokenString)
	forms := form.NewTable(0)
	observer := func() (*observe.Observer, error) { return tools.observer(forms) }
	observers := make([]*observe.Observer, cfg.Workers)
	for i := range observers {
		o, err := observer()
		if err != nil {
			return nil, err
		}
		observers[i] = o
	}

	ledger := &source.Ledger{}
	plan, err := recognise(cfg.Inputs, cfg.Format, cfg.Log, cfg.Keys)
	if err != nil {
		return nil, err
	}
	var early *ahead
	if len(cfg.Live.Sources) == 0 && !cfg.sorted && cfg.Probe == nil && cfg.relieve == nil { // a probe sees every observation once
		early = newAhead(newBench(cfg, tools, newSiteNamer(cfg, map[string]bool{})), cfg.Workers)
		defer early.stop()
	}
	p := newPipeline(cfg.Workers, max(1, len(cfg.Live.Sources)), observers, sorter, early, nil, census, observer, ledger)
	p.since, p.until = sinceUntil(cfg.Since, cfg.Until)
	p.asides = tools.scenarios != nil
	var blind []report.Blind
	stop := meter(cfg.Meter, ledger, p)
	for ordinal, s := range plan.sources {
		if err = p.run(ctx, s, ledger, uint32(ordinal), false); err != nil {
			break
		}
		blind = append(blind, blindOf(s)...)
	}
	if err == nil {
		err = cfg.Live.run(ctx, func(ctx context.Context, i int, s source.Source) error {
			return p.run(ctx, s, ledger, uint32(len(plan.sources)+i), true)
		})
	}
	stop()
	for _, s := range cfg.Live.Sources {
		blind = append(blind, blindOf(s)...)
	}
	if e := p.finish(); e != nil {
		return nil, e
	}
	if err != nil {
		return nil, err
	}

	admitted := census.admitted()
	bench := early.finish(admitted)
	if cfg.judged != nil {
		cfg.judged(bench != nil)
	}
	if bench == nil {
		bench = newBench(cfg, tools, newSiteNamer(cfg, admitted))
		if err := sorter.Each(bench.observe); err != nil {
			return nil, err
		}
	}
	results := bench.results()

	noteKeys(cfg.Keys, ledger)
	in := inputOf(ledger.Totals(), p.seen(), bench, census.skipped, blind, forms, tools.Messages)
	addresses := report.AddressesPlain
	if cfg.File.Privacy.Addresses == "token" {
		addresses = report.AddressesToken
	}
	rep := report.Build(report.Config{Version: cfg.Version, Rules: rules.Version, Redactor: tools.redactor, Addresses: addresses, Messages: tools.Messages, Forms: forms, TypeID: tools.types.Named, Networks: networksOf(cfg.File, tools)}, in, results)
	if len(cfg.Specs) > 0 {
		rep.Drift = drift.Compare(cfg.Specs, rep.Described(""))
	}
	if cfg.Attributed != nil || cfg.APIs != nil {
		if err := secondPass(cfg, sorter, bench, results); err != nil {
			return nil, err
		}
	}
	return &AnalyzeResult{Report: rep, Messages: tools.Messages, Hits: ruleHits(results), Alerts: alerts(results), Refused: plan.refused}, nil
}

func (cfg *AnalyzeConfig) defaults() {
	if cfg.Workers <= 0 {
		cfg.Workers = 1
	}
	if cfg.File == nil {
		cfg.File = &FileConfig{}
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
}

func sinceUntil(since, until time.Time) (int64, int64) {
	var s, u int64
	if !since.IsZero() {
		s = since.UnixNano()
	}
	if !until.IsZero() {
		u = until.UnixNano()
	}
	return s, u
}

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
	return &bench{cfg: cfg, tools: t, namer: n, judges: map[string]*judge.Judge{}, births: map[string]int{}, crossings: campaign.NewCrossings()}
}

func (b *bench) observe(o *observe.Observation) error {
	if o.Aside != exchange.AsideNone { // seen by rules alone
		b.judge(o).Observe(o)
		return nil
	}
	if b.count == 0 || o.Start < b.first {
		b.first = o.Start
	}
	b.last = max(b.last, o.End)
	b.count++
	b.overflow += uint64(o.Overflow)
	b.crossAt(o.End)
	j := b.judge(o)
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
	return nil
}

func (b *bench) judge(o *observe.Observation) *judge.Judge {
	name := b.namer.site(o)
	j := b.judges[name]
	if j != nil {
		return j
	}
	if len(b.judges) >= maxJudges {
		name = unlistedPrefix
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

		Scenarios: b.tools.scenarios,
	}
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

// secondPass goes over the observations again and writes which API and which
// attack each belongs to.
func secondPass(cfg AnalyzeConfig, sorter *judge.Sorter, b *bench, results []judge.Result) error {
	matchers := map[*judge.Judge]*judge.Matcher{}
	for i := range results {
		j := b.judges[results[i].Site.Name]
		from := taxonomy.Likely
		if cfg.Weak {
			from = taxonomy.Suspicious
		}
		matchers[j] = judge.NewMatcherFrom(j, results[i].Attacks, from)
	}
	apis, attributed := newLines(cfg.APIs), newLines(cfg.Attributed)
	err := sorter.Each(func(o *observe.Observation) error {
		if o.Aside != exchange.AsideNone {
			return nil
		}
		j := b.judge(o)
		api := j.Lookup(o)
		if apis != nil {
			line := struct {
				ID  string  `json:"id"`
				API *string `json:"api"` // null: the exchange belongs to no API
			}{ID: o.ID}
			if api != nil {
				line.API = &api.ID
			}
			if err := apis.enc.Encode(line); err != nil {
				return err
			}
		}
		if attributed == nil {
			return nil
		}
		var err error
		matchers[j].Each(o, api, func(attack, kind string) {
			if err == nil {
				err = attributed.enc.Encode(struct {
					ID     string `json:"id"`
					Attack string `json:"attack"`
					Kind   string `json:"kind"`
				}{o.ID, attack, kind})
			}
		})
		return err
	})
	if err := errors.Join(err, apis.close(), attributed.close()); err != nil {
		return fmt.Errorf("write the second pass: %w", err)
	}
	return nil
}

// lines writes one JSON value per line; nil writes nothing.
type lines struct {
	w   *bufio.Writer
	enc *json.Encoder
}

func newLines(w io.Writer) *lines {
	if w == nil {
		return nil
	}
	l := &lines{w: bufio.NewWriterSize(w, 1<<16)}
	l.enc = json.NewEncoder(l.w)
	l.enc.SetEscapeHTML(false)
	return l
}

func (l *lines) close() error {
	if l == nil {
		return nil
	}
	return l.w.Flush()
}
