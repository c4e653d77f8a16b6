package api

import (
	"encoding/json"
	"slices"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/defect"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// question is what lists and counts can be held to, by the names that the
// document gives the parameters.
type question struct {
	Site, Text, Cursor, Sort, Order               string
	From, To                                      v1.Time
	FirstFrom                                     v1.Time `json:"first_from"`
	FirstTo                                       v1.Time `json:"first_to"`
	Limit                                         int
	Role, Lifecycle                               []string // of APIs
	Auth, Exposure, Method, Data, Path            string
	Sensitive, Gone, Changed, Open                bool
	Api, Defect, Attack                           string
	Class, Kind, Severity, Status, Verdict, State []string
	Scenario, Action                              []string
}

// orders are what lists can be in order of.
var orders = map[record.Kind]map[string]record.Sort{
	record.API:      {"first_seen": record.ByFirst, "exchanges": record.ByRank0, "actors": record.ByRank1, "exposed": record.ByRank2, "template": record.ByName},
	record.Defect:   {"first_seen": record.ByFirst, "severity": record.ByRank0},
	record.Attack:   {"first_seen": record.ByFirst, "requests": record.ByRank0, "subjects_exposed": record.ByRank1, "confidence": record.ByRank2},
	record.Campaign: {"first_seen": record.ByFirst, "requests": record.ByRank0, "subjects_exposed": record.ByRank1},
}

// questionOf makes a query of a list's or a count's parameters.
func questionOf(kind record.Kind, params any) (q record.Query, err error) {
	b, err := json.Marshal(params)
	if err != nil {
		return q, err
	}
	var x question
	if err := json.Unmarshal(b, &x); err != nil {
		return q, err
	}
	q = record.Query{Kind: kind, Site: x.Site, From: x.From, To: x.To, Born: record.Span{From: x.FirstFrom, To: x.FirstTo}, After: x.Cursor, Limit: size(x.Limit)}
	q.Sort = orders[kind][x.Sort] // absent: last seen
	q.Upwards = x.Order == "asc" || x.Order == "" && q.Sort == record.ByName
	if x.Text != "" {
		q.Words = append(q.Words, kept.Fold(x.Text))
	}
	switch kind {
	case record.API:
		x.ofAPIs(&q)
	case record.Defect:
		q.Type, q.State, q.Severity = x.Kind, x.Status, x.Severity
		if len(x.Class) > 0 {
			q.Type = both(q.Type, kindsOf(x.Class, taxonomy.ClassOf))
		}
		if x.Open {
			q.State = both(q.State, open)
		}
		mention(&q, x.Api)
	case record.Attack:
		q.Type, q.State = x.Kind, x.Verdict
		if len(x.Scenario) > 0 {
			q.Type = both(q.Type, kindsOf(x.Scenario, taxonomy.ScenarioOf))
		}
		mention(&q, x.Api, x.Defect)
	case record.Campaign: // of every site that it names
		q.Site = ""
		mention(&q, append([]string{x.Site, x.Attack}, x.Scenario...)...)
	case record.Decision:
		q.Type, q.State = x.Action, x.State
		mention(&q, x.Attack)
	case record.Policy:
		q.Type, q.State = x.Kind, x.State
		mention(&q, x.Defect)
	}
	return q, nil
}

func mention(q *record.Query, ids ...string) {
	for _, id := range ids {
		if id != "" {
			q.Mentions = append(q.Mentions, id)
		}
	}
}

func (x *question) ofAPIs(q *record.Query) {
	q.Type, q.State = x.Role, x.Lifecycle
	tag := func(value string, tag func(string) string) {
		if value != "" {
			q.Words = append(q.Words, tag(kept.Fold(value)))
		}
	}
	tag(x.Auth, kept.TagAuth)
	tag(x.Exposure, kept.TagExposure)
	tag(x.Method, kept.TagMethod)
	tag(x.Data, kept.TagData)
	if x.Sensitive {
		q.Words = append(q.Words, kept.TagSensitive())
	}
	if x.Gone {
		q.Words = append(q.Words, kept.TagGone())
	}
	if x.Changed {
		q.Words = append(q.Words, kept.TagChanged())
	}
	tag(x.Path, kept.TagPath)
}

// open lists the states of defects about which something is to be done.
var open = slices.DeleteFunc(defectStates(), func(s string) bool { return defect.Closed(taxonomy.DefectStatus(s)) })

func defectStates() []string {
	return []string{string(taxonomy.Candidate), string(taxonomy.Probable), string(taxonomy.Established), string(taxonomy.FixClaimed), string(taxonomy.Verifying),
		string(taxonomy.Fixed), string(taxonomy.Regressed), string(taxonomy.AcceptedRisk), string(taxonomy.FalsePositive), string(taxonomy.DefectRetired)}
}

// none is a value that nothing has: a filter that leaves nothing over.
const none = "\uffff"

// both narrows a filter to what another allows; an empty one allows all.
func both(have, and []string) []string {
	if len(have) == 0 {
		return and
	}
	out := slices.DeleteFunc(slices.Clone(have), func(s string) bool { return !slices.Contains(and, s) })
	if len(out) == 0 {
		return []string{none}
	}
	return out
}

// kindsOf gives the kinds that belong to the named groups.
func kindsOf[K, G ~string](groups []string, of map[K]G) []string {
	out := []string{}
	for k, g := range of {
		if slices.Contains(groups, string(g)) {
			out = append(out, string(k))
		}
	}
	if len(out) == 0 {
		return []string{none}
	}
	return out
}
