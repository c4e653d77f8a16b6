package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// forge writes both ends of a TLS connection, to put on the wire what real
// ends seldom do: any suite, padding, KeyUpdate at any time, 0-RTT data.
type forge struct {
	*talk
	suite  *suite
	random [32]byte
	server [32]byte
	log    strings.Builder
	now    [2]*keyEpoch // the client's, the server's
	max    int          // plaintext bytes of a record
	pad    int
	mss    int
	raw    [2]strings.Builder // when set aside: see hold
	held   bool
}

func newForge(s *suite, client, server string) *forge {
	f := &forge{talk: newTalk(client, server), suite: s, max: 1 << 14, mss: 1448}
	f.random = sha256.Sum256([]byte(client + server))
	f.server = sha256.Sum256(f.random[:])
	return f
}

func (f *forge) secret(label string, n int) []byte {
	sum := sha256.Sum256(append([]byte(label), f.random[:]...))
	b := append(sum[:], sum[:16]...)[:n]
	fmt.Fprintf(&f.log, "%s %x %x\n", label, f.random, b)
	return b
}

func (f *forge) keys() *Keys {
	k := NewKeys()
	k.AddLog([]byte(f.log.String()))
	return k
}

// write sends bytes of a side as they are.
func (f *forge) write(from int, b []byte) {
	if f.held {
		f.raw[from].Write(b)
		return
	}
	f.send(from, string(b), f.mss)
}

// record is one record in the clear.
func record(kind byte, b []byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(b) >> 8), byte(len(b))}, b...)
}

func handshakeMessage(kind byte, b []byte) []byte {
	return append([]byte{kind, byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...)
}

// seal makes a record with the keys of a side.
func (f *forge) seal(from int, kind byte, b []byte) []byte {
	e := f.now[from]
	nonce := e.iv
	var out []byte
	if e.suite.old {
		h := []byte{kind, 3, 3, 0, 0}
		if e.suite.explicit > 0 {
			binary.BigEndian.PutUint64(nonce[4:], e.seq+0x1234) // OpenSSL does not start at zero either
		} else {
			xorSeq(nonce[:], e.seq)
		}
		ad := binary.BigEndian.AppendUint64(nil, e.seq)
		ad = append(ad, h[:3]...)
		ad = binary.BigEndian.AppendUint16(ad, uint16(len(b)))
		body := e.aead.Seal(nil, nonce[:], b, ad)
		if e.suite.explicit > 0 {
			body = append(append([]byte(nil), nonce[4:]...), body...)
		}
		out = record(kind, body)
	} else {
		inner := append(append(append([]byte(nil), b...), kind), make([]byte, f.pad)...)
		h := []byte{recordData, 3, 3, byte((len(inner) + tagSize) >> 8), byte(len(inner) + tagSize)}
		xorSeq(nonce[:], e.seq)
		out = append(h, e.aead.Seal(nil, nonce[:], inner, h)...)
	}
	e.seq++
	return out
}

func xorSeq(nonce []byte, seq uint64) {
	for i := range 8 {
		nonce[4+i] ^= byte(seq >> (56 - 8*i))
	}
}

// say sends application data in records of at most f.max bytes.
func (f *forge) say(from int, s string) *forge {
	var out []byte
	for len(s) > 0 {
		n := min(f.max, len(s))
		out = append(out, f.seal(from, recordData, []byte(s[:n]))...)
		s = s[n:]
	}
	f.write(from, out)
	return f
}

// hello is the client's first message.
func (f *forge) hello(early bool) []byte {
	extensions := "0000,000d,002b"
	if early {
		extensions += ",002a"
	}
	b := helloOf(0x0303, "1301,1302,1303,c02b", extensions, "0403", "", "0304,0303")
	copy(b[2:], f.random[:])
	return handshakeMessage(msgClientHello, b)
}

// answer is the ServerHello.
func (f *forge) answerHello(random [32]byte) []byte {
	b := append([]byte{3, 3}, random[:]...)
	b = append(b, 0, byte(f.suite.id>>8), byte(f.suite.id), 0)
	if f.suite.old {
		b = append(b, 0, 0)
	} else {
		b = append(b, 0, 6, 0, extVersions, 0, 2, 3, 4)
	}
	return handshakeMessage(msgServerHello, b)
}

// handshake opens the connection and exchanges hellos up to application keys.
func (f *forge) handshake() *forge {
	f.open()
	f.write(0, record(recordHandshake, f.hello(false)))
	f.afterHello(false)
	return f
}

func (f *forge) afterHello(takesEarly bool) {
	s := f.suite
	if s.old {
		e := epochs12(s, f.secret("CLIENT_RANDOM", 48), &f.random, &f.server)
		f.write(1, append(record(recordHandshake, f.answerHello(f.server)), record(recordHandshake, handshakeMessage(11, make([]byte, 3000)))...))
		f.now = e
		f.write(0, append(record(recordChange, []byte{1}), f.seal(0, recordHandshake, handshakeMessage(msgFinished, make([]byte, 12)))...))
		f.write(1, append(record(recordChange, []byte{1}), f.seal(1, recordHandshake, handshakeMessage(msgFinished, make([]byte, 12)))...))
		return
	}
	n := s.sum().Size()
	var hs, app [2]*keyEpoch
	for i, side := range []string{"CLIENT", "SERVER"} {
		hs[i] = epoch13(s, stageHandshake, f.secret(side+"_HANDSHAKE_TRAFFIC_SECRET", n))
		app[i] = epoch13(s, stageData, f.secret(side+"_TRAFFIC_SECRET_0", n))
	}
	f.now[1] = hs[1]
	extensions := []byte{0, 0}
	if takesEarly {
		extensions = []byte{0, 4, 0, extEarlyData, 0, 0}
	}
	flight := append(handshakeMessage(msgExtensions, extensions), handshakeMessage(11, make([]byte, 3000))...)
	flight = append(flight, handshakeMessage(msgFinished, make([]byte, n))...)
	out := append(record(recordHandshake, f.answerHello(f.server)), record(recordChange, []byte{1})...)
	for len(flight) > 0 {
		k := min(f.max, len(flight))
		out = append(out, f.seal(1, recordHandshake, flight[:k])...)
		flight = flight[k:]
	}
	f.write(1, out)
	var client []byte
	if takesEarly {
		client = f.seal(0, recordHandshake, handshakeMessage(msgEndOfEarly, nil))
	}
	f.now[0] = hs[0]
	client = append(client, record(recordChange, []byte{1})...)
	client = append(client, f.seal(0, recordHandshake, handshakeMessage(msgFinished, make([]byte, n)))...)
	f.write(0, client)
	f.now = app
	f.write(1, f.seal(1, recordHandshake, handshakeMessage(4, make([]byte, 200)))) // a session ticket
}

// update changes the keys of a side.
func (f *forge) update(from int) *forge {
	f.write(from, f.seal(from, recordHandshake, handshakeMessage(msgKeyUpdate, []byte{0})))
	f.now[from] = f.now[from].update()
	return f
}

// bye is close_notify and FIN.
func (f *forge) bye() *forge {
	f.write(0, f.seal(0, recordAlert, []byte{1, 0}))
	f.write(1, f.seal(1, recordAlert, []byte{1, 0}))
	f.close()
	return f
}

// forgeSuites are one of each kind.
func forgeSuites() []*suite {
	return []*suite{&suites13[0], &suites13[1], &suites13[2],
		findSuite(0x0303, 0xc02f), findSuite(0x0303, 0x009d), findSuite(0x0303, 0xccaa)}
}
