package wire

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// helloOf writes the body of a ClientHello. Extensions are hexadecimal codes;
// those that JA4 looks into get contents.
func helloOf(version uint16, ciphers, extensions, signatures, alpn, versions string) []byte {
	codes := func(list string) (b []byte) {
		for _, s := range strings.Split(list, ",") {
			if v, err := strconv.ParseUint(s, 16, 16); err == nil {
				b = binary.BigEndian.AppendUint16(b, uint16(v))
			}
		}
		return b
	}
	prefix := func(width int, b []byte) []byte {
		if width == 1 {
			return append([]byte{byte(len(b))}, b...)
		}
		return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
	}
	b := binary.BigEndian.AppendUint16(nil, version)
	b = append(b, make([]byte, 32)...)
	b = append(b, 0)
	b = append(b, prefix(2, codes(ciphers))...)
	b = append(b, 1, 0)
	var all []byte
	for _, s := range strings.Split(extensions, ",") {
		code := codes(s)
		if len(code) == 0 {
			continue
		}
		var e []byte
		switch binary.BigEndian.Uint16(code) {
		case extServerName:
			e = prefix(2, append([]byte{0}, prefix(2, []byte("shop.example"))...))
		case extALPN:
			if alpn != "none" {
				e = prefix(2, prefix(1, []byte(alpn)))
			}
		case extSignatures:
			e = prefix(2, codes(signatures))
		case extVersions:
			e = prefix(1, codes(versions))
		}
		all = append(append(all, code...), prefix(2, e)...)
	}
	if extensions == "" {
		return b
	}
	return append(b, prefix(2, all)...)
}

func ja4Of(t *testing.T, b []byte) string {
	t.Helper()
	var c clientHello
	if !c.read(b) {
		t.Fatal("not read")
	}
	j, _ := c.ja4(nil)
	return j.String()
}

// TestJA4 holds against the published description, technical_details/JA4.md of
// github.com/FoxIO-LLC/ja4, whose lists and digests these are, and against
// fingerprints that its repository lists for public captures.
func TestJA4(t *testing.T) {
	const (
		ciphers    = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
		extensions = "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"
		signatures = "0403,0804,0401,0503,0805,0501,0806,0601"
	)
	for _, c := range []struct {
		name, want string
		hello      []byte
	}{
		{"the example", "t13d1516h2_8daaf6152771_e5627efa2ab1", helloOf(0x0303, ciphers, extensions, signatures, "h2", "0304,0303")},
		{"with GREASE everywhere", "t13d1516h2_8daaf6152771_e5627efa2ab1",
			helloOf(0x0303, "0a0a,"+ciphers, "dada,"+extensions+",fafa", "1a1a,"+signatures, "h2", "7a7a,0304,0303")},
		{"no signature algorithms", "t13d1515h2_8daaf6152771_" + "", helloOf(0x0303, ciphers, strings.Replace(extensions, "000d,", "", 1), "", "h2", "0304")},
		{"empty signature algorithms", "t13d1516h2_8daaf6152771_6d807ffa2a79", helloOf(0x0303, ciphers, extensions, "", "h2", "0304")},
		{"an address, no ALPN", "t13i151400_8daaf6152771_e5627efa2ab1",
			helloOf(0x0303, ciphers, strings.NewReplacer("0000,", "", "0010,", "").Replace(extensions), signatures, "", "0304")},
		{"only name and ALPN", "t12d0102h1_" + "", helloOf(0x0303, "c02f", "0000,0010", "", "http/1.1", "")},
		{"no extensions", "t10i020000_", helloOf(0x0301, "002f,0035", "", "", "", "")},
		{"no ciphers", "t12i000000_000000000000_000000000000", helloOf(0x0303, "", "", "", "", "")},
		{"Firefox of tls12.pcap", "t13d1715h2_5b57614c22b0_3d5424432f57", helloOf(0x0303,
			"002f,0035,009c,009d,1301,1302,1303,c009,c00a,c013,c014,c02b,c02c,c02f,c030,cca8,cca9",
			"0000,0010,0005,000a,000b,000d,0015,0017,001c,0022,0023,002b,002d,0033,ff01",
			"0403,0503,0603,0804,0805,0806,0401,0501,0601,0203,0201", "h2", "0304")},
	} {
		got := ja4Of(t, c.hello)
		if len(got) != 36 || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if got := ja4Of(t, helloOf(0x0303, "c02f", "0000,0010", "", "http/1.1", "")); !strings.HasSuffix(got, "_000000000000") {
		t.Errorf("without other extensions: %s", got)
	}
	long := strings.TrimSuffix(strings.Repeat("c02f,", 150), ",")
	if got := ja4Of(t, helloOf(0x0303, long, long, "", "", "")); !strings.HasPrefix(got, "t12i999900_") {
		t.Errorf("more than 99: %s", got)
	}
	for version, want := range map[uint16]string{0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2", 0x0399: "00"} {
		if got := ja4Of(t, helloOf(version, "c02f", "", "", "", "")); got[1:3] != want {
			t.Errorf("version %04x: %s", version, got)
		}
	}
	// Its table of ALPN values.
	for alpn, want := range map[string]string{"h2": "h2", "http/1.1": "h1", "": "00", "none": "00", "x": "xx", "\xab": "ab", "\x20": "20", "\xab\xcd": "ad",
		"\x20\x61": "21", "\x30\xab": "3b", "\x61\x20": "60", "\x30\x31\xab\xcd": "3d", "\x30\xab\xcd\x31": "01", "-": "2d"} {
		if got := ja4Of(t, helloOf(0x0303, "c02f", "0010", "", alpn, "")); got[8:10] != want {
			t.Errorf("ALPN %q: %s, want %s", alpn, got, want)
		}
	}
}

// TestBrokenHellos: a ClientHello with lengths that do not fit has no
// fingerprint, and what could be read of it counts.
func TestBrokenHellos(t *testing.T) {
	whole := helloOf(0x0303, "1301,1302", "0000,000d,002b", "0403", "", "0304")
	var c clientHello
	for n := range whole {
		ok := c.read(whole[:n])
		if ok != (n >= 34) {
			t.Fatalf("%d bytes: read %v", n, ok)
		}
		if !ok {
			continue
		}
		j, _ := c.ja4(nil)
		// Without extensions a ClientHello may end behind the compression methods.
		if n != 34+1+2+4+2 && j != (JA4{}) {
			t.Fatalf("%d of %d bytes have the fingerprint %v", n, len(whole), j)
		}
	}
	if !c.read(append(whole, 0)) || c.whole {
		t.Error("bytes behind the extensions were not noticed")
	}
}

// TestHelloInPieces: records and segments may cut it anywhere.
func TestHelloInPieces(t *testing.T) {
	body := helloOf(0x0303, "1301,1302", "0000,000d,002b", "0403", "", "0304")
	message := append([]byte{msgClientHello, 0, 0, byte(len(body))}, body...)
	want := ja4Of(t, body)
	for _, size := range []int{1, 3, 4, 5, 50, len(message)} {
		var stream strings.Builder
		for rest := message; len(rest) > 0; {
			n := min(size, len(rest))
			fmt.Fprintf(&stream, "\x16\x03\x01%c%c%s", n>>8, n&255, rest[:n])
			rest = rest[n:]
		}
		for _, mss := range []int{1, 7, 1448} {
			b, _, _ := blind(t, newTalk("10.0.0.7:41000", "10.0.0.1:443").open().send(0, stream.String(), mss).close())
			if len(b.Clients) != 1 || b.Clients[0].JA4.String() != want || b.SNI != "shop.example" {
				t.Fatalf("records of %d, mss %d: %+v", size, mss, b)
			}
		}
	}
}
