package identity

import (
	"strings"

	"xiezhi/internal/observe"
)

// minUpgraded is how many people must have signed in with a visitor's session
// before such sessions count as nobody's: many applications give a session to
// everyone who comes, others only to who signs in, by means we may not see.
const minUpgraded = 3

// isGuest reports whether a credential is a visitor's session.
func (r *Resolver) isGuest(c *observe.Credential) bool {
	if r.upgraded < minUpgraded || c.Kind != observe.CredCookie {
		return false
	}
	own, ok := r.credentials.Peek(c.Token)
	return ok && own.guest
}

// learnGuest notes sessions that are given to whoever fetches a page, and that
// they are visitors' no longer once something happened that may have signed
// somebody in.
func (r *Resolver) learnGuest(o *observe.Observation, w *Who, success bool) {
	shown := false
	for i := range o.Credentials {
		own, ok := r.credentials.Peek(o.Credentials[i].Token)
		shown = shown || ok && own.guest
	}
	if !shown && len(o.Issued) == 0 {
		return
	}
	signs := len(o.Passwords) > 0 || o.Query && len(o.Issued) > 0 || signsIn(o)
	for i := range o.Credentials {
		c := &o.Credentials[i]
		if own, ok := r.credentials.Peek(c.Token); !ok || !own.guest {
			continue
		}
		switch {
		case success && len(o.Passwords) > 0 && w.Subject != 0:
			if r.upgraded < minUpgraded {
				r.upgraded++
			}
			r.credentials.Put(c.Token, owner{})
		case success && (signs || len(o.Issued) > 0 && o.Method != "GET"):
			r.credentials.Put(c.Token, owner{})
		}
	}
	if signs || o.Method != "GET" || o.Query || w.Principal != 0 || w.Subject != 0 || o.Status >= 500 {
		return
	}
	for i := range o.Issued {
		c := &o.Issued[i]
		if c.Kind != observe.CredCookie || c.Token == 0 || c.JWT != nil || c.Account != 0 {
			continue
		}
		if _, known := r.credentials.Peek(c.Token); !known {
			r.credentials.Put(c.Token, owner{guest: true})
		}
	}
}

// signsIn reports whether a request may sign somebody in without a password:
// by a code, a ticket, another site, a scanned picture.
func signsIn(o *observe.Observation) bool {
	for i := range o.Segments {
		if o.Method == "GET" && i == len(o.Segments)-1 && strings.EqualFold(o.Segments[i].Text, "login") {
			continue // the page that asks
		}
		s := squeeze(o.Segments[i].Text)
		for _, word := range [...]string{"login", "signin", "logon", "auth", "sso", "cas", "callback", "ticket", "token", "qr", "scan", "session", "denglu", "wx", "weixin", "登录"} {
			if strings.Contains(s, word) {
				return true
			}
		}
	}
	for i := range o.Params {
		switch squeeze(o.Params[i].Name[strings.LastIndexByte(o.Params[i].Name, '.')+1:]) {
		case "code", "smscode", "verifycode", "ticket", "token", "state", "otp", "captcha", "idtoken", "accesstoken":
			return true
		}
	}
	return false
}
