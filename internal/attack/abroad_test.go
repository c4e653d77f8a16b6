package attack

import (
	"net/netip"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func netOf(land string, asn uint32, t taxonomy.NetworkType) intel.Net {
	c, ok := intel.ParseCountry(land)
	if !ok {
		panic(land)
	}
	return intel.Net{Country: c, ASN: asn, Type: t}
}

// place says where the addresses of a script are.
func (s *script) place(of func(a netip.Addr) intel.Net) {
	for _, ev := range s.events {
		ev.Net = of(ev.Who.Client)
	}
}

// ward is a hospital: staff read the records of patients, each of one person.
type ward struct {
	*script
	staff []*client
}

func (w *ward) record(c *client, sec float64, patient uint64, truth string) {
	w.send(c, sec, "record", truth, func(ev *scripted) {
		ev.Object = patient
		ev.obs.Segments = []observe.Segment{{Text: "records"}, {Token: patient}}
		ev.obs.Exposures = []observe.Exposure{{Path: "$.record", Type: taxonomy.SensMedicalRecord, Response: true, Distinct: 1, Subjects: []uint64{patient}}}
	})
}

// shift lets one of the staff work for a while, at records that lists gave.
func (w *ward) shift(c *client, from, to float64, truth string) {
	for at := from; at < to; at += 60 + w.rng.ExpFloat64()*120 {
		patient := uint64(1 + w.rng.IntN(5000))
		w.send(c, at, "list", truth, func(ev *scripted) { ev.obs.Leaves = []observe.Leaf{{Path: "$[].id", Token: patient, Record: 1}} })
		w.record(c, at+3+w.rng.Float64()*5, patient, truth)
		if w.rng.IntN(3) == 0 {
			w.record(c, at+20+w.rng.Float64()*9, patient, truth)
		}
	}
}

// newWard has staff at work for two hours.
func newWard(s *script, n int) *ward {
	w := &ward{script: s}
	s.apis["record"] = &catalog.API{Handle: 40, ID: "record", Site: "shop", Method: "GET", Template: "/records/{id}", Role: taxonomy.RoleDetail}
	for i := range n {
		c := s.browser(s.home(i))
		c.credential, c.principal = 0x5000+uint64(i), 0x9000+uint64(i)
		w.staff = append(w.staff, c)
		from := s.rng.Float64() * 1200
		w.shift(c, from, from+6000, "")
	}
	return w
}

// abroadAt gives China to all but one network.
func abroadAt(abroad netip.Prefix, there intel.Net) func(netip.Addr) intel.Net {
	return func(a netip.Addr) intel.Net {
		if abroad.Contains(a) {
			return there
		}
		return netOf("CN", 4134+uint32(a.As4()[2]%5), taxonomy.Broadband)
	}
}

var overseas = netip.MustParsePrefix("60.1.1.0/24")

func TestSessionUsedAbroad(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		w := newWard(s, 40)
		thief := s.browser(ip4(60, 1, 1, 9))
		thief.credential, thief.principal = w.staff[3].credential, w.staff[3].principal
		for i := range 90 {
			w.record(thief, 4000+float64(i)*6+s.rng.Float64()*3, uint64(1+s.rng.IntN(5000)), "thief")
		}
		s.place(abroadAt(overseas, netOf("US", 16509, taxonomy.DataCentre)))
		r := s.run(t)
		r.found(t, "thief", 0.9, taxonomy.AttackCrossBorderAccess)
		r.innocent(t)
	})
}

// Without a map the same says nothing of places.
func TestNoMapNoAbroad(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		w := newWard(s, 40)
		w.shift(w.staff[0], 7300, 9000, "")
		r := s.run(t)
		for _, f := range r.findings {
			if f.Kind == taxonomy.AttackCrossBorderAccess {
				t.Errorf("%s", r)
			}
			for _, x := range f.Reasons {
				if x.Family == taxonomy.FamilyNetwork {
					t.Errorf("a network is told of: %s", x.Text.En)
				}
			}
		}
	})
}

// abroadNever asserts that a script holds no cross-border access worth a look.
func abroadNever(t *testing.T, r *result) {
	t.Helper()
	for _, f := range r.findings {
		if f.Kind == taxonomy.AttackCrossBorderAccess && f.Verdict >= taxonomy.Likely {
			t.Errorf("%s", r)
		}
	}
	r.innocent(t)
}

// A patient abroad looks at his own record, again and again.
func TestTravellerReadsHisOwn(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		w := newWard(s, 40)
		c := s.browser(ip4(60, 1, 1, 9))
		c.credential, c.principal = 77, 78
		for i := range 40 {
			w.record(c, 3000+float64(i)*30, uint64(9001+i%2), "")
		}
		s.place(abroadAt(overseas, netOf("FR", 3215, taxonomy.Broadband)))
		abroadNever(t, s.run(t))
	})
}

// One of the staff works on from a hotel abroad, as slowly as ever: worth
// telling, not worth a charge.
func TestStaffOnAJourney(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		w := newWard(s, 40)
		c := s.browser(ip4(60, 1, 1, 9))
		c.credential, c.principal = 0x7777, w.staff[5].principal
		w.shift(c, 30000, 32000, "")
		for i := range 39 {
			if i != 5 {
				w.shift(w.staff[i], 29000, 33000, "")
			}
		}
		s.place(abroadAt(overseas, netOf("FR", 3215, taxonomy.Broadband)))
		abroadNever(t, s.run(t))
	})
}

// A site with people in many countries has no abroad.
func TestInternationalSite(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		w := newWard(s, 60)
		w.shift(w.staff[0], 7300, 9000, "")
		lands := []string{"CN", "US", "DE", "JP", "SG", "BR"}
		s.place(func(a netip.Addr) intel.Net {
			return netOf(lands[int(a.As4()[3])%len(lands)], 100+uint32(a.As4()[3]), taxonomy.Broadband)
		})
		abroadNever(t, s.run(t))
	})
}

// A tenth of the people are abroad: that is where they live.
func TestBranchAbroad(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		newWard(s, 60)
		s.place(func(a netip.Addr) intel.Net {
			if a.As4()[3] <= 6 {
				return netOf("SG", 4657, taxonomy.Broadband)
			}
			return netOf("CN", 4134, taxonomy.Broadband)
		})
		abroadNever(t, s.run(t))
	})
}

// The company's traffic now leaves through a cloud abroad: many people behind
// one address.
func TestCloudExit(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		w := newWard(s, 40)
		for i := range 6 {
			c := *w.staff[i]
			c.ip = ip4(60, 1, 1, 9)
			w.shift(&c, 9000+s.rng.Float64()*600, 12000, "")
		}
		s.place(abroadAt(overseas, netOf("US", 16509, taxonomy.DataCentre)))
		abroadNever(t, s.run(t))
	})
}

// What comes through a CDN or a carrier's shared exit is from nowhere.
func TestCDNExit(t *testing.T) {
	for _, typ := range []taxonomy.NetworkType{taxonomy.CDN, taxonomy.SharedExit} {
		each(t, func(t *testing.T, s *script) {
			w := newWard(s, 40)
			c := *w.staff[7]
			c.ip = ip4(60, 1, 1, 9)
			w.shift(&c, 9000, 13000, "")
			s.place(abroadAt(overseas, netOf("US", 13335, typ)))
			abroadNever(t, s.run(t))
		})
	}
}

// Somebody who was abroad for days lives there.
func TestExpatriate(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		w := newWard(s, 40)
		c := s.browser(ip4(60, 1, 1, 9))
		c.credential, c.principal = 0x7777, 0x8888
		for day := range 4 {
			s.send(c, float64(day)*86400+100, "me", "", nil)
		}
		for i := range 20 {
			w.shift(w.staff[i], 3*86400, 3*86400+4000, "")
		}
		w.shift(c, 3*86400+300, 3*86400+4000, "")
		s.place(abroadAt(overseas, netOf("FR", 3215, taxonomy.Broadband)))
		r := s.run(t)
		abroadNever(t, r)
		for _, f := range r.findings {
			if f.Kind == taxonomy.AttackCrossBorderAccess {
				t.Errorf("%s", r)
			}
		}
	})
}

func TestLands(t *testing.T) {
	var l lands
	cn, us := netOf("CN", 0, 0).Country, netOf("US", 0, 0).Country
	for range 19 {
		l.add(cn)
	}
	if l.home() != 0 {
		t.Error("19 askers have a home")
	}
	l.add(us)
	if l.home() != cn || l.share(us) != 0.05 {
		t.Errorf("home %s, share %v", l.home(), l.share(us))
	}
	for i := range 200 {
		l.add(intel.Country(i + 1))
	}
	if l.home() != 0 || l.used != landsKept {
		t.Errorf("home %s, %d countries", l.home(), l.used)
	}
	for range landsHalve {
		l.add(us)
	}
	if l.home() != us || l.total >= landsHalve {
		t.Errorf("home %s of %d", l.home(), l.total)
	}
}

// An attack of as many stolen sessions as the site has people does not make
// its country home to them.
func TestManySessionsAbroad(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		w := newWard(s, 60)
		proto := s.browser(ip4(60, 1, 1, 1))
		proto.header, proto.cohort, proto.agent = 901, 902, 903
		for i := range 40 {
			c := *proto
			c.ip = ip4(60, 1, 1, i+1)
			c.credential, c.principal = 0x5000+uint64(i), 0x9000+uint64(i)
			for k := range 4 {
				w.record(&c, 7600+float64(i*40+k*9)+s.rng.Float64()*4, uint64(1+s.rng.IntN(5000)), "gang")
			}
		}
		s.place(abroadAt(overseas, netOf("US", 16509, taxonomy.DataCentre)))
		r := s.run(t)
		r.found(t, "gang", 0.9, taxonomy.AttackCrossBorderAccess, taxonomy.AttackScraping)
		r.innocent(t)
	})
}
