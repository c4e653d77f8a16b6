package rpc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/exchange"
)

// read writes down the calls of a body for reading.
func read(t *testing.T, body, reply string) []string {
	t.Helper()
	var r Reader
	r.Positions = func(name []byte) []string {
		if string(name) == "wp.getPosts" {
			return []string{"blog_id", "username", "password"}
		}
		return nil
	}
	if !r.JSON([]byte(body)) {
		return nil
	}
	r.Replies([]byte(reply))
	var out []string
	for i := range r.Calls {
		out = append(out, line(&r.Calls[i]))
	}
	if r.Over > 0 {
		out = append(out, fmt.Sprint("over ", r.Over))
	}
	return out
}

func line(c *Call) string {
	s := fmt.Sprintf("%s %s", c.Protocol, c.Name)
	if len(c.Root) > 0 && string(c.Root) != string(c.Name) {
		s += " = " + string(c.Root)
	}
	s += " " + string(c.Doc)
	if c.Quiet {
		s += " quiet"
	}
	if c.Answered {
		s += " -> " + string(c.Reply)
	}
	if c.Failed {
		s += fmt.Sprintf(" failed %s %s", c.Code, c.Text)
	}
	return s
}

func TestCalls(t *testing.T) {
	for name, c := range map[string]struct {
		body, reply string
		want        []string
	}{
		"json-rpc 2": {`{"jsonrpc":"2.0","method":"user.get","params":{"id":7},"id":1,"auth":"t"}`, `{"jsonrpc":"2.0","result":{"name":"x"},"id":1}`,
			[]string{`json-rpc user.get {"auth":"t","id":7} -> {"result":{"name":"x"}}`}},
		"json-rpc 1": {`{"method":"echo","params":["a",2],"id":1}`, `{"result":"a","error":null,"id":1}`,
			[]string{`json-rpc echo {"param1":"a","param2":2} -> {"result":"a"}`}},
		"one object in a list": {`{"jsonrpc":"2.0","method":"f","params":[{"a":1}],"id":1}`, ``, []string{`json-rpc f {"a":1}`}},
		"known positions": {`{"method":"wp.getPosts","params":[1,"bob","pw",{"n":2}],"id":1}`, ``,
			[]string{`json-rpc wp.getPosts {"blog_id":1,"username":"bob","password":"pw","param4":{"n":2}}`}},
		"error": {`{"jsonrpc":"2.0","method":"f","id":1}`, `{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}`,
			[]string{`json-rpc f  -> {"error":{"code":-32601,"message":"Method not found"}} failed -32601 Method not found`}},
		"batch, answers in any order, one notification, one broken": {
			`[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"log"},{"jsonrpc":"2.0","method":"b","id":"2"},{"foo":1}]`,
			`[{"jsonrpc":"2.0","result":2,"id":"2"},{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null},{"jsonrpc":"2.0","result":1,"id":1}]`,
			[]string{`json-rpc a  -> {"result":1}`, `json-rpc log  quiet`, `json-rpc b  -> {"result":2}`, `  `}},
		"multicall": {`{"method":"system.multicall","id":0,"params":[[{"methodName":"a","params":[1]},{"methodName":"b","params":["x"]}]]}`,
			`{"result":[[{"ok":1}],{"faultCode":403,"faultString":"no"}]}`,
			[]string{`json-rpc a {"param1":1} -> {"result":{"ok":1}}`, `json-rpc b {"param1":"x"} -> {"error":{"faultCode":403,"faultString":"no"}} failed 403 no`}},
		"graphql, named": {`{"query":"query getUser($id: ID!) { u: user(id: $id, full: true) { name } }","variables":{"id":"7","x":1}}`, `{"data":{"u":{"name":"b"}}}`,
			[]string{`graphql query getUser = query user {"id":"7","full":true,"x":1} -> {"data":{"user":{"name":"b"}}}`}},
		"graphql, anonymous": {`{"query":"{ b a(x: ENUM, y: [1, {z: \"q\"}], s: \"\"\"block \"\" text\"\"\") { c(n: 3) } }"}`, ``,
			[]string{`graphql query a,b {"x":"ENUM","y":[1,{"z":"q"}],"s":"block \"\" text","c":{"n":3}}`}},
		"graphql, fragments": {`{"query":"query Q { ...F ... on Query { b } ... @include(if: true) { c } } fragment F on Query { a ...F }"}`, ``,
			[]string{`graphql query Q = query a,b,c `}},
		"graphql, the operation that is run": {`{"query":"query A { a } mutation B { b(x:1) }","operationName":"B"}`, ``, []string{`graphql mutation B = mutation b {"x":1}`}},
		"graphql, aliases of one field": {`{"query":"mutation { a: login(u:\"x\",p:$p) {t} b: login(u:\"y\") {t} }","variables":{"p":"s"}}`,
			`{"data":{"a":null,"b":{"t":1}},"errors":[{"message":"bad","path":["a"],"extensions":{"code":"UNAUTHENTICATED"}}]}`,
			[]string{`graphql mutation login {"u":"x","p":"s"} -> {"errors":[{"message":"bad","path":["a"],"extensions":{"code":"UNAUTHENTICATED"}}]} failed UNAUTHENTICATED bad`,
				`graphql mutation login {"u":"y"} -> {"data":{"login":{"t":1}}}`}},
		"graphql, batch": {`[{"query":"{a}"},{"query":"{b}"}]`, `[{"data":{"a":1}},{"errors":[{"message":"no"}]}]`,
			[]string{`graphql query a  -> {"data":{"a":1}}`, `graphql query b  -> {"errors":[{"message":"no"}]} failed  no`}},
		"graphql, persisted": {`{"operationName":"Cart","variables":{"id":1},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab12"}}}`, `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`,
			[]string{`graphql query Cart {"id":1} -> {"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]} failed PERSISTED_QUERY_NOT_FOUND PersistedQueryNotFound`}},
		"escaped names":              {`{"\u0071uery":"{\u0061(b:1)}"}`, ``, []string{`graphql query a {"b":1}`}},
		"a search":                   {`{"query":"mutation of genes","page":1}`, ``, nil},
		"a search in braces":         {`{"query":"{not closed"}`, ``, nil},
		"a query object":             {`{"query":{"match":{"a":1}}}`, ``, nil},
		"a method without the rest":  {`{"method":"sms","phone":"1"}`, ``, nil},
		"a method with parameters":   {`{"method":"sms","params":{"a":1}}`, ``, nil},
		"a list of records":          {`[{"id":1},{"id":2}]`, ``, nil},
		"cut off in the parameters":  {`{"jsonrpc":"2.0","method":"f","params":{"a":1`, ``, []string{`json-rpc f  quiet`}},
		"cut off in the second call": {`[{"jsonrpc":"2.0","method":"f","id":1},{"jsonrpc":"2.0","met`, ``, []string{`json-rpc f `}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, read(t, c.body, c.reply)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestManyCallsAreCounted(t *testing.T) {
	var calls, aliases []string
	for i := range 100 {
		calls = append(calls, fmt.Sprintf(`{"jsonrpc":"2.0","method":"m","id":%d}`, i))
		aliases = append(aliases, fmt.Sprintf(`a%d:login(p:%d)`, i, i))
	}
	for _, body := range []string{"[" + strings.Join(calls, ",") + "]", `{"query":"mutation{` + strings.Join(aliases, " ") + `}"}`} {
		var r Reader
		if !r.JSON([]byte(body)) || len(r.Calls) != MaxCalls || r.Over != 100-MaxCalls {
			t.Errorf("%d calls, %d over", len(r.Calls), r.Over)
		}
	}
}

// A value that is named many times is not copied many times.
func TestMadeDocumentsAreBounded(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	var fields []string
	for i := range 64 {
		fields = append(fields, fmt.Sprintf("a%d:f(v:$v)", i))
	}
	var r Reader
	if !r.JSON([]byte(`{"query":"{` + strings.Join(fields, " ") + `}","variables":{"v":"` + big + `"}}`)) {
		t.Fatal("not read")
	}
	total := 0
	for i := range r.Calls {
		total += len(r.Calls[i].Doc)
	}
	if len(r.Calls) != 64 || total > 3<<20 {
		t.Errorf("%d calls, %d bytes made", len(r.Calls), total)
	}
}

func TestStreams(t *testing.T) {
	say := func(list ...string) (out []string) {
		var m []exchange.StreamMessage
		for _, s := range list {
			m = append(m, exchange.StreamMessage{Sent: s[0] == '>', Text: true, Data: []byte(s[1:])})
		}
		var r Reader
		for _, s := range r.Streams(m, nil) {
			out = append(out, fmt.Sprintf("%d %d %s%s", s.Asked, s.Told, line(&s.Call), s.Raw))
		}
		return out
	}
	for name, c := range map[string]struct{ said, want []string }{
		"by id": {[]string{`>{"type":"a","id":1,"x":1}`, `>{"type":"b","id":2}`, `<{"id":2,"ok":true}`, `<{"id":1,"type":"error","message":"no"}`},
			[]string{`0 3 message a {"x":1} -> {"message":"no"} failed  no`, `1 2 message b  -> {"ok":true}`}},
		"by order": {[]string{`>{"action":"login","u":1}`, `<{"action":"login_failed","reason":"bad"}`, `<{"action":"news"}`},
			[]string{`0 1 message login {"u":1} -> {"reason":"bad"} failed  bad`, `-1 2 message news  -> `}},
		"others do not fit": {[]string{`>{"op":"send"}`, `<{"op":"news"}`}, []string{`0 -1 message send `, `-1 1 message news  -> `}},
		"socket.io": {[]string{`<0{"sid":"x"}`, `>40`, `>2`, `<3`, `>42["chat",{"a":1}]`, `>42/admin,7["kick",5]`, `<43/admin,7["ok"]`},
			[]string{`1 -1 message connect `, `4 -1 message chat {"a":1}`, `5 6 message kick {"param1":5} -> {"param1":"ok"}`}},
		"sockjs": {[]string{`<o`, `>["{\"type\":\"a\"}"]`, `<a["{\"type\":\"b\"}"]`, `<h`}, []string{`1 -1 message a `, `-1 2 message b  -> `}},
		"stomp": {[]string{">CONNECT\nlogin:bob\npasscode:pw\n\n\x00", "<CONNECTED\nversion:1.2\n\n\x00", ">SEND\ndestination:/app/o/12\n\n{\"a\":1}\x00"},
			[]string{`0 -1 stomp CONNECT {"login":"bob","password":"pw"}`, `-1 1 stomp CONNECTED  -> `, `2 -1 stomp SEND /app/o/{} {"a":1}`}},
		"graphql-transport-ws": {[]string{`>{"type":"connection_init"}`, `<{"type":"connection_ack"}`, `>{"id":"1","type":"subscribe","payload":{"query":"subscription S{m(r:5){t}}"}}`,
			`<{"id":"1","type":"next","payload":{"data":{"m":{"t":1}}}}`, `<{"id":"1","type":"next","payload":{"data":{"m":{"t":2}}}}`, `<{"id":"1","type":"complete"}`},
			[]string{`0 -1 message connection_init `, `2 3 graphql subscription S {"r":5} -> {"data":{"m":{"t":1}}}`, `-1 4 graphql subscription S  -> {"data":{"m":{"t":2}}}`}},
		"json-rpc": {[]string{`>{"jsonrpc":"2.0","method":"f","id":1,"params":[1]}`, `<{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}`, `<{"jsonrpc":"2.0","method":"note","params":{"a":1}}`},
			[]string{`0 1 json-rpc f {"param1":1} -> {"error":{"code":1,"message":"no"}} failed 1 no`, `-1 2 json-rpc note  -> {"a":1}`}},
		"phoenix": {[]string{`>["1","2","room:5","new_msg",{"b":1}]`, `<["1","2","room:5","phx_reply",{"status":"error","response":{"reason":"full"}}]`},
			[]string{`0 1 message new_msg {"b":1} -> {"status":"error","response":{"reason":"full"}} failed  full`}},
		"in turns": {[]string{`>{"type":"a","id":1}`, `<{"x":1}`, `>{"type":"b","id":2}`, `<{"x":2}`, `>{"type":"a","id":3}`, `<{"x":3}`},
			[]string{`0 1 message a  -> {"x":1}`, `2 3 message b  -> {"x":2}`, `4 5 message a  -> {"x":3}`}},
		"text": {[]string{`>hello`, `<{"a":1}`}, []string{`0 -1 message  hello`, `-1 1 message   -> {"a":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, say(c.said...)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}
