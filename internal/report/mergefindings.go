package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// unite adds the strings of b that a lacks, in order.
func unite(a, b []string) []string {
	out := slices.Clone(a)
	if out == nil && b != nil {
		out = []string{}
	}
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// uniteSorted is unite for lists that are sorted; what is united is, too.
func uniteSorted(a, b []string) []string {
	if len(b) == 0 || slices.Equal(a, b) {
		return a
	}
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

func (m *merger) defects() []Defect {
	type state struct {
		defect Defect
		count  tally
	}
	all := map[string]*state{}
	for i, r := range m.runs {
		for _, d := range r.Defects {
			st := all[d.ID]
			if st == nil {
				all[d.ID] = &state{defect: d, count: tally{m.cluster[i]: d.Count}}
				continue
			}
			st.count.see(m.cluster[i], d.Count)
			a, b := st.defect, d // a tells, b adds
			if b.LastSeen.After(a.LastSeen) {
				a, b = b, a
			}
			a.FirstSeen = earlier(a.FirstSeen, b.FirstSeen)
			a.Confidence = max(a.Confidence, b.Confidence)
			a.ExploitedBy = uniteSorted(a.ExploitedBy, b.ExploitedBy)
			a.OWASP, a.CWE = unite(a.OWASP, b.OWASP), unite(a.CWE, b.CWE)
			if rank(b.Severity) > rank(a.Severity) && len(a.ExploitedBy) > 0 {
				a.Severity = b.Severity // an attack of another run went through it
			}
			a.Evidence = slices.Clone(a.Evidence)
			for _, e := range b.Evidence {
				if len(a.Evidence) < maxEvidence && !slices.ContainsFunc(a.Evidence, func(x Evidence) bool { return x.Exchange == e.Exchange && x.What == e.What }) {
					a.Evidence = append(a.Evidence, e)
				}
			}
			st.defect = a
		}
	}
	out := []Defect{}
	for _, st := range all {
		st.defect.Count = st.count.sum()
		out = append(out, st.defect)
	}
	return out
}

func (m *merger) attacks() []Attack {
	all := map[string]*Attack{}
	for _, r := range m.runs {
		for _, a := range r.Attacks {
			if have := all[a.ID]; have != nil {
				*have = joinAttacks(*have, a)
			} else {
				all[a.ID] = &a
			}
		}
	}
	out := []Attack{}
	for _, a := range all {
		out = append(out, *a)
	}
	return out
}

// joinAttacks joins two accounts of one attack. The one that saw more requests
// tells; the other adds.
func joinAttacks(a, b Attack) Attack {
	if cmp.Or(cmp.Compare(b.Requests, a.Requests), b.LastSeen.Compare(a.LastSeen), cmp.Compare(b.Confidence, a.Confidence)) > 0 {
		a, b = b, a
	}
	if rank(b.Verdict) > rank(a.Verdict) {
		a.Verdict = b.Verdict
	}
	a.Confidence = max(a.Confidence, b.Confidence)
	a.FirstSeen, a.LastSeen = earlier(a.FirstSeen, b.FirstSeen), later(a.LastSeen, b.LastSeen)
	a.Requests, a.Blocked, a.Succeeded = max(a.Requests, b.Requests), max(a.Blocked, b.Blocked), max(a.Succeeded, b.Succeeded)
	a.SubjectsExposed = max(a.SubjectsExposed, b.SubjectsExposed)
	a.APIs, a.Through = uniteSorted(a.APIs, b.APIs), unite(a.Through, b.Through)
	a.Actors.IPs = unite(a.Actors.IPs, b.Actors.IPs)
	a.Actors.IPCount = max(a.Actors.IPCount, b.Actors.IPCount, uint64(len(a.Actors.IPs)))
	a.Actors.IPs = a.Actors.IPs[:min(maxIPs, len(a.Actors.IPs))]
	a.Actors.Accounts = max(a.Actors.Accounts, b.Actors.Accounts)
	a.Actors.joinPlaces(&b.Actors)
	a.Actors.Fingerprints = unite(a.Actors.Fingerprints, b.Actors.Fingerprints)
	a.Selector = joinSelectors(a.Selector, b.Selector)
	if rows := joinActivity(a.Activity, b.Activity); len(rows) > 0 {
		a.Activity = rows
		a.sum()
	}
	return a
}

func joinSelectors(a, b Selector) Selector {
	a.APIs = uniteSorted(a.APIs, b.APIs)
	a.From, a.To = earlier(a.From, b.From), later(a.To, b.To)
	x, y := &a.Keys, &b.Keys
	for _, k := range []struct{ to, from *[]string }{{&x.IP, &y.IP}, {&x.Prefix, &y.Prefix}, {&x.JA4, &y.JA4}, {&x.HeaderOrder, &y.HeaderOrder}, {&x.ParamShape, &y.ParamShape},
		{&x.Credential, &y.Credential}, {&x.Account, &y.Account}, {&x.Agent, &y.Agent}, {&x.Path, &y.Path}} {
		if len(*k.to) > 0 { // a key that the teller lacks does not bind, and none may be lost: it would widen
			*k.to = unite(*k.to, *k.from)
		}
	}
	return a
}

// joinActivity takes the larger of each figure by day and API: a day seen by
// two runs counts once.
func joinActivity(a, b []Activity) []Activity {
	type place struct{ day, api string }
	rows := map[place]Activity{}
	for _, x := range slices.Concat(a, b) {
		k := place{x.Day, x.API}
		y := rows[k]
		rows[k] = Activity{Day: x.Day, API: x.API, Requests: max(x.Requests, y.Requests), Blocked: max(x.Blocked, y.Blocked), Succeeded: max(x.Succeeded, y.Succeeded)}
	}
	keys := slices.SortedFunc(maps.Keys(rows), func(x, y place) int { return cmp.Or(strings.Compare(x.day, y.day), strings.Compare(x.api, y.api)) })
	out := make([]Activity, 0, len(keys))
	for _, k := range keys {
		out = append(out, rows[k])
	}
	return out
}

// sum makes an attack's figures those of its rows.
func (a *Attack) sum() {
	a.Requests, a.Blocked, a.Succeeded = 0, 0, 0
	for _, x := range a.Activity {
		a.Requests, a.Blocked, a.Succeeded = a.Requests+x.Requests, a.Blocked+x.Blocked, a.Succeeded+x.Succeeded
	}
}

// campaigns unites those of the runs; the reducer replaces them where attacks
// have signatures.
func (m *merger) campaigns() []Campaign {
	all := map[string]Campaign{}
	for _, r := range m.runs {
		for _, c := range r.Campaigns {
			if have, ok := all[c.ID]; !ok || cmp.Or(cmp.Compare(c.Requests, have.Requests), c.LastSeen.Compare(have.LastSeen)) > 0 {
				all[c.ID] = c
			}
		}
	}
	out := []Campaign{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[id])
	}
	slices.SortStableFunc(out, func(a, b Campaign) int { return cmp.Compare(b.Requests, a.Requests) })
	return out
}
