// Package record is what a service keeps of findings and decisions: APIs,
// defects, attacks, campaigns and sites as the judges see them; verdicts,
// policies, users, tokens, settings and the audit log as people write them.
//
// It takes batches of records and audit entries and gives them back by id, by
// list and in order. Store is the contract; record/sqlite keeps it in one file
// and record/recordtest holds every implementation against a plain model.
//
// Invariants: a batch is written whole or not at all; writing it again changes
// nothing, so that a replay never counts twice; the audit log only grows, each
// entry sealed over the one before. Passwords and tokens come as hashes, and a
// record that holds anything else in their place is refused. Limits: see the
// Max constants; the bodies are their writers', who have put them through
// redact.
package record

import (
	"context"
	"errors"
	"time"
)

// Kind of a record.
type Kind string

// The kinds. The first five are derived: judges write them again and again as
// they grow, and after a crash write old states anew. Their bodies are elements
// of the report's lists (schema/report.v1.json: apis, defects, attacks,
// campaigns) and, for a site, what was read of it and lost; package
// report/kept makes them. The others are kept: people write them, one after
// the other.
const (
	API      Kind = "api"
	Defect   Kind = "defect"
	Attack   Kind = "attack"
	Campaign Kind = "campaign"
	Site     Kind = "site"
	Verdict  Kind = "verdict"
	Policy   Kind = "policy"
	User     Kind = "user"
	Token    Kind = "token"
	Setting  Kind = "setting"

	Description Kind = "description" // of a site's APIs, by developers

	Decision Kind = "decision" // what gateways do about an attack (respond.Decision)
	Switch   Kind = "switch"   // whether decisions are carried out at all
	Bouncer  Kind = "bouncer"  // a gateway that may ask for decisions

	Indicator Kind = "indicator" // what people said of things and attacks (library.Said)

	Outgoing Kind = "outgoing" // what waits to leave, or could not (respond/outbox)
	Told     Kind = "told"     // how far somebody outside was told of something
)

// Kinds lists all of them.
var Kinds = [...]Kind{API, Defect, Attack, Campaign, Site, Verdict, Policy, User, Token, Setting, Description, Decision, Switch, Bouncer, Indicator, Outgoing, Told}

// Derived reports whether judges write records of this kind.
func (k Kind) Derived() bool {
	switch k {
	case API, Defect, Attack, Campaign, Site:
		return true
	}
	return false
}

// Caps. What is beyond them is refused with ErrInvalid.
const (
	MaxBody  = 1 << 20 // bytes of a body
	MaxText  = 256     // bytes of an id and of any other text
	MaxWords = 2048    // bytes of the words of a record
	MaxAny   = 64      // values of one field that a query asks for
	MaxTally = 10_000  // groups of a tally
	MaxHeld  = 128     // words that are counted at once
	MaxBatch = 1000    // records, deletions and entries of a batch together
	MaxPage  = 1000    // records or entries of a page
	MaxNote  = 4096    // bytes of an audit entry's detail
)

var (
	// ErrInvalid: the record, batch or query is not as it has to be.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: there is no such record.
	ErrNotFound = errors.New("there is no such record")
	// ErrConflict: somebody else changed the record in the meantime; read it
	// again and decide anew.
	ErrConflict = errors.New("the record was changed in the meantime")
	// ErrTampered: the audit log is not as it was written.
	ErrTampered = errors.New("the audit log was changed")
)

// Record is one thing that is kept. Which moment it shows is its Rev: for
// derived kinds the position in the stream of the last event that it counts, so
// that a record with a Rev that is not higher than the stored one is a replay
// and changes nothing; for kept kinds 1, 2, 3 …, so that a change made from a
// state that is no longer the newest is a conflict.
type Record struct {
	Kind Kind
	ID   string
	Rev  uint64

	// Lists can be held to these. Words are what a search by text looks
	// through, in lower case; the others are ids.
	Site, Type, State, Severity, Words string

	// Lists can be in order of these. What the ranks are, the writer of the kind
	// says.
	Name  string
	Ranks [Ranks]int64

	First time.Time // of what it tells, to the nanosecond; kept as UTC
	Last  time.Time // lists are in order of this, newest first, unless asked otherwise
	Body  []byte    // JSON
}

// Ranks is how many numbers of a record lists can be in order of.
const Ranks = 3

// Sort is what a list is in order of.
type Sort uint8

// The orders.
const (
	ByLast Sort = iota
	ByFirst
	ByName // by its bytes
	ByRank0
	ByRank1
	ByRank2
	sorts
)

// Key names a record in the state that is meant.
type Key struct {
	Kind Kind
	ID   string
	Rev  uint64
}

// Batch is written whole or not at all, and names each record and entry once.
// One whose audit entries are in the log has been written before and changes
// nothing, whatever happened since. A deletion of what is not there is none; one
// of another revision is a conflict.
type Batch struct {
	Delete []Key
	Put    []Record
	Audit  []Entry
}

// Query asks for records of one kind. Empty fields ask for any.
type Query struct {
	Kind     Kind
	Site     string
	Type     []string  // any of these
	State    []string  // any of these
	Severity []string  // any of these
	Words    []string  // each of these is part of the words; in lower case
	Mentions []string  // the body holds each of these as a JSON string
	From, To time.Time // From <= Last < To
	Born     Span      // that First is in
	Sort     Sort      // highest first, then by id
	Upwards  bool      // the other way round, ids too
	Limit    int       // 0 for 100
	After    string    // Page.Next of the page before
}

// Span is a time: From <= it < To. A zero end is open.
type Span struct{ From, To time.Time }

// Group is how many records have the same four fields.
type Group struct {
	Site, Type, State, Severity string
	Count                       uint64
}

// Page is one page of a list.
type Page struct {
	Records []Record
	Next    string // "" when this is the last one
}

// Store keeps records. It is safe for concurrent use. A nil error of Write is
// the acknowledgement.
type Store interface {
	// Write does a batch and gives how many records and entries it changed or
	// added; what was there already is not among them.
	Write(context.Context, Batch) (changed int, err error)
	Get(ctx context.Context, kind Kind, id string) (Record, error)
	// List gives a page. A record whose place moves while pages are turned may
	// be missing or come twice; all others come once.
	List(context.Context, Query) (Page, error)
	// Count says how many records a query asks for, whatever its limit and
	// place.
	Count(context.Context, Query) (uint64, error)
	// Holding says, for each of a list of words, how many of the records that a
	// query asks for hold it. Limit and place do not matter. At most MaxHeld
	// words.
	Holding(context.Context, Query, []string) ([]uint64, error)
	// Tally counts what a query asks for, whatever its limit and place, in
	// groups in the order of their fields. More than MaxTally groups are an
	// error: a narrower query is needed.
	Tally(context.Context, Query) ([]Group, error)
	// Audit gives entries before a number, or the last ones for 0, newest first.
	Audit(ctx context.Context, before uint64, limit int) ([]Sealed, error)
	// Verify goes through the audit log and gives its end. What known says was
	// there before still has to be there.
	Verify(ctx context.Context, known Head) (Head, error)
	Close() error
}
