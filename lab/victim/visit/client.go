package visit

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Head is one header line.
type Head struct{ Name, Value string }

// Profile is a kind of client program: its fingerprints and the header lines it
// sends, in order. A value in braces is filled in ({host}, {agent}, {length},
// {type}, {accept}, {origin}, {referer}, {auth}, {cookie}, {dest}, {mode},
// {extra}: the script's own lines); a line whose filling is empty is not sent.
type Profile struct {
	Name    string
	Proto   uint8 // 11 or 20
	JA4, H2 string
	Headers []Head
	Agents  []string
	Follows bool // goes where it is sent
	Browser bool
}

// Client is one program on one machine, with its cookies.
type Client struct {
	*Profile
	Addr   netip.Addr
	Agent  string
	Bearer string // token of the Authorization header, empty: none
	Plain  bool   // comes without TLS until it is sent elsewhere
	Origin string // of the page it runs in, when that is another site's
	From   string // the page that led here, of the first request

	port    uint16
	rng     *rand.Rand
	cookies []Head
	cache   map[string]bool
	page    string // where it is
}

// NewClient gives a program at an address. Which of the program's versions it
// is depends on n.
func NewClient(p *Profile, addr netip.Addr, n int) *Client {
	return &Client{Profile: p, Addr: addr, Agent: p.Agents[n%len(p.Agents)], rng: rand.New(rand.NewPCG(uint64(n), 0x636c69656e74))}
}

// connect gives the connection, now and then a new one.
func (c *Client) connect() {
	if c.port == 0 || c.rng.IntN(6) == 0 {
		c.port = uint16(20000 + c.rng.IntN(40000))
	}
}

// SetCookie puts a cookie into the jar.
func (c *Client) SetCookie(name, value string) {
	for i := range c.cookies {
		if c.cookies[i].Name == name {
			c.cookies[i].Value = value
			return
		}
	}
	c.cookies = append(c.cookies, Head{name, value})
}

// Cookie gives a cookie's value, "" when there is none.
func (c *Client) Cookie(name string) string {
	for _, k := range c.cookies {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}

// Forget empties the jar, the cache and the session: a new device.
func (c *Client) Forget() { c.cookies, c.cache, c.Bearer, c.page = nil, nil, "", "" }

// keep takes the cookies of an answer.
func (c *Client) keep(ans *Answer) {
	for _, k := range (&http.Response{Header: ans.Header}).Cookies() {
		if k.MaxAge < 0 || k.Value == "" {
			c.cookies = slices.DeleteFunc(c.cookies, func(h Head) bool { return h.Name == k.Name })
			continue
		}
		c.SetCookie(k.Name, k.Value)
	}
}

// lines gives the header lines of a request in the program's order.
func (c *Client) lines(a *Actor, r *Request) []Head {
	out := make([]Head, 0, len(c.Headers)+len(r.Header)/2)
	add := func(name, value string) {
		if value != "" {
			out = append(out, Head{name, value})
		}
	}
	if len(r.Header) > 0 && !slices.ContainsFunc(c.Headers, func(h Head) bool { return h.Value == "{extra}" }) {
		panic("visit: " + c.Name + " sends no lines of its script") // a script's mistake
	}
	for _, h := range c.Headers {
		switch h.Value {
		case "{host}":
			add(h.Name, a.world.cfg.Host)
		case "{agent}":
			add(h.Name, c.Agent)
		case "{length}":
			if len(r.Body) > 0 {
				add(h.Name, strconv.Itoa(len(r.Body)))
			}
		case "{type}":
			add(h.Name, r.Type)
		case "{accept}":
			add(h.Name, accepts[r.Kind])
		case "{dest}":
			add(h.Name, dests[r.Kind])
		case "{mode}":
			add(h.Name, modes[r.Kind])
		case "{origin}":
			switch {
			case r.Kind != "":
			case c.Origin != "":
				add(h.Name, c.Origin)
			case r.Method != "GET":
				add(h.Name, a.base())
			}
		case "{referer}":
			switch {
			case c.Origin != "":
				add(h.Name, c.Origin+"/")
			case c.page != "":
				add(h.Name, c.page)
			default:
				add(h.Name, c.From)
			}
		case "{auth}":
			if c.Bearer != "" {
				add(h.Name, "Bearer "+c.Bearer)
			}
		case "{cookie}":
			var s []string
			for _, k := range c.cookies {
				s = append(s, k.Name+"="+k.Value)
			}
			add(h.Name, strings.Join(s, "; "))
		case "{extra}":
			for i := 0; i+1 < len(r.Header); i += 2 {
				add(r.Header[i], r.Header[i+1])
			}
		default:
			add(h.Name, h.Value)
		}
	}
	return out
}

var accepts = map[string]string{
	"":         "application/json, text/plain, */*",
	"document": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
	"script":   "*/*", "style": "text/css,*/*;q=0.1", "image": "image/avif,image/webp,*/*;q=0.8",
}

var dests = map[string]string{"": "empty", "document": "document", "script": "script", "style": "style", "image": "image"}

var modes = map[string]string{"": "cors", "document": "navigate", "script": "no-cors", "style": "no-cors", "image": "no-cors"}
