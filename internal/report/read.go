package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"xiezhi/internal/taxonomy"
)

// MaxFile is the largest report that is read, in bytes.
const MaxFile = 256 << 20

// Read reads a JSON report. It is strict: another schema, an unknown field, an
// id or a word that the schema does not allow is an error that says where.
func Read(r io.Reader) (*Report, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > MaxFile {
		return nil, fmt.Errorf("larger than %d MiB: no report of one run is", MaxFile>>20)
	}
	var head struct {
		Schema *string `json:"schema"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, located(b, err, 0)
	}
	switch {
	case head.Schema == nil:
		return nil, errors.New("no report: it has no field \"schema\"; give the files that analyze --json writes")
	case *head.Schema != SchemaID:
		return nil, fmt.Errorf("schema: %q is not %q, the only one this version reads", cut(Inert(*head.Schema)), SchemaID)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var out Report
	if err := dec.Decode(&out); err != nil {
		return nil, located(b, err, dec.InputOffset())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("byte %d: something follows the report", dec.InputOffset())
	}
	c := checker{}
	c.report(&out)
	if c.err != nil {
		return nil, c.err
	}
	return &out, nil
}

// located adds to a decoding error where it is.
func located(b []byte, err error, offset int64) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		return fmt.Errorf("byte %d: %s is a %s, which cannot be", typ.Offset, cut(Inert(typ.Field)), typ.Value)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("byte %d: the file ends inside the report", len(b))
	}
	return fmt.Errorf("byte %d: %s", offset, cut(Inert(err.Error())))
}

// checker keeps the first thing that is wrong.
type checker struct{ err error }

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *checker) word(path, s string, words ...string) {
	if !slices.Contains(words, s) {
		c.fail("%s: %q is none of the words the schema knows", path, cut(Inert(s)))
	}
}

func (c *checker) id(path, s string) {
	ok := len(s) >= 16 && len(s) <= 64
	for i := 0; ok && i < len(s); i++ {
		ok = s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'f'
	}
	if !ok {
		c.fail("%s: %q is no id (16 to 64 hexadecimal digits)", path, cut(Inert(s)))
	}
}

func (c *checker) ids(path string, list []string) {
	for i, s := range list {
		c.id(fmt.Sprintf("%s[%d]", path, i), s)
	}
}

func (c *checker) share(path string, f float64) {
	if !(f >= 0 && f <= 1) {
		c.fail("%s: %v is not between 0 and 1", path, f)
	}
}

func (c *checker) span(path string, first, last time.Time) {
	if first.Year() < 1970 || last.Year() > 2200 || last.Before(first) {
		c.fail("%s: first_seen and last_seen are no span of time", path)
	}
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

var levels = []string{"critical", "high", "elevated", "moderate"}

func (c *checker) report(r *Report) {
	scenarios, industries, classes := words(taxonomy.Scenarios), words(taxonomy.Industries), words(taxonomy.DefectClasses)
	c.word("input.addresses", r.Input.Addresses, "plain", "token")
	if (r.Input.First == nil) != (r.Input.Last == nil) {
		c.fail("input: first and last stand together or not at all")
	} else if r.Input.First != nil {
		c.span("input", *r.Input.First, *r.Input.Last)
	}
	for i, s := range r.Sites {
		c.word(fmt.Sprintf("sites[%d].industry", i), s.Industry, industries...)
		if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" {
			c.fail("sites[%d].time_zone: %q is unknown", i, cut(Inert(s.TimeZone)))
		}
	}
	for i, a := range r.APIs {
		p := fmt.Sprintf("apis[%d]", i)
		c.id(p+".id", a.ID)
		c.word(p+".lifecycle", a.Lifecycle, "new", "running", "active", "inactive", "retired")
		c.word(p+".exposure", a.Exposure, "internet", "partner", "internal")
		c.word(p+".auth", a.Auth, "none", "optional", "required", "unknown")
		c.span(p, a.FirstSeen, a.LastSeen)
		for j, s := range a.Sensitive {
			c.word(fmt.Sprintf("%s.sensitive[%d].in", p, j), s.In, "request", "response")
		}
	}
	for i, d := range r.Defects {
		p := fmt.Sprintf("defects[%d]", i)
		c.id(p+".id", d.ID)
		c.word(p+".class", d.Class, classes...)
		if cl, ok := taxonomy.ClassOf[taxonomy.DefectKind(d.Kind)]; !ok || string(cl) != d.Class {
			c.fail("%s.kind: %q is no kind of class %s", p, cut(Inert(d.Kind)), d.Class)
		}
		for _, x := range []struct{ name, v string }{{"severity", d.Severity}, {"harm", d.Harm}, {"exploitability", d.Exploitability}, {"prevalence", d.Prevalence}} {
			c.word(p+"."+x.name, x.v, levels...)
		}
		c.word(p+".status", d.Status, "candidate", "probable", "confirmed", "fix_claimed", "verifying", "fixed", "regressed", "accepted_risk", "false_positive", "retired")
		c.share(p+".confidence", d.Confidence)
		c.ids(p+".exploited_by", d.ExploitedBy)
		c.span(p, d.FirstSeen, d.LastSeen)
	}
	for i := range r.Attacks {
		c.attack(fmt.Sprintf("attacks[%d]", i), &r.Attacks[i], scenarios)
	}
	if r.Period != nil {
		c.period(r.Period)
	}
	for i, x := range r.Campaigns {
		p := fmt.Sprintf("campaigns[%d]", i)
		c.id(p+".id", x.ID)
		c.ids(p+".attacks", x.Attacks)
		c.span(p, x.FirstSeen, x.LastSeen)
		for j, t := range x.Targets {
			c.word(fmt.Sprintf("%s.targets[%d].outcome", p, j), t.Outcome, "blocked", "partly", "undetected")
		}
		for j, t := range x.Timeline {
			c.word(fmt.Sprintf("%s.timeline[%d].event", p, j), t.Event, "start", "spread", "peak", "success", "blocked", "end")
		}
	}
}

func (c *checker) period(p *Period) {
	c.word("period.kind", p.Kind, SpanMonth, SpanQuarter, SpanYear, SpanDays)
	day := func(path, s string, open bool) {
		if t, err := time.Parse(time.DateOnly, s); (s != "" || !open) && (err != nil || t.Year() < 1970 || t.Year() > 2200) {
			c.fail("period.%s: %q is no day", path, cut(Inert(s)))
		}
	}
	day("first", p.First, p.Kind == SpanDays)
	day("last", p.Last, p.Kind == SpanDays)
	if p.Previous != nil {
		day("previous.first", p.Previous.First, false)
		day("previous.last", p.Previous.Last, false)
	}
	if len(p.Course) > maxMonths {
		c.fail("period.course: %d months, at most %d", len(p.Course), maxMonths)
	}
	for i, m := range p.Course {
		if _, err := time.Parse("2006-01", m.Month); err != nil {
			c.fail("period.course[%d].month: %q is no month", i, cut(Inert(m.Month)))
		}
	}
	for i, x := range p.Changes {
		c.word(fmt.Sprintf("period.changes[%d].change", i), x.Change, ChangeFound, ChangeClaimed, ChangeFixed, ChangeReturned)
		c.id(fmt.Sprintf("period.changes[%d].defect", i), x.Defect)
	}
}

func (c *checker) attack(p string, a *Attack, scenarios []string) {
	c.id(p+".id", a.ID)
	if _, ok := taxonomy.ScenarioOf[taxonomy.AttackKind(a.Kind)]; !ok {
		c.fail("%s.kind: %q is no kind of attack", p, cut(Inert(a.Kind)))
	}
	c.word(p+".scenario", a.Scenario, scenarios...)
	c.word(p+".verdict", a.Verdict, "suspicious", "likely", "confirmed")
	c.word(p+".action.kind", a.Action.Kind, "observe", "tag", "rate_limit", "challenge", "mask", "deceive", "block")
	c.share(p+".confidence", a.Confidence)
	c.share(p+".action.collateral", a.Action.Collateral)
	c.ids(p+".apis", a.APIs)
	c.ids(p+".through", a.Through)
	c.span(p, a.FirstSeen, a.LastSeen)
	if len(a.Actors.IPs) > maxIPs {
		c.fail("%s.actors.ips: %d addresses, at most %d", p, len(a.Actors.IPs), maxIPs)
	}
	for i, x := range a.Activity {
		if t, err := time.Parse(time.DateOnly, x.Day); err != nil || t.Year() < 1970 || t.Year() > 2200 {
			c.fail("%s.activity[%d].day: %q is no day", p, i, cut(Inert(x.Day)))
		}
		const most = 1 << 53
		if x.Requests > most || x.Blocked > x.Requests || x.Succeeded > x.Requests {
			c.fail("%s.activity[%d]: the figures cannot be", p, i)
		}
	}
	if a.Blocked > a.Requests || a.Succeeded > a.Requests || a.Requests > 1<<53 {
		c.fail("%s: the figures cannot be", p)
	}
}
