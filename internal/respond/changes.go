package respond

import (
	"cmp"
	"slices"

	"xiezhi/internal/taxonomy"
)

// Changes gives the decisions that are carried out and changed after a change,
// and those that are over since, both in the order of their numbers. What is
// given for 0 is everything. now is the change to go on from. With the kill
// switch set, all that was carried out is over.
func (d *Desk) Changes(since uint64) (now uint64, live, ended []*Decision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	turned := since < d.turned || since == 0
	for id, x := range d.live {
		if x.State != Active || x.Action == taxonomy.ActObserve || !turned && d.changes[id] <= since {
			continue
		}
		if d.stop.Stopped {
			ended = append(ended, x)
		} else {
			live = append(live, x)
		}
	}
	for _, x := range d.ended {
		if d.changes[x.ID] > since {
			ended = append(ended, x)
		}
	}
	byNumber := func(a, b *Decision) int { return cmp.Compare(a.Number, b.Number) }
	slices.SortFunc(live, byNumber)
	slices.SortFunc(ended, byNumber)
	return d.change, live, ended
}

// Met says how many requests a decision that is carried out was about, since
// this process began.
func (d *Desk) Met(id string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.met[id]; m != nil {
		return m.Load()
	}
	return 0
}

// Figures tell how the desk is.
type Figures struct {
	Live    map[State]int // decisions that are not over
	Left    int           // that found no room in the table
	Waiting int           // attacks that wait to be looked at
	Lost    uint64        // that found no room to wait
	Failed  uint64        // that could not be looked at
}

// Figures gives them.
func (d *Desk) Figures() Figures {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := Figures{Live: map[State]int{}, Left: d.left, Waiting: len(d.attacks), Lost: d.lost.Load(), Failed: d.failed.Load()}
	for _, x := range d.live {
		f.Live[x.State]++
	}
	return f
}
