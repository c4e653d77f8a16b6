package catalog

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"xiezhi/internal/observe"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/taxonomy"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// anything is traffic of a small world in which everything happens: many
// paths that share pieces, few schemas, all statuses.
func anything(r *rand.Rand) *build {
	pieces := []string{"", "users", "orders", "v1", "me", "login", "alice", "bob", "carol105", "carol106", "sku-1", "sku-2", "sku-3", "17", "18", "list", "zorb", "blick", "a@b.cn", "x:approve", "9:detach", ".git", "zhangwei", "结果", "q r", "form.html", "7.pdf"}
	path := ""
	for range 1 + r.IntN(4) {
		path += "/" + pieces[r.IntN(len(pieces))]
	}
	b := request([]string{"GET", "GET", "GET", "POST", "PUT", "HEAD", "OPTIONS", "bad method"}[r.IntN(8)], path)
	b.from(fmt.Sprintf("203.0.113.%d", r.IntN(4)))
	switch r.IntN(8) {
	case 0:
		b.small([]uint16{400, 401, 403, 404, 405, 409, 429, 500, 302, 0, 999}[r.IntN(11)], "e")
	case 1:
		b.html(200, uint64(r.IntN(3)))
	case 2:
		b.small(200, "ok")
	case 3:
		b.small(200, "ok").says(observe.MessageClass(1<<r.IntN(13)), fmt.Sprint(r.IntN(3)), int8(r.IntN(3)-1))
	default:
		b.json(200, fmt.Sprint(r.IntN(3))).leaf("data.owner", pieces[r.IntN(len(pieces))]).leaf("data.id", fmt.Sprint(r.IntN(9)))
	}
	switch r.IntN(6) {
	case 0:
		b.Protocol, b.Operation = rpc.JSONRPC, pieces[1+r.IntN(8)]
	case 1:
		b.Protocol, b.Operation, b.Root = rpc.GraphQL, fmt.Sprint("query Q", r.IntN(9)), fmt.Sprint("query f", r.IntN(2))
	case 2:
		b.Dispatch = []observe.Dispatch{{Name: "method", Value: pieces[1+r.IntN(5)], Rank: 2}, {Name: "m", Value: "x", Rank: 1}}[r.IntN(2):][:1]
		b.param(fmt.Sprint("p", r.IntN(4)), "1")
	}
	if r.IntN(4) == 0 {
		b.bearer(fmt.Sprint(r.IntN(5)))
	}
	if r.IntN(9) == 0 {
		b.login(pieces[r.IntN(len(pieces))]).issue(fmt.Sprint(r.IntN(5)))
	}
	return b
}

// size counts nodes and operations below n, checking the links.
func size(t *rapid.T, n *node) (nodes, ops int) {
	ops = len(n.ops)
	for _, p := range n.ops {
		if p.node != n {
			t.Fatalf("%s stands at a node it does not know", p.Template)
		}
		if !n.operation && n.in.ops.get(n.in.operation(n.key, p.Method)) != p {
			t.Fatalf("%s is not found under its key", p.Template)
		}
	}
	for _, k := range n.order {
		if n.lit(k.text) != k {
			t.Fatalf("%q is not found below %q", k.text, n.text)
		}
	}
	sums := map[uint64]support{}
	kids := append([]*node(nil), n.order...)
	for _, k := range n.order {
		for _, f := range k.feats {
			s := sums[f.key]
			sums[f.key] = support{s.n + 1, s.sum + k.weight, s.firm + k.firm, s.files + int32(boolInt(k.file))}
		}
	}
	if n.support == nil {
		sums = nil
		if len(n.order) > 1 {
			t.Fatalf("%d literals and no support", len(n.order))
		}
	}
	if len(sums) != len(n.support) {
		t.Fatalf("%d features supported, counted %d", len(n.support), len(sums))
	}
	for k, s := range n.support {
		if sums[k] != s {
			t.Fatalf("support %v, counted %v", s, sums[k])
		}
	}
	if n.calls != nil {
		if len(n.calls.order) != len(n.calls.by) {
			t.Fatalf("%d operations in order, %d by name", len(n.calls.order), len(n.calls.by))
		}
		kids = append(kids, n.calls.order...)
	}
	if n.group != nil {
		kids = append(kids, n.group)
	}
	for _, k := range kids {
		if k.parent != n {
			t.Fatalf("%q does not know its parent", k.text)
		}
		a, b := size(t, k)
		nodes, ops = nodes+1+a, ops+b
	}
	return nodes, ops
}

func TestAnyTrafficKeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		n := rapid.IntRange(1, 600).Draw(rt, "n")
		var last []string
		for range 2 { // twice: the same events give the same catalogue
			r := rand.New(rand.NewPCG(seed, 7))
			s := newSite(t)
			counts := map[Handle]uint64{}
			for range n {
				b := anything(r)
				ev := s.do(b)
				for _, m := range ev.Merges {
					if m.From == m.Into || s.Resolve(m.From) == m.From {
						rt.Fatalf("merge %v did not happen", m)
					}
					counts[m.Into] += counts[m.From]
					delete(counts, m.From)
				}
				if ev.API != nil {
					counts[ev.API.Handle]++
					if s.Get(ev.API.Handle) != ev.API {
						rt.Fatal("the event's API is not the surviving one")
					}
				}
				s.Lookup(&b.Observation)
			}
			nodes, ops := 0, 0
			for _, root := range s.roots {
				a, b := size(rt, root)
				nodes, ops = nodes+a, ops+b
			}
			if lits, ops := literals(s.Catalog); lits != s.places.literals.n || ops != s.places.ops.n {
				rt.Fatalf("%d literals and %d operations in the trees, %d and %d in the tables", lits, ops, s.places.literals.n, s.places.ops.n)
			}
			if nodes != s.nodes || ops != s.live {
				rt.Fatalf("%d nodes and %d operations, counted %d and %d", nodes, ops, s.nodes, s.live)
			}
			var now []string
			ids := map[string]string{}
			for h, p := range s.ops {
				if h == 0 || s.Resolve(Handle(h)) != Handle(h) {
					continue
				}
				if counts[p.Handle] != p.Exchanges {
					rt.Fatalf("%s %s: %d folded, %d counted", p.Method, p.Template, counts[p.Handle], p.Exchanges)
				}
				if other, twice := ids[p.ID]; twice {
					rt.Fatalf("%s and %s share an id", other, p.Method+p.Template)
				}
				ids[p.ID] = p.Method + p.Template
				now = append(now, fmt.Sprint(p.API.Method, p.API.Template, p.API.Role, p.API.Outcomes, p.API.ID, p.API.Owner))
			}
			if last != nil {
				if d := cmp.Diff(last, now); d != "" {
					rt.Fatalf("not the same twice:\n%s", d)
				}
			}
			last = now
		}
	})
}

func TestLifecycle(t *testing.T) {
	const day = int64(24 * time.Hour)
	for name, c := range map[string]struct {
		a    API
		now  int64
		want taxonomy.Lifecycle
	}{
		"first day":   {API{First: 0, Last: day / 2, Exchanges: 5}, day / 2, taxonomy.LifeNew},
		"busy":        {API{First: 0, Last: 10 * day, Exchanges: 1000}, 10 * day, taxonomy.LifeActive},
		"seldom":      {API{First: 0, Last: 10 * day, Exchanges: 12}, 10 * day, taxonomy.LifeRunning},
		"a week idle": {API{First: 0, Last: 10 * day, Exchanges: 1000}, 18 * day, taxonomy.LifeInactive},
		"gone":        {API{First: 0, Last: 10 * day, Exchanges: 1000}, 41 * day, taxonomy.LifeRetired},
	} {
		if got := c.a.Lifecycle(c.now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// literals counts the literal nodes of all trees, and the operations that are
// not named.
func literals(c *Catalog) (n, ops int) {
	var below func(x *node)
	below = func(x *node) {
		n += len(x.order)
		ops += len(x.ops)
		for _, k := range x.order {
			below(k)
		}
		if x.group != nil {
			below(x.group)
		}
	}
	for _, root := range c.roots {
		below(root)
	}
	if c.shared != nil {
		below(c.shared)
	}
	return n, ops
}
