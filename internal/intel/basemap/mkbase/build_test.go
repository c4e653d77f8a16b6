package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/intel/basemap"
	"xiezhi/internal/taxonomy"
)

func stretches(t *testing.T, bits uint, text string) []stretch {
	t.Helper()
	list, err := read(strings.NewReader(text), bits)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestBuild(t *testing.T) {
	types, err := loadTypes()
	if err != nil {
		t.Fatal(err)
	}
	types.prefixes = types.prefixes[:0]
	in := &sources{
		// 1.0.0.0/16 with 1.0.128.0/17 inside it; half a /24 is left out.
		systems4:   stretches(t, 8, "16777216,16842751,16509,\"Amazon.com, Inc.\"\n16809984,16842751,64500,Example Telecom\n16908288,16908415,64501,Small\n"),
		countries4: stretches(t, 8, "16777216,16843007,US\n16842752,16908543,CN\n"),
		systems6:   stretches(t, 80, "42540766411282592856903984951653826560,42540766490510755371168322545197776895,64500,Example Telecom\n"),
	}
	data, err := build(in, types, "2026-01-02")
	if err != nil {
		t.Fatal(err)
	}
	m, err := basemap.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	show := func(s basemap.Space) (out []string) {
		for i, f := range s.First {
			r := m.Records[s.Of[i]]
			out = append(out, fmt.Sprintf("%x AS%d %s %s %s", f, m.AS[r.AS].Number, m.AS[r.AS].Name, m.Countries[r.Country], taxonomy.NetworkType(r.Type)))
		}
		return out
	}
	if diff := cmp.Diff([]string{"10000 AS16509 Amazon.com, Inc. US data_centre", "10080 AS64500 Example Telecom US broadband", "10100 AS0  CN ", "10201 AS0   "}, show(m.V4)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"20010db80000 AS64500 Example Telecom  broadband", "20010db90000 AS0   "}, show(m.V6)); diff != "" {
		t.Error(diff)
	}
}

func TestTypesOfSystems(t *testing.T) {
	types, err := loadTypes()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]taxonomy.NetworkType{
		"Some Hosting GmbH": taxonomy.DataCentre, "Acme Data Center Inc": taxonomy.DataCentre, "University of Somewhere": taxonomy.Education, "XY Telecom Ltd": taxonomy.Broadband,
		"Nordic Mobile AS": taxonomy.Mobile, "First National Bank": taxonomy.Enterprise, "Motor Works": taxonomy.Enterprise, "Jane Doe": taxonomy.UnknownNetwork,
		"Fast CDN LLC": taxonomy.CDN, "Example VPN B.V.": taxonomy.VPN, "Zscaler Nowhere": taxonomy.SharedExit,
	} {
		if got := types.of(4200000001, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := types.of(16509, "anything"); got != taxonomy.DataCentre {
		t.Errorf("AS16509 is %s", got)
	}
}
