package indicator

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/intel"
)

const now = int64(1_790_000_000e9)

func row(t Type, value string, ago int64, more ...Tag) Indicator {
	x := Indicator{Type: t, Value: value, Confidence: 90, Sightings: 1, First: now - ago - hour, Last: now - ago}
	for _, m := range more {
		x.Tags |= m
	}
	return x
}

func with(t testing.TB, s *Set, src Source, rows ...Indicator) *Set {
	t.Helper()
	out, err := s.With(src, rows, now)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	own    = Source{Name: "own", Role: Own, Reliability: 0.95}
	listA  = Source{Name: "a", Role: Feed, Reliability: 0.8}
	listB  = Source{Name: "b", Role: Feed, Reliability: 0.8}
	client = netip.MustParseAddr("8.8.4.4")
)

func TestCanonical(t *testing.T) {
	hash := func(t Type, s string) string { return fmt.Sprintf("hmac:%x", []byte("12345678")) + "" }
	for _, c := range []struct {
		t    Type
		in   string
		want string
		why  Reason
	}{
		{Address, "::ffff:8.8.8.8", "8.8.8.8", ""}, {Address, "08.8.8.8", "", Malformed}, {Address, "fe80::1%eth0", "", Malformed},
		{Network, "8.8.8.9/24", "8.8.8.0/24", ""}, {Network, "8.8.8.8/32", "", Malformed}, {Network, "2606:4700::1/32", "2606:4700::/32", ""},
		{System, "as64500", "AS64500", ""}, {System, "0", "", Malformed}, {System, "4294967296", "", Malformed},
		{Fingerprint, "ja4:t13d1516h2_8daaf6152771_b186095e22b6", "ja4:t13d1516h2_8daaf6152771_b186095e22b6", ""}, {Fingerprint, "headers:00000000000000FF", "headers:00000000000000ff", ""}, {Fingerprint, "x", "", Malformed},
		{Structure, "0123456789ABCDEF", "0123456789abcdef", ""}, {Structure, "12", "", Malformed},
		{Phone, "13800138000", "hmac:3132333435363738", ""}, {Phone, "hello", "", Malformed}, {Account, "hmac:3132333435363738", "hmac:3132333435363738", ""}, {Account, "hmac:zz", "", Malformed},
		{Segment, "1705550", "1705550", ""}, {Segment, "17055501234567", "", Malformed}, {BIN, "411111", "411111", ""}, {BIN, "4111111111111111", "", Malformed},
		{Domain, "@Mailinator.COM.", "mailinator.com", ""}, {Domain, "localhost", "", Malformed}, {Domain, "a..b", "", Malformed},
		{URL, "HTTPS://u:p@Example.com/x?token=secret#y", "https://example.com/x", ""}, {URL, "javascript:alert(1)", "", Malformed},
		{Address, "", "", Malformed}, {URL, "http://x/" + strings.Repeat("a", MaxValue), "", Malformed},
	} {
		got, err := Canonical(c.t, c.in, hash)
		if got != c.want || (err != nil) != (c.why != "") || err != nil && ReasonOf(err) != c.why {
			t.Errorf("%s %.40q gives %q, %v; want %q, %s", c.t, c.in, got, err, c.want, c.why)
		}
		if err == nil {
			if again, err := Canonical(c.t, got, hash); err != nil || again != got {
				t.Errorf("%s %q is not its own form: %q, %v", c.t, got, again, err)
			}
		}
	}
	if _, err := Canonical(Phone, "13800138000", nil); ReasonOf(err) != Plain {
		t.Errorf("a phone without a key: %v", err)
	}
}

func TestAgeing(t *testing.T) {
	for _, c := range []struct {
		x    Indicator
		life int64
	}{
		{row(Address, "8.8.8.8", 0, Hijacked), 15 * minute}, {row(Address, "8.8.8.8", 0, Rotating), 2 * hour}, {row(Address, "8.8.8.8", 0, DataHouse), 7 * day},
		{row(Network, "8.8.8.0/24", 0), day}, {row(Tool, "name:x", 0), 30 * day}, {row(Phone, "hmac:00", 0), 30 * day}, {row(Account, "hmac:00", 0), 90 * day},
	} {
		x := c.x
		if x.Decay(now) != 1 || x.Decay(now+c.life) != 0 || x.Decay(now+c.life/2) <= 0 || x.Decay(now-day) != 1 {
			t.Errorf("%s %s: %v, %v, %v", x.Type, x.Tags.Names(), x.Decay(now), x.Decay(now+c.life/2), x.Decay(now+c.life))
		}
		x.Until = now + 1
		if x.Decay(now+1) != 0 {
			t.Errorf("%s holds beyond its end", x.Type)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		x := row(Type(rapid.IntRange(1, int(types)-1).Draw(r, "type")), "v", 0)
		a, b := rapid.Int64Range(0, 400*day).Draw(r, "a"), rapid.Int64Range(0, 400*day).Draw(r, "b")
		if da, db := x.Decay(now+min(a, b)), x.Decay(now+max(a, b)); da < db || da > 1 || db < 0 {
			r.Fatalf("grows with age: %v, %v", da, db)
		}
	})
}

func TestGuards(t *testing.T) {
	rows := []Indicator{
		row(Address, "8.8.8.8", 0), row(Address, "8.8.8.8", hour), row(Network, "0.0.0.0/0", 0), row(Network, "4.0.0.0/6", 0), row(Address, "10.0.0.1", 0),
		row(Network, "192.168.0.0/16", 0), row(Address, "127.0.0.1", 0), row(Network, "9.0.0.0/8", 0), row(Network, "11.0.0.0/8", 0), row(Network, "12.0.0.0/8", 0), row(Network, "13.0.0.0/8", 0), row(Network, "15.0.0.0/8", 0),
		row(Address, "9.9.9.9", 400*day), row(Address, "9.9.9.8", -2*day), {Type: Address, Value: "9.9.9.7", Confidence: 200, First: now, Last: now}, {Type: 99, Value: "x", First: now, Last: now},
	}
	s := with(t, nil, listA, rows...)
	want := map[Reason]uint64{Repeated: 1, TooWide: 2, Reserved: 3, TooMuch: 2, Expired: 1, Future: 1, Malformed: 1, Unknown: 1}
	if got := s.Sources()[0].Refused; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("refused %v, want %v", got, want)
	}
	kept := s.Of("a")
	if len(kept) != 1+3 || kept[0].Sightings != 2 {
		t.Errorf("kept %v", kept)
	}
	// A million lines of the whole world are nothing.
	all := make([]Indicator, 1_000_000)
	for i := range all {
		all[i] = row(Network, "0.0.0.0/0", 0)
	}
	if s := with(t, nil, listA, all...); s.Len() != 0 || s.Sources()[0].Refused[TooWide] != 1_000_000 {
		t.Errorf("kept %d of the whole world", s.Len())
	}
}

// TestNoSourceAloneMakesAWideBlock: whatever a feed says of a wide network, it
// takes a second voice or the owner's own eyes.
func TestNoSourceAloneMakesAWideBlock(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		src := Source{Name: "x", Role: Feed, Reliability: rapid.Float64Range(0, 1).Draw(r, "reliability")}
		var rows []Indicator
		for range rapid.IntRange(1, 6).Draw(r, "rows") {
			bits := rapid.IntRange(8, 23).Draw(r, "bits")
			p, _ := client.Prefix(bits)
			x := row(Network, p.String(), rapid.Int64Range(0, day).Draw(r, "age"), Tag(rapid.Uint32Range(0, 1<<tags-1).Draw(r, "tags")))
			x.Confidence = uint8(rapid.IntRange(0, 100).Draw(r, "confidence"))
			rows = append(rows, x)
		}
		s, err := (*Set)(nil).With(src, rows, now)
		if err != nil {
			r.Fatal(err)
		}
		if a := s.Address(client, 0, now); a.Blockable() || a.Score > oneWide {
			r.Fatalf("%+v", a)
		}
		same := src
		same.Name, same.Group = "y", "x"
		if s, _ = s.With(same, rows, now); s != nil {
			if a := s.Address(client, 0, now); a.Score > oneWide {
				r.Fatalf("two names of one voice: %+v", a)
			}
		}
	})
	wide := row(Network, "8.8.0.0/16", 0)
	s := with(t, with(t, nil, listA, wide), listB, wide)
	if a := s.Address(client, 0, now); !a.Blockable() || !a.Wide || a.Voices != 2 {
		t.Errorf("two voices: %+v", a)
	}
	if a := with(t, nil, own, wide).Address(client, 0, now); !a.Blockable() {
		t.Errorf("own eyes: %+v", a)
	}
	if a := with(t, nil, listA, row(System, "AS15169", 0)).Address(client, 15169, now); a.Score != oneWide {
		t.Errorf("a whole system on one word: %+v", a)
	}
}

func TestWhatIsNeverBlocked(t *testing.T) {
	x := row(Address, "8.8.4.4", 0)
	s := with(t, with(t, nil, own, x), Source{Name: "egress", Role: Negative, Reliability: 1}, Indicator{Type: Network, Value: "8.8.4.0/24", Note: "own_egress", First: now, Last: now})
	if a := s.Address(client, 0, now); a.Score != 0 || a.Negative != "own_egress" || a.Blockable() || len(a.Says) != 1 {
		t.Errorf("own egress: %+v", a)
	}
	k := Key{Address, "8.8.4.4"}
	if a := with(t, nil, own, x).Pinned(k, Harmless).Address(client, 0, now); a.Blockable() || a.Score != 0 {
		t.Errorf("pinned: %+v", a)
	}
	if a := (*Set)(nil).Pinned(k, Hostile).Address(client, 0, now); !a.Blockable() {
		t.Errorf("pinned hostile: %+v", a)
	}
	if a := with(t, nil, own, row(Address, "8.8.4.4", 0, Hijacked)).Address(client, 0, now); a.Blockable() || a.Score < Speaks {
		t.Errorf("hijacked and shared: %+v", a)
	}
}

func TestLedger(t *testing.T) {
	k := Key{Address, "8.8.4.4"}
	s := with(t, with(t, nil, listA, row(Address, "8.8.4.4", 0)), own, row(Address, "8.8.4.4", 0))
	before := s.Sources()[0].Weight()
	for range 10 {
		s = s.Judged(k, false)
	}
	if a, o := s.Sources()[0], s.Sources()[1]; a.Weight() > before/4 || a.False != 10 || o.False != 0 {
		t.Errorf("after ten mistakes %v, %+v", a.Weight(), o)
	}
	for range 300 {
		s = s.Judged(k, true)
	}
	if w := s.Sources()[0].Weight(); w < before*0.9 {
		t.Errorf("it never recovers: %v", w)
	}
}

// TestPrefixesAgreeWithAScan: the cut finds what looking through everything finds.
func TestPrefixesAgreeWithAScan(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var list []entry
		some := func(name string) netip.Addr {
			b := [4]byte{byte(rapid.IntRange(0, 2).Draw(r, name)) * 127, byte(rapid.IntRange(0, 1).Draw(r, name)) * 255, byte(rapid.IntRange(0, 3).Draw(r, name)) * 85, rapid.Byte().Draw(r, name)}
			if rapid.Bool().Draw(r, "six") {
				return netip.AddrFrom16([16]byte{0x20, 1, b[0], b[1], b[2], 15: b[3]})
			}
			return netip.AddrFrom4(b)
		}
		for i := range rapid.IntRange(0, 40).Draw(r, "n") {
			a := some("net")
			p, _ := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(r, "bits"))
			list = append(list, entry{p, uint32(i)})
		}
		p := newPrefixes(slices.Clone(list))
		var ask []netip.Addr
		for range 20 {
			ask = append(ask, some("addr"))
		}
		for _, e := range list { // where stretches begin and end
			for _, a := range []netip.Addr{e.prefix.Addr(), e.prefix.Addr().Prev(), last(e.prefix), last(e.prefix).Next()} {
				if a.IsValid() {
					ask = append(ask, a)
				}
			}
		}
		for _, a := range ask {
			var got, want []uint32
			p.each(p.lookup(a), func(n uint32) { got = append(got, n) })
			for _, e := range list {
				if e.prefix.Contains(a) {
					want = append(want, e.row)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				r.Fatalf("%s: %v, want %v in %v", a, got, want, list)
			}
		}
	})
}

func TestSnapshot(t *testing.T) {
	s := with(t, nil, own, row(Address, "8.8.4.4", 0, Gang), row(Network, "1.2.3.0/24", 0), row(Fingerprint, "headers:00000000000000ff", day), row(Fingerprint, "ja4:t13", day), row(Tool, "name:okhttp", day),
		row(Structure, "0123456789abcdef", day), row(System, "AS64500", day), row(Phone, "hmac:0011223344556677", 0), row(Address, "9.9.9.9", 23*hour+59*minute))
	s = with(t, s, Source{Name: "egress", Role: Negative}, Indicator{Type: Address, Value: "1.2.3.4", First: now, Last: now})
	data, err := s.Snapshot(now)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := ParseSnapshot(data)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.Snapshot(now); string(again) != string(data) {
		t.Error("the same set gives other bytes")
	}
	if snap.Len() != 7 { // without the phone, what has aged and what is spared
		t.Errorf("%d hits: %+v", snap.Len(), snap.all)
	}
	for name, c := range map[string]struct {
		x      Asker
		source bool
		means  bool
	}{
		"address": {Asker{Client: client}, true, false}, "mapped": {Asker{Client: netip.AddrFrom16(client.As16())}, true, false}, "network": {Asker{Client: netip.MustParseAddr("1.2.3.9")}, true, false},
		"headers": {Asker{Headers: 255}, false, true}, "ja4": {Asker{JA4: "t13"}, false, true}, "tool": {Asker{Tool: "okhttp"}, false, true}, "structure": {Asker{Structure: 0x0123456789abcdef}, false, true},
		"nothing": {Asker{Client: netip.MustParseAddr("7.7.7.7"), JA4: "t12", Headers: 1, Tool: "curl", Structure: 2, ASN: 1}, false, false},
	} {
		k := snap.Look(&c.x, now)
		if k.Source > 0 != c.source || k.Means > 0 != c.means {
			t.Errorf("%s: %+v", name, k)
		}
		if late := snap.Look(&c.x, now+31*day); late.Source > 0 || late.Means > 0 {
			t.Errorf("%s is known after it has aged: %+v", name, late)
		}
		if early := snap.Look(&c.x, now-100*day); early.Source > 0 || early.Means > 0 {
			t.Errorf("%s is known before it was seen: %+v", name, early)
		}
	}
	for _, bad := range [][]byte{{1}, []byte(strings.Repeat("x", 100)), data[:len(data)-3]} {
		if _, err := ParseSnapshot(bad); err == nil {
			t.Errorf("%d bytes were taken for a snapshot", len(bad))
		}
	}
}

func FuzzParseSnapshot(f *testing.F) {
	s, err := (*Set)(nil).With(own, []Indicator{row(Address, "8.8.4.4", 0), row(Tool, "name:x", 0)}, now)
	if err != nil {
		f.Fatal(err)
	}
	data, err := s.Snapshot(now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSnapshot(data)
		if err == nil && s != nil {
			s.Look(&Asker{Client: client, ASN: 1, JA4: "x", Headers: 1, Structure: 1, Tool: "x"}, now)
		}
	})
}

func TestDerive(t *testing.T) {
	attack := Attack{ID: "a", Kind: "credential_stuffing", First: now - 40*minute, Last: now, Traits: []Trait{
		{Key: "header_order", Value: "00000000000000ff", Share: 1, Others: 0, Of: 500}, {Key: "ja4", Value: "common", Share: 1, Others: 400, Of: 500},
		{Key: "param_shape", Value: "0123456789abcdef", Share: 0.2, Others: 0, Of: 500}, {Key: "tool", Value: "okhttp", Share: 1, Others: 0, Of: 3}, {Key: "credential", Value: "x", Share: 1, Of: 500}}}
	for i := range 8 {
		attack.IPs = append(attack.IPs, netip.AddrFrom4([4]byte{58, 20, 30, byte(i + 1)}))
	}
	attack.IPs = append(attack.IPs, netip.MustParseAddr("58.40.1.1"))
	networks, err := intel.Load(intel.Config{NoBase: true, Lists: []intel.ListConfig{{File: "l", Type: "broadband"}}}, listOf("58.0.0.0/8\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := Derive([]Attack{attack}, World{Networks: networks,
		Honest: func(a netip.Addr, _ int64) (uint64, bool) { return map[string]uint64{"58.40.1.1": 7}[a.String()], true },
		Active: func(p netip.Prefix, _ int64) (int, bool) { return 12, true }})
	by := map[string]Indicator{}
	for _, x := range got {
		by[x.Value] = x
	}
	if x := by["58.20.30.0/24"]; x.Tags&Rotating == 0 {
		t.Errorf("the pool: %+v", x)
	}
	if x := by["58.20.30.1"]; x.Tags&Rotating == 0 || x.Tags&Hijacked != 0 || x.Note != "credential_stuffing" {
		t.Errorf("an address of the pool: %+v", x)
	}
	if x := by["58.40.1.1"]; x.Tags&Hijacked == 0 || x.Tags&Rotating != 0 {
		t.Errorf("the address that others use, too: %+v", x)
	}
	if _, ok := by["headers:00000000000000ff"]; !ok || len(got) != 11 {
		t.Errorf("%d: %v", len(got), by)
	}
}

// crowd is a set of n addresses and networks, as lists of a large owner are.
func crowd(n int) []Indicator {
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]Indicator, n)
	for i := range rows {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], r.Uint32())
		b[0] = 1 + b[0]%9 // of nobody's reserved
		a := netip.AddrFrom4(b)
		rows[i] = row(Address, a.String(), 0)
		if i%4 == 0 {
			p, _ := a.Prefix(24)
			rows[i].Type, rows[i].Value = Network, p.String()
		}
	}
	return rows
}

func BenchmarkAddressAmong10M(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]entry, 10_000_000)
	for i := range list {
		var x [4]byte
		binary.BigEndian.PutUint32(x[:], r.Uint32())
		bits := 32
		if i%4 == 0 {
			bits = 16 + r.IntN(16)
		}
		p, _ := netip.AddrFrom4(x).Prefix(bits)
		list[i] = entry{p, uint32(i)}
	}
	p := newPrefixes(list)
	list = nil
	ask := make([]netip.Addr, 1<<16)
	for i := range ask {
		var x [4]byte
		binary.BigEndian.PutUint32(x[:], r.Uint32())
		ask[i] = netip.AddrFrom4(x)
	}
	var hit uint32
	b.ResetTimer()
	for i := range b.N {
		hit += p.lookup(ask[i&(1<<16-1)])
	}
	runtime.KeepAlive(hit)
}

func BenchmarkMillionInMemory(b *testing.B) {
	for range b.N {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s, err := (*Set)(nil).With(Source{Name: "a", Role: Analyst, Reliability: 1}, crowd(1_000_000), now)
		if err != nil {
			b.Fatal(err)
		}
		s.Address(client, 0, now)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		runtime.KeepAlive(s)
	}
}

func BenchmarkAssess(b *testing.B) {
	s, err := (*Set)(nil).With(Source{Name: "a", Role: Analyst, Reliability: 1}, crowd(100_000), now)
	if err != nil {
		b.Fatal(err)
	}
	s.Address(client, 0, now)
	for b.Loop() {
		s.Address(client, 0, now)
	}
}

func listOf(text string) intel.Open {
	return func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// TestASiteDoesNotLearnFromItself: what a site alone saw counts at other sites,
// and at itself only with what others say.
func TestASiteDoesNotLearnFromItself(t *testing.T) {
	at := int64(1e18)
	ip := netip.MustParseAddr("45.9.1.7")
	trait := []Trait{{Key: "header_order", Value: "00000000000a11ce", Share: 1, Of: 100}}
	rows := Derive([]Attack{{ID: "a", Kind: "k", Site: "shop", First: at, Last: at, IPs: []netip.Addr{ip}, Traits: trait}, {ID: "b", Kind: "k", Site: "shop", First: at, Last: at, IPs: []netip.Addr{ip}}}, World{})
	set, err := (*Set)(nil).With(Source{Name: "own", Role: Own, Reliability: 0.9}, rows, at)
	if err != nil {
		t.Fatal(err)
	}
	look := func(set *Set, site string) Known {
		data, err := set.Snapshot(at)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ParseSnapshot(data)
		if err != nil {
			t.Fatal(err)
		}
		return s.Look(&Asker{Site: site, Client: ip, Headers: 0xa11ce}, at)
	}
	if k := look(set, "shop"); k.Source != 0 || k.Means != 0 {
		t.Errorf("the site learns from itself: %+v", k)
	}
	if k := look(set, "bank"); k.Source < 0.8 || k.Means < 0.8 {
		t.Errorf("another site does not learn: %+v", k)
	}
	both, err := set.With(Source{Name: "feed", Reliability: 0.5}, []Indicator{{Type: Address, Value: "45.9.1.7", Confidence: 100, First: at, Last: at}}, at)
	if err != nil {
		t.Fatal(err)
	}
	if k := look(both, "shop"); k.Source != 0.5 || k.Means != 0 {
		t.Errorf("with a feed the site knows %+v", k)
	}
	if k := look(both, "bank"); k.Source <= 0.81 {
		t.Errorf("with a feed another site knows %+v", k)
	}
	two := Derive([]Attack{{ID: "a", Kind: "k", Site: "shop", First: at, Last: at, IPs: []netip.Addr{ip}}, {ID: "b", Kind: "k", Site: "bank", First: at, Last: at, IPs: []netip.Addr{ip}}}, World{})
	if len(two) != 1 || two[0].TLP != Green || two[0].Site != "" || rows[0].TLP != Amber {
		t.Errorf("%+v, %+v", two, rows)
	}
	if set, err = (*Set)(nil).With(Source{Name: "own", Role: Own, Reliability: 0.9}, two, at); err != nil {
		t.Fatal(err)
	}
	if k := look(set, "shop"); k.Source < 0.8 {
		t.Errorf("what two sites saw a site does not know: %+v", k)
	}
}
