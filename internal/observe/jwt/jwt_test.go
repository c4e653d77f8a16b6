package jwt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

func compact(header, payload, signature string) string {
	e := base64.RawURLEncoding
	return e.EncodeToString([]byte(header)) + "." + e.EncodeToString([]byte(payload)) + "." + e.EncodeToString([]byte(signature))
}

func TestParse(t *testing.T) {
	b := compact(`{"alg":"HS256","typ":"JWT","kid":"k\u0031"}`,
		`{"iss":"https://id.example","sub":"u\/1","iat":1700000000,"exp":1700003600.5,"admin":true,"realm_access":{"roles":["a","b"]},"x":null}`, "sig")
	var tok Token
	if !Parse([]byte(b), &tok) {
		t.Fatal("not a token")
	}
	if string(tok.Alg) != "HS256" || string(tok.KeyID) != "k1" || string(tok.Issuer) != "https://id.example" ||
		tok.IssuedAt != 1700000000 || tok.Expires != 1700003600 || tok.None {
		t.Errorf("%+v", tok)
	}
	var got []string
	for _, c := range tok.Claims {
		got = append(got, string(c.Name)+"="+string(c.Value))
	}
	want := "iss=https://id.example sub=u/1 iat=1700000000 exp=1700003600.5 admin=true realm_access.roles[]=a realm_access.roles[]=b x=null"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("claims\n got %s\nwant %s", s, want)
	}
}

func TestParseNone(t *testing.T) {
	var tok Token
	for _, b := range []string{compact(`{"alg":"NoNe"}`, `{}`, "x"), compact(`{"alg":"HS256"}`, `{}`, "")} {
		if !Parse([]byte(b), &tok) || !tok.None {
			t.Errorf("%s: none not seen", b)
		}
	}
	if !Parse([]byte(compact(`{"alg":"HS256"}`, `{}`, "x")), &tok) || tok.None {
		t.Error("None outlives the token")
	}
}

func TestParseRejects(t *testing.T) {
	good := compact(`{"alg":"HS256"}`, `{"a":1}`, "signature")
	var tok Token
	for name, b := range map[string]string{
		"empty": "", "two parts": strings.Join(strings.Split(good, ".")[:2], "."), "four parts": good + ".x",
		"padding": strings.Replace(good, ".", "=.", 1), "line break": good[:5] + "\n" + good[5:], "space": good + " ",
		"no alg": compact(`{"typ":"JWT"}`, `{}`, "s"), "alg not text": compact(`{"alg":5}`, `{}`, "s"),
		"alg nested": compact(`{"a":{"alg":"HS256"}}`, `{}`, "s"),
		"array":      compact(`["alg"]`, `{}`, "s"), "payload not JSON": compact(`{"alg":"HS256"}`, `hello`, "s"),
		"payload array": compact(`{"alg":"HS256"}`, `[1]`, "s"), "trailing": compact(`{"alg":"HS256"}`, `{} {}`, "s"),
		"control": compact("{\"alg\":\"HS256\"}", "{\"a\":\"\n\"}", "s"), "leading zero": compact(`{"alg":"HS256"}`, `{"a":01}`, "s"),
		"too long": compact(`{"alg":"HS256"}`, `{"a":"`+strings.Repeat("x", maxToken)+`"}`, "s"),
		"too deep": compact(`{"alg":"HS256"}`, strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40), "s"),
	} {
		if Parse([]byte(b), &tok) {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseCapsClaims(t *testing.T) {
	var p strings.Builder
	for i := range 40 {
		p.WriteString(`"c` + string(rune('a'+i%26)) + `":1,`)
	}
	var tok Token
	if !Parse([]byte(compact(`{"alg":"HS256"}`, "{"+p.String()+`"exp":7}`, "s")), &tok) {
		t.Fatal("not a token")
	}
	if len(tok.Claims) != maxClaims || tok.Dropped != 9 || tok.Expires != 7 {
		t.Errorf("%d claims, %d dropped, exp %d", len(tok.Claims), tok.Dropped, tok.Expires)
	}
}

func TestNumericDate(t *testing.T) {
	for s, want := range map[string]int64{"1700000000": 1700000000, "1700000000.9": 1700000000, "1.7e9": 1700000000,
		"1700000000000": 1700000000, "": 0, "-5": 0, "null": 0, "99999999999999999999": 0, "1e400": 0, "12x": 0, "99999999999999": 99999999999} {
		if got := numericDate([]byte(s)); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

// plain is the reading of encoding/json and encoding/base64.
func plain(b []byte) (alg string, claims map[string]any, ok bool) {
	parts := strings.Split(string(b), ".")
	if len(parts) != 3 || len(b) > maxToken || len(b) < 16 || b[0] != 'e' || strings.ContainsAny(string(b), "\r\n") {
		return "", nil, false
	}
	var doc [3][]byte
	for i, p := range parts {
		d, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil && i < 2 || i == 2 && err != nil && strings.Trim(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", nil, false
		}
		doc[i] = d
	}
	var h map[string]any
	if json.Unmarshal(doc[0], &h) != nil || json.Unmarshal(doc[1], &claims) != nil || h == nil || claims == nil {
		return "", nil, false
	}
	alg, _ = h["alg"].(string)
	// The last alg that is text counts in Parse; a map keeps the last of all.
	if bytes.Count(doc[0], []byte(`alg`)) > 1 || bytes.Contains(doc[0], []byte(`\u`)) {
		return "", claims, alg != ""
	}
	return alg, claims, alg != ""
}

func depth(b []byte) int {
	d, deepest := 0, 0
	for _, p := range bytes.Split(b, []byte(".")) {
		doc, _ := base64.RawURLEncoding.DecodeString(string(p))
		d = bytes.Count(doc, []byte("{")) + bytes.Count(doc, []byte("["))
		deepest = max(deepest, d)
	}
	return deepest
}

func FuzzParse(f *testing.F) {
	for _, s := range [][2]string{
		{`{"alg":"HS256","kid":"a"}`, `{"sub":"1","exp":1.5e9,"a":{"b":[1,{"c":null}]}}`},
		{`{"alg":"none"}`, `{"s":"\ud83d\ude00\ud800x\n"}`}, {` { "alg" : "RS256" } `, `{}`}, {`{"alg":""}`, `{"a":-0.0e+1}`},
	} {
		f.Add(s[0], s[1], "sig")
	}
	var tok Token
	f.Fuzz(func(t *testing.T, header, payload, signature string) {
		raw := []byte(header + "." + payload + "." + signature)
		Parse(raw, &tok) // any bytes at all
		b := []byte(compact(header, payload, signature))
		keep := bytes.Clone(b)
		got := Parse(b, &tok)
		if !bytes.Equal(b, keep) {
			t.Fatal("input changed")
		}
		alg, claims, want := plain(b)
		if depth(b) > maxDepth {
			return
		}
		if got != want && bytes.Count([]byte(header), []byte(`alg`)) <= 1 && !strings.Contains(header, `\u`) {
			t.Fatalf("%q %q: Parse says %v, encoding/json %v", header, payload, got, want)
		}
		if !got || !want {
			return
		}
		if alg != "" && string([]rune(string(tok.Alg))) != alg { // encoding/json replaces each byte that is no UTF-8
			t.Fatalf("alg %q, want %q", tok.Alg, alg)
		}
		last := map[string]string{}
		for _, c := range tok.Claims {
			last[string(c.Name)] = string(c.Value)
		}
		if len(tok.Claims) == maxClaims {
			return
		}
		for name, v := range claims {
			s, isText := v.(string)
			g, have := last[name]
			if !isText || strings.ContainsRune(s+name, '\ufffd') || strings.ContainsAny(payload, ".[") {
				continue // nested names may repeat a top-level one
			}
			if !have || g != s {
				t.Fatalf("claim %q: %q, want %q", name, g, s)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	src := []byte(compact(`{"alg":"HS256","typ":"JWT"}`, `{"iss":"https://id.example","sub":"1234567890","name":"ming","iat":1700000000,"exp":1700003600,"scope":"read write"}`, strings.Repeat("s", 32)))
	var tok Token
	b.ReportAllocs()
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if !Parse(src, &tok) {
			b.Fatal("not a token")
		}
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	src := []byte(compact(`{"alg":"HS256"}`, `{"sub":"1","exp":1700003600,"a":{"b":["x","y"]}}`, "s"))
	var tok Token
	if n := testing.AllocsPerRun(100, func() { Parse(src, &tok) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
