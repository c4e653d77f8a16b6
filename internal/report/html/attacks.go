package html

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// kind is one method of attack in chapter 3.
type kind struct {
	ID, Scenario                 string
	Number                       int
	N, APIs                      int
	Requests, Blocked, Succeeded uint64
	People                       uint64
	Families, Roles              string
	Examples                     []example
}

// example is an attack as the page tells it.
type example struct {
	A           *report.Attack
	Anchor      string
	Where, Site string
	Reasons     []reason
	Through     []ref
	ThroughMore int
	Action      string
}

type reason struct {
	Family, Text, Observed, Expected string
	Strength                         int // 1 to 5
}

func (v *view) kinds() []kind {
	byKind := map[string][]*report.Attack{}
	for _, a := range v.counted {
		byKind[a.Kind] = append(byKind[a.Kind], a)
	}
	var out []kind
	for _, id := range slices.Sorted(maps.Keys(byKind)) {
		k := kind{ID: id}
		apis, families, roles := map[string]bool{}, map[string]int{}, map[string]uint64{}
		for _, a := range byKind[id] {
			k.Scenario = a.Scenario
			k.N++
			k.Requests, k.Blocked, k.Succeeded, k.People = k.Requests+a.Requests, k.Blocked+a.Blocked, k.Succeeded+a.Succeeded, max(k.People, a.SubjectsExposed)
			for _, x := range a.APIs {
				apis[x] = true
				if api := v.api[x]; api != nil {
					roles[api.Role] += a.Requests / uint64(len(a.APIs))
				}
			}
			seen := map[string]bool{}
			for _, r := range a.Reasons {
				if !seen[r.Family] {
					seen[r.Family] = true
					families[r.Family]++
				}
			}
		}
		k.APIs = len(apis)
		var fs []string
		for _, f := range most(families) {
			fs = append(fs, v.t("html.attacks.family_n", "family", v.name("family", f), "n", families[f]))
		}
		k.Families = strings.Join(fs, v.t("html.comma"))
		k.Roles = v.names("role", most(roles))
		out = append(out, k)
	}
	// Methods with most requests first; what is beside the four scenarios last.
	slices.SortStableFunc(out, func(a, b kind) int {
		x, y := a.Scenario == beside, b.Scenario == beside
		if x != y {
			if x {
				return 1
			}
			return -1
		}
		return cmp.Compare(b.Requests, a.Requests)
	})
	for i := range out {
		out[i].Number = i + 1
		examples := maxExamples
		if i >= fullKinds {
			examples = 1
		}
		for _, a := range byKind[out[i].ID][:min(examples, len(byKind[out[i].ID]))] {
			out[i].Examples = append(out[i].Examples, v.example(a))
		}
	}
	return out
}

// most lists keys by falling value.
func most[N cmp.Ordered](m map[string]N) []string {
	keys := slices.Sorted(maps.Keys(m))
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(m[b], m[a]) })
	return keys
}

func (v *view) example(a *report.Attack) example {
	v.detailed[a.ID] = true
	e := example{A: a, Anchor: anchor("a-", a.ID), Where: v.apiLabels(a.APIs), Site: clip(a.Site, 80), Reasons: v.reasons(a), Action: v.action(a)}
	e.Through, e.ThroughMore = v.defectRefs(a.Through)
	return e
}

func (v *view) action(a *report.Attack) string {
	return v.t("html.attacks.collateral", "action", v.name("action", a.Action.Kind), "share", share(a.Action.Collateral))
}

func (v *view) reasons(a *report.Attack) []reason {
	var out []reason
	for _, x := range a.Reasons {
		if len(out) == maxReasons {
			break
		}
		out = append(out, reason{Family: capital(v.name("family", x.Family)), Text: message.Text{Zh: x.Zh, En: x.En}.In(v.cfg.Lang),
			Observed: figure(x.Observed), Expected: figure(x.Expected), Strength: min(max(int(x.Weight+0.5), 1), 6)})
	}
	return out
}

// figure is an observed or expected value: numbers lose digits nobody reads,
// what is missing is a dash.
func figure(s string) string {
	if s == "" || s == "<nil>" {
		return "–"
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return trimZeros(f)
	}
	return clip(s, 60)
}

func trimZeros(f float64) string {
	switch {
	case f >= 100 || f <= -100:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f >= 1 || f <= -1:
		return strconv.FormatFloat(float64(int64(f*100))/100, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', 2, 64)
}

// suspicious counts the attacks that no figure includes.
func (v *view) suspicious() int {
	n := 0
	for i := range v.R.Attacks {
		if v.R.Attacks[i].Verdict == taxonomy.Suspicious.String() {
			n++
		}
	}
	return n
}
