package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
)

// frame is one packet of a made-up capture.
type frame struct {
	ts   int64
	data []byte
	wire int // length on the wire, 0 for all of it
}

const epoch = int64(1_700_000_000_000_000_000)

// talk makes the packets of one TCP connection.
type talk struct {
	addr [2]netip.AddrPort
	seq  [2]uint32
	ts   int64
	step int64
	out  []frame
}

func newTalk(client, server string) *talk {
	return &talk{addr: [2]netip.AddrPort{netip.MustParseAddrPort(client), netip.MustParseAddrPort(server)},
		seq: [2]uint32{0xffffff00, 0x1000}, ts: epoch, step: 1000}
}

func plainTalk() *talk { return newTalk("10.0.0.7:41000", "10.0.0.1:80") }

// ipPacket is one segment from side from, as an IP packet.
func (k *talk) ipPacket(from int, flags byte, payload []byte) []byte {
	src, dst := k.addr[from], k.addr[1-from]
	tcp := make([]byte, 20, 20+len(payload))
	binary.BigEndian.PutUint16(tcp, src.Port())
	binary.BigEndian.PutUint16(tcp[2:], dst.Port())
	binary.BigEndian.PutUint32(tcp[4:], k.seq[from])
	if flags&flagACK != 0 {
		binary.BigEndian.PutUint32(tcp[8:], k.seq[1-from])
	}
	tcp[12], tcp[13] = 5<<4, flags
	tcp = append(tcp, payload...)
	return ipHeader(src.Addr(), dst.Addr(), 6, tcp)
}

func ipHeader(src, dst netip.Addr, proto byte, payload []byte) []byte {
	var ip []byte
	if src.Is4() {
		ip = make([]byte, 20)
		ip[0], ip[8], ip[9] = 0x45, 64, proto
		binary.BigEndian.PutUint16(ip[2:], uint16(20+len(payload)))
		copy(ip[12:], src.AsSlice())
		copy(ip[16:], dst.AsSlice())
	} else {
		ip = make([]byte, 40)
		ip[0], ip[6], ip[7] = 0x60, proto, 64
		binary.BigEndian.PutUint16(ip[4:], uint16(len(payload)))
		copy(ip[8:], src.AsSlice())
		copy(ip[24:], dst.AsSlice())
	}
	return append(ip, payload...)
}

func (k *talk) packet(from int, flags byte, payload []byte) {
	k.out = append(k.out, frame{ts: k.ts, data: k.ipPacket(from, flags, payload)})
	k.ts += k.step
	k.seq[from] += uint32(len(payload))
	if flags&(flagSYN|flagFIN) != 0 {
		k.seq[from]++
	}
}

func (k *talk) open() *talk {
	k.packet(0, flagSYN, nil)
	k.packet(1, flagSYN|flagACK, nil)
	k.packet(0, flagACK, nil)
	return k
}

// send gives s from one side in segments of mss bytes, acknowledged.
func (k *talk) send(from int, s string, mss int) *talk {
	for len(s) > 0 {
		n := min(mss, len(s))
		k.packet(from, flagACK, []byte(s[:n]))
		s = s[n:]
	}
	k.packet(1-from, flagACK, nil)
	return k
}

func (k *talk) ask(s string) *talk    { return k.send(0, s, 1448) }
func (k *talk) answer(s string) *talk { return k.send(1, s, 1448) }

// lose lets the last n segments of the talk be missing from the capture.
func (k *talk) lose(n int) *talk {
	k.out = k.out[:len(k.out)-n]
	return k
}

func (k *talk) close() *talk {
	k.packet(0, flagACK|flagFIN, nil)
	k.packet(1, flagACK|flagFIN, nil)
	k.packet(0, flagACK, nil)
	return k
}

// wait lets time pass.
func (k *talk) wait(ns int64) *talk { k.ts += ns; return k }

// got is what the tests compare of an exchange.
type got struct {
	ID, Client, Server   string
	Start, End           int64
	Proto                uint8
	Method, Target, Host string
	Status               int
	Reason               string
	Req, Resp            string
	ReqSize, RespSize    int64
	ReqCut, RespCut      int64
	ReqHead, RespHead    string
	Caps                 exchange.Caps
	Secure               bool
	JA4, SNI, TLSVersion string
	ReqTrail, RespTrail  string
	ReqUnk, RespUnk      int
	H2                   string
	Part                 uint32
	Messages             string
}

func render(fields []exchange.Field) string {
	var b strings.Builder
	for _, f := range fields {
		b.Write(f.Name)
		b.WriteString(": ")
		b.Write(f.Value)
		b.WriteByte('\n')
	}
	return b.String()
}

func renderMessages(list []exchange.StreamMessage) string {
	var b strings.Builder
	for _, m := range list {
		fmt.Fprintf(&b, "%d sent=%v text=%v %d %q\n", m.Time-epoch, m.Sent, m.Text, m.Size, m.Data)
	}
	return b.String()
}

func copyOf(x *exchange.Exchange) got {
	return got{ID: string(x.ID), Client: x.Client.String(), Server: x.Server.String(), Start: x.Start, End: x.End,
		Proto: x.Proto, Method: string(x.Method), Target: string(x.Target), Host: string(x.Host),
		Status: x.Status, Reason: string(x.Reason), Req: string(x.Request.Body), Resp: string(x.Response.Body),
		ReqSize: x.Request.BodySize, RespSize: x.Response.BodySize, ReqCut: x.Request.Truncated, RespCut: x.Response.Truncated,
		ReqHead: render(x.Request.Header), RespHead: render(x.Response.Header), Caps: x.Caps,
		ReqTrail: render(x.Request.Trailer), RespTrail: render(x.Response.Trailer),
		ReqUnk: x.Request.Unknown, RespUnk: x.Response.Unknown, H2: string(x.H2), Part: x.Part, Messages: renderMessages(x.Messages),
		Secure: x.Secure, JA4: string(x.JA4), SNI: string(x.SNI), TLSVersion: string(x.TLSVersion)}
}

// decode runs frames of raw IP through a Decoder and checks its books.
func decode(t interface {
	Helper()
	Fatalf(string, ...any)
}, cfg Config, link uint32, frames []frame) ([]got, *Decoder) {
	t.Helper()
	var out []got
	cfg.Emit = func(x *exchange.Exchange) error {
		out = append(out, copyOf(x))
		return nil
	}
	d := New(cfg)
	for _, f := range frames {
		if err := d.Packet(f.ts, link, f.data, max(f.wire, len(f.data))); err != nil {
			t.Fatalf("packet: %v", err)
		}
	}
	if err := d.Flush(); err != nil {
		t.Fatalf("flush: %v", err)
	}
	s := d.Stats()
	if s.Begun != s.Emitted+s.Dropped() || s.Emitted != uint64(len(out)) {
		t.Fatalf("books: begun %d, emitted %d, given %d, dropped %d", s.Begun, s.Emitted, len(out), s.Dropped())
	}
	if d.kept != 0 || d.ahead != 0 || d.table.n != 0 || d.parked != 0 || len(d.waiting) != 0 {
		t.Fatalf("left over after flush: kept %d, ahead %d, flows %d, parked %d, waiting %d", d.kept, d.ahead, d.table.n, d.parked, len(d.waiting))
	}
	return out, d
}

func single(t *testing.T, k *talk) (got, *Decoder) {
	t.Helper()
	out, d := decode(t, Config{}, LinkRaw, k.out)
	if len(out) != 1 {
		t.Fatalf("%d exchanges, want 1: %+v", len(out), out)
	}
	return out[0], d
}
