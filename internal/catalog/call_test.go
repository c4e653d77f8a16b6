package catalog

import (
	"fmt"
	"slices"
	"testing"

	"xiezhi/internal/observe"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/taxonomy"
)

func (b *build) called(p rpc.Protocol, name string) *build {
	b.Protocol, b.Operation = p, name
	return b
}

func (b *build) rooted(root string) *build { b.Root = root; return b }

func TestOperationsAreAPIs(t *testing.T) {
	s := newSite(t)
	for i := range 8 {
		s.do(request("POST", "/rpc").called(rpc.JSONRPC, "user.get").json(200, "user").leaf("result.id", fmt.Sprint(i)))
		s.do(request("POST", "/rpc").called(rpc.JSONRPC, "order.list").json(200, "orders"))
		s.do(request("POST", "/rpc").called(rpc.JSONRPC, fmt.Sprint("probe", i)).small(200, "missing").says(observe.SaysNotFound, "-32601", -1))
	}
	want(t, s, "POST /rpc#order.list", "POST /rpc#user.get")
	o := request("POST", "/rpc").called(rpc.JSONRPC, "user.get").json(200, "user")
	a := s.Lookup(&o.Observation)
	if a == nil || a.Operation != "user.get" || a.Protocol != rpc.JSONRPC || !a.Reads() {
		t.Fatalf("%+v", a)
	}
	other := request("POST", "/rpc").called(rpc.JSONRPC, "order.list").json(200, "orders")
	if b := s.Lookup(&other.Observation); b == nil || b.ID == a.ID {
		t.Error("two operations have one id")
	}
}

// A path below a parameter keeps its operations when words become its values.
func TestOperationsSurviveMerges(t *testing.T) {
	s := newSite(t)
	for _, p := range people {
		for _, name := range []string{"user.get", "order.list"} {
			s.do(request("POST", "/tenants/"+p+"/rpc").called(rpc.JSONRPC, name).json(200, name).param("a", "1").param("b", "2"))
		}
	}
	list := s.templates()
	if len(list) != 2 || list[0] != "POST /tenants/{tenant_name}/rpc#order.list" || list[1] != "POST /tenants/{tenant_name}/rpc#user.get" {
		t.Errorf("%q", list)
	}
}

func TestInventedOperationsAreBounded(t *testing.T) {
	s := newSite(t)
	for i := range 3 * MaxOperations {
		s.do(request("POST", "/graphql").called(rpc.GraphQL, fmt.Sprint("query Q", i)).rooted("query products").json(200, "products"))
		s.do(request("POST", "/rpc").called(rpc.JSONRPC, fmt.Sprint("any", i)).json(200, "any"))
	}
	graph, calls := 0, 0
	for _, a := range s.APIs() {
		if a.Protocol == rpc.GraphQL {
			graph++
		} else {
			calls++
		}
	}
	if graph != maxAliases+1 || calls != MaxOperations+1 || s.Stats().Refused == 0 {
		t.Errorf("%d GraphQL operations, %d calls, %d refused", graph, calls, s.Stats().Refused)
	}
	if !slices.Contains(s.templates(), "POST /graphql#query products") || !slices.Contains(s.templates(), "POST /rpc") {
		t.Error("what is beyond the cap has no API")
	}
}

// Who gives a login a new name with every try is seen at its root field.
func TestRefusedNamesMeetAtTheRoot(t *testing.T) {
	s := newSite(t)
	for i := range 20 {
		s.do(request("POST", "/graphql").called(rpc.GraphQL, fmt.Sprint("mutation L", i)).rooted("mutation login").small(200, "bad").says(observe.SaysBadPair, "", -1).login("alice"))
	}
	want(t, s, "POST /graphql#mutation login")
	if a := s.APIs()[0]; a.Role != taxonomy.RoleLogin || a.Exchanges < 15 || a.Reads() {
		t.Errorf("%s with %d exchanges", a.Role, a.Exchanges)
	}
}
