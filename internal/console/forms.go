package console

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/text/language"

	"xiezhi/internal/message"
)

//go:embed form.html form.css
var formFiles embed.FS

// formSize is the most that a form may hold, in bytes.
const formSize = 8 << 10

// forms draws the pages to sign in and to set up.
type forms struct {
	page  *template.Template
	style template.CSS
}

func newForms(msgs *message.Catalog) (*forms, error) {
	css, err := formFiles.ReadFile("form.css")
	if err != nil {
		return nil, err
	}
	for _, id := range []string{"setup", "login", "enter"} {
		if msgs.Text("console."+id+".title", nil).En == "" {
			return nil, fmt.Errorf("console: the messages have no title for %s", id)
		}
	}
	t, err := template.ParseFS(formFiles, "form.html")
	return &forms{page: t, style: template.CSS(css)}, err
}

// form is what form.html shows.
type form struct {
	Lang, Other, OtherName string // language, the other one and its name
	Nonce                  string
	Style                  template.CSS
	Action                 string // where it is posted to, with its query
	Switch                 string // the same page in the other language
	Title, Intro, Send     string
	Name, Password         string // labels
	Repeat, Token          string // labels; empty: no such field
	Rules                  string // of a new password, told before one is typed
	NameValue, TokenValue  string
	Invitation             string // nothing is typed: this is posted
	Problem                string
	Elsewhere, Link        string // a way on, and what it is called; empty: none
	Provider, Through      string // a way to sign in, and what it is called; empty: none
	New                    bool   // the password is a new one
}

// answer is what the API says to a form.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// ask sends a request to the API in the name of who posted a form: same
// connection, same heads, so that throttling and the check of the origin hold.
func (c *Console) ask(r *http.Request, method, path string, body any) (*answer, error) {
	return c.askWith(r, []string{"Origin", "Sec-Fetch-Site", "User-Agent", "X-Forwarded-For"}, method, path, body)
}

// askWith has some of the heads only.
func (c *Console) askWith(r *http.Request, heads []string, method, path string, body any) (*answer, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(r.Context(), method, path, reader)
	if err != nil {
		return nil, err
	}
	q.RemoteAddr, q.TLS, q.Host, q.RequestURI = r.RemoteAddr, r.TLS, r.Host, path
	for _, h := range heads {
		if v := r.Header.Values(h); v != nil {
			q.Header[h] = v
		}
	}
	q.Header.Set("Accept-Language", c.lang(r))
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	a := &answer{header: http.Header{}, status: http.StatusOK}
	c.cfg.API.ServeHTTP(a, q)
	return a, nil
}

// settled reports whether the first administrator is there.
func (c *Console) settled(r *http.Request) (bool, error) {
	a, err := c.ask(r, http.MethodGet, "/api/v1/setup", nil)
	if err != nil {
		return false, err
	}
	var state struct {
		Needed bool `json:"needed"`
	}
	if a.status != http.StatusOK {
		return false, fmt.Errorf("ask for the state of the set-up: status %d", a.status)
	}
	err = json.Unmarshal(a.body.Bytes(), &state)
	return !state.Needed, err
}

var languages = language.NewMatcher([]language.Tag{language.English, language.Chinese})

// lang is the language of a page: the one that was asked for, else what the
// browser prefers.
func (c *Console) lang(r *http.Request) string {
	if l := r.URL.Query().Get("lang"); l == "zh" || l == "en" {
		return l
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		if c.cfg.Lang == "zh" {
			return "zh"
		}
		return "en"
	}
	if _, i, _ := languages.Match(tags...); i == 1 {
		return "zh"
	}
	return "en"
}

// login is the page to sign in.
func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	next := local(r.URL.Query().Get("next"))
	f := c.form(r, "login", url.Values{"next": {next}})
	c.offer(&f, next)
	if r.Method != http.MethodPost {
		if !reading(w, r, http.MethodPost) {
			return
		}
		if done, err := c.settled(r); err != nil {
			c.fail(w, err)
			return
		} else if !done {
			http.Redirect(w, r, "/setup?lang="+f.Lang, http.StatusSeeOther)
			return
		}
		c.show(w, r, http.StatusOK, f)
		return
	}
	name, password, ok := c.posted(w, r, &f)
	if !ok {
		return
	}
	a, err := c.ask(r, http.MethodPost, "/api/v1/session", map[string]string{"name": name, "password": password})
	c.finish(w, r, a, err, f, next)
}

// setup is the page that makes the first administrator.
func (c *Console) setup(w http.ResponseWriter, r *http.Request) {
	f := c.form(r, "setup", nil)
	f.New = true
	f.Token, f.Repeat = c.text("console.setup.token", f.Lang), c.text("console.setup.repeat", f.Lang)
	f.Rules = c.text("console.setup.rules", f.Lang)
	f.TokenValue = r.URL.Query().Get("token")
	if f.TokenValue != "" {
		f.Switch += "&token=" + url.QueryEscape(f.TokenValue)
	}
	if f.NameValue == "" {
		f.NameValue = "admin"
	}
	if r.Method != http.MethodPost {
		if !reading(w, r, http.MethodPost) {
			return
		}
		if done, err := c.settled(r); err != nil {
			c.fail(w, err)
			return
		} else if done {
			http.Redirect(w, r, "/login?lang="+f.Lang, http.StatusSeeOther)
			return
		}
		c.show(w, r, http.StatusOK, f)
		return
	}
	name, password, ok := c.posted(w, r, &f)
	if !ok {
		return
	}
	f.TokenValue = r.PostForm.Get("token")
	if password != r.PostForm.Get("repeat") {
		f.Problem = c.text("console.setup.differ", f.Lang)
		c.show(w, r, http.StatusUnprocessableEntity, f)
		return
	}
	a, err := c.ask(r, http.MethodPost, "/api/v1/setup", map[string]string{"token": strings.TrimSpace(f.TokenValue), "name": name, "password": password})
	c.finish(w, r, a, err, f, "/")
}

// enter is the page that signs in who holds an invitation. Nothing happens
// before its one button is pressed: what fetches links ahead uses nothing up.
func (c *Console) enter(w http.ResponseWriter, r *http.Request) {
	f := c.form(r, "enter", nil)
	f.Invitation = r.URL.Query().Get("token")
	if r.Method != http.MethodPost {
		if !reading(w, r, http.MethodPost) {
			return
		}
		if f.Invitation == "" {
			http.Redirect(w, r, "/login?lang="+f.Lang, http.StatusSeeOther)
			return
		}
		f.Switch += "&token=" + url.QueryEscape(f.Invitation)
		c.show(w, r, http.StatusOK, f)
		return
	}
	if _, _, ok := c.posted(w, r, &f); !ok {
		return
	}
	f.Invitation = r.PostForm.Get("token")
	a, err := c.ask(r, http.MethodPost, "/api/v1/session/invitation", map[string]string{"token": f.Invitation})
	if err == nil && a.status == http.StatusForbidden {
		f.Send, f.Elsewhere, f.Link = "", "/login?lang="+f.Lang, c.text("console.enter.password", f.Lang)
	}
	c.finish(w, r, a, err, f, "/")
}

// posted reads a form.
func (c *Console) posted(w http.ResponseWriter, r *http.Request, f *form) (name, password string, ok bool) {
	r.Body = http.MaxBytesReader(w, r.Body, formSize)
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
			status = http.StatusRequestEntityTooLarge
		}
		f.Problem = c.text("console.form.unreadable", f.Lang)
		c.show(w, r, status, *f)
		return "", "", false
	}
	f.NameValue = r.PostForm.Get("name")
	return f.NameValue, r.PostForm.Get("password"), true
}

// finish sends who is signed in now on, or shows what the API refused.
func (c *Console) finish(w http.ResponseWriter, r *http.Request, a *answer, err error, f form, next string) {
	if err != nil {
		c.fail(w, err)
		return
	}
	if a.status == http.StatusCreated {
		for _, v := range a.header.Values("Set-Cookie") {
			w.Header().Add("Set-Cookie", v)
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	var p struct {
		Title, Detail string
		Errors        []struct{ Detail, Title string }
	}
	if err := json.Unmarshal(a.body.Bytes(), &p); err != nil {
		c.fail(w, fmt.Errorf("the API answered %d: %w", a.status, err))
		return
	}
	parts := []string{p.Title, p.Detail}
	for _, e := range p.Errors {
		parts = append(parts, e.Title, e.Detail)
	}
	f.Problem = strings.Join(compact(parts), " ")
	if wait := a.header.Get("Retry-After"); wait != "" {
		w.Header().Set("Retry-After", wait)
	}
	c.show(w, r, a.status, f)
}

func compact(parts []string) []string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// local gives a path of this console, never one of another host.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return u.RequestURI()
}

func (c *Console) text(id, lang string) string { return c.cfg.Messages.Text(id, nil).In(lang) }

func (c *Console) form(r *http.Request, id string, query url.Values) form {
	lang := c.lang(r)
	f := form{Lang: lang, Other: "en", OtherName: "English", Style: c.forms.style}
	if lang == "en" {
		f.Other, f.OtherName = "zh", "中文"
	}
	q := url.Values{"lang": {lang}}
	for k, v := range query {
		if v[0] != "" && v[0] != "/" {
			q[k] = v
		}
	}
	f.Action = "/" + id + "?" + q.Encode()
	q.Set("lang", f.Other)
	f.Switch = "/" + id + "?" + q.Encode()
	f.Title, f.Intro, f.Send = c.text("console."+id+".title", lang), c.text("console."+id+".intro", lang), c.text("console."+id+".send", lang)
	f.Name, f.Password = c.text("console.form.name", lang), c.text("console.form.password", lang)
	return f
}

func (c *Console) show(w http.ResponseWriter, r *http.Request, status int, f form) {
	nonce, err := c.nonce()
	if err != nil {
		c.fail(w, err)
		return
	}
	f.Nonce = nonce
	var b bytes.Buffer
	if err := c.forms.page.Execute(&b, f); err != nil {
		c.fail(w, err)
		return
	}
	protect(w, r, "default-src 'none'; style-src 'nonce-"+nonce+"'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
