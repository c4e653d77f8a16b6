package engine

import (
	"cmp"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/judge"
	"xiezhi/internal/policy"
	"xiezhi/internal/redact"
	"xiezhi/internal/rule"
)

// RuleHit is what one rule met on one API.
type RuleHit struct {
	Rule     string   `json:"rule"`
	Site     string   `json:"site"`
	Host     string   `json:"host"`
	Method   string   `json:"method"`
	Template string   `json:"template"`
	Eligible uint64   `json:"eligible"` // exchanges that could fire
	Fired    uint64   `json:"fired"`
	Examples []string `json:"examples"` // ids of exchanges
}

// ruleHits sums up the sites: most hits first.
func ruleHits(results []judge.Result) []RuleHit {
	var out []RuleHit
	for i := range results {
		apis := map[catalog.Handle]*catalog.API{}
		for _, a := range results[i].APIs {
			apis[a.Handle] = a
		}
		for _, h := range results[i].Hits {
			if a := apis[h.API]; a != nil {
				out = append(out, RuleHit{h.Rule, a.Site, a.Host, a.Method, a.Template, h.Eligible, h.Fired, h.Examples})
			}
		}
	}
	slices.SortFunc(out, func(a, b RuleHit) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(b.Fired, a.Fired), cmp.Compare(a.Site, b.Site), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Template, b.Template))
	})
	return out
}

// CheckRules compiles the rules of files, and gives how many there are.
func CheckRules(files ...*policy.File) (int, error) {
	s, err := rule.Compile(redact.New([32]byte{}), rule.Packs(files...)...)
	if err != nil {
		return 0, err
	}
	return len(s.Rules()), nil
}
