package rule_test

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/redact"
	"xiezhi/internal/rule"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

var key = redact.New([32]byte{7})

const head = "version: 1\nrules:\n  - id: r\n    title: {zh: 题, en: t}\n    advice: {zh: 议, en: a}\n    harm: high\n"

func compile(text string) (*rule.Set, error) {
	f, err := policy.Parse("pack.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	return rule.Compile(key, nil, rule.Pack{Name: "pack.yaml", Rules: f.Rules})
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func one(t testing.TB, when string) *rule.Rule {
	t.Helper()
	s, err := compile(head + "    when: " + quoted(when) + "\n")
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	return s.Rules()[0]
}

// view is an exchange with something of everything.
func view() *rule.View {
	phone := key.TokenFold(sensitive.Canonical(nil, taxonomy.SensCNMobile, []byte("13800138000")))
	o := &observe.Observation{Method: "POST", Host: "shop.example", Status: 200, ReqKind: observe.BodyJSON, RespKind: observe.BodyJSON, RespBytes: 9000, Code: "0", CodeField: "code", AgentFamily: "curl", AgentTool: true,
		Segments:    []observe.Segment{{Text: "api", Class: observe.ClassWord}, {Text: "8c1f", Class: observe.ClassHex, Token: 5}},
		Params:      []observe.Param{{Name: "debug", In: observe.InQuery, Type: observe.TypeString, Class: observe.ClassWord, Token: key.TokenFoldString("true"), Len: 4, Shape: "t**e"}, {Name: "user.phone", In: observe.InJSON, Type: observe.TypeString, Sensitive: taxonomy.SensCNMobile, Token: phone, Shape: "13*******00", Len: 11}, {Name: "pin", In: observe.InJSON, Sensitive: taxonomy.SensPassword, Token: key.TokenFoldString("1234")}},
		Credentials: []observe.Credential{{Kind: observe.CredBearer, In: observe.InHeader, Name: "authorization", JWT: &observe.JWT{}}},
		Exposures:   []observe.Exposure{{Path: "data[].idCard", Type: taxonomy.SensCNResidentID, Response: true, Count: 50, Distinct: 49, Confidence: 95}},
		Leaves:      []observe.Leaf{{Path: "data[].id", Type: observe.TypeInt, Class: observe.ClassInt, Token: key.TokenFoldString("42")}},
		Internals:   []observe.Internal{{Path: "data[].salary", Kind: observe.InternalCost, Count: 3}},
		Markers:     []observe.Marker{{Rule: "component/actuator.env"}}, CORS: observe.CORSAny}
	v := &rule.View{}
	v.Fill(o)
	v.API = rule.API{Site: "shop", Host: "shop.example", Method: "POST", Template: "/api/{id}", Role: "detail"}
	v.Who.Anonymous = true
	v.Response.Outcome = "success"
	return v
}

func TestExpressions(t *testing.T) {
	v := view()
	for when, want := range map[string]rule.Verdict{
		`request.params.exists(p, p.name == "debug")`:                                                            rule.Fired,
		`request.params.exists(p, p.name == "debug" && p.where == "query" && p.is("true"))`:                      rule.Fired,
		`request.params.exists(p, p.name == "debug" && p.is("TRUE"))`:                                            rule.Fired,
		`request.params.exists(p, p.name == "debug" && p.is("false"))`:                                           rule.Quiet,
		`request.params.exists(p, p.is("138-0013-8000"))`:                                                        rule.Fired,
		`request.params.exists(p, p.is("1234"))`:                                                                 rule.Quiet, // nobody may try out passwords
		`request.params.exists(p, p.type == "cn_mobile" && p.shape.startsWith("13"))`:                            rule.Fired,
		`response.sensitive.exists(s, s.level >= 3 && !s.masked && s.count > 20)`:                                rule.Fired,
		`response.leaves.exists(l, l.path.matches("\\.id$") && l.is("42"))`:                                      rule.Fired,
		`response.status == 200 && response.code == "0" && api.role == "detail" && who.anonymous`:                rule.Fired,
		`request.segments[0].text == "api" && request.segments[1].text == "" && !request.segments[1].is("8c1f")`: rule.Fired,
		`request.credentials.exists(c, c.kind == "bearer" && c.jwt)`:                                             rule.Fired,
		`response.internals.exists(i, i.kind == "cost") && "component/actuator.env" in response.markers`:         rule.Fired,
		`response.cors == "any" && response.kind == "json" && response.bytes > 8000 && request.tool`:             rule.Fired,
		`response.file.kind == "table"`:                                                                          rule.Quiet,
		`request.segments[9].text == "x"`:                                                                        rule.Failed,
		`api.template == "/api/{id}" && true`:                                                                    rule.Fired,
		`response.outcome == "success"`:                                                                          rule.Fired,
	} {
		if got := one(t, when).Evaluate(v); got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
}

func TestGiven(t *testing.T) {
	s, err := compile(head + "    given: request.method == 'GET'\n    when: response.status == 200\n")
	if err != nil {
		t.Fatal(err)
	}
	r, v := s.Rules()[0], view()
	if got := r.Evaluate(v); got != rule.Apart {
		t.Errorf("POST: %d", got)
	}
	v.Request.Method = "GET"
	if got := r.Evaluate(v); got != rule.Fired {
		t.Errorf("GET: %d", got)
	}
	v.Response.Status = 404
	if got := r.Evaluate(v); got != rule.Quiet {
		t.Errorf("404: %d", got)
	}
}

// Errors name the place in the file, however the expression is written there.
func TestErrorsNameTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"    when: request.nope == 1\n":                                             "pack.yaml:7:18: rule r: when: undefined field 'nope'",
		"    when: 'request.nope == 1'\n":                                           "pack.yaml:7:19: ",
		"    when: |\n      response.status == 200 &&\n        request.nope == 1\n": "pack.yaml:9:16: ",
		"    when: response.status\n":                                               "pack.yaml:7:11: rule r: when: gives int",
		"    given: 1 +\n    when: true\n":                                          "pack.yaml:7:",
		"    when: response.status == 'ok'\n":                                       "no matching overload",
		"    when: secret == 1\n":                                                   "undeclared reference to 'secret'",
		"    when: request.params.exists(p, p.tok == 1u)\n":                         "undefined field 'tok'",
		"    when: request.params.exists(a, request.params.exists(b, request.params.exists(c, a.name + b.name == c.name)))\n": "steps, at most",
		"    when: [1]\n":                "an expression is a text",
		"    when: true\n    harm2: x\n": "harm2",
	} {
		if _, err := compile(head + text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s%v, want %q", text, err, want)
		}
	}
	for from, to := range map[string]string{"id: r": "id: R r", "harm: high": "harm: huge", "zh: 题, ": "", "en: a": "en: ''"} {
		if _, err := compile(strings.Replace(head, from, to, 1) + "    when: true\n"); err == nil || !strings.HasPrefix(err.Error(), "pack.yaml: ") {
			t.Errorf("%s: %v", to, err)
		}
	}
	f, _ := policy.Parse("a", []byte(head+"    when: true\n"))
	if _, err := rule.Compile(key, nil, rule.Pack{Name: "a", Rules: f.Rules}, rule.Pack{Name: "b", Rules: f.Rules}); err == nil || !strings.Contains(err.Error(), "already in a") {
		t.Errorf("twice: %v", err)
	}
}

// A rule that compiles and then goes wild is ended.
func TestCostIsBounded(t *testing.T) {
	r := one(t, `request.params.exists(a, request.params.exists(b, (a.name + b.name).matches("(x+x+)+y")))`)
	v := &rule.View{}
	o := &observe.Observation{}
	for i := range observe.MaxParams {
		o.Params = append(o.Params, observe.Param{Name: fmt.Sprint(strings.Repeat("x", 200), i)})
	}
	v.Fill(o)
	if got := r.Evaluate(v); got != rule.Costly {
		t.Errorf("%d, want %d", got, rule.Costly)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add("request.params.exists(p, p.name == \"debug\")")
	f.Add("response.sensitive.exists(s, s.level >= 3) || request.nope")
	f.Add("|\n      true")
	f.Fuzz(func(t *testing.T, when string) {
		s, err := compile(head + "    when: " + when + "\n")
		if (s == nil) == (err == nil) {
			t.Fatal(s, err)
		}
		v := view()
		for _, r := range s.Rules() {
			r.Evaluate(v)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	for name, when := range map[string]string{
		"status": `response.status == 200`,
		"param":  `request.params.exists(p, p.name == "debug" && p.is("true"))`,
		"data":   `who.anonymous && response.sensitive.exists(s, s.level >= 3 && !s.masked)`,
	} {
		b.Run(name, func(b *testing.B) {
			r, v := one(b, when), view()
			b.ReportAllocs()
			for b.Loop() {
				if r.Evaluate(v) != rule.Fired {
					b.Fatal("does not fire")
				}
			}
		})
	}
}
