package redact

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func testKey(b byte) (k [32]byte) {
	for i := range k {
		k[i] = b + byte(i)
	}
	return k
}

func TestTokensDependOnKeyAndValue(t *testing.T) {
	a, again, other := New(testKey(1)), New(testKey(1)), New(testKey(2))
	v := []byte("13812345678")
	if a.Token(v) != again.Token(v) || a.Token(v) != a.TokenString(string(v)) {
		t.Error("equal key and value must give equal tokens")
	}
	if a.Token(v) == other.Token(v) || a.Token(v) == a.Token([]byte("13812345679")) {
		t.Error("another key or value must give another token")
	}
	if a.Token(nil) == 0 || a.TokenString("") != a.Token(nil) {
		t.Error("the token of nothing is a token")
	}
	seen := map[uint64]bool{}
	r := rand.New(rand.NewPCG(1, 1))
	for range 100000 {
		tok := a.Token([]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
		if tok == 0 {
			t.Fatal("token 0")
		}
		seen[tok] = true
	}
	if len(seen) < 99990 {
		t.Errorf("%d different tokens", len(seen))
	}
}

func TestTokenFold(t *testing.T) {
	r := New(testKey(1))
	for _, same := range [][]string{
		{"alice", "Alice", " ALICE\t", "\u3000alice\n"}, {"é", "É"}, {"σ", "Σ", "ς"}, {"k", "K", "\u212a"}, {"张三", " 张三 "}, {"", "  "}, {"s", "ſ", "S"},
		{strings.Repeat("x", 300), strings.Repeat("X", 300)},
	} {
		for _, s := range same[1:] {
			if r.TokenFold([]byte(s)) != r.TokenFold([]byte(same[0])) || r.TokenFoldString(s) != r.TokenFold([]byte(s)) {
				t.Errorf("%q and %q differ", s, same[0])
			}
		}
		if r.TokenFold([]byte(same[0])) != r.Token([]byte(strings.TrimSpace(same[0]))) {
			t.Errorf("TokenFold(%q) is not Token of the folded text", same[0])
		}
	}
	if r.TokenFold([]byte("alice")) == r.TokenFold([]byte("al ice")) || r.TokenFold([]byte("\xff")) == r.TokenFold([]byte("\xfe")) {
		t.Error("different texts have one token")
	}
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		once := fold(nil, b)
		if len(once) > 2*len(b) {
			t.Fatalf("fold(%q) = %q grew", b, once)
		}
		if !bytes.Equal(fold(nil, once), once) {
			t.Fatalf("fold(%q) = %q is not stable", b, once)
		}
	})
}

func TestPasswordTag(t *testing.T) {
	r := New(testKey(1))
	pw := []byte("hunter2")
	if first, again := r.PasswordTag(19000, pw), r.PasswordTag(19000, []byte("hunter2")); first != again {
		t.Error("equal passwords of one day must agree")
	}
	if r.PasswordTag(19000, pw) == r.PasswordTag(19001, pw) && r.PasswordTag(19000, pw) == r.PasswordTag(19002, pw) {
		t.Error("days can be joined")
	}
	if r.PasswordTag(19000, pw) == New(testKey(2)).PasswordTag(19000, pw) {
		t.Error("keys can be joined")
	}
	for day := range int64(2000) {
		if tag := r.PasswordTag(day, pw); tag == 0 || tag >= 1<<24 {
			t.Fatalf("tag %x of day %d", tag, day)
		}
	}
}

func TestDayTagsEqualPasswordTags(t *testing.T) {
	r := New(testKey(1))
	for day := range int64(3) {
		tags := r.DayTags(day)
		if tags.Day() != day {
			t.Errorf("day %d is %d", day, tags.Day())
		}
		for _, pw := range []string{"hunter2", "", strings.Repeat("x", 200), "hunter2"} {
			d := New(testKey(1)).DayTags(day)
			if got, want := tags.Tag([]byte(pw)), d.Tag([]byte(pw)); got != want || got == 0 {
				t.Errorf("tag of %q is %d, alone %d", pw, got, want)
			}
		}
	}
	tags, pw := r.DayTags(7), []byte("hunter2")
	if n := testing.AllocsPerRun(100, func() { tags.Tag(pw) }); n > 0 {
		t.Errorf("%v allocations per tag", n)
	}
}

func TestExternal(t *testing.T) {
	r := New(testKey(1))
	e := r.External("feed", 7)
	if len(e) != 16 || strings.Trim(e, "0123456789abcdef") != "" {
		t.Errorf("external id %q", e)
	}
	if e != r.External("feed", 7) || e == r.External("feed", 8) || e == r.External("fee", 7) || e == New(testKey(2)).External("feed", 7) {
		t.Error("external ids must depend on domain, token and key, and on nothing else")
	}
}

func TestNothingIsAllocated(t *testing.T) {
	r := New(testKey(1))
	v, long := []byte("Alice@Example.com "), bytes.Repeat([]byte("é"), 100)
	dst := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		r.Token(v)
		r.TokenString("abc")
		r.TokenFold(v)
		r.TokenFold(long)
		dst = Shape(dst[:0], v)
		dst = Shape(dst[:0], long)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestShape(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "",
		"a":                                    "*",
		"张三":                                   "**",
		"1234":                                 "****",
		"12345":                                "1****",
		"482193":                               "4****3",
		"carol105":                             "ca****05",
		"13812345678":                          "13*******78",
		" 13812345678 ":                        "13*******78",
		"欧阳修远先生好":                              "欧*****好",
		"110101199003077475":                   "11****************",
		"11010119900307747X":                   "11****************",
		"1101 0119 9003 0774 75":               "11********************",
		"a\u202ebcdefgh":                       "a******gh",
		"\x00\x01\x02abcdefg":                  "********fg",
		"\xff\xfe\xfdabcdefg":                  "********fg",
		"ab" + strings.Repeat("x", 200) + "yz": "ab*(200)*yz",
		"😀😀" + strings.Repeat("字", 200) + "😀😀": "😀😀*(200)*😀😀",
	} {
		if got := string(Shape(nil, []byte(in))); got != want {
			t.Errorf("Shape(%q) = %q, want %q", in, got, want)
		}
	}
	if got := string(Shape([]byte("x"), []byte("carol105"))); got != "xca****05" {
		t.Errorf("Shape does not append: %q", got)
	}
}

func checkShape(t interface {
	Fatalf(string, ...any)
}, b []byte) {
	s := Shape(nil, b)
	if len(s) > MaxShape || !utf8.Valid(s) {
		t.Fatalf("Shape(%q) = %q: %d bytes", b, s, len(s))
	}
	shown := 0
	for _, r := range string(s) {
		if r < ' ' || r == 0x7F || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200E || r == 0x200F || r == 0xFEFF {
			t.Fatalf("Shape(%q) = %q passes %U", b, s, r)
		}
		if r != '*' {
			shown++
		}
	}
	if i := bytes.Index(s, []byte("*(")); i >= 0 && bytes.Contains(s[i:], []byte(")*")) { // the length is no part of the value
		shown -= bytes.Index(s[i:], []byte(")*")) + 2 - 2
	}
	if shown > 4 {
		t.Fatalf("Shape(%q) = %q shows %d characters", b, s, shown)
	}
}

func TestIdeographsPrint(t *testing.T) {
	for r := rune(0x4E00); r < 0x9FF0; r++ {
		if !unicode.IsPrint(r) || unicode.Is(unicode.M, r) {
			t.Fatalf("%U does not print or does not stand alone", r)
		}
	}
}

func TestShapeShowsFourCharactersAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkShape(t, []byte(rapid.String().Draw(t, "s")))
	})
}

func FuzzShape(f *testing.F) {
	for _, s := range []string{"", "carol105", "a\u202eb*(9)*", "*(1)*(2)*", "\xff", "110101199003077475"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		checkShape(t, b)
		if got, want := string(Shape(nil, b)), string(Shape(nil, bytes.TrimSpace(b))); got != want || runes(b) != utf8.RuneCount(b) {
			t.Fatalf("%q is %q, trimmed %q", b, got, want)
		}
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

func TestKeyFile(t *testing.T) {
	key, err := GenerateKey(bytes.NewReader(bytes.Repeat([]byte{7, 9}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(FormatKey(key)), "\xef\xbb\xbf" + string(FormatKey(key)), "# comment\r\n\r\n" + strings.ReplaceAll(string(FormatKey(key)), "\n", "\r\n"),
		keyHeader + "\nBwkHCQcJBwkHCQcJBwkHCQcJBwkHCQcJBwkHCQcJBwk=\n", keyHeader + "\nBwkHCQcJBwkHCQcJBwkHCQcJBwkHCQcJBwkHCQcJBwk",
	} {
		if got, err := ParseKey([]byte(text)); err != nil || got != key {
			t.Errorf("ParseKey(%q) = %x, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                        "empty",
		"ssh-rsa AAAA":            "first line",
		keyHeader:                 "expected 1",
		keyHeader + "\nabc":       "64 hexadecimal",
		keyHeader + "\nab\ncd":    "expected 1",
		strings.Repeat("x", 5000): "5000 bytes",
		keyHeader + "\n" + strings.Repeat("0", 64): "zeros",
	} {
		_, err := ParseKey([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseKey(%.40q) = %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "AAAA") {
			t.Errorf("the error quotes the file: %v", err)
		}
	}
	if _, err := GenerateKey(zeros{}); err == nil {
		t.Error("a key of zeros was accepted")
	}
	if _, err := GenerateKey(broken{}); err == nil {
		t.Error("a key was made without entropy")
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte(keyHeader + "\n" + strings.Repeat("1", 64)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if key, err := ParseKey(b); err == nil && key == [32]byte{} {
			t.Fatal("a key of zeros was accepted")
		}
	})
}

func BenchmarkToken(b *testing.B) {
	r := New(testKey(1))
	v := []byte("13812345678")
	b.ReportAllocs()
	b.SetBytes(int64(len(v)))
	for b.Loop() {
		r.Token(v)
	}
}

func BenchmarkTokenFold(b *testing.B) {
	r := New(testKey(1))
	v := []byte(" Alice@Example.com ")
	b.ReportAllocs()
	b.SetBytes(int64(len(v)))
	for b.Loop() {
		r.TokenFold(v)
	}
}

func BenchmarkShape(b *testing.B) {
	v := []byte("13812345678")
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	b.SetBytes(int64(len(v)))
	for b.Loop() {
		dst = Shape(dst[:0], v)
	}
}

func BenchmarkPasswordTag(b *testing.B) {
	r := New(testKey(1))
	v := []byte("hunter2")
	b.ReportAllocs()
	for b.Loop() {
		r.PasswordTag(19000, v)
	}
}
