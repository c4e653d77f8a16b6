package wire

import "bytes"

const (
	msgClientHello = 1
	msgServerHello = 2
	msgTicket      = 4 // NewSessionTicket
	msgEndOfEarly  = 5
	msgExtensions  = 8 // EncryptedExtensions
	msgFinished    = 20
	msgKeyUpdate   = 24
)

// handshakes takes the contents of a handshake record: messages, which may
// begin and end anywhere.
func (d *Decoder) handshakes(f *flow, t *tlsConn, dir int, b []byte) {
	h := &t.dir[dir]
	for len(b) > 0 && !h.hsLost && !t.blind && !h.dead {
		if h.hsSkip > 0 {
			n := min(h.hsSkip, len(b))
			h.hsSkip -= n
			b = b[n:]
			continue
		}
		src := b
		if len(h.hs) > 0 {
			need := 4
			if len(h.hs) >= 4 {
				need = messageLen(h.hs)
			}
			n := min(need-len(h.hs), len(b))
			h.hs = append(h.hs, b[:n]...)
			b = b[n:]
			if len(h.hs) < need || need == 4 && messageLen(h.hs) > 4 && wanted(h.hs) {
				continue
			}
			src = h.hs
		}
		if len(src) < 4 {
			h.hs = append(h.hs, src...)
			return
		}
		n := messageLen(src)
		held := len(h.hs) > 0
		switch {
		case !wanted(src):
			if held {
				h.hs, h.hsSkip = h.hs[:0], n-4
				continue
			}
			h.hsSkip, b = n-4, b[4:]
			continue
		case n > len(src):
			h.hs = append(h.hs, src...)
			return
		}
		if held {
			h.hs = nil // before its message is acted upon, which may begin an epoch
		} else {
			b = b[n:]
		}
		d.handshake(f, t, dir, src[0], src[4:n])
	}
}

func messageLen(b []byte) int { return 4 + int(b[1])<<16 + int(b[2])<<8 + int(b[3]) }

// wanted reports whether a message tells anything that is needed here, and is
// short enough to be one.
func wanted(b []byte) bool {
	switch b[0] {
	case msgClientHello, msgServerHello, msgExtensions, msgTicket:
		return messageLen(b) <= maxHello
	case msgEndOfEarly, msgFinished, msgKeyUpdate:
		return messageLen(b) <= 256
	}
	return false
}

func (d *Decoder) handshake(f *flow, t *tlsConn, dir int, kind byte, b []byte) {
	h := &t.dir[dir]
	client := dir == t.client
	new13 := h.now != nil && !h.now.suite.old
	switch {
	case kind == msgClientHello && client:
		d.clientHello(f, t, b)
	case kind == msgServerHello && !client:
		d.serverHello(f, t, b)
	case kind == msgExtensions && !client && new13 && t.early:
		d.decideEarly(f, t, hasExtension(b, extEarlyData))
	case kind == msgTicket && !client && h.now == nil && t.suite != nil && t.suite.old && len(b) > 6:
		d.cfg.Keys.remember(b[6:], t.secrets.master) // behind its lifetime and length
	case kind == msgEndOfEarly && client && new13 && h.now.stage == stageEarly:
		d.decideEarly(f, t, true)
		h.enter(t, dir, stageHandshake)
	case kind == msgFinished && new13 && h.now.stage == stageHandshake:
		h.enter(t, dir, stageData)
	case kind == msgKeyUpdate && new13 && h.now.stage == stageData:
		if e := h.now.update(); e != nil {
			h.advance(e)
		}
	}
}

// enter goes to the first epoch of a stage, if its secret is there.
func (h *tlsHalf) enter(t *tlsConn, dir int, st stage) {
	h.prepare(t, dir)
	for _, e := range h.later {
		if e.stage == st && (t.suite == nil || e.suite == t.suite) {
			h.advance(e)
			return
		}
	}
}

func (d *Decoder) clientHello(f *flow, t *tlsConn, b []byte) {
	c := &d.hello
	if !c.read(b) {
		d.goBlind(f, t, blindMidway)
		return
	}
	h := &t.dir[t.client]
	if t.hello && c.random == t.random {
		// The second one, after a HelloRetryRequest. Early data ends with it.
		t.retried = true
		d.decideEarly(f, t, false)
		h.now, h.later, h.made = nil, nil, false
		return
	}
	again := t.hello
	t.hello, t.random, t.early = true, c.random, c.early
	t.keyed, t.secrets, t.looked = false, secrets{}, 0
	if again {
		// Renegotiated. What it was at first is what it is known by.
		d.lookUp(t)
		return
	}
	t.sni = []byte(c.sni)
	f.sni, f.tlsVersion = c.sni, c.version
	t.ja4, d.hexRoom = c.ja4(d.hexRoom)
	f.ja4 = t.ja4
	d.stats.Hellos++
	if d.lookUp(t) {
		return
	}
	if t.secrets.master == nil && t.resumes(d.cfg.Keys, c) {
		return
	}
	if d.mayWait() {
		t.parks, t.since = true, d.ts
		return
	}
	if !t.keyed {
		d.goBlind(f, t, blindNoKey)
	}
}

// resumes reports whether the connection asks to go on with a session of
// TLS 1.2 whose secret is known. Not everybody logs it again.
func (t *tlsConn) resumes(k *Keys, c *clientHello) bool {
	for _, id := range [...][]byte{c.ticket, c.session} {
		if m := k.recall(id); m != nil {
			t.secrets.master, t.keyed = m, true
			t.session = append([]byte(nil), c.session...)
			return true
		}
	}
	return false
}

func (d *Decoder) serverHello(f *flow, t *tlsConn, b []byte) {
	var s serverHello
	if !s.read(b) {
		return
	}
	if s.retry {
		t.retried = true
		return
	}
	su := findSuite(s.version, s.suite)
	if su == nil {
		why := blindSuite
		if s.version < 0x0303 {
			why = blindVersion
		}
		d.goBlind(f, t, why)
		return
	}
	first := t.version == 0
	t.settleVersion(s.version, su)
	client, server := &t.dir[t.client], &t.dir[1-t.client]
	if su.old {
		if len(t.session) > 0 && !bytes.Equal(t.session, s.session) {
			t.secrets.master, t.keyed = nil, false // the server did not want to resume
		}
		if t.secrets.master == nil {
			if first {
				d.goBlind(f, t, blindNoKey)
			}
			client.later, server.later = nil, nil // of a renegotiation without secret
			return
		}
		d.cfg.Keys.remember(s.session, t.secrets.master)
		e := epochs12(su, t.secrets.master, &t.random, &s.random)
		client.later, server.later = []*keyEpoch{e[0]}, []*keyEpoch{e[1]}
		return
	}
	if !t.maybe13() {
		d.goBlind(f, t, blindNoKey)
		return
	}
	client.made, server.made = false, false
	server.enter(t, 1-t.client, stageHandshake)
	if client.now == nil && !(t.early && !t.retried && t.secrets.early != nil) {
		client.enter(t, t.client, stageHandshake)
	}
}
