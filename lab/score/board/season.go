package board

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Season is the games of a board and how they are run.
type Season struct {
	Games   []Game
	World   World
	Workers int
	// Keep is a folder for the records of games that were played, "" for none: a
	// board that was broken off goes on with what is there. Stamp says what the
	// records depend on beside the game: the program.
	Keep  string
	Stamp string
	// Meter is told after each game, from one goroutine at a time.
	Meter func(done, kept int)
}

// Play runs the games, so many at a time, and gives their records in order.
func (s *Season) Play(ctx context.Context) ([]*Record, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := make([]*Record, len(s.Games))
	errs := make([]error, len(s.Games))
	var mu sync.Mutex
	next, done, kept := 0, 0, 0
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		if next >= len(s.Games) || ctx.Err() != nil {
			return -1
		}
		next++
		return next - 1
	}
	var wg sync.WaitGroup
	for range max(1, s.Workers) {
		wg.Go(func() {
			for i := take(); i >= 0; i = take() {
				r, old, err := s.one(ctx, &s.Games[i])
				mu.Lock()
				if out[i], errs[i] = r, err; err != nil {
					cancel()
				}
				done++
				if old {
					kept++
				}
				if s.Meter != nil {
					s.Meter(done, kept)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, ctx.Err()
}

// one gives the record of a game, kept or new.
func (s *Season) one(ctx context.Context, g *Game) (*Record, bool, error) {
	if s.Keep == "" {
		r, err := Run(ctx, s.World, g)
		return r, false, err
	}
	sum := sha256.Sum256(append([]byte(s.Stamp+"\x00"), g.Key...))
	name := filepath.Join(s.Keep, g.Name+"-"+hex.EncodeToString(sum[:8])+".json")
	b, err := os.ReadFile(name)
	if err == nil {
		r := &Record{}
		if err := json.Unmarshal(b, r); err != nil {
			return nil, false, fmt.Errorf("%s: %w; remove the file to play the game again", name, err)
		}
		return r, true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	r, err := Run(ctx, s.World, g)
	if err != nil {
		return nil, false, err
	}
	if b, err = json.Marshal(r); err != nil {
		return nil, false, err
	}
	if err := os.MkdirAll(s.Keep, 0o755); err != nil {
		return nil, false, err
	}
	part := name + ".part" // a record is whole or not there
	if err := os.WriteFile(part, b, 0o644); err != nil {
		return nil, false, err
	}
	return r, false, os.Rename(part, name)
}
