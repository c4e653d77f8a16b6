package taxonomy

import "slices"

// NetworkType is what kind of network an address belongs to. The zero value
// means that it is not known.
type NetworkType uint8

const (
	UnknownNetwork NetworkType = iota
	DataCentre
	Broadband
	Mobile
	Enterprise
	Education
	SharedExit // carrier-grade NAT, secure web gateways: one address, many people
	VPN
	Tor
	CDN
	SearchBot
	Reserved // private and special-purpose ranges: no place on a map
)

var networkTypeNames = [...]string{"", "data_centre", "broadband", "mobile", "enterprise", "education", "shared_exit", "vpn", "tor", "cdn", "search_bot", "reserved"}

func (n NetworkType) String() string { return networkTypeNames[min(int(n), len(networkTypeNames)-1)] }

// ParseNetworkType gives the type of an id, false for an unknown one.
func ParseNetworkType(id string) (NetworkType, bool) {
	i := slices.Index(networkTypeNames[:], id)
	return NetworkType(max(i, 0)), i > 0
}

// NetworkTypes gives the ids of all types.
func NetworkTypes() []string { return slices.Clone(networkTypeNames[1:]) }

// Home reports whether people sit behind networks of that type, each with an
// address that changes hands: where pools of rented addresses come from.
func (n NetworkType) Home() bool { return n == Broadband || n == Mobile }

// Relays reports whether an address of that type says nothing about where the
// asker is: it passes on what others ask.
func (n NetworkType) Relays() bool { return n == SharedExit || n == CDN || n == SearchBot }
