package board

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/exchange"
	"xiezhi/internal/message"
	"xiezhi/lab/arena"
	"xiezhi/lab/arena/knob"
	"xiezhi/lab/score/measure"
	"xiezhi/lab/score/rival"
	"xiezhi/rules"
)

// sample is a game that can be counted by hand: gang a made one attack and was
// found, gang b two and only half of the first was, gang m is a mimic.
func sample() *Record {
	return &Record{
		Game: "one", Seed: 1, Sensor: "all", Sites: 2, Days: 7, Exchanges: 1048, Benign: 1000, Support: 3,
		Gangs: []Gang{
			{ID: "a", Family: "rented_script", Difficulty: knob.Easy, Kind: "account_scanning", Knobs: knob.Knobs{Order: knob.Sequential}},
			{ID: "b", Family: "slow_drip", Difficulty: knob.Hard, Kind: "scraping", Knobs: knob.Knobs{AddressesPerRequest: 1, Order: knob.Random}},
			{ID: "m", Family: "majority_list", Difficulty: knob.Mimic, Kind: "bot"},
		},
		Attacks: []Attack{{}, {ID: "a1", Kind: "account_scanning", Gang: 0, Requests: 10}, {ID: "b1", Kind: "scraping", Gang: 1, Requests: 20}, {ID: "b2", Kind: "scraping", Gang: 1, Requests: 10}, {ID: "m1", Kind: "bot", Gang: 2, Requests: 5}},
		Events:  []Event{{}, {Name: "flash_sale", Exchanges: 10}},
		Plain: View{
			Reports: []Reported{{ID: "r0", Kind: "account_scanning", Verdict: "likely", Score: 5, Campaign: 0}, {ID: "r1", Kind: "bot", Verdict: "confirmed", Score: 9, Campaign: 1},
				{ID: "r2", Kind: "bot", Verdict: "likely", Score: 3, Campaign: 2}, {ID: "r3", Kind: "flood", Verdict: "suspicious", Score: 1, Campaign: 3}},
			Groups: []Group{{Attack: support, In: []int{0}, N: 3}, {Attack: honest, N: 990}, {Attack: honest, In: []int{3}, N: 6}, {Attack: honest, Event: 1, In: []int{2}, N: 4}, {Attack: honest, Event: 1, N: 0},
				{Attack: 1, N: 2}, {Attack: 1, In: []int{0}, N: 8}, {Attack: 2, N: 8}, {Attack: 2, In: []int{1}, N: 12}, {Attack: 3, N: 10}, {Attack: 4, N: 4}, {Attack: 4, In: []int{2}, N: 1}},
			Found: []Found{{}, {Probes: 4, GangProbes: 4, After: time.Minute, Gained: 2}, {Probes: 9, GangProbes: 9, After: time.Hour}, {}, {Probes: 5}},
		},
		Blind: View{Found: make([]Found, 5)}, Buckets: View{Found: make([]Found, 5)},
	}
}

func TestFiguresByHand(t *testing.T) {
	f := Sum([]*Record{sample()}, plain, choice{counts: open})
	share := func(what string, got measure.Share, hit, of float64) {
		t.Helper()
		if got.Hit != hit || got.Of != of {
			t.Errorf("%s: %v of %v, want %v of %v", what, got.Hit, got.Of, hit, of)
		}
	}
	area := func(what string, got Number, want float64) {
		t.Helper()
		if math.Abs(float64(got)-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	share("request recall", f.Request.Recall, 20, 40)
	share("request precision", f.Request.Precision, 20, 24)
	area("request PR-AUC", f.Request.AP, 12.0/40+8.0/40)
	share("named recall", f.Named.Recall, 8, 40) // the scraping was called a bot
	share("false requests", f.FalseRequests, 4, 1000)
	share("attack recall", f.Cohort.Recall, 2, 3)
	share("attack precision", f.Cohort.Precision, 2, 3) // r2 holds four of the public and one of an attack that does not count
	area("attack PR-AUC", f.Cohort.AP, 2.0/3)
	share("campaign recall", f.Campaign.Recall, 1, 2) // 12 of the 30 requests of b
	share("campaign precision", f.Campaign.Precision, 2, 3)
	area("campaign PR-AUC", f.Campaign.AP, 0.5)
	if f.FalseAttacks != (measure.Rate{Events: 1, Over: 14}) || f.FalseCampaign != (measure.Rate{Events: 1, Over: 2}) {
		t.Errorf("false attacks %+v, campaigns %+v", f.FalseAttacks, f.FalseCampaign)
	}
	area("purity", f.Purity, 1)
	area("completeness", f.Completeness, 1)
	if !slices.Equal(f.Probes, []float64{4, 9}) || !slices.Equal(f.Lost, []float64{2, 0}) || f.NeverFound != 1 || !slices.Equal(f.GangProbes, []float64{4, 9}) {
		t.Errorf("probes %v, lost %v, never %d, of gangs %v", f.Probes, f.Lost, f.NeverFound, f.GangProbes)
	}

	// The mimic's own row: one of five requests, in a report that is not about it.
	f = Sum([]*Record{sample()}, plain, choice{counts: mimic})
	share("mimic's request recall", f.Request.Recall, 1, 5)
	share("mimic's campaign recall", f.Campaign.Recall, 0, 1)

	// Of one kind: what is said of the public counts only where it is that kind.
	f = Sum([]*Record{sample()}, plain, choice{kind: "account_scanning", counts: func(_ *Record, a *Attack) bool { return a.Kind == "account_scanning" }})
	share("precision of the scan", f.Request.Precision, 8, 8)
	share("false reports of it", f.Cohort.Precision, 1, 1)
}

func TestTwoGangsInOneReportAreImpure(t *testing.T) {
	r := sample()
	r.Plain.Reports[1].Campaign = 0
	f := Sum([]*Record{r}, plain, choice{counts: open})
	if f.Purity != 0.5 || f.Completeness != 1 {
		t.Errorf("purity %v, completeness %v", f.Purity, f.Completeness)
	}
}

// TestClock finds an attack from its 25th request on: the clock looks at the
// first ten, then at 11 to 20, 22, 24, 26.
func TestClock(t *testing.T) {
	r := &Record{Gangs: make([]Gang, 1), Attacks: []Attack{{}, {Gang: 0}, {Gang: 0}}}
	l := &labels{}
	for i := range 200 {
		a := int16(honest)
		switch i % 4 {
		case 1:
			a = 1
		case 3:
			a = 2
		}
		l.attack, l.event, l.gained, l.end = append(l.attack, a), append(l.event, 0), append(l.gained, 3), append(l.end, int64(i)*int64(time.Second))
	}
	c := newClock(r, l)
	var looked []int
	of := map[int]int{}
	for i := range l.attack {
		id := fmt.Sprintf("x%d", i)
		a := int(l.attack[i])
		of[a]++
		if !c.due(id) {
			continue
		}
		if a == 1 {
			looked = append(looked, of[a])
		}
		if a == 1 && of[a] >= 25 {
			c.look(id, []engine.Hit{{Attack: "r", Kind: "bot"}})
		} else {
			c.look(id, nil)
		}
	}
	if want := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 24, 26}; !slices.Equal(looked, want) {
		t.Errorf("looked at %v, want %v", looked, want)
	}
	// The 26th request of attack 1 is exchange 101; its gang has made 25 of attack 2 as well.
	if want := (Found{Probes: 26, GangProbes: 51, After: 100 * time.Second, GangAfter: 100 * time.Second, Gained: 78}); c.found[1] != want {
		t.Errorf("%+v, want %+v", c.found[1], want)
	}
	if c.found[2] != (Found{}) {
		t.Errorf("an attack that was never seen is %+v", c.found[2])
	}
}

// TestUnseen hides where an exchange comes from and nothing else.
func TestUnseen(t *testing.T) {
	x := &exchange.Exchange{ID: []byte("x1"), Client: netip.MustParseAddrPort("192.0.2.7:4711"), Caps: exchange.CapWire, JA4: []byte("t13d")}
	for _, h := range []string{"Host", "X-Forwarded-For", "x-real-ip", "Accept", "Forwarded", "User-Agent"} {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: []byte(h), Value: []byte("192.0.2.7")})
	}
	unseen(x)
	var names []string
	for _, f := range x.Request.Header {
		names = append(names, string(f.Name))
	}
	if x.Client.IsValid() || x.Caps&exchange.CapClientAddr != 0 || !slices.Equal(names, []string{"Host", "Accept", "User-Agent"}) {
		t.Errorf("client %v, caps %b, headers %v", x.Client, x.Caps, names)
	}
	if string(x.ID) != "x1" || string(x.JA4) != "t13d" || x.Caps&exchange.CapHeaderOrder == 0 {
		t.Errorf("more than the address is gone: %+v", x)
	}
}

func TestBucketsAreReports(t *testing.T) {
	r := &Record{Gangs: make([]Gang, 1), Attacks: []Attack{{}, {Gang: 0}}}
	l := &labels{attack: []int16{1, 0, 1, 1, 1}, event: make([]int16, 5), gained: []uint16{1, 1, 1, 1, 1}, end: []int64{10, 20, 30, 40, 50}}
	v := bucketView(r, l, []rival.Alert{{Rule: "http-generic-bf", At: 40, Over: []int32{0, 2, 3, 4}}})
	want := []Group{{Attack: 0, N: 1}, {Attack: 1, In: []int{0}, N: 4}}
	if !reflect.DeepEqual(v.Groups, want) {
		t.Errorf("%+v, want %+v", v.Groups, want)
	}
	if want := (Found{Probes: 3, GangProbes: 3, After: 30, GangAfter: 30, Gained: 3}); v.Found[1] != want {
		t.Errorf("%+v, want %+v", v.Found[1], want)
	}
}

// TestPlaces refuses what would be counted for another report or for none.
func TestPlaces(t *testing.T) {
	v := &View{Reports: []Reported{{ID: "a"}, {ID: "b"}}}
	in, err := v.places(map[int32][]string{2: {"b", "a"}, 0: {"b"}}, 3)
	if want := map[int32][]int{2: {1, 0}, 0: {1}}; err != nil || !reflect.DeepEqual(in, want) {
		t.Errorf("%v, %v, want %v", in, err, want)
	}
	for what, hits := range map[string]map[int32][]string{"a report that is not there": {1: {"c"}}, "an exchange after the last": {3: {"a"}}, "a name that is no number": {-1: {"a"}}} {
		if in, err := v.places(hits, 3); err == nil {
			t.Errorf("%s gives %v", what, in)
		}
	}
}

func TestBars(t *testing.T) {
	b := Make([]*Record{sample()})
	met := map[string]bool{}
	for _, x := range b.Bars {
		met[x.ID] = x.Met
	}
	want := map[string]bool{"campaigns": false, "seeds": false, "campaign_precision": false, "campaign_recall": false, "campaign_recall_one_request_per_address": false,
		"campaign_recall_ip_blind": false, "false_per_million": false, "false_campaigns_per_site_week": true, "probes_block_sweep": true, "probes_random_sweep": false, "accounts_stuffing": false}
	if !reflect.DeepEqual(met, want) {
		t.Errorf("%v, want %v", met, want)
	}
	for _, x := range b.Bars {
		if x.ID == "accounts_stuffing" && x.Of != 0 {
			t.Errorf("a bar that nothing was played for: %+v", x)
		}
	}
	// Nine of ten in time; the tenth never.
	f := &Figures{Probes: []float64{10, 20, 30, 40, 50, 50, 50, 50, 50}, NeverFound: 1}
	if x := late("x", 50, f); !x.Met || x.Value != 50 || x.Kept.Hit != 9 || x.Kept.Of != 10 {
		t.Errorf("%+v", x)
	}
	f.Probes[0] = 51
	if x := late("x", 50, f); x.Met || x.Value != 51 {
		t.Errorf("%+v", x)
	}
	f.NeverFound = 3
	if x := late("x", 50, f); x.Met || !math.IsInf(float64(x.Value), 1) {
		t.Errorf("%+v", x)
	}
}

// TestTexts writes a board in both languages, for people and as JSON.
func TestTexts(t *testing.T) {
	msg, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	r := sample()
	b := Make([]*Record{r})
	var shape [2][]int
	for i, lang := range []string{"en", "zh"} {
		var out strings.Builder
		if err := b.Markdown(&out, msg, lang); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "score.") || strings.Contains(out.String(), "NaN") || strings.Contains(out.String(), "%!") {
			t.Errorf("%s: a text is missing:\n%s", lang, out.String())
		}
		for line := range strings.Lines(out.String()) {
			shape[i] = append(shape[i], strings.Count(line, "|")+100*strings.Count(line, "#"))
		}
	}
	if !slices.Equal(shape[0], shape[1]) {
		t.Errorf("the languages have different tables: %v, %v", shape[0], shape[1])
	}
	for _, m := range arena.Matches(arena.Seeds(60)) {
		ids := []string{"sensor." + string(m.Sensor)}
		for _, e := range m.Spec.Events {
			ids = append(ids, "event."+e.Name)
		}
		for i := range m.Campaigns {
			c := &m.Campaigns[i]
			ids = append(ids, "family."+c.Family)
			for _, k := range knobs {
				ids = append(ids, "knob."+k.name, "knob."+k.name+"."+k.of(&c.Knobs))
			}
		}
		for _, id := range ids {
			if !msg.Has("score." + id) {
				t.Fatalf("%s has no text", id)
			}
		}
	}
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var again Board
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatal(err)
	}
	var story strings.Builder
	if err := Misses(&story, []*Record{r}); err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"MISSED scraping hard/slow_drip", "bot confirmed 9.0: 12", "found as another kind scraping", "4 of the public, 1 of attacks", "flash_sale:4"} {
		if !strings.Contains(story.String(), w) {
			t.Errorf("the story does not say %q:\n%s", w, story.String())
		}
	}
}
