package report

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"xiezhi/internal/intel"
	"xiezhi/internal/message"
)

// MaxNetworks is how many autonomous systems an attack names.
const MaxNetworks = 20

// Snapshot is a map that addresses were looked up in.
type Snapshot struct {
	Snapshot string      `json:"snapshot"`
	Sources  []MapSource `json:"sources"` // in order of trust
}

// MapSource is one thing that a map was made of.
type MapSource struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	SHA256  string `json:"sha256"`
	Built   string `json:"built,omitempty"`
	Entries int    `json:"entries,omitempty"`
	Skipped int    `json:"skipped,omitempty"`
	Notice  string `json:"notice,omitempty"`
}

// CountryCount is how many addresses of an attack are of one country.
type CountryCount struct {
	Country string `json:"country"`
	IPs     int    `json:"ips"`
}

// TypeCount is how many are of one type of network.
type TypeCount struct {
	Type string `json:"type"`
	IPs  int    `json:"ips"`
}

// NetworkCount is how many are of one autonomous system. Country, region and
// type are those of most of them.
type NetworkCount struct {
	ASN          uint32 `json:"asn"`
	Organisation string `json:"organisation,omitempty"`
	Country      string `json:"country,omitempty"`
	Region       string `json:"region,omitempty"`
	Type         string `json:"type,omitempty"`
	IPs          int    `json:"ips"`
}

// snapshotOf tells what a map was made of; one that knows nothing is none.
func snapshotOf(m *intel.Map) []Snapshot {
	if m.ID() == "" {
		return nil
	}
	s := Snapshot{Snapshot: m.ID(), Sources: []MapSource{}}
	for _, x := range m.Sources() {
		s.Sources = append(s.Sources, MapSource{x.Name, string(x.Kind), x.Digest, x.Built, x.Entries, x.Skipped, x.Notice})
	}
	return []Snapshot{s}
}

// counted counts keys and gives them with their counts, most first, ties in order.
func counted[K cmp.Ordered](keys []K) (out []K, n map[K]int) {
	return countedBy(keys, cmp.Compare[K])
}

func countedBy[K comparable](keys []K, order func(a, b K) int) (out []K, n map[K]int) {
	n = map[K]int{}
	for _, k := range keys {
		if n[k]++; n[k] == 1 {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b K) int { return cmp.Or(cmp.Compare(n[b], n[a]), order(a, b)) })
	return out, n
}

// spot is where an address is and what kind of network it belongs to.
type spot struct{ country, region, kind string }

func (a spot) compare(b spot) int {
	return cmp.Or(cmp.Compare(a.country, b.country), cmp.Compare(a.region, b.region), cmp.Compare(a.kind, b.kind))
}

// place says where the addresses are. Reserved ones are nowhere.
func (a *Actors) place(m *intel.Map, ips []netip.Addr) {
	var lands, types []string
	var systems []uint32
	inside := map[uint32][]spot{} // of each system: where its addresses are
	for _, ip := range ips {
		n := m.Lookup(ip)
		if n.Country != 0 {
			lands = append(lands, n.Country.String())
		}
		if t := n.Type.String(); t != "" {
			types = append(types, t)
		}
		if n.ASN != 0 {
			systems = append(systems, n.ASN)
			inside[n.ASN] = append(inside[n.ASN], spot{n.Country.String(), n.Region.String(), n.Type.String()})
		}
	}
	list, n := counted(lands)
	for _, k := range list {
		a.Countries = append(a.Countries, CountryCount{k, n[k]})
	}
	list, n = counted(types)
	for _, k := range list {
		a.Types = append(a.Types, TypeCount{k, n[k]})
	}
	most, of := counted(systems)
	for _, asn := range most[:min(len(most), MaxNetworks)] {
		x := NetworkCount{ASN: asn, Organisation: m.Org(asn), IPs: of[asn]}
		usual, _ := countedBy(inside[asn], spot.compare)
		x.Country, x.Region, x.Type = usual[0].country, usual[0].region, usual[0].kind
		a.Networks = append(a.Networks, x)
	}
}

// joinPlaces adds what another run knows of the same attack's addresses: they
// may be the same ones, so the larger count of each stands.
func (a *Actors) joinPlaces(b *Actors) {
	a.Countries = larger(a.Countries, b.Countries, func(x CountryCount) (string, int) { return x.Country, x.IPs })
	a.Types = larger(a.Types, b.Types, func(x TypeCount) (string, int) { return x.Type, x.IPs })
	a.Networks = larger(a.Networks, b.Networks, func(x NetworkCount) (uint32, int) { return x.ASN, x.IPs })
	a.Networks = a.Networks[:min(len(a.Networks), MaxNetworks)]
}

// larger unites two lists of counts; of two of one key the larger stands.
func larger[T any, K cmp.Ordered](a, b []T, of func(T) (K, int)) []T {
	out := slices.Concat(a, b)
	slices.SortStableFunc(out, func(x, y T) int {
		kx, nx := of(x)
		ky, ny := of(y)
		return cmp.Or(cmp.Compare(kx, ky), cmp.Compare(ny, nx))
	})
	out = slices.CompactFunc(out, func(x, y T) bool {
		kx, _ := of(x)
		ky, _ := of(y)
		return kx == ky
	})
	slices.SortStableFunc(out, func(x, y T) int {
		_, nx := of(x)
		_, ny := of(y)
		return cmp.Compare(ny, nx)
	})
	if len(out) == 0 {
		return nil
	}
	return out
}

// uniteSnapshots keeps each map once.
func uniteSnapshots(a, b []Snapshot) []Snapshot {
	for _, s := range b {
		if !slices.ContainsFunc(a, func(x Snapshot) bool { return x.Snapshot == s.Snapshot }) {
			a = append(a[:len(a):len(a)], s)
		}
	}
	return a
}

// topWhere is how many countries and types a line for people names.
const topWhere = 3

// Where says in one line where the addresses are, empty when nothing is known.
func (a *Actors) Where(msgs *message.Catalog, lang string) string {
	say := func(id string, args message.Args) string { return msgs.Text(id, args).In(lang) }
	join := func(n int, one func(i int) (string, int)) string {
		var out []string
		for i := range min(n, topWhere) {
			name, ips := one(i)
			out = append(out, say("report.place", message.Args{"name": name, "n": ips}))
		}
		if n > topWhere {
			out = append(out, "…")
		}
		return strings.Join(out, say("report.comma", nil))
	}
	lands := join(len(a.Countries), func(i int) (string, int) { return CountryName(a.Countries[i].Country, lang), a.Countries[i].IPs })
	kinds := join(len(a.Types), func(i int) (string, int) { return say("network_type."+a.Types[i].Type, nil), a.Types[i].IPs })
	systems := join(len(a.Networks), func(i int) (string, int) {
		x := &a.Networks[i]
		return strings.TrimSpace(fmt.Sprintf("AS%d %s", x.ASN, x.Organisation)), x.IPs
	})
	switch {
	case lands == "" && systems == "":
		return "" // reserved addresses are nowhere
	case systems == "":
		return say("report.places_short", message.Args{"countries": lands, "types": kinds})
	}
	return say("report.places", message.Args{"countries": lands, "types": kinds, "systems": systems})
}

// CountryName names a country, by its code where it has no name.
func CountryName(code, lang string) string {
	tag := language.English
	if lang == "zh" {
		tag = language.SimplifiedChinese
		switch code {
		case "HK":
			return "中国香港"
		case "MO":
			return "中国澳门"
		case "TW":
			return "中国台湾"
		}
	}
	r, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if name := display.Regions(tag).Name(r); name != "" {
		return name
	}
	return code
}

// MapLines tells which maps addresses were looked up in and whose data they
// are, a line each; nothing when no attack has a place.
func (r *Report) MapLines(msgs *message.Catalog, lang string) (out []string) {
	placed := false // the map is of no interest when nobody has a place
	for i := range r.Attacks {
		placed = placed || len(r.Attacks[i].Actors.Countries)+len(r.Attacks[i].Actors.Networks) > 0
	}
	if !placed {
		return nil
	}
	for _, s := range r.Input.Networks {
		var names, notices []string
		for _, x := range s.Sources {
			name := x.Name
			if x.Kind == string(intel.Base) {
				name = msgs.Text("report.base_map", nil).In(lang)
			}
			names = append(names, strings.TrimSpace(name+" "+x.Built))
			if x.Notice != "" {
				notices = append(notices, x.Notice)
			}
		}
		out = append(out, msgs.Text("report.map", message.Args{"snapshot": s.Snapshot, "sources": strings.Join(names, msgs.Text("report.comma", nil).In(lang)), "notice": strings.Join(notices, "; ")}).In(lang))
	}
	return out
}
