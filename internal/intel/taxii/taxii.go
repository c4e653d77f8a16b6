// Package taxii passes intelligence on between nodes, and to others' tools, by
// TAXII 2.1 (OASIS standard): a server of read-only collections and a client
// that follows one.
//
// The server takes collections, each of which gives indicators with the time at
// which they were added, and who may read them; it gives an http.Handler. The
// client takes the URL of a collection and gives what was added since, page by
// page. Invariants: a page never leaves out what was added before its end, so
// that a client that keeps X-TAXII-Date-Added-Last misses nothing; phones and
// accounts are keyed hashes; whoever has no token learns nothing but that one is
// asked for. Limits: pages, bytes and rounds are capped (LIMITS.md); nothing is
// taken in by POST, and nothing is deleted.
package taxii

import (
	"slices"
	"time"

	"xiezhi/internal/intel/indicator"
)

// Media types of the standard.
const (
	MediaType = "application/taxii+json;version=2.1"
	STIXType  = "application/stix+json;version=2.1"
)

// Caps.
const (
	MaxPage     = 1000 // objects of a page
	DefaultPage = 200
	MaxObjects  = 1 << 17 // of a collection: the newest

	maxPages = 2000     // that a client turns in one go
	maxBytes = 64 << 20 // of those pages together
	maxFault = 300      // bytes of what a server says is wrong
)

// stamp has microseconds, as the times at which objects are added.
const stamp = "2006-01-02T15:04:05.000000Z"

func stamped(ns int64) string { return time.Unix(0, ns).UTC().Format(stamp) }

// Shared is an indicator of a collection.
type Shared struct {
	Row     indicator.Indicator
	Added   int64 // when it, or this version of it, came to the collection; whole microseconds
	Revoked bool  // it is taken back
}

// Ledger remembers when what is shared was added, and what was taken back. The
// zero value has seen nothing. It is not safe for concurrent use.
type Ledger struct {
	known map[indicator.Key]Shared
	last  int64
}

// keepRevoked is how long what was taken back is told.
const keepRevoked = int64(30 * 24 * time.Hour)

// Update takes what is shared now and gives all of it in the order in which it
// was added. Times of addition grow with every update, whatever the clock does.
func (l *Ledger) Update(rows []indicator.Indicator, now int64) []Shared {
	now = max(now/1000*1000, l.last+1000)
	changed := false
	next := make(map[indicator.Key]Shared, len(rows))
	for i := range rows {
		x := &rows[i]
		k := indicator.Key{Type: x.Type, Value: x.Value}
		if have, ok := next[k]; ok && have.Row.Confidence >= x.Confidence {
			continue // said twice: the surer word
		}
		old, ok := l.known[k]
		if ok && !old.Revoked && old.Row == *x {
			next[k] = old
			continue
		}
		next[k], changed = Shared{Row: *x, Added: now}, true
	}
	for k, old := range l.known {
		if _, ok := next[k]; ok {
			continue
		}
		switch {
		case !old.Revoked && old.Row.Ends() > now: // what ends by itself need not be taken back
			old.Revoked, old.Added, changed = true, now, true
			old.Row.Last = max(old.Row.Last, min(now, old.Row.Ends()-1))
			next[k] = old
		case old.Revoked && old.Added > now-keepRevoked:
			next[k] = old
		}
	}
	if changed {
		l.last = now
	}
	l.known = next
	out := make([]Shared, 0, len(next))
	for _, x := range next {
		out = append(out, x)
	}
	slices.SortFunc(out, compare)
	return out[max(0, len(out)-MaxObjects/2):]
}
