package unauthorized

import (
	"strings"
	"unicode"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxSecretFields = 8
	maxTags         = 4096
	minSecretEvents = 3
)

// Secret finds responses that hold passwords or keys: by name and shape over
// several people, or because a value equals a password that somebody submitted.
type Secret struct {
	states  *defect.States[secret]
	tags    *defect.Recent // tags of submitted passwords
	dropped uint64
}

type secret struct{ fields []secretField }

type secretField struct {
	path      string
	typ       taxonomy.Sensitive
	span      defect.Span
	trials    defect.Trials // answers of the API, and refusals of strangers where they were given it
	fired     bool          // by the answer at hand
	matched   uint64        // answers that hold a submitted password
	anonymous uint64
	opaque    uint64
	public    bool
	values    defect.Set
	sources   defect.Set
	most      uint32
	samples   defect.Samples
}

// NewSecret returns the detector.
func NewSecret() *Secret {
	return &Secret{states: defect.NewStates[secret](maxAPIs), tags: defect.NewRecent(maxTags)}
}

// Observe takes one event.
func (d *Secret) Observe(ev *defect.Event) {
	for i := range ev.Passwords {
		if p := &ev.Passwords[i]; p.Tag != 0 && p.Form != observe.PasswordSealed {
			d.tags.Add(uint64(p.Tag))
		}
	}
	if ev.Handle != 0 && ev.Anonymous && d.states.Len() > 0 && (ev.Outcome == catalog.OutcomeDenied || ev.Outcome == catalog.OutcomeNotFound) {
		d.refused(ev)
	}
	if ev.Handle == 0 || !ev.OK || ev.Status >= 300 || !ev.Data() {
		return
	}
	if len(ev.Exposures) > 0 {
		d.expose(ev)
	}
	if d.states.Len() > 0 {
		d.count(ev)
	}
}

// count takes the answer into the history of each field: with the secret or
// without.
func (d *Secret) count(ev *defect.Event) {
	s := d.states.Get(ev.Handle)
	if s == nil {
		return
	}
	for i := range s.fields {
		f := &s.fields[i]
		f.trials.Count(ev.End, f.fired)
		f.fired = false
	}
}

// refused takes a refusal of a stranger into the history of what strangers were
// given.
func (d *Secret) refused(ev *defect.Event) {
	s := d.states.Get(ev.Handle)
	if s == nil {
		return
	}
	for i := range s.fields {
		if f := &s.fields[i]; f.anonymous*10 >= f.span.Count*9 {
			f.trials.Count(ev.End, false)
		}
	}
}

func (d *Secret) expose(ev *defect.Event) {
	for i := range ev.Exposures {
		x := &ev.Exposures[i]
		if x.Type.Level() != 4 || !ev.Plain(x) || metadata(x.Path) || d.own(ev, x) {
			continue
		}
		s := d.states.Ensure(ev.Handle)
		f := d.field(s, x.Path, x.Type)
		if f == nil {
			d.dropped++
			continue
		}
		matched := d.matches(ev, x)
		f.span.Add(ev.End)
		f.fired = true
		f.sources.Add(ev.Source)
		f.public = f.public || !ev.Who.Private
		f.most = max(f.most, x.Distinct)
		if matched {
			f.matched++
		}
		if ev.Anonymous {
			f.anonymous++
		}
		if ev.OpaqueKey() {
			f.opaque++
		}
		for _, t := range x.Subjects {
			f.values.Add(t)
		}
		for _, t := range x.Tags { // passwords have no token
			f.values.Add(uint64(t))
		}
		rank := min(x.Distinct, 0xffff)
		what := "defect.evidence.secret"
		if matched {
			rank |= 1 << 16
			what = "defect.evidence.secret_submitted"
		}
		if p := f.samples.Show(ev, rank); p != nil {
			p.What, p.Path, p.Type, p.N, p.Value = what, f.path, x.Type, uint64(x.Count), strings.Clone(x.Shape)
		}
	}
}

// own reports whether the secret is rightly the asker's: a token just issued,
// or the content of an object whose owner is known (then BOLA judges).
func (d *Secret) own(ev *defect.Event, x *observe.Exposure) bool {
	switch x.Type {
	case taxonomy.SensPassword:
		for i := range ev.Passwords { // the password that the request itself set
			for _, t := range x.Tags {
				if x.Distinct <= 1 && t != 0 && t == ev.Passwords[i].Tag {
					return true
				}
			}
		}
		return false
	case taxonomy.SensVerificationCode:
		return true
	case taxonomy.SensAccessToken, taxonomy.SensSessionID:
		// One token is the asker's own; tokens of several people in one answer
		// are not.
		return x.Distinct < 2 || ev.Records < 2 || ownData(ev.API.Role)
	case taxonomy.SensSecretKey, taxonomy.SensPrivateKey:
		if ev.Ownership != catalog.OwnershipUnknown && x.Distinct <= 1 {
			return true
		}
		// A key is shown once, to whom it is made for.
		if x.Distinct <= 1 && !ev.Anonymous && (ev.Method == "POST" || ev.Method == "PUT") || ownData(ev.API.Role) {
			return true
		}
	}
	for i := range ev.Issued {
		for _, t := range x.Subjects {
			if ev.Issued[i].Token == t && x.Distinct <= 1 {
				return true
			}
		}
	}
	return false
}

// matches reports whether the response holds a password that was submitted
// elsewhere. A tag has 24 bits, so outside of fields that are called a
// password one equal tag is chance and two are not.
func (d *Secret) matches(ev *defect.Event, x *observe.Exposure) bool {
	n := 0
	for _, t := range x.Tags {
		if t == 0 || !d.tags.Has(uint64(t)) {
			continue
		}
		if own(ev, t) {
			continue
		}
		n++
	}
	return n >= 2 || n == 1 && x.Type == taxonomy.SensPassword
}

func own(ev *defect.Event, tag uint32) bool {
	for i := range ev.Passwords {
		if ev.Passwords[i].Tag == tag {
			return true
		}
	}
	return false
}

// metadata reports whether the last element of a path speaks about a secret
// and is none: passwordStatus, secret_expires_at.
func metadata(path string) bool {
	last := path[strings.LastIndexByte(path, '.')+1:]
	last = strings.TrimSuffix(last, "[]")
	start := len(last)
	for start > 0 {
		r := rune(last[start-1])
		if r == '_' || r == '-' {
			break
		}
		start--
		if unicode.IsUpper(r) && start > 0 && !unicode.IsUpper(rune(last[start-1])) {
			break
		}
	}
	switch strings.ToLower(last[start:]) {
	case "status", "strength", "policy", "policies", "expires", "expiry", "expired", "expire", "at", "time", "date", "updated", "changed",
		"required", "reset", "length", "type", "count", "hint", "label", "url", "uri", "link", "placeholder", "level", "set", "enabled",
		"rule", "rules", "tip", "tips", "message", "msg", "text", "title", "name", "id", "flag", "state", "score", "days", "need":
		return true
	}
	return false
}

func (d *Secret) field(s *secret, path string, t taxonomy.Sensitive) *secretField {
	for i := range s.fields {
		if s.fields[i].typ == t && s.fields[i].path == path {
			return &s.fields[i]
		}
	}
	if len(s.fields) == maxSecretFields {
		return nil
	}
	s.fields = append(s.fields, secretField{path: strings.Clone(path), typ: t, values: defect.Set{Cap: setValues}})
	return &s.fields[len(s.fields)-1]
}

// Merge folds the state of one API into another.
func (d *Secret) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *secret) {
		for i := range src.fields {
			g := &src.fields[i]
			f := d.field(dst, g.path, g.typ)
			if f == nil {
				d.dropped++
				continue
			}
			f.span.Fold(g.span)
			f.trials.Fold(&g.trials)
			f.matched += g.matched
			f.anonymous += g.anonymous
			f.opaque += g.opaque
			f.public = f.public || g.public
			f.most = max(f.most, g.most)
			f.values.Union(&g.values)
			f.sources.Union(&g.sources)
			f.samples.Fold(&g.samples)
		}
	})
}

// Findings reports what is known.
func (d *Secret) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *secret) {
		if r.API(h) == nil {
			return
		}
		for i := range s.fields {
			f := &s.fields[i]
			values := max(f.values.Count(), uint64(f.most))
			// One value for everybody is a label or a constant of the page.
			if f.matched == 0 && (f.span.Count < minSecretEvents || values < 2) {
				continue
			}
			id := "defect.secret_in_response"
			if f.matched > 0 {
				id += ".submitted"
			}
			name := defect.ShownName(r.Texts, f.typ)
			if f.matched > 0 {
				name = defect.TypeName(r.Texts, f.typ)
			}
			args := message.Args{"api": r.Name(h), "path": f.path, "type": name, "values": defect.Number(values, f.values.Exact()),
				"n": f.span.Count, "sources": f.sources.Number(), "matched": f.matched}
			r.Add(defect.Draft{
				Kind: taxonomy.DefectSecretInResponse, API: h, SubKey: f.path, Span: f.span, Samples: f.samples, Trials: &f.trials,
				Confidence: defect.Confidence(0.6, defect.If(f.matched > 0, 0.75), defect.If(values >= 3, 0.3), defect.If(f.span.Count >= 5, 0.2),
					defect.If(f.sources.Count() >= 3, 0.2), defect.If(f.typ == taxonomy.SensPassword, 0.3)),
				Harm: taxonomy.Critical, HarmWhy: "defect.rating.h.secret",
				Reach:  defect.Reach{Public: f.public, Anonymous: f.anonymous > 0, Guessable: f.opaque*2 <= f.span.Count, Register: true},
				Reason: r.Text(id+".reason", args),
				Advice: r.Text("defect.secret_in_response.advice", args),
			})
		}
	})
}

// Counters says what was dropped.
func (d *Secret) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.secret.apis", Count: d.states.Evicted}, {What: "defect.secret.fields", Count: d.dropped}, {What: "defect.secret.tags", Count: d.tags.Turns}}
}

var _ defect.Detector = (*Secret)(nil)
