package signature

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

func load(t testing.TB) *Set {
	t.Helper()
	s, err := Load(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (c Case) response() *Response {
	status := c.Status
	if status == 0 {
		status = 200
	}
	body, err := rawLiteral(c.Body) // "hex:1f8b" for what YAML cannot write
	if err != nil {
		panic(err)
	}
	return &Response{
		Status: status, Path: []byte(c.Path), ContentType: []byte(c.Type), Body: []byte(body),
		Header: func(lower string) []byte {
			for name, v := range c.Header {
				if fold(name) == lower {
					return []byte(v)
				}
			}
			return nil
		},
	}
}

func (c Case) part(r *Rule) RequestPart {
	if bit := partBits[c.In]; bit != 0 {
		return bit
	}
	for bit := PartPath; bit != 0; bit <<= 1 {
		if r.in&bit != 0 && (r.in != everyPart || bit == PartQuery) {
			return bit
		}
	}
	return PartQuery
}

// fires lists the rules that match a case.
func (s *Set) fires(r *Rule, c Case) map[string]bool {
	got := map[string]bool{}
	if r.Kind == KindAttack {
		s.MatchRequest(c.part(r), []byte(c.Value), func(r *Rule) { got[r.ID] = true })
		return got
	}
	s.MatchResponse(c.response(), func(r *Rule, where string, excerpt []byte) {
		got[r.ID] = where != "" && len(excerpt) > 0 && len(excerpt) <= maxExcerpt
	})
	return got
}

// Every rule file carries cases that must and must not match.
func TestRuleCases(t *testing.T) {
	s := load(t)
	for _, r := range s.Rules() {
		if len(r.Cases.Match) == 0 || len(r.Cases.Pass) == 0 {
			t.Errorf("%s: needs cases that match and cases that pass", r.ID)
		}
		for _, c := range r.Cases.Match {
			if !s.fires(r, c)[r.ID] {
				t.Errorf("%s: must match %+v", r.ID, c)
			}
		}
		for _, c := range r.Cases.Pass {
			if s.fires(r, c)[r.ID] {
				t.Errorf("%s: must not match %+v", r.ID, c)
			}
		}
	}
}

// What a rule says fits the taxonomy and is written in both languages.
func TestRuleTexts(t *testing.T) {
	s := load(t)
	cwe := regexp.MustCompile(`^CWE-\d+$`)
	owasp := regexp.MustCompile(`^API\d+:2023$`)
	han := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	kinds := map[string]int{}
	components := map[string]bool{}
	for _, r := range s.Rules() {
		kinds[r.Kind]++
		if r.Kind != KindAttack && taxonomy.ClassOf[taxonomy.DefectKind(r.Kind)] == "" {
			t.Errorf("%s: kind %q is not in the taxonomy", r.ID, r.Kind)
		}
		if r.Kind == string(taxonomy.DefectExposedComponent) {
			components[r.Component] = true
		}
		for _, text := range []message.Text{r.Title, r.Advice} {
			if !han(text.Zh) || han(text.En) {
				t.Errorf("%s: languages mixed in %+v", r.ID, text)
			}
		}
		if len(r.CWE) == 0 || len(r.OWASP) == 0 || r.Component == "" || r.Harm == taxonomy.Unrated {
			t.Errorf("%s: needs CWE, OWASP, component and harm", r.ID)
		}
		for _, c := range r.CWE {
			if !cwe.MatchString(c) {
				t.Errorf("%s: %q", r.ID, c)
			}
		}
		for _, o := range r.OWASP {
			if !owasp.MatchString(o) {
				t.Errorf("%s: %q", r.ID, o)
			}
		}
		if s.Rule(r.ID) != r {
			t.Errorf("%s is not found by its id", r.ID)
		}
	}
	t.Logf("%d rules, %d exposed components, by kind %v", len(s.Rules()), len(components), kinds)
	if len(components) < 170 {
		t.Errorf("%d components, want at least 170", len(components))
	}
	ids := map[string]bool{} // as findings name them: kind/component
	for _, r := range s.Rules() {
		if r.Kind != KindAttack {
			ids[r.Kind+"/"+r.Component] = true
		}
	}
	if len(ids) < 64 {
		t.Errorf("%d rule ids, want at least 64", len(ids))
	}
	if s.Rule("no.such") != nil {
		t.Error("an unknown id has a rule")
	}
}

// A path alone never matches, whatever it is.
func TestPathAloneNeverMatches(t *testing.T) {
	s := load(t)
	for _, r := range s.Rules() {
		for _, c := range r.Cases.Match {
			if c.Path == "" {
				continue
			}
			c.Body, c.Header = "<html><head><title>首页</title></head><body>Welcome</body></html>", nil
			if got := s.fires(r, c); r.Kind != KindAttack && len(got) > 0 {
				t.Errorf("%s %s: matches %v without a marker", r.ID, c.Path, got)
			}
		}
	}
}
