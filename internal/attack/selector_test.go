package attack

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
)

// TestTraitsMatchAsExchangesDo: what is kept of an exchange answers to every
// selector as the exchange itself does.
func TestTraitsMatchAsExchangesDo(t *testing.T) {
	apis := []*catalog.API{nil, {Handle: 1}, {Handle: 2}}
	ips := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("2001:db8::1")}
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.Uint64Range(0, 2)
		one := func(name string) []uint64 { return rapid.SliceOfN(few, 0, 2).Draw(t, name) }
		o := &observe.Observation{End: rapid.Int64Range(0, 4).Draw(t, "end"), Method: rapid.SampledFrom([]string{"GET", "POST"}).Draw(t, "method"),
			JA4: rapid.SampledFrom([]string{"", "t13"}).Draw(t, "ja4"), HeaderOrder: few.Draw(t, "header"), ParamShape: few.Draw(t, "shape"), Agent: few.Draw(t, "agent")}
		ev := &catalog.Event{Observation: o, API: rapid.SampledFrom(apis).Draw(t, "api")}
		ev.Who.Client, ev.Who.Credential, ev.Who.Subject = rapid.SampledFrom(ips).Draw(t, "ip"), few.Draw(t, "credential"), few.Draw(t, "account")
		s := &Selector{From: rapid.Int64Range(0, 2).Draw(t, "from"), To: rapid.Int64Range(1, 4).Draw(t, "to"), HeaderOrder: one("headers"), ParamShape: one("shapes"), Agent: one("agents"),
			Credential: one("credentials"), Account: one("accounts"), IP: rapid.SliceOfN(rapid.SampledFrom(ips), 0, 2).Draw(t, "ips"), JA4: rapid.SliceOfN(rapid.Just("t13"), 0, 1).Draw(t, "ja4s")}
		if rapid.Bool().Draw(t, "apis") {
			s.APIs = []catalog.Handle{1}
		}
		if rapid.Bool().Draw(t, "paths") {
			s.Path = []uint64{hashText("GET")}
		}
		if rapid.Bool().Draw(t, "prefixes") {
			s.Prefix = []netip.Prefix{prefixOf(ips[0])}
		}
		trait := TraitOf(ev)
		if got, want := s.Takes(&trait), s.Match(ev); got != want {
			t.Fatalf("Takes %t, Match %t", got, want)
		} else if want {
			taken++
		}
	})
	if taken == 0 {
		t.Error("no selector took anything")
	}
}
