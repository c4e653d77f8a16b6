// Package exposure finds responses that give more personal data than their
// callers can need: too many people at once, plain values beside masked ones,
// fields for the inside, data that is nothing to announce, that no page of the
// site uses, or that the role's other views mask.
//
// It takes events and gives drafts. Invariant: only plain values of distinct
// people count; masked lists, lists of public names and signed-in exports are
// no evidence. Limits: 8 192 APIs, 8 types of data each.
package exposure

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxAPIs      = 8192
	manySubjects = 100 // distinct people in one response
	moreSubjects = 500
	mostSubjects = 1000
	minResponses = 2
)

// Bulk finds APIs that give the data of a hundred people or more at once.
type Bulk struct{ states *defect.States[bulk] }

type bulk struct {
	span      defect.Span // responses with a hundred or more people
	more      uint64      // of span, five hundred or more
	most      uint64      // of span, a thousand or more
	largest   uint32
	records   uint32
	bytes     uint64
	anonymous uint64
	public    bool
	types     defect.Types
	paging    string // name of a parameter that sets the page size
	sources   defect.Set
	samples   defect.Samples
	trials    defect.Trials // successes
}

// NewBulk returns the detector.
func NewBulk() *Bulk { return &Bulk{states: defect.NewStates[bulk](maxAPIs)} }

// Observe takes one event.
func (d *Bulk) Observe(ev *defect.Event) {
	if ev.Handle == 0 || !ev.OK {
		return
	}
	fired := len(ev.Exposures) > 0 && d.look(ev)
	if s := d.states.Get(ev.Handle); s != nil {
		s.trials.Count(ev.End, fired)
	}
}

// look counts an answer that gives many people's data.
func (d *Bulk) look(ev *defect.Event) bool {
	var people uint32
	var types defect.Types
	var best *observe.Exposure
	for i := range ev.Exposures {
		x := &ev.Exposures[i]
		if !x.Response || x.Distinct < manySubjects || !ev.Plain(x) {
			continue
		}
		types |= defect.TypesOf(x.Type)
		if defect.TypesOf(x.Type).Personal() || best == nil {
			if best == nil || x.Distinct > people || x.Distinct == people && x.Type < best.Type {
				people, best = x.Distinct, x
			}
		}
	}
	if best == nil || !types.Personal() || !ev.Data() {
		return false
	}
	// A signed-in export is made to give many; who may call it is for a policy.
	if ev.API.Role == taxonomy.RoleExport && !ev.Anonymous {
		return false
	}
	if ev.Policy.Approved(taxonomy.DefectBulkResponse, ev.API.Host, ev.API.Method, ev.API.Template, ev.Who.Client, max(people, ev.Records), ev.End) {
		return false
	}
	s := d.states.Ensure(ev.Handle)
	s.span.Add(ev.End)
	if people >= moreSubjects {
		s.more++
	}
	if people >= mostSubjects {
		s.most++
	}
	s.largest = max(s.largest, people)
	s.records = max(s.records, ev.Records)
	s.bytes = max(s.bytes, ev.RespBytes)
	s.public = s.public || !ev.Who.Private
	s.types |= types
	s.sources.Add(ev.Source)
	if ev.Anonymous {
		s.anonymous++
	}
	for i := range ev.Params {
		if n := ev.Params[i].Name; pageSize(n) && (s.paging == "" || n < s.paging) {
			s.paging = strings.Clone(n)
		}
	}
	if e := s.samples.Show(ev, people); e != nil {
		e.What, e.Path, e.Type, e.N, e.Value = "defect.evidence.bulk", strings.Clone(best.Path), best.Type, uint64(people), strings.Clone(best.Shape)
	}
	return true
}

func pageSize(name string) bool {
	name = strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	switch strings.NewReplacer("_", "", "-", "").Replace(name) {
	case "pagesize", "perpage", "limit", "size", "rows", "pagelimit", "count", "top", "maxresults", "psize", "pagecount":
		return true
	}
	return false
}

// Merge folds the state of one API into another.
func (d *Bulk) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *bulk) {
		dst.span.Fold(src.span)
		dst.more += src.more
		dst.trials.Fold(&src.trials)
		dst.most += src.most
		dst.largest = max(dst.largest, src.largest)
		dst.records = max(dst.records, src.records)
		dst.bytes = max(dst.bytes, src.bytes)
		dst.anonymous += src.anonymous
		dst.public = dst.public || src.public
		dst.types |= src.types
		if dst.paging == "" || src.paging != "" && src.paging < dst.paging {
			dst.paging = src.paging
		}
		dst.sources.Union(&src.sources)
		dst.samples.Fold(&src.samples)
	})
}

// Findings reports what is known.
func (d *Bulk) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *bulk) {
		if r.API(h) == nil || s.span.Count < minResponses {
			return
		}
		people := uint64(s.largest)
		harm, why, floor := taxonomy.Elevated, "defect.rating.h.bulk", taxonomy.Elevated
		switch {
		case s.most >= minResponses:
			harm, why, floor = taxonomy.Critical, "defect.rating.h.bulk_thousand", taxonomy.Critical
		case s.more >= minResponses:
			harm, floor = taxonomy.High, taxonomy.High
		}
		if t := s.types.HarmOf(people); t > harm {
			harm, why = t, "defect.rating.h.special"
			if s.types.Secret() {
				why = "defect.rating.h.secret"
			}
		}
		if !s.public {
			floor = taxonomy.Unrated // nobody outside was seen to reach it
		}
		args := message.Args{"api": r.Name(h), "people": people, "types": s.types.People().Names(r.Texts), "n": s.span.Count,
			"sources": s.sources.Number(), "records": s.records, "parameter": s.paging}
		advice := "defect.bulk_response.advice"
		if s.paging != "" {
			advice += ".parameter"
		}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectBulkResponse, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials, Harm: harm, HarmWhy: why, Floor: floor,
			Confidence: defect.Confidence(0.7, defect.If(s.span.Count >= 5, 0.3), defect.If(s.anonymous > 0, 0.3), defect.If(people >= moreSubjects, 0.3), defect.If(people >= mostSubjects, 0.2),
				defect.If(s.types.Grave(), 0.2)),
			Reach:  defect.Reach{Public: s.public, Anonymous: s.anonymous > 0, Guessable: true, Register: true},
			Reason: r.Text("defect.bulk_response.reason", args),
			Advice: r.Text(advice, args),
		})
	})
}

// Counters says what was dropped.
func (d *Bulk) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.bulk.apis", Count: d.states.Evicted}}
}

var _ defect.Detector = (*Bulk)(nil)
