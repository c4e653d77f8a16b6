package respond

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"xiezhi/internal/policy"
	"xiezhi/internal/taxonomy"
)

// Bounds of what may be decided. They are no settings: a policy can only be
// stricter.
const (
	leastBits4 = 16  // a network of addresses is never wider
	leastBits6 = 32  //
	wideBits4  = 24  // wider takes a second person
	wideBits6  = 48  //
	wideValues = 256 // addresses or networks; more take a second person
	worstShare = 0.05
	allShare   = 0.5
	// LeastHonest is how many honest requests have to be known of for a share of
	// them to say something.
	LeastHonest = 200
)

// Guard knows what is never touched.
type Guard struct {
	Own    []netip.Prefix                           // addresses of this installation: its own, its proxies, its upstreams
	Shared func(netip.Prefix) bool                  // known exits of many people; nil: none is known
	Never  func(site string, at time.Time) []Exempt // by the policy; nil: nothing
}

// Exempt is a network that is not touched, and whose doing that is.
type Exempt struct {
	Network netip.Prefix
	Code    string // allowed, never
}

// special are networks that no decision is about: whatever shows them is an
// installation whose proxies are not configured.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("224.0.0.0/3"),
	netip.MustParsePrefix("::/127"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("ff00::/8"),
}

// network reads an address or network as a network, an IPv4 one as that.
func network(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, bad := netip.ParseAddr(s)
		if bad != nil || a.Zone() != "" {
			return p, fmt.Errorf("%q is neither an address nor a network", s)
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return p, fmt.Errorf("%q is neither an address nor a network", s)
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// check says what is wrong with a decision, whatever traffic shows. It writes
// addresses in their one form.
// approved is what people exempted beside the policy.
func (g *Guard) check(d *Decision, now time.Time, approved []Exempt) error {
	switch {
	case Rank(d.Action) < 0:
		return refuse("action", string(d.Action))
	case d.Action == taxonomy.ActDeceive:
		return refuse("deceive", "")
	case strings.TrimSpace(d.Reason.Zh) == "" || strings.TrimSpace(d.Reason.En) == "":
		return refuse("reason", "")
	case len(d.Reason.Zh) > MaxReason || len(d.Reason.En) > MaxReason || !utf8.ValidString(d.Reason.Zh+d.Reason.En):
		return refuse("reason_long", fmt.Sprint(MaxReason))
	case !d.Expires.After(now):
		return refuse("ttl", "")
	case d.Expires.Sub(now) > d.most():
		return refuse("ttl_long", d.most().String())
	case d.Site == "":
		return refuse("site", "")
	case len(d.Selector.APIs) > MaxAPIs:
		return refuse("values", fmt.Sprint(MaxAPIs))
	}
	if err := d.checkPatch(); err != nil {
		return err
	}
	if d.Action == taxonomy.ActRateLimit && (d.Rate < 1 || d.Rate > 1_000_000) {
		return refuse("rate", "")
	}
	k := &d.Selector.Keys
	if k.None() && d.Action != taxonomy.ActMask {
		return refuse("everyone", "")
	}
	for _, l := range k.lists() {
		if len(l.values) > MaxValues {
			return refuse("values", fmt.Sprint(MaxValues))
		}
		for _, v := range l.values {
			if v == "" || len(v) > 128 || !utf8.ValidString(v) {
				return refuse("value", l.name)
			}
			if b, err := hex.DecodeString(v); (l.name == "header_order" || l.name == "param_shape") && (err != nil || len(b) != 8) {
				return refuse("value", l.name)
			}
		}
	}
	if err := g.networks(d.Site, k.IP, true, now, approved); err != nil {
		return err
	}
	if err := g.networks(d.Site, k.Prefix, false, now, approved); err != nil {
		return err
	}
	for _, p := range k.Path {
		if b, err := hex.DecodeString(p); err != nil || len(b) != 8 {
			return refuse("value", "path")
		}
	}
	return nil
}

func (d *Decision) most() time.Duration {
	if d.Action == taxonomy.ActMask && d.Selector.Keys.None() {
		return MaxPatch
	}
	return MaxTTL
}

// networks checks addresses and networks and writes them in their one form.
func (g *Guard) networks(site string, list []string, single bool, now time.Time, exempt []Exempt) error {
	if g.Never != nil && len(list) > 0 {
		exempt = append(slices.Clone(exempt), g.Never(site, now)...)
	}
	for i, s := range list {
		p, err := network(s)
		if err != nil {
			return refuse("address", s)
		}
		if single && !p.IsSingleIP() {
			return refuse("address", s)
		}
		if p.Bits() < leastBits4 && p.Addr().Is4() || p.Bits() < leastBits6 && p.Addr().Is6() {
			return refuse("width", p.String())
		}
		meets := func(o netip.Prefix) bool { return o.Overlaps(p) }
		switch {
		case slices.ContainsFunc(special, meets):
			return refuse("private", p.String())
		case slices.ContainsFunc(g.Own, meets):
			return refuse("own", p.String())
		case g.Shared != nil && g.Shared(p):
			return refuse("shared", p.String())
		}
		for _, e := range exempt {
			if e.Network.Overlaps(p) {
				return refuse(e.Code, p.String())
			}
		}
		if list[i] = p.String(); single {
			list[i] = p.Addr().String()
		}
	}
	return nil
}

func (d *Decision) checkPatch() error {
	p := d.Patch
	switch {
	case d.Action != taxonomy.ActMask && p != nil:
		return refuse("patch_action", "")
	case d.Action != taxonomy.ActMask:
		return nil
	case p == nil || len(p.Fields) == 0 && p.Records == 0 && p.Uniform == nil:
		return refuse("patch", "")
	case len(d.Selector.APIs) == 0:
		return refuse("patch_api", "")
	case len(p.Fields) > MaxFields:
		return refuse("values", fmt.Sprint(MaxFields))
	case p.Records < 0:
		return refuse("records", "")
	}
	for _, f := range p.Fields {
		if f == "" || len(f) > 256 || !utf8.ValidString(f) {
			return refuse("field", "")
		}
	}
	u := p.Uniform
	if u == nil {
		return nil
	}
	if u.Type == "" {
		u.Type = "application/json"
	}
	switch {
	case u.Status < 200 || u.Status > 599 || http.StatusText(u.Status) == "":
		return refuse("uniform_status", fmt.Sprint(u.Status))
	case len(u.Body) > MaxBody || !utf8.ValidString(u.Body):
		return refuse("uniform_body", fmt.Sprint(MaxBody))
	case strings.Contains(u.Type, "json") && !json.Valid([]byte(u.Body)):
		return refuse("uniform_json", "")
	case len(u.Type) > 100 || strings.ContainsAny(u.Type, "\r\n"):
		return refuse("field", "type")
	case u.Field == "" && len(u.Values) > 0, u.Field != "" && len(u.Values) == 0:
		return refuse("uniform_field", "")
	case len(u.Field) > 256 || len(u.Values) > 64 || len(u.Statuses) > 64:
		return refuse("values", "64")
	}
	for _, s := range u.Statuses {
		if s < 300 || s > 599 {
			return refuse("uniform_status", fmt.Sprint(s))
		}
	}
	return nil
}

// width says why a decision is wide: it takes a second person then.
func (d *Decision) width() (why []string) {
	k := &d.Selector.Keys
	if d.Action == taxonomy.ActObserve || d.Action == taxonomy.ActTag || d.Action == taxonomy.ActMask {
		return nil // nobody is turned away
	}
	if len(k.IP)+len(k.Prefix) > wideValues {
		why = append(why, "many")
	}
	for _, s := range k.Prefix {
		if p, err := network(s); err == nil && (p.Addr().Is4() && p.Bits() < wideBits4 || p.Addr().Is6() && p.Bits() < wideBits6) {
			why = append(why, "network")
			break
		}
	}
	if len(k.IP)+len(k.Prefix)+len(k.Credential)+len(k.Account)+len(d.Selector.APIs)+len(k.Path) == 0 {
		why = append(why, "site") // whoever uses a program, anywhere
	}
	return why
}

// weigh holds a decision against what it would have met. A person may go beyond
// what the policy allows to a machine, with a second one.
func (d *Decision) weigh(most float64) error {
	if d.Action == taxonomy.ActObserve || d.Action == taxonomy.ActTag || d.Action == taxonomy.ActMask {
		return nil
	}
	c, share := &d.Collateral, d.Collateral.Share()
	switch {
	case !c.Known || c.Of < LeastHonest:
		if d.Origin != ByPerson {
			d.Wide = append(d.Wide, "unseen")
		}
	case share >= allShare:
		return refuse("everyone", percent(share))
	case share > worstShare, share > most && d.Origin != ByPerson:
		return refuse("collateral", percent(share))
	case share > most:
		d.Wide = append(d.Wide, "collateral")
	}
	return nil
}

func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

// NeverOf gives what a policy exempts: its lists never, and clients that are
// approved for the time.
func NeverOf(f *policy.File) func(site string, at time.Time) []Exempt {
	return func(site string, at time.Time) (out []Exempt) {
		for _, p := range f.ResponseFor(site).Exempt {
			out = append(out, Exempt{p, "never"})
		}
		if f == nil {
			return out
		}
		for i := range f.Approvals {
			a := &f.Approvals[i]
			if a.Site != "" && a.Site != site || !a.Expires.IsZero() && !a.Expires.After(at) {
				continue
			}
			for _, p := range a.Clients {
				out = append(out, Exempt{p, "allowed"})
			}
		}
		return out
	}
}
