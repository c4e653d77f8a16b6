package rule

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"xiezhi/internal/observe"
	"xiezhi/internal/redact"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// environment declares what expressions can see and do: CEL's standard
// functions, and is(), which compares a value with one that the author of the
// rule already knows, by its token.
func environment(r *redact.Redactor) (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(8 << 10),
		cel.ParserRecursionLimit(64),
		cel.Types(described[Request](), described[Response](), described[API](), described[Who](), described[Segment](),
			described[Param](), described[Credential](), described[Leaf](), described[Sensitive](), described[Internal](), described[File]()),
		cel.Variable("request", cel.ObjectType("rule.Request")),
		cel.Variable("response", cel.ObjectType("rule.Response")),
		cel.Variable("api", cel.ObjectType("rule.API")),
		cel.Variable("who", cel.ObjectType("rule.Who")),
	}
	var is []cel.FunctionOpt
	for _, name := range [...]string{"Param", "Segment", "Leaf"} {
		is = append(is, cel.MemberOverload("is_"+name, []*cel.Type{cel.ObjectType("rule." + name), cel.StringType}, cel.BoolType,
			cel.BinaryBinding(func(value, text ref.Val) ref.Val {
				t, ok := value.Value().(tokened)
				s, known := text.Value().(string)
				if !ok || !known {
					return types.NoSuchOverloadErr()
				}
				token, kind := t.token()
				return types.Bool(token != 0 && token == tokenOf(r, kind, s))
			})))
	}
	return cel.NewEnv(append(opts, cel.Function("is", is...))...)
}

func described[T any]() *cel.NativeTypeDesc { return cel.NativeTypeFor[T](types.ParseStructTag("cel")) }

// tokenOf gives the token under which observe keeps a value; 0 for types whose
// values nobody may try out.
func tokenOf(r *redact.Redactor, t taxonomy.Sensitive, s string) uint64 {
	switch {
	case s == "" || len(s) > observe.MaxText || t.Level() == 4:
		return 0
	case t != taxonomy.NotSensitive:
		return r.TokenFold(sensitive.Canonical(nil, t, []byte(s)))
	}
	return r.TokenFoldString(s)
}

// sizes tells the cost model how long the lists and texts of a view are at
// most: as long as observe lets them be.
type sizes struct{}

var caps = map[string]uint64{
	"segments": observe.MaxSegments, "params": observe.MaxParams, "credentials": observe.MaxCredentials, "attacks": observe.MaxSignatures, "leaves": observe.MaxLeaves,
	"sensitive": observe.MaxExposures, "internals": observe.MaxInternals, "issued": observe.MaxCredentials, "markers": observe.MaxMarkers, "uploads": 16,
}

func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	path := n.Path()
	if len(path) == 0 {
		return nil
	}
	if max, ok := caps[path[len(path)-1]]; ok {
		return &cost.SizeEstimate{Max: max}
	}
	if n.Type().Kind() == types.StringKind {
		return &cost.SizeEstimate{Max: observe.MaxText}
	}
	return nil
}

func (sizes) EstimateCallCost(function, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	if function == "is" {
		return &cost.CallEstimate{CostEstimate: cost.Estimate{Min: 1, Max: 10}}
	}
	return nil
}
