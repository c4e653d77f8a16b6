package signature

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func FuzzMatchRequest(f *testing.F) {
	s := load(f)
	for _, r := range s.Rules() {
		if r.Kind == KindAttack {
			f.Add(uint8(PartQuery), []byte(r.Cases.Match[0].Value))
		}
	}
	f.Add(uint8(PartPath), []byte("%25%32%65%u002e/%"))
	f.Fuzz(func(t *testing.T, in uint8, value []byte) {
		keep := bytes.Clone(value)
		seen := map[string]bool{}
		s.MatchRequest(RequestPart(in), value, func(r *Rule) {
			if seen[r.ID] {
				t.Fatalf("%s twice", r.ID)
			}
			if RequestPart(in)&r.in == 0 {
				t.Fatalf("%s is not for part %d", r.ID, in)
			}
			seen[r.ID] = true
		})
		if !bytes.Equal(value, keep) {
			t.Fatal("value changed")
		}
		n := 0
		s.MatchRequest(RequestPart(in), value, func(r *Rule) {
			n++
			if !seen[r.ID] {
				t.Fatalf("%s only the second time", r.ID)
			}
		})
		if n != len(seen) {
			t.Fatalf("%d, then %d matches", len(seen), n)
		}
	})
}

func FuzzMatchResponse(f *testing.F) {
	s := load(f)
	for _, r := range s.Rules() {
		if r.Kind != KindAttack {
			c := r.Cases.Match[0]
			f.Add(c.Status, []byte(c.Path), []byte(c.Type), []byte(c.Body))
		}
	}
	f.Fuzz(func(t *testing.T, status int, path, contentType, body []byte) {
		seen := map[string]bool{}
		r := &Response{Status: status, Path: path, ContentType: contentType, Body: body, Header: func(string) []byte { return path }}
		s.MatchResponse(r, func(rule *Rule, where string, excerpt []byte) {
			if len(excerpt) > maxExcerpt || where == "" {
				t.Fatalf("%s: %q, %d bytes", rule.ID, where, len(excerpt))
			}
			if where == "body" && !bytes.Contains(body, excerpt) {
				t.Fatalf("%s: the excerpt is not of the body", rule.ID)
			}
			if where == "body" && seen[rule.ID] {
				t.Fatalf("%s twice", rule.ID)
			}
			seen[rule.ID] = true
		})
	})
}

func TestMatchingDoesNotAllocate(t *testing.T) {
	s := load(t)
	n := 0
	emitRequest := func(*Rule) { n++ }
	emitResponse := func(*Rule, string, []byte) { n++ }
	attack := []byte("1%27 UNION SELECT username FROM users-- -")
	r := &Response{Status: 500, ContentType: []byte("application/json"), Body: []byte(`{"msg":"java.lang.NullPointerException: null\n\tat com.x.A.b(A.java:1)\n\tat com.x.A.b(A.java:1)"}`)}
	for name, f := range map[string]func(){
		"value":    func() { s.MatchRequest(PartJSON, prose, emitRequest) },
		"attack":   func() { s.MatchRequest(PartQuery, attack, emitRequest) },
		"response": func() { s.MatchResponse(r, emitResponse) },
	} {
		if a := testing.AllocsPerRun(200, f); a >= 1 { // a collection may empty the pool once
			t.Errorf("%s: %v allocations", name, a)
		}
	}
	if n == 0 {
		t.Error("nothing matched")
	}
}

// hang is far beyond what linear work takes on the slowest machine; quadratic
// work on these texts takes hours.
const hang = 30 * time.Second

// Values made to wake every rule cost a bounded time.
func TestHostileValueIsBounded(t *testing.T) {
	s := load(t)
	var all strings.Builder
	for _, g := range []*gate{&s.value, &s.path, &s.response} {
		for i := range g.ids {
			all.WriteString(g.texts[i] + " ")
		}
	}
	texts := map[string]string{"every literal": strings.Repeat(all.String(), 8), "one literal": strings.Repeat("' or 1", 40_000), "escapes": strings.Repeat("%2527", 50_000), "comments": strings.Repeat("union/*", 30_000)}
	for name, text := range texts {
		start := time.Now()
		s.MatchRequest(PartQuery, []byte(text), func(*Rule) {})
		s.MatchRequest(PartPath, []byte(text), func(*Rule) {})
		s.MatchResponse(&Response{Status: 500, Body: []byte(text), ContentType: []byte("text/html")}, func(*Rule, string, []byte) {})
		if d := time.Since(start); d > hang {
			t.Errorf("%s: %v", name, d)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{"%41": "A", "%u0041%U0042": "AB", "%zz%4": "%zz%4", "%u4e2d": "%u4e2d", "a%2": "a%2", "%%41": "%A", "": ""} {
		got, changed := unescape(nil, []byte(in))
		if string(got) != want || changed != (in != want) {
			t.Errorf("%q: %q, %v; want %q", in, got, changed, want)
		}
		if i := strings.IndexByte(in, '%'); changed && (i < 0 || !escaped([]byte(in[i:]))) {
			t.Errorf("%q: escaped says no", in)
		}
	}
}
