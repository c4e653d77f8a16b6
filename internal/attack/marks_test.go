package attack

import (
	"fmt"
	"slices"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func (f *Finding) of(key string) []Mark {
	var out []Mark
	for _, m := range f.Marks {
		if m.Key == key {
			out = append(out, m)
		}
	}
	return out
}

func values(marks []Mark) []uint64 {
	var out []uint64
	for _, m := range marks {
		out = append(out, m.Value)
	}
	slices.Sort(out)
	return out
}

// TestMarks lets two tools guess with one list of accounts, one with a tool of
// its own and one behind a common browser's fingerprint.
func TestMarks(t *testing.T) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newScript(seed)
			s.crowd(80, 0, 1200)
			own, common := s.tool(ip4(45, 9, 1, 7)), s.browser(ip4(46, 9, 1, 7))
			own.agent, common.shape = 77_777, 88_888
			for k, c := range []*client{own, common} {
				for i := range 400 {
					s.send(c, 100+600*float64(k)+float64(i), "login", c.family, func(ev *scripted) {
						s.account(ev, 5_000_000+uint64(i), uint64(4000+i), c)
						ev.obs.MessageSays, ev.Outcome = observe.SaysWrongSecret, catalog.OutcomeRejected
						ev.obs.Params = append(ev.obs.Params, observe.Param{Name: "device", Token: 4242}, observe.Param{Name: "nonce", Token: uint64(i + 1)})
					})
				}
			}
			r := s.run(t)
			var a, b *Finding
			for i := range r.findings {
				f := &r.findings[i]
				switch {
				case f.Kind != taxonomy.AttackCredentialStuffing && f.Kind != taxonomy.AttackAccountScanning:
				case f.IPs[0] == own.ip:
					a = f
				case f.IPs[0] == common.ip:
					b = f
				}
			}
			if a == nil || b == nil {
				t.Fatalf("not found\n%s", r)
			}
			rare := func(f *Finding, key string, value uint64) {
				t.Helper()
				m := f.of(key)
				if len(m) != 1 || m[0].Value != value || m[0].Share < 0.9 || m[0].Others > 2 || m[0].Of < 50 {
					t.Errorf("%s: %+v, want one value %d that hardly anybody else shows", key, m, value)
				}
			}
			rare(a, "header_order", own.header)
			rare(a, "agent", own.agent)
			rare(b, "param_shape", common.shape)
			if m := b.of("header_order"); len(m) != 1 || m[0].Value != common.header || m[0].Others < 5 {
				t.Errorf("a common fingerprint passes for rare: %+v", m)
			}
			for _, f := range []*Finding{a, b} {
				v := f.of("param_value")
				if len(v) == 0 || v[0].Value != join(hashText("device"), 4242) || v[0].Share < 0.5 {
					t.Errorf("the constant parameter is not seen: %+v", v)
				}
			}
			if x, y := values(a.of("account")), values(b.of("account")); len(x) != samples[markAccount] || !slices.Equal(x, y) {
				t.Errorf("one list of accounts gives two samples: %v, %v", x, y)
			}
			if m := a.of("tool"); len(m) != 1 || m[0].Text != "go-http" {
				t.Errorf("the tool is not named: %+v", m)
			}
			if m := b.of("tool"); len(m) != 0 {
				t.Errorf("a browser is called a tool: %+v", m)
			}
		})
	}
}

func TestSignatureIsBounded(t *testing.T) {
	var s signature
	for i := range uint64(10_000) {
		for k := range markKeys {
			s.add(k, traitCount{value: i, n: 1})
		}
		s.add(markAgent, traitCount{value: 1 << 40, n: 2})
	}
	for k, list := range s.list {
		limit := samples[k]
		if limit == 0 {
			limit = maxTraits
		}
		if len(list) > limit {
			t.Errorf("%s: %d values, at most %d", markNames[k], len(list), limit)
		}
	}
	n := uint64(0)
	for _, v := range s.list[markAgent] {
		if v.value == 1<<40 {
			n = v.n
		}
	}
	if n < 20_000 || n > 20_000+30_000/maxTraits {
		t.Errorf("the commonest value is counted %d times, sent 20 000 times", n)
	}
}
