package catalog

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
	"xiezhi/rules"
)

// lexicon loads the product's own word lists.
func lexicon(t testing.TB) *Lexicon {
	t.Helper()
	l, err := Load(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func catalogue(t testing.TB) *Catalog {
	return New(Config{Site: "shop.example", Roles: lexicon(t)})
}

var (
	reInt   = regexp.MustCompile(`^\d+$`)
	reUUID  = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	reHex   = regexp.MustCompile(`^[0-9a-fA-F]{8,}$`)
	reDate  = regexp.MustCompile(`^\d{4}-\d\d-\d\d(T[\d:.Z+-]+)?$`)
	reVer   = regexp.MustCompile(`^[vV]\d+(\.\d+)*$`)
	reFloat = regexp.MustCompile(`^\d+\.\d+$`)
	reEmail = regexp.MustCompile(`^[^@ ]+@[^@ ]+\.[a-z]+$`)
	reFile  = regexp.MustCompile(`^[^/ ]+\.(js|css|png|jpg|pdf|json|xml|html|php|txt|csv|xlsx|bak|env|zip)$`)
	reWord  = regexp.MustCompile(`^[\p{L}_-]+$`)
	reMixed = regexp.MustCompile(`^[\p{L}\d_-]+$`)
	reToken = regexp.MustCompile(`^[A-Za-z0-9_-]{24,}$`)
)

// class is what observe says of a text, closely enough for these tests.
func class(s string) observe.ValueClass {
	has := func(set string) bool { return strings.ContainsAny(s, set) }
	switch {
	case s == "":
		return observe.ClassEmpty
	case reInt.MatchString(s):
		return observe.ClassInt
	case reUUID.MatchString(s):
		return observe.ClassUUID
	case reHex.MatchString(s) && has("0123456789"):
		return observe.ClassHex
	case reDate.MatchString(s):
		return observe.ClassDate
	case reVer.MatchString(s):
		return observe.ClassVer
	case reFloat.MatchString(s):
		return observe.ClassFloat
	case reEmail.MatchString(s):
		return observe.ClassEmail
	case reFile.MatchString(s):
		return observe.ClassFile
	case reWord.MatchString(s):
		return observe.ClassWord
	case reToken.MatchString(s) && has("0123456789") && has("abcdefghijklmnopqrstuvwxyz") && !has("-_"):
		return observe.ClassToken
	case reMixed.MatchString(s):
		return observe.ClassMixed
	case has(" "):
		return observe.ClassPhrase
	}
	return observe.ClassOther
}

func tok(s string) uint64 { return sketch.HashString("token:" + s) }

// build is an observation under construction.
type build struct{ observe.Observation }

func request(method, path string) *build {
	b := &build{}
	b.Method, b.Host = method, "shop.example"
	b.Client = netip.MustParseAddrPort("203.0.113.9:4000")
	b.Agent, b.AgentFamily = 7, "chrome"
	b.Caps = exchange.CapWire
	b.Start = 1_700_000_000e9
	for _, s := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		b.Segments = append(b.Segments, observe.Segment{Text: s, Token: tok(s), Class: class(s)})
	}
	return b
}

// json answers with a JSON body whose schema is named.
func (b *build) json(status uint16, schema string) *build {
	b.Status, b.RespKind, b.RespBytes = status, observe.BodyJSON, 200
	if schema != "" {
		b.Schema = sketch.HashString(schema)
	}
	return b
}

// small is a JSON body too small to tell APIs apart.
func (b *build) small(status uint16, schema string) *build {
	b.json(status, schema)
	b.RespBytes = 30
	return b
}

func (b *build) html(status uint16, bytes uint64) *build {
	b.Status, b.RespKind, b.RespBytes = status, observe.BodyHTML, bytes
	return b
}

func (b *build) leaf(path, value string) *build {
	b.Leaves = append(b.Leaves, observe.Leaf{Path: path, Token: tok(value), Type: observe.TypeString, Class: class(value)})
	return b
}

func (b *build) says(m observe.MessageClass, code string, sign int8) *build {
	b.MessageSays, b.Code, b.CodeField, b.CodeSays = m, code, "code", sign
	b.MessageHash = uint64(m) + 1
	return b
}

func (b *build) from(addr string) *build {
	b.Client = netip.MustParseAddrPort(addr + ":1000")
	return b
}

// login adds a body with an account and a password.
func (b *build) login(account string) *build {
	b.ReqKind = observe.BodyJSON
	b.Accounts = append(b.Accounts, observe.Account{Name: "username", In: observe.InJSON, Kind: observe.AccountName, Token: tok(account)})
	b.Passwords = append(b.Passwords, observe.Password{Name: "password", Use: observe.PasswordCurrent})
	b.param("username", account).param("password", "x")
	return b
}

func (b *build) param(name, value string) *build {
	b.Params = append(b.Params, observe.Param{Name: name, Token: tok(value), In: observe.InJSON, Type: observe.TypeString, Class: class(value)})
	return b
}

func (b *build) issue(token string) *build {
	b.Issued = append(b.Issued, observe.Credential{Kind: observe.CredBearer, Token: tok(token)})
	return b
}

func (b *build) bearer(token string) *build {
	b.Credentials = append(b.Credentials, observe.Credential{Kind: observe.CredBearer, In: observe.InHeader, Name: "authorization", Token: tok(token)})
	return b
}

// site judges observations as the judge does: who, what, then learn.
type site struct {
	*Catalog
	ids *identity.Resolver
	ev  Event
}

func newSite(t testing.TB) *site {
	return &site{Catalog: catalogue(t), ids: identity.New(identity.Config{})}
}

func (s *site) do(b *build) *Event {
	who := s.ids.Resolve(&b.Observation)
	s.Assign(&b.Observation, &who, &s.ev)
	s.ids.Learn(&b.Observation, who, s.ev.Outcome == OutcomeSuccess)
	return &s.ev
}

// templates lists "METHOD template", sorted as APIs are.
func (s *site) templates() []string {
	var l []string
	for _, a := range s.APIs() {
		l = append(l, a.Method+" "+a.Template)
	}
	return l
}
