//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"xiezhi/internal/intel/library"
)

var (
	consoleAt = regexp.MustCompile(`serving the console at (http://\S+)/ `)
	setupWith = regexp.MustCompile(`one-time token: (\S+)`)
)

// visitor signs in at a service and asks it.
type visitor struct {
	t    *testing.T
	base string
	csrf string
	c    *http.Client
}

func (s *served) administrator(t *testing.T) *visitor {
	t.Helper()
	p := s.console(t)
	for range 200 {
		if m := setupWith.FindStringSubmatch(s.log.String()); m != nil {
			var me struct {
				CSRF string `json:"csrf"`
			}
			p.ask(http.StatusCreated, "POST", "/api/v1/setup", map[string]string{"token": m[1], "name": "root", "password": "correct horse battery 9"}, &me)
			p.csrf = me.CSRF
			return p
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("there is no token: %s", s.log)
	return nil
}

func (s *served) signIn(t *testing.T) *visitor {
	p := s.console(t)
	var me struct {
		CSRF string `json:"csrf"`
	}
	p.ask(http.StatusCreated, "POST", "/api/v1/session", map[string]string{"name": "root", "password": "correct horse battery 9"}, &me)
	p.csrf = me.CSRF
	return p
}

func (s *served) console(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if m := consoleAt.FindStringSubmatch(s.log.String()); m != nil {
			return &visitor{t: t, base: m[1], c: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it serves no console: %s", s.log)
	return nil
}

func (p *visitor) ask(want int, method, path string, body, into any) {
	p.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequest(method, p.base+path, bytes.NewReader(data))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-CSRF-Token", p.csrf)
	if method == http.MethodGet {
		r.Body, r.ContentLength = http.NoBody, 0
		r.Header.Del("Content-Type")
	}
	res, err := p.c.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		p.t.Fatalf("%s %s gives %d: %s %v", method, path, res.StatusCode, text, err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			p.t.Fatal(err)
		}
	}
}

// score is what a service knows of an address.
func (p *visitor) score(value string) int {
	p.t.Helper()
	var x struct {
		Items []struct {
			Score int `json:"score"`
		} `json:"items"`
	}
	p.ask(http.StatusOK, "POST", "/api/v1/indicators/lookup", map[string]string{"value": value}, &x)
	if len(x.Items) != 1 {
		p.t.Fatalf("%+v", x)
	}
	return x.Items[0].Score
}

func (p *visitor) feedState() (state string, rows int) {
	var f struct {
		Items []struct {
			State string `json:"state"`
			Rows  int    `json:"rows"`
		} `json:"items"`
	}
	p.ask(http.StatusOK, "GET", "/api/v1/feeds", nil, &f)
	return f.Items[0].State, f.Items[0].Rows
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 200 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// TestIntelligenceBetweenServices: what people say on node A node B knows soon,
// and still knows when both were killed and A is gone.
func TestIntelligenceBetweenServices(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	args := []string{"--config", write("a.yaml", "intel:\n  share: {who: node A, owner: true}\n")}
	a := startServe(t, filepath.Join(dir, "a"), args...)
	pa := a.administrator(t)
	pa.ask(http.StatusCreated, "POST", "/api/v1/indicators", map[string]any{"type": "address", "value": "45.9.1.7", "verdict": "hostile", "reason": "a fraud case"}, nil)
	var token struct {
		Token string `json:"token"`
	}
	pa.ask(http.StatusCreated, "POST", "/api/v1/tokens", map[string]any{"name": "node B", "role": "viewer", "days": 30, "scope": "intelligence_owner"}, &token)
	if err := a.cmd.Process.Kill(); err != nil { // what was said is written
		t.Fatal(err)
	}
	_, _ = a.cmd.Process.Wait()
	a = startServe(t, filepath.Join(dir, "a"), args...)
	if pa = a.signIn(t); pa.score("45.9.1.7") < 70 {
		t.Fatalf("a service that was killed forgot what was said: %d", pa.score("45.9.1.7"))
	}

	write("token", "Authorization: Bearer "+token.Token+"\n")
	args = []string{"--config", write("b.yaml", fmt.Sprintf("intel:\n  allow: [127.0.0.1]\n  feeds:\n    - {name: a, url: %q, format: taxii, role: peer, reliability: 1, every: 1m, header_file: token, licence: ours}\n",
		pa.base+"/taxii2/api/collections/"+library.OwnerCollection+"/"))}
	b := startServe(t, filepath.Join(dir, "b"), args...)
	pb := b.administrator(t)
	until(t, "B knows what A was told", func() bool { return pb.score("45.9.1.7") >= 70 })
	if state, rows := pb.feedState(); state != "ok" || rows != 1 {
		t.Errorf("the feed is %s with %d rows", state, rows)
	}
	a.end()
	if err := b.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = b.cmd.Process.Wait()
	b = startServe(t, filepath.Join(dir, "b"), args...)
	pb = b.signIn(t)
	if got := pb.score("45.9.1.7"); got < 70 {
		t.Errorf("B forgot it with A gone: %d", got)
	}
	until(t, "B says that A does not answer", func() bool { state, rows := pb.feedState(); return state == "failing" && rows == 1 })
	b.end()
}
