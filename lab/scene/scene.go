// Package scene holds the applications of the lab: ten sites of different
// industries with their APIs, accounts, objects, business rules and, by switch,
// the defects of the source report.
//
// It takes calls with a time, a sender and named fields and gives HTTP answers.
// Invariant: the answers of an application depend on the seed and on the calls
// before, in order. Limits: at most MaxKept codes and orders are remembered per
// application, the oldest are forgotten.
package scene

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"xiezhi/lab/people"
)

// MaxKept bounds what an application remembers: codes sent, orders made,
// accounts registered, addresses counted.
const MaxKept = 200_000

// Field is a named value. Name is the lab's own word; the wire name is the
// application's.
type Field struct{ Name, Value string }

// Fields are what a call carries, in no particular order.
type Fields []Field

// Get gives a value or "".
func (f Fields) Get(name string) string {
	for i := range f {
		if f[i].Name == name {
			return f[i].Value
		}
	}
	return ""
}

// Where says how an API takes its fields.
type Where uint8

const (
	InQuery Where = iota
	InJSON
	InForm
)

// API is one operation of an application.
type API struct {
	Name   string // the lab's word for it, the same in every application
	Method string
	Path   string // path parameters are written {name}
	In     Where
	Fields []Field // lab's word and wire name, in the order of the genuine client
	Open   bool    // works without a session

	Numbers []string // words that are numbers in the genuine client's JSON
	Lists   []string // words that are arrays, written with commas in a call

	handle func(*Call) Answer
}

// Template is the path with unnamed parameters, as truth files name it.
func (a *API) Template() string {
	var b strings.Builder
	rest := a.Path
	for {
		i := strings.IndexByte(rest, '{')
		if i < 0 {
			b.WriteString(rest)
			return b.String()
		}
		j := strings.IndexByte(rest[i:], '}')
		b.WriteString(rest[:i])
		b.WriteString("{}")
		rest = rest[i+j+1:]
	}
}

// Session is what a client shows to be somebody.
type Session struct {
	Account *Account
	Token   string
	Until   time.Time
}

// Account is one user of an application.
type Account struct {
	UID      int64
	Person   people.Person
	Password string
	Staff    bool
	Orders   []int64
}

// Call is one request as the application understands it.
type Call struct {
	App     *App
	API     *API
	Now     time.Time
	From    netip.Addr
	Fields  Fields
	Session *Session
	Origin  string   // of the page that calls, when it is a foreign one
	user    *Account // of a live session
}

// Answer is what comes back, for the wire and for the caller's script.
type Answer struct {
	Status  int
	Type    string
	Headers []Field
	Body    []byte

	OK      bool
	Blocked bool     // refused by a control, not by the business
	Token   string   // session given out
	IDs     []string // ids that a client would go on with
	Account *Account // who is signed in by this answer
	Gained  int      // other people's data, confirmed accounts or goods it gives
}

// Credential says where sessions are shown.
type Credential uint8

const (
	Bearer Credential = iota // JWT in Authorization
	Cookie
	TokenHeader
)

// App is one application.
type App struct {
	Name, Host, Industry, Zone string
	Title                      string
	Style                      Style
	Credential                 Credential
	CredentialName             string // of the cookie or header
	Origin                     string // of its pages
	Referer                    string
	Program                    string // app id of its mini program, "" none
	AppName                    string // in the agent of its own apps, "" none
	Secret                     string // signs JWTs
	Server                     string // Server header
	Plain                      bool   // speaks HTTP without TLS
	Address                    netip.Addr
	APIs                       []*API
	Stock                      []Item    // what it lists
	Word                       string    // what an item is called in texts
	ByName                     bool      // people sign in with a user name, not with the phone
	FreeEntry                  bool      // registers without a code
	Weight                     float64   // share of the honest visits
	Assets                     [3]string // paths of script, style and picture of its page

	flaws   map[Flaw]bool
	limits  limits
	seed    uint64
	rng     *rand.Rand
	byLogin map[string]*Account // by phone, user name
	byID    map[string]*Account
	byPlate map[string]*Account
	byUID   map[string]*Account
	byItem  map[int64]Item
	people  []*Account
	nextUID int64
	orders  map[int64]*order
	order   int64
	codes   map[string]sentCode
	counts  map[string]*window
	kept    []string // keys of codes in order of age

	tongue *tongue   // of the arena's applications, nil at others
	biz    *business // the same
}

// Item is a public object: an article, a product, a collection, a flat.
type Item struct {
	ID    int64
	Name  string
	Price float64
}

type order struct {
	id    int64
	owner *Account
	item  Item
	at    time.Time
	paid  bool
}

type sentCode struct {
	code  string
	at    time.Time
	tries int
}

// Find gives the API with the lab's name, or nil.
func (a *App) Find(name string) *API {
	for _, p := range a.APIs {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Has reports whether the application has an API.
func (a *App) Has(name string) bool { return a.Find(name) != nil }

// Location is the application's time zone.
func (a *App) Location() *time.Location {
	l, err := time.LoadLocation(a.Zone)
	if err != nil {
		return time.UTC
	}
	return l
}

// Accounts gives the accounts there were at the start.
func (a *App) Accounts() []*Account { return a.people }

// Registered gives the account of a login name.
func (a *App) Registered(login string) *Account { return a.byLogin[login] }

// Serve answers a call.
func (a *App) Serve(c *Call) Answer {
	c.App = a
	if s := c.Session; s != nil && c.Now.Before(s.Until) {
		c.user = s.Account
	}
	if a.tongue != nil {
		return a.serve(c)
	}
	if !c.API.Open && c.user == nil {
		return a.Style.unauthorised(a)
	}
	return c.API.handle(c)
}

// serve answers at the arena's applications, which have puzzles, outages and
// names of their own.
func (a *App) serve(c *Call) Answer {
	op := c.API.Name
	var ans Answer
	switch {
	case !c.API.Open && c.user == nil:
		ans = a.Style.unauthorised(a)
	case (op == "login" || op == "login_code") && within(a.biz.down, c.Now):
		ans = a.Style.fail(a, 503, 50000, "系统繁忙，请稍后再试")
	case a.biz.guarded[op] && !a.solved(c):
		ans = a.Style.fail(a, 400, 40013, "图形验证码错误或已过期")
	default:
		ans = c.API.handle(c)
		if op == "send_code" && within(a.biz.mute, c.Now) {
			ans.IDs = nil
		}
	}
	ans.Body = a.tongue.translate(ans.Body)
	return ans
}

// WireName gives the name of a field on the wire.
func (p *API) WireName(field string) string {
	for _, f := range p.Fields {
		if f.Name == field {
			return f.Value
		}
	}
	return field
}

// signIn opens a session.
func (a *App) signIn(acc *Account, now time.Time) (string, time.Time) {
	until := now.Add(12 * time.Hour)
	if a.Credential == Bearer {
		return a.jwt(acc, now, until), until
	}
	return fmt.Sprintf("%016x%016x", a.rng.Uint64(), a.rng.Uint64()), until
}

// window counts events of one key.
type window struct {
	start time.Time
	n     int
}

// over counts an event of a key and reports whether it is beyond limit within
// the span. A limit of 0 means none.
func (a *App) over(key string, now time.Time, span time.Duration, limit int) bool {
	if limit <= 0 {
		return false
	}
	w := a.counts[key]
	if w == nil {
		if len(a.counts) >= MaxKept {
			clear(a.counts)
		}
		w = &window{start: now}
		a.counts[key] = w
	}
	if now.Sub(w.start) > span {
		w.start, w.n = now, 0
	}
	w.n++
	return w.n > limit
}
