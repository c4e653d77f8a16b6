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
	maxIssuers   = 4096
	maxIssued    = 8 // names per API
	minIssued    = 3
	minReceivers = 2
	day          = int64(24 * 3600) // seconds
	// longLife is from where on a token lives too long (APIClarity's limit).
	longLife = 5 * day
)

// Issued finds what APIs give out to be signed in with and promises too little:
// tokens without an end or with one far away, session cookies that scripts can
// read or that travel without TLS. A refresh token may live longer, and a
// token against forged requests is for scripts to read.
type Issued struct {
	states  *defect.States[issuer]
	dropped uint64
}

type issuer struct{ list []issue }

// issue is one name under which an API gives something out.
type issue struct {
	kind      taxonomy.DefectKind
	name      string
	span      defect.Span
	endless   uint64 // tokens without an end
	longest   int64  // seconds
	scripts   uint64 // cookies that scripts can read
	clear     uint64 // cookies that may travel without TLS
	public    bool
	receivers defect.Set
	samples   defect.Samples
	trials    defect.Trials // everything given out under the name
}

// NewIssued returns the detector.
func NewIssued() *Issued { return &Issued{states: defect.NewStates[issuer](maxIssuers)} }

// Observe takes one event.
func (d *Issued) Observe(ev *defect.Event) {
	if ev.Handle == 0 || !ev.OK {
		return
	}
	for i := range ev.Issued {
		c := &ev.Issued[i]
		switch {
		case c.JWT != nil && !renews(c.Name):
			d.token(ev, c)
		case c.Kind == observe.CredCookie && c.In == observe.InCookie && !forScripts(c.Name):
			d.cookie(ev, c)
		}
	}
}

func (d *Issued) token(ev *defect.Event, c *observe.Credential) {
	from := c.JWT.IssuedAt
	if from == 0 {
		from = ev.End / 1e9
	}
	life := c.JWT.Expires - from
	fired := c.JWT.Expires == 0 || life > longLife
	x := d.issue(ev, taxonomy.DefectJWTLifetime, c, fired)
	if x == nil || !fired {
		return
	}
	text := "exp"
	if c.JWT.Expires == 0 {
		x.endless++
		text = "-"
	} else {
		x.longest = max(x.longest, life)
	}
	if e := x.samples.Show(ev, 0); e != nil {
		e.What, e.Path, e.Text, e.N, e.Value = "defect.evidence.jwt_lifetime", x.name, text, uint64(max(life, 0)/day), strings.Clone(c.Shape)
	}
}

func (d *Issued) cookie(ev *defect.Event, c *observe.Credential) {
	scripts, clear := c.Cookie&observe.CookieHTTPOnly == 0, ev.Secure && c.Cookie&observe.CookieSecure == 0
	x := d.issue(ev, taxonomy.DefectInsecureCookie, c, scripts || clear)
	if x == nil || !scripts && !clear {
		return
	}
	missing := ""
	if scripts {
		x.scripts++
		missing = "HttpOnly"
	}
	if clear {
		x.clear++
		missing = strings.TrimPrefix(missing+", Secure", ", ")
	}
	if e := x.samples.Show(ev, uint32(len(missing))); e != nil {
		e.What, e.Path, e.Text, e.Value = "defect.evidence.insecure_cookie", x.name, missing, strings.Clone(c.Shape)
	}
}

// issue counts something given out; nil where nothing ever fired.
func (d *Issued) issue(ev *defect.Event, k taxonomy.DefectKind, c *observe.Credential, fired bool) *issue {
	s := d.states.Get(ev.Handle)
	if s == nil {
		if !fired {
			return nil
		}
		s = d.states.Ensure(ev.Handle)
	}
	x := d.find(s, k, c.Name, fired)
	if x == nil {
		return nil
	}
	x.trials.Count(ev.End, fired)
	if fired {
		x.span.Add(ev.End)
		x.receivers.Add(ev.Source)
		x.public = x.public || !ev.Who.Private
	}
	return x
}

func (d *Issued) find(s *issuer, k taxonomy.DefectKind, name string, add bool) *issue {
	for i := range s.list {
		if s.list[i].kind == k && s.list[i].name == name {
			return &s.list[i]
		}
	}
	if !add {
		return nil
	}
	if len(s.list) == maxIssued {
		d.dropped++
		return nil
	}
	s.list = append(s.list, issue{kind: k, name: strings.Clone(name)})
	return &s.list[len(s.list)-1]
}

// renews reports whether a token is one to get others with.
func renews(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "refresh") || strings.Contains(name, "remember")
}

// forScripts reports whether a cookie is there for scripts: against forged
// requests, it is sent back in a header.
func forScripts(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "xsrf") || strings.Contains(name, "csrf")
}

// Merge folds the state of one API into another.
func (d *Issued) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *issuer) {
		for i := range src.list {
			g := &src.list[i]
			x := d.find(dst, g.kind, g.name, true)
			if x == nil {
				continue
			}
			x.span.Fold(g.span)
			x.endless += g.endless
			x.longest = max(x.longest, g.longest)
			x.scripts += g.scripts
			x.clear += g.clear
			x.public = x.public || g.public
			x.receivers.Union(&g.receivers)
			x.samples.Fold(&g.samples)
			x.trials.Fold(&g.trials)
		}
	})
}

// Findings reports what is known.
func (d *Issued) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *issuer) {
		if r.API(h) == nil {
			return
		}
		for i := range s.list {
			x := &s.list[i]
			if x.span.Count < minIssued || x.receivers.Count() < minReceivers {
				continue
			}
			args := message.Args{"api": r.Name(h), "name": x.name, "n": x.span.Count, "days": x.longest / day, "endless": x.endless, "scripts": x.scripts, "clear": x.clear}
			reason := "defect." + string(x.kind) + ".reason"
			switch {
			case x.kind == taxonomy.DefectJWTLifetime && x.endless > 0:
				reason += ".endless"
			case x.kind == taxonomy.DefectInsecureCookie && x.clear == 0:
				reason += ".scripts"
			case x.kind == taxonomy.DefectInsecureCookie && x.scripts == 0:
				reason += ".clear"
			}
			exploit, why := taxonomy.Moderate, "defect.rating.e.internal"
			if x.public {
				exploit, why = taxonomy.Elevated, "defect.rating.e.stolen"
			}
			r.Add(defect.Draft{
				Kind: x.kind, API: h, SubKey: x.name, Span: x.span, Samples: x.samples, Trials: &x.trials,
				Harm: taxonomy.Elevated, HarmWhy: "defect.rating.h.session", Exploit: exploit, ExploitWhy: why,
				Confidence: defect.Confidence(0.75, defect.If(x.span.Count >= 10, 0.3), defect.If(x.receivers.Count() >= 5, 0.2)),
				Reason:     r.Text(reason, args), Advice: r.Text("defect."+string(x.kind)+".advice", args),
			})
		}
	})
}

// Counters says what was dropped.
func (d *Issued) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.issued.apis", Count: d.states.Evicted}, {What: "defect.issued.names", Count: d.dropped}}
}

var _ defect.Detector = (*Issued)(nil)
