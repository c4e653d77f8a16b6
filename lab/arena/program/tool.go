package program

import (
	"fmt"
	"math/rand/v2"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/stage"
)

// library is what a tool is built with: it decides the handshake and the
// headers that come by themselves.
type library struct {
	ja4           string
	proto         uint8
	before, after []stage.Head
	style         stage.Style
	agent         string // what it says when nobody tells it otherwise
}

var libraries = []library{
	{"t13d1812h1_85036bcba153_375ca2c5e164", 11, heads("Host: {host}\nUser-Agent: {agent}\nAccept-Encoding: gzip, deflate\nAccept: */*\nConnection: keep-alive"), heads("Content-Length: {length}\nContent-Type: {type}"), stage.Style{Spaced: true}, "python-requests/2.31.0"},
	{"t13d1713h2_5b57614c22b0_748f4c70de1c", 20, heads("Accept: */*\nAccept-Encoding: gzip, deflate\nUser-Agent: {agent}"), heads("Content-Length: {length}\nContent-Type: {type}"), stage.Style{Spaced: true}, "python-httpx/0.26.0"},
	{"t13d1312h2_f57a46bbacb6_9e7b989ebec8", 20, heads("User-Agent: {agent}\nContent-Length: {length}"), heads("Content-Type: {type}\nAccept-Encoding: gzip"), stage.Style{Sorted: true, Quoted: true}, "Go-http-client/2.0"},
	{"t13d5911h1_a33745022dd6_1f22a2ca17c4", 11, heads("Accept: application/json, text/plain, */*\nContent-Type: {type}"), heads("User-Agent: {agent}\nContent-Length: {length}\nAccept-Encoding: gzip, compress, deflate, br\nHost: {host}\nConnection: close"), stage.Style{}, "axios/1.6.7"},
	{"t13d1310h2_f57a46bbacb6_e7c285222651", 20, heads("Content-Type: {type}\nContent-Length: {length}\nHost: {host}"), heads("Accept-Encoding: gzip\nUser-Agent: {agent}"), stage.Style{Quoted: true}, "okhttp/3.14.9"},
	{"t12d2107h1_76e208dd3e22_f7c2b1c6a9ea", 11, heads("Content-Type: {type}\nAccept: */*\nUser-Agent: {agent}"), heads("Host: {host}\nContent-Length: {length}\nConnection: Keep-Alive\nCache-Control: no-cache"), stage.Style{Quoted: true}, "Mozilla/4.0 (compatible; MSIE 9.0; Windows NT 6.1)"},
	{"t13d3112h2_e8f1e7e78f70_b26ce05bbdd6", 20, heads("Host: {host}\nUser-Agent: {agent}\nAccept: */*"), heads("Content-Length: {length}\nContent-Type: {type}"), stage.Style{}, "curl/8.5.0"},
	{"t13d3312h1_16476d049b0b_e0fb1a7b7e4c", 11, heads("Accept: */*\nContent-Type: {type}"), heads("Content-Length: {length}\nHost: {host}\nConnection: Keep-Alive\nUser-Agent: {agent}\nAccept-Encoding: gzip,deflate"), stage.Style{Quoted: true}, "Apache-HttpClient/4.5.14 (Java/17.0.9)"},
}

// copied are headers that authors of tools take over from a genuine request.
var copied = []stage.Head{{Name: "X-Requested-With", Value: "XMLHttpRequest"}, {Name: "Pragma", Value: "no-cache"}, {Name: "DNT", Value: "1"}, {Name: "Accept-Language", Value: "{lang}"}, {Name: "X-Forwarded-For", Value: "127.0.0.1"}}

var extras = []string{"sign", "nonce", "platform", "os", "_", "lang", "callback"}

// Gear is one gang's program.
type Gear struct {
	knobs *knob.Knobs
	rng   *rand.Rand
	tool  *stage.Profile
	agent string
	style stage.Style
	keep  bool // sends the common facts of genuine clients, as constants
	facts bool
	seed  uint64
}

// NewGear writes a gang's program.
func NewGear(r *rand.Rand, k *knob.Knobs) *Gear {
	lib := libraries[r.IntN(len(libraries))]
	mine := append(heads("Referer: {referer}\nOrigin: {origin}\nAuthorization: {auth}\nToken: {token}\nCookie: {cookie}"), copied[r.IntN(len(copied))])
	r.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
	hs := append([]stage.Head{}, lib.before...)
	hs = append(append(hs, mine...), lib.after...)
	g := &Gear{knobs: k, rng: r, style: lib.style, agent: lib.agent, keep: r.IntN(2) == 0, facts: r.IntN(3) > 0, seed: r.Uint64()}
	if r.IntN(4) > 0 { // most say they are a browser
		g.agent = genuines[r.IntN(4)].plainAgent(r)
	}
	if !g.style.Sorted {
		g.style.Turn = 1 + r.IntN(3)
	}
	if r.IntN(2) == 0 {
		g.style.Extra = []stage.ExtraPart{{Name: extras[r.IntN(len(extras))], Value: fmt.Sprintf("%08x", r.Uint32())}}
	}
	g.tool = &stage.Profile{Name: "tool", Proto: lib.proto, JA4: lib.ja4, Headers: hs}
	if lib.proto == 20 {
		g.tool.H2 = one(r, "3:100;4:65536|1048510465|0|m,s,a,p", "2:0;4:65535|15663105|0|m,a,s,p", "4:4194304;2:0|1073741824|0|a,m,p,s")
	}
	return g
}

func (g *genuine) plainAgent(r *rand.Rand) string {
	s := g.agents[r.IntN(len(g.agents))]
	for i := range len(s) {
		if s[i] == '|' {
			return s[:i]
		}
	}
	return s
}

// Client equips one actor of the gang for an application.
func (g *Gear) Client(r *rand.Rand, m *Mix) *stage.Client {
	var c *stage.Client
	switch g.knobs.Fingerprint {
	case knob.BrowserTrue:
		c = m.Person(r)
	case knob.Majority:
		c = m.Majority(r)
	default:
		c = &stage.Client{Profile: g.tool, Agent: g.agent, Lang: "zh-CN,zh;q=0.9"}
		if g.knobs.Fingerprint == knob.PerRequest {
			g.shift(r, c)
		}
		c.Facts = Facts(r, "7.2.1")
	}
	g.write(r, c)
	return c
}

// write sets how the client writes parameters.
func (g *Gear) write(r *rand.Rand, c *stage.Client) {
	switch g.knobs.Parameters {
	case knob.GenuineParams:
		return
	case knob.OwnParams:
		p := *c.Profile
		p.Style = g.style
		c.Profile = &p
		if c.Facts = nil; g.facts {
			c.Facts = Facts(r, "7.2.1")
			if g.keep {
				c.Facts = Facts(rand.New(rand.NewPCG(g.seed, 7)), "7.2.1")
			}
		}
	case knob.RandomParams:
		p := *c.Profile
		p.Style = stage.Style{Spaced: r.IntN(2) == 0, Sorted: r.IntN(4) == 0, Turn: r.IntN(5), Quoted: r.IntN(2) == 0}
		if r.IntN(2) == 0 {
			p.Style.Extra = []stage.ExtraPart{{Name: extras[r.IntN(len(extras))], Value: fmt.Sprintf("%08x", r.Uint32())}}
		}
		c.Profile = &p
	}
}

// Change draws the client's face of the next request anew where the knobs say
// so.
func (g *Gear) Change(r *rand.Rand, c *stage.Client) {
	if g.knobs.Fingerprint == knob.PerRequest {
		g.shift(r, c)
		g.write(r, c)
	} else if g.knobs.Parameters == knob.RandomParams {
		g.write(r, c)
	}
}

// shift draws agent, handshake and header order.
func (g *Gear) shift(r *rand.Rand, c *stage.Client) {
	from := &genuines[r.IntN(6)]
	hs := make([]stage.Head, len(g.tool.Headers))
	copy(hs, g.tool.Headers)
	r.Shuffle(len(hs), func(i, j int) { hs[i], hs[j] = hs[j], hs[i] })
	p := stage.Profile{Name: "shift", Proto: g.tool.Proto, H2: g.tool.H2, Headers: hs,
		JA4: fmt.Sprintf("t13d%02d%02dh%d_%012x_%012x", 10+r.IntN(20), 8+r.IntN(10), g.tool.Proto/10, r.Uint64N(1<<48), r.Uint64N(1<<48))}
	c.Profile, c.Agent = &p, from.plainAgent(r)
}
