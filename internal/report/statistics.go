package report

import (
	"cmp"
	"slices"
	"time"

	"xiezhi/internal/judge"
	"xiezhi/internal/taxonomy"
)

// statistics computes the source report's figures from the report's lists.
func statistics(r *Report, sites []judge.Result) Statistics {
	st := Statistics{AttackedAPIsByMonth: map[string]int{}, ScenarioShare: map[string]ScenarioCount{},
		IndustryByScenario: map[string]map[string]uint64{}, DefectsByClass: map[string]int{}, DefectRanking: []ClassRating{}}
	zone, industry := map[string]*time.Location{}, map[string]string{}
	for i := range sites {
		zone[sites[i].Site.Name] = sites[i].Site.Location
		industry[sites[i].Site.Name] = string(cmp.Or(sites[i].Site.Industry, taxonomy.IndustryOther))
	}

	type monthAPI struct{ month, api string }
	months := map[monthAPI]bool{}
	type scenarioAPI struct{ scenario, api string }
	attacked := map[scenarioAPI]bool{}
	for i := range r.Attacks {
		a := &r.Attacks[i]
		if a.Verdict == taxonomy.Confirmed.String() {
			for _, api := range a.APIs {
				for _, m := range monthsBetween(a.FirstSeen, a.LastSeen, zone[a.Site]) {
					months[monthAPI{m, api}] = true
				}
			}
		}
		if a.Verdict == taxonomy.Suspicious.String() {
			continue
		}
		sc := st.ScenarioShare[a.Scenario]
		sc.Requests += a.Requests
		for _, api := range a.APIs {
			if k := (scenarioAPI{a.Scenario, api}); !attacked[k] {
				attacked[k] = true
				sc.APIs++
			}
		}
		st.ScenarioShare[a.Scenario] = sc
		ind := cmp.Or(industry[a.Site], string(taxonomy.IndustryOther))
		if st.IndustryByScenario[ind] == nil {
			st.IndustryByScenario[ind] = map[string]uint64{}
		}
		st.IndustryByScenario[ind][a.Scenario] += a.Requests
	}
	for k := range months {
		st.AttackedAPIsByMonth[k.month]++
	}

	worst := map[string]*ClassRating{}
	for i := range r.Defects {
		d := &r.Defects[i]
		st.DefectsByClass[d.Class]++
		w := worst[d.Class]
		if w == nil {
			w = &ClassRating{Class: d.Class}
			worst[d.Class] = w
		}
		w.Count++
		w.Harm = higher(w.Harm, d.Harm)
		w.Exploitability = higher(w.Exploitability, d.Exploitability)
		w.Prevalence = higher(w.Prevalence, d.Prevalence)
	}
	for _, c := range taxonomy.DefectClasses {
		if w := worst[string(c)]; w != nil {
			st.DefectRanking = append(st.DefectRanking, *w)
		}
	}
	slices.SortStableFunc(st.DefectRanking, func(a, b ClassRating) int {
		return cmp.Compare(rank(b.Harm)*16+rank(b.Exploitability)*4+rank(b.Prevalence), rank(a.Harm)*16+rank(a.Exploitability)*4+rank(a.Prevalence))
	})
	return st
}

func higher(a, b string) string {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// monthsBetween lists the calendar months that an interval touches.
func monthsBetween(from, to time.Time, zone *time.Location) []string {
	if zone == nil {
		zone = time.UTC
	}
	from, to = from.In(zone), to.In(zone)
	var out []string
	for m := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, zone); !m.After(to) && len(out) < 1200; m = m.AddDate(0, 1, 0) {
		out = append(out, m.Format("2006-01"))
	}
	return out
}
