package arena

import (
	"fmt"
	"math/rand/v2"
	"time"

	"xiezhi/lab/arena/knob"
)

// CaseNames are the four cases of the source report, in its order.
var CaseNames = []string{"case-government", "case-card-progress", "case-social", "case-parking"}

// Cases are the cases of the source report as matches of a seed.
func Cases(seed uint64) []Match {
	r := rand.New(rand.NewPCG(seed, 0x6361736573))
	return []Match{government(r, seed), progress(r, seed), social(r, seed), parking(r, seed)}
}

func blank(name string, seed uint64, visits float64, sites ...string) Match {
	return Match{Seed: seed, Spec: Spec{Name: name, Start: time.Date(2024, 4, 1, 0, 0, 0, 0, Zone()), Days: 4, Warm: 48, Sites: sites, Visits: visits, Sensor: SeesAll}}
}

// everywhere is a move at every site of a trade.
func everywhere(m *Match, kind, trade, way string) (out []Move) {
	for s, t := range m.Sites {
		if t == trade {
			out = append(out, Move{Kind: attackKind(kind), Site: s, Way: way})
		}
	}
	return out
}

// government: data of citizens is taken from several local governments' systems
// through the same kind of defective API, and one gang is behind it all.
func government(r *rand.Rand, seed uint64) Match {
	m := blank("case-government", seed, 90, "government", "government", "government", "government", "government")
	m.Campaigns = []Campaign{{ID: fmt.Sprintf("c%d-citizens", seed), Family: "proxied_script", Difficulty: knob.Medium,
		Moves: everywhere(&m, "scraping", "government", "progress"),
		Knobs: knob.Knobs{AddressesPerRequest: in(r, .3, .6), PoolLife: 10 * time.Minute, Overlap: .2, Networks: []knob.Network{knob.Residential, knob.DataCentre}, Fingerprint: knob.FixedTool,
			Parameters: knob.OwnParams, Rate: knob.Poisson, PerMinute: in(r, 1, 3), Order: knob.Shuffled, HitRate: in(r, .1, .3), Captcha: knob.OCR, Budget: 1400 + r.IntN(600)}}}
	m.Spec.Events = []Event{{Name: "partner_sync", Site: 1, At: 58}, {Name: "campus_nat", Site: 3, At: 82}}
	return m
}

// progress: how applications for credit cards stand is asked of several banks
// with a bought list of identity numbers.
func progress(r *rand.Rand, seed uint64) Match {
	m := blank("case-card-progress", seed, 150, "card", "card", "card")
	m.Campaigns = []Campaign{{ID: fmt.Sprintf("c%d-applicants", seed), Family: "rotating_browsers", Difficulty: knob.Hard,
		Moves: everywhere(&m, "scraping", "card", "progress"),
		Knobs: knob.Knobs{AddressesPerRequest: 1, PoolLife: 5 * time.Minute, Overlap: in(r, .3, .5), Networks: []knob.Network{knob.Residential, knob.Mobile}, Fingerprint: knob.BrowserTrue,
			Parameters: knob.OwnParams, Rate: knob.DayShaped, PerMinute: in(r, .5, 1), Order: knob.Bought, HitRate: in(r, .15, .35), Flow: .2, Captcha: knob.Humans, Budget: 900 + r.IntN(400)}}}
	m.Spec.Events = []Event{{Name: "call_centre", Site: 0, At: 57}, {Name: "marketing_import", Site: 2, At: 81}}
	return m
}

// social: accounts that people pay for make numbers rise, and numbers from
// lists are turned into members through the friend finder.
func social(r *rand.Rand, seed uint64) Match {
	m := blank("case-social", seed, 220, "social", "social")
	m.Campaigns = []Campaign{
		{ID: fmt.Sprintf("c%d-water-army", seed), Family: "phone_farm", Difficulty: knob.Hard, Moves: []Move{{Kind: "fake_engagement", Site: 0, Way: "like"}, {Kind: "fake_engagement", Site: 1, Way: "follow"}},
			Knobs: knob.Knobs{AddressesPerRequest: in(r, .1, .3), PoolLife: 30 * time.Minute, Overlap: .6, Networks: []knob.Network{knob.Mobile}, Fingerprint: knob.BrowserTrue,
				Parameters: knob.GenuineParams, Rate: knob.DayShaped, PerMinute: in(r, 1, 2), Order: knob.Bought, HitRate: .5, Flow: .7, Captcha: knob.Humans, Telemetry: true, Budget: 700}},
		{ID: fmt.Sprintf("c%d-finders", seed), Family: "proxied_script", Difficulty: knob.Medium, Moves: everywhere(&m, "account_scanning", "social", "friend"),
			Knobs: knob.Knobs{AddressesPerRequest: .5, PoolLife: 10 * time.Minute, Overlap: .2, Networks: []knob.Network{knob.Residential}, Fingerprint: knob.FixedTool,
				Parameters: knob.OwnParams, Rate: knob.Poisson, PerMinute: in(r, 2, 5), Order: knob.Shuffled, HitRate: .12, Captcha: knob.OCR, Budget: 900}},
	}
	m.Spec.Events = []Event{{Name: "viral_post", Site: 0, At: 60}, {Name: "campus_nat", Site: 1, At: 76}}
	return m
}

// parking: tools ask ten operators' car parks for plates until one of them
// says where the car stands; to order, a few requests an operator.
func parking(r *rand.Rand, seed uint64) Match {
	sites := make([]string, 10)
	for i := range sites {
		sites[i] = "parking"
	}
	m := blank("case-parking", seed, 55, sites...)
	m.Campaigns = []Campaign{{ID: fmt.Sprintf("c%d-car-finders", seed), Family: "rented_block", Difficulty: knob.Medium, Moves: everywhere(&m, "targeted_lookup", "parking", ""),
		Knobs: knob.Knobs{AddressesPerRequest: in(r, .2, .5), PoolLife: 20 * time.Minute, Overlap: .1, Networks: []knob.Network{knob.Residential, knob.DataCentre}, Fingerprint: knob.FixedTool,
			Parameters: knob.OwnParams, Rate: knob.DayShaped, PerMinute: in(r, .02, .05), Order: knob.Bought, HitRate: .9, Captcha: knob.NoCaptcha, Budget: 350 + r.IntN(150)}}}
	m.Spec.Events = []Event{{Name: "monitoring", Site: 4, At: 57}}
	return m
}

// Find gives the match of a name: a case, or board-N for the board's match of
// seed N among the first n seeds.
func Find(name string, seed uint64, n int) (Match, error) {
	for _, m := range Cases(seed) {
		if m.Name == name {
			return m, nil
		}
	}
	for _, m := range Matches(Seeds(n)) {
		if m.Name == name {
			return m, nil
		}
	}
	return Match{}, fmt.Errorf("match: %q is none of %v, board-001 … board-%03d", name, CaseNames, n)
}
