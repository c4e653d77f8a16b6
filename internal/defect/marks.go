package defect

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const (
	maxMarkAPIs  = 4096
	maxMarkRules = 8 // rules per API
)

// Mark counts one response marker on one API.
type Mark struct {
	Rule      string
	Span      Span
	Public    bool
	Anonymous uint64
	Errors    uint64 // of Span, answers with status 500 or more
	Path      string // path without values, for requests that belong to no API
	Samples   Samples
	Trials    Trials // requests to the same API or, without one, to the same path

	path uint64 // hash of the whole path, where there is no API
	hit  uint64
}

type marks struct {
	list   []Mark
	events uint64
}

// Marks counts response markers per API, for the detectors that word them.
type Marks struct {
	states  *States[marks]
	dropped uint64
}

// NewMarks returns an empty table.
func NewMarks() *Marks { return &Marks{states: NewStates[marks](maxMarkAPIs)} }

// Count counts a marker; what is the message id of its evidence.
func (t *Marks) Count(ev *Event, m *observe.Marker, what string) {
	s := t.states.Ensure(ev.Handle)
	k := t.mark(s, m.Rule)
	if k == nil {
		return
	}
	k.hit = s.events
	k.Span.Add(ev.End)
	k.Public = k.Public || !ev.Who.Private
	if ev.Anonymous {
		k.Anonymous++
	}
	if ev.Status >= 500 {
		k.Errors++
	}
	if e := k.Samples.Show(ev, 0); e != nil {
		e.What, e.Path, e.Status, e.Text, e.Value = what, strings.Clone(m.Where), ev.Status, k.Rule, strings.Clone(m.What)
		if p := PathOf(ev.Observation); k.Path == "" || p < k.Path {
			k.Path = p
		}
	}
}

// Tried takes every event after its markers were counted: one whose answer may
// show a marker, and did not, is an eligible event.
func (t *Marks) Tried(ev *Event, eligible func(*Mark) bool) {
	s := t.states.Get(ev.Handle)
	if s == nil {
		return
	}
	path := uint64(0)
	if ev.Handle == 0 {
		path = pathHash(ev.Observation)
	}
	for i := range s.list {
		k := &s.list[i]
		if k.hit == s.events {
			k.path = path
			k.Trials.Count(ev.End, true)
		} else if k.path == path && eligible(k) {
			k.Trials.Count(ev.End, false)
		}
	}
	s.events++
}

func pathHash(o *observe.Observation) uint64 {
	h := HashText(o.Host)
	for i := range o.Segments {
		h = Pair(h, o.Segments[i].Token+HashText(o.Segments[i].Text))
	}
	return h
}

func (t *Marks) mark(s *marks, rule string) *Mark {
	for i := range s.list {
		if s.list[i].Rule == rule {
			return &s.list[i]
		}
	}
	if len(s.list) == maxMarkRules {
		t.dropped++
		return nil
	}
	s.list = append(s.list, Mark{Rule: strings.Clone(rule)})
	return &s.list[len(s.list)-1]
}

// Merge folds the marks of one API into another.
func (t *Marks) Merge(from, into catalog.Handle) {
	t.states.Move(from, into, func(dst, src *marks) {
		for i := range src.list {
			g := &src.list[i]
			if k := t.mark(dst, g.Rule); k != nil {
				k.Fold(g)
			}
		}
	})
}

// Fold adds what o counted.
func (k *Mark) Fold(o *Mark) {
	k.Span.Fold(o.Span)
	k.Public = k.Public || o.Public
	k.Anonymous += o.Anonymous
	k.Errors += o.Errors
	k.Trials.Fold(&o.Trials)
	if k.Path == "" || o.Path != "" && o.Path < k.Path {
		k.Path = o.Path
	}
	k.Samples.Fold(&o.Samples)
}

// Each visits every mark.
func (t *Marks) Each(visit func(h catalog.Handle, k *Mark)) {
	t.states.Each(func(h catalog.Handle, s *marks) {
		for i := range s.list {
			visit(h, &s.list[i])
		}
	})
}

// Counters says what was dropped.
func (t *Marks) Counters(name string) []Counter {
	return []Counter{{What: name + ".apis", Count: t.states.Evicted}, {What: name + ".rules", Count: t.dropped}}
}

// PathOf writes the path of a request with words only: values become {}.
func PathOf(o *observe.Observation) string {
	var b strings.Builder
	for i := range o.Segments {
		b.WriteByte('/')
		switch s := &o.Segments[i]; {
		case s.Sensitive != taxonomy.NotSensitive || s.Text == "" && s.Class != observe.ClassEmpty:
			b.WriteString("{}")
		case s.Class == observe.ClassWord || s.Class == observe.ClassVer || s.Class == observe.ClassFile || s.Class == observe.ClassEmpty:
			b.WriteString(s.Text)
		default:
			b.WriteString("{}")
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// KindOf gives the defect kind that a marker shows: what its rule says, else
// what the family of its id says; empty when it is none.
func KindOf(rules Rules, rule string) taxonomy.DefectKind {
	if rules != nil {
		if r := rules.Rule(rule); r != nil {
			if k := taxonomy.DefectKind(r.Kind); taxonomy.ClassOf[k] != "" {
				return k
			}
			return ""
		}
	}
	family, _, _ := strings.Cut(rule, "/")
	switch family {
	case "component":
		return taxonomy.DefectExposedComponent
	case "trace":
		return taxonomy.DefectVerboseTrace
	case "docs":
		return taxonomy.DefectAPIDocs
	case "debug":
		return taxonomy.DefectDebugPage
	case "file":
		return taxonomy.DefectExposedFile
	case "listing":
		return taxonomy.DefectDirectoryListing
	case "sourcemap":
		return taxonomy.DefectSourceMap
	case "graphql":
		return taxonomy.DefectGraphqlIntrospection
	}
	return ""
}

// ComponentOf gives the component of a marker: its rule's, else the word after
// the family.
func ComponentOf(rules Rules, rule string) string {
	if rules != nil {
		if r := rules.Rule(rule); r != nil && r.Component != "" {
			return r.Component
		}
	}
	_, rest, _ := strings.Cut(rule, "/")
	rest, _, _ = strings.Cut(rest, ".")
	return rest
}

// UserContent reports whether a marker stands where people write texts: an
// article about stack traces is none.
func UserContent(where string) bool {
	if !strings.ContainsAny(where, ".[") {
		return false
	}
	last := where[strings.LastIndexByte(where, '.')+1:]
	switch strings.ToLower(strings.TrimSuffix(last, "[]")) {
	case "content", "text", "description", "desc", "comment", "comments", "article", "post", "html", "markdown", "md", "snippet", "code",
		"summary", "note", "notes", "bio", "question", "answer", "body", "readme", "excerpt", "title", "source", "paste":
		return true
	}
	return false
}
