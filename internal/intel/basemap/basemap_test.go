package basemap

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func small() *Map {
	return &Map{Date: "2026-01-02", Countries: []string{"", "CN", "US"}, AS: []AS{{}, {Number: 64500, Name: "Example, Inc."}, {Number: 1}},
		Records: []Record{{}, {AS: 1, Country: 1, Type: 2}, {AS: 2, Country: 2}},
		V4:      Space{First: []uint64{1 << 16, 2 << 16, 1<<24 - 1}, Of: []uint32{1, 0, 2}},
		V6:      Space{First: []uint64{0x200100000000}, Of: []uint32{2}}}
}

func TestEncodeDecode(t *testing.T) {
	data, err := Encode(small())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(small(), got); diff != "" {
		t.Error(diff)
	}
	for n := range data {
		if _, err := Decode(data[:n]); err == nil {
			t.Errorf("%d of %d bytes are a map", n, len(data))
		}
	}
}

func TestTheMapThatShips(t *testing.T) {
	m, err := Decode(Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if m.Date != Date {
		t.Errorf("the map is of %s, Date says %s", m.Date, Date)
	}
	if len(m.AS) < 80000 || len(m.V4.First) < 400000 || len(m.V6.First) < 150000 || len(m.Countries) < 230 {
		t.Errorf("%d systems, %d and %d networks, %d countries", len(m.AS), len(m.V4.First), len(m.V6.First), len(m.Countries))
	}
	if len(Bytes()) > 4<<20 {
		t.Errorf("%d bytes: more than the repository should carry", len(Bytes()))
	}
}

func FuzzDecode(f *testing.F) {
	data, _ := Encode(small())
	f.Add(data)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data)
		if err != nil {
			return
		}
		if _, err := Encode(m); err != nil {
			t.Fatal(err)
		}
	})
}
