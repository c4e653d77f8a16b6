package attack

import (
	"net/netip"
	"strings"
	"testing"

	"xiezhi/internal/intel"
	"xiezhi/internal/taxonomy"
)

// why gives the texts of the network family of findings likely or better.
func (r *result) why() string {
	out := ""
	for _, f := range r.findings {
		for _, x := range f.Reasons {
			if x.Family == taxonomy.FamilyNetwork {
				out += x.Text.En + "\n"
			}
		}
	}
	return out
}

// stuffing tries pairs from a /24, many addresses side by side.
func (s *script) stuffing(net int) {
	proto := s.tool(ip4(60, 1, net, 1))
	for i := range 160 {
		c := *proto
		c.ip = ip4(60, 1, net, i%40+1)
		s.login(&c, 20+float64(i)*1.7+s.rng.Float64(), 5_000_000+uint64(i)*91, s.rng.Uint64(), []string{"absent", "wrong"}[s.rng.IntN(2)], "stuffer")
	}
}

func TestDataCentreIsEvidence(t *testing.T) {
	rented := netip.MustParsePrefix("60.1.0.0/16")
	for name, c := range map[string]struct {
		there intel.Net
		home  taxonomy.NetworkType
		want  string
		not   string
	}{
		"rented machines":                {netOf("CN", 37963, taxonomy.DataCentre), taxonomy.Broadband, "are in data centres", "in RU"},
		"rented abroad":                  {netOf("RU", 49505, taxonomy.DataCentre), taxonomy.Broadband, "The sources are in RU, where 0% of the others are", ""},
		"everybody is in a data centre":  {netOf("CN", 37963, taxonomy.DataCentre), taxonomy.DataCentre, "", "data centres"},
		"a shared exit weighs nothing":   {netOf("CN", 4134, taxonomy.SharedExit), taxonomy.Broadband, "", "network"},
		"unknown networks weigh nothing": {intel.Net{}, taxonomy.Broadband, "sit in only", "data centres"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *script) {
				s.stuffing(7)
				s.place(func(a netip.Addr) intel.Net {
					if rented.Contains(a) {
						return c.there
					}
					return netOf("CN", 4134, c.home)
				})
				r := s.run(t)
				r.found(t, "stuffer", 0.95, taxonomy.AttackCredentialStuffing, taxonomy.AttackAccountScanning)
				r.innocent(t)
				if why := r.why(); !strings.Contains(why, c.want) || c.not != "" && strings.Contains(why, c.not) {
					t.Errorf("%q, want %q and not %q", why, c.want, c.not)
				}
			})
		})
	}
}

// One client that asks from another home each time is told by the homes.
func TestRotatingHomesAreEvidence(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		proto := s.tool(ip4(60, 1, 1, 1))
		for i := range 200 {
			c := *proto
			c.ip = ip4(60, s.rng.IntN(250), s.rng.IntN(250), s.rng.IntN(250)+1)
			s.login(&c, 20+float64(i)*1.7+s.rng.Float64(), 5_000_000+uint64(i)*91, s.rng.Uint64(), []string{"absent", "wrong"}[s.rng.IntN(2)], "pool")
		}
		s.place(func(a netip.Addr) intel.Net {
			return netOf("CN", 4000+uint32(a.As4()[1]%20), []taxonomy.NetworkType{taxonomy.Broadband, taxonomy.Mobile}[a.As4()[2]%2])
		})
		r := s.run(t)
		r.found(t, "pool", 0.95, taxonomy.AttackCredentialStuffing, taxonomy.AttackAccountScanning)
		r.innocent(t)
		if !strings.Contains(r.why(), "take turns") {
			t.Errorf("%q", r)
		}
	})
}

// All that networks tell together stays below what confirms.
func TestNetworksAreBound(t *testing.T) {
	f := &fusion{}
	s := &scene{e: New(Config{})}
	mine, others := nets{askers: 40, known: 40, machines: 0, homes: 40, whole: 40, addrs: map[uint64]struct{}{}, systems: map[uint32]struct{}{1: {}, 2: {}, 3: {}, 4: {}}}, nets{whole: 4000, addrs: map[uint64]struct{}{1: {}}}
	for i := range uint64(40) {
		mine.addrs[i] = struct{}{}
	}
	s.rotating(&mine, &others, &scope{kind: scopeCohort}, func(w float64, id string, n, m any) { f.say(taxonomy.FamilyNetwork, w, id, n, m) })
	if len(f.items) != 1 || f.items[0].weight != 2 {
		t.Errorf("%+v", f.items)
	}
}
