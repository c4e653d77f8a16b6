package misconfig

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxURLAPIs   = 8192
	maxURLParams = 8
	minURLEvents = 3
)

// URL finds APIs that take secrets in the address, where logs, proxies and
// Referer headers keep them: passwords, tokens, keys, identity numbers, cards.
type URL struct {
	states  *defect.States[inURL]
	dropped uint64
}

type inURL struct {
	params []urlParam
	events uint64 // successes since the first firing
}

type urlParam struct {
	name    string
	typ     taxonomy.Sensitive
	span    defect.Span
	public  bool
	values  defect.Set
	sources defect.Set
	samples defect.Samples
	trials  defect.Trials // successes
	hit     uint64        // the last of inURL.events that had it
}

// NewURL returns the detector.
func NewURL() *URL { return &URL{states: defect.NewStates[inURL](maxURLAPIs)} }

// Observe takes one event.
func (d *URL) Observe(ev *defect.Event) {
	if ev.Handle == 0 || !ev.OK {
		return
	}
	if ev.Query || pathSession(ev) {
		d.look(ev)
	}
	if s := d.states.Get(ev.Handle); s != nil {
		for i := range s.params {
			p := &s.params[i]
			p.trials.Count(ev.End, p.hit == s.events)
		}
		s.events++
	}
}

// pathSession reports whether a credential stands in the path, as where
// sessions are kept without cookies: /orders;jsessionid=….
func pathSession(ev *defect.Event) bool {
	for i := range ev.Credentials {
		if ev.Credentials[i].In == observe.InPath {
			return true
		}
	}
	return false
}

// look counts the secrets of an address.
func (d *URL) look(ev *defect.Event) {
	switch ev.API.Role {
	case taxonomy.RolePasswordReset, taxonomy.RoleCodeVerify, taxonomy.RoleInvite, taxonomy.RoleStatic, taxonomy.RolePage, taxonomy.RoleDocs:
		return // links sent by mail carry their token once, and must
	}
	for i := range ev.Params {
		p := &ev.Params[i]
		if p.In != observe.InQuery || p.Sensitive.Level() < 3 || p.Sensitive == taxonomy.SensVerificationCode {
			continue
		}
		token, shape := p.Token, p.Shape
		if w := passwordOf(ev, p.Name); w != nil {
			token, shape = uint64(w.Tag)|1<<32, w.Shape
		}
		if token != 0 {
			d.count(ev, p.Name, p.Sensitive, token, shape)
		}
	}
	for i := range ev.Credentials {
		c := &ev.Credentials[i]
		if (c.In == observe.InQuery || c.In == observe.InPath) && (c.Kind == observe.CredBearer || c.Kind == observe.CredAPIKey || c.Kind == observe.CredCookie) && !named(ev, c.Name) {
			d.count(ev, c.Name, taxonomy.SensAccessToken, c.Token, c.Shape)
		}
	}
}

// passwordOf gives the password of that name; of passwords only a tag is kept.
func passwordOf(ev *defect.Event, name string) *observe.Password {
	for i := range ev.Passwords {
		if ev.Passwords[i].Name == name {
			return &ev.Passwords[i]
		}
	}
	return nil
}

// named reports whether the parameter was already counted as such.
func named(ev *defect.Event, name string) bool {
	for i := range ev.Params {
		if p := &ev.Params[i]; p.In == observe.InQuery && p.Name == name && p.Sensitive.Level() >= 3 {
			return true
		}
	}
	return false
}

func (d *URL) count(ev *defect.Event, name string, t taxonomy.Sensitive, token uint64, shape string) {
	s := d.states.Ensure(ev.Handle)
	p := d.param(s, name, t)
	if p == nil {
		return
	}
	p.hit = s.events
	p.span.Add(ev.End)
	p.public = p.public || !ev.Who.Private
	p.values.Add(token)
	p.sources.Add(ev.Source)
	if e := p.samples.Show(ev, 0); e != nil {
		e.What, e.Path, e.Type, e.Value = "defect.evidence.url", p.name, t, strings.Clone(shape)
	}
}

func (d *URL) param(s *inURL, name string, t taxonomy.Sensitive) *urlParam {
	for i := range s.params {
		if s.params[i].name == name && s.params[i].typ == t {
			return &s.params[i]
		}
	}
	if len(s.params) == maxURLParams {
		d.dropped++
		return nil
	}
	s.params = append(s.params, urlParam{name: strings.Clone(name), typ: t})
	return &s.params[len(s.params)-1]
}

// Merge folds the state of one API into another.
func (d *URL) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *inURL) {
		for i := range src.params {
			g := &src.params[i]
			if p := d.param(dst, g.name, g.typ); p != nil {
				p.span.Fold(g.span)
				p.public = p.public || g.public
				p.trials.Fold(&g.trials)
				p.values.Union(&g.values)
				p.sources.Union(&g.sources)
				p.samples.Fold(&g.samples)
			}
		}
	})
}

// Findings reports what is known.
func (d *URL) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *inURL) {
		if r.API(h) == nil {
			return
		}
		for i := range s.params {
			p := &s.params[i]
			values, token := p.values.Count(), p.typ == taxonomy.SensAccessToken || p.typ == taxonomy.SensSessionID || p.typ == taxonomy.SensSecretKey
			if p.span.Count < minURLEvents || values < 2 && p.sources.Count() < 2 {
				continue
			}
			// Each value used once: a ticket or a signed link, not a credential.
			if token && p.values.Exact() && values == p.span.Count {
				continue
			}
			harm, why := taxonomy.Critical, "defect.rating.h.secret"
			if p.typ.Level() < 4 {
				harm, why = taxonomy.High, "defect.rating.h.special"
			}
			// Who wants the secret must get at logs, history or the way.
			exploit, exploitWhy := taxonomy.Moderate, "defect.rating.e.internal"
			if p.public {
				exploit, exploitWhy = taxonomy.Elevated, "defect.rating.e.logs"
			}
			args := message.Args{"api": r.Name(h), "name": p.name, "type": defect.TypeName(r.Texts, p.typ), "n": p.span.Count,
				"values": p.values.Number(), "sources": p.sources.Number()}
			advice := "defect.secret_in_url.advice"
			if p.typ.Level() == 4 && p.typ != taxonomy.SensPassword {
				advice += ".token"
			}
			r.Add(defect.Draft{
				Kind: taxonomy.DefectSecretInURL, API: h, SubKey: p.name, Span: p.span, Samples: p.samples, Trials: &p.trials, Harm: harm, HarmWhy: why,
				Confidence: defect.Confidence(0.7, defect.If(values >= 3, 0.3), defect.If(p.span.Count >= 10, 0.3), defect.If(p.sources.Count() >= 3, 0.2)),
				Exploit:    exploit, ExploitWhy: exploitWhy,
				Reason: r.Text("defect.secret_in_url.reason", args),
				Advice: r.Text(advice, args),
			})
		}
	})
}

// Counters says what was dropped.
func (d *URL) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.url.apis", Count: d.states.Evicted}, {What: "defect.url.parameters", Count: d.dropped}}
}

var _ defect.Detector = (*URL)(nil)
