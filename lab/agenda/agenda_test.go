package agenda

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestScriptsRunInOrderOfTimeThenOfEntry(t *testing.T) {
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	g := Agenda{Seed: 1, Cap: 3}
	var said []string
	enter := func(name string, at time.Time, wait time.Duration) {
		turn := new(Turn)
		g.Enter(turn, at, func() {
			for range 2 {
				said = append(said, fmt.Sprint(name, turn.Now().Sub(start)))
				turn.Wait(wait)
			}
			said = append(said, name+" ends")
		})
	}
	enter("a", start.Add(time.Second), time.Second)
	enter("b", start.Add(time.Second), 3*time.Second)
	enter("c", start, 10*time.Second)
	enter("d", start, time.Second)
	g.Play(start.Add(5*time.Second), func() bool { return len(said) < 100 })
	if want := []string{"c0s", "a1s", "b1s", "a2s", "a ends", "b4s"}; !slices.Equal(said, want) || g.Refused != 1 {
		t.Errorf("%q, %d refused; want %q, 1", said, g.Refused, want)
	}
	g.Close() // unwinds b and c where they wait
	if slices.Contains(said, "b ends") || slices.Contains(said, "c ends") {
		t.Errorf("%q after the end", said)
	}
}
