// Package audit assembles the defect classes into the auditor of one site.
//
// It takes a site's events in order, with the catalogue's merges before the
// event that caused them, and gives rated findings on demand. Invariant: the
// same events give the same findings, whenever and however often they are
// asked for. Limits: those of the detectors; Counters says what was dropped.
package audit

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/defect/errors"
	"xiezhi/internal/defect/exposure"
	"xiezhi/internal/defect/misconfig"
	"xiezhi/internal/defect/password"
	"xiezhi/internal/defect/unauthorized"
	"xiezhi/internal/message"
	"xiezhi/internal/observe/product"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/policy"
	"xiezhi/internal/rule"
)

// Config configures an auditor. Everything in it is immutable.
type Config struct {
	Messages *message.Catalog
	Rules    defect.Rules // what is known about markers; may be nil
	Products *product.Set // what is published about versions; nil: nothing
	Custom   *rule.Set    // rules that people wrote; may be nil
	Site     string
	// PasswordDays is how long a privileged password may live; 0: 90 days.
	PasswordDays int
}

// Catalog is what the auditor asks of a catalogue.
type Catalog interface{ APIs() []*catalog.API }

// Auditor audits one site. It is not safe for concurrent use.
type Auditor struct {
	messages  *message.Catalog  `snapshot:"-"`
	rules     defect.Rules      `snapshot:"-"`
	detectors []defect.Detector `snapshot:"-"`
	custom    *misconfig.Custom
	event     defect.Event `snapshot:"-"`
	backends  defect.Backends
	policy    policy.View
	decided   defect.Decisions
}

// New returns an auditor that has seen nothing.
func New(cfg Config) *Auditor {
	rules := cfg.Rules
	if s, ok := rules.(*signature.Set); ok && s == nil {
		rules = nil
	}
	custom := misconfig.NewCustom(cfg.Custom)
	return &Auditor{custom: custom, messages: cfg.Messages, rules: rules, policy: policy.View{Site: cfg.Site}, detectors: []defect.Detector{
		unauthorized.NewExposed(), unauthorized.NewBOLA(), unauthorized.NewBFLA(),
		unauthorized.NewSecret(), unauthorized.NewCode(), unauthorized.NewDead(),

		password.NewWeak(), password.NewInUse(), password.NewBackend(), password.NewThrottle(),
		password.NewShared(), password.NewCode(), password.NewStale(cfg.PasswordDays),

		exposure.NewBulk(), exposure.NewTwin(), exposure.NewInternal(),
		exposure.NewOverbroad(), exposure.NewUnneeded(), exposure.NewFrontend(),

		errors.NewOracle(), errors.NewTiming(), errors.NewTrace(rules),

		misconfig.NewMarkers(rules), misconfig.NewOutdated(cfg.Products, rules),
		misconfig.NewJWT(), misconfig.NewIssued(), misconfig.NewURL(), misconfig.NewCleartext(),
		misconfig.NewCORS(), misconfig.NewLimits(), misconfig.NewInjection(), misconfig.NewRights(), custom,
	}}
}

// Merge folds the state of one API into another. The judge calls it for every
// merge of an event before Observe.
func (a *Auditor) Merge(m catalog.Merge) {
	if m.From == m.Into {
		return
	}
	for _, d := range a.detectors {
		d.Merge(m.From, m.Into)
	}
}

// Apply takes a decision; it holds from the next event on.
func (a *Auditor) Apply(e *policy.Entry) {
	switch {
	case e.Public != nil:
		a.policy.AddPublic(*e.Public)
	case e.Approval != nil:
		a.policy.AddApproval(*e.Approval)
	case e.Fix != nil:
		a.decided.Fixes = append(a.decided.Fixes, *e.Fix)
	case e.Verdict != nil:
		a.decided.Verdicts = append(a.decided.Verdicts, *e.Verdict)
	}
}

// Replace puts a decision, of the same kind, in the place of one that was
// applied.
func (a *Auditor) Replace(old, with *policy.Entry) {
	switch {
	case old.Fix != nil:
		policy.Replace(a.decided.Fixes, old.Fix, with.Fix)
	case old.Verdict != nil:
		policy.Replace(a.decided.Verdicts, old.Verdict, with.Verdict)
	default:
		a.policy.Replace(old, with)
	}
}

// Observe takes the next event in order. ev is not kept.
func (a *Auditor) Observe(ev *catalog.Event) {
	a.decided.Now = max(a.decided.Now, ev.End)
	if ev.API == nil && len(ev.Markers) == 0 && len(ev.Used) == 0 && ev.Outcome != catalog.OutcomeNotFound && ev.Outcome != catalog.OutcomeDenied {
		return
	}
	a.event = defect.Event{Event: ev, Backends: &a.backends, Policy: &a.policy}
	a.event.Fill()
	for _, d := range a.detectors {
		d.Observe(&a.event)
	}
	a.event.Event = nil
}

// Tick moves time when there is no traffic: decisions come to hold, and end.
func (a *Auditor) Tick(now int64) { a.decided.Now = max(a.decided.Now, now) }

// Findings gives the findings so far, most severe first, then by id. It
// changes nothing.
func (a *Auditor) Findings(c Catalog) []defect.Finding {
	r := defect.NewReport(a.messages, a.rules, c.APIs())
	r.Decided = a.decided
	for _, d := range a.detectors {
		d.Findings(r)
	}
	return r.Findings()
}

// Hits lists what the rules that people wrote met so far.
func (a *Auditor) Hits() []misconfig.Hit { return a.custom.Hits() }

// Counters says how often each bounded part was full.
func (a *Auditor) Counters() []defect.Counter {
	var all []defect.Counter
	for _, d := range a.detectors {
		all = append(all, d.Counters()...)
	}
	return all
}

// Parts gives what holds the auditor's state.
func (a *Auditor) Parts() []any {
	out := []any{a}
	for _, d := range a.detectors {
		out = append(out, d)
	}
	return out
}
