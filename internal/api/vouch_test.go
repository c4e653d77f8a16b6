package api

import (
	"errors"
	"fmt"
	"testing"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

func TestVouchedUsers(t *testing.T) {
	h := newHouse(t)
	admin, err := h.api.FirstAdministrator(t.Context(), "admin", goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	token, err := h.api.Vouch(t.Context(), "idp 42", "lin", v1.RoleAnalyst)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{h: h}
	var me v1.Me
	if a := enter(g, token); a.code != 201 {
		t.Fatalf("%d %s", a.code, a.body)
	} else if a.into(t, &me); me.Name != "lin" || me.Role != v1.RoleAnalyst {
		t.Fatalf("%+v", me)
	}
	if a := enter(&guest{h: h}, token); a.code != 403 {
		t.Errorf("a token worked twice: %d", a.code)
	}
	if a := (&guest{h: h}).ask("POST", "/api/v1/session", map[string]string{"name": "lin", "password": goodPassword}); a.code != 401 {
		t.Errorf("somebody without a password signed in with one: %d", a.code)
	}
	// The same role again changes nothing; another one ends what is open.
	if _, err := h.api.Vouch(t.Context(), "idp 42", "Lin", v1.RoleAnalyst); err != nil {
		t.Fatal(err)
	}
	if a := g.ask("GET", "/api/v1/session", nil); a.code != 200 {
		t.Errorf("the session ended: %d", a.code)
	}
	if token, err = h.api.Vouch(t.Context(), "idp 42", "lin", v1.RoleViewer); err != nil {
		t.Fatal(err)
	}
	if a := g.ask("GET", "/api/v1/session", nil); a.code != 401 {
		t.Errorf("a session kept the role before: %d", a.code)
	}
	if a := enter(g, token); a.code != 201 {
		t.Fatalf("%d %s", a.code, a.body)
	} else if a.into(t, &me); me.Role != v1.RoleViewer {
		t.Errorf("%+v", me)
	}

	for _, tt := range []struct {
		subject, name string
		role          v1.Role
		want          error
	}{
		{"idp 43", "lin", v1.RoleViewer, ErrNameTaken},          // another person of that name there
		{"idp 44", "ＡDMIN", v1.RoleAdministrator, ErrNameTaken}, // a user with a password, written otherwise
		{"idp 45", "a b", v1.RoleViewer, ErrBadName},
		{"idp 46", "", v1.RoleViewer, ErrBadName},
	} {
		if _, err := h.api.Vouch(t.Context(), tt.subject, tt.name, tt.role); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	for _, bad := range [][2]string{{"", "viewer"}, {"idp 47", "root"}, {"idp 47", ""}} {
		if _, err := h.api.Vouch(t.Context(), bad[0], "wang", v1.Role(bad[1])); err == nil {
			t.Errorf("%q was vouched for", bad)
		}
	}

	// Who is disabled here stays out, whatever the provider says.
	_, u, err := userOf(h.record(record.User, userID("lin")))
	if err != nil {
		t.Fatal(err)
	}
	boss := h.enter(admin)
	if a := boss.ask("PATCH", "/api/v1/users/"+userID("lin"), map[string]any{"rev": h.record(record.User, userID("lin")).Rev, "disabled": true}); a.code != 200 {
		t.Fatalf("%d %s", a.code, a.body)
	}
	if _, err := h.api.Vouch(t.Context(), u.Subject, u.Name, v1.RoleViewer); !errors.Is(err, ErrShutOut) {
		t.Error(err)
	}
	if u.Password != "" || u.Subject != "idp 42" {
		t.Errorf("%+v", u)
	}
}

func TestVouchedUsersAreBounded(t *testing.T) {
	h := newHouse(t)
	for i := range maxUsers {
		if _, err := h.api.Vouch(t.Context(), fmt.Sprint("idp ", i), fmt.Sprint("u", i), v1.RoleViewer); err != nil {
			t.Fatal(i, err)
		}
	}
	if _, err := h.api.Vouch(t.Context(), "idp x", "x", v1.RoleViewer); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if _, err := h.api.Vouch(t.Context(), "idp 7", "u7", v1.RoleViewer); err != nil {
		t.Error("who is there is not let in:", err)
	}
}

func (h *house) record(kind record.Kind, id string) *record.Record {
	h.t.Helper()
	r, err := h.store.Get(h.t.Context(), kind, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return &r
}

// enter signs a user in without a password.
func (h *house) enter(id string) *guest {
	h.t.Helper()
	g := &guest{h: h}
	if a := enter(g, h.invite(id)); a.code != 201 {
		h.t.Fatalf("%d %s", a.code, a.body)
	} else {
		var me v1.Me
		a.into(h.t, &me)
		g.csrf = me.Csrf
	}
	return g
}
