package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"xiezhi/internal/source/live/filter"
	"xiezhi/internal/wire"
)

const (
	blockSize  = 1 << 20
	frameSize  = 2048 // only a divisor of blocks in this version of the ring
	retireTime = 10   // ms after which a block that is not full is given out
	vlanTag    = 4
	lookAgain  = time.Second // for an interface that is gone
)

// socket is one AF_PACKET socket and the ring it shares with the kernel.
type socket struct {
	cfg   *Config
	fd    int
	link  uint32
	index int
	loop  bool
	alone bool // the only ring of its interface
	prog  []bpf.RawInstruction

	mem    []byte
	blocks int
	cur    int

	dropped uint64
	down    uint64
	gone    bool
	looked  time.Time
}

func openRings(cfg *Config) (rings []ring, err error) {
	ifi, err := net.InterfaceByName(cfg.Interface)
	if err != nil {
		return nil, noInterface(cfg.Interface)
	}
	defer func() {
		if err != nil {
			for _, r := range rings {
				r.close()
			}
			rings = nil
		}
	}()
	group := 0
	for i := range cfg.Rings {
		s := &socket{cfg: cfg, fd: -1, index: ifi.Index, loop: ifi.Flags&net.FlagLoopback != 0, alone: cfg.Rings == 1}
		rings = append(rings, s)
		if err := s.open(ifi.Name, cfg.Buffer/2/int64(cfg.Rings)); err != nil {
			return rings, err
		}
		if cfg.Rings > 1 {
			if group, err = s.join(group, i == 0); err != nil {
				return rings, fmt.Errorf("divide %s among rings: %w", cfg.Interface, err)
			}
		}
	}
	return rings, nil
}

func noInterface(name string) error {
	all, _ := net.Interfaces()
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	return fmt.Errorf("there is no interface %q; there are %s", name, strings.Join(names, ", "))
}

func htons(v uint16) uint16 { return v<<8 | v>>8 }

// open makes the socket and its ring. A filter that keeps nothing stands
// before the socket is bound, so that nothing comes in before start.
func (s *socket) open(name string, buffer int64) (err error) {
	hardware, err := hardwareType(name)
	if err != nil {
		return err
	}
	kind := unix.SOCK_RAW
	s.link = wire.LinkEthernet
	o := filter.Options{Link: filter.Ethernet, Metadata: true, Snap: uint32(max(s.cfg.Snap, 0))}
	if hardware != unix.ARPHRD_ETHER && hardware != unix.ARPHRD_LOOPBACK {
		// Point to point, tunnels …: the kernel takes their own header off.
		kind, s.link, o.Link = unix.SOCK_DGRAM, wire.LinkRaw, filter.Raw
	}
	prog, err := filter.Compile(s.cfg.Filter, o)
	if err != nil {
		return err
	}
	if s.prog, err = bpf.Assemble(prog); err != nil {
		return err
	}
	if s.fd, err = unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, 0); err != nil {
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			return ErrPrivilege
		}
		return fmt.Errorf("open a packet socket: %w", err)
	}
	if err := s.attach([]bpf.RawInstruction{{Op: unix.BPF_RET | unix.BPF_K}}); err != nil {
		return fmt.Errorf("attach a filter: %w", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("this kernel has no TPACKET_V3: %w", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, vlanTag); err != nil {
		return fmt.Errorf("reserve room for VLAN tags: %w", err)
	}
	if s.loop {
		// What is sent to oneself is seen twice; older kernels do not know
		// this option, so read looks, too.
		_ = unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	s.blocks = int(max(2, buffer/blockSize))
	req := unix.TpacketReq3{Block_size: blockSize, Block_nr: uint32(s.blocks), Frame_size: frameSize,
		Frame_nr: uint32(s.blocks) * (blockSize / frameSize), Retire_blk_tov: retireTime}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("make a ring of %d MiB: %w", s.blocks, err)
	}
	if s.mem, err = unix.Mmap(s.fd, 0, s.blocks*blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("map the ring: %w", err)
	}
	if err := s.bind(); err != nil {
		return fmt.Errorf("bind to %s: %w", s.cfg.Interface, err)
	}
	return nil
}

// bind ties the socket to the interface and asks that for all packets.
func (s *socket) bind() error {
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: s.index}); err != nil {
		return err
	}
	if s.loop {
		return nil
	}
	// Not every interface can be made promiscuous; what it gives is taken.
	_ = unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
		&unix.PacketMreq{Ifindex: int32(s.index), Type: unix.PACKET_MR_PROMISC})
	return nil
}

func hardwareType(name string) (uint16, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("ask for the kind of %s: %w", name, err)
	}
	defer func() { _ = unix.Close(fd) }()
	req, err := unix.NewIfreq(name)
	if err != nil {
		return 0, fmt.Errorf("interface %q: %w", name, err)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, req); err != nil {
		return 0, fmt.Errorf("ask for the kind of %s: %w", name, err)
	}
	return req.Uint16(), nil // the family of the address
}

func (s *socket) attach(prog []bpf.RawInstruction) error {
	return unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, program(prog))
}

func program(prog []bpf.RawInstruction) *unix.SockFprog {
	list := make([]unix.SockFilter, len(prog))
	for i, in := range prog {
		list[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return &unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]}
}

// join adds the socket to those that share the interface's connections. The
// kernel joins IPv4 fragments before it divides.
func (s *socket) join(group int, first bool) (int, error) {
	flags := unix.PACKET_FANOUT_CBPF | unix.PACKET_FANOUT_FLAG_DEFRAG
	if s.loop {
		flags |= unix.PACKET_FANOUT_FLAG_IGNORE_OUTGOING
	}
	if first {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, (flags|unix.PACKET_FANOUT_FLAG_UNIQUEID)<<16); err != nil {
			return 0, err
		}
		v, err := unix.GetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
		if err != nil {
			return 0, err
		}
		prog, err := bpf.Assemble(fanout(fromNetwork, bpf.LoadExtension{Num: bpf.ExtProto}))
		if err != nil {
			return 0, err
		}
		return v & 0xffff, unix.SetsockoptSockFprog(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, program(prog))
	}
	return group, unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, flags<<16|group)
}

func (s *socket) start() error {
	if _, err := unix.GetsockoptTpacketStatsV3(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err != nil {
		return err
	}
	return s.attach(s.prog)
}

func (s *socket) stop() error {
	return s.attach([]bpf.RawInstruction{{Op: unix.BPF_RET | unix.BPF_K}})
}

func (s *socket) counts() (dropped, down uint64, err error) {
	if s.fd < 0 {
		return s.dropped, s.down, nil
	}
	// Reading sets them to zero.
	st, err := unix.GetsockoptTpacketStatsV3(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return s.dropped, s.down, err
	}
	s.dropped += uint64(st.Drops)
	return s.dropped, s.down, nil
}

func (s *socket) close() {
	if s.mem != nil {
		_ = unix.Munmap(s.mem)
		s.mem = nil
	}
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
		s.fd = -1
	}
}

// Layout of a block and of a packet's header in it (linux/if_packet.h).
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16

	headNext   = 0
	headSec    = 4
	headNsec   = 8
	headSnap   = 12
	headLen    = 16
	headStatus = 20
	headMAC    = 24
	headTCI    = 32
	headTPID   = 36
	headKind   = unix.SizeofTpacket3Hdr + 10 // packet type of the address behind the header
)

func (s *socket) read(wait time.Duration, take func(p *packet) error) (int, error) {
	block := s.mem[s.cur*blockSize : (s.cur+1)*blockSize : (s.cur+1)*blockSize]
	status := (*uint32)(unsafe.Pointer(&block[blockStatus]))
	if atomic.LoadUint32(status)&unix.TP_STATUS_USER == 0 {
		if err := s.poll(wait); err != nil {
			return 0, err
		}
		if atomic.LoadUint32(status)&unix.TP_STATUS_USER == 0 {
			return 0, nil
		}
	}
	n := int(binary.NativeEndian.Uint32(block[blockPackets:]))
	off := binary.NativeEndian.Uint32(block[blockFirst:])
	var p packet
	for range n {
		if err := s.packet(block[off:], &p); err != nil {
			return 0, err
		}
		if p.data != nil {
			if err := take(&p); err != nil {
				return 0, err
			}
		}
		off += binary.NativeEndian.Uint32(block[off+headNext:])
	}
	atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
	s.cur = (s.cur + 1) % s.blocks
	return n, nil
}

// packet reads one record; p.data is nil for one that is not wanted.
func (s *socket) packet(b []byte, p *packet) error {
	u32 := binary.NativeEndian.Uint32
	mac, size := uint32(binary.NativeEndian.Uint16(b[headMAC:])), u32(b[headSnap:])
	if uint64(mac)+uint64(size) > uint64(len(b)) {
		return errors.New("a record of the ring reaches beyond its block")
	}
	if s.loop && b[headKind] == unix.PACKET_OUTGOING {
		p.data = nil
		return nil
	}
	p.ts = int64(u32(b[headSec:]))*1e9 + int64(u32(b[headNsec:]))
	p.link, p.wire = s.link, int(u32(b[headLen:]))
	p.data = b[mac : mac+size : mac+size]
	if st := u32(b[headStatus:]); st&unix.TP_STATUS_VLAN_VALID != 0 && s.link == wire.LinkEthernet && size >= 12 && mac >= vlanTag {
		// The network card took the tag out; it goes back to its place.
		tpid := uint16(0x8100)
		if st&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
			tpid = binary.NativeEndian.Uint16(b[headTPID:])
		}
		start := mac - vlanTag
		p.data = b[start : mac+size : mac+size]
		copy(p.data, p.data[vlanTag:vlanTag+12])
		binary.BigEndian.PutUint16(p.data[12:], tpid)
		binary.BigEndian.PutUint16(p.data[14:], uint16(u32(b[headTCI:])))
		p.wire += vlanTag
	}
	return nil
}

// poll waits for a block and notices when the interface goes down or away.
func (s *socket) poll(wait time.Duration) error {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN | unix.POLLERR}}
	_, err := unix.Poll(fds, int(wait/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for packets: %w", err)
	}
	if fds[0].Revents&unix.POLLERR != 0 {
		code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		switch {
		case err != nil:
			return fmt.Errorf("wait for packets: %w", err)
		case code == int(unix.ENETDOWN):
			s.down++
			s.gone = true // or only down: looked at below
			s.cfg.Warn(s.cfg.Interface + " is down; waiting for it")
		case code != 0:
			return fmt.Errorf("wait for packets: %w", unix.Errno(code))
		}
	}
	if s.gone && s.cfg.Now().Sub(s.looked) >= lookAgain {
		s.looked = s.cfg.Now()
		return s.look()
	}
	return nil
}

// look looks for the interface after it went down: it may be up again, or be
// another one of the same name, to which the socket has to be tied anew.
func (s *socket) look() error {
	ifi, err := net.InterfaceByName(s.cfg.Interface)
	if err != nil || ifi.Flags&net.FlagUp == 0 {
		return nil //nolint:nilerr // not there yet
	}
	if ifi.Index != s.index {
		if !s.alone {
			return errors.New("the interface was removed and made again; several rings cannot be tied to it anew: start again")
		}
		s.index = ifi.Index
		if err := s.bind(); err != nil {
			return fmt.Errorf("bind to the new interface: %w", err)
		}
	}
	s.gone = false
	s.cfg.Warn(s.cfg.Interface + " is up again")
	return nil
}
