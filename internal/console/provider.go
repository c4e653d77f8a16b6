package console

import (
	"errors"
	"net/http"
	"net/url"

	"xiezhi/internal/api"
	"xiezhi/internal/console/sso"
	"xiezhi/internal/message"
)

// ssoPath sends a browser to the provider.
const ssoPath = "/login/provider"

// keepCookie holds an attempt to sign in, sealed, until the provider answers. It
// comes back with a request from another site, hence Lax.
func (c *Console) keepCookie(value string, age int) *http.Cookie {
	k := &http.Cookie{Name: "xiezhi_sign_in", Value: value, Path: sso.CallbackPath, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.cfg.SSO.Secure(), MaxAge: age}
	if k.Secure {
		k.Name = "__Secure-" + k.Name
	}
	return k
}

// offer puts the way through the provider on the page.
func (c *Console) offer(f *form, next string) {
	if c.cfg.SSO == nil {
		return
	}
	f.Provider = ssoPath + "?" + url.Values{"lang": {f.Lang}, "next": {next}}.Encode()
	f.Through = c.cfg.Messages.Text("console.sso.through", message.Args{"name": c.cfg.SSO.Name()}).In(f.Lang)
}

// leave sends the browser to the provider.
func (c *Console) leave(w http.ResponseWriter, r *http.Request) {
	if !reading(w, r) {
		return
	}
	page, keep, err := c.cfg.SSO.Begin(r.Context(), local(r.URL.Query().Get("next")))
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	http.SetCookie(w, c.keepCookie(keep, int(sso.AttemptTime.Seconds())))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, page, http.StatusSeeOther)
}

// back takes the browser back from the provider.
func (c *Console) back(w http.ResponseWriter, r *http.Request) {
	if !reading(w, r) {
		return
	}
	keep := ""
	if k, err := r.Cookie(c.keepCookie("", 0).Name); err == nil {
		keep = k.Value
	}
	http.SetCookie(w, c.keepCookie("", -1)) // whatever comes of it, once
	who, next, err := c.cfg.SSO.Finish(r.Context(), r.URL.Query(), keep)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	token, err := c.cfg.Vouch(r.Context(), who)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	// The request comes from the provider's site, as it has to: what the browser
	// kept has shown that this console began it.
	a, err := c.askWith(r, []string{"User-Agent", "X-Forwarded-For"}, http.MethodPost, "/api/v1/session/invitation", map[string]string{"token": token})
	f := c.form(r, "login", url.Values{"next": {next}})
	c.offer(&f, next)
	c.finish(w, r, a, err, f, next)
}

// refuse says why the provider did not sign somebody in, on the page to sign in.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, err error) {
	id, status := "", http.StatusForbidden
	var p *sso.Problem
	switch {
	case errors.As(err, &p):
		if id = p.ID; id == "console.sso.away" {
			status = http.StatusBadGateway
		}
	case errors.Is(err, api.ErrNameTaken):
		id = "console.sso.taken"
	case errors.Is(err, api.ErrBadName):
		id = "console.sso.nameless"
	case errors.Is(err, api.ErrShutOut):
		id = "console.sso.shut_out"
	case errors.Is(err, api.ErrFull):
		id = "console.sso.full"
	default:
		c.fail(w, err)
		return
	}
	c.cfg.Log.Warn("nobody was signed in through the provider", "why", err)
	f := c.form(r, "login", nil)
	c.offer(&f, "/")
	f.Problem = c.text(id, f.Lang)
	c.show(w, r, status, f)
}
