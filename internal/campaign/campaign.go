// Package campaign joins attacks into campaigns: what one gang did, across
// APIs and sites.
//
// It takes small signatures of attacks, never traffic, and gives campaigns
// with their story. Two attacks belong together when at least two independent
// rare links agree (see families) and what they share outweighs what tells
// them apart; groups are joined by average linkage, so that a link between two
// attacks never drags two gangs together. Invariant: the same attacks give the
// same campaigns, in whatever order they come. Limits: attacks considered,
// pairs looked at and moments told are bounded, see LIMITS.md; who shares
// neither tool nor structure nor targets with their own earlier attacks is
// taken for somebody else.
package campaign

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Mark is one trait of an attack: Others of Of askers on its site whom no
// attack claims show it, too.
type Mark struct {
	Key    string
	Value  string
	Share  float64
	Others uint64
	Of     uint64
}

// Activity is what an attack did to one API on one day.
type Activity struct {
	Day       string // 2006-01-02 in the site's time zone
	API       string
	Requests  uint64
	Blocked   uint64
	Succeeded uint64
}

// Defect is a defect that an attack came through.
type Defect struct{ ID, Kind string }

// Attack is what the reducer needs to know about an attack.
type Attack struct {
	ID        string
	Site      string
	Industry  string
	Zone      *time.Location // of the site; nil: UTC
	Kind      string
	Scenario  string
	Verdict   taxonomy.Verdict
	First     time.Time
	Last      time.Time
	Requests  uint64
	Blocked   uint64
	Succeeded uint64
	Subjects  uint64
	IPCount   uint64
	APIs      []string
	Through   []Defect
	Activity  []Activity
	Marks     []Mark
}

// Link is what attacks of a campaign have in common.
type Link struct {
	Key     string
	Rarity  float64 // bits
	Attacks []string
}

// Outcomes of a target.
const (
	Blocked    = "blocked"    // 90 % of the requests or more were refused by a control
	Partly     = "partly"     // less than that
	Undetected = "undetected" // none in the first 200 requests, and less than 10 % of all
)

// Target is how one site stood up to a campaign.
type Target struct {
	Site, Industry               string
	Requests, Blocked, Succeeded uint64
	Outcome                      string
}

// Moment is one event of a campaign's story.
type Moment struct {
	Time   time.Time
	Event  string // start, spread, success, blocked, peak, end
	Site   string
	Attack string
	Text   message.Text
}

// Campaign is what one gang did.
type Campaign struct {
	ID         string
	Name       string
	Attacks    []string // oldest first
	Sites      []string // most requests first, as the targets
	Industries []string
	Scenarios  []string // most requests first
	Kinds      []string
	Through    []string
	Links      []Link // rarest first
	First      time.Time
	Last       time.Time
	Requests   uint64
	Blocked    uint64
	Succeeded  uint64
	Subjects   uint64
	IPCount    uint64
	Targets    []Target
	Timeline   []Moment
	Reason     message.Text
}

const (
	maxAttacks = 10_000 // considered; the smallest are left out
	neighbours = 16     // attacks of one trait that each is compared with
	samples    = 8      // attacks that stand for a group in a comparison
)

// Losses counts what the caps cost.
type Losses struct {
	Attacks uint64 // left out
	Pairs   uint64 // that share a trait but were not compared with each other
}

// Reduce gives the campaigns among attacks, largest first. Attacks below
// likely join nothing.
func Reduce(attacks []Attack, msgs *message.Catalog) ([]Campaign, Losses) {
	var lost Losses
	list := make([]*Attack, 0, len(attacks))
	for i := range attacks {
		if attacks[i].Verdict >= taxonomy.Likely {
			list = append(list, &attacks[i])
		}
	}
	if len(list) > maxAttacks {
		slices.SortFunc(list, func(a, b *Attack) int {
			return cmp.Or(cmp.Compare(b.Verdict, a.Verdict), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.ID, b.ID))
		})
		lost.Attacks = uint64(len(list) - maxAttacks)
		list = list[:maxAttacks]
	}
	slices.SortFunc(list, byAge)
	list = slices.CompactFunc(list, func(a, b *Attack) bool { return a.ID == b.ID })

	ps := profiles(list)
	groups, skipped := cluster(ps)
	lost.Pairs = skipped
	if msgs == nil {
		msgs = &message.Catalog{}
	}
	out := make([]Campaign, 0, len(groups))
	for _, g := range groups {
		out = append(out, tell(g, msgs))
	}
	slices.SortFunc(out, func(a, b Campaign) int {
		return cmp.Or(cmp.Compare(len(b.Sites), len(a.Sites)), cmp.Compare(b.Subjects, a.Subjects), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.ID, b.ID))
	})
	return out, lost
}

func byAge(a, b *Attack) int {
	return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.ID, b.ID))
}

// identify gives a campaign the id of its oldest attack, so that it keeps its
// id when younger attacks or campaigns join it.
func identify(oldest string) (id, name string) {
	h := sha256.Sum256([]byte("campaign\x00" + oldest))
	id = hex.EncodeToString(h[:12])
	return id, "G-" + strings.ToUpper(id[:4])
}

// A Reducer keeps the attacks known so far, by id, and reduces them when time
// comes. It is not safe for concurrent use.
type Reducer struct {
	every   time.Duration
	next    time.Time
	msgs    *message.Catalog
	attacks map[string]Attack
	last    []Campaign
	lost    Losses
}

// NewReducer gives a reducer that looks again when event time has moved on by
// every.
func NewReducer(every time.Duration, msgs *message.Catalog) *Reducer {
	return &Reducer{every: every, msgs: msgs, attacks: make(map[string]Attack)}
}

// Put adds an attack, or what has become of it.
func (r *Reducer) Put(a Attack) {
	if _, ok := r.attacks[a.ID]; !ok && len(r.attacks) >= maxAttacks {
		r.evict()
	}
	r.attacks[a.ID] = a
}

// evict forgets the attack that ended longest ago.
func (r *Reducer) evict() {
	var oldest *Attack
	for _, a := range r.attacks {
		if oldest == nil || cmp.Or(a.Last.Compare(oldest.Last), cmp.Compare(a.ID, oldest.ID)) < 0 {
			oldest = &a
		}
	}
	delete(r.attacks, oldest.ID)
	r.lost.Attacks++
}

// Tick moves event time on and gives the campaigns as of the last look; fresh
// says whether this tick was one.
func (r *Reducer) Tick(now time.Time) (campaigns []Campaign, fresh bool) {
	if now.Before(r.next) {
		return r.last, false
	}
	r.next = now.Truncate(r.every).Add(r.every)
	list := make([]Attack, 0, len(r.attacks))
	for _, a := range r.attacks {
		list = append(list, a)
	}
	campaigns, lost := Reduce(list, r.msgs)
	r.lost.Pairs = lost.Pairs
	r.last = campaigns
	return campaigns, true
}

// Losses reports what the caps cost so far.
func (r *Reducer) Losses() Losses { return r.lost }
