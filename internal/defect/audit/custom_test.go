package audit_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/defect/audit"
	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/redact"
	"xiezhi/internal/rule"
	"xiezhi/internal/taxonomy"
)

const pack = `version: 1
rules:
  - id: debug-parameter
    title: {zh: 接受调试参数, en: Debug parameter accepted}
    advice: {zh: 关闭调试, en: Switch debugging off}
    scope: {template: /api/**}
    given: request.params.exists(p, p.name == "debug")
    when: response.outcome == "success"
    minimum: 3
    harm: high
    exploitability: critical
    cwe: [CWE-489]
  - id: broken
    title: {zh: 坏规则, en: Broken}
    advice: {zh: 修好, en: Mend it}
    scope: {method: PUT}
    when: request.segments[31].text == "x"
    harm: moderate
`

func compiled(t testing.TB, text string) *rule.Set {
	t.Helper()
	f, err := policy.Parse("pack.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := rule.Compile(redact.New([32]byte{1}), nil, rule.Packs(f)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) auditedBy(t testing.TB, set *rule.Set) (*audit.Auditor, []defect.Finding) {
	t.Helper()
	a := audit.New(audit.Config{Messages: texts(t), Custom: set})
	for i := range s.events {
		a.Observe(&s.events[i])
	}
	return a, slices.DeleteFunc(a.Findings(s), func(f defect.Finding) bool { return f.Kind != taxonomy.DefectCustom })
}

func TestCustom(t *testing.T) {
	set := compiled(t, pack)
	debug := param(observe.InQuery, "debug", "1", taxonomy.NotSensitive)
	for name, c := range map[string]struct {
		fill func(s *site)
		want string
	}{
		"fires":        {func(s *site) { times(12, func(i int) { s.do("GET /api/a", source(i), debug) }) }, "custom:confirmed"},
		"too few":      {func(s *site) { times(2, func(i int) { s.do("GET /api/a", source(i), debug) }) }, ""},
		"out of scope": {func(s *site) { times(12, func(i int) { s.do("GET /web/a", source(i), debug) }) }, ""},
		"not given":    {func(s *site) { times(12, func(i int) { s.do("GET /api/a", source(i)) }) }, ""},
		"refused": {func(s *site) {
			times(12, func(i int) { s.do("GET /api/a", debug, answer(403, catalog.OutcomeDenied)) })
		}, ""},
		"fails, is silent": {func(s *site) { times(12, func(i int) { s.do("PUT /web/a", source(i)) }) }, ""},
	} {
		s := newSite()
		c.fill(s)
		a, fs := s.auditedBy(t, set)
		if got := kinds(fs); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		for _, f := range fs {
			if f.Component != "debug-parameter" || f.Harm != taxonomy.High || f.Exploitability != taxonomy.Critical || f.Advice.Zh != "关闭调试" || !slices.Equal(f.CWE, []string{"CWE-489"}) || len(f.Evidence) == 0 {
				t.Errorf("%s: %+v", name, f)
			}
		}
		failed := uint64(0)
		for _, n := range a.Counters() {
			if n.What == "defect.custom.failed" {
				failed = n.Count
			}
		}
		if want := uint64(0); name == "fails, is silent" && failed != 12 || name != "fails, is silent" && failed != want {
			t.Errorf("%s: %d evaluations failed", name, failed)
		}
	}
}

// A mended rule is proven by requests that could have fired, and by those only.
func TestCustomRepair(t *testing.T) {
	set := compiled(t, pack)
	for name, c := range map[string]struct {
		after []option
		want  taxonomy.DefectStatus
	}{
		"mended":      {[]option{param(observe.InQuery, "debug", "1", 0), answer(403, catalog.OutcomeDenied)}, taxonomy.Fixed},
		"kept":        {[]option{param(observe.InQuery, "debug", "1", 0)}, taxonomy.Established},
		"never asked": {nil, taxonomy.Established},
	} {
		s := newSite()
		for day := range 40 {
			opts := []option{param(observe.InQuery, "debug", "1", 0)}
			if day >= 20 {
				opts = c.after
			}
			times(12, func(i int) {
				s.now += int64(2*time.Hour) - int64(time.Second)
				s.do("GET /api/a", append([]option{source(i)}, opts...)...)
			})
		}
		if _, fs := s.auditedBy(t, set); len(fs) != 1 || fs[0].Status != c.want {
			t.Errorf("%s: %s, want %s", name, kinds(fs), c.want)
		}
	}
}

// Traffic that no rule is about costs a look at a table.
func BenchmarkCustomOutOfScope(b *testing.B) {
	s := newSite()
	times(1000, func(i int) { s.do(fmt.Sprintf("GET /web%d", i%40), source(i%300)) })
	a := audit.New(audit.Config{Messages: texts(b), Custom: compiled(b, pack)})
	for i := range s.events {
		a.Observe(&s.events[i])
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		a.Observe(&s.events[i])
		if i++; i == len(s.events) {
			i = 0
		}
	}
}
