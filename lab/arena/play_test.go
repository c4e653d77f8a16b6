package arena_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/lab/arena"
	"xiezhi/lab/arena/knob"
	"xiezhi/lab/stage"
	"xiezhi/lab/truth"
)

func play(t *testing.T, m arena.Match, each func(*stage.Event)) *truth.Truth {
	t.Helper()
	tr, err := arena.Play(context.Background(), m, func(e *stage.Event) error { each(e); return nil })
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	return tr
}

func TestSameMatchSameBytes(t *testing.T) {
	var sums [3]string
	for i, seed := range []uint64{4, 4, 5} {
		h := sha256.New()
		var enc exchange.HAREncoder
		m := arena.Matches([]uint64{seed})[0]
		play(t, m, func(e *stage.Event) {
			h.Write(enc.Append(nil, e.Exchange))
			fmt.Fprint(h, e.Label, e.Blocked, e.Gained)
		})
		sums[i] = fmt.Sprintf("%x", h.Sum(nil))
	}
	if sums[0] != sums[1] {
		t.Error("the same match gave different bytes")
	}
	if sums[0] == sums[2] {
		t.Error("another match gave the same bytes")
	}
}

// TestBoard plays a board of twelve seeds, every kind at every difficulty
// once, and holds labels against truth and matches.
func TestBoard(t *testing.T) {
	seeds := arena.Seeds(12)
	if testing.Short() {
		seeds = seeds[:2]
	}
	for _, m := range arena.Matches(seeds) {
		attacks, support, event := map[string]uint64{}, map[string]uint64{}, map[string]uint64{}
		kinds := map[string]map[string]bool{}
		n, last := 0, int64(0)
		tr := play(t, m, func(e *stage.Event) {
			n++
			if e.Exchange.Start < last {
				t.Fatalf("%s: exchanges out of order", m.Name)
			}
			last = e.Exchange.Start
			if !strings.HasSuffix(e.App.Host, ".example") {
				t.Fatalf("host %s could be somebody's", e.App.Host)
			}
			l := e.Label
			switch {
			case l.Attack != "":
				attacks[l.Campaign]++
				if kinds[l.Campaign] == nil {
					kinds[l.Campaign] = map[string]bool{}
				}
				kinds[l.Campaign][l.Kind] = true
			case l.Campaign != "":
				support[l.Campaign]++
			}
			if l.Event != "" {
				event[l.Event]++
			}
			if l.Campaign != "" {
				if l.Event != "" {
					t.Fatalf("%s: %+v is of an attacker and of an honest event", m.Name, l)
				}
				if at := time.Unix(0, e.Exchange.Start); at.Before(m.Start.Add(time.Duration(m.Warm)*time.Hour - 40*time.Minute)) {
					t.Fatalf("%s: %s at %v, in the warm-up", m.Name, l.Campaign, at)
				}
			}
		})
		if n < 20_000 || n > 65_000 {
			t.Errorf("%s: %d exchanges", m.Name, n)
		}
		for _, c := range m.Campaigns {
			if a := int(attacks[c.ID]); a < 24 || a > c.Knobs.Budget*2+100 {
				t.Errorf("%s %s %s: %d attack requests of a budget of %d", m.Name, c.ID, c.Family, a, c.Knobs.Budget)
			}
			for _, v := range c.Moves {
				if !kinds[c.ID][string(v.Kind)] {
					t.Errorf("%s %s %s: nothing of %s", m.Name, c.ID, c.Family, v.Kind)
				}
			}
		}
		for _, e := range m.Spec.Events {
			if event[e.Name] < 20 {
				t.Errorf("%s: %s has %d exchanges", m.Name, e.Name, event[e.Name])
			}
		}
		if len(tr.Campaigns) != len(m.Campaigns) {
			t.Errorf("%s: %d campaigns in the truth, %d in the match", m.Name, len(tr.Campaigns), len(m.Campaigns))
		}
		for _, c := range tr.Campaigns {
			if c.Requests != attacks[c.ID] || c.Support != support[c.ID] || c.Family == "" || c.Difficulty == "" || c.Knobs == nil {
				t.Errorf("%s: truth %+v, labels %d and %d", m.Name, c, attacks[c.ID], support[c.ID])
			}
		}
	}
}

func TestPlayEndsWhenToldTo(t *testing.T) {
	m := arena.Matches([]uint64{1})[0]
	full := errors.New("disk full")
	if _, err := arena.Play(context.Background(), m, func(*stage.Event) error { return full }); !errors.Is(err, full) {
		t.Errorf("failing sink: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := arena.Play(ctx, m, func(*stage.Event) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestSensorsAreBlind(t *testing.T) {
	for _, s := range []arena.Sensor{arena.SeesAll, arena.NoTLS, arena.NoBodies, arena.NoResponse} {
		m := single(1, "account_scanning", "loan", plain())
		m.Sensor, m.Days, m.Warm = s, 1, 6
		ja4, request, response, order := 0, 0, 0, 0
		play(t, m, func(e *stage.Event) {
			x := e.Exchange
			ja4 += len(x.JA4)
			request += len(x.Request.Body)
			response += len(x.Response.Body)
			if x.Caps&exchange.CapHeaderOrder != 0 {
				order++
			}
		})
		for what, got := range map[string][2]bool{"JA4": {ja4 > 0, s != arena.NoTLS}, "order": {order > 0, s != arena.NoTLS}, "request bodies": {request > 0, s != arena.NoBodies},
			"response bodies": {response > 0, s == arena.SeesAll || s == arena.NoTLS}} {
			if got[0] != got[1] {
				t.Errorf("%s: %s seen: %v", s, what, got[0])
			}
		}
	}
}

// TestPublicIsRealistic looks at a match without any attack.
func TestPublicIsRealistic(t *testing.T) {
	m := arena.Match{Seed: 11, Spec: arena.Spec{Name: "calm", Start: start, Days: 3, Visits: 150, Sites: []string{"mall", "social", "card"}, Sensor: arena.SeesAll}}
	night, evening, logins, failed, missing, codes, n := 0, 0, 0, 0, 0, 0, 0
	behind := map[netip.Addr]map[string]bool{}
	agents, prints, posts := map[string]bool{}, map[string]bool{}, map[string]int{}
	tr := play(t, m, func(e *stage.Event) {
		n++
		if e.Label.Attack != "" || e.Label.Campaign != "" || e.Label.Event != "" {
			t.Fatalf("label %+v in a match without attacks", e.Label)
		}
		switch time.Unix(0, e.Exchange.Start).In(arena.Zone()).Hour() {
		case 3, 4:
			night++
		case 20, 21:
			evening++
		}
		from := e.Exchange.Client.Addr()
		if behind[from] == nil {
			behind[from] = map[string]bool{}
		}
		behind[from][e.Label.Actor] = true
		agents[e.Label.Actor], prints[string(e.Exchange.JA4)] = true, true
		if e.API == nil || e.Exchange.Status == 404 {
			missing++
		}
		if e.API != nil {
			posts[e.API.Name]++
			switch e.API.Name {
			case "login":
				logins++
				if e.Gained == 0 {
					failed++
				}
			case "send_code":
				codes++
			}
		}
	})
	if tr.Honest != uint64(n) {
		t.Errorf("%d honest exchanges of %d", tr.Honest, n)
	}
	if night*4 > evening {
		t.Errorf("%d exchanges at night, %d in the evening", night, evening)
	}
	if f := float64(failed) / float64(logins); f < .05 || f > .45 {
		t.Errorf("%.2f of %d honest sign-ins fail", f, logins)
	}
	if missing < 3 || missing*10 > n {
		t.Errorf("%d of %d exchanges find nothing", missing, n)
	}
	most := 0
	for _, who := range behind {
		most = max(most, len(who))
	}
	if most < 15 {
		t.Errorf("at most %d people behind an address", most)
	}
	if len(prints) < 8 {
		t.Errorf("%d handshakes", len(prints))
	}
	for _, op := range []string{"home", "asset", "track", "puzzle", "register", "claim", "grab", "pay_card", "like", "view", "friend", "progress", "customer", "bulk", "checkin", "search"} {
		if posts[op] == 0 {
			t.Errorf("nobody calls %s: %v", op, posts)
		}
	}
}

var start = time.Date(2024, 4, 2, 0, 0, 0, 0, arena.Zone())

// plain is a campaign in the open, to turn knobs of.
func plain() knob.Knobs {
	return knob.Knobs{AddressesPerRequest: 0, Networks: []knob.Network{knob.DataCentre}, Fingerprint: knob.FixedTool, Parameters: knob.OwnParams, Rate: knob.Steady, PerMinute: 3,
		Order: knob.Sequential, HitRate: .1, Captcha: knob.NoCaptcha, Budget: 240}
}

// single is a match with one campaign.
func single(seed uint64, kind, trade string, k knob.Knobs) arena.Match {
	return arena.Match{Seed: seed, Spec: arena.Spec{Name: kind, Start: start, Days: 2, Warm: 20, Visits: 60, Sites: []string{trade}, Sensor: arena.SeesAll,
		Campaigns: []arena.Campaign{{ID: "gang", Family: "test", Difficulty: knob.Easy, Knobs: k, Moves: []arena.Move{{Kind: arenaKind(kind), Site: 0}}}}}}
}
