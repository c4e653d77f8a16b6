package board

import (
	"cmp"
	"maps"
	"slices"

	"xiezhi/internal/taxonomy"
	"xiezhi/lab/arena"
	"xiezhi/lab/arena/knob"
	"xiezhi/lab/score/measure"
)

// Board is the scoreboard.
type Board struct {
	Games     int        `json:"games"`
	Seeds     int        `json:"seeds"`
	Campaigns int        `json:"campaigns"`
	Attacks   int        `json:"attacks"`
	Exchanges int        `json:"exchanges"`
	Benign    int        `json:"benign"`
	SiteDays  float64    `json:"site_days"`
	Bars      []Bar      `json:"bars"`
	Open      Side       `json:"open"`  // all campaigns but the majority mimics
	Mimic     Side       `json:"mimic"` // these alone
	Kinds     []Row      `json:"kinds"` // without mimics
	Cells     []Row      `json:"cells"` // kind and difficulty
	Families  []Row      `json:"families"`
	Knobs     []Row      `json:"knobs"` // without mimics
	Sensors   []Row      `json:"sensors"`
	Events    []EventRow `json:"events"`
	Folds     []Fold     `json:"folds"`
}

// Side is every observer's figures on the same campaigns.
type Side struct {
	Plain   *Figures      `json:"plain"`
	Blind   *Figures      `json:"blind"`
	Buckets *Figures      `json:"buckets"`
	Stump   *StumpFigures `json:"stump"`
}

// Row is a side of the campaigns of one sort.
type Row struct {
	Name string `json:"name"`
	Of   string `json:"of,omitempty"`
	Side
}

// EventRow is what became of honest events that look like attacks.
type EventRow struct {
	Name       string        `json:"name"`
	Times      int           `json:"times"`
	Attributed measure.Share `json:"attributed"`
}

// sorter divides attacks into rows; "" belongs to none.
type sorter func(r *Record, a *Attack) string

func gangOf(r *Record, a *Attack) *Gang { return &r.Gangs[a.Gang] }

func mimic(r *Record, a *Attack) bool { return gangOf(r, a).Difficulty == knob.Mimic }
func open(r *Record, a *Attack) bool  { return !mimic(r, a) }

// Make sums up records, which it puts in order of their games.
func Make(records []*Record) *Board {
	records = slices.SortedFunc(slices.Values(records), func(a, b *Record) int {
		return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Game, b.Game))
	})
	b := &Board{Games: len(records)}
	seeds, families := map[uint64]bool{}, map[string]bool{}
	for _, r := range records {
		seeds[r.Seed] = true
		b.Campaigns += len(r.Gangs)
		b.Attacks += len(r.Attacks) - 1
		b.Exchanges += r.Exchanges
		b.Benign += r.Benign
		b.SiteDays += float64(r.Sites) * r.Days
		for i := range r.Gangs {
			families[r.Gangs[i].Family] = true
		}
	}
	b.Seeds = len(seeds)
	s := fitStumps(records, slices.Sorted(maps.Keys(families)))
	b.Folds = s.folds
	side := func(c choice) Side {
		return Side{Sum(records, plain, c), Sum(records, blind, c), Sum(records, buckets, c), s.sum(records, c)}
	}
	b.Open, b.Mimic = side(choice{counts: open}), side(choice{counts: mimic})
	rows := func(sort sorter, kind bool) []Row {
		names := map[string]bool{}
		for _, r := range records {
			for a := range r.Attacks[1:] {
				if n := sort(r, &r.Attacks[a+1]); n != "" {
					names[n] = true
				}
			}
		}
		var out []Row
		for _, n := range slices.Sorted(maps.Keys(names)) {
			c := choice{counts: func(r *Record, a *Attack) bool { return sort(r, a) == n }}
			row := Row{Name: n}
			if kind {
				c.kind = n
			}
			row.Side = side(c)
			out = append(out, row)
		}
		return out
	}
	b.Kinds = rows(func(r *Record, a *Attack) string {
		if mimic(r, a) {
			return ""
		}
		return a.Kind
	}, true)
	slices.SortStableFunc(b.Kinds, func(x, y Row) int { return cmp.Compare(kindOrder(x.Name), kindOrder(y.Name)) })
	b.Cells = cells(records, side)
	b.Families = rows(func(r *Record, a *Attack) string { return gangOf(r, a).Family }, false)
	b.Sensors = rows(func(r *Record, a *Attack) string {
		if mimic(r, a) {
			return ""
		}
		return r.Sensor
	}, false)
	for _, k := range knobs {
		list := rows(func(r *Record, a *Attack) string {
			if mimic(r, a) {
				return ""
			}
			return k.of(&gangOf(r, a).Knobs)
		}, false)
		for i := range list {
			list[i].Of = k.name
		}
		b.Knobs = append(b.Knobs, list...)
	}
	b.events(records)
	b.Bars = bars(b, records)
	return b
}

func kindOrder(kind string) int {
	return slices.Index(arena.Kinds(), taxonomy.AttackKind(kind))
}

// cells gives a row for every kind at every difficulty that was played.
func cells(records []*Record, side func(choice) Side) []Row {
	type key struct {
		kind string
		d    knob.Difficulty
	}
	there := map[key]bool{}
	for _, r := range records {
		for i := range r.Attacks[1:] {
			a := &r.Attacks[i+1]
			there[key{a.Kind, gangOf(r, a).Difficulty}] = true
		}
	}
	keys := slices.SortedFunc(maps.Keys(there), func(x, y key) int {
		return cmp.Or(cmp.Compare(kindOrder(x.kind), kindOrder(y.kind)), cmp.Compare(slices.Index(knob.Difficulties, x.d), slices.Index(knob.Difficulties, y.d)))
	})
	var out []Row
	for _, k := range keys {
		out = append(out, Row{Name: k.kind, Of: string(k.d), Side: side(choice{kind: k.kind, counts: func(r *Record, a *Attack) bool {
			return a.Kind == k.kind && gangOf(r, a).Difficulty == k.d
		}})})
	}
	return out
}

// knobs are the settings that rows are made of.
var knobs = []struct {
	name string
	of   func(*knob.Knobs) string
}{
	{"addresses", func(k *knob.Knobs) string {
		switch a := k.AddressesPerRequest; {
		case a >= 1:
			return "one_each"
		case a >= 0.1:
			return "few_each"
		case a > 0:
			return "block"
		}
		return "single"
	}},
	{"fingerprint", func(k *knob.Knobs) string { return string(k.Fingerprint) }},
	{"parameters", func(k *knob.Knobs) string { return string(k.Parameters) }},
	{"order", func(k *knob.Knobs) string { return string(k.Order) }},
	{"rate", func(k *knob.Knobs) string { return string(k.Rate) }},
	{"flow", func(k *knob.Knobs) string {
		switch {
		case k.Flow >= 1:
			return "whole"
		case k.Flow >= 0.3:
			return "part"
		}
		return "bare"
	}},
}

func (b *Board) events(records []*Record) {
	rows := map[string]*EventRow{}
	for _, r := range records {
		for i := range r.Events[1:] {
			e := &r.Events[i+1]
			if rows[e.Name] == nil {
				rows[e.Name] = &EventRow{Name: e.Name}
			}
			rows[e.Name].Times++
		}
		for _, g := range r.Plain.Groups {
			if g.Event == 0 || g.Attack != honest {
				continue
			}
			row := rows[r.Events[g.Event].Name]
			s := measure.Share{Of: float64(g.N)}
			if slices.ContainsFunc(g.In, func(i int) bool { return !r.Plain.Reports[i].Weak() }) {
				s.Hit = s.Of
			}
			row.Attributed = row.Attributed.Plus(s)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(rows)) {
		b.Events = append(b.Events, *rows[n])
	}
}
