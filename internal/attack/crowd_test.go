package attack

import (
	"fmt"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// page adds a public page, numbered as a shop's are.
func (s *script) page(c *client, sec float64, id int, there bool, truth string) {
	s.send(c, sec, "news", truth, func(ev *scripted) {
		name := fmt.Sprintf("%d.html", id)
		ev.Object = hashText(name)
		ev.obs.Segments = []observe.Segment{{Text: "item"}, {Text: name, Token: ev.Object, Class: observe.ClassFile}}
		if !there {
			ev.Outcome, ev.obs.Status = catalog.OutcomeNotFound, 404
		}
	})
}

func (s *script) shoppers(n int) {
	for i := range n {
		c := s.browser(s.home(i))
		at := s.rng.Float64() * 2000
		for range 2 + s.rng.IntN(10) {
			s.page(c, at, 100000+s.rng.IntN(300)*7, true, "")
			at += 2 + s.rng.ExpFloat64()*12
		}
	}
}

// TestNumberedPages: ids that do not exist make an enumeration, not a scan for
// paths.
func TestNumberedPages(t *testing.T) {
	s := newScript(1)
	s.shoppers(60)
	c := s.browser(ip4(45, 9, 1, 7))
	for i := range 300 {
		s.page(c, 100+float64(i)*3, 100000+i, i%7 == 0, "scrape")
	}
	r := s.run(t)
	r.found(t, "scrape", 0.9, taxonomy.AttackScraping)
	r.innocent(t)
}

// TestReadersOfPages: a collector, a cache, a search engine with some outdated
// addresses, an integration that works off its list.
func TestReadersOfPages(t *testing.T) {
	for seed := range uint64(4) {
		s := newScript(seed)
		s.shoppers(60)
		collector := s.browser(ip4(101, 77, 1, 1))
		for i := range 130 {
			s.page(collector, float64(i)*(10+s.rng.Float64()*8), 100000+s.rng.IntN(2000), true, "")
		}
		for i := range 400 {
			s.page(s.browser(ip4(119, 147, 3, 4)), float64(i)*5, 100000+s.rng.IntN(2000), true, "")
		}
		bot := s.tool(ip4(66, 249, 70, 1))
		bot.family = "search-bot"
		for i := range 300 {
			s.page(bot, float64(i)*7, 100000+s.rng.IntN(2000), i%12 != 0, "")
		}
		erp := s.tool(ip4(45, 9, 9, 9))
		for i := range 200 {
			s.read(erp, 300+float64(i)*0.4, "detail", uint64(9000+i*2), 0, "").obs.Credentials = []observe.Credential{{Kind: observe.CredSigned}}
		}
		r := s.run(t)
		if len(r.findings) > 0 {
			t.Errorf("seed %d: findings on an honest day\n%s", seed, r)
		}
	}
}

// TestDrones: one tool on many addresses that does nothing but fetch objects.
func TestDrones(t *testing.T) {
	s := newScript(2)
	s.shoppers(80)
	c := s.tool(ip4(45, 9, 1, 7))
	for i, id := range s.rng.Perm(2000)[:400] {
		c.ip = ip4(45, 9+i%60, 1, 7)
		s.page(c, 50+float64(i)*5, 100000+id*7, true, "scrape")
	}
	r := s.run(t)
	r.found(t, "scrape", 0.9, taxonomy.AttackScraping)
	r.innocent(t)
}

// TestBrokenRelease behind one address: so many users that their missing
// pieces add up to a word list.
func TestBrokenReleaseBehindNAT(t *testing.T) {
	calm(t, func(s *script) {
		for i := range 200 {
			c := s.browser(s.home(i))
			if i%2 == 0 {
				c.ip = ip4(77, 1, 1, 1)
			}
			for k := range 4 {
				s.send(c, 100+s.rng.Float64()*300, "", "", func(ev *scripted) {
					ev.obs.Host, ev.obs.Referer = "", "shop.test" // a log names no host
					ev.obs.Status, ev.Outcome = 404, catalog.OutcomeNotFound
					ev.obs.Segments = []observe.Segment{{Text: fmt.Sprintf("chunk-%d.js", (i*7+k)%25)}}
				})
			}
		}
	})
}

// TestFewPayloads: four requests that nobody sends by accident.
func TestFewPayloads(t *testing.T) {
	for _, rules := range [][]string{{"jndi.lookup"}, {"sqli.boolean", "sqli.union_select", "sqli.time", "xss.script_tag"}} {
		s := newScript(3)
		s.crowd(20, 0, 600)
		c := s.browser(ip4(45, 9, 1, 7))
		for i := range 5 {
			s.send(c, 50+float64(i)*8, "list", "vuln", func(ev *scripted) {
				ev.obs.Signatures = []observe.Signature{{Rule: rules[i%len(rules)], In: observe.InQuery, Name: "q"}}
			})
		}
		r := s.run(t)
		r.found(t, "vuln", 0.9, taxonomy.AttackVulnerabilityScan)
		r.innocent(t)
	}
}

// TestPopularPasswords: a list tried a few times per account repeats popular
// passwords; a spray walks a few over all accounts.
func TestPopularPasswords(t *testing.T) {
	for seed := range uint64(4) {
		s := newScript(seed)
		s.crowd(20, 0, 600)
		spray := s.tool(ip4(45, 9, 1, 8))
		for i := range 160 {
			s.login(spray, 20+float64(i)*3, 5_000_000+uint64(i%80), uint64(i/80), "wrong", "spray")
		}
		for i := range 360 {
			c := s.browser(ip4(46, 9, i/3%90, 9))
			c.cohort, c.header, c.agent = 31337, 31338, 31339
			s.login(c, 20+float64(i)*1.5, 6_000_000+uint64(i/3), 100+uint64(s.rng.IntN(20)), "wrong", "stuff")
		}
		r := s.run(t)
		r.found(t, "spray", 0.9, taxonomy.AttackPasswordSpraying)
		r.found(t, "stuff", 0.9, taxonomy.AttackCredentialStuffing)
		r.innocent(t)
	}
}

// TestFarm: accounts made by one tool and used once each; beside it an
// advertisement that brings newcomers in numbers.
func TestFarm(t *testing.T) {
	farm := func(s *script, machine bool, truth string) {
		for i := range 60 {
			c := s.browser(s.home(700 + i))
			if machine {
				c = s.tool(ip4(45, 9, 3, i%30))
				c.cohort, c.header, c.agent, c.family = 31337, 31338, 31339, "okhttp"
			}
			at := 50 + float64(i)*8
			sub := 7_000_000 + uint64(i)*977
			c.password = 123_000 + uint64(i)
			s.register(c, at, sub, truth)
			c.credential, c.principal = s.rng.Uint64(), sub
			s.send(c, at+3, "create", truth, nil)
			s.send(c, at+4, "me", truth, nil)
		}
	}
	for seed := range uint64(4) {
		s := newScript(seed)
		s.crowd(60, 0, 600)
		farm(s, true, "farm")
		r := s.run(t)
		r.found(t, "farm", 0.3, taxonomy.AttackMassRegistration) // a third of it is registration
		r.innocent(t)
	}
	calm(t, func(s *script) {
		s.crowd(60, 0, 600)
		farm(s, false, "")
	})
}

// TestSharedFlood: a flood of which each address sends little.
func TestSharedFlood(t *testing.T) {
	s := newScript(4)
	s.crowd(30, 0, 600)
	c := s.tool(ip4(45, 9, 1, 7))
	for i := range 3000 {
		c.ip = ip4(45, 9, 1, i%20)
		s.send(c, 100+float64(i)*0.03, "list", "flood", nil)
	}
	for i := range 60 { // polls of an app
		p := s.browser(s.home(400 + i))
		for k := range 60 {
			s.send(p, s.rng.Float64()+float64(k)*10, "health", "", nil)
		}
	}
	r := s.run(t)
	r.found(t, "flood", 0.9, taxonomy.AttackFlood)
	r.innocent(t)
}

// TestSMSPumping: codes sent to number after number, each answer the same.
func TestSMSPumping(t *testing.T) {
	s := newScript(5)
	s.apis["check"].Role = taxonomy.RoleCodeSend
	s.crowd(30, 0, 600)
	c := s.tool(ip4(45, 9, 1, 7))
	for i := range 120 {
		s.send(c, 50+float64(i)*3, "check", "sms", func(ev *scripted) { s.account(ev, 8_000_000+uint64(i)*977, 0, c) })
	}
	r := s.run(t)
	r.found(t, "sms", 0.9, taxonomy.AttackSMSAbuse)
	r.innocent(t)
	for i := range r.findings {
		if f := &r.findings[i]; f.Accounts > f.Requests {
			t.Errorf("%d accounts in %d requests", f.Accounts, f.Requests)
		}
	}
}
