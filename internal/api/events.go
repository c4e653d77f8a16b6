package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	v1 "xiezhi/internal/api/v1"
)

// Event tells that something is another than it was; what it is now, who hears
// it asks for.
type Event struct {
	Topic string `json:"-"`
	ID    string `json:"id,omitempty"`
	Site  string `json:"site,omitempty"`
}

// Caps of the stream of events.
const (
	maxListeners = 256
	maxWaiting   = 256              // events of one listener; further ones are counted
	maxPast      = 4096             // events that a listener who comes back can catch up on
	heartbeat    = 15 * time.Second // also how soon a session that ended is noticed at the latest
	writeWithin  = 10 * time.Second // a listener who takes longer is left
)

type numbered struct {
	seq uint64
	Event
}

// hub gives events to listeners. It never waits for one.
type hub struct {
	mu        sync.Mutex
	seq       uint64
	past      []numbered // oldest first
	listeners map[*listener]struct{}
	dropped   uint64
}

type listener struct {
	topics []string // empty: all
	ready  chan struct{}

	// Guarded by hub.mu.
	waiting []numbered
	lost    uint64
}

func newHub() *hub { return &hub{listeners: map[*listener]struct{}{}} }

func (h *hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	n := numbered{h.seq, e}
	if len(h.past) >= maxPast {
		h.past = append(h.past[:0], h.past[maxPast/4:]...)
	}
	h.past = append(h.past, n)
	for l := range h.listeners {
		h.offer(l, n)
	}
}

// offer needs the lock.
func (h *hub) offer(l *listener, n numbered) {
	if len(l.topics) > 0 && !slices.Contains(l.topics, n.Topic) {
		return
	}
	if len(l.waiting) >= maxWaiting {
		l.lost++
		h.dropped++
		return
	}
	l.waiting = append(l.waiting, n)
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// join adds a listener who has heard everything up to a number. reset says that
// what came after it is no longer known.
func (h *hub) join(topics []string, after uint64, known bool) (l *listener, seq uint64, reset bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) >= maxListeners {
		return nil, 0, false, refuse(http.StatusServiceUnavailable, "busy", nil)
	}
	l = &listener{topics: topics, ready: make(chan struct{}, 1)}
	h.listeners[l] = struct{}{}
	if !known {
		return l, h.seq, false, nil
	}
	oldest := h.seq - uint64(len(h.past)) // what came last before the first known one
	if after > h.seq || after < oldest || h.seq-after > maxWaiting {
		return l, h.seq, true, nil
	}
	for _, n := range h.past {
		if n.seq > after {
			h.offer(l, n)
		}
	}
	return l, after, false, nil
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

func (h *hub) take(l *listener) (list []numbered, lost uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, lost = l.waiting, l.lost
	l.waiting, l.lost = nil, 0
	return list, lost
}

func (h *hub) figures() map[string]float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return map[string]float64{"listeners": float64(len(h.listeners)), "sent": float64(h.seq), "dropped": float64(h.dropped)}
}

// topics that there are.
var topics = []string{"api", "defect", "attack", "campaign", "site", "policy", "decision", "status"}

// StreamEvents tells of changes as they happen.
func (a *API) StreamEvents(ctx context.Context, q v1.StreamEventsRequestObject) (v1.StreamEventsResponseObject, error) {
	for _, t := range q.Params.Topic {
		if !slices.Contains(topics, t) {
			return nil, wrong(field{name: "topic", id: "value"})
		}
	}
	after, err := strconv.ParseUint(q.Params.LastEventID, 10, 64)
	known := q.Params.LastEventID != ""
	if known && err != nil {
		return nil, wrong(field{name: "Last-Event-ID", id: "integer"})
	}
	l, seq, reset, err := a.hub.join(q.Params.Topic, after, known)
	if err != nil {
		return nil, err
	}
	return &stream{a: a, ctx: ctx, who: ask(ctx).who, l: l, seq: seq, reset: reset}, nil
}

// stream is the answer that goes on until who asked leaves or may no longer.
type stream struct {
	a     *API
	ctx   context.Context
	who   caller
	l     *listener
	seq   uint64
	reset bool
}

func (s *stream) VisitStreamEventsResponse(w http.ResponseWriter) error {
	defer s.a.hub.leave(s.l)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in front should not gather
	control := http.NewResponseController(w)
	send := func(text string) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeWithin)) // where it can be set
		_, err := w.Write([]byte(text))
		return err == nil && control.Flush() == nil
	}
	hello := "hello"
	if s.reset {
		hello = "reset"
	}
	if !send(fmt.Sprintf("retry: 5000\nid: %d\nevent: %s\ndata: {}\n\n", s.seq, hello)) {
		return nil
	}
	var ended <-chan struct{}
	if s.who.session != nil {
		ended = s.who.session.onEnd
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return nil
		case <-ended:
			return nil
		case <-beat.C:
			if !s.a.still(s.ctx, &s.who) || !send(": beat\n\n") {
				return nil
			}
		case <-s.l.ready:
			list, lost := s.a.hub.take(s.l)
			text := []byte{}
			for _, n := range list {
				data, err := json.Marshal(n.Event)
				if err != nil {
					return err
				}
				text = fmt.Appendf(text, "id: %d\nevent: %s\ndata: %s\n\n", n.seq, n.Topic, data)
			}
			if lost > 0 {
				text = fmt.Appendf(text, "event: lost\ndata: {\"count\":%d}\n\n", lost)
			}
			if !send(string(text)) {
				return nil
			}
		}
	}
}

// still reports whether a caller may still what it was let in for, without
// counting as use of the session.
func (a *API) still(ctx context.Context, c *caller) bool {
	now := a.cfg.Now()
	if c.session != nil {
		if !a.sessions.live(c.session, now, a.idle(), a.most()) {
			return false
		}
	} else if !now.Before(c.expires) {
		return false
	} else if _, err := a.cfg.Store.Get(ctx, "token", c.token); err != nil {
		return false
	}
	u, there, err := a.account(ctx, c.id)
	return err == nil && there && !u.Disabled
}
