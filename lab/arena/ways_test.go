package arena_test

import (
	"testing"

	"xiezhi/internal/taxonomy"
	"xiezhi/lab/arena"
	"xiezhi/lab/arena/gang"
	"xiezhi/lab/arena/knob"
	"xiezhi/lab/stage"
)

// homes is where each way of an attack can be played.
var homes = map[string]string{"check": "loan", "login": "game", "friend": "social", "bombing": "parking", "pumping": "ticket", "claim": "mall", "invite": "game", "contact": "lodging", "profile_card": "social",
	"progress": "card", "view": "social", "like": "social", "follow": "social", "vote": "collectible", "comment": "social", "bin": "mall", "cvv": "ticket", "members": "mall", "staff": "government", "search": "mall", "checkin": "collectible"}

// TestEveryWay plays every kind in every way it has, easy and whole.
func TestEveryWay(t *testing.T) {
	if testing.Short() {
		t.Skip("plays some sixty small matches")
	}
	for _, kind := range arena.Kinds() {
		ways := gang.Ways[string(kind)]
		if ways == nil {
			ways = []string{""}
		}
		for _, way := range ways {
			for _, flow := range []float64{0, 1} {
				k := plain()
				k.Flow, k.Captcha, k.Budget, k.PerMinute, k.HitRate = flow, knob.Humans, 40, 2, .5
				m := single(2, string(kind), home(kind, way), k)
				m.Campaigns[0].Moves[0].Way = way
				m.Visits, m.Days, m.Warm = 5, 1, 8
				n, beside := 0, 0
				play(t, m, func(e *stage.Event) {
					switch {
					case e.Label.Attack != "" && e.Label.Kind == string(kind):
						n++
					case e.Label.Campaign != "":
						beside++
					}
				})
				if n < 8 {
					t.Errorf("%s by %q with a flow of %v: %d attack requests, %d beside", kind, way, flow, n, beside)
				}
			}
		}
	}
}

// home finds an application for a way.
func home(kind taxonomy.AttackKind, way string) string {
	for _, trade := range append([]string{homes[way]}, arena.Trades...) {
		m := single(1, string(kind), trade, plain())
		if m.Check() == nil {
			return trade
		}
	}
	return ""
}
