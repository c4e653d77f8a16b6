package defect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/policy"
	"xiezhi/internal/taxonomy"
)

// Event is a catalog event with what several detectors derive from it. It is
// valid only during the call that delivers it.
type Event struct {
	*catalog.Event
	Handle    catalog.Handle // 0 when the request belongs to no API
	Source    uint64         // token of the client's address
	Anonymous bool           // no credential of any kind, or a session that is nobody's
	OK        bool           // what was asked for was given or done
	Backends  *Backends      // may be nil
	Policy    *policy.View   // what people decided, as of this event; may be nil
}

// Fill derives the rest from e.Event.
func (e *Event) Fill() {
	e.Handle = 0
	if e.API != nil {
		e.Handle = e.API.Handle
	}
	e.OK = e.Outcome == catalog.OutcomeSuccess
	e.Anonymous = e.Who.Guest || e.Who.Credential == 0 && len(e.Credentials) == 0
	a := e.Who.Client.As16()
	var hi, lo uint64
	for i := range 8 {
		hi = hi<<8 | uint64(a[i])
		lo = lo<<8 | uint64(a[i+8])
	}
	e.Source = Pair(hi, lo) | 1
}

// Class is a key of what was answered: status, business code, message, schema
// and verdict. Unlike ResponseClass it survives API merges.
func (e *Event) Class() uint64 {
	k := Pair(Pair(uint64(e.Status), HashText(e.Code)), Pair(e.MessageHash, e.Schema))
	if e.Verdict.Hash != 0 {
		k = Pair(k, e.Verdict.Hash)
	}
	return k
}

// Submitted gives the passwords that stand in the request as such. A password
// of Basic authentication proves who asks and is sent with everything.
func (e *Event) Submitted() []observe.Password {
	for i := range e.Passwords {
		if e.Passwords[i].Name == "authorization" {
			if i == 0 { // headers come before the body, or after it
				return e.Passwords[1:]
			}
			return e.Passwords[:i]
		}
	}
	return e.Passwords
}

// Echoed reports whether the request itself named the value.
func (e *Event) Echoed(token uint64) bool {
	for i := range e.Params {
		if e.Params[i].Token == token {
			return true
		}
	}
	for i := range e.Segments {
		if e.Segments[i].Token == token {
			return true
		}
	}
	for i := range e.Accounts {
		if e.Accounts[i].Token == token {
			return true
		}
	}
	return false
}

// EchoOnly reports whether the exposure holds nothing but what was asked with.
func (e *Event) EchoOnly(x *observe.Exposure) bool {
	if len(x.Subjects) == 0 || uint32(len(x.Subjects)) < x.Distinct {
		return false
	}
	for _, t := range x.Subjects {
		if !e.Echoed(t) {
			return false
		}
	}
	return true
}

// MinExposure is the confidence of a recogniser, in percent, from which on its
// word counts as evidence.
const MinExposure = 50

// Plain reports whether the exposure is plain personal data or a secret in the
// response that the asker did not bring along.
func (e *Event) Plain(x *observe.Exposure) bool {
	return x.Response && !x.Masked && x.Confidence >= MinExposure && x.Type.Level() >= 2 && !e.EchoOnly(x)
}

// Data reports whether the response is one of an API, not a page, a script or
// an image: pages show texts of which nobody can say what they mean.
func (e *Event) Data() bool {
	switch e.RespKind {
	case observe.BodyHTML, observe.BodyScript, observe.BodyImage, observe.BodyNone, observe.BodyUnread:
		return false
	}
	switch e.API.Role {
	case taxonomy.RoleStatic, taxonomy.RolePage, taxonomy.RoleDocs, taxonomy.RoleHealth:
		return false
	}
	return true
}

// OpaqueKey reports whether the object is named by something that cannot be
// guessed.
func (e *Event) OpaqueKey() bool {
	for i := range e.Segments {
		if c := e.Segments[i].Class; c == observe.ClassUUID || c == observe.ClassToken {
			return true
		}
	}
	for i := range e.Params {
		p := &e.Params[i]
		if (p.In == observe.InQuery || p.In == observe.InJSON || p.In == observe.InForm) &&
			(p.Class == observe.ClassUUID || p.Class == observe.ClassToken) {
			return true
		}
	}
	return false
}

// Texts reports whether a value of the request is a text: only such could have
// a quote in it.
func (e *Event) Texts() bool {
	for i := range e.Params {
		switch e.Params[i].Class {
		case observe.ClassPhrase, observe.ClassOther, observe.ClassWord, observe.ClassMixed:
			return true
		}
	}
	for i := range e.Segments {
		if c := e.Segments[i].Class; c == observe.ClassPhrase || c == observe.ClassOther || c == observe.ClassMixed {
			return true
		}
	}
	return false
}

// Rules gives what is known about a signature, nil when nothing is.
type Rules interface {
	Rule(id string) *signature.Rule
}

// Detector finds one or several kinds of defect. Observe sees the events in
// order; Merge folds the state of one API into another; Findings may be called
// at any time and changes nothing.
type Detector interface {
	Observe(ev *Event)
	Merge(from, into catalog.Handle)
	Findings(r *Report)
	Counters() []Counter
}

// Counter says how often a bounded part was full.
type Counter struct {
	What  string
	Count uint64
}

// Draft is a finding before it is rated.
type Draft struct {
	Kind       taxonomy.DefectKind
	Component  string
	SubKey     string
	API        catalog.Handle
	Confidence float64
	Harm       taxonomy.Severity
	HarmWhy    string // message id
	Reach      Reach
	Exploit    taxonomy.Severity // overrides Reach when set
	ExploitWhy string
	Floor      taxonomy.Severity // lowest level, when the specification names one
	Span       Span
	Samples    Samples
	Trials     *Trials // history for the proof of a fix; nil: cannot be verified passively
	Reason     message.Text
	Advice     message.Text
	OWASP, CWE []string // the kind's own when empty
	Affected   int      // APIs the finding stands for, 1 when 0
}

// Report collects drafts and makes findings of them.
type Report struct {
	Texts *message.Catalog
	Rules Rules // may be nil
	Site  string
	// Decided is what people said of findings.
	Decided Decisions
	apis    map[catalog.Handle]*catalog.API
	scope   int // APIs that answer data
	logins  int // APIs that ask who somebody is
	drafts  []Draft
}

// NewReport starts a report about these APIs.
func NewReport(m *message.Catalog, rules Rules, apis []*catalog.API) *Report {
	r := &Report{Texts: m, Rules: rules, apis: make(map[catalog.Handle]*catalog.API, len(apis))}
	for _, a := range apis {
		r.apis[a.Handle] = a
		r.Site = a.Site
		switch a.Role {
		case taxonomy.RoleStatic, taxonomy.RolePage, taxonomy.RoleDocs:
		default:
			r.scope++
		}
		if IdentityRole(a.Role) {
			r.logins++
		}
	}
	return r
}

// API gives the API of a handle, nil when the catalogue no longer has it.
func (r *Report) API(h catalog.Handle) *catalog.API { return r.apis[h] }

// Name is how texts call an API.
func (r *Report) Name(h catalog.Handle) string {
	if a := r.apis[h]; a != nil {
		return a.Method + " " + a.Template
	}
	return r.Site
}

// Text words a message.
func (r *Report) Text(id string, args message.Args) message.Text { return r.Texts.Text(id, args) }

// Add takes a draft; what is not at least probable is not reported.
func (r *Report) Add(d Draft) {
	if d.Confidence >= 0.6 {
		r.drafts = append(r.drafts, d)
	}
}

// IdentityRole reports whether the role is one of those that ask who somebody
// is: the in-scope APIs of password and oracle defects.
func IdentityRole(role taxonomy.Role) bool {
	switch role {
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode, taxonomy.RoleRegister, taxonomy.RolePasswordReset, taxonomy.RolePasswordChange,
		taxonomy.RoleCodeSend, taxonomy.RoleCodeVerify, taxonomy.RoleIdentityCheck, taxonomy.RoleQueryProgress, taxonomy.RoleInvite:
		return true
	}
	return false
}

// Findings rates the drafts: most severe first, then by id.
func (r *Report) Findings() []Finding {
	affected := map[taxonomy.DefectKind]int{}
	type place struct {
		kind taxonomy.DefectKind
		api  catalog.Handle
	}
	counted := map[place]bool{}
	for i := range r.drafts {
		d := &r.drafts[i]
		if p := (place{d.Kind, d.API}); !counted[p] {
			counted[p] = true
			affected[d.Kind] += max(d.Affected, 1)
		}
	}
	out := make([]Finding, 0, len(r.drafts))
	for i := range r.drafts {
		out = append(out, r.rate(&r.drafts[i], affected[r.drafts[i].Kind]))
	}
	slices.SortFunc(out, func(a, b Finding) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

func (r *Report) rate(d *Draft, affected int) Finding {
	class := taxonomy.ClassOf[d.Kind]
	scope := r.scope
	if class == taxonomy.ClassWeakPassword || d.Kind == taxonomy.DefectIdentityOracle {
		scope = r.logins
	}
	e, why := d.Exploit, d.ExploitWhy
	if e == taxonomy.Unrated {
		e, why = d.Reach.Exploitability()
	}
	h := max(d.Harm, taxonomy.Moderate)
	p := Prevalence(d.Kind, affected, scope)
	score := Score(h, e, p)
	about := about(d.Kind)
	f := Finding{
		ID: ID(r, d), Kind: d.Kind, Component: d.Component, SubKey: d.SubKey, API: d.API,
		Severity: max(Level(score), d.Floor), Harm: h, Exploitability: e, Prevalence: p, Score: score,
		Confidence: d.Confidence, Status: StatusOf(d.Confidence),
		First: d.Span.First, Last: d.Span.Last, Count: d.Span.Count,
		Evidence: d.Samples.Evidence(r.Texts), Reason: d.Reason, Advice: d.Advice,
		OWASP: d.OWASP, CWE: d.CWE,
		Rating: r.Text("defect.rating", message.Args{
			"score": score, "h": int(h), "e": int(e), "p": int(p),
			"harm": r.Text(d.HarmWhy, nil), "exploit": r.Text(why, nil),
			"affected": affected, "scope": max(scope, affected)}),
		Why: Axes{
			Harm:           r.Text("defect.axis.harm", message.Args{"n": int(h), "why": r.Text(d.HarmWhy, nil)}),
			Exploitability: r.Text("defect.axis.exploitability", message.Args{"n": int(e), "why": r.Text(why, nil)}),
			Prevalence: r.Text("defect.axis.prevalence", message.Args{"n": int(p), "affected": affected, "scope": max(scope, affected),
				"local": int(Local(affected, scope)), "general": int(prior[class])}),
		},
	}
	for i := range f.Evidence {
		if e := &f.Evidence[i]; len(e.Request) > 0 && r.API(d.API) != nil {
			e.Request = slices.Concat([]string{r.Name(d.API)}, e.Request)
		}
	}
	if d.Trials != nil {
		f.Trials = d.Trials.Clone()
	}
	if len(f.OWASP) == 0 {
		f.OWASP = about.owasp
	}
	if len(f.CWE) == 0 {
		f.CWE = about.cwe
	}
	f.OWASP, f.CWE = slices.Clone(f.OWASP), slices.Clone(f.CWE)
	r.decide(&f)
	return f
}

// ID is the identity of a finding: hash(site, method, template, kind,
// component, sub-key).
func ID(r *Report, d *Draft) string {
	site, method, template := r.Site, "", ""
	if a := r.apis[d.API]; a != nil {
		site, method, template = a.Site, a.Method, a.Template
	}
	h := sha256.Sum256([]byte(strings.Join([]string{site, method, template, string(d.Kind), d.Component, d.SubKey}, "\x00")))
	return hex.EncodeToString(h[:8])
}
