package report

import (
	"fmt"
	"time"
)

// Kinds of stretches of time that a report can be about.
const (
	SpanMonth   = "month"
	SpanQuarter = "quarter"
	SpanYear    = "year"
	SpanDays    = "days"
)

// Span is a stretch of whole days, both included, each written 2006-01-02 and
// taken in each site's own zone; an empty bound is open. The zero Span is all
// of time.
type Span struct {
	Kind        string
	First, Last string
}

// ParseSpan reads a month (2006-01), a quarter (2006-Q1) or a year (2006).
func ParseSpan(s string) (Span, error) {
	quarter := 0
	switch {
	case len(s) == len("2006-01") && s[5] != 'Q' && s[5] != 'q':
		if t, err := time.Parse("2006-01", s); err == nil {
			return spanOf(SpanMonth, t, 1)
		}
	case len(s) == len("2006-Q1") && s[4] == '-' && s[6] >= '1' && s[6] <= '4':
		quarter = int(s[6] - '0')
		if t, err := time.Parse("2006", s[:4]); err == nil {
			return spanOf(SpanQuarter, t.AddDate(0, 3*(quarter-1), 0), 3)
		}
	case len(s) == len("2006"):
		if t, err := time.Parse("2006", s); err == nil {
			return spanOf(SpanYear, t, 12)
		}
	}
	return Span{}, fmt.Errorf("%q is no month (2006-01), quarter (2006-Q1) or year (2006)", cut(Inert(s)))
}

func spanOf(kind string, t time.Time, months int) (Span, error) {
	if t.Year() < 1970 || t.Year() > 2200 {
		return Span{}, fmt.Errorf("the year %d is not between 1970 and 2200", t.Year())
	}
	return Span{kind, t.Format(time.DateOnly), t.AddDate(0, months, -1).Format(time.DateOnly)}, nil
}

// Between is the stretch between two days; an empty one is open.
func Between(first, last string) Span {
	if first == "" && last == "" {
		return Span{}
	}
	return Span{SpanDays, first, last}
}

// All reports whether the span leaves nothing out.
func (s Span) All() bool { return s.First == "" && s.Last == "" }

// Name is short and fit for the name of a file; all of time has none.
func (s Span) Name() string {
	switch s.Kind {
	case SpanMonth:
		return s.First[:7]
	case SpanQuarter:
		t, err := time.Parse(time.DateOnly, s.First)
		if err != nil {
			return s.First
		}
		return fmt.Sprintf("%04d-Q%d", t.Year(), (int(t.Month())-1)/3+1)
	case SpanYear:
		return s.First[:4]
	}
	switch {
	case s.All():
		return ""
	case s.First == "":
		return "until-" + s.Last
	case s.Last == "":
		return "since-" + s.First
	}
	return s.First + "-to-" + s.Last
}

// Before is the stretch of the same kind that ends where this one begins;
// there is none before an open one.
func (s Span) Before() (Span, bool) {
	first, err := time.Parse(time.DateOnly, s.First)
	if err != nil {
		return Span{}, false
	}
	last, err := time.Parse(time.DateOnly, s.Last)
	if err != nil {
		return Span{}, false
	}
	months := map[string]int{SpanMonth: 1, SpanQuarter: 3, SpanYear: 12}[s.Kind]
	from := first.AddDate(0, -months, 0)
	if months == 0 {
		from = first.Add(-last.Sub(first)).AddDate(0, 0, -1)
	}
	return Span{s.Kind, from.Format(time.DateOnly), first.AddDate(0, 0, -1).Format(time.DateOnly)}, true
}

// holds reports whether a day lies in the span.
func (s Span) holds(day string) bool {
	return (s.First == "" || day >= s.First) && (s.Last == "" || day <= s.Last)
}

// FileName is what a document about a stretch of time, or about all of it, is
// called. JSON says everything in both languages.
func FileName(about, lang, ext string) string {
	name := "xiezhi"
	if about != "" {
		name += "-" + about
	}
	if ext != "json" {
		name += "-" + lang
	}
	return name + "." + ext
}
