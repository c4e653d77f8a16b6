package board

import (
	"context"
	"encoding/json"

	"xiezhi/lab/arena"
	"xiezhi/lab/stage"
	"xiezhi/lab/truth"
)

// Player plays a match of the arena; arena.Play is one.
type Player func(ctx context.Context, m arena.Match, sink func(*stage.Event) error) (*truth.Truth, error)

// Games makes games of matches.
func Games(matches []arena.Match, play Player) ([]Game, error) {
	out := make([]Game, 0, len(matches))
	for _, m := range matches {
		key, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		g := Game{Name: m.Name, Seed: m.Seed, Sensor: string(m.Sensor), Sites: len(m.Sites), Days: float64(m.Days), Key: key,
			Play: func(ctx context.Context, sink stage.Sink) (*truth.Truth, error) { return play(ctx, m, sink) }}
		for i := range m.Campaigns {
			c := &m.Campaigns[i]
			g.Gangs = append(g.Gangs, Gang{ID: c.ID, Family: c.Family, Difficulty: c.Difficulty, Kind: string(c.Moves[0].Kind), Knobs: c.Knobs})
		}
		out = append(out, g)
	}
	return out, nil
}
