package observation

import (
	"net/netip"
	"slices"
	"time"
)

// Scope is which rows a finding is about. Rows were judged as they came, often
// before the finding was known: those that were judged to be of the attack
// belong to it, and those that lie within what is known of it by now.
type Scope struct {
	Attack   string       // rows with it; empty: none by it alone
	From, To time.Time    // From <= Time <= To, both needed
	Site     string       // needed
	APIs     []string     // one of them; empty: any
	Clients  []netip.Addr // one of them; empty: no row but by Attack
}

// Match reports whether a row is meant.
func (s *Scope) Match(r *Row) bool {
	if s.Attack != "" && s.Attack == r.Attack {
		return true
	}
	return r.Site == s.Site && r.Time >= s.From.UnixNano() && r.Time <= s.To.UnixNano() &&
		(len(s.APIs) == 0 || slices.Contains(s.APIs, r.API)) && slices.Contains(s.Clients, r.Client)
}

func (s *Scope) check() error {
	if len(s.APIs) > MaxScopeKeys || len(s.Clients) > MaxScopeKeys {
		return invalid("%d APIs and %d addresses in a scope, at most %d", len(s.APIs), len(s.Clients), MaxScopeKeys)
	}
	if s.From.Before(time.Unix(0, 0)) || s.To.Before(s.From) || s.To.After(time.Unix(0, MaxTime)) {
		return invalid("a scope needs two times in their order")
	}
	if s.Site == "" {
		return invalid("a scope needs a site")
	}
	for _, t := range append([]string{s.Attack, s.Site}, s.APIs...) {
		if !text(t) {
			return invalid("a site, API or attack has at most %d bytes of UTF-8", MaxText)
		}
	}
	if slices.Contains(s.APIs, "") || slices.ContainsFunc(s.Clients, func(a netip.Addr) bool { return !a.IsValid() || a.Is4In6() || a.Zone() != "" }) {
		return invalid("a scope with an API or an address that is none")
	}
	return nil
}
