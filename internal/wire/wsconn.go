package wire

import (
	"time"

	"xiezhi/internal/exchange"
)

const (
	partTime     = int64(10 * time.Second) // an exchange open longer is given in parts
	partSlack    = int64(2 * time.Second)  // for segments that wait for a hole to fill
	partMessages = 64
	partBytes    = 1 << 20
	wsConnRoom   = 1 << 10
)

// wsConn is a WebSocket: the exchange that opened it and the messages since
// the last part that was emitted.
type wsConn struct {
	f     *flow
	m     *message // the request, with its reply
	end   [2]Messages
	dead  [2]bool // given up
	odd   [2]bool // masked against the rules, and counted so
	list  []wsMessage
	data  []byte
	first int64 // when the part began
	last  int64 // latest message
	part  uint32
	fresh bool // the part has something to tell
	room  int64

	queued     bool
	prev, next *wsConn
}

type wsMessage struct {
	time       int64
	sent, text bool
	from, to   int
	size       int64
}

// wsQueue holds the connections whose part is open, oldest first.
type wsQueue struct{ head, tail *wsConn }

func (q *wsQueue) push(w *wsConn) {
	w.queued, w.prev, w.next = true, q.tail, nil
	if q.tail != nil {
		q.tail.next = w
	} else {
		q.head = w
	}
	q.tail = w
}

func (q *wsQueue) remove(w *wsConn) {
	if !w.queued {
		return
	}
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		q.head = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		q.tail = w.prev
	}
	w.queued, w.prev, w.next = false, nil, nil
}

// newWS begins a WebSocket that reply opened.
func (d *Decoder) newWS(f *flow, req, reply *message) *wsConn {
	d.stats.WebSockets++
	var w *wsConn
	if n := len(d.wsFree); n > 0 {
		w, d.wsFree = d.wsFree[n-1], d.wsFree[:n-1]
	} else {
		w = &wsConn{}
	}
	*w = wsConn{f: f, m: req, end: w.end, list: w.list[:0], data: w.data[:0]}
	req.reply = reply
	for dir := range w.end {
		e := &w.end[dir]
		e.reset(dir == int(f.cli), d.cfg.MaxBody, &d.inflate)
		for i := range reply.fields {
			if r := &reply.fields[i]; exchange.EqualFold(reply.buf[r.name:r.nameEnd], "sec-websocket-extensions") {
				e.Agree(reply.buf[r.value:r.valueEnd])
			}
		}
	}
	w.first, w.fresh = req.start, true
	d.wsOpen.push(w)
	d.weighWS(w)
	return w
}

func (d *Decoder) weighWS(w *wsConn) {
	n := int64(wsConnRoom + len(w.data) + w.end[0].room() + w.end[1].room())
	d.kept += n - w.room
	w.room = n
}

// inWS takes bytes of a direction. fresh says that they start a segment.
func (d *Decoder) inWS(w *wsConn, dir int, b []byte, fresh bool) {
	e := &w.end[dir]
	if w.dead[dir] || fresh && !e.Resume(b) || e.state == wsLost {
		return
	}
	for len(b) > 0 {
		var done bool
		var err error
		if b, done, err = e.Next(b); err != nil {
			d.stats.WSErrors++
			w.dead[dir] = true
			return
		}
		if done {
			d.addMessage(w, dir)
		}
		if e.Misuse && !w.odd[dir] {
			d.stats.WSMasking++
			w.odd[dir] = true
		}
	}
	d.weighWS(w)
}

// holeWS steps over n missing bytes.
func (d *Decoder) holeWS(w *wsConn, dir int, n int64) {
	if e := &w.end[dir]; !w.dead[dir] && e.state != wsLost && !e.Skip(n) {
		d.stats.WSLost++
	}
}

func (d *Decoder) loseMessages(w *wsConn, dir int) {
	if w != nil && !w.dead[dir] && w.end[dir].state != wsLost {
		w.end[dir].Lose()
		d.stats.WSLost++
	}
}

func (d *Decoder) addMessage(w *wsConn, dir int) {
	e := &w.end[dir]
	d.stats.WSMessages++
	if e.Lost {
		d.stats.WSLost++
	}
	if w.fresh && d.ts > w.first+partTime {
		d.emitPart(w)
	}
	if !w.fresh {
		w.first, w.fresh = d.ts, true
	}
	if !w.queued {
		d.wsOpen.push(w)
	}
	at := len(w.data)
	w.data = append(w.data, e.Data...)
	w.list = append(w.list, wsMessage{d.ts, e.Client, e.Text, at, len(w.data), max(e.Size, int64(len(e.Data)))})
	w.last = max(w.last, d.ts)
	if len(w.list) >= partMessages || len(w.data) >= partBytes {
		d.emitPart(w)
	}
}

// emitPart emits what came since the part before.
func (d *Decoder) emitPart(w *wsConn) {
	d.wsOpen.remove(w)
	if w.part > 0 {
		d.stats.Begun++
	}
	d.emitMessages(w)
	w.part++
	w.fresh = false
	w.list, w.data = w.list[:0], w.data[:0]
	if cap(w.data) > maxSpareBuffer {
		w.data = nil
	}
	d.weighWS(w)
}

// endWS emits the last part and forgets the connection; its messages are freed
// by whoever holds them.
func (d *Decoder) endWS(w *wsConn) {
	for i := range w.end {
		if w.end[i].within && w.end[i].state != wsLost {
			d.stats.WSLost++
		}
	}
	if w.fresh {
		d.emitPart(w)
	}
	d.wsOpen.remove(w)
	d.kept -= w.room
	w.f, w.m, w.room = nil, nil, 0
	if n := cap(w.data) + w.end[0].room() + w.end[1].room(); len(d.wsFree) < maxSpareMessages && n <= maxSpareBuffer {
		d.wsFree = append(d.wsFree, w)
	}
}

// expireParts emits the parts that have been open long enough.
func (d *Decoder) expireParts() {
	for w := d.wsOpen.head; w != nil && d.clock+d.skew-w.first > partTime+partSlack; w = d.wsOpen.head {
		d.emitPart(w)
	}
}
