package engine

import (
	"context"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/taxonomy"
)

// Input gives what was read and lost as of the last report, nil before there is
// one.
func (s *Service) Input() *report.Input {
	if r := s.Report(); r != nil {
		return &r.Input
	}
	return nil
}

// Networks gives the map that addresses are looked up in.
func (cfg *ServiceConfig) Networks() *intel.Map {
	if cfg.File == nil {
		return networksOf(&FileConfig{}, cfg.Tools)
	}
	return networksOf(cfg.File, cfg.Tools)
}

// DryRun is TryRules as the API tells it.
func (s *Service) DryRun(ctx context.Context, f *policy.File, how v1.RuleDryRun) (v1.DryRun, error) {
	got, err := s.TryRules(ctx, []*policy.File{f}, Trial{Since: time.Duration(how.Hours) * time.Hour, Site: how.Site, Samples: how.Limit})
	if err != nil {
		return v1.DryRun{}, err
	}
	out := v1.DryRun{Exchanges: int64(got.Exchanges), Stopped: v1.DryRunStopped(got.Stopped), OfNoApi: int64(got.OfNoAPI), Elsewhere: int64(got.Elsewhere), Rules: []v1.TriedRule{}}
	if got.Exchanges > 0 {
		out.First, out.Last = time.Unix(0, got.First).UTC(), time.Unix(0, got.Last).UTC()
	}
	for i := range got.Rules {
		out.Rules = append(out.Rules, triedRule(&got.Rules[i]))
	}
	return out, nil
}

func triedRule(r *TriedRule) v1.TriedRule {
	out := v1.TriedRule{Id: r.ID, Looked: int64(r.Looked), Apart: int64(r.Apart), Matched: int64(r.Matched), Failed: int64(r.Failed), Costly: int64(r.Costly), Further: int64(r.Further),
		Verdicts: v1.TriedVerdicts{None: int64(r.Verdicts[taxonomy.NoVerdict]), Suspicious: int64(r.Verdicts[taxonomy.Suspicious]), Likely: int64(r.Verdicts[taxonomy.Likely]),
			Confirmed: int64(r.Verdicts[taxonomy.Confirmed])},
		Apis: []v1.TriedAPI{}, Samples: []v1.TriedSample{}}
	for _, a := range r.APIs {
		out.Apis = append(out.Apis, v1.TriedAPI{Api: a.ID, Site: a.Site, Host: a.Host, Method: a.Method, Template: a.Template, Looked: int64(a.Looked), Matched: int64(a.Matched)})
	}
	for _, x := range r.Samples {
		verdict := v1.TriedSampleVerdictNone
		if x.Verdict != taxonomy.NoVerdict {
			verdict = v1.TriedSampleVerdict(x.Verdict.String())
		}
		out.Samples = append(out.Samples, v1.TriedSample{Id: x.ID, Exchange: observation.Token(observation.Exchange(x.ID)), Time: time.Unix(0, x.Time).UTC(), Site: x.Site, Api: x.API, Method: x.Method, Template: x.Template,
			Status: int(x.Status), Attack: x.Attack, Verdict: verdict, Request: list(x.Request), Response: list(x.Response)})
	}
	return out
}

// list is never absent.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
