package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xiezhi/internal/api"
	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/respond"
	"xiezhi/internal/respond/bouncer"
	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/rules"
)

// TestDecisionsFromTheCommandLine makes, lists, undoes and stops over the API of
// a service, and lets a bouncer in.
func TestDecisionsFromTheCommandLine(t *testing.T) {
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := store.Take(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	records, err := sqlite.Open(t.Context(), folder, sqlite.Config{Chain: record.NewChain([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = records.Close(); _ = folder.Release() })
	desk, err := respond.New(t.Context(), respond.Config{Store: records, Messages: msgs})
	if err != nil {
		t.Fatal(err)
	}
	gates, err := bouncer.New(t.Context(), bouncer.Config{Store: records, Desk: desk})
	if err != nil {
		t.Fatal(err)
	}
	web, err := api.New(t.Context(), api.Config{Store: records, Messages: msgs, Version: "v9", Rules: "r1", Lang: "en", Plain: true, Desk: desk, Bouncers: gates,
		Decide: func(context.Context, api.Decision) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(web)
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(administrator(t, server.URL, web.SetupToken())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	call := func(code int, args ...string) (string, string) {
		t.Helper()
		var out, said bytes.Buffer
		args = append(args, "--service", server.URL, "--token-file", token, "--lang", "en")
		if got := run(args, strings.NewReader(""), &out, &said, func(string) string { return "" }); got != code {
			t.Fatalf("%q: exit %d, want %d: %s%s", args[:2], got, code, out.String(), said.String())
		}
		return out.String(), said.String()
	}
	out, _ := call(0, "decision", "add", "--action", "block", "--site", "shop", "--ip", "203.0.113.9", "--reason", "seen \x1b[2Jtwice", "-o", "json")
	var d v1.Decision
	if err := json.Unmarshal([]byte(out), &d); err != nil || d.State != respond.Active || len(d.Selector.Keys.IP) != 1 {
		t.Fatalf("%v %s", err, out)
	}
	if out, _ = call(0, "decision", "list"); !strings.Contains(out, d.ID) || !strings.Contains(out, "ip=203.0.113.9") || strings.Contains(out, "\x1b") {
		t.Errorf("%q", out)
	}
	if _, said := call(3, "decision", "add", "--action", "block", "--site", "shop", "--reason", "all"); !strings.Contains(said, "It would meet everybody") {
		t.Error(said)
	}
	if _, said := call(3, "decision", "add", "--action", "block", "--site", "shop", "--prefix", "0.0.0.0/0", "--reason", "all", "--dry-run"); !strings.Contains(said, "0.0.0.0/0 is too wide") {
		t.Error(said)
	}
	call(2, "decision", "add", "--action", "block")
	call(2, "decision", "undo", d.ID)
	if out, _ = call(0, "bouncer", "add", "edge"); !strings.HasPrefix(out, bouncer.KeyPrefix) {
		t.Error(out)
	}
	r := httptest.NewRequest("GET", "/v1/decisions?ip=203.0.113.9", nil)
	r.Header.Set("X-Api-Key", strings.TrimSpace(out))
	w := httptest.NewRecorder()
	if gates.ServeHTTP(w, r); w.Code != 200 || !strings.Contains(w.Body.String(), `"value":"203.0.113.9"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	id, _, _ := strings.Cut(func() string { out, _ := call(0, "bouncer", "list"); return out }(), " ")
	call(0, "bouncer", "remove", id)
	w = httptest.NewRecorder()
	if gates.ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("a key that was ended: %d %s", w.Code, w.Body)
	}
	if out, _ = call(0, "decision", "stop", "--reason", "drill"); !strings.Contains(out, "stopped=true active=1") {
		t.Error(out)
	}
	if out, _ = call(0, "decision", "resume", "--reason", "over"); !strings.Contains(out, "stopped=false") {
		t.Error(out)
	}
	if _, said := call(3, "decision", "approve", d.ID); !strings.Contains(said, "another state") {
		t.Error(said)
	}
	call(0, "decision", "undo", d.ID, "--reason", "wrong")
	if out, _ = call(0, "decision", "list"); out != "" {
		t.Error(out)
	}
	if out, _ = call(0, "decision", "list", "--all", "-o", "json"); !strings.Contains(out, `"state": "undone"`) {
		t.Error(out)
	}
	if _, said := call(3, "decision", "undo", "d-none", "--reason", "x"); !strings.Contains(said, "no such") {
		t.Error(said)
	}
}

// administrator signs in for the first time and makes a token.
func administrator(t *testing.T, base, setup string) string {
	t.Helper()
	ask := func(path, csrf, cookie string, body map[string]any, out any) *http.Response {
		t.Helper()
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), "POST", base+path, bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-CSRF-Token", csrf)
		r.Header.Set("Cookie", cookie)
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		data, err := io.ReadAll(w.Body)
		if err != nil || w.StatusCode != 201 {
			t.Fatalf("%s: %d %s %v", path, w.StatusCode, data, err)
		}
		if err := json.Unmarshal(data, out); err != nil {
			t.Fatal(err)
		}
		return w
	}
	var me v1.Me
	w := ask("/api/v1/setup", "", "", map[string]any{"token": setup, "name": "root", "password": "correct-horse-7-battery"}, &me)
	cookie, _, _ := strings.Cut(w.Header.Get("Set-Cookie"), ";")
	var made v1.TokenOnce
	ask("/api/v1/tokens", me.Csrf, cookie, map[string]any{"name": "cli", "role": "administrator", "days": 1}, &made)
	return made.Token
}
