package board

import (
	"slices"

	"xiezhi/lab/score/measure"
	"xiezhi/lab/score/rival"
)

// StumpFigures are how well the fitted rival did, every family scored by the
// stump that was fitted without it.
type StumpFigures struct {
	Campaign  measure.Share `json:"campaign_recall"`
	Request   measure.Share `json:"request_recall"`
	Windows   measure.Share `json:"window_precision"` // mean over the stumps
	Precision Number        `json:"request_precision"`
	AP        Number        `json:"request_pr_auc"`
	False     measure.Share `json:"false_requests"`
	Alarms    measure.Rate  `json:"false_windows"` // over site-days
}

// Fold is one stump and the family it is scored on.
type Fold struct {
	Family string      `json:"family"`
	Stump  rival.Stump `json:"stump"`
	What   string      `json:"what"`
}

// stumps are all folds of a board, with what each flagged of its family.
type stumps struct {
	folds []Fold
	got   []map[int]int // by record: requests flagged, by attack
}

// fitStumps fits a stump for every family without it.
func fitStumps(records []*Record, families []string) *stumps {
	s := &stumps{got: make([]map[int]int, len(records))}
	tables := make([]rival.Table, len(records))
	for i, r := range records {
		tables[i], s.got[i] = r.Windows, map[int]int{}
	}
	family := func(t, attack int) string {
		r := records[t]
		return r.Gangs[r.Attacks[attack].Gang].Family
	}
	for _, name := range families {
		stump := rival.Fit(tables, func(t, attack int) bool { return family(t, attack) != name })
		s.folds = append(s.folds, Fold{Family: name, Stump: stump, What: stump.String()})
		for t, table := range tables {
			for step, c := range table[stump.Place] {
				if !stump.Flags(step) {
					continue
				}
				for a, n := range c.Attack {
					if family(t, a) == name {
						s.got[t][a] += n
					}
				}
			}
		}
	}
	return s
}

// sum counts the figures of a selection. False alarms are the mean over the
// folds, weighed by the requests that each is scored on.
func (s *stumps) sum(records []*Record, c choice) *StumpFigures {
	f := &StumpFigures{}
	weight := map[string]float64{}
	for t, r := range records {
		type sum struct{ got, asked int }
		gangs := map[int]sum{}
		for a := 1; a < len(r.Attacks); a++ {
			x := &r.Attacks[a]
			if !c.counts(r, x) {
				continue
			}
			k := gangs[x.Gang]
			gangs[x.Gang] = sum{k.got + s.got[t][a], k.asked + x.Requests}
			f.Request = f.Request.Plus(measure.Share{Hit: float64(s.got[t][a]), Of: float64(x.Requests)})
			weight[r.Gangs[x.Gang].Family] += float64(x.Requests)
		}
		for _, k := range gangs {
			f.Campaign.Add(2*k.got >= k.asked && k.got > 0)
		}
	}
	if f.Request.Of == 0 {
		f.Precision, f.AP = Number(measure.Share{}.Value()), Number(measure.Share{}.Value())
		return f
	}
	area := 0.0
	for _, fold := range s.folds {
		w := weight[fold.Family] / f.Request.Of
		if w == 0 {
			continue
		}
		var bins [rival.Bins]measure.Step
		for t, r := range records {
			f.Alarms.Over += w * float64(r.Sites) * r.Days
			table := records[t].Windows[fold.Stump.Place]
			for step := range rival.Bins { // in order: sums of fractions depend on it
				cell := table[step]
				if cell == nil {
					continue
				}
				b := &bins[step]
				b.Score = float64(step)
				if fold.Stump.Below {
					b.Score = -b.Score
				}
				b.Wrong += float64(cell.Honest)
				for a, n := range cell.Attack {
					if c.counts(r, &r.Attacks[a]) {
						b.Right, b.Found = b.Right+float64(n), b.Found+float64(n)
					}
				}
				f.False.Of += w * float64(cell.Honest)
				if fold.Stump.Flags(step) {
					f.False.Hit += w * float64(cell.Honest)
					f.Windows.Hit += w * float64(cell.True)
					f.Windows.Of += w * float64(cell.True+cell.False)
					f.Alarms.Events += w * float64(cell.False)
				}
			}
		}
		area += w * measure.AveragePrecision(slices.Clone(bins[:]), f.Request.Of)
	}
	f.AP = Number(area)
	f.Precision = Number(measure.Share{Hit: f.Request.Hit, Of: f.Request.Hit + f.False.Hit}.Value())
	return f
}
