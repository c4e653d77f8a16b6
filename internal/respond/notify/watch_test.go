package notify

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/respond/finding"
	"xiezhi/internal/respond/notify/channel"
	"xiezhi/internal/respond/outbox"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
	"xiezhi/rules"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// ear is a channel that remembers, and fails when it is told to.
type ear struct {
	heard []*channel.Message
	fail  error
}

func (e *ear) Host() string { return "ear.example" }
func (e *ear) Send(_ context.Context, m *channel.Message) error {
	if e.fail != nil {
		return e.fail
	}
	e.heard = append(e.heard, m)
	return nil
}

type counting struct{ n uint64 }

func (c *counting) Read(p []byte) (int, error) {
	c.n++
	clear(p)
	if len(p) >= 8 {
		binary.BigEndian.PutUint64(p[len(p)-8:], c.n)
	}
	return len(p), nil
}

// town is a watch with a clock, a store and ears.
type town struct {
	t      *testing.T
	store  *recordtest.Model
	now    time.Time
	random counting
	ears   map[string]*ear
	chs    []ChannelConfig
	parts  []Part
	surge  Surge
	rev    uint64
	watch  *Watch
	box    *outbox.Box
	stop   context.CancelFunc
}

func newTown(t *testing.T, chs ...ChannelConfig) *town {
	x := &town{t: t, store: recordtest.NewModel(record.NewChain([32]byte{1})), now: noon, ears: map[string]*ear{}, chs: chs}
	if len(chs) == 0 {
		x.chs = []ChannelConfig{{Name: "zh", Config: channel.Config{Lang: "zh"}}, {Name: "en", Config: channel.Config{Lang: "en"}}}
	}
	for _, c := range x.chs {
		x.ears[c.Name] = &ear{}
	}
	x.start()
	return x
}

// start begins, or begins again after a kill: nothing but the store is left.
func (x *town) start() {
	x.t.Helper()
	texts, err := message.Load(rules.FS, "messages")
	if err != nil {
		x.t.Fatal(err)
	}
	var opened []Opened
	for _, c := range x.chs {
		c.DigestOver, c.Burst = new(int), 50
		*c.DigestOver = 100
		opened = append(opened, Opened{c, x.ears[c.Name]})
	}
	now := func() time.Time { return x.now }
	lanes, err := Lanes(opened, texts, "https://xiezhi.example.com/", time.UTC)
	if err != nil {
		x.t.Fatal(err)
	}
	if x.box, err = outbox.Open(x.t.Context(), outbox.Config{Store: x.store, Now: now, Random: &x.random, Lanes: lanes}); err != nil {
		x.t.Fatal(err)
	}
	x.watch, err = New(x.t.Context(), Config{Store: x.store, Box: x.box, Messages: texts, Channels: opened, Now: now,
		Parts: func(context.Context) []Part { return x.parts }, Surge: func(context.Context) (Surge, error) { return x.surge, nil }})
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *town) put(kind record.Kind, id, site string, body any) {
	x.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		x.t.Fatal(err)
	}
	x.rev++
	r := record.Record{Kind: kind, ID: id, Rev: x.rev, Site: site, First: x.now, Last: x.now, Body: b}
	if _, err := x.store.Write(x.t.Context(), record.Batch{Put: []record.Record{r}}); err != nil {
		x.t.Fatal(err)
	}
	x.watch.Consider([]record.Record{r})
}

// pass lets time pass, and gives what the English ear heard meanwhile.
func (x *town) pass(d time.Duration) string {
	x.t.Helper()
	for end := x.now.Add(d); x.now.Before(end); x.now = x.now.Add(5 * time.Second) {
		if err := x.watch.Turn(x.t.Context()); err != nil {
			x.t.Fatal(err)
		}
		x.deliver()
	}
	return x.heard()
}

func (x *town) deliver() {
	for range 50 {
		if x.box.Step(x.t.Context()) {
			return
		}
	}
}

func (x *town) heard() string {
	var out []string
	for _, c := range x.chs {
		e := x.ears[c.Name]
		if c.Lang == "en" {
			for _, m := range e.heard {
				out = append(out, m.Title)
			}
		}
		e.heard = nil
	}
	return strings.Join(out, " | ")
}

func gang(requests uint64, sites ...string) finding.Campaign {
	return finding.Campaign{ID: "c1", Name: "G-3F2A", Sites: sites, Kinds: []string{"credential_stuffing"}, Attacks: []string{"a1", "a2"}, Requests: requests, FirstSeen: noon, LastSeen: noon.Add(time.Hour),
		Reason: message.Text{Zh: "同一团伙攻击了 shop。", En: "One gang attacked shop."}}
}

func TestCampaignsByLadder(t *testing.T) {
	x := newTown(t)
	x.pass(time.Minute)
	step := func(c finding.Campaign, want string) {
		t.Helper()
		x.put(record.Campaign, c.ID, "", &c)
		if got := x.pass(time.Minute); got != want {
			t.Errorf("%+v gives %q, want %q", c, got, want)
		}
	}
	c := gang(100, "shop")
	step(c, "Gang attack found: G-3F2A, credential stuffing on shop")
	c.Requests = 900
	step(c, "")
	c.Requests = 1000
	step(c, "Gang G-3F2A got worse: it grew to 1,000 requests")
	c.Sites, c.Succeeded = []string{"shop", "bank"}, 3
	step(c, "Gang G-3F2A got worse: it begins to succeed, it reached 2 sites")
	c.SubjectsExposed = 5
	step(c, "Gang G-3F2A got worse: data of 5 people got out")
	c.SubjectsExposed = 49
	step(c, "")
	c.SubjectsExposed = 50
	step(c, "Gang G-3F2A got worse: data of 50 people got out")
	x.start() // and nothing of it again after a restart
	if got := x.pass(time.Minute); got != "" {
		t.Errorf("after a restart: %q", got)
	}
}

// TestSettles: what grows within half a minute is told once, as it is then.
func TestSettles(t *testing.T) {
	x := newTown(t)
	x.pass(time.Minute)
	var got string
	for i := range uint64(4) {
		c := gang(100<<(3*i), "shop")
		x.put(record.Campaign, c.ID, "", &c)
		got += x.pass(5 * time.Second)
	}
	if got += x.pass(time.Minute); got != "Gang attack found: G-3F2A, credential stuffing on shop" {
		t.Errorf("it says %q", got)
	}
}

// TestWhatWasThereBefore is no news, neither is what ended days ago.
func TestWhatWasThereBefore(t *testing.T) {
	x := newTown(t)
	c := gang(100, "shop")
	x.put(record.Campaign, c.ID, "", &c)
	if got := x.pass(2 * time.Minute); got != "" {
		t.Errorf("what was there is told: %q", got)
	}
	old := gang(100, "shop")
	old.ID, old.LastSeen = "c2", noon.Add(-72*time.Hour)
	x.put(record.Campaign, old.ID, "", &old)
	if got := x.pass(2 * time.Minute); got != "" {
		t.Errorf("history is told: %q", got)
	}
}

// TestKilledAnywhere: a campaign that came while nothing ran is told; killed
// between deciding and sending, it is sent once more, with the same id.
func TestKilledAnywhere(t *testing.T) {
	x := newTown(t)
	x.pass(time.Minute)
	c := gang(100, "shop")
	x.put(record.Campaign, c.ID, "", &c)
	x.start() // killed before anybody looked
	x.ears["en"].fail, x.ears["zh"].fail = fmt.Errorf("down"), fmt.Errorf("down")
	x.pass(time.Minute) // decided, not sent
	x.start()
	x.ears["en"].fail, x.ears["zh"].fail = nil, nil
	if got := x.pass(3 * time.Minute); got != "Gang attack found: G-3F2A, credential stuffing on shop" {
		t.Errorf("it says %q", got)
	}
	if n, err := x.store.Count(t.Context(), record.Query{Kind: record.Outgoing}); err != nil || n != 0 {
		t.Errorf("%d are left, %v", n, err)
	}
}

// TestUnreadable: a record that makes no sense holds up no other.
func TestUnreadable(t *testing.T) {
	x := newTown(t)
	x.pass(time.Minute)
	x.put(record.Campaign, "bad", "", map[string]any{"requests": "many"})
	x.put(record.Defect, "bad", "", map[string]any{"severity": 7})
	c := gang(100, "shop")
	x.put(record.Campaign, c.ID, "", &c)
	if got := x.pass(time.Minute); got != "Gang attack found: G-3F2A, credential stuffing on shop" {
		t.Errorf("it says %q", got)
	}
}

func TestDefects(t *testing.T) {
	x := newTown(t)
	x.put(record.API, "api1", "shop", &finding.API{ID: "api1", Site: "shop", Host: "shop.example.com", Method: "GET", Template: "/orders/{id}"})
	x.pass(time.Minute)
	d := finding.Defect{ID: "d1", Kind: "unauthenticated_sensitive", API: "api1", Severity: "high", Status: "confirmed", FirstSeen: noon, LastSeen: noon, Advice: message.Text{Zh: "加鉴权", En: "Ask who it is."}}
	step := func(status, severity, want string) {
		t.Helper()
		d.Status, d.Severity = status, severity
		x.put(record.Defect, d.ID, "shop", &d)
		if got := x.pass(time.Minute); got != want {
			t.Errorf("%s %s gives %q, want %q", status, severity, got, want)
		}
	}
	const critical, back = "New critical defect on shop: sensitive data without authentication", "A fixed defect is back on shop: sensitive data without authentication"
	step("confirmed", "high", "")
	step("probable", "critical", "")
	step("confirmed", "critical", critical)
	step("confirmed", "high", "")
	step("confirmed", "critical", "")
	step("fixed", "critical", "")
	step("regressed", "critical", back)
	step("regressed", "critical", "")
	step("fixed", "critical", "")
	step("regressed", "critical", back)
	step("accepted_risk", "critical", "")
}

func TestTrouble(t *testing.T) {
	x := newTown(t)
	x.parts = []Part{{Name: "stream"}, {Name: "sensor edge-1"}}
	if got := x.pass(5 * time.Minute); got != "" {
		t.Errorf("all is well, and it says %q", got)
	}
	x.parts[1].Bad, x.parts[1].Text = true, message.Text{Zh: "无消息", En: "Nothing was heard of it."}
	if got := x.pass(30 * time.Second); got != "" {
		t.Errorf("too soon: %q", got)
	}
	if got := x.pass(2 * time.Minute); got != "Trouble in operation: sensor edge-1" {
		t.Errorf("it says %q", got)
	}
	x.start()
	if got := x.pass(10 * time.Minute); got != "" {
		t.Errorf("said again: %q", got)
	}
	x.parts[1].Bad = false
	if got := x.pass(5 * time.Minute); got != "Works again: sensor edge-1" {
		t.Errorf("it says %q", got)
	}
	for range 10 { // it comes and goes
		x.parts[1].Bad = !x.parts[1].Bad
		if got := x.pass(3 * time.Minute); got != "" {
			t.Errorf("it flaps, and that is told: %q", got)
		}
	}
	x.parts[1].Bad = true
	if got := x.pass(15 * time.Minute); got != "Trouble in operation: sensor edge-1" {
		t.Errorf("it says %q", got)
	}
}

func TestSurges(t *testing.T) {
	x := newTown(t)
	x.surge = Surge{On: true, From: noon, Requests: 90, Usual: 10}
	if got := x.pass(10 * time.Minute); got != "Attack traffic surges: 90 attack requests in 15 minutes" {
		t.Errorf("it says %q", got)
	}
	x.surge.Requests = 1000
	if got := x.pass(10 * time.Minute); got != "Attack traffic goes on rising: 1,000 attack requests in 15 minutes" {
		t.Errorf("it says %q", got)
	}
	x.surge.On = false
	x.pass(10 * time.Minute)
	x.surge.On = true
	if got := x.pass(10 * time.Minute); got != "" {
		t.Errorf("the same surge, and it says %q", got)
	}
	x.surge.On = false
	x.pass(40 * time.Minute)
	x.surge = Surge{On: true, From: noon, Requests: 60}
	if got := x.pass(10 * time.Minute); got != "Attack traffic surges: 60 attack requests in 15 minutes" {
		t.Errorf("it says %q", got)
	}
}

// TestWhoIsTold: channels choose families and sites.
func TestWhoIsTold(t *testing.T) {
	lang := channel.Config{Lang: "en"}
	x := newTown(t, ChannelConfig{Name: "all", Config: lang}, ChannelConfig{Name: "surges", Config: lang, Tell: []string{Surges}}, ChannelConfig{Name: "bank", Config: lang, Sites: []string{"bank"}})
	x.pass(time.Minute)
	c := gang(100, "shop")
	x.put(record.Campaign, c.ID, "", &c)
	for range 12 {
		if err := x.watch.Turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		x.deliver()
		x.now = x.now.Add(5 * time.Second)
	}
	if len(x.ears["all"].heard) != 1 || len(x.ears["surges"].heard) != 0 || len(x.ears["bank"].heard) != 0 {
		t.Errorf("%d, %d, %d", len(x.ears["all"].heard), len(x.ears["surges"].heard), len(x.ears["bank"].heard))
	}
}

// TestWords: what a channel says, in both languages, as people read it.
func TestWords(t *testing.T) {
	x := newTown(t)
	x.pass(time.Minute)
	c := gang(100, "shop")
	c.Sites, c.Reason = []string{"shop"}, message.Text{Zh: "团伙\u202e攻击 http://evil.example", En: "a gang\nhttp://evil.example"}
	x.put(record.Campaign, c.ID, "", &c)
	for range 12 {
		if err := x.watch.Turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		x.deliver()
		x.now = x.now.Add(5 * time.Second)
	}
	zh, en := x.ears["zh"].heard[0], x.ears["en"].heard[0]
	if zh.Title != "发现团伙攻击 G-3F2A：撞库，shop" || zh.Brand != "獬豸" || zh.LinkText != "在控制台查看" || zh.Link != "https://xiezhi.example.com/attacks/campaigns/c1" {
		t.Errorf("%+v", zh)
	}
	if zh.Reason != `团伙\u{202e}攻击 http[:]//evil.example` || en.Reason != `a gang\u{a}http[:]//evil.example` {
		t.Errorf("%q, %q", zh.Reason, en.Reason)
	}
	if en.Facts[0] != (channel.Fact{Name: "When", Value: "2026-11-27 12:00 to 2026-11-27 13:00 (UTC+00:00)"}) {
		t.Errorf("%+v", en.Facts)
	}
	if zh.ID == "" || zh.ID == en.ID {
		t.Errorf("ids %q and %q", zh.ID, en.ID)
	}
}

func TestDigest(t *testing.T) {
	texts, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	v := voice{texts: texts, public: "https://x.example"}
	var items []outbox.Item
	for i := range 30 {
		n := Notice{Kind: "campaign.new", Severity: []string{Info, Warning, Critical}[i%3], Title: same(fmt.Sprint("notice ", i)), Path: "/a", At: noon}
		x, err := item(&n, "ops")
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, x)
	}
	got, err := v.join(items)
	if err != nil {
		t.Fatal(err)
	}
	var n Notice
	if err := json.Unmarshal(got.Body, &n); err != nil {
		t.Fatal(err)
	}
	if n.Title.En != "30 notifications in one" || n.Severity != Critical || !got.Urgent || len(n.Lines) != maxLines+1 || n.Lines[maxLines].Title.Zh != "另有 10 条，请在控制台查看。" {
		t.Errorf("%+v", n)
	}
}

func TestConfig(t *testing.T) {
	ok := channel.Config{Type: channel.Slack, URL: "https://x.example"}
	for want, c := range map[string]FileConfig{
		"public_url":       {PublicURL: "javascript:alert(1)"},
		"allow":            {Allow: []string{"10.0.0.0/8"}},
		"use 1 to 40":      {Channels: []ChannelConfig{{Name: "A B", Config: ok}}},
		"two channels":     {Channels: []ChannelConfig{{Name: "a", Config: ok}, {Name: "a", Config: ok}}},
		"tell: \"events\"": {Channels: []ChannelConfig{{Name: "a", Config: ok, Tell: []string{"events"}}}},
		"per_minute":       {Channels: []ChannelConfig{{Name: "a", Config: ok, PerMinute: 1e6}}},
		"no time such":     {Channels: []ChannelConfig{{Name: "a", Config: ok, Quiet: &Quiet{From: "25:00", To: "07:00"}}}},
		"the same time":    {Channels: []ChannelConfig{{Name: "a", Config: ok, Quiet: &Quiet{From: "07:00", To: "07:00"}}}},
		"Mars":             {Channels: []ChannelConfig{{Name: "a", Config: ok, Quiet: &Quiet{From: "22:00", To: "07:00", Zone: "Mars/Base"}}}},
		"at most 16":       {Channels: make([]ChannelConfig, 17)},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v, want %q", c, err, want)
		}
	}
}
