// Package agenda runs many scripts in virtual time, one at a time, in order of
// time.
//
// It takes scripts, plain sequential code that waits now and then, each with a
// start; it runs whichever is next. Invariant: scripts run in order of their
// time, then of their entry, and each has randomness of its own, which depends
// on the seed and on how many entered before; so the same entries give the same
// play. Limits: Cap scripts at a time; one that finds no room is refused and
// counted.
package agenda

import (
	"container/heap"
	"errors"
	"iter"
	"math/rand/v2"
	"time"
)

// Agenda is the running play. It serves one goroutine.
type Agenda struct {
	Seed    uint64
	Cap     int    // scripts at a time
	Refused uint64 // scripts that found no room

	next    queue
	entered uint64
}

// Turn is a script's place in the agenda; what acts embeds it.
type Turn struct {
	Rand *rand.Rand

	at    time.Time
	order uint64
	yield func(struct{}) bool
	next  func() (struct{}, bool)
	stop  func()
}

// errStopped unwinds a script when the play ends early.
var errStopped = errors.New("agenda: stopped")

// Enter lets a script start at a time; t is its place, which the script waits
// by.
func (g *Agenda) Enter(t *Turn, at time.Time, script func()) {
	if len(g.next) >= g.Cap {
		g.Refused++
		return
	}
	g.entered++
	t.Rand, t.at, t.order = rand.New(rand.NewPCG(g.Seed, g.entered)), at, g.entered
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil && r != errStopped { //nolint:errorlint // our own sentinel
				panic(r)
			}
		}()
		t.yield = yield
		script()
	})
	heap.Push(&g.next, t)
}

// Play runs every script up to a time, as long as more says so.
func (g *Agenda) Play(until time.Time, more func() bool) {
	for len(g.next) > 0 && more() {
		t := g.next[0]
		if !t.at.Before(until) {
			return
		}
		if _, goes := t.next(); goes {
			heap.Fix(&g.next, 0)
		} else {
			heap.Pop(&g.next)
		}
	}
}

// Close ends the scripts that still run.
func (g *Agenda) Close() {
	for _, t := range g.next {
		t.stop()
	}
	g.next = nil
}

// Now is the script's time.
func (t *Turn) Now() time.Time { return t.at }

// Wait lets time pass.
func (t *Turn) Wait(d time.Duration) {
	t.at = t.at.Add(max(d, time.Millisecond))
	if !t.yield(struct{}{}) {
		panic(errStopped)
	}
}

// Think waits as long as people do: around the mean, with a long tail.
func (t *Turn) Think(mean time.Duration) {
	t.Wait(time.Duration(float64(mean) * (0.25 + 0.75*t.Rand.ExpFloat64())))
}

// queue is a heap of turns by time, then by order of entry.
type queue []*Turn

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*Turn)) }
func (q *queue) Pop() any {
	old := *q
	t := old[len(old)-1]
	*q = old[:len(old)-1]
	return t
}
