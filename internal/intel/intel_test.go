package intel

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/taxonomy"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func country(s string) Country {
	c, ok := ParseCountry(s)
	if !ok {
		panic(s)
	}
	return c
}

// files opens contents by name.
func files(m map[string]string) Open {
	return func(name string) (io.ReadCloser, error) {
		text, ok := m[name]
		if !ok {
			return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
}

func load(t testing.TB, c Config, m map[string]string) *Map {
	t.Helper()
	out, err := Load(c, files(m))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The map that ships knows networks that have been where they are for decades.
func TestBaseMap(t *testing.T) {
	m := Default()
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		addr, country string
		asn           uint32
		typ           taxonomy.NetworkType
		org           string
	}{
		{"8.8.8.8", "US", 15169, taxonomy.DataCentre, "Google"},
		{"66.249.66.1", "US", 15169, taxonomy.SearchBot, "Google"},
		{"1.1.1.1", "AU", 13335, taxonomy.CDN, "Cloudflare"},
		{"202.112.0.36", "CN", 4538, taxonomy.Education, "China Education"},
		{"61.139.2.69", "CN", 4134, taxonomy.Broadband, "Chinanet"},
		{"47.96.1.1", "CN", 37963, taxonomy.DataCentre, "Alibaba"},
		{"221.130.33.52", "CN", 56048, taxonomy.Mobile, "China Mobile"},
		{"193.0.6.139", "NL", 3333, taxonomy.UnknownNetwork, "RIPE"},
		{"2001:4860:4860::8888", "US", 15169, taxonomy.DataCentre, "Google"},
		{"2606:4700:4700::1111", "US", 13335, taxonomy.CDN, "Cloudflare"},
		{"::ffff:8.8.8.8", "US", 15169, taxonomy.DataCentre, "Google"},
	} {
		n := m.Lookup(addr(c.addr))
		if n.Country.String() != c.country || n.ASN != c.asn || n.Type != c.typ || !strings.Contains(m.Org(n.ASN), c.org) {
			t.Errorf("%s: %s AS%d %q %s", c.addr, n.Country, n.ASN, m.Org(n.ASN), n.Type)
		}
	}
	for _, a := range []string{"10.1.2.3", "192.168.1.1", "127.0.0.1", "100.64.0.1", "203.0.113.9", "198.51.100.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "fe80::1%eth0", "fd00::1", "2001:db8::1", "::"} {
		if n := m.Lookup(addr(a)); n != (Net{Type: taxonomy.Reserved}) {
			t.Errorf("%s: %+v", a, n)
		}
	}
	if n := m.Lookup(netip.Addr{}); n.Known() {
		t.Errorf("no address: %+v", n)
	}
	var none *Map
	if none.Lookup(addr("8.8.8.8")).Known() || none.Org(1) != "" || none.ID() != "" || len(none.Sources()) > 0 {
		t.Error("no map knows something")
	}
}

// Most of the Internet has a country, an AS and a type.
func TestBaseMapCoverage(t *testing.T) {
	m, r := Default(), rand.New(rand.NewPCG(1, 2))
	var all, land, as, typed int
	for all < 200000 {
		n := m.Lookup(netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}))
		if n.Type == taxonomy.Reserved || n.ASN == 0 && n.Country == 0 {
			continue
		}
		all++
		if n.Country != 0 {
			land++
		}
		if n.ASN != 0 {
			as++
			if n.Type != taxonomy.UnknownNetwork {
				typed++
			}
		}
	}
	t.Logf("of %d addresses on the map: %.1f %% with a country, %.1f %% announced, of these %.1f %% with a type", all, 100*float64(land)/float64(all), 100*float64(as)/float64(all), 100*float64(typed)/float64(as))
	if land*100 < all*97 || as*100 < all*75 || typed*100 < as*85 {
		t.Error("the map is thinner than it was")
	}
}

func TestListsGoBeforeDatabasesGoBeforeTheMap(t *testing.T) {
	db := string(mmdbOf(map[string]map[string]any{
		"8.8.8.0/24":   {"country": map[string]any{"iso_code": "DE"}, "subdivisions": []any{map[string]any{"iso_code": "BY"}}},
		"203.1.0.0/16": {"autonomous_system_number": uint32(64500), "autonomous_system_organization": "Example Telecom", "traits": map[string]any{"user_type": "cellular"}},
		"2a00:1::/32":  {"country_code": "FR", "traits": map[string]any{"is_anonymous_vpn": true}},
		"2a00:2::/96":  {"country_code": "IT"},
	}))
	m := load(t, Config{Databases: []string{"x/geo.mmdb"}, Lists: []ListConfig{
		{File: "dc.txt", Type: "data_centre"},
		{File: "more.csv"},
		{File: "as.csv"},
		{File: "raw.csv", Columns: []string{"first", "last", "asn", "organisation"}},
	}}, map[string]string{
		"x/geo.mmdb": db,
		"dc.txt":     "# data centres\n203.1.2.0/24 ; remark\r\n\n203.1.3.4\n203.1.9.250-203.1.10.5\n2a00:1:0:3::/64\n10.9.0.0/16\n",
		"more.csv":   "network,country,type\n203.1.0.0/17,CN,\n203.1.2.128/25,,vpn\n10.0.0.0/8,CN,enterprise\n",
		"as.csv":     "asn,type,country\nAS15169,cdn,\n64500,,CA\n",
		"raw.csv":    "198.18.0.0,198.18.0.255,64501,\"Bench, Inc.\"\n",
	})
	for _, c := range []struct {
		addr string
		want Net
	}{
		{"8.8.8.8", Net{Country: country("DE"), Region: Region{'B', 'Y'}, ASN: 15169, Type: taxonomy.CDN}},
		{"8.8.4.4", Net{Country: country("US"), ASN: 15169, Type: taxonomy.CDN}},
		{"203.1.2.5", Net{Country: country("CN"), ASN: 64500, Type: taxonomy.DataCentre}},
		{"203.1.2.200", Net{Country: country("CN"), ASN: 64500, Type: taxonomy.VPN}}, // the narrower network counts
		{"203.1.3.4", Net{Country: country("CN"), ASN: 64500, Type: taxonomy.DataCentre}},
		{"203.1.3.5", Net{Country: country("CN"), ASN: 64500, Type: taxonomy.Mobile}},
		{"203.1.9.249", Net{Country: country("CN"), ASN: 64500, Type: taxonomy.Mobile}},
		{"203.1.9.250", Net{Country: country("CN"), ASN: 64500, Type: taxonomy.DataCentre}},
		{"203.1.10.5", Net{Country: country("CN"), ASN: 64500, Type: taxonomy.DataCentre}},
		{"203.1.10.6", Net{Country: country("CN"), ASN: 64500, Type: taxonomy.Mobile}},
		{"203.1.200.1", Net{Country: country("CA"), ASN: 64500, Type: taxonomy.Mobile}}, // by its system
		{"10.9.1.1", Net{Country: country("CN"), Type: taxonomy.DataCentre}},
		{"10.1.1.1", Net{Country: country("CN"), Type: taxonomy.Enterprise}},
		{"198.18.0.7", Net{ASN: 64501, Type: taxonomy.Reserved}},
		{"2a00:1:0:3::9", Net{Country: country("FR"), Type: taxonomy.DataCentre}},
		{"2a00:1:0:4::9", Net{Country: country("FR"), Type: taxonomy.VPN}},
	} {
		got := m.Lookup(addr(c.addr))
		if strings.HasPrefix(c.addr, "2a00:1:") || c.addr == "203.1.200.1" {
			got.ASN, c.want.ASN = 0, 0 // the map may know who has it today
		}
		if got != c.want {
			t.Errorf("%s: %s/%s AS%d %s, want %s/%s AS%d %s", c.addr, got.Country, got.Region, got.ASN, got.Type, c.want.Country, c.want.Region, c.want.ASN, c.want.Type)
		}
	}
	if m.Org(64500) != "Example Telecom" || m.Org(64501) != "Bench, Inc." {
		t.Errorf("names %q %q", m.Org(64500), m.Org(64501))
	}
	var got []string
	for _, s := range m.Sources() {
		got = append(got, fmt.Sprint(s.Name, " ", s.Kind, " ", s.Entries, " ", s.Skipped, " ", s.Built))
	}
	want := []string{"dc.txt list 5 0 ", "more.csv list 3 0 ", "as.csv systems 2 0 ", "raw.csv list 1 0 ", "geo.mmdb database 4 1 2023-11-14", "xiezhi base map base 0 0 2026-06-17"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources:\n%s", diff)
	}
}

func TestSnapshotID(t *testing.T) {
	f := map[string]string{"a.txt": "203.1.2.0/24\n", "b/a.txt": "203.1.2.0/24\n", "c.txt": "203.1.3.0/24\n"}
	base := Default().ID()
	if len(base) != 16 || base != Default().ID() {
		t.Fatalf("id %q", base)
	}
	one := load(t, Config{Lists: []ListConfig{{File: "a.txt", Type: "vpn"}}}, f).ID()
	seen := map[string]string{base: "base"}
	for name, c := range map[string]Config{
		"list":       {Lists: []ListConfig{{File: "a.txt", Type: "vpn"}}},
		"other type": {Lists: []ListConfig{{File: "a.txt", Type: "tor"}}},
		"other list": {Lists: []ListConfig{{File: "c.txt", Type: "vpn"}}},
		"two":        {Lists: []ListConfig{{File: "a.txt", Type: "vpn"}, {File: "c.txt", Type: "vpn"}}},
		"no base":    {NoBase: true, Lists: []ListConfig{{File: "a.txt", Type: "vpn"}}},
	} {
		id := load(t, c, f).ID()
		if other, dup := seen[id]; dup {
			t.Errorf("%s and %s have the id %s", name, other, id)
		}
		seen[id] = name
	}
	if id := load(t, Config{Lists: []ListConfig{{File: "b/a.txt", Type: "vpn"}}}, f).ID(); id != one {
		t.Error("the id depends on where a file lies")
	}
	if id := load(t, Config{NoBase: true}, nil).ID(); id != "" {
		t.Errorf("a map of nothing has the id %q", id)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for _, c := range []struct {
		conf ListConfig
		text string
		want string
	}{
		{ListConfig{File: "x.txt", Type: "vpn"}, "10.0.0.0/8\nhello\n", `x.txt:2: "hello" is neither an address nor a network like 10.0.0.0/8`},
		{ListConfig{File: "x.txt", Type: "vpn"}, "10.0.0.1/8\n", "x.txt:1: 10.0.0.1/8 has bits behind its length; write 10.0.0.0/8"},
		{ListConfig{File: "x.txt", Type: "vpn"}, "10.0.0.9-10.0.0.1\n", `x.txt:1: "10.0.0.9" to "10.0.0.1" is no range of addresses`},
		{ListConfig{File: "x.txt", Type: "vpn"}, "\n\n10.0.0.0/33", "x.txt:3: "},
		{ListConfig{File: "x.txt", Type: "vpn"}, strings.Repeat("1", MaxLine+1), "x.txt:1: the line has more than 4096 characters"},
		{ListConfig{File: "x.txt"}, "10.0.0.0/8\n", "x.txt: a plain list says nothing of its networks"},
		{ListConfig{File: "x.txt", Type: "residential"}, "", `lists[0]: type "residential" is unknown; one of [data_centre`},
		{ListConfig{File: "x.txt", Country: "China"}, "", `lists[0]: country "China" is no code of two letters`},
		{ListConfig{Type: "vpn"}, "", "lists[0]: name a file"},
		{ListConfig{File: "x.csv"}, "network,colour\n", `x.csv:1: column "colour" is unknown`},
		{ListConfig{File: "x.csv"}, "country,type\n", "x.csv:1: there is no column network"},
		{ListConfig{File: "x.csv"}, "network,country\n10.0.0.0/8,C1\n", `x.csv:2: country "C1" is no code`},
		{ListConfig{File: "x.csv"}, "network,type\n10.0.0.0/8,vpn\n10.1.0.0/16,house\n", `x.csv:3: type "house" is unknown`},
		{ListConfig{File: "x.csv"}, "network,asn\n10.0.0.0/8,ASX\n", `x.csv:2: asn "ASX" is no number`},
		{ListConfig{File: "x.csv"}, "network,type\n\"10.0.0.0/8,vpn\n", "x.csv:"},
		{ListConfig{File: "x.csv"}, "asn,type\n,vpn\n", "x.csv:2: no number of an autonomous system"},
		{ListConfig{File: "x.csv"}, "", "x.csv:1: the file is empty"},
		{ListConfig{File: "x.csv", Columns: []string{"first", "type"}}, "", "lists[0]: columns: networks stand in a column network, or in two, first and last"},
		{ListConfig{File: "gone.txt", Type: "vpn"}, "", "gone.txt"},
	} {
		_, err := Load(Config{NoBase: true, Lists: []ListConfig{c.conf}}, files(map[string]string{"x.txt": c.text, "x.csv": c.text}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v %.40q: %v, want %s", c.conf, c.text, err, c.want)
		}
	}
	for text, want := range map[string]string{
		"":                   "x.mmdb: this is no MMDB file",
		"not an mmdb at all": "x.mmdb: this is no MMDB file",
		string(mmdbOf(map[string]map[string]any{"10.0.0.0/8": {"city": "x"}})): "x.mmdb: the database knows neither countries",
	} {
		_, err := Load(Config{NoBase: true, Databases: []string{"x.mmdb"}}, files(map[string]string{"x.mmdb": text}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	many := make([]string, MaxFiles+1)
	for i := range many {
		many[i] = "a"
	}
	if err := (&Config{Databases: many}).Check(); err == nil {
		t.Error("no cap on files")
	}
	if _, err := slurp(files(map[string]string{"a": "12345"}), "a", 4); err == nil {
		t.Error("no cap on bytes")
	}
	if _, err := Load(Config{Databases: []string{"gone"}}, files(nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	m := load(t, Config{Lists: []ListConfig{{File: "a.txt", Type: "vpn"}}}, map[string]string{"a.txt": "203.1.2.0/24\n"})
	list := []netip.Addr{addr("203.1.2.1"), addr("8.8.8.8"), addr("2606:4700:4700::1111"), addr("10.0.0.1")}
	_ = m.Lookup(list[1])
	if n := testing.AllocsPerRun(100, func() {
		for _, a := range list {
			_ = m.Lookup(a)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A database over the map gives what looking in both gives.
func TestOverlayIsBothLooks(t *testing.T) {
	m, base := Default(), Default()
	_ = base.Check()
	r := rand.New(rand.NewPCG(3, 4))
	nets := map[string]map[string]any{}
	for range 300 {
		bits := 8 + r.IntN(17)
		p, _ := netip.AddrFrom4([4]byte{byte(1 + r.IntN(9)), byte(r.Uint32()), byte(r.Uint32()), 0}).Prefix(bits)
		nest := false
		for text := range nets {
			nest = nest || netip.MustParsePrefix(text).Overlaps(p)
		}
		if !nest {
			nets[p.String()] = map[string]any{"country_code": []string{"DE", "FR", "CN"}[r.IntN(3)]}
		}
	}
	own, _, err := m.database(mmdbOf(nets))
	if err != nil {
		t.Fatal(err)
	}
	m.own = own
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	for range 20000 {
		a := netip.AddrFrom4([4]byte{byte(1 + r.IntN(12)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
		if reserved(a) {
			continue
		}
		want := base.Lookup(a)
		for text, rec := range nets {
			if netip.MustParsePrefix(text).Contains(a) {
				want.Country, want.Region = country(rec["country_code"].(string)), Region{}
			}
		}
		if got := m.Lookup(a); got != want {
			t.Fatalf("%s: %+v, want %+v", a, got, want)
		}
	}
}

// Real lists of the formats that operators have, when the corpora are there.
func TestForeignLists(t *testing.T) {
	names, _ := filepath.Glob("../../../shared/corpora/intel/*")
	if len(names) == 0 {
		t.Skip("no ../shared/corpora/intel")
	}
	for _, name := range names {
		if _, err := Load(Config{NoBase: true, Lists: []ListConfig{{File: name, Type: "data_centre"}}}, func(n string) (io.ReadCloser, error) { return os.Open(n) }); err != nil {
			t.Error(err)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte("10.0.0.0/8\n203.1.2.3-203.1.4.5 # x\n::/0"), true)
	f.Add([]byte("network,country,type\n10.0.0.0/8,CN,vpn\n"), false)
	f.Add([]byte("first,last,asn,region\n0.0.0.1,255.255.255.254,AS1,BY\n\"::\",ffff::,2,"), false)
	f.Add([]byte("asn,type\n1,cdn"), false)
	f.Fuzz(func(t *testing.T, data []byte, text bool) {
		name := "x.csv"
		if text {
			name = "x.txt"
		}
		m, err := Load(Config{NoBase: true, Lists: []ListConfig{{File: name, Type: "vpn"}}}, files(map[string]string{name: string(data)}))
		if err != nil {
			if !strings.HasPrefix(err.Error(), name+":") {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		_ = m.Lookup(addr("10.1.2.3"))
		_ = m.Lookup(addr("2001:db8::1"))
	})
}

func FuzzMMDB(f *testing.F) {
	f.Add(mmdbOf(map[string]map[string]any{"203.1.0.0/16": {"country_code": "CN"}, "2a00::/16": {"asn": "AS1", "traits": map[string]any{"is_tor_exit_node": true}}}))
	f.Add([]byte("\xab\xcd\xefMaxMind.com"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Load(Config{NoBase: true, Databases: []string{"x"}}, files(map[string]string{"x": string(data)}))
		if err == nil {
			_ = m.Lookup(addr("203.1.2.3"))
			_ = m.Lookup(addr("2a00::1"))
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	m := load(b, Config{Lists: []ListConfig{{File: "a.txt", Type: "vpn"}}}, map[string]string{"a.txt": "203.1.2.0/24\n198.41.0.0/16\n2a00::/16\n"})
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name string
		make func() netip.Addr
	}{
		{"v4", func() netip.Addr {
			return netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
		}},
		{"v6", func() netip.Addr {
			return netip.AddrFrom16([16]byte{0x24 + byte(r.IntN(7)), byte(r.IntN(16)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
		}},
	} {
		list := make([]netip.Addr, 1<<14)
		for i := range list {
			list[i] = c.make()
		}
		_ = m.Check()
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				_ = m.Lookup(list[i&(1<<14-1)])
				i++
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := Default().Check(); err != nil {
			b.Fatal(err)
		}
	}
}
