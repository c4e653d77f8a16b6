// Package kept is how a service keeps what a report holds: every element of the
// report's lists is one record, and the records of one moment are a report
// again.
//
// It takes elements of report.Report and the position in the stream of the last
// event that they count, and gives record.Records of the derived kinds; Report
// goes the other way. Invariants: the body of a record is the element's JSON as
// schema/report.v1.json has it; a list can be held to what the fields of a
// record say without opening a body. Limits: the words of a record hold
// record.MaxWords bytes, further ones are not found by a search; an API whose
// contract makes it larger than record.MaxBody is kept without the contract.
package kept

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// Site is the body of a record of a site: the site and what was read of it.
// Of its Input, Exchanges = Analysed + what Dropped counts.
type Site struct {
	Site  report.Site  `json:"site"`
	Input report.Input `json:"input"`
}

// Tags are words that stand in a line of their own, so that a query for one
// never meets another that begins alike.
func tag(key, value string) string { return "\n" + key + "=" + strings.ToLower(value) + "\n" }

// What lists can be held to beside a record's fields. Put the result into
// record.Query.Words.
func TagAuth(auth string) string         { return tag("auth", auth) }         // APIs
func TagExposure(exposure string) string { return tag("exposure", exposure) } // APIs
func TagMethod(method string) string     { return tag("method", method) }     // APIs
func TagSensitive() string               { return tag("sensitive", "yes") }   // APIs whose answers hold data that is not masked
func TagData(typ string) string          { return tag("data", typ) }          // APIs that carry this type
func TagCarries() string                 { return tag("carries", "data") }    // APIs that carry sensitive data
func TagGone() string                    { return tag("gone", "yes") }        // APIs that only refuse of late
func TagChanged() string                 { return tag("changed", "yes") }     // APIs that do of late what they did not do before

// TagPath asks for APIs whose template begins so.
func TagPath(prefix string) string { return "\npath=" + strings.ToLower(prefix) }

// changing is for how long before it was last seen an API is taken to have
// changed of late.
const changing = 30 * 24 * time.Hour

func changed(a *report.API) bool {
	if a.Contract == nil || len(a.Contract.Changes) == 0 {
		return false
	}
	last := a.Contract.Changes[len(a.Contract.Changes)-1].Time // in order of time
	return a.LastSeen.Sub(last) < changing
}

// API gives the record of an API: Type is its role, State its lifecycle, Name
// its template and method, the ranks its exchanges, actors and Exposed.
func API(a *report.API, rev uint64) (record.Record, error) {
	r := record.Record{Kind: record.API, ID: a.ID, Rev: rev, Site: a.Site, Type: a.Role, State: a.Lifecycle}
	r.Name, r.Ranks = name(a.Template+" "+a.Method), [...]int64{number(a.Exchanges), number(a.Actors), int64(Exposed(a))}
	w := words{}
	w.add(TagAuth(a.Auth), TagExposure(a.Exposure), TagMethod(a.Method))
	if a.Gone {
		w.add(TagGone())
	}
	if changed(a) {
		w.add(TagChanged())
	}
	w.add(TagPath(Fold(a.Template)) + "\n")
	types, plain := map[string]bool{}, false
	for _, s := range a.Sensitive {
		plain = plain || s.In == "response" && !s.Masked
		if !types[s.Type] {
			types[s.Type] = true
			w.add(TagData(s.Type))
		}
	}
	if len(a.Sensitive) > 0 {
		w.add(TagCarries())
	}
	if plain {
		w.add(TagSensitive())
	}
	w.text(a.ID, a.Method+" "+a.Template, a.Host, a.Operation, a.Title)
	r, err := finish(r, w, a.FirstSeen, a.LastSeen, a)
	if err == nil && len(r.Body) > record.MaxBody && a.Contract != nil {
		slim := *a
		slim.Contract = nil
		r, err = finish(r, w, a.FirstSeen, a.LastSeen, &slim)
	}
	return r, err
}

// Exposed is the most records with sensitive data that is not masked that one
// answer of an API held.
func Exposed(a *report.API) (most uint32) {
	for _, s := range a.Sensitive {
		if s.In == "response" && !s.Masked {
			most = max(most, s.MaxPerResponse)
		}
	}
	return most
}

// Severity ranks a defect: by severity, and of the same by when it was seen.
func Severity(severity string, last time.Time) int64 {
	level := int64(0)
	for s := taxonomy.Moderate; s <= taxonomy.Critical; s++ {
		if s.String() == severity {
			level = int64(s)
		}
	}
	return level<<60 | last.UnixNano()>>3
}

// Defect gives the record of a defect: Type is its kind, State its status, the
// first rank Severity. The API it is of may be nil when it is of a whole site.
func Defect(d *report.Defect, site string, of *report.API, rev uint64) (record.Record, error) {
	r := record.Record{Kind: record.Defect, ID: d.ID, Rev: rev, Site: site, Type: d.Kind, State: d.Status, Severity: d.Severity}
	w := words{}
	w.text(d.ID, d.Component)
	if of != nil {
		w.text(of.Method+" "+of.Template, of.Host, of.Operation, of.Title)
	}
	w.text(d.Reason.Zh, d.Reason.En)
	r.Ranks[0] = Severity(d.Severity, clamp(d.LastSeen))
	return finish(r, w, d.FirstSeen, d.LastSeen, d)
}

// Attack gives the record of an attack: Type is its kind, State its verdict, the
// ranks its requests, the people it saw and the confidence in millionths.
func Attack(a *report.Attack, rev uint64) (record.Record, error) {
	r := record.Record{Kind: record.Attack, ID: a.ID, Rev: rev, Site: a.Site, Type: a.Kind, State: a.Verdict,
		Ranks: [...]int64{number(a.Requests), number(a.SubjectsExposed), int64(a.Confidence * 1e6)}}
	w := words{}
	w.text(a.ID, a.Reason.Zh, a.Reason.En)
	w.text(a.Actors.Fingerprints...)
	w.text(a.Actors.IPs...)
	return finish(r, w, a.FirstSeen, a.LastSeen, a)
}

// Campaign gives the record of a campaign: Type is the scenario with the most
// requests, the ranks are its requests and the people it saw. Site is empty when
// it is of several.
func Campaign(c *report.Campaign, rev uint64) (record.Record, error) {
	r := record.Record{Kind: record.Campaign, ID: c.ID, Rev: rev, Ranks: [...]int64{number(c.Requests), number(c.SubjectsExposed), 0}}
	if len(c.Sites) == 1 {
		r.Site = c.Sites[0]
	}
	if len(c.Scenarios) > 0 {
		r.Type = c.Scenarios[0]
	}
	w := words{}
	w.text(c.ID, c.Name)
	w.text(c.Sites...)
	w.text(c.Reason.Zh, c.Reason.En)
	return finish(r, w, c.FirstSeen, c.LastSeen, c)
}

// Of gives the record of a site; its id is the site's name, Type the industry.
func (s *Site) Of(rev uint64) (record.Record, error) {
	r := record.Record{Kind: record.Site, ID: s.Site.Name, Rev: rev, Site: s.Site.Name, Type: s.Site.Industry}
	var first, last time.Time
	if s.Input.First != nil && s.Input.Last != nil {
		first, last = *s.Input.First, *s.Input.Last
	}
	w := words{}
	w.text(s.Site.Name)
	return finish(r, w, first, last, s)
}

func finish(r record.Record, w words, first, last time.Time, body any) (record.Record, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return record.Record{}, fmt.Errorf("keep %s %s: %w", r.Kind, r.ID, err)
	}
	r.Body, r.Words = b, w.String()
	r.First, r.Last = clamp(first), clamp(last)
	if r.Last.Before(r.First) {
		r.Last = r.First
	}
	return r, nil
}

// clamp brings a time into what nanoseconds can hold: times of traffic are
// what its writer says.
func clamp(t time.Time) time.Time {
	switch {
	case t.Before(time.Unix(0, 0)):
		return time.Unix(0, 0)
	case t.After(time.Unix(0, math.MaxInt64)):
		return time.Unix(0, math.MaxInt64)
	}
	return t
}

// name cuts a text to what a record's name holds.
func name(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "?")
	if len(s) > record.MaxText {
		s = strings.ToValidUTF8(s[:record.MaxText], "")
	}
	return s
}

func number(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// words gathers what a search looks through.
type words struct{ b strings.Builder }

// add puts whole words, or none of each.
func (w *words) add(list ...string) {
	for _, s := range list {
		if w.b.Len()+len(s) <= record.MaxWords {
			w.b.WriteString(s)
		}
	}
}

// text puts texts in lower case, a line each; the last may be cut.
func (w *words) text(list ...string) {
	for _, s := range list {
		room := record.MaxWords - w.b.Len() - 1
		if room <= 0 || s == "" {
			continue
		}
		s = Fold(s)
		if len(s) > room {
			s = strings.ToValidUTF8(s[:room], "")
		}
		w.b.WriteString(s)
		w.b.WriteByte('\n')
	}
}

func (w *words) String() string { return w.b.String() }

// Fold gives a text as words hold it: in lower case, in one line, without what
// cannot be kept.
func Fold(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c == utf8.RuneError:
			return '?'
		case c < ' ':
			return ' '
		}
		return c
	}, s)
	return strings.ToLower(s)
}

// All gives the records of a whole report. What was read is not told apart by
// site there, so the first site of the report carries it.
func All(r *report.Report, rev uint64) ([]record.Record, error) {
	var out []record.Record
	put := func(x record.Record, err error) error {
		out = append(out, x)
		return err
	}
	for i := range r.Sites {
		s := Site{Site: r.Sites[i], Input: report.NewInput()}
		if s.Input.Addresses = r.Input.Addresses; i == 0 {
			s.Input = r.Input
		}
		if err := put(s.Of(rev)); err != nil {
			return nil, err
		}
	}
	apis := make(map[string]*report.API, len(r.APIs))
	for i := range r.APIs {
		apis[r.APIs[i].ID] = &r.APIs[i]
		if err := put(API(&r.APIs[i], rev)); err != nil {
			return nil, err
		}
	}
	for i := range r.Defects {
		of, site := apis[r.Defects[i].API], r.Defects[i].Site
		if of != nil {
			site = of.Site
		}
		if err := put(Defect(&r.Defects[i], site, of, rev)); err != nil {
			return nil, err
		}
	}
	for i := range r.Attacks {
		if err := put(Attack(&r.Attacks[i], rev)); err != nil {
			return nil, err
		}
	}
	for i := range r.Campaigns {
		if err := put(Campaign(&r.Campaigns[i], rev)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
