package respond

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

var (
	start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	ann   = Person{"u-ann", "Ann"}
	bob   = Person{"u-bob", "Bob"}
)

type dice struct{ r *rand.ChaCha8 }

func (d dice) Read(p []byte) (int, error) { return d.r.Read(p) }

// room is a desk on a model of the records, with a clock and a past of one's
// choice.
type room struct {
	t     *testing.T
	desk  *Desk
	store *recordtest.Model
	now   time.Time
	past  []Collateral // what the next look back gives, the last one for ever
	asked int
	cfg   Config
}

func newRoom(t *testing.T, text string) *room {
	t.Helper()
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	r := &room{t: t, store: recordtest.NewModel(record.NewChain([32]byte{1})), now: start, past: []Collateral{{Known: true, Of: 100_000}}}
	var f *policy.File
	if text != "" {
		if f, err = policy.Parse("p", []byte("version: 1\n"+text)); err != nil {
			t.Fatal(err)
		}
	}
	r.cfg = Config{Store: r.store, Messages: msgs, Policy: f, Now: func() time.Time { return r.now }, Random: dice{rand.NewChaCha8([32]byte{3})},
		Guard: Guard{Own: []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32")}, Never: NeverOf(f)},
		Shadow: func(_ context.Context, _ string, list []Selector, _ time.Duration) ([]Collateral, error) {
			r.asked++
			c := r.past[0]
			if len(r.past) > 1 {
				r.past = r.past[1:]
			}
			out := make([]Collateral, len(list))
			for i := range out {
				out[i] = c
			}
			return out, nil
		}}
	r.api("a1", "shop", "POST", "/login")
	r.api("a2", "shop", "GET", "/users/{id}")
	r.api("a3", "shop", "GET", "/users/me")
	r.open()
	return r
}

func (r *room) open() {
	r.t.Helper()
	var err error
	if r.desk, err = New(r.t.Context(), r.cfg); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) api(id, site, method, template string) {
	r.t.Helper()
	b, _ := json.Marshal(apiBody{id, site + ".example", method, template})
	if _, err := r.store.Write(r.t.Context(), record.Batch{Put: []record.Record{{Kind: record.API, ID: id, Rev: 1, Site: site, Body: b, First: start, Last: start}}}); err != nil {
		r.t.Fatal(err)
	}
}

func block(ttl time.Duration, k Keys) Decision {
	return Decision{Site: "shop", Action: taxonomy.ActBlock, Selector: Selector{Keys: k}, Expires: start.Add(ttl), Reason: message.Text{Zh: "攻击", En: "attack"}}
}

// codeOf gives why a decision was refused, or "".
func codeOf(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestWhatIsNeverDecided(t *testing.T) {
	hour := time.Hour
	with := func(f func(*Decision)) Decision {
		d := block(hour, Keys{IP: []string{"203.0.113.9"}})
		f(&d)
		return d
	}
	r := newRoom(t, "approvals: [{kind: partner, clients: [192.0.2.128/25], reason: contract}]\nresponse: [{never: [192.0.2.1]}]\n")
	for _, c := range []struct {
		name string
		d    Decision
		want string
	}{
		{"fine", block(hour, Keys{IP: []string{"203.0.113.9"}}), ""},
		{"everybody", block(hour, Keys{}), "everyone"},
		{"all of IPv4", block(hour, Keys{Prefix: []string{"0.0.0.0/0"}}), "width"},
		{"all of IPv6", block(hour, Keys{Prefix: []string{"::/0"}}), "width"},
		{"half of IPv4, mapped", block(hour, Keys{Prefix: []string{"::ffff:0.0.0.0/97"}}), "width"},
		{"a /15", block(hour, Keys{Prefix: []string{"203.0.0.0/15"}}), "width"},
		{"private", block(hour, Keys{Prefix: []string{"192.168.4.0/24"}}), "private"},
		{"loopback, mapped", block(hour, Keys{IP: []string{"::ffff:127.0.0.1"}}), "private"},
		{"carrier NAT", block(hour, Keys{IP: []string{"100.64.3.3"}}), "private"},
		{"one of our own", block(hour, Keys{Prefix: []string{"198.51.100.0/24"}}), "own"},
		{"approved", block(hour, Keys{IP: []string{"192.0.2.200"}}), "allowed"},
		{"never", block(hour, Keys{Prefix: []string{"192.0.2.0/26"}}), "never"},
		{"no address", block(hour, Keys{IP: []string{"shop.example"}}), "address"},
		{"a network as an address", block(hour, Keys{IP: []string{"203.0.113.0/24"}}), "address"},
		{"no reason", with(func(d *Decision) { d.Reason = message.Text{} }), "reason"},
		{"over", with(func(d *Decision) { d.Expires = start }), "ttl"},
		{"no end", with(func(d *Decision) { d.Expires = time.Time{} }), "ttl"},
		{"for ever", with(func(d *Decision) { d.Expires = start.AddDate(1, 0, 0) }), "ttl_long"},
		{"no site", with(func(d *Decision) { d.Site = "" }), "site"},
		{"no such action", with(func(d *Decision) { d.Action = "shout" }), "action"},
		{"no decoy to deceive with", with(func(d *Decision) { d.Action = taxonomy.ActDeceive }), "deceive"},
		{"no rate", with(func(d *Decision) { d.Action = taxonomy.ActRateLimit }), "rate"},
		{"a hash that is none", block(hour, Keys{HeaderOrder: []string{"xyz"}}), "value"},
		{"too many", block(hour, Keys{Agent: make([]string, MaxValues+1)}), "values"},
		{"a mask of nothing", with(func(d *Decision) { d.Action = taxonomy.ActMask }), "patch"},
		{"a mask of everything", with(func(d *Decision) { d.Action, d.Patch = taxonomy.ActMask, &Patch{Fields: []string{"phone"}} }), "patch_api"},
		{"a patch that blocks", with(func(d *Decision) { d.Patch = &Patch{Records: 3} }), "patch_action"},
		{"an answer that is no JSON", with(func(d *Decision) {
			d.Action, d.Selector, d.Patch = taxonomy.ActMask, Selector{APIs: []API{{ID: "a1"}}}, &Patch{Uniform: &Uniform{Status: 401, Body: "{"}}
		}), "uniform_json"},
	} {
		got, err := r.desk.Create(t.Context(), ann, c.d, false)
		if code := codeOf(err); code != c.want {
			t.Errorf("%s: %q, want %q", c.name, code, c.want)
		}
		if c.want == "" && (got.State != Active || got.Number != 1 || got.By != ann.ID) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if err := func() error {
		_, err := r.desk.Create(t.Context(), ann, block(hour, Keys{Prefix: []string{"203.0.113.77/24"}}), false)
		return err
	}(); err != nil {
		t.Fatal(err)
	}
	list, _ := r.store.Audit(t.Context(), 0, 10)
	if len(list) != 2 || list[0].Action != "decision.add" || list[0].By != ann.ID || !strings.Contains(string(list[0].Detail), `"reason":"attack"`) {
		t.Errorf("audit: %+v", list)
	}
	for _, code := range []string{"width", "everyone"} {
		if x := (&Refusal{code, "9"}).Why(r.cfg.Messages); x.Zh == "" || x.En == "" || x.Zh == x.En {
			t.Errorf("%s: %+v", code, x)
		}
	}
}

// TestCollateralBeforeActing: what a decision would have met is looked at first;
// a person may go further than the machine, with a second one.
func TestCollateralBeforeActing(t *testing.T) {
	r := newRoom(t, "")
	d := block(time.Hour, Keys{IP: []string{"203.0.113.9"}})
	for _, c := range []struct {
		past  Collateral
		code  string
		state State
	}{
		{Collateral{Known: true, Requests: 100, Of: 100_000}, "", Active},
		{Collateral{Known: true, Requests: 101, Of: 100_000}, "", Waiting},
		{Collateral{Known: true, Requests: 5_001, Of: 100_000}, "collateral", ""},
		{Collateral{Known: true, Requests: 60_000, Of: 100_000}, "everyone", ""},
		{Collateral{}, "", Active}, // nobody knows, one address, a person
	} {
		r.past = []Collateral{c.past}
		x, err := r.desk.Create(t.Context(), ann, d, false)
		if codeOf(err) != c.code || err == nil && x.State != c.state {
			t.Errorf("%+v: %v %+v", c.past, err, x)
		}
	}
	n := r.asked
	x, err := r.desk.Create(t.Context(), ann, d, true)
	if err != nil || x.ID != "" || r.asked != n+1 {
		t.Errorf("a dry run: %+v %v", x, err)
	}
}

func TestTwoPairsOfEyes(t *testing.T) {
	r := newRoom(t, "")
	wide, err := r.desk.Create(t.Context(), ann, block(time.Hour, Keys{Prefix: []string{"203.0.0.0/20"}, JA4: []string{"t13d"}}), false)
	if err != nil || wide.State != Waiting || !slices.Equal(wide.Wide, []string{"network"}) {
		t.Fatalf("%+v %v", wide, err)
	}
	asked := &Asked{Host: "shop.example", Method: "GET", IP: netip.MustParseAddr("203.0.1.1"), JA4: "t13d"}
	meets := func() int {
		t.Helper()
		if err := r.desk.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := 0
		r.desk.Table().Match(asked, r.now, func(*Live) { n++ })
		return n
	}
	if meets() != 0 {
		t.Error("it is carried out before anybody agreed")
	}
	if _, err := r.desk.Approve(t.Context(), ann, wide.ID); !errors.Is(err, ErrSelf) {
		t.Errorf("one approves oneself: %v", err)
	}
	if x, err := r.desk.Approve(t.Context(), bob, wide.ID); err != nil || x.State != Active || len(x.Approvals) != 1 {
		t.Fatalf("%+v %v", x, err)
	}
	if _, err := r.desk.Approve(t.Context(), bob, wide.ID); !errors.Is(err, ErrState) {
		t.Errorf("twice: %v", err)
	}
	if meets() != 1 {
		t.Error("it is not carried out")
	}
	// The kill switch, and after a restart.
	if _, err := r.desk.Stop(t.Context(), ann, true, "something is wrong"); err != nil || meets() != 0 {
		t.Errorf("stopped, and it is carried out: %v", err)
	}
	r.open()
	if s := r.desk.Stopped(); !s.Stopped || s.By != ann.ID || meets() != 0 {
		t.Errorf("started again: %+v", s)
	}
	if _, err := r.desk.Stop(t.Context(), bob, false, ""); err != nil || meets() != 1 {
		t.Errorf("resumed: %v", err)
	}
	// Its time.
	r.now = start.Add(time.Hour - 1)
	if meets() != 1 {
		t.Error("it ended before its time")
	}
	r.now = start.Add(time.Hour)
	n := 0
	if r.desk.Table().Match(asked, r.now, func(*Live) { n++ }); n != 0 {
		t.Error("it is carried out after its time")
	}
	if err := r.desk.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	rec, err := r.store.Get(t.Context(), record.Decision, wide.ID)
	if err != nil || rec.State != string(Expired) {
		t.Errorf("%+v %v", rec, err)
	}
	if _, err := r.desk.Undo(t.Context(), ann, wide.ID, "late"); !errors.Is(err, ErrState) {
		t.Errorf("undone after its time: %v", err)
	}
	if _, err := r.desk.Undo(t.Context(), ann, "d-none", "late"); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("undone, and was never there: %v", err)
	}
}

// TestWithdrawnByItself: what comes to meet honest people ends.
func TestWithdrawnByItself(t *testing.T) {
	r := newRoom(t, "response: [{site: shop, mode: enforce, verdict: likely}]\n")
	if err := r.desk.answer(t.Context(), attackOf("k1", "likely", Keys{JA4: []string{"t13d"}}, "a1")); err != nil {
		t.Fatal(err)
	}
	x, _ := r.desk.ofAttack("k1")
	if x == nil || x.State != Active || x.Action != taxonomy.ActChallenge || x.Collateral.Of != 100_000 {
		t.Fatalf("%+v", x)
	}
	r.past = []Collateral{{Known: true, Requests: 100, Of: 100_000}}
	if err := r.desk.Review(t.Context()); err != nil {
		t.Fatal(err)
	}
	if y, _ := r.desk.ofAttack("k1"); y == nil || y.State != Active {
		t.Fatalf("%+v", y)
	}
	r.past = []Collateral{{Known: true, Requests: 101, Of: 100_000}}
	if err := r.desk.Review(t.Context()); err != nil {
		t.Fatal(err)
	}
	rec, err := r.store.Get(t.Context(), record.Decision, x.ID)
	if err != nil || rec.State != string(Withdrawn) || !strings.Contains(string(rec.Body), "0.10 %") {
		t.Fatalf("%s %v", rec.Body, err)
	}
	// And does not come back by itself, not after a restart either.
	r.open()
	if err := r.desk.answer(t.Context(), attackOf("k1", "likely", Keys{JA4: []string{"t13d"}}, "a1")); err != nil {
		t.Fatal(err)
	}
	if y, ended := r.desk.ofAttack("k1"); y != nil || ended != x.ID {
		t.Errorf("%+v %q", y, ended)
	}
}

func attackOf(id, verdict string, k Keys, apis ...string) *attackBody {
	a := &attackBody{ID: id, Site: "shop", Verdict: verdict, Last: start, Reason: message.Text{Zh: "撞库", En: "stuffing"}}
	a.Selector.APIs, a.Selector.Keys, a.Action.Kind = apis, k, taxonomy.ActChallenge
	return a
}

func TestWhatTheMachineDecides(t *testing.T) {
	key := Keys{JA4: []string{"t13d"}}
	for _, c := range []struct {
		name, policy string
		attack       *attackBody
		past         Collateral
		state        State
		action       taxonomy.Action
	}{
		{"nothing is said", "", attackOf("k", "confirmed", key, "a1"), Collateral{Known: true, Of: 1000}, Proposed, taxonomy.ActChallenge},
		{"to be asked", "response: [{mode: alert}]", attackOf("k", "confirmed", key, "a1"), Collateral{Known: true, Of: 1000}, Waiting, taxonomy.ActChallenge},
		{"to be done", "response: [{mode: enforce}]", attackOf("k", "confirmed", key, "a1"), Collateral{Known: true, Of: 1000}, Active, taxonomy.ActChallenge},
		{"too doubtful", "response: [{mode: enforce}]", attackOf("k", "likely", key, "a1"), Collateral{Known: true, Of: 1000}, "", ""},
		{"no milder one", "response: [{mode: enforce, actions: [block]}]", attackOf("k", "confirmed", key, "a1"), Collateral{Known: true, Of: 1000}, "", ""},
		{"a milder one", "response: [{mode: enforce, actions: [rate_limit, block], rate: 7}]", attackOf("k", "confirmed", key, "a1"), Collateral{Known: true, Of: 1000}, Active, taxonomy.ActRateLimit},
		{"another site", "response: [{site: bank, mode: enforce}, {mode: observe}]", attackOf("k", "confirmed", key, "a1"), Collateral{Known: true, Of: 1000}, Proposed, taxonomy.ActChallenge},
		{"too much collateral", "response: [{mode: enforce}]", attackOf("k", "confirmed", key, "a1"), Collateral{Known: true, Of: 1000, Requests: 2}, Refused, taxonomy.ActChallenge},
		{"nobody to compare", "response: [{mode: enforce}]", attackOf("k", "confirmed", key, "a1"), Collateral{Known: true, Of: 10}, Waiting, taxonomy.ActChallenge},
		{"the whole site", "response: [{mode: enforce}]", attackOf("k", "confirmed", key), Collateral{Known: true, Of: 1000}, Waiting, taxonomy.ActChallenge},
		{"APIs that are gone", "response: [{mode: enforce}]", attackOf("k", "confirmed", key, "a9"), Collateral{Known: true, Of: 1000}, Refused, taxonomy.ActChallenge},
		{"everybody", "response: [{mode: enforce}]", attackOf("k", "confirmed", Keys{}, "a1"), Collateral{Known: true, Of: 1000}, Refused, taxonomy.ActChallenge},
		{"private", "response: [{mode: enforce}]", attackOf("k", "confirmed", Keys{IP: []string{"10.0.0.1"}}, "a1"), Collateral{Known: true, Of: 1000}, Refused, taxonomy.ActChallenge},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t, c.policy)
			r.past = []Collateral{c.past}
			if err := r.desk.answer(t.Context(), c.attack); err != nil {
				t.Fatal(err)
			}
			p, err := r.store.List(t.Context(), record.Query{Kind: record.Decision})
			if err != nil || len(p.Records) > 1 {
				t.Fatalf("%d %v", len(p.Records), err)
			}
			if len(p.Records) == 0 {
				if c.state != "" {
					t.Error("nothing was decided")
				}
				return
			}
			x, err := Read(&p.Records[0])
			if err != nil || x.State != c.state || x.Action != c.action || x.Attack != "k" || x.Reason != c.attack.Reason || !x.Expires.Equal(start.Add(30*time.Minute)) {
				t.Errorf("%+v %v", x, err)
			}
			if x.State == Refused && (x.Ended == nil || x.Ended.Reason.Zh == "" || x.Ended.Reason.En == "") {
				t.Errorf("it does not say why: %+v", x.Ended)
			}
			if c.action == taxonomy.ActRateLimit && x.Rate != 7 {
				t.Errorf("%d a minute", x.Rate)
			}
			// The same attack again is the same decision.
			if err := r.desk.answer(t.Context(), c.attack); err != nil {
				t.Fatal(err)
			}
			if n, _ := r.store.Count(t.Context(), record.Query{Kind: record.Decision}); n != 1 {
				t.Errorf("%d decisions", n)
			}
		})
	}
}

// TestAnAttackThatGrows: the decision follows, is prolonged while the attack
// goes on, and never replaced by one that lets go of it.
func TestAnAttackThatGrows(t *testing.T) {
	r := newRoom(t, "response: [{mode: enforce}]")
	say := func(last time.Time, ips ...string) {
		t.Helper()
		a := attackOf("k", "confirmed", Keys{IP: ips}, "a1")
		a.Last = last
		if err := r.desk.answer(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	say(start, "203.0.113.1")
	first, _ := r.desk.ofAttack("k")
	say(start, "203.0.113.1", "203.0.113.2")
	if x, _ := r.desk.ofAttack("k"); x.ID != first.ID {
		t.Error("replaced at once")
	}
	r.now = start.Add(time.Minute)
	if err := r.desk.Retry(t.Context()); err != nil { // nobody says anything new
		t.Fatal(err)
	}
	second, _ := r.desk.ofAttack("k")
	if second.ID == first.ID || second.State != Active || len(second.Selector.Keys.IP) != 2 || second.Number != 2 {
		t.Fatalf("%+v", second)
	}
	if rec, _ := r.store.Get(t.Context(), record.Decision, first.ID); rec.State != string(Expired) {
		t.Errorf("the first is %s", rec.State)
	}
	r.now = start.Add(10 * time.Minute)
	say(r.now, "203.0.113.1", "203.0.113.2")
	if x, _ := r.desk.ofAttack("k"); x.ID != second.ID || !x.Expires.Equal(r.now.Add(30*time.Minute)) {
		t.Errorf("not prolonged: %+v", x)
	}
	r.now = start.Add(time.Hour)
	say(start.Add(10*time.Minute), "203.0.113.1", "203.0.113.2", "203.0.113.3") // an old attack
	if err := r.desk.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x, _ := r.desk.ofAttack("k"); x != nil {
		t.Errorf("%+v", x)
	}
}

func TestTableMatches(t *testing.T) {
	r := newRoom(t, "")
	r.cfg.External = func(domain string, v uint64) string { return domain + string(rune('0'+v)) }
	r.open()
	add := func(s Selector) string {
		t.Helper()
		d := block(time.Hour, s.Keys)
		d.Selector = s
		x, err := r.desk.Create(t.Context(), ann, d, false)
		if err != nil {
			t.Fatal(err)
		}
		if x.State == Waiting {
			if _, err := r.desk.Approve(t.Context(), bob, x.ID); err != nil {
				t.Fatal(err)
			}
		}
		return x.ID
	}
	name := map[string]string{}
	name[add(Selector{Keys: Keys{IP: []string{"203.0.113.9"}}})] = "ip"
	name[add(Selector{Keys: Keys{Prefix: []string{"203.0.113.0/24"}}})] = "net24"
	name[add(Selector{Keys: Keys{Prefix: []string{"203.0.0.0/16"}}})] = "net16"
	name[add(Selector{APIs: []API{{ID: "a2"}}, Keys: Keys{JA4: []string{"t13d"}}})] = "tool at users"
	name[add(Selector{Keys: Keys{Agent: []string{"agent5"}, HeaderOrder: []string{"00000000000000ff"}}})] = "agent"
	name[add(Selector{Keys: Keys{Credential: []string{"credential7"}}})] = "token"
	name[add(Selector{Keys: Keys{Path: []string{"000000000000000b"}, JA4: []string{"t13d"}}})] = "path"
	if err := r.desk.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	seg := func(path string) (out []observe.Segment) {
		for _, s := range strings.Split(strings.Trim(path, "/"), "/") {
			out = append(out, observe.Segment{Text: s, Class: observe.ClassOther})
		}
		return out
	}
	for _, c := range []struct {
		name string
		a    Asked
		want []string
	}{
		{"nobody", Asked{IP: netip.MustParseAddr("192.0.2.1")}, nil},
		{"an address in networks", Asked{IP: netip.MustParseAddr("203.0.113.9")}, []string{"ip", "net16", "net24"}},
		{"the same, mapped", Asked{IP: netip.MustParseAddr("::ffff:203.0.113.9")}, []string{"ip", "net16", "net24"}},
		{"its neighbour", Asked{IP: netip.MustParseAddr("203.0.113.8")}, []string{"net16", "net24"}},
		{"farther", Asked{IP: netip.MustParseAddr("203.0.7.8")}, []string{"net16"}},
		{"another site", Asked{Host: "bank.example", IP: netip.MustParseAddr("203.0.113.9")}, nil},
		{"the tool there", Asked{JA4: "t13d", Method: "GET", Segments: seg("/users/17")}, []string{"tool at users"}},
		{"HEAD is GET", Asked{JA4: "t13d", Method: "HEAD", Segments: seg("/users/17")}, []string{"tool at users"}},
		{"the tool at another API of that form", Asked{JA4: "t13d", Method: "GET", Segments: seg("/users/me")}, nil},
		{"the tool at no API", Asked{JA4: "t13d", Method: "GET", Segments: seg("/users/17/x")}, nil},
		{"another method", Asked{JA4: "t13d", Method: "DELETE", Segments: seg("/users/17")}, nil},
		{"agent without the order", Asked{Agent: 5}, nil},
		{"agent with it", Asked{Agent: 5, HeaderOrder: 255}, []string{"agent"}},
		{"one of several tokens", Asked{Credentials: []uint64{3, 7}}, []string{"token"}},
		{"other tokens", Asked{Credentials: []uint64{3}}, nil},
		{"a path that is no API", Asked{JA4: "t13d", Path: 11}, []string{"path"}},
	} {
		if c.a.Host == "" {
			c.a.Host = "shop.example"
		}
		var got []string
		r.desk.Table().Match(&c.a, start, func(l *Live) { got = append(got, name[l.ID]) })
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if r.desk.Table().Idle("shop.example") || !r.desk.Table().Idle("bank.example") || !r.desk.Table().Bodies("shop.example") {
		t.Error("what has to be read")
	}
	// Two APIs that are called alike: one alone is not to be told from the other.
	r.api("b1", "bank", "GET", "/x/{id}")
	r.api("b2", "bank", "GET", "/x/{no}")
	d := block(time.Hour, Keys{JA4: []string{"t13d"}})
	d.Site, d.Selector.APIs = "bank", []API{{ID: "b1"}}
	if _, err := r.desk.Create(t.Context(), ann, d, false); err != nil {
		t.Fatal(err)
	}
	if err := r.desk.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := 0
	a := Asked{Host: "bank.example", JA4: "t13d", Method: "GET", Segments: seg("/x/1")}
	if r.desk.Table().Match(&a, start, func(*Live) { n++ }); n != 0 {
		t.Error("it meets the other one, too")
	}
}

func BenchmarkMatch(b *testing.B) {
	var list []*Live
	for i := range 100_000 {
		ip := netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)})
		list = append(list, compile(&Decision{Site: "shop.example", Selector: Selector{Keys: Keys{IP: []string{ip.String()}}}, Expires: start.Add(time.Hour)}, new(atomic.Uint64)))
	}
	for i := range MaxGeneral {
		list = append(list, compile(&Decision{Site: "shop.example", Selector: Selector{Keys: Keys{JA4: []string{"t" + string(rune(i))}}}, Expires: start.Add(time.Hour)}, new(atomic.Uint64)))
	}
	t, left := NewTable(list, tableParts{})
	if left != 0 {
		b.Fatal(left)
	}
	a := Asked{Host: "shop.example", IP: netip.MustParseAddr("192.0.2.1"), JA4: "none"}
	b.ReportAllocs()
	for b.Loop() {
		t.Match(&a, start, func(*Live) { b.Fatal("met") })
	}
}

// TestAGangThatChangesItsAddress: what its requests have in common is decided
// about, if nobody else shows it; else the addresses.
func TestAGangThatChangesItsAddress(t *testing.T) {
	for _, c := range []struct {
		name   string
		shared uint64 // honest requests that show the tool, too
		ips    uint64
		tool   bool
	}{{"its own tool", 0, 500, true}, {"everybody's tool", 30, 500, false}, {"few addresses, many requests", 0, 5, false}} {
		r := newRoom(t, "response: [{mode: enforce}]")
		r.cfg.Shadow = func(_ context.Context, _ string, list []Selector, _ time.Duration) ([]Collateral, error) {
			x := Collateral{Known: true, Of: 10_000, Attack: 500}
			if len(list[0].Keys.IP) == 0 {
				x.Requests = c.shared
			}
			return []Collateral{x}, nil
		}
		r.open()
		a := attackOf("k", "confirmed", Keys{IP: []string{"203.0.113.1", "203.0.113.2"}}, "a1")
		a.Requests, a.Actors.IPs = 500, c.ips
		if err := json.Unmarshal([]byte(`{"signature":[{"key":"header_order","value":"00000000000000ff","share":1},{"key":"param_shape","value":"00000000000000fe","share":0.5}]}`), a); err != nil {
			t.Fatal(err)
		}
		if err := r.desk.answer(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		x, _ := r.desk.ofAttack("k")
		if x == nil || x.State != Active || (len(x.Selector.Keys.IP) == 0) != c.tool || c.tool && (len(x.Selector.Keys.HeaderOrder) != 1 || len(x.Selector.Keys.ParamShape) != 0) {
			t.Errorf("%s: %+v", c.name, x)
		}
	}
}
