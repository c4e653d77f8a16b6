// Package program is the client programs of the arena: those that people use
// and those that gangs write.
//
// It takes randomness and an application and gives clients of the stage, whose
// handshake, HTTP/2, headers and way of writing parameters fit together for
// genuine programs and are the library's own for tools. Invariant: the same
// randomness, the same client; a genuine client's agent, brand and handshake
// agree. Limits: fingerprints are typical values, not a collection.
package program

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

func heads(lines string) []stage.Head {
	var out []stage.Head
	for l := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		n, v, _ := strings.Cut(strings.TrimSpace(l), ": ")
		out = append(out, stage.Head{Name: n, Value: v})
	}
	return out
}

// genuine is a program of honest people. {brand}, {platform} and {app} in its
// headers are filled in when a client is made.
type genuine struct {
	name, ja4, h2 string
	proto         uint8
	needs         string // web, app or mini
	share         int
	agents        []string // "agent|platform|version"
	api, page     []stage.Head
}

const (
	chromeH2 = "1:65536;2:0;4:6291456;6:262144|15663105|0|m,a,s,p"
	chromeTL = "t13d1516h2_8daaf6152771_02713d6af862"
)

var chromeAPI = heads(`
	Host: {host}
	Content-Length: {length}
	sec-ch-ua: {brand}
	Accept: application/json, text/plain, */*
	Content-Type: {type}
	sec-ch-ua-mobile: {mobile}
	Authorization: {auth}
	Token: {token}
	User-Agent: {agent}
	sec-ch-ua-platform: {platform}
	Origin: {origin}
	Sec-Fetch-Site: same-site
	Sec-Fetch-Mode: cors
	Sec-Fetch-Dest: empty
	Referer: {referer}
	Accept-Encoding: gzip, deflate, br
	Accept-Language: {lang}
	Cookie: {cookie}`)

var chromePage = heads(`
	Host: {host}
	sec-ch-ua: {brand}
	sec-ch-ua-mobile: {mobile}
	sec-ch-ua-platform: {platform}
	Upgrade-Insecure-Requests: 1
	User-Agent: {agent}
	Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8
	Sec-Fetch-Site: none
	Sec-Fetch-Mode: navigate
	Sec-Fetch-Dest: document
	Accept-Encoding: gzip, deflate, br
	Accept-Language: {lang}
	Cookie: {cookie}`)

var safariAPI = heads(`
	Host: {host}
	Accept: application/json, text/plain, */*
	Content-Type: {type}
	Sec-Fetch-Site: same-site
	Origin: {origin}
	Accept-Language: {lang}
	Sec-Fetch-Mode: cors
	User-Agent: {agent}
	Authorization: {auth}
	Token: {token}
	Referer: {referer}
	Content-Length: {length}
	Accept-Encoding: gzip, deflate, br
	Sec-Fetch-Dest: empty
	Cookie: {cookie}`)

var safariPage = heads(`
	Host: {host}
	Sec-Fetch-Dest: document
	User-Agent: {agent}
	Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
	Sec-Fetch-Site: none
	Sec-Fetch-Mode: navigate
	Accept-Language: {lang}
	Accept-Encoding: gzip, deflate, br
	Cookie: {cookie}`)

var genuines = []genuine{
	{"chrome-windows", chromeTL, chromeH2, 20, "web", 16, []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36|Windows|122",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36|Windows|123",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36|Windows|120",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36|macOS|122"}, chromeAPI, chromePage},
	{"edge", chromeTL, chromeH2, 20, "web", 6, []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36 Edg/122.0.0.0|Windows|122"}, chromeAPI, chromePage},
	{"chrome-android", "t13d1516h2_8daaf6152771_e5627efa2ab1", chromeH2, 20, "web", 14, []string{
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Mobile Safari/537.36|Android|122",
		"Mozilla/5.0 (Linux; Android 13; V2231A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/116.0.0.0 Mobile Safari/537.36|Android|116",
		"Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 Mobile Safari/537.36|Android|114"}, chromeAPI, chromePage},
	{"safari-ios", "t13d2014h2_a09f3c656075_14788d8d241b", "2:0;4:4194304;3:100|10485760|0|m,s,p,a", 20, "web", 16, []string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_3_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.3.1 Mobile/15E148 Safari/604.1||17",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1||16"}, safariAPI, safariPage},
	{"firefox", "t13d1715h2_5b57614c22b0_3d5424432f57", "1:65536;4:131072;5:16384|12517377|3:0:0:201|m,p,a,s", 20, "web", 4, []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:123.0) Gecko/20100101 Firefox/123.0||123", "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0||115"},
		heads(`
	Host: {host}
	User-Agent: {agent}
	Accept: application/json, text/plain, */*
	Accept-Language: {lang}
	Accept-Encoding: gzip, deflate, br
	Content-Type: {type}
	Authorization: {auth}
	Token: {token}
	Content-Length: {length}
	Origin: {origin}
	Referer: {referer}
	Cookie: {cookie}
	Sec-Fetch-Dest: empty
	Sec-Fetch-Mode: cors
	Sec-Fetch-Site: same-site
	TE: trailers`), safariPage},
	{"wechat", "t13d1516h2_8daaf6152771_b1ff8ab2d16f", "", 11, "web", 14, []string{
		"Mozilla/5.0 (Linux; Android 13; PGX110 Build/TP1A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160117 MMWEBSDK/20240301 MicroMessenger/8.0.48.2580(0x28003050) WeChat/arm64 Weixin NetType/4G Language/zh_CN ABI/arm64|Android|116",
		"Mozilla/5.0 (Linux; Android 12; M2102J2SC Build/SKQ1) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/111.0.5563.116 Mobile Safari/537.36 XWEB/1110017 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F35) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64|Android|111"},
		heads(`
	Host: {host}
	Connection: keep-alive
	Content-Length: {length}
	Accept: application/json, text/plain, */*
	User-Agent: {agent}
	Content-Type: {type}
	Authorization: {auth}
	Token: {token}
	Origin: {origin}
	X-Requested-With: com.tencent.mm
	Sec-Fetch-Site: same-site
	Sec-Fetch-Mode: cors
	Sec-Fetch-Dest: empty
	Referer: {referer}
	Accept-Encoding: gzip, deflate
	Accept-Language: {lang}
	Cookie: {cookie}`), chromePage},
	{"mini-program", "t13d1311h2_f57a46bbacb6_ab7e3b40a677", "", 11, "mini", 26, []string{
		"Mozilla/5.0 (Linux; Android 13; 2211133C Build/TKQ1) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.48.2580 MiniProgramEnv/android||",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.47(0x18002f2f) NetType/WIFI Language/zh_CN||"},
		heads(`
	Host: {host}
	Connection: keep-alive
	Content-Length: {length}
	charset: utf-8
	Token: {token}
	Authorization: {auth}
	User-Agent: {agent}
	content-type: {type}
	Accept-Encoding: gzip,compress,br,deflate
	Referer: {program}
	Cookie: {cookie}`), nil},
	{"android-app", "t13d1314h2_f57a46bbacb6_14788d8d241b", "4:16777216|16711681|0|m,p,a,s", 20, "app", 24, []string{"okhttp/4.12.0||7.2.1", "okhttp/4.12.0||7.2.0", "okhttp/4.9.3||6.8.4"},
		heads(`
	Host: {host}
	User-Agent: {agent}
	Token: {token}
	Authorization: {auth}
	X-App-Version: {version}
	X-Platform: android
	Content-Type: {type}
	Content-Length: {length}
	Accept-Encoding: gzip
	Cookie: {cookie}`), nil},
	{"ios-app", "t13d2013h2_a09f3c656075_7f0f34a4126d", "2:0;4:2097152;3:100|10420225|0|m,s,p,a", 20, "app", 20, []string{"{app}/7.2.1 (iPhone; iOS 17.3.1; Scale/3.00)||7.2.1", "{app}/7.1.0 (iPhone; iOS 16.6; Scale/2.00)||7.1.0"},
		heads(`
	Host: {host}
	Accept: */*
	Content-Type: {type}
	X-App-Version: {version}
	X-Platform: ios
	Token: {token}
	Authorization: {auth}
	Accept-Language: {lang}
	Accept-Encoding: gzip, deflate, br
	Content-Length: {length}
	User-Agent: {agent}
	Cookie: {cookie}`), nil},
}

// Mix is how the public of one application divides into programs.
type Mix struct {
	app    *scene.App
	shares []int
	total  int
	main   int // the program most of them use
	made   map[string]*stage.Profile
}

// NewMix draws the division of an application.
func NewMix(r *rand.Rand, app *scene.App) *Mix {
	m := &Mix{app: app, shares: make([]int, len(genuines)), made: map[string]*stage.Profile{}}
	for i, g := range genuines {
		w := g.share/2 + r.IntN(g.share+1)
		if g.needs == "app" && app.AppName == "" || g.needs == "mini" && app.Program == "" {
			w = 0
		}
		m.shares[i] = w
		m.total += w
		if w > m.shares[m.main] {
			m.main = i
		}
	}
	return m
}

// Person gives somebody's client.
func (m *Mix) Person(r *rand.Rand) *stage.Client {
	x := r.IntN(m.total)
	for i, w := range m.shares {
		if x -= w; x < 0 {
			return m.client(r, i)
		}
	}
	return m.client(r, m.main)
}

// Majority gives a client of the program most people use.
func (m *Mix) Majority(r *rand.Rand) *stage.Client { return m.client(r, m.main) }

// Desk gives a clerk's browser.
func (m *Mix) Desk(r *rand.Rand) *stage.Client { return m.client(r, 0) }

// Web reports whether a client is a browser, which loads pages.
func Web(c *stage.Client) bool { return len(c.Profile.Page) > 0 }

func (m *Mix) client(r *rand.Rand, i int) *stage.Client {
	g := &genuines[i]
	parts := strings.Split(strings.ReplaceAll(g.agents[r.IntN(len(g.agents))], "{app}", m.app.AppName), "|")
	key := g.name + "|" + parts[1] + "|" + parts[2]
	p := m.made[key]
	if p == nil {
		p = &stage.Profile{Name: g.name, Proto: g.proto, JA4: g.ja4, H2: g.h2, Headers: fill(g.api, g.name, parts[1], parts[2]), Page: fill(g.page, g.name, parts[1], parts[2])}
		m.made[key] = p
	}
	c := &stage.Client{Profile: p, Agent: parts[0], Lang: one(r, "zh-CN,zh;q=0.9", "zh-CN,zh;q=0.9", "zh-CN", "zh-CN,zh;q=0.9,en;q=0.8")}
	if len(p.Page) > 0 {
		c.Cookie = fmt.Sprintf("_uid=%08x%08x", r.Uint32(), r.Uint32())
	}
	c.Facts = Facts(r, parts[2])
	return c
}

// Facts are what every form of an application's own client carries beside.
func Facts(r *rand.Rand, version string) scene.Fields {
	return stage.F("device", fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", r.Uint32(), r.IntN(65536), r.IntN(65536), r.IntN(65536), r.Uint64N(1<<48)), "version", version, "ts", "now")
}

func fill(hs []stage.Head, name, platform, version string) []stage.Head {
	out := make([]stage.Head, 0, len(hs))
	brand := fmt.Sprintf(`"Chromium";v="%s", "Not(A:Brand";v="24", "Google Chrome";v="%s"`, version, version)
	if name == "edge" {
		brand = strings.Replace(brand, "Google Chrome", "Microsoft Edge", 1)
	}
	mobile := "?0"
	if platform == "Android" {
		mobile = "?1"
		if name == "wechat" {
			brand = strings.Replace(brand, "Google Chrome", "Android WebView", 1)
		}
	}
	for _, h := range hs {
		switch h.Value {
		case "{brand}":
			h.Value = brand
		case "{mobile}":
			h.Value = mobile
		case "{platform}":
			h.Value = `"` + platform + `"`
		case "{version}":
			h.Value = version
		}
		out = append(out, h)
	}
	return out
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }
