package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xiezhi/internal/observe/form"
)

// formed observes calls with a table and gives the table and the keys.
func formed(t *testing.T, calls ...call) (*form.Table, []Observation) {
	t.Helper()
	o := newObserver(t)
	o.cfg.Forms = form.NewTable(0)
	var out []Observation
	for _, c := range calls {
		var b Batch
		o.Observe(c.exchange(), &b)
		for i := range b.Len() {
			out = append(out, *b.At(i))
		}
	}
	return o.cfg.Forms, out
}

// spelled writes a form as its fields.
func spelled(f *form.Form) string {
	if f == nil {
		return "-"
	}
	names := []struct {
		b form.Bits
		s string
	}{{form.Word, "word"}, {form.Text, "text"}, {form.Empty, "empty"}, {form.Date, "date"}, {form.DateTime, "date-time"}, {form.Stamp, "stamp"}, {form.UUID, "uuid"}, {form.URI, "uri"}, {form.IPv4, "ipv4"},
		{form.Int, "int"}, {form.Long, "long"}, {form.Float, "float"}, {form.Bool, "bool"}, {form.Null, "null"}, {form.Object, "{}"}, {form.Array, "[]"}, {form.IntText, "digits"}, {form.FloatText, "fraction"},
		{form.BoolText, "truth"}, {form.File, "file"}, {form.InQuery, "query"}, {form.InForm, "form"}, {form.InJSON, "json"}, {form.InBody, "body"}, {form.InPath, "path"}, {form.InHeader, "header"}}
	var out []string
	for _, x := range f.Fields {
		s := x.Path + ":"
		for _, n := range names {
			if x.Bits&n.b != 0 {
				s += " " + n.s
			}
		}
		if x.Secret {
			s += " secret"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestForms(t *testing.T) {
	jsonHead := []string{"Content-Type", "application/json"}
	for name, c := range map[string]struct {
		c     call
		asked string
		given string
	}{
		"query": {call{target: "/a?page=2&q=a+b&all=true&at=2024-01-02&x=1.5&e="}, "all: truth query, at: date query, e: empty query, page: digits query, q: text query, x: fraction query", "-"},
		"form":  {call{target: "/a", head: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: "user=bob&password=Tr0ub4dor"}, "password: text form secret, user: word form", "-"},
		"json":  {call{target: "/a?v=1", head: jsonHead, body: `{"a":{"n":1,"m":12345678901},"list":[{"x":"paid"},{"x":null}],"e":{},"f":[]}`}, "a.m: long json, a.n: int json, e: {} json, f: [] json, list[].x: word null json, v: digits query", "-"},
		"file":  {call{target: "/up", head: []string{"Content-Type", "multipart/form-data; boundary=x"}, body: "--x\r\nContent-Disposition: form-data; name=\"pic\"; filename=\"a.png\"\r\n\r\nabc\r\n--x\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n--x--"}, "n: digits form, pic: file form", "-"},
		"answer": {call{target: "/a", respBody: `{"code":0,"data":{"id":"550e8400-e29b-41d4-a716-446655440000","at":"2024-01-02T03:04:05Z","u":"https://a.b/c","13800138000":{"n":1.5},"13800138001":{"n":1}}}`},
			"-", "code: int, data.at: date-time, data.id: uuid, data.u: uri, data.{}.n: int float"},
		"XML": {call{target: "/a", respHead: []string{"Content-Type", "text/xml"}, respBody: "<r><item><n>1</n></item><item><n>b</n></item></r>"}, "-", "item[].n: word text"},
	} {
		t.Run(name, func(t *testing.T) {
			table, obs := formed(t, c.c)
			if got := spelled(table.Get(obs[0].ReqForm)); got != c.asked {
				t.Errorf("asked %q, want %q", got, c.asked)
			}
			if got := spelled(table.Get(obs[0].RespForm)); got != c.given && name != "XML" {
				t.Errorf("given %q, want %q", got, c.given)
			} else if name == "XML" && got == "-" {
				t.Error("XML has no form")
			}
		})
	}
}

// Of the header, what says something to the application is a parameter.
func TestHeadForms(t *testing.T) {
	browser := []string{"User-Agent", "Mozilla/5.0", "Accept", "*/*", "Sec-Fetch-Mode", "cors", "X-Requested-With", "XMLHttpRequest", "X-Forwarded-For", "192.0.2.1", "traceparent", "00-1-2-01",
		"Cookie", "sid=abc", "Referer", "https://shop.test/", "Content-Type", "application/json", "X-Amzn-Trace-Id", "Root=1", "Authorization", "Bearer abc", "X-Api-Key", "k3y", "CF-Ray", "1-FRA"}
	table, obs := formed(t, call{target: "/a?id=1", head: browser},
		call{target: "/a?X-Tenant=1", head: append([]string{"X-Tenant", "acme", "app_version", "7", "Idempotency-Key", "550e8400-e29b-41d4-a716-446655440000"}, browser...)},
		call{target: "/b", host: "other.test", head: []string{"idempotency-key", "550e8400-e29b-41d4-a716-446655440001", "APP_VERSION", "8", "x-tenant", "umbrella"}})
	if obs[0].HeadForm != 0 {
		t.Errorf("a browser has %q", spelled(table.Get(obs[0].HeadForm)))
	}
	if got, want := spelled(table.Get(obs[1].HeadForm)), "app_version: digits header, idempotency-key: uuid header, x-tenant: word header"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := spelled(table.Get(obs[1].ReqForm)), "X-Tenant: digits query"; got != want {
		t.Errorf("the query is %q, want %q", got, want)
	}
	if obs[1].HeadForm != obs[2].HeadForm {
		t.Error("spelling, order, values or place matter")
	}
	many := call{target: "/a"}
	for i := range maxHeads + 1 {
		many.head = append(many.head, fmt.Sprint("X-Guess-", i), "1")
	}
	if _, obs := formed(t, many); obs[0].HeadForm != 0 {
		t.Error("a search for hidden headers is a form")
	}
}

// What is made alike has one key, whatever the order and the values; what is
// not, has another.
func TestFormKeys(t *testing.T) {
	body := func(s string) call { return call{target: "/orders/1", respBody: s} }
	_, obs := formed(t, body(`{"a":1,"b":[{"c":"paid"},{"c":"open"}]}`), body(`{"b":[{"c":"void"}],"a":7}`), body(`{"b":[{"c":"void"}],"a":null}`), body(`{"b":[{"c":"two words"}],"a":7}`),
		call{target: "/refunds/1", respBody: `{"b":[{"c":"void"}],"a":7}`}, call{target: "/orders/1", respBody: `{"b":[{"c":"void"}],"a":7}`, status: 404}, call{target: "/refunds/1", respBody: `{"b":[{"c":"void"}],"a":7}`, status: 404})
	key := func(i int) uint64 { return obs[i].RespForm }
	if key(0) == 0 || key(0) != key(1) {
		t.Error("the order of fields or the number of elements matters")
	}
	for _, i := range []int{2, 3, 4} {
		if key(i) == key(0) {
			t.Errorf("observation %d has the key of the first", i)
		}
	}
	if key(5) != key(6) {
		t.Error("errors differ by path")
	}
}

// Words are kept of fields that are nobody's, and of no others.
func TestSamplesHoldNoPersonalWords(t *testing.T) {
	var calls []call
	for range 30 {
		calls = append(calls, call{target: "/orders?state=paid&owner=alice&password=letmein&name=zhangsan&token=abcdefghijkl&q=13800138000",
			respBody: `{"state":"open","username":"alice","realName":"zhangsan","city":"x1y2","nickname":"bob"}`})
	}
	table, obs := formed(t, calls...)
	words := map[string]bool{}
	for _, k := range []uint64{obs[0].ReqForm, obs[0].RespForm} {
		for _, s := range table.Get(k).Samples {
			for _, w := range s.Words {
				words[w.Text] = true
			}
		}
	}
	if !words["paid"] || !words["open"] {
		t.Errorf("states are missing: %v", words)
	}
	for _, w := range []string{"alice", "letmein", "zhangsan", "abcdefghijkl", "bob"} {
		if words[w] {
			t.Errorf("the word %q was kept", w)
		}
	}
}

// An exchange that is made like an earlier one allocates nothing for its form.
func TestKnownFormsAllocateNothing(t *testing.T) {
	c := call{target: "/orders?page=2", respBody: `{"list":[` + strings.TrimSuffix(strings.Repeat(`{"id":1,"state":"paid","at":"2024-01-02T03:04:05Z"},`, 20), ",") + `]}`}
	with, without := newObserver(t), newObserver(t)
	with.cfg.Forms = form.NewTable(0)
	measure := func(o *Observer) float64 {
		var b Batch
		x := c.exchange()
		for i := range 200 { // samples settle
			x.ID = fmt.Append(nil, "warm", i)
			b.Reset()
			o.Observe(x, &b)
		}
		x.ID = []byte("steady")
		return testing.AllocsPerRun(200, func() { b.Reset(); o.Observe(x, &b) })
	}
	if a, b := measure(with), measure(without); a > b {
		t.Errorf("%v allocations with a table, %v without", a, b)
	}
}

// The hash of a form is one of the observation, hence pure.
func TestFormsTravelWithObservations(t *testing.T) {
	_, obs := formed(t, samples()...)
	if !slices.ContainsFunc(obs, func(o Observation) bool { return o.ReqForm != 0 }) || !slices.ContainsFunc(obs, func(o Observation) bool { return o.RespForm != 0 }) {
		t.Fatal("no observation has a form")
	}
	plain := newObserver(t)
	i := 0
	for _, c := range samples() {
		var b Batch
		plain.Observe(c.exchange(), &b)
		for k := range b.Len() {
			if o := b.At(k); o.ReqForm != obs[i].ReqForm || o.RespForm != obs[i].RespForm {
				t.Errorf("%s: the key depends on there being a table", c.target)
			}
			i++
		}
	}
}
