package sensor

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseTokens(t *testing.T) {
	sum := sha256.Sum256([]byte("another-secret-token"))
	hashed := "sha256:" + hex.EncodeToString(sum[:])
	tokens, err := ParseTokens("t", []byte("\ufeff# sensors\n\nweb-1 secret-token-000001 site=shop rate=200\r\nweb-1 secret-token-000002 rate=200 site=shop\nedge "+hashed+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header string
		want   Sensor
		ok     bool
	}{
		{"Bearer secret-token-000001", Sensor{"web-1", "shop", 200}, true},
		{"bearer  secret-token-000002", Sensor{"web-1", "shop", 200}, true},
		{"Bearer another-secret-token", Sensor{"edge", "", 0}, true},
		{"Bearer " + hashed, Sensor{}, false}, // the hash is no token
		{"Bearer secret-token-00000", Sensor{}, false},
		{"Bearer secret-token-0000011", Sensor{}, false},
		{"Bearer ", Sensor{}, false},
		{"Basic secret-token-000001", Sensor{}, false},
		{"secret-token-000001", Sensor{}, false},
		{"", Sensor{}, false},
		{"Bearer " + strings.Repeat("a", MaxToken+1), Sensor{}, false},
	} {
		if got, ok := tokens.Bearer(c.header); got != c.want || ok != c.ok {
			t.Errorf("%q: %+v %v, want %+v %v", c.header, got, ok, c.want, c.ok)
		}
	}
}

func TestTokenFileMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "no token in it",
		"# only words\n":                        "no token in it",
		"web\n":                                 "t:1: no token after",
		"\nw/b secret-token-000001":             "t:2: a sensor's name",
		"web short":                             "t:1: a token has 16",
		"web sécret-token-00000001":             "t:1: a token has 16",
		"web sha256:00":                         "t:1: after sha256:",
		"web sha256:" + strings.Repeat("0", 66): "t:1: after sha256:",
		"web secret-token-000001 x=y":           "t:1: after the token only",
		"web secret-token-000001 rate=0":        "t:1: rate= wants",
		"web secret-token-000001 site=":         "t:1: site= wants",
		"a secret-token-000001\nb secret-token-000001":               "t:2: the token stands",
		"a secret-token-000001 site=x\na secret-token-000002 site=y": "t:2: sensor a has another",
	} {
		_, err := ParseTokens("t", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "sécret")) {
			t.Errorf("%q: the error holds the token: %v", text, err)
		}
	}
	var many strings.Builder
	for i := range MaxTokens + 1 {
		fmt.Fprintf(&many, "s secret-token-%06d\n", i)
	}
	if _, err := ParseTokens("t", []byte(many.String())); err == nil || !strings.Contains(err.Error(), "more than 1024") {
		t.Error(err)
	}
}

func TestListenWithoutTokensStaysHome(t *testing.T) {
	for _, a := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0", "example.com:0"} {
		if l, err := Listen(t.Context(), a, nil); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: %v", a, err)
			if err == nil {
				_ = l.Close()
			}
		}
	}
	for _, a := range []string{"127.0.0.1:0", "127.1.2.3:0", "localhost:0"} {
		l, err := Listen(t.Context(), a, nil)
		if err != nil {
			t.Errorf("%s: %v", a, err)
			continue
		}
		if Exposed(l) {
			t.Errorf("%s counts as exposed", a)
		}
		_ = l.Close()
	}
	if _, err := Listen(t.Context(), "8400", nil); err == nil || !strings.Contains(err.Error(), "HOST:PORT") {
		t.Error(err)
	}
	tokens, err := ParseTokens("t", []byte("a secret-token-000001"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(t.Context(), "0.0.0.0:0", tokens)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if !Exposed(l) {
		t.Error("0.0.0.0 does not count as exposed")
	}
}

func FuzzTokens(f *testing.F) {
	f.Add([]byte("web-1 secret-token-000001 site=shop rate=200\n# x\nedge sha256:"+strings.Repeat("ab", 32)), "Bearer secret-token-000001")
	f.Add([]byte("a b c"), "")
	f.Fuzz(func(t *testing.T, data []byte, header string) {
		tokens, err := ParseTokens("t", data)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x00\x1b\n") {
				t.Fatalf("the error holds input: %q", err)
			}
			return
		}
		if s, ok := tokens.Bearer(header); ok && (!IsName(s.Name) || len(tokens.entries) == 0) {
			t.Fatalf("%q gives %+v", header, s)
		}
		for _, w := range strings.Fields(string(data)) {
			if s, ok := tokens.Lookup(w); ok && s.Name == "" {
				t.Fatalf("%q gives nobody", w)
			}
		}
	})
}
