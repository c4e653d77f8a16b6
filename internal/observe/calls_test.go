package observe

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"xiezhi/internal/exchange"
	"xiezhi/rules"
)

func observeAll(t testing.TB, c call) *Batch {
	t.Helper()
	b := &Batch{}
	newObserver(t).Observe(c.exchange(), b)
	return b
}

// brief writes down what an observation says about a call.
func brief(o *Observation) string {
	s := fmt.Sprintf("%s %s|%s", o.ID, o.Protocol, o.Operation)
	if o.Root != "" {
		s += "=" + o.Root
	}
	for i := range o.Params {
		s += fmt.Sprintf(" %s:%s", o.Params[i].In, o.Params[i].Name)
	}
	for i := range o.Passwords {
		s += fmt.Sprintf(" password:%s", o.Passwords[i].Name)
	}
	for i := range o.Leaves {
		s += " leaf:" + o.Leaves[i].Path
	}
	for i := range o.Dispatch {
		s += fmt.Sprintf(" dispatch:%s=%s", o.Dispatch[i].Name, o.Dispatch[i].Value)
	}
	if o.Code != "" || o.CodeSays != 0 {
		s += fmt.Sprintf(" code:%s/%d", o.Code, o.CodeSays)
	}
	if o.Message != "" {
		s += " says:" + o.Message
	}
	return s
}

func TestCallsOfAnExchange(t *testing.T) {
	jsonHead, xml := []string{"Content-Type", "application/json"}, []string{"Content-Type", "text/xml"}
	for name, c := range map[string]struct {
		call
		want []string
	}{
		"graphql by GET": {call{target: "/graphql?query=%7Buser(id%3A5)%7Bphone%7D%7D&lang=en", respBody: `{"data":{"user":{"id":5}}}`}, []string{"id-1 graphql|query user query:lang query:id leaf:data.user.id"}},
		"graphql by form": {call{target: "/graphql", head: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: "query=%7Bme%7Bid%7D%7D&x=1", respBody: `{"data":{"me":{"id":5}}}`},
			[]string{"id-1 graphql|query me form:x leaf:data.me.id"}},
		"graphql as a document": {call{target: "/graphql", head: []string{"Content-Type", "application/graphql"}, body: "{ me(id: 3) { id } }", respBody: `{"errors":[{"message":"Not authorized","extensions":{"code":"FORBIDDEN"}}]}`},
			[]string{"id-1 graphql|query me body:id code:FORBIDDEN/-1 says:Not authorized"}},
		"graphql with files": {call{target: "/graphql", head: []string{"Content-Type", "multipart/form-data; boundary=XX"},
			body: "--XX\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{\"query\":\"mutation($f:Upload!){upload(file:$f,title:\\\"hi\\\"){id}}\",\"variables\":{\"f\":null}}\r\n--XX\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{\"0\":[\"variables.f\"]}\r\n--XX\r\nContent-Disposition: form-data; name=\"0\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\r\n1,2\r\n--XX--\r\n"},
			[]string{"id-1 graphql|mutation upload form:map.{}[] form:{} form:file form:title"}},
		"an error of the gateway": {call{target: "/graphql", head: jsonHead, body: `[{"query":"{a}"},{"query":"{b}"}]`, status: 502, respHead: []string{"Content-Type", "text/html"}, respBody: "<html><title>Bad Gateway</title></html>"},
			[]string{"id-1 graphql|query a says:Bad Gateway", "id-1~1 graphql|query b says:Bad Gateway"}},
		"json-rpc": {call{target: "/rpc", head: jsonHead, body: `[{"jsonrpc":"2.0","method":"user.login","params":{"username":"bob","password":"x"},"id":1},{"jsonrpc":"2.0","method":"user.get","params":{"id":7},"id":2}]`,
			respBody: `[{"jsonrpc":"2.0","result":{"id":7},"id":2},{"jsonrpc":"2.0","error":{"code":-32001,"message":"wrong password"},"id":1}]`},
			[]string{"id-1 json-rpc|user.login json:username json:password password:password code:-32001/-1 says:wrong password", "id-1~1 json-rpc|user.get json:id leaf:result.id"}},
		"xml-rpc": {call{target: "/xmlrpc.php", head: xml, body: `<methodCall><methodName>wp.getPosts</methodName><params><param><value><int>1</int></value></param><param><value>bob</value></param><param><value><string>x</string></value></param></params></methodCall>`,
			respHead: xml, respBody: `<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>403</int></value></member><member><name>faultString</name><value>Incorrect username or password.</value></member></struct></value></fault></methodResponse>`},
			[]string{"id-1 xml-rpc|wp.getPosts body:blog_id body:username body:password password:password code:403/-1 says:Incorrect username or password."}},
		"soap":               {call{target: "/soap", head: xml, body: `<s:Envelope xmlns:s="x"><s:Body><getUser><id>7</id></getUser></s:Body></s:Envelope>`}, []string{"id-1 soap|getUser body:getUser.id"}},
		"a number in a name": {call{target: "/rpc", head: jsonHead, body: `{"jsonrpc":"2.0","method":"call.13800138000.x123456","id":1}`}, []string{"id-1 json-rpc|call.{}"}},
		"dispatch":           {call{target: "/rest?method=shop.item.get&v=2.0&m=user"}, []string{"id-1 | query:method query:v query:m dispatch:method=shop.item.get dispatch:m=user"}},
		"dispatch in JSON":   {call{target: "/gw", head: jsonHead, body: `{"cmd":"queryOrder","data":{"cmd":"inner"}}`}, []string{"id-1 | json:cmd json:data.cmd dispatch:cmd=queryOrder"}},
		"no dispatch":        {call{target: "/x?action=17&op=%3D&cmd=two+words&m=13800138000&s=a1b2c3d4e5f6"}, []string{"id-1 | query:action query:op query:cmd query:m query:s"}},
		"no call":            {call{target: "/search", head: jsonHead, body: `{"query":"shoes","variables":1,"method":"fast"}`}, []string{"id-1 | json:query json:variables json:method dispatch:method=fast"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := observeAll(t, c.call)
			var have []string
			for i := range b.Len() {
				have = append(have, brief(b.At(i)))
			}
			if name == "a number in a name" { // how much of it is masked is the recogniser's
				if strings.ContainsAny(have[0], "456789") {
					t.Errorf("%q", have)
				}
				return
			}
			if d := cmp.Diff(c.want, have); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestMessagesOfAStream(t *testing.T) {
	c := call{target: "/ws?token=0123456789abcdef", status: 101, head: []string{"Cookie", "SESSION=aB3dE5fG7hI9jK1lM3"}, said: []string{
		`>{"type":"login","id":1,"username":"bob","password":"x1"}`, `>{"type":"list","id":2}`, `<{"id":1,"type":"error","message":"wrong password"}`, `<{"id":2,"type":"list","data":[{"id":7},{"id":8}]}`,
		`<{"type":"news","text":"see you at nine"}`, `>hello`}}
	b := observeAll(t, c)
	want := []string{"id-1 | query:token", "id-1~1 message|login json:username json:password password:password code:/-1 says:wrong password",
		"id-1~2 message|list leaf:data[].id leaf:data[].id", "id-1~3 message|news", "id-1~4 message|"}
	var have []string
	for i := range b.Len() {
		o := b.At(i)
		have = append(have, brief(o))
		if len(o.Credentials) != 2 || int(o.Part) != i {
			t.Errorf("%s: part %d, %d credentials", o.ID, o.Part, len(o.Credentials))
		}
		if i > 0 && (o.Method != MethodMessage || o.Start <= testDay || o.End < o.Start || len(o.Signatures) > 0) {
			t.Errorf("%s: %s from %d to %d", o.ID, o.Method, o.Start-testDay, o.End-testDay)
		}
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if s := []Stream{b.At(0).Stream, b.At(1).Stream, b.At(3).Stream, b.At(4).Stream}; !slices.Equal(s, []Stream{StreamNone, StreamTalked, StreamTold, StreamAsked}) {
		t.Errorf("streams %v", s)
	}
	// a later part has no handshake, and its messages are counted from the first
	x := c.exchange()
	x.ID, x.Part = []byte("id-2"), 1
	var later Batch
	newObserver(t).Observe(x, &later)
	if later.Len() != 4 || later.At(0).ID != "id-2" || later.At(0).Operation != "login" || later.At(3).ID != "id-2~3" {
		t.Errorf("%d observations of the second part", later.Len())
	}
}

func TestPartsAreCapped(t *testing.T) {
	var said []string
	for range 200 {
		said = append(said, `>{"type":"a"}`)
	}
	b := observeAll(t, call{target: "/ws", status: 101, said: said})
	over := uint32(0)
	for i := range b.Len() {
		over += b.At(i).Overflow
	}
	if b.Len() != MaxParts || over != 200-MaxParts+1 {
		t.Errorf("%d observations, %d over", b.Len(), over)
	}
}

// single makes the exchanges that the calls of a batch would be alone.
func single(c call, calls, replies []string) (list []call) {
	for i := range calls {
		x := c
		x.body, x.respBody = calls[i], replies[i]
		list = append(list, x)
	}
	return list
}

// TestABatchIsItsCalls: a call of a batch is observed as the same call alone,
// but for what is the exchange's: id, part, bytes of the whole.
func TestABatchIsItsCalls(t *testing.T) {
	batched, alone := newObserver(t), newObserver(t)
	rapid.Check(t, func(t *rapid.T) {
		graph := rapid.Bool().Draw(t, "graphql")
		n := rapid.IntRange(2, 8).Draw(t, "n")
		text := rapid.SampledFrom([]string{"bob", "13800138000", "x y", "a\"b", "张三", "' or 1=1--", ""})
		var calls, replies []string
		for i := range n {
			params := map[string]any{}
			for range rapid.IntRange(0, 3).Draw(t, "params") {
				params[rapid.SampledFrom([]string{"id", "username", "password", "page"}).Draw(t, "name")] = text.Draw(t, "value")
			}
			result := map[string]any{"id": rapid.IntRange(1, 9).Draw(t, "id"), "phone": text.Draw(t, "phone")}
			fails := rapid.Bool().Draw(t, "fails")
			call, reply := map[string]any{}, map[string]any{}
			if graph {
				call["query"], call["variables"] = fmt.Sprintf("query Q%d { user%d { id phone } }", i%3, i), params
				if reply["data"] = map[string]any{fmt.Sprintf("user%d", i): result}; fails {
					reply["data"], reply["errors"] = nil, []any{map[string]any{"message": "wrong password", "extensions": map[string]any{"code": "UNAUTHENTICATED"}}}
				}
			} else {
				call["jsonrpc"], call["method"], call["params"], call["id"] = "2.0", fmt.Sprintf("m%d.get", i%3), params, i
				if reply["jsonrpc"], reply["id"] = "2.0", i; fails {
					reply["error"] = map[string]any{"code": -32000 - i, "message": "wrong password"}
				} else {
					reply["result"] = result
				}
			}
			for _, x := range []struct {
				v    map[string]any
				into *[]string
			}{{call, &calls}, {reply, &replies}} {
				b, err := json.Marshal(x.v)
				if err != nil {
					t.Fatal(err)
				}
				*x.into = append(*x.into, string(b))
			}
		}
		c := call{target: "/api?lang=zh", head: []string{"Content-Type", "application/json", "Cookie", "SESSION=aB3dE5fG7hI9jK1lM3"}, respHead: []string{"Content-Type", "application/json"}}
		var want, have Batch
		for _, x := range single(c, calls, replies) {
			alone.Observe(x.exchange(), &want)
		}
		c.body, c.respBody = "["+strings.Join(calls, ",")+"]", "["+strings.Join(replies, ",")+"]"
		batched.Observe(c.exchange(), &have)
		if want.Len() != n || have.Len() != n {
			t.Fatalf("%d calls, %d observations alone, %d of the batch", n, want.Len(), have.Len())
		}
		for i := range n {
			if d := cmp.Diff(want.At(i), have.At(i), cmpopts.IgnoreFields(Observation{}, "ID", "Part", "ReqBytes", "RespBytes"), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
				t.Fatalf("call %d (-alone +batch)\n%s", i, d)
			}
		}
	})
}

// What calls carry is kept no more readable than what bodies carry.
func TestCallsKeepNothingReadable(t *testing.T) {
	for _, v := range []string{"13800138000", "110101199003070070", "Kanarie#1!q", "canary.person@mail.example.org", "6222021234567890128"} {
		q, _ := json.Marshal(v)
		place := v
		if strings.Contains(v, "!") {
			place = "x" // names of places stay readable, as path words do
		}
		doc, _ := json.Marshal(fmt.Sprintf(`mutation { a: login(username: "bob", password: %s, mobile: %s) { x } b: login(username: %s) { x } }`, q, q, q))
		for _, c := range []call{
			{target: "/graphql", body: `{"query":` + string(doc) + `}`, respBody: `{"data":null,"errors":[{"message":"no ` + v + `","path":["a"]}]}`},
			{target: "/rpc", body: `{"jsonrpc":"2.0","method":"m","params":{"password":` + string(q) + `},"id":` + string(q) + `}`, respBody: `{"jsonrpc":"2.0","error":{"code":1,"message":"no","data":` + string(q) + `},"id":` + string(q) + `}`},
			{target: "/ws", status: 101, said: []string{`>{"type":"t","id":` + string(q) + `,"password":` + string(q) + `}`, `<{"type":"error","id":` + string(q) + `,"message":"` + v + ` is wrong"}`, ">SEND\ndestination:/q/" + place + "\n\nx\x00"}},
		} {
			for _, text := range []string{string(observeAll(t, c).AppendEncoded(nil))} {
				if strings.Contains(text, v) {
					t.Errorf("%s %s keeps %q", c.target, c.body, v)
				}
			}
		}
	}
}

func TestPositionCases(t *testing.T) {
	var n Names
	f, err := n.loadCalls(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range f.Cases.Positions {
		if have := strings.Join(n.positionsOf([]byte(name)), " "); have != want {
			t.Errorf("%s: %q, want %q", name, have, want)
		}
	}
}

func FuzzXMLRPC(f *testing.F) {
	f.Add([]byte(`<methodCall><methodName>a.b</methodName><params><param><value><array><data><value><i4>7</i4></value></data></array></value></param></params></methodCall>`), []byte(`<methodResponse><params><param><value>x</value></param></params></methodResponse>`))
	f.Add([]byte(`<methodCall><methodName>system.multicall</methodName><params><param><value><array><data><value><struct><member><name>methodName</name><value>a</value></member><member><name>params</name><value><array><data/></array></value></member></struct></value></data></array></value></param></params></methodCall>`),
		[]byte(`<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4</int></value></member><member><name>faultString</name><value><![CDATA[a<"b]]></value></member></struct></value></fault></methodResponse>`))
	o := newObserver(f)
	var b Batch
	f.Fuzz(func(t *testing.T, body, reply []byte) {
		if !o.read.xml.Parse(body) {
			return
		}
		if doc, ok := o.read.xml.AppendRPC(nil); ok && !json.Valid(doc) {
			t.Fatalf("%q became %q", body, doc)
		}
		c := call{target: "/xmlrpc", head: []string{"Content-Type", "text/xml"}, body: string(body), respHead: []string{"Content-Type", "text/xml"}, respBody: string(reply)}
		b.Reset()
		o.Observe(c.exchange(), &b)
		if b.Len() == 0 || b.Len() > MaxParts {
			t.Fatalf("%d observations", b.Len())
		}
	})
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"type":"login","id":1,"password":"x"}`), []byte(`{"id":1,"type":"error","message":"no"}`))
	f.Add([]byte(`42["chat",{"a":1}]`), []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":1}}`))
	f.Add([]byte("SEND\ndestination:/a\n\n{}\x00"), []byte(`{"id":"1","type":"next","payload":{"data":{"a":1}}}`))
	o := newObserver(f)
	var b, again Batch
	f.Fuzz(func(t *testing.T, sent, told []byte) {
		x := call{target: "/ws", status: 101}.exchange()
		x.Messages = []exchange.StreamMessage{{Time: testDay, Sent: true, Text: true, Data: sent}, {Time: testDay, Text: true, Data: told}, {Time: testDay, Sent: true, Data: told}}
		b.Reset()
		o.Observe(x, &b)
		if b.Len() == 0 || b.Len() > MaxParts {
			t.Fatalf("%d observations", b.Len())
		}
		again.Reset()
		if err := again.Decode(b.AppendEncoded(nil)); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkObserveJSONRPC(b *testing.B) {
	benchObserve(b, call{target: "/rpc", head: []string{"Content-Type", "application/json", "User-Agent", "okhttp/4.12.0"},
		body: `{"jsonrpc":"2.0","method":"user.login","params":{"username":"bob","password":"Tr0ub4dor&3"},"id":1}`, respBody: `{"jsonrpc":"2.0","error":{"code":-32001,"message":"Password is not correct"},"id":1}`}.exchange())
}
