package report

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/intel"
	"xiezhi/internal/message"
	"xiezhi/rules"
)

func mapOf(t *testing.T, csv string) *intel.Map {
	t.Helper()
	m, err := intel.Load(intel.Config{NoBase: true, Lists: []intel.ListConfig{{File: "nets.csv"}}}, func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(csv)), nil })
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestActorsHavePlaces(t *testing.T) {
	m := mapOf(t, "network,country,asn,organisation,type\n198.51.100.0/24,CN,64500,Example IDC,data_centre\n203.0.113.0/25,HK,64501,Example Mobile,mobile\n203.0.113.128/25,TW,64501,,broadband\n")
	var a Actors
	var ips []netip.Addr
	for i := range 5 {
		ips = append(ips, netip.MustParseAddr(fmt.Sprintf("198.51.100.%d", i)))
	}
	for _, s := range []string{"203.0.113.1", "203.0.113.2", "203.0.113.200", "10.0.0.1"} {
		ips = append(ips, netip.MustParseAddr(s))
	}
	a.place(m, ips)
	want := Actors{
		Countries: []CountryCount{{"CN", 5}, {"HK", 2}, {"TW", 1}},
		Types:     []TypeCount{{"data_centre", 5}, {"mobile", 2}, {"broadband", 1}, {"reserved", 1}},
		Networks:  []NetworkCount{{64500, "Example IDC", "CN", "", "data_centre", 5}, {64501, "Example Mobile", "HK", "", "mobile", 3}},
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.Where(msgs, "zh"), "地址分布：中国 5、中国香港 2、中国台湾 1；数据中心 5、移动网络 2、家庭宽带 1、…；AS64500 Example IDC 5、AS64501 Example Mobile 3"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := a.Where(msgs, "en"), "Addresses: China 5, Hong Kong SAR China 2, Taiwan 1; data centre 5, mobile network 2, home broadband 1, …; AS64500 Example IDC 5, AS64501 Example Mobile 3"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var private Actors
	if private.place(m, ips[8:]); private.Where(msgs, "en") != "" {
		t.Errorf("a private address is somewhere: %s", private.Where(msgs, "en"))
	}

	r := Report{Input: Input{Networks: snapshotOf(m)}, Attacks: []Attack{{Actors: private}}}
	if lines := r.MapLines(msgs, "en"); len(lines) > 0 {
		t.Errorf("a map nobody is on is told of: %v", lines)
	}
	r.Attacks[0].Actors = a
	if lines := r.MapLines(msgs, "en"); len(lines) != 1 || !strings.Contains(lines[0], m.ID()) || !strings.Contains(lines[0], "nets.csv") {
		t.Errorf("%v", lines)
	}
	var none Actors
	if none.place(nil, ips); none.Countries != nil || snapshotOf(nil) != nil {
		t.Error("no map knows something")
	}
}

func TestPlacesOfJoinedRuns(t *testing.T) {
	a := Actors{Countries: []CountryCount{{"CN", 5}, {"US", 1}}, Types: []TypeCount{{"vpn", 2}}, Networks: []NetworkCount{{ASN: 1, IPs: 4}}}
	b := Actors{Countries: []CountryCount{{"DE", 7}, {"CN", 3}}, Networks: []NetworkCount{{ASN: 2, IPs: 9}, {ASN: 1, IPs: 5}}}
	a.joinPlaces(&b)
	if diff := cmp.Diff(Actors{Countries: []CountryCount{{"DE", 7}, {"CN", 5}, {"US", 1}}, Types: []TypeCount{{"vpn", 2}}, Networks: []NetworkCount{{ASN: 2, IPs: 9}, {ASN: 1, IPs: 5}}}, a); diff != "" {
		t.Error(diff)
	}
	s := Snapshot{Snapshot: "0123456789abcdef"}
	if got := uniteSnapshots([]Snapshot{s}, []Snapshot{s, {Snapshot: "fedcba9876543210"}}); len(got) != 2 {
		t.Errorf("%v", got)
	}
}
