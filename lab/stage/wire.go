package stage

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"xiezhi/internal/exchange"
	"xiezhi/lab/scene"
)

// buffers are reused from exchange to exchange.
type buffers struct {
	x    exchange.Exchange
	body []byte
}

// exchange writes a call and its answer as the wire would show them.
func (b *buffers) exchange(a *Actor, api *scene.API, call *scene.Call, ans *scene.Answer, method, target string) *exchange.Exchange {
	x := &b.x
	x.Reset()
	c, app := a.Client, a.App
	x.Caps = exchange.CapWire
	x.Client = netip.AddrPortFrom(c.Addr, c.Port)
	port := uint16(443)
	if app.Plain {
		port = 80
	} else {
		x.Secure, x.Caps = true, x.Caps|exchange.CapTLS
		x.JA4, x.SNI, x.TLSVersion = []byte(c.JA4), []byte(app.Host), []byte("1.3")
		x.H2 = []byte(c.H2)
	}
	x.Server = netip.AddrPortFrom(app.Address, port)
	x.Proto = c.Proto
	if app.Plain {
		x.Proto = 11
	}
	x.Host = []byte(app.Host)

	b.body = b.body[:0]
	kind := ""
	if api != nil && method == "" {
		method = api.Method
		target, kind = b.encode(a, api, call)
	}
	x.Method, x.Target = []byte(method), []byte(target)
	x.Request.Body, x.Request.BodySize, x.Request.Decoded = b.body, int64(len(b.body)), true
	b.headers(a, api, x, kind)

	x.Status = ans.Status
	x.Response.Decoded = true
	x.Response.Body, x.Response.BodySize = ans.Body, int64(len(ans.Body))
	add := func(n, v string) {
		if v == "" {
			return
		}
		if x.Proto == 20 {
			n = strings.ToLower(n)
		}
		x.Response.Header = append(x.Response.Header, exchange.Field{Name: []byte(n), Value: []byte(v)})
	}
	add("Server", app.Server)
	add("Date", a.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	add("Content-Type", ans.Type)
	add("Content-Length", strconv.Itoa(len(ans.Body)))
	for _, h := range ans.Headers {
		add(h.Name, h.Value)
	}
	return x
}

// encode writes target and body and gives the content type.
func (b *buffers) encode(a *Actor, api *scene.API, call *scene.Call) (target, kind string) {
	path := api.Path
	var parts []ExtraPart
	for _, f := range api.Fields {
		v := call.Fields.Get(f.Name)
		if v == "" {
			if v = a.Client.Facts.Get(f.Name); v == "now" {
				v = strconv.FormatInt(a.Now().UnixMilli(), 10)
			}
		}
		if v != "" {
			parts = append(parts, a.part(api, f, v))
		}
	}
	for _, f := range call.Fields {
		if hole := "{" + f.Name + "}"; strings.Contains(path, hole) {
			path = strings.Replace(path, hole, url.PathEscape(f.Value), 1)
		}
	}
	style := a.Client.Style
	if style.Sorted {
		slices.SortStableFunc(parts, func(x, y ExtraPart) int { return strings.Compare(x.Name, y.Name) })
	}
	if n := len(parts); n > 1 && style.Turn%n != 0 {
		parts = append(slices.Clone(parts[style.Turn%n:]), parts[:style.Turn%n]...)
	}
	if len(api.Fields) > 0 {
		parts = append(parts, style.Extra...)
	}
	if api.In == scene.InQuery && a.Session != nil && a.App.Flawed(scene.TokenInURL) && !api.Open {
		parts = append(parts, ExtraPart{Name: "access_token", Value: a.Session.Token})
	}
	switch {
	case api.In == scene.InQuery:
		if len(parts) > 0 {
			path += "?" + form(parts)
		}
		return path, ""
	case api.In == scene.InForm:
		b.body = append(b.body, form(parts)...)
		return path, "application/x-www-form-urlencoded"
	}
	sep, colon := ",", ":"
	if style.Spaced {
		sep, colon = ", ", ": "
	}
	b.body = append(b.body, '{')
	for i, p := range parts {
		if i > 0 {
			b.body = append(b.body, sep...)
		}
		b.body = scene.AppendString(b.body, p.Name)
		b.body = append(b.body, colon...)
		if p.bare {
			b.body = append(b.body, p.Value...)
		} else {
			b.body = scene.AppendString(b.body, p.Value)
		}
	}
	b.body = append(b.body, '}')
	return path, "application/json"
}

// part writes one value the way the client does: numbers and arrays bare where
// the body is JSON and the API takes them so.
func (a *Actor) part(api *scene.API, f scene.Field, v string) ExtraPart {
	p := ExtraPart{Name: f.Value, Value: v}
	if api.In != scene.InJSON {
		return p
	}
	switch {
	case slices.Contains(api.Lists, f.Name):
		sep := `","`
		if a.Client.Style.Spaced {
			sep = `", "`
		}
		p.Value, p.bare = `["`+strings.ReplaceAll(v, ",", sep)+`"]`, true
	case !a.Client.Style.Quoted && slices.Contains(api.Numbers, f.Name):
		if _, err := strconv.ParseInt(v, 10, 64); err == nil && (v == "0" || v[0] != '0') {
			p.bare = true
		}
	}
	return p
}

func form(parts []ExtraPart) string {
	var s strings.Builder
	for i, p := range parts {
		if i > 0 {
			s.WriteByte('&')
		}
		s.WriteString(url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value))
	}
	return s.String()
}

// headers writes the request's header lines in the program's order.
func (b *buffers) headers(a *Actor, api *scene.API, x *exchange.Exchange, kind string) {
	c, app := a.Client, a.App
	hasBody := len(x.Request.Body) > 0
	session, token := "", ""
	if a.Session != nil {
		token = a.Session.Token
	}
	cookie := c.Cookie
	switch {
	case token == "":
	case app.Credential == scene.Cookie:
		if cookie != "" {
			cookie += "; "
		}
		cookie += app.CredentialName + "=" + token
	case app.Credential == scene.Bearer && !app.Flawed(scene.TokenInURL):
		session = "Bearer " + token
	}
	add := func(name, v string) {
		if v == "" {
			return
		}
		if x.Proto == 20 {
			name = strings.ToLower(name)
		}
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: []byte(name), Value: []byte(v)})
	}
	list := c.Headers
	if c.Page != nil && api != nil && (api.Name == "home" || api.Name == "asset") {
		list = c.Page
	}
	for _, h := range list {
		switch h.Value {
		case "{host}":
			if x.Proto != 20 {
				add(h.Name, app.Host)
			}
		case "{agent}":
			add(h.Name, c.Agent)
		case "{length}":
			if hasBody {
				add(h.Name, strconv.Itoa(len(x.Request.Body)))
			}
		case "{type}":
			if hasBody {
				add(h.Name, kind)
			}
		case "{origin}":
			if hasBody || a.App.Flawed(scene.AnyOrigin) && bytes.Equal(x.Method, []byte("GET")) {
				add(h.Name, cmp.Or(c.Origin, app.Origin))
			}
		case "{referer}":
			if c.Origin != "" {
				add(h.Name, c.Origin+"/")
			} else if a.Referer != "" {
				add(h.Name, a.Referer)
			} else {
				add(h.Name, app.Origin+"/")
			}
		case "{program}":
			add(h.Name, "https://servicewechat.com/"+app.Program+"/128/page-frame.html")
		case "{stamp}":
			add(h.Name, strconv.FormatInt(a.Now().UnixMilli(), 10))
		case "{sign}": // a partner's agreed signature over time, method, target and body
			mac := hmac.New(sha256.New, []byte(app.Secret))
			fmt.Fprintf(mac, "%d\n%s\n%s\n", a.Now().UnixMilli(), x.Method, x.Target)
			mac.Write(x.Request.Body)
			add(h.Name, hex.EncodeToString(mac.Sum(nil)))
		case "{lang}":
			add(h.Name, c.Lang)
		case "{auth}":
			add(h.Name, session)
		case "{cookie}":
			add(h.Name, cookie)
		case "{token}":
			if app.Credential == scene.TokenHeader {
				add(app.CredentialName, token)
			}
		default:
			add(h.Name, h.Value)
		}
	}
}
