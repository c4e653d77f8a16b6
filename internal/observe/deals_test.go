package observe

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/rules"
)

// TestDealNames holds the lexicon against its own cases.
func TestDealNames(t *testing.T) {
	n, err := LoadNames(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	_, _, cases, err := loadDeals(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	of := func(name string) string {
		parent, key := "", strings.TrimSuffix(name, "]")
		if i := strings.LastIndexAny(key, ".["); i >= 0 {
			parent, key = key[:i], key[i+1:]
		}
		return n.describe(name, key, parent, 1, false).deal.String()
	}
	for kind, c := range cases {
		for _, name := range c[0] {
			if got := of(name); got != kind {
				t.Errorf("%s is %q, not %s", name, got, kind)
			}
		}
		for _, name := range c[1] {
			if got := of(name); got == kind {
				t.Errorf("%s is taken for %s", name, kind)
			}
		}
	}
}

var jsonType = []string{"Content-Type", "application/json"}

func dealsOf(t *testing.T, body string, head ...string) map[string][]Deal {
	t.Helper()
	m := map[string][]Deal{}
	for _, d := range observe(t, call{target: "/x", head: append(head, jsonType...), body: body}).Deals {
		m[d.Kind.String()] = append(m[d.Kind.String()], d)
	}
	return m
}

func TestDeals(t *testing.T) {
	a := dealsOf(t, `{"card":{"number":"4111 1111 1111 1111","cvc":"123","exp_month":12,"exp_year":2027},"payAmount":"12.50","deviceId":"3f9a-77b2-c1","payeeAccount":"bob@example.com","receiverAddress":"北京市海淀区中关村1号","inviteCode":"AX93K2","items":[{"skuId":"s-1"},{"skuId":"s-2"}]}`)
	for kind, n := range map[string]int{"card": 1, "cvv": 1, "expiry": 2, "amount": 1, "device": 1, "payee": 1, "address": 1, "inviter": 1, "offer": 2} {
		if len(a[kind]) != n {
			t.Errorf("%d of %s, not %d: %+v", len(a[kind]), kind, n, a)
		}
	}
	card := a["card"][0]
	if card.Flaw || card.Range == 0 || card.Set.Prefix == 0 || card.Token == 0 {
		t.Errorf("card %+v", card)
	}
	if got := a["amount"][0].Size; got != 11 { // 1250 hundredths
		t.Errorf("amount of size %d", got)
	}
	// another card of the same issuer, next to it
	b := dealsOf(t, `{"cardNo":"4111111111111129","cvv2":"123"}`)["card"]
	if len(b) != 1 || b[0].Range != card.Range || b[0].Token == card.Token || b[0].Set.Prefix != card.Set.Prefix {
		t.Errorf("neighbour %+v of %+v", b, card)
	}
	if c := dealsOf(t, `{"cardNo":"4111111111111112","cvv2":"124"}`); len(c["card"]) != 1 || !c["card"][0].Flaw || c["cvv"][0].Token == a["cvv"][0].Token {
		t.Errorf("card without check digit: %+v", c)
	}
	// one device in a header and in a body, whatever its spelling
	h := dealsOf(t, `{}`, "X-Device-Id", "3F9A-77B2-C1")
	if len(h["device"]) != 1 || h["device"][0].Token != a["device"][0].Token {
		t.Errorf("device in a header: %+v", h)
	}
	for _, body := range []string{`{"deviceId":"00000000-0000-0000"}`, `{"deviceId":"unknown"}`, `{"deviceId":"null"}`, `{"cvv":"123","expMonth":"12"}`, `{"cardNo":"12345"}`, `{"cardNo":"abcdefghijklmnop"}`, `{"payAmount":"-1"}`, `{"amount":""}`} {
		if d := dealsOf(t, body); len(d) != 0 {
			t.Errorf("%s: %+v", body, d)
		}
	}
	long := `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"skuId":"%"},`, 40), ",") + `],"deviceId":"3f9a-77b2-c1"}`
	for i := range 40 {
		long = strings.Replace(long, "%", fmt.Sprint("s", i), 1)
	}
	if d := dealsOf(t, long); len(d["offer"]) != maxSame || len(d["device"]) != 1 {
		t.Errorf("a long basket: %+v", d)
	}
}

// TestDealsArePrivate: what a card is proven by leaves nothing but a tag of the
// day.
func TestDealsArePrivate(t *testing.T) {
	for _, cvv := range []string{"7391", "739"} {
		o := observe(t, call{target: "/x?card_exp=09/31", head: jsonType, body: `{"pan":"4111111111111111","cvv":"` + cvv + `"}`})
		for _, p := range o.Params {
			if (p.Name == "cvv" || p.Name == "card_exp") && (p.Token != 0 || p.Set != SetFeature{} || p.Shape != "***") {
				t.Errorf("%s keeps %+v", p.Name, p)
			}
		}
		if s := fmt.Sprintf("%+v", o); strings.Contains(s, "739") && strings.Contains(s, `"739`) || strings.Contains(s, "09/31") || strings.Contains(s, "411111") {
			t.Errorf("plaintext in %s", s)
		}
	}
}

func BenchmarkDeals(b *testing.B) {
	c := call{target: "/pay", head: append([]string{"X-Device-Id", "3F9A-77B2-C1"}, jsonType...), body: `{"card":{"number":"4111111111111111","cvc":"123","exp_month":12,"exp_year":2027},"payAmount":"12.50","payeeAccount":"bob@example.com","inviteCode":"AX93K2","skuId":"s-1"}`}
	o, x := newObserver(b), c.exchange()
	var out Batch
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		o.Observe(x, &out)
	}
}
