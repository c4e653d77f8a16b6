package report

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"xiezhi/internal/taxonomy"
)

// Count computes the source report's figures from the report's own lists, so
// that a merged report is counted like any other. What an attack did by day
// and API is its activity; an attack without any counts for its APIs in every
// month between its first and its last request.
func Count(r *Report) Statistics {
	st := Statistics{AttackedAPIsByMonth: map[string]int{}, ScenarioShare: map[string]ScenarioCount{},
		IndustryByScenario: map[string]map[string]uint64{}, DefectsByClass: map[string]int{}, DefectRanking: []ClassRating{}}
	site, zones := make(map[string]*Site, len(r.Sites)), make(map[string]*time.Location, len(r.Sites))
	for i := range r.Sites {
		s := &r.Sites[i]
		site[s.Name] = s
		if l, err := time.LoadLocation(s.TimeZone); err == nil {
			zones[s.Name] = l
		}
	}

	type monthAPI struct{ month, api string }
	months := map[monthAPI]bool{}
	type scenarioAPI struct{ scenario, api string }
	attacked := map[scenarioAPI]bool{}
	for i := range r.Attacks {
		a := &r.Attacks[i]
		if a.Verdict == taxonomy.Suspicious.String() {
			continue
		}
		industry, zone := string(taxonomy.IndustryOther), time.UTC
		if s := site[a.Site]; s != nil {
			industry = cmp.Or(s.Industry, industry)
			zone = cmp.Or(zones[a.Site], zone)
		}
		if a.Verdict == taxonomy.Confirmed.String() {
			for m, api := range a.monthly(zone) {
				months[monthAPI{m, api}] = true
			}
		}
		sc := st.ScenarioShare[a.Scenario]
		sc.Requests += a.Requests
		for _, api := range a.touched() {
			if k := (scenarioAPI{a.Scenario, api}); !attacked[k] {
				attacked[k] = true
				sc.APIs++
			}
		}
		st.ScenarioShare[a.Scenario] = sc
		if st.IndustryByScenario[industry] == nil {
			st.IndustryByScenario[industry] = map[string]uint64{}
		}
		st.IndustryByScenario[industry][a.Scenario] += a.Requests
	}
	for k := range months {
		st.AttackedAPIsByMonth[k.month]++
	}

	worst := map[string]*ClassRating{}
	open := r.Open()
	for i := range open {
		d := &open[i]
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

// monthly gives every month in which the attack reached an API; a pair may
// come twice.
func (a *Attack) monthly(zone *time.Location) iter.Seq2[string, string] {
	return func(yield func(month, api string) bool) {
		for _, x := range a.Activity {
			if x.API != "" && x.Requests > 0 && len(x.Day) >= 7 && !yield(x.Day[:7], x.API) {
				return
			}
		}
		if len(a.Activity) > 0 {
			return
		}
		for _, m := range monthsBetween(a.FirstSeen, a.LastSeen, zone) {
			for _, api := range a.APIs {
				if !yield(m, api) {
					return
				}
			}
		}
	}
}

// touched lists the APIs that the attack reached.
func (a *Attack) touched() []string {
	if len(a.Activity) == 0 {
		return a.APIs
	}
	var out []string
	for _, x := range a.Activity {
		if x.API != "" && x.Requests > 0 {
			out = append(out, x.API)
		}
	}
	return out
}

// monthsBetween lists the calendar months that an interval touches.
func monthsBetween(from, to time.Time, zone *time.Location) []string {
	from, to = from.In(zone), to.In(zone)
	var out []string
	for m := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, zone); !m.After(to) && len(out) < 1200; m = m.AddDate(0, 1, 0) {
		out = append(out, m.Format("2006-01"))
	}
	return out
}

// Zone is the time zone that more than half of the sites have; fallback when
// none is. Dates that people read agree with the months that were counted.
func (r *Report) Zone(fallback *time.Location) *time.Location {
	sites := map[string]int{}
	for i := range r.Sites {
		name := r.Sites[i].TimeZone
		if sites[name]++; 2*sites[name] > len(r.Sites) && name != "" {
			if l, err := time.LoadLocation(name); err == nil {
				return l
			}
		}
	}
	return fallback
}
