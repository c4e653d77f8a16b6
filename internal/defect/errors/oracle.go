// Package errors finds answers that tell more than they should: whether an
// account exists, by word or by time, and how the program works inside.
//
// It takes events and gives drafts. Invariant: only failed attempts of the same
// kind are compared, so that a right password, a limit, a lock or a captcha is
// never mistaken for news about the account. Limits: per identity API 16
// classes of answers and a sample of 256 identities.
package errors

import (
	"cmp"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxOracles    = 2048
	maxClasses    = 16
	maxIdentities = 256
	smallBody     = 64 // bytes: below, the size itself tells True from False

	minWorded     = 3  // identities per class when the wording says it
	minIdentities = 20 // identities per class when only statistics do
	minRegistered = 5
	minRepeated   = 10
	minAsked      = 5 // identities per answer, and asked for again, of an API that says yes or no
)

// Oracle finds APIs whose answer tells whether an account exists.
type Oracle struct {
	states  *defect.States[oracle]
	dropped uint64
}

type oracle struct {
	span       defect.Span
	public     bool
	anonymous  uint64
	overflow   bool
	classes    []class
	identities []seen // sample: the smallest hashes, ascending
}

// class is one way to answer.
type class struct {
	key        uint64
	span       defect.Span
	success    bool
	small      bool   // too small to hold a message
	verdict    uint64 // hash of what is answered by yes or no, see observe.Verdict
	answered   string // the field that says it, and what it says
	worded     bool   // a message says it, not a field alone
	says       observe.MessageClass
	status     uint16
	code, text string
	identities defect.Set
	registered defect.Set // identities known to exist
	fresh      defect.Set // identities never named before
	samples    defect.Samples
	trials     defect.Trials // answers about identities that are not known to exist
}

// seen is what became of one identity, by class key.
type seen struct {
	hash   uint64
	source uint64
	many   bool // from several sources
	tally  [4]tally
	rest   uint32
}

type tally struct {
	key uint64
	n   uint32
}

// NewOracle returns the detector.
func NewOracle() *Oracle { return &Oracle{states: defect.NewStates[oracle](maxOracles)} }

// asks reports whether the role tells something about an identity that is not
// the asker's own.
func asks(r taxonomy.Role) bool {
	switch r {
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode, taxonomy.RoleRegister, taxonomy.RolePasswordReset, taxonomy.RoleCodeSend,
		taxonomy.RoleIdentityCheck, taxonomy.RoleQueryProgress, taxonomy.RoleInvite:
		return true
	}
	return false
}

// subject gives the identity that the request names.
func subject(ev *defect.Event) uint64 {
	if ev.Who.Subject != 0 {
		return ev.Who.Subject
	}
	if len(ev.Accounts) > 0 {
		return ev.Accounts[0].Token
	}
	if r := ev.API.Role; r == taxonomy.RoleIdentityCheck || r == taxonomy.RoleQueryProgress {
		for i := range ev.Params {
			if p := &ev.Params[i]; p.Sensitive.Level() >= 2 {
				return p.Token
			}
		}
		for i := range ev.Segments {
			if s := &ev.Segments[i]; s.Sensitive.Level() >= 2 {
				return s.Token
			}
		}
	}
	return 0
}

// comparable reports whether the answer may be compared with others: not a
// success where a secret decides, not a limit, not a refusal for form's sake.
func comparable(ev *defect.Event) bool {
	if ev.MessageSays&(observe.SaysThrottled|observe.SaysLocked|observe.SaysCaptcha) != 0 {
		return false
	}
	switch ev.Outcome {
	case catalog.OutcomeThrottled, catalog.OutcomeError, catalog.OutcomeUnknown, catalog.OutcomeRedirect:
		return false
	case catalog.OutcomeInvalid:
		return ev.MessageSays&(observe.SaysNotRegistered|observe.SaysRegistered|observe.SaysWrongSecret) != 0
	case catalog.OutcomeSuccess:
		switch ev.API.Role {
		case taxonomy.RoleLogin, taxonomy.RoleLoginCode:
			return false // the secret was right: condition on failure
		}
	}
	return true
}

// ownProof reports whether a code in the request proves that the identity is
// the asker's: then the answer tells the owner about himself.
func ownProof(ev *defect.Event) bool {
	if ev.API.Role == taxonomy.RoleLoginCode {
		return false
	}
	for i := range ev.Params {
		if ev.Params[i].Sensitive == taxonomy.SensVerificationCode && !defect.Pictured(ev.Params[i].Name) {
			return true
		}
	}
	return false
}

// classKey is a key of the answer. Bodies too small to hold a message, such as
// true and false, are told apart by their size.
func classKey(ev *defect.Event) uint64 {
	k := ev.Class()
	if ev.MessageHash == 0 && ev.RespBytes <= smallBody && ev.Verdict.Hash == 0 {
		k = defect.Pair(k, ev.RespBytes)
	}
	return k | 1
}

// Observe takes one event.
func (d *Oracle) Observe(ev *defect.Event) {
	if ev.Handle == 0 || !asks(ev.API.Role) || ev.Status == 0 {
		return
	}
	id := subject(ev)
	if id == 0 || id == ev.Who.Principal || !comparable(ev) || ownProof(ev) {
		return
	}
	s := d.states.Ensure(ev.Handle)
	key := classKey(ev)
	c := d.class(s, key)
	if c == nil {
		return
	}
	if c.span.Count == 0 {
		c.success, c.says, c.status, c.small = ev.OK, ev.MessageSays, ev.Status, ev.RespBytes <= smallBody
		c.verdict, c.worded = ev.Verdict.Hash, c.saysAbsent() || c.saysPresent()
		if c.verdict != 0 {
			c.answered = answered(&ev.Verdict)
			if !c.worded {
				c.says |= ev.Verdict.Says
			}
		}
		c.code, c.text = strings.Clone(ev.Code), strings.Clone(ev.Message)
	}
	s.span.Add(ev.End)
	s.public = s.public || !ev.Who.Private
	if ev.Anonymous {
		s.anonymous++
	}
	c.span.Add(ev.End)
	c.identities.Add(id)
	if !ev.Who.Registered {
		c.trials.Count(ev.End, true)
	}
	switch {
	case ev.Who.Registered:
		c.registered.Add(id)
	case ev.Who.NewSubject:
		c.fresh.Add(id)
	}
	if e := c.samples.Show(ev, 0); e != nil {
		e.What, e.Status, e.Text, e.Value = "defect.evidence.answer", ev.Status, c.label(), shapeOf(ev)
	}
	s.note(defect.Mix(id), ev.Source, key)
}

func shapeOf(ev *defect.Event) string {
	if len(ev.Accounts) > 0 {
		return strings.Clone(ev.Accounts[0].Shape)
	}
	return ""
}

// answered writes a verdict as texts quote it.
func answered(v *observe.Verdict) string {
	text := "false"
	if v.Yes {
		text = "true"
	}
	if v.Field == "" {
		return text
	}
	return v.Field + ": " + text
}

// label is how texts quote the class.
func (c *class) label() string {
	switch {
	case c.answered != "" && !c.worded:
		return c.answered
	case c.text != "":
		return c.text
	case c.code != "":
		return c.code
	}
	return ""
}

func (d *Oracle) class(s *oracle, key uint64) *class {
	for i := range s.classes {
		if s.classes[i].key == key {
			return &s.classes[i]
		}
	}
	if len(s.classes) == maxClasses {
		s.overflow = true
		d.dropped++
		return nil
	}
	s.classes = append(s.classes, class{key: key})
	return &s.classes[len(s.classes)-1]
}

// note counts the class under the identity, if the identity is in the sample.
// An identity in the final sample was in it from its first event on, because
// the sample's bound only falls; so its tally is complete.
func (s *oracle) note(hash, source, key uint64) {
	at, found := slices.BinarySearchFunc(s.identities, hash, func(x seen, h uint64) int { return cmp.Compare(x.hash, h) })
	if !found {
		if at == maxIdentities {
			return
		}
		if len(s.identities) == maxIdentities {
			s.identities = s.identities[:maxIdentities-1]
		}
		s.identities = slices.Insert(s.identities, at, seen{hash: hash, source: source})
	}
	x := &s.identities[at]
	x.many = x.many || x.source != source
	x.add(key, 1)
}

func (x *seen) add(key uint64, n uint32) {
	for i := range x.tally {
		if x.tally[i].key == key || x.tally[i].key == 0 {
			x.tally[i].key = key
			x.tally[i].n += n
			return
		}
	}
	x.rest += n
}

// Merge folds the state of one API into another.
func (d *Oracle) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *oracle) {
		dst.span.Fold(src.span)
		dst.public = dst.public || src.public
		dst.anonymous += src.anonymous
		dst.overflow = dst.overflow || src.overflow
		for i := range src.classes {
			g := &src.classes[i]
			c := d.class(dst, g.key)
			if c == nil {
				continue
			}
			if c.span.Count == 0 {
				*c = *g
				continue
			}
			c.span.Fold(g.span)
			c.identities.Union(&g.identities)
			c.registered.Union(&g.registered)
			c.fresh.Union(&g.fresh)
			c.samples.Fold(&g.samples)
			c.trials.Fold(&g.trials)
		}
		joined := make([]seen, 0, len(dst.identities)+len(src.identities))
		joined = append(append(joined, dst.identities...), src.identities...)
		slices.SortStableFunc(joined, func(a, b seen) int { return cmp.Compare(a.hash, b.hash) })
		out := joined[:0]
		for i := range joined {
			x := joined[i]
			if n := len(out); n > 0 && out[n-1].hash == x.hash {
				y := &out[n-1]
				y.many = y.many || x.many || y.source != x.source
				for _, t := range x.tally {
					if t.n > 0 {
						y.add(t.key, t.n)
					}
				}
				y.rest += x.rest
				continue
			}
			out = append(out, x)
		}
		dst.identities = out[:min(len(out), maxIdentities)]
	})
}

// Counters says what was dropped.
func (d *Oracle) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.oracle.apis", Count: d.states.Evicted}, {What: "defect.oracle.classes", Count: d.dropped}}
}

var _ defect.Detector = (*Oracle)(nil)
