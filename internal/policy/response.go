package policy

import (
	"fmt"
	"net/netip"
	"time"

	"xiezhi/internal/taxonomy"
)

// Mode says how far the machine goes by itself.
type Mode string

// The modes, each going further than the one before.
const (
	ModeObserve Mode = "observe" // works out what it would do, and shows it
	ModeAlert   Mode = "alert"   // likewise, and asks people to approve
	ModeEnforce Mode = "enforce" // does it
)

// MaxResponses is how many entries there may be about the response.
const MaxResponses = 256

// Response says what is done about attacks on a site. Of several entries for a
// site the first counts; one without a site is for all that no other names.
type Response struct {
	Site          string            `yaml:"site"`
	Mode          Mode              `yaml:"mode"`
	Actions       []taxonomy.Action `yaml:"actions"`        // that the machine may take; empty: tag, rate_limit, challenge, block
	Verdict       string            `yaml:"verdict"`        // on an attack, at least: likely, confirmed
	TTL           Life              `yaml:"ttl"`            // of what the machine decides
	MaxCollateral *float64          `yaml:"max_collateral"` // share of honest requests
	Rate          int               `yaml:"rate"`           // requests a minute that a rate limit lets through
	Never         []string          `yaml:"never"`          // addresses and networks that nothing is done about

	Exempt []netip.Prefix   `yaml:"-"` // Never, filled in by Parse
	Least  taxonomy.Verdict `yaml:"-"` // Verdict, likewise
}

// Life is a time in a file, as 30m.
type Life time.Duration

// UnmarshalText reads it.
func (l *Life) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	*l = Life(d)
	return err
}

// DefaultResponse holds where no policy says anything: nothing is done.
func DefaultResponse() Response {
	r := Response{Mode: ModeObserve}
	_ = r.check()
	return r
}

// ResponseFor gives what holds for a site.
func (f *File) ResponseFor(site string) Response {
	if f != nil {
		var all *Response
		for i := range f.Response {
			switch r := &f.Response[i]; {
			case r.Site == site:
				return *r
			case r.Site == "" && all == nil:
				all = r
			}
		}
		if all != nil {
			return *all
		}
	}
	return DefaultResponse()
}

func (r *Response) check() error {
	switch r.Mode {
	case "":
		r.Mode = ModeObserve
	case ModeObserve, ModeAlert, ModeEnforce:
	default:
		return fmt.Errorf("mode: %q is none of observe, alert, enforce", r.Mode)
	}
	for i, a := range r.Actions {
		switch a {
		case taxonomy.ActTag, taxonomy.ActRateLimit, taxonomy.ActChallenge, taxonomy.ActBlock:
		default:
			return fmt.Errorf("actions[%d]: %q is none of tag, rate_limit, challenge, block", i, a)
		}
	}
	if len(r.Actions) == 0 {
		r.Actions = []taxonomy.Action{taxonomy.ActTag, taxonomy.ActRateLimit, taxonomy.ActChallenge, taxonomy.ActBlock}
	}
	switch r.Verdict {
	case "", "confirmed":
		r.Least = taxonomy.Confirmed
	case "likely":
		r.Least = taxonomy.Likely
	default:
		return fmt.Errorf("verdict: %q is none of likely, confirmed", r.Verdict)
	}
	if r.TTL == 0 {
		r.TTL = Life(30 * time.Minute)
	}
	if d := time.Duration(r.TTL); d < time.Minute || d > 7*24*time.Hour {
		return fmt.Errorf("ttl: %s is not within 1m and 168h", d)
	}
	if r.MaxCollateral == nil {
		most := 0.001
		r.MaxCollateral = &most
	}
	if *r.MaxCollateral < 0 || *r.MaxCollateral > 0.05 {
		return fmt.Errorf("max_collateral: %g is not within 0 and 0.05", *r.MaxCollateral)
	}
	if r.Rate == 0 {
		r.Rate = 30
	}
	if r.Rate < 1 || r.Rate > 1_000_000 {
		return fmt.Errorf("rate: %d is not within 1 and 1000000 a minute", r.Rate)
	}
	var err error
	r.Exempt, err = prefixes("never", r.Never)
	return err
}

// prefixes reads addresses and networks.
func prefixes(name string, list []string) (out []netip.Prefix, err error) {
	for i, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			addr, bad := netip.ParseAddr(s)
			if bad != nil {
				return nil, fmt.Errorf("%s[%d]: %q is neither an address nor a network like 10.0.0.0/8", name, i, s)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
