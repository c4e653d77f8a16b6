package observe

import (
	"net/netip"
	"sync"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/jwt"
	"xiezhi/internal/observe/password"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/redact"
	"xiezhi/rules"
)

// loadConfig reads the rules once: what it gives is immutable.
var loadConfig = sync.OnceValues(func() (cfg Config, err error) {
	cfg.Redactor = redact.New([32]byte{1, 2, 3})
	load := []func() error{
		func() (err error) { cfg.Names, err = LoadNames(rules.FS); return },
		func() (err error) { cfg.Phrases, err = LoadPhrases(rules.FS); return },
		func() (err error) { cfg.Agents, err = LoadAgents(rules.FS); return },
		func() (err error) { cfg.Signatures, err = signature.Load(rules.FS); return },
		func() (err error) { cfg.Passwords, err = password.New(rules.FS); return },
		func() (err error) { cfg.Guesser, err = jwt.NewGuesser(rules.FS); return },
		func() (err error) { cfg.Factory, err = LoadFactory(rules.FS); return },
	}
	for _, f := range load {
		if err := f(); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
})

func newConfig(t testing.TB) Config {
	t.Helper()
	cfg, err := loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func newObserver(t testing.TB) *Observer {
	t.Helper()
	o, err := New(newConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// call is an exchange written for reading.
type call struct {
	method, target, host string
	head                 []string // name, value …
	body                 string
	status               int
	respHead             []string
	respBody             string
	said                 []string // messages of a stream, ">" by the client, "<" by the server
}

const testDay = int64(1700000000) * 1e9

func (c call) exchange() *exchange.Exchange {
	x := &exchange.Exchange{ID: []byte("id-1"), Start: testDay - 5e6, End: testDay, Caps: exchange.CapWire, Proto: 11,
		Client: netip.MustParseAddrPort("203.0.113.9:5000"), Server: netip.MustParseAddrPort("10.0.0.1:80"),
		Method: []byte(c.method), Target: []byte(c.target), Host: []byte(c.host), Status: c.status}
	if c.method == "" {
		x.Method = []byte("GET")
		if c.body != "" {
			x.Method = []byte("POST")
		}
	}
	if c.host == "" {
		x.Host = []byte("api.example.com")
	}
	if c.status == 0 {
		x.Status = 200
	}
	fields := func(m *exchange.Message, list []string, body string) {
		for i := 0; i+1 < len(list); i += 2 {
			m.Header = append(m.Header, exchange.Field{Name: []byte(list[i]), Value: []byte(list[i+1])})
		}
		m.Body, m.BodySize = []byte(body), int64(len(body))
	}
	fields(&x.Request, c.head, c.body)
	fields(&x.Response, c.respHead, c.respBody)
	for i, s := range c.said {
		x.Messages = append(x.Messages, exchange.StreamMessage{Time: testDay + int64(i+1)*1e9, Sent: s[0] == '>', Text: true, Data: []byte(s[1:]), Size: int64(len(s) - 1)})
	}
	return x
}

func observe(t testing.TB, c call) *Observation {
	t.Helper()
	var b Batch
	newObserver(t).Observe(c.exchange(), &b)
	if b.Len() != 1 {
		t.Fatalf("%d observations", b.Len())
	}
	return b.At(0)
}
