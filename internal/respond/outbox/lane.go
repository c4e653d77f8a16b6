package outbox

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/store/record"
)

const (
	stateWaiting = "waiting"
	stateDead    = "dead"
)

// entry is an item with its place in the records.
type entry struct {
	id   string
	rev  uint64
	seq  int64 // in which order they came
	busy bool  // it is being sent
	Item
}

func (e *entry) key() record.Key { return record.Key{Kind: record.Outgoing, ID: e.id, Rev: e.rev} }

func (e *entry) record(state string) (record.Record, error) {
	body, err := json.Marshal(&e.Item)
	return record.Record{Kind: record.Outgoing, ID: e.id, Rev: e.rev, Type: e.Lane, State: state, First: e.At, Last: e.At, Ranks: [record.Ranks]int64{e.seq}, Body: body}, err
}

// lane is a Lane at work. The Box's lock guards it.
type lane struct {
	Lane
	waiting, dead []*entry // oldest first
	tokens        float64
	filled        time.Time
	wake          chan struct{}

	sent, failed, joined, lost uint64 // since the start
	lastSent, lastFailed       time.Time
	lastWhy                    string
}

func (l *lane) touch() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// fill brings the bucket up to now.
func (l *lane) fill(now time.Time) {
	if l.PerMinute <= 0 {
		l.tokens, l.filled = float64(l.Burst), now
		return
	}
	if d := now.Sub(l.filled); d > 0 {
		l.tokens = min(float64(l.Burst), l.tokens+d.Minutes()*l.PerMinute)
	}
	l.filled = now
}

// due gives what is to be sent now, or how long to wait. What failed holds up
// what came after it, so that a receiver reads things in order and one that is
// down is asked once and not a thousand times.
func (l *lane) due(now time.Time) ([]*entry, time.Duration) {
	l.fill(now)
	quiet := l.Quiet.covers(now)
	var list []*entry
	for _, e := range l.waiting {
		if quiet && !e.Urgent {
			continue
		}
		if wait := e.Next.Sub(now); wait > 0 {
			if len(list) > 0 {
				break
			}
			return nil, wait
		}
		if list = append(list, e); len(list) == l.Batch || e.Tries > 0 && l.Batch > 1 && e.alone() {
			break
		}
	}
	if len(list) == 0 {
		return nil, idle
	}
	if l.tokens < 1 {
		return nil, max(time.Duration((1-l.tokens)/l.PerMinute*float64(time.Minute)), time.Millisecond)
	}
	return list, 0
}

// alone tells items that a batch was refused with: each is then tried by itself.
func (e *entry) alone() bool { return strings.HasPrefix(e.Why, splitMark) }

const splitMark = "[alone] "

// joinable are those that were never tried: nobody knows of them.
func (l *lane) joinable() (out []*entry) {
	for _, e := range l.waiting {
		if e.Tries == 0 && !e.busy && len(out) < maxJoined {
			out = append(out, e)
		}
	}
	return out
}

// oldest gives what goes first when there is no room.
func (l *lane) oldest() *entry {
	for _, e := range l.waiting {
		if !e.busy && !e.Urgent {
			return e
		}
	}
	for _, e := range l.waiting {
		if !e.busy {
			return e
		}
	}
	return l.waiting[0]
}

// took forgets what a receiver took.
func (b *Box) took(ctx context.Context, l *lane, list []*entry) error {
	var batch record.Batch
	for _, e := range list {
		batch.Delete = append(batch.Delete, e.key())
	}
	if _, err := b.cfg.Store.Write(ctx, batch); err != nil {
		return err
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(e *entry) bool { return slices.Contains(list, e) })
	l.sent += uint64(len(list))
	l.lastSent, l.lastWhy = b.cfg.Now(), ""
	return nil
}

// refused keeps what was not taken for later, or as dead letters.
func (b *Box) refused(ctx context.Context, l *lane, list []*entry, err error) error {
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Why: err.Error()}
	}
	now := b.cfg.Now()
	l.failed += uint64(len(list))
	l.lastFailed, l.lastWhy = now, cut(f.Why)
	if f.Final && len(list) > 1 { // one of them is bad: the others need not be
		for _, e := range list {
			e.Why = splitMark + cut(f.Why)
		}
		return b.keep(ctx, list, now, 0)
	}
	if last := list[0]; f.Final || last.Tries+1 >= MaxTries || now.Sub(last.At) > MaxAge {
		for _, e := range list {
			if err := b.bury(ctx, l, e, f.Why); err != nil {
				return err
			}
		}
		return nil
	}
	for _, e := range list {
		e.Why = cut(f.Why)
	}
	return b.keep(ctx, list, now, max(b.backoff(list[0].Tries), min(f.After, maxAfter)))
}

// keep writes that items were tried.
func (b *Box) keep(ctx context.Context, list []*entry, now time.Time, wait time.Duration) error {
	var batch record.Batch
	for _, e := range list {
		e.rev++
		e.Tries++
		e.Next = now.Add(wait).UTC()
		r, err := e.record(stateWaiting)
		if err != nil {
			return err
		}
		batch.Put = append(batch.Put, r)
	}
	_, err := b.cfg.Store.Write(ctx, batch)
	if err != nil {
		for _, e := range list {
			e.rev--
		}
	}
	return err
}

const (
	firstWait = 5 * time.Second
	maxWait   = 15 * time.Minute
	maxAfter  = time.Hour
)

// backoff doubles from firstWait to maxWait, and a fifth by chance, so that
// receivers that came back are not asked by everybody at once.
func (b *Box) backoff(tries int) time.Duration {
	d := maxWait
	if tries < 10 {
		d = min(firstWait<<tries, maxWait)
	}
	var r [2]byte
	if _, err := io.ReadFull(b.cfg.Random, r[:]); err != nil {
		return d
	}
	return d + d/5*time.Duration(binary.BigEndian.Uint16(r[:]))/(1<<16)
}

// bury makes a dead letter.
func (b *Box) bury(ctx context.Context, l *lane, e *entry, why string) error {
	e.rev++
	e.Why, e.Next = cut(why), time.Time{}
	r, err := e.record(stateDead)
	if err != nil {
		return err
	}
	batch := record.Batch{Put: []record.Record{r}}
	full := len(l.dead) >= MaxDead
	if full {
		batch.Delete = append(batch.Delete, l.dead[0].key())
	}
	if _, err := b.cfg.Store.Write(ctx, batch); err != nil {
		e.rev--
		return err
	}
	if full {
		l.dead = l.dead[1:]
		l.lost++
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(x *entry) bool { return x == e })
	l.dead = append(l.dead, e)
	b.cfg.Log.Warn("a receiver did not take what it was sent; it is kept as a dead letter", "receiver", l.Name, "why", e.Why)
	return nil
}

func cut(s string) string {
	if len(s) > maxWhy {
		s = s[:maxWhy]
	}
	return strings.ToValidUTF8(s, "?")
}
