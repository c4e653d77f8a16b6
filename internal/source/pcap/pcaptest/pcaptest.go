// Package pcaptest makes packet captures for tests and benchmarks: scripted TCP
// connections as frames, frames as a classic capture.
//
// Nothing in the product imports it. Invariant: a script gives the same bytes
// every time. Limits: no checksums, one frame per segment.
package pcaptest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// Frame is one packet of a made-up capture.
type Frame struct {
	TS   int64 // ns since the epoch
	Data []byte
}

// TCP flags.
const (
	FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
)

// Talk makes the packets of one TCP connection.
type Talk struct {
	Addr [2]netip.AddrPort // client, server
	Seq  [2]uint32
	TS   int64 // of the next frame
	Step int64 // between frames
	Out  []Frame
}

// NewTalk starts a script; the client's sequence numbers soon wrap.
func NewTalk(client, server string, ts int64) *Talk {
	return &Talk{Addr: [2]netip.AddrPort{netip.MustParseAddrPort(client), netip.MustParseAddrPort(server)},
		Seq: [2]uint32{0xfffffa00, 0x1000}, TS: ts, Step: 1000}
}

// Packet appends one segment from side from.
func (k *Talk) Packet(from int, flags byte, payload []byte) {
	src, dst := k.Addr[from], k.Addr[1-from]
	tcp := make([]byte, 20, 20+len(payload))
	binary.BigEndian.PutUint16(tcp, src.Port())
	binary.BigEndian.PutUint16(tcp[2:], dst.Port())
	binary.BigEndian.PutUint32(tcp[4:], k.Seq[from])
	if flags&ACK != 0 {
		binary.BigEndian.PutUint32(tcp[8:], k.Seq[1-from])
	}
	tcp[12], tcp[13] = 5<<4, flags
	tcp = append(tcp, payload...)
	var ip []byte
	et := uint16(0x0800)
	if src.Addr().Is4() {
		ip = make([]byte, 20)
		ip[0], ip[8], ip[9] = 0x45, 64, 6
		binary.BigEndian.PutUint16(ip[2:], uint16(20+len(tcp)))
		a, b := src.Addr().As4(), dst.Addr().As4()
		copy(ip[12:], a[:])
		copy(ip[16:], b[:])
	} else {
		et = 0x86dd
		ip = make([]byte, 40)
		ip[0], ip[6], ip[7] = 0x60, 6, 64
		binary.BigEndian.PutUint16(ip[4:], uint16(len(tcp)))
		a, b := src.Addr().As16(), dst.Addr().As16()
		copy(ip[8:], a[:])
		copy(ip[24:], b[:])
	}
	eth := make([]byte, 14, 14+len(ip)+len(tcp))
	binary.BigEndian.PutUint16(eth[12:], et)
	k.Out = append(k.Out, Frame{k.TS, append(append(eth, ip...), tcp...)})
	k.TS += k.Step
	k.Seq[from] += uint32(len(payload))
	if flags&(SYN|FIN) != 0 {
		k.Seq[from]++
	}
}

// Open is the handshake.
func (k *Talk) Open() {
	k.Packet(0, SYN, nil)
	k.Packet(1, SYN|ACK, nil)
	k.Packet(0, ACK, nil)
}

// Send gives b from one side in segments of mss bytes, acknowledged.
func (k *Talk) Send(from int, b []byte, mss int) {
	for len(b) > 0 {
		n := min(mss, len(b))
		k.Packet(from, ACK|PSH, b[:n])
		b = b[n:]
	}
	k.Packet(1-from, ACK, nil)
}

// Close ends both directions.
func (k *Talk) Close() {
	k.Packet(0, ACK|FIN, nil)
	k.Packet(1, ACK|FIN, nil)
	k.Packet(0, ACK, nil)
}

// Encode writes frames as a classic capture with ns resolution.
func Encode(frames []Frame) []byte {
	var b bytes.Buffer
	h := make([]byte, 24)
	binary.LittleEndian.PutUint32(h, 0xa1b23c4d)
	binary.LittleEndian.PutUint16(h[4:], 2)
	binary.LittleEndian.PutUint16(h[6:], 4)
	binary.LittleEndian.PutUint32(h[16:], 262144)
	binary.LittleEndian.PutUint32(h[20:], 1)
	b.Write(h)
	for _, f := range frames {
		binary.LittleEndian.PutUint32(h, uint32(f.TS/1e9))
		binary.LittleEndian.PutUint32(h[4:], uint32(f.TS%1e9))
		binary.LittleEndian.PutUint32(h[8:], uint32(len(f.Data)))
		binary.LittleEndian.PutUint32(h[12:], uint32(len(f.Data)))
		b.Write(h[:16])
		b.Write(f.Data)
	}
	return b.Bytes()
}

// Epoch is when the scripts start, ns.
const Epoch = int64(1_700_000_000_000_000_000)

// Crowd is a capture of conns keep-alive connections that talk at once, each
// with rounds exchanges of about 2.3 KB.
func Crowd(conns, rounds int) []byte { return Encode(CrowdFrames(conns, rounds)) }

// CrowdFrames is Crowd before encoding.
func CrowdFrames(conns, rounds int) []Frame {
	body := `{"code":0,"data":[` + strings.TrimSuffix(strings.Repeat(`{"id":10086,"name":"商品","price":19.9,"note":"七天无理由退货"},`, 33), ",") + `]}`
	post := `{"user":"u1","items":[` + strings.TrimSuffix(strings.Repeat(`{"sku":"A-1","count":2},`, 12), ",") + `]}`
	talks := make([]*Talk, conns)
	for i := range talks {
		talks[i] = NewTalk(fmt.Sprintf("10.0.%d.%d:%d", i/200, i%200+1, 40000+i), "10.9.0.1:8080", Epoch+int64(i)*100)
		talks[i].Step = int64(conns) * 100
		talks[i].Open()
	}
	const head = "Host: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: application/json\r\n" +
		"Accept-Encoding: identity\r\nAccept-Language: zh-CN\r\nAuthorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl\r\nCookie: sid=0123456789abcdef\r\n"
	for r := range rounds {
		for i, k := range talks {
			if n := r + i; n%10 < 3 {
				k.Send(0, fmt.Appendf(nil, "POST /api/v1/orders/%d HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, head, len(post), post), 1448)
			} else {
				k.Send(0, fmt.Appendf(nil, "GET /api/v1/items/%d?page=%d HTTP/1.1\r\n%s\r\n", n, r, head), 1448)
			}
			const answer = "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: application/json; charset=utf-8\r\nConnection: keep-alive\r\n"
			if (r+i)%16 == 0 {
				k.Send(1, fmt.Appendf(nil, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", answer, len(body), body), 1448)
			} else {
				k.Send(1, fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", answer, len(body), body), 1448)
			}
		}
	}
	var all []Frame
	for i := 0; ; i++ {
		more := false
		for _, k := range talks {
			if i < len(k.Out) {
				all = append(all, k.Out[i])
				more = true
			}
		}
		if !more {
			return all
		}
	}
}
