package engine

import (
	"encoding/json"
	"errors"
	"time"

	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// What travels on the bus of a service. Each event is one batch of the stream
// and begins with a byte that says what it is.
const (
	eventObserved = 'O' // observations as observe encodes them
	eventForms    = 'F' // JSON of the forms that observations after it speak of
	eventTick     = 'T' // JSON of tick
	eventPolicy   = 'P' // JSON of policyText
	eventDecided  = 'D' // JSON of decision
	eventKnown    = 'I' // a snapshot of intelligence
	eventSensed   = 'S' // one of the first three, as a sensor numbered it
)

var errEvent = errors.New("it is no event of this version")

// tick tells how late it is when nothing comes, and what the sources counted
// since the tick before.
type tick struct {
	Now   int64 // event time, ns; 0 when there is nothing to go by
	Tally tally
}

// tally is what sources count beside the exchanges that they deliver.
type tally struct {
	Bytes    int64                          `json:",omitempty"`
	Dropped  map[taxonomy.DropReason]uint64 `json:",omitempty"`
	Quality  []qualityTally                 `json:",omitempty"`
	Problems []source.Problem               `json:",omitempty"`
	Hidden   uint64                         `json:",omitempty"`
	Seen     seen
}

type qualityTally struct {
	Key   source.QualityKey
	Count uint64
}

func (t *tally) empty() bool {
	return t.Bytes == 0 && len(t.Dropped) == 0 && len(t.Quality) == 0 && len(t.Problems) == 0 && t.Hidden == 0 && t.Seen == seen{}
}

func newTick(now time.Time, t tally) ([]byte, error) {
	x := tick{Tally: t}
	if !now.IsZero() {
		x.Now = now.UnixNano()
	}
	text, err := json.Marshal(x)
	return append([]byte{eventTick}, text...), err
}
