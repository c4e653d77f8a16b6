package board

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"xiezhi/internal/exchange"
	"xiezhi/lab/score/rival"
	"xiezhi/lab/stage"
	"xiezhi/lab/truth"
)

// Game is one play. Playing it twice gives the same events.
type Game struct {
	Name   string
	Seed   uint64
	Sensor string
	Sites  int
	Days   float64
	Gangs  []Gang
	Key    []byte // what the play depends on
	Play   func(ctx context.Context, sink stage.Sink) (*truth.Truth, error)
}

// labels are the truth about every exchange of a game, by its number.
type labels struct {
	attack []int16 // number, honest or support
	event  []int16
	gained []uint16
	end    []int64
}

// number gives the number of an exchange or observation by its id.
func number(id string) int32 {
	id, _, _ = strings.Cut(id, "~")
	n, err := strconv.ParseInt(strings.TrimPrefix(id, idPrefix), 10, 32)
	if err != nil {
		return -1
	}
	return int32(n)
}

// Exchanges are named by their number: no list of names is needed.
const idPrefix = "x"

func name(dst []byte, n int) []byte {
	return strconv.AppendInt(append(dst[:0], idPrefix...), int64(n), 10)
}

// survey plays a game for its labels, and lets the rivals watch.
func survey(ctx context.Context, g *Game) (*Record, *labels, *truth.Truth, error) {
	r := &Record{Game: g.Name, Seed: g.Seed, Sensor: g.Sensor, Sites: g.Sites, Days: g.Days, Gangs: g.Gangs, Attacks: make([]Attack, 1), Events: make([]Event, 1)}
	gangs := map[string]int{}
	for i := range r.Gangs {
		gangs[r.Gangs[i].ID] = i
	}
	l := &labels{}
	attacks, events := map[string]int{}, map[string]int{}
	buckets, windows := rival.NewBuckets(), rival.NewWindows()
	t, err := g.Play(ctx, func(e *stage.Event) error {
		if len(l.attack) >= MaxExchanges {
			return fmt.Errorf("%s: more than %d exchanges", g.Name, MaxExchanges)
		}
		a, v := honest, 0
		switch {
		case e.Label.Attack != "":
			if a = attacks[e.Label.Attack]; a == 0 {
				gang, ok := gangs[e.Label.Campaign]
				if !ok {
					return fmt.Errorf("%s: attack %s is of a gang that nobody named", g.Name, e.Label.Attack)
				}
				a = len(r.Attacks)
				attacks[e.Label.Attack] = a
				r.Attacks = append(r.Attacks, Attack{ID: e.Label.Attack, Kind: e.Label.Kind, Site: e.App.Name, Gang: gang})
			}
			r.Attacks[a].Requests++
			r.Attacks[a].Gained += e.Gained
		case e.Label.Campaign != "":
			a = support
			r.Support++
		default:
			r.Benign++
		}
		if e.Label.Event != "" {
			if v = events[e.Label.Event]; v == 0 {
				v = len(r.Events)
				events[e.Label.Event] = v
				r.Events = append(r.Events, Event{Name: e.Label.Event})
			}
			r.Events[v].Exchanges++
		}
		n := int32(len(l.attack))
		l.attack, l.event = append(l.attack, int16(a)), append(l.event, int16(v))
		l.gained, l.end = append(l.gained, uint16(min(max(e.Gained, 0), 1<<16-1))), append(l.end, e.Exchange.End)
		buckets.Observe(n, e.Exchange, denied(e))
		windows.Observe(e.Exchange, a, !e.OK)
		return nil
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if buckets.Lost > 0 {
		return nil, nil, nil, fmt.Errorf("%s: %d buckets found no room: the rival would be scored on less than it is given", g.Name, buckets.Lost)
	}
	r.Exchanges = len(l.attack)
	for i := range t.Attacks {
		if k := attacks[t.Attacks[i].ID]; k > 0 {
			a := &r.Attacks[k]
			a.Actors, a.First, a.Last = t.Attacks[i].Actors, t.Attacks[i].First, t.Attacks[i].Last
		}
	}
	r.Windows = windows.Table()
	r.Buckets = bucketView(r, l, buckets.Alerts())
	return r, l, t, nil
}

// denied reports whether an exchange was a sign-in that failed, however the
// application words it.
func denied(e *stage.Event) bool {
	return !e.OK && e.API != nil && strings.Contains(e.API.Name, "login")
}

// forwarding are the headers that say where a request comes from.
var forwarding = []string{"x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-original-forwarded-for"}

// unseen takes out of an exchange whatever says where it comes from.
func unseen(x *exchange.Exchange) {
	x.Client = netip.AddrPort{}
	x.Caps &^= exchange.CapClientAddr
	x.Request.Header = slices.DeleteFunc(x.Request.Header, func(f exchange.Field) bool {
		return slices.ContainsFunc(forwarding, func(name string) bool { return exchange.EqualFold(f.Name, name) })
	})
}
