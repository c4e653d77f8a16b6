package misconfig

import (
	"cmp"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxJWTAPIs    = 4096
	maxJWTSecrets = 16
)

// JWT finds tokens that anyone can forge: signed with a secret from a list, made
// with the key that a product is shipped with, or not signed at all and accepted.
type JWT struct {
	states  *defect.States[tokens]
	dropped uint64
}

// tokens counts per API and flaw.
type tokens struct {
	list   []flawed
	events uint64
}

type flawed struct {
	kind    taxonomy.DefectKind
	secret  string // shape of the guessed secret
	alg     string
	list    string      // of the secret; of a product's default the product
	issued  defect.Span // tokens that the API gave out
	shown   defect.Span // successes with such a token
	public  bool
	samples defect.Samples
	trials  defect.Trials // tokens issued, or shown with success
	hit     uint64
}

// NewJWT returns the detector.
func NewJWT() *JWT { return &JWT{states: defect.NewStates[tokens](maxJWTAPIs)} }

// Observe takes one event.
func (d *JWT) Observe(ev *defect.Event) {
	if ev.Handle == 0 || !ev.OK {
		return
	}
	for i := range ev.Credentials {
		d.count(ev, &ev.Credentials[i], false)
	}
	for i := range ev.Issued {
		d.count(ev, &ev.Issued[i], true)
	}
	s := d.states.Get(ev.Handle)
	if s == nil {
		return
	}
	issues, shows := false, false
	for i := range ev.Issued {
		issues = issues || tellable(&ev.Issued[i])
	}
	for i := range ev.Credentials {
		shows = shows || tellable(&ev.Credentials[i])
	}
	for i := range s.list {
		if f := &s.list[i]; f.hit == s.events || issues || shows && f.issued.Count == 0 {
			f.trials.Count(ev.End, f.hit == s.events)
		}
	}
	s.events++
}

// tellable reports whether a credential could show how it was made.
func tellable(c *observe.Credential) bool { return c.JWT != nil || c.Product != "" }

func (d *JWT) count(ev *defect.Event, c *observe.Credential, issued bool) {
	kind, secret, alg, list := taxonomy.DefectJWTWeakSecret, "", "", ""
	if j := c.JWT; j != nil {
		secret, alg, list = j.WeakSecret, j.Alg, j.WeakList
	}
	switch {
	case c.JWT != nil && c.JWT.None:
		kind = taxonomy.DefectJWTNone
	case c.Product != "" && c.JWT == nil && !issued && c.In == observe.InCookie:
		return // scanners show such cookies to every page, and pages do not mind
	case c.Product != "":
		kind, list = taxonomy.DefectDefaultSecret, c.Product
		if secret == "" {
			secret = c.Name
		}
	case secret == "":
		return
	}
	s := d.states.Ensure(ev.Handle)
	f := d.flaw(s, kind, secret, alg, list)
	if f == nil {
		return
	}
	f.hit = s.events
	rank, what := uint32(0), "defect.evidence.jwt_shown"
	if issued {
		f.issued.Add(ev.End)
		rank, what = 1, "defect.evidence.jwt_issued"
	} else {
		f.shown.Add(ev.End)
	}
	if kind == taxonomy.DefectDefaultSecret {
		what = "defect.evidence.default_secret"
	}
	f.public = f.public || !ev.Who.Private
	if e := f.samples.Show(ev, rank); e != nil {
		e.What, e.Path, e.Text, e.Value = what, strings.Clone(c.Name), algorithm(f.alg), strings.Clone(c.Shape)
		if kind == taxonomy.DefectDefaultSecret {
			e.Text = f.list
		}
	}
}

func (d *JWT) flaw(s *tokens, kind taxonomy.DefectKind, secret, alg, list string) *flawed {
	for i := range s.list {
		if f := &s.list[i]; f.kind == kind && f.secret == secret && f.alg == alg {
			return f
		}
	}
	if len(s.list) == maxJWTSecrets {
		d.dropped++
		return nil
	}
	s.list = append(s.list, flawed{kind: kind, secret: strings.Clone(secret), alg: strings.Clone(alg), list: strings.Clone(list)})
	return &s.list[len(s.list)-1]
}

// Merge folds the state of one API into another.
func (d *JWT) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *tokens) {
		for i := range src.list {
			g := &src.list[i]
			if f := d.flaw(dst, g.kind, g.secret, g.alg, g.list); f != nil {
				f.fold(g)
			}
		}
	})
}

func (f *flawed) fold(g *flawed) {
	f.issued.Fold(g.issued)
	f.shown.Fold(g.shown)
	f.public = f.public || g.public
	f.trials.Fold(&g.trials)
	f.samples.Fold(&g.samples)
}

// Findings reports one finding per secret, at the API that issues the tokens,
// else at the one that takes most of them: the key is the site's, not an API's.
func (d *JWT) Findings(r *defect.Report) {
	type where struct {
		api *catalog.API
		f   flawed
	}
	groups := map[[3]string][]where{}
	d.states.Each(func(h catalog.Handle, s *tokens) {
		api := r.API(h)
		if api == nil {
			return
		}
		for i := range s.list {
			f := s.list[i]
			// An open API takes any token because it looks at none.
			if !(enforces(api) || f.kind == taxonomy.DefectDefaultSecret && api.NoCred*10 <= api.WithCred) {
				f.shown = defect.Span{}
			}
			if f.issued.Count+f.shown.Count > 0 {
				k := [3]string{string(f.kind), f.alg, f.secret}
				groups[k] = append(groups[k], where{api, f})
			}
		}
	})
	keys := make([][3]string, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [3]string) int { return slices.Compare(a[:], b[:]) })
	for _, k := range keys {
		g := groups[k]
		slices.SortFunc(g, func(a, b where) int {
			return cmp.Or(cmp.Compare(b.f.issued.Count, a.f.issued.Count), cmp.Compare(b.f.shown.Count, a.f.shown.Count), cmp.Compare(a.api.ID, b.api.ID))
		})
		sum := g[0].f
		for _, w := range g[1:] {
			sum.fold(&w.f)
		}
		if sum.issued.Count == 0 && sum.kind != taxonomy.DefectJWTNone && sum.shown.Count < 3 {
			continue
		}
		span := sum.issued
		span.Fold(sum.shown)
		args := message.Args{"api": r.Name(g[0].api.Handle), "alg": algorithm(sum.alg), "secret": sum.secret, "n": span.Count,
			"product": sum.list, "issued": sum.issued.Count, "shown": sum.shown.Count, "apis": len(g)}
		id := "defect." + string(sum.kind)
		reason := id + ".reason"
		if sum.issued.Count == 0 {
			reason += ".shown"
		}
		component := ""
		if sum.kind == taxonomy.DefectDefaultSecret {
			component = sum.list
		}
		r.Add(defect.Draft{
			Kind: sum.kind, Component: component, API: g[0].api.Handle, SubKey: sum.secret, Span: span, Samples: sum.samples, Trials: &sum.trials, Affected: len(g),
			Harm: taxonomy.Critical, HarmWhy: "defect.rating.h.forge",
			Confidence: defect.Confidence(0.7, defect.If(sum.issued.Count > 0, 0.7), defect.If(sum.shown.Count >= 2, 0.4)),
			Reach:      defect.Reach{Public: sum.public, Anonymous: true, Guessable: true},
			Reason:     r.Text(reason, args), Advice: r.Text(id+".advice", args),
		})
	}
}

// algorithm writes an algorithm as the standard does.
func algorithm(alg string) string {
	if alg == "" || alg == "none" {
		return "none"
	}
	return strings.ToUpper(alg)
}

// enforces reports whether the API was seen to refuse and is not open to
// requests without a credential.
func enforces(api *catalog.API) bool {
	return api.Outcomes[catalog.OutcomeDenied] > 0 && api.NoCred*10 <= api.WithCred
}

// Counters says what was dropped.
func (d *JWT) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.jwt.apis", Count: d.states.Evicted}, {What: "defect.jwt.secrets", Count: d.dropped}}
}

var _ defect.Detector = (*JWT)(nil)
