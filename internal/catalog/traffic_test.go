package catalog

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/redact"
	"xiezhi/internal/sketch"
	"xiezhi/rules"
)

// Traffic of a published API: real exchanges, read by the real observer.

func hash(s string) uint64 { return sketch.Join(sketch.HashString(s), 0x1234567) }

// regime says what of the answers is seen.
type regime struct {
	name   string
	common bool // half of the operations answer with one and the same envelope
	log    bool // no bodies, no headers: an access log
	floor  float64
}

var regimes = []regime{{"full bodies", false, false, 0.95}, {"half common answers", true, false, 0.95}, {"no bodies", false, true, 0.9}}

// message is one exchange to come.
type message struct {
	method, target string
	req, resp      string
	kind           string // content type of the answer
	status         int
	client, user   int
	truth          string // masked template with its method; unique for junk
	junk           bool
}

// resource is what an application keeps: its fields come again in every
// operation about it.
type resource struct {
	fields []field
}

type field struct {
	name     string
	kind     int
	optional bool
	null     bool // optional as null, not as missing
}

var fieldNames = strings.Fields(`title status type state description createdAt updatedAt created_at updated_at version enabled count total amount price currency
 owner parent kind label color size width height length weight duration start end url image avatar email phone country city street note comment score
 rank level priority category tags active visible locked quantity balance limit offset source target reason summary content language region zone order
 index position format hash checksum expires token code unit rate value key group role locale origin domain host port protocol path expires_in`)

func resourceOf(api, word string) *resource {
	r := rand.New(rand.NewPCG(hash(api), hash("resource:"+singular(strings.ToLower(word)))))
	x := &resource{}
	x.fields = append(x.fields, field{name: []string{"id", "id", "uuid", "name"}[hash(api)%4]})
	optional := 0
	for range 3 + r.IntN(9) {
		f := field{name: fieldNames[r.IntN(len(fieldNames))], kind: r.IntN(7), null: hash(api)%3 == 0}
		if optional < 3 && r.IntN(4) == 0 {
			f.optional = true
			optional++
		}
		x.fields = append(x.fields, f)
	}
	if r.IntN(2) == 0 {
		x.fields = append(x.fields, field{name: strings.ToLower(word) + "_no", kind: 1})
	}
	return x
}

// write writes one object; id, when there is one, is its first field.
func (x *resource) write(b *strings.Builder, r *rand.Rand, id string) {
	b.WriteByte('{')
	for i, f := range x.fields {
		if f.optional && r.IntN(10) < 3 {
			if !f.null {
				continue
			}
			f.kind = -1
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "%q:", f.name)
		if i == 0 {
			if id == "" {
				id = fmt.Sprint(r.IntN(1_000_000))
			}
			fmt.Fprintf(b, "%q", id)
			continue
		}
		switch f.kind {
		case -1:
			b.WriteString("null")
		case 0:
			fmt.Fprint(b, r.IntN(100_000))
		case 1:
			fmt.Fprintf(b, "%q", random(r, lower, 6))
		case 2:
			fmt.Fprintf(b, "%v", r.IntN(2) == 0)
		case 3:
			fmt.Fprintf(b, "%q", day(r).Format("2006-01-02T15:04:05Z"))
		case 4:
			fmt.Fprintf(b, `{"id":%d,"label":%q}`, r.IntN(10_000), syllables(r))
		case 5:
			fmt.Fprintf(b, `[%q,%q]`, syllables(r), syllables(r))
		default:
			fmt.Fprintf(b, "%.2f", r.Float64()*1000)
		}
	}
	b.WriteByte('}')
}

// app makes the traffic of one description.
type app struct {
	d      *description
	held   bool
	mode   regime
	r      *rand.Rand
	values map[string][]string // per parameter: the objects there are
}

// draw gives a value: few objects are asked for often.
func (a *app) draw(name string, p paramType) string {
	l, ok := a.values[name]
	if !ok {
		s := shapeOf(a.d.API, name, p)
		r := rand.New(rand.NewPCG(hash(a.d.API+name), 5))
		for range 12 + r.IntN(300) {
			l = append(l, strings.ReplaceAll(s.make(r, a.held), "/", "-"))
		}
		a.values[name] = l
	}
	f := a.r.Float64()
	return l[int(f*f*float64(len(l)))]
}

// fill writes values into a template; last is the value of its last parameter.
func (a *app) fill(p *published) (path, last string) {
	template := p.template
	var b strings.Builder
	for {
		i := strings.IndexByte(template, '{')
		j := strings.IndexByte(template, '}')
		if i < 0 || j < i {
			b.WriteString(template)
			return b.String(), last
		}
		b.WriteString(template[:i])
		last = a.draw(template[i+1:j], p.params[template[i+1:j]])
		b.WriteString(url.PathEscape(last))
		template = template[j+1:]
	}
}

// thing is what a template is about: a collection by its name, wherever it
// stands; anything else with what it belongs to (products/batch). detail says
// that one of a collection is named.
func thing(template string) (word string, detail bool) {
	parts := strings.Split(strings.Trim(template, "/"), "/")
	detail = strings.HasPrefix(parts[len(parts)-1], "{")
	for i := len(parts) - 1; i >= 0; i-- {
		if strings.HasPrefix(parts[i], "{") {
			continue
		}
		if word != "" {
			return parts[i] + "_" + word, detail
		}
		if word = parts[i]; strings.HasSuffix(word, "s") {
			break
		}
	}
	return word, detail
}

const notFoundPage = "<!doctype html><html><head><title>Not Found</title></head><body><h1>404</h1><p>The page that you are looking for is not here.</p></body></html>"
const shellPage = "<!doctype html><html><head><meta charset=utf-8><title>Welcome</title></head><body><div id=app></div><script src=/static/main.js></script></body></html>"

// operation makes n exchanges of one method of a template.
func (a *app) operation(p *published, method string, n int, out []message) []message {
	truth := method + " " + mask(p.template)
	h := hash(a.d.API + truth)
	word, detail := thing(p.template)
	x := resourceOf(a.d.API, word)
	envelope := hash("envelope:"+a.d.API) % 3
	wrap := func(b string) string {
		switch envelope {
		case 0:
			return `{"code":0,"message":"success","data":` + b + `}`
		case 1:
			return `{"data":` + b + `}`
		}
		return b
	}
	for range n {
		path, last := a.fill(p)
		m := message{method: method, target: path, truth: truth, status: 200, kind: "application/json", client: a.r.IntN(40), user: a.r.IntN(20)}
		var b strings.Builder
		switch {
		case method == "GET" && !detail && strings.HasSuffix(word, "s"):
			b.WriteByte('[')
			for i := range a.r.IntN(5) {
				if i > 0 {
					b.WriteByte(',')
				}
				x.write(&b, a.r, "")
			}
			b.WriteByte(']')
			m.target += []string{"", "", "?page=" + fmt.Sprint(a.r.IntN(9)), "?limit=20"}[a.r.IntN(4)]
		case detail && h%10 < 7:
			x.write(&b, a.r, last)
		default:
			x.write(&b, a.r, "")
		}
		m.resp = wrap(b.String())
		if method == "POST" || method == "PUT" || method == "PATCH" {
			m.req = writeRequest(x, a.r)
			if method == "POST" && h%2 == 0 {
				m.status = 201
			}
		}
		switch {
		case method == "DELETE" && h%5 < 3 || (method == "PUT" || method == "PATCH") && h%10 < 2:
			m.status, m.resp, m.kind = 204, "", ""
		case method == "DELETE" || a.mode.common && h>>8%2 == 0:
			m.resp = []string{`{"code":0,"message":"success"}`, `{"ok":true}`, `{"result":"success","data":null}`}[envelope]
		}
		// Some requests go wrong, for reasons of their own.
		switch a.r.IntN(50) {
		case 0:
			m.status, m.kind, m.resp = 404, "application/json", `{"error":{"code":"NoSuchObject","message":"the object does not exist"}}`
		case 1:
			m.status, m.kind, m.resp = 401, "application/json", `{"error":{"code":"Unauthorized","message":"sign in first"}}`
		case 2:
			m.status, m.kind, m.resp = 400, "application/json", `{"error":{"code":"BadRequest","message":"parameter missing"}}`
		}
		out = append(out, m)
	}
	return out
}

func writeRequest(x *resource, r *rand.Rand) string {
	var b strings.Builder
	x.write(&b, r, "")
	return b.String()
}

var scanned = strings.Fields(`wp-login.php xmlrpc.php .env .git/config phpmyadmin/index.php admin.php actuator/env solr/admin/info/system cgi-bin/test.cgi
 vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php .aws/credentials backup.zip config.json server-status manager/html HNAP1 boaform/admin/formLogin
 owa/auth/logon.aspx console/login api/jsonws/invoke telescope/requests _ignition/execute-solution .DS_Store wp-content/plugins/akismet/readme.txt
 login.action struts2-showcase/index.action druid/index.html nacos/v1/auth/users swagger-ui.html v2/api-docs old/index.php test.php shell.php sftp-config.json`)

// junk makes requests that belong to no API: what scanners ask for, and paths
// below known ones that lead nowhere. Some applications answer them with 200.
func (a *app) junk(n int, real []message, out []message) []message {
	soft := hash("soft:"+a.d.API) % 3 // 0: 404 page, 1: the shell of a one-page application, 2: 404 in JSON
	for i := range n {
		m := message{method: "GET", client: 100 + a.r.IntN(6), user: -1, status: 404, truth: fmt.Sprint("junk ", i), junk: true}
		switch a.r.IntN(4) {
		case 0:
			m.target = "/" + scanned[a.r.IntN(len(scanned))]
		case 1:
			m.target = "/" + syllables(a.r) + []string{"", "/" + syllables(a.r), ".php", ".bak", "/" + random(a.r, lower, 9)}[a.r.IntN(5)]
		default: // a real path with something appended or cut off
			t, _, _ := strings.Cut(real[a.r.IntN(len(real))].target, "?")
			if k := strings.LastIndexByte(t, '/'); k > 0 && a.r.IntN(2) == 0 {
				t = t[:k]
			}
			m.target = t + "/" + random(a.r, lower, 4+a.r.IntN(5)) + "/" + random(a.r, lower, 4+a.r.IntN(5))
		}
		switch soft {
		case 0:
			m.kind, m.resp = "text/html", notFoundPage
		case 1:
			m.kind, m.resp, m.status = "text/html; charset=utf-8", shellPage, 200
		case 2:
			m.kind, m.resp = "application/json", `{"code":404,"message":"no such route"}`
		}
		out = append(out, m)
	}
	return out
}

// messages makes the traffic of one description: 5 to 200 exchanges a template,
// a tenth more of junk, in random order.
func messages(d *description, held bool, mode regime) []message {
	a := &app{d: d, held: held, mode: mode, r: rand.New(rand.NewPCG(hash(d.API), 42)), values: map[string][]string{}}
	var out []message
	for i := range d.Paths {
		p := &d.Paths[i]
		method := strings.ToUpper(p.methods[a.r.IntN(len(p.methods))])
		// 5 to 200, most in the lower part as in life
		n := 5 + int(195*pow4(a.r.Float64()))
		out = a.operation(p, method, n, out)
	}
	out = a.junk(len(out)/10, out, out)
	a.r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func pow4(f float64) float64 { return f * f * f * f }

var observerConfig = sync.OnceValues(func() (cfg observe.Config, err error) {
	cfg.Redactor = redact.New([32]byte{7})
	for _, load := range []func() error{
		func() (err error) { cfg.Names, err = observe.LoadNames(rules.FS); return },
		func() (err error) { cfg.Phrases, err = observe.LoadPhrases(rules.FS); return },
		func() (err error) { cfg.Agents, err = observe.LoadAgents(rules.FS); return },
		func() (err error) { cfg.Signatures, err = signature.Load(rules.FS); return },
	} {
		if err := load(); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
})

func newObserver(t testing.TB) *observe.Observer {
	cfg, err := observerConfig()
	if err != nil {
		t.Fatal(err)
	}
	o, err := observe.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// exchange writes a message down as a source gives it.
func (m *message) exchange(i int, mode regime) *exchange.Exchange {
	at := int64(1_700_000_000e9) + int64(i)*1e8
	x := &exchange.Exchange{ID: fmt.Append(nil, i), Start: at, End: at + 5e6, Caps: exchange.CapWire, Proto: 11, Status: m.status,
		Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(m.client)}), 5000), Server: netip.MustParseAddrPort("10.0.0.1:80"),
		Method: []byte(m.method), Target: []byte(m.target), Host: []byte("api.example.com")}
	x.Response.BodySize, x.Request.BodySize = int64(len(m.resp)), int64(len(m.req))
	if mode.log {
		x.Caps, x.Request.BodySize = exchange.CapResponse, -1
		return x
	}
	x.Request.Header = []exchange.Field{{Name: []byte("Host"), Value: x.Host}, {Name: []byte("User-Agent"), Value: []byte("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36")}}
	if m.user >= 0 {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: []byte("Authorization"), Value: fmt.Appendf(nil, "Bearer tok-%08d-abcdefgh", m.user)})
	}
	if m.req != "" {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: []byte("Content-Type"), Value: []byte("application/json")})
		x.Request.Body = []byte(m.req)
	}
	if m.kind != "" {
		x.Response.Header = []exchange.Field{{Name: []byte("Content-Type"), Value: []byte(m.kind)}}
	}
	x.Response.Body = []byte(m.resp)
	return x
}
