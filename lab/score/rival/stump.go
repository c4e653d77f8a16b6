package rival

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"xiezhi/internal/exchange"
)

// Entities whose windows a stump looks at.
const (
	ByAddress = iota // of a site
	ByCohort         // of a site: TLS fingerprint and order of header names
	entities
)

// Features of a window. Each is one number; a stump is one threshold on one.
const (
	Requests    = iota // how many
	Paths              // distinct paths
	Questions          // distinct paths with query and body
	Novel              // share of questions that are new in the window
	Errors             // share answered with 400 or more
	Denied             // share that the application did not do
	Posts              // share that are no GET
	OneAPI             // share of the most asked method and path without its ids
	Askers             // distinct addresses
	OnePerAsker        // distinct addresses per request
	features
)

// FeatureIDs in order.
var FeatureIDs = [features]string{"requests", "paths", "questions", "new_questions", "errors", "refusals", "writes", "one_api", "addresses", "addresses_per_request"}

// EntityIDs in order.
var EntityIDs = [entities]string{"address", "cohort"}

// Spans are the lengths of windows.
var Spans = [...]time.Duration{10 * time.Minute, time.Hour}

// Bins is into how many steps a feature's values are laid: shares evenly,
// counts by eighths of a doubling.
const Bins = 160

// isShare says which features are between 0 and 1.
var isShare = [features]bool{Novel: true, Errors: true, Denied: true, Posts: true, OneAPI: true, OnePerAsker: true}

// bin gives the step of a value.
func bin(f int, v float64) int {
	if isShare[f] {
		return min(int(v*(Bins-1)), Bins-1)
	}
	return min(int(8*math.Log2(1+v)), Bins-1)
}

// Value is the least value of a step, for people.
func Value(f, step int) float64 {
	if isShare[f] {
		return float64(step) / (Bins - 1)
	}
	return math.Exp2(float64(step)/8) - 1
}

// Cell is what stood at one step of one feature.
type Cell struct {
	Attack map[int]int `json:"attack,omitempty"` // requests by the number of their attack
	Honest int         `json:"honest,omitempty"` // requests
	True   int         `json:"true,omitempty"`   // windows at least half of whose requests are attack
	False  int         `json:"false,omitempty"`  // other windows
}

// Place names a feature of an entity's windows of one length.
type Place struct{ Entity, Span, Feature int }

// MarshalText implements encoding.TextMarshaler: tables are kept as JSON.
func (p Place) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d/%d/%d", p.Entity, p.Span, p.Feature), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Place) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "%d/%d/%d", &p.Entity, &p.Span, &p.Feature)
	return err
}

// Table is all windows of a play, laid into steps: enough to choose and to
// judge any threshold.
type Table map[Place]map[int]*Cell

// Windows makes the table.
type Windows struct {
	open  [entities][len(Spans)]map[uint64]*window
	since [len(Spans)]int64
	table Table
}

type window struct {
	n, errors, denied, posts int
	paths, questions, askers map[uint64]struct{}
	apis                     map[uint64]int
	honest                   int
	attack                   map[int]int
}

// NewWindows gives an empty table.
func NewWindows() *Windows {
	w := &Windows{table: Table{}}
	for e := range w.open {
		for s := range w.open[e] {
			w.open[e][s] = map[uint64]*window{}
		}
	}
	return w
}

// Observe takes the next exchange. attack is the number of its attack, 0 for
// honest ones and negative for those that are neither; refused says that the
// application did not do what was asked.
func (w *Windows) Observe(x *exchange.Exchange, attack int, refused bool) {
	for s, span := range Spans {
		if start := x.Start - x.Start%int64(span); start > w.since[s] {
			w.close(s)
			w.since[s] = start
		}
	}
	if attack < 0 {
		return
	}
	path, _, _ := bytes.Cut(x.Target, []byte("?"))
	addr, _ := x.Client.Addr().MarshalBinary()
	asker := sum(addr)
	keys := [entities]uint64{ByAddress: sum(x.Host, addr)}
	names := make([][]byte, 0, 2+len(x.Request.Header))
	names = append(names, x.Host, x.JA4)
	for i := range x.Request.Header {
		names = append(names, x.Request.Header[i].Name)
	}
	keys[ByCohort] = sum(names...)
	p, q, api := sum(path), sum(x.Target, x.Request.Body), sum(x.Method, blank(path))
	for e, key := range keys {
		for s := range Spans {
			k := w.open[e][s][key]
			if k == nil {
				k = &window{paths: map[uint64]struct{}{}, questions: map[uint64]struct{}{}, askers: map[uint64]struct{}{}, apis: map[uint64]int{}}
				w.open[e][s][key] = k
			}
			k.n++
			if x.Status >= 400 {
				k.errors++
			}
			if refused {
				k.denied++
			}
			if !bytes.Equal(x.Method, []byte("GET")) {
				k.posts++
			}
			k.paths[p], k.questions[q], k.askers[asker] = struct{}{}, struct{}{}, struct{}{}
			k.apis[api]++
			if attack == 0 {
				k.honest++
				continue
			}
			if k.attack == nil {
				k.attack = map[int]int{}
			}
			k.attack[attack]++
		}
	}
}

// blank takes the numbers out of a path.
func blank(path []byte) []byte {
	out := make([]byte, 0, len(path))
	for _, c := range path {
		if c < '0' || c > '9' {
			out = append(out, c)
		}
	}
	return out
}

// Table closes the windows and gives the table.
func (w *Windows) Table() Table {
	for s := range Spans {
		w.close(s)
	}
	return w.table
}

func (w *Windows) close(s int) {
	for e := range w.open {
		for _, k := range w.open[e][s] {
			w.file(e, s, k)
		}
		clear(w.open[e][s])
	}
}

func (w *Windows) file(e, s int, k *window) {
	n, top := float64(k.n), 0
	for _, c := range k.apis {
		top = max(top, c)
	}
	v := [features]float64{Requests: n, Paths: float64(len(k.paths)), Questions: float64(len(k.questions)), Novel: float64(len(k.questions)) / n,
		Errors: float64(k.errors) / n, Denied: float64(k.denied) / n, Posts: float64(k.posts) / n, OneAPI: float64(top) / n,
		Askers: float64(len(k.askers)), OnePerAsker: float64(len(k.askers)) / n}
	for f := range v {
		if e == ByAddress && (f == Askers || f == OnePerAsker) {
			continue // one address has one
		}
		at := Place{e, s, f}
		if w.table[at] == nil {
			w.table[at] = map[int]*Cell{}
		}
		b := bin(f, v[f])
		c := w.table[at][b]
		if c == nil {
			c = &Cell{}
			w.table[at][b] = c
		}
		c.Honest += k.honest
		if len(k.attack) > 0 && c.Attack == nil {
			c.Attack = map[int]int{}
		}
		for a, m := range k.attack {
			c.Attack[a] += m
		}
		if 2*(k.n-k.honest) >= k.n {
			c.True++
		} else {
			c.False++
		}
	}
}

// Stump is one threshold: windows with at least, or at most, so much.
type Stump struct {
	Place
	Step  int
	Below bool    // at most, else at least
	F1    float64 // in training, by requests
}

// Flags reports whether windows at a step are flagged.
func (s *Stump) Flags(step int) bool {
	if s.Below {
		return step <= s.Step
	}
	return step >= s.Step
}

// Fit chooses the stump with the best F1 by requests over tables. trains says
// which attacks count, by table and number; the others are as if they had never
// been. The zero Stump with F1 0 is given when there is nothing to learn.
func Fit(tables []Table, trains func(table, attack int) bool) Stump {
	var best Stump
	for e := range entities {
		for s := range Spans {
			for f := range features {
				at := Place{e, s, f}
				var attack, honest [Bins]float64
				var all, public float64
				for t, table := range tables {
					for step, c := range table[at] {
						honest[step] += float64(c.Honest)
						public += float64(c.Honest)
						for a, n := range c.Attack {
							if trains(t, a) {
								attack[step] += float64(n)
								all += float64(n)
							}
						}
					}
				}
				if all == 0 {
					continue
				}
				above, wrong := 0.0, 0.0
				for step := Bins - 1; step >= 0; step-- {
					// At least this step; and at most it is the rest with it.
					above, wrong = above+attack[step], wrong+honest[step]
					best.take(at, step, false, above, wrong, all)
					best.take(at, step, true, all-above+attack[step], public-wrong+honest[step], all)
				}
			}
		}
	}
	return best
}

func (s *Stump) take(at Place, step int, below bool, right, wrong, all float64) {
	if f1 := 2 * right / (right + wrong + all); right > 0 && f1 > s.F1 {
		*s = Stump{Place: at, Step: step, Below: below, F1: f1}
	}
}

// String says the stump in words.
func (s Stump) String() string {
	if s.F1 == 0 {
		return "nothing to learn from"
	}
	than := "at least"
	if s.Below {
		than = "at most"
	}
	return fmt.Sprintf("%s in %s by %s: %s %.3g", FeatureIDs[s.Feature], Spans[s.Span], EntityIDs[s.Entity], than, s.Threshold())
}

// Threshold is the value that windows are held against.
func (s Stump) Threshold() float64 { return Value(s.Feature, s.Step) }
