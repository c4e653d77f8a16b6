package audit_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/defect/audit"
	"xiezhi/internal/exchange"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/product"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

// loaded is the catalogue of texts, read once: it does not change.
var loaded = sync.OnceValues(func() (*message.Catalog, error) { return message.Load(rules.FS, "messages") })

// texts gives the catalogue as the product has it.
func texts(t testing.TB) *message.Catalog {
	t.Helper()
	m, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func tok(s string) uint64 { return defect.HashText(s) | 1 }

// site is a small world: APIs with the counters a catalogue would keep, and
// the events that happened.
type site struct {
	apis   []*catalog.API
	byName map[string]*catalog.API
	events []catalog.Event
	now    int64
	n      int
}

func newSite() *site {
	return &site{byName: map[string]*catalog.API{}, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixNano()}
}

func (s *site) APIs() []*catalog.API { return s.apis }

// api declares "METHOD /template" with a role.
func (s *site) api(name string, role taxonomy.Role) *catalog.API {
	if a := s.byName[name]; a != nil {
		return a
	}
	method, template, _ := strings.Cut(name, " ")
	a := &catalog.API{Handle: catalog.Handle(len(s.apis) + 1), ID: fmt.Sprintf("%016x", tok(name)), Site: "shop.example", Host: "shop.example",
		Method: method, Template: template, Role: role}
	s.apis = append(s.apis, a)
	s.byName[name] = a
	return a
}

type option func(*catalog.Event)

// do lets one exchange happen on a declared API.
func (s *site) do(name string, opts ...option) {
	a := s.byName[name]
	if a == nil {
		a = s.api(name, taxonomy.RoleOther)
	}
	s.n++
	s.now += int64(time.Second)
	o := &observe.Observation{ID: fmt.Sprintf("x%05d", s.n), Start: s.now, End: s.now, Site: a.Site, Host: a.Host, Method: a.Method, Status: 200,
		RespKind: observe.BodyJSON, Secure: true, Caps: exchange.CapWire, Message: ""}
	ev := catalog.Event{Observation: o, API: a, Outcome: catalog.OutcomeSuccess}
	from("203.0.113.7")(&ev)
	for _, seg := range strings.Split(strings.TrimPrefix(a.Template, "/"), "/") {
		o.Segments = append(o.Segments, observe.Segment{Text: seg, Token: tok(seg), Class: observe.ClassWord})
	}
	for _, opt := range opts {
		opt(&ev)
	}
	a.Exchanges++
	a.Outcomes[ev.Outcome]++
	if ev.Outcome == catalog.OutcomeSuccess {
		if ev.Who.Known() {
			a.WithCred++
		} else {
			a.NoCred++
		}
	}
	if !ev.Who.Private {
		a.Public++
	}
	s.events = append(s.events, ev)
}

func from(ip string) option {
	return func(ev *catalog.Event) {
		a := netip.MustParseAddr(ip)
		ev.Who.Client, ev.Who.Private = a, a.IsPrivate()
		ev.Client = netip.AddrPortFrom(a, 40000)
	}
}

// source is the i-th public address.
func source(i int) option { return from(fmt.Sprintf("198.51.%d.%d", 100+i/200, 1+i%200)) }

func as(principal string) option {
	return func(ev *catalog.Event) {
		ev.Who.Principal, ev.Who.Credential = tok(principal), tok("token of "+principal)
		ev.Credentials = append(ev.Credentials, observe.Credential{Kind: observe.CredBearer, In: observe.InHeader, Name: "authorization", Token: ev.Who.Credential})
	}
}

func answer(status int, out catalog.Outcome) option {
	return func(ev *catalog.Event) { ev.Status, ev.Outcome = uint16(status), out }
}

func says(text string, class observe.MessageClass) option {
	return func(ev *catalog.Event) {
		ev.Message, ev.MessageHash, ev.MessageSays = text, tok(text), class
	}
}

// gives puts plain sensitive data into the response.
func gives(path string, t taxonomy.Sensitive, values ...string) option {
	return func(ev *catalog.Event) {
		x := observe.Exposure{Path: path, Type: t, Response: true, Confidence: 95, Shape: "ab****yz", Count: uint32(len(values)), Distinct: uint32(len(values))}
		for i, v := range values {
			if i < observe.MaxSubjects {
				x.Subjects = append(x.Subjects, tok(v))
			}
		}
		ev.Exposures = append(ev.Exposures, x)
	}
}

func masked() option {
	return func(ev *catalog.Event) {
		for i := range ev.Exposures {
			ev.Exposures[i].Masked = true
		}
	}
}

func tags(t ...uint32) option {
	return func(ev *catalog.Event) { ev.Exposures[len(ev.Exposures)-1].Tags = t }
}

func param(in observe.Location, name, value string, t taxonomy.Sensitive) option {
	return func(ev *catalog.Event) {
		ev.Params = append(ev.Params, observe.Param{Name: name, In: in, Token: tok(value), Sensitive: t, Shape: "a****z", Class: observe.ClassMixed})
		ev.Query = ev.Query || in == observe.InQuery
	}
}

// about says whom a login, registration or look-up is about.
func about(account string, registered, fresh bool) option {
	return func(ev *catalog.Event) {
		ev.Who.Subject, ev.Who.Registered, ev.Who.NewSubject = tok(account), registered, fresh
		ev.Accounts = append(ev.Accounts, observe.Account{Name: "username", In: observe.InJSON, Kind: observe.AccountName, Token: tok(account), Shape: account[:1] + "***"})
	}
}

func password(use observe.PasswordUse, length, score uint8, rank, tag uint32) option {
	return func(ev *catalog.Event) {
		ev.Passwords = append(ev.Passwords, observe.Password{Name: "password", Use: use, Form: observe.PasswordPlain, Len: length, Score: score, Rank: rank, Tag: tag, Shape: "12**56", Classes: 15})
	}
}

func segments(words ...string) option {
	return func(ev *catalog.Event) {
		ev.Segments = ev.Segments[:0]
		for _, w := range words {
			ev.Segments = append(ev.Segments, observe.Segment{Text: w, Token: tok(w), Class: observe.ClassWord})
		}
	}
}

func owns(object, owner string, o catalog.Ownership) option {
	return func(ev *catalog.Event) { ev.Object, ev.Owner, ev.Ownership = tok(object), tok(owner), o }
}

func lists(ids ...string) option {
	return func(ev *catalog.Event) {
		for i, id := range ids {
			ev.Leaves = append(ev.Leaves, observe.Leaf{Path: "items[].id", Token: tok(id), Record: uint32(i)})
		}
		ev.Records = uint32(len(ids))
	}
}

func marker(rule, where, what string) option {
	return func(ev *catalog.Event) {
		ev.Markers = append(ev.Markers, observe.Marker{Rule: rule, Where: where, What: what})
	}
}

func kind(k observe.BodyKind) option { return func(ev *catalog.Event) { ev.RespKind = k } }

func times(n int, f func(i int)) {
	for i := range n {
		f(i)
	}
}

func people(prefix string, n int) (l []string) {
	for i := range n {
		l = append(l, fmt.Sprintf("%s-%d", prefix, i))
	}
	return l
}

// audited runs the events and gives the findings.
func (s *site) audited(t testing.TB) []defect.Finding {
	t.Helper()
	products, err := product.Load(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	a := audit.New(audit.Config{Messages: texts(t), Products: products})
	for i := range s.events {
		a.Observe(&s.events[i])
	}
	return a.Findings(s)
}

func kinds(fs []defect.Finding) string {
	var l []string
	for _, f := range fs {
		l = append(l, string(f.Kind)+":"+string(f.Status))
	}
	return strings.Join(l, " ")
}
