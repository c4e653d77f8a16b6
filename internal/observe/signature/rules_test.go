package signature

import (
	"testing"

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
	return &Response{
		Status: status, Path: []byte(c.Path), ContentType: []byte(c.Type), Body: []byte(c.Body),
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
