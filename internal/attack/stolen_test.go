package attack

import (
	"net/netip"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// members are people of a shop who look at their own data.
type members struct {
	*script
	people []*client
}

func (m *members) look(c *client, sec float64, times int, truth string) {
	for k := range times {
		m.send(c, sec+float64(k)*8+m.rng.Float64()*4, "mine", truth, func(ev *scripted) {
			ev.obs.Exposures = []observe.Exposure{{Path: "$.mobile", Type: taxonomy.SensCNMobile, Response: true, Distinct: 1, Subjects: []uint64{c.principal}}}
		})
	}
}

// newMembers has people of a shop about for two hours, who look at their own
// data in two visits.
func newMembers(s *script, n int) *members {
	m := &members{script: s}
	s.apis["mine"] = &catalog.API{Handle: 41, ID: "mine", Site: "shop", Method: "GET", Template: "/users/me", Role: taxonomy.RoleProfile}
	for i := range n {
		c := s.browser(s.home(i))
		c.credential, c.principal = 0x5000+uint64(i), 0x9000+uint64(i)
		m.people = append(m.people, c)
		m.look(c, s.rng.Float64()*7000, 6, "")
		m.look(c, s.rng.Float64()*7000, 4, "")
	}
	return m
}

// landsAbroad gives each address of the overseas network a country of its own.
func landsAbroad(typ taxonomy.NetworkType) func(netip.Addr) intel.Net {
	lands := []string{"US", "JP", "FI", "DE", "GB"}
	return func(a netip.Addr) intel.Net {
		if overseas.Contains(a) {
			return netOf(lands[int(a.As4()[3])%len(lands)], 16509, typ)
		}
		return netOf("CN", 4134+uint32(a.As4()[2]%5), taxonomy.Broadband)
	}
}

// Bought accounts, each of which reads its owner's data, by a program of the
// thief's own, from a handful of countries; some of the owners were there
// before.
func TestStolenAccountsAbroad(t *testing.T) {
	for _, addrs := range []int{1, 4, 12} {
		each(t, func(t *testing.T, s *script) {
			m := newMembers(s, 60)
			tool := s.browser(ip4(60, 1, 1, 1))
			tool.header, tool.cohort, tool.agent = 901, 902, 903
			for i := range 12 {
				c := *tool
				c.ip = ip4(60, 1, 1, 1+i%addrs)
				c.credential, c.principal = 0x7000+uint64(i), 0xa000+uint64(i)
				if i < 4 {
					c.principal = m.people[i].principal
				}
				m.look(&c, 7600+float64(i)*90+s.rng.Float64()*40, 3, "thief")
			}
			s.place(landsAbroad(taxonomy.DataCentre))
			r := s.run(t)
			r.found(t, "thief", 0.9, taxonomy.AttackCrossBorderAccess)
			r.innocent(t)
		})
	}
}

// Colleagues whose company's traffic leaves through a cloud abroad: one
// address, and the browser that half the world has.
func TestOwnDataThroughACloud(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		m := newMembers(s, 60)
		for i := range 9 {
			c := *m.people[0]
			c.ip = ip4(60, 1, 1, 9)
			c.credential, c.principal = 0x7000+uint64(i), m.people[i].principal
			m.look(&c, 7600+s.rng.Float64()*1500, 6, "")
		}
		s.place(abroadAt(overseas, netOf("US", 16509, taxonomy.DataCentre)))
		abroadNever(t, s.run(t))
	})
}

// Holidays: people, a group in one hotel, look at their own data with the phones
// that they have at home.
func TestHolidaysAbroad(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		m := newMembers(s, 80)
		for i := range 14 {
			c := *m.people[i]
			c.ip = ip4(60, 1, 1, 10+i)
			m.look(&c, 40000+s.rng.Float64()*20000, 6, "")
		}
		for i := 14; i < 80; i++ {
			m.look(m.people[i], 40000+s.rng.Float64()*20000, 6, "")
		}
		s.place(landsAbroad(taxonomy.Broadband))
		abroadNever(t, s.run(t))
	})
}

// The edition for abroad: a client of its own, and people who were never
// anywhere else.
func TestEditionForAbroad(t *testing.T) {
	each(t, func(t *testing.T, s *script) {
		m := newMembers(s, 80)
		for i := range 3 {
			proto := s.browser(ip4(60, 1, 1, 10))
			proto.header, proto.cohort, proto.agent = 901, 902, 903
			proto.ip = ip4(60, 1, 1, 20+i)
			proto.credential, proto.principal = 0x7000+uint64(i), 0xa000+uint64(i)
			m.look(proto, 3000+s.rng.Float64()*4000, 6, "")
		}
		s.place(landsAbroad(taxonomy.Broadband))
		abroadNever(t, s.run(t))
	})
}
