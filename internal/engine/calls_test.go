package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xiezhi/internal/engine"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
)

// say is one message of a stream.
type say struct {
	sent bool
	text string
}

// stream writes an exchange that opens a WebSocket and what is said on it, a
// second between messages.
func (s *traffic) stream(client, target string, list []say) {
	s.send(ask{client: client, target: target, status: 101, headers: []pair{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}, ctype: "text/plain", say: list})
}

// templates gives "METHOD template" of every API, sorted.
func templates(r report.Report) (list []string) {
	for _, a := range r.APIs {
		list = append(list, a.Method+" "+a.Template)
	}
	slices.Sort(list)
	return list
}

// attacks gives "kind template,template" of the attacks from likely on.
func attacks(r report.Report) (list []string) {
	where := map[string]string{}
	for _, a := range r.APIs {
		where[a.ID] = a.Template
	}
	for _, a := range r.Attacks {
		if a.Verdict != "likely" && a.Verdict != "confirmed" {
			continue
		}
		var on []string
		for _, id := range a.APIs {
			on = append(on, where[id])
		}
		slices.Sort(on)
		list = append(list, a.Kind+" "+strings.Join(on, ","))
	}
	slices.Sort(list)
	return list
}

func wantAPIs(t *testing.T, r report.Report, want ...string) {
	t.Helper()
	have := templates(r)
	for _, w := range want {
		if !slices.Contains(have, w) {
			t.Errorf("no API %s among\n%s", w, strings.Join(have, "\n"))
		}
	}
}

func graphql(document string, variables any) string {
	b, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// shop is honest use of a GraphQL application: people sign in, pages ask for
// many things in one batch, galleries ask for one field under several aliases.
func (s *traffic) shop(people int) {
	for i := range people {
		client := fmt.Sprintf("198.51.100.%d", 1+i%200)
		if i%9 == 0 {
			s.send(ask{client: client, method: "POST", target: "/graphql", body: graphql(fmt.Sprintf(`mutation Login { login(username: "person%d", password: "wrong") { token } }`, i), nil),
				resp: `{"data":{"login":null},"errors":[{"message":"Invalid username or password","path":["login"],"extensions":{"code":"UNAUTHENTICATED"}}]}`})
		}
		s.send(ask{client: client, method: "POST", target: "/graphql", body: graphql(`mutation Login($u: String!, $p: String!) { login(username: $u, password: $p) { token } }`, map[string]string{"u": fmt.Sprintf("person%d", i), "p": fmt.Sprintf("Secret-%d!", i*37)}),
			resp: fmt.Sprintf(`{"data":{"login":{"token":"tok%032d"}}}`, i)})
		auth := []pair{{"Authorization", fmt.Sprintf("Bearer tok%032d", i)}}
		s.send(ask{client: client, method: "POST", target: "/graphql", headers: auth,
			body: `[` + graphql(`query Me { me { id email } }`, nil) + `,` + graphql(`query Cart { cart { total items { sku } } }`, nil) + `,` + graphql(`query Products($page: Int) { products(page: $page) { id name } }`, map[string]int{"page": i % 5}) + `]`,
			resp: fmt.Sprintf(`[{"data":{"me":{"id":%d,"email":"p%d@mail.example"}}},{"data":{"cart":{"total":%d,"items":[{"sku":"A1"},{"sku":"B2"}]}}},{"data":{"products":[{"id":1,"name":"Kettle"},{"id":2,"name":"Cup"}]}}]`, 1000+i, i, i)})
		s.send(ask{client: client, method: "POST", target: "/graphql", headers: auth, body: graphql(fmt.Sprintf(`{ a: product(id: %d) { id name } b: product(id: %d) { id name } c: product(id: %d) { id name } }`, i%7, i%5+10, i%3+20), nil),
			resp: fmt.Sprintf(`{"data":{"a":{"id":%d,"name":"Kettle"},"b":{"id":%d,"name":"Cup"},"c":{"id":%d,"name":"Pan"}}}`, i%7, i%5+10, i%3+20)})
	}
}

func TestGraphQL(t *testing.T) {
	t.Run("use", func(t *testing.T) {
		s := newTraffic("shop.example.net")
		s.shop(60)
		r := s.analyse(t)
		wantAPIs(t, r, "POST /graphql#mutation Login", "POST /graphql#query Me", "POST /graphql#query Cart", "POST /graphql#query Products", "POST /graphql#query product")
		if list := attacks(r); len(list) > 0 {
			t.Errorf("honest use is an attack: %v", list)
		}
		for _, a := range r.APIs {
			if a.Template == "/graphql#mutation Login" && (a.Role != "login" || a.Operation != "mutation Login" || a.Protocol != "graphql") {
				t.Errorf("%s: role %s, operation %q of %q", a.Template, a.Role, a.Operation, a.Protocol)
			}
		}
	})
	// A hundred passwords in each of a few requests, under aliases.
	t.Run("guessing by aliases", func(t *testing.T) {
		s := newTraffic("shop.example.net")
		s.shop(60)
		for n := range 5 {
			var doc, data, errors []string
			for i := range 100 {
				doc = append(doc, fmt.Sprintf(`a%d: login(username: "admin", password: "guess%d")  { token }`, i, n*100+i))
				data = append(data, fmt.Sprintf(`"a%d":null`, i))
				errors = append(errors, fmt.Sprintf(`{"message":"Invalid username or password","path":["a%d"],"extensions":{"code":"UNAUTHENTICATED"}}`, i))
			}
			s.send(ask{client: "203.0.113.200", method: "POST", target: "/graphql", body: graphql("mutation M"+fmt.Sprint(n)+" {"+strings.Join(doc, "\n")+"}", nil),
				resp: `{"data":{` + strings.Join(data, ",") + `},"errors":[` + strings.Join(errors, ",") + `]}`})
		}
		r := s.analyse(t)
		if list := attacks(r); !slices.Contains(list, "brute_force /graphql#mutation login") {
			t.Errorf("attacks %v", list)
		}
	})
}

// JSON-RPC: reading people one after the other, fifty in a batch.
func TestJSONRPC(t *testing.T) {
	call := func(id, user int) (string, string) {
		return fmt.Sprintf(`{"jsonrpc":"2.0","method":"user.get","params":{"id":%d},"id":%d}`, user, id),
			fmt.Sprintf(`{"jsonrpc":"2.0","result":{"id":%d,"name":"person %d","phone":"139%08d","email":"u%d@mail.example"},"id":%d}`, user, user, 10000000+user*7919, user, id)
	}
	use := func(s *traffic) {
		for i := range 80 {
			auth := []pair{{"Authorization", fmt.Sprintf("Bearer sess%028d", i)}}
			client := fmt.Sprintf("198.51.100.%d", 1+i)
			q, a := call(1, 5000+i*13)
			s.send(ask{client: client, method: "POST", target: "/rpc", headers: auth, body: `[` + q + `,{"jsonrpc":"2.0","method":"cart.get","id":2},{"jsonrpc":"2.0","method":"log.visit","params":{"page":"home"}}]`,
				resp: `[` + a + fmt.Sprintf(`,{"jsonrpc":"2.0","result":{"items":[{"sku":"A%d"}],"total":5},"id":2}]`, i)})
			s.send(ask{client: client, method: "POST", target: "/rpc", headers: auth, body: fmt.Sprintf(`{"jsonrpc":"2.0","method":"order.create","params":{"sku":"A%d","count":1},"id":3}`, i), resp: fmt.Sprintf(`{"jsonrpc":"2.0","result":{"orderNo":"2026%08d"},"id":3}`, i)})
		}
	}
	t.Run("use", func(t *testing.T) {
		s := newTraffic("rpc.example.net")
		use(s)
		r := s.analyse(t)
		wantAPIs(t, r, "POST /rpc#user.get", "POST /rpc#cart.get", "POST /rpc#order.create", "POST /rpc#log.visit")
		if list := attacks(r); len(list) > 0 {
			t.Errorf("honest use is an attack: %v", list)
		}
	})
	t.Run("scraping by batches", func(t *testing.T) {
		s := newTraffic("rpc.example.net")
		use(s)
		for n := range 20 {
			var q, a []string
			for i := range 50 {
				x, y := call(i, 100000+n*50+i)
				q, a = append(q, x), append(a, y)
			}
			s.send(ask{client: "203.0.113.200", method: "POST", target: "/rpc", headers: []pair{{"Authorization", "Bearer sess99999999999999999999"}}, body: "[" + strings.Join(q, ",") + "]", resp: "[" + strings.Join(a, ",") + "]"})
		}
		r := s.analyse(t)
		if list := attacks(r); len(list) == 0 || !strings.Contains(strings.Join(list, " "), "/rpc#user.get") {
			t.Errorf("attacks %v", list)
		}
	})
	// Names that the server does not know are scan noise, those that clients
	// invent for what it knows are bounded.
	t.Run("invented names", func(t *testing.T) {
		s := newTraffic("rpc.example.net")
		use(s)
		s.shop(5)
		for i := range 2000 {
			s.send(ask{client: "203.0.113.200", method: "POST", target: "/rpc", body: fmt.Sprintf(`{"jsonrpc":"2.0","method":"probe.m%d","id":1}`, i), resp: `{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}`})
			s.send(ask{client: "203.0.113.201", method: "POST", target: "/graphql", body: graphql(fmt.Sprintf(`query Q%d { products { id } }`, i), nil), resp: `{"data":{"products":[{"id":1},{"id":2}]}}`})
		}
		r := s.analyse(t)
		wantAPIs(t, r, "POST /rpc#user.get", "POST /graphql#query products")
		if n := len(r.APIs); n > 20 {
			t.Errorf("%d APIs:\n%s", n, strings.Join(templates(r), "\n"))
		}
	})
}

// XML-RPC: system.multicall tries a password with each of its calls.
func TestXMLRPCMulticall(t *testing.T) {
	value := func(s string) string { return "<value><string>" + s + "</string></value>" }
	s := newTraffic("blog.example.net")
	s.background()
	for n := range 6 {
		var calls, answers []string
		for i := range 60 {
			calls = append(calls, "<value><struct><member><name>methodName</name>"+value("wp.getUsersBlogs")+"</member><member><name>params</name><value><array><data>"+value("admin")+value(fmt.Sprintf("guess%d", n*60+i))+"</data></array></value></member></struct></value>")
			answers = append(answers, "<value><struct><member><name>faultCode</name><value><int>403</int></value></member><member><name>faultString</name>"+value("Incorrect username or password.")+"</member></struct></value>")
		}
		s.send(ask{client: "203.0.113.200", method: "POST", target: "/xmlrpc.php", ctype: "text/xml",
			body: "<?xml version=\"1.0\"?><methodCall><methodName>system.multicall</methodName><params><param><value><array><data>" + strings.Join(calls, "") + "</data></array></value></param></params></methodCall>",
			resp: "<?xml version=\"1.0\"?><methodResponse><params><param><value><array><data>" + strings.Join(answers, "") + "</data></array></value></param></params></methodResponse>"})
	}
	if list := attacks(s.analyse(t)); len(list) != 1 || !strings.HasPrefix(list[0], "brute_force ") {
		t.Errorf("attacks %v", list)
	}
}

// Stolen pairs tried on a WebSocket, one login after the other.
func TestWebSocketStuffing(t *testing.T) {
	chat := func(s *traffic) {
		for i := range 60 {
			answer := `{"id":1,"type":"login","ok":true,"token":"` + fmt.Sprintf("tok%032d", i) + `"}`
			list := []say{{true, fmt.Sprintf(`{"type":"login","id":1,"username":"person%d","password":"Secret-%d!"}`, i, i*31)}, {false, answer}}
			for k := range 6 {
				list = append(list, say{true, fmt.Sprintf(`{"type":"send","id":%d,"room":%d,"text":"good morning %d"}`, k+2, i%7, k)}, say{false, fmt.Sprintf(`{"id":%d,"type":"sent","messageId":%d}`, k+2, i*100+k)}, say{false, `{"type":"news","room":3,"from":"amy","text":"hi"}`})
			}
			s.stream(fmt.Sprintf("198.51.100.%d", 1+i), "/ws", list)
		}
	}
	t.Run("use", func(t *testing.T) {
		s := newTraffic("chat.example.net")
		s.background()
		chat(s)
		r := s.analyse(t)
		wantAPIs(t, r, "GET /ws", "WS /ws#login", "WS /ws#send", "WS /ws#news")
		if list := attacks(r); len(list) > 0 {
			t.Errorf("honest use is an attack: %v", list)
		}
	})
	t.Run("stuffing", func(t *testing.T) {
		s := newTraffic("chat.example.net")
		s.background()
		chat(s)
		for n := range 8 {
			var list []say
			for i := range 31 {
				list = append(list, say{true, fmt.Sprintf(`{"type":"login","id":%d,"username":"victim%d@mail.example","password":"leaked%d"}`, i, n*31+i, (n*31+i)*97)},
					say{false, fmt.Sprintf(`{"id":%d,"type":"error","message":"wrong password"}`, i)})
			}
			s.stream("203.0.113.200", "/ws", list)
		}
		r := s.analyse(t)
		if list := attacks(r); len(list) == 0 || !strings.HasSuffix(list[0], "/ws#login") {
			t.Errorf("attacks %v", list)
		}
	})
}

// One path that serves many functions, and paths that only filter.
func TestDispatch(t *testing.T) {
	s := newTraffic("api.example.net")
	s.background()
	for i := range 40 {
		client := fmt.Sprintf("198.51.100.%d", 1+i)
		get := func(target, resp string) { s.send(ask{client: client, target: target, resp: resp}) }
		get(fmt.Sprintf("/router/rest?method=shop.item.get&app_key=1&num_iid=%d", i), fmt.Sprintf(`{"item":{"num_iid":%d,"title":"Kettle"}}`, i))
		get(fmt.Sprintf("/router/rest?method=shop.trade.list&app_key=1&page=%d&start=2026-01-01", i%3), `{"trades":[{"tid":1,"payment":"5.00"},{"tid":2,"payment":"6.00"}]}`)
		get(fmt.Sprintf("/router/rest?method=shop.user.info&app_key=1&nick=n%d", i), fmt.Sprintf(`{"user":{"nick":"n%d","level":%d}}`, i, i%4))
		get(fmt.Sprintf("/index.php?m=user&a=view&uid=%d", i), fmt.Sprintf(`{"code":0,"data":{"uid":%d,"nick":"x"}}`, i))
		get(fmt.Sprintf("/index.php?m=order&a=list&page=%d&size=10", i%5), `{"code":0,"data":[{"no":"A1"},{"no":"A2"}]}`)
		get("/index.php?m=cart&a=count", fmt.Sprintf(`{"code":0,"data":{"count":%d}}`, i%9))
		s.send(ask{client: client, method: "POST", target: "/gateway", body: fmt.Sprintf(`{"cmd":"queryOrder","orderNo":"A%d"}`, i), resp: fmt.Sprintf(`{"code":0,"order":{"no":"A%d","sum":5}}`, i)})
		s.send(ask{client: client, method: "POST", target: "/gateway", body: fmt.Sprintf(`{"cmd":"listGoods","page":%d,"size":20}`, i%4), resp: `{"code":0,"goods":[{"id":1},{"id":2}]}`})
		s.send(ask{client: client, method: "POST", target: "/gateway", body: fmt.Sprintf(`{"cmd":"getBanner","place":"p%d"}`, i%3), resp: `{"code":0,"banner":{"url":"https://cdn.example.net/a.png"}}`})
		// filters
		for _, op := range []string{"equals", "contains", "begins"} {
			get(fmt.Sprintf("/search?op=%s&field=title&value=v%d", op, i), fmt.Sprintf(`{"hits":[{"id":%d,"title":"T"},{"id":2,"title":"U"}]}`, i))
		}
		for _, op := range []string{"view", "print", "mail"} {
			get(fmt.Sprintf("/document?action=%s&doc=%d", op, i), fmt.Sprintf(`{"doc":{"id":%d,"pages":4}}`, i))
		}
		for _, task := range []string{"open", "closed", "all"} { // optional parameters vary within a value
			more := []string{"", "&page=2", "&page=2&size=50", "&sort=date"}[i%4]
			get("/tickets?task="+task+more, `{"tickets":[{"id":1},{"id":2}]}`)
		}
	}
	r := s.analyse(t)
	wantAPIs(t, r, "GET /router/rest#shop.item.get", "GET /router/rest#shop.trade.list", "GET /router/rest#shop.user.info",
		"GET /index.php#user.view", "GET /index.php#order.list", "GET /index.php#cart.count", "POST /gateway#queryOrder", "POST /gateway#listGoods", "POST /gateway#getBanner")
	for _, tmpl := range templates(r) {
		for _, filter := range []string{"/search#", "/document#", "/tickets#"} {
			if strings.Contains(tmpl, filter) {
				t.Errorf("a filter was taken for operations: %s", tmpl)
			}
		}
	}
}

// TestBatchIsItsCalls sends the same calls once in batches and once alone: the
// same APIs, defects and data come of it. Different by nature are the number of
// exchanges and with it what counts those alone.
func TestBatchIsItsCalls(t *testing.T) {
	type api struct {
		Template, Role, Auth string
		Calls                uint64
		Sensitive            string
	}
	run := func(size int) (apis []api, defects []string) {
		s := newTraffic("rpc.example.net")
		s.background()
		for i := 0; i < 600; i += size {
			var q, a []string
			for k := i; k < i+size; k++ {
				switch k % 3 {
				case 0:
					q = append(q, fmt.Sprintf(`{"jsonrpc":"2.0","method":"user.get","params":{"id":%d},"id":%d}`, 100+k/12, k))
					a = append(a, fmt.Sprintf(`{"jsonrpc":"2.0","result":{"id":%d,"mobile":"139%08d"},"id":%d}`, 100+k/12, 10000000+k/12*7919, k))
				case 1:
					q = append(q, fmt.Sprintf(`{"jsonrpc":"2.0","method":"goods.list","params":{"page":%d},"id":%d}`, k%5, k))
					a = append(a, fmt.Sprintf(`{"jsonrpc":"2.0","result":[{"id":1,"name":"a"},{"id":2,"name":"b"}],"id":%d}`, k))
				case 2:
					q = append(q, fmt.Sprintf(`{"jsonrpc":"2.0","method":"order.delete","params":{"no":"A%d"},"id":%d}`, k, k))
					a = append(a, fmt.Sprintf(`{"jsonrpc":"2.0","error":{"code":-32001,"message":"not found"},"id":%d}`, k))
				}
			}
			client := fmt.Sprintf("198.51.100.%d", 1+i/60)
			if size == 1 {
				s.send(ask{client: client, method: "POST", target: "/rpc", body: q[0], resp: a[0]})
				continue
			}
			slices.Reverse(a)
			s.send(ask{client: client, method: "POST", target: "/rpc", body: "[" + strings.Join(q, ",") + "]", resp: "[" + strings.Join(a, ",") + "]"})
		}
		r := s.analyse(t)
		for _, x := range r.APIs {
			var data []string
			for _, d := range x.Sensitive {
				data = append(data, d.In+" "+d.Path+" "+d.Type)
			}
			apis = append(apis, api{x.Template, x.Role, x.Auth, x.Exchanges, strings.Join(data, ", ")})
		}
		for _, d := range r.Defects {
			defects = append(defects, d.Kind+" "+d.API)
		}
		slices.Sort(defects)
		return apis, defects
	}
	apis, defects := run(1)
	for _, n := range []int{2, 12, 60} {
		a, d := run(n)
		if !slices.Equal(a, apis) {
			t.Errorf("batches of %d give\n%v, single calls\n%v", n, a, apis)
		}
		if !slices.Equal(d, defects) {
			t.Errorf("batches of %d give defects %v, single calls %v", n, d, defects)
		}
	}
}

// TestCallsAreNamed checks the ids of --apis and --attributed.
func TestCallsAreNamed(t *testing.T) {
	s := newTraffic("rpc.example.net")
	s.background()
	for i := range 10 {
		s.send(ask{method: "POST", target: "/rpc", body: `[{"jsonrpc":"2.0","method":"a.get","id":1},{"jsonrpc":"2.0","method":"b.list","id":2}]`,
			resp: fmt.Sprintf(`[{"jsonrpc":"2.0","result":{"x":%d},"id":1},{"jsonrpc":"2.0","result":[{"id":1},{"id":2}],"id":2}]`, i)})
	}
	input := filepath.Join(t.TempDir(), "t.harl")
	if err := os.WriteFile(input, s.out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := source.Expand([]string{input}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var apis bytes.Buffer
	res, err := engine.Analyze(context.Background(), engine.AnalyzeConfig{Version: "test", Tools: tools(t), Inputs: in, Workers: 1, Random: rand.Reader, APIs: &apis})
	if err != nil {
		t.Fatal(err)
	}
	if in := res.Report.Input; in.Exchanges != 70 || in.Observations != 80 || in.Analysed != 70 {
		t.Errorf("%d exchanges, %d analysed, %d observations", in.Exchanges, in.Analysed, in.Observations)
	}
	of := map[string]string{}
	for _, a := range res.Report.APIs {
		of[a.ID] = a.Template
	}
	names := map[string]int{}
	for line := range bytes.Lines(apis.Bytes()) {
		var l struct{ ID, API string }
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		_, part, _ := strings.Cut(l.ID, "~")
		names[of[l.API]+" "+part]++
	}
	if names["/rpc#a.get "] != 10 || names["/rpc#b.list 1"] != 10 {
		t.Errorf("%v", names)
	}
}
