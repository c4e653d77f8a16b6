// Package misconfig finds what should not be reachable, and how secrets travel:
// exposed and outdated components, documents, debug pages and files; tokens that
// anyone can forge, or that live too long; secrets in addresses and in the clear;
// CORS that trusts everybody; limits that say nothing; requests that become
// statements, or set the rights of their account; and what rules of the operator
// match.
//
// It takes events and gives drafts. Invariant: a path alone is never evidence;
// the answer must carry the marker. Limits: per API 8 markers and 8 parameters,
// per site 16 JWT secrets; those of each detector stand at its head.
package misconfig

import (
	"cmp"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Markers finds everything that shows itself by one marker in a response.
type Markers struct {
	rules defect.Rules `snapshot:"-"`
	marks *defect.Marks
}

// NewMarkers returns the detector.
func NewMarkers(rules defect.Rules) *Markers {
	return &Markers{rules: rules, marks: defect.NewMarks()}
}

// Observe takes one event.
func (d *Markers) Observe(ev *defect.Event) {
	for i := range ev.Markers {
		m := &ev.Markers[i]
		ok := ev.Status >= 200 && ev.Status < 300
		// Behind a login and inside the house, a console is where it belongs.
		reachable := ev.Anonymous || !ev.Who.Private
		if !reachable || defect.UserContent(m.Where) {
			continue
		}
		switch defect.KindOf(d.rules, m.Rule) {
		case taxonomy.DefectDebugPage: // debug pages are error pages, too
			ok = ok || ev.Status >= 400
		case taxonomy.DefectExposedComponent, taxonomy.DefectAPIDocs, taxonomy.DefectExposedFile, taxonomy.DefectDirectoryListing,
			taxonomy.DefectSourceMap:
		case taxonomy.DefectGraphqlIntrospection: // a wrong query that is put right is answered with 400
			ok = ok || ev.Status == 400
		default:
			ok = false
		}
		if ok {
			d.marks.Count(ev, m, "defect.evidence.marker")
		}
	}
	d.marks.Tried(ev, func(*defect.Mark) bool { return ev.Anonymous || !ev.Who.Private })
}

// Merge folds the state of one API into another.
func (d *Markers) Merge(from, into catalog.Handle) { d.marks.Merge(from, into) }

type shown struct {
	api       catalog.Handle
	kind      taxonomy.DefectKind
	component string
	mark      defect.Mark
	harm      taxonomy.Severity
	title     message.Text
	advice    message.Text
	rule      string
}

// Findings reports what is known.
func (d *Markers) Findings(r *defect.Report) {
	var all []shown
	d.marks.Each(func(h catalog.Handle, k *defect.Mark) {
		api := r.API(h)
		if h != 0 && api == nil {
			return
		}
		// Probes and monitors of the house are what health and metrics are for.
		if api != nil && !k.Public && (api.Role == taxonomy.RoleHealth || api.Role == taxonomy.RoleMetrics) {
			return
		}
		s := shown{api: h, kind: defect.KindOf(d.rules, k.Rule), component: defect.ComponentOf(d.rules, k.Rule), mark: *k, rule: k.Rule,
			harm: defaultHarm(defect.KindOf(d.rules, k.Rule))}
		if d.rules != nil {
			if rule := d.rules.Rule(k.Rule); rule != nil {
				s.title, s.advice = rule.Title, rule.Advice
				if rule.Harm != taxonomy.Unrated {
					s.harm = rule.Harm
				}
			}
		}
		all = append(all, s)
	})
	slices.SortFunc(all, func(a, b shown) int {
		return cmp.Or(cmp.Compare(a.api, b.api), cmp.Compare(a.kind, b.kind), cmp.Compare(a.component, b.component),
			cmp.Compare(b.harm, a.harm), cmp.Compare(a.rule, b.rule))
	})
	for i := 0; i < len(all); {
		s := all[i]
		for i++; i < len(all) && all[i].api == s.api && all[i].kind == s.kind && all[i].component == s.component; i++ {
			s.mark.Fold(&all[i].mark)
		}
		d.add(r, &s)
	}
}

func (d *Markers) add(r *defect.Report, s *shown) {
	name := s.title
	if name.Zh == "" {
		name = message.Text{Zh: s.component, En: s.component}
	}
	place, sub := r.Name(s.api), ""
	if s.api == 0 {
		place, sub = s.mark.Path, s.mark.Path
	} else if a := r.API(s.api); s.kind == taxonomy.DefectExposedFile && strings.Contains(a.Template, "{") && s.mark.Path != "" {
		place = a.Method + " " + s.mark.Path // which of many files
	}
	args := message.Args{"api": place, "name": name, "n": s.mark.Span.Count}
	id := "defect." + string(s.kind)
	component := s.component
	if s.kind != taxonomy.DefectExposedComponent && s.kind != taxonomy.DefectExposedFile {
		component = ""
		if sub == "" {
			sub = s.component
		}
	}
	advice := r.Text(id+".advice", args)
	if s.advice.Zh != "" {
		advice = s.advice
	}
	harmWhy := "defect.rating.h.component"
	switch {
	case s.harm >= taxonomy.Critical:
		harmWhy = "defect.rating.h.component_critical"
	case s.harm <= taxonomy.Elevated:
		harmWhy = "defect.rating.h.inside"
	}
	r.Add(defect.Draft{
		Kind: s.kind, Component: component, SubKey: sub, API: s.api, Span: s.mark.Span, Samples: s.mark.Samples, Trials: &s.mark.Trials,
		Harm: s.harm, HarmWhy: harmWhy,
		Confidence: defect.Confidence(0.7, defect.If(s.mark.Span.Count >= 2, 0.4), defect.If(s.mark.Anonymous >= 2, 0.2)),
		Reach:      defect.Reach{Public: s.mark.Public, Anonymous: s.mark.Anonymous > 0, Guessable: true, Register: true},
		Reason:     r.Text(id+".reason", args), Advice: advice,
		OWASP: ruleOWASP(d.rules, s.rule), CWE: ruleCWE(d.rules, s.rule),
	})
}

func defaultHarm(k taxonomy.DefectKind) taxonomy.Severity {
	switch k {
	case taxonomy.DefectExposedComponent, taxonomy.DefectExposedFile, taxonomy.DefectDebugPage:
		return taxonomy.High
	case taxonomy.DefectSourceMap, taxonomy.DefectDirectoryListing:
		return taxonomy.Elevated
	}
	return taxonomy.Moderate
}

func ruleOWASP(rules defect.Rules, id string) []string {
	if rules == nil {
		return nil
	}
	if r := rules.Rule(id); r != nil {
		return r.OWASP
	}
	return nil
}

func ruleCWE(rules defect.Rules, id string) []string {
	if rules == nil {
		return nil
	}
	if r := rules.Rule(id); r != nil {
		return r.CWE
	}
	return nil
}

// Counters says what was dropped.
func (d *Markers) Counters() []defect.Counter { return d.marks.Counters("defect.markers") }

var _ defect.Detector = (*Markers)(nil)
