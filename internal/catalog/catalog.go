// Package catalog learns which APIs exist on a site: templates, roles, outcome
// classes, what data they carry.
//
// It is part of the judge's ordered state: Assign takes the next observation
// in order and gives its API and outcome; Lookup answers from what has been
// learned without learning. Templates are evidence-based: literal paths become
// one template when what follows them and what they answer agree. When two
// APIs turn out to be one, a Merge is emitted and later observations carry the
// surviving handle; detectors fold their state accordingly. Only what a server
// granted is listed: paths that were never answered but with "not found" or the
// same refusal as everything else never become an API. Invariant: the same
// events in the same order give the same catalogue. Limits: bounded, see
// LIMITS.md; words that are values are told from route words by evidence, so
// the first few stand as literals until enough siblings agree.
package catalog

import (
	"xiezhi/internal/identity"
	"xiezhi/internal/intel"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/taxonomy"
)

// Handle names an API within its site's catalogue. 0 means none.
type Handle uint32

// Merge says that From is now part of Into. From never comes again.
type Merge struct{ From, Into Handle }

// Outcome is what became of a request, the business answer included: many
// applications say "wrong password" with status 200.
type Outcome uint8

const (
	OutcomeUnknown   Outcome = iota // no response seen, or not understood
	OutcomeSuccess                  // what was asked for was given or done
	OutcomeRejected                 // business refusal: wrong secret, exists already, not eligible
	OutcomeDenied                   // not logged in, no permission, token invalid
	OutcomeThrottled                // 429, too often, locked, captcha demanded
	OutcomeNotFound
	OutcomeInvalid // parameters refused
	OutcomeError   // server error
	OutcomeRedirect
)

var outcomeNames = [...]string{"unknown", "success", "rejected", "denied", "throttled", "not_found", "invalid", "error", "redirect"}

func (o Outcome) String() string { return outcomeNames[min(int(o), len(outcomeNames)-1)] }

// Event is one observation as detectors see it: with who asked, which API and
// what became of it. It is valid only during the call that delivers it.
type Event struct {
	*observe.Observation
	Who identity.Who
	Net intel.Net // where the client's address is; zero when not known
	API *API      // nil when the request belongs to no API: scan noise, junk
	// Beside is the API whose template the path follows but for one segment
	// that looks like none of its values, as a mistyped id does: /goods/7979a
	// beside /goods/{goods_id}. It is given where API is nil and the answer is a
	// server error that shows something; the request does not count for it.
	Beside  Handle
	Outcome Outcome
	// ResponseClass numbers the response classes of the API: equal numbers
	// mean equal (status, business code, message template, schema, verdict).
	ResponseClass uint32
	Merges        []Merge // merges that this event caused, in order, already applied

	// Object is the token of the object that the request names (path
	// parameter, or an id in query or body); 0 none. Owner is the token in the
	// response's learned owner field; 0 none. Ownership compares it with the
	// asker.
	Object    uint64
	Owner     uint64
	Ownership Ownership

	// Known is what intelligence says of the asker; Lure is what it means to
	// touch the decoy that the request names, empty when it names none.
	Known indicator.Known
	Lure  taxonomy.AttackKind
}

// Ownership says whose object a response gave.
type Ownership uint8

const (
	OwnershipUnknown Ownership = iota
	OwnershipOwn               // the learned owner field names the asker
	OwnershipForeign           // it names somebody else
	// OwnershipEntrusted: it names somebody else, but the object stood in a list
	// that the asker was given, and the asker has none of its own here: the work
	// of staff.
	OwnershipEntrusted
)

// API is one learned API. Detectors read it; only the catalogue writes.
type API struct {
	Handle   Handle
	Method   string
	ID       string // stable: hash of site, method, template, operation included
	Site     string
	Host     string
	Template string // "/users/v1/{username}", "/graphql#query getUser"
	// Operation is what stands behind "#" in the template: where one path serves
	// many functions, the one that this API is. Empty elsewhere.
	Operation string
	Title     string       // by an edit; empty else
	Protocol  rpc.Protocol // convention of the operation
	Role      taxonomy.Role

	Exchanges uint64
	Outcomes  [9]uint64 // by Outcome
	Actors    uint64    // distinct clients or principals, estimate
	First     int64     // ns since the epoch
	Last      int64
	WithCred  uint64 // successes with a credential
	NoCred    uint64 // successes without
	Public    uint64 // exchanges from non-private addresses
	Sensitive []Sensitive
	Unseen    bool   // credentials are not visible here, as in recordings that leave them out
	Ways      []Way  // how it was asked and answered
	WaysOver  uint64 // exchanges whose way had no room
	Heads     []Head // which parameters its header had; nil where it never had any
	Shown     []Shown
	Shifts    []Shift
	LastShown int64           // of the last success with a credential
	LastBare  int64           // without
	Path      []PathParameter // filled in by APIs
	Gone      bool            // nothing but refusals came back of late, as from what is no more
	Successor string          // id of the API of a higher version that took its calls over; filled in by APIs
	Owner     string          // path of the learned owner field, or "{name}" of the parameter that names the asker; empty while unknown
}

// Sensitive is sensitive data that an API carries.
type Sensitive struct {
	Path           string
	Type           taxonomy.Sensitive
	Response       bool
	Masked         bool
	Exchanges      uint64
	MaxPerResponse uint32
}

// Auth says whether the API asks for a credential, judged by its successes.
func (a *API) Auth() taxonomy.Auth {
	if a.Unseen {
		return taxonomy.AuthUnknown
	}
	denied := a.Outcomes[OutcomeDenied]
	switch {
	case a.WithCred > 0 && a.NoCred > 0:
		return taxonomy.AuthOptional
	case a.NoCred > 0:
		return taxonomy.AuthNone
	case a.WithCred >= 5 || a.WithCred > 0 && denied > 0:
		return taxonomy.AuthRequired
	}
	return taxonomy.AuthUnknown
}

// Lifecycle says where the API stands in its life at now (ns since the epoch):
// new for its first day, then active at ten exchanges a day or more and running
// below, inactive after seven idle days, retired after thirty, or when it is gone
// or was taken over.
func (a *API) Lifecycle(now int64) taxonomy.Lifecycle {
	const day = int64(24 * 3600 * 1e9)
	idle := now - a.Last
	switch {
	case idle > 30*day, a.Gone, a.Successor != "":
		return taxonomy.LifeRetired
	case idle > 7*day:
		return taxonomy.LifeInactive
	case now-a.First < day:
		return taxonomy.LifeNew
	case float64(a.Exchanges) >= 10*float64(now-a.First)/float64(day):
		return taxonomy.LifeActive
	}
	return taxonomy.LifeRunning
}

// Exposure says who reaches the API, judged by the addresses that did.
func (a *API) Exposure() taxonomy.Exposure {
	if a.Public > 0 {
		return taxonomy.ExposureInternet
	}
	return taxonomy.ExposureInternal
}
