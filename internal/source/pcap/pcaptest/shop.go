package pcaptest

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/netip"
)

// Shop is a generated capture of any size: a shop with an API whose visitors
// talk at once over keep-alive connections, written packet by packet in the
// order of time and with right checksums, so that other programs read it, too.
// Zero fields take the defaults of the measurements.
type Shop struct {
	Transactions int    // 177 000
	Connections  int    // open at the same time: 64
	Keep         int    // transactions of a connection on average: 50
	Rate         int    // transactions a second of capture time: 300
	Clients      int    // addresses: 4 000
	Snap         int    // bytes kept of a packet, 0 for all
	Seed         uint64 // what everything depends on
}

// ShopTotals is what a Shop's capture holds.
type ShopTotals struct {
	Transactions, Connections, Packets int
	Bytes                              int64 // of the file
}

const (
	shopMSS  = 1448
	shopPort = 8080
)

// Write writes the capture to w.
func (s Shop) Write(w io.Writer) (ShopTotals, error) {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&s.Transactions, 177_000)
	def(&s.Connections, 64)
	def(&s.Keep, 50)
	def(&s.Rate, 300)
	def(&s.Clients, 4000)
	g := &shopWriter{Shop: s, rnd: rand.New(rand.NewPCG(s.Seed, 0x5851f42d4c957f2d)), out: bufio.NewWriterSize(w, 1<<20)}
	g.goods.init(g.rnd)
	snap := s.Snap
	if snap <= 0 {
		snap = 262144
	}
	h := make([]byte, 24)
	binary.LittleEndian.PutUint32(h, 0xa1b23c4d) // ns
	binary.LittleEndian.PutUint16(h[4:], 2)
	binary.LittleEndian.PutUint16(h[6:], 4)
	binary.LittleEndian.PutUint32(h[16:], uint32(snap))
	binary.LittleEndian.PutUint32(h[20:], 1)
	g.write(h)
	conns := make([]*shopConn, min(s.Connections, s.Transactions))
	for i := range conns {
		conns[i] = &shopConn{ts: Epoch + g.between(g.gap())}
	}
	for len(conns) > 0 {
		// The connection whose next packet is due first.
		k := 0
		for i, c := range conns {
			if c.due() < conns[k].due() {
				k = i
			}
		}
		if c := conns[k]; !g.step(c) {
			conns[k] = conns[len(conns)-1]
			conns = conns[:len(conns)-1]
		}
	}
	if err := g.out.Flush(); g.err == nil {
		g.err = err
	}
	return g.sum, g.err
}

// shopWriter draws transactions and writes their packets.
type shopWriter struct {
	Shop
	rnd   *rand.Rand
	out   *bufio.Writer
	sum   ShopTotals
	err   error
	goods goods
	begun int
	port  uint16
	ask   []byte
	reply []byte
}

// shopConn is one place for a connection: when it closes, another opens.
type shopConn struct {
	ts      int64
	client  netip.Addr
	visitor int
	ports   [2]uint16
	seq     [2]uint32
	ipid    [2]uint16
	left    int // transactions, 0 when closed
	frames  []shopFrame
	at      int
	bytes   []byte // payloads of frames
}

type shopFrame struct {
	ts       int64
	from     int
	flags    byte
	off, n   int
	seq, ack uint32
}

func (c *shopConn) due() int64 {
	if c.at < len(c.frames) {
		return c.frames[c.at].ts
	}
	return c.ts
}

// gap is the mean time between two transactions of one connection, ns.
func (g *shopWriter) gap() int64 { return int64(g.Connections) * 1e9 / int64(g.Rate) }

func (g *shopWriter) between(mean int64) int64 { return int64(g.rnd.ExpFloat64() * float64(mean)) }

// step writes the next packet of c, drawing what follows when there is none;
// false when nothing follows.
func (g *shopWriter) step(c *shopConn) bool {
	if c.at == len(c.frames) {
		c.frames, c.at, c.bytes = c.frames[:0], 0, c.bytes[:0]
		if g.err != nil || g.begun >= g.Transactions && c.left == 0 {
			return false
		}
		if c.left == 0 {
			g.open(c)
		}
		g.transaction(c)
	}
	g.packet(c, &c.frames[c.at])
	c.at++
	return true
}

func (c *shopConn) add(from int, flags byte, payload []byte, after int64) {
	c.ts += after
	off := len(c.bytes)
	c.bytes = append(c.bytes, payload...)
	c.frames = append(c.frames, shopFrame{c.ts, from, flags, off, len(payload), c.seq[from], c.seq[1-from]})
	c.seq[from] += uint32(len(payload))
	if flags&(SYN|FIN) != 0 {
		c.seq[from]++
	}
}

func (c *shopConn) send(from int, b []byte) {
	after := int64(60_000)
	for len(b) > 0 {
		n := min(shopMSS, len(b))
		flags := byte(ACK)
		if n == len(b) {
			flags |= PSH
		}
		c.add(from, flags, b[:n], after)
		b, after = b[n:], 12_000
	}
}

func (g *shopWriter) open(c *shopConn) {
	c.visitor = g.rnd.IntN(g.Clients)
	// Documentation and benchmark prefixes would be odd to half of the
	// programs; these are of the reserved block 240.0.0.0/4.
	c.client = netip.AddrFrom4([4]byte{240, byte(10 + c.visitor>>14), byte(c.visitor >> 7), byte(1 + c.visitor&127)})
	g.port++
	c.ports = [2]uint16{20000 + g.port%40000, shopPort}
	c.seq = [2]uint32{g.rnd.Uint32(), g.rnd.Uint32()}
	c.left = 1 + int(g.between(int64(g.Keep-1)))
	c.left = max(1, min(c.left, g.Transactions-g.begun))
	g.begun += c.left
	g.sum.Connections++
	c.add(0, SYN, nil, 0)
	c.add(1, SYN|ACK, nil, 180_000)
	c.add(0, ACK, nil, 20_000)
}

// transaction draws one request and its response.
func (g *shopWriter) transaction(c *shopConn) {
	last := c.left == 1
	g.ask, g.reply = g.goods.draw(g.rnd, c.visitor, g.sum.Transactions, last, g.ask[:0], g.reply[:0])
	c.send(0, g.ask)
	c.ts += 400_000 + g.between(3_000_000)
	c.send(1, g.reply)
	c.add(0, ACK, nil, 90_000)
	g.sum.Transactions++
	if c.left--; c.left == 0 {
		c.add(1, ACK|FIN, nil, 30_000)
		c.add(0, ACK|FIN, nil, 60_000)
		c.add(1, ACK, nil, 40_000)
	}
	c.ts += g.between(g.gap() - 4_000_000)
}

func (g *shopWriter) packet(c *shopConn, f *shopFrame) {
	var b [16 + 14 + 20 + 32]byte
	total := 14 + 20 + 32 + f.n
	kept := total
	if g.Snap > 0 {
		kept = min(kept, g.Snap)
	}
	binary.LittleEndian.PutUint32(b[0:], uint32(f.ts/1e9))
	binary.LittleEndian.PutUint32(b[4:], uint32(f.ts%1e9))
	binary.LittleEndian.PutUint32(b[8:], uint32(kept))
	binary.LittleEndian.PutUint32(b[12:], uint32(total))
	eth, ip, tcp := b[16:30], b[30:50], b[50:]
	copy(eth, []byte{2, 0, 0, 0, 0, byte(2 - f.from), 2, 0, 0, 0, 0, byte(1 + f.from), 8, 0})
	client, server := c.client.As4(), [4]byte{240, 9, 0, 1}
	ip[0], ip[6], ip[8], ip[9] = 0x45, 0x40, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(total-14))
	c.ipid[f.from]++
	binary.BigEndian.PutUint16(ip[4:], c.ipid[f.from])
	if f.from == 0 {
		copy(ip[12:], client[:])
		copy(ip[16:], server[:])
	} else {
		copy(ip[12:], server[:])
		copy(ip[16:], client[:])
	}
	binary.BigEndian.PutUint16(ip[10:], ^fold(sum16(0, ip)))
	binary.BigEndian.PutUint16(tcp, c.ports[f.from])
	binary.BigEndian.PutUint16(tcp[2:], c.ports[1-f.from])
	binary.BigEndian.PutUint32(tcp[4:], f.seq)
	if f.flags&ACK != 0 {
		binary.BigEndian.PutUint32(tcp[8:], f.ack)
	}
	tcp[12], tcp[13] = 8<<4, f.flags
	binary.BigEndian.PutUint16(tcp[14:], 0xfaf0)
	tcp[20], tcp[21], tcp[22], tcp[23] = 1, 1, 8, 10 // timestamps
	binary.BigEndian.PutUint32(tcp[24:], uint32(f.ts/1e6))
	payload := c.bytes[f.off : f.off+f.n]
	sum := sum16(uint64(6+32+f.n), ip[12:20])
	sum = sum16(sum, tcp)
	binary.BigEndian.PutUint16(tcp[16:], ^fold(sum16(sum, payload)))
	head := b[:16+min(kept, 66)]
	g.write(head)
	if kept > 66 {
		g.write(payload[:kept-66])
	}
	g.sum.Packets++
}

func (g *shopWriter) write(b []byte) {
	if g.err == nil {
		_, g.err = g.out.Write(b)
		g.sum.Bytes += int64(len(b))
	}
}

// sum16 adds up big-endian words, as the internet checksum wants.
func sum16(sum uint64, b []byte) uint64 {
	for ; len(b) >= 4; b = b[4:] {
		sum += uint64(binary.BigEndian.Uint32(b))
	}
	if len(b) >= 2 {
		sum += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	return sum
}

func fold(sum uint64) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
