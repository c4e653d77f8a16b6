package sensitive

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"xiezhi/internal/redact"
	"xiezhi/internal/taxonomy"
)

// What an observation stores of an enumerable value: tokens (useless without
// the key), the shape, the position within its set, and whether it is
// allocated. TestStoredFieldsDoNotRestore counts the values that agree with
// the readable ones of these, with every advantage for the attacker: formats,
// segments, regions, dates and checksums are known.
const enough = 10000

type stored struct {
	shape       string
	position    uint16
	unallocated bool
}

func store(kind taxonomy.Sensitive, v string) stored {
	c := Canonical(nil, kind, []byte(v))
	_, position, unallocated, _ := Set(kind, c)
	return stored{string(redact.Shape(nil, []byte(v))), position, unallocated}
}

// shapeFits reports whether v has the shape, rune by rune.
func shapeFits(shape string, v string) bool {
	s, r := []rune(shape), []rune(v)
	if len(s) != len(r) {
		return false
	}
	for i := range s {
		if s[i] != '*' && s[i] != r[i] {
			return false
		}
	}
	return true
}

func TestStoredFieldsDoNotRestore(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))

	t.Run("phone", func(t *testing.T) {
		least := 1 << 30
		for segment := range mobileSegments {
			if !mobileSegments[segment] {
				continue
			}
			v := "1" + string([]byte{byte('0' + segment/10), byte('0' + segment%10)}) + digitsOf(r, 8)
			s := store(taxonomy.SensCNMobile, v)
			n := 0
			for prefix := range 100_000 { // 13xxxxx before the position
				p := []byte(v[:7])
				for i, x := 6, prefix; i > 1; i, x = i-1, x/10 {
					p[i] = byte('0' + x%10)
				}
				if isMobile(append(p, "0000"...)) && shapeFits(s.shape, string(p)+v[7:]) {
					n++
				}
			}
			least = min(least, n)
		}
		t.Logf("at least %d phones agree", least)
		if least < enough {
			t.Errorf("%d phones agree, want %d", least, enough)
		}
	})

	t.Run("resident", func(t *testing.T) {
		// The worst region is one with a single code (Hong Kong residents);
		// elsewhere every further county multiplies the count.
		v := "810000" + "19900307" + "001"
		v += string(residentCheck([]byte(v)))
		s := store(taxonomy.SensCNResidentID, v)
		n := 0
		for y := 1930; y <= 2020; y++ {
			for m := 1; m <= 12; m++ {
				for d := 1; d <= 31; d++ {
					c := []byte(v)
					c[6], c[7], c[8], c[9] = byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10)
					c[10], c[11], c[12], c[13] = byte('0'+m/10), byte('0'+m%10), byte('0'+d/10), byte('0'+d%10)
					c[17] = residentCheck(c)
					if validResident(c) && store(taxonomy.SensCNResidentID, string(c)) == s {
						n++
					}
				}
			}
		}
		t.Logf("%d resident IDs agree in the smallest region", n)
		if n < enough {
			t.Errorf("%d resident IDs agree, want %d", n, enough)
		}
	})

	t.Run("card", func(t *testing.T) {
		v := newCard(r)
		s := store(taxonomy.SensBankCard, v)
		n := 0
		for range 2_000_000 { // sampled: 9 digits and more are free
			c := []byte(v[:6] + digitsOf(r, len(v)-11) + v[len(v)-5:len(v)-1])
			for d := byte('0'); d <= '9'; d++ {
				if luhn(append(c, d)) && shapeFits(s.shape, string(append(c, d))) {
					n++
				}
			}
			if n > enough {
				break
			}
		}
		if n < enough {
			t.Errorf("%d cards of one issuer agree, want %d", n, enough)
		}
	})

	t.Run("plate", func(t *testing.T) {
		for _, v := range []string{"宁A12345", "宁AD12345", "宁A12345F", "京A·12345"} {
			s := store(taxonomy.SensPlateNumber, v)
			c := []rune(v)
			shape := []rune(s.shape)
			k := len(c) - 2 // known by the position
			const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
			n := 0
			var walk func(i int)
			walk = func(i int) {
				if n >= 2*enough {
					return
				}
				if i == k {
					if shapeFits(s.shape, string(c)) && isPlate(Canonical(nil, taxonomy.SensPlateNumber, []byte(string(c)))) {
						n++
					}
					return
				}
				old := c[i]
				switch {
				case shape[i] != '*':
					walk(i + 1)
				case i == 1:
					for _, x := range "ABCDE" { // the province with the fewest cities
						c[i] = x
						walk(i + 1)
					}
				case old == '·':
					walk(i + 1)
				default:
					for _, x := range alphabet {
						c[i] = x
						walk(i + 1)
					}
				}
				c[i] = old
			}
			walk(1)
			t.Logf("%s: shape %s, at least %d plates agree", v, s.shape, n)
			if n < enough {
				t.Errorf("%s: %d plates agree, want %d", v, n, enough)
			}
		}
	})
}

func TestShapesOfValuesLeakLittle(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for _, g := range generators {
		for range 200 {
			v := g.make(r)
			shape := string(redact.Shape(nil, []byte(v)))
			if i := strings.IndexByte(shape, '*'); utf8.RuneCountInString(shape[:i]) > 2 {
				t.Errorf("%q shows more than two leading characters", shape)
			}
			if i := strings.LastIndexByte(shape, '*'); utf8.RuneCountInString(shape[i+1:]) > 2 {
				t.Errorf("%q shows more than two trailing characters", shape)
			}
			if shape == v || len(shape) > redact.MaxShape {
				t.Errorf("shape %q of %q", shape, v)
			}
		}
	}
}

func TestRedactKeepsProse(t *testing.T) {
	for in, want := range map[string]string{
		"login failed for user 13812345678 at 10:20":                                                          "login failed for user 13*******78 at 10:20",
		"密码：hunter2abc，请保管":                                                                                   "密码：hu******bc，请保管",
		"order 20240115103000 of some-long-kebab-case-name":                                                   "order 20**********00 of some-long-kebab-case-name",
		"java.lang.NullPointerException at com.example.service.UserServiceImpl.find(UserServiceImpl.java:42)": "java.lang.NullPointerException at com.example.service.UserServiceImpl.find(UserServiceImpl.java:42)",
		"trace 4bf92f3577b34da6a3ce929d0e0e4736 end":                                                          "trace 4b*(28)*36 end",
		"a\u202eb\x00c\nd": "a b c\nd",
		"bad \xff byte":    "bad ? byte",
		"姓名：138****5678":   "姓名：13*******78",
	} {
		if got := string(Redact(nil, []byte(in))); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
}
