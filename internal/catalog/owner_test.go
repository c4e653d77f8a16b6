package catalog

import (
	"fmt"
	"testing"
)

// loginAll gives every person a session and returns the site.
func loginAll(t *testing.T, who []string) *site {
	s := newSite(t)
	for _, p := range who {
		s.do(request("POST", "/login").login(p).json(200, "t").issue("session-" + p))
	}
	return s
}

func book(reader, owner string, n int) *build {
	return request("GET", fmt.Sprintf("/books/%s-notes-%d", owner, n)).json(200, "book").
		bearer("session-"+reader).leaf("data.owner", owner).leaf("data.id", fmt.Sprint(owner, n))
}

func TestOwnerFieldIsLearnedCold(t *testing.T) {
	s := loginAll(t, people)
	for i := range 3 {
		for _, p := range people[:4] {
			s.do(book(p, p, i))
		}
	}
	ev := s.do(book("alice", "alice", 1))
	if ev.Ownership != OwnershipOwn || ev.Owner != tok("alice") || ev.API.Owner != "data.owner" {
		t.Fatalf("own book: %d, field %q", ev.Ownership, ev.API.Owner)
	}
	// One person who reads everybody's does not unlearn it.
	foreign := 0
	for i := range 200 {
		if s.do(book("erin", people[i%4], i%3)).Ownership == OwnershipForeign {
			foreign++
		}
	}
	if foreign != 200 {
		t.Errorf("%d of 200 foreign", foreign)
	}
	if s.do(request("GET", "/books/alice-notes-1").json(200, "book").leaf("data.owner", "alice")).Ownership != OwnershipUnknown {
		t.Error("nobody asked, yet it is foreign")
	}
}

// Cold: the enumeration is the first thing seen, the owners are accounts that
// logged in before.
func TestOwnerFieldByKnownAccounts(t *testing.T) {
	s := loginAll(t, people)
	foreign := 0
	for i := range 20 {
		// Sessions in use make accounts known.
		s.do(request("GET", "/me").bearer("session-"+people[i%len(people)]).json(200, "me"))
	}
	for i := range 20 {
		if s.do(book("alice", people[1+i%8], i)).Ownership == OwnershipForeign {
			foreign++
		}
	}
	if foreign < 10 {
		t.Errorf("%d of 20 foreign", foreign)
	}
}

// Hard negatives: what everybody reads has authors, not owners.
func TestPublicAuthorsAreNotOwners(t *testing.T) {
	s := loginAll(t, people)
	for i := range 300 {
		reader, author := people[i%len(people)], people[(i*7+3)%len(people)]
		b := request("GET", fmt.Sprint("/posts/", i)).json(200, "post").bearer("session-"+reader).leaf("author", author)
		if ev := s.do(b); i > 60 && ev.Ownership == OwnershipForeign {
			t.Fatalf("post %d: reading a public post is foreign", i)
		}
	}
	s = loginAll(t, people)
	for i := range 300 { // most readers are not logged in
		b := request("GET", fmt.Sprint("/posts/", i)).json(200, "post").leaf("author", people[(i*7+3)%len(people)])
		if i%4 == 0 {
			b.bearer("session-alice")
		}
		if ev := s.do(b); ev.Ownership == OwnershipForeign {
			t.Fatalf("post %d: reading a public post is foreign", i)
		}
	}
}

func TestListsHaveNoOwner(t *testing.T) {
	s := loginAll(t, people)
	for i := range 50 {
		b := request("GET", "/books").json(200, "books").bearer("session-"+people[i%5]).leaf("books[].owner", people[(i+1)%5])
		b.Records = 20
		if ev := s.do(b); ev.Ownership != OwnershipUnknown {
			t.Fatalf("a list has an owner")
		}
	}
}

// Writes answer with nothing, but their path names whose account is changed.
func TestParametersThatNameTheAsker(t *testing.T) {
	s := loginAll(t, people)
	put := func(reader, whose, what string) *Event {
		return s.do(request("PUT", "/users/"+whose+"/"+what).small(204, "").bearer("session-" + reader))
	}
	for range 3 {
		for _, p := range people {
			s.do(request("GET", "/users/"+p).json(200, "user").leaf("username", p).bearer("session-" + p))
			put(p, p, "email")
		}
	}
	if ev := put("alice", "alice", "email"); ev.Ownership != OwnershipOwn || ev.API.Owner != "{username}" {
		t.Errorf("own: %d, %q", ev.Ownership, ev.API.Owner)
	}
	// An operation that was never seen before: the parameter is known.
	if ev := put("alice", "bob", "password"); ev.Ownership != OwnershipForeign || ev.Owner != tok("bob") {
		t.Errorf("another's password: %d in %s", ev.Ownership, ev.API.Template)
	}
	// Hard negative: following others names others.
	s = loginAll(t, people)
	for i := range 60 {
		reader, whose := people[i%len(people)], people[(i*3+1)%len(people)]
		ev := s.do(request("POST", "/users/"+whose+"/follow").small(200, "ok").bearer("session-" + reader))
		if ev.Ownership == OwnershipForeign {
			t.Fatalf("following is foreign")
		}
	}
}
