package collector

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many there are. Those without a whole request head,
// new or idle, stand in a queue: when there are too many, the one that has
// stood longest goes. So whoever opens thousands and says nothing pushes out
// his own, and a client that comes and speaks is served.
type connections struct {
	limit int

	mu      sync.Mutex
	total   int
	closed  uint64
	waiting *list.List // of net.Conn, the longest first
	place   map[net.Conn]*list.Element
}

func newConnections(limit int) *connections {
	return &connections{limit: limit, waiting: list.New(), place: map[net.Conn]*list.Element{}}
}

// changed is the server's ConnState hook.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	var victim net.Conn
	c.mu.Lock()
	if e := c.place[conn]; e != nil {
		c.waiting.Remove(e)
		delete(c.place, conn)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		if state == http.StateNew {
			c.total++
		}
		c.place[conn] = c.waiting.PushBack(conn)
		if c.total > c.limit {
			c.closed++
			victim = c.waiting.Remove(c.waiting.Front()).(net.Conn)
			delete(c.place, victim)
		}
	case http.StateClosed, http.StateHijacked:
		c.total--
	case http.StateActive:
	}
	c.mu.Unlock()
	if victim != nil {
		hangUp(victim)
	}
}

// closeWaiting closes those that have no request in hand.
func (c *connections) closeWaiting() {
	c.mu.Lock()
	var all []net.Conn
	for e := c.waiting.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(net.Conn))
	}
	c.mu.Unlock()
	for _, conn := range all {
		hangUp(conn)
	}
}

// hangUp closes without TLS's goodbye, which would wait for the other side.
func hangUp(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	_ = conn.Close()
}

// pushedOut is how many went because there were too many.
func (c *connections) pushedOut() uint64 { c.mu.Lock(); defer c.mu.Unlock(); return c.closed }
