package api

import (
	"fmt"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
)

func TestDecisionsAndUsersAreBounded(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	for i := 0; i < maxPolicy; i += 1000 {
		var b record.Batch
		for j := range 1000 {
			r := recordtest.Record(record.Policy, i+j)
			r.Type, r.State = string(v1.PolicyEntryKindPublic), string(v1.PolicyEntryStateLive)
			b.Put = append(b.Put, r)
		}
		if _, err := h.store.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if p := g.ask("POST", "/api/v1/policy/public", `{"template":"/a","reason":"r"}`).problem(t); p.Code != "full" {
		t.Errorf("%+v", p)
	}
	var b record.Batch
	for i := range maxUsers - 1 {
		b.Put = append(b.Put, recordtest.Record(record.User, i))
	}
	if _, err := h.store.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if p := g.ask("POST", "/api/v1/users", map[string]any{"name": "a", "role": "viewer", "password": goodPassword}).problem(t); p.Code != "full" {
		t.Errorf("%+v", p)
	}
}

func TestFailuresAreForgotten(t *testing.T) {
	th := newThrottle()
	from := remoteOf("192.0.2.1:1")
	now := start
	for range 10 { // four failures every quarter of an hour are somebody who forgets
		for i := range freePair - 1 {
			if wait, begins := th.wait("a", from, now); wait > 0 || begins {
				t.Fatalf("failure %d has to wait %v", i, wait)
			}
		}
		now = now.Add(forgetAfter + time.Second)
	}
	// The wait doubles to its end and no further.
	longest := time.Duration(0)
	for range 100 {
		wait, _ := th.wait("b", from, now)
		longest = max(longest, wait)
		now = now.Add(wait)
	}
	if longest != longestWait {
		t.Errorf("the longest wait is %v", longest)
	}
}

// TestOldestSessionGoes fills the sessions of all users.
func TestOldestSessionGoes(t *testing.T) {
	h := newHouse(t)
	h.admin()
	first := h.login("root")
	s := h.api.sessions
	for i := range maxSessions {
		if _, _, err := s.start(fmt.Sprint("u", i), start.Add(time.Duration(i+1)*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	first.must(401, "GET", "/api/v1/session", nil)
	if s.count != maxSessions || len(s.byKey) != maxSessions {
		t.Errorf("%d sessions, %d ids", s.count, len(s.byKey))
	}
}
