package pcap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// frame is one packet of a made-up capture.
type frame struct {
	ts   int64
	data []byte
}

const (
	fFIN, fSYN, fRST, fPSH, fACK = 1, 2, 4, 8, 16
)

// talk makes the packets of one TCP connection.
type talk struct {
	addr [2]netip.AddrPort
	seq  [2]uint32
	ts   int64
	step int64
	out  []frame
}

func newTalk(client, server string, ts int64) *talk {
	return &talk{addr: [2]netip.AddrPort{netip.MustParseAddrPort(client), netip.MustParseAddrPort(server)},
		seq: [2]uint32{0xfffffa00, 0x1000}, ts: ts, step: 1000}
}

// packet appends one segment from side from.
func (k *talk) packet(from int, flags byte, payload []byte) {
	src, dst := k.addr[from], k.addr[1-from]
	tcp := make([]byte, 20, 20+len(payload))
	binary.BigEndian.PutUint16(tcp, src.Port())
	binary.BigEndian.PutUint16(tcp[2:], dst.Port())
	binary.BigEndian.PutUint32(tcp[4:], k.seq[from])
	if flags&fACK != 0 {
		binary.BigEndian.PutUint32(tcp[8:], k.seq[1-from])
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
	k.out = append(k.out, frame{k.ts, append(append(eth, ip...), tcp...)})
	k.ts += k.step
	k.seq[from] += uint32(len(payload))
	if flags&(fSYN|fFIN) != 0 {
		k.seq[from]++
	}
}

func (k *talk) open() {
	k.packet(0, fSYN, nil)
	k.packet(1, fSYN|fACK, nil)
	k.packet(0, fACK, nil)
}

// send gives b from one side in segments of mss bytes, acknowledged.
func (k *talk) send(from int, b []byte, mss int) {
	for len(b) > 0 {
		n := min(mss, len(b))
		k.packet(from, fACK|fPSH, b[:n])
		b = b[n:]
	}
	k.packet(1-from, fACK, nil)
}

func (k *talk) close() {
	k.packet(0, fACK|fFIN, nil)
	k.packet(1, fACK|fFIN, nil)
	k.packet(0, fACK, nil)
}

// encode writes frames as a classic capture with ns resolution.
func encode(frames []frame) []byte {
	var b bytes.Buffer
	h := make([]byte, 24)
	binary.LittleEndian.PutUint32(h, magicNano)
	binary.LittleEndian.PutUint16(h[4:], 2)
	binary.LittleEndian.PutUint16(h[6:], 4)
	binary.LittleEndian.PutUint32(h[16:], 262144)
	binary.LittleEndian.PutUint32(h[20:], 1)
	b.Write(h)
	for _, f := range frames {
		binary.LittleEndian.PutUint32(h, uint32(f.ts/1e9))
		binary.LittleEndian.PutUint32(h[4:], uint32(f.ts%1e9))
		binary.LittleEndian.PutUint32(h[8:], uint32(len(f.data)))
		binary.LittleEndian.PutUint32(h[12:], uint32(len(f.data)))
		b.Write(h[:16])
		b.Write(f.data)
	}
	return b.Bytes()
}

const epoch = int64(1_700_000_000_000_000_000)

// crowd is a capture of conns keep-alive connections that talk at once, each
// with rounds exchanges of about 2.3 KB.
func crowd(conns, rounds int) []byte {
	body := `{"code":0,"data":[` + strings.TrimSuffix(strings.Repeat(`{"id":10086,"name":"商品","price":19.9,"note":"七天无理由退货"},`, 33), ",") + `]}`
	post := `{"user":"u1","items":[` + strings.TrimSuffix(strings.Repeat(`{"sku":"A-1","count":2},`, 12), ",") + `]}`
	talks := make([]*talk, conns)
	for i := range talks {
		talks[i] = newTalk(fmt.Sprintf("10.0.%d.%d:%d", i/200, i%200+1, 40000+i), "10.9.0.1:8080", epoch+int64(i)*100)
		talks[i].step = int64(conns) * 100
		talks[i].open()
	}
	const head = "Host: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: application/json\r\n" +
		"Accept-Encoding: identity\r\nAccept-Language: zh-CN\r\nAuthorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl\r\nCookie: sid=0123456789abcdef\r\n"
	for r := range rounds {
		for i, k := range talks {
			if n := r + i; n%10 < 3 {
				k.send(0, fmt.Appendf(nil, "POST /api/v1/orders/%d HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, head, len(post), post), 1448)
			} else {
				k.send(0, fmt.Appendf(nil, "GET /api/v1/items/%d?page=%d HTTP/1.1\r\n%s\r\n", n, r, head), 1448)
			}
			const answer = "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: application/json; charset=utf-8\r\nConnection: keep-alive\r\n"
			if (r+i)%16 == 0 {
				k.send(1, fmt.Appendf(nil, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", answer, len(body), body), 1448)
			} else {
				k.send(1, fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", answer, len(body), body), 1448)
			}
		}
	}
	var all []frame
	for i := 0; ; i++ {
		more := false
		for _, k := range talks {
			if i < len(k.out) {
				all = append(all, k.out[i])
				more = true
			}
		}
		if !more {
			return encode(all)
		}
	}
}

func TestCrowd(t *testing.T) {
	got, s, _ := run(t, Config{}, bytesInput("crowd", crowd(64, 20)))
	if len(got) != 64*20 || s.Stats().Silent != 0 || s.Stats().Orphans != 0 {
		t.Fatalf("%d exchanges, want %d; %+v", len(got), 64*20, s.Stats())
	}
}
