package observation

import (
	"fmt"
	"net/netip"
	"strconv"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
	"xiezhi/internal/taxonomy"
)

// Dimension is what rows are told apart by.
type Dimension uint8

const (
	NoDimension Dimension = iota
	BySite
	ByAPI
	ByAttack
	ByVerdict
	ByOutcome
	ByClass // of the status: 2 for 2xx
	ByStatus
	ByCountry
	ByNetwork
	ByType // of sensitive data; a row counts for each of its types
	ByClient
	ByActor
	ByAccount
	BySession
	ByAgent
	dimensions
)

// Dimensions lists all of them.
func Dimensions() []Dimension {
	var out []Dimension
	for d := BySite; d < dimensions; d++ {
		out = append(out, d)
	}
	return out
}

var dimensionNames = [dimensions]string{"", "site", "api", "attack", "verdict", "outcome", "class", "status", "country", "network", "type", "client", "actor", "account", "session", "agent"}

func (d Dimension) String() string {
	if d >= dimensions {
		return ""
	}
	return dimensionNames[d]
}

// series reports whether a series can be told apart by the dimension: those
// that have few values.
func (d Dimension) series() bool {
	return d == BySite || d == ByAPI || d == ByVerdict || d == ByOutcome || d == ByClass
}

// Token gives a token as keys show it.
func Token(v uint64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%016x", v)
}

// Keys calls a function for each value that a row has in the dimension, "" when
// it has none.
func (d Dimension) Keys(r *Row, do func(key string)) {
	if d == ByType && r.Types != 0 {
		r.Types.Each(func(n int) { do(taxonomy.Sensitive(n).String()) })
		return
	}
	do(d.key(r))
}

func (d Dimension) key(r *Row) string {
	switch d {
	case BySite:
		return r.Site
	case ByAPI:
		return r.API
	case ByAttack:
		return r.Attack
	case ByVerdict:
		return r.Verdict.String()
	case ByOutcome:
		return r.Outcome.String()
	case ByClass:
		return number(r.Status / 100)
	case ByStatus:
		return number(r.Status)
	case ByCountry:
		return r.Country.String()
	case ByNetwork:
		return r.Network.String()
	case ByClient:
		if r.Client.IsValid() {
			return r.Client.String()
		}
	case ByActor:
		return Token(r.Actor)
	case ByAccount:
		return Token(r.Account)
	case BySession:
		return Token(r.Session)
	case ByAgent:
		return Token(r.Agent)
	}
	return ""
}

func number(n uint16) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// With gives the filter held to one value of a dimension, as keys show it. A
// value that contradicts the filter is refused.
func (f Filter) With(d Dimension, key string) (Filter, error) {
	bad := invalid("%.80q is no %s", key, d)
	if key == "" || d == NoDimension || d >= dimensions {
		return f, bad
	}
	ok := true
	switch d {
	case BySite:
		ok = set(&f.Site, key)
	case ByAPI:
		ok = set(&f.API, key)
	case ByAttack:
		ok = set(&f.Attack, key)
	case ByVerdict:
		ok = one(&f.Verdicts, key, len(verdictNames), func(n int) string { return Verdict(n).String() })
	case ByOutcome:
		ok = one(&f.Outcomes, key, outcomes, func(n int) string { return catalog.Outcome(n).String() })
	case ByClass:
		ok = one(&f.Classes, key, 10, strconv.Itoa)
	case ByType:
		ok = one(&f.Types, key, taxonomy.SensitiveCount, func(n int) string { return taxonomy.Sensitive(n).String() })
	case ByStatus:
		n, err := strconv.ParseUint(key, 10, 16)
		ok = err == nil && n > 0 && set(&f.Status, uint16(n))
	case ByCountry:
		c, known := intel.ParseCountry(key)
		ok = known && c != 0 && set(&f.Country, c)
	case ByNetwork:
		n, known := taxonomy.ParseNetworkType(key)
		ok = known && set(&f.Network, n)
	case ByClient:
		a, err := netip.ParseAddr(key)
		if err != nil {
			return f, bad
		}
		a = a.Unmap().WithZone("")
		if f.Client.IsValid() && !f.Client.Contains(a) {
			return f, bad
		}
		f.Client = netip.PrefixFrom(a, a.BitLen())
	default:
		var token uint64
		if len(key) == 16 {
			token, _ = strconv.ParseUint(key, 16, 64)
		}
		ok = token != 0 && set(f.token(d), token)
	}
	if !ok {
		return f, bad
	}
	return f, nil
}

// token is the field of a dimension that has tokens.
func (f *Filter) token(d Dimension) *uint64 {
	switch d {
	case ByActor:
		return &f.Actor
	case ByAccount:
		return &f.Account
	case BySession:
		return &f.Session
	}
	return &f.Agent
}

func set[V comparable](field *V, v V) bool {
	var any V
	if *field != any && *field != v {
		return false
	}
	*field = v
	return true
}

func one(field *Set, key string, n int, name func(int) string) bool {
	for i := range n {
		if name(i) == key {
			if *field != 0 && !field.Has(i) {
				return false
			}
			*field = 1 << i
			return true
		}
	}
	return false
}
