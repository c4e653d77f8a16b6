package rpc

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"xiezhi/internal/exchange"
)

var documents = []string{
	`{ me { id } }`, `query Q($a: Int = 3, $b: [String!]! = ["x"]) @d(x: 1) { u: user(id: $a) @include(if: true) { name ...F } } fragment F on User @x { a(b: 1) }`,
	`mutation { a: login(u: "x{", p: """b " } lock""") { t } b: login(u: "\"") { t } }`, "# c {\n{a,b , c}", `query A{a} query B{b} subscription C{c}`,
	`{ ... on Q { a ... { b } } ...F } fragment F on Q { c ...G } fragment G on Q { d ...F }`, `{a(x:{y:[1,-2.5e3,TRUE,null,$v],z:{}})}`, `query ($a: Int) { a }`,
	`type A { b: C }`, `{`, `{a`, `mutation of genes`, `query Q { a: }`, `{"a":1}`, `{a b a c: b}`,
}

// FuzzDocument holds the scan of a document against a full parser: what that
// accepts, the scan reads alike.
func FuzzDocument(f *testing.F) {
	for _, d := range documents {
		f.Add(d)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		var g graph
		ok := g.scan([]byte(doc))
		if ok {
			for i := range g.ops {
				g.roots(&g.ops[i])
			}
		}
		if len(doc) > 4096 {
			return
		}
		q, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: doc}, 4000)
		if err != nil || len(q.Operations) == 0 || len(q.Operations) > maxOperate || len(q.Fragments) > maxFragments {
			return
		}
		if !ok || len(g.ops) != len(q.Operations) {
			t.Fatalf("%q: %v, %d operations, the parser has %d", doc, ok, len(g.ops), len(q.Operations))
		}
		for i, op := range q.Operations {
			s := &g.ops[i]
			if s.kind != string(op.Operation) || string(s.name) != op.Name {
				t.Fatalf("%q: %s %q, the parser says %s %q", doc, s.kind, s.name, op.Operation, op.Name)
			}
			g.roots(s)
			var have []string
			for _, x := range g.fields {
				have = append(have, string(x.key)+":"+string(x.name))
			}
			want := parsedRoots(q, op.SelectionSet, map[string]bool{}, nil)
			slices.Sort(have)
			slices.Sort(want)
			if !slices.Equal(have, want) && !conflicts(want) && !repeats(q) {
				t.Fatalf("%q: fields %q, the parser has %q", doc, have, want)
			}
		}
	})
}

// parsedRoots lists "alias:name" of the root fields, each once.
func parsedRoots(q *ast.QueryDocument, set ast.SelectionSet, seen map[string]bool, out []string) []string {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if x := s.Alias + ":" + s.Name; !slices.Contains(out, x) {
				out = append(out, x)
			}
		case *ast.InlineFragment:
			out = parsedRoots(q, s.SelectionSet, seen, out)
		case *ast.FragmentSpread:
			if f := q.Fragments.ForName(s.Name); f != nil && !seen[s.Name] {
				seen[s.Name] = true
				out = parsedRoots(q, f.SelectionSet, seen, out)
			}
		}
	}
	return out
}

// conflicts reports whether one key stands for two fields, which no server
// accepts.
func conflicts(fields []string) bool {
	keys := map[string]bool{}
	for _, f := range fields {
		k, _, _ := strings.Cut(f, ":")
		if keys[k] {
			return true
		}
		keys[k] = true
	}
	return false
}

// repeats reports whether two fragments have one name, which no server accepts.
func repeats(q *ast.QueryDocument) bool {
	names := map[string]bool{}
	for _, f := range q.Fragments {
		if names[f.Name] {
			return true
		}
		names[f.Name] = true
	}
	return false
}

// whole checks what every reader of calls promises.
func whole(t *testing.T, r *Reader, body []byte) {
	t.Helper()
	if len(r.Calls) > MaxCalls {
		t.Fatalf("%d calls", len(r.Calls))
	}
	for i := range r.Calls {
		c := &r.Calls[i]
		for _, d := range [][]byte{c.Doc, c.Reply} {
			if len(d) > 0 && d[0] != '{' {
				t.Fatalf("document %q", d)
			}
			if json.Valid(body) && utf8Clean(d) && len(d) > 0 && c.Protocol != GraphQL && !json.Valid(d) {
				t.Fatalf("of valid JSON %q came %q", body, d)
			}
		}
		if len(c.Name) > maxName || len(c.Root) > maxName {
			t.Fatal("a long name")
		}
	}
}

func utf8Clean(b []byte) bool { return bytes.Equal(bytes.ToValidUTF8(b, nil), b) }

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","method":"user.get","params":{"id":7},"id":1}`), []byte(`{"jsonrpc":"2.0","error":{"code":1,"message":"m","data":"d"},"id":1}`))
	f.Add([]byte(`[{"jsonrpc":"2.0","method":"a","params":[1,{"x":"\""}],"id":1},{"method":"b"}]`), []byte(`[{"id":1,"result":[1]}]`))
	f.Add([]byte(`{"method":"system.multicall","id":0,"params":[[{"methodName":"a","params":[1]}]]}`), []byte(`{"result":[[{"ok":1}]]}`))
	for _, d := range documents {
		b, _ := json.Marshal(map[string]any{"query": d, "variables": map[string]any{"a": 1, "v": "x"}})
		f.Add(b, []byte(`{"data":{"a":null,"b":{"t":1},"u":{"x":1}},"errors":[{"message":"m","path":["a"],"extensions":{"code":"C"}}]}`))
	}
	f.Add([]byte(`{"operationName":"x","variables":{"y":1},"extensions":{"persistedQuery":{"sha256Hash":"aa"}}}`), []byte(`[{"data":{}},{"errors":[{}]}]`))
	f.Fuzz(func(t *testing.T, body, reply []byte) {
		var r Reader
		if !r.JSON(body) {
			return
		}
		r.Replies(reply)
		whole(t, &r, append(append([]byte("["), append(body, ',')...), append(reply, ']')...))
	})
}

func FuzzStream(f *testing.F) {
	f.Add(`{"type":"a","id":1,"x":1}`, `{"id":1,"type":"error","message":"no"}`, `42["chat",{"a":1}]`)
	f.Add(`42/admin,7["kick",5]`, `43/admin,7["ok"]`, `451-["bin",{"_placeholder":true}]`)
	f.Add("SEND\ndestination:/app/o/12\n\n{\"a\":1}\x00", "ERROR\nmessage:no\n\n\x00", `a["{\"type\":\"b\"}"]`)
	f.Add(`{"id":"1","type":"subscribe","payload":{"query":"{a}"}}`, `{"id":"1","type":"next","payload":{"data":{"a":1}}}`, `["1","2","r","e",{"b":1}]`)
	f.Add(`{"jsonrpc":"2.0","method":"f","id":1}`, `{"jsonrpc":"2.0","id":1,"result":{}}`, `{"type":"connection_init","payload":{}}`)
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var r Reader
		list := []exchange.StreamMessage{{Sent: true, Text: true, Data: []byte(a)}, {Text: true, Data: []byte(b)}, {Sent: true, Text: len(c)%2 == 0, Data: []byte(c)}}
		out := r.Streams(list, nil)
		taken := map[int]bool{}
		for i := range out {
			s := &out[i]
			if s.Asked < 0 && s.Told < 0 || s.Asked >= len(list) || s.Told >= len(list) {
				t.Fatalf("messages %d and %d", s.Asked, s.Told)
			}
			if s.Asked >= 0 && !list[s.Asked].Sent || s.Told >= 0 && list[s.Told].Sent {
				t.Fatal("wrong side")
			}
			for _, d := range [][]byte{s.Doc, s.Reply} {
				if len(d) > 0 && d[0] != '{' && d[0] != '[' {
					t.Fatalf("document %q", d)
				}
			}
			taken[s.Asked], taken[s.Told] = true, true
		}
	})
}

func BenchmarkJSONRPC(b *testing.B) {
	body := []byte(`{"jsonrpc":"2.0","method":"user.get","params":{"id":7,"fields":["name","phone"]},"id":1}`)
	var r Reader
	b.ReportAllocs()
	for b.Loop() {
		r.JSON(body)
	}
}

func BenchmarkGraphQL(b *testing.B) {
	body := []byte(`{"query":"query getOrders($user: ID!, $n: Int = 20) {\n  user(id: $user) {\n    id name\n    orders(first: $n, status: PAID) { edges { node { id total items { sku name price } } } }\n  }\n}","operationName":"getOrders","variables":{"user":"42","n":50}}`)
	var r Reader
	b.ReportAllocs()
	for b.Loop() {
		r.JSON(body)
	}
}

// BenchmarkGraphQLParser is what a full parser takes for the same document.
func BenchmarkGraphQLParser(b *testing.B) {
	doc := "query getOrders($user: ID!, $n: Int = 20) {\n  user(id: $user) {\n    id name\n    orders(first: $n, status: PAID) { edges { node { id total items { sku name price } } } }\n  }\n}"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parser.ParseQuery(&ast.Source{Input: doc}); err != nil {
			b.Fatal(err)
		}
	}
}
