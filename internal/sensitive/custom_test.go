package sensitive

import (
	"strings"
	"testing"

	"xiezhi/internal/taxonomy"
)

func customOf(t testing.TB, types ...CustomType) *Custom {
	t.Helper()
	c, err := NewCustom(types, strings.ToLower)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCustom(t *testing.T) {
	c := customOf(t,
		CustomType{ID: "member", Level: 2, Pattern: `VIP\d{8}`},
		CustomType{ID: "policy", Level: 3, Keys: []string{"policyNo", "保单号"}},
		CustomType{ID: "iban", Level: 3, Pattern: `[A-Z]{2}\d{2}[A-Z0-9 ]{11,35}`, Checksum: "mod97_10"},
		CustomType{ID: "staff", Level: 2, Keys: []string{"staffNo"}, Pattern: `\d{4,6}`, Min: 5})
	policy, staff := c.HintOf("policyno"), c.HintOf("staffno")
	for _, x := range []struct {
		h      Hint
		v      string
		want   string
		masked bool
	}{
		{HintNone, "VIP12345678", "custom.2.0", false},
		{HintNone, " VIP12345678 ", "custom.2.0", false},
		{HintName, "VIP12345678", "custom.2.0", false},
		{HintNone, "VIP1234567", "", false},
		{HintNone, "xVIP12345678", "", false},
		{policy, "P-77", "custom.3.0", false},
		{policy, "P-7****77", "custom.3.0", true},
		{policy, "null", "", false},
		{HintNone, "P-77", "", false},
		{c.HintOf("保单号"), "1", "custom.3.0", false},
		{HintNone, "GB82 WEST 1234 5698 7654 32", "custom.3.1", false},
		{HintNone, "GB82 WEST 1234 5698 7654 33", "", false},
		{staff, "12345", "custom.2.1", false},
		{staff, "1234", "", false},
		{staff, "VIP12345678", "", false},
	} {
		hit, ok := c.Leaf(x.h, []byte(x.v))
		got := ""
		if ok {
			got = hit.Type.String()
		}
		if got != x.want || hit.Masked != x.masked || ok && x.v[hit.Start:hit.End] != strings.TrimSpace(x.v) {
			t.Errorf("%d %q: %q %+v", x.h, x.v, got, hit)
		}
	}
	if n := c.Confidence(taxonomy.CustomSensitive(2, 0), 2, 90); n >= 50 {
		t.Errorf("two values without a key: %d", n)
	}
	if n := c.Confidence(taxonomy.CustomSensitive(3, 0), 1, 90); n != 90 {
		t.Errorf("one value under its key: %d", n)
	}
	var none *Custom
	if _, ok := none.Leaf(HintNone, []byte("x")); ok || none.Keyless() || none.HintOf("x") != HintNone {
		t.Error("no types recognise nothing")
	}
}

func TestChecksums(t *testing.T) {
	for name, values := range map[string][2][]string{
		"luhn":     {{"4111111111111111", "79927398713"}, {"4111111111111112", "7", "A"}},
		"mod11_2":  {{"11010519491231002X", "0000000218250097"}, {"110105194912310021", "X1", "1"}},
		"mod97_10": {{"GB82WEST12345698765432", "DE89370400440532013000"}, {"DE89370400440532013001", "GB82"}},
		"gs1":      {{"4006381333931", "96385074"}, {"4006381333930", "963"}},
	} {
		for _, v := range values[0] {
			if !checksums[name]([]byte(v)) {
				t.Errorf("%s %s: is valid", name, v)
			}
		}
		for _, v := range values[1] {
			if checksums[name]([]byte(v)) {
				t.Errorf("%s %s: is not valid", name, v)
			}
		}
	}
	if len(Checksums()) != len(checksums) {
		t.Error("the list of checksums is not whole")
	}
}

func TestCustomRefuses(t *testing.T) {
	for want, x := range map[string]CustomType{
		"level":             {Level: 5, Pattern: "abcd"},
		"needs keys":        {Level: 2},
		"pattern: error":    {Level: 2, Pattern: "("},
		"matches nothing":   {Level: 2, Pattern: "x*"},
		"too large":         {Level: 2, Pattern: "(a{1,100}){1,9}b"},
		"checksum":          {Level: 2, Pattern: "abcd", Checksum: "crc"},
		"min_length":        {Level: 2, Pattern: "abcd", Min: 9, Max: 8},
		"without keys":      {Level: 2, Pattern: "abc", Max: 3},
		"is empty":          {Level: 2, Keys: []string{" "}},
		"keys: at most":     {Level: 2, Keys: make([]string, 65)},
		"pattern: at most ": {Level: 2, Pattern: strings.Repeat("a", 300)},
	} {
		if _, err := NewCustom([]CustomType{x}, strings.ToLower); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", x, err, want)
		}
	}
	var many []CustomType
	for range taxonomy.CustomPerLevel + 1 {
		many = append(many, CustomType{Level: 1, Pattern: "abcd"})
	}
	if _, err := NewCustom(many, strings.ToLower); err == nil {
		t.Error("nine of one level")
	}
	if _, err := NewCustom([]CustomType{{ID: "a", Level: 1, Keys: []string{"x"}}, {ID: "b", Level: 1, Keys: []string{"X"}}}, strings.ToLower); err == nil || !strings.Contains(err.Error(), "key of a") {
		t.Errorf("one key of two types: %v", err)
	}
}

func FuzzCustom(f *testing.F) {
	c := customOf(f, CustomType{ID: "a", Level: 2, Pattern: `[A-Z]{2}\d{4,}`, Checksum: "mod97_10"}, CustomType{ID: "b", Level: 4, Keys: []string{"k"}})
	f.Add(uint8(0), []byte("GB82WEST12345698765432"))
	f.Fuzz(func(t *testing.T, h uint8, b []byte) {
		if hit, ok := c.Leaf(Hint(h), b); ok && (hit.Start < 0 || hit.End > len(b) || hit.Start >= hit.End || !hit.Type.Custom()) {
			t.Fatalf("%+v", hit)
		}
	})
}

func BenchmarkCustomLeaf(b *testing.B) {
	c := customOf(b, CustomType{ID: "member", Level: 2, Pattern: `VIP\d{8}`})
	v := []byte("a value of an ordinary leaf")
	b.ReportAllocs()
	for b.Loop() {
		c.Leaf(HintNone, v)
	}
}
