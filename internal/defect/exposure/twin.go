package exposure

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
	maxTwinFields = 8 // masked fields per API
	minTwins      = 3 // records
)

// Twin finds responses that mask a value and give it away beside the mask: the
// page shows 138****8000, the answer behind it holds the number.
type Twin struct {
	states  *defect.States[twin]
	dropped uint64
}

type twin struct {
	fields    []twinField
	span      defect.Span // responses with a pair
	anonymous uint64
	opaque    uint64
	public    bool
	sources   defect.Set
	samples   defect.Samples
	trials    defect.Trials // successes
}

type twinField struct {
	masked, plain string
	typ           taxonomy.Sensitive
	records       uint64
}

// NewTwin returns the detector.
func NewTwin() *Twin { return &Twin{states: defect.NewStates[twin](maxAPIs)} }

// Observe takes one event.
func (d *Twin) Observe(ev *defect.Event) {
	if ev.Handle == 0 || !ev.OK {
		return
	}
	fired := d.look(ev)
	if s := d.states.Get(ev.Handle); s != nil {
		s.trials.Count(ev.End, fired)
	}
}

// look counts the pairs of an answer.
func (d *Twin) look(ev *defect.Event) bool {
	var s *twin
	for i := range ev.Exposures {
		x := &ev.Exposures[i]
		if x.Twins == 0 || !x.Masked || !x.Response || x.Type == taxonomy.SensPersonName && !onePerson(x.Path, x.Twin) {
			continue
		}
		if s == nil {
			s = d.states.Ensure(ev.Handle)
			d.count(s, ev)
		}
		f := d.field(s, x.Path, x.Twin, x.Type)
		if f == nil {
			d.dropped++
			continue
		}
		f.records += uint64(x.Twins)
		if e := s.samples.Show(ev, min(x.Twins, 1<<16)<<8|(0xff-uint32(x.Type))); e != nil {
			e.What, e.Path, e.Text, e.Type, e.N, e.Value = "defect.evidence.twin", f.masked, f.plain, x.Type, uint64(x.Twins), strings.Clone(plainShape(ev, x))
		}
	}
	return s != nil
}

func (d *Twin) count(s *twin, ev *defect.Event) {
	s.span.Add(ev.End)
	s.sources.Add(ev.Source)
	s.public = s.public || !ev.Who.Private
	if ev.Anonymous {
		s.anonymous++
	}
	if ev.OpaqueKey() {
		s.opaque++
	}
}

// parts are words of field names that say whose name it is.
var parts = [...]string{"legal", "emergency", "contact", "receiver", "recipient", "consignee", "sender", "shipper", "spouse", "guardian", "parent", "father", "mother", "child",
	"owner", "holder", "applicant", "agent", "operator", "payer", "payee", "buyer", "seller", "referrer", "inviter", "doctor", "patient", "driver", "teacher", "student",
	"insured", "beneficiary", "manager", "creator"}

// onePerson reports whether two fields of an object may name one person: a
// masked emergency contact shares the surname of the owner, and is another.
func onePerson(a, b string) bool {
	var whose [2]uint64
	for i, path := range [...]string{a, b} {
		last := strings.ToLower(path[strings.LastIndexByte(path, '.')+1:])
		for j, w := range parts {
			if strings.Contains(last, w) {
				whose[i] |= 1 << j
			}
		}
	}
	return whose[0] == whose[1] || whose[0] == 0 || whose[1] == 0
}

// plainShape is the shape of the plain value that agrees.
func plainShape(ev *defect.Event, masked *observe.Exposure) string {
	for i := range ev.Exposures {
		if x := &ev.Exposures[i]; x.Response && !x.Masked && x.Path == masked.Twin {
			return x.Shape
		}
	}
	return masked.Shape
}

func (d *Twin) field(s *twin, masked, plain string, t taxonomy.Sensitive) *twinField {
	for i := range s.fields {
		if f := &s.fields[i]; f.masked == masked && f.plain == plain && f.typ == t {
			return f
		}
	}
	if len(s.fields) == maxTwinFields {
		return nil
	}
	s.fields = append(s.fields, twinField{masked: strings.Clone(masked), plain: strings.Clone(plain), typ: t})
	return &s.fields[len(s.fields)-1]
}

// Merge folds the state of one API into another.
func (d *Twin) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *twin) {
		for i := range src.fields {
			g := &src.fields[i]
			if f := d.field(dst, g.masked, g.plain, g.typ); f != nil {
				f.records += g.records
			} else {
				d.dropped++
			}
		}
		dst.span.Fold(src.span)
		dst.trials.Fold(&src.trials)
		dst.anonymous += src.anonymous
		dst.opaque += src.opaque
		dst.public = dst.public || src.public
		dst.sources.Union(&src.sources)
		dst.samples.Fold(&src.samples)
	})
}

// Findings reports one finding per API: one serialiser is to blame.
func (d *Twin) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *twin) {
		api := r.API(h)
		if api == nil {
			return
		}
		fields := slices.DeleteFunc(slices.Clone(s.fields), func(f twinField) bool { return f.records < minTwins })
		if len(fields) == 0 {
			return
		}
		slices.SortFunc(fields, func(a, b twinField) int {
			return cmp.Or(cmp.Compare(b.records, a.records), strings.Compare(a.masked, b.masked), strings.Compare(a.plain, b.plain))
		})
		var types defect.Types
		var pairs, plain, masked []message.Text
		exact, records := false, uint64(0)
		for _, f := range fields {
			types |= defect.TypesOf(f.typ)
			exact = exact || f.typ != taxonomy.SensPersonName
			records = max(records, f.records)
			pairs = append(pairs, r.Text("defect.masked_plain_twin.pair", message.Args{"masked": f.masked, "plain": f.plain, "type": defect.TypeName(r.Texts, f.typ)}))
			plain, masked = append(plain, word(f.plain)), append(masked, word(f.masked))
		}
		harm, why := types.HarmOf(0), "defect.rating.h.personal"
		if harm >= taxonomy.High {
			why = "defect.rating.h.special"
		}
		args := message.Args{"api": r.Name(h), "pairs": defect.Join(pairs), "records": records, "n": s.span.Count, "sources": s.sources.Number(),
			"plain": defect.Join(unique(plain)), "masked": defect.Join(unique(masked)), "types": types.Names(r.Texts)}
		reason := "defect.masked_plain_twin.reason"
		if confirms(api) {
			// Who pays must see whom; the number beside the mask is still too much.
			harm, why, reason = max(harm-1, taxonomy.Moderate), "defect.rating.h.confirmation", reason+".confirmation"
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectMaskedPlainTwin, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials, Harm: harm, HarmWhy: why,
			Confidence: defect.Confidence(0.7, defect.If(exact, 0.35), defect.If(records >= 10, 0.3), defect.If(s.sources.Count() >= 3, 0.2)),
			Reach:      defect.Reach{Public: s.public, Anonymous: s.anonymous > 0, Guessable: s.opaque*2 <= s.span.Count, Register: true},
			Reason:     r.Text(reason, args),
			Advice:     r.Text("defect.masked_plain_twin.advice", args),
		})
	})
}

func word(s string) message.Text { return message.Text{Zh: s, En: s} }

func unique(l []message.Text) (out []message.Text) {
	for _, t := range l {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// confirms reports whether people look up there whom they are about to pay.
func confirms(api *catalog.API) bool {
	switch api.Role {
	case taxonomy.RolePayment, taxonomy.RoleRefund:
		return true
	}
	for seg := range strings.SplitSeq(strings.ToLower(api.Template), "/") {
		for _, w := range [...]string{"transfer", "payee", "remit", "beneficiary", "zhuanzhang", "shoukuan"} {
			if strings.Contains(seg, w) {
				return true
			}
		}
	}
	return false
}

// Counters says what was dropped.
func (d *Twin) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.twin.apis", Count: d.states.Evicted}, {What: "defect.twin.fields", Count: d.dropped}}
}

var _ defect.Detector = (*Twin)(nil)
