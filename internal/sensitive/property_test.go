package sensitive

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"xiezhi/internal/taxonomy"
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func digitsOf(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + r.IntN(10))
	}
	return string(b)
}

func textOf(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	upperLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	mixedText    = lowerLetters + upperLetters + "0123456789"
)

func newResident(r *rand.Rand) string {
	region := pick(r, []string{"110101", "310115", "330106", "440305", "510107", "810000", "650102"})
	b := fmt.Sprintf("%s%04d%02d%02d%03d", region, 1930+r.IntN(95), 1+r.IntN(12), 1+r.IntN(28), r.IntN(1000))
	return b + string(residentCheck([]byte(b)))
}

func newMobile(r *rand.Rand) string {
	for {
		if s := "1" + digitsOf(r, 10); isMobile([]byte(s)) {
			return s
		}
	}
}

func newCard(r *rand.Rand) string {
	s := pick(r, []string{"622202", "621700", "4", "5500", "3528", "6011", "37"})
	n := 16
	if s == "37" {
		n = 15
	} else if s[0] == '6' && s[1] == '2' && r.IntN(2) == 0 {
		n = 19
	}
	s += digitsOf(r, n-1-len(s))
	for c := byte('0'); ; c++ {
		if luhn([]byte(s + string(c))) {
			return s + string(c)
		}
	}
}

func newUSCC(r *rand.Rand) string {
	for {
		s := "91" + pick(r, []string{"310000", "330100", "440300"}) + textOf(r, usccAlphabet, 8)
		s += string(organisationCheck([]byte(s[8:16])))
		c := usccCheck([]byte(s))
		if c != 0 && strings.ContainsAny(s+string(c), upperLetters) && usccValue[s[16]] != 0 {
			return s + string(c)
		}
	}
}

func newPlate(r *rand.Rand) string {
	p := []rune(plateProvinces)
	s := string(p[r.IntN(len(p))]) + textOf(r, "ABCDEFGHJKLMN", 1)
	switch r.IntN(3) {
	case 0:
		return s + textOf(r, "ABCDEFGHJKLMNPQRSTUVWXYZ", 1) + digitsOf(r, 4)
	case 1:
		return s + pick(r, []string{"D", "F"}) + digitsOf(r, 5)
	}
	return s + digitsOf(r, 5)
}

// A generator makes a valid value of a kind that Scan knows by itself.
type generator struct {
	name string
	kind taxonomy.Sensitive
	make func(*rand.Rand) string
}

var generators = []generator{
	{"resident", taxonomy.SensCNResidentID, newResident},
	{"mobile", taxonomy.SensCNMobile, newMobile},
	{"mobile dashed", taxonomy.SensCNMobile, func(r *rand.Rand) string { m := newMobile(r); return m[:3] + "-" + m[3:7] + "-" + m[7:] }},
	{"mobile +86", taxonomy.SensCNMobile, func(r *rand.Rand) string { return "+86" + pick(r, []string{"", " ", "-"}) + newMobile(r) }},
	{"card", taxonomy.SensBankCard, newCard},
	{"uscc", taxonomy.SensCNUSCC, newUSCC},
	{"plate", taxonomy.SensPlateNumber, newPlate},
	{"email", taxonomy.SensEmail, func(r *rand.Rand) string {
		return textOf(r, lowerLetters, 1+r.IntN(9)) + pick(r, []string{"", ".", "_", "+"}) + textOf(r, mixedText, 1+r.IntN(5)) + "@" + textOf(r, lowerLetters, 3) + pick(r, []string{".com", ".cn", ".com.cn", ".io"})
	}},
	{"landline", taxonomy.SensPhone, func(r *rand.Rand) string {
		return pick(r, []string{"010-6", "021-5", "0571-8", "0755-2"}) + digitsOf(r, 7)
	}},
	{"aws", taxonomy.SensSecretKey, func(r *rand.Rand) string { return "AKIA" + textOf(r, upperLetters+"234567", 16) }},
	{"aliyun", taxonomy.SensSecretKey, func(r *rand.Rand) string { return "LTAI5tA1" + textOf(r, mixedText, 16) }},
	{"google", taxonomy.SensSecretKey, func(r *rand.Rand) string { return "AIzaSyA1b" + textOf(r, mixedText+"_-", 30) }},
	{"github", taxonomy.SensAccessToken, func(r *rand.Rand) string { return "ghp_" + textOf(r, mixedText, 36) }},
	{"gitlab", taxonomy.SensAccessToken, func(r *rand.Rand) string { return "glpat-" + textOf(r, mixedText, 20) }},
	{"stripe", taxonomy.SensSecretKey, func(r *rand.Rand) string { return "sk_live_" + textOf(r, mixedText, 24) }},
	{"slack", taxonomy.SensAccessToken, func(r *rand.Rand) string {
		return "xoxb-" + digitsOf(r, 12) + "-" + digitsOf(r, 12) + "-" + textOf(r, mixedText, 24)
	}},
	{"npm", taxonomy.SensAccessToken, func(r *rand.Rand) string { return "npm_" + textOf(r, mixedText, 36) }},
	{"sendgrid", taxonomy.SensAccessToken, func(r *rand.Rand) string {
		return "SG." + textOf(r, mixedText, 22) + "." + textOf(r, mixedText, 43)
	}},
	{"telegram", taxonomy.SensAccessToken, func(r *rand.Rand) string { return "1" + digitsOf(r, 9) + ":AA" + textOf(r, mixedText, 33) }},
}

// contexts are texts around a value.
var contexts = [][2]string{
	{`{"id":1,"v":"`, `","t":1700000000}`}, {"他的号码是", "，请记录。"}, {"", ""}, {"/api/v1/u/", "/detail?x=1"}, {"?q=", "&page=2"},
	{"abc, ", "; def"}, {"<td>", "</td>"}, {"a=1\n", "\nb=2"}, {"（", "）"}, {"[\"", "\",\"x\"]"}, {"log 2024-01-02 10:20:30 user=", " ok"},
}

func TestEveryKindIsFoundInEveryContext(t *testing.T) {
	for _, g := range generators {
		t.Run(g.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7))
				v := g.make(r)
				c := pick(r, contexts)
				text := []byte(c[0] + v + c[1])
				start, end := len(c[0]), len(c[0])+len(v)
				found := false
				for _, h := range Scan(text, nil) {
					found = found || h.Type == g.kind && h.Start == start && h.End == end && !h.Masked
				}
				if !found {
					t.Fatalf("%q is not found in %q: %v", v, text, Scan(text, nil))
				}
				if out := Redact(nil, text); bytes.Contains(out, []byte(v)) {
					t.Fatalf("Redact keeps %q: %q", v, out)
				}
			})
		})
	}
}

func TestOneChangedCheckDigitIsNoHit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7))
		g := generators[rapid.SampledFrom([]int{0, 4, 5}).Draw(t, "kind")]
		v := []byte(g.make(r))
		last := len(v) - 1
		for old := v[last]; v[last] == old; {
			v[last] = "0123456789"[r.IntN(10)]
		}
		for _, h := range Scan(append([]byte("值："), v...), nil) {
			if h.Type == g.kind {
				t.Fatalf("%s %q with a wrong check digit is a hit", g.name, v)
			}
		}
	})
}

// Where a value is one run of a token, growing it by a character ends it.
func TestBoundaries(t *testing.T) {
	for _, g := range generators {
		if strings.Contains(g.name, "email") || strings.Contains(g.name, "plate") || strings.Contains(g.name, "+86") || g.name == "slack" {
			continue
		}
		r := rand.New(rand.NewPCG(3, 4))
		for range 200 {
			v := g.make(r)
			for _, text := range []string{"z" + v, v + "Z9", "7" + v + "7"} {
				for _, h := range Scan([]byte(text), nil) {
					if h.Type == g.kind && text[h.Start:h.End] == v {
						t.Errorf("%s: %q is found inside %q", g.name, v, text)
					}
				}
			}
		}
	}
}

func TestRandomTextAgreesWithOracles(t *testing.T) {
	pieces := []string{"张三", "手机", " ", "  ", ",", "\"", ":", "：", "=", "-", "_", ".", "@", "*", "**", "****", "+86", "86", "0086", "key", "password", "token", "X", "x", "\n", "/", "(", ")", "护照", "京A", "·", "eyJ", "https://", "\\n", "%2B", "abcdefgh", "ABCDEFGHIJKLMNOPQRST", "a.com"}
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7))
		var b []byte
		for range r.IntN(14) {
			switch r.IntN(4) {
			case 0:
				b = append(b, pick(r, generators).make(r)...)
			case 1:
				b = append(b, digitsOf(r, 1+r.IntN(20))...)
			default:
				b = append(b, pick(r, pieces)...)
			}
		}
		got, want := Scan(b, nil), plainScan(b, false)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("Scan(%q) = %v, byte by byte %v", b, got, want)
		}
		got, want = ScanText(b, nil), plainScan(b, true)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("ScanText(%q) = %v, byte by byte %v", b, got, want)
		}
		for _, w := range oracleScan(b) {
			if !has(Scan(b, nil), func(h Hit) bool { return h.Start <= w.Start && h.End >= w.End }) {
				t.Fatalf("Scan(%q) lacks %v", b, w)
			}
		}
		if out := Redact(nil, b); !utf8.Valid(out) {
			t.Fatalf("Redact(%q) = %q", b, out)
		}
	})
}

func TestScanAllocatesNothing(t *testing.T) {
	text := jsonBodies(64 << 10)
	hits := make([]Hit, 0, 4096)
	leaves := [][]byte{[]byte("13812345678"), []byte("张三丰"), []byte("浙江省杭州市西湖区文三路100号"), []byte("Passw0rd!"), []byte(strings.Repeat("a1B2", 40))}
	if n := testing.AllocsPerRun(20, func() {
		hits = Scan(text, hits[:0])
		hits = ScanText(text, hits[:0])
		for h := HintNone; h < hintCount; h++ {
			for _, v := range leaves {
				hits = Leaf(h, v, hits[:0])
			}
		}
		HintOf("data.users[].phoneNumber")
		HintOf("联系人手机号")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
