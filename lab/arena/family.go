package arena

import (
	"math/rand/v2"
	"time"

	"xiezhi/internal/taxonomy"
	"xiezhi/lab/arena/knob"
)

// family is how a kind of gang is equipped: ranges that its knobs are drawn
// from. What it does with the equipment is its trade, and any family may take
// up any trade.
type family struct {
	name string
	at   knob.Difficulty
	make func(r *rand.Rand) knob.Knobs
}

// Families are the names of all families, in order.
func Families() []string {
	out := make([]string, len(families))
	for i := range families {
		out[i] = families[i].name
	}
	return out
}

func in(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }
func one[T any](r *rand.Rand, of ...T) T      { return of[r.IntN(len(of))] }

// budget draws requests on a logarithmic scale, as gangs' sizes spread.
func budget(r *rand.Rand, lo, hi int) int {
	return lo + int(float64(hi-lo)*r.Float64()*r.Float64())
}

var families = []family{
	// A script on a rented machine, in the open.
	{"rented_script", knob.Easy, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: 0, Networks: []knob.Network{one(r, knob.DataCentre, knob.DataCentre, knob.AbroadCloud)},
			Fingerprint: knob.FixedTool, Parameters: knob.OwnParams, Rate: one(r, knob.Burst, knob.Steady), PerMinute: in(r, 30, 150),
			Order: one(r, knob.Sequential, knob.Strided), HitRate: in(r, .02, .2), Flow: in(r, 0, .2), Captcha: knob.NoCaptcha, Budget: budget(r, 300, 1500)}
	}},
	// The same on part of a data centre's block.
	{"rented_block", knob.Easy, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: in(r, .01, .05), Networks: []knob.Network{knob.DataCentre},
			Fingerprint: knob.FixedTool, Parameters: knob.OwnParams, Rate: one(r, knob.Steady, knob.Poisson), PerMinute: in(r, 15, 80),
			Order: one(r, knob.Sequential, knob.Strided, knob.Shuffled), HitRate: in(r, .02, .2), Flow: in(r, 0, .3), Captcha: one(r, knob.NoCaptcha, knob.OCR), Budget: budget(r, 300, 1200)}
	}},
	// A script behind a proxy service that changes the line every few requests.
	{"proxied_script", knob.Medium, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: in(r, .1, .5), PoolLife: time.Duration(in(r, 5, 40)) * time.Minute, Overlap: in(r, 0, .2),
			Networks: []knob.Network{knob.Residential, one(r, knob.Residential, knob.Mobile, knob.AbroadHome)}, Fingerprint: knob.FixedTool, Parameters: knob.OwnParams,
			Rate: one(r, knob.Steady, knob.Poisson), PerMinute: in(r, 3, 15), Order: one(r, knob.Sequential, knob.Strided, knob.Shuffled), HitRate: in(r, .02, .25),
			Flow: in(r, 0, .4), Captcha: knob.OCR, Budget: budget(r, 250, 900)}
	}},
	// Driven browsers on rented machines.
	{"rented_browsers", knob.Medium, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: in(r, .05, .2), Networks: []knob.Network{knob.DataCentre, knob.AbroadCloud}, Fingerprint: knob.BrowserTrue,
			Parameters: one(r, knob.OwnParams, knob.GenuineParams), Rate: knob.Poisson, PerMinute: in(r, 3, 12), Order: one(r, knob.Shuffled, knob.Strided), HitRate: in(r, .02, .25),
			Flow: in(r, .3, .7), Captcha: one(r, knob.OCR, knob.Humans), Telemetry: r.IntN(2) == 0, Budget: budget(r, 250, 800)}
	}},
	// A tool that draws a new face for every request.
	{"shape_shifters", knob.Medium, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: in(r, .3, 1), PoolLife: time.Duration(in(r, 2, 15)) * time.Minute, Overlap: in(r, 0, .3), Networks: []knob.Network{knob.Residential, knob.DataCentre},
			Fingerprint: knob.PerRequest, Parameters: one(r, knob.OwnParams, knob.RandomParams), Rate: knob.Poisson, PerMinute: in(r, 2, 10),
			Order: one(r, knob.Shuffled, knob.Random), HitRate: in(r, .02, .2), Flow: in(r, 0, .3), Captcha: knob.OCR, Budget: budget(r, 250, 800)}
	}},
	// A fresh line for every request, genuine programs, parameters of the tool's own.
	{"rotating_browsers", knob.Hard, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: 1, PoolLife: time.Duration(in(r, 2, 10)) * time.Minute, Overlap: in(r, .3, .6), Networks: []knob.Network{knob.Residential, knob.Mobile},
			Fingerprint: knob.BrowserTrue, Parameters: knob.OwnParams, Rate: one(r, knob.Poisson, knob.DayShaped), PerMinute: in(r, 1, 5), Order: one(r, knob.Shuffled, knob.Random, knob.Bought),
			HitRate: in(r, .03, .4), Flow: in(r, .2, .6), Captcha: knob.Humans, Telemetry: r.IntN(2) == 0, Budget: budget(r, 250, 700)}
	}},
	// About one request a minute, each from elsewhere, for days.
	{"slow_drip", knob.Hard, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: 1, PoolLife: time.Duration(in(r, 2, 20)) * time.Minute, Overlap: in(r, .3, .6), Networks: []knob.Network{knob.Residential},
			Fingerprint: one(r, knob.FixedTool, knob.BrowserTrue, knob.PerRequest), Parameters: one(r, knob.OwnParams, knob.RandomParams), Rate: knob.Drip, PerMinute: in(r, .4, 1),
			Order: one(r, knob.Shuffled, knob.Random, knob.Strided), HitRate: in(r, .02, .25), Flow: in(r, 0, .4), Captcha: knob.Humans, Budget: budget(r, 250, 900)}
	}},
	// The whole business flow, forged from end to end.
	{"full_flow", knob.Hard, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: in(r, .08, .2), PoolLife: time.Duration(in(r, 5, 30)) * time.Minute, Overlap: in(r, .3, .6), Networks: []knob.Network{knob.Residential, knob.Mobile},
			Fingerprint: knob.BrowserTrue, Parameters: knob.GenuineParams, Rate: one(r, knob.Poisson, knob.DayShaped), PerMinute: in(r, .7, 2.5), Order: one(r, knob.Shuffled, knob.Bought),
			HitRate: in(r, .05, .5), Flow: 1, Captcha: knob.Humans, Telemetry: true, Budget: budget(r, 200, 450)}
	}},
	// Real phones in racks, behind the carriers' gateways.
	{"phone_farm", knob.Hard, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: in(r, .1, .4), PoolLife: time.Duration(in(r, 10, 60)) * time.Minute, Overlap: in(r, .5, .9), Networks: []knob.Network{knob.Mobile},
			Fingerprint: knob.BrowserTrue, Parameters: knob.GenuineParams, Rate: knob.DayShaped, PerMinute: in(r, .7, 2.5), Order: one(r, knob.Shuffled, knob.Bought),
			HitRate: in(r, .05, .5), Flow: in(r, .5, .9), Captcha: knob.Humans, Telemetry: true, Budget: budget(r, 200, 450)}
	}},
	// The majority's program and a bought list, bare of pages.
	{"majority_list", knob.Mimic, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: 1, PoolLife: time.Duration(in(r, 2, 10)) * time.Minute, Overlap: in(r, .6, 1), Networks: []knob.Network{knob.Residential, knob.Mobile},
			Fingerprint: knob.Majority, Parameters: knob.GenuineParams, Rate: knob.DayShaped, PerMinute: in(r, .3, .8), Order: knob.Bought, HitRate: in(r, .3, .9),
			Flow: in(r, .3, .6), Captcha: knob.Humans, Telemetry: true, Budget: budget(r, 200, 500)}
	}},
	// The majority's program, a bought list and the whole flow.
	{"majority_flow", knob.Mimic, func(r *rand.Rand) knob.Knobs {
		return knob.Knobs{AddressesPerRequest: in(r, .1, .3), PoolLife: time.Duration(in(r, 10, 60)) * time.Minute, Overlap: in(r, .6, 1), Networks: []knob.Network{knob.Residential, knob.Mobile},
			Fingerprint: knob.Majority, Parameters: knob.GenuineParams, Rate: knob.DayShaped, PerMinute: in(r, .3, .7), Order: knob.Bought, HitRate: in(r, .3, .9),
			Flow: 1, Captcha: knob.Humans, Telemetry: true, Budget: budget(r, 150, 350)}
	}},
}

// Equip draws a family of a difficulty and its knobs for a kind of attack.
func Equip(r *rand.Rand, d knob.Difficulty, kind taxonomy.AttackKind) (string, knob.Knobs) {
	var of []family
	for _, f := range families {
		if f.at == d {
			of = append(of, f)
		}
	}
	f := of[r.IntN(len(of))]
	k := f.make(r)
	fit(r, &k, d, kind)
	return f.name, k
}

// fit bends knobs to what a kind of attack cannot do without.
func fit(r *rand.Rand, k *knob.Knobs, d knob.Difficulty, kind taxonomy.AttackKind) {
	if signsIn[kind] && k.Captcha == knob.NoCaptcha {
		k.Captcha = knob.OCR
	}
	switch kind {
	case taxonomy.AttackFlood: // is volume or nothing
		k.PerMinute = max(k.PerMinute*20, 240)
		k.Budget = 1200 + r.IntN(2400)
		if k.Rate == knob.Drip || k.Rate == knob.DayShaped {
			k.Rate = knob.Poisson
		}
	case taxonomy.AttackCrossBorderAccess:
		k.Networks = []knob.Network{knob.AbroadHome, knob.AbroadCloud}
		k.Overlap = 0
		k.Budget = 40 + r.IntN(160)
	case taxonomy.AttackTargetedLookup: // to order, never in bulk
		k.Budget = 100 + r.IntN(240)
		k.Order = knob.Bought
		k.PerMinute = in(r, .05, .3)
		k.Rate = one(r, knob.Poisson, knob.DayShaped)
		k.HitRate = max(k.HitRate, .2)
	case taxonomy.AttackScalping: // the seconds around an opening
		k.Rate = knob.Burst
		k.PerMinute = max(k.PerMinute, 20)
	}
}

// signsIn are the kinds of attack that begin with signing in.
var signsIn = map[taxonomy.AttackKind]bool{taxonomy.AttackBOLAExploitation: true, taxonomy.AttackCrossBorderAccess: true, taxonomy.AttackPromotionAbuse: true, taxonomy.AttackFakeEngagement: true,
	taxonomy.AttackScalping: true, taxonomy.AttackCarding: true, taxonomy.AttackBot: true, taxonomy.AttackCodeCracking: true, taxonomy.AttackMassRegistration: true}
