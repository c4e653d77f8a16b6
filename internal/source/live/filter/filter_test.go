package filter

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

// packet is what a test packet is made of.
type packet struct {
	vlans    []uint16 // outer first
	tpid     uint16   // of the outer tag; 0 means 0x8100
	src, dst string
	proto    byte
	sport    uint16
	dport    uint16
	offset   uint16 // IPv4 fragment offset
	options  int    // words of IPv4 options
	fragment byte   // IPv6: the header behind a fragment header, 0 for none
	arp      bool
	raw      bool // no Ethernet header
	pad      int
}

func (p packet) bytes() []byte {
	src, dst := netip.MustParseAddr(p.src), netip.MustParseAddr(p.dst)
	et := uint16(etherTypeIPv4)
	var b []byte
	ports := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, p.sport), p.dport)
	switch {
	case p.arp:
		et = etherTypeARP
		b = append(b, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1)
		b = append(append(b, src.AsSlice()...), 0, 0, 0, 0, 0, 0)
		b = append(b, dst.AsSlice()...)
	case src.Is4():
		ip := make([]byte, 20+4*p.options)
		ip[0], ip[8], ip[9] = byte(0x45+p.options), 64, p.proto
		binary.BigEndian.PutUint16(ip[6:], p.offset)
		copy(ip[12:], src.AsSlice())
		copy(ip[16:], dst.AsSlice())
		b = append(ip, ports...)
	default:
		et = etherTypeIPv6
		ip := make([]byte, 40)
		ip[0], ip[6] = 0x60, p.proto
		copy(ip[8:], src.AsSlice())
		copy(ip[24:], dst.AsSlice())
		if p.fragment != 0 {
			ip[6] = protoFragment
			ip = append(ip, p.fragment, 0, 0, 0, 0, 0, 0, 1)
		}
		b = append(ip, ports...)
	}
	b = append(b, make([]byte, 64+p.pad)...)
	if p.raw {
		return b
	}
	out := make([]byte, 12, 16+len(b))
	for i, v := range p.vlans {
		tpid := uint16(0x8100)
		if i == 0 && p.tpid != 0 {
			tpid = p.tpid
		}
		out = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(out, tpid), v)
	}
	return append(binary.BigEndian.AppendUint16(out, et), b...)
}

// decide runs a program.
func decide(t interface {
	Helper()
	Fatalf(string, ...any)
}, prog []bpf.Instruction, b []byte) bool {
	t.Helper()
	vm, err := bpf.NewVM(prog)
	if err != nil {
		t.Fatalf("the program is refused: %v", err)
	}
	n, err := vm.Run(b)
	if err != nil {
		t.Fatalf("the program fails: %v", err)
	}
	return n > 0
}

var samples = map[string]packet{
	"web":      {src: "10.0.0.7", dst: "192.168.1.1", proto: protoTCP, sport: 41000, dport: 80},
	"answer":   {src: "192.168.1.1", dst: "10.0.0.7", proto: protoTCP, sport: 80, dport: 41000, options: 3},
	"dns":      {src: "10.0.0.7", dst: "10.0.0.53", proto: protoUDP, sport: 5353, dport: 53},
	"ping":     {src: "10.0.0.7", dst: "10.0.0.9", proto: protoICMP},
	"rest":     {src: "10.0.0.7", dst: "192.168.1.1", proto: protoTCP, sport: 41000, dport: 80, offset: 100},
	"web6":     {src: "2001:db8::7", dst: "2001:db8:1::1", proto: protoTCP, sport: 41000, dport: 8080},
	"frag6":    {src: "2001:db8::7", dst: "2001:db8:1::1", fragment: protoTCP, sport: 41000, dport: 8080},
	"arp":      {src: "10.0.0.7", dst: "10.0.0.9", arp: true},
	"vlan5":    {vlans: []uint16{0x2005}, src: "10.0.0.7", dst: "192.168.1.1", proto: protoTCP, sport: 41000, dport: 80},
	"qinq":     {vlans: []uint16{7, 5}, tpid: 0x88a8, src: "10.0.0.7", dst: "192.168.1.1", proto: protoTCP, sport: 41000, dport: 80},
	"big":      {src: "10.9.0.7", dst: "10.9.0.9", proto: protoTCP, sport: 1, dport: 2, pad: 1300},
	"ours4in6": {src: "::ffff:10.0.0.7", dst: "2001:db8::", proto: protoUDP, sport: 80, dport: 81},
}

func TestCompile(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		{"", "answer arp big dns frag6 ours4in6 ping qinq rest vlan5 web web6"},
		{"ip", "answer big dns ping rest web"},
		{"ip6", "frag6 ours4in6 web6"},
		{"arp", "arp"},
		{"tcp", "answer big frag6 rest web web6"},
		{"udp", "dns ours4in6"},
		{"icmp or icmp6", "ping"},
		{"not tcp and not arp", "dns ours4in6 ping qinq vlan5"},
		{"!tcp && !arp", "dns ours4in6 ping qinq vlan5"},
		{"host 10.0.0.7", "answer arp dns ping rest web"},
		{"10.0.0.7", "answer arp dns ping rest web"},
		{"ip host 10.0.0.7", "answer dns ping rest web"},
		{"src host 10.0.0.7", "arp dns ping rest web"},
		{"src 10.0.0.7 and not arp", "dns ping rest web"},
		{"dst host 10.0.0.7", "answer"},
		{"src or dst host 10.0.0.9", "arp ping"},
		{"src and dst net 10.0.0.0/24", "arp dns ping"},
		{"src and dst net 10", "arp big dns ping"},
		{"net 10.9", "big"},
		{"net 192.168.1", "answer rest web"},
		{"net 10.0.0.0 mask 255.255.255.0 and tcp", "answer rest web"},
		{"net 0.0.0.0/0", "answer arp big dns ping rest web"},
		{"host 2001:db8:1::1", "frag6 web6"},
		{"src net 2001:db8::/47", "frag6 web6"},
		{"dst net 2001:db8::/48", "ours4in6"},
		{"port 80", "answer ours4in6 web"},
		{"tcp port 80", "answer web"},
		{"tcp dst port 80", "web"},
		{"dst port 80 or src port 80", "answer ours4in6 web"},
		{"port 80 or 443 or 53", "answer dns ours4in6 web"},
		{"tcp port (80 or 8080)", "answer web web6"},
		{"tcp and port http", "answer web"},
		{"portrange 8000-9000", "web6"},
		{"portrange 9000-8000", "web6"},
		{"udp portrange 50-60", "dns"},
		{"host 10.0.0.9 or 10.0.0.53", "arp dns ping"},
		{"vlan", "qinq vlan5"},
		{"vlan 5", "vlan5"},
		{"vlan 7 and vlan 5 and tcp port 80", "qinq"},
		{"vlan and tcp port 80", "vlan5"},
		{"tcp port 80 or (vlan and tcp port 80)", "answer vlan5 web"},
		{"greater 1000", "big"},
		{"less 110", "arp dns ping qinq rest vlan5 web"},
		// and and or bind alike, from left to right
		{"udp or tcp and port 80", "answer ours4in6 web"},
		{"tcp and port 80 or udp", "answer dns ours4in6 web"},
		{"not (udp or tcp) and not arp", "ping qinq vlan5"},
	} {
		prog, err := Compile(tt.expr, Options{})
		if err != nil {
			t.Errorf("%q: %v", tt.expr, err)
			continue
		}
		if _, err := bpf.Assemble(prog); err != nil {
			t.Errorf("%q: %v", tt.expr, err)
		}
		for name, p := range samples {
			if have, want := decide(t, prog, p.bytes()), strings.Contains(" "+tt.want+" ", " "+name+" "); have != want {
				t.Errorf("%q of %s: %v", tt.expr, name, have)
			}
		}
	}
}

func TestCompileRaw(t *testing.T) {
	for _, expr := range []string{"ip", "ip6", "tcp", "port 80", "host 10.0.0.7", "src net 2001:db8::/32", "arp", "not arp", "udp or icmp"} {
		a, err := Compile(expr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Compile(expr, Options{Link: Raw})
		if err != nil {
			t.Fatal(err)
		}
		for name, p := range samples {
			if p.arp || len(p.vlans) > 0 {
				continue
			}
			q := p
			q.raw = true
			if decide(t, a, p.bytes()) != decide(t, b, q.bytes()) {
				t.Errorf("%q of %s differs without the Ethernet header", expr, name)
			}
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for expr, want := range map[string]string{
		"tcp prot 80":                         `at "prot" (character 5)`,
		"port":                                "a value is missing, at the end of the filter",
		"port 70000":                          "up to 65535",
		"port 80-90":                          "portrange",
		"host example.com":                    "names are not looked up",
		"host 10.0.0":                         "no address",
		"host 10.0.0.0/8":                     "write net",
		"net 10.0.0.1/8":                      "bits are set behind",
		"net 10.0.0.0/33":                     "does not fit",
		"net 10.0.0.0 mask 255.0.255.0":       "holes",
		"tcp host 10.0.0.1":                   "write tcp and host",
		"ip6 host 10.0.0.1":                   "no such addresses",
		"arp port 80":                         "arp has no ports",
		"(tcp":                                "not closed",
		"tcp)":                                `at ")" (character 4)`,
		"tcp and":                             "something is missing",
		"tcp udp":                             "expected and, or",
		"tcp[13] & 2 != 0":                    "not part of the filters",
		"vlan 5000":                           "up to 4095",
		"less x":                              "a length is a number",
		"gateway 10.0.0.1":                    "not known here",
		strings.Repeat("(", 100) + "tcp":      "levels",
		strings.Repeat("not ", 100) + "tcp":   "levels",
		strings.Repeat("tcp or ", 900) + "ip": "4096 bytes",
		"fe80::1%eth0":                        "no address",
	} {
		_, err := Compile(expr, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", expr, err, want)
		}
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%.40q: an error of type %T", expr, err)
		}
	}
	if _, err := Compile("vlan", Options{Link: Raw}); err == nil {
		t.Error("vlan without Ethernet is accepted")
	}
}

// TestLongJumps compiles more than a conditional jump can reach over.
func TestLongJumps(t *testing.T) {
	var parts []string
	for i := range 100 {
		parts = append(parts, "host "+netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}).String())
	}
	expr := strings.Join(parts, " or ")
	prog, err := Compile(expr, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(prog) < 600 {
		t.Fatalf("%d instructions", len(prog))
	}
	for i := range 101 {
		p := packet{src: netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}).String(), dst: "10.2.0.1", proto: protoTCP}
		if decide(t, prog, p.bytes()) != (i < 100) {
			t.Errorf("host %d", i)
		}
	}
	if _, err := Compile(strings.Repeat("port 1 or ", 300)+"port 2", Options{}); err == nil || !strings.Contains(err.Error(), "instructions") {
		t.Errorf("a filter too long for Linux: %v", err)
	}
}

// TestMetadata holds the program for live packets, whose first tag stands
// outside of the bytes, to the one for files, by setting what the virtual
// machine cannot load.
func TestMetadata(t *testing.T) {
	for _, expr := range []string{"vlan", "vlan 5", "vlan 7 and vlan 5 and tcp port 80", "vlan and tcp port 80", "tcp port 80 or (vlan and tcp port 80)", "not vlan and tcp", "port 80"} {
		plain, err := Compile(expr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		live, err := Compile(expr, Options{Metadata: true})
		if err != nil {
			t.Fatal(err)
		}
		for name, p := range samples {
			want := decide(t, plain, p.bytes())
			if have := decide(t, withTag(live, 0, false), p.bytes()); have != want {
				t.Errorf("%q of %s, tags in the bytes: %v", expr, name, have)
			}
			if len(p.vlans) == 0 || !strings.Contains(expr, "vlan") {
				continue
			}
			q := p
			q.vlans, q.tpid = p.vlans[1:], 0
			if have := decide(t, withTag(live, p.vlans[0], true), q.bytes()); have != want && !strings.HasPrefix(expr, "tcp port") && !strings.HasPrefix(expr, "not vlan") {
				t.Errorf("%q of %s, tag outside: %v", expr, name, have)
			}
		}
	}
}

// withTag replaces loads of the metadata by constants.
func withTag(prog []bpf.Instruction, tci uint16, present bool) []bpf.Instruction {
	var out []bpf.Instruction
	for _, in := range prog {
		if e, ok := in.(bpf.LoadExtension); ok {
			switch e.Num {
			case bpf.ExtVLANTagPresent:
				in = bpf.LoadConstant{Dst: bpf.RegA}
				if present {
					in = bpf.LoadConstant{Dst: bpf.RegA, Val: 1}
				}
			case bpf.ExtVLANTag:
				in = bpf.LoadConstant{Dst: bpf.RegA, Val: uint32(tci)}
			}
		}
		out = append(out, in)
	}
	return out
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"", "tcp port 80", "vlan 5 and (host 10.0.0.1 or net 10.0.0.0/8) and not portrange 1-2", "src or dst host ::1", "net 10 mask 255.0.0.0", "less 5", "((", "1:/"} {
		f.Add(s, []byte("abcdefghijklmnopqrstuvwxyz"))
	}
	f.Fuzz(func(t *testing.T, expr string, b []byte) {
		for _, o := range []Options{{}, {Link: Raw}} {
			prog, err := Compile(expr, o)
			if err != nil {
				if err.Error() == "" {
					t.Fatal("an error without a text")
				}
				continue
			}
			if _, err := bpf.Assemble(prog); err != nil {
				t.Fatalf("%q does not assemble: %v", expr, err)
			}
			decide(t, prog, b)
		}
	})
}
