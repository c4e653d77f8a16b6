package live

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/pcap/pcaptest"
	"xiezhi/internal/taxonomy"
)

// TestNetwork runs the tests below in a network namespace of its own, as a
// second process of this test binary.
func TestNetwork(t *testing.T) {
	if os.Getenv("XIEZHI_TEST_NAMESPACE") == "" {
		if _, err := exec.LookPath("ip"); err != nil {
			t.Skip("ip (iproute2) is not installed: no network to test with can be made")
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestNetwork$", "-test.v", "-test.timeout=120s")
		cmd.Env = append(os.Environ(), "XIEZHI_TEST_NAMESPACE=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if os.Geteuid() != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		}
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Skipf("a network namespace cannot be made (root, or user namespaces, are needed): %v", err)
		}
		t.Logf("%s", out)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, args := range []string{"link set lo up", "link add va type veth peer name vb", "link set va up", "link set vb up"} {
		ip(t, args)
	}
	t.Run("found", testFound)
	t.Run("rings", testRings)
	t.Run("counted", testCounted)
	t.Run("tags", testTags)
	t.Run("snapped", testSnapped)
	t.Run("loopback", testLoopback)
	t.Run("down", testDown)
	t.Run("removed", testRemoved)
	t.Run("tunnel", testTunnelInterface)
	t.Run("tcpreplay", testReplay)
}

func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// injector puts frames onto an interface.
type injector struct {
	fd int
	to unix.SockaddrLinklayer
}

func inject(t *testing.T, name string) *injector {
	t.Helper()
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return &injector{fd, unix.SockaddrLinklayer{Ifindex: ifi.Index}}
}

func (j *injector) send(t *testing.T, frames ...[]byte) {
	t.Helper()
	for _, f := range frames {
		for {
			err := unix.Sendto(j.fd, f, 0, &j.to)
			if errors.Is(err, unix.ENOBUFS) {
				time.Sleep(time.Millisecond)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
}

// shopFrames are the packets of a generated capture.
func shopFrames(t *testing.T, transactions int) [][]byte {
	t.Helper()
	var img bytes.Buffer
	if _, err := (pcaptest.Shop{Transactions: transactions, Connections: 16, Keep: 10, Seed: uint64(transactions)}).Write(&img); err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for b := img.Bytes()[24:]; len(b) > 0; {
		n := int(binary.LittleEndian.Uint32(b[8:]))
		out = append(out, b[16:16+n])
		b = b[16+n:]
	}
	return out
}

// running is a Source that runs until it is ended.
type running struct {
	s      *Source
	cancel context.CancelFunc
	done   chan error
	ledger source.Ledger
	count  atomic.Int64
	last   atomic.Pointer[string]
	back   chan struct{} // the interface is up again
}

func run(t *testing.T, cfg Config) *running {
	t.Helper()
	back := make(chan struct{}, 8)
	cfg.Warn = func(s string) {
		t.Log(s)
		if strings.HasSuffix(s, "is up again") {
			back <- struct{}{}
		}
	}
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{s: s, cancel: cancel, done: make(chan error, 1), back: back}
	go func() {
		r.done <- s.Run(ctx, source.SinkFunc(func(x *exchange.Exchange) error {
			r.count.Add(1)
			text := string(x.Method) + " " + string(x.Target) + " " + strconv.Itoa(x.Status)
			r.last.Store(&text)
			return nil
		}), &r.ledger)
	}()
	<-s.begun
	return r
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.cancel()
	select {
	case err := <-r.done:
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the source does not end")
	}
}

// await waits until the sink has n exchanges.
func (r *running) await(t *testing.T, n int64) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); r.count.Load() < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d exchanges, want %d", r.count.Load(), n)
		}
	}
}

// awaitBack waits until the interface is read again.
func (r *running) awaitBack(t *testing.T) {
	t.Helper()
	select {
	case <-r.back:
	case <-time.After(20 * time.Second):
		t.Fatal("the interface is not taken up again")
	}
}

// books checks that nothing is lost without a count.
func (r *running) books(t *testing.T, packets, transactions int) {
	t.Helper()
	st := r.s.Stats()
	if st.Seen+st.Dropped != uint64(packets) {
		t.Errorf("%d packets sent, %d seen + %d dropped", packets, st.Seen, st.Dropped)
	}
	if q := r.ledger.Totals().Quality[source.QualityKey{Code: taxonomy.QualityPacketsDropped, Detail: r.s.cfg.Interface}]; q != st.Dropped {
		t.Errorf("%d drops reported, %d counted", q, st.Dropped)
	}
	if st.Dropped == 0 && int(r.count.Load())+int(st.Shed) != transactions {
		t.Errorf("%d exchanges and %d shed, want %d", r.count.Load(), st.Shed, transactions)
	}
}

func testFound(t *testing.T) {
	frames := shopFrames(t, 2000)
	r := run(t, Config{Interface: "vb", Filter: "tcp port 8080"})
	inject(t, "va").send(t, frames...)
	r.await(t, 1500)
	r.end(t)
	r.books(t, len(frames), 2000)
}

func testRings(t *testing.T) {
	frames := shopFrames(t, 2000)
	r := run(t, Config{Interface: "vb", Filter: "tcp port 8080", Rings: 3})
	inject(t, "va").send(t, frames...)
	r.await(t, 1500)
	r.end(t)
	r.books(t, len(frames), 2000)
	for i := range r.s.decoder {
		if r.s.decoder[i].Emitted < 100 {
			t.Errorf("ring %d has %d exchanges of 2000", i, r.s.decoder[i].Emitted)
		}
	}
}

// testCounted sends more than fits before anybody reads.
func testCounted(t *testing.T) {
	cfg := Config{Interface: "vb", Filter: "tcp", Rings: 1, Buffer: 4 << 20, Now: time.Now, Warn: func(string) {}}
	rings, err := openRings(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer rings[0].close()
	if err := rings[0].start(); err != nil {
		t.Fatal(err)
	}
	frames := shopFrames(t, 2000)
	inject(t, "va").send(t, frames...)
	if err := rings[0].stop(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for {
		n, err := rings[0].read(pollTime, func(*packet) error { seen++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	dropped, _, err := rings[0].counts()
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 || dropped == 0 || seen+int(dropped) != len(frames) {
		t.Errorf("%d packets sent, %d seen, %d dropped", len(frames), seen, dropped)
	}
}

// tagged puts VLAN tags into a frame.
func tagged(f []byte, tags ...uint16) []byte {
	out := append([]byte(nil), f[:12]...)
	for _, v := range tags {
		out = binary.BigEndian.AppendUint16(append(out, 0x81, 0), v)
	}
	return append(out, f[12:]...)
}

func testTags(t *testing.T) {
	frame := shopFrames(t, 1)[3]
	sent := [][]byte{frame, tagged(frame, 5), tagged(frame, 0x6007), tagged(frame, 9, 5)}
	for _, tt := range []struct {
		filter string
		want   []int
	}{
		{"tcp", []int{0, 1, 2}}, // as tcpdump: the kernel looks behind the tag that the card took out
		{"vlan", []int{1, 2, 3}},
		{"vlan 5", []int{1}},
		{"vlan 7 and tcp port 8080", []int{2}},
		{"vlan 9 and vlan 5 and tcp", []int{3}},
		{"tcp and not vlan", []int{0}},
	} {
		cfg := Config{Interface: "vb", Filter: tt.filter, Rings: 1, Buffer: 8 << 20, Now: time.Now, Warn: func(string) {}}
		rings, err := openRings(&cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := rings[0].start(); err != nil {
			t.Fatal(err)
		}
		inject(t, "va").send(t, sent...)
		var got [][]byte
		for {
			n, err := rings[0].read(pollTime, func(p *packet) error {
				if p.wire != len(p.data) || p.ts == 0 {
					t.Errorf("%+v", p)
				}
				if !bytes.Contains(p.data, []byte("HTTP/1.1")) {
					return nil // the kernel's own chatter
				}
				got = append(got, bytes.Clone(p.data))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		rings[0].close()
		var want [][]byte
		for _, i := range tt.want {
			want = append(want, sent[i])
		}
		if len(got) != len(want) {
			t.Errorf("%q: %d packets, want %d", tt.filter, len(got), len(want))
			continue
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("%q: packet %d is %x, want %x", tt.filter, i, got[i][:24], want[i][:24])
			}
		}
	}
}

func testSnapped(t *testing.T) {
	frames := shopFrames(t, 50)
	r := run(t, Config{Interface: "vb", Filter: "tcp port 8080", Snap: 96})
	inject(t, "va").send(t, frames...)
	r.end(t)
	long := uint64(0)
	for _, f := range frames {
		if len(f) > 96 {
			long++
		}
	}
	if d := r.s.decoder[0]; d.Packets != uint64(len(frames)) || d.Snapped != long {
		t.Errorf("%d of %d packets, %d of %d cut", d.Packets, len(frames), d.Snapped, long)
	}
}

// testLoopback talks over lo, where every packet passes twice and is as large
// as the kernel likes.
func testLoopback(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		_, _ = w.Write(bytes.Repeat([]byte("x"), n))
	})}
	go func() { _ = srv.Serve(l) }()
	defer func() { _ = srv.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	r := run(t, Config{Interface: "lo", Filter: "port " + port})
	const requests = 60
	for i := range requests {
		resp, err := http.Get(fmt.Sprintf("http://%s/items/%d?n=%d", l.Addr(), i, 5000*i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	r.await(t, requests)
	r.end(t)
	d := r.s.decoder[0]
	// A kernel under load probes once more for an acknowledgement now and then.
	if n := r.count.Load(); n != requests || d.Duplicates*50 > d.Packets || d.BodiesCut != 0 || *r.last.Load() != fmt.Sprintf("GET /items/%d?n=%d 200", requests-1, 5000*(requests-1)) {
		t.Errorf("%d exchanges, the last %q, %d duplicates, %d cut", n, *r.last.Load(), d.Duplicates, d.BodiesCut)
	}
}

func testDown(t *testing.T) {
	frames := shopFrames(t, 200)
	r := run(t, Config{Interface: "vb", Filter: "tcp port 8080"})
	j := inject(t, "va")
	j.send(t, frames...)
	r.await(t, 150)
	ip(t, "link set vb down")
	time.Sleep(300 * time.Millisecond)
	ip(t, "link set vb up")
	r.awaitBack(t)
	k := pcaptest.NewTalk("10.0.0.1:4000", "10.0.0.2:8080", pcaptest.Epoch)
	k.Open()
	k.Send(0, []byte("GET /after HTTP/1.1\r\nHost: x\r\n\r\n"), 1000)
	k.Send(1, []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 1000)
	for _, f := range k.Out {
		j.send(t, f.Data)
	}
	r.await(t, 201)
	r.end(t)
	if *r.last.Load() != "GET /after 200" || r.s.Stats().Down != 1 {
		t.Errorf("%q, %+v", *r.last.Load(), r.s.Stats())
	}
	if p := r.ledger.Totals().Problems; len(p) != 1 || p[0].File != "vb" {
		t.Errorf("%+v", p)
	}
}

func testRemoved(t *testing.T) {
	frames := shopFrames(t, 100)
	r := run(t, Config{Interface: "vb", Filter: "tcp port 8080"})
	inject(t, "va").send(t, frames...)
	r.await(t, 50)
	ip(t, "link del va")
	time.Sleep(300 * time.Millisecond)
	for _, args := range []string{"link add va type veth peer name vb", "link set va up", "link set vb up"} {
		ip(t, args)
	}
	r.awaitBack(t)
	n := r.count.Load()
	inject(t, "va").send(t, shopFrames(t, 101)...) // the same again would be seen twice
	r.await(t, n+50)
	r.end(t)
}

// testTunnelInterface reads an interface without link-layer header.
func testTunnelInterface(t *testing.T) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("/dev/net/tun: %v", err)
	}
	defer func() { _ = unix.Close(fd) }()
	req, err := unix.NewIfreq("tun9")
	if err != nil {
		t.Fatal(err)
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		t.Skipf("make a tunnel interface: %v", err)
	}
	ip(t, "link set tun9 up")
	frames := shopFrames(t, 20)
	r := run(t, Config{Interface: "tun9", Filter: "tcp port 8080"})
	for _, f := range frames {
		if _, err := unix.Write(fd, f[14:]); err != nil {
			t.Fatal(err)
		}
	}
	r.await(t, 15)
	r.end(t)
	r.books(t, len(frames), 20)
}

// testReplay is the measure of the issue: tcpreplay as fast as it can.
func testReplay(t *testing.T) {
	if _, err := exec.LookPath("tcpreplay"); err != nil {
		t.Skip("tcpreplay is not installed")
	}
	name := filepath.Join(t.TempDir(), "shop.pcap")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := pcaptest.Shop{Transactions: 10000}.Write(f)
	if e := f.Close(); err != nil || e != nil {
		t.Fatal(err, e)
	}
	r := run(t, Config{Interface: "vb", Filter: "tcp port 8080"})
	out, err := exec.Command("tcpreplay", "--topspeed", "--quiet", "-i", "va", name).CombinedOutput()
	if err != nil {
		t.Fatalf("tcpreplay: %v: %s", err, out)
	}
	r.end(t)
	sent := regexp.MustCompile(`Successful packets:\s+(\d+)`).FindSubmatch(out)
	if sent == nil || string(sent[1]) != strconv.Itoa(sum.Packets) {
		t.Fatalf("tcpreplay sent something else: %s", out)
	}
	r.books(t, sum.Packets, sum.Transactions)
	t.Logf("%+v, %d transactions found of %d", r.s.Stats(), r.count.Load(), sum.Transactions)
}
