package board

import (
	"maps"
	"slices"

	"xiezhi/lab/score/measure"
)

// Figures are how well an observer did on a selection of campaigns, with the
// whole public beside them.
type Figures struct {
	Request  Level `json:"request"`
	Cohort   Level `json:"cohort"`   // attacks: one kind at one site by one gang
	Campaign Level `json:"campaign"` // gangs
	Named    Level `json:"named"`    // requests, and called what they are

	FalseRequests measure.Share `json:"false_requests"` // benign ones that are attributed
	FalseAttacks  measure.Rate  `json:"false_attacks"`  // reports that are not about an attack, over site-days
	FalseCampaign measure.Rate  `json:"false_campaigns"`

	Purity       Number `json:"purity"`
	Completeness Number `json:"completeness"`

	Probes     []float64 `json:"probes"`  // of attacks found, up to the first report
	Seconds    []float64 `json:"seconds"` // likewise, from the first request
	Lost       []float64 `json:"lost"`    // subjects, accounts, goods gained up to then
	GangProbes []float64 `json:"gang_probes"`
	NeverFound int       `json:"never_found"` // attacks that no look found
}

// Level is precision, recall and the area under their curve.
type Level struct {
	Precision measure.Share `json:"precision"`
	Recall    measure.Share `json:"recall"`
	AP        Number        `json:"pr_auc"`
}

// View of a record by observer.
type pick func(*Record) *View

// Observers of the board that report attacks.
func plain(r *Record) *View   { return &r.Plain }
func blind(r *Record) *View   { return &r.Blind }
func buckets(r *Record) *View { return &r.Buckets }

// choice says which attacks count, as true: what is not chosen is neither right
// nor wrong. With a kind, what is reported of the public counts as wrong only
// where it is said to be of that kind; without, wherever.
type choice struct {
	counts func(r *Record, a *Attack) bool
	kind   string
}

// blames reports whether a report about the public counts as wrong.
func (c choice) blames(x *Reported) bool { return c.kind == "" || x.Kind == c.kind }

// judged is a record's view with what each report is about.
type judged struct {
	attack, other, honest []int // exchanges of each report: of chosen attacks, of others and what gangs do beside, of the public
}

func weighed(r *Record, v *View, c choice) judged {
	n := len(v.Reports)
	j := judged{make([]int, n), make([]int, n), make([]int, n)}
	for _, g := range v.Groups {
		for _, i := range g.In {
			switch {
			case g.Attack == honest:
				j.honest[i] += g.N
			case g.Attack > 0 && c.counts(r, &r.Attacks[g.Attack]):
				j.attack[i] += g.N
			default:
				j.other[i] += g.N
			}
		}
	}
	return j
}

// is reports whether a report, or several together, are about an attack: at
// least half of what they hold is. A report that holds nothing is about nothing.
func is(attack, honest int) bool { return attack > 0 && attack >= honest }

// Sum counts an observer's figures over records.
func Sum(records []*Record, see pick, c choice) *Figures {
	f := &Figures{}
	var request, cohort, campaign, named []measure.Step
	items := map[measure.Pair]float64{}
	for _, r := range records {
		v := see(r)
		j := weighed(r, v, c)
		f.requests(r, v, c, &request, &named)
		f.cohorts(r, v, &j, c, &cohort)
		f.campaigns(r, v, &j, c, &campaign)
		f.times(r, v, c)
		r.cluster(v, c, items)
	}
	f.Request.AP = Number(measure.AveragePrecision(request, f.Request.Recall.Of))
	f.Named.AP = Number(measure.AveragePrecision(named, f.Named.Recall.Of))
	f.Cohort.AP = Number(measure.AveragePrecision(cohort, f.Cohort.Recall.Of))
	f.Campaign.AP = Number(measure.AveragePrecision(campaign, f.Campaign.Recall.Of))
	purity, completeness := measure.BCubed(items)
	f.Purity, f.Completeness = Number(purity), Number(completeness)
	return f
}

// requests counts single exchanges.
func (f *Figures) requests(r *Record, v *View, c choice, any, named *[]measure.Step) {
	for _, g := range v.Groups {
		if g.Attack == support || g.Attack > 0 && !c.counts(r, &r.Attacks[g.Attack]) {
			continue
		}
		n, kind := float64(g.N), ""
		if g.Attack > 0 {
			kind = r.Attacks[g.Attack].Kind
		}
		firm, right, best, bestNamed := false, false, 0.0, 0.0
		for _, i := range g.In {
			x := &v.Reports[i]
			if g.Attack == honest && !c.blames(x) {
				continue
			}
			best = max(best, x.Score)
			firm = firm || !x.Weak()
			if kind == "" || x.Kind == kind {
				bestNamed = max(bestNamed, x.Score)
				right = right || !x.Weak()
			}
		}
		if g.Attack == honest {
			f.FalseRequests.Of += n
			if firm {
				f.FalseRequests.Hit += n
				f.Request.Precision.Of += n
				f.Named.Precision.Of += n
			}
			if best > 0 {
				*any = append(*any, measure.Step{Score: best, Wrong: n})
				*named = append(*named, measure.Step{Score: best, Wrong: n})
			}
			continue
		}
		f.Request.Recall.Of += n
		f.Named.Recall.Of += n
		if firm {
			f.Request.Recall.Hit += n
			f.Request.Precision = f.Request.Precision.Plus(measure.Share{Hit: n, Of: n})
			f.Named.Precision.Of += n
		}
		if right {
			f.Named.Recall.Hit += n
			f.Named.Precision.Hit += n
		}
		if best > 0 {
			*any = append(*any, measure.Step{Score: best, Found: n, Right: n})
		}
		if bestNamed > 0 {
			*named = append(*named, measure.Step{Score: bestNamed, Found: n, Right: n})
		}
	}
}

// cohorts counts attacks: one is found if at least half of its requests are in
// reports, and a report is right if at least half of what it holds is attack.
func (f *Figures) cohorts(r *Record, v *View, j *judged, c choice, steps *[]measure.Step) {
	got, asked := r.covered(v)
	found := map[int]bool{}
	for a := 1; a < len(r.Attacks); a++ {
		if c.counts(r, &r.Attacks[a]) {
			found[a] = 2*got[a] >= asked[a] && got[a] > 0
			f.Cohort.Recall.Add(found[a])
		}
	}
	for _, at := range r.reached(v, c, func(a int) int { return a }) {
		*steps = append(*steps, measure.Step{Score: at, Found: 1})
	}
	for i := range v.Reports {
		if !is(j.attack[i], j.honest[i]) && j.other[i] > j.attack[i]+j.honest[i] {
			continue // about attacks that do not count here
		}
		x := &v.Reports[i]
		right := is(j.attack[i], j.honest[i])
		if !right && !c.blames(x) {
			continue
		}
		if !x.Weak() {
			f.Cohort.Precision.Add(right)
			if !right {
				f.FalseAttacks.Events++
			}
		}
		s := measure.Step{Score: x.Score}
		if right {
			s.Right = 1
		} else {
			s.Wrong = 1
		}
		*steps = append(*steps, s)
	}
	f.FalseAttacks.Over += float64(r.Sites) * r.Days
}

// campaigns counts gangs the same way, by the reports that are said to be one
// gang's together.
func (f *Figures) campaigns(r *Record, v *View, j *judged, c choice, steps *[]measure.Step) {
	got, asked := r.covered(v)
	type sum struct{ got, asked int }
	gangs := map[int]sum{}
	for a := 1; a < len(r.Attacks); a++ {
		if c.counts(r, &r.Attacks[a]) {
			s := gangs[r.Attacks[a].Gang]
			gangs[r.Attacks[a].Gang] = sum{s.got + got[a], s.asked + asked[a]}
		}
	}
	for _, s := range gangs {
		f.Campaign.Recall.Add(2*s.got >= s.asked && s.got > 0)
	}
	type claim struct {
		score                 float64
		firm, blamed          bool
		attack, other, honest int
	}
	claims := map[int]*claim{}
	for i := range v.Reports {
		x := &v.Reports[i]
		k := claims[x.Campaign]
		if k == nil {
			k = &claim{}
			claims[x.Campaign] = k
		}
		k.score, k.firm, k.blamed = max(k.score, x.Score), k.firm || !x.Weak(), k.blamed || c.blames(x)
		k.attack, k.other, k.honest = k.attack+j.attack[i], k.other+j.other[i], k.honest+j.honest[i]
	}
	for _, at := range r.reached(v, c, func(a int) int { return r.Attacks[a].Gang }) {
		*steps = append(*steps, measure.Step{Score: at, Found: 1})
	}
	for _, k := range claims {
		right := is(k.attack, k.honest)
		if !right && (!k.blamed || k.other > k.attack+k.honest) {
			continue
		}
		if k.firm {
			f.Campaign.Precision.Add(right)
			if !right {
				f.FalseCampaign.Events++
			}
		}
		s := measure.Step{Score: k.score}
		if right {
			s.Right = 1
		} else {
			s.Wrong = 1
		}
		*steps = append(*steps, s)
	}
	f.FalseCampaign.Over += float64(r.Sites) * r.Days / 7
}

// reached gives, for every attack or gang that counts and of which at least
// half is in reports, the score down to which reports must be read for that.
func (r *Record) reached(v *View, c choice, of func(attack int) int) []float64 {
	asked := map[int]int{}
	parts := map[int]map[float64]int{}
	for _, g := range v.Groups {
		if g.Attack <= 0 || !c.counts(r, &r.Attacks[g.Attack]) {
			continue
		}
		k, best := of(g.Attack), 0.0
		asked[k] += g.N
		for _, i := range g.In {
			best = max(best, v.Reports[i].Score)
		}
		if best > 0 {
			if parts[k] == nil {
				parts[k] = map[float64]int{}
			}
			parts[k][best] += g.N
		}
	}
	var out []float64
	for k, part := range parts {
		n := 0
		for _, at := range slices.Backward(slices.Sorted(maps.Keys(part))) {
			if n += part[at]; 2*n >= asked[k] {
				out = append(out, at)
				break
			}
		}
	}
	return out
}

// covered counts, by attack, the requests in reports that are more than a
// suspicion, and all.
func (r *Record) covered(v *View) (got, asked []int) {
	got, asked = make([]int, len(r.Attacks)), make([]int, len(r.Attacks))
	for _, g := range v.Groups {
		if g.Attack <= 0 {
			continue
		}
		asked[g.Attack] += g.N
		if slices.ContainsFunc(g.In, func(i int) bool { return !v.Reports[i].Weak() }) {
			got[g.Attack] += g.N
		}
	}
	return got, asked
}

// times counts how soon attacks were found. Of gangs the first attack that was
// found counts.
func (f *Figures) times(r *Record, v *View, c choice) {
	gangs := map[int]float64{}
	for a := 1; a < len(r.Attacks); a++ {
		if !c.counts(r, &r.Attacks[a]) {
			continue
		}
		x := v.Found[a]
		if x.Probes == 0 {
			f.NeverFound++
			continue
		}
		f.Probes = append(f.Probes, float64(x.Probes))
		f.Seconds = append(f.Seconds, x.After.Seconds())
		f.Lost = append(f.Lost, float64(x.Gained))
		g := r.Attacks[a].Gang
		if have, ok := gangs[g]; !ok || float64(x.GangProbes) < have {
			gangs[g] = float64(x.GangProbes)
		}
	}
	for _, n := range gangs {
		f.GangProbes = append(f.GangProbes, n)
	}
	slices.Sort(f.GangProbes)
}

// cluster adds the attributed attack requests, by gang and by what they were
// joined into. Every attack weighs the same, however many requests it has.
func (r *Record) cluster(v *View, c choice, items map[measure.Pair]float64) {
	got, _ := r.covered(v)
	for _, g := range v.Groups {
		if g.Attack <= 0 || !c.counts(r, &r.Attacks[g.Attack]) {
			continue
		}
		for _, i := range g.In {
			if x := &v.Reports[i]; !x.Weak() {
				k := measure.Pair{True: r.Game + " " + r.Gangs[r.Attacks[g.Attack].Gang].ID, Found: r.Game + " " + text(x.Campaign)}
				items[k] += float64(g.N) / float64(got[g.Attack])
				break
			}
		}
	}
}
