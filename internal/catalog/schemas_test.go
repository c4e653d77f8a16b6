package catalog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
)

// body writes an object of an API: 20 to 40 fields, some of them nested, a few
// with one of few words, one that is not always there.
func body(api int, r *rand.Rand, id string) string {
	of := rand.New(rand.NewPCG(uint64(api), 3))
	var b strings.Builder
	fmt.Fprintf(&b, `{"code":0,"data":{"id":%q`, id)
	n, nested := 18+of.IntN(20), 0
	at := of.IntN(len(fieldNames))
	for i := range n {
		name := fieldNames[(at+i*7)%len(fieldNames)]
		optional := of.IntN(n) == 0
		kind := of.IntN(8)
		if optional && r.IntN(5) == 0 {
			continue
		}
		if i == n/2 {
			b.WriteString(`,"detail":{"note":"a text of some length"`)
			nested++
		}
		fmt.Fprintf(&b, `,"%s_%d":`, name, of.IntN(3))
		switch kind {
		case 0:
			fmt.Fprintf(&b, "%q", []string{"open", "paid", "sent", "closed"}[r.IntN(4)])
		case 1:
			fmt.Fprintf(&b, "%q", day(r).Format("2006-01-02"))
		case 2:
			fmt.Fprint(&b, r.IntN(2) == 0)
		case 3:
			fmt.Fprintf(&b, "%.2f", 0.5+float64(r.IntN(1000)))
		case 4:
			fmt.Fprintf(&b, "%q", syllables(r))
		case 5:
			fmt.Fprintf(&b, `[{"sku":"s-%d","count":%d}]`, r.IntN(1e6), 1+r.IntN(9))
		default:
			fmt.Fprint(&b, r.IntN(100_000))
		}
	}
	b.WriteString(strings.Repeat("}", nested+2))
	return b.String()
}

// APIs with learned schemas fit in memory: 20 kB each, so that 100 000 are
// within 2 GB. CATALOG_SCALE=100000x45 makes that many APIs with so many
// exchanges each; with 40 a form has all its samples.
func TestSchemasFitInMemory(t *testing.T) {
	apis, each := 10_000, 3
	if testing.Short() {
		apis = 2_000
	}
	if s := os.Getenv("CATALOG_SCALE"); s != "" {
		if _, err := fmt.Sscanf(s, "%dx%d", &apis, &each); err != nil {
			t.Fatalf("CATALOG_SCALE: %v", err)
		}
	}
	cfg, err := observerConfig()
	if err != nil {
		t.Fatal(err)
	}
	var m0, m1 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m0)
	forms := form.NewTable(0)
	cfg.Forms = forms
	o, err := observe.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c, ids := catalogue(t), identity.New(identity.Config{})
	var ev Event
	var b observe.Batch
	r := rand.New(rand.NewPCG(1, 2))
	for k := range each {
		for i := range apis {
			id := fmt.Sprint(1000 + i)
			m := message{method: "POST", target: fmt.Sprintf("/svc/v%d/area-list-%s/%s/orders", i%200+1, letters(i/200), id), status: 200, kind: "application/json", client: r.IntN(40), user: r.IntN(20)}
			m.req, m.resp = body(2*i, r, id), body(2*i+1, r, id)
			b.Reset()
			o.Observe(m.exchange(k*apis+i, regime{}), &b)
			who := ids.Resolve(b.At(0))
			c.Assign(b.At(0), &who, &ev)
			ids.Learn(b.At(0), who, ev.Outcome == OutcomeSuccess)
		}
	}
	st := c.Stats()
	if n := forms.Over(); st.APIs < apis*99/100 || n > 0 {
		t.Errorf("%d APIs of %d, %d forms had no room", st.APIs, apis, n)
	}
	b, o = observe.Batch{}, nil
	runtime.GC()
	runtime.ReadMemStats(&m1)
	live := int64(m1.HeapAlloc) - int64(m0.HeapAlloc)
	t.Logf("%d APIs, %d exchanges each, %d forms: %d MB live (%d bytes per API), %d MB from the system", st.APIs, each, forms.Len(), live>>20, live/int64(apis), m1.Sys>>20)
	if live > int64(apis)*20_000+8<<20 {
		t.Errorf("%d bytes for %d APIs", live, apis)
	}
	if apis >= 100_000 && m1.Sys > 2<<30 {
		t.Errorf("%d MB from the system", m1.Sys>>20)
	}
	runtime.KeepAlive(c)
	runtime.KeepAlive(forms)
	runtime.KeepAlive(ids)
}
