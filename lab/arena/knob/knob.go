// Package knob names what an adversary of the arena can turn: each knob on its
// own, so that a score can say which of them hides a campaign.
//
// It takes nothing and gives types and their check. Invariant: a knob describes
// what a campaign does on the wire and never how it would be noticed. Limits:
// Budget at most MaxBudget.
package knob

import (
	"fmt"
	"time"
)

// MaxBudget bounds the requests one campaign makes for its purpose.
const MaxBudget = 200_000

// Difficulty is how much a campaign does to pass for the public.
type Difficulty string

// Mimic is the majority's program with bought lists, at a person's pace and
// through the public's own addresses; scores report it apart.
const (
	Easy   Difficulty = "easy"
	Medium Difficulty = "medium"
	Hard   Difficulty = "hard"
	Mimic  Difficulty = "mimic"
)

// Difficulties are all of them, from easy to mimic.
var Difficulties = []Difficulty{Easy, Medium, Hard, Mimic}

// Network is a kind of line that addresses come from.
type Network string

// Networks at home are China's.
const (
	DataCentre  Network = "data_centre"  // rented machines of clouds at home
	Residential Network = "residential"  // broadband at home
	Mobile      Network = "mobile"       // carriers' gateways at home
	AbroadCloud Network = "abroad_cloud" // rented machines abroad
	AbroadHome  Network = "abroad_home"  // broadband abroad
)

// Fingerprint is how a campaign's program shows itself in TLS, HTTP/2 and
// headers.
type Fingerprint string

// Fingerprints.
const (
	FixedTool   Fingerprint = "fixed_tool"   // one tool, its own library's handshake and header order
	BrowserTrue Fingerprint = "browser_true" // genuine programs, driven: everything fits together
	PerRequest  Fingerprint = "per_request"  // agent, handshake and header order drawn anew every time
	Majority    Fingerprint = "majority"     // the program that most of the site's visitors use
)

// Parameters is how a campaign writes names and values.
type Parameters string

// Parameter structures.
const (
	OwnParams     Parameters = "own"     // the tool's: order, spacing, types, constant extras
	GenuineParams Parameters = "genuine" // to the byte as the application's own client
	RandomParams  Parameters = "random"  // order, spacing and extras drawn anew every time
)

// Rate is the law of a campaign's pace.
type Rate string

// Rate laws.
const (
	Burst     Rate = "burst"      // as fast as answers come, in a few heats
	Steady    Rate = "steady"     // a constant gap
	Poisson   Rate = "poisson"    // independent gaps around a mean
	DayShaped Rate = "day_shaped" // Poisson, with the hours of the public
	Drip      Rate = "drip"       // about one a minute, or fewer, for as long as it takes
)

// Order is the order of targets.
type Order string

// Target orders.
const (
	Sequential Order = "sequential"
	Strided    Order = "strided"
	Shuffled   Order = "shuffled" // of one range
	Random     Order = "random"   // of the whole space
	Bought     Order = "bought"   // a list of real targets
)

// Captcha is how a campaign meets a picture puzzle.
type Captcha string

// Captcha solving.
const (
	NoCaptcha Captcha = "none"   // does not; takes what comes without
	OCR       Captcha = "ocr"    // a program, right in two of three
	Humans    Captcha = "humans" // a service of people: slow and nearly always right
)

// Knobs are the settings of one campaign.
type Knobs struct {
	AddressesPerRequest float64       `json:"addresses_per_request"` // 0: one address for all; 1: a fresh one for each
	PoolLife            time.Duration `json:"pool_life_ns"`          // an address leaves the pool after so long; 0: never
	Overlap             float64       `json:"overlap"`               // share of addresses that honest visitors use, too
	Networks            []Network     `json:"networks"`
	Fingerprint         Fingerprint   `json:"fingerprint"`
	Parameters          Parameters    `json:"parameters"`
	Rate                Rate          `json:"rate"`
	PerMinute           float64       `json:"per_minute"` // mean, while it runs
	Order               Order         `json:"order"`
	HitRate             float64       `json:"hit_rate"` // share of targets that exist or answer as hoped
	Flow                float64       `json:"flow"`     // 0: bare calls; 1: the whole business flow with its pages
	Captcha             Captcha       `json:"captcha"`
	Telemetry           bool          `json:"telemetry"` // sends the client's own reports
	Budget              int           `json:"budget"`    // requests for its purpose, all sites together
}

// Check says what is out of range.
func (k *Knobs) Check() error {
	for _, s := range []struct {
		name string
		v    float64
	}{{"addresses_per_request", k.AddressesPerRequest}, {"overlap", k.Overlap}, {"hit_rate", k.HitRate}, {"flow", k.Flow}} {
		if !(s.v >= 0 && s.v <= 1) {
			return fmt.Errorf("%s: %v is not between 0 and 1", s.name, s.v)
		}
	}
	if len(k.Networks) == 0 {
		return fmt.Errorf("networks: none")
	}
	if !(k.PerMinute > 0) {
		return fmt.Errorf("per_minute: %v is not above 0", k.PerMinute)
	}
	if k.Budget < 1 || k.Budget > MaxBudget {
		return fmt.Errorf("budget: %d is not between 1 and %d", k.Budget, MaxBudget)
	}
	if k.PoolLife < 0 {
		return fmt.Errorf("pool_life: %v is below 0", k.PoolLife)
	}
	for _, e := range []struct {
		name, v string
		of      []string
	}{
		{"fingerprint", string(k.Fingerprint), []string{"fixed_tool", "browser_true", "per_request", "majority"}},
		{"parameters", string(k.Parameters), []string{"own", "genuine", "random"}},
		{"rate", string(k.Rate), []string{"burst", "steady", "poisson", "day_shaped", "drip"}},
		{"order", string(k.Order), []string{"sequential", "strided", "shuffled", "random", "bought"}},
		{"captcha", string(k.Captcha), []string{"none", "ocr", "humans"}},
	} {
		if !known(e.v, e.of) {
			return fmt.Errorf("%s: %q is none of %v", e.name, e.v, e.of)
		}
	}
	for _, n := range k.Networks {
		if !known(string(n), []string{"data_centre", "residential", "mobile", "abroad_cloud", "abroad_home"}) {
			return fmt.Errorf("networks: %q is unknown", n)
		}
	}
	return nil
}

func known(v string, of []string) bool {
	for _, o := range of {
		if v == o {
			return true
		}
	}
	return false
}
