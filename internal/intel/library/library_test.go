package library

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/intel/taxii"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// shelf keeps what was saved in memory.
type shelf struct {
	mu   sync.Mutex
	data map[string][]byte
	fail error
}

func (s *shelf) Save(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.data[name] = b.Bytes()
	return nil
}

func (s *shelf) Load(name string, read func(io.Reader) error) (passed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.data[name]
	if !ok {
		return nil, errors.New("nothing")
	}
	return nil, read(bytes.NewReader(b))
}

// room is what libraries stand in.
type room struct {
	t     *testing.T
	shelf *shelf
	clock atomic.Int64
}

func newRoom(t *testing.T) *room {
	r := &room{t: t, shelf: &shelf{data: map[string][]byte{}}}
	r.clock.Store(start.UnixNano())
	return r
}

func (r *room) now() time.Time       { return time.Unix(0, r.clock.Load()).UTC() }
func (r *room) pass(d time.Duration) { r.clock.Add(int64(d)) }

func (r *room) open(change func(*Config)) *Library {
	r.t.Helper()
	g, err := outbound.New(outbound.Config{Allow: []string{"127.0.0.1"}})
	if err != nil {
		r.t.Fatal(err)
	}
	cfg := Config{Guard: g, Keep: r.shelf, Now: r.now}
	if change != nil {
		change(&cfg)
	}
	l, err := New(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

func (r *room) with(list ...Feed) *Library {
	return r.open(func(c *Config) { c.Feeds = list })
}

func score(l *Library, ip string) int {
	a := l.Set().Address(netip.MustParseAddr(ip), 0, l.Now())
	return a.Score
}

func attacks() []indicator.Attack {
	at := start.Add(-time.Hour).UnixNano()
	ip := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	return []indicator.Attack{
		{ID: "a", Kind: "credential_stuffing", Site: "shop", First: at, Last: at + int64(time.Minute), Requests: 100, IPs: []netip.Addr{ip("45.9.1.7"), ip("45.9.2.8")},
			Traits: []indicator.Trait{{Key: "header_order", Value: "00000000000a11ce", Share: 1, Of: 100}}},
		{ID: "b", Kind: "credential_stuffing", Site: "bank", First: at, Last: at + int64(time.Minute), Requests: 100, IPs: []netip.Addr{ip("45.9.3.7")},
			Traits: []indicator.Trait{{Key: "header_order", Value: "00000000000a11ce", Share: 1, Of: 100}}},
		{ID: "c", Kind: "vulnerability_scan", Site: "bank", Decoy: true, First: at, Last: at + int64(time.Minute), Requests: 3, IPs: []netip.Addr{ip("45.9.4.7")}},
	}
}

// TestRoundTripBetweenNodes: what node A found, node B knows, as far as A's
// owner lets it out; what A takes back, B forgets.
func TestRoundTripBetweenNodes(t *testing.T) {
	r := newRoom(t)
	a := r.open(func(c *Config) { c.Share = Share{Who: "node A", Owner: true, Others: "green"} })
	a.Attacks(attacks(), nil)
	hmac := "hmac:00112233445566778899aabbccddeeff"
	if err := a.People([]Word{{Row: indicator.Indicator{Type: indicator.Phone, Value: hmac, Tags: indicator.SIMFarm, TLP: indicator.Green, Confidence: 90, Sightings: 1, First: start.UnixNano(), Last: start.UnixNano()}},
		{Row: indicator.Indicator{Type: indicator.Address, Value: "45.9.9.9", TLP: indicator.Red, Confidence: 90, Sightings: 1, First: start.UnixNano(), Last: start.UnixNano()}}}, nil); err != nil {
		t.Fatal(err)
	}
	srv := taxii.NewServer(taxii.Config{Who: "node A", Collections: a.Collections(), Admit: func(q *http.Request) *taxii.Reader {
		if q.Header.Get("Authorization") != "Bearer t0k" {
			return nil
		}
		return &taxii.Reader{May: func(string) bool { return true }}
	}})
	pages := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		pages++
		v := q.URL.Query()
		v.Set("limit", "3") // pages that are small enough to be many
		q.URL.RawQuery = v.Encode()
		srv.ServeHTTP(w, q)
	}))
	defer s.Close()
	head := filepath.Join(t.TempDir(), "head")
	if err := os.WriteFile(head, []byte("Authorization: Bearer t0k\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	one := 1.0
	node := func(collection string) *Library {
		n := newRoom(t)
		return n.open(func(c *Config) {
			c.Feeds = []Feed{{Name: "a", URL: s.URL + "/taxii2/api/collections/" + collection + "/", Format: TAXII, HeaderFile: head, Licence: "ours", Role: "peer", Reliability: &one}}
		})
	}
	equal := func(what string, b *Library, want []indicator.Indicator) {
		t.Helper()
		if err := b.Fetch(t.Context(), "a"); err != nil {
			t.Fatal(what, err)
		}
		got := map[indicator.Key]indicator.Indicator{}
		for _, x := range b.Set().Of("a") {
			got[indicator.Key{Type: x.Type, Value: x.Value}] = x
		}
		for _, x := range want {
			y, ok := got[indicator.Key{Type: x.Type, Value: x.Value}]
			x.Site = "" // which site saw it is the owner's affair
			if x.Until == 0 {
				x.Until = x.Ends() // STIX says when a thing ends, not how it ages
			}
			for _, at := range []*int64{&x.First, &x.Last, &x.Until} {
				*at -= *at % 1e6
			}
			if !ok || y != x {
				t.Errorf("%s: B has %+v of\n%+v", what, y, x)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: B has %d of %d", what, len(got), len(want))
		}
	}
	owner, others := node(OwnerCollection), node(OthersCollection)
	mine := a.Passable(indicator.Amber, 0)
	if len(dedupe(mine)) != 6 { // four addresses, the fingerprint, the phone: not what is red
		t.Fatalf("%d are passed on to the owner's nodes: %v", len(mine), mine)
	}
	equal("owner", owner, dedupe(mine))
	if pages < 4 {
		t.Errorf("%d pages", pages)
	}
	green := a.Passable(indicator.Green, 0)
	if len(dedupe(green)) != 3 { // what two sites saw, what touched a decoy, what people marked so
		t.Fatalf("%d are passed on to others: %v", len(green), green)
	}
	equal("others", others, dedupe(green))
	if a := owner.Set().Value(indicator.Phone, hmac, owner.Now()); a.Score == 0 || a.Tags != indicator.SIMFarm {
		t.Errorf("the phone: %+v", a)
	}

	// A analyst of A finds attack a to be none, and another attack comes.
	was := pages
	more := attacks()[2]
	more.ID, more.IPs = "d", []netip.Addr{netip.MustParseAddr("45.9.5.7")}
	a.Attacks([]indicator.Attack{more}, nil)
	if err := a.People(nil, map[string][]string{"a": {OwnSource}}); err != nil {
		t.Fatal(err)
	}
	r.pass(time.Minute)
	equal("after a verdict", owner, dedupe(a.Passable(indicator.Amber, 0)))
	if got := score(owner, "45.9.1.7"); got != 0 {
		t.Errorf("B still holds what A took back: %d", got)
	}
	if pages-was > 4 {
		t.Errorf("B read everything anew: %d pages", pages-was)
	}
	for _, x := range a.Set().Sources() {
		if x.Name == OwnSource && (x.False != 1 || x.Weight() >= x.Reliability) {
			t.Errorf("the verdict does not count against the source: %+v", x)
		}
	}
}

func dedupe(rows []indicator.Indicator) (out []indicator.Indicator) {
	seen := map[indicator.Key]indicator.Indicator{}
	for _, x := range rows {
		k := indicator.Key{Type: x.Type, Value: x.Value}
		if y, ok := seen[k]; !ok || y.Confidence < x.Confidence {
			seen[k] = x
		}
	}
	for _, x := range seen {
		out = append(out, x)
	}
	return out
}

// TestPeopleOutweighSources: what people call harmless is never blocked, with
// all addresses in it, and every source that spoke for a wrong attack loses.
func TestPeopleOutweighSources(t *testing.T) {
	r := newRoom(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "45.9.1.7\n45.9.7.7\n") }))
	defer s.Close()
	l := r.open(func(c *Config) {
		c.Feeds = []Feed{{Name: "drop", URL: s.URL, Licence: "test"}}
		c.Egress = []netip.Prefix{netip.MustParsePrefix("45.9.4.0/24")}
	})
	if err := l.Fetch(t.Context(), "drop"); err != nil {
		t.Fatal(err)
	}
	l.Attacks(attacks(), nil)
	if err := l.Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	if score(l, "45.9.1.7") < indicator.Blocks || score(l, "45.9.3.7") < indicator.Blocks {
		t.Error(score(l, "45.9.1.7"), score(l, "45.9.3.7"))
	}
	if score(l, "45.9.4.7") != 0 {
		t.Error("the owner's own exit is held against it")
	}
	if h := l.Feeds()[0]; h.Good != 1 || h.Wrong != 0 || h.Weight != 0.5 {
		t.Errorf("%+v", h)
	}
	spoke := l.Naming(l.KeysOf("a"))
	if fmt.Sprint(spoke) != "[drop xiezhi.own]" {
		t.Errorf("for the attack spoke %v", spoke)
	}
	said := Said{Type: "network", Value: "45.9.3.0/24", Harmless: true, Reason: "our partner", By: "u", At: start}
	w, err := said.Word(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.People([]Word{w}, map[string][]string{"a": spoke}); err != nil {
		t.Fatal(err)
	}
	if a := l.Set().Address(netip.MustParseAddr("45.9.3.7"), 0, l.Now()); a.Score != 0 || a.Negative != HarmlessSource {
		t.Errorf("%+v", a)
	}
	if h := l.Feeds()[0]; h.Wrong != 1 || h.Good != 0 || h.Weight >= 0.5 {
		t.Errorf("%+v", h)
	}
	if got := score(l, "45.9.1.7"); got >= 50 {
		t.Errorf("it still scores %d", got)
	}
	for _, bad := range []Said{{Type: "address", Value: "10.0.0.1"}, {Type: "network", Value: "0.0.0.0/0"}, {Type: "phone", Value: "13800138000"}, {Type: "pet", Value: "x"},
		{Type: "address", Value: "45.9.1.7", Tags: []string{"nonsense"}}, {Type: "address", Value: "45.9.1.7", TLP: "purple"}, {Type: "address", Value: "45.9.1.7", Until: start.Add(-time.Hour)}} {
		bad.Reason, bad.At = "x", start
		if _, err := bad.Word(nil); !errors.Is(err, ErrSaid) {
			t.Errorf("%+v gives %v", bad, err)
		}
	}
}

// TestJudgesAreToldWhatChanged: a snapshot for each change, none for none, and
// what could not be given on is given on later.
func TestJudgesAreToldWhatChanged(t *testing.T) {
	r := newRoom(t)
	var got []*indicator.Snapshot
	deaf := errors.New("deaf")
	l := r.open(func(c *Config) {
		c.Seen = r.now
		c.Publish = func(_ context.Context, data []byte) error {
			if deaf != nil {
				return deaf
			}
			s, err := indicator.ParseSnapshot(data)
			got = append(got, s)
			return err
		}
	})
	l.Attacks(attacks(), nil)
	if err := l.Tell(t.Context()); !errors.Is(err, deaf) {
		t.Fatal(err)
	}
	deaf = nil
	for range 3 {
		if err := l.Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 1 || got[0].Len() != 5 {
		t.Fatalf("%d snapshots, %d things", len(got), got[0].Len())
	}
	l.Attacks(nil, []string{"a", "b", "c"})
	if err := l.Tell(t.Context()); err != nil || len(got) != 2 || got[1].Len() != 0 {
		t.Errorf("%v, %d", err, len(got))
	}
}

func TestAttacksAreBounded(t *testing.T) {
	r := newRoom(t)
	l := r.open(nil)
	x := attacks()[0]
	for i := range MaxAttacks + 100 {
		x.ID, x.Last = fmt.Sprint(i), start.UnixNano()+int64(i)
		l.Attacks([]indicator.Attack{x}, nil)
	}
	if len(l.attacks) != MaxAttacks || l.dropped != 100 || l.attacks["0"] != nil || l.ips != 2*MaxAttacks {
		t.Errorf("%d attacks, %d dropped, %d addresses", len(l.attacks), l.dropped, l.ips)
	}
	if err := l.People(make([]Word, MaxWords+1), nil); err == nil {
		t.Error("any number of words is taken")
	}
}

// TestTouchesOfADecoyBecomeKnown: the file of a decoy beside the service is read
// again and again, and a file that is not there yet is an error that passes.
func TestTouchesOfADecoyBecomeKnown(t *testing.T) {
	r := newRoom(t)
	name := filepath.Join(t.TempDir(), "touches.jsonl")
	l := r.open(func(c *Config) {
		c.Open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
		c.Feeds = []Feed{{Name: "decoy", File: name, Role: "decoy", Every: time.Minute, Licence: "ours"}}
	})
	if err := l.Fetch(t.Context(), "decoy"); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for i, want := range []int{86, 86} {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(f, `{"type":"address","value":"45.9.1.%d","tags":["decoy"],"confidence":90,"first":"2026-03-01T07:59:00Z","last":"2026-03-01T08:00:00Z"}`+"\n", 7+i)
		_ = f.Close()
		if err := l.Fetch(t.Context(), "decoy"); err != nil {
			t.Fatal(err)
		}
		if got := score(l, fmt.Sprintf("45.9.1.%d", 7+i)); got != want || l.Feeds()[0].Rows != i+1 {
			t.Errorf("after %d touches: %d, %d rows", i+1, got, l.Feeds()[0].Rows)
		}
	}
}
