package sensitive

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"xiezhi/internal/taxonomy"
)

// lookalikes makes values of ordinary traffic that are digits or tokens and no
// personal data.
var lookalikes = []struct {
	name string
	make func(*rand.Rand) string
}{
	{"seconds", func(r *rand.Rand) string { return fmt.Sprint(1600000000 + r.IntN(200000000)) }},
	{"milliseconds", func(r *rand.Rand) string { return fmt.Sprint(1600000000000 + r.Int64N(200000000000)) }},
	{"microseconds", func(r *rand.Rand) string { return fmt.Sprint(1600000000000000 + r.Int64N(200000000000000)) }},
	{"nanoseconds", func(r *rand.Rand) string { return fmt.Sprint(1600000000000000000 + r.Int64N(200000000000000000)) }},
	{"order yyyymmdd", func(r *rand.Rand) string {
		return fmt.Sprintf("20%02d%02d%02d%s", 18+r.IntN(9), 1+r.IntN(12), 1+r.IntN(28), digitsOf(r, 6+r.IntN(7)))
	}},
	{"order yymmdd", func(r *rand.Rand) string {
		return fmt.Sprintf("%02d%02d%02d%02d%02d%s", 18+r.IntN(9), 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), digitsOf(r, 5+r.IntN(4)))
	}},
	{"order with letters", func(r *rand.Rand) string { return textOf(r, upperLetters, 2) + "20240115" + digitsOf(r, 8) }},
	{"payment trade number", func(r *rand.Rand) string { return pick(r, []string{"4200", "2024"}) + digitsOf(r, 24) }},
	{"snowflake 2010", func(r *rand.Rand) string { return fmt.Sprint((400000000000 + r.Int64N(120000000000)) << 22) }},
	{"snowflake 2015", func(r *rand.Rand) string {
		return fmt.Sprint((250000000000+r.Int64N(110000000000))<<22 | r.Int64N(1<<22))
	}},
	{"snowflake 2020", func(r *rand.Rand) string {
		return fmt.Sprint((60000000000+r.Int64N(150000000000))<<22 | r.Int64N(1<<22))
	}},
	{"uuid", func(r *rand.Rand) string {
		return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<16), r.Int64N(1<<48))
	}},
	{"md5", func(r *rand.Rand) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) }},
	{"sha256", func(r *rand.Rand) string {
		return fmt.Sprintf("%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
	}},
	{"object id", func(r *rand.Rand) string { return fmt.Sprintf("%08x%016x", r.Uint32(), r.Uint64()) }},
	{"ulid", func(r *rand.Rand) string { return "01H" + textOf(r, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 23) }},
	{"base64", func(r *rand.Rand) string { return textOf(r, mixedText+"+/", 20+r.IntN(60)) + "==" }},
	{"nano id", func(r *rand.Rand) string { return textOf(r, mixedText+"_-", 21) }},
	{"version", func(r *rand.Rand) string {
		return fmt.Sprintf("v%d.%d.%d-rc.%d", r.IntN(20), r.IntN(100), r.IntN(1000), r.IntN(30))
	}},
	{"date and time", func(r *rand.Rand) string {
		return fmt.Sprintf("2024-%02d-%02d %02d:%02d:%02d.%06d", 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000000))
	}},
	{"decimal", func(r *rand.Rand) string { return digitsOf(r, 1+r.IntN(11)) + "." + digitsOf(r, 1+r.IntN(18)) }},
	{"file", func(r *rand.Rand) string { return "IMG_20240115_" + digitsOf(r, 6) + "@2x.png" }},
	{"package", func(r *rand.Rand) string {
		return fmt.Sprintf("@scope/pkg@%d.%d.%d", r.IntN(9), r.IntN(99), r.IntN(99))
	}},
	{"postcode and count", func(r *rand.Rand) string { return digitsOf(r, 6) + " " + digitsOf(r, 4) + " " + digitsOf(r, 3) }},
	{"isbn", func(r *rand.Rand) string {
		return "978-7-" + digitsOf(r, 3) + "-" + digitsOf(r, 5) + "-" + digitsOf(r, 1)
	}},
}

// TestLookalikes publishes how often ordinary values are taken for data by
// content alone. Kinds with a checksum may err once in ten thousand values,
// everything else that needs a form likewise.
func TestLookalikes(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	const n = 20000
	total := 0
	byKind := map[taxonomy.Sensitive]int{}
	for _, l := range lookalikes {
		wrong := map[taxonomy.Sensitive]int{}
		example := ""
		for range n {
			v := l.make(r)
			for _, h := range Scan([]byte(`{"v":"`+v+`"}`), nil) {
				wrong[h.Type]++
				byKind[h.Type]++
				example = v
			}
		}
		total += n
		if len(wrong) > 0 {
			t.Logf("%-22s %v of %d, such as %s", l.name, wrong, n, example)
		}
		if wrong[taxonomy.SensCNResidentID]+wrong[taxonomy.SensCNUSCC]+wrong[taxonomy.SensBankCard] > n/10000 {
			t.Errorf("%s: %v of %d values", l.name, wrong, n)
		}
	}
	t.Logf("all: %v of %d values", byKind, total)
	for k, c := range byKind {
		if c > total/10000 {
			t.Errorf("%v: %d of %d values", k, c, total)
		}
	}
}

// TestRandomDigits measures what no recogniser can tell apart by content:
// uniformly random numbers of the very length.
func TestRandomDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, c := range []struct {
		digits int
		kind   taxonomy.Sensitive
		limit  float64
	}{{11, taxonomy.SensCNMobile, 0.075}, {16, taxonomy.SensBankCard, 0.03}, {18, taxonomy.SensCNResidentID, 0.0001}, {19, taxonomy.SensBankCard, 0.002}} {
		const n = 50000
		wrong := 0
		for range n {
			if has(Scan([]byte(digitsOf(r, c.digits)), nil), func(h Hit) bool { return h.Type == c.kind }) {
				wrong++
			}
		}
		share := float64(wrong) / n
		t.Logf("random %d digits taken for %v: %.3f %%", c.digits, c.kind, share*100)
		if share > c.limit {
			t.Errorf("random %d digits: %.4f are %v, want at most %v", c.digits, share, c.kind, c.limit)
		}
	}
}
