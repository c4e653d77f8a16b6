package wire

import "encoding/binary"

// blindness is why a TLS connection could not be read.
type blindness uint8

const (
	blindNone    blindness = iota
	blindNoKey             // no secret for it, or not all that it takes
	blindBadKey            // its secrets open none of its records
	blindSuite             // a cipher suite that is not opened: CBC, CCM, RC4
	blindVersion           // older than TLS 1.2
	blindMidway            // the handshake is not in the capture
	blindNested            // TLS in TLS in TLS
	blindCount
)

var blindTexts = [blindCount]string{"", "no_key", "bad_key", "cipher_suite", "old_version", "midway", "nested"}

const (
	recordHeader = 5
	maxRecord    = recordHeader + 1<<14 + 2048

	recordChange    = 20
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
	recordBeat      = 24

	maxTLSDepth   = 2  // TLS to a proxy, and TLS to a server in its tunnel
	maxUnopened   = 64 // records, before a key counts as wrong
	maxUnreadable = 8  // the same, once some could be opened
)

// tlsConn is one TLS connection: on a flow, in a tunnel, or inside another.
type tlsConn struct {
	inner  *tlsConn // on the plaintext of this one
	depth  int
	client int // the half that sent the ClientHello
	dir    [2]tlsHalf

	hello   bool // the ClientHello was read
	random  [32]byte
	sni     []byte
	ja4     JA4
	early   bool // offered 0-RTT data
	retried bool // the server asked for another ClientHello

	version  uint16  // negotiated, 0 unknown
	text     [7]byte // as "TLSv1.3"
	suite    *suite
	secrets  secrets
	session  []byte // of TLS 1.2, offered to be resumed, its secret known from before
	keyed    bool   // secrets were found
	looked   uint64 // version of the table when it was looked at last
	accepted int8   // 0-RTT data: 1 taken by the server, -1 not, 0 not known yet

	opened  bool  // a record was opened
	carried int64 // plaintext bytes
	held    events
	parked  events
	parks   bool  // waits for its secrets
	since   int64 // when it began to

	blind  bool
	weighs bool // counted in kept
}

// tlsHalf is one direction of a TLS connection.
type tlsHalf struct {
	buf  []byte // a record in part, or the bytes being searched for one
	skip int64  // bytes left of a record of which some are missing

	now   *keyEpoch   // nil: not encrypted yet
	later []*keyEpoch // that may follow, as far as they were made
	made  bool

	hs     []byte // a handshake message in part
	hsSkip int    // bytes left of one that is not read
	hsLost bool   // where messages begin is not known

	lost   bool // where records begin is not known
	missed int64
	loose  bool // what is missing is not known in bytes
	scan   int  // of buf, how far the search has come
	maybe  []int
	budget int64

	failures int
	delta    uint64 // explicit nonce minus record number
	padded   bool
	closed   bool // close_notify
	dead     bool // given up
}

func recordLen(h []byte) int { return recordHeader + int(binary.BigEndian.Uint16(h[3:])) }

func plausibleRecord(h []byte) bool {
	return h[0] >= recordChange && h[0] <= recordBeat && h[1] == 3 && h[2] <= 4 && recordLen(h) <= maxRecord
}

// tlsData takes the next bytes of one direction of a TLS connection.
func (d *Decoder) tlsData(f *flow, t *tlsConn, dir int, b []byte) {
	h := &t.dir[dir]
	for len(b) > 0 && !t.blind && !h.dead {
		switch {
		case t.parks:
			if d.park(f, t, event{dir: dir, kind: eventData, ts: d.ts}, b) {
				return
			}
		case h.skip > 0:
			n := min(h.skip, int64(len(b)))
			h.skip -= n
			b = b[n:]
		case h.lost:
			b = d.searchRecord(f, t, dir, b)
		default:
			b = d.nextRecord(f, t, dir, b)
		}
	}
}

// nextRecord takes one record, or what there is of it. A record that lies
// whole in b is not copied.
func (d *Decoder) nextRecord(f *flow, t *tlsConn, dir int, b []byte) []byte {
	h := &t.dir[dir]
	if len(h.buf) == 0 && len(b) >= recordHeader {
		if !plausibleRecord(b) {
			d.notRecord(f, t, dir)
			return b
		}
		if n := recordLen(b); n <= len(b) {
			d.record(f, t, dir, b[:n])
			return b[n:]
		}
	}
	need := recordHeader
	if len(h.buf) >= recordHeader {
		need = recordLen(h.buf)
	}
	n := min(need-len(h.buf), len(b))
	d.buffer(h, b[:n])
	b = b[n:]
	if len(h.buf) < need {
		return b
	}
	if need == recordHeader {
		if !plausibleRecord(h.buf) {
			d.notRecord(f, t, dir)
			return b
		}
		if recordLen(h.buf) > recordHeader {
			return b
		}
	}
	d.record(f, t, dir, h.buf)
	d.unbuffer(h)
	return b
}

func (d *Decoder) buffer(h *tlsHalf, b []byte) {
	if h.buf == nil {
		if n := len(d.records); n > 0 {
			h.buf, d.records = d.records[n-1], d.records[:n-1]
		}
	}
	h.buf = append(h.buf, b...)
	d.kept += int64(len(b))
}

const maxSpareRecords = 64

// unbuffer empties the buffer of a direction and gives it to the next that
// needs one.
func (d *Decoder) unbuffer(h *tlsHalf) {
	h.scan, h.maybe = 0, nil
	d.kept -= int64(len(h.buf))
	if cap(h.buf) > 0 && len(d.records) < maxSpareRecords {
		d.records = append(d.records, h.buf[:0])
	}
	h.buf = nil
}

// notRecord: what should be a record is none. Before anything could be read
// it never was TLS; later, the place is lost.
func (d *Decoder) notRecord(f *flow, t *tlsConn, dir int) {
	h := &t.dir[dir]
	if !t.opened {
		d.goBlind(f, t, blindMidway)
		return
	}
	h.lost, h.loose = true, true
	d.missed(f, dir) // how much is told when it is known
	h.missed = int64(len(h.buf))
	d.unbuffer(h)
}

// record takes one whole record.
func (d *Decoder) record(f *flow, t *tlsConn, dir int, rec []byte) {
	h := &t.dir[dir]
	kind, body := rec[0], rec[recordHeader:]
	switch {
	case h.now == nil && kind == recordHandshake,
		h.now != nil && !h.now.suite.old && kind == recordHandshake && dir == t.client: // a second ClientHello, after early data
		d.handshakes(f, t, dir, body)
	case h.now != nil && h.now.suite.old, kind == recordData:
		d.sealed(f, t, dir, rec)
	case kind == recordChange && h.now == nil:
		d.changeCipher(f, t, dir)
	}
}

// changeCipher is TLS 1.2's start of encryption. TLS 1.3 has the record for
// show only.
func (d *Decoder) changeCipher(f *flow, t *tlsConn, dir int) {
	h := &t.dir[dir]
	switch {
	case t.suite != nil && t.suite.old && len(h.later) > 0:
		h.advance(h.later[0])
	case t.suite == nil && t.version == 0 && dir != t.client || t.suite != nil && t.suite.old:
		// Without its ServerHello nothing of TLS 1.2 can be opened.
		if !t.maybe13() {
			d.goBlind(f, t, blindMidway)
		}
	}
}

// maybe13 reports whether the secrets are those of TLS 1.3, with which records
// can be tried even if the ServerHello was not seen.
func (t *tlsConn) maybe13() bool {
	s := &t.secrets
	return t.version != 0x0303 && (s.traffic[0] != nil || s.traffic[1] != nil)
}

// advance starts an epoch; those before it are over.
func (h *tlsHalf) advance(e *keyEpoch) {
	for i, l := range h.later {
		if l == e {
			h.later = h.later[i+1:]
			break
		}
	}
	if e.suite.old {
		h.later = nil
	}
	h.now, h.made = e, false
	h.hs, h.hsSkip, h.hsLost = nil, 0, false
}

// sealed opens a record and hands on what is in it.
func (d *Decoder) sealed(f *flow, t *tlsConn, dir int, rec []byte) {
	h := &t.dir[dir]
	room := d.plainRoom(t.depth)
	kind, plain, e, seq := h.open(t, dir, room, rec, 0)
	if e == nil {
		d.unopened(f, t, dir, rec)
		return
	}
	d.took(t, h, e, seq, rec, len(plain))
	d.unsealed(f, t, dir, kind, plain)
}

// took books a record that could be opened.
func (d *Decoder) took(t *tlsConn, h *tlsHalf, e *keyEpoch, seq uint64, rec []byte, n int) {
	if e != h.now {
		h.advance(e)
	}
	e.seq, e.opened = seq+1, true
	h.failures = 0
	if e.suite.explicit > 0 {
		h.delta = binary.BigEndian.Uint64(rec[recordHeader:]) - seq
	}
	if !e.suite.old && len(rec)-recordHeader-e.suite.overhead() != n {
		h.padded = true
	}
	if !t.opened {
		t.opened = true
		if t.suite == nil {
			t.settleVersion(0x0304, e.suite)
		}
		d.stats.Decrypted++
	}
}

func (t *tlsConn) settleVersion(v uint16, s *suite) {
	t.version, t.suite = v, s
	t.text = [7]byte{'T', 'L', 'S', 'v', '1', '.', byte('0' + v - 0x0301)}
}

// plainRoom is where records of one depth are decrypted into.
func (d *Decoder) plainRoom(depth int) []byte {
	if d.plain[depth] == nil {
		d.plain[depth] = make([]byte, 0, maxRecord)
	}
	return d.plain[depth]
}

// unsealed hands on the contents of a record.
func (d *Decoder) unsealed(f *flow, t *tlsConn, dir int, kind byte, plain []byte) {
	h := &t.dir[dir]
	switch kind {
	case recordData:
		if !h.closed {
			d.plaintext(f, t, dir, plain)
		}
	case recordHandshake:
		d.handshakes(f, t, dir, plain)
	case recordAlert:
		if len(plain) == 2 && plain[1] == 0 && !h.closed {
			h.closed = true
			d.innerEnd(f, t, dir)
		}
	case recordChange: // renegotiated
		if len(h.later) > 0 {
			h.advance(h.later[0])
		} else {
			d.giveUp(f, t, dir)
		}
	}
}

// plaintext hands application data on. 0-RTT data waits until the server has
// said that it takes it; otherwise it was never read by anybody.
func (d *Decoder) plaintext(f *flow, t *tlsConn, dir int, plain []byte) {
	if h := &t.dir[dir]; h.now.stage == stageEarly {
		switch {
		case t.accepted == 0:
			t.held.keep(event{dir: dir, kind: eventData, ts: d.ts}, plain, maxEarly)
			return
		case t.accepted < 0:
			return
		}
	}
	d.innerData(f, t, dir, plain)
}

// decideEarly ends the waiting of 0-RTT data.
func (d *Decoder) decideEarly(f *flow, t *tlsConn, taken bool) {
	if t.accepted != 0 {
		return
	}
	t.accepted = -1
	if taken {
		t.accepted = 1
	}
	held := t.held
	t.held = events{}
	if !taken {
		return
	}
	now := d.ts
	held.each(func(e event, b []byte) {
		d.ts = e.ts
		if e.kind == eventHole {
			d.innerHole(f, t, e.dir, e.n)
		} else {
			d.innerData(f, t, e.dir, b)
		}
	})
	d.ts = now
}

// unopened books a record that no key opens.
func (d *Decoder) unopened(f *flow, t *tlsConn, dir int, rec []byte) {
	h := &t.dir[dir]
	h.failures++
	if h.now != nil && h.now.opened {
		d.stats.BadRecords++
		h.now.seq++
		d.lostRecord(f, t, dir, rec[0], len(rec))
		if h.failures > maxUnreadable {
			d.giveUp(f, t, dir)
		}
		return
	}
	if h.failures > maxUnopened || len(h.later) == 0 && h.now == nil {
		if t.opened {
			d.giveUp(f, t, dir)
			return
		}
		d.goBlind(f, t, t.why())
	}
}

// why is the reason for which nothing of a connection could be read.
func (t *tlsConn) why() blindness {
	switch {
	case !t.hello:
		return blindMidway
	case !t.keyed:
		return blindNoKey
	case t.version == 0:
		return blindMidway
	}
	return blindBadKey
}

// giveUp stops reading one direction of a connection, of which other parts
// could be read.
func (d *Decoder) giveUp(f *flow, t *tlsConn, dir int) {
	h := &t.dir[dir]
	if h.dead {
		return
	}
	h.dead = true
	d.unbuffer(h)
	h.now, h.later, h.hs = nil, nil, nil
	d.stats.Begun++
	d.stats.dropped[dropGap]++
	d.stats.GivenUp++
	d.innerHole(f, t, dir, holeUnknown)
}
