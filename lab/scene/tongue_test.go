package scene

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"xiezhi/lab/people"
)

// TestTranslationChangesNamesOnly renames properties and leaves values alone,
// also those that look like names.
func TestTranslationChangesNamesOnly(t *testing.T) {
	tg := &tongue{keys: map[string]string{"mobile": "tel", "list": "rows", "title": "name"}}
	for in, want := range map[string]string{
		`{"mobile":"mobile","list":[{"title":"say \"title\":"}]}`: `{"tel":"mobile","rows":[{"name":"say \"title\":"}]}`,
		`{"other":"list"}`: `{"other":"list"}`,
		`<html>"list":`:    `<html>"list":`,
		`{"mobile`:         `{"mobile`,
		``:                 ``,
	} {
		if got := string(tg.translate([]byte(in))); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

// TestTeamsNameDifferently founds every trade many times: names differ from
// seed to seed, and within an application no two operations share a route nor
// two fields a name.
func TestTeamsNameDifferently(t *testing.T) {
	start := time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC)
	for kind := range trades {
		logins, words := map[string]bool{}, map[string]bool{}
		for seed := range uint64(12) {
			a := Found(seed, 0, kind, start, people.New(seed), 8)
			routes := map[string]bool{}
			for _, p := range a.APIs {
				if r := p.Method + " " + p.Template(); routes[r] {
					t.Errorf("%s %d: two operations at %s", kind, seed, r)
				} else {
					routes[r] = true
				}
				names := map[string]bool{}
				for _, f := range p.Fields {
					if f.Value == "" || names[f.Value] {
						t.Errorf("%s %d %s: field %q is empty or taken", kind, seed, p.Name, f.Value)
					}
					names[f.Value] = true
				}
			}
			logins[a.Find("login").Path] = true
			words[a.Find("login").WireName("password")] = true
		}
		if len(logins) < 6 || len(words) < 3 {
			t.Errorf("%s: %d paths of sign-in, %d words for a password", kind, len(logins), len(words))
		}
	}
}

// TestWordsHaveNames holds operations, words and texts together.
func TestWordsHaveNames(t *testing.T) {
	tg := learn(rand.New(rand.NewPCG(1, 1)))
	for w := range wires {
		if tg.words[w] == "" {
			t.Errorf("no name for %s", w)
		}
	}
	ans := CodeMsg.fail(&App{tongue: &tongue{english: true}}, 400, 7, "参数错误")
	var got struct{ Msg string }
	if err := json.Unmarshal(ans.Body, &got); err != nil || got.Msg != "Bad parameter" {
		t.Errorf("%s: %v", ans.Body, err)
	}
}
