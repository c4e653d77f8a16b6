package indicator

import "math"

// Spans of ageing, in nanoseconds.
const (
	minute = int64(60e9)
	hour   = 60 * minute
	day    = 24 * hour
	week   = 7 * day
)

// Life is how long an indicator weighs something after its newest sighting. An
// address changes hands the faster the more it is rented out; tools and
// fingerprints stay with their makers.
func (x *Indicator) Life() int64 {
	switch x.Type {
	case Address:
		switch {
		case x.Tags&Hijacked != 0:
			return 15 * minute
		case x.Tags&Rotating != 0:
			return 2 * hour
		case x.Tags&(Cloud|DataHouse) != 0:
			return 7 * day
		}
		return day
	case Network:
		if x.Tags&(Cloud|DataHouse|VPN) != 0 {
			return 30 * day
		}
		return day
	case Domain:
		return 365 * day
	case Account:
		return 90 * day
	case URL:
		return 7 * day
	}
	return 30 * day
}

// delta is the speed of ageing of MISP's model: above 1 weight goes at once,
// below 1 it stays until late.
func (x *Indicator) delta() float64 {
	switch x.Type {
	case Phone, Segment:
		return 2.3
	case Address, Network:
		return 1
	}
	return 0.5
}

// Decay is what is left of an indicator's weight at a time, 0 to 1, by MISP's
// polynomial 1-(t/τ)^(1/δ).
func (x *Indicator) Decay(at int64) float64 {
	if x.Until != 0 && at >= x.Until {
		return 0
	}
	t, life := at-x.Last, x.Life()
	switch {
	case t <= 0:
		return 1
	case t >= life:
		return 0
	}
	return 1 - math.Pow(float64(t)/float64(life), 1/x.delta())
}

// Ends is when nothing is left of it.
func (x *Indicator) Ends() int64 {
	end := x.Last + x.Life()
	if x.Until != 0 {
		end = min(end, x.Until)
	}
	return end
}

// Thresholds of a score.
const (
	Speaks  = 20 // from here on it is told to judges
	Blocks  = 70 // from here on it may be acted upon by itself
	oneWide = 49 // what one voice reaches about a wide network
)

// Wide reports whether a network holds more than one neighbourhood.
func Wide(bits int, v4 bool) bool {
	if v4 {
		return bits < 24
	}
	return bits < 48
}
