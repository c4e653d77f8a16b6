package api

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

// TestNoAnswerHoldsASecret asks for everything that can be read after secrets
// were given out, and looks for them in answers and in the log.
func TestNoAnswerHoldsASecret(t *testing.T) {
	var log bytes.Buffer
	h := newHouse(t, func(c *Config) {
		c.Observations, c.Log = someRows(t), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	setup := h.api.SetupToken()
	root := h.admin()
	g := h.user(root, v1.RoleAnalyst)
	var made v1.TokenOnce
	g.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "a", "role": "viewer", "days": 9}).into(t, &made)
	(&guest{h: h}).ask("POST", "/api/v1/session", map[string]string{"name": "root", "password": "wrong-" + goodPassword})
	(&guest{h: h, token: "xz_never-made"}).ask("GET", "/api/v1/apis", nil)
	var hashes []string
	users, err := h.store.List(t.Context(), record.Query{Kind: record.User})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users.Records {
		_, a, err := userOf(&u)
		if err != nil || a.Password == "" {
			t.Fatal(a, err)
		}
		hashes = append(hashes, a.Password, a.Password[strings.LastIndexByte(a.Password, '$')+1:])
	}
	secrets := append(hashes, setup, goodPassword, made.Token, root.cookie, g.cookie, g.csrf, "xz_never-made")
	asked := 0
	for pattern := range table {
		path, ok := strings.CutPrefix(pattern, "GET ")
		if !ok || pattern == streamPattern {
			continue
		}
		asked++
		for _, id := range []string{userID("root"), made.Info.Id, h.report.APIs[0].ID} {
			a := root.ask("GET", strings.NewReplacer("{id}", id, "{site}", h.report.Sites[0].Name).Replace(path), nil)
			for _, s := range secrets {
				if bytes.Contains(a.body, []byte(s)) || strings.Contains(fmt.Sprint(a.head), s) {
					t.Errorf("%s holds a secret", pattern)
				}
			}
		}
	}
	for _, s := range secrets {
		if strings.Contains(log.String(), s) {
			t.Error("the log holds a secret")
		}
	}
	if asked < 30 {
		t.Errorf("asked for %d things only", asked)
	}
}
