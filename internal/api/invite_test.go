package api

import (
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
)

func enter(g *guest, token string) answer {
	return g.ask("POST", "/api/v1/session/invitation", map[string]string{"token": token})
}

func (h *house) invite(id string) string {
	h.t.Helper()
	token, err := h.api.Invite(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

func TestAnInvitationWorksOnceAndShortly(t *testing.T) {
	h := newHouse(t)
	id, err := h.api.FirstAdministrator(t.Context(), "admin", goodPassword)
	if err != nil || h.api.SetupToken() != "" {
		t.Fatalf("%v, token %q", err, h.api.SetupToken())
	}
	if _, err := h.api.FirstAdministrator(t.Context(), "other", goodPassword); err == nil {
		t.Error("a first administrator was made twice")
	}
	token := h.invite(id)
	if len(token) < 32 {
		t.Fatalf("the token is %q", token)
	}
	g := &guest{h: h}
	var me v1.Me
	if a := enter(g, token); a.code != 201 || g.cookie == "" {
		t.Fatalf("%d %s", a.code, a.body)
	} else {
		a.into(t, &me)
		g.signed(a)
	}
	if me.Name != "admin" || me.Role != v1.RoleAdministrator {
		t.Errorf("%+v", me)
	}
	if p := enter(&guest{h: h}, token).problem(t); p.Code != "invitation" || p.Detail == "" {
		t.Errorf("it works twice: %+v", p)
	}
	late := h.invite(id)
	h.pass(invitationLife)
	if p := enter(&guest{h: h}, late).problem(t); p.Code != "invitation" {
		t.Errorf("it works for ever: %+v", p)
	}

	h.login("admin")
	if _, err := newHouse(t).api.FirstAdministrator(t.Context(), "admin", "password1234"); err == nil {
		t.Error("a weak password was taken")
	}

	var log v1.AuditEntryPage
	g.must(200, "GET", "/api/v1/audit", nil).into(t, &log)
	seen := map[string]string{}
	for _, e := range log.Items {
		seen[e.Action] = e.By
	}
	if seen["session.invite"] != program || seen["user.setup"] != program || seen["session.enter"] != id {
		t.Errorf("the log says %v", seen)
	}
}

func TestAnInvitationIsForWhoMaySignIn(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	h.user(root, v1.RoleViewer)
	id := userID("viewer-1")
	token := h.invite(id)
	root.must(200, "PATCH", "/api/v1/users/"+id, map[string]any{"rev": 1, "disabled": true})
	if p := enter(&guest{h: h}, token).problem(t); p.Code != "invitation" {
		t.Errorf("%+v", p)
	}
	if _, err := h.api.Invite(t.Context(), id); err == nil {
		t.Error("a disabled user was invited")
	}
	if _, err := h.api.Invite(t.Context(), "u-none"); err == nil {
		t.Error("nobody was invited")
	}
	p := (&guest{h: h}).ask("POST", "/api/v1/session", map[string]string{"name": "viewer-1", "password": goodPassword}).problem(t)
	if p.Code != "disabled" {
		t.Errorf("who knows the password is not told why: %+v", p)
	}
	p = (&guest{h: h}).ask("POST", "/api/v1/session", map[string]string{"name": "viewer-1", "password": "another password"}).problem(t)
	if p.Code != "credentials" {
		t.Errorf("who does not know the password is told of the account: %+v", p)
	}
}

func TestInvitationsAreNotGuessedAndBounded(t *testing.T) {
	h := newHouse(t)
	h.admin()
	first := h.invite(userID("root"))
	for range maxInvitations {
		h.invite(userID("root"))
	}
	if len(h.api.invitations.list) != maxInvitations {
		t.Errorf("%d are kept", len(h.api.invitations.list))
	}
	g := &guest{h: h}
	if p := enter(g, first).problem(t); p.Code != "invitation" {
		t.Errorf("%+v", p)
	}
	throttled := false
	for range 20 {
		throttled = throttled || enter(g, "guess").problem(t).Code == "throttled"
	}
	if !throttled {
		t.Error("invitations may be guessed without waiting")
	}
	h.pass(time.Hour)
	if p := enter(g, h.invite(userID("root"))); p.code != 201 {
		t.Errorf("%d %s", p.code, p.body)
	}
}
