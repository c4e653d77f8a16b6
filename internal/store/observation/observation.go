// Package observation is what a service keeps of its traffic: one row for each
// exchange that was judged, and the questions that a console asks of them.
//
// It takes rows in the order in which their writer made them and gives counts
// over time, the largest, single rows, what an entity was seen with, and which
// days are there. Store is the contract, and the queries are a closed set: no
// language of queries comes in from outside. observation/duckdb keeps rows in
// one file a day; observationtest holds every implementation against a plain
// model.
//
// Invariants: rows are kept by day of their time (UTC); a row comes with its
// position in what one writer writes, so that a batch written again changes
// nothing; a row holds tokens, names of APIs and numbers, never a value of
// anybody's, with the client's address as the one exception that operation
// needs. Limits: see the Max constants; a row keeps what was known when it was
// written, so that an attack that was recognised later is found by its selector
// and not by the rows before.
package observation

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
	"xiezhi/internal/taxonomy"
)

// Caps. What is beyond them is refused with ErrInvalid.
const (
	MaxBatch = 100_000 // rows of one Append
	MaxText  = 256     // bytes of a site, API or attack
	MaxPage  = 1000    // rows of a page
	MaxTop   = 1000    // entries of a list of the largest
	MaxLines = 50      // lines of a series; what is beyond is one line of the rest
	MaxSteps = 2000    // steps of a series
	MaxSpan  = 800     // days that a query may name

	MaxScopes    = 256  // of a filter
	MaxScopeKeys = 1000 // APIs and addresses of a scope
	MaxNot       = 16   // things that a filter leaves out
)

// ErrInvalid: the row or query is not as it has to be.
var ErrInvalid = errors.New("invalid")

// Verdict on one exchange. In the rows the zero value does not occur.
type Verdict uint8

const (
	Normal     Verdict = iota + 1
	Suspicious         // part of an attack that is suspected
	Attack             // part of an attack that is likely or confirmed
)

var verdictNames = [...]string{"", "normal", "suspicious", "attack"}

func (v Verdict) String() string { return verdictNames[min(int(v), len(verdictNames)-1)] }

// Position is the place of a row in what its writer writes. A writer has a
// partition of its own and numbers its rows upwards, the same row always alike:
// a judge that sorts what the bus delivers numbers what it gives out.
type Position struct {
	Partition uint32
	Seq       uint64
	Index     uint32 // within Seq
}

// Row is one judged exchange. Tokens of 0, empty texts and zero values say that
// nothing is known.
type Row struct {
	Position
	Time     int64      // it ended, ns since the epoch
	Site     string     // name
	API      string     // id of the catalogue, which stands for method and template; empty: of no API
	Exchange uint64     // hash of its id
	Client   netip.Addr // behind trusted proxies
	Actor    uint64     // token of the account that asks
	Account  uint64     // token of the account that the request is about
	Session  uint64
	Agent    uint64 // hash of the client's fingerprint
	Network  taxonomy.NetworkType
	Country  intel.Country
	Status   uint16
	Outcome  catalog.Outcome
	Types    Set    // of taxonomy.Sensitive, in the answer
	Subjects uint32 // people whose data the answer held
	BytesIn  uint64 // of the request's body
	BytesOut uint64 // of the response's body
	Latency  uint32 // µs
	Verdict  Verdict
	Attack   string // id of the finding
}

// Store keeps rows. It is safe for concurrent use; batches of one partition
// come one after the other.
type Store interface {
	// Append writes rows. A nil error is the acknowledgement: all of them are
	// there, once. With any other the same batch may be given again. Positions
	// of a partition ascend within a batch and from batch to batch; a row that is
	// not above the highest of its partition and day is a repetition and left
	// out. Rows of days that Retain dropped are left out too, and counted.
	Append(context.Context, []Row) error
	Series(context.Context, SeriesQuery) (Series, error)
	Top(context.Context, TopQuery) (Top, error)
	Search(context.Context, SearchQuery) (Page, error)
	Pivot(context.Context, PivotQuery) (Pivot, error)
	Range(context.Context) (Range, error)
	// Retain drops whole days: those that end at or before a moment. It gives
	// how many there were.
	Retain(ctx context.Context, before time.Time) (days int, err error)
	Close() error
}

// Series is a measure over time.
type Series struct {
	Starts []int64 // of the steps, ns since the epoch
	Lines  []Line  // the largest first, then by key, the rest last
}

// Line is one line of a series.
type Line struct {
	Key    string   // value of the dimension, as Dimension.Key gives it; empty without one
	Rest   bool     // it stands for all values beyond the cap of lines
	Total  uint64   // the measure over all steps
	Values []uint64 // by step
}

// Top is a list of the largest.
type Top struct {
	List  []Tally // the largest first, then by key
	Total uint64  // the measure over all rows that match, with and without a value
}

// Tally is one entry of a list.
type Tally struct {
	Key   string
	Value uint64
}

// Page is a page of rows, newest first: by time, then by partition and
// position, all descending.
type Page struct {
	Rows []Row
	Next string // "" when this is the last one
}

// Pivot is what an entity was seen with.
type Pivot struct {
	Rows        uint64
	First, Last int64 // ns since the epoch; 0 without rows
	Facets      []Facet
}

// Facet is one dimension of a pivot.
type Facet struct {
	Dimension Dimension
	Distinct  uint64
	Top       []Sighting // most rows first, then by key
}

// Sighting is one value that an entity was seen with.
type Sighting struct {
	Key         string
	Rows        uint64
	First, Last int64
}

// Range says what is there.
type Range struct {
	Days    []Day // in order
	Aside   []Aside
	LeftOut uint64 // rows since opening whose day was dropped, or is one too many
}

// Day is one day of rows.
type Day struct {
	Start time.Time // UTC
	Rows  uint64
	Bytes int64 // on disk
}

// Aside is a day's file that could not be read and is kept aside.
type Aside struct {
	Day   time.Time
	Name  string
	Bytes int64
}
