package errors

import (
	"cmp"
	"math"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// verdict is what the answers tell.
type verdict struct {
	present, absent *class // answers for accounts that exist and that do not
	worded          bool   // the wording says it
	checked         bool   // registered and never-seen identities confirm it
	asked           bool   // the API is there to tell: it answers yes or no and nothing else
	gain            float64
	repeated        int
}

func (s *oracle) judge(role taxonomy.Role) (v verdict, found bool) {
	v.gain, v.repeated = s.gain()
	classes := make([]*class, 0, len(s.classes))
	for i := range s.classes {
		classes = append(classes, &s.classes[i])
	}
	slices.SortFunc(classes, func(a, b *class) int {
		return cmp.Or(cmp.Compare(b.identities.Count(), a.identities.Count()), cmp.Compare(a.key, b.key))
	})
	for _, c := range classes {
		if v.absent == nil && c.saysAbsent() {
			v.absent = c
		}
		if v.present == nil && c.saysPresent() {
			v.present = c
		}
	}
	// One half may be said by doing it: a code is sent, an account is opened.
	for _, c := range classes {
		if !c.success || c == v.absent || c == v.present {
			continue
		}
		switch role {
		case taxonomy.RoleRegister:
			if v.absent == nil && v.present != nil {
				v.absent = c
			}
		case taxonomy.RoleCodeSend, taxonomy.RolePasswordReset, taxonomy.RoleIdentityCheck, taxonomy.RoleQueryProgress, taxonomy.RoleInvite:
			if v.present == nil && v.absent != nil {
				v.present = c
			}
		}
	}
	// What a field alone says to those who are signed in is a feature: which of
	// my contacts are here too.
	told := v.present != nil && v.absent != nil && (v.present.worded || v.absent.worded || s.anonymous*2 >= s.span.Count)
	if told && v.present.identities.Count() >= minWorded && v.absent.identities.Count() >= minWorded {
		v.worded = true
		v.checked = s.check(v.present, v.absent)
		return v, true
	}
	if s.overflow || role == taxonomy.RoleRegister {
		return v, false // opening an account changes the answer by itself
	}
	least, repeated := uint64(minAsked), minAsked
	if role == taxonomy.RolePasswordReset {
		least, repeated = minIdentities, minRepeated // such an API has more to say
	}
	asks := role == taxonomy.RoleIdentityCheck || role == taxonomy.RolePasswordReset
	if role == taxonomy.RoleQueryProgress {
		// Anyone may ask about anybody, and hears yes or no: not how far something
		// has come, which a field would say.
		least, repeated = minIdentities, minRepeated
		asks = s.anonymous*2 >= s.span.Count && len(classes) >= 2 && nameless(classes[0]) && nameless(classes[1])
	}
	if asks && s.plain(classes, least, repeated) {
		v.present, v.absent, v.asked = classes[0], classes[1], true
		return v, true
	}
	// Without words: two classes, each with many identities, that registered
	// and never-seen identities tell apart.
	for _, p := range classes {
		for _, a := range classes {
			if p == a || p.identities.Count() < minIdentities || a.identities.Count() < minIdentities || !s.check(p, a) {
				continue
			}
			if v.repeated >= minRepeated && v.gain < 0.8 {
				continue
			}
			v.present, v.absent, v.checked = p, a, true
			return v, true
		}
	}
	return v, false
}

func (c *class) saysAbsent() bool {
	return c.says&observe.SaysNotRegistered != 0 && c.says&(observe.SaysRegistered|observe.SaysBadPair) == 0
}

func (c *class) saysPresent() bool {
	return c.says&(observe.SaysRegistered|observe.SaysWrongSecret) != 0 && c.says&(observe.SaysNotRegistered|observe.SaysBadPair) == 0
}

// bare reports whether the class is the word true or false and nothing else.
func bare(c *class) bool { return c.answered == "true" || c.answered == "false" }

// nameless reports whether no field says what the answer is about.
func nameless(c *class) bool { return c.answered == "" || bare(c) }

// plain reports whether an API that is called a check of identities says yes
// or no: two small answers without words, or with the same and another verdict,
// are nearly all there is, and an identity asked for again gets the same one.
func (s *oracle) plain(classes []*class, least uint64, repeated int) bool {
	if len(classes) < 2 {
		return false
	}
	var all uint64
	for _, c := range classes {
		all += c.span.Count
	}
	for _, c := range classes[:2] {
		if c.says&^observe.SaysSuccess != 0 || !c.success || c.identities.Count() < least {
			return false
		}
		if c.verdict == 0 && (c.text != "" || c.says != 0 || !c.small) {
			return false
		}
	}
	if classes[0].text != classes[1].text && !(bare(classes[0]) && bare(classes[1])) || classes[0].status != classes[1].status || classes[0].code != classes[1].code || (classes[0].span.Count+classes[1].span.Count)*20 < all*19 {
		return false
	}
	again, same := 0, 0
	for i := range s.identities {
		x := &s.identities[i]
		n := uint32(0)
		for _, t := range x.tally {
			n += t.n
		}
		if n+x.rest >= 2 {
			again++
			if x.tally[0].n == n+x.rest {
				same++
			}
		}
	}
	return again >= repeated && same*20 >= again*19
}

// check compares with the truth: nearly all registered identities must get the
// one answer and nearly all never-seen ones the other.
func (s *oracle) check(present, absent *class) bool {
	var registered, fresh defect.Set
	for i := range s.classes {
		registered.Union(&s.classes[i].registered)
		fresh.Union(&s.classes[i].fresh)
	}
	r, f := registered.Count(), fresh.Count()
	return r >= minRegistered && f >= minRegistered &&
		float64(present.registered.Count()) >= 0.98*float64(r) && float64(absent.fresh.Count()) >= 0.9*float64(f) &&
		absent.registered.Count()*50 <= r
}

// gain is the share of the answer's entropy that the identity explains,
// I(class; identity) / H(class), over identities asked for from several
// sources; n is their number.
func (s *oracle) gain() (g float64, n int) {
	var total, within float64
	all := map[uint64]float64{}
	for i := range s.identities {
		x := &s.identities[i]
		if !x.many {
			continue
		}
		n++
		var sum, h float64
		for _, t := range x.tally {
			sum += float64(t.n)
		}
		sum += float64(x.rest)
		for _, t := range x.tally {
			if t.n > 0 {
				h -= float64(t.n) * math.Log2(float64(t.n)/sum)
				all[t.key] += float64(t.n)
			}
		}
		within += h
		total += sum
	}
	if total == 0 {
		return 0, n
	}
	counts := make([]float64, 0, len(all))
	for _, c := range all {
		counts = append(counts, c)
	}
	slices.Sort(counts) // sums of floats depend on their order
	var h float64
	for _, c := range counts {
		h -= c * math.Log2(c/total)
	}
	if h == 0 {
		return 0, n
	}
	return 1 - within/h, n
}

// Findings reports what is known.
func (d *Oracle) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *oracle) {
		api := r.API(h)
		if api == nil || !asks(api.Role) {
			return
		}
		v, found := s.judge(api.Role)
		if !found {
			return
		}
		args := message.Args{
			"api": r.Name(h), "present": quote(r, v.present), "absent": quote(r, v.absent),
			"n": v.present.span.Count + v.absent.span.Count, "there": v.present.identities.Number(), "missing": v.absent.identities.Number(),
			"checked": v.present.registered.Number()}
		id := "defect.identity_oracle.reason"
		if v.asked {
			id += ".asked"
		} else if !v.worded {
			id += ".statistics"
		} else if v.checked {
			id += ".checked"
		}
		advice := "defect.identity_oracle.advice." + adviceFor(api.Role)
		var samples defect.Samples
		// One exchange of each half shows the difference; a third adds nothing.
		for rank, c := range []*class{v.absent, v.present} {
			ev := c.samples.First()
			if p := samples.Offer(ev.Exchange, uint32(rank)); p != nil {
				*p = ev
			}
		}
		trials := v.absent.trials.Clone()
		for i := range s.classes {
			if c := &s.classes[i]; c != v.absent {
				trials.Tried(&c.trials)
			}
		}
		repeated := v.repeated >= minRepeated && v.gain >= 0.9
		r.Add(defect.Draft{
			Kind: taxonomy.DefectIdentityOracle, API: h, Samples: samples, Trials: trials, Harm: taxonomy.Elevated, HarmWhy: "defect.rating.h.oracle",
			Span: defect.Span{First: min(v.present.span.First, v.absent.span.First), Last: max(v.present.span.Last, v.absent.span.Last),
				Count: v.present.span.Count + v.absent.span.Count},
			Confidence: defect.Confidence(0.6, defect.If(v.worded, 0.25), defect.If(v.checked, 0.5), defect.If(repeated, 0.3),
				defect.If(v.present.identities.Count() >= minIdentities && v.absent.identities.Count() >= minIdentities, 0.3)),
			Reach:  defect.Reach{Public: s.public, Anonymous: s.anonymous > 0, Guessable: true, Register: true},
			Reason: r.Text(id, args), Advice: r.Text(advice, args),
		})
	})
}

func adviceFor(role taxonomy.Role) string {
	switch role {
	case taxonomy.RoleRegister:
		return "register"
	case taxonomy.RolePasswordReset, taxonomy.RoleCodeSend:
		return "send"
	case taxonomy.RoleLogin, taxonomy.RoleLoginCode:
		return "login"
	}
	return "query"
}

// quote names a class by its words, or by status and code.
func quote(r *defect.Report, c *class) message.Text {
	if l := c.label(); l != "" {
		return r.Text("defect.identity_oracle.class.text", message.Args{"text": l, "status": int(c.status)})
	}
	return r.Text("defect.identity_oracle.class.status", message.Args{"status": int(c.status)})
}
