package observationtest

import (
	"fmt"
	"net/netip"
	"time"

	"pgregory.net/rapid"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/taxonomy"
)

// Start is when the rows of the contract begin: an hour before a day ends.
var Start = time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC)

// Row gives a row that every store takes, the same for the same number: one a
// second from Start on, all of partition 1.
func Row(n int) observation.Row {
	r := observation.Row{
		Position: observation.Position{Partition: 1, Seq: uint64(n)},
		Time:     Start.Add(time.Duration(n) * time.Second).UnixNano(),
		Site:     []string{"a.example", "b.example", ""}[n%3],
		API:      fmt.Sprintf("api-%d", n%5),
		Exchange: mix(uint64(n) + 1),
		Client:   netip.AddrFrom4([4]byte{192, 0, 2, byte(n % 7)}),
		Session:  mix(uint64(n%11) + 100),
		Agent:    mix(uint64(n%4) + 200),
		Country:  country([]string{"CN", "DE", ""}[n%3]),
		Network:  taxonomy.DataCentre,
		Status:   []uint16{200, 200, 401, 500}[n%4],
		Outcome:  []catalog.Outcome{catalog.OutcomeSuccess, catalog.OutcomeSuccess, catalog.OutcomeDenied, catalog.OutcomeError}[n%4],
		BytesIn:  uint64(n % 50),
		BytesOut: uint64(n%9) * 1000,
		Latency:  uint32(n%13) * 700,
		Verdict:  observation.Normal,
	}
	if n%2 == 0 {
		r.Actor = mix(uint64(n%6) + 300)
	}
	if n%4 == 0 {
		r.Types, r.Subjects = observation.SetOf(taxonomy.SensPhone, taxonomy.SensEmail), uint32(n%3)
	}
	if n%10 == 0 {
		r.Verdict, r.Attack, r.Account = observation.Attack, fmt.Sprintf("attack-%d", n%20), mix(uint64(n%40)+300)
	}
	return r
}

// mix spreads a small number over 64 bits, as a token is.
func mix(n uint64) uint64 {
	n *= 0x9e3779b97f4a7c15
	n ^= n >> 29
	return n*0xbf58476d1ce4e5b9 | 1
}

func country(s string) intel.Country {
	c, _ := intel.ParseCountry(s)
	return c
}

var (
	sites     = []string{"", "a.example", "b.example", "獬豸.example"}
	apis      = []string{"", "0a1b", "0c2d", "0e3f", "it's \"%_\\"}
	attacks   = []string{"", "", "", "at-1", "at-2"}
	countries = []intel.Country{0, country("CN"), country("DE"), country("US")}
	clients   = []netip.Addr{{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("198.51.100.7"),
		netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:1::"), netip.MustParseAddr("c000:0201::")}
	prefixes = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.0.2.128/25"),
		netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("::ffff:192.0.2.0/120"),
		netip.MustParsePrefix("c000::/16")}
	tokens   = []uint64{0, 1, 1 << 63, 0xfedcba9876543210, 1<<64 - 1, 0x0011223344556677}
	statuses = []uint16{0, 200, 204, 302, 401, 404, 500, 999}
	types    = []observation.Set{0, 0, observation.SetOf(taxonomy.SensPhone), observation.SetOf(taxonomy.SensPhone, taxonomy.SensEmail), 1 << 63, 1<<63 | 1<<1}
	// moments lie around the ends of minutes, hours and three days.
	moments = []time.Duration{-1, 0, 1, time.Minute - 1, time.Minute, 5 * time.Minute, time.Hour - 1, time.Hour, time.Hour + 1, 90 * time.Minute,
		25*time.Hour - 1, 25 * time.Hour, 26 * time.Hour, 49 * time.Hour}
)

func pick[V any](t *rapid.T, list []V, what string) V { return rapid.SampledFrom(list).Draw(t, what) }

// some gives any row but for its position.
func some(t *rapid.T) observation.Row {
	r := observation.Row{
		Time:     Start.Add(pick(t, moments, "moment")).UnixNano(),
		Site:     pick(t, sites, "site"),
		API:      pick(t, apis, "api"),
		Exchange: pick(t, tokens, "exchange"),
		Client:   pick(t, clients, "client"),
		Actor:    pick(t, tokens, "actor"),
		Account:  pick(t, tokens, "account"),
		Session:  pick(t, tokens, "session"),
		Agent:    pick(t, tokens, "agent"),
		Network:  taxonomy.NetworkType(rapid.IntRange(0, 3).Draw(t, "network")),
		Country:  pick(t, countries, "country"),
		Status:   pick(t, statuses, "status"),
		Outcome:  catalog.Outcome(rapid.IntRange(0, int(catalog.OutcomeRedirect)).Draw(t, "outcome")),
		Types:    pick(t, types, "types"),
		Subjects: rapid.SampledFrom([]uint32{0, 1, 7, 1<<32 - 1}).Draw(t, "subjects"),
		BytesIn:  rapid.SampledFrom([]uint64{0, 1, 100, observation.MaxAmount}).Draw(t, "in"),
		BytesOut: rapid.SampledFrom([]uint64{0, 5, 1 << 33}).Draw(t, "out"),
		Latency:  rapid.SampledFrom([]uint32{0, 3, 1<<32 - 1}).Draw(t, "latency"),
		Verdict:  observation.Verdict(rapid.IntRange(1, 3).Draw(t, "verdict")),
		Attack:   pick(t, attacks, "attack"),
	}
	return r
}

// filter asks for a few things, most often for nothing.
func filter(t *rapid.T) observation.Filter {
	f := conditions(t)
	if rapid.Bool().Draw(t, "bounded") {
		a, b := pick(t, moments, "from"), pick(t, moments, "to")
		f.From, f.To = Start.Add(min(a, b)), Start.Add(max(a, b))
	}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "left out") {
		f.Not = append(f.Not, conditions(t))
	}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "scopes") {
		a, b := pick(t, moments, "scope from"), pick(t, moments, "scope to")
		f.Within = append(f.Within, observation.Scope{
			Attack: pick(t, attacks, "scope attack"), Site: pick(t, sites[1:], "scope site"), From: Start.Add(min(a, b)), To: Start.Add(max(a, b)),
			APIs: rapid.SliceOfN(rapid.SampledFrom(apis[1:]), 0, 2).Draw(t, "scope apis"), Clients: rapid.SliceOfN(rapid.SampledFrom(clients[1:]), 0, 4).Draw(t, "scope clients"),
		})
	}
	return f
}

func conditions(t *rapid.T) observation.Filter {
	var f observation.Filter
	for range rapid.IntRange(0, 3).Draw(t, "conditions") {
		switch rapid.IntRange(0, 15).Draw(t, "condition") {
		case 0:
			f.Site = pick(t, sites, "of site")
		case 1:
			f.API = pick(t, apis, "of api")
		case 2:
			f.Attack = pick(t, attacks, "of attack")
		case 3:
			f.Exchange = pick(t, tokens, "of exchange")
		case 4, 5:
			f.Client = pick(t, prefixes, "of prefix")
		case 6:
			f.Actor = pick(t, tokens, "of actor")
		case 7:
			f.Account = pick(t, tokens, "of account")
		case 8:
			f.Session = pick(t, tokens, "of session")
		case 9:
			f.Agent = pick(t, tokens, "of agent")
		case 10:
			f.Network = taxonomy.NetworkType(rapid.IntRange(0, 3).Draw(t, "of network"))
		case 11:
			f.Country = pick(t, countries, "of country")
		case 12:
			f.Status = pick(t, statuses, "of status")
		case 13:
			f.Classes, f.Outcomes = observation.Set(rapid.Uint64Range(0, 63).Draw(t, "of classes")), observation.Set(rapid.Uint64Range(0, 511).Draw(t, "of outcomes"))
		case 14:
			f.Verdicts = observation.Set(rapid.Uint64Range(0, 15).Draw(t, "of verdicts"))
		case 15:
			f.Types = pick(t, types, "of types")
		}
	}
	return f
}
