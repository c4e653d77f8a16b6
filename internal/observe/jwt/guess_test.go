package jwt

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"math/rand/v2"
	"strings"
	"testing"

	"xiezhi/rules"
)

func sign(alg string, key []byte, n int) []byte {
	newHash := map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}[alg]
	e := base64.RawURLEncoding
	input := e.EncodeToString([]byte(`{"alg":"`+alg+`","typ":"JWT"}`)) + "." +
		e.EncodeToString(fmt.Appendf(nil, `{"sub":"%d","iat":1700000000,"exp":1700003600,"role":"user"}`, n))
	m := hmac.New(newHash, key)
	m.Write([]byte(input))
	return []byte(input + "." + e.EncodeToString(m.Sum(nil)))
}

func newGuesser(t testing.TB) *Guesser {
	g, err := NewGuesser(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	g.lists.ready()
	return g
}

func TestSchedule(t *testing.T) {
	g := newGuesser(t)
	tries, reached := 0, 0
	for i, tr := range g.lists.tiers {
		n := (tr.to - tr.from + tr.slices - 1) / tr.slices
		t.Logf("tier %d: %d candidates, %d slices, %d tries", i, tr.to-tr.from, tr.slices, n)
		tries += n
		if tr.from != reached {
			t.Errorf("tier %d starts at %d, want %d", i, tr.from, reached)
		}
		reached = tr.to
	}
	if reached != len(g.lists.all) || len(g.lists.all) < 40000 {
		t.Errorf("%d of %d candidates are scheduled", reached, len(g.lists.all))
	}
	if tries > 320 {
		t.Errorf("a token costs %d HMACs, the schedule promises at most 320", tries)
	}
}

// A published default needs one token, or thirty for the rarer ones; the
// password of a common tutorial needs thirty.
func TestGuessFindsSecrets(t *testing.T) {
	g := newGuesser(t)
	for _, c := range []struct {
		alg, key, list string
		tokens         int
	}{
		{"HS256", "secret", "placeholder", 1},
		{"HS512", "abcdefghijklmnopqrstuvwxyz", "ruoyi", 1},
		{"HS384", "your-256-bit-secret", "placeholder", 1},
		{"HS256", "SecretKey012345678901234567890123456789012345678901234567890123456789", "nacos", 1},
		{"HS256", "dragon", "passwords", 60},
		{"HS256", "go-admin", "go_admin", 60},
		{"HS512", "bladexisapowerfulmicroservicearchitectureupgradedandoptimizedfromacommercialproject", "springblade", 60},
		{"HS256", "", "empty", 60},
	} {
		found := 0
		for n := range c.tokens {
			shape, list, ok := g.Guess(sign(c.alg, []byte(c.key), n))
			if !ok {
				continue
			}
			found++
			if list != c.list {
				t.Errorf("%q: list %s, want %s", c.key, list, c.list)
			}
			if len(c.key) > 8 && strings.Contains(shape, c.key[:4]) {
				t.Errorf("%q: shape %q shows the secret", c.key, shape)
			}
		}
		if found == 0 {
			t.Errorf("%s %q: not found in %d tokens", c.alg, c.key, c.tokens)
		}
	}
}

func TestGuessDecodesSecrets(t *testing.T) {
	g := newGuesser(t)
	decoded := func(s string) []byte {
		b, err := base64.RawStdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, key := range map[string][]byte{
		"nacos":        decoded("SecretKey01234567890123456789012345678901234567890123456789012345678"), // 69 characters, the last one dropped
		"nacos sample": []byte("ThisIsMyCustomSecretKey012345678"),
		"ruoyi, old Java reader drops the last two characters": decoded("abcdefghijklmnopqrstuvwx"),
	} {
		if _, _, ok := g.Guess(sign("HS256", key, 1)); !ok {
			t.Errorf("%s: not found", name)
		}
	}
}

// Every candidate is found by some token: the slices cover the lists.
func TestGuessCoversLists(t *testing.T) {
	g := newGuesser(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		c := g.lists.all[r.IntN(commonWords)]
		ok := false
		for n := 0; n < 200 && !ok; n++ {
			_, _, ok = g.Guess(sign("HS256", []byte(c.key), n))
		}
		if !ok {
			t.Errorf("%q (%s) not found in 200 tokens", c.text, c.list)
		}
	}
}

func TestGuessRejects(t *testing.T) {
	g := newGuesser(t)
	good := sign("HS256", []byte("secret"), 1)
	for name, b := range map[string][]byte{
		"strong":           sign("HS256", []byte("Zq8#kd0!2mLxx92jd,,aV"), 1),
		"signature cut":    good[:len(good)-4],
		"empty signature":  good[:strings.LastIndexByte(string(good), '.')+1],
		"payload changed":  []byte(strings.Replace(string(good), ".ey", ".fy", 1)),
		"other algorithm":  []byte(strings.Replace(string(sign("HS256", []byte("secret"), 1)), "eyJhbGciOiJIUzI1NiI", "eyJhbGciOiJSUzI1NiI", 1)),
		"not a token":      []byte("eyJhbGciOiJIUzI1NiJ9"),
		"nothing":          nil,
		"strong HS512 key": sign("HS512", []byte(strings.Repeat("kd8!", 40)), 1),
	} {
		if _, list, ok := g.Guess(b); ok {
			t.Errorf("%s: guessed from %s", name, list)
		}
	}
}

// The memo only saves work: a warm guesser and fresh clones agree, whatever
// the order.
func TestGuessIsPure(t *testing.T) {
	g := newGuesser(t)
	var tokens [][]byte
	for n := range 40 {
		tokens = append(tokens, sign("HS256", []byte("monkey"), n))
	}
	var first []string
	for _, b := range tokens {
		_, list, _ := g.Guess(b)
		first = append(first, list)
	}
	fresh := g.Clone()
	for i := len(tokens) - 1; i >= 0; i-- {
		if _, list, _ := fresh.Guess(tokens[i]); list != first[i] {
			t.Errorf("token %d: %q, before %q", i, list, first[i])
		}
		if _, list, _ := g.Guess(tokens[i]); list != first[i] {
			t.Errorf("token %d: the memo says %q, before %q", i, list, first[i])
		}
	}
}

// A token whose signature was copied from a weak one must not inherit it.
func TestGuessMemoIsByToken(t *testing.T) {
	g := newGuesser(t)
	weak, other := string(sign("HS256", []byte("secret"), 1)), string(sign("HS256", []byte("secret"), 2))
	forged := other[:strings.LastIndexByte(other, '.')] + weak[strings.LastIndexByte(weak, '.'):]
	g.Guess([]byte(weak))
	if _, _, ok := g.Guess([]byte(forged)); ok {
		t.Error("forged token taken for the weak one")
	}
}

func FuzzGuess(f *testing.F) {
	g := newGuesser(f)
	f.Add(sign("HS256", []byte("secret"), 1))
	f.Add(sign("HS512", []byte("x"), 1))
	f.Add([]byte("e..."))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, list, ok := g.Guess(b)
		if !ok {
			return
		}
		i := strings.LastIndexByte(string(b), '.')
		for _, c := range g.lists.all {
			for _, h := range []func() hash.Hash{sha256.New, sha512.New384, sha512.New} {
				m := hmac.New(h, []byte(c.key))
				m.Write(b[:i])
				if base64.RawURLEncoding.EncodeToString(m.Sum(nil)) == string(b[i+1:]) {
					return
				}
			}
		}
		t.Fatalf("guessed from %s, but no candidate verifies", list)
	})
}

func BenchmarkGuess(b *testing.B) {
	for _, alg := range []string{"HS256", "HS512"} {
		g := newGuesser(b)
		token := sign(alg, []byte("Zq8#kd0!2mLxx92jd,,aV"), 1)
		b.Run(alg+"/new", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				clear(g.memo)
				g.search(token)
			}
		})
		b.Run(alg+"/seen", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.Guess(token)
			}
		})
	}
}
