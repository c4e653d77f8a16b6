package observation

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
	"xiezhi/internal/taxonomy"
)

// Set is a set of small numbers, below 64. In a filter the empty one stands for
// any.
type Set uint64

// SetOf makes a set.
func SetOf[N ~uint8 | ~uint16](list ...N) Set {
	var s Set
	for _, n := range list {
		s |= 1 << n
	}
	return s
}

// Has reports whether a number is in the set.
func (s Set) Has(n int) bool { return n >= 0 && n < 64 && s>>n&1 == 1 }

// Each calls a function for every number in the set, ascending.
func (s Set) Each(do func(int)) {
	for ; s != 0; s &= s - 1 {
		do(bits.TrailingZeros64(uint64(s)))
	}
}

// Filter says which rows are meant: those that meet all of its fields. Zero
// values ask for any.
type Filter struct {
	From, To time.Time // From <= Time < To
	Site     string
	API      string
	Attack   string
	Exchange uint64
	Client   netip.Prefix // one address with its full length
	Actor    uint64
	Account  uint64
	Session  uint64
	Agent    uint64
	Network  taxonomy.NetworkType
	Country  intel.Country
	Status   uint16
	Classes  Set // of Status / 100
	Outcomes Set // of catalog.Outcome
	Verdicts Set // of Verdict
	Types    Set // of taxonomy.Sensitive: rows with at least one of them

	Within []Scope  // rows of at least one of them; empty: of any
	Not    []Filter // rows that none of them means; they have no times, Within and Not
}

// Match reports whether a row is meant.
func (f *Filter) Match(r *Row) bool {
	return (f.From.IsZero() || r.Time >= f.From.UnixNano()) && (f.To.IsZero() || r.Time < f.To.UnixNano()) &&
		is(f.Site, r.Site) && is(f.API, r.API) && is(f.Attack, r.Attack) && is(f.Exchange, r.Exchange) &&
		(!f.Client.IsValid() || f.Client.Contains(r.Client)) &&
		is(f.Actor, r.Actor) && is(f.Account, r.Account) && is(f.Session, r.Session) && is(f.Agent, r.Agent) &&
		is(f.Network, r.Network) && is(f.Country, r.Country) && is(f.Status, r.Status) &&
		(f.Classes == 0 || f.Classes.Has(int(r.Status/100))) &&
		(f.Outcomes == 0 || f.Outcomes.Has(int(r.Outcome))) &&
		(f.Verdicts == 0 || f.Verdicts.Has(int(r.Verdict))) &&
		(f.Types == 0 || f.Types&r.Types != 0) &&
		(len(f.Within) == 0 || slices.ContainsFunc(f.Within, func(s Scope) bool { return s.Match(r) })) &&
		!slices.ContainsFunc(f.Not, func(n Filter) bool { return n.Match(r) })
}

func is[V comparable](want, have V) bool {
	var any V
	return want == any || want == have
}

// Measure is what is counted.
type Measure uint8

const (
	Rows Measure = iota
	BytesIn
	BytesOut
	Subjects
	MeanLatency // µs, the sum over the rows divided by their number, rounded down
	MaxLatency  // µs
	measures
)

var measureNames = [measures]string{"rows", "bytes_in", "bytes_out", "subjects", "mean_latency", "max_latency"}

func (m Measure) String() string {
	if m >= measures {
		return ""
	}
	return measureNames[m]
}

// Sums is what all measures are taken from.
type Sums struct {
	Rows, BytesIn, BytesOut, Subjects, Latency, MaxLatency uint64
}

// Add adds a row.
func (s *Sums) Add(r *Row) {
	s.Join(Sums{1, r.BytesIn, r.BytesOut, uint64(r.Subjects), uint64(r.Latency), uint64(r.Latency)})
}

// Join adds what was summed elsewhere.
func (s *Sums) Join(o Sums) {
	s.Rows += o.Rows
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.Subjects += o.Subjects
	s.Latency += o.Latency
	s.MaxLatency = max(s.MaxLatency, o.MaxLatency)
}

// Of gives a measure.
func (s Sums) Of(m Measure) uint64 {
	switch m {
	case BytesIn:
		return s.BytesIn
	case BytesOut:
		return s.BytesOut
	case Subjects:
		return s.Subjects
	case MeanLatency:
		return s.Latency / max(s.Rows, 1)
	case MaxLatency:
		return s.MaxLatency
	}
	return s.Rows
}

// Step of a series.
type Step uint8

const (
	Minute Step = iota
	Hour
	Daily
	steps
)

var stepLengths = [steps]time.Duration{time.Minute, time.Hour, 24 * time.Hour}

// Length of a step.
func (s Step) Length() time.Duration { return stepLengths[min(s, steps-1)] }

// SeriesQuery asks for a measure over time. From and To are needed; both are
// taken to the whole step outside of them, so that a step is never a part.
type SeriesQuery struct {
	Filter
	Step    Step
	Offset  time.Duration // of the clock that hours and days are of, ahead of UTC; whole minutes, at most 14 h
	Measure Measure
	By      Dimension // NoDimension for one line
	Lines   int       // 0 for 10
}

// TopQuery asks for the largest. From and To are taken to the whole minute
// outside of them.
type TopQuery struct {
	Filter
	Of      Dimension
	Measure Measure
	Limit   int // 0 for 10
}

// SearchQuery asks for rows.
type SearchQuery struct {
	Filter
	Limit int    // 0 for 100
	After string // Page.Next of the page before
}

// PivotQuery asks what an entity was seen with. The facets are those of
// PivotDimensions but for its own.
type PivotQuery struct {
	Filter
	Of    Dimension
	Key   string
	Limit int // values of a facet, 0 for 10
}

// PivotDimensions are the facets of a pivot, in order.
var PivotDimensions = [...]Dimension{ByClient, ByActor, ByAccount, BySession, ByAgent, ByAPI, ByAttack}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}

// outward takes the ends of a filter to whole steps.
func (f *Filter) outward(step, offset time.Duration) {
	down := func(ns int64) int64 { return ns - mod(ns+int64(offset), int64(step)) }
	if !f.From.IsZero() {
		f.From = time.Unix(0, down(f.From.UnixNano())).UTC()
	}
	if !f.To.IsZero() {
		f.To = time.Unix(0, down(f.To.UnixNano()+int64(step)-1)).UTC()
	}
}

func mod(a, n int64) int64 { return ((a % n) + n) % n }

func limited(what string, n, usual, most int) (int, error) {
	if n < 0 || n > most {
		return 0, invalid("%d %s, at most %d", n, what, most)
	}
	if n == 0 {
		n = min(usual, most)
	}
	return n, nil
}

func (f *Filter) check() error {
	for _, t := range []time.Time{f.From, f.To} {
		if !t.IsZero() && (t.Before(time.Unix(0, 0)) || t.After(time.Unix(0, MaxTime))) {
			return invalid("a time out of range")
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() {
		if f.To.Before(f.From) {
			return invalid("it ends before it begins")
		}
		if f.To.Sub(f.From) > MaxSpan*24*time.Hour {
			return invalid("more than %d days", MaxSpan)
		}
	}
	for _, s := range []string{f.Site, f.API, f.Attack} {
		if !text(s) {
			return invalid("a site, API or attack has at most %d bytes of UTF-8", MaxText)
		}
	}
	f.Client = f.Client.Masked()
	if a := f.Client.Addr(); a.Is4In6() {
		if f.Client.Bits() < 96 {
			return invalid("an IPv4 prefix in the form of IPv6")
		}
		f.Client = netip.PrefixFrom(a.Unmap(), f.Client.Bits()-96)
	}
	if len(f.Within) > MaxScopes || len(f.Not) > MaxNot {
		return invalid("%d scopes and %d that are left out, at most %d and %d", len(f.Within), len(f.Not), MaxScopes, MaxNot)
	}
	for i := range f.Within {
		if err := f.Within[i].check(); err != nil {
			return err
		}
	}
	f.Not = slices.Clone(f.Not) // what is checked may be changed, the caller's not
	for i := range f.Not {
		n := &f.Not[i]
		if len(n.Within) > 0 || len(n.Not) > 0 || !n.From.IsZero() || !n.To.IsZero() {
			return invalid("what is left out has no times and no parts")
		}
		if err := n.check(); err != nil {
			return err
		}
	}
	return nil
}

// Check gives the query as it is meant, or says what is wrong with it.
func (q SeriesQuery) Check() (SeriesQuery, error) {
	var err error
	if q.Lines, err = limited("lines", q.Lines, 10, MaxLines); err != nil {
		return q, err
	}
	if err := q.check(); err != nil {
		return q, err
	}
	if q.Step >= steps || q.Measure >= measures || q.By != NoDimension && !q.By.series() {
		return q, invalid("no such step, measure or dimension of a series")
	}
	if q.Offset%time.Minute != 0 || q.Offset.Abs() > 14*time.Hour {
		return q, invalid("an offset of %s: whole minutes, at most 14 h", q.Offset)
	}
	if q.From.IsZero() || q.To.IsZero() {
		return q, invalid("a series needs both of its ends")
	}
	q.outward(q.Step.Length(), q.Offset)
	if n := q.Steps(); n > MaxSteps {
		return q, invalid("%d steps, at most %d", n, MaxSteps)
	}
	return q, nil
}

// Steps is how many steps a checked query has.
func (q *SeriesQuery) Steps() int { return int(q.To.Sub(q.From) / q.Step.Length()) }

// Check gives the query as it is meant, or says what is wrong with it.
func (q TopQuery) Check() (TopQuery, error) {
	var err error
	if q.Limit, err = limited("entries", q.Limit, 10, MaxTop); err != nil {
		return q, err
	}
	if q.Of == NoDimension || q.Of >= dimensions || q.Measure >= measures {
		return q, invalid("no such dimension or measure")
	}
	if err := q.check(); err != nil {
		return q, err
	}
	q.outward(time.Minute, 0)
	return q, nil
}

// Check gives the query as it is meant with where its page begins, nil for the
// newest row, or says what is wrong with it.
func (q SearchQuery) Check() (SearchQuery, *Place, error) {
	var err error
	if q.Limit, err = limited("rows", q.Limit, 100, MaxPage); err != nil {
		return q, nil, err
	}
	if err := q.check(); err != nil {
		return q, nil, err
	}
	if q.After == "" {
		return q, nil, nil
	}
	p, err := ParsePlace(q.After)
	return q, &p, err
}

// Check gives the query with its entity as a part of the filter, or says what
// is wrong with it.
func (q PivotQuery) Check() (PivotQuery, error) {
	var err error
	if q.Limit, err = limited("values", q.Limit, 10, MaxTop); err != nil {
		return q, err
	}
	pivot := false
	for _, d := range PivotDimensions {
		pivot = pivot || d == q.Of
	}
	if !pivot {
		return q, invalid("no entity that others are found by")
	}
	if q.Filter, err = q.With(q.Of, q.Key); err != nil {
		return q, err
	}
	return q, q.check()
}

// Facets are the dimensions of the answer.
func (q *PivotQuery) Facets() []Dimension {
	var out []Dimension
	for _, d := range PivotDimensions {
		if d != q.Of {
			out = append(out, d)
		}
	}
	return out
}

// outcomes is how many there are.
const outcomes = int(catalog.OutcomeRedirect) + 1
