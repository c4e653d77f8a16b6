package catalog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sort"
	"strings"
	"testing"

	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
)

// digitRule is the plain rule to beat: a segment with a digit is a parameter,
// unless it looks like a version.
func digitRule(o *observe.Observation) string {
	var b strings.Builder
	b.WriteString(o.Method)
	for i := range o.Segments {
		s := &o.Segments[i]
		text := s.Text
		if text == "" {
			text = s.Shape
		}
		b.WriteByte('/')
		if digits(text) > 0 && s.Class != observe.ClassVer {
			b.WriteString("{}")
		} else {
			b.WriteString(text)
		}
	}
	return b.String()
}

type pairs struct{ tp, fp, fn float64 }

func (p pairs) f1() float64 {
	if p.tp+p.fp+p.fn == 0 {
		return 1
	}
	return 2 * p.tp / (2*p.tp + p.fp + p.fn)
}

func (p *pairs) add(q pairs) { p.tp, p.fp, p.fn = p.tp+q.tp, p.fp+q.fp, p.fn+q.fn }

// score counts pairs of requests by whether truth and guess put them together.
func score(truth, guess []string) (p pairs) {
	count := func(keys []string) float64 {
		n, total := map[string]float64{}, 0.0
		for _, k := range keys {
			total += n[k]
			n[k]++
		}
		return total
	}
	both := make([]string, len(truth))
	for i := range truth {
		both[i] = truth[i] + "\x00" + guess[i]
	}
	p.tp = count(both)
	p.fp = count(guess) - p.tp
	p.fn = count(truth) - p.tp
	return p
}

// mistake is a template that came out wrong and what that costs in pairs.
type mistake struct {
	api, what string
	pairs     float64
}

// mistakes lists what was taken together and what apart, by what it costs.
func mistakes(api string, truth, guess []string, name map[string]string) (over, under []mistake) {
	by, owners := map[string]map[string]float64{}, map[string]map[string]float64{}
	put := func(m map[string]map[string]float64, a, b string) {
		if m[a] == nil {
			m[a] = map[string]float64{}
		}
		m[a][b]++
	}
	for i := range truth {
		put(by, truth[i], guess[i])
		put(owners, guess[i], truth[i])
	}
	lost := func(parts map[string]float64) float64 {
		sum, squares := 0.0, 0.0
		for _, n := range parts {
			sum, squares = sum+n, squares+n*n
		}
		return (sum*sum - squares) / 2
	}
	list := func(parts map[string]float64, show func(string) string) string {
		keys := make([]string, 0, len(parts))
		for k := range parts {
			keys = append(keys, k)
		}
		sort.Slice(keys, func(i, j int) bool {
			if parts[keys[i]] != parts[keys[j]] {
				return parts[keys[i]] > parts[keys[j]]
			}
			return keys[i] < keys[j]
		})
		var l []string
		for _, k := range keys[:min(len(keys), 4)] {
			l = append(l, fmt.Sprintf("%s (%.0f)", show(k), parts[k]))
		}
		return strings.Join(l, ", ")
	}
	shown := func(id string) string {
		if t, ok := name[id]; ok {
			return t
		}
		return "no API"
	}
	for t, parts := range by {
		if x := lost(parts); x > 0 {
			under = append(under, mistake{api, fmt.Sprintf("%s in %d: %s", t, len(parts), list(parts, shown)), x})
		}
	}
	for g, parts := range owners {
		if x := lost(parts); x > 0 {
			over = append(over, mistake{api, fmt.Sprintf("%s holds %d: %s", shown(g), len(parts), list(parts, func(s string) string { return s })), x})
		}
	}
	return over, under
}

func worst(list []mistake, n int) []mistake {
	sort.Slice(list, func(i, j int) bool {
		if list[i].pairs != list[j].pairs {
			return list[i].pairs > list[j].pairs
		}
		return list[i].api+list[i].what < list[j].api+list[j].what
	})
	return list[:min(n, len(list))]
}

// run lets a fresh catalogue learn messages in a given order and gives for each
// the API that it belongs to at the end.
func run(t testing.TB, o *observe.Observer, l []message, order []int, mode regime) (guess, plain []string, name map[string]string) {
	c := catalogue(t)
	ids := identity.New(identity.Config{})
	var ev Event
	var b observe.Batch
	for at, i := range order {
		b.Reset()
		o.Observe(l[i].exchange(at, mode), &b)
		who := ids.Resolve(b.At(0))
		c.Assign(b.At(0), &who, &ev)
		ids.Learn(b.At(0), who, ev.Outcome == OutcomeSuccess)
	}
	guess, plain, name = make([]string, len(l)), make([]string, len(l)), map[string]string{}
	for i := range l {
		b.Reset()
		o.Observe(l[i].exchange(i, mode), &b)
		plain[i] = digitRule(b.At(0))
		guess[i] = fmt.Sprint("none", i)
		if a := c.Lookup(b.At(0)); a != nil {
			guess[i] = a.ID
			name[a.ID] = a.Method + " " + a.Template
		}
	}
	return guess, plain, name
}

// result of one regime over one side of the split.
type result struct {
	ours, plain      pairs
	macro, plainMean float64
	requests, junk   int
	templates        int
	junkTaken        int // junk that was given an API
	over, under      []mistake
	apis             []mistake // by 1-F1, as pairs
	shuffled         pairs
	moved            int // descriptions whose partition changed with the order
	orders           int
}

// accept measures one regime.
func accept(t testing.TB, list []description, held bool, mode regime, reorder int) result {
	var x result
	o := newObserver(t)
	for k := range list {
		d := &list[k]
		l := messages(d, held, mode)
		truth := make([]string, len(l))
		order := make([]int, len(l))
		for i := range l {
			truth[i], order[i] = l[i].truth, i
			x.junk += boolInt(l[i].junk)
		}
		guess, plain, name := run(t, o, l, order, mode)
		for i := range l {
			if _, given := name[guess[i]]; given && l[i].junk {
				x.junkTaken++
			}
		}
		a, b := score(truth, guess), score(truth, plain)
		x.ours.add(a)
		x.plain.add(b)
		x.macro += a.f1() / float64(len(list))
		x.plainMean += b.f1() / float64(len(list))
		x.requests += len(l)
		x.templates += len(d.Paths)
		over, under := mistakes(d.API, truth, guess, name)
		x.over = worst(append(x.over, over...), 60)
		x.under = worst(append(x.under, under...), 60)
		sum := 0.0
		for _, m := range over {
			sum += m.pairs
		}
		x.apis = append(x.apis, mistake{d.API, fmt.Sprintf("F1 %.3f, digit rule %.3f, %d templates, %d pairs joined wrongly, %d missed", a.f1(), b.f1(), len(d.Paths), int(a.fp), int(a.fn)), a.fp + a.fn})
		if reorder > 0 && k%reorder == 0 {
			r := rand.New(rand.NewPCG(hash(d.API), 99))
			r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			again, _, _ := run(t, o, l, order, mode)
			x.shuffled.add(score(guess, again))
			x.orders++
			for i := range guess {
				if guess[i] != again[i] && !strings.HasPrefix(guess[i]+again[i], "none") {
					x.moved++
					break
				}
			}
		}
	}
	return x
}

func (x *result) log(t testing.TB, name string, detail int) {
	t.Logf("%s: %d requests (%d of them junk, %d taken for an API) to %d templates: pairwise F1 %.4f (right %.0f, joined wrongly %.0f, missed %.0f), mean over APIs %.4f; a segment with a digit is a parameter: F1 %.4f, mean %.4f",
		name, x.requests, x.junk, x.junkTaken, x.templates, x.ours.f1(), x.ours.tp, x.ours.fp, x.ours.fn, x.macro, x.plain.f1(), x.plainMean)
	if x.orders > 0 {
		t.Logf("%s: another order: pairwise F1 between the two partitions %.4f; %d of %d descriptions differ", name, x.shuffled.f1(), x.moved, x.orders)
	}
	show := func(title string, l []mistake) {
		for _, m := range worst(l, detail) {
			t.Logf("  %s %7.0f %s: %.260s", title, m.pairs, m.api, m.what)
		}
	}
	show("over-merged", x.over)
	show("under-merged", x.under)
	show("worst API", x.apis)
}

// TestTemplatesOfPublishedAPIs is the acceptance of templates: on providers that
// were not used for tuning, requests are put together as the published
// templates say, with F1 of at least 0.95 where there are bodies, and in any
// order. Without bodies it is not reached: a crowd of words that no route is
// called by, with one and the same answer (/translate/yoda, /services/redmine),
// may be routes as well as names, and only an edit of the catalogue tells.
// CATALOG_SIDE=tuning measures the other side, CATALOG_EVERY=1 all of it.
func TestTemplatesOfPublishedAPIs(t *testing.T) {
	held, every, detail := true, uint64(16), 3
	if os.Getenv("CATALOG_SIDE") == "tuning" {
		held, detail = false, 25
	}
	if s := os.Getenv("CATALOG_EVERY"); s != "" {
		if _, err := fmt.Sscan(s, &every); err != nil {
			t.Fatalf("CATALOG_EVERY: %v", err)
		}
	}
	if s := os.Getenv("CATALOG_DETAIL"); s != "" {
		if _, err := fmt.Sscan(s, &detail); err != nil {
			t.Fatalf("CATALOG_DETAIL: %v", err)
		}
	}
	list := descriptions(t, held, every)
	for _, mode := range regimes {
		if m := os.Getenv("CATALOG_REGIME"); m != "" && !strings.HasPrefix(mode.name, m) {
			continue
		}
		x := accept(t, list, held, mode, 3)
		x.log(t, mode.name, detail)
		if f := x.ours.f1(); f < mode.floor || f <= x.plain.f1() {
			t.Errorf("%s: pairwise F1 %.4f is below %.2f, or no better than the digit rule", mode.name, f, mode.floor)
		}
		if f := x.shuffled.f1(); f < 0.99 {
			t.Errorf("%s: another order gives another partition: F1 between them %.4f", mode.name, f)
		}
	}
}
