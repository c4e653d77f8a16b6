package judge

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"xiezhi/internal/attack"
	"xiezhi/internal/exchange"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/product"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

// BenchmarkObserve is the whole judge, every detector on, one operation being
// one observation of a shop. Small is a site with a few thousand visitors;
// Million one that the attack engine holds a million live keys of.
func BenchmarkObserve(b *testing.B) {
	b.Run("Small", func(b *testing.B) { observeTown(b, 3000, 0, 60_000) })
	b.Run("Million", func(b *testing.B) { observeTown(b, 235_000, 5<<18, 2_000_000) })
}

func observeTown(b *testing.B, people, cells, before int) {
	j := New(benchConfig(b, cells))
	w := newTown(people)
	for range before {
		j.Observe(w.next())
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		j.Observe(w.next())
	}
	b.StopTimer()
	if cells > 0 && j.attacks.Live() < 1_000_000 {
		b.Fatalf("%d live keys, want a million", j.attacks.Live())
	}
	b.ReportMetric(float64(j.attacks.Live()), "keys")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "observations/s")
}

func benchConfig(tb testing.TB, cells int) Config {
	tb.Helper()
	m, err := message.Load(rules.FS, "messages")
	if err != nil {
		tb.Fatal(err)
	}
	sig, err := signature.Load(rules.FS)
	if err != nil {
		tb.Fatal(err)
	}
	products, err := product.Load(rules.FS)
	if err != nil {
		tb.Fatal(err)
	}
	budget := attack.Budget{Cells: cells}
	if cells > 0 {
		budget.SetBytes = 512 << 20
	}
	return Config{Site: Site{Name: "shop.example"}, Messages: m, Rules: sig, Products: products, Attack: budget}
}

// A town's people use a shop: they sign in, look at lists and goods, and at
// their orders. One in a hundred requests is a login that fails.
type town struct {
	rng    *rand.Rand
	people []person
	now    int64
	n      int
	ids    []string
	kinds  [5]observe.Observation
}

type person struct {
	addr  netip.Addr
	agent uint16
	token uint64
}

func newTown(people int) *town {
	w := &town{rng: rand.New(rand.NewPCG(1, 2)), now: 1_700_000_000e9}
	for i := range people {
		w.people = append(w.people, person{addr: netip.AddrFrom4([4]byte{101, byte(i >> 16), byte(i >> 8), byte(i)}), agent: uint16(w.rng.IntN(60)), token: w.rng.Uint64()})
	}
	for i := range 1 << 12 {
		w.ids = append(w.ids, fmt.Sprintf("exchange-%012x", i))
	}
	seg := func(texts ...string) (out []observe.Segment) {
		for _, t := range texts {
			out = append(out, observe.Segment{Text: t})
		}
		return out
	}
	base := observe.Observation{Host: "shop.example", Caps: exchange.CapWire, Status: 200, HeaderOrder: 11, AgentFamily: "chrome", RespKind: observe.BodyJSON, ReqForm: 1, RespForm: 2, Schema: 3, Code: "0", CodeField: "code", CodeSays: 1}
	for k := range w.kinds {
		w.kinds[k] = base
	}
	login, list, goods, order, mine := &w.kinds[0], &w.kinds[1], &w.kinds[2], &w.kinds[3], &w.kinds[4]
	login.Method, login.Segments, login.ParamShape, login.Schema = "POST", seg("api", "user", "login"), 21, 31
	login.Accounts = []observe.Account{{Name: "phone", Kind: observe.AccountName}}
	login.Passwords = []observe.Password{{Name: "password", Use: observe.PasswordCurrent}}
	login.Params = []observe.Param{{Name: "phone", In: observe.InJSON}, {Name: "password", In: observe.InJSON}}
	login.Issued = []observe.Credential{{Kind: observe.CredBearer}}
	list.Method, list.Segments, list.ParamShape, list.Schema, list.Records = "GET", seg("api", "goods", "list"), 22, 32, 20
	list.Params = []observe.Param{{Name: "page", In: observe.InQuery}, {Name: "size", In: observe.InQuery}}
	goods.Method, goods.Segments, goods.Schema = "GET", seg("api", "goods", ""), 33
	order.Method, order.Segments, order.Schema = "GET", seg("api", "orders", ""), 34
	order.Exposures = []observe.Exposure{{Type: taxonomy.SensCNMobile, Path: "data.phone", Response: true, Count: 1, Distinct: 1, Subjects: []uint64{1}}}
	mine.Method, mine.Segments, mine.Schema = "GET", seg("api", "user", "me"), 35
	for _, o := range []*observe.Observation{order, mine} {
		o.Credentials = []observe.Credential{{Kind: observe.CredBearer}}
	}
	return w
}

func (w *town) next() *observe.Observation {
	w.n++
	w.now += 20e6
	p := &w.people[w.rng.IntN(len(w.people))]
	k := w.rng.IntN(100)
	switch {
	case k < 4:
		k = 0
	case k < 30:
		k = 1
	case k < 70:
		k = 2
	case k < 90:
		k = 3
	default:
		k = 4
	}
	o := &w.kinds[k]
	o.ID, o.Ordinal, o.Seq = w.ids[w.n&(len(w.ids)-1)], 0, uint64(w.n)
	o.Start, o.End = w.now-3e6, w.now
	o.Client = netip.AddrPortFrom(p.addr, 40000)
	o.Agent = uint64(p.agent) + 1000
	o.Status, o.MessageSays = 200, 0
	id := w.rng.Uint64N(5000)
	switch k {
	case 0:
		o.Accounts[0].Token, o.Params[0].Token, o.Passwords[0].Tag = p.token, p.token, uint32(p.token)&0xffffff
		o.Issued = o.Issued[:1]
		o.Issued[0].Token = p.token ^ 7
		if w.rng.IntN(4) == 0 {
			o.Issued, o.Status, o.MessageSays = o.Issued[:0], 401, observe.SaysBadPair
		}
	case 2, 3:
		s := &o.Segments[2]
		s.Text, s.Class = "", observe.ClassInt
		s.Token = id*0x9e3779b97f4a7c15 | 1
		if k == 3 {
			s.Token ^= p.token
			o.Exposures[0].Subjects[0] = p.token
		}
	}
	for i := range o.Credentials {
		o.Credentials[i].Token = p.token ^ 7
	}
	return o
}
