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
	minNotices      = 20 // responses with data
	minNoticePeople = 10
	minReaders      = 3
	followed        = 32 // people whose readers are followed: those of the smallest hashes
	maxNoticeFields = 12
)

// Unneeded finds lists that are for everybody and carry personal data whole:
// winners, suppliers, announcements. Such a list gives the same people to
// whoever asks, without a session; what it is for, it does with masked data.
type Unneeded struct {
	states  *defect.States[notice]
	dropped uint64
}

type notice struct {
	span    defect.Span // anonymous lists with plain data
	trials  defect.Trials
	public  bool
	readers defect.Set
	people  defect.Set
	types   defect.Types
	fields  []noticeField
	follow  []followedPerson // ascending by hash
	samples defect.Samples
}

type noticeField struct {
	path string
	typ  taxonomy.Sensitive
	n    uint64
}

type followedPerson struct {
	hash   uint64
	reader uint64
	many   bool // several readers were given the person
}

// NewUnneeded returns the detector.
func NewUnneeded() *Unneeded { return &Unneeded{states: defect.NewStates[notice](maxAPIs)} }

// personal is data that no announcement needs whole. Names and addresses it may
// need, and companies have telephones, too; they are told beside the others.
var personal = defect.TypesOf(taxonomy.SensCNMobile, taxonomy.SensCNResidentID, taxonomy.SensBankCard, taxonomy.SensEmail, taxonomy.SensPassport, taxonomy.SensPlateNumber,
	taxonomy.SensHKMacauPermit, taxonomy.SensSocialSecurityNo, taxonomy.SensMilitaryID, taxonomy.SensMedicalRecord, taxonomy.SensBirthDate)

// listed reports whether an exposure is of people in a list.
func listed(ev *defect.Event, x *observe.Exposure) bool {
	return ev.Plain(x) && x.Distinct >= 2 && x.Type.Level() <= 3 && strings.Contains(x.Path, "[]")
}

// Observe takes one event.
func (d *Unneeded) Observe(ev *defect.Event) {
	if ev.Handle == 0 || !ev.OK || !ev.Anonymous || ev.Method != "GET" || !ev.Data() || ev.Records < 2 && len(ev.Exposures) == 0 || ev.Download != (observe.File{}) { // open files are told of elsewhere
		return
	}
	s := d.states.Get(ev.Handle)
	fired := false
	for i := range ev.Exposures {
		if x := &ev.Exposures[i]; personal.Has(defect.TypesOf(x.Type)) && listed(ev, x) {
			fired = true
		}
	}
	if fired && s == nil {
		s = d.states.Ensure(ev.Handle)
	}
	for i := range ev.Exposures {
		if x := &ev.Exposures[i]; fired && listed(ev, x) {
			d.note(s, ev, x)
		}
	}
	if s == nil {
		return
	}
	if fired || ev.Records >= 2 {
		s.trials.Count(ev.End, fired)
	}
	if fired {
		s.span.Add(ev.End)
		s.readers.Add(ev.Source)
		s.public = s.public || !ev.Who.Private
	}
}

func (d *Unneeded) note(s *notice, ev *defect.Event, x *observe.Exposure) {
	s.types |= defect.TypesOf(x.Type)
	for _, t := range x.Subjects {
		s.people.Add(t)
		s.given(defect.Mix(t), ev.Source)
	}
	f := d.field(s, x.Path, x.Type)
	if f == nil {
		return
	}
	f.n++
	if e := s.samples.Show(ev, min(x.Distinct, 1<<16)); e != nil {
		e.What, e.Path, e.N, e.Status, e.Value, e.Type = "defect.evidence.notice", f.path, uint64(x.Distinct), ev.Status, strings.Clone(x.Shape), x.Type
	}
}

func (d *Unneeded) field(s *notice, path string, typ taxonomy.Sensitive) *noticeField {
	for i := range s.fields {
		if s.fields[i].path == path && s.fields[i].typ == typ {
			return &s.fields[i]
		}
	}
	if len(s.fields) == maxNoticeFields {
		d.dropped++
		return nil
	}
	s.fields = append(s.fields, noticeField{path: strings.Clone(path), typ: typ})
	return &s.fields[len(s.fields)-1]
}

// given notes that a reader was given a person.
func (s *notice) given(hash, reader uint64) {
	at, found := slices.BinarySearchFunc(s.follow, hash, func(p followedPerson, h uint64) int { return cmp.Compare(p.hash, h) })
	if found {
		p := &s.follow[at]
		p.many = p.many || p.reader != reader
		return
	}
	if at == followed {
		return
	}
	if len(s.follow) == followed {
		s.follow = s.follow[:followed-1]
	}
	s.follow = slices.Insert(s.follow, at, followedPerson{hash: hash, reader: reader})
}

// shared is the share of the people that several readers were given.
func (s *notice) shared() float64 {
	n := 0
	for i := range s.follow {
		if s.follow[i].many {
			n++
		}
	}
	return float64(n) / float64(max(len(s.follow), 1))
}

// Merge folds the state of one API into another.
func (d *Unneeded) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *notice) {
		dst.span.Fold(src.span)
		dst.trials.Fold(&src.trials)
		dst.public = dst.public || src.public
		dst.readers.Union(&src.readers)
		dst.people.Union(&src.people)
		dst.types |= src.types
		for i := range src.fields {
			if f := d.field(dst, src.fields[i].path, src.fields[i].typ); f != nil {
				f.n += src.fields[i].n
			}
		}
		for _, p := range src.follow {
			dst.given(p.hash, p.reader)
			if p.many {
				if at, ok := slices.BinarySearchFunc(dst.follow, p.hash, func(x followedPerson, h uint64) int { return cmp.Compare(x.hash, h) }); ok {
					dst.follow[at].many = true
				}
			}
		}
		dst.samples.Fold(&src.samples)
	})
}

// labelled reports whether a path says that the list is for everybody.
func labelled(template string) bool {
	t := strings.ToLower(template)
	for _, w := range [...]string{"notice", "announce", "publicity", "public", "bulletin", "gongshi", "gonggao", "zhongjiang", "mingdan", "winner", "ranking", "honor", "公示", "公告", "名单", "中奖", "获奖"} {
		if strings.Contains(t, w) {
			return true
		}
	}
	return false
}

// Findings reports what is known.
func (d *Unneeded) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *notice) {
		api := r.API(h)
		if api == nil || s.span.Count < minNotices || s.people.Count() < minNoticePeople || s.readers.Count() < minReaders || s.shared() < 0.5 {
			return
		}
		fields := slices.Clone(s.fields)
		slices.SortFunc(fields, func(a, b noticeField) int {
			return cmp.Or(cmp.Compare(b.typ.Level(), a.typ.Level()), cmp.Compare(b.n, a.n), strings.Compare(a.path, b.path))
		})
		names := make([]string, 0, len(fields))
		for i := range fields {
			if !slices.Contains(names, fields[i].path) {
				names = append(names, fields[i].path)
			}
		}
		args := message.Args{"api": r.Name(h), "n": s.span.Count, "people": s.people.Number(), "readers": s.readers.Number(), "types": s.types.Names(r.Texts), "fields": defect.JoinWords(names, shownFields)}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectUnneededSensitive, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
			Harm: s.types.HarmOf(s.people.Count()), HarmWhy: s.types.HarmWhy(s.people.Count()),
			Reach:      defect.Reach{Public: s.public, Anonymous: true, Guessable: true},
			Confidence: defect.Confidence(0.5, defect.If(labelled(api.Template), 0.6), defect.If(s.shared() >= 0.8 && s.readers.Count() >= 8, 0.4)),
			Reason:     r.Text("defect.unneeded_sensitive.reason", args), Advice: r.Text("defect.unneeded_sensitive.advice", args),
		})
	})
}

// Counters says what was dropped.
func (d *Unneeded) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.unneeded.apis", Count: d.states.Evicted}, {What: "defect.unneeded.fields", Count: d.dropped}}
}

var _ defect.Detector = (*Unneeded)(nil)
