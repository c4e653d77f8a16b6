package api

import (
	"strings"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

func TestUsersWhoMayNoLonger(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	g := h.user(root, v1.RoleResponder)
	var made v1.TokenOnce
	g.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "a", "role": "responder", "days": 9}).into(t, &made)
	bot := &guest{h: h, token: made.Token}
	var me v1.Me
	bot.must(200, "GET", "/api/v1/session", nil).into(t, &me)
	if me.Role != v1.RoleResponder || me.By != v1.MeByToken || me.Csrf != "" {
		t.Errorf("%+v", me)
	}
	change := func(rev int, what string, v any) {
		t.Helper()
		root.must(200, "PATCH", "/api/v1/users/"+me.Id, map[string]any{"rev": rev, what: v})
	}
	change(1, "role", "viewer")
	g.must(401, "GET", "/api/v1/session", nil) // signs in again
	if bot.must(200, "GET", "/api/v1/session", nil).into(t, &me); me.Role != v1.RoleViewer {
		t.Errorf("the token may more than its owner: %+v", me)
	}
	if p := root.ask("PATCH", "/api/v1/users/"+me.Id, map[string]any{"rev": 1, "disabled": true}).problem(t); p.Code != "conflict" {
		t.Errorf("%+v", p)
	}
	change(2, "disabled", true)
	if p := bot.ask("GET", "/api/v1/session", nil).problem(t); p.Code != "token" {
		t.Errorf("%+v", p)
	}
	(&guest{h: h}).must(401, "POST", "/api/v1/session", map[string]string{"name": "responder-1", "password": goodPassword})
	change(3, "disabled", false)
	bot.must(200, "GET", "/api/v1/session", nil)
	h.pass(9 * 24 * time.Hour)
	bot.must(401, "GET", "/api/v1/session", nil)

	root = h.login("root")
	root.must(204, "DELETE", "/api/v1/users/"+me.Id, nil)
	if _, err := h.store.Get(t.Context(), record.Token, made.Info.Id); err == nil {
		t.Error("the token of a user who was removed is left")
	}
	for what, do := range map[string]func() answer{
		"remove": func() answer { return root.ask("DELETE", "/api/v1/users/"+userID("root"), nil) },
		"demote": func() answer {
			return root.ask("PATCH", "/api/v1/users/"+userID("root"), map[string]any{"rev": 1, "role": "viewer"})
		},
		"disable": func() answer {
			return root.ask("PATCH", "/api/v1/users/"+userID("root"), map[string]any{"rev": 1, "disabled": true})
		},
	} {
		if p := do().problem(t); p.Code != "last_administrator" {
			t.Errorf("%s: %+v", what, p)
		}
	}
}

func TestUserNames(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	add := func(name string) answer {
		return root.ask("POST", "/api/v1/users", map[string]any{"name": name, "role": "viewer", "password": goodPassword})
	}
	for _, name := range []string{"li.lei@example.cn", "王小明", "Анна"} {
		if a := add(name); a.code != 201 {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
	for _, name := range []string{"LI.LEI@example.cn", "ｌｉ.lei@example.cn", "ROOT"} {
		if p := add(name).problem(t); p.Code != "exists" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	for _, name := range []string{" root", "a b", "<b>", "a\u202eb", "a\u200bb", ".hidden", strings.Repeat("x", 65), "a\nb"} {
		if p := add(name).problem(t); p.Code != "invalid" || p.Errors[0].Field != "name" {
			t.Errorf("%q: %+v", name, p)
		}
	}
}

func TestTokens(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	g := h.user(root, v1.RoleAnalyst)
	if p := g.ask("POST", "/api/v1/tokens", map[string]any{"name": "a", "role": "responder", "days": 1}).problem(t); p.Code != "token_role" {
		t.Errorf("%+v", p)
	}
	var mine, theirs v1.TokenOnce
	a := g.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "a", "role": "viewer", "days": 1})
	a.into(t, &mine)
	root.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "b", "role": "administrator", "days": 1}).into(t, &theirs)
	if !strings.HasPrefix(mine.Token, tokenPrefix) || len(mine.Token) < 60 || mine.Info.Id == mine.Token {
		t.Errorf("%+v", mine)
	}
	var list v1.Tokens
	listed := g.must(200, "GET", "/api/v1/tokens", nil)
	if listed.into(t, &list); len(list.Items) != 1 || strings.Contains(string(listed.body), mine.Token) {
		t.Errorf("%s", listed.body)
	}
	g.must(404, "DELETE", "/api/v1/tokens/"+theirs.Info.Id, nil)
	bot := &guest{h: h, token: mine.Token}
	if p := bot.ask("POST", "/api/v1/tokens", map[string]any{"name": "c", "role": "viewer", "days": 1}).problem(t); p.Code != "people" {
		t.Errorf("a token makes tokens: %+v", p)
	}
	root.must(204, "DELETE", "/api/v1/tokens/"+mine.Info.Id, nil)
	bot.must(401, "GET", "/api/v1/session", nil)
	for _, auth := range []string{"Bearer", "Basic cm9vdDpyb290", "Bearer " + strings.Repeat("x", 5000), "Bearer xz_00"} {
		// A session beside it does not help: whoever gives a token means it.
		root.head = map[string]string{"Authorization": auth}
		if p := root.ask("GET", "/api/v1/apis", nil).problem(t); p.Code != "token" {
			t.Errorf("%.30q: %+v", auth, p)
		}
	}
	root.head = nil
	for range maxUserTokens - 1 {
		root.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "b", "role": "viewer", "days": 1})
	}
	if p := root.ask("POST", "/api/v1/tokens", map[string]any{"name": "b", "role": "viewer", "days": 1}).problem(t); p.Code != "full" {
		t.Errorf("%+v", p)
	}
}
