package misconfig

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/rule"
	"xiezhi/internal/taxonomy"
)

const (
	maxScopes      = 8192 // APIs whose rules are remembered
	maxCustomAPIs  = 4096
	maxCustomRules = 16 // rules per API that fired or could have
)

// Custom applies the rules that people wrote. Which rules are about an API is
// worked out once per API and template, so that traffic without rules costs a
// look at a table.
type Custom struct {
	rules  []*rule.Rule `snapshot:"-"`
	scopes *defect.States[scope]
	states *defect.States[custom]
	view   rule.View `snapshot:"-"`

	dropped, failed, costly uint64
}

// scope is which rules are about an API.
type scope struct {
	template, host string
	rules          []int
}

type custom struct{ list []customRule }

type customRule struct {
	rule      int
	span      defect.Span
	public    bool
	anonymous uint64
	samples   defect.Samples
	trials    defect.Trials
}

// NewCustom returns the detector; set may be nil.
func NewCustom(set *rule.Set) *Custom {
	return &Custom{rules: set.Rules(), view: rule.View{Types: set.Types()}, scopes: defect.NewStates[scope](maxScopes), states: defect.NewStates[custom](maxCustomAPIs)}
}

// Observe takes one event.
func (d *Custom) Observe(ev *defect.Event) {
	if len(d.rules) == 0 || ev.Handle == 0 {
		return
	}
	about := d.about(ev)
	if len(about) == 0 {
		return
	}
	d.view.Fill(ev.Observation)
	a := ev.API
	d.view.API = rule.API{Site: a.Site, Host: a.Host, Method: a.Method, Template: a.Template, Role: string(a.Role)}
	d.view.Who = rule.Who{Anonymous: ev.Anonymous, Known: ev.Who.Known(), Private: ev.Who.Private}
	d.view.Response.Outcome = ev.Outcome.String()
	for _, i := range about {
		switch v := d.rules[i].Evaluate(&d.view); v {
		case rule.Failed:
			d.failed++
		case rule.Costly:
			d.costly++
		case rule.Quiet, rule.Fired:
			d.count(ev, i, v == rule.Fired)
		}
	}
}

// about gives the rules about the event's API.
func (d *Custom) about(ev *defect.Event) []int {
	a := ev.API
	s := d.scopes.Get(ev.Handle)
	if s != nil && s.template == a.Template && s.host == a.Host {
		return s.rules
	}
	if s == nil {
		s = d.scopes.Ensure(ev.Handle)
	}
	s.template, s.host, s.rules = a.Template, a.Host, s.rules[:0]
	for i, r := range d.rules {
		if r.Covers(a.Site, a.Host, a.Method, a.Template) {
			s.rules = append(s.rules, i)
		}
	}
	return s.rules
}

func (d *Custom) count(ev *defect.Event, i int, fired bool) {
	s := d.states.Get(ev.Handle)
	if s == nil {
		s = d.states.Ensure(ev.Handle)
	}
	x := d.find(s, i)
	if x == nil {
		return
	}
	x.trials.Count(ev.End, fired)
	if !fired {
		return
	}
	x.span.Add(ev.End)
	x.public = x.public || !ev.Who.Private
	if ev.Anonymous {
		x.anonymous++
	}
	if e := x.samples.Show(ev, 0); e != nil {
		e.What, e.Status, e.Text = "defect.evidence.custom", ev.Status, d.rules[i].ID
	}
}

func (d *Custom) find(s *custom, i int) *customRule {
	for k := range s.list {
		if s.list[k].rule == i {
			return &s.list[k]
		}
	}
	if len(s.list) == maxCustomRules {
		d.dropped++
		return nil
	}
	s.list = append(s.list, customRule{rule: i})
	return &s.list[len(s.list)-1]
}

// Merge folds the state of one API into another.
func (d *Custom) Merge(from, into catalog.Handle) {
	d.scopes.Delete(from)
	d.states.Move(from, into, func(dst, src *custom) {
		for i := range src.list {
			g := &src.list[i]
			if x := d.find(dst, g.rule); x != nil {
				x.span.Fold(g.span)
				x.public = x.public || g.public
				x.anonymous += g.anonymous
				x.samples.Fold(&g.samples)
				x.trials.Fold(&g.trials)
			}
		}
	})
}

// Findings reports what is known.
func (d *Custom) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *custom) {
		api := r.API(h)
		if api == nil {
			return
		}
		for i := range s.list {
			x := &s.list[i]
			c := d.rules[x.rule]
			if x.span.Count < c.Min() || !c.Covers(api.Site, api.Host, api.Method, api.Template) {
				continue
			}
			exploit, why := policy.Severity(c.Exploit), "defect.rating.e.custom"
			args := message.Args{"api": r.Name(h), "name": c.Title, "n": x.span.Count, "rule": c.ID}
			r.Add(defect.Draft{
				Kind: taxonomy.DefectCustom, Component: c.ID, API: h, Span: x.span, Samples: x.samples, Trials: &x.trials,
				Harm: policy.Severity(c.Harm), HarmWhy: "defect.rating.h.custom", Exploit: exploit, ExploitWhy: why,
				Reach:      defect.Reach{Public: x.public, Anonymous: x.anonymous > 0, Guessable: !strings.Contains(api.Template, "{"), Register: true},
				Confidence: defect.Confidence(0.8, defect.If(x.span.Count >= 10, 0.5)),
				Reason:     r.Text("defect.custom.reason", args), Advice: c.Advice, CWE: c.CWE,
			})
		}
	})
}

// Hit is how often a rule met an API, for trying rules out.
type Hit struct {
	Rule            string
	API             catalog.Handle
	Eligible, Fired uint64
	Examples        []string // ids of exchanges
}

// Hits lists what the rules met, whether or not it is enough for a finding, in
// the order of the APIs' first appearance here.
func (d *Custom) Hits() []Hit {
	var out []Hit
	d.states.Each(func(h catalog.Handle, s *custom) {
		for i := range s.list {
			x := &s.list[i]
			hit := Hit{Rule: d.rules[x.rule].ID, API: h, Fired: x.span.Count}
			prior, _ := x.trials.Prior()
			hit.Eligible = uint64(prior)
			for _, b := range x.trials.Buckets() {
				hit.Eligible += uint64(b.Eligible)
			}
			hit.Examples = x.samples.IDs()
			out = append(out, hit)
		}
	})
	return out
}

// Counters says what was dropped.
func (d *Custom) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.custom.scopes", Count: d.scopes.Evicted}, {What: "defect.custom.apis", Count: d.states.Evicted}, {What: "defect.custom.rules", Count: d.dropped},
		{What: "defect.custom.failed", Count: d.failed}, {What: "defect.custom.costly", Count: d.costly}}
}

var _ defect.Detector = (*Custom)(nil)
