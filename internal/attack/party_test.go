package attack

import (
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

const oneDay = 86400.0

// keyed adds pages of people's data, shown to whoever shows the key.
func (s *script) keyed(c *client, from, every float64, pages int, key uint64, truth string, set func(*scripted)) {
	for i := range pages {
		ev := s.send(c, from+float64(i)*every, "dump", truth, func(ev *scripted) {
			x := observe.Exposure{Path: "data[].phone", Type: taxonomy.SensCNMobile, Response: true, Count: 50, Distinct: 50}
			for k := range uint64(16) {
				x.Subjects = append(x.Subjects, mix64(uint64(i)*50+k)|1)
			}
			ev.obs.Exposures = []observe.Exposure{x}
			if key != 0 {
				ev.obs.Credentials = []observe.Credential{{Kind: observe.CredSigned, Name: "client_key", Token: key}}
			}
		})
		if set != nil {
			set(ev)
		}
	}
}

func refuse(ev *scripted) {
	ev.Outcome, ev.obs.Status, ev.obs.Exposures = catalog.OutcomeDenied, 401, nil
}

// nightly is a partner's job of a few pages, several nights long.
func (s *script) nightly(c *client, nights int, key uint64) {
	for d := range nights {
		s.keyed(c, float64(d)*oneDay+7200, 1, 6, key, "", nil)
	}
}

func TestParty(t *testing.T) {
	t.Run("a reconciliation after a week", func(t *testing.T) {
		calm(t, func(s *script) {
			s.crowd(20, 0, 600)
			c := s.tool(ip4(47, 1, 2, 3))
			s.nightly(c, 4, 900)
			s.keyed(c, 4*oneDay, 0.8, 300, 900, "", nil)
		})
	})
	t.Run("two machines of one house", func(t *testing.T) {
		calm(t, func(s *script) {
			s.crowd(20, 0, 600)
			a, b := s.tool(ip4(47, 1, 2, 3)), s.tool(ip4(47, 1, 2, 4))
			s.nightly(a, 3, 900)
			s.keyed(b, 3*oneDay, 0.8, 200, 900, "", nil)
		})
	})
	t.Run("new, where strangers are turned away", func(t *testing.T) {
		calm(t, func(s *script) {
			s.crowd(20, 0, 600)
			for i := range 4 {
				s.keyed(s.browser(s.home(50+i)), float64(600+i*60), 1, 1, 0, "", refuse)
			}
			c := s.tool(ip4(47, 1, 2, 3))
			s.keyed(c, 2*oneDay, 60, 5, 900, "", nil)
			s.keyed(c, 2*oneDay+600, 0.8, 200, 900, "", nil)
		})
	})
	t.Run("on the first day", func(t *testing.T) {
		calm(t, func(s *script) {
			s.crowd(20, 0, 600)
			s.keyed(s.tool(ip4(47, 1, 2, 3)), 60, 0.8, 300, 900, "", nil)
		})
	})
}

// TestMadeUpKeys: who writes a key or a signature into requests reads no less.
func TestMadeUpKeys(t *testing.T) {
	for name, play := range map[string]func(s *script, c *client){
		"a key never seen before": func(s *script, c *client) {
			s.keyed(c, 2*oneDay, 0.8, 300, 666, "bulk", nil)
		},
		"another key each time": func(s *script, c *client) {
			for i := range 300 {
				s.keyed(c, 60+float64(i)*0.8, 1, 1, 7000+uint64(i), "bulk", nil)
			}
		},
		"refused until one way answers": func(s *script, c *client) {
			s.keyed(c, 60, 0.8, 40, 666, "bulk", refuse)
			s.keyed(c, 100, 0.8, 300, 666, "bulk", nil)
		},
		"the key that the app carries": func(s *script, c *client) {
			for d := range 3 {
				for i := range 30 {
					app := s.browser(s.home(500 + i))
					app.family = "okhttp"
					ev := s.read(app, float64(d)*oneDay+float64(i)*20, "news", uint64(1+i%9), 0, "")
					ev.obs.Credentials = []observe.Credential{{Kind: observe.CredSigned, Name: "appkey", Token: 555}}
				}
			}
			s.keyed(c, 2*oneDay+300, 0.8, 300, 555, "bulk", nil)
		},
		"a partner's key from elsewhere": func(s *script, c *client) {
			s.nightly(s.tool(ip4(47, 1, 2, 3)), 3, 900)
			s.keyed(c, 3*oneDay, 0.8, 300, 900, "bulk", nil)
		},
		"a browser's session called a key": func(s *script, c *client) {
			s.nightly(s.browser(ip4(101, 9, 9, 9)), 3, 900)
			d := s.browser(ip4(101, 9, 9, 9))
			s.keyed(d, 3*oneDay, 0.8, 300, 900, "bulk", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				s := newScript(seed)
				s.crowd(20, 0, 600)
				s.crowd(20, 2*oneDay, 2*oneDay+600)
				play(s, s.tool(ip4(45, 8, 8, 8)))
				r := s.run(t)
				if got := r.hits["bulk"][taxonomy.AttackScraping]; got*2 < r.total["bulk"] {
					t.Errorf("seed %d: %d of %d found\n%s", seed, got, r.total["bulk"], r)
				}
				r.innocent(t)
			}
		})
	}
}

// A token that an answer gave out is somebody's session, however long it lasts.
func TestSessionIsNoParty(t *testing.T) {
	s := newScript(1)
	c := s.tool(ip4(45, 8, 8, 8))
	s.login(c, 10, 77, 5, "ok", "")
	for d := range 4 {
		for i := range 6 {
			ev := s.read(c, float64(d)*oneDay+100+float64(i), "detail", uint64(i), 77, "")
			ev.obs.Credentials = []observe.Credential{{Kind: observe.CredAPIKey, Name: "x-token", Token: c.credential}}
		}
	}
	s.sortEvents()
	e := New(Config{Messages: messages(t), Site: "shop"})
	for _, ev := range s.events {
		if e.Observe(&ev.Event); e.party {
			t.Fatal("a session counts as a party's key")
		}
	}
}
