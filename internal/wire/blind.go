package wire

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
)

// BlindServer is a server whose traffic could not be read.
type BlindServer struct {
	Server      netip.AddrPort // zero for the sum of those beyond the bound
	SNI         string
	Protocol    string // tls, quic, http2, ssh, websocket, upgrade, unknown
	Reason      string // why TLS was not read: no_key, bad_key, cipher_suite, old_version, midway, nested
	Version     uint16 // of TLS as offered, 0 unknown
	Connections uint64
	Bytes       int64
	Clients     []ClientCount // by TLS fingerprint, most connections first
	OtherClient uint64        // connections with further fingerprints
}

// ClientCount is how many connections had one TLS client fingerprint.
type ClientCount struct {
	JA4         JA4
	Connections uint64
}

const (
	maxBlind        = 1024
	maxBlindClients = 8 // fingerprints told apart per server, in order of appearance
)

type blindKey struct {
	server   netip.AddrPort
	sni      string
	protocol string
	why      blindness
}

// client counts a connection by its fingerprint.
func (s *BlindServer) client(j JA4) {
	if j == (JA4{}) {
		return
	}
	i := slices.IndexFunc(s.Clients, func(c ClientCount) bool { return c.JA4 == j })
	switch {
	case i >= 0:
		s.Clients[i].Connections++
	case len(s.Clients) < maxBlindClients:
		s.Clients = append(s.Clients, ClientCount{j, 1})
	default:
		s.OtherClient++
	}
}

type blindTable struct {
	m     map[blindKey]*BlindServer
	other BlindServer
}

// account counts a finished flow whose contents were not HTTP.
func (d *Decoder) account(f *flow) {
	n := f.h[0].bytes + f.h[1].bytes
	if f.http || n == 0 || f.quiet() {
		return
	}
	p := f.protocol
	if p == "" {
		p = "unknown"
	}
	d.addBlind(f, p, n)
}

// addBlind counts n bytes to a flow's server that cannot be read.
func (d *Decoder) addBlind(f *flow, p string, n int64) {
	d.stats.Begun++
	if p == "tls" || p == "quic" {
		d.stats.dropped[dropEncrypted]++
	} else {
		d.stats.dropped[dropUnsupported]++
	}
	t := &d.blind
	k := blindKey{f.ends[f.server()], f.sni, p, f.why}
	s := t.m[k]
	if s == nil {
		if len(t.m) >= maxBlind {
			s = &t.other
			s.Protocol = "other"
		} else {
			if t.m == nil {
				t.m = map[blindKey]*BlindServer{}
			}
			s = &BlindServer{Server: k.server, SNI: k.sni, Protocol: p, Reason: blindTexts[f.why]}
			t.m[k] = s
		}
	}
	s.Version = max(s.Version, f.tlsVersion)
	s.Connections++
	s.Bytes += n
	s.client(f.ja4)
}

// Blind lists the servers whose traffic could not be read, by bytes. At most
// 1 024 are told apart.
func (d *Decoder) Blind() []BlindServer {
	out := make([]BlindServer, 0, len(d.blind.m)+1)
	for _, s := range d.blind.m {
		c := *s
		c.Clients = slices.Clone(s.Clients)
		slices.SortFunc(c.Clients, func(a, b ClientCount) int {
			return cmp.Or(cmp.Compare(b.Connections, a.Connections), bytes.Compare(a.JA4[:], b.JA4[:]))
		})
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b BlindServer) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), a.Server.Compare(b.Server), cmp.Compare(a.SNI, b.SNI), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Reason, b.Reason))
	})
	if d.blind.other.Connections > 0 {
		out = append(out, d.blind.other)
	}
	return out
}

// quic counts QUIC by connection. A flow begins with a packet in the long
// header form; without that nothing tells QUIC from other UDP.
func (d *Decoder) quic(a addrs, sp, dp uint16, p []byte) {
	k := flowKey{a.srcHi, a.srcLo, a.dstHi, a.dstLo, uint32(sp)<<16 | uint32(dp), protoUDP}
	dir := 0
	if a.srcHi > a.dstHi || a.srcHi == a.dstHi && (a.srcLo > a.dstLo || a.srcLo == a.dstLo && sp > dp) {
		k = flowKey{a.dstHi, a.dstLo, a.srcHi, a.srcLo, uint32(dp)<<16 | uint32(sp), protoUDP}
		dir = 1
	}
	h := k.hash(d.table.seed)
	f := d.table.find(&k, h)
	if f == nil {
		if len(p) < 1200 || p[0]&0xc0 != 0xc0 || binary.BigEndian.Uint32(p[1:]) == 0 {
			return
		}
		f = d.newFlow(&k, h)
		f.protocol = "quic"
		f.cli = int8(dir)
		f.h[0].state, f.h[1].state = sOpaque, sOpaque
		d.enqueue(&d.table.active, f)
	}
	if !f.done {
		f.last = d.clock
		f.h[dir].bytes += int64(len(p))
	}
}
