package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/yamlfile"
)

// ListRules gives the rules of the owner that are in use.
func (a *API) ListRules(context.Context, v1.ListRulesRequestObject) (v1.ListRulesResponseObject, error) {
	out := v1.ListRules200JSONResponse{Items: []v1.Rule{}}
	if a.cfg.OwnRules == nil {
		return out, nil
	}
	for _, r := range a.cfg.OwnRules() {
		out.Items = append(out.Items, v1.Rule{Id: r.ID, Title: r.Title, Site: r.Scope.Site, Host: r.Scope.Host, Method: r.Scope.Method, Template: r.Scope.Template,
			Given: r.Given.Text, When: r.When.Text, Minimum: int64(r.Minimum), Harm: r.Harm, Exploitability: r.Exploit, Advice: r.Advice, Cwe: r.CWE})
	}
	return out, nil
}

// maxRuleErrors is how many lines a test of rules tells, maxErrorLine how many
// bytes of each.
const (
	maxRuleErrors = 20
	maxErrorLine  = 500
)

func cut(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// Rules are tried out one trial at a time: each takes a core for seconds.
const (
	trialsAtOnce = 1
	trialsWait   = 2
	trialSamples = 20
)

// TestRules compiles rules without using them and, where that is asked for,
// tries them out on traffic.
func (a *API) TestRules(ctx context.Context, q v1.TestRulesRequestObject) (v1.TestRulesResponseObject, error) {
	if a.cfg.TestRules == nil {
		return nil, refuse(http.StatusServiceUnavailable, "unavailable", nil)
	}
	out := v1.TestRules200JSONResponse{Rules: []string{}, Errors: []string{}}
	if yamlfile.Nested([]byte(q.Body.Yaml)) {
		return nil, wrong(field{name: "yaml", id: "nested"})
	}
	f, err := policy.Parse("rules", []byte(q.Body.Yaml))
	if err == nil {
		for _, r := range f.Rules {
			out.Rules = append(out.Rules, r.ID)
		}
		err = a.cfg.TestRules(f)
	}
	if err == nil {
		out.Ok = true
		if q.Body.DryRun.Hours > 0 {
			out.DryRun, err = a.tryRules(ctx, f, q.Body.DryRun)
		}
		return out, err
	}
	for line := range strings.Lines(err.Error()) {
		if out.Errors = append(out.Errors, report.Inert(cut(strings.TrimRight(line, "\n"), maxErrorLine))); len(out.Errors) == maxRuleErrors {
			break
		}
	}
	return out, nil
}

func (a *API) tryRules(ctx context.Context, f *policy.File, how v1.RuleDryRun) (out v1.DryRun, err error) {
	if a.cfg.TryRules == nil {
		return out, refuse(http.StatusServiceUnavailable, "unavailable", nil)
	}
	leave, err := a.trials.enter(ctx)
	if err != nil {
		return out, err
	}
	defer leave()
	how.Limit = cmp.Or(how.Limit, trialSamples)
	return a.cfg.TryRules(ctx, f, how)
}
