// Package indicator is the intelligence of an owner: what is known of addresses,
// networks, systems, clients, tools, phones, domains, accounts, cards and URLs
// beyond one site's traffic, who says so, how far that is to be believed, and
// how fast it ages.
//
// It takes indicators, source by source, and gives a Set: an immutable answer
// to "do we know this, and what follows", by value, by address and by search;
// and a Snapshot, the part that judges need, as bytes that travel as an event.
// Invariants: a source alone never makes a wide block, whatever it says; what
// negative evidence covers is never blocked; a score depends on the set and on
// event time alone. Phones and accounts are keyed hashes and nothing else.
// Limits: counts, widths and lengths are capped (LIMITS.md); what is refused is
// counted by reason.
package indicator

import (
	"slices"
	"strings"
)

// Type is what an indicator is about.
type Type uint8

// The types. Values are as Canonical writes them.
const (
	Address     Type = iota + 1 // 198.51.100.7
	Network                     // 198.51.100.0/24
	System                      // AS64500
	Fingerprint                 // ja4:t13d…, headers:0123456789abcdef
	Tool                        // agent:0123456789abcdef, name:sqlmap
	Structure                   // 0123456789abcdef
	Phone                       // hmac:…
	Segment                     // 1705550
	Domain                      // of e-mail: mailinator.com
	Account                     // hmac:…
	BIN                         // of cards: 411111
	URL                         // https://example.com/path
	types
)

var typeNames = [types]string{"", "address", "network", "asn", "fingerprint", "tool", "structure", "phone", "segment", "email_domain", "account", "bin", "url"}

func (t Type) String() string { return typeNames[min(int(t), len(typeNames)-1)] }

// ParseType gives the type of a name, false for an unknown one.
func ParseType(s string) (Type, bool) {
	i := slices.Index(typeNames[:], s)
	return Type(max(i, 0)), i > 0
}

// Types lists the names of all types.
func Types() []string { return slices.Clone(typeNames[1:]) }

// Tag says what sort of thing an indicator is, in the words of the market.
type Tag uint32

// The tags.
const (
	Proxy      Tag = 1 << iota // 代理
	Rotating                   // 秒拨
	Hijacked                   // 劫持共用代理: real people beside it
	VPN                        // VPN
	Cloud                      // 云服务
	DataHouse                  // IDC
	Crawler                    // 爬虫
	Tor                        // Tor
	CloudPhone                 // 云手机
	OpenIntel                  // 开源情报
	SIMFarm                    // 猫池卡
	Codes                      // 接码
	Intercept                  // 拦截卡
	Decoyed                    // touched a decoy
	Gang                       // of a confirmed attack or campaign
	Scanner                    // 扫描
	Throwaway                  // 一次性邮箱
	tags       = iota
)

var tagNames = [tags]string{"proxy", "rotating", "hijacked", "vpn", "cloud", "idc", "crawler", "tor", "cloud_phone", "osint", "sim_farm", "code_receiving",
	"intercept_card", "decoy", "gang", "scanner", "disposable"}

// TagNames lists the names of all tags, in their order.
func TagNames() []string { return slices.Clone(tagNames[:]) }

// Names lists the names of those that are set.
func (t Tag) Names() (out []string) {
	for i, n := range tagNames {
		if t&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// ParseTags reads names, leaving out those that are unknown.
func ParseTags(names []string) (t Tag) {
	for _, n := range names {
		if i := slices.Index(tagNames[:], strings.ToLower(strings.TrimSpace(n))); i >= 0 {
			t |= 1 << i
		}
	}
	return t
}

// TLP is how far an indicator may be passed on.
type TLP uint8

// The levels of TLP 2.0. The zero value is amber: one owner's sites share it.
const (
	Amber TLP = iota
	Clear
	Green
	Red
)

var tlpNames = [...]string{"amber", "clear", "green", "red"}

func (t TLP) String() string { return tlpNames[min(int(t), len(tlpNames)-1)] }

// ParseTLP reads a level, with or without "TLP:"; white is the old name of clear.
func ParseTLP(s string) (TLP, bool) {
	s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "tlp:")
	switch s {
	case "white":
		return Clear, true
	case "amber+strict":
		return Amber, true
	}
	i := slices.Index(tlpNames[:], s)
	return TLP(max(i, 0)), i >= 0
}

// Within reports whether what is t may go where most is the limit.
func (t TLP) Within(most TLP) bool { return t.rank() <= most.rank() }

func (t TLP) rank() int { return [...]int{2, 0, 1, 3}[min(int(t), 3)] }

// Indicator is one thing that one source says. Times are nanoseconds of event
// time.
type Indicator struct {
	Type       Type
	TLP        TLP
	Confidence uint8 // per cent
	Tags       Tag
	Sightings  uint32
	First      int64
	Last       int64 // of the newest sighting: ageing begins here
	Until      int64 // valid until; 0: until it has aged
	Value      string
	Note       string // kind of attack, name of a campaign, …; no personal data
	Site       string // the only one of the owner's that saw it; empty: several, or none
}

// Role is how a source is to be taken.
type Role uint8

// The roles.
const (
	Feed     Role = iota // somebody else's list
	Own                  // derived from this owner's confirmed attacks
	Decoy                // touches of this owner's decoys
	Analyst              // what people of this owner wrote down
	Peer                 // another owner's node
	Negative             // what must never be blocked: shared exits, own egress, crawlers
	roles
)

var roleNames = [roles]string{"feed", "own", "decoy", "analyst", "peer", "negative"}

func (r Role) String() string { return roleNames[min(int(r), len(roleNames)-1)] }

// ParseRole gives the role of a name, false for an unknown one.
func ParseRole(s string) (Role, bool) {
	i := slices.Index(roleNames[:], s)
	return Role(max(i, 0)), i >= 0
}

// Ours reports whether the owner's own eyes saw it.
func (r Role) Ours() bool { return r == Own || r == Decoy || r == Analyst }

// Source is who says things.
type Source struct {
	Name        string
	Role        Role
	Reliability float64 // 0 to 1, before its ledger
	Group       string  // whose it is: two sources of one group are one voice; empty: its name
	URL         string
	Format      string
	Licence     string // what has to be kept or shown
	Digest      string // SHA-256 of what was read last
	Fetched     int64  // when that was
	Fresh       int64  // how long it holds until it is stale, ns; 0: a week

	Confirmed uint64 // ledger: said by it, and confirmed by own findings
	False     uint64 // … and found to be wrong

	Refused map[Reason]uint64
}

func (s *Source) group() string {
	if s.Group != "" {
		return s.Group
	}
	return s.Name
}

// Stale reports whether a source has not been read for longer than it holds.
func (s *Source) Stale(now int64) bool {
	fresh := s.Fresh
	if fresh <= 0 {
		fresh = week
	}
	return s.Role != Own && s.Role != Analyst && s.Role != Decoy && now-s.Fetched > fresh
}

// Weight is the reliability after the ledger: every false positive weighs as
// three confirmations, on a prior of five.
func (s *Source) Weight() float64 {
	c, f := float64(s.Confirmed), float64(s.False)
	return min(max(s.Reliability, 0), 1) * (c + 5) / (c + 5 + 3*f)
}
