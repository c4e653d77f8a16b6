package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"pgregory.net/rapid"
)

// tcpdumpProgram is what tcpdump compiles an expression to, for a file of a
// link type.
func tcpdumpProgram(file, expr string) ([]bpf.Instruction, error) {
	out, err := exec.Command("tcpdump", "-ddd", "-r", file, expr).Output()
	if err != nil {
		var e *exec.ExitError
		if errors.As(err, &e) {
			return nil, fmt.Errorf("%s", e.Stderr)
		}
		return nil, err
	}
	var raw []bpf.RawInstruction
	for i, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if i == 0 {
			continue // their number
		}
		var op, jt, jf, k uint64
		for j, f := range strings.Fields(line) {
			v, err := strconv.ParseUint(f, 10, 32)
			if err != nil {
				return nil, err
			}
			*[]*uint64{&op, &jt, &jf, &k}[j] = v
		}
		raw = append(raw, bpf.RawInstruction{Op: uint16(op), Jt: uint8(jt), Jf: uint8(jf), K: uint32(k)})
	}
	prog, ok := bpf.Disassemble(raw)
	if !ok {
		return nil, fmt.Errorf("unknown instructions in %q", out)
	}
	return prog, nil
}

func emptyCapture(t *testing.T, link uint32) string {
	h := make([]byte, 24)
	binary.LittleEndian.PutUint32(h, 0xa1b2c3d4)
	binary.LittleEndian.PutUint16(h[4:], 2)
	binary.LittleEndian.PutUint16(h[6:], 4)
	binary.LittleEndian.PutUint32(h[16:], 262144)
	binary.LittleEndian.PutUint32(h[20:], link)
	name := filepath.Join(t.TempDir(), "empty.pcap")
	if err := os.WriteFile(name, h, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

var (
	someAddr = rapid.SampledFrom([]string{"10.0.0.1", "10.0.0.2", "10.1.0.1", "192.168.1.1", "2001:db8::1", "2001:db8::2", "2001:db8:1::1", "::1"})
	somePort = rapid.SampledFrom([]uint16{0, 53, 80, 81, 443, 8080, 65535})
)

func genPacket(t *rapid.T) packet {
	p := packet{src: someAddr.Draw(t, "src"), sport: somePort.Draw(t, "sport"), dport: somePort.Draw(t, "dport")}
	v6 := strings.Contains(p.src, ":")
	p.dst = someAddr.Filter(func(s string) bool { return strings.Contains(s, ":") == v6 }).Draw(t, "dst")
	p.proto = rapid.SampledFrom([]byte{protoTCP, protoTCP, protoUDP, protoICMP, protoICMP6, protoSCTP, 47}).Draw(t, "proto")
	p.pad = rapid.SampledFrom([]int{0, 400, 1000}).Draw(t, "pad")
	switch {
	case v6:
		p.fragment = rapid.SampledFrom([]byte{0, 0, protoTCP, protoUDP, protoICMP6}).Draw(t, "fragment")
	default:
		p.arp = rapid.IntRange(0, 5).Draw(t, "arp") == 0
		p.offset = rapid.SampledFrom([]uint16{0, 0, 0, 1, 0x2000, 0x4000, 0x3fff}).Draw(t, "offset")
		p.options = rapid.SampledFrom([]int{0, 0, 1, 10}).Draw(t, "options")
	}
	p.vlans = rapid.SliceOfN(rapid.SampledFrom([]uint16{1, 5, 0x6005, 4095}), 0, 2).Draw(t, "vlans")
	p.tpid = rapid.SampledFrom([]uint16{0x8100, 0x88a8, 0x9100}).Draw(t, "tpid")
	return p
}

// genExpression draws what both compilers understand.
func genExpression(t *rapid.T, depth int, vlan bool) string {
	if depth > 0 {
		switch rapid.IntRange(0, 5).Draw(t, "shape") {
		case 0, 1:
			op := rapid.SampledFrom([]string{" and ", " or ", " && ", " || "}).Draw(t, "op")
			return genExpression(t, depth-1, vlan) + op + genExpression(t, depth-1, vlan)
		case 2:
			return "(" + genExpression(t, depth-1, vlan) + ")"
		case 3:
			return rapid.SampledFrom([]string{"not ", "! "}).Draw(t, "not") + genExpression(t, depth-1, vlan)
		}
	}
	dir := rapid.SampledFrom([]string{"", "src ", "dst ", "src or dst ", "src and dst "}).Draw(t, "dir")
	proto := rapid.SampledFrom([]string{"", "", "tcp ", "udp ", "sctp "}).Draw(t, "transport")
	p := somePort.Draw(t, "port")
	switch rapid.IntRange(0, 8).Draw(t, "primitive") {
	case 0:
		return rapid.SampledFrom([]string{"ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6"}).Draw(t, "protocol")
	case 1, 2:
		a := someAddr.Draw(t, "host")
		family := "ip "
		if strings.Contains(a, ":") {
			family = "ip6 "
		}
		return rapid.SampledFrom([]string{"", family}).Draw(t, "family") + dir + "host " + a
	case 3:
		return dir + "net " + rapid.SampledFrom([]string{"10", "10.0.0", "10.0.0.0/31", "10.0.0.0/8", "192.168.0.0/16", "10.0.0.0 mask 255.0.0.0", "2001:db8::/32", "2001:db8::/47", "2001:db8::/126", "2001:db8::/64"}).Draw(t, "net")
	case 4, 5:
		return fmt.Sprintf("%s%sport %d", proto, dir, p)
	case 6:
		q := somePort.Draw(t, "to")
		return fmt.Sprintf("%s%sportrange %d-%d", proto, dir, min(p, q), max(p, q))
	case 7:
		return fmt.Sprintf("%s%sport %d or %d", proto, dir, p, somePort.Draw(t, "another"))
	}
	if vlan {
		return rapid.SampledFrom([]string{"vlan", "vlan 5", "vlan 1"}).Draw(t, "vlan")
	}
	return rapid.SampledFrom([]string{"less 300", "greater 300", "less 1000"}).Draw(t, "length")
}

// TestDecidesAsTcpdump compares decisions with those of tcpdump's compiler.
func TestDecidesAsTcpdump(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump is not installed")
	}
	ether, raw := emptyCapture(t, 1), emptyCapture(t, 101)
	if _, err := tcpdumpProgram(ether, "tcp port 80"); err != nil {
		t.Skipf("tcpdump does not compile filters here: %v", err)
	}
	compared, refused, taken := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		file, o := ether, Options{}
		isRaw := rapid.IntRange(0, 4).Draw(t, "link") == 0
		if isRaw {
			file, o.Link = raw, Raw
		}
		expr := genExpression(t, rapid.IntRange(0, 3).Draw(t, "depth"), !isRaw)
		theirs, err := tcpdumpProgram(file, expr)
		if err != nil {
			// It refuses what can never be, as "tcp and udp".
			if !strings.Contains(err.Error(), "expression rejects all packets") {
				t.Fatalf("%q: tcpdump: %v", expr, err)
			}
			refused++
			theirs = []bpf.Instruction{bpf.RetConstant{Val: 0}}
		}
		ours, err := Compile(expr, o)
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		for range 30 {
			p := genPacket(t)
			if isRaw {
				p.raw, p.arp, p.vlans = true, false, nil
			}
			b := p.bytes()
			have, want := decide(t, ours, b), decide(t, theirs, b)
			if have != want {
				t.Fatalf("%q on %+v: %v, tcpdump %v", expr, p, have, want)
			}
			compared++
			if have {
				taken++
			}
		}
	})
	t.Logf("%d decisions compared, %d of them to keep; %d expressions that keep nothing", compared, taken, refused)
}
