package observation

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
	"xiezhi/internal/taxonomy"
)

// TestStoredNumbersStand: rows hold these as numbers, so that a number once
// given never means something else.
func TestStoredNumbersStand(t *testing.T) {
	for n, want := range []string{"unknown", "success", "rejected", "denied", "throttled", "not_found", "invalid", "error", "redirect"} {
		if got := catalog.Outcome(n).String(); got != want {
			t.Errorf("outcome %d is %s, was %s", n, got, want)
		}
	}
	if catalog.Outcome(outcomes).String() != catalog.Outcome(outcomes-1).String() {
		t.Error("there are more outcomes than a row takes")
	}
	for n, want := range map[taxonomy.Sensitive]string{1: "password", 7: "cn_resident_id", 13: "cn_mobile", 17: "email", 31: "pseudonymous_id", 32: "custom.1.0", 63: "custom.4.7"} {
		if got := n.String(); got != want {
			t.Errorf("type %d is %s, was %s", n, got, want)
		}
	}
	if taxonomy.SensitiveCount != 64 {
		t.Errorf("%d types of sensitive data, a set has 64", taxonomy.SensitiveCount)
	}
	for n, want := range []string{"", "normal", "suspicious", "attack"} {
		if got := Verdict(n).String(); got != want {
			t.Errorf("verdict %d is %s, was %s", n, got, want)
		}
	}
	for n, want := range []string{"", "data_centre", "broadband", "mobile", "enterprise", "education", "shared_exit", "vpn", "tor", "cdn", "search_bot", "reserved"} {
		if got := taxonomy.NetworkType(n).String(); got != want {
			t.Errorf("network %d is %s, was %s", n, got, want)
		}
	}
	if c, ok := intel.ParseCountry("CN"); !ok || c != 'C'<<8|'N' {
		t.Errorf("CN is %d", c)
	}
}

func sample() Row {
	return Row{Position: Position{3, 4, 5}, Time: 1e18, Site: "a.example", API: "0a", Exchange: 1, Client: netip.MustParseAddr("192.0.2.1"), Actor: 2, Account: 3, Session: 4, Agent: 5,
		Network: taxonomy.DataCentre, Country: 'C'<<8 | 'N', Status: 404, Outcome: catalog.OutcomeNotFound, Types: SetOf(taxonomy.SensPhone, taxonomy.SensEmail), Verdict: Attack, Attack: "at"}
}

// TestKeysComeBack: the filter made of a row's key is met by the row, and by no
// row that has nothing there.
func TestKeysComeBack(t *testing.T) {
	r, none := sample(), Row{Time: 1, Outcome: catalog.OutcomeSuccess, Verdict: Normal}
	for _, d := range Dimensions() {
		n := 0
		d.Keys(&r, func(key string) {
			n++
			f, err := Filter{}.With(d, key)
			if err != nil || !f.Match(&r) || f.Match(&none) {
				t.Errorf("%s %q: %+v, %v", d, key, f, err)
			}
			if g, err := f.With(d, key); err != nil || !reflect.DeepEqual(g, f) {
				t.Errorf("%s %q twice: %+v, %v", d, key, g, err)
			}
		})
		if want := map[Dimension]int{ByType: 2}[d]; n != max(want, 1) {
			t.Errorf("%s: %d keys", d, n)
		}
		d.Keys(&none, func(key string) {
			if key != "" && d != ByOutcome && d != ByVerdict {
				t.Errorf("%s of a row without: %q", d, key)
			}
		})
		if _, err := (Filter{}).With(d, "no such thing\x00"); !errors.Is(err, ErrInvalid) && d != BySite && d != ByAPI && d != ByAttack {
			t.Errorf("%s takes anything: %v", d, err)
		}
	}
}

func TestSeriesTakesWholeSteps(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	q := SeriesQuery{Filter: Filter{From: at("2026-03-01T17:30:00Z"), To: at("2026-03-02T16:00:01Z")}, Step: Daily, Offset: 8 * time.Hour}
	got, err := q.Check()
	if err != nil || !got.From.Equal(at("2026-03-01T16:00:00Z")) || !got.To.Equal(at("2026-03-03T16:00:00Z")) || got.Steps() != 2 {
		t.Errorf("days of UTC+8: %s to %s, %v", got.From, got.To, err)
	}
}

// FuzzPlace: whatever stands behind After gives a place or ErrInvalid, and a
// place comes back as it was written.
func FuzzPlace(f *testing.F) {
	r := sample()
	f.Add(r.Place().String())
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("?")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePlace(s)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		if p.String() != s {
			t.Fatalf("%q comes back as %q", s, p.String())
		}
	})
}

// FuzzKey: whatever is asked for as an entity gives a filter that passes its
// check, or ErrInvalid.
func FuzzKey(f *testing.F) {
	r := sample()
	for _, d := range Dimensions() {
		d.Keys(&r, func(key string) { f.Add(uint8(d), key) })
	}
	f.Add(uint8(ByClient), "::ffff:192.0.2.1%a")
	f.Add(uint8(200), "")
	f.Fuzz(func(t *testing.T, d uint8, key string) {
		g, err := Filter{}.With(Dimension(d), key)
		if err == nil {
			err = g.check()
		}
		if err != nil && !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
	})
}
