// Package judge is the ordered state machine of one site: identity, catalogue,
// defects, attacks, in that order, one observation after the other.
//
// It takes observations in the order of observe.Compare (a Sorter gives that
// order for finished files) and gives a Result on demand. It knows no store,
// bus, clock or file name: everything that changes a finding is an event.
// Invariant: the same observations in the same order give the same result,
// whatever the batches and workers before it. Limits: the state of each part
// is bounded by that part; what was given up is in Limits.
package judge

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"xiezhi/internal/attack"
	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/defect/audit"
	"xiezhi/internal/defect/misconfig"
	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/intel"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/lure"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/product"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/policy"
	"xiezhi/internal/rule"
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/taxonomy"
)

// Site is what is configured about one site.
type Site struct {
	Name     string
	Industry taxonomy.Industry // empty: other
	Location *time.Location    // months are the site's; nil: UTC
	// PasswordDays is how long a privileged password may live; 0: the default.
	PasswordDays int
}

// Config configures a judge. Everything in it is immutable and may be shared.
type Config struct {
	Site     Site
	Identity identity.Config
	Catalog  catalog.Config
	Messages *message.Catalog
	Rules    *signature.Set
	Products *product.Set
	Custom   *rule.Set     // rules that people wrote; may be nil
	Attack   attack.Budget // zero: the detectors' own
	Policy   *policy.File  // what people decided; may be nil
	Networks *intel.Map    // where addresses are; may be nil

	Indicators *indicator.Snapshot // what is known of askers; may be nil
	Lures      *lure.Plan          // decoys; may be nil

	Scenarios *scenario.Set // rules for logs that people brought along; may be nil
}

// Judge judges one site. It is not safe for concurrent use.
type Judge struct {
	cfg      Config `snapshot:"-"`
	identity *identity.Resolver
	catalog  *catalog.Catalog
	auditor  *audit.Auditor
	attacks  *attack.Engine
	event    catalog.Event `snapshot:"-"`
	count    uint64
	unplaced uint64         // observations from addresses on no map
	entries  []policy.Entry // decisions that the traffic has not reached yet
	now      int64          // newest event time
}

// New returns a judge that has seen nothing.
func New(cfg Config) *Judge {
	if cfg.Site.Location == nil {
		cfg.Site.Location = time.UTC // so that a state finds a zone, also when it gets another one
	}
	cfg.Catalog.Site = cfg.Site.Name
	return &Judge{
		cfg:      cfg,
		identity: identity.New(cfg.Identity),
		catalog:  catalog.New(cfg.Catalog),
		auditor:  audit.New(audit.Config{Messages: cfg.Messages, Rules: cfg.Rules, Products: cfg.Products, Custom: cfg.Custom, Site: cfg.Site.Name, PasswordDays: cfg.Site.PasswordDays}),
		attacks:  attack.New(attack.Config{Messages: cfg.Messages, Site: cfg.Site.Name, Zone: cfg.Site.Location, Budget: cfg.Attack, Rules: cfg.Scenarios}),
		entries:  cfg.Policy.Entries(cfg.Site.Name),
	}
}

// Observe judges the next observation in order. o is not kept.
func (j *Judge) Observe(o *observe.Observation) {
	if o.Aside == exchange.AsideNone {
		j.count++
	}
	j.pass(o.End)
	ev := &j.event
	merges := ev.Merges[:0]
	*ev = catalog.Event{Observation: o, Merges: merges}
	ev.Who = j.identity.Resolve(o)
	if o.Aside != exchange.AsideNone { // no exchange: only rules look at it
		j.attacks.Aside(ev)
		return
	}
	j.catalog.Assign(o, &ev.Who, ev) // makes the event anew
	if ev.Net = j.cfg.Networks.Lookup(ev.Who.Client); !ev.Net.Known() && ev.Who.Client.IsValid() {
		j.unplaced++
	}
	j.tell(ev)
	for _, m := range ev.Merges {
		j.auditor.Merge(m)
	}
	j.auditor.Observe(ev)
	j.attacks.Observe(ev)
	j.identity.Learn(o, ev.Who, ev.Outcome == catalog.OutcomeSuccess)
}

// tell adds what intelligence knows of the asker, and the decoy that it touches.
func (j *Judge) tell(ev *catalog.Event) {
	if j.cfg.Indicators != nil {
		x := indicator.Asker{Site: j.cfg.Site.Name, Client: ev.Who.Client, ASN: ev.Net.ASN, JA4: ev.JA4, Headers: ev.HeaderOrder, Structure: ev.ParamShape}
		if ev.AgentTool {
			x.Tool = ev.AgentFamily
		}
		ev.Known = j.cfg.Indicators.Look(&x, ev.End)
	}
	if j.cfg.Lures != nil {
		ev.Lure = j.cfg.Lures.Touched(j.cfg.Site.Name, ev.Observation, ev.Who.Subject, ev.Object)
	}
}

// Inform takes another snapshot of intelligence, as an event: it holds from the
// next observation on.
func (j *Judge) Inform(s *indicator.Snapshot) { j.cfg.Indicators = s }

// pass applies the decisions whose time has come.
func (j *Judge) pass(now int64) {
	j.now = max(j.now, now)
	for len(j.entries) > 0 && j.entries[0].At <= j.now {
		j.Apply(&j.entries[0])
		j.entries = j.entries[1:]
	}
}

// Decide takes decisions that were made at a moment of event time while it was
// judging: each holds when its time comes, at once when it is past.
func (j *Judge) Decide(list []policy.Entry, now int64) {
	j.entries = append(j.entries, list...)
	slices.SortStableFunc(j.entries, func(a, b policy.Entry) int { return cmp.Compare(a.At, b.At) })
	j.pass(now)
	j.auditor.Tick(j.now)
}

// End lets a decision hold no longer from now, a moment of event time, on, as
// the entry that with is says. Time moves there, as it does for Decide: else what
// was taken back would hold until traffic comes.
func (j *Judge) End(old, with *policy.Entry, now int64) {
	j.entries = slices.DeleteFunc(j.entries, func(e policy.Entry) bool { return reflect.DeepEqual(&e, old) })
	if old.Template != nil {
		j.catalog.Unedit(old.Template)
	} else {
		j.auditor.Replace(old, with)
	}
	j.pass(now)
	j.auditor.Tick(j.now)
}

// Apply takes a decision as an event: it holds from the next observation on.
func (j *Judge) Apply(e *policy.Entry) {
	if e.Template != nil {
		j.catalog.Edit(e.Template)
		return
	}
	j.auditor.Apply(e)
}

// Finish applies the decisions that were made after the last observation.
func (j *Judge) Finish() {
	for i := range j.entries {
		if j.entries[i].Template == nil { // an edit is about the traffic that follows
			j.Apply(&j.entries[i])
		}
	}
	j.entries = nil
}

// Tick moves time when the site is idle.
func (j *Judge) Tick(now int64) {
	j.pass(now)
	j.auditor.Tick(now)
	j.attacks.Tick(now)
}

// Lookups gives what the site's people were asked about, as far as it is ripe
// by then, or all of it, for the reducer that joins sites.
func (j *Judge) Lookups(now int64, all bool) []attack.Lookup { return j.attacks.Lookups(now, all) }

// Cross takes what the reducer found the site's lookups to be part of.
func (j *Judge) Cross(list []attack.Crossing) { j.attacks.Cross(list) }

// Last gives what was made of the observation that was judged last, valid until
// the next. What is no exchange gives an empty one.
func (j *Judge) Last() *catalog.Event { return &j.event }

// Lookup gives the API of an observation from what has been learned.
func (j *Judge) Lookup(o *observe.Observation) *catalog.API { return j.catalog.Lookup(o) }

// Time is the newest event time that it knows of.
func (j *Judge) Time() int64 { return j.now }

// Judged is how many exchanges were judged.
func (j *Judge) Judged() uint64 { return j.count }

// Unplaced is how many observations came from addresses that no map knows.
func (j *Judge) Unplaced() uint64 { return j.unplaced }

// Result is what a judge has found so far.
type Result struct {
	Site    Site
	Judged  uint64
	APIs    []*catalog.API
	Defects []defect.Finding
	Attacks []attack.Finding
	Edits   []catalog.Edited // of the catalogue, in effect
	Hits    []misconfig.Hit  // of the rules that people wrote
	Alerts  []scenario.Alert // of the scenarios that people brought along
}

// Result gives the findings so far, attacks and defects linked to each other.
func (j *Judge) Result() Result {
	r := Result{
		Site:    j.cfg.Site,
		Judged:  j.count,
		APIs:    j.catalog.APIs(),
		Defects: j.auditor.Findings(j.catalog),
		Attacks: j.attacks.Findings(j.catalog),
		Edits:   j.catalog.Edits(),
		Hits:    j.auditor.Hits(),
		Alerts:  j.attacks.Alerts(),
	}
	link(r.Attacks, r.Defects)
	return r
}

// Attacks gives the attacks known so far, of Result.
func (j *Judge) Attacks() []attack.Finding { return j.attacks.Findings(j.catalog) }

// Missing lists the kinds of defect and attack of the taxonomy that no
// detector of this version looks for, sorted.
func Missing() []string {
	have := map[string]bool{}
	for _, k := range audit.Kinds() {
		have[string(k)] = true
	}
	for _, k := range attack.Kinds() {
		have[string(k)] = true
	}
	var out []string
	for k := range taxonomy.ClassOf {
		if !have[string(k)] {
			out = append(out, string(k))
		}
	}
	for k := range taxonomy.ScenarioOf {
		if !have[string(k)] {
			out = append(out, string(k))
		}
	}
	slices.Sort(out)
	return out
}
