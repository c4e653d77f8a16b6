package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"

	"xiezhi/internal/report"
	"xiezhi/lab/show"
)

// person is somebody who is signed in at the demo's own API, over its listener.
type person struct {
	client *http.Client
	base   string // up to /api/v1/
	csrf   string
}

func newPerson(ctx context.Context, base, name, password string) (*person, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	p := &person{client: &http.Client{Jar: jar, Transport: &http.Transport{}}, base: base + "/api/v1/"}
	var me struct{ CSRF string }
	if err := p.ask(ctx, "session", map[string]string{"name": name, "password": password}, &me); err != nil {
		return nil, err
	}
	p.csrf = me.CSRF
	return p, nil
}

// ask posts a body and reads the answer.
func (p *person) ask(ctx context.Context, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-CSRF-Token", p.csrf)
	res, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s: %d: %s", path, res.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// people lets the organisation's people say what they have to say of the
// findings: who looks at the console sees it in use.
func (d *demo) people(ctx context.Context) error {
	base := "http://" + d.stand.listener.Addr().String()
	boss, err := newPerson(ctx, base, demoName, d.password)
	if err != nil {
		return err
	}
	staff := map[string]*person{}
	for _, s := range d.play.Staff() {
		password := rand.Text()
		if err := boss.ask(ctx, "users", map[string]string{"name": s.Name, "password": password, "role": s.Role}, nil); err != nil {
			return err
		}
		if staff[s.Name], err = newPerson(ctx, base, s.Name, password); err != nil {
			return err
		}
	}
	r := d.stand.service.Report()
	for _, w := range d.play.Words(d.app.lang) {
		path := w.Path
		if w.Defect != nil {
			id := defectOf(r, w.Defect)
			if id == "" {
				continue // a short history does not show every defect
			}
			path = strings.Replace(path, "{id}", id, 1)
		}
		if err := staff[w.By].ask(ctx, path, w.Body, nil); err != nil {
			return err
		}
	}
	return nil
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// defectOf gives the id of the finding that a sign names, whatever the
// parameters of its template are called.
func defectOf(r *report.Report, s *show.Sign) string {
	apis := map[string]*report.API{}
	for i := range r.APIs {
		apis[r.APIs[i].ID] = &r.APIs[i]
	}
	for i := range r.Defects {
		x := &r.Defects[i]
		a := apis[x.API]
		if a != nil && x.Kind == s.Kind && a.Site == s.Site && a.Method == s.Method && parameter.ReplaceAllString(a.Template, "{}") == s.Template {
			return x.ID
		}
	}
	return ""
}
