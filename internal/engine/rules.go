package engine

import (
	"cmp"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/judge"
	"xiezhi/internal/policy"
	"xiezhi/internal/redact"
	"xiezhi/internal/rule"
	"xiezhi/internal/taxonomy"
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

// TypeHit is a type of data that people defined, seen in one field of one API.
type TypeHit struct {
	Type      string `json:"type"`
	Site      string `json:"site"`
	Host      string `json:"host"`
	Method    string `json:"method"`
	Template  string `json:"template"`
	Path      string `json:"path"`
	In        string `json:"in"` // request or response
	Masked    bool   `json:"masked"`
	Exchanges uint64 `json:"exchanges"`
}

// TypeHits lists where the types that people defined were seen.
func (r *AnalyzeResult) TypeHits() []TypeHit {
	out := []TypeHit{}
	for i := range r.Report.APIs {
		a := &r.Report.APIs[i]
		for _, s := range a.Sensitive {
			if t, ok := taxonomy.ParseSensitive(s.Type); ok && t.Custom() {
				out = append(out, TypeHit{s.Type, a.Site, a.Host, a.Method, a.Template, s.Path, s.In, s.Masked, s.Exchanges})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b TypeHit) int { return cmp.Compare(a.Type, b.Type) })
	return out
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

// CheckRules compiles the rules and types of data of files, and gives how many
// there are of each.
func CheckRules(files ...*policy.File) (rules, types int, err error) {
	_, set, err := compileRules(redact.New([32]byte{}), files)
	if err != nil {
		return 0, 0, err
	}
	return len(set.Rules()), len(set.Types().Custom.IDs()), nil
}

func compileRules(r *redact.Redactor, files []*policy.File) (*rule.Types, *rule.Set, error) {
	types, err := rule.CompileTypes(files...)
	if err != nil {
		return nil, nil, err
	}
	set, err := rule.Compile(r, types, rule.Packs(files...)...)
	return types, set, err
}

// withRules gives tools that know what people wrote: types of data, which
// observers recognise, and rules.
func (t *Tools) withRules(files []*policy.File) (*Tools, error) {
	types, set, err := compileRules(t.redactor, files)
	if err != nil {
		return nil, err
	}
	c := *t
	c.custom, c.types = set, types
	if types.Custom != nil {
		c.Messages = t.Messages.With(types.Texts())
		c.observe.Custom = types.Custom
		c.observe.Names = t.observe.Names.WithCustom(types.Custom)
	}
	return &c, nil
}
